"""Rows of the table `pairs`, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from catalog.set_schema import PAIRS


class Text(NamedTuple):
    """A query or a document: a slice of a corpus document, or a field of its metadata (without start and end)."""

    id: str
    text: str
    language: str
    doc: str
    start: int | None = None
    end: int | None = None


class Pair(NamedTuple):
    """A query and a text that answers it; the text's title is empty without one."""

    query: Text
    document: Text
    title: str
    parallel: str | None
    work: str
    split: str


def piece(doc: str, text: str, start: int, end: int, language: str) -> Text:
    """A slice of a document's text; `text` is the whole."""
    return Text(f"{doc}:{start}-{end}", text[start:end], language, doc, start, end)


def pair_table(pairs: Sequence[Pair]) -> pa.Table:
    """The pairs as rows of `catalog.set_schema.PAIRS`, in their order."""
    queries = [pair.query for pair in pairs]
    documents = [pair.document for pair in pairs]
    columns = {
        "query_id": [q.id for q in queries],
        "query": [q.text for q in queries],
        "query_language": [q.language for q in queries],
        "query_doc": [q.doc for q in queries],
        "query_start": [q.start for q in queries],
        "query_end": [q.end for q in queries],
        "document_id": [d.id for d in documents],
        "title": [pair.title for pair in pairs],
        "document": [d.text for d in documents],
        "document_language": [d.language for d in documents],
        "doc": [d.doc for d in documents],
        "start": [d.start for d in documents],
        "end": [d.end for d in documents],
        "parallel": [pair.parallel for pair in pairs],
        "work": [pair.work for pair in pairs],
        "split": [pair.split for pair in pairs],
    }
    return pa.table({name: pa.array(values, PAIRS.field(name).type) for name, values in columns.items()}, schema=PAIRS)
