from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.minhash import shingles
from filters.verification import jaccard


def test_jaccard() -> None:
    assert jaccard("a b c d e f", "A, b; c d e f!") == 1.0
    assert jaccard("a b c d e f", "a b c d e g") == pytest.approx(1 / 3)
    assert jaccard("a b c d e a b c d e", "a b c d e a b c d e a b c d e") == 1.0, "sets: repeats do not count"
    assert jaccard("annex 1 lists 20 of them", "annex 1 lists 21 of them") == 0.0, "numbers are words like others"
    assert jaccard("", "...") == jaccard("", "a") == 0.0
    assert jaccard("\ud800 a", "\ud800 a") == 1.0


@given(*[st.lists(st.sampled_from(["a", "b", "c", "7", "\u4e2d", "\u200b", "\ud800"]), max_size=12).map(" ".join)] * 2)
def test_jaccard_is_that_of_the_sets_of_shingles(a: str, b: str) -> None:
    x, y = set(shingles(a)), set(shingles(b))
    assert jaccard(a, b) == (len(x & y) / len(x | y) if x | y else 0.0)
