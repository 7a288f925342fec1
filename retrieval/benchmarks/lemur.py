"""The metadata block of an act asks for the act (LEMUR, arXiv 2602.09570)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from retrieval import lemur
from retrieval.benchmarks.rows import Document, Query, documents, one_edition, qrels, queries, read
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task
from retrieval.source import Source

EXACT, OTHER_LANGUAGE = 2, 1
"""Relevance of the act in the query's language, and in another."""


class LemurParams(Params):
    """Which acts, and how their blocks are cut."""

    variant: lemur.Variant = "ascii"
    """What a capital letter is where the block ends; see `retrieval.lemur.metadata_block`."""
    languages: tuple[str, ...] = ()
    """Only these; none: all."""
    shortest: int = Field(default=200, ge=1)
    """Characters that must be left of an act when its block is taken off."""


def make(source: Source, params: LemurParams) -> Benchmark:
    """Documents are held-out acts without their blocks, whole; the queries are the blocks.

    The act in the query's language is judged 2, its other language versions 1. Task `fr` ranks French acts for French
    blocks: what is found is exact. Task `fr-any` ranks the acts of all languages in one pool: Top-k is exact when 2
    is asked for, and in any language when 1 is. A block that is equal in several acts is no query.
    """
    counts: Counter[str] = Counter()
    return build(read(source), params, counts)


def build(acts: Iterable[dict[str, Any]], params: LemurParams, counts: Counter[str]) -> Benchmark:
    """The benchmark of these documents, rows of `retrieval.benchmarks.rows.read`."""
    blocks: dict[str, list[Query]] = {}
    found: dict[tuple[str, str], Document] = {}
    for act in one_edition(acts, counts):
        text, work, language = act["text"] or "", act["work"], act["language"]
        block = lemur.metadata_block(text, act["page_offsets"], params.variant)
        start = block.end + len(text[block.end :]) - len(text[block.end :].lstrip())
        reason = _unfit(act, params, len(text) - start)
        counts[reason or "used"] += 1
        if reason is None:
            id = f"{act['id']}:{start}-{len(text)}"
            found[work, language] = Document(
                id, "", text[start:], language, act["id"], start, len(text), f"{work}#whole", work, act["licence"]
            )
            query = Query(f"{act['id']}:{block.end - len(block.query)}-{block.end}", block.query, language, work=work)
            blocks.setdefault(" ".join(block.query.split()).casefold(), []).append(query)
    asked = [same[0] for same in blocks.values() if len(same) == 1]
    counts["query: equal to the block of another act"] += sum(len(same) for same in blocks.values() if len(same) > 1)
    counts["query: made"] += len(asked)
    judged = [
        (query.id, document.id, EXACT if query.language == language else OTHER_LANGUAGE)
        for query in asked for language in sorted({language for _, language in found})
        for document in [found.get((query.work or "", language))] if document is not None
    ]  # fmt: skip
    return Benchmark(
        documents(found.values()), queries(asked), qrels(judged), _tasks({language for _, language in found}),
        counts=+counts, notes=_notes(params),
    )  # fmt: skip


def _unfit(act: Mapping[str, Any], params: LemurParams, left: int) -> str | None:
    if not act["celex"]:
        return "no act"
    if params.languages and act["language"] not in params.languages:
        return "other language"
    return "next to nothing after the block" if left < params.shortest else None


def _tasks(languages: set[str]) -> list[Task]:
    own = [Task(code, (code,), (code,)) for code in sorted(languages)]
    if len(languages) < 2:
        return own
    return [*own, *(Task(f"{code}-any", (code,)) for code in sorted(languages)), Task("any")]


def _notes(params: LemurParams) -> dict[str, Any]:
    return {
        "queries": f"metadata block, variant {params.variant}; it is cut off the document",
        "exact": EXACT,
        "any_language": OTHER_LANGUAGE,
        "relevance": f"{EXACT}: the act in the query's language; {OTHER_LANGUAGE}: another language version of it",
    }


LEMUR = BenchmarkBuilder(
    "lemur", 1, "The block at the start of an act asks for the rest of the act.", make, LemurParams
)  # fmt: skip
