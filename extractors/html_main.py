"""Which part of a page is its main text: found by names first, by where the prose is where names fail."""

from __future__ import annotations

from typing import NamedTuple

from lxml.html import HtmlElement

from extractors.html_blocks import Block, blocks, length
from extractors.html_evidence import ARTICLE, ARTICLE_TAG, CAPTION, CONTENT, HIDDEN, JUNK, MAIN, STORY, TEASER
from extractors.html_tree import INLINE, LISTS, Node, measure, read, revive

ENOUGH = 250
"""Characters of main text below which another way of finding it is tried."""
_SURE, _UNSURE = (ARTICLE, ARTICLE_TAG), (STORY, CONTENT, MAIN)
_UNSURE_MARKS = STORY | CONTENT | MAIN
_NAMED = 0.1
_MOSTLY_LOOSE = 0.7
_SLIGHT = 0.2
_SHORT = 1500
_CORE = 0.55
"""Share of the prose of a page that the smallest element with its main text holds."""
_ALL_PROSE, _NO_LINKS = 0.5, 0.05
_HELD = 0.3
"""Share of the main part's prose that shows a block to be part of it, whatever its name and links."""
_MUCH, _TOO_MUCH, _SLIVER = 0.5, 0.5, 0.02
_LEAVES = {"p", "li", "ul", "ol", "dl", "dd", "dt", "blockquote", "pre", "table"}


class Part(NamedTuple):
    """A part of a page taken for its main text."""

    blocks: list[Block]
    """Few or none where the page seems to have no main text."""
    nodes: list[Node]
    """The page."""
    at: int
    """Place of the part among them."""

    @property
    def length(self) -> int:
        return length(self.blocks)


def main(tree: HtmlElement) -> Part:
    """The main text of a page."""
    nodes = read(tree)
    best = _by_name(nodes, _SURE)
    found = best.length
    if found < ENOUGH or (found < _SHORT and found < _SLIGHT * nodes[0].mass):
        other = _by_prose(nodes)
        if other.length > found if found < ENOUGH else found < _SLIGHT * other.length:
            best = other
    if best.length < ENOUGH:
        best = max(best, _by_name(nodes, _UNSURE), key=lambda part: part.length)
    if best.length < ENOUGH:
        best = max(best, _by_prose(read(tree, anywhere=True)), key=lambda part: part.length)
    return best


def _by_name(nodes: list[Node], marks: tuple[int, ...]) -> Part:
    """The text of the first element that has one of the marks and, the marks tried in turn, more than one block."""
    revive(nodes)
    for mark in marks:
        root = next((node for node in nodes if node.marks & mark and not node.dead), None)
        if root is None:
            continue
        _prune(nodes, root, root)
        found = blocks(root, False)
        if length(found) < _MOSTLY_LOOSE * root.text:
            with_loose = blocks(root, True)
            if length(with_loose) > 1.5 * length(found):
                found = with_loose
        if len(found) > 1:
            return Part(found, nodes, root.at)
    return Part([], nodes, 0)


def _by_prose(nodes: list[Node]) -> Part:
    """The text around which most prose of the page stands, from the page's heading on."""
    revive(nodes)
    core = _core(nodes)
    named = next((n for n in nodes if n.marks & _UNSURE_MARKS and n.text > _NAMED * nodes[0].text), None)
    if named is not None and (core is nodes[0] or not (_holds(named, core) or _holds(core, named))):
        core = named
    heading = None
    for node in nodes[: core.at]:
        if node.tag == "h1" and node.text:
            heading = node
    if heading is None:
        _prune(nodes, core, core)
        return Part(blocks(core, True), nodes, core.at)
    root = core
    while root.at > heading.at and root.parent is not None:
        root = root.parent
    _prune(nodes, root, core)
    return Part(blocks(root, True, heading.at, core.at + core.size, core.at), nodes, core.at)


def _holds(outer: Node, inner: Node) -> bool:
    return outer.at <= inner.at < outer.at + outer.size


def _core(nodes: list[Node]) -> Node:
    """The smallest element with most of the page's prose, and what surrounds it as long as that is prose."""
    core = nodes[0]
    least = _CORE * core.mass
    while core.mass > 0:
        inner = (kid for kid in core.kids if isinstance(kid, Node) and kid.tag not in INLINE)
        best = max(inner, key=lambda kid: kid.mass, default=None)
        if best is None or best.mass < least or best.tag in _LEAVES:
            break
        core = best
    while (outer := core.parent) is not None:
        more = outer.text - core.text
        if outer.link - core.link > _NO_LINKS * more or outer.mass - core.mass < _ALL_PROSE * more:
            break
        core = outer
    return core


def _prune(nodes: list[Node], root: Node, core: Node) -> None:
    """Kill what is not main text below `root`: by name, then by density of links. `core` holds most of the text."""
    below = nodes[root.at : root.at + root.size]
    _prune_by_name(below, root, core)
    measure(below)
    for _ in range(2):
        for tags in ({"div"}, LISTS, {"p"}):
            gone = False
            for node in below:
                if node.tag in tags and not node.dead and node is not root and node.text and node.links:
                    gone |= _kill_links(node, core)
            if gone:
                measure(below)
    for node in below:
        if node.tag == "table" and node.text >= 200 and node.link > (0.8 if node.text < 1000 else 0.5) * node.text:
            node.dead = True
    measure(below)


def _prune_by_name(below: list[Node], root: Node, core: Node) -> None:
    outer: list[Node] = []
    end = 0
    for node in below[1:]:
        if node.at < end or node.dead or not node.marks & (JUNK | HIDDEN):
            continue
        kept = not node.marks & HIDDEN and node.prose >= _MUCH * core.prose and node.link < 0.3 * node.text
        if kept or (core is not root and _holds(node, core)):
            continue
        outer.append(node)
        end = node.at + node.size
    if sum(node.prose for node in outer) > _TOO_MUCH * core.prose:
        # Tabs and slides of a page hold its text under such names.
        outer = [node for node in outer if node.prose < _SLIVER * core.prose or node.link > 0.4 * node.text]
    if root.text - sum(node.text for node in outer) > root.text / 7:
        for node in outer:
            node.dead = True
    for node in below[1:]:
        if node.marks & (TEASER | CAPTION):
            node.dead = True


def _kill_links(node: Node, core: Node) -> bool:
    """Kill a block that is links, or a short one of several parts among links; whether it was."""
    if node.prose >= _HELD * core.prose or _holds(node, core):
        return False
    links, short = _is_links(node)
    if not links and short and node.tag == "div" and node.text < 100:
        links = sum(type(kid) is not str for kid in node.kids) >= 3
    if links and not (
        node.tag == "p" and node.parent is not None and node.parent.tag in ("li", "td", "th", "dd", "dt")
    ):
        node.dead = True
    return node.dead


def _is_links(node: Node) -> tuple[bool, bool]:
    """Whether a block is links and not text, and whether it is so short that a few links make it so."""
    text, link, links = node.text, node.link, node.links
    if links == 1 and link > 100 and link > 0.9 * text:
        return True, False
    last = node.parent is not None and node.parent.last is node
    limit = (60 if last else 30) if node.tag == "p" else 300 if last else 100
    if text < limit:
        return link > 0.8 * text or (links > 1 and node.shorts > 0.8 * links), True
    return links > 4 and 0.9 * text < link < 100 * links, False
