"""How much of a PDF's text is read, and in which order: a table for each kind of PDF.

    python benchmarks/fidelity.py ../shared/data [--baselines]

Each PDF that `pdf/index.tsv` or `pdf/typeset/index.tsv` of the data folder gives a reference for is read and measured
against that text: LCS (variant clean), recall and precision of word 5-grams, means over the PDFs. A PDF that cannot be
read counts as an empty text. `--baselines` reads the same PDFs with PDFium's and pdfplumber's plain text, too.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from extractors.markup import reference_text
from extractors.pdf import extract
from filters import fidelity

SCORES = ("lcs", "order_recall", "order_precision")


class Case(NamedTuple):
    kind: str
    pdf: Path
    reference: Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with pdf/index.tsv")
    parser.add_argument("--baselines", action="store_true", help="measure PDFium and pdfplumber, too")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: %(default)s)")
    options = parser.parse_args()
    listed = sorted(cases(options.data / "pdf"))
    if not listed:
        parser.error(f"{options.data}: no PDF with a reference in pdf/index.tsv or pdf/typeset/index.tsv")
    engines = list(ENGINES) if options.baselines else list(ENGINES)[:1]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        scored = zip(listed, pool.map(score, listed, [engines] * len(listed)), strict=True)
        for kind, group in groupby(scored, lambda pair: pair[0].kind):
            print(f"\n{kind}\n\n{table([scores for _, scores in group])}", flush=True)
    return 0


def cases(folder: Path) -> Iterator[Case]:
    """The PDFs of the indexes in and below `folder` that have a reference."""
    for home, column in ((folder, "kind"), (folder / "typeset", "layout")):
        index = home / "index.tsv"
        rows = csv.DictReader(index.read_text(encoding="utf-8").splitlines(), delimiter="\t") if index.is_file() else ()
        for row in rows:
            if row["truth"] and row["pdf"].endswith(".pdf"):
                kind = row[column] if column == "kind" else f"typeset: {row[column]}"
                yield Case(kind, home / row["pdf"], home / row["truth"])


def score(case: Case, engines: list[str]) -> dict[str, dict[str, float]]:
    """By engine, `fidelity.signals` of what it reads of the PDF."""
    reference = reference_text(case.reference.read_bytes(), case.reference.name)
    payload = case.pdf.read_bytes()
    return {engine: fidelity.signals(ENGINES[engine](payload), reference) for engine in engines}


def table(scored: list[dict[str, dict[str, float]]]) -> str:
    """Mean scores of one kind as Markdown, one row an engine."""
    lines = ["| engine | n | LCS clean | order recall | order precision |", "| --- | ---: | ---: | ---: | ---: |"]
    for engine in scored[0]:
        figures = (f"{mean(scores[engine][name] for scores in scored):.4f}" for name in SCORES)
        lines.append(f"| {engine} | {len(scored)} | {' | '.join(figures)} |")
    return "\n".join(lines)


def pdfium(payload: bytes) -> str:
    """PDFium's text of each page, as it comes; empty if the file cannot be opened."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(payload) as document:
            return "\n".join(page.get_textpage().get_text_range() for page in document)
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
    return extract(payload).text


ENGINES: dict[str, Callable[[bytes], str]] = {"florilege": ours, "PDFium": pdfium, "pdfplumber": plumber}


if __name__ == "__main__":
    sys.exit(main())
