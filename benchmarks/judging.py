"""A threshold changes: `python -m benchmarks.judging FOLDER [--documents 1000000]` makes a corpus of rows, judges it.

The rows are those that a build writes, without texts: signals with values spread over what real pages have, clusters
with a fifth of duplicates, robots and URL rules for a tenth of the documents. Then `florilege judge` runs once for each
preset in a process of its own: wall seconds from start to exit, and that process's CPU seconds and peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from catalog import snapshots, store
from catalog.files import Corpus, digest, publish, write_json
from catalog.schema import DATASETS, SHARD_DATASETS
from catalog.shards import ShardWriter, Table, describe

_LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "cs", "nl", "pt", "sv", "el", "bg", "hu", "fi", "ja", "sr")
_RATIO = {  # mean of what a made ratio is, about that of web pages
    "alpha_word_ratio": 0.85, "bullet_line_ratio": 0.05, "ellipsis_line_ratio": 0.02, "symbol_ratio": 0.01,
    "terminal_line_ratio": 0.5, "short_line_ratio": 0.3, "newline_ratio": 0.1, "language_score": 0.9, "quality": 0.6,
    "wds": 0.6,
}  # fmt: skip


def make(folder: Path, documents: int, rows: int) -> None:
    """Write shards of `rows`, derived files and the first snapshot of a corpus of `documents` rows."""
    corpus, dice = Corpus(folder.resolve()), np.random.default_rng(1)
    manifests = [_shard(corpus, start, min(rows, documents - start), dice) for start in range(0, documents, rows)]
    number = np.arange(documents)
    earlier = (dice.random(documents) * np.maximum(number, 1)).astype(np.int64)
    original = np.where(dice.random(documents) < 0.2, earlier, number)
    while (original[original] != original).any():
        original = original[original]
    size = np.bincount(original, minlength=documents)[original]
    smallest = _ids(original)
    clusters = _derived(corpus, "clusters", {"id": _ids(number), "cluster": smallest, "size": size, "exact": smallest})
    some = number[dice.random(documents) < 0.1]
    rights = _derived(corpus, "rights", {
        "id": _ids(some), "robots_allowed": dice.random(len(some)) < 0.8, "url_listed": dice.random(len(some)) < 0.05,
    })  # fmt: skip
    judged = snapshots.judge(corpus, manifests, clusters, [], [rights])
    snapshots.publish_snapshot(corpus, "made", "made", "permissive", manifests, [clusters, rights, judged], [])
    store.rebuild(corpus)


def _ids(numbers: Any) -> list[str]:
    # SplitMix64's multiplier scatters them: ids are digests, and not in the order of the rows
    with np.errstate(over="ignore"):
        scattered = numbers.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    return [f"{n:032x}" for n in scattered.tolist()]


def _shard(corpus: Corpus, start: int, size: int, dice: np.random.Generator) -> dict[str, Any]:
    ids = _ids(np.arange(start, start + size))
    words = np.exp(dice.normal(6, 1, size)).astype(np.int64)
    signals: dict[str, Any] = {
        "language": dice.choice(_LANGUAGES, size), "script": ["Latn"] * size, "words": words, "chars": words * 6,
        "lines": words // 12, "sentences": words // 15, "mean_word_length": dice.normal(5, 0.7, size),
        "stop_words": dice.integers(0, 20, size), "words_per_segment": dice.normal(14, 5, size),
        **{name: dice.beta(8 * mean, 8 * (1 - mean), size) for name, mean in _RATIO.items()},
        **{f.name: dice.beta(0.4, 8, size) for f in DATASETS["signals"] if f.name.endswith("char_ratio")},
        **{name: dice.beta(0.4, 8, size) for name in ("dup_line_ratio", "dup_para_ratio")},
        "text_digest": ids, "secret_count": (dice.random(size) < 0.001).astype(np.int32),
    }  # fmt: skip
    documents = {"source": ["made"] * size, "path": [f"{n}.html" for n in range(start, start + size)]}
    with ShardWriter(corpus, f"made-{start:09d}", SHARD_DATASETS) as writer:
        for name, columns in (("documents", documents), ("signals", signals)):
            _fill(writer.tables[name], {"id": ids, **columns})
        made_by = {"run": "made", "work": "made", "code": "made", "source": "made"}
        return writer.commit({**made_by, "pieces": [["made", "1", start, start + size]], "records": size})


def _derived(corpus: Corpus, dataset: str, columns: dict[str, Any]) -> dict[str, Any]:
    final = corpus.dataset(dataset) / f"{digest(dataset)}.parquet"
    table = Table(dataset, corpus.staging / final.name)
    _fill(table, columns)
    table.close()
    publish(table.path, final)
    return describe(dataset, final)


def _fill(table: Table, columns: dict[str, Any]) -> None:
    size = len(columns["id"])
    arrays = [
        pa.array(columns[f.name]).cast(f.type) if f.name in columns else pa.nulls(size, f.type) for f in table.schema
    ]
    table.add_batches(pa.table(arrays, schema=table.schema).to_batches(max_chunksize=100_000))


def measure(folder: Path, preset: str) -> dict[str, Any]:
    """Judge by a preset in a process of its own; its seconds from start to exit, peak memory, and what it kept."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.judging", "--judge", preset, str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {"preset": preset, "seconds": time.monotonic() - start, **json.loads(done.stdout)}


def _forget(folder: Path) -> None:
    """Take away all but the first snapshot: what was judged once is not judged again."""
    corpus = Corpus(folder.resolve())
    kept = {f["file"] for f in snapshots.numbered(corpus, 1)["files"]}
    for path in [*corpus.manifests("snapshots").glob("*.json"), *corpus.dataset("verdicts").glob("*.parquet")]:
        if path.stem != "000001" and str(path.relative_to(corpus.root)) not in kept:
            path.unlink()


def _judge(folder: Path, preset: str) -> dict[str, Any]:
    from flows.judging import judge

    manifest = judge(folder, preset)
    with store.reading(Corpus(folder.resolve())) as connection:
        kept = connection.execute("SELECT count(*) FILTER (keep) FROM verdicts").fetchone() or (0,)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "snapshot": manifest["snapshot"], "kept": kept[0], "peak_mib": round(used.ru_maxrss / 1024),
        "cpu": used.ru_utime + used.ru_stime,
    }  # fmt: skip


def main() -> None:
    """Make the corpus unless it is there, judge it by each preset, print a table."""
    from filters.verdicts import PRESETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000, help="documents of a shard")
    parser.add_argument("--judge", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.judge:
        print(json.dumps(_judge(given.folder, given.judge)))
        return
    marker, wanted = given.folder / "work" / "made.json", {"documents": given.documents, "rows": given.rows}
    if not marker.is_file() or json.loads(marker.read_text()) != wanted:
        shutil.rmtree(given.folder, ignore_errors=True)
        make(given.folder, given.documents, given.rows)
        write_json(marker, wanted)
    _forget(given.folder)
    print(f"{given.documents:,} documents in shards of {given.rows:,}, florilege judge:\n")
    print("| preset | seconds | CPU seconds | peak MiB | kept | snapshot |\n| --- | --- | --- | --- | --- | --- |")
    for preset in PRESETS:
        found = measure(given.folder, preset)
        print(
            "| {preset} | {seconds:.1f} | {cpu:.1f} | {peak_mib:,} | {kept:,} | {snapshot} |".format(**found),
            flush=True,
        )


if __name__ == "__main__":
    main()
