"""Descriptive statistics of a benchmark, with the names that mteb's `descriptive_stats` have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pyarrow as pa

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
    """Counts and lengths.

    Lengths are in characters; a document's text is its title and text with a space between, as mteb counts it.
    `average_word_count` and its like are not mteb's: words as `filters.words` has them.

    Returns:
        As mteb's RetrievalDescriptiveStatistics, without the kinds that are not text. Statistics of no texts are None.
    """
    texts = [
        f"{title or ''} {text or ''}".strip()
        for title, text in zip(documents["title"].to_pylist(), documents["text"].to_pylist(), strict=True)
    ]
    asked = queries["text"].to_pylist()
    return {
        "num_samples": len(texts) + len(asked),
        "num_queries": len(asked),
        "num_documents": len(texts),
        "number_of_characters": sum(map(len, texts)) + sum(map(len, asked)),
        "documents_text_statistics": of_texts(texts),
        "queries_text_statistics": of_texts(asked),
        "relevant_docs_statistics": _of_judgements(documents, queries, qrels),
        "top_ranked_statistics": _of_lists(top_ranked, len(asked)),
    }


def of_texts(texts: Collection[str]) -> Statistics | None:
    """Lengths in characters and words, and how many texts are different; None of no texts."""
    if not texts:
        return None
    sizes, counts = [len(text) for text in texts], [len(words(text)) for text in texts]
    return {
        "total_text_length": sum(sizes),
        "min_text_length": min(sizes),
        "average_text_length": sum(sizes) / len(sizes),
        "max_text_length": max(sizes),
        "unique_texts": len(set(texts)),
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


def _of_judgements(documents: pa.Table, queries: pa.Table, qrels: pa.Table) -> Statistics | None:
    judged, documents_judged, scores = (qrels[name].to_pylist() for name in ("query_id", "document_id", "score"))
    counts = dict.fromkeys(judged, 0)
    for query, score in zip(judged, scores, strict=True):
        counts[query] += score != 0
    if not counts:
        return None
    return {
        "num_relevant_docs": sum(counts.values()),
        "min_relevant_docs_per_query": min(counts.values()),
        "average_relevant_docs_per_query": sum(counts.values()) / len(counts),
        "max_relevant_docs_per_query": max(counts.values()),
        "unique_relevant_docs": len(set(documents_judged)),
        "num_missing_query_ids": len(set(counts) - set(queries["id"].to_pylist())),
        "num_missing_corpus_ids": len(set(documents_judged) - set(documents["id"].to_pylist())),
        "queries_with_all_gold_black_or_white": 0,
    }


def _of_lists(top_ranked: pa.Table | None, queries: int) -> Statistics | None:
    sizes = [] if top_ranked is None else [len(ids) for ids in top_ranked["document_ids"].to_pylist()]
    if not sizes:
        return None
    return {
        "num_top_ranked": sum(sizes),
        "min_top_ranked_per_query": min(sizes),
        "average_top_ranked_per_query": sum(sizes) / max(1, queries),
        "max_top_ranked_per_query": max(sizes),
    }


def _counted(table: pa.Table, column: str) -> dict[str, int]:
    counts = Counter(value or "unknown" for value in table[column].to_pylist())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _where(table: pa.Table, column: str, values: Collection[str] | None) -> pa.Table:
    if values is None:
        return table
    wanted = set(values)
    return table.filter(pa.array([value in wanted for value in table[column].to_pylist()], pa.bool_()))
