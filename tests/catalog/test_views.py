from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import KEPT, TINY, TINY_SKIPPED, document, identity, key, publish, skipped, write_shard
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import reports, snapshots, store
from catalog.files import Corpus, read_json, write_json
from catalog.schema import DATASETS
from catalog.views import ALARMS, STAGES, VIEWS, create_views, parquet, quote, quote_name
from filters.dedup import act_version

FATES = ("kept", "copy", "short", "foreign", "lossy", "empty", "failed", "skipped", "unreadable")
LOST = {
    "skipped": ("read", "dropped"), "unreadable": ("read", "failed"), "failed": ("extract", "failed"),
    "empty": ("extract", "dropped"), "foreign": ("language", "dropped"), "short": ("quality", "dropped"),
    "lossy": ("fidelity", "dropped"), "copy": ("dedup", "dropped"),
}  # fmt: skip
DAMAGE: dict[str, dict[str, Any]] = {
    "short": {"words": 1}, "foreign": {"language_score": 0.1}, "lossy": {"order_recall": 0.0},
    "empty": {"text": ""}, "failed": {"text": None, "error": "no text"}, "kept": {}, "copy": {},
}  # fmt: skip


def write(corpus: Corpus, mix: dict[str, list[str]]) -> None:
    """One shard a source, with a record of each fate that is listed; every source has an original for its copies."""
    for source, fates in mix.items():
        rows, skips = [], []
        for n, fate in enumerate(fates):
            name = f"{source} {n}"
            if fate in ("skipped", "unreadable"):
                skips.append(skipped(name, error="no such file" if fate == "unreadable" else None))
            elif fate == "copy":
                rows.append(document(name, f"The original of {source}.", quality=0.1))
            else:
                rows.append(document(name) | DAMAGE[fate])
        rows.append(document(f"{source} original", f"The original of {source}.", quality=0.9))
        write_shard(corpus, f"{source}-1", source, rows, skips)
    publish(corpus)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.sampled_from(FATES), max_size=12), min_size=1))
@settings(max_examples=6, deadline=None)
def test_the_funnel_adds_up_for_every_mix(mix: dict[str, list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(Path(folder).resolve())
        write(corpus, mix)
        with store.reading(corpus) as connection:
            rows = reports.funnel(connection)
            rejects = reports.rows(connection, "SELECT source, stage, count(*) AS n FROM rejects GROUP BY ALL")
            assert reports.unaccounted(connection) == []
    for source, fates in mix.items():
        lost = Counter(LOST[fate] for fate in fates if fate != "kept")
        left = len(fates) + 1
        stages = [row for row in rows if row["source"] == source]
        assert [row["stage"] for row in stages] == ["read", "extract", *STAGES]
        for row in stages:
            assert row["in"] == left
            assert row["dropped"] == lost[row["stage"], "dropped"]
            assert row["failed"] == lost[row["stage"], "failed"]
            left -= row["dropped"] + row["failed"]
            assert row["kept"] == left
        assert {r["stage"]: r["n"] for r in rejects if r["source"] == source} == {
            row["stage"]: row["dropped"] + row["failed"] for row in stages if row["dropped"] + row["failed"]
        }


def test_a_source_without_a_single_document_is_accounted_for(own_corpus: Corpus) -> None:
    write_shard(own_corpus, "images-1", "images", [], [skipped("a.png"), skipped("b.png"), skipped("c", error="x")])
    publish(own_corpus)
    with store.reading(own_corpus) as connection:
        rows = [row for row in reports.funnel(connection) if row["source"] == "images"]
        assert reports.unaccounted(connection) == []
    assert rows == [{"source": "images", "stage": "read", "in": 3, "kept": 0, "dropped": 2, "failed": 1}]


def test_the_corpus_is_the_kept_documents_with_signals_and_clusters(corpus: Corpus) -> None:
    with store.reading(corpus) as connection:
        rows = reports.rows(connection, "FROM corpus")
        columns = [name for name, *_ in connection.execute("DESCRIBE corpus").fetchall()]
    assert {row["id"] for row in rows} == {identity(name) for name in KEPT}
    assert len(columns) == len(set(columns))
    first = next(row for row in rows if row["path"] == "first.html")
    assert (first["cluster_size"], first["words"], first["url"]) == (3, 100, "https://a.example/1")


def test_rejects_are_everything_else_with_a_reason(corpus: Corpus) -> None:
    with store.reading(corpus) as connection:
        rows = reports.rows(connection, "FROM rejects")
    records = sum(map(len, (*TINY.values(), *TINY_SKIPPED.values())))
    assert len(rows) == records - len(KEPT)
    assert all(row["stage"] and row["reason"] for row in rows)
    by_path = {row["path"]: (row["stage"], row["reason"], row["error"], row["duplicate_of"]) for row in rows}
    assert by_path["copy.html"] == ("dedup", "exact-copy", None, identity("first"))
    assert by_path["near.html"] == ("dedup", "near-duplicate", None, identity("first"))
    assert by_path["broken.html"] == ("extract", "failed", "broken.html: not HTML", None)
    assert by_path["cut.warc"] == ("read", "unreadable", "cut.warc: truncated", None)
    assert by_path["picture.png"] == ("read", "media-type: image/png", None, None)


def test_alarms_are_documents_and_pages_under_a_limit(corpus: Corpus) -> None:
    with store.reading(corpus) as connection:
        rows = reports.rows(connection, "SELECT path, page, measure, alarm FROM alarms ORDER BY ALL")
    assert [(row["path"], row["page"], row["measure"]) for row in rows] == [
        ("act.html", 2, "predicted_lcs"), ("lossy.html", None, "order_recall")
    ]  # fmt: skip
    assert [row["alarm"] for row in rows] == pytest.approx([ALARMS["predicted_lcs"], ALARMS["order_recall"]])


def test_a_snapshot_of_an_older_schema_is_still_read(own_corpus: Corpus) -> None:
    """Its files lack what has come since: whole datasets, and columns of any type."""
    path = own_corpus.manifest("snapshots", "000001")
    snapshot = read_json(path)
    snapshot["files"] = [entry for entry in snapshot["files"] if entry["dataset"] != "pages"]
    write_json(path, snapshot)
    for name in ("documents", "signals"):
        for file in own_corpus.dataset(name).iterdir():
            old = pq.read_table(file)
            added = {"line_boxes", "sections", "markdown", "fetched", "predicted_lcs", "predicted_order"}
            pq.write_table(old.drop_columns(sorted(added & set(old.column_names))), file)
    store.rebuild(own_corpus)
    with store.reading(own_corpus) as connection:
        assert reports.rows(connection, "FROM pages") == []
        assert reports.rows(connection, "SELECT DISTINCT sections, predicted_lcs FROM corpus") == [
            {"sections": None, "predicted_lcs": None}
        ]
        assert [row["path"] for row in reports.rows(connection, "FROM alarms")] == ["lossy.html"]
        assert reports.rows(connection, "SELECT DISTINCT robots_allowed, trusted, repeated_share FROM corpus") == [
            {"robots_allowed": None, "trusted": None, "repeated_share": None}
        ]
        for name in (*DATASETS, *VIEWS):
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone()


def test_old_files_may_stand_among_new_ones(own_corpus: Corpus) -> None:
    """Not the first file only: what the manifests say of each."""
    snapshot = read_json(own_corpus.manifest("snapshots", "000001"))
    file = [f["file"] for f in snapshot["files"] if f["dataset"] == "signals"][-1]
    pq.write_table(pq.read_table(own_corpus.root / file).drop_columns(["wds", "pii"]), own_corpus.root / file)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE snapshots (snapshot INTEGER)")
        create_views(connection, own_corpus, [snapshot], frozenset([file]))
        assert connection.sql("SELECT count(*), count(wds) FROM signals").fetchall() == [(8, 0)]
        assert connection.sql("FROM signals").columns == DATASETS["signals"].names


def test_rights_scores_and_repeats_are_columns_of_the_corpus(own_corpus: Corpus) -> None:
    snapshot = read_json(own_corpus.manifest("snapshots", "000001"))
    held = {
        "rights": f"(SELECT '{identity('first')}' AS id, true AS robots_allowed, NULL AS robots_agent, NULL AS "
        "robots_rule, NULL AS site_tdm_reservation, NULL AS url_list, false AS url_listed)",
        "scores": f"(SELECT '{identity('act')}' AS id, 0.75 AS trusted)",
        "repeats": f"(SELECT '{identity('act')}' AS id, NULL AS spans, 0.5 AS repeated_share)",
    }
    for name, sql in held.items():
        entry = snapshots.derive(own_corpus, name, "test", lambda _, sql=sql: sql)
        snapshot["files"].append(entry)
    write_json(own_corpus.manifest("snapshots", "000001"), snapshot)
    store.rebuild(own_corpus)
    with store.reading(own_corpus) as connection:
        rows = reports.rows(
            connection, "SELECT path, robots_allowed, trusted, repeated_share FROM corpus ORDER BY path"
        )
    assert [tuple(row.values()) for row in rows] == [
        ("act.html", None, 0.75, 0.5), ("first.html", True, None, None), ("lov.html", None, None, None)
    ]  # fmt: skip


def test_versions_stand_side_by_side(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path.resolve())
    names = {"old": "32016R0679", "new": "02016R0679-20180525", "alone": "32019R0001"}
    bands = {name: [key("act"), key(name)] for name in ("old", "new")} | {"alone": [key("x"), key("y")]}
    write_shard(corpus, "a-1", "a", [document(n, celex=c, bands=bands[n]) for n, c in names.items()])
    publish(corpus, rebuild=False)
    last = snapshots.numbered(corpus)
    shards = snapshots.members_of(corpus, last)
    clusters = next(f for f in last["files"] if f["dataset"] == "clusters")
    judged = snapshots.judge(corpus, shards, clusters, [], versions=act_version("celex"))
    snapshots.publish_snapshot(corpus, "run-1", "test", "own", shards, [clusters, judged], [])
    store.rebuild(corpus)
    with store.reading(corpus) as connection:
        rows = reports.rows(connection, "SELECT celex FROM versions")
    with store.reading(corpus, 1) as connection:
        assert reports.rows(connection, "FROM versions") == []
    assert {row["celex"] for row in rows} == {names["old"], names["new"]}


@pytest.mark.parametrize("name", ["a", 'a"b', "order"])
def test_a_quoted_name_is_itself_in_sql(name: str) -> None:
    assert duckdb.sql(f"SELECT 1 AS {quote_name(name)}").columns == [name]


@pytest.mark.parametrize("text", ["", "it's", "''", "a\nb", '"', "\\'", "é漢"])
def test_a_quoted_string_is_itself_in_sql(text: str) -> None:
    assert duckdb.sql(f"SELECT {quote(text)}").fetchall() == [(text,)]


def test_files_of_any_name_are_read(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("it's.parquet", "a b.parquet", "é.parquet")]
    for n, path in enumerate(files):
        pq.write_table(pa.table({"n": [n]}), path)
    assert duckdb.sql(f"SELECT n FROM {parquet(files)} ORDER BY n").fetchall() == [(0,), (1,), (2,)]
