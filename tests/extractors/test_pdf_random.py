"""Random lines through the whole layout: no letter is lost or invented, and every place is in the text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.pdf_layout import arrange, body_size, columns, set_aside, split_notes
from extractors.pdf_lines import Joined, join_lines
from extractors.pdf_page import Line, clean
from extractors.pdf_running import drop_running
from extractors.pdf_words import Vocabulary

WORDS = [
    "the words of a line", "the end of it.", "and more of the words-", "Large words of it", "1 A note of it", "(1)",
    "*", "A", "Annex 1", "12", "Page 3 of 9", "provisionsArticle 5", "e\u0301\ufffe", "\u0301x", "a\ufffe", "-", "\xad",
    "agree\u2010", "ment", "und so", "日本国民", "…", ". . .", "’s",
]  # fmt: skip
SIDE = st.one_of(st.sampled_from([72.0, 76.0, 90.0, 320.0, -5.0]), st.integers(0, 60).map(lambda n: 14.0 * n),
                 st.floats(-40_000, 40_000, width=32))  # fmt: skip
TEXT = st.one_of(st.sampled_from(WORDS), st.text("abAB1 .,-*(¹\u2010\xad\ufffe\u0301日é'", max_size=12)).map(clean)


@st.composite
def random_lines(draw: st.DrawFn) -> Line:
    text = draw(TEXT.filter(bool))
    left, bottom, size = draw(SIDE), draw(SIDE), draw(st.sampled_from([0, 6, 8, 8, 8, 10, 30]))
    wide, high = draw(st.sampled_from([(0.5 * (size or 10) * len(text), size or 10), (8, 60), (0, 0)]))
    start = draw(st.integers(0, len(text) - 1))
    marks = draw(st.sampled_from([(), ((start, start + 1),)]))
    return Line(text, left, bottom, left + wide, bottom + high, size, marks)


def letters(texts: Iterable[str]) -> Counter[str]:
    return Counter(sign for text in texts for sign in text if sign.isalnum())


def of(pages: Iterable[list[Line]]) -> Counter[str]:
    return letters(line.text for lines in pages for line in lines)


def laid_out(pages: list[list[Line]]) -> tuple[list[list[Line]], list[list[str]], Joined]:
    """Lines in reading order, what was taken off as running, and the text, in the order of `extractors.pdf`."""
    arranged = [arrange(lines) for lines in pages]
    vocabulary = Vocabulary(arranged)
    arranged = [[vocabulary.parted(line) for line in lines] for lines in arranged]
    kept, removed = drop_running(arranged)
    size = body_size(kept)
    made = []
    for lines in kept:
        made.append(split_notes(lines, size, open_note=bool(made and made[-1].notes)))
        assert columns(made[-1].body) >= 1
    set_aside(made, size)
    return arranged, removed, join_lines(made, vocabulary)


PAGES = st.lists(st.lists(random_lines(), max_size=12), max_size=5)


@settings(deadline=None)
@given(PAGES)
def test_no_letter_is_lost_or_invented(pages: list[list[Line]]) -> None:
    arranged, removed, joined = laid_out(pages)
    # Lines printed twice in one place are there once.
    assert not of(arranged) - of(pages)
    assert set(of(arranged)) == set(of(pages))
    assert letters([joined.text]) + letters(text for texts in removed for text in texts) == of(arranged)


@settings(deadline=None)
@given(PAGES)
def test_the_text_keeps_its_contract(pages: list[list[Line]]) -> None:
    _, _, joined = laid_out(pages)
    text = joined.text
    assert unicodedata.is_normalized("NFC", text)
    assert not {"\ufffe", "\xad", "\0"} & set(text)
    assert " \n" not in text and "\n\n" not in text and text == text.strip("\n")
    assert len(joined.page_offsets) == len(pages)
    assert joined.page_offsets == sorted(joined.page_offsets)
    assert all(0 <= offset <= len(text) for offset in joined.page_offsets)


@settings(deadline=None)
@given(PAGES)
def test_places_are_in_the_text(pages: list[list[Line]]) -> None:
    arranged, removed, joined = laid_out(pages)
    starts = [start for start, *_ in joined.lines]
    assert starts == sorted(starts)
    assert all(0 <= start <= len(joined.text) for start in starts)
    assert all(-32_768 <= side <= 32_767 for _, _, *sides in joined.lines for side in sides)
    placed = sum(bool(line.size) for lines in arranged for line in lines)
    gone = sum(map(len, removed))
    assert placed - gone <= len(joined.lines) <= placed
    assert all(0 <= page < len(pages) for _, page, *_ in joined.lines)
    assert all(0 <= start < end <= len(joined.text) for start, end in joined.marks)


@settings(deadline=None)
@given(PAGES)
def test_arranged_marks_stay_on_their_signs(pages: list[list[Line]]) -> None:
    marked = Counter(line.text[a:b] for lines in pages for line in lines for a, b in line.marks)
    found = Counter(line.text[a:b] for lines in pages for line in arrange(lines) for a, b in line.marks)
    assert not found - marked


def test_thousands_of_lines_in_one_place_are_soon_done() -> None:
    same = [Line(f"word number {n} of it", 72, 700, 200, 708, 8) for n in range(3_000)]
    letters_alone = [Line("T", 72, 700, 92, 730, 30) for _ in range(1_000)]
    notes = [Line(f"{n % 9} A note of it", 72, 700 - n % 7, 200, 706, 6) for n in range(3_000)]
    _, _, joined = laid_out([[*letters_alone, *same], notes, same])
    assert joined.text.count("word number") == 6_000
