from __future__ import annotations

import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.dedup import cluster

Band = tuple[str, int, int]


def clusters(texts: dict[str, str], bands: list[Band], count: int = 2) -> dict[str, tuple[str, int, str]]:
    """{id: (cluster, size, exact)} of documents {id: text} with (id, band, key) rows."""
    with duckdb.connect() as connection:
        signals = pa.table({"id": list(texts), "text_digest": list(texts.values())})
        columns = list(zip(*bands, strict=True)) or [[], [], []]
        keys = pa.table({
            "id": pa.array(columns[0], pa.string()), "band": pa.array(columns[1], pa.int16()),
            "key": pa.array(columns[2], pa.uint64()),
        })  # fmt: skip
        connection.register("signals", signals)
        connection.register("keys", keys)
        found = connection.sql(f"SELECT id, cluster, size, exact FROM {cluster(connection, 'signals', 'keys', count)}")
        rows = found.fetchall()
    assert len(rows) == len(texts), "one row a document"
    return {id: (name, size, exact) for id, name, size, exact in rows}


def united(texts: dict[str, str], bands: list[Band]) -> dict[str, tuple[str, int, str]]:
    """The same by union-find, document by document."""
    parent = {id: id for id in texts}

    def find(id: str) -> str:
        while parent[id] != id:
            id = parent[id]
        return id

    seen: dict[Any, str] = {}
    for id, band, key in [*((id, -1, text) for id, text in texts.items()), *bands]:
        a, b = sorted((find(id), find(seen.setdefault((band, key), id))))
        parent[b] = a
    members: dict[str, list[str]] = {}
    for id in texts:
        members.setdefault(find(id), []).append(id)
    return {
        id: (min(group), len(group), min(other for other in texts if texts[other] == texts[id]))
        for group in members.values()
        for id in group
    }


@st.composite
def corpora(draw: st.DrawFn) -> tuple[dict[str, str], list[Band]]:
    """Documents in any order of ids, with keys from so few that long chains and big clusters are common."""
    count = draw(st.integers(1, 30))
    ids = draw(st.permutations([f"{n:03d}" for n in range(count)]))
    digests = draw(st.lists(st.integers(0, 2 * count), min_size=count, max_size=count))
    keys = st.integers(0, draw(st.sampled_from([3, count, 4 * count])))
    bands = [(id, band, draw(keys)) for id in ids for band in (0, 1)]
    return {id: f"t{digest}" for id, digest in zip(ids, digests, strict=True)}, bands


@given(corpora())
@settings(max_examples=30, deadline=None)
def test_clusters_are_connected_components(made: tuple[dict[str, str], list[Band]]) -> None:
    texts, bands = made
    assert clusters(texts, bands) == united(texts, bands)


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_chain_is_one_cluster(shuffled: bool) -> None:
    """Documents of which only neighbours share a key: the longest path there is."""
    order = [f"{n:04d}" for n in range(500)]
    if shuffled:
        random.Random(1).shuffle(order)
    bands = [(id, n % 2, n // 2) for n, id in enumerate(order)]
    bands += [(id, (n + 1) % 2, (n + 1) // 2) for n, id in enumerate(order)]
    joined: list[Band] = []
    for n, id in enumerate(order):
        joined += [(id, 0, (n + 1) // 2), (id, 1, n // 2)]
    found = clusters({id: id for id in order}, joined)
    assert set(found.values()) == {("0000", 500, id) for id in order}
    assert found == united({id: id for id in order}, joined)


def test_equal_texts_are_one_cluster_without_any_band() -> None:
    found = clusters({"c": "x", "a": "x", "b": "y"}, [])
    assert found == {"a": ("a", 2, "a"), "c": ("a", 2, "a"), "b": ("b", 1, "b")}


def test_exact_groups_within_a_cluster() -> None:
    bands = [("a", 0, 1), ("b", 0, 1), ("c", 0, 2), ("d", 0, 2)]
    found = clusters({"a": "x", "b": "y", "c": "y", "d": "x"}, bands)
    assert found == {"a": ("a", 4, "a"), "b": ("a", 4, "b"), "c": ("a", 4, "b"), "d": ("a", 4, "a")}


def test_the_same_key_in_another_band_is_no_match() -> None:
    found = clusters({"a": "x", "b": "y"}, [("a", 0, 7), ("b", 1, 7)])
    assert {name for name, *_ in found.values()} == {"a", "b"}


def test_keys_are_64_bits_wide() -> None:
    top = 2**64 - 1
    found = clusters({"a": "x", "b": "y", "c": "z"}, [("a", 0, top), ("b", 0, top), ("c", 0, top - 1)])
    assert [found[id][:2] for id in "abc"] == [("a", 2), ("a", 2), ("c", 1)]


def test_no_documents() -> None:
    assert clusters({}, []) == {}


def edges_of_equal_keys(connection: duckdb.DuckDBPyConnection, count: int) -> int:
    """Edges made of `count` documents with the same key in one band; checks that they are one cluster."""
    connection.execute(
        f"CREATE VIEW s AS SELECT printf('%08d', i) AS id, i::TEXT AS text_digest FROM range({count}) r(i)"
    )
    connection.execute("CREATE VIEW b AS SELECT id, 0::SMALLINT AS band, 42::UBIGINT AS key FROM s")
    sql = f"SELECT count(*), count(DISTINCT cluster), min(size), max(cluster) FROM {cluster(connection, 's', 'b', 1)}"
    assert connection.execute(sql).fetchone() == (count, 1, count, "00000000")
    [edges] = connection.execute("SELECT count(*) FROM edge").fetchone() or [0]
    return int(edges)


@pytest.mark.parametrize("count", [100_000, 1_000_000])
def test_equal_keys_make_one_edge_a_document(count: int) -> None:
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        assert edges_of_equal_keys(connection, count) == count - 1
