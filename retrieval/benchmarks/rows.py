"""Rows of a benchmark's tables before they are tables, and what of the corpus they are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from catalog.set_schema import DOCUMENTS, QRELS, QUERIES
from retrieval.parallel import one_a_language
from retrieval.source import Source

HELD_OUT = ("test",)
_COLUMNS = (
    "id", "text", "title", "language", "declared_language", "sections", "page_offsets", "celex", "meta", "licence",
    "work",
)  # fmt: skip


class Document(NamedTuple):
    """A row of a benchmark's documents; see `catalog.set_schema.DOCUMENTS`."""

    id: str
    title: str
    text: str
    language: str
    doc: str | None = None
    start: int | None = None
    end: int | None = None
    parallel: str | None = None
    work: str | None = None
    licence: str | None = None


class Query(NamedTuple):
    """A row of a benchmark's queries; see `catalog.set_schema.QUERIES`."""

    id: str
    text: str
    language: str
    kind: str | None = None
    work: str | None = None
    answers: list[str] | None = None


Judgement = tuple[str, str, int]
"""Query, document, relevance."""


def read(source: Source, splits: Collection[str] = HELD_OUT) -> Iterator[dict[str, Any]]:
    """Kept documents of these splits, those of a work together, `licence` being what is known of it."""
    for table in source.works(_COLUMNS, splits):
        for row in table.to_pylist():
            yield row | {"licence": row["licence"] or _declared(row["meta"])}


def one_edition(rows: Iterable[dict[str, Any]], counts: Counter[str]) -> Iterator[Mapping[str, Any]]:
    """One document of each work and language, all of one edition; the others are counted."""
    for _, same in groupby(rows, key=lambda row: row["work"]):
        yield from one_a_language(sorted(same, key=lambda row: row["id"]), counts)


def documents(rows: Iterable[Document]) -> pa.Table:
    """The table of documents, sorted by id."""
    return _table(sorted(rows), DOCUMENTS)


def queries(rows: Iterable[Query]) -> pa.Table:
    """The table of queries, sorted by id."""
    return _table(sorted(rows), QUERIES)


def qrels(rows: Iterable[Judgement]) -> pa.Table:
    """The table of judgements, sorted by query and document."""
    return _table(sorted(rows), QRELS)


def capped(
    asked: pa.Table, judged: pa.Table, order: Mapping[str, int], cap: int, counts: Counter[str]
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """At most `cap` queries of each kind and language, the first by `order`, and their judgements."""
    taken: Counter[tuple[str | None, str]] = Counter()
    chosen = set()
    for id, language, kind in sorted(
        zip(*(asked[name].to_pylist() for name in ("id", "language", "kind")), strict=True), key=lambda q: order[q[0]]
    ):
        taken[kind, language] += 1
        if taken[kind, language] <= cap:
            chosen.add(id)
    counts["query: used"] += len(chosen)
    counts["query: over the cap"] += taken.total() - len(chosen)
    return only(asked, "id", chosen), only(judged, "query_id", chosen)


def only(table: pa.Table, column: str, values: Collection[str]) -> pa.Table:
    """The rows of which the column has one of these values."""
    return table.filter(pc.is_in(table[column], pa.array(sorted(values), pa.string())))


def whole(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


def _declared(meta: str | None) -> str | None:
    """The licence that the document's metadata name, else the rights that they claim."""
    try:
        found = orjson.loads(meta or "{}")
    except ValueError:
        return None
    values = [found.get("licence"), found.get("rights")] if isinstance(found, dict) else []
    return next((" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), None)
