"""Words, lines and sentences of a text in any script; every signal counts the same ones."""

from __future__ import annotations

import re
import unicodedata

import regex

# Letters of the scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, Kana and Han.
_LETTERS_WITHOUT_SPACES = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3\u17d7\u17dc\uaa60-\uaa76"
    "\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_UNSPACED = re.compile(f"[{_LETTERS_WITHOUT_SPACES}]")
# `\w` of `re` would leave out combining marks (the vowels of Devanagari, say).
_SPACED_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_ANY_WORD = regex.compile(
    rf"[{_LETTERS_WITHOUT_SPACES}]\p{{M}}*|(?:(?![{_LETTERS_WITHOUT_SPACES}])[\p{{L}}\p{{M}}\p{{N}}])+"
)

# A full stop before a lower-case letter or a digit is an abbreviation or a number ("Art. 5", "e.g. the").
# Possessive and only from the first mark of a run, so that a million dots take no quadratic time.
_SENTENCE_END = regex.compile(
    r"""(?<![.!?…؟۔।॥։።])[.!?…؟۔।॥։።]++["'»”’)\]]*+(?=\s*+(?:\Z|(?<=\s)[^\s\p{Ll}\p{N}]))"""
    r"""|[。！？｡．។៕]++"""
)

_TURKIC = {"tr", "az"}
_TURKIC_CAPITALS = str.maketrans({"I": "ı", "İ": "i"})


def words(text: str) -> list[str]:
    """The words of `text` in order, in the case they are written in (`fold` the text first to compare them).

    A word is a run of letters, combining marks and numbers; punctuation, symbols and the underscore separate
    (`l'article 5` is l, article, 5). Each letter of a script without spaces, with its combining marks, is a
    word of its own; the characters decide this, not a language tag, so mixed text is split correctly.
    """
    pattern = _ANY_WORD if _UNSPACED.search(text) else _SPACED_WORD
    found: list[str] = pattern.findall(text)
    return found


def lines(text: str) -> list[str]:
    """The lines of `text` that are not blank, without the white space around them."""
    return [line for line in map(str.strip, text.split("\n")) if line]


def sentences(text: str) -> int:
    """Number of sentences: ends of sentences in the punctuation of any script, at least 1 if there are words.

    Headings and other lines without final punctuation count with the sentence that follows.
    """
    ends = sum(1 for _ in _SENTENCE_END.finditer(text))
    return ends or int(_SPACED_WORD.search(text) is not None)


def unspaced(text: str) -> bool:
    """Whether more than half of the letters and digits of `text` are of scripts without spaces."""
    found = len(_UNSPACED.findall(text))
    return found > 0 and 2 * found > sum(map(str.isalnum, text))


def fold(text: str, language: str | None = None) -> str:
    """`text` in NFC without differences of case (Unicode case folding: ß is ss, ς is σ).

    `language` (BCP 47) matters for Turkish and Azeri, whose capitals of i and ı are İ and I.
    """
    text = unicodedata.normalize("NFC", text)
    if language is not None and language.lower().partition("-")[0] in _TURKIC:
        text = text.translate(_TURKIC_CAPITALS)
    return unicodedata.normalize("NFC", text.casefold())
