"""Connected components and their diameters, over arrays of node numbers.

Memory is a few bytes a node, and for the diameters that of one part of the graph: edges stay in the database.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FURTHEST = 64
"""Steps after which a breadth-first search stops; what is further counts as one more."""

Nodes = npt.NDArray[Any]
_Rows = tuple[Nodes, Nodes]


def separate(count: int) -> Nodes:
    """A forest of `count` nodes in which each is its own root."""
    return np.arange(count, dtype=np.uint32 if count < 1 << 32 else np.uint64)


def unite(parent: Nodes, a: Nodes, b: Nodes) -> None:
    """Join the trees of a[i] and b[i] in the forest `parent`, in place: a root is its component's smallest node.

    Every round, each root takes the smallest root that an edge joins it to as its parent, and paths are halved; the
    edges whose ends have one root are done. A path of 10,000 nodes in any order takes about 10 rounds.
    """
    while len(a):
        a, b = find(parent, a), find(parent, b)
        apart = a != b
        a, b = a[apart], b[apart]
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))


def roots(parent: Nodes) -> Nodes:
    """The root of every node; `parent` is flattened in place."""
    while True:
        above = parent[parent]
        if np.array_equal(above, parent):
            return parent
        parent[:] = above


def find(parent: Nodes, nodes: Nodes) -> Nodes:
    """The roots of some nodes; the paths to them in `parent` are shortened in place."""
    while True:
        above = parent[nodes]
        top = parent[above]
        if np.array_equal(above, top):
            return above
        parent[nodes] = top


def diameters(component: Nodes, node: Nodes, bucket: Nodes) -> tuple[Nodes, npt.NDArray[np.int32]]:
    """Steps between the two most distant nodes of each component: (components, steps).

    Two nodes are one step apart if a bucket holds both. Two breadth-first searches, from the component's smallest
    node and from the furthest node found (the smallest of these): exact where the buckets form a tree, at least half
    of the true diameter otherwise. More than FURTHEST steps are FURTHEST + 1. All components are searched at once,
    and each membership is looked at once in a search.

    Args:
        component, node, bucket: one element for each membership of a node in a bucket; `component` is the node's.
    """
    nodes, node = np.unique(node, return_inverse=True)
    buckets, bucket = np.unique(bucket, return_inverse=True)
    node, bucket = node.astype(np.int32), bucket.astype(np.int32)
    home = np.zeros(len(nodes), component.dtype)
    home[node] = component
    order = np.argsort(home, kind="stable")
    components, first = np.unique(home[order], return_index=True)
    graph = _rows(node, bucket, len(nodes)), _rows(bucket, node, len(buckets))
    steps, furthest = _furthest(_search(*graph, order[first]), order, first)
    again, _ = _furthest(_search(*graph, furthest[steps <= FURTHEST]), order, first)
    near = (steps <= FURTHEST) & (again > steps)
    steps[near] = again[near]
    return components, steps


def _rows(row: Nodes, value: Nodes, count: int) -> _Rows:
    """The values of each row, one after the other, and where each row's begin (compressed sparse rows)."""
    ends = np.cumsum(np.bincount(row, minlength=count))
    return value[np.argsort(row, kind="stable")], np.concatenate([[0], ends])


def _values(rows: _Rows, chosen: Nodes) -> Nodes:
    """The distinct values of the chosen rows."""
    values, begins = rows
    sizes = begins[chosen + 1] - begins[chosen]
    places = np.repeat(begins[chosen] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    found = np.sort(values[places])
    return found[np.flatnonzero(np.diff(found, prepend=-1))]


def _search(buckets_of: _Rows, nodes_of: _Rows, starts: Nodes) -> npt.NDArray[np.int32]:
    """Breadth-first from all `starts`: the steps to each node, FURTHEST + 1 if there are more or no way."""
    distance = np.full(len(buckets_of[1]) - 1, FURTHEST + 1, np.int32)
    reached = np.zeros(len(nodes_of[1]) - 1, np.bool_)
    distance[starts] = 0
    for step in range(1, FURTHEST + 1):
        buckets = _values(buckets_of, starts)
        buckets = buckets[~reached[buckets]]
        reached[buckets] = True
        starts = _values(nodes_of, buckets)
        starts = starts[distance[starts] > FURTHEST]
        if not len(starts):
            break
        distance[starts] = step
    return distance


def _furthest(distance: npt.NDArray[np.int32], order: Nodes, first: Nodes) -> tuple[npt.NDArray[np.int32], Nodes]:
    """Of each component the greatest distance, and the first node at it.

    `order` lists the nodes by component and `first` says where each component begins in it.
    """
    if not len(first):
        return distance, order
    ranked = distance[order]
    steps = np.maximum.reduceat(ranked, first)
    at = np.flatnonzero(ranked == np.repeat(steps, np.diff(np.append(first, len(order)))))
    return steps, order[at[np.searchsorted(at, first)]]
