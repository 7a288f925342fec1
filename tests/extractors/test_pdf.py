"""PDFs made here with reportlab, hostile bytes, and the real ones with their pinned floors."""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import lxml.etree
import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib import pdfencrypt
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf import _entry, extract
from extractors.pdf_lines import Vocabulary, drop_running, join_lines, page_lines
from extractors.pdf_tables import markdown
from extractors.record import Extract

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pdf"


def pdf(*pages: list[str], draw: Callable[[Canvas], object] = lambda canvas: None, **options: object) -> bytes:
    """A PDF with these lines on its pages, from the top, and what `draw` adds to each."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, **options)
    for lines in pages:
        canvas.setFont("Helvetica", 8)
        for i, line in enumerate(lines):
            canvas.drawString(72, 780 - 14 * i, line)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def page_texts(result: Extract) -> list[str]:
    ends = [*result.page_offsets[1:], len(result.text)]
    return [result.text[a:b] for a, b in zip(result.page_offsets, ends, strict=True)]


WIDE = "The committee met on several occasions and heard the parties at some length about the"


# Words over line ends


def test_a_word_broken_at_the_line_end_is_joined() -> None:
    text = extract(pdf([f"{WIDE} agree-", "ment that they had signed."])).text
    assert "about the agreement that they had signed." in text


def test_a_compound_keeps_its_hyphen_when_the_document_writes_it_elsewhere() -> None:
    text = extract(pdf(["A cross-border case is one of several.", f"{WIDE} cross-", "border case."])).text
    assert text.endswith("about the cross-border case.")


def test_the_joined_form_elsewhere_decides_against_two_words() -> None:
    lines = [["some where", "somewhere else, and some-", "where again"]]
    assert join_lines(lines)[0].endswith("and somewhere again")
    assert Vocabulary(lines).joins("some", "-", "where")


@pytest.mark.parametrize(
    ("lines", "joined"),
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
        (["pre-", "and post-war"], "pre- and post-war"),
        (["in-", "en uitvoer en handel"], "in- en uitvoer en handel"),
        (["den og den kommission-", "en som og"], "den og den kommissionen som og"),
        (["und Verlänger-", "ung und"], "und Verlängerung und"),
        (["a thousand and one, a thous-", "and"], "a thousand and one, a thousand"),
    ],
)
def test_hyphens_at_line_ends(lines: list[str], joined: str) -> None:
    assert join_lines([page_lines("\n".join(lines))])[0] == joined


def test_documents_that_break_compounds_only_keep_the_hyphen() -> None:
    assert join_lines([["his well-known, well-", "known multi-", "actor plan"]])[0].endswith("multi-actor plan")


def test_a_suspended_hyphen_between_pages() -> None:
    assert join_lines([["Die Haupt-"], ["und Nebensätze"]]) == ("Die Haupt- und Nebensätze", [0, 11])


def test_engine_marks_become_line_ends_with_a_hyphen() -> None:
    assert page_lines("collec\x02tion of profes\ufffesional") == ["collec\ufffe", "tion of profes\ufffe", "sional"]


# Lines and characters


def test_a_paragraph_is_one_line_and_ends_where_a_short_line_ends_a_sentence() -> None:
    lines = [f"{WIDE} old", "treaty.", f"{WIDE} new", "one, too."]
    assert extract(pdf(lines)).text == f"{WIDE} old treaty.\n{WIDE} new one, too."


def test_headings_and_items_stand_alone() -> None:
    lines = ["Article 1", f"{WIDE} old treaty:", f"(a) {WIDE} first;", f"(b) {WIDE} second."]
    assert join_lines([lines])[0].split("\n") == lines


def test_footnote_marks_do_not_cut_off_the_comma() -> None:
    assert join_lines([[f"{WIDE} education4", ", and more of it"]])[0] == f"{WIDE} education4, and more of it"


def test_lines_without_spaces_between_words_are_joined_without() -> None:
    assert join_lines([["日本国民は、正当に選挙された国会における代表者を通", "じて行動し"]])[0].count(" ") == 0


def test_ligatures_controls_and_decomposed_letters() -> None:
    assert page_lines("e\u0301le\u0300ve o\ufb03ce\x00 \x01\ufb02at\ttab\ufeff \ud800\r\n\r\n  ") == [
        "élève office flat tab"
    ]


# Running lines


def test_running_heads_feet_and_page_numbers_leave_the_text() -> None:
    pages = [
        ["Journal of Law 12 May 1999", f"{WIDE} {word} matter", f"L 102/{i}", f"{i}"]
        for i, word in enumerate(["first", "second", "third", "fourth"], 7)
    ]
    result = extract(pdf(*pages))
    assert result.text == "\n".join(f"{WIDE} {word} matter" for word in ("first", "second", "third", "fourth"))
    assert result.meta["running_lines"] == ["Journal of Law 12 May 1999", "L 102/7", "7"]


def test_two_pages_are_enough_for_a_foot_that_counts() -> None:
    kept, removed = drop_running([["one text", "Page 1 of 2"], ["another text", "Page 2 of 2"]])
    assert (kept, removed) == ([["one text"], ["another text"]], ["Page 1 of 2"])


def test_headings_whose_numbers_do_not_count_pages_stay() -> None:
    pages = [[f"Article {n}", f"text number {n * n}"] for n in (1, 5, 9, 12, 20)]
    assert drop_running(pages) == (pages, [])


@pytest.mark.parametrize("heading", ["Annex {}", "ANHANG {} – Listen", "Article {}", "Kapitel {}:", "Tabla {}"])
def test_headings_that_count_pages_stay(heading: str) -> None:
    pages = [[heading.format(n), f"text {c}", f"Section 7, page {n}"] for n, c in enumerate("abc", 1)]
    kept, removed = drop_running(pages)
    assert kept == [lines[:2] for lines in pages]
    assert removed == ["Section 7, page 1"]


def test_years_that_count_pages_stay_and_high_page_numbers_go() -> None:
    years = [[f"{year}", f"text {c}"] for year, c in enumerate("abc", 1999)]
    assert drop_running(years) == (years, [])
    numbers = [[f"{number}", f"text {c}"] for number, c in enumerate("abc", 12_345)]
    assert drop_running(numbers) == ([["text a"], ["text b"], ["text c"]], ["12345"])


def test_pages_all_alike_keep_their_text() -> None:
    assert drop_running([["one form"], ["one form"]]) == ([["one form"], ["one form"]], [])


def test_headings_that_count_pages_for_a_while_stay() -> None:
    pages = [[f"Article {n}", f"text {c}", *"12345", f"Article {n + 20}", *"67890", c] for n, c in enumerate("abcd")]
    kept, _ = drop_running(pages)
    assert all(any(line.startswith("Article") for line in lines[:1]) for lines in kept)


def test_the_title_stays_where_the_heads_repeat_it() -> None:
    title = "On the Nature of Titles"
    pages = [["Review", "of things", title, "body"], *([title, f"body {c}"] for c in "abcd")]
    kept, removed = drop_running(pages)
    assert kept[0][2] == title
    assert kept[1:] == [[f"body {c}"] for c in "abcd"]
    assert removed == [title]


def test_lines_inside_a_page_are_never_running() -> None:
    body = [[*"abcde", "again and again", *"fghij"] for _ in range(4)]
    assert all(lines.count("again and again") == 1 for lines in drop_running(body)[0])


def test_a_number_of_a_thousand_digits_is_no_page_number() -> None:
    pages = [["9" * 6000, f"text {c}"] for c in "abcd"]
    assert drop_running(pages)[0] == pages


# Pages


def test_offsets_cut_the_text_into_its_pages() -> None:
    result = extract(pdf(["First page ends here."], [], ["Second page begins here."]))
    assert page_texts(result) == ["First page ends here.\n", "", "Second page begins here."]
    assert result.meta["empty_pages"] == [2]
    assert result.error is None


def test_a_word_broken_between_pages_belongs_to_the_first() -> None:
    result = extract(pdf([f"{WIDE} trea-"], ["ty of the year and of other years as well"]))
    assert page_texts(result) == [f"{WIDE} treaty ", "of the year and of other years as well"]


@given(st.lists(st.lists(st.text("ab-A1. ,\u2010\xad\ufffe\u0301日", min_size=1, max_size=12), max_size=6), max_size=5))
def test_joined_text_keeps_its_contract(raw: list[list[str]]) -> None:
    pages = [page_lines("\n".join(lines)) for lines in raw]
    text, offsets = join_lines(pages)
    assert len(offsets) == len(pages)
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)
    assert text == unicodedata.normalize("NFC", text)
    assert "\xad" not in text and "\ufffe" not in text and " \n" not in text
    signs = [c for lines in pages for line in lines for c in line if c.isalnum()]
    assert [c for c in text if c.isalnum()] == signs


# Tables


def grid(canvas: Canvas) -> None:
    for y in (600, 620, 640):
        canvas.line(72, y, 272, y)
    for x in (72, 172, 272):
        canvas.line(x, 600, x, 640)
    for x, y, word in ((76, 626, "Country"), (176, 626, "Rate|%"), (76, 606, "Malta"), (176, 606, "18")):
        canvas.drawString(x, y, word)


def test_a_ruled_table_becomes_markdown_and_stays_in_the_text_once() -> None:
    result = extract(pdf(["Rates follow."], draw=grid))
    assert result.tables == "| Country | Rate\\|% |\n| --- | --- |\n| Malta | 18 |"
    assert result.text.count("Malta") == 1
    assert "pdfplumber" in result.extractor


def test_boxes_and_rules_are_no_table() -> None:
    def frame(canvas: Canvas) -> None:
        for inset in (20, 40, 60):
            canvas.rect(inset, inset, 500 - 2 * inset, 700 - 2 * inset)
        canvas.line(72, 500, 300, 500)

    result = extract(pdf(["Just a frame."], draw=frame))
    assert result.tables is None
    assert "pdfplumber" not in result.extractor


def test_cells_are_cleaned_and_empty_grids_and_single_columns_are_no_tables() -> None:
    assert markdown([["a\x00b\ud800", "prop\u2010\nerty"], ["1", None]]) == "| ab | property |\n| --- | --- |\n| 1 |  |"
    assert markdown([]) is None
    assert markdown([["a", "b"]]) is None
    assert markdown([["a"], ["b"]]) is None
    assert markdown([["a", None, "", ""], ["b", None, "", ""]]) is None


# The second engine


def misread(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let PDFium's text layer be this on every page."""
    monkeypatch.setattr("extractors.pdf._page_text", lambda page: text)


@pytest.mark.parametrize(
    "bad", ["\ufffd\ufffd xt of\ufffd", "\ue012\ue013", "(cid:12)(cid:7)", "\x05\x06", "#$%@&" * 30]
)
def test_a_bad_text_layer_is_read_again(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    payload = pdf([f"{WIDE} year, {WIDE}"], [])
    misread(monkeypatch, bad)
    result = extract(payload)
    assert result.text.startswith(WIDE)
    assert result.meta["pages_by_engine"] == {"pdfplumber": [1]}
    assert [*result.meta["bad_pages"].values()] == [[1, 2]]
    assert "+ pdfplumber" in result.extractor


@pytest.mark.parametrize("good", [f"{WIDE} \uf0b7 {WIDE}", "1 204.50 | 17 . . . . . _____ 18", "Пример текста"])
def test_a_good_text_layer_is_not_read_again(monkeypatch: pytest.MonkeyPatch, good: str) -> None:
    payload = pdf(["Something else."])
    misread(monkeypatch, good)
    result = extract(payload)
    assert "bad_pages" not in result.meta
    assert "Something" not in result.text


def test_optional_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    ruled = extract(pdf(*([["Some text."]] * 61), draw=grid))
    assert ruled.meta["tables_not_read"] == [61]
    misread(monkeypatch, "\ufffd\ufffd")
    assert extract(pdf(*([["Some text."]] * 21))).meta["pages_by_engine"] == {"pdfplumber": [*range(1, 21)]}


# Information


def test_information_that_makes_sense_is_kept() -> None:
    def describe(canvas: Canvas) -> None:
        canvas.setTitle("A Study of Titles")
        canvas.setAuthor("Ada Example; Bo Example")

    result = extract(pdf(["Text."], draw=describe, lang="fr-LU"))
    assert (result.title, result.authors, result.language) == ("A Study of Titles", ["Ada Example", "Bo Example"], "fr")
    assert result.meta["pages"] == 1
    assert result.date == result.meta["created"] == "2000-01-01"


@pytest.mark.parametrize(("tag", "language"), [("deu-AT", "de"), ("eng", "en"), ("und", None), ("zxx", None)])
def test_declared_language(tag: str, language: str | None) -> None:
    assert extract(pdf(["Text."], lang=tag)).language == language


@given(st.text(st.characters(categories=["L", "Cs", "Co", "Cc"])))
def test_information_can_be_written_to_files(entry: str) -> None:
    class Document:
        def get_metadata_value(self, key: str) -> str:
            return entry

    assert not re.search(r"[\ud800-\udfff\x00-\x1f]", _entry(Document(), "Title"))


@pytest.mark.parametrize("title", ["report.doc", "Microsoft Word - final v2.docx", "untitled", "(anonymous)", "12", ""])
def test_titles_that_are_file_names_or_fillers_are_not_titles(title: str) -> None:
    assert extract(pdf(["Text."], draw=lambda canvas: canvas.setTitle(title))).title is None


def test_the_year_in_the_title_beats_the_date_of_the_file() -> None:
    result = extract(pdf(["Text."], draw=lambda canvas: canvas.setTitle("Official Gazette of 6 May 1962")))
    assert result.date is None
    assert result.meta["created"] == "2000-01-01"


# Errors


def test_a_password_is_asked_for() -> None:
    locked = pdf(["Secret."], encrypt=pdfencrypt.StandardEncryption("user", "owner"))
    assert extract(locked).error == "encrypted: a password is needed"


def test_an_owner_password_alone_does_not_matter() -> None:
    assert extract(pdf(["Open."], encrypt=pdfencrypt.StandardEncryption("", "owner"))).text == "Open."


def test_pages_without_text_need_ocr() -> None:
    result = extract(pdf([], []))
    assert result.error == "no text layer on any of 2 pages: needs OCR"
    assert (result.text, result.page_offsets, result.meta["needs_ocr"]) == ("", [0, 0], True)


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


# Real documents

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no real PDFs beside the project")

# fmt: off
INLINE = {
    "marquage", "exposant", "indice", "liensimple", "renvoi", "sup", "sub", "italic", "bold", "xref",
    "ext-link", "sc", "monospace", "a", "b", "i", "em", "strong", "span", "underline", "named-content",
    "styled-content", "font", "ht", "date", "quot.start", "quot.end",
}
NOT_TEXT = {
    "journal-meta", "permissions", "history", "self-uri", "custom-meta-group", "script", "style", "head",
    "object-id", "tex-math", "meta",
}
# fmt: on

# Cosine of token counts, share of 5-grams: measured, less 0.003.
FLOORS = {
    "erudit-pdf+xml": (0.927, 0.939),
    "jose-pdf+jats": (0.947, 0.750),
    "scielo-pdf+jats": (0.985, 0.800),
    "sp-pdf+eruditxml": (0.992, 0.935),
    "typeset-declaration": (0.997, 0.996),
}


def references(kind: str) -> list[tuple[Path, Path]]:
    """PDFs of one kind with the files of their reference text."""
    if kind == "typeset-declaration":
        return [(p, p.with_suffix(".truth.txt")) for p in sorted((DATA / "typeset").glob("UDHR_*.pdf"))]
    return [(p, next(p.parent.glob(f"{p.stem}.truth.*"))) for p in sorted((DATA / kind).glob("*.pdf"))]


def reference_text(path: Path) -> str:
    """The text of a reference (XML, HTML or plain), a space around every block."""
    data = path.read_bytes()
    if path.suffix == ".txt":
        return data.decode()
    if b"<html" in data[:3000].lower():
        tree = lxml.html.fromstring(data)
    else:
        tree = lxml.etree.fromstring(data, lxml.etree.XMLParser(recover=True, huge_tree=True, load_dtd=False))
    for node in list(tree.iter()):
        tag = node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else None
        if tag is None or tag in NOT_TEXT:
            tail = node.tail
            node.clear()
            node.text, node.tail = "", tail
        if tag not in INLINE:
            node.text, node.tail = f" {node.text or ''}", f" {node.tail or ''}"
    return "".join(tree.itertext())


def scores(text: str, reference: str) -> tuple[float, float]:
    """Cosine of the counts of whitespace tokens (LCS), and the share of the reference's word 5-grams found."""
    ours, theirs = (Counter(unicodedata.normalize("NFC", t).lower().split()) for t in (text, reference))
    product = math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    found, wanted = (re.findall(r"\w+", unicodedata.normalize("NFC", t).lower()) for t in (text, reference))
    grams, wanted_grams = (Counter(zip(*(w[i:] for i in range(5)), strict=False)) for w in (found, wanted))
    recall = (grams & wanted_grams).total() / max(1, wanted_grams.total())
    return sum(n * theirs[token] for token, n in ours.items()) / product, recall


@needs_data
@pytest.mark.real
@pytest.mark.parametrize("kind", FLOORS)
def test_fidelity_does_not_fall(kind: str) -> None:
    got = [scores(extract(path.read_bytes()).text, reference_text(truth)) for path, truth in references(kind)]
    lcs, recall = (sum(values) / len(got) for values in zip(*got, strict=True))
    assert lcs >= FLOORS[kind][0]
    assert recall >= FLOORS[kind][1]


@needs_data
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("aes-128.pdf", "encrypted: a password is needed"),
        ("lincoln_letter.pdf", "no text layer on any of 1 page: needs OCR"),
        ("unreadablemetadata.pdf", "not a readable PDF: Failed to load document (PDFium: Data format error)."),
        ("pdftotext_two_column_issue.pdf", None),
        ("O.pdf", None),
    ],
)
def test_odd_files_say_what_is_wrong(name: str, error: str | None) -> None:
    result = extract((DATA / "odd" / name).read_bytes())
    assert result.error == error
    assert bool(result.text) == (error is None)


@needs_data
@pytest.mark.real
def test_tables_of_a_real_report() -> None:
    tables = extract((DATA / "icdar-eu-tables" / "eu-004.pdf").read_bytes()).tables
    assert tables is not None
    assert sum(line.startswith("| ---") for line in tables.split("\n")) == 12
