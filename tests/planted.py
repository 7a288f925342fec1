"""What the demo's `planted.json` says should become of each record, and what became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog import reports, store
from catalog.files import Corpus

Case = dict[str, Any]

ENDS = {
    "kept": ("kept", "dedup: "),
    "copy": ("kept", "dedup: exact-copy", "dedup: near-duplicate"),
    "near copy": ("kept", "dedup: near-duplicate", "dedup: exact-copy"),
    "dropped": ("rights: ", "safety: ", "language: ", "quality: ", "fidelity: ", "extract: empty"),
    "skipped": ("skipped",),
    "failed": ("failed", "extract: failed"),
}
"""What the outcome of a record may start with, by what is expected of it."""
GOOD = ("kept", "copy", "near copy")
"""What is expected of a record with a text worth keeping."""


def cases(inputs: Path) -> dict[str, Case]:
    """The entries of `planted.json` by url or file; pages found unchanged, whose url is another's, are left out."""
    listed = json.loads((inputs / "planted.json").read_text(encoding="utf-8"))
    return {case.get("url") or case["file"]: case for case in listed if case["kind"] != "revisit"}


def documents(corpus: Path) -> dict[str, dict[str, Any]]:
    """The documents by url or file: title, text (empty where extraction failed), language and cluster."""
    sql = """
        SELECT coalesce(url, source || '/' || path) AS name, title, coalesce(text, '') AS text, s.language,
               coalesce(cluster, id) AS cluster
        FROM documents LEFT JOIN signals s USING (id) LEFT JOIN clusters USING (id)
    """
    with store.reading(Corpus(corpus)) as connection:
        return {row["name"]: row for row in reports.rows(connection, sql)}


def outcomes(corpus: Path) -> dict[str, str]:
    """What became of each record that has something to say, by url or file: kept, skipped, or `stage: reason`."""
    sql = """
        SELECT coalesce(url, source || '/' || path) AS name,
               CASE WHEN keep THEN 'kept' ELSE v.stage || ': ' || v.reason END AS outcome
        FROM documents JOIN verdicts v USING (id)
        UNION ALL
        SELECT coalesce(url, source || '/' || path), CASE WHEN error IS NULL THEN 'skipped' ELSE 'failed' END
        FROM skipped WHERE kind NOT IN ('request', 'warcinfo', 'revisit')
    """
    with store.reading(Corpus(corpus)) as connection:
        return {row["name"]: row["outcome"] for row in reports.rows(connection, sql)}


def groups(planted: dict[str, Case]) -> list[set[str]]:
    """The planted clusters: each document that has copies, with those that have its text or nearly its text."""
    found: dict[str, set[str]] = {}
    for name, case in planted.items():
        if case["expect"] in ("copy", "near copy"):
            found.setdefault(case["of"], {case["of"]}).add(name)
    return list(found.values())
