"""Quality signals of a text: the rules of Gopher, C4 and FineWeb as numbers instead of verdicts.

Gopher: Rae et al. 2021 (arXiv 2112.11446); C4: Raffel et al. 2020 (JMLR 21/140); FineWeb: Penedo et al. 2024
(arXiv 2406.17557). The text is split into words and lines once.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

from filters.words import fold, lines, sentences, unspaced, words

Value = float | int | bool | None

_BULLETS = tuple("•‣⁃∙◦●○▪▫■□–-*·►")
_ELLIPSES = ("...", "…")
_TERMINALS = frozenset(".!?…؟۔।॥։።။៕。！？．｡")
_QUOTES = tuple("\"'»«”“’」』")
_CLOSERS = "\"'»”’)]›」』）"
_SHORT_LINE = 30  # characters; FineWeb
_NGRAM_WORDS = 200_000  # beyond, n-grams are those of the beginning: bounds the memory a hostile text takes
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
    `stop_words.toml` has no list for `language` (BCP 47). Paragraphs are what blank lines separate, and the lines
    of a text without blank lines. As in C4, a closing quotation mark ends a line as a full stop does.
    """
    found, rows = words(text), lines(text)
    result: dict[str, Value] = {
        "chars": len(text),
        "words": len(found),
        "lines": len(rows),
        "sentences": sentences(text),
        **_gopher_quality(text, found, rows),
        "stop_words": _stop_words(found, language),
        **_gopher_repetition(text, found, rows),
        **_c4(text, rows),
        **_fineweb(text, found, rows),
    }
    result["quality"] = _quality(text, found, result)
    return result


def _gopher_quality(text: str, found: list[str], rows: list[str]) -> dict[str, Value]:
    symbols = max(text.count("#"), text.count("...") + text.count("…"))
    bullets = sum(row.startswith(_BULLETS) for row in rows)
    ellipses = sum(row.endswith(_ELLIPSES) for row in rows)
    alpha = sum(1 for word in found if word.isalpha() or any(map(str.isalpha, word)))
    return {
        "mean_word_length": None if unspaced(text) else _share(sum(map(len, found)), len(found), cut=False),
        "symbol_ratio": _share(symbols, len(found)),
        "bullet_line_ratio": _share(bullets, len(rows)),
        "ellipsis_line_ratio": _share(ellipses, len(rows)),
        "alpha_word_ratio": _share(alpha, len(found)),
    }


def _gopher_repetition(text: str, found: list[str], rows: list[str]) -> dict[str, Value]:
    parts = [part for part in re.split(r"\n{2,}", text.strip()) if part]
    paragraphs = parts if len(parts) > 1 else rows
    dup_lines, dup_line_chars = _repeats(rows)
    dup_paras, dup_para_chars = _repeats(paragraphs)
    return {
        "dup_line_ratio": _share(dup_lines, len(rows)),
        "dup_line_char_ratio": _share(dup_line_chars, len(text)),
        "dup_para_ratio": _share(dup_paras, len(paragraphs)),
        "dup_para_char_ratio": _share(dup_para_chars, len(text)),
        **_ngram_ratios(found[:_NGRAM_WORDS], len(text) * min(len(found), _NGRAM_WORDS) // max(len(found), 1)),
    }


def _ngram_ratios(found: list[str], chars: int) -> dict[str, Value]:
    """Characters in the most frequent n-gram (n 2 to 4) and in repeated n-grams (5 to 10), per character.

    An n-gram repeats only where its first n-1 words do, so each n looks only at the places that n-1 left.
    The most frequent n-gram counts nothing if it occurs once; of equally frequent ones the first counts.
    """
    result: dict[str, Value] = {}
    grams: list[tuple[int, tuple[str, ...]]] = list(enumerate(pairwise(found)))
    for n in range(2, 11):
        counts = Counter(gram for _, gram in grams)
        repeated = [(i, gram) for i, gram in grams if counts[gram] > 1] if len(counts) < len(grams) else []
        if n <= 4:
            top = max(counts, key=counts.__getitem__) if repeated else ()
            result[f"top_{n}gram_char_ratio"] = _share(counts[top] * len(" ".join(top)), chars)
        else:
            result[f"dup_{n}gram_char_ratio"] = _share(_repeated_chars(repeated), chars)
        grams = [(i, (*gram, found[i + n])) for i, gram in repeated if i + n < len(found)]
    return result


def _repeated_chars(repeated: list[tuple[int, tuple[str, ...]]]) -> int:
    """Characters of the n-grams that were seen before, counting no word twice."""
    seen: set[tuple[str, ...]] = set()
    chars = free = 0
    for place, gram in repeated:
        if place < free:
            continue
        if gram in seen:
            chars += sum(map(len, gram))
            free = place + len(gram)
        else:
            seen.add(gram)
    return chars


def _c4(text: str, rows: list[str]) -> dict[str, Value]:
    lowered = text.lower()
    terminal = sum(row.endswith(_QUOTES) or row.rstrip(_CLOSERS)[-1:] in _TERMINALS for row in rows)
    return {
        "terminal_line_ratio": _share(terminal, len(rows)),
        "javascript_lines": _lines_with(("javascript",), lowered),
        "policy_lines": _lines_with(_POLICY, lowered),
        "curly_brackets": text.count("{") + text.count("}"),
        "lorem_ipsum": "lorem ipsum" in lowered,
    }


def _lines_with(phrases: tuple[str, ...], lowered: str) -> int:
    # Most texts have none of the phrases; only the others are worth a look at each line.
    present = [phrase for phrase in phrases if phrase in lowered]
    return sum(any(phrase in row for phrase in present) for row in lowered.split("\n")) if present else 0


def _fineweb(text: str, found: list[str], rows: list[str]) -> dict[str, Value]:
    newlines = text.count("\n")
    _, dup_chars = _repeats(rows)
    return {
        "short_line_ratio": _share(sum(len(row) <= _SHORT_LINE for row in rows), len(rows)),
        "line_dup_char_ratio": _share(dup_chars, len(text) - newlines),
        "newline_ratio": _share(newlines, len(found)),
    }


def _quality(text: str, found: list[str], result: dict[str, Value]) -> float:
    """Product of six soft penalties, each 1 at best.

    letters     share of word characters among all but white space: 0 at 0.4, 1 from 0.8
    repetition  1 - the larger of dup_line_char_ratio and dup_10gram_char_ratio
    symbols     1 - 5 symbol_ratio, at least 0
    lines       1 - short_line_ratio / 2
    endings     (1 + terminal_line_ratio) / 2
    length      words / (words + 50)
    """
    dense = sum(map(len, text.split()))
    letters = _share(sum(map(len, found)), dense)

    def value(name: str) -> float:
        return float(result[name] or 0.0)

    return (
        min(1.0, max(0.0, (letters - 0.4) / 0.4))
        * (1.0 - max(value("dup_line_char_ratio"), value("dup_10gram_char_ratio")))
        * max(0.0, 1.0 - 5.0 * value("symbol_ratio"))
        * (1.0 - value("short_line_ratio") / 2.0)
        * (0.5 + value("terminal_line_ratio") / 2.0)
        * (len(found) / (len(found) + 50.0))
    )


def _stop_words(found: list[str], language: str | None) -> int | None:
    if language is None:
        return None
    known = _stop_word_lists().get(language.lower().partition("-")[0])
    if known is None:
        return None
    return len(known.intersection(fold(" ".join(set(found)), language).split()))


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
