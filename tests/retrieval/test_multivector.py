"""Tests for retrieval/multivector.py, with a small random model made here."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import ConfigError
from retrieval import multivector
from retrieval.systems import system
from tests.retrieval.test_systems import asked, pool

pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from sentence_transformers import MultiVectorEncoder
    from transformers import BertConfig, BertModel, BertTokenizerFast

    bert, folder = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("multi-vector")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "data", "court", "act", "law", "of", "the"]
    (bert / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(bert / "vocab.txt")).save_pretrained(str(bert))
    torch.manual_seed(1)
    BertModel(
        BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
        )
    ).save_pretrained(str(bert))
    MultiVectorEncoder(str(bert), device="cpu").save(str(folder))
    return folder


def test_documents_are_ranked_by_maxsim(model: Path) -> None:
    documents, queries = pool("the data of the court", "law", "act law", "court"), asked("court data", "law")
    searcher = system(f"multi-vector:{model}")
    encoder = multivector.load(str(model))

    places, scores = searcher.index(documents).search(queries, 4)

    vectors = [
        [np.asarray(v, np.float32) for v in encode(table["text"].to_pylist(), convert_to_numpy=True)]
        for encode, table in ((encoder.encode_query, queries), (encoder.encode_document, documents))
    ]
    for row in range(2):
        wanted = np.array([(vectors[0][row] @ document.T).max(axis=1).sum() for document in vectors[1]])
        assert scores[row] == pytest.approx(np.sort(wanted)[::-1], rel=1e-2)
        assert wanted[places[row]] == pytest.approx(scores[row], rel=1e-2)


def test_the_score_of_a_pair_is_that_of_the_search(model: Path) -> None:
    index = system(f"multi-vector:{model}").index(pool("data court", "law", "", ids=["z", "y", "x"]))
    places, scores = index.search(asked("law", "data"), 3)

    found = index.score(asked("law", "data"), np.repeat([0, 1], 3), places.ravel().astype(np.int64))

    assert found.tolist() == pytest.approx(scores.ravel().tolist(), rel=1e-4)


def test_equal_scores_are_by_document_id(model: Path) -> None:
    made = system(f"multi-vector:{model}").rank(asked("law"), pool("law", "law", "law", ids=["c", "a", "b"]), 2)
    assert made["document_id"].to_pylist() == ["a", "b"]


def test_what_is_not_finite_is_refused_with_model_and_id(model: Path) -> None:
    broken = multivector.load(str(model))
    for weights in broken.parameters():
        weights.data[:] = float("nan")
    with pytest.raises(ConfigError, match="broken: its embedding of d0 is not finite"):
        multivector.index(pool("law"), broken, "broken")
