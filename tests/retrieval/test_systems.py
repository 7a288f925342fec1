"""Tests for retrieval/systems.py."""

import pyarrow as pa
import pytest

from catalog.errors import ConfigError
from catalog.set_schema import RANKING
from retrieval.systems import imported, system


def pool(*texts: str, language: str | None = "en", ids: list[str] | None = None) -> pa.Table:
    return pa.table({
        "id": ids or [f"d{i}" for i in range(len(texts))], "title": [""] * len(texts), "text": list(texts),
        "language": pa.array([language] * len(texts), pa.string()),
    })  # fmt: skip


def asked(*texts: str | None, language: str | None = "en") -> pa.Table:
    return pa.table({
        "id": [f"q{i}" for i in range(len(texts))], "text": pa.array(texts, pa.string()),
        "language": pa.array([language] * len(texts), pa.string()),
    })  # fmt: skip


def test_a_ranking_has_its_schema_and_counts_ranks_from_one() -> None:
    made = system("bm25").rank(asked("data court", "", "zebra", None), pool("data", "the court", "data court"), 10)

    assert made.schema == RANKING
    assert made.select(["query_id", "document_id", "rank"]).to_pylist() == [
        {"query_id": "q0", "document_id": "d2", "rank": 1},
        {"query_id": "q0", "document_id": "d0", "rank": 2},
        {"query_id": "q0", "document_id": "d1", "rank": 3},
    ]


@pytest.mark.parametrize("kind", ["bm25", "bm25:unstemmed"])
def test_equal_scores_are_by_document_id(kind: str) -> None:
    documents = pool(*["same words"] * 20, "other", ids=[f"d{i:02}" for i in reversed(range(21))])

    made = system(kind).rank(asked("words"), documents, 5)

    assert made["document_id"].to_pylist() == ["d01", "d02", "d03", "d04", "d05"]


def test_a_pool_without_documents_gives_nothing() -> None:
    assert system("bm25").rank(asked("data"), pool(), 5).num_rows == 0


def test_a_run_answers_for_documents_of_the_pool_only() -> None:
    run = pa.table(
        [["q1", "q1", "q1", "q0"], ["gone", "d1", "d0", "d0"], [1, 2, 3, 1], [9.0, 5.0, 4.0, 1.0]], schema=RANKING
    )
    made = imported("run", run)

    assert made.rank(asked("a", "b", "c"), pool("x", "y"), 2).to_pylist() == [
        {"query_id": "q0", "document_id": "d0", "rank": 1, "score": 1.0},
        {"query_id": "q1", "document_id": "d1", "rank": 1, "score": 5.0},
        {"query_id": "q1", "document_id": "d0", "rank": 2, "score": 4.0},
    ]


@pytest.mark.parametrize("spec", ["", "bm26", "bm25:porter", "dense:", "multi-vector", "run", "dense:/nowhere/model"])
def test_an_unknown_system_is_refused(spec: str) -> None:
    if spec.startswith("dense:/"):
        pytest.importorskip("sentence_transformers")
    with pytest.raises(ConfigError, match=r"bm25|no SentenceTransformer"):
        system(spec)


def test_no_document_is_refused() -> None:
    with pytest.raises(ConfigError, match="k = 0"):
        system("bm25").rank(asked("a"), pool("a"), 0)
