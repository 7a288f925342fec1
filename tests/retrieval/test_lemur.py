from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.lemur import FALLBACK, SHORTEST, WINDOW, metadata_block

TITLES = {
    "en": ("COMMISSION REGULATION (EC) No 5/2008\n", "THE COMMISSION OF THE EUROPEAN COMMUNITIES,\n"),
    "bg": ("РЕГЛАМЕНТ (ЕО) № 5/2008 НА\n", "КОМИСИЯТА НА ЕВРОПЕЙСКИТЕ ОБЩНОСТИ,\n"),
    "el": ("ΚΑΝΟΝΙΣΜΟΣ (ΕΚ) αριθ. 5/2008\n", "Η ΕΠΙΤΡΟΠΗ ΤΩΝ ΕΥΡΩΠΑΪΚΩΝ ΚΟΙΝΟΤΗΤΩΝ,\n"),
}
LONG = "on rules for the keeping of bees " * 7 + "\n"


def act(language: str, about: str = LONG) -> str:
    title, institution = TITLES[language]
    return title + about + institution + "Having regard to the Treaty, " * 30


@pytest.mark.parametrize("language", TITLES)
def test_unicode_blocks_end_before_the_institution_in_every_script(language: str) -> None:
    block = metadata_block(act(language), variant="unicode")
    assert block.query == (TITLES[language][0] + LONG).rstrip()
    assert act(language)[: block.end] == block.query


@pytest.mark.parametrize(("language", "falls_back"), [("en", False), ("bg", True), ("el", True)])
def test_ascii_blocks_fall_back_where_there_are_no_latin_capitals(language: str, falls_back: bool) -> None:
    query = metadata_block(act(language)).query
    assert (query == act(language)[:FALLBACK].rstrip()) == falls_back


def test_a_short_block_falls_back() -> None:
    text = act("en", "on bees\n")
    assert metadata_block(text).query == text[:FALLBACK].rstrip()


def test_a_line_beyond_the_window_is_not_seen() -> None:
    text = act("en", "on rules for bees " * 100 + "\n")
    assert metadata_block(text).query == text[:FALLBACK].rstrip()
    assert text.index("THE COMMISSION") > WINDOW


def test_the_line_of_the_first_four_words_does_not_count() -> None:
    text = "REGULATION (EU) 2016/679 OF THE EUROPEAN PARLIAMENT\n" + LONG + "THE COUNCIL\nof " + "x " * 500
    assert metadata_block(text).query.endswith("bees")


def test_only_the_first_page_with_text_counts() -> None:
    first = "  \n" + "A cover of one page. " * 12
    text = first + act("en")
    assert metadata_block(text, [0, 2, len(first)]).query == first.strip()
    assert metadata_block(text, [0, 2, len(first)]).end == len(first) - 1


def test_nothing_comes_of_nothing() -> None:
    assert metadata_block("") == ("", 0)
    assert metadata_block(" \n ", [0, 1]).query == ""


def _as_published(text: str) -> str:
    """The published rule, with its own regular expression."""
    head = text[:WINDOW]
    words = list(re.finditer(r"\S+", text))
    start = min(words[3].end(), len(head)) if len(words) > 3 else 0
    found = re.compile(r"^(?:.*?\b[A-Z]{2,}\b.*?){2,}$", re.M).search(head, start)
    candidate = head[: found.start()].strip() if found else ""
    return candidate if len(candidate) >= SHORTEST else text[:FALLBACK].strip()


words = st.sampled_from(["THE", "EU", "a", "bee", "É", "EUROPÉEN", "\n", "12", "x" * 40, "UE,", "Ab", "E\u0301C"])


@given(st.lists(words, max_size=60).map(" ".join).map(str.lstrip))
def test_ascii_blocks_are_the_published_ones(text: str) -> None:
    assert metadata_block(text).query == _as_published(text)


@given(st.text(), st.sampled_from(["ascii", "unicode"]), st.lists(st.integers(0, 30)).map(sorted))
def test_a_block_is_a_slice_after_white_space(text: str, variant: str, pages: list[int]) -> None:
    block = metadata_block(text, pages, variant)  # type: ignore[arg-type]
    assert text[block.end - len(block.query) : block.end] == block.query
    assert block.query == block.query.strip()
