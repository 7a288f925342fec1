"""The tokens of many documents at once, by the byte: what is counted over tokens become operations on arrays."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from filters import characters
from filters.characters import PUNCTUATION, SPACE, UNSPACED
from retrieval.pairs.selection import Ints, Piece
from retrieval.tokens import tokenizer

Bytes = npt.NDArray[np.uint8]


_SPACE, _WORD, _MARK, _REST = range(4)
"""What a byte is of: white space, a word, the first byte of a mark or sign, a further byte of one."""
_PAIRS = [(previous, this) for this in range(4) for previous in range(4)]
_STARTS = bytes(this == _MARK or this == _WORD != previous for previous, this in _PAIRS).ljust(256, b"\0")
_STOPS = bytes(
    this != _WORD if previous == _WORD else previous != _SPACE and this != _REST for previous, this in _PAIRS
).ljust(256, b"\0")


class Tokens(NamedTuple):
    """The tokens of all documents of a piece, in order."""

    starts: Ints
    """Bytes before each."""
    first: Ints
    """Tokens before each document, and the number of all tokens: one more than there are documents."""
    stops: bytes
    """Of each place, given in bytes, whether a token ends before it."""

    def ends(self, chosen: Ints) -> Ints:
        """Bytes up to the end of each of the chosen tokens."""
        return np.array([self.stops.find(1, start + 1) for start in self.starts[chosen].tolist()], np.int64)


def tokens(piece: Piece, name: str) -> Tokens:
    """The tokens that `retrieval.tokens.tokenizer(name)` finds in each document."""
    found = _states(piece) if name == "words" else None
    return _one_by_one(piece, name) if found is None else _words(piece, found)


def token_counts(piece: Piece, name: str) -> Ints:
    """How many tokens each document has: as `tokens`, in half the time."""
    states = _states(piece) if name == "words" else None
    if states is None:
        return np.diff(tokens(piece, name).first)
    starts = _flags(piece, states, _STARTS)
    edges = zip(piece.bounds[:-1].tolist(), piece.bounds[1:].tolist(), strict=True)
    return np.array([np.count_nonzero(starts[begin:end]) for begin, end in edges], np.int64)


def slices(data: Bytes, starts: Ints, ends: Ints) -> list[bytes]:
    """The bytes from each start to its end."""
    whole = data.tobytes()
    return [whole[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _words(piece: Piece, states: Bytes) -> Tokens:
    places = np.flatnonzero(_flags(piece, states, _STARTS))
    return Tokens(places, np.searchsorted(places, piece.bounds), _flags(piece, states, _STOPS).tobytes())


def _flags(piece: Piece, states: Bytes, table: bytes) -> npt.NDArray[np.bool_]:
    """Of each place, whether a token starts (or stops) there; no token goes on from one document to the next."""
    pairs = states << 2
    pairs[1:] |= states[:-1]
    flags = np.frombuffer(bytearray(pairs.data).translate(table), bool)
    begins = piece.bounds[1:-1]
    begins = begins[(begins > 0) & (begins < len(piece.data))]
    flags[begins] = states[begins - (table is _STOPS)] != _SPACE
    return flags


def _states(piece: Piece) -> Bytes | None:
    """What each byte is of, and a white space; None where letters of scripts without spaces are among them."""
    kinds, table = characters.table(), _table()
    text = bytearray(piece.data)
    text += b" "
    states = np.frombuffer(text.translate(table[:256].tobytes()), np.uint8)
    sizes = np.diff(piece.further) + 1
    for size, mask in ((2, 0x1F), (3, 0x0F), (4, 0x07)):
        places = piece.wide[sizes == size]
        codes = piece.data[places].astype(np.uint32) & mask
        for step in range(1, size):
            codes = (codes << 6) | (piece.data[places + step] & 0x3F)
        if (kinds[codes] == UNSPACED).any():
            return None
        found = table[codes]
        states[places] = found
        found[found == _MARK] = _REST
        for step in range(1, size):
            states[places + step] = found
    return states


@cache
def _table() -> Bytes:
    """What a character is, by its code point."""
    kinds = characters.table()
    found = np.where(kinds < PUNCTUATION, _WORD, np.where(kinds == SPACE, _SPACE, _MARK)).astype(np.uint8)
    found.flags.writeable = False
    return found


def _one_by_one(piece: Piece, name: str) -> Tokens:
    split = tokenizer(name)
    starts, counts, stops = [np.zeros(0, np.int64)], [0], np.zeros(len(piece.data) + 1, np.uint8)
    for begin, end in zip(piece.bounds[:-1].tolist(), piece.bounds[1:].tolist(), strict=True):
        own = piece.data[begin:end]
        spans = np.array(split(own.tobytes().decode()), np.int64).reshape(-1, 2)
        places = np.append(np.flatnonzero((own & 0xC0) != 0x80), len(own)) + begin
        starts.append(places[spans[:, 0]])
        stops[places[spans[:, 1]]] = 1
        counts.append(len(spans))
    return Tokens(np.concatenate(starts), np.cumsum(counts), stops.tobytes())
