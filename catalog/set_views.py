"""What SQL sees of the sets: a table of them, and views over their rows. A name means its current set."""

from __future__ import annotations

from typing import Any

from catalog.evaluations import union
from catalog.files import Corpus
from catalog.set_schema import SCHEMAS
from catalog.sets import all_sets, folder

TABLE = """
CREATE TABLE sets (
    name TEXT, id TEXT, kind TEXT, builder TEXT, version INTEGER, snapshot INTEGER, rows BIGINT, made TIMESTAMPTZ,
    folder TEXT);
"""
"""A row a name; `folder` is null where the set was deleted."""
VIEWS = {
    "training_pairs": "pairs of a query and a text that answers it, of all training sets",
    "benchmark_documents": "documents of all benchmarks",
    "benchmark_queries": "queries of all benchmarks",
    "benchmark_qrels": "relevance judgements of all benchmarks",
}
"""What the views hold; each has a column `set`, the set's name."""
_TABLES = {
    "training_pairs": ("pairs", "pairs"), "benchmark_documents": ("benchmark", "documents"),
    "benchmark_queries": ("benchmark", "queries"), "benchmark_qrels": ("benchmark", "qrels"),
}  # fmt: skip


def rows(corpus: Corpus) -> list[dict[str, Any]]:
    """Rows of the table `sets`."""
    found = []
    for manifest in corpus.read_manifests("sets"):
        place = folder(corpus, manifest["name"], manifest["id"])
        found.append({
            **{key: manifest.get(key) for key in ("name", "id", "kind", "builder", "version", "made")},
            "snapshot": (manifest.get("snapshot") or {}).get("snapshot"),
            "rows": sum(entry["rows"] for entry in manifest["files"]),
            "folder": str(place) if (place / "manifest.json").is_file() else None,
        })  # fmt: skip
    return found


def views(corpus: Corpus) -> dict[str, str]:
    """Queries of VIEWS."""
    there = [found for found in all_sets(corpus) if (found.folder / "manifest.json").is_file()]
    return {
        view: union(
            SCHEMAS[kind][table],
            [({"set": found.name}, found.files(table)) for found in there if found.kind == kind], ["set"],
        )
        for view, (kind, table) in _TABLES.items()
    }  # fmt: skip
