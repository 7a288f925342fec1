"""MinHash bands for near-duplicates and a digest for exact copies.

Two documents whose shingle sets have Jaccard similarity s share at least one band with probability
1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4).
Numbers stay as they are: annexes that differ only in the figures of a table are different documents.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import xxhash

from filters.words import fold, unspaced, words

SHINGLE = 5
"""Words in a shingle; characters in scripts without spaces."""
SCHEME = "affine32"
"""Permutations of datasketch, named so that a new default there cannot change the keys of a corpus."""
_BLOCK = 4096  # shingles per update: a block's table of permuted hashes (2 MB) stays in the cache


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
    pieces = shingles(text)
    if not pieces:
        return []
    signature = _empty_signature(bands * rows, seed).copy()
    for start in range(0, len(pieces), _BLOCK):
        signature.update_batch(pieces[start : start + _BLOCK])
    table = signature.hashvalues.astype("<u4").reshape(bands, rows)
    return [xxhash.xxh3_64_intdigest(row.tobytes()) for row in table]


@lru_cache(maxsize=8)
def _empty_signature(permutations: int, seed: int) -> Any:
    from datasketch import MinHash

    return MinHash(num_perm=permutations, seed=seed, hashfunc=xxhash.xxh32_intdigest, scheme=SCHEME)


def text_digest(text: str) -> str:
    """XXH3-128, 32 hex digits, of the case-folded NFC text with each run of white space as one space."""
    folded = " ".join(fold(text).split())
    return str(xxhash.xxh3_128_hexdigest(folded.encode("utf-8", "surrogatepass")))


def collision(similarity: float, bands: int = 14, rows: int = 8) -> float:
    """Probability that two documents of Jaccard `similarity` share a band: 1 - (1 - s^rows)^bands."""
    return 1.0 - (1.0 - similarity**rows) ** bands
