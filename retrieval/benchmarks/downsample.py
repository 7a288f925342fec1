"""A smaller benchmark of one that the corpus has: what several systems rank first, and all that is relevant."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pydantic import Field, PrivateAttr

from catalog import sets
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.set_schema import RANKING
from catalog.sets import Set, SetWriter
from retrieval import downsample
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task, contents
from retrieval.evaluation import Evaluation, evaluate
from retrieval.source import Source
from retrieval.systems import system

_MEASURE = "nDCG@10"


class DownsampleParams(Params):
    """MMTEB's values: 250 documents of each query and system, 1,000 queries (arXiv 2502.13595)."""

    of: str
    """Name of a benchmark of the same corpus; in a recipe it stands before this one."""
    systems: tuple[str, ...] = Field(default=("bm25",), min_length=1)
    """What ranks, as for `florilege eval`: bm25, dense:MODEL, multi-vector:MODEL, run:FILE."""
    depth: int = Field(default=downsample.DEPTH, ge=10)
    most: int = Field(default=downsample.MOST, ge=1)
    """Queries at most."""
    seed: int = 1
    _of: str | None = PrivateAttr(default=None)

    def resolved(self, benchmarks: Mapping[str, str]) -> Self:
        """With the id of the benchmark that `of` means; without one where there is none."""
        found = self.model_copy()
        found._of = benchmarks.get(self.of)
        return found

    @property
    def of_id(self) -> str | None:
        return self._of

    def identity(self) -> dict[str, Any]:
        """With the id of the other benchmark, and what is in the files that systems name."""
        places = [Path(spec.partition(":")[2]) for spec in self.systems if ":" in spec]
        files = [contents(place) for place in places if place.exists()]
        return super().identity() | {"of": [self.of, self._of], "files": files}


def make(source: Source, params: DownsampleParams) -> Benchmark:
    """The systems answer every task of the other benchmark; `retrieval.downsample` says what of it is kept.

    The notes say what each system gave, and how the systems rank on both benchmarks: all are run on the small one too.

    Raises:
        ConfigError: the corpus has no such benchmark, a system cannot be had, or one is named twice.
    """
    found = sets.find(Corpus(source.root), params.of, "benchmark")
    if params.of_id not in (None, found.id):
        raise ConfigError(f"of = {params.of}: the corpus has another one than the recipe asks for; make that first")
    if len(set(params.systems)) < len(params.systems):
        raise ConfigError(f"systems = {list(params.systems)}: one of them stands there twice")
    systems = {spec: system(spec) for spec in params.systems}
    full = {spec: evaluate(found, ready, params.depth) for spec, ready in systems.items()}
    runs = {spec: _one_table(made) for spec, made in full.items()}
    small, _ = downsample.downsample(_read(found), runs, params.depth, params.most, params.seed)
    if not small.queries.num_rows:
        raise ConfigError(f"of = {params.of}: it has no query with a relevant document")
    with tempfile.TemporaryDirectory(prefix="florilege-") as folder:
        written = _written(Corpus(Path(folder)), small)
        again = {spec: evaluate(written, ready, params.depth) for spec, ready in systems.items()}
    small.notes["downsampled"]["of"] |= {"name": found.name, "id": found.id}
    small.notes["ranks of systems"] = _preserved(full, again)
    return small


def _read(found: Set) -> Benchmark:
    top = found.table("top_ranked") if found.files("top_ranked") else None
    tasks = [Task(**task) for task in found.manifest.get("tasks") or [{"name": "all"}]]
    return Benchmark(
        found.table("documents"), found.table("queries"), found.table("qrels"), tasks, top,
        notes=dict(found.manifest.get("notes") or {}),
    )  # fmt: skip


def _one_table(made: Evaluation) -> pa.Table:
    return pa.concat_tables([RANKING.empty_table(), *(ranking.cast(RANKING) for ranking in made.rankings.values())])


def _written(corpus: Corpus, small: Benchmark) -> Set:
    """The benchmark as a set, which is what systems are evaluated on."""
    writer = SetWriter(corpus, "small", "benchmark", "0")
    tables = {"documents": small.documents, "queries": small.queries, "qrels": small.qrels}
    with writer.part("all") as part:
        for name, rows in (tables | ({} if small.top_ranked is None else {"top_ranked": small.top_ranked})).items():
            part.write(name, rows)
    return writer.commit(["all"], {"tasks": [asdict(task) for task in small.tasks]}, lambda _: "")


def _preserved(full: dict[str, Evaluation], small: dict[str, Evaluation]) -> dict[str, Any]:
    """nDCG@10 of every system on both, mean of the tasks that both have, and Kendall's tau-b."""
    scores = {}
    for spec in full:
        large, little = _by_task(full[spec]), _by_task(small[spec])
        both = large.keys() & little.keys()
        scores[spec] = tuple(sum(values[task] for task in both) / len(both) for values in (large, little))
    found = downsample.preservation({spec: (full, small) for spec, (full, small) in scores.items()})
    return {
        "measure": f"{_MEASURE}, mean of the tasks",
        "systems": {s.system: {"full": round(s.full, 4), "small": round(s.small, 4)} for s in found.systems},
        "Kendall's tau": None if found.tau != found.tau else round(found.tau, 4),
    }


def _by_task(made: Evaluation) -> dict[str, float]:
    return {
        row["task"]: row["value"] for row in made.metrics
        if row["metric"] == _MEASURE and row["query_language"] is None and row["document_language"] is None
    }  # fmt: skip


DOWNSAMPLE = BenchmarkBuilder(
    "downsample", 1, "A smaller benchmark that ranks systems as the one does that it is made of.", make,
    DownsampleParams,
)  # fmt: skip
