"""What words of a language look like: its frequent ones, the letters that stand together, and who follows whom.

One small table a language, made from sentences by `benchmarks/train_fidelity.py`; see `models/README.md`.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import regex
import xxhash
from numpy.typing import NDArray

PATH = Path(__file__).parent / "models" / "lexicon.json"
COMMON = 60
"""Words of a language whose neighbours are counted; the rest are one class, and the marks another two."""
OTHER, COMMA, STOP = COMMON, COMMON + 1, COMMON + 2
CLASSES = COMMON + 3
STEP = 16
"""Pieces of a bit in which an association is stored."""
_BITS_PER_WORD, _BITS_PER_TRIGRAM, _HASHES = 9, 7, 4
_SENTENCE_WORD = regex.compile(r"[\p{L}\p{M}]++|[^\s\p{L}\p{M}\p{N}]|\p{N}++")


class Bloom:
    """A set of strings that may claim to hold what it does not (a few in a hundred), never the other way round."""

    def __init__(self, bits: bytearray) -> None:
        self.bits = bits

    @classmethod
    def of(cls, items: Iterable[str], bits_per_item: int) -> Bloom:
        items = sorted(set(items))
        found = cls(bytearray(max(1, len(items) * bits_per_item // 8)))
        for item in items:
            for place in found._places(item):
                found.bits[place >> 3] |= 1 << (place & 7)
        return found

    def __contains__(self, item: str) -> bool:
        return all(self.bits[place >> 3] >> (place & 7) & 1 for place in self._places(item))

    def _places(self, item: str) -> Iterable[int]:
        digest = xxhash.xxh3_64_intdigest(item.encode("utf-8", "replace"))
        first, step, size = digest >> 32, digest & 0xFFFFFFFF | 1, 8 * len(self.bits)
        return ((first + k * step) % size for k in range(_HASHES))


@dataclass(slots=True)
class Lexicon:
    """The table of one language; words are case-folded."""

    words: Bloom
    trigrams: Bloom
    """Three letters in a row that were seen in two words or more; a word has a space on both sides."""
    common: dict[str, int]
    """The most frequent words, with their class."""
    association: NDArray[np.int8]
    """How much oftener than by chance class j follows class i: bits times `STEP`."""
    usual: dict[str, float] = field(default_factory=dict)
    """What `legibility` measures of this language's ordinary text."""
    _plausible: dict[str, bool] = field(default_factory=dict)

    def plausible(self, word: str) -> bool:
        """Whether all letters of the word stand together in other words, too."""
        padded = f" {word} "
        for start in range(len(padded) - 2):
            trigram = padded[start : start + 3]
            known = self._plausible.get(trigram)
            if known is None:
                known = self._plausible[trigram] = trigram in self.trigrams
                if len(self._plausible) > 200_000:
                    self._plausible.clear()
            if not known:
                return False
        return True


def make(sentences: Iterable[list[str]], frequent: Iterable[str] = ()) -> Lexicon:
    """The table of a language from its sentences (folded tokens of `tokens`) and a list of `frequent` words."""
    counts: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for sentence in sentences:
        counts.update(token for token in sentence if token[0].isalpha())
        pairs.update(pairwise(sentence))
    known = set(counts) | set(frequent)
    trigrams: Counter[str] = Counter()
    for word in known:
        trigrams.update({f" {word} "[i : i + 3] for i in range(len(word))})
    common = {word: place for place, (word, _) in enumerate(counts.most_common(COMMON))}
    return Lexicon(
        Bloom.of(known, _BITS_PER_WORD),
        Bloom.of((trigram for trigram, count in trigrams.items() if count > 1), _BITS_PER_TRIGRAM),
        common,
        _association(pairs, common),
    )


def tokens(sentence: str) -> list[str]:
    """Words, numbers and single signs of a folded sentence."""
    found: list[str] = _SENTENCE_WORD.findall(sentence)
    return found


def class_of(token: str, common: dict[str, int]) -> int:
    """The class of a folded token; -1 for numbers and signs that are none."""
    if token in ",;:":
        return COMMA
    if token in ".!?":
        return STOP
    return common.get(token, OTHER) if token[0].isalpha() else -1


def _association(pairs: Counter[tuple[str, str]], common: dict[str, int]) -> NDArray[np.int8]:
    seen = np.zeros((CLASSES, CLASSES))
    for (left, right), count in pairs.items():
        i, j = class_of(left, common), class_of(right, common)
        if i >= 0 and j >= 0:
            seen[i, j] += count
    expected = seen.sum(1, keepdims=True) * seen.sum(0, keepdims=True) / max(seen.sum(), 1)
    bits = np.log2((seen + 0.5) / (expected + 0.5))
    found: NDArray[np.int8] = np.clip(np.round(bits * STEP), -127, 127).astype(np.int8)
    return found


@cache
def load(language: str) -> Lexicon | None:
    """The table of a language (BCP 47 primary subtag), None where there is none."""
    entry = _tables().get(language)
    if entry is None:
        return None
    flat = np.frombuffer(_unpacked(entry["association"]), np.int8)
    return Lexicon(
        Bloom(bytearray(_unpacked(entry["words"]))),
        Bloom(bytearray(_unpacked(entry["trigrams"]))),
        {word: place for place, word in enumerate(entry["common"])},
        flat.reshape(CLASSES, CLASSES),
        entry["usual"],
    )


@cache
def _tables() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(PATH.read_bytes()) if PATH.is_file() else {}
    return found


def packed(lexicon: Lexicon) -> dict[str, Any]:
    """A table as `load` reads it."""
    return {
        "words": _packed(bytes(lexicon.words.bits)),
        "trigrams": _packed(bytes(lexicon.trigrams.bits)),
        "common": list(lexicon.common),
        "association": _packed(lexicon.association.tobytes()),
        "usual": lexicon.usual,
    }


def _packed(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data, 9)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b85decode(text))
