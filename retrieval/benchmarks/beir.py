"""A foreign benchmark in a folder of BEIR's layout."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from catalog.errors import ConfigError
from catalog.exports import beir
from catalog.files import read_json
from catalog.set_schema import DOCUMENTS, QRELS, QUERIES
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task
from retrieval.source import Source


class BeirParams(Params):
    """Where the folder is, and what it does not say."""

    folder: Path
    split: str = "test"
    """File of judgements: `qrels/<split>.tsv`."""
    query_language: str | None = None
    """Language of all queries, BCP 47; None: what the manifest of an export of ours says."""
    document_language: str | None = None
    """The same of the documents."""
    licence: str | None = None
    """Licence of the documents, for the card."""


class _Told(NamedTuple):
    """What an export of ours tells of its folder."""

    query_languages: list[str]
    document_languages: list[str]
    task: str | None


def make(_: Source, params: BeirParams) -> Benchmark:
    """The folder's documents, and the queries that are judged in the split.

    ConfigError when a file is missing, or nothing says a language. What cannot be used, such as judgements of unknown
    documents, is counted.
    """
    documents, queries, qrels, left_out = beir.read(params.folder, params.split)
    told = _told(params.folder)
    asked, answered = _languages(params, told)
    given = params.query_language or params.document_language
    task = Task(told.task if told.task and not given else f"{asked}-{answered}")
    used = Counter({"used": documents.num_rows, "query: used": queries.num_rows})
    facts = {"language": answered, "licence": params.licence}
    return Benchmark(
        _filled(documents, DOCUMENTS, facts), _filled(queries, QUERIES, {"language": asked}),
        _filled(qrels, QRELS, {}), [task],
        counts=used + left_out,
        notes={"imported from": f"a BEIR folder, {params.folder.name}, split {params.split}"},
    )  # fmt: skip


def _languages(params: BeirParams, told: _Told) -> tuple[str, str]:
    """Of the queries and of the documents: what is given, else what the folder's own manifest says."""
    found: list[str] = []
    missing: list[str] = []
    for name, given, codes in (
        ("query_language", params.query_language, told.query_languages),
        ("document_language", params.document_language, told.document_languages),
    ):
        known = len(codes) == 1 and codes[0] not in ("", "und", "unknown")
        found.append(given or (codes[0] if known else ""))
        if not found[-1]:
            missing.append(f"{name} ({', '.join(codes)})" if len(codes) > 1 else name)
    if missing:
        raise ConfigError(
            f"{params.folder}: no line says its language; give the parameter {' and '.join(missing)}, such as "
            '`params = {query_language = "en", document_language = "fr"}`'
        )
    return found[0], found[1]


def _told(folder: Path) -> _Told:
    """What `manifest.json` says, when it is that of an export of ours; the file may be anything."""
    nothing = _Told([], [], None)
    try:
        found = read_json(folder / "manifest.json")
    except (OSError, ValueError, ConfigError):
        return nothing
    if not isinstance(found, dict) or found.get("format") != "beir":
        return nothing
    made, chosen = _object(found, "set"), _object(found, "options").get("task")
    tasks = made.get("tasks")
    listed = [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []
    # Without a task all queries and documents were written, of which a task with kinds has a part.
    own = [task for task in listed if (task.get("name") == chosen if chosen else not task.get("query_kinds"))]
    task = own[0] if len(own) == 1 and (chosen or len(listed) == 1) else {}
    spoken = [
        _codes(task.get(f"{what}_languages") if chosen else None)
        or _codes(list(_object(_object(made, "statistics"), f"{plural}_by_language")))
        or _codes(made.get("languages"))
        for what, plural in (("query", "queries"), ("document", "documents"))
    ]  # fmt: skip
    name = task.get("name")
    return _Told(spoken[0], spoken[1], name if isinstance(name, str) else None)


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _codes(value: Any) -> list[str]:
    return [code for code in value if isinstance(code, str)] if isinstance(value, list) else []


def _filled(table: pa.Table, schema: pa.Schema, values: dict[str, str | None]) -> pa.Table:
    """The table with all columns of the schema: the value given, else null."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names
        else pa.repeat(pa.scalar(values.get(field.name), field.type), table.num_rows)
        for field in schema
    ]  # fmt: skip
    return pa.table(columns, schema)


BEIR = BenchmarkBuilder("beir", 2, "A benchmark of others, in BEIR's layout.", make, BeirParams)
