"""Keyword combinations: golden counts, order and case, caps, missing languages."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.benchmarks.clirudit import Article, CliruditParams, build, unranked
from retrieval.benchmarks.rows import Document
from retrieval.builder import Benchmark


def article(name: str, keywords: list[str], languages: tuple[str, ...] = ("en", "fr")) -> Article:
    made = [
        Document(f"{name}#abstract-{code}", "", f"abstract of {name}", code, name, work=f"doi:{name}")
        for code in languages
    ]
    return Article(name, f"doi:{name}", keywords, made)


def made(*articles: Article, counts: Counter[str] | None = None, **params: object) -> Benchmark:
    return build(articles, CliruditParams.model_validate(params), Counter() if counts is None else counts)


def relevant(benchmark: Benchmark, language: str) -> dict[str, set[str]]:
    """Documents in a language by the text of the query."""
    texts = {row["id"]: row["text"] for row in benchmark.queries.to_pylist()}
    found: dict[str, set[str]] = {text: set() for text in texts.values()}
    for row in benchmark.qrels.to_pylist():
        if row["document_id"].endswith(language):
            found[texts[row["query_id"]]].add(row["document_id"].partition("#")[0])
    return found


THREE = (article("d1", ["A", "B", "C", "D"]), article("d2", ["B", "C", "D"]), article("d3", ["A", "B"]))


def test_golden_numbers() -> None:
    benchmark = made(*THREE)
    found = relevant(benchmark, "fr")
    assert benchmark.queries.num_rows == 4
    assert sum(map(len, found.values())) == 5
    assert found["B, C, D"] == {"d1", "d2"}
    assert benchmark.qrels.num_rows == 10  # five for each language
    assert {"d3#abstract-en", "d3#abstract-fr"} <= set(benchmark.documents["id"].to_pylist())
    assert [task.name for task in benchmark.tasks] == ["en-en", "en-fr"]


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_and_case_change_nothing(dice: Random) -> None:
    changed = []
    for one in THREE:
        keywords = [dice.choice([k, k.lower(), f" {k}  "]) for k in one.keywords]
        dice.shuffle(keywords)
        changed.append(one._replace(keywords=keywords))
    dice.shuffle(changed)
    benchmark = made(*changed)
    assert benchmark.qrels.equals(made(*THREE).qrels)
    assert benchmark.queries["id"].equals(made(*THREE).queries["id"])


def test_equal_keywords_of_one_article_are_one() -> None:
    counts: Counter[str] = Counter()
    benchmark = made(article("d1", ["Law", "LAW", "a", "b", "", "  "]), counts=counts)
    assert benchmark.queries["text"].to_pylist() == ["a, b, Law"]
    assert counts["keyword: empty, or equal to another of its article"] == 3


@pytest.mark.parametrize(("accents", "queries"), [("kept", 2), ("stripped", 1)])
def test_accents(accents: str, queries: int) -> None:
    twice = article("d1", ["État", "a", "b"]), article("d2", ["Etat", "a", "b"])
    assert made(*twice, accents=accents).queries.num_rows == queries


def test_twenty_keywords_are_1140_combinations_and_more_are_capped() -> None:
    twenty = article("d1", [f"k{n:02}" for n in range(20)])
    assert made(twenty).queries.num_rows == 1_140
    counts: Counter[str] = Counter()
    capped = made(twenty, cap=100, counts=counts)
    assert capped.queries.num_rows == 100
    assert counts["query: over the cap of its article"] == 1_040
    assert capped.queries.equals(made(twenty, cap=100).queries)
    assert not capped.queries.equals(made(twenty, cap=100, seed=2).queries)
    assert made(article("d1", [str(n) for n in range(100_000)]), k=5, cap=7).queries.num_rows == 7


def test_a_combination_that_was_not_drawn_for_an_article_still_judges_it() -> None:
    many = article("d1", [f"k{n:02}" for n in range(20)])
    found = relevant(made(many, article("d2", ["k00", "k01", "k02"]), cap=1), "en")
    assert found["k00, k01, k02"] == {"d1", "d2"}


def test_an_article_without_an_abstract_is_in_the_other_pool_only() -> None:
    benchmark = made(article("d1", ["A", "B", "C"], ("en",)), article("d2", ["X", "Y"]))
    assert relevant(benchmark, "fr") == {"A, B, C": set()}
    assert relevant(benchmark, "en") == {"A, B, C": {"d1"}}


@given(st.integers(1, 9), st.integers(1, 5))
def test_unranked_counts_as_itertools_does(n: int, k: int) -> None:
    assert [tuple(unranked(r, n, k)) for r in range(comb(n, k))] == list(combinations(range(n), k))


def test_nothing_gives_an_empty_benchmark() -> None:
    benchmark = made()
    assert (benchmark.documents.num_rows, benchmark.queries.num_rows, benchmark.qrels.num_rows) == (0, 0, 0)
