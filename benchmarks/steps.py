"""The steps in DuckDB over made tables: `python benchmarks/steps.py make|run FOLDER ROWS`."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.files import Corpus, read_json, write_json
from catalog.schema import SHARD_DATASETS
from catalog.shards import ShardWriter

Numbers = npt.NDArray[np.uint64]

_ROWS_A_SHARD = 10_000
_BANDS = 14
_SHARED_BANDS = 3
"""Of a near-duplicate with its original."""
_COPIES, _NEAR = 0.10, 0.10
"""Shares of all documents that are exact copies, and near-duplicates, of an earlier one."""


def make(folder: Path, rows: int) -> int:
    """Write shards of documents, signals and bands with planted duplicates; returns how many clusters they make."""
    dice = np.random.default_rng(1)
    kind = dice.random(rows)
    number = np.arange(rows, dtype=np.uint64)
    earlier = (dice.random(rows) * np.maximum(number, 1)).astype(np.uint64)
    copy, near = kind < _COPIES, (kind >= _COPIES) & (kind < _COPIES + _NEAR)
    original = np.where((copy | near) & (number > 0), earlier, number)
    # Duplicates are of originals only, so that the number of clusters is the number of originals.
    while (original[original] != original).any():
        original = original[original]
    text = np.where(near, number, original)
    corpus = Corpus(folder)
    for start in range(0, rows, _ROWS_A_SHARD):
        part = slice(start, min(rows, start + _ROWS_A_SHARD))
        _shard(corpus, start, number[part], original[part], text[part], dice)
    return int((original == number).sum())


def _shard(
    corpus: Corpus, start: int, number: Numbers, original: Numbers, text: Numbers, dice: np.random.Generator
) -> None:
    ids = [_hex("id", n) for n in number]
    size = len(ids)
    signals: dict[str, Any] = {
        "id": ids, "language": ["en"] * size, "language_score": dice.random(size, np.float32) / 2 + 0.5,
        "chars": dice.integers(100, 20_000, size), "words": dice.integers(20, 4_000, size),
        "mean_word_length": np.full(size, 5, np.float32), "alpha_word_ratio": dice.random(size, np.float32),
        "quality": dice.random(size, np.float32), "text_digest": [_hex("text", n) for n in text],
    }  # fmt: skip
    documents: dict[str, Any] = {
        "id": ids,
        "source": ["made"] * size,
        "path": ["made"] * size,
        "text": ["a text"] * size,
    }
    keys = np.stack([
        _mix((original if band < _SHARED_BANDS else text) * np.uint64(_BANDS) + np.uint64(band))
        for band in range(_BANDS)
    ], axis=1)  # fmt: skip
    bands: dict[str, Any] = {"id": ids, "keys": pa.FixedSizeListArray.from_arrays(keys.ravel(), _BANDS)}
    with ShardWriter(corpus, f"made-{start:09d}", SHARD_DATASETS) as writer:
        for name, columns in (("documents", documents), ("signals", signals), ("bands", bands)):
            schema = writer.tables[name].schema
            filled = {f.name: columns.get(f.name, pa.nulls(len(columns["id"]), f.type)) for f in schema}
            arrays = [pa.array(filled[f.name]).cast(f.type) for f in schema]
            writer.tables[name].add_batches(pa.table(arrays, schema=schema).to_batches())
        writer.commit({"source": "made"})


def _hex(what: str, number: int) -> str:
    return hashlib.blake2b(f"{what} {number}".encode(), digest_size=16).hexdigest()


def _mix(x: Numbers) -> Numbers:
    """SplitMix64's finaliser: distinct numbers to distinct, scattered keys."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def run(folder: Path) -> dict[str, Any]:
    """Cluster and judge the made tables; seconds of both, and what came out."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from catalog import snapshots
    from filters import dedup, verdicts

    corpus = Corpus(folder)
    shards = [read_json(path) for path in sorted(corpus.manifests("shards").glob("*.json"))]
    thresholds = [asdict(t) for t in verdicts.resolve("default", {})]
    # A snapshot's files are made once: those of an earlier run would be taken for this one's.
    for dataset in ("clusters", "verdicts"):
        shutil.rmtree(corpus.dataset(dataset), ignore_errors=True)
    start, busy = time.monotonic(), time.process_time()
    clusters = snapshots.cluster(corpus, shards, dedup.Settings(_BANDS, rows=8), dedup.cluster, "benchmark")
    middle, busy = time.monotonic(), time.process_time() - busy
    judged = snapshots.judge(corpus, shards, clusters, thresholds)
    end = time.monotonic()
    found = pq.read_table(corpus.root / clusters["file"], columns=["cluster"])
    keep = pq.read_table(corpus.root / judged["file"], columns=["keep"])
    return {
        "cluster_s": middle - start, "cluster_cpu_s": busy, "judge_s": end - middle, "rows": judged["rows"],
        "clusters": pc.count_distinct(found["cluster"]).as_py(), "kept": pc.sum(keep["keep"]).as_py(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


if __name__ == "__main__":
    where = Path(sys.argv[2])
    if sys.argv[1] == "make":
        write_json(where / "planted.json", {"clusters": make(where, int(sys.argv[3]))})
    else:
        print(json.dumps(run(where)))
