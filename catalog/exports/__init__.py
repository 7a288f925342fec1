"""Exports: the kept corpus, training sets and benchmarks as the files that trainers and evaluators read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError

from catalog.errors import ConfigError
from catalog.exports.corpus import COLUMNS, Kind, export
from catalog.sets import Set

__all__ = ["COLUMNS", "FORMATS", "Format", "Kind", "export", "formats", "write"]


class Format(NamedTuple):
    """A format of training sets or benchmarks."""

    kinds: tuple[str, ...]
    """The kinds of sets that it takes."""
    tables: tuple[str, ...]
    """The tables that a training set must have for it."""
    function: str
    """`module:name` of `write(found, folder, **options)`; imported when it is used."""

    def load(self) -> Callable[..., dict[str, Any]]:
        module, _, name = self.function.partition(":")
        loaded: Callable[..., dict[str, Any]] = getattr(import_module(f"catalog.exports.{module}"), name)
        return loaded


_BOTH = ("pairs", "benchmark")
FORMATS = {
    "sentence-transformers": Format(("pairs",), ("pairs",), "sentence_transformers:write"),
    "pylate-contrastive": Format(("pairs",), ("pairs", "negatives"), "pylate:contrastive"),
    "pylate-kd": Format(("pairs",), ("pairs", "negatives"), "pylate:distillation"),
    "colbert": Format(("pairs",), ("pairs", "negatives"), "colbert:write"),
    "msmarco": Format(_BOTH, ("pairs",), "msmarco:write"),
    "tevatron": Format(("pairs",), ("pairs",), "tevatron:write"),
    "dpr": Format(("pairs",), ("pairs",), "dpr:write"),
    "pointwise": Format(_BOTH, ("pairs", "negatives"), "pointwise:write"),
    "beir": Format(_BOTH, ("pairs",), "beir:write"),
    "swim-ir": Format(("pairs",), ("pairs",), "swim_ir:write"),
    "lines": Format(("pairs",), (), "text_lines:write"),
    "xqg": Format(("pairs",), ("pairs",), "xqg:write"),
    "mteb": Format(("benchmark",), (), "mteb:write"),
    "trec": Format(("benchmark",), (), "trec:write"),
    "huggingface": Format(_BOTH, (), "huggingface:write"),
    "plain": Format(_BOTH, (), "plain:write"),
}
"""The formats of sets; the kept corpus itself has those of `catalog.exports.corpus` and `catalog.exports.hplt`."""


def formats(kind: str) -> list[str]:
    """The formats that take sets of this kind."""
    return [name for name, format in FORMATS.items() if kind in format.kinds]


def write(found: Set, format: str, folder: Path, **options: Any) -> dict[str, Any]:
    """Write a set in a format below `folder`, which must not exist, or be empty; returns the manifest.

    Raises:
        ConfigError: an unknown format or option, a set that lacks what the format needs, a folder that is not empty.
    """
    if format not in FORMATS:
        raise ConfigError(f"format = {format}: for a {_NAMES[found.kind]} there are {', '.join(formats(found.kind))}")
    chosen = FORMATS[format]
    if found.kind not in chosen.kinds:
        raise ConfigError(
            f"format = {format} does not take a {_NAMES[found.kind]}; {found.name} is one, and can be written as "
            f"{', '.join(formats(found.kind))}"
        )
    function = chosen.load()
    known = [name for name in inspect.signature(function).parameters if name not in ("found", "folder")]
    if unknown := sorted(set(options) - set(known)):
        raise ConfigError(f"format = {format}: no option {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    return function(found, folder, **{name: _valid(function, name, value) for name, value in options.items()})


def _valid(function: Callable[..., Any], name: str, value: Any) -> Any:
    """The value as the option's type: `"16"` becomes 16."""
    try:
        return TypeAdapter(get_type_hints(function)[name]).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"option {name} = {value}: {error.errors()[0]['msg']}") from error


_NAMES = {"pairs": "training set", "benchmark": "benchmark"}
