from __future__ import annotations

import itertools
import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from filters import dedup
from filters.dedup import Settings, _whole, act_version, cluster, edges, keys, number
from filters.verification import jaccard

Row = dict[str, Any]
MEMBERS = ("id", "source", "language", "text_digest", "payload_digest", "url_key")


def relation(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> str:
    """The members as `cluster` takes them; a digest that a row does not name is null, the text's its id."""
    filled = [{"text_digest": row["id"], **row} for row in rows]
    table = {name: pa.array([row.get(name) for row in filled], pa.string()) for name in MEMBERS}
    connection.register("members", pa.table(table))
    connection.register("bands", pa.table({
        "id": pa.array([row["id"] for row in rows if "keys" in row], pa.string()),
        "keys": pa.array([row["keys"] for row in rows if "keys" in row], pa.list_(pa.uint64())),
    }))  # fmt: skip
    connection.register("texts", pa.table({
        "id": pa.array([row["id"] for row in rows], pa.string()),
        "text": pa.array([row.get("text") for row in rows], pa.string()),
    }))  # fmt: skip
    return "members"


def clusters(rows: list[Row], settings: Settings | None = None) -> dict[str, Row]:
    """{id: cluster, size, diameter, exact, same_url}; `keys` of the rows are two unless settings say otherwise."""
    with duckdb.connect() as connection:
        made = cluster(connection, relation(connection, rows), "bands", settings or Settings(2, 1), "texts")
        found = connection.sql(f"SELECT * FROM {made}").to_arrow_table().to_pylist()
    assert sorted(row["id"] for row in found) == sorted(row["id"] for row in rows), "one row a member"
    return {row.pop("id"): row for row in found}


def names(rows: list[Row], settings: Settings | None = None) -> dict[str, str]:
    return {id: row["cluster"] for id, row in clusters(rows, settings).items()}


def component(pairs: set[tuple[str, str]], start: str) -> dict[str, int]:
    """Everything reached from `start`, with the steps it takes."""
    beside: dict[str, set[str]] = {}
    for a, b in pairs:
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    steps, queue = {start: 0}, [start]
    for node in queue:
        for other in beside.get(node, set()) - steps.keys():
            steps[other] = steps[node] + 1
            queue.append(other)
    return steps


def candidates(rows: list[Row]) -> set[tuple[str, str]]:
    """Pairs of texts (by digest) that share a band."""
    return {
        (x["text_digest"], y["text_digest"])
        for x, y in itertools.permutations(rows, 2)
        if x["text_digest"] < y["text_digest"] and any(a == b for a, b in zip(x["keys"], y["keys"], strict=True))
    }


def check(rows: list[Row], pairs: set[tuple[str, str]], found: dict[str, Row], exact_steps: bool) -> None:
    """Compare with a search, document by document."""
    for row in rows:
        steps = component(pairs, row["text_digest"])
        members = [other["id"] for other in rows if other["text_digest"] in steps]
        mine = found[row["id"]]
        assert (mine["cluster"], mine["size"]) == (min(members), len(members))
        assert mine["exact"] == min(r["id"] for r in rows if r["text_digest"] == row["text_digest"])
        true = max(max(component(pairs, text).values()) for text in steps)
        if exact_steps:
            assert true / 2 <= mine["diameter"] <= true
        else:
            assert mine["diameter"] >= (len(steps) > 1)


@st.composite
def corpora(draw: st.DrawFn) -> list[Row]:
    """Documents of two or three short texts' words, with keys from so few that chains and big clusters are common."""
    count = draw(st.integers(1, 30))
    few = draw(st.sampled_from([2, count, 4 * count]))
    vocabulary = "abcdefgh"[: draw(st.sampled_from([2, 8]))]
    dice = random.Random(draw(st.integers(0, 2**32)))
    texts = [" ".join(dice.choices(vocabulary, k=dice.randint(5, 9))) for _ in range(count)]
    drawn = {text: [dice.randrange(few), dice.randrange(few)] for text in texts}
    ids = [f"{n:03d}" for n in range(count)]
    dice.shuffle(ids)
    return [
        {"id": id, "text_digest": text, "text": text, "keys": drawn[text]} for id, text in zip(ids, texts, strict=True)
    ]


@given(corpora())
@examples(max_examples=12, deadline=None)
def test_clusters_are_connected_components(rows: list[Row]) -> None:
    check(rows, candidates(rows), clusters(rows), exact_steps=True)


@given(corpora(), st.sampled_from([0.1, 0.34, 0.8]))
@examples(max_examples=12, deadline=None)
def test_verified_clusters_are_components_of_similar_candidates(rows: list[Row], least: float) -> None:
    similar = {pair for pair in candidates(rows) if jaccard(*pair) >= least}
    check(rows, similar, clusters(rows, Settings(2, 1, verify=least)), exact_steps=False)


@given(corpora(), st.randoms())
@examples(max_examples=3, deadline=None)
def test_the_order_of_rows_decides_nothing(rows: list[Row], dice: random.Random) -> None:
    for settings in (Settings(2, 1), Settings(2, 1, verify=0.3)):
        first = clusters(rows, settings)
        dice.shuffle(rows)
        assert clusters(rows, settings) == first


def chain(count: int, shuffled: bool = False) -> list[Row]:
    """Documents of which only neighbours share a key: the longest path there is."""
    order = [f"{n:05d}" for n in range(count)]
    if shuffled:
        random.Random(1).shuffle(order)
    return [{"id": id, "keys": [(n + 1) // 2, n // 2]} for n, id in enumerate(order)]


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("count", "diameter"), [(1, 0), (2, 1), (3, 2), (65, 64), (66, 65), (10_000, 65)])
def test_a_chain_is_one_cluster_and_its_length_is_seen(count: int, diameter: int, shuffled: bool) -> None:
    found = clusters(chain(count, shuffled))
    assert {(row["cluster"], row["size"], row["diameter"]) for row in found.values()} == {("00000", count, diameter)}


def test_a_component_too_large_to_measure_is_as_wide_as_the_widest(monkeypatch: pytest.MonkeyPatch) -> None:
    path = [{"id": f"a{k}", "keys": [k // 2, 100 + (k + 1) // 2]} for k in range(10)]
    small = [{"id": f"b{k}", "keys": [200 + k // 2, 300 + (k + 1) // 2]} for k in range(3)]
    for largest, wide in ((18, 9), (17, 65)):
        monkeypatch.setattr(dedup, "LARGEST", largest)
        found = clusters(path + small)
        assert {(row["cluster"], row["size"], row["diameter"]) for row in found.values()} == {
            ("a0", 10, wide), ("b0", 3, 2),
        }  # fmt: skip


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_components_are_read_whole(batch: int) -> None:
    sizes = [3, 1, 12, 3, 9]
    columns = [pa.array([n for n, size in enumerate(sizes) for _ in range(size)]), pa.array(range(sum(sizes)))]
    table = pa.table(columns, names=["root", "n"])
    parts = list(_whole(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=batch))))
    assert [value for part in parts for value in part[1].tolist()] == list(range(sum(sizes)))
    assert sum(len(set(part[0].tolist())) for part in parts) == len(sizes)


def test_a_star_has_two_steps_and_a_bucket_one() -> None:
    star = [{"id": "hub", "keys": [1, 2, 3]}, *({"id": f"{n}", "keys": [10 + n, 20 + n, 30 + n]} for n in range(3))]
    for n in range(3):
        star[n + 1]["keys"][n] = n + 1
    found = clusters(star, Settings(3, 1))
    assert {(row["size"], row["diameter"]) for row in found.values()} == {(4, 2)}
    bucket = clusters([{"id": f"{n}", "keys": [7, n]} for n in range(5)])
    assert {(row["size"], row["diameter"]) for row in bucket.values()} == {(5, 1)}


def test_copies_of_one_text_are_no_step_apart() -> None:
    rows = [{"id": id, "text_digest": text, "keys": keys} for id, text, keys in (
        ("a", "x", [1, 2]), ("b", "x", [1, 2]), ("c", "y", [1, 3]), ("d", "y", [1, 3]), ("e", "z", [8, 9]),
        ("f", "z", [8, 9]),
    )]  # fmt: skip
    found = clusters(rows)
    assert [tuple(found[id].values()) for id in "abcdef"] == [
        ("a", 4, 1, "a", None), ("a", 4, 1, "a", None), ("a", 4, 1, "c", None), ("a", 4, 1, "c", None),
        ("e", 2, 0, "e", None), ("e", 2, 0, "e", None),
    ]  # fmt: skip


def test_equal_texts_are_one_cluster_without_any_band() -> None:
    rows = [{"id": "c", "text_digest": "x"}, {"id": "a", "text_digest": "x"}, {"id": "b"}]
    assert names(rows) == {"a": "a", "c": "a", "b": "b"}
    assert clusters(rows)["c"]["exact"] == "a"


def test_a_copy_without_keys_lends_its_number_to_one_with_keys() -> None:
    rows = [
        {"id": "a", "text_digest": "x"},
        {"id": "b", "text_digest": "x", "keys": [1, 2]},
        {"id": "c", "keys": [1, 3]},
    ]
    assert set(names(rows).values()) == {"a"}


def test_only_what_the_settings_name_makes_duplicates() -> None:
    rows = [
        {"id": "a", "text_digest": "x", "payload_digest": "p", "url_key": "u", "keys": [1, 1]},
        {"id": "b", "text_digest": "x", "payload_digest": "q"},
        {"id": "c", "text_digest": "y", "payload_digest": "p"},
        {"id": "d", "text_digest": "z", "url_key": "u"},
        {"id": "e", "text_digest": "w", "keys": [1, 2]},
    ]
    with_a = {by: "".join(id for id, name in names(rows, Settings(2, 1, by=(by,))).items() if name == "a") for by in
              ("text", "payload", "url", "near")}  # fmt: skip
    assert {by: "".join(sorted(ids)) for by, ids in with_a.items()} == {
        "text": "ab", "payload": "ac", "url": "ad", "near": "ae",
    }  # fmt: skip
    assert len(set(names(rows, Settings(2, 1, by=("payload", "url", "text", "near"))).values())) == 1
    assert {id: row["same_url"] for id, row in clusters(rows, Settings(2, 1, by=("url",))).items()} == {
        "a": "a", "b": "b", "c": "c", "d": "a", "e": "e",
    }  # fmt: skip


def test_steps_over_addresses_and_payloads_count_too() -> None:
    """a and b have one address, b and c one payload, and a copy of c's text has one address with d."""
    rows = [
        {"id": "a", "url_key": "1"}, {"id": "b", "url_key": "1", "payload_digest": "p"},
        {"id": "c", "text_digest": "t", "payload_digest": "p"}, {"id": "c2", "text_digest": "t", "url_key": "2"},
        {"id": "d", "url_key": "2"},
    ]  # fmt: skip
    found = clusters(rows, Settings(2, 1, by=("payload", "url", "text")))
    assert {(row["cluster"], row["size"], row["diameter"]) for row in found.values()} == {("a", 5, 3)}


@pytest.mark.parametrize(("scope", "column"), [("language", "language"), ("source", "source")])
def test_a_scope_keeps_its_values_apart(scope: Any, column: str) -> None:
    same = {"text_digest": "x", "keys": [1, 2], "url_key": "u", "payload_digest": "p"}
    values = {"a": "fr", "b": "en", "c": None, "d": "fr", "e": None}
    rows = [{"id": id, column: value, **same} for id, value in values.items()]
    found = clusters(rows, Settings(2, 1, scope, by=("payload", "url", "text", "near")))
    assert {id: (row["cluster"], row["exact"], row["same_url"]) for id, row in found.items()} == {
        id: (least,) * 3 for id, least in {"a": "a", "b": "b", "c": "c", "d": "a", "e": "c"}.items()
    }
    assert set(names(rows).values()) == {"a"}


def test_keys_of_other_parameters_are_not_compared() -> None:
    rows = [{"id": "a", "keys": [7, 8]}, {"id": "b", "keys": [7, 8, 9]}, {"id": "c", "keys": []}, {"id": "d"},
            {"id": "e", "keys": [1, 7]}]  # fmt: skip
    assert names(rows) == {id: id for id in "abcde"}


def test_keys_are_64_bits_wide() -> None:
    top = 2**64 - 1
    rows = [{"id": id, "keys": [key, n]} for n, (id, key) in enumerate([("a", top), ("b", top), ("c", top - 1)])]
    assert names(rows) == {"a": "a", "b": "a", "c": "c"}


def test_no_documents() -> None:
    assert clusters([]) == {}
    assert clusters([], Settings(2, 1, by=("payload", "url", "text", "near"), verify=0.5)) == {}


def test_to_verify_takes_texts() -> None:
    with duckdb.connect() as connection, pytest.raises(ValueError, match="texts"):
        cluster(connection, relation(connection, []), "bands", Settings(2, 1, verify=0.5))


def test_a_bucket_of_unlike_texts_does_not_hide_a_like_pair() -> None:
    """The smallest member is like none of the others, and these are like each other two by two."""
    texts = {f"{n:02d}": f"one two three four five {n // 2} a b c d e f g h" if n else "zz" for n in range(21)}
    rows = [
        {"id": id, "text": text, "text_digest": f"{text} {int(id) % 2}", "keys": [1, 2]} for id, text in texts.items()
    ]
    found = names(rows, Settings(2, 1, verify=0.9))
    assert len(set(found.values())) == 12
    assert found["05"] == found["04"] == "04"


def test_verifying_a_hot_bucket_of_unlike_texts_is_linear() -> None:
    rows = [{"id": f"{n:04d}", "text": f"only {n} words", "keys": [1, 1]} for n in range(2_000)]
    rows[-1] |= {"text": rows[0]["text"], "text_digest": rows[0]["id"]}
    with duckdb.connect() as connection:
        made = cluster(connection, relation(connection, rows), "bands", Settings(2, 1, verify=0.5), "texts")
        assert connection.sql(f"SELECT count(DISTINCT cluster) FROM {made}").fetchall() == [(1_999,)]
        [(pairs,)] = connection.execute("SELECT count(*) FROM tried").fetchall()
    assert pairs < 10 * len(rows)


def test_edges_of_a_band_can_be_a_task_of_its_own(tmp_path: Any) -> None:
    """A band's edges need its columns of the numbered keys only, wherever these are."""
    rows, file = [{"id": id, "keys": [n // 2, 5]} for n, id in enumerate("dbca")], tmp_path / "k0.parquet"
    with duckdb.connect() as connection:
        number(connection, relation(connection, rows), Settings(2, 1))
        keys(connection, "bands", Settings(2, 1))
        connection.execute(f"COPY (SELECT n, scope, k0 FROM key) TO '{file}'")
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT a, b FROM {edges(repr(str(file)), 0)} ORDER BY ALL").fetchall()
    assert found == [(2, 0), (3, 1)]


@pytest.mark.parametrize(("count", "digest", "made"), [(1_000_000, "i::TEXT", 1), (500_000, "'x'", 0)])
def test_equal_keys_make_one_edge_a_text(count: int, digest: str, made: int) -> None:
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(f"""
            CREATE VIEW m AS SELECT printf('%08d', i) AS id, 's' AS source, 'en' AS language, {digest} AS text_digest,
                NULL::TEXT AS payload_digest, NULL::TEXT AS url_key FROM range({count}) r(i);
            CREATE VIEW b AS SELECT id, [42::UBIGINT] AS keys FROM m;
        """)
        found = cluster(connection, "m", "b", Settings(1, 1))
        sql = f"SELECT count(*), count(DISTINCT cluster), min(size), max(cluster), max(diameter) FROM {found}"
        assert connection.execute(sql).fetchall() == [(count, 1, count, "00000000", made)]
        assert connection.execute("SELECT count(*) FROM edge").fetchall() == [(made * (count - 1),)]


@pytest.mark.parametrize(
    ("celex", "act", "version"),
    [
        ("32016R0679", "2016R0679", "original"),
        ("02016R0679-20160504", "2016R0679", "20160504"),
        ("32006D0567(01)", "2006D0567(01)", "original"),
        ("02006D0567(01)-20070101", "2006D0567(01)", "20070101"),
        ("31958Q1006", "1958Q1006", "original"),
        *((other, None, None) for other in (
            "32016R0679R(01)", "02016R0679R(01)-20160504", "32016R0679R(01)-20160504", "02016R0679", "52012PC0011",
            "62014CJ0362", "22006D0130", "12012E/TXT", "12012M-TXT", "32016R0679 ", "x32016R0679", "", None,
            "02016R0679-2016050", "32016R0679-20160504", "32016R0679\n",
        )),
    ],
)  # fmt: skip
def test_versions_of_one_act(celex: str | None, act: str | None, version: str | None) -> None:
    expressions = ", ".join(act_version("celex"))
    assert duckdb.execute(f"SELECT {expressions} FROM (SELECT ?::TEXT AS celex)", [celex]).fetchall() == [
        (act, version)
    ]
