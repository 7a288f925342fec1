"""Ruled tables of PDF pages: a cheap test on PDFium's path objects, and Markdown of what pdfplumber finds."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from extractors.pdf_lines import join_lines, page_lines

MAX_OBJECTS = 4_000
"""Page objects looked at by the test for rulings; a page of line art has no end of them."""
MAX_RULINGS = 200
"""Rulings looked at in each direction: enough to see that some of them meet."""
THIN = 4.0
"""Points: a path at most this thick is a ruling, as is each side of a box (PDFium counts a stroke twice)."""

NEAR = 3.0
"""Points between the ends of two rulings that still meet."""
SLOPE = 0.5
"""Points by which a line may lean and still be upright or level."""

Bounds = tuple[float, float, float, float]


def is_ruled(page: Any) -> bool:
    """Whether a `pypdfium2.PdfPage` has rulings that meet as in a table of two rows and two columns."""
    import pypdfium2.raw as pdfium

    level: list[Bounds] = []
    upright: list[Bounds] = []
    bounds = [ctypes.c_float() for _ in range(4)]
    for path in _paths(page):
        if not pdfium.FPDFPageObj_GetBounds(path, *bounds):
            continue
        left, bottom, right, top = (b.value for b in bounds)
        wide, high = right - left > 2 * THIN, top - bottom > 2 * THIN
        if wide and high:
            if pdfium.FPDFPath_CountSegments(path) > 5:
                if _is_grid(path):
                    return True
                continue
            level += [(left, bottom, right, bottom), (left, top, right, top)]
            upright += [(left, bottom, left, top), (right, bottom, right, top)]
        elif wide and top - bottom <= THIN:
            level.append((left, bottom, right, top))
        elif high and right - left <= THIN:
            upright.append((left, bottom, right, top))
    return _meet(level[:MAX_RULINGS], upright[:MAX_RULINGS])


def _meet(level: list[Bounds], upright: list[Bounds]) -> bool:
    """Whether two rows and two columns of rulings run across at least three of the others."""
    rows: dict[int, set[int]] = defaultdict(set)
    columns: dict[int, set[int]] = defaultdict(set)
    for x, low, _, high in upright:
        for left, y, right, _ in level:
            if left - NEAR <= x <= right + NEAR and low - NEAR <= y <= high + NEAR:
                rows[round(y / NEAR)].add(round(x / NEAR))
                columns[round(x / NEAR)].add(round(y / NEAR))
    return all(sum(1 for met in lines.values() if len(met) >= 3) >= 2 for lines in (rows, columns))


def _is_grid(path: Any) -> bool:
    """Whether one path draws upright and level lines only; a curve or a slope makes it a figure."""
    import pypdfium2.raw as pdfium

    x, y = ctypes.c_float(), ctypes.c_float()
    here: tuple[float, float] | None = None
    for i in range(min(pdfium.FPDFPath_CountSegments(path), MAX_RULINGS)):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            return False
        before, here = here, (x.value, y.value)
        drawn = before if kind == pdfium.FPDF_SEGMENT_LINETO else None
        if drawn and min(abs(here[0] - drawn[0]), abs(here[1] - drawn[1])) > SLOPE:
            return False
    return True


def _paths(page: Any) -> Iterator[Any]:
    """The page's paths, one form deep."""
    import pypdfium2.raw as pdfium

    for item in _objects(page.raw):
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_PATH:
            yield item


def _objects(page: Any) -> Iterator[Any]:
    import pypdfium2.raw as pdfium

    left = MAX_OBJECTS
    for i in range(min(pdfium.FPDFPage_CountObjects(page), left)):
        item = pdfium.FPDFPage_GetObject(page, i)
        yield item
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_FORM:
            inside = min(pdfium.FPDFFormObj_CountObjects(item), left)
            left -= max(0, inside)
            for j in range(inside):
                yield pdfium.FPDFFormObj_GetObject(item, j)


def markdown(rows: list[list[str | None]]) -> str | None:
    """A table as Markdown, its first row as the header; None for a box or an empty grid."""
    cells = [[_cell_text(cell or "") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    filled = sum(1 for row in cells for cell in row if cell)
    if len(cells) < 2 or min(map(len, cells)) < 2 or filled * 3 < sum(map(len, cells)):
        return None
    head, *body = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head, f"|{' --- |' * len(cells[0])}", *body])


def _cell_text(cell: str) -> str:
    text, _ = join_lines([page_lines(cell)])
    return text.replace("\n", " ").replace("|", "\\|")
