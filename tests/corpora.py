"""Corpora of a few rows for the tests: written through the catalog's own writers, without a build."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog import snapshots, store
from catalog.files import Corpus, write_json
from catalog.members import members
from catalog.schema import DOCUMENTS, SHARD_DATASETS, SIGNALS, SKIPPED
from catalog.shards import ShardWriter
from filters import dedup

BANDS = 2
_LIMITS = (("language", "language_score", 0.5), ("quality", "words", 50.0), ("fidelity", "order_recall", 0.3))
THRESHOLDS: list[dict[str, Any]] = [
    {"position": n, "stage": stage, "signal": signal, "op": ">=", "value": value, "reason": f"{signal}<{value:g}"}
    for n, (stage, signal, value) in enumerate(_LIMITS)
]
Row = dict[str, Any]


def identity(name: str) -> str:
    """The id of the document called `name`."""
    return hashlib.md5(name.encode()).hexdigest()


def key(name: str) -> int:
    """A band's key that only `name` has."""
    return int(identity(name)[:15], 16)


def document(name: str, text: str | None = None, **columns: Any) -> Row:
    """A good document with its signals and `bands`; `columns` replace any of them."""
    text = f"This is the text of {name}, and it is unlike any other." if text is None else text
    return {
        "id": identity(name), "path": f"{name}.html", "offset": 0, "length": len(text), "kind": "file",
        "format": "html", "title": f"Title of {name}", "authors": [], "text": text, "extractor": "test",
        "payload_digest": identity(text), "language": "en", "language_score": 0.9, "script": "Latn",
        "chars": len(text), "words": 100, "quality": 0.5, "text_digest": identity(text),
        "bands": [key(f"{name} {band}") for band in range(BANDS)], **columns,
    }  # fmt: skip


def skipped(name: str, reason: str = "media-type: image/png", error: str | None = None) -> Row:
    """A record that is no document."""
    return {
        "id": identity(name), "path": name, "offset": 0, "length": 10, "kind": "file", "reason": reason, "error": error
    }  # fmt: skip


def write_shard(
    corpus: Corpus, shard: str, source: str, documents: Iterable[Row], skips: Iterable[Row] = (),
    pieces: list[list[Any]] | None = None, work: str = "work-1",
) -> dict[str, Any]:  # fmt: skip
    """Write one shard; `pieces` default to one per path, whose digest is that of its name."""
    documents, skips = list(documents), list(skips)
    if pieces is None:
        pieces = [[path, identity(path), 0, None] for path in sorted({r["path"] for r in [*documents, *skips]})]
    with ShardWriter(corpus, shard, SHARD_DATASETS) as writer:
        for row in documents:
            writer.tables["documents"].add({**pick(row, DOCUMENTS.names), "source": source}, len(row["text"] or ""))
            if row["text"]:
                writer.tables["signals"].add(pick(row, SIGNALS.names))
                writer.tables["bands"].add({"id": row["id"], "keys": row["bands"]})
            for number, page in enumerate(row.get("pages", ()), start=1):
                writer.tables["pages"].add({"id": row["id"], "page": number, **page})
        for row in skips:
            writer.tables["skipped"].add({**pick(row, SKIPPED.names), "source": source})
        made_by = {"run": "run-1", "work": work, "code": "test", "source": source}
        return writer.commit({**made_by, "pieces": pieces, "records": len(documents) + len(skips)})


def pick(row: Row, names: list[str]) -> Row:
    return {name: row[name] for name in names if name in row}


def publish(
    corpus: Corpus, thresholds: list[Row] | None = None, present: dict[str, dict[str, str]] | None = None,
    rebuild: bool = True, work: str = "work-1", settings: Row | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Cluster, judge and publish all shards of `work`; returns the snapshot's manifest."""
    thresholds = THRESHOLDS if thresholds is None else thresholds
    sources = sorted({manifest["source"] for manifest in corpus.read_manifests("shards")})
    shards = members(corpus, work, {source: {} for source in sources} | (present or {}))
    clusters = snapshots.cluster(corpus, shards, dedup.Settings(BANDS, 1), dedup.cluster, "test")
    judged = snapshots.judge(corpus, shards, clusters, thresholds)
    snapshot = snapshots.publish_snapshot(
        corpus, "run-1", "test", "default", shards, [clusters, judged], thresholds, settings
    )
    now = datetime(2024, 1, 1, tzinfo=UTC).isoformat()
    write_json(corpus.manifest("runs", "run-1"), {
        "run": "run-1", "recipe": "tiny", "status": "complete", "started": now, "ended": now, "attempts": 1,
        "snapshot": snapshot["snapshot"], "shards": len(shards), "made": len(shards), "failed_shards": {},
        "code": "test", "settings": {"name": "tiny"}, "seconds": {"plan": 0.1},
        "sources": [{"source": s, "kind": "files", "path": f"/{s}", "files": 1, "bytes": 1} for s in sources],
    })  # fmt: skip
    if rebuild:
        store.rebuild(corpus)
    return snapshot


FIRST = "The first document, which has a copy and a near copy."
TINY = {
    "web": [
        document("first", FIRST, quality=0.9, fetched=datetime(2023, 5, 1, 12, tzinfo=UTC), url="https://a.example/1"),
        document("copy", FIRST, quality=0.8),
        document("near", quality=0.7, bands=[key("first 0"), key("near 1")]),
        document("short", words=3),
        document("foreign", language="xx", language_score=0.2),
        document("empty", ""),
        document("broken", text=None) | {"text": None, "error": "broken.html: not HTML"},
    ],
    "acts": [
        document("act", language="fr", celex="32020R0001", date="2020-01-01", format="pdf", lcs=0.99,
                 order_recall=0.9, order_precision=0.95, meta=json.dumps({"keywords": {"fr": ["lois"]}}),
                 authors=["A. Nonyme"], page_offsets=[0, 20], pages=[{"predicted_lcs": 0.99}, {"predicted_lcs": 0.5}]),
        document("lossy", language="fr", format="pdf", lcs=0.5, order_recall=0.1, order_precision=0.2),
        document("lov", "Språket er norsk, \"sitert\", og teksten har\nto linjer.", language="no"),
    ],
}  # fmt: skip
TINY_SKIPPED = {
    "web": [skipped("picture.png"), skipped("cut.warc", "unreadable", "cut.warc: truncated")],
    "acts": [skipped("notes.txt", "file-name: no CELEX number and language")],
}
KEPT = {"first", "act", "lov"}


def tiny(root: Path) -> Corpus:
    """A published corpus at `root`: two sources; kept, dropped, empty, failed and duplicate documents."""
    corpus = Corpus(root.resolve())
    for source, documents in TINY.items():
        write_shard(corpus, f"{source}-1", source, documents, TINY_SKIPPED[source])
    publish(corpus)
    return corpus
