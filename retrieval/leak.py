"""Leakage between a training set and a benchmark, measured on any two exports (`florilege leak TRAIN BENCH`).

A row of the training set is a leak if one of its texts may not stand beside the benchmark (`retrieval.overlap`), or if
it is of a work of the benchmark, or of one parallel group with a text of it. All else is counted, and is no leak:
common ids (but numbers, for many collections count from 0), queries of five words or more within training texts, any
common 13-gram. The benchmark is held in memory, the training set is read once.
"""

from __future__ import annotations

import re
from collections import Counter
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
_DOCUMENT = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")
_FIELD = re.compile(r"(.+?)(?::\d+-\d+|#[a-z]+(?:-[A-Za-z]+)*)", re.DOTALL)
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
    train_marks: Counter[str] = field(default_factory=Counter)
    """Rows of the training set by what they tell of themselves (`_marks`)."""
    benchmark_marks: Counter[str] = field(default_factory=Counter)
    """Texts of the benchmark by the same."""
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
        yield from _table(self)
        yield f"queries of 5 words or more found in training texts: {self.queries_found:,}"
        yield "largest: " + ", ".join(f"{name} {value:.2f}" for name, value in self.largest.items())
        for name, bins in self.histograms.items():
            yield f"texts by {name}, in tenths: {' '.join(map(str, bins))}"
        for name in MEASURES:
            for example in self.measures[name].examples[: 2 if name in LEAKS else 1]:
                yield f"- {name}: {_sentence(example)}"
        yield from _unknown(self)

    def unmeasured(self) -> dict[str, str]:
        """What could not be looked at, for the files do not tell it, and why."""
        found = {}
        for name, marks in _NEEDS.items():
            if any(self.train_marks[mark] and self.benchmark_marks[mark] for mark in marks):
                continue
            sides = {"training set": self.train_marks, "benchmark": self.benchmark_marks}
            lacking = [side for side, has in sides.items() if not any(has[mark] for mark in marks)]
            if lacking:
                found[name] = (
                    f"no {' and no '.join(_MARKS[mark] for mark in marks)} in the {' and in the '.join(lacking)}"
                )
            else:
                found[name] = "the one has " + ", the other ".join(
                    " and ".join(_MARKS[mark] for mark in marks if has[mark]) for has in sides.values()
                )
        if not self.queries:
            found |= dict.fromkeys((WITH_QUERY, BOTH), "no queries in the benchmark")
        elif not self.train_marks["pair"]:
            found[BOTH] = "no row of the training set holds both a query and a document"
        return found


_MARKS = {
    "work": "works", "document": "ids of corpus documents", "parallel": "parallel groups", "id": "ids that are names",
    "language": "works with languages",
}  # fmt: skip
_NEEDS = {SAME_WORK: ("work", "document"), TRANSLATION: ("parallel", "language"), SAME_ID: ("id",)}
"""What both sides must have one of, to be compared."""


def _marks(texts: list[Text]) -> set[str]:
    """What a row tells of itself."""
    found = {
        "work": any(t.work for t in texts),
        "document": any(document(t.id) for t in texts),
        "parallel": any(t.parallel for t in texts),
        "id": any(origin(t.id) for t in texts),
        "language": any(t.work and t.language for t in texts),
        "pair": len({t.query for t in texts}) == 2,
    }
    return {name for name, holds in found.items() if holds}


def _table(report: Report) -> Iterator[str]:
    unmeasured = report.unmeasured()
    yield "| rows of the training set | number | counts as a leak |\n|---|---:|---|"
    for name in MEASURES:
        count = "not measurable" if name in unmeasured else f"{report.measures[name].rows:,}"
        if count != "0":
            yield f"| {name} | {count} | {'yes' if name in LEAKS else 'no'} |"
    among = " among what was measurable" if unmeasured.keys() & set(LEAKS) else ""
    yield f"| **leaks{among}** | **{report.leaks:,}** | |\n"
    none = [name for name in MEASURES if name not in unmeasured and not report.measures[name].rows]
    if none:
        yield f"nothing of the other kinds: {'; '.join(none)}\n"


def _sentence(example: dict[str, Any]) -> str:
    other = f" - and in the benchmark {example['benchmark']}" if "benchmark" in example else ""
    return f"{example['train']}{other}" + (f" - likeness {example['share']:.2f}" if "share" in example else "")


def _unknown(report: Report) -> Iterator[str]:
    """What the figures do not say, and how to know it."""
    if (marked := report.train_marks["work or document"]) < report.rows and SAME_WORK not in report.unmeasured():
        yield f"\nOnly {marked:,} of {report.rows:,} rows of the training set name their work or corpus document."
    both = report.train_marks.keys() & report.benchmark_marks.keys()
    if "document" in both and "work" not in both:
        yield "\nWorks are told by the ids of corpus documents: a work's text in another language is another document."
    train, held = report.train.origin, report.benchmark.origin
    against = train.get("against")
    if report.train.format != "set" and held and isinstance(against, list):
        apart = "" if any(isinstance(one, dict) and one.get("id") == held["id"] for one in against) else "not "
        yield (
            f"\nBy its manifest the training set is `{train['name']}` ({train['id']}), which was {apart}kept apart "
            f"from this benchmark, `{held['name']}` ({held['id']}), when it was made."
        )
    missing = {name: why for name, why in report.unmeasured().items() if name in LEAKS}
    if missing:
        what = "; ".join(f"{name} ({why})" for name, why in missing.items())
        names = f"{train.get('name', 'TRAIN')} {held.get('name', 'BENCHMARK')}"
        sets = {report.train.format, report.benchmark.format} == {"set"}
        yield f"\nNot measurable, which is not none: {what}. To know it, compare " + (
            ("" if sets else f"the sets themselves (`florilege leak {names} --corpus DIR`), or ")
            + "files with the columns `work`, `parallel` and `language`; for works, ids such as DOC:start-end will do, "
            "as in the format beir."
        )


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
    for text in texts:
        report.benchmark_marks.update(_marks([text]))
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
        self.sources: dict[str, Text] = {}
        self.languages: dict[str, set[str]] = {}
        for text in texts:
            if text.work and text.language:
                self.languages.setdefault(text.work, set()).add(text.language)
            for by, key in (
                (self.works, text.work), (self.parallel, text.parallel), (self.ids, origin(text.id)),
                (self.sources, document(text.id)),
            ):  # fmt: skip
                if key:
                    by.setdefault(key, text)
        self.queries = _Queries(texts)


def origin(id: str | None) -> str | None:
    """The corpus document that an id is of, without the place of a slice; None for numbers."""
    return None if id is None or re.fullmatch(r"[\d\s]*", id) else _SLICE.sub("", id)


def document(id: str | None) -> str | None:
    """The corpus document that an id names: `DOC:start-end`, `DOC#field`, or 32 hexadecimal digits anywhere in it."""
    if id is None:
        return None
    if found := _DOCUMENT.search(id):
        return found[0]
    return found[1] if (found := _FIELD.fullmatch(id)) else None


def _take(report: Report, known: _Known, batch: list[Text], asked: set[int]) -> None:
    """Measure a batch of whole rows."""
    distinct = list(dict.fromkeys(text.text for text in batch))
    overlaps = dict(zip(distinct, known.guard.overlaps(distinct), strict=True))
    within = dict(zip(distinct, known.queries.within(distinct), strict=True))
    for _, row in groupby(batch, key=lambda text: text.row):
        texts = list(row)
        marks = _marks(texts)
        report.train_marks.update(marks | ({"work or document"} if marks & {"work", "document"} else set()))
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
    elif (source := document(text.id)) in known.sources:
        yield SAME_WORK, known.sources[source], None
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
    found: dict[str, Any] = {"train": f'{text.place}: "{_begin(text.text)}"'}
    if other is not None:
        found["benchmark"] = f'{other.place}: "{_begin(other.text)}"'
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
