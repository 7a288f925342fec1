"""Sentence-transformers: parquet of anchor and positive, and of anchor, positive and negatives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.exports.lists import lists, need, sampler
from catalog.exports.output import Output, output
from catalog.sets import Set

_MOST = 8
"""Negatives a query where the set does not say how many were mined."""
_PAIR = pa.schema([("anchor", pa.string()), ("positive", pa.string())])


def write(
    found: Set, folder: Path, negatives: int | None = None, titles: bool = False, share: float = 1.0, seed: int = 1
) -> dict[str, Any]:
    """Write the config `pairs`, and `triplets` where the set has negatives; returns the manifest.

    Args:
        negatives: columns negative_1 to negative_n of the triplets; queries with fewer are left out of them. None:
            see `depth`.
        titles: put the title and a space before each text.
        share, seed: see `catalog.exports.lists.lists`.
    """
    need(found, "pairs")
    chosen = depth(found) if negatives is None else negatives
    with output(
        found, folder, "sentence-transformers", negatives=chosen, titles=titles, share=share, seed=seed
    ) as made:
        _pairs(made, found, titles, share, seed)
        if found.rows("negatives"):
            made.notes["negatives"] = {"asked of the mining": _asked(found), "columns": chosen}
            names = ["anchor", "positive", *(f"negative_{n}" for n in range(1, chosen + 1))]
            triplets(made, found, "triplets", names, titles, share, seed)
    return made.manifest


def depth(found: Set) -> int:
    """How many negatives to write: as many as the mining was asked for, but no more than half of the queries have.

    At least 1. Positives, which the lists repeat with rank 0, do not count.
    """
    have: Counter[int] = Counter()
    current: tuple[str | None, int] = (None, 0)
    for batch in found.batches("negatives", ["query_id", "rank"], 65_536):
        ids = batch["query_id"].filter(pc.greater(batch["rank"], 0))
        counted = pc.value_counts(ids)  # in the order of the rows; a query's stand together
        for id, count in zip(*(counted.field(n).to_pylist() for n in ("values", "counts")), strict=True):
            if id != current[0]:
                have[current[1]] += 1
                current = (id, 0)
            current = (id, current[1] + count)
    have[current[1]] += 1
    del have[0]  # what `current` began with
    queries = _queries(found)
    most = _asked(found) or _MOST
    return next((n for n in range(most, 1, -1) if 2 * sum(have[m] for m in have if m >= n) >= queries), 1)


def _asked(found: Set) -> int | None:
    """How many negatives a query the set's mining was asked for, if its manifest says so."""
    mining = found.manifest.get("negatives")
    params = mining.get("params") if isinstance(mining, dict) else None
    count = params.get("count") if isinstance(params, dict) else None
    return count if isinstance(count, int) and count > 0 else None


def _queries(found: Set) -> int:
    """How many queries the pairs have; their rows stand together."""
    count, last = 0, None
    for batch in found.batches("pairs", ["query_id"], 65_536):
        own = pc.unique(batch["query_id"]).to_pylist()
        count += len(own) - (bool(own) and own[0] == last)
        last = own[-1] if own else last
    return count


def _pairs(made: Output, found: Set, titles: bool, share: float, seed: int) -> None:
    """Column by column: texts never become Python objects."""
    kept = sampler(share, seed)
    names = (
        ["query_id", "query", "document", "title", "split"] if titles else ["query_id", "query", "document", "split"]
    )
    for batch in found.batches("pairs", names):
        if share < 1:
            batch = batch.filter(pa.array([kept(id) for id in batch["query_id"].to_pylist()], pa.bool_()))
        there = pc.and_(_has_text(batch["query"]), _has_text(batch["document"]))
        made.counts["pairs without text"] += len(batch) - (pc.sum(there).as_py() or 0)
        batch = batch.filter(there)
        texts = batch["document"]
        if titles:
            title = pc.fill_null(batch["title"], "")
            texts = pc.if_else(pc.equal(title, ""), texts, pc.binary_join_element_wise(title, texts, " "))
        for split in pc.unique(batch["split"]).to_pylist():
            mask = pc.equal(batch["split"], split)
            table = pa.Table.from_arrays([batch["query"].filter(mask), texts.filter(mask)], schema=_PAIR)
            made.rows(f"pairs/{split}.parquet", _PAIR, "pairs", split).write(table)
            made.counts["pairs"] += table.num_rows


def _has_text(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.not_equal(pc.utf8_ltrim_whitespace(texts), ""), False)


def triplets(made: Output, found: Set, config: str, names: list[str], titles: bool, share: float, seed: int) -> None:
    """Write a row for each query and text that answers it: the query, the text, and the query's first negatives.

    Args:
        names: of the columns; there are as many negatives as names after the second.
    """
    count = len(names) - 2
    if count < 1:
        raise ConfigError(f"negatives = {count}: at least 1")
    schema = pa.schema([(name, pa.string()) for name in names])
    for query in lists(found, made.counts, share, seed):
        if len(query.negatives) < count:
            made.counts[f"queries with fewer than {count} negatives"] += 1
            continue
        made.counts[f"negatives after the first {count}"] += len(query.negatives) - count
        others = [text.joined(titles) for text in query.negatives[:count]]
        rows = made.rows(f"{config}/{query.split}.parquet", schema, config, query.split)
        for text in query.positives:
            rows.add(query.text, text.joined(titles), *others)
            made.counts["triplets"] += 1
