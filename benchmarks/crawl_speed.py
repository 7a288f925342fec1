"""Pages a second of a crawl with politeness off, beside Scrapy alone and wget; what writing the archive costs; and the
least interval between two requests to one host with politeness on.

    python -m benchmarks.crawl_speed [--pages 2000] [--size 20000] [--turns 3] [--interval 0.25]

The web is `tests/servers/web.py` in a process of its own: pages of one size, all reachable by links from the first.
Systems take turns; each starts with an empty folder, and is measured as a command, start of the process included. What
it fetched is counted in the server's own log: a system that does not fetch every page once is named. Scrapy alone is a
spider with Scrapy's LinkExtractor that keeps nothing, as it comes and tuned (`CONCURRENT_ITEMS = 1`); wget follows the
same links and writes a WARC. `no archive` is ours with records left out, whose difference is the price of writing them:
compression, digests, disk. `first to last` counts from the first request that the server saw to the last, which leaves
out the start of the process.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, run, table

ROOT = Path(__file__).resolve().parent.parent
HOST = "bench.test"
CONCURRENCY = 16
NAMES = ("florilege", "florilege, no archive", "Scrapy alone", "Scrapy alone, tuned", "wget, WARC")


@dataclass
class Site:
    """The web while it runs; `hits` once it has ended."""

    port: int
    log: Path

    def hits(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def served(folder: Path, pages: int, size: int) -> Iterator[Site]:
    """A web of `pages` pages of about `size` bytes."""
    log = folder / "server.jsonl"
    command = [sys.executable, "-m", "servers.web", "--pages", str(pages), "--size", str(size), "--log", str(log)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    server = subprocess.Popen(command, cwd=ROOT / "tests", env=environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield Site(json.loads(server.stdout.readline())["port"], log)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


# -- the systems ----------------------------------------------------------------------------------------------


def ours(site: Site, folder: Path, module: list[str], fetch: dict[str, Any]) -> list[str]:
    """The command of a harvest by `module`."""
    job = {
        "corpus": str(folder / "corpus"), "name": "bench", "contact": "bench@example.org", "harvester": "crawl",
        "settings": {"seeds": [f"http://{HOST}:{site.port}/"]},
        "fetch": {"addresses": {HOST: "127.0.0.1"}, "private": [HOST], **fetch},
    }  # fmt: skip
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return [sys.executable, "-m", *module, str(path)]


def commands(site: Site, folder: Path) -> dict[str, list[str]]:
    """The systems to compare, by name."""
    fast = {"interval_s": 0, "per_host": CONCURRENCY, "concurrency": CONCURRENCY, "slow_down": False}
    wget = f"wget --quiet --recursive --level=inf --delete-after --no-directories --warc-file={folder / 'wget'}"
    return {
        "florilege": ours(site, folder, ["harvesters.child"], fast),
        "florilege, no archive": ours(site, folder, ["benchmarks.crawl_speed", "--child"], fast),
        "Scrapy alone": [sys.executable, "-m", "benchmarks.crawl_speed", "--scrapy", str(site.port)],
        "Scrapy alone, tuned": [sys.executable, "-m", "benchmarks.crawl_speed", "--scrapy", str(site.port), "--tuned"],
        "wget, WARC": [*wget.split(), f"--header=Host: {HOST}:{site.port}", f"http://127.0.0.1:{site.port}/"],
    }


def scrapy_alone(port: int, tuned: bool) -> None:
    """Follows all links of the web and keeps nothing. `tuned`: without the hundred workers that Scrapy starts for the
    output of each answer."""
    import scrapy
    from scrapy.crawler import CrawlerProcess
    from scrapy.linkextractors import LinkExtractor

    class Plain(scrapy.Spider):  # type: ignore[misc]
        name = "plain"
        start_urls = [f"http://127.0.0.1:{port}/"]  # noqa: RUF012
        extractor = LinkExtractor()

        def parse(self, response: Any) -> Iterator[Any]:
            for link in self.extractor.extract_links(response):
                yield scrapy.Request(link.url)

    settings = {
        "CONCURRENT_REQUESTS": CONCURRENCY, "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY, "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False, "COOKIES_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "ERROR",
        "DEFAULT_REQUEST_HEADERS": {"Host": f"{HOST}:{port}"}, **({"CONCURRENT_ITEMS": 1} if tuned else {}),
    }  # fmt: skip
    process = CrawlerProcess(settings)
    process.crawl(Plain)
    process.start()


def without_archive(job: str) -> int:
    """A harvest whose records are not made: all else stays."""
    from harvesters import child
    from harvesters.spider.archive import Archive, Exchange, Place

    def exchange(self: Archive, exchange: Exchange, labels: Any = None) -> Place:
        return Place(self.size, 0, None, "response")

    Archive.exchange = exchange  # type: ignore[method-assign]
    return child.main([job])


# -- measuring ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a system."""

    cost: Cost
    span_s: float
    """From the first request that the server saw to the last."""
    missed: int
    """Pages that were not fetched."""
    twice: int
    """Requests for pages that had been fetched; Scrapy asks again for the first page, which others link to."""
    stored: int
    """Bytes of WARC files."""


def measure(name: str, pages: int, size: int) -> Turn:
    """One turn of a system: its cost, and what the server saw."""
    with tempfile.TemporaryDirectory(prefix="florilege-crawl-") as scratch:
        folder = Path(scratch)
        with served(folder, pages, size) as site:
            cost, _ = run(commands(site, folder)[name], folder if name.startswith("wget") else ROOT)
        hits = site.hits()
        seen = Counter(hit["path"] for hit in hits if hit["path"] != "/robots.txt")
        stored = sum(path.stat().st_size for path in folder.rglob("*.warc.gz"))
        expected = {f"/{number}" if number else "/" for number in range(pages)}
        times = [hit["time"] for hit in hits]
        missed, twice = len(expected - set(seen)), sum(seen.values()) - len(seen)
        return Turn(cost, max(times) - min(times), missed, twice, stored)


def compare(pages: int, size: int, turns: int) -> dict[str, list[Turn]]:
    """All systems in turns, every second time in the opposite order."""
    found: dict[str, list[Turn]] = {name: [] for name in NAMES}
    for number in range(turns):
        for name in NAMES if number % 2 == 0 else NAMES[::-1]:
            turn = measure(name, pages, size)
            found[name].append(turn)
            print(f"turn {number + 1}: {name}: {turn}", flush=True)
    return found


def report(found: dict[str, list[Turn]], pages: int) -> str:
    """A table of medians, and what part of a harvest writes the archive, turn by turn."""
    rows = []
    for name, turns in found.items():
        wall, span, cpu = (
            statistics.median(figures)
            for figures in zip(*((turn.cost.wall_s, turn.span_s, turn.cost.cpu_s) for turn in turns), strict=True)
        )
        rows.append([
            name, f"{pages / wall:.0f}", f"{pages / span:.0f}", f"{wall:.1f}", f"{cpu:.1f}",
            f"{cpu / pages * 1_000:.2f}",
            f"{max(turn.cost.peak_mb for turn in turns):.0f}", f"{turns[-1].stored / 1e6:.1f}",
            str(max(turn.missed for turn in turns)), str(max(turn.twice for turn in turns)),
        ])  # fmt: skip
    head = [
        "system", "pages/s", "first to last", "wall s", "CPU s", "CPU ms/page", "peak MiB", "WARC MB", "missed",
        "twice",
    ]  # fmt: skip
    pairs = list(zip(found["florilege"], found["florilege, no archive"], strict=True))
    shares = {
        "wall time": [1 - without.cost.wall_s / whole.cost.wall_s for whole, without in pairs],
        "first to last": [1 - without.span_s / whole.span_s for whole, without in pairs],
        "CPU": [1 - without.cost.cpu_s / whole.cost.cpu_s for whole, without in pairs],
    }
    lines = [
        f"archive writing, part of {what}: median {statistics.median(parts):.1%} ({min(parts):.1%} to {max(parts):.1%})"
        for what, parts in shares.items()
    ]
    return "\n".join([table(head, rows), "", *lines])


def least_interval(interval: float, pages: int = 30) -> str:
    """The least time between two requests as the server saw them, with an interval in the recipe."""
    with tempfile.TemporaryDirectory(prefix="florilege-crawl-") as scratch:
        folder = Path(scratch)
        with served(folder, pages, 5_000) as site:
            run(ours(site, folder, ["harvesters.child"], {"interval_s": interval, "per_host": 4}), ROOT)
        times = sorted(hit["time"] for hit in site.hits())
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return (
        f"interval_s = {interval}: least {min(gaps):.3f} s, median {statistics.median(gaps):.3f} s of {len(gaps)} gaps"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--size", type=int, default=20_000, help="bytes of a page")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--interval", type=float, default=0.25, help="seconds, for the least interval")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--scrapy", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--tuned", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return without_archive(options.child)
    if options.scrapy:
        scrapy_alone(options.scrapy, options.tuned)
        return 0
    found = compare(options.pages, options.size, options.turns)
    print(report(found, options.pages))
    print(least_interval(options.interval))
    return int(any(turn.missed for turns in found.values() for turn in turns))


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
