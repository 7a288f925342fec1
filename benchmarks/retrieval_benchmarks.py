"""The benchmarks that the development data gives, with their statistics, and BM25 on every task of them.

    python -m benchmarks.retrieval_benchmarks DATA [--work FOLDER]

The corpus is that of `benchmarks.train_retriever`, half of its works held out. `questions` are people's own, of
DATA/retrieval/legal-questions.json: about acts of all works, and about those held out.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.train_retriever import CORPUS, florilege
from catalog import sets
from catalog.files import Corpus
from catalog.sets import Set
from retrieval import evaluation
from retrieval.systems import system

RECIPE = """
corpus = "corpus"
[splits]
test = 0.5
[[benchmarks]]
name = "articles"
[[benchmarks]]
name = "clirudit"
[[benchmarks]]
name = "lemur"
[[benchmarks]]
name = "mixed-pool"
[[benchmarks]]
name = "distractors"
builder = "mixed-pool"
params.scenarios = ["distractor-only-english"]
[[benchmarks]]
name = "questions"
params.file = "{data}/retrieval/legal-questions.json"
[[benchmarks]]
name = "questions-all"
builder = "questions"
params.file = "{data}/retrieval/legal-questions.json"
params.splits = ["train", "validation", "test"]
"""
METRICS = ("nDCG@10", "AP", "R@100", "RR@10", "Top@1", "Top@5", "Max@R", "Complete@10", "English-inclination")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        run(given.data.resolve(), (given.work or Path(scratch)).resolve())


def run(data: Path, work: Path) -> None:
    """Build, make, measure, print."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "corpus.toml").write_text(CORPUS.format(data=data), encoding="utf-8")
    (work / "benchmarks.toml").write_text(RECIPE.format(data=data), encoding="utf-8")
    florilege("build", work / "corpus.toml")
    florilege("benchmark", work / "benchmarks.toml")
    corpus = Corpus(work / "corpus")
    found = sets.all_sets(corpus, "benchmark")
    print("\n| benchmark | task | queries | pool | relevant a query | words a query | words a document |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for benchmark in found:
        for name, task in benchmark.manifest["statistics"]["hf_subset_descriptive_stats"].items():
            print(f"| {benchmark.name} | {name} | {' | '.join(_statistics(task))} |")
    print(f"\n| benchmark | task | direction | queries | {' | '.join(METRICS)} |")
    print(f"|---|---|---|---:|{'---:|' * len(METRICS)}")
    for benchmark in found:
        show(benchmark, evaluation.evaluated(corpus, benchmark, system("bm25")))


def _statistics(task: dict[str, Any]) -> list[str]:
    judged = task["relevant_docs_statistics"] or {}
    lengths = [task[f"{side}_text_statistics"] or {} for side in ("queries", "documents")]
    means = [f"{found['average_word_count']:.0f}" if found else "" for found in lengths]
    relevant = f"{judged['average_relevant_docs_per_query']:.2f}" if judged else ""
    return [f"{task['num_queries']:,}", f"{task['num_documents']:,}", relevant, *means]


def show(benchmark: Set, measured: dict[str, Any]) -> None:
    """A row a task, and one a direction where a task has several."""
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in measured["metrics"]:
        spoken = f"{row['query_language'] or 'all'} → {row['document_language'] or 'all'}"
        rows.setdefault((row["task"], spoken), {})[row["metric"]] = row
    directions = Counter(task for task, spoken in rows if "all" not in spoken)
    for (task, spoken), metrics in rows.items():
        if "nDCG@10" in metrics and (spoken == "all → all" or ("all" not in spoken and directions[task] > 1)):
            figures = [_figure(metrics.get(name)) for name in METRICS]
            print(f"| {benchmark.name} | {task} | {spoken} | {metrics['nDCG@10']['queries']} | {' | '.join(figures)} |")


def _figure(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    shown = f"{row['value']:.3f}" if row["value"] <= 1 else f"{row['value']:.1f}"
    sure = row["metric"] == "nDCG@10" and row["low"] is not None
    return f"{shown} [{row['low']:.3f}, {row['high']:.3f}]" if sure else shown


if __name__ == "__main__":
    main()
