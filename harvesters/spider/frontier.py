"""What is still to fetch, in one SQLite file that survives any death of the process that works on it.

A task waits, is under way (known in memory only), or is done and forgotten but for its key. So what a killed process
had under way is simply still waiting, and an answer counts in one transaction or not at all. On disk are also the
rows of `fetches` of the open archive segment, how much of that segment counts, and the captures that former harvests
left. In memory are the names of hosts and what is under way.
"""

from __future__ import annotations

import re
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pyarrow as pa

from catalog.fetches import FETCHES
from harvesters.harvester import Task
from harvesters.spider.capture import Capture, captures, unpack
from harvesters.spider.frontier_file import NAMES, TABLES, array, dump, load, open_file, pack

__all__ = ["Capture", "Frontier", "Waiting", "captures", "host_of"]

_EXPORT = 20_000
_GIVEN_UP = 2_000
"""Tasks that are given up in one transaction."""


@dataclass(slots=True)
class Waiting:
    """A task taken from the frontier."""

    id: int
    task: Task
    attempts: int
    """Requests made for it so far."""


@dataclass(slots=True)
class _Host:
    id: int
    requests: int = 0
    ready: int = 0
    """Tasks that may be taken now."""
    delayed: int = 0
    taken: dict[int, int] = field(default_factory=dict)
    """Attempts made by id of what is under way."""


def host_of(url: str) -> str:
    """The host of a URL as the frontier counts it: lower-case, without port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class Frontier:
    """The tasks of one harvest. One process at a time holds it.

    Raises:
        ConfigError: the file is no frontier, of another version, or in use by another process.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db = open_file(path)
        self._hosts: dict[str, _Host] = {}
        self._parked: set[str] = set()
        self._load()
        self.resumed = self.seeded
        """Whether another process queued what waits, perhaps under other settings."""

    def close(self) -> None:
        """Let go of the file. What was taken and not finished waits again."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, in the file and in memory."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.OperationalError):  # SQLite itself may have rolled back: a full disk
                self._db.execute("ROLLBACK")
            self._load()
            raise

    def _load(self) -> None:
        """Make what is in memory from the file; what is under way stays so."""
        taken = {name: host.taken for name, host in self._hosts.items() if host.taken}
        self._hosts = {
            name: _Host(id, requests)
            for id, name, requests in self._db.execute("SELECT id, name, requests FROM hosts ORDER BY id")
        }
        by_id = {host.id: host for host in self._hosts.values()}
        for id, n in self._db.execute("SELECT host, count(*) FROM waiting WHERE not_before = 0 GROUP BY host"):
            by_id[id].ready = n
        for id, n in self._db.execute("SELECT host, count(*) FROM waiting WHERE not_before > 0 GROUP BY host"):
            by_id[id].delayed = n
        for name, ids in taken.items():
            self._hosts[name].taken = ids
            self._hosts[name].ready -= len(ids)
        self._taken = {id: name for name, ids in taken.items() for id in ids}
        self._turns = OrderedDict((name, None) for name, host in self._hosts.items() if self._has_turn(name, host))
        self.waiting = sum(host.ready + host.delayed for host in self._hosts.values())
        """Tasks that wait; what is under way is not among them."""
        (self.held,) = self._db.execute("SELECT count(*) FROM rows").fetchone()
        """Rows of the open segment."""
        self._load_harvest()
        self._find_next()

    def _load_harvest(self) -> None:
        found = self._db.execute("SELECT * FROM harvest").fetchone()
        name, started, seeded, segment, committed, requests, size, counts, dropped, state, passed = (
            found or (None,) * 11
        )
        self.harvest: str | None = name
        """The harvest that was begun last; None when there was none."""
        self.started: datetime | None = datetime.fromisoformat(started) if started else None
        self.seeded = bool(seeded)
        """Whether its first tasks are queued."""
        self.segment: str = segment or ""
        self.committed: int = committed or 0
        """Bytes of the open segment's archive that count."""
        self.bytes: int = size or 0
        """Bytes of bodies in this harvest, as sent; robots.txt files not counted."""
        self._requests: int = requests or 0
        self._counts: dict[str, int] = orjson.loads(counts) if counts else {}
        self._dropped: dict[str, int] = orjson.loads(dropped) if dropped else {}
        self.passed: dict[str, int] = orjson.loads(passed) if passed else {}
        """Links that were not followed, by reason."""
        self.state: dict[str, Any] = orjson.loads(state) if state else {}
        """What the next harvest should know of this one, by name."""

    def _find_next(self) -> None:
        (found,) = self._db.execute("SELECT min(not_before) FROM waiting WHERE not_before > 0").fetchone()
        self.next_at: float | None = found
        """When the earliest task that is not ready becomes so; None without one."""
        (found,) = self._db.execute("SELECT max(not_before) FROM waiting WHERE not_before > 0").fetchone()
        self._last_at: float | None = found

    @property
    def under_way(self) -> int:
        """Tasks taken and not finished."""
        return len(self._taken)

    def begin(self, harvest: str, started: datetime, captures: Iterable[Capture]) -> None:
        """Begin a harvest: nothing is seen, counted or waiting. Its first segment is `<harvest>-00001`.

        Raises:
            ValueError: another harvest is not finished, or its last rows are not published.
        """
        if self.waiting or self._taken or self.held:
            raise ValueError(f"{self._path}: harvest {self.harvest} is not finished")
        with self._transaction() as db:
            for name in NAMES:
                db.execute(f"DROP TABLE {name}")
            for statement in TABLES:
                db.execute(statement)
            rows = ((bytes.fromhex(found.key), found.pack()) for found in captures)
            db.executemany("INSERT OR REPLACE INTO captures VALUES (?, ?)", rows)
            values = (harvest, started.isoformat(), f"{harvest}-00001")
            db.execute("INSERT INTO harvest VALUES (?, ?, 0, ?, 0, 0, 0, '{}', '{}', '{}', '{}')", values)
        self._load()
        self.resumed = False

    def seed(self, tasks: Iterable[Task]) -> int:
        """Queue the first tasks, all of them or none (`seeded`); returns how many. Once is enough."""
        with self._transaction() as db:
            new = self._queue(tasks)
            db.execute("UPDATE harvest SET seeded = 1")
        self.seeded = True
        return new

    def add(self, tasks: Iterable[Task]) -> int:
        """Queue tasks whose keys this harvest has not seen; `once` tasks that the archive has are passed over."""
        with self._transaction():
            return self._queue(tasks)

    def _queue(self, tasks: Iterable[Task]) -> int:
        db, new = self._db, 0
        for task in tasks:
            whole, text = dump(task)
            key = bytes.fromhex(whole.key)
            if whole.once and self._has(whole.key):
                continue
            if not db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount:
                continue
            name = host_of(whole.url)
            host = self._hosts.get(name) or self._new_host(name)
            db.execute(
                "INSERT INTO waiting (host, priority, not_before, attempts, task) VALUES (?, ?, 0, 0, ?)",
                (host.id, whole.priority, text),
            )
            self._make_ready(name, host)
            new += 1
        self.waiting += new
        return new

    def _has(self, key: str) -> bool:
        found = self.capture(key)
        return found is not None and found.final

    def _new_host(self, name: str) -> _Host:
        cursor = self._db.execute("INSERT INTO hosts (name, requests) VALUES (?, 0)", (name,))
        host = self._hosts[name] = _Host(int(cursor.lastrowid or 0))
        return host

    def _make_ready(self, name: str, host: _Host, tasks: int = 1) -> None:
        host.ready += tasks
        if self._has_turn(name, host):
            self._turns.setdefault(name, None)

    def _has_turn(self, name: str, host: _Host) -> bool:
        return bool(host.ready) and name not in self._parked

    def park(self, host: str) -> None:
        """Leave a host out of `take` until it is offered again: with thousands of them, to ask each time whether it is
        free would take longer than all else."""
        self._parked.add(host)
        self._turns.pop(host, None)

    def offer(self, host: str) -> None:
        """Let `take` ask again whether a host is free, if it was parked; it comes last."""
        if host in self._parked:
            self._parked.discard(host)
            if host in self._hosts and self._hosts[host].ready:
                self._turns.setdefault(host, None)

    def take(self, free: Callable[[str], bool], now: float) -> Waiting | None:
        """The next task of a host for which `free(host)`, by priority, then age; None when there is none now.

        Hosts come in turns: the one that gave a task last comes last.
        """
        if self.next_at is not None and self.next_at <= now:
            self._wake(now)
        name = next((name for name in self._turns if free(name)), None)
        if name is None:
            return None
        host = self._hosts[name]
        found = self._db.execute(
            "SELECT id, attempts, task FROM waiting INDEXED BY ready WHERE host = ? AND not_before = 0 "
            "ORDER BY priority DESC, id LIMIT ?", (host.id, len(host.taken) + 1),
        ).fetchall()  # fmt: skip
        id, attempts, text = next(row for row in found if row[0] not in host.taken)
        host.taken[id] = attempts
        self._taken[id] = name
        host.ready -= 1
        self.waiting -= 1
        if host.ready:
            self._turns.move_to_end(name)
        else:
            del self._turns[name]
        return Waiting(id, load(text), attempts)

    def _wake(self, now: float) -> None:
        """Make ready what has waited long enough."""
        with self._transaction() as db:
            due = db.execute(
                "SELECT name, count(*) FROM waiting JOIN hosts ON hosts.id = host "
                "WHERE not_before > 0 AND not_before <= ? GROUP BY name", (now,),
            ).fetchall()  # fmt: skip
            db.execute("UPDATE waiting SET not_before = 0 WHERE not_before > 0 AND not_before <= ?", (now,))
        for name, tasks in due:
            self._hosts[name].delayed -= tasks
            self._make_ready(name, self._hosts[name], tasks)
        self._find_next()

    def retry(self, id: int, not_before: float) -> None:
        """Put back what was taken, for another attempt at `not_before` (seconds, the clock of `take`)."""
        name, host, _ = self._under_way(id)
        later = max(0.0, not_before)
        with self._transaction() as db:
            db.execute("UPDATE waiting SET attempts = attempts + 1, not_before = ? WHERE id = ?", (later, id))
            db.execute("UPDATE hosts SET requests = requests + 1 WHERE id = ?", (host.id,))
            db.execute("UPDATE harvest SET requests = requests + 1")
        self._release(name, host, id)
        host.requests += 1
        self._requests += 1
        self.waiting += 1
        if later:
            host.delayed += 1
            self.next_at = later if self.next_at is None else min(later, self.next_at)
            self._last_at = max(later, self._last_at or 0.0)
        else:
            self._make_ready(name, host)

    def delays(self) -> dict[str, float]:
        """Until when the last of those wait at a host that are to be asked for again later."""
        found = self._db.execute(
            "SELECT name, max(not_before) FROM waiting JOIN hosts ON hosts.id = host WHERE not_before > 0 GROUP BY name"
        )
        return dict(found.fetchall())

    def bring_near(self, latest: float) -> None:
        """Let nothing wait longer than until `latest`: the clock was set back."""
        if self._last_at is None or self._last_at <= latest:
            return
        with self._transaction() as db:
            db.execute("UPDATE waiting SET not_before = ?1 WHERE not_before > ?1", (latest,))
        self._find_next()

    def _under_way(self, id: int) -> tuple[str, _Host, int]:
        if id not in self._taken:
            raise ValueError(f"task {id} is not under way")
        name = self._taken[id]
        host = self._hosts[name]
        return name, host, host.taken[id]

    def _release(self, name: str, host: _Host, id: int) -> None:
        del host.taken[id], self._taken[id]

    def finish(
        self, id: int, row: Mapping[str, Any], next: Sequence[Task], committed: int,
        more: Sequence[Mapping[str, Any]] = (), state: Mapping[str, Any] | None = None,
        passed: Mapping[str, int] | None = None,
    ) -> int:  # fmt: skip
        """In one transaction: the row of `fetches`, the tasks that follow, the task done, `committed` bytes of archive,
        `more` rows of what came inside the answer or is not asked for, what changes in `state`, and how many links were
        `passed` over, by reason.

        `row` has columns of FETCHES; its `attempts` are the requests that were made, none for what was refused.
        Returns how many of the tasks were new.
        """
        name, host, before = self._under_way(id)
        requests = max(0, (row.get("attempts") or 0) - before)
        with self._transaction() as db:
            new = self._queue(next)
            db.execute("DELETE FROM waiting WHERE id = ?", (id,))
            if requests:
                db.execute("UPDATE hosts SET requests = requests + ? WHERE id = ?", (requests, host.id))
            self._count(row, committed, requests, row.get("bytes") or 0)
            for each in more:
                self._count(each, committed, 0, 0)
            if state:
                db.execute("UPDATE harvest SET state = ?", (orjson.dumps({**self.state, **state}),))
            if passed:
                passed = {**self.passed, **{why: self.passed.get(why, 0) + n for why, n in passed.items()}}
                db.execute("UPDATE harvest SET passed = ?", (orjson.dumps(passed),))
        self.state = {**self.state, **(state or {})}
        self.passed = dict(passed or self.passed)
        host = self._hosts[name]
        self._release(name, host, id)
        host.requests += requests
        return new

    def record(self, row: Mapping[str, Any], committed: int, next: Sequence[Task] = ()) -> int:
        """The same for a row of `fetches` that no task asked for (robots.txt)."""
        with self._transaction():
            new = self._queue(next)
            self._count(row, committed, 0, 0)
        return new

    def _count(self, row: Mapping[str, Any], committed: int, requests: int, size: int) -> None:
        counts = {**self._counts, row["outcome"]: self._counts.get(row["outcome"], 0) + 1}
        self._db.execute("INSERT INTO rows (row) VALUES (?)", (pack(row),))
        self._db.execute(
            "UPDATE harvest SET committed = ?, requests = requests + ?, bytes = bytes + ?, counts = ?",
            (committed, requests, size, orjson.dumps(counts)),
        )
        self._counts, self.committed = counts, committed
        self._requests += requests
        self.bytes += size
        self.held += 1

    def capture(self, key: str) -> Capture | None:
        """What former harvests archived for this key."""
        found = self._db.execute("SELECT capture FROM captures WHERE key = ?", (bytes.fromhex(key),)).fetchone()
        return unpack(key, found[0]) if found else None

    def drop(self, host: str | None, reason: str) -> int:
        """Give up what waits, at one host or at all; what is under way goes on. Returns how many tasks that were."""
        some = self._hosts if host is None else {host: self._hosts[host]} if host in self._hosts else {}
        gone = sum(found.ready + found.delayed for found in some.values())
        if not gone:
            return 0
        dropped = {**self._dropped, reason: self._dropped.get(reason, 0) + gone}
        with self._transaction() as db:
            for found in some.values():
                taken = orjson.dumps(list(found.taken))
                db.execute(
                    "DELETE FROM waiting WHERE host = ? AND not_before = 0 "
                    "AND id NOT IN (SELECT value FROM json_each(?))", (found.id, taken),
                )  # fmt: skip
            if any(found.delayed for found in some.values()):
                only = None if host is None else some[host].id
                db.execute("DELETE FROM waiting WHERE not_before > 0 AND (?1 IS NULL OR host = ?1)", (only,))
            db.execute("UPDATE harvest SET dropped = ?", (orjson.dumps(dropped),))
        for name, found in some.items():
            found.ready = found.delayed = 0
            self._turns.pop(name, None)
        self.waiting -= gone
        self._dropped = dropped
        self._find_next()
        return gone

    def fail(self, host: str, row: Callable[[Waiting], Mapping[str, Any]]) -> int:
        """Give up some thousand tasks of those that wait at a host, with a row of `fetches` for each; returns how many
        that were. None: nothing waits there."""
        found = self._hosts.get(host)
        if found is None or not found.ready + found.delayed:
            return 0
        given_up = self._db.execute(
            "SELECT id, attempts, task FROM waiting WHERE host = ? AND not_before "
            f"{'= 0' if found.ready else '> 0'} AND id NOT IN (SELECT value FROM json_each(?)) LIMIT ?",
            (found.id, orjson.dumps(list(found.taken)), _GIVEN_UP),
        ).fetchall()
        with self._transaction() as db:
            for id, attempts, text in given_up:
                self._count(row(Waiting(id, load(text), attempts)), self.committed, 0, 0)
            db.executemany("DELETE FROM waiting WHERE id = ?", ((id,) for id, _, _ in given_up))
        found = self._hosts[host]
        if found.ready:
            found.ready -= len(given_up)
        else:
            found.delayed -= len(given_up)
        if not found.ready:
            self._turns.pop(host, None)
        self.waiting -= len(given_up)
        self._find_next()
        return len(given_up)

    def requests(self, host: str | None = None) -> int:
        """Requests of this harvest (of one host), those that were made again too; robots.txt not counted."""
        if host is None:
            return self._requests
        return self._hosts[host].requests if host in self._hosts else 0

    def counts(self) -> dict[str, int]:
        """Rows of this harvest by outcome, and `dropped`: tasks that were given up."""
        return {**self._counts, "dropped": sum(self._dropped.values())}

    def dropped(self) -> dict[str, int]:
        """Tasks that were given up, by reason."""
        return dict(self._dropped)

    def rows(self) -> pa.Table:
        """Rows of the open segment, in order, as FETCHES."""
        cursor = self._db.execute("SELECT row FROM rows ORDER BY id")
        batches = []
        while found := cursor.fetchmany(_EXPORT):
            columns = zip(*(orjson.loads(text) for (text,) in found), strict=True)
            batches.append(pa.record_batch([array(c, f) for c, f in zip(columns, FETCHES, strict=True)], FETCHES))
        return pa.Table.from_batches(batches, FETCHES)

    def next_segment(self, segment: str | None = None) -> None:
        """Open another segment (by default the one counted on), after the rows of the last one were published."""
        following = segment or _following(self.segment)
        with self._transaction() as db:
            db.execute("DELETE FROM rows")
            db.execute("UPDATE harvest SET segment = ?, committed = 0", (following,))
        self.segment, self.committed, self.held = following, 0, 0


def _following(segment: str) -> str:
    """`web-20261121T030000Z-00002` after `web-20261121T030000Z-00001`."""
    stem, _, number = segment.rpartition("-")
    if not re.fullmatch(r"\d{5,}", number):
        raise ValueError(f"{segment!r} does not end in a number")
    return f"{stem}-{int(number) + 1:05}"
