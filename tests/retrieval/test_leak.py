"""Planted leaks of every kind are found; a clean pair with common formulas is clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retrieval import leak
from retrieval.overlap import CONTAINS, EQUAL, SIMILAR, Rules

FORMULA = "This Regulation shall be binding in its entirety and directly applicable in all Member States of the Union."
ASKED = "Which court decides on the legality of an act?"
Row = dict[str, Any]


def prose(seed: int, count: int = 60) -> str:
    """Words that no other seed has in this order."""
    return " ".join(f"{chr(97 + (seed * 7 + n) % 26)}{seed}x{n}" for n in range(count))


def passage(n: int) -> str:
    return f"{prose(n)} {FORMULA}"


def write(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """Ten acts and a question."""
    write(tmp_path / "bench" / "corpus.jsonl", [
        {"_id": f"doc{n}:0-80", "text": passage(n), "work": f"celex:{n}", "language": "en",
         "parallel": f"celex:{n}#art_1"} for n in range(10)
    ])  # fmt: skip
    write(tmp_path / "bench" / "queries.jsonl", [{"_id": "q1", "text": ASKED}])
    return tmp_path / "bench"


CLEAN: Row = {"query": "another question altogether", "positive": passage(100), "work": "celex:100", "language": "fr"}
PLANTED: dict[str, tuple[Row, set[str]]] = {
    "copy": ({"positive": passage(1).upper().replace(" ", "  ")}, {EQUAL, leak.COMMON}),
    "near copy": ({"positive": passage(2).replace(f" {prose(2).split()[30]} ", " other ")}, {SIMILAR, leak.COMMON}),
    "passage in a longer text": (
        {"positive": f"{prose(200, 300)} {prose(3)} {prose(201, 300)}"},
        {CONTAINS, leak.COMMON},
    ),
    "translation by its work": (
        {"positive": prose(202), "work": "celex:4", "language": "fr"},
        {leak.SAME_WORK, leak.TRANSLATION},
    ),
    "the same work, nothing else known": ({"positive": prose(203), "work": "celex:4"}, {leak.SAME_WORK}),
    "translation by its group": ({"positive": prose(204), "parallel": "celex:5#art_1"}, {leak.TRANSLATION}),
    "query": ({"query": ASKED.upper(), "positive": prose(205)}, {EQUAL}),
    "query and document": ({"query": ASKED, "positive": passage(6)}, {EQUAL, leak.COMMON, leak.BOTH}),
    "query in a text": ({"positive": f"{prose(206)} {ASKED} {prose(207)}"}, {leak.WITH_QUERY}),
    "slice of a document": ({"document_id": "doc7:100-200", "document": prose(208)}, {leak.SAME_ID, leak.SAME_WORK}),
    "another document with a number": ({"document_id": "other#3", "document": prose(209)}, set()),
    "formula": ({"positive": passage(300)}, {leak.COMMON, leak.ALLOWED}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_every_planted_leak_is_found_for_what_it_is(tmp_path: Path, benchmark: Path, name: str) -> None:
    row, expected = PLANTED[name]
    train = write(tmp_path / "train.jsonl", [{"positive": prose(400)}, row, {"positive": prose(401)}])
    report = leak.measure(train, benchmark)
    assert {m for m, found in report.measures.items() if found.rows} == expected
    assert report.leaks == bool(expected & set(leak.LEAKS)) and report.rows == 3
    if expected:
        assert report.measures[min(expected)].examples[0]["train"].startswith("train.jsonl, row 2,")


def test_a_clean_pair_is_clean_and_its_formulas_are_counted(tmp_path: Path, benchmark: Path) -> None:
    train = write(tmp_path / "train.jsonl", [CLEAN, {"positive": prose(500)}])
    report = leak.measure(train, benchmark)
    assert report.leaks == 0 and (report.rows, report.texts, report.documents, report.queries) == (2, 3, 10, 1)
    assert {m: f.rows for m, f in report.measures.items() if f.rows} == {leak.COMMON: 1, leak.ALLOWED: 1}
    assert leak.measure(train, benchmark, Rules(strict=True)).leaks == 1
    assert report.benchmark.columns == {"corpus.jsonl: text": 10, "queries.jsonl: text": 1}
    text = "\n".join(report.lines())
    assert "| **leaks** | **0** | |" in text and "read 10 of corpus.jsonl: text" in text
    assert "| number | counts as a leak |" in text and f"| {leak.COMMON} | 1 | no |" in text
    assert f"nothing of the other kinds: {leak.SAME_WORK}; {leak.TRANSLATION}; {EQUAL};" in text
    assert '- has a 13-gram of the benchmark: train.jsonl, row 1, positive: "' in text and "{'" not in text


def test_all_at_once(tmp_path: Path, benchmark: Path) -> None:
    rows = [row for row, _ in PLANTED.values()] * 300
    report = leak.measure(write(tmp_path / "train.jsonl", rows), benchmark)
    assert report.leaks == 300 * sum(bool(found & set(leak.LEAKS)) for _, found in PLANTED.values())
    for measure in leak.MEASURES:
        assert report.measures[measure].rows == 300 * sum(measure in found for _, found in PLANTED.values())
        assert len(report.measures[measure].examples) <= 5
    assert report.largest["similarity"] == 1.0 > report.largest["contained"] > 0.9  # the formula is no share
    assert sum(report.histograms["contained"]) == report.texts and report.queries_found == 1


def test_ids() -> None:
    assert leak.origin("0a1b:10-20") == leak.origin("0a1b#title-fr") == leak.origin("0a1b") == "0a1b"
    assert leak.origin("17") is leak.origin(None) is leak.origin("") is None


def test_a_benchmark_against_itself(benchmark: Path) -> None:
    report = leak.measure(benchmark, benchmark)
    assert report.leaks == report.rows == 11 and report.measures[EQUAL].rows == 11


def exported(folder: Path, files: dict[str, list[Row]], facts: Row) -> Path:
    """An export as `florilege export` writes it."""
    for name, rows in files.items():
        write(folder / name, rows)
    (folder / "manifest.json").write_text(json.dumps({"format": "x", "set": facts, "files": []}), "utf-8")
    return folder


DOC, OTHER = "0a" * 16, "1b" * 16
BEIR: dict[str, list[Row]] = {
    "corpus.jsonl": [{"_id": f"{DOC}:0-90", "title": "", "text": prose(1)}],
    "queries.jsonl": [{"_id": f"heading:{DOC}:0-90", "text": ASKED}],
}
ARTICLES = {"name": "articles", "kind": "benchmark", "id": "aa"}


def test_exports_with_ids_are_measured_by_their_documents(tmp_path: Path) -> None:
    bench = exported(tmp_path / "bench", BEIR, ARTICLES)
    rows = [{"_id": f"{doc}#abstract-fr", "title": "", "text": prose(n)} for n, doc in ((2, DOC), (3, OTHER))]
    train = exported(tmp_path / "train", {"corpus.jsonl": rows}, {"name": "t", "kind": "pairs", "id": "bb"})
    report = leak.measure(train, bench)
    assert report.leaks == report.measures[leak.SAME_WORK].rows == 1
    assert set(report.unmeasured()) == {leak.TRANSLATION, leak.BOTH}
    text = "\n".join(report.lines())
    assert "Works are told by the ids of corpus documents" in text
    assert f"| {leak.SAME_WORK} | 1 | yes |" in text and f"| {leak.TRANSLATION} | not measurable | yes |" in text
    assert "no parallel groups and no works with languages in the training set and in the benchmark" in text


@pytest.mark.parametrize("known", [True, False])
def test_what_the_files_do_not_tell_is_not_measurable(tmp_path: Path, known: bool) -> None:
    bench = exported(tmp_path / "bench", BEIR, ARTICLES)
    facts = {
        "name": "pairs-1",
        "kind": "pairs",
        "id": "bb",
        "against": [{"name": "articles", "id": "aa" if known else "b"}],
    }
    train = exported(tmp_path / "train", {"train.jsonl": [{"anchor": prose(5), "positive": prose(6)}]}, facts)
    report = leak.measure(train, bench)
    assert report.leaks == 0 and set(report.unmeasured()) == {leak.SAME_WORK, leak.TRANSLATION, leak.SAME_ID}
    *_, last = text = list(report.lines())
    assert f"| {leak.SAME_WORK} | not measurable | yes |" in text
    assert "| **leaks among what was measurable** | **0** | |\n" in text
    assert "`florilege leak pairs-1 articles --corpus DIR`" in last
    assert any(f"{'was kept' if known else 'was not kept'} apart from this benchmark" in line for line in text)


def test_works_on_one_side_and_ids_on_the_other_are_not_compared(tmp_path: Path) -> None:
    bench = exported(tmp_path / "bench", BEIR, ARTICLES)
    report = leak.measure(write(tmp_path / "train.jsonl", [CLEAN]), bench)
    assert report.unmeasured()[leak.SAME_WORK] == "the one has works, the other ids of corpus documents"


def test_rows_that_tell_nothing_are_counted(tmp_path: Path, benchmark: Path) -> None:
    train = write(tmp_path / "train.jsonl", [CLEAN, {"positive": prose(500)}])
    assert "Only 1 of 2 rows of the training set" in "\n".join(leak.measure(train, benchmark).lines())


def test_documents_of_ids() -> None:
    for id in (DOC, f"{DOC}:10-20", f"{DOC}#title-fr", f"heading:{DOC}:10-20"):
        assert leak.document(id) == DOC
    assert leak.document("doc7:1-2") == leak.document("doc7#title") == "doc7"
    for id in (None, "", "17", "q1", "doc7#3", "doc:7", f"{DOC}0", ":1-2"):
        assert leak.document(id) is None
