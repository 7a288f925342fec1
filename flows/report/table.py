"""The report's figures as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from catalog.fidelity import MEASURED, PREDICTED

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


def share(row: Mapping[str, Any], name: str) -> str:
    """Mean and 10th percentile of a measure: `0.985 (0.912)`."""
    if row[name] is None:
        return ""
    low = row.get(f"{name}_p10")
    return f"{row[name]:.3f}" if low is None else f"{row[name]:.3f} ({low:.3f})"


def table(groups: Iterable[Mapping[str, Any]]) -> Table:
    """A row a source, language and engine; means, and 10th percentiles in brackets."""
    right = [Column(name, justify="right") for name in ("docs", "with ref.", "no text")]
    measures = [Column(NAMES[name], justify="right") for name in (*MEASURED, *PREDICTED)]
    found = Table("source", "language", "engine", *right, *measures, Column("alarms", justify="right"))
    for row in groups:
        counts = [f"{row[name]:,}" for name in ("documents", "referenced", "unread")]
        alarms = f"[red]{row['alarms']:,}[/]" if row["alarms"] else "0"
        names = [escape(row[name]) for name in ("source", "language", "engine")]
        found.add_row(*names, *counts, *(share(row, name) for name in (*MEASURED, *PREDICTED)), alarms)
    return found
