"""Web pages to main text, as plain text and Markdown, and what a page says about itself."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from functools import cache
from html import unescape
from importlib.metadata import version
from typing import Any

from lxml.etree import ElementDefaultClassLookup, ErrorTypes, LxmlError, fromstring
from lxml.html import HtmlComment, HtmlElement, HtmlEntity, HTMLParser, HtmlProcessingInstruction

from extractors import html_blocks, html_dates, html_head, html_main
from extractors.encoding import decode
from extractors.html_blocks import Block
from extractors.record import Extract

_RULES = "florilege html 1"
"""Who reads pages; the number goes up when texts change."""
_LARGE = 1 << 20
"""Characters of a page beyond which trafilatura is not asked: its time is not bounded there, nor are its caches."""
_DOCTYPE = re.compile(r"^\s*<!DOCTYPE[^<>]{0,1000}>", re.I)
"""libxml2 stumbles over some; none tells it anything."""
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_NOTHING = b"<html><body></body></html>"
_TAG = re.compile(r"<[^<>]{0,1000}>")


def extract(
    payload: bytes, *, url: str | None = None, charset: str | None = None, fetched: datetime | None = None
) -> Extract:
    """Main text of a page as plain text and Markdown, tables in, comments out.

    Our own rules read it; where they find next to nothing, trafilatura's are asked too, and the longer text is taken.
    `charset` is what the transport declares, `url` helps to date the page, and no date after `fetched` is believed.
    A page without main text gives an empty text; `error` is set only where there is nothing to parse, or
    a limit of the parser left nothing of it. `meta` has
    `encoding`, and what `html_head.read` puts there.
    """
    text, encoding = decode(payload, charset)
    tree, limit = _parse(text)
    if tree is None:
        return Extract(extractor=_RULES, error=f"no markup and no text in {len(payload)} bytes")
    linked = html_head.linked_data(tree)
    found = html_head.read(tree, url, fetched, linked)
    found.extractor, found.meta["encoding"] = _RULES, encoding
    part = html_main.main(tree)
    main, size = part.blocks, part.length
    if not found.date:
        found.date = html_dates.near(part.nodes, part.at, found.language, html_head.latest_date(fetched))
    said = _said(linked)
    if sum(map(len, said)) > 2 * size:
        main = [Block("p", line) for line in said]
    elif size < html_main.ENOUGH and len(text) <= _LARGE and not limit:
        other = _by_trafilatura(tree)
        if len(other.text) > size:
            found.text, found.markdown, found.extractor = other.text, other.markdown, other.extractor
            return found
    found.markdown = html_blocks.markdown(main)
    found.text = html_blocks.plain(main[1:] if _is_title(main, found.title) else main)
    if limit and not found.text:
        found.error = f"html: {limit.partition(',')[0]}"
    return found


def _is_title(main: list[Block], title: str | None) -> bool:
    """Whether the first block is the title, which has its own place and is no part of the running text."""
    return bool(main) and main[0].kind == "head" and " ".join(main[0].text.split()) == title


def _said(linked: list[dict[str, Any]]) -> list[str]:
    """The article as the page's JSON-LD has it, for pages that show theirs by scripts only."""
    said = max(
        (item["articleBody"] for item in linked if isinstance(item.get("articleBody"), str)), key=len, default=""
    )
    lines = (" ".join(line.split()) for line in _TAG.sub("\n", unescape(said)).splitlines())
    # JSON may name half of a surrogate pair and control characters, which no file or table can hold.
    return [line.encode("utf-8", "replace").decode().replace("\0", "") for line in lines if line]


def _by_trafilatura(tree: HtmlElement) -> Extract:
    """What trafilatura's default mode makes of the page; `tree` is used up."""
    import trafilatura
    from trafilatura.xml import xmltotxt

    name = f"trafilatura {version('trafilatura')}"
    document: Any = trafilatura.bare_extraction(tree, include_comments=False, include_tables=True, deduplicate=False)
    if document is None:
        return Extract(extractor=name)
    text = unicodedata.normalize("NFC", document.text or "")
    lines = (line.rstrip() for line in text.splitlines())
    marked = unicodedata.normalize("NFC", xmltotxt(document.body, include_formatting=True)).strip()
    return Extract(text="\n".join(line for line in lines if line), markdown=marked, extractor=name)


@cache
def _parser(huge: bool) -> HTMLParser:
    """As trafilatura's, but with plain HTML elements: lxml.html asks a Python function for the class of each one."""
    parser = HTMLParser(
        collect_ids=False,
        default_doctype=False,
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=huge,
    )
    kinds = {"element": HtmlElement, "comment": HtmlComment, "pi": HtmlProcessingInstruction, "entity": HtmlEntity}
    parser.set_element_class_lookup(ElementDefaultClassLookup(**kinds))
    return parser


def _parse(text: str) -> tuple[HtmlElement | None, str | None]:
    """The page's tree, None where there is nothing, and which limit of the parser cut it off, None where none did.

    Parsers stop without a word 256 elements deep and in a run of 10 MB, which real pages reach by markup that they
    never close: such are read again with limits eight times and a hundred times as high.
    """
    if not text or text.isspace():
        return None, None
    markup = _NOT_XML.sub("", _DOCTYPE.sub("", text, count=1)).encode("utf-8", "surrogatepass")
    tree, limit = _attempt(markup, False)
    return _attempt(markup, True) if limit else (tree, None)


def _attempt(markup: bytes, huge: bool) -> tuple[HtmlElement, str | None]:
    parser = _parser(huge)
    tree: Any = None
    with suppress(LxmlError):
        tree = fromstring(markup, parser)
    last = parser.error_log.last_error
    if last is not None and last.type == ErrorTypes.ERR_NO_MEMORY:
        raise MemoryError("the parser ran out of memory")
    limit = last.message if last is not None and last.type == ErrorTypes.ERR_RESOURCE_LIMIT else None
    return tree if tree is not None else fromstring(_NOTHING, parser), limit
