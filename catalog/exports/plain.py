"""Plain parquet: a file a table and split, with all columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.exports.output import output
from catalog.exports.tables import tables
from catalog.sets import Set


def write(found: Set, folder: Path) -> dict[str, Any]:
    """Write `{table}.{split}.parquet`, of a benchmark `{table}.parquet`; returns the manifest."""
    with output(found, folder, "plain") as made:
        for table, split, rows in tables(found):
            name = f"{table}.parquet" if found.kind == "benchmark" else f"{table}.{split}.parquet"
            made.rows(name, rows.schema).write(rows)
    return made.manifest
