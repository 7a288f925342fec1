"""How long BM25 takes to rank passages for as many queries, beside bm25s as its documentation uses it.

`python -m benchmarks.bm25_mining 100000` on made texts; `--corpus FOLDER` takes passages of a corpus of florilege's
instead, resampled to as many. Both sides read the same texts in one run, one after the other. Each query holds words of
the one passage that it was made from and some that it shares with none; recall says how often that passage is found.
The queries are put to the index in parts, as mining does.
"""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.made_texts import vocabulary

_WORDS, _ASKED, _NOISE = 100, 8, 4
Found = npt.NDArray[np.int64]


def made(count: int, seed: int = 1) -> tuple[list[str], list[str]]:
    """Passages of 50 to 150 words by Zipf's law, and a query for each."""
    dice, words = np.random.default_rng(seed), vocabulary(seed)
    weights = 1 / (np.arange(len(words)) + 10.0)
    edges = np.cumsum(weights / weights.sum())
    passages = [
        [words[i] for i in np.searchsorted(edges, dice.random(dice.integers(_WORDS // 2, 3 * _WORDS // 2))).tolist()]
        for _ in range(count)
    ]
    return [" ".join(passage) for passage in passages], queries(passages, dice)


def sampled(corpus: Path, count: int, seed: int = 1) -> tuple[list[str], list[str]]:
    """Passages of 100 words that begin at chance in the documents of a corpus, and a query for each."""
    from catalog import store
    from catalog.files import Corpus

    with store.reading(Corpus(corpus)) as connection:
        texts = [
            text.split()
            for (text,) in connection.sql("SELECT text FROM documents WHERE text IS NOT NULL ORDER BY id").fetchall()
        ]
    texts = [words for words in texts if len(words) >= 2 * _WORDS]
    dice = np.random.default_rng(seed)
    lengths = np.array([len(words) for words in texts], float)
    passages = []
    for of in dice.choice(len(texts), count, p=lengths / lengths.sum()).tolist():
        start = int(dice.integers(len(texts[of]) - _WORDS))
        passages.append(texts[of][start : start + _WORDS])
    return [" ".join(passage) for passage in passages], queries(passages, dice)


def queries(passages: list[list[str]], dice: np.random.Generator) -> list[str]:
    """Of each passage 8 words, and 4 of another passage."""
    found = []
    for passage, other in zip(passages, dice.permutation(len(passages)).tolist(), strict=True):
        words = dice.choice(passage, _ASKED).tolist() + dice.choice(passages[other], _NOISE).tolist()
        found.append(" ".join(words))
    return found


def ours(passages: list[str], asked: list[str], k: int, times: dict[str, list[float]]) -> Found:
    from retrieval import bm25

    names = [f"{i:09}" for i in range(len(passages))]
    columns = {"id": names, "title": [""] * len(names), "language": ["en"] * len(names)}
    with timed(times, "index"):
        index = bm25.index(pa.table({**columns, "text": passages}))
    queries = pa.table({**columns, "text": asked})
    index.search(queries.slice(0, 2), k)  # compiles
    with timed(times, "search"):
        parts = [index.search(queries.slice(at, 1_024), k)[0] for at in range(0, len(asked), 1_024)]
    return np.concatenate(parts).astype(np.int64)


def bm25s_example(passages: list[str], asked: list[str], k: int, times: dict[str, list[float]]) -> Found:
    """As in bm25s' README: its tokenizer with English stop words and PyStemmer, and its numba backend, two threads."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokenize(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    with timed(times, "index"):
        retriever = bm25s.BM25(backend="numba")
        retriever.index(tokenize(passages), show_progress=False)
    threads = len(os.sched_getaffinity(0))
    retriever.retrieve(tokenize(asked[:2]), k=k, n_threads=threads, show_progress=False)  # compiles
    with timed(times, "search"):
        found, _ = retriever.retrieve(tokenize(asked), k=k, n_threads=threads, show_progress=False)
    return np.asarray(found, np.int64)


@contextmanager
def timed(times: dict[str, list[float]], step: str) -> Iterator[None]:
    """Note wall and processor seconds of a step."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    times[step] = [time.perf_counter() - wall, time.process_time() - processor]


SYSTEMS: dict[str, Callable[[list[str], list[str], int, dict[str, list[float]]], Found]] = {
    "florilege": ours, "bm25s": bm25s_example,
}  # fmt: skip


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("-k", type=int, default=100)
    options = parser.parse_args()
    passages, asked = sampled(options.corpus, options.count) if options.corpus else made(options.count)
    print(f"{len(asked):,} queries x {len(passages):,} passages, k = {options.k}, load {os.getloadavg()[0]:.1f}")
    heads = ("index s", "search s", "minutes", "processor", "recall@1", f"recall@{options.k}")
    print(" " * 12 + "".join(f"{head:>12}" for head in heads))
    for name, system in SYSTEMS.items():
        times: dict[str, list[float]] = {}
        found = system(passages, asked, options.k, times)
        right = found == np.arange(len(asked))[:, None]
        wall, processor = (sum(step[n] for step in times.values()) / 60 for n in (0, 1))
        print(
            f"{name:12}{times['index'][0]:12.1f}{times['search'][0]:12.1f}{wall:12.2f}{processor:12.2f}"
            f"{right[:, 0].mean():12.4f}{right.any(1).mean():12.4f}",
            flush=True,
        )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
