"""MinHash of many texts at once, compiled by numba; `filters/minhash_bulk.py` is the way in.

Everything here gives what `filters/minhash.py` gives: a shingle of words joined by single spaces is a slice of the
text's folded words, so nothing is copied, and 32-bit hashes, permutations and minima stay in vector registers.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from filters import compiling
from filters.characters import LETTER, MARK, OTHER, PUNCTUATION, SPACE, UNSPACED
from filters.minhash_tables import KIND, STABLE

_BLOCK = 4096  # hashes at a time
_SPACE = np.uint8(32)
_P1, _P2, _P3, _P4, _P5 = map(np.uint32, (2654435761, 2246822519, 3266489917, 668265263, 374761393))


compiled = partial(compiling.compiled, nogil=True, error_model="numpy")


@compiled()
def sign(data, offsets, props, folds, folding, shingle, factors, summands, minima, counts, plain, ends):  # type: ignore[no-untyped-def]
    """Signatures and folded texts.

    Args:
        data: UTF-8 of all texts; text i from offsets[i] to offsets[i + 1].
        props, folds: tables of `code_points`.
        folding: fold case here; a text that needs more than that is left out with counts[i] = -1.
        shingle: words, or letters, in a shingle.
        factors, summands: of the permutations.
        minima: (texts, permutations), all ones; made the signatures.
        counts: (texts,), made the number of shingles, repeats included.
        plain: room for twice the data and one more a text, filled with the folded texts, each run of white space one
            space, end to end.
        ends: (texts + 1,), made where they end in `plain`.
    """
    longest = 0
    for i in range(len(counts)):
        longest = max(longest, offsets[i + 1] - offsets[i])
    run = np.empty(2 * longest + 16, np.uint8)
    starts = np.empty(longest // 2 + 8, np.uint32)
    hashes = np.empty(_BLOCK, np.uint32)
    ends[0] = 0
    for i in range(len(counts)):
        found, length, end, unspaced = _fold(
            data[offsets[i] : offsets[i + 1]], props, folds, folding, run, starts, plain[ends[i] :]
        )
        ends[i + 1] = ends[i] + end
        found, gap = _close(run, starts, found, length, unspaced)
        counts[i] = found if found <= 0 else max(1, found - shingle + 1)
        for start in range(0, counts[i], _BLOCK):
            block = min(_BLOCK, counts[i] - start)
            for k in range(block):
                stop = starts[min(start + k + shingle, found)] - gap
                hashes[k] = _mixed_xxh32(run, starts[start + k], stop)
            _lower(minima[i], hashes[:block], factors, summands)


@compiled()
def hash_sets(data, offsets, props, folds, folding, shingle, sets, ends):  # type: ignore[no-untyped-def]
    """Sets of the shingles' hashes; arguments as for `sign`, but for these.

    Args:
        sets: room for half the data and one more a text, filled with the texts' distinct hashes, ascending, end to end.
        ends: (texts + 1,), made where they end in `sets`; that of a text that needs `fold` is -1 - where it begins.
    """
    texts, longest = len(ends) - 1, 0
    for i in range(texts):
        longest = max(longest, offsets[i + 1] - offsets[i])
    run, plain = np.empty(2 * longest + 16, np.uint8), np.empty(2 * longest + 16, np.uint8)
    starts = np.empty(longest // 2 + 8, np.uint32)
    begin = 0
    ends[0] = 0
    for i in range(texts):
        found, length, _, unspaced = _fold(data[offsets[i] : offsets[i + 1]], props, folds, folding, run, starts, plain)
        found, gap = _close(run, starts, found, length, unspaced)
        count = max(1, found - shingle + 1) if found > 0 else 0
        hashes = sets[begin : begin + count]
        for k in range(count):
            hashes[k] = _mixed_xxh32(run, starts[k], starts[min(k + shingle, found)] - gap)
        hashes.sort()
        end = begin
        for k in range(count):
            if k == 0 or hashes[k] != sets[end - 1]:
                sets[end] = hashes[k]
                end += 1
        ends[i + 1] = end if found >= 0 else -1 - end
        begin = end


@compiled()
def _close(run, starts, words, length, unspaced):  # type: ignore[no-untyped-def]
    """Set the start after the last; shingles and the width of what is between them: of words, or of letters."""
    gap = 1
    if unspaced:
        words, length = _close_up(run, starts, words, length)
        gap = 0
    starts[max(words, 0)] = length + gap
    return words, gap


@compiled()
def _fold(text, props, folds, folding, run, starts, plain):  # type: ignore[no-untyped-def]
    """Write the words, joined by single spaces, into `run`, their starts into `starts`, the text into `plain`.

    Returns: words, or -1 if the text needs `fold`; length of `run`; length of `plain`; whether most letters are of
    scripts without spaces.
    """
    words = length = end = letters = unspaced = i = 0
    before, space = OTHER, True  # kind of what a mark here would stand on; whether a space is no news
    while i < len(text):
        byte = text[i]
        if byte < 0x80 and before != UNSPACED and props[byte] & KIND < PUNCTUATION:
            if before >= PUNCTUATION:
                if words:
                    run[length] = _SPACE
                    length += 1
                starts[words] = length
                words += 1
            before, space = LETTER, False
            run[length] = plain[end] = folds[byte] if folding else byte
            length += 1
            end += 1
            letters += 1
            i += 1
            continue
        point, width = (np.int64(byte), 1) if byte < 0x80 else _decode(text, i)
        i += width
        prop = props[point]
        if folding:
            if not prop & STABLE:
                return -1, 0, 0, False
            point = np.int64(folds[point])
            prop = props[point]
        kind = prop & KIND
        if kind == SPACE:
            if not space:
                plain[end] = _SPACE
                end += 1
            space, before = True, OTHER
            continue
        space = False
        end = _encode(plain, end, point)
        if kind >= PUNCTUATION:
            before = OTHER
            continue
        letters += kind != MARK
        unspaced += kind == UNSPACED
        if kind == UNSPACED or before >= PUNCTUATION or (kind != MARK and before == UNSPACED):
            if words:
                run[length] = _SPACE
                length += 1
            starts[words] = length
            words += 1
        length = _encode(run, length, point)
        if kind != MARK or before >= PUNCTUATION:
            before = UNSPACED if kind == UNSPACED else LETTER
    if end and space:
        end -= 1
    return words, length, end, 2 * unspaced > letters


@compiled(inline="always")
def _decode(text, i):  # type: ignore[no-untyped-def]
    """Code point at a byte that starts one beyond ASCII, and its width."""
    lead = np.int64(text[i])
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | np.int64(text[i + 1]) & 0x3F, 2
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | (np.int64(text[i + 1]) & 0x3F) << 6 | np.int64(text[i + 2]) & 0x3F, 3
    return (
        (lead & 0x07) << 18
        | (np.int64(text[i + 1]) & 0x3F) << 12
        | (np.int64(text[i + 2]) & 0x3F) << 6
        | np.int64(text[i + 3]) & 0x3F
    ), 4


@compiled(inline="always")
def _encode(room, end, point):  # type: ignore[no-untyped-def]
    """Write a code point; the end after it."""
    if point < 0x80:
        room[end] = point
        return end + 1
    if point < 0x800:
        room[end], room[end + 1] = 0xC0 | point >> 6, 0x80 | point & 0x3F
        return end + 2
    if point < 0x10000:
        room[end], room[end + 1], room[end + 2] = 0xE0 | point >> 12, 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F
        return end + 3
    room[end], room[end + 1] = 0xF0 | point >> 18, 0x80 | point >> 12 & 0x3F
    room[end + 2], room[end + 3] = 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F
    return end + 4


@compiled()
def _close_up(run, starts, words, length):  # type: ignore[no-untyped-def]
    """Take the spaces out of `run` and make `starts` those of its characters; their number and the new length."""
    found = end = 0
    for i in range(length):
        byte = run[i]
        if byte != _SPACE:
            if byte & 0xC0 != 0x80:
                starts[found] = end
                found += 1
            run[end] = byte
            end += 1
    return found, end


@compiled()
def _lower(minima, hashes, factors, summands):  # type: ignore[no-untyped-def]
    """Take the permuted hashes into the minima."""
    for p in range(len(minima)):
        a, b, least = factors[p], summands[p], minima[p]
        # over the index: numba makes vector code of this form, a tenth of the time of `for h in hashes`
        for k in range(len(hashes)):
            permuted = np.uint32(hashes[k] * a + b)
            if permuted < least:
                least = permuted
        minima[p] = least


@compiled(inline="always")
def _rotated(x, by):  # type: ignore[no-untyped-def]
    return np.uint32(np.uint32(x << np.uint32(by)) | (x >> np.uint32(32 - by)))


@compiled(inline="always")
def _word(data, i):  # type: ignore[no-untyped-def]
    return np.uint32(
        np.uint32(data[i])
        | np.uint32(data[i + 1]) << np.uint32(8)
        | np.uint32(data[i + 2]) << np.uint32(16)
        | np.uint32(data[i + 3]) << np.uint32(24)
    )


@compiled(inline="always")
def _round(lane, word):  # type: ignore[no-untyped-def]
    return np.uint32(_rotated(np.uint32(lane + np.uint32(word * _P2)), 13) * _P1)


@compiled()
def _mixed_xxh32(data, first, last):  # type: ignore[no-untyped-def]
    """MurmurHash3's finaliser of the XXH32, seed 0, of data[first:last] (Collet's specification)."""
    i, end = np.int64(first), np.int64(last)
    size = end - i
    if size >= 16:
        one, two, three, four = np.uint32(_P1 + _P2), _P2, np.uint32(0), np.uint32(0 - _P1)
        while i + 16 <= end:
            one, two = _round(one, _word(data, i)), _round(two, _word(data, i + 4))
            three, four = _round(three, _word(data, i + 8)), _round(four, _word(data, i + 12))
            i += 16
        h = np.uint32(_rotated(one, 1) + _rotated(two, 7) + _rotated(three, 12) + _rotated(four, 18))
    else:
        h = _P5
    h = np.uint32(h + np.uint32(size))
    while i + 4 <= end:
        h = np.uint32(_rotated(np.uint32(h + np.uint32(_word(data, i) * _P3)), 17) * _P4)
        i += 4
    while i < end:
        h = np.uint32(_rotated(np.uint32(h + np.uint32(np.uint32(data[i]) * _P5)), 11) * _P1)
        i += 1
    h = np.uint32((h ^ h >> np.uint32(15)) * _P2)
    h = np.uint32((h ^ h >> np.uint32(13)) * _P3)
    h = np.uint32(h ^ h >> np.uint32(16))
    h = np.uint32((h ^ h >> np.uint32(16)) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ h >> np.uint32(13)) * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ h >> np.uint32(16))
