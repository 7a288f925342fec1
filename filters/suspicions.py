"""Places of an extracted text that look wrong, found without a reference: what a person should look at first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import regex

from filters.words import words

Kind = Literal["unreadable", "letters", "split", "glued", "hyphen", "edge"]
"""unreadable: characters that stand for no letter. letters: a word spaced out letter by letter. split: a word in two,
which the document writes as one elsewhere. glued: a run of letters too long for a word. hyphen: a word still cut as at
a line's end. edge: a page's first or last line that other pages start or end with too.
"""

MAX_SPOTS = 20_000
"""Places of one kind that are reported of a document."""
_UNREADABLE = regex.compile(
    r"(?:\(cid:\d{1,6}\)|[\ufffd\ufffe\uffff\p{Co}\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]|[ÃÂ][\u0080-\u00bf]|â€)+"
)
_LETTERS = regex.compile(r"(?<![\p{L}\p{M}\p{N}])\p{L}(?: \p{L}(?![\p{L}\p{M}\p{N}])){3,}+")
# Addresses run on, too.
_GLUED = regex.compile(r"(?<![\p{L}/.@_-])\p{L}{36,}+")
# `Ein- und Ausfuhr`, `pre- and postwar`: what a short word follows is a hyphen that the author set.
_HYPHEN = regex.compile(r"(?<=\p{L})[-\u2010\u00ac][ \t]*+\n?[ \t]*+(?<=\s)(?=\p{Ll}{5})")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_DIGITS = re.compile(r"\d+")
_EDGE_PAGES = 3
_WINDOW = 2_000
"""Characters at either end of a page in which its first and last lines are looked for."""


class Spot(NamedTuple):
    """A place that looks wrong: `text[start:end]`."""

    kind: Kind
    start: int
    end: int


def spots(text: str, starts: Sequence[int] = ()) -> list[Spot]:
    """Places that look wrong, by place, none overlapping; page i is `text[starts[i]:starts[i + 1]]`."""
    found: list[Spot] = []
    patterns: tuple[tuple[Kind, regex.Pattern[str]], ...] = (
        ("unreadable", _UNREADABLE), ("letters", _LETTERS), ("glued", _GLUED), ("hyphen", _HYPHEN)
    )  # fmt: skip
    for kind, pattern in patterns:
        for count, match in enumerate(pattern.finditer(text)):
            if count == MAX_SPOTS:
                break
            if kind != "glued" or len(words(match[0])) == 1:
                found.append(Spot(kind, match.start(), match.end()))
    found += list(_split(text))
    found += list(_edges(text, starts))
    kept: list[Spot] = []
    for spot in sorted(found, key=lambda spot: (spot.start, -spot.end)):
        if not kept or spot.start >= kept[-1].end:
            kept.append(spot)
    return kept


def _split(text: str) -> Iterator[Spot]:
    """Two words in a row that the document writes as one elsewhere, one of which it has nowhere else."""
    counts = Counter(match[0].casefold() for match in _WORD.finditer(text))
    found = 0
    for left, right in pairwise(_WORD.finditer(text)):
        if text[left.end() : right.start()] != " " or found == MAX_SPOTS:
            continue
        a, b = left[0].casefold(), right[0].casefold()
        if len(a) + len(b) >= 5 and min(counts[a], counts[b]) == 1 and counts[a + b] >= 2:
            found += 1
            yield Spot("split", left.start(), right.end())


def _edges(text: str, starts: Sequence[int]) -> Iterator[Spot]:
    """First and last lines of pages which, digits apart, other pages have as well."""
    ends = [*starts[1:], len(text)]
    lines = [list(_edge_lines(text, start, end)) for start, end in zip(starts, ends, strict=False)]
    pages = Counter(shape for page in lines for shape in {shape for _, _, shape in page})
    for page in lines[:MAX_SPOTS]:
        for start, end, shape in page:
            if pages[shape] >= _EDGE_PAGES:
                yield Spot("edge", start, end)


def _edge_lines(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    top, bottom = text[start : min(end, start + _WINDOW)], text[max(start, end - _WINDOW) : end]
    first = top.lstrip().partition("\n")[0]
    last = bottom.rstrip().rpartition("\n")[2]
    at = start + len(top) - len(top.lstrip())
    if first.strip():
        yield at, at + len(first), _DIGITS.sub("0", first.strip())
    at = end - len(bottom) + len(bottom.rstrip()) - len(last)
    if last.strip() and at > start + len(first):
        yield at, at + len(last), _DIGITS.sub("0", last.strip())
