"""Evaluations and sets at rest, and what SQL sees of them in a real catalog."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import evaluations, set_views
from catalog.exports.trec import read_run
from catalog.files import Corpus, read_json, sha256
from catalog.set_schema import DOCUMENTS, PAIRS, QRELS, QUERIES, RANKING
from catalog.sets import SetWriter
from catalog.store import _insert

Row = dict[str, Any]


def ranking(*documents: str) -> pa.Table:
    rows = [{"query_id": "q", "document_id": d, "rank": n, "score": 1 / n} for n, d in enumerate(documents, start=1)]
    return pa.Table.from_pylist(rows, RANKING)


def per_query(value: float) -> pa.Table:
    row = {"task": "all", "query_id": "q", "query_language": "en", "work": "w", "metric": "AP", "value": value}
    return pa.Table.from_pylist([row], evaluations.PER_QUERY)


def facts(system: str = "bm25", value: float = 0.5, made: str = "2026-01-01T00:00:00+00:00") -> Row:
    row = {
        "task": "all", "query_language": None, "document_language": None, "metric": "AP", "value": value, "low": None,
        "high": 0.75, "queries": 1,
    }  # fmt: skip
    return {"benchmark": "b", "benchmark_id": "b1", "system": system, "made": made, "metrics": [row], "k": 10}


def write(corpus: Corpus, id: str, *documents: str, **changed: Any) -> Row:
    made = facts(**changed)
    report = {"report.md": "# Report\n"}
    return evaluations.write(corpus, id, made, {"all": ranking(*documents)}, per_query(0.5), report)


def connected(corpus: Corpus) -> duckdb.DuckDBPyConnection:
    """What `catalog.store.rebuild` does with these tables and views."""
    connection = duckdb.connect()
    for table, module in (("evaluations", evaluations), ("sets", set_views)):
        connection.execute(module.TABLE)
        _insert(connection, table, module.rows(corpus))
        for name, query in module.views(corpus).items():
            connection.execute(f"CREATE VIEW {name} AS {query}")
    return connection


def all_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    return connection.sql(query).to_arrow_table().to_pylist()


def test_an_evaluation_at_rest(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    made = write(corpus, "e1", "d1", "d2")
    assert made == read_json(tmp_path / "manifests/evaluations/e1.json") == evaluations.find(corpus, "e1")
    folder = tmp_path / "evaluations/e1"
    assert {f["file"]: f["sha256"] for f in made["files"]} == {p.name: sha256(p) for p in folder.iterdir()}
    assert read_run(folder / "run-all.trec").equals(ranking("d1", "d2"))
    assert pq.read_table(folder / "ranking.parquet").drop_columns("task").equals(ranking("d1", "d2"))
    assert read_json(folder / "metrics.json")["metrics"] == made["metrics"]
    assert not list((tmp_path / "work").rglob("*.parquet"))


def test_what_is_damaged_is_not_there(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    assert evaluations.find(corpus, "e1") is None
    write(corpus, "e1", "d1")
    write(corpus, "e2", "d1")
    (tmp_path / "evaluations/e1/per_query.parquet").unlink()
    assert evaluations.find(corpus, "e1") is None
    assert [row["evaluation"] for row in evaluations.rows(corpus)] == ["e2"]
    assert len(all_of(connected(corpus), "FROM rankings")) == 1
    write(corpus, "e1", "d1", "d2")
    assert evaluations.find(corpus, "e1") is not None


def test_ids_that_no_trec_file_can_hold(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    made = write(corpus, "e1", "an id", system="dense:my model")
    assert "white space" in made["no_run"]
    assert not (tmp_path / "evaluations/e1/run-all.trec").exists()
    assert all_of(connected(corpus), "FROM rankings")[0]["document_id"] == "an id"


@pytest.mark.parametrize("task", ["en-fr", "../up", "a b/c"])
def test_a_task_gives_its_run_a_name(tmp_path: Path, task: str) -> None:
    evaluations.write(Corpus(tmp_path), "e1", facts(), {task: ranking("d")}, per_query(1), {})
    assert len(list((tmp_path / "evaluations/e1").glob("run-*.trec"))) == 1


def test_evaluations_in_sql(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    write(corpus, "e2", "d2", "d1", system="dense:m", value=0.75, made="2026-01-02T00:00:00+00:00")
    write(corpus, "e1", "d1")
    connection = connected(corpus)
    found = all_of(connection, "SELECT system, value, low, high, queries FROM evaluations ORDER BY made")
    assert found == [
        {"system": "bm25", "value": 0.5, "low": None, "high": 0.75, "queries": 1},
        {"system": "dense:m", "value": 0.75, "low": None, "high": 0.75, "queries": 1},
    ]
    assert all_of(connection, "SELECT evaluation, document_id FROM rankings WHERE rank = 1 ORDER BY 1") == [
        {"evaluation": "e1", "document_id": "d1"}, {"evaluation": "e2", "document_id": "d2"},
    ]  # fmt: skip
    assert all_of(connection, "SELECT count(*) AS n, avg(value) AS mean FROM per_query") == [{"n": 2, "mean": 0.5}]


def make_set(corpus: Corpus, name: str, id: str, kind: str, made: str, **tables: list[Row]) -> None:
    schemas = {"pairs": PAIRS, "documents": DOCUMENTS, "queries": QUERIES, "qrels": QRELS}
    writer = SetWriter(corpus, name, kind, id)
    with writer.part("p1") as part:
        for table, rows in tables.items():
            part.write(table, pa.Table.from_pylist(rows, schemas[table]))
    about = {"builder": "title-body", "version": 2, "made": made, "snapshot": {"snapshot": 3, "id": "x"}}
    writer.commit(["p1"], about, lambda _: "card")


def test_sets_in_sql(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    old, new = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
    make_set(corpus, "titles", "1", "pairs", old, pairs=[{"query_id": "old"}])
    make_set(corpus, "titles", "2", "pairs", new, pairs=[{"query_id": "new"}, {"query_id": "newer"}])
    make_set(corpus, "acts", "3", "pairs", new, pairs=[{"query_id": "act"}])
    make_set(
        corpus, "bench", "4", "benchmark", new, documents=[{"id": "d"}], queries=[{"id": "q", "answers": ["a"]}],
        qrels=[{"query_id": "q", "document_id": "d", "score": 2}],
    )  # fmt: skip
    connection = connected(corpus)
    assert all_of(connection, 'SELECT "set", query_id FROM training_pairs ORDER BY ALL') == [
        {"set": "acts", "query_id": "act"},
        {"set": "titles", "query_id": "new"},
        {"set": "titles", "query_id": "newer"},
    ]
    joined = 'FROM benchmark_qrels r JOIN benchmark_queries q ON q.id = query_id AND q."set" = r."set"'
    assert all_of(connection, f'SELECT r."set", score, answers {joined}') == [
        {"set": "bench", "score": 2, "answers": ["a"]}
    ]
    assert all_of(connection, "SELECT id FROM benchmark_documents") == [{"id": "d"}]
    rows = all_of(connection, "SELECT name, id, builder, version, snapshot, rows FROM sets WHERE id = '2'")
    assert rows == [{"name": "titles", "id": "2", "builder": "title-body", "version": 2, "snapshot": 3, "rows": 2}]
    assert all_of(connection, "SELECT count(*) AS n FROM sets") == [{"n": 3}]


def test_a_set_that_was_deleted(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    make_set(corpus, "acts", "3", "pairs", "2026-02-01T00:00:00+00:00", pairs=[{"query_id": "act"}])
    assert all_of(connected(corpus), "SELECT folder FROM sets") == [{"folder": str(tmp_path / "sets/acts/3")}]
    shutil.rmtree(tmp_path / "sets/acts")
    connection = connected(corpus)
    assert all_of(connection, "SELECT folder FROM sets") == [{"folder": None}]
    assert all_of(connection, "FROM training_pairs") == []


def test_a_corpus_without_any(tmp_path: Path) -> None:
    connection = connected(Corpus(tmp_path))
    for view, schema, first in (
        ("rankings", evaluations.RANKINGS, "evaluation"), ("per_query", evaluations.PER_QUERY, "evaluation"),
        ("training_pairs", PAIRS, "set"), ("benchmark_documents", DOCUMENTS, "set"),
        ("benchmark_queries", QUERIES, "set"), ("benchmark_qrels", QRELS, "set"),
    ):  # fmt: skip
        found = connection.sql(f"FROM {view}").to_arrow_table()
        assert found.num_rows == 0
        assert found.schema.equals(pa.schema([(first, pa.string()), *((f.name, f.type) for f in schema)])), view
