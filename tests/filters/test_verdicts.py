import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from filters.quality import signals
from filters.verdicts import PRESETS, STAGES, Threshold, change, preset, resolve, settings, signal_names, stage_of

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


@pytest.mark.parametrize("name", PRESETS)
def test_presets_hold_signals_and_no_limit_twice(name: str) -> None:
    thresholds = preset(name)
    assert PRESETS[name]
    assert {t.signal for t in thresholds} <= set(signal_names())
    assert len({(t.signal, t.op, t.language) for t in thresholds}) == len(thresholds)
    general = [t.reason for t in thresholds if t.language is None]
    assert len(set(general)) == len(general)
    stages = [STAGES.index(t.stage) for t in thresholds]
    assert stages == sorted(stages)


def test_stages_of_signals() -> None:
    assert {signal: stage_of(signal) for signal in signal_names() if stage_of(signal) in ("rights", "safety")} == {
        **dict.fromkeys(
            ("robots_allowed", "noai", "noindex", "tdm_reservation", "site_tdm_reservation", "open_licence"), "rights"
        ),
        **dict.fromkeys(("url_listed", "pii_count", "secret_count"), "safety"),
    }
    table = {signal: {"min": 0.1} for signal in ("order_precision", "quality", "trusted", "language_score", "noai")}
    assert [(t.stage, t.signal) for t in resolve("permissive", table)] == [
        ("rights", "noai"), ("language", "language_score"), ("quality", "chars"), ("quality", "quality"),
        ("quality", "trusted"), ("fidelity", "order_precision"),
    ]  # fmt: skip


def test_overrides_replace_add_and_remove() -> None:
    chosen = resolve("default", {"words": {"min": 80, "max": 100_000}, "lorem_ipsum": {"max": "off"}})
    words = [(t.op, t.value, t.reason) for t in chosen if t.signal == "words"]
    assert words == [(">=", 80.0, "words<80"), ("<=", 100_000.0, "words>100000")]
    assert not [t for t in chosen if t.signal == "lorem_ipsum"]
    others = [t for t in preset("default") if t.signal not in ("words", "lorem_ipsum")]
    assert [t for t in chosen if t.signal not in ("words", "lorem_ipsum")] == others


@pytest.mark.parametrize(
    ("signal", "limits", "reason"),
    [
        ("robots_allowed", {"min": 1}, "robots disallow"),
        ("noai", {"max": 0}, "noai"),
        ("noindex", {"max": 0.5}, "noindex"),
        ("tdm_reservation", {"max": 0}, "tdm reserved"),
        ("open_licence", {"min": 1}, "licence not open"),
        ("machine_translated", {"max": 0}, "machine translated"),
        ("language_agree", {"min": 1}, "not language agree"),
        ("words", {"min": 50}, "words<50"),
        ("wds", {"min": 0.5000001}, "wds<0.5000001"),
        ("chars", {"max": 1e20}, "chars>1e+20"),
    ],
)
def test_a_reason_can_be_read(signal: str, limits: Any, reason: str) -> None:
    assert [t.reason for t in change([], {signal: limits}, {})] == [reason]


def of(chosen: list[Threshold], signal: str) -> dict[str | None, float | None]:
    return {t.language: t.value for t in chosen if t.signal == signal and t.op == ">="}


def test_a_language_has_limits_of_its_own() -> None:
    languages = {"fr": {"words": {"min": 40}, "wds": {"min": 0.2}}, "sr-Cyrl": {"words": {"min": "off"}}}
    chosen = resolve("gopher", {}, languages)
    assert of(chosen, "words") == {None: 50, "fr": 40, "sr-Cyrl": None}
    assert of(chosen, "wds") == {"fr": 0.2}
    assert [t.reason for t in chosen if t.signal == "words" and t.language == "fr"] == ["words<40 (fr)"]
    places = [n for n, t in enumerate(chosen) if (t.signal, t.op) == ("words", ">=")]
    assert places == list(range(places[0], places[0] + 3)), "they are tried in one place"


def test_a_limit_for_all_languages_is_for_all() -> None:
    chosen = resolve("fineweb2", {"terminal_line_ratio": {"min": 0.05}})
    assert of(chosen, "terminal_line_ratio") == {None: 0.05}
    assert len(of(chosen, "alpha_word_ratio")) > 60
    off = resolve("fineweb2", {"terminal_line_ratio": {"min": "off"}}, {"fr": {"terminal_line_ratio": {"min": 0.3}}})
    assert of(off, "terminal_line_ratio") == {"fr": 0.3}


def test_fineweb2_has_its_published_numbers() -> None:
    """configs/fra_Latn.yml, ell_Grek.yml and srp_Latn.yml of huggingface/fineweb-2."""
    values = {(t.language, t.signal, t.op): t.value for t in preset("fineweb2")}
    assert values["fr", "dup_line_ratio", "<="] == 0.264
    assert values["fr", "top_2gram_char_ratio", "<="] == 0.161
    assert values["fr", "dup_10gram_char_ratio", "<="] == 0.1
    assert (values["fr", "mean_word_length", ">="], values["fr", "mean_word_length", "<="]) == (2, 11)
    assert values["fr", "newline_ratio", "<="] == 0.185
    assert values["el", "terminal_line_ratio", ">="] == 0.167
    assert values["sr-Latn", "alpha_word_ratio", ">="] == 0.788
    assert (None, "dup_para_ratio", "<=") not in values
    assert values[None, "line_dup_char_ratio", "<="] == 0.1


def test_fineweb2_knows_the_languages_of_the_eu() -> None:
    asked = {t.language for t in preset("fineweb2")}
    eu = set("bg cs da de el es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())  # noqa: SIM905
    assert eu <= asked, "English is FineWeb's own"


def test_hplt_keeps_what_it_keeps() -> None:
    chosen = resolve("hplt-v3", {})
    clean = {"language_score": 0.51, "words_per_segment": 5.5, "chars": 501, "wds": 0.5, "secret_count": 0}
    assert reasons(clean, chosen) == []
    for column, value, reason in (
        ("words_per_segment", 5.0, "words_per_segment<5.0001"), ("chars", 500, "chars<501"), ("wds", 0.49, "wds<0.5"),
        ("robots_allowed", False, "robots disallow"), ("url_listed", True, "url listed"),
        ("chars_per_segment", 10.0, "chars_per_segment<10.0001"), ("secret_count", 1, "secret_count>0"),
    ):  # fmt: skip
        assert reasons(clean | {column: value}, chosen) == [reason]


@pytest.mark.parametrize(("name", "drops"), [("default", True), ("strict", True), ("permissive", False)])
def test_what_a_site_forbids(name: str, drops: bool) -> None:
    chosen = resolve(name, {})
    for column, value in (("robots_allowed", False), ("noai", True), ("tdm_reservation", True), ("secret_count", 1)):
        assert bool(reasons({column: value}, chosen)) == drops


def test_settings_of_the_command_line() -> None:
    general, languages = settings(["words>=100", " lcs >= off", "fr:words>=40", "sr-Cyrl:wds<=.9", "words<=1e6"])
    assert general == {"words": {"min": 100.0, "max": 1e6}, "lcs": {"min": "off"}}
    assert languages == {"fr": {"words": {"min": 40.0}}, "sr-Cyrl": {"wds": {"max": 0.9}}}


@pytest.mark.parametrize("text", ["", "words", "words=5", "words>5", "words>=", "words>=many", ">=5", "a b>=5"])
def test_a_setting_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="write 'words>=100'"):
        settings([text])


def test_an_unknown_signal_has_a_short_message() -> None:
    with pytest.raises(ValueError, match=r"no such signal; docs/tables.md lists them") as raised:
        resolve("default", {"q" * 100_000: {"min": 1}})
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("language", "limits", "message"),
    [
        ("French", {"words": {"min": 1}}, "thresholds.languages.French: give a language"),
        ("sr-cyrl", {"words": {"min": 1}}, "sr-Cyrl"),
        ("fr", {"word": {"min": 1}}, r"thresholds.languages.fr.word: no such signal; did you mean words"),
        ("fr", {"words": {"min": 200_000}}, r"thresholds.languages.fr.words: min 200000 is above max 100000"),
    ],
)
def test_a_wrong_language_table_says_what_is_right(language: str, limits: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve("gopher", {}, {language: limits})


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("best", {}, "default, gopher, fineweb, fineweb2, hplt-v3, lemur, permissive, strict"),
        ("default", {"word": {"min": 1}}, "no such signal; did you mean words"),
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
    assert {"language_score", "words", "lorem_ipsum", "lcs", "robots_allowed", "trusted", "repeated_share"} <= set(
        names
    )
    assert not {"id", "language", "script", "text_digest", "robots_rule", "pii", "spans"} & set(names)


@pytest.mark.parametrize("name", PRESETS)
def test_prose_is_kept(name: str) -> None:
    general = [t for t in resolve(name, {}) if t.language is None]
    assert reasons(signals(prose(300), "en"), general) == []


def test_prose_without_spaces_is_kept() -> None:
    rng = random.Random(2)
    text = "\n".join("".join(chr(rng.randrange(0x4E00, 0x5200)) for _ in range(60)) + "的一。" for _ in range(9))
    for name in PRESETS:
        chosen = [t for t in resolve(name, {}) if t.language is None]
        assert reasons(signals(text, "zh"), chosen) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too short to say much.", "words<50"),
        ("Home About Contact\n" * 60, "dup_line_ratio>0.7"),
        ("buy cheap pills " * 60, "top_2gram_char_ratio>0.2"),
        (" ".join(str(n) for n in range(1000, 1200)), "alpha_word_ratio<0.4"),
        ("Lorem ipsum dolor sit amet. " + prose(100), "lorem ipsum"),
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
