"""Exports as the command line asks for them: the profile, and the mask of the filters for the catalog's exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from catalog import exports, files, sets, store
from catalog.errors import ConfigError
from catalog.exports import hplt
from filters.masking import mask

Maskable = Literal["pii", "secrets", "email", "phone", "ip", "iban", "card", "national_id"]
"""What can be masked: all personal data, all secrets, or one kind of personal data."""


_LISTED = 12
_USED = ("cross-lingual pairs", "monolingual pairs")
_FORMATS = ("parquet", "jsonl", "hplt-v3")


def export(
    corpus: Path, snapshot: int | None, folder: Path, format: str,
    languages: list[str] | None, rows: int, masked: list[Maskable] | None,
) -> dict[str, Any]:  # fmt: skip
    """Write the kept documents of a snapshot; returns the manifest. Raises what `catalog.exports.export` raises."""
    if format not in _FORMATS:
        raise ConfigError(
            f"format = {format}: of a corpus there are {', '.join(_FORMATS)}; of a training set or a benchmark, which "
            f"--set names, {', '.join(exports.FORMATS)}"
        )
    hidden = mask if masked else None
    found = files.existing(corpus)
    with store.reading(found, snapshot) as connection:
        if format == "hplt-v3":
            return hplt.export(connection, found.root, folder, languages, rows, hidden, masked or ())
        kind: exports.Kind = "jsonl" if format == "jsonl" else "parquet"
        return exports.export(connection, found.root, folder, kind, languages, rows, hidden, masked or ())


def export_set(corpus: Path, name: str, folder: Path, format: str, options: list[str] | None = None) -> dict[str, Any]:
    """Write a training set or a benchmark in one of `catalog.exports.FORMATS`; returns the manifest.

    Args:
        name: of a set of the corpus, or the folder of one.
        options: of the format, each as `name=value`.

    Raises:
        ConfigError: no such set, and what `catalog.exports.write` raises.
    """
    given = dict(option.partition("=")[::2] for option in options or ())
    if wrong := [option for option in options or () if "=" not in option]:
        raise ConfigError(f"option {wrong[0]}: give it as name=value")
    there = (Path(name) / "manifest.json").is_file()
    found = sets.open_set(Path(name)) if there else sets.find(files.existing(corpus), name)
    return exports.write(found, format, folder, **given)


def said(manifest: dict[str, Any]) -> list[str]:
    """Lines that tell the rows of each file of a set's export, and what was left out or changed, by reason."""
    listed = [f"  {entry['file']}: {entry['rows']:,} rows" for entry in manifest["files"]]
    if len(listed) > _LISTED:
        listed[_LISTED:] = [f"  and {len(listed) - _LISTED:,} more files"]
    # What was used is counted under one word, such as `pairs`.
    reasons = {what: count for what, count in manifest["counts"].items() if " " in what and what not in _USED}
    return listed + [f"  {what}: {count:,}" for what, count in reasons.items()]
