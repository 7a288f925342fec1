"""Query results as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa

_SPECIAL = re.compile(r'[",\r\n]|^\s*$')


def lines(result: pa.Table) -> Iterator[bytes]:
    """Lines of CSV (RFC 4180, `\\n`): null is nothing, the empty string `""`; quoted is only what must be."""
    result = _flat(result)
    yield (",".join(map(_field, result.column_names)) + "\n").encode()
    for batch in result.to_batches(10_000):
        for row in zip(*map(_strings, batch.columns), strict=True):
            yield (",".join(map(_field, row)) + "\n").encode()


def _flat(result: pa.Table) -> pa.Table:
    """Nested columns as JSON text: CSV has no lists."""
    for position, field in enumerate(result.schema):
        if pa.types.is_nested(field.type):
            values = [
                None if v is None else orjson.dumps(v, default=str).decode() for v in result[field.name].to_pylist()
            ]
            result = result.set_column(position, field.name, pa.array(values, pa.string()))
    return result


def _strings(column: Any) -> list[str | None]:
    try:
        return list(column.cast(pa.string()).to_pylist())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # bytes that are no text, intervals
        return [None if value is None else str(value) for value in column.to_pylist()]


def _field(text: str | None) -> str:
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text
