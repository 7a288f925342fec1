"""Intervals cover what they should, clusters widen them, and the test of a difference is exact."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.intervals import Interval, clusters, difference, intervals


def column(*values: float) -> np.ndarray:
    return np.array(values, float)[:, None]


def test_an_interval_by_hand() -> None:
    values = np.array([0.0, 1, 1, 0, 1, 1, 1, 0])
    found = intervals(values[:, None], np.arange(8), resamples=20_000)[0]
    # The sum of eight draws is binomial with p = 5/8: P(at most 1) = .006, at most 2 .036, at most 6 .865, 7 .977.
    assert found == Interval(0.625, 0.25, 0.875, 8)


def test_the_interval_of_a_normal_mean() -> None:
    values = np.random.default_rng(5).normal(3, 2, 400)
    _, low, high, _ = intervals(values[:, None], np.arange(400), resamples=4_000)[0]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_coverage_with_and_without_clusters() -> None:
    """Works of ten like queries: drawn by work, the interval holds the truth as often as it says; by query, not."""
    generator = np.random.default_rng(7)
    inside = {"works": 0, "queries": 0}
    for _ in range(200):
        work = np.repeat(np.arange(40), 10)
        values = (generator.normal(0, 1, 40)[work] + generator.normal(0, 0.3, 400))[:, None]
        for name, cluster in (("works", work), ("queries", np.arange(400))):
            _, low, high, _ = intervals(values, cluster, resamples=200)[0]
            inside[name] += low <= 0 <= high
    assert 0.88 * 200 <= inside["works"] <= 0.99 * 200
    assert inside["queries"] < 0.7 * 200


def test_what_does_not_apply_does_not_count() -> None:
    values = np.array([[1, np.nan, np.nan], [0, 0.5, np.nan], [1, np.nan, np.nan], [0, 0.5, np.nan]])
    first, second, third = intervals(values, np.array([0, 1, 2, 1]))
    assert (first.value, first.queries) == (0.5, 4)
    assert (second.value, second.queries) == (0.5, 2)
    assert math.isnan(second.low) and math.isnan(second.high), "one work says nothing of how works vary"
    assert math.isnan(third.value) and third.queries == 0


def test_a_column_is_the_same_alone_and_among_others() -> None:
    generator = np.random.default_rng(2)
    values, cluster = generator.random((50, 3)), generator.integers(0, 20, 50)
    together = intervals(values, cluster)
    assert intervals(values, cluster) == together
    assert intervals(values[:, 1:2], cluster)[0] == pytest.approx(together[1])
    assert intervals(values, cluster, seed=2) != together


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), max_size=30))
def test_an_interval_lies_within_the_values(rows: list[tuple[float, int]]) -> None:
    values, cluster = column(*(v for v, _ in rows)).reshape(-1, 1), np.array([c for _, c in rows], np.int64)
    value, low, high, queries = intervals(values, cluster, resamples=50)[0]
    assert queries == len(rows)
    if rows:
        assert min(values) - 1e-9 <= value <= max(values) + 1e-9
    if len(set(cluster.tolist())) > 1:
        assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_more_resamples_than_fit_at_once() -> None:
    values, cluster = np.random.default_rng(1).random((6_000, 1)), np.arange(6_000)
    _, low, high, queries = intervals(values, cluster)[0]
    half = 1.96 * values.std() / 6_000**0.5
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)
    assert queries == 6_000
    assert 0 < difference(values[:, 0], values[::-1, 0], cluster).p <= 1


def test_clusters_are_works() -> None:
    found = clusters(["a", None, "b", "a", None, "query 1"])
    assert found[0] == found[3]
    assert len(set(found.tolist())) == 5
    assert clusters([]).tolist() == []


def test_the_p_of_a_difference_is_that_of_all_exchanges() -> None:
    generator = np.random.default_rng(4)
    first, second = generator.random(9), generator.random(9) * 0.7
    found = difference(first, second, np.arange(9), resamples=40_000)
    gaps = first - second
    signs = np.array(list(itertools.product((-1, 1), repeat=9)))
    exact = (np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-12).mean()
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.value == pytest.approx(gaps.mean())
    assert found.low < found.value < found.high


def test_clusters_change_places_together() -> None:
    first, second = np.ones(40), np.zeros(40)
    assert difference(first, second, np.arange(40)).p < 0.002
    assert difference(first, second, np.arange(40) // 20).p == pytest.approx(0.5, abs=0.06)


def test_no_difference() -> None:
    same = np.random.default_rng(1).random(20)
    assert difference(same, same, np.arange(20)) == (0, 0, 0, 1, 20)
    assert difference(np.array([]), np.array([]), np.array([], np.int64)).queries == 0
    nothing = difference(np.full(3, np.nan), np.ones(3), np.arange(3))
    assert math.isnan(nothing.p) and nothing.queries == 0
