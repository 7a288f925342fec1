"""Near-duplicates beside human judgement: `python -m benchmarks.neardup ../shared/data/neardup`.

The judgements of ChatNoir-CopyCat (pages of one canonical link, sampled by bins of their S3 score; texts lower-cased
and stemmed) are grades 0.5, 1, 2 and 3, or unknown. Their repository does not say what the grades mean; the mean of
every similarity rises with them. Two readings are scored: 3 alone is a near-duplicate, and 2 and 3 are. Unknown pairs
are left out. S3 came with the pairs: twice the common word 8-grams over both pages' (Bernstein and Zobel 2005).

Prints, as Markdown: for each similarity, the threshold of the highest F1, chosen on all pairs; where it falls on pairs
drawn again with replacement (5 to 95 %) and its mean F1 on the pairs not drawn; and the area under the ROC curve. Then
precision, recall and F1 by threshold, and the pairs that the bands find. Last, fixtures of copied lines and licences.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from filters import minhash, repeats
from filters.verification import jaccard
from filters.words import fold, words

JUDGEMENTS = Path("chatnoir-copycat") / "judgments-by-daniel"
FIXTURES = Path("my-assignment4-data") / "tests" / "fixtures"
SIMILARITIES = ("word 5-grams", "estimated", "words", "S3")
SCHEMES = ((14, 8), (17, 15))
GRID = [n / 100 for n in range(5, 100, 5)]
_FINE = [n / 100 for n in range(1, 101)]


class Pair(NamedTuple):
    """A judged pair: its grade (None: unknown), its similarities, and whether it shares a band, by scheme."""

    grade: float | None
    similarity: dict[str, float]
    found: dict[tuple[int, int], bool]


class Score(NamedTuple):
    """Of the pairs at or above a threshold."""

    precision: float
    recall: float
    f1: float


def pairs(folder: Path) -> list[Pair]:
    """All judged pairs of a folder of `label`, `metadata`, `src-doc` and `target-doc`."""
    found = []
    for place in sorted(path.parent for path in folder.glob("*/label")):
        a, b = ((place / name).read_text("utf-8", errors="replace") for name in ("src-doc", "target-doc"))
        [s3] = [line for line in (place / "metadata").read_text("utf-8").splitlines() if line.startswith("S3: ")]
        found.append(Pair(_grade((place / "label").read_text("utf-8")), similarities(a, b) | {"S3": float(s3[4:])}, {
            scheme: _share_a_band(a, b, *scheme) for scheme in SCHEMES
        }))  # fmt: skip
    return found


def _grade(label: str) -> float | None:
    # "unkown" is one of the spellings.
    return None if label.strip().startswith("unk") else float(label)


def similarities(a: str, b: str) -> dict[str, float]:
    """Jaccard similarity of shingles, its estimate from signatures of 256 minima, and that of words."""
    x, y = (set(words(fold(text))) for text in (a, b))
    first, second = (minhash.hashvalues(text, 256) for text in (a, b))
    alike = first is not None and second is not None
    estimate = float(np.mean(np.asarray(first) == np.asarray(second))) if alike else 0.0
    return {"word 5-grams": jaccard(a, b), "estimated": estimate, "words": len(x & y) / max(1, len(x | y))}


def _share_a_band(a: str, b: str, bands: int, rows: int) -> bool:
    first, second = (minhash.bands(text, bands=bands, rows=rows) for text in (a, b))
    return any(x == y for x, y in zip(first, second, strict=False))


def score(values: Iterable[float], near: Iterable[bool], threshold: float) -> Score:
    """Precision (1 if nothing is found), recall and F1 of `value >= threshold` as a sign of `near`."""
    found, true = np.fromiter(values, float) >= threshold, np.fromiter(near, bool)
    hits = int((found & true).sum())
    return Score(
        hits / found.sum() if found.any() else 1.0,
        hits / max(1, true.sum()),
        2 * hits / max(1, found.sum() + true.sum()),
    )


def best(values: list[float], near: list[bool]) -> float:
    """The threshold, in hundredths, of the highest F1; the middle one of several."""
    scores = [score(values, near, t).f1 for t in _FINE]
    top = [t for t, f1 in zip(_FINE, scores, strict=True) if f1 > max(scores) - 1e-9]
    return top[len(top) // 2]


def tables(judged: list[Pair]) -> Iterable[str]:
    """The report on judged pairs, as Markdown blocks."""
    yield _grades(judged)
    known = [pair for pair in judged if pair.grade is not None]
    for least in (3.0, 2.0):
        near = [pair.grade is not None and pair.grade >= least for pair in known]
        grade = "grade 3" if least == 3 else "grade 2 or 3"
        yield f"### Near-duplicates: {grade} ({sum(near)} of {len(known)} pairs)"
        yield _best_table(known, near)
        values = [pair.similarity["word 5-grams"] for pair in known]
        yield "Word 5-grams, threshold by threshold:\n\n" + curve(lambda t: score(values, near, t))  # noqa: B023
        yield _bands_table(known, near)


def _grades(judged: list[Pair]) -> str:
    rows = ["| grade | pairs | " + " | ".join(f"mean {name}" for name in SIMILARITIES) + " |", "|---" * 6 + "|"]
    for grade in sorted({pair.grade for pair in judged}, key=lambda g: -1.0 if g is None else g):
        own = [pair for pair in judged if pair.grade == grade]
        means = " | ".join(f"{mean(p.similarity[name] for p in own):.3f}" for name in SIMILARITIES)
        rows.append(f"| {'unknown' if grade is None else f'{grade:g}'} | {len(own)} | {means} |")
    return "\n".join(rows)


def _best_table(known: list[Pair], near: list[bool]) -> str:
    rows = ["| similarity | best threshold | precision | recall | F1 | drawn again | F1 of the others | AUC |"]
    rows.append("|---" * 8 + "|")
    for name in SIMILARITIES:
        values = [pair.similarity[name] for pair in known]
        at = best(values, near)
        (low, high), others = drawn_again(values, near)
        figures = " | ".join(f"{figure:.3f}" for figure in score(values, near, at))
        last = f"{low:.2f} to {high:.2f} | {others:.3f} | {area(values, near):.3f}"
        rows.append(f"| {name} | {at:.2f} | {figures} | {last} |")
    return "\n".join(rows)


def drawn_again(values: list[float], near: list[bool], times: int = 100) -> tuple[tuple[float, float], float]:
    """The best threshold of pairs drawn with replacement: its 5th and 95th percentile, and its mean F1 on the rest."""
    dice = np.random.default_rng(1)
    x, y = np.array(values), np.array(near)
    thresholds, scores = [], []
    for _ in range(times):
        drawn = dice.integers(0, len(x), len(x))
        rest = np.setdiff1d(np.arange(len(x)), drawn)
        thresholds.append(best(list(x[drawn]), list(y[drawn])))
        scores.append(score(x[rest], y[rest], thresholds[-1]).f1)
    low, high = np.percentile(thresholds, [5, 95])
    return (float(low), float(high)), mean(scores)


def area(values: list[float], near: list[bool]) -> float:
    """Probability that a near-duplicate has a higher similarity than another pair (area under the ROC curve)."""
    x, y = np.array(values), np.array(near)
    above = x[y][:, None] - x[~y][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def curve(at: Callable[[float], Score]) -> str:
    """Precision, recall and F1 over thresholds, drawn: a bar of 40 for F1."""
    lines = ["  at  precision  recall     F1"]
    for threshold in GRID:
        p, r, f1 = at(threshold)
        lines.append(f"{threshold:4.2f}      {p:5.3f}   {r:5.3f}  {f1:5.3f}  {'#' * round(40 * f1)}")
    return "```\n" + "\n".join(lines) + "\n```"


def _bands_table(known: list[Pair], near: list[bool]) -> str:
    rows = [
        "| bands x rows | near-duplicates found | by the formula | others found | by the formula | precision |",
        "|---" * 6 + "|",
    ]
    for bands, size in SCHEMES:
        cells, found = [], []
        for side in (True, False):
            own = [pair for pair, is_near in zip(known, near, strict=True) if is_near == side]
            found.append(sum(pair.found[bands, size] for pair in own))
            hoped = sum(minhash.collision(pair.similarity["word 5-grams"], bands, size) for pair in own)
            cells += [f"{found[-1]} of {len(own)}", f"{hoped:.1f}"]
        rows.append(f"| {bands} x {size} | {' | '.join(cells)} | {found[0] / max(1, sum(found)):.3f} |")
    return "\n".join(rows)


def fixtures(folder: Path) -> str:
    """Copied lines and licences: what is marked, and how alike the licences are."""
    texts = {
        path.stem: path.read_text("utf-8") for path in sorted((folder / "documents_with_line_duplicates").glob("*"))
    }
    first: dict[str, str] = {}
    rows = ["| document | exact copy of | lines that two texts have, marked |", "|---|---|---|"]
    for name, spans in repeated_lines(texts).items():
        copied = first.setdefault(minhash.text_digest(texts[name]), name)
        rows.append(f"| {name} | {copied if copied != name else '-'} | {'; '.join(spans) or '-'} |")
    rows.append(f"\nLines of less than {repeats.SHORTEST} characters are not looked at, and copies are one text.")
    licences = sorted((folder / "documents_with_fuzzy_duplicates").glob("*.txt"))
    rows += ["", "| licences | word 5-grams | estimated | words | 14 x 8 | 17 x 15 |", "|---" * 6 + "|"]
    for index, one in enumerate(licences):
        for other in licences[index + 1 :]:
            a, b = one.read_text("utf-8"), other.read_text("utf-8")
            alike = " | ".join(f"{value:.3f}" for value in similarities(a, b).values())
            shared = " | ".join("found" if _share_a_band(a, b, *scheme) else "-" for scheme in SCHEMES)
            rows.append(f"| {one.stem}, {other.stem} | {alike} | {shared} |")
    return "\n".join(rows)


def repeated_lines(texts: dict[str, str], at_least: int = 2) -> dict[str, list[str]]:
    """The marked lines of each text, all of one source."""
    found: dict[str, list[str]] = {name: [] for name in texts}
    rows = [(name, *line) for name, text in texts.items() for line in repeats.lines(text)]
    columns = list(zip(*rows, strict=True)) or [()] * 4
    with duckdb.connect() as connection:
        connection.register("documents", pa.table({
            "id": list(texts), "source": ["one"] * len(texts), "chars": [len(text) for text in texts.values()],
            "text_digest": [minhash.text_digest(text) for text in texts.values()],
        }))  # fmt: skip
        connection.register("lines", pa.table({
            "id": pa.array(columns[0], pa.string()), "start": pa.array(columns[1], pa.int32()),
            "end": pa.array(columns[2], pa.int32()), "key": pa.array(columns[3], pa.uint64()),
        }))  # fmt: skip
        made = repeats.repeated(connection, "documents", "lines", at_least)
        for name, spans in connection.sql(f"SELECT id, spans FROM {made}").fetchall():
            found[name] = [texts[name][span["start"] : span["end"]] for span in spans]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the judgements and the fixtures")
    data = parser.parse_args().data
    judged = pairs(data / JUDGEMENTS)
    if not judged:
        parser.error(f"no judgements in {data / JUDGEMENTS}")
    for block in tables(judged):
        print(f"{block}\n", flush=True)
    print(f"### Fixtures\n\n{fixtures(data / FIXTURES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
