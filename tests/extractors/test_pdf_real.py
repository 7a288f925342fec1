"""Real PDFs against their references: fidelity may not fall, and odd files say what is wrong."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from pathlib import Path

import lxml.etree
import lxml.html
import pytest

from extractors.pdf import extract

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pdf"

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

# Cosine of token counts, share of the reference's 5-grams found and of the text's that are right: measured, less 0.003.
FLOORS = {
    "erudit-pdf+xml": (0.927, 0.945, 0.773),
    "eurlex-pdf+html": (0.994, 0.835, 0.908),
    "jose-pdf+jats": (0.947, 0.750, 0.747),
    "scielo-pdf+jats": (0.985, 0.800, 0.942),
    "sp-pdf+eruditxml": (0.992, 0.937, 0.929),
    "typeset-act": (0.995, 0.986, 0.971),
    "typeset-declaration": (0.997, 0.996, 0.995),
}


def references(kind: str) -> list[tuple[Path, Path]]:
    """PDFs of one kind with the files of their reference text."""
    folder, _, part = kind.partition("-") if kind.startswith("typeset") else (kind, "", "")
    suffix = {"declaration": "txt", "act": "html"}.get(part, "*")
    found = ((p, next(p.parent.glob(f"{p.stem}.truth.{suffix}"), None)) for p in sorted((DATA / folder).glob("*.pdf")))
    return [(path, truth) for path, truth in found if truth]


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


def scores(text: str, reference: str) -> tuple[float, float, float]:
    """Cosine of the counts of whitespace tokens (LCS); share of the reference's word 5-grams found, and of the
    text's that are the reference's."""
    ours, theirs = (Counter(unicodedata.normalize("NFC", t).lower().split()) for t in (text, reference))
    product = math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    found, wanted = (re.findall(r"\w+", unicodedata.normalize("NFC", t).lower()) for t in (text, reference))
    grams, wanted_grams = (Counter(zip(*(w[i:] for i in range(5)), strict=False)) for w in (found, wanted))
    common = (grams & wanted_grams).total()
    cosine = sum(n * theirs[token] for token, n in ours.items()) / product
    return cosine, common / max(1, wanted_grams.total()), common / max(1, grams.total())


@needs_data
@pytest.mark.real
@pytest.mark.parametrize("kind", FLOORS)
def test_fidelity_does_not_fall(kind: str) -> None:
    got = [scores(extract(path.read_bytes()).text, reference_text(truth)) for path, truth in references(kind)]
    means = [sum(values) / len(got) for values in zip(*got, strict=True)]
    assert all(mean >= floor for mean, floor in zip(means, FLOORS[kind], strict=True)), means


@needs_data
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("aes-128.pdf", "encrypted: a password is needed"),
        ("lincoln_letter.pdf", "no text layer on any of 1 pages: needs OCR"),
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
@pytest.mark.parametrize("kind", ["odd", "legilux-memorial", "icdar-eu-tables", "jose-pdf+jats"])
def test_extracts_keep_their_contract(kind: str) -> None:
    for path in sorted((DATA / kind).glob("*.pdf")):
        result = extract(path.read_bytes())
        assert unicodedata.is_normalized("NFC", result.text)
        assert not {"\ufffe", "\xad", "\0"} & set(result.text)
        assert " \n" not in result.text and "\n\n" not in result.text
        assert len(result.pages) == len(result.page_offsets)
        assert result.page_offsets == sorted(result.page_offsets)
        starts = [start for start, *_ in result.lines]
        assert starts == sorted(starts)
        assert not starts or starts[-1] <= len(result.text)
        outside = [
            place
            for _, page, *place in result.lines
            if min(place[0], place[1], result.pages[page]["width"] - place[2], result.pages[page]["height"] - place[3])
            < -2
        ]
        assert not outside, path.name


@needs_data
@pytest.mark.real
def test_letter_spaced_words_of_old_gazettes_are_closed_up() -> None:
    texts = [extract(path.read_bytes()).text for path in sorted((DATA / "legilux-memorial").glob("*.pdf"))]
    assert not [run for text in texts for run in re.findall(r"(?:(?<!\S)[^\W\d_] ){5,}", text)]


@needs_data
@pytest.mark.real
def test_tables_of_a_real_report() -> None:
    tables = extract((DATA / "icdar-eu-tables" / "eu-004.pdf").read_bytes()).tables
    assert tables is not None
    assert sum(line.startswith("| ---") for line in tables.split("\n")) == 12
