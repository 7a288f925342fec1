"""PDF bytes to text: PDFium's text layer page by page, pdfplumber for ruled tables and for pages gone wrong.

PDFium is not safe in threads: one process, one thread.
"""

from __future__ import annotations

import ctypes
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from importlib.metadata import version
from typing import Any

from extractors.language_tag import primary_subtag
from extractors.pdf_lines import drop_running, join_lines, page_lines
from extractors.pdf_tables import is_ruled, markdown
from extractors.record import Extract

BAD_SHARE = 0.02
"""Share of a page's characters that may be unreadable before another engine is asked."""
MAX_BAD_PAGES = 20
"""Bad pages of one document for which pdfplumber is asked.

It takes some fifty times PDFium's time, and a document that meets its deadline loses the text it had.
"""
MAX_TABLE_PAGES = 60
"""Ruled pages of one document whose tables are read."""
MAX_FAILED = 1_000
"""Pages that fail one after the other before the rest of the document is given up."""

_UNREADABLE = re.compile(r"\(cid:\d+\)|[\ufffd\ue000-\uf8ff\x00\x01\x03-\x08\x0e-\x1f]")
# Forms draw their rulings with dots, dashes and underscores.
_SIGN = re.compile(r"[^\w\s.,…·•|–—-]")
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd\ufffe]")
_NO_TITLE = re.compile(
    r"\.(docx?|pdf|rtf|odt|txt|xlsx?|pptx?|qxd|indd|tex|dvi|wpd|fm|html?)$|^(Microsoft \w+|PowerPoint \w+) - "
    r"|^\(?(untitled|unknown|anonymous|title|document\d*|titre|ohne titel|sans titre)\)?$",
    re.I,
)
_NO_AUTHOR = re.compile(r"\(?(anonymous|admin(istrator)?|user|owner|unknown|author|root)\)?\d*$", re.I)
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?", re.ASCII)


def extract(payload: bytes) -> Extract:
    """Text of a PDF, with page offsets, tables as Markdown, document information and what was done in `meta`.

    Page numbers in `meta` count from 1. `meta["pages_by_engine"]` names the pages that another engine than
    PDFium gave, `meta["bad_pages"]` every page whose text layer was found bad, by reason. `date` is the day
    on which the file was made, unless the title speaks of other years only.
    """
    import pypdfium2

    result = Extract(extractor=f"pdfium {pypdfium2.version.PYPDFIUM_INFO.version}")
    try:
        document = pypdfium2.PdfDocument(payload)
    except pypdfium2.PdfiumError as error:
        result.error = _why_closed(error)
        return result
    with closing(document):
        _describe(document, result)
        texts, ruled = _read(document, result.meta)
    _second_engine(payload, texts, ruled, result)
    pages, running = drop_running([page_lines(text) for text in texts])
    result.text, result.page_offsets = join_lines(pages)
    if running:
        result.meta["running_lines"] = running[:10]
    _account(texts, result)
    return result


def _why_closed(error: Exception) -> str:
    import pypdfium2.raw as pdfium

    if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
        return "encrypted: a password is needed"
    return f"not a readable PDF: {error}"


def _read(document: Any, meta: dict[str, Any]) -> tuple[list[str], list[int]]:
    """PDFium's text of each page, empty for a page that fails, and the indexes of the pages with rulings."""
    import pypdfium2

    texts: list[str] = []
    ruled: list[int] = []
    failed: list[int] = []
    for index in range(len(document)):
        try:
            with closing(document[index]) as page:
                texts.append(_page_text(page))
                if texts[-1] and is_ruled(page):
                    ruled.append(index)
        except pypdfium2.PdfiumError:
            texts.append("")
            failed.append(index)
        # A page tree may claim a million pages and have none of them.
        if len(failed) >= MAX_FAILED and failed[-1] - failed[-MAX_FAILED] == MAX_FAILED - 1:
            meta["unread_pages"] = len(document) - len(texts)
            break
    if failed:
        meta["failed_pages"] = [index + 1 for index in failed]
    return texts, ruled


def _page_text(page: Any) -> str:
    with closing(page.get_textpage()) as layer:
        # Text outside the page's box is not seen by a reader; but a wrong box must not cost the whole page.
        return str(layer.get_text_bounded() or (layer.get_text_range() if layer.count_chars() else ""))


def _badness(text: str) -> tuple[float, str | None]:
    """Share of a page's characters that are unreadable, and the reason to ask another engine, if any."""
    size = sum(map(len, text.split()))
    if not size:
        return 0.0, None
    found = _UNREADABLE.findall(text)
    share = min(1.0, sum(map(len, found)) / size)
    if share > BAD_SHARE:
        return share, "unreadable characters"
    signs = len(_SIGN.findall(text))
    if size >= 100 and signs > size / 2:
        return signs / size, "mostly no letters"
    return share, None


def _second_engine(payload: bytes, texts: list[str], ruled: list[int], result: Extract) -> None:
    """Ask pdfplumber for tables on ruled pages and for better text on bad ones; changes `texts`."""
    bad: dict[int, float] = {}
    reasons: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        share, reason = _badness(text)
        if reason:
            bad[index] = share
            reasons[reason].append(index + 1)
    if reasons:
        result.meta["bad_pages"] = dict(reasons)
    if len(ruled) > MAX_TABLE_PAGES:
        result.meta["tables_not_read"] = [index + 1 for index in ruled[MAX_TABLE_PAGES:]]
    tables: list[str] = []
    better: list[int] = []
    wanted = set(ruled[:MAX_TABLE_PAGES])
    asked = sorted(wanted | set(list(bad)[:MAX_BAD_PAGES]))
    for index, page in _plumber_pages(payload, asked, result.meta):
        try:
            if index in wanted:
                tables += filter(None, map(markdown, page.extract_tables()))
            # A gap is judged by the size of the letters: the default of 3 points glues small words together.
            text = page.extract_text(x_tolerance_ratio=0.15) if index in bad else ""
        except Exception:  # pdfminer raises whatever a damaged page makes it stumble over
            result.meta.setdefault("pdfplumber_failed_pages", []).append(index + 1)
            continue
        if index in bad and _badness(text)[0] < bad[index] and 2 * len(text) > len(texts[index]):
            texts[index] = text
            better.append(index + 1)
    if better:
        result.meta["pages_by_engine"] = {"pdfplumber": better}
    result.tables = "\n\n".join(tables) or None
    if tables or better:
        result.extractor += f" + pdfplumber {version('pdfplumber')}"


def _plumber_pages(payload: bytes, indexes: list[int], meta: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """pdfplumber's view of the pages at these indexes, each closed before the next is opened."""
    if not indexes:
        return
    import pdfplumber

    try:
        document = pdfplumber.open(io.BytesIO(payload), pages=[index + 1 for index in indexes])
        pages = document.pages
    except Exception as error:  # what PDFium repairs may be beyond pdfminer, in ways it does not name
        meta["pdfplumber_error"] = " ".join(page_lines(f"{type(error).__name__}: {error}"))[:200]
        return
    with closing(document):
        for page in pages:
            yield page.page_number - 1, page
            page.close()


def _describe(document: Any, result: Extract) -> None:
    """Fill in what the document says about itself, where it makes sense."""
    entries = {key: _entry(document, key) for key in ("Title", "Author", "CreationDate", "Producer")}
    title = entries["Title"]
    if sum(map(str.isalpha, title)) >= 3 and not _NO_TITLE.search(title):
        result.title = title
    authors = (name.strip() for name in entries["Author"].split(";"))
    result.authors = [name for name in authors if name and not _NO_AUTHOR.match(name)]
    created = _iso_date(entries["CreationDate"])
    years = re.findall(r"\b(?:1[6-9]|20)\d\d\b", title)
    if created:
        result.meta["created"] = created
        # A file made in 2003 of a gazette of 1962: the title knows better.
        result.date = created if not years or created[:4] in years else None
    result.language = _language(document)
    result.meta["pages"] = len(document)
    if entries["Producer"]:
        result.meta["producer"] = entries["Producer"]


def _entry(document: Any, key: str) -> str:
    with suppress(UnicodeDecodeError):
        return _PRIVATE.sub("", " ".join(page_lines(document.get_metadata_value(key))))[:1000].strip()
    return ""


def _iso_date(entry: str) -> str | None:
    found = _DATE.match(entry)
    # The format is of 1993: an earlier file date is a computer's clock at zero.
    if not found or not 1993 <= int(found[1]) < 2100:
        return None
    with suppress(ValueError):
        return date(int(found[1]), int(found[2] or 0), int(found[3] or 0)).isoformat()
    return found[1]


def _language(document: Any) -> str | None:
    import pypdfium2.raw as pdfium

    buffer = (ctypes.c_ushort * 36)()
    if not 2 < pdfium.FPDFCatalog_GetLanguage(document, buffer, 2 * len(buffer)) <= 2 * len(buffer):
        return None
    tag = bytes(buffer).decode("utf-16-le", "ignore").split("\0", 1)[0]
    return primary_subtag(tag)


def _account(texts: list[str], result: Extract) -> None:
    """Say which pages have no text; a document without any is an error."""
    empty = [index + 1 for index, text in enumerate(texts) if not text.strip()]
    if empty:
        result.meta["empty_pages"] = empty
    if not texts:
        result.error = "not a readable PDF: it has no pages"
    elif len(empty) == len(texts):
        result.meta["needs_ocr"] = True
        pages = f"{len(texts)} page" + "s" * (len(texts) != 1)
        result.error = f"no text layer on any of {pages}: needs OCR"
