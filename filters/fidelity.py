"""How faithful an extracted text is to another version of the same text.

`lcs` is LEMUR's Lexical Content Score (arXiv 2602.09570): the cosine of word counts, blind to order.
`order` counts shared word n-grams and so sees columns and lines that were mixed up. Report both. What each page
of a text has is `filters.alignment`'s to say, and `filters.prediction` speaks where there is no other version.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import numpy as np
import regex
from numpy.typing import NDArray

from filters.words import fold, unspaced, words

Variant = Literal["clean", "json", "conversion"]
"""How the texts are made comparable before words are counted; scores of two variants are not comparable.

clean: NFC, words hyphenated at a line's end joined, lower case; character 3-grams in scripts without spaces.
json, conversion: what LEMUR's json_evaluation_content2.py and conversion_evaluation.py do to a text. The
first reads Markdown tables cell by cell, the second takes every full stop for a space.
"""

_SOFT_HYPHEN = re.compile("\u00ad[ \t]*\n?[ \t]*")
_LINE_END_HYPHEN = regex.compile(r"(?<=\p{L})[-\u2010][ \t]*\n\s*(?=\p{Ll})")
# Possessive and only from a word's first letter, so that a long word takes no quadratic time.
_HYPHENS = regex.compile(r"(?<!\p{L})(\p{L}++)(?:\u00ad|[-\u2010][ \t]*+)\n?+[ \t]*+(?=(\p{L}++))")
# A part that ends where a word does: the words of a long text are never in memory all at once.
_PIECE = regex.compile(r".{1,65536}+[\p{L}\p{M}\p{N}]*+", regex.S)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_DOLLARS = re.compile(r"\$\s+(\d+)")
_FULL_STOPS = re.compile(r"\.[\s.]*")


def lcs(text: str, reference: str, variant: Variant = "clean") -> float:
    """Cosine of the word counts of `text` and `reference`, 0 to 1; 0 if either has no words.

    Raises:
        ValueError: `variant` is unknown.
    """
    if variant not in get_args(Variant):
        raise ValueError(f"variant {variant!r}: choose one of {', '.join(get_args(Variant))}")
    if variant == "clean":
        text, reference = _joined(text).lower(), _joined(reference).lower()
        if unspaced(reference):
            return _trigram_cosine(text, reference)
    elif variant == "json":
        text, reference = text.replace("|", " ").lower(), reference.lower()
    else:
        text, reference = _conversion(text), _conversion(reference)
    return _cosine(text.split(), reference.split())


def order(text: str, reference: str, n: int = 5) -> tuple[float, float]:
    """Share of the reference's word n-grams found in the text (recall), and of the text's in the reference.

    N-grams are multisets of case-folded words without punctuation, hyphens at line ends joined; in scripts
    without spaces each character is a word. A text shorter than n words is one n-gram; without words, 0.
    """
    ids: dict[str, int] = {}
    return shared(word_ids(text, ids), word_ids(reference, ids), n)


def shared(text: NDArray[np.uint64], reference: NDArray[np.uint64], n: int) -> tuple[float, float]:
    """`order` of words that have their numbers already (`word_ids`)."""
    ours, theirs = ngrams(text, n), ngrams(reference, n)
    hashes, counts = np.unique(ours, return_counts=True)
    their_hashes, their_counts = np.unique(theirs, return_counts=True)
    _, i, j = np.intersect1d(hashes, their_hashes, assume_unique=True, return_indices=True)
    found = int(np.minimum(counts[i], their_counts[j]).sum())
    return found / max(len(theirs), 1), found / max(len(ours), 1)


def signals(
    text: str, reference: str, forms: Mapping[str, str] | None = None, tables: str | None = None
) -> dict[str, float | None]:
    """The columns of fidelity in the signals table: `text` against `reference`.

    `forms` holds the reference as LEMUR's scripts read it (`json`, `conversion`) and the words of its tables
    (`table_text`), as `extractors.reference.variants` makes them; `tables` are those found beside the text.
    """
    forms = forms or {}
    ids: dict[str, int] = {}
    ours, theirs = word_ids(text, ids), word_ids(reference, ids)
    recall, precision = shared(ours, theirs, 5)
    word_recall, word_precision = shared(ours, theirs, 1)
    return {
        "lcs": lcs(text, reference),
        "lcs_json": lcs(text, forms.get("json", reference), "json"),
        "lcs_conversion": lcs(text, forms.get("conversion", reference), "conversion"),
        "order_recall": recall,
        "order_precision": precision,
        "word_recall": word_recall,
        "word_precision": word_precision,
        "table_word_recall": table_words(text, reference, forms.get("table_text", ""), tables or ""),
        "hyphenation": hyphenation(text, reference),
    }


def table_words(text: str, reference: str, table_text: str, tables: str = "") -> float | None:
    """Share of the words of the reference's tables that `text` or `tables` have; None for a reference without tables.

    A word of `text` counts for the tables only beyond the times that the rest of the reference has it.
    """
    ids: dict[str, int] = {}
    wanted, whole, ours, apart = (
        Counter(word_ids(side, ids).tolist()) for side in (table_text, reference, text, tables)
    )
    if not wanted:
        return None
    found = 0
    for word, count in wanted.items():
        elsewhere = max(0, whole[word] - count)
        found += min(count, max(apart[word], ours[word] - elsewhere))
    return found / wanted.total()


def hyphenation(text: str, reference: str) -> float | None:
    """Share of the hyphens between letters of `text` that stand where the reference writes one word.

    Hyphens that the reference can say nothing about do not count; None without any other.
    """
    joints = [(left + right, f"{left}-{right}") for left, right in _HYPHENS.findall(fold(text))]
    if not joints:
        return None
    folded = fold(reference)
    known = set(words(folded))
    hyphenated = {f"{left}-{right}" for left, right in _HYPHENS.findall(folded)}
    kept = sum(spelt in hyphenated for _, spelt in joints)
    split = sum(joined in known and spelt not in hyphenated for joined, spelt in joints)
    return split / (kept + split) if kept + split else None


def _joined(text: str) -> str:
    """NFC, without the hyphens of line ends."""
    text = unicodedata.normalize("NFC", text)
    return str(_LINE_END_HYPHEN.sub("", _SOFT_HYPHEN.sub("", text)))


def _conversion(text: str) -> str:
    return _FULL_STOPS.sub(" ", _DOLLARS.sub(r"$\1", text)).lower()


def _trigram_cosine(text: str, reference: str) -> float:
    """Cosine of the counts of character 3-grams, which are exact: three code points of 21 bits are one number."""
    (ours, our_counts), (theirs, their_counts) = (
        np.unique(_trigrams("".join(side.split())), return_counts=True) for side in (text, reference)
    )
    if not len(ours) or not len(theirs):
        return 0.0
    _, i, j = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    dot = float(our_counts[i] @ their_counts[j])
    return min(1.0, dot / math.sqrt(float(our_counts @ our_counts) * float(their_counts @ their_counts)))


def _trigrams(run: str) -> NDArray[np.uint64]:
    """Each 3-gram of the characters as a number; a shorter run is one."""
    points = np.frombuffer(run.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    size = min(3, len(points))
    grams = np.zeros(len(points) - size + 1 if size else 0, np.uint64)
    for k in range(size):
        grams = grams << np.uint64(21) | points[k : k + len(grams)]
    return grams


def word_ids(text: str, ids: dict[str, int]) -> NDArray[np.uint64]:
    """The words of `text` in order, each as its number in `ids` (from 1), where new ones are added.

    Case is folded and hyphens at line ends are joined.
    """
    found = array("Q")
    for piece in _PIECE.finditer(fold(_joined(text))):
        found.extend(ids.setdefault(word, len(ids) + 1) for word in words(piece[0]))
    return np.frombuffer(found, np.uint64)


def ngrams(found: NDArray[np.uint64], n: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each n-gram of words; of all of them where they are fewer than n."""
    n = min(n, len(found))
    hashes = np.zeros(len(found) - n + 1 if n else 0, np.uint64)
    for k in range(n):
        hashes = hashes * _MULTIPLIER + found[k : k + len(hashes)]
    return hashes


def _cosine(ours: Iterable[str], theirs: Iterable[str]) -> float:
    a, b = Counter(ours), Counter(theirs)
    if not a or not b:
        return 0.0
    if len(a) > len(b):
        a, b = b, a
    dot = sum(count * b[word] for word, count in a.items())
    norms = sum(c * c for c in a.values()) * sum(c * c for c in b.values())
    return min(1.0, dot / math.sqrt(norms))
