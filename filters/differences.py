"""Where a text and its reference differ, word by word, for a person to look at.

Words are those of `filters.fidelity.order`: case-folded, without punctuation, hyphens at line ends joined. The
alignment is patience-style: word n-grams that stand once on either side tie the sides together, longest first, and
what is left between two ties is aligned in the same way. Each level sees every word once, so time is linear.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import regex

from filters.words import fold, words

Kind = Literal["lost", "added", "moved", "elsewhere", "spaced"]
"""lost: words of the reference that the text has not. added: words of the text that the reference has not.
moved: words of the text that the reference has at another place; elsewhere: that place, seen from the reference.
spaced: the same letters on both sides, cut into other words.
"""

_RUN = r"[\p{L}\p{M}\p{N}]++"
_CUT = r"(?:\u00ad[ \t]*+\n?[ \t]*+|(?<=\p{L})[-\u2010][ \t]*+\n\s*+(?=\p{Ll}))"
_CHUNK = regex.compile(rf"{_RUN}(?:{_CUT}{_RUN})*+")
_JOINT = regex.compile(r"[-\u2010\u00ad]\s*")
_SIZES = (5, 5, 3, 3, 2, 1, 1)
"""Words of the n-grams of each level; a second level of a size finds what is single only between two ties."""
_CELLS = 4096
"""Most pairs of words that are compared each with each, where no tie is left."""
_CHANCE = ((2, 4), (10, 10))
"""Equal words in a row, and how many times as many others on both sides make them chance."""
_MOVED = 4
"""Words in a row that make a move: fewer may be a chance."""

Match = tuple[int, int, int]
Gap = tuple[int, int, int, int]


class Difference(NamedTuple):
    """A place where text and reference differ."""

    kind: Kind
    start: int
    """`text[start:end]` is the text's side; empty for lost and elsewhere."""
    end: int
    reference_start: int
    """`reference[reference_start:reference_end]` is the reference's side; empty for added and moved."""
    reference_end: int
    words: int
    """Words of the reference's side, or of the text's where that is empty."""


class Words(NamedTuple):
    """The words of a text, folded, and where each stands in it."""

    folded: list[str]
    starts: array[int]
    ends: array[int]


def differences(text: str, reference: str) -> list[Difference]:
    """All differences, by place in the text; what lies between two of them is the same words on both sides."""
    ours, theirs = located(text), located(reference)
    gaps = _gaps(_matches(ours.folded, theirs.folded), len(ours.folded), len(theirs.folded))
    moved, elsewhere = _moves(ours.folded, theirs.folded, gaps)
    return [found for gap in gaps for found in _describe(text, ours, theirs, gap, moved, elsewhere)]


def located(text: str) -> Words:
    """The words of `text` and their places; a word cut by a hyphen at a line's end is one."""
    found = Words([], array("l"), array("l"))
    for chunk in _CHUNK.finditer(text):
        whole = _JOINT.sub("", chunk[0])
        parts = words(whole)
        if len(parts) <= 1:
            found.folded.append(fold(whole))
            found.starts.append(chunk.start())
            found.ends.append(chunk.end())
            continue
        at = chunk.start()
        for part in parts:  # letters of a script without spaces are a word each
            at = max(at, text.find(part, at, chunk.end()))
            found.folded.append(fold(part))
            found.starts.append(at)
            at = min(at + len(part), chunk.end())
            found.ends.append(at)
    return found


def _matches(ours: Sequence[str], theirs: Sequence[str]) -> list[Match]:
    """Runs of equal words (place in ours, place in theirs, length), in order on both sides, none overlapping."""
    found: list[Match] = []
    left: list[tuple[int, int, int, int, int]] = [(0, len(ours), 0, len(theirs), 0)]
    while left:
        a, a_end, b, b_end, level = left.pop()
        head = 0
        while a + head < a_end and b + head < b_end and ours[a + head] == theirs[b + head]:
            head += 1
        found.append((a, b, head))
        a, b = a + head, b + head
        tail = 0
        while a < a_end - tail and b < b_end - tail and ours[a_end - 1 - tail] == theirs[b_end - 1 - tail]:
            tail += 1
        a_end, b_end = a_end - tail, b_end - tail
        found.append((a_end, b_end, tail))
        if a == a_end or b == b_end:
            continue
        if level == len(_SIZES):
            found += _common(ours, theirs, (a, a_end, b, b_end))
            continue
        for i, j, size in _ties(ours, theirs, (a, a_end, b, b_end), _SIZES[level]):
            found.append((i, j, size))
            left.append((a, i, b, j, level + 1))
            a, b = i + size, j + size
        left.append((a, a_end, b, b_end, level + 1))
    return sorted(match for match in found if match[2])


def _ties(ours: Sequence[str], theirs: Sequence[str], gap: Gap, size: int) -> list[Match]:
    """Runs of n-grams that stand once on either side of the gap, the longest series in the same order on both."""
    here, there = _once(ours, gap[0], gap[1], size), _once(theirs, gap[2], gap[3], size)
    pairs = [(place, there[gram]) for gram, place in here.items() if place >= 0 and there.get(gram, -1) >= 0]
    runs: list[Match] = []
    for i, j in _rising(pairs):
        a, b, n = runs[-1] if runs else (-1, -1, 0)
        if runs and i - a == j - b and i <= a + n:
            runs[-1] = (a, b, i - a + size)
        elif i >= a + n and j >= b + n:
            runs.append((i, j, size))
    return runs


def _once(side: Sequence[str], start: int, end: int, size: int) -> dict[tuple[str, ...], int]:
    """Each n-gram with its place, or -1 where it stands more than once; in order of their first places."""
    places: dict[tuple[str, ...], int] = {}
    for place in range(start, end - size + 1):
        gram = tuple(side[place : place + size])
        places[gram] = -1 if gram in places else place
    return places


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A longest series of pairs that rises on both sides; the pairs come by their first."""
    tops: list[int] = []
    top_at: list[int] = []
    before = [-1] * len(pairs)
    for index, (_, value) in enumerate(pairs):
        place = bisect_left(tops, value)
        before[index] = top_at[place - 1] if place else -1
        tops[place : place + 1] = [value]
        top_at[place : place + 1] = [index]
    chain = []
    index = top_at[-1] if top_at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _common(ours: Sequence[str], theirs: Sequence[str], gap: Gap) -> list[Match]:
    """A longest common subsequence of a small gap; nothing for one of more than `_CELLS` pairs."""
    a, a_end, b, b_end = gap
    if (a_end - a) * (b_end - b) > _CELLS:
        return []
    width = b_end - b
    lengths = [[0] * (width + 1)]
    for i in range(a_end - 1, a - 1, -1):
        below, row = lengths[-1], [0] * (width + 1)
        for k in range(width - 1, -1, -1):
            row[k] = below[k + 1] + 1 if ours[i] == theirs[b + k] else max(below[k], row[k + 1])
        lengths.append(row)
    lengths.reverse()
    found, i, k = [], 0, 0
    while i < a_end - a and k < width:
        if ours[a + i] == theirs[b + k]:
            found.append((a + i, b + k, 1))
            i, k = i + 1, k + 1
        elif lengths[i + 1][k] >= lengths[i][k + 1]:
            i += 1
        else:
            k += 1
    return found


def _gaps(matches: list[Match], our_end: int, their_end: int) -> list[Gap]:
    """What lies between the matches, as places on both sides; a few equal words in a sea of others are chance."""
    merged: list[Match] = []
    for a, b, size in matches:
        if merged and (a, b) == (merged[-1][0] + merged[-1][2], merged[-1][1] + merged[-1][2]):
            merged[-1] = (*merged[-1][:2], merged[-1][2] + size)
        else:
            merged.append((a, b, size))
    gaps: list[Gap] = []
    i = j = 0
    merged.append((our_end, their_end, 0))
    for index, (a, b, size) in enumerate(merged[:-1]):
        next_a, next_b, _ = merged[index + 1]
        sea = min(max(a - i, b - j), max(next_a - a, next_b - b) - size)
        if any(size <= most and sea >= times * size for most, times in _CHANCE):
            continue
        gaps.append((i, a, j, b))
        i, j = a + size, b + size
    gaps.append((i, our_end, j, their_end))
    return [gap for gap in gaps if gap[0] < gap[1] or gap[2] < gap[3]]


def _moves(ours: Sequence[str], theirs: Sequence[str], gaps: list[Gap]) -> tuple[bytearray, bytearray]:
    """Flags of the words on each side that the other has in another gap."""
    here, there = bytearray(len(ours)), bytearray(len(theirs))
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for _, _, b, b_end in reversed(gaps):
        for place in range(b_end - _MOVED, b - 1, -1):
            places.setdefault(tuple(theirs[place : place + _MOVED]), []).append((place, b_end))
    for i, i_end, _, _ in gaps:
        while i <= i_end - _MOVED:
            wanted = places.get(tuple(ours[i : i + _MOVED]), [])
            while wanted and any(there[wanted[-1][0] : wanted[-1][0] + _MOVED]):
                wanted.pop()
            if not wanted:
                i += 1
                continue
            j, j_end = wanted.pop()
            while i < i_end and j < j_end and ours[i] == theirs[j] and not there[j]:
                here[i] = there[j] = 1
                i, j = i + 1, j + 1
    return here, there


def _describe(
    text: str, ours: Words, theirs: Words, gap: Gap, moved: bytearray, elsewhere: bytearray
) -> Iterator[Difference]:
    """The differences of one gap: first what the reference has, then what the text has."""
    a, a_end, b, b_end = gap
    if a < a_end and b < b_end and "".join(ours.folded[a:a_end]) == "".join(theirs.folded[b:b_end]):
        ends = (ours.starts[a], ours.ends[a_end - 1], theirs.starts[b], theirs.ends[b_end - 1])
        yield Difference("spaced", *ends, b_end - b)
        return
    place = ours.starts[a] if a < a_end else _after_word(text, ours, a)
    for flag, first, end in _runs(elsewhere, b, b_end):
        there = (theirs.starts[first], theirs.ends[end - 1])
        yield Difference("elsewhere" if flag else "lost", place, place, *there, end - first)
    there_end = theirs.ends[b_end - 1] if b_end else 0
    for flag, first, end in _runs(moved, a, a_end):
        here = (ours.starts[first], ours.ends[end - 1])
        yield Difference("moved" if flag else "added", *here, there_end, there_end, end - first)


def _after_word(text: str, ours: Words, index: int) -> int:
    """The place before word `index` where something is missing: after the word before it and its punctuation."""
    if index == 0:
        return 0
    place = ours.ends[index - 1]
    limit = ours.starts[index] if index < len(ours.starts) else len(text)
    while place < limit and not text[place].isspace():
        place += 1
    return place


def _runs(flags: bytearray, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Runs of one flag between start and end: (flag, first, end)."""
    first = start
    for place in range(start + 1, end + 1):
        if place == end or flags[place] != flags[first]:
            yield flags[first], first, place
            first = place
