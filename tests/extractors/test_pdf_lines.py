"""Lines to text: words over line ends, paragraphs over columns and pages, notes after their paragraph."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.pdf import extract
from extractors.pdf_layout import Page
from extractors.pdf_lines import Joined, join_lines
from extractors.pdf_page import Line, plain_lines
from extractors.pdf_words import Vocabulary
from tests.extractors.pdf_samples import WIDE, joined, page_texts, pdf, prose, set_lines

# Words over line ends


def test_a_word_broken_at_the_line_end_is_joined() -> None:
    text = extract(pdf([f"{WIDE} agree-", "ment that they had signed."])).text
    assert "about the agreement that they had signed." in text


def test_a_compound_keeps_its_hyphen_when_the_document_writes_it_elsewhere() -> None:
    text = extract(pdf(["A cross-border case is one of several.", f"{WIDE} cross-", "border case."])).text
    assert text.endswith("about the cross-border case.")


def test_the_joined_form_elsewhere_decides_against_two_words() -> None:
    lines = ["some where", "somewhere else, and some-", "where again"]
    assert joined(lines).text.endswith("and somewhere again")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["the Berger-", "Parker index"], "the Berger-Parker index"),
        (["the COMMU-", "NITIES act"], "the COMMUNITIES act"),
        (["in the years 1990-", "2000"], "in the years 1990-2000"),
        (["one thing -", "and another"], "one thing - and another"),
        (["both long and term, a long-", "term plan"], "both long and term, a long-term plan"),
        (["a self-made man, a bor-", "der"], "a self-made man, a border"),
        (["a soft\xad", "ware pro\xadgram"], "a software program"),
        (["a typesetter's hy\u2010", "phen"], "a typesetter's hyphen"),
        (["it ends with a hyphen-"], "it ends with a hyphen-"),
        (["Die Haupt-", "und Nebenbestimmungen"], "Die Haupt- und Nebenbestimmungen"),
        (["die Ein\ufffe", "bzw. Ausfuhr und"], "die Ein- bzw. Ausfuhr und"),
        (["pre-", "and post-war, and later"], "pre- and post-war, and later"),
        (["in-", "en uitvoer en handel"], "in- en uitvoer en handel"),
        (["den og den kommission-", "en som og"], "den og den kommissionen som og"),
        (["und Verlänger-", "ung und"], "und Verlängerung und"),
        (["a thousand and one, a thous-", "and"], "a thousand and one, a thousand"),
    ],
)
def test_hyphens_at_line_ends(lines: list[str], text: str) -> None:
    assert joined(lines).text == text


def test_documents_that_break_compounds_only_keep_the_hyphen() -> None:
    assert joined(["his well-known, well-", "known multi-", "actor plan"]).text.endswith("multi-actor plan")


def test_a_suspended_hyphen_between_pages() -> None:
    assert joined("Die Haupt-", "und Nebensätze")[:2] == ("Die Haupt- und Nebensätze", [0, 11])


def test_a_word_broken_between_pages_belongs_to_the_first() -> None:
    result = extract(pdf([f"{WIDE} trea-"], ["ty of the year and of other years as well"]))
    assert page_texts(result) == [f"{WIDE} treaty ", "of the year and of other years as well"]


# Paragraphs


def test_a_paragraph_is_one_line_and_ends_where_a_short_line_ends_a_sentence() -> None:
    lines = [f"{WIDE} old", "treaty.", f"{WIDE} new", "one, too."]
    assert extract(pdf(lines)).text == f"{WIDE} old treaty.\n{WIDE} new one, too."


def test_headings_and_items_stand_alone() -> None:
    lines = ["Article 1", f"{WIDE} old treaty:", f"(a) {WIDE} first;", f"(b) {WIDE} second."]
    assert joined(lines).text.split("\n") == lines


def test_footnote_marks_do_not_cut_off_the_comma() -> None:
    assert joined([f"{WIDE} education4", ", and more of it"]).text == f"{WIDE} education4, and more of it"


def test_lines_without_spaces_between_words_are_joined_without() -> None:
    assert joined(["日本国民は、正当に選挙された国会における代表者を通", "じて行動し"]).text.count(" ") == 0


def test_indented_lines_begin_paragraphs() -> None:
    lines = [*prose(3, 300), *prose(3, 300, seed=2)]
    made = set_lines([*lines[:2], f"{lines[2]}.", f"The {lines[3]}", *lines[4:]])
    made[3] = replace(made[3], left=made[3].left + 15)
    text = join_lines([Page(made)], Vocabulary([made])).text
    assert [part.split()[0] for part in text.split("\n")] == [lines[0].split()[0], "The"]


def test_a_gap_begins_a_paragraph() -> None:
    above, below = prose(4, 300), ["The " + prose(1, 280, seed=2)[0], *prose(3, 300, seed=4)]
    made = [*set_lines(above), *set_lines(below, top=680)]
    assert join_lines([Page(made)], Vocabulary([made])).text == f"{' '.join(above)}\n{' '.join(below)}"


def test_larger_type_is_a_heading() -> None:
    body = ["The " + prose(1, 280)[0], *prose(3, 300)]
    made = [*set_lines(["A heading of the same width as lines are"], size=12, top=795), *set_lines(body, top=780)]
    text = join_lines([Page(made)], Vocabulary([made])).text
    assert text == f"A heading of the same width as lines are\n{' '.join(body)}"


def test_a_paragraph_goes_on_over_columns_and_pages() -> None:
    sides = [prose(6, 200, seed=seed) for seed in (1, 2, 3)]
    left, right, after = set_lines(sides[0]), set_lines(sides[1], 320), set_lines(sides[2])
    joint = join_lines([Page([*left, *right]), Page(after)], Vocabulary([left, right, after]))
    assert joint.text == " ".join(line for side in sides for line in side)
    assert joint.text[joint.page_offsets[1] :] == " ".join(sides[2])


# Notes


def noted(body: list[str], notes: list[str], after: list[str]) -> Joined:
    pages = [
        Page(set_lines(body), set_lines(notes, top=120, size=6, leading=8)),
        Page(set_lines(after)),
    ]
    return join_lines(pages, Vocabulary([page.body for page in pages]))


def test_notes_follow_the_paragraph_that_crosses_the_page() -> None:
    body, after = prose(6, 300, seed=2), [*prose(2, 300, seed=3), "and that was all."]
    notes = ["1 See the case on", "imports above.", "2 As the parties say."]
    joint = noted(
        [*body[:-1], f"{body[-1]} an agree-"], notes, ["ment of the " + after[0], *after[1:], "The next one."]
    )
    assert joint.text.split("\n") == [
        f"{' '.join(body)} an agreement of the {' '.join(after)}",
        "1 See the case on imports above.",
        "2 As the parties say.",
        "The next one.",
    ]
    assert joint.text[joint.page_offsets[1] :].startswith(f"of the {after[0]}")


def test_notes_of_the_last_page_end_the_text() -> None:
    page = Page(set_lines(["The body ends here."]), set_lines(["* A note.", "** Another."], top=120, size=6))
    assert join_lines([page], Vocabulary([])).text == "The body ends here.\n* A note.\n** Another."


def test_words_of_notes_are_joined_at_line_ends() -> None:
    page = Page(set_lines(["The body."]), set_lines(["1 The agree\ufffe", "ment of them all."], top=120, size=6))
    assert join_lines([page], Vocabulary([])).text == "The body.\n1 The agreement of them all."


def test_a_page_of_notes_alone_keeps_them() -> None:
    pages = [Page([], set_lines(["1 A note."], size=6)), Page(set_lines(["The body."]))]
    joint = join_lines(pages, Vocabulary([]))
    assert sorted(joint.text.split("\n")) == ["1 A note.", "The body."]


def test_note_marks_are_found_in_the_text() -> None:
    lines = set_lines(["the first1 of the", "second* and more"])
    lines = [replace(lines[0], marks=((9, 10),)), replace(lines[1], marks=((6, 7),))]
    joint = join_lines([Page(lines)], Vocabulary([lines]))
    assert [joint.text[start:end] for start, end in joint.marks] == ["1", "*"]


# Where lines are


def test_each_line_is_found_at_its_start() -> None:
    lines = [*prose(4, 300, seed=1), f"{prose(1, 260, seed=2)[0]} agree-", "ment of them."]
    notes = ["1 See the case on", "imports above."]
    joint = noted(lines, notes, ["After it."])
    starts = [start for start, *_ in joint.lines]
    assert starts == sorted(starts)
    found = [
        joint.text[start:].startswith(line.rstrip("-"))
        for start, line in zip(starts, [*lines, *notes, "After it."], strict=True)
    ]
    assert all(found)
    assert [page for _, page, *_ in joint.lines] == [0] * 8 + [1]
    assert joint.lines[0][2:] == (72, 772, round(72 + 4 * len(lines[0])), 780)


def test_lines_without_places_are_not_listed() -> None:
    assert joined(["one", "two"]).lines == []


@given(st.lists(st.lists(st.text("ab-A1. ,\u2010\xad\ufffe\u0301日", min_size=1, max_size=12), max_size=6), max_size=5))
def test_joined_text_keeps_its_contract(raw: list[list[str]]) -> None:
    text, offsets, *_ = joined(*raw)
    assert len(offsets) == len(raw)
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)
    assert text == unicodedata.normalize("NFC", text)
    assert "\xad" not in text and "\ufffe" not in text and " \n" not in text
    signs = [c for lines in raw for line in plain_lines("\n".join(lines)) for c in line.text if c.isalnum()]
    assert [c for c in text if c.isalnum()] == signs


def test_a_page_that_begins_with_the_end_of_a_word_begins_after_it() -> None:
    first = [f"{WIDE} year", f"{WIDE} unfortu-"]
    result = joined(first, ["nately.", f"{WIDE} other year", f"{WIDE} last one"])
    assert result.text[result.page_offsets[1] :].startswith(f"{WIDE} other")


def test_lines_from_right_to_left_are_one_paragraph() -> None:
    word = "\u05e9\u05dc\u05d5\u05dd"
    lines = [Line(" ".join([word] * 10), 80, 700 - 14 * n, 520, 712 - 14 * n, 12) for n in range(4)]
    lines.append(Line(f"{word} {word}.", 440, 644, 520, 656, 12))
    assert "\n" not in join_lines([Page(lines)], Vocabulary([lines])).text
