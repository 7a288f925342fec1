"""MTEB: parquet configs `corpus`, `queries`, `default` (qrels) and `top_ranked`, and a loader as a local task.

A benchmark with several tasks has the configs of each: `{task}-corpus`, `{task}-queries`, `{task}-qrels`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.errors import ConfigError
from catalog.exports.output import Output, output
from catalog.exports.pools import Pool, pool, tasks
from catalog.files import read_json
from catalog.flores import label
from catalog.sets import Set

STATISTICS = "descriptive_stats.json"
_QRELS = pa.schema([("query-id", pa.string()), ("corpus-id", pa.string()), ("score", pa.int32())])
_TOP = pa.schema([("query-id", pa.string()), ("corpus-ids", pa.list_(pa.string()))])
_MISSING = "needs mteb: pip install 'florilege[retrieval]'"


def write(found: Set, folder: Path, task: str | None = None) -> dict[str, Any]:
    """Write a benchmark; returns the manifest, whose `mteb` is what `task` needs to know.

    Args:
        task: only this task, as the configs without a prefix; none: all tasks.

    Raises:
        ConfigError: as `catalog.exports.pools.pool`, and when a task has no query with a relevant document.
    """
    chosen = {name: pool(found, name) for name in ([task] if task else tasks(found))} or {found.name: pool(found)}
    if empty := [name for name, part in chosen.items() if not part.qrels.num_rows]:
        raise ConfigError(f"{found.name}: no query with a relevant document in {', '.join(empty)}")
    alone = len(chosen) == 1
    with output(found, folder, "mteb", task=task) as made:
        for name, part in chosen.items():
            _write(made, part, "" if alone else f"{name}-")
        subsets = {"default" if alone else name: _languages(part) for name, part in chosen.items()}
        made.lines(STATISTICS).json({"test": _all_statistics(list(chosen.values()), list(subsets))})
        made.notes["mteb"] = {"name": found.name if task is None else f"{found.name}-{task}", "languages": subsets}
    return made.manifest


def task(folder: Path) -> Any:
    """The folder that `write` made as an `mteb.AbsTaskRetrieval`, for `mteb.evaluate(model, task(folder))`.

    Raises:
        ConfigError: mteb is not installed, or the folder is no such export.
    """
    try:
        from mteb.abstasks.retrieval import AbsTaskRetrieval
        from mteb.abstasks.task_metadata import TaskMetadata
    except ImportError as error:
        raise ConfigError(f"catalog.exports.mteb.task {_MISSING}") from error
    manifest = read_json(folder / "manifest.json") if (folder / "manifest.json").is_file() else {}
    if "mteb" not in manifest:
        raise ConfigError(f"{folder}: no export in MTEB's format")
    facts = manifest["mteb"]
    languages = facts["languages"]
    described = TaskMetadata(
        name=facts["name"], description=f"{facts['name']}, made by florilege", type="Retrieval", category="t2t",
        modalities=["text"], eval_splits=["test"], main_score="ndcg_at_10",
        eval_langs=languages["default"] if list(languages) == ["default"] else languages,
        dataset={"path": str(folder.resolve()), "revision": manifest["set"]["id"]},
    )  # fmt: skip
    return type("Local", (AbsTaskRetrieval,), {"metadata": described})()


def _write(made: Output, part: Pool, prefix: str) -> None:
    corpus = part.documents.select(["id", "title", "text"]).rename_columns(["_id", "title", "text"])
    titles = pa.array([title or "" for title in corpus["title"].to_pylist()], pa.string())
    tables = {
        "corpus": corpus.set_column(1, "title", titles),
        "queries": part.queries.select(["id", "text"]).rename_columns(["_id", "text"]),
        "qrels": part.qrels.rename_columns(_QRELS.names),
    }
    if part.top_ranked is not None:
        tables["top_ranked"] = part.top_ranked.rename_columns(_TOP.names)
    for name, table in tables.items():
        plain = pa.Table.from_arrays(table.columns, names=table.column_names)  # without the columns' descriptions
        config = "default" if name == "qrels" and not prefix else f"{prefix}{name}"
        made.rows(f"{prefix}{name}/test.parquet", plain.schema, config, "test").write(plain)


def _languages(part: Pool) -> list[str]:
    """ISO 639-3 and script, as in `eng-Latn`, of queries and documents."""
    found = {*part.queries["language"].to_pylist(), *part.documents["language"].to_pylist()} - {None}
    return sorted({label(language).replace("_", "-") for language in found})


def _all_statistics(parts: list[Pool], names: list[str]) -> dict[str, Any]:
    if len(parts) == 1:
        return statistics(parts)
    each = {name: statistics([part]) for name, part in zip(names, parts, strict=True)}
    return {**statistics(parts), "hf_subset_descriptive_stats": each}


def statistics(parts: list[Pool]) -> dict[str, Any]:
    """MTEB's descriptive statistics of the pools together, under its names; lengths in characters.

    Statistics of no texts, judgements or lists are None.
    """
    documents, queries = texts_of(parts), [text for part in parts for text in part.queries["text"].to_pylist()]
    lengths, asked = _lengths(documents), _lengths(queries)
    return {
        "num_samples": len(documents) + len(queries), "num_queries": len(queries), "num_documents": len(documents),
        "number_of_characters": sum(map(len, documents)) + sum(map(len, queries)),
        "documents_text_statistics": lengths, "queries_text_statistics": asked,
        "relevant_docs_statistics": _judgements(parts), "top_ranked_statistics": _lists(parts, len(queries)),
    }  # fmt: skip


def texts_of(parts: list[Pool]) -> list[str]:
    """The documents as MTEB has them: the title, a space, and the text."""
    return [
        f"{title or ''} {text or ''}".strip()
        for part in parts
        for title, text in zip(part.documents["title"].to_pylist(), part.documents["text"].to_pylist(), strict=True)
    ]


def _judgements(parts: list[Pool]) -> dict[str, Any] | None:
    relevant: Counter[tuple[int, str]] = Counter()
    judged: set[tuple[int, str]] = set()
    for n, part in enumerate(parts):
        columns = (part.qrels[name].to_pylist() for name in ("query_id", "document_id", "score"))
        for query, document, score in zip(*columns, strict=True):
            relevant[(n, query)] += score != 0
            judged.add((n, document))
    counts = list(relevant.values())
    if not counts:
        return None
    asked = {(n, id) for n, part in enumerate(parts) for id in part.queries["id"].to_pylist()}
    there = {(n, id) for n, part in enumerate(parts) for id in part.documents["id"].to_pylist()}
    return {
        "num_relevant_docs": sum(counts), "min_relevant_docs_per_query": min(counts),
        "average_relevant_docs_per_query": sum(counts) / len(counts), "max_relevant_docs_per_query": max(counts),
        "unique_relevant_docs": len(judged), "num_missing_query_ids": len(relevant.keys() - asked),
        "num_missing_corpus_ids": len(judged - there), "queries_with_all_gold_black_or_white": 0,
    }  # fmt: skip


def _lists(parts: list[Pool], queries: int) -> dict[str, Any] | None:
    top = [len(ids) for part in parts if part.top_ranked for ids in part.top_ranked["document_ids"].to_pylist()]
    if not top:
        return None
    return {
        "num_top_ranked": sum(top), "min_top_ranked_per_query": min(top),
        "average_top_ranked_per_query": sum(top) / max(1, queries), "max_top_ranked_per_query": max(top),
    }  # fmt: skip


def _lengths(texts: list[str]) -> dict[str, Any] | None:
    lengths = [len(text) for text in texts]
    return {
        "total_text_length": sum(lengths), "min_text_length": min(lengths),
        "average_text_length": sum(lengths) / len(lengths), "max_text_length": max(lengths),
        "unique_texts": len(set(texts)),
    } if lengths else None  # fmt: skip
