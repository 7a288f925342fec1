"""Decompressors that give bounded output: zlib's, and one for zstd with the same interface."""

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


def zlib_decoder(wbits: int) -> Decoder:
    return zlib.decompressobj(wbits)


class Plain:
    """Bytes that are not compressed."""

    eof = False
    unused_data = unconsumed_tail = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return data


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
