"""Training sets and benchmarks from the command line: made where something is missing, and shown."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from catalog import evaluations, files, sets, store
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.sets import Set
from flows.lock import locked

_TABLES = {"pairs": "pairs", "benchmark": "benchmarks"}
_USED = re.compile(r"used$|^note: |^negatives: (queries|negatives)$")
_REASONS = 8
"""Reasons that are printed for a set; all are in its card."""


def make(recipe: Path, kind: str, names: list[str] | None) -> None:
    """Make the sets of a recipe and print them; starts Prefect only when something is missing."""
    from flows.retrieval_plan import wanted
    from flows.retrieval_recipe import load
    from flows.server import start, used

    asked = wanted(str(recipe), kind, names)
    if not asked:
        raise ConfigError(f"{recipe}: asks for nothing: it has no [[{_TABLES[kind]}]]")
    needed = asked if kind == "benchmark" else [*wanted(str(recipe), "benchmark"), *asked]
    there = [found.there for found in needed if found.there is not None]
    if len(there) == len(needed):
        _keep(files.existing(Path(load(recipe).corpus)), there)
        _print(there, "nothing to do")
        return
    with store.reading(files.existing(Path(load(recipe).corpus))):
        pass  # a corpus that cannot be read is said before Prefect is started
    server = start()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    from flows import retrieval

    with used(server):
        flow = retrieval.benchmark if kind == "benchmark" else retrieval.pairs
        flow(str(recipe), names)
    made = [*([] if kind == "benchmark" else wanted(str(recipe), "benchmark")), *wanted(str(recipe), kind, names)]
    _print([found.there for found in made if found.there is not None], "made")


def _keep(corpus: Corpus, there: list[Set]) -> None:
    """Let the names mean these sets, in the catalog too."""
    shown = corpus.database.stat().st_mtime_ns if corpus.database.is_file() else 0
    noted = [corpus.manifest("sets", found.name) for found in there]
    if all(sets.current(corpus, found) for found in there) and shown > max(path.stat().st_mtime_ns for path in noted):
        return
    with locked(corpus):
        for found in there:
            sets.make_current(corpus, found)
        store.rebuild(corpus)


def evaluate(
    folder: Path, benchmark: str, systems: list[str], tasks: list[str] | None, depth: int, output: Path | None
) -> None:
    """Score systems on a benchmark of a corpus, print the table, draw the picture; the catalog keeps all of it.

    Raises:
        ConfigError: no such corpus, benchmark, task or system, or what a system answers cannot be scored.
    """
    from flows import terminal
    from flows.progress import Progress
    from retrieval import evaluation, evaluation_report
    from retrieval.systems import system

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    corpus = files.existing(folder)
    found = sets.find(corpus, benchmark, "benchmark")
    try:
        with Progress(benchmark) as progress:
            made = [evaluation.evaluated(corpus, found, system(spec), depth, tasks, progress.say) for spec in systems]
    finally:
        _show(corpus)  # what was evaluated before an error is kept too
    picture = output or evaluations.folder(corpus, made[-1]["evaluation"]) / "picture.svg"
    if output or len(made) > 1:
        picture = output or corpus.root / "evaluations" / f"{benchmark}.svg"
        picture.write_text(evaluation_report.picture(made), encoding="utf-8")
    terminal.console(200).print(evaluation_report.table(made))
    print("In brackets: 95 % intervals, over works. SQL has every figure: evaluations, per_query, rankings.")
    print(f"{picture} draws them; TREC runs and a report are in {corpus.root / 'evaluations'}")


def _show(corpus: Corpus) -> None:
    """Let the catalog show new evaluations; a build that holds the corpus does so when it ends."""
    try:
        with locked(corpus):
            store.rebuild(corpus)
    except ConfigError as error:
        print(f"What was evaluated is kept, but SQL does not show it yet: {error}", file=sys.stderr)
        print(f"A build shows it at its end, and so does `florilege catalog rebuild {corpus.root}`", file=sys.stderr)


def leak(folder: Path, train: str, benchmark: str) -> int:
    """Print what a training set and a benchmark, both sets of the corpus or exports, share; 1 when that is anything."""
    from retrieval.leak import measure

    report = measure(_place(folder, train, "pairs"), _place(folder, benchmark, "benchmark"))
    print("\n".join(report.lines()))
    return int(report.leaks > 0)


def _place(folder: Path, name: str, kind: str) -> Path:
    """A path as it is, else the folder of the corpus's set of this name.

    Raises:
        ConfigError: neither is there, or the set is damaged.
    """
    if Path(name).exists():
        return Path(name)
    try:
        corpus = files.existing(folder)
    except ConfigError:
        raise ConfigError(
            f"no file or folder `{name}`, and no corpus in {folder} that could have a set of this name (give --corpus)"
        ) from None
    if name in (found := [one.name for one in sets.all_sets(corpus, kind)]):
        return sets.find(corpus, name, kind).folder
    what = "training set" if kind == "pairs" else "benchmark"
    raise ConfigError(f"no file or folder `{name}`, and no {what} of this name in {folder}; "
                      f"there are: {', '.join(sorted(found)) or 'none'}")  # fmt: skip


def _print(found: list[Set], did: str) -> None:
    for one in found:
        counts = one.manifest["counts"]
        rows = {table: one.rows(table) for table in dict.fromkeys(entry["table"] for entry in one.manifest["files"])}
        if "negatives" in rows:
            rows["negatives"] = counts.get("negatives: negatives", 0)  # the table has the positives too
        made = ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "no rows"
        print(f"{one.name} ({one.manifest['builder']} {one.manifest['version']}, {did}): {made}")
        left = {reason: count for reason, count in counts.items() if not _USED.search(reason)}
        for what, of in (("left out", False), ("negatives", True)):
            chosen = {r.removeprefix("negatives: "): n for r, n in left.items() if r.startswith("negatives: ") == of}
            for reason, count in sorted(chosen.items(), key=lambda item: -item[1])[:_REASONS]:
                print(f"    {what}: {reason} {count:,}")
        empty = [table for table in ("queries", "pairs", "negatives") if rows.get(table) == 0]
        if empty or not rows:
            print(f"    NOTHING in {', '.join(empty) or 'it'}: what was left out says why; or the split holds too few")
            print("    such works, which splits.test and splits.seed in the recipe decide")


def check(recipe: Path) -> None:
    """Print what a recipe asks for and what of it is there; does nothing."""
    from flows.retrieval_plan import wanted

    for kind, what in (("benchmark", "benchmark"), ("pairs", "training set")):
        for found in wanted(str(recipe), kind):
            state = "there" if found.there else "to make"
            print(f"{what} {found.spec.name} ({found.builder.name} {found.builder.version}): {state}")
            print(f"    {found.builder.summary}")
            for name, value in found.params.model_dump(mode="json").items():
                print(f"    {name} = {value}")


def is_recipe(path: Path) -> bool:
    """Whether a recipe is one of training sets and benchmarks: it names a corpus, not sources."""
    import tomllib

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False  # what is wrong with it is said by who reads it
    return "corpus" in raw and "sources" not in raw
