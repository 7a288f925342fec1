"""Evaluations at rest: what a system answered to a benchmark's queries, and how good that is.

<corpus>/evaluations/<id>/      ranking.parquet, per_query.parquet, metrics.json, run-<task>.trec, the report
<corpus>/manifests/evaluations/<id>.json    the same facts and the list of files: the mark of completion
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ConfigError
from catalog.exports import trec
from catalog.files import Corpus, sha256, write_json
from catalog.schema import _col
from catalog.set_schema import RANKING
from catalog.views import _sql_type, parquet, quote, quote_name

RANKINGS = pa.schema([_col("task", pa.string(), "the benchmark's task"), *RANKING])
PER_QUERY = pa.schema(
    [
        _col("task", pa.string(), "the benchmark's task"),
        _col("document_language", pa.string(), "only relevant documents in this language count; null: in any"),
        _col("query_id", pa.string(), "the query"),
        _col("query_language", pa.string(), "its language"),
        _col("work", pa.string(), "the work that it was made from; null: none"),
        _col("metric", pa.string(), "name of the measure"),
        _col("value", pa.float64(), "its value for this query"),
    ]
)
"""A row a query, direction and measure that applies to it."""
TABLE = """
CREATE TABLE evaluations (
    evaluation TEXT, benchmark TEXT, benchmark_id TEXT, system TEXT, task TEXT, query_language TEXT,
    document_language TEXT, metric TEXT, value DOUBLE, low DOUBLE, high DOUBLE, queries INTEGER, made TIMESTAMPTZ);
"""
"""A row a measure of a task: over all queries, or those in one language, and relevant documents in one (null: all)."""
VIEWS = {
    "rankings": "what systems answered: `evaluation`, and the columns of a TREC run by task",
    "per_query": "what every measure says of every query: `evaluation`, `task`, `document_language` (only relevant "
    "documents in this language count; null: in any), `query_id`, `query_language`, `work`, `metric`, `value`",
}
"""What the views hold."""
_OF = ("benchmark", "benchmark_id", "system", "made")
_FILES = {"rankings": ("ranking.parquet", RANKINGS), "per_query": ("per_query.parquet", PER_QUERY)}


def folder(corpus: Corpus, id: str) -> Path:
    return corpus.root / "evaluations" / id


def all_evaluations(corpus: Corpus) -> list[dict[str, Any]]:
    """The manifests of the evaluations that are there whole, the oldest first."""
    found = [manifest for manifest in corpus.read_manifests("evaluations") if _whole(corpus, manifest)]
    return sorted(found, key=lambda manifest: (manifest["made"], manifest["evaluation"]))


def find(corpus: Corpus, id: str) -> dict[str, Any] | None:
    """The manifest of an evaluation; None when it is not there, or not whole."""
    return next((manifest for manifest in all_evaluations(corpus) if manifest["evaluation"] == id), None)


def _whole(corpus: Corpus, manifest: dict[str, Any]) -> bool:
    paths = ((folder(corpus, manifest["evaluation"]) / entry["file"], entry["bytes"]) for entry in manifest["files"])
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def write(
    corpus: Corpus, id: str, facts: dict[str, Any], rankings: dict[str, pa.Table], per_query: pa.Table,
    report: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Write an evaluation's folder, and its manifest last; returns the manifest.

    Args:
        corpus: where it belongs.
        id: its identity.
        facts: benchmark, benchmark_id, system, made, metrics (rows of `TABLE` without these and `evaluation`), and
            whatever else the manifest shall say.
        rankings: of each task, as RANKING.
        per_query: as PER_QUERY.
        report: texts by the name of their file.
    """
    staged = corpus.work / "evaluations" / f"{id}.{os.getpid()}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    with pq.ParquetWriter(staged / "ranking.parquet", RANKINGS, compression="zstd") as writer:
        for task, found in rankings.items():
            ranking = found.select(RANKING.names).cast(RANKING)
            named = ranking.add_column(0, "task", pa.array([task] * ranking.num_rows, pa.string()))
            writer.write_table(named.cast(RANKINGS))
            if problem := _write_run(staged / f"run-{_safe(task)}.trec", ranking, facts["system"]):
                facts = {**facts, "no_run": problem}
    pq.write_table(per_query.select(PER_QUERY.names).cast(PER_QUERY), staged / "per_query.parquet", compression="zstd")
    for name, text in report.items():
        (staged / name).write_text(text, encoding="utf-8")
    write_json(staged / "metrics.json", {"evaluation": id, **facts})
    files = [
        {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)} for path in sorted(staged.iterdir())
    ]
    manifest = {"evaluation": id, **facts, "files": files}
    final = folder(corpus, id)
    final.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    staged.replace(final)
    write_json(corpus.manifest("evaluations", id), manifest)
    return manifest


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _write_run(path: Path, ranking: pa.Table, system: str) -> str | None:
    """Write a TREC run; gives the reason where the format cannot hold the benchmark's ids."""
    try:
        trec.write_run(path, ranking, re.sub(r"\s", "_", system) or "system")
    except ConfigError as error:
        return str(error)
    return None


def rows(corpus: Corpus) -> list[dict[str, Any]]:
    """Rows of the table `evaluations`."""
    return [
        {"evaluation": manifest["evaluation"], **{key: manifest[key] for key in _OF}, **row}
        for manifest in all_evaluations(corpus)
        for row in manifest["metrics"]
    ]


def views(corpus: Corpus) -> dict[str, str]:
    """Queries of VIEWS."""
    ids = [manifest["evaluation"] for manifest in all_evaluations(corpus)]
    return {
        name: union(schema, [({"evaluation": id}, [folder(corpus, id) / file]) for id in ids], ["evaluation"])
        for name, (file, schema) in _FILES.items()
    }


def union(schema: pa.Schema, parts: Iterable[tuple[dict[str, str], list[Path]]], names: list[str]) -> str:
    """A query for the rows of parquet files under columns `names` that say where they are from; empty without files."""
    types = [(name, "VARCHAR") for name in names] + [(field.name, _type(field.type)) for field in schema]
    none = ", ".join(f"NULL::{kind} AS {quote_name(name)}" for name, kind in types)
    found = [
        f"SELECT {', '.join(f'{quote(values[name])} AS {quote_name(name)}' for name in names)}, * FROM {parquet(files)}"
        for values, files in parts if files
    ]  # fmt: skip
    return " UNION ALL BY NAME ".join([f"SELECT {none} WHERE false", *found])


def _type(kind: pa.DataType) -> str:
    return "DOUBLE" if pa.types.is_float64(kind) else _sql_type(kind)
