"""The archive of a harvest: WARC segments that only grow, record by record, up to a length that is committed elsewhere.

Every record is a gzip member of its own. A record is written in one go and is there when the call returns; what a
process wrote after its last commit is cut off when the segment is opened again.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from extractors.frames import MAX_HEAD, Frame, frames
from extractors.http_body import decode, parse
from harvesters.harvester import Resource
from harvesters.settings import user_agent
from harvesters.spider import records
from harvesters.spider.records import Exchange, payload_digest

if TYPE_CHECKING:
    from harvesters.spider.frontier import Capture

__all__ = ["Archive", "Exchange", "Made", "Place", "Profile", "payload_digest", "read_back", "response"]

Profile = Literal["identical-payload-digest", "server-not-modified"]
SUFFIX = ".warc.gz"
MAX_MEMBER = 256 << 20
"""Bytes of a foreign record, unpacked."""
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_IP = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_STANDARD = "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_REVISITS = "http://netpreserve.org/warc/1.1/revisit/"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its segment."""

    offset: int
    length: int
    """Bytes of its gzip member."""
    digest: str | None
    """Of its payload: `sha1:` and Base32."""
    record: str
    """response, revisit or resource."""


@dataclass(frozen=True, slots=True)
class Made:
    """Records that are ready to be appended."""

    data: bytes
    """Gzip members."""
    length: int
    """Of the first."""
    digest: str | None
    record: str


class Archive:
    """One open segment at a time of `folder`. One process, one thread."""

    def __init__(self, folder: Path, software: str, contact: str, robots: bool) -> None:
        """`software`: `florilege/0.1.0`; `contact`: the operator's; `robots`: whether robots.txt is heeded."""
        self._folder, self._software, self._contact, self._robots = folder, software, contact, robots
        self._file: io.FileIO | None = None
        self._path = folder
        self.size = 0
        """Bytes of the open segment, committed or not."""

    def open(self, segment: str, committed: int) -> None:
        """Opens `<folder>/<segment>.warc.gz` and cuts it to `committed` bytes; with 0 it begins with a warcinfo record.

        Raises ValueError for a name that is none, RuntimeError when fewer bytes are there than were committed.
        """
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(f"no name of a segment: {segment!r}")
        self.release()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{segment}{SUFFIX}"
        there = path.stat().st_size if path.is_file() else 0
        if there < committed:
            raise RuntimeError(
                f"{path}: {there} bytes, but {committed} were committed: the disk lost some of them, or the file was "
                "changed. Put it back, or remove the archive's work folder to begin again with the published segments"
            )
        self._path = path
        self._file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        self._file.truncate(committed)
        self._file.seek(committed)
        self.size = committed
        if committed == 0:
            self._append(self._warcinfo(path.name))

    def exchange(self, exchange: Exchange, labels: Mapping[str, str] | None = None) -> Place:
        """Appends a response record, with its labels, and its request record; with ValueError, nothing."""
        return self.append(response(exchange, labels or {}))

    def append(self, made: Made) -> Place:
        """Appends records that were made elsewhere."""
        return Place(self._append(made.data), made.length, made.digest, made.record)

    def revisit(self, exchange: Exchange, of: Capture, profile: Profile) -> Place:
        """Appends a revisit record, which has the answer's head and names the capture that has its payload, and its
        request record."""
        uri, date, identity = _names(exchange)
        fields = records.base_fields("revisit", identity, uri, date, "response")
        fields += [
            ("WARC-Profile", _REVISITS + profile),
            ("WARC-Refers-To-Target-URI", records.target_uri(of.url)),
            ("WARC-Refers-To-Date", records.warc_date(of.fetched)),
        ]
        same = profile == "identical-payload-digest"
        digest = payload_digest(exchange.body) if same else of.payload_digest
        if digest:
            fields.append(("WARC-Payload-Digest", digest))
        fields += _circumstances(exchange)
        length = len(exchange.body) if same else None
        head = records.http_head(records.status_line(exchange), exchange.headers, length)
        return self.append(_pair(records.member(fields, (head,)), exchange, (uri, date, identity), digest, "revisit"))

    def resource(self, resource: Resource, fetched: datetime) -> Place:
        """Appends a resource record, with its labels: a document that came inside an answer."""
        digest = payload_digest(resource.body)
        fields = [
            ("WARC-Type", "resource"),
            ("WARC-Record-ID", records.record_id()),
            ("WARC-Target-URI", records.target_uri(resource.url)),
            ("WARC-Date", records.warc_date(fetched)),
            ("Content-Type", resource.mime),
            ("WARC-Payload-Digest", digest),
            *records.label_fields(resource.labels),
        ]
        record = records.member(fields, (resource.body,))
        return Place(self._append(record), len(record), digest, "resource")

    def members(self, members: Sequence[bytes]) -> Place:
        """Appends gzip members as they are, header fields of foreign crawlers included. The place is that of the first
        response among them, else of the first record.

        ValueError, before anything is written, for what is not exactly one whole member with one whole WARC record of
        at most MAX_MEMBER bytes.
        """
        if not members:
            raise ValueError("no records")
        found = [_foreign(data) for data in members]
        kinds = [frame.head.get("warc-type", "").lower() for frame in found]
        chosen = kinds.index("response") if "response" in kinds else 0
        start = self._append(b"".join(members)) + sum(len(data) for data in members[:chosen])
        digest = payload_digest(parse(found[chosen].block).body) if kinds[chosen] == "response" else None
        return Place(start, len(members[chosen]), digest, kinds[chosen])

    def close(self) -> Path:
        """Forces the segment to the disk and closes it; its path."""
        if self._file is None:
            raise RuntimeError("no segment is open")
        os.fsync(self._file.fileno())
        self.release()
        return self._path

    def release(self) -> None:
        """Lets go of the segment, if one is open, without forcing it to the disk."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> int:
        """Writes all of `data` or, if that fails, nothing; where it starts."""
        if self._file is None:
            raise RuntimeError("no segment is open")
        start, rest = self.size, memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self._file.truncate(start)
            self._file.seek(start)
            raise
        self.size += len(data)
        return start

    def _warcinfo(self, name: str) -> bytes:
        facts = {
            "software": self._software,
            "format": "WARC File Format 1.1",
            "conformsTo": _STANDARD,
            "operator": self._contact,
            "http-header-user-agent": user_agent(self._contact, self._software.partition("/")[2]),
            "robots": "classic" if self._robots else "ignore",
        }
        fields = [
            ("WARC-Type", "warcinfo"),
            ("WARC-Record-ID", records.record_id()),
            ("WARC-Filename", name),
            ("WARC-Date", records.warc_date(datetime.now(UTC))),
            ("Content-Type", "application/warc-fields"),
        ]
        lines = [f"{key}: {' '.join(value.split())}\r\n" for key, value in facts.items()]
        return records.member(fields, ("".join(lines).encode(),))


def response(exchange: Exchange, labels: Mapping[str, str]) -> Made:
    """A response record, with its labels, and its request record; for any thread. Raises ValueError for a URL or label
    that no archive takes."""
    uri, date, identity = _names(exchange)
    digest = payload_digest(exchange.body)
    fields = records.base_fields("response", identity, uri, date, "response")
    fields += [("WARC-Payload-Digest", digest), *_circumstances(exchange), *records.label_fields(labels)]
    head = records.http_head(records.status_line(exchange), exchange.headers, len(exchange.body))
    return _pair(records.member(fields, (head, exchange.body)), exchange, (uri, date, identity), digest, "response")


def _names(exchange: Exchange) -> tuple[str, str, str]:
    return records.target_uri(exchange.url), records.warc_date(exchange.fetched), records.record_id()


def _pair(answer: bytes, exchange: Exchange, names: tuple[str, str, str], digest: str | None, kind: str) -> Made:
    uri, date, identity = names
    fields = records.base_fields("request", records.record_id(), uri, date, "request")
    fields.append(("WARC-Concurrent-To", identity))
    request = records.member(fields, (records.request_head(exchange, uri),))
    return Made(answer + request, len(answer), digest, kind)


def _circumstances(exchange: Exchange) -> list[tuple[str, str]]:
    fields = []
    if exchange.ip and _IP.fullmatch(exchange.ip):
        fields.append(("WARC-IP-Address", exchange.ip))
    if exchange.truncated:
        known = exchange.truncated in records.TRUNCATED
        fields.append(("WARC-Truncated", exchange.truncated if known else "unspecified"))
    return fields


def _foreign(data: bytes) -> Frame:
    """The record of a gzip member that holds one and nothing else; ValueError for anything else."""
    member = zlib.decompressobj(31)
    try:
        plain = member.decompress(data, MAX_MEMBER + 1)
    except zlib.error as error:
        raise ValueError(f"no gzip member: {str(error)[:80]}") from error
    if len(plain) > MAX_MEMBER:
        raise ValueError(f"record over {MAX_MEMBER >> 20} MiB")
    if not member.eof:
        raise ValueError("gzip member ends early")
    if member.unused_data:
        raise ValueError("bytes after the gzip member")
    if not plain.startswith(b"WARC/1."):
        raise ValueError("gzip member without a WARC record at its start")
    found = frames(io.BytesIO(plain), 0, None, len(plain))
    frame = next(found)
    if frame.error or next(found, None) is not None:
        raise ValueError(frame.error or "gzip member with several records")
    if not frame.head.get("warc-type"):
        raise ValueError("WARC record without a type")
    return frame


def read_back(corpus_root: Path, capture: Capture, max_payload: int) -> tuple[Mapping[str, str], bytes]:
    """Header fields (lower-case names, several of one joined by `, `) and body (codings undone) of a capture.

    Looks in the archive, then in the work folder where the segment may still be open. Memory stays near
    `max_payload`. Raises ValueError where there is no such record or its body cannot be had, OSError where there is
    no such file.
    """
    with _locate(corpus_root, capture.warc).open("rb") as file:
        frame = next(frames(file, capture.offset, None, max_payload + MAX_HEAD), None)
    if frame is None or frame.offset != capture.offset or frame.unpacked:
        raise ValueError(f"{capture.warc}: no record at offset {capture.offset}")
    kind = frame.head.get("warc-type", "").lower()
    if frame.error or kind != "response":
        raise ValueError(f"{capture.warc}: {frame.error or f'a {kind} record'} at offset {capture.offset}")
    message = parse(frame.block)
    fields: dict[str, str] = {}
    for name, value in records.read_fields(frame.block, len(frame.block) - len(message.body)):
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    if len(frame.block) < frame.declared:
        raise ValueError(f"{capture.warc}: payload over {max_payload} bytes at offset {capture.offset}")
    message = decode(message, max_payload, cut="warc-truncated" in frame.head)
    if message.error:
        raise ValueError(f"{capture.warc}: {message.error} at offset {capture.offset}")
    return fields, message.body


def _locate(corpus_root: Path, warc: str) -> Path:
    parts = PurePosixPath(warc).parts
    if len(parts) != 3 or parts[0] != "archive" or not all(map(_SEGMENT.fullmatch, parts[1:])):
        raise ValueError(f"no archive file: {warc!r}")
    published = corpus_root.joinpath(*parts)
    return published if published.is_file() else corpus_root.joinpath("work", "harvest", *parts[1:])
