"""The report's figures as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from catalog.fidelity import MEASURED, PREDICTED

WIDE = 180
"""Columns of a terminal that the whole table needs."""
NAMES = {
    "lcs": "lcs",
    "lcs_json": "lcs json",
    "lcs_conversion": "lcs conversion",
    "order_recall": "order recall",
    "order_precision": "order precision",
    "predicted_lcs": "predicted lcs",
    "predicted_order": "predicted order",
}
"""What a measure is called."""


def share(row: Mapping[str, Any], name: str, low_too: bool = True) -> str:
    """Mean and 10th percentile of a measure: `0.985 (0.912)`; the mean alone if not `low_too`."""
    if row[name] is None:
        return ""
    low = row.get(f"{name}_p10") if low_too else None
    return f"{row[name]:.3f}" if low is None else f"{row[name]:.3f} ({low:.3f})"


def table(groups: Iterable[Mapping[str, Any]], width: int = WIDE) -> Table:
    """A row a source, language and engine; means, and 10th percentiles in brackets where `width` has room for them.

    Measures that no row has are left out, and LEMUR's two variants on a narrow terminal.
    """
    listed = list(groups)
    names = [name for name in (*MEASURED, *PREDICTED) if any(row[name] is not None for row in listed)]
    if width < WIDE:
        names = [name for name in names if name not in ("lcs_json", "lcs_conversion")]
    right = [Column(name, justify="right") for name in ("docs", "with ref.", "no text")]
    measures = [Column(NAMES[name], justify="right") for name in names]
    found = Table("source", "language", "engine", *right, *measures, Column("alarms", justify="right"))
    for row in listed:
        counts = [f"{row[name]:,}" for name in ("documents", "referenced", "unread")]
        alarms = f"[red]{row['alarms']:,}[/]" if row["alarms"] else "0"
        labels = [escape(row[name]) for name in ("source", "language", "engine")]
        found.add_row(*labels, *counts, *(share(row, name, width >= WIDE) for name in names), alarms)
    return found
