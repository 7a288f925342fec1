"""How faithful a text probably is, where there is no other version of it to compare it with.

A sum of steps over `legibility`'s features, fitted by `benchmarks/train_fidelity.py` on PDFs that have a reference.
Every step lets a higher share of a bad sign lower the prediction, never raise it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from filters.legibility import Features

PATH = Path(__file__).parent / "models" / "fidelity.json"
Measure = Literal["lcs", "order"]
MEASURES: tuple[Measure, ...] = ("lcs", "order")
FEW = 200
"""Characters below which a text or a page says too little about itself to be judged."""


class Step(NamedTuple):
    """What a feature adds to the root of the loss: above or at the threshold, below it, and where it is None."""

    feature: str
    threshold: float
    below: float
    above: float
    missing: float


class Model(NamedTuple):
    """The steps of one measure; `low` and `high` are the root of the loss that a tenth of the PDFs were under, over."""

    start: float
    steps: list[Step]
    low: float
    high: float

    def root(self, features: Features) -> float:
        """The root of the expected loss: of one minus the measure."""
        total = self.start
        for step in self.steps:
            value = features[step.feature]
            total += step.missing if value is None else step.above if value >= step.threshold else step.below
        return total


def score(root: float) -> float:
    """The measure for a root of its loss."""
    return min(1.0, max(0.0, 1.0 - max(0.0, root) ** 2))


def of_document(features: Features) -> dict[str, float]:
    """The predicted columns of the signals table, from `legibility.measure`'s first answer.

    Four in five PDFs that the model had not seen were between `_low` and `_high`.
    """
    found: dict[str, float] = {}
    for measure in MEASURES:
        model = load("document", measure)
        root = model.root(features)
        found |= {
            f"predicted_{measure}": score(root),
            f"predicted_{measure}_low": score(root + model.high),
            f"predicted_{measure}_high": score(root + model.low),
        }
    return found


def of_page(features: Features) -> dict[str, float]:
    """The predicted columns of the pages table, from one of `legibility.measure`'s second answers."""
    return {f"predicted_{measure}": score(load("page", measure).root(features)) for measure in MEASURES}


@cache
def load(of: Literal["document", "page"], measure: Measure) -> Model:
    """The fitted model of a document or of a page."""
    entry = _models()[of][measure]
    return Model(entry["start"], [Step(*step) for step in entry["steps"]], entry["low"], entry["high"])


@cache
def _models() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(PATH.read_bytes())
    return found
