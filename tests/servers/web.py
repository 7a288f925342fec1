"""A web of about 300 pages on ten host names, behind one real HTTP server: for crawlers to be tried on.

`with web() as site:` a crawl starts from `site.seeds`, and `site.problems()` says what it did wrong by the server's own
log. Alone: `python -m servers.web --port 8000 --pages 2000 --size 20000 --log FILE` serves pages of one size for
measurements.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from servers import web_hosts, web_odd, web_texts
from servers.running import running, server
from servers.web_parts import Ask, Host, Page, Reply, always, text

MAKERS: dict[str, Callable[[Web], Host]] = {
    "news.test": web_hosts.news,
    "law.test": web_hosts.law,
    "cdn.test": web_hosts.cdn,
    "blog.test": web_hosts.blog,
    "shop.test": web_hosts.shop,
    "slow.test": web_hosts.slow,
    "down.test": web_hosts.down,
    "odd.test": web_odd.odd,
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One request as the server saw it."""

    time: float
    """Seconds since 1970."""
    host: str
    """Lower-case, without port."""
    path: str
    """Path and query as sent."""
    status: int
    headers: dict[str, str]
    """Lower-case names."""


class Web:
    """The hosts, their pages in the current `epoch`, and the log of requests."""

    def __init__(self, names: tuple[str, ...] = tuple(MAKERS)) -> None:
        self.names = names
        self.port = 0
        self.epoch = 0
        self.log: list[Hit] = []
        self.hosts: dict[str, Host] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def serve(self, port: int) -> None:
        """Makes the hosts; the port must be known, for it stands in the pages."""
        self.port = port
        self.hosts = {name: MAKERS[name](self) for name in self.names}

    def url(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def seeds(self) -> list[str]:
        return [self.url(host, "/") for host in self.hosts]

    @property
    def sitemaps(self) -> list[str]:
        """What a crawl must read too, where it does not take the sitemaps that robots.txt names."""
        return [self.url("news.test", "/sitemap_index.xml")] if "news.test" in self.hosts else []

    @property
    def addresses(self) -> dict[str, str]:
        """All host names at 127.0.0.1, for the recipe's `addresses`."""
        return dict.fromkeys(self.hosts, "127.0.0.1")

    @property
    def allowed(self) -> set[str]:
        """What every full crawl of all hosts must ask for exactly once in this epoch."""
        return self.allowed_in(self.epoch)

    def allowed_in(self, epoch: int) -> set[str]:
        return self._pages("allowed", epoch) | self._handled("allowed")

    @property
    def disallowed(self) -> set[str]:
        """What may never be asked for."""
        return self._pages("disallowed", None)

    @property
    def redirects(self) -> set[str]:
        """What leads to a page, and must be asked for exactly once."""
        return self._handled("redirect")

    @property
    def retried(self) -> dict[str, int]:
        """Pages that are had only after errors that pass, and how often each must be asked for."""
        return {
            self.url(host.name, path): times
            for host in self.hosts.values()
            for path, (_, times) in host.retried.items()
        }

    @property
    def optional(self) -> set[str]:
        """What may be asked for: pages behind nofollow, sitemaps, feeds, answers that are no pages."""
        lists = {self.url(name, "/robots.txt") for name in self.hosts}
        gone = {url for epoch in range(self.epoch + 1) for url in self._pages("allowed", epoch)} - self.allowed
        return lists | gone | self._pages("optional", None) | self._handled("optional")

    @property
    def changed(self) -> set[str]:
        """Pages whose bytes are others than in the epoch before."""
        both = self._pages("allowed", self.epoch) & self._pages("allowed", self.epoch - 1)
        return {url for url in both if self._body(url, self.epoch) != self._body(url, self.epoch - 1)}

    @property
    def added(self) -> set[str]:
        return self.allowed - self.allowed_in(self.epoch - 1)

    @property
    def removed(self) -> set[str]:
        return self.allowed_in(self.epoch - 1) - self.allowed

    def problems(self, since: int = 0, trapped: int = 1_000) -> list[str]:
        """What a full crawl did wrong, by the log from entry `since` on. `trapped`: requests to endless parts that
        are borne with."""
        counts, before = (
            Counter(self.url(hit.host, hit.path) for hit in hits) for hits in (self.log[since:], self.log[:since])
        )
        wanted = dict.fromkeys(self.allowed | self.redirects, 1)
        wanted |= {url: max(1, times - before[url]) for url, times in self.retried.items()}
        found = [f"{counts[url]} requests, not {times}: {url}" for url, times in wanted.items() if counts[url] != times]
        found += [f"disallowed: {url}" for url in counts.keys() & self.disallowed]
        inside = {url for url in counts if self._is_trap(url)}
        if (deep := sum(counts[url] for url in inside)) > trapped:
            found.append(f"{deep} requests in endless parts")
        known = wanted.keys() | self.disallowed | self.optional | inside
        return sorted(found + [f"unknown: {url}" for url in counts.keys() - known])

    def reply(self, host: str, target: str, headers: dict[str, str]) -> Reply:
        """The answer to a request, which is logged."""
        known = self.hosts.get(host)
        ask = Ask(host, target, headers, self._counts[host, target])
        self._counts[host, target] += 1
        reply = known.reply(ask, self.epoch) if known else text("no such host", 421)
        self.log.append(Hit(time.time(), host, target, reply.status, headers))
        return reply

    def _pages(self, role: str, epoch: int | None) -> set[str]:
        """Of one epoch, or of all."""
        return {
            self.url(host.name, path) for host in self.hosts.values() for path, page in host.pages.items()
            if page.role == role and (epoch is None or page.exists(epoch))
        }  # fmt: skip

    def _handled(self, role: str) -> set[str]:
        return {
            self.url(host.name, path)
            for host in self.hosts.values() for path, (_, kind) in host.handlers.items() if kind == role
        }  # fmt: skip

    def _split(self, url: str) -> tuple[str, str]:
        host, _, rest = url.removeprefix("http://").partition(f":{self.port}")
        return host, rest

    def _body(self, url: str, epoch: int) -> bytes:
        host, path = self._split(url)
        return self.hosts[host].pages[path].make(epoch)

    def _is_trap(self, url: str) -> bool:
        host, path = self._split(url)
        return host in self.hosts and any(map(path.startswith, self.hosts[host].traps))


def application(site: Web) -> Any:
    """The ASGI application of a web."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        reply = site.reply(host.lower(), target, headers)
        if reply.wait:
            await asyncio.sleep(reply.wait)
        if reply.raw is not None:
            transport = scope["state"]["transport"]
            transport.write(reply.raw)
            transport.close()
            return
        fields = [*reply.headers, ("Set-Cookie", f"sid={secrets.token_hex(8)}; Path=/; HttpOnly")]
        if reply.status not in (204, 304):
            fields.append(("Content-Length", str(len(reply.body))))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})

    return app


@contextmanager
def web(names: tuple[str, ...] = tuple(MAKERS)) -> Iterator[Web]:
    """A web that is served for as long as the context lasts, by a thread."""
    site = Web(names)
    with running(application(site)) as place:
        site.serve(place.port)
        yield site


def even(pages: int, size: int) -> Host:
    """A host for measurements: pages of about one size; each links to ten others, and all can be reached."""
    host = Host("bench.test", always(text("User-agent: *\nAllow: /\n")))
    texts = [web_texts.page(f"even {seed}", "en", [], words=size // 6) for seed in range(20)]

    def path(number: int) -> str:
        return f"/{number}" if number else "/"

    def body(number: int) -> bytes:
        others = [path((number * 10 + step) % pages) for step in range(1, 11)]
        links = "".join(f'<a href="{other}">{other}</a>' for other in others)
        return (texts[number % 20].replace("</body>", f"<p>{number}</p>{links}</body>")).encode()

    for number in range(pages):
        made = body(number)
        host.pages[path(number)] = Page(lambda epoch, made=made: made)  # type: ignore[misc]
    return host


def main() -> None:
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pages", type=int, default=0, help="pages of bench.test; 0 serves the test web")
    parser.add_argument("--size", type=int, default=20_000, help="bytes of each of them")
    parser.add_argument("--log", type=Path, help="JSON lines, written when the server stops (SIGINT, SIGTERM)")
    options = parser.parse_args()
    site = Web()
    uvicorn_server, listener = server(application(site), port=options.port)
    site.serve(listener.getsockname()[1])
    if options.pages:
        site.hosts = {"bench.test": even(options.pages, options.size)}
    print(json.dumps({"port": site.port, "seeds": site.seeds}), flush=True)
    # uvicorn ends well and then raises the signal again, which would end the process before the log is written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        uvicorn_server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        if options.log:
            options.log.write_text("".join(json.dumps(asdict(hit)) + "\n" for hit in site.log))


if __name__ == "__main__":
    main()
