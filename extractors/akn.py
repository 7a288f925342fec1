"""Akoma Ntoso, the XML of parliaments and official journals.

The text is that of the act as it stands: passages marked as deleted are left out, so are the editor's notes on
amendments, which are metadata; notes of the act itself, in the midst of sentences, follow it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from lxml import etree

from extractors import act_parts
from extractors.act_parts import Section
from extractors.blocks import Element, block_text, marked_text, name_of, names
from extractors.footnotes import leave_number, put_number
from extractors.headings import annex_anchor, article_anchor
from extractors.markup import EXTRACTOR, XML_LAYOUT, damage, primary_subtag
from extractors.record import Extract

_INLINE = names(
    "date def docauthority docdate docnumber doctitle doctype location mod organization person quantity ref rref "
    "shorttitle term"
)
_LAYOUT = replace(XML_LAYOUT, inline=XML_LAYOUT.inline | _INLINE, drop=XML_LAYOUT.drop | {"del"})
_DIVISIONS = names("book part tome title subtitle chapter subchapter section subsection division subdivision")
_QUOTED = names("embeddedstructure quotedstructure embeddedtext quotedtext")
_COUNTED = {"recital": ("recital", "rct"), "authorialnote": ("note", "ntr")}
_TITLES = ("doctitle", "longtitle", "shorttitle")


def recognises(root: Element) -> bool:
    """Whether a tree is Akoma Ntoso."""
    return name_of(root) == "akomantoso"


def extract_tree(root: Element) -> Extract:
    """Text, parts, title, date of the act and language. The tree is changed."""
    repaired = damage(root)
    title = next((node for name in _TITLES for node in root.iter(etree.Element) if name_of(node) == name), None)
    language = next(iter(root.iter("{*}FRBRlanguage")), None)
    dates = [node.get("date") for work in root.iter("{*}FRBRWork") for node in work.iter("{*}FRBRdate")]
    _move_notes(root)
    text, sections = _text(root)
    return Extract(
        text=text,
        title=(block_text(title, _LAYOUT).replace("\n", " ") or None) if title is not None else None,
        date=next((date for date in dates if date and len(date) >= 4), None),
        language=primary_subtag(language.get("language")) if language is not None else None,
        sections=sections,
        extractor=EXTRACTOR,
        meta={"root": name_of(root), "articles": sum(section[1] == "article" for section in sections)}
        | ({"repaired": repaired} if repaired else {}),
    )


def _move_notes(root: Element) -> None:
    """Leave the numbers of the author's notes in their places, and put the notes after the act."""
    home = etree.SubElement(root, "endnotes")
    for count, node in enumerate(list(root.iter("{*}authorialNote")), 1):
        number = node.get("marker") or str(count)
        leave_number(node, number)
        put_number(node, number)
        home.append(node)


def _text(root: Element) -> tuple[str, list[Section]]:
    marks: dict[Element, tuple[str, str | None]] = {}
    quoted: set[Element] = set()
    counts: Counter[str] = Counter()
    for node in root.iter(etree.Element):
        name, parent = name_of(node), node.getparent()
        if name in _QUOTED or parent in quoted:
            quoted.add(node)
        elif name == "article":
            number = next((child for child in node if name_of(child) == "num"), None)
            found = article_anchor(block_text(number, _LAYOUT)) if number is not None else None
            marks[node] = ("article", found[0] if found else _identifier(node))
        elif name in _COUNTED:
            kind, prefix = _COUNTED[name]
            counts[kind] += 1
            marks[node] = (kind, f"{prefix}_{counts[kind]}")
        elif name in ("num", "heading") and parent is not None and name_of(parent) in _DIVISIONS | {"article"}:
            kind = "article" if name_of(parent) == "article" else "section"
            marks[node] = (kind if name == "num" else "more", "")
        elif name in ("attachment", "annex", "component"):
            first = next(node.iter("{*}num", "{*}heading", "{*}docTitle", "{*}p"), None)
            found = annex_anchor(block_text(first, _LAYOUT)) if first is not None else None
            marks[node] = ("annex", found[0] if found else "anx_1")
    text, spans = marked_text(root, _LAYOUT, marks)
    return text, act_parts.of_marks(text, [(start, end, *marks[node]) for start, end, node in spans])


def _identifier(node: Element) -> str:
    found = article_anchor((node.get("eId") or node.get("id") or "").replace("_", " "))
    return found[0] if found else ""
