"""Scrapy's downloader for http and https, with what an archive and a stranger's server ask for besides: the answer's
head as it came, a limit to its size, no silent second request, and an interval that counts from the last answer."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers import http11
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.web._newclient import STATUS, ParseError

from harvesters.spider.frontier import host_of

logger = logging.getLogger(__name__)

MAX_HEAD = 256 << 10
"""Bytes of an answer's head, interim answers included."""
MAX_LINE = 64 << 10
KEEP_S = 30.0
"""How long a connection that is not used stays open: a crawl of many hosts would run out of them."""
_MAX_DETAIL = 300


class Received(Response):  # type: ignore[misc]
    """An answer as it came: body after transfer coding; flags `dataloss` where it ended early."""

    __slots__ = ("fields", "reason")

    def __init__(self, reason: str, fields: list[tuple[str, str]], **rest: Any) -> None:
        super().__init__(**rest)
        self.reason = reason
        self.fields = fields
        """Header fields in order, those of one name apart; characters stand for bytes (Latin-1)."""


@dataclass(eq=False)
class Trouble(Exception):
    """Why no answer came. `reason` is a word that can be counted."""

    reason: str
    detail: str = ""
    passing: bool = True
    """Whether another attempt may go better."""
    outcome: str = "failed"


class Handler(http11.HTTP11DownloadHandler):  # type: ignore[misc]
    """The download handler of both schemes."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._pool._factory = partial(_Factory, self._sent)  # type: ignore[assignment]
        self._pool.cachedConnectionTimeout = KEEP_S  # type: ignore[assignment]
        # Else a request on a connection that the server just closed is made again at once, past every interval.
        self._pool.retryAutomatically = False
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._owners: dict[str, Request] = {}
        self._times: dict[str, float] = {}

    async def download_request(self, request: Request) -> Response:
        host = request.meta["download_slot"]
        slot = self._crawler.engine.downloader.slots.get(host)
        try:
            if slot is not None and slot.delay and slot.concurrency > 1:
                await self._turn(request, host, slot.delay)
            return await self._download(request, host)
        finally:
            self._pass_on(request, host)

    async def _turn(self, request: Request, host: str, delay: float) -> None:
        """Waits until the last request to a host is not just begun but sent, and for the interval from then: a slow
        connection and a quick one would bring two requests closer together."""
        await self._turns[host].acquire()
        self._owners[host] = request
        await asyncio.sleep(max(0.0, self._times.get(host, 0.0) + delay - monotonic()))

    def _sent(self, host: str) -> None:
        if host in self._owners:
            self._times[host] = monotonic()
            self._pass_on(self._owners[host], host)

    def _pass_on(self, request: Request, host: str) -> None:
        if self._owners.get(host) is request:
            del self._owners[host]
            self._turns[host].release()

    async def _download(self, request: Request, host: str) -> Response:
        agent = _Agent(
            contextFactory=self._contextFactory, pool=self._pool, maxsize=self._default_maxsize, crawler=self._crawler
        )
        started = monotonic()
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(agent.download_request(request))
        finally:
            # Scrapy counts the interval from when a request was begun; it reaches the server later, after name look-up
            # and handshake, and the next one on an open connection at once. From the answer on, no server sees less.
            slot = self._crawler.engine.downloader.slots.get(host)
            if slot is not None:
                answered = started + request.meta.get("download_latency", monotonic() - started)
                slot.lastseen = max(slot.lastseen, answered)


class _Agent(http11._ScrapyAgent):  # type: ignore[misc]
    def _cb_bodydone(self, result: Any, url: str) -> Response:
        answer = result["txresponse"]
        return Received(
            reason=answer.phrase.decode("latin-1"),
            fields=_fields(answer.florilege_lines),
            url=url,
            status=int(answer.code),
            body=result.get("body", b""),
            flags=result.get("flags"),
            ip_address=result.get("ip_address"),
        )


class _Parser(http11._LenientHTTPClientParser):  # type: ignore[misc]
    """Keeps the lines of the head, and gives up on one that does not end."""

    MAX_LENGTH = MAX_LINE
    _lines: tuple[bytes, ...] | list[bytes] = ()
    _size = 0

    def lineReceived(self, line: bytes) -> None:
        self._size += len(line) + 1
        if self._size > MAX_HEAD:
            raise ParseError("head too large", b"")  # type: ignore[no-untyped-call]
        if self.state == STATUS:
            self._lines = []
        elif line.strip():
            self._lines.append(line)  # type: ignore[union-attr]
        super().lineReceived(line)

    def allHeadersReceived(self) -> None:
        self.response.florilege_lines = self._lines
        super().allHeadersReceived()  # type: ignore[no-untyped-call]


class _Protocol(http11._LenientHTTP11ClientProtocol):  # type: ignore[misc]
    sent: Callable[[str], None]

    def request(self, request: Any) -> Any:
        answer = super().request(request)
        self.sent(host_of(request.absoluteURI.decode("latin-1")))
        if self._parser is not None:
            self._parser.__class__ = _Parser
        return answer


class _Factory(http11._LenientHTTP11ClientFactory):  # type: ignore[misc]
    def __init__(self, sent: Callable[[str], None], *rest: Any) -> None:
        super().__init__(*rest)  # type: ignore[no-untyped-call]
        self._sent = sent

    def buildProtocol(self, addr: Any) -> Any:
        made = _Protocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
        made.sent = self._sent
        return made


def _fields(lines: list[bytes]) -> list[tuple[str, str]]:
    fields: list[tuple[str, list[str]]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(line.decode("latin-1").strip())
            continue
        raw, colon, rest = line.partition(b":")
        if colon:
            fields.append((raw.decode("latin-1").strip(), [rest.decode("latin-1").strip()]))
    return [(name, " ".join(values)) for name, values in fields]


def trouble(error: Exception) -> Trouble:
    """What an exception of a download means."""
    detail = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_DETAIL]
    if isinstance(error, Trouble):
        return error
    if isinstance(error, DownloadTimeoutError):
        return Trouble("timeout", detail)
    if isinstance(error, CannotResolveHostError):
        return Trouble("dns", detail)
    if isinstance(error, ResponseDataLossError):
        return Trouble("truncated", detail)
    if isinstance(error, DownloadCancelledError):
        # Deadlines have an error of their own; what remains is Scrapy's limit of size.
        return Trouble("too large", detail, passing=False)
    causes = [error, *_causes(error)]
    detail = " ".join(f"{type(causes[-1]).__name__}: {causes[-1]}".split())[:_MAX_DETAIL]
    modules = {type(cause).__module__.partition(".")[0] for cause in causes}
    if modules & {"OpenSSL", "service_identity", "cryptography"}:
        return Trouble("tls", detail, passing=False)
    if any(isinstance(cause, ParseError | ValueError | KeyError) for cause in causes):
        return Trouble("protocol", detail, passing=False)
    if isinstance(error, DownloadFailedError | OSError) or "twisted" in modules or "scrapy" in modules:
        return Trouble("connection", detail)
    logger.warning("an error of an unknown kind", exc_info=error)
    return Trouble("error", detail)


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions inside Scrapy's and Twisted's, outermost first."""
    found: list[BaseException] = []
    queue = [error]
    while queue and len(found) < 20:
        inner = queue.pop(0)
        nested = [failure.value for failure in getattr(inner, "reasons", None) or ()]
        queue += nested + ([inner.__cause__] if inner.__cause__ else [])
        found.append(inner)
    return found[1:]
