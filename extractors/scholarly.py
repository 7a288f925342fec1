"""The parts of scholarly articles, whatever their vocabulary: sections by their place, annexes and notes by number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from lxml import etree

from extractors.blocks import Element, Layout, Span, marked_text, name_of

Section = tuple[int, str, str | None, str | None]
"""As in `Extract.sections`: start, kind, anchor, heading."""

_ANCHORS = {"title": "tit", "annex": "anx", "note": "ntr"}


def parts(
    node: Element, layout: Layout, kinds: Mapping[str, str], headings: frozenset[str], counts: Counter[str]
) -> tuple[str, list[Section]]:
    """Text below `node`, and its parts: `kinds` tells by name of element what is a part, `headings` what names it.

    A section is known by its place, `sec_2.1`, which is the same in a translation of the article; those of an annex
    are `anx_1.1`. `counts` go on from one node to the next.
    """
    marks: dict[Element, tuple[str, str | None]] = {}
    places: dict[Element, str] = {}
    for part in node.iter(etree.Element):
        name, parent = name_of(part), part.getparent()
        kind = kinds.get(name)
        if kind == "section":
            above = places.get(parent)
            place = f"{above}." if above else "sec_"
            counts[place] += 1
            places[part] = f"{place}{counts[place]}"
            marks[part] = (kind, places[part])
        elif kind:
            counts[kind] += 1
            anchor = f"{_ANCHORS[kind]}_{counts[kind]}" if kind in _ANCHORS else None
            marks[part] = (kind, anchor)
            if kind == "annex" and anchor:
                places[part] = anchor
        elif name in headings and parent in marks:
            marks[part] = ("heading", None)
    text, spans = marked_text(node, layout, marks)
    return text, list(_named(text, spans, marks))


def _named(text: str, spans: list[Span], marks: dict[Element, tuple[str, str | None]]) -> Iterator[Section]:
    """Sections with their headings: the number and title at their start."""
    for at, (start, _, node) in enumerate(spans):
        kind, anchor = marks[node]
        if kind == "heading":
            continue
        last = start
        for begin, end, part in spans[at + 1 : at + 4]:
            if part.getparent() is node and marks[part][0] == "heading" and begin <= last + 1:
                last = end
        yield start, kind, anchor, text[start:last].replace("\n", " ") or None
