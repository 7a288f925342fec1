"""Kills a crawl, with everything that it started, at random moments, and looks what the last one that lives leaves.

    python -m benchmarks.kill_crawl [--kills 5] [--seed 1]

The web is that of `tests/servers/web.py`, with its traps and errors. Each crawl is `florilege crawl` in a process group
of its own that is ended by SIGKILL some time after the server saw its first request. Judged by the server's own log:
nothing that must be fetched is missing, nothing was fetched twice beyond what was under way at a kill; and by the
archive: every record reads, and the rows of `fetches` are what it holds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from servers.web import Web, web  # noqa: E402

from catalog import fetches, store  # noqa: E402
from catalog.files import Corpus  # noqa: E402
from extractors import warc  # noqa: E402

UNDER_WAY = 16
"""The recipe's `concurrency`: what may be fetched again after a kill, at most."""


def recipe(folder: Path, site: Web) -> Path:
    path = folder / "crawl.toml"
    addresses = ", ".join(f"{json.dumps(host)} = {json.dumps(at)}" for host, at in site.addresses.items())
    path.write_text(
        f"""name = "web"
output = "corpus"
contact = "crawler@example.org"
[crawl]
seeds = {json.dumps(site.seeds)}
sitemaps_of_robots = true
[fetch]
interval_s = 0.1
concurrency = {UNDER_WAY}
slow_down = false
timeout_s = 5
backoff_s = 0.2
private = ["127.0.0.0/8"]
addresses = {{{addresses}}}
""",
        encoding="utf-8",
    )
    return path


def crawl(path: Path, site: Web, after: float | None) -> int | None:
    """Run the command to its end, or kill it `after` so many seconds from its first request; None: killed."""
    seen = len(site.log)
    process = subprocess.Popen(
        [sys.executable, "-m", "florilege", "crawl", str(path)], cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if after is None:
        return process.wait()
    while len(site.log) == seen and process.poll() is None:
        time.sleep(0.01)
    try:
        return process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(1.0)  # children that were about to start see that their parent is gone
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, killed, problems = random.Random(asked.seed), 0, list[str]()
    with tempfile.TemporaryDirectory() as folder, web() as site:
        path = recipe(Path(folder), site)
        while killed < asked.kills:
            before = len(site.log)
            if crawl(path, site, chance.uniform(0.2, 4.0)) is not None:
                print("the crawl ended before it was killed: fewer kills")
                break
            if fetches.last_harvest(Corpus(Path(folder) / "corpus"), "web"):
                print("the harvest was complete when the command was killed: fewer kills")
                break
            killed += 1
            print(f"kill {killed}: {len(site.log) - before} requests since the last start, {len(site.log)} in all")
        status = crawl(path, site, None)
        counts = Counter(site.url(hit.host, hit.path) for hit in site.log)
        must = site.allowed | site.redirects
        missing = [url for url in must if not counts[url]]
        again = sum(counts[url] - 1 for url in must if counts[url] > 1)
        problems += [f"never fetched: {url}" for url in missing]
        problems += [f"disallowed: {url}" for url in counts.keys() & site.disallowed]
        if again > UNDER_WAY * killed:
            problems.append(f"{again} fetched again, more than {UNDER_WAY} a kill")
        problems += held(Corpus(Path(folder) / "corpus"))
        print(f"last crawl ended with {status}; {len(must)} pages and redirects, {len(missing)} missing, "
              f"{again} requests made again after {killed} kills ({UNDER_WAY} under way at most at each)")  # fmt: skip
    for problem in problems:
        print(problem)
    return int(bool(problems) or status != 0)


def held(corpus: Corpus) -> list[str]:
    """What the archive and the rows of `fetches` do not have in common."""
    found, problems = set(), []
    for file in sorted((corpus.root / "archive" / "web").glob("*.warc.gz")):
        name = f"archive/web/{file.name}"
        for record in warc.read(lambda file=file: file.open("rb"), source="web", path=name):
            if record.error and "at offset" in record.error and record.kind == "unknown":
                problems.append(f"{name}: {record.error}")
            if record.kind in ("response", "revisit"):
                found.add((name, record.offset))
    with store.reading(corpus) as connection:
        query = 'SELECT warc, "offset" FROM fetches WHERE record IS NOT NULL'
        told = set(connection.execute(query).fetchall())
        twice = connection.execute(
            "SELECT count(*) - count(DISTINCT (harvest, key)) FROM fetches WHERE kind <> 'robots'"
        )
        (again,) = twice.fetchone() or (0,)
    if found != told:
        problems.append(f"{len(found - told)} records without a row, {len(told - found)} rows without a record")
    if again:
        problems.append(f"{again} requests have two rows")
    return problems


if __name__ == "__main__":
    sys.exit(main())
