"""The other version of a document's text, in each form that fidelity is measured against.

LEMUR (arXiv 2602.09570) compares a PDF's text with what its two scripts read in the official HTML; the first of them
reads every table cell a second time. Both forms are built here, where hostile markup is read, and compared elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from extractors import markup
from extractors.blocks import Element, name_of, names
from extractors.encoding import decode

_NOT_SHOWN = ("script", "style", "template")
_CELLS = names("td th cell entry tabcelluled tabcellulee")
_TABLES = names("table tbl tabtexte")
_DOLLARS = re.compile(r"\$\s+(\d+)")
_FULL_STOPS = re.compile(r"\.[\s.]*")
_MOST = 8
"""Times its own length that the cells may add to a page: tables nested in tables would make a bomb."""


def variants(payload: bytes, name: str) -> dict[str, str]:
    """The reference called `name` as LEMUR's scripts read it (`json`, `conversion`), and its tables (`table_text`).

    HTML is read whole, title and menus too, as there. XML has no such precedent: its text is what a reader sees
    (`markup.reference_text`), and its cells are those of HTML, JATS, TEI, CALS, Formex and EruditArticle. A `.txt`
    has no tables. `table_text` holds each table once, and is left out where there is none.

    Raises MarkupError where the file is no markup.
    """
    if name.lower().endswith(".txt"):
        text = decode(payload)[0]
        return {"json": _spaced([text]), "conversion": _spaced([conversion(text)])}
    if name.lower().endswith((".html", ".htm")) or (markup.root_name(payload) or "html").lower() == "html":
        found, root = from_html(decode(payload)[0])
    else:
        root = markup.parse_xml(payload)
        text = markup.reference_text(payload, name)
        found = {
            "json": _spaced([text, *_cells(root, len(text))]),
            "conversion": _spaced(map(conversion, text.split("\n"))),
        }
    tables = _spaced(" ".join(table.itertext()) for table in _outermost(root))
    return {**found, "table_text": tables} if tables else found


def from_html(html: str) -> tuple[dict[str, str], Element]:
    """The `json` and `conversion` text of a page, and its tree; MarkupError if it has none.

    Variant json repeats the text of every table cell once for each table around it, as the published figures do.
    Scripts, styles and templates are left out.
    """
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        root: Any = etree.fromstring(html.replace("\0", " ").encode("utf-8", "replace"), parser)
    except etree.LxmlError as error:
        raise markup.MarkupError(f"not HTML: {error}") from error
    if root is None:
        raise markup.MarkupError("not HTML: no element")
    etree.strip_elements(root, *_NOT_SHOWN, with_tail=False)
    text = " ".join(root.itertext())
    return {
        "json": _spaced([text, *_cells(root, len(text))]),
        "conversion": _spaced(map(conversion, root.itertext())),
    }, root


def conversion(text: str) -> str:
    """`text` as LEMUR's conversion_evaluation.py prepares it: `$ 5` closed up, full stops for spaces, lower case."""
    return _FULL_STOPS.sub(" ", _DOLLARS.sub(r"$\1", text)).lower()


def _cells(root: Element, size: int) -> Iterator[str]:
    """The text of each table cell, once for each table around it, until there are `_MOST` times `size` characters."""
    left = _MOST * size
    for node, tables in _within(root):
        if tables and left > 0 and name_of(node) in _CELLS:
            text = " ".join(node.itertext())
            for _ in range(tables):
                left -= len(text)
                if left > 0:
                    yield text


def _outermost(root: Element) -> Iterator[Element]:
    for node, tables in _within(root):
        if not tables and name_of(node) in _TABLES:
            yield node


def _within(root: Element) -> Iterator[tuple[Element, int]]:
    """Every element with the number of tables that it is in."""
    depth = 0
    for event, node in etree.iterwalk(root, ("start", "end")):
        if not isinstance(node.tag, str):
            continue
        if event == "end":
            depth -= name_of(node) in _TABLES
        else:
            yield node, depth
            depth += name_of(node) in _TABLES


def _spaced(texts: Iterable[str]) -> str:
    return " ".join(" ".join(texts).split())
