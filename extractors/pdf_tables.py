"""Ruled tables of PDF pages as Markdown: PDFium's rulings and words, put together by pdfplumber's table finder.

pdfplumber's own reading of a page takes fifty times as long as PDFium's, and sees the same lines and words.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from extractors.pdf_glyphs import call, upright
from extractors.pdf_page import Word

MAX_OBJECTS = 4_000
"""Page objects looked at for rulings; a page of line art has no end of them."""
MAX_RULINGS = 400
"""Rulings of a page, joined, in each direction: more are a drawing or a grid of squared paper."""
MAX_CROSSINGS = 1_200
"""Crossings of a page's rulings: pdfplumber's search for cells takes their square."""
THIN = 4.0
"""Points: a path at most this thick is a ruling, as is each side of a box (PDFium counts a stroke twice)."""
NEAR = 3.0
"""Points between the ends of two rulings that still meet, as in pdfplumber."""
SLOPE = 0.5
"""Points by which a line may lean and still be upright or level."""

_BREAK = re.compile("[\u2010\xad\ufffe] (?=[^\\W\\d_])")

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top."""


class Rulings(NamedTuple):
    level: list[Bounds]
    upright: list[Bounds]

    def cross(self) -> bool:
        """Whether there may be a table: three rulings each way."""
        return len(self.level) >= 3 and len(self.upright) >= 3


def rulings(page: Any) -> Rulings:
    """The level and upright lines that a `pypdfium2.PdfPage` draws, sides of boxes among them."""
    import pypdfium2.raw as pdfium

    found = Rulings([], [])
    bounds = (ctypes.c_float * 4)()
    start = ctypes.addressof(bounds)
    measure = call("FPDFPageObj_GetBounds", ctypes.c_int, *[ctypes.c_void_p] * 4)
    for path in _paths(page):
        if not measure(path, start, start + 4, start + 8, start + 12):
            continue
        left, bottom, right, top = bounds
        wide, high = right - left > THIN, top - bottom > THIN
        if wide and high:
            item = ctypes.cast(path, pdfium.FPDF_PAGEOBJECT)
            if pdfium.FPDFPath_CountSegments(item) > 5:
                _add_segments(item, found)
                continue
            found.level.extend([(left, bottom, right, bottom), (left, top, right, top)])
            found.upright.extend([(left, bottom, left, top), (right, bottom, right, top)])
        elif wide and top - bottom <= THIN:
            found.level.append((left, (bottom + top) / 2, right, (bottom + top) / 2))
        elif high and right - left <= THIN:
            found.upright.append(((left + right) / 2, bottom, (left + right) / 2, top))
    return _as_read(found, page)


def _as_read(found: Rulings, page: Any) -> Rulings:
    """Rulings on the page as it is read, as words are."""
    level, high = (
        [(a, b, c, d) for a, b, c, d in upright(np.array(bounds or np.zeros((0, 4)), np.float32), page).tolist()]
        for bounds in found
    )
    return Rulings(high, level) if page.get_rotation() in (90, 270) else Rulings(level, high)


def _add_segments(path: Any, found: Rulings) -> None:
    """The lines of one path, if they are upright and level only; a curve or a slope makes it a figure."""
    import pypdfium2.raw as pdfium

    x, y = ctypes.c_float(), ctypes.c_float()
    own = Rulings([], [])
    here: tuple[float, float] | None = None
    for i in range(min(pdfium.FPDFPath_CountSegments(path), 4 * MAX_RULINGS)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            return
        before, here = here, (x.value, y.value)
        if before is None or kind != pdfium.FPDF_SEGMENT_LINETO:
            continue
        (x0, y0), (x1, y1) = sorted((before, here))
        if abs(y1 - y0) <= SLOPE:
            own.level.append((x0, y0, x1, y0))
        elif abs(x1 - x0) <= SLOPE:
            own.upright.append((x0, min(y0, y1), x0, max(y0, y1)))
        else:
            return
    found.level.extend(own.level)
    found.upright.extend(own.upright)


def _paths(page: Any) -> Iterator[int]:
    """Addresses of the page's paths, one form deep."""
    import pypdfium2.raw as pdfium

    item = call("FPDFPage_GetObject", ctypes.c_void_p, ctypes.c_int)
    inner = call("FPDFFormObj_GetObject", ctypes.c_void_p, ctypes.c_ulong)
    kind = call("FPDFPageObj_GetType", ctypes.c_int)
    handle = ctypes.cast(page.raw, ctypes.c_void_p).value
    count = min(pdfium.FPDFPage_CountObjects(page), MAX_OBJECTS)
    left = MAX_OBJECTS
    objects = list(map(item, repeat(handle), range(count)))
    for one, what in zip(objects, map(kind, objects), strict=True):
        if what == pdfium.FPDF_PAGEOBJ_PATH:
            yield one
        elif what == pdfium.FPDF_PAGEOBJ_FORM:
            form = ctypes.cast(one, pdfium.FPDF_PAGEOBJECT)
            inside = min(max(0, pdfium.FPDFFormObj_CountObjects(form)), left)
            left -= inside
            parts = list(map(inner, repeat(one), range(inside)))
            yield from (part for part in parts if part and kind(part) == pdfium.FPDF_PAGEOBJ_PATH)


def tables(ruled: Rulings, words: list[Word]) -> list[str]:
    """The tables between rulings, as Markdown, from the top; `words` are the page's.

    Raises ValueError where the page has more rulings or crossings than a table.
    """
    return list(filter(None, (markdown(rows) for rows in _grids(ruled, words))))


def _grids(ruled: Rulings, words: list[Word]) -> Iterator[list[list[str]]]:
    from pdfplumber import table

    edges = table.merge_edges(list(_edges(ruled)), NEAR, NEAR, NEAR, NEAR)
    if max(sum(edge["orientation"] == way for edge in edges) for way in "hv") > MAX_RULINGS:
        raise ValueError("too many rulings")
    crossings = table.edges_to_intersections(edges, NEAR, NEAR)
    if len(crossings) > MAX_CROSSINGS:
        raise ValueError("too many crossings")
    for cells in table.cells_to_tables(table.intersections_to_cells(crossings)):
        columns = sorted({cell[0] for cell in cells})
        tops = sorted({cell[1] for cell in cells})
        grid: list[list[list[Word]]] = [[[] for _ in columns] for _ in tops]
        for word in _within(words, cells):
            x, y = (word.left + word.right) / 2, -(word.bottom + word.top) / 2
            for x0, top, x1, bottom in cells:
                if x0 <= x < x1 and top <= y < bottom:
                    grid[tops.index(top)][columns.index(x0)].append(word)
                    break
        yield [[_cell(found) for found in row] for row in grid]


def _edges(ruled: Rulings) -> Iterator[dict[str, Any]]:
    for way, bounds in (("h", ruled.level), ("v", ruled.upright)):
        for left, bottom, right, top in bounds[: 20 * MAX_RULINGS]:
            yield {
                "orientation": way, "x0": left, "x1": right, "top": -top, "bottom": -bottom,
                "width": right - left, "height": top - bottom,
            }  # fmt: skip


def _within(words: list[Word], cells: list[Bounds]) -> Iterator[Word]:
    left, right = min(cell[0] for cell in cells), max(cell[2] for cell in cells)
    top, bottom = min(cell[1] for cell in cells), max(cell[3] for cell in cells)
    for word in words:
        if word.right > left and word.left < right and -word.bottom > top and -word.top < bottom:
            yield word


def _cell(words: list[Word]) -> str:
    """The text of a cell: its words by rows, joined where the typesetter broke them."""
    rows: list[list[Word]] = []
    for word in words:
        if rows and abs(rows[-1][-1].bottom - word.bottom) < 0.5 * (word.top - word.bottom):
            rows[-1].append(word)
        else:
            rows.append([word])
    return _BREAK.sub("", " ".join(word.text for row in rows for word in row))


def markdown(rows: list[list[str]]) -> str | None:
    """A table as Markdown, its first row as the header; None for a box or an empty grid."""
    cells = [[cell.replace("\n", " ").replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    filled = sum(1 for row in cells for cell in row if cell)
    if len(cells) < 2 or min(map(len, cells)) < 2 or filled * 3 < sum(map(len, cells)):
        return None
    head, *body = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head, f"|{' --- |' * len(cells[0])}", *body])
