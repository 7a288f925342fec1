from benchmarks.quality import OFF, RULES, agreement, drops, judged
from filters import quality, verdicts


def test_every_rule_of_the_presets_is_compared() -> None:
    """Of Gopher's and FineWeb's thresholds, all but the language score, which is no quality filter's."""
    compared = {(signal, op, limit) for _, _, signal, op, limit in RULES.values()}
    asked = {(t.signal, t.op, t.value) for name in ("gopher", "fineweb") for t in verdicts.preset(name)}
    assert {rule for rule in asked if rule[0] != "language_score"} <= compared


def test_each_rule_switches_on_what_is_off() -> None:
    for kind, arguments, _, _, _ in RULES.values():
        assert set(arguments) <= set(OFF[kind])


def test_null_passes() -> None:
    assert [drops(value, ">=", 3) for value in (None, 2, 3)] == [False, True, False]
    assert [drops(value, "<=", 3) for value in (None, 3, 4)] == [False, False, True]


def test_agreement_counts_each_case() -> None:
    rows = [quality.signals("word " * times, "en") for times in (10, 10, 60, 60, 10)]
    theirs = ["gopher_short_doc", "keep", "gopher_short_doc", "keep", "raises AssertionError"]
    cases = agreement(rows, dict.fromkeys(RULES, theirs))["words >= 50"]
    assert cases == {"both drop": 1, "ours alone": 1, "theirs alone": 1, "both keep": 1, "raises": 1}


def test_a_menu_fails_the_preset() -> None:
    assert "words<50" in judged("Home\nAbout us\nContact")
