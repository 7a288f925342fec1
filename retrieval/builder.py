"""What a builder of training sets and a builder of benchmarks are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from catalog.files import digest, sha256
from retrieval.source import Source


class Params(BaseModel):
    """Base of a builder's parameters: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def resolved(self, benchmarks: Mapping[str, str]) -> Self:
        """With what is known of other sets, the ids of benchmarks by name; asked before `identity`."""
        return self

    def identity(self) -> dict[str, Any]:
        """What decides the rows: the parameters as JSON has them; files and folders by a digest of what is in them."""
        plain = self.model_dump(mode="json")
        for name, value in self:
            if isinstance(value, Path):
                plain[name] = contents(value)
        return plain


def contents(path: Path) -> str:
    """Digest of a file, or of the names and contents of all files in a folder."""
    files = sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]
    return digest([[str(found.relative_to(path)), sha256(found)] for found in files if found.is_file()])


Make = Callable[[pa.Table, Any, Counter[str]], Iterator[tuple[str, pa.Table]]]
"""Called with a table of documents, the parameters and a counter; gives rows for tables of the set.

Every document is counted once: under `used`, or under the reason why nothing was made of it.
"""
Survey = Callable[[Iterator[pa.Table], Any], Any]
"""Called with all documents that are trained on, in tables, and the parameters; gives those that `make` gets."""


@dataclass(frozen=True, slots=True)
class PairBuilder:
    """A named, versioned way to make a training set."""

    name: str
    version: int
    """Raised whenever the rows change that the same documents give."""
    summary: str
    """One sentence for the card and for `--help`."""
    make: Make
    params: type[Params] = Params
    columns: tuple[str, ...] = ("id", "text", "title", "language", "work", "split")
    """Columns of the table that `make` gets: of the views documents, signals, rights, clusters, and work, family,
    split."""
    unit: Literal["document", "work"] = "document"
    """`work`: a table holds all kept documents of each work in it, sorted by work, language and id."""
    survey: Survey | None = None
    """A first pass, for parameters that depend on all documents: rates that keep a sample or meet a budget."""


@dataclass(slots=True)
class Benchmark:
    """What a benchmark is made of, before it is written."""

    documents: pa.Table
    queries: pa.Table
    qrels: pa.Table
    tasks: list[Task]
    top_ranked: pa.Table | None = None
    counts: Counter[str] = field(default_factory=Counter)
    """What was used and what was left out, by reason."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Further facts for the card: normaliser, definitions, provenance of an import."""


@dataclass(frozen=True, slots=True)
class Task:
    """Queries and the pool that they search: `en-fr` asks in English and ranks French documents."""

    name: str
    query_languages: tuple[str, ...] | None = None
    """None: all."""
    document_languages: tuple[str, ...] | None = None
    """None: all in one pool."""
    query_kinds: tuple[str, ...] | None = None
    """None: all."""


@dataclass(frozen=True, slots=True)
class BenchmarkBuilder:
    """A named, versioned way to make a benchmark; small enough to be made in memory."""

    name: str
    version: int
    summary: str
    make: Callable[[Source, Any], Benchmark]
    params: type[Params] = Params
