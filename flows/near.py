"""Near-duplicates of parquet files, without a corpus: texts in, the cluster of each document and a keep mark out.

Texts are read once, a few batches at a time, and signed by threads; band keys and digests are spooled beside the
output, and clusters are made of them in DuckDB, which spills there too.
"""

from __future__ import annotations

import glob
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from catalog.errors import ConfigError
from catalog.files import Corpus, publish
from catalog.store import computing
from filters import dedup, minhash, minhash_bulk

_BATCH_BYTES = 8 << 20  # of text at once in a thread
_BATCH_ROWS = 10_000
_SPOOL = pa.schema(
    [
        ("id", pa.string()),
        ("bytes", pa.int64()),
        ("high", pa.uint64()),
        ("low", pa.uint64()),
        ("keys", pa.list_(pa.uint64())),
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """Figures of one run."""

    documents: int
    clusters: int
    """Clusters of two or more."""
    duplicates: int
    """Documents that are not kept."""
    exact: int
    """Of these, those whose text, case- and space-folded, an earlier id has too."""


@dataclass(frozen=True, slots=True)
class _Batch:
    path: Path
    row: int
    """Rows of the file before it."""
    ids: pa.Array
    texts: pa.Array


def near(
    files: list[Path], output: Path, *, text: str = "text", id: str = "id", bands: int = 14, rows: int = 8,
    seed: int = 1, verify: float | None = None, keep: Literal["first", "longest"] = "first", workers: int = 2,
    memory_mb: int = 1024,
) -> Found:  # fmt: skip
    """Cluster the documents of parquet files and write one row a document, in the order of ids.

    Args:
        files: parquet files with the columns `id` (strings or whole numbers, no two equal) and `text` (strings; a
            null is a document like no other).
        output: parquet file with the columns `id, cluster, size, diameter, exact` of the table `clusters`, and `keep`.
        bands, rows, seed: of the MinHash.
        verify: least Jaccard similarity of two near-duplicates; None takes an equal band for enough.
        keep: the member of a cluster that is kept: that of the smallest id, or of the longest text.
        workers: threads that sign.
        memory_mb: that DuckDB may use before it spills.

    Raises:
        ConfigError: a file, a column or a value that cannot be used, or a figure out of range.
    """
    _check(files, output, bands, rows, verify)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
        spool = Path(folder) / "spool.parquet"
        _sign(files, spool, text, id, partial(_signed, bands=bands, rows=rows, seed=seed), workers)
        with computing(Corpus(Path(folder)), memory_mb) as connection:
            connection.execute(f"SET threads = {workers}")
            _unique(connection, spool, files, id)
            members = f"""(
                SELECT id, NULL::TEXT AS source, NULL::TEXT AS language, NULL::TEXT AS payload_digest,
                       NULL::TEXT AS url_key, high::UHUGEINT * 18446744073709551616 + low AS text_digest
                FROM {_parquet([spool])}
            )"""
            keys = f"(SELECT id, keys FROM {_parquet([spool])})"
            texts = f"(SELECT {_name(id)}::TEXT AS id, {_name(text)}::TEXT AS text FROM {_parquet(files)})"
            settings = dedup.Settings(bands=bands, rows=rows, verify=verify)
            clusters = dedup.cluster(connection, members, keys, settings, texts)
            return _write(connection, clusters, spool, output, keep)


def summary(found: Found, bands: int, rows: int) -> str:
    """What was found, and the S-curve of the bands, in lines to print."""
    lines = [
        f"{found.documents:,} documents, {found.clusters:,} clusters, {found.duplicates:,} duplicates "
        f"({found.exact:,} of equal text)",
        "",
        f"Pairs that {bands} bands of {rows} find, by Jaccard similarity:",
    ]
    for similarity, share in minhash.curve(bands, rows, 10)[3:]:
        lines.append(f"  {similarity:.1f}  {share:6.1%}  {'█' * round(40 * share)}".rstrip())
    return "\n".join(lines)


def _write(connection: duckdb.DuckDBPyConnection, clusters: str, spool: Path, output: Path, keep: str) -> Found:
    """Write the clusters, with the mark of what is kept."""
    kept, relation = "id = cluster", clusters  # a cluster's name is its smallest id
    if keep == "longest":
        kept = "id = first_value(id) OVER (PARTITION BY cluster ORDER BY bytes DESC, id)"
        relation = f"{clusters} JOIN (SELECT id, bytes FROM {_parquet([spool])}) USING (id)"
    staged = spool.with_name("clusters.parquet")
    connection.execute(f"""
        COPY (SELECT id, cluster, size, diameter, exact, {kept} AS keep FROM {relation} ORDER BY id)
        TO '{_quoted(staged)}' (FORMAT parquet, COMPRESSION zstd)
    """)
    row = connection.execute(f"""
        SELECT count(*), count(*) FILTER (WHERE size > 1 AND id = cluster), count(*) FILTER (WHERE NOT keep),
               count(*) FILTER (WHERE id <> exact) FROM {_parquet([staged])}
    """).fetchone()
    publish(staged, output)
    return Found(*(row or (0, 0, 0, 0)))


def _check(files: list[Path], output: Path, bands: int, rows: int, verify: float | None) -> None:
    if bands < 1 or rows < 1:
        raise ConfigError(f"bands = {bands}, rows = {rows}: at least 1 each; 14 and 8 are datatrove's")
    if verify is not None and not 0 < verify <= 1:
        raise ConfigError(f"verify = {verify}: a Jaccard similarity over 0, at most 1")
    if not files:
        raise ConfigError("no files to read: name one or more parquet files")
    if not output.parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {output.parent}; make it first")
    if output.is_dir():
        raise ConfigError(f"{output} is a folder: name a file")
    if any(output.exists() and path.exists() and output.samefile(path) for path in files):
        raise ConfigError(f"{output} is one of the files to read: name another output")


def _sign(files: list[Path], spool: Path, text: str, id: str, sign: Callable[[_Batch], pa.Table], workers: int) -> None:
    """Write what is compared of every document."""
    total = 0
    for path in files:
        with _open(path, text, id) as file:
            total += file.metadata.num_rows
    pending: deque[Future[pa.Table]] = deque()
    with (
        _progress() as bar,
        ThreadPoolExecutor(workers) as pool,
        pq.ParquetWriter(spool, _SPOOL, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):
        task = bar.add_task("signatures", total=total)

        def write() -> None:
            table = pending.popleft().result()
            writer.write_table(table)
            bar.advance(task, len(table))

        try:
            for path in files:
                with _open(path, text, id) as file:  # closed at once: it holds a row group's bytes
                    for batch in _batches(path, file, text, id):
                        pending.append(pool.submit(sign, batch))
                        if len(pending) > 2 * workers:
                            write()
            while pending:
                write()
        finally:
            for future in pending:
                future.cancel()


def _open(path: Path, text: str, id: str) -> pq.ParquetFile:
    """The file, its columns checked."""
    try:
        file = pq.ParquetFile(path, buffer_size=1 << 20)  # not a whole row group at once
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{path}: not a parquet file that can be read ({error})") from error
    for column, numbers, option in ((id, True, "--id"), (text, False, "--text")):
        names = file.schema_arrow.names
        if names.count(column) != 1:
            raise ConfigError(f"{path}: no column {column!r}, but {', '.join(names[:20])}; name it with {option}")
        kind = file.schema_arrow.field(column).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        strings = pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain)
        if not (strings or (numbers and pa.types.is_integer(plain)) or (not numbers and pa.types.is_null(plain))):
            wanted = "strings or whole numbers" if numbers else "strings"
            raise ConfigError(f"{path}: column {column!r} is {kind}, not {wanted}; name another with {option}")
    return file


def _batches(path: Path, file: pq.ParquetFile, text: str, id: str) -> Iterator[_Batch]:
    size = max(1, sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)))
    rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES * file.metadata.num_rows // size))
    row = 0
    try:
        for batch in file.iter_batches(batch_size=rows, columns=[id, text], use_threads=False):
            ids = batch[id] if pa.types.is_string(batch[id].type) else batch[id].cast(pa.string())
            if ids.null_count:
                place = row + ids.is_null().index(True).as_py()
                raise ConfigError(f"{path}: row {place} (from 0) has no {id}; give every document one")
            yield _Batch(path, row, ids, batch[text])
            row += len(batch)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{path}: damaged after row {row} ({error}); write it anew or leave it out") from error


def _signed(batch: _Batch, *, bands: int, rows: int, seed: int) -> pa.Table:
    """Rows of the spool."""
    try:
        batch.ids.validate(full=True)
        found = minhash_bulk.signed(batch.texts, bands * rows, seed)
    except pa.ArrowInvalid as error:
        end = batch.row + len(batch.ids)
        raise ConfigError(
            f"{batch.path}: rows {batch.row} to {end} (from 0) are not UTF-8 throughout ({error}); write it anew with "
            "the bytes decoded"
        ) from error
    keys = minhash.band_keys(found.minima, bands)
    worded = found.shingles > 0
    ends = np.concatenate([[0], np.cumsum(worded * bands)]).astype(np.int32)
    missing = np.asarray(batch.texts.is_null()) if batch.texts.null_count else None
    high, low = (pa.array(half, mask=missing) for half in found.digests.T)
    held = pa.ListArray.from_arrays(pa.array(ends), pa.array(keys[worded].ravel()))
    columns = [batch.ids, pa.array(found.sizes), high, low, held]
    return pa.table(columns, schema=_SPOOL)


def _unique(connection: duckdb.DuckDBPyConnection, spool: Path, files: list[Path], id: str) -> None:
    twice = connection.execute(
        f"SELECT id FROM {_parquet([spool])} GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1"
    ).fetchone()
    if twice:
        places = connection.execute(
            f"SELECT DISTINCT filename FROM {_parquet(files, 'filename = true')} WHERE {_name(id)}::TEXT = ? LIMIT 2",
            twice,
        ).fetchall()
        raise ConfigError(
            f"two documents have the {id} {twice[0]!r} (in {' and '.join(name for (name,) in places)}); "
            "give every document its own, or name another column with --id"
        )


def _parquet(files: list[Path], options: str = "") -> str:
    names = ", ".join(f"'{_quoted(glob.escape(str(path)))}'" for path in files)
    return f"read_parquet([{names}]{', ' + options if options else ''})"


def _quoted(value: Any) -> str:
    return str(value).replace("'", "''")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
