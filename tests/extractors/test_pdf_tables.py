"""Ruled tables as Markdown, once in the text; frames and drawings are none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import closing

import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf import extract
from extractors.pdf_page import Word
from extractors.pdf_tables import MAX_OBJECTS, MAX_RULINGS, Rulings, markdown, rulings, tables
from tests.extractors.pdf_samples import Draw, drawn, pdf, turned, write

Rows = Sequence[Sequence[str]]


RATES = (("Country", "Rate|%"), ("Malta", "18"))
TABLE = "| Country | Rate\\|% |\n| --- | --- |\n| Malta | 18 |"


def fill(canvas: Canvas, rows: Rows = RATES, top: float = 640) -> None:
    """Write cells, 100 points wide and 20 high."""
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            canvas.drawString(76 + 100 * j, top - 14 - 20 * i, cell)


def rule(canvas: Canvas, rows: int = 2, columns: int = 2, top: float = 640) -> None:
    for i in range(rows + 1):
        canvas.line(72, top - 20 * i, 72 + 100 * columns, top - 20 * i)
    for j in range(columns + 1):
        canvas.line(72 + 100 * j, top - 20 * rows, 72 + 100 * j, top)


def grid(canvas: Canvas) -> None:
    rule(canvas)
    fill(canvas)


def test_a_ruled_table_becomes_markdown_and_stays_in_the_text_once() -> None:
    result = extract(pdf(["Rates follow."], draw=grid))
    assert result.tables == TABLE
    assert result.text.count("Malta") == 1
    assert result.meta["tables"] == 1


def test_boxes_and_rules_are_no_table() -> None:
    def frame(canvas: Canvas) -> None:
        for inset in (20, 40, 60):
            canvas.rect(inset, inset, 500 - 2 * inset, 700 - 2 * inset)
        canvas.line(72, 500, 300, 500)

    result = extract(pdf(["Just a frame."], draw=frame))
    assert result.tables is None
    assert "tables_not_read" not in result.meta


def test_empty_grids_and_single_columns_are_no_tables() -> None:
    assert markdown([["a", "b|c\nd"], ["1", ""]]) == "| a | b\\|c d |\n| --- | --- |\n| 1 |  |"
    assert markdown([]) is None
    assert markdown([["a", "b"]]) is None
    assert markdown([["a"], ["b"]]) is None
    assert markdown([["a", "", "", ""], ["b", "", "", ""]]) is None


# Other ways to draw


def one_path(canvas: Canvas) -> None:
    path = canvas.beginPath()
    for y in (600, 620, 640):
        path.moveTo(72, y)
        path.lineTo(272, y)
    for x in (72, 172, 272):
        path.moveTo(x, 600)
        path.lineTo(x, 640)
    canvas.drawPath(path)
    fill(canvas)


def boxes(canvas: Canvas) -> None:
    for x in (72, 172):
        for y in (600, 620):
            canvas.rect(x, y, 100, 20)
    fill(canvas)


def thin_boxes(canvas: Canvas) -> None:
    for y in (600, 620, 640):
        canvas.rect(72, y, 200, 0.5, fill=1, stroke=0)
    for x in (72, 172, 272):
        canvas.rect(x, 600, 0.5, 40, fill=1, stroke=0)
    fill(canvas)


def shaded(canvas: Canvas) -> None:
    canvas.setFillGray(0.9)
    canvas.rect(72, 620, 200, 20, fill=1, stroke=0)
    canvas.setFillGray(0)
    grid(canvas)


def in_a_form(canvas: Canvas) -> None:
    canvas.beginForm("table")
    canvas.setFont("Helvetica", 8)
    grid(canvas)
    canvas.endForm()
    canvas.doForm("table")


@pytest.mark.parametrize("draw", [grid, one_path, boxes, thin_boxes, shaded, in_a_form])
def test_a_table_is_one_however_it_is_drawn(draw: Draw) -> None:
    assert extract(drawn(draw)).tables == TABLE


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_tables_of_turned_pages(angle: int) -> None:
    assert extract(drawn(lambda canvas: turned(canvas, angle, grid))).tables == TABLE


def test_cells_over_several_columns_and_rows() -> None:
    def merged(canvas: Canvas) -> None:
        for y in (580, 620, 640):
            canvas.line(72, y, 372, y)
        canvas.line(172, 600, 372, 600)
        for x in (72, 172, 372):
            canvas.line(x, 580, x, 640)
        canvas.line(272, 580, 272, 620)
        fill(canvas, [["Country", "Year and rate"], ["Malta", "1999", "18"], ["", "2000", "20"]])

    assert extract(drawn(merged)).tables == (
        "| Country | Year and rate |  |\n| --- | --- | --- |\n| Malta | 1999 | 18 |\n|  | 2000 | 20 |"
    )


def test_tables_of_a_page_come_from_the_top() -> None:
    def two(canvas: Canvas) -> None:
        rule(canvas, top=400)
        fill(canvas, [["c", "d"], ["3", "4"]], top=400)
        rule(canvas)
        fill(canvas, [["a", "b"], ["1", "2"]])

    result = extract(drawn(two, two))
    assert result.tables == "\n\n".join(
        ["| a | b |\n| --- | --- |\n| 1 | 2 |", "| c | d |\n| --- | --- |\n| 3 | 4 |"] * 2
    )
    assert result.meta["tables"] == 4


def test_words_over_line_ends_in_cells_are_joined() -> None:
    def wrapped(canvas: Canvas) -> None:
        for y in (580, 610, 640):
            canvas.line(72, y, 272, y)
        for x in (72, 172, 272):
            canvas.line(x, 580, x, 640)
        for y, words in ((630, "Country of"), (620, "the parties"), (600, "Agree-"), (590, "ment")):
            canvas.drawString(76, y, words)
        canvas.drawString(176, 626, "Rate")

    assert extract(drawn(wrapped)).tables == "| Country of the parties | Rate |\n| --- | --- |\n| Agreement |  |"


# Bounds


def ruled(level: int, upright: int) -> Rulings:
    """So many lines each way, four points apart."""
    wide, high = 4.0 * upright, 4.0 * level
    return Rulings(
        [(0.0, 4.0 * i, wide, 4.0 * i) for i in range(level)], [(4.0 * i, 0.0, 4.0 * i, high) for i in range(upright)]
    )


def test_too_many_rulings_and_crossings_are_refused() -> None:
    with pytest.raises(ValueError, match="rulings"):
        tables(ruled(MAX_RULINGS + 1, 3), [])
    with pytest.raises(ValueError, match="crossings"):
        tables(ruled(100, 100), [])


def test_a_page_with_too_many_crossings_keeps_its_text() -> None:
    def squared(canvas: Canvas) -> None:
        for i in range(58):
            canvas.line(10, 10 + 14 * i, 580, 10 + 14 * i)
            canvas.line(10 + 9 * i, 10, 10 + 9 * i, 820)

    result = extract(pdf(["Words on squared paper."], draw=squared))
    assert (result.text, result.tables, result.meta["tables_not_read"]) == ("Words on squared paper.", None, [1])


@pytest.mark.parametrize("level", [True, False])
def test_a_drawing_of_ten_thousand_lines_is_no_table(level: bool) -> None:
    def drawing(canvas: Canvas) -> None:
        draw = random.Random(1).uniform
        for i in range(10_000):
            x, y, length = draw(0, 595), draw(0, 842), draw(10, 100)
            lean = 0 if level else 5
            canvas.line(x, y, *((x + length, y + lean) if i % 2 else (x + lean, y + length)))

    payload = pdf(["Words on a drawing."], draw=drawing)
    result = extract(payload)
    assert (result.text, result.tables) == ("Words on a drawing.", None)
    with closing(pypdfium2.PdfDocument(payload)) as document, closing(document[0]) as page:
        found = rulings(page)
    assert len(found.level) + len(found.upright) <= 4 * MAX_OBJECTS
    assert found.cross() or not level


def test_words_outside_the_table_are_not_in_its_cells() -> None:
    words = [
        Word("in", 1, 1, 3, 3),
        Word("in", 6, 6, 7, 7),
        Word("out", 100, 100, 110, 110),
        Word("out", -50, 1, -40, 3),
    ]
    wide = Rulings([(0, y, 20, y) for y in (0.0, 5.0, 10.0)], [(x, 0, x, 10) for x in (0.0, 5.0, 20.0)])
    assert tables(wide, words) == ["|  | in |\n| --- | --- |\n| in |  |"]


def test_rulings_that_do_not_cross_are_no_table() -> None:
    def rules(canvas: Canvas) -> None:
        for i in range(5):
            canvas.line(72, 400 + 20 * i, 272, 400 + 20 * i)
            canvas.line(300 + 20 * i, 600, 300 + 20 * i, 700)
        write(canvas, ["Words"])

    assert extract(drawn(rules)).tables is None
