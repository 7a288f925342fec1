"""What a PDF says about itself: title, authors, date, language, where it makes sense."""

from __future__ import annotations

import ctypes
import re
from contextlib import suppress
from datetime import date
from typing import Any

from extractors.language_tag import primary_subtag
from extractors.pdf_page import plain_lines
from extractors.record import Extract

_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd\ufffe]")
_NO_TITLE = re.compile(
    r"\.(docx?|pdf|rtf|odt|txt|xlsx?|pptx?|qxd|indd|tex|dvi|wpd|fm|html?)$|^(Microsoft \w+|PowerPoint \w+) - "
    r"|^\(?(untitled|unknown|anonymous|title|document\d*|titre|ohne titel|sans titre)\)?$",
    re.I,
)
_NO_AUTHOR = re.compile(r"\(?(anonymous|admin(istrator)?|user|owner|unknown|author|root)\)?\d*$", re.I)
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?", re.ASCII)


def describe(document: Any, result: Extract) -> None:
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
        return _PRIVATE.sub("", " ".join(line.text for line in plain_lines(document.get_metadata_value(key))))[
            :1000
        ].strip()
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
