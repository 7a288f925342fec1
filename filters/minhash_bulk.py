"""MinHash band keys and text digests of many texts at once, equal to those of `filters/minhash.py`.

With numba (`florilege[fast]`), texts are folded, split and hashed as the bytes they are in Arrow, at a tenth of the
time and without the interpreter's lock, so that threads run side by side. Without it, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from filters import compiling, minhash
from filters.words import fold


@dataclass(frozen=True, slots=True)
class Signed:
    """What is compared of `n` texts."""

    minima: npt.NDArray[np.uint32]
    """(n, permutations) signatures; rows of texts without words mean nothing."""
    shingles: npt.NDArray[np.int64]
    """(n,) shingles of each text, repeats included; 0 without words."""
    digests: npt.NDArray[np.uint64]
    """(n, 2) high and low half of each text's XXH3-128: `text_digest` as two numbers."""
    sizes: npt.NDArray[np.int64]
    """(n,) bytes of each text, case- and space-folded, as UTF-8."""


def signed(texts: pa.Array, permutations: int, seed: int = 1) -> Signed:
    """Sign texts.

    Args:
        texts: array of strings; a null is an empty text.

    Raises:
        pyarrow.ArrowInvalid: a text is not UTF-8.
    """
    texts = _strings(texts)
    if not compiling.available():
        return _one_by_one(texts, permutations, seed)
    found, again = _compiled(texts, permutations, seed, folding=True)
    if len(again):
        folded = pa.array([fold(text.as_py()) for text in texts.take(pa.array(again))], pa.large_string())
        rest, _ = _compiled(folded, permutations, seed, folding=False)
        found.minima[again], found.shingles[again] = rest.minima, rest.shingles
        found.digests[again], found.sizes[again] = rest.digests, rest.sizes
    return found


def shingle_sets(texts: pa.Array) -> list[npt.NDArray[np.uint32]]:
    """Of each text, the distinct hashes of its shingles, ascending; none without words.

    The hashes are MurmurHash3's finalisers of XXH32: those that the signature is made of.

    Args:
        texts: array of strings; a null is an empty text.

    Raises:
        pyarrow.ArrowInvalid: a text is not UTF-8.
    """
    texts = _strings(texts)
    if not compiling.available():
        return [np.unique(minhash.hashed(minhash.shingles(text.as_py()))) for text in texts]
    found = _compiled_sets(texts, folding=True)
    again = [i for i, hashes in enumerate(found) if hashes is None]
    if again:
        folded = pa.array([fold(texts[i].as_py()) for i in again], pa.large_string())
        for i, hashes in zip(again, _compiled_sets(folded, folding=False), strict=True):
            found[i] = hashes
    return [hashes for hashes in found if hashes is not None]


def _strings(texts: pa.Array) -> pa.Array:
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        texts = texts.cast(pa.large_string())
    texts.validate(full=True)
    if texts.null_count:
        texts = texts.fill_null("")
    return texts


def _one_by_one(texts: pa.Array, permutations: int, seed: int) -> Signed:
    minima, shingles = np.zeros((len(texts), permutations), np.uint32), np.zeros(len(texts), np.int64)
    plain = []
    for i, scalar in enumerate(texts):
        text = scalar.as_py()
        plain.append(minhash.plain(text))
        values, shingles[i] = minhash.counted_hashvalues(text, permutations, seed)
        if values is not None:
            minima[i] = values
    sizes = np.fromiter(map(len, plain), np.int64)
    return Signed(minima, shingles, _halves(list(map(xxhash.xxh3_128_digest, plain))), sizes)


def _compiled(texts: pa.Array, permutations: int, seed: int, *, folding: bool) -> tuple[Signed, npt.NDArray[np.int64]]:
    """Signatures, and which texts have none because they need `fold`."""
    kernel, props, folds = _kernel()
    n = len(texts)
    held, bounds = _bytes(texts)
    minima, shingles = np.full((n, permutations), 0xFFFFFFFF, np.uint32), np.zeros(n, np.int64)
    plain, ends = np.empty(2 * int(bounds[-1] - bounds[0]) + n, np.uint8), np.zeros(n + 1, np.int64)
    drawn = minhash.permuting(permutations, seed)
    kernel.sign(held, bounds, props, folds, folding, minhash.SHINGLE, *drawn, minima, shingles, plain, ends)
    view, cuts = plain.data, ends.tolist()
    pieces = map(view.__getitem__, map(slice, cuts, cuts[1:]))
    digests = _halves(list(map(xxhash.xxh3_128_digest, pieces)))
    return Signed(minima, shingles, digests, np.diff(ends)), np.flatnonzero(shingles < 0)


def _compiled_sets(texts: pa.Array, *, folding: bool) -> list[npt.NDArray[np.uint32] | None]:
    """Sets of hashes, None for texts that need `fold`."""
    kernel, props, folds = _kernel()
    held, bounds = _bytes(texts)
    sets = np.empty(int(bounds[-1] - bounds[0]) // 2 + len(texts), np.uint32)
    ends = np.zeros(len(texts) + 1, np.int64)
    kernel.hash_sets(held, bounds, props, folds, folding, minhash.SHINGLE, sets, ends)
    known = ends >= 0
    cuts = np.where(known, ends, -1 - ends).tolist()
    return [sets[cuts[i] : cuts[i + 1]] if known[i + 1] else None for i in range(len(texts))]


def _bytes(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The texts' bytes, and where in them each begins and the last ends."""
    _, offsets, data = texts.buffers()
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    bounds = np.zeros(1, np.int64)
    if len(texts):
        bounds = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8), bounds


def _halves(digests: list[bytes]) -> npt.NDArray[np.uint64]:
    return np.frombuffer(b"".join(digests), ">u8").reshape(-1, 2).astype(np.uint64)


@lru_cache(maxsize=1)
def _kernel() -> tuple[Any, Any, Any]:
    from filters import minhash_kernel, minhash_tables

    return minhash_kernel, *minhash_tables.code_points()
