"""robots.txt by RFC 9309: what a file asks of us, and what it means when there is none or it cannot be had."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from protego import Protego
from protego._utils import _quote_path

from harvesters.spider.download import Trouble

TOKEN = "florilege"
"""Our product token."""
MAX_BYTES = 500 << 10
"""What is read of a file (RFC 9309, 2.5)."""
MAX_AGE_S = 24 * 3_600.0
REDIRECTS = 5
_AGENT = re.compile(r"\s*user[- ]?agent\s*(?::|\s)\s*([^#]*)", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task is not asked for: columns of its row."""

    reason: str
    detail: str | None = None
    outcome: str = "robots"
    passing: bool = False
    """Whether another harvest may do better."""


class Rules:
    """The rules of one robots.txt for us."""

    def __init__(self, body: bytes) -> None:
        self._rules = Protego.parse(_ours(body))

    def refuses(self, url: str) -> str | None:
        """The rule that forbids a URL, `Disallow: /private`; None if none does."""
        if self._rules.can_fetch(url, TOKEN):
            return None
        group = self._rules._get_matching_rule_set(TOKEN)
        path = _quote_path(url)
        matching = (rule for rule in group._rules if rule.value.match(path)) if group else iter(())
        rule = next(matching, None)
        return f"Disallow: {rule.value._pattern}"[:200] if rule else "Disallow"

    @property
    def delay(self) -> float:
        """Crawl-delay in seconds; 0 without one."""
        return self._rules.crawl_delay(TOKEN) or 0.0


def _ours(body: bytes) -> str:
    """The text of a file, with all other crawlers under one name: theirs times rules is what a hostile file multiplies.
    A version after our name, as in our user agent, is left out."""
    if len(body) > MAX_BYTES:
        body = body[:MAX_BYTES].rpartition(b"\n")[0]
    lines = body.decode("utf-8-sig", "replace").splitlines()
    for at, line in enumerate(lines):
        if match := _AGENT.match(line):
            name = match[1].strip().lower()
            ours = TOKEN if name.rstrip("*").partition("/")[0].strip() == TOKEN else "other"
            lines[at] = f"User-agent: {'*' if name == '*' else ours}"
    return "\n".join(lines)


@dataclass(slots=True)
class Robots:
    """What the robots.txt files of a harvest say, each asked for once, at its first page.

    `ask(url, attempt, last)` gives status, body and redirect target of a robots.txt, or raises Trouble; `last` tells
    that no further attempt will be made. `slow(host, seconds)` is told of a Crawl-delay, `wait(host, attempt)` waits
    before another attempt.
    """

    ask: Callable[[str, int, bool], Awaitable[tuple[int, bytes, str | None]]]
    slow: Callable[[str, float], None]
    wait: Callable[[str, int], Awaitable[None]]
    retries: int
    cap_s: float
    _known: dict[str, tuple[float, asyncio.Future[Rules | Refusal]]] = field(default_factory=dict)

    async def refuses(self, url: str) -> Refusal | None:
        """Why a URL may not be asked for; None if it may."""
        parts = urlsplit(url)
        authority = f"{parts.scheme}://{parts.netloc}"
        asked, found = self._known.get(authority, (0.0, None))
        if found is None or monotonic() - asked > MAX_AGE_S:
            found = asyncio.ensure_future(self._learn(authority, parts.hostname or ""))
            self._known[authority] = (monotonic(), found)
        rules = await asyncio.shield(found)
        if isinstance(rules, Refusal):
            return rules
        rule = rules.refuses(url)
        return Refusal("robots.txt", rule) if rule else None

    async def _learn(self, authority: str, host: str) -> Rules | Refusal:
        for attempt in range(1, self.retries + 2):
            last = attempt > self.retries
            try:
                status, body = await self._follow(f"{authority}/robots.txt", attempt, last)
            except Trouble as trouble:
                if last or not trouble.passing:
                    detail = f"robots.txt: {trouble.detail}"[:300]
                    return Refusal(trouble.reason, detail, trouble.outcome, trouble.passing)
            else:
                if not is_passing(status):
                    return self._read(status, body, host)
                if last:
                    return Refusal("robots.txt cannot be had", f"http {status}", passing=True)
            await self.wait(host, attempt)
        raise AssertionError  # the last attempt returns

    def _read(self, status: int, body: bytes, host: str) -> Rules | Refusal:
        if not 200 <= status < 300:
            return Rules(b"")  # there is none (RFC 9309, 2.3.1.3)
        rules = Rules(body)
        if rules.delay > self.cap_s:
            return Refusal("crawl delay over the cap", f"Crawl-delay: {rules.delay:g}")
        if rules.delay:
            self.slow(host, rules.delay)
        return rules

    async def _follow(self, url: str, attempt: int, last: bool) -> tuple[int, bytes]:
        for _ in range(REDIRECTS + 1):
            status, body, target = await self.ask(url, attempt, last)
            if target is None:
                return status, body
            url = target
        return 404, b""  # more than five redirects: as if there were none (RFC 9309, 2.3.1.2)


def is_passing(status: int) -> bool:
    """Whether an answer says that the server is not well: nothing may be concluded then (RFC 9309, 2.3.1.4)."""
    return status >= 500 or status == 429
