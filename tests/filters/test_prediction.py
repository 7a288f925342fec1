from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import legibility, prediction
from filters.legibility import FEATURES
from filters.prediction import MEASURES, Model, Step, of_document, of_page, score

TEXT = (
    "The Member States shall take the measures that are needed to protect the quality of their waters.\n"
    "Where the limits of this Article are not met, the authority shall inform the public of what it has done.\n"
    "It shall also say which of the measures were taken, by whom, and what they have cost so far.\n"
    "No later than the end of the year the Commission shall publish a report on the state of the rivers.\n"
)


def predicted(text: str) -> dict[str, float]:
    pages = [text] * 3
    starts = [0, *accumulate(map(len, pages))][:-1]
    return of_document(legibility.measure("".join(pages), starts, "en")[0])


def test_every_measure_lies_between_its_bounds() -> None:
    found = predicted(TEXT)
    assert set(found) == {f"predicted_{m}{bound}" for m in MEASURES for bound in ("", "_low", "_high")}
    for measure in MEASURES:
        low, middle, high = (found[f"predicted_{measure}{bound}"] for bound in ("_low", "", "_high"))
        assert 0 <= low <= middle <= high <= 1


@pytest.mark.parametrize(
    "damage",
    [
        TEXT.replace("e", "\ufffd"),
        TEXT.replace(" ", ""),
        "".join(f"{sign} " for sign in TEXT),
        TEXT.swapcase().replace("T", "tX").replace("A", "#"),
    ],
)
def test_what_nobody_can_read_is_predicted_to_be_worse(damage: str) -> None:
    good, bad = predicted(TEXT), predicted(damage)
    for measure in MEASURES:
        assert bad[f"predicted_{measure}"] < good[f"predicted_{measure}"] - 0.005
    page = {m: of_page(legibility.measure(text, [], "en")[0]) for m, text in (("good", TEXT), ("bad", damage))}
    assert page["bad"]["predicted_order"] < page["good"]["predicted_order"]


SHARES = st.none() | st.floats(-1, 1)
ROWS = st.lists(SHARES, min_size=len(FEATURES), max_size=len(FEATURES))


@given(ROWS, st.sampled_from(FEATURES), st.floats(0, 1))
def test_more_of_a_bad_sign_never_raises_a_prediction(row: list[float | None], name: str, more: float) -> None:
    before = dict(zip(FEATURES, row, strict=True))
    value = before[name]
    after = before | {name: value if value is None else value + more}
    for found in (of_document, of_page):
        for measure in MEASURES:
            column = f"predicted_{measure}"
            assert 0 <= found(after)[column] <= found(before)[column] + 1e-12 <= 1 + 1e-9


def test_steps_add_up() -> None:
    model = Model(0.1, [Step("case", 0.5, -0.1, 0.3, 0.0), Step("split", 0.2, 0.0, 0.2, 0.05)], -0.1, 0.1)
    features: legibility.Features = dict.fromkeys(FEATURES, 0.0)
    assert model.root(features) == pytest.approx(0.0)
    assert model.root(features | {"case": 0.5}) == pytest.approx(0.4)
    assert model.root(features | {"case": None, "split": None}) == pytest.approx(0.15)


def test_a_score_is_a_share() -> None:
    assert (score(0), score(-1), score(0.5), score(2)) == (1, 1, 0.75, 0)


def test_the_model_knows_its_features() -> None:
    for of in ("document", "page"):
        for measure in MEASURES:
            model = prediction.load(of, measure)  # type: ignore[arg-type]
            assert {step.feature for step in model.steps} <= set(FEATURES)
            assert model.low <= 0 <= model.high
            assert all(math.isfinite(value) for step in model.steps for value in step[1:])
            assert all(step.below <= step.above for step in model.steps)
