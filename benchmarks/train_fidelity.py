"""Fit the prediction of fidelity without a reference on PDFs that have one, and say how well it does on others.

    python -m benchmarks.train_fidelity ../shared/data [--out filters/models/fidelity.json] [--keep FOLDER]

Every PDF is read by florilege, PDFium and pdfplumber; readings are also damaged on purpose (`readings.py`). The model
predicts, from the text and its pages alone,

    lcs    the LCS (variant clean) of the text against the reference
    order  recall or precision of word 5-grams, whichever is higher: what either side lacks is held against no reading

and is judged on PDFs that it was not fitted on: one PDF left out (with its versions in other languages), then one
whole set. A reference that lacks what the page shows lowers LCS for reasons that no text can tell of: where a twentieth
of the best reading or of the reference has nothing to do with the other, the PDF is not fitted for lcs, and figures are
shown with and without it. Damage does not make a reference lack anything: a block of words keeps some of its 5-grams.

`--keep` is a folder for the readings of PDFium and pdfplumber, which take most of the time and do not change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks import readings
from benchmarks.fidelity_model import Sample, judge
from benchmarks.fidelity_pdf import Case, cases
from benchmarks.readings import ENGINES, Pages
from filters import prediction

BLOCK = 100
"""Words of a block: one that has no 5-gram in common with the other side is not there."""
WHOLE = 0.95
"""Share of the blocks of either side that the other must have for a reference to be whole."""
PAGES = 8
"""Pages of a PDF of which damaged versions are fitted."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with pdf/index.tsv")
    parser.add_argument("--out", type=Path, help="where to write the model (default: nowhere)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="folder for the readings of other engines")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: %(default)s)")
    options = parser.parse_args()
    listed = sorted(cases(options.data / "pdf"))
    if not listed:
        parser.error(f"{options.data}: no PDF with a reference in pdf/index.tsv or pdf/typeset/index.tsv")
    samples = _collected(listed, options.keep, options.workers)
    models: dict[str, dict[str, Any]] = {"document": {}, "page": {}}
    for measure in prediction.MEASURES:
        for of, level in (("document", samples), ("page", [page for s in samples for page in s.pages])):
            usable = [s for s in level if measure in s.labels]
            fitted = [s for s in usable if s.complete or measure != "lcs"]
            found, roots = judge(of, measure, usable, fitted)
            models[of][measure] = {**found, "low": roots[0], "high": roots[1]}
    if options.out:
        options.out.write_bytes(orjson.dumps(models, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


def _collected(listed: list[Case], keep: Path | None, workers: int) -> list[Sample]:
    """The samples of these PDFs and of those that the demonstration makes."""
    with tempfile.TemporaryDirectory() as folder:
        listed = [*listed, *made(Path(folder))]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            return [one for found in pool.map(collect, listed, [keep] * len(listed)) for one in found]


def made(folder: Path) -> list[Case]:
    """The demonstration's PDFs, written below `folder`, each with the same text in markup."""
    from flows import demo

    demo.make(folder)
    found = []
    for pdf in sorted(folder.rglob("*.pdf")):
        for reference in (pdf.with_suffix(".html"), pdf.with_suffix(".xml")):
            if reference.is_file():
                found.append(Case(f"made: {pdf.relative_to(folder).parts[0]}", "", pdf, reference))
    return found


# --- samples -----------------------------------------------------------------------------------------------------


def collect(case: Case, keep: Path | None) -> list[Sample]:
    """Every reading of a PDF, as samples."""
    from extractors.markup import reference_text

    payload = case.pdf.read_bytes()
    reference = reference_text(case.reference.read_bytes(), case.reference.name)
    own = ENGINES["florilege"](payload)
    found = {"florilege": own}
    found |= {name: _kept(name, payload, keep) for name in ENGINES if name != "florilege"}
    large = sum(map(len, own)) > 400_000
    for base in ("florilege", "PDFium"):
        some = large or base != "florilege"
        for name, reading in readings.damaged(found[base], name_of(case)).items():
            if not some or name.endswith(("0.1", "0.5")):
                found[f"{base}, {name}"] = reading
    samples = []
    for name, reading in found.items():
        if "".join(reading).strip():
            samples.append(sample(case, name, reading, reference))
    common = [covered("".join(found[name]), reference) for name in ENGINES]
    for one in samples:
        one.complete = min(map(max, zip(*common, strict=True))) >= WHOLE
    return samples


def covered(text: str, reference: str) -> tuple[float, float]:
    """Share of the text's blocks that have a 5-gram of the reference, and the other way round."""
    from filters import fidelity

    ids: dict[str, int] = {}
    ours, theirs = (fidelity.ngrams(fidelity.word_ids(side, ids), 5) for side in (text, reference))
    shares = []
    for side, other in ((ours, theirs), (theirs, ours)):
        found = np.isin(side, other)
        blocks = [found[at : at + BLOCK].any() for at in range(0, len(found), BLOCK)]
        shares.append(float(np.mean(blocks)) if blocks else 0.0)
    return shares[0], shares[1]


def _kept(name: str, payload: bytes, keep: Path | None) -> Pages:
    """The reading of another engine, from the folder where it is there already."""
    if keep is None:
        return ENGINES[name](payload)
    path = keep / f"{hashlib.sha256(payload).hexdigest()}.{name}"
    if not path.is_file():
        keep.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(ENGINES[name](payload)))
    pages: Pages = orjson.loads(path.read_bytes())
    return pages


def name_of(case: Case) -> str:
    """The PDF's file name; in the demonstration's folders, where they are all alike, with the folder's."""
    return f"{case.pdf.parent.name}_{case.pdf.name}" if case.kind.startswith("made") else case.pdf.name


def sample(case: Case, name: str, reading: Pages, reference: str) -> Sample:
    """A reading with its features and labels, and its pages with theirs."""
    from filters import alignment, fidelity, language, legibility

    text = "".join(reading)
    starts = [0, *accumulate(map(len, reading))][:-1]
    spoken = str(language.signals(text, language.LanguageModel.load("florilege-lid"))["language"])
    features, by_page = legibility.measure(text, starts, spoken)
    ids: dict[str, int] = {}
    ours, theirs = fidelity.word_ids(text, ids), fidelity.word_ids(reference, ids)
    recall, precision = fidelity.shared(ours, theirs, 5)
    word_recall, word_precision = fidelity.shared(ours, theirs, 1)
    found = Sample(case.kind, name_of(case), name, features, {
        "lcs": fidelity.lcs(text, reference), "order": max(recall, precision), "order_recall": recall,
        "order_precision": precision, "word_recall": word_recall, "word_precision": word_precision,
    })  # fmt: skip
    chosen: Sequence[int] = range(len(starts))
    if name not in ENGINES:
        chance = random.Random(f"{name_of(case)} {name}")
        chosen = chance.sample(chosen, min(PAGES, len(starts))) if chance.random() < 0.3 else range(0)
    measured = alignment.page_signals(text, starts, reference) if chosen else []
    for page in sorted(chosen):
        labels = measured[page]
        # A page without a common 5-gram may be none of the reference's: who knows.
        if labels["lcs"] is not None and len(reading[page]) >= prediction.FEW:
            order = max(labels["order_recall"], labels["order_precision"] or 0.0)
            found.pages.append(
                Sample(
                    case.kind, name_of(case), name, by_page[page], {"lcs": labels["lcs"], "order": order},
                    labels["order_precision"] is not None and labels["order_precision"] > 0.5,
                )
            )  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
