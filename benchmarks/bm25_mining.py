"""How long BM25 takes to rank passages for as many queries, beside bm25s as its documentation uses it.

`python -m benchmarks.bm25_mining 100000` on made texts; `--corpus FOLDER` takes passages of a corpus of florilege's
instead, resampled to as many, in the languages that it has. Both sides read the same texts in one run, by turns, after
numba has compiled what both use. Each query holds words of the one passage that it was made from and some that it
shares with none; recall says how often that passage is found. The queries are put to the index in parts, as mining
does. bm25s searches on both sides: what differs is tokenising, and how the index and equal scores are treated.
"""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.made_texts import vocabulary

_WORDS, _ASKED, _NOISE = 100, 8, 4
_COMPILED = 5_000
STEPS = ("tokenise", "index", "ask", "search")
"""`ask`: tokenise the queries."""
Found = npt.NDArray[np.int64]
Times = dict[str, npt.NDArray[np.float64]]
"""Wall and processor seconds of each step."""


class Texts(NamedTuple):
    """A query for each passage."""

    passages: list[str]
    queries: list[str]
    languages: list[str | None]


def made(count: int, seed: int = 1) -> Texts:
    """Passages of 50 to 150 words by Zipf's law, and a query for each."""
    dice, words = np.random.default_rng(seed), vocabulary(seed)
    weights = 1 / (np.arange(len(words)) + 10.0)
    edges = np.cumsum(weights / weights.sum())
    passages = [
        [words[i] for i in np.searchsorted(edges, dice.random(dice.integers(_WORDS // 2, 3 * _WORDS // 2))).tolist()]
        for _ in range(count)
    ]
    return Texts([" ".join(passage) for passage in passages], queries(passages, dice), ["en"] * count)


def sampled(corpus: Path, count: int, seed: int = 1) -> Texts:
    """Passages of 100 words that begin at chance in the documents of a corpus, and a query for each."""
    from catalog import store
    from catalog.files import Corpus

    with store.reading(Corpus(corpus)) as connection:
        rows = connection.sql(
            "SELECT text, language FROM documents JOIN signals USING (id) WHERE text IS NOT NULL ORDER BY id"
        ).fetchall()
    texts = [(words, language) for text, language in rows if len(words := text.split()) >= 2 * _WORDS]
    dice = np.random.default_rng(seed)
    lengths = np.array([len(words) for words, _ in texts], float)
    passages, languages = [], []
    for of in dice.choice(len(texts), count, p=lengths / lengths.sum()).tolist():
        words, language = texts[of]
        start = int(dice.integers(len(words) - _WORDS))
        passages.append(words[start : start + _WORDS])
        languages.append(language)
    return Texts([" ".join(passage) for passage in passages], queries(passages, dice), languages)


def queries(passages: list[list[str]], dice: np.random.Generator) -> list[str]:
    """Of each passage 8 words, and 4 of another passage."""
    found = []
    for passage, other in zip(passages, dice.permutation(len(passages)).tolist(), strict=True):
        words = dice.choice(passage, _ASKED).tolist() + dice.choice(passages[other], _NOISE).tolist()
        found.append(" ".join(words))
    return found


def ours(texts: Texts, k: int, times: Times) -> Found:
    from retrieval import bm25

    names = [f"{i:09}" for i in range(len(texts.passages))]
    columns = {"id": names, "title": [""] * len(names), "language": pa.array(texts.languages, pa.string())}
    documents, queries = (pa.table({**columns, "text": side}) for side in texts[:2])
    with timed(times, "tokenise"):
        analysed = bm25.analysed(documents)
    with timed(times, "index"):
        index = bm25.built(analysed)
    with timed(times, "ask"):
        asked = [index.terms(queries.slice(at, 1_024)) for at in range(0, len(names), 1_024)]
    with timed(times, "search"):
        parts = [index.best(terms, k)[0] for terms in asked]
    return np.concatenate(parts).astype(np.int64)


def bm25s_example(texts: Texts, k: int, times: Times) -> Found:
    """As in bm25s' README: its tokenizer with English stop words and PyStemmer, and its numba backend, all threads."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokenize(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    retriever = bm25s.BM25(backend="numba" if len(texts.passages) >= _COMPILED else "numpy")
    with timed(times, "tokenise"):
        tokens = tokenize(texts.passages)
    with timed(times, "index"):
        retriever.index(tokens, show_progress=False)
    with timed(times, "ask"):
        asked = tokenize(texts.queries)
    with timed(times, "search"):
        found, _ = retriever.retrieve(asked, k=k, n_threads=len(os.sched_getaffinity(0)), show_progress=False)
    return np.asarray(found, np.int64)


def compile_search() -> None:
    """Have numba compile bm25s' search for one thread, as florilege uses it, and for several."""
    import bm25s

    retriever = bm25s.BM25(backend="numba")
    retriever.index([["a", "b"], ["c"]], show_progress=False)
    for threads in (1, len(os.sched_getaffinity(0))):
        processor = time.process_time()
        retriever.retrieve([["a"], ["c"]], k=1, n_threads=threads, show_progress=False)
        print(f"compiled for {threads} threads in {time.process_time() - processor:.1f} s, which no step below has")


@contextmanager
def timed(times: Times, step: str) -> Iterator[None]:
    """Note the seconds of a step."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    times[step] = np.array([time.perf_counter() - wall, time.process_time() - processor])


SYSTEMS: dict[str, Callable[[Texts, int, Times], Found]] = {"florilege": ours, "bm25s": bm25s_example}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("-k", type=int, default=100)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    texts = sampled(options.corpus, options.count) if options.corpus else made(options.count)
    for system in SYSTEMS.values():
        system(made(_WORDS), 10, {})  # imports
    if options.count >= _COMPILED:
        compile_search()
    print(f"{options.count:,} queries x {options.count:,} passages, k = {options.k}, {os.cpu_count()} processors")
    print("wall and processor seconds")
    print(" " * 20 + "".join(f"{step:>14}" for step in (*STEPS, "all")) + "  recall@1  recall   load")
    for turn in range(options.turns):
        for name in list(SYSTEMS) if turn % 2 == 0 else list(SYSTEMS)[::-1]:
            times: Times = {}
            right = SYSTEMS[name](texts, options.k, times) == np.arange(options.count)[:, None]
            columns = [*(times[step] for step in STEPS), np.sum(list(times.values()), axis=0)]
            print(
                f"{turn + 1} {name:18}" + "".join(f"{wall:7.2f}{processor:7.2f}" for wall, processor in columns),
                f"{right[:, 0].mean():9.4f}{right.any(1).mean():8.4f}{os.getloadavg()[0]:7.1f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
