"""Descriptive statistics of a benchmark, with the names that mteb's `descriptive_stats` have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pyarrow as pa

from catalog.exports import mteb
from catalog.exports.pools import Pool
from filters.words import words
from retrieval.builder import Benchmark, Task

Statistics = dict[str, Any]


def of(made: Benchmark) -> Statistics:
    """The statistics of a benchmark, of each of its tasks (`hf_subset_descriptive_stats`), by language, and licences.

    A task has the queries of its languages and kinds that have a relevant document in its pool, and that pool.
    """
    whole = describe(made.documents, made.queries, made.qrels, made.top_ranked)
    return whole | {
        "hf_subset_descriptive_stats": {task.name: _of_task(made, task) for task in made.tasks},
        "documents_by_language": _counted(made.documents, "language"),
        "queries_by_language": _counted(made.queries, "language"),
        "queries_by_kind": _counted(made.queries, "kind"),
        "works": len(set(made.documents["work"].to_pylist()) - {None}),
        "licences": _counted(made.documents, "licence"),
    }


def describe(documents: pa.Table, queries: pa.Table, qrels: pa.Table, top_ranked: pa.Table | None = None) -> Statistics:
    """Counts and lengths, as `catalog.exports.mteb.statistics` has them, and words as `filters.words` has them."""
    pool = Pool("", documents, queries, qrels, top_ranked)
    found = mteb.statistics([pool])
    found["documents_text_statistics"] = _with_words(found["documents_text_statistics"], mteb.texts_of([pool]))
    found["queries_text_statistics"] = _with_words(found["queries_text_statistics"], queries["text"].to_pylist())
    return found


def _with_words(lengths: Statistics | None, texts: list[str]) -> Statistics | None:
    if lengths is None:
        return None
    counts = [len(words(text)) for text in texts]
    return lengths | {
        "min_word_count": min(counts),
        "average_word_count": sum(counts) / len(counts),
        "max_word_count": max(counts),
    }


def of_task(
    documents: pa.Table, queries: pa.Table, qrels: pa.Table, task: Task
) -> tuple[pa.Table, pa.Table, pa.Table]:  # fmt: skip
    """The pool of a task, its queries that have a relevant document there, and their judgements of this pool."""
    pool = _where(documents, "language", task.document_languages)
    asked = _where(_where(queries, "language", task.query_languages), "kind", task.query_kinds)
    judged = _where(_where(qrels, "query_id", asked["id"].to_pylist()), "document_id", pool["id"].to_pylist())
    positive = {
        query for query, score in zip(judged["query_id"].to_pylist(), judged["score"].to_pylist(), strict=True)
        if score > 0
    }  # fmt: skip
    return pool, _where(asked, "id", positive), _where(judged, "query_id", positive)


def _of_task(made: Benchmark, task: Task) -> Statistics:
    pool, asked, judged = of_task(made.documents, made.queries, made.qrels, task)
    lists = None if made.top_ranked is None else _where(made.top_ranked, "query_id", asked["id"].to_pylist())
    return describe(pool, asked, judged, lists)


def _counted(table: pa.Table, column: str) -> dict[str, int]:
    counts = Counter(value or "unknown" for value in table[column].to_pylist())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _where(table: pa.Table, column: str, values: Collection[str] | None) -> pa.Table:
    if values is None:
        return table
    wanted = set(values)
    return table.filter(pa.array([value in wanted for value in table[column].to_pylist()], pa.bool_()))
