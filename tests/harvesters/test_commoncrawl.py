"""Common Crawl: a real store on a port, asked by the harvester's tasks over HTTP."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import children
from servers.commoncrawl import CRAWL, Store, commoncrawl, page
from servers.running import running
from warcio.archiveiterator import ArchiveIterator

from extractors.warc import read
from harvesters.commoncrawl import Harvester, Settings
from harvesters.harvester import Answer, Outcome, Task


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with commoncrawl(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty_log(store: Store) -> None:
    store.log.clear()


def harvester(store: Store, /, **settings: Any) -> Harvester:
    return Harvester(Settings(**{"crawl": CRAWL, "store": store.url, **settings}))


def fetch(client: httpx.Client, task: Task, port: int) -> Answer:
    """As the spider does it, without its care: the store's sites are all on one port."""
    url = httpx.URL(task.url)
    answer = client.get(url.copy_with(host="127.0.0.1"), headers={**task.headers, "Host": url.netloc.decode()})
    fields = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(task, task.url, answer.status_code, fields, answer.content, datetime.now(UTC))


def harvest(of: Harvester, port: int) -> list[tuple[Task, Outcome]]:
    done: list[tuple[Task, Outcome]] = []
    waiting, known = list(of.start(None)), set[str]()
    with httpx.Client() as client:
        while waiting:
            task = waiting.pop(0)
            if task.key not in known:
                known.add(task.key)
                outcome = of.answer(fetch(client, task, port))
                done.append((task, outcome))
                waiting += outcome.next
    return done


def records(done: list[tuple[Task, Outcome]]) -> bytes:
    return b"".join(member for _, outcome in done for member in outcome.members)


def urls(data: bytes) -> list[str]:
    return [record.rec_headers.get_header("WARC-Target-URI") for record in ArchiveIterator(io.BytesIO(data))]


def test_all_pages_of_a_language_are_fetched_whole(store: Store) -> None:
    done = harvest(harvester(store, languages=["fr"], where="content_truncated IS NULL"), store.port)
    data = records(done)
    wanted = [row["url"] for row in store.rows if row["content_languages"] == "fra" and not row["content_truncated"]]
    assert sorted(urls(data)) == sorted(wanted) and len(wanted) == 24
    found = list(read(lambda: io.BytesIO(data), source="s", path="p"))
    assert [record.payload for record in found] == [page("fra", seed) for seed in range(24)]
    assert all(outcome.labels == {"origin": CRAWL} and outcome.reason is None for _, outcome in done)


def test_records_of_one_file_that_lie_near_are_one_request(store: Store) -> None:
    of = harvester(store, languages=["fr"], where="content_truncated IS NULL")
    done = harvest(of, store.port)
    ranges = [(path, span) for _, path, span, _ in store.log if path.endswith(".warc.gz")]
    assert len(ranges) == len(done) == 2, "one for each WARC file"
    assert [len(outcome.members) for _, outcome in done] == [12, 12]
    assert all(task.once and not task.robots for task, _ in done)
    assert [task.url for task, _ in done] == sorted(task.url for task, _ in done)


def test_one_record_alone_is_known_by_its_own_address(store: Store) -> None:
    done = harvest(harvester(store, where="url = 'https://beispiel.de/texts/3.html'"), store.port)
    assert [outcome.url for _, outcome in done] == ["https://beispiel.de/texts/3.html"]


def test_the_index_of_a_crawl_is_read_from_the_store(store: Store) -> None:
    list(harvester(store, domains=["beispiel.de"]).start(None))
    asked = Counter(path for _, path, _, _ in store.log)
    assert f"/crawl-data/{CRAWL}/cc-index-table.paths.gz" in asked
    assert not [path for path in asked if "crawldiagnostics" in path], "only captures with status 200 are wanted"
    list(harvester(store, statuses=[404]).start(None))
    assert [path for _, path, _, _ in store.log if "crawldiagnostics" in path]


def test_a_store_that_is_busy_is_asked_again(store: Store) -> None:
    store.slow.add(f"crawl-data/{CRAWL}/cc-index-table.paths.gz")
    assert list(harvester(store, domains=["beispiel.de"]).start(None))
    assert not store.slow


def bad(store: Store, path: str, **settings: Any) -> list[tuple[Task, Outcome]]:
    return harvest(harvester(store, where=f"url = 'https://bad.example.org/{path}'", **settings), store.port)


@pytest.mark.parametrize("path", ["climbs", "elsewhere", "split", "negative", "empty"])
def test_impossible_lines_of_an_index_are_passed_over(store: Store, path: str) -> None:
    assert bad(store, path) == []
    assert not [entry for entry in store.log if entry[1].endswith(".warc.gz")]


@pytest.mark.parametrize(
    ("path", "outcome", "reason"),
    [
        ("middle", "failed", "record left out: no gzip member"),
        ("another", "failed", "record left out: another URL"),
        ("beyond", "missing", "range outside the file"),
        ("missing", "missing", "no such file"),
    ],
)
def test_wrong_places_of_an_index(store: Store, path: str, outcome: str, reason: str) -> None:
    (_, found), *more = bad(store, path)
    assert (found.store, found.outcome, found.reason) == ("nothing", outcome, reason)
    assert not more


def test_a_wrong_digest_is_kept_and_said(store: Store) -> None:
    done = harvest(harvester(store, hosts=["bad.example.org"], where="content_digest LIKE 'AAAA%'"), store.port)
    [(_, outcome)] = done
    assert outcome.store == "members" and len(outcome.members) == 1
    assert outcome.reason == "digest differs from the index"


def test_a_wrong_record_does_not_cost_its_neighbours(store: Store) -> None:
    """`bad.example.org/another` is said to lie where the first page does."""
    first = store.rows[0]["url"]
    names = f"('{first}', 'https://bad.example.org/middle', 'https://beispiel.de/texts/0.html')"
    (task, outcome), *more = harvest(
        harvester(store, where=f"url IN {names} AND content_digest NOT LIKE 'AA%'"), store.port
    )
    assert len(task.note["records"]) == 3 and not more
    assert urls(b"".join(outcome.members)) == [first, "https://beispiel.de/texts/0.html"]
    assert outcome.reason == "record left out: no gzip member"


@pytest.mark.parametrize(
    ("prefix", "outcome", "reason"),
    [
        ("ignore/", "failed", "byte range ignored"),
        ("wrong/", "failed", "another byte range"),
        ("coded/", "failed", "content coding on a byte range"),
        ("forbid/", "failed", "refused by the store"),
    ],
)
def test_stores_that_do_not_give_the_range(store: Store, prefix: str, outcome: str, reason: str) -> None:
    table = store.folder / "cc-index/table"
    settings = {"crawl": None, "index": str(table), "store": store.url + prefix, "languages": ["de"]}
    done = harvest(harvester(store, **settings), store.port)
    assert done and all((o.store, o.outcome, o.reason) == ("nothing", outcome, reason) for _, o in done)
    assert all((o.retry_s is not None) == o.rest == (prefix == "forbid/") for _, o in done)


def test_what_a_short_answer_lacks_is_asked_for_again(store: Store) -> None:
    table = store.folder / "cc-index/table"
    settings = {"crawl": None, "index": str(table), "store": store.url + "short/", "languages": ["de"]}
    done = harvest(harvester(store, **settings), store.port)
    kept = urls(records(done))
    assert len(kept) == len(set(kept)) > 12
    alone = [outcome for task, outcome in done if len(task.note["records"]) == 1]
    assert alone and all(outcome.reason == "record left out: cut off" for outcome in alone)


def test_truncated_pages_are_kept_and_flagged(store: Store) -> None:
    done = harvest(harvester(store, hosts=["www.exemple.fr"], where="content_truncated = 'length'"), store.port)
    found = list(read(lambda: io.BytesIO(records(done)), source="s", path="p"))
    assert [record.meta.get("truncated") for record in found] == ["length"] * 3
    assert not [task for task, _ in done if task.kind == "live"]


def test_truncated_pages_are_fetched_from_their_site(store: Store) -> None:
    of = harvester(store, domains=["exemple.fr"], where="content_truncated = 'length'", refetch_truncated=True)
    done = harvest(of, store.port)
    live = {task.url.rpartition(f":{store.port}")[2]: (task, outcome) for task, outcome in done if task.kind == "live"}
    assert set(live) == {"/long.html", "/private/long.html", "/gone.html"}
    assert all(task.robots and not task.headers for task, _ in live.values()), "robots.txt has its say"
    assert live["/long.html"][1].store == "exchange"
    assert (live["/gone.html"][1].store, live["/gone.html"][1].outcome) == ("nothing", "missing")


def live_answer(of: Harvester, **change: Any) -> Outcome:
    task = Task("http://www.exemple.fr/long.html", kind="live")
    fields: dict[str, Any] = {"status": 200, "headers": {"content-type": "text/html"}, "body": page("fra", 1), **change}
    return of.answer(Answer(task, task.url, fetched=datetime.now(UTC), **fields))


def test_a_live_page_counts_only_when_it_is_whole(store: Store) -> None:
    of = harvester(store)
    assert live_answer(of).store == "exchange"
    assert live_answer(of, truncated="length").outcome == "failed"
    assert live_answer(of, status=500).outcome == "failed"
    assert (
        live_answer(of, body=b"\x89PNG\r\n\x1a\n" + bytes(200), headers={"content-type": "image/png"}).store
        == "nothing"
    )


def test_redirects_stay_where_they_are(store: Store) -> None:
    of = harvester(store, cdx_server=store.url + "cdx/", hosts=["www.exemple.fr"])
    live, span = Task("http://www.exemple.fr/a", kind="live"), Task(f"{store.url}x.warc.gz", kind="range")
    pages = Task(f"{store.url}cdx/x", kind="pages")
    assert of.admits("https://exemple.fr/b", live) is None
    assert of.admits("https://exemple.org/b", live) == "redirect to another host"
    assert of.admits(f"{store.url}y.warc.gz", span) is None
    assert of.admits("http://169.254.169.254/y.warc.gz", span) == "redirect to another store"
    assert of.admits(f"{store.url}y", pages) == "redirect to another store"
    assert of.hosts() == ["127.0.0.1"]


def test_cdx_files_choose_the_same_records_as_the_columnar_index(store: Store) -> None:
    index = str(store.folder / f"cc-index/collections/{CRAWL}/indexes/cdx-*.gz")
    choice = {"languages": ["en", "deu"], "types": ["html"], "statuses": [200]}
    tasks = list(harvester(store, **choice).start(None))
    again = list(harvester(store, crawl=None, index=index, **choice).start(None))
    assert [task.key for task in again] == [task.key for task in tasks]
    assert [task.note for task in again] == [task.note for task in tasks]
    remote = f"{store.url}cc-index/collections/{CRAWL}/indexes/cdx-00000.gz"
    assert [t.key for t in harvester(store, crawl=None, index=remote, **choice).start(None)] == [t.key for t in tasks]


def test_a_cdx_server_is_asked_page_by_page(store: Store) -> None:
    of = harvester(store, cdx_server=store.url, hosts=["beispiel.de", "nobody.example"], domains=["exemple.fr"])
    done = harvest(of, store.port)
    kinds = Counter((task.kind, outcome.outcome) for task, outcome in done if task.kind != "range")
    assert kinds == {("pages", None): 2, ("pages", "missing"): 1, ("captures", None): 6}
    wanted = {r["url"] for r in store.rows if r["url_host_name"] in ("beispiel.de", "www.exemple.fr")}
    assert set(urls(records(done))) == wanted
    assert all(outcome.store == "nothing" for task, outcome in done if task.kind != "range")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"pages": -1}', b'{"pages": 1e99}', b"[" * 100_000, b"null"])
def test_numbers_of_pages_that_are_none(store: Store, body: bytes) -> None:
    of = harvester(store, cdx_server=store.url, hosts=["beispiel.de"])
    task = next(of.start(None))
    outcome = of.answer(Answer(task, task.url, 200, {}, body, datetime.now(UTC)))
    assert outcome.outcome == "failed" and not outcome.next


def test_hostile_captures_of_a_cdx_server(store: Store) -> None:
    of = harvester(store, cdx_server=store.url, hosts=["beispiel.de"])
    task = Task(f"{store.url}x", kind="captures")
    body = b'{"url": 1}\n{"filename": ["../x"]}\nnull\n\xff\xfe\n{"offset": "9e9"}\n' + b"[" * 50_000
    outcome = of.answer(Answer(task, task.url, 200, {}, body, datetime.now(UTC)))
    assert (outcome.outcome, outcome.next) == (None, [])


def test_a_bomb_is_no_record(store: Store) -> None:
    of = harvester(store, where="url = 'https://beispiel.de/texts/3.html'")
    [task] = of.start(None)
    record = task.note["records"][0]
    bomb = gzip.compress(
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 300000000\r\n\r\n" + bytes(300_000_000), 1
    )
    record[1] = len(bomb)
    span = {"content-range": f"bytes {record[0]}-{record[0] + len(bomb) - 1}/*"}
    outcome = of.answer(Answer(task, task.url, 206, span, bomb, datetime.now(UTC)))
    assert outcome.reason == "record left out: record too large"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "either crawl or index"),
        ({"crawl": CRAWL, "index": "x"}, "either crawl or index"),
        ({"crawl": "../x"}, "no name of a crawl"),
        ({"crawl": CRAWL, "store": "file:///etc/"}, "no http or https address"),
        ({"crawl": CRAWL, "store": "https://user:pw@host/"}, "no http or https address"),
        ({"crawl": CRAWL, "languages": ["french"]}, "no language"),
        ({"crawl": CRAWL, "types": ["text"]}, "neither html, pdf nor a media type"),
        ({"crawl": CRAWL, "statuses": [20]}, "100 to 599"),
        ({"crawl": CRAWL, "hosts": ["a b"]}, "no host name"),
        ({"crawl": CRAWL, "limit": 0}, "greater than or equal to 1"),
        ({"crawl": CRAWL, "cdx_server": "https://x/"}, "cdx_server needs"),
        ({"crawl": CRAWL, "where": "1 = 1; DROP TABLE x"}, "where"),
        ({"crawl": CRAWL, "hots": ["a"]}, "hots"),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings(**settings)


def test_hosts_are_written_as_the_index_has_them() -> None:
    settings = Settings(crawl=CRAWL, hosts=("WWW.Bücher.example.",), store="https://data.commoncrawl.org")
    assert settings.hosts == ("www.xn--bcher-kva.example",)
    assert settings.store == "https://data.commoncrawl.org/"


def test_no_index_says_so(store: Store, tmp_path: Path) -> None:
    from catalog.errors import ConfigError

    with pytest.raises(ConfigError, match="no such file"):
        list(harvester(store, crawl=None, index=str(tmp_path / "*.parquet")).start(None))
    with pytest.raises(ConfigError, match="404"):
        list(harvester(store, crawl="CC-MAIN-1999-01").start(None))


# -- in a child process ---------------------------------------------------------------------------------------


def run(store: Store, root: Path, settings: dict[str, Any], **fetch: Any) -> dict[str, Any]:
    settings = {"crawl": CRAWL, "store": store.url, **settings}
    fetch = {**children.local("127.0.0.1", "www.exemple.fr"), **fetch}
    child = children.start(root, settings, fetch, harvester="commoncrawl", name="cc")
    return children.lines(child)[-1]


def archived(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((root / "archive/cc").glob("*.warc.gz")))


def test_a_harvest_from_index_to_archive(store: Store, tmp_path: Path) -> None:
    store.slow.add(store.rows[0]["warc_filename"])
    settings = {"where": "url_host_name <> 'bad.example.org' OR url LIKE '%/m%'", "refetch_truncated": True}
    last = run(store, tmp_path, settings)
    assert last["status"] == "complete"
    data = archived(tmp_path)
    assert all(record.rec_type for record in ArchiveIterator(io.BytesIO(data), check_digests="raise"))
    found = [r for r in read(lambda: io.BytesIO(data), source="s", path="p") if r.kind == "response" and not r.skip]
    assert not [record.error for record in found if record.error]
    wanted = Counter(
        row["url"]
        for row in store.rows
        if row["subset"] == "warc" and row["url_host_name"] != "bad.example.org"
    )  # fmt: skip
    long = f"http://www.exemple.fr:{store.port}/long.html"
    assert Counter(record.url for record in found) == wanted + Counter([long])
    assert [record.meta.get("truncated") for record in found if record.url == long] == ["length", None]
    assert {record.payload for record in found} >= {page("fra", 900), page("deu", 7), page("eng", 0)}
    rows = children.rows(tmp_path)
    by_reason = Counter((row["kind"], row["outcome"], row["reason"]) for row in rows if row["outcome"] != "new")
    assert by_reason == {
        ("range", "missing", "no such file"): 1,
        ("live", "robots", "robots.txt"): 1,
        ("live", "missing", "http 404"): 1,
    }
    assert [row["reason"] for row in rows if row["reason"] and row["outcome"] == "new"] == [
        "record left out: no gzip member"
    ]
    assert {row["labels"] for row in rows if row["kind"] == "range" and row["outcome"] == "new"} == {
        f'{{"origin":"{CRAWL}"}}'
    }
    assert not [path for host, path, _, _ in store.log if host == "www.exemple.fr" and "private" in path]
    statuses = [status for _, path, span, status in store.log if path.endswith("00000.warc.gz") and span]
    assert statuses[:2] == [503, 206], "asked again after SlowDown"


def test_another_harvest_fetches_only_what_is_new(store: Store, tmp_path: Path) -> None:
    assert run(store, tmp_path, {"languages": ["de"]})["status"] == "complete"
    before = archived(tmp_path)
    store.log.clear()
    last = run(store, tmp_path, {"languages": ["de"]})
    assert (last["status"], last["requests"]) == ("complete", 0)
    assert not [entry for entry in store.log if ".warc.gz" in entry[1]]
    assert archived(tmp_path) == before


def test_a_store_that_sends_whole_files_costs_no_more_than_the_limit(store: Store, tmp_path: Path) -> None:
    settings = {"crawl": None, "index": str(store.folder / "cc-index/table"), "store": f"{store.url}ignore/"}
    assert run(store, tmp_path, {**settings, "languages": ["de"]}, max_mb=0.01)["status"] == "complete"
    assert {(row["outcome"], row["reason"]) for row in children.rows(tmp_path)} == {("failed", "too large")}


def test_a_store_sees_who_reads_its_index(tmp_path: Path) -> None:
    agents = []

    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        agents.append(dict(scope["headers"])[b"user-agent"].decode())
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with running(nothing) as place:
        for settings in ({"crawl": CRAWL}, {"index": f"{place.url}/some.parquet"}):
            job = {"store": f"{place.url}/", **settings}
            child = children.start(tmp_path / "c", job, {}, harvester="commoncrawl", name="cc")
            _, error = child.communicate(timeout=60)
            assert child.returncode == 2 and "404" in error
    assert len(agents) >= 2
    assert all(agent.startswith("florilege/") and "(+mailto:team@example.org)" in agent for agent in agents)


def test_an_index_that_is_not_there_ends_a_harvest_before_it_begins(store: Store, tmp_path: Path) -> None:
    settings = {"crawl": None, "index": str(tmp_path / "none"), "store": store.url}
    child = children.start(tmp_path / "c", settings, {}, harvester="commoncrawl", name="cc")
    _, error = child.communicate(timeout=60)
    assert child.returncode == 2 and "no such file" in error
