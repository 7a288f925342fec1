"""Training sets and benchmarks of a corpus. Tasks pass the recipe's path and names, never texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact

from catalog import files, sets, store
from catalog.files import Corpus
from catalog.sets import Set
from flows.lock import locked
from flows.progress import Progress
from flows.retrieval_plan import Wanted, wanted
from flows.retrieval_recipe import load
from retrieval import assembly
from retrieval.source import Source, opened
from retrieval.systems import system


@flow(name="benchmark", flow_run_name="{recipe}", log_prints=False)
def benchmark(recipe: str, names: list[str] | None = None) -> list[dict[str, Any]]:
    """Make the benchmarks of a recipe, or what is missing of them.

    Args:
        recipe: path of the recipe.
        names: only these; None: all.

    Returns:
        The manifests of the benchmarks, those that were there already too.

    Raises:
        ConfigError: the recipe is wrong, or another process builds on the same corpus.
    """
    return _make(recipe, "benchmark", names)


@flow(name="pairs", flow_run_name="{recipe}", log_prints=False)
def pairs(recipe: str, names: list[str] | None = None) -> list[dict[str, Any]]:
    """Make the training sets of a recipe, or what is missing of them; its benchmarks are made first.

    Every training set is kept clear of all benchmarks of the corpus. Arguments and errors as of `benchmark`; returns
    the manifests of the training sets.
    """
    _make(recipe, "benchmark", None)
    return _make(recipe, "pairs", names)


def _make(recipe: str, kind: str, names: list[str] | None) -> list[dict[str, Any]]:
    corpus = files.existing(Path(load(Path(recipe)).corpus))
    with locked(corpus):
        make = make_benchmark if kind == "benchmark" else make_pairs
        manifests = []
        for found in wanted(recipe, kind, names):
            if found.there is None:
                make(recipe, found.spec.name)
            else:
                sets.make_current(corpus, found.there)
            manifests.append(sets.find(corpus, found.spec.name, kind).manifest)
        store.rebuild(corpus)
        return manifests


@task(task_run_name="benchmark-{name}")
def make_benchmark(recipe: str, name: str) -> str:
    """Make one benchmark; returns its id."""
    with _opened(recipe, "benchmark", name) as (corpus, source, found):
        made = assembly.make_benchmark(corpus, source, name, found.builder, found.params, load(Path(recipe)).splits)
    return _report(made)


@task(task_run_name="pairs-{name}")
def make_pairs(recipe: str, name: str) -> str:
    """Make one training set, from the part where a killed run stopped; returns its id."""
    loaded = load(Path(recipe))
    with _opened(recipe, "pairs", name) as (corpus, source, found), Progress(name) as progress:
        mining = found.spec.negatives
        miner = None if mining is None else (system(mining.system), mining.params)
        made = assembly.make_pairs(
            corpus, source, name, found.builder, found.params, loaded.splits, sets.benchmarks(corpus),
            loaded.overlap, miner, found.mining, progress.say,
        )  # fmt: skip
    return _report(made)


@contextmanager
def _opened(recipe: str, kind: str, name: str) -> Iterator[tuple[Corpus, Source, Wanted]]:
    loaded = load(Path(recipe))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model is a folder, or was fetched before
    corpus = files.existing(Path(loaded.corpus))
    with opened(corpus, loaded.splits, loaded.snapshot) as source:
        yield corpus, source, wanted(recipe, kind, [name])[0]


def _report(made: Set) -> str:
    create_markdown_artifact(key=f"set-{made.name.replace('_', '-')}", markdown=(made.folder / "README.md").read_text())
    return made.id
