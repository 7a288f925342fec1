"""A system's answers to a benchmark's queries, measured: over all, by language, and by direction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog import evaluations
from catalog.errors import ConfigError
from catalog.evaluations import PER_QUERY
from catalog.files import Corpus, digest, sha256
from catalog.sets import Set
from retrieval import evaluation_report, intervals, judging, measures
from retrieval.judging import Tables, strings
from retrieval.measures import Floats, Judged
from retrieval.systems import System

Say = Callable[[str], None]
_ACROSS = {"English-inclination", *(f"Top@{k}-any" for k in measures.TOP)}
"""Measures of what several languages do together: they have no direction."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A benchmark's tasks, answered by a system and measured."""

    rankings: dict[str, pa.Table]
    """Of each task: RANKING, its ids as dictionaries."""
    per_query: pa.Table
    """`catalog.evaluations.PER_QUERY`."""
    metrics: list[dict[str, Any]]
    """Rows of task, query_language and document_language (null: all), metric, value, low, high, queries."""
    counts: dict[str, dict[str, int]]
    """Of each task: its queries, how many had no relevant document or no hit, and what was left out of the ranking."""
    seconds: dict[str, float]
    """Of each task: how long the system took."""


def identity(benchmark: Set, system: System, k: int = 1000, tasks: Sequence[str] | None = None) -> str:
    """Identity of an evaluation: all that it depends on, the files of a model or run that the system names included."""
    files = {str(path): sha256(path) for path in _files_of(system.name)}
    return digest([
        benchmark.id, system.name, files, k, [task["name"] for task in _tasks(benchmark, tasks)], measures.VERSION
    ])  # fmt: skip


def _files_of(name: str) -> list[Path]:
    place = Path(name.partition(":")[2])
    if ":" not in name or place == Path() or not place.exists():
        return []
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())


def evaluated(
    corpus: Corpus, benchmark: Set, system: System, k: int = 1000, tasks: Sequence[str] | None = None,
    progress: Say | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The manifest of this evaluation in the corpus; made now if it is not there. Raises what `evaluate` raises."""
    id = identity(benchmark, system, k, tasks)
    if found := evaluations.find(corpus, id):
        return found
    made = evaluate(benchmark, system, k, tasks, progress)
    facts = {
        "benchmark": benchmark.name, "benchmark_id": benchmark.id, "system": system.name, "k": k,
        "made": datetime.now(UTC).isoformat(timespec="seconds"), "metrics": made.metrics, "counts": made.counts,
        "seconds": made.seconds, "measures": measures.VERSION,
    }  # fmt: skip
    report = evaluation_report.files([{"evaluation": id, **facts}])
    return evaluations.write(corpus, id, facts, made.rankings, made.per_query, report)


def evaluate(
    benchmark: Set, system: System, k: int = 1000, tasks: Sequence[str] | None = None, progress: Say | None = None
) -> Evaluation:
    """Rank the documents of every task for its queries, and measure.

    Args:
        benchmark: a set of the kind `benchmark`.
        system: what ranks; where it has a `run` (RANKING), rows of which the benchmark knows nothing are counted.
        k: documents a query at most.
        tasks: names of the tasks; None: all.
        progress: told which task it is at.

    Raises:
        ConfigError: no such task; nothing to ask; a score that is no number; a ranking that has nothing to do with the
            benchmark.
    """
    if k < 1:
        raise ConfigError(f"k = {k}: at least 1")
    chosen = _tasks(benchmark, tasks)
    whole = judging.whole(benchmark)
    made = Evaluation({}, PER_QUERY.empty_table(), [], {}, {})
    run = getattr(system, "run", None)  # a searcher asks a run only for what the task knows
    strange = {} if run is None else judging.strangers(system.name, run, whole)
    parts, ready, searched = [made.per_query], system, None
    # Tasks with one pool follow each other, so that it is indexed once.
    for number, task in enumerate(sorted(chosen, key=_pool_of), start=1):
        name = task["name"]
        if progress is not None:
            progress(f"{system.name} on {benchmark.name}: task {name}, {number} of {len(chosen)}")
        part, counts = judging.of_task(whole, task)
        started = time.monotonic()
        if searched != _pool_of(task):
            ready, searched = judging.ready(system, part.documents), _pool_of(task)
        judged, made.rankings[name] = judging.ranked(ready, part, k, counts)
        counts.update(strange)
        made.seconds[name] = round(time.monotonic() - started, 3)
        made.counts[name] = dict(counts)
        for language, values in _values(part, judged):
            parts.append(_per_query(name, language, part.queries, values))
            made.metrics.extend(_metrics(name, language, part.queries, values))
    if not made.metrics:
        names = ", ".join(task["name"] for task in chosen)
        raise ConfigError(f"{benchmark.name}: no query of {names} has a relevant document or an answer")
    order = {task["name"]: place for place, task in enumerate(chosen)}
    made.metrics.sort(key=lambda row: order[row["task"]])
    return replace(made, per_query=pa.concat_tables(parts).combine_chunks())


def _pool_of(task: dict[str, Any]) -> list[str]:
    languages = task.get("document_languages")
    return ["all"] if languages is None else ["of", *sorted(languages)]


def _tasks(benchmark: Set, names: Sequence[str] | None) -> list[dict[str, Any]]:
    if benchmark.kind != "benchmark":
        raise ConfigError(f"{benchmark.name} is a training set: an evaluation takes a benchmark")
    tasks = benchmark.manifest.get("tasks") or [{"name": "all"}]
    unknown = set(names or ()) - {task["name"] for task in tasks}
    if unknown:
        there = ", ".join(task["name"] for task in tasks)
        raise ConfigError(f"{benchmark.name}: no task {', '.join(sorted(unknown))}; there are: {there}")
    return [task for task in tasks if names is None or task["name"] in names]


def _values(part: Tables, judged: Judged) -> Iterator[tuple[str | None, dict[str, Floats]]]:
    """Values a query over all relevant documents (None), and over those in each language."""
    values = measures.values(judged)
    answers = part.queries["answers"].to_pylist()
    if any(answers):
        from retrieval.tokens import tokenizer

        texts = part.documents["text"].to_pylist()
        values |= measures.answers_found(judged, answers, texts, tokenizer("words"))
    yield None, values
    languages = sorted(set(judged.document_language[judged.gold_document].tolist()))
    mixed = len(set(judged.document_language.tolist())) > 1
    for language in languages:
        one_way = measures.values(measures.toward(judged, language)) if mixed else values
        yield language, {name: found for name, found in one_way.items() if name not in _ACROSS}


def _metrics(task: str, language: str | None, queries: pa.Table, values: dict[str, Floats]) -> list[dict[str, Any]]:
    """Means with intervals: over all queries (not of a direction), and by their language."""
    spoken = strings(queries["language"])
    cluster = intervals.clusters(queries["work"].to_pylist())
    matrix = np.stack(list(values.values()), axis=1)
    groups = ([] if language is not None else [None]) + sorted(set(spoken.tolist()))
    found = []
    for group in groups:
        rows = slice(None) if group is None else spoken == group
        for name, interval in zip(values, intervals.intervals(matrix[rows], cluster[rows]), strict=True):
            if interval.queries:
                sure = np.isfinite(interval.low)
                found.append({
                    "task": task, "query_language": group, "document_language": language, "metric": name,
                    "value": interval.value, "low": interval.low if sure else None,
                    "high": interval.high if sure else None, "queries": interval.queries,
                })  # fmt: skip
    return found


def _per_query(task: str, language: str | None, queries: pa.Table, values: dict[str, Floats]) -> pa.Table:
    size, names = queries.num_rows, list(values)
    flat = np.concatenate([values[name] for name in names])
    rows = np.flatnonzero(~np.isnan(flat))
    places = rows % max(size, 1)
    table = {
        "task": pa.array([task] * len(rows), pa.string()),
        "document_language": pa.array([language] * len(rows), pa.string()),
        "query_id": queries["id"].combine_chunks().take(places),
        "query_language": queries["language"].combine_chunks().take(places),
        "work": queries["work"].combine_chunks().take(places),
        "metric": pa.array(names, pa.string()).take(rows // max(size, 1)),
        "value": pa.array(flat[rows], pa.float64()),
    }
    return pa.table(table)


def compared(first: pa.Table, second: pa.Table) -> list[dict[str, Any]]:
    """Paired differences between two systems, the first minus the second, from their `per_query` of one benchmark.

    Rows of task, document_language, metric, value, low, high, p, queries: over the queries that both have.
    """
    keys = ["task", "document_language", "metric", "query_id"]
    sides = [
        t.select([*keys, "work", "value"]).set_column(1, "document_language", pc.fill_null(t["document_language"], ""))
        for t in (first, second)
    ]
    both = sides[0].join(sides[1].drop_columns("work"), keys, join_type="inner", right_suffix="_second")
    rows = both.sort_by([(key, "ascending") for key in keys]).to_pylist()
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["task"], row["document_language"], row["metric"]), []).append(row)
    found = []
    for (task, language, metric), members in groups.items():
        a, b = (np.array([row[column] for row in members]) for column in ("value", "value_second"))
        result = intervals.difference(a, b, intervals.clusters([row["work"] for row in members]))
        numbers = {key: value if np.isfinite(value) else None for key, value in result._asdict().items()}
        found.append({"task": task, "document_language": language or None, "metric": metric, **numbers})
    return found
