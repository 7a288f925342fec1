"""Tests for retrieval/analysers.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.words import fold, words
from retrieval.analysers import analyser, stop_words, tokens


def split(*texts: str, language: str | None = None) -> list[list[str]]:
    found = tokens(list(texts), language)
    return [
        [found.words[i] for i in found.ids[start:end].tolist()]
        for start, end in zip(found.ends[:-1], found.ends[1:], strict=True)
    ]


def test_words_are_folded_and_told_apart_by_text() -> None:
    assert split("L'Article 5", "", "STRASSE straße") == [["l", "article", "5"], [], ["strasse", "strasse"]]


def test_capitals_of_turkish_are_its_own() -> None:
    assert split("IŞIK İL", language="tr") == [["ışık", "il"]]


def test_scripts_without_spaces_give_bigrams() -> None:
    assert split("東京都, 京 GDPR規則", "ที่นี่") == [
        ["東京", "京都", "京", "gdpr", "規則"],
        ["ที่นี่"],
    ]


@given(st.lists(st.text(), max_size=5))
def test_texts_with_spaces_give_their_words(texts: list[str]) -> None:
    """And no text runs into the next, whatever marks and separators it has."""
    for text, found in zip(texts, split(*texts), strict=True):
        assert found == split(text)[0]
        if not any(len(word) == 1 and not word.isascii() for word in words(fold(text))):
            assert found == words(fold(text.replace("\x1e", " ")))


@pytest.mark.parametrize(
    ("language", "given", "terms"),
    [
        ("en", ["regulations", "the", "regulation"], ["regul", None, "regul"]),
        ("fr-CA", ["règlements", "du", "l", "règlement"], ["regl", None, None, "regl"]),
        ("xx", ["words", "the"], ["words", "the"]),
        (None, ["words"], ["words"]),
    ],
)
def test_terms_are_stems_without_stop_words(language: str | None, given: list[str], terms: list[str | None]) -> None:
    assert analyser(language)(given) == terms


def test_unstemmed_leaves_out_stop_words_only() -> None:
    assert analyser("en", "unstemmed")(["regulations", "the"]) == ["regulations", None]


def test_what_is_no_word_is_not_stemmed() -> None:
    assert analyser("en")(["s" * 100_000 + "ing"]) == ["s" * 100_000 + "ing"]


def test_languages_without_a_list_have_no_stop_words() -> None:
    assert "the" in stop_words("en-GB")
    assert stop_words(None) == stop_words("xx") == frozenset()


@given(st.lists(st.text(max_size=20)), st.sampled_from(["en", "ar", "tr", "el", "hy", "hi", "fi", None]))
def test_every_word_has_a_term_or_is_a_stop_word(texts: list[str], language: str | None) -> None:
    found = tokens(texts, language)
    terms = analyser(language)(found.words)
    assert len(terms) == len(found.words)
    assert all(
        term or (term is None and word in stop_words(language)) for word, term in zip(found.words, terms, strict=True)
    )
