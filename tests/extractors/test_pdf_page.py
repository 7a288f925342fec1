"""A page's printed lines: characters, note marks, letter-spaced words, turned pages, and what is not shown."""

from __future__ import annotations

from contextlib import closing

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf_page import Line, clean, plain_lines, read_page
from tests.extractors.pdf_samples import drawn, later, page_lines, raised, spaced, texts, turned, write

# Characters


def test_engine_marks_become_line_ends_with_a_hyphen() -> None:
    lines = plain_lines("collec\x02tion of profes\ufffesional")
    assert texts(lines) == ["collec\ufffe", "tion of profes\ufffe", "sional"]


def test_ligatures_controls_and_decomposed_letters() -> None:
    lines = plain_lines("e\u0301le\u0300ve o\ufb03ce\x00 \x01\ufb02at\ttab\ufeff \ud800\r\n\r\n  ")
    assert texts(lines) == ["élève office flat tab"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("the court\x92s \x93words\x94 \x96 all of them\x85", "the court’s “words” – all of them…"),
        ("\x80 5 and c\x9cur", "€ 5 and cœur"),
        ("one\x81two", "one two"),
        ("well-\xadknown", "well-known"),
        ("hy\ufffephen", "hy-phen"),
        ("hy\xad", "hy\xad"),
        ("one \xad", "one"),
        ("e\u0301te\u0301\ufffe", "été\ufffe"),
    ],
)
def test_clean_lines(raw: str, text: str) -> None:
    assert clean(raw) == text


@given(st.text(st.characters(categories=["L", "M", "N", "P", "Z", "Cc", "Cf", "Co", "Cs"])))
def test_clean_lines_stay_as_they_are(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)


# Lines


def test_a_line_has_the_box_of_its_words() -> None:
    (line,) = page_lines(lambda canvas: write(canvas, ["First line of it"], x=72, y=700, size=10))
    assert line.left == pytest.approx(72, abs=1)
    assert line.right == pytest.approx(72 + stringWidth("First line of it", "Helvetica", 10), abs=1)
    assert 690 < line.bottom < 700 < line.top < 712
    assert line.size == pytest.approx(line.top - line.bottom)


def test_columns_are_lines_of_their_own() -> None:
    def two(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "The left column has this")
        canvas.drawString(320, 700, "and the right one this")

    assert texts(page_lines(two)) == ["The left column has this", "and the right one this"]


def test_words_are_given_with_their_boxes() -> None:
    payload = drawn(lambda canvas: canvas.drawString(72, 700, "First second"))
    with closing(pypdfium2.PdfDocument(payload)) as document, closing(document[0]) as page:
        first, second = read_page(page)[1]()
    assert (first.text, second.text) == ("First", "second")
    assert first.left < first.right < second.left < second.right
    assert first.bottom == second.bottom < first.top


def test_empty_pages_have_no_lines() -> None:
    assert page_lines(lambda canvas: canvas.rect(72, 72, 100, 100)) == []


# Raised and lowered


def marked(line: Line) -> list[str]:
    return [line.text[start:end] for start, end in line.marks]


@pytest.mark.parametrize(
    ("pieces", "text", "marks"),
    [
        (["to education", ("4", 4), ", and more"], "to education4, and more", ["4"]),
        (["to education", ("4", 4), " and more"], "to education4 and more", ["4"]),
        (["to education.", ("12", 4), " And more"], "to education.12 And more", ["12"]),
        (["to education", ("*", 4), " and more"], "to education* and more", ["*"]),
        (["to education ", ("(1)", 4), " and more"], "to education(1) and more", ["(1)"]),
        (["one", ("1", 4), " and 2 two", ("2", 4), " and 1 of it"], "one1 and 2 two2 and 1 of it", ["1", "2"]),
        (["the end of it", ("7", 4)], "the end of it7", ["7"]),
        ([("1", 3), "The note says so"], "1 The note says so", []),
        ([("1", 3), " The note says so"], "1 The note says so", []),
        (["to education", ("(1)", 4), " and more"], "to education(1) and more", ["(1)"]),
        (["the first", ("1,2", 4), " of them"], "the first1,2 of them", ["1,2"]),
        pytest.param(["in 1999", ("3", 4), " there"], "in 19993 there", ["3"], marks=later("only ends are measured")),
    ],
)
def test_note_marks_stand_at_their_word(pieces: list[str | tuple[str, float]], text: str, marks: list[str]) -> None:
    (line,) = page_lines(lambda canvas: raised(canvas, *pieces))
    assert (line.text, marked(line)) == (text, marks)


def test_a_mark_is_not_taken_for_an_equal_digit_before_it() -> None:
    (line,) = page_lines(lambda canvas: raised(canvas, "In 2011 they met in session", ("1", 4), " and decided"))
    assert line.text == "In 2011 they met in session1 and decided"
    assert line.marks == ((27, 28),)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["of H", ("2", -2), "O and CO", ("2", -2), " there"], "of H2O and CO2 there"),
        (["le 1", ("er", 4), " janvier du XVIII", ("e", 4), " siècle"], "le 1er janvier du XVIIIe siècle"),
        (["le règlement n", ("o", 4), " 12 du conseil"], "le règlement no 12 du conseil"),
        (["the 2", ("nd", 4), " and the 3", ("rd", 4), " part"], "the 2nd and the 3rd part"),
    ],
)
def test_other_raised_and_lowered_letters_are_text(pieces: list[str | tuple[str, float]], text: str) -> None:
    (line,) = page_lines(lambda canvas: raised(canvas, *pieces))
    assert (line.text, marked(line)) == (text, [])


def test_exponents_stay_at_their_unit() -> None:
    (line,) = page_lines(lambda canvas: raised(canvas, "of 10 m", ("2", 4), " of land"))
    assert line.text == "of 10 m2 of land"


# Letter-spaced words


@pytest.mark.parametrize("apart", [2, 3, 4, 6, 8, 10])
def test_letter_spaced_headings_are_closed_up(apart: float) -> None:
    lines = page_lines(lambda canvas: spaced(canvas, "Mémorial du Grand-Duché", apart))
    assert texts(lines) == ["Mémorial du Grand-Duché"]


@pytest.mark.parametrize(
    ("drawn_text", "text"),
    [("M é m o r i a l", "Mémorial"), ("M é m o r i a l   d u   G r a n d   D u c h é", "Mémorial du Grand Duché")],
)
def test_letters_with_spaces_between_them_are_closed_up(drawn_text: str, text: str) -> None:
    assert texts(page_lines(lambda canvas: canvas.drawString(72, 700, drawn_text))) == [text]


@pytest.mark.parametrize("row", ["1 2 3 4 5 6 7 8", "1 2 3 a 5 6 7 8", "a of the b and the c or d", "A B C D"])
def test_rows_of_digits_and_words_are_not_closed_up(row: str) -> None:
    assert texts(page_lines(lambda canvas: canvas.drawString(72, 700, row))) == [row]


def test_letters_of_table_columns_are_not_closed_up() -> None:
    def heads(canvas: Canvas) -> None:
        for i, letter in enumerate("ABCDEF"):
            canvas.drawString(72 + 30 * i, 700, letter)

    assert "".join(texts(page_lines(heads))).replace(" ", "") == "ABCDEF"
    assert all(len(word) == 1 for line in texts(page_lines(heads)) for word in line.split())


# What is shown


def test_what_is_cropped_away_is_left_out() -> None:
    def cropped(canvas: Canvas) -> None:
        canvas.setCropBox((50, 50, 500, 800))
        write(canvas, ["Inside of it"])
        canvas.drawString(72, 820, "Printed above 12 May")
        canvas.drawString(5, 400, "left")
        canvas.drawString(520, 400, "Right")

    assert texts(page_lines(cropped)) == ["Inside of it"]


def test_words_of_a_line_that_are_cropped_away_are_left_out() -> None:
    def cropped(canvas: Canvas) -> None:
        canvas.setCropBox((50, 50, 130, 800))
        canvas.drawString(72, 700, "Inside of it, and outside")

    (line,) = page_lines(cropped)
    assert line.text == "Inside of it, and"
    assert line.right < 140


def test_a_crop_that_hides_everything_hides_nothing() -> None:
    def cropped(canvas: Canvas) -> None:
        canvas.setCropBox((0, 0, 10, 10))
        write(canvas, ["Inside of it"])

    assert texts(page_lines(cropped)) == ["Inside of it"]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_turned_pages_are_read_upright(angle: int) -> None:
    lines = page_lines(lambda canvas: turned(canvas, angle, lambda c: write(c, ["The first line", "and the second"])))
    first, second = lines
    assert texts(lines) == ["The first line", "and the second"]
    assert first.size == pytest.approx(second.size, abs=0.01) == pytest.approx(9.4, abs=0.1)
    assert first.left == pytest.approx(second.left, abs=0.01)
    assert first.right - first.left > 4 * first.size
    assert first.bottom - second.bottom == pytest.approx(14, abs=0.1)
