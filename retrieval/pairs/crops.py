"""Pairs of crops of one passage: Contriever's positives without labels (Izacard et al. 2022, section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from catalog.set_schema import PAIRS
from retrieval.builder import PairBuilder
from retrieval.pairs.selection import (
    Available,
    Digests,
    Ints,
    Piece,
    Sampled,
    below,
    draws,
    pieces,
    sampled,
    survey,
    taken,
    tally,
    unit,
)
from retrieval.pairs.tokenized import Tokens, slices, tokens

_DRAWS = 5
"""Of a chunk: its lottery number, and length and place of each crop. Draw 0 of a document is its first token."""
_DELETION = 1 << 40
"""Number of the first draw for deletion, after all others."""


class Params(Sampled):
    """Lengths are in tokens. mContriever's crops have `low` 0.1."""

    chunk: int = Field(default=256, ge=1, lt=1 << 31)
    low: float = Field(default=0.05, gt=0, le=1)
    high: float = Field(default=0.5, gt=0, le=1)
    """A crop has from `low` to `high` of its chunk's tokens, each length alike likely."""
    delete: float = Field(default=0.0, ge=0, lt=1)
    """Chance of a token to be left out of its crop (Contriever: 0.1); the crop is then no slice of the document."""
    tokenizer: str = "words"

    @model_validator(mode="after")
    def _some_length_fits(self) -> Params:
        if self.lengths[0] > self.lengths[1]:
            raise ValueError(f"no whole number of tokens is {self.low} to {self.high} of {self.chunk}")
        return self

    @property
    def lengths(self) -> tuple[int, int]:
        """Fewest and most tokens of a crop."""
        return max(1, int(np.ceil(self.chunk * self.low - 1e-9))), int(np.floor(self.chunk * self.high + 1e-9))


class _Chunks(NamedTuple):
    """One entry a chunk, in order."""

    tokens: Tokens
    document: Ints
    """Row of the piece."""
    number: Ints
    """Chunks of the same document before it."""
    first: Ints
    """Its first token."""
    digests: Digests

    def take(self, keep: npt.NDArray[np.bool_]) -> _Chunks:
        return _Chunks(self.tokens, self.document[keep], self.number[keep], self.first[keep], self.digests[keep])

    def drawn(self, which: int) -> Digests:
        return draws(self.digests, self.number * _DRAWS + which)


def make(documents: pa.Table, params: Params, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Two independent crops of every whole chunk.

    Contriever cuts its chunks from all documents joined to one run of tokens; here a chunk is of one document, so that
    every crop has a place. A document's first chunk starts at a random token, so that no part of it is always left out.
    """
    made = []
    for piece in pieces(documents, params.seed, counter):
        chunks = _chunks(piece, params)
        languages = piece.documents["language"].take(chunks.document).to_pylist() if params.rates else []
        keep = taken(chunks.drawn(1), languages, params.rates)
        chosen = chunks.take(keep)
        sampled(counter, len(piece.documents), chunks.document, chosen.document)
        if len(chosen.document):
            made.append(_rows(piece, chosen, params))
    if made:
        yield "pairs", pa.concat_tables(made)


def available(documents: pa.Table, params: Params) -> Available:
    """How many rows there are of each language, for `retrieval.pairs.selection.rates`."""
    found: Available = {}
    for piece in pieces(documents, params.seed, Counter()):
        chunks = _chunks(piece, params)
        tally(found, chunks.drawn(1), piece.documents["language"].take(chunks.document).to_pylist())
    return found


def _chunks(piece: Piece, params: Params) -> _Chunks:
    found = tokens(piece, params.tokenizer)
    sizes = np.diff(found.first)
    counts = sizes // params.chunk
    offsets = below(draws(piece.digests, 0), sizes - counts * params.chunk + 1)
    document = np.repeat(np.arange(len(sizes)), counts)
    number = np.arange(len(document)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = (found.first[:-1] + offsets)[document] + number * params.chunk
    return _Chunks(found, document, number, first, piece.digests[document])


def _rows(piece: Piece, chunks: _Chunks, params: Params) -> pa.Table:
    taken = piece.documents.drop_columns(["text"]).take(chunks.document)
    origin = piece.characters(piece.bounds)[chunks.document]
    none = pa.nulls(len(taken), pa.string())
    columns: dict[str, pa.Array] = {
        "title": pa.repeat("", len(taken)), "doc": taken["id"], "parallel": none, "query_doc": taken["id"],
        "query_language": taken["language"], "document_language": taken["language"], "work": taken["work"],
        "split": taken["split"],
    }  # fmt: skip
    for name, id, prefix, which in (("query", "query_id", "query_", 2), ("document", "document_id", "", 4)):
        low, high = params.lengths
        length = low + below(chunks.drawn(which), high - low + 1)
        first = chunks.first + below(chunks.drawn(which + 1), params.chunk - length + 1)
        places = chunks.tokens.starts[first], chunks.tokens.ends(first + length - 1)
        start, end = (pa.array(piece.characters(p) - origin, pa.int32()) for p in places)
        if params.delete:
            columns[name] = _thinned(piece, chunks, first, length, params.delete, which)
            columns[prefix + "start"] = columns[prefix + "end"] = pa.nulls(len(taken), pa.int32())
            numbers = pa.array(chunks.number).cast(pa.string())
            columns[id] = pc.binary_join_element_wise(taken["id"], f"#{name}-", numbers, "")
        else:
            columns[name] = pa.array(slices(piece.data, *places), pa.binary()).cast(pa.string())
            columns[prefix + "start"], columns[prefix + "end"] = start, end
            place = pc.binary_join_element_wise(start.cast(pa.string()), end.cast(pa.string()), "-")
            columns[id] = pc.binary_join_element_wise(taken["id"], place, ":")
    return pa.table([columns[field.name] for field in PAIRS], schema=PAIRS)


def _thinned(piece: Piece, chunks: _Chunks, first: Ints, length: Ints, chance: float, which: int) -> pa.Array:
    """The crops with each token, and the space after it, left out by chance; but the first stays if none would."""
    row = np.repeat(np.arange(len(first)), length)
    step = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    token = first[row] + step
    numbers = _DELETION + (chunks.number[row] * 2 + which // 4) * (1 << 31) + step
    stays = unit(draws(chunks.digests[row], numbers)) >= chance
    empty = np.bincount(row[stays], minlength=len(first)) == 0
    stays |= empty[row] & (step == 0)
    last = step == length[row] - 1
    following = np.append(chunks.tokens.starts, len(piece.data))[token + 1]
    parts = slices(piece.data, chunks.tokens.starts[token], np.where(last, chunks.tokens.ends(token), following))
    texts: list[list[bytes]] = [[] for _ in range(len(first))]
    for number in np.flatnonzero(stays).tolist():
        texts[row[number]].append(parts[number])
    return pa.array([b"".join(text).rstrip() for text in texts], pa.binary()).cast(pa.string())


CROPS = PairBuilder(
    name="crops",
    version=1,
    summary="Two independent crops of the same 256-token passage of a document, as Contriever trains on.",
    make=make,
    params=Params,
    columns=("id", "text", "language", "work", "split"),
    survey=survey(available),
)
