"""Measures of a ranking, a value a query, so that all can be averaged and resampled.

A value is NaN where the measure does not apply to a query; a query without any hits is never left out. The order of a
ranking is that of its `rank` column alone: scores play no part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

VERSION = 1
"""Raised whenever a measure changes."""
TOP = (1, 3, 5)
KILOTOKENS = (2, 5)
_CHUNK = 2_000

DEFINITIONS = {
    "nDCG@10": "gain: the judged score; discount: log2(rank + 1); divided by the best possible",
    "AP": "mean of the precisions at the ranks of the relevant documents; one that was not retrieved counts 0",
    "R@100": "share of the relevant documents in the first 100",
    "RR": "1 / rank of the first relevant document; 0: none retrieved",
    "RR@10": "RR where that rank is at most 10, else 0",
    **{
        f"Top@{k}": f"1 if a document with the highest score that was judged for the query stands among the first {k}, "
        "else 0"
        for k in TOP
    },
    **{
        f"Top@{k}-any": f"1 if a relevant document, in any language, stands among the first {k}: a document of the "
        "parallel group of a relevant one counts like it"
        for k in TOP
    },
    "Max@R": "the rank at which the last relevant document is found; one that was not retrieved has the rank of the "
    "pool's last document; lower is better",
    "Max@R-pool": "(Max@R - r) / (pool - r) for r relevant documents: 0 is the best, 1 the worst; lower is better",
    "Complete@10": "1 if all relevant documents stand among the first 10, else 0 (so 0 if there are more than 10)",
    "English-inclination": "1 if an English document that is neither relevant nor a translation of a relevant one "
    "stands above the best relevant document in the query's language (which, not retrieved, is below all), else 0; "
    "over queries in other languages than English that have such a relevant document and such an English one in the "
    "pool; lower is better",
    **{
        f"R@{m}kt": f"1 if an answer is found within the first {m},000 tokens of the ranked passages, else 0. The "
        "whole answer must stand before the border, and within one passage: one that straddles the border is not found"
        for m in KILOTOKENS
    },
}
"""What each measure is, for reports."""
LOWER_IS_BETTER = frozenset({"Max@R", "Max@R-pool", "English-inclination"})


@dataclass(frozen=True, slots=True)
class Judged:
    """Queries, judgements and a ranking; queries and documents are positions in tables.

    `gold_*` has a row a relevant document (score > 0) of a query; `query`, `document`, `rank` a row a hit, sorted by
    query and rank, ranks from 1 without gaps.
    """

    queries: int
    """How many; positions are below it."""
    documents: int
    gold_query: Ints
    gold_document: Ints
    gold_score: Ints
    query: Ints
    document: Ints
    rank: Ints
    pool: Ints
    """Of each query: how many documents could be ranked for it."""
    query_language: NDArray[Any]
    """Of each query: strings."""
    document_language: NDArray[Any]
    """Of each document: strings."""
    parallel: Ints
    """Of each document: the number of its parallel group; a document without one has a number of its own."""


def ranks_within(query: Ints) -> Ints:
    """Positions from 1 within runs of equal values."""
    starts = np.flatnonzero(np.r_[True, query[1:] != query[:-1]]) if len(query) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(query)])
    return np.arange(1, len(query) + 1) - np.repeat(starts, lengths)


def toward(judged: Judged, language: str) -> Judged:
    """The search for the relevant documents in one language.

    Relevant documents in other languages leave the ranking and the pool: they are no mistakes. All others stay.
    """
    own = judged.document_language[judged.gold_document] == language
    away = _keys(judged, judged.gold_query[~own], judged.gold_document[~own])
    stays = ~np.isin(_keys(judged, judged.query, judged.document), away)
    query = judged.query[stays]
    return replace(
        judged, gold_query=judged.gold_query[own], gold_document=judged.gold_document[own],
        gold_score=judged.gold_score[own], query=query, document=judged.document[stays], rank=ranks_within(query),
        pool=judged.pool - np.bincount(judged.gold_query[~own], minlength=judged.queries),
    )  # fmt: skip


def _keys(judged: Judged, query: Ints, document: Ints) -> Ints:
    return query * max(judged.documents, 1) + document


def gold_ranks(judged: Judged) -> Ints:
    """The rank of every relevant document; 0: not retrieved."""
    return _looked_up(
        _keys(judged, judged.query, judged.document), judged.rank,
        _keys(judged, judged.gold_query, judged.gold_document),
    )  # fmt: skip


def _looked_up(keys: Ints, values: Ints, wanted: Ints) -> Ints:
    """`values` at the places of `wanted` in `keys`; 0 where it is not there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    found = order[place]
    return np.where(keys[found] == wanted, values[found], 0)


def values(judged: Judged) -> dict[str, Floats]:
    """All measures of the ranking but R@m kt, which needs texts: name to a value a query."""
    ranks = gold_ranks(judged)
    highest = np.zeros(judged.queries, np.int64)
    np.maximum.at(highest, judged.gold_query, judged.gold_score)
    exact = judged.gold_score == highest[judged.gold_query]
    first = _least(judged, judged.gold_query[exact], ranks[exact])
    any_first = _first_of_group(judged)
    worst = max_at_r(judged, ranks)
    return {
        **trec(judged),
        **{f"Top@{k}": _applies(judged, (first <= k).astype(float)) for k in TOP},
        **{f"Top@{k}-any": _applies(judged, (any_first <= k).astype(float)) for k in TOP},
        "Max@R": worst,
        "Max@R-pool": _of_pool(judged, worst),
        "Complete@10": complete_at(judged, ranks, 10),
        "English-inclination": english_inclination(judged, ranks),
    }


def _counts(judged: Judged) -> Ints:
    return np.bincount(judged.gold_query, minlength=judged.queries)


def _applies(judged: Judged, values: Floats) -> Floats:
    return np.where(_counts(judged) > 0, values, np.nan)


def _least(judged: Judged, query: Ints, ranks: Ints) -> Floats:
    """Of each query the least rank that is not 0; infinite without one."""
    least = np.full(judged.queries, np.inf)
    np.minimum.at(least, query[ranks > 0], ranks[ranks > 0])
    return least


def trec(judged: Judged) -> dict[str, Floats]:
    """nDCG@10, AP, R@100 and RR as trec_eval has them, by ir-measures; and RR@10."""
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    wanted = {"nDCG@10": nDCG @ 10, "AP": AP, "R@100": R @ 100, "RR": RR}
    names = {measure: name for name, measure in wanted.items()}
    found = {name: np.full(judged.queries, np.nan) for name in wanted}
    documents = [str(d) for d in range(judged.documents)]
    for low in range(0, judged.queries, _CHUNK):  # dicts of dicts of a part only
        qrels = _nested(documents, judged.gold_query, judged.gold_document, judged.gold_score, low)
        # trec_eval sorts by score, and ties by identity: the negative rank says the order.
        run = _nested(documents, judged.query, judged.document, -judged.rank, low)
        for name in wanted:
            found[name][[int(query) for query in qrels]] = 0.0
        if qrels:
            evaluator = ir_measures.pytrec_eval.evaluator(list(wanted.values()), qrels)
            for metric in evaluator.iter_calc({query: run[query] for query in qrels if query in run}):
                found[names[metric.measure]][int(metric.query_id)] = metric.value
    rr = found["RR"]
    return {**found, "RR@10": np.where(rr < 1 / 10.5, np.where(np.isnan(rr), np.nan, 0.0), rr)}


def _nested(names: list[str], query: Ints, document: Ints, score: Ints, low: int) -> dict[str, dict[str, int]]:
    """Scores by document by query, of the chunk of queries that starts at `low`."""
    rows = np.flatnonzero((query >= low) & (query < low + _CHUNK))
    rows = rows[np.argsort(query[rows], kind="stable")]
    documents = [names[d] for d in document[rows].tolist()]
    scores = score[rows].tolist()
    found, starts = np.unique(query[rows], return_index=True)
    ends = [*starts[1:].tolist(), len(rows)]
    return {
        str(q): dict(zip(documents[start:end], scores[start:end], strict=True))
        for q, start, end in zip(found.tolist(), starts.tolist(), ends, strict=False)
    }


def _first_of_group(judged: Judged) -> Floats:
    """Of each query the first rank of a document that is in the parallel group of a relevant one."""
    groups = int(judged.parallel.max(initial=0)) + 1
    gold = judged.gold_query * groups + judged.parallel[judged.gold_document]
    hits = np.isin(judged.query * groups + judged.parallel[judged.document], gold)
    return _least(judged, judged.query[hits], judged.rank[hits])


def max_at_r(judged: Judged, ranks: Ints) -> Floats:
    worst = np.zeros(judged.queries, np.int64)
    np.maximum.at(worst, judged.gold_query, np.where(ranks > 0, ranks, judged.pool[judged.gold_query]))
    return _applies(judged, worst.astype(float))


def _of_pool(judged: Judged, worst: Floats) -> Floats:
    room = judged.pool - _counts(judged)
    return np.where(room > 0, (worst - _counts(judged)) / np.maximum(room, 1), worst * 0.0)


def complete_at(judged: Judged, ranks: Ints, k: int) -> Floats:
    inside = np.bincount(judged.gold_query[(ranks > 0) & (ranks <= k)], minlength=judged.queries)
    return _applies(judged, (inside == _counts(judged)).astype(float))


def english_inclination(judged: Judged, ranks: Ints) -> Floats:
    """See DEFINITIONS. Of the lists of `top_ranked` it is taken that they hold such an English document."""
    own = judged.document_language[judged.gold_document] == judged.query_language[judged.gold_query]
    best = _least(judged, judged.gold_query[own], ranks[own])
    has_own = np.bincount(judged.gold_query[own], minlength=judged.queries) > 0
    groups = int(judged.parallel.max(initial=0)) + 1
    english = judged.document_language == "en"
    gold = np.unique(judged.gold_query * groups + judged.parallel[judged.gold_document])
    related = np.bincount(judged.parallel[english], minlength=groups)[gold % groups]
    others = int(english.sum()) - np.bincount(gold // groups, weights=related, minlength=judged.queries)
    hits = english[judged.document] & ~np.isin(judged.query * groups + judged.parallel[judged.document], gold)
    first = _least(judged, judged.query[hits], judged.rank[hits])
    return np.where(has_own & (others > 0) & (judged.query_language != "en"), (first < best).astype(float), np.nan)


Words = Callable[[str], list[tuple[int, int]]]


def answers_found(
    judged: Judged, answers: Sequence[Sequence[str] | None], texts: Sequence[str], words: Words
) -> dict[str, Floats]:
    """R@m kt: whether an answer stands within the first m thousand tokens of the ranked passages.

    Tokens are compared without regard to case and Unicode's compatibility forms.

    Args:
        judged: the ranking.
        answers: of each query the strings that answer it; none: NaN.
        texts: of each document.
        words: the spans of a text's tokens.
    """
    ends = np.full(judged.queries, np.nan)
    bounds = np.searchsorted(judged.query, np.arange(judged.queries + 1))
    known: dict[int, tuple[str, int]] = {}
    most = 1_000 * max(KILOTOKENS)
    for query, strings in enumerate(answers):
        patterns = [line for line in (_line(_tokens(a, words, most)) for a in strings or ()) if len(line) > 1]
        if not patterns:
            continue
        ends[query] = np.inf
        before = 0
        for document in judged.document[bounds[query] : bounds[query + 1]].tolist():
            if before >= most or ends[query] < np.inf:
                break
            if document not in known:
                tokens = _tokens(texts[document], words, most)
                known[document] = (_line(tokens), len(tokens))
            line, length = known[document]
            ends[query] = before + min(_end(line, pattern) for pattern in patterns)
            before += length
    return {f"R@{m}kt": np.where(np.isnan(ends), np.nan, (ends <= 1_000 * m).astype(float)) for m in KILOTOKENS}


def _tokens(text: str, words: Words, most: int) -> list[str]:
    return [unicodedata.normalize("NFKC", text[start:end]).casefold() for start, end in words(text)[:most]]


def _line(tokens: list[str]) -> str:
    """Tokens so that a list within a list is a string within a string; no token holds a line break."""
    return "\n" + "".join(f"{token}\n" for token in tokens)


def _end(line: str, pattern: str) -> float:
    """How many tokens of the line are read when the pattern is; infinite if it is not there."""
    place = line.find(pattern)
    return line.count("\n", 1, place + len(pattern)) if place >= 0 else np.inf
