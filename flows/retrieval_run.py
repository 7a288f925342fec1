"""Training sets and benchmarks from the command line: made where something is missing, and shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from catalog import evaluations, files, sets, store

_REASONS = 8
"""Reasons that are printed for a set; all are in its card."""


def make(recipe: Path, kind: str, names: list[str] | None) -> None:
    """Make the sets of a recipe and print them; starts Prefect only when something is missing."""
    from flows.retrieval_plan import wanted
    from flows.retrieval_recipe import load
    from flows.server import start, used

    needed = [*wanted(str(recipe), "benchmark", names if kind == "benchmark" else None)]
    if kind == "pairs":
        needed += wanted(str(recipe), "pairs", names)
    there = [found.there for found in needed if found.there is not None]
    if len(there) == len(needed):
        corpus = files.existing(Path(load(recipe).corpus))
        for found in there:
            sets.make_current(corpus, found)
        store.rebuild(corpus)
        _print([found.manifest for found in there if found.kind == kind], "nothing to do")
        return
    server = start()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    from flows import retrieval

    with used(server):
        flow = retrieval.benchmark if kind == "benchmark" else retrieval.pairs
        _print(flow(str(recipe), names), "made")


def evaluate(
    folder: Path, benchmark: str, systems: list[str], tasks: list[str] | None, depth: int, output: Path | None
) -> None:
    """Score systems on a benchmark of a corpus, print the table, draw the picture; the catalog keeps all of it.

    Raises:
        ConfigError: no such corpus, benchmark, task or system, or what a system answers cannot be scored.
    """
    from flows import terminal
    from flows.lock import locked
    from flows.progress import Progress
    from retrieval import evaluation, evaluation_report
    from retrieval.systems import system

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    corpus = files.existing(folder)
    found = sets.find(corpus, benchmark, "benchmark")
    with Progress(benchmark) as progress:
        made = [evaluation.evaluated(corpus, found, system(spec), depth, tasks, progress.say) for spec in systems]
    with locked(corpus):
        store.rebuild(corpus)
    picture = output or evaluations.folder(corpus, made[-1]["evaluation"]) / "picture.svg"
    if output or len(made) > 1:
        picture = output or Path(f"{benchmark}.svg")
        picture.write_text(evaluation_report.picture(made), encoding="utf-8")
    terminal.console(200).print(evaluation_report.table(made))
    print(
        "In brackets: 95 % intervals, over works. Every figure is in the catalog: the views evaluations, per_query and"
    )
    print("In brackets: 95 % intervals, over works. SQL has every figure: evaluations, per_query, rankings.")
    print(f"{picture} draws them; TREC runs and a report are in {corpus.root / 'evaluations'}")


def leak(folder: Path, train: str, benchmark: str) -> int:
    """Print what a training set and a benchmark, both sets of the corpus or exports, share; 1 when that is anything."""
    from retrieval.leak import measure

    report = measure(_place(folder, train, "pairs"), _place(folder, benchmark, "benchmark"))
    print("\n".join(report.lines()))
    return int(report.leaks > 0)


def _place(folder: Path, name: str, kind: str) -> Path:
    """A path as it is, else the folder of the corpus's set of this name."""
    return Path(name) if Path(name).exists() else sets.find(files.existing(folder), name, kind).folder


def _print(manifests: list[dict[str, Any]], did: str) -> None:
    for manifest in manifests:
        rows: dict[str, int] = {}
        for entry in manifest["files"]:
            rows[entry["table"]] = rows.get(entry["table"], 0) + entry["rows"]
        made = ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "no rows"
        print(f"{manifest['name']} ({manifest['builder']} {manifest['version']}, {did}): {made}")
        left = {reason: count for reason, count in manifest["counts"].items() if not reason.endswith("used")}
        for reason, count in sorted(left.items(), key=lambda item: -item[1])[:_REASONS]:
            print(f"    left out: {reason} {count:,}")
