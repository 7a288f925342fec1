"""Words and word n-grams of many texts as 64-bit hashes, and tables of them.

A text is compared as the words of `filters.words`, case-folded: punctuation and spaces do not count, and a letter of a
script without spaces is a word of its own, so that n-grams are of characters there. With numba
(`florilege[fast]`) texts are read as the bytes they are; without it, by numpy, with equal hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from filters import compiling
from filters.words import fold, words

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

BATCH = 4_000_000
"""Characters that are looked at together, or one text."""
_BASE, _FACTOR = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93  # as in the kernel
_MIXERS = np.array([0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53], np.uint64)
_SHIFT = np.uint64(33)


def batches(texts: list[str]) -> Iterator[list[str]]:
    """The texts in lists of about BATCH characters."""
    begin = held = 0
    for i, text in enumerate(texts):
        held += len(text)
        if held >= BATCH:
            yield texts[begin : i + 1]
            begin, held = i + 1, 0
    if begin < len(texts):
        yield texts[begin:]


def word_hashes(texts: list[str]) -> tuple[Hashes, Places]:
    """Hashes of the texts' words, end to end, and (texts + 1,) where each text's begin."""
    if not compiling.available():
        return _by_numpy(texts)
    found, counts = _by_kernel(texts, folding=True)
    bounds = np.concatenate([[0], np.cumsum(np.maximum(counts, 0))])
    again = np.flatnonzero(counts < 0).tolist()
    if not again:
        return found, bounds
    parts = [found[bounds[i] : bounds[i + 1]] for i in range(len(texts))]
    rest, sizes = _by_kernel([fold(texts[i]) for i in again], folding=False)
    for i, part in zip(again, np.split(rest, np.cumsum(sizes)[:-1]), strict=True):
        parts[i] = part
    return np.concatenate(parts), np.concatenate([[0], np.cumsum(list(map(len, parts)))])


def grams(found: Hashes, n: int) -> Hashes:
    """Hashes of a text's n-grams in order; of a text with fewer words, of none."""
    if len(found) < n:
        return np.empty(0, np.uint64)
    value = np.zeros(len(found) - n + 1, np.uint64)
    for k in reversed(range(n)):
        value = value * np.uint64(_FACTOR) + found[k : len(found) - n + 1 + k]
    return mixed(value)


def whole(found: Hashes) -> np.uint64:
    """Hash of a text of one word or more."""
    return np.uint64(mixed(grams(found, len(found)) + np.uint64(len(found)))[0])


def mixed(value: Hashes) -> Hashes:
    """Appleby's 64-bit finaliser of MurmurHash3."""
    for factor in _MIXERS:
        value = (value ^ (value >> _SHIFT)) * factor
    return value ^ (value >> _SHIFT)


@dataclass(frozen=True, slots=True)
class Table:
    """The n-grams of some texts, and the texts that each stands in."""

    n: int
    keys: Hashes
    """Distinct n-grams, ascending."""
    begins: Places
    """(keys + 1,) where in `texts` those of each key begin."""
    texts: npt.NDArray[np.int32]
    """Texts by key, ascending."""
    sizes: Places
    """Distinct n-grams of each text."""

    @staticmethod
    def of(n: int, parts: list[Hashes]) -> Table:
        """The table of texts whose distinct n-grams are `parts`."""
        sizes = np.fromiter(map(len, parts), np.int64, len(parts))
        held = np.concatenate([*parts, np.empty(0, np.uint64)])
        order = np.argsort(held, kind="stable")
        keys, begins = np.unique(held[order], return_index=True)
        texts = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)[order]
        return Table(n, keys, np.append(begins, len(held)), texts, sizes)

    def places(self, wanted: Hashes) -> Places:
        """Where n-grams are among the keys; -1 where they are not."""
        if not len(self.keys):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, at, -1)

    def shared(self, places: Places) -> tuple[Places, Places]:
        """The texts that hold any of these keys, and how many of them each holds."""
        begins, ends = self.begins[places], self.begins[places + 1]
        sizes = ends - begins
        at = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        found, counts = np.unique(self.texts[at], return_counts=True)
        return found.astype(np.int64), counts

    def for_kernel(self) -> tuple[Any, ...]:
        """n, keys, where those of equal first bits begin, the shift to these, a bit a key, the shift to its place."""
        size = max(1, len(self.keys).bit_length())
        shift, finer = np.uint64(64 - size), np.uint64(64 - max(6, size + 3))
        first = np.searchsorted(self.keys, np.arange(1 << size, dtype=np.uint64) << shift)
        bits = np.zeros(1 << (max(6, size + 3) - 6), np.uint64)
        at = self.keys >> finer
        np.bitwise_or.at(bits, (at >> np.uint64(6)).astype(np.int64), np.uint64(1) << (at & np.uint64(63)))
        return self.n, self.keys, np.append(first, len(self.keys)), shift, bits, finer


def _by_kernel(texts: list[str], *, folding: bool) -> tuple[Hashes, Places]:
    """Hashes, and the number of words of each text: -1 for those that have to be folded before."""
    kernel, props, folds = _kernel()
    held = [text.encode("utf-8", "surrogatepass") for text in texts]
    bounds = np.concatenate([[0], np.cumsum(np.fromiter(map(len, held), np.int64, len(held)))])
    found, counts = np.empty(int(bounds[-1]) // 2 + len(texts), np.uint64), np.zeros(len(texts), np.int64)
    data = np.frombuffer(b"".join(held), np.uint8)
    kernel.hash_words(data, bounds, props, folds, folding, found, counts)
    return found[: np.maximum(counts, 0).sum()], counts


def _by_numpy(texts: list[str]) -> tuple[Hashes, Places]:
    split = [words(fold(text)) for text in texts]
    bounds = np.concatenate([[0], np.cumsum(np.fromiter(map(len, split), np.int64, len(split)))])
    run = " ".join(word for found in split for word in found).encode("utf-8", "surrogatepass")
    if not run:
        return np.empty(0, np.uint64), bounds
    data = np.frombuffer(run, np.uint8)
    powers, inverses = (_powers(base, len(data)) for base in (_BASE, pow(_BASE, -1, 1 << 64)))
    sums = np.concatenate([[np.uint64(0)], np.cumsum((data.astype(np.uint64) + np.uint64(1)) * powers)])
    gaps = np.flatnonzero(data == 32)
    starts, ends = np.append(0, gaps + 1), np.append(gaps, len(data))
    return mixed((sums[ends] - sums[starts]) * inverses[starts]), bounds


def _powers(base: int, count: int) -> Hashes:
    found = np.full(count, base, np.uint64)
    found[0] = 1
    return np.cumprod(found)


@cache
def _kernel() -> tuple[Any, Any, Any]:
    from filters.minhash_tables import code_points
    from retrieval import overlap_kernel

    return overlap_kernel, *code_points()
