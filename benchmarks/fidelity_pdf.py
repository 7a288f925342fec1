"""How much of a PDF's text each engine reads, in which order, and how fast: tables by set and by language."""

from __future__ import annotations

import csv
import io
import math
import re
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from benchmarks.measure import table
from extractors.blocks import names

PARTIAL = {"icdar-eu-tables", "legilux-conso+akn", "eurlex-pdf-crosslingual"}
"""Sets whose references are not the text of the PDF: cells of tables only, a version of another date."""
SCORES = ("LCS", "5gR", "5gP", "5gR*", "5gP*", "wR", "wP")
LONG = 700
"""Pages of the file on which memory is measured."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
_NOT_SHOWN = names(
    "journal-meta permissions history self-uri custom-meta-group script style head object-id tex-math meta"
)
_INLINE = names(
    "marquage exposant indice liensimple renvoi sup sub italic bold xref ext-link sc monospace a b i em strong span "
    "underline named-content styled-content font ht date quot.start quot.end"
)

Grams = Counter[tuple[str, ...]]


class Case(NamedTuple):
    kind: str
    language: str
    pdf: Path
    reference: Path


class Reading(NamedTuple):
    text: str
    seconds: float
    """CPU time."""


def cases(folder: Path) -> Iterator[Case]:
    """The PDFs of the indexes in and below `folder` that have a reference."""
    for home, column in ((folder, "kind"), (folder / "typeset", "layout")):
        index = home / "index.tsv"
        rows = csv.DictReader(index.read_text(encoding="utf-8").splitlines(), delimiter="\t") if index.is_file() else ()
        for row in rows:
            if row["truth"] and row["pdf"].endswith(".pdf"):
                kind = row[column] if column == "kind" else f"typeset-{row[column].split(',')[0]}"
                yield Case(kind, row["lang"], home / row["pdf"], home / row["truth"])


def reference(path: Path) -> str:
    """All text of a reference but its metadata, a space around each block; XML, HTML or plain.

    HTML that declares no encoding is read as Latin-1: so were the pages that the typeset PDFs were made of.
    """
    from lxml import etree, html

    data = path.read_bytes()
    if path.suffix == ".txt":
        return data.decode()
    parser = etree.XMLParser(recover=True, huge_tree=True, load_dtd=False, resolve_entities=False)
    root: Any = html.fromstring(data) if b"<html" in data[:3000].lower() else etree.fromstring(data, parser)
    parts: list[str] = []
    steps: list[tuple[bool, Any]] = [(True, root)]
    while steps:
        opening, node = steps.pop()
        name = node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else None
        gap = "" if name in _INLINE else " "
        if not opening:
            parts += [gap, node.tail or ""]
        elif name is None or name in _NOT_SHOWN:
            parts.append(node.tail or "")
        else:
            parts += [gap, node.text or ""]
            steps.append((False, node))
            steps += [(True, child) for child in reversed(node)]
    return " ".join("".join(parts).split())


def words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def grams(text: str, n: int = 5) -> Grams:
    found = words(text)
    return Counter(zip(*(found[i:] for i in range(n)), strict=False))


def cosine(text: str, other: str) -> float:
    """LCS: the cosine of the counts of white-space tokens, lower-case."""
    ours, theirs = (Counter(unicodedata.normalize("NFC", side).lower().split()) for side in (text, other))
    norm = math.sqrt(sum(n * n for n in ours.values()) * sum(n * n for n in theirs.values()))
    return sum(n * theirs[token] for token, n in ours.items()) / norm if norm else 0.0


def score(readings: dict[str, str], wanted: str) -> dict[str, dict[str, float]]:
    """By engine, its scores against the reference text.

    5gR and 5gP are the shares of the reference's word 5-grams found and of the text's that are the reference's;
    with a star, only what can be told from the page counts: a 5-gram of the reference that no engine finds is taken
    for absent from the page, and one that all engines find and the reference has not, for absent from the reference.
    """
    target, target_words = grams(wanted), Counter(words(wanted))
    found = {engine: grams(text) for engine, text in readings.items()}
    shown: Grams = Counter()
    lacking: Grams | None = None
    for own in found.values():
        shown |= own & target
        extra = own - target
        lacking = extra if lacking is None else lacking & extra
    scores = {}
    for engine, own in found.items():
        hit = (own & target).total()
        own_words = Counter(words(readings[engine]))
        shared = (own_words & target_words).total()
        values = (
            cosine(readings[engine], wanted),
            hit / max(1, target.total()),
            hit / max(1, own.total()),
            hit / max(1, shown.total()),
            hit / max(1, own.total() - (lacking or Counter()).total()),
            shared / max(1, target_words.total()),
            shared / max(1, own_words.total()),
        )
        scores[engine] = dict(zip(SCORES, values, strict=True))
    return scores


def tables(data: Path) -> Iterator[str]:
    """Markdown tables for the PDFs of DATA, all engines file by file in this process; the last is of memory."""
    listed = sorted(case for case in cases(data / "pdf") if case.kind not in PARTIAL)
    if not listed:
        raise FileNotFoundError(f"{data}: no PDF with a reference in pdf/index.tsv or pdf/typeset/index.tsv")
    for read in ENGINES.values():  # imports are not what is measured
        read(listed[0].pdf.read_bytes())
    by_set: dict[str, list[dict[str, dict[str, float]]]] = defaultdict(list)
    by_language: dict[str, list[dict[str, dict[str, float]]]] = defaultdict(list)
    spent: Counter[str] = Counter()
    pages = 0
    for number, case in enumerate(listed, 1):
        print(f"\r{number} of {len(listed)} PDFs", end="", file=sys.stderr, flush=True)
        payload = case.pdf.read_bytes()
        readings = {engine: _timed(read, payload) for engine, read in ENGINES.items()}
        pages += _pages(payload)
        spent.update({engine: reading.seconds for engine, reading in readings.items()})
        scored = score({engine: reading.text for engine, reading in readings.items()}, reference(case.reference))
        by_set[case.kind].append(scored)
        by_set["all"].append(scored)
        by_language[case.language].append(scored)
    print(file=sys.stderr)
    yield _scores("set", by_set, list(ENGINES))
    yield _scores("language", by_language, ["florilege", "PDFium"])
    peaks = _peaks(listed)
    rows = [
        [engine, f"{pages / spent[engine]:.1f}", f"{spent[engine] / spent['PDFium']:.2f}", peaks[engine]]
        for engine in ENGINES
    ]
    heads = ["engine", "pages/s CPU", "time of PDFium's", f"peak MiB, {LONG} pages"]
    yield f"{pages} pages\n\n{table(heads, rows)}"


def _timed(read: Callable[[bytes], str], payload: bytes) -> Reading:
    start = time.process_time()
    text = read(payload)
    return Reading(text, time.process_time() - start)


def _scores(first: str, groups: dict[str, list[dict[str, dict[str, float]]]], engines: list[str]) -> str:
    rows = [
        [name, engine, str(len(scored)), *(f"{mean(one[engine][key] for one in scored):.3f}" for key in SCORES)]
        for name, scored in sorted(groups.items())
        for engine in engines
    ]
    return table([first, "engine", "n", *SCORES], rows)


def _pages(payload: bytes) -> int:
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(payload) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return 0


def _peaks(listed: list[Case]) -> dict[str, str]:
    """Peak memory of each engine on one long file, in a process of its own, MiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.pdf"
        path.write_bytes(long_pdf(listed))
        peaks = {}
        for engine in ENGINES:
            command = [sys.executable, "-m", "benchmarks.fidelity_pdf", engine, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            peaks[engine] = done.stdout.strip() or "failed"
        return peaks


def long_pdf(listed: list[Case]) -> bytes:
    """LONG pages of the PDFs as one file."""
    import pypdfium2

    long = pypdfium2.PdfDocument.new()
    for case in listed * LONG:
        if len(long) >= LONG:
            break
        try:
            with pypdfium2.PdfDocument(case.pdf.read_bytes()) as document:
                long.import_pages(document, list(range(min(len(document), LONG - len(long)))))
        except pypdfium2.PdfiumError:
            continue
    buffer = io.BytesIO()
    long.save(buffer)
    return buffer.getvalue()


def pdfium(payload: bytes) -> str:
    """PDFium's text of each page, as it comes; empty if the file cannot be opened."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(payload) as document:
            return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    except pypdfium2.PdfiumError:
        return ""


def plumber(payload: bytes) -> str:
    """pdfplumber's text of each page with its default settings; empty if the file cannot be read."""
    import pdfplumber

    texts = []
    try:
        with pdfplumber.open(io.BytesIO(payload)) as document:
            for page in document.pages:
                texts.append(page.extract_text())
                page.close()
    except Exception as error:  # pdfminer raises whatever a broken file makes it stumble over
        print(f"pdfplumber: {error!r}", file=sys.stderr)
        return ""
    return "\n".join(texts)


def ours(payload: bytes) -> str:
    from extractors.pdf import extract

    return extract(payload).text


ENGINES: dict[str, Callable[[bytes], str]] = {"florilege": ours, "PDFium": pdfium, "pdfplumber": plumber}


if __name__ == "__main__":
    ENGINES[sys.argv[1]](Path(sys.argv[2]).read_bytes())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
