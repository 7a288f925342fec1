"""The tables of a set with all their columns, split by split."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError
from catalog.set_schema import SCHEMAS
from catalog.sets import Set


def tables(found: Set, split: str = "test") -> Iterator[tuple[str, str, pa.Table]]:
    """(table, split, rows), in batches and in order; `split` is the name for those of a benchmark.

    Raises:
        ConfigError: negatives that stand in another order than pairs.
    """
    for name, schema in SCHEMAS[found.kind].items():
        split_of = _splits(found)
        for batch in found.batches(name, schema.names):
            rows = pa.Table.from_batches([batch]).cast(schema)
            if found.kind == "benchmark":
                yield name, split, rows
                continue
            if "split" in schema.names:
                of = rows["split"]
            else:
                of = pa.array([split_of(id) for id in rows["query_id"].to_pylist()], pa.string())
            for value in pc.unique(of).to_pylist():
                yield name, value, rows.filter(pc.equal(of, value))


def _splits(found: Set) -> Callable[[str], str]:
    """Gives the split of a query of negatives, asked for in their order, which is that of pairs."""
    pairs = (
        row
        for batch in found.batches("pairs", ["query_id", "split"], 65_536)
        for row in zip(batch["query_id"].to_pylist(), batch["split"].to_pylist(), strict=True)
    )
    current: tuple[str | None, str] = (None, "")

    def split(query: str) -> str:
        nonlocal current
        while current[0] != query:
            try:
                current = next(pairs)
            except StopIteration:
                raise ConfigError(
                    f"{found.name}, negatives: query {query!r} is not in pairs, or not in their order; "
                    "make the set again"
                ) from None
        return current[1]

    return split
