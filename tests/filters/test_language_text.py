"""Preparation of text for a language model, and its script."""

from __future__ import annotations

import numpy as np
import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from filters.language_text import _SCRIPTS, SAMPLE_CHARS, preparation, prepare, sample, script


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Article 12,\nparagraph 3 ", "article  paragraph "),
        ("L'eau   EST\tchaude!", "leau est chaude"),
        ("l’État n° 5", "létat n "),
        ("snake_case", "snake_case"),
        ("हिन्दी भाषा।", "हिन्दी भाषा"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_preparation(text: str, line: str) -> None:
    assert prepare(text) == line


@given(st.text())
def test_prepared_text_is_one_lower_case_line_of_words(text: str) -> None:
    line = prepare(text)
    assert "\n" not in line
    assert not any(char.isdecimal() for char in line)
    assert line == line.lower() or "\u03c3" in line.lower()  # a final sigma depends on what follows it


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The water, 2024", "Latn"),
        ("вода и земля", "Cyrl"),
        ("το νερό", "Grek"),
        ("الماء", "Arab"),
        ("מים", "Hebr"),
        ("水質保護", "Hani"),
        ("水质保护", "Hani"),
        ("水質を保護する", "Jpan"),
        ("カタカナ", "Jpan"),
        ("물을 보호한다 水", "Kore"),
        ("น้ำ", "Thai"),
        ("ទឹក", "Khmr"),
        ("𞤀𞤁𞤂", "Zzzz"),
        ("12 % — 3.5", "Zyyy"),
        ("", "Zyyy"),
        ("EU вода и земля", "Cyrl"),
    ],
)
def test_script_is_the_dominant_one_of_the_letters(text: str, code: str) -> None:
    assert script(text) == code


def test_a_kana_quotation_does_not_make_chinese_japanese() -> None:
    assert script("保护水质是所有成员国的共同责任" * 5 + "の") == "Hani"


@given(st.text())
def test_script_takes_any_text(text: str) -> None:
    code = script(text)
    assert len(code) == 4 and code.isalpha() and code.istitle()


@given(st.text(max_size=3 * SAMPLE_CHARS))
@example("ab" * SAMPLE_CHARS)
def test_a_sample_is_bounded(text: str) -> None:
    part = sample(text)
    assert part == text if len(text) <= SAMPLE_CHARS else len(part) < SAMPLE_CHARS + 20


def test_a_sample_reaches_both_ends() -> None:
    part = sample("start" + "x" * 50_000 + "middle" * 200 + "y" * 50_000 + "end")
    assert part.startswith("start") and part.endswith("end")


@given(st.text())
@example("ΑΣ ΒΣΓ. İSTANBUL \x1c\x85\u2028 a\u0301")
def test_words_are_prepared_as_the_text_is(text: str) -> None:
    words = preparation(lower=True).words(text.split())
    assert " ".join(words).split() == prepare(text).split()


@pytest.mark.parametrize("lower", [True, False])
def test_the_table_says_of_each_character_what_preparation_does(lower: bool) -> None:
    table = preparation(lower).table().tolist()
    assert len(table) == 0x110000
    for code in [*range(0x40000), *range(0x40000, 0x110000, 97), *range(0xE0000, 0xE1001)]:
        what = table[code]
        small = chr(code).lower()[0] if lower else chr(code)  # one character is two when small
        if small.isspace():
            assert what == -1
        elif 0xD800 <= code < 0xE000 or (lower and not prepare(small)):
            assert what == -2
        else:
            assert what == ord(small) | (0 if not small.isalpha() else 3 if ord(small) >= 0x2E80 else 1) << 21


def test_every_letter_has_its_script() -> None:
    letters = regex.findall(r"\p{L}", "".join(map(chr, range(0x110000))))
    any_sought = regex.compile("|".join(rf"\p{{Script={name}}}" for name in _SCRIPTS))
    for letter in [*letters[::7], "\u03e2", "\u03f0"]:
        code = script(letter)
        names = {"Jpan": ["Hira", "Kana"], "Kore": ["Hang"]}.get(code, [code])
        if code == "Zzzz":
            assert not any_sought.match(letter)
        else:
            assert regex.match("|".join(rf"\p{{Script={name}}}" for name in names), letter)


def test_text_as_it_is_keeps_all_but_white_space_and_surrogates() -> None:
    table = preparation(lower=False).table()
    assert [int(table[ord(char)]) & 0x1FFFFF for char in "Aé1!字"] == [ord(char) for char in "Aé1!字"]
    assert (table[0xD800:0xE000] == -2).all()
    assert np.array_equal(table[[9, 10, 32, 0xA0]], [-1] * 4)
