"""The steps that predict fidelity: how they are fitted, and how good they are for PDFs that they were not fitted on."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.readings import ENGINES
from catalog.views import ALARMS
from filters import prediction
from filters.legibility import FEATURES, Features

WEIGHT = 20.0
"""How much more an engine's own reading counts than a damaged one."""
SHRINK = 3.0
"""Weight of the samples that every side of a step is taken to have besides its own, with nothing to add."""

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Sample:
    """A reading, or one page of it, with what it is worth."""

    kind: str
    pdf: str
    reading: str
    features: Features
    labels: dict[str, float]
    complete: bool = True
    """Whether the reference has what the PDF has, so that lcs means the reading alone."""
    pages: list[Sample] = field(default_factory=list)

    @property
    def work(self) -> str:
        """The PDF with its versions in other languages."""
        return self.pdf.rsplit("_", 1)[0]


def fit(x: Floats, roots: Floats, weights: Floats, rounds: int = 400, rate: float = 0.15) -> dict[str, Any]:
    """Steps (`prediction.Step`) that bring the sum nearest to `roots`, one after the other, never downwards.

    Args:
        x: samples by features, nan where a feature is None.
        roots: the root of one minus the measure.
    """
    places, above, below, missing = _candidates(x)
    heavy = [side @ weights + SHRINK for side in (above, below, missing)]
    start = float(np.average(roots, weights=weights))
    fitted = np.full(len(x), start)
    steps: dict[tuple[int, float], Floats] = {}
    for _ in range(rounds):
        left = (roots - fitted) * weights
        sums = [side @ left for side in (above, below, missing)]
        means = [total / size for total, size in zip(sums, heavy, strict=True)]
        gain = sum(total * mean for total, mean in zip(sums, means, strict=True))
        gain = np.where(means[0] >= means[1], gain, -1.0)
        best = int(np.argmax(gain))
        if gain[best] <= 1e-9:
            break
        step = rate * np.array([means[1][best], means[0][best], means[2][best]])
        steps[places[best]] = steps.get(places[best], np.zeros(3)) + step
        fitted += below[best] * step[0] + above[best] * step[1] + missing[best] * step[2]
    listed = [[FEATURES[at], threshold, *(round(float(part), 6) for part in step)] for (at, threshold), step in
              sorted(steps.items())]  # fmt: skip
    return {"start": start, "steps": listed}


def _candidates(x: Floats) -> tuple[list[tuple[int, float]], Floats, Floats, Floats]:
    """Where a step can be, and which samples are above, below and without a value there."""
    places, sides = [], []
    for at in range(x.shape[1]):
        known = ~np.isnan(x[:, at])
        if known.sum() < 20:
            continue
        for threshold in np.unique(np.round(np.quantile(x[known, at], np.linspace(0.03, 0.97, 24)), 6)).tolist():
            above = known & (x[:, at] >= threshold)
            if min(above.sum(), (known & ~above).sum()) >= 5:
                places.append((at, threshold))
                sides.append((above, known & ~above, ~known))
    above, below, missing = (np.array([side[i] for side in sides], np.float64) for i in range(3))
    return places, above, below, missing


def matrix(samples: Sequence[Sample]) -> Floats:
    return np.array([[np.nan if s.features[name] is None else s.features[name] for name in FEATURES] for s in samples])


def weights_of(samples: Sequence[Sample]) -> Floats:
    """Every PDF counts the same, and an engine's own reading more than a damaged one."""
    own = np.array([WEIGHT if s.reading in ENGINES else 1.0 for s in samples])
    total: Counter[str] = Counter()
    for one, weight in zip(samples, own, strict=True):
        total[one.pdf] += weight
    return np.array([10 * weight / total[one.pdf] for one, weight in zip(samples, own, strict=True)])


def roots_of(found: dict[str, Any], samples: Sequence[Sample]) -> Floats:
    model = prediction.Model(found["start"], [prediction.Step(*step) for step in found["steps"]], 0, 0)
    return np.array([model.root(s.features) for s in samples])


# --- judging -----------------------------------------------------------------------------------------------------


def judge(of: str, measure: str, samples: list[Sample], fitted: list[Sample]) -> tuple[dict[str, Any], list[float]]:
    """Print how well the measure is predicted for PDFs and sets left out; the model of all, and its interval."""
    print(f"\n## {measure} of a {of}\n")
    # A fold of PDFs left out at a time: pages are many.
    by_work = left_out(
        measure, samples, fitted, lambda s: s.work if of == "document" else str(crc32(s.work.encode()) % 8)
    )
    by_set = left_out(measure, samples, fitted, lambda s: re.split("[-:]", s.kind)[0])
    own = [i for i, s in enumerate(samples) if s.reading in ENGINES and (s.complete or measure != "lcs")]
    labels = np.array([s.labels[measure] for s in samples])
    # Roots of the loss spread alike at all heights, so one interval serves all.
    spread = np.sqrt(1 - np.clip(labels[own], 0, 1)) - by_work[own]
    interval = [round(float(q), 6) for q in np.quantile(spread, (0.1, 0.9))]
    print("| readings | n | MAE | Spearman | MAE, set left out | Spearman, set left out |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, chosen in _views(samples):
        if len(chosen) > 2:
            figures = [figure for roots in (by_work, by_set) for figure in _figures(labels[chosen], roots[chosen])]
            print(f"| {name} | {len(chosen)} | {' | '.join(f'{figure:.4f}' for figure in figures)} |")
    for name, roots in (("PDF", by_work), ("set", by_set)):
        low, high = _scores(roots + interval[1]), _scores(roots + interval[0])
        inside = np.mean((labels[own] >= low[own] - 1e-9) & (labels[own] <= high[own] + 1e-9))
        print(f"\nBetween its bounds, {name} left out: {inside:.2f} of the engines' own readings.")
    if of == "document":
        damaged, own_pairs = (_within(samples, labels, by_work, own) for own in (False, True))
        print(
            f"\nReadings of one PDF, damaged ones too, in their right order: Spearman {damaged:.3f} (mean over PDFs)."
        )
        print(f"Pairs of engines' readings of one PDF that differ by .01 or more: {own_pairs:.2f} in the right order.")
        print(f"\n{_alarms(measure, samples, labels, by_work)}")
        _failures(samples, labels, by_work)
    found = fit(matrix(fitted), np.sqrt(1 - np.clip([s.labels[measure] for s in fitted], 0, 1)), weights_of(fitted))
    return found, interval


def left_out(measure: str, samples: list[Sample], fitted: list[Sample], group: Callable[[Sample], str]) -> Floats:
    """The root of each sample's loss, predicted by a model that saw none of its group."""
    found = np.zeros(len(samples))
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(samples):
        groups[group(one)].append(place)
    x, weights = matrix(fitted), weights_of(fitted)
    roots = np.sqrt(1 - np.clip([s.labels[measure] for s in fitted], 0, 1))
    names = np.array([group(s) for s in fitted])
    for name, places in groups.items():
        seen = (names != name) & np.array([not s.reading.endswith("dropped") for s in fitted])
        model = fit(x[seen], roots[seen], weights[seen])
        found[places] = roots_of(model, [samples[place] for place in places])
    return found


def _views(samples: list[Sample]) -> Iterable[tuple[str, list[int]]]:
    places = range(len(samples))
    own = [i for i in places if samples[i].reading in ENGINES]
    yield "all, damaged ones too", [i for i in places if not samples[i].reading.endswith("dropped")]
    yield "engines' own", own
    yield "engines' own, whole references", [i for i in own if samples[i].complete]
    for engine in ENGINES:
        yield engine, [i for i in own if samples[i].reading == engine]
        yield f"{engine}, whole references", [i for i in own if samples[i].reading == engine and samples[i].complete]
    yield "pages dropped (cannot be seen)", [i for i in places if samples[i].reading.endswith("dropped")]


def _scores(roots: Floats) -> Floats:
    scores: Floats = np.clip(1 - np.maximum(roots, 0) ** 2, 0, 1)
    return scores


def _figures(labels: Floats, roots: Floats) -> tuple[float, float]:
    """Mean absolute error and rank correlation."""
    predicted = _scores(roots)
    return float(np.abs(labels - predicted).mean()), spearman(labels, predicted)


def spearman(a: Floats, b: Floats) -> float:
    """Rank correlation, ties at their mean rank; nan where one side is all ties."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _within(samples: list[Sample], labels: Floats, roots: Floats, own: bool) -> float:
    """Among readings of one PDF: mean rank correlation; or the share of pairs of own ones in the right order."""
    by_pdf: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(samples):
        if not one.reading.endswith("dropped") and (not own or one.reading in ENGINES):
            by_pdf[one.pdf].append(place)
    if not own:
        return float(np.nanmean([spearman(labels[p], -roots[p]) for p in by_pdf.values() if len(p) > 2]))
    pairs = [
        (roots[i] < roots[j]) == (labels[i] > labels[j])
        for places in by_pdf.values() for i in places for j in places
        if i < j and abs(labels[i] - labels[j]) > 0.01
    ]  # fmt: skip
    return float(np.mean(pairs)) if pairs else float("nan")


def _alarms(measure: str, samples: list[Sample], labels: Floats, roots: Floats) -> str:
    limit = ALARMS[f"predicted_{measure}"]
    own = [i for i, s in enumerate(samples) if s.reading == "florilege" and s.complete]
    alarm, bad = _scores(roots[own]) < limit, labels[own] < limit
    return (
        f"Of {len(own)} readings of florilege (whole references) {bad.sum()} are under {limit}. The alarm there goes "
        f"off for {alarm.sum()}, rightly for {(alarm & bad).sum()}."
    )


def _failures(samples: list[Sample], labels: Floats, roots: Floats) -> None:
    predicted = _scores(roots)
    own = [i for i, s in enumerate(samples) if s.reading == "florilege"]
    worst = sorted(own, key=lambda i: -abs(labels[i] - predicted[i]))[:8]
    print("\nFarthest off, florilege's readings:\n\n| set | PDF | measured | predicted |\n|---|---|---:|---:|")
    for i in worst:
        lacking = "" if samples[i].complete else " (reference not whole)"
        print(f"| {samples[i].kind} | {samples[i].pdf} | {labels[i]:.3f} | {predicted[i]:.3f}{lacking} |")
