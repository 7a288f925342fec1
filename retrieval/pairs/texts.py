"""Whole documents as text to train language models on: with their tokens counted, or one document a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.set_schema import TEXTS
from retrieval.builder import PairBuilder
from retrieval.pairs.selection import LOT, Available, Piece, Sampled, count, draws, pieces, survey, tally
from retrieval.pairs.tokenized import token_counts

_BREAKS = r"[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"
"""What `str.splitlines` takes for the end of a line."""


class Params(Sampled):
    """Documents are taken whole; a budget of tokens is met to within one document."""

    tokenizer: str = "words"
    """That tokens are counted with."""


def mlm(documents: pa.Table, params: Params, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """The documents as they are, so that each row is a document and a boundary."""
    made = [_rows(piece, params) for piece in pieces(documents, params.seed, counter, params.rates)]
    if made:
        rows = pa.concat_tables(made)
        count(counter, {"used": len(rows)})
        yield "texts", rows


def lines(documents: pa.Table, params: Params, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """The documents with a space for every line break, so that a file with one text a line can be read line by line.

    A text that had a line break is no slice of its document, so `start` and `end` are null.
    """
    for name, rows in mlm(documents, params, counter):
        text = pc.replace_substring_regex(rows["text"], _BREAKS, " ")
        same = pc.equal(rows["text"], text)
        places = {place: pc.if_else(same, rows[place], pa.scalar(None, pa.int32())) for place in ("start", "end")}
        changed = {"text": text, **places}
        yield name, pa.table([changed.get(field.name, rows[field.name]) for field in TEXTS], schema=TEXTS)


def available(documents: pa.Table, params: Params) -> Available:
    """How many tokens there are of each language, for `retrieval.pairs.selection.rates`.

    A document is taken whole, so a budget is met to within one document and one of 65,536 bins.
    """
    found: Available = {}
    for piece in pieces(documents, params.seed, Counter()):
        counts = token_counts(piece, params.tokenizer)
        tally(found, draws(piece.digests, LOT), piece.documents["language"].to_pylist(), counts)
    return found


def _rows(piece: Piece, params: Params) -> pa.Table:
    documents, counts = piece.documents, token_counts(piece, params.tokenizer)
    columns = {
        "doc": documents["id"], "start": pa.repeat(pa.scalar(0, pa.int32()), len(documents)),
        "end": pa.array(np.diff(piece.characters(piece.bounds)), pa.int32()), "text": documents["text"],
        "language": documents["language"], "tokens": pa.array(counts, pa.int32()),
        "work": documents["work"], "split": documents["split"],
    }  # fmt: skip
    return pa.table([columns[field.name] for field in TEXTS], schema=TEXTS)


_COLUMNS = ("id", "text", "language", "work", "split")
MLM = PairBuilder(
    name="mlm",
    version=1,
    summary="Whole documents with their tokens counted, for language modelling, with a share of each language.",
    make=mlm,
    params=Params,
    columns=_COLUMNS,
    survey=survey(available),
)
LINES = PairBuilder(
    name="lines",
    version=1,
    summary="Documents without line breaks, to be written one a line.",
    make=lines,
    params=Params,
    columns=_COLUMNS,
    survey=survey(available),
)
