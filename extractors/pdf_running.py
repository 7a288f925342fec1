"""Running heads, running feet and page numbers: found by coming back at the edges of near pages."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from extractors.pdf_layout import is_turned
from extractors.pdf_page import Line

EDGE = 5
"""Rows at either end of a page that may be running heads or feet."""
REACH = 4
"""Pages on either side on which a running line has to be seen again (chapters change their heads)."""
OUTER = 2
"""Rows at either end where a line that counts pages, or that keeps its place, need not come back as often."""
SHIFT = 6
"""Steps of height by which a running line may move from page to page."""
FEW = 5
"""Pages of a document whose left and right heads come back once only."""

Signature = tuple[str, ...]

_HEADING = re.compile(
    r"(ann?ex[eo]?|anhang|allegato|bijlage|bilaga?|article|art[ií]culo|artigo|artikel|articolo|chapter|chapitre"
    r"|cap[ií]tulo|capitolo|kapitel|hoofdstuk|section|secci[oó]n|sec[cç][aã]o|sezione|abschnitt|afdeling|table"
    r"|tableau|tab(?:l|el|ell)a|tabelle?|figur[ae]?|abbildung|part[ei]?|teil)\W*#",
    re.I,
)
_YEARS = range(1501, 2101)
"""Where a number alone that counts pages starts, if it is no page number: one page for each year."""

_NOTE = re.compile(r"\(?\d{1,3}\)?\s+[^\W\d_]{2}")
_NUMBER = re.compile(r"\d+")


class Place(NamedTuple):
    """Where a line stands: its page, its number there, and its row from the page's top (0 ...) and bottom (-1 ...)."""

    page: int
    line: int
    top: int
    bottom: int
    height: int
    """Height on the page in steps of 4 points; 0 where it is unknown."""


def drop_running(pages: list[list[Line]]) -> tuple[list[list[Line]], list[list[str]]]:
    """Pages without running heads, running feet and page numbers; and what was taken off each page.

    A line is running when it comes back at the edge of near pages, word for word or with a number that counts
    pages. Numbers that change in any other way (Article 5, Article 9) make it text, and so do those of headings
    (Annex 1, Annex 2) and years alone. So does a place of its own on the first page (the title which the heads
    repeat), or standing within pages more often than at an edge.
    """
    edges = [list(_edges(page, lines)) for page, lines in enumerate(pages)]
    running = _running_places(pages, edges)
    everywhere = Counter(_shape(line) for lines in pages for line in lines)
    at_edge = Counter(_shape(pages[place.page][place.line]) for place in running)
    gone = set()
    for place in running:
        shape = _shape(pages[place.page][place.line])
        # A number alone also stands in tables.
        if 2 * at_edge[shape] > everywhere[shape] or not any(map(str.isalpha, shape)):
            gone.add((place.page, place.line))
    kept = [[line for i, line in enumerate(lines) if (n, i) not in gone] for n, lines in enumerate(pages)]
    removed = [[line.text for i, line in enumerate(lines) if (n, i) in gone] for n, lines in enumerate(pages)]
    # Pages that are all alike would lose everything.
    return (kept, removed) if any(kept) else (pages, [[] for _ in pages])


def _shape(line: Line) -> str:
    return _NUMBER.sub("#", line.text)


def _running_places(pages: list[list[Line]], edges: list[list[Place]]) -> list[Place]:
    seen: dict[Signature, list[Place]] = defaultdict(list)
    for page, places in enumerate(edges):
        for place in places:
            for signature in _signatures(pages[page][place.line].text, place):
                if not seen[signature] or seen[signature][-1].page < page:
                    seen[signature].append(place)
    need = 2 if len(pages) <= 3 else 3
    return [
        place
        for page, places in enumerate(edges)
        for place in places
        if any(
            _is_running(place, seen[s], need, len(pages) <= FEW)
            for s in _signatures(pages[page][place.line].text, place)
        )
    ]


def _edges(page: int, lines: list[Line]) -> Iterator[Place]:
    """The lines of the outer rows, by height where it is known."""
    order = sorted(range(len(lines)), key=lambda i: (-(lines[i].top + lines[i].bottom), i))
    rows: list[list[int]] = []
    for i in order:
        line, above = lines[i], lines[rows[-1][0]] if rows else None
        level = above and line.size and above.bottom + above.top - line.bottom - line.top < min(line.size, above.size)
        if level:
            rows[-1].append(i)
        else:
            rows.append([i])
    for top, row in enumerate(rows):
        bottom = top - len(rows)
        if top < EDGE or bottom >= -EDGE:
            for i in row:
                if not is_turned(lines[i]):
                    yield Place(page, i, top, bottom, round(lines[i].bottom / 4) if lines[i].size else 0)
    # What runs up the margin stands at no end of the text, and never in it.
    # A page whose text runs up as a whole is a page on its side.
    turned = [i for i, line in enumerate(lines) if is_turned(line)]
    if 2 * len(turned) < len(lines):
        for i in turned:
            line = lines[i]
            yield Place(page, i, 0, -1, round(line.bottom / 4))


def _is_running(place: Place, seen: list[Place], need: int, few: bool) -> bool:
    first = bisect_left(seen, place.page - REACH, key=attrgetter("page"))
    last = bisect_right(seen, place.page + REACH, key=attrgetter("page"))
    near = [p for p in seen[first:last] if abs(p.height - place.height) <= SHIFT or not p.height or not place.height]
    outer = min(place.top, -1 - place.bottom) < OUTER
    fixed = outer and place.height and sum(abs(p.height - place.height) <= 1 for p in near) == len(near)
    if len(near) < (2 if fixed and few else need):
        return False
    if place.page > seen[0].page:
        return True
    nearer = attrgetter("top" if place.top <= -place.bottom else "bottom")
    return any(nearer(p) == nearer(place) for p in near if p is not seen[0])


def _signatures(line: str, place: Place) -> Iterator[Signature]:
    """Readings of a line that stay from page to page: as printed, one number as page + constant, or that number
    at an end of an outer line of any words at one height."""
    page = place.page
    # Longer digit strings are no page numbers, and int() refuses thousands of digits.
    numbers = [n if len(n) < 10 else "0" for n in _NUMBER.findall(line)[:12]]
    shape = _NUMBER.sub("#", line)
    wordless = not any(map(str.isalpha, line))
    heading = _HEADING.match(shape)
    # A note may be the same on several pages.
    note = place.top > -place.bottom and _NOTE.match(line)
    if not wordless and not note:
        yield (shape, *numbers)
    for i, moving in enumerate(numbers):
        if note and i > 0:
            break
        first = int(moving) - page
        if (heading and i == 0) or (wordless and len(numbers) == 1 and first in _YEARS):
            continue
        label = f"+{first}"
        yield (shape, *numbers[:i], label, *numbers[i + 1 :])
        if numbers.index(moving) == i < len(numbers) - 1:
            yield (shape, *(label if n == moving else n for n in numbers))
        # At the foot, a number first is a note's.
        begins = i == 0 and shape[0] == "#" and shape[1:2] in " |" and place.top < OUTER
        at_end = begins or (i == len(numbers) - 1 and shape[-1] == "#" and shape[-2:-1] in " |")
        if at_end and place.height and not heading and min(place.top, -1 - place.bottom) < OUTER and len(line) < 120:
            yield ("@", str(place.height), label)
