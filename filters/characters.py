"""Every character of a text as one small number: what counts over characters become operations on arrays."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import numpy.typing as npt
import regex

Kinds = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint32]

LETTER, UNSPACED, MARK, NUMBER, PUNCTUATION, OTHER, SPACE = range(7)
"""Kinds of characters: letters, letters of scripts without spaces, combining marks, numbers (Unicode's categories L, M,
N), punctuation (P), the rest, white space. All below PUNCTUATION make words."""
KINDS = 7

UNSPACED_LETTERS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\u17d7\u17dc\uaa60-\uaa76"
    "\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
"""For a class in a pattern: letters of Thai, Lao, Myanmar, Khmer, Kana and Han, whose words no spaces part."""

POINTS = 0x110000
ASSIGNED = ((0, 0x40000), (0xE0000, 0xE1000))
"""Ranges of code points outside which there is no letter, mark, number, punctuation or space."""
CASED = 0x20000
"""No code point from here on has case."""

_CLASSES = regex.compile(rf"([{UNSPACED_LETTERS}]++)|(\p{{L}}++)|(\p{{M}}++)|(\p{{N}}++)|(\p{{P}}++)")
_KIND_OF_GROUP = (OTHER, UNSPACED, LETTER, MARK, NUMBER, PUNCTUATION)


def characters(text: str) -> tuple[Codes, Kinds]:
    """The code points of `text` (lone surrogates too) and their kinds, one each a character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    return codes, table().take(codes)


def count(kinds: Kinds) -> list[int]:
    """How many characters there are of each kind."""
    found: list[int] = np.bincount(kinds, minlength=KINDS).tolist()
    return found


def word_starts(kinds: Kinds) -> Flags:
    """True at the first character of each word.

    A word is a run of letters, marks and numbers, or one letter of a script without spaces with its marks.
    """
    inside = kinds < PUNCTUATION
    starts = inside.copy()
    starts[1:] &= ~inside[:-1]
    unspaced = kinds == UNSPACED
    if unspaced.any():
        starts |= unspaced
        place = np.where(kinds == MARK, 0, np.arange(len(kinds), dtype=np.int64))
        owner = kinds[np.maximum.accumulate(place)]  # of a mark, the kind of what it stands on
        starts[1:] |= inside[1:] & (kinds[1:] != MARK) & (owner[:-1] == UNSPACED)
    return starts


def mostly_unspaced(counts: list[int]) -> bool:
    """Whether more than half of the letters and numbers are of scripts without spaces."""
    return 2 * counts[UNSPACED] > counts[LETTER] + counts[UNSPACED] + counts[NUMBER]


def text_of(low: int, high: int) -> str:
    """The code points from `low` to below `high`, lone surrogates too."""
    return np.arange(low, high, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")


@cache
def table() -> Kinds:
    """The kind of each code point; not to be changed."""
    found = np.full(POINTS, OTHER, np.uint8)
    for low, high in ASSIGNED:
        points = text_of(low, high)
        for run in _CLASSES.finditer(points):
            found[low + run.start() : low + run.end()] = _KIND_OF_GROUP[run.lastindex or 0]
        for space in re.finditer(r"\s", points):
            found[low + space.start()] = SPACE
    found.flags.writeable = False
    return found
