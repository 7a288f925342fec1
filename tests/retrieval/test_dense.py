"""Tests for retrieval/dense.py, with models made here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import ConfigError
from retrieval import dense
from retrieval.systems import system
from tests.retrieval.test_systems import asked, pool

pytest.importorskip("sentence_transformers")

WORDS = ["data", "court", "act", "law"]


def static_model(folder: Path, weights: Any = None, prompts: dict[str, str] | None = None) -> Path:
    """A model whose embedding of a text is the mean of its words' vectors: `WORDS` at right angles."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0, **{w: i + 1 for i, w in enumerate(WORDS)}}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    table = np.eye(len(WORDS) + 1, dtype=np.float32) if weights is None else weights
    model = SentenceTransformer(
        modules=[StaticEmbedding(words, embedding_weights=table)], prompts=prompts, device="cpu"
    )
    model.save(str(folder))
    return folder


def test_documents_are_ranked_by_cosine_and_id(tmp_path: Path) -> None:
    searcher = system(f"dense:{static_model(tmp_path)}")
    documents = pool("data", "data court", "law", "law", ids=["a", "b", "d", "c"])

    made = searcher.rank(asked("data", "law"), documents, 3)

    assert searcher.name == f"dense:{tmp_path}"
    assert made["document_id"].to_pylist() == ["a", "b", "c", "c", "d", "a"]
    assert made["score"].to_pylist()[:2] == pytest.approx([1, 2**-0.5])


def test_the_score_of_a_pair_is_that_of_the_search(tmp_path: Path) -> None:
    index = system(f"dense:{static_model(tmp_path)}").index(
        pool("data court", "law act data", "act", ids=["z", "y", "x"])
    )
    queries = asked("data", "law court")
    places, scores = index.search(queries, 3)

    found = index.score(queries, np.repeat([0, 1], 3), places.ravel().astype(np.int64))

    assert found.tolist() == pytest.approx(scores.ravel().tolist())


def test_the_models_prompts_are_used(tmp_path: Path) -> None:
    searcher = system(f"dense:{static_model(tmp_path, prompts={'query': 'court ', 'document': ''})}")

    made = searcher.rank(asked("data"), pool("court data", "data"), 1)

    assert made["document_id"].to_pylist() == ["d0"]
    assert made["score"].to_pylist() == pytest.approx([1])


def test_what_is_not_finite_is_refused_with_model_and_id(tmp_path: Path) -> None:
    table = np.eye(len(WORDS) + 1, dtype=np.float32)
    table[3] = np.nan
    searcher = system(f"dense:{static_model(tmp_path, table)}")

    with pytest.raises(ConfigError, match=rf"{tmp_path}.*of d1 is not finite"):
        searcher.rank(asked("data"), pool("data", "act", "act"), 2)
    with pytest.raises(ConfigError, match="of q1 is not finite"):
        searcher.rank(asked("data", "act"), pool("data"), 2)


def test_other_dimensions_for_queries_are_refused() -> None:
    index = dense.Index(_Uneven(), "uneven", np.zeros((1, 2), np.float32), np.zeros(1, np.int32))
    with pytest.raises(ConfigError, match="uneven: embeddings of queries have 3 dimensions, of documents 2"):
        index.search(asked("data"), 1)


class _Uneven:
    def encode_query(self, texts: list[str], **_: Any) -> Any:
        return np.zeros((len(texts), 3), np.float32)


def test_empty_texts_and_pools(tmp_path: Path) -> None:
    searcher = system(f"dense:{static_model(tmp_path)}")

    assert searcher.rank(asked("", None), pool("", "data"), 5).num_rows == 4
    assert searcher.rank(asked("data"), pool(), 5).num_rows == 0
    assert searcher.rank(asked(), pool("data"), 5).num_rows == 0


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    dense.index(pool("data", "law"), dense.load(str(static_model(tmp_path))), "m", told.append)
    assert told == [2]


@pytest.mark.parametrize("k", [1, 3, 50, 400])
def test_blocks_give_what_one_sort_gives(k: int) -> None:
    scores = np.random.default_rng(1).integers(0, 9, (5, 300)).astype(np.float32)  # many ties
    blocks = iter([scores[:, :7], scores[:, 7:200], scores[:, 200:]])

    rows, found = dense.best(blocks, 5, k)

    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(rows, order)
    assert np.array_equal(found, np.take_along_axis(scores, order, 1))
