"""Tests for retrieval/bm25.py."""

import bm25s
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import compiling
from retrieval import bm25
from tests.retrieval.test_systems import asked, pool

needs_numba = pytest.mark.skipif(not compiling.available(), reason="needs numba")


def test_scores_are_those_of_bm25s() -> None:
    texts = ["alpha beta beta gamma", "beta delta", "alpha alpha alpha", "epsilon", "gamma beta alpha delta delta"]
    queries = ["alpha beta", "delta delta gamma", "epsilon"]
    peer = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    peer.index([text.split() for text in texts], show_progress=False)

    places, scores = bm25.index(pool(*texts), "unstemmed").search(asked(*queries), 5)

    for row, query in enumerate(queries):
        theirs = peer.get_scores(query.split())
        found = {place: score for place, score in zip(places[row], scores[row], strict=True) if place >= 0}
        assert found == pytest.approx({i: s for i, s in enumerate(theirs) if s > 0}, rel=1e-5)


@needs_numba
@settings(deadline=None)
@given(
    st.lists(st.text("abc ", max_size=12), min_size=1, max_size=30),
    st.lists(st.text("abc ", max_size=8), min_size=1, max_size=5), st.integers(1, 40),
)  # fmt: skip
def test_compiled_and_plain_find_the_same(texts: list[str], queries: list[str], k: int) -> None:
    index = bm25.index(pool(*texts), "unstemmed")
    terms, size = index.terms(asked(*queries)), min(k, len(texts))
    both = []
    for search in (bm25._compiled, bm25._plain):
        rows, scores = np.full((len(queries), size), -1, np.int32), np.zeros((len(queries), size), np.float32)
        search(index.matrix, len(texts), terms, rows, scores)
        both.append((rows, scores))
    assert np.array_equal(both[0][0] < 0, both[1][0] < 0)
    assert np.allclose(both[0][1], both[1][1], rtol=1e-5)


@pytest.mark.parametrize("fast", [pytest.param(True, marks=needs_numba), False])
def test_the_score_of_a_pair_is_that_of_the_search(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "available", lambda: fast)
    texts, queries = ["b c", "a b b", "", "c"], asked("a b", "c c", "zzz")
    index = bm25.index(pool(*texts, ids=["z", "y", "x", "w"]), "unstemmed")
    places, scores = index.search(queries, 4)
    rows, pairs = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3)

    found = index.score(queries, rows, pairs).reshape(3, 4)

    for row in range(3):
        listed = {int(p): s for p, s in zip(places[row], scores[row], strict=True) if p >= 0}
        assert [listed.get(place, 0.0) for place in range(4)] == pytest.approx(found[row].tolist())
        assert listed.keys() == {place for place in range(4) if found[row, place] > 0}


def test_a_document_is_searched_in_its_own_language() -> None:
    documents = pa.table({
        "id": ["en", "fr"], "title": ["", None], "text": ["the regulations of nations", "les règlements des nations"],
        "language": ["en", "fr"],
    })  # fmt: skip
    index = bm25.index(documents)

    for text, language, wanted in [
        ("nation", "en", {0, 1}), ("nation", None, {0, 1}), ("regulation", "fr", {0}), ("règlement", "en", {1}),
        ("les the", "fr", set()), ("des", "en", set()),
    ]:  # fmt: skip
        places, _ = index.search(asked(text, language=language), 2)
        assert set(places[0].tolist()) - {-1} == wanted, text


@pytest.mark.parametrize("text", ["\x00\u200b\u202e", "a" * 1_000_000, "x " * 500_000, "\x1e\x1e", "!?…"])
def test_any_text_can_be_indexed_and_asked_for(text: str) -> None:
    index = bm25.index(pool("data", text, language=None))

    places, _ = index.search(asked(text, "data", language=None), 3)

    assert places[1].tolist() == [0, -1, -1]
    assert places[0].tolist() in ([-1, -1, -1], [1, -1, -1])


def test_titles_are_searched() -> None:
    documents = pool("text").set_column(1, "title", pa.array(["Heading"]))
    assert bm25.index(documents).search(asked("headings"), 1)[0].tolist() == [[0]]
