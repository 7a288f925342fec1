"""Lines of pages to reading order: columns that were drawn row by row, initials, footnotes under their page's text.

A file draws its text in an order that is nearly always the reading order; only what contradicts it is moved.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from extractors.pdf_page import Line

NOTE_SIZE = 0.93
"""Type of a footnote, at most, as a share of the body's."""
COLUMN_WORDS = 3
"""Words that a line has on average, at least, where it is a column's and not a table cell's."""

MAX_COLUMNS = 6
"""Columns that are looked for."""
MAX_ASIDE = 120
"""Lines that may interrupt a sentence."""
MAX_TRIES = 200
"""Small lines of a page that are tried as the first of its notes: each try looks at all lines."""
SAME = 20
"""Equal lines before a line that it may be printed over."""

_NOTE = re.compile(r"(?:\(?\d{1,3}\)?|\(?[*†‡§]{1,3}\)?)(?!\d)[\s.)]*[\"'«»“„‘(\[]?\s?[^\W\d_]|\(\*+\d*\)")
_INITIAL = re.compile("[^\\W\\d_]['’]?")
_LEADER = re.compile(r"[\s._·…]+")
_BIBLIOGRAPHY = 0.6
"""Share of a page's lines that cannot all be footnotes."""


@dataclass(slots=True)
class Page:
    """A page's lines in reading order."""

    body: list[Line]
    notes: list[Line] = field(default_factory=list)
    aside: frozenset[int] = frozenset()
    """Numbers of the lines of `body` that interrupt a sentence: captions, headings of a figure, boxes."""


def arrange(lines: list[Line]) -> list[Line]:
    """A page's lines in reading order, as whole rows: columns one after the other, initials at their words.

    Dotted leaders that stand alone are left out.
    """
    lines = [line for line in _once(lines) if not _LEADER.fullmatch(line.text)]
    return _rows(_with_initials(_by_columns(_turned(lines))))


def is_turned(line: Line) -> bool:
    """Whether a line runs up or down the page."""
    return bool(line.size) and len(line.text) > 2 and line.top - line.bottom > 1.5 * (line.right - line.left)


def _turned(lines: list[Line]) -> list[Line]:
    """Words that run up or down the page, of which PDFium makes a line each, as one line."""
    out: list[Line] = []
    for line in lines:
        before = out[-1] if out else None
        if before is not None and is_turned(before) and _goes_on(before, line):
            out[-1] = _merged(before, line)
        else:
            out.append(line)
    return out


def _goes_on(line: Line, then: Line) -> bool:
    """Whether `then` stands above or below a turned line, in its width."""
    wide = line.right - line.left
    beside = min(line.right, then.right) - max(line.left, then.left)
    apart = max(then.bottom - line.top, line.bottom - then.top)
    return bool(then.size) and beside > 0.5 * wide and then.right - then.left < 1.5 * wide and apart < 2 * wide


def _merged(line: Line, then: Line) -> Line:
    """Two lines as one, with a space between them."""
    shift = len(line.text) + 1
    return replace(
        line,
        text=f"{line.text} {then.text}",
        left=min(line.left, then.left),
        right=max(line.right, then.right),
        bottom=min(line.bottom, then.bottom),
        top=max(line.top, then.top),
        size=max(line.size, then.size),
        marks=(*line.marks, *((a + shift, b + shift) for a, b in then.marks)),
    )


def columns(lines: list[Line]) -> int:
    """Columns of text side by side: lines of several words that start to the right of others at their height."""
    body = [line for line in lines if line.size and line.text.count(" ") >= COLUMN_WORDS]
    edges = Counter(round(line.left / 12) for line in body)
    usual = sorted(edge for edge, count in edges.items() if count >= 5 and 8 * count > len(body))
    found = 0
    end = float("-inf")
    for edge in usual:
        own = [line for line in body if abs(line.left - 12 * edge) <= 12]
        if 12 * edge >= end - 12:
            found += 1
        end = max(end, sorted(line.right for line in own)[len(own) // 2])
    return max(1, found)


def body_size(pages: Iterable[list[Line]]) -> float:
    """Height of the type that most characters of a document are set in; 0 where no place is known."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[round(2 * line.size) / 2] += len(line.text)
    sizes.pop(0.0, None)
    return max(sizes, key=lambda size: (sizes[size], size), default=0.0)


def split_notes(lines: list[Line], size: float, open_note: bool = False) -> Page:
    """A page's text, and the footnotes at the foot of its columns.

    Notes are set smaller than the body (`size`), begin with a mark and have nothing of the body below them.
    `open_note`: the page before ended within a note, so that this page's may begin without a mark.
    """
    small = [bool(line.size) and line.size <= NOTE_SIZE * size for line in lines]
    notes: set[int] = set()
    tries = 0
    for first in range(len(lines)):
        # A row of a table may begin with a number, too.
        if first in notes or not small[first] or lines[first].cells > 2 or not _NOTE.match(lines[first].text):
            continue
        tries += 1
        if tries > MAX_TRIES:
            break
        found = _note_block(lines, small, first)
        if found:
            notes.update(found)
    if open_note and not notes:
        notes = _tail(lines, small)
    if not notes or len(notes) > _BIBLIOGRAPHY * len(lines):
        return Page(lines)
    body = [line for i, line in enumerate(lines) if i not in notes]
    return Page(body, [lines[i] for i in sorted(notes)])


def set_aside(pages: list[Page], size: float) -> None:
    """Mark the lines that interrupt a sentence of the body, which goes on after them in its own type."""
    before: Line | None = None
    between: list[tuple[Page, int]] = []
    for page in pages:
        for i, line in enumerate(page.body):
            if not line.size or abs(line.size - size) > 0.05 * size:
                between.append((page, i))
                continue
            if before is not None and between and len(between) <= MAX_ASIDE and _interrupted(before, between, line):
                for other, j in between:
                    other.aside |= {j}
            between = []
            before = line


def _interrupted(line: Line, between: list[tuple[Page, int]], then: Line) -> bool:
    page, first = between[0]
    unfinished = line.text[-1].islower() or line.text[-1] in ",-\ufffe\xad"
    return unfinished and then.text[0].islower() and not page.body[first].text[0].islower()


def _note_block(lines: list[Line], small: list[bool], first: int) -> set[int]:
    """The lines from `first` on that are one run of small type with no body text under it in its column."""
    last = first
    while last + 1 < len(lines) and small[last + 1] and lines[last + 1].top <= lines[last].top + 1:
        last += 1
    block = lines[first : last + 1]
    left, right, bottom = min(b.left for b in block), max(b.right for b in block), min(b.bottom for b in block)
    top = max(b.top for b in block)
    own = range(first, last + 1)
    for i, line in enumerate(lines):
        beside = line.left < right and line.right > left
        if i not in own and beside and not small[i] and line.top < top and line.bottom < bottom + line.size:
            return set()
    above = any(
        not small[i] and line.bottom >= top - 2 and line.left < right and line.right > left
        for i, line in enumerate(lines)
    )
    return set(own) if above else set()


def _tail(lines: list[Line], small: list[bool]) -> set[int]:
    """The last lines where they are small and stand apart under the body."""
    first = len(lines)
    while first > 0 and small[first - 1]:
        first -= 1
    if 0 < first < len(lines) and lines[first - 1].bottom - lines[first].top > 0.3 * lines[first].size:
        return set(range(first, len(lines)))
    return set()


def _once(lines: list[Line]) -> list[Line]:
    """Without lines that are printed twice in one place, which is how some programs make bold type."""
    seen: dict[str, list[Line]] = defaultdict(list)
    kept = []
    for line in lines:
        near = 0.3 * line.size
        again = line.size and any(
            abs(line.left - other.left) < near and abs(line.bottom - other.bottom) < near
            for other in seen[line.text][-SAME:]
        )
        if not again:
            seen[line.text].append(line)
            kept.append(line)
    return kept


def _level(a: Line, b: Line) -> bool:
    """Whether two lines stand at one height."""
    return min(a.top, b.top) - max(a.bottom, b.bottom) > 0.5 * min(a.top - a.bottom, b.top - b.bottom)


def _by_columns(lines: list[Line], most: int = MAX_COLUMNS) -> list[Line]:
    """Columns one after the other, at most so many, where the file draws them row by row."""
    gutter = _gutter(lines) if most > 1 else None
    if gutter is None:
        return lines
    out: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in lines:
        if line.right <= gutter + 2:
            left.append(line)
        elif line.left >= gutter - 2:
            right.append(line)
        else:
            out += [*left, *_by_columns(right, most - 1), line]
            left, right = [], []
    return [*out, *left, *_by_columns(right, most - 1)]


def _gutter(lines: list[Line]) -> float | None:
    """The x between two columns whose lines the file draws in turns."""
    turns = [
        (a, b)
        for a, b in pairwise(lines)
        if a.size and b.size and b.left > a.right and _level(a, b)
        and a.text.count(" ") >= COLUMN_WORDS and b.text.count(" ") >= COLUMN_WORDS
    ]  # fmt: skip
    if len(turns) < 4:
        return None
    # Of three columns, the first is parted from the others before these are.
    high = min(b.left for _, b in turns)
    low = max(a.right for a, _ in turns if a.left < high - 2)
    if low > high:
        return None
    gutter = (low + high) / 2
    crossing = sum(1 for line in lines if line.left < gutter - 2 and line.right > gutter + 2)
    return gutter if crossing <= len(turns) else None


def _rows(lines: list[Line]) -> list[Line]:
    """Cells that the file draws one after the other at one height, as one line; columns of text stay apart."""
    out: list[Line] = []
    for line in lines:
        before = out[-1] if out else None
        if before is None or not line.size or not before.size or line.left < before.right or not _level(before, line):
            out.append(line)
            continue
        wordy = before.text.count(" ") >= COLUMN_WORDS and line.text.count(" ") >= COLUMN_WORDS
        if wordy or before.text[-1] in "\ufffe\xad":
            out.append(line)
            continue
        out[-1] = replace(_merged(before, line), cells=before.cells + line.cells)
    return out


def _with_initials(lines: list[Line]) -> list[Line]:
    """Large initials put before the line that they begin."""
    out = list(lines)
    initials = [line for line in lines if _INITIAL.fullmatch(line.text) and line.text[0].isupper()]
    for initial in initials[:MAX_TRIES]:
        begins = [
            (i, line)
            for i, line in enumerate(out)
            if line.size
            and initial.size > 1.8 * line.size
            and -0.5 * line.size <= line.left - initial.right <= 2.5 * line.size
            and line.top > initial.bottom
            and line.bottom < initial.top
        ]
        if not begins:
            continue
        i, line = max(begins, key=lambda found: found[1].top)
        text = initial.text + line.text
        shift = len(initial.text)
        moved = tuple((a + shift, b + shift) for a, b in line.marks)
        out[i] = replace(line, text=text, left=initial.left, marks=moved)
        out = [other for other in out if other is not initial]
    return out
