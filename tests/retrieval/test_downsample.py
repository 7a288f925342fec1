"""Pools of what runs rank first and what is relevant, and the benchmark that is made of another."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import made_sets
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.set_schema import RANKING, TOP_RANKED
from retrieval.benchmarks.downsample import DOWNSAMPLE, DownsampleParams
from retrieval.benchmarks.rows import Document, Query, documents, qrels, queries
from retrieval.builder import Benchmark, Task
from retrieval.downsample import downsample, preservation, tau_b
from retrieval.source import Source


def benchmark(size: int = 60, asked: int = 8) -> Benchmark:
    """Query n has document n as its relevant one."""
    return Benchmark(
        documents(Document(f"d{n:03}", "", f"text {n}", "en") for n in range(size)),
        queries(Query(f"q{n:03}", f"query {n}", "en") for n in range(asked)),
        qrels([(f"q{n:03}", f"d{n:03}", 1) for n in range(asked)]), [Task("all")],
    )  # fmt: skip


def run(lists: dict[str, list[str]]) -> pa.Table:
    rows = [(q, d, rank, 1 / rank) for q, ids in lists.items() for rank, d in enumerate(ids, start=1)]
    return pa.table([list(column) for column in zip(*rows, strict=True)], RANKING)


def system(place: int, asked: int = 8, size: int = 60) -> pa.Table:
    """Ranks the relevant document at `place`, others before and after it."""
    lists = {}
    for n in range(asked):
        others = [f"d{(n + 1 + k * 7) % size:03}" for k in range(30)]
        others = [d for d in dict.fromkeys(others) if d != f"d{n:03}"]
        lists[f"q{n:03}"] = [*others[: place - 1], f"d{n:03}", *others[place - 1 :]]
    return run(lists)


def test_the_pool_is_exactly_the_union() -> None:
    full = benchmark()
    runs = {"one": system(4), "two": run({"q000": ["d050", "d051", "d052"], "q001": ["d000", "zzz"]})}
    small, provenance = downsample(full, runs, depth=2)
    expected = {f"d{n:03}" for n in range(8)} | {"d050", "d051", "d000"}
    for ranking in runs.values():
        expected |= {row["document_id"] for row in ranking.to_pylist() if row["rank"] <= 2} - {"zzz"}
    assert set(small.documents["id"].to_pylist()) == expected == set(provenance["document_id"].to_pylist())
    assert small.qrels.equals(full.qrels) and small.queries.equals(full.queries)
    came = {row["document_id"]: row for row in provenance.to_pylist()}
    assert came["d050"]["runs"] == ["two"] and not came["d050"]["relevant"]
    assert came["d003"]["relevant"]
    assert all(row["runs"] or row["relevant"] for row in came.values())
    assert small.counts["two: document that the benchmark has not"] == 1
    assert small.counts["used"] + small.counts["document: ranked by no run and not relevant"] == 60
    assert small.notes["downsampled"]["runs"]["two"]["documents"] == 3


def test_queries_are_drawn_by_seed() -> None:
    full, runs = benchmark(200, 100), {"one": system(1, 100, 200)}
    first, _ = downsample(full, runs, most=10)
    assert first.queries.num_rows == first.qrels.num_rows == 10 and first.counts["query: not drawn"] == 90
    assert first.queries.equals(downsample(full, runs, most=10)[0].queries)
    assert not first.queries.equals(downsample(full, runs, most=10, seed=2)[0].queries)
    assert set(first.qrels["document_id"].to_pylist()) <= set(first.documents["id"].to_pylist())


def test_queries_without_a_relevant_document_are_counted() -> None:
    full = benchmark()
    full.qrels = qrels([("q000", "d000", 1), ("q001", "d001", 0), ("q777", "d002", 1)])
    small, _ = downsample(full, {"one": system(1)})
    assert small.queries["id"].to_pylist() == ["q000"]
    assert small.counts["query: without a relevant document"] == 7


def test_lists_to_rank_are_cut_to_the_pool() -> None:
    full = benchmark()
    full.top_ranked = pa.table([["q000", "q001"], [["d000", "d059", "d055"], ["d001"]]], TOP_RANKED)
    small, _ = downsample(full, {"one": run({"q000": ["d059"]})}, most=8)
    assert small.top_ranked is not None
    assert small.top_ranked["document_ids"].to_pylist() == [["d000", "d059"], ["d001"]]


def test_the_order_of_systems() -> None:
    found = preservation({"b": (0.4, 0.5), "a": (0.4, 0.3), "best": (0.9, 0.8), "last": (0.1, 0.4)})
    assert [s.system for s in found.systems] == ["best", "a", "b", "last"]
    assert found.tau == pytest.approx(3 / 30**0.5)


def test_no_runs_is_an_error() -> None:
    with pytest.raises(ConfigError, match="runs"):
        downsample(benchmark(), {})


def test_tau_b() -> None:
    assert tau_b([3, 2, 1], [9, 8, 7]) == 1 and tau_b([3, 2, 1], [1, 2, 3]) == -1
    assert tau_b([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    assert tau_b([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / 30**0.5)
    assert isnan(tau_b([1], [1])) and isnan(tau_b([1, 1], [1, 2]))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=9))
def test_tau_is_symmetric_and_bounded(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    tau = tau_b(one, other)
    assert isnan(tau) or (abs(tau) <= 1 + 1e-9 and tau == pytest.approx(tau_b(other, one)))


def source(root: Path) -> Source:
    import duckdb

    return Source(duckdb.connect(), root, {"snapshot": 1, "digest": "0"})


def test_a_benchmark_of_another(tmp_path: Path) -> None:
    made_sets.benchmark(tmp_path, "large", total=30, top_ranked=True)
    worse = tmp_path / "worse.run"
    worse.write_text("".join(f"q{n} Q0 d{(n + 7 * k) % 30}-fr {k} {-k} x\n" for n in range(30) for k in range(1, 12)))
    params = DownsampleParams(of="large", systems=("bm25", f"run:{worse}"), depth=10, most=6)
    small = DOWNSAMPLE.make(source(tmp_path), params)
    assert small.queries.num_rows == small.counts["query: used"] == 6
    assert small.documents.num_rows < 60 and small.qrels.num_rows == 12
    assert set(small.qrels["document_id"].to_pylist()) <= set(small.documents["id"].to_pylist())
    assert [task.name for task in small.tasks] == ["en-fr", "en-en"]
    gave = small.notes["downsampled"]
    assert gave["of"]["name"] == "large" and gave["runs"]["bm25"]["documents"] > 0
    ranks = small.notes["ranks of systems"]
    assert list(ranks["systems"]) == ["bm25", f"run:{worse}"] and ranks["Kendall's tau"] == 1
    with pytest.raises(ConfigError, match="twice"):
        DOWNSAMPLE.make(source(tmp_path), DownsampleParams(of="large", systems=("bm25", "bm25")))


def test_what_it_is_made_of_is_part_of_its_identity(tmp_path: Path) -> None:
    run = tmp_path / "a.run"
    run.write_text("q0 Q0 d0-fr 1 1 x\n")
    params = DownsampleParams(of="large", systems=(f"run:{run}",))
    assert params.resolved({}).identity()["of"] == ["large", None]
    with pytest.raises(ConfigError, match="no benchmark `large`"):
        DOWNSAMPLE.make(source(tmp_path), params)
    large = made_sets.benchmark(tmp_path, "large")
    first = params.resolved({"large": large.id}).identity()
    assert first["of"] == ["large", large.id]
    run.write_text("q0 Q0 d1-fr 1 1 x\n")
    assert params.resolved({"large": large.id}).identity() != first
    with pytest.raises(ConfigError, match="another one"):
        DOWNSAMPLE.make(source(tmp_path), params.resolved({"large": "0123"}))
