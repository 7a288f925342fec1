"""The compiled half of `retrieval/overlap_hashes.py`: words to hashes, and which texts may overlap with a benchmark."""

from __future__ import annotations

from functools import partial

import numpy as np

from filters import compiling
from filters.minhash_kernel import _fold

compiled = partial(compiling.compiled, nogil=True, error_model="numpy")

BASE, FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
"""Odd multipliers of the polynomials over a word's bytes and over words."""
INVERSE = np.uint64(pow(int(FACTOR), -1, 1 << 64))
_M1, _M2, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)
_ONE = np.uint64(1)


@compiled()
def hash_words(data, offsets, props, folds, folding, hashes, counts):  # type: ignore[no-untyped-def]
    """The hash of every word.

    Args:
        data: UTF-8 of all texts; text i from offsets[i] to offsets[i + 1].
        props, folds: tables of `filters.minhash_tables.code_points`.
        folding: fold case here.
        hashes: room for half the data and one more a text, filled with the words' hashes, end to end.
        counts: (texts,), made the number of words; -1 for a text that `filters.words.fold` has to fold before.
    """
    longest = 0
    for i in range(len(counts)):
        longest = max(longest, offsets[i + 1] - offsets[i])
    run, plain = np.empty(2 * longest + 16, np.uint8), np.empty(2 * longest + 16, np.uint8)
    starts = np.empty(longest // 2 + 8, np.uint32)
    end = 0
    for i in range(len(counts)):
        found, length, _, _ = _fold(data[offsets[i] : offsets[i + 1]], props, folds, folding, run, starts, plain)
        counts[i] = found
        starts[max(found, 0)] = length + 1
        for k in range(found):
            value, power = np.uint64(0), _ONE
            for j in range(starts[k], starts[k + 1] - 1):
                value += (np.uint64(run[j]) + _ONE) * power
                power *= BASE
            hashes[end + k] = _mixed(value)
        end += max(found, 0)


@compiled()
def scan(words, bounds, near, long, common, smallest, jaccard, share, flags, hits):  # type: ignore[no-untyped-def]
    """Which texts may overlap with a benchmark; every text that does is among them.

    Args:
        words, bounds: words' hashes; those of text i from bounds[i] to bounds[i + 1].
        near, long: (n, keys, first, shift, bits, bits_shift) of the benchmark's short and long n-grams.
        common: of each long n-gram, whether it is a formula.
        smallest: of each long n-gram, distinct n-grams of the shortest text with it.
        jaccard, share: the least that count.
        flags: (texts,) made true where a text may be a near-duplicate, contain a text or be contained.
        hits: (texts,) made the number of long n-grams, repeats and formulas included, that the benchmark has.
    """
    longest = 1
    for i in range(len(flags)):
        longest = max(longest, bounds[i + 1] - bounds[i])
    size = 2
    while size < 2 * longest:
        size *= 2
    room = np.empty(size, np.uint64)
    for i in range(len(flags)):
        text = words[bounds[i] : bounds[i + 1]]
        hits[i] = 0
        if len(text):
            flags[i] = _may_be_near(text, near, jaccard, room)
            flagged, hits[i] = _may_contain(text, long, common, smallest, share, room)
            flags[i] |= flagged


@compiled()
def _may_be_near(text, table, jaccard, room):  # type: ignore[no-untyped-def]
    """Whether the benchmark has so many of the text's distinct n-grams that one of its texts can be similar enough."""
    n = min(len(text), table[0])
    grams = len(text) - n + 1
    allowed = (1.0 - jaccard) * grams + 1e-9
    size = _clear(room, grams)
    rolled, top = _first(text, n)
    missed = 0
    for k in range(grams):
        if k:
            rolled = (rolled - text[k - 1]) * INVERSE + text[k + n - 1] * top
        gram = _mixed(rolled)
        if _find(table, gram) < 0 and _add(room, size, gram):
            missed += 1
            if missed > allowed:
                return False
    return True


@compiled()
def _may_contain(text, table, common, smallest, share, room):  # type: ignore[no-untyped-def]
    """Whether enough of the n-grams are the benchmark's, and how many positions hold one of its n-grams."""
    n = table[0]
    grams = len(text) - n + 1
    if grams < 1:
        return False, 0
    rolled, top = _first(text, n)
    hits, telling, least = 0, 0, np.int64(1) << 62
    for k in range(grams):
        if k:
            rolled = (rolled - text[k - 1]) * INVERSE + text[k + n - 1] * top
        place = _find(table, _mixed(rolled))
        if place >= 0:
            hits += 1
            if not common[place]:
                telling += 1
                least = min(least, smallest[place])
    if telling == 0:
        return False, hits
    if telling >= share * least - 1e-9 or telling >= share * grams - 1e-9:
        return True, hits
    return telling >= share * _distinct(text, n, room) - 1e-9, hits


@compiled()
def _distinct(text, n, room):  # type: ignore[no-untyped-def]
    size = _clear(room, len(text) - n + 1)
    rolled, top = _first(text, n)
    found = 0
    for k in range(len(text) - n + 1):
        if k:
            rolled = (rolled - text[k - 1]) * INVERSE + text[k + n - 1] * top
        found += _add(room, size, _mixed(rolled))
    return found


@compiled()
def _first(text, n):  # type: ignore[no-untyped-def]
    """The sum over the first n words of word times power of FACTOR, and the last of the powers."""
    value, power, top = np.uint64(0), _ONE, _ONE
    for k in range(n):
        value += text[k] * power
        top = power
        power *= FACTOR
    return value, top


@compiled(inline="always")
def _find(table, gram):  # type: ignore[no-untyped-def]
    """Place of an n-gram among the benchmark's, -1 without."""
    _, keys, first, shift, bits, bits_shift = table
    bit = gram >> bits_shift
    if not bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & _ONE:
        return -1
    bucket = gram >> shift
    for place in range(first[bucket], first[bucket + _ONE]):
        if keys[place] == gram:
            return place
    return -1


@compiled(inline="always")
def _clear(room, count):  # type: ignore[no-untyped-def]
    """Empty a set for so many values; its size, a power of two."""
    size = 2
    while size < 2 * count:
        size *= 2
    room[:size] = 0
    return size


@compiled(inline="always")
def _add(room, size, value):  # type: ignore[no-untyped-def]
    """Whether a value is new to the set."""
    value = max(value, _ONE)
    slot = np.int64(value & np.uint64(size - 1))
    while room[slot] != 0:
        if room[slot] == value:
            return False
        slot = (slot + 1) & (size - 1)
    room[slot] = value
    return True


@compiled(inline="always")
def _mixed(value):  # type: ignore[no-untyped-def]
    """Appleby's 64-bit finaliser of MurmurHash3."""
    value = (value ^ value >> _SHIFT) * _M1
    value = (value ^ value >> _SHIFT) * _M2
    return value ^ value >> _SHIFT
