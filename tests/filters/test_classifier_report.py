from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.classifier_report import Report, accuracy, auc, card

SCORES = [(0.9, True), (0.8, False), (0.7, True), (0.1, False)]


def test_area_under_the_curve() -> None:
    assert auc(SCORES) == 0.75
    assert auc([(0.5, True), (0.5, False)]) == 0.5
    assert auc([(0.1, True), (0.9, False)]) == 0
    assert math.isnan(auc([(0.1, True)]))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), max_size=20))
def test_area_is_the_share_of_pairs_in_order(scores: list[tuple[float, bool]]) -> None:
    trusted, others = ([score for score, side in scores if side is wanted] for wanted in (True, False))
    pairs = [1.0 if t > o else 0.5 if t == o else 0.0 for t in trusted for o in others]
    assert auc(scores) == pytest.approx(sum(pairs) / len(pairs)) if pairs else math.isnan(auc(scores))


def test_accuracy_is_the_mean_of_both_sides() -> None:
    assert accuracy([(0.9, True), (0.1, True), (0.2, False)]) == 0.75
    assert accuracy([(0.5, True), (0.5, False)]) == 0.5


def test_the_card_has_every_figure() -> None:
    counts = {("trusted", "acts", "fr"): (1_200, 300), ("other", "web", "fr"): (80, 20)}
    text = card(Report(counts, {"el": (0, 22)}, {"fr": SCORES}), {"seed": "1"})
    for line in (
        "| seed | 1 |",
        "| trusted | acts | fr | 1,200 | 300 |",
        "Left out for want of documents on both sides (trusted, others): el (0, 22).",
        "| fr | 2 | 2 | 0.750 | 0.750 |",
        "| 0.8 to 1.0 | 2 | 0.50 |",
        "| 0.2 to 0.4 | 0 | - |",
    ):
        assert line in text
