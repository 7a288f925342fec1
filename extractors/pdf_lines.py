"""Printed lines to text: words joined over line ends, lines to paragraphs over columns and pages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from extractors.pdf_layout import Page
from extractors.pdf_page import Line
from extractors.pdf_words import BREAK_BEFORE, FIRST_WORD, HYPHENS, Vocabulary

NEIGHBOURS = 4
"""Lines on either side that show how wide a line's column is."""

Places = list[tuple[int, int, int, int, int, int]]
"""Start in the text, page, left, bottom, right, top of each line, as in `Extract.lines`."""

_LEFTWARD = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
_BREAKS = ("\xad", "\ufffe")
_ITEM = re.compile(r"[•·▪■●◦‣–—\uf0a7\uf0b7-]\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)°]\s|[§(]\s?\d")
_SPACELESS = re.compile(r"[\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u3400-\u9fff\uff01-\uff5e]")
_ATTACHED = re.compile(r"[,.)\]](?:\s|$)")
_TERMINAL = tuple('.!?:;…»”"。！？')
_NOTE_START = re.compile(r"(?:\(?\d{1,3}\)?|\(?[*†‡§]{1,3}\)?)(?!\d)[\s.)]*\S")


class Joined(NamedTuple):
    """A document's text, and where its parts are."""

    text: str
    page_offsets: list[int]
    """Characters before each page's text."""
    lines: Places
    marks: list[tuple[int, int]]
    """Start and end of each note mark."""


def join_lines(pages: list[Page], vocabulary: Vocabulary) -> Joined:
    """Text with one paragraph a line.

    A word broken between two pages belongs to the first of them. Footnotes follow the paragraph in which their
    page ends.
    """
    writer = _Writer(vocabulary)
    for number, page in enumerate(pages):
        writer.offsets.append(-1)
        for i, (line, width) in enumerate(zip(page.body, _widths(page.body), strict=True)):
            if i not in page.aside:
                writer.add(line, number, width)
        for lines in ([page.body[i] for i in sorted(page.aside)], page.notes):
            if lines:
                writer.notes.append((number, lines))
    return writer.finish()


class _Writer:
    """Text being put together: what is finished, and the line that may go on."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.out: list[str] = []
        self.length = 0
        self.pending: str = ""
        self.before: tuple[Line, int, tuple[float, float]] | None = None
        self.offsets: list[int] = []
        self.places: Places = []
        self.marks: list[tuple[int, int]] = []
        self.notes: list[tuple[int, list[Line]]] = []

    def add(self, line: Line, page: int, column: tuple[float, float]) -> None:
        if self.before is not None:
            new_page = self.before[1] != page
            done, self.pending = _seam(self.pending, line.text, *self.before, line, column, self.vocabulary, new_page)
            self._write(done)
            if done.endswith("\n"):
                self._write_notes()
        else:
            self.pending = line.text
        self._place(line, page, self.pending)
        self.before = (line, page, column)

    def finish(self) -> Joined:
        if self.pending:
            self._write(_finished(self.pending))
            self.pending = ""
        if any(lines for _, lines in self.notes):
            if self.out:
                self._write("\n")
            self._write_notes()
        text = "".join(self.out).rstrip("\n")
        known = len(text)
        for page in reversed(range(len(self.offsets))):
            known = self.offsets[page] = self.offsets[page] if self.offsets[page] >= 0 else known
        return Joined(text, self.offsets, self.places, [mark for mark in self.marks if mark[1] <= len(text)])

    def _write(self, text: str) -> None:
        if text:
            self.out.append(text)
            self.length += len(text)

    def _place(self, line: Line, page: int, written: str, note: bool = False) -> None:
        """Note where a line is; `written` is what of it follows, with the part of a word that it ends."""
        # A line that is only the end of a word of the page before belongs to that page.
        ends_word = not note and self.before is not None and self.before[1] != page and len(written) > len(line.text)
        if self.offsets[page] < 0 and not note and not ends_word:
            self.offsets[page] = self.length
        box = (line.left, line.bottom, line.right, line.top)
        if line.size:
            left, bottom, right, top = (round(max(-32768.0, min(32767.0, side))) for side in box)
            start = self.length + (len(written) - len(line.text) if ends_word else 0)
            self.places.append((start, page, left, bottom, right, top))
        shift = self.length + len(written) - len(line.text)
        self.marks += [(a + shift, b + shift) for a, b in line.marks if a + shift >= self.length]

    def _write_notes(self) -> None:
        """The notes of the pages whose text has ended, one a line."""
        ready, self.notes = self.notes, []
        for page, lines in ready:
            pending = ""
            before = None
            for line, column in zip(lines, _widths(lines), strict=True):
                if before is not None:
                    fresh = bool(_NOTE_START.match(line.text)) and before[0].text[-1] not in HYPHENS
                    if fresh and line.left <= column[0] + 1.5 * line.size:
                        done, pending = _finished(pending) + "\n", line.text
                    else:
                        done, pending = _seam(pending, line.text, *before, line, column, self.vocabulary, False, True)
                    self._write(done)
                else:
                    pending = line.text
                self._place(line, page, pending, note=True)
                before = (line, page, column)
            if pending:
                self._write(_finished(pending) + "\n")


def _widths(lines: list[Line]) -> list[tuple[float, float]]:
    """Left and right edge of the column around each line: of the near lines that stand above or below it."""
    found = []
    for i, line in enumerate(lines):
        near = [
            other
            for other in lines[max(0, i - NEIGHBOURS) : i + NEIGHBOURS + 1]
            if other.left < line.right and other.right > line.left
        ]
        alone = len(near) == 1
        right = max((other.right for other in near), default=line.right)
        left = min((other.left for other in near), default=line.left)
        found.append((left, 2 * right - left if alone else right))
    return found


def _seam(
    text: str, following: str, line: Line, page: int, column: tuple[float, float], then: Line,
    then_column: tuple[float, float], vocabulary: Vocabulary, new_page: bool, one: bool = False,
) -> tuple[str, str]:  # fmt: skip
    """What of `text`, the end of `line`, is finished, with its separator, and what is still open, before `following`.

    `one`: both are known to be of one paragraph.
    """
    if not text:
        return "", following
    if text[-1] in HYPHENS and len(text) > 1 and text[-2].isalnum() and following[0].isalnum():
        stem = _stem(text, following, vocabulary)
        if not new_page or stem.endswith(" "):
            return stem, following
        fragment, _, rest = following.partition(" ")
        return (f"{stem}{fragment} ", rest) if rest else ("", stem + fragment)
    text = _finished(text)
    if not one and _ends_paragraph(line, column, then, then_column, new_page):
        return text + "\n", following
    attached = _ATTACHED.match(following) or (_SPACELESS.match(text[-1]) and _SPACELESS.match(following))
    return (text if attached and not new_page else text + " "), following


def _stem(line: str, following: str, vocabulary: Vocabulary) -> str:
    """The line without its last hyphen, or with a plain one where that belongs to the word or stands for one."""
    left, right = BREAK_BEFORE.search(line), FIRST_WORD.match(following)
    if left and vocabulary.suspends(left[1], line[-1], following):
        return _finished(line) + " "
    if left and right and vocabulary.joins(left[1], line[-1], right[0]):
        return line[:-1]
    return _finished(line)


def _finished(line: str) -> str:
    return line[:-1] + "-" if line.endswith(_BREAKS) else line


def _ends_paragraph(
    line: Line, column: tuple[float, float], then: Line, then_column: tuple[float, float], new_page: bool
) -> bool:
    """Whether `then` begins a paragraph: what the words say first, then the place."""
    if max(line.cells, then.cells) > 2 or line.cells == then.cells == 2:
        return True
    item = bool(_ITEM.match(then.text))
    if not item and (then.text[0].islower() or then.text[0] in ",.;:)]"):
        return False
    if _LEFTWARD.search(line.text):
        column, then_column = (-column[1], -column[0]), (-then_column[1], -then_column[0])
        line = replace(line, left=-line.right, right=-line.left)
        then = replace(then, left=-then.right, right=-then.left)
    width = max(1.0, column[1] - column[0])
    slack, inset = (column[1] - line.right) / width, (line.left - column[0]) / width
    if line.right - line.left < 0.6 * width or (slack > 0.1 and abs(slack - inset) < 0.05):
        return True
    ends = line.text.endswith(_TERMINAL)
    size = max(line.size, then.size)
    if line.size and then.size:
        if abs(line.size - then.size) > 0.12 * size:
            return True
        below = line.bottom - then.bottom
        if not new_page and below > 0:
            if below > 2.2 * size:
                return True
            indent = then.left - then_column[0]
            if 0.7 * size < indent < 5 * size and line.left - column[0] < 0.3 * size and (ends or slack > 0.03):
                return True
    return ends and (item or slack > 0.1)
