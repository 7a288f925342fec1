"""Web archives to records: WARC 1.x and ARC, plain, gzip (a member a record, or one stream) and zstd.

Every record of an archive gives one `Record`, so that all can be accounted for: documents with a payload,
others with the reason why they are skipped, broken ones with an error.

`Record.offset` is the record's byte offset in the archive as stored. Where a record does not start a gzip
member or zstd frame there is no such offset: then it is minus the count of uncompressed bytes before the
record, and `meta["offset_in"]` is `"uncompressed"`, which holds for `length` too. Such an archive is read
from its start only (`cuts` gives [0]).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from extractors.frames import MAX_HEAD, Frame, frames, text
from extractors.http_body import Message, decode, megabytes, parse
from extractors.labels import of_record
from extractors.record import Record
from extractors.sniff import no_document, sniff

MAX_PAYLOAD = 64 << 20
_DATE = re.compile(r"(\d{4})(?:\D?(\d\d)(?:\D?(\d\d)(?:\D?(\d\d)(?:\D?(\d\d)(?:\D?(\d\d))?)?)?)?)?")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)
_KEPT_FIELDS = {
    "x-robots-tag": "x_robots_tag",
    "tdm-reservation": "tdm_reservation",
    "tdm-policy": "tdm_policy",
    "last-modified": "last_modified",
}
_MANY_FIELDS = {"x-robots-tag", "tdm-reservation", "link"}
"""Fields of which all values count, not the first alone."""
_MAX_VALUES = 20
_LICENCE_LINK = re.compile(r"<([^<>]{1,500})>[^<>]*?;\s*rel\s*=\s*\"?[^\"<>,;]*\blicense\b", re.I)
_POLICIES = {"/robots.txt": "robots.txt", "/.well-known/tdmrep.json": "tdmrep.json"}
MAX_POLICY = 500 << 10
"""Bytes kept of a file that says what may be done with a site's pages (RFC 9309, 2.5)."""

Opener = Callable[[], BinaryIO]


def read(
    opener: Opener, *, source: str, path: str, start: int = 0, stop: int | None = None, max_payload: int = MAX_PAYLOAD
) -> Iterator[Record]:
    """Yields one Record for every record of an archive, in archive order.

    `opener` opens the archive as a seekable binary file. With `start` (0 or one of `cuts`) and `stop`, only
    the records stored at offsets in [start, stop). A payload over `max_payload` bytes, decoded, is an error,
    and memory stays near that limit. A damaged stretch is one Record with `error`, after which reading goes
    on at the next record that can be found. Bad bytes never raise; a failing file raises its OSError.
    """
    with opener() as file:
        for frame in frames(file, start, stop, max_payload + MAX_HEAD):
            yield _record(frame, source, path, max_payload)


def cuts(opener: Opener, every: int) -> list[int]:
    """Stored offsets at which `read` may be split into parts of at least `every` stored bytes; the first is 0.

    Only [0] where records do not all start at offsets of their own: one-stream gzip, damage, ARC. Reads the
    whole archive once.
    """
    found, begun = [0], False
    with opener() as file:
        for frame in frames(file, 0, None, 0):
            if frame.error or frame.arc or frame.unpacked:
                return [0]
            if begun and frame.offset - found[-1] >= max(every, 1):
                found.append(frame.offset)
            begun = True  # line ends before the first record are no part of their own
        if len(found) > 1 and file.seek(0, 2) - found[-1] < every:
            found.pop()
    return found


def fetch(opener: Opener, *, source: str, path: str, offset: int, max_payload: int = MAX_PAYLOAD) -> Record:
    """Reads the record at `offset`, as `read` gave it, again.

    Direct for a stored offset; a negative one (see above) reads the archive from its start.
    """
    with opener() as file:
        for frame in frames(file, max(offset, 0), None, max_payload + MAX_HEAD):
            if frame.offset == offset:
                return _record(frame, source, path, max_payload)
            if offset >= 0:
                break
    return Record(source, path, offset, kind="unknown", error=f"no record at {_place(offset)}")


def _record(frame: Frame, source: str, path: str, limit: int) -> Record:
    head = frame.head
    record = Record(source, path, frame.offset, frame.length, kind=head.get("warc-type", "unknown").lower()[:40])
    if frame.unpacked:
        record.meta["offset_in"] = "uncompressed"
    record.url = head.get("warc-target-uri", "").strip("<> ") or None
    record.fetched = parse_date(head.get("warc-date", ""))
    if frame.error:
        known = " at offset " in frame.error or not frame.length
        record.error = frame.error if known else f"{frame.error} at {_place(frame.offset)}"
        return record
    if truncated := head.get("warc-truncated"):
        record.meta["truncated"] = truncated
    if refers_to := head.get("warc-refers-to-target-uri") or head.get("warc-refers-to"):
        record.meta["refers_to"] = refers_to
    record.skip = _skip_by_type(record, head)
    if record.skip is None:
        record.meta.update(of_record(head))
        _fill(record, frame, limit)
    return record


def _skip_by_type(record: Record, head: dict[str, str]) -> str | None:
    if record.kind == "revisit":
        profile = head.get("warc-profile", "").rstrip("/").rsplit("/", 1)[-1]
        return f"revisit: {profile[:60] or 'unknown'}"
    if record.kind not in ("response", "resource", "conversion"):
        return f"record-type: {record.kind}"
    return None


def _fill(record: Record, frame: Frame, limit: int) -> None:
    """Sets the payload of a record and what it is, or why there is none."""
    declared = frame.head.get("content-type", "")
    is_http = declared.lower().startswith("application/http") or frame.block.startswith(b"HTTP/")
    message = parse(frame.block) if is_http and record.kind != "conversion" else Message(body=frame.block)
    record.status = message.status
    if is_http:
        declared = message.fields.get("content-type", "")
    _keep_fields(record, message.fields, frame.block[: len(frame.block) - len(message.body)])
    record.mime = declared.partition(";")[0].strip().lower()[:100] or None
    charset = _CHARSET.search(declared)
    record.charset = charset[1].lower() if charset else None
    policy = _policy(record.url)
    if message.status is not None and not 200 <= message.status <= 299:
        record.skip = policy or f"http-status: {message.status}"
        return
    if len(frame.block) < frame.declared:
        # Only a part of the block was kept: enough to tell an outsize video from an outsize page.
        message = decode(message, len(frame.block) + limit, cut=True)
        message.error = message.error or f"payload over {megabytes(limit)}"
    else:
        message = decode(message, limit, cut="truncated" in record.meta)
    if policy and (message.body or message.error is None):
        record.skip, record.payload = policy, message.body[:MAX_POLICY]
    elif policy:
        record.error = f"{message.error} at {_place(record.offset)}"
    else:
        _judge(record, message)


def _keep_fields(record: Record, fields: dict[str, str], head: bytes) -> None:
    """Notes the header fields that matter later: several values of one on lines of their own, licences apart."""
    for key in fields.keys() & {*_KEPT_FIELDS, "link"}:
        values = _values(head, key) if key in _MANY_FIELDS else [fields[key]]
        if key == "link":
            values = [found[1] for value in values if (found := _LICENCE_LINK.search(value))]
        if values:
            record.meta[_KEPT_FIELDS.get(key, "http_licence")] = "\n".join(value[:500] for value in values)


def _values(head: bytes, key: str) -> list[str]:
    """The values of all of a message's fields of one name."""
    named = re.finditer(rb"^" + re.escape(key.encode()) + rb"[ \t]*:([^\r\n]*)", head, re.I | re.M)
    return [value for match in named if (value := text(match[1]).strip()[:2_000])][:_MAX_VALUES]


def _judge(record: Record, message: Message) -> None:
    payload = message.body
    if not payload and message.error is None:
        record.skip = "empty payload"
    else:
        record.format = "txt" if record.kind == "conversion" else sniff(payload, record.mime, record.url)
        other = no_document(payload, record.format)
        if other or (record.format is None and payload):
            record.skip = f"media-type: {other or record.mime or 'unknown'}"
        elif message.error:
            record.error = f"{message.error} at {_place(record.offset)}"
        else:
            record.payload = payload
            return
    record.format = None


def _place(offset: int) -> str:
    return f"offset {offset}" if offset >= 0 else f"uncompressed offset {-offset}"


def _policy(url: str | None) -> str | None:
    """What an address names, if a file that says what may be done with a site's pages."""
    if url is None or not ("/robots.txt" in url or "/tdmrep.json" in url):
        return None
    try:
        return _POLICIES.get(urlsplit(url).path)
    except ValueError:
        return None


def parse_date(text: str) -> datetime | None:
    """The moment of a WARC-Date or an ARC date (UTC), which may leave out its last parts; None if it is none."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month or 1, day or 1, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
