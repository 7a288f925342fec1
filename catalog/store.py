"""The DuckDB file: made anew from the manifests at every publication and swapped in whole.

Nothing writes to a catalog that someone may be reading: a reader keeps the file it opened, the next one sees the
new file. So there is no writer to wait for, and losing the file loses nothing.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from catalog import evaluations, fetches, set_views
from catalog.errors import ConfigError, RetryableError
from catalog.files import Corpus
from catalog.schema import VERSION
from catalog.views import create_views

_PATIENCE_S = 60.0

TABLES = """
CREATE TABLE corpus_info (root TEXT, schema_version INTEGER);
CREATE TABLE runs (
    run TEXT PRIMARY KEY, recipe TEXT, status TEXT, started TIMESTAMPTZ, ended TIMESTAMPTZ, attempts INTEGER,
    snapshot INTEGER, shards INTEGER, made INTEGER, failed_shards JSON, code TEXT, settings JSON, seconds JSON);
CREATE TABLE sources (run TEXT, source TEXT, kind TEXT, path TEXT, files INTEGER, bytes BIGINT);
CREATE TABLE shards (
    shard TEXT, dataset TEXT, file TEXT, rows BIGINT, bytes BIGINT, sha256 TEXT, source TEXT, run TEXT,
    records BIGINT, work TEXT, code TEXT, schema INTEGER);
CREATE TABLE snapshots (
    snapshot INTEGER PRIMARY KEY, id TEXT, run TEXT, published TIMESTAMPTZ, digest TEXT, preset TEXT, code TEXT,
    settings JSON, judged INTEGER);
CREATE TABLE snapshot_files (snapshot INTEGER, dataset TEXT, file TEXT, rows BIGINT, bytes BIGINT, sha256 TEXT);
CREATE TABLE thresholds (
    snapshot INTEGER, position INTEGER, stage TEXT, signal TEXT, op TEXT, value DOUBLE, reason TEXT,
    language TEXT);
"""


def rebuild(corpus: Corpus) -> None:
    """Make the catalog from the manifests alone and put it in place of the old one.

    One process at a time, a harvest or a build: the later one sees the manifests of the one before it.
    """
    corpus.work.mkdir(parents=True, exist_ok=True)
    with (corpus.work / "catalog.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # goes with the process, however it ends
        _rebuild(corpus)


def _rebuild(corpus: Corpus) -> None:
    fresh = corpus.work / f"catalog.{os.getpid()}.duckdb"
    fresh.unlink(missing_ok=True)
    shards, snapshots = corpus.read_manifests("shards"), corpus.read_manifests("snapshots")
    runs = corpus.read_manifests("runs")
    connection = duckdb.connect(str(fresh))
    try:
        connection.execute(TABLES)
        connection.execute("INSERT INTO corpus_info VALUES (?, ?)", [str(corpus.root), VERSION])
        _insert(connection, "shards", [
            {**entry, **{key: shard[key] for key in ("shard", "source", "run", "records", "work", "code", "schema")}}
            for shard in shards for entry in shard["files"]
        ])  # fmt: skip
        _insert(connection, "sources", [{"run": run["run"], **source} for run in runs for source in run["sources"]])
        _insert(connection, "runs", [_without(run, "sources", "url_lists", "later_code") for run in runs])
        _insert(connection, "snapshots", _with_settings(snapshots, runs))
        files = [{"snapshot": s["snapshot"], **row} for s in snapshots for row in s["files"]]
        _insert(connection, "snapshot_files", files)
        limits = [{"snapshot": s["snapshot"], "language": None, **row} for s in snapshots for row in s["thresholds"]]
        _insert(connection, "thresholds", limits)
        older = frozenset(f["file"] for s in shards if s["schema"] != VERSION for f in s["files"])
        create_views(connection, corpus, snapshots, older)
        _add_fetches(connection, corpus)
        _add_retrieval(connection, corpus)
        connection.execute("CHECKPOINT")
    except duckdb.IOException as error:
        missing = str(error).splitlines()[0]
        raise ConfigError(f"{missing}; `florilege catalog verify {corpus.root}` lists what is missing") from error
    finally:
        connection.close()
    fresh.replace(corpus.database)


def _add_fetches(connection: duckdb.DuckDBPyConnection, corpus: Corpus) -> None:
    """Tables of harvests and segments, and the view of all that was fetched."""
    connection.execute(fetches.TABLE)
    for table, found in fetches.table_rows(corpus).items():
        _insert(connection, table, found)
    connection.execute(f"CREATE VIEW fetches AS {fetches.view(corpus)}")


def _add_retrieval(connection: duckdb.DuckDBPyConnection, corpus: Corpus) -> None:
    """Tables and views of training sets, benchmarks and evaluations."""
    connection.execute(set_views.TABLE)
    _insert(connection, "sets", set_views.rows(corpus))
    connection.execute(evaluations.TABLE)
    _insert(connection, "evaluations", evaluations.rows(corpus))
    for name, query in (set_views.views(corpus) | evaluations.views(corpus)).items():
        connection.execute(f"CREATE VIEW {name} AS {query}")


def _with_settings(snapshots: list[dict[str, Any]], runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `snapshots`; those of an older florilege get the settings of their run."""
    known = {run["run"]: run["settings"] for run in runs}
    return [
        {"judged": None, **_without(s, "files", "thresholds"), "settings": s.get("settings") or known.get(s["run"], {})}
        for s in snapshots
    ]


def _without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows through Arrow; keys are the table's columns, nested values become JSON."""
    if not rows:
        return
    columns = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        nested = any(isinstance(v, dict | list) for v in values)
        columns[name] = [orjson.dumps(v).decode() for v in values] if nested else values
    batch = pa.table(columns)
    connection.register("batch", batch)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
    connection.unregister("batch")


@contextmanager
def reading(corpus: Corpus, snapshot: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection whose views are those of `snapshot` (default: the newest).

    What others wrote is run behind `confine` only.

    Raises:
        ConfigError: no catalog, no such snapshot, or the folder was moved.
        RetryableError: someone else has the file open for writing.
    """
    remedy = f"`florilege catalog rebuild {corpus.root}` makes it from the manifests"
    if not corpus.database.is_file():
        raise ConfigError(f"{corpus.root}: no catalog; {remedy}")
    connection = _patiently(lambda: duckdb.connect(str(corpus.database), read_only=True), remedy)
    try:
        _check(connection, corpus)
        if snapshot is not None:
            numbers = [n for (n,) in connection.execute("SELECT snapshot FROM snapshots ORDER BY 1").fetchall()]
            if snapshot not in numbers:
                raise ConfigError(f"no snapshot {snapshot}; there are: {', '.join(map(str, numbers))}")
            connection.execute(f"SET search_path = 'snapshot_{snapshot},main'")
        yield connection
    finally:
        connection.close()


def confine(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Let the connection read and write below `folders` only, for good."""
    allowed = ", ".join("'" + str(folder).replace("'", "''") + "/'" for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _check(connection: duckdb.DuckDBPyConnection, corpus: Corpus) -> None:
    remedy = f"run `florilege catalog rebuild {corpus.root}`"
    try:
        # All rows are fetched: a connection with an unfinished result refuses other work.
        found = connection.execute("SELECT root, schema_version FROM corpus_info").fetchall()
        root, version = found[0] if found else ("", 0)
    except duckdb.Error as error:
        raise ConfigError(f"{corpus.database}: damaged ({error}): {remedy}") from error
    if Path(root) != corpus.root:
        raise ConfigError(f"this corpus was moved here from {root}: {remedy}")
    if version != VERSION:
        raise ConfigError(f"{corpus.database}: written with schema {version}, this florilege has {VERSION}: {remedy}")


def _patiently(connect: Callable[[], duckdb.DuckDBPyConnection], remedy: str) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return connect()
        except duckdb.Error as error:
            if "set lock on file" not in str(error):
                raise ConfigError(f"the catalog cannot be opened ({error}); {remedy}") from error
            if time.monotonic() > deadline:
                raise RetryableError(f"the catalog was in use for {_PATIENCE_S:.0f} s: {error}") from error
            time.sleep(random.uniform(0.05, 0.5))


@contextmanager
def computing(corpus: Corpus, memory_mb: int = 1024) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to the corpus's work folder: for joins over shards, out of core."""
    spill = corpus.work / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={
        "memory_limit": f"{memory_mb}MB", "temp_directory": str(spill), "preserve_insertion_order": "false",
    })  # fmt: skip
    connection.execute("SET enable_progress_bar = false")
    try:
        yield connection
    finally:
        connection.close()
