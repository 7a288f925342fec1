"""What the compiled MinHash has to know of every code point."""

from __future__ import annotations

import unicodedata
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from filters.characters import CASED, KINDS, table, text_of

KIND = 7
"""Mask of the kinds of `filters.characters`."""
STABLE = 8
"""A text of such characters alone is folded character by character."""
assert KINDS <= KIND + 1

_HANGUL = range(0x1160, 0x1200)  # vowels and final consonants, which join the consonant before them


@lru_cache(maxsize=1)
def code_points() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Kind of each code point, with the bit STABLE, and what the first of them fold to if they are STABLE."""
    found = table().copy()
    low = text_of(0, CASED)  # of the rest, `fold` normalises those that need it
    inert = _inert(low)
    folded = np.arange(CASED, dtype=np.int32)
    single = np.ones(CASED, np.bool_)
    for point, other in enumerate(map(str.casefold, low)):
        if other != low[point]:
            single[point] = len(other) == 1
            folded[point] = ord(other[0])
    found[:CASED] |= STABLE * (inert & inert[folded] & single).astype(np.uint8)
    return found, folded


def _inert(text: str) -> npt.NDArray[np.bool_]:
    """Of which characters any sequence is in NFC: combining class 0, quick check Yes (UAX 15, section 9)."""
    found = np.fromiter(map(partial(unicodedata.is_normalized, "NFC"), text), np.bool_)
    found &= np.fromiter(map(unicodedata.combining, text), np.uint8) == 0
    for parts in filter(None, map(unicodedata.decomposition, text)):
        first, _, second = parts.partition(" ")
        if second and " " not in second and first[0] != "<":
            found[int(second, 16)] = False
    found[_HANGUL] = False
    return found
