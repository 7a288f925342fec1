"""The files behind a corpus, as they are now: what a report shows must be what was read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import xxhash

from catalog.errors import ConfigError
from extractors.record import Record
from flows.inputs import opener

if TYPE_CHECKING:
    from extractors.sandbox import Sandbox

_MAGIC = re.compile(r"[*?\[]")


class NoOriginal(ConfigError):
    """The file cannot be shown; the message says why."""


@dataclass
class Originals:
    """The sources of a run, {name: {kind, path}}, and the most bytes that are read of a file."""

    sources: Mapping[str, Mapping[str, str]]
    limit: int

    def payload(self, document: Mapping[str, Any]) -> bytes:
        """The bytes that the document was made from.

        Raises NoOriginal where the file is gone, lies outside its source, or is another one by now.
        """
        source = self.sources.get(document["source"], {})
        name = self._name(document["source"], document["path"])
        archive = source.get("kind") == "warc"
        payload = _archived(name, document, self.limit) if archive else self._read(name)
        if xxhash.xxh3_128_hexdigest(payload) != document["payload_digest"]:
            raise NoOriginal("the file has changed since the corpus was built")
        return payload

    def reference(self, document: Mapping[str, Any], sandbox: Sandbox) -> str:
        """The text of the document's reference. Raises NoOriginal."""
        path = document["reference"]
        payload = self._read(self._name(document["source"], path))
        found = sandbox.extract(Record("", path, payload=payload, kind="reference"))
        if not found.text:
            raise NoOriginal(found.error or "there is no text in it")
        return found.text

    def _name(self, source: str, path: str) -> str:
        """The address of a file of a source. Raises NoOriginal where it would lie outside."""
        if source not in self.sources:
            raise NoOriginal("the snapshot's run does not say where its source was")
        filesystem, root = _root(self.sources[source]["path"])
        name = posixpath.normpath(posixpath.join(root, path))
        local = filesystem.protocol in ("file", ("file", "local"))
        inside = name.startswith(root.rstrip("/") + "/") if root else not name.startswith(("/", ".."))
        if not inside or (local and not Path(name).resolve().is_relative_to(Path(root).resolve())):
            raise NoOriginal("its path leads out of the source")
        if local and not Path(name).is_file():
            raise NoOriginal("the file is not where it was when the corpus was built")
        return name if local else str(filesystem.unstrip_protocol(name))

    def _read(self, name: str) -> bytes:
        try:
            with opener(name)() as file:
                payload = file.read(self.limit + 1)
        except OSError as error:
            raise NoOriginal(f"the file cannot be read: {error.strerror or error}") from None
        if len(payload) > self.limit:
            raise NoOriginal(f"the file is over {self.limit >> 20} MiB")
        return payload


def _root(path: str) -> tuple[Any, str]:
    """The folder that a source's paths are relative to, as `flows.inputs.list_inputs` takes it."""
    filesystem, pattern = fsspec.core.url_to_fs(path) if "://" in path else (fsspec.filesystem("file"), path)
    if filesystem.isdir(pattern):
        return filesystem, pattern
    magic = None if filesystem.exists(pattern) else _MAGIC.search(pattern)
    return filesystem, posixpath.dirname(pattern if magic is None else pattern[: magic.start()])


def _archived(name: str, document: Mapping[str, Any], limit: int) -> bytes:
    """The payload of a record of a web archive."""
    from extractors import warc

    start = document["offset"]
    if start < 0:
        raise NoOriginal("the archive is one compressed stream: no single record of it can be read")
    try:
        records = warc.read(
            opener(name), source="", path="", start=start, stop=start + max(1, document["length"]), max_payload=limit
        )
        found = next((record for record in records if record.offset == start), None)
    except OSError as error:
        raise NoOriginal(f"the archive cannot be read: {error.strerror or error}") from None
    if found is None:
        raise NoOriginal("the archive has no record at its place")
    return found.payload
