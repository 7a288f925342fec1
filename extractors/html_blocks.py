"""The blocks of a part of a page, and these as plain text and as Markdown."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import NamedTuple

from extractors.html_tree import CELLS, HEADINGS, INLINE, LISTS, Node

ENDS = tuple('.!?。！？…:：;；”»"）)')
"""What a sentence ends in, and hardly a label."""
_LABEL = 40
_SENTENCE, _SENTENCES = 60, 100
_LINKED = 0.5
"""Share of links from which a block is links and not text."""
_MARKDOWN = re.compile(
    r"([\\`*_\[\]<]|&(?=#?\w{1,32};)|~~)"
    r"|^(\s*)(?:(\d{1,9})(?=[.)](?:\s|$))|(?=#{1,6}(?:\s|$)|>|[+-](?:\s|$)|-{2,}$|=+$))",
    re.M,
)


_CLOSING = re.compile(r"(?<= )(?=#+$)")


class Block(NamedTuple):
    """A paragraph, heading, list item, quotation, code listing, table row, or loose text of a container."""

    kind: str
    """`p`, `head`, `item`, `quote`, `pre`, `row` or `box` (loose text)."""
    text: str
    links: float = 0.0
    """Share of its characters that are links."""
    level: int = 0
    """Of a heading 1 to 6, of a list item its depth from 1, of a row the number of its table."""
    number: int = 0
    """Of the first block of an item of a numbered list."""
    cells: tuple[str, ...] = ()
    starts: bool = False
    """Whether it is the first of its item."""


class _Writer:
    """Gathers inline pieces into blocks."""

    def __init__(self, core: int) -> None:
        self.core = core
        self.blocks: list[Block] = []
        self.pieces: list[str] = []
        self.linked = 0
        self.kinds = ["box"]
        self.lists: list[list[int]] = []
        """Per open list, whether it is numbered and how many items it had."""
        self.fresh = False
        """Whether an item was opened and has no block yet."""
        self.level = 0
        self.row: list[str] | None = None
        self.at = 0

    def flush(self) -> None:
        text, linked = "".join(self.pieces), self.linked
        self.pieces.clear()
        self.linked = 0
        if not text or text.isspace():
            return
        kind = self.kinds[-1]
        if kind == "pre":
            self._add(Block(kind, text.strip("\n")))
            return
        text = "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)
        links = linked / len(text)
        if self.at < self.core and kind != "head" and (len(text) < _SENTENCE or links > 0.3):
            return  # between the heading and the main part only what reads like a standfirst
        if kind == "item":
            numbered, count = self.lists[-1] if self.lists else (0, 0)
            self._add(Block(kind, text, links, max(1, len(self.lists)), count * numbered, (), self.fresh))
            self.fresh = False
        else:
            self._add(Block(kind, text, links, self.level if kind == "head" else 0))

    def _add(self, block: Block) -> None:
        self.blocks.append(block)

    def open(self, node: Node) -> bool:
        """Enter a block-level node; whether `close` must follow."""
        tag = node.tag
        if self.row is not None:
            self.pieces.append(" ")
            if tag in CELLS:
                self._end_cell(always=False)
            return tag in CELLS
        self.flush()
        kind = self.kinds[-1]
        if tag == "tr":
            self.row = []
        elif tag in LISTS:
            self.lists.append([tag == "ol", 0])
        elif tag in ("li", "dt", "dd"):
            kind = "item"
            self.fresh = True
            if self.lists:
                self.lists[-1][1] += 1
        elif tag in HEADINGS or tag == "summary":
            kind, self.level = "head", int(tag[1]) if tag in HEADINGS else 3
        elif tag in ("pre", "blockquote"):
            kind = "pre" if tag == "pre" else "quote"
        elif tag == "p" and kind == "box":
            kind = "p"
        elif kind in ("p", "head") and tag != "p":
            kind = "box" if kind == "p" else kind
        self.kinds.append(kind)
        return True

    def close(self, node: Node, table: int) -> None:
        tag = node.tag
        if self.row is not None and tag in CELLS:
            self._end_cell(always=True)
            return
        if self.row is not None:
            self._end_cell(always=False)
            cells = [cell for cell in self.row if cell]
            text = " | ".join(cells)
            if text:
                self._add(Block("row", text, min(1.0, self.linked / len(text)), table, 0, tuple(self.row)))
            self.row, self.linked = None, 0
        else:
            self.flush()
            if tag in LISTS:
                self.lists.pop()
        self.kinds.pop()

    def _end_cell(self, always: bool) -> None:
        text = " ".join("".join(self.pieces).split())
        self.pieces.clear()
        if self.row is not None and (text or always):
            self.row.append(text)


def blocks(root: Node, loose: bool, start: int = 0, stop: int = 1 << 62, core: int = 0) -> list[Block]:
    """The blocks of the living nodes below `root` from place `start` to before `stop`, in document order.

    `loose`: text that stands in no paragraph is taken too, where it reads like text. Before place `core` only
    headings and longer text is.
    """
    writer = _Writer(core)
    writer.at = root.at
    todo: list[tuple[Node | str, int]] = [(kid, 0) for kid in reversed(root.kids)]
    table = 0
    while todo:
        item, closing = todo.pop()
        if type(item) is str:
            if start <= writer.at < stop:
                writer.pieces.append(item)
            continue
        assert isinstance(item, Node)
        if closing:
            writer.close(item, closing)
            continue
        if item.dead or item.at >= stop or item.at + item.size <= start or _is_anchor(item):
            continue
        if item.tag == "table":
            table = item.at
        if item.tag in INLINE:
            writer.at = item.at
            writer.linked += item.text if item.tag == "a" else 0
        else:
            if writer.open(item):
                todo.append((item, table or 1))
            else:
                todo.append((" ", 0))
            writer.at = item.at
        todo.extend([(kid, 0) for kid in reversed(item.kids)])
    writer.flush()
    found = writer.blocks
    return _trimmed(_read_like_text(found) if loose else [block for block in found if _is_text(block)])


def _is_text(block: Block) -> bool:
    """Whether a block is more than loose text, or loose text of several lines or whole sentences."""
    if block.kind != "box" or "\n" in block.text:
        return True
    return len(block.text) >= _SENTENCES and block.links < 0.3 and block.text.endswith(ENDS)


def _is_anchor(node: Node) -> bool:
    """Whether a link only names the place where it stands."""
    return node.tag == "a" and node.text == 1 and "".join(map(str, node.kids)).strip() in ("#", "¶", "§")


def _read_like_text(found: list[Block]) -> list[Block]:
    """Without the loose text that is links or labels, but with a label between two blocks that stay."""
    good = [b.kind != "box" or (b.links < _LINKED and (len(b.text) >= _LABEL or b.text.endswith(ENDS))) for b in found]
    return [
        block
        for i, block in enumerate(found)
        if good[i] or (block.links < _LINKED and 0 < i < len(found) - 1 and good[i - 1] and good[i + 1])
    ]


def _trimmed(found: list[Block]) -> list[Block]:
    """Without headings at the end, and after an article without the links at its end."""
    prose = sum(len(b.text) for b in found if b.links < 0.3 and len(b.text) >= _SENTENCE)
    article = prose * 2 >= length(found)
    end = len(found)
    while end and (found[end - 1].kind == "head" or (article and found[end - 1].links > _LINKED)):
        end -= 1
    return found[:end]


def length(found: list[Block]) -> int:
    return sum(len(block.text) for block in found)


def plain(found: list[Block]) -> str:
    """NFC, a line a block or line break; the cells of a table row with ` | ` between them."""
    lines = unicodedata.normalize("NFC", "\n".join(block.text for block in found)).splitlines()
    return "\n".join(line for line in (line.rstrip() for line in lines) if line)


def markdown(found: list[Block]) -> str:
    """CommonMark with tables: the same blocks, an empty line between them except within lists and tables."""
    parts: list[str] = []
    for (kind, _), group in groupby(found, key=lambda b: (b.kind, b.level if b.kind == "row" else 0)):
        run = list(group)
        if kind == "row":
            parts.append(_table(run))
        elif kind == "item":
            parts.append("\n".join(map(_item, _nested(run))))
        else:
            parts += [_one(block) for block in run]
    return unicodedata.normalize("NFC", "\n\n".join(parts))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}{m[3] or ''}\\", text)


def _one(block: Block) -> str:
    if block.kind == "pre":
        ticks = max([2, *(len(run) for run in re.findall("`{3,}", block.text))]) + 1
        return f"{'`' * ticks}\n{block.text}\n{'`' * ticks}"
    text = _escaped(block.text)
    if block.kind == "head":
        # Signs at its end would be read as its closing ones.
        return f"{'#' * block.level} {_CLOSING.sub(chr(92) * 2, ' '.join(text.split()))}"
    if block.kind == "quote":
        return "\n".join(f"> {line}" for line in text.split("\n"))
    return text.replace("\n", "\\\n")


def _nested(run: list[Block]) -> list[Block]:
    """The items, each at most one level below the one before it: deeper ones would be code."""
    levels: list[int] = []
    found = []
    for block in run:
        while levels and levels[-1] > block.level:
            levels.pop()
        if not levels or levels[-1] < block.level:
            levels.append(block.level)
        found.append(block._replace(level=len(levels)))
    return found


def _item(block: Block) -> str:
    indent = "    " * (block.level - 1)
    mark = f"{block.number}." if block.number else "-"
    lead = f"{indent}{mark} " if block.starts else f"\n{indent}{' ' * (len(mark) + 1)}"
    return lead + _escaped(block.text).replace("\n", f"\\\n{indent}{' ' * (len(mark) + 1)}")


def _table(rows: list[Block]) -> str:
    width = max(len(row.cells) for row in rows)
    lines = ["| " + " | ".join(_escaped(c).replace("|", "\\|") for c in row.cells) + " |" * (1 + width - len(row.cells))
             for row in rows]  # fmt: skip
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
