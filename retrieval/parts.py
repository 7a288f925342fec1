"""The parts that a training set is made in: what of the documents goes together, and what decides whether it changed.

A part is what one file of documents holds, so that a corpus that grew gets new parts and keeps the others. Where whole
works are wanted, a part has the works whose first file it is: nearly all works lie in one file, and of the few that do
not, the other files are read too.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from catalog.views import parquet, quote
from retrieval.source import Source

TRAINED = ("train", "validation")


class Part(NamedTuple):
    """Documents that are made into rows together."""

    first: str
    """The file that it is named after."""
    files: list[str]
    """The files that hold its documents."""
    content: str
    """Digest of its documents' ids, works, splits and files: an id may stay when its text is extracted anew."""


def parts(source: Source, unit: Literal["document", "work"]) -> list[Part]:
    """All parts, in the order of files; makes the temporary table `places` (id, work, split, file, first)."""
    ids = " UNION ALL ".join(
        f"SELECT id, {quote(name)} AS file FROM {parquet([source.root / name])}" for name in source.shards()
    )
    if not ids:
        return []
    first = "file" if unit == "document" else "min(file) OVER (PARTITION BY work)"
    source.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE places AS SELECT id, work, split, file, {first} AS first "
        f"FROM works JOIN ({ids}) USING (id) WHERE split IN {TRAINED}"
    ).fetchall()
    found = source.connection.execute(
        "SELECT first, list(DISTINCT file ORDER BY file), md5(string_agg(concat_ws(' ', id, work, split, file), '\n' "
        "ORDER BY id)) FROM places GROUP BY first ORDER BY first"
    ).fetchall()
    return [Part(*row) for row in found]
