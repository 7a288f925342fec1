"""What a fastText classifier counts of a text: its parts, the letters in it, the n-grams of its words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PART_CHARS = 1 << 18
"""Characters that are taken in hand at once; no word is longer, or it is cut."""

_PRIME, _BASIS = np.uint32(16777619), np.uint32(2166136261)

Ints = NDArray[np.int64]


def letter_weights(text: str) -> NDArray[np.uint8]:
    """For each character 0 if it is no letter, else 1, or 3 from U+2E80 on: such a letter says more."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.frombuffer(bytes(map(str.isalpha, text)), np.uint8) * np.where(codes >= 0x2E80, 3, 1).astype(np.uint8)


def parts(text: str) -> Iterator[str]:
    """`text` in pieces of at most `PART_CHARS` characters, cut at a space or a line break where there is one."""
    at = 0
    while len(text) - at > PART_CHARS:
        end = at + PART_CHARS
        cut = max(text.rfind(" ", at, end), text.rfind("\n", at, end)) + 1
        yield text[at : cut or end]
        at = cut or end
    yield text[at:] if at else text


def ngrams(text: bytes, sizes: Ints, minn: int, maxn: int) -> Iterator[tuple[Ints, NDArray[np.uint32]]]:
    """Hashes of the character n-grams of words that stand one after another, one length of n-grams at a time.

    `sizes` are the words' bytes in `text` (UTF-8), `<` and `>` around each word included. Gives, in the words' order,
    the number of the word and fastText's hash (FNV-1a, whose bytes are signed). A `<` or `>` alone is no n-gram.
    """
    data = np.frombuffer(text, np.int8)
    # fastText's characters start at every byte that continues no other.
    heads = np.flatnonzero((data.view(np.uint8) & 0xC0) != 0x80)
    lengths = np.diff(heads, append=len(data))
    signed = data.astype(np.int32).view(np.uint32)
    word_of = np.repeat(np.arange(len(sizes)), sizes)[heads]
    last = np.cumsum(np.bincount(word_of, minlength=len(sizes))) - 1
    left = last[word_of] - np.arange(len(heads))
    at = np.arange(len(heads))
    hashes = np.full(len(heads), _BASIS)
    for n in range(1, maxn + 1):
        inside = left[at] >= n - 1
        at, hashes = at[inside], hashes[inside]
        if not len(at):
            return
        added = at + (n - 1)
        for byte in range(int(lengths[added].max())):
            longer = lengths[added] > byte
            hashes[longer] = (hashes[longer] ^ signed[heads[added[longer]] + byte]) * _PRIME
        if n < minn:
            continue
        if n == 1:
            first = np.diff(word_of, prepend=-1) > 0
            letter = ~first & (left > 0)
            yield word_of[letter], hashes[letter]
        else:
            yield word_of[at], hashes
