"""Requests, and what is made of answers: archive, frontier and rows, without a network."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from servers.children import rows
from twisted.python.failure import Failure
from warcio.archiveiterator import ArchiveIterator

from catalog import fetches
from catalog.files import Corpus
from harvesters.harvester import Answer, Outcome, Task
from harvesters.settings import Fetch
from harvesters.spider.addresses import Guard
from harvesters.spider.answers import LARGE, Keeper, Later
from harvesters.spider.archive import Archive, payload_digest
from harvesters.spider.asking import ask, wait_s
from harvesters.spider.download import Received, trouble
from harvesters.spider.frontier import Capture, Frontier, captures
from harvesters.spider.resolver import GuardedResolver
from harvesters.spider.segments import Segments

AGENT = "florilege/0 (+mailto:a@b.org)"
PAGE = b"<p>one two three</p>"
Answers = Callable[[Answer], Outcome]


class Bench:
    """One archive of one corpus, harvest after harvest."""

    def __init__(self, root: Path, **fetch: Any) -> None:
        self.corpus = Corpus(root)
        self.fetch = Fetch(**fetch)
        self.seen: list[Answer] = []
        self.says: Answers = lambda answer: Outcome()
        self.count = 0
        self.begin()

    def begin(self) -> None:
        folder = self.corpus.work / "harvest" / "web"
        self.frontier = Frontier(folder / "frontier.sqlite")
        self.count += 1
        known = captures(fetches.last_captures(self.corpus, "web"))
        self.frontier.begin(f"web-2026010{self.count}T000000Z", datetime(2026, 1, self.count, tzinfo=UTC), known)
        self.open()

    def open(self) -> None:
        archive = Archive(self.corpus.work / "harvest" / "web", "florilege/0", "a@b.org", True)
        self.segments = Segments(self.corpus, "web", self.frontier, archive, 1 << 30)
        self.segments.open()
        self.keeper = Keeper("web", self.corpus.root, self.frontier, archive, self, self.fetch, Guard((), {}))

    def end(self) -> list[dict[str, Any]]:
        """Rows of this harvest."""
        self.segments.publish()
        self.frontier.close()
        return rows(self.corpus.root, self.frontier.harvest)

    def answer(self, answer: Answer) -> Outcome:
        self.seen.append(answer)
        return self.says(answer)

    def admits(self, url: str, task: Task) -> str | None:
        return "out of scope" if "far.org" in url else None

    def start(self, last: Any) -> Any: ...
    def hosts(self) -> list[str]: ...
    def state(self) -> dict[str, Any]: ...

    def asks(self, task: Task, *fields: tuple[str, str], status: int = 200, body: bytes = PAGE, **rest: Any) -> Any:
        """Takes a task and gives it an answer; the seconds to wait, if any."""
        self.frontier.add([task])
        waiting = self.frontier.take(lambda host: True, 1e12)
        assert waiting is not None
        asked = ask(waiting.task, waiting.attempts + 1, AGENT, self.keeper.known(waiting.task))
        self.sent = dict(asked.headers)
        got = Received("OK", list(fields), url=task.url, status=status, body=body, **rest)
        self.later = asyncio.run(self.keeper.settle(waiting.id, asked, got))
        if self.later is not None:
            self.frontier.retry(waiting.id, 0)
        return self.later and self.later.seconds


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "corpus", max_mb=1)


def page(number: int = 1, **rest: Any) -> Task:
    return Task(f"http://a.org/{number}", **rest)


def test_a_second_harvest_sends_validators_and_keeps_revisits(bench: Bench) -> None:
    etag, date = ("ETag", '"a"'), ("Last-Modified", "Mon, 05 Jan 2026 12:00:00 GMT")
    for number in range(4):
        bench.asks(page(number), etag, date)
    assert "If-None-Match" not in bench.sent
    assert {row["outcome"] for row in bench.end()} == {"new"}
    bench.begin()
    bench.seen.clear()
    bench.asks(page(0), status=304, body=b"")
    assert (bench.sent["If-None-Match"], bench.sent["If-Modified-Since"]) == ('"a"', date[1])
    bench.asks(page(1), etag)
    bench.asks(page(2), ("ETag", '"b"'), body=b"<p>other</p>")
    bench.asks(page(3), status=404, body=b"gone")
    assert [(found.unchanged, found.status, found.body) for found in bench.seen] == [
        (True, 200, PAGE), (True, 200, PAGE), (False, 200, b"<p>other</p>"), (False, 404, b"gone"),
    ]  # fmt: skip
    found = bench.end()
    assert [row["outcome"] for row in found] == ["unchanged", "unchanged", "changed", "missing"]
    assert [row["record"] for row in found] == ["revisit", "revisit", "response", "response"]
    assert {row["payload_digest"] for row in found[:2]} == {rows(bench.corpus.root)[0]["payload_digest"]}
    profiles = []
    with next((bench.corpus.root / "archive" / "web").glob("web-20260102*")).open("rb") as file:
        for record in ArchiveIterator(file, check_digests="raise"):
            record.content_stream().read()
            profiles.append(record.rec_headers.get_header("WARC-Profile"))
    assert [profile.rpartition("/")[2] for profile in profiles if profile] == [
        "server-not-modified", "identical-payload-digest",
    ]  # fmt: skip


def test_the_same_part_of_a_page_is_the_same_and_its_whole_is_not(bench: Bench) -> None:
    for outcome, flags, body in (
        ("new", ["dataloss"], PAGE[:9]), ("unchanged", ["dataloss"], PAGE[:9]), ("changed", [], PAGE[:9]),
        ("changed", [], b""), ("unchanged", [], b""),
    ):  # fmt: skip
        bench.asks(page(), ("ETag", '"a"'), body=body, flags=flags)
        (row,) = bench.end()
        assert row["outcome"] == outcome
        bench.begin()


def test_validators_are_not_sent_for_what_cannot_be_read_back(bench: Bench) -> None:
    bench.asks(page(), ("ETag", '"a"'))
    bench.end()
    for path in (bench.corpus.root / "archive").glob("*/*"):
        path.unlink()
    bench.begin()
    bench.asks(page(), ("ETag", '"a"'))
    assert "If-None-Match" not in bench.sent


def test_validators_cannot_add_a_line(tmp_path: Path) -> None:
    hostile = '"a"\r\nCookie: b=c\x00'
    known = Capture(
        "0" * 32, "http://a.org/", hostile, hostile, None, "archive/web/x.warc.gz", 0, 1,
        datetime(2026, 1, 1, tzinfo=UTC), 200, "new",
    )  # fmt: skip
    asked = ask(page(headers={"Cookie": "x", "Accept": "text/html", "range": "bytes=0-9"}), 1, AGENT, known)
    sent = dict(asked.headers)
    assert sent["If-None-Match"] == '"a" Cookie: b=c'
    assert sent.keys() == {"User-Agent", "Accept", "Accept-Encoding", "Range", "If-None-Match", "If-Modified-Since"}
    assert sent["Accept"] == "text/html" and sent["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("location", "reason", "shown"),
    [
        ("http://169.254.169.254/latest/", "link-local address", None),
        ("//[::1]/", "loopback address", None),
        ("http://0x7f000001/", "loopback address", None),
        ("http://printer.local/", "host name that is not public", None),
        ("file:///etc/passwd", "redirect to no URL", None),
        ("http://u:p@a.org/x", "redirect to no URL", "http://a.org/x"),
        ("http://far.org/", "out of scope", None),
        ("http://a.org:25/", "port of another service", None),
        ("http://a.org/" + "x" * 9_000, "URL too long", None),
    ],
)
def test_redirects_that_are_refused(bench: Bench, location: str, reason: str, shown: str | None) -> None:
    bench.asks(page(), ("Location", location), status=302)
    assert bench.frontier.waiting == 0
    (row,) = bench.end()
    assert (row["outcome"], row["reason"], row["record"]) == ("refused", reason, "response")
    assert row["location"] == (shown or location[:1_000])


def test_redirects_that_are_followed_take_the_task_along(bench: Bench) -> None:
    task = page(kind="document", headers={"Accept": "text/html"}, note={"a": [1]}, depth=3, priority=5, robots=False)
    location = ("Location", "/caf\u00c3\u00a9?x=%0d%0aSet-Cookie:a#b")
    bench.asks(task, location, ("location", "http://far.org/"), status=307)
    waiting = bench.frontier.take(lambda host: True, 1e12)
    assert waiting is not None
    follows = waiting.task
    assert follows.url == "http://a.org/caf%C3%A9?x=%0D%0ASet-Cookie:a"
    assert (follows.kind, follows.headers, follows.note) == (task.kind, task.headers, task.note)
    assert (follows.depth, follows.priority, follows.robots) == (3, 5, False)
    assert (follows.redirects, follows.via) == (1, task.url)


@pytest.mark.parametrize(
    ("url", "location", "follows"),
    [
        ("https://a.org/1", "http://a.org/2", "https://a.org/2"),
        ("https://a.org/1", "http://a.org:80/2", "https://a.org/2"),
        ("https://a.org/1", "http://a.org/1", "http://a.org/1"),
        ("https://a.org/1", "http://b.org/2", "http://b.org/2"),
        ("https://a.org/1", "http://a.org:8080/2", "http://a.org:8080/2"),
        ("https://a.org:8443/1", "http://a.org:8443/2", "http://a.org:8443/2"),
        ("http://a.org/1", "http://a.org/2", "http://a.org/2"),
    ],
)
def test_a_redirect_stays_with_https_on_its_host(bench: Bench, url: str, location: str, follows: str) -> None:
    bench.asks(Task(url), ("Location", location), status=302)
    waiting = bench.frontier.take(lambda host: True, 1e12)
    assert waiting is not None and waiting.task.url == follows


def test_sites_that_send_https_away_are_followed_there(bench: Bench) -> None:
    """https://a.org/1 leads to http://a.org/2, which https://a.org/2 insists on."""
    bench.asks(Task("https://a.org/1"), ("Location", "http://a.org/2"), status=302)
    bench.asks(Task("https://a.org/2"), ("Location", "http://a.org/2"), status=302)
    bench.asks(Task("http://a.org/2"), ("Location", "https://a.org/2"), status=302)
    assert bench.frontier.waiting == 0
    assert [row["outcome"] for row in bench.end()] == ["redirect"] * 3


def test_a_redirect_to_itself_with_a_session_is_followed_once(bench: Bench) -> None:
    bench.asks(page(), ("Location", "/1;jsessionid=ABC"), status=302)
    waiting = bench.frontier.take(lambda host: True, 1e12)
    assert waiting is not None and waiting.task.url == "http://a.org/1;jsessionid=ABC"


def test_the_eleventh_redirect_is_not_followed(bench: Bench) -> None:
    bench.asks(page(redirects=10), ("Location", "/x"), status=301)
    assert bench.end()[0]["reason"] == "too many redirects"


def test_codings_are_undone_for_the_harvester_and_kept_in_the_archive(bench: Bench) -> None:
    packed = gzip.compress(PAGE)
    coded = ("Content-Encoding", "gzip")
    bench.asks(page(1), coded, ("Transfer-Encoding", "chunked"), ("Set-Cookie", "a=b"), body=packed)
    bench.asks(page(2), coded, body=gzip.compress(bytes(4 << 20)))
    first, bomb = bench.seen
    assert first.body == PAGE and first.error is None and first.headers == {"content-encoding": "gzip"}
    assert bomb.body == b"" and bomb.error
    found = bench.end()
    assert (found[0]["outcome"], found[0]["reason"], found[0]["bytes"]) == ("new", None, len(packed))
    assert (found[1]["outcome"], found[1]["reason"], found[1]["record"]) == ("failed", "too large", "response")


def test_a_large_answer_counts_whole_or_not_at_all(bench: Bench) -> None:
    """Its records are made in another thread; whoever is told to stop meanwhile has kept nothing."""
    body = random.Random(1).randbytes(LARGE)
    bench.frontier.add([page(1)])
    waiting = bench.frontier.take(lambda host: True, 1e12)
    assert waiting is not None
    archive = bench.segments._archive
    before = archive.size

    async def stopped() -> None:
        asked = ask(waiting.task, 1, AGENT, None)
        settling = asyncio.ensure_future(bench.keeper.settle(waiting.id, asked, Received(
            "OK", [], url=waiting.task.url, status=200, body=body
        )))  # fmt: skip
        await asyncio.sleep(0)
        assert not settling.done()
        settling.cancel()
        with suppress(asyncio.CancelledError):
            await settling

    asyncio.run(stopped())
    assert (archive.size, bench.frontier.under_way, bench.frontier.held) == (before, 1, 0)
    bench.frontier.retry(waiting.id, 0)
    bench.asks(page(1), body=body)
    bench.says = lambda answer: Outcome(labels={"colour": "red"})
    bench.asks(page(2), body=body)
    kept, odd = bench.end()
    assert (kept["outcome"], kept["attempts"], kept["payload_digest"]) == ("new", 2, payload_digest(body))
    assert (odd["reason"], odd["record"]) == ("not archived", None)
    with (bench.corpus.root / kept["warc"]).open("rb") as file:
        file.seek(kept["offset"])
        record = next(iter(ArchiveIterator(file, check_digests="raise")))
        assert record.content_stream().read() == body


def test_errors_that_may_pass_are_asked_again_and_the_last_one_is_kept(bench: Bench) -> None:
    waits = [bench.asks(page(), ("Retry-After", "1"), status=503) for _ in range(4)]
    assert waits == [5, 10, 20, None]
    (row,) = bench.end()
    assert (row["outcome"], row["reason"], row["attempts"], row["record"]) == ("failed", "http 503", 4, "response")


def test_a_harvester_may_ask_again_or_judge_or_fail(bench: Bench) -> None:
    bench.says = lambda answer: Outcome(retry_s=7, reason="challenge page", store="nothing", outcome="refused")
    assert [bench.asks(page(1)) for _ in range(4)] == [7, 7, 7, None]
    bench.says = lambda answer: Outcome(retry_s=7, rest=True)
    assert [bench.asks(page(5)) and bench.later for _ in range(4)] == [Later(7, True)] * 3 + [None]
    bench.says = lambda answer: Outcome(labels={"language": "fr", "celex": "3"}, next=[page(9)])
    bench.asks(page(2))
    assert bench.frontier.waiting == 1
    bench.frontier.drop(None, "test")

    def fails(answer: Answer) -> Outcome:
        raise RecursionError("too deep")

    bench.says = fails
    bench.asks(page(3))
    bench.says = lambda answer: Outcome(labels={"colour": "red"})
    bench.asks(page(4))
    challenge, often, labelled, failed, odd = bench.end()
    assert json.loads(often["task"])["url"] == page(5).url and labelled["task"] is None
    assert (challenge["outcome"], challenge["reason"], challenge["record"]) == ("refused", "challenge page", None)
    assert labelled["labels"] == '{"celex":"3","language":"fr"}'
    assert (failed["reason"], failed["detail"], failed["record"]) == (
        "harvester error", "RecursionError: too deep", "response",
    )  # fmt: skip
    assert (odd["outcome"], odd["reason"], odd["record"]) == ("failed", "not archived", None)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=6), st.binary(max_size=60),
    st.sampled_from([200, 204, 206, 301, 304, 404, 418, 600, 999]),
)  # fmt: skip
def test_no_answer_ends_the_harvest(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]], body: bytes, status: int
) -> None:
    bench = Bench(tmp_path_factory.mktemp("any") / "corpus", retries=0)
    latin = [(name.encode().decode("latin-1"), value.encode().decode("latin-1")) for name, value in fields]
    latin += [("Content-Encoding", "br"), ("Location", body.decode("latin-1"))]
    bench.asks(page(), *latin, status=status, body=body)
    assert len(bench.end()) == 1


class Immediately:
    """A reactor and its threads, for look-ups that take no time."""

    def getThreadPool(self) -> Immediately:
        return self

    def callInThreadWithCallback(self, done: Any, call: Any, *arguments: Any, **named: Any) -> None:
        try:
            result = call(*arguments, **named)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)

    def callFromThread(self, call: Any, *arguments: Any) -> None:
        call(*arguments)


class Receiver:
    def __init__(self) -> None:
        self.found: list[str] = []
        self.complete = False

    def resolutionBegan(self, resolution: Any) -> None: ...

    def addressResolved(self, address: Any) -> None:
        self.found.append(f"{address.host} {address.port}")

    def resolutionComplete(self) -> None:
        self.complete = True


def test_every_address_of_a_name_is_looked_at_each_time() -> None:
    answers = {
        "good.org": ["93.184.216.34", "2606:2800:220:1::1"],
        "mixed.org": ["10.0.0.1", "93.184.216.34", "fd00::1"],
        "inner.org": ["10.0.0.1"],
        "xn--bcher-kva.de": ["127.0.0.1"],
    }

    def lookup(host: str, port: int, **rest: Any) -> list[Any]:
        if host == "long.org":
            raise UnicodeError("label too long")
        if host not in answers:
            return socket.getaddrinfo(host, port, **rest)
        return [entry for one in answers[host] for entry in socket.getaddrinfo(one, port, **rest)]

    guard = Guard(("10.9.0.0/16",), {"fixed.org": "10.9.1.1", "wrong.org": "10.8.1.1"})
    resolver = GuardedResolver(Immediately(), guard, lookup)

    def resolve(name: str) -> list[str]:
        receiver = Receiver()
        resolver.resolveHostName(receiver, name, 80)
        assert receiver.complete
        return receiver.found

    assert resolve("good.org") == ["93.184.216.34 80", "2606:2800:220:1::1 80"]
    assert resolve("mixed.org") == ["93.184.216.34 80"] and not resolver.refusals
    assert resolve("fixed.org") == ["10.9.1.1 80"]
    assert resolve("wrong.org") == resolve("inner.org") == resolve("b\u00fccher.de") == resolve("127.0.0.1") == []
    assert resolver.refusals["inner.org"] == "inner.org is 10.0.0.1: private address"
    assert resolver.refusals.keys() == {"wrong.org", "inner.org", "xn--bcher-kva.de", "127.0.0.1"}
    assert resolve("long.org") == []
    answers["good.org"] = ["169.254.169.254"]  # it resolves to something else the second time
    assert resolve("good.org") == [] and "link-local" in resolver.refusals["good.org"]


def test_waits() -> None:
    fetch = Fetch(backoff_s=5)
    assert [wait_s(fetch, attempts) for attempts in (1, 2, 3, 20, 10_000)] == [5, 10, 20, 3_600, 3_600]
    assert wait_s(fetch, 1, "120") == 120 and wait_s(fetch, 3, "1") == 20
    later = datetime.now(UTC) + timedelta(seconds=300)
    assert 290 < wait_s(fetch, 1, format_datetime(later, usegmt=True)) <= 300
    for odd in ("9" * 400, "inf", "-5", "soon", "Mon, 99 Foo", "²", "", "1e9"):
        assert 5 <= wait_s(fetch, 1, odd) <= 3_600


def test_reasons_can_be_counted() -> None:
    refused = DownloadConnectionRefusedError("111: refused")
    assert [trouble(error).reason for error in (
        DownloadTimeoutError("x"), CannotResolveHostError("x"), DownloadCancelledError("x"), refused,
        DownloadFailedError("x"),
    )] == ["timeout", "dns", "too large", "connection", "connection"]  # fmt: skip
    assert not trouble(DownloadCancelledError("x")).passing and trouble(refused).passing


def test_a_death_while_a_segment_is_published(bench: Bench) -> None:
    folder, archive = bench.corpus.work / "harvest" / "web", bench.corpus.root / "archive" / "web"
    for number, dies in enumerate(("before", "moved", "published")):
        bench.asks(page(number))
        segment, held = bench.frontier.segment, bench.frontier.rows()
        warc = folder / f"{segment}.warc.gz"
        if dies == "moved":
            archive.mkdir(parents=True, exist_ok=True)
            warc.rename(archive / warc.name)
        if dies == "published":
            fetches.publish(bench.corpus, "web", str(bench.frontier.harvest), segment, held, warc)
        bench.frontier.close()
        bench.frontier = Frontier(folder / "frontier.sqlite")
        bench.open()
        assert bench.frontier.held == (1 if dies == "before" else 0)
    assert [row["url"] for row in bench.end()] == [f"http://a.org/{number}" for number in range(3)]
    assert len(list(archive.iterdir())) == 2  # nothing came after the last one
    assert not list(folder.glob("*.warc.gz"))
