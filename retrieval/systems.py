"""What ranks documents for queries: BM25, a dense or a multi-vector model, or a run that was made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.set_schema import RANKING
from retrieval import bm25, dense, multivector
from retrieval.analysers import KINDS

_BATCH = 4_096

Places = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


class Index(Protocol):
    """Documents, made ready to be searched; a document's place is its row in the table that the index is of."""

    def search(self, queries: pa.Table, k: int) -> tuple[Places, Scores]:
        """(queries, k) places, best first, equal scores by document id, -1 where there are fewer; and their scores."""

    def score(self, queries: pa.Table, rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> Scores:
        """(pairs,) scores of the document at `places[i]` for the query in `rows[i]`; NaN where it is not known."""


class System(Protocol):
    """What an evaluation needs."""

    @property
    def name(self) -> str: ...

    def rank(self, queries: pa.Table, documents: pa.Table, k: int) -> pa.Table:
        """At most `k` documents a query.

        Args:
            queries: columns id, text, language.
            documents: columns id, title, text, language; ids are distinct.

        Returns:
            `catalog.set_schema.RANKING`, the queries in the order given, each by rank.
        """


@dataclass(frozen=True, slots=True)
class Searcher:
    """A system that makes an index first, which many tables of queries can then be put to."""

    name: str
    index: Callable[[pa.Table], Index]

    def rank(self, queries: pa.Table, documents: pa.Table, k: int) -> pa.Table:
        """As `System.rank`."""
        if k < 1:
            raise ConfigError(f"k = {k}: at least 1")
        index, ids = self.index(documents), documents["id"].combine_chunks()
        found = [
            _ranking(part["id"].combine_chunks(), ids, *index.search(part, k)) for part in batches(queries, _BATCH)
        ]
        return pa.concat_tables([RANKING.empty_table(), *found])


def system(spec: str) -> Searcher:
    """The system that a word names.

    Args:
        spec: `bm25`, `bm25:<analyser>`, `dense:<folder or cached name>`, `multi-vector:<folder or cached name>` of
            sentence-transformers models, or `run:<TREC file>`.

    Raises:
        ConfigError: there is no such system; a model's or a run's file cannot be read.
    """
    kind, _, rest = spec.partition(":")
    if kind == "bm25":
        if rest and rest not in KINDS:
            raise ConfigError(f"system = {spec!r}: analysers are {', '.join(KINDS)}")
        return Searcher(spec, partial(bm25.index, kind=rest or KINDS[0]))
    if rest and kind == "dense":
        return Searcher(spec, partial(dense.index, model=dense.load(rest), name=rest))
    if rest and kind == "multi-vector":
        return Searcher(spec, partial(multivector.index, model=multivector.load(rest), name=rest))
    if rest and kind == "run":
        from catalog.exports.trec import read_run

        return imported(spec, read_run(Path(rest)))
    raise ConfigError(
        f"system = {spec!r}: choose bm25, bm25:{'|'.join(KINDS)}, dense:<model>, multi-vector:<model> or run:<file>"
    )


def imported(name: str, run: pa.Table) -> Searcher:
    """A system that answers from a run: RANKING; documents that are not in the pool are left out."""
    return Searcher(name, partial(_Run.of, run))


def batches(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """Slices of at most `rows` rows."""
    return (table.slice(start, rows) for start in range(0, table.num_rows, rows))


def _ranking(queries: pa.Array, ids: pa.Array, places: Places, scores: Scores) -> pa.Table:
    rows, columns = np.nonzero(places >= 0)
    columns_of = [
        queries.take(pa.array(rows)), ids.take(pa.array(places[rows, columns])),
        pa.array(columns + 1, pa.int32()), pa.array(scores[rows, columns]),
    ]  # fmt: skip
    return pa.table(columns_of, names=RANKING.names).cast(RANKING)


class _Run(NamedTuple):
    """The part of a run whose documents are in the pool, sorted by query and rank."""

    queries: dict[str, tuple[int, int]]
    places: npt.NDArray[np.int32]
    scores: Scores

    @classmethod
    def of(cls, run: pa.Table, documents: pa.Table) -> _Run:
        place = pc.index_in(run["document_id"], documents["id"].combine_chunks())
        inside = run.append_column("place", place).filter(pc.is_valid(place))
        inside = inside.sort_by([("query_id", "ascending"), ("rank", "ascending")])
        counted = inside["query_id"].combine_chunks().value_counts()
        ends = np.concatenate([[0], np.cumsum(counted.field("counts").to_numpy())]).tolist()
        names = counted.field("values").to_pylist()
        return cls(
            {name: (ends[i], ends[i + 1]) for i, name in enumerate(names)},
            inside["place"].to_numpy().astype(np.int32), inside["score"].to_numpy(),
        )  # fmt: skip

    def search(self, queries: pa.Table, k: int) -> tuple[Places, Scores]:
        places = np.full((queries.num_rows, k), -1, np.int32)
        scores = np.zeros((queries.num_rows, k), np.float32)
        for row, name in enumerate(queries["id"].to_pylist()):
            start, end = self.queries.get(name, (0, 0))
            end = min(end, start + k)
            places[row, : end - start] = self.places[start:end]
            scores[row, : end - start] = self.scores[start:end]
        return places, scores

    def score(self, queries: pa.Table, rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> Scores:
        names = queries["id"].to_pylist()
        found = np.full(len(rows), np.nan, np.float32)
        for i, (row, place) in enumerate(zip(rows.tolist(), places.tolist(), strict=True)):
            start, end = self.queries.get(names[row], (0, 0))
            at = np.flatnonzero(self.places[start:end] == place)
            if len(at):
                found[i] = self.scores[start + at[0]]
        return found
