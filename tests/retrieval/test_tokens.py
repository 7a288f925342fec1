"""Tokens as spans: every character that is not white space is in one, and long or odd texts do no harm."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import ConfigError
from filters.words import words as filter_words
from retrieval.tokens import tokenizer, words

TEXTS = st.text(st.characters() | st.sampled_from("ab \n.é中ไ\u0301\u200b\ud800"), max_size=60)


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


def test_words_and_single_marks() -> None:
    assert said("L'article 5(2), e.g. 中文  x_y") == [
        "L", "'", "article", "5", "(", "2", ")", ",", "e", ".", "g", ".", "中", "文", "x", "_", "y",
    ]  # fmt: skip
    assert said("") == said(" \n\u00a0") == []


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_tokens_hold_all_that_is_not_white_space_once_and_in_order(text: str) -> None:
    spans = words(text)
    assert all(start < end for start, end in spans)
    assert all(before <= after for (_, before), (after, _) in itertools.pairwise(spans))
    assert "".join(said(text)) == "".join(text.split())


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_the_words_are_those_of_the_filters(text: str) -> None:
    assert [token for token in said(text) if filter_words(token)] == filter_words(text)


def test_a_word_of_a_million_letters_is_one_token() -> None:
    assert words("a" * 1_000_000) == [(0, 1_000_000)]


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(ConfigError, match=r"the folder has no tokenizer\.json"):
        tokenizer(str(tmp_path))
    for name in ("nobody/nothing", "a/b/c", ""):
        with pytest.raises(ConfigError, match=f"`{name}`"):
            tokenizer(name)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a tokenizer"):
        tokenizer(str(tmp_path))


def test_a_tokenizer_of_hugging_face_gives_spans_of_characters(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "the": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.enable_truncation(2)
    folder = tmp_path / "model" / "0_StaticEmbedding"
    folder.mkdir(parents=True)
    made.save(str(folder / "tokenizer.json"))
    split = tokenizer(str(folder.parent))
    assert split("the 😀 act.") == [(0, 3), (4, 5), (6, 9), (9, 10)]
    assert split("a\ud800b") and split("") == []
