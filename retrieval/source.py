"""The kept documents of a snapshot, with the work that each belongs to and the split of the work."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog import store
from catalog.files import Corpus
from catalog.schema import RIGHTS, SIGNALS
from catalog.views import quote, quote_name, rows
from retrieval.works import SPLITS, Splits, assign

if TYPE_CHECKING:
    import duckdb

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """A reading connection with the temporary table `works` (id, work, family, split) of the kept documents."""

    connection: duckdb.DuckDBPyConnection
    root: Path
    snapshot: dict[str, Any]
    """Row of `snapshots`."""

    def documents(
        self, columns: Collection[str], splits: Collection[str] = SPLITS,
        languages: Collection[str] | None = None, shards: Collection[str] | None = None, batch: int = _BATCH,
    ) -> Iterator[pa.Table]:  # fmt: skip
        """Kept documents, shard by shard and within one by id, in tables of at most `batch` rows.

        Args:
            columns: of documents, signals, rights, clusters, and `work`, `family`, `split`.
            splits: only works of these.
            languages: only these; None: all.
            shards: only these files of documents; None: all.
        """
        chosen = ", ".join(quote_name(name) for name in columns)
        where = "list_contains($splits, split)"
        parameters: dict[str, Any] = {"splits": list(splits)}
        if languages is not None:
            where += " AND list_contains($languages, language)"
            parameters["languages"] = list(languages)
        for name in self.shards() if shards is None else shards:
            query = f"SELECT {chosen} FROM {self._joined(name, {*columns, 'language'})} WHERE {where} ORDER BY id"
            for found in self.connection.sql(query, params=parameters).to_arrow_reader(batch):
                yield pa.Table.from_batches([found])

    def works(
        self, columns: Collection[str], splits: Collection[str] = SPLITS, shards: Collection[str] | None = None,
        first: str | None = None, batch: int = _BATCH,
    ) -> Iterator[pa.Table]:  # fmt: skip
        """Kept documents of whole works, sorted by work, language and id: about `batch` rows a table, no work in two.

        Args:
            columns, splits, shards: as of `documents`.
            first: only works of which this is the first file, see `retrieval.parts`, in whose files they lie.
        """
        wanted = sorted({*columns, "work", "language", "id", "split"})
        chosen = ", ".join(map(quote_name, wanted))
        files = self.shards() if shards is None else shards
        parts = " UNION ALL BY NAME ".join(f"SELECT {chosen} FROM {self._joined(name, wanted)}" for name in files)
        if not parts:
            return
        mine = "" if first is None else f"AND work IN (SELECT work FROM places WHERE first = {quote(first)})"
        query = (
            f"SELECT {', '.join(map(quote_name, columns))}, work AS cut_at FROM ({parts}) "
            f"WHERE list_contains($splits, split) {mine} ORDER BY work, language, id"
        )
        found = self.connection.sql(query, params={"splits": list(splits)})
        left: pa.Table | None = None
        for read in found.to_arrow_reader(batch):
            table = pa.Table.from_batches([read])
            table = table if left is None else pa.concat_tables([left, table])
            cut = pc.index(table["cut_at"], table["cut_at"][-1]).as_py()
            if cut:
                yield table.slice(0, cut).drop_columns("cut_at").combine_chunks()
            left = table.slice(cut)
        if left is not None and left.num_rows:
            yield left.drop_columns("cut_at").combine_chunks()

    def shards(self) -> list[str]:
        """The snapshot's files of documents, in order."""
        found = self.connection.execute(
            "SELECT file FROM snapshot_files WHERE snapshot = ? AND dataset = 'documents' ORDER BY 1",
            [self.snapshot["snapshot"]],
        )
        return [name for (name,) in found.fetchall()]

    def _joined(self, name: str, columns: Collection[str]) -> str:
        """The kept documents of a file with what is known of them; views that no column is of are not read."""
        joins = [f"({rows('documents', [self.root / name])}) d", "JOIN works w USING (id)"]
        known = ["d.*", "w.* EXCLUDE (id)"]
        if set(columns) & set(SIGNALS.names) - {"id"}:
            signals = rows("signals", [self.root / name.replace("documents/", "signals/", 1)])
            joins, known = [*joins, f"JOIN ({signals}) s USING (id)"], [*known, "s.* EXCLUDE (id)"]
        if {"cluster", "cluster_size"} & set(columns):
            joins, known = [*joins, "JOIN clusters c USING (id)"], [*known, "c.cluster", "c.size AS cluster_size"]
        if set(columns) & set(RIGHTS.names) - {"id"}:
            joins, known = [*joins, "LEFT JOIN rights r USING (id)"], [*known, "r.* EXCLUDE (id)"]
        return f"(SELECT {', '.join(known)} FROM {' '.join(joins)})"


@contextmanager
def opened(corpus: Corpus, splits: Splits, snapshot: int | None = None) -> Iterator[Source]:
    """The documents of a snapshot (default: the newest). Raises what `catalog.store.reading` raises."""
    with store.reading(corpus, snapshot) as connection:
        assign(connection, splits)
        row = connection.sql("SELECT * FROM snapshot").to_arrow_table().to_pylist()[0]
        yield Source(connection, corpus.root, row)
