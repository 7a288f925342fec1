"""The training set `lemur`: from the metadata block of an act to the rest of it (arXiv 2602.09570)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from retrieval.builder import PairBuilder, Params
from retrieval.lemur import Variant, metadata_block
from retrieval.metadata import known
from retrieval.pairs.pair_rows import Pair, Text, pair_table, piece

_COLUMNS = ("id", "text", "language", "work", "split", "page_offsets")
_ROWS = 256
"""Pairs in one table: a document is a whole act, which may be long."""


class LemurParams(Params):
    """How blocks are cut, and what answers them."""

    variant: Variant = "unicode"
    """What a capital is: `ascii` as published (A to Z), `unicode` of any script."""
    positives: Literal["own", "all"] = "own"
    """`own`: the rest of the act that the block is from. `all`: the act in the other languages too."""
    languages: tuple[str, ...] | None = None
    """Only documents in these; null: all."""


class _Act(NamedTuple):
    query: Text
    rest: Text
    work: str
    split: str


def make(documents: pa.Table, params: LemurParams, counts: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Pairs of block and act. An act that still starts with its block, after the block was taken off, is left out."""
    waiting: list[Pair] = []
    rows = zip(*(documents[name].to_pylist() for name in _COLUMNS), strict=True)
    for _, group in groupby(rows, key=lambda row: row[3]):
        waiting += _pairs(_acts(group, params, counts), params, counts)
        if len(waiting) >= _ROWS:
            yield "pairs", pair_table(waiting)
            waiting = []
    if waiting:
        yield "pairs", pair_table(waiting)


def _acts(group: Iterator[Any], params: LemurParams, counts: Counter[str]) -> list[_Act]:
    """The versions of one act, the first of every language."""
    acts: dict[str, _Act] = {}
    for id, text, language, work, split, pages in group:
        if not (work or "").startswith("celex:"):
            counts["not an act"] += 1
        elif not known(language):
            counts["no language"] += 1
        elif params.languages is not None and language not in params.languages:
            counts["language not asked for"] += 1
        elif language in acts:
            counts["another version of the act in this language"] += 1
        else:
            act = _act(id, text or "", language, work, split, pages, params.variant)
            if isinstance(act, _Act):
                acts[language] = act
            counts["used" if isinstance(act, _Act) else act] += 1
    return list(acts.values())


def _act(
    id: str, text: str, language: str, work: str, split: str, pages: list[int] | None, variant: Variant
) -> _Act | str:
    """The act in two, or the reason why it cannot be cut."""
    query, end = metadata_block(text, pages, variant)
    if not query:
        return "empty text"
    start = len(text) - len(text[end:].lstrip())
    if start == len(text):
        return "nothing left after the block"
    act = _Act(
        piece(id, text, end - len(query), end, language), piece(id, text, start, len(text), language), work, split
    )
    return "the document starts with its query" if leaks(act.query.text, act.rest.text) else act


def leaks(query: str, document: str) -> bool:
    """Whether the document starts with the query, whatever the case and the white space."""
    words = query.casefold().split()
    return document[: 2 * len(query) + 64].casefold().split()[: len(words)] == words or document.startswith(query)


def _pairs(acts: list[_Act], params: LemurParams, counts: Counter[str]) -> Iterator[Pair]:
    for act in acts:
        for other in [act, *(a for a in acts if a is not act)] if params.positives == "all" else [act]:
            if leaks(act.query.text, other.rest.text):
                counts["row: the document starts with its query"] += 1
            else:
                yield Pair(act.query, other.rest, "", f"{act.work}#whole", act.work, act.split)


LEMUR = PairBuilder(
    name="lemur",
    version=1,
    summary="From the metadata block at the start of an act to the rest of the act, in one or in all its languages.",
    make=make,
    params=LemurParams,
    columns=_COLUMNS,
    unit="work",
)
