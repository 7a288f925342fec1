"""Batches of 16 related chunks, which a retriever learns from by language modelling alone: Revela (Cai et al. 2025)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from heapq import nsmallest
from math import log
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field

from catalog.set_schema import BATCHES
from retrieval import builder
from retrieval.builder import PairBuilder
from retrieval.chunks import windows
from retrieval.pairs.selection import Piece, count, draws, pieces
from retrieval.pairs.tokenized import token_counts
from retrieval.tokens import Tokenizer, tokenizer, words

_WORD = re.compile(r"\w+")
_COMMON = 64
"""Chunks from which on a word says nothing of kinship; it bounds the work."""
_WORDS = 32
"""Rarest words of a chunk that are looked at."""


class Params(builder.Params):
    """Revela's sizes."""

    seed: int = Field(default=1, ge=0, lt=1 << 63)
    size: int = Field(default=16, ge=2, le=1024)
    """Chunks of a batch."""
    most: int = Field(default=157, ge=1)
    """Tokens of a chunk at most."""
    tokenizer: str = "words"
    neighbours: bool = False
    """Make batches of what is left over, too: of a document's chunks and those of others that share rare words."""


class _Chunk(NamedTuple):
    doc: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        return f"{self.doc}:{self.start}-{self.end}"


class _Document(NamedTuple):
    row: dict[str, str]
    """Without the text."""
    chunks: list[_Chunk]


def make(documents: pa.Table, params: Params, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Batches of `size` chunks that follow each other in a document; each is of whole sentences where they fit.

    What a document has over a multiple of `size` stands at its two ends, and is left out or for `neighbours`: batches
    of one language and split, out of the same table. Such a batch has the work of the document that it began with.
    Besides the documents, `chunk: left over` are counted.
    """
    split = tokenizer(params.tokenizer)
    rows: list[dict[str, Any]] = []
    rests: list[_Document] = []
    chunks_made = 0
    for piece in pieces(documents, params.seed, counter):
        for row, text, drawn in _long_enough(piece, params, counter):
            places = _spans(text, params.most, split, row["language"], 0, len(text))
            chunks = [_Chunk(row["id"], start, end, text[start:end]) for start, end in places]
            chunks_made += len(chunks)
            whole = len(chunks) // params.size * params.size
            first = drawn % (len(chunks) - whole + 1) if whole else 0
            for at in range(first, first + whole, params.size):
                rows.append(_batch(row, chunks[at : at + params.size]))
            rests.append(_Document(row, chunks[:first] + chunks[first + whole :]))
    if params.neighbours:
        rows += _related(rests, params.size)
    used = {id.rpartition(":")[0] for row in rows for id in row["chunk_ids"]}
    short, over = len(rests) - len(used), chunks_made - len(rows) * params.size
    count(counter, {"used": len(used), f"fewer than {params.size} chunks": short, "chunk: left over": over})
    if rows:
        yield "batches", pa.Table.from_pylist(rows, BATCHES)


def _long_enough(piece: Piece, params: Params, counter: Counter[str]) -> Iterator[tuple[dict[str, str], str, int]]:
    """The documents that can have a batch: row, text and a draw of each; the others are counted.

    Two chunks that follow each other have more than `most` tokens together, or they would be one.
    """
    enough = np.ones(len(piece.documents), bool)
    if not params.neighbours:
        enough = token_counts(piece, params.tokenizer) > params.size // 2 * params.most
        count(counter, {f"fewer than {params.size} chunks": int(np.count_nonzero(~enough))})
    chosen = piece.documents.filter(pa.array(enough))
    rows = chosen.drop_columns(["text"]).to_pylist()
    drawn: list[int] = draws(piece.digests[enough], 0).tolist()
    yield from zip(rows, (text.as_py() for text in chosen["text"]), drawn, strict=True)


def _spans(
    text: str, most: int, split: Tokenizer, language: str, start: int, end: int, limit: int | None = None
) -> Iterator[tuple[int, int]]:
    """Windows that have at most `most` tokens when they stand alone, too, where some tokenizers count more."""
    for window in windows(text, limit or most, split, start, end, language):
        if split is words:
            yield window.start, window.end
            continue
        size = len(split(text[window.start : window.end]))
        if size <= most or limit == 1:
            yield window.start, window.end
        else:
            lower = max(1, (limit or most) - (size - most))
            yield from _spans(text, most, split, language, window.start, window.end, lower)


def _batch(row: dict[str, str], chunks: list[_Chunk]) -> dict[str, Any]:
    return {
        "batch_id": f"{chunks[0].id}+{len(chunks) - 1}", "chunks": [chunk.text for chunk in chunks],
        "chunk_ids": [chunk.id for chunk in chunks], "language": row["language"], "work": row["work"],
        "split": row["split"],
    }  # fmt: skip


def _related(documents: list[_Document], size: int) -> Iterator[dict[str, Any]]:
    """Batches of the chunks of documents with fewer than `size`, each filled up with the most similar free ones."""
    groups: defaultdict[tuple[str, str], list[_Document]] = defaultdict(list)
    for document in documents:
        if document.chunks:
            groups[document.row["language"], document.row["split"]].append(document)
    for group in groups.values():
        chunks = [chunk for document in group for chunk in document.chunks]
        rare, holders = _rare_words([chunk.text for chunk in chunks])
        free, at = [True] * len(chunks), 0
        for document in group:
            own = [n for n in range(at, at + len(document.chunks)) if free[n]][:size]
            at += len(document.chunks)
            scores: defaultdict[int, float] = defaultdict(float)
            for word in {word for n in own for word in rare[n]}:
                for n in holders[word]:
                    scores[n] += log(len(chunks) / len(holders[word]))
            others = [n for n in scores if free[n] and n not in own]
            members = own + nsmallest(size - len(own), others, key=lambda n: (-scores[n], n))
            if own and len(members) == size:
                for n in members:
                    free[n] = False
                yield _batch(document.row, [chunks[n] for n in members])


def _rare_words(texts: list[str]) -> tuple[list[list[str]], dict[str, list[int]]]:
    """The rarest words of each text that others have too, and the texts that have each of these words."""
    found = [set(_WORD.findall(text.lower())) for text in texts]
    counts = Counter(word for own in found for word in own)
    kept = [
        nsmallest(_WORDS, (w for w in own if 1 < counts[w] <= _COMMON), key=lambda w: (counts[w], w)) for own in found
    ]
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, rare in enumerate(kept):
        for word in rare:
            holders[word].append(number)
    return kept, holders


BATCHES_16 = PairBuilder(
    name="batches-16",
    version=1,
    summary="Sixteen related chunks of at most 157 tokens a row, as Revela trains on.",
    make=make,
    params=Params,
    columns=("id", "text", "language", "work", "split"),
)
