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
from retrieval.builder import contents


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
    sets.check_name(corpus, spec.name, kind)
    snapshot = snapshots.numbered(corpus, recipe.snapshot)
    builder: Any = builder_of(spec, kind == "pairs")
    params = settings(builder, spec)
    mining = _mining(spec)
    known = {found.name: found.id for found in sets.all_sets(corpus, "benchmark")}
    ids = _as_made(known, snapshot, recipe)
    if kind == "pairs":
        against = sorted({*ids.values(), *(found.id for found in sets.benchmarks(corpus))})
        id = assembly.pairs_id(snapshot, recipe.splits, builder, params, against, recipe.overlap, mining)
    else:
        id, earlier = ids[spec.name], list(ids)[: list(ids).index(spec.name)]
        params = params.resolved(known | {name: ids[name] for name in earlier})
    return Wanted(spec, builder, params, id, mining, sets.made(corpus, spec.name, id))


def _as_made(known: dict[str, str], snapshot: dict[str, Any], recipe: RetrievalRecipe) -> dict[str, str]:
    """Ids of the recipe's benchmarks; one that is made of another has to stand after it."""
    ids: dict[str, str] = {}
    for spec in recipe.benchmarks:
        builder: Any = builder_of(spec, pairs=False)
        params = settings(builder, spec).resolved(known | ids)
        ids[spec.name] = assembly.benchmark_id(snapshot, recipe.splits, builder, params)
    return ids


def _mining(spec: Any) -> dict[str, Any] | None:
    """Of files and folders that are named too what is in them."""
    if not isinstance(spec, PairsSpec) or spec.negatives is None:
        return None
    named = (word.partition(":")[2] for word in (spec.negatives.system, spec.negatives.params.teacher or ""))
    places = [Path(place) for place in named if place]
    held = {str(place): contents(place) for place in places if place.exists()}
    return spec.negatives.model_dump(mode="json") | {"contents": held}
