"""How faithful an extracted text is to another version of the same text.

`lcs` is LEMUR's Lexical Content Score (arXiv 2602.09570): the cosine of word counts, blind to order.
`order` counts shared word n-grams and so sees columns and lines that were mixed up. Report both.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, get_args

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
            return _cosine(_trigrams(text), _trigrams(reference))
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
    ours, theirs = (_ngrams(_word_ids(side, ids), n) for side in (text, reference))
    hashes, counts = np.unique(ours, return_counts=True)
    their_hashes, their_counts = np.unique(theirs, return_counts=True)
    _, i, j = np.intersect1d(hashes, their_hashes, assume_unique=True, return_indices=True)
    shared = int(np.minimum(counts[i], their_counts[j]).sum())
    return shared / max(len(theirs), 1), shared / max(len(ours), 1)


def signals(text: str, reference: str) -> dict[str, float]:
    """`lcs` (variant clean), `order_recall` and `order_precision` of `text` against `reference`."""
    recall, precision = order(text, reference)
    return {"lcs": lcs(text, reference), "order_recall": recall, "order_precision": precision}


def reference_from_html(html: str, variant: Literal["json", "conversion"]) -> str:
    """The reference text that LEMUR's scripts build from a page's HTML; empty if the page cannot be parsed.

    Variant json repeats the text of every table cell once for each table around it, as the published figures
    do. Scripts and styles are left out.
    """
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    data = html.replace("\0", " ").encode("utf-8", "replace")
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.LxmlError:
        return ""
    if root is None:
        return ""
    etree.strip_elements(root, "script", "style", "template", with_tail=False)
    texts = [" ".join(root.itertext())]
    if variant == "json":
        for cell in root.xpath("//table//td | //table//th"):
            texts += [" ".join(cell.itertext())] * sum(1 for _ in cell.iterancestors("table"))
    elif variant == "conversion":
        texts = [_conversion(piece) for piece in root.itertext()]
    else:
        raise ValueError(f"variant {variant!r}: choose json or conversion")
    return " ".join(" ".join(texts).split())


def _joined(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    return str(_LINE_END_HYPHEN.sub("", _SOFT_HYPHEN.sub("", text)))


def _conversion(text: str) -> str:
    return _FULL_STOPS.sub(" ", _DOLLARS.sub(r"$\1", text)).lower()


def _trigrams(text: str) -> Iterable[str]:
    run = "".join(text.split())
    return (run[i : i + 3] for i in range(max(1, len(run) - 2))) if run else ()


def _word_ids(text: str, ids: dict[str, int]) -> NDArray[np.uint64]:
    """The words of `text` in order, each as its number in `ids` (from 1), where new ones are added."""
    found = array("Q")
    for piece in _PIECE.finditer(fold(_joined(text))):
        found.extend(ids.setdefault(word, len(ids) + 1) for word in words(piece[0]))
    return np.frombuffer(found, np.uint64)


def _ngrams(found: NDArray[np.uint64], n: int) -> NDArray[np.uint64]:
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
