"""`python -m harvesters.child JOB.json`: works on one harvest until it is complete or told to pause.

A process of its own, because Twisted's reactor runs once a process and in its main thread. Its standard output are JSON
lines for whoever started it: how far it is, once a second, and at last how it ended. Exit status: 0 complete or paused,
1 it failed, 2 it cannot work with what it was given.
"""

from __future__ import annotations

import fcntl
import importlib
import importlib.metadata
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from catalog import fetches
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, write_json
from extractors.processes import die_with_parent
from harvesters.harvester import Harvester, Last, Task
from harvesters.settings import Fetch, check_contact, user_agent
from harvesters.spider.addresses import Guard
from harvesters.spider.archive import Archive
from harvesters.spider.frontier import Frontier, captures
from harvesters.spider.frontier_file import load as load_task
from harvesters.spider.segments import Segments

logger = logging.getLogger("harvesters")

_HANGS_S = 600.0
"""The reactor looks up every second; after this long without it hangs. Publishing a segment of a GiB takes seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """One harvest to work on."""

    corpus: Corpus
    name: str
    """Of the archive."""
    contact: str
    kind: str
    """The harvester: a module of this package."""
    settings: dict[str, Any]
    fetch: Fetch
    version: str

    @property
    def folder(self) -> Path:
        return self.corpus.work / "harvest" / self.name


def read_job(path: Path) -> Job:
    """The job in a file. Raises ConfigError."""
    try:
        job = read_json(path)
        fetches.archive_file(job["name"], job["name"])
        return Job(
            Corpus(Path(job["corpus"]).resolve()), job["name"], check_contact(job["contact"]), job["harvester"],
            job.get("settings") or {}, Fetch(**job.get("fetch") or {}), importlib.metadata.version("florilege"),
        )  # fmt: skip
    except (OSError, KeyError, TypeError, ValidationError) as error:
        raise ConfigError(f"{path}: no job: {error}") from None


def load(kind: str, settings: dict[str, Any]) -> Harvester:
    """The harvester of that name. Raises ConfigError."""
    if not re.fullmatch(r"[a-z_]+", kind):
        raise ConfigError(f"harvester = {kind!r}: not a name of a module")
    try:
        module = importlib.import_module(f"harvesters.{kind}")
        return module.Harvester(module.Settings(**settings))  # type: ignore[no-any-return]
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(f"harvester = {kind!r}: there is none of that name ({error})") from None
    except ValidationError as error:
        raise ConfigError(f"[{kind}]: {error}") from None


class Progress:
    """Lines for whoever waits, from a thread of its own: a long transaction is no silence."""

    def __init__(self, state: Callable[[], dict[str, Any]]) -> None:
        self._state = state
        self._line: dict[str, Any] = {"status": "running"}
        self._updated: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def update(self) -> None:
        """Looks anew; only for the thread that owns the harvest."""
        self._line, self._updated = {"status": "running", **self._state()}, time.monotonic()

    def end(self, status: str) -> None:
        self._stop.set()
        self._thread.join()
        _say({"status": status, **self._state()})

    def _run(self) -> None:
        while True:
            # A harvest that hangs falls silent, so that whoever waits can end it.
            if self._updated is None or time.monotonic() - self._updated < _HANGS_S:
                _say(self._line)
            if self._stop.wait(1.0):
                return


def _say(line: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Child:
    """A harvest, from where the last process left it to where this one does."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._harvester = load(job.kind, job.settings)
        self._agent = user_agent(job.contact, job.version)
        if hasattr(self._harvester, "user_agent"):  # it asks for something itself, before there is a spider
            self._harvester.user_agent = self._agent
        self._lock = _lock(job)
        self._frontier = Frontier(job.folder / "frontier.sqlite")
        self._hosts: set[str] = set()

    def state(self) -> dict[str, Any]:
        frontier = self._frontier
        return {
            "harvest": frontier.harvest, "requests": frontier.requests(), "bytes": frontier.bytes,
            "waiting": frontier.waiting + frontier.under_way, "hosts": len(self._hosts),
            "outcomes": frontier.counts(), "started": frontier.started.isoformat() if frontier.started else None,
        }  # fmt: skip

    def run(self) -> str:
        """How it ended: complete or paused."""
        job, progress = self._job, Progress(self.state)
        archive = Archive(job.folder, f"florilege/{job.version}", job.contact, job.fetch.robots)
        segments = Segments(job.corpus, job.name, self._frontier, archive, int(job.fetch.segment_mb * (1 << 20)))
        try:
            self._begin()
            segments.open()
            status = self._fetch(archive, segments, progress)
        except Paused:
            status = "paused"
        if status == "complete":
            self._write("complete", self._state_of_harvester())
        progress.end(status)
        self._frontier.close()
        if status == "complete":
            for path in (*job.folder.glob("frontier.sqlite*"), *job.folder.glob("harvester.json")):
                path.unlink()
        return status

    def _begin(self) -> None:
        """Begins a harvest, unless one is under way; queues its first tasks, unless they are."""
        job, frontier = self._job, self._frontier
        last = fetches.last_harvest(job.corpus, job.name)
        if last is not None and last["kind"] != job.kind:
            raise ConfigError(
                f"{job.corpus.root}/archive/{job.name} is the archive of a [{last['kind']}] recipe, and this one has "
                f"[{job.kind}]: give it another name"
            )
        begun = job.folder / "harvester.json"
        if frontier.harvest is None or (last is not None and last["harvest"] == frontier.harvest):
            started = datetime.now(UTC)
            while job.corpus.manifest("harvests", _named(job.name, started)).exists():
                time.sleep(0.1)
                started = datetime.now(UTC)
            known = captures(fetches.last_captures(job.corpus, job.name))
            write_json(begun, {"kind": job.kind})
            frontier.begin(_named(job.name, started), started, known)
        elif begun.is_file() and (kind := read_json(begun).get("kind")) != job.kind:
            raise ConfigError(
                f"{job.folder}: a harvest of [{kind}] is not finished here, and this recipe has [{job.kind}]: give it "
                "another name, or delete the folder to give up what waits"
            )
        if not frontier.seeded:
            former = None
            if last is not None:
                started, state = datetime.fromisoformat(last["started"]), last.get("state") or {}
                former = Last(last["harvest"], started, state, _failed(job.corpus, last["harvest"]))
            frontier.seed(self._harvester.start(former))

    def _fetch(self, archive: Archive, segments: Segments, progress: Progress) -> str:
        from harvesters.spider.scrapy_engine import work

        job = self._job
        guard = Guard(job.fetch.private, job.fetch.addresses)
        harvest = work(
            job.name, job.corpus.root, job.fetch, self._agent, self._frontier, archive,
            self._harvester, guard, segments, progress.update, self._hosts,
        )  # fmt: skip
        segments.publish()  # a build may have what there is, though the harvest goes on another time
        if not harvest.complete:
            self._write("paused", {})
        return "complete" if harvest.complete else "paused"

    def _state_of_harvester(self) -> dict[str, Any]:
        try:
            return {**self._frontier.state, **self._harvester.state()}
        except Exception:
            logger.exception("the harvester has no state for the next harvest")
            return dict(self._frontier.state)

    def _write(self, status: str, state: dict[str, Any]) -> None:
        job, frontier = self._job, self._frontier
        outcomes = frontier.counts()
        outcomes.pop("dropped", None)
        fetches.write_harvest(job.corpus, {
            "harvest": frontier.harvest, "archive": job.name, "kind": job.kind, "status": status,
            "started": frontier.started.isoformat() if frontier.started else None,
            "ended": datetime.now(UTC).isoformat(), "requests": frontier.requests(), "bytes": frontier.bytes,
            "outcomes": outcomes, "dropped": frontier.dropped(), "passed": frontier.passed, "code": job.version,
            "state": state,
            "recipe": {"contact": job.contact, job.kind: job.settings, "fetch": job.fetch.model_dump(mode="json")},
        })  # fmt: skip


def _failed(corpus: Corpus, harvest: str) -> Iterator[Task]:
    for text in fetches.to_repeat(corpus, harvest):
        try:
            yield load_task(text)
        except (ValueError, TypeError) as error:  # of another version
            logger.warning("%s: a task that is not asked for again: %s", harvest, error)


def _lock(job: Job) -> TextIO:
    """The archive's work folder for as long as the file is open. Raises ConfigError when another process has it."""
    job.folder.mkdir(parents=True, exist_ok=True)
    file = (job.folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(f"{job.folder}: another process harvests here; wait until it has ended") from None
    return file


class Paused(BaseException):
    """Told to stop before anything was asked for."""


def _named(name: str, started: datetime) -> str:
    return f"{name}-{started:%Y%m%dT%H%M%SZ}"


def _paused(signum: int, frame: Any) -> None:
    raise Paused


def main(arguments: list[str]) -> int:
    die_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _paused)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        Child(read_job(Path(arguments[0]))).run()
    except Paused:
        return 0
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception:
        logger.exception("the harvest failed")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # Threads may still wait for name servers, and connections for an end: all that counts is on disk.
    os._exit(status)
