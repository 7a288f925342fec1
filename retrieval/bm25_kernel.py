"""Compiled search of a BM25 index (numba).

bm25s does the same at the same speed, but which of equal scores it keeps at the cut depends on the order in which its
heap met them; here it is the first by place.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from filters import compiling

compiled = partial(compiling.compiled, nogil=True, error_model="numpy")


@compiled()
def search(
    data: Any, places: Any, starts: Any, terms: Any, weights: Any, ends: Any, scores: Any, found: Any,
    found_scores: Any,
) -> None:  # fmt: skip
    """Fill `found` and `found_scores` (queries, k), best first, equal scores by place.

    What a query has not found of its k places stays as it was.

    Args:
        data, places, starts: scores and places of documents by term, places ascending: a compressed sparse column
            matrix of (documents, terms).
        terms, weights, ends: distinct terms of each query, how often each stands there, and where each query ends.
        scores: (documents,) room.
        found, found_scores: k at most the number of documents.
    """
    heap = np.empty(found.shape[1], np.float32)
    kept = np.empty(len(scores), np.int32)
    for query in range(len(ends) - 1):
        scores[:] = 0
        for n in range(ends[query], ends[query + 1]):
            weight = weights[n]
            for i in range(starts[terms[n]], starts[terms[n] + 1]):
                scores[places[i]] += weight * data[i]
        size = _at_least(scores, _kth_best(scores, heap), kept)
        best = np.argsort(-scores[kept[:size]], kind="mergesort")[: len(heap)]
        for i in range(len(best)):
            found[query, i] = kept[best[i]]
            found_scores[query, i] = scores[kept[best[i]]]


@compiled()
def _kth_best(scores: Any, heap: Any) -> float:
    """The k-th best score; `heap` is room for k numbers."""
    k = len(heap)
    for i in range(k):
        heap[i] = scores[i]
    for start in range(k // 2 - 1, -1, -1):
        _sink(heap, start)
    least = heap[0]
    for i in range(k, len(scores)):
        if scores[i] > least:
            heap[0] = scores[i]
            _sink(heap, 0)
            least = heap[0]
    return float(least)


@compiled()
def _sink(heap: Any, at: int) -> None:
    value = heap[at]
    while True:
        child = 2 * at + 1
        if child >= len(heap):
            break
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@compiled()
def _at_least(scores: Any, least: float, kept: Any) -> int:
    """List the documents with at least this score, and more than zero; how many there are."""
    size = 0
    for i in range(len(scores)):
        if scores[i] >= least and scores[i] > 0:
            kept[size] = i
            size += 1
    return size


@compiled()
def pairs(
    data: Any, places: Any, starts: Any, terms: Any, weights: Any, ends: Any, rows: Any, documents: Any,
    scores: Any,
) -> None:  # fmt: skip
    """Add to `scores` what the document at `documents[i]` scores for the query in `rows[i]`."""
    for i in range(len(rows)):
        for n in range(ends[rows[i]], ends[rows[i] + 1]):
            first, last = starts[terms[n]], starts[terms[n] + 1]
            at = first + np.searchsorted(places[first:last], documents[i])
            if at < last and places[at] == documents[i]:
                scores[i] += weights[n] * data[at]
