"""xQG: a record a passage, with its queries by language (`docid, title, text, generated_queries`), and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ConfigError
from catalog.exports.lists import need
from catalog.exports.output import Output, output
from catalog.sets import Set

Kind = Literal["jsonl", "parquet"]
Record = dict[str, Any]
"""docid, title, text, and generated_queries: {language: [query, ...]}."""

_KEYS = ("docid", "title", "text", "generated_queries")
_ROWS = 1_000


def write(found: Set, folder: Path, kind: Kind = "jsonl") -> dict[str, Any]:
    """Write the pairs of a training set, a file a split, records by docid; returns the manifest.

    `coverage.tsv` lists every passage that has fewer queries in a language than the passage with most, with the number;
    the manifest has the sums.

    Raises:
        ConfigError: the set has no pairs, or the folder is not empty.
    """
    need(found, "pairs")
    languages, most = _languages(found)
    with output(found, folder, "xqg", kind=kind) as made:
        report = made.lines("coverage.tsv")
        report.text("docid\tlanguage\tqueries")
        lacking: Counter[str] = Counter()
        for split, records in groupby(_records(found, made.staged), key=lambda pair: pair[0]):
            for _, record in records:
                _add(made, f"{split}.{kind}", record, languages)
                made.counts["passages"] += 1
                made.counts["queries"] += sum(map(len, record["generated_queries"].values()))
                for language in languages:
                    there = len(record["generated_queries"].get(language, ()))
                    if there < most[language]:
                        lacking[language] += 1
                        report.text(f"{record['docid']}\t{language}\t{there}")
        made.notes["coverage"] = {
            language: {"queries a passage at most": most[language], "passages with fewer": lacking[language]}
            for language in languages
        }
    return made.manifest


def read(path: Path) -> Iterator[Record]:
    """The records of a file, JSON Lines or parquet; ConfigError, naming the line or row, where one is none."""
    if path.suffix == ".parquet":
        with pq.ParquetFile(path, pre_buffer=False) as file:
            numbered = enumerate((row for batch in file.iter_batches(_ROWS) for row in batch.to_pylist()), start=1)
            for number, row in numbered:
                yield _checked(row, f"{path}, row {number}")
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found = orjson.loads(line)
            except ValueError as error:
                raise ConfigError(f"{path}:{number}: no JSON: {error}") from error
            yield _checked(found, f"{path}:{number}")


def convert(source: Path, target: Path) -> None:
    """Write the records of one file as another; the endings say what they are (.jsonl, .parquet).

    Raises:
        ConfigError: a record is none, or the target exists or ends otherwise.
    """
    if target.exists() or target.suffix not in (".jsonl", ".parquet"):
        raise ConfigError(f"{target}: give a new file that ends in .jsonl or .parquet")
    if target.suffix == ".jsonl":
        with target.open("wb") as file:
            for record in read(source):
                file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return
    languages = sorted({language for record in read(source) for language in record["generated_queries"]})
    with pq.ParquetWriter(target, schema(languages), compression="zstd") as writer:
        for records in _batches(read(source)):
            writer.write_table(pa.Table.from_pylist(records, schema=writer.schema))


def coverage(records: Iterable[Record], languages: Iterable[str], queries: int) -> list[tuple[str, str, int]]:
    """The passages that have fewer queries in a language than there should be: docid, language, how many."""
    wanted = list(languages)
    return [
        (record["docid"], language, there)
        for record in records
        for language in wanted
        if (there := len(record["generated_queries"].get(language, ()))) < queries
    ]


def schema(languages: Iterable[str]) -> pa.Schema:
    """Of a parquet file: the queries of each language are a list, null for a passage without any."""
    queries = pa.struct([(language, pa.list_(pa.string())) for language in languages])
    return pa.schema([(name, pa.string()) for name in _KEYS[:3]] + [(_KEYS[3], queries)])


def _add(made: Output, name: str, record: Record, languages: list[str]) -> None:
    if name.endswith(".jsonl"):
        made.lines(name).json(record)
    else:
        config, split = "default", name.removesuffix(".parquet")
        made.rows(name, schema(languages), config, split).add(*(record[key] for key in _KEYS))


def _languages(found: Set) -> tuple[list[str], Counter[str]]:
    """The languages of the queries, and the most queries that a passage has in each."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT query_language, max(n) FROM (SELECT query_language, count(*) AS n FROM read_parquet($files) "
            "GROUP BY document_id, split, query_language) GROUP BY 1 ORDER BY 1",
            {"files": [str(path) for path in found.files("pairs")]},
        ).fetchall()
    return [language for language, _ in rows], Counter(dict(rows))


def _records(found: Set, scratch: Path) -> Iterator[tuple[str, Record]]:
    """Split and record of every passage, sorted by both: DuckDB sorts, on disk where memory is short."""
    import duckdb

    with duckdb.connect(config={"temp_directory": str(scratch / ".sorting")}) as connection:
        batches = connection.sql(
            "SELECT split, document_id, title, document, query_language, query FROM read_parquet($files) "
            "ORDER BY split, document_id, query_language, query_id",
            params={"files": [str(path) for path in found.files("pairs")]},
        ).to_arrow_reader(_ROWS)
        rows = (row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))
        for (split, id), group in groupby(rows, key=lambda row: row[:2]):
            whole = list(group)
            queries: dict[str, list[str]] = {}
            for *_, language, query in whole:
                queries.setdefault(language, []).append(query)
            _, _, title, text, *_ = whole[0]
            yield split, {"docid": id, "title": title or "", "text": text, "generated_queries": queries}


def _checked(found: Any, place: str) -> Record:
    """The record without languages that it has no queries in; ConfigError when it is none."""
    good = isinstance(found, dict) and set(found) == set(_KEYS) and isinstance(found["generated_queries"], dict)
    if good and all(isinstance(found[key], str) for key in _KEYS[:3]):
        queries = {language: listed for language, listed in found["generated_queries"].items() if listed}
        if all(isinstance(q, list) and all(isinstance(text, str) for text in q) for q in queries.values()):
            return {**found, "generated_queries": queries}
    raise ConfigError(f"{place}: no record of xQG; its keys are {', '.join(_KEYS)}")


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
