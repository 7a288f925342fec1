"""HTTP messages as archives store them: status, header fields, and the body with its codings undone."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from extractors.codecs import ZSTD_MAGIC, Decoder, ZstdFrame
from extractors.frames import MAX_HEAD, parse_fields

INPUT = 1 << 14
SLICE = 1 << 16
MAX_MEMBERS = 10_000
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})\b")
_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*:"
_FIELD = re.compile(_NAME)
_HEAD = re.compile(rb"(?:HTTP/[^\n]*\n?)?(?:(?:" + _NAME + rb"|[ \t]++(?!<))[^\n]*+\n?)*+")
_END = re.compile(rb"\n\r*\n")
_BODY = re.compile(rb"\n(?:<|%PDF-)")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\n]*)?\r?\n")
_CHUNK_END = re.compile(rb"\r?(?:\n|\Z)")
_TRAILER = re.compile(rb"(?:" + _NAME + rb"[^\n]*+\n?)*+\s*\Z")


@dataclass(slots=True)
class Message:
    """An HTTP message; `error` says why its body could not be decoded."""

    status: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    """Header fields by lower-case name."""
    body: bytes = b""
    error: str | None = None


class TooLarge(Exception):
    """The decoded body is over the limit."""


def parse(block: bytes) -> Message:
    """Splits a block into status, header fields and body as stored; a block without a head is all body."""
    status = _STATUS.match(block)
    if not status and not block.startswith(b"HTTP/") and not _FIELD.match(block):
        return Message(body=block)
    stop = _head_end(block)
    head = block[:stop]
    if status or block.startswith(b"HTTP/"):
        head = head.partition(b"\n")[2]
    return Message(int(status[1]) if status else None, parse_fields(head), block[stop:])


def _head_end(block: bytes) -> int:
    """Where the blank line ends or, if there is none before the body, the last line that can be a header field."""
    end = _END.search(block, 0, MAX_HEAD)
    if end and not _BODY.search(block, 0, end.start()):
        return end.end()
    lines = _HEAD.match(block, 0, MAX_HEAD)
    return lines.end() if lines else 0


def decode(message: Message, limit: int, cut: bool = False) -> Message:
    """Undoes transfer and content codings in place, within `limit` bytes; `cut`: the body may end early.

    Crawlers often store a body already decoded under its old header fields, so a body that does not begin as
    its coding would is taken as it is, and so is one with an unknown coding.
    """
    if "chunked" in message.fields.get("transfer-encoding", "").lower():
        message.body = unchunk(message.body)
    codings = [name.strip().lower() for name in message.fields.get("content-encoding", "").split(",")]
    for coding in reversed(codings[:4]):
        decoder = _DECODERS.get(coding)
        if decoder is None or not message.body:
            continue
        try:
            message.body = decoder(message.body, limit, cut)
        except TooLarge:
            message.body, message.error = b"", f"payload over {megabytes(limit)}"
        except ValueError as error:
            message.body, message.error = b"", f"content-encoding {coding}: {error}"
    if message.error is None and len(message.body) > limit:
        message.body, message.error = b"", f"payload over {megabytes(limit)}"
    return message


def megabytes(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"


def unchunk(body: bytes) -> bytes:
    """Joins the chunks of a body. From the first that is not as chunks are, the rest is taken as it is."""
    pieces: list[bytes] = []
    at = 0
    while head := _CHUNK.match(body, at):
        start, size = head.end(), int(head[1], 16)
        if size == 0:
            return b"".join(pieces) if _TRAILER.match(body, start) else b"".join(pieces) + body[at:]
        after = _CHUNK_END.match(body, start + size)
        # A number on the first line of a text is no chunk that was cut off: that would keep HTTP's line ends.
        cut_off = start + size > len(body)
        if not after or (cut_off and not pieces and not head[0].endswith(b"\r\n")):
            break
        pieces.append(body[start : start + size])
        at = after.end()
    return b"".join(pieces) + body[at:]


def _collect(pieces: Iterator[bytes], limit: int) -> bytes:
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TooLarge
        kept.append(piece)
    return b"".join(kept)


def _members(body: bytes, new: Callable[[], Decoder], magic: bytes, cut: bool) -> Iterator[bytes]:
    at = 0
    for _ in range(MAX_MEMBERS):
        decoder = new()
        pending = b""
        while not decoder.eof:
            if not pending:
                pending = body[at : at + INPUT]
                at += len(pending)
            more = bool(pending)
            piece = decoder.decompress(pending, SLICE)
            pending = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if not piece and not more and not decoder.eof:
                if cut:
                    return
                raise ValueError("data ends early")
            yield piece
        at -= len(pending)
        # Several members may follow each other; anything else after one is padding.
        if not magic or not body.startswith(magic, at):
            return
    raise ValueError(f"too many members: over {MAX_MEMBERS}")


def _zlib(body: bytes, limit: int, cut: bool, wbits: int, magic: bytes = b"") -> bytes:
    try:
        return _collect(_members(body, lambda: zlib.decompressobj(wbits), magic, cut), limit)
    except zlib.error as error:
        raise ValueError(str(error)[:80]) from error


def _gunzip(body: bytes, limit: int, cut: bool) -> bytes:
    magic = b"\x1f\x8b"
    return _zlib(body, limit, cut, 31, magic) if body.startswith(magic) else body


def _deflate(body: bytes, limit: int, cut: bool) -> bytes:
    for wbits in (15, -15):
        try:
            return _zlib(body, limit, cut, wbits)
        except ValueError:
            continue
    if body.lstrip()[:1] == b"<":
        return body
    raise ValueError("neither zlib nor raw deflate data")


def _brotli(body: bytes, limit: int, cut: bool) -> bytes:
    import brotli

    def pieces() -> Iterator[bytes]:
        decoder = brotli.Decompressor()
        data = body
        while not decoder.is_finished():
            piece = decoder.process(data, output_buffer_limit=SLICE)
            if not piece and not data and decoder.can_accept_more_data():
                if cut:
                    return
                raise ValueError("data ends early")
            data = b""
            yield piece

    try:
        return _collect(pieces(), limit)
    except brotli.error as error:
        if body.lstrip()[:1] == b"<":
            return body
        raise ValueError("data is broken") from error


def _unzstd(body: bytes, limit: int, cut: bool) -> bytes:
    import zstandard

    if not body.startswith(ZSTD_MAGIC):
        return body
    try:
        return _collect(_members(body, ZstdFrame, ZSTD_MAGIC, cut), limit)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)[:80]) from error


_DECODERS: dict[str, Callable[[bytes, int, bool], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _unzstd,
}
