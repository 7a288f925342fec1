"""Evaluation of small benchmarks by small systems, whose numbers can be told by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from corpora import tiny

from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.set_schema import DOCUMENTS, QRELS, QUERIES, RANKING, TOP_RANKED
from catalog.sets import Set, SetWriter
from retrieval.evaluation import Evaluation, compared, evaluate, evaluated, identity
from retrieval.systems import Searcher, imported, system

Row = dict[str, Any]

POOL = [
    {"id": "a-en", "text": "water quality of rivers and lakes", "language": "en", "parallel": "a", "work": "w:a"},
    {
        "id": "a-fr",
        "text": "qualité de l'eau des rivières et des lacs",
        "language": "fr",
        "parallel": "a",
        "work": "w:a",
    },
    {"id": "b-en", "text": "protection of personal data", "language": "en", "parallel": "b", "work": "w:b"},
    {"id": "b-fr", "text": "protection des données personnelles", "language": "fr", "parallel": "b", "work": "w:b"},
    {"id": "c-en", "text": "protection of forests", "language": "en", "parallel": None, "work": "w:c"},
]
ASKED = [
    {"id": "1", "text": "personal data", "language": "en", "kind": "short", "work": "w:b"},
    {"id": "2", "text": "données personnelles", "language": "fr", "kind": "short", "work": "w:b"},
    {"id": "3", "text": "the quality of lakes", "language": "en", "kind": "long", "work": "w:a"},
    {"id": "4", "text": "nothing here answers it", "language": "en", "kind": "long", "work": "w:x"},
]
GOLD = [("1", "b-en"), ("1", "b-fr"), ("2", "b-en"), ("2", "b-fr"), ("3", "a-en"), ("3", "a-fr")]
TASKS = [
    {"name": "pool", "query_languages": None, "document_languages": None, "query_kinds": None},
    {"name": "en-fr", "query_languages": ["en"], "document_languages": ["fr"], "query_kinds": None},
    {"name": "long", "query_languages": None, "document_languages": ["en"], "query_kinds": ["long"]},
]


def table(schema: pa.Schema, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([{"title": "", "answers": None, **row} for row in rows], schema)


def benchmark(
    root: Path, documents: list[Row] = POOL, queries: list[Row] = ASKED, gold: Any = GOLD, tasks: Any = TASKS,
    lists: dict[str, list[str]] | None = None, name: str = "bench",
) -> Set:  # fmt: skip
    writer = SetWriter(Corpus(root), name, "benchmark", "0123456789abcdef")
    with writer.part("all") as part:
        part.write("documents", table(DOCUMENTS, documents))
        part.write("queries", table(QUERIES, queries))
        qrels = [{"query_id": row[0], "document_id": row[1], "score": row[2] if len(row) > 2 else 1} for row in gold]
        part.write("qrels", table(QRELS, qrels))
        if lists is not None:
            rows = [{"query_id": q, "document_ids": ids} for q, ids in lists.items()]
            part.write("top_ranked", table(TOP_RANKED, rows))
    return writer.commit(["all"], {"tasks": tasks, "made": "2026-01-01T00:00:00+00:00"}, lambda _: "card")


def run(*rows: tuple[str, str, float]) -> pa.Table:
    return table(RANKING, [
        {"query_id": q, "document_id": d, "rank": n, "score": s} for n, (q, d, s) in enumerate(rows, start=1)
    ])  # fmt: skip


class Fixed:
    """Gives a table as it is, as far as its queries are asked."""

    name = "fixed"

    def __init__(self, found: pa.Table, known: pa.Table | None = None) -> None:
        self.found = found
        self.run = known
        self.asked: list[tuple[int, int, int]] = []

    def rank(self, queries: pa.Table, documents: pa.Table, k: int) -> pa.Table:
        self.asked.append((queries.num_rows, documents.num_rows, k))
        return self.found.filter(pa.compute.is_in(self.found["query_id"], queries["id"].combine_chunks()))


def metric(made: Evaluation, task: str, name: str, asked: str | None = None, searched: str | None = None) -> Any:
    found = [
        row["value"] for row in made.metrics
        if (row["task"], row["metric"]) == (task, name)
        and (row["query_language"], row["document_language"]) == (asked, searched)
    ]  # fmt: skip
    assert len(found) <= 1
    return found[0] if found else None


PERFECT = run(*((q, d, -n) for n, (q, d) in enumerate(GOLD)))


def test_a_perfect_run(tmp_path: Path) -> None:
    said: list[str] = []
    made = evaluate(benchmark(tmp_path), imported("perfect", PERFECT), progress=said.append)
    for name in ("nDCG@10", "AP", "R@100", "RR@10", "Top@1", "Complete@10"):
        assert metric(made, "pool", name) == 1
    assert metric(made, "pool", "Max@R") == 2
    assert metric(made, "pool", "English-inclination") == 0
    assert made.counts["pool"] == {
        "queries": 4, "without relevant documents": 1, "documents": 5, "hits": 6, "without hits": 0,
        "unknown queries": 0, "unknown documents": 0, "of other tasks": 0, "duplicates": 0,
        "outside the query's list": 0, "judgements of unknown documents": 0,
    }  # fmt: skip
    assert [row["task"] for row in made.metrics] == sorted(
        (row["task"] for row in made.metrics), key=[task["name"] for task in TASKS].index
    )
    assert len(said) == 3


def test_languages_and_directions(tmp_path: Path) -> None:
    found = run(
        ("1", "b-en", 3), ("1", "c-en", 2), ("1", "b-fr", 1), ("2", "c-en", 2), ("2", "b-fr", 1), ("3", "a-en", 1)
    )
    made = evaluate(benchmark(tmp_path), imported("run", found))
    assert metric(made, "pool", "RR") == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert metric(made, "pool", "RR", "en") == 1
    assert metric(made, "pool", "RR", "en", "en") == 1
    assert metric(made, "pool", "RR", "en", "fr") == pytest.approx((1 / 2 + 0) / 2), "b-en is no mistake, c-en is"
    assert metric(made, "pool", "RR", "fr", "fr") == 0.5
    assert metric(made, "pool", "English-inclination", "fr") == 1
    assert metric(made, "pool", "English-inclination", "en") is None
    assert metric(made, "en-fr", "RR") == metric(made, "en-fr", "RR", "en", "fr") == 0.5
    assert metric(made, "long", "Top@1") == 1
    assert made.counts["long"]["queries"] == 2
    assert made.counts["en-fr"]["documents"] == 2


def test_every_number_is_the_mean_of_its_queries(tmp_path: Path) -> None:
    made = evaluate(benchmark(tmp_path), system("bm25"))
    rows = made.per_query.to_pylist()
    for row in made.metrics:
        values = [
            r["value"] for r in rows
            if all(r[key] == row[key] for key in ("task", "document_language", "metric"))
            and row["query_language"] in (None, r["query_language"])
        ]  # fmt: skip
        assert row["queries"] == len(values)
        assert row["value"] == pytest.approx(sum(values) / len(values))
        assert row["low"] is None or row["low"] <= row["value"] <= row["high"]
    assert metric(made, "pool", "Top@1", "en") == 1


def test_only_the_querys_list_is_ranked(tmp_path: Path) -> None:
    lists = {"1": ["c-en", "b-fr"], "2": ["c-en"]}
    found = run(
        ("1", "b-en", 9), ("1", "c-en", 8), ("1", "b-fr", 7), ("2", "b-fr", 2), ("2", "c-en", 1), ("3", "a-en", 1)
    )
    fixed = Fixed(found)
    made = evaluate(benchmark(tmp_path, lists=lists, tasks=TASKS[:1]), fixed, k=2)
    assert made.rankings["pool"].cast(RANKING).to_pylist() == [
        {"query_id": "1", "document_id": "c-en", "rank": 1, "score": 8},
        {"query_id": "1", "document_id": "b-fr", "rank": 2, "score": 7},
        {"query_id": "2", "document_id": "c-en", "rank": 1, "score": 1},
        {"query_id": "3", "document_id": "a-en", "rank": 1, "score": 1},
    ]
    assert fixed.asked == [(3, 5, 5)], "deep enough for every list"
    assert made.counts["pool"]["outside the query's list"] == 2
    worst = {
        r["query_id"]: r["value"]
        for r in made.per_query.to_pylist()
        if (r["metric"], r["document_language"]) == ("Max@R", None)
    }
    assert worst == {"1": 2, "2": 1, "3": 5}, "what is not in the list has the rank of its last document"


def test_k_cuts_and_ranks_decide(tmp_path: Path) -> None:
    found = run(("1", "b-fr", 5), ("1", "b-en", 5), ("1", "a-en", 5)).set_column(
        2, "rank", pa.array([3, 1, 2], pa.int32())
    )
    made = evaluate(benchmark(tmp_path, tasks=None), Fixed(found), k=2)
    assert made.rankings["all"]["document_id"].to_pylist() == ["b-en", "a-en"]
    assert made.rankings["all"]["rank"].to_pylist() == [1, 2]
    assert made.counts["all"]["without hits"] == 2


def test_what_a_run_should_not_hold_is_counted(tmp_path: Path) -> None:
    found = run(
        ("1", "b-en", 9),
        ("1", "b-en", 8),
        ("1", "strange", 7),
        ("1", "b-fr", 6),
        ("stranger", "a-en", 5),
        ("4", "a-en", 4),
    )
    made = evaluate(benchmark(tmp_path, tasks=TASKS[:1]), Fixed(found, known=found))
    counts = made.counts["pool"]
    assert (counts["duplicates"], counts["hits"]) == (1, 2)
    assert counts["unknown documents"] == 2 and counts["unknown queries"] == 1
    assert metric(made, "pool", "Complete@10", "en") == 0.5


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number(tmp_path: Path, score: float) -> None:
    with pytest.raises(ConfigError, match=r"fixed: 1 scores .* document 'b-fr' for query '1'"):
        evaluate(benchmark(tmp_path), Fixed(run(("1", "b-en", 1), ("1", "b-fr", score))))


def test_a_run_for_something_else(tmp_path: Path) -> None:
    strange = run(("q", "d", 1), ("1", "d", 1))
    with pytest.raises(ConfigError, match=r"none of its 2 rows .* query 'q' and document 'd'"):
        evaluate(benchmark(tmp_path), Fixed(run(), known=strange))
    with pytest.raises(ConfigError, match=r"none of its 1 rows"):
        evaluate(benchmark(tmp_path), Fixed(strange.slice(1)))
    with pytest.raises(ConfigError, match=r"no column rank, score"):
        evaluate(benchmark(tmp_path), Fixed(strange.select(["query_id", "document_id"])))


def test_an_empty_run_scores_nothing(tmp_path: Path) -> None:
    made = evaluate(benchmark(tmp_path), imported("empty", run()))
    assert metric(made, "pool", "nDCG@10") == 0
    assert metric(made, "pool", "Max@R") == 5
    assert made.counts["pool"]["without hits"] == 3


def test_wrong_wishes(tmp_path: Path) -> None:
    found = benchmark(tmp_path)
    with pytest.raises(ConfigError, match="no task xx; there are: pool, en-fr, long"):
        evaluate(found, system("bm25"), tasks=["pool", "xx"])
    with pytest.raises(ConfigError, match="k = 0"):
        evaluate(found, system("bm25"), k=0)
    with pytest.raises(ConfigError, match="no query of pool, en-fr, long has a relevant document"):
        evaluate(benchmark(tmp_path / "none", gold=[("1", "a-en", 0), ("1", "gone")]), system("bm25"))
    with pytest.raises(ConfigError, match="training set"):
        evaluate(Set(tmp_path, {"name": "x", "kind": "pairs", "id": "y", "files": []}), system("bm25"))


def test_ids_that_stand_for_two(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bench: 2 of its documents have the id of another"):
        evaluate(benchmark(tmp_path / "a", documents=[*POOL, *POOL[:2]]), system("bm25"))
    with pytest.raises(ConfigError, match="bench: 1 of its queries have the id of another"):
        evaluate(benchmark(tmp_path / "b", queries=[*ASKED, ASKED[0]]), system("bm25"))


def test_judgements_that_point_nowhere_or_stand_twice(tmp_path: Path) -> None:
    made = evaluate(benchmark(tmp_path, gold=[*GOLD, ("1", "gone"), ("1", "b-en"), ("x", "b-en")]), system("bm25"))
    plain = evaluate(benchmark(tmp_path / "plain"), system("bm25"))
    assert made.metrics == plain.metrics
    assert made.counts["pool"]["judgements of unknown documents"] == 1


def test_an_empty_pool(tmp_path: Path) -> None:
    tasks = [*TASKS, {"name": "none", "query_languages": None, "document_languages": ["de"], "query_kinds": None}]
    made = evaluate(benchmark(tmp_path, tasks=tasks), system("bm25"))
    assert made.counts["none"]["without relevant documents"] == 4
    assert made.rankings["none"].num_rows == 0
    assert not any(row["task"] == "none" for row in made.metrics)


def test_languages_that_nobody_knows(tmp_path: Path) -> None:
    documents = [{**row, "language": None} for row in POOL]
    queries = [{**row, "language": None, "work": None} for row in ASKED]
    made = evaluate(benchmark(tmp_path, documents, queries, tasks=None), imported("perfect", PERFECT))
    assert metric(made, "all", "AP") == metric(made, "all", "AP", "und", "und") == 1


def test_answers_are_looked_for_in_the_passages(tmp_path: Path) -> None:
    queries = [
        {**ASKED[0], "answers": ["personal data"]},
        {**ASKED[3], "answers": ["of lakes"]},
        {**ASKED[2], "answers": []},
    ]
    found = run(("1", "b-en", 1), ("4", "a-en", 1))
    made = evaluate(benchmark(tmp_path, queries=queries, tasks=TASKS[:1]), imported("run", found))
    values = [(r["query_id"], r["value"]) for r in made.per_query.to_pylist() if r["metric"] == "R@2kt"]
    assert values == [("1", 1), ("4", 0)], "lakes stand there without `of`; 3 has no answers"
    assert metric(made, "pool", "AP") == 0.25, "4 has no relevant document, and 3 has no hit"


def test_the_same_pool_is_indexed_once(tmp_path: Path) -> None:
    made: list[int] = []
    real = system("bm25")

    def index(documents: pa.Table) -> Any:
        made.append(documents.num_rows)
        return real.index(documents)

    tasks = [{"name": n, "query_languages": [q], "document_languages": d} for n, q, d in (
        ("1", "en", ["en"]), ("2", "en", ["fr"]), ("3", "fr", ["en"]), ("4", "fr", None))]  # fmt: skip
    evaluate(benchmark(tmp_path, tasks=tasks), Searcher("bm25", index))
    assert made == [5, 3, 2]


def test_systems_differ_by_query(tmp_path: Path) -> None:
    found = benchmark(tmp_path, tasks=TASKS[:1])
    good, bad = (evaluate(found, imported("s", r)) for r in (PERFECT, PERFECT.slice(0, 2)))
    rows = {(row["metric"], row["document_language"]): row for row in compared(good.per_query, bad.per_query)}
    assert rows["AP", None]["value"] == pytest.approx(2 / 3)
    assert rows["AP", None]["queries"] == 3
    assert rows["AP", "fr"]["value"] == pytest.approx(2 / 3)
    assert rows["AP", None]["p"] > 0.4, "two works change places together"
    assert all(row["value"] == 0 for row in compared(good.per_query, good.per_query))


def test_the_second_time_at_once(tmp_path: Path) -> None:
    corpus = tiny(tmp_path / "corpus")
    found = benchmark(corpus.root)
    first = evaluated(corpus, found, Fixed(PERFECT))
    again = Fixed(run())
    assert evaluated(corpus, found, again) == first
    assert again.asked == []
    assert evaluated(corpus, found, again, k=5)["evaluation"] != first["evaluation"]
    assert (corpus.root / "evaluations" / first["evaluation"] / "report.md").is_file()


def test_an_evaluation_is_what_it_depends_on(tmp_path: Path) -> None:
    found = benchmark(tmp_path)
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_bytes(b"1")
    named = Searcher(f"dense:{model}", lambda _: None)  # type: ignore[arg-type,return-value]
    before = identity(found, named)
    assert identity(found, named) == before != identity(found, named, tasks=["pool"])
    (model / "weights").write_bytes(b"2")
    assert identity(found, named) != before
    assert identity(found, system("bm25")) != identity(found, system("bm25:unstemmed"))
