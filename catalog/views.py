"""The views of a snapshot: what SQL sees of a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.files import Corpus
from catalog.schema import DATASETS

if TYPE_CHECKING:
    import duckdb

STAGES = ("language", "quality", "fidelity", "dedup")
"""Stages of the verdict after reading and extraction, in order."""

VIEWS = {
    "snapshot": "the row of `snapshots` that the other views are of",
    "corpus": "kept documents with their signals: documents joined with signals and clusters where the verdict is keep",
    "funnel": "per source and stage: in = kept + dropped + failed",
    "rejects": "every record and document that is not in the corpus, with stage and reason",
}


def parquet(files: list[Path]) -> str:
    """`read_parquet([...])` over an explicit list of files."""
    return f"read_parquet([{', '.join(quote(str(path)) for path in files)}])"


def quote(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


def create_views(connection: duckdb.DuckDBPyConnection, corpus: Corpus, snapshots: list[dict[str, Any]]) -> None:
    """Views of every snapshot in a schema of its own (`snapshot_1.documents`), and of the newest in `main`."""
    for snapshot in snapshots:
        schema = f"snapshot_{snapshot['snapshot']}"
        connection.execute(f"CREATE SCHEMA {schema}")
        for dataset in DATASETS:
            files = [corpus.root / f["file"] for f in snapshot["files"] if f["dataset"] == dataset]
            connection.execute(f"CREATE VIEW {schema}.{dataset} AS FROM {parquet(files)}")
        connection.execute(
            f"CREATE VIEW {schema}.snapshot AS FROM main.snapshots WHERE snapshot = {snapshot['snapshot']}"
        )
        for name, sql in (("corpus", _corpus(schema)), ("funnel", _funnel(schema)), ("rejects", _rejects(schema))):
            connection.execute(f"CREATE VIEW {schema}.{name} AS {sql}")
    if snapshots:
        newest = f"snapshot_{max(s['snapshot'] for s in snapshots)}"
        for name in (*DATASETS, *VIEWS):
            connection.execute(f"CREATE VIEW main.{name} AS FROM {newest}.{name}")


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
