from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import publish as publish_snapshot

from catalog import fetches, files, store
from catalog.errors import ConfigError, ShardError
from catalog.fetches import FETCHES, OUTCOMES
from catalog.files import Corpus

START = datetime(2026, 11, 21, 3, tzinfo=UTC)
MISSING = {"outcome": "missing", "status": 404, "record": "response"}
UNCHANGED = {"outcome": "unchanged", "status": 304, "record": "revisit"}


@pytest.fixture
def empty(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path / "it's a corpus")


def row(key: str = "1", **more: Any) -> dict[str, Any]:
    made = {
        **dict.fromkeys(FETCHES.names), "archive": "web", "harvest": "web-1", "key": key, "host": "a.example",
        "url": f"https://a.example/{key}", "kind": "page", "attempts": 1, "fetched": START, "status": 200, "bytes": 10,
        "outcome": "new", "etag": f'"{key}"', "payload_digest": "sha1:A", "record": "response",
        "warc": "archive/web/s.warc.gz", "offset": 0, "length": 5,
    }  # fmt: skip
    return {**made, **more}


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), FETCHES)


def put(corpus: Corpus, segment: str, *rows: dict[str, Any], harvest: str = "web-1", archive: str = "web") -> None:
    fetches.publish(corpus, archive, harvest, segment, table(*rows), None)


def warc(corpus: Corpus) -> Path:
    path = corpus.work / "harvest" / "web" / "web-1-00001.warc.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an archive")
    return path


def seen(corpus: Corpus) -> list[str]:
    """Keys in the view of a catalog made now."""
    store.rebuild(corpus)
    with store.reading(corpus) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM fetches ORDER BY ALL").fetchall()]


def test_a_published_segment_is_whole(empty: Corpus) -> None:
    closed = warc(empty)
    rows = table(row("1"), row("2", fetched=START + timedelta(milliseconds=7), seconds=0.25, labels='{"celex":"3"}'))
    assert not fetches.published(empty, "web-1-00001")
    manifest = fetches.publish(empty, "web", "web-1", "web-1-00001", rows, closed)
    assert fetches.published(empty, "web-1-00001")
    assert not fetches.begun(empty, "web", "web-1-00001")
    assert not closed.exists()
    assert (empty.root / "archive" / "web" / "web-1-00001.warc.gz").read_bytes() == b"an archive"
    assert [(f["file"], f.get("rows")) for f in manifest["files"]] == [
        ("fetches/web-1-00001.parquet", 2), ("archive/web/web-1-00001.warc.gz", None),
    ]  # fmt: skip
    assert fetches.digests(empty) == {f["file"]: files.sha256(empty.root / f["file"]) for f in manifest["files"]}
    assert list(empty.staging.iterdir()) == []
    store.rebuild(empty)
    with store.reading(empty) as connection:
        assert connection.sql("FROM fetches ORDER BY key").to_arrow_table().cast(FETCHES).equals(rows)
        segment = connection.execute("SELECT segment, archive, harvest, rows, file, warc, warc_bytes FROM segments")
        assert segment.fetchall() == [(
            "web-1-00001", "web", "web-1", 2, "fetches/web-1-00001.parquet", "archive/web/web-1-00001.warc.gz", 10
        )]  # fmt: skip
    assert fetches.publish(empty, "web", "web-1", "web-1-00001", table(), closed) == manifest
    assert seen(empty) == ["1", "2"]


class Death(BaseException):
    pass


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_death_between_any_two_steps_is_made_good(
    empty: Corpus, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    """Steps: the archive is moved, the rows are, the manifest is."""
    rename, steps = Path.replace, iter(range(3))

    def dying(self: Path, target: Path) -> Path:
        fatal = next(steps) == step
        if fatal and not after:
            raise Death
        moved = rename(self, target)
        if fatal:
            raise Death
        return moved

    closed, rows = warc(empty), table(row("1"), row("2"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        with pytest.raises(Death):
            fetches.publish(empty, "web", "web-1", "web-1-00001", rows, closed)
    whole = (step, after) == (2, True)
    assert fetches.published(empty, "web-1-00001") == whole
    assert fetches.begun(empty, "web", "web-1-00001") == (not closed.exists() and not whole)
    assert seen(empty) == (["1", "2"] if whole else [])
    fetches.publish(empty, "web", "web-1", "web-1-00001", rows, closed)
    assert seen(empty) == ["1", "2"]
    assert (empty.root / "archive" / "web" / "web-1-00001.warc.gz").read_bytes() == b"an archive"
    assert all(files.sha256(empty.root / name) == digest for name, digest in fetches.digests(empty).items())
    assert list(empty.staging.iterdir()) == []


def test_an_archive_is_neither_lost_nor_overwritten(empty: Corpus) -> None:
    with pytest.raises(ShardError, match="the archive is gone"):
        fetches.publish(empty, "web", "web-1", "web-1-00001", table(row()), empty.work / "nothing.warc.gz")
    there = empty.root / "archive" / "web" / "web-1-00001.warc.gz"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"older")
    with pytest.raises(ShardError, match="there already"):
        fetches.publish(empty, "web", "web-1", "web-1-00001", table(row()), warc(empty))
    assert there.read_bytes() == b"older"
    assert not fetches.published(empty, "web-1-00001")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\n", "a b"])
def test_a_name_leads_nowhere_else(empty: Corpus, name: str) -> None:
    with pytest.raises(ConfigError, match="a name is letters"):
        fetches.publish(empty, name, "web-1", "web-1-00001", table(), None)
    with pytest.raises(ConfigError, match="a name is letters"):
        fetches.publish(empty, "web", "web-1", name, table(), None)
    with pytest.raises(ConfigError, match="a name is letters"):
        fetches.write_harvest(empty, {**HARVEST, "harvest": name})


def captured(corpus: Corpus) -> dict[str, dict[str, Any]]:
    batches = list(fetches.last_captures(corpus, "web"))
    rows = [found for batch in batches for found in batch.to_pylist()]
    assert [found["key"] for found in rows] == sorted(found["key"] for found in rows)
    return {found["key"]: found for found in rows}


def later(key: str = "1", days: int = 1, **more: Any) -> dict[str, Any]:
    return row(key, fetched=START + timedelta(days=days), **more)


def test_no_captures_without_segments(empty: Corpus) -> None:
    assert captured(empty) == {}
    put(empty, "other-1-00001", row(), archive="other")
    assert captured(empty) == {}


def test_the_last_capture_of_each_request(empty: Corpus) -> None:
    put(empty, "a", row("1"), row("2", labels='{"language":"fr"}', warc="archive/web/a.warc.gz", offset=70))
    put(empty, "b", later("1", outcome="changed", etag='"new"', payload_digest="sha1:B", offset=9))
    found = captured(empty)
    assert list(found["2"]) == [
        "key", "url", "etag", "last_modified", "payload_digest", "warc", "offset", "length", "fetched", "status",
        "outcome", "labels", "truncated",
    ]  # fmt: skip
    assert found["2"] == {
        "key": "2", "url": "https://a.example/2", "etag": '"2"', "last_modified": None, "payload_digest": "sha1:A",
        "warc": "archive/web/a.warc.gz", "offset": 70, "length": 5, "fetched": START, "status": 200,
        "outcome": "new", "labels": '{"language":"fr"}', "truncated": None,
    }  # fmt: skip
    one = {key: found["1"][key] for key in ("etag", "payload_digest", "offset", "outcome")}
    assert one == {"etag": '"new"', "payload_digest": "sha1:B", "offset": 9, "outcome": "changed"}


@pytest.mark.parametrize(
    ("after", "etag", "outcome"),
    [
        ({**UNCHANGED, "etag": None}, '"1"', "unchanged"),
        ({**UNCHANGED, "etag": '"renewed"', "offset": 99}, '"renewed"', "unchanged"),
        ({**MISSING, "etag": '"404"', "offset": 99}, '"1"', "missing"),
        ({**MISSING, "record": None, "status": 200, "etag": '"soft"'}, '"1"', "missing"),
        ({"outcome": "redirect", "status": 301, "etag": '"301"', "offset": 99}, '"1"', "redirect"),
        ({"outcome": "failed", "status": None, "record": None, "etag": None}, '"1"', "new"),
        ({"outcome": "robots", "status": None, "record": None, "etag": None}, '"1"', "new"),
        ({"outcome": "refused", "status": 202, "etag": '"challenge"', "offset": 99}, '"1"', "new"),
    ],
)
def test_what_came_after_a_capture_leaves_it_the_last(
    empty: Corpus, after: dict[str, Any], etag: str, outcome: str
) -> None:
    put(empty, "a", row("1"))
    put(empty, "b", later("1", **after))
    found = captured(empty)["1"]
    assert (found["etag"], found["outcome"], found["offset"], found["status"]) == (etag, outcome, 0, 200)
    assert found["fetched"] == START


@pytest.mark.parametrize("only", [MISSING, UNCHANGED, {"outcome": "redirect", "status": 302}, {"record": None}])
def test_what_is_no_capture(empty: Corpus, only: dict[str, Any]) -> None:
    put(empty, "a", row("1", **only))
    assert captured(empty) == {}


def test_validators_of_an_older_payload_are_forgotten(empty: Corpus) -> None:
    put(empty, "a", row("1", last_modified="Sat, 21 Nov 2026 03:00:00 GMT"))
    put(empty, "b", later("1", outcome="changed", etag=None))
    assert (captured(empty)["1"]["etag"], captured(empty)["1"]["last_modified"]) == (None, None)


def test_half_a_page_has_no_validators(empty: Corpus) -> None:
    put(empty, "a", row("1", truncated="disconnect", last_modified="Sat, 21 Nov 2026 03:00:00 GMT"))
    found = captured(empty)["1"]
    assert (found["etag"], found["last_modified"], found["truncated"]) == (None, None, "disconnect")
    assert found["payload_digest"] == "sha1:A"
    put(empty, "b", later("1", **UNCHANGED))
    assert captured(empty)["1"]["etag"] is None


HARVEST = {
    "harvest": "web-1", "archive": "web", "kind": "crawl", "status": "complete", "started": START.isoformat(),
    "ended": START.isoformat(), "requests": 3, "bytes": 30, "outcomes": {"new": 3}, "code": "0.1.0",
    "recipe": {"name": "web"}, "state": {"since": "2026-11-21"}, "passed": {"depth": 2},
}  # fmt: skip


def test_the_last_harvest(empty: Corpus) -> None:
    assert fetches.last_harvest(empty, "web") is None
    fetches.write_harvest(empty, HARVEST)
    second = {**HARVEST, "harvest": "web-2", "started": "2026-11-21T04:30:00+01:00", "status": "paused"}
    fetches.write_harvest(empty, second)
    fetches.write_harvest(empty, {**HARVEST, "harvest": "zoo-1", "archive": "zoo", "started": "2027-01-01T00:00:00Z"})
    assert fetches.last_harvest(empty, "web") == HARVEST
    assert fetches.last_harvest(empty, "web", complete=False) == second
    fetches.write_harvest(empty, {**second, "status": "complete"})
    assert fetches.last_harvest(empty, "web") == {**second, "status": "complete"}
    with pytest.raises(ValueError, match="no time zone"):
        fetches.write_harvest(empty, {**HARVEST, "started": "2026-11-21T03:00:00"})
    with pytest.raises(ValueError, match="without \\['started'\\]"):
        fetches.write_harvest(empty, {key: value for key, value in HARVEST.items() if key != "started"})


def test_harvests_are_a_table(empty: Corpus) -> None:
    fetches.write_harvest(empty, HARVEST)
    running = {
        "harvest": "web-2",
        "archive": "web",
        "kind": "crawl",
        "status": "running",
        "started": "2026-12-01T00:00:00Z",
    }
    fetches.write_harvest(empty, running)
    for n in range(2):
        put(empty, f"web-1-{n}", row())
    store.rebuild(empty)
    with store.reading(empty) as connection:
        columns = "harvest, status, requests, segments, outcomes->>'new', state->>'since', passed->'depth'"
        found = connection.execute(f"SELECT {columns} FROM harvests").fetchall()
    assert found == [
        ("web-1", "complete", 3, 2, "3", "2026-11-21", "2"), ("web-2", "running", None, 0, None, None, None),
    ]  # fmt: skip


def test_what_may_come_later_is_read_back_of_one_harvest(empty: Corpus) -> None:
    assert list(fetches.to_repeat(empty, "web-1")) == []
    failed = {"outcome": "failed", "status": 503}
    put(empty, "a", row("1"), row("2", **failed, task='{"url":"2"}'), row("3", **failed))
    put(empty, "b", row("4", **failed, task='{"url":"4"}'))
    put(empty, "c", row("5", **failed, harvest="web-2", task='{"url":"5"}'), harvest="web-2")
    older = empty.manifest("fetches", "b")
    files.write_json(older, {**files.read_json(older), "schema": 1})
    path = empty.root / "fetches" / "b.parquet"
    pq.write_table(pq.read_table(path).drop(["task"]), path)
    assert list(fetches.to_repeat(empty, "web-1")) == ['{"url":"2"}']


def test_a_summary_counts_what_came(empty: Corpus) -> None:
    robots = {"outcome": "robots", "status": None, "attempts": 0, "bytes": None, "record": None}
    put(
        empty, "a",
        row("1"), row("2", outcome="unchanged", status=304, bytes=0), row("3", host="b.example", attempts=3, status=503,
        outcome="failed", reason="HTTP 503"), row("4", kind="robots", bytes=5),
        row("5", host="b.example", **robots, detail="Disallow: /x"),
        row("6", host="b.example", **robots, detail="Disallow: /x"), row("7", host="c.example", **robots),
        row("8", host="c.example", attempts=2, status=None, bytes=None, outcome="failed", reason="timeout"),
    )  # fmt: skip
    put(empty, "b", row("9", harvest="web-2"), harvest="web-2")
    found = fetches.summary(empty, "web-1")
    assert orjson.loads(orjson.dumps(found)) == found
    assert {r["outcome"]: (r["fetches"], r["bytes"]) for r in found["outcomes"]} == {
        "robots": (3, 0), "failed": (2, 10), "new": (2, 15), "unchanged": (1, 0),
    }  # fmt: skip
    none = dict.fromkeys(OUTCOMES, 0)
    assert found["hosts"] == [
        {"host": "b.example", "requests": 3, "bytes": 10, **none, "failed": 1, "robots": 2, "errors": 1},
        {"host": "a.example", "requests": 2, "bytes": 15, **none, "new": 2, "unchanged": 1, "errors": 0},
        {"host": "c.example", "requests": 2, "bytes": 0, **none, "robots": 1, "failed": 1, "errors": 1},
    ]
    assert [(r["status"], r["fetches"]) for r in found["statuses"]] == [(200, 2), (304, 1), (503, 1)]
    assert [(r["outcome"], r["reason"], r["fetches"], r["example"]) for r in found["errors"]] == [
        ("failed", "HTTP 503", 1, "https://a.example/3"), ("failed", "timeout", 1, "https://a.example/8"),
    ]  # fmt: skip
    assert [(r["host"], r["rule"], r["fetches"]) for r in found["robots"]] == [
        ("b.example", "Disallow: /x", 2), ("c.example", None, 1),
    ]  # fmt: skip
    short = fetches.summary(empty, "web-1", most=1)
    assert [(r["host"], r["requests"], r["robots"]) for r in short["hosts"]] == [
        ("b.example", 3, 2),
        ("(others)", 4, 1),
    ]
    assert (len(short["errors"]), len(short["robots"])) == (1, 1)


def test_a_harvest_without_segments_has_an_empty_summary(empty: Corpus) -> None:
    assert fetches.summary(empty, "web-1") == {
        "outcomes": [], "hosts": [], "statuses": [], "errors": [], "robots": [],
    }  # fmt: skip


def test_what_does_not_add_up_is_told(empty: Corpus) -> None:
    put(empty, "a", row("1"), row("2"), row("9", kind="robots"))
    fetches.write_harvest(empty, {**HARVEST, "outcomes": {"new": 4, "failed": 0, "dropped": 7}, "status": "running"})
    assert fetches.unaccounted(empty) == []
    fetches.write_harvest(empty, {**HARVEST, "outcomes": {"new": 4, "failed": 0, "dropped": 7}})
    assert fetches.unaccounted(empty) == ["harvest web-1: counted {'new': 4}, its segments hold {'new': 3}"]
    put(empty, "b", row("9", kind="robots"))
    assert fetches.unaccounted(empty) == []
    put(empty, "c", row("2", outcome="failed"))
    fetches.write_harvest(empty, {**HARVEST, "outcomes": {"new": 4, "failed": 1}})
    assert fetches.unaccounted(empty) == ["harvest web-1: 1 requests are there twice"]


def test_a_corpus_of_archives_alone_answers_queries(empty: Corpus) -> None:
    with pytest.raises(ConfigError, match="no published corpus"):
        files.existing(empty.root, bare=True)
    put(empty, "a", row("1"), row("2", **MISSING))
    with pytest.raises(ConfigError, match="no published corpus"):
        files.existing(empty.root)
    store.rebuild(files.existing(empty.root, bare=True))
    with store.reading(empty) as connection:
        store.confine(connection, empty.root)
        found = connection.execute("SELECT outcome, count(*) FROM fetches GROUP BY ALL ORDER BY ALL").fetchall()
        assert found == [("missing", 1), ("new", 1)]
        with pytest.raises(duckdb.CatalogException):
            connection.execute("FROM documents")


def test_a_corpus_without_archives_has_an_empty_view(own_corpus: Corpus) -> None:
    with store.reading(own_corpus) as connection:
        found = connection.sql("FROM fetches").to_arrow_table()
        assert (found.num_rows, found.schema.names) == (0, FETCHES.names)
        assert connection.execute("SELECT count(*) FROM harvests").fetchall() == [(0,)]


def test_fetches_are_seen_from_every_snapshot(own_corpus: Corpus) -> None:
    put(own_corpus, "a", row("1"))
    publish_snapshot(own_corpus)
    with store.reading(own_corpus, 1) as connection:
        assert connection.execute("SELECT key FROM fetches").fetchall() == [("1",)]


def test_segments_of_an_older_schema_are_read_beside_new_ones(empty: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    older = pa.schema([field for field in FETCHES if field.name != "labels"])
    with monkeypatch.context() as patched:
        patched.setattr(fetches, "FETCHES", older)
        patched.setattr(fetches, "VERSION", 0)
        put(empty, "a", row("1"))
    put(empty, "b", row("2", labels="{}"))
    store.rebuild(empty)
    with store.reading(empty) as connection:
        assert connection.execute("SELECT key, labels FROM fetches ORDER BY 1").fetchall() == [("1", None), ("2", "{}")]


@pytest.fixture
def held(empty: Corpus) -> Iterator[Any]:
    empty.work.mkdir(parents=True)
    with (empty.work / "catalog.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def test_a_rebuild_waits_and_sees_what_the_other_published(empty: Corpus, held: Any) -> None:
    other = threading.Thread(target=store.rebuild, args=(empty,))
    other.start()
    other.join(0.5)
    assert other.is_alive()
    put(empty, "a", row("late"))
    fcntl.flock(held, fcntl.LOCK_UN)
    other.join(30)
    with store.reading(empty) as connection:
        assert connection.execute("SELECT key FROM fetches").fetchall() == [("late",)]
