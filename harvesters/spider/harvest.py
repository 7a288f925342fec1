"""A harvest under way: tasks of the frontier become requests, as many as hosts and limits allow, and answers are kept.

Scrapy downloads: one queue a host with its interval, concurrency and AutoThrottle, TLS, deadlines. Redirects, cookies,
codings and retries are not its business here, because the archive has to see each answer as it came and the frontier
has to outlive the process.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from scrapy.http import Request

from harvesters.harvester import Task
from harvesters.pages.urls import normalise, refused
from harvesters.settings import Fetch
from harvesters.spider.addresses import Guard
from harvesters.spider.answers import Keeper
from harvesters.spider.asking import LONGEST_WAIT_S, Asked, ask, joined, location_of, wait_s
from harvesters.spider.download import Received, Trouble, trouble
from harvesters.spider.frontier import Frontier, Waiting, host_of
from harvesters.spider.resolver import GuardedResolver
from harvesters.spider.robots import Refusal, Robots, is_passing
from harvesters.spider.throttle import slow_to

logger = logging.getLogger(__name__)

GIVE_UP = 10
"""Attempts in a row without a connection after which a host is left alone."""
GRACE_S = 10.0
"""How long what is under way may take when the harvest is to pause."""
_TICK_S = 1.0
_LOOK_S = 0.02
"""When to look again at a host that takes one request and could take more."""
_UNREACHABLE = frozenset({"dns", "connection", "timeout"})


class Harvest:
    """Fetches what the frontier has until nothing is left, limits are reached or it is told to stop."""

    def __init__(
        self, fetch: Fetch, agent: str, frontier: Frontier, keeper: Keeper, guard: Guard, resolver: GuardedResolver,
        kept: Callable[[], None], hosts: set[str],
    ) -> None:  # fmt: skip
        """`kept` is called after each answer, when archive and frontier agree; `hosts` gets those that are asked."""
        self._fetch, self._agent, self._frontier, self._keeper = fetch, agent, frontier, keeper
        self._guard, self._resolver, self._kept = guard, resolver, kept
        self._robots = Robots(self._ask_robots, self._slow, self._rest, fetch.retries, fetch.crawl_delay_cap_s)
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting = 0
        self._hold: dict[str, float] = {}
        self._times: list[tuple[float, str]] = []
        """When parked hosts are to be looked at again, as a heap."""
        self._lost: defaultdict[str, int] = defaultdict(int)
        self._closed: dict[str, str | Refusal] = {}
        """Hosts that are not asked any more, and why: a limit, or no answer."""
        self._met: set[str] = set()
        self._stopped: float | None = None
        self._deadline = monotonic() + fetch.hours * 3_600 if fetch.hours else None
        self._error: BaseException | None = None
        self._wake = asyncio.Event()
        self._hosts = hosts
        self.complete = False

    def stop(self) -> None:
        """Ask for nothing more; what is under way has GRACE_S to end."""
        if self._stopped is None:
            self._stopped = monotonic()
        self._wake.set()

    async def run(self, crawler: Any) -> None:
        """Works until it is complete or stopped. Raises what keeps answers from being kept."""
        self._engine = crawler.engine
        self._frontier.bring_near(time.time() + LONGEST_WAIT_S)
        for host, until in self._frontier.delays().items():
            self._rest_host(host, until - time.time())  # it may have asked for a rest; which of them did is not known
        if self._frontier.requests():
            await self._pause(self._fetch.interval_s)  # another process asked a moment ago
        try:
            while not self._error and not self._ended():
                self._frontier.bring_near(time.time() + LONGEST_WAIT_S)
                self._fill()
                if not self._tasks and not self._frontier.waiting:
                    self.complete = self._stopped is None
                    break
                await self._pause(self._next_in())
        finally:
            for task in self._tasks:
                task.cancel()
        if self._error:
            raise self._error

    def _ended(self) -> bool:
        """Whether it is stopped and there is nothing to wait for."""
        if self._deadline and monotonic() > self._deadline:
            self.stop()
        if self._stopped is None:
            return False
        return len(self._tasks) <= self._resting or monotonic() > self._stopped + GRACE_S

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    def _next_in(self) -> float:
        """Seconds until a host or a task becomes free, at most a tick."""
        until = min(_TICK_S, self._times[0][0] - monotonic()) if self._times else _TICK_S
        if self._frontier.next_at is not None:
            until = min(until, self._frontier.next_at - time.time())
        return max(until, 0.001)

    def _fill(self) -> None:
        """Takes tasks as long as there is room for them."""
        spare: list[str] = []
        parked: list[tuple[float, str]] = []

        def free(host: str) -> bool:
            until = self._free(host, spare)
            if until:
                parked.append((until, host))
            return until == 0.0

        while self._times and self._times[0][0] <= monotonic():
            self._frontier.offer(heapq.heappop(self._times)[1])
        while self._stopped is None and len(self._tasks) - self._resting < self._fetch.concurrency:
            if why := self._spent():
                if not self._tasks:
                    self._frontier.drop(None, why)
                return
            waiting = self._frontier.take(free, time.time())
            for until, host in parked:
                self._frontier.park(host)
                heapq.heappush(self._times, (until, host))
            parked.clear()
            for host in spare:
                self._drop(host)
            spare.clear()
            if waiting is None:
                return
            self._begin(waiting)

    def _spent(self) -> str | None:
        fetch = self._fetch
        if fetch.max_requests and self._frontier.requests() + len(self._tasks) >= fetch.max_requests:
            return "max_requests"
        if fetch.max_total_mb and self._frontier.bytes >= fetch.max_total_mb * (1 << 20):
            return "max_total_mb"
        return None

    def _free(self, host: str, spare: list[str]) -> float | None:
        """0 if a host may be asked now, else when to look at it again. None for those that will not be asked again,
        which are put into `spare`."""
        busy, now = self._busy[host], monotonic()
        most = self._fetch.max_requests_per_host
        if most and self._frontier.requests(host) + busy >= most:
            if not busy:
                self._closed[host] = "max_requests_per_host"
            busy = self._fetch.per_host
        if host in self._closed:
            spare.append(host)
            return None
        slot = self._engine.downloader.slots.get(host)
        # Until its robots.txt is known, the first task of a host speaks for all.
        if busy >= (slot.concurrency if slot and host in self._met else 1):
            return now + (_LOOK_S if busy < self._fetch.per_host else _TICK_S)  # or when an answer comes
        if (until := self._hold.get(host, 0.0)) > now:
            return until
        if slot is None or (not slot.queue and now >= slot.lastseen + slot.delay):
            return 0.0
        return float(max(slot.lastseen + slot.delay, now + _LOOK_S if slot.queue else now))

    def _begin(self, waiting: Waiting) -> None:
        host = host_of(waiting.task.url)
        self._busy[host] += 1
        self._hosts.add(host)
        task = asyncio.get_running_loop().create_task(self._work(waiting, host))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, host))

    def _done(self, task: asyncio.Task[None], host: str) -> None:
        self._tasks.discard(task)
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]
        self._frontier.offer(host)
        if not task.cancelled() and task.exception():
            self._error = self._error or task.exception()
        self._wake.set()

    async def _work(self, waiting: Waiting, host: str) -> None:
        task = waiting.task
        if why := refused(task.url) or self._guard.host(host):
            return self._refuse(waiting, waiting.attempts, Refusal(why, None, "refused"))
        if self._frontier.resumed and (why := self._keeper.out_of_scope(task)):
            return self._refuse(waiting, waiting.attempts, Refusal(why, None, "refused"))
        if self._fetch.robots and task.robots:
            refusal = await self._robots.refuses(task.url)
            if refusal:
                if refusal.reason in _UNREACHABLE:
                    self._give_up(host, refusal.reason)
                return self._refuse(waiting, waiting.attempts, refusal)
        self._met.add(host)
        self._frontier.offer(host)
        await self._turn(host)
        if self._stopped is not None:
            return None  # it waits for the next run
        attempts = waiting.attempts + 1
        asked = ask(task, attempts, self._agent, self._keeper.known(task))
        try:
            got = await self._download(asked, host, last=attempts > self._fetch.retries)
        except Trouble as problem:
            if problem.passing and attempts <= self._fetch.retries:
                return self._retry(waiting, host, wait_s(self._fetch, attempts))
            return self._refuse(
                waiting, attempts, Refusal(problem.reason, problem.detail, problem.outcome, problem.passing)
            )
        later = await self._keeper.settle(waiting.id, asked, got)
        if later is None:
            self._kept()
        else:
            if later.rest:
                self._rest_host(host, later.seconds)
            self._retry(waiting, host, later.seconds)
        return None

    def _refuse(self, waiting: Waiting, attempts: int, why: Refusal) -> None:
        self._keeper.refuse(waiting.id, waiting.task, attempts, why)
        self._kept()

    def _retry(self, waiting: Waiting, host: str, seconds: float) -> None:
        self._frontier.retry(waiting.id, time.time() + seconds)
        if host in self._closed:
            self._drop(host)

    async def _download(self, asked: Asked, host: str, last: bool) -> Received:
        """The answer to a request. Raises Trouble. With `last`, one that ends early is an answer too."""
        meta = {
            "download_slot": host, "download_timeout": self._fetch.timeout_s, "download_fail_on_dataloss": not last,
        }  # fmt: skip
        headers = {name: value.encode("latin-1", "replace") for name, value in asked.headers}
        try:
            got = await self._engine.download_async(Request(asked.task.url, headers=headers, meta=meta))
        except Exception as error:
            found = trouble(error)
            if found.reason == "dns" and (why := self._resolver.refusals.get(host)):
                found = Trouble(why.rpartition(": ")[2], why, passing=False, outcome="refused")
            self._count_lost(host, found)
            raise found from error
        self._lost.pop(host, None)
        if not isinstance(got, Received) or not 200 <= got.status <= 999:
            raise Trouble("protocol", f"status {got.status}")
        return got

    def _count_lost(self, host: str, found: Trouble) -> None:
        if found.reason in _UNREACHABLE:
            self._lost[host] += 1
            if self._lost[host] >= GIVE_UP:
                self._give_up(host, found.reason)

    def _give_up(self, host: str, reason: str) -> None:
        """Leave a host alone for the rest of this run."""
        if host not in self._closed:
            self._closed[host] = Refusal("host gives no answer", reason, "failed", passing=True)
            self._drop(host)

    def _drop(self, host: str) -> None:
        """Give up some of what waits at a host that is closed. More of it comes the next time; others may work
        meanwhile."""
        why = self._closed[host]
        if isinstance(why, str):
            self._frontier.drop(host, why)
        elif self._frontier.fail(host, lambda waiting: self._keeper.refused(waiting.task, waiting.attempts, why)):
            self._kept()
        self._wake.set()

    async def _ask_robots(self, url: str, attempt: int, last: bool) -> tuple[int, bytes, str | None]:
        """Status, body and redirect target of a robots.txt. Raises Trouble."""
        host = host_of(url)
        while (seconds := self._hold.get(host, 0.0) - monotonic()) > 0:
            await self._sleep(seconds)
        asked = ask(Task(url, kind="robots"), attempt, self._agent, None)
        try:
            if why := refused(url) or self._guard.host(host):
                raise Trouble(why, url, passing=False, outcome="refused")
            got = await self._download(asked, host, last)
        except Trouble as problem:
            if last or not problem.passing:
                self._keeper.robots_failed(asked, Refusal(problem.reason, problem.detail, problem.outcome))
                self._kept()
            raise
        if last or not is_passing(got.status):
            self._keeper.robots(asked, got)
            self._kept()
        if is_passing(got.status):
            self._rest_host(host, wait_s(self._fetch, attempt, joined(got.fields).get("retry-after")))
        location = location_of(got)
        target = normalise(location, url) if location else None
        if target and self._guard.names(host_of(target)) and not self._guard.names(host):
            why = "robots.txt of a public host leads to a private one"
            raise Trouble(why, target, passing=False, outcome="refused")
        return got.status, self._keeper.body(got), target

    async def _turn(self, host: str) -> None:
        """Waits until a host may be asked again, which was asked for its robots.txt just now."""
        slots = self._engine.downloader.slots
        while (slot := slots.get(host)) and (seconds := slot.lastseen + slot.delay - monotonic()) > 0:
            await self._sleep(seconds)

    def _slow(self, host: str, seconds: float) -> None:
        slow_to(self._engine.downloader, host, seconds)

    def _rest_host(self, host: str, seconds: float) -> None:
        self._hold[host] = max(monotonic() + seconds, self._hold.get(host, 0.0))

    async def _rest(self, host: str, attempt: int) -> None:
        """Waits before a robots.txt is asked for again."""
        seconds = wait_s(self._fetch, attempt)
        self._rest_host(host, seconds)
        await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        """Others may use the room meanwhile."""
        self._resting += 1
        self._wake.set()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._resting -= 1
