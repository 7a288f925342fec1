"""Shards: immutable parquet files, written aside, checked, renamed, then named in a manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ShardError
from catalog.files import Corpus, publish, read_json, sha256, write_json
from catalog.schema import DATASETS, VERSION

_ROWS = 2_000
_BYTES = 32 << 20
"""A row group ends at this many rows or bytes of text, so that memory is bounded whatever the documents."""


class Table:
    """One parquet file in the making, rows in, row groups out."""

    def __init__(self, dataset: str, path: Path) -> None:
        self.schema, self.path = DATASETS[dataset], path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd", compression_level=1)

    def add(self, row: Mapping[str, Any], size: int = 0) -> None:
        """Add a row; `size` is roughly its bytes."""
        self._rows.append(row)
        self.rows += 1
        self._bytes += size
        if len(self._rows) >= _ROWS or self._bytes >= _BYTES:
            self._flush()

    def add_batches(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Add Arrow batches, cast to the schema."""
        for batch in batches:
            self.rows += batch.num_rows
            self._writer.write_table(pa.Table.from_batches([batch]).cast(self.schema))

    def _flush(self) -> None:
        if self._rows:
            columns = {name: [row.get(name) for row in self._rows] for name in self.schema.names}
            self._writer.write_table(pa.Table.from_pydict(columns, schema=self.schema))
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


def describe(dataset: str, path: Path) -> dict[str, Any]:
    """Read a finished file's footer back: {dataset, file, rows, bytes, sha256}. ShardError when it is not whole."""
    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ShardError(f"{path}: written but not readable ({error})") from error
    if footer.schema.to_arrow_schema().names != DATASETS[dataset].names:
        raise ShardError(f"{path}: its columns are not those of {dataset}")
    return {
        "dataset": dataset,
        "file": f"{dataset}/{path.name}",
        "rows": footer.num_rows,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }


class ShardWriter:
    """Writes the datasets of one shard; `commit` makes them visible, anything else leaves no trace.

    The manifest is written last, so a shard is either wholly there or not there at all. Of two writers of the same
    shard the first one counts.
    """

    def __init__(self, corpus: Corpus, shard: str, datasets: Iterable[str]) -> None:
        self.corpus, self.shard = corpus, shard
        corpus.staging.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{shard}.", dir=corpus.staging))
        self.tables = {name: Table(name, self.folder / name / f"{shard}.parquet") for name in datasets}

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in self.tables.values():
            table._writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def commit(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Check and rename the files, write the manifest, return it; what another writer has finished stays."""
        done = self.corpus.manifest("shards", self.shard)
        if done.is_file():
            return read_json(done)
        files = []
        for name, table in self.tables.items():
            table.close()
            files.append(describe(name, table.path))
        for entry, table in zip(files, self.tables.values(), strict=True):
            publish(table.path, self.corpus.root / entry["file"])
        whole = {**manifest, "shard": self.shard, "schema": VERSION, "files": files}
        write_json(self.corpus.manifest("shards", self.shard), whole)
        return whole
