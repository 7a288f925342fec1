"""Blocks of text to a PDF: running heads, justified text hyphenated at line ends, one or two columns, footnotes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple
from xml.sax.saxutils import escape

BODY, BOLD, ITALIC = "Times-Roman", "Times-Bold", "Times-Italic"
_MARGIN = 60.0
_GUTTER = 18.0
_NOTE_BAND = 50.0

_VOWELS = "aeiouyàâäáãåæéèêëíìîïóòôöõœúùûü"
_CONSONANTS = "bcdfghjklmnpqrstvwxzçñß"
_ONSET = rf"sch|[bcfgkp]l|[bcdfgptv]r|[cpst]h|ck|gn|[{_CONSONANTS}]"
_BREAK = re.compile(rf"(?<=[{_VOWELS}])[{_CONSONANTS}]*?({_ONSET})(?=[{_VOWELS}])", re.IGNORECASE)


class Block(NamedTuple):
    """A piece of a page. `text` may hold note marks such as `[^1]`; `rows` is for tables, first row the header."""

    kind: Literal["title", "centre", "heading", "paragraph", "item", "small", "table", "note"]
    text: str = ""
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Layout:
    """How the pages look. Lengths are in points; `{page}` in a head stands for the page number."""

    heads: tuple[str, str, str]
    """Left, middle and right part of the running head."""
    columns: int = 1
    size: float = 10.0
    first_page: int = 1
    password: str | None = None
    """Needed to open the file, where given."""
    page: tuple[float, float] = (595.3, 841.9)
    """Width and height of the paper: A4."""

    @property
    def inner(self) -> float:
        """Width between the margins."""
        return self.page[0] - 2 * _MARGIN

    @property
    def column(self) -> float:
        """Width of a column."""
        return (self.inner - (self.columns - 1) * _GUTTER) / self.columns


def typeset(lead: Sequence[Block], blocks: Sequence[Block], layout: Layout) -> bytes:
    """PDF of `lead`, over the full width of the first page, and `blocks`, in columns below it and on further pages.

    The same arguments give the same bytes. Notes are set at the foot of the page on which they are met.
    """
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.platypus import BaseDocTemplate, FrameBreak, NextPageTemplate

    notes = any(block.kind == "note" for block in blocks)
    top = [flowable for block in lead for flowable in _flowables(block, layout)]
    flow = [flowable for block in blocks for flowable in _flowables(block, layout)]
    buffer = io.BytesIO()
    secret = StandardEncryption(layout.password, strength=128) if layout.password else None
    title = "".join(block.text for block in lead[:1])
    document = BaseDocTemplate(buffer, pagesize=layout.page, invariant=1, encrypt=secret, title=title)
    document.addPageTemplates(_templates(top, layout, notes))
    document.build([NextPageTemplate("next"), *top, FrameBreak(), *flow])
    return buffer.getvalue()


def hyphenate(text: str) -> str:
    """`text` with a soft hyphen at each place where a word of seven letters or more may be broken.

    A rule of thumb for the Latin alphabet, no dictionary: a break lies before the last consonant, or the last
    consonants that may begin a syllable together, between two vowels; three letters stay on either side.
    """
    return re.sub(rf"[{_VOWELS}{_CONSONANTS}]{{7,}}", lambda match: _broken(match[0]), text, flags=re.IGNORECASE)


def _broken(word: str) -> str:
    cuts = [found.start(1) for found in _BREAK.finditer(word) if 3 <= found.start(1) <= len(word) - 3]
    return "\u00ad".join(word[start:end] for start, end in zip([0, *cuts], [*cuts, len(word)], strict=True))


@cache
def _style(kind: str, size: float) -> Any:
    from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
    from reportlab.lib.styles import ParagraphStyle

    base = ParagraphStyle(
        "paragraph", fontName=BODY, fontSize=size, leading=size * 1.22, spaceAfter=size * 0.5, alignment=TA_JUSTIFY,
        embeddedHyphenation=1,
    )  # fmt: skip
    small = size * 0.85
    changes: dict[str, dict[str, Any]] = {
        "title": {"fontName": BOLD, "fontSize": size * 1.3, "leading": size * 1.6, "alignment": TA_CENTER},
        "centre": {"fontName": ITALIC, "alignment": TA_CENTER},
        "heading": {"fontName": BOLD, "alignment": TA_CENTER, "spaceBefore": size * 0.6, "keepWithNext": 1},
        "item": {"leftIndent": size * 2, "bulletFontName": BODY, "bulletFontSize": size},
        "small": {"fontSize": small, "leading": small * 1.2, "leftIndent": size, "rightIndent": size},
        "cell": {"fontSize": small, "leading": small * 1.2, "alignment": 0, "spaceAfter": 0},
        "note": {"fontSize": size * 0.8, "leading": size * 0.95, "spaceAfter": 2},
    }
    return ParagraphStyle(kind, parent=base, **changes.get(kind, {}))


def _markup(text: str, kind: str = "paragraph") -> str:
    if kind not in ("title", "heading", "centre"):
        text = hyphenate(text)
    return re.sub(r"\[\^(\d+)\]", r"<super>\1</super>", escape(text))


def _flowables(block: Block, layout: Layout) -> list[Any]:
    from reportlab.platypus import Paragraph, Spacer

    style = _style(block.kind, layout.size)
    if block.kind == "table":
        return [_table(block.rows, layout), Spacer(1, layout.size)]
    if block.kind == "note":
        return [_note(block.text, style)]
    if block.kind == "item":
        mark, _, text = block.text.partition(" ")
        return [Paragraph(_markup(text), style, bulletText=mark)]
    return [Paragraph(_markup(block.text, block.kind), style)]


def _table(rows: Sequence[Sequence[str]], layout: Layout) -> Any:
    from reportlab.lib.colors import black
    from reportlab.platypus import Paragraph, Table

    style = _style("cell", layout.size)
    cells = [[Paragraph(escape(cell), style) for cell in row] for row in rows]
    table = Table(cells, colWidths=[layout.column / len(rows[0])] * len(rows[0]), repeatRows=1)
    table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, black), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    return table


def _note(text: str, style: Any) -> Any:
    from reportlab.platypus import Flowable

    class Note(Flowable):  # type: ignore[misc]
        """Takes no room in the column: the page sets what it has met when it ends."""

        def wrap(self, width: float, height: float) -> tuple[float, float]:
            return 0.0, 0.0

        def draw(self) -> None:
            self.canv.__dict__.setdefault("notes", []).append((text, style))

    return Note()


def _templates(top: Sequence[Any], layout: Layout, notes: bool) -> list[Any]:
    from reportlab.platypus import Frame, PageTemplate

    bottom = _MARGIN + (_NOTE_BAND if notes else 0.0)
    room = layout.page[1] - _MARGIN - 20 - bottom
    taken = 4 + sum(f.wrap(layout.inner, room)[1] + f.getSpaceBefore() + f.getSpaceAfter() for f in top)

    def columns(tall: float) -> list[Any]:
        return [
            Frame(_MARGIN + n * (layout.column + _GUTTER), bottom, layout.column, tall, 0, 0, 0, 0)
            for n in range(layout.columns)
        ]

    def furniture(canvas: Any, _document: Any) -> None:
        _draw_furniture(canvas, layout)

    head = Frame(_MARGIN, bottom + room - taken, layout.inner, taken, 0, 0, 0, 0)
    return [
        PageTemplate("first", [head, *columns(room - taken)], onPageEnd=furniture),
        PageTemplate("next", columns(room), onPageEnd=furniture),
    ]


def _draw_furniture(canvas: Any, layout: Layout) -> None:
    """The running head, and the notes met on this page."""
    from reportlab.platypus import Paragraph

    width, height = layout.page
    y = height - _MARGIN + 8
    left, middle, right = (
        head.replace("{page}", str(canvas.getPageNumber() - 1 + layout.first_page)) for head in layout.heads
    )
    canvas.setFont(BODY, layout.size * 0.85)
    canvas.drawString(_MARGIN, y, left)
    canvas.drawCentredString(width / 2, y, middle)
    canvas.drawRightString(width - _MARGIN, y, right)
    canvas.line(_MARGIN, y - 4, width - _MARGIN, y - 4)
    notes = canvas.__dict__.pop("notes", [])
    y = _MARGIN + _NOTE_BAND - 6
    if notes:
        canvas.line(_MARGIN, y, _MARGIN + 90, y)
    for text, style in notes:
        paragraph = Paragraph(_markup(text), style)
        y -= paragraph.wrap(layout.inner, _NOTE_BAND)[1] + 2
        paragraph.drawOn(canvas, _MARGIN, y)
