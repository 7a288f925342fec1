"""Whether a training set leaks a benchmark, the slow and plain way: `python -m benchmarks.leak_check TRAIN BENCH`.

Shares no code with `florilege leak` and the builders: Python sets of word n-grams, datasketch's MinHashLSH for
candidates of near-duplicates, SHA-256 of normalised texts, sets of works. TRAIN and BENCH are folders of sets or of
plain exports: all parquet and JSON lines in them. Ends with status 1 if anything leaks.

A row leaks if it is of a work of the benchmark, or a text of it is equal to one of the benchmark, has a Jaccard
similarity of .8 with one (word 5-grams), or at least half of the distinct 13-grams of the smaller text, or of its own
against the whole benchmark, without those that stand in five works of the benchmark, or in one of a hundred. Also
printed, and no leak: the same with all 13-grams and with 8-grams, and rows with any common 13-gram.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

TEXTS = {"text", "query", "document", "doc_en", "doc_xx", "chunks", "anchor", "positive", "negative", "question",
         "passage", "sentence1", "sentence2"}  # fmt: skip
WORKS = ("work", "parallel")
_LETTERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_LETTERS}]|[^\W_{_LETTERS}]+")
_VERSION = re.compile(r"(-\d{8}|R\(\d+\))+$")
JACCARD, SHARE = 0.8, 0.5
LEAKS = ("same work", "equal", "near-duplicate", "13-grams of the smaller text", "own 13-grams in the benchmark")
ALSO = ("13-grams of the smaller text, formulas too", "own 13-grams, formulas too", "own 8-grams", "any 13-gram")

Grams = set[tuple[str, ...]]


class Entry(NamedTuple):
    """A text and the works that its row names."""

    row: int
    text: str
    works: frozenset[str]


def entries(folder: Path) -> Iterator[Entry]:
    """All texts below a folder."""
    number = 0
    for path in sorted(folder.rglob("*")):
        for row in _rows(path):
            works = frozenset(work(row[name]) for name in WORKS if row.get(name))
            for name, value in row.items():
                if name in TEXTS or re.fullmatch(r"negative_\d+", name):
                    for text in value if isinstance(value, list) else [value]:
                        if isinstance(text, str):
                            yield Entry(number, text, works)
            number += 1


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        yield from pq.read_table(path).to_pylist()
    elif path.suffix == ".jsonl":
        yield from (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())


def work(name: str) -> str:
    """The work of a name; an act's versions, corrigenda and parts are the act."""
    name = name.partition("#")[0]
    if not name.startswith("celex:"):
        return name
    number = _VERSION.sub("", name.removeprefix("celex:"))
    return "celex:" + re.sub(r"^0(?=\d{4}[A-Z]+\d)", "3", number)


def tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()))


def ngrams(found: list[str], n: int) -> Grams:
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


def shingles(found: list[str]) -> Grams:
    return ngrams(found, 5) or ({tuple(found)} if found else set())


def fingerprint(found: list[str]) -> str:
    return hashlib.sha256(" ".join(found).encode("utf-8", "surrogatepass")).hexdigest()


class Benchmark:
    """Everything about the benchmark, in plain sets."""

    def __init__(self, folder: Path) -> None:
        held = list(entries(folder))
        split = [tokens(entry.text) for entry in held]
        names = [min(entry.works, default=f"row {entry.row}") for entry in held]
        self.size = len(held)
        self.works = frozenset().union(*(entry.works for entry in held))
        self.fingerprints = {fingerprint(found) for found in split if found}
        self.near = [shingles(found) for found in split]
        self.long = [ngrams(found, 13) for found in split]
        self.eight: Grams = set().union(*(ngrams(found, 8) for found in split))
        self.where: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, grams in enumerate(self.long):
            for gram in grams:
                self.where[gram].append(i)
        many = max(5, len(set(names)) // 100)
        self.formulas = {gram for gram, places in self.where.items() if len({names[i] for i in places}) >= many}
        self.lsh = MinHashLSH(threshold=0.6, num_perm=128)
        for i, grams in enumerate(self.near):
            if grams:
                self.lsh.insert(i, _signature(grams))

    def facts(self, entry: Entry) -> Iterator[str]:
        """What holds of a training text."""
        found = tokens(entry.text)
        near, long, eight = shingles(found), ngrams(found, 13), ngrams(found, 8)
        if entry.works & self.works:
            yield "same work"
        if found and fingerprint(found) in self.fingerprints:
            yield "equal"
        if near and any(len(near & self.near[i]) >= JACCARD * len(near | self.near[i]) for i in self._candidates(near)):
            yield "near-duplicate"
        common = {gram for gram in long if gram in self.where}
        if not common:
            return
        yield "any 13-gram"
        for shared, smaller, own in ((common - self.formulas, LEAKS[3], LEAKS[4]), (common, ALSO[0], ALSO[1])):
            by_text = Counter(i for gram in shared for i in self.where[gram])
            if any(count >= SHARE * min(len(long), len(self.long[i])) for i, count in by_text.items()):
                yield smaller
            if len(shared) >= SHARE * len(long):
                yield own
        if len(eight & self.eight) >= SHARE * len(eight):
            yield "own 8-grams"

    def _candidates(self, near: Grams) -> list[int]:
        found: list[int] = self.lsh.query(_signature(near))
        return found


def _signature(grams: Grams) -> MinHash:
    signature = MinHash(num_perm=128)
    signature.update_batch([" ".join(gram).encode("utf-8", "surrogatepass") for gram in grams])
    return signature


def check(train: Path, benchmark: Path) -> tuple[dict[str, int], int, int, int]:
    """Rows by what holds of them; rows, texts of the benchmark, rows that leak."""
    held = Benchmark(benchmark)
    rows: dict[int, set[str]] = defaultdict(set)
    for entry in entries(train):
        rows[entry.row].update(held.facts(entry))
    counts = {name: sum(name in facts for facts in rows.values()) for name in (*LEAKS, *ALSO)}
    return counts, len(rows), held.size, sum(bool(facts & set(LEAKS)) for facts in rows.values())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("train", type=Path, help="folder of a training set")
    parser.add_argument("benchmark", type=Path, help="folder of a benchmark")
    given = parser.parse_args(arguments)
    counts, rows, texts, leaks = check(given.train, given.benchmark)
    if not rows or not texts:
        parser.error(f"no texts in {given.benchmark if rows else given.train}: nothing was checked")
    print(f"{rows:,} rows of {given.train} against {texts:,} texts of {given.benchmark}\n")
    print("| rows of the training set | number | leak |\n|---|---:|---|")
    for name, count in counts.items():
        print(f"| {name} | {count:,} | {'yes' if name in LEAKS else ''} |")
    print(f"| **leaks** | **{leaks:,}** | |")
    return int(leaks > 0)


if __name__ == "__main__":
    sys.exit(main())
