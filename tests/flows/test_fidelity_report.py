from __future__ import annotations

import html
import html.parser
import http.server
import io
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from report_corpus import HEIGHT, HOSTILE, LINES, WIDTH, boxes, pdf, reported, text
from warcio.warcwriter import WARCWriter

from catalog.errors import ConfigError
from catalog.fidelity import Choice
from catalog.files import Corpus
from extractors.record import Record
from extractors.sandbox import Sandbox
from flows.report import compare, faults, images
from flows.report.figures import histogram, page_strip, position
from flows.report.originals import NoOriginal, Originals
from flows.report.text import MAX_SHOWN, line_kinds, page_text, safe
from flows.report.text import boxes as drawn_boxes
from flows.report.write import write

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Path]:
    """A corpus and the report of it."""
    root = tmp_path_factory.mktemp("reported") / "here"
    corpus, output = reported(root), root / "out" / "fidelity.html"
    write(corpus, None, Choice(), 20, output)
    return corpus, output


@pytest.fixture(scope="module")
def page(made: tuple[Corpus, Path]) -> str:
    return made[1].read_text(encoding="utf-8")


def section(page: str, path: str) -> str:
    """The part of the report about the document at this path."""
    [found] = [part for part in page.split("<section class=document")[1:] if f"· {path} ·" in part]
    return found


def bare(fragment: str) -> str:
    """Its text, without what is missing in the document."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<del.*?</del>", "", fragment)))


def parts(text: str, reference: str | None, starts: list[int], lines: list[dict[str, int]]) -> list[compare.Page]:
    return compare.take_apart(text, starts, [], lines, compare.marks(text, reference, starts))


def test_worst_documents_come_first(page: str) -> None:
    shown = [re.search(r"· (\S+\.pdf) ·", part)[1] for part in page.split("<section class=document")[1:]]  # type: ignore[index]
    assert shown == ["../outside.pdf", "gone.pdf", "changed.pdf", "predicted.pdf", "hostile.pdf", "lossy.pdf"]


def test_what_is_lost_and_added_stands_in_the_text(page: str) -> None:
    found = section(page, "lossy.pdf")
    assert re.search(r"<del class=\"lost\"[^>]*>Eleven</del><mark class=\"added first\"[^>]*>Twelve</mark>", found)
    assert re.search(r"<mark class=\"added first\"[^>]*>12 Harbour News</mark>", found)
    assert re.search(r"<del class=\"lost\"[^>]*>Nobody had expected that</del>", found)


def test_what_is_wrong_is_said_in_plain_words(page: str) -> None:
    found = html.unescape(section(page, "lossy.pdf"))
    for sentence in (
        "20% of the reference's word sequences are missing", "5 words lost, most of them on page 2",
        "4 words added, most of them on page 2", "page 1 read by pdfplumber because of unreadable characters",
        "page 2 without a text layer: OCR would be needed", "alarm: order recall < 0.9",
    ):  # fmt: skip
        assert sentence in found


def test_pictures_are_beside_the_text_with_boxes(page: str) -> None:
    found = section(page, "lossy.pdf")
    assert found.count("src='data:image/png;base64,") == 2
    assert found.count("<rect data-l=") == 4
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in found
    assert re.search(r'<rect data-l="1" class="lost"', found)
    assert '<span data-l="1">' in found


def test_without_a_reference_suspicious_places_are_marked(page: str) -> None:
    found = section(page, "predicted.pdf")
    assert re.search(r"<mark class=\"letters first\"[^>]*>c l o s e d</mark>", found)
    assert "no reference; predicted: 0.600 (0.60 to 0.60) of the word counts" in found
    assert "1 word spaced out letter by letter on page 1" in found


@pytest.mark.parametrize(
    ("path", "note"),
    [
        ("changed.pdf", "the file has changed since the corpus was built"),
        ("changed.pdf", "The reference ../../outside.txt cannot be shown: its path leads out of the source"),
        ("gone.pdf", "the file is not where it was when the corpus was built"),
        ("../outside.pdf", "its path leads out of the source"),
    ],
)
def test_a_file_that_cannot_be_shown_is_a_note(page: str, path: str, note: str) -> None:
    found = section(page, path)
    assert note in found
    assert "src='data:" not in found
    assert "not for a report" not in page


def test_documents_without_text_are_listed(page: str) -> None:
    assert "encrypted: a password is needed" in page.partition("<nav")[0]


def test_nothing_of_a_document_is_markup(page: str) -> None:
    assert page.count("<script>") == 1
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "\0" not in page
    assert "&lt;script&gt;document.title" in section(page, "hostile.pdf")


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert "default-src 'none'; img-src data:" in page
    wanted = [value for tag in tags(page) for name, value in tag if name in ("src", "href", "srcset", "data", "action")]
    assert [value for value in wanted if not (value or "").startswith(("data:image/", "#"))] == []
    assert len(wanted) > 10
    assert not [name for tag in tags(page) for name, _ in tag if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|://", page.partition("<style>")[2].partition("</style>")[0])


def tags(page: str) -> list[list[tuple[str, str | None]]]:
    """The attributes of every element."""
    found: list[list[tuple[str, str | None]]] = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(attributes)  # type: ignore[method-assign]
    parser.feed(page)
    return found


def test_only_what_was_chosen_is_shown(made: tuple[Corpus, Path], tmp_path: Path) -> None:
    groups = write(made[0], None, Choice(["acts"], ["en"]), 1, tmp_path / "new" / "r.html")
    assert [(g["source"], g["language"], g["documents"], g["referenced"]) for g in groups] == [("acts", "en", 6, 3)]
    assert (tmp_path / "new" / "r.html").read_text(encoding="utf-8").count("<section class=document") == 1
    with pytest.raises(ConfigError, match="no document here"):
        write(made[0], None, Choice(["web"]), 1, tmp_path / "r.html")


def test_a_corpus_without_fidelity_says_so(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no fidelity"):
        write(corpus, None, Choice(["web"]), 20, tmp_path / "r.html")


WORDS = st.sampled_from(["alpha", "beta", "<b>", "&amp;", "\n", "\n\n", "g-\namma", "'", '"', "-", "\x01", "文字"])
TEXTS = st.lists(WORDS, max_size=40).map(" ".join)


@given(TEXTS, st.none() | TEXTS, st.lists(st.integers(0, 150), max_size=3), st.lists(st.integers(0, 150), max_size=6))
@settings(max_examples=300, deadline=None)
def test_all_of_a_text_is_shown(text: str, reference: str | None, starts: list[int], lines: list[int]) -> None:
    starts = [0, *sorted(min(start, len(text)) for start in starts)]
    rows = [
        {"start": n, "page": 1, "left": 1, "bottom": 1, "right": 2, "top": 2} for n in sorted(lines) if n < len(text)
    ]
    pages = parts(text, reference, starts, rows)
    shown = "".join(bare(page_text(text, page)) for page in pages if text[page.start : page.end].strip())
    assert "".join(shown.split()) == "".join(text.replace("\x01", "\ufffd").split())
    counted = sum(mark.size for mark in compare.marks(text, reference, starts) if mark.kind != "elsewhere")
    assert len(pages) > 1 or pages[0].counts.total() == counted


def test_a_long_page_is_cut() -> None:
    [page] = parts("word " * 10_000, "word", [0], [])
    shown = page_text("word " * 10_000, page)
    assert f"{50_000 - MAX_SHOWN:,} more characters" in shown
    assert len(shown) < 3 * MAX_SHOWN


def test_a_mark_over_two_pages_is_on_both() -> None:
    text = "one two three four\nfive six seven eight"
    first, second = parts(text, "nothing of this", [0, 19], [])
    assert (first.counts["added"], second.counts["added"]) == (4, 4)
    assert first.absent is False, "three words are lost there"
    assert second.absent


def test_pages_without_a_reference_are_worst_by_prediction() -> None:
    text = "a (cid:1)\nb (cid:2)(cid:3) (cid:4)\nc"
    starts = [0, text.index("b"), text.rindex("c")]
    facts = [
        {"page": 1, "predicted_lcs": 0.99},
        {"page": 2, "predicted_lcs": 0.98},
        {"page": 3, "predicted_order": 0.5},
    ]
    bare = compare.take_apart(text, starts, facts, [], compare.marks(text, None, starts))
    assert [page.number for page in compare.worst(bare, False, 9)] == [3, 2, 1]
    compared = compare.take_apart(text, starts, facts, [], compare.marks(text, text.replace("b", "d"), starts))
    assert [page.number for page in compare.worst(compared, True, 1)] == [2]


def test_pages_that_the_reference_has_not_are_last() -> None:
    text = "one two three\nseven eight nine ten eleven twelve\nfour five six"
    starts = [0, text.index("seven"), text.index("four")]
    pages = parts(text, "one two three four five and six", starts, [])
    assert pages[1].absent
    assert [page.number for page in compare.worst(pages, True, 9)] == [3, 1, 2]


def test_empty_pages_keep_their_numbers() -> None:
    pages = parts("aa bb", "aa bb cc", [0, 0, 3, 3], [])
    assert [(page.number, page.start, page.end) for page in pages] == [(1, 0, 0), (2, 0, 3), (3, 3, 3), (4, 3, 5)]
    assert pages[3].counts == Counter(lost=1)


def test_boxes_of_lines() -> None:
    [first, second] = parts(text(), text().replace("Eleven", "Nine"), [0, len("\n".join(LINES[0])) + 1], boxes())
    assert {index: kind for index, (kind, _) in line_kinds(first).items()} == {1: "lost"}
    assert line_kinds(second) == {}
    assert drawn_boxes(second, 400, 300).count("<rect") == 2
    assert drawn_boxes(second, 400, 300).count("class=") == 0


@pytest.mark.parametrize(
    ("pages", "said"),
    [([4], "page 4"), ([1, 2, 3, 7], "pages 1–3, 7"), ([1, 3, 5, 7, 9, 11, 12], "pages 1, 3, 5, 7, 9 and 2 more")],
)
def test_numbers_of_pages(pages: list[int], said: str) -> None:
    assert faults.numbers(pages) == said


def test_each_nine_takes_as_much_room() -> None:
    places = [position(value) for value in (0, 0.9, 0.99, 0.999, 1)]
    assert places == sorted(places)
    assert places[0] == pytest.approx(0, abs=0.001)
    assert places[-1] == 1
    assert places[2] - places[1] == pytest.approx(places[3] - places[2], abs=0.09)


def test_drawings_of_many_pages_stay_small() -> None:
    pages = [compare.Page(number, 0, 0, {}, counts=Counter(lost=number)) for number in range(1, 10_001)]
    assert len(page_strip(pages, ("lost", "added"), [1])) < 100_000
    assert "2 measured, 0 predicted" in histogram([0] * 29 + [2], [], None, "lcs")
    assert histogram([], [], 0.9, "lcs") == ""


def test_safe_text_has_no_control_characters() -> None:
    assert safe(HOSTILE).count("<") == 0
    assert safe("a\x00b\x85\ufffe\udcff") == "a\ufffdb\ufffd\ufffd\ufffd"


def test_a_page_becomes_a_picture() -> None:
    found = images.render(Record("", "", payload=pdf(), meta={"page": 1}))
    picture = Image.open(io.BytesIO(found.meta["image"]))
    assert picture.width == pytest.approx(images.WIDTH, abs=1)
    assert picture.convert("L").getextrema()[0] < 64, "there is something on it"
    assert (found.meta["width"], found.meta["height"]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("payload", "number", "error"),
    [
        (b"no PDF", 0, "cannot draw"),
        (b"", 0, "cannot draw"),
        (pdf()[:200], 0, "cannot draw"),
        (pdf(), 7, "cannot draw"),
    ],
)
def test_a_page_that_cannot_be_drawn_is_an_error(payload: bytes, number: int, error: str) -> None:
    found = images.render(Record("", "", payload=payload, meta={"page": number}))
    assert error in (found.error or "")


@pytest.mark.parametrize("size", [(14_400, 14_400), (10, 14_400), (14_400, 1)])
def test_pages_of_odd_sizes_make_small_pictures(size: tuple[int, int]) -> None:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size)
    canvas.drawString(1, 1, "x")
    canvas.save()
    found = images.render(Record("", "", payload=out.getvalue(), meta={"page": 0}))
    assert found.error or len(found.meta["image"]) <= images.MAX_BYTES


def test_pictures_come_out_of_the_sandbox() -> None:
    with Sandbox(20, 512, "flows.report.images:render") as artist:
        for payload in (pdf(), b"%PDF-1.7 broken", pdf()):
            found = artist.extract(Record("", "", payload=payload, format="pdf", meta={"page": 0}))
            assert (found.error is None) == (payload == pdf())


def original(kind: str, path: str) -> Originals:
    return Originals({"s": {"kind": kind, "path": path}}, 1 << 20)


def asked(payload: bytes, path: str, **columns: Any) -> dict[str, Any]:
    return {"source": "s", "path": path, "payload_digest": xxhash.xxh3_128_hexdigest(payload), "offset": 0} | columns


@pytest.mark.parametrize("source", ["in", "in/deep/*.pdf", "in/**/a.pdf", "in/deep/a.pdf"])
def test_originals_are_found_whatever_a_source_is(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.pdf").write_bytes(b"payload")
    path = "a.pdf" if source.startswith("in/deep") else "deep/a.pdf"
    found = original("files", str(tmp_path / source))
    assert found.payload(asked(b"payload", path)) == b"payload"
    assert original("files", f"file://{tmp_path / source}").payload(asked(b"payload", path)) == b"payload"


@pytest.mark.parametrize("path", ["../secret", "deep/../../secret", "/etc/passwd", "link", ".", ""])
def test_no_path_leads_out_of_a_source(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(NoOriginal):
        original("files", str(tmp_path / "in")).payload(asked(b"secret", path))


def test_originals_of_other_file_systems() -> None:
    fsspec.filesystem("memory").pipe({"/reports/in/a.pdf": b"payload", "/reports/secret": b"secret"})
    found = Originals({"s": {"kind": "files", "path": "memory://reports/in"}}, 1 << 20)
    assert found.payload(asked(b"payload", "a.pdf")) == b"payload"
    for path in ("../secret", "gone.pdf"):
        with pytest.raises(NoOriginal):
            found.payload(asked(b"secret", path))


def test_a_big_file_and_an_unknown_source(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(NoOriginal, match="over 1 MiB"):
        original("files", str(tmp_path)).payload(asked(b"", "big"))
    with pytest.raises(NoOriginal, match="does not say where"):
        Originals({}, 1).payload(asked(b"", "big"))


def test_a_pdf_in_a_web_archive(tmp_path: Path) -> None:
    with (tmp_path / "a.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for payload in (b"first", pdf()):
            offset = file.tell()
            writer.write_record(
                writer.create_warc_record("http://a.example/x.pdf", "resource", payload=io.BytesIO(payload))
            )
            length = file.tell() - offset
    found = original("warc", str(tmp_path))
    assert found.payload(asked(pdf(), "a.warc.gz", offset=offset, length=length)) == pdf()
    with pytest.raises(NoOriginal, match="compressed stream"):
        found.payload(asked(pdf(), "a.warc.gz", offset=-5, length=9))
    with pytest.raises(NoOriginal):
        found.payload(asked(pdf(), "a.warc.gz", offset=offset + 1, length=length))


class _Counts(http.server.BaseHTTPRequestHandler):
    seen: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(404)
        self.end_headers()


@pytest.fixture
def address() -> Iterator[str]:
    """Where requests are counted in `_Counts.seen`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Counts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Counts.seen.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def in_browser(path: Path) -> tuple[str, str]:
    """The page as Chromium made it of the file, and what it logged."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
        "--disable-background-networking", f"--user-data-dir={path.parent / 'profile'}", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `chromium` of the system's packages")


@needs_chromium
def test_the_page_opens_in_a_browser(page: str, tmp_path: Path, address: str) -> None:
    beacon = f"&lt;img src={address}/stolen&gt;"
    (tmp_path / "r.html").write_text(page.replace("Harbour News", f"Harbour News {beacon}"), encoding="utf-8")
    shown, errors = in_browser(tmp_path / "r.html")
    assert errors == ""
    assert 'data-ready="yes"' in shown, "the script came to its end"
    assert "<title>Fidelity of" in shown
    assert "Nobody had expected that" in shown
    assert _Counts.seen == []


@needs_chromium
def test_a_document_that_got_markup_in_could_still_do_nothing(page: str, tmp_path: Path, address: str) -> None:
    attack = f"<script>document.title='taken'</script><img src={address}/a><iframe src={address}/b></iframe>"
    attack += f"<svg onload=\"document.title='taken'\"></svg><link rel=stylesheet href={address}/c>"
    (tmp_path / "r.html").write_text(page.replace("<h3>", f"{attack}<h3>"), encoding="utf-8")
    shown, errors = in_browser(tmp_path / "r.html")
    assert "Content Security Policy" in errors
    assert "<title>taken" not in shown
    assert _Counts.seen == []


@needs_chromium
def test_a_line_and_its_box_light_up_together(page: str, tmp_path: Path) -> None:
    probe = """<script>
      const line = document.querySelector(".text span[data-l='1']");
      line.dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
      document.body.dataset.lit = [...document.querySelectorAll(".on")].map((found) => found.localName).join(" ");
    </script>"""
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (tmp_path / "r.html").write_text(free.replace("</body>", f"{probe}</body>"), encoding="utf-8")
    shown, errors = in_browser(tmp_path / "r.html")
    assert errors == ""
    assert 'data-lit="rect span"' in shown
