"""WARC and ARC records as they stand in an archive: head, block, position; nothing of HTTP yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from extractors.unpack import HEAD, NO_RECORD, Unpacked

MAX_HEAD = 1 << 16
MAX_LINE = 1 << 14
_BLANK_LINE = re.compile(rb"\n\r*\n")
_ARC = re.compile(rb"(.+) (\S+) (\d{8,18}|null|-) (.+) (-?\d{1,15})\r?\n$")
_VERSION = re.compile(rb"^warc/\d\.\d{1,2}[ \t\r]*$", re.I | re.M)
_FOLD = re.compile(r"\r*\n[ \t]+")
_LENGTH = re.compile(r"\d{1,15}")


@dataclass(slots=True)
class Frame:
    """One record as it stands in the archive, or with `error` a stretch of bytes that is none."""

    position: int
    """Uncompressed bytes before it in its segment."""
    size: int = 0
    """Uncompressed bytes it takes, with the newlines after it."""
    head: dict[str, str] = field(default_factory=dict)
    """Named fields, lower-case names. An ARC head is given in the names of WARC."""
    block: bytes = b""
    """The first bytes of the block, as many as the caller wanted to keep."""
    declared: int = 0
    """Length of the whole block by the head."""
    error: str | None = None
    arc: bool = False
    offset: int = 0
    length: int = 0
    unpacked: bool = False
    """Whether `length` counts uncompressed bytes, and `offset` does too if it is negative."""


def frames(file: BinaryIO, start: int, stop: int | None, keep: int) -> Iterator[Frame]:
    """Every record whose segment starts in [start, stop), in order, with at most `keep` bytes of its block.

    `offset` is the stored offset where a record starts a member (or the archive is not compressed), and
    otherwise minus the count of uncompressed bytes before it, counted from `start`. A damaged stretch is one
    frame with `error`. Never raises for bad bytes; a failing file raises OSError.
    """
    stream = Unpacked(file, start)
    before = 0
    empty = start == 0
    more = stream.next_segment()
    while more:
        offset = stream.offset
        if stop is not None and offset >= stop:
            return
        frame: Frame | None = None
        for following in _segment(stream, keep):
            if frame is not None:
                empty = False
                yield _placed(frame, stream, offset, before, alone=False)
            frame = following
            if stream.compression is None and stop is not None and offset + frame.position >= stop:
                return
        before, past = before + stream.position, before
        more = stream.next_segment()
        if frame is not None:
            if empty and not more and not stream.gap and _is_all_junk(frame):
                frame.error = _no_archive(file)
            empty = False
            yield _placed(frame, stream, offset, past, alone=True)
        if stream.gap is not None:
            empty = False
            yield _gap(*stream.gap)
    if empty:
        yield Frame(0, length=stream.size, error=_no_archive(file))


def _is_all_junk(frame: Frame) -> bool:
    return frame.position == 0 and (frame.error or "").startswith(NO_RECORD)


def _no_archive(file: BinaryIO) -> str:
    file.seek(0)
    magic = file.read(8)
    return f"no WARC or ARC record found (it starts with {magic!r})" if magic else "empty file"


def _segment(stream: Unpacked, keep: int) -> Iterator[Frame]:
    stream.skip_newlines()
    while stream.peek(1):
        yield _frame(stream, keep)


def _placed(frame: Frame, stream: Unpacked, offset: int, before: int, *, alone: bool) -> Frame:
    if stream.compression is None:
        frame.offset, frame.length = offset + frame.position, frame.size
    elif frame.position == 0 and alone:
        frame.offset, frame.length = offset, stream.end - offset
    else:
        frame.offset = -(before + frame.position) if frame.position else offset
        frame.length, frame.unpacked = frame.size, True
    return frame


def _gap(first: int, last: int, why: str) -> Frame:
    return Frame(0, offset=first, length=last - first, error=f"{why} ({last - first} bytes skipped)")


def _frame(stream: Unpacked, keep: int) -> Frame:
    """Reads the record at the stream's position and the newlines after it; always goes forward."""
    start = stream.position
    frame = _read_head(stream)
    if frame.error is not None:
        stream.to_head()
        frame.size = stream.position - start
        frame.error = stream.damage or f"{frame.error} ({frame.size} bytes skipped)"
        return frame
    body = stream.position
    missing = stream.lacks(frame.declared)
    if not missing:
        frame.block = stream.read(min(frame.declared, keep))
        rest = frame.declared - len(frame.block)
        missing = rest - stream.skip(rest)
        stream.skip_newlines()
    ahead = stream.peek(MAX_LINE)
    if stream.damage:
        frame.error = stream.damage
    elif missing or (ahead and not HEAD.match(ahead)):
        frame.error = _misfit(stream, body, frame.declared, missing)
    frame.size = stream.position - start
    return frame


def _misfit(stream: Unpacked, body: int, declared: int, missing: int) -> str | None:
    """What is wrong with a block that does not end where a record may end; moves back to a record inside it."""
    after = None if missing else stream.position
    if stream.rewind(body):
        stream.to_head(until=after)
        inside = bool(stream.peek(1)) if after is None else stream.position < after
        if inside:
            return f"declared length of {declared} bytes runs over the next record"
    return f"payload is {missing} bytes short of its declared length" if missing else None


def _read_head(stream: Unpacked) -> Frame:
    """The head at the stream's position, read up to its block, or a frame with an error, read past its start."""
    frame = Frame(stream.position)
    ahead = stream.peek(4096)
    line = HEAD.match(ahead)
    if line is None:
        line = HEAD.match(stream.peek(MAX_LINE))
    if line is None:
        frame.error = NO_RECORD
        return frame
    if not _VERSION.match(line.group()):
        stream.skip(line.end())
        return _arc_head(frame, line.group())
    end = _BLANK_LINE.search(ahead, line.end() - 1)
    next_version = _VERSION.search(ahead, line.end())
    if end is None and next_version is None:
        ahead = stream.peek(MAX_HEAD)
        end = _BLANK_LINE.search(ahead, line.end() - 1)
    stream.skip(line.end())
    if end is None and next_version is None:
        frame.error = "record head has no end"
        return frame
    lines = ahead[line.end() : end.end()] if end else b""
    if not end or _VERSION.search(lines):
        frame.error = "record head breaks off"
        return frame
    frame.head = parse_fields(lines)
    length = frame.head.get("content-length", "")
    if not _LENGTH.fullmatch(length):
        frame.error = f"record head has no Content-Length but {length[:40]!r}"
        return frame
    frame.declared = int(length)
    stream.skip(len(lines))
    return frame


def _arc_head(frame: Frame, line: bytes) -> Frame:
    match = _ARC.match(line)
    if match is None or match[5].startswith(b"-"):
        frame.error = "record head has no length" if match else NO_RECORD
        return frame
    url, _, date, middle, length = (text(part) for part in match.groups())
    frame.arc = True
    frame.declared = int(length)
    kind = "warcinfo" if url.startswith("filedesc:") else "response"
    frame.head = {"warc-type": kind, "warc-target-uri": url, "warc-date": date}
    frame.head["content-type"] = middle.split(" ")[0]
    return frame


def text(data: bytes) -> str:
    """Header bytes as text: UTF-8, or Latin-1 where they are not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse_fields(lines: bytes) -> dict[str, str]:
    """Named fields (`Name: value`) by lower-case name; folded lines joined, the first of several values kept."""
    fields: dict[str, str] = {}
    for line in _FOLD.sub(" ", text(lines)).split("\n"):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if colon and name:
            fields.setdefault(name, value.strip())
    return fields
