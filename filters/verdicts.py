"""When a document is kept: thresholds over the columns of the signals table, as data.

Signals are stored and verdicts are SQL over these rows, so a threshold changes without reading an archive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Stage = Literal["language", "quality", "fidelity"]
STAGES: tuple[Stage, ...] = ("language", "quality", "fidelity")
"""In the order they decide; duplicates are decided after them."""


_OF_FIDELITY = (
    "lcs", "order_", "word_recall", "word_precision", "table_word_recall", "hyphenation", "running_left", "predicted_",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Threshold:
    """A document passes if `signal op value` holds or its signal is null; if not, it is dropped for `reason`.

    A boolean signal is compared as 0 or 1.
    """

    stage: Stage
    signal: str
    """A numeric or boolean column of the signals table."""
    op: Literal[">=", "<="]
    value: float
    reason: str
    """What holds of a dropped document, such as `words<50`."""


def _limit(signal: str, op: Literal[">=", "<="], value: float) -> Threshold:
    stage: Stage = "quality"
    if signal.startswith("language"):
        stage = "language"
    elif signal.startswith(_OF_FIDELITY):
        stage = "fidelity"
    return Threshold(stage, signal, op, value, f"{signal}{'<' if op == '>=' else '>'}{value:g}")


def _at_least(**values: float) -> tuple[Threshold, ...]:
    return tuple(_limit(signal, ">=", value) for signal, value in values.items())


def _at_most(**values: float) -> tuple[Threshold, ...]:
    return tuple(_limit(signal, "<=", value) for signal, value in values.items())


# Rae et al. 2021 (arXiv 2112.11446): the quality rules, and table A1 for repetition.
_GOPHER = (
    *_at_least(words=50, mean_word_length=3, alpha_word_ratio=0.8, stop_words=2),
    *_at_most(words=100_000, mean_word_length=10),
    *_at_most(symbol_ratio=0.1, bullet_line_ratio=0.9, ellipsis_line_ratio=0.3),
    *_at_most(dup_line_ratio=0.30, dup_para_ratio=0.30, dup_line_char_ratio=0.20, dup_para_char_ratio=0.20),
    *_at_most(top_2gram_char_ratio=0.20, top_3gram_char_ratio=0.18, top_4gram_char_ratio=0.16),
    *_at_most(dup_5gram_char_ratio=0.15, dup_6gram_char_ratio=0.14, dup_7gram_char_ratio=0.13),
    *_at_most(dup_8gram_char_ratio=0.12, dup_9gram_char_ratio=0.11, dup_10gram_char_ratio=0.10),
)

# Penedo et al. 2024 (arXiv 2406.17557) and C4 (Raffel et al. 2020) without its rule on final punctuation, with
# the values of datatrove 0.10 and its recipe for FineWeb (examples/fineweb.py), as is the language score 0.65.
# C4's rules on single lines drop no document and have no place here.
_FINEWEB = (
    *_at_least(sentences=5, terminal_line_ratio=0.12),
    *_at_most(curly_brackets=0, lorem_ipsum=0),
    *_at_most(short_line_ratio=0.67, line_dup_char_ratio=0.01, newline_ratio=0.3),
)

# Wide enough for statutes, which repeat formulas and number their items, and for tables and pages of code.
# Gopher's limits on repeated 5- to 9-grams, C4's curly brackets (long technical acts have hundreds) and the
# rules on stop words and final punctuation are left out. Of fidelity only the recall counts: where the
# reference holds a part of the text, its tables say, a good text has a low lcs and a low precision.
_DEFAULT = (
    *_at_least(words=50, mean_word_length=2.5, alpha_word_ratio=0.4),
    *_at_most(mean_word_length=15, symbol_ratio=0.2, bullet_line_ratio=0.95, ellipsis_line_ratio=0.5),
    *_at_most(dup_line_ratio=0.7, dup_para_ratio=0.7, dup_line_char_ratio=0.4, dup_para_char_ratio=0.4),
    *_at_most(top_2gram_char_ratio=0.20, top_3gram_char_ratio=0.18, top_4gram_char_ratio=0.16),
    *_at_most(dup_10gram_char_ratio=0.5),
    *_at_most(javascript_lines=10, lorem_ipsum=0, machine_translated=0),
)

PRESETS: dict[str, tuple[Threshold, ...]] = {
    "default": (*_at_least(language_score=0.5), *_DEFAULT, *_at_least(order_recall=0.3)),
    "gopher": (*_at_least(language_score=0.5), *_GOPHER),
    "fineweb": (*_at_least(language_score=0.65), *_GOPHER, *_FINEWEB),
    "permissive": _at_least(chars=1),
    "strict": (
        *_at_least(language_score=0.8),
        *_GOPHER,
        *_FINEWEB,
        *_at_least(quality=0.3),
        *_at_most(javascript_lines=0, policy_lines=0, machine_translated=0),
        *_at_least(lcs=0.9, order_recall=0.6, predicted_order=0.5),
    ),
}
"""Thresholds by name, in the order they are tried.

default     for web pages, short legal acts and articles in any language
gopher      the published rules
fineweb     Gopher's rules and those FineWeb adds
permissive  every document with text
strict      fineweb, a high language score and quality, no scripts or cookie notices, faithful extraction: as measured
            where there is a reference, as predicted for any PDF
"""


def resolve(preset: str, overrides: Mapping[str, Mapping[str, float | str]]) -> list[Threshold]:
    """The thresholds of `preset` with a recipe's `[thresholds.set]` table laid over them, ordered by stage.

    `overrides` holds `min`, `max` or both per signal: `words = {min = 80, max = "off"}` replaces or adds the
    lower limit and removes the upper one.

    Raises:
        ValueError: an unknown preset, signal or key, or a limit that is neither a finite number nor "off".
            The message names the valid choices.
    """
    if preset not in PRESETS:
        raise ValueError(f"thresholds.preset = {preset!r}: choose one of {', '.join(PRESETS)}")
    chosen = {(threshold.signal, threshold.op): threshold for threshold in PRESETS[preset]}
    for signal, limits in overrides.items():
        _check(signal, limits)
        for key, value in limits.items():
            op: Literal[">=", "<="] = ">=" if key == "min" else "<="
            if isinstance(value, str):
                chosen.pop((signal, op), None)
            else:
                chosen[signal, op] = _limit(signal, op, float(value))
        low, high = chosen.get((signal, ">=")), chosen.get((signal, "<="))
        if low and high and low.value > high.value:
            raise ValueError(f"thresholds.set.{signal}: min {low.value:g} is above max {high.value:g}")
    return sorted(chosen.values(), key=lambda threshold: STAGES.index(threshold.stage))


def signal_names() -> list[str]:
    """The columns of the signals table that can have a threshold: the numeric and boolean ones."""
    import pyarrow.types as kinds

    from catalog.schema import SIGNALS

    return [f.name for f in SIGNALS if kinds.is_primitive(f.type)]


def _check(signal: str, limits: object) -> None:
    known = signal_names()
    if signal not in known:
        raise ValueError(f"thresholds.set.{signal}: no such signal; choose one of {', '.join(known)}")
    if not isinstance(limits, Mapping) or not limits or not set(limits) <= {"min", "max"}:
        raise ValueError(f"thresholds.set.{signal} = {limits!r}: give a table of min, max or both")
    for key, value in limits.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if value != "off" and not number:
            raise ValueError(f'thresholds.set.{signal}.{key} = {value!r}: give a finite number or "off"')
