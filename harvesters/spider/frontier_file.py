"""The file of a frontier: its tables, how it is opened, and how tasks and rows of `fetches` lie in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from catalog.errors import ConfigError
from catalog.fetches import FETCHES
from harvesters.harvester import Task

VERSION = 2
_APPLICATION = 0x666C6F72
"""`flor`: SQLite's own place for saying whose file this is."""
_PATIENCE_S = 5.0

TABLES = (
    """CREATE TABLE harvest (
        name TEXT, started TEXT, seeded INTEGER, segment TEXT, committed INTEGER, requests INTEGER, bytes INTEGER,
        counts TEXT, dropped TEXT, state TEXT, passed TEXT)""",
    "CREATE TABLE hosts (id INTEGER PRIMARY KEY, name TEXT UNIQUE, requests INTEGER)",
    "CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE waiting (
        id INTEGER PRIMARY KEY AUTOINCREMENT, host INTEGER, priority INTEGER, not_before REAL, attempts INTEGER,
        task BLOB)""",
    "CREATE INDEX ready ON waiting (host, priority DESC, id) WHERE not_before = 0",
    "CREATE INDEX delayed ON waiting (not_before) WHERE not_before > 0",
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, row BLOB)",
    "CREATE TABLE captures (key BLOB PRIMARY KEY, capture BLOB) WITHOUT ROWID",
)
NAMES = ("harvest", "hosts", "seen", "waiting", "rows", "captures")


def open_file(path: Path) -> sqlite3.Connection:
    remedy = (
        "delete it (and what begins with its name): the next run begins a new harvest, and what is not yet published "
        "of this one is fetched again"
    )
    db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S, cached_statements=64)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        (owner,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and owner != _APPLICATION:
            raise ConfigError(f"{path}: a database of something else; move it away")
        if tables and version != VERSION:
            raise ConfigError(f"{path}: a frontier of version {version}, this florilege has {VERSION}: {remedy}")
        db.execute("PRAGMA journal_mode = WAL")
        for setting in ("synchronous = NORMAL", "cache_size = -65536", f"journal_size_limit = {64 << 20}"):
            db.execute(f"PRAGMA {setting}")
        db.execute("BEGIN IMMEDIATE")  # the lock is kept until the file is closed
        if not tables:
            _make(db)
        db.execute("COMMIT")
    except sqlite3.Error as error:
        db.close()
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise ConfigError(f"{path}: another process harvests here; wait until it has ended") from None
        raise ConfigError(f"{path}: no frontier, or a damaged one ({error}); {remedy}") from None
    except ConfigError:
        db.close()
        raise
    return db


def _make(db: sqlite3.Connection) -> None:
    for statement in TABLES:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def dump(task: Task) -> tuple[Task, bytes]:
    """A task and its JSON; lone surrogates, which neither JSON nor SQLite can hold, become `?`."""
    try:
        return task, orjson.dumps(task, default=dict)
    except orjson.JSONEncodeError:
        whole = Task(**_whole({name: getattr(task, name) for name in Task.__dataclass_fields__}))
        return whole, orjson.dumps(whole, default=dict)


def load(text: bytes | str) -> Task:
    """The task that `dump` wrote. Raises ValueError or TypeError for what is none."""
    return Task(**orjson.loads(text))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_whole(name): _whole(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    return value


_KINDS: dict[str, type] = {
    f.name: str if pa.types.is_string(f.type) else float if pa.types.is_floating(f.type) else int for f in FETCHES
}


def pack(row: Mapping[str, Any]) -> bytes:
    """A row's values in the order of FETCHES, as JSON. What would not fit its column shows here, not when a segment is
    published.

    Raises:
        ValueError, TypeError: a column that there is not, or a value of another type.
    """
    if unknown := row.keys() - _KINDS.keys():
        raise ValueError(f"`fetches` has no columns {sorted(unknown)}")
    values = [_value(row.get(name), kind) for name, kind in _KINDS.items()]
    try:
        return orjson.dumps(values)
    except orjson.JSONEncodeError:
        return orjson.dumps(_whole(values))


def _value(value: Any, kind: type) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        value = int(moment.timestamp() * 1000)
    if not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return kind(value)


def array(values: Sequence[Any], column: pa.Field) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return pa.array(values, pa.int64()).cast(column.type)
    return pa.array(values, column.type)
