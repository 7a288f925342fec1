"""Gopher's repetition of word n-grams (Rae et al. 2021, arXiv 2112.11446, table A1), exact and for all n in one go.

An n-gram is known by the number of its first n-1 words and its last word, and repeats only where its first n-1 words
do: each n looks only at the places that n-1 left, and sorts them once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import count
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

LONGEST = 10
_MOST_FREQUENT = 4  # the longest n of which the most frequent n-gram is asked, and not all repeats
_BITS = 18
MOST_WORDS = (1 << _BITS) - LONGEST
"""Words of a text that are looked at, at most: three numbers of so many bits fit into one of 64."""
_PLACE = (1 << _BITS) - 1
_FEW = 100  # places
_Item = TypeVar("_Item")


def number(items: list[_Item]) -> tuple[Numbers, list[_Item]]:
    """Each item as its place in the list of the distinct ones, and that list, in order of appearance."""
    numbers: defaultdict[_Item, int] = defaultdict(count().__next__)
    return np.fromiter(map(numbers.__getitem__, items), np.int64, len(items)), list(numbers)


def repetition(ids: Numbers, before: Numbers) -> dict[int, int]:
    """Characters by n: for n of 2 to 4, of all occurrences of the most frequent n-gram; for 5 to 10, of repeats.

    The most frequent n-gram is written with single spaces; of equally frequent ones the first counts. Repeats are
    counted in one walk from left to right, which jumps over an n-gram that it has met before, so no word counts twice.

    Args:
        ids: one number per word, equal for equal words; below MOST_WORDS, as is their count.
        before: characters of all words before each word and, last, of all words.
    """
    result = dict.fromkeys(range(2, LONGEST + 1), 0)
    if len(ids) < 2:
        return result
    # Numbers that occur once stand behind the text: an n-gram that runs over its end repeats nowhere.
    padded = np.append(ids, np.arange(len(ids), len(ids) + LONGEST))
    places, groups = np.arange(len(ids), dtype=np.int64), ids
    for n in range(2, LONGEST + 1):
        if n > _MOST_FREQUENT and len(places) < _FEW:
            _finish(result, n, places, groups, padded.tolist(), before.tolist())
            break
        keys = np.sort((groups << _BITS | padded[places + (n - 1)]) << _BITS | places)
        again = np.zeros(len(keys) + 1, np.bool_)  # True where the n-gram is the one before
        again[1:-1] = (keys[1:] ^ keys[:-1]) <= _PLACE
        if n <= min(_MOST_FREQUENT, len(ids)):
            result[n] = _most_frequent(keys & _PLACE, np.flatnonzero(~again), before, n)
        several = again[:-1] | again[1:]
        places, groups = keys[several] & _PLACE, np.cumsum(~again[:-1][several])
        if n > _MOST_FREQUENT:
            ordered = np.sort(places << _BITS | groups)
            result[n] = _repeated((ordered >> _BITS).tolist(), (ordered & _PLACE).tolist(), before, n)
    return result


def _most_frequent(places: Numbers, bounds: Numbers, before: Numbers, n: int) -> int:
    """Where no n-gram occurs twice, the text's first one is the most frequent, as in datatrove."""
    sizes = bounds[1:] - bounds[:-1]
    most = int(sizes.max(initial=1))
    place = int(places[bounds[:-1][sizes == most]].min()) if most > 1 else 0
    return most * (int(before[place + n] - before[place]) + n - 1)


def _repeated(places: list[int], groups: list[int], before: Sequence[int] | Numbers, n: int) -> int:
    seen: set[int] = set()
    chars = free = 0
    for place, group in zip(places, groups, strict=True):
        if place < free:
            continue
        if group in seen:
            free = place + n
            chars += int(before[free] - before[place])
        else:
            seen.add(group)
    return chars


def _finish(
    result: dict[int, int], start: int, found: Numbers, numbers: Numbers, ids: list[int], before: list[int]
) -> None:
    """Fill `result` from n = `start` on. Few places are left, for which loops are faster than arrays."""
    ordered = np.sort(found << _BITS | numbers)
    places, groups = (ordered >> _BITS).tolist(), (ordered & _PLACE).tolist()
    for n in range(start, LONGEST + 1):
        keys = [group << _BITS | ids[place + n - 1] for place, group in zip(places, groups, strict=True)]
        times = Counter(keys)
        if len(times) == len(keys):
            return
        kept = [(place, key) for place, key in zip(places, keys, strict=True) if times[key] > 1]
        first: dict[int, int] = {}
        places, groups = [place for place, _ in kept], [first.setdefault(key, place) for place, key in kept]
        result[n] = _repeated(places, groups, before, n)
