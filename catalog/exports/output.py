"""What every export shares: written aside, renamed whole, with a manifest of the files and a card."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import ConfigError
from catalog.files import sha256
from catalog.set_schema import SCHEMAS
from catalog.sets import Set

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029\0]")
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_COLUMNS = re.compile(r"^## Columns\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_FIELDS = {
    "collection.tsv": ["number", "text"],
    "documents.ids.tsv": ["number", "id"],
    "queries.ids.tsv": ["number", "id"],
    "queries.*.tsv": ["number", "text"],
    "qrels.*.tsv": ["query number", "0", "document number", "relevance"],
    "triples.*.tsv": ["query number", "positive's number", "negative's number"],
    "qrels/*.tsv": ["query-id", "corpus-id", "score"],
    "passages.tsv": ["id", "text", "title"],
    "coverage.tsv": ["docid", "language", "queries"],
    "texts.*.txt": ["text"],
    "*.*way.jsonl": ["query number", "[document number, teacher's score] ..."],
    "train.json": ["question", "answers", "positive_ctxs", "negative_ctxs", "hard_negative_ctxs"],
    "validation.json": ["question", "answers", "positive_ctxs", "negative_ctxs", "hard_negative_ctxs"],
    "qrels.txt": ["query", "0", "document", "relevance"],
    "documents.trec": ["DOCNO", "title", "text"],
    "topics.trec": ["num", "title"],
}
"""Fields of the files that do not name them in every line."""


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place when nothing went wrong, and is gone otherwise."""
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty: give a folder that does not exist yet")
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        yield staged
        if folder.exists():
            folder.rmdir()
        staged.replace(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


class Lines:
    """A file of lines."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        self.rows = 0
        self.columns: list[str] = next((names for like, names in _FIELDS.items() if path.match(like)), [])

    def text(self, line: str) -> None:
        self._file.write(line.encode("utf-8", "replace") + b"\n")
        self.rows += 1

    def json(self, value: Any) -> None:
        if not self.rows and isinstance(value, dict):
            self.columns = list(value)
        self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        self.rows += 1

    def raw(self, data: bytes, rows: int = 0) -> None:
        self._file.write(data)
        self.rows += rows

    def close(self) -> None:
        self._file.close()


class Rows:
    """A parquet file that is written table by table, or row by row."""

    def __init__(self, path: Path, schema: pa.Schema, batch: int = 1_000) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self.schema, self._batch, self.rows = schema, batch, 0
        self.columns: list[str] = schema.names
        self._waiting: list[tuple[Any, ...]] = []

    def add(self, *values: Any) -> None:
        """One row, in the schema's order."""
        self._waiting.append(values)
        if len(self._waiting) >= self._batch:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            columns = [pa.array(c, f.type) for c, f in zip(zip(*self._waiting, strict=True), self.schema, strict=True)]
            self._waiting = []
            self.write(pa.Table.from_arrays(columns, schema=self.schema))

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        self._flush()
        self._writer.close()


class Output:
    """The files of one export while it is written."""

    def __init__(self, staged: Path) -> None:
        self.staged = staged
        self.counts: Counter[str] = Counter()
        """What was used, changed or left out, by reason."""
        self.notes: dict[str, Any] = {}
        """Further facts for the manifest."""
        self.manifest: dict[str, Any] = {}
        self._files: dict[str, Lines | Rows] = {}
        self._configs: dict[str, dict[str, str]] = {}

    def lines(self, name: str) -> Lines:
        """The file of lines of this name, opened when it is first asked for."""
        if name not in self._files:
            self._files[name] = Lines(self._place(name))
        found = self._files[name]
        assert isinstance(found, Lines)
        return found

    def rows(self, name: str, schema: pa.Schema, config: str | None = None, split: str = "train") -> Rows:
        """The parquet file of this name; with `config` it is that split of that config in the card."""
        if name not in self._files:
            self._files[name] = Rows(self._place(name), schema)
            if config is not None:
                self._configs.setdefault(config, {})[split] = name
        found = self._files[name]
        assert isinstance(found, Rows)
        return found

    def _place(self, name: str) -> Path:
        path = self.staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def flat(self, text: str) -> str:
        """The text for a field of a TSV: line breaks, tabs and NUL become spaces, and are counted."""
        flat, changed = _BREAKS.subn(" ", text)
        if changed:
            self.counts["TSV: texts with tabs or line breaks"] += 1
            self.counts["TSV: tabs and line breaks replaced by spaces"] += changed
        return flat

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def finish(self, found: Set, format: str, options: dict[str, Any]) -> None:
        """Write manifest and card."""
        files = [
            {
                "file": name, "rows": file.rows, "columns": file.columns, "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
            for name, file in sorted(self._files.items())
            for path in [self.staged / name]
        ]  # fmt: skip
        self.manifest = {
            "format": format, "options": options,
            "set": {name: value for name, value in found.manifest.items() if name != "files"},
            **self.notes, "counts": dict(sorted((+self.counts).items())), "files": files,
        }  # fmt: skip
        listed = orjson.dumps(self.manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        (self.staged / "manifest.json").write_bytes(listed)
        (self.staged / "README.md").write_text(_card(found, self.manifest, self._configs), encoding="utf-8")


@contextmanager
def output(found: Set, folder: Path, format: str, **options: Any) -> Iterator[Output]:
    """The output of an export; manifest and card are written, and the folder takes its place, at the end."""
    with staging(folder) as staged:
        made = Output(staged)
        try:
            yield made
        finally:
            made.close()
        made.finish(found, format, options)


def _card(found: Set, manifest: dict[str, Any], configs: dict[str, dict[str, str]]) -> str:
    """The export's files and counts, then the card of the set. The front matter tells `datasets` the configs.

    The set's own columns are left out, but where its tables are written as they are.
    """
    own = found.folder / "README.md"
    front, body = _parted(own.read_text(encoding="utf-8") if own.is_file() else "")
    if manifest["format"] not in ("huggingface", "plain"):
        body = _COLUMNS.sub("", body)
    if not any(line.startswith("language:") for line in front) and (spoken := languages(found)):
        front = ["language:", *(f"  - {json.dumps(code)}" for code in spoken), *front]
    if configs:
        front.append("configs:")
    for config, files in configs.items():
        front += [f"  - config_name: {json.dumps(config)}", "    data_files:"]
        for split, file in files.items():
            front += [f"      - split: {split}", f"        path: {json.dumps(file)}"]
    rows = [
        f"| `{f['file']}` | {f['rows']:,} | {', '.join(f['columns'])} | {f['bytes']:,} |" for f in manifest["files"]
    ]
    parts = [
        f"# {found.name}, as {manifest['format']}",
        f"Set `{found.name}`, id `{found.id}`. SHA-256 of the files: `manifest.json`.",
        "\n".join(["| file | rows | columns or fields | bytes |", "| --- | ---: | --- | ---: |", *rows]),
    ]
    if manifest["counts"]:
        counted = [f"| {reason} | {count:,} |" for reason, count in manifest["counts"].items()]
        parts += ["## Counts of the export", "\n".join(["| what | count |", "| --- | ---: |", *counted])]
    parts.append(body)
    head = "---\n" + "\n".join(front) + "\n---\n\n" if front else ""
    return head + "\n\n".join(parts) + "\n"


def _parted(card: str) -> tuple[list[str], str]:
    """The lines of a card's front matter without its configs, which are of other files, and the text below it."""
    found = _FRONT.match(card)
    if found is None:
        return [], card.strip()
    front, inside = [], False
    for line in found[1].splitlines():
        inside = line.startswith("configs:") or (inside and line[:1] in (" ", "-"))
        if not inside:
            front.append(line)
    return front, card[found.end() :].strip()


def languages(found: Set) -> list[str]:
    """The languages that the rows of a set name, sorted; negatives are texts of pairs, and are not read."""
    spoken: set[str | None] = set()
    for table, schema in SCHEMAS[found.kind].items():
        names = [name for name in schema.names if name.endswith("language")]
        if not names or table == "negatives":
            continue
        for batch in found.batches(table, names, 65_536):
            for column in batch.columns:
                spoken.update(pc.unique(column).to_pylist())
    return sorted(code for code in spoken if code and code.isalpha() and code not in ("und", "unknown"))


def named(values: Iterable[str], most: int = 5) -> str:
    """The first values, quoted, for an error."""
    listed = list(values)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(repr(value) for value in listed[:most]) + more
