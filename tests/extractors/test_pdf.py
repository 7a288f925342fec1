"""PDF bytes to an extract: pages, the second engine, errors, hostile bytes."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from extractors.ocr import Line as OcrLine
from extractors.ocr import Recognised
from extractors.pdf import extract
from extractors.pdf_engines import MAX_BAD_PAGES
from extractors.pdf_page import plain_lines
from extractors.record import Extract
from tests.extractors.hostile_pdfs import one_page, show, stream
from tests.extractors.pdf_samples import (
    WIDE,
    Draw,
    drawn,
    page_texts,
    pdf,
    prose,
    raised,
    turned,
    write,
)
from tests.extractors.test_pdf_tables import grid

# Pages


def test_offsets_cut_the_text_into_its_pages() -> None:
    result = extract(pdf(["First page ends here."], [], ["Second page begins here."]))
    assert page_texts(result) == ["First page ends here.\n", "", "Second page begins here."]
    assert result.meta["empty_pages"] == [2]
    assert result.error is None


def test_every_page_has_its_facts() -> None:
    def page(number: int) -> Draw:
        def draw(canvas: Canvas) -> None:
            canvas.drawString(72, 810, "Journal of Law")
            write(canvas, prose(30, 200, seed=number), y=780)
            write(canvas, prose(30, 200, seed=number + 9), 320)
            write(canvas, ["1 See above, on the law."], y=100, size=6)

        return draw

    result = extract(drawn(*map(page, range(3)), lambda canvas: None, size=(600, 850)))
    facts = {
        "width": 600, "height": 850, "engine": "pdfium", "reason": None, "columns": 2, "removed": ["Journal of Law"],
        "notes": 1,
    }  # fmt: skip
    assert result.pages[:3] == [facts] * 3
    assert result.pages[3] == {**facts, "columns": 1, "removed": [], "notes": 0}
    json.dumps(result.pages)


def test_a_page_that_fails_has_facts_too() -> None:
    result = extract(pdf(["Only page."]).replace(b"/Count 1", b"/Count 3"))
    assert len(result.pages) == len(result.page_offsets) == 3
    assert {(page["engine"], page["reason"], page["columns"], page["notes"]) for page in result.pages} == {
        ("pdfium", None, 1, 0)
    }


# Where the lines are

BODY = [*prose(5, 300, seed=1), f"{prose(1, 260, seed=2)[0]} agree-", "ment of them."]
FOOT = ["1 See the case on the", "imports above."]


def two_pages(before: Draw = lambda canvas: None) -> bytes:
    def first(canvas: Canvas) -> None:
        before(canvas)
        write(canvas, BODY)
        write(canvas, FOOT, y=100, size=6)

    def second(canvas: Canvas) -> None:
        before(canvas)
        write(canvas, ["The second page begins here."])

    return drawn(first, second)


def assert_found(result: Extract, lines: list[str]) -> None:
    """Each of these lines is listed, found at its start, inside its page."""
    assert [start for start, *_ in result.lines] == sorted(start for start, *_ in result.lines)
    assert len(result.lines) == len(lines)
    for (start, page, left, bottom, right, top), line in zip(result.lines, lines, strict=True):
        assert result.text[start:].startswith(line.rstrip("-"))
        assert 0 <= left < right <= result.pages[page]["width"]
        assert 0 <= bottom < top <= result.pages[page]["height"]


def test_lines_are_found_at_their_starts_inside_their_pages() -> None:
    result = extract(two_pages())
    assert_found(result, [*BODY, *FOOT, "The second page begins here."])
    assert [page for _, page, *_ in result.lines] == [0] * 9 + [1]
    assert result.lines[0][2:4] == (72, pytest.approx(779, abs=1))


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_lines_of_turned_pages_are_inside_them(angle: int) -> None:
    result = extract(drawn(lambda canvas: turned(canvas, angle, lambda canvas: write(canvas, BODY, y=500))))
    assert_found(result, BODY)
    assert result.lines[0][2:4] == (72, pytest.approx(499, abs=1))


def test_lines_of_a_page_whose_box_starts_elsewhere_are_inside_it() -> None:
    moved = two_pages().replace(b"/MediaBox [ 0 0 595.2756 841.8898 ]", b"/MediaBox [ 50 60 645 902 ]")
    result = extract(moved)
    assert_found(result, [*BODY, *FOOT, "The second page begins here."])
    assert result.lines[0][2:4] == (22, pytest.approx(719, abs=1))


def test_lines_of_a_cropped_page_are_inside_it() -> None:
    result = extract(two_pages(lambda canvas: canvas.setCropBox((40, 50, 590, 840))))
    assert_found(result, [*BODY, *FOOT, "The second page begins here."])


def test_note_marks_are_found_in_the_text() -> None:
    def page(canvas: Canvas) -> None:
        raised(canvas, "to education", ("4", 4), ", and more")
        raised(canvas, "of them", ("*", 4), y=680)

    result = extract(drawn(page))
    assert [result.text[start:end] for start, end in result.meta["note_marks"]] == ["4", "*"]


# Reading order across pages


def test_notes_follow_the_paragraph_that_crosses_the_page() -> None:
    body, after = prose(6, 400, seed=2), prose(3, 400, seed=3)

    def first(canvas: Canvas) -> None:
        write(canvas, [*body[:-1], f"{body[-1]} agree-"])
        write(canvas, ["1 See the case on imports of goods.", "2 As the parties say."], y=100, size=6, leading=9)

    text = extract(
        drawn(first, lambda canvas: write(canvas, [f"ment {after[0]}", *after[1:], "and that is all."]))
    ).text
    assert text.split("\n") == [
        f"{' '.join(body)} agreement {' '.join(after)} and that is all.",
        "1 See the case on imports of goods.",
        "2 As the parties say.",
    ]


def test_a_bibliography_that_crosses_the_page_stays_in_order() -> None:
    def first(canvas: Canvas) -> None:
        write(canvas, [*prose(20, 440, seed=3), "and that was the end of it."])
        write(canvas, ["References"], y=450)
        write(canvas, ["1. Example, A., The law of examples.", "2. Example, B., More of"], y=420, size=6, leading=9)

    def second(canvas: Canvas) -> None:
        write(canvas, ["the law, in a journal.", "3. Example, C., The last of it."], size=6, leading=9)

    text = extract(drawn(first, second)).text
    assert re.findall(r"References|\d\.|More of|the law, in", text) == [
        "References", "1.", "2.", "More of", "the law, in", "3.",
    ]  # fmt: skip


# The second engine


def misread(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let PDFium's text layer be this on every page."""
    monkeypatch.setattr("extractors.pdf.read_page", lambda page: (plain_lines(text), list))


@pytest.mark.parametrize(
    "bad", ["\ufffd\ufffd xt of\ufffd", "\ue012\ue013", "(cid:12)(cid:7)", "\ue005\ue006", "#$%@&" * 30]
)
def test_a_bad_text_layer_is_read_again(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    payload = pdf([f"{WIDE} year, {WIDE}"], [])
    misread(monkeypatch, bad)
    result = extract(payload)
    assert result.text.startswith(WIDE)
    assert result.meta["pages_by_engine"] == {"pdfplumber": [1]}
    assert [*result.meta["bad_pages"].values()] == [[1, 2]]
    assert [page["engine"] for page in result.pages] == ["pdfplumber", "pdfium"]
    assert [page["reason"] for page in result.pages] == [*result.meta["bad_pages"]] * 2
    assert "+ pdfplumber" in result.extractor


@pytest.mark.parametrize("good", [f"{WIDE} \uf0b7 {WIDE}", "1 204.50 | 17 . . . . . _____ 18", "Пример текста"])
def test_a_good_text_layer_is_not_read_again(monkeypatch: pytest.MonkeyPatch, good: str) -> None:
    payload = pdf(["Something else."])
    misread(monkeypatch, good)
    result = extract(payload)
    assert "bad_pages" not in result.meta
    assert "Something" not in result.text


def with_map(hexadecimal: str) -> bytes:
    """A PDF of one page, whose font says that each letter is one of these, in turn (UTF-16)."""
    codes = b"".join(
        b"<%02x> <%s>\n" % (code, hexadecimal[4 * (code % (len(hexadecimal) // 4)) :][:4].encode())
        for code in range(0x41, 0x7B)
    )
    table = stream(
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
        b"58 beginbfchar\n%sendbfchar endcmap end" % codes
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    return one_page(stream(show("The court heard the parties at some length")), {4: font, 6: table})


@pytest.mark.parametrize(
    "letters",
    [
        "e000e001e002",
        "fffdfffd0041",
        "000100030004",
        "00010003004100420043",
    ],
)
def test_a_bad_character_map_is_noticed(letters: str) -> None:
    assert extract(with_map(letters)).pages[0]["reason"] == "unreadable characters"


def test_windows_letters_that_nobody_declared_are_read() -> None:
    assert set(extract(with_map("0093")).text) == {"“", " "}


def test_optional_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    misread(monkeypatch, "\ufffd\ufffd")
    pages = [["Some text."]] * (MAX_BAD_PAGES + 1)
    read = extract(pdf(*pages)).meta["pages_by_engine"]
    assert read == {"pdfplumber": [*range(1, MAX_BAD_PAGES + 1)]}


# Errors


def test_a_password_is_asked_for() -> None:
    locked = pdf(["Secret."], encrypt=pdfencrypt.StandardEncryption("user", "owner"))
    assert extract(locked).error == "encrypted: a password is needed"


def test_an_owner_password_alone_does_not_matter() -> None:
    assert extract(pdf(["Open."], encrypt=pdfencrypt.StandardEncryption("", "owner"))).text == "Open."


def test_a_document_without_text_needs_ocr() -> None:
    result = extract(pdf([], []))
    assert result.error == "no text layer on any of 2 pages: needs OCR"
    assert (result.text, result.page_offsets, result.meta["needs_ocr"]) == ("", [0, 0], True)
    assert all("needs_ocr" not in page for page in result.pages)


class Recogniser:
    """Reads the same on every page."""

    languages = ("eng",)
    problem = None

    def read(self, page: object) -> Recognised:
        return Recognised("", 0.9, [OcrLine("The picture of a page", 72, 700, 272, 710)])


def scan(canvas: Canvas) -> None:
    canvas.rect(72, 72, 100, 100, fill=1)


def test_pages_that_show_something_are_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extractors.pdf_engines.check", lambda languages: "tesseract 5")
    payload = drawn(scan, lambda canvas: None, lambda canvas: write(canvas, ["Text."]))
    unread = extract(payload)
    assert [page.get("needs_ocr") for page in unread.pages] == [True, None, None]
    assert unread.pages[0]["reason"] == "no text layer"
    result = extract(payload, Recogniser())
    assert page_texts(result) == ["The picture of a page\n", "", "Text."]
    assert [page["engine"] for page in result.pages] == ["tesseract", "pdfium", "pdfium"]
    assert (result.pages[0]["needs_ocr"], result.pages[0]["confidence"]) == (False, 0.9)
    assert result.meta["pages_by_engine"] == {"tesseract": [1]}
    assert result.lines[0] == (0, 0, 72, 700, 272, 710)
    assert result.extractor.endswith(" + tesseract 5")


@pytest.mark.parametrize("payload", [b"", b"%PDF-1.7\n", b"<html>no PDF</html>", pdf(["Text."])[:300]])
def test_what_cannot_be_opened_is_said_to_be_unreadable(payload: bytes) -> None:
    result = extract(payload)
    assert result.error is not None and result.error.startswith("not a readable PDF: ")
    assert result.text == ""


def test_a_page_that_fails_costs_that_page_alone() -> None:
    whole = pdf(["First page."], ["Second page."], ["Third page."])
    kids = re.search(rb"/Kids \[ (\d+ 0 R) (\d+ 0 R) ", whole)
    assert kids is not None
    broken = whole[: kids.start(2)] + b"0 0 R".ljust(len(kids[2])) + whole[kids.end(2) :]
    result = extract(broken)
    assert result.error is None
    assert result.meta["failed_pages"] == [2]
    assert [text.strip() for text in page_texts(result)] == ["First page.", "", "Third page."]


def test_a_page_tree_that_claims_too_much_is_given_up() -> None:
    result = extract(pdf(["Only page."]).replace(b"/Count 1", b"/Count 900000"))
    assert result.text == "Only page."
    assert len(result.page_offsets) < 2_000


# Hostile bytes

SAMPLE = pdf(["First line of the page.", "Second line."], ["Another page."], draw=grid)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_random_bytes_never_raise(payload: bytes) -> None:
    assert extract(b"%PDF-1.4\n" + payload).error
    assert extract(payload).error


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(SAMPLE)), st.binary(min_size=1, max_size=40), st.booleans())
def test_damage_never_raises(place: int, damage: bytes, cut: bool) -> None:
    payload = SAMPLE[:place] + damage + (b"" if cut else SAMPLE[place + len(damage) :])
    result = extract(payload)
    assert len(result.page_offsets) + result.meta.get("unread_pages", 0) == result.meta.get("pages", 0)
    assert result.error or result.text


def test_the_same_bytes_give_the_same_result() -> None:
    assert extract(SAMPLE) == extract(SAMPLE)
