"""Scrapy for a harvest: its engine, reduced to the downloader, in the one reactor that a process has."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scrapy.utils.reactor import install_reactor

install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")

import scrapy  # noqa: E402
from scrapy.crawler import Crawler  # noqa: E402
from twisted.internet import reactor as _reactor  # noqa: E402

from harvesters.harvester import Harvester  # noqa: E402
from harvesters.settings import Fetch  # noqa: E402
from harvesters.spider.addresses import Guard  # noqa: E402
from harvesters.spider.answers import Keeper  # noqa: E402
from harvesters.spider.archive import Archive  # noqa: E402
from harvesters.spider.frontier import Frontier  # noqa: E402
from harvesters.spider.harvest import Harvest  # noqa: E402
from harvesters.spider.resolver import GuardedResolver  # noqa: E402
from harvesters.spider.segments import Segments  # noqa: E402

reactor: Any = _reactor
_PATIENCE_S = 3.0
"""How long Scrapy may take to close after a harvest has ended."""


def settings(fetch: Fetch) -> dict[str, Any]:
    """Scrapy's settings: a downloader, and nothing around it."""
    return {
        "DOWNLOAD_HANDLERS_BASE": {},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "harvesters.spider.download.Handler"),
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "EXTENSIONS": {"harvesters.spider.throttle.Throttle": 0},
        "AUTOTHROTTLE_ENABLED": fetch.slow_down,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": 1.0,
        "CONCURRENT_REQUESTS": fetch.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": fetch.per_host,
        "DOWNLOAD_DELAY": fetch.interval_s,
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "DOWNLOAD_MAXSIZE": int(fetch.max_mb * (1 << 20)),
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "REACTOR_THREADPOOL_MAXSIZE": 20,
        "LOG_LEVEL": "WARNING",
        "TELNETCONSOLE_ENABLED": False,
        "STATS_DUMP": False,
    }


def work(
    name: str, root: Path, fetch: Fetch, agent: str, frontier: Frontier, archive: Archive, harvester: Harvester,
    guard: Guard, segments: Segments, tick: Callable[[], None], hosts: set[str],
) -> Harvest:  # fmt: skip
    """Fetches until the harvest is complete or paused, and raises what stopped it otherwise. Once a process.

    `tick` is called once a second; `hosts` is filled with the hosts that were asked.
    """
    _many_files()
    resolver = GuardedResolver(reactor, guard)
    reactor.installNameResolver(resolver)
    keeper = Keeper(name, root, frontier, archive, harvester, fetch, guard)
    harvest = Harvest(fetch, agent, frontier, keeper, guard, resolver, segments.kept, hosts)
    errors: list[BaseException] = []

    def ended(error: BaseException | None) -> None:
        if error is not None:
            errors.append(error)
        reactor.callLater(_PATIENCE_S, _stop)

    def begin() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, harvest.stop)
        _every_second(tick)
        crawl: Any = Crawler(Spider, settings(fetch)).crawl(harvest=harvest, ended=ended)
        crawl.addErrback(lambda failure: errors.append(failure.value))
        crawl.addBoth(lambda _: _stop())

    def begin_or_stop() -> None:
        try:
            begin()
        except BaseException as error:
            ended(error)

    reactor.callLater(0, begin_or_stop)
    reactor.run(installSignalHandlers=False)
    if errors:
        raise errors[0]
    return harvest


def _stop() -> None:
    with suppress(Exception):  # it has stopped already
        reactor.stop()


def _every_second(tick: Callable[[], None]) -> None:
    tick()
    reactor.callLater(1.0, _every_second, tick)


def _many_files() -> None:
    """A connection for each of many hosts: as many open files as this process may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Spider(scrapy.Spider):  # type: ignore[misc]
    """Lends a harvest Scrapy's engine."""

    name = "florilege"

    def __init__(self, harvest: Harvest, ended: Callable[[BaseException | None], None], **rest: Any) -> None:
        super().__init__(**rest)
        self._harvest, self._ended = harvest, ended

    async def start(self) -> AsyncIterator[Any]:
        try:
            await self._harvest.run(self.crawler)
        except BaseException as error:
            self._ended(error)
            raise
        self._ended(None)
        return
        yield
