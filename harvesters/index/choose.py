"""Which captures to fetch: SQL over Common Crawl's columnar index (parquet) or over CDX files, as one relation.

The relation `cc_index` has the columns of the columnar index (https://github.com/commoncrawl/cc-index-table) whichever
files it is made of. What a file does not say is NULL: CDX files know no registered domain, old crawls no languages.
"""

from __future__ import annotations

import json
import queue
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from catalog.errors import ConfigError
from extractors.language_tag import _TWO_LETTERS, primary_subtag
from harvesters.index import cdx

COLUMNS = {
    "url_surtkey": "VARCHAR", "url": "VARCHAR", "url_host_name": "VARCHAR", "url_host_registered_domain": "VARCHAR",
    "url_host_tld": "VARCHAR", "fetch_time": "TIMESTAMP", "fetch_status": "SMALLINT", "fetch_redirect": "VARCHAR",
    "content_digest": "VARCHAR", "content_mime_type": "VARCHAR", "content_mime_detected": "VARCHAR",
    "content_charset": "VARCHAR", "content_languages": "VARCHAR", "content_truncated": "VARCHAR",
    "warc_filename": "VARCHAR", "warc_record_offset": "BIGINT", "warc_record_length": "BIGINT",
    "warc_segment": "VARCHAR", "crawl": "VARCHAR", "subset": "VARCHAR",
}  # fmt: skip
_NEEDED = ("url", "warc_filename", "warc_record_offset", "warc_record_length")
_MEMORY = "2GB"
_THREADS = 4
_BATCH = 10_000
_AHEAD = 4
_GRACE_S = 5.0
_TYPES = {"html": ("text/html", "application/xhtml+xml"), "pdf": ("application/pdf",)}
_WWW = re.compile(r"^www\d*\.")
_ADDRESS = re.compile(r"[0-9.]+|\[.*|.*:.*")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which captures: those that every given condition holds for; hosts, domains and top-level domains are one."""

    languages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tlds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    where: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One line of an index, as it says it; nothing of it is checked."""

    url: str | None
    filename: str | None
    offset: int | None
    length: int | None
    digest: str | None
    truncated: str | None
    crawl: str | None


def check_condition(where: str) -> None:
    """Checks that `where` is one SQL condition on a row of `cc_index`: no statement, no clause, no query within.

    Raises:
        ValueError: it is something else, or no SQL.
    """
    import duckdb

    with _connect() as connection:
        try:
            connection.execute(f"CREATE TABLE cc_index ({', '.join(f'{n} {t}' for n, t in COLUMNS.items())})")
            if _parsed(connection, where) != _parsed(connection, "true"):
                raise ValueError("one condition, without subqueries and further clauses")
            connection.execute(f"EXPLAIN {_statement(where)}")
            kinds = [
                kind for _, kind, *_ in connection.execute(f"DESCRIBE SELECT (\n{where}\n) FROM cc_index").fetchall()
            ]
            if kinds != ["BOOLEAN"]:
                raise ValueError("a condition, which is true or false")
        except duckdb.Error as error:
            raise ValueError(str(error).splitlines()[0]) from None


def _statement(where: str) -> str:
    return f"SELECT 1 FROM cc_index WHERE (\n{where}\n)"


def _parsed(connection: Any, where: str) -> Any:
    """The tree of a query with this condition, without the condition; ValueError for a query within it."""
    found = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [_statement(where)]).fetchone()
    tree = json.loads(found[0])
    if tree.get("error"):
        raise ValueError(str(tree.get("error_message")).splitlines()[0])
    condition = tree["statements"][0]["node"].pop("where_clause", None)
    if any(node.get("class") == "SUBQUERY" for node in _nodes(condition)):
        raise ValueError("one condition, without subqueries and further clauses")
    return _without_places(tree)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_places(value) for key, value in tree.items() if not key.startswith("query_location")}
    return [_without_places(value) for value in tree] if isinstance(tree, list) else tree


def iso_639_3(language: str) -> list[str]:
    """The codes by which an index may name a language: `fr` and `fra` are `fra` and `fre`."""
    subtag = primary_subtag(language)
    if subtag is None:
        raise ValueError(f"{language!r} is no language: a BCP 47 or ISO 639-3 code is, such as fr or fra")
    return sorted({subtag} | {code for code, short in _TWO_LETTERS.items() if short == subtag})


def media_types(types: Iterable[str]) -> list[str]:
    return [mime for word in types for mime in _TYPES.get(word, (word.lower(),))]


def conditions(choice: Choice) -> tuple[list[str], list[Any]]:
    """SQL conditions over `cc_index` that all hold for a chosen capture, and the values of their parameters."""
    parts: list[str] = []
    values: list[Any] = []

    def add(condition: str, *given: Any) -> None:
        parts.append(condition)
        values.extend(given)

    if places := _places(choice):
        add("(" + " OR ".join(condition for condition, _ in places) + ")", *[v for _, given in places for v in given])
    if choice.statuses:
        add(f"fetch_status IN ({_marks(choice.statuses)})", *choice.statuses)
    if choice.types:
        given = media_types(choice.types)
        add(f"lower(coalesce(content_mime_detected, content_mime_type)) IN ({_marks(given)})", *given)
    if choice.languages:
        codes = [code for language in choice.languages for code in iso_639_3(language)]
        add(f"split_part(content_languages, ',', 1) IN ({_marks(codes)})", *codes)
    if choice.where:
        parts.append(f"(\n{choice.where}\n)")
    return parts, values


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _places(choice: Choice) -> list[tuple[str, list[Any]]]:
    """Conditions for hosts, domains and top-level domains.

    The index is sorted by SURT key (`fr,example)/path`), so that a range of keys lets DuckDB pass over row groups, and
    files, by their statistics. A key leaves out `www.`, and between the host and what follows stands one of `),:`.
    """
    found: list[tuple[str, list[Any]]] = []
    for host in choice.hosts:
        found.append(_in_range(host, "url_host_name = ?", [host]))
    for domain in choice.domains:
        found.append(_in_range(domain, "(url_host_name = ? OR ends_with(url_host_name, ?))", [domain, f".{domain}"]))
    for tld in choice.tlds:
        found.append(_in_range(tld, "url_host_tld = ?", [tld]))
    return found


def _in_range(host: str, condition: str, values: list[Any]) -> tuple[str, list[Any]]:
    if _ADDRESS.fullmatch(host):
        return condition, values
    key = ",".join(reversed(_WWW.sub("", host).split(".")))
    return f"(url_surtkey >= ? AND url_surtkey < ? AND {condition})", [f"{key})", f"{key};", *values]


def in_parquet(files: list[str], remote: Any, choice: Choice) -> Iterator[Found]:
    """The chosen captures of columnar index files, by WARC file and offset.

    Raises:
        ConfigError: the files are no such index, or cannot be read.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="florilege-index-") as scratch, _connect(scratch) as connection:
        try:
            if remote is not None:
                for name in files:  # DuckDB would only say that it found nothing
                    remote.info(name)
                connection.register_filesystem(remote)
            _lock(connection, files)
            connection.read_parquet(files, union_by_name=True, hive_partitioning=True).create_view("files")
            yield from _chosen(connection, choice, getattr(remote, "give_up", _nothing))
        except (duckdb.Error, OSError) as error:
            raise ConfigError(f"[commoncrawl] index: {str(error)[:500]}") from error


def in_lines(batches: Iterable[list[str]], choice: Choice) -> Iterator[Found]:
    """The chosen captures of CDX lines, by WARC file and offset. Lines that are none are passed over."""
    import duckdb
    import pyarrow as pa

    schema = pa.schema([("line", pa.large_string())])
    stream = (pa.record_batch([pa.array(lines, pa.large_string())], schema) for lines in batches)
    with tempfile.TemporaryDirectory(prefix="florilege-index-") as scratch, _connect(scratch) as connection:
        try:
            connection.register("lines", pa.RecordBatchReader.from_batches(schema, stream))
            _lock(connection, [])
            connection.execute(f"CREATE VIEW files AS {cdx.COLUMNS}")
            yield from _chosen(connection, choice, _nothing)
        except duckdb.Error as error:
            raise ConfigError(f"[commoncrawl] index: {str(error)[:500]}") from error


def _connect(scratch: str | None = None) -> Any:
    import duckdb

    settings: dict[str, Any] = {"memory_limit": _MEMORY, "threads": _THREADS, "python_enable_replacements": False}
    return duckdb.connect(config={**settings, **({"temp_directory": scratch} if scratch else {})})


def _lock(connection: Any, files: list[str]) -> None:
    """From here on no SQL reads a file but these, writes one, or undoes this."""
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
    connection.execute(f"SET allowed_paths = [{quoted}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _nothing() -> None:
    pass


def _chosen(connection: Any, choice: Choice, cancel: Callable[[], None]) -> Iterator[Found]:
    """What is chosen of the relation `files`. `cancel` is called when nobody wants more of it."""
    has = {str(name) for name, *_ in connection.execute("DESCRIBE files").fetchall()}
    if lacking := [name for name in _NEEDED if name not in has]:
        raise ConfigError(f"[commoncrawl] index: no index of captures, it has no column {', '.join(lacking)}")
    lacks = "".join(f", NULL::{kind} AS {name}" for name, kind in COLUMNS.items() if name not in has)
    connection.execute(f"CREATE VIEW cc_index AS SELECT *{lacks} FROM files")
    parts, values = conditions(choice)
    query = f"""
        SELECT url::VARCHAR, warc_filename::VARCHAR, TRY_CAST(warc_record_offset AS BIGINT),
               TRY_CAST(warc_record_length AS BIGINT), content_digest::VARCHAR, content_truncated::VARCHAR,
               crawl::VARCHAR
        FROM cc_index WHERE {" AND ".join(parts) or "true"}
        ORDER BY 2, 3, 4, 1, 5, 6, 7 {"LIMIT ?" if choice.limit else ""}"""
    given = [*values, choice.limit] if choice.limit else values
    for batch in _batches(connection, query, given, cancel):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield Found(*row)


def _batches(connection: Any, query: str, values: list[Any], cancel: Callable[[], None]) -> Iterator[Any]:
    """Record batches of a query that runs in a thread of its own: this one goes on hearing signals, and stops it."""
    made: queue.Queue[Any] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: Any) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=0.1)
                break

    def work() -> None:
        try:
            for batch in connection.sql(query, params=values).to_arrow_reader(_BATCH):
                put(batch)
                if stopped.is_set():
                    return
            put(None)
        except Exception as error:
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stopped.set()
        cancel()
        connection.interrupt()
        thread.join(_GRACE_S)
