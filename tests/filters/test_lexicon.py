from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import lexicon
from filters.lexicon import Bloom, make, tokens

EU = [
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
]  # fmt: skip
SENTENCES = ["the law of the land is the law .", "the states of the lands shall protect the last , and the law ."] * 3


@pytest.fixture(scope="module")
def small() -> lexicon.Lexicon:
    return make([tokens(sentence) for sentence in SENTENCES], ["waters"])


@given(st.sets(st.text(max_size=12), max_size=60))
def test_a_bloom_filter_forgets_nothing(items: set[str]) -> None:
    held = Bloom.of(items, 9)
    assert all(item in held for item in items)


def test_a_bloom_filter_claims_little_that_it_does_not_hold() -> None:
    held = Bloom.of((f"word{number}" for number in range(2_000)), 9)
    assert sum(f"other{number}" in held for number in range(2_000)) < 100


def test_words_frequent_ones_and_letters_that_stand_together(small: lexicon.Lexicon) -> None:
    assert all(word in small.words for word in ("law", "protect", "waters"))
    assert list(small.common)[:2] == ["the", "law"]
    assert small.plausible("land")
    assert not small.plausible("lxnd")


def test_association_is_higher_for_words_that_follow_each_other(small: lexicon.Lexicon) -> None:
    of, the = small.common["of"], small.common["the"]
    assert small.association[of, the] > 0 > small.association[the, of]


def test_a_packed_table_comes_back(small: lexicon.Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    small.usual = {"unknown": 0.1}
    monkeypatch.setattr(lexicon, "_tables", lambda: {"xx": lexicon.packed(small)})
    lexicon.load.cache_clear()
    found = lexicon.load("xx")
    lexicon.load.cache_clear()
    assert found is not None
    assert (found.words.bits, found.trigrams.bits) == (small.words.bits, small.trigrams.bits)
    assert (found.common, found.usual) == (small.common, small.usual)
    assert np.array_equal(found.association, small.association)


def test_the_official_languages_of_the_union_have_tables() -> None:
    for language in EU:
        table = lexicon.load(language)
        assert table is not None
        assert len(table.common) == lexicon.COMMON
        assert table.association.shape == (lexicon.CLASSES, lexicon.CLASSES)
    assert lexicon.load("zh") is lexicon.load("und") is lexicon.load("") is None


def test_a_table_knows_its_language() -> None:
    english, french = lexicon.load("en"), lexicon.load("fr")
    assert english is not None and french is not None
    assert "which" in english.words and "dans" in french.words
    assert english.plausible("watering")
    assert not english.plausible("wqtzring")
