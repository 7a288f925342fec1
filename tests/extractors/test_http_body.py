"""Codings of HTTP bodies, right, wrong, cut off and endless."""

from __future__ import annotations

import gzip
import time
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from extractors.http_body import MAX_MEMBERS, Message, decode, parse, unchunk

PAGE = b"<html><p>" + b"text " * 200 + b"</p></html>"
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
CODED = {
    "gzip": gzip.compress(PAGE),
    "x-gzip": gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:]),
    "deflate": zlib.compress(PAGE),
    "Deflate": RAW.compress(PAGE) + RAW.flush(),
    "br": brotli.compress(PAGE),
    "zstd": zstandard.compress(PAGE),
    "gzip, br": brotli.compress(gzip.compress(PAGE)),
    "identity": PAGE,
    "none, utf-8": PAGE,
}


def decoded(coding: str, body: bytes, limit: int = 1 << 20, cut: bool = False) -> Message:
    return decode(Message(200, {"content-encoding": coding}, body), limit, cut)


@pytest.mark.parametrize("coding", CODED)
def test_codings(coding: str) -> None:
    message = decoded(coding, CODED[coding])
    assert (message.body, message.error) == (PAGE, None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_body_stored_already_decoded(coding: str) -> None:
    assert decoded(coding, PAGE).body == PAGE


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_cut_off_body_is_an_error_unless_declared(coding: str) -> None:
    noise = bytes(range(256)) * 40 + bytes(i * i % 251 for i in range(300_000))
    whole = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}[coding](noise)
    message = decoded(coding, whole[:-10])
    assert (message.body, message.error) == (b"", f"content-encoding {coding}: data ends early")
    kept = decoded(coding, whole[:-10], cut=True)
    assert kept.error is None
    assert noise.startswith(kept.body)


def test_members_are_read_in_linear_time_and_counted() -> None:
    empty = gzip.compress(b"")
    started = time.process_time()
    assert decoded("gzip", empty * 2000 + gzip.compress(PAGE) + bytes(8 << 20)).body == PAGE
    assert time.process_time() - started < 1
    assert decoded("gzip", empty * (MAX_MEMBERS - 1) + gzip.compress(PAGE)).body == PAGE
    message = decoded("gzip", empty * MAX_MEMBERS + gzip.compress(PAGE))
    assert (message.body, message.error) == (b"", "content-encoding gzip: too many members: over 10000")


@given(st.integers(0, 200_000), st.integers(0, 60_000), st.integers(0, 60_000))
def test_members_longer_than_what_goes_in_at_once(first: int, second: int, cut: int) -> None:
    noise = bytes(zlib.crc32(bytes([i & 255, i >> 8])) & 255 for i in range(256)) * 800
    parts = noise[:first], noise[:second]
    body = b"".join(map(gzip.compress, parts))
    assert decoded("gzip", body + b"padding").body == b"".join(parts)
    kept = decoded("gzip", body[: max(len(body) - cut, 2)], cut=True)
    assert kept.error is None
    assert b"".join(parts).startswith(kept.body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_damaged_body_is_an_error(coding: str) -> None:
    noise = bytes(i * i % 251 for i in range(300_000))
    zstd = zstandard.ZstdCompressor(write_checksum=True)
    whole = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}[coding](noise)
    message = decoded(coding, whole[:200] + b"\xff" * 40 + whole[240:])
    assert message.body == b""
    assert (message.error or "").startswith(f"content-encoding {coding}: ")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity"])
def test_limit(coding: str) -> None:
    zeros = bytes(2 << 20)
    body = {
        "gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress,
    }.get(coding, bytes)(zeros)  # fmt: skip
    assert decoded(coding, body).error == "payload over 1 MiB"
    assert decoded(coding, body, limit=2 << 20).body == zeros


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"3\nabc\n2\nde\n0\n", b"abcde"),
        (b"3\r\nabc\r\n", b"abc"),
        (b"ff\r\nabc", b"abc"),
        (b"3\r\nabc\r\n<p>rest", b"abc<p>rest"),
        (b"<html>never chunked", b"<html>never chunked"),
        (b"3\r\nabc\r\n4\r\ndefgh\r\n", b"abc4\r\ndefgh\r\n"),
        (b"3\r\nabc\r\nff\nde", b"abcde"),
        (b"0\r\n\r\n", b""),
        (b"3\nabc\n0\nExpires: never\n\n", b"abc"),
        (b"2020\nfirst line\n", b"2020\nfirst line\n"),
        (b"10 \nof the text is not sixteen\n", b"10 \nof the text is not sixteen\n"),
        (b"0\nall the text", b"0\nall the text"),
        (b"0\n" + b"a:" * 5000 + b"\nno field", b"0\n" + b"a:" * 5000 + b"\nno field"),
        (b"", b""),
    ],
)
def test_chunks(body: bytes, expected: bytes) -> None:
    assert unchunk(body) == expected


@pytest.mark.parametrize(
    ("block", "status", "fields", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nx", 200, {"a": "b c"}, b"x"),
        (b"HTTP/2 404\nA: b\nA: c\n\nx", 404, {"a": "b"}, b"x"),
        (b"HTTP/1.1 200\r\r\nA: b\r\r\n\r\r\nx", 200, {"a": "b"}, b"x"),
        (b"HTTP/1.1 abc\r\n\r\nx", None, {}, b"x"),
        (b"HTTP/1.1 204 No Content\r\nA: b", 204, {"a": "b"}, b""),
        (b"A: b\r\n\r\nx", None, {"a": "b"}, b"x"),
        (b"HTTP/1.0 200 OK\nA: b\n<html>\n<p>x", 200, {"a": "b"}, b"<html>\n<p>x"),
        (b"HTTP/1.0 200 OK\nA: b\n<html>\n\n<p>x", 200, {"a": "b"}, b"<html>\n\n<p>x"),
        (b"HTTP/1.0 200 OK\r\nA: b\r\n  <html>x", 200, {"a": "b"}, b"  <html>x"),
        (b"HTTP/1.0 200 OK\n%PDF-1.4\n\nx", 200, {}, b"%PDF-1.4\n\nx"),
        (b"HTTP/1.1 200 OK\nno field\nA: b\n <c>\n\nx", 200, {"a": "b <c>"}, b"x"),
        (b"<html>\n\nx", None, {}, b"<html>\n\nx"),
        (b"", None, {}, b""),
    ],
)
def test_parse(block: bytes, status: int | None, fields: dict[str, str], body: bytes) -> None:
    message = parse(block)
    assert (message.status, message.fields, message.body) == (status, fields, body)
