"""Snapshots: a list of files, thresholds and digests, published once and never changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from catalog import store
from catalog.errors import ConfigError
from catalog.files import Corpus, digest, publish, read_json, write_json
from catalog.judge import Limit, verdicts
from catalog.schema import MEASURED, VERSION
from catalog.shards import Table, describe
from catalog.views import rows

Relation = Callable[[duckdb.DuckDBPyConnection], str]
"""Gives a relation (SQL) of the connection that it is called with."""
Cluster = Callable[[duckdb.DuckDBPyConnection, str, str, Any, str], str]
"""Gives the clusters of members (id, source, language, text_digest, payload_digest, url_key) by their bands, the
settings and, where these ask for them, the texts (id, text)."""


def cluster(
    corpus: Corpus, shards: list[dict[str, Any]], settings: Any, compute: Cluster, version: str
) -> dict[str, Any]:
    """Find the duplicate clusters of these shards, once: the file's name is the digest of what it was made from.

    `settings` are handed to `compute` and can be written as JSON; `version` is that of `compute`.
    """
    made_from = [f["sha256"] for s in shards for f in s["files"] if f["dataset"] in ("signals", "bands")]

    def found(connection: duckdb.DuckDBPyConnection) -> str:
        members = f"""(
            SELECT d.id, d.source, s.language, s.text_digest, d.payload_digest, s.url_key
            FROM {relation(corpus, shards, "documents")} d JOIN {relation(corpus, shards, "signals")} s USING (id)
        )"""
        texts = f"(SELECT id, text FROM {relation(corpus, shards, 'documents')})"
        return compute(connection, members, relation(corpus, shards, "bands"), settings, texts)

    return derive(corpus, "clusters", digest([sorted(made_from), settings, version]), found)


def judge(
    corpus: Corpus, shards: list[dict[str, Any]], clusters: dict[str, Any], thresholds: list[Limit],
    derived: Iterable[dict[str, Any]] = (), versions: tuple[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One verdict a document, in a file named by the digest of what decided it.

    `derived` are the snapshot's files of rights, scores and repeats, as `derive` describes them; `versions` as in
    `catalog.judge.verdicts`.
    """
    measured = {f["dataset"]: f for f in derived if f["dataset"] in MEASURED}
    names = {dataset: dataset for dataset in measured}
    rules = verdicts("documents", "signals", "clusters", thresholds, extras=names, versions=versions)
    files = [clusters["sha256"], *(measured[name]["sha256"] for name in sorted(measured))]

    def found(_: duckdb.DuckDBPyConnection) -> str:
        documents, signals = (relation(corpus, shards, dataset) for dataset in ("documents", "signals"))
        extras = {dataset: _of(corpus, f) for dataset, f in measured.items()}
        return verdicts(documents, signals, _of(corpus, clusters), thresholds, extras=extras, versions=versions)

    return derive(corpus, "verdicts", digest([files, sorted(s["shard"] for s in shards), rules]), found)


def relation(corpus: Corpus, shards: list[dict[str, Any]], dataset: str) -> str:
    """The rows of these shards as a relation (SQL); columns that an older florilege did not write are null."""
    old, new = (
        [corpus.root / f["file"] for s in shards if (s.get("schema") != VERSION) == so for f in s["files"]
         if f["dataset"] == dataset]
        for so in (True, False)
    )  # fmt: skip
    return f"({rows(dataset, new, old)})"


def _of(corpus: Corpus, file: dict[str, Any]) -> str:
    return f"({rows(file['dataset'], [corpus.root / file['file']])})"


def derive(corpus: Corpus, dataset: str, name: str, relation: Relation) -> dict[str, Any]:
    """Write a query's result, ordered by id, as one file of `dataset`, unless it is there; its entry in a manifest.

    `name` is the digest of all that the result is made from. A column of the dataset that the result lacks is an error.
    """
    final = corpus.dataset(dataset) / f"{name}.parquet"
    if final.is_file():
        return describe(dataset, final)
    staged = corpus.staging / f"{dataset}-{os.getpid()}" / final.name
    table = Table(dataset, staged)
    with store.computing(corpus) as connection:
        names = ", ".join(table.schema.names)
        result = connection.sql(f"SELECT {names} FROM {relation(connection)} ORDER BY id")
        table.add_batches(result.to_arrow_reader(100_000))
    table.close()
    entry = describe(dataset, staged)
    publish(staged, final)
    return entry


def publish_snapshot(
    corpus: Corpus, run: str, code: str, preset: str, shards: list[dict[str, Any]], derived: list[dict[str, Any]],
    thresholds: list[dict[str, Any]], settings: dict[str, Any] | None = None, judged: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the snapshot's manifest and nothing when it is what the newest snapshot holds already.

    Args:
        settings: the recipe's tables that decided beside the thresholds, as JSON: minhash, dedup, rights, classifier.
        judged: number of the snapshot that was judged anew; None: a build made it.
    """
    files = sorted([f for s in shards for f in s["files"]] + derived, key=lambda f: str(f["file"]))
    content = "\n".join(f"{f['file']} {f['sha256']}" for f in files)
    whole = hashlib.sha256(content.encode()).hexdigest()
    identity = digest([whole, thresholds, settings or {}])
    last = newest(corpus)
    if last and last["id"] == identity:
        return last
    number = 1 + (last["snapshot"] if last else 0)
    manifest = {
        "snapshot": number, "id": identity, "run": run, "published": datetime.now(UTC).isoformat(),
        "digest": whole, "preset": preset, "code": code, "files": files, "thresholds": thresholds,
        "settings": settings or {}, **({} if judged is None else {"judged": judged}),
    }  # fmt: skip
    write_json(corpus.manifest("snapshots", f"{number:06d}"), manifest)
    return manifest


def newest(corpus: Corpus, built: bool = False) -> dict[str, Any] | None:
    """The manifest of the newest snapshot, or of the newest that was `built` and not judged anew, if there is one."""
    found = map(read_json, sorted(corpus.manifests("snapshots").glob("*.json"), reverse=True))
    return next((manifest for manifest in found if not built or "judged" not in manifest), None)


def numbered(corpus: Corpus, number: int | None = None) -> dict[str, Any]:
    """The manifest of a snapshot, by default the newest. ConfigError when there is none; it names those that are."""
    found = sorted(corpus.manifests("snapshots").glob("*.json"))
    wanted = [path for path in found if number is None or int(path.stem) == number]
    if not wanted:
        there = ", ".join(str(int(path.stem)) for path in found) or "none; `florilege build RECIPE` makes one"
        raise ConfigError(f"no snapshot {number if number is not None else ''} in {corpus.root}; there are: {there}")
    return read_json(wanted[-1])


def members_of(corpus: Corpus, snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The manifests of a snapshot's shards. ConfigError when one is missing."""
    names = [Path(f["file"]).stem for f in snapshot["files"] if f["dataset"] == "documents"]
    lost = [name for name in names if not corpus.manifest("shards", name).is_file()]
    if lost:
        raise ConfigError(f"manifests of shards are missing: {', '.join(lost[:5])}; `florilege build` makes them anew")
    return [read_json(corpus.manifest("shards", name)) for name in names]
