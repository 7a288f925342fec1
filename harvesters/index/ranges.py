"""Records of a web archive that are fetched by byte range: which belong in one request, and what came of them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import Any

from extractors.frames import MAX_HEAD, Frame, frames
from extractors.http_body import parse, unchunk
from harvesters.index.choose import Found

MAX_GAP = 64 << 10
"""Bytes between two records of one file that are fetched and thrown away: less than what one more request takes from
a store that counts requests (a record has some 25 kB)."""
MAX_SPAN = 4 << 20
"""Bytes of a request for several records: what is lost with it, and below any sensible `max_mb`."""
MAX_RECORDS = 128
MAX_PAYLOAD = 64 << 20
"""Bytes of a record, unpacked; what a build reads."""
_MAX_OFFSET, _MAX_LENGTH = 1 << 50, 1 << 30
_NAME = re.compile(r"(?:[A-Za-z0-9_=+-][A-Za-z0-9._=+-]{0,199}/){0,15}[A-Za-z0-9_=+-][A-Za-z0-9._=+-]{0,199}")
_CRAWL = re.compile(r"[A-Za-z0-9._-]{1,60}")
_LABEL = re.compile(r"crawl-data/([A-Za-z0-9._-]{1,60})/")
_URL = re.compile(r"https?://[^\x00-\x20\x7f]{1,8000}", re.I)
_SPAN = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record as an index describes it, after `checked`."""

    offset: int
    length: int
    url: str
    digest: str | None
    truncated: str | None

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one file that one request fetches, by offset."""

    filename: str
    crawl: str
    records: tuple[Wanted, ...]

    @property
    def start(self) -> int:
        return self.records[0].offset

    @property
    def end(self) -> int:
        return max(record.end for record in self.records)

    def note(self) -> dict[str, Any]:
        """The group as JSON."""
        rows = [list(astuple(record)) for record in self.records]
        return {"filename": self.filename, "crawl": self.crawl, "records": rows}

    @classmethod
    def from_note(cls, note: Any) -> Group:
        return cls(note["filename"], note["crawl"], tuple(Wanted(*row) for row in note["records"]))


@dataclass(frozen=True, slots=True)
class Member:
    """A record that came: a whole gzip member."""

    wanted: Wanted
    data: bytes
    truncated: str | None
    remark: str | None
    """What is odd about it though it is kept."""


def is_name(filename: str | None) -> bool:
    """Whether this is a relative path below a store, without anything that could lead elsewhere."""
    return filename is not None and len(filename) <= 1_000 and bool(_NAME.fullmatch(filename))


def checked(found: Found) -> tuple[str, str, Wanted] | str:
    """File, crawl and record of a line of an index, or why it is refused."""
    if not is_name(found.filename) or not str(found.filename).endswith(".warc.gz"):
        return "file name"
    if found.offset is None or not 0 <= found.offset <= _MAX_OFFSET:
        return "offset"
    if found.length is None or not 0 < found.length <= _MAX_LENGTH:
        return "length"
    if not _URL.fullmatch(found.url or ""):
        return "URL"
    filename = str(found.filename)
    label = _LABEL.match(filename)
    crawl = found.crawl if _CRAWL.fullmatch(found.crawl or "") else label[1] if label else ""
    digest = (found.digest or "").upper().removeprefix("SHA1:")
    truncated = (found.truncated or "").strip()[:40] or None
    return filename, str(crawl), Wanted(found.offset, found.length, str(found.url), digest[:64] or None, truncated)


def groups(records: Iterable[tuple[str, str, Wanted]]) -> Iterator[Group]:
    """Near records of one file together; `records` come by file and offset. A record that is named twice is one."""
    filename, crawl, together = "", "", list[Wanted]()
    for name, origin, record in records:
        if together and name == filename:
            last = together[-1]
            if (record.offset, record.length) == (last.offset, last.length):
                continue
            near = record.offset - last.end <= MAX_GAP and record.end - together[0].offset <= MAX_SPAN
            if near and len(together) < MAX_RECORDS and origin == crawl:
                together.append(record)
                continue
        if together:
            yield Group(filename, crawl, tuple(together))
        filename, crawl, together = name, origin, [record]
    if together:
        yield Group(filename, crawl, tuple(together))


def starts_at(content_range: str) -> int | None:
    """First byte of an answer by its Content-Range; None for what is none."""
    found = _SPAN.fullmatch(content_range.strip())
    return int(found[1]) if found and int(found[1]) <= int(found[2]) else None


def member(record: Wanted, data: bytes) -> Member | str:
    """The record if `data` is what the index says it is, or why not, in words that can be counted."""
    plain = _unpacked(data)
    if isinstance(plain, str):
        return plain
    found = list(_two(plain))
    if len(found) != 1 or found[0].error or found[0].arc or found[0].position or not plain.startswith(b"WARC/1."):
        return "no single WARC record"
    frame = found[0]
    kind = frame.head.get("warc-type", "").lower()
    if kind not in ("response", "revisit"):
        return "no response record"
    if frame.head.get("warc-target-uri", "").strip("<> ") != record.url:
        return "another URL"
    remark = None if kind == "revisit" else _digest_remark(record, frame)
    return Member(record, data, frame.head.get("warc-truncated") or record.truncated, remark)


def _unpacked(data: bytes) -> bytes | str:
    decoder = zlib.decompressobj(31)
    try:
        plain = decoder.decompress(data, MAX_PAYLOAD + MAX_HEAD)
    except zlib.error:
        return "no gzip member"
    if decoder.unconsumed_tail:
        return "record too large"
    if not decoder.eof:
        return "gzip member cut off"
    return "bytes after the gzip member" if decoder.unused_data else plain


def _two(plain: bytes) -> Iterator[Frame]:
    for frame, _ in zip(frames(io.BytesIO(plain), 0, None, len(plain)), range(2), strict=False):
        yield frame


def _digest_remark(record: Wanted, frame: Frame) -> str | None:
    """Common Crawl stores bodies with their transfer coding undone; others do not, and digest either form."""
    if record.digest is None:
        return None
    body = parse(frame.block).body
    same = record.digest in (_sha1(body), _sha1(unchunk(body)))
    return None if same else "digest differs from the index"


def _sha1(body: bytes) -> str:
    return base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
