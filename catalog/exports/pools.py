"""The tables of a benchmark, whole or those of one task, checked: no id twice, none that is not there."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.exports.output import named
from catalog.sets import Set


class Pool(NamedTuple):
    """Queries, the documents that they search, and what is relevant; tables as in `catalog.set_schema`."""

    name: str
    documents: pa.Table
    queries: pa.Table
    qrels: pa.Table
    top_ranked: pa.Table | None


def pool(found: Set, task: str | None = None) -> Pool:
    """The benchmark's tables, or what one of its tasks takes of them.

    Raises:
        ConfigError: no benchmark, no such task, ids twice, or qrels and top_ranked with unknown ids.
    """
    if found.kind != "benchmark":
        raise ConfigError(f"{found.name} is a training set: only a benchmark has queries and a pool of documents")
    top = found.table("top_ranked") if found.files("top_ranked") else None
    whole = Pool(found.name, found.table("documents"), found.table("queries"), found.table("qrels"), top)
    check(whole)
    return whole if task is None else _part(whole, _task(found, task))


def tasks(found: Set) -> list[str]:
    """Names of the benchmark's tasks."""
    return [task["name"] for task in found.manifest.get("tasks") or ()]


def check(whole: Pool) -> None:
    """ConfigError, which names the first, when an id stands twice or is unknown."""
    documents = _once(whole.documents["id"], f"{whole.name}, documents")
    queries = _once(whole.queries["id"], f"{whole.name}, queries")
    orphans(whole.qrels["query_id"], queries, f"{whole.name}, qrels: unknown queries")
    orphans(whole.qrels["document_id"], documents, f"{whole.name}, qrels: unknown documents")
    if whole.top_ranked is not None:
        orphans(whole.top_ranked["query_id"], queries, f"{whole.name}, top_ranked: unknown queries")
        flat = pc.list_flatten(whole.top_ranked["document_ids"])
        orphans(flat, documents, f"{whole.name}, top_ranked: unknown documents")


def orphans(ids: pa.ChunkedArray, known: pa.Array, what: str) -> None:
    """ConfigError, which names the first, when ids are not among the known ones."""
    unknown = pc.unique(pc.filter(ids, pc.invert(pc.is_in(ids, known)))).to_pylist()
    if unknown:
        raise ConfigError(f"{what}: {named(map(str, unknown))}; make the set again")


def _once(ids: pa.ChunkedArray, what: str) -> pa.Array:
    counted = pc.value_counts(ids)
    twice = counted.filter(pc.greater(counted.field("counts"), 1)).field("values").to_pylist()
    if twice:
        raise ConfigError(f"{what}: ids that stand more than once: {named(map(str, twice))}; make the set again")
    return counted.field("values")


def _task(found: Set, name: str) -> dict[str, Any]:
    for task in found.manifest.get("tasks") or ():
        if task["name"] == name:
            return dict(task)
    raise ConfigError(f"task = {name}: {found.name} has {', '.join(tasks(found)) or 'none'}")


def _part(whole: Pool, task: dict[str, Any]) -> Pool:
    """What a task takes: its queries that have a relevant document in its pool, the pool, and their judgements."""
    documents = _among(whole.documents, "language", task.get("document_languages"))
    queries = _among(whole.queries, "language", task.get("query_languages"))
    queries = _among(queries, "kind", task.get("query_kinds"))
    qrels = _among(_among(whole.qrels, "document_id", documents["id"]), "query_id", queries["id"])
    queries = _among(queries, "id", qrels.filter(pc.greater(qrels["score"], 0))["query_id"])
    qrels = _among(qrels, "query_id", queries["id"])
    top = whole.top_ranked
    if top is not None:
        top = _among(top, "query_id", queries["id"])
        there = set(documents["id"].to_pylist())
        lists = [[id for id in ids if id in there] for ids in top["document_ids"].to_pylist()]
        top = top.set_column(1, top.schema.field(1), pa.array(lists, top.schema.field(1).type))
    return Pool(task["name"], documents, queries, qrels, top)


def _among(table: pa.Table, column: str, values: Any) -> pa.Table:
    if values is None:
        return table
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values, pa.string())
    return table.filter(pc.is_in(table[column], values))
