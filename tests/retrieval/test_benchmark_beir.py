"""A foreign folder in BEIR's layout, broken in ordinary ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ConfigError
from catalog.set_schema import BENCHMARK
from retrieval.benchmarks.beir import BeirParams, make


def folder(root: Path, judged: str, documents: list[dict[str, Any]] | None = None) -> Path:
    documents = documents or [{"_id": "d1", "title": "One", "text": "first"}, {"_id": "d2", "text": "second"}]
    questions = [{"_id": "q1", "text": "which"}, {"_id": "q2", "text": "what"}]
    (root / "qrels").mkdir()
    for name, rows in (("corpus", documents), ("queries", questions)):
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (root / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")
    return root


def made(path: Path, **params: Any) -> Any:
    params = {"query_language": "en", "document_language": "en"} | params
    return make(None, BeirParams(folder=path, **params))  # type: ignore[arg-type]


UNSAID: dict[str, Any] = {"query_language": None, "document_language": None}


def manifest(path: Path, **facts: Any) -> Path:
    statistics = {"queries_by_language": {"en": 2}, "documents_by_language": {"fr": 2}}
    told = {"format": "beir", "options": {}, "set": {"statistics": statistics}} | facts
    (path / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    return path


def test_a_folder_becomes_the_three_tables(tmp_path: Path) -> None:
    found = made(folder(tmp_path, "q1\td1\t1\nq2\td2\t2\n"), query_language="fr", licence="cc0-1.0")
    assert found.documents.schema.equals(BENCHMARK["documents"]) and found.queries.schema.equals(BENCHMARK["queries"])
    assert found.documents["text"].to_pylist() == ["first", "second"]
    assert found.documents["licence"].to_pylist() == ["cc0-1.0"] * 2
    assert found.queries["language"].to_pylist() == ["fr", "fr"]
    assert sorted(found.qrels["score"].to_pylist()) == [1, 2]
    assert found.counts["used"] == 2 and found.counts["query: used"] == 2


def test_orphans_and_copies_are_counted(tmp_path: Path) -> None:
    twice = [{"_id": "d1", "text": "first"}, {"_id": "d1", "text": "again"}]
    found = made(folder(tmp_path, "q1\td1\t1\nq1\tnone\t1\nnobody\td1\t1\n", twice))
    assert found.documents["id"].to_pylist() == ["d1"]
    assert found.qrels.to_pylist() == [{"query_id": "q1", "document_id": "d1", "score": 1}]
    left_out = {reason: n for reason, n in found.counts.items() if reason not in ("used", "query: used")}
    assert sum(left_out.values()) == 4  # two orphans, a copy, and a query without judgements


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"corpus\.jsonl"):
        made(tmp_path)
    with pytest.raises(ConfigError, match="judgement"):
        made(folder(tmp_path, "q9\td9\t1\n"))


def test_a_language_that_nothing_says_is_asked_for(tmp_path: Path) -> None:
    path = folder(tmp_path, "q1\td1\t1\n")
    with pytest.raises(ConfigError, match="parameter query_language and document_language"):
        made(path, **UNSAID)
    with pytest.raises(ConfigError, match="parameter document_language,"):
        made(path, document_language=None)
    for told in ({"format": "trec"}, {"set": []}, {"set": {"statistics": {"queries_by_language": {"unknown": 1}}}}):
        with pytest.raises(ConfigError, match="parameter query_language"):
            made(manifest(path, **told), **UNSAID)
    two = {"queries_by_language": {"en": 2}, "documents_by_language": {"en": 1, "fr": 1}}
    with pytest.raises(ConfigError, match=r"parameter document_language \(en, fr\)"):
        made(manifest(path, set={"statistics": two, "tasks": 3}), **UNSAID)


def test_an_export_of_ours_says_languages_and_task(tmp_path: Path) -> None:
    path = manifest(folder(tmp_path, "q1\td1\t1\n"))
    found = made(path, **UNSAID)
    assert found.tasks[0].name == "en-fr"
    assert (found.queries["language"].to_pylist(), found.documents["language"].to_pylist()) == (["en"], ["fr", "fr"])
    assert made(path, query_language="de", document_language=None).queries["language"].to_pylist() == ["de"]
    tasks = [
        {"name": "to-french", "query_languages": ["de"], "document_languages": ["fr"]},
        {"name": "other", "query_languages": ["en"], "document_languages": ["en"]},
    ]
    found = made(manifest(path, options={"task": "to-french"}, set={"tasks": tasks}), **UNSAID)
    assert found.tasks[0].name == "to-french" and found.queries["language"].to_pylist() == ["de"]
