"""Tevatron: a JSON line a query with its positive and negative passages, and the corpus as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import ConfigError
from catalog.exports.lists import Query, Register, Text, lists, need
from catalog.exports.output import output
from catalog.sets import Set


def write(found: Set, folder: Path, negatives: int | None = None, share: float = 1.0, seed: int = 1) -> dict[str, Any]:
    """Write `{split}.jsonl` and `corpus.jsonl`; returns the manifest.

    Args:
        negatives: at most so many a query; none: all.
        share, seed: see `catalog.exports.lists.lists`.
    """
    need(found, "pairs")
    with output(found, folder, "tevatron", negatives=negatives, share=share, seed=seed) as made:
        register = Register()
        corpus = made.lines("corpus.jsonl")
        for query in lists(found, made.counts, share, seed):
            positives, others = query.positives, query.negatives[:negatives]
            passages = [_passage(text) for text in (*positives, *others)]
            made.lines(f"{query.split}.jsonl").json({
                "query_id": query.id, "query": query.text, "positive_passages": passages[: len(positives)],
                "negative_passages": passages[len(positives) :],
            })  # fmt: skip
            for text, passage in zip((*positives, *others), passages, strict=True):
                if register.add(text):
                    corpus.json(passage)
    return made.manifest


def _passage(text: Text) -> dict[str, str]:
    return {"docid": text.id, "title": text.title, "text": text.text}


def read(path: Path) -> Iterator[Query]:
    """The queries of a training file; ConfigError names a line that is none."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = orjson.loads(line)
                lists = [
                    [Text(p["docid"], p.get("title") or "", p["text"]) for p in row[name]]
                    for name in ("positive_passages", "negative_passages")
                ]
                yield Query(row["query_id"], row["query"], path.stem, *lists)
            except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
                raise ConfigError(f"{path}, line {number}: no training example ({error!r})") from error
