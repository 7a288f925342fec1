"""What a source holds: its files, each with an identity that does not depend on where it lies."""

from __future__ import annotations

import fnmatch
import math
import posixpath
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
import xxhash

from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, write_json
from flows.recipe import Source

_ARCHIVE = re.compile(r"\.w?arc(\.gz|\.zst|\.open)?$", re.IGNORECASE)
_CHUNK = 1 << 20
_SAVE_S = 30.0
UNREADABLE = "unreadable"


@dataclass(slots=True)
class Input:
    """One file of a source."""

    path: str
    """Relative to the source's root, with `/`."""
    uri: str
    size: int
    stamp: str
    """Changes whenever the file does, as far as the file system can tell without reading it."""
    digest: str = ""
    """XXH3-128 of the bytes."""
    cuts: list[int] = field(default_factory=lambda: [0])
    """Offsets at which the file may be split."""
    meta: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    skip: str | None = None


def opener(uri: str) -> Callable[[], BinaryIO]:
    """A function that opens the file at `uri` for reading, seekable."""

    def open_it() -> BinaryIO:
        filesystem, path = _locate(uri)
        file: BinaryIO = filesystem.open(path, "rb")
        return file

    return open_it


def _locate(path: str) -> tuple[Any, str]:
    # fsspec takes `::` for a chain of file systems; a local name may hold it.
    return fsspec.core.url_to_fs(path) if "://" in path else (fsspec.filesystem("file"), path)


def list_inputs(source: Source) -> list[Input]:
    """The files of a source, by path.

    Raises:
        ConfigError: the path does not exist, or nothing matches it.
    """
    filesystem, pattern = _locate(source.path)
    root = pattern
    if filesystem.isdir(pattern):
        found = filesystem.find(pattern, detail=True)
    elif filesystem.exists(pattern):
        root, found = posixpath.dirname(pattern), {pattern: filesystem.info(pattern)}
    elif (root := _root(pattern)) != pattern:
        found = filesystem.glob(pattern, detail=True)
    else:
        raise ConfigError(f"source {source.name}: path = {source.path!r}: no such file or folder")
    inputs = []
    for name in sorted(found):
        info = found[name]
        relative = posixpath.relpath(name, root) if root else name
        if info["type"] == "directory":
            continue
        uri = _uri(filesystem, name)
        item = Input(_storable(relative), _storable(uri), int(info["size"] or 0), _stamp(info))
        if any(fnmatch.fnmatch(relative, glob) for glob in source.exclude):
            item.skip = "excluded by the recipe"
        elif item.uri != uri:
            item.skip = "file-name: not UTF-8"
        elif info.get("islink") and name != pattern and not Path(name).resolve().is_relative_to(Path(root).resolve()):
            item.skip = "symbolic link out of the source"
        elif info["type"] == "other" and not Path(name).is_file():
            item.skip = "no regular file"  # to open a pipe would wait for its other end
        inputs.append(item)
    if not inputs:
        raise ConfigError(f"source {source.name}: path = {source.path!r}: no file matches")
    # A pipe or a link out of the source is no reference of another file either.
    _KINDS[source.kind](source, [item for item in inputs if item.skip is None])
    return inputs


def _root(pattern: str) -> str:
    """The longest folder before the first wildcard."""
    magic = re.search(r"[*?\[]", pattern)
    return pattern if magic is None else posixpath.dirname(pattern[: magic.start()])


def _storable(name: str) -> str:
    """The name itself if it can be written down, else with its foreign bytes spelt out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _uri(filesystem: Any, name: str) -> str:
    return name if filesystem.protocol in ("file", ("file", "local")) else str(filesystem.unstrip_protocol(name))


def _stamp(info: dict[str, Any]) -> str:
    marks = [
        info.get(key) for key in ("size", "mtime", "LastModified", "updated", "ETag", "etag", "md5", "crc", "created")
    ]
    return "|".join(str(mark) for mark in marks if mark is not None)


def _warc(source: Source, inputs: list[Input]) -> None:
    for item in inputs:
        if _root(source.path) == source.path and len(inputs) > 1 and not _ARCHIVE.search(item.path):
            item.skip = "file-name: no archive"


def _eurlex(source: Source, inputs: list[Input]) -> None:
    from extractors.eurlex import identify

    html = {}
    for item in inputs:
        known = identify(item.path)
        if known is None:
            item.skip = "file-name: no CELEX number and language"
            continue
        item.meta = {"celex": known["celex"], "language": known["language"]}
        if known["format"] in ("html", "xml"):
            html[known["celex"], known["language"]] = item.path
    for item in inputs:
        if item.meta and item.path.lower().endswith(".pdf"):
            item.reference = html.get((item.meta["celex"], item.meta["language"]))


def _erudit(source: Source, inputs: list[Input]) -> None:
    articles = {item.path[:-4].lower(): item.path for item in inputs if item.path.lower().endswith(".xml")}
    for item in inputs:
        if item.path.lower().endswith(".pdf"):
            item.reference = articles.get(item.path[:-4].lower())


def _files(source: Source, inputs: list[Input]) -> None:
    if source.reference is None:
        return
    by_folder: dict[str, list[Input]] = {}
    for item in inputs:
        by_folder.setdefault(posixpath.dirname(item.path), []).append(item)
    for siblings in by_folder.values():
        names = [posixpath.basename(item.path) for item in siblings]
        taken = set()
        for item, name in zip(siblings, names, strict=True):
            glob = source.reference.replace("{stem}", _literal(posixpath.splitext(name)[0]))
            match = [other for other in fnmatch.filter(names, glob) if other != name and name not in taken]
            if match:
                item.reference = posixpath.join(posixpath.dirname(item.path), min(match))
                taken.add(min(match))
        for item, name in zip(siblings, names, strict=True):
            if name in taken:
                item.skip, item.reference = "reference of another file", None


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


_KINDS = {"warc": _warc, "eurlex": _eurlex, "erudit": _erudit, "files": _files}


def identify(inputs: list[Input], source: Source, corpus: Corpus, cut: int, keep: bool) -> Iterator[Input]:
    """Give each input its digest and, for archives, its cuts of about `cut` bytes.

    A file that has not changed is not read again.

    Yields every input once it is known, so that a caller can show progress. What was learnt is kept for the next
    time if `keep`.
    """
    path = corpus.work / "inputs" / f"{source.name}.json"
    known = read_json(path) if path.is_file() else {}
    fresh = {}
    referenced = {item.reference for item in inputs}
    saved = time.monotonic()
    for item in inputs:
        key, stamp = f"{source.kind}|{item.uri}|{cut}", f"{item.stamp}|{item.skip}"
        seen = known.get(key)
        # A file that could not be read may be readable now without looking any different.
        if seen is None or seen["stamp"] != stamp or seen["digest"].endswith(UNREADABLE):
            digest = _digest(item.uri) if item.skip is None or item.path in referenced else ""
            if item.skip:
                digest = f"skipped {digest}".rstrip()  # another digest than as a document
            readable = item.skip is None and digest != UNREADABLE
            cuts = _cuts(item, cut) if source.kind == "warc" and readable else [0]
            seen = {"stamp": stamp, "digest": digest, "cuts": cuts}
        fresh[key] = seen
        item.digest, item.cuts = seen["digest"], seen["cuts"]
        if keep and time.monotonic() - saved > _SAVE_S:
            write_json(path, {**known, **fresh})
            saved = time.monotonic()
        yield item
    if keep and fresh != known:
        write_json(path, fresh)


def _cuts(item: Input, most: int) -> list[int]:
    """Offsets that cut an archive into parts of equal size, as near to `most` bytes as can be."""
    from extractors import warc

    parts = math.ceil(item.size / most)
    # Each part ends with the record that fills it: a little less to fill, or the last part would be none.
    return warc.cuts(opener(item.uri), int(0.95 * item.size / parts)) if parts > 1 else [0]


def _digest(uri: str) -> str:
    hasher = xxhash.xxh3_128()
    try:
        with opener(uri)() as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError:
        return UNREADABLE  # the reader meets the same error and records it
    return str(hasher.hexdigest())
