"""Running heads, feet and page numbers leave the text; headings, titles and years stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf import extract
from extractors.pdf_page import plain_lines
from extractors.pdf_running import drop_running
from tests.extractors.pdf_samples import WIDE, Draw, drawn, pdf, prose, set_lines, texts, write

Texts = list[list[str]]


def dropped(pages: Texts) -> tuple[Texts, Texts]:
    """Lines kept and lines removed by page, of pages whose lines have no places."""
    kept, removed = drop_running([plain_lines("\n".join(lines)) for lines in pages])
    return [texts(lines) for lines in kept], removed


def nothing(pages: Texts) -> Texts:
    return [[] for _ in pages]


def test_running_heads_feet_and_page_numbers_leave_the_text() -> None:
    pages = [
        ["Journal of Law 12 May 1999", f"{WIDE} {word} matter", f"L 102/{i}", f"{i}"]
        for i, word in enumerate(["first", "second", "third", "fourth"], 7)
    ]
    result = extract(pdf(*pages))
    assert result.text == "\n".join(f"{WIDE} {word} matter" for word in ("first", "second", "third", "fourth"))
    assert result.pages[1]["removed"] == ["Journal of Law 12 May 1999", "L 102/8", "8"]
    assert result.meta["running_lines"][:3] == ["Journal of Law 12 May 1999", "L 102/7", "7"]
    assert len(result.meta["running_lines"]) == 9


def test_two_pages_are_enough_for_a_foot_that_counts() -> None:
    kept, removed = dropped([["one text", "Page 1 of 2"], ["another text", "Page 2 of 2"]])
    assert (kept, removed) == ([["one text"], ["another text"]], [["Page 1 of 2"], ["Page 2 of 2"]])


def test_headings_whose_numbers_do_not_count_pages_stay() -> None:
    pages = [[f"Article {n}", f"text number {n * n}"] for n in (1, 5, 9, 12, 20)]
    assert dropped(pages) == (pages, nothing(pages))


@pytest.mark.parametrize("heading", ["Annex {}", "ANHANG {} – Listen", "Article {}", "Kapitel {}:", "Tabla {}"])
def test_headings_that_count_pages_stay(heading: str) -> None:
    pages = [[heading.format(n), f"text {c}", f"Section 7, page {n}"] for n, c in enumerate("abc", 1)]
    kept, removed = dropped(pages)
    assert kept == [lines[:2] for lines in pages]
    assert removed == [lines[2:] for lines in pages]


def test_years_that_count_pages_stay_and_high_page_numbers_go() -> None:
    years = [[f"{year}", f"text {c}"] for year, c in enumerate("abc", 1999)]
    assert dropped(years) == (years, nothing(years))
    numbers = [[f"{number}", f"text {c}"] for number, c in enumerate("abc", 12_345)]
    assert dropped(numbers) == ([["text a"], ["text b"], ["text c"]], [["12345"], ["12346"], ["12347"]])


def test_pages_all_alike_keep_their_text() -> None:
    pages = [["one form"], ["one form"]]
    assert dropped(pages) == (pages, nothing(pages))


def test_headings_that_count_pages_for_a_while_stay() -> None:
    pages = [[f"Article {n}", f"text {c}", *"12345", f"Article {n + 20}", *"67890", c] for n, c in enumerate("abcd")]
    kept, _ = dropped(pages)
    assert all(any(line.startswith("Article") for line in lines[:1]) for lines in kept)


def test_the_title_stays_where_the_heads_repeat_it() -> None:
    title = "On the Nature of Titles"
    pages = [["Review", "of things", title, "body"], *([title, f"body {c}"] for c in "abcd")]
    kept, removed = dropped(pages)
    assert kept[0][2] == title
    assert kept[1:] == [[f"body {c}"] for c in "abcd"]
    assert removed == [[], *[[title]] * 4]


def test_lines_inside_a_page_are_never_running() -> None:
    body = [[*"abcde", "again and again", *"fghij"] for _ in range(4)]
    assert all(lines.count("again and again") == 1 for lines in dropped(body)[0])


def test_a_number_of_a_thousand_digits_is_no_page_number() -> None:
    pages = [["9" * 6000, f"text {c}"] for c in "abcd"]
    assert dropped(pages)[0] == pages


# By their place

FRUIT = ("Apples", "Bananas", "Cherries", "Damsons", "Elderberries", "Figs")


def pages_of(draw: Callable[[Canvas, int], object], count: int = 6) -> list[Draw]:
    """Pages of prose, all different, with what `draw` adds to each."""

    def page(number: int) -> Draw:
        def both(canvas: Canvas) -> None:
            write(canvas, prose(12, 300, seed=number + 3), 72, 700)
            draw(canvas, number)

        return both

    return [page(number) for number in range(count)]


def removed_from(draw: Callable[[Canvas, int], object], count: int = 6) -> list[list[str]]:
    return [page["removed"] for page in extract(drawn(*pages_of(draw, count))).pages]


def test_heads_that_change_their_words_go_where_they_count_pages_at_one_height() -> None:
    heads = [f"The law of {fruit} {n}" if n % 2 else f"{n} {fruit} and more" for n, fruit in enumerate(FRUIT, 41)]
    assert removed_from(lambda canvas, n: canvas.drawString(72, 800, heads[n])) == [[head] for head in heads]


def test_feet_that_change_their_words_go_where_they_count_pages_at_one_height() -> None:
    feet = [f"{fruit} and more of it | {n}" for n, fruit in enumerate(FRUIT, 41)]
    assert removed_from(lambda canvas, n: canvas.drawString(72, 40, feet[n])) == [[foot] for foot in feet]


def test_lines_that_count_pages_at_other_heights_stay() -> None:
    feet = [f"{fruit} in the year of {n}" for n, fruit in enumerate(FRUIT, 41)]
    assert removed_from(lambda canvas, n: canvas.drawString(72, 500 - 40 * n, feet[n])) == [[]] * 6


def test_footnotes_that_count_pages_stay() -> None:
    notes = [f"{n} See on {fruit} above." for n, fruit in enumerate(FRUIT, 1)]
    assert removed_from(lambda canvas, n: canvas.drawString(72, 100, notes[n])) == [[]] * 6


def test_heads_on_every_other_page_go() -> None:
    heads = ["Journal of Law", "The law of fruit"]
    found = removed_from(lambda canvas, n: canvas.drawString(72, 800, heads[n % 2]))
    assert found == [[heads[n % 2]] for n in range(6)]


def test_heads_that_change_with_the_chapter_go() -> None:
    found = removed_from(lambda canvas, n: canvas.drawString(72, 800, FRUIT[n // 6]), 12)
    assert found == [[FRUIT[n // 6]] for n in range(12)]


def test_two_pages_are_enough_where_the_line_keeps_its_place() -> None:
    kept, removed = drop_running([set_lines(["Journal of Law", f"text {c} of it"]) for c in "ab"])
    assert [texts(lines) for lines in kept] == [["text a of it"], ["text b of it"]]
    assert removed == [["Journal of Law"]] * 2


def test_what_runs_up_the_margin_on_each_page_goes() -> None:
    words = "Taken from the archive of the court"

    def margin(canvas: Canvas, number: int) -> None:
        canvas.translate(40, 300)
        canvas.rotate(90)
        canvas.drawString(0, 0, words)

    result = extract(drawn(*pages_of(margin, 4)))
    assert [page["removed"] for page in result.pages] == [[words]] * 4
    assert "archive" not in result.text


def test_heads_drawn_last_are_heads() -> None:
    pages = [
        [*set_lines([f"text {n} {c}" for n in range(12)], top=700), *set_lines(["Journal of Law"], top=800)]
        for c in "abcd"
    ]
    assert drop_running(pages)[1] == [["Journal of Law"]] * 4


def test_an_empty_page_changes_nothing() -> None:
    pages = [["Journal", f"text {c}"] if c != "c" else [] for c in "abcdef"]
    assert dropped(pages)[1] == [["Journal"] if lines else [] for lines in pages]
    assert drop_running([]) == ([], [])


def test_head_and_text_at_one_height_are_told_apart() -> None:
    pages = [
        [*set_lines(["Journal of Law"], top=800), *set_lines([f"{n}"], 500, top=800), *set_lines([f"text {n * n}"])]
        for n in range(40, 46)
    ]
    assert drop_running(pages)[1] == [["Journal of Law", f"{n}"] for n in range(40, 46)]
