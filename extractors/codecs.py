"""Decompressors that give bounded output, for gzip and zstd, with the interface of zlib's."""

from __future__ import annotations

import zlib
from typing import Protocol

ZSTD_SLICE = 512
MAX_WINDOW = 1 << 27
MAX_DICTIONARY = 1 << 24
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Decoder(Protocol):
    """What zlib's decompressor is: one member at a time, at most `max_length` bytes a call."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Plain:
    """Bytes that are not compressed."""

    eof = False
    unused_data = unconsumed_tail = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return data


class GzipMember:
    """One gzip member; what stands before a broken block is given before the error is raised."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)
        self._most = 1 << 20

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    @property
    def unconsumed_tail(self) -> bytes:
        return self._member.unconsumed_tail

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        while True:
            before = self._member.copy()
            size = min(max_length, self._most)
            try:
                return self._member.decompress(data, size)
            except zlib.error:
                # A call that fails gives nothing of what it had decompressed: it is made again for less.
                if size <= 1:
                    raise
                self._member, self._most = before, max(size // 32, 1)


class ZstdFrame:
    """One zstd frame with the interface of zlib's decompressor.

    One input byte can stand for 32 KiB of output, so the input goes in by small slices.
    """

    def __init__(self, dictionary: bytes | None = None) -> None:
        import zstandard

        known = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._frame = zstandard.ZstdDecompressor(dict_data=known, max_window_size=MAX_WINDOW).decompressobj()
        self.eof = False
        self.unused_data = self.unconsumed_tail = b""
        self._error: Exception | None = None
        self._failures = zstandard.ZstdError

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._error:
            raise self._error
        pieces: list[bytes] = []
        size = at = 0
        while at < len(data) and size < max_length and not self.eof:
            try:
                pieces.append(self._frame.decompress(data[at : at + ZSTD_SLICE]))
            except self._failures as error:
                if not pieces:
                    raise
                # What came before the broken block still counts: the error waits for the next call.
                self._error = error
                break
            size += len(pieces[-1])
            at += ZSTD_SLICE
            self.eof = self._frame.eof
        self.unconsumed_tail = b"" if self.eof else data[at:]
        self.unused_data = self._frame.unused_data + data[at:] if self.eof else b""
        return b"".join(pieces)


def errors() -> tuple[type[Exception], ...]:
    """What decompressors raise on bad data."""
    import zstandard

    return (zlib.error, zstandard.ZstdError)


def read_dictionary(content: bytes) -> bytes | None:
    """A dictionary as WARC-zstd archives carry it: as it is, or compressed by itself; None if it is broken."""
    import zstandard

    try:
        if content.startswith(ZSTD_MAGIC):
            reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(content)
            content = bytes(reader.read(MAX_DICTIONARY))
        ZstdFrame(content)
    except zstandard.ZstdError:
        return None
    return content or None
