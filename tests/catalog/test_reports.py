from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from corpora import document, identity, publish, write_shard

from catalog import reports, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, write_json
from flows import judging


@pytest.fixture
def connection(corpus: Corpus) -> Iterator[duckdb.DuckDBPyConnection]:
    with store.reading(corpus) as opened:
        yield opened


def test_funnel_of_the_tiny_corpus(connection: duckdb.DuckDBPyConnection) -> None:
    found = {
        (r["source"], r["stage"]): (r["in"], r["kept"], r["dropped"], r["failed"]) for r in reports.funnel(connection)
    }
    assert found["web", "read"] == (9, 7, 1, 1)
    assert found["web", "extract"] == (7, 5, 1, 1)
    assert found["web", "language"] == (5, 4, 1, 0)
    assert found["web", "quality"] == (4, 3, 1, 0)
    assert found["web", "fidelity"] == (3, 3, 0, 0)
    assert found["web", "dedup"] == (3, 1, 2, 0)
    assert found["acts", "dedup"] == (2, 2, 0, 0)


def test_reasons_come_with_their_counts(connection: duckdb.DuckDBPyConnection) -> None:
    found = reports.reasons(connection)
    assert found["web", "dedup"] == "exact-copy 1, near-duplicate 1"
    assert found["web", "read"] == "media-type: image/png 1, truncated 1"
    assert found["web", "extract"] == "empty 1, not HTML 1"
    assert ("acts", "dedup") not in found
    assert reports.reasons(connection, most=1)["web", "dedup"] == "exact-copy 1 and 1 more"


def test_a_sound_corpus_has_nothing_unaccounted(connection: duckdb.DuckDBPyConnection) -> None:
    assert reports.unaccounted(connection) == []


def spoilt(corpus: Corpus, view: str, sql: str) -> list[str]:
    """What is unaccounted for when `view` is another one, as seen by a copy of the catalog."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{corpus.database}' AS whole (READ_ONLY)")
        for name in ("documents", "skipped", "verdicts", "shards", "snapshot", "snapshot_files", "funnel"):
            connection.execute(f"CREATE VIEW {name} AS {sql if name == view else f'FROM whole.{name}'}")
        return [found["problem"] for found in reports.unaccounted(connection)]


@pytest.mark.parametrize(
    ("view", "sql", "problem"),
    [
        ("documents", "FROM whole.documents", None),
        ("documents", "FROM whole.documents WHERE path <> 'act.html'", "records read"),
        ("skipped", "FROM whole.skipped UNION ALL (FROM whole.skipped LIMIT 1)", "stands for 2 records"),
        ("verdicts", "FROM whole.verdicts LIMIT 5", "has 0 verdicts"),
        ("verdicts", "FROM whole.verdicts UNION ALL (FROM whole.verdicts LIMIT 1)", "has 2 verdicts"),
        ("verdicts", "SELECT * REPLACE (NULL::VARCHAR AS reason) FROM whole.verdicts", "is rejected without a reason"),
        ("funnel", 'SELECT * REPLACE ("in" + 1 AS "in") FROM whole.funnel', "in <> kept + dropped + failed"),
    ],
)
def test_what_does_not_add_up_is_found(corpus: Corpus, view: str, sql: str, problem: str | None) -> None:
    found = spoilt(corpus, view, sql)
    assert (found == []) if problem is None else any(problem in line for line in found)


def test_languages_of_the_kept(connection: duckdb.DuckDBPyConnection) -> None:
    found = reports.languages(connection)
    assert [(row["language"], row["documents"], row["words"]) for row in found] == [
        ("en", 1, 100), ("fr", 1, 100), ("no", 1, 100)
    ]  # fmt: skip


def test_fidelity_counts_what_was_dropped_for_it(connection: duckdb.DuckDBPyConnection) -> None:
    [row] = reports.fidelity(connection)
    assert (row["source"], row["format"], row["documents"]) == ("acts", "pdf", 2)
    assert (row["lcs"], row["worst_lcs"], row["order_recall"]) == pytest.approx((0.745, 0.5, 0.5))


def test_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    assert reports.duplicates(connection) == {"clusters": 1, "members": 3, "exact_copies": 1}


def test_summary_has_the_figures(connection: duckdb.DuckDBPyConnection) -> None:
    text = reports.summary(connection)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Funnel", "## Languages of the corpus", "## Fidelity against references", "## Duplicates"
    ]  # fmt: skip
    assert "| web | read | 9 | 7 | 1 | 1 |" in text
    assert "| 1 | 3 | 1 |" in text


def test_summary_without_references_has_no_fidelity(own_corpus: Corpus) -> None:
    for name in ("web-1", "acts-1"):
        own_corpus.manifest("shards", name).unlink()
    write_shard(own_corpus, "web-2", "web", [document("only")])
    publish(own_corpus)
    with store.reading(own_corpus) as connection:
        assert "Fidelity" not in reports.summary(connection)


def test_a_table_is_markdown() -> None:
    assert reports.table([]) == "(none)"
    assert reports.table([{"x": 0.123456}]).splitlines()[-1] == "| 0.1235 |"
    assert reports.table([{"a": 1, "b": "x|y"}, {"a": None, "b": ""}]).splitlines() == [
        "| a | b |", "| --- | --- |", "| 1 | x\\|y |", "|  |  |"
    ]  # fmt: skip


def test_a_document_with_all_that_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    found = reports.document(connection, identity("copy")[:20])
    assert found["document"]["path"] == "copy.html"
    assert found["verdict"]["duplicate_of"] == identity("first")
    assert found["cluster"]["size"] == 3
    assert found["signals"]["quality"] == pytest.approx(0.8)
    assert (found["rights"], found["scores"], found["repeats"]) == ({}, {}, {})


def test_a_document_without_text_has_no_signals(connection: duckdb.DuckDBPyConnection) -> None:
    found = reports.document(connection, identity("broken"))
    assert (found["signals"], found["cluster"]) == ({}, {})
    assert found["document"]["error"] == "broken.html: not HTML"


@pytest.mark.parametrize("prefix", ["nothing", "%", "_", "' OR true --"])
def test_an_unknown_id(connection: duckdb.DuckDBPyConnection, prefix: str) -> None:
    with pytest.raises(ConfigError, match="no document's id starts with"):
        reports.document(connection, prefix)


def test_an_ambiguous_id_lists_some(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigError, match=r"'' is not enough: give more.*(\n  [0-9a-f]{32}  \S.*){5}\n  \.\.\."):
        reports.document(connection, "")


def test_the_id_of_a_skipped_record_leads_to_why(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigError, match=r"skipped \(media-type: image/png\): see `florilege why [0-9a-f]{32}`"):
        reports.document(connection, identity("picture.png")[:12])


def test_a_row_a_snapshot(own_corpus: Corpus) -> None:
    judging.judge(own_corpus.root, changes=["language_score>=0.1", "words>=1"])
    failed = read_json(own_corpus.manifest("runs", "run-1"))
    failed |= {"run": "run-2", "status": "failed", "snapshot": None, "made": 0, "seconds": {"plan": 1.25, "shards": 6}}
    write_json(own_corpus.manifest("runs", "run-2"), failed)
    store.rebuild(own_corpus)
    with store.reading(own_corpus) as connection:
        found = reports.runs(connection)
        kept = {row["snapshot"]: row["kept"] for row in found}
        told = reports.rows(connection, "SELECT count(*) AS n FROM corpus")
    found.sort(key=lambda row: row["snapshot"] or 9)
    assert [(row["snapshot"], row["run"], row["status"]) for row in found] == [
        (1, "run-1", "complete, 2 of 2 shards"),
        (2, "run-1", "judged from 1"),
        (None, "run-2", "failed, 0 of 2 shards"),
    ]  # fmt: skip
    assert kept == {1: 3, 2: told[0]["n"], None: None}
    assert told[0]["n"] > 3
    assert next(row["seconds"] for row in found if row["run"] == "run-2") == "plan 1.2 s, shards 6.0 s"
