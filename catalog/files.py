"""Where things lie in a corpus folder, and how a file appears in it: whole or not at all."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus folder. Everything that florilege writes lies below `root`."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "florilege.duckdb"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def staging(self) -> Path:
        return self.work / "staging"

    def dataset(self, name: str) -> Path:
        return self.root / name

    def manifests(self, kind: str) -> Path:
        """Folder of the manifests of `shards`, `runs` or `snapshots`."""
        return self.root / "manifests" / kind

    def manifest(self, kind: str, name: str) -> Path:
        return self.manifests(kind) / f"{name}.json"

    def read_manifests(self, kind: str) -> list[dict[str, Any]]:
        """All manifests of one kind, by name."""
        folder = self.manifests(kind)
        if not folder.is_dir():
            return []
        return [read_json(path) for path in sorted(folder.glob("*.json"))]


def existing(root: Path, bare: bool = False) -> Corpus:
    """The corpus at `root`; ConfigError when there is none. If `bare`, one with archives and no snapshot will do."""
    corpus = Corpus(root.resolve())
    wanted = ("snapshots", "fetches", "harvests") if bare else ("snapshots",)
    if not any(corpus.manifests(kind).is_dir() for kind in wanted):
        raise ConfigError(
            f"{root} holds no published corpus: build one with `florilege build RECIPE` or `florilege demo`; "
            "if that failed, `florilege doctor` checks this machine"
        )
    return corpus


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path}: damaged ({error}); delete it and build again") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: damaged (no JSON object); delete it and build again")
    return value


def write_json(path: Path, value: Any) -> None:
    """Write beside `path`, flush to disk, rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    with staged.open("wb") as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def digest(value: Any) -> str:
    """16 hex digits of a JSON-serialisable value."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def publish(staged: Path, final: Path) -> None:
    """Move a finished file to its name; the bytes are on disk before the name is."""
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    final.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(final)
