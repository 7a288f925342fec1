"""Archives made here in code, well-formed and broken, and the real ones beside the project."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from extractors import warc
from extractors.record import Record

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PAGE = b"<html><body><p>Ein Text, der bleibt.</p></body></html>"


def record(block: bytes, kind: str = "response", length: int | None = None, extra: str = "", mime: str = "") -> bytes:
    mime = mime or "application/http; msgtype=response"
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://example.org/a\r\nContent-Type: {mime}\r\n"
        f"WARC-Date: 2021-02-03T04:05:06Z\r\n{extra}Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body: bytes = PAGE, fields: str = "Content-Type: text/html\r\n", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{fields}\r\n".encode() + body


def page(text: str) -> bytes:
    return record(http(f"<html><p>{text}</p></html>".encode()))


def read(data: bytes, **options: int) -> list[Record]:
    return list(warc.read(lambda: io.BytesIO(data), source="s", path="p", **options))


def fetch(data: bytes, offset: int, **options: int) -> Record:
    return warc.fetch(lambda: io.BytesIO(data), source="s", path="p", offset=offset, **options)


def told(data: bytes, **options: int) -> list[str]:
    """One word a record: its payload's format, why it is skipped, or its error."""
    return [r.skip or r.error or str(r.format) for r in read(data, **options)]


def one_stream(*records: bytes) -> bytes:
    return gzip.compress(b"".join(records), mtime=0)


def members(*records: bytes) -> bytes:
    return b"".join(gzip.compress(r, mtime=0) for r in records)


def zstd_frames(*records: bytes) -> bytes:
    return b"".join(zstandard.compress(r) for r in records)


def plain(*records: bytes) -> bytes:
    return b"".join(records)


def arc(*pages: bytes) -> bytes:
    """An ARC file: version block and one record a page."""
    version = b"1 0 Tests\nURL IP-address Archive-date Content-type Archive-length\n\n"
    lines = [b"filedesc://t.arc 0.0.0.0 20080430204825 text/plain %d\n" % len(version) + version]
    lines += [b"http://a.b/x y 1.2.3.4 20080430204825 text/html %d\n%s\n" % (len(http(p)), http(p)) for p in pages]
    return b"".join(lines)


PACKINGS: list[Callable[..., bytes]] = [plain, members, one_stream, zstd_frames]


@pytest.mark.parametrize("pack", PACKINGS)
def test_reads_every_packing(pack: Callable[..., bytes]) -> None:
    data = pack(
        record(b"software: x", "warcinfo"), page("one"), record(b"GET / HTTP/1.1\r\n\r\n", "request"), page("two")
    )
    found = read(data)
    assert [r.skip for r in found] == ["record-type: warcinfo", None, "record-type: request", None]
    assert [r.payload for r in found if r.format] == [b"<html><p>one</p></html>", b"<html><p>two</p></html>"]
    assert len({r.id for r in found}) == 4
    assert [fetch(data, r.offset) for r in found] == found
    first = found[1]
    assert (first.url, first.mime, first.status, first.kind) == ("http://example.org/a", "text/html", 200, "response")
    assert first.fetched == datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("pack", [plain, members, zstd_frames])
def test_lengths_tile_the_archive_as_stored(pack: Callable[..., bytes]) -> None:
    data = pack(page("one"), page("two"), page("three"))
    at = 0
    for r in read(data):
        assert r.offset == at
        at += r.length
    assert at == len(data)


def test_one_stream_counts_uncompressed_bytes() -> None:
    parts = [page("one"), page("two"), page("three")]
    found = read(one_stream(*parts))
    assert [r.offset for r in found] == [0, -len(parts[0]), -len(parts[0]) - len(parts[1])]
    assert all(r.meta["offset_in"] == "uncompressed" and r.length == len(parts[i]) for i, r in enumerate(found))


def test_a_record_may_span_members() -> None:
    data = page("one") + page("two")
    cut = members(data[:50], data[50:300], data[300:])
    assert [r.payload for r in read(cut)] == [b"<html><p>one</p></html>", b"<html><p>two</p></html>"]
    assert warc.cuts(lambda: io.BytesIO(cut), 1) == [0]


def test_reads_what_warcio_writes() -> None:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=ISO-8859-1")], protocol="HTTP/1.0")
    writer.write_record(writer.create_warcinfo_record("t.warc.gz", {"software": "t"}))
    writer.write_record(
        writer.create_warc_record("http://a.b/", "response", payload=io.BytesIO(PAGE), http_headers=headers)
    )
    writer.write_record(
        writer.create_revisit_record("http://a.b/", "sha1:X", "http://c.d/", "2020-01-01T00:00:00Z", headers)
    )
    info, response, revisit = read(out.getvalue())
    assert info.skip == "record-type: warcinfo"
    assert (response.payload, response.charset, response.format) == (PAGE, "iso-8859-1", "html")
    assert (revisit.skip, revisit.meta["refers_to"]) == ("revisit: identical-payload-digest", "http://c.d/")


@pytest.mark.parametrize("pack", [plain, gzip.compress])
def test_arc(pack: Callable[[bytes], bytes]) -> None:
    data = pack(arc(b"<html><p>one</html>", b"<html><p>two</html>"))
    found = read(data)
    assert [r.skip or r.payload for r in found] == [
        "record-type: warcinfo",
        b"<html><p>one</html>",
        b"<html><p>two</html>",
    ]
    assert (found[1].url, found[1].fetched) == ("http://a.b/x y", datetime(2008, 4, 30, 20, 48, 25, tzinfo=UTC))
    assert [fetch(data, r.offset) for r in found] == found
    assert warc.cuts(lambda: io.BytesIO(data), 1) == [0]


def test_zstd_with_a_dictionary() -> None:
    dictionary = zstandard.train_dictionary(2048, [page(f"text {i} {i * i}") for i in range(500)])
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    frames = b"".join(compressor.compress(page(name)) for name in ("one", "two"))
    for stored in (dictionary.as_bytes(), zstandard.compress(dictionary.as_bytes())):
        data = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored + frames
        assert [r.payload[9:12] for r in read(data)] == [b"one", b"two"]
        parts = warc.cuts(lambda data=data: io.BytesIO(data), 1)  # type: ignore[misc]
        assert len(parts) == 2
        assert fetch(data, parts[1]).payload[9:12] == b"two"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (http(status="404 Not Found"), "http-status: 404"),
        (http(status="301 Moved"), "http-status: 301"),
        (http(b""), "empty payload"),
        (http(b"\x89PNG\r\n\x1a\n\0\0", "Content-Type: image/png\r\n"), "media-type: image/png"),
        (http(b'{"a": 1}', "Content-Type: application/json\r\n"), "media-type: application/json"),
        (http(b"<?xml version='1.0'?><rss/>", "Content-Type: text/xml\r\n"), "media-type: application/rss+xml"),
        (http(b"<svg xmlns='x'/>", "Content-Type: image/svg+xml\r\n"), "media-type: image/svg+xml"),
        (http(b"\0\1\2\3", ""), "media-type: unknown"),
    ],
)  # fmt: skip
def test_skips_with_a_reason(block: bytes, reason: str) -> None:
    (found,) = read(record(block))
    assert (found.skip, found.payload, found.error, found.format) == (reason, b"", None, None)


def named(block: bytes, path: str, **options: str) -> Record:
    (found,) = read(record(block, **options).replace(b"org/a", f"org{path}".encode()))  # type: ignore[arg-type]
    return found


RULES = b"User-agent: *\nDisallow: /a\n"


@pytest.mark.parametrize(
    ("block", "path", "status", "payload"),
    [
        (http(RULES, "Content-Type: text/plain\r\n"), "/robots.txt", 200, RULES),
        (http(RULES), "/robots.txt?x#y", 200, RULES),
        (http(gzip.compress(RULES), "Content-Encoding: gzip\r\n"), "/robots.txt", 200, RULES),
        (http(b"\xff\xfeU\0s\0", ""), "/robots.txt", 200, b"\xff\xfeU\0s\0"),
        (http(b""), "/robots.txt", 200, b""),
        (http(b"#" * 600_000), "/robots.txt", 200, b"#" * warc.MAX_POLICY),
        (http(RULES, status="404 Not Found"), "/robots.txt", 404, b""),
        (http(RULES, "Location: /b\r\n", "301 Moved"), "/robots.txt", 301, b""),
        (http(RULES, status="503 Busy"), "/robots.txt", 503, b""),
        (http(b"[]", "Content-Type: application/json\r\n"), "/.well-known/tdmrep.json", 200, b"[]"),
    ],
)  # fmt: skip
def test_files_of_policy_keep_their_bytes_and_status(block: bytes, path: str, status: int, payload: bytes) -> None:
    found = named(block, path)
    skip = "tdmrep.json" if "tdm" in path else "robots.txt"
    assert (found.skip, found.status, found.payload, found.error, found.format) == (skip, status, payload, None, None)
    assert found.fetched is not None


@pytest.mark.parametrize("kind", ["resource", "conversion"])
def test_files_of_policy_need_no_http(kind: str) -> None:
    found = named(RULES, "/robots.txt", kind=kind, mime="text/plain")
    assert (found.skip, found.status, found.payload) == ("robots.txt", None, RULES)


def test_files_of_policy_that_cannot_be_read_are_errors() -> None:
    found = named(http(b"\x1f\x8b\x08\0broken", "Content-Encoding: gzip\r\n"), "/robots.txt")
    assert (found.skip, found.payload) == (None, b"")
    assert found.error
    assert found.error.startswith("content-encoding gzip")


@pytest.mark.parametrize("path", ["/about/robots.txt", "/robots.txt/a", "/?q=/robots.txt", "/tdmrep.json"])
def test_pages_about_files_of_policy_are_pages(path: str) -> None:
    assert named(http(), path).format == "html"


@pytest.mark.parametrize(
    ("block", "kind", "mime", "expected"),
    [
        (PAGE, "response", "", "html"),
        (b"Content-Type: text/html\r\n\r\n" + PAGE, "response", "", "html"),
        (b"HTTP/1.1\r\nContent-Type: text/html\r\n\r\n" + PAGE, "response", "", "html"),
        (http(fields="Content-Type: text/plain\r\n"), "response", "", "html"),
        (http(fields="Content-Type: application/octet-stream\r\n"), "response", "", "html"),
        (http(b"%PDF-1.7 ...", "Content-Type: text/html\r\n"), "response", "", "pdf"),
        (http(b"plain words", "Content-Type: text/plain\r\n"), "response", "", "txt"),
        (PAGE, "resource", "text/html", "html"),
        (b"words of a page", "conversion", "text/plain", "txt"),
        (http(), "response", "application/x-nothing", "html"),
    ],
)
def test_documents(block: bytes, kind: str, mime: str, expected: str) -> None:
    (found,) = read(record(block, kind, mime=mime))
    assert (found.error, found.skip, found.format) == (None, None, expected)
    assert found.payload in block


def test_keeps_the_headers_that_matter_later() -> None:
    fields = "Content-Type: text/html\r\nX-Robots-Tag: noai\r\nTDM-Reservation: 1\r\nLast-Modified: yesterday\r\n"
    (found,) = read(record(http(fields=fields), extra="WARC-Truncated: length\r\n"))
    assert found.meta == {
        "x_robots_tag": "noai", "tdm_reservation": "1", "last_modified": "yesterday", "truncated": "length",
    }  # fmt: skip


def test_keeps_all_values_of_fields_that_come_more_than_once() -> None:
    fields = (
        "X-Robots-Tag: googlebot: noindex\r\nx-robots-tag: noai\r\nX-Robots-Tags: none\r\n"
        'Link: </style.css>; rel="preload"\r\n'
        'Link: </b>; rel=next, <https://creativecommons.org/licenses/by/4.0/>; title="x"; rel="license"\r\n'
    )
    (found,) = read(record(http(b"x-robots-tag: none\r\n<html>", fields)))
    assert found.meta == {
        "x_robots_tag": "googlebot: noindex\nnoai",
        "http_licence": "https://creativecommons.org/licenses/by/4.0/",
    }


def test_nested_archive_text_is_payload() -> None:
    nested = page("inner") * 3
    data = plain(record(http(b"<html><pre>" + nested, "")), page("two"))
    assert told(data) == ["html", "html"]
    assert read(data)[0].payload.endswith(nested)


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("wrong", [-7, 9, 150, 10**6, 10**14])
def test_a_wrong_length_loses_no_other_record(pack: Callable[..., bytes], wrong: int) -> None:
    block = http()
    data = pack(page("one"), record(block, length=len(block) + wrong), page("two"))
    found = read(data)
    assert found[0].payload == b"<html><p>one</p></html>"
    assert found[-1].payload == b"<html><p>two</p></html>"
    assert [r.error for r in found[1:-1] if r.error]
    assert [fetch(data, r.offset) for r in found] == found


def test_a_member_that_breaks_at_the_edge_of_the_probe_ends_the_search() -> None:
    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
    member = bytearray(stored.compress(page("x" * 100_000)) + stored.flush())
    for length in range(8160, 8200):
        broken = bytes(member[:length]) + b"\xff" * 3000
        assert len(read(members(page("one")) + broken + members(page("two")))) == 3


@pytest.mark.parametrize("stored", [b"\x37\xa4\x30\xec junk", b"\x28\xb5\x2f\xfd junk", b"", b"any bytes"])
def test_a_broken_dictionary_is_survived(stored: bytes) -> None:
    data = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored + zstd_frames(page("one"))
    assert len(read(data)) == 1


def test_says_what_is_short_and_where() -> None:
    data = page("one") + record(http(), length=len(http()) + 120)[:-4]
    assert told(data)[1] == f"payload is 120 bytes short of its declared length at offset {len(page('one'))}"


JUNK = "no record (7 bytes skipped)"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ["empty file"]),
        (b"not an archive", ["no WARC or ARC record found (it starts with b'not an a')"]),
        (page("a") + b"garbag\n" + page("b"), ["html", JUNK, "html"]),
        (members(page("a")) + b"garbage" + members(page("b")), ["html", JUNK, "html"]),
        (members(page("a")) + bytes(1000), ["html"]),
        (
            b"WARC/1.0\r\nWARC-Type: x\r\n\r\n" + page("a"),
            ["record head has no Content-Length but '' (26 bytes skipped)", "html"],
        ),
        (b"WARC/1.0\r\nWARC-Ty\r\n" + page("a"), ["record head breaks off (19 bytes skipped)", "html"]),
    ],
    ids=["empty", "none", "garbage", "garbage-gz", "padding", "no-length", "broken-head"],
)
def test_damage_is_one_error(data: bytes, expected: list[str]) -> None:
    found = read(data)
    assert [(r.error or str(r.format)).split(" at offset")[0] for r in found] == expected
    assert [fetch(data, r.offset) for r in found] == found


@pytest.mark.parametrize("pack", [members, zstd_frames])
def test_a_broken_member_costs_itself_alone(pack: Callable[..., bytes]) -> None:
    first, second, third = (pack(page(name)) for name in ("one", "two", "three"))
    for cut in (second[:-3], second[: len(second) // 2], second[:20] + b"\xff" * 40 + second[60:]):
        data = first + cut + third
        got = told(data)
        assert got[0] == got[-1] == "html"
        assert len(got) == 3, got
        assert [fetch(data, r.offset) for r in read(data)] == read(data)


def test_a_cut_off_gzip_stream_names_its_place() -> None:
    data = members(page("one")) + gzip.compress(page("two" * 50))[:-30]
    assert told(data)[1] == f"gzip data ends early at offset {len(members(page('one')))}"


@pytest.mark.parametrize("level", [1, 9])
def test_a_stream_is_kept_up_to_the_block_that_breaks(level: int) -> None:
    stream = zlib.compressobj(level, zlib.DEFLATED, 31)
    whole = stream.compress(b"".join(page(f"{i} {i * i}") for i in range(1000))) + stream.flush(zlib.Z_FULL_FLUSH)
    data = whole + b"\xff" * 50
    found = read(data)
    assert [r.payload for r in found[:999]] == [f"<html><p>{i} {i * i}</p></html>".encode() for i in range(999)]
    assert [str(r.error).partition(" (")[0] for r in found[999:]] == ["gzip data is broken"]
    assert fetch(data, found[500].offset) == found[500]


@pytest.mark.parametrize("pack", [members, zstd_frames])
@pytest.mark.parametrize(
    ("junk", "errors"), [(b"\0", 0), (b"\n", 0), (b"x" * 9, 1), (b"\n" + b"\x1f\x8b\x08\0(\xb5/\xfd" * 9000, 1)]
)
def test_junk_before_a_compressed_archive(pack: Callable[..., bytes], junk: bytes, errors: int) -> None:
    whole = pack(page("one"), page("two"))
    data = junk + whole
    found = read(data)
    assert [r.payload for r in found if r.payload] == [r.payload for r in read(whole)]
    assert [r.error for r in found if r.error] == [f"no record ({len(junk)} bytes skipped) at offset 0"] * errors
    assert [fetch(data, r.offset) for r in found] == found


@pytest.mark.parametrize("pack", [members, zstd_frames])
def test_a_flipped_first_byte_costs_the_first_member_alone(pack: Callable[..., bytes]) -> None:
    data = bytearray(pack(page("one"), page("two"), page("three")))
    data[0] ^= 1
    first = len(pack(page("one")))
    assert told(bytes(data)) == [f"no record ({first} bytes skipped) at offset 0", "html", "html"]


def test_a_plain_archive_after_junk_may_hold_compressed_ones() -> None:
    inner = record(members(page("inner")), "resource", mime="application/gzip")
    assert told(b"junk\n" + inner + page("two")) == [
        "no record (5 bytes skipped) at offset 0", "media-type: application/gzip", "html",
    ]  # fmt: skip


def test_lowercase_and_odd_line_ends() -> None:
    odd = page("one").replace(b"WARC/1.1\r\n", b"warc/1.1\n").replace(b"Z\r\n", b"Z\r\r\n")
    assert told(odd + page("two").rstrip() + page("three")) == ["html"] * 3


def test_memory_stays_near_the_limit() -> None:
    limit = 1 << 20
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(100)) + bomb.flush()
    large = members(record(http(b"<html>" + b"a" * (60 << 20))))
    archives = [
        members(page("one")) + large + members(page("two")),
        zstd_frames(page("one"), record(http(b"<html>" + b"a" * (60 << 20))), page("two")),
        page("one") + record(http(zeros, "Content-Type: text/html\r\nContent-Encoding: gzip\r\n")) + page("two"),
    ]
    for data in archives:
        tracemalloc.start()
        got = told(data, max_payload=limit)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert got[0] == got[2] == "html"
        assert got[1].startswith("payload over 1 MiB at offset")
        assert peak < 40 << 20, peak


def test_brotli_and_chunks_together() -> None:
    body = brotli.compress(PAGE)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    fields = "Content-Type: text/html\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n"
    assert read(record(http(chunks, fields)))[0].payload == PAGE


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 700), st.sampled_from(PACKINGS), st.booleans())
def test_any_damage_is_survived(junk: bytes, at: int, pack: Callable[..., bytes], replace: bool) -> None:
    data = pack(page("one"), page("two"), page("three"))
    broken = data[:at] + junk + data[at + (len(junk) if replace else 0) :]
    found = read(broken)
    assert found
    assert all((r.error is not None) + (r.skip is not None) + bool(r.payload) == 1 for r in found)
    assert len({r.offset for r in found}) == len(found)
    for r in found:
        assert fetch(broken, r.offset) == r
    assert len(warc.cuts(lambda: io.BytesIO(broken), 1)) <= len(found)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"WARC/1.0\r\n", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"HTTP/1.1 200\r\n"]),
)
def test_any_bytes_are_survived(junk: bytes, start: bytes) -> None:
    assert read(start + junk)
    assert read(record(start + junk))
    for coding in ("gzip", "br", "deflate", "zstd", "gzip, br"):
        fields = f"Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n"
        assert len(read(record(http(start + junk, fields)))) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("abc <>\n", max_size=60), min_size=1, max_size=12), st.integers(1, 900), st.sampled_from(PACKINGS)
)
def test_parts_together_are_the_whole(texts: list[str], every: int, pack: Callable[..., bytes]) -> None:
    check_parts(pack(*(page(text) for text in texts)), every)


def check_parts(data: bytes, every: int) -> None:
    starts = warc.cuts(lambda: io.BytesIO(data), every)
    assert starts[0] == 0
    ends = [*starts[1:], None]
    assert all(
        end - start >= every for start, end in zip(starts, [*starts[1:], len(data)], strict=True) if len(starts) > 1
    )
    parts = [r for i, start in enumerate(starts) for r in read(data, start=start, stop=ends[i])]  # type: ignore[arg-type]
    assert parts == read(data)


def real(folder: str) -> list[Path]:
    return sorted(p for p in (DATA / folder).rglob("*") if p.is_file()) if DATA.exists() else []


needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real data is not beside the project")


@pytest.mark.real
@needs_data
def test_real_pages_are_all_html() -> None:
    path = DATA / "html" / "pages.warc.gz"
    found = list(warc.read(lambda: path.open("rb"), source="s", path="pages.warc.gz"))
    assert Counter(r.skip or r.error or r.format for r in found) == {"html": 453, "record-type: warcinfo": 1}


@pytest.mark.real
@pytest.mark.parametrize("path", real("warc") or [pytest.param(None, marks=needs_data)], ids=lambda p: p and p.name)
def test_real_archives_are_accounted_for(path: Path) -> None:
    data = path.read_bytes()
    found = read(data)
    assert found
    assert len({r.offset for r in found}) == len(found)
    # Where a head gives no length, warcio takes lines of the block for records.
    delimited = not any("Content-Length" in (r.error or "") for r in found)
    if delimited and {".warc", ".arc"} & set(path.suffixes) and not {".txt", ".json"} & set(path.suffixes):
        assert len(found) >= counted_by_warcio(data)
    for r in found:
        assert fetch(data, r.offset) == r
    check_parts(data, 1)
    check_parts(data, 20_000)


def counted_by_warcio(data: bytes) -> int:
    count = 0
    try:
        for r in ArchiveIterator(io.BytesIO(data), arc2warc=True):
            r.content_stream().read()
            count += 1
    except Exception:
        return count
    return count
