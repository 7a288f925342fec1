"""Exports: the kept corpus as files for trainers, with a manifest and a card; written aside and renamed whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from catalog import reports
from catalog.cards import card
from catalog.errors import ConfigError
from catalog.exports.output import staging
from catalog.files import sha256, write_json
from catalog.masked import Mask, facts, is_cut, masked
from catalog.views import quote_name, rows

if TYPE_CHECKING:
    import duckdb

Kind = Literal["parquet", "jsonl"]

COLUMNS = (
    "id", "text", "title", "url", "source", "path", "language", "language_score", "script", "date", "authors", "celex",
    "fetched", "words", "quality", "wds", "trusted", "repeated_share", "cluster_size", "lcs", "licence", "open_licence",
    "robots_allowed", "pii_count", "secret_count", "meta",
)  # fmt: skip
SUFFIX = {"parquet": "parquet", "jsonl": "jsonl.zst"}
_BATCH = 1_000


def export(
    connection: duckdb.DuckDBPyConnection, root: Path, folder: Path, kind: Kind = "parquet",
    languages: list[str] | None = None, rows_a_shard: int = 50_000,
    mask: Mask | None = None, kinds: Collection[str] = ("pii", "secrets"),
) -> dict[str, Any]:  # fmt: skip
    """Write the kept documents below `folder`, a folder a language, in files of at most `rows_a_shard` rows.

    One pass over the snapshot's shards, in their order; within a shard, by id.

    Args:
        connection: a reading connection, see `catalog.store.reading`.
        root: the corpus folder.
        folder: where to; must not exist, or be empty.
        languages: only these; default all.
        mask: masks spans in a text; none: texts are as the catalog has them.
        kinds: what is masked, see `catalog.masked.masked`.

    Returns:
        The manifest, which is also written as `manifest.json` beside the card `README.md`.

    Raises:
        ConfigError: the folder is not empty, the rows are less than 1, or a language has no kept document.
    """
    wanted = check(connection, languages, rows_a_shard)
    with staging(folder) as staged:
        tally = Tally(kinds)
        outputs: dict[str, _Output] = {}
        try:
            for table in batches(connection, root, COLUMNS, wanted, mask, tally):
                for language in sorted(set(table["language"].to_pylist())):
                    chosen = table.filter(pc.equal(table["language"], language))
                    outputs.setdefault(language, _Output(staged, language, kind, rows_a_shard)).write(chosen)
        finally:
            for output in outputs.values():
                output.close()
        files = [entry for _, output in sorted(outputs.items()) for entry in output.files]
        return finish(connection, staged, {"format": kind, "columns": COLUMNS}, files, tally if mask else None)


class Tally:
    """How many spans were masked, by kind."""

    def __init__(self, kinds: Collection[str]) -> None:
        self.kinds = sorted(set(kinds))
        self.spans: Counter[str] = Counter()
        self.documents = 0
        self.cut = 0

    def mask(self, table: pa.Table, mask: Mask) -> pa.Table:
        """The table with its rows masked; they are counted."""
        changed = []
        for row in table.to_pylist():
            self.cut += is_cut(row, self.kinds)
            hidden, found = masked(row, mask, self.kinds)
            self.spans += found
            self.documents += bool(found)
            changed.append(hidden)
        return pa.Table.from_pylist(changed, schema=table.schema)


def check(connection: duckdb.DuckDBPyConnection, languages: list[str] | None, rows_a_shard: int) -> list[str]:
    """The languages to export; ConfigError when the rows are less than 1 or a language has no kept document."""
    if rows_a_shard < 1:
        raise ConfigError(f"rows of one file = {rows_a_shard}: at least 1")
    there = {row["language"] for row in reports.languages(connection)}
    if unknown := sorted(set(languages or ()) - there):
        raise ConfigError(f"no kept document in {', '.join(unknown)}; there are: {', '.join(sorted(there))}")
    return sorted(set(languages or there))


def finish(
    connection: duckdb.DuckDBPyConnection, staged: Path, head: dict[str, Any], files: list[dict[str, Any]],
    tally: Tally | None,
) -> dict[str, Any]:  # fmt: skip
    """Write manifest and card of these files ({file, language, rows}); returns the manifest."""
    snapshot = reports.rows(
        connection, "SELECT snapshot, digest, preset, code, published::TEXT AS published FROM snapshot"
    )
    whole = [
        {**entry, "bytes": (staged / entry["file"]).stat().st_size, "sha256": sha256(staged / entry["file"])}
        for entry in files
    ]
    hidden = tally and {
        "kinds": tally.kinds, "spans": dict(sorted(tally.spans.items())), "documents": tally.documents, "cut": tally.cut
    }  # fmt: skip
    manifest = {
        **head, "snapshot": snapshot[0], "masked": hidden, "rows": sum(f["rows"] for f in whole), "files": whole,
    }  # fmt: skip
    write_json(staged / "manifest.json", manifest)
    (staged / "README.md").write_text(card(connection, manifest), encoding="utf-8")
    return manifest


def batches(
    connection: duckdb.DuckDBPyConnection, root: Path, columns: Collection[str], languages: list[str],
    mask: Mask | None, tally: Tally,
) -> Iterator[pa.Table]:  # fmt: skip
    """The kept documents in these languages, masked, a thousand at a time: shard by shard, within one by id."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE kept AS
        SELECT id, c.size AS cluster_size, x.trusted, r.* EXCLUDE (id), p.repeated_share
        FROM clusters c JOIN verdicts v USING (id) LEFT JOIN scores x USING (id) LEFT JOIN rights r USING (id)
        LEFT JOIN repeats p USING (id) WHERE keep
    """)
    names = connection.execute(
        "SELECT file FROM snapshot_files JOIN snapshot USING (snapshot) WHERE dataset = 'documents' ORDER BY 1"
    )
    spans = [name for name in ("pii", "secrets") if mask and name not in columns]
    chosen = ", ".join(quote_name(name) for name in (*columns, *spans))
    for (name,) in names.fetchall():
        documents = rows("documents", [root / name])
        signals = rows("signals", [root / name.replace("documents/", "signals/", 1)])
        query = (
            f"SELECT {chosen} FROM ({documents}) d JOIN ({signals}) s USING (id) JOIN kept USING (id) "
            "WHERE list_contains($languages, language) ORDER BY id"
        )
        for batch in connection.sql(query, params={"languages": languages}).to_arrow_reader(_BATCH):
            table = pa.Table.from_batches([batch])
            yield (tally.mask(table, mask) if mask else table).drop_columns(spans)


class _Output:
    """The files of one language; a new one is begun when the last is full."""

    def __init__(self, staged: Path, language: str, kind: Kind, rows_a_shard: int) -> None:
        self.staged, self.language, self.kind, self.limit = staged, language, kind, rows_a_shard
        self.files: list[dict[str, Any]] = []
        self._writer: _Parquet | _Jsonl

    def write(self, table: pa.Table) -> None:
        while table.num_rows:
            if not self.files or self.files[-1]["rows"] >= self.limit:
                self._begin(table.schema)
            part = table.slice(0, self.limit - self.files[-1]["rows"])
            self._writer.write(part)
            self.files[-1]["rows"] += part.num_rows
            table = table.slice(part.num_rows)

    def _begin(self, schema: pa.Schema) -> None:
        self.close()
        kind = _Parquet if self.kind == "parquet" else _Jsonl
        name = f"{self.language}/{len(self.files):05d}.{SUFFIX[self.kind]}"
        (self.staged / name).parent.mkdir(exist_ok=True)
        self._writer = kind(self.staged / name, schema)
        self.files.append({"file": name, "language": self.language, "rows": 0})

    def close(self) -> None:
        if self.files:
            self._writer.close()


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class _Jsonl:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._raw = path.open("wb")
        self._writer = zstandard.ZstdCompressor(level=3).stream_writer(self._raw)

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            row["meta"] = facts(row["meta"])
            line = {key: value for key, value in row.items() if value is not None}
            self._writer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._writer.close()  # type: ignore[no-untyped-call]
        self._raw.close()
