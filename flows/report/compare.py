"""A document taken apart for the report: its pages, what is marked on each, and which pages are worst."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple, get_args

from filters.differences import Kind, differences
from filters.suspicions import spots
from filters.words import words

DIFFERENCES = get_args(Kind)
MAX_COMPARED = 2_000_000
"""Characters of a text and of its reference that are compared."""
_PART = 4_000
"""Characters of a part, where a text has no pages."""
_ABSENT = 0.9
"""Share of a page's words that the reference has nowhere, from which on it has not the page at all."""


class Mark(NamedTuple):
    """Something to show in a text: a difference, or a place that looks wrong."""

    kind: str
    start: int
    end: int
    size: int
    """Words, or 1 for a place."""
    reference: str
    """What the reference has here."""
    place: int
    """The character whose page and line it belongs to."""


@dataclass
class Page:
    """A page of a document, or a part of a text without pages."""

    number: int
    start: int
    end: int
    facts: Mapping[str, Any]
    """Its row of `pages`."""
    marks: list[Mark] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[Mapping[str, int]] = field(default_factory=list)
    """Its rows of `line_boxes`, by start."""
    absent: bool = False
    """The reference has nothing of it."""


def marks(text: str, reference: str | None, starts: Sequence[int]) -> list[Mark]:
    """The differences from the reference; without one, the places that look wrong. By place."""
    if reference is None:
        found = spots(text[:MAX_COMPARED], starts)
        return [Mark(spot.kind, spot.start, spot.end, 1, "", spot.start) for spot in found]
    reference = reference[:MAX_COMPARED]
    listed = []
    for kind, start, end, there, there_end, size in differences(text[:MAX_COMPARED], reference):
        # What is missing after a word belongs to that word's line, though it stands where the next may start.
        after_word = start == end > 0 and not text[start - 1].isspace()
        listed.append(Mark(kind, start, end, size, reference[there:there_end], start - after_word))
    return listed


def take_apart(
    text: str, starts: Sequence[int], facts: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, int]],
    found: Sequence[Mark],
) -> list[Page]:  # fmt: skip
    """The pages of a document with what is marked on them."""
    starts = [min(start, len(text)) for start in accumulate(starts, max, initial=0)][1:] or _parts(text)
    ends = [*starts[1:], len(text)]
    by_number = {row["page"]: row for row in facts}
    pages = [
        Page(number, start, end, by_number.get(number, {}))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    ]
    for mark in found:
        index = max(0, bisect_right(starts, mark.place) - 1)
        for page, part in _by_page(mark, pages, index, text):
            page.marks.append(part)
            if mark.kind != "elsewhere":  # counted where it stands
                page.counts[mark.kind] += part.size
    ordered = sorted((line for line in lines if None not in line.values()), key=lambda line: line["start"])
    line_starts = [line["start"] for line in ordered]
    for page in pages:
        page.lines = ordered[bisect_left(line_starts, page.start) : bisect_left(line_starts, page.end)]
        known = len(words(text[page.start : page.end])) if page.counts["added"] else 0
        page.absent = known > 0 and page.counts["added"] > _ABSENT * known > 9 * page.counts["lost"]
    return pages


def _by_page(mark: Mark, pages: Sequence[Page], index: int, text: str) -> Iterator[tuple[Page, Mark]]:
    """A mark cut where a page ends."""
    if mark.end <= pages[index].end:
        yield pages[index], mark
        return
    at = mark.start
    while at < mark.end and index < len(pages):
        end = min(mark.end, pages[index].end)
        if end > at:
            size = len(words(text[at:end])) if mark.size > 1 else 1
            yield pages[index], mark._replace(start=at, end=end, size=size, place=at)
            at = end
        index += 1


def _parts(text: str) -> list[int]:
    """Starts of parts that end with a line."""
    starts, at = [0], 0
    while (at := text.find("\n", at + _PART) + 1) and at < len(text):
        starts.append(at)
    return starts


def worst(pages: Sequence[Page], referenced: bool, most: int) -> list[Page]:
    """The worst pages first: by what is marked where there is a reference, else by the prediction and then by marks.

    What a reference leaves out says nothing about the text, so pages that it has not are last.
    """

    def badness(page: Page) -> tuple[float, ...]:
        known = [page.facts[name] for name in ("predicted_lcs", "predicted_order") if page.facts.get(name) is not None]
        expected = 0.0 if referenced else 1 - min(known, default=1)
        return (not page.absent, expected, page.counts.total())

    return sorted(pages, key=badness, reverse=True)[:most]
