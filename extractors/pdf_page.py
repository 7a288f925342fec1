"""A page as PDFium sees it: printed lines with their boxes, from the ends of words alone.

Asking PDFium for every character's box would cost more than reading the page; two characters a word say the same.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractors.pdf_glyphs import BREAK, Boxes, boxes_of, characters, inside, last_of, upright, words_of

MAX_CHARS = 1_000_000
"""Characters of a page whose places are asked for: beyond, lines have none."""
BAD_SHARE = 0.02
"""Share of a page's characters that are controls from which on they stand for letters."""
GUTTER = 4
"""Lines with a wide gap in one place, at least, that is a gutter between columns."""
MAX_GUTTERS = 5


_LEFTWARD = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
_CONTROLS = re.compile("[\x01\x03-\x08\x0e-\x1f]")
_MARK = re.compile(r"\(?\d{1,3}\)?(?:,\d{1,3})*|[*†‡§]{1,3}|\d{1,3}\*")
_MARK_AT_END = re.compile(
    r"(?<=[^\W\d_])\d{1,3}(?:,\d{1,3})*$|(?<=[.,;:!?»”’)\]])\d{1,3}(?:,\d{1,3})*$|(?<=\w)[*†‡]{1,3}$|(?<=\w)\(\d{1,3}\)$"
)
_MARK_AT_START = re.compile(r"\d{1,3}(?=[^\W\d_«“(])")

_SPREAD = re.compile(r"(?<!\S)(?:[^\W\d_]['’]? ){4}[^\W\d_]\W?(?!\S)")
_LETTER = re.compile(r".\W?")

_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_DROPPED = dict.fromkeys((*range(9), *range(0x0E, 0x20), 0x7F, *range(0xD800, 0xE000)))
# What is no character in Latin-1 is Windows-1252 that nobody declared, as in web pages.
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") or " " for code in range(0x80, 0xA0)}
# Dashes, bullets and arrows of symbol fonts, which have their own places in Unicode: Adobe's Symbol, Microsoft's.
_SYMBOLS = {0xF8E7: "—", 0xF02D: "–", 0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "‣", 0xF0FC: "✓", 0xF0E0: "→"}
_CLEAN: dict[int, str | None] = {0xFEFF: None, 0xFFFF: None, 0x02: BREAK} | _DROPPED | _WINDOWS | _LIGATURES | _SYMBOLS
_BREAKS = ("\xad", BREAK)


@dataclass(slots=True)
class Line:
    """A printed line, or the part of one that stands in a column."""

    text: str
    """NFC, ligatures spelled out, no controls, single spaces; U+FFFE or U+00AD at the end where a word breaks."""
    left: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    top: float = 0.0
    size: float = 0.0
    """Height of its type in points, from the font's ascent to its descent; 0 where its place is unknown."""
    marks: tuple[tuple[int, int], ...] = ()
    """Where note marks stand in `text`: digits and signs above the line."""
    cells: int = 1
    """Parts far apart that it is made of: the cells of a table's row."""


class Word(NamedTuple):
    """A word of a page as PDFium gives it, with its box."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


def read_page(page: Any) -> tuple[list[Line], Callable[[], list[Word]]]:
    """The lines of a `pypdfium2.PdfPage` in the order of its content, and its words when they are asked for.

    What is cropped away is left out.

    Raises pypdfium2.PdfiumError.
    """
    with closing(page.get_textpage()) as layer:
        count = layer.count_chars()
        if not count:
            return [], list
        text = layer.get_text_range()
        handle = ctypes.cast(layer.raw, ctypes.c_void_p).value
        if len(text) != count:
            text = characters(handle, count)
        # Codes of a font without a map: the page is not to look sound without them.
        if len(_CONTROLS.findall(text)) > BAD_SHARE * count:
            text = _CONTROLS.sub("\ufffd", text)
        if count > MAX_CHARS:
            return plain_lines(text), list
        starts, ends, line_ends = words_of(text)
        if not len(starts):
            return [], list
        boxes = [upright(boxes_of(handle, places), page) for places in (starts, last_of(text, starts, ends))]
    left, right = np.minimum(boxes[0][:, 0], boxes[1][:, 0]), np.maximum(boxes[0][:, 2], boxes[1][:, 2])
    bottom, top = np.minimum(boxes[0][:, 1], boxes[1][:, 1]), np.maximum(boxes[0][:, 3], boxes[1][:, 3])
    shown = inside(page, left, bottom, right, top)
    words = list(zip(starts.tolist(), ends.tolist(), strict=True))
    line = np.searchsorted(line_ends, starts)
    found = _Words(text, words, line, left, bottom, right, top, boxes, shown)
    return found.lines(), found.all


def plain_lines(text: str) -> list[Line]:
    """Lines of a text without places, as wide as they have characters."""
    lines = map(clean, text.replace("\x02", BREAK).replace(BREAK, BREAK + "\n").splitlines())
    return [Line(line, right=5.0 * len(line)) for line in lines if line]


def clean(line: str) -> str:
    """A line as `Line.text` has it."""
    if not line.isascii() or not line.isprintable():
        line = unicodedata.normalize("NFC", line.translate(_CLEAN)).rstrip()
        mark = line[-1:] if line.endswith(_BREAKS) and line[-2:-1].isalnum() else ""
        body = line.removesuffix(mark).replace("\xad", "").replace(BREAK, "-")
        return unicodedata.normalize("NFC", " ".join(body.split())) + mark
    return " ".join(line.split())


def _gutters(wide: Any, left: Any, right: Any) -> Any:
    """Which of the wide gaps in lines, from `left` to `right`, stand over one another: columns drawn row by row."""
    found = np.zeros_like(wide)
    for _ in range(MAX_GUTTERS):
        middle = np.sort((left + right)[wide])
        if len(middle) < GUTTER:
            break
        x = middle[len(middle) // 2] / 2
        through = wide & (left < x) & (right > x)
        if through.sum() >= GUTTER:
            found |= through
        wide = wide & ~through
    return found


class _Words:
    """The words of a page, on their way to lines."""

    def __init__(
        self, text: str, words: list[tuple[int, int]], line: Any, left: Any, bottom: Any, right: Any, top: Any,
        boxes: list[Boxes], shown: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self.text, self.words = text, words
        self.left, self.bottom, self.right, self.top = (a.tolist() for a in (left, bottom, right, top))
        high = top - bottom
        size = np.maximum(high, 0.1)
        gap = left[1:] - right[:-1]
        if _LEFTWARD.search(text):
            leftward = np.array([_LEFTWARD.search(text, *word) is not None for word in words])
            either = leftward[1:] | leftward[:-1]
            gap = np.where(either, np.maximum(gap, left[:-1] - right[1:]), gap)
        small_one = np.minimum(size[1:], size[:-1])
        overlap = np.minimum(top[1:], top[:-1]) - np.maximum(bottom[1:], bottom[:-1])
        level = overlap > 0.5 * small_one
        # PDFium ends a line before and after a raised number, and goes on with one although the next word is elsewhere.
        goes_on = level & (gap > -0.5 * size[:-1]) & (gap < 1.2 * small_one)
        same = (line[1:] == line[:-1]) & level & (gap > -size[:-1]) & (gap < 3 * small_one)
        wide = (line[1:] == line[:-1]) & level & (gap > 1.2 * small_one)
        same &= ~_gutters(wide, right[:-1], left[1:])
        letter = np.array([end - start for start, end in words]) == 1
        initial = letter[:-1] & (size[:-1] > 1.8 * size[1:])
        for i in np.flatnonzero(initial).tolist():
            initial[i] = text[words[i][0]].isupper()
        goes_on, same = goes_on & ~initial, same & ~initial
        self.new = np.concatenate([[True], ~(goes_on | same)]).tolist()
        self.spaced = np.concatenate([[True], (line[1:] == line[:-1]) | (gap > 0.15 * small_one)]).tolist()
        for i in np.flatnonzero(goes_on & (line[1:] != line[:-1])).tolist():
            self.spaced[i + 1] = self.spaced[i + 1] or text[words[i][1]] not in "\r\n"
        starts = boxes[0][:, 3] - boxes[0][:, 1]
        ends = boxes[1][:, 3] - boxes[1][:, 1]
        near = level & (gap < 0.6 * size[:-1])
        small = (high[1:] < 0.85 * starts[:-1]) & (bottom[1:] > boxes[1][:-1, 1] + 0.12 * size[:-1])
        self.raised = np.concatenate([[False], near & small]).tolist()
        self.marked = ((ends < 0.85 * starts) & (boxes[1][:, 1] > boxes[0][:, 1] + 0.12 * starts)).tolist()
        self.opened = ((starts < 0.85 * ends) & (boxes[0][:, 1] > boxes[1][:, 1] + 0.12 * ends)).tolist()
        row = letter[:-3] & letter[1:-2] & letter[2:-1] & letter[3:]
        special = np.concatenate([row, np.zeros(len(words) - len(row), bool)])
        special |= np.array([False, *self.raised[1:]]) | self.marked | self.opened | ~shown
        unspaced = ~np.array(self.spaced) & ~np.array(self.new)
        # Counted up to each word: a line with as many before as after it has none.
        self.special = [0, *np.cumsum(special | unspaced).tolist()]
        self.high = starts.tolist()
        self.shown = shown.tolist()

    def all(self) -> list[Word]:
        boxes = zip(self.left, self.bottom, self.right, self.top, self.shown, strict=True)
        return [
            Word(clean(self.text[start:end]), left, bottom, right, top)
            for (start, end), (left, bottom, right, top, shown) in zip(self.words, boxes, strict=True)
            if shown
        ]

    def lines(self) -> list[Line]:
        begins = [i for i, new in enumerate(self.new) if new]
        found = (self._line(i, j) for i, j in pairwise([*begins, len(self.words)]))
        return [line for line in found if line is not None]

    def _line(self, first: int, last: int) -> Line | None:
        """The line of the words from `first` to before `last`; None where nothing of it is shown."""
        marks: tuple[tuple[int, int], ...] = ()
        start, end = self.words[first][0], self.words[last - 1][1]
        if self.special[last] == self.special[first]:
            # Most lines: nothing in them stands above or apart, or is hidden.
            text = clean(self.text[start:end])
            chosen: range | list[int] = range(first, last)
        else:
            chosen = [i for i in range(first, last) if self.shown[i]]
            pieces = [self.text[slice(*self.words[i])] for i in chosen]
            spread = len(pieces) >= 5 and _SPREAD.search(" ".join(pieces))
            raw = self._closed_up(chosen, pieces) if spread else self._spaced(chosen, pieces)
            text = clean(raw)
            marks = self._marks(chosen, pieces, text)
        if not text:
            return None
        if len(chosen) < last - first:
            sides = [[side[i] for i in chosen] for side in (self.left, self.bottom, self.right, self.top, self.high)]
        else:
            sides = [side[first:last] for side in (self.left, self.bottom, self.right, self.top, self.high)]
        left, bottom, right, top, high = sides
        return Line(text, min(left), min(bottom), max(right), max(top), sorted(high)[len(high) // 2], marks)

    def _spaced(self, chosen: list[int], pieces: list[str]) -> str:
        """The words with spaces between them; a note mark stands at its word, and apart from a word that follows."""
        out: list[str] = []
        for i, piece in zip(chosen, pieces, strict=True):
            if out and self.spaced[i] and not (self.raised[i] and _MARK.fullmatch(piece.rstrip(BREAK))):
                out.append(" ")
            if self.opened[i] and (mark := _MARK_AT_START.match(piece)):
                piece = f"{mark[0]} {piece[mark.end() :]}"
            out.append(piece)
        return "".join(out)

    def _closed_up(self, chosen: list[int], pieces: list[str]) -> str:
        """Letter-spaced words: a space is where the gap is wider than those between letters."""
        gaps = [self.left[b] - self.right[a] for a, b in pairwise(chosen)]
        letters = sorted(
            gap for gap, (a, b) in zip(gaps, pairwise(pieces), strict=True) if len(a) == len(b) == 1
        )  # fmt: skip
        if not letters:
            return " ".join(pieces)
        # Most gaps of a line are inside its words, even where words are short.
        usual = letters[len(letters) // 4]
        limit = max(1.5 * usual, usual + 0.12 * self.high[chosen[0]])
        if letters[0] < 0 or usual > 1.2 * self.high[chosen[0]] or 5 * bisect_right(letters, limit) < 3 * len(letters):
            return " ".join(pieces)
        return pieces[0] + "".join(
            ("" if gap <= limit and len(a) == 1 and _LETTER.fullmatch(b) else " ") + b
            for gap, (a, b) in zip(gaps, pairwise(pieces), strict=True)
        )

    def _marks(self, chosen: list[int], pieces: list[str], text: str) -> tuple[tuple[int, int], ...]:
        """Places of note marks in the line's text; found again there, since cleaning may have moved them."""
        found: list[tuple[int, int]] = []
        at = seen = 0
        solid = [place for place, sign in enumerate(text) if not sign.isspace()]
        for i, piece in zip(chosen, pieces, strict=True):
            before, seen = seen, seen + len("".join(clean(piece.rstrip("\xad\ufffe")).split()))
            if not (self.raised[i] or self.marked[i]):
                continue
            word = piece.rstrip(BREAK)
            mark = _MARK.fullmatch(word) if self.raised[i] else _MARK_AT_END.search(word)
            if not mark:
                continue
            first = before if self.raised[i] else max(before, seen - len(mark[0]))
            if first < len(solid) and (place := text.find(mark[0], max(at, solid[first]))) >= 0:
                at = place + len(mark[0])
                found.append((place, at))
        return tuple(found)
