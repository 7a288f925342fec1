"""The block walker: from an XML or HTML tree to lines of text, without recursion.

Elements are known by their lower-case local name, so that one vocabulary table serves documents with and
without namespaces.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import etree

Element = Any
"""An `lxml.etree._Element`."""

_INVISIBLE = {0x00: None, 0xAD: None, 0xFEFF: None}


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def name_of(node: Element) -> str:
    """Lower-case local name of an element; empty for comments, processing instructions and entities."""
    return _local(node.tag) if isinstance(node.tag, str) else ""


def names(text: str) -> frozenset[str]:
    """Names written in a row."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Layout:
    """How a vocabulary's elements stand on the page, by lower-case local name.

    An element in no set is inline among text and a block elsewhere.
    """

    inline: frozenset[str] = frozenset()
    """Run on with their neighbours."""
    block: frozenset[str] = frozenset()
    """Stand on lines of their own, even among text."""
    spaced: frozenset[str] = frozenset()
    """Parts of one line (of a name, of a reference), parted by a space where no text stands between them."""
    lead: frozenset[str] = frozenset()
    """Numbers and labels: what follows continues their line."""
    rows: frozenset[str] = frozenset({"tr", "row", "tabligne"})
    cells: frozenset[str] = frozenset({"td", "th", "entry", "cell", "tabcelluled"})
    verbatim: frozenset[str] = frozenset({"pre", "preformat"})
    """Line ends inside are kept."""
    drop: frozenset[str] = frozenset()
    """Left out with all they hold."""


def _visible(text: str | None) -> str:
    return text.translate(_INVISIBLE) if text and not text.isascii() else text or ""


_GLUE = "+"
"""A gap that later line breaks do not widen: between a number and its paragraph, between cells."""


class _Lines:
    """Text being put together: pieces, and the gap due before the next one."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.gap = ""

    def write(self, text: str | None) -> None:
        text = _visible(text)
        if not text:
            return
        words = " ".join(text.split())
        if not words:
            self.gap = self.gap or " "
            return
        gap = " " if self.gap == _GLUE or (not self.gap and text[0].isspace()) else self.gap
        if self.parts:
            self.parts.append(gap)
        self.parts.append(words)
        self.gap = " " if text[-1].isspace() else ""

    def write_lines(self, text: str | None) -> None:
        for line in (text or "").splitlines(keepends=True):
            self.write(line)
            if line.endswith("\n"):
                self.gap = "\n"

    def soft_break(self) -> None:
        if self.gap != _GLUE:
            self.gap = "\n"


class _Open:
    """An element whose children are being walked."""

    __slots__ = ("_mixed", "children", "kind", "mark", "name", "node", "verbatim")

    def __init__(self, node: Element, name: str, kind: str, mark: int, verbatim: bool) -> None:
        self.node, self.name, self.kind, self.mark, self.verbatim = node, name, kind, mark, verbatim
        self.children: Iterator[Element] = iter(node)
        self._mixed: bool | None = None

    def mixed(self) -> bool:
        """Whether text stands among the children."""
        if self._mixed is None:
            texts = (self.node.text, *(child.tail for child in self.node))
            self._mixed = any(_visible(text).strip() for text in texts)
        return self._mixed


def block_text(element: Element, layout: Layout) -> str:
    """Text of an element without its tail: one line a block, white space collapsed, NFC.

    Cells of a row share its line, and a number shares the line of its paragraph. Depth costs no stack.
    """
    lines = _Lines()
    stack = [_start(element, None, layout, lines)]
    while stack:
        top = stack[-1]
        child = next(top.children, None)
        if child is None:
            _end(stack.pop(), layout, lines)
            if stack:
                _write(lines, top.node.tail, stack[-1].verbatim)
            continue
        name = name_of(child)
        if name and name not in layout.drop:
            stack.append(_start(child, top, layout, lines))
            continue
        if name and _kind(name, top, layout) == "block":
            lines.soft_break()
        elif child.tag is etree.Entity:
            lines.write(_character(child.text))
        _write(lines, child.tail, top.verbatim)
    return unicodedata.normalize("NFC", "".join(lines.parts))


def _write(lines: _Lines, text: str | None, verbatim: bool) -> None:
    (lines.write_lines if verbatim else lines.write)(text)


def _character(reference: str | None) -> str:
    """The character HTML gives that name, in any vocabulary; entities a document defines are not read."""
    text = html.unescape(reference or "")
    return text if len(text) <= 2 else ""


def _kind(name: str, parent: _Open | None, layout: Layout) -> str:
    if name in layout.inline:
        return "inline"
    if parent is None or name in layout.block or name in layout.rows or name in layout.cells:
        return "block"
    if name in layout.spaced:
        return "inline" if parent.mixed() else "spaced"
    return "inline" if name not in layout.lead and parent.mixed() else "block"


def _start(node: Element, parent: _Open | None, layout: Layout, lines: _Lines) -> _Open:
    name = name_of(node)
    kind = _kind(name, parent, layout)
    if parent and name in layout.cells and parent.name in layout.rows and len(lines.parts) > parent.mark:
        lines.gap = _GLUE
    elif kind == "block":
        lines.soft_break()
    elif kind == "spaced":
        lines.gap = lines.gap or " "
    verbatim = name in layout.verbatim or bool(parent and parent.verbatim)
    opened = _Open(node, name, kind, len(lines.parts), verbatim)
    _write(lines, node.text, verbatim)
    return opened


def _end(closed: _Open, layout: Layout, lines: _Lines) -> None:
    wrote = len(lines.parts) > closed.mark
    if wrote and closed.name in layout.lead:
        lines.gap = _GLUE
    elif closed.kind == "block":
        # An empty block must not part a number from its paragraph; a row's end always does.
        if wrote or closed.name in layout.rows:
            lines.gap = "\n"
        else:
            lines.soft_break()
    elif closed.kind == "spaced":
        lines.gap = lines.gap or " "
