"""PDF bytes to text: PDFium's text layer page by page, laid out; other engines for pages that it cannot read.

PDFium is not safe in threads: one process, one thread.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from extractors import pdf_tables
from extractors.ocr import Reader
from extractors.pdf_engines import Sheet, reread
from extractors.pdf_info import describe
from extractors.pdf_layout import NOTE_SIZE, Page, arrange, body_size, columns, set_aside, split_notes
from extractors.pdf_lines import join_lines
from extractors.pdf_page import Word, read_page
from extractors.pdf_running import drop_running
from extractors.pdf_words import Vocabulary
from extractors.record import Extract

MAX_FAILED = 1_000
"""Pages that fail one after the other before the rest of the document is given up."""
READING = 0.5
"""Share of a document's deadline for the reading of its pages: what is read by then is kept."""


def extract(payload: bytes, ocr: Reader | None = None, deadline_s: float = 600) -> Extract:
    """Text of a PDF, with its pages and lines, tables as Markdown, and document information.

    Pages that show something but have no text layer are recognised by `ocr`, as many as it has time for; without it
    they are marked. Pages that are not read within half of `deadline_s` are left out, and said to be.

    Page numbers in `meta` count from 1. `meta["pages_by_engine"]` names the pages that another engine than
    PDFium gave, `meta["bad_pages"]` every page whose text layer was found bad, by reason; `meta["note_marks"]` has
    the places of note marks in the text, [start, end]. `date` is the day on which the file was made, unless the title
    speaks of other years only.
    """
    import pypdfium2

    until = time.monotonic() + READING * deadline_s
    result = Extract(extractor=f"pdfium {pypdfium2.version.PYPDFIUM_INFO.version}")
    try:
        document = pypdfium2.PdfDocument(payload)
    except pypdfium2.PdfiumError as error:
        result.error = _why_closed(error)
        return result
    with closing(document):
        describe(document, result)
        sheets = _read(document, result, until)
        reread(payload, document, sheets, ocr, result)
    _lay_out(sheets, result)
    _account(sheets, result)
    return result


def _why_closed(error: Exception) -> str:
    import pypdfium2.raw as pdfium

    if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
        return "encrypted: a password is needed"
    return f"not a readable PDF: {error}"


def _read(document: Any, result: Extract, until: float) -> list[Sheet]:
    """The pages as PDFium reads them, without lines where one fails; tables go to `result`."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    sheets: list[Sheet] = []
    tables: list[str] = []
    failed: list[int] = []
    for index in range(len(document)):
        sheet = Sheet([], {"engine": "pdfium", "reason": None})
        sheets.append(sheet)
        try:
            with closing(document[index]) as page:
                sheet.facts["width"], sheet.facts["height"] = page.get_size()
                sheet.lines, words = read_page(page)
                if sheet.lines and (ruled := pdf_tables.rulings(page)).cross():
                    tables += _tables(ruled, words(), index, result)
                sheet.blank = not sheet.lines and pdfium.FPDFPage_CountObjects(page) <= 0
        except pypdfium2.PdfiumError:
            failed.append(index)
        # A page tree may claim a million pages and have none of them, or have them all.
        hopeless = len(failed) >= MAX_FAILED and failed[-1] - failed[-MAX_FAILED] == MAX_FAILED - 1
        if (hopeless or time.monotonic() > until) and len(sheets) < len(document):
            result.meta["unread_pages"] = len(document) - len(sheets)
            break
    if failed:
        result.meta["failed_pages"] = [index + 1 for index in failed]
    if tables:
        result.tables = "\n\n".join(tables)
        result.meta["tables"] = len(tables)
    return sheets


def _tables(ruled: pdf_tables.Rulings, words: list[Word], index: int, result: Extract) -> list[str]:
    try:
        return pdf_tables.tables(ruled, words)
    except ValueError:
        result.meta.setdefault("tables_not_read", []).append(index + 1)
        return []


def _lay_out(sheets: list[Sheet], result: Extract) -> None:
    """Lines to the document's text; what was taken off the pages goes to their facts."""
    arranged = [arrange(sheet.lines) for sheet in sheets]
    vocabulary = Vocabulary(arranged)
    arranged = [[vocabulary.parted(line) for line in lines] for lines in arranged]
    kept, removed = drop_running(arranged)
    size = body_size(kept)
    pages: list[Page] = []
    for sheet, lines, gone in zip(sheets, kept, removed, strict=True):
        page = split_notes(lines, size, open_note=bool(pages and pages[-1].notes))
        pages.append(page)
        sheet.facts |= {"columns": columns(page.body), "removed": gone, "notes": len(page.notes)}
    for page, then, lines in zip(pages, pages[1:], kept, strict=False):
        # Small type that fills the next page too is the end matter: a bibliography.
        if page.notes and 2 * sum(line.size <= NOTE_SIZE * size for line in then.body) > len(then.body):
            page.body, page.notes = lines, []
    set_aside(pages, size)
    result.text, result.page_offsets, result.lines, marks = join_lines(pages, vocabulary)
    if marks:
        result.meta["note_marks"] = marks
    result.pages = [sheet.facts for sheet in sheets]
    if running := list(dict.fromkeys(line for gone in removed for line in gone)):
        result.meta["running_lines"] = running[:10]


def _account(sheets: list[Sheet], result: Extract) -> None:
    """Say which pages have no text; a document without any is an error."""
    empty = [index + 1 for index, sheet in enumerate(sheets) if not sheet.lines]
    if empty:
        result.meta["empty_pages"] = empty
    if not sheets:
        result.error = "not a readable PDF: it has no pages"
    elif len(empty) == len(sheets):
        result.meta["needs_ocr"] = True
        sure = [sheet.facts["confidence"] for sheet in sheets if "confidence" in sheet.facts]
        result.error = f"no text layer on any of {len(sheets)} pages: needs OCR"
        if sure:
            result.error = f"no text layer, and recognition found nothing legible (confidence at most {max(sure):.2f})"
