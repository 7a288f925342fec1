"""Machine-translation plug-ins, known by the marks that they leave in a page."""

from __future__ import annotations

from typing import Any

from lxml.etree import XPath
from lxml.html import HtmlElement

_MARKS = {
    "google_translate_element": "google-translate",
    "translate_a/element.js": "google-translate",
    "translate.google": "google-translate",
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
    "microsofttranslator": "microsoft-translator",
}
"""What an element's id, or the address of a script or style sheet, contains: the plug-in that puts it there."""

_PLACES: Any = XPath("//@id | //script/@src | //link/@href | //meta[@name='generator']/@content", smart_strings=False)


def machine_translation(tree: HtmlElement) -> str | None:
    """Name of a machine-translation plug-in whose marks the page carries."""
    places = "\n".join(place[:1000] for place in _PLACES(tree)).lower()
    return next((plugin for mark, plugin in _MARKS.items() if mark in places), None)
