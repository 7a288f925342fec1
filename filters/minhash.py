"""MinHash bands for near-duplicates and a digest for exact copies.

Two documents whose shingle sets have Jaccard similarity s share at least one band with probability
1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4).
Numbers stay as they are: annexes that differ only in the figures of a table are different documents.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from filters.words import fold, unspaced, words

SHINGLE = 5
"""Words in a shingle; characters in scripts without spaces."""
SCHEME = "affine32"
"""The scheme of datasketch 2 whose permutations these are."""
_BLOCK = 4096  # shingles at a time: a block's table of permuted hashes (2 MB) stays in the cache

Hashes = npt.NDArray[np.uint32]


def shingles(text: str) -> list[str]:
    """Word 5-grams of the case-folded text without punctuation, repeats included.

    Character 5-grams if most letters are of a script without spaces. A text shorter than one shingle is one
    shingle; a text without words has none.
    """
    folded = fold(text)
    found = words(folded)
    if not found:
        return []
    if unspaced(folded):
        run = "".join(found)
        return [run[i : i + SHINGLE] for i in range(max(1, len(run) - SHINGLE + 1))]
    if len(found) < SHINGLE:
        return [" ".join(found)]
    return list(map(" ".join, zip(*(found[k:] for k in range(SHINGLE)), strict=False)))


def bands(text: str, *, bands: int = 14, rows: int = 8, seed: int = 1) -> list[int]:
    """One unsigned 64-bit key per band: texts with an equal key in the same band are candidates.

    A key is the XXH3-64 of the band's `rows` 32-bit minima, little-endian. Empty for a text without words.

    Raises:
        ValueError: `bands` or `rows` is less than 1.
    """
    if bands < 1 or rows < 1:
        raise ValueError(f"bands and rows must be at least 1, not {bands} and {rows}")
    minima = hashvalues(text, bands * rows, seed)
    if minima is None:
        return []
    return [xxhash.xxh3_64_intdigest(row.tobytes()) for row in minima.astype("<u4").reshape(bands, rows)]


def hashvalues(text: str, permutations: int, seed: int = 1) -> Hashes | None:
    """The text's MinHash signature, `permutations` 32-bit minima; None for a text without words.

    They equal those of datasketch 2 for the same seed (scheme `affine32`, hash function xxh32); computed here,
    because importing datasketch costs every worker over a second of SciPy.
    """
    pieces = shingles(text)
    if not pieces:
        return None
    a, b = _permutations(permutations, seed)
    minima = np.full(permutations, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(pieces), _BLOCK):
        block = pieces[start : start + _BLOCK]
        hashes = _mix(np.fromiter(map(xxhash.xxh32_intdigest, block), np.uint32, len(block)))
        np.minimum(minima, (hashes[:, None] * a + b).min(axis=0), out=minima)
    return minima


def signature(text: str, permutations: int = 112, seed: int = 1) -> Any:
    """The text's signature as a `datasketch.MinHash`, for its classes: LSH, forests, Jaccard estimates."""
    from datasketch import MinHash

    minima = hashvalues(text, permutations, seed)
    return MinHash(num_perm=permutations, seed=seed, hashfunc=xxhash.xxh32_intdigest, scheme=SCHEME, hashvalues=minima)


@lru_cache(maxsize=8)
def _permutations(count: int, seed: int) -> tuple[Hashes, Hashes]:
    """Odd factors and summands of `count` permutations of the 32-bit numbers, drawn as datasketch draws them."""
    dice = np.random.RandomState(seed)
    factors = dice.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, dice.randint(0, 1 << 32, count, dtype=np.uint32)


def _mix(hashes: Hashes) -> Hashes:
    """MurmurHash3's 32-bit finaliser (Appleby, public domain)."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


def text_digest(text: str) -> str:
    """XXH3-128, 32 hex digits, of the case-folded NFC text with each run of white space as one space."""
    folded = " ".join(fold(text).split())
    return str(xxhash.xxh3_128_hexdigest(folded.encode("utf-8", "surrogatepass")))


def collision(similarity: float, bands: int = 14, rows: int = 8) -> float:
    """Probability that two documents of Jaccard `similarity` share a band: 1 - (1 - s^rows)^bands."""
    return 1.0 - (1.0 - similarity**rows) ** bands
