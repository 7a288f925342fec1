"""How sure a mean over queries is: bootstrap intervals, and tests of the difference between two systems.

Queries that were made from one work are alike, so works are drawn, with all their queries: treating such queries as
independent makes intervals too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 1_000
_CELLS = 4_000_000


class Interval(NamedTuple):
    value: float
    """The mean; NaN without any value."""
    low: float
    """NaN when fewer than two clusters have a value: then nothing is known of how it varies."""
    high: float
    queries: int
    """How many values it is the mean of."""


class Difference(NamedTuple):
    value: float
    """Mean of the first system's values minus the second's."""
    low: float
    high: float
    p: float
    """Two-sided, of the null hypothesis that the two are interchangeable."""
    queries: int


def clusters(works: Sequence[str | None]) -> NDArray[np.int64]:
    """Of each query the number of its cluster: its work; a query without a work is one of its own."""
    names = [f"work {work}" if work is not None else f"query {n}" for n, work in enumerate(works)]
    return np.unique(np.array(names, dtype=object), return_inverse=True)[1] if names else np.zeros(0, np.int64)


def intervals(
    values: Floats, cluster: NDArray[np.int64], level: float = 0.95, resamples: int = RESAMPLES, seed: int = 1
) -> list[Interval]:
    """Percentile intervals of the means of columns; where all values are equal an interval has no width.

    Args:
        values: queries by measures; NaN: the measure does not apply to the query, and does not count.
        cluster: of each query (see `clusters`).
        level: share of resamples within the interval.
        resamples: how many.
        seed: the same values, clusters and seed give the same intervals.
    """
    sums, counts = _per_cluster(values, cluster)
    alive = counts.sum(axis=1) > 0
    sums, counts = sums[alive], counts[alive]
    means = np.full((resamples, values.shape[1]), np.nan)
    for rows, weights in _draws(len(sums), resamples, seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            means[rows] = (weights @ sums) / (weights @ counts)
    found = []
    for column in range(values.shape[1]):
        total = counts[:, column].sum()
        value = float(sums[:, column].sum() / total) if total else np.nan
        sure = int((counts[:, column] > 0).sum()) > 1
        low, high = _bounds(means[:, column], level) if sure else (np.nan, np.nan)
        found.append(Interval(value, low, high, int(total)))
    return found


def difference(
    first: Floats, second: Floats, cluster: NDArray[np.int64], level: float = 0.95, resamples: int = RESAMPLES,
    seed: int = 1,
) -> Difference:  # fmt: skip
    """The paired difference between two systems over the same queries in the same order.

    The interval is that of `intervals` over the differences; p is that of the randomisation test (Smucker, Allan and
    Carterette 2007), in which the two systems change places in all queries of a cluster together.
    """
    differences = (first - second)[:, None]
    interval = intervals(differences, cluster, level, resamples, seed)[0]
    sums, counts = _per_cluster(differences, cluster)
    sums = sums[counts[:, 0] > 0, 0]
    if not len(sums):
        return Difference(np.nan, np.nan, np.nan, np.nan, 0)
    generator = np.random.default_rng(seed)
    as_far, reach = 0, abs(sums.sum()) - 1e-12 * np.abs(sums).sum()
    for low, high in _parts(len(sums), resamples):
        signs = generator.integers(0, 2, size=(high - low, len(sums)), dtype=np.int8) * 2.0 - 1
        as_far += int((np.abs(signs @ sums) >= reach).sum())
    return Difference(interval.value, interval.low, interval.high, (as_far + 1) / (resamples + 1), interval.queries)


def _per_cluster(values: Floats, cluster: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Sums and counts of the values, clusters by measures."""
    size = int(cluster.max(initial=-1)) + 1
    known = ~np.isnan(values)
    columns = range(values.shape[1])
    sums = [np.bincount(cluster, np.where(known[:, c], values[:, c], 0.0), minlength=size) for c in columns]
    counts = [np.bincount(cluster, known[:, c].astype(float), minlength=size) for c in columns]
    return np.stack(sums, axis=1), np.stack(counts, axis=1)


def _draws(size: int, resamples: int, seed: int) -> Iterator[tuple[slice, Floats]]:
    """How often each cluster is drawn, resamples by clusters, in parts that fit in memory."""
    if not size:
        return
    generator = np.random.default_rng(seed)
    for low, high in _parts(size, resamples):
        drawn = generator.integers(0, size, size=(high - low, size)) + np.arange(high - low)[:, None] * size
        yield slice(low, high), np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)


def _parts(size: int, resamples: int) -> Iterator[tuple[int, int]]:
    step = max(1, _CELLS // size)
    for low in range(0, resamples, step):
        yield low, min(low + step, resamples)


def _bounds(means: NDArray[Any], level: float) -> tuple[float, float]:
    low, high = np.nanpercentile(means, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)
