from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from corpora import THRESHOLDS
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.judge import verdicts
from catalog.schema import CLUSTERS, DOCUMENTS, SIGNALS, VERDICTS
from filters.verdicts import PRESETS

Row = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def judge(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], thresholds: list[Row] | None = None
) -> dict[str, Row]:
    """The verdict on each of `rows`: documents with their signals, `cluster` and `exact` (default: alone)."""
    texts = [row for row in rows if row.get("error") is None and not row.get("empty")]
    clusters = [{"cluster": r["id"], "exact": r["id"], "size": 1, **r} for r in texts]
    for name, schema, held in (("d", DOCUMENTS, rows), ("s", SIGNALS, texts), ("c", CLUSTERS, clusters)):
        columns = {column: [row.get(column) for row in held] for column in schema.names}
        connection.register(name, pa.table(columns, schema=schema))
    found = connection.sql("FROM " + verdicts("d", "s", "c", THRESHOLDS if thresholds is None else thresholds))
    assert found.columns == VERDICTS.names
    listed = found.to_arrow_table().to_pylist()
    assert sorted(v["id"] for v in listed) == sorted(row["id"] for row in rows), "exactly one verdict a document"
    return {verdict["id"]: verdict for verdict in listed}


def good(id: str, **columns: Any) -> Row:
    return {"id": id, "quality": 0.5, "chars": 500, "words": 100, "language_score": 0.9, **columns}


def outcome(verdict: Row) -> tuple[Any, ...]:
    return verdict["keep"], verdict["stage"], verdict["reason"], verdict["duplicate_of"]


def limit(signal: str, op: str, value: float, stage: str = "quality") -> Row:
    return {"position": 0, "stage": stage, "signal": signal, "op": op, "value": value, "reason": f"{signal}{op}{value}"}


KEPT = (True, None, None, None)


def test_each_way_to_be_lost(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(
        connection,
        [
            good("kept"),
            {"id": "failed", "error": "broken"},
            {"id": "empty", "empty": True},
            good("foreign", language_score=0.1, words=1),
            good("short", words=49),
            good("lossy", order_recall=0.2),
        ],
    )
    assert {id: outcome(verdict) for id, verdict in found.items()} == {
        "kept": KEPT,
        "failed": (False, "extract", "failed", None),
        "empty": (False, "extract", "empty", None),
        "foreign": (False, "language", "language_score<0.5", None),
        "short": (False, "quality", "words<50", None),
        "lossy": (False, "fidelity", "order_recall<0.3", None),
    }


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"quality": 0.6}, {"quality": 0.5, "chars": 900, "date": "2024-01-01"}),
        ({"quality": 0.1, "chars": 1}, {"quality": None, "chars": 900}),
        ({"chars": 501}, {"chars": 500, "date": "2024-01-01"}),
        ({"date": "2024-01-02"}, {"date": "2024-01-01"}),
        ({"date": "2023-06-01"}, {"date": "2023"}),
        ({"date": "2023"}, {}),
        ({"fetched": datetime(2024, 1, 2, tzinfo=UTC)}, {"fetched": datetime(2024, 1, 1, tzinfo=UTC)}),
        ({"fetched": datetime(2024, 1, 2, tzinfo=UTC)}, {"date": "2024-01-01"}),
        ({"date": "2024-01-02"}, {"date": "2024-01-01", "fetched": datetime(2025, 1, 1, tzinfo=UTC)}),
    ],
)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_best_of_a_cluster_stays(
    connection: duckdb.DuckDBPyConnection, better: Row, worse: Row, names: tuple[str, str]
) -> None:
    first, second = names
    found = judge(connection, [good(first, cluster="a", **better), good(second, cluster="a", **worse)])
    assert outcome(found[first]) == KEPT
    assert outcome(found[second]) == (False, "dedup", "near-duplicate", first)


def test_the_smaller_id_decides_between_equals(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(connection, [good(id, cluster="a") for id in ("c", "a", "b")])
    assert [id for id in found if found[id]["keep"]] == ["a"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_machine_s_time_zone_decides_nothing(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    rows = [
        good("a", cluster="a", date="2024-01-01"),
        good("b", cluster="a", fetched=datetime(2024, 1, 1, 23, tzinfo=UTC)),
        good("c", cluster="c", fetched=datetime(2024, 1, 1, 1, tzinfo=UTC)),
        good("d", cluster="c", date="2024-01-01"),
    ]
    connection.execute(f"SET TimeZone = '{zone}'")
    found = judge(connection, rows)
    assert [id for id in "abcd" if found[id]["keep"]] == ["a", "c"]


def test_a_member_that_fails_does_not_take_its_cluster_with_it(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        good("a", cluster="a", exact="a", quality=0.9, words=10),
        good("b", cluster="a", exact="a", quality=0.8),
        good("c", cluster="a", exact="c", quality=0.7),
        good("d", cluster="a", exact="a", quality=0.6),
        good("e", cluster="a", exact="c", quality=0.5, language_score=0.1),
    ]
    assert {id: outcome(verdict) for id, verdict in judge(connection, rows).items()} == {
        "a": (False, "quality", "words<50", None),
        "b": KEPT,
        "c": (False, "dedup", "near-duplicate", "b"),
        "d": (False, "dedup", "exact-copy", "b"),
        "e": (False, "language", "language_score<0.5", None),
    }


def test_a_signal_that_is_null_passes(connection: duckdb.DuckDBPyConnection) -> None:
    thresholds = [limit("lcs", ">=", 0.9), limit("stop_words", ">=", 2), limit("lorem_ipsum", "<=", 0)]
    assert outcome(judge(connection, [good("a")], thresholds)["a"]) == KEPT


def test_a_boolean_signal_counts_as_0_or_1(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(
        connection, [good("a", lorem_ipsum=True), good("b", lorem_ipsum=False)], [limit("lorem_ipsum", "<=", 0)]
    )
    assert (found["a"]["keep"], found["b"]["keep"]) == (False, True)


@given(value=st.floats(0, 1, allow_subnormal=False), op=st.sampled_from([">=", "<="]))
@settings(max_examples=25, deadline=None)
def test_a_stored_signal_equals_the_threshold_it_was_rounded_from(
    connection: duckdb.DuckDBPyConnection, value: float, op: str
) -> None:
    assert judge(connection, [good("a", quality=value)], [limit("quality", op, value)])["a"]["keep"]


@pytest.mark.parametrize("value", [0.3, 0.1, 0.65, 0.7, 1e-7])
def test_the_next_float_on_either_side_is_told_apart(connection: duckdb.DuckDBPyConnection, value: float) -> None:
    import numpy as np

    held = np.float32(value)
    below, above = float(np.nextafter(held, np.float32(-1))), float(np.nextafter(held, np.float32(2)))
    rows = [good("below", quality=below), good("equal", quality=float(held)), good("above", quality=above)]
    least = judge(connection, rows, [limit("quality", ">=", value)])
    most = judge(connection, rows, [limit("quality", "<=", value)])
    assert [least[id]["keep"] for id in ("below", "equal", "above")] == [False, True, True]
    assert [most[id]["keep"] for id in ("below", "equal", "above")] == [True, True, False]


def test_the_first_threshold_that_fails_is_the_reason(connection: duckdb.DuckDBPyConnection) -> None:
    thresholds = [limit("words", ">=", 500), limit("chars", ">=", 9000), limit("words", "<=", 10)]
    assert judge(connection, [good("a")], thresholds)["a"]["reason"] == "words>=500"
    assert judge(connection, [good("a")], thresholds[::-1])["a"]["reason"] == "words<=10"


def test_without_thresholds_every_text_is_kept(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(connection, [good("a", words=0, language_score=0.0), {"id": "b", "empty": True}], [])
    assert (found["a"]["keep"], found["b"]["keep"]) == (True, False)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_over_null_signals(connection: duckdb.DuckDBPyConnection, preset: str) -> None:
    thresholds = [{"position": i, **{k: getattr(t, k) for k in ("stage", "signal", "op", "value", "reason")}}
                  for i, t in enumerate(PRESETS[preset])]  # fmt: skip
    assert judge(connection, [{"id": "a", "chars": 10}], thresholds)["a"]["keep"]


@st.composite
def mixes(draw: st.DrawFn) -> list[Row]:
    """Documents of all fates in a few clusters, whose `exact` and `cluster` are their smallest member's."""
    count = draw(st.integers(1, 12))
    rows = []
    for n in range(count):
        fate = draw(st.sampled_from(["text", "text", "text", "failed", "empty"]))
        row: Row = {"id": f"{n:02d}"}
        if fate == "text":
            row |= good(row["id"], words=draw(st.sampled_from([10, 100])), cluster=draw(st.sampled_from("xyz")),
                        quality=draw(st.sampled_from([None, 0.25, 0.5])))  # fmt: skip
            row["exact"] = row["cluster"] + draw(st.sampled_from("12"))
        rows.append(row | ({"error": "x"} if fate == "failed" else {"empty": True} if fate == "empty" else {}))
    return rows


@given(mixes())
@settings(max_examples=25, deadline=None)
def test_every_mix_has_one_verdict_each_and_one_kept_per_cluster(
    connection: duckdb.DuckDBPyConnection, rows: list[Row]
) -> None:
    found = judge(connection, rows)
    passing: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("words") == 100:
            passing.setdefault(row["cluster"], []).append(row)
    best = {
        cluster: min(members, key=lambda r: (-(r["quality"] or 0), r["id"])) for cluster, members in passing.items()
    }
    assert {v["id"] for v in found.values() if v["keep"]} == {row["id"] for row in best.values()}
    for members in passing.values():
        for row in members:
            kept = best[row["cluster"]]
            if row is not kept:
                reason = "exact-copy" if row["exact"] == kept["exact"] else "near-duplicate"
                assert outcome(found[row["id"]]) == (False, "dedup", reason, kept["id"])
    for verdict in found.values():
        assert (verdict["reason"] is None) == (verdict["stage"] is None) == verdict["keep"]
