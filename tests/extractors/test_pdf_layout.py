"""Lines of pages to reading order: columns, initials, bold type, footnotes, captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf import extract
from extractors.pdf_layout import Page, arrange, body_size, columns, is_turned, set_aside, split_notes
from extractors.pdf_page import Line, plain_lines
from tests.extractors.pdf_samples import Draw, drawn, page_lines, prose, set_lines, texts, write

LEFT, MIDDLE, RIGHT = (prose(8, 200, seed=seed) for seed in (1, 2, 3))


def by_column(canvas: Canvas, *sides: Sequence[str], y: float = 700, apart: float = 248) -> None:
    for i, side in enumerate(sides):
        write(canvas, side, 72 + apart * i, y)


def by_row(canvas: Canvas, *sides: Sequence[str], y: float = 700, apart: float = 248) -> None:
    for n, row in enumerate(zip(*sides, strict=True)):
        for i, line in enumerate(row):
            write(canvas, [line], 72 + apart * i, y - 14 * n)


def laid_out(draw: Draw) -> list[str]:
    return texts(arrange(page_lines(draw)))


# Columns


@pytest.mark.parametrize("draw", [by_column, by_row])
def test_two_columns_are_read_one_after_the_other(draw: Draw) -> None:
    lines = arrange(page_lines(lambda canvas: draw(canvas, LEFT, RIGHT)))
    assert texts(lines) == [*LEFT, *RIGHT]
    assert columns(lines) == 2


@pytest.mark.parametrize("gutter", [12, 18, 24])
def test_narrow_gutters_between_columns_drawn_row_by_row(gutter: float) -> None:
    left, right = prose(12, 225, seed=1), prose(12, 225, seed=2)
    assert laid_out(lambda canvas: by_row(canvas, left, right, apart=225 + gutter)) == [*left, *right]


def narrow(draw: Draw) -> list[Line]:
    sides = [prose(8, 130, seed=seed) for seed in (1, 2, 3)]
    return arrange(page_lines(lambda canvas: draw(canvas, *sides, apart=155)))


def test_three_columns_drawn_one_after_the_other() -> None:
    lines = narrow(by_column)
    assert texts(lines) == [line for seed in (1, 2, 3) for line in prose(8, 130, seed=seed)]
    assert columns(lines) == 3


def test_three_columns_drawn_row_by_row() -> None:
    assert texts(narrow(by_row)) == texts(narrow(by_column))


def test_a_heading_over_both_columns_parts_them() -> None:
    over = "A heading that stands over both of the columns of this page and over all of it"

    def page(canvas: Canvas) -> None:
        by_row(canvas, LEFT, RIGHT)
        write(canvas, [over], y=560, size=10)
        by_row(canvas, MIDDLE, LEFT, y=530)

    assert laid_out(page) == [*LEFT, *RIGHT, over, *MIDDLE, *LEFT]


def test_cells_at_one_height_are_a_row() -> None:
    def page(canvas: Canvas) -> None:
        for n, row in enumerate([("Country", "Rate", "Year"), ("Malta", "18", "1999"), ("Austria", "20", "2001")]):
            for i, cell in enumerate(row):
                canvas.drawString(72 + 120 * i, 700 - 14 * n, cell)

    assert laid_out(page) == ["Country Rate Year", "Malta 18 1999", "Austria 20 2001"]


def test_one_column_is_one() -> None:
    assert columns(set_lines(prose(30, 400))) == 1
    assert columns([]) == 1


def test_dotted_leaders_alone_are_left_out() -> None:
    assert laid_out(lambda canvas: write(canvas, ["Contents", ". . . . . . . .", "......", "Page"])) == [
        "Contents",
        "Page",
    ]


def test_lines_without_places_keep_their_order() -> None:
    lines = plain_lines("one\ntwo\none\nT\nhe law")
    assert arrange(lines) == lines


# Initials, bold type and turned lines

OPENING = ["he court considered that a measure of this kind was bound", "to make trade more difficult and that no"]


def initial_after(canvas: Canvas) -> None:
    write(canvas, OPENING, 94, 690)
    write(canvas, ["reason could be found for it in the end, as the parties had said"], 72, 662)
    canvas.setFont("Helvetica", 30)
    canvas.drawString(72, 676, "T")


def initial_first(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 30)
    canvas.drawString(72, 676, "T")
    write(canvas, OPENING, 94, 690)
    write(canvas, ["reason could be found for it in the end, as the parties had said"], 72, 662)


@pytest.mark.parametrize("draw", [initial_after, initial_first])
def test_an_initial_is_part_of_its_word(draw: Draw) -> None:
    assert laid_out(draw)[0] == f"T{OPENING[0]}"
    assert len(laid_out(draw)) == 3


def test_marks_move_with_the_initial() -> None:
    initial = Line("T", 72, 676, 92, 706, 30)
    line = Line("he court1 said", 94, 690, 200, 698, 8, ((8, 9),))
    (found,) = arrange([initial, line])
    assert (found.text, found.marks, found.left) == ("The court1 said", ((9, 10),), 72)


def test_a_large_letter_away_from_its_line_stays_alone() -> None:
    lines = [Line("T", 72, 676, 92, 706, 30), *set_lines(["the court said so"], 94, 600)]
    assert arrange(lines) == lines


def test_text_printed_twice_for_bold_is_there_once() -> None:
    def bold(canvas: Canvas) -> None:
        for shift in (0, 0.3, 0.6):
            write(canvas, ["A heading in bold"], 72 + shift)
        write(canvas, ["and text below it"], y=760)

    assert laid_out(bold) == ["A heading in bold", "and text below it"]


def test_equal_lines_in_other_places_stay() -> None:
    lines = set_lines(["the same line"] * 30)
    assert arrange(lines) == lines


def test_words_that_run_up_the_margin_are_one_line() -> None:
    def margin(canvas: Canvas) -> None:
        write(canvas, LEFT)
        canvas.translate(40, 300)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Taken from the archive of the court")

    lines = arrange(page_lines(margin))
    assert texts(lines) == [*LEFT, "Taken from the archive of the court"]
    assert [is_turned(line) for line in lines] == [False] * 8 + [True]


# Footnotes

NOTES = ["1 See the case on imports of", "goods, above.", "2 As the parties say."]


def page_with(notes: Sequence[str], size: float = 6, body: Sequence[str] = LEFT) -> list[Line]:
    return [*set_lines(body, size=8), *set_lines(notes, top=120, size=size, leading=8)]


def split(lines: list[Line], **options: bool) -> tuple[list[str], list[str]]:
    page = split_notes(lines, body_size([set_lines(LEFT * 9)]), **options)
    return texts(page.body), texts(page.notes)


@pytest.mark.parametrize(
    "notes",
    [
        NOTES,
        ["* The author is a judge.", "** She is too."],
        ["† The author is a judge."],
        ["(1) OJ L 12, 1.2.1999, p. 3.", "(2) OJ L 15, 1.2.1999, p. 3."],
        ["(*) Amended since."],
        ["1. See above."],
        ["12See above."],
        ["§ See above."],
    ],
)
def test_small_lines_with_a_mark_at_the_foot_are_notes(notes: list[str]) -> None:
    assert split(page_with(notes)) == (LEFT, notes)


@pytest.mark.parametrize(
    "lines",
    [
        page_with(NOTES, size=8),
        page_with(["Source: the court.", "And others."]),
        page_with(["1999 was the year of it."]),
        [*page_with(NOTES), *set_lines(["Body text goes on under the notes."], top=90)],
        set_lines(NOTES, size=6),
        plain_lines("\n".join([*LEFT, *NOTES])),
    ],
    ids=["large", "without a mark", "year", "text below", "nothing above", "no places"],
)
def test_other_lines_are_not_notes(lines: list[Line]) -> None:
    assert split(lines) == (texts(lines), [])


def test_a_bibliography_in_small_type_is_not_taken_for_notes() -> None:
    entries = [f"{n}. Example, A., The law of examples" for n in range(1, 31)]
    lines = [*set_lines(["References"], size=8), *set_lines(entries, top=740, size=6, leading=9)]
    assert split(lines) == (texts(lines), [])


def test_each_column_has_its_notes() -> None:
    right = [replace(line, left=line.left + 248, right=line.right + 248) for line in page_with(["2 Also see it."])]
    assert split([*page_with(["1 See it."]), *right]) == ([*LEFT, *LEFT], ["1 See it.", "2 Also see it."])


def test_an_open_note_goes_on_without_a_mark() -> None:
    lines = page_with(["and the rest of the note,", "which ends here."])
    assert split(lines) == (texts(lines), [])
    assert split(lines, open_note=True) == (LEFT, ["and the rest of the note,", "which ends here."])


def test_the_body_is_in_the_type_of_most_characters() -> None:
    assert body_size([set_lines(["short"], size=12), set_lines(LEFT, size=8), set_lines(["small"] * 3, size=6)]) == 8
    assert body_size([plain_lines("no places")]) == body_size([]) == 0


# What interrupts a sentence


def aside(*pages: list[Line]) -> list[list[str]]:
    made = [Page(lines) for lines in pages]
    set_aside(made, 8)
    return [[page.body[i].text for i in sorted(page.aside)] for page in made]


CAPTION = set_lines(["Figure 1: what the court heard"], top=660, size=6)


def test_a_caption_in_mid_sentence_is_set_aside() -> None:
    assert aside(
        [*set_lines(["and the court", "said that the"]), *CAPTION, *set_lines(["parties had not"], top=600)]
    ) == [["Figure 1: what the court heard"]]


def test_a_caption_between_pages_is_set_aside() -> None:
    found = aside([*set_lines(["and the court", "said that the"]), *CAPTION], set_lines(["parties had not"]))
    assert found == [["Figure 1: what the court heard"], []]


@pytest.mark.parametrize(
    ("before", "after"), [("said that.", "parties had not"), ("said that the", "Parties had not"), ("And", "2 of it")]
)
def test_a_caption_between_sentences_stays(before: str, after: str) -> None:
    assert aside([*set_lines([before]), *CAPTION, *set_lines([after], top=600)]) == [[]]


def test_a_caption_stands_after_the_paragraph_it_interrupts() -> None:
    lines = prose(8, 440, seed=3)

    def page(canvas: Canvas) -> None:
        write(canvas, lines[:4], y=700)
        write(canvas, ["Figure 1: what the court heard in each of the", "years. Source: the court."], 100, 600, 6, 8)
        write(canvas, lines[4:], y=560)

    body, caption = extract(drawn(page)).text.split("\n")
    assert body == " ".join(lines)
    assert caption == "Figure 1: what the court heard in each of the years. Source: the court."
