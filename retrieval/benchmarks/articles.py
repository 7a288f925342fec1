"""Passages of acts and abstracts of articles: the translation of a passage is the relevant passage."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

from pydantic import Field

from retrieval import evidence
from retrieval.benchmarks import passages
from retrieval.benchmarks.passages import Passage, PassageParams
from retrieval.benchmarks.rows import Judgement, Query, capped, documents, qrels, queries, read
from retrieval.builder import Benchmark, BenchmarkBuilder, Task
from retrieval.source import Source

PASSAGE, HEADING = "passage", "heading"


class ArticlesParams(PassageParams):
    """Which passages, in which languages."""

    kinds: tuple[passages.Kind, ...] = ("article", "recital")
    languages: tuple[str, ...] = Field(default=("en", "fr"), min_length=2)
    """A passage is in the pool if it is there in all of these."""


def make(source: Source, params: ArticlesParams) -> Benchmark:
    """Documents are held-out passages without heading and number, in every language.

    Queries of kind `passage` are the passages themselves; relevant are their translations (task `en-fr`). Queries of
    kind `heading` are the headings that were cut off; relevant is the passage in every language (tasks `en-en` and
    `en-fr-heading`). A heading that several passages of the pool have is no query. A query of which a relevant passage
    has a near copy elsewhere in the pool is rejected, or the copy is relevant too.
    """
    counts: Counter[str] = Counter()
    groups = passages.aligned(read(source), params.languages, params, counts)
    return build(groups, params, counts)


def build(groups: list[list[Passage]], params: ArticlesParams, counts: Counter[str]) -> Benchmark:
    """The benchmark of these groups, each with one passage in every language."""
    rows: list[Query] = []
    judged: list[Judgement] = []
    shared = passages.ambiguous(groups)
    for group in sorted(groups, key=lambda group: passages.drawn(params.seed, str(group[0].document.parallel))):
        headed = passages.asks(group, shared, params, counts)
        for passage in group:
            document = passage.document
            query = Query(f"{PASSAGE}:{document.id}", document.text, document.language, PASSAGE, document.work)
            rows.append(query)
            judged += [(query.id, p.document.id, 1) for p in group if p is not passage]
            if headed:
                asked = Query(f"{HEADING}:{document.id}", passage.heading, document.language, HEADING, document.work)
                rows.append(asked)
                judged += [(asked.id, p.document.id, 1) for p in group]
    pool = documents(passage.document for group in groups for passage in group)
    order = {query.id: number for number, query in enumerate(rows)}
    left, answers = evidence.check(pool, queries(rows), qrels(judged), params.near_copies, counts, params.similarity)
    left, answers = capped(left, answers, order, params.cap, counts)
    return Benchmark(pool, left, answers, _tasks(params.languages), counts=+counts, notes=_notes(params))


def _tasks(languages: tuple[str, ...]) -> list[Task]:
    across = list(permutations(languages, 2))
    return [
        *(Task(f"{asked}-{pool}", (asked,), (pool,), (PASSAGE,)) for asked, pool in across),
        *(Task(f"{code}-{code}", (code,), (code,), (HEADING,)) for code in languages),
        *(Task(f"{asked}-{pool}-heading", (asked,), (pool,), (HEADING,)) for asked, pool in across),
    ]


def _notes(params: ArticlesParams) -> dict[str, Any]:
    return {
        "queries": "passage: the passage itself, its translations are relevant; heading: the heading that was cut off "
        "the passage, the passage is relevant in every language",
        "documents": "passages without heading and number, which would give a translation away",
        "near copies": f"Jaccard similarity of word 5-grams of {params.similarity:g} or more",
    }


ARTICLES = BenchmarkBuilder(
    "articles", 1, "A passage asks for its translation, and a heading for its passage.", make, ArticlesParams
)  # fmt: skip
