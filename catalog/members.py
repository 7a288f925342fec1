"""Which shards a snapshot consists of: every piece of input once, in its present version.

A shard holds pieces of input: [path, version, start, stop]. A piece is left out when its file has another version now,
or when another shard holds it already (jobs of a killed build may end after the next build has planned their input
anew). A shard that is left with a part of its pieces is copied without the rest: shards themselves never change.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.files import Corpus, digest, read_json
from catalog.schema import SHARD_DATASETS
from catalog.shards import ShardWriter

Piece = tuple[str, str, int, int | None]


def members(corpus: Corpus, work: str, present: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Manifests of the shards of a snapshot.

    Args:
        work: digest of the settings that the shards were made with.
        present: per source, the version of every file that is there now. Files that are gone stay in the corpus.
    """
    found: list[dict[str, Any]] = []
    held: set[tuple[Any, ...]] = set()
    for manifest in corpus.read_manifests("shards"):
        source = manifest["source"]
        if manifest["work"] != work or source not in present:
            continue
        pieces: list[Piece] = [tuple(piece) for piece in manifest["pieces"]]
        kept = [
            p for p in pieces if present[source].get(p[0], p[1]) == p[1] and (source, *p) not in held
        ]  # fmt: skip
        held.update((source, *p) for p in kept)
        if kept:
            found.append(manifest if kept == pieces else _without_the_rest(corpus, manifest, kept))
    return found


def _without_the_rest(corpus: Corpus, manifest: dict[str, Any], kept: list[Piece]) -> dict[str, Any]:
    """A copy of the shard with the rows of the pieces `kept`, made once."""
    name = f"{manifest['source']}-{digest([manifest['shard'], kept])}"
    path = corpus.manifest("shards", name)
    if path.is_file():
        return read_json(path)
    with ShardWriter(corpus, name, SHARD_DATASETS) as writer:
        ids: list[str] = []
        for dataset in SHARD_DATASETS:
            placed = dataset in ("documents", "skipped")
            for batch in pq.ParquetFile(corpus.dataset(dataset) / f"{manifest['shard']}.parquet").iter_batches(1_000):
                chosen = batch.filter(_inside(batch, kept) if placed else pc.is_in(batch["id"], pa.array(ids)))
                writer.tables[dataset].add_batches([chosen])
                if dataset == "documents":
                    ids += chosen["id"].to_pylist()
        return writer.commit({**{k: manifest[k] for k in ("run", "work", "code", "source")}, "pieces": kept})


def _inside(batch: pa.RecordBatch, kept: list[Piece]) -> pa.Array:
    rows = zip(batch["path"].to_pylist(), batch["offset"].to_pylist(), strict=True)
    return pa.array([any(_holds(piece, path, offset) for piece in kept if piece[0] == path) for path, offset in rows])


def _holds(piece: Piece, path: str, offset: int) -> bool:
    _, _, start, stop = piece
    return (start == 0 or offset >= start) and (stop is None or offset < stop)
