"""Smaller benchmarks that rank systems as the large one does: pools of what several systems rank first, as in MMTEB."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from retrieval.builder import Benchmark

DEPTH, MOST = 250, 1_000
"""Documents of each query and run, and queries, that MMTEB takes."""


class Ranked(NamedTuple):
    """Scores of a system on the large and on the small benchmark."""

    system: str
    full: float
    small: float


class Preservation(NamedTuple):
    """Whether the small benchmark orders systems as the large one does."""

    systems: list[Ranked]
    """By their score on the large benchmark, best first."""
    tau: float
    """Kendall's tau-b of the two orders, -1 to 1; NaN with fewer than two systems or where all are equal."""


def downsample(
    full: Benchmark, runs: Mapping[str, pa.Table], depth: int = DEPTH, most: int = MOST, seed: int = 1
) -> tuple[Benchmark, pa.Table]:  # fmt: skip
    """At most `most` of the queries that have a relevant document, and the documents that they need.

    The pool is exactly the union of the first `depth` documents of each run for each chosen query and all documents
    judged relevant for one. A benchmark with lists of its own to rank keeps them, cut to the pool.

    Args:
        runs: rankings (`catalog.set_schema.RANKING`) by the name of the system; those of several tasks one after the
            other. What they say of documents and queries that are not in the benchmark is counted and left out.
        seed: of the choice among the queries, which does not depend on their order.

    Returns:
        The small benchmark, and where its documents come from: document_id, runs (which ranked it high enough; none of
        them: it is there because it is relevant), relevant.

    Raises:
        ConfigError: there is no run, depth or number of queries.
    """
    if not runs or depth < 1 or most < 1:
        raise ConfigError(f"downsampling needs runs, a depth and a number of queries: {len(runs)}, {depth}, {most}")
    judged = full.qrels.filter(pc.greater(full.qrels["score"], 0))
    asked = set(full.queries["id"].to_pylist())
    answered = sorted(set(judged["query_id"].to_pylist()) & asked)
    chosen = set(answered if len(answered) <= most else random.Random(seed).sample(answered, most))
    counts = Counter({
        "query: without a relevant document": len(asked) - len(answered),
        "query: not drawn": len(answered) - len(chosen), "query: used": len(chosen),
    })  # fmt: skip
    known = set(full.documents["id"].to_pylist())
    found: dict[str, set[str]] = defaultdict(set)
    for name, run in runs.items():
        high = _where(run.filter(pc.less_equal(run["rank"], depth)), "query_id", chosen)
        for document in high["document_id"].to_pylist():
            if document in known:
                found[document].add(name)
            else:
                counts[f"{name}: document that the benchmark has not"] += 1
    relevant = set(_where(judged, "query_id", chosen)["document_id"].to_pylist()) & known
    pool = found.keys() | relevant
    counts["used"], counts["document: ranked by no run and not relevant"] = len(pool), len(known) - len(pool)
    small = replace(
        full, documents=_where(full.documents, "id", pool), queries=_where(full.queries, "id", chosen),
        qrels=_where(_where(full.qrels, "query_id", chosen), "document_id", pool),
        top_ranked=_cut(full.top_ranked, chosen, pool), counts=+counts,
        notes=full.notes | {"downsampled": _facts(full, runs, found, relevant, depth, most, seed)},
    )  # fmt: skip
    ids = sorted(pool)
    provenance = pa.table({
        "document_id": pa.array(ids, pa.string()),
        "runs": pa.array([sorted(found.get(id, ())) for id in ids], pa.list_(pa.string())),
        "relevant": pa.array([id in relevant for id in ids], pa.bool_()),
    })  # fmt: skip
    return small, provenance


def preservation(scores: Mapping[str, tuple[float, float]]) -> Preservation:
    """How systems rank on both benchmarks, from their scores on the large and on the small one."""
    systems = [Ranked(name, full, small) for name, (full, small) in scores.items()]
    systems.sort(key=lambda system: (-system.full, system.system))
    return Preservation(systems, tau_b([s.full for s in systems], [s.small for s in systems]))


def tau_b(one: list[float], other: list[float]) -> float:
    """Kendall's tau-b of two lists of scores of the same systems (Kendall 1945): ties count in neither order."""
    agree = ties_one = ties_other = pairs = 0
    for i in range(len(one)):
        for j in range(i):
            a, b = _sign(one[i] - one[j]), _sign(other[i] - other[j])
            pairs += 1
            agree += a * b
            ties_one += a == 0
            ties_other += b == 0
    below = ((pairs - ties_one) * (pairs - ties_other)) ** 0.5
    return agree / below if below else float("nan")


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _facts(
    full: Benchmark, runs: Mapping[str, pa.Table], found: Mapping[str, set[str]], relevant: set[str], depth: int,
    most: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """For the card: how it was made, and what each run gave."""
    by_run = {
        name: {
            "documents": sum(name in names for names in found.values()),
            "alone": sum(names == {name} for names in found.values()),
        }
        for name in runs
    }
    by_no_run = len(relevant - found.keys())
    return {
        "depth": depth, "queries at most": most, "seed": seed, "runs": by_run, "relevant, ranked by no run": by_no_run,
        "of": {"documents": full.documents.num_rows, "queries": full.queries.num_rows},
    }  # fmt: skip


def _cut(top_ranked: pa.Table | None, chosen: set[str], pool: Iterable[str]) -> pa.Table | None:
    if top_ranked is None:
        return None
    held = set(pool)
    kept = _where(top_ranked, "query_id", chosen)
    lists = [[id for id in ids if id in held] for ids in kept["document_ids"].to_pylist()]
    return kept.set_column(1, kept.schema.field(1), pa.array(lists, pa.list_(pa.string())))


def _where(table: pa.Table, column: str, values: Iterable[str]) -> pa.Table:
    return table.filter(pc.is_in(table[column], pa.array(sorted(set(values)), pa.string())))
