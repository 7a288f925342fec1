"""Footnotes that the markup puts into the midst of a sentence: their numbers stay, they go where they are printed."""

from __future__ import annotations

from lxml import etree

from extractors.blocks import Element


def leave_number(node: Element, number: str) -> None:
    """Put a number in the place of a note, which is out of the tree then; the text after it stays."""
    call = etree.Element("sup")
    call.text, call.tail, node.tail = number, node.tail, None
    parent = node.getparent()
    if parent is not None:
        parent.replace(node, call)


def put_number(node: Element, number: str) -> None:
    """Put a number before the text of a note."""
    label = etree.Element("label")
    label.text, label.tail, node.text = number, node.text, None
    node.insert(0, label)
