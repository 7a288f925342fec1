"""Speed of the builders of training sets against a plain pyarrow copy of the documents that they read.

    python -m benchmarks.retrieval_speed FOLDER [--documents 1000000] [--only crops,spans]

`batches-2` are pairs of chunks, since these documents have too few for batches of 16. The export reads a set of
`crops` and is compared with a copy of that.

Documents of about 500 words are made in FOLDER (3.7 KB each, and kept for the next time). A copy reads their columns in
batches and writes them as the sets are written; a builder reads the same columns and writes its rows. Each is a process
of its own, and does a first table before the clock starts, since the table of characters is made once a process (1 s).
The copy runs first and last, and its mean counts. MB are of the documents' text read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import made_texts
import measure
import pyarrow as pa
import pyarrow.parquet as pq

from catalog import exports
from catalog.files import Corpus
from catalog.set_schema import PAIRS
from catalog.sets import PartWriter, SetWriter, open_set
from retrieval.builders import pair_builder

ROOT = Path(__file__).resolve().parent.parent
_BATCH = 1_000
_CASES = {
    "crops": ("crops", {}),
    "spans": ("spans", {}),
    "mlm": ("mlm", {}),
    "lines": ("lines", {}),
    "batches-2": ("batches-16", {"size": 2}),
    "title-body": ("title-body", {}),
}  # fmt: skip
_EXPORTS = ("sentence-transformers", "tevatron", "dpr")
_LANGUAGES = ("en", "fr", "de", "es")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--only", help="cases, separated by commas")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    files = documents(options.folder, options.documents)
    if options.case:
        print(json.dumps(run(options.case, files)))
        return 0
    cases = options.only.split(",") if options.only else [*_CASES, *_EXPORTS]
    found: list[tuple[str, dict[str, float], float]] = []
    wanted = [case for case in cases if case in _EXPORTS]
    builders = [case for case in cases if case not in _EXPORTS]
    plan = ["copy", *builders, "copy"] if builders else []
    for case in [*plan, *(["copy-pairs", *wanted, "copy-pairs"] if wanted else [])]:
        command = [sys.executable, "-m", "benchmarks.retrieval_speed", str(options.folder), "--case", case]
        folders = {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"}
        cost, said = measure.run([*command, "--documents", str(options.documents)], ROOT, folders)
        found.append((case, json.loads(said), cost.peak_mb))
        print(case, said.strip(), f"{cost.peak_mb:.0f} MiB", file=sys.stderr, flush=True)
    for base in ("copy", "copy-pairs"):
        group = [row for row in found if (row[0] in (*_EXPORTS, "copy-pairs")) == (base == "copy-pairs")]
        if group:
            print(report(group, base))
    return 0


def documents(folder: Path, count: int) -> list[Path]:
    """The documents' files, with the columns that the builders read; made unless they are there."""
    target = folder / str(count)
    done = target / "done"
    if not done.exists():
        target.mkdir(parents=True, exist_ok=True)
        for path in made_texts.make(folder / f"{count}-texts", count):
            pq.write_table(as_documents(pq.read_table(path)), target / path.name, compression="zstd")
            path.unlink()
        done.touch()
    return sorted(target.glob("*.parquet"))


def run(case: str, files: list[Path]) -> dict[str, float]:
    """Read, make and write: seconds of the wall and the processor, documents, rows, bytes of text read and of files."""
    if case in _EXPORTS or case == "copy-pairs":
        return _export(case, files)
    done = {"documents": 0, "rows": 0, "bytes": 0}
    with tempfile.TemporaryDirectory(dir=files[0].parent) as folder:
        if case != "copy":
            _build(case, files[:1], Path(folder) / "first", dict(done), 1)
        start, cpu = time.perf_counter(), time.process_time()
        (_copy if case == "copy" else _build)(case, files, Path(folder), done)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return {"wall": wall, "cpu": cpu, **done, "written": _written(Path(folder))}


def _written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "first" not in path.parts)


def _export(case: str, files: list[Path]) -> dict[str, float]:
    """The same of an export of crops, which are made unless they are there, or of a plain copy of them."""
    root = files[0].parent / "pairs"
    if not (root / "done").exists():
        writer = SetWriter(Corpus(root), "pairs", "pairs", "0" * 16)
        builder = pair_builder("crops")
        with writer.part("0") as part:
            for table in _tables(files, list(builder.columns), {"documents": 0, "bytes": 0}):
                for kind, rows in builder.make(table, builder.params(), Counter()):
                    part.write(kind, rows)
        writer.commit(["0"], {}, lambda _: "")
        (root / "done").touch()
    found = open_set(root / "sets" / "pairs" / ("0" * 16))
    done = {"documents": found.rows("pairs"), "rows": found.rows("pairs"), "bytes": 0}
    with tempfile.TemporaryDirectory(dir=root) as folder:
        start, cpu = time.perf_counter(), time.process_time()
        if case in _EXPORTS:
            exports.write(found, case, Path(folder) / "out")
        else:
            with pq.ParquetWriter(Path(folder) / "x", PAIRS, compression="zstd", compression_level=1) as file:
                for batch in found.batches("pairs", PAIRS.names):
                    file.write_table(pa.Table.from_batches([batch]).cast(PAIRS))
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return {"wall": wall, "cpu": cpu, **done, "written": _written(Path(folder))}


def _copy(_: str, files: list[Path], folder: Path, done: dict[str, int]) -> None:
    schema = pq.read_schema(files[0])
    with pq.ParquetWriter(folder / "copy", schema, compression="zstd", compression_level=1) as writer:
        for table in _tables(files, schema.names, done):
            writer.write_table(table)
            done["rows"] += len(table)


def _build(case: str, files: list[Path], folder: Path, done: dict[str, int], most: int | None = None) -> None:
    folder.mkdir(exist_ok=True)
    name, params = _CASES[case]
    builder, counter = pair_builder(name), Counter[str]()
    chosen = builder.params(**params)
    with PartWriter(folder, "0", "pairs") as writer:
        for table in islice(_tables(files, list(builder.columns), done), most):
            for kind, rows in builder.make(table, chosen, counter):
                writer.write(kind, rows)
                done["rows"] += len(rows)


def report(found: list[tuple[str, dict[str, float], float]], base_case: str = "copy") -> str:
    """A table of cases, the copy first; ratios to the mean of the copies."""
    copies = [figures for case, figures, _ in found if case == base_case]
    base = {key: sum(figures[key] for figures in copies) / len(copies) for key in copies[0]}
    rows = []
    for case, figures, peak in found:
        speed, cpu = figures["documents"] / figures["wall"], figures["documents"] / figures["cpu"]
        ratio, cpu_ratio = speed / (base["documents"] / base["wall"]), cpu / (base["documents"] / base["cpu"])
        made = figures["rows"] / figures["wall"]
        rows.append([
            case, f"{speed:,.0f}", f"{figures['bytes'] / figures['wall'] / 1e6:.0f}", f"{made:,.0f}", f"{ratio:.2f}",
            f"{cpu_ratio:.2f}", f"{figures['rows'] / figures['cpu'] / (base['rows'] / base['cpu']):.2f}",
            f"{figures['written'] / base['written']:.2f}", f"{peak:.0f}",
        ])  # fmt: skip
    head = [
        "case", "documents/s", "MB/s", "rows/s", "documents/copy", "the same by CPU", "rows/copy by CPU",
        "bytes/copy", "peak MiB",
    ]  # fmt: skip
    return measure.table(head, rows)


def _tables(files: list[Path], columns: list[str], done: dict[str, int]) -> Iterator[pa.Table]:
    for path in files:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH, columns=columns):
                done["documents"] += len(batch)
                done["bytes"] += batch["text"].nbytes
                yield pa.Table.from_batches([batch])


def as_documents(texts: pa.Table) -> pa.Table:
    """The columns that the builders read, for texts with ids."""
    ids = [id * 2 for id in texts["id"].to_pylist()]
    count = len(ids)
    return pa.table({
        "id": ids, "text": texts["text"], "title": [text[:60] for text in texts["text"].to_pylist()],
        "language": [_LANGUAGES[n % len(_LANGUAGES)] for n in range(count)],
        "work": [f"celex:{id[:12]}" for id in ids], "split": ["train"] * count, "meta": pa.nulls(count, pa.string()),
    })  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
