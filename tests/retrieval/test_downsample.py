"""Pools of what runs rank first and what is relevant."""

from __future__ import annotations

from math import isnan, log2

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.set_schema import RANKING, TOP_RANKED
from retrieval.benchmarks.rows import Document, Query, documents, qrels, queries
from retrieval.builder import Benchmark, Task
from retrieval.downsample import downsample, ndcg, preservation, tau_b


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


def test_the_order_of_systems_is_preserved() -> None:
    full, rankings = benchmark(), {f"at{place}": system(place) for place in (1, 3, 8)}
    small, _ = downsample(full, rankings, depth=12)
    found = preservation(full, small, rankings)
    assert [s.system for s in found.systems] == ["at1", "at3", "at8"]
    assert found.tau == 1
    assert found.systems[0].full == 1 and found.systems[1].full == pytest.approx(1 / log2(4))


def test_no_runs_is_an_error() -> None:
    with pytest.raises(ConfigError, match="runs"):
        downsample(benchmark(), {})


@pytest.mark.parametrize(("ranks", "value"), [((1, 2), 1.0), ((1, 57), 0.6131), ((3, 9), 0.4911)])
def test_golden_ndcg(ranks: tuple[int, int], value: float) -> None:
    ids = [f"d{n}" for n in range(1, 61)]
    judged = qrels(("q", f"d{rank}", 1) for rank in ranks)
    assert ndcg(run({"q": ids}), judged) == pytest.approx(value, abs=1e-4)


def test_a_query_that_is_not_answered_has_zero() -> None:
    assert ndcg(run({"q": ["d"]}), qrels([("q", "d", 1), ("r", "d", 1)])) == 0.5


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
