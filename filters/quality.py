"""Quality signals of a text: the rules of Gopher, C4 and FineWeb as numbers instead of verdicts.

Gopher: Rae et al. 2021 (arXiv 2112.11446); C4: Raffel et al. 2020 (JMLR 21/140); FineWeb: Penedo et al. 2024
(arXiv 2406.17557). The text is split into words and lines once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import regex

from filters import ngrams
from filters.characters import (
    LETTER,
    MARK,
    NUMBER,
    PUNCTUATION,
    SPACE,
    UNSPACED,
    Flags,
    Kinds,
    characters,
    count,
    mostly_unspaced,
    word_starts,
)
from filters.words import fold, lines, sentences, split

Places = npt.NDArray[np.int64]
Value = float | int | bool | None

_BULLETS = "•‣⁃∙◦●○▪▫■□–-*·►"
_ELLIPSES = ("...", "…")
_TERMINAL = regex.compile(r"\p{Sentence_Terminal}")
_SHORT_LINE = 30  # characters; FineWeb
_NGRAM_WORDS = 200_000  # n-grams and stop words are those of so many: bounds the memory a hostile text takes
# C4's phrases, and what the same notices say in the larger languages of the EU.
_POLICY = (
    *("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"),
    *("politique de confidentialité", "utilise des cookies", "informativa sulla privacy", "utilizza cookie"),
    *("datenschutzerklärung", "verwendet cookies", "verwenden cookies", "gebruikt cookies", "privacybeleid"),
    *("política de privacidad", "utiliza cookies", "usa cookies", "polityka prywatności", "plików cookie"),
)


def signals(text: str, language: str | None = None) -> dict[str, Value]:
    """The columns `chars` to `quality` of the signals table; an empty text gives zeros.

    Ratios are between 0 and 1 (those per word are cut at 1). `mean_word_length` is null for a text mostly in
    scripts without spaces, whose every letter counts as a word, and `stop_words` is null where
    `stop_words.toml` has no list for `language` (BCP 47). Lines are what is not blank between line feeds, without the
    white space around it; paragraphs are what blank lines separate. `docs/quality.md` compares the definitions with
    datatrove's.
    """
    codes, kinds = characters(text)
    starts = word_starts(kinds)
    places, counts, rows = np.flatnonzero(starts), count(kinds), lines(text)
    lowered = text.replace("İ", "i").lower()  # str.lower would put a combining dot on the Turkish one
    end = int(places[_NGRAM_WORDS]) if len(places) > _NGRAM_WORDS else len(text)
    ids, distinct = ngrams.number(split(codes[:end], kinds[:end], starts[:end]))
    repeats = _repeats(rows)
    result: dict[str, Value] = {
        "chars": len(text),
        "words": len(places),
        "lines": len(rows),
        "sentences": sentences(text),
        **_gopher_quality(text, kinds, places, counts, rows),
        "stop_words": _stop_words(distinct, language),
        **_gopher_repetition(text, rows, repeats),
        **_ngram_ratios(ids, kinds, starts, len(text) * len(ids) // max(len(places), 1)),
        **_c4(text, lowered, rows),
        **_fineweb(text, len(places), rows, repeats),
    }
    result["quality"] = _quality(counts, len(places), result)
    return result


def _gopher_quality(text: str, kinds: Kinds, places: Places, counts: list[int], rows: list[str]) -> dict[str, Value]:
    symbols = max(text.count("#"), text.count("...") + text.count("…"))
    bullets = sum(row[0] in _BULLETS for row in rows)
    ellipses = sum(row.endswith(_ELLIPSES) for row in rows)
    # The least kind from one word's start to the next is that of a letter if the word has one.
    alpha = int(np.count_nonzero(np.minimum.reduceat(kinds, places) <= UNSPACED)) if len(places) else 0
    return {
        "mean_word_length": None if mostly_unspaced(counts) else _share(_in_words(counts), len(places), cut=False),
        "symbol_ratio": _share(symbols, len(places)),
        "bullet_line_ratio": _share(bullets, len(rows)),
        "ellipsis_line_ratio": _share(ellipses, len(rows)),
        "alpha_word_ratio": _share(alpha, len(places)),
    }


def _gopher_repetition(text: str, rows: list[str], repeats: tuple[int, int]) -> dict[str, Value]:
    paragraphs = [part for part in (piece.lstrip("\n") for piece in text.strip().split("\n\n")) if part]
    dup_paras, dup_para_chars = _repeats(paragraphs)
    return {
        "dup_line_ratio": _share(repeats[0], len(rows)),
        "dup_line_char_ratio": _share(repeats[1], len(text)),
        "dup_para_ratio": _share(dup_paras, len(paragraphs)),
        "dup_para_char_ratio": _share(dup_para_chars, len(text)),
    }


def _ngram_ratios(ids: ngrams.Numbers, kinds: Kinds, starts: Flags, chars: int) -> dict[str, Value]:
    """Characters in the most frequent n-gram (n 2 to 4) and in repeated n-grams (5 to 10), per character."""
    inside = starts[kinds < PUNCTUATION]
    before = np.append(np.flatnonzero(inside), len(inside))[: len(ids) + 1]
    found = ngrams.repetition(ids, before)
    return {f"{'top' if n <= 4 else 'dup'}_{n}gram_char_ratio": _share(found[n], chars) for n in found}


def _c4(text: str, lowered: str, rows: list[str]) -> dict[str, Value]:
    return {
        "terminal_line_ratio": _share(len(_TERMINAL.findall("".join([row[-1] for row in rows]))), len(rows)),
        "javascript_lines": _lines_with(("javascript",), lowered),
        "policy_lines": _lines_with(_POLICY, lowered),
        "curly_brackets": text.count("{"),
        "lorem_ipsum": "lorem ipsum" in lowered,
    }


def _lines_with(phrases: tuple[str, ...], lowered: str) -> int:
    # Most texts have none of the phrases; only the others are worth a look at each line.
    present = [phrase for phrase in phrases if phrase in lowered]
    return sum(any(phrase in row for phrase in present) for row in lowered.split("\n")) if present else 0


def _fineweb(text: str, words: int, rows: list[str], repeats: tuple[int, int]) -> dict[str, Value]:
    newlines = text.count("\n")
    return {
        "short_line_ratio": _share(sum(len(row) <= _SHORT_LINE for row in rows), len(rows)),
        "line_dup_char_ratio": _share(repeats[1], len(text) - newlines),
        "newline_ratio": _share(newlines, words),
    }


def _in_words(counts: list[int]) -> int:
    return sum(counts[kind] for kind in (LETTER, UNSPACED, MARK, NUMBER))


def _quality(counts: list[int], words: int, result: dict[str, Value]) -> float:
    """Product of six soft penalties, each 1 at best.

    letters     share of word characters among all but white space: 0 at 0.4, 1 from 0.8
    repetition  1 - the larger of dup_line_char_ratio and dup_10gram_char_ratio
    symbols     1 - 5 symbol_ratio, at least 0
    lines       1 - short_line_ratio / 2
    endings     (1 + terminal_line_ratio) / 2
    length      words / (words + 50)
    """
    letters = _share(_in_words(counts), sum(counts) - counts[SPACE])

    def value(name: str) -> float:
        return float(result[name] or 0.0)

    return (
        min(1.0, max(0.0, (letters - 0.4) / 0.4))
        * (1.0 - max(value("dup_line_char_ratio"), value("dup_10gram_char_ratio")))
        * max(0.0, 1.0 - 5.0 * value("symbol_ratio"))
        * (1.0 - value("short_line_ratio") / 2.0)
        * (0.5 + value("terminal_line_ratio") / 2.0)
        * (words / (words + 50.0))
    )


def _stop_words(distinct: Iterable[str], language: str | None) -> int | None:
    if language is None:
        return None
    known = _stop_word_lists().get(language.lower().partition("-")[0])
    if known is None:
        return None
    return len(known.intersection(fold(" ".join(distinct), language).split()))


@cache
def _stop_word_lists() -> dict[str, frozenset[str]]:
    table = tomllib.loads(Path(__file__).with_name("stop_words.toml").read_text(encoding="utf-8"))
    return {language: frozenset(fold(listed, language).split()) for language, listed in table.items()}


def _repeats(parts: list[str]) -> tuple[int, int]:
    """How many of `parts` occurred before, and their characters."""
    seen: set[str] = set()
    count = chars = 0
    for part in parts:
        if part in seen:
            count += 1
            chars += len(part)
        else:
            seen.add(part)
    return count, chars


def _share(part: float, whole: int, *, cut: bool = True) -> float:
    if whole <= 0:
        return 0.0
    return min(1.0, part / whole) if cut else part / whole
