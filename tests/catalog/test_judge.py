from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from corpora import THRESHOLDS
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.judge import in_force, verdicts
from catalog.schema import CLUSTERS, DATASETS, DOCUMENTS, SIGNALS, VERDICTS
from filters.dedup import act_version
from filters.verdicts import PRESETS, resolve

Row = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def judge(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], thresholds: list[Row] | None = None, **options: Any
) -> dict[str, Row]:
    """The verdict on each of `rows`: documents with their signals, `cluster` and `exact` (default: alone).

    Rows with a column of rights, scores or repeats are in these relations, named r, x and p.
    """
    texts = [row for row in rows if row.get("error") is None and not row.get("empty")]
    sizes = Counter(row.get("cluster", row["id"]) for row in texts)
    clusters = [{"cluster": r["id"], "exact": r["id"], "size": sizes[r.get("cluster", r["id"])], **r} for r in texts]
    tables = [("d", DOCUMENTS, rows), ("s", SIGNALS, texts), ("c", CLUSTERS, clusters)]
    for name, dataset in (("r", "rights"), ("x", "scores"), ("p", "repeats")):
        schema = DATASETS[dataset]
        tables.append((name, schema, [row for row in texts if set(row) & (set(schema.names) - {"id"})]))
    for name, schema, held in tables:
        columns = {column: [row.get(column) for row in held] for column in schema.names}
        connection.register(name, pa.table(columns, schema=schema))
    rules = THRESHOLDS if thresholds is None else thresholds
    found = connection.sql("FROM " + verdicts("d", "s", "c", rules, **options))
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


def rows_of(preset: str, languages: Any = None) -> list[Row]:
    found = resolve(preset, {}, languages)
    return [{"position": n, **asdict(threshold)} for n, threshold in enumerate(found)]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_over_null_signals(connection: duckdb.DuckDBPyConnection, preset: str) -> None:
    assert judge(connection, [{"id": "a", "chars": 1000}], rows_of(preset))["a"]["keep"]


EXTRAS = {"rights": "r", "scores": "x", "repeats": "p"}
ELSEWHERE = [
    limit("robots_allowed", ">=", 1, "rights"), limit("trusted", ">=", 0.5), limit("repeated_share", "<=", 0.5)
]  # fmt: skip


def test_thresholds_on_rights_scores_and_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        good("unknown"), good("allowed", robots_allowed=True, trusted=0.5, repeated_share=0.5),
        good("forbidden", robots_allowed=False, trusted=0.1), good("doubtful", trusted=0.4),
        good("template", repeated_share=0.6),
    ]  # fmt: skip
    found = judge(connection, rows, ELSEWHERE, extras=EXTRAS)
    assert {id: verdict["reason"] for id, verdict in found.items() if not verdict["keep"]} == {
        "forbidden": "robots_allowed>=1", "doubtful": "trusted>=0.5", "template": "repeated_share<=0.5"
    }  # fmt: skip


def test_what_a_snapshot_does_not_have_passes(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [good("a", robots_allowed=False, trusted=0.1, repeated_share=0.9)]
    assert judge(connection, rows, ELSEWHERE)["a"]["keep"]
    assert not judge(connection, rows, ELSEWHERE, extras={"scores": "x"})["a"]["keep"]


def test_an_unknown_signal_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"wordz: no such signal; did you mean words"):
        verdicts("d", "s", "c", [limit("wordz", ">=", 1)])


def own(language: str | None, value: float | None) -> Row:
    return {**limit("words", ">=", value or 0), "value": value, "language": language, "reason": f"words<{value}"}


@pytest.mark.parametrize(
    ("language", "script", "asked"),
    [("fr", "Latn", 40), ("sr", "Cyrl", 30), ("sr", "Latn", 20), ("de", "Latn", 50), ("da", "Latn", None),
     (None, None, 50), ("und", None, 50)],
)  # fmt: skip
def test_a_language_has_its_own_threshold(
    connection: duckdb.DuckDBPyConnection, language: str | None, script: str | None, asked: float | None
) -> None:
    thresholds = [own(None, 50), own("da", None), own("fr", 40), own("sr", 20), own("sr-Cyrl", 30)]
    shared = {"language": language, "script": script}
    exact = asked if asked is not None else 0
    rows = [good("below", words=exact - 1, **shared), good("equal", words=exact, **shared)]
    found = judge(connection, rows, thresholds)
    assert found["equal"]["keep"]
    assert outcome(found["below"]) == (KEPT if asked is None else (False, "quality", f"words<{asked}", None))
    assert [t["value"] for t in in_force(thresholds, language, script)] == ([asked] if asked is not None else [])


def test_a_threshold_of_one_language_only(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [good("fr", words=1, language="fr"), good("en", words=1, language="en")]
    found = judge(connection, rows, [own("fr", 40)])
    assert (found["fr"]["reason"], found["en"]["keep"]) == ("words<40", True)


@given(st.sampled_from(["fr", "sr", "en", "ja"]), st.sampled_from(["Latn", "Cyrl"]), st.data())
@settings(max_examples=8, deadline=None)
def test_published_thresholds_by_language_are_those_in_force(
    connection: duckdb.DuckDBPyConnection, language: str, script: str, data: st.DataObject
) -> None:
    import numpy as np

    thresholds = rows_of("fineweb2")
    ratio = st.floats(0, 1, width=32)
    row = good(
        "a",
        language=language,
        script=script,
        words=data.draw(st.sampled_from([10, 60])),
        stop_words=5,
        dup_line_ratio=data.draw(ratio),
        newline_ratio=data.draw(ratio),
        mean_word_length=data.draw(ratio) * 20,
    )
    failed = [
        t["reason"]
        for t in in_force(thresholds, language, script)
        if (value := row.get(t["signal"])) is not None
        and not (np.float32(value) >= np.float32(t["value"]) if t["op"] == ">=" else
                 np.float32(value) <= np.float32(t["value"]))
    ]  # fmt: skip
    assert judge(connection, [row], thresholds)["a"]["reason"] == (failed[0] if failed else None)


def test_one_url_is_a_reason_of_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        good("a", cluster="a", same_url="a", exact="a", quality=0.9), good("b", cluster="a", same_url="a", exact="b"),
        good("c", cluster="a", exact="c"), good("d", cluster="a", same_url="a", exact="a"),
    ]  # fmt: skip
    found = judge(connection, rows, [])
    assert [found[id]["reason"] for id in "abcd"] == [None, "same-url", "near-duplicate", "exact-copy"]


def test_of_one_url_the_newest_capture_stays(connection: duckdb.DuckDBPyConnection) -> None:
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    rows = [
        good("a", cluster="a", same_url="a", exact="a", quality=0.9, fetched=old),
        good("b", cluster="a", same_url="a", exact="b", fetched=new),
        good("c", cluster="c", exact="c", fetched=old, quality=0.9), good("d", cluster="c", exact="d", fetched=new),
    ]  # fmt: skip
    found = judge(connection, rows, [])
    assert [outcome(found[id]) for id in "ab"] == [(False, "dedup", "same-url", "b"), KEPT]
    assert [found[id]["keep"] for id in "cd"] == [True, False]


ACT = [
    good("original", cluster="a", celex="32016R0679", quality=0.9),
    good("then", cluster="a", celex="02016R0679-20160504"),
    good("again", cluster="a", celex="02016R0679-20160504", quality=0.4),
    good("now", cluster="a", celex="02016R0679-20180525"),
    good("page", cluster="a", quality=1.0),
    good("other", cluster="a", celex="32019R0001", quality=0.1),
    good("lone", cluster="lone", celex="32011R0001"), good("copy", cluster="lone", celex="32012R0001", quality=0.1),
]  # fmt: skip


def test_versions_of_an_act_are_linked_when_asked(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(connection, ACT, [], versions=act_version("celex"))
    assert {id for id in found if found[id]["keep"]} == {"original", "then", "now", "lone"}
    assert outcome(found["again"]) == (False, "dedup", "near-duplicate", "then")
    assert {found[id]["reason"] for id in ("page", "other", "copy")} == {"near-duplicate"}
    assert found["copy"]["duplicate_of"] == "lone"


def test_versions_of_an_act_are_duplicates_otherwise(connection: duckdb.DuckDBPyConnection) -> None:
    found = judge(connection, ACT, [])
    assert {id for id in found if found[id]["keep"]} == {"page", "lone"}


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
