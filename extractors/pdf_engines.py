"""Pages that PDFium cannot read, to other engines: pdfplumber for broken text layers, Tesseract where there is none.

A page is given to the engine whose text is sounder (`pdf_health.py`), and its facts say which, and why.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate
from typing import Any

import numpy as np

from extractors.ocr import Reader, check
from extractors.pdf_glyphs import upright
from extractors.pdf_health import Health, health
from extractors.pdf_page import Line, clean
from extractors.record import Extract

MAX_BAD_PAGES = 20
"""Bad pages of one document for which pdfplumber is asked.

It takes some fifty times PDFium's time, and a document that meets its deadline loses the text it had.
"""
MAX_BAD_CHARS = 30_000
"""Their characters all together: pdfplumber takes some 0.15 ms for each."""
PATIENCE = 3
"""Bad pages after which, when none came out better, the others are not tried: their fonts are the same."""


@dataclass(slots=True)
class Sheet:
    """A page while its document is read."""

    lines: list[Line]
    facts: dict[str, Any]
    """As in `Extract.pages`."""
    blank: bool = True
    """Whether it shows nothing at all."""


def reread(payload: bytes, document: Any, sheets: list[Sheet], ocr: Reader | None, result: Extract) -> None:
    """Other engines' text on the pages where PDFium's is bad or absent; says in `result` what was done."""
    better = {"pdfplumber": _by_pdfplumber(payload, sheets, result.meta)}
    if better["pdfplumber"]:
        result.extractor += f" + pdfplumber {version('pdfplumber')}"
    for sheet in sheets:
        if not sheet.lines and not sheet.blank:
            sheet.facts |= {"reason": "no text layer", "needs_ocr": True}
    if ocr:
        better["tesseract"] = _by_tesseract(document, sheets, ocr)
        if better["tesseract"]:
            result.extractor += f" + {check(ocr.languages)}"
        if ocr.problem:
            result.meta["ocr_problem"] = ocr.problem
    if any(better.values()):
        result.meta["pages_by_engine"] = {engine: pages for engine, pages in better.items() if pages}


def _health(lines: list[Line]) -> Health:
    return health("\n".join(line.text for line in lines))


def _by_pdfplumber(payload: bytes, sheets: list[Sheet], meta: dict[str, Any]) -> list[int]:
    """Numbers of the pages with a bad text layer that pdfplumber reads better, and now has."""
    bad: dict[int, Health] = {}
    reasons: dict[str, list[int]] = defaultdict(list)
    for index, sheet in enumerate(sheets):
        found = _health(sheet.lines)
        if found.reason:
            sheet.facts["reason"] = found.reason
            reasons[found.reason].append(index + 1)
            # Nobody reads mojibake better: it is what the page shows.
            if found.reason != "mojibake":
                bad[index] = found
    if reasons:
        meta["bad_pages"] = dict(reasons)
    better: list[int] = []
    for number, (index, page) in enumerate(_plumber_pages(payload, _worth_asking(bad, sheets), meta)):
        if number >= PATIENCE and not better:
            break
        sheet = sheets[index]
        try:
            lines = _plumber_lines(page)
        except Exception:  # pdfminer raises whatever a damaged page makes it stumble over
            meta.setdefault("pdfplumber_failed_pages", []).append(index + 1)
            continue
        now = _health(lines)
        sounder = now.reason is None or (now.reason == bad[index].reason and now.share < bad[index].share)
        if sounder and 2 * _size(lines) > _size(sheet.lines):
            sheet.lines, sheet.facts["engine"] = lines, "pdfplumber"
            better.append(index + 1)
    return better


def _worth_asking(bad: Iterable[int], sheets: list[Sheet]) -> list[int]:
    """The bad pages that pdfplumber has time for."""
    listed = list(bad)
    sizes = accumulate(_size(sheets[index].lines) for index in listed)
    return [index for index, size in zip(listed, sizes, strict=True) if size <= MAX_BAD_CHARS][:MAX_BAD_PAGES]


def _size(lines: list[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _plumber_lines(page: Any) -> list[Line]:
    # A gap is judged by the size of the letters: the default of 3 points glues small words together.
    found = page.extract_text_lines(x_tolerance_ratio=0.15, return_chars=False)
    height = page.height
    lines = []
    for line in found:
        text = clean(line["text"])
        if text:
            left, right, bottom, top = line["x0"], line["x1"], height - line["bottom"], height - line["top"]
            lines.append(Line(text, float(left), float(bottom), float(right), float(top), float(top - bottom)))
    return lines


def _plumber_pages(payload: bytes, indexes: list[int], meta: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """pdfplumber's view of the pages at these indexes, each closed before the next is opened."""
    if not indexes:
        return
    import pdfplumber

    try:
        document = pdfplumber.open(io.BytesIO(payload), pages=[index + 1 for index in indexes])
        pages = document.pages
    except Exception as error:  # what PDFium repairs may be beyond pdfminer, in ways it does not name
        meta["pdfplumber_error"] = clean(f"{type(error).__name__}: {error}")[:200]
        return
    with closing(document):
        for page in pages:
            yield page.page_number - 1, page
            page.close()


def _by_tesseract(document: Any, sheets: list[Sheet], ocr: Reader) -> list[int]:
    """Numbers of the pages without a text layer that were recognised; it comes last, for it takes seconds a page."""
    import pypdfium2

    recognised: list[int] = []
    for index, sheet in enumerate(sheets):
        if not sheet.facts.get("needs_ocr"):
            continue
        try:
            with closing(document[index]) as page:
                found = ocr.read(page)
                if found is None:
                    continue
                sheet.facts["confidence"] = found.confidence
                boxes = upright(np.array([line[1:] for line in found.lines], np.float32).reshape(-1, 4), page)
        except pypdfium2.PdfiumError:
            continue
        sheet.lines = [
            Line(text, left, bottom, right, top, top - bottom)
            for line, (left, bottom, right, top) in zip(found.lines, boxes.tolist(), strict=True)
            if (text := clean(line.text))
        ]
        if sheet.lines:
            sheet.facts |= {"engine": "tesseract", "needs_ocr": False}
            recognised.append(index + 1)
    return recognised
