"""Documents with planted duplicates at a known Jaccard similarity, as parquet, to measure deduplication with."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

SHINGLE = 5
WORDS = 500
EXACT, NEAR = 0.03, 0.12
"""Shares of the documents that are copies, and near copies, of another."""
SIMILARITIES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_VOCABULARY = 50_000
_BOILERPLATE = ((0.10, 20, 40), (0.02, 200, 250))
"""Shares of the documents that begin with boilerplate, how many such texts there are, and their words. Two documents
with the long one are similar at about .33, so that a few of their many pairs share a band."""
_CHUNK = 20_000
_NEW = 1 << 40


def make(folder: Path, count: int, seed: int = 1, workers: int = 2) -> list[Path]:
    """Write `count` documents of about 500 words, shuffled within each file; the files, 20,000 documents each.

    Columns: `id` (16 hex digits), `text`, `origin` (id of the document that it is a copy of, or its own), `jaccard`
    (exact, of the two sets of word 5-grams; 1 for a copy with other case and punctuation).
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(_file, folder, seed), range(len(sizes)), sizes))


def _file(folder: Path, seed: int, number: int, count: int) -> Path:
    dice = np.random.default_rng([seed, number])
    words = vocabulary(seed)
    same = np.random.default_rng(seed)
    shared = [same.integers(0, _VOCABULARY, (texts, length)) for _, texts, length in _BOILERPLATE]
    weights = 1 / (np.arange(_VOCABULARY) + 10.0)
    edges = np.cumsum(weights / weights.sum())
    exact, near = int(count * EXACT), int(count * NEAR)
    texts, jaccards, origins = [], np.ones(count), np.arange(count)
    sequences: list[npt.NDArray[np.int64]] = []
    for _ in range(count - exact - near):
        length = int(dice.integers(WORDS - 100, WORDS + 100))
        sequence = np.searchsorted(edges, dice.random(length)).astype(np.int64)
        for (share, kinds, length), begun in zip(_BOILERPLATE, shared, strict=True):
            if dice.random() < share:
                sequence = np.concatenate([begun[dice.integers(kinds)], sequence[length:]])
        sequences.append(sequence)
        texts.append(_text(sequence, words))
    # every original has one copy at most, so that a cluster of more than a pair is a mistake
    chosen = dice.permutation(len(sequences))[: exact + near]
    for k, original in enumerate(chosen):
        place = len(sequences) + k
        origins[place] = original
        if k < exact:
            texts.append(texts[original].upper() if k % 3 == 0 else texts[original])
        else:
            copy = near_copy(sequences[original], SIMILARITIES[k % len(SIMILARITIES)], dice)
            jaccards[place] = jaccard(sequences[original], copy)
            texts.append(_text(copy, words))
    ids = [f"{number:08x}{n:08x}" for n in dice.permutation(count)]
    order = dice.permutation(count)
    table = pa.table({
        "id": [ids[i] for i in order], "text": [texts[i] for i in order],
        "origin": [ids[origins[i]] for i in order], "jaccard": jaccards[order],
    })  # fmt: skip
    path = folder / f"{number:05}.parquet"
    pq.write_table(table, path, compression="zstd", compression_level=1)
    return path


@lru_cache(maxsize=1)
def vocabulary(seed: int) -> list[str]:
    """Words of 1 to 14 letters, some of them accented, all different."""
    dice = np.random.default_rng(seed)
    letters = list("etaonisrhldcumfpgwybvkxjqzéàüñ")
    weights = 1 / (np.arange(len(letters)) + 3.0)
    drawn = dice.choice(letters, (2 * _VOCABULARY, 14), p=weights / weights.sum())
    lengths = np.clip(dice.normal(6.2, 2.6, len(drawn)), 1, 14).astype(int)
    found = dict.fromkeys("".join(row[:length]) for row, length in zip(drawn.tolist(), lengths.tolist(), strict=True))
    return list(found)[:_VOCABULARY]


def _text(sequence: npt.NDArray[np.int64], words: list[str]) -> str:
    """Sentences of 12 words; a number over the vocabulary's is a word of its own."""
    found = [words[n] if n < _VOCABULARY else f"x{n - _NEW}" for n in sequence.tolist()]
    sentences = (" ".join(found[i : i + 12]).capitalize() for i in range(0, len(found), 12))
    return ". ".join(sentences) + "."


def near_copy(sequence: npt.NDArray[np.int64], similarity: float, dice: np.random.Generator) -> npt.NDArray[np.int64]:
    """The sequence with words replaced by new ones at a distance, so that the sets of 5-grams are about that similar.

    With k of n shingles changed on each side, J = (n - k) / (n + k); a replaced word far from others changes 5.
    """
    total = len(sequence) - SHINGLE + 1
    changed = round(total * (1 - similarity) / (1 + similarity) / SHINGLE)
    copy = sequence.copy()
    steps = np.linspace(SHINGLE, len(sequence) - 2 * SHINGLE, changed).astype(np.int64)
    copy[steps] = _NEW + dice.integers(0, 10**9, changed)
    return copy


def jaccard(one: npt.NDArray[np.int64], two: npt.NDArray[np.int64]) -> float:
    """Of the sets of word 5-grams of two sequences."""
    sets = [set(zip(*(s.tolist()[k:] for k in range(SHINGLE)), strict=False)) for s in (one, two)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])
