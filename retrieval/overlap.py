"""Decontamination: whether a training text may stand beside a benchmark.

It may not if it is equal to a text of the benchmark, a near-duplicate of one, contains one, is part of one, or shares
too much with the benchmark as a whole. Compared are words, case-folded, without punctuation (`filters.words`); in
scripts without spaces, letters. Near-duplicates are told by the Jaccard similarity of 5-grams, all else by 13-grams,
the length of GPT-3's and most later decontaminations (Brown et al. 2020, appendix C).

A text of fewer than 13 words is compared as a whole, not looked for in others: titles, keywords and headings stand in
many texts that only name what they are of. An n-gram that stands in texts of many works of the benchmark is a formula
("binding in its entirety and directly applicable in all Member States") and tells nothing about where a text is from:
it counts among the n-grams that a text has, but not among those that it shares. Formulas do count for equal texts and
near-duplicates.

Hashes have 64 bits: two n-grams with one hash can only add to what seems shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.sets import Set
from filters import compiling
from retrieval.overlap_hashes import Hashes, Places, Table, batches, grams, whole, word_hashes

NEAR, LONG = 5, 13
"""Words in the n-grams of near-duplicates, and of all else."""
EQUAL, SIMILAR, CONTAINS, PART, SHARED, ANY = REASONS = (
    "equal to a text of a benchmark",
    "near-duplicate of a text of a benchmark",
    "contains a text of a benchmark",
    "part of a text of a benchmark",
    "shares n-grams with a benchmark",
    "shares any n-gram with a benchmark",
)


class Rules(BaseModel):
    """What of a training set may not stand beside a benchmark."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    jaccard: float = Field(default=0.8, gt=0, le=1)
    """Similarity from which two texts are near-duplicates."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Share of a text's 13-grams from which it is contained in another, or taken from the benchmark."""
    formula: int | None = Field(default=5, ge=2)
    """Works of the benchmark in which an n-gram is a formula, at least, or one work in a hundred; none: none is."""
    strict: bool = False
    """Whether any common 13-gram is too much, formulas too."""


class Overlap(NamedTuple):
    """What a text has in common with a benchmark; `at` numbers its texts in the order in which they were given."""

    reason: str | None
    """The first of REASONS that holds; None: the text may stand beside the benchmark."""
    at: int | None
    """The text of the benchmark that the reason is about, where it is about one."""
    similarity: float
    """Jaccard similarity of 5-grams with the most similar text."""
    similar: int | None
    contained: float
    """Largest share of the smaller text's 13-grams that stand in the other, of all texts of the benchmark."""
    container: int | None
    shared: float
    """Share of the text's own 13-grams that stand anywhere in the benchmark."""
    common: int
    """Places in the text with a 13-gram of the benchmark, formulas included."""


_NOTHING = Overlap(None, None, 0.0, None, 0.0, None, 0.0, 0)


@dataclass(frozen=True, slots=True)
class _Scanned:
    """Texts and which of them may overlap."""

    words: Hashes
    bounds: Places
    flags: Any
    hits: Places


class Guard:
    """The texts of benchmarks, held as hashes: about 40 bytes a word."""

    def __init__(self, texts: Iterable[tuple[str | None, str]], rules: Rules | None = None) -> None:
        """Args:
        texts: every text of the benchmarks with the name of what it is of (a work, else a document): what stands
            in many works is a formula.
        """
        self.rules = rules or Rules()
        near: list[Hashes] = []
        long: list[Hashes] = []
        wholes: list[np.uint64] = []
        labels: list[str] = []
        for pairs in _groups(texts):
            found, bounds = word_hashes([text or "" for text, _ in pairs])
            labels.extend(label for _, label in pairs)
            for k in range(len(pairs)):
                words = found[bounds[k] : bounds[k + 1]]
                near.append(_distinct(words, NEAR))
                long.append(_distinct(words, LONG))
                wholes.append(whole(words) if len(words) else np.uint64(0))
        self.texts = len(labels)
        self._near, self._long = Table.of(NEAR, near), Table.of(LONG, long)
        self._formula = self._formulas(labels)
        held = self._long.sizes[self._long.texts]
        self._smallest = np.minimum.reduceat(held, self._long.begins[:-1]) if len(held) else held
        # of equal texts the first; texts without words are equal to none
        self._first = {int(value): i for i, value in reversed(list(enumerate(wholes))) if len(near[i])}
        self._tables: tuple[Any, ...] | None = None

    @staticmethod
    def of(benchmarks: Iterable[Set], rules: Rules | None = None) -> Guard:
        """The guard of the documents and queries of some benchmarks."""
        return Guard(texts_of(benchmarks), rules)

    def reasons(self, texts: list[str]) -> list[str | None]:
        """Of each text why it may not stand beside the benchmarks, one of REASONS; None where it may."""
        return [overlap.reason for overlap in self.overlaps(texts, 1.0)]

    def overlaps(self, texts: list[str], least: float = 0.25) -> list[Overlap]:
        """What each text has in common with the benchmarks.

        Args:
            least: figures may be 0 that are smaller than this and than what the rules ask for.
        """
        return [overlap for batch in batches(texts) for overlap in self._overlaps(batch, least)]

    def _overlaps(self, texts: list[str], least: float) -> Iterator[Overlap]:
        found = self._scan(texts, least)
        for i in range(len(texts)):
            if found.flags[i]:
                words = found.words[found.bounds[i] : found.bounds[i + 1]]
                yield self._compared(words, int(found.hits[i]))
            else:
                yield _NOTHING._replace(common=int(found.hits[i]))

    def _scan(self, texts: list[str], least: float) -> _Scanned:
        words, bounds = word_hashes(texts)
        flags, hits = np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.int64)
        jaccard, share = min(least, self.rules.jaccard), min(least, self.rules.share)
        if compiling.available():
            from retrieval import overlap_kernel

            if self._tables is None:
                self._tables = self._near.for_kernel(), self._long.for_kernel()
            overlap_kernel.scan(
                words, bounds, *self._tables, self._formula, self._smallest, jaccard, share, flags, hits
            )  # fmt: skip
        else:
            self._scan_by_numpy(words, bounds, jaccard, flags, hits)
        if self.rules.strict:
            flags |= hits > 0
        return _Scanned(words, bounds, flags, hits)

    def _scan_by_numpy(self, words: Hashes, bounds: Places, jaccard: float, flags: Any, hits: Any) -> None:
        """As the kernel does, but that every text with a telling 13-gram is flagged."""
        for i in range(len(flags)):
            text = words[bounds[i] : bounds[i + 1]]
            if len(text):
                near = _distinct(text, NEAR)
                flags[i] = np.count_nonzero(self._near.places(near) >= 0) >= jaccard * len(near) - 1e-9
                places = self._long.places(grams(text, LONG))
                places = places[places >= 0]
                hits[i] = len(places)
                flags[i] |= not self._formula[places].all()

    def _compared(self, words: Hashes, common: int) -> Overlap:
        """A text against all texts of the benchmark."""
        at = self._first.get(int(whole(words)))
        near, long = _distinct(words, NEAR), _distinct(words, LONG)
        similarity, similar = self._most_similar(near)
        places = self._long.places(long)
        places = places[places >= 0]
        places = places[~self._formula[places]]
        shared = len(places) / len(long) if len(long) else 0.0
        contained, container, smaller = self._most_contained(places, len(long))
        rules, reason = self.rules, None
        if at is not None:
            reason = EQUAL
        elif similarity >= rules.jaccard:
            reason, at = SIMILAR, similar
        elif contained >= rules.share:
            reason, at = (PART if smaller else CONTAINS), container
        elif shared >= rules.share:
            reason = SHARED
        elif rules.strict and common:
            reason = ANY
        return Overlap(reason, at, similarity, similar, contained, container, shared, common)

    def _most_similar(self, near: Hashes) -> tuple[float, int | None]:
        places = self._near.places(near)
        texts, counts = self._near.shared(places[places >= 0])
        if not len(texts):
            return 0.0, None
        values = counts / (len(near) + self._near.sizes[texts] - counts)
        best = int(np.argmax(values))
        return float(values[best]), int(texts[best])

    def _most_contained(self, places: Places, size: int) -> tuple[float, int | None, bool]:
        """The largest share, the text of the benchmark, and whether that is the larger one."""
        texts, counts = self._long.shared(places)
        if not len(texts):
            return 0.0, None, False
        sizes = self._long.sizes[texts]
        values = counts / np.minimum(size, sizes)
        best = int(np.argmax(values))
        return float(values[best]), int(texts[best]), bool(size < sizes[best])

    def _formulas(self, labels: list[str]) -> Any:
        """Of each 13-gram whether it stands in texts of many works."""
        table = self._long
        if self.rules.formula is None:
            return np.zeros(len(table.keys), np.bool_)
        known: dict[str, int] = {}
        codes = np.array([known.setdefault(label, len(known)) for label in labels], np.int64)
        many = max(self.rules.formula, len(known) // 100)
        gram = np.repeat(np.arange(len(table.keys)), np.diff(table.begins))
        pairs = np.unique(gram * max(1, len(known)) + codes[table.texts])
        return np.bincount(pairs // max(1, len(known)), minlength=len(table.keys)) >= many


def texts_of(benchmarks: Iterable[Set]) -> Iterator[tuple[str, str]]:
    """The texts of documents and queries, each with its work.

    Those without one count as of one work, so that what overlapping windows of one text have in common is no formula.
    """
    for found in benchmarks:
        for table in ("documents", "queries"):
            for batch in found.batches(table, ["id", "work", "text"]):
                for row in batch.to_pylist():
                    yield row["text"] or "", row["work"] or "unknown"


def _distinct(words: Hashes, n: int) -> Hashes:
    """A text's distinct n-grams, ascending; a text that is shorter than an n-gram of NEAR words is one."""
    return np.unique(grams(words, min(n, len(words)) if n == NEAR and len(words) else n))


def _groups(texts: Iterable[tuple[str | None, str]], most: int = 1_000) -> Iterator[list[tuple[str | None, str]]]:
    group: list[tuple[str | None, str]] = []
    for pair in texts:
        group.append(pair)
        if len(group) == most:
            yield group
            group = []
    if group:
        yield group
