"""A folder for Hugging Face `datasets`: a config a table, with the splits and the card that `load_dataset` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.exports.output import output
from catalog.exports.pools import pool
from catalog.exports.tables import tables
from catalog.sets import Set


def write(found: Set, folder: Path, split: str = "test") -> dict[str, Any]:
    """Write every table with all its columns as `{table}/{split}.parquet`; returns the manifest.

    Args:
        split: name of a benchmark's only split.
    """
    if found.kind == "benchmark":
        pool(found)
    with output(found, folder, "huggingface", split=split) as made:
        for table, part, rows in tables(found, split):
            made.rows(f"{table}/{part}.parquet", rows.schema, table, part).write(rows)
    return made.manifest
