"""Texts to the terms that BM25 counts: words of any script, without stop words, stemmed where Snowball can.

Scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give the bigrams of their letters, whatever the
language of the text is said to be; a letter that stands alone is a term. Bigrams need no dictionary, and are what
Lucene's CJKAnalyzer makes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import filters
from filters.characters import PUNCTUATION, UNSPACED, Codes, Kinds, characters, word_starts
from filters.words import fold

KINDS = ("stemmed", "unstemmed")
"""Analysers; the first is the default."""

Analyser = Callable[[list[str]], list[str | None]]
"""Distinct folded words to their terms; None for a stop word."""

_STEMMERS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "en": "english", "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german",
    "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "fa": "persian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_ELIDED = {"fr": "l d c j m n s t qu", "it": "l d un all dell dall nell sull", "ca": "l d m n s t", "en": "s"}
"""What is left before or after an apostrophe where words are split at it."""
_LONGEST_STEMMED = 64  # no word: data, which stemmers were not made for
_SEPARATOR = "\x1e"
_AT_ONCE = 1 << 20  # characters: their arrays stay near the cache


class Tokens(NamedTuple):
    """The words of `n` texts."""

    words: list[str]
    """The distinct ones."""
    ids: npt.NDArray[np.int32]
    """Which of them stand in the texts, one text after the other."""
    ends: npt.NDArray[np.int64]
    """(n + 1,) where in `ids` each text begins and the last ends."""


def tokens(texts: list[str], language: str | None = None) -> Tokens:
    """Words and bigrams of texts, case-folded as `language` (BCP 47) has it."""
    found, ends = [pa.array([], pa.large_string())], [np.zeros(1, np.int64)]
    for part in _parts(texts):
        words, cuts = _words(part, language)
        found.append(words)
        ends.append(cuts + ends[-1][-1])
    coded = pa.concat_arrays(found).dictionary_encode()
    return Tokens(coded.dictionary.to_pylist(), coded.indices.to_numpy(), np.concatenate(ends))


def analyser(language: str | None, kind: str = KINDS[0]) -> Analyser:
    """The analyser of a language: without a list of stop words or a stemmer it leaves words as they are."""
    stop, algorithm = stop_words(language), _STEMMERS.get(_primary(language))
    if kind == "unstemmed" or algorithm is None:
        return lambda words: [None if word in stop else word for word in words]
    import Stemmer

    stemmer = Stemmer.Stemmer(algorithm, 0)  # no cache: the words are distinct

    def analyse(words: list[str]) -> list[str | None]:
        stems = stemmer.stemWords([word if len(word) <= _LONGEST_STEMMED else "" for word in words])
        return [None if word in stop else stem or word for word, stem in zip(words, stems, strict=True)]

    return analyse


def stop_words(language: str | None) -> frozenset[str]:
    """The most frequent function words of a language, case-folded; none where there is no list."""
    return _stop_words().get(_primary(language), frozenset())


def _primary(language: str | None) -> str:
    return (language or "").lower().partition("-")[0]


@cache
def _stop_words() -> dict[str, frozenset[str]]:
    listed = tomllib.loads(Path(filters.__path__[0], "stop_words.toml").read_text(encoding="utf-8"))
    return {
        language: frozenset(fold(f"{words} {_ELIDED.get(language, '')}", language).split())
        for language, words in listed.items()
    }


def _parts(texts: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _AT_ONCE:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part


def _words(texts: list[str], language: str | None) -> tuple[pa.LargeStringArray, npt.NDArray[np.int64]]:
    """Words of all texts, and how many there are up to the end of each."""
    joined = "".join(text.replace(_SEPARATOR, " ") + _SEPARATOR for text in texts)
    codes, kinds = characters(fold(joined, language))
    starts = word_starts(kinds)
    at = np.flatnonzero(starts)
    ends = np.searchsorted(at, np.flatnonzero(codes == ord(_SEPARATOR)))
    inside = kinds < PUNCTUATION
    words = _cut(codes[inside], np.flatnonzero(starts[inside]))
    if not (kinds == UNSPACED).any():
        return words, ends
    kept, words = _bigrams(words, at, kinds)
    return words, np.concatenate([[0], np.cumsum(kept)])[ends]


def _cut(letters: Codes, starts: npt.NDArray[np.int64]) -> pa.LargeStringArray:
    """The words that begin at `starts`, nothing between them: no word becomes an object of Python's."""
    text = letters.tobytes().decode("utf-32-le").encode()
    if len(text) > len(letters):
        starts = np.flatnonzero(np.frombuffer(text, np.uint8) & 0xC0 != 0x80)[starts]  # 10xxxxxx goes on a character
    buffers = [pa.py_buffer(np.append(starts, len(text)).astype(np.int64)), pa.py_buffer(text)]
    return pa.LargeStringArray.from_buffers(len(starts), *buffers)


def _bigrams(
    words: pa.LargeStringArray, at: npt.NDArray[np.int64], kinds: Kinds
) -> tuple[npt.NDArray[np.bool_], pa.LargeStringArray]:
    """Which words begin a term, and the terms: of letters of scripts without spaces, two that touch."""
    unspaced = kinds[at] == UNSPACED
    joined = np.zeros(len(at), bool)
    joined[:-1] = unspaced[:-1] & unspaced[1:] & (kinds[at[1:] - 1] < PUNCTUATION)
    after = np.zeros(len(at), bool)
    after[1:] = joined[:-1]
    kept, empty = joined | ~after, pa.scalar("", pa.large_string())
    following = pa.concat_arrays([words[1:], pa.array([""], pa.large_string())])
    pairs = pc.binary_join_element_wise(words, pc.if_else(pa.array(joined), following, empty), empty)
    return kept, pairs.filter(pa.array(kept))
