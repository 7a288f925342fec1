"""Parallel passages of two languages in one pool, as in arXiv 2604.05684 on semantic proximity."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from pydantic import Field, field_validator

from retrieval import evidence
from retrieval.benchmarks import passages
from retrieval.benchmarks.passages import Passage, PassageParams
from retrieval.benchmarks.rows import Judgement, Query, capped, documents, only, qrels, queries, read
from retrieval.builder import Benchmark, BenchmarkBuilder, Task
from retrieval.source import Source

Scenario = Literal["mono", "cross", "multi-reference", "distractor-only-english"]
ENGLISH = "en"


class MixedPoolParams(PassageParams):
    """Which passages, and which scenarios."""

    kinds: tuple[passages.Kind, ...] = ("article", "abstract")
    target: str = "fr"
    """The language beside English."""
    scenarios: tuple[Scenario, ...] = ("mono", "cross", "multi-reference")
    """`distractor-only-english` stands alone, because it has another pool."""
    gold: float = Field(default=0.5, gt=0, lt=1)
    """Distractor-only-English: share of the groups that stand in the pool in the target language and are asked for."""

    @field_validator("target")
    @classmethod
    def _is_another(cls, target: str) -> str:
        if target == ENGLISH:
            raise ValueError("English is the other language of the pool: name one beside it")
        return target

    @field_validator("scenarios")
    @classmethod
    def _fit_together(cls, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
        if not scenarios or ("distractor-only-english" in scenarios and len(scenarios) > 1):
            raise ValueError("one or more of mono, cross, multi-reference; or distractor-only-english alone")
        return scenarios


def make(source: Source, params: MixedPoolParams) -> Benchmark:
    """Every passage is in the pool in English and in the target language; one without both is refused.

    A query is the heading that was cut off a passage of an act, or the title of an article, which its abstract does not
    have; relevant are both versions. Passages whose headings make no good query stay as distractors.

    Scenarios: `mono` ranks the query's own language, `cross` the other, `multi-reference` both in one pool.
    `distractor-only-english`: a share of the passages is in the pool in the target language only and asked for in that
    language, the others are there in English only, so that every English document is unrelated.
    """
    counts: Counter[str] = Counter()
    groups = passages.aligned(read(source), (ENGLISH, params.target), params, counts)
    return build(groups, params, counts)


def build(groups: list[list[Passage]], params: MixedPoolParams, counts: Counter[str]) -> Benchmark:
    """The benchmark of these groups: pairs of an English passage and one in the target language."""
    groups = sorted(groups, key=lambda group: passages.drawn(params.seed, str(group[0].document.parallel)))
    shared = passages.ambiguous(groups)
    rows: list[Query] = []
    judged: list[Judgement] = []
    for group in groups:
        if passages.asks(group, shared, params, counts):
            for document, heading, kind in group:
                query = Query(f"heading:{document.id}", heading, document.language, kind, document.work)
                rows.append(query)
                judged += [(query.id, passage.document.id, 1) for passage in group]
    pool = documents(passage.document for group in groups for passage in group)
    asked, answers = evidence.check(pool, queries(rows), qrels(judged), params.near_copies, counts, params.similarity)
    if "distractor-only-english" in params.scenarios:
        wanted, others = _shared_out(groups, params.gold)
        pool = only(pool, "id", wanted | others)
        answers = only(answers, "document_id", wanted)
        askable = {f"heading:{id}" for id in wanted}
        counts["query: in English, or about an English distractor"] += sum(
            id not in askable for id in asked["id"].to_pylist()
        )
        asked, answers = only(asked, "id", askable), only(answers, "query_id", askable)
    order = {query.id: number for number, query in enumerate(rows)}
    asked, answers = capped(asked, answers, order, params.cap, counts)
    return Benchmark(pool, asked, answers, _tasks(params), counts=+counts, notes=_notes(params))


def _shared_out(groups: list[list[Passage]], gold: float) -> tuple[set[str], set[str]]:
    """Ids of the passages that are in the pool in the target language, and of those that are in English."""
    cut = round(gold * len(groups))
    wanted = {p.document.id for group in groups[:cut] for p in group if p.document.language != ENGLISH}
    others = {p.document.id for group in groups[cut:] for p in group if p.document.language == ENGLISH}
    return wanted, others


def _tasks(params: MixedPoolParams) -> list[Task]:
    both = (ENGLISH, params.target)
    tasks = []
    for scenario in params.scenarios:
        if scenario == "mono":
            tasks += [Task(f"mono-{code}", (code,), (code,)) for code in both]
        elif scenario == "cross":
            tasks += [Task(f"cross-{a}-{b}", (a,), (b,)) for a, b in (both, both[::-1])]
        elif scenario == "multi-reference":
            tasks += [Task(f"multi-reference-{code}", (code,), both) for code in both]
        else:
            tasks.append(Task(f"{scenario}-{params.target}", (params.target,), both))
    return tasks


def _notes(params: MixedPoolParams) -> dict[str, Any]:
    return {
        "queries": "heading that was cut off the passage, or title of the article whose abstract is the passage",
        "scenarios": {
            "mono": "pool in the query's language",
            "cross": "pool in the other language",
            "multi-reference": "both languages in one pool, both versions of the passage relevant",
            "distractor-only-english": "passages asked for in the target language only, the others in English only",
        },
        "languages": [ENGLISH, params.target],
        "near copies": f"Jaccard similarity of word 5-grams of {params.similarity:g} or more",
    }


MIXED_POOL = BenchmarkBuilder(
    "mixed-pool", 1, "Headings and titles ask for passages in a pool of English and another language.",
    make, MixedPoolParams,
)  # fmt: skip
