"""What travels from a source to an extractor, and back: a `Record` of bytes in, an `Extract` of text out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import xxhash

Format = Literal["html", "pdf", "xml", "txt"]


@dataclass(slots=True)
class Record:
    """One input record: a record of an archive, or a file.

    Exactly one of three things holds: `skip` says why it is no document (a request, an image, a redirect),
    `error` says why it could not be read, or both are None and `payload` holds the document's bytes. A robots.txt or
    tdmrep.json file has `skip` and its bytes.
    """

    source: str
    """The recipe's name for the source."""
    path: str
    """Path of the archive or file, relative to the source's root, with `/`."""
    offset: int = 0
    """Byte offset of the record in the archive as stored (compressed); 0 for a file.

    Where an archive is one compressed stream, records have no place in the stored bytes: the offset is then minus the
    uncompressed offset, and `meta["offset_in"]` is `uncompressed`.
    """
    length: int = 0
    """Bytes the record takes, counted as its offset is; the size of a file."""
    payload: bytes = b""
    format: Format | None = None
    """What the payload is, decided from its bytes first and its declared type second."""
    url: str | None = None
    mime: str | None = None
    """The declared media type, lower-case, without parameters."""
    charset: str | None = None
    """The character set declared beside the payload (HTTP header), if any."""
    status: int | None = None
    """HTTP status, None where there was no HTTP."""
    fetched: datetime | None = None
    """When it was captured (UTC)."""
    kind: str = "file"
    """The archive's record type: response, revisit, resource, request, warcinfo ...; `file` for a file."""
    skip: str | None = None
    error: str | None = None
    reference: str | None = None
    """Path, relative to the source's root, of another version of the same text to measure fidelity against."""
    meta: dict[str, Any] = field(default_factory=dict)
    """What else the source knows: celex, language, headers such as X-Robots-Tag; JSON-serialisable."""

    @property
    def id(self) -> str:
        """Identity of the record: 32 hex digits (XXH3-128) of source, path, offset and the payload's digest."""
        return str(xxhash.xxh3_128_hexdigest(f"{self.source}\n{self.path}\n{self.offset}\n{self.digest}"))

    @property
    def digest(self) -> str:
        """Identity of the payload's bytes: 32 hex digits (XXH3-128)."""
        return str(xxhash.xxh3_128_hexdigest(self.payload))


@dataclass(slots=True)
class Extract:
    """The text of one record, and what its format says about it."""

    text: str = ""
    """Plain text, NFC, paragraphs separated by one newline, no trailing spaces, no NUL."""
    title: str | None = None
    authors: list[str] = field(default_factory=list)
    date: str | None = None
    """ISO date (YYYY-MM-DD) or year (YYYY) of publication."""
    language: str | None = None
    """The language that the document itself declares: BCP 47 primary subtag, lower-case (`fr`)."""
    page_offsets: list[int] = field(default_factory=list)
    """Characters before each page's text: `text[page_offsets[i]:page_offsets[i + 1]]` is page i (PDF only)."""
    pages: list[dict[str, Any]] = field(default_factory=list)
    """One dict a page (PDF only), in order: `width`, `height` (points), `engine` that gave its text, `reason` why it
    is not PDFium's (or None), `columns` of its body, `removed` (the running heads and feet taken off it), `notes`
    (footnotes put after its text), `needs_ocr`, `confidence` of recognition (0 to 1, or None)."""
    lines: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    """Where each printed line's text starts and stands (PDF only): start in `text`, page from 0, then left, bottom,
    right and top in points from the page's lower left corner; sorted by start."""
    sections: list[tuple[int, str, str | None, str | None]] = field(default_factory=list)
    """Parts of the text by start: start in `text`, kind (title, recital, article, annex, note, section, abstract,
    references ...), anchor (the same in every language version: `art_5`, `rct_12`, `anx_II`), heading as printed, on
    one line. Parts of an annex have its anchor before theirs (`anx_I.art_1`), those of a second act on a page end in
    `~2`."""
    markdown: str | None = None
    """The same text with its structure, as Markdown (web pages only)."""
    tables: str | None = None
    """Tables as Markdown, outside the text (PDF only)."""
    extractor: str = ""
    """Who read it, with version: `florilege html 1`, `trafilatura 2.3.1`, `pdfium 5.1.0`, `pdfplumber 0.11.10` ..."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Format-specific facts, JSON-serialisable: abstracts, keywords and titles per language, page count ..."""
    error: str | None = None
    """Why there is no text, or None. A document without any main text has an empty text and no error."""
