"""What is made of an answer: its records in the archive, its row of `fetches`, the tasks that follow. All of it happens
in one go, so that an answer counts whole or not at all, whenever the process dies."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import orjson

from catalog.fetches import archive_file
from extractors.http_body import Message, decode
from harvesters.harvester import Answer, Harvester, Outcome, Task
from harvesters.pages.urls import normalise, refused
from harvesters.settings import Fetch
from harvesters.spider.addresses import Guard
from harvesters.spider.archive import Archive, Exchange, Place, Profile, payload_digest, read_back, response
from harvesters.spider.asking import LONGEST_WAIT_S, MAX_TEXT, Asked, clean, joined, location_of, wait_s
from harvesters.spider.download import Received
from harvesters.spider.frontier import Capture, Frontier, host_of
from harvesters.spider.frontier_file import dump
from harvesters.spider.records import SECRET
from harvesters.spider.robots import Refusal

logger = logging.getLogger(__name__)

REDIRECTS = 10
LARGE = 256 << 10
"""Bytes of a body from which on handing it to another thread costs less than it saves."""
_CREDENTIALS = re.compile(r"//[^/?#@\s]*@")

_PASSING = frozenset({408, 429})
"""Statuses below 500 of a server that may answer later."""

Same = tuple[Capture, Profile]
"""The capture that still holds, and how that is known."""


@dataclass(frozen=True, slots=True)
class Later:
    """When another attempt may be made."""

    seconds: float
    rest: bool
    """Whether nothing of the host is to be asked for until then."""


class Keeper:
    """Keeps answers: archive, `fetches` and frontier of one harvest. What it raises (a full disk, a damaged file) ends
    the harvest; what an answer does wrong does not."""

    def __init__(
        self, name: str, root: Path, frontier: Frontier, archive: Archive, harvester: Harvester, fetch: Fetch,
        guard: Guard,
    ) -> None:  # fmt: skip
        self._name, self._root, self._frontier, self._archive = name, root, frontier, archive
        self._harvester, self._fetch, self._guard = harvester, fetch, guard
        self._limit = int(fetch.max_mb * (1 << 20))
        self._unreadable: set[str] = set()
        """Keys of captures whose records are damaged: what is asked for anew is kept whole again."""
        self._makers = ThreadPoolExecutor(2, "records")

    def known(self, task: Task) -> Capture | None:
        """The capture whose validators are worth sending: it has some, and its payload can be read."""
        capture = self._frontier.capture(task.key)
        if capture is None or not (capture.etag or capture.last_modified) or task.key in self._unreadable:
            return None
        return capture if (self._root / capture.warc).is_file() else None

    def refuse(self, id: int, task: Task, attempts: int, why: Refusal) -> None:
        """Settles a task that is not asked for, or that got no answer."""
        self._frontier.finish(id, self.refused(task, attempts, why), (), self._archive.size)

    def refused(self, task: Task, attempts: int, why: Refusal) -> dict[str, Any]:
        """The row of a task that is not asked for, or that got no answer."""
        row = self._row(task, attempts, outcome=why.outcome, reason=why.reason, detail=why.detail)
        return {**row, "task": _again(task)} if why.passing else row

    async def settle(self, id: int, asked: Asked, got: Received) -> Later | None:
        """Settles a task by its answer; else when to make another attempt.

        Records of a large body are made in another thread. What counts comes after that and in one go: a process that
        dies meanwhile, or is told to stop, has kept nothing of this answer.
        """
        more = asked.attempts <= self._fetch.retries
        fields = joined(got.fields)
        if more and (got.status in _PASSING or got.status >= 500):
            # With these two the server asks for a rest, not this page.
            seconds = wait_s(self._fetch, asked.attempts, fields.get("retry-after"))
            return Later(seconds, rest=got.status in (429, 503))
        row = self._facts(asked, got, fields)
        exchange = self._exchange(asked, got)
        if location := location_of(got):
            follows = self._redirected(asked.task, location, row)
            place = self._store(row, lambda: self._archive.exchange(exchange, {}))
            self._finish(id, row, place, follows)
            return None
        answer, same = self._read(asked, got, fields)
        if got.status == 304 and answer.unchanged and answer.error and more:
            self._unreadable.add(asked.task.key)
            return Later(0.0, rest=False)  # now without validators
        outcome, error = self._consult(answer)
        if got.status == 206 and not any(name.lower() == "range" for name in asked.task.headers):
            outcome = Outcome("nothing", outcome="failed", reason="byte range that was not asked for")
        if outcome.retry_s is not None and more:
            return Later(min(max(outcome.retry_s, 0.0), LONGEST_WAIT_S), outcome.rest)
        self._judge(row, answer, outcome, error)
        passing = got.status in _PASSING or got.status >= 500 or outcome.retry_s is not None
        # 202 with a challenge page: not yet, to whom runs no scripts; perhaps tomorrow.
        passing = passing or (got.status == 202 and row["outcome"] == "refused")
        if (row["outcome"] in ("failed", "refused") and passing) or row["truncated"]:
            row["task"] = _again(asked.task)
        keep: Callable[[], Place | None] = partial(self._keep, exchange, outcome, same)
        if outcome.store == "exchange" and same is None and len(exchange.body) >= LARGE:
            keep = await self._made(exchange, outcome)
        place = self._store(row, keep)
        others = [*self._resources(answer, outcome), *self._notices(answer, outcome)]
        row = {**row, **self._placed(place)}
        self._frontier.finish(id, row, outcome.next, self._archive.size, others, outcome.state, outcome.passed)
        return None

    def robots(self, asked: Asked, got: Received) -> None:
        """Keeps a robots.txt, or a redirect to one."""
        fields = joined(got.fields)
        row = self._facts(asked, got, fields)
        answer, same = self._read(asked, got, fields)
        outcome = Outcome()
        if getattr(self._harvester, "wants_robots", False) and 200 <= got.status < 300:
            outcome, _ = self._consult(answer)
        self._judge(row, answer, Outcome(), None)
        if location := location_of(got):
            row.update(outcome="redirect", reason=None, location=_shown(location))
        place = self._store(row, lambda: self._keep(self._exchange(asked, got), Outcome(), same))
        self._frontier.record({**row, **self._placed(place)}, self._archive.size, outcome.next)

    def robots_failed(self, asked: Asked, why: Refusal) -> None:
        row = self._row(asked.task, asked.attempts, outcome=why.outcome, reason=why.reason, detail=why.detail)
        self._frontier.record(row, self._archive.size)

    def body(self, got: Received) -> bytes:
        """The decoded body of an answer, empty where its coding is broken."""
        return decode(_message(got), self._limit, cut=bool(_truncated(got))).body

    def _finish(self, id: int, row: dict[str, Any], place: Place | None, follows: Sequence[Task]) -> None:
        self._frontier.finish(id, {**row, **self._placed(place)}, follows, self._archive.size)

    def _resources(self, answer: Answer, outcome: Outcome) -> Iterator[dict[str, Any]]:
        """Keeps the documents that came inside an answer, those alone that the archive has not; a row of each."""
        for resource in outcome.resources:
            task = Task(resource.url, "record", via=answer.url, depth=answer.task.depth)
            capture = self._frontier.capture(task.key)
            row = self._row(task, 0, outcome="changed" if capture else "new", fetched=answer.fetched)
            row |= {"status": answer.status, "mime": resource.mime, "labels": _json(resource.labels)}
            alike = capture is not None and capture.payload_digest == payload_digest(resource.body)
            if capture is not None and alike and (self._root / capture.warc).is_file():
                yield {**row, "outcome": "unchanged", "payload_digest": capture.payload_digest}
                continue
            place = self._store(row, partial(self._archive.resource, resource, answer.fetched))
            yield {**row, **self._placed(place)}

    def _notices(self, answer: Answer, outcome: Outcome) -> Iterator[dict[str, Any]]:
        """A row of each thing that is not asked for."""
        for notice in outcome.notices:
            row = self._row(notice.task, 0, outcome=notice.outcome, reason=notice.reason, fetched=answer.fetched)
            yield {**row, "labels": _json(notice.labels)}

    def _exchange(self, asked: Asked, got: Received) -> Exchange:
        return Exchange(
            asked.task.url, "GET", asked.headers, got.status, got.reason, got.fields, got.body, asked.fetched,
            str(got.ip_address) if got.ip_address else None, _truncated(got),
        )  # fmt: skip

    def _read(self, asked: Asked, got: Received, fields: Mapping[str, str]) -> tuple[Answer, Same | None]:
        """The answer for the harvester, and the capture that still holds, with why."""
        task, capture = asked.task, self._frontier.capture(asked.task.key)
        clean = {name: value for name, value in fields.items() if name not in SECRET and name != "transfer-encoding"}
        if got.status == 304 and asked.capture is not None:
            return self._read_back(asked, asked.capture), (asked.capture, "server-not-modified")
        message = decode(_message(got), self._limit, cut=bool(_truncated(got)))
        answer = Answer(
            task, task.url, got.status, clean, message.body, asked.fetched, False, _truncated(got), message.error
        )
        alike = capture is not None and (capture.status, capture.truncated) == (got.status, answer.truncated)
        if capture is not None and alike and capture.payload_digest == payload_digest(got.body):
            answer.unchanged = True
            whole = task.key not in self._unreadable and (self._root / capture.warc).is_file()
            return answer, (capture, "identical-payload-digest") if whole else None
        return answer, None

    def _read_back(self, asked: Asked, capture: Capture) -> Answer:
        headers: Mapping[str, str] = {}
        body, error = b"", None
        try:
            headers, body = read_back(self._root, capture, self._limit)
        except (ValueError, OSError) as problem:
            error = f"cannot be read back: {problem}"[:MAX_TEXT]
        return Answer(
            asked.task, asked.task.url, capture.status, headers, body, asked.fetched, True, capture.truncated, error
        )

    def _consult(self, answer: Answer) -> tuple[Outcome, str | None]:
        try:
            return self._harvester.answer(answer), None
        except Exception as error:  # its bytes are a stranger's: one task
            logger.warning("%s: the harvester failed", answer.url, exc_info=True)
            return Outcome(), f"{type(error).__name__}: {error}"[:MAX_TEXT]

    def _judge(self, row: dict[str, Any], answer: Answer, outcome: Outcome, error: str | None) -> None:
        """Outcome, reason and detail of a row."""
        status, capture = answer.status, self._frontier.capture(answer.task.key)
        found, reason = "failed", f"http {status}"
        if answer.unchanged:
            found, reason = "unchanged", ""
        elif 200 <= status <= 300:
            found, reason = "changed" if capture else "new", ""
        elif status in (404, 410):
            found = "missing"
        detail = None
        if answer.error and found != "unchanged":
            found, detail = "failed", answer.error
            reason = "too large" if "over" in answer.error else "content coding"
        if outcome.outcome or outcome.retry_s is not None:
            found = outcome.outcome or "failed"
        if error:
            found, reason, detail = "failed", "harvester error", error
        row.update(outcome=found, reason=outcome.reason or reason or None, detail=detail)
        if outcome.labels:
            row["labels"] = _json(outcome.labels)
        if outcome.url:
            row["url"] = outcome.url

    def _keep(self, exchange: Exchange, outcome: Outcome, same: Same | None) -> Place | None:
        if outcome.store == "nothing":
            return None
        if outcome.store == "members":
            return self._archive.members(outcome.members)
        if same is not None:
            return self._archive.revisit(exchange, *same)
        return self._archive.exchange(exchange, outcome.labels)

    async def _made(self, exchange: Exchange, outcome: Outcome) -> Callable[[], Place | None]:
        """Makes the records in another thread; compression and digests let this one go on. What appends them, or raises
        what went wrong."""
        making = asyncio.get_running_loop().run_in_executor(self._makers, response, exchange, outcome.labels)
        await asyncio.wait([making])
        return lambda: self._archive.append(making.result())

    def _store(self, row: dict[str, Any], keep: Callable[[], Place | None]) -> Place | None:
        try:
            return keep()
        except ValueError as error:  # no URL, label or record for an archive
            row.update(outcome="failed", reason="not archived", detail=str(error)[:MAX_TEXT])
            return None

    def _redirected(self, task: Task, location: str, row: dict[str, Any]) -> list[Task]:
        """The task that a redirect leads to, none where it may not be followed; fills in the row."""
        row.update(outcome="redirect", location=_shown(location))
        target = normalise(location, task.url)
        if target == task.url:  # all that differs is a session: the server wants to see it
            target = normalise(location, task.url, whole=True)
        target = _kept_safe(task.url, target)
        why = self._bars(task, target)
        if target is None or why is not None:
            row.update(outcome="refused", reason=why)
            return []
        return [replace(task, url=target, via=task.url, redirects=task.redirects + 1)]

    def out_of_scope(self, task: Task) -> str | None:
        """Why a task that was queued earlier may not be asked for by the settings of now."""
        try:
            return self._harvester.admits(task.url, task)
        except Exception as error:
            logger.warning("%s: the harvester failed", task.url, exc_info=True)
            return f"harvester error: {type(error).__name__}"

    def _bars(self, task: Task, target: str | None) -> str | None:
        if target is None:
            return "redirect to no URL"
        if task.redirects >= REDIRECTS:
            return "too many redirects"
        if why := refused(target) or self._guard.host(host_of(target)):
            return why
        try:
            return self._harvester.admits(target, task)
        except Exception as error:
            logger.warning("%s: the harvester failed", target, exc_info=True)
            return f"harvester error: {type(error).__name__}"

    def _facts(self, asked: Asked, got: Received, fields: Mapping[str, str]) -> dict[str, Any]:
        return self._row(
            asked.task, asked.attempts, fetched=asked.fetched, seconds=monotonic() - asked.began, status=got.status,
            mime=clean(fields.get("content-type", "").partition(";")[0]).lower() or None, bytes=len(got.body),
            etag=_text(fields.get("etag")), last_modified=_text(fields.get("last-modified")),
            ip=str(got.ip_address) if got.ip_address else None, truncated=_truncated(got),
        )  # fmt: skip

    def _row(self, task: Task, attempts: int, **facts: Any) -> dict[str, Any]:
        return {
            "archive": self._name, "harvest": self._frontier.harvest, "key": task.key, "url": task.url,
            "host": host_of(task.url), "kind": task.kind, "via": task.via, "depth": task.depth, "attempts": attempts,
            "fetched": datetime.now(UTC), **facts,
        }  # fmt: skip

    def _placed(self, place: Place | None) -> dict[str, Any]:
        if place is None:
            return {}
        return {
            "record": place.record, "warc": archive_file(self._name, self._frontier.segment), "offset": place.offset,
            "length": place.length, "payload_digest": place.digest,
        }  # fmt: skip


def _kept_safe(url: str, target: str | None) -> str | None:
    """A redirect's target, with https where only the scheme is less safe: same host, default ports. Not where that is
    the URL itself, which the server sends away from https."""
    if target is None or not url.startswith("https://") or not target.startswith("http://"):
        return target
    here, there = urlsplit(url), urlsplit(target)
    safe = f"https{target.removeprefix('http')}"
    return safe if here.netloc == there.netloc and here.port is None and safe != url else target


def _shown(location: str) -> str:
    return _CREDENTIALS.sub("//", clean(location))


def _json(labels: Mapping[str, str]) -> str | None:
    return orjson.dumps(dict(labels), option=orjson.OPT_SORT_KEYS).decode() if labels else None


def _again(task: Task) -> str:
    return dump(task)[1].decode()


def _text(value: str | None) -> str | None:
    # A validator that was cut off is none, and `*` would hold for whatever is there.
    cleaned = clean(value) if value and len(value) <= MAX_TEXT else ""
    return cleaned if cleaned not in ("", "*") else None


def _message(got: Received) -> Message:
    fields = joined(got.fields)
    return Message(got.status, {"content-encoding": fields.get("content-encoding", "")}, got.body)


def _truncated(got: Received) -> str | None:
    return "disconnect" if "dataloss" in got.flags else None
