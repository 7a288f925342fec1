"""Words, lines and sentences of a text in any script; every signal counts the same ones."""

from __future__ import annotations

import unicodedata

import numpy as np
import regex

from filters.characters import PUNCTUATION, Codes, Flags, Kinds, characters, count, mostly_unspaced, word_starts

# A full stop before a lower-case letter or a digit is an abbreviation or a number ("Art. 5", "e.g. the"), and so is
# one after a single capital ("J. Smith"). A semicolon after a Greek letter is a question mark. Possessive and only from
# the first mark of a run, so that a million dots take no quadratic time.
_MARKS = ".!?…؟۔।॥։።፧፨‼⁇⁈⁉\u037e"
_NEXT = r"(?=\s*+(?:\Z|(?<=\s)[^\s\p{Ll}\p{N}]))"
_SENTENCE_END = regex.compile(
    rf"""[{_MARKS}](?<![{_MARKS}]{{2}})(?<!(?<![\p{{L}}\p{{M}}])\p{{Lu}}\.)[{_MARKS}]*+["'»”’)\]]*+{_NEXT}"""
    rf"""|[。！？｡．។៕။།]++|;(?<=\p{{Greek}};){_NEXT}"""
)

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")

_TURKIC = {"tr", "az"}
_TURKIC_CAPITALS = str.maketrans({"I": "ı", "İ": "i"})


def words(text: str) -> list[str]:
    """The words of `text` in order, in the case they are written in (`fold` the text first to compare them).

    A word is a run of letters, combining marks and numbers; punctuation, symbols and the underscore separate
    (`l'article 5` is l, article, 5). Each letter of a script without spaces, with its combining marks, is a
    word of its own; the characters decide this, not a language tag, so mixed text is split correctly.
    """
    codes, kinds = characters(text)
    return split(codes, kinds, word_starts(kinds))


def split(codes: Codes, kinds: Kinds, starts: Flags) -> list[str]:
    """`words`, of a text that is given as arrays (`filters.characters`)."""
    # str.split is the fastest there is, once all that is not of a word is a space and no two words touch.
    spaced = np.where(kinds < PUNCTUATION, codes, np.uint32(32))
    touching = np.flatnonzero(starts[1:] & (kinds[:-1] < PUNCTUATION)) + 1
    if len(touching):
        spaced = np.insert(spaced, touching, 32)
    return spaced.tobytes().decode("utf-32-le").split()


def lines(text: str) -> list[str]:
    """The lines of `text` that are not blank, without the white space around them."""
    return [line for line in map(str.strip, text.split("\n")) if line]


def sentences(text: str) -> int:
    """Number of sentences: ends of sentences in the punctuation of any script, at least 1 if there are words.

    Headings and other lines without final punctuation count with the sentence that follows. Thai and Lao mark no
    sentences: a text is one.
    """
    ends = sum(1 for _ in _SENTENCE_END.finditer(text))
    return ends or int(_WORD.search(text) is not None)


def unspaced(text: str) -> bool:
    """Whether more than half of the letters and digits of `text` are of scripts without spaces."""
    return mostly_unspaced(count(characters(text)[1]))


def fold(text: str, language: str | None = None) -> str:
    """`text` in NFC without differences of case (Unicode case folding: ß is ss, ς is σ).

    `language` (BCP 47) matters for Turkish and Azeri, whose capitals of i and ı are İ and I.
    """
    text = unicodedata.normalize("NFC", text)
    if language is not None and language.lower().partition("-")[0] in _TURKIC:
        text = text.translate(_TURKIC_CAPITALS)
    return unicodedata.normalize("NFC", text.casefold())
