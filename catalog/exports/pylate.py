"""PyLate: contrastive rows, and knowledge distillation in three tables (train, queries, documents)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.errors import ConfigError
from catalog.exports.lists import Query, Register, lists, need, need_teacher
from catalog.exports.output import Output, output
from catalog.exports.sentence_transformers import triplets
from catalog.sets import Set

_TRAIN = pa.schema(
    [("query_id", pa.string()), ("document_ids", pa.list_(pa.string())), ("scores", pa.list_(pa.float64()))]
)
_QUERIES = pa.schema([("query_id", pa.string()), ("text", pa.string())])
_DOCUMENTS = pa.schema([("document_id", pa.string()), ("text", pa.string())])


def contrastive(
    found: Set, folder: Path, negatives: int = 1, titles: bool = False, share: float = 1.0, seed: int = 1
) -> dict[str, Any]:
    """Write rows of query, positive, negative, negative_1 ...; returns the manifest.

    Arguments are those of `catalog.exports.sentence_transformers.write`.
    """
    need(found, "pairs", "negatives")
    options = {"negatives": negatives, "titles": titles, "share": share, "seed": seed}
    with output(found, folder, "pylate-contrastive", **options) as made:
        names = ["query", "positive", *("negative" if n == 0 else f"negative_{n}" for n in range(negatives))]
        triplets(made, found, "contrastive", names, titles, share, seed)
    return made.manifest


def distillation(
    found: Set, folder: Path, n_ways: int = 32, normalise: bool = False, titles: bool = False, share: float = 1.0,
    seed: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Write the three tables; returns the manifest.

    A row of `train` lists the query's positives, then its negatives by rank, `n_ways` in all, and their teacher scores.
    Queries with fewer scored documents are left out, and counted.

    Args:
        normalise: scale the scores of a row to 0 to 1 (min-max); equal scores become 0.
        titles, share, seed: as in `catalog.exports.sentence_transformers.write`.

    Raises:
        ConfigError: no negatives, no teacher scores, or no query has `n_ways` scored documents.
    """
    if n_ways < 2:
        raise ConfigError(f"n_ways = {n_ways}: at least 2")
    need_teacher(found)
    options = {"n_ways": n_ways, "normalise": normalise, "titles": titles, "share": share, "seed": seed}
    with output(found, folder, "pylate-kd", **options) as made:
        documents = Register()
        for query in lists(found, made.counts, share, seed):
            _row(made, query, documents, n_ways, normalise, titles)
        if not made.counts["rows"]:
            raise ConfigError(f"{found.name}: no query has {n_ways} documents with teacher scores; lower n_ways")
    return made.manifest


def _row(made: Output, query: Query, documents: Register, n_ways: int, normalise: bool, titles: bool) -> None:
    scored = [text for text in (*query.positives, *query.negatives) if usable(text.teacher)]
    chosen = scored[:n_ways]
    if len(chosen) < n_ways:
        made.counts[f"queries with fewer than {n_ways} scored documents"] += 1
        return
    if chosen[0].id != query.positives[0].id:
        made.counts["queries whose first answer has no teacher score"] += 1
        return
    scores = [text.teacher or 0.0 for text in chosen]
    train = made.rows(f"train/{query.split}.parquet", _TRAIN, "train", query.split)
    train.add(query.id, [text.id for text in chosen], min_max(scores) if normalise else scores)
    made.counts["rows"] += 1
    made.rows("queries/train.parquet", _QUERIES, "queries").add(query.id, query.text)
    for text in chosen:
        if documents.add(text):
            made.rows("documents/train.parquet", _DOCUMENTS, "documents").add(text.id, text.joined(titles))


def usable(score: float | None) -> bool:
    """Whether a teacher's score can be learnt from."""
    return score is not None and math.isfinite(score)


def min_max(scores: list[float]) -> list[float]:
    """The scores scaled to 0 to 1, in their order; all 0 when they are equal."""
    low, high = min(scores), max(scores)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]
