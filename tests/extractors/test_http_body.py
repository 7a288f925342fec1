"""Codings of HTTP bodies, right, wrong, cut off and endless."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from extractors.http_body import Message, decode, parse, unchunk

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
        (b"0\r\n\r\n", b""),
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
        (b"<html>\n\nx", None, {}, b"<html>\n\nx"),
        (b"", None, {}, b""),
    ],
)
def test_parse(block: bytes, status: int | None, fields: dict[str, str], body: bytes) -> None:
    message = parse(block)
    assert (message.status, message.fields, message.body) == (status, fields, body)
