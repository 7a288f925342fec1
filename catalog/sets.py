"""Sets made from a snapshot for retrieval: training sets and benchmarks. Each is a folder that never changes.

    <corpus>/sets/<name>/<id>/      <table>-<part>.parquet, manifest.json, README.md (the card)
    <corpus>/manifests/sets/<name>.json         the manifest of the current set of this name

A set's id is a digest of what it was made from, a part's name of what the part was made from: a set that is made
again after the corpus grew takes over the parts that are the same. Sets that are no longer current stay until they are
deleted by hand.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, sha256, write_json
from catalog.set_schema import SCHEMAS

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_KINDS = {"pairs": "training set", "benchmark": "benchmark"}
_DIFFERENT = {
    "query_id", "query", "document_id", "document", "doc_en", "doc_xx", "en_id", "xx_id", "batch_id", "chunks",
    "chunk_ids", "text", "start", "end",
}  # fmt: skip
_PART = re.compile(r"(?P<table>[a-z_]+)-(?P<part>[0-9a-z]+)\.parquet")


@dataclass(frozen=True, slots=True)
class Set:
    """A finished set, in a corpus or copied elsewhere."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def kind(self) -> str:
        """`pairs` or `benchmark`."""
        return str(self.manifest["kind"])

    @property
    def id(self) -> str:
        return str(self.manifest["id"])

    def files(self, table: str) -> list[Path]:
        """The files of a table, in order; none when the set lacks it."""
        return [self.folder / f["file"] for f in self.manifest["files"] if f["table"] == table]

    def rows(self, table: str) -> int:
        return sum(f["rows"] for f in self.manifest["files"] if f["table"] == table)

    def table(self, table: str) -> pa.Table:
        """A whole table in memory: for benchmarks, not for training sets."""
        schema = SCHEMAS[self.kind][table]
        parts = [pq.read_table(path) for path in self.files(table)]
        return pa.concat_tables(parts).select(schema.names) if parts else schema.empty_table()

    def batches(self, table: str, columns: list[str] | None = None, rows: int = 1_000) -> Iterator[pa.RecordBatch]:
        """A table in batches of at most `rows` rows, in order."""
        for path in self.files(table):
            # Without pre_buffer: it would hold the whole file, as compressed, until the last batch.
            with pq.ParquetFile(path, pre_buffer=False) as file:
                yield from file.iter_batches(rows, columns=columns)


def open_set(folder: Path) -> Set:
    """The set in a folder; ConfigError when there is none, or a file of it is missing, damaged or not of its table."""
    if not (folder / "manifest.json").is_file():
        raise ConfigError(f"{folder}: no set (it has no manifest.json)")
    found = Set(folder.resolve(), read_json(folder / "manifest.json"))
    named = all(isinstance(found.manifest.get(key), str) for key in ("name", "kind", "id"))
    if not named or found.kind not in SCHEMAS or not isinstance(found.manifest.get("files"), list):
        raise ConfigError(f"{folder}/manifest.json: not the manifest of a set; sets are of {', '.join(SCHEMAS)}")
    for entry in found.manifest["files"]:
        _check(found, entry)
    return found


def _check(found: Set, entry: Any) -> None:
    """ConfigError unless the entry of a manifest is of a file in the set's folder, and tells the truth about it."""
    name = entry.get("file") if isinstance(entry, dict) else None
    match = _PART.fullmatch(name) if isinstance(name, str) else None
    if match is None or not entry.get("table") == match["table"] in SCHEMAS[found.kind]:
        raise ConfigError(f"{found.folder}/manifest.json: {entry!r} is no file of a {found.kind} set")
    path = found.folder / match[0]
    if not path.is_file() or path.stat().st_size != entry.get("bytes"):
        raise ConfigError(f"{path}: missing or damaged; make the set again")
    try:
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"{path}: damaged ({error}); make the set again") from error
    lacking = set(SCHEMAS[found.kind][match["table"]].names) - set(footer.schema.to_arrow_schema().names)
    if lacking or footer.num_rows != entry.get("rows"):
        what = f"lacks the columns {', '.join(sorted(lacking))}" if lacking else "has not the rows of the manifest"
        raise ConfigError(f"{path}: {what}; make the set again")


def all_sets(corpus: Corpus, kind: str | None = None) -> list[Set]:
    """The current set of every name, by name."""
    manifests = [m for m in corpus.read_manifests("sets") if kind in (None, m["kind"])]
    return [Set(folder(corpus, m["name"], m["id"]), m) for m in manifests]


def benchmarks(corpus: Corpus) -> list[Set]:
    """Every benchmark, those that others of their name have replaced too: somebody may still test with one.

    Raises:
        ConfigError: one is not there whole; it says what to delete to do without it.
    """
    for current in all_sets(corpus, "benchmark"):
        if not (current.folder / "manifest.json").is_file():
            path = corpus.manifest("sets", current.name)
            raise ConfigError(f"{current.folder}: no set; to do without it, delete {path}")
    found = []
    for place in sorted((corpus.root / "sets").glob("*/*")):
        try:
            found.append(open_set(place))
        except ConfigError as error:
            raise ConfigError(f"{error}; to do without it, delete {place}") from None
    return [one for one in found if one.kind == "benchmark"]


def made(corpus: Corpus, name: str, id: str) -> Set | None:
    """The set of this name and identity, when it is there whole, current or not."""
    return _whole(folder(corpus, name, id))


def _whole(there: Path) -> Set | None:
    try:
        return open_set(there)
    except ConfigError:
        return None


def check_name(corpus: Corpus, name: str, kind: str) -> None:
    """ConfigError when this is no name of a set, or the corpus has a set of another kind of this name."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"name of a set = {name!r}: lower-case letters, digits, - and _, at most 64")
    path = corpus.manifest("sets", name)
    other = read_json(path)["kind"] if path.is_file() else kind
    if other != kind:
        raise ConfigError(
            f"name of a {_KINDS[kind]} = {name!r}: {corpus.root} has a {_KINDS[other]} of this name; "
            f"give another name, or delete {path}"
        )


def current(corpus: Corpus, found: Set) -> bool:
    """Whether the name of a set means this one."""
    path = corpus.manifest("sets", found.name)
    return path.is_file() and read_json(path) == found.manifest


def make_current(corpus: Corpus, found: Set) -> None:
    """Let the name of a set mean this one."""
    if not current(corpus, found):
        write_json(corpus.manifest("sets", found.name), found.manifest)


def find(corpus: Corpus, name: str, kind: str | None = None) -> Set:
    """The current set of this name; ConfigError, which lists the names there are, when there is none."""
    found = {s.name: s for s in all_sets(corpus, kind)}
    if name not in found:
        what = _KINDS[kind] if kind else "set"
        raise ConfigError(f"no {what} `{name}` in {corpus.root}; there are: {', '.join(sorted(found)) or 'none'}")
    return open_set(found[name].folder)


def folder(corpus: Corpus, name: str, id: str) -> Path:
    return corpus.root / "sets" / name / id


class SetWriter:
    """Writes a set part by part; what a killed run finished of it stays for the next.

    Use: for every part that is not `done`, `with writer.part(digest) as part: part.write(table, rows)`; then `commit`.
    """

    def __init__(self, corpus: Corpus, name: str, kind: str, id: str) -> None:
        check_name(corpus, name, kind)
        self.corpus, self.name, self.kind, self.id = corpus, name, kind, id
        self.staged = corpus.work / "sets" / f"{name}-{id}"
        self.staged.mkdir(parents=True, exist_ok=True)
        there = [_whole(path) for path in sorted((corpus.root / "sets" / name).glob("*")) if path.name != id]
        self._older = [found for found in there if found is not None and found.kind == kind]

    def done(self, part: str) -> bool:
        """Whether this part is there already: from a killed run, or taken over from an older set of this name."""
        if _note(self.staged, part).is_file():
            return True
        for older in self._older:
            note, has = _note(older.folder, part), {entry["file"] for entry in older.manifest["files"]}
            if note.is_file() and has >= {entry["file"] for entry in read_json(note)["files"]}:
                for entry in read_json(note)["files"]:
                    _link(older.folder / entry["file"], self.staged / entry["file"])
                _link(note, _note(self.staged, part))
                return True
        return False

    def part(self, part: str) -> PartWriter:
        return PartWriter(self.staged, part, self.kind)

    def preview(self, parts: list[str]) -> Set:
        """These parts as a set that is not published yet: what negatives are mined from."""
        notes = [read_json(_note(self.staged, part)) for part in parts]
        files = [entry for note in notes for entry in note["files"]]
        return Set(self.staged, {"name": self.name, "kind": self.kind, "id": self.id, "files": files})

    def commit(self, parts: list[str], facts: dict[str, Any], card: Callable[[dict[str, Any]], str]) -> Set:
        """Put the folder in its place and write the manifest; `facts` are the manifest's own keys.

        What was counted in the parts is added up in the key `counts`, to what is there. `card` gives the text of
        `README.md` from the manifest.
        """
        notes = [read_json(_note(self.staged, part)) for part in parts]
        wanted = {entry["file"] for note in notes for entry in note["files"]}
        counts: dict[str, int] = dict(facts.get("counts", {}))
        for note in notes:
            for reason, count in note["counts"].items():
                counts[reason] = counts.get(reason, 0) + count
        files = [
            {**entry, "bytes": path.stat().st_size, "sha256": sha256(path)}
            for note in notes
            for entry in note["files"]
            for path in [self.staged / entry["file"]]
        ]
        manifest = {
            "name": self.name, "kind": self.kind, "id": self.id, **facts, "counts": dict(sorted(counts.items())),
            "files": files,
        }  # fmt: skip
        wanted |= {f"{part}.json" for part in parts}
        for path in [*self.staged.iterdir(), *(self.staged / "parts").glob("*")]:
            if path.is_file() and path.name not in wanted:
                path.unlink()  # what a killed run left half written
        write_json(self.staged / "manifest.json", manifest)
        (self.staged / "README.md").write_text(card(manifest), encoding="utf-8")
        final = folder(self.corpus, self.name, self.id)
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(final, ignore_errors=True)
        self.staged.replace(final)
        finished = Set(final, manifest)
        make_current(self.corpus, finished)
        return finished


class PartWriter:
    """One part: a file a table, written aside, and a note of rows and counts, which is written last."""

    def __init__(self, staged: Path, part: str, kind: str) -> None:
        self.staged, self.name, self.kind = staged, part, kind
        self.counts: dict[str, int] = {}
        """What was counted in this part: `used`, and a count for every reason of a rejection."""
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}

    def write(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table."""
        schema = SCHEMAS[self.kind][table]
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(
                self._aside(table), schema, compression="zstd", compression_level=1, use_dictionary=_repeating(schema)
            )
            self._rows[table] = 0
        self._writers[table].write_table(rows.select(schema.names).cast(schema))
        self._rows[table] += rows.num_rows

    def _aside(self, table: str) -> Path:
        return self.staged / f".{table}-{self.name}.{os.getpid()}"

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()
        if kind is not None:
            for table in self._writers:
                self._aside(table).unlink(missing_ok=True)
            return
        files = []
        for table, rows in self._rows.items():
            file = f"{table}-{self.name}.parquet"
            self._aside(table).replace(self.staged / file)
            files.append({"file": file, "table": table, "rows": rows})
        write_json(_note(self.staged, self.name), {"files": files, "counts": self.counts})


def _note(folder: Path, part: str) -> Path:
    return folder / "parts" / f"{part}.json"


def _repeating(schema: pa.Schema) -> list[str]:
    """The columns that are worth a dictionary: all but texts and ids of rows, whose values are nearly all different."""
    return [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in schema
        if field.name not in _DIFFERENT
    ]


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
