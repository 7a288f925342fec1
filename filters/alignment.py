"""Which part of a reference each page of a text stands for, and how well it has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.fidelity import ngrams, word_ids

_N = 5
_Ints = NDArray[np.int64]


def page_signals(text: str, starts: Sequence[int], reference: str) -> list[dict[str, Any]]:
    """The columns of fidelity in the pages table, one dict a page; page i is `text[starts[i]:starts[i + 1]]`.

    Word 5-grams that both sides have once tie the reference to the pages, in whatever order they come; what follows
    one of them belongs to its page, up to the next one. So words that were lost count for the page after whose words
    they should stand, and a page without such a 5-gram has None for everything but `order_precision`.
    """
    ids: dict[str, int] = {}
    ends = [*starts[1:], len(text)]
    parts = [word_ids(text[start:end], ids) for start, end in zip(starts, ends, strict=False)]
    ours = np.concatenate([np.empty(0, np.uint64), *parts])
    theirs = word_ids(reference, ids)
    grams, their_grams = ngrams(ours, _N), ngrams(theirs, _N)
    page_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    owner = _owners(grams, their_grams, page_of)
    found = np.isin(their_grams, grams)
    covered = np.zeros(len(theirs), bool)
    for k in range(len(theirs) - len(found) + 1):
        covered[k : k + len(found)] |= found
    precision = _means(np.isin(grams, their_grams), page_of[: len(grams)], len(parts))
    recall = _means(found, owner, len(parts))
    owner_of_words = np.pad(owner, (0, len(theirs) - len(owner)), "edge") if len(owner) else np.full(len(theirs), -1)
    lost = np.bincount(owner_of_words[~covered & (owner_of_words >= 0)], minlength=len(parts))
    alike = _cosines(ours, page_of, theirs, owner_of_words, len(parts))
    return [
        {
            "lcs": None if recall[page] is None else alike[page],
            "order_recall": recall[page],
            "order_precision": precision[page],
            "lost_words": None if recall[page] is None else int(lost[page]),
        }
        for page in range(len(parts))
    ]


def _owners(grams: NDArray[np.uint64], their_grams: NDArray[np.uint64], page_of: _Ints) -> _Ints:
    """The page that each n-gram of the reference belongs to; -1 for all where nothing is common."""
    ours, theirs = _once(grams), _once(their_grams)
    _, i, j = np.intersect1d(grams[ours], their_grams[theirs], assume_unique=True, return_indices=True)
    if not len(i):
        return np.full(len(their_grams), -1)
    by_place = np.argsort(theirs[j])
    tied = np.searchsorted(theirs[j][by_place], np.arange(len(their_grams)), side="right") - 1
    owners: _Ints = page_of[ours[i]][by_place][np.maximum(tied, 0)]
    return owners


def _once(grams: NDArray[np.uint64]) -> _Ints:
    """Where the n-grams stand that occur once."""
    _, first, counts = np.unique(grams, return_index=True, return_counts=True)
    places: _Ints = first[counts == 1]
    return places


def _means(flags: NDArray[np.bool_], page_of: _Ints, pages: int) -> list[float | None]:
    """Share of true flags of each page; None for a page without flags."""
    known = page_of >= 0
    total = np.bincount(page_of[known], minlength=pages)
    true = np.bincount(page_of[known & flags], minlength=pages)
    return [float(t / n) if n else None for t, n in zip(true, total, strict=True)]


def _cosines(
    ours: NDArray[np.uint64], page_of: _Ints, theirs: NDArray[np.uint64], owner_of: _Ints, pages: int
) -> list[float]:
    """Cosine of the word counts of each page and of its part of the reference."""
    by_page = np.argsort(owner_of, kind="stable")
    their_bounds = np.searchsorted(owner_of[by_page], np.arange(pages + 1))
    our_bounds = np.searchsorted(page_of, np.arange(pages + 1))
    scores = []
    for page in range(pages):
        a, our_counts = np.unique(ours[our_bounds[page] : our_bounds[page + 1]], return_counts=True)
        part = theirs[by_page[their_bounds[page] : their_bounds[page + 1]]]
        b, their_counts = np.unique(part, return_counts=True)
        _, i, j = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        norms = float(our_counts @ our_counts) * float(their_counts @ their_counts)
        scores.append(float(our_counts[i] @ their_counts[j]) / norms**0.5 if norms else 0.0)
    return scores
