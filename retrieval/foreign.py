"""The texts of any export: our sets, and what the field's trainers and evaluators read.

Files are told by their names and read by their columns, whatever tool they are for: parquet, JSON (lines or a list),
TSV and CSV, TREC's SGML, and plain text with a text a line, each also gzipped where it is not parquet. Qrels, runs, ids
and numbers are no text.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ConfigError
from catalog.set_schema import SCHEMAS, TEXT_COLUMNS
from catalog.sets import NAME, open_set

_SUFFIX = re.compile(r"(?i)\.(?:(parquet)|(?:(jsonl|ndjson|json|tsv|csv|trec|sgml|txt)(?:\.gz)?))$")
_OTHER_FILES = re.compile(
    r"(?i)(^|[/._-])(qrels?|runs?|triples[._-]?ids?|ids|scores|manifest|dataset_infos?|dataset_dict|state|readme|config|"
    r"licen[cs]e|top_ranked|metadata|requirements)([/._-]|$)"
)
_NO_TEXT = re.compile(
    r"(?i)(.*[_-])?(ids?|docno|(?:doc|psg|d|p|q)id|urls?|uri|lang|language|split|work|family|parallel|source|licen[cs]e|kind|"
    r"scores?|rank|teacher|labels?|path|file|date|type|answers?|start|end|tokens|metadata)"
)
_MAYBE_ID = ("doc", "query_doc")
_ID = ("document_id", "_id", "id", "docid", "doc_id", "docno", "passage_id", "pid", "qid", "query_id", "query-id")
_QUERY = re.compile(r"(?i)(^|[^a-z])(quer(y|ies)|questions?|anchors?|topics?|sentence1)([^a-z]|$)")
_JUDGED = re.compile(rb"\s*\S+\s+(Q?0|\d+)\s+\S+\s+-?[\d.eE+-]+(\s+\S+)*\s*")
_ENTRY = re.compile(r"(?is)<(DOC|top)\b[^>]*>(.*?)</\1>")
_TAG = re.compile(r"(?is)<(DOCNO|num|TITLE|TEXT|desc|narr)\b[^>]*>([^<]*)")
_BATCH = 1_000
_MAX_DEPTH = 8


class Text(NamedTuple):
    """A text of an export."""

    text: str
    row: int
    """Number of the row that it stands in, from 0, over all files: a row is a pair, a triplet, a document ..."""
    place: str
    """File, row and column, for people."""
    query: bool
    id: str | None
    work: str | None
    parallel: str | None
    language: str | None


@dataclass(slots=True)
class Export:
    """The files of an export; what was read of them is known when all batches were taken."""

    path: Path
    format: str
    """`set`, or the suffixes of the files."""
    files: list[Path]
    columns: Counter[str] = field(default_factory=Counter)
    """Texts read, by file and column."""
    bad: Counter[str] = field(default_factory=Counter)
    """Lines and files that could not be read, by reason."""
    origin: dict[str, Any] = field(default_factory=dict)
    """Manifest of the set that this is, or was exported from; empty: unknown."""

    def batches(self) -> Iterator[list[Text]]:
        """All texts, in lists of about a thousand rows; a row is never cut.

        Raises:
            ConfigError: no text was found, after the last file.
        """
        number, found = 0, False
        for path in self.files:
            batch: list[Text] = []
            for at, entry in enumerate(_rows(path, self.bad)):
                batch.extend(self._texts(path, at, number, entry))
                number += 1
                if number % _BATCH == 0 and batch:
                    found = True
                    yield batch
                    batch = []
            if batch:
                found = True
                yield batch
        if not found:
            raise ConfigError(f"{self.path}: no text in {', '.join(p.name for p in self.files[:5])}; {dict(self.bad)}")

    def _texts(self, path: Path, at: int, number: int, row: dict[str, Any]) -> Iterator[Text]:
        name = path.relative_to(self.path).as_posix() if path != self.path else path.name
        for column, owner, text in _strings(row, _wanted(path) if self.format == "set" else None):
            self.columns[f"{name}: {column}"] += 1
            query = bool(_QUERY.search(column) or (_QUERY.search(name) and column in ("text", "2", "title")))
            language = owner.get("query_language" if query else "document_language", owner.get("language"))
            id = owner.get("query_id") if query and "query_id" in owner else _first(owner, _ID)
            yield Text(
                text, number, f"{name}, row {at + 1}, {column}", query, None if id is None else str(id),
                _string(owner.get("work") or row.get("work")), _string(owner.get("parallel") or row.get("parallel")),
                _string(language),
            )  # fmt: skip


def opened(path: Path) -> Export:
    """The export at `path`, a file or a folder.

    Raises:
        ConfigError: nothing there that holds text, or a damaged set.
    """
    if not path.exists():
        raise ConfigError(f"{path}: no such file or folder")
    if path.is_file():
        if not _SUFFIX.search(path.name):
            raise ConfigError(f"{path}: not one of parquet, jsonl, json, tsv, csv, trec, sgml, txt")
        return Export(path, _kind(path), [path])
    if _is_set(path):
        found = open_set(path)
        tables = [table for table in SCHEMAS[found.kind] if table in TEXT_COLUMNS]
        listed = [file for table in tables for file in found.files(table)]
        return Export(found.folder, "set", listed, origin=found.manifest)
    files = sorted(p for p in path.rglob("*") if p.is_file() and _is_text(path, p))
    if not files:
        there = sorted(p.name for p in path.iterdir())[:8]
        raise ConfigError(f"{path}: no file that holds text (parquet, jsonl, json, tsv, csv, trec, txt); there are: "
                          f"{', '.join(there) or 'none'}")  # fmt: skip
    return Export(path, "+".join(sorted({_kind(p) for p in files})), files, origin=_origin(path))


def _origin(folder: Path) -> dict[str, Any]:
    """The set that a folder is an export of, from the manifest that `florilege export` writes; else nothing."""
    try:
        found = json.loads((folder / "manifest.json").read_text("utf-8"))["set"]
        # they are printed: nothing but names
        return found if NAME.fullmatch(found["name"]) and NAME.fullmatch(found["id"]) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _is_set(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        return manifest.get("kind") in SCHEMAS and all("table" in entry for entry in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_text(root: Path, path: Path) -> bool:
    name = path.relative_to(root).as_posix()
    return bool(_SUFFIX.search(name)) and not _OTHER_FILES.search(name) and "/." not in f"/{name}"


def _kind(path: Path) -> str:
    match = _SUFFIX.search(path.name)
    return (match[1] or match[2]).lower() if match else ""


def _wanted(path: Path) -> tuple[str, ...]:
    return TEXT_COLUMNS[path.name.rpartition("-")[0]]


def _rows(path: Path, bad: Counter[str]) -> Iterator[dict[str, Any]]:
    """The rows of a file; what cannot be read is counted."""
    kind = _kind(path)
    try:
        if kind == "parquet":
            yield from _parquet(path)
        elif kind in ("jsonl", "ndjson", "json"):
            yield from _json(path, bad)
        elif kind in ("tsv", "csv"):
            yield from _delimited(path, "\t" if kind == "tsv" else ",", bad)
        elif kind in ("trec", "sgml"):
            yield from _sgml(path, bad)
        else:
            yield from _plain(path)
    except (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error) as error:
        bad[f"{path.name}: {type(error).__name__}"] += 1


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(_BATCH):
            yield from batch.to_pylist()


def _json(path: Path, bad: Counter[str]) -> Iterator[dict[str, Any]]:
    """Objects, one a line; or the one JSON value of the file, a list of objects or an object of lists."""
    with _bytes(path) as file:
        first, more = (next((line for line in file if line.strip()), b"") for _ in range(2))
        if _object(first) is None or (_kind(path) == "json" and not more):
            file.seek(0)
            yield from _document(file.read(), path, bad)
            return
        file.seek(0)
        for line in file:
            entry = _object(line)
            if isinstance(entry, dict):
                yield entry
            elif isinstance(entry, list):
                yield {str(i + 1): value for i, value in enumerate(entry)}
            elif line.strip():
                bad[f"{path.name}: not an object"] += 1


def _document(data: bytes, path: Path, bad: Counter[str]) -> Iterator[dict[str, Any]]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        # no JSON as a whole: the lines that are objects
        for line in data.splitlines():
            entry = _object(line)
            if isinstance(entry, dict):
                yield entry
            elif line.strip():
                bad[f"{path.name}: not an object"] += 1
        return
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        value = [entry for entries in lists for entry in entries] or [value]
    for entry in value if isinstance(value, list) else []:
        yield entry if isinstance(entry, dict) else {"text": entry}


def _object(line: bytes) -> Any:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) and value else None


def _delimited(path: Path, mark: str, bad: Counter[str]) -> Iterator[dict[str, Any]]:
    """Rows by the names of the heading, else by the number of the column from 1; the first is an id if any follows."""
    names: list[str] | None = None
    csv.field_size_limit(1 << 30)
    with _bytes(path) as data:
        lines = io.TextIOWrapper(data, "utf-8", errors="replace", newline="")
        # fields of TSV stand as they are; lone carriage returns and nulls are no ends of rows
        rows: Iterable[list[str]] = (
            (line.rstrip("\r\n").split(mark) for line in lines) if mark == "\t" else csv.reader(lines)
        )
        for number, row in enumerate(rows):
            if not any(row):
                continue
            if number == 0:
                lowered = [name.strip().lower() for name in row]
                if any(_ID_LIKE.fullmatch(name) or name in _HEADINGS for name in lowered):
                    names = lowered
                    continue
            if names is not None and len(row) != len(names):
                bad[f"{path.name}: not the columns of its heading"] += 1
                continue
            yield dict(zip(names, row, strict=True)) if names else _numbered(row)


_ID_LIKE = re.compile(r"(?:\w*[_-])?id|docno|pid|qid")
_HEADINGS = {"query", "text", "passage", "anchor", "positive", "negative", "document", "title", "sentence1", "question"}


def _numbered(row: list[str]) -> dict[str, Any]:
    """Columns of a file without heading: `id` if the first is one word, then `2`, `3`, where they hold words."""
    is_id = len(row) > 1 and not re.search(r"\s", row[0].strip())
    found = {"id" if is_id and i == 0 else str(i + 1): value for i, value in enumerate(row)}
    return {name: value for name, value in found.items() if name == "id" or re.search(r"[^\W\d_]", value)}


def _sgml(path: Path, bad: Counter[str]) -> Iterator[dict[str, Any]]:
    with _bytes(path) as file:
        text = file.read().decode("utf-8", "replace")
    for kind, entry in (match.groups() for match in _ENTRY.finditer(text)):
        parts = {name.lower(): html.unescape(value).strip() for name, value in _TAG.findall(entry)}
        id = parts.pop("docno", None) or parts.pop("num", None)
        if parts:
            query = kind.lower() == "top"
            body = parts.get("text") or parts.get("title") or " ".join(parts.values())
            yield {"id": id, "query" if query else "text": body}
        else:
            bad[f"{path.name}: an entry without text"] += 1


def _plain(path: Path) -> Iterator[dict[str, Any]]:
    with _bytes(path) as file:
        for line in file:
            if line.strip() and not (len(line) < 300 and _JUDGED.fullmatch(line)):
                yield {"text": line.decode("utf-8", "replace").rstrip("\r\n")}


def _bytes(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _strings(
    row: dict[str, Any], wanted: tuple[str, ...] | None, name: str = "", depth: int = 0
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The texts of a row: column, the object that it stands in, text. A title only where there is no other text."""
    for key, value in row.items():
        if wanted is not None and depth == 0 and key not in wanted:
            continue
        if wanted is None and _NO_TEXT.fullmatch(str(key)):
            continue
        if key == "title" and any(isinstance(v, str) and v for k, v in row.items() if not _NO_TEXT.fullmatch(k)
                                  and k != "title"):  # fmt: skip
            continue
        column = f"{name}.{key}" if name else str(key)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str) and entry and not (key in _MAYBE_ID and len(entry.split(maxsplit=1)) == 1):
                yield column, row, entry
            elif isinstance(entry, dict) and depth < _MAX_DEPTH:
                yield from _strings(entry, wanted, column, depth + 1)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
