"""MS MARCO: `collection.tsv`, `queries.{split}.tsv`, `qrels.{split}.tsv` and triples of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from catalog.exports.lists import Query, Text, lists, need
from catalog.exports.numbered import Collection, Queries
from catalog.exports.output import output
from catalog.exports.pools import pool
from catalog.sets import Set


def write(
    found: Set, folder: Path, negatives: int = 1, split: str = "test", task: str | None = None,
    titles: bool | None = None, share: float = 1.0, seed: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Write a training set or a benchmark; returns the manifest.

    Args:
        negatives: triples (query, positive, negative) a positive, from the query's first negatives.
        split: name of a benchmark's queries and judgements.
        task: only the queries and documents of this task of a benchmark; none: all.
        titles: put the title and a space before each text; none: in benchmarks, not in training sets.
        share, seed: of a training set, see `catalog.exports.lists.lists`.
    """
    if found.kind == "benchmark":
        return _write_benchmark(found, folder, split, task, titles is not False)
    need(found, "pairs")
    with output(found, folder, "msmarco", negatives=negatives, titles=bool(titles), share=share, seed=seed) as made:
        collection, queries = Collection(made, bool(titles)), Queries(made)
        for query in lists(found, made.counts, share, seed):
            number = queries.number(query)
            positives = collection.numbers(query.positives)
            for positive in positives:
                made.lines(f"qrels.{query.split}.tsv").text(f"{number}\t0\t{positive}\t1")
            for negative in collection.numbers(query.negatives[:negatives]):
                for positive in positives:
                    made.lines(f"triples.{query.split}.tsv").text(f"{number}\t{positive}\t{negative}")
    return made.manifest


def _write_benchmark(found: Set, folder: Path, split: str, task: str | None, titles: bool) -> dict[str, Any]:
    chosen = pool(found, task)
    with output(found, folder, "msmarco", split=split, task=task, titles=titles) as made:
        collection, queries = Collection(made, titles), Queries(made)
        ids = chosen.documents["id"].to_pylist()
        columns = (chosen.documents[name].to_pylist() for name in ("title", "text"))
        texts = (Text(id, title or "", text) for id, title, text in zip(ids, *columns, strict=True))
        documents = dict(zip(ids, collection.numbers(texts), strict=True))
        asked = {
            id: queries.number(Query(id, text, split, [], []))
            for id, text in zip(*(chosen.queries[name].to_pylist() for name in ("id", "text")), strict=True)
        }
        for query, document, score in zip(*(c.to_pylist() for c in chosen.qrels.columns), strict=True):
            made.lines(f"qrels.{split}.tsv").text(f"{asked[query]}\t0\t{documents[document]}\t{score}")
    return made.manifest


def read(folder: Path, split: str = "test") -> tuple[dict[str, str], dict[str, str], list[tuple[str, str, int]]]:
    """What `write` wrote, with the sets' own ids: texts by id, queries by id, judgements."""
    documents, queries = (_rows(folder / f"{name}.ids.tsv", 2) for name in ("documents", "queries"))
    names, asked = ({row[0]: row[1] for row in rows} for rows in (documents, queries))
    return (
        {names[number]: text for number, text in _rows(folder / "collection.tsv", 2)},
        {asked[number]: text for number, text in _rows(folder / f"queries.{split}.tsv", 2)},
        [(asked[q], names[d], int(score)) for q, _, d, score in _rows(folder / f"qrels.{split}.tsv", 4)],
    )


def _rows(path: Path, columns: int) -> list[list[str]]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    rows = [line.split("\t") for line in path.read_bytes().decode("utf-8", "replace").split("\n") if line]
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise ConfigError(f"{path}, line {number}: {len(row)} columns instead of {columns}")
    return rows
