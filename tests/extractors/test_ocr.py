"""Recognition of pages made here, by the Tesseract that is installed; skipped where there is none."""

from __future__ import annotations

import io
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extractors import ocr
from extractors.record import Record
from extractors.sandbox import Sandbox
from flows.demo.scan import scan

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pdf"
TARGET = "ocr_targets:first_page"
TEXT = (
    "The council met on the third of May and heard",
    "the parties at some length about the harbour,",
    "whose walls had been repaired twice before.",
)


def _why_not() -> str:
    try:
        ocr.check(("en",))
    except ocr.OcrError as error:
        return str(error)
    return ""


needs_tesseract = pytest.mark.skipif(bool(_why_not()), reason=_why_not())


def printed(lines: tuple[str, ...] = TEXT, size: tuple[float, float] = (420, 300), turned: int = 0) -> bytes:
    """A PDF of one page that shows these lines from its top."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=size, invariant=1)
    canvas.setPageRotation(turned)
    canvas.setFont("Times-Roman", 14)
    for i, line in enumerate(lines):
        canvas.drawString(40, size[1] - 50 - 20 * i, line)
    canvas.save()
    return made.getvalue()


def noise() -> bytes:
    """A PDF of one page of grey noise."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(300, 300), invariant=1)
    canvas.drawImage(ImageReader(Image.frombytes("L", (300, 300), random.Random(1).randbytes(90_000))), 0, 0, 300, 300)
    canvas.save()
    return made.getvalue()


def long() -> bytes:
    """A PDF of one page with so much text that Tesseract takes many times longer than a test waits."""
    return printed(tuple(" ".join([line] * 4) for line in TEXT * 40), (1_250, 2_500))


@contextmanager
def first_page(pdf: bytes) -> Iterator[Any]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        yield document[0]
    finally:
        document.close()


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


# What needs no Tesseract


@pytest.mark.parametrize(
    ("tag", "name"),
    [("fr", "fra"), ("EN-gb", "eng"), ("sr-Latn-RS", "srp_latn"), ("sr", "srp"), ("zh-Hant", "chi_tra")],
)
def test_languages_are_named_in_bcp_47(tag: str, name: str) -> None:
    assert ocr.tesseract_name(tag) == name


def test_every_official_language_of_the_union_is_known() -> None:
    official = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv"
    assert len({ocr.tesseract_name(tag) for tag in official.split()}) == 24


@pytest.mark.parametrize("tag", ["", "xx", "fra", "français", "-l"])
def test_an_unknown_language_is_refused_with_those_that_are_known(tag: str) -> None:
    with pytest.raises(ValueError, match=r"known are .*fr, "):
        ocr.tesseract_name(tag)


def test_an_absent_binding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytesseract", None)
    ocr._installation.cache_clear()
    ocr._binding.cache_clear()
    with pytest.raises(ocr.OcrError, match=r"pip install 'florilege\[ocr\]'"):
        ocr.check(("fr",))


def test_an_absent_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pytesseract")
    ocr._installation.cache_clear()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ocr.OcrError, match=r"apt-get install tesseract-ocr$"):
        ocr.check(("fr",))


def test_absent_languages_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_installation", lambda: ("tesseract 5", frozenset({"eng"})))
    with pytest.raises(ocr.OcrError, match=r"install tesseract-ocr-chi-sim tesseract-ocr-fra$"):
        ocr.check(("en", "fr", "zh"))
    assert ocr.check(("en",)) == "tesseract 5"
    assert ocr.installed() == ["en"]


def test_a_reader_without_tesseract_gives_no_text_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_installation", lambda: ("tesseract 5", frozenset()))
    with first_page(printed()) as page:
        reader = ocr.Reader(("en",), 60)
        assert reader.read(page) is None
    assert reader.problem and "apt-get install tesseract-ocr-eng" in reader.problem


def test_words_become_lines_and_blocks_in_order() -> None:
    rows = [
        "5 1 1 1 1 1 10 10 20 10 90 The", "5 1 1 1 1 2 40 8 20 12 80 old", "5 1 1 1 2 1 10 30 20 10 70 law",
        "4 1 2 1 1 0 10 60 20 10 -1", "5 1 2 1 1 1 10 60 20 10 100  ", "5 1 2 1 1 1 10 60 20 10 60 ends",
    ]  # fmt: skip
    table = "\n".join(["header", *("\t".join(row.split(" ", 11)) for row in rows)])

    class Place:
        def to_page(self, x: int, y: int) -> tuple[float, float]:
            return x / 10, 10 - y / 10

    found = ocr._recognised(table, Place())
    assert found.text == "The old\nlaw\n\nends"
    assert found.lines[0] == ocr.Line("The old", 1.0, 8.0, 6.0, 9.2)
    assert found.confidence == pytest.approx((3 * 0.9 + 3 * 0.8 + 3 * 0.7 + 4 * 0.6) / 13, abs=1e-4)


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 1), (1, 1), (0.01, 14_400)])
def test_pages_of_any_size_are_drawn_within_bounds(size: tuple[float, float]) -> None:
    with first_page(printed(size=size)) as page:
        picture = ocr._render(page, time.monotonic() + 30)
    assert picture.width * picture.height <= 1.01 * ocr.MAX_PIXELS


def test_drawing_ends_at_the_deadline() -> None:
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(500, 500), invariant=1)
    for i in range(20_000):
        canvas.circle(250, 250, 1 + i % 240, fill=1)
    canvas.save()
    with first_page(made.getvalue()) as page, pytest.raises(TimeoutError, match="too long to draw"):
        ocr._render(page, time.monotonic())


# Recognition


@needs_tesseract
def test_a_printed_page_is_read() -> None:
    with first_page(scan(printed(), recognised=False)) as page:
        assert not page.get_textpage().count_chars()
        found = ocr.recognise(page, ("en",))
    assert len(words(found.text) & words(" ".join(TEXT))) >= 20
    assert found.confidence > 0.8
    assert found.text.count("\n") >= 2


@needs_tesseract
@pytest.mark.parametrize("turned", [0, 90])
def test_lines_stand_where_their_characters_do(turned: int) -> None:
    size = (420, 300)
    with first_page(printed(size=size)) as page:
        layer = page.get_textpage()
        left, bottom, _, top = layer.get_charbox(0)
        # A page that is shown turned has to have its text turned back to be read.
        picture = ocr._render(page, time.monotonic() + 30)
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=size if not turned else size[::-1], invariant=1)
    canvas.setPageRotation(turned)
    if turned:
        canvas.translate(size[1], 0)
        canvas.rotate(90)
    canvas.drawImage(ImageReader(picture), 0, 0, *size)
    canvas.save()
    with first_page(made.getvalue()) as page:
        line = ocr.recognise(page, ("en",)).lines[0]
    assert line.text.startswith("The council")
    expected = (left, bottom) if not turned else (size[1] - top, left)
    assert (line.left, line.bottom) == pytest.approx(expected, abs=4)


@needs_tesseract
def test_a_page_of_noise_is_no_text_but_has_a_confidence() -> None:
    with first_page(noise()) as page:
        found = ocr.Reader(("en",), 120).read(page)
    assert found is not None
    assert (found.text, found.lines) == ("", [])
    assert found.confidence < ocr.LEGIBLE


@needs_tesseract
def test_a_document_gets_as_many_pages_as_its_deadline_has_room_for() -> None:
    with first_page(printed(("A line.",))) as page:
        reader = ocr.Reader(("en",), 2.4 * ocr.PAGE_S)
        found = [reader.read(page) for _ in range(3)]
    assert [each is not None for each in found] == [True, True, False]
    assert reader.problem and "extract.deadline_s" in reader.problem


@needs_tesseract
def test_a_page_that_takes_too_long_is_left_for_later() -> None:
    with first_page(long()) as page:
        reader = ocr.Reader(("en",), 1.0)
        assert reader.read(page) is None
    assert reader.problem and "took" in reader.problem


# In the child


@needs_tesseract
def test_a_child_reads_in_the_languages_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Sandbox(60, target=TARGET, options={"languages": ["en"]}) as sandbox:
        found = sandbox.extract(Record("s", "p", payload=scan(printed(), recognised=False), format="pdf"))
        assert list(tmp_path.iterdir()) == []
    assert found.error is None
    assert "harbour" in found.text


@needs_tesseract
def test_nothing_is_left_of_a_document_that_met_its_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    options = {"languages": ["en"], "deadline_s": 600}
    with Sandbox(3, target=TARGET, options=options) as sandbox:
        sandbox.extract(Record("s", "p", payload=printed(("A line.",)), format="pdf"))
        child = sandbox._child
        assert child is not None
        before = {process.pid for process in psutil.process_iter()}
        made: set[str] = set()
        watch = threading.Timer(2, lambda: made.update(path.name for path in tmp_path.iterdir()))
        watch.start()
        found = sandbox.extract(Record("s", "p", payload=long(), format="pdf"))
        watch.join()
        assert found.error and "took over 3 s" in found.error
        assert any(name.startswith(f"florilege-{child.process.pid}-") for name in made)
        assert list(tmp_path.iterdir()) == []
        started = [p for p in psutil.process_iter(["name"]) if p.pid not in before and p.info["name"] == "tesseract"]
        _, alive = psutil.wait_procs(started, timeout=0.5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


@needs_tesseract
@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is signalled on Linux only")
def test_tesseract_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "long.pdf").write_bytes(long())
    script = (
        "import sys, pypdfium2; from extractors import ocr\n"
        "ocr.recognise(pypdfium2.PdfDocument(sys.argv[1])[0], ['en'], 600)\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    parent = psutil.Popen([sys.executable, "-c", script, str(tmp_path / "long.pdf")], env=environment)
    until = time.monotonic() + 60
    running: list[psutil.Process] = []
    while not running and parent.is_running() and time.monotonic() < until:
        running = [p for p in parent.children() if "stdin" not in p.cmdline() and "tsv" in " ".join(p.cmdline())]
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert running
    # Left alone, it would go on for seconds, until it has something to say and nobody listens.
    _, alive = psutil.wait_procs(running, timeout=0.5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


@needs_tesseract
@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
def test_a_real_page_is_read_as_its_text_layer_says() -> None:
    document = pypdfium2.PdfDocument(DATA / "typeset" / "32011L0083_EN.pdf")
    layer = words(document[1].get_textpage().get_text_bounded().replace("\ufffe", ""))
    found = ocr.recognise(document[1], ("en",))
    document.close()
    assert len(layer & words(found.text.replace("-\n", ""))) > 0.93 * len(layer)
    assert found.confidence > 0.9
