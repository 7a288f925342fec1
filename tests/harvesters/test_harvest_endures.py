"""What a harvest outlives: deaths, lost and damaged files, other recipes, clocks set back, odd servers."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from servers.children import harvest, lines, local, rows, start
from servers.running import running
from warcio.archiveiterator import ArchiveIterator

from catalog import fetches, files
from catalog.files import Corpus, read_json
from harvesters import child
from harvesters.harvester import Task
from harvesters.oai import articles
from harvesters.pages import sitemaps
from harvesters.spider.addresses import Guard
from harvesters.spider.answers import _text
from harvesters.spider.archive import Archive
from harvesters.spider.asking import joined
from harvesters.spider.download import _fields
from harvesters.spider.frontier import Frontier
from harvesters.spider.segments import Segments

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hit:
    moment: float
    host: str
    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class Reply:
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    wait: float = 0.0


@dataclass
class Script:
    """An ASGI application that answers as it is told. `says(hit, nth)`: `nth` counts requests for the same."""

    says: Callable[[Hit, int], Reply]
    log: list[Hit] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        hit = Hit(time.monotonic(), headers["host"].partition(":")[0], scope["path"], headers)
        self.log.append(hit)
        reply = self.says(hit, self.counts[hit.host, hit.path])
        self.counts[hit.host, hit.path] += 1
        await asyncio.sleep(reply.wait)
        fields = [
            (name.encode(), value.encode()) for name, value in {"content-type": "text/html", **reply.headers}.items()
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": fields})
        await send({"type": "http.response.body", "body": reply.body.encode() if reply.status != 304 else b""})

    def asked(self, host: str, since: int = 0) -> list[str]:
        return [hit.path for hit in self.log[since:] if hit.host == host]


def until(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def payloads(root: Path, segments: str = "*") -> list[tuple[str, str, bytes]]:
    """Types, URLs and payloads of records that warcio reads; it checks digests."""
    found = []
    for path in sorted((root / "archive" / "web").glob(segments)):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                uri = record.rec_headers.get_header("WARC-Target-URI")
                found.append((record.rec_type, uri, record.content_stream().read()))
    return found


# Three harvests, and what happens to files between them


@dataclass
class Nights:
    """Paths that were asked for with `If-None-Match`, or None, and rows by path, in each of three harvests."""

    asked: list[list[tuple[str, str | None]]]
    rows: list[dict[str, dict[str, Any]]]


PAGES = {
    "/": '<a href="/damaged"></a><a href="/star"></a><a href="/long"></a><a href="/part"></a>',
    "/damaged": '<a href="/behind"></a>',
    "/behind": "only one page leads here",
    "/star": "an odd validator",
    "/long": "a validator without end",
    "/part": "a part of a page",
}
ODD = {"/star": "*", "/long": '"' + "x" * 1_000 + '"'}


def nightly(hit: Hit, nth: int) -> Reply:
    if hit.path not in PAGES:
        return Reply(status=404)
    if hit.path == "/part":
        return Reply(PAGES[hit.path], {"content-range": "bytes 0-15/99"}, 206)
    etag = ODD.get(hit.path, f'"{hit.path}"')
    same = hit.headers.get("if-none-match") in (etag, "*")
    return Reply(PAGES[hit.path], {"etag": etag}, 304 if same else 200)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    root = tmp_path_factory.mktemp("nights") / "corpus"
    site = Script(nightly)
    found = Nights([], [])
    with running(site) as at:
        job = ({"seeds": [f"http://a.test:{at.port}/"], "parts": True}, {**local("a.test"), "segment_mb": 0.0001})
        for night in range(3):
            seen = len(site.log)
            end = harvest(root, *job)
            told = [(hit.path, hit.headers.get("if-none-match")) for hit in site.log[seen:]]
            found.asked.append([pair for pair in told if pair[0] != "/robots.txt"])
            here = [row for row in rows(root, end["harvest"]) if row["kind"] != "robots"]
            found.rows.append({row["url"].partition(f":{at.port}")[2]: row for row in here})
            if night == 0:
                spoil(root, found.rows[0])
    return found


def spoil(root: Path, rows: dict[str, dict[str, Any]]) -> None:
    """Overwrites the record of one page and deletes the segment of another."""
    bad, lost = rows["/damaged"], rows["/behind"]
    assert bad["warc"] != lost["warc"] == rows["/behind#part"]["warc"]
    with (root / bad["warc"]).open("r+b") as file:
        file.seek(bad["offset"])
        file.write(bytes(bad["length"]))
    (root / lost["warc"]).unlink()


def test_a_page_whose_record_is_damaged_is_asked_for_whole_at_once(nights: Nights) -> None:
    assert [etag for path, etag in nights.asked[1] if path == "/damaged"] == ['"/damaged"', None]
    row = nights.rows[1]["/damaged"]
    assert (row["status"], row["record"], row["attempts"]) == (200, "response", 2)
    assert "/behind" in nights.rows[1]  # its links are followed
    assert [etag for path, etag in nights.asked[2] if path == "/damaged"] == ['"/damaged"']
    assert (nights.rows[2]["/damaged"]["status"], nights.rows[2]["/damaged"]["record"]) == (304, "revisit")
    assert "/behind" in nights.rows[2]


def test_what_was_in_a_segment_that_is_gone_is_kept_again(nights: Nights) -> None:
    for part in ("/behind", "/behind#part"):
        first, second, third = (night[part] for night in nights.rows)
        assert first["record"] == second["record"] != third["record"]
        assert first["payload_digest"] == second["payload_digest"] == third["payload_digest"]
        assert first["warc"] != second["warc"]
        assert [night["outcome"] for night in (first, second, third)] in (
            ["new", "unchanged", "unchanged"], ["new", "changed", "unchanged"],
        )  # fmt: skip
    assert [etag for path, etag in nights.asked[1] if path == "/behind"] == [None]
    assert [etag for path, etag in nights.asked[2] if path == "/behind"] == ['"/behind"']


@pytest.mark.parametrize("path", ODD)
def test_validators_that_are_none_are_not_sent(nights: Nights, path: str) -> None:
    assert [etag for night in nights.asked for asked, etag in night if asked == path] == [None] * 3
    assert [night[path]["etag"] for night in nights.rows] == [None] * 3
    assert [night[path]["outcome"] for night in nights.rows] == ["new", "unchanged", "unchanged"]


def test_a_validator_is_looked_at_as_it_would_be_sent() -> None:
    assert [_text(value) for value in ("*", " *\x01", "\x00", "", None)] == [None] * 5
    assert _text('W/"*"') == 'W/"*"' and _text("x" * 1_000) == "x" * 1_000 and _text("x" * 1_001) is None


def test_a_part_that_nobody_asked_for_is_not_kept(nights: Nights) -> None:
    row = nights.rows[0]["/part"]
    assert (row["status"], row["outcome"], row["record"]) == (206, "failed", None)
    assert row["reason"] == "byte range that was not asked for"
    assert "/part#part" not in nights.rows[0]


# A harvest that is told to pause, and what others make of its archive meanwhile


@dataclass
class Pause:
    """A crawl of two hosts that was paused, tried by another harvester, and gone on with, in a narrower scope."""

    root: Path
    site: Script
    seen: int
    """Requests before it went on."""
    manifest: dict[str, Any]
    """When it was paused."""
    rows: list[dict[str, Any]]
    """When it was paused."""
    records: list[tuple[str, str, bytes]]
    """When it was paused."""
    others: list[tuple[int, str]]
    """How another harvester ended while it was paused, and when it was complete."""
    paused: dict[str, Any]
    end: dict[str, Any]


RETRY_AFTER_S = 3.5


def busy(hit: Hit, nth: int) -> Reply:
    if hit.path == "/robots.txt":
        return Reply(status=404)
    if hit.host == "b.test" and hit.path == "/" and nth == 0:
        return Reply("too many", {"retry-after": "4"}, 429)
    links = "".join(f'<a href="/{part}/{number}"></a>' for number in range(12) for part in ("in", "out"))
    return Reply(links if hit.path == "/" else hit.path, wait=0.1 if hit.host == "a.test" else 0)


@pytest.fixture(scope="module")
def pause(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pause]:
    root = tmp_path_factory.mktemp("pause") / "corpus"
    site = Script(busy)
    with running(site) as at:
        seeds = [f"http://a.test:{at.port}/", *(f"http://b.test:{at.port}/{page}" for page in ("", "in/0", "in/1"))]
        fetch = local("a.test", "b.test")
        process = start(root, {"seeds": seeds}, fetch, harvester="crawl")
        until(lambda: len(site.asked("a.test")) > 4 and "/" in site.asked("b.test"), process)
        process.send_signal(signal.SIGTERM)
        paused = lines(process)[-1]
        seen, manifest = len(site.log), read_json(root / "manifests" / "harvests" / f"{paused['harvest']}.json")
        published, kept = rows(root), payloads(root)
        others = [ended(start(root, {"seeds": seeds}, fetch))]
        process = start(root, {"seeds": seeds, "exclude": ["/out/*"]}, fetch, harvester="crawl")
        end = lines(process)[-1]
        others.append(ended(start(root, {"seeds": seeds}, fetch)))
    yield Pause(root, site, seen, manifest, published, kept, others, paused, end)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


def test_a_pause_publishes_what_there_is_and_the_next_run_completes_the_harvest(pause: Pause) -> None:
    assert pause.paused["status"] == pause.manifest["status"] == "paused"
    assert pause.manifest["outcomes"] == {name: n for name, n in pause.paused["outcomes"].items() if name != "dropped"}
    assert Counter(row["outcome"] for row in pause.rows) == pause.manifest["outcomes"]
    assert {row["url"] for row in pause.rows} == {url for kind, url, _ in pause.records if kind == "response"}
    assert pause.end["status"] == "complete" and pause.end["harvest"] == pause.paused["harvest"]
    assert fetches.unaccounted(Corpus(pause.root)) == []
    twice = {key: n for key, n in pause.site.counts.items() if n > 1 and not key[1].startswith("/robots.txt")}
    assert twice == {("b.test", "/"): 2}  # after its 429


def test_an_archive_is_of_one_harvester(pause: Pause) -> None:
    (early, said_early), (late, said_late) = pause.others
    assert early == late == 2 and "Traceback" not in said_early + said_late
    assert "a harvest of [crawl] is not finished here, and this recipe has [toy]" in said_early
    assert "is the archive of a [crawl] recipe, and this one has [toy]: give it another name" in said_late
    assert {row["harvest"] for row in rows(pause.root)} == {pause.end["harvest"]}


def test_a_narrower_scope_holds_for_what_waits(pause: Pause) -> None:
    assert any(path.startswith("/in/") for path in pause.site.asked("a.test", pause.seen))
    for host in ("a.test", "b.test"):
        assert not [path for path in pause.site.asked(host, pause.seen) if path.startswith("/out/")]
    out = [row for row in rows(pause.root) if row["host"] == "a.test" and "/out/" in row["url"]]
    refused = [row for row in out if row["outcome"] == "refused"]
    assert len(out) == 12 and refused
    assert {(row["reason"], row["attempts"], row["record"]) for row in refused} == {("path out of scope", 0, None)}


def test_a_host_that_asked_for_a_rest_has_it_across_a_pause(pause: Pause) -> None:
    asked = [hit for hit in pause.site.log if hit.host == "b.test"]
    first = next(hit for hit in asked if hit.path == "/")
    after = [hit.moment - first.moment for hit in asked if hit.moment > first.moment]
    assert len(after) > 12 and min(after) >= RETRY_AFTER_S


def test_a_narrower_scope_holds_though_nothing_was_asked_for_yet(tmp_path: Path) -> None:
    site = Script(lambda hit, nth: Reply(status=404, wait=0 if nth or hit.host == "b.test" else 30))
    root = tmp_path / "corpus"
    with running(site) as at:
        first, second = (f"http://{host}.test:{at.port}/" for host in "ab")
        fetch = {**local("a.test", "b.test"), "concurrency": 1}
        process = start(root, {"seeds": [first, second]}, fetch, harvester="crawl")
        until(lambda: bool(site.log), process)
        process.kill()
        process.communicate()
        end = lines(start(root, {"seeds": [second]}, fetch, harvester="crawl"))[-1]
    assert site.asked("a.test") == ["/robots.txt"] and site.asked("b.test") == ["/robots.txt", "/"]
    assert end["outcomes"]["refused"] == 1


# robots.txt


def test_robots_that_ask_for_a_rest_and_those_that_lead_inside(tmp_path: Path) -> None:
    """A public host is stood in for by one that only its address lets through."""

    def says(hit: Hit, nth: int) -> Reply:
        if hit.path != "/robots.txt":
            return Reply("User-agent: *\nAllow: /")
        if hit.host in inside:
            return Reply("", {"location": inside[hit.host]}, 302)
        if hit.host == "slow.test" and nth == 0:
            return Reply("", {"retry-after": "2"}, 503)
        return Reply(status=404)

    inside: dict[str, str] = {}
    site, root = Script(says), tmp_path / "corpus"
    with running(site) as at:
        to = f"http://inner.test:{at.port}/secret"
        inside |= {"one.test": to, "two.test": f"http://127.0.0.1:{at.port}/secret", "own.test": to}
        hosts = [*inside, "slow.test"]
        addresses = dict.fromkeys([*hosts, "inner.test"], "127.0.0.1")
        fetch = {"addresses": addresses, "private": ["127.0.0.0/8", "inner.test", "own.test"]}
        harvest(root, {"seeds": [f"http://{host}:{at.port}/" for host in hosts]}, fetch)
    by = {(row["host"], row["kind"]): row for row in rows(root)}
    for host in ("one.test", "two.test"):
        assert site.asked(host) == ["/robots.txt"]
        assert by[host, "page"]["outcome"] == "refused" and by[host, "robots"]["outcome"] == "redirect"
        assert by[host, "page"]["reason"] == "robots.txt of a public host leads to a private one"
    assert site.asked("own.test") == ["/robots.txt", "/"]  # what the recipe names may lead to what it names
    assert site.asked("inner.test") == ["/secret"] and not site.asked("127.0.0.1")
    asked = [hit for hit in site.log if hit.host == "slow.test"]
    assert [hit.path for hit in asked] == ["/robots.txt", "/robots.txt", "/"]
    assert asked[1].moment - asked[0].moment >= 2


def test_hosts_that_only_the_recipe_opens() -> None:
    guard = Guard(("10.0.0.0/8", "inner.test"), {"fixed.test": "10.1.1.1"})
    named = (
        "inner.test",
        "INNER.test.",
        "10.1.2.3",
        "0x0a.1",
        "::ffff:10.1.2.3",
        "[::ffff:10.1.2.3]",
        "2002:a01:203::1",
    )
    assert [host for host in named if not guard.names(host)] == []
    assert [host for host in ("a.test", "11.1.2.3", "::ffff:11.1.2.3", "2002:b01:203::1") if guard.names(host)] == []


# Deaths while a segment is published


class Killed(BaseException): ...


STEPS = [(pq, "write_table"), (files, "publish"), (fetches, "write_json"), (Frontier, "next_segment")]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS, ids=[name for _, name in STEPS])
def test_a_segment_of_refusals_outlives_a_death_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: tuple[Any, str], after: bool
) -> None:
    corpus = Corpus(tmp_path / "corpus")
    folder = corpus.work / "harvest" / "web"

    def opened() -> tuple[Frontier, Segments, Archive]:
        frontier = Frontier(folder / "frontier.sqlite")
        if frontier.harvest is None:
            frontier.begin("web-20260105T120000Z", NOW, ())
            frontier.add([Task("http://a.org/1")])
        archive = Archive(folder, "florilege/0", "a@b.org", True)
        segments = Segments(corpus, "web", frontier, archive, 1 << 30)
        segments.open()
        return frontier, segments, archive

    def dies(*given: Any, **named: Any) -> None:
        if after:
            real(*given, **named)
        raise Killed

    frontier, segments, archive = opened()
    waiting = frontier.take(lambda host: True, 0.0)
    assert waiting is not None and archive.size  # the first record says who wrote it
    row = {"archive": "web", "harvest": frontier.harvest, "key": waiting.task.key, "outcome": "refused", "attempts": 0}
    frontier.finish(waiting.id, row, (), archive.size)
    real = getattr(*at)
    with monkeypatch.context() as patch:
        patch.setattr(*at, dies)
        with pytest.raises(Killed):
            segments.publish()
    frontier.close()
    frontier, segments, archive = opened()
    segments.publish()
    frontier.close()
    assert [found["outcome"] for found in rows(corpus.root)] == ["refused"]
    assert not list(corpus.root.rglob("*.warc.gz"))


# Clocks


def test_no_clock_lets_anything_wait_longer_than_an_hour(tmp_path: Path) -> None:
    """One task that is due soon does not hide another that is not."""
    path, later = tmp_path / "frontier.sqlite", {"a.org": 10.0, "b.org": 36_000.0, "c.org": 3_600.0}
    frontier = Frontier(path)
    frontier.begin("web-20260105T120000Z", NOW, ())
    frontier.add([Task(f"http://{host}/") for host in later])
    for _ in later:
        waiting = frontier.take(lambda host: True, 0.0)
        assert waiting is not None
        frontier.retry(waiting.id, later[waiting.task.url[7:-1]])
    frontier.bring_near(3_600.0)
    assert frontier.delays() == {"a.org": 10, "b.org": 3_600, "c.org": 3_600} and frontier.next_at == 10
    frontier.close()
    frontier = Frontier(path)  # a process that begins later, by an earlier clock
    frontier.bring_near(1_800.0)
    assert frontier.delays() == {"a.org": 10, "b.org": 1_800, "c.org": 1_800}
    waiting = frontier.take(lambda host: True, 10.0)
    assert waiting is not None and waiting.task.url == "http://a.org/"
    frontier.retry(waiting.id, 7_200.0)
    assert frontier.next_at == 1_800
    frontier.bring_near(3_600.0)
    assert frontier.delays() == {"a.org": 3_600, "b.org": 1_800, "c.org": 1_800}
    frontier.close()


# What takes time by its length only


def seconds(call: Callable[[], Any]) -> float:
    """Of the processor, the least of three, without the collector's, which takes longer the more there is."""
    found = []
    gc.disable()
    try:
        for _ in range(3):
            began = time.process_time()
            call()
            found.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(found)


def test_a_page_of_endless_attributes_takes_no_longer_than_another() -> None:
    def page(inside: bytes) -> bytes:
        return (b"<meta " + inside * (1_900 // len(inside)) + b">") * 105

    hostile, plain = page(b"a"), page(b'name="a" ')
    assert len(hostile) > 195_000
    assert articles.files_of_page("https://h/", hostile, None) == {}
    taken = [seconds(partial(articles.files_of_page, "https://h/", body, None)) for body in (hostile, plain)]
    assert taken[0] < 8 * taken[1]


def test_a_list_of_one_url_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    added: Counter[str] = Counter()
    add = sitemaps._add

    def counted(found: Any, target: str, *rest: Any) -> None:
        added[target] += 1
        add(found, target, *rest)

    monkeypatch.setattr(sitemaps, "_add", counted)
    listing = sitemaps.sitemap(b"https://a.org/1\n" * 500_000, "https://a.org/s.txt")
    assert listing is not None and [entry.url for entry in listing.entries] == ["https://a.org/1"]
    assert listing.broken == "too many entries"
    assert added.total() <= 2 * sitemaps.MOST_ENTRIES + 1


@pytest.mark.parametrize(("start", "between"), [(b" ", " "), (b"x: ", ", ")], ids=["folded", "repeated"])
def test_header_lines_are_read_in_linear_time(start: bytes, between: str) -> None:
    def read(lines: int) -> dict[str, str]:
        return joined(_fields([b"x: b", *[start + b"a" * 100] * lines]))

    assert read(3) == {"x": between.join(["b", *["a" * 100] * 3])}
    assert seconds(lambda: read(16_000)) < 20 * seconds(lambda: read(2_000))


# Progress


def test_progress_falls_silent_when_the_reactor_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds of a reactor that looks up, nine of one that does not, three of one that does again."""
    monkeypatch.setattr(child, "_HANGS_S", 4.0)
    said: list[int] = []
    clock = SimpleNamespace(now=100)
    clock.monotonic = lambda: float(clock.now)
    progress = child.Progress(lambda: {"waiting": clock.now})
    progress._stop.set()
    progress._thread.join()

    class Ticks:
        """In place of the wait for the next second."""

        def wait(self, seconds: float) -> bool:
            clock.now += int(seconds)
            if clock.now <= 105 or clock.now > 114:
                progress.update()
            return bool(clock.now > 117)

    with monkeypatch.context() as patch:
        patch.setattr(child, "time", clock)
        patch.setattr(child, "_say", lambda line: said.append(clock.now))
        patch.setattr(progress, "_stop", Ticks())
        progress._run()
    assert said == [*range(100, 109), 115, 116, 117]
