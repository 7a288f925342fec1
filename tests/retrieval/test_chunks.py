"""Passages: they slice back, hold the whole text, and are never longer than asked."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from retrieval.chunks import Chunking, chunks, parts, windows
from retrieval.tokens import words

TEXTS = st.text(st.characters() | st.sampled_from("aB1. \n.?»。中,\u0301\ud800"), max_size=120)
ANCHORS = st.sampled_from([None, "tit_1", "rct_1", "cpt_I", "cpt_I.sct_1", "art_1", "art_1~2", "anx_1", "anx_1.art_1"])
KINDS = st.sampled_from(["title", "recital", "section", "article", "annex", "note"])


def section(start: int, kind: str, anchor: str | None, heading: str | None = None) -> dict[str, Any]:
    return {"start": start, "kind": kind, "anchor": anchor, "heading": heading}


def act(*lines: tuple[str, str | None, str]) -> tuple[str, list[dict[str, Any]]]:
    """A text of lines, and the sections that begin at those with a kind."""
    text, sections = "", []
    for kind, anchor, line in lines:
        if kind:
            sections.append(section(len(text), kind, anchor, line))
        text += f"{line}\n"
    return text, sections


def test_a_part_ends_where_what_is_not_inside_it_begins() -> None:
    text, sections = act(
        ("title", "tit_1", "Title"), ("recital", "rct_1", "(1) Because"),
        ("section", "tis_I", "TITLE I"), ("section", "tis_I.cpt_1", "CHAPTER 1"), ("article", "art_1", "Article 1"),
        ("", None, "Its text"), ("section", "tis_I.cpt_2", "CHAPTER 2"), ("article", "art_2", "Article 2"),
        ("section", "tis_II", "TITLE II"), ("article", "art_3", "Article 3"), ("note", "ntr_1", "Note"),
        ("annex", "anx_1", "ANNEX"), ("section", "anx_1.cpt_I", "PART"), ("article", "anx_1.art_1", "Article"),
        ("annex", "anx_2", "ANNEX 2"),
    )  # fmt: skip
    found = {chunk.anchor: text[chunk.start : chunk.end].replace("\n", "|") for chunk in parts(text, sections)}
    assert found["tit_1"] == "Title" and found["rct_1"] == "(1) Because" and found["ntr_1"] == "Note"
    assert found["tis_I"] == "TITLE I|CHAPTER 1|Article 1|Its text|CHAPTER 2|Article 2"
    assert found["tis_I.cpt_1"] == "CHAPTER 1|Article 1|Its text" and found["art_1"] == "Article 1|Its text"
    assert found["tis_II"] == "TITLE II|Article 3"
    assert found["anx_1"] == "ANNEX|PART|Article" and found["anx_1.cpt_I"] == "PART|Article"
    assert found["anx_2"] == "ANNEX 2"
    assert [chunk.anchor for chunk in parts(text, sections, {"annex"})] == ["anx_1", "anx_2"]


def test_sections_of_an_article_nest_by_their_anchors() -> None:
    text, sections = act(
        ("section", "sec_2", "2"), ("section", "sec_2.1", "2.1"), ("section", "sec_2.1.1", "2.1.1"),
        ("section", "sec_2.2", "2.2"), ("section", "sec_20", "20"), ("references", None, "References"),
    )  # fmt: skip
    found = [text[chunk.start : chunk.end].split("\n") for chunk in parts(text, sections)]
    assert found == [["2", "2.1", "2.1.1", "2.2"], ["2.1", "2.1.1"], ["2.1.1"], ["2.2"], ["20"], ["References"]]


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.lists(st.builds(section, st.integers(-5, 150), KINDS, ANCHORS), max_size=8))
def test_parts_slice_back_whatever_the_sections(text: str, sections: list[dict[str, Any]]) -> None:
    for chunk in parts(text, sections):
        assert text[chunk.start : chunk.end].strip() == text[chunk.start : chunk.end] != ""


def test_sentences_are_kept_together_and_long_ones_cut() -> None:
    text = "One two. Three four five. Six. Seven eight nine ten eleven twelve."
    assert [text[chunk.start : chunk.end] for chunk in windows(text, 7, words)] == [
        "One two. Three four five.", "Six.", "Seven eight nine ten eleven twelve.",
    ]  # fmt: skip
    assert [text[chunk.start : chunk.end] for chunk in windows(text, 4, words, start=26)] == [
        "Six.", "Seven eight nine ten", "eleven twelve.",
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.integers(1, 9))
def test_windows_hold_all_and_are_short_enough(text: str, most: int) -> None:
    found = windows(text, most, words)
    slices = [text[chunk.start : chunk.end] for chunk in found]
    assert all(piece.strip() == piece != "" and len(words(piece)) <= most for piece in slices)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert "".join("".join(slices).split()) == "".join(text.split())


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.integers(1, 5))
def test_tokens_that_share_characters_are_not_parted(text: str, most: int) -> None:
    def threes(piece: str) -> list[tuple[int, int]]:
        return [span for span in words(piece) for _ in range(3)]  # as bytes of one character are

    slices = [text[chunk.start : chunk.end] for chunk in windows(text, most, threes)]
    assert "".join("".join(slices).split()) == "".join(text.split())
    assert all(len(words(piece)) <= max(1, most // 3) for piece in slices)


def test_a_window_needs_a_token() -> None:
    with pytest.raises(ValueError, match="token"):
        windows("a", 0, words)


def test_a_long_word_and_a_long_sentence_end() -> None:
    assert len(windows("a" * 1_000_000, 10, words)) <= 10
    assert all(chunk.end - chunk.start <= 40 for chunk in windows("abc " * 100_000, 10, words))


@settings(deadline=None, max_examples=60)
@given(
    TEXTS, st.lists(st.builds(section, st.integers(0, 120), KINDS, ANCHORS), max_size=6),
    st.sampled_from(["articles", "sections", "paragraphs", "tokens"]), st.integers(1, 9),
)  # fmt: skip
def test_every_policy_gives_slices(text: str, sections: list[dict[str, Any]], by: str, most: int) -> None:
    found = chunks(text, sections, Chunking.model_validate({"by": by, "most": most}), words, "en")
    slices = [text[chunk.start : chunk.end] for chunk in found]
    assert all(piece.strip() == piece != "" and len(words(piece)) <= most for piece in slices)
    assert all(before.end <= after.start for before, after in pairwise(found))
    if by != "articles":
        assert "".join("".join(slices).split()) == "".join(text.split())


def test_policies_give_their_kinds() -> None:
    text, sections = act(("title", "tit_1", "Title"), ("article", "art_1", "Article 1"), ("", None, "It says. So."))

    def kinds(**policy: Any) -> list[tuple[str, str | None, str]]:
        found = chunks(text, sections, Chunking(**policy), words)
        return [(chunk.kind, chunk.anchor, text[chunk.start : chunk.end]) for chunk in found]

    assert kinds(by="articles") == [("article", "art_1", "Article 1\nIt says. So.")]
    assert kinds(by="articles", most=5) == [("article", "art_1", "Article 1\nIt says."), ("article", "art_1", "So.")]
    assert kinds(by="sections")[0] == ("title", "tit_1", "Title")
    assert kinds(by="paragraphs")[2] == ("paragraph", None, "It says. So.")
    assert kinds(by="tokens", most=100) == [("window", None, text.strip())]
    with pytest.raises(ValidationError):
        Chunking(by="words")  # type: ignore[arg-type]
