"""The measures of the language benchmark, the derivation of thresholds, and the made noise."""

from __future__ import annotations

import random
import tomllib

import pytest

from benchmarks.language import accuracies, calibration, near
from benchmarks.language_noise import code, misread, non_text, other_script, random_letters
from benchmarks.language_thresholds import as_toml, derive, threshold
from benchmarks.train_language import serbian_latin


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.99] * 10, 0.9),  # the ceiling
        ([0.1] * 10, 0.3),  # the floor
        ([0.4, 0.6, 0.8], 0.437),  # 0.6 less 0.163
    ],
)
def test_a_threshold_is_median_less_deviation_within_bounds(scores: list[float], expected: float) -> None:
    assert threshold(scores) == expected


def test_languages_with_few_documents_and_unknown_ones_have_no_threshold() -> None:
    found = derive([("fr", 0.8)] * 20 + [("de", 0.8)] * 19 + [("und", 0.0)] * 50 + [("zxx", 0.9)] * 50)
    assert found == {"fr": 0.8}
    assert tomllib.loads(as_toml(found, "a test"))["language_score"] == found


def test_calibration_error_is_zero_where_probabilities_come_true() -> None:
    rows, error = calibration({"fr": [("fr", 0.75)] * 3 + [("de", 0.75)], "de": [("de", 1.0)] * 6})
    assert error == 0
    assert [count for count, _, _ in rows if count] == [4, 6]
    assert calibration({"fr": [("de", 1.0)]})[1] == 1


def test_accuracy_and_confusion() -> None:
    found = {"hr": [("hr", 0.9)] * 3 + [("bs", 0.5)], "bs": [("bs", 0.9)]}
    assert accuracies(found) == {"hr": 0.75, "bs": 1}
    assert list(near(found, "hr bs")) == ["hr: hr 75, bs 25", "bs: bs 100"]


def test_serbian_in_latin_letters() -> None:
    assert serbian_latin("Љубав, Џез и Његош") == "ljubav, džez i njegoš"


def test_noise_is_the_same_for_the_same_seed() -> None:
    for maker in (code, non_text, other_script, random_letters):
        lines = [maker(random.Random(3)) for _ in range(2)]
        assert lines[0] == lines[1] and lines[0].strip()
    assert misread(random.Random(1), {}) == ""
