"""Small sets for the tests, written through the catalog's own writer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.files import Corpus
from catalog.set_schema import SCHEMAS
from catalog.sets import Set, SetWriter

Row = dict[str, Any]
WORDS = ("water", "forest", "court", "school", "river", "music", "bread", "stone", "winter", "letter")


def made(root: Path, name: str, kind: str, parts: list[dict[str, Iterable[Row]]], **facts: Any) -> Set:
    """A set with these rows, {table: rows} a part; columns that a row lacks are null."""
    writer = SetWriter(Corpus(root), name, kind, "0" * 16)
    for number, tables in enumerate(parts):
        with writer.part(f"p{number}") as part:
            for table, rows in tables.items():
                part.write(table, pa.Table.from_pylist(list(rows), schema=SCHEMAS[kind][table]))
            part.counts = {"used": 1}
    names = [f"p{number}" for number in range(len(parts))]
    head = {"made": "2026-01-01T00:00:00+00:00", "version": 1, "builder": "test", **facts}
    return writer.commit(names, head, lambda manifest: f"# {name}\n\nA set of the tests.\n")


def text(n: int, language: str = "en") -> str:
    """A text that shares its words with the query of the same number."""
    return f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} text number {n} {language} and some more words"


def pair(n: int, **columns: Any) -> Row:
    """A pair; every tenth is of the validation split. Query and document share their words."""
    return {
        "query_id": f"q{n}", "query": f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} {n}", "query_language": "en",
        "query_doc": f"doc{n}", "document_id": f"doc{n}:0-40", "title": f"Title {n}" if n % 2 else "",
        "document": text(n), "document_language": "en", "doc": f"doc{n}", "start": 0, "end": 40, "parallel": None,
        "work": f"id:doc{n}", "split": "validation" if n % 10 == 9 else "train", **columns,
    }  # fmt: skip


def negatives(n: int, count: int, total: int, teacher: bool = True) -> list[Row]:
    """The scored list of query n: its positive, then `count` texts of other queries, with falling scores."""
    others = [(n + 1 + k) % total for k in range(count)]
    return [
        {
            "query_id": f"q{n}", "document_id": f"doc{m}:0-40", "title": f"Title {m}" if m % 2 else "",
            "document": text(m), "document_language": "en", "rank": rank, "score": 10.0 - rank,
            "teacher": 9.5 - 2 * rank if teacher else None, "source": "bm25" if rank else "positive",
        }
        for rank, m in enumerate([n, *others])
    ]  # fmt: skip


def training_set(
    root: Path, name: str = "made-pairs", total: int = 20, lists: int = 4, teacher: bool = True, parts: int = 2
) -> Set:
    """Pairs, and unless `lists` is 0 as many negatives a query, in several parts."""
    step = -(-total // parts)
    made_parts: list[dict[str, Iterable[Row]]] = []
    for start in range(0, total, step):
        numbers = range(start, min(start + step, total))
        tables: dict[str, Iterable[Row]] = {"pairs": [pair(n) for n in numbers]}
        if lists:
            tables["negatives"] = [row for n in numbers for row in negatives(n, lists, total, teacher)]
        made_parts.append(tables)
    return made(root, name, "pairs", made_parts)


TASKS = [
    {"name": "en-fr", "query_languages": ["en"], "document_languages": ["fr"], "query_kinds": None},
    {"name": "en-en", "query_languages": ["en"], "document_languages": ["en"], "query_kinds": None},
]


def benchmark(root: Path, name: str = "made-bench", total: int = 12, top_ranked: bool = False, **facts: Any) -> Set:
    """English and French documents, an English query for each pair of them, two tasks."""
    documents = [
        {
            "id": f"d{n}-{language}", "title": f"Title {n}" if n % 2 else "", "text": text(n, language),
            "language": language, "doc": f"doc{n}-{language}", "start": 0, "end": 10, "parallel": f"id:doc{n}#whole",
            "work": f"id:doc{n}", "licence": "CC-BY-4.0",
        }
        for n in range(total)
        for language in ("en", "fr")
    ]  # fmt: skip
    queries = [
        {"id": f"q{n}", "text": f"{WORDS[n % 10]} {n}", "language": "en", "kind": "made", "work": f"id:doc{n}"}
        for n in range(total)
    ]
    qrels = [
        {"query_id": f"q{n}", "document_id": f"d{n}-{language}", "score": 1}
        for n in range(total)
        for language in ("en", "fr")
    ]
    tables: dict[str, Iterable[Row]] = {"documents": documents, "queries": queries, "qrels": qrels}
    if top_ranked:
        tables["top_ranked"] = [
            {"query_id": f"q{n}", "document_ids": [f"d{m % total}-{x}" for m in range(n, n + 5) for x in ("en", "fr")]}
            for n in range(total)
        ]
    return made(root, name, "benchmark", [tables], **{"tasks": TASKS, "languages": ["en", "fr"], **facts})
