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
_SHIFT = np.uint64(33)
_FACTORS = np.array([0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53], np.uint64)

PRESETS = {"datatrove": (14, 8), "hplt": (17, 15)}
"""Bands and rows of datatrove's and FineWeb's MinHash, and of HPLT 3.0's (which hashes single words, not 5-grams)."""

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
    if not folded.isascii() and unspaced(folded):
        run = "".join(found)
        return [run[i : i + SHINGLE] for i in range(max(1, len(run) - SHINGLE + 1))]
    if len(found) < SHINGLE:
        return [" ".join(found)]
    return list(map(" ".join, zip(*(found[k:] for k in range(SHINGLE)), strict=False)))


def bands(text: str, *, bands: int = 14, rows: int = 8, seed: int = 1) -> list[int]:
    """One unsigned 64-bit key per band: texts with an equal key in the same band are candidates.

    Empty for a text without words. `filters.minhash_bulk.signed` gives the same keys for many texts at once.

    Raises:
        ValueError: `bands` or `rows` is less than 1.
    """
    if bands < 1 or rows < 1:
        raise ValueError(f"bands and rows must be at least 1, not {bands} and {rows}")
    minima = hashvalues(text, bands * rows, seed)
    return [] if minima is None else list(map(int, band_keys(minima[None], bands)[0]))


def band_keys(minima: Hashes, bands: int) -> npt.NDArray[np.uint64]:
    """Hash the minima of each band.

    Args:
        minima: (texts, bands * rows) signatures.

    Returns:
        (texts, bands) 64-bit hashes: the minima are taken in one after the other, each step a multiplication and a
        shift, then Appleby's finaliser of MurmurHash3 mixes the bits.
    """
    rows = minima.shape[1] // bands
    taken = minima.reshape(len(minima), bands, rows).astype(np.uint64)
    keys: npt.NDArray[np.uint64] = np.full((len(minima), bands), rows, np.uint64)
    for row in range(rows):
        keys = (keys ^ taken[:, :, row]) * _FACTORS[0]
        keys ^= keys >> _SHIFT
    keys = (keys ^ (keys >> _SHIFT)) * _FACTORS[1]
    keys ^= keys >> _SHIFT
    return keys


def hashvalues(text: str, permutations: int, seed: int = 1) -> Hashes | None:
    """The text's MinHash signature, `permutations` 32-bit minima; None for a text without words.

    They equal those of datasketch 2 for the same seed (scheme `affine32`, hash function xxh32); computed here,
    because importing datasketch costs every worker over a second of SciPy.
    """
    return counted_hashvalues(text, permutations, seed)[0]


def counted_hashvalues(text: str, permutations: int, seed: int = 1) -> tuple[Hashes | None, int]:
    """`hashvalues`, and the number of shingles, repeats included."""
    pieces = shingles(text)
    if not pieces:
        return None, 0
    a, b = permuting(permutations, seed)
    minima = np.full(permutations, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(pieces), _BLOCK):
        block = pieces[start : start + _BLOCK]
        hashes = hashed(block)
        np.minimum(minima, (hashes[:, None] * a + b).min(axis=0), out=minima)
    return minima, len(pieces)


def signature(text: str, permutations: int = 112, seed: int = 1) -> Any:
    """The text's signature as a `datasketch.MinHash`, for its classes: LSH, forests, Jaccard estimates."""
    from datasketch import MinHash

    minima = hashvalues(text, permutations, seed)
    return MinHash(num_perm=permutations, seed=seed, hashfunc=xxhash.xxh32_intdigest, scheme=SCHEME, hashvalues=minima)


@lru_cache(maxsize=8)
def permuting(count: int, seed: int) -> tuple[Hashes, Hashes]:
    """Odd factors and summands of `count` permutations of the 32-bit numbers, drawn as datasketch draws them."""
    dice = np.random.RandomState(seed)
    factors = dice.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, dice.randint(0, 1 << 32, count, dtype=np.uint32)


def hashed(pieces: list[str]) -> Hashes:
    """A 32-bit hash of each shingle: XXH32, mixed."""
    return _mix(np.fromiter(map(xxhash.xxh32_intdigest, pieces), np.uint32, len(pieces)))


def _mix(hashes: Hashes) -> Hashes:
    """MurmurHash3's 32-bit finaliser (Appleby, public domain)."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


def text_digest(text: str) -> str:
    """XXH3-128, 32 hex digits, of the `plain` text."""
    return str(xxhash.xxh3_128_hexdigest(plain(text)))


def plain(text: str) -> bytes:
    """The case-folded NFC text with each run of white space as one space, in UTF-8 (surrogates too)."""
    return " ".join(fold(text).split()).encode("utf-8", "surrogatepass")


def collision(similarity: float, bands: int = 14, rows: int = 8) -> float:
    """Probability that two documents of Jaccard `similarity` share a band: 1 - (1 - s^rows)^bands."""
    return 1.0 - (1.0 - similarity**rows) ** bands


def curve(bands: int, rows: int, steps: int = 20) -> list[tuple[float, float]]:
    """The S-curve: `steps` + 1 similarities from 0 to 1, each with its `collision`."""
    return [(k / steps, collision(k / steps, bands, rows)) for k in range(steps + 1)]


def best_bands(similarity: float, recall: float, permutations: int = 256) -> tuple[int, int]:
    """The steepest S-curve that still reaches `recall` at `similarity`.

    The most rows, because they give the fewest candidates below it, then the fewest bands that suffice.

    Args:
        similarity: Jaccard similarity of the pairs to be found, over 0 to 1.
        recall: share of them to be found, over 0, below 1 (up to 1 if `similarity` is 1).
        permutations: bands x rows at most.

    Returns:
        Bands and rows.

    Raises:
        ValueError: a figure is out of range, or so many permutations do not reach the recall.
    """
    if not (0 < similarity <= 1 and 0 < recall <= 1 and permutations >= 1):
        raise ValueError(f"no bands for similarity {similarity}, recall {recall} and {permutations} permutations")
    for rows in range(permutations, 0, -1):
        most = permutations // rows
        if collision(similarity, most, rows) >= recall:
            return next(n for n in range(1, most + 1) if collision(similarity, n, rows) >= recall), rows
    raise ValueError(
        f"{permutations} permutations find no {recall:.3f} of the pairs of similarity {similarity}, at most "
        f"{collision(similarity, permutations, 1):.3f}: ask for more permutations or less recall"
    )
