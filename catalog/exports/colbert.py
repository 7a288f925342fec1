"""ColBERT: n-way JSON lines of numbers and teacher scores, `collection.tsv` and `queries.{split}.tsv`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from catalog.exports.lists import Text, lists, need_teacher
from catalog.exports.numbered import Collection, Queries
from catalog.exports.output import output
from catalog.exports.pylate import usable
from catalog.sets import Set


def write(
    found: Set, folder: Path, n_ways: int = 32, titles: bool = False, share: float = 1.0, seed: int = 1
) -> dict[str, Any]:
    """Write `{split}.{n}way.jsonl` and its collections; returns the manifest.

    A line is `[query, [positive, score], [negative, score], ...]` of `n_ways` documents; a query has a line for each of
    its positives. Queries with fewer scored negatives are left out, and counted.

    Args:
        titles: put the title and a space before each text.
        share, seed: see `catalog.exports.lists.lists`.

    Raises:
        ConfigError: no negatives, no teacher scores, or no query has enough of them.
    """
    if n_ways < 2:
        raise ConfigError(f"n_ways = {n_ways}: at least 2")
    need_teacher(found)
    with output(found, folder, "colbert", n_ways=n_ways, titles=titles, share=share, seed=seed) as made:
        collection, queries = Collection(made, titles), Queries(made)
        for query in lists(found, made.counts, share, seed):
            positives = [text for text in query.positives if usable(text.teacher)]
            negatives = [text for text in query.negatives if usable(text.teacher)][: n_ways - 1]
            if not positives or len(negatives) < n_ways - 1:
                made.counts[f"queries with fewer than {n_ways} scored documents"] += 1
                continue
            number = queries.number(query)
            others = _scored(collection, negatives)
            for entry in _scored(collection, positives):
                made.lines(f"{query.split}.{n_ways}way.jsonl").json([number, entry, *others])
                made.counts["lines"] += 1
        if not made.counts["lines"]:
            raise ConfigError(f"{found.name}: no query has {n_ways} documents with teacher scores; lower n_ways")
    return made.manifest


def _scored(collection: Collection, texts: list[Text]) -> list[list[Any]]:
    numbers = collection.numbers(texts)
    return [[number, text.teacher] for number, text in zip(numbers, texts, strict=True)]
