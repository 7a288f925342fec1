"""The recipe of training sets and benchmarks: which are made of a corpus, with which builders and parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from catalog.errors import ConfigError
from flows.recipe import Name, unique
from flows.recipe_file import absolute, explain, read
from retrieval.builder import BenchmarkBuilder, PairBuilder, Params
from retrieval.builders import benchmark_builder, pair_builder
from retrieval.negatives import NegativeParams
from retrieval.overlap import Rules
from retrieval.works import Splits


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Negatives(_Table):
    """How negatives of a training set are found."""

    system: str = "bm25"
    """`bm25`, `dense:MODEL`, `multi-vector:MODEL` or `run:FILE`, as for `florilege eval`."""
    params: NegativeParams = NegativeParams()


class BenchmarkSpec(_Table):
    """One benchmark."""

    name: Name
    builder: str = ""
    """Name of the builder; default: the benchmark's own name."""
    params: dict[str, Any] = {}


class PairsSpec(BenchmarkSpec):
    """One training set."""

    negatives: Negatives | None = None


class RetrievalRecipe(_Table):
    """Training sets and benchmarks of one corpus. Works of the test split are in benchmarks only."""

    corpus: str
    snapshot: int | None = None
    """Number of a snapshot; none: the newest."""
    splits: Splits = Splits()
    overlap: Rules = Rules()
    """What of a training set may not stand beside a benchmark."""
    benchmarks: tuple[BenchmarkSpec, ...] = ()
    pairs: tuple[PairsSpec, ...] = ()

    @field_validator("pairs")
    @classmethod
    def _names_are_unique(cls, pairs: tuple[PairsSpec, ...], info: Any) -> tuple[PairsSpec, ...]:
        unique("sets", [spec.name for spec in (*info.data.get("benchmarks", ()), *pairs)])
        return pairs


def load(path: Path) -> RetrievalRecipe:
    """Read a recipe; its paths become absolute, its parameters are checked.

    Raises:
        ConfigError: names the file, the key, the value and the valid choices.
    """
    recipe = read(path, RetrievalRecipe)
    base = path.resolve().parent
    benchmarks = [
        spec.model_copy(update={"params": _checked(path, f"benchmarks.{number}", spec, pairs=False)})
        for number, spec in enumerate(recipe.benchmarks)
    ]
    pairs = [
        spec.model_copy(update={
            "params": _checked(path, f"pairs.{number}", spec, pairs=True), "negatives": _rooted(base, spec.negatives),
        })
        for number, spec in enumerate(recipe.pairs)
    ]  # fmt: skip
    return recipe.model_copy(update={
        "corpus": str(Path(absolute(base, recipe.corpus)).resolve()), "benchmarks": tuple(benchmarks),
        "pairs": tuple(pairs),
    })  # fmt: skip


def _rooted(base: Path, negatives: Negatives | None) -> Negatives | None:
    """A model or run that lies below the recipe's folder, by its whole path."""
    if negatives is None:
        return None
    kind, _, place = negatives.system.partition(":")
    if place and (base / place).exists():
        return negatives.model_copy(update={"system": f"{kind}:{(base / place).resolve()}"})
    return negatives


def settings(builder: PairBuilder | BenchmarkBuilder, spec: BenchmarkSpec) -> Params:
    """The builder's parameters of a recipe that was loaded."""
    return builder.params.model_validate(spec.params)


def _checked(path: Path, key: str, spec: BenchmarkSpec, pairs: bool) -> dict[str, Any]:
    """The parameters, with paths from the recipe's folder on."""
    try:
        builder = builder_of(spec, pairs)
    except ConfigError as error:
        raise ConfigError(f"{path}: {key}.builder: {error}") from None
    try:
        found = settings(builder, spec)
    except ValidationError as error:
        raise ConfigError(explain(f"{path}: {key}.params", error, builder.params)) from None
    base = path.resolve().parent
    return spec.params | {
        name: absolute(base, str(value)) for name, value in found if isinstance(value, Path) and name in spec.params
    }


def builder_of(spec: BenchmarkSpec, pairs: bool) -> PairBuilder | BenchmarkBuilder:
    name = spec.builder or spec.name
    return pair_builder(name) if pairs else benchmark_builder(name)
