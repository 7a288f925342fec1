"""A page as a light tree of its blocks and links, measured: what choosing the main part looks at.

It is read off the parsed page once and leaves that as it was. Nothing here recurses, so depth costs no stack.
"""

from __future__ import annotations

from typing import Any

from lxml.html import HtmlElement

from extractors import html_evidence
from extractors.html_evidence import COMMENTS, HIDDEN, JUNK, NEXT_PAGE, TEASER


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNSEEN = _names(
    "embed head iframe object script applet audio canvas map svg video area button datalist frame frameset link input "
    "menuitem optgroup option output param progress rp rt rtc select source style track textarea template"
)
"""Never text that a reader of the page sees, or nothing but controls."""
_ASIDE = _names(
    "aside fencedframe footer menu picture blink dialog fieldset label legend marquee nav noindex noscript time use"
)
"""Seldom main text; but authors, and parsers of broken markup, put whole pages into them."""
INLINE = _names(
    "span a b strong i em u s strike del ins font small big sub sup code tt kbd samp var abbr acronym cite q mark bdi "
    "bdo data dfn nobr ruby img wbr meta"
)
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
LISTS = {"ul", "ol", "dl"}
CELLS = {"td", "th"}
_TABLE = {"table", "thead", "tbody", "tfoot", "tr"} | CELLS
_INLINE_MARKS = html_evidence.JUNK | HIDDEN | TEASER | html_evidence.CAPTION

_SUSPECT = 0.1
_SENTENCE = 30
"""Characters from which a run of text is taken for prose; menus and labels are shorter."""
_LAYOUT_CELL, _LAYOUT_BLOCKS, _LAYOUT_SHARE = 150, 3, 0.6


class Node:
    """A block, a link, or an inline element whose name speaks against it; other inline elements are their text."""

    __slots__ = (
        "at", "dead", "kids", "last", "link", "links", "marks", "mass", "own", "parent", "prose", "shorts",
        "size", "tag", "text",
    )  # fmt: skip

    def __init__(self, tag: str, parent: Node | None, marks: int) -> None:
        self.tag = tag
        self.parent = parent
        self.marks = marks
        self.kids: list[Node | str] = []
        self.dead = False
        """Left out of the text, with all below it."""
        self.own = 0
        """Characters of its own text, not those of the nodes below it."""
        self.at = 0
        """Its place in document order; its `size` nodes (itself and those below) follow each other."""
        self.size = 1
        self.text = self.link = 0
        """Characters below it that are alive, and of these in links."""
        self.links = self.shorts = 0
        """Links with text below it; of these very short ones."""
        self.prose = 0
        """Characters of prose below it: runs of text of a sentence's length, without their links."""
        self.mass = 0.0
        """The same, where names speak against it counted less."""
        self.last: Node | None = None
        """Its last child that is alive."""


def read(tree: HtmlElement, anywhere: bool = False) -> list[Node]:
    """The page's nodes in document order, measured and weighed; the first is the page.

    `anywhere`: also what stands in asides, footers, menus and the like.
    """
    unseen = _UNSEEN if anywhere else _UNSEEN | _ASIDE
    top = Node("body", None, 0)
    nodes = [top]
    forum = _is_forum(tree)
    todo: list[tuple[Any, Node, bool]] = [(tree, top, False)]
    while todo:
        element, parent, verbatim = todo.pop()
        if type(element) is str:
            _add_text(parent, element, verbatim)
            continue
        if element.tail:
            todo.append((element.tail, parent, verbatim))
        tag = element.tag
        if type(tag) is not str or tag in unseen or (tag == "figure" and not anywhere and not _is_kept(element)):
            continue
        if tag in ("br", "hr"):
            parent.kids.append("\n")
            continue
        if tag == "math":
            _add_text(parent, _latex(element), False)
            continue
        node = parent
        if tag not in ("html", "body"):
            found = _node(element, tag, parent, forum)
            if found is None:
                continue
            node = found
        if node is not parent:
            parent.kids.append(node)
            nodes.append(node)
            verbatim = verbatim or tag == "pre"
        todo.extend([(child, node, verbatim) for child in reversed(element)])
        if element.text:
            todo.append((element.text, node, verbatim))
    for at, node in enumerate(nodes):
        node.at = at
    _settle(nodes)
    return nodes


def _is_forum(tree: HtmlElement) -> bool:
    """Whether comments are what the page is about."""
    return any("DiscussionForumPosting" in (s.text or "") for s in tree.iter("script") if "json" in s.get("type", ""))


def _is_kept(figure: HtmlElement) -> bool:
    return next(figure.iter("table", "pre", "blockquote"), None) is not None


def _latex(math: HtmlElement) -> str:
    source = next((a.text for a in math.iter("annotation") if "tex" in a.get("encoding", "")), None)
    latex = (source or math.get("alttext") or "").strip()
    return f"\\({latex}\\)" if latex else ""


def _add_text(parent: Node, text: str, verbatim: bool) -> None:
    if not text or text.isspace():
        parent.kids.append(text if verbatim else " ")
        return
    if not verbatim:
        body = " ".join(text.split())
        parent.own += len(body)
        text = f"{' ' if text[0].isspace() else ''}{body}{' ' if text[-1].isspace() else ''}"
    else:
        parent.own += len(text)
    parent.kids.append(text)


def _node(element: HtmlElement, tag: str, parent: Node, forum: bool) -> Node | None:
    """What becomes of an element: a node of its own, its parent (which takes its text), or None (left out)."""
    attributes = element.attrib
    marks = html_evidence.marks(tag, attributes) if attributes else html_evidence.bare(tag)
    if tag in INLINE:
        marks &= _INLINE_MARKS
        return Node(tag, parent, marks) if marks or tag == "a" else parent
    if (marks & NEXT_PAGE and element.find(".//h1") is None) or (marks & COMMENTS and not forum):
        return None
    if tag == "table" and attributes.get("role") in ("presentation", "none"):
        tag = "div"
    return Node(tag, parent, marks)


def _settle(nodes: list[Node]) -> None:
    """First measures: layout tables become containers, and a form is junk unless the page is one."""
    measure(nodes)
    _free_layout(nodes)
    top = nodes[0]
    for node in nodes:
        if node.tag == "form" and node.text <= top.text / 2:
            node.marks |= JUNK
    weigh(nodes)


def _free_layout(nodes: list[Node]) -> None:
    """Tables that only place parts of the page, known by tables or articles in their cells, become `div`s."""
    tables: dict[int, Node] = {}
    layout: set[Node] = set()
    for node in nodes:
        if node.parent is None or not (tables or node.tag == "table"):
            continue
        table = node.parent if node.parent.tag == "table" else tables.get(node.parent.at)
        if table is None:
            if node.tag == "table":
                tables[node.at] = node
            continue
        tables[node.at] = table
        if node.tag == "table" or (node.tag in CELLS and node.text >= _LAYOUT_CELL and _places(node, table)):
            layout.add(table)
    if layout:
        for node in nodes:
            if node.tag in _TABLE and (node if node.tag == "table" else tables.get(node.at)) in layout:
                node.tag = "div"


def _places(cell: Node, table: Node) -> bool:
    if cell.text > _LAYOUT_SHARE * table.text:
        return True
    return sum(isinstance(kid, Node) and kid.tag not in INLINE for kid in cell.kids) >= _LAYOUT_BLOCKS


def measure(nodes: list[Node]) -> None:
    """Take the measures of the nodes of one subtree, in document order; what is below the dead is dead."""
    first = nodes[0]
    for node in nodes:
        node.text, node.link, node.links, node.shorts, node.size, node.last = node.own, 0, 0, 0, 1, None
        parent = node.parent
        if parent is not None and node is not first:
            if parent.dead:
                node.dead = True
            elif not node.dead:
                parent.last = node
    for node in reversed(nodes):
        parent = node.parent
        if node is first or parent is None:
            break
        parent.size += node.size
        if node.dead:
            continue
        parent.text += node.text
        if node.tag == "a":
            parent.link += node.text
            parent.links += node.text > 0
            parent.shorts += 0 < node.text < 10
        else:
            parent.link += node.link
            parent.links += node.links
            parent.shorts += node.shorts


def weigh(nodes: list[Node]) -> None:
    """Find each node's prose and mass."""
    run, linked, worth = [0] * len(nodes), [0] * len(nodes), [1.0] * len(nodes)
    for node in nodes:
        parent = node.parent
        run[node.at] += node.own
        node.prose, node.mass = 0, 0.0
        if parent is None:
            continue
        discount = _SUSPECT if node.marks & (JUNK | HIDDEN | TEASER) else 1.0
        worth[node.at] = 0.0 if node.dead else min(worth[parent.at], discount)
        if node.tag in INLINE:
            run[parent.at] += node.text
            linked[parent.at] += node.text if node.tag == "a" else 0
    for node in reversed(nodes):
        length, links = run[node.at], linked[node.at]
        if node.tag not in INLINE and node.tag not in HEADINGS and length >= _SENTENCE and links < 0.3 * length:
            node.prose += length - links
            node.mass += (length - links) * worth[node.at]
        if node.parent is not None and not node.dead:
            node.parent.prose += node.prose
            node.parent.mass += node.mass


def revive(nodes: list[Node]) -> None:
    """Undo all deaths."""
    for node in nodes:
        node.dead = False
    measure(nodes)
