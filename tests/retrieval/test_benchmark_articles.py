"""Passages and their translations; headings without labels; copies in the pool."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from retrieval.benchmarks.articles import ArticlesParams, build
from retrieval.benchmarks.passages import aligned, without_label
from retrieval.builder import Benchmark
from tests.retrieval.parallel_rows import act, acts, body


def made(rows: list[dict[str, Any]], **params: Any) -> tuple[Benchmark, Counter[str]]:
    chosen, counts = ArticlesParams(shortest=5, **params), Counter[str]()
    return build(aligned(rows, chosen.languages, chosen, counts), chosen, counts), counts


def relevant(benchmark: Benchmark) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {id: set() for id in benchmark.queries["id"].to_pylist()}
    for row in benchmark.qrels.to_pylist():
        found[row["query_id"]].add(row["document_id"])
    return found


def test_a_translation_is_relevant_and_slices_are_exact() -> None:
    rows = acts()
    benchmark, counts = made(rows)
    documents = {row["id"]: row for row in benchmark.documents.to_pylist()}
    texts = {row["id"]: row["text"] for row in rows}
    assert len(documents) == 12 and counts["used"] == 4 and benchmark.queries.num_rows == 24
    for row in documents.values():
        assert texts[row["doc"]][row["start"] : row["end"]] == row["text"]
        assert "Heading" not in row["text"] and "Article" not in row["text"]
    for query in benchmark.queries.to_pylist():
        gold = [documents[id] for id in relevant(benchmark)[query["id"]]]
        assert {row["work"] for row in gold} == {query["work"]} and len({row["parallel"] for row in gold}) == 1
        languages = {row["language"] for row in gold}
        assert languages == ({"en", "fr"} - {query["language"]} if query["kind"] == "passage" else {"en", "fr"})
        assert query["id"] not in documents


def test_a_missing_version_is_refused_and_counted() -> None:
    rows = [*acts(1), act(9, "en", [("A heading of it", body("en", 901))])]
    benchmark, counts = made(rows)
    assert benchmark.documents.num_rows == 6
    assert counts["no passage that serves"] == 1
    third = [*acts(1), act(1, "de", [("Eine eigene Überschrift", body("en", 55))] * 3)]
    benchmark, counts = made(third, languages=("en", "fr", "lv"))
    assert benchmark.documents.num_rows == 0 and counts["group: a language is missing"] == 3


def test_a_heading_of_several_passages_is_no_query() -> None:
    rows = [
        act(n, code, [("Entry into force of it", body(code, n)), (f"Heading {code} on {n} things", body(code, n + 50))])
        for n in (1, 2) for code in ("en", "fr")
    ]  # fmt: skip
    benchmark, counts = made(rows)
    headings = [row["text"] for row in benchmark.queries.to_pylist() if row["kind"] == "heading"]
    assert sorted(headings) == sorted(f"Heading {code} on {n} things" for n in (1, 2) for code in ("en", "fr"))
    assert counts["heading: of several passages"] == 2


def test_a_near_copy_elsewhere_rejects_its_questions_only() -> None:
    rows = acts(3)
    copied = [("Heading of copy en", body("en", 100)), ("Other heading en x", body("en", 990))]
    rows += [
        act(8, "en", copied),
        act(8, "fr", [("Titre de la copie", body("fr", 880)), ("Autre titre", body("fr", 990))]),
    ]
    whole, _ = made(rows, near_copies="relevant")
    benchmark, counts = made(rows)
    gone = set(relevant(whole)) - set(relevant(benchmark))
    # The passage and its copy, each as passage and heading, in both languages.
    assert len(gone) == 8 and counts["query: near copy of a relevant document elsewhere in the pool"] == 8
    assert {id.split(":")[1][:4] for id in gone} == {"0001", "0008"}
    passage = next(q for q in whole.queries.to_pylist() if q["kind"] == "passage" and q["text"] == body("fr", 100))
    assert len(relevant(whole)[passage["id"]]) == 2  # its translation, and the copy of it


def test_the_cap_takes_the_same_groups_in_all_directions() -> None:
    benchmark, counts = made(acts(4), cap=5)
    kinds = Counter((row["kind"], row["language"]) for row in benchmark.queries.to_pylist())
    assert set(kinds.values()) == {5} and counts["query: over the cap"] == 4 * 7
    chosen = {
        (q["kind"], q["language"], q["work"], benchmark.documents.num_rows) for q in benchmark.queries.to_pylist()
    }
    assert {(k, w) for k, c, w, _ in chosen if c == "en"} == {(k, w) for k, c, w, _ in chosen if c == "fr"}
    assert benchmark.documents.num_rows == 24


@pytest.mark.parametrize(
    ("text", "heading", "kind", "body_", "said"),
    [
        ("Article 5\nFree moves\n1. All move.", "Article 5 Free moves", "article", "1. All move.", "Free moves"),
        ("Article 5\nLists of all\n1. They do.", "Article 5", "article", "1. They do.", "Lists of all"),
        ("Article premier\nObjet du texte\nIl vise.", None, "article", "Il vise.", "Objet du texte"),
        ("Article 5 Libre passage\nAucun ne peut.", None, "article", "Aucun ne peut.", "Libre passage"),
        ("Article 13\nThis is for the States.\nDone.", "Article 13", "article", "This is for the States.\nDone.", ""),
        ("Article 2\n1. States keep\nthe right.", "Article 2", "article", "1. States keep\nthe right.", ""),
        ("Article 2\nOnly a title", "Article 2", "article", "Only a title", ""),
        ("(12) Whereas it is so.", None, "recital", "Whereas it is so.", ""),
        ("2004 was a year", None, "recital", "was a year", ""),
        ("Without number.", None, "recital", "Without number.", ""),
        ("No label here\nText.", "Article 7 Other", "article", "No label here\nText.", ""),
        ("Article 5", "Article 5", "article", "", ""),
        ("", None, "article", "", ""),
    ],
)  # fmt: skip
def test_labels(text: str, heading: str | None, kind: str, body_: str, said: str) -> None:
    at, found = without_label(text, heading, kind)
    assert (text[at:], found) == (body_, said)


def test_hostile_passages() -> None:
    for text in ("\n" * 1_000_000, "A" * 1_000_000, "Article 5 " * 100_000, "\u202e\u200b" * 1_000):
        for heading in (None, text, "Article 5 x"):
            at, _ = without_label(text, heading, "article")
            assert 0 <= at <= len(text)
