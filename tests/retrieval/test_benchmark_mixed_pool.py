"""One pool of two languages: whole groups, and the scenario with English distractors only."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from retrieval.benchmarks.mixed_pool import MixedPoolParams, build
from retrieval.benchmarks.passages import aligned
from retrieval.builder import Benchmark
from tests.retrieval.parallel_rows import act, acts, body


def made(rows: list[dict[str, Any]], **params: Any) -> tuple[Benchmark, Counter[str]]:
    chosen, counts = MixedPoolParams(shortest=5, **params), Counter[str]()
    return build(aligned(rows, ("en", chosen.target), chosen, counts), chosen, counts), counts


def test_every_gold_group_is_in_the_pool_in_both_languages() -> None:
    benchmark, counts = made([*acts(2), act(9, "fr", [("Sans version anglaise", body("fr", 9))])])
    languages: dict[str, set[str]] = {}
    for row in benchmark.documents.to_pylist():
        languages.setdefault(row["parallel"], set()).add(row["language"])
    assert len(languages) == 6 and all(found == {"en", "fr"} for found in languages.values())
    assert benchmark.queries.num_rows == 12 and benchmark.qrels.num_rows == 24
    assert counts["no passage that serves"] == 1
    assert [task.name for task in benchmark.tasks] == [
        "mono-en", "mono-fr", "cross-en-fr", "cross-fr-en", "multi-reference-en", "multi-reference-fr",
    ]  # fmt: skip


def test_english_distractors_are_of_other_groups() -> None:
    benchmark, _ = made(acts(4), scenarios=("distractor-only-english",), gold=0.25)
    documents = {row["id"]: row for row in benchmark.documents.to_pylist()}
    groups = Counter(row["parallel"] for row in documents.values())
    assert set(groups.values()) == {1} and len(groups) == 12
    assert Counter(row["language"] for row in documents.values()) == {"en": 9, "fr": 3}
    assert set(benchmark.queries["language"].to_pylist()) == {"fr"} and benchmark.queries.num_rows == 3
    assert {documents[id]["language"] for id in benchmark.qrels["document_id"].to_pylist()} == {"fr"}


def test_an_abstract_is_asked_for_by_its_title() -> None:
    meta = {
        "titles": {"en": "The trees of the north", "fr": "Les arbres du nord"},
        "abstracts": {"en": body("en", 1), "fr": body("fr", 1)},
    }
    row = act(1, "fr", [], meta=json.dumps(meta), celex=None, work="doi:10.1/a", id="a")
    benchmark, counts = made([row])
    assert dict(zip(benchmark.queries["text"].to_pylist(), benchmark.queries["kind"].to_pylist(), strict=True)) == {
        "The trees of the north": "abstract", "Les arbres du nord": "abstract",
    }  # fmt: skip
    assert sorted(benchmark.documents["id"].to_pylist()) == ["a#abstract-en", "a#abstract-fr"]
    assert counts["used"] == 1


def test_params_that_do_not_fit() -> None:
    for params in ({"target": "en"}, {"scenarios": ()}, {"scenarios": ("mono", "distractor-only-english")}):
        with pytest.raises(ValidationError):
            MixedPoolParams(**params)
