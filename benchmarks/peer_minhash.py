"""MinHash deduplication by others; runs in an environment of its own.

    PEER_PYTHON benchmarks/peer_minhash.py SYSTEM TEXTS WORK REMOVED WORKERS

SYSTEM is `datatrove` (its default tokenizer), `datatrove-split` (datatrove with a tokenizer that is `str.split`),
`text-dedup`, `datasketch` or `rensa`. TEXTS is a folder of parquet files with `id` and `text`; the ids of what the
system throws away go to REMOVED, one a line. All have 14 bands of 8 and 5-grams of words; only text-dedup, which has
no other way to say what it keeps, writes it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BANDS, ROWS, SHINGLE = 14, 8, 5


def datatrove(texts: Path, work: Path, removed: Path, workers: int, split: bool) -> None:
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Split(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        sent_tokenize = span_tokenize = None

    Split.__abstractmethods__ = frozenset()

    class Bare(JsonlWriter):
        def _default_adapter(self, document: Any) -> dict[str, str]:
            return {"id": document.id}

    def run(stage: str, pipeline: list[Any], tasks: int) -> None:
        logs = str(work / "logs" / stage)
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(tasks, workers), logging_dir=logs).run()

    config = MinhashConfig(n_grams=SHINGLE, num_buckets=BANDS, hashes_per_bucket=ROWS)
    files = len(list(texts.glob("*.parquet")))
    reader = ParquetReader(str(texts), read_metadata=False)
    signature = MinhashDedupSignature(str(work / "signatures"), config)
    if split:
        signature.word_tokenizer = Split()
    run("signatures", [reader, signature], files)
    run("buckets", [MinhashDedupBuckets(str(work / "signatures"), str(work / "buckets"), config=config)], BANDS)
    run("clusters", [MinhashDedupCluster(str(work / "buckets"), str(work / "remove"), config=config)], 1)
    rejects = Bare(str(work / "rejects"), compression=None)
    run("kept", [reader, MinhashDedupFilter(str(work / "remove"), rejects)], files)
    found = [json.loads(line)["id"] for path in (work / "rejects").rglob("*.jsonl") for line in path.open()]
    removed.write_text("\n".join(found))


def text_dedup(texts: Path, work: Path, removed: Path, workers: int) -> None:
    from datasets import load_from_disk

    options = {
        "path": "parquet", "data_files": f"{texts}/*.parquet", "split": "train", "column": "text", "ngram": SHINGLE,
        "cache_dir": work / "cache", "output": work / "kept", "b": BANDS, "r": ROWS, "num_perm": BANDS * ROWS,
        "num_proc": workers, "min_length": 0, "hash_func": "xxh3",
    }  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *arguments], check=True, stdout=sys.stderr)
    kept = set(load_from_disk(str(work / "kept"))["id"])
    removed.write_text("\n".join(id for id, _ in _documents(texts) if id not in kept))


def datasketch(texts: Path, removed: Path) -> None:
    """One by one: what shares a band with a document before it goes."""
    import xxhash
    from datasketch import MinHash, MinHashLSH

    index, gone = MinHashLSH(params=(BANDS, ROWS), num_perm=BANDS * ROWS), []
    for id, text in _documents(texts):
        sketch = MinHash(num_perm=BANDS * ROWS, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)
        sketch.update_batch(_shingles(text))
        if index.query(sketch):
            gone.append(id)
        index.insert(id, sketch, check_duplication=False)
    removed.write_text("\n".join(gone))


def rensa(texts: Path, removed: Path) -> None:
    from rensa import RMinHash, RMinHashLSH

    index, gone = RMinHashLSH(threshold=0.7, num_perm=BANDS * ROWS, num_bands=BANDS), []
    for n, (id, text) in enumerate(_documents(texts)):
        sketch = RMinHash(num_perm=BANDS * ROWS, seed=1)
        sketch.update(_shingles(text))
        if index.query(sketch):
            gone.append(id)
        index.insert(n, sketch)
    removed.write_text("\n".join(gone))


def _shingles(text: str) -> list[str]:
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return [" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]


def _documents(texts: Path) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    for path in sorted(texts.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(1000, columns=["id", "text"]):
            yield from zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True)


def main(system: str, texts: Path, work: Path, removed: Path, workers: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    if system.startswith("datatrove"):
        datatrove(texts, work, removed, workers, system.endswith("split"))
    elif system == "text-dedup":
        text_dedup(texts, work, removed, workers)
    else:
        {"datasketch": datasketch, "rensa": rensa}[system](texts, removed)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]), int(sys.argv[5]))
