"""Which shards a snapshot consists of: every piece of input once, in one version of its file.

A shard holds pieces of input: [path, version, start, stop]. Of every file one making counts: one version, made with
one work (settings and code). It is the present one if its pieces cover the file without a gap; a version that could not
be made, or not wholly, replaces nothing: then what the newest built snapshot holds stays. So files that are gone stay
too, in the version that was published last.

A shard of which only some pieces count is copied without the rest: shards themselves never change. Two shards may hold
the same piece (jobs of a killed build may end after the next build has planned their input anew); it counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
Span = tuple[int, int | None]
File = tuple[str, str]
"""Source and path."""
Making = tuple[str, str]
"""Work and version."""


def members(corpus: Corpus, work: str, present: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Manifests of the shards of a snapshot.

    Args:
        work: digest of the settings that the shards were made with. What others made counts where the newest snapshot
            that a build published has it and `work` has not made the file wholly.
        present: per source, the version of every file that is there now. Files that are gone stay in the corpus.
    """
    last = newest(corpus, built=True)
    held = {Path(f["file"]).stem for f in last["files"] if f["dataset"] == "documents"} if last else set()
    shards = [m for m in corpus.read_manifests("shards") if m["source"] in present]
    shards.sort(key=lambda m: m["work"] != work)
    wanted = _wanted([m for m in shards if m["work"] == work or m["shard"] in held], held, work, present)
    found = []
    # Whole shards first: a copy of a part is made only of what no whole shard has.
    for whole in (True, False):
        for manifest in shards:
            pieces = [_piece(piece) for piece in manifest["pieces"]]
            kept = [p for p in pieces if (manifest["work"], manifest["source"], p) in wanted]
            if kept and (len(kept) == len(pieces)) == whole:
                wanted -= {(manifest["work"], manifest["source"], piece) for piece in kept}
                found.append(manifest if whole else _without_the_rest(corpus, manifest, kept))
    return found


def _wanted(
    shards: Iterable[dict[str, Any]], held: set[str], work: str, present: dict[str, dict[str, str]]
) -> set[tuple[str, str, Piece]]:
    """Work, source and piece of all that is in the snapshot."""
    made: dict[File, dict[Making, set[Span]]] = {}
    published: dict[File, set[Making]] = {}
    for manifest in shards:
        for path, version, start, stop in manifest["pieces"]:
            file, making = (manifest["source"], path), (manifest["work"], version)
            made.setdefault(file, {}).setdefault(making, set()).add((start, stop))
            if manifest["shard"] in held:
                published.setdefault(file, set()).add(making)
    wanted = set()
    for file, makings in made.items():
        source, path = file
        now = present[source].get(path)
        by, version, spans = _chosen(makings, published.get(file, set()), work, now)
        wanted |= {(by, source, (path, version, start, stop)) for start, stop in spans}
    return wanted


def _chosen(
    makings: dict[Making, set[Span]], published: set[Making], work: str, now: str | None
) -> tuple[str, str, list[Span]]:
    """The making of a file that counts, and its pieces; `now` is the version that is there, None if the file is gone.

    In order: the present version by this work if it is whole, or has all pieces that are published (of a file that is
    gone, the published version); the published one; a whole one; what there is of the present version.
    """
    versions = {now} if now is not None else {version for _, version in published}
    shown = set[Span]().union(*(makings[making] for making in published))

    def rank(making: Making) -> tuple[bool, ...]:
        spans, ours, current, public = makings[making], making[0] == work, making[1] in versions, making in published
        whole = _cover(spans) is not None
        enough = whole or (bool(shown) and spans >= shown)
        return ours and current and enough, whole and public, whole, public, current, ours

    best = max(sorted(makings), key=lambda making: (rank(making), making))
    spans = makings[best]
    return *best, _cover(spans) or _apart(spans)


def _cover(spans: set[Span]) -> list[Span] | None:
    """Spans that cover a file from 0 to its end, each byte once; None when there is a gap.

    Archives may have been cut at other places before.
    """
    stops: dict[int, int | None] = {}
    for start, stop in sorted(spans, key=lambda span: -span[0]):
        if stop is None or stop in stops:
            stops.setdefault(start, stop)
    if 0 not in stops:
        return None
    found: list[Span] = []
    place: int | None = 0
    while place is not None:
        found.append((place, stops[place]))
        place = stops[place]
    return found


def _apart(spans: set[Span]) -> list[Span]:
    """Spans that do not overlap, from the front."""
    found: list[Span] = []
    for start, stop in sorted(spans, key=lambda span: (span[0], span[1] is None, span[1] or 0)):
        last = found[-1][1] if found else 0
        if last is not None and start >= last:
            found.append((start, stop))
    return found


def _piece(piece: Iterable[Any]) -> Piece:
    path, version, start, stop = piece
    return path, version, start, stop


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
    """Rows of a shard's file with the columns of today's schema, null where an older florilege did not write them."""
    if not file.is_file():
        return
    parquet = pq.ParquetFile(file)
    if dataset == "bands" and "keys" not in parquet.schema_arrow.names:
        return  # an older layout, a row a band: bands without keys would say that the document has none
    for batch in parquet.iter_batches(1_000):
        columns = {f.name: batch[f.name] if f.name in batch.schema.names else pa.nulls(len(batch), f.type)
                   for f in DATASETS[dataset]}  # fmt: skip
        yield pa.record_batch(columns)


def _inside(batch: pa.RecordBatch, kept: list[Piece]) -> pa.Array:
    rows = zip(batch["path"].to_pylist(), batch["offset"].to_pylist(), strict=True)
    return pa.array([any(_holds(piece, path, offset) for piece in kept if piece[0] == path) for path, offset in rows])


def _holds(piece: Piece, path: str, offset: int) -> bool:
    _, _, start, stop = piece
    return (start == 0 or offset >= start) and (stop is None or offset < stop)
