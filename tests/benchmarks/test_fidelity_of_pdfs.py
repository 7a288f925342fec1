import io
import sys
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from benchmarks import fidelity

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
    found = [(case.kind, case.pdf.name, case.reference.name) for case in fidelity.cases(data / "pdf")]
    assert found == [("one", "a.pdf", "a.txt"), ("other", "b.pdf", "b.txt"), ("typeset: 1 column", "c.pdf", "c.txt")]


def test_each_engine_reads_the_words_and_the_order_counts(data: Path) -> None:
    right, swapped, broken = (fidelity.score(case, list(fidelity.ENGINES)) for case in fidelity.cases(data / "pdf"))
    assert set(right) == set(swapped) == set(broken) == {"florilege", "PDFium", "pdfplumber"}
    for engine in right:
        assert right[engine] == {"lcs": pytest.approx(1), "order_recall": 1, "order_precision": 1}
        assert swapped[engine]["lcs"] == pytest.approx(1)
        assert 0.5 < swapped[engine]["order_recall"] < 1
        assert broken[engine]["lcs"] == 0


def test_a_table_has_a_row_of_means_for_each_engine() -> None:
    scored = [{"x": dict.fromkeys(fidelity.SCORES, value)} for value in (0.5, 1.0)]
    assert fidelity.table(scored).splitlines()[2:] == ["| x | 2 | 0.7500 | 0.7500 | 0.7500 |"]


def test_tables_are_printed_by_kind(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["fidelity.py", str(data), "--workers", "1"])
    assert fidelity.main() == 0
    printed = capsys.readouterr().out
    assert [block for block in printed.split("\n\n") if "|" not in block] == ["\none", "other", "typeset: 1 column"]
    assert printed.count("| florilege | 1 |") == 3
    assert "PDFium" not in printed


def test_a_folder_without_pdfs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["fidelity.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        fidelity.main()
    assert "no PDF with a reference" in capsys.readouterr().err
