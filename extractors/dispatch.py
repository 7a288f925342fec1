"""A record to the extractor for what it is: the one place where an extractor's failure becomes a record's error."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from extractors import eurlex, html, markup, pdf, reference
from extractors.encoding import decode
from extractors.ocr import Reader
from extractors.record import Extract, Record

_MESSAGE = 300


def preload() -> None:
    """Load what the first page would otherwise wait for: libraries, compiled expressions, word lists."""
    html.extract(b"<html><body><p>A page.</p></body></html>")


def extract(record: Record, ocr: Sequence[str] = (), deadline_s: float = 30) -> Extract:
    """Text of the record by its `format`; whatever an extractor raises becomes `error`.

    `deadline_s` is what the record has: a long PDF gives what could be read of it by then. `ocr` are the languages
    (BCP 47) in which pages of PDFs without text are recognised, as many as it has room for; by default none is.

    A record of kind `reference` gives the text to measure others against, by its path (`markup.reference_text`), and
    in `meta` the other forms of it (`reference.variants`).
    MemoryError alone is passed on: it says something about the process, which should end.
    """
    try:
        return _extract(record, ocr, deadline_s)
    except MemoryError:
        raise
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return Extract(error=f"{record.format or record.kind} extraction failed: {message[:_MESSAGE]}")


def _extract(record: Record, ocr: Sequence[str], deadline_s: float) -> Extract:
    payload = record.payload
    if record.kind == "reference":
        return _reference(payload, record.path)
    match record.format:
        case "html" if record.meta.get("celex"):
            return eurlex.extract_html(payload, language=record.meta.get("language"), charset=record.charset)
        case "html":
            return html.extract(payload, url=record.url, charset=record.charset, fetched=record.fetched)
        case "pdf":
            return pdf.extract(payload, Reader(ocr, deadline_s) if ocr else None, deadline_s)
        case "xml":
            return markup.extract_xml(payload)
        case "txt":
            return _plain(payload, record.charset)
    return Extract(error=f"no extractor for format {record.format!r}: html, pdf, xml or txt")


def _reference(payload: bytes, path: str) -> Extract:
    try:
        text = markup.reference_text(payload, path)
        return Extract(text=text, meta=dict(reference.variants(payload, path)))
    except ValueError as error:
        return Extract(error=str(error))


def _plain(payload: bytes, charset: str | None) -> Extract:
    text, encoding = decode(payload, charset)
    lines = (line.rstrip() for line in unicodedata.normalize("NFC", text).splitlines())
    kept = "\n".join(line for line in lines if line)
    return Extract(text=kept, extractor="text", meta={"encoding": encoding})
