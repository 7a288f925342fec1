import io
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from benchmarks import fidelity_pdf as fidelity

LINES = ["The harbour master keeps the book of tides", "and reads from it to whoever comes to ask."]


def pdf(lines: list[str]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for number, line in enumerate(lines):
        canvas.drawString(72, 700 - 14 * number, line)
    canvas.save()
    return buffer.getvalue()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pdf"
    (folder / "typeset").mkdir(parents=True)
    for name, lines in (("a", LINES), ("b", LINES[::-1])):
        (folder / f"{name}.pdf").write_bytes(pdf(lines))
        (folder / f"{name}.txt").write_text("\n".join(LINES))
    (folder / "typeset" / "c.pdf").write_bytes(b"no PDF")
    (folder / "typeset" / "c.txt").write_text("\n".join(LINES))
    rows = [
        "pdf\ttruth\tlang\tkind\tnote",
        "a.pdf\ta.txt\ten\tone\t",
        "b.pdf\tb.txt\ten\tother\t",
        "a.pdf\t\ten\tone\t",
    ]
    (folder / "index.tsv").write_text("\n".join(rows))
    (folder / "typeset" / "index.tsv").write_text("pdf\ttruth\tlang\tlayout\nc.pdf\tc.txt\ten\t1 column\n")
    return tmp_path


def test_cases_are_the_pdfs_with_a_reference(data: Path) -> None:
    found = [(case.kind, case.language, case.pdf.name, case.reference.name) for case in fidelity.cases(data / "pdf")]
    assert found == [
        ("one", "en", "a.pdf", "a.txt"),
        ("other", "en", "b.pdf", "b.txt"),
        ("typeset-1 column", "en", "c.pdf", "c.txt"),
    ]


def test_each_engine_reads_the_words_and_the_order_counts(data: Path) -> None:
    wanted = "\n".join(LINES)
    for name, low, high in (("a", 1, 1), ("b", 0.5, 0.99)):
        payload = (data / "pdf" / f"{name}.pdf").read_bytes()
        scored = fidelity.score({engine: read(payload) for engine, read in fidelity.ENGINES.items()}, wanted)
        assert set(scored) == {"florilege", "PDFium", "pdfplumber"}
        for figures in scored.values():
            assert figures["LCS"] == figures["wR"] == figures["wP"] == pytest.approx(1)
            assert low <= figures["5gR"] <= high
            assert low <= figures["5gP"] <= high


def test_with_a_star_only_what_the_page_can_tell_counts() -> None:
    wanted = "one two three four five six and never printed at all"
    scored = fidelity.score(
        {"x": "one two three four five six 7 8 9", "y": "head one two three four five 7 8 9"}, wanted
    )
    # On the page are two of the seven sequences of the reference; the last three of each text are in both.
    assert scored["x"]["5gR"] == pytest.approx(2 / 7)
    assert scored["x"]["5gR*"] == 1
    assert scored["y"]["5gR*"] == pytest.approx(1 / 2)
    assert scored["x"]["5gP"] == pytest.approx(2 / 5)
    assert scored["x"]["5gP*"] >= scored["x"]["5gP"]


def test_an_unread_file_scores_nothing() -> None:
    scored = fidelity.score({"x": "", "y": ""}, "one two three four five")
    assert all(value == 0 for figures in scored.values() for value in figures.values())


def test_a_reference_has_spaces_between_blocks_only_and_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<article><meta>no</meta><p>one<italic>two</italic></p><p>three<!-- no --> four</p></article>")
    assert fidelity.reference(path) == "onetwo three four"


def test_tables_by_set_by_language_and_of_speed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity, "LONG", 3)
    by_set, by_language, speed = fidelity.tables(data)
    assert sum(line.startswith("| typeset-1 column |") for line in by_set.split("\n")) == 3
    assert "| typeset-1 column | florilege | 1 | 0.000 |" in by_set
    assert "| all | florilege | 3 |" in by_set
    assert "| en | PDFium | 3 |" in by_language
    assert speed.startswith("2 pages")
    assert all(line.split("|")[4].strip().isdigit() for line in speed.split("\n")[-3:])


def test_a_folder_without_pdfs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no PDF with a reference"):
        next(fidelity.tables(tmp_path))
