"""When a document is kept: thresholds over the numbers of the signals tables, as data.

Signals are stored and verdicts are SQL over these rows, so a threshold changes without reading an archive. Presets are
in `presets.toml`, and FineWeb2's thresholds by language in `fineweb2.toml`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Stage = Literal["rights", "language", "quality", "fidelity", "safety"]
Op = Literal[">=", "<="]
Limits = Mapping[str, Mapping[str, float | str]]
"""Per signal `min`, `max` or both: `words = {min = 80, max = "off"}`."""

STAGES: tuple[Stage, ...] = ("rights", "language", "quality", "fidelity", "safety")
"""In the order they decide; duplicates are decided after them."""

_RIGHTS = ("robots_allowed", "noai", "noindex", "tdm_reservation", "site_tdm_reservation", "open_licence")
_SAFETY = ("url_listed", "secret_count", "pii_count")
_OF_FIDELITY = (
    "lcs", "order_", "word_recall", "word_precision", "table_word_recall", "hyphenation", "running_left", "predicted_",
)  # fmt: skip
_REASONS = {
    ("robots_allowed", ">="): "robots disallow", ("tdm_reservation", "<="): "tdm reserved",
    ("site_tdm_reservation", "<="): "tdm reserved by site", ("open_licence", ">="): "licence not open",
    ("url_listed", "<="): "url listed",
}  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?")
_SETTING = re.compile(r"\s*(?:(?P<language>[^:\s]+)\s*:)?\s*(?P<signal>\w+)\s*(?P<op>>=|<=)\s*(?P<value>\S+)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A document passes if `signal op value` holds or its signal is null; if not, it is dropped for `reason`.

    A boolean signal is compared as 0 or 1.
    """

    stage: Stage
    signal: str
    """A numeric or boolean column of a dataset in `catalog.schema.MEASURED`."""
    op: Op
    value: float | None
    """None: no limit, for a language that the general one is not asked of."""
    reason: str
    """What holds of a dropped document, such as `words<50`, `words<600 (fr)` or `robots disallow`."""
    language: str | None = None
    """Whose documents it is asked of, instead of the general one: `fr`, `sr-Cyrl`; None: all others."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))


PRESETS: dict[str, str] = {name: preset["about"] for name, preset in _read("presets.toml").items()}
"""What each preset is for, by name."""


@cache
def preset(name: str) -> tuple[Threshold, ...]:
    """The thresholds of a preset, in the order they are tried.

    Raises:
        ValueError: no such preset; the message names them.
    """
    if name not in PRESETS:
        raise ValueError(f"thresholds.preset = {name!r}: choose one of {', '.join(PRESETS)}")
    table = _read("presets.toml")[name]
    base = [threshold for other in table.get("from", ()) for threshold in preset(other)]
    languages = _published(table["languages"]) if "languages" in table else {}
    return tuple(change(base, table["limits"], languages))


def _published(file: str) -> dict[str, dict[str, dict[str, float | str]]]:
    """Thresholds by language as published, and those of the language score that are the shipped model's own."""
    from filters.language import thresholds

    table, found = _read(file), dict[str, dict[str, dict[str, float | str]]]()
    for language, values in table["languages"].items():
        for column, value in zip(table["columns"], values, strict=True):
            signal, _, key = column.partition(".")
            found.setdefault(language, {}).setdefault(signal, {})[key] = value
    for language, score in thresholds().items():
        found.setdefault(language, {})["language_score"] = {"min": score}
    return found


def resolve(name: str, overrides: Limits, languages: Mapping[str, Limits] | None = None) -> list[Threshold]:
    """The thresholds of a preset with a recipe's `[thresholds.set]` and `[thresholds.languages]` laid over them.

    Raises:
        ValueError: an unknown preset, or what `change` raises.
    """
    return change(preset(name), overrides, languages or {})


def change(base: Iterable[Threshold], overrides: Limits, languages: Mapping[str, Limits]) -> list[Threshold]:
    """Lay limits over thresholds; the result is ordered by stage, a language's own after the general one.

    A limit in `overrides` replaces or adds the one of its signal for all languages, also where `base` has a language's
    own; `languages` has limits for single languages, each instead of the general one. "off" takes a limit away.

    Raises:
        ValueError: an unknown signal, key or language, a minimum above its maximum, or a limit that is neither a
            finite number nor "off". The message names the valid choices.
    """
    chosen = {(t.signal, t.op, t.language): t for t in base}
    for signal, op, value in _limits("thresholds.set", overrides):
        for key in [k for k in chosen if k[:2] == (signal, op) and (k[2] or value is None)]:
            del chosen[key]
        if value is not None:
            chosen[signal, op, None] = _threshold(signal, op, value, None)
    for language, limits in languages.items():
        where = f"thresholds.languages.{language}"
        if not _LANGUAGE.fullmatch(language):
            raise ValueError(f"{where}: give a language (BCP 47) as `fr`, or with its script as `sr-Cyrl`")
        for signal, op, value in _limits(where, limits):
            chosen[signal, op, language] = _threshold(signal, op, value, language)
    _check_ranges(chosen)
    places = {key: place for place, key in enumerate(dict.fromkeys((s, op) for s, op, _ in chosen))}
    return sorted(
        chosen.values(), key=lambda t: (STAGES.index(t.stage), places[t.signal, t.op], t.language or "")
    )  # fmt: skip


def settings(given: Sequence[str]) -> tuple[dict[str, dict[str, float | str]], dict[str, dict[str, Any]]]:
    """`["words>=100", "lcs>=off", "fr:words>=40"]` as the tables `overrides` and `languages` of `change`.

    Raises:
        ValueError: one that cannot be read; the message says how to write it.
    """
    general: dict[str, dict[str, float | str]] = {}
    languages: dict[str, dict[str, Any]] = {}
    for text in given:
        found = _SETTING.fullmatch(text)
        try:
            value = "" if not found else found["value"] if found["value"] == "off" else float(found["value"])
        except ValueError:
            value = ""
        if not found or value == "":
            raise ValueError(f"{text!r}: write 'words>=100', 'words<=off' or 'fr:words>=40', in quotes")
        table = languages.setdefault(found["language"], {}) if found["language"] else general
        table.setdefault(found["signal"], {})["min" if found["op"] == ">=" else "max"] = value
    return general, languages


def stage_of(signal: str) -> Stage:
    """The stage at which a threshold on this signal decides."""
    if signal in _RIGHTS:
        return "rights"
    if signal in _SAFETY:
        return "safety"
    if signal.startswith("language"):
        return "language"
    return "fidelity" if signal.startswith(_OF_FIDELITY) else "quality"


def signal_names() -> list[str]:
    """The columns that can have a threshold: the numeric and boolean ones of the measured datasets."""
    return list(_kinds())


@cache
def _kinds() -> dict[str, bool]:
    """Per signal, whether it is a boolean."""
    import pyarrow.types as kinds

    from catalog.schema import DATASETS, MEASURED

    columns = [field for dataset in MEASURED for field in DATASETS[dataset]]
    return {field.name: kinds.is_boolean(field.type) for field in columns if kinds.is_primitive(field.type)}


def _threshold(signal: str, op: Op, value: float | None, language: str | None) -> Threshold:
    reason = _reason(signal, op, value) + (f" ({language})" if language and value is not None else "")
    return Threshold(stage_of(signal), signal, op, value, reason, language)


def _reason(signal: str, op: Op, value: float | None) -> str:
    if value is None:
        return "off"
    if _kinds()[signal] and (0 < value <= 1 if op == ">=" else 0 <= value < 1):
        words = signal.replace("_", " ")
        return _REASONS.get((signal, op), f"not {words}" if op == ">=" else words)
    # repr, so that two limits never print alike
    return f"{signal}{'<' if op == '>=' else '>'}{repr(value).removesuffix('.0')}"


def _limits(where: str, table: Limits) -> Iterable[tuple[str, Op, float | None]]:
    from catalog.judge import unknown_signal

    known = signal_names()
    for signal, limits in table.items():
        if signal not in known:
            raise ValueError(f"{where}.{unknown_signal(signal, known)}")
        if not isinstance(limits, Mapping) or not limits or not set(limits) <= {"min", "max"}:
            raise ValueError(f"{where}.{signal} = {limits!r}: give a table of min, max or both")
        for key, value in limits.items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if value != "off" and not number:
                raise ValueError(f'{where}.{signal}.{key} = {value!r}: give a finite number or "off"')
            yield signal, ">=" if key == "min" else "<=", None if isinstance(value, str) else float(value)


def _check_ranges(chosen: Mapping[tuple[str, Op, str | None], Threshold]) -> None:
    for signal, _, language in chosen:
        low, high = (chosen.get((signal, op, language)) or chosen.get((signal, op, None)) for op in (">=", "<="))
        if low and high and low.value is not None and high.value is not None and low.value > high.value:
            where = f"thresholds.languages.{language}" if language else "thresholds.set"
            raise ValueError(f"{where}.{signal}: min {low.value:g} is above max {high.value:g}")
