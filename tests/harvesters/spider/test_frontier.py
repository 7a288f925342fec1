from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catalog import fetches
from catalog.errors import ConfigError
from catalog.fetches import FETCHES
from catalog.files import Corpus
from harvesters.harvester import Task
from harvesters.spider.frontier import Capture, Frontier, Waiting, host_of

START = datetime(2026, 11, 21, 3, tzinfo=UTC)
HARVEST = "web-20261121T030000Z"


def page(name: str, host: str = "a", **more: Any) -> Task:
    return Task(f"https://{host}.example/{name}", **more)


def fetched(task: Task, **more: Any) -> dict[str, Any]:
    row = {"key": task.key, "url": task.url, "attempts": 1, "outcome": "new", "bytes": 10, "fetched": START}
    return {**row, **more}


def capture(task: Task, **more: Any) -> Capture:
    known: dict[str, Any] = {
        "key": task.key, "url": task.url, "etag": '"1"', "last_modified": None, "payload_digest": "sha1:A",
        "warc": "archive/web/x.warc.gz", "offset": 7, "length": 9, "fetched": START, "status": 200, "outcome": "new",
    }  # fmt: skip
    return Capture(**{**known, **more})


def anywhere(_: str) -> bool:
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "harvest" / "frontier.sqlite"


@pytest.fixture
def frontier(path: Path) -> Iterator[Frontier]:
    made = Frontier(path)
    made.begin(HARVEST, START, [])
    yield made
    made.close()


def take(frontier: Frontier, now: float = 0.0) -> Waiting:
    found = frontier.take(anywhere, now)
    assert found is not None
    return found


def urls(frontier: Frontier) -> list[str]:
    """Takes all that is ready."""
    found = []
    while (waiting := frontier.take(anywhere, 0.0)) is not None:
        found.append(waiting.task.url.removeprefix("https://").replace(".example", ""))
    return found


def test_a_new_frontier_knows_no_harvest(path: Path) -> None:
    frontier = Frontier(path)
    assert (frontier.harvest, frontier.started, frontier.waiting, frontier.segment) == (None, None, 0, "")
    assert frontier.take(anywhere, 0.0) is None
    frontier.close()


def test_tasks_come_back_as_they_were(frontier: Frontier) -> None:
    task = Task(
        "https://a.example/é?q=1", "list", MappingProxyType({"Accept": "x"}), {"page": [1, {"n": None}]}, 3, -2,
        "https://b.example/", False, True, 2,
    )  # fmt: skip
    assert frontier.add([task]) == 1
    found = take(frontier).task
    assert (found, found.key) == (task, task.key)


def test_priority_then_age_within_a_host_and_hosts_in_turns(frontier: Frontier) -> None:
    tasks = [page("1"), page("2", priority=5), page("3", priority=5), page("4", "b"), page("5", "b"), page("6", "c")]
    assert frontier.add(tasks) == 6
    assert urls(frontier) == ["a/2", "b/4", "c/6", "a/3", "b/5", "a/1"]


def test_a_busy_host_keeps_its_place(frontier: Frontier) -> None:
    frontier.add([page("1"), page("2"), page("3", "b"), page("4", "b")])
    found = frontier.take(lambda host: host != "a.example", 0.0)
    assert found is not None
    assert found.task.url == "https://b.example/3"
    assert urls(frontier) == ["a/1", "b/4", "a/2"]
    assert frontier.take(lambda host: False, 0.0) is None


def test_a_parked_host_is_not_looked_at_until_it_is_offered(frontier: Frontier) -> None:
    frontier.add([page("1"), page("1", "b"), page("2"), page("1", "c")])
    frontier.park("a.example")
    frontier.add([page("3")])
    looked: list[str] = []
    assert frontier.take(lambda host: bool(looked.append(host)), 0.0) is None
    assert looked == ["b.example", "c.example"]
    with pytest.raises(AttributeError):  # what is in memory is made anew
        frontier.add([page("4"), None])  # type: ignore[list-item]
    found = take(frontier)
    assert found.task == page("1", "b")
    frontier.offer("a.example")
    frontier.offer("nowhere.example")
    assert urls(frontier) == ["c/1", "a/1", "a/2", "a/3"]


def test_hosts_are_counted_without_port_and_case(frontier: Frontier) -> None:
    assert host_of("https://A.example:8080/x") == "a.example"
    assert host_of("http://[::1") == ""
    frontier.add([Task("http://A.example:8080/x"), Task("http://[::1")])
    asked: list[str] = []
    assert frontier.take(lambda host: bool(asked.append(host)), 0.0) is None
    assert asked == ["a.example", ""]


def test_what_was_seen_stays_seen(frontier: Frontier) -> None:
    assert frontier.add([page("1"), page("1"), page("1", headers={"Accept": "x"})]) == 2
    found = take(frontier)
    assert frontier.finish(found.id, fetched(found.task), [page("1"), page("2"), page("2")], 5) == 1
    assert frontier.add([page("1"), page("2")]) == 0
    assert frontier.waiting == 2


def test_what_never_changes_is_asked_for_once(path: Path) -> None:
    frontier = Frontier(path)
    known = [
        capture(page("whole")), capture(page("limit"), truncated="length"), capture(page("half"), truncated="time"),
    ]  # fmt: skip
    frontier.begin(HARVEST, START, known)
    assert frontier.capture(page("limit").key) == known[1]
    assert frontier.capture(page("other").key) is None
    assert frontier.add([page(name, once=True) for name in ("whole", "limit", "half", "other")]) == 2
    assert frontier.add([page("whole")]) == 1
    assert urls(frontier) == ["a/half", "a/other", "a/whole"]
    frontier.close()


def test_another_attempt_waits_for_its_time(frontier: Frontier, path: Path) -> None:
    frontier.add([page("1"), page("2", "b")])
    first, second = take(frontier), take(frontier)
    frontier.retry(second.id, 40.0)
    frontier.retry(first.id, 50.0)
    assert (frontier.waiting, frontier.under_way, frontier.next_at, frontier.requests()) == (2, 0, 40.0, 2)
    assert frontier.take(anywhere, 39.9) is None
    frontier.close()
    reopened = Frontier(path)
    assert (reopened.next_at, reopened.requests("a.example")) == (40.0, 1)
    found = take(reopened, 40.0)
    assert (found.task, found.attempts, reopened.next_at) == (page("2", "b"), 1, 50.0)
    assert reopened.take(anywhere, 45.0) is None
    reopened.finish(found.id, fetched(found.task, attempts=2), [], 1)
    assert (reopened.requests("b.example"), reopened.requests()) == (2, 3)
    assert take(reopened, 60.0).attempts == 1
    assert reopened.next_at is None
    reopened.close()


def test_figures_survive(frontier: Frontier, path: Path) -> None:
    frontier.add([page("1"), page("2", "b"), page("3", "b")])
    first = take(frontier)
    frontier.finish(first.id, fetched(first.task), [], 100, passed={"depth": 2})
    second = take(frontier)
    frontier.finish(
        second.id,
        fetched(second.task, outcome="robots", attempts=0, bytes=None),
        [],
        100,
        passed={"depth": 3, "trap": 1},
    )
    frontier.record(fetched(page("robots.txt"), kind="robots"), 150)
    take(frontier)
    frontier.close()
    again = Frontier(path)
    assert (again.harvest, again.started, again.segment, again.committed) == (HARVEST, START, f"{HARVEST}-00001", 150)
    assert (again.requests(), again.requests("a.example"), again.requests("b.example")) == (1, 1, 0)
    assert (again.bytes, again.held, again.waiting) == (10, 3, 1)
    assert again.counts() == {"new": 2, "robots": 1, "dropped": 0}
    assert again.passed == {"depth": 5, "trap": 1}
    again.close()


def test_rows_are_those_of_the_open_segment(frontier: Frontier) -> None:
    now = datetime(2026, 11, 21, 3, 0, 1, 234_000, tzinfo=UTC)
    row = fetched(page("1"), fetched=now, seconds=0.25, status=200, labels='{"celex":"32016R0679"}', detail="\udcff")
    assert frontier.rows().num_rows == 0
    frontier.record(row, 10)
    assert frontier.record({"outcome": "failed"}, 20, [page("1"), page("1")]) == 1
    found = frontier.rows()
    assert found.schema.equals(FETCHES)
    assert found.to_pylist() == [
        {**dict.fromkeys(FETCHES.names), **row, "detail": "?"}, {**dict.fromkeys(FETCHES.names), "outcome": "failed"},
    ]  # fmt: skip
    frontier.next_segment()
    assert (frontier.segment, frontier.committed, frontier.rows().num_rows) == (f"{HARVEST}-00002", 0, 0)
    frontier.next_segment("other")
    assert (frontier.segment, frontier.counts()["new"]) == ("other", 1)


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"status": "200"}, {"url": 7}, {"labels": {"celex": "x"}}])
def test_a_row_that_fits_no_column_leaves_all_as_it_was(frontier: Frontier, wrong: dict[str, Any]) -> None:
    frontier.add([page("1")])
    found = take(frontier)
    with pytest.raises((TypeError, ValueError)):
        frontier.finish(found.id, fetched(found.task, **wrong), [page("2", "new")], 10)
    assert (frontier.waiting, frontier.under_way, frontier.committed, frontier.held) == (0, 1, 0, 0)
    assert frontier.counts() == {"dropped": 0}
    assert frontier.finish(found.id, fetched(found.task), [page("2", "new")], 10) == 1


def test_lone_surrogates_do_no_harm(frontier: Frontier) -> None:
    assert frontier.add([Task("https://a.example/\udcff", note={"text": ["\ud800"]}, via="\udfff")]) == 1
    found = take(frontier).task
    assert (found.url, found.note, found.via) == ("https://a.example/?", {"text": ["?"]}, "?")


def test_only_what_is_under_way_ends(frontier: Frontier) -> None:
    frontier.add([page("1")])
    found = take(frontier)
    frontier.finish(found.id, fetched(found.task), [], 1)
    with pytest.raises(ValueError, match="not under way"):
        frontier.finish(found.id, fetched(found.task), [], 2)
    with pytest.raises(ValueError, match="not under way"):
        frontier.retry(99, 0.0)
    assert frontier.committed == 1


def test_given_up_tasks_are_counted_and_seen(frontier: Frontier) -> None:
    frontier.add([page("1"), page("2"), page("3"), page("4", "b")])
    under_way, late = take(frontier), frontier.take(lambda host: host == "a.example", 0.0)
    assert late is not None
    frontier.retry(late.id, 100.0)
    assert frontier.drop("nowhere.example", "x") == 0
    assert frontier.drop("a.example", "crawl delay") == 2
    assert (frontier.waiting, frontier.under_way, frontier.next_at) == (1, 1, None)
    assert frontier.add([page("2")]) == 0
    frontier.finish(under_way.id, fetched(under_way.task), [page("5")], 1)
    assert urls(frontier) == ["b/4", "a/5"]
    assert frontier.drop(None, "limit") == 0
    assert frontier.dropped() == {"crawl delay": 2}
    assert frontier.counts() == {"new": 1, "dropped": 2}


def test_what_waits_at_a_host_without_an_answer_gets_rows_in_parts(
    frontier: Frontier, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvesters.spider.frontier._GIVEN_UP", 3)
    frontier.add([page(str(n)) for n in range(9)])
    under_way, late = take(frontier), take(frontier)
    frontier.retry(late.id, 100.0)
    frontier.add([page("1", "b")])

    def row(waiting: Waiting) -> dict[str, Any]:
        return fetched(waiting.task, attempts=waiting.attempts, outcome="failed", bytes=None)

    assert frontier.fail("nowhere.example", row) == 0
    assert [frontier.fail("a.example", row) for _ in range(2)] == [3, 3]
    frontier.close()
    frontier = Frontier(path)  # what was under way waits again
    assert [frontier.fail("a.example", row) for _ in range(4)] == [2, 1, 0, 0]
    assert (frontier.waiting, frontier.next_at, frontier.requests()) == (1, None, 1)
    assert frontier.counts() == {"failed": 9, "dropped": 0} and frontier.held == 9
    attempts = {row["url"]: row["attempts"] for row in frontier.rows().to_pylist()}
    assert len(attempts) == 9 and [url for url, n in attempts.items() if n] == [late.task.url]
    assert urls(frontier) == ["b/1"] and under_way.task.url in attempts
    frontier.close()


def test_all_is_given_up_but_what_is_under_way(frontier: Frontier, path: Path) -> None:
    frontier.add([page(str(n), "abc"[n % 3]) for n in range(9)])
    take(frontier)
    assert frontier.drop(None, "limit") == 8
    assert (frontier.waiting, frontier.under_way) == (0, 1)
    frontier.close()
    again = Frontier(path)
    assert urls(again) == ["a/0"]
    again.close()


def test_a_new_harvest_begins_afresh(frontier: Frontier) -> None:
    assert not frontier.seeded
    assert frontier.seed([page("1")]) == 1
    assert frontier.seeded
    with pytest.raises(ValueError, match="not finished"):
        frontier.begin("web-2", START, [])
    found = take(frontier)
    frontier.finish(found.id, fetched(found.task), [], 10)
    with pytest.raises(ValueError, match="not finished"):
        frontier.begin("web-2", START, [])
    frontier.next_segment()
    frontier.begin("web-2", START, [capture(page("1"))])
    assert (frontier.harvest, frontier.segment, frontier.seeded) == ("web-2", "web-2-00001", False)
    assert (frontier.counts(), frontier.requests("a.example"), frontier.bytes) == ({"dropped": 0}, 0, 0)
    assert frontier.capture(page("1").key) == capture(page("1"))
    assert frontier.seed([page("1")]) == 1


def test_captures_or_seeds_that_fail_begin_nothing(frontier: Frontier) -> None:
    def broken(values: list[Any]) -> Iterator[Any]:
        yield from values
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        frontier.begin("web-2", START, broken([capture(page("1"))]))
    assert (frontier.harvest, frontier.capture(page("1").key)) == (HARVEST, None)
    with pytest.raises(OSError, match="gone"):
        frontier.seed(broken([page("1"), page("2", "b")]))
    assert (frontier.waiting, frontier.seeded, frontier.take(anywhere, 0.0)) == (0, False, None)
    assert frontier.seed([page("1"), page("2", "b")]) == 2
    assert urls(frontier) == ["a/1", "b/2"]


@pytest.mark.parametrize("content", [b"no database at all, and long enough for a header" * 50, b"SQLite format 3\0xx"])
def test_no_database_says_so(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"frontier\.sqlite.*damaged.*delete it"):
        Frontier(path)
    assert path.read_bytes() == content


def test_a_damaged_frontier_says_so(frontier: Frontier, path: Path) -> None:
    frontier.add([page(str(n)) for n in range(500)])
    frontier.close()
    data = bytearray(path.read_bytes())
    data[100:] = bytes(b ^ 0x5A for b in data[100:])
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"damaged.*delete it"):
        Frontier(path)


def test_another_version_says_so(frontier: Frontier, path: Path) -> None:
    frontier.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ConfigError, match="version 99, this florilege has 2: delete it"):
        Frontier(path)


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE precious (a)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="something else; move it away"):
        Frontier(path)
    assert path.read_bytes() == before


def test_a_frontier_in_use_is_refused(frontier: Frontier, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvesters.spider.frontier_file._PATIENCE_S", 0.05)
    with pytest.raises(ConfigError, match="another process harvests here"):
        Frontier(path)


def test_taking_does_not_read_what_waits(frontier: Frontier) -> None:
    """By SQLite's own account, the steps for a task are as many with 20,000 waiting as with 20."""
    frontier.add([page(f"{n}", priority=n % 7) for n in range(20)])
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def cost() -> int:
        steps[0] = 0
        frontier._db.set_progress_handler(step, 1)
        found = take(frontier)
        frontier.retry(found.id, 0.0)
        frontier._db.set_progress_handler(None, 0)
        return steps[0]

    few = cost()
    frontier.add([page(f"{n}", "abcdefgh"[n % 8], priority=n % 7) for n in range(20_000)])
    assert cost() < 2 * few


class Model(RuleBasedStateMachine):
    """A frontier does what lists and dicts would do, whenever it is closed and opened again."""

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "frontier.sqlite"
        self.frontier = Frontier(self.path)
        self.frontier.begin(HARVEST, START, [])
        self.seen: set[str] = set()
        self.waits: dict[str, tuple[int, float, int]] = {}
        """By URL, in the order in which they came: attempts, not before, priority."""
        self.under_way: dict[str, Waiting] = {}
        self.done: list[str] = []
        self.given_up = self.requests = self.committed = 0

    def teardown(self) -> None:
        self.frontier.close()
        self.folder.cleanup()

    tasks = st.lists(
        st.builds(page, st.sampled_from("0123456789"), st.sampled_from("abc"), priority=st.integers(-1, 1)), max_size=6
    )

    def expect(self, tasks: list[Task]) -> int:
        before = len(self.seen)
        for task in tasks:
            if task.url not in self.seen:
                self.waits[task.url] = (0, 0.0, task.priority)
                self.seen.add(task.url)
        return len(self.seen) - before

    @rule(tasks=tasks)
    def add(self, tasks: list[Task]) -> None:
        assert self.frontier.add(tasks) == self.expect(tasks)

    @rule(free=st.sets(st.sampled_from("abc")), now=st.integers(0, 30).map(float))
    def take(self, free: set[str], now: float) -> None:
        found = self.frontier.take(lambda host: host[0] in free, now)
        for url, (attempts, later, priority) in self.waits.items():  # what once became ready stays so
            self.waits[url] = (attempts, later if later > now else 0.0, priority)
        ready = {
            url: priority for url, (_, later, priority) in self.waits.items()
            if not later and host_of(url)[0] in free and url not in self.under_way
        }  # fmt: skip
        assert (found is None) == (not ready)
        if found is None:
            return
        same_host = {url: priority for url, priority in ready.items() if host_of(url) == host_of(found.task.url)}
        first = max(same_host, key=lambda url: same_host[url])
        assert (found.task.url, found.attempts) == (first, self.waits[first][0])
        self.under_way[first] = found

    @precondition(lambda self: self.under_way)
    @rule(tasks=tasks, size=st.integers(1, 9), data=st.data())
    def finish(self, tasks: list[Task], size: int, data: st.DataObject) -> None:
        url = data.draw(st.sampled_from(sorted(self.under_way)))
        found = self.under_way.pop(url)
        self.committed += size
        row = fetched(found.task, attempts=found.attempts + 1)
        new = self.frontier.finish(found.id, row, tasks, self.committed)
        assert new == self.expect(tasks)
        del self.waits[url]
        self.done.append(url)
        self.requests += 1

    @precondition(lambda self: self.under_way)
    @rule(later=st.integers(0, 30), data=st.data())
    def retry(self, later: int, data: st.DataObject) -> None:
        url = data.draw(st.sampled_from(sorted(self.under_way)))
        self.frontier.retry(self.under_way.pop(url).id, float(later))
        attempts, _, priority = self.waits[url]
        self.waits[url] = (attempts + 1, float(later), priority)
        self.requests += 1

    @rule(host=st.sampled_from(["a", "b", None]))
    def drop(self, host: str | None) -> None:
        gone = [u for u in self.waits if u not in self.under_way and host in (None, host_of(u)[0])]
        assert self.frontier.drop(host and f"{host}.example", "limit") == len(gone)
        for url in gone:
            del self.waits[url]
        self.given_up += len(gone)

    @rule()
    def die(self) -> None:
        self.frontier.close()
        self.under_way.clear()
        self.frontier = Frontier(self.path)

    @invariant()
    def the_figures_are_the_same(self) -> None:
        frontier = self.frontier
        assert frontier.waiting == len(self.waits) - len(self.under_way)
        assert frontier.under_way == len(self.under_way)
        later = [later for _, later, _ in self.waits.values() if later]
        assert frontier.next_at == (min(later) if later else None)
        assert (frontier.requests(), frontier.committed) == (self.requests, self.committed)
        assert frontier.counts() == {
            **({"new": len(self.done)} if self.done else {}), "dropped": self.given_up,
        }  # fmt: skip
        assert frontier.rows().column("url").to_pylist() == self.done


Model.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
test_a_frontier_is_its_model = Model.TestCase

PAGES = 2_000


def links(number: int) -> list[Task]:
    """A web of PAGES pages over five hosts: each page links to three of its own, and back to the first."""
    return [page(str(n), "abcde"[n % 5]) for n in (*range(3 * number + 1, 3 * number + 4), 0) if n < PAGES]


def work(corpus: Corpus) -> None:
    """Fetches the web, as a child process would; every tenth page needs a second attempt. A segment has 150 rows."""
    frontier = Frontier(corpus.work / "frontier.sqlite")
    if frontier.harvest is None:
        frontier.begin(HARVEST, START, [])
    if not frontier.seeded:
        frontier.seed([page("0")])
    under_way: list[Waiting] = []
    while frontier.waiting or under_way:
        if frontier.held >= 150:
            archive = corpus.work / frontier.segment
            if not fetches.published(corpus, frontier.segment) and not fetches.begun(corpus, "web", frontier.segment):
                archive.write_text(frontier.segment)
            fetches.publish(corpus, "web", HARVEST, frontier.segment, frontier.rows(), archive)
            frontier.next_segment()
        while len(under_way) < 8 and (found := frontier.take(anywhere, time.time())) is not None:
            under_way.append(found)
        found = under_way.pop(random.randrange(len(under_way)))
        number = int(found.task.url.rpartition("/")[2])
        if number % 10 == 0 and not found.attempts:
            frontier.retry(found.id, time.time() - 1)
        else:
            row = fetched(found.task, attempts=found.attempts + 1)
            frontier.finish(found.id, row, links(number), frontier.committed + 1)
    frontier.close()


def everything(corpus: Corpus, frontier: Frontier) -> pa.Table:
    """Rows of all published segments, and of the open one if it is not among them."""
    there = [path.stem for path in sorted(corpus.manifests("fetches").glob("*.json"))]
    published = [pq.read_table(corpus.root / "fetches" / f"{segment}.parquet") for segment in there]
    return pa.concat_tables([*published, *([frontier.rows()] if frontier.segment not in there else [])])


def test_a_killed_process_loses_and_repeats_nothing(tmp_path: Path) -> None:
    context, kills, rng = get_context("fork"), 0, random.Random(7)
    corpus = Corpus(tmp_path)
    for _ in range(200):
        child = context.Process(target=work, args=(corpus,))
        child.start()
        child.join(rng.uniform(0.01, 0.12) if kills < 8 else 60)
        if child.exitcode is None and child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.join()
        frontier = Frontier(corpus.work / "frontier.sqlite")
        rows, counts, requests = everything(corpus, frontier), frontier.counts(), frontier.requests()
        assert frontier.held == frontier.committed
        frontier.close()
        keys = rows.column("key").to_pylist()
        assert len(set(keys)) == len(keys) == counts.get("new", 0)
        if child.exitcode == 0:
            break
    assert kills >= 3
    assert len(keys) == PAGES
    assert sum(rows.column("attempts").to_pylist()) == requests == PAGES + PAGES // 10
    assert {path.read_text() for path in (corpus.root / "archive" / "web").iterdir()} == {
        f"{HARVEST}-{n:05}" for n in range(1, 1 + (PAGES - 1) // 150)
    }
