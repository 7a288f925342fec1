"""Near-duplicates of parquet files, without a corpus: texts in, the cluster of each document and a keep mark out.

Texts are read once, a few batches at a time, and signed by threads; band keys and digests are spooled beside the
output, and clusters are made of them in DuckDB, which spills there too.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

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
from flows import near_files


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
    bands: int
    rows: int
    """Of the MinHash, as given or chosen."""


def near(
    files: list[Path], output: Path, *, text: str = "text", id: str = "id", bands: int = 14, rows: int = 8,
    seed: int = 1, similarity: float | None = None, recall: float = 0.95, verify: float | None = None,
    keep: Literal["first", "longest"] = "first", workers: int = 2, memory_mb: int = 1024,
) -> Found:  # fmt: skip
    """Cluster the documents of parquet files and write one row a document, in the order of ids.

    Args:
        files: parquet files with the columns `id` (strings or whole numbers, no two equal) and `text` (strings; a
            null is a document like no other).
        output: parquet file with the columns `id, cluster, size, diameter, exact` of the table `clusters`, and `keep`;
            not there yet. Ids have the type of the column `id`, or are strings where the files differ in it.
        bands, rows, seed: of the MinHash.
        similarity, recall: choose bands and rows so that this share of the pairs of this Jaccard similarity is found.
        verify: least Jaccard similarity of two near-duplicates; None takes an equal band for enough.
        keep: the member of a cluster that is kept: that of the smallest id, or of the longest text.
        workers: threads that sign.
        memory_mb: that DuckDB may use before it spills.

    Raises:
        ConfigError: a file, a column or a value that cannot be used, or a figure out of range.
    """
    if similarity is not None:
        bands, rows = _chosen(similarity, recall, bands, rows)
    _check(files, output, bands, rows, verify)
    groups = near_files.groups(files, text, id)
    kind = near_files.kind(groups)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
        spool = Path(folder) / "spool.parquet"
        sign = partial(_signed, bands=bands, rows=rows, seed=seed)
        _sign(files, spool, (text, id, kind), sign, workers)
        with computing(Corpus(Path(folder)), memory_mb) as connection:
            connection.execute(f"SET threads = {workers}")
            texts = near_files.documents(groups, text, id, kind)
            _unique(connection, spool, texts, id)
            members = f"""(
                SELECT id, NULL::TEXT AS source, NULL::TEXT AS language, NULL::TEXT AS payload_digest,
                       NULL::TEXT AS url_key, high::UHUGEINT * 18446744073709551616 + low AS text_digest
                FROM {near_files.parquet([spool])}
            )"""
            keys = f"(SELECT id, keys FROM {near_files.parquet([spool])})"
            settings = dedup.Settings(bands=bands, rows=rows, verify=verify)
            clusters = dedup.cluster(connection, members, keys, settings, texts)
            documents, found, duplicates, exact = _write(connection, clusters, spool, output, keep)
            return Found(documents, found, duplicates, exact, bands, rows)


def summary(found: Found, verify: float | None = None) -> str:
    """What was found, and the S-curve of the bands from the similarity `verify` on, in lines to print."""
    lines = [
        f"{found.documents:,} documents, {found.clusters:,} clusters, {found.duplicates:,} duplicates "
        f"({found.exact:,} of equal text)",
        "",
        f"Pairs that {found.bands} bands of {found.rows} find, by Jaccard similarity:",
    ]
    similarities = [k / 10 for k in range(3, 11)]
    if verify is not None:
        lines[-1:] = [
            f"Of the pairs found, those of a true Jaccard similarity under {verify:g} were dropped.", lines[-1],
        ]  # fmt: skip
        similarities = [verify, *(similarity for similarity in similarities if similarity > verify)]
    for similarity in similarities:
        share = minhash.collision(similarity, found.bands, found.rows)
        lines.append(f"  {similarity:<4g} {share:6.1%}  {'█' * round(40 * share)}".rstrip())
    return "\n".join(lines)


def _write(
    connection: duckdb.DuckDBPyConnection, clusters: str, spool: Path, output: Path, keep: str
) -> tuple[int, int, int, int]:
    """Write the clusters, with the mark of what is kept; the first four figures of `Found`."""
    kept, relation = "id = cluster", clusters  # a cluster's name is its smallest id
    if keep == "longest":
        kept = "id = first_value(id) OVER (PARTITION BY cluster ORDER BY bytes DESC, id)"
        relation = f"{clusters} JOIN (SELECT id, bytes FROM {near_files.parquet([spool])}) USING (id)"
    staged = spool.with_name("clusters.parquet")
    connection.execute(f"""
        COPY (SELECT id, cluster, size, diameter, exact, {kept} AS keep FROM {relation} ORDER BY id)
        TO '{near_files.quoted(staged)}' (FORMAT parquet, COMPRESSION zstd)
    """)
    row = connection.execute(f"""
        SELECT count(*), count(*) FILTER (WHERE size > 1 AND id = cluster), count(*) FILTER (WHERE NOT keep),
               count(*) FILTER (WHERE id <> exact) FROM {near_files.parquet([staged])}
    """).fetchone()
    publish(staged, output)
    return row or (0, 0, 0, 0)


def _chosen(similarity: float, recall: float, bands: int, rows: int) -> tuple[int, int]:
    if (bands, rows) != minhash.PRESETS["datatrove"]:
        raise ConfigError(f"similarity = {similarity} chooses bands and rows: give it, or bands and rows, not both")
    try:
        return minhash.best_bands(similarity, recall)
    except ValueError as error:
        raise ConfigError(str(error)) from error


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
    if output.exists():
        raise ConfigError(f"{output} exists already: give another name, or delete it")


def _sign(
    files: list[Path], spool: Path, columns: tuple[str, str, pa.DataType], sign: Callable[[near_files.Batch], pa.Table],
    workers: int,
) -> None:  # fmt: skip
    """Write what is compared of every document; `columns` are that of the texts, that of the ids, and the ids' type."""
    text, id, kind = columns
    number = pa.uint64()
    schema = pa.schema({"id": kind, "bytes": pa.int64(), "high": number, "low": number, "keys": pa.list_(number)})
    total = sum(pq.read_metadata(path).num_rows for path in files)
    pending: deque[Future[pa.Table]] = deque()
    with (
        _progress() as bar,
        ThreadPoolExecutor(workers) as pool,
        pq.ParquetWriter(spool, schema, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):
        task = bar.add_task("signatures", total=total)

        def write() -> None:
            table = pending.popleft().result()
            writer.write_table(table)
            bar.advance(task, len(table))

        try:
            for path in files:
                with near_files.opened(path, text, id) as file:  # closed at once: it holds a row group's bytes
                    for batch in near_files.batches(path, file, columns):
                        pending.append(pool.submit(sign, batch))
                        if len(pending) > 2 * workers:
                            write()
            while pending:
                write()
        finally:
            for future in pending:
                future.cancel()


def _signed(batch: near_files.Batch, *, bands: int, rows: int, seed: int) -> pa.Table:
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
    return pa.table({"id": batch.ids, "bytes": found.sizes, "high": high, "low": low, "keys": held})


def _unique(connection: duckdb.DuckDBPyConnection, spool: Path, documents: str, id: str) -> None:
    twice = connection.execute(
        f"SELECT id FROM {near_files.parquet([spool])} GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1"
    ).fetchone()
    if twice:
        places = connection.execute(f"SELECT DISTINCT filename FROM {documents} WHERE id = ? LIMIT 2", twice).fetchall()
        raise ConfigError(
            f"two documents have the {id} {twice[0]!r} (in {' and '.join(name for (name,) in places)}); "
            "give every document its own, or name another column with --id"
        )


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
