"""The views of a snapshot: what SQL sees of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.files import Corpus
from catalog.schema import DATASETS

if TYPE_CHECKING:
    import duckdb

_SQL_TYPES = {
    "string": "VARCHAR", "bool": "BOOLEAN", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint64": "UBIGINT", "float": "FLOAT", "timestamp[s, tz=UTC]": "TIMESTAMPTZ",
}  # fmt: skip

STAGES = ("language", "quality", "fidelity", "dedup")
"""Stages of the verdict after reading and extraction, in order."""

ALARMS = {"order_recall": 0.9, "predicted_lcs": 0.95, "predicted_order": 0.85}
"""Measures and the value below which somebody should look at the document or page; they drop nothing.

A reference that holds only a part of what the page shows lowers `lcs` and `order_precision` of a good text, so
neither gives an alarm.
"""

VIEWS = {
    "snapshot": "the row of `snapshots` that the other views are of",
    "corpus": "kept documents with their signals: documents joined with signals and clusters where the verdict is keep",
    "funnel": "per source and stage: in = kept + dropped + failed",
    "alarms": "documents and single pages with a measure of fidelity under its alarm: "
    + ", ".join(f"{measure} < {limit}" for measure, limit in ALARMS.items()),
    "rejects": "every record and document that is not in the corpus, with stage and reason",
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


def create_views(connection: duckdb.DuckDBPyConnection, corpus: Corpus, snapshots: list[dict[str, Any]]) -> None:
    """Views of every snapshot in a schema of its own (`snapshot_1.documents`), and of the newest in `main`."""
    for snapshot in snapshots:
        schema = f"snapshot_{snapshot['snapshot']}"
        connection.execute(f"CREATE SCHEMA {schema}")
        for dataset in DATASETS:
            files = [corpus.root / f["file"] for f in snapshot["files"] if f["dataset"] == dataset]
            connection.execute(f"CREATE VIEW {schema}.{dataset} AS {_rows(dataset, files)}")
        connection.execute(
            f"CREATE VIEW {schema}.snapshot AS FROM main.snapshots WHERE snapshot = {snapshot['snapshot']}"
        )
        views = {"corpus": _corpus, "funnel": _funnel, "alarms": _alarms, "rejects": _rejects}
        for name, sql in views.items():
            connection.execute(f"CREATE VIEW {schema}.{name} AS {sql(schema)}")
    if snapshots:
        newest = f"snapshot_{max(s['snapshot'] for s in snapshots)}"
        for name in (*DATASETS, *VIEWS):
            connection.execute(f"CREATE VIEW main.{name} AS FROM {newest}.{name}")


def _rows(dataset: str, files: list[Path]) -> str:
    """The rows of these files; what an older florilege did not write is null, or no row at all."""
    columns = DATASETS[dataset]
    try:
        known = set(pq.read_schema(files[0]).names) if files else set()
    except (OSError, pa.ArrowInvalid):
        return f"FROM {parquet(files)}"  # what is wrong with the file is the query's to say
    if known >= set(columns.names):
        return f"FROM {parquet(files)}"
    none = ", ".join(f"NULL::{_sql_type(field.type)} AS {quote_name(field.name)}" for field in columns)
    held = f" UNION ALL BY NAME FROM {parquet(files)}" if files else ""
    return f"SELECT {none} WHERE false{held}"


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{quote_name(field.name)} {_sql_type(field.type)}' for field in kind)})"
    return _SQL_TYPES[str(kind)]


def _corpus(schema: str) -> str:
    return f"""
        SELECT d.*, s.* EXCLUDE (id), c.cluster, c.size AS cluster_size
        FROM {schema}.documents d JOIN {schema}.signals s USING (id) JOIN {schema}.clusters c USING (id)
        JOIN {schema}.verdicts v USING (id) WHERE v.keep
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
    later = " UNION ALL ".join(
        f"SELECT source, {position}, '{stage}', 0, count(*) FILTER (stage = '{stage}'), 0 FROM judged GROUP BY source"
        for position, stage in enumerate(STAGES, start=3)
    )
    return f"""
        WITH judged AS (
            SELECT d.source, d.error, v.stage FROM {schema}.documents d LEFT JOIN {schema}.verdicts v USING (id)
        ),
        losses AS (
            SELECT source, 1 AS position, 'read' AS stage, sum(n) AS records,
                   sum(dropped) AS dropped, sum(failed) AS failed
            FROM (
                SELECT source, count(*) AS n, count(*) FILTER (error IS NULL) AS dropped,
                       count(*) FILTER (error IS NOT NULL) AS failed FROM {schema}.skipped GROUP BY source
                UNION ALL SELECT source, count(*), 0, 0 FROM judged GROUP BY source
            ) GROUP BY source
            UNION ALL
            SELECT source, 2, 'extract', 0, count(*) FILTER (stage = 'extract' AND error IS NULL),
                   count(*) FILTER (error IS NOT NULL) FROM judged GROUP BY source
            UNION ALL {later}
        ),
        running AS (
            SELECT *, sum(records - dropped - failed) OVER (PARTITION BY source ORDER BY position) AS kept FROM losses
        )
        SELECT source, position, stage, (kept + dropped + failed)::BIGINT AS "in", kept::BIGINT AS kept,
               dropped::BIGINT AS dropped, failed::BIGINT AS failed
        FROM running ORDER BY source, position
    """
