"""Byte chunks with spans to restore: T5's span corruption on ByT5's bytes, as MrT5 is trained on (Kallini et al. 2024).

A byte's id is the byte and 3 (0 pad, 1 end, 2 unknown). A sentinel's id counts down from 258, so it is that of a byte
that no UTF-8 has. No end mark (1) is appended: a trainer that wants one adds it to both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, model_validator

from catalog.set_schema import SPANS as SCHEMA
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
)
from retrieval.pairs.tokenized import slices

OFFSET, SENTINEL, START = 3, 258, 0
SENTINELS = 11
"""Ids from 258 down that are not of bytes that UTF-8 has: those of 0xFF to 0xF5."""
_DRAWS = 2 * SENTINELS
"""Of a chunk: its lottery number, and the borders of noise and rest. Draw 0 of a document is its first byte."""
_Bytes = npt.NDArray[np.uint8]


class Params(Sampled):
    """T5's parameters with MrT5's values."""

    chunk: int = Field(default=1024, ge=2, le=1 << 24)
    """Bytes of a chunk before its corruption."""
    noise: float = Field(default=0.15, gt=0, lt=1)
    """Share of a chunk's bytes that is to be restored."""
    span: float = Field(default=20.0, ge=1)
    """Mean bytes of a noise span."""

    @model_validator(mode="after")
    def _sentinels_suffice(self) -> Params:
        if self.spans > SENTINELS:
            raise ValueError(f"{self.spans} spans a chunk; there are sentinels for {SENTINELS}: raise span")
        return self

    @property
    def masked(self) -> int:
        """Noise bytes of a chunk, as T5 rounds: at least one, and not all."""
        return min(max(round(self.chunk * self.noise), 1), self.chunk - 1)

    @property
    def spans(self) -> int:
        """Noise spans of a chunk."""
        return min(max(round(self.masked / self.span), 1), self.masked, self.chunk - self.masked)


def make(documents: pa.Table, params: Params, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Every whole chunk, corrupted.

    MrT5 cuts its chunks from all documents of a language joined to one run of bytes; here a chunk is of one document,
    so that it has a place, and does not hang on what else is in the corpus. A document's first chunk starts at a
    random byte, so that no part of it is always left out. What is shorter than a chunk is counted and left out.
    """
    for piece in pieces(documents, params.seed, counter):
        document, number, start, lots = _chunks(piece, params)
        languages = piece.documents["language"].take(document).to_pylist() if params.rates else []
        keep = taken(lots, languages, params.rates)
        sampled(counter, len(piece.documents), document, document[keep])
        if keep.any():
            yield "spans", _rows(piece, document[keep], number[keep], start[keep], params)


def available(documents: pa.Table, params: Params) -> Available:
    """How many rows there are of each language, for `retrieval.pairs.selection.rates`."""
    found: Available = {}
    for piece in pieces(documents, params.seed, Counter()):
        document, _, _, lots = _chunks(piece, params)
        tally(found, lots, piece.documents["language"].take(document).to_pylist())
    return found


def restore(input_ids: Sequence[int], labels: Sequence[int]) -> bytes:
    """The bytes of the chunk: each sentinel of the input replaced by what stands after it in the labels.

    Raises:
        ValueError: the sentinels of the two are not the same, or not from 258 down.
    """
    marks = range(SENTINEL, SENTINEL - SENTINELS, -1)
    found = [[id for id in ids if id in marks] for ids in (input_ids, labels)]
    if found[0] != found[1] or found[0] != list(marks[: len(found[0])]) or (labels and labels[0] != SENTINEL):
        raise ValueError("input and labels do not have the same sentinels, from 258 down")
    hidden: dict[int, list[int]] = {}
    for id in labels:
        if id in marks:
            hidden[id] = own = []
        else:
            own.append(id)
    return bytes(part - OFFSET for id in input_ids for part in hidden.get(id, [id]))


def corrupt(chunks: _Bytes, noise: Ints, rest: Ints) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Input and labels of chunks of one length with equally much noise.

    Args:
        chunks: one chunk a row.
        noise: bytes of each noise span, one chunk a row.
        rest: bytes before each noise span, after the one before.
    """
    count, spans = noise.shape
    both = np.stack([rest, noise], 2).reshape(-1)
    hidden = np.repeat(np.tile([False, True], count * spans), both).reshape(chunks.shape)
    ids = chunks.astype(np.int32) + OFFSET
    return _marked(ids[~hidden], np.cumsum(rest, 1), spans), _marked(ids[hidden], np.cumsum(noise, 1) - noise, spans)


def _marked(ids: npt.NDArray[np.int32], places: Ints, spans: int) -> npt.NDArray[np.int32]:
    """The ids with sentinels put in before the given places of each row."""
    count = len(places)
    width = len(ids) // count + spans
    at = (places + np.arange(spans) + np.arange(count)[:, None] * width).reshape(-1)
    found = np.empty(count * width, np.int32)
    plain = np.ones(count * width, bool)
    plain[at] = False
    found[plain] = ids
    found[at] = np.tile(SENTINEL - np.arange(spans, dtype=np.int32), count)
    return found.reshape(count, width)


def _chunks(piece: Piece, params: Params) -> tuple[Ints, Ints, Ints, Digests]:
    """Of every chunk: row of its document, number within it, first byte, lottery number."""
    sizes = np.diff(piece.bounds)
    counts = sizes // params.chunk
    offsets = below(draws(piece.digests, 0), sizes - counts * params.chunk + 1)
    document = np.repeat(np.arange(len(sizes)), counts)
    number = np.arange(len(document)) - np.repeat(np.cumsum(counts) - counts, counts)
    start = (piece.bounds[:-1] + offsets)[document] + number * params.chunk
    return document, number, start, draws(piece.digests[document], number * _DRAWS + 1)


def _parted(digests: Digests, numbers: Ints, total: int, parts: int) -> Ints:
    """Sizes of `parts` parts of `total`, none empty, all ways alike likely (Floyd's choice of the borders)."""
    chosen = np.empty((len(digests), parts - 1), np.int64)
    for step in range(parts - 1):
        last = total - parts + step  # borders are 0 to total - 2
        drawn = below(draws(digests, numbers + step), last + 1)
        known = (chosen[:, :step] == drawn[:, None]).any(1)
        chosen[:, step] = np.where(known, last, drawn)
    chosen.sort(1)
    return np.diff(chosen + 1, prepend=0, append=total)


def _rows(piece: Piece, document: Ints, number: Ints, start: Ints, params: Params) -> pa.Table:
    digests, numbers = piece.digests[document], number * _DRAWS + 2
    noise = _parted(digests, numbers, params.masked, params.spans)
    rest = _parted(digests, numbers + SENTINELS - 1, params.chunk - params.masked, params.spans)
    chunks = np.lib.stride_tricks.sliding_window_view(piece.data, params.chunk)[start]
    inputs, labels = corrupt(chunks, noise, rest)
    shifted = np.full_like(labels, START)
    shifted[:, 1:] = labels[:, :-1]
    first, last = _whole(piece.data, start), _whole(piece.data, start + params.chunk, back=True)
    last = np.maximum(first, last)
    origin = piece.characters(piece.bounds)[document]
    taken = piece.documents.drop_columns(["text"]).take(document)
    columns = {
        "doc": taken["id"], "start": pa.array(piece.characters(first) - origin, pa.int32()),
        "end": pa.array(piece.characters(last) - origin, pa.int32()),
        "text": pa.array(slices(piece.data, first, last), pa.binary()).cast(pa.string()),
        "language": taken["language"], "input_ids": _lists(inputs), "labels": _lists(labels),
        "decoder_input_ids": _lists(shifted), "work": taken["work"], "split": taken["split"],
    }  # fmt: skip
    return pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)


def _whole(data: _Bytes, places: Ints, back: bool = False) -> Ints:
    """The nearest places from the given ones on (or back) that are not inside a character, of four bytes at most."""
    for _ in range(3):
        inner = places < len(data)
        inner[inner] = (data[places[inner]] & 0xC0) == 0x80
        places = places - inner if back else places + inner
    return places


def _lists(ids: npt.NDArray[np.int32]) -> pa.ListArray:
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * ids.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids.reshape(-1)))


SPANS = PairBuilder(
    name="spans",
    version=1,
    summary="Chunks of 1,024 bytes with spans left out and to be restored, as MrT5 and ByT5 are trained on.",
    make=make,
    params=Params,
    columns=("id", "text", "language", "work", "split"),
    survey=survey(available),
)
