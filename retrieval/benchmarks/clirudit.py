"""Combinations of an article's keywords ask for its abstract in each language (CLIRudit, arXiv 2504.16264)."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from math import comb
from typing import Literal, NamedTuple

import xxhash
from pydantic import Field

from retrieval import metadata
from retrieval.benchmarks.rows import Document, Judgement, Query, documents, qrels, queries, read
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task
from retrieval.source import Source

MOST_KEYWORDS = 1_000
"""Keywords of an article that are looked at; more is no list of keywords."""


class CliruditParams(Params):
    """How queries are made."""

    k: int = Field(default=3, ge=1, le=5)
    """Keywords in a query."""
    cap: int = Field(default=1_140, ge=1)
    """Combinations of an article at most; the default takes all of 20 keywords. Over it, a choice by `seed`."""
    seed: int = 1
    query_language: str = "en"
    document_languages: tuple[str, ...] = ("en", "fr")
    accents: Literal["kept", "stripped"] = "kept"
    """Whether keywords that differ in accents are different."""


class Article(NamedTuple):
    """What is known of one article."""

    id: str
    work: str
    keywords: list[str]
    documents: list[Document]


def make(source: Source, params: CliruditParams) -> Benchmark:
    """Documents are title, subtitle and abstract of an article in one language; queries are combinations of keywords.

    A document is relevant if its article has all keywords of the query, whichever article the query is from. Articles
    with fewer keywords than a query has stay as distractors. Relevance by keywords misses what is on the subject under
    other keywords.
    """
    counts: Counter[str] = Counter()
    return build(articles(source, params, counts), params, counts)


def articles(source: Source, params: CliruditParams, counts: Counter[str]) -> Iterator[Article]:
    """The held-out documents that have an abstract, the first of each work."""
    seen = set()
    for row in read(source):
        found = metadata.fields(row["meta"])
        abstracts = {code: found.abstracts[code] for code in params.document_languages if code in found.abstracts}
        if not abstracts:
            counts["no abstract in any of the languages"] += 1
        elif row["work"] in seen:
            counts["another version of a work"] += 1
        else:
            seen.add(row["work"])
            counts["used"] += 1
            for code in params.document_languages:
                counts[f"note: abstract in {code}" if code in abstracts else f"document: no abstract in {code}"] += 1
            made = [
                Document(
                    f"{row['id']}#abstract-{code}", _title(found, code), text, code, row["id"],
                    parallel=f"{row['work']}#abstract", work=row["work"], licence=row["licence"],
                )
                for code, text in abstracts.items()
            ]  # fmt: skip
            yield Article(row["id"], row["work"], found.keywords.get(params.query_language, []), made)


def build(found: Iterable[Article], params: CliruditParams, counts: Counter[str]) -> Benchmark:
    """The benchmark of these articles."""
    found = sorted(found, key=lambda article: article.work)
    holders: dict[str, set[int]] = {}
    spelled: dict[str, str] = {}
    keys = []
    for number, article in enumerate(found):
        own = _spellings(article.keywords, params.accents, counts)
        keys.append(sorted(own))
        for key, spelling in own.items():
            spelled.setdefault(key, spelling)
            holders.setdefault(key, set()).add(number)
    asked: dict[tuple[str, ...], int] = {}
    for number, (article, own_keys) in enumerate(zip(found, keys, strict=True)):
        for combination in _chosen(own_keys, article.work, params, counts):
            counts["query: made"] += 1
            counts["query: equal to one of another article"] += combination in asked
            asked.setdefault(combination, number)
    rows, judged = [], []
    for combination, number in asked.items():
        query = Query(
            _name(combination), ", ".join(spelled[key] for key in combination), params.query_language,
            f"{params.k} keywords", found[number].work,
        )  # fmt: skip
        rows.append(query)
        judged += _relevant(query.id, [holders[key] for key in combination], found)
    return Benchmark(
        documents(document for article in found for document in article.documents), queries(rows), qrels(judged),
        _tasks(params), counts=+counts, notes=_notes(params),
    )  # fmt: skip


def _title(found: metadata.Fields, language: str) -> str:
    """Title and subtitle; in many articles only the abstract is translated."""
    parts = [found.titles.get(language), found.subtitles.get(language)]
    return "\n".join(part for part in parts if part)


def _spellings(keywords: list[str], accents: str, counts: Counter[str]) -> dict[str, str]:
    """The distinct keywords in normal form, each with the first spelling."""
    counts["keyword: over the first 1,000 of an article"] += max(0, len(keywords) - MOST_KEYWORDS)
    found: dict[str, str] = {}
    for keyword in keywords[:MOST_KEYWORDS]:
        key = metadata.normalise(keyword)
        if accents == "stripped":
            key = unicodedata.normalize("NFC", _without_accents(key))
        if not key or key in found:
            counts["keyword: empty, or equal to another of its article"] += 1
        else:
            found[key] = " ".join(keyword.split())
    return found


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def _chosen(keys: list[str], work: str, params: CliruditParams, counts: Counter[str]) -> Iterator[tuple[str, ...]]:
    """Combinations of sorted keys: all, or as many as the cap says, without going through all."""
    count = comb(len(keys), params.k)
    if not count:
        counts[f"article: fewer than {params.k} keywords, a distractor"] += 1
        return
    if count <= params.cap:
        yield from combinations(keys, params.k)
        return
    counts["query: over the cap of its article"] += count - params.cap
    dice = random.Random(f"{params.seed} {work}")
    for rank in sorted(dice.sample(range(count), params.cap)):
        yield tuple(keys[place] for place in unranked(rank, len(keys), params.k))


def unranked(rank: int, n: int, k: int) -> list[int]:
    """The combination of k of n numbers that `itertools.combinations` gives at this place, from 0."""
    chosen: list[int] = []
    number = 0
    while len(chosen) < k:
        with_it = comb(n - number - 1, k - len(chosen) - 1)
        if rank < with_it:
            chosen.append(number)
        else:
            rank -= with_it
        number += 1
    return chosen


def _relevant(query: str, holders: list[set[int]], found: list[Article]) -> list[Judgement]:
    numbers = set.intersection(*sorted(holders, key=len))
    return [(query, document.id, 1) for number in numbers for document in found[number].documents]


def _name(combination: tuple[str, ...]) -> str:
    return "keywords-" + xxhash.xxh3_64_hexdigest("\0".join(combination))


def _tasks(params: CliruditParams) -> list[Task]:
    asked = params.query_language
    return [Task(f"{asked}-{code}", (asked,), (code,)) for code in params.document_languages]


def _notes(params: CliruditParams) -> dict[str, str]:
    accents = "" if params.accents == "kept" else ", no accents"
    return {
        "queries": f"every combination of {params.k} of an article's keywords, joined by `, `; {params.cap:,} at most",
        "normaliser": metadata.NORMALISER + accents + "; order does not matter",
        "relevance": "an article is relevant if it has all keywords of the query; others may be on the subject too",
        "documents": "title and subtitle as title, abstract as text; an article without an abstract in a language is "
        "not in that language's pool, and its queries are left out of the task unless another article answers them",
    }


CLIRUDIT = BenchmarkBuilder(
    "clirudit", 1, "Combinations of an article's keywords ask for its title and abstract in each language.",
    make, CliruditParams,
)  # fmt: skip
