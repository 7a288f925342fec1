"""TREC: runs, qrels, topics and documents; and a benchmark written as them.

Columns are separated by white space, so ids may hold none. Topics and documents are SGML with `&`, `<` and `>` as
entities; a text stands between its tags exactly as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.errors import ConfigError
from catalog.exports.output import named, output
from catalog.exports.pools import pool
from catalog.set_schema import QRELS, RANKING
from catalog.sets import Set

_DOC = re.compile(r"<DOC>\n<DOCNO>([^<]*)</DOCNO>\n<TITLE>([^<]*)</TITLE>\n<TEXT>([^<]*)</TEXT>\n</DOC>\n")
_TOPIC = re.compile(r"<top>\n<num>([^<]*)</num>\n<title>([^<]*)</title>\n</top>\n")
_SPACE = re.compile(r"\s")


def read_run(path: Path) -> pa.Table:
    """A run, `query Q0 document rank score tag` a line, as a RANKING.

    Queries stand in the order of the file. As in trec_eval the score decides the order, not the rank in the file, which
    breaks ties only, and after it the document's id; ranks count anew from 1.

    Raises:
        ConfigError: names file and line: not six columns, no number, NaN, a document twice for a query.
    """
    found: dict[str, list[tuple[float, int, str]]] = {}
    seen: set[tuple[str, str]] = set()
    for place, (query, _, document, rank, score, _) in _columns(path, 6):
        value, at = _number(score, place), _number(rank, place)
        if math.isnan(value) or not math.isfinite(at):
            raise ConfigError(f"{place}: rank {rank}, score {score}: not numbers that can be ranked")
        if (query, document) in seen:
            raise ConfigError(f"{place}: document {document!r} stands twice for query {query!r}")
        seen.add((query, document))
        found.setdefault(query, []).append((-value, int(at), document))
    ordered = [(query, sorted(entries)) for query, entries in found.items()]
    with np.errstate(over="ignore"):
        scores = np.array([-value for _, entries in ordered for value, _, _ in entries], np.float64).astype(np.float32)
    columns = [
        [query for query, entries in ordered for _ in entries],
        [document for _, entries in ordered for _, _, document in entries],
        [rank for _, entries in ordered for rank in range(1, len(entries) + 1)],
        scores,
    ]
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, RANKING, strict=True)], schema=RANKING)


def write_run(path: Path, ranking: pa.Table, tag: str) -> None:
    """Write a RANKING as a run. Scores read back as the same 32-bit floats.

    Raises:
        ConfigError: an id or the tag is empty or holds white space, which a run cannot have.
    """
    columns = [ranking[name].to_pylist() for name in ("query_id", "document_id", "rank")]
    _check_ids([*columns[0], *columns[1], tag])
    scores = map(str, ranking["score"].to_numpy().astype(np.float32))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for query, document, rank, score in zip(*columns, scores, strict=True):
            file.write(f"{query} Q0 {document} {rank} {score} {tag}\n")


def read_qrels(path: Path) -> pa.Table:
    """Judgements, `query 0 document relevance` a line, as QRELS; ConfigError names file and line."""
    rows: list[tuple[str, str, int]] = []
    seen: set[tuple[str, str]] = set()
    for place, (query, _, document, score) in _columns(path, 4):
        if (query, document) in seen:
            raise ConfigError(f"{place}: document {document!r} is judged twice for query {query!r}")
        seen.add((query, document))
        value = _number(score, place)
        if not math.isfinite(value) or abs(value) >= 1 << 31 or value != int(value):
            raise ConfigError(f"{place}: relevance {score!r} is no whole number")
        rows.append((query, document, int(value)))
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, QRELS, strict=True)], schema=QRELS)


def write_qrels(path: Path, qrels: pa.Table) -> None:
    """Write QRELS; ConfigError as in `write_run`."""
    columns = [qrels[name].to_pylist() for name in QRELS.names]
    _check_ids([*columns[0], *columns[1]])
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for query, document, score in zip(*columns, strict=True):
            file.write(f"{query} 0 {document} {score}\n")


def write(found: Set, folder: Path, task: str | None = None) -> dict[str, Any]:
    """Write a benchmark as `documents.trec`, `topics.trec` and `qrels.txt`; returns the manifest.

    Args:
        task: only the queries and documents of this task; none: all.
    """
    chosen = pool(found, task)
    _check_ids([*chosen.documents["id"].to_pylist(), *chosen.queries["id"].to_pylist()])
    with output(found, folder, "trec", task=task) as made:
        documents = made.lines("documents.trec")
        for id, title, text in zip(*(chosen.documents[c].to_pylist() for c in ("id", "title", "text")), strict=True):
            documents.text(
                f"<DOC>\n<DOCNO>{_safe(id)}</DOCNO>\n<TITLE>{_safe(title or '')}</TITLE>\n"
                f"<TEXT>{_safe(text)}</TEXT>\n</DOC>"
            )
        topics = made.lines("topics.trec")
        for id, text in zip(*(chosen.queries[c].to_pylist() for c in ("id", "text")), strict=True):
            topics.text(f"<top>\n<num>{_safe(id)}</num>\n<title>{_safe(text)}</title>\n</top>")
        qrels = made.lines("qrels.txt")
        for query, document, score in zip(*(chosen.qrels[c].to_pylist() for c in QRELS.names), strict=True):
            qrels.text(f"{query} 0 {document} {score}")
    return made.manifest


def read(folder: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    """What `write` wrote: documents (id, title, text), queries (id, text), qrels."""
    documents, topics = _read(folder / "documents.trec", _DOC), _read(folder / "topics.trec", _TOPIC)
    return _table(documents, ("id", "title", "text")), _table(topics, ("id", "text")), read_qrels(folder / "qrels.txt")


def _read(path: Path, entry: re.Pattern[str]) -> list[tuple[str, ...]]:
    """The fields of every entry; ConfigError names the line where one cannot be read."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    text = path.read_bytes().decode("utf-8", "replace")
    rows: list[tuple[str, ...]] = []
    place = 0
    while place < len(text):
        found = entry.match(text, place)
        if found is None:
            raise ConfigError(f"{path}, line {text.count(chr(10), 0, place) + 1}: not as `florilege export` writes it")
        rows.append(tuple(map(unescape, found.groups())))
        place = found.end()
    return rows


def _table(rows: list[tuple[str, ...]], names: tuple[str, ...]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})


def _safe(text: str) -> str:
    return escape(text, quote=False)


def _columns(path: Path, count: int) -> Iterator[tuple[str, list[str]]]:
    """The place and the columns of every line that is not blank."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            # As bytes: only ASCII white space separates.
            columns = [column.decode("utf-8", "replace") for column in line.removeprefix(b"\xef\xbb\xbf").split()]
            if columns and len(columns) != count:
                raise ConfigError(f"{path}, line {number}: {len(columns)} columns instead of {count}")
            if columns:
                yield f"{path}, line {number}", columns


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{place}: {text[:50]!r} is no number") from None


def _check_ids(ids: Iterable[str]) -> None:
    if wrong := sorted({id for id in ids if not id or _SPACE.search(id)}):
        raise ConfigError(f"TREC files cannot hold ids that are empty or have white space: {named(wrong)}")
