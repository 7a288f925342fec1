import dedup
import pytest
from dedup import Planted


def test_recall_by_similarity_and_precision() -> None:
    pairs = [("a", "b", 0.9), ("c", "d", 0.91), ("e", "f", 0.52), ("g", "h", 1.0)]
    truth = Planted(pairs, set("abcdefgh"))
    bins = dedup.recalls({"b", "h", "x"}, truth)
    assert [(key, row[:2]) for key, row in bins.items()] == [(0.5, (1, 0)), (0.9, (2, 0.5)), (1.0, (1, 1))]
    assert bins[1.0][2] == 1
    assert bins[0.5][2] == pytest.approx(1 - (1 - 0.52**8) ** 14)
    assert dedup.precision({"b", "h", "x"}, truth) == pytest.approx(2 / 3)
    assert dedup.precision(set(), truth) == 1
