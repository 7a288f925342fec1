"""The block walker: from an XML or HTML tree to lines of text, without recursion.

Elements are known by their lower-case local name, so that one vocabulary table serves documents with and
without namespaces.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from lxml import etree

Element = Any
"""An `lxml.etree._Element`."""
Span = tuple[int, int, Element]
"""Start and end in a text, and the element that stands there."""

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
    return marked_text(element, layout, ())[0]


def marked_text(element: Element, layout: Layout, marked: Collection[Element]) -> tuple[str, list[Span]]:
    """The text of `block_text`, and where each element of `marked` that has text stands in it.

    Spans come in the order of their starts, an outer element before an inner one. A span starts with the first
    character of its element and ends with its last. Give a set or a dict: every element is looked up in it.
    """
    lines = _Lines()
    stack = [_start(element, None, layout, lines)]
    found: list[tuple[int, int, Element]] = []
    while stack:
        top = stack[-1]
        child = next(top.children, None)
        if child is None:
            if marked and top.node in marked and len(lines.parts) > top.mark:
                found.append((top.mark, len(lines.parts), top.node))
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
    return _joined(lines.parts, found)


def _joined(parts: list[str], found: list[tuple[int, int, Element]]) -> tuple[str, list[Span]]:
    """Composed text of the pieces, and the marked elements in it, given by their first piece and the one after.

    Texts and gaps take turns, a text first, so that an element but the first begins with a gap. Where that is empty
    the element begins inside a word, and has no start.
    """
    text = "".join(parts)
    if not unicodedata.is_normalized("NFC", text):
        parts = _composed(parts)
        text = "".join(parts)
    if not found:
        return text, []
    ends = [0, *accumulate(map(len, parts))]
    found.reverse()  # An outer element ends last: where both are of one extent, it is to come first.
    found.sort(key=lambda span: (span[0], -span[1]))
    return text, [
        (ends[first + 1] if first else 0, ends[last], node) for first, last, node in found if not first or parts[first]
    ]


def _composed(parts: list[str]) -> list[str]:
    """The pieces in NFC. Nothing composes with a gap, so that only pieces without one between go together."""
    starts = [at for at in range(0, len(parts), 2) if not at or parts[at - 1]]
    composed = [part if at % 2 else "" for at, part in enumerate(parts)]
    for start, end in pairwise([*starts, len(parts)]):
        composed[start] = unicodedata.normalize("NFC", "".join(parts[start:end:2]))
    return composed


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
