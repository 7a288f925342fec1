"""Exports: the kept corpus as files for trainers, with a manifest and a card; written aside and renamed whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from catalog import reports
from catalog.errors import ConfigError
from catalog.files import sha256, write_json
from catalog.views import parquet

if TYPE_CHECKING:
    import duckdb

Kind = Literal["parquet", "jsonl"]

COLUMNS = (
    "id", "text", "title", "url", "source", "path", "language", "language_score", "script", "date", "authors", "celex",
    "fetched", "words", "quality", "cluster_size", "lcs", "meta",
)  # fmt: skip
SUFFIX = {"parquet": "parquet", "jsonl": "jsonl.zst"}
_BATCH = 1_000


def export(
    connection: duckdb.DuckDBPyConnection, root: Path, folder: Path, kind: Kind = "parquet",
    languages: list[str] | None = None, rows_a_shard: int = 50_000,
) -> dict[str, Any]:  # fmt: skip
    """Write the kept documents below `folder`, a folder a language, in files of at most `rows_a_shard` rows.

    One pass over the snapshot's shards, in their order; within a shard, by id.

    Args:
        connection: a reading connection, see `catalog.store.reading`.
        root: the corpus folder.
        folder: where to; must not exist, or be empty.
        languages: only these; default all.

    Returns:
        The manifest, which is also written as `manifest.json` beside the card `README.md`.

    Raises:
        ConfigError: the folder is not empty, the rows are less than 1, or a language has no kept document.
    """
    if rows_a_shard < 1:
        raise ConfigError(f"rows of one file = {rows_a_shard}: at least 1")
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty: give a folder that does not exist yet")
    there = {row["language"] for row in reports.languages(connection)}
    if unknown := sorted(set(languages or ()) - there):
        raise ConfigError(f"no kept document in {', '.join(unknown)}; there are: {', '.join(sorted(there))}")
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        files = _write(connection, root, staged, kind, set(languages or there), rows_a_shard)
        snapshot = reports.rows(
            connection, "SELECT snapshot, digest, preset, code, published::TEXT AS published FROM snapshot"
        )
        manifest = {
            "format": kind, "columns": COLUMNS, "snapshot": snapshot[0],
            "rows": sum(f["rows"] for f in files), "files": files,
        }  # fmt: skip
        write_json(staged / "manifest.json", manifest)
        (staged / "README.md").write_text(card(connection, manifest), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        staged.replace(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return manifest


def _write(
    connection: duckdb.DuckDBPyConnection, root: Path, staged: Path, kind: Kind, languages: set[str], rows_a_shard: int
) -> list[dict[str, Any]]:
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE kept AS
        SELECT id, size AS cluster_size FROM clusters JOIN verdicts USING (id) WHERE keep
    """)
    outputs: dict[str, _Output] = {}
    try:
        for batch in _batches(connection, root):
            for language in sorted(languages.intersection(batch["language"].to_pylist())):
                chosen = batch.filter(pc.equal(batch["language"], language))
                outputs.setdefault(language, _Output(staged, language, kind, rows_a_shard)).write(chosen)
    finally:
        for output in outputs.values():
            output.close()
    return [
        {**entry, "bytes": (staged / entry["file"]).stat().st_size, "sha256": sha256(staged / entry["file"])}
        for _, output in sorted(outputs.items())
        for entry in output.files
    ]


def _batches(connection: duckdb.DuckDBPyConnection, root: Path) -> Iterator[pa.Table]:
    names = connection.execute(
        "SELECT file FROM snapshot_files JOIN snapshot USING (snapshot) WHERE dataset = 'documents' ORDER BY 1"
    )
    for (name,) in names.fetchall():
        documents, signals = parquet([root / name]), parquet([root / name.replace("documents/", "signals/", 1)])
        joined = f"{documents} d JOIN {signals} s USING (id) JOIN kept USING (id)"
        query = f"SELECT {', '.join(COLUMNS)} FROM {joined} ORDER BY id"
        for batch in connection.sql(query).to_arrow_reader(_BATCH):
            yield pa.Table.from_batches([batch])


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
            row["meta"] = orjson.loads(row["meta"]) if row["meta"] else None
            line = {key: value for key, value in row.items() if value is not None}
            self._writer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._writer.close()  # type: ignore[no-untyped-call]
        self._raw.close()


def card(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> str:
    """A dataset card: what is in the export, where it comes from, how it was chosen."""
    snapshot = manifest["snapshot"]
    languages = sorted({f["language"] for f in manifest["files"]})
    # YAML takes a bare `no` for false.
    listed = "\n".join(f'  - "{language}"' for language in languages)
    suffix = SUFFIX[manifest["format"]]
    configs = "\n".join(f'  - config_name: "{name}"\n    data_files: "{name}/*.{suffix}"' for name in languages)
    thresholds = reports.rows(
        connection,
        "SELECT stage, signal, op, value FROM thresholds WHERE snapshot = ? ORDER BY position", [snapshot["snapshot"]],
    )  # fmt: skip
    parts = [
        f"---\nlanguage:\n{listed}\nconfigs:\n{configs}\n---",
        f"# Corpus, snapshot {snapshot['snapshot']}",
        f"{manifest['rows']:,} documents in {len(languages)} languages, exported by florilege {snapshot['code']}.\n"
        f"Corpus digest: `{snapshot['digest']}`. The texts remain under the rights of their authors: "
        "`source`, `path` and `url` say where each comes from.",
        "## Languages", reports.table([r for r in reports.languages(connection) if r["language"] in languages]),
        "## How documents were chosen", reports.table(reports.funnel(connection)),
        f"Thresholds (preset `{snapshot['preset']}`):", reports.table(thresholds),
    ]  # fmt: skip
    if found := reports.fidelity(connection):
        parts += ["## Fidelity of the text", reports.table(found)]
    return "\n\n".join(parts) + "\n"
