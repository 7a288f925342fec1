"""Exports as the command line asks for them: the profile, and the mask of the filters for the catalog's exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from catalog import export_hplt, exports, files, store
from filters.masking import mask

Maskable = Literal["pii", "secrets", "email", "phone", "ip", "iban", "card", "national_id"]
"""What can be masked: all personal data, all secrets, or one kind of personal data."""


def export(
    corpus: Path, snapshot: int | None, folder: Path, format: Literal["parquet", "jsonl", "hplt-v3"],
    languages: list[str] | None, rows: int, masked: list[Maskable] | None,
) -> dict[str, Any]:  # fmt: skip
    """Write the kept documents of a snapshot; returns the manifest. Raises what `catalog.exports.export` raises."""
    hidden = mask if masked else None
    found = files.existing(corpus)
    with store.reading(found, snapshot) as connection:
        if format == "hplt-v3":
            return export_hplt.export(connection, found.root, folder, languages, rows, hidden, masked or ())
        return exports.export(connection, found.root, folder, format, languages, rows, hidden, masked or ())
