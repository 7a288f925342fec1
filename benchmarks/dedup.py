"""Measure MinHash deduplication, parquet in and marks out, beside others on the same made documents.

    python benchmarks/dedup.py --peer-python PEER/bin/python [--text-dedup-python OTHER/bin/python] [--default]

Documents of about 500 words are made with 3 % exact and 12 % near copies of known Jaccard similarity
(`made_texts.py`). Each system runs on the same files with 14 bands of 8 and the same number of workers; datatrove with
its default tokenizer takes minutes, so that it runs on 500 and 2,500 documents and its cost is the slope. All run on
200 documents beforehand, unmeasured, so that nothing has to be compiled any more. Recall is the
share of planted pairs of which one was thrown away, beside 1 - (1 - s^8)^14; precision the share of what was thrown
away that is of a planted pair. Prints Markdown tables; works in a temporary folder (2 GB a million documents). Linux
only.

The peers' environments:
    uv venv PEER --python 3.11
    uv pip install --python PEER/bin/python "datatrove[io]==0.10.1" "xxhash<4" tokenizers spacy regex datasketch rensa
    uv venv OTHER --python 3.11 && uv pip install --python OTHER/bin/python text-dedup==0.4.0
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import made_texts
import measure
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
BANDS, ROWS = 14, 8
SLOPE = (500, 2_500)
_OURS = """
import json, sys
from pathlib import Path
from flows.near import near
files, output, verify, workers = sorted(Path(sys.argv[1]).glob("*.parquet")), Path(sys.argv[2]), *sys.argv[3:]
near(files, output, verify=json.loads(verify), workers=int(workers))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One system's run."""

    system: str
    cost: measure.Cost
    removed: set[str]


@dataclass(frozen=True, slots=True)
class Planted:
    """What is known of the made documents."""

    pairs: list[tuple[str, str, float]]
    """Two ids and the Jaccard similarity of their sets of 5-grams."""
    members: set[str]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="dedup-", dir=options.scratch) as scratch:
        work = Path(scratch)
        # As in an ordinary installation, where modules are compiled to byte code, and numba's functions, once.
        os.environ.update(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(work / "pycache"))
        made_texts.make(work / "warm", 200)
        florilege(work / "warm", work, options.workers, options.verify)
        for system in options.peers:
            peer(system, work / "warm", work, options)
        for size in options.sizes:
            texts = work / f"{size}"
            made_texts.make(texts, size, workers=os.cpu_count() or 1)
            runs = [florilege(texts, work, options.workers), florilege(texts, work, options.workers, options.verify)]
            if size <= options.peer_limit:
                runs += [outcome for system in options.peers if (outcome := peer(system, texts, work, options))]
            _print(size, runs, planted(texts), options)
            if size == options.sizes[0] and options.default:
                _print_slope(work, runs[0], size, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[20_000, 200_000])
    parser.add_argument("--peer-python", default="", help="Python with datatrove, datasketch and rensa; none: left out")
    parser.add_argument("--text-dedup-python", default="", help="Python with text-dedup; none: left out")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="which; all of those by default",
                        default=["datatrove-split", "text-dedup", "datasketch", "rensa"])  # fmt: skip
    parser.add_argument("--peer-limit", type=int, default=200_000, help="documents that the others get at most")
    parser.add_argument("--default", action="store_true", help="datatrove's own tokenizer too")
    parser.add_argument("--verify", type=float, default=0.4, help="least similarity of florilege's second run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scratch", type=Path, help="where the temporary folder goes")
    return parser.parse_args()


def florilege(texts: Path, work: Path, workers: int, verify: float | None = None) -> Outcome:
    output = work / "clusters.parquet"
    output.unlink(missing_ok=True)
    command = [sys.executable, "-c", _OURS, str(texts), str(output), "null" if verify is None else str(verify)]
    cost, _ = measure.run([*command, str(workers)], ROOT)
    table = pq.read_table(output, columns=["id", "keep"])
    removed = {id for id, keep in zip(table["id"].to_pylist(), table["keep"].to_pylist(), strict=True) if not keep}
    return Outcome("florilege" if verify is None else f"florilege, verified at {verify}", cost, removed)


def peer(system: str, texts: Path, work: Path, options: argparse.Namespace) -> Outcome | None:
    """A run of another system; None, and a line that says why, where it cannot be run."""
    python = options.text_dedup_python if system == "text-dedup" else options.peer_python
    if not python:
        return None
    removed = work / "removed.txt"
    with tempfile.TemporaryDirectory(dir=work) as folder:
        command = [python, str(ROOT / "benchmarks" / "peer_minhash.py"), system, str(texts), folder, str(removed)]
        try:
            cost, _ = measure.run([*command, str(options.workers)], work)
        except measure.CommandError as error:
            print(f"\n{system} could not be run: {error}", file=sys.stderr)
            return None
    return Outcome(system, cost, set(removed.read_text().split()))


def planted(texts: Path) -> Planted:
    pairs = []
    for path in sorted(texts.glob("*.parquet")):
        table = pq.read_table(path, columns=["id", "origin", "jaccard"])
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        pairs += [(id, origin, similarity) for id, origin, similarity in rows if id != origin]
    return Planted(pairs, {id for pair in pairs for id in pair[:2]})


def collision(similarity: float) -> float:
    return 1 - (1 - similarity**ROWS) ** BANDS


def recalls(found: set[str], truth: Planted) -> dict[float, tuple[int, float, float]]:
    """By similarity, to the nearest that was asked for (1: exact copies): pairs, share found, share expected."""
    bins: dict[float, list[tuple[bool, float]]] = {}
    for one, two, similarity in truth.pairs:
        nearest = min((*made_texts.SIMILARITIES, 1.0), key=lambda s: abs(s - similarity))
        bins.setdefault(nearest, []).append((one in found or two in found, collision(similarity)))
    return {
        key: (len(rows), sum(hit for hit, _ in rows) / len(rows), sum(p for _, p in rows) / len(rows))
        for key, rows in sorted(bins.items())
    }


def precision(found: set[str], truth: Planted) -> float:
    return len(found & truth.members) / len(found) if found else 1.0


def _print(size: int, runs: list[Outcome], truth: Planted, options: argparse.Namespace) -> None:
    ours = runs[0].cost.cpu_s
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"\n## {size:,} documents, {len(truth.pairs):,} planted pairs, {options.workers} workers, {load}\n")
    rows = [[
        run.system, f"{run.cost.wall_s:.1f}", f"{run.cost.cpu_s:.1f}", f"{run.cost.peak_mb:.0f}",
        f"{1e6 * run.cost.cpu_s / size:.0f}", f"{run.cost.cpu_s / ours:.1f}", f"{len(run.removed):,}",
        f"{precision(run.removed, truth):.4f}", f"{_recall(recalls(run.removed, truth), 1):.4f}",
    ] for run in runs]  # fmt: skip
    header = ["", "wall s", "CPU s", "peak MiB", "µs CPU a document", "x ours (CPU)", "removed", "precision", "recall"]
    print(measure.table(header, rows))
    found = [recalls(run.removed, truth) for run in runs]
    print(f"\nRecall by Jaccard similarity; all expected: {_recall(found[0], 2):.4f}\n")
    header = ["similarity", "pairs", "expected", *(run.system for run in runs)]
    print(measure.table(header, [
        [f"{key:g}", f"{pairs:,}", f"{expected:.3f}", *(f"{each[key][1]:.3f}" for each in found)]
        for key, (pairs, _, expected) in found[0].items()
    ]), flush=True)  # fmt: skip


def _recall(bins: dict[float, tuple[int, float, float]], column: int) -> float:
    pairs = sum(row[0] for row in bins.values())
    return sum(row[0] * row[column] for row in bins.values()) / max(1, pairs)


def _print_slope(work: Path, ours: Outcome, size: int, options: argparse.Namespace) -> None:
    """datatrove with its default tokenizer, by the difference of two small runs, so that its start is left out."""
    costs = []
    for count in SLOPE:
        texts = work / f"slope-{count}"
        made_texts.make(texts, count)
        run = peer("datatrove", texts, work, options)
        if run is None:
            return
        costs.append(run.cost.cpu_s)
    slope = (costs[1] - costs[0]) / (SLOPE[1] - SLOPE[0])
    whole = ours.cost.cpu_s / size
    print(f"\ndatatrove with its default tokenizer: {costs[0]:.1f} and {costs[1]:.1f} s CPU for {SLOPE[0]:,} and "
          f"{SLOPE[1]:,} documents: {1e6 * slope:.0f} µs CPU a further document, {slope / whole:.0f} x florilege's "
          f"whole run over {size:,} (start and all)", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
