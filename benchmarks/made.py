"""Inputs made for the benchmark: the same archive several times over, in two files, and a large one."""

from __future__ import annotations

import random
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_URI = re.compile(rb"(?mi)^WARC-Target-URI: (.*?)\r?$")
_ID = re.compile(rb"(?mi)^WARC-Record-ID: .*?\r?$")
MARK = "#copy-"
"""Stands between a page's url and the number of the copy."""


def original(url: str) -> str:
    """The url of the page that this one is a copy of."""
    return url.partition(MARK)[0]


def copies(source: Path, target: Path, count: int) -> None:
    """Write each record `count` times, round by round; all but the first round have another url and record id.

    Payloads are left alone, so all but one of the copies of a page are exact duplicates. One copy is the file itself.
    """
    if count == 1:
        shutil.copyfile(source, target)
        return
    with target.open("wb") as out:
        for number in range(count):
            with source.open("rb") as file:
                _copy(file, out, number)


def _copy(file: BinaryIO, out: BinaryIO, number: int) -> None:
    from warcio.archiveiterator import ArchiveIterator

    for place, record in enumerate(ArchiveIterator(file, no_record_parse=True)):
        head = record.rec_headers.to_bytes()
        if number:
            head = _URI.sub(rb"WARC-Target-URI: \1" + f"{MARK}{number}\r".encode(), head)
            head = _ID.sub(f"WARC-Record-ID: <urn:copy:{number}:{place}>\r".encode(), head)
        out.write(_member(head + record.raw_stream.read() + b"\r\n\r\n"))


def halves(source: Path, folder: Path) -> None:
    """Write the archive as two files, split at the record nearest its middle."""
    from extractors import warc

    size = source.stat().st_size
    offsets = warc.cuts(lambda: source.open("rb"), max(1, size // 50))
    middle = min(offsets, key=lambda offset: abs(offset - size // 2))
    folder.mkdir(parents=True)
    with source.open("rb") as file:
        (folder / "half-1.warc.gz").write_bytes(file.read(middle))
        (folder / "half-2.warc.gz").write_bytes(file.read())


def _member(data: bytes, level: int = 1) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()


LARGE = """images of 1 MiB (random bytes) up to the size asked for; among them per 100 MB: 60 pages of 20 to 60 kB, \
one page of 12 MB in every second, one plain text of 10 MB in every second, one record of 80 MB in every fifth and \
one of 1 GB of spaces (1 MB stored) in every fifth, both of which call themselves HTML and are over the payload limit"""


def large(target: Path, size: int) -> int:
    """Write an archive of `size` bytes as stored, see LARGE; returns how many records it holds."""
    dice = random.Random(1)
    records = 0
    with target.open("wb") as out:

        def add(mime: str, body: bytes, level: int = 1) -> None:
            nonlocal records
            records += 1
            out.write(_member(_response(records, mime, body), level))

        block = 0
        while out.tell() < size:
            _block(dice, add, block)
            block += 1
    return records


def _block(dice: random.Random, add: Callable[..., None], number: int) -> None:
    for _ in range(60):
        add("text/html", _page(dice, dice.randrange(20_000, 60_000)))
    for _ in range(95):
        add("image/jpeg", b"\xff\xd8\xff\xe0" + dice.randbytes(1 << 20), 0)
    if number % 2 == 0:
        add("text/html", _page(dice, 12_000_000))
        add("text/plain", _prose(dice, 10_000_000).encode())
    if number % 5 == 1:
        add("text/html", b"<html>" + dice.randbytes(80_000_000), 0)
        add("text/html", b"<html>" + b" " * 1_000_000_000)


def _response(number: int, mime: str, body: bytes) -> bytes:
    http = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:made:{number}>\r\n"
        f"WARC-Date: 2024-01-01T00:00:00Z\r\nWARC-Target-URI: https://made.example/{number}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http) + len(body)}\r\n\r\n"
    )
    return head.encode() + http + body + b"\r\n\r\n"


_COMMON = [
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "was", "on", "are", "as", "with", "be", "at", "by",
    "this", "have", "from", "or", "had", "not", "but", "what", "all", "were", "when", "we", "there", "can", "which",
]  # fmt: skip
_SYLLABLES = ["ban", "con", "der", "er", "for", "ing", "hal", "in", "jar", "ly", "land", "ment", "ness", "or", "per"]


def _prose(dice: random.Random, chars: int) -> str:
    """Lines of 60 words, half of them common English words, half made ones."""
    vocabulary = ["".join(dice.choices(_SYLLABLES, k=dice.randint(1, 4))) for _ in range(5_000)]
    vocabulary += _COMMON * (len(vocabulary) // len(_COMMON))
    lines, length = [], 0
    while length < chars:
        line = " ".join(dice.choices(vocabulary, k=60)) + "."
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines)


def _page(dice: random.Random, chars: int) -> bytes:
    paragraphs = "".join(f"<p>{line}</p>\n" for line in _prose(dice, chars).splitlines())
    return f"<html><head><title>Made</title></head><body><article>{paragraphs}</article></body></html>".encode()
