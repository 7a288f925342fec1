"""WARC/1.1 records as bytes, from what came over the wire; nothing that came can add a line, a field or a record."""

from __future__ import annotations

import hashlib
import re
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from harvesters.harvester import LABELS

LEVEL = 3
"""Of zlib: half the time of its default of 6 for 11 to 13 % more bytes (pages of 20 to 60 kB)."""
_WINDOW = 1 << 12
"""What fits into so small a window takes a quarter of the time: most of it went into clearing the large one. For the
rest, half of zlib's usual window and tables is as fast alone, and in a crawl faster: it leaves the cache to others."""
MAX_URL = 8_000
MAX_VALUE = 7_000
"""Bytes of a field's value: FastWARC reads lines of up to 8 KiB."""
MAX_HEAD = 31 << 10
"""Bytes of an HTTP head; the fields after that are left out. FastWARC gives up a file at a head of 32 KiB."""
MAX_LABEL = 1_000
"""Bytes of a label."""
SECRET = frozenset(
    {
        "set-cookie", "set-cookie2", "cookie", "cookie2", "authorization", "proxy-authorization", "proxy-authenticate",
        "authentication-info", "proxy-authentication-info",
    }
)  # fmt: skip
"""Header fields that no archive has."""
_LEFT_OUT = SECRET | {"transfer-encoding"}
TRUNCATED = frozenset({"length", "time", "disconnect", "unspecified"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_LABEL_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_CREDENTIALS = re.compile(r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:[/\\]{2,})[^/\\?#\s]{0,8000}@", re.I)
_AUTHORITY = re.compile(r"[a-z][a-z0-9+.-]*:/*([^/?#]*)", re.I)
_SAFE = "!#$%&'()*+,/:;=?@[]\\^`{|}~-._"

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [one + two for one in _BASE32 for two in _BASE32]
"""Base32 of 10 bits; the standard library's takes as long as the SHA-1 of 20 kB."""
_SHIFTS = range(150, -1, -10)

Fields = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Exchange:
    """One request and the answer to it."""

    url: str
    method: str
    request_headers: Fields
    """As sent."""
    status: int
    reason: str
    headers: Fields
    """As received, in order, several of one name apart; characters stand for bytes (Latin-1)."""
    body: bytes
    """As sent, after transfer coding; content coding kept."""
    fetched: datetime
    """When it was asked for (UTC)."""
    ip: str | None = None
    truncated: str | None = None
    """Why `body` is not whole: length, time, disconnect."""


def payload_digest(body: bytes) -> str:
    """`sha1:` and the Base32 of the SHA-1."""
    return _digest(body)


def _digest(*parts: bytes) -> str:
    hasher = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        hasher.update(part)
    value = int.from_bytes(hasher.digest(), "big")
    return "sha1:" + "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


def record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def warc_date(moment: datetime) -> str:
    """`2026-11-21T03:00:00.123Z`: whole milliseconds, as `fetches` has them."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def target_uri(url: str) -> str:
    """The URL as a record may have it: printable ASCII, without credentials. ValueError if it is too long."""
    url = url.strip()
    if own := _CREDENTIALS.match(url):  # those of an address in its path or query are part of its name
        url = own[1] + url[own.end() :]
    url = quote(url, safe=_SAFE, errors="replace")
    if not 0 < len(url) <= MAX_URL:
        raise ValueError(f"URL of {len(url)} bytes; an archive takes 1 to {MAX_URL}")
    return url


def _without_credentials(text: str) -> str:
    return _CREDENTIALS.sub(r"\1", text) if "@" in text else text


def label_fields(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Labels as named fields: `{"erudit_id": "1"}` gives `Florilege-Erudit-Id: 1`. ValueError for one not in LABELS."""
    fields = []
    for name, value in labels.items():
        if name not in LABELS:
            raise ValueError(f"no label {name!r}; there are {', '.join(LABELS)}")
        # The names are ASCII words: what `title` does to them is what the reader undoes.
        cleaned = _without_credentials(_LABEL_CONTROLS.sub(" ", value[: 2 * MAX_LABEL]).strip())
        cleaned = cleaned.encode()[:MAX_LABEL].decode("utf-8", "ignore").strip()
        if cleaned:
            fields.append((f"Florilege-{name.replace('_', '-').title()}", cleaned))
    return fields


def http_head(first: str, fields: Fields, length: int | None) -> bytes:
    """Start line and header fields of a stored message, up to its blank line.

    Leaves out SECRET fields, those whose name is none, and Transfer-Encoding, which is undone; of a message with a
    Content-Length that is made `length`, if not None. Control characters in values become spaces.
    """
    lines = [_bytes(_CONTROLS.sub(" ", first))[:MAX_VALUE]]
    size = len(lines[0]) + 4
    counted = False
    for name, value in fields:
        if length is not None and name.strip(" \t").lower() == "content-length":
            if counted:
                continue
            value, counted = str(length), True
        line = _line(name, value[: 2 * MAX_VALUE])
        if line is None:
            continue
        size += len(line) + 2
        if size > MAX_HEAD:
            break
        lines.append(line)
    return b"\r\n".join(lines) + b"\r\n\r\n"


@lru_cache(1_000)
def _line(name: str, value: str) -> bytes | None:
    """A header field as it is stored; None for one that no archive has. Most of a server's answers have the same."""
    name = name.strip(" \t")
    if not _TOKEN.fullmatch(name) or name.lower() in _LEFT_OUT:
        return None
    cleaned = _without_credentials(_CONTROLS.sub(" ", value).strip(" \t"))
    return f"{name}: ".encode() + _bytes(cleaned)[:MAX_VALUE]


def _bytes(text: str) -> bytes:
    """The bytes that stand behind a header's text: Latin-1, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def status_line(exchange: Exchange) -> str:
    return f"HTTP/1.1 {exchange.status:03} {exchange.reason}"


def request_head(exchange: Exchange, uri: str) -> bytes:
    """The request as it went out; its Host from the URL where the fields do not have it."""
    authority = _AUTHORITY.match(uri)
    host, path = (authority[1], uri[authority.end() :]) if authority else ("", uri)
    path = path.partition("#")[0]
    method = exchange.method if _TOKEN.fullmatch(exchange.method) else "GET"
    fields = list(exchange.request_headers)
    if not any(name.strip().lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", host))
    return http_head(f"{method} {path if path.startswith('/') else '/' + path} HTTP/1.1", fields, None)


def member(fields: Fields, block: Sequence[bytes]) -> bytes:
    """One record as a gzip member. `fields`: named fields, clean already, without Content-Length and Block-Digest."""
    lines = ["WARC/1.1", *(f"{name}: {value}" for name, value in fields)]
    lines += [f"WARC-Block-Digest: {_digest(*block)}", f"Content-Length: {sum(map(len, block))}", "", ""]
    head = "\r\n".join(lines).encode("utf-8", "replace")
    small = len(head) + sum(map(len, block)) < _WINDOW
    window, tables = (12, 4) if small else (14, 7)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + window, tables)
    return b"".join([*(packer.compress(part) for part in (head, *block, b"\r\n\r\n")), packer.flush()])


def base_fields(kind: str, identity: str, uri: str, date: str, msgtype: str) -> list[tuple[str, str]]:
    """The named fields that records of HTTP messages share."""
    return [
        ("WARC-Type", kind),
        ("WARC-Record-ID", identity),
        ("WARC-Target-URI", uri),
        ("WARC-Date", date),
        ("Content-Type", f"application/http; msgtype={msgtype}"),
    ]


def read_fields(block: bytes, end: int) -> Iterator[tuple[str, str]]:
    """Lower-case names and values of the header fields of a stored message whose head ends at `end`, in order."""
    for line in block[:end].split(b"\n")[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name.strip():
            yield name.strip().lower(), value.strip()
