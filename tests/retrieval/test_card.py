"""Cards of benchmarks and training sets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from retrieval import statistics
from retrieval.benchmarks.rows import Document, Query, documents, qrels, queries
from retrieval.builder import Benchmark, Task
from retrieval.card import card

FACTS: dict[str, Any] = {
    "id": "0123abcd", "builder": "articles", "version": 1, "summary": "Passages ask for passages.",
    "params": {"cap": 10, "file": "a|b"}, "splits": {"test": 0.2}, "made": "2024-01-01",
    "snapshot": {"snapshot": 7, "digest": "feed", "code": "0.1.0"}, "counts": {"used": 3, "query: over the cap": 9},
}  # fmt: skip


def benchmark(licence: str | None = "cc-by-4.0") -> dict[str, Any]:
    made = Benchmark(
        documents([Document("a", "", "one", "no", licence=licence), Document("b", "", "two", "fr")]),
        queries([Query("q", "who", "no")]), qrels([("q", "a", 1)]), [Task("no-no", ("no",), ("no",))],
        notes={"relevance": "by hand", "scenarios": {"x": 1}},
    )  # fmt: skip
    return FACTS | {
        "name": "bench", "kind": "benchmark", "tasks": [asdict(task) for task in made.tasks], "notes": made.notes,
        "statistics": statistics.of(made),
        "files": [{"file": f"{t}-all.parquet", "table": t, "rows": 1} for t in ("documents", "queries", "qrels")],
    }  # fmt: skip


TRAINING = FACTS | {
    "name": "train", "kind": "pairs", "files": [{"file": "pairs-1.parquet", "table": "pairs", "rows": 5}] * 2,
    "against": [{"name": "bench", "id": "0123abcd"}], "overlap": {"ngram": 13}, "negatives": None,
}  # fmt: skip


def front(text: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(text.split("---")[1])
    assert isinstance(found, dict)
    return found


def test_a_benchmark_says_what_it_is_and_where_it_is_from() -> None:
    text = card(benchmark())
    for said in ("snapshot 7", "`feed`", "`articles`, version 1", "no-no", "cc-by-4.0", "no licence: it is unknown",
                 "query: over the cap", "by hand", "0123abcd", "florilege eval bench bm25",
                 "florilege export OUT --set bench --format beir", "| queries | text | the query |"):  # fmt: skip
        assert said in text
    head = front(text)
    assert head["language"] == ["fr", "no"] and head["task_categories"] == ["text-retrieval"]
    assert [config["config_name"] for config in head["configs"]] == ["documents", "queries", "qrels"]


def test_a_training_set_says_what_it_is_kept_clear_of() -> None:
    text = card(TRAINING)
    for said in ("| pairs | 10 |", "`bench` (0123abcd)", '"ngram":13', "not recorded: unknown", "snapshot 7",
                 "florilege export OUT --set train --format sentence-transformers"):  # fmt: skip
        assert said in text
    assert front(text)["configs"][0]["data_files"] == [{"split": "train", "path": "pairs-*.parquet"}]
    assert "No benchmark" in card(TRAINING | {"against": []})


def test_rows_that_repeat_positives_are_no_negatives_and_languages_are_named() -> None:
    files = [
        {"file": f"{name}-1.parquet", "table": name, "rows": rows} for name, rows in (("pairs", 32), ("negatives", 256))
    ]
    text = card(TRAINING | {"files": files, "counts": {"negatives: negatives": 224}, "languages": ["fr", "no", "und"]})
    assert "Of the 256 rows of `negatives`, 224 are negatives (rank 1 on); the other 32 repeat" in text
    assert front(text)["language"] == ["fr", "no"]
    assert "repeat the positives" not in card(TRAINING)


def test_a_source_cannot_write_into_the_card() -> None:
    lines = card(benchmark("free\n# of all | rights\n---\n")).split("\n")
    assert not any(line.startswith("# of all") for line in lines)
    assert any("free # of all \\| rights ---" in line for line in lines)


def test_bare_facts_are_enough() -> None:
    text = card({"name": "x", "kind": "benchmark", "id": "1", "files": []})
    assert "unknown" in text and "(none)" in text


def test_datasets_reads_the_configurations(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    import pyarrow.parquet as pq

    pq.write_table(queries([Query("q", "who", "no")]), tmp_path / "queries-all.parquet")
    manifest = benchmark()
    manifest["files"] = [file for file in manifest["files"] if file["table"] == "queries"]
    (tmp_path / "README.md").write_text(card(manifest), encoding="utf-8")
    found = datasets.load_dataset(str(tmp_path), "queries", cache_dir=str(tmp_path / "cache"))
    assert found["test"][0]["text"] == "who"
