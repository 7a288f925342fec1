"""Machine-translation plug-ins, known by the marks that they leave in a page.

Widgets that translate in the reader's browser (Google's, Microsoft's) are left out: what was archived is the
original.
"""

from __future__ import annotations

from typing import Any

from lxml.etree import XPath
from lxml.html import HtmlElement

_MARKS = {
    "gtranslate": "gtranslate",
    "translatepress": "translatepress",
    "trp-language-switcher": "translatepress",
    "wp-translate": "wp-translate",
    "wp_translate": "wp-translate",
    "qtranslate": "qtranslate-x",
    "qtranxs": "qtranslate-x",
    "weglot": "weglot",
    "conveythis": "conveythis",
    "transposh": "transposh",
    "linguise": "linguise",
    "autoglot": "autoglot",
    "localizejs.com": "localize",
    "bablic.com": "bablic",
    "cdn.transifex.com": "transifex-live",
}
"""What an element's id, or the address of a script or style sheet, contains: the plug-in that puts it there."""

# Other links (canonical, alternate) name pages, and a page about a plug-in may have its name in the address.
_PLACES: Any = XPath(
    "//@id | //script/@src | //link[contains(@rel, 'stylesheet') or @as='style' or @as='script']/@href"
    " | //meta[@name='generator']/@content",
    smart_strings=False,
)


def machine_translation(tree: HtmlElement) -> str | None:
    """Name of a machine-translation plug-in whose marks the page carries."""
    places = "\n".join(place[:1000] for place in _PLACES(tree)).lower()
    return next((plugin for mark, plugin in _MARKS.items() if mark in places), None)
