"""Signs that a text was read badly, taken from the text and its pages alone, in every language.

Each feature is a share that rises as a reading gets worse. Those that depend on the language are None where there is
no `lexicon` of it or where it is written without spaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from filters import lexicon
from filters.lexicon import Lexicon
from filters.words import fold, unspaced

Features = dict[str, float | None]
FEATURES = (
    "unknown", "implausible", "split", "glued", "single", "broken_order", "dangling", "sudden", "hyphens", "case",
    "mixed_scripts", "unreadable", "symbols", "digits", "repeated", "running",
)  # fmt: skip
"""The features in the order in which the model takes them."""
OF_LANGUAGE = FEATURES[:8]

_TOKEN = regex.compile(r"[\p{L}\p{M}]++|\p{N}++|[^\s\p{L}\p{M}\p{N}]")
_HYPHEN = regex.compile(r"(?<=\p{L})[-\u2010\u00ad](?:[ \t]*+\n[ \t]*+|[ \t]++|(?<=\u00ad))(?=\p{Ll})")
_JOINT = regex.compile(r"(?<!\p{L})(\p{L}++)(?:-|\u2010|\u00ad|\ufffe)\s++(?=(\p{Ll}\p{L}*+))")
_SUDDEN = regex.compile(r"(?<=\p{Ll}[ \t])(\p{Lu}\p{L}*+)")
_CAMEL = regex.compile(r"\p{Ll}\p{Lu}")
_UNREADABLE = regex.compile(r"\(cid:\d++\)|[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f\ufffe]")
_SYMBOL = regex.compile(r"[^\s\p{L}\p{M}\p{N}.,;:!?()'\"’‘“”«»„/–—-]")
_DIGIT = regex.compile(r"\p{N}")
_LATIN, _OTHER_ALPHABET = regex.compile(r"\p{Latin}"), regex.compile(r"[\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}]")
_LONGEST = 60
"""Letters of a word that are looked at: longer ones are glued anyway, and take no quadratic time."""
_GRAM = 5
_EDGE = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(slots=True)
class _Types:
    """The distinct tokens of a document: flags by number."""

    numbers: dict[str, int]
    word: NDArray[np.bool_]
    classes: NDArray[np.int64]
    flags: dict[str, NDArray[np.bool_]]
    folded: list[str]
    vocabulary: set[str]
    rare: NDArray[np.bool_]
    """Words of letters that are neither in the lexicon nor more than twice in the document."""


def measure(text: str, starts: Sequence[int], language: str | None) -> tuple[Features, list[Features]]:
    """The features of a text, and of each of its pages: page i is `text[starts[i]:starts[i + 1]]`.

    `language` is the text's (BCP 47 primary subtag). A text without pages is one page.
    """
    bounds = [*starts, len(text)] if starts else [0, len(text)]
    parts = [text[start:end] for start, end in pairwise(bounds)]
    table = None if language is None or unspaced(text) else lexicon.load(language)
    return measured(parts, table)


def measured(parts: Sequence[str], table: Lexicon | None) -> tuple[Features, list[Features]]:
    """`measure` of the texts of the pages with a language's table."""
    found = [_TOKEN.findall(part) for part in parts]
    types = _types(found, table)
    ids = [np.fromiter((types.numbers[token] for token in tokens), np.int64, len(tokens)) for tokens in found]
    page_of = np.repeat(np.arange(len(parts)), [len(part) for part in ids])
    flat = np.concatenate([np.empty(0, np.int64), *ids])
    sums = _sums(flat, page_of, len(parts), types, table)
    sums.update(_characters(parts))
    words = sums["unknown"][1]
    sums["dangling"] = (_each(parts, lambda part: _dangling(part, types, table)), words)
    sums["sudden"] = (_each(parts, lambda part: _sudden(part, table)), words)
    sums["repeated"] = _repeated(flat, page_of, len(parts))
    sums["running"] = running([[types.folded[i] for i in part] for part in ids])
    usual = table.usual if table else {}
    document = {name: _share(sums[name][0].sum(), sums[name][1].sum(), name, usual) for name in FEATURES}
    by_page = [
        {name: _share(sums[name][0][page], sums[name][1][page], name, usual) for name in FEATURES}
        for page in range(len(parts))
    ]
    if table is None:
        for features in (document, *by_page):
            features.update(dict.fromkeys(OF_LANGUAGE))
    return document, by_page


_Sums = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
"""By feature, what is counted on each page and out of how much; out of nothing makes None."""


def _share(found: float, total: float, name: str, usual: dict[str, float]) -> float | None:
    if not total > 0:
        return None
    return float(found / total) - usual.get(name, 0.0)


def _types(found: Sequence[list[str]], table: Lexicon | None) -> _Types:
    counts: Counter[str] = Counter()
    for tokens in found:
        counts.update(tokens)
    raw = list(counts)
    folded = [fold(token) for token in raw]
    together: Counter[str] = Counter()
    for token, key in zip(raw, folded, strict=True):
        together[key] += counts[token]
    word = np.array([token[0].isalpha() for token in raw], bool)
    known = np.array([table is None or not w or key in table.words for key, w in zip(folded, word, strict=True)], bool)
    often = np.array([together[key] for key in folded])
    rare = word & ~known & (often <= 2)
    names = ("case", "mixed_scripts", "implausible", "glued")
    flags = {name: np.zeros(len(raw), bool) for name in names}
    for place, (token, key) in enumerate(zip(raw, folded, strict=True)):
        if not word[place]:
            continue
        flags["case"][place] = not token.isupper() and _CAMEL.search(token) is not None
        if not token.isascii():
            mixed = _OTHER_ALPHABET.search(token) is not None and _LATIN.search(token) is not None
            flags["mixed_scripts"][place] = mixed
        if table is not None and rare[place]:
            flags["implausible"][place] = not table.plausible(key[:_LONGEST])
            flags["glued"][place] = _is_glued(key, table, together)
    flags["unknown"] = rare & (often == 1)
    flags["single"] = word & (np.fromiter(map(len, raw), np.int64, len(raw)) == 1)
    vocabulary = {key for key, is_word in zip(folded, word, strict=True) if is_word}
    classes = [lexicon.class_of(key, table.common) if table else -1 for key in folded]
    return _Types({t: i for i, t in enumerate(raw)}, word, np.array(classes, np.int64), flags, folded, vocabulary, rare)


def _is_glued(word: str, table: Lexicon, together: Counter[str]) -> bool:
    """Whether a word that nobody knows is a frequent one and another known one without the space between them."""
    if len(word) > _LONGEST:
        return True
    for cut in range(2, len(word) - 1):
        left, right = word[:cut], word[cut:]
        if (left in table.common or right in table.common) and all(
            together[part] > 2 or part in table.words for part in (left, right)
        ):
            return True
    return False


def _sums(
    flat: NDArray[np.int64], page_of: NDArray[np.int64], pages: int, types: _Types, table: Lexicon | None
) -> _Sums:
    word = types.word[flat] if len(flat) else np.empty(0, bool)

    def per_page(flags: NDArray[Any], at: NDArray[np.int64] = page_of) -> NDArray[np.float64]:
        return np.bincount(at, weights=flags, minlength=pages).astype(np.float64)

    words = per_page(word)
    sums = {name: (per_page(flags[flat]), words) for name, flags in types.flags.items()}
    beside = word[:-1] & word[1:] & (page_of[:-1] == page_of[1:])
    sums["split"] = (per_page(beside & _split_pairs(flat, beside, types, table), page_of[:-1]), words)
    left, right = types.classes[flat[:-1]], types.classes[flat[1:]]
    bound = (left >= 0) & (right >= 0) & (page_of[:-1] == page_of[1:])
    bits = np.zeros(len(bound))
    if table is not None:
        bits[bound] = -table.association[left[bound], right[bound]] / lexicon.STEP
    sums["broken_order"] = (per_page(bits, page_of[:-1]), per_page(bound, page_of[:-1]))
    return sums


def _split_pairs(
    flat: NDArray[np.int64], beside: NDArray[np.bool_], types: _Types, table: Lexicon | None
) -> NDArray[np.bool_]:
    """Which neighbours, one of them unknown, are a known word together."""
    asked = np.flatnonzero(beside & (types.rare[flat[:-1]] | types.rare[flat[1:]]))
    found = np.zeros(len(beside), bool)
    if table is None:
        return found
    answers: dict[tuple[int, int], bool] = {}
    for place in asked.tolist():
        pair = (int(flat[place]), int(flat[place + 1]))
        if pair not in answers:
            joined = types.folded[pair[0]] + types.folded[pair[1]]
            answers[pair] = len(joined) <= _LONGEST and (joined in types.vocabulary or joined in table.words)
        found[place] = answers[pair]
    return found


def _each(parts: Sequence[str], count: Callable[[str], int]) -> NDArray[np.float64]:
    return np.array([float(count(part)) for part in parts])


def _dangling(part: str, types: _Types, table: Lexicon | None) -> int:
    """Hyphens at line ends and before spaces whose two sides are no word together: what follows stood elsewhere."""
    if table is None:
        return 0
    joined = (fold(left + right) for left, right in _JOINT.findall(part))
    return sum(word not in types.vocabulary and word not in table.words for word in joined)


def _sudden(part: str, table: Lexicon | None) -> int:
    """Frequent words with a capital, as at the start of a sentence, in mid-line after one without."""
    if table is None:
        return 0
    return sum(len(word) > 1 and fold(word) in table.common for word in _SUDDEN.findall(part))


def _characters(parts: Sequence[str]) -> _Sums:
    """The features that count characters."""
    sizes = _each(parts, lambda part: sum(map(len, part.split())))

    def found(pattern: Any) -> NDArray[np.float64]:
        return _each(parts, lambda part: sum(map(len, pattern.findall(part))))

    signs = {"unreadable": _UNREADABLE, "symbols": _SYMBOL, "digits": _DIGIT}
    hyphens = _each(parts, lambda part: len(_HYPHEN.findall(part)))
    # A word has some six characters: so hyphens are a share of words, too.
    return {"hyphens": (6 * hyphens, sizes), **{name: (found(pattern), sizes) for name, pattern in signs.items()}}


def _repeated(flat: NDArray[np.int64], page_of: NDArray[np.int64], pages: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """5-grams of tokens that were on the same page or the one before, out of all."""
    size = max(0, len(flat) - _GRAM + 1)
    grams = np.zeros(size, np.uint64)
    for k in range(_GRAM if size else 0):
        grams = grams * _MULTIPLIER + flat[k : k + size].astype(np.uint64) + np.uint64(1)
    order = np.argsort(grams, kind="stable")
    same = grams[order][1:] == grams[order][:-1]
    near = page_of[order][1:] - page_of[order][:-1] <= 1
    again = np.zeros(size)
    again[order[1:][same & near]] = 1
    at = page_of[:size]
    return np.bincount(at, again, minlength=pages), np.bincount(at, minlength=pages).astype(np.float64)


def running(pages: Sequence[Sequence[str]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pages whose first or last words, numbers apart, are the first or last of three pages and a tenth of all.

    Which pages, and that each of them is one: a document of less than three pages has none that could tell.
    """
    if len(pages) < 3:
        return np.zeros(len(pages)), np.zeros(len(pages))
    heads, feet = ([_edge(page, last) for page in pages] for last in (False, True))
    need = max(3, len(pages) // 10)
    often = [{edge for edge, count in Counter(edges).items() if edge and count >= need} for edges in (heads, feet)]
    found = [head in often[0] or foot in often[1] for head, foot in zip(heads, feet, strict=True)]
    return np.array(found, np.float64), np.array([float(bool(page)) for page in pages])


def _edge(tokens: Sequence[str], last: bool) -> tuple[str, ...]:
    window = tokens[-20:][::-1] if last else tokens[:20]
    return tuple([token for token in window if token[0].isalpha()][:_EDGE])
