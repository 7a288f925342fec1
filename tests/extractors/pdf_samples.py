"""PDFs drawn with reportlab, and lines as a page of plain type would have them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import closing

import pypdfium2
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf_layout import Page
from extractors.pdf_lines import Joined, join_lines
from extractors.pdf_page import Line, clean, plain_lines, read_page
from extractors.pdf_words import Vocabulary
from extractors.record import Extract

Draw = Callable[[Canvas], object]

WIDE = "The committee met on several occasions and heard the parties at some length about the"
"""A line of text that fills its column."""
PROSE = [
    "the",
    "court",
    "considered",
    "that",
    "a",
    "measure",
    "of",
    "this",
    "kind",
    "was",
    "bound",
    "to",
    "make",
    "trade",
    "between",
    "the",
    "member",
    "states",
    "more",
    "difficult",
    "and",
    "that",
    "no",
    "reason",
    "of",
    "general",
    "interest",
    "could",
    "justify",
    "it",
    "as",
    "the",
    "parties",
    "had",
    "said",
    "at",
    "the",
    "hearing",
    "while",
    "every",
    "trader",
    "had",
    "been",
    "free",
    "to",
    "choose",
    "where",
    "goods",
    "came",
    "from",
    "before",
    "those",
    "rules",
    "entered",
    "into",
    "force",
    "in",
    "spring",
]


def later(reason: str) -> pytest.MarkDecorator:
    """Marks what does not hold yet."""
    return pytest.mark.xfail(strict=True, reason=reason)


def drawn(*pages: Draw, size: tuple[float, float] = A4, **options: object) -> bytes:
    """A PDF whose pages these functions draw, in Helvetica of 8 points unless they say otherwise."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1, **options)
    for draw in pages:
        canvas.setFont("Helvetica", 8)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf(*pages: Sequence[str], draw: Draw = lambda canvas: None, **options: object) -> bytes:
    """A PDF with these lines on its pages, from the top, and what `draw` adds to each."""

    def page(lines: Sequence[str]) -> Draw:
        def both(canvas: Canvas) -> None:
            write(canvas, lines)
            draw(canvas)

        return both

    return drawn(*map(page, pages), **options)


def write(
    canvas: Canvas, lines: Sequence[str], x: float = 72, y: float = 780, size: float = 8, leading: float = 14
) -> None:
    """Write lines from a place downwards."""
    canvas.setFont("Helvetica", size)
    for i, line in enumerate(lines):
        canvas.drawString(x, y - leading * i, line)


def prose(lines: int, width: float = 200, size: float = 8, seed: int = 0) -> list[str]:
    """Lines of words, each as long as fits into `width`; of another order with each seed."""
    out: list[str] = []
    words = ""
    at = seed
    while len(out) < lines:
        word = PROSE[at * (2 * seed + 1) % len(PROSE)]
        at += 1
        if stringWidth(f"{words} {word}", "Helvetica", size) > width:
            out.append(words)
            words = word
        else:
            words = f"{words} {word}".strip()
    return out


def raised(canvas: Canvas, *pieces: str | tuple[str, float], x: float = 72, y: float = 700, size: float = 10) -> None:
    """Write one line of pieces; one with a rise in points is in smaller type."""
    text = canvas.beginText(x, y)
    for piece in pieces:
        words, rise = (piece, 0.0) if isinstance(piece, str) else piece
        text.setFont("Helvetica", 0.6 * size if rise else size)
        text.setRise(rise)
        text.textOut(words)
    canvas.drawText(text)


def spaced(canvas: Canvas, words: str, apart: float, y: float = 700) -> None:
    """Write letter-spaced words."""
    text = canvas.beginText(72, y)
    text.setFont("Helvetica", 10)
    text.setCharSpace(apart)
    text.textOut(words)
    canvas.drawText(text)


def turned(canvas: Canvas, angle: int, draw: Draw) -> None:
    """Draw what is upright on an A4 page that is shown turned by 0, 90, 180 or 270 degrees clockwise."""
    width, height = A4 if angle in (0, 180) else reversed(A4)
    canvas.setPageRotation(angle)
    canvas.translate(*{0: (0, 0), 90: (width, 0), 180: (width, height), 270: (0, height)}[angle])
    canvas.rotate(angle)
    draw(canvas)


def page_lines(draw: Draw, **options: object) -> list[Line]:
    """The lines of a page as it is drawn."""
    with closing(pypdfium2.PdfDocument(drawn(draw, **options))) as document, closing(document[0]) as page:
        return read_page(page)[0]


def set_lines(
    lines: Sequence[str], left: float = 72, top: float = 780, size: float = 8, leading: float = 14
) -> list[Line]:
    """Lines set one under the other, each letter half as wide as the type is high."""
    tops = (top - leading * i for i in range(len(lines)))
    return [
        Line(clean(line), left, high - size, left + 0.5 * size * len(clean(line)), high, size)
        for line, high in zip(lines, tops, strict=True)
    ]


def joined(*pages: str | Sequence[str]) -> Joined:
    """Pages whose lines have no places, joined."""
    lines = [plain_lines(page if isinstance(page, str) else "\n".join(page)) for page in pages]
    return join_lines([Page(page) for page in lines], Vocabulary(lines))


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]


def page_texts(result: Extract) -> list[str]:
    ends = [*result.page_offsets[1:], len(result.text)]
    return [result.text[a:b] for a, b in zip(result.page_offsets, ends, strict=True)]
