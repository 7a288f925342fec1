"""A system's ranking of a task's documents, checked against the benchmark and brought together with its judgements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.set_schema import RANKING
from catalog.sets import Set
from retrieval import measures
from retrieval.measures import Floats, Ints, Judged
from retrieval.systems import Searcher, System

UNKNOWN = "und"
"""Language of what has none."""
_HITS_AT_ONCE = 4_000_000
"""Rows of a ranking that a system is asked for in one call."""
_QUERY, _DOCUMENT = ["id", "text", "language"], ["id", "title", "text", "language"]


@dataclass(frozen=True, slots=True)
class Tables:
    """A benchmark's tables, and the part of them that a task is of."""

    documents: pa.Table
    queries: pa.Table
    qrels: pa.Table
    lists: dict[str, set[str]]
    known_documents: pa.Array
    known_queries: pa.Array


def whole(benchmark: Set) -> Tables:
    """A benchmark's tables; ConfigError where an id stands for two documents or queries."""
    documents, queries = (_with_languages(benchmark.table(name)) for name in ("documents", "queries"))
    for name, table in (("documents", documents), ("queries", queries)):
        if twice := table.num_rows - pc.count_distinct(table["id"], mode="all").as_py():
            raise ConfigError(f"{benchmark.name}: {twice} of its {name} have the id of another")
    qrels = (
        benchmark.table("qrels").group_by(["query_id", "document_id"], use_threads=False).aggregate([("score", "max")])
    )
    lists = benchmark.table("top_ranked").to_pylist()
    return Tables(
        documents, queries, qrels.rename_columns(["query_id", "document_id", "score"]),
        {row["query_id"]: set(row["document_ids"] or ()) for row in lists},
        documents["id"].combine_chunks(), queries["id"].combine_chunks(),
    )  # fmt: skip


def _with_languages(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("language")
    return table.set_column(place, "language", pc.fill_null(table["language"], UNKNOWN))


def of_task(whole: Tables, task: dict[str, Any]) -> tuple[Tables, Counter[str]]:
    """The task's documents, its queries that can be measured, and their judgements."""
    documents = _chosen(whole.documents, "language", task.get("document_languages"))
    asked = _chosen(whole.queries, "language", task.get("query_languages"))
    asked = _chosen(asked, "kind", task.get("query_kinds"))
    inside = pc.and_(
        pc.is_in(whole.qrels["document_id"], documents["id"].combine_chunks()), pc.greater(whole.qrels["score"], 0)
    )
    qrels = whole.qrels.filter(inside)
    answered = pc.greater(pc.fill_null(pc.list_value_length(asked["answers"]), 0), 0)
    relevant = pc.is_in(asked["id"], qrels["query_id"].combine_chunks())
    queries = asked.filter(pc.or_(relevant, answered))
    known = pc.is_in(whole.qrels["document_id"], whole.known_documents)
    counts = Counter({
        "queries": asked.num_rows, "without relevant documents": asked.num_rows - (pc.sum(relevant).as_py() or 0),
        "documents": documents.num_rows,
        "judgements of unknown documents": len(whole.qrels) - (pc.sum(known).as_py() or 0),
    })  # fmt: skip
    return Tables(documents, queries, qrels, whole.lists, whole.known_documents, whole.known_queries), counts


def _chosen(table: pa.Table, column: str, among: Sequence[str] | None) -> pa.Table:
    return table if among is None else table.filter(pc.is_in(table[column], pa.array(among, pa.string())))


def ranked(system: System, part: Tables, k: int, counts: Counter[str]) -> tuple[Judged, pa.Table]:
    """Ask the system, a part of the queries at a time; queries with a list of their own get that alone ranked."""
    ids, pool = part.queries["id"].to_pylist(), part.documents.num_rows
    places = {id: place for place, id in enumerate(part.documents["id"].to_pylist())}
    lists = {
        q: np.array(sorted(places[d] for d in part.lists[id] if d in places), np.int64)
        for q, id in enumerate(ids) if id in part.lists
    }  # fmt: skip
    # What is no part of its list is taken out of a query's ranking of everything: so a term weighs the same for all.
    depth = pool if lists else min(k, pool)
    step = max(1, _HITS_AT_ONCE // max(depth, 1))
    pieces = []
    for low in range(0, len(ids) if pool else 0, step):
        asked = part.queries.slice(low, step)
        found = system.rank(asked.select(_QUERY), part.documents.select(_DOCUMENT), depth)
        query, document, score = _hits(system.name, found, asked, part, counts)
        query += low
        inside = _listed(query, document, lists, pool)
        counts["outside the query's list"] += int((~inside).sum())
        query, document, score = query[inside], document[inside], score[inside]
        rank = measures.ranks_within(query)
        pieces.append(tuple(column[rank <= k] for column in (query, document, rank, score)))
    query, document, rank, score = (
        (np.concatenate(column) for column in zip(*pieces, strict=True)) if pieces else _none()
    )
    counts["hits"], counts["without hits"] = len(query), len(ids) - len(np.unique(query))
    sizes = np.array([len(lists[q]) if q in lists else pool for q in range(len(ids))], np.int64)
    ranking = {
        "query_id": _named(query, part.queries["id"]), "document_id": _named(document, part.documents["id"]),
        "rank": pa.array(rank, pa.int32()), "score": pa.array(score, pa.float32()),
    }  # fmt: skip
    return _judged(part, query, document, rank, sizes), pa.table(ranking)


def _none() -> tuple[Ints, Ints, Ints, Floats]:
    none = np.zeros(0, np.int64)
    return none, none, none, np.zeros(0)


def _named(places: Ints, names: pa.ChunkedArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), names.combine_chunks())


def _hits(
    system: str, found: pa.Table, asked: pa.Table, part: Tables, counts: Counter[str]
) -> tuple[Ints, Ints, Floats]:
    """Positions of queries and documents in the order of the ranks, without what the benchmark does not know."""
    if missing := set(RANKING.names) - set(found.column_names):
        raise ConfigError(f"{system}: its ranking has no column {', '.join(sorted(missing))}")
    score = found["score"].to_numpy().astype(float)
    if bad := np.flatnonzero(~np.isfinite(score)).tolist():
        where = found.slice(bad[0], 1).to_pylist()[0]
        raise ConfigError(
            f"{system}: {len(bad)} scores are no finite numbers, the first that of document {where['document_id']!r} "
            f"for query {where['query_id']!r}"
        )
    strange = strangers(system, found, part)
    counts.update(strange)
    query, document = _places(found["query_id"], asked["id"]), _places(found["document_id"], part.documents["id"])
    inside = (query >= 0) & (document >= 0)
    counts["of other tasks"] += int((~inside).sum()) - sum(strange.values())
    rows = np.flatnonzero(inside)
    rows = rows[np.lexsort((found["rank"].to_numpy()[rows], query[rows]))]
    _, firsts = np.unique(query[rows] * part.documents.num_rows + document[rows], return_index=True)
    counts["duplicates"] += len(rows) - len(firsts)
    rows = rows[np.sort(firsts)]
    return query[rows], document[rows], score[rows]


def _places(values: pa.ChunkedArray, among: pa.ChunkedArray) -> Ints:
    places = pc.fill_null(pc.index_in(values, among.combine_chunks()), -1)
    return np.array(places.to_numpy(), np.int64)


def _listed(query: Ints, document: Ints, lists: dict[int, Ints], pool: int) -> Any:
    if not lists:
        return np.ones(len(query), bool)
    allowed = np.concatenate([q * pool + places for q, places in lists.items()])
    return np.isin(query * pool + document, allowed) | ~np.isin(query, np.array(list(lists)))


def strangers(system: str, run: pa.Table, known: Tables) -> dict[str, int]:
    """How many rows of a run are of queries or documents that the benchmark does not know.

    ConfigError when all are: then the run was made for something else.
    """
    query = pc.is_in(run["query_id"], known.known_queries).to_numpy()
    document = pc.is_in(run["document_id"], known.known_documents).to_numpy()
    if run.num_rows and not (query & document).any():
        first = run.slice(0, 1).to_pylist()[0]
        raise ConfigError(
            f"{system}: none of its {run.num_rows} rows is of this benchmark; the first has query "
            f"{first['query_id']!r} and document {first['document_id']!r}"
        )
    return {"unknown queries": int((~query).sum()), "unknown documents": int((query & ~document).sum())}


def ready(system: System, documents: pa.Table) -> System:
    """The system with its index made, for many calls with these documents."""
    if not isinstance(system, Searcher) or not documents.num_rows:
        return system
    index = system.index(documents.select(_DOCUMENT))
    return Searcher(system.name, lambda _: index)


def _judged(part: Tables, query: Ints, document: Ints, rank: Ints, sizes: Ints) -> Judged:
    gold_query = _places(part.qrels["query_id"], part.queries["id"])
    asked = gold_query >= 0
    groups = part.documents["parallel"].combine_chunks().dictionary_encode()
    group = np.array(pc.fill_null(groups.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    own = len(groups.dictionary) + np.arange(len(group))
    return Judged(
        part.queries.num_rows, part.documents.num_rows, gold_query[asked],
        _places(part.qrels["document_id"], part.documents["id"])[asked],
        part.qrels["score"].to_numpy().astype(np.int64)[asked], query, document, rank, sizes,
        strings(part.queries["language"]), strings(part.documents["language"]), np.where(group >= 0, group, own),
    )  # fmt: skip


def strings(column: pa.ChunkedArray) -> Any:
    return np.array(column.to_pylist(), dtype=object)
