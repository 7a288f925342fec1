import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import SIGNALS
from filters import wds

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PROSE = "La casa que tenemos en la montaña es más grande de lo que parece, y en invierno vive mucha gente allí."


def prose(lines: int, words: int) -> str:
    """Lines that do not repeat, of `words` words of five letters, with a comma or a full stop after every eighth."""
    dice = random.Random(1)
    made = ["".join(dice.choices("aeiolnrstcdmpu", k=5)) + ",."[n % 2] * (n % 8 == 7) for n in range(lines * words)]
    return "\n".join(" ".join(made[i : i + words]) for i in range(0, len(made), words))


def score(text: str, language: str | None = "es", segments: list[str] | None = None) -> dict[str, float]:
    return {name.removeprefix("wds_"): value or 0.0 for name, value in wds.signals(text, language, segments).items()}


def test_columns_are_those_of_the_schema_in_order() -> None:
    names = SIGNALS.names
    expected = names[names.index("words_per_segment") : names.index("wds_short_segments") + 1]
    assert list(wds.signals("a", "es", None)) == list(wds.signals("", "es", [])) == expected


def test_the_example_of_the_published_description() -> None:
    """Penalties of 1, 1, 1, .92, .89, 1, .84 on .93 are .76 to .77."""
    scores = dict(zip(wds.PENALTIES, (1, 1, 1, 0.92, 0.89, 1, 0.84), strict=True))
    basic = {"language": 0.93, "long_segments": 0.93, "great_segment": 0.93}
    assert wds.combine({**scores, **basic}) == pytest.approx(0.765, abs=0.01)
    assert wds.combine({**scores, **dict.fromkeys(basic, 1)}) == pytest.approx(0.818, abs=0.001)


def test_one_fatal_penalty_makes_it_nothing() -> None:
    names = (*wds.PENALTIES, "language", "long_segments", "great_segment")
    best = dict.fromkeys(names, 1.0)
    assert wds.combine(best) == 1
    assert all(wds.combine({**best, name: 0.09}) == 0 < wds.combine({**best, name: 0.11}) for name in wds.PENALTIES)


REPETITIVE = st.lists(st.sampled_from(["a", "palabra", "中", "1", ".", "www.", "\n", " ", "\ud800", "\u200b"])).map(
    "".join
)


@given(st.one_of(st.text(), REPETITIVE), st.sampled_from([None, "es", "zh", "und", "sr-Cyrl"]))
def test_subscores_stay_between_0_and_1(text: str, language: str | None) -> None:
    for segments in (None, [], ["es", "und"]):
        found = wds.signals(text, language, segments)
        assert all(0 <= (found[name] or 0) <= 1 for name in found if name.startswith("wds"))
        assert all(math.isfinite(value) for value in found.values() if value is not None)


def test_language_is_the_share_of_letters_in_long_enough_lines() -> None:
    text = "\n".join([PROSE, "Casa", "", PROSE, PROSE])
    assert score(text, "es", ["es", "en", "es", "es"])["language"] == 1
    assert score(text, "es", ["es", "es", "en", "es"])["language"] == pytest.approx(2 / 3)
    assert score(text, "es", ["es", "es", "und"])["language"] == pytest.approx(1 / 2)
    assert score("Casa\nMesa", "es", ["es", "es"])["language"] == 0
    assert score(text, "und", ["und", "und", "und", "und"])["language"] == 0
    assert score(text, None, ["und"])["language"] == score(text, "es", None)["language"] == 1
    assert score(text, "hr", ["sr", "bs", "hr", "sl"])["language"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("urls", "expected"), [(0, 1), (3, 1), (6, 4 / 7), (11, 0)])
def test_urls_per_2400_letters(urls: int, expected: float) -> None:
    lines = prose(40, 12).split("\n")  # of 60 letters
    text = "\n".join([*(f"{line} https://www.7.8" for line in lines[:urls]), *lines[urls:], "www.1", "http://2"])
    assert score(text)["url"] == pytest.approx(expected, abs=0.07)


@pytest.mark.parametrize(("per_cent", "expected"), [(0.2, 0), (0.6, 0.5), (1.5, 1), (13.75, 0.5), (30, 0)])
def test_punctuation(per_cent: float, expected: float) -> None:
    text = "abcde " * 2000 + "." * round(per_cent * 100)
    assert score(text)["punctuation"] == pytest.approx(expected, abs=0.01)
    assert score("กขค" * 100, "th")["punctuation"] == 1


@pytest.mark.parametrize(("per_cent", "expected"), [(0.5, 1), (15.5, 0.5), (40, 0)])
def test_numbers(per_cent: float, expected: float) -> None:
    assert score("abcde " * 2000 + "7" * round(per_cent * 100))["numbers"] == pytest.approx(expected, abs=0.01)


def test_singular_characters_are_those_beside_others() -> None:
    assert score("casa y mesa o silla a " * 50)["singular_chars"] == 1
    assert score("abcde fghij " * 50 + "a b c d ")["singular_chars"] == 1
    assert score("abcde fghij " * 50 + "a b c d e f g h i ")["singular_chars"] == 0.7
    assert score("abcde fghij " * 50 + "a b c d e f g h i " * 2)["singular_chars"] == 0.5
    assert score("e s p a c i a d o " * 50)["singular_chars"] == 0


def test_repeated_lines_count_with_all_their_copies() -> None:
    assert score("uno dos\nuno dos\ntres cuatro\ncinco seis\nsi\nsi\nsi")["repeated"] == pytest.approx(1 / 2)


def test_long_and_great_lines() -> None:
    lines = ["a" * 250] * 3 + ["a" * 249]
    assert score("\n".join(lines))["long_segments"] == pytest.approx(0.3)
    assert score("\n".join(["ab" * 130] * 12))["long_segments"] == 1
    for letters, expected in ((625, 0), (812.5, 0.5), (1000, 1), (5000, 1)):
        assert score("a" * int(letters))["great_segment"] == pytest.approx(expected, abs=0.01)
    assert score("a" * 232, "en")["long_segments"] == pytest.approx(0.1)  # the published anchors of other languages
    assert score("a" * 301, "it")["long_segments"] == 0
    assert score("a" * 1208, "it")["great_segment"] == 1


def test_short_lines() -> None:
    assert score("\n".join(["a" * 20] * 9))["short_segments"] == 1  # a poem
    assert score("\n".join(["a" * 2, "a" * 90] * 5))["short_segments"] == 1
    assert score("\n".join(["a"] * 7 + ["a" * 90] * 3))["short_segments"] == pytest.approx(0.8)
    assert score("\n".join(["a"] * 99 + ["a" * 90]))["short_segments"] == pytest.approx(0.51)


def test_informativeness() -> None:
    dice = random.Random(1)
    sentences = [
        PROSE,
        "Nadie sabe cuándo llegarán los otros trenes, pero esperamos que sea pronto y con buena noticia.",
    ]
    codes = "".join(dice.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", k=20_000))
    assert wds.informativeness("") == 1
    assert wds.informativeness(" ".join(sentences)) == 1
    assert wds.informativeness("casa " * 5000) == 0
    assert wds.informativeness(codes) < 0.1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Voilà l'été", "latin"), ("Привет, мир", "alphabet"), ("नमस्ते दुनिया", "syllabic"), ("ภาษาไทย", "syllabic"),
     ("法律", "dense"), ("한국어", "dense"), ("...", "latin")],
)  # fmt: skip
def test_script_group(text: str, expected: str) -> None:
    assert wds.script_group(text) == expected


def test_of_a_long_text_the_beginning_and_the_middle_are_compressed() -> None:
    text = prose(3000, 12)[:200_000]
    other = text[:20_000] + "b" * 60_000 + text[80_000:120_000] + "c" * 80_000
    assert wds.informativeness(text) == wds.informativeness(other)
    assert wds.informativeness(text) != wds.informativeness(text[:90_000] + "b" * 20_000 + text[110_000:])


def test_means_per_line() -> None:
    found = wds.signals("uno dos tres\n\ncuatro", "es", None)
    assert (found["words_per_segment"], found["chars_per_segment"]) == (2, None)
    found = wds.signals("法律的规定\n适用\n", "zh", None)
    assert (found["words_per_segment"], found["chars_per_segment"]) == (None, 3.5)


@pytest.mark.parametrize("text", ["a " * 300_000, "…" * 500_000, "\n" * 500_000, "a\n" * 200_000, "\ud800" * 100_000])
def test_hostile_texts_score_low(text: str) -> None:
    assert (wds.signals(text, "en", ["en"] * 10_000)["wds"] or 0) < 0.3


@pytest.mark.real
def test_the_declaration_of_human_rights_scores_high_in_every_language() -> None:
    paths = sorted((DATA / "pdf" / "typeset").glob("UDHR_*.truth.txt"))
    if not paths:
        pytest.skip("the real data (shared/data) is not beside the project")
    for path in paths:
        language = path.name[5:7].lower()
        assert score(path.read_text("utf-8"), language)["wds"] > 0.7, language
