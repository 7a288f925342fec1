"""The recipe of training sets and benchmarks: which are made of a corpus, with which builders and parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from catalog.errors import ConfigError
from flows.recipe import Name, unique
from flows.recipe_file import absolute, explain, read
from flows.schedules import Schedule
from retrieval.builder import BenchmarkBuilder, PairBuilder, Params
from retrieval.builders import benchmark_builder, pair_builder
from retrieval.negatives import NegativeParams
from retrieval.overlap import Rules
from retrieval.systems import system
from retrieval.teachers import teacher
from retrieval.works import Splits

_OF_FILES = ("run", "scores")


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
    schedule: Schedule | None = None

    @field_validator("benchmarks")
    @classmethod
    def _benchmarks_are_unique(cls, benchmarks: tuple[BenchmarkSpec, ...]) -> tuple[BenchmarkSpec, ...]:
        unique("sets", [spec.name for spec in benchmarks])
        return benchmarks

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
            "params": _checked(path, f"pairs.{number}", spec, pairs=True),
            "negatives": _mined(path, f"pairs.{number}.negatives", spec.negatives),
        })
        for number, spec in enumerate(recipe.pairs)
    ]  # fmt: skip
    return recipe.model_copy(update={
        "corpus": str(Path(absolute(base, recipe.corpus)).resolve()), "benchmarks": tuple(benchmarks),
        "pairs": tuple(pairs),
    })  # fmt: skip


def _mined(path: Path, key: str, negatives: Negatives | None) -> Negatives | None:
    """Files and models with paths from the recipe's folder on; what cannot be is refused before any work."""
    if negatives is None:
        return None
    base, params = path.resolve().parent, negatives.params
    found = negatives.model_copy(update={
        "system": _rooted(base, negatives.system),
        "params": params.model_copy(update={"teacher": params.teacher and _rooted(base, params.teacher)}),
    })  # fmt: skip
    try:
        _check(found.system, system)
        if found.params.teacher:
            _check(found.params.teacher, teacher)
        if found.params.teacher_margin is not None and not found.params.teacher:
            raise ConfigError(f"params.teacher_margin = {found.params.teacher_margin}: needs params.teacher")
    except ConfigError as error:
        raise ConfigError(f"{path}: {key}: {error}") from None
    return found


def _check(word: str, load: Callable[[str], Any]) -> None:
    """ConfigError when `load` knows no such word, or its file is missing; files and models are read when used."""
    kind, _, place = word.partition(":")
    if not place or kind not in (*_OF_FILES, "dense", "multi-vector", "cross-encoder"):
        load(word)
    elif kind in _OF_FILES and not Path(place).is_file():
        raise ConfigError(f"{word!r}: no such file")


def _rooted(base: Path, word: str) -> str:
    """`kind:place` by the whole path of a file, and of a model that is a folder and no name in a cache."""
    kind, _, place = word.partition(":")
    from_here = absolute(base, place)
    is_path = kind in _OF_FILES or Path(from_here).is_dir()
    return f"{kind}:{from_here}" if place and is_path else word


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
    placed: dict[str, Any] = {
        name: absolute(base, str(value)) for name, value in found if isinstance(value, Path) and name in spec.params
    }
    if "systems" in spec.params:
        placed["systems"] = [_rooted(base, word) for word in spec.params["systems"]]
        for word in placed["systems"]:
            try:
                _check(word, system)
            except ConfigError as error:
                raise ConfigError(f"{path}: {key}.params.systems: {error}") from None
    return spec.params | placed


def builder_of(spec: BenchmarkSpec, pairs: bool) -> PairBuilder | BenchmarkBuilder:
    name = spec.builder or spec.name
    return pair_builder(name) if pairs else benchmark_builder(name)
