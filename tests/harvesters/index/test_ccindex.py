"""Choosing records: SQL over columnar index files and CDX files."""

from __future__ import annotations

import gzip
import io
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.commoncrawl import CDX, Store, commoncrawl, surt

from catalog.errors import ConfigError
from harvesters.commoncrawl import Harvester, Settings
from harvesters.index import cdx
from harvesters.index import choose as ccindex
from harvesters.index import ranges as ccrecords
from harvesters.index import web_files as ccstore
from harvesters.index.choose import Choice, Found

FIRST = "crawl-data/C/segments/1/warc/a.warc.gz"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with commoncrawl(tmp_path_factory.mktemp("store")) as running:
        yield running


def tables(store: Store) -> list[str]:
    return [str(path) for path in sorted(store.folder.glob("cc-index/table/**/*.parquet"))]


def chosen(store: Store, **choice: Any) -> list[str | None]:
    return [found.url for found in ccindex.in_parquet(tables(store), None, Choice(**choice))]


def expected(store: Store, condition: Any) -> set[str]:
    return {row["url"] for row in store.rows if condition(row)}


def test_every_condition_chooses(store: Store) -> None:
    assert set(chosen(store)) == expected(store, lambda row: True)
    for choice, condition in [
        ({"languages": ("fr",)}, lambda row: row["content_languages"] == "fra"),
        ({"languages": ("fra", "de")}, lambda row: row["content_languages"] in ("fra", "deu")),
        ({"hosts": ("beispiel.de",)}, lambda row: row["url_host_name"] == "beispiel.de"),
        ({"domains": ("exemple.fr",)}, lambda row: row["url_host_name"] == "www.exemple.fr"),
        ({"hosts": ("exemple.fr",)}, lambda row: False),
        ({"tlds": ("fr", "org")}, lambda row: row["url_host_tld"] in ("fr", "org")),
        ({"hosts": ("beispiel.de",), "tlds": ("fr",)}, lambda row: row["url_host_tld"] in ("fr", "de")),
        ({"types": ("pdf",)}, lambda row: row["content_mime_detected"] == "application/pdf"),
        ({"statuses": (404,)}, lambda row: row["fetch_status"] == 404),
        ({"where": "content_truncated IS NOT NULL -- cut"}, lambda row: row["content_truncated"]),
        ({"where": "subset = 'crawldiagnostics'"}, lambda row: row["subset"] == "crawldiagnostics"),
        ({"where": "crawl = 'CC-MAIN-2026-30' OR false"}, lambda row: True),
    ]:
        assert set(chosen(store, **choice)) == expected(store, condition), choice


def test_records_come_by_file_and_offset_and_limited(store: Store) -> None:
    found = list(ccindex.in_parquet(tables(store), None, Choice()))
    places = [(line.filename, line.offset) for line in found]
    assert places == sorted(places)
    assert list(ccindex.in_parquet(tables(store), None, Choice(limit=5))) == found[:5]
    assert list(ccindex.in_parquet(tables(store)[::-1], None, Choice())) == found


def test_the_main_language_is_the_first(tmp_path: Path) -> None:
    languages = ["fra,eng", "eng,fra", "fra", None, "", "fre"]
    rows = [
        {**_row(f"https://x.fr/{number}", number), "content_languages": language}
        for number, language in enumerate(languages)
    ]
    found = ccindex.in_parquet([_write(tmp_path / "x.parquet", rows)], None, Choice(languages=("fr",)))
    assert [line.url for line in found] == ["https://x.fr/0", "https://x.fr/2", "https://x.fr/5"]


def _row(url: str, number: int = 0) -> dict[str, Any]:
    return {
        "url": url, "warc_filename": FIRST, "warc_record_offset": number * 1_000, "warc_record_length": 500,
        "fetch_status": 200,
    }  # fmt: skip


def _write(path: Path, rows: list[dict[str, Any]], group: int = 1_000) -> str:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)
    return str(path)


def test_files_of_several_ages_are_one_relation(tmp_path: Path) -> None:
    """Crawls before 2018 have no languages, later ones more columns; the types of numbers have changed as well."""
    old = _write(tmp_path / "1.parquet", [_row("https://x.fr/1", 1)])
    new = tmp_path / "2.parquet"
    rows = [{**_row("https://x.fr/2", 2), "content_languages": "fra", "warc_record_id": b"x"}]
    table = pa.Table.from_pylist(rows)
    pq.write_table(table.set_column(2, "warc_record_offset", pa.array([2_000], pa.int32())), new)
    files = [old, str(new)]
    assert [line.offset for line in ccindex.in_parquet(files, None, Choice())] == [1_000, 2_000]
    found = ccindex.in_parquet(files, None, Choice(languages=("fr",)))
    assert [line.url for line in found] == ["https://x.fr/2"]


def test_files_that_are_no_index_are_named(tmp_path: Path) -> None:
    other = _write(tmp_path / "x.parquet", [{"text": "a"}])
    with pytest.raises(ConfigError, match="no column url, warc_filename"):
        list(ccindex.in_parquet([other], None, Choice()))
    broken = tmp_path / "y.parquet"
    broken.write_bytes(b"PAR1 nothing more")
    with pytest.raises(ConfigError, match="index"):
        list(ccindex.in_parquet([str(broken)], None, Choice()))


def test_numbers_that_are_none_are_passed_over(tmp_path: Path) -> None:
    rows = [
        {**_row(f"https://x.fr/{n}"), "warc_record_offset": offset} for n, offset in enumerate(["12", "x", "", "-"])
    ]
    found = list(ccindex.in_parquet([_write(tmp_path / "x.parquet", rows)], None, Choice()))
    assert sorted(str(line.offset) for line in found) == ["12", "None", "None", "None"]


def test_columns_of_other_types_do_no_harm(tmp_path: Path) -> None:
    """A partition `crawl=2026` is a number, and so may anything be in a file that is no index."""
    folder = tmp_path / "crawl=2026"
    folder.mkdir()
    rows = [{"url": 1, "warc_filename": b"\xff", "warc_record_offset": 1.5, "warc_record_length": [1]}]
    [found] = ccindex.in_parquet([_write(folder / "x.parquet", rows)], None, Choice())
    assert found.crawl == "2026" and ccrecords.checked(found) == "file name"


def test_a_cdx_file_that_cannot_be_read_is_named(store: Store) -> None:
    url = f"{store.url}wrong/{CDX}"
    harvester = Harvester(Settings(index=(url,), store=store.url))
    with pytest.raises(ConfigError, match="does not give bytes"):
        list(harvester.start(None))


# -- the condition of the recipe ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        "url LIKE '%.pdf'", "length(url) < 80 AND crawl IS NOT NULL", "hash(url) % 100 = 0",
        "regexp_matches(url, '(?i)/lois?/')", "fetch_time > TIMESTAMP '2026-07-01' -- July", "true", "url = 'a)b'",
        "warc_record_length BETWEEN 1 AND 9", "list_contains(string_split(content_languages, ','), 'fra')",
    ],
)  # fmt: skip
def test_conditions(where: str) -> None:
    ccindex.check_condition(where)


@pytest.mark.parametrize(
    "where",
    [
        "", "(", "1 = 1; DROP TABLE cc_index", "true) UNION SELECT (1", "true) GROUP BY (url", "true) ORDER BY (url",
        "true) LIMIT (1", "true) QUALIFY (true", "true) USING SAMPLE (10", "url IN (SELECT content FROM "
        "read_text('/etc/passwd'))", "EXISTS (FROM '/etc/passwd')", "count(*) > 1", "nothing = 1", "url = ?",
        "url = $name", "getenv('HOME') = ''", "true) AND (SELECT true", "row_number() OVER () < 5", "url", "/*", "'",
        "list_sum([1, (SELECT 1)]) = 1", "true\n) -- ", "CASE WHEN (FROM range(1)) THEN 1 END = 1", "columns(*) = 'x'",
        "unnest([true])",
    ],
)  # fmt: skip
def test_what_is_no_condition(where: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ccindex.check_condition(where)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("()'\";-/*\n,.= ?$urlselectfromwhere1"), max_size=40))
def test_a_condition_that_passes_has_no_other_effect(where: str) -> None:
    try:
        ccindex.check_condition(where)
    except ValueError:
        return
    lines = [f'com,x)/ 20260101000000 {{"url": "https://x.com/", "filename": "{FIRST}", "offset": "1", "length": "2"}}']
    try:
        found = list(ccindex.in_lines([lines], Choice(where=where)))
    except ConfigError:
        return
    assert found in ([], [Found("https://x.com/", FIRST, 1, 2, None, None, "C")])


def test_no_sql_reads_other_files_or_writes(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for where in (f"EXISTS (FROM read_csv('{secret}'))", f"EXISTS (FROM '{secret}')", "(SET threads = 1)"):
        with pytest.raises(ConfigError, match=r"[Pp]ermission|Parser|parser|disabled"):
            list(ccindex.in_parquet(tables(store), None, Choice(where=where)))


# -- places -------------------------------------------------------------------------------------------------

_LABELS = st.sampled_from(["www", "www2", "a", "ab", "a-b", "example", "xn--caf-dma", "1", "fr"])
_HOSTS = st.one_of(st.lists(_LABELS, min_size=1, max_size=4).map(".".join), st.just("10.0.0.1"))
_PATHS = st.sampled_from(["/", "/a", "/a?b=,)", "/~x"])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(_HOSTS, st.sampled_from(["", ":8080"]), _PATHS), max_size=12), _HOSTS)
def test_key_ranges_choose_what_host_names_do(pages: list[tuple[str, str, str]], wanted: str) -> None:
    rows = [(f"https://{host}{port}{path}", host) for host, port, path in pages]
    lines = [
        f'{_key(url)} 20260101000000 {{"url": "{url}", "filename": "{FIRST}", "offset": "{n}", "length": "9"}}'
        for n, (url, _) in enumerate(rows)
    ]

    def found(**choice: Any) -> list[str | None]:
        return [line.url for line in ccindex.in_lines([lines], Choice(**choice))]

    assert found(hosts=(wanted,)) == [url for url, host in rows if host == wanted]
    below = [url for url, host in rows if host == wanted or host.endswith(f".{wanted}")]
    assert found(domains=(wanted,)) == below
    if "." not in wanted:
        assert found(tlds=(wanted,)) == [url for url, host in rows if host.rpartition(".")[2] == wanted]


def _key(url: str) -> str:
    return url.split("//")[1].replace("/", ")/", 1) if "10.0.0.1" in url else surt(url)


def test_statistics_spare_most_of_the_index(store: Store) -> None:
    """Over HTTP the bytes that are read can be counted: an index of 120 000 lines, of which one host is wanted."""
    random = Random(1)
    rows = [
        {**_row(f"https://h{host:04d}.fr/{page}", host * 20 + page), "url_surtkey": f"fr,h{host:04d})/{page}",
         "url_host_name": f"h{host:04d}.fr", "content_digest": random.randbytes(20).hex()}
        for host in range(6_000) for page in range(20)
    ]  # fmt: skip
    path = store.folder / "big.parquet"
    _write(path, rows, group=4_000)
    remote = ccstore.WebFiles()
    found = list(ccindex.in_parquet([f"{store.url}big.parquet"], remote, Choice(hosts=("h0777.fr",))))
    assert [line.url for line in found] == [f"https://h0777.fr/{page}" for page in range(20)]
    assert remote.received < path.stat().st_size / 5
    assert remote.requests < 12


def test_files_of_a_web_store_are_asked_for_by_range_only(store: Store) -> None:
    store.log.clear()
    name = tables(store)[-1].removeprefix(str(store.folder) + "/")
    assert list(ccindex.in_parquet([store.url + name], ccstore.WebFiles(), Choice()))
    assert {(path, status) for _, path, _, status in store.log} == {(f"/{name}", 206)}
    with pytest.raises(ConfigError, match="does not give bytes"):
        list(ccindex.in_parquet([f"{store.url}ignore/{name}"], ccstore.WebFiles(()), Choice()))
    with pytest.raises(ConfigError, match="403"):
        list(ccindex.in_parquet([f"{store.url}forbid/{name}"], ccstore.WebFiles(()), Choice()))


def test_index_files_are_found(store: Store, tmp_path: Path) -> None:
    assert ccstore.find((str(store.folder / "cc-index/table"),)) == (tables(store), None)
    assert ccstore.find((str(store.folder / "cc-index/table/**/*.parquet"),)) == (tables(store), None)
    assert ccstore.find((str(store.folder / CDX),)) == ([str(store.folder / CDX)], None)
    files, remote = ccstore.find((store.url + CDX,))
    assert files == [store.url + CDX] and isinstance(remote, ccstore.WebFiles)
    with pytest.raises(ConfigError, match="no such file"):
        ccstore.find((str(tmp_path),))
    with pytest.raises(ConfigError, match="all files must be local"):
        ccstore.find((store.url + CDX, str(store.folder / CDX)))


def test_only_stores_are_asked_that_the_recipe_names(store: Store) -> None:
    store.log.clear()
    elsewhere = store.url.replace("127.0.0.1", "localhost")
    for remote in (ccstore.WebFiles((), places=(elsewhere,)), ccstore.find((elsewhere + CDX,))[1]):
        with pytest.raises(OSError, match="does not name"):
            remote.piece(store.url + CDX, 0, 1)
    assert not store.log


def test_reading_an_index_hears_signals_and_stops() -> None:
    class Told(Exception):
        pass

    def tell(*_: Any) -> None:
        raise Told

    calls: list[str] = []
    endless = "SELECT sum(hash(i)) FROM range(10000000000000) t(i)"
    before = signal.signal(signal.SIGALRM, tell)
    try:
        with ccindex._connect() as connection:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Told):
                list(ccindex._batches(connection, endless, [], lambda: calls.append("cancel")))
            assert calls == ["cancel"]
            assert connection.execute("SELECT 1").fetchall() == [(1,)], "it is free for something else"
    finally:
        signal.signal(signal.SIGALRM, before)


# -- CDX files ------------------------------------------------------------------------------------------------


def lines_of(data: bytes) -> list[str]:
    return [line for part in cdx.read_lines(io.BytesIO(data), "x") for line in part]


def test_lines_over_gzip_members(store: Store) -> None:
    packed = (store.folder / CDX).read_bytes()
    assert packed.count(b"\x1f\x8b\x08") > 5
    assert len(lines_of(packed)) == len(store.rows)
    assert lines_of(packed) == lines_of(gzip.decompress(packed))


def test_a_cdx_file_that_is_cut_off_gives_what_it_has(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    packed = (store.folder / CDX).read_bytes()
    whole = lines_of(packed)
    with caplog.at_level(logging.WARNING):
        some = lines_of(packed[: len(packed) // 2])
    assert 0 < len(some) < len(whole) and some[:-1] == whole[: len(some) - 1]
    assert "its lines so far are used" in caplog.text


@given(st.lists(st.integers(0, 200), max_size=30))
def test_lines_that_are_too_long_are_left_out(lengths: list[int]) -> None:
    lines = [b"x" * (length * 1_000) for length in lengths]
    kept = lines_of(b"\n".join(lines))
    assert kept == [line.decode() for line in lines if 0 < len(line) <= cdx._MAX_LINE]


def test_eleven_words_and_json_alone_are_read_too() -> None:
    lines = [
        " CDX N b a m s k r M S V g",
        f"fr,x)/a 20260720010203 https://x.fr/a text/html 200 AAAA - - 500 1000 {FIRST}",
        f'{{"urlkey": "fr,x)/b", "url": "https://x.fr/b", "status": "200", "mime": "text/html", "digest": "sha1:BB", '
        f'"offset": "2000", "length": "7", "filename": "{FIRST}", "truncated": "length"}}',
        "rubbish", "{}", "[1, 2]", 'a 1 {"url":', "", "a b c d e f g h i j k",
    ]  # fmt: skip
    found = list(ccindex.in_lines([lines], Choice(types=("html",), statuses=(200,), tlds=("fr",))))
    assert found == [
        Found("https://x.fr/a", FIRST, 1_000, 500, "AAAA", None, "C"),
        Found("https://x.fr/b", FIRST, 2_000, 7, "sha1:BB", "length", "C"),
    ]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(), max_size=8))
def test_any_lines_do_no_harm(lines: list[str]) -> None:
    for found in ccindex.in_lines([lines], Choice()):
        ccrecords.checked(found)


# -- records --------------------------------------------------------------------------------------------------


def test_languages_are_known_by_any_of_their_codes() -> None:
    assert ccindex.iso_639_3("fr") == ccindex.iso_639_3("fra") == ccindex.iso_639_3("fr-CA") == ["fr", "fra", "fre"]
    assert ccindex.iso_639_3("ceb") == ["ceb"]
    for wrong in ("french", "", "und", "f"):
        with pytest.raises(ValueError, match="no language"):
            ccindex.iso_639_3(wrong)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "a/../b.warc.gz", "../a", "a//b", "http://x/a.warc.gz", "a/.hidden", "a\n", "a%2e%2e/b", "a?b", "",
     "a/./b", "//x/y", "a\\b", "a#b", "é.warc.gz", "a" * 300, None, "x@y", "/".join("a" * 400)],
)  # fmt: skip
def test_names_that_lead_elsewhere(name: str | None) -> None:
    assert not ccrecords.is_name(name)


@given(st.lists(st.tuples(st.integers(0, 1 << 24), st.integers(1, 1 << 21)), max_size=40))
def test_groups_hold_every_record_once(places: list[tuple[int, int]]) -> None:
    places.sort()
    wanted = [("f", "C", ccrecords.Wanted(offset, length, "https://x/", None, None)) for offset, length in places]
    groups = list(ccrecords.groups(wanted))
    held = [(record.offset, record.length) for group in groups for record in group.records]
    assert sorted(set(held)) == sorted(set(places))
    for group in groups:
        assert ccrecords.Group.from_note(group.note()) == group
        assert len(group.records) == 1 or group.end - group.start <= ccrecords.MAX_SPAN
