"""Which shards a snapshot consists of: every piece of input once, in its present version.

A shard holds pieces of input: [path, version, start, stop]. A piece is left out when its file has another version now,
or when another shard holds it already (jobs of a killed build may end after the next build has planned their input
anew). A shard that is left with a part of its pieces is copied without the rest: shards themselves never change.

Other settings or another version of the code make the corpus anew from the files that are there. What the newest
snapshot holds of files that are not there any more stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.files import Corpus, digest, read_json
from catalog.schema import DATASETS, SHARD_DATASETS
from catalog.shards import ShardWriter
from catalog.snapshots import newest

Piece = tuple[str, str, int, int | None]


def members(corpus: Corpus, work: str, present: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Manifests of the shards of a snapshot.

    Args:
        work: digest of the settings that the shards were made with.
        present: per source, the version of every file that is there now. Files that are gone stay in the corpus.
    """
    ours = [m for m in corpus.read_manifests("shards") if m["source"] in present]
    shards = [m for m in ours if m["work"] == work]
    made = {(m["source"], path, version) for m in shards for path, version, *_ in m["pieces"]}
    found: list[dict[str, Any]] = []
    held: set[tuple[Any, ...]] = set()
    for manifest in shards:
        source, now = manifest["source"], present[manifest["source"]]
        kept: list[Piece] = []
        for path, version, start, stop in manifest["pieces"]:
            # A version that could not be made (yet) replaces nothing.
            replaced = now.get(path, version) != version and (source, path, now[path]) in made
            if not replaced and (source, path, version, start, stop) not in held:
                kept.append((path, version, start, stop))
        held.update((source, *piece) for piece in kept)
        if kept:
            whole = len(kept) == len(manifest["pieces"])
            found.append(manifest if whole else _without_the_rest(corpus, manifest, kept))
    return found + _left_by_others(corpus, [m for m in ours if m["work"] != work], present, {pair[:2] for pair in made})


def _left_by_others(
    corpus: Corpus, shards: list[dict[str, Any]], present: dict[str, dict[str, str]], made: set[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Shards of other settings, in the newest snapshot, with the pieces whose files are gone and were not read anew."""
    last = newest(corpus)
    held = {Path(f["file"]).stem for f in last["files"] if f["dataset"] == "documents"} if last else set()
    found = []
    for manifest in shards:
        source = manifest["source"]
        pieces = [tuple(piece) for piece in manifest["pieces"]]
        kept = [p for p in pieces if p[0] not in present[source] and (source, p[0]) not in made]
        if kept and manifest["shard"] in held:
            found.append(manifest if len(kept) == len(pieces) else _without_the_rest(corpus, manifest, kept))
    return found


def _without_the_rest(corpus: Corpus, manifest: dict[str, Any], kept: list[Piece]) -> dict[str, Any]:
    """A copy of the shard with the rows of the pieces `kept`, made once."""
    name = f"{manifest['source']}-{digest([manifest['shard'], kept])}"
    done = corpus.manifest("shards", name)
    if done.is_file():
        return read_json(done)
    with ShardWriter(corpus, name, SHARD_DATASETS) as writer:
        ids: list[str] = []
        for dataset in SHARD_DATASETS:
            placed = dataset in ("documents", "skipped")
            old = corpus.dataset(dataset) / f"{manifest['shard']}.parquet"
            for batch in _batches(old, dataset):
                chosen = batch.filter(
                    _inside(batch, kept) if placed else pc.is_in(batch["id"], pa.array(ids, pa.string()))
                )
                writer.tables[dataset].add_batches([chosen])
                if placed:
                    ids += chosen["id"].to_pylist()
        records = sum(writer.tables[dataset].rows for dataset in ("documents", "skipped"))
        shared = {key: manifest[key] for key in ("run", "work", "code", "source")}
        return writer.commit({**shared, "pieces": kept, "records": records})


def _batches(file: Path, dataset: str) -> Iterator[pa.RecordBatch]:
    """Rows of a shard's file with the columns of today's schema; what an older florilege did not write is null."""
    if not file.is_file():
        return
    for batch in pq.ParquetFile(file).iter_batches(1_000):
        columns = {f.name: batch[f.name] if f.name in batch.schema.names else pa.nulls(len(batch), f.type)
                   for f in DATASETS[dataset]}  # fmt: skip
        yield pa.record_batch(columns)


def _inside(batch: pa.RecordBatch, kept: list[Piece]) -> pa.Array:
    rows = zip(batch["path"].to_pylist(), batch["offset"].to_pylist(), strict=True)
    return pa.array([any(_holds(piece, path, offset) for piece in kept if piece[0] == path) for path, offset in rows])


def _holds(piece: Piece, path: str, offset: int) -> bool:
    _, _, start, stop = piece
    return (start == 0 or offset >= start) and (stop is None or offset < stop)
