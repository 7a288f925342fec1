"""Measure a whole build: against datatrove on the same pages, in memory, and how the steps in DuckDB grow.

    python benchmarks/build.py --peer-python PEER/bin/python [--data ../shared/data] [--only pages,duckdb]

pages    the build of html/pages.warc.gz of the data folder, and datatrove's recipe on the same file, in turn
copies   the same with the archive's records several times over under distinct urls
memory   the build of a made archive of some GB with large and hostile records: highest memory of all processes
duckdb   clustering and verdicts over made tables of growing size

Prints Markdown tables; works in a temporary folder. Linux only. Both systems have the same number of workers. Times of
one machine compare with each other only.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import made
import measure
import systems
from systems import Outcome

PARTS = ("pages", "copies", "memory", "duckdb")
MEMORY_LIMIT_MB = 2048


def main() -> int:
    options = _options()
    peer = None if options.without_peer else options.peer_python
    failures = []
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.scratch) as scratch:
        work = Path(scratch)
        if peer and {"pages", "copies"} & set(options.only):
            systems.check_peer(peer)
        if "pages" in options.only:
            compare(work / "pages", options.data / "html", 1, options, peer)
        if "copies" in options.only:
            compare(work / "copies", options.data / "html", options.copies, options, peer)
        if "memory" in options.only and memory(work, options.big_gb, options.workers) > MEMORY_LIMIT_MB:
            failures.append(f"memory: over {MEMORY_LIMIT_MB} MiB")
        if "duckdb" in options.only:
            duckdb_steps(work, options.rows)
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return bool(failures)


def _options() -> argparse.Namespace:
    root = systems.ROOT
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder with html/")
    parser.add_argument("--copies", type=int, default=10, help="times the archive is repeated in `copies`")
    parser.add_argument("--rows", type=_numbers, default=[10_000, 100_000, 1_000_000], help="sizes in `duckdb`")
    parser.add_argument("--big-gb", type=float, default=2, help="size of the archive in `memory`")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1, help="rounds of each comparison; the fastest counts")
    parser.add_argument("--peer-python", default="peer/bin/python", help="Python of datatrove's own environment")
    parser.add_argument("--without-peer", action="store_true", help="measure florilege alone")
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--scratch", type=Path, help="where the temporary folder goes (some GB)")
    options = parser.parse_args()
    options.data = options.data.resolve()
    if {"pages", "copies"} & set(options.only) and not (options.data / "html" / "pages.warc.gz").is_file():
        parser.error(f"{options.data}: no html/pages.warc.gz there; say where with --data, or --only memory,duckdb")
    return options


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    return parts


def compare(work: Path, html: Path, copies: int, options: argparse.Namespace, peer: str | None) -> None:
    """Run both systems in turn over `copies` times the pages and print what they cost and keep."""
    whole, halves = work / "whole", work / "halves"
    whole.mkdir(parents=True)
    made.copies(html / "pages.warc.gz", whole / "pages.warc.gz", copies)
    made.halves(whole / "pages.warc.gz", halves)
    runs: dict[str, Outcome] = {}
    prefect = systems.prefect_alone()
    for turn in range(options.repeats):
        found = [systems.florilege(work / f"florilege-{turn}", whole, options.workers)]
        if peer:
            found += [
                systems.datatrove(work / f"datatrove-{turn}-{archives.name}", archives, options.workers, peer)
                for archives in (whole, halves)
            ]
        for outcome in found:
            best = runs.get(outcome.system, outcome)
            runs[outcome.system] = min(best, outcome, key=lambda run: run.cost.wall_s)
    size = (whole / "pages.warc.gz").stat().st_size / 2**20
    print(f"\n## Pages, {copies} times ({size:.1f} MiB stored, {options.workers} workers, load {_load()})\n")
    _print(list(runs.values()), _gold(html), prefect)


def _gold(html: Path) -> dict[str, str]:
    with gzip.open(html / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {page["url"]: page["text"] for page in map(json.loads, lines)}


def _print(runs: list[Outcome], gold: Mapping[str, str], prefect: measure.Cost) -> None:
    header = ["", "wall s", "CPU s", "peak MiB", "read", "extracted", "kept", "ms CPU a page extracted",
              "F1 all", "F1 extracted", "F1 kept"]  # fmt: skip
    rows = [[
        run.system, f"{run.cost.wall_s:.1f}", f"{run.cost.cpu_s:.1f}", f"{run.cost.peak_mb:.0f}", f"{run.read:,}",
        f"{len(run.extracted):,}", f"{len(run.kept):,}", f"{1000 * run.cost.cpu_s / max(1, len(run.extracted)):.1f}",
        *_scores(run, gold),
    ] for run in runs]  # fmt: skip
    print(measure.table(header, rows))
    for run in runs:
        print(f"\n{run.system}, stages (wall s): " + ", ".join(f"{k} {v:.1f}" for k, v in run.seconds.items()))
    print(f"\nPrefect alone (an empty flow on the embedded server, in florilege's figures): "
          f"{prefect.wall_s:.1f} s wall, {prefect.cpu_s:.1f} s CPU, {prefect.peak_mb:.0f} MiB")  # fmt: skip
    ours = runs[0].cost
    for run in runs[1:]:
        print(f"\nflorilege / {run.system}: wall {ours.wall_s / run.cost.wall_s:.2f}, "
              f"CPU {ours.cpu_s / run.cost.cpu_s:.2f}, memory {ours.peak_mb / run.cost.peak_mb:.2f}; without "
              f"Prefect: wall {(ours.wall_s - prefect.wall_s) / run.cost.wall_s:.2f}, "
              f"CPU {(ours.cpu_s - prefect.cpu_s) / run.cost.cpu_s:.2f}")  # fmt: skip
        common = [u for u in gold if u in runs[0].extracted and u in run.extracted]
        print(f"F1 over the {len(common)} pages that both extracted: florilege "
              f"{measure.f1(gold, runs[0].extracted, common):.3f}, {run.system} "
              f"{measure.f1(gold, run.extracted, common):.3f}")  # fmt: skip


def _scores(run: Outcome, gold: Mapping[str, str]) -> list[str]:
    """F1 over all pages with a reference (0 where none was extracted), the extracted, and the kept ones."""
    texts = {made.original(url): text for url, text in run.extracted.items() if url in run.kept}
    extracted = {made.original(url): text for url, text in run.extracted.items()} | texts
    over = (gold, [url for url in gold if url in extracted], [url for url in gold if url in texts])
    return [f"{measure.f1(gold, extracted, urls):.3f}" for urls in over]


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def memory(work: Path, gigabytes: float, workers: int) -> float:
    """Build a made archive; returns the highest memory of all processes, MiB."""
    from catalog import store
    from catalog.files import existing

    archives = work / "large"
    archives.mkdir()
    records = made.large(archives / "large.warc.gz", int(gigabytes * 1e9))
    cost, manifest = systems.build(work / "memory", archives, workers)
    with store.reading(existing(work / "memory" / "corpus")) as connection:
        counts = dict(connection.execute(
            "SELECT coalesce(reason, 'kept'), count(*) FROM "
            "(SELECT regexp_replace(coalesce(error, reason), '[0-9]+', 'N', 'g') AS reason FROM rejects "
            "UNION ALL SELECT NULL FROM corpus) GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall())  # fmt: skip
    print(f"\n## Memory: a made archive of {gigabytes:g} GB, {records:,} records\n\nIt holds {made.LARGE}.\n")
    print(measure.table(
        ["", "wall s", "CPU s", "peak MiB", "limit MiB", "status"],
        [["florilege", f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{cost.peak_mb:.0f}", f"{MEMORY_LIMIT_MB}",
          manifest["status"]]],
    ))  # fmt: skip
    print("\nRecords: " + ", ".join(f"{count:,} {reason}" for reason, count in counts.items()))
    return cost.peak_mb


def duckdb_steps(work: Path, sizes: list[int]) -> None:
    """Cluster and judge made tables of each size, and print time and memory a row."""
    rows = []
    for size in sizes:
        folder, script = work / f"rows-{size}", [sys.executable, str(Path(__file__).with_name("steps.py"))]
        measure.run([*script, "make", str(folder), str(size)], cwd=systems.ROOT)
        planted = json.loads((folder / "planted.json").read_text())["clusters"]
        cost, printed = measure.run([*script, "run", str(folder)], cwd=systems.ROOT)
        found = json.loads(printed.splitlines()[-1])
        seconds = found["cluster_s"] + found["judge_s"]
        rows.append([
            f"{size:,}", f"{found['cluster_s']:.2f}", f"{found['judge_s']:.2f}", f"{1e6 * seconds / size:.1f}",
            f"{cost.cpu_s:.1f}", f"{cost.peak_mb:.0f}", f"{planted:,}", f"{found['clusters']:,}", f"{found['kept']:,}",
        ])  # fmt: skip
    print(f"\n## Steps in DuckDB (load {_load()})\n\nDocuments with 14 bands each; a tenth are copies of an earlier "
          "one, a tenth share 3 bands with one.\n")  # fmt: skip
    print(measure.table(
        ["documents", "cluster s", "judge s", "us a document", "CPU s", "peak MiB", "clusters planted", "found",
         "kept"], rows,
    ))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
