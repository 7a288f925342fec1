"""What a test web is made of: replies, pages that change with time, and the hosts that have them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from servers.web import Web

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(slots=True)
class Reply:
    """An answer. With `raw`, those bytes are written to the connection as they are, and it is closed."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    wait: float = 0
    """Seconds before it."""
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    host: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    count: int
    """Requests for the same before this one."""


Handler = Callable[[Ask], Reply]
Role = Literal["allowed", "disallowed", "optional", "redirect"]
"""Must be asked for once; may never be; may be; leads elsewhere and must be asked for once."""


@dataclass(slots=True)
class Page:
    """A document of a host. `make` gives its bytes in an epoch."""

    make: Callable[[int], bytes]
    mime: str = "text/html; charset=utf-8"
    role: Role = "allowed"
    since: int = 0
    until: int = 1_000_000
    """First epoch without it."""
    headers: tuple[tuple[str, str], ...] = ()

    def exists(self, epoch: int) -> bool:
        return self.since <= epoch < self.until


@dataclass(slots=True)
class Host:
    """A host name: its robots.txt, its documents, and what answers by rules of its own."""

    name: str
    robots: Handler
    pages: dict[str, Page] = field(default_factory=dict)
    handlers: dict[str, tuple[Handler, Role]] = field(default_factory=dict)
    retried: dict[str, tuple[Handler, int]] = field(default_factory=dict)
    """What must be asked for several times, and how often."""
    traps: dict[str, Handler] = field(default_factory=dict)
    """By the start of the target: endless pages. None of them must be asked for; some may be."""
    validators: Literal["both", "etag", "weak", "date", "none"] = "both"
    wait: float = 0

    def reply(self, ask: Ask, epoch: int) -> Reply:
        if ask.target == "/robots.txt":
            return self.robots(ask)
        if ask.target in self.handlers:
            return self.handlers[ask.target][0](ask)
        if ask.target in self.retried:
            return self.retried[ask.target][0](ask)
        page = self.pages.get(ask.target)
        if page is not None:
            return self._page(page, ask, epoch)
        for prefix, handler in self.traps.items():
            if ask.target.startswith(prefix):
                return handler(ask)
        return text("no such page", 404)

    def _page(self, page: Page, ask: Ask, epoch: int) -> Reply:
        if not page.exists(epoch):
            return text("no such page", 410 if epoch >= page.until and page.until % 2 == 0 else 404)
        body = page.make(epoch)
        etag, modified = self._validators(page, body, epoch)
        headers = [("Content-Type", page.mime), *page.headers]
        if self.validators in ("both", "etag", "weak"):
            headers.append(("ETag", etag))
        if self.validators in ("both", "date"):
            headers.append(("Last-Modified", modified))
        if self._holds(ask, etag, modified):
            return Reply(304, b"", headers[1:], self.wait)
        return Reply(200, body, headers, self.wait)

    def _validators(self, page: Page, body: bytes, epoch: int) -> tuple[str, str]:
        last = epoch
        while last > page.since and page.make(last - 1) == body:
            last -= 1
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        moment = START + timedelta(days=30 * last)
        return f"W/{etag}" if self.validators == "weak" else etag, format_datetime(moment, usegmt=True)

    def _holds(self, ask: Ask, etag: str, modified: str) -> bool:
        """RFC 9110, 13.1: If-None-Match goes before If-Modified-Since; each only where its validator was given."""
        if "if-none-match" in ask.headers:
            return self.validators in ("both", "etag", "weak") and etag in ask.headers["if-none-match"]
        return self.validators in ("both", "date") and ask.headers.get("if-modified-since") == modified


def text(body: str, status: int = 200, mime: str = "text/plain; charset=utf-8") -> Reply:
    return Reply(status, body.encode(), [("Content-Type", mime)])


def xml(body: str) -> Reply:
    return text('<?xml version="1.0" encoding="UTF-8"?>\n' + body, mime="application/xml")


def moved(location: str, status: int = 302) -> Reply:
    return Reply(status, b"<p>it has moved</p>", [("Content-Type", "text/html"), ("Location", location)])


def always(reply: Reply) -> Handler:
    return lambda ask: reply


def urlset(web: Web, urls: list[str], epoch: int) -> str:
    """A sitemap."""
    day = (START + timedelta(days=30 * epoch)).date().isoformat()
    rows = "".join(f"<url><loc>{url.replace('&', '&amp;')}</loc><lastmod>{day}</lastmod></url>\n" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
