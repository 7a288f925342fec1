"""The metadata block of an act: what stands before the institution's name, as LEMUR cuts its queries."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal, NamedTuple

import regex

Variant = Literal["ascii", "unicode"]

WINDOW, WORDS, SHORTEST, FALLBACK = 1_500, 4, 200, 400
"""Characters that are searched; words that are passed over; characters of the shortest block; of the fallback."""

_CAPITALS = {
    "ascii": re.compile(r"\b[A-Z]{2,}\b"),
    "unicode": regex.compile(r"(?<![\w\p{M}])(?:\p{Lu}\p{M}*+){2,}+(?![\w\p{M}])"),
}


class Block(NamedTuple):
    """`text[end - len(query):end]` is the query; before it is white space only."""

    query: str
    end: int


def metadata_block(text: str, page_offsets: list[int] | None = None, variant: Variant = "ascii") -> Block:
    """The block at the start of an act, for a query that asks for the rest (arXiv 2602.09570).

    Of the first 1,500 characters of the first page: what stands before the first line that begins after the first four
    words and has two words in capitals; the first 400 characters, where there is no such line or less than 200
    characters before it. White space at the ends is left out.

    Args:
        text: the whole text.
        page_offsets: characters before each page, as in the catalog; the first page with text counts. None: no pages,
            and the text's start counts.
        variant: what a capital is. `ascii`: A to Z, as LEMUR has it, so that Bulgarian and Greek always fall back.
            `unicode`: a capital of any script.

    Returns:
        The block; its query is empty when the text is.
    """
    start, limit = _first_page(text, page_offsets)
    page = text[start : min(limit, start + WINDOW)]
    cut = _before_capitals(page, _CAPITALS[variant])
    query = page[:cut].strip() if cut is not None else ""
    if len(query) < SHORTEST:
        query = page[:FALLBACK].rstrip()
    return Block(query, start + len(query))


def _first_page(text: str, page_offsets: list[int] | None) -> tuple[int, int]:
    """Where the first page that has text begins, without white space, and where it ends."""
    bounds = [0, *(page_offsets or ()), len(text)]
    for start, end in pairwise(bounds):
        page = text[start : min(end, start + WINDOW)]
        if page.strip():
            return start + len(page) - len(page.lstrip()), end
    return len(text), len(text)


def _before_capitals(page: str, capitals: regex.Pattern[str]) -> int | None:
    words = page.split(None, WORDS)
    passed = len(page[: len(page) - len(words[WORDS])].rstrip()) if len(words) > WORDS else 0
    at = page.find("\n", passed) + 1
    while at:
        end = page.find("\n", at)
        line = page[at : end if end >= 0 else len(page)]
        if len(capitals.findall(line)) > 1:
            return at
        at = end + 1
    return None
