"""The views of a snapshot: what SQL sees of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog import passages
from catalog.files import Corpus
from catalog.schema import DATASETS

if TYPE_CHECKING:
    import duckdb

_SQL_TYPES = {
    "string": "VARCHAR", "bool": "BOOLEAN", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint64": "UBIGINT", "float": "FLOAT", "timestamp[s, tz=UTC]": "TIMESTAMPTZ",
}  # fmt: skip

STAGES = ("rights", "language", "quality", "fidelity", "safety", "dedup")
"""Stages of the verdict after reading and extraction, in order."""

ALARMS = {"order_recall": 0.9, "predicted_lcs": 0.95, "predicted_order": 0.85}
"""Measures and the value below which somebody should look at the document or page; they drop nothing.

A reference that holds only a part of what the page shows lowers `lcs` and `order_precision` of a good text, so
neither gives an alarm.
"""

VIEWS = {
    "snapshot": "the row of `snapshots` that the other views are of",
    "corpus": "kept documents with all that is known: documents joined with signals, clusters, rights, scores and the "
    "share of repeats where the verdict is keep",
    "funnel": "a row a source and stage, in order: `source`, `position`, `stage`, and counts of records: `in` = `kept` "
    "+ `dropped` + `failed`",
    "alarms": "documents and single pages with a measure of fidelity under its alarm: "
    + ", ".join(f"{measure} < {limit}" for measure, limit in ALARMS.items())
    + ". `id`, `source`, `path`, `page` (null: the whole document), `measure`, `value`, `alarm` (the limit)",
    "rejects": "every record and document that is not in the corpus: `id`, `source`, `path`, `offset`, `url`, `stage` "
    "and `reason` of the rejection (stage `read`: no document), `error` where something failed, `duplicate_of` (the "
    "kept document that it repeats)",
    "versions": "kept documents of one cluster side by side: dated versions of one act, where the recipe links them. "
    "`cluster`, `celex`, `date`, `id`, `source`, `path`",
    **passages.VIEWS,
}


def parquet(files: list[Path]) -> str:
    """`read_parquet([...])` over an explicit list of files."""
    return f"read_parquet([{', '.join(quote(str(path)) for path in files)}])"


def quote(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def create_views(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, snapshots: list[dict[str, Any]],
    older: frozenset[str] = frozenset(),
) -> None:  # fmt: skip
    """Views of every snapshot in a schema of its own (`snapshot_1.documents`), and of the newest in `main`.

    `older` names the files (as manifests do) that an older florilege wrote, beside those whose first file shows it.
    """
    made: dict[tuple[str, ...], str] = {}  # snapshots by other thresholds have the files of their shards in common
    for snapshot in snapshots:
        schema = f"snapshot_{snapshot['snapshot']}"
        connection.execute(f"CREATE SCHEMA {schema}")
        for dataset in DATASETS:
            names = tuple(f["file"] for f in snapshot["files"] if f["dataset"] == dataset)
            same = made.setdefault((dataset, *names), f"{schema}.{dataset}")
            query = f"FROM {same}"
            if same == f"{schema}.{dataset}":
                old, new = ([corpus.root / n for n in names if (n in older) == so] for so in (True, False))
                query = rows(dataset, new, old)
            connection.execute(f"CREATE VIEW {schema}.{dataset} AS {query}")
        connection.execute(
            f"CREATE VIEW {schema}.snapshot AS FROM main.snapshots WHERE snapshot = {snapshot['snapshot']}"
        )
        views = {
            "corpus": _corpus, "funnel": _funnel, "alarms": _alarms, "rejects": _rejects, "versions": _versions,
            "passages": passages.passages, "parallel": passages.parallel,
        }  # fmt: skip
        for name, sql in views.items():
            connection.execute(f"CREATE VIEW {schema}.{name} AS {sql(schema)}")
    if snapshots:
        newest = f"snapshot_{max(s['snapshot'] for s in snapshots)}"
        for name in (*DATASETS, *VIEWS):
            connection.execute(f"CREATE VIEW main.{name} AS FROM {newest}.{name}")


def rows(dataset: str, files: list[Path], older: list[Path] | None = None) -> str:
    """A query for the rows of these files; what an older florilege did not write is null, or no row at all."""
    columns = DATASETS[dataset]
    parts = [f"FROM {parquet(part)}" for part in (files, older) if part]
    try:
        known = set(pq.read_schema(files[0]).names) if files and not older else set()
    except (OSError, pa.ArrowInvalid):
        return parts[0]  # what is wrong with the file is the query's to say
    if known >= set(columns.names):
        return parts[0]
    none = ", ".join(f"NULL::{_sql_type(field.type)} AS {quote_name(field.name)}" for field in columns)
    return " UNION ALL BY NAME ".join([f"SELECT {none} WHERE false", *parts])


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{quote_name(field.name)} {_sql_type(field.type)}' for field in kind)})"
    return _SQL_TYPES[str(kind)]


def _corpus(schema: str) -> str:
    return f"""
        SELECT d.*, s.* EXCLUDE (id), r.* EXCLUDE (id), x.* EXCLUDE (id), p.repeated_share,
               c.cluster, c.size AS cluster_size
        FROM {schema}.documents d JOIN {schema}.signals s USING (id) JOIN {schema}.clusters c USING (id)
        JOIN {schema}.verdicts v USING (id) LEFT JOIN {schema}.rights r USING (id)
        LEFT JOIN {schema}.scores x USING (id) LEFT JOIN {schema}.repeats p USING (id)
        WHERE v.keep
    """


def _versions(schema: str) -> str:
    return f"""
        SELECT c.cluster, d.celex, d.date, id, d.source, d.path
        FROM {schema}.clusters c JOIN {schema}.verdicts v USING (id) JOIN {schema}.documents d USING (id)
        WHERE v.keep AND c.size > 1
        QUALIFY count(*) OVER (PARTITION BY c.cluster) > 1 ORDER BY c.cluster, d.celex, d.date, id
    """


def _rejects(schema: str) -> str:
    return f"""
        SELECT id, source, path, "offset", url, 'read' AS stage, reason, error, NULL AS duplicate_of
        FROM {schema}.skipped
        UNION ALL
        SELECT id, d.source, d.path, d."offset", d.url, v.stage, v.reason, d.error, v.duplicate_of
        FROM {schema}.documents d JOIN {schema}.verdicts v USING (id) WHERE NOT v.keep
    """


def _alarms(schema: str) -> str:
    def below(table: str, page: str) -> str:
        return " UNION ALL ".join(
            f"SELECT d.id, d.source, d.path, {page} AS page, '{measure}' AS measure, m.{measure} AS value, "
            f"{limit}::FLOAT AS alarm FROM {schema}.{table} m JOIN {schema}.documents d USING (id) "
            f"WHERE m.{measure} < {limit}::FLOAT"
            for measure, limit in ALARMS.items()
        )

    return f"{below('signals', 'NULL::INTEGER')} UNION ALL {below('pages', 'm.page')}"


def _funnel(schema: str) -> str:
    """Every stage takes in what the one before it kept, so the figures of a source add up to its records."""
    stages = ", ".join(f"({position}, {quote(stage)})" for position, stage in enumerate(("extract", *STAGES), start=2))
    return f"""
        WITH lost AS MATERIALIZED (
            SELECT d.source, v.stage, d.error IS NOT NULL AS failed, count(*) AS n
            FROM {schema}.documents d LEFT JOIN {schema}.verdicts v USING (id) GROUP BY ALL
        ),
        losses AS (
            SELECT source, 1 AS position, 'read' AS stage, sum(n) AS records,
                   sum(dropped) AS dropped, sum(failed) AS failed
            FROM (
                SELECT source, count(*) AS n, count(*) FILTER (error IS NULL) AS dropped,
                       count(*) FILTER (error IS NOT NULL) AS failed FROM {schema}.skipped GROUP BY source
                UNION ALL SELECT source, sum(n), 0, 0 FROM lost GROUP BY source
            ) GROUP BY source
            UNION ALL
            SELECT source, position, t.stage, 0,
                   coalesce(sum(n) FILTER (lost.stage = t.stage AND NOT failed), 0),
                   coalesce(sum(n) FILTER (t.stage = 'extract' AND failed), 0)
            FROM lost CROSS JOIN (VALUES {stages}) t(position, stage) GROUP BY source, position, t.stage
        ),
        running AS (
            SELECT *, sum(records - dropped - failed) OVER (PARTITION BY source ORDER BY position) AS kept FROM losses
        )
        SELECT source, position, stage, (kept + dropped + failed)::BIGINT AS "in", kept::BIGINT AS kept,
               dropped::BIGINT AS dropped, failed::BIGINT AS failed
        FROM running ORDER BY source, position
    """
