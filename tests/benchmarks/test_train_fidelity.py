"""The fitting of predicted fidelity: damage, steps and figures, without the data that it is fitted on."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import readings, train_fidelity
from benchmarks.fidelity_model import Sample, fit, left_out, matrix, roots_of, spearman
from benchmarks.train_fidelity import covered
from filters.fidelity import lcs, order
from filters.legibility import FEATURES, Features

NAMES = ["river", "lake", "wood", "field", "coast", "valley", "island", "forest", "meadow", "harbour"]
PAGE = "".join(f"The {name} shall take those measures together with every {name}.\n" for name in NAMES)
READING = [PAGE, PAGE.replace("take", "adopt"), PAGE.replace("those", "all")] * 2


def test_damage_is_the_same_every_time_and_lowers_a_measure() -> None:
    found = readings.damaged(READING, "a.pdf")
    assert found == readings.damaged(READING, "a.pdf")
    whole = "".join(READING)
    for name, reading in found.items():
        text = "".join(reading)
        if name.endswith((" 0.1", " 1")) or name in ("running", "repeated", "dropped"):
            assert min(lcs(text, whole), *order(text, whole)) < 0.99, name
        assert len(text) < 4 * len(whole)


def test_readings_of_a_broken_file_are_empty() -> None:
    for read in readings.ENGINES.values():
        assert "".join(read(b"%PDF-1.7 and nothing else")) == ""


def test_blocks_of_words_that_the_other_side_has() -> None:
    chance = random.Random(1)
    ours, other = (" ".join(chance.choices("abcdefghij", k=400)) for _ in range(2))
    other = other.upper().replace(" ", "x ")
    assert covered(ours, ours) == (1, 1)
    assert covered(ours, other) == (0, 0)
    text, reference = covered(f"{ours} {other}", ours)
    assert 0.45 < text < 0.65
    assert reference == 1
    # A garbled text is there all the same.
    garbled = " ".join(word if number % 12 else "zz" for number, word in enumerate(ours.split()))
    assert covered(garbled, ours) == (1, 1)
    assert covered("", ours) == (0, 0)


def planted(count: int = 300) -> list[Sample]:
    """Readings whose loss is a step of one feature and a slope of another."""
    chance = random.Random(2)
    found = []
    for number in range(count):
        features: Features = {name: chance.random() for name in FEATURES}
        features["digits"] = None
        root = 0.1 + 0.4 * ((features["case"] or 0) > 0.5) + 0.2 * (features["split"] or 0)
        reading = "florilege" if number % 3 else "florilege, split 0.05"
        found.append(Sample(f"set {number % 4}", f"{number // 3}.pdf", reading, features, {"lcs": 1 - root**2}))
    return found


def test_a_fit_finds_what_was_planted() -> None:
    samples = planted()
    roots = left_out("lcs", samples, samples, lambda sample: sample.kind)
    labels = np.array([sample.labels["lcs"] for sample in samples])
    assert spearman(labels, -roots) > 0.95
    assert float(np.abs(np.sqrt(1 - labels) - roots).mean()) < 0.04


def test_a_fit_is_monotone_and_of_known_features() -> None:
    samples = planted()
    found = fit(matrix(samples), np.full(len(samples), 0.2), np.ones(len(samples)), rounds=50)
    assert found["steps"] == []
    upside_down = -matrix(samples)
    roots = np.array([0.4 * ((sample.features["case"] or 0) > 0.5) for sample in samples])
    for _, _, below, above, _ in fit(upside_down, roots, np.ones(len(samples)))["steps"]:
        assert below <= above
    assert roots_of(found, samples[:2]).tolist() == pytest.approx([0.2, 0.2])


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=20))
def test_rank_correlation_of_equal_and_opposite_orders(values: list[int]) -> None:
    a = np.array(values, np.float64)
    if len(set(values)) > 1:
        assert spearman(a, a**3) == pytest.approx(1)
        assert spearman(a, -a) == pytest.approx(-1)
    else:
        assert np.isnan(spearman(a, a))


def test_versions_of_a_work_stay_together() -> None:
    works = {Sample("s", pdf, "florilege", {}, {}).work for pdf in ("31968R1017_EN.pdf", "31968R1017_FR.pdf")}
    assert works == {"31968R1017"}


def test_no_data_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train_fidelity.py", str(tmp_path)])
    with pytest.raises(SystemExit):
        train_fidelity.main()
    assert "no PDF with a reference" in capsys.readouterr().err
