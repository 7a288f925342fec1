import sys
from pathlib import Path

import measure
import pytest


def test_a_command_costs_what_its_orphans_cost_too(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    # The command ends at once and leaves a process behind.
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
    cost, _ = measure.run([sys.executable, "-c", leave], cwd=tmp_path)
    assert 0.5 <= cost.cpu_s < 3


def test_the_peak_counts_what_a_child_holds(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(b'x') * (100 << 20); time.sleep(1)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}], check=True); print('done')"
    cost, printed = measure.run([sys.executable, "-c", start], cwd=tmp_path)
    assert printed == "done\n"
    assert 100 < cost.peak_mb < 250
    assert cost.wall_s >= 1


def test_a_command_that_fails_says_how(tmp_path: Path) -> None:
    with pytest.raises(measure.CommandError, match="no such thing"):
        measure.run([sys.executable, "-c", "raise SystemExit('no such thing')"], cwd=tmp_path)


def test_f1_is_the_mean_over_the_pages_asked_for() -> None:
    gold = {"a": "one two three four", "b": "one two"}
    assert measure.f1(gold, {"a": "Two THREE", "b": "one two"}, ["a"]) == pytest.approx(2 * 2 / 6)
    assert measure.f1(gold, {"b": "one two"}, gold) == pytest.approx(0.5)
    assert measure.f1(gold, {}, []) == 0.0


def test_chinese_characters_are_words_of_their_own() -> None:
    assert measure.words("你好 world") == {"你": 1, "好": 1, "world": 1}
