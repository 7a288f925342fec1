"""The sums of `filters.language_vectors`, compiled by Numba: the same numbers, several times as fast.

Words are cut, prepared and looked up character by character, so no Python object is made for any of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.compiling import compiled

SPACE, DROPPED = -1, -2
"""What a character can be, other than a letter of a word."""
SLOTS = 1 << 17
"""Words that are remembered; each has one place, and a word that falls on it takes it."""


class Memory:
    """A fastText model's tables as the kernel reads them, and the words that it has seen."""

    def __init__(
        self, table: NDArray[np.int32], words: list[bytes], rows: Any, of_hash: Any, slots: int = SLOTS
    ) -> None:
        """`table` gives for each code point what it is (see `measure`), `rows` the model's input matrix.

        `of_hash` has the row of each hash, in the order of the hashes, or -1. Four million bytes of it would not stay
        near the processor, and waiting for it was two thirds of the time: a bit a hash does.
        """
        bits = np.packbits(np.pad(of_hash >= 0, (0, -len(of_hash) % 64)), bitorder="little")
        self.bits = bits.view(np.uint64)
        self.ranks = np.cumsum(np.bitwise_count(self.bits), dtype=np.int64) - np.bitwise_count(self.bits)
        self.table = table
        size = 1 << max(1, (2 * len(words)).bit_length())
        self.word_keys, self.word_numbers = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        ends = np.cumsum([len(word) for word in words])
        _index(np.frombuffer(b"".join(words), np.uint8), ends, self.word_keys, self.word_numbers)
        self.keys = np.zeros(slots, np.uint64)
        self.sums = np.zeros((slots, rows.shape[1]), np.float32)
        self.features = np.zeros(slots, np.int64)


@compiled()
def _key(data: Any, start: int, end: int) -> Any:
    """FNV-1a of 64 bits; 0 stands for no word."""
    key = np.uint64(14695981039346656037)
    for at in range(start, end):
        key = (key ^ np.uint64(data[at])) * np.uint64(1099511628211)
    return key if key != 0 else np.uint64(1)


@compiled()
def _place(key: Any, size: int) -> Any:
    """The low bits of FNV are its worst: fold the high ones in."""
    return np.int64((key ^ (key >> np.uint64(32))) & np.uint64(size - 1))


@compiled()
def _index(data: Any, ends: Any, keys: Any, numbers: Any) -> None:
    """Fill an open-addressed table with the numbers of words."""
    start = 0
    for number in range(len(ends)):
        key = _key(data, start, ends[number])
        start = ends[number]
        place = _place(key, len(keys))
        while keys[place] != 0:
            place = (place + 1) % len(keys)
        keys[place] = key
        numbers[place] = number


@compiled()
def _number(key: Any, keys: Any, numbers: Any) -> Any:
    place = _place(key, len(keys))
    while keys[place] != 0:
        if keys[place] == key:
            return numbers[place]
        place = (place + 1) % len(keys)
    return -1


@compiled()
def _slot(key: Any, keys: Any) -> Any:
    """Where a word is remembered, or is to be: one of four places, the last of them when all are taken."""
    place = _place(key, len(keys)) & ~3
    for at in range(place, place + 3):
        if keys[at] == key or keys[at] == 0:
            return at
    return place + 3


@compiled()
def _ones(bits: Any) -> Any:
    """How many bits of 64 are set."""
    bits -= bits >> np.uint64(1) & np.uint64(0x5555555555555555)
    bits = (bits & np.uint64(0x3333333333333333)) + (bits >> np.uint64(2) & np.uint64(0x3333333333333333))
    bits = bits + (bits >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64(bits * np.uint64(0x0101010101010101) >> np.uint64(56))


@compiled()
def _compute(data: Any, size: int, number: Any, known: int, rows: Any, of_hash: Any, limits: Any, work: Any) -> Any:
    """Into `work[0]` the sum of the rows of the word `data[:size]`, < and > included; returns how many those were.

    `limits` is minn, maxn and the buckets.
    """
    minn, maxn, bucket = limits
    total, kept = work
    bits, ranks = of_hash
    total[:] = 0
    kept[0] = number
    features = np.int64(number >= 0)
    share = 1.0 / max(1, bucket)
    for start in range(size if bucket else 0):
        if data[start] & 0xC0 == 0x80:
            continue
        value = np.uint32(2166136261)
        at = start
        for n in range(1, maxn + 1):
            if at >= size:
                break
            while True:
                # fastText's bytes are signed: those from 128 fill the upper bits.
                byte = np.uint32(np.int8(data[at]))
                value = np.uint32((value ^ byte) * np.uint32(16777619))
                at += 1
                if at >= size or data[at] & 0xC0 != 0x80:
                    break
            if n < minn or (n == 1 and (start == 0 or at == size)):
                continue
            # The remainder of a division by `bucket`, of which a processor's own takes as long as all the rest.
            row = np.int64(value) - np.int64(value * share) * bucket
            if row < 0:
                row += bucket
            elif row >= bucket:
                row -= bucket
            # Without a branch: whether an n-gram was kept is a coin's toss, which no processor foresees.
            if len(bits):
                word, bit = bits[row >> 6], np.uint64(row & 63)
                row = ranks[row >> 6] + _ones(word & ((np.uint64(1) << bit) - np.uint64(1)))
                kept[features] = known + row
                features += np.int64(word >> bit & np.uint64(1))
            else:
                kept[features] = known + row
                features += 1
    for at in range(features):
        values = rows[kept[at]]
        for column in range(len(total)):
            total[column] += values[column]
    return features


@compiled()
def _is(data: Any, start: int, end: int, word: Any) -> bool:
    if end - start < len(word):
        return False
    same = True
    for at in range(len(word)):
        same &= data[start + at] == word[at]
    return same


_LABEL, _END = np.frombuffer(b"__label__", np.uint8), np.frombuffer(b"</s>", np.uint8)


@compiled()
def measure(
    codes: Any, ends: Any, table: Any, words: Any, known: int, rows: Any, of_hash: Any, limits: Any, memory: Any
) -> Any:
    """Sums of rows, features and letters of texts that stand one after another in `codes` (UTF-32).

    `ends` is where each ends. `table` has for a code point its lower-case one with the letters that it counts for in
    bits 21 and 22, or `SPACE`, or `DROPPED`. `words` are keys and numbers of the vocabulary, `known` its size;
    `memory` is keys, sums and features of words seen.
    """
    keys, sums, counts = memory
    dim = rows.shape[1]
    found = np.zeros((len(ends), dim), np.float64)
    features, letters = np.zeros(len(ends), np.int64), np.zeros(len(ends), np.int64)
    data = np.empty(4 * len(codes) + 2, np.uint8)
    data[0] = 60
    work = (np.zeros(dim, np.float64), np.empty(limits[1] * (len(codes) + 2) + 2, np.int64))
    at = 0
    for text in range(len(ends)):
        size, row = 1, found[text]
        while at <= ends[text]:
            what = np.int64(table[codes[at]]) if at < ends[text] else np.int64(SPACE)
            at += 1
            if what == DROPPED:
                continue
            if what >= 0:
                letters[text] += what >> 21
                size = _append(data, size, what & 0x1FFFFF)
                continue
            if size == 1:
                continue
            end, size = size, 1
            if _is(data, 1, end, _LABEL) or (end == 5 and _is(data, 1, end, _END)):
                continue
            key = _key(data, 1, end)
            place = _slot(key, keys)
            if keys[place] != key:
                data[end] = 62
                number = _number(key, words[0], words[1])
                counts[place] = _compute(data, end + 1, number, known, rows, of_hash, limits, work)
                sums[place] = work[0]
                keys[place] = key
            word = sums[place]
            for column in range(dim):
                row[column] += word[column]
            features[text] += counts[place]
        at = ends[text]
    return found, features, letters


@compiled()
def _append(data: Any, size: int, code: Any) -> Any:
    """Write a code point as UTF-8; returns the new size."""
    if code < 0x80:
        data[size] = code
        return size + 1
    if code < 0x800:
        data[size] = 0xC0 | code >> 6
        data[size + 1] = 0x80 | code & 63
        return size + 2
    if code < 0x10000:
        data[size] = 0xE0 | code >> 12
        data[size + 1] = 0x80 | code >> 6 & 63
        data[size + 2] = 0x80 | code & 63
        return size + 3
    data[size] = 0xF0 | code >> 18
    data[size + 1] = 0x80 | code >> 12 & 63
    data[size + 2] = 0x80 | code >> 6 & 63
    data[size + 3] = 0x80 | code & 63
    return size + 4
