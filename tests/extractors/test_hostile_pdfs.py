"""Hostile PDFs through the sandbox: each gives its text or says why not, and the next document is read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractors.record import Extract, Record
from extractors.sandbox import Sandbox
from tests.extractors.hostile_pdfs import DOCUMENTS, SENTENCE, many_pages, one_page, show, stream

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pdf"
GONE = r"took over 5 s|needed more than 1024 MiB|process died"
NO_TEXT = "no text layer on any of"
WHY_NOT = {
    "locked": "^encrypted: a password is needed$",
    "zip bomb": GONE,
    "one page often": GONE,
    "many texts": GONE,
    "claimed pages": NO_TEXT,
    "cyclic tree": NO_TEXT,
    "deep tree": NO_TEXT,
    "deep arrays": NO_TEXT,
    "forms of forms": GONE,
    "object stream bomb": NO_TEXT,
    "huge picture": NO_TEXT,
}
"""Errors of documents that have no text, or may be given up; the others have some."""
OTHER_TEXT = {"many texts", "long line", "self-drawing glyph"}
"""Documents whose text is no sentence."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(deadline_s=5, memory_mb=1024) as made:
        yield made


def read(sandbox: Sandbox, payload: bytes) -> Extract:
    return sandbox.extract(Record("source", "path", payload=payload, format="pdf"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_gives_text_or_an_error(name: str, sandbox: Sandbox) -> None:
    found = read(sandbox, DOCUMENTS[name]())
    if found.error:
        assert name in WHY_NOT, found.error
        assert re.search(WHY_NOT[name], found.error)
        assert not found.text
    else:
        assert WHY_NOT.get(name, GONE) == GONE, "there is none"
        assert found.text if name in OTHER_TEXT else SENTENCE in found.text
    assert read(sandbox, one_page(stream(show()))).text == SENTENCE


def test_every_page_of_ten_thousand_is_read() -> None:
    with Sandbox(deadline_s=120) as sandbox:
        found = read(sandbox, many_pages(10_000))
    assert len(found.page_offsets) == 10_000
    assert found.text.count("nobody will read") == 10_000


@pytest.mark.parametrize("payload", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"\0" * 100_000], ids=len)
def test_what_is_no_document_is_an_error(payload: bytes, sandbox: Sandbox) -> None:
    assert "not a readable PDF" in str(read(sandbox, payload).error)


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("odd/aes-128.pdf", "encrypted"),
        ("odd/unreadablemetadata.pdf", "not a readable PDF"),
        ("odd/lincoln_letter.pdf", NO_TEXT),
        ("odd/O.pdf", None),
        ("eurlex-pdf+html/GDPR-vedant-rajput.pdf", None),
        ("legilux-memorial/eli-etat-leg-memorial-1962-a65-fr-pdf.pdf", None),
    ],
)
def test_odd_real_documents(name: str, error: str | None, sandbox: Sandbox) -> None:
    found = read(sandbox, (DATA / name).read_bytes())
    if error:
        assert error in str(found.error)
    else:
        assert found.error is None
        assert len(found.text) > 300
