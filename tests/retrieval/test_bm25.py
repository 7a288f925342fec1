"""Tests for retrieval/bm25.py."""

import math
import os
import sys
from random import Random
from subprocess import run

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


def brute_force(texts: list[str], queries: list[str]) -> np.ndarray:
    """(queries, texts) scores by the formula, in double precision."""
    split = [text.split() for text in texts]
    mean = sum(map(len, split)) / len(split) or 1
    found = np.zeros((len(queries), len(texts)))
    for row, query in enumerate(queries):
        for term in query.split():
            containing = sum(term in words for words in split)
            idf = math.log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))
            for place, words in enumerate(split):
                frequency = words.count(term)
                found[row, place] += idf * frequency / (frequency + 1.5 * (0.25 + 0.75 * len(words) / mean))
    return found


@settings(deadline=None)
@given(
    st.lists(st.text("abc ", max_size=12), min_size=1, max_size=30),
    st.lists(st.text("abcd ", max_size=8), min_size=1, max_size=5), st.integers(1, 40), st.randoms(),
)  # fmt: skip
def test_the_best_by_the_formula_are_found(texts: list[str], queries: list[str], k: int, dice: Random) -> None:
    """Whole queries, equal scores by id, none that scores nothing; and pairs score what the search says."""
    ids = dice.sample([f"d{i:02}" for i in range(len(texts))], len(texts))
    index = bm25.index(pool(*texts, ids=ids), "unstemmed")

    places, scores = index.search(asked(*queries), k)

    expected = brute_force(texts, queries)
    pairs = [np.repeat(np.arange(len(queries)), len(texts)), np.tile(np.arange(len(texts)), len(queries))]
    single = index.score(asked(*queries), *pairs).reshape(expected.shape)
    assert single == pytest.approx(expected, rel=1e-5)
    for row in range(len(queries)):
        every = single[row]
        best = sorted((place for place in range(len(texts)) if every[place] > 0), key=lambda i: (-every[i], ids[i]))
        assert places[row].tolist() == (best[:k] + [-1] * k)[:k]
        assert scores[row].tolist() == pytest.approx([*every[best[:k]].tolist(), *[0.0] * k][:k], rel=1e-6)


_COMPILED = """
import numpy as np
import pyarrow as pa
from retrieval import bm25

dice = np.random.default_rng(1)
texts = [" ".join(dice.choice(list("abcdefgh"), dice.integers(0, 9))) for _ in range(100)]
columns = {"id": [f"{i:03}" for i in range(100)], "title": [""] * 100, "language": ["en"] * 100}
documents = pa.table({**columns, "text": texts})
queries = pa.table({"text": [*texts[:40], "", "zzz"], "language": ["en"] * 42})
index, found = bm25.index(documents, "unstemmed"), []
for least in (0, 1 << 40):
    bm25._COMPILED = least
    found.append(index.search(queries, 10))
    assert index.retriever.backend == ("numpy" if least else "numba")
assert all(map(np.array_equal, *found))
"""


@needs_numba
def test_compiled_and_plain_find_the_same() -> None:
    """Uncompiled here: numba takes ten seconds for what is not ours."""
    run([sys.executable, "-c", _COMPILED], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)


def test_equal_scores_beyond_the_cut_are_by_id() -> None:
    texts = ["a b"] * 50 + ["a"] * 3 + ["b b"] * 50
    index = bm25.index(pool(*texts, ids=[f"d{i:03}" for i in reversed(range(103))]), "unstemmed")
    for k in (1, 3, 4, 10, 52, 53, 60):
        assert index.search(asked("a"), k)[0][0].tolist() == ([52, 51, 50, *reversed(range(50))] + [-1] * k)[:k]


def test_a_query_counts_its_words_so_often() -> None:
    index = bm25.index(pool("a b", "b c"), "unstemmed")
    once, thrice, endless = (index.search(asked("a " * n), 1)[1][0, 0] for n in (1, 3, 10**6))
    assert [thrice, endless] == pytest.approx([3 * once, bm25.MOST_REPEATS * once], rel=1e-5)


def test_documents_are_indexed_over_batches_and_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"common word{i % 7} regulations number{i}" for i in range(40)]
    documents = pool(*texts).set_column(3, "language", pa.array(["en", "fr", None, "en"] * 10, pa.string()))
    whole = bm25.index(documents)
    monkeypatch.setattr(bm25, "_BATCH", 3)
    parts = bm25.index(documents)
    queries = asked("number3 regulation", "word3 common", "regulations", language=None)
    assert all(map(np.array_equal, whole.search(queries, 9), parts.search(queries, 9)))


def test_the_score_of_a_pair_is_that_of_the_search() -> None:
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
