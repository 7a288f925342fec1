"""The builders by name; a module is imported when its builder is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from catalog.errors import ConfigError
from retrieval.builder import BenchmarkBuilder, PairBuilder

PAIRS = {
    "lemur": "retrieval.pairs.lemur:LEMUR",
    "title-body": "retrieval.pairs.metadata:TITLE_BODY",
    "abstract-body": "retrieval.pairs.metadata:ABSTRACT_BODY",
    "keywords-abstract": "retrieval.pairs.metadata:KEYWORDS_ABSTRACT",
    "parallel-passages": "retrieval.pairs.passages:PARALLEL_PASSAGES",
    "crops": "retrieval.pairs.crops:CROPS",
    "batches-16": "retrieval.pairs.batches:BATCHES_16",
    "spans": "retrieval.pairs.spans:SPANS",
    "mlm": "retrieval.pairs.texts:MLM",
    "lines": "retrieval.pairs.texts:LINES",
    "synthetic": "retrieval.synthetic.builder:SYNTHETIC",
}
BENCHMARKS = {
    "clirudit": "retrieval.benchmarks.clirudit:CLIRUDIT",
    "lemur": "retrieval.benchmarks.lemur:LEMUR",
    "mixed-pool": "retrieval.benchmarks.mixed_pool:MIXED_POOL",
    "articles": "retrieval.benchmarks.articles:ARTICLES",
    "beir": "retrieval.benchmarks.beir:BEIR",
    "downsample": "retrieval.benchmarks.downsample:DOWNSAMPLE",
    "questions": "retrieval.benchmarks.questions:QUESTIONS",
}


def pair_builder(name: str) -> PairBuilder:
    """The builder of training sets of this name; ConfigError, which lists the names, when there is none."""
    return cast(PairBuilder, _load(name, PAIRS, "training sets"))


def benchmark_builder(name: str) -> BenchmarkBuilder:
    """The builder of benchmarks of this name; ConfigError, which lists the names, when there is none."""
    return cast(BenchmarkBuilder, _load(name, BENCHMARKS, "benchmarks"))


def _load(name: str, places: dict[str, str], what: str) -> object:
    if name not in places:
        raise ConfigError(f"no builder of {what} `{name}`; there are: {', '.join(sorted(places))}")
    module, attribute = places[name].split(":")
    return getattr(import_module(module), attribute)
