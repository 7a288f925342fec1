"""Snapshots: a list of files, thresholds and digests, published once and never changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb

from catalog import store
from catalog.files import Corpus, digest, publish, read_json, write_json
from catalog.judge import verdicts
from catalog.shards import Table, describe
from catalog.views import parquet

Cluster = Callable[[duckdb.DuckDBPyConnection, str, str, int], str]


def cluster(corpus: Corpus, shards: list[dict[str, Any]], bands: int, compute: Cluster, version: str) -> dict[str, Any]:
    """Find the duplicate clusters of these shards, once: the file's name is the digest of what it was made from.

    `version` is that of `compute`.
    """
    made_from = [f["sha256"] for s in shards for f in s["files"] if f["dataset"] in ("signals", "bands")]

    def relation(connection: duckdb.DuckDBPyConnection) -> str:
        return compute(connection, _relation(corpus, shards, "signals"), _relation(corpus, shards, "bands"), bands)

    return _derive(corpus, "clusters", digest([sorted(made_from), bands, version]), relation)


def judge(
    corpus: Corpus, shards: list[dict[str, Any]], clusters: dict[str, Any], thresholds: list[dict[str, Any]]
) -> dict[str, Any]:
    """One verdict a document, in a file named by the digest of what decided it."""
    rules = verdicts("documents", "signals", "clusters", thresholds)

    def relation(connection: duckdb.DuckDBPyConnection) -> str:
        held = parquet([corpus.root / clusters["file"]])
        return verdicts(_relation(corpus, shards, "documents"), _relation(corpus, shards, "signals"), held, thresholds)

    return _derive(
        corpus, "verdicts", digest([clusters["sha256"], sorted(s["shard"] for s in shards), rules]), relation
    )


def _relation(corpus: Corpus, shards: list[dict[str, Any]], dataset: str) -> str:
    return parquet([corpus.root / f["file"] for s in shards for f in s["files"] if f["dataset"] == dataset])


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
    thresholds: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """Write the snapshot's manifest and nothing when it is what the newest snapshot holds already."""
    files = sorted([f for s in shards for f in s["files"]] + derived, key=lambda f: str(f["file"]))
    content = "\n".join(f"{f['file']} {f['sha256']}" for f in files)
    whole = hashlib.sha256(content.encode()).hexdigest()
    identity = digest([whole, thresholds])
    last = newest(corpus)
    if last and last["id"] == identity:
        return last
    number = 1 + (last["snapshot"] if last else 0)
    manifest = {
        "snapshot": number, "id": identity, "run": run, "published": datetime.now(UTC).isoformat(),
        "digest": whole, "preset": preset, "code": code, "files": files, "thresholds": thresholds,
    }  # fmt: skip
    write_json(corpus.manifest("snapshots", f"{number:06d}"), manifest)
    return manifest


def newest(corpus: Corpus) -> dict[str, Any] | None:
    """The manifest of the newest snapshot, if there is one."""
    found = sorted(corpus.manifests("snapshots").glob("*.json"))
    return read_json(found[-1]) if found else None
