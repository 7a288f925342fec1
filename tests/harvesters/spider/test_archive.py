"""Archives: what is written is read by everybody, and nothing that came over the wire can write anything else."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator as FastArchive
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from extractors import warc
from harvesters.harvester import LABELS
from harvesters.spider.archive import Archive, Exchange, payload_digest, read_back
from harvesters.spider.frontier import Capture
from harvesters.spider.records import SECRET, target_uri, warc_date

PAGE = b"<html lang='fr'><body><p>Une page.</p></body></html>"
WHEN = datetime(2026, 11, 21, 3, 0, 0, 123_999, tzinfo=UTC)


def exchange(body: bytes = PAGE, **more: Any) -> Exchange:
    made = Exchange(
        "http://news.test/a?b=1", "GET", [("User-Agent", "florilege/1"), ("Accept", "*/*")], 200, "OK",
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "7"), ("ETag", '"1"')], body, WHEN,
        "10.0.0.1",
    )  # fmt: skip
    return replace(made, **more)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "corpus" / "work" / "harvest" / "web", "florilege/1.2", "team@example.org", True)
    made.open("s1", 0)
    yield made
    made.release()


def path(archive: Archive) -> Path:
    return archive._folder / "s1.warc.gz"


def capture(offset: int, length: int = 0, **more: Any) -> Capture:
    fields: dict[str, Any] = {
        "key": "k", "url": "http://news.test/a?b=1", "etag": '"1"', "last_modified": None, "payload_digest": None,
        "warc": "archive/web/s1.warc.gz", "offset": offset, "length": length, "fetched": WHEN, "status": 200,
        "outcome": "new", "labels": None,
    }  # fmt: skip
    return Capture(**{**fields, **more})


def by_warcio(file: Path) -> list[tuple[str, dict[str, str], list[tuple[str, str]], bytes]]:
    """Type, named fields, HTTP fields and stored body of every record."""
    found = []
    with file.open("rb") as opened:
        for record in ArchiveIterator(opened):
            http = list(record.http_headers.headers) if record.http_headers else []
            found.append((record.rec_type, dict(record.rec_headers.headers), http, record.raw_stream.read()))
    return found


def by_ours(file: Path) -> list[Any]:
    return list(warc.read(lambda: file.open("rb"), source="s", path=file.name))


def test_a_request_and_its_answer(archive: Archive) -> None:
    place = archive.exchange(exchange(), {"celex": "32016R0679", "erudit_id": "012ar", "licence": "https://cc.test/by"})
    info, response, request = by_warcio(path(archive))
    assert [info[0], response[0], request[0]] == ["warcinfo", "response", "request"]
    fields = response[1]
    assert fields["WARC-Target-URI"] == "http://news.test/a?b=1"
    assert fields["WARC-Date"] == "2026-11-21T03:00:00.123Z"
    assert fields["WARC-IP-Address"] == "10.0.0.1"
    assert fields["WARC-Payload-Digest"] == place.digest == payload_digest(PAGE)
    assert fields["Florilege-Celex"] == "32016R0679"
    assert fields["Florilege-Erudit-Id"] == "012ar"
    assert response[2] == [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "52"), ("ETag", '"1"')]
    assert response[3] == PAGE
    assert request[1]["WARC-Concurrent-To"] == fields["WARC-Record-ID"]
    assert request[1]["Content-Type"] == "application/http; msgtype=request"
    assert request[2][0] == ("Host", "news.test")
    head = gzip.decompress(path(archive).read_bytes()[place.offset :])
    assert b"\r\n\r\nGET /a?b=1 HTTP/1.1\r\nHost: news.test\r\n" in head
    assert place.record == "response"
    assert zlib.decompressobj(31).decompress(path(archive).read_bytes()[place.offset :]).startswith(b"WARC/1.1\r\n")


def test_the_first_record_says_who_wrote_it(archive: Archive) -> None:
    info = by_warcio(path(archive))[0]
    assert info[1]["Content-Type"] == "application/warc-fields"
    lines = dict(line.split(": ", 1) for line in info[3].decode().strip().split("\r\n"))
    assert lines["software"] == "florilege/1.2"
    assert lines["http-header-user-agent"] == "florilege/1.2 (+mailto:team@example.org)"
    assert lines["operator"] == "team@example.org"
    assert lines["robots"] == "classic"
    assert lines["format"] == "WARC File Format 1.1"


def test_warcio_finds_all_digests_right(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    place = archive.exchange(exchange(), {})
    archive.revisit(exchange(), capture(place.offset), "identical-payload-digest")
    archive.exchange(exchange(gzip.compress(PAGE), headers=[("Content-Encoding", "gzip")]), {})
    command = type("Command", (), {"inputs": [str(archive.close())], "verbose": True})
    assert Checker(command).process_all() == 0
    assert "digest pass" in capsys.readouterr().out


def test_revisits_name_the_capture_that_has_the_payload(archive: Archive) -> None:
    first = archive.exchange(exchange(), {})
    of = capture(first.offset, fetched=datetime(2026, 10, 1, 4, 5, 6, tzinfo=UTC), payload_digest=first.digest)
    same = archive.revisit(exchange(), of, "identical-payload-digest")
    headers = [("ETag", '"1"'), ("Content-Length", "777"), ("Set-Cookie", "a=b")]
    none = archive.revisit(exchange(b"", status=304, reason="Not Modified", headers=headers), of, "server-not-modified")
    records = by_warcio(path(archive))
    assert [record[0] for record in records[3:]] == ["revisit", "request"] * 2
    for record, place, profile in (
        (records[3], same, "identical-payload-digest"),
        (records[5], none, "server-not-modified"),
    ):
        assert record[1]["WARC-Profile"] == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        assert record[1]["WARC-Refers-To-Target-URI"] == "http://news.test/a?b=1"
        assert record[1]["WARC-Refers-To-Date"] == "2026-10-01T04:05:06.000Z"
        assert record[1]["WARC-Payload-Digest"] == place.digest == first.digest
        assert record[3] == b""
        assert place.record == "revisit"
    assert records[5][2] == [("ETag", '"1"'), ("Content-Length", "777")]
    assert [record.skip for record in by_ours(path(archive))[3::2]] == [
        "revisit: identical-payload-digest", "revisit: server-not-modified"
    ]  # fmt: skip


def test_no_cookie_and_no_password_is_kept(archive: Archive) -> None:
    secret = "topsecret"
    fields = [(name.title(), secret) for name in SECRET] + [(f" {name.upper()} ", secret) for name in SECRET]
    url = f"http://user:{secret}@news.test/a"
    links = [("Location", url), ("Link", f"<HTTPS://{secret}@x.test/>; rel=next"), ("Referer", f"http:\\\\{secret}@x/")]
    archive.exchange(exchange(url=url, headers=[*fields, *links], request_headers=[*fields, *links]), {"licence": url})
    archive.revisit(exchange(url=url, headers=fields), capture(0, url=url), "server-not-modified")
    stored = gzip.decompress(path(archive).read_bytes())
    assert secret.encode() not in stored
    assert stored.count(b"http://news.test/a\r\n") >= 5


def test_only_passwords_are_taken_out_of_addresses() -> None:
    kept = ["http://a.test/@user/1", "http://a.test/?mail=a@b.test", "https://a.test/x:y@z", "http://a.test/#@"]
    kept.append("https://a.test/2020/http://b:c@d.test/?next=http://e@f.test/")
    assert [target_uri(url) for url in kept] == kept
    assert target_uri("http://a@b:c@d.test/é x\r\ny") == "http://d.test/%C3%A9%20x%0D%0Ay"
    with pytest.raises(ValueError, match="9005 bytes"):
        target_uri("http" + ":" + "x" * 9_000)


def test_lengths_and_codings_are_those_of_what_is_stored(archive: Archive) -> None:
    packed = gzip.compress(PAGE)
    headers = [
        ("Transfer-Encoding", "chunked"),
        ("Content-Encoding", "gzip"),
        ("content-length", "9"),
        ("Content-Length", "5"),
    ]
    archive.exchange(exchange(packed, headers=headers), {})
    response = by_warcio(path(archive))[1]
    assert response[2] == [("Content-Encoding", "gzip"), ("content-length", str(len(packed)))]
    assert response[3] == packed
    assert by_ours(path(archive))[1].payload == PAGE


def test_a_cut_payload_says_so(archive: Archive) -> None:
    archive.exchange(exchange(truncated="length"), {})
    archive.exchange(exchange(truncated="length\r\nX: y"), {})
    fields = [record[1] for record in by_warcio(path(archive)) if record[0] == "response"]
    assert [field["WARC-Truncated"] for field in fields] == ["length", "unspecified"]


def test_what_was_not_committed_is_cut_off(archive: Archive) -> None:
    archive.exchange(exchange(), {})
    committed = archive.size
    archive.exchange(exchange(b"lost"), {})
    with path(archive).open("ab") as file:
        file.write(b"half a rec")
    archive.open("s1", committed)
    archive.exchange(exchange(b"second"), {})
    assert archive.size == path(archive).stat().st_size
    assert [record[3] for record in by_warcio(path(archive)) if record[0] == "response"] == [PAGE, b"second"]
    archive.open("s1", 0)
    assert [record[0] for record in by_warcio(path(archive))] == ["warcinfo"]


def test_a_file_shorter_than_committed_is_an_error(archive: Archive) -> None:
    with pytest.raises(RuntimeError, match="bytes, but 100000 were committed"):
        archive.open("s1", 100_000)
    with pytest.raises(RuntimeError, match="0 bytes, but 5 were committed"):
        archive.open("gone", 5)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\0", "a b"])
def test_names_of_segments(archive: Archive, name: str) -> None:
    with pytest.raises(ValueError, match="name of a segment"):
        archive.open(name, 0)


def test_a_bad_exchange_leaves_the_segment_as_it_is(archive: Archive) -> None:
    size = archive.size
    with pytest.raises(ValueError, match="no label 'colour'"):
        archive.exchange(exchange(), {"colour": "red"})
    with pytest.raises(ValueError, match="URL of"):
        archive.exchange(exchange(url="http://a.test/" + "x" * 10_000), {})
    assert archive.size == path(archive).stat().st_size == size


def test_a_full_disk_leaves_no_half_record(archive: Archive) -> None:
    archive.exchange(exchange(), {})
    size, file = archive.size, archive._file

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if archive._file.tell() > size:  # type: ignore[union-attr]
                raise OSError(28, "No space left on device")
            return super().write(data[:10])

    archive._file = Full(path(archive), "r+b")
    archive._file.seek(size)
    with pytest.raises(OSError, match="No space"):
        archive.exchange(exchange(), {})
    archive._file, _ = file, archive._file.close()
    assert archive.size == path(archive).stat().st_size == size
    archive._file.seek(size)  # type: ignore[union-attr]
    archive.exchange(exchange(b"after"), {})
    assert by_warcio(path(archive))[-2][3] == b"after"


def test_a_head_without_end_is_cut(archive: Archive) -> None:
    many = [(f"X-{number}", "y" * 5_000) for number in range(500)]
    archive.exchange(exchange(headers=many, request_headers=many, reason="z" * 100_000), {})
    record = by_ours(path(archive))[1]
    assert (record.error, record.payload) == (None, PAGE)
    fields = by_warcio(path(archive))[1][2]
    assert fields == many[: len(fields)]
    assert 3 < len(fields) < 12


# -- members of other archives ---------------------------------------------------------------------------------------


def foreign(
    kind: str = "response", block: bytes = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + PAGE, more: bytes = b""
) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://x.test/\r\nContent-Length: {len(block)}\r\n\r\n"
    return gzip.compress(head.encode() + block + b"\r\n\r\n" + more)


def test_members_are_kept_as_they_are(archive: Archive) -> None:
    archive.exchange(exchange(), {})
    start, request, response = archive.size, foreign("request", b"GET / HTTP/1.1\r\n\r\n"), foreign()
    place = archive.members([request, response])
    assert path(archive).read_bytes()[start:] == request + response
    assert (place.offset, place.length) == (start + len(request), len(response))
    assert (place.digest, place.record) == (payload_digest(PAGE), "response")
    assert archive.members([foreign("metadata", b"x")]).digest is None


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([], "no records"),
        ([b""], "ends early"),
        ([b"rubbish"], "no gzip member"),
        ([foreign()[:-9]], "ends early"),
        ([foreign() + b"x"], "bytes after"),
        ([foreign() + foreign()], "bytes after"),
        ([foreign(more=gzip.decompress(foreign()))], "several records"),
        ([gzip.compress(b"hello, this is no record")], "without a WARC record"),
        ([gzip.compress(b"\r\n" + gzip.decompress(foreign()))], "without a WARC record"),
        ([gzip.compress(gzip.decompress(foreign())[:-30])], "short of its declared length"),
        ([gzip.compress(b"WARC/1.0\r\nContent-Length: 1\r\n\r\nx\r\n\r\n")], "without a type"),
        ([foreign()[:40] + b"\xff\xff\xff" + foreign()[43:]], "gzip"),
        ([foreign(), b"rubbish"], "no gzip member"),
    ],
)  # fmt: skip
def test_members_that_are_none(archive: Archive, members: list[bytes], why: str) -> None:
    before = path(archive).read_bytes()
    with pytest.raises(ValueError, match=why):
        archive.members(members)
    assert path(archive).read_bytes() == before


def test_a_bomb_is_no_member(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvesters.spider.archive.MAX_MEMBER", 1 << 20)
    with pytest.raises(ValueError, match="record over 1 MiB"):
        archive.members([foreign(block=bytes(2 << 20))])


# -- reading back ----------------------------------------------------------------------------------------------------


def test_a_capture_is_read_back_from_the_open_and_from_the_published_segment(archive: Archive, tmp_path: Path) -> None:
    headers = [("Content-Type", "text/html"), ("Content-Encoding", "gzip"), ("Link", "a"), ("LINK", "b"), ("X", "\xe9")]
    place = archive.exchange(exchange(gzip.compress(PAGE), headers=headers), {})
    found = capture(place.offset, place.length)
    root = tmp_path / "corpus"
    expected = {"content-type": "text/html", "content-encoding": "gzip", "link": "a, b", "x": "\xe9"}
    assert read_back(root, found, 1_000) == (expected, PAGE)
    (root / "archive" / "web").mkdir(parents=True)
    archive.close().rename(root / "archive" / "web" / "s1.warc.gz")
    assert read_back(root, found, 1_000) == (expected, PAGE)


def test_errors_and_lists_are_read_back_too(archive: Archive, tmp_path: Path) -> None:
    place = archive.exchange(exchange(b"<urlset/>", status=404, headers=[("Content-Type", "application/xml")]), {})
    assert read_back(tmp_path / "corpus", capture(place.offset), 1_000)[1] == b"<urlset/>"


def test_what_cannot_be_read_back(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    packed = [("Content-Encoding", "gzip")]
    bomb = archive.exchange(exchange(gzip.compress(bytes(1 << 20)), headers=packed), {})
    broken = archive.exchange(exchange(gzip.compress(PAGE)[:-20], headers=packed), {})
    cut = archive.exchange(exchange(gzip.compress(PAGE)[:-20], headers=packed, truncated="length"), {})
    big = archive.exchange(exchange(bytes(200_000)), {})
    revisit = archive.revisit(exchange(), capture(0), "identical-payload-digest")
    for place, why in (
        (bomb, "payload over"), (broken, "content-encoding gzip"), (big, "payload over"), (revisit, "a revisit record"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            read_back(root, capture(place.offset), 10_000)
    assert PAGE.startswith(read_back(root, capture(cut.offset), 10_000)[1])
    for offset in (3, bomb.offset + 1, archive.size, archive.size + 100):
        with pytest.raises(ValueError, match="offset"):
            read_back(root, capture(offset), 10_000)
    for name in ("/etc/passwd", "archive/../../x", "archive/web/../x", "archive/web/a/b", "archive/web/.x"):
        with pytest.raises(ValueError, match="no archive file"):
            read_back(root, capture(0, warc=name), 10_000)
    with pytest.raises(OSError):
        read_back(root, capture(0, warc="archive/web/gone.warc.gz"), 10_000)


# -- whatever comes ---------------------------------------------------------------------------------------------------

_NASTY = st.sampled_from(
    ["\r\nWARC/1.1\r\nWARC-Type: response\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n", "\n", "\r", "\0", "\x85", "\u2028",
     " : ", "HTTP/1.1 200 OK", "\t", "\udc80", "é€", "Set-Cookie: secret", "\x1f\x8b", "http://u:p@h/", ":"]
)  # fmt: skip
_TEXT = st.lists(_NASTY | st.text(max_size=8), max_size=5).map("".join)
_NAME = st.sampled_from(["Content-Type", "X-A", "content-length", "Transfer-Encoding", "Content-Encoding"]) | _TEXT
_FIELDS = st.lists(st.tuples(_NAME, _TEXT | st.just("y" * 20_000)), max_size=6)
_BODY = st.binary(max_size=200) | _TEXT.map(lambda text: text.encode("utf-8", "replace"))
_EXCHANGES = st.builds(
    Exchange, url=_TEXT.map(lambda text: f"http://a.test/{text}"), method=_TEXT | st.just("GET"),
    request_headers=_FIELDS, status=st.integers(200, 599), reason=_TEXT, headers=_FIELDS, body=_BODY,
    fetched=st.datetimes(datetime(1990, 1, 1), timezones=st.just(UTC)), ip=st.none() | _TEXT,
    truncated=st.none() | _TEXT,
)  # fmt: skip
_LABELS = st.dictionaries(st.sampled_from(LABELS), _TEXT, max_size=3)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(_EXCHANGES, _LABELS), min_size=1, max_size=4))
def test_everything_is_read_as_exactly_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[Exchange, dict[str, str]]]
) -> None:
    archive = Archive(tmp_path_factory.mktemp("any"), "florilege/1", "a@b.org", False)
    archive.open("s1", 0)
    places = [archive.exchange(one, labels) for one, labels in made]
    archive.close()
    kinds = ["warcinfo"] + ["response", "request"] * len(made)
    records = by_warcio(path(archive))
    assert [record[0] for record in records] == kinds
    for place, (one, labels), record in zip(places, made, records[1::2], strict=True):
        assert record[3] == one.body
        assert record[1]["WARC-Target-URI"] == target_uri(one.url)
        assert record[1]["WARC-Date"] == warc_date(one.fetched)
        assert record[1]["WARC-Payload-Digest"] == place.digest == payload_digest(one.body)
        assert {name for name in record[1] if name.startswith("Florilege-")} <= {
            f"Florilege-{label.replace('_', '-').title()}" for label in labels
        }
        assert not {name.lower() for name, _ in record[2]} & (SECRET | {"transfer-encoding"})
        length = [value for name, value in record[2] if name.lower() == "content-length"]
        assert length in ([], [str(len(one.body))])
    own = by_ours(path(archive))
    assert [record.kind for record in own] == kinds
    assert [record.offset for record in own[1::2]] == [place.offset for place in places]
    assert all(record.meta.get("offset_in") is None for record in own)
    assert all(record.status == one.status for record, (one, _) in zip(own[1::2], made, strict=True))


_ORDINARY = st.tuples(
    st.from_regex(r"X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,9}", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).filter(lambda text: "@" not in text),
)


@settings(deadline=None)
@given(st.lists(_ORDINARY, max_size=6))
def test_ordinary_fields_are_kept_in_order(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]]
) -> None:
    archive = Archive(tmp_path_factory.mktemp("any"), "florilege/1", "a@b.org", False)
    archive.open("s1", 0)
    archive.exchange(exchange(headers=fields, request_headers=fields), {})
    archive.release()
    expected = [(name, value.strip(" ")) for name, value in fields]
    _, response, request = by_warcio(path(archive))
    assert response[2] == expected
    assert request[2] == [("Host", "news.test"), *expected]


@settings(deadline=None, max_examples=60)
@given(st.lists(_EXCHANGES, min_size=1, max_size=4))
def test_fastwarc_reads_the_same(tmp_path_factory: pytest.TempPathFactory, made: list[Exchange]) -> None:
    archive = Archive(tmp_path_factory.mktemp("any"), "florilege/1", "a@b.org", False)
    archive.open("s1", 0)
    for one in made:
        archive.exchange(one, {})
    with archive.close().open("rb") as file:
        records = [
            (
                record.headers["WARC-Type"],
                record.reader.read(),
                record.http_headers is not None and record.http_headers.status_code,
            )
            for record in FastArchive(file, parse_http=True, auto_decode="none")
        ]
    assert [record[0] for record in records] == ["warcinfo"] + ["response", "request"] * len(made)
    assert [record[1:] for record in records[1::2]] == [(one.body, one.status) for one in made]


@pytest.mark.parametrize(("size", "fields"), [(7_000, 12), (100, 900), (1, 20_000)])
def test_fastwarc_reads_what_comes_after_a_long_head(tmp_path: Path, size: int, fields: int) -> None:
    archive = Archive(tmp_path, "florilege/1", "a@b.org", False)
    archive.open("s1", 0)
    for _ in range(2):
        archive.exchange(exchange(headers=[("X", "y" * size)] * fields), {})
    with archive.close().open("rb") as file:
        found = [record.headers["WARC-Type"] for record in FastArchive(file, parse_http=True)]
    assert found == ["warcinfo", *["response", "request"] * 2]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 200), st.integers(1, 30))
def test_damaged_members_are_kept_whole_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, place: int, length: int
) -> None:
    data = foreign()
    archive = Archive(tmp_path_factory.mktemp("any"), "florilege/1", "a@b.org", False)
    archive.open("s1", 0)
    with contextlib.suppress(ValueError):
        archive.members([data[:place] + junk + data[place + length :]])
    archive.exchange(exchange(), {})
    archive.close()
    assert [record.error for record in by_ours(path(archive)) if record.error] == []
