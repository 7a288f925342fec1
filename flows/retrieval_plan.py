"""What a recipe of training sets and benchmarks asks for, and what of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import files, sets, snapshots
from catalog.errors import ConfigError
from catalog.sets import Set
from flows.retrieval_recipe import PairsSpec, RetrievalRecipe, builder_of, load, settings
from retrieval import assembly


@dataclass(frozen=True, slots=True)
class Wanted:
    """A set that a recipe asks for."""

    spec: Any
    """Its `BenchmarkSpec` or `PairsSpec`."""
    builder: Any
    params: Any
    id: str
    mining: Any
    """How negatives are found, in plain values; None: there are none."""
    there: Set | None
    """The set, when it was made."""


def wanted(recipe: str, kind: str, names: list[str] | None = None) -> list[Wanted]:
    """The sets of one kind (`benchmark`, `pairs`) that a recipe asks for, in its order.

    Raises:
        ConfigError: the recipe is wrong, or has no set of one of these names.
    """
    loaded = load(Path(recipe))
    specs = loaded.benchmarks if kind == "benchmark" else loaded.pairs
    there = [spec.name for spec in specs]
    if unknown := sorted(set(names or ()) - set(there)):
        raise ConfigError(f"{recipe}: no {kind} `{unknown[0]}`; there are: {', '.join(there) or 'none'}")
    return [_wanted(loaded, spec, kind) for spec in specs if names is None or spec.name in names]


def _wanted(recipe: RetrievalRecipe, spec: Any, kind: str) -> Wanted:
    corpus = files.existing(Path(recipe.corpus))
    snapshot = snapshots.numbered(corpus, recipe.snapshot)
    builder: Any = builder_of(spec, kind == "pairs")
    params = settings(builder, spec)
    mining = spec.negatives.model_dump(mode="json") if isinstance(spec, PairsSpec) and spec.negatives else None
    if kind == "pairs":
        against = sets.all_sets(corpus, "benchmark")
        id = assembly.pairs_id(snapshot, recipe.splits, builder, params, against, recipe.overlap, mining)
    else:
        id = assembly.benchmark_id(snapshot, recipe.splits, builder, params)
    return Wanted(spec, builder, params, id, mining, sets.made(corpus, spec.name, id))
