"""Questions of people against the works of a corpus; every one is counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ConfigError
from retrieval.benchmarks.questions import QuestionsParams, build, entries
from retrieval.builder import Benchmark
from tests.retrieval.parallel_rows import act, acts

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "retrieval" / "legal-questions.json"
ROWS = [*acts(2), act(3, "cs", [("", "text")]), act(4, "en", [("", "text")], celex="32020R0004R(01)")]
SPLITS = {"celex:32020R0001": "test", "celex:32020R0002": "test", "celex:32020R0003": "test",
          "celex:32020R0004": "test", "celex:32020R0009": "train"}  # fmt: skip


def made(*asked: Any, **params: Any) -> tuple[Benchmark, Counter[str]]:
    counts: Counter[str] = Counter()
    return build(ROWS, asked, SPLITS, QuestionsParams(file=Path("questions.json"), **params), counts), counts


def ask(*works: Any, **columns: Any) -> dict[str, Any]:
    return {"id": "q1", "query": "which act", "language": "en", "relevant_works": list(works), **columns}


def test_all_versions_of_a_relevant_work_are_relevant() -> None:
    benchmark, counts = made(ask("eu-eurlex:32020r0001", category="exact"))
    assert benchmark.qrels["document_id"].to_pylist() == ["0001en", "0001fr"]
    assert benchmark.queries.to_pylist()[0]["kind"] == "exact"
    assert benchmark.documents.num_rows == 4
    assert +counts == {"used": 4, "corrigendum": 1, "other language": 1, "query: used": 1}
    assert [task.name for task in benchmark.tasks] == ["en-en", "en-fr", "all"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (ask("eu-eurlex:39999r0001"), "work not in the corpus"),
        (ask("eu-eurlex:32020r0009"), "work of another split"),
        (ask("celex:32020R0003"), "work not in these languages, or a corrigendum only"),
        (ask("celex:32020R0004"), "work not in these languages, or a corrigendum only"),
        (ask("lu-legilux:a-b"), "works of other collections only"),
        (ask(), "no relevant work is named"),
        (ask("celex:32020R0001", expect_no_hits=True), "no answer is expected"),
        (ask("celex:32020R0001", query=" \n "), "no text"),
        (ask("celex:32020R0001") | {"relevant_works": "celex:32020R0001"}, "no relevant work is named"),
        ("which act", "no text"),
        (None, "no text"),
    ],
)
def test_what_cannot_be_used_is_counted(asked: Any, reason: str) -> None:
    benchmark, counts = made(asked)
    assert benchmark.queries.num_rows == benchmark.qrels.num_rows == 0
    assert {name: n for name, n in counts.items() if name.startswith("query: ")} == {f"query: {reason}": 1}


def test_part_of_the_works_is_enough_and_ids_are_unique() -> None:
    benchmark, counts = made(
        ask("celex:32020R0001", "celex:1", "x:y", 7), ask("celex:32020R0002"), ask("celex:32020R0002", id=2)
    )
    assert benchmark.queries["id"].to_pylist() == ["2", "q1"]
    assert counts["query: id is there already"] == 1 and counts["query: used"] == 2
    assert counts["judgement: work not in the corpus"] == 1 and counts["judgement: work of another collection"] == 1


def test_passages_of_a_relevant_work_are_relevant() -> None:
    benchmark, _ = made(ask("celex:32020R0001"), unit="passage")
    texts = {row["id"]: row["text"] for row in ROWS}
    for row in benchmark.documents.to_pylist():
        assert texts[row["doc"]][row["start"] : row["end"]] == row["text"]
    assert benchmark.documents.num_rows == 12 and benchmark.qrels.num_rows == 6


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "questions"
    for content in (json.dumps([ask()]), json.dumps(ask()) + "\n\n", "\ufeff" + json.dumps([ask()])):
        file.write_text(content, encoding="utf-8")
        assert list(entries(file)) == [ask()]
    for content in ("[1,", '{"id": 1}\nnot json', '["\\ud800"'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match="no JSON"):
            list(entries(file))
    with pytest.raises(ConfigError, match="absent"):
        list(entries(tmp_path / "absent"))


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
def test_real_questions() -> None:
    counts: Counter[str] = Counter()
    asked = list(entries(DATA))
    build([], asked, {}, QuestionsParams(file=DATA), counts)
    assert sum(n for name, n in counts.items() if name.startswith("query: ")) == len(asked) == 147
    assert counts["query: no answer is expected"] == 16
