from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.components import diameters, find, roots, separate, unite

Edges = list[tuple[int, int]]
graphs = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


def components(count: int, *batches: Edges) -> list[int]:
    parent = separate(count)
    for edges in batches:
        pairs = np.array(edges, parent.dtype).reshape(-1, 2)
        unite(parent, pairs[:, 0], pairs[:, 1])
    found: list[int] = roots(parent).tolist()
    return found


@given(graphs, graphs)
def test_the_root_is_the_smallest_node_of_the_component(first: Edges, second: Edges) -> None:
    label = list(range(20))
    for a, b in first + second:
        low, high = sorted((label[a], label[b]))
        label = [low if x == high else x for x in label]
    assert components(20, first, second) == components(20, second + first) == label


@given(graphs, st.lists(st.integers(0, 19)))
def test_the_roots_of_some_nodes_are_those_among_all(edges: Edges, some: list[int]) -> None:
    parent = separate(20)
    pairs = np.array(edges, parent.dtype).reshape(-1, 2)
    unite(parent, pairs[:, 0], pairs[:, 1])
    found = find(parent, np.array(some, np.int64))
    assert found.tolist() == roots(parent)[np.array(some, np.int64)].tolist()


@pytest.mark.parametrize("order", ["up", "down", "shuffled"])
def test_long_paths_and_hubs(order: str) -> None:
    count = 100_000
    nodes = {"up": np.arange(count), "down": np.arange(count)[::-1],
             "shuffled": np.random.default_rng(1).permutation(count)}[order]  # fmt: skip
    parent = separate(count)
    unite(parent, nodes[:-1].astype(parent.dtype), nodes[1:].astype(parent.dtype))
    assert not roots(parent).any()
    parent = separate(count)
    unite(parent, nodes.astype(parent.dtype), np.full(count, nodes[-1], parent.dtype))
    assert not roots(parent).any()


def steps(memberships: Edges) -> dict[int, int]:
    """{component: diameter} of (node, bucket) rows, the components computed here."""
    buckets: dict[int, list[int]] = {}
    for node, bucket in memberships:
        buckets.setdefault(bucket, []).append(node)
    label = components(100, [(own[0], other) for own in buckets.values() for other in own])
    node, bucket = (np.array(column) for column in zip(*memberships, strict=True))
    found, far = diameters(np.array(label)[node], node, bucket)
    return dict(zip(found.tolist(), far.tolist(), strict=True))


def test_diameters() -> None:
    assert steps([(4, 0), (5, 0), (6, 0)]) == {4: 1}, "one bucket"
    assert steps([(1, 0), (2, 0), (2, 1), (3, 1), (7, 5), (8, 5)]) == {1: 2, 7: 1}, "two components"
    assert steps([(9, k) for k in range(3)] + [(k, k) for k in range(3)]) == {0: 2}, "a star"
    assert steps([(50, 0), (1, 0), (50, 1), (60, 1), (60, 2), (2, 2), (2, 3), (70, 3)]) == {1: 4}
    assert steps([(3, 0)]) == {3: 0}
    ring = [(node, bucket) for bucket in range(10) for node in (bucket, (bucket + 1) % 10)]
    assert steps(ring) == {0: 5}


def test_a_branch_may_be_longer_than_what_the_smallest_node_sees() -> None:
    """0 is in the middle of a path of 41 nodes: the second search finds both ends."""
    path = [*range(20, 0, -1), 0, *range(21, 41)]
    assert steps([(node, k) for k in range(40) for node in path[k : k + 2]]) == {0: 40}


def test_no_memberships() -> None:
    none = np.zeros(0, np.uint32)
    assert [len(column) for column in diameters(none, none, none)] == [0, 0]
