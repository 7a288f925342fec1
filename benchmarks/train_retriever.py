"""Do the training sets train? A small model is trained on exported pairs and scored on benchmarks of held-out works.

    python -m benchmarks.train_retriever DATA [--work FOLDER] [--seeds 1 2 3] [--steps 300]

Builds a corpus of DATA/eurlex and DATA/erudit, makes benchmarks of half of its works and training sets of the other
half, exports these for sentence-transformers, and trains the model of `benchmarks.static_retriever` with each of three
seeds on
    within languages                crops, titles, keywords
    + across languages              and parallel passages, titles and keywords of the other language
    ... without dedup               the same, near-duplicate passages kept in
    ... + hard negatives            the same, and negatives that the first such model ranks high
All are scored as `florilege eval` does, beside BM25 and the model untrained. A model's figure is the mean over seeds of
each query's value; intervals are those of `retrieval.intervals`, over works. At the end the leakage between training
sets and benchmarks is measured twice: as `florilege leak` does, and by `benchmarks.leak_check`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import leak_check, static_retriever
from catalog import exports, sets
from catalog.files import Corpus
from flows.near import near
from retrieval import evaluation, intervals, leak
from retrieval.systems import system

CORPUS = """
name = "development"
output = "corpus"
[[sources]]
name = "acts"
kind = "eurlex"
path = "{data}/eurlex"
[[sources]]
name = "articles"
kind = "erudit"
path = "{data}/erudit"
[thresholds]
preset = "permissive"
"""
SETS = """
corpus = "corpus"
[splits]
test = 0.5
validation = 0.1
[[benchmarks]]
name = "articles"
[[benchmarks]]
name = "clirudit"
[[pairs]]
name = "crops"
[[pairs]]
name = "titles"
builder = "title-body"
params.directions = "same"
[[pairs]]
name = "keywords"
builder = "keywords-abstract"
params.directions = "same"
[[pairs]]
name = "parallel"
builder = "parallel-passages"
[[pairs]]
name = "titles-across"
builder = "title-body"
params.directions = "cross"
[[pairs]]
name = "keywords-across"
builder = "keywords-abstract"
params.directions = "cross"
"""
HARD = """
[[pairs]]
name = "parallel-hard"
builder = "parallel-passages"
[pairs.negatives]
system = "dense:{model}"
"""
WITHIN = ("crops", "titles", "keywords")
ACROSS = (*WITHIN, "parallel", "titles-across", "keywords-across")
HARDER = (*ACROSS, "parallel-hard")
METRIC = "nDCG@10"
Values = dict[tuple[str, str], pa.Table]
"""Of each system and benchmark the values of its queries."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        run(given.data.resolve(), (given.work or Path(scratch)).resolve(), given.seeds, given.steps)


def run(data: Path, work: Path, seeds: list[int], steps: int) -> None:
    """Build, train, score and print; what is in `work` already is not made again."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "corpus.toml").write_text(CORPUS.format(data=data), encoding="utf-8")
    (work / "sets.toml").write_text(SETS, encoding="utf-8")
    florilege("build", work / "corpus.toml")
    florilege("pairs", work / "sets.toml")
    corpus = Corpus(work / "corpus")
    near_copies = repeated(corpus, ACROSS, work / "near")
    values: Values = {}
    score(corpus, "BM25", ["bm25"], values)
    tokenizer = static_retriever.tokenizer(texts(corpus, ACROSS))

    def models(name: str, names: Iterable[str], without: set[str]) -> list[str]:
        folders = [work / "models" / f"{name.replace(' ', '-')}-{seed}" for seed in seeds]
        training = {n: load(corpus, n, work / "exports" / n, without) for n in names}
        for folder, seed in zip(folders, seeds, strict=True):
            start = time.monotonic()
            model = static_retriever.untrained(tokenizer, seed)
            if training:
                static_retriever.train(model, training, steps, seed, folder)
            model.save_pretrained(str(folder))
            print(f"{folder.name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
        return [f"dense:{folder}" for folder in folders]

    score(corpus, "untrained", models("untrained", (), set()), values)
    score(corpus, "within languages", models("within", WITHIN, near_copies), values)
    across = models("across", ACROSS, near_copies)
    score(corpus, "+ across languages", across, values)
    score(corpus, "... without dedup", models("repeats", ACROSS, set()), values)
    (work / "hard.toml").write_text(SETS + HARD.format(model=across[0].removeprefix("dense:")), encoding="utf-8")
    florilege("pairs", work / "hard.toml", "parallel-hard")
    score(corpus, "... + hard negatives", models("hard", HARDER, near_copies), values)
    show(values)
    differences(values)
    leakage(corpus, HARDER)


def florilege(*arguments: Any) -> None:
    subprocess.run([sys.executable, "-m", "florilege", *map(str, arguments)], check=True)


def texts(corpus: Corpus, names: Iterable[str]) -> list[str]:
    """Every text of these training sets, in order."""
    found: dict[str, None] = {}
    for name in names:
        for batch in sets.find(corpus, name, "pairs").batches("pairs", ["query", "document"]):
            for column in batch.columns:
                found.update(dict.fromkeys(column.to_pylist()))
    return list(found)


def repeated(corpus: Corpus, names: Iterable[str], work: Path) -> set[str]:
    """Texts of these training sets that near-duplicate another one, which is kept in their place."""
    work.mkdir(exist_ok=True)
    all_texts = texts(corpus, names)
    pq.write_table(pa.table({"id": pa.array(range(len(all_texts))), "text": all_texts}), work / "texts.parquet")
    (work / "clusters.parquet").unlink(missing_ok=True)
    found = near([work / "texts.parquet"], work / "clusters.parquet", verify=0.8)
    kept = pq.read_table(work / "clusters.parquet", columns=["id", "keep"]).to_pydict()
    print(f"training texts: {found.documents:,}, near-duplicates of others: {found.duplicates:,}")
    return {all_texts[id] for id, keep in zip(kept["id"], kept["keep"], strict=True) if not keep}


def load(corpus: Corpus, name: str, folder: Path, without: set[str]) -> Any:
    """A training set as sentence-transformers reads it; triplets where it has negatives."""
    if not folder.exists():
        exports.write(sets.find(corpus, name, "pairs"), "sentence-transformers", folder)
    exported = static_retriever.exported(folder)
    rows = exported.get("triplets", exported["pairs"])
    chosen = [n for n, row in enumerate(rows) if row["anchor"] not in without and row["positive"] not in without]
    print(f"{name}: {len(rows):,} rows, {len(chosen):,} used", file=sys.stderr)
    return rows.select(chosen)


def score(corpus: Corpus, name: str, specs: list[str], values: Values) -> None:
    """Evaluate a system, or the same model of several seeds, and keep the mean of each query's value."""
    for benchmark in sets.all_sets(corpus, "benchmark"):
        measured = [evaluation.evaluate(benchmark, system(spec), 100).per_query for spec in specs]
        order = [(key, "ascending") for key in ("task", "document_language", "metric", "query_id")]
        tables = [table.filter(pa.compute.equal(table["metric"], METRIC)).sort_by(order) for table in measured]
        mean = np.mean([table["value"].to_numpy() for table in tables], axis=0)
        at = tables[0].schema.get_field_index("value")
        values[name, benchmark.name] = tables[0].set_column(at, "value", pa.array(mean))


def tasks(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """The queries of each task, over all directions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        if row["document_language"] is None:
            found.setdefault(row["task"], []).append(row)
    return found


def show(values: Values) -> None:
    """A row a system, a column a task: the mean and its interval."""
    names = list(dict.fromkeys(name for name, _ in values))
    columns = [(b, task) for b in dict.fromkeys(b for _, b in values) for task in tasks(values[names[0], b])]
    counts = [f"{b} {task} ({len(tasks(values[names[0], b])[task])})" for b, task in columns]
    print(f"\n{METRIC}, mean over queries [95 % interval over works]; in brackets the number of queries\n")
    print(f"| system | {' | '.join(counts)} |\n|---|{'---|' * len(columns)}")
    for name in names:
        print(f"| {name} | {' | '.join(_mean(tasks(values[name, b])[task]) for b, task in columns)} |")


def _mean(rows: list[dict[str, Any]]) -> str:
    found = intervals.intervals(np.array([[row["value"]] for row in rows]), _clusters(rows))[0]
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _clusters(rows: list[dict[str, Any]]) -> Any:
    return intervals.clusters([row["work"] for row in rows])


def differences(values: Values) -> None:
    """What each ingredient adds, query by query."""
    steps = {
        "bilingual pairs": ("+ across languages", "within languages"),
        "dedup": ("+ across languages", "... without dedup"),
        "hard negatives": ("... + hard negatives", "+ across languages"),
        "all, against BM25": ("... + hard negatives", "BM25"),
        "training within languages": ("within languages", "untrained"),
    }
    print("\nWhat it adds: mean difference of paired queries [95 % interval over works], p of a randomisation test\n")
    print("| ingredient | benchmark | task | difference | p |\n|---|---|---|---|---|")
    for what, (more, less) in steps.items():
        for _, benchmark in [key for key in values if key[0] == more]:
            for row in evaluation.compared(values[more, benchmark], values[less, benchmark]):
                if row["document_language"] is None:
                    shown = f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
                    print(f"| {what} | {benchmark} | {row['task']} | {shown} | {row['p']:.3f} |")


def leakage(corpus: Corpus, names: Iterable[str]) -> None:
    """What training sets and benchmarks share, measured by our own rules and independently."""
    print("\nLeakage: rows of the training set that may not stand beside the benchmark; and by the independent check\n")
    measured: list[tuple[str, Callable[[Path, Path], int]]] = [
        ("florilege leak", lambda train, test: leak.measure(train, test).leaks),
        ("independent check", lambda train, test: leak_check.check(train, test)[-1]),
    ]
    print("| training set | benchmark | florilege leak | independent check |\n|---|---|---|---|")
    for name in names:
        for benchmark in sets.all_sets(corpus, "benchmark"):
            train = sets.find(corpus, name, "pairs").folder
            found = [str(measure(train, benchmark.folder)) for _, measure in measured]
            print(f"| {name} | {benchmark.name} | {' | '.join(found)} |")


if __name__ == "__main__":
    main()
