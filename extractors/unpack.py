"""The uncompressed bytes of a web archive, with positions in the archive as stored.

An archive is read as a row of segments. A segment starts at a gzip member or zstd frame whose first bytes are
the head of a record, and takes in the members after it that only continue it; a plain file is one segment.
So a record can never run over the next member that holds a record of its own, whatever length it declares.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from extractors.codecs import MAX_DICTIONARY, Decoder, GzipMember, Plain, ZstdFrame, errors, read_dictionary

INPUT = 1 << 16
OUTPUT = 1 << 20
PROBE = 1 << 13
SEARCH = 1 << 18
NO_RECORD = "no record"

_HEAD = (
    rb"(?:[Ww][Aa][Rr][Cc]/\d\.\d{1,2}[ \t\r]*\n"
    rb"|(?:[A-Za-z][A-Za-z0-9+.-]{1,30}://|dns:|mailto:)[^\r\n]{0,8000} (?:[0-9A-Fa-f.:]{1,45}|-)"
    rb" (?:\d{8,18}|null|-)(?: [^ \r\n]{1,500}){1,7} -?\d{1,15}\r?\n)"
)
HEAD = re.compile(_HEAD)
"""The first line of a record: the version line of a WARC record, or the whole head of an ARC record."""
_LINE_HEAD = re.compile(rb"\n" + _HEAD)
_MEMBER = re.compile(rb"(?P<gzip>\x1f\x8b\x08[\x00-\x1f])|(?P<zstd>\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)")


class Unpacked:
    """Reads the segments of an archive one after another; call `next_segment` before the first as well.

    `offset` is the stored offset of the segment, `position` the count of its uncompressed bytes already read.
    `damage` says why the segment ended before its compressed data did; `gap` is the stretch (first and last
    stored offset, and why) of bytes before the segment that belong to no member, `end` where the segment before ended.
    """

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._errors = errors()
        self._dictionary: bytes | None = None
        self.compression = self._detect()
        if self.compression == "zstd":
            self._dictionary = self._read_dictionary()
        self._rewinds = 4 * self.size + (1 << 28)
        self.gap: tuple[int, int, str] | None = None
        self.offset = self.end = self._member = -1
        self._begin = start
        self._goto(start)
        self._reset()

    # -- raw input ----------------------------------------------------------------------------------------

    def _goto(self, stored: int) -> None:
        self._file.seek(stored)
        self._read_to = stored
        self._pending = b""

    def _stored(self) -> int:
        return self._read_to - len(self._pending)

    def _feed(self, wanted: int = 1) -> bool:
        while len(self._pending) < wanted:
            chunk = self._file.read(INPUT)
            if not chunk:
                return False
            self._read_to += len(chunk)
            self._pending += chunk
        return True

    def _reset(self) -> None:
        self._decoder: Decoder | None = None
        self._buffer = b""
        self._at = 0
        self.position = 0
        self._fault: str | None = None
        self._head: bytes | None = None
        self._lost: str | None = None
        self._over = False

    # -- members ------------------------------------------------------------------------------------------

    def _detect(self) -> str | None:
        """The compression by the first bytes or, where they are junk, by the first member that shows a record."""
        self._file.seek(0)
        start = self._file.read(PROBE)
        if known := _MEMBER.match(start):
            return known.lastgroup
        if HEAD.match(start):
            return None
        start += self._file.read(SEARCH)
        plain = _LINE_HEAD.search(start)
        for match in _MEMBER.finditer(start, 0, plain.start() if plain else len(start)):
            if self._shows_head(match):
                return match.lastgroup
        return None

    def _new_decoder(self, compression: str | None) -> Decoder:
        if compression == "gzip":
            return GzipMember()
        return ZstdFrame(self._dictionary) if compression == "zstd" else Plain()

    def _read_dictionary(self) -> bytes | None:
        """The dictionary that a zstd archive may carry in a skippable frame of its own at its start."""
        self._file.seek(0)
        head = self._file.read(8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] != b"\x5d\x2a\x4d\x18" or size > MAX_DICTIONARY:
            return None
        return read_dictionary(self._file.read(size))

    def _start_member(self) -> bool:
        """Begins the member at the current stored offset; False at the end of the file or where there is none."""
        while self._feed(4):
            magic = self._pending[:4]
            if self.compression == "zstd" and magic[1:] == b"\x2a\x4d\x18" and self._feed(8):
                self._goto(self._stored() + 8 + int.from_bytes(self._pending[4:8], "little"))
                continue
            match = _MEMBER.match(magic)
            if not match or match.lastgroup != self.compression:
                return False
            self._decoder = self._new_decoder(self.compression)
            return True
        return False

    def _decompress(self, limit: int = OUTPUT) -> bytes:
        """More bytes of the member under way; after its last ones `_decoder` is None, with `_fault` if broken."""
        decoder = self._decoder
        if decoder is None:
            return b""
        more = bool(self._pending) or self._feed()
        try:
            data = decoder.decompress(self._pending, limit)
        except self._errors as error:
            self._fault = f"{self.compression} data is broken ({str(error)[:80]}) at offset {self._member}"
            self._decoder = None
            return b""
        self._pending = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        if decoder.eof:
            self._decoder = None
        elif not more and not data:
            self._decoder = None
            if self.compression:
                self._fault = f"{self.compression} data ends early at offset {self._member}"
        return data

    def _open_member(self) -> bytes | None:
        """Begins the next member and returns its first bytes, or None where no member can be read."""
        self._member = self._stored()
        if not self._start_member():
            return None
        self._member = self._stored()
        head = b""
        while self._decoder is not None and len(head) < PROBE:
            head += self._decompress(PROBE)
        return head

    def _pull(self) -> bool:
        """Adds bytes of the segment to the buffer; False when the segment has no more."""
        while not self._over and not self._fault:
            if self._decoder is not None:
                data = self._decompress()
            else:
                opened = None if self.compression is None else self._open_member()
                if opened is None:
                    self._over = True
                elif HEAD.match(opened):
                    self._over, self._head = True, opened
                elif self._disowned(opened):
                    self._over = True
                data = opened if opened and not self._over else b""
            if data:
                self._buffer = self._buffer[self._at :] + data
                self._at = 0
                return True
        return False

    def _disowned(self, head: bytes) -> bool:
        """Whether the member just opened is broken before it shows a record: then it belongs to no segment."""
        if not self._fault or HEAD.match(head):
            return False
        self._lost, self._fault = self._fault, None
        self._goto(self._member)
        return True

    # -- segments -----------------------------------------------------------------------------------------

    def next_segment(self) -> bool:
        """Goes to the next segment, over what is left of this one; False at the end of the archive."""
        self.gap = None
        if self.offset < 0:
            return self._begin < self.size and self._restart(self._begin)
        self.skip(1 << 62)
        if self._head is not None:
            self.end = self._member
            return self._enter(self._member, self._head)
        broken = self._fault is not None
        self.end = lost = self._member + 1 if broken else self._stored()
        if self.compression is None or lost >= self.size:
            self.end = self.size
            return False
        # What could not be opened once must not be found again.
        found = self._find_member(lost + 1 if self._lost else lost)
        if broken:
            self.end = found
        elif self._lost or not self._blank(lost, found):
            self.gap = (lost, found, self._lost or NO_RECORD)
        return found < self.size and self._restart(found)

    def _restart(self, stored: int) -> bool:
        self._goto(stored)
        self._reset()
        if self.compression is None:
            self._decoder = Plain()
            return self._enter(stored, b"")
        head = self._open_member() or b""
        if self._disowned(head):
            head = b""
        lost = self._lost
        self._enter(stored, head)
        self._lost = lost
        return True

    def _enter(self, stored: int, head: bytes) -> bool:
        decoder, fault = self._decoder, self._fault
        self._reset()
        self._decoder, self._fault = decoder, fault
        self.offset, self._buffer = stored, head
        return True

    def _find_member(self, stored: int) -> int:
        """Stored offset of the next member that starts with a record's head; the archive's size if none."""
        self._file.seek(stored)
        window = b""
        while True:
            chunk = self._file.read(SEARCH)
            window += chunk
            end = len(window) - PROBE if chunk else len(window)
            for match in _MEMBER.finditer(window):
                if match.start() >= end:
                    break
                if match.lastgroup == self.compression and self._shows_head(match):
                    return stored + match.start()
            if not chunk:
                return self.size
            keep = max(end, 0)
            window, stored = window[keep:], stored + keep

    def _shows_head(self, member: re.Match[bytes]) -> bool:
        data = member.string[member.start() : member.start() + PROBE]
        try:
            return bool(HEAD.match(self._new_decoder(member.lastgroup).decompress(data, PROBE)))
        except self._errors:
            return False

    def _blank(self, first: int, last: int) -> bool:
        if last - first > INPUT:
            return False
        self._file.seek(first)
        return not self._file.read(last - first).strip(b"\0\r\n\t ")

    # -- uncompressed bytes of the segment ----------------------------------------------------------------

    @property
    def damage(self) -> str | None:
        return self._fault if self._head is None and self._at == len(self._buffer) else None

    def peek(self, size: int) -> bytes:
        """The next `size` bytes of the segment without reading them; fewer at its end."""
        while len(self._buffer) - self._at < size and self._pull():
            pass
        return self._buffer[self._at : self._at + size]

    def lacks(self, size: int) -> int:
        """How many of the next `size` bytes are known to be missing; 0 for compressed data, where none is known."""
        return max(self.offset + self.position + size - self.size, 0) if self.compression is None else 0

    def read(self, size: int) -> bytes:
        """The next `size` bytes of the segment; fewer at its end."""
        pieces: list[bytes] = []
        while size > 0 and (self._at < len(self._buffer) or self._pull()):
            piece = self._buffer[self._at : self._at + size]
            pieces.append(piece)
            self._advance(len(piece))
            size -= len(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> int:
        """Reads `size` bytes without keeping them; returns how many there were."""
        left = size
        while left > 0 and (self._at < len(self._buffer) or self._pull()):
            step = min(left, len(self._buffer) - self._at)
            self._advance(step)
            left -= step
        return size - left

    def _advance(self, step: int) -> None:
        self._at += step
        self.position += step

    def skip_newlines(self) -> None:
        while ahead := self.peek(1):
            if ahead not in b"\r\n":
                return
            run = self.peek(4096)
            self._advance(len(run) - len(run.lstrip(b"\r\n")))

    def rewind(self, position: int) -> bool:
        """Goes back to `position` in the segment; False where that was done too often for the archive's size."""
        again = self.position - (position if self.compression is None else 0)
        if again > self._rewinds:
            return False
        self._rewinds -= again
        if self.compression is None:
            offset = self.offset
            self._restart(offset + position)
            self.offset, self.position = offset, position
        else:
            self._restart(self.offset)
            self.skip(position)
        return True

    def to_head(self, until: int | None = None) -> None:
        """Skips to the next line that starts a record, to `until` or to the end of the segment."""
        if HEAD.match(self.peek(PROBE)):
            return
        while ahead := self.peek(INPUT):
            found = _LINE_HEAD.search(ahead)
            room = len(ahead) if until is None else min(len(ahead), until - self.position)
            if found and found.start() + 1 < room:
                self._advance(found.start() + 1)
                return
            if room < len(ahead) or len(ahead) < INPUT:
                self._advance(room)
                return
            # A head may stand across the edge of what is seen: keep the last line, unless it is endless.
            line = ahead.rfind(b"\n")
            self._advance(line if line > INPUT - PROBE - 2048 else INPUT - 1)
