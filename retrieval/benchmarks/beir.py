"""A foreign benchmark in a folder of BEIR's layout."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from catalog.exports import beir
from catalog.set_schema import DOCUMENTS, QRELS, QUERIES
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task
from retrieval.source import Source


class BeirParams(Params):
    """Where the folder is, and what it does not say."""

    folder: Path
    split: str = "test"
    """File of judgements: `qrels/<split>.tsv`."""
    query_language: str = "en"
    document_language: str = "en"
    licence: str | None = None
    """Licence of the documents, for the card."""


def make(_: Source, params: BeirParams) -> Benchmark:
    """The folder's documents, and the queries that are judged in the split.

    ConfigError when a file is missing. What cannot be used, such as judgements of unknown documents, is counted.
    """
    documents, queries, qrels, left_out = beir.read(params.folder, params.split)
    used = Counter({"used": documents.num_rows, "query: used": queries.num_rows})
    facts = {"language": params.document_language, "licence": params.licence}
    return Benchmark(
        _filled(documents, DOCUMENTS, facts), _filled(queries, QUERIES, {"language": params.query_language}),
        _filled(qrels, QRELS, {}), [Task(f"{params.query_language}-{params.document_language}")],
        counts=used + left_out,
        notes={"imported from": f"a BEIR folder, {params.folder.name}, split {params.split}"},
    )  # fmt: skip


def _filled(table: pa.Table, schema: pa.Schema, values: dict[str, str | None]) -> pa.Table:
    """The table with all columns of the schema: the value given, else null."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names
        else pa.repeat(pa.scalar(values.get(field.name), field.type), table.num_rows)
        for field in schema
    ]  # fmt: skip
    return pa.table(columns, schema)


BEIR = BenchmarkBuilder("beir", 1, "A benchmark of others, in BEIR's layout.", make, BeirParams)
