"""Hard negatives: texts that a system ranks high for a query and that do not answer it.

A negative is never a positive of the query, nor in a parallel group with one (a translation), nor of the work of one
unless asked for, nor nearly the same text as one. Margins are those of sentence-transformers' `mine_hard_negatives`:
measured from the lowest score of the query's positives, as ColBERT-XM measures a teacher's (a negative is kept if its
score is at most that of every positive less 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash
from pydantic import Field

from catalog.errors import ConfigError
from catalog.set_schema import NEGATIVES
from catalog.sets import Set
from retrieval.builder import Params
from retrieval.negatives_pool import Pool, pool
from retrieval.systems import Index, Searcher
from retrieval.teachers import Teacher, teacher

_QUERIES = 1_024
_ASKED = ["query_id", "query", "query_language", "document_id"]

Floats = npt.NDArray[np.float32]


class NegativeParams(Params):
    """Which of the texts that a system ranks high are taken."""

    count: int = Field(default=8, ge=1)
    """Negatives a query."""
    depth: int = Field(default=100, ge=1, le=10_000)
    """Ranks looked at."""
    skip: int = Field(default=0, ge=0)
    """The first of what is left after all exclusions that are passed over: they may be answers nobody marked."""
    sampling: Literal["top", "random"] = "top"
    seed: int = 1
    absolute_margin: float | None = None
    """Least distance below the lowest score of a positive."""
    relative_margin: float | None = None
    """The same as a share of that score's magnitude."""
    language: Literal["any", "same"] = "same"
    """`same`: the language of a positive. With `any`, a query across languages gets texts in its own language, and a
    model learns from them that the other language is right."""
    same_work: bool = False
    """Take other texts of a positive's work too."""
    similarity: float = Field(default=0.5, gt=0, le=1)
    """Jaccard similarity of the word 5-grams from which a text is the same as a positive."""
    teacher: str | None = None
    """`scores:<file>`, `cross-encoder:<model>` or `dense:<model>`."""
    teacher_margin: float | None = None
    """Least distance below the lowest teacher's score of a positive; ColBERT-XM: 3."""


class Listed(NamedTuple):
    """The texts of queries, of each the positives first."""

    queries: npt.NDArray[np.int64]
    """Rows of the queries, ascending."""
    places: npt.NDArray[np.int64]
    """Of the texts in the pool."""
    ranks: npt.NDArray[np.int64]
    """0: a positive."""
    scores: Floats


def mine(
    pairs: Set, system: Searcher, params: NegativeParams, counts: Counter[str],
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[pa.Table]:  # fmt: skip
    """Mine negatives for every query of a training set in its own documents.

    Args:
        pairs: a training set with the table `pairs`.
        counts: told how many queries and negatives there are, what was excluded and why, and how many queries have
            fewer negatives than asked for.
        say: told how far it is.

    Yields:
        `catalog.set_schema.NEGATIVES`, whole queries in the order of the set, of each the positives first (rank 0). A
        query for which nothing is left has no rows.

    Raises:
        ConfigError: a model gives what is no number, or a file cannot be read.
    """
    if params.teacher_margin is not None and params.teacher is None:
        raise ConfigError("teacher_margin: needs a teacher")
    judge = teacher(params.teacher) if params.teacher else None
    with TemporaryDirectory(prefix="florilege-negatives-") as folder:
        say("reading the documents")
        texts = pool(pairs, Path(folder))
        say(f"indexing {texts.table.num_rows:,} documents")
        index = system.index(texts.table.select(["id", "title", "text", "language"]))
        equal = _equal(pairs, texts)
        dice, done = np.random.default_rng(params.seed), 0
        for asked in _queries(pairs):
            queries, _ = _asked(asked)
            found = _listed(asked, index, texts, params, counts, equal)
            yield _rows(found, queries, texts, system.name, params, judge, dice, counts)
            done += queries.num_rows
            say(f"{done:,} queries")


def within(scores: Floats, positives: Floats, absolute: float | None, relative: float | None) -> npt.NDArray[np.bool_]:
    """Which scores keep the margins below the lowest of the positives' scores; none where one of those is unknown."""
    if absolute is None and relative is None:
        return np.ones(len(scores), bool)
    least = positives.min() if len(positives) else np.float32(np.nan)
    kept = scores <= least
    if absolute is not None:
        kept &= scores <= least - np.float32(absolute)
    if relative is not None:
        kept &= scores <= least - abs(least) * np.float32(relative)
    return kept


def _queries(pairs: Set) -> Iterator[pa.Table]:
    """The pairs, without the documents' texts, in tables of whole queries."""
    rest: pa.Table | None = None
    for batch in pairs.batches("pairs", _ASKED, 8 * _QUERIES):
        found = pa.Table.from_batches([batch])
        rows = found if rest is None else pa.concat_tables([rest, found])
        last = int(_starts(rows["query_id"])[-1]) if rows.num_rows else 0  # may go on in the next batch
        yield from _whole(rows.slice(0, last))
        rest = rows.slice(last)
    if rest is not None:
        yield from _whole(rest)


def _whole(rows: pa.Table) -> Iterator[pa.Table]:
    starts = np.append(_starts(rows["query_id"]), rows.num_rows).tolist()
    cuts = [*starts[:-1:_QUERIES], rows.num_rows]
    return (rows.slice(start, end - start) for start, end in pairwise(cuts) if end > start)


def _starts(ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    codes = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])


def _asked(rows: pa.Table) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The queries, and the query of each row."""
    starts = _starts(rows["query_id"])
    queries = rows.take(pa.array(starts)).select(_ASKED[:3]).rename_columns(["id", "text", "language"])
    return queries, np.repeat(np.arange(len(starts)), np.diff(np.append(starts, rows.num_rows)))


def _said(query: str) -> bytes:
    return xxhash.xxh3_128_digest(" ".join(query.casefold().split()).encode("utf-8", "surrogatepass"))


def _equal(pairs: Set, texts: Pool) -> dict[bytes, frozenset[int]]:
    """Of each text that several queries have, by its digest, the places of the answers of all of them."""
    asked: dict[bytes, bytes | None] = {}
    for batch in pairs.batches("pairs", ["query_id", "query"]):
        for id, query in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            own = xxhash.xxh3_64_digest(id)
            if asked.setdefault(_said(query), own) != own:
                asked[_said(query)] = None
    several: dict[bytes, set[int]] = {said: set() for said, id in asked.items() if id is None}
    del asked
    if several:
        for batch in pairs.batches("pairs", ["query", "document_id"]):
            for query, id in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if (said := _said(query)) in several:
                    several[said].add(texts.place[id])
    return {said: frozenset(places) for said, places in several.items()}


def _listed(
    rows: pa.Table, index: Index, texts: Pool, params: NegativeParams, counts: Counter[str],
    equal: dict[bytes, frozenset[int]],
) -> Listed:  # fmt: skip
    """What is left of each query's ranking after all exclusions but the teacher's, as much as is wanted of it."""
    queries, owner = _asked(rows)
    positives = np.array([texts.place[id] for id in rows["document_id"].to_pylist()], np.int64)
    own = index.score(queries, owner, positives)
    places, scores = index.search(queries, params.depth)
    found: list[tuple[int, int, int, float]] = []
    start = 0
    for query, end in enumerate(np.searchsorted(owner, np.arange(queries.num_rows), "right").tolist()):
        good = dict(zip(positives[start:end].tolist(), own[start:end].tolist(), strict=True))
        ranked = places[query, places[query] >= 0]
        answers = equal.get(_said(queries["text"][query].as_py()), frozenset())
        kept = _kept(good, ranked, scores[query, : len(ranked)], texts, params, counts, answers)
        found += [(query, place, 0, score) for place, score in good.items()]
        found += [(query, int(ranked[at]), at + 1, float(scores[query, at])) for at in kept]
        start = end
    columns = zip(*found, strict=True) if found else ((),) * 4
    types = (np.int64, np.int64, np.int64, np.float32)
    return Listed(*(np.array(column, type) for column, type in zip(columns, types, strict=True)))


def _kept(
    positives: dict[int, float], places: npt.NDArray[np.int32], scores: Floats, texts: Pool,
    params: NegativeParams, counts: Counter[str], answers: frozenset[int] = frozenset(),
) -> list[int]:  # fmt: skip
    """Places in the ranking that nothing excludes, as many as are wanted."""
    wanted = params.depth if params.sampling == "random" or params.teacher_margin is not None else (
        params.skip + params.count
    )  # fmt: skip
    lowest = np.array(list(positives.values()), np.float32)
    below = within(scores, lowest, params.absolute_margin, params.relative_margin).tolist()
    same = {name: {codes[place] for place in positives} - {-1} for name, codes in texts.codes.items()}
    kept: list[int] = []
    for rank, place in enumerate(places.tolist()):
        if place in positives:
            continue
        if texts.codes["parallel"][place] in same["parallel"]:
            counts["excluded: a positive's translation"] += 1
        elif not params.same_work and texts.codes["work"][place] in same["work"]:
            counts["excluded: of a positive's work"] += 1
        elif texts.codes["split"][place] not in same["split"]:
            counts["excluded: of another split"] += 1
        elif place in answers:
            counts["excluded: answers an equal query"] += 1
        elif params.language == "same" and texts.codes["language"][place] not in same["language"]:
            counts["excluded: another language"] += 1
        elif not below[rank]:
            counts["excluded: within the margin"] += 1
        elif texts.empty(place):
            counts["excluded: no words"] += 1
        elif any(texts.alike(place, other, params.similarity) for other in positives):
            counts["excluded: nearly a positive"] += 1
        else:
            kept.append(rank)
            if len(kept) == wanted:
                break
    return kept


def _chosen(found: Listed, params: NegativeParams, dice: np.random.Generator, counts: Counter[str]) -> Listed:
    """As many negatives of each query as are wanted, and its positives; a query without negatives is left out."""
    rows = [np.zeros(0, np.int64)]
    for query in np.unique(found.queries):
        start, end = np.searchsorted(found.queries, [query, query + 1])
        own = np.arange(start, end)
        left = own[found.ranks[own] > 0][params.skip :]
        if params.sampling == "random" and len(left) > params.count:
            left = np.sort(dice.choice(left, params.count, replace=False))
        left = left[: params.count]
        counts["queries"] += 1
        counts["negatives"] += len(left)
        counts["queries with fewer than asked for"] += len(left) < params.count
        counts["queries without any"] += not len(left)
        if len(left):
            rows += [own[found.ranks[own] == 0], left]
    return _taken(found, np.concatenate(rows))


def _far(found: Listed, taught: Floats, margin: float, counts: Counter[str]) -> Listed:
    """What keeps the margin of the teacher."""
    rows = [np.zeros(0, np.int64)]
    for query in np.unique(found.queries):
        start, end = np.searchsorted(found.queries, [query, query + 1])
        own = np.arange(start, end)
        positive, left = own[found.ranks[own] == 0], own[found.ranks[own] > 0]
        kept = left[within(taught[left], taught[positive], margin, None)]
        counts["excluded: within the teacher's margin"] += len(left) - len(kept)
        rows += [positive, kept]
    return _taken(found, np.concatenate(rows))


def _taken(found: Listed, rows: npt.NDArray[np.int64]) -> Listed:
    return Listed(found.queries[rows], found.places[rows], found.ranks[rows], found.scores[rows])


def _rows(
    found: Listed, queries: pa.Table, texts: Pool, source: str, params: NegativeParams, judge: Teacher | None,
    dice: np.random.Generator, counts: Counter[str],
) -> pa.Table:  # fmt: skip
    """The table of what is chosen, with the teacher's scores."""
    if judge is not None and params.teacher_margin is not None:
        taught = judge(_shown(found, queries, texts))
        found = _far(found, taught, params.teacher_margin, counts)
    found = _chosen(found, params, dice, counts)
    shown = _shown(found, queries, texts)
    scores = np.full(len(found.places), np.nan, np.float32) if judge is None else judge(shown)
    if judge is not None:
        counts["no score of the teacher"] += int(np.isnan(scores).sum())
    made = {
        **{name: shown[name] for name in ("query_id", "document_id", "title", "document", "document_language")},
        "rank": found.ranks.astype(np.int32), "score": _nullable(found.scores), "teacher": _nullable(scores),
        "source": np.where(found.ranks == 0, "positive", source).tolist(),
    }  # fmt: skip
    return pa.table(made).select(NEGATIVES.names).cast(NEGATIVES)


def _shown(found: Listed, queries: pa.Table, texts: Pool) -> pa.Table:
    asked = queries.take(pa.array(found.queries)).rename_columns(["query_id", "query", "query_language"])
    names = ["document_id", "title", "document", "document_language"]
    given = texts.table.take(pa.array(found.places)).select(["id", "title", "text", "language"]).rename_columns(names)
    return pa.table([*asked.columns, *given.columns], names=[*asked.column_names, *names])


def _nullable(scores: Floats) -> pa.Array:
    return pa.array(scores, pa.float32(), mask=np.isnan(scores))
