import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from catalog.schema import SIGNALS
from filters.quality import signals
from filters.verdicts import PRESETS, STAGES, Threshold, resolve, signal_names

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def reasons(values: dict[str, Any], thresholds: list[Threshold]) -> list[str]:
    """The thresholds that `values` fails; a null signal fails none."""
    failed = []
    for threshold in thresholds:
        value = values.get(threshold.signal)
        if value is None:
            continue
        if not (value >= threshold.value if threshold.op == ">=" else value <= threshold.value):
            failed.append(threshold.reason)
    return failed


def prose(words: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abcdefghijklmnoprstuv", k=rng.randint(2, 9))) for _ in range(600)]
    vocabulary += ["the", "of", "and", "to"] * 50
    sentences = [" ".join(rng.choices(vocabulary, k=16)).capitalize() + "." for _ in range(words // 16 + 1)]
    return "\n".join(sentences)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_hold_columns_of_the_schema_and_no_limit_twice(preset: str) -> None:
    thresholds = PRESETS[preset]
    assert {t.signal for t in thresholds} <= set(SIGNALS.names)
    assert len({(t.signal, t.op) for t in thresholds}) == len(thresholds)
    assert len({t.reason for t in thresholds}) == len(thresholds)


@pytest.mark.parametrize("preset", PRESETS)
def test_thresholds_come_in_the_order_of_the_stages(preset: str) -> None:
    stages = [STAGES.index(t.stage) for t in resolve(preset, {})]
    assert stages == sorted(stages)


def test_stages_of_signals() -> None:
    table = {signal: {"min": 0.1} for signal in ("language_score", "words", "order_precision", "quality")}
    chosen = resolve("permissive", table)
    assert [(t.stage, t.signal) for t in chosen] == [
        ("language", "language_score"),
        ("quality", "chars"),
        ("quality", "words"),
        ("quality", "quality"),
        ("fidelity", "order_precision"),
    ]


def test_overrides_replace_add_and_remove() -> None:
    chosen = resolve("default", {"words": {"min": 80, "max": 100_000}, "lorem_ipsum": {"max": "off"}})
    words = [(t.op, t.value, t.reason) for t in chosen if t.signal == "words"]
    assert words == [(">=", 80.0, "words<80"), ("<=", 100_000.0, "words>100000")]
    assert not [t for t in chosen if t.signal == "lorem_ipsum"]
    others = [t for t in PRESETS["default"] if t.signal not in ("words", "lorem_ipsum")]
    assert [t for t in chosen if t.signal not in ("words", "lorem_ipsum")] == others


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("best", {}, "default, gopher, fineweb, permissive, strict"),
        ("default", {"word": {"min": 1}}, "no such signal; choose one of .*words"),
        ("default", {"language": {"min": 1}}, "no such signal"),
        ("default", {"words": {"least": 1}}, "min, max or both"),
        ("default", {"words": {}}, "min, max or both"),
        ("default", {"words": 80}, "min, max or both"),
        ("default", {"words": {"min": "none"}}, 'finite number or "off"'),
        ("default", {"words": {"min": True}}, 'finite number or "off"'),
        ("default", {"words": {"min": float("nan")}}, 'finite number or "off"'),
        ("gopher", {"words": {"min": 200_000}}, "min 200000 is above max 100000"),
    ],
)
def test_a_wrong_table_says_what_is_right(preset: str, overrides: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(preset, overrides)


def test_signal_names_are_numbers() -> None:
    names = signal_names()
    assert {"language_score", "words", "lorem_ipsum", "lcs"} <= set(names)
    assert not {"id", "language", "script", "text_digest"} & set(names)


@pytest.mark.parametrize("preset", ["default", "gopher", "fineweb", "permissive", "strict"])
def test_prose_is_kept(preset: str) -> None:
    assert reasons(signals(prose(300), "en"), resolve(preset, {})) == []


def test_prose_without_spaces_is_kept() -> None:
    rng = random.Random(2)
    text = "\n".join("".join(chr(rng.randrange(0x4E00, 0x5200)) for _ in range(60)) + "的一。" for _ in range(6))
    for preset in PRESETS:
        assert reasons(signals(text, "zh"), resolve(preset, {})) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too short to say much.", "words<50"),
        ("Home About Contact\n" * 60, "dup_line_ratio>0.7"),
        ("buy cheap pills " * 60, "top_2gram_char_ratio>0.2"),
        (" ".join(str(n) for n in range(1000, 1200)), "alpha_word_ratio<0.4"),
        ("Lorem ipsum dolor sit amet. " + prose(100), "lorem_ipsum>0"),
        ("# " * 200 + prose(100), "symbol_ratio>0.2"),
        ("javascript must be on\n" * 11 + prose(600), "javascript_lines>10"),
        ("", "words<50"),
    ],
)
def test_default_drops(text: str, reason: str) -> None:
    assert reason in reasons(signals(text, "en"), resolve("default", {}))


def test_permissive_drops_only_the_empty() -> None:
    assert reasons(signals("x"), resolve("permissive", {})) == []
    assert reasons(signals(""), resolve("permissive", {})) == ["chars<1"]


@pytest.mark.real
def test_default_keeps_the_main_text_of_real_pages() -> None:
    gold = DATA / "html" / "gold.jsonl.gz"
    if not gold.exists():
        pytest.skip("the real data (shared/data) is not beside the project")
    thresholds = resolve("default", {})
    with gzip.open(gold) as file:
        values = [signals(json.loads(line)["text"]) for line in file]
    long = [v for v in values if (v["words"] or 0) >= 50]
    kept = sum(not reasons(v, thresholds) for v in long)
    assert len(long) > 400
    assert kept / len(long) > 0.95
