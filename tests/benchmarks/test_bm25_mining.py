"""Tests for benchmarks/bm25_mining.py."""

import numpy as np
import pytest

from benchmarks.bm25_mining import STEPS, SYSTEMS, Times, made


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_each_side_finds_the_passage_that_a_query_was_made_from(name: str) -> None:
    times: Times = {}
    found = SYSTEMS[name](made(300), 5, times)

    assert found.shape == (300, 5)
    assert np.mean(found[:, 0] == np.arange(300)) > 0.9
    assert list(times) == list(STEPS)
