"""Counts and lengths, with mteb's names and mteb's values."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.set_schema import TOP_RANKED
from retrieval import statistics
from retrieval.benchmarks.rows import Document, Query, documents, qrels, queries
from retrieval.builder import Benchmark, Task

_NO_TEXT = ("image", "audio", "video")


def made() -> Benchmark:
    return Benchmark(
        documents([
            Document("a", "Title", "one two", "en", work="w1", licence="cc-by-4.0"),
            Document("b", "", "un", "fr", work="w1"),
            Document("c", "", "un", "fr", work="w2"),
        ]),
        queries([Query("p", "who", "en", "k"), Query("q", "qui est", "fr"), Query("r", "none", "en")]),
        qrels([("p", "a", 1), ("p", "b", 2), ("q", "c", 1), ("r", "a", 0)]),
        [Task("en-fr", ("en",), ("fr",)), Task("all"), Task("xx", ("xx",))],
    )  # fmt: skip


def test_golden_numbers() -> None:
    found = statistics.of(made())
    assert (found["num_samples"], found["num_queries"], found["num_documents"]) == (6, 3, 3)
    assert found["number_of_characters"] == 13 + 2 + 2 + 3 + 7 + 4
    assert found["documents_text_statistics"] == {
        "total_text_length": 17, "min_text_length": 2, "average_text_length": 17 / 3, "max_text_length": 13,
        "unique_texts": 2, "min_word_count": 1, "average_word_count": 5 / 3, "max_word_count": 3,
    }  # fmt: skip
    judged = found["relevant_docs_statistics"]
    assert (judged["num_relevant_docs"], judged["average_relevant_docs_per_query"]) == (3, 1.0)
    assert (judged["min_relevant_docs_per_query"], judged["max_relevant_docs_per_query"]) == (0, 2)
    assert found["documents_by_language"] == {"fr": 2, "en": 1} and found["works"] == 2
    assert found["licences"] == {"unknown": 2, "cc-by-4.0": 1}
    assert found["queries_by_kind"] == {"unknown": 2, "k": 1}


def test_a_task_has_its_pool_and_the_queries_that_it_answers() -> None:
    tasks = statistics.of(made())["hf_subset_descriptive_stats"]
    assert (tasks["en-fr"]["num_queries"], tasks["en-fr"]["num_documents"]) == (1, 2)
    assert tasks["en-fr"]["relevant_docs_statistics"]["num_relevant_docs"] == 1
    assert (tasks["all"]["num_queries"], tasks["all"]["num_documents"]) == (2, 3)
    assert tasks["xx"]["num_queries"] == 0 and tasks["xx"]["queries_text_statistics"] is None


def test_lists_and_nothing() -> None:
    whole = made()
    whole.top_ranked = pa.table([["p", "q"], [["a", "b"], ["c"]]], TOP_RANKED)
    lists = statistics.of(whole)["top_ranked_statistics"]
    assert lists["num_top_ranked"] == 3 and lists["average_top_ranked_per_query"] == 1
    empty = statistics.of(Benchmark(documents([]), queries([]), qrels([]), []))
    assert empty["num_samples"] == 0 and empty["relevant_docs_statistics"] is None


def _keys_of_mteb() -> dict[str, set[str]]:
    """Fields of mteb's dictionaries, read from its source: importing mteb takes long."""
    spec = find_spec("mteb")
    if spec is None or spec.origin is None:
        pytest.skip("mteb is not installed")
    tree = ast.parse(Path(spec.origin).with_name("types").joinpath("statistics.py").read_text(encoding="utf-8"))
    return {
        node.name: {
            field.target.id for field in node.body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        }
        for node in tree.body if isinstance(node, ast.ClassDef)
    }  # fmt: skip


def test_names_are_those_of_mteb() -> None:
    theirs, found = _keys_of_mteb(), statistics.of(made())
    other = {
        key for key in theirs["RetrievalDescriptiveStatistics"] if key.split("_")[1] in ("image", "audio", "video")
    }
    assert theirs["RetrievalDescriptiveStatistics"] - other <= set(found)
    assert theirs["TextStatistics"] <= set(found["documents_text_statistics"])
    assert theirs["RelevantDocsStatistics"] == set(found["relevant_docs_statistics"])
