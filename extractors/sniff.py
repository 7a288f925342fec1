"""What a payload is: from its bytes first, then its declared type, then its name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from extractors.record import Format

LOOK = 1 << 14
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# Other binary formats give themselves away by NULs; letters alone (`OTTO`, `RIFF`) may begin a text.
_BINARY = (b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"{\\rtf", b"%!PS")
_PROLOG = re.compile(r"(?:\s+|<\?[^>]*>|<!--.*?(?:-->|$)|<!doctype\s(?!html)[^>\[]*(?:\[.*?\]\s*)?>)", re.I | re.S)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[^>]*")
_TAG = re.compile(
    r"<(?:!doctype\s+html|(?:html|head|body|title|meta|link|script|style|div|span|p|a|table|tr|td|ul|ol|li|h[1-6]|br|hr"
    r"|font|center|img|form|input|iframe|frameset|frame|noscript|base|b|i|em|strong|pre|blockquote|article|section"
    r"|header|nav|main|footer)(?=[\s/>]))",
    re.I,
)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)(?=[\s/>])", re.I)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xhtml", "application/vnd.wap.xhtml+xml"})
_XML_TYPES = frozenset({"text/xml", "application/xml"})
_TEXT_TYPES = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
_VAGUE_TYPES = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown", "no-type",
     "application/x-unknown-content-type", "application/force-download", "application/download", "unk", "*/*"}
)  # fmt: skip
_SUFFIXES: dict[str, Format | None] = {
    "html": "html", "htm": "html", "xhtml": "html", "shtml": "html", "xml": "xml", "txt": "txt", "text": "txt",
    "md": "txt", "pdf": "pdf",
}  # fmt: skip


def sniff(payload: bytes, mime: str | None, url: str | None) -> Format | None:
    """The format of a payload; None for what is no document (images, scripts, style sheets, JSON, archives).

    `mime` is the declared media type (lower-case, no parameters), `url` an address or a file's name. Only the
    first 16 KiB are looked at. XML with a root other than html is `xml`, whatever it is declared as.
    """
    mime = mime or ""
    if (b"%PDF-" in payload[:1024] and mime not in _HTML_TYPES | _TEXT_TYPES) or payload.startswith(b"%PDF-"):
        return "pdf"
    text = _text(payload[:LOOK])
    if text is None:
        return None
    if not text.strip():
        return _declared(mime, url)
    body = text[_prolog(text) :]
    root = _ROOT.match(body)
    if text.lstrip().startswith("<?xml") or _is_xml(mime):
        if _PAGE.match(body) or (root and root[1].lower() == "html"):
            return "html"
        if text.lstrip().startswith("<?xml") or root:
            # Pages written by hand carry an XML declaration before any of their tags.
            return "html" if _TAG.match(body) and mime in _HTML_TYPES else "xml"
    if _PAGE.match(body):
        return "html"
    declared = _declared(mime, url)
    if declared is None and mime in _VAGUE_TYPES and _TAG.match(body):
        return "html"
    if declared == "txt" and _TAG.match(body) and _PAGE.search(body):
        return "html"
    return declared


def no_document(payload: bytes, format: Format | None) -> str | None:
    """The media type of markup that is no document, whatever `sniff` took it for; else None.

    That is RSS, Atom, sitemaps, what programs ask of OAI-PMH and SPARQL, and SVG. Some of them are served as pages or
    as plain text; there a root element's name alone says too little, and its namespace must be that of the format.
    """
    if format is None or format == "pdf":
        return None
    text = _text(payload[:LOOK]) or ""
    root = _ROOT.match(text[_prolog(text) :])
    if root is None:
        return None
    mime, space = _NOT_DOCUMENTS.get(root[1].lower(), (None, ""))
    return mime if mime and (format == "xml" or space in root[0]) else None


_SITEMAP = ("application/sitemap+xml", "/schemas/sitemap/")
_NOT_DOCUMENTS = {
    "rss": ("application/rss+xml", "version="),
    "rdf": ("application/rdf+xml", "/22-rdf-syntax-ns#"),
    "feed": ("application/atom+xml", "http://www.w3.org/2005/Atom"),
    "urlset": _SITEMAP,
    "sitemapindex": _SITEMAP,
    "oai-pmh": ("application/oai-pmh+xml", "http://www.openarchives.org/OAI/"),
    "sparql": ("application/sparql-results+xml", "http://www.w3.org/2005/sparql-results#"),
    "svg": ("image/svg+xml", "http://www.w3.org/2000/svg"),
    "opensearchdescription": ("application/opensearchdescription+xml", "http://a9.com/-/spec/opensearch/"),
}
"""By the root element's lower-case name: media type, and what its start tag has."""


def _text(head: bytes) -> str | None:
    """The first characters, or None for binary data. Only ASCII matters here, so Latin-1 serves for the rest."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace")
    if head.startswith(_BINARY):
        return None
    if b"\0" in head:
        return _without_bom(head)
    return head.decode("latin-1")


def _without_bom(head: bytes) -> str | None:
    """UTF-16 shows in every other byte being NUL; a stray NUL in a page does not make it binary."""
    for encoding, odd in (("utf-16-le", 1), ("utf-16-be", 0)):
        half = head[odd::2]
        if half.count(0) > 0.7 * len(half) and head[1 - odd :: 2].count(0) < 0.05 * len(half):
            return head.decode(encoding, "replace")
    if head.count(0) < 0.01 * len(head) and _TAG.search(head[:1024].decode("latin-1")):
        return head.replace(b"\0", b"").decode("latin-1")
    return None


def _prolog(text: str) -> int:
    """Where the first tag of a document stands: after white space, comments, declarations, a foreign doctype."""
    at = 0
    while match := _PROLOG.match(text, at):
        at = match.end()
    return at


def _is_xml(mime: str) -> bool:
    return mime in _XML_TYPES or mime.endswith("+xml")


def _declared(mime: str, url: str | None) -> Format | None:
    if mime in _HTML_TYPES:
        return "html"
    if mime in ("application/pdf", "application/x-pdf"):
        return None  # the bytes said otherwise
    if _is_xml(mime):
        return "xml"
    if mime in _TEXT_TYPES:
        return "txt"
    if mime not in _VAGUE_TYPES:
        return None
    try:
        name = urlsplit(url or "").path.rsplit("/", 1)[-1]
    except ValueError:
        return None
    found = _SUFFIXES.get(name.rpartition(".")[2].lower()) if "." in name else None
    return None if found == "pdf" else found
