"""Snapshots: a list of files, thresholds and digests, published once and never changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb

from catalog import store
from catalog.files import Corpus, publish, read_json, write_json
from catalog.judge import verdicts
from catalog.shards import Table, describe
from catalog.views import parquet

Cluster = Callable[[duckdb.DuckDBPyConnection, str, str, int], str]


def members(corpus: Corpus, work: str, sources: list[str]) -> list[dict[str, Any]]:
    """Manifests of the finished shards that a snapshot of these sources and settings consists of."""
    return [m for m in corpus.read_manifests("shards") if m["work"] == work and m["source"] in sources]


def superseded(shards: list[dict[str, Any]], present: dict[str, dict[str, str]]) -> list[list[str]]:
    """[shard, path] of every file of which another version is in the source now."""
    found = []
    for shard in shards:
        now = present.get(shard["source"], {})
        stale = {path for path, digest, *_ in shard["pieces"] if now.get(path, digest) != digest}
        found += [[shard["shard"], path] for path in sorted(stale)]
    return found


def cluster(corpus: Corpus, shards: list[dict[str, Any]], bands: int, compute: Cluster) -> dict[str, Any]:
    """Find the duplicate clusters of these shards, once: the file's name is the digest of what it was made from."""
    made_from = [f["sha256"] for s in shards for f in s["files"] if f["dataset"] in ("signals", "bands")]
    name = hashlib.sha256("".join(sorted(made_from)).encode()).hexdigest()[:16]

    def relation(connection: duckdb.DuckDBPyConnection) -> str:
        return compute(connection, _relation(corpus, shards, "signals"), _relation(corpus, shards, "bands"), bands)

    return _derive(corpus, "clusters", name, relation)


def judge(
    corpus: Corpus, shards: list[dict[str, Any]], clusters: dict[str, Any], thresholds: list[dict[str, Any]],
    stale: list[list[str]],
) -> dict[str, Any]:  # fmt: skip
    """One verdict a document, in a file named by the digest of what decided it."""
    decided_by = [clusters["sha256"], thresholds, stale, sorted(s["shard"] for s in shards)]
    name = hashlib.sha256(repr(decided_by).encode()).hexdigest()[:16]

    def relation(connection: duckdb.DuckDBPyConnection) -> str:
        documents = _relation(corpus, shards, "documents")
        connection.execute("CREATE TEMP TABLE stale (file TEXT, path TEXT)")
        if stale:
            files = [[str(corpus.dataset("documents") / f"{shard}.parquet"), path] for shard, path in stale]
            connection.executemany("INSERT INTO stale VALUES (?, ?)", files)
        named = _relation(corpus, shards, "documents", filename=True)
        gone = f"(SELECT d.id FROM {named} d JOIN stale ON d.filename = stale.file AND d.path = stale.path)"
        held = parquet([corpus.root / clusters["file"]])
        return verdicts(documents, _relation(corpus, shards, "signals"), held, thresholds, gone)

    return _derive(corpus, "verdicts", name, relation)


def _relation(corpus: Corpus, shards: list[dict[str, Any]], dataset: str, filename: bool = False) -> str:
    files = [corpus.root / f["file"] for s in shards for f in s["files"] if f["dataset"] == dataset]
    return parquet(files, filename)


def _derive(
    corpus: Corpus, dataset: str, name: str, relation: Callable[[duckdb.DuckDBPyConnection], str]
) -> dict[str, Any]:
    """Write a query's result, ordered by id, as one file of `dataset`, unless it is there."""
    final = corpus.dataset(dataset) / f"{name}.parquet"
    if not final.is_file():
        staged = corpus.staging / f"{dataset}-{os.getpid()}" / final.name
        table = Table(dataset, staged)
        with store.computing(corpus) as connection:
            names = ", ".join(table.schema.names)
            result = connection.sql(f"SELECT {names} FROM {relation(connection)} ORDER BY id")
            table.add_batches(result.to_arrow_reader(100_000))
        table.close()
        describe(dataset, staged)
        publish(staged, final)
    return describe(dataset, final)


def publish_snapshot(
    corpus: Corpus, run: str, code: str, preset: str, shards: list[dict[str, Any]], derived: list[dict[str, Any]],
    thresholds: list[dict[str, Any]], stale: list[list[str]],
) -> dict[str, Any]:  # fmt: skip
    """Write the snapshot's manifest and nothing when it is what the newest snapshot holds already."""
    files = sorted([f for s in shards for f in s["files"]] + derived, key=lambda f: str(f["file"]))
    content = "\n".join(f"{f['file']} {f['sha256']}" for f in files)
    digest = hashlib.sha256(content.encode()).hexdigest()
    identity = hashlib.sha256(f"{digest}{thresholds}".encode()).hexdigest()[:16]
    last = newest(corpus)
    if last and last["id"] == identity:
        return last
    number = 1 + (last["snapshot"] if last else 0)
    manifest = {
        "snapshot": number, "id": identity, "run": run, "published": datetime.now(UTC).isoformat(),
        "digest": digest, "preset": preset, "code": code, "files": files, "thresholds": thresholds,
        "superseded": stale,
    }  # fmt: skip
    write_json(corpus.manifest("snapshots", f"{number:06d}"), manifest)
    return manifest


def newest(corpus: Corpus) -> dict[str, Any] | None:
    """The manifest of the newest snapshot, if there is one."""
    found = sorted(corpus.manifests("snapshots").glob("*.json"))
    return read_json(found[-1]) if found else None
