"""Web pages to main text, through trafilatura, and what a page says about itself."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from lxml.html import HtmlElement

from extractors import html_head
from extractors.encoding import decode
from extractors.record import Extract

_LARGE = 1 << 20
"""trafilatura's caches are bounded in entries, not in bytes: they are emptied after a page of this many characters."""


def extract(
    payload: bytes, *, url: str | None = None, charset: str | None = None, fetched: datetime | None = None
) -> Extract:
    """Main text of a page in trafilatura's default (balanced) mode, tables in, comments out.

    `charset` is what the transport declares, `url` helps to date the page, and no date after `fetched` is believed.
    A page without main text gives an empty text; `error` is set only where there is nothing to parse. `meta` has
    `encoding`, and what `html_head.read` puts there.
    """
    import trafilatura
    from trafilatura.meta import reset_caches

    _use_plain_elements()
    text, encoding = decode(payload, charset)
    tree = _parse(text)
    if tree is None:
        return Extract(extractor=_engine(), error=f"no markup and no text in {len(payload)} bytes")
    found = html_head.read(tree, url, fetched)
    found.extractor, found.meta["encoding"] = _engine(), encoding
    main = trafilatura.extract(tree, include_comments=False, include_tables=True, deduplicate=False)
    found.text = _tidy(main or "")
    if len(text) > _LARGE:
        reset_caches()
    return found


@cache
def _use_plain_elements() -> None:
    """Let the parser make plain HTML elements: lxml.html asks a Python function for the class of each one."""
    from lxml import etree
    from lxml.html import HtmlComment, HtmlEntity, HtmlProcessingInstruction
    from trafilatura.utils import HTML_PARSER

    HTML_PARSER.set_element_class_lookup(
        etree.ElementDefaultClassLookup(
            element=HtmlElement, comment=HtmlComment, pi=HtmlProcessingInstruction, entity=HtmlEntity
        )
    )


@cache
def _engine() -> str:
    return f"trafilatura {version('trafilatura')}"


def _parse(text: str) -> HtmlElement | None:
    from trafilatura import load_html

    if not text.strip():
        return None
    tree: Any = load_html(text)
    # A lone fragment is refused as no page; inside a page it is read.
    return tree if tree is not None else load_html(f"<html><body><div>{text}</div></body></html>")


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in unicodedata.normalize("NFC", text).splitlines())
    return "\n".join(line for line in lines if line)
