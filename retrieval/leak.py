"""Leakage between a training set and a benchmark, measured on any two exports (`florilege leak TRAIN BENCH`).

A row of the training set is a leak if one of its texts may not stand beside the benchmark (`retrieval.overlap`), or if
it is of a work of the benchmark, or of one parallel group with a text of it. All else is counted, and is no leak:
common ids (but numbers, for many collections count from 0), queries of five words or more within training texts, any
common 13-gram. The benchmark is held in memory, the training set is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.foreign import Export, Text, opened
from retrieval.overlap import NEAR, REASONS, Guard, Overlap, Rules
from retrieval.overlap_hashes import Hashes, Table, batches, grams, word_hashes

SAME_WORK = "of a work of the benchmark"
TRANSLATION = "translation of a text of the benchmark: one parallel group, or one work in another language"
SAME_ID = "id of the benchmark"
WITH_QUERY = "contains a query of the benchmark of 5 words or more"
BOTH = "query and document are both in the benchmark"
COMMON = "has a 13-gram of the benchmark"
ALLOWED = "has a 13-gram of the benchmark, and is allowed: formulas, quotations, names"
MEASURES = (SAME_WORK, TRANSLATION, *REASONS, BOTH, SAME_ID, WITH_QUERY, COMMON, ALLOWED)
LEAKS = (SAME_WORK, TRANSLATION, *REASONS)
_EXAMPLES = 5
_BINS = 10
_SLICE = re.compile(r"(:\d+-\d+|#.*)\Z", re.DOTALL)


@dataclass(slots=True)
class Measure:
    """Rows of the training set of which something holds."""

    rows: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    """The first: `train` and `benchmark` (place and beginning of the text), `share` where there is one."""


@dataclass(slots=True)
class Report:
    """What a training set and a benchmark have in common."""

    train: Export
    benchmark: Export
    rules: Rules
    rows: int = 0
    """Rows of the training set."""
    texts: int = 0
    """Texts in them."""
    documents: int = 0
    queries: int = 0
    """Texts of the benchmark."""
    leaks: int = 0
    """Rows of the training set that may not stand beside the benchmark."""
    measures: dict[str, Measure] = field(default_factory=lambda: {name: Measure() for name in MEASURES})
    queries_found: int = 0
    """Queries of the benchmark, of 5 words or more, that stand in a text of the training set."""
    largest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("similarity", "contained", "shared"), 0.0))
    """The largest figures of a text; those under .25 may read 0."""
    histograms: dict[str, list[int]] = field(
        default_factory=lambda: {name: [0] * _BINS for name in ("similarity", "contained", "shared")}
    )
    """Texts by tenths of each figure; what is under .25 may be in the first."""

    def lines(self) -> Iterator[str]:
        """The report for people, as Markdown."""
        for name, export in (("training set", self.train), ("benchmark", self.benchmark)):
            yield f"{name}: {export.path} ({export.format})"
            yield from (f"- read {count:,} of {column}" for column, count in sorted(export.columns.items()))
            yield from (f"- not read: {count:,} of {reason}" for reason, count in sorted(export.bad.items()))
        yield f"\n{self.rows:,} rows with {self.texts:,} texts"
        yield f"against {self.documents:,} documents and {self.queries:,} queries\n"
        yield "| rows of the training set | number | leak |\n|---|---:|---|"
        yield from (f"| {m} | {self.measures[m].rows:,} | {'yes' if m in LEAKS else ''} |" for m in MEASURES)
        yield f"| **leaks** | **{self.leaks:,}** | |\n"
        yield f"queries of 5 words or more found in training texts: {self.queries_found:,}"
        yield "largest: " + ", ".join(f"{name} {value:.2f}" for name, value in self.largest.items())
        for name, bins in self.histograms.items():
            yield f"texts by {name}, in tenths: {' '.join(map(str, bins))}"
        for name in MEASURES:
            for example in self.measures[name].examples[: 2 if name in LEAKS else 1]:
                yield f"- {name}: {example}"


def measure(train: Path, benchmark: Path, rules: Rules | None = None) -> Report:
    """Measure what two exports have in common.

    Raises:
        ConfigError: one of them holds no text.
    """
    held, read = opened(benchmark), opened(train)
    texts = [text for batch in held.batches() for text in batch]
    known = _Known(texts, rules or Rules())
    report = Report(read, held, known.guard.rules)
    report.queries = sum(text.query for text in texts)
    report.documents = len(texts) - report.queries
    asked: set[int] = set()
    for batch in read.batches():
        _take(report, known, batch, asked)
    report.queries_found = len(asked)
    return report


class _Known:
    """The benchmark, to look things up in."""

    def __init__(self, texts: list[Text], rules: Rules) -> None:
        self.texts = texts
        self.guard = Guard(((t.text, t.work or "unknown") for t in texts), rules)
        self.works: dict[str, Text] = {}
        self.parallel: dict[str, Text] = {}
        self.ids: dict[str, Text] = {}
        self.languages: dict[str, set[str]] = {}
        for text in texts:
            if text.work and text.language:
                self.languages.setdefault(text.work, set()).add(text.language)
            for by, key in ((self.works, text.work), (self.parallel, text.parallel), (self.ids, origin(text.id))):
                if key:
                    by.setdefault(key, text)
        self.queries = _Queries(texts)


def origin(id: str | None) -> str | None:
    """The corpus document that an id is of, without the place of a slice; None for numbers."""
    return None if id is None or re.fullmatch(r"[\d\s]*", id) else _SLICE.sub("", id)


def _take(report: Report, known: _Known, batch: list[Text], asked: set[int]) -> None:
    """Measure a batch of whole rows."""
    distinct = list(dict.fromkeys(text.text for text in batch))
    overlaps = dict(zip(distinct, known.guard.overlaps(distinct), strict=True))
    within = dict(zip(distinct, known.queries.within(distinct), strict=True))
    for _, row in groupby(batch, key=lambda text: text.row):
        texts = list(row)
        found: dict[str, dict[str, Any]] = {}
        for text in texts:
            for name, other, share in _facts(known, text, overlaps[text.text]):
                found.setdefault(name, _example(text, other, share))
            if within[text.text]:
                asked.update(within[text.text])
                found.setdefault(WITH_QUERY, _example(text, known.texts[min(within[text.text])], None))
            _count(report, overlaps[text.text])
        if {text.query for text in texts if overlaps[text.text].reason} == {True, False}:
            found[BOTH] = _example(texts[0], None, None)
        leak = any(name in LEAKS for name in found)
        if COMMON in found and not leak:
            found[ALLOWED] = found[COMMON]
        report.rows, report.texts, report.leaks = report.rows + 1, report.texts + len(texts), report.leaks + leak
        for name, example in found.items():
            entry = report.measures[name]
            entry.rows += 1
            if len(entry.examples) < _EXAMPLES:
                entry.examples.append(example)


def _facts(known: _Known, text: Text, overlap: Overlap) -> Iterator[tuple[str, Text | None, float | None]]:
    """What holds of a text, with the text of the benchmark that it is about."""
    if text.work in known.works:
        yield SAME_WORK, known.works[text.work], None
        if text.language and known.languages.get(text.work, set()) - {text.language}:
            yield TRANSLATION, known.works[text.work], None
    if text.parallel in known.parallel:
        yield TRANSLATION, known.parallel[text.parallel], None
    if (id := origin(text.id)) in known.ids:
        yield SAME_ID, known.ids[id], None
    if overlap.reason:
        other = None if overlap.at is None else known.texts[overlap.at]
        yield overlap.reason, other, max(overlap.similarity, overlap.contained, overlap.shared)
    if overlap.common:
        yield COMMON, None, overlap.shared


def _count(report: Report, overlap: Overlap) -> None:
    for name in report.largest:
        value = getattr(overlap, name)
        report.largest[name] = max(report.largest[name], value)
        report.histograms[name][min(int(value * _BINS), _BINS - 1)] += 1


def _example(text: Text, other: Text | None, share: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {"train": f"{text.place}: {_begin(text.text)}"}
    if other is not None:
        found["benchmark"] = f"{other.place}: {_begin(other.text)}"
    return found | ({} if share is None else {"share": round(share, 3)})


def _begin(text: str) -> str:
    return " ".join(text[:400].split())[:120].encode("utf-8", "replace").decode()


class _Queries:
    """Queries of NEAR words or more, to be found as runs of words."""

    def __init__(self, texts: list[Text]) -> None:
        places = [i for i, text in enumerate(texts) if text.query]
        found, bounds = word_hashes([texts[i].text for i in places])
        kept = [(i, found[bounds[k] : bounds[k + 1]]) for k, i in enumerate(places)]
        self._queries: list[tuple[int, Hashes]] = [(i, words) for i, words in kept if len(words) >= NEAR]
        self._table = Table.of(NEAR, [grams(words[:NEAR], NEAR) for _, words in self._queries])

    def within(self, texts: list[str]) -> list[set[int]]:
        """Of each text the queries, by their place in the benchmark, that it contains as a whole and more."""
        return [queries for batch in batches(texts) for queries in self._within(batch)]

    def _within(self, texts: list[str]) -> list[set[int]]:
        words, bounds = word_hashes(texts)
        contained: list[set[int]] = [set() for _ in texts]
        starts = self._table.places(grams(words, NEAR))
        for at in np.flatnonzero(starts >= 0).tolist():
            text = int(np.searchsorted(bounds, at, side="right")) - 1
            key = starts[at]
            for n in self._table.texts[self._table.begins[key] : self._table.begins[key + 1]].tolist():
                place, query = self._queries[n]
                end = at + len(query)
                whole = end - at == bounds[text + 1] - bounds[text]
                if end <= bounds[text + 1] and not whole and np.array_equal(words[at:end], query):
                    contained[text].add(place)
        return contained
