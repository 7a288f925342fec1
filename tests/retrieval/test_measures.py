"""Every measure against its definition written the slow way, and against trec_eval itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import measures
from retrieval.measures import Judged, answers_found, gold_ranks, toward, values
from retrieval.tokens import tokenizer


@dataclass
class Case:
    """Queries with their gold and their ranking, as lists."""

    gold: list[dict[int, int]]
    """Of each query: score by document."""
    ranked: list[list[int]]
    languages: list[str]
    asked: list[str]
    groups: list[int] = field(default_factory=list)
    pool: list[int] = field(default_factory=list)

    def judged(self) -> Judged:
        def ints(numbers: Any) -> Any:
            return np.array(list(numbers), np.int64)

        golds = [(q, d, s) for q, gold in enumerate(self.gold) for d, s in gold.items() if s > 0]
        hits = [(q, d, r) for q, ranked in enumerate(self.ranked) for r, d in enumerate(ranked, start=1)]
        size = len(self.languages)
        return Judged(
            len(self.gold), size, *(ints(row[n] for row in golds) for n in range(3)),
            *(ints(row[n] for row in hits) for n in range(3)), ints(self.pool or [size] * len(self.gold)),
            np.array(self.asked, object), np.array(self.languages, object), ints(self.groups or range(size)),
        )  # fmt: skip


def ranking(size: int, at: dict[int, int]) -> list[int]:
    """Documents by rank: document d at rank at[d], the others in between."""
    others = iter([d for d in range(size) if d not in at])
    place = {rank: d for d, rank in at.items()}
    return [place[rank] if rank in place else next(others) for rank in range(1, size + 1)]


PUBLISHED = Case(
    gold=[{0: 1, 1: 1}] * 3, ranked=[ranking(80, {0: a, 1: b}) for a, b in ((1, 2), (1, 57), (3, 9))],
    languages=["en"] * 80, asked=["en"] * 3,
)  # fmt: skip


def test_the_published_numbers() -> None:
    found = values(PUBLISHED.judged())
    assert found["Max@R"].tolist() == [2, 57, 9]
    assert found["Max@R"].mean() == pytest.approx(22.67, abs=0.005)
    assert found["Complete@10"].mean() == pytest.approx(2 / 3)
    assert found["nDCG@10"] == pytest.approx([1.0, 0.6131, 0.4911], abs=5e-5)
    assert found["Max@R-pool"] == pytest.approx([0, 55 / 78, 7 / 78])


def test_what_was_not_retrieved() -> None:
    case = Case([{0: 1, 1: 1}, {2: 1}, {}], [[0, 3], [], [1]], ["en"] * 40, ["en"] * 3, pool=[40, 25, 40])
    found = values(case.judged())
    assert found["Max@R"][:2].tolist() == [40, 25]
    assert found["Complete@10"][:2].tolist() == [0, 0]
    for name in ("nDCG@10", "AP", "R@100", "RR", "RR@10", "Top@5", "Top@5-any"):
        assert found[name][1] == 0, name
    assert all(np.isnan(column[2]) for column in found.values())


def test_any_language_version_counts_for_top_any() -> None:
    case = Case([{0: 1}], [[2, 1, 0]], ["en", "fr", "fr"], ["en"], groups=[0, 0, 1])
    found = values(case.judged())
    assert [found[f"Top@{k}"][0] for k in (1, 3)] == [0, 1]
    assert [found[f"Top@{k}-any"][0] for k in (1, 3)] == [0, 1]
    case.ranked = [[1, 2, 0]]
    found = values(case.judged())
    assert (found["Top@1"][0], found["Top@1-any"][0]) == (0, 1)


def test_the_version_in_the_own_language_is_exact() -> None:
    case = Case([{0: 2, 1: 1}], [[1, 2, 0]], ["en", "fr", "en"], ["en"])
    found = values(case.judged())
    assert [found[f"Top@{k}"][0] for k in (1, 3)] == [0, 1]
    assert found["Top@1-any"][0] == 1


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([0, 3], 0.0),  # the relevant French document is first
        ([3, 0], 1.0),  # an unrelated English one is above it
        ([1, 0, 3], 0.0),  # the English version of the relevant one is no mistake
        ([4, 0, 3], 0.0),  # an unrelated French one is another matter
        ([3], 1.0),  # not retrieved: below all
        ([], 0.0),
    ],
)
def test_english_inclination(ranked: list[int], expected: float) -> None:
    case = Case([{0: 1}], [ranked], ["fr", "en", "en", "en", "fr"], ["fr"], groups=[0, 0, 1, 2, 3])
    assert values(case.judged())["English-inclination"].tolist() == [expected]


@pytest.mark.parametrize(
    ("languages", "asked"),
    [(["fr", "en", "en"], "en"), (["fr", "en", "fr"], "fr"), (["en", "en", "en"], "fr")],
    ids=["an English query", "no unrelated English document", "nothing relevant in French"],
)
def test_where_inclination_does_not_apply(languages: list[str], asked: str) -> None:
    case = Case([{0: 1}], [[0, 1, 2]], languages, [asked], groups=[0, 0, 1])
    assert np.isnan(values(case.judged())["English-inclination"][0])


def test_a_direction_forgives_relevant_documents_in_other_languages() -> None:
    case = Case([{0: 1, 1: 1}], [[0, 1, 2]], ["en", "fr", "en"], ["fr"])
    to_french = toward(case.judged(), "fr")
    assert gold_ranks(to_french).tolist() == [1]
    assert to_french.pool.tolist() == [2]
    case.ranked = [[2, 0, 1]]
    assert values(toward(case.judged(), "fr"))["RR"].tolist() == [0.5]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = draw(st.integers(1, 30))
    document = st.integers(0, size - 1)
    count = draw(st.integers(1, 4))
    language = st.sampled_from(["en", "fr", "de"])
    ranked = draw(st.lists(st.lists(document, unique=True), min_size=count, max_size=count))
    return Case(
        gold=draw(st.lists(st.dictionaries(document, st.integers(0, 3)), min_size=count, max_size=count)),
        ranked=ranked,
        languages=draw(st.lists(language, min_size=size, max_size=size)),
        asked=draw(st.lists(language, min_size=count, max_size=count)),
        groups=draw(st.lists(document, min_size=size, max_size=size)),
        pool=[draw(st.integers(len(r), size)) if r else size for r in ranked],
    )


def slow(case: Case, query: int) -> dict[str, float]:
    """The definitions, one query at a time."""
    gold = {d: s for d, s in case.gold[query].items() if s > 0}
    ranked, pool = case.ranked[query], case.pool[query]
    groups = {case.groups[d] for d in gold}
    ranks = {d: ranked.index(d) + 1 if d in ranked else pool for d in gold}
    hits = [d in gold for d in ranked]

    def dcg(scores: list[int]) -> float:
        return sum(s / math.log2(n + 2) for n, s in enumerate(scores[:10]))

    first = next((n for n, hit in enumerate(hits, start=1) if hit), math.inf)
    own = [d for d in gold if case.languages[d] == case.asked[query]]
    best = min((ranked.index(d) for d in own if d in ranked), default=math.inf)
    english = [d for d, language in enumerate(case.languages) if language == "en" and case.groups[d] not in groups]
    inclined = any(d in english for n, d in enumerate(ranked) if n < best)
    applies = own and english and case.asked[query] != "en"
    return {
        "nDCG@10": dcg([gold.get(d, 0) for d in ranked]) / dcg(sorted(gold.values(), reverse=True)),
        "AP": sum(sum(hits[:n]) / n for n, hit in enumerate(hits, start=1) if hit) / len(gold),
        "R@100": sum(hits[:100]) / len(gold),
        "RR": 1 / first,
        "RR@10": 1 / first if first <= 10 else 0,
        **{f"Top@{k}": float(any(gold.get(d) == max(gold.values()) for d in ranked[:k])) for k in (1, 3, 5)},
        **{f"Top@{k}-any": float(any(case.groups[d] in groups for d in ranked[:k])) for k in (1, 3, 5)},
        "Max@R": max(ranks.values()),
        "Max@R-pool": (max(ranks.values()) - len(gold)) / (pool - len(gold)) if pool > len(gold) else 0.0,
        "Complete@10": float(all(d in ranked[:10] for d in gold)),
        "English-inclination": float(inclined) if applies else math.nan,
    }


@settings(max_examples=40, deadline=None)
@given(cases())
def test_every_measure_is_its_definition(case: Case) -> None:
    found = values(case.judged())
    for query, gold in enumerate(case.gold):
        wanted = slow(case, query) if any(s > 0 for s in gold.values()) else dict.fromkeys(found, math.nan)
        assert {name: column[query] for name, column in found.items()} == pytest.approx(wanted, abs=1e-6, nan_ok=True)
    assert set(found) <= set(measures.DEFINITIONS)
    assert set(found) >= measures.LOWER_IS_BETTER


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["en", "fr", "de"]))
def test_a_direction_is_the_ranking_without_the_other_gold(case: Case, language: str) -> None:
    def stays(query: int, document: int) -> bool:
        return case.languages[document] == language or case.gold[query].get(document, 0) == 0

    queries = range(len(case.gold))
    without = Case(
        [{d: s for d, s in case.gold[q].items() if case.languages[d] == language} for q in queries],
        [[d for d in case.ranked[q] if stays(q, d)] for q in queries], case.languages, case.asked, case.groups,
        [case.pool[q] - sum(not stays(q, d) for d in case.gold[q]) for q in queries],
    )  # fmt: skip
    found, wanted = values(toward(case.judged(), language)), values(without.judged())
    for name in wanted:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)


def test_like_trec_eval_over_many_queries() -> None:
    import pytrec_eval

    generator = np.random.default_rng(3)
    size, queries = 200, 2_100  # more queries than are handed over at once
    ranked = [generator.permutation(size)[: generator.integers(0, 150)].tolist() for _ in range(queries)]
    gold = [{int(d): int(generator.integers(1, 4)) for d in generator.integers(0, size, 4)} for _ in range(queries)]
    found = values(Case(gold, ranked, ["en"] * size, ["en"] * queries).judged())
    qrels = {f"q{q}": {f"d{d}": s for d, s in gold[q].items()} for q in range(queries)}
    run = {f"q{q}": {f"d{d}": 1 / (r + 1) for r, d in enumerate(ranked[q])} for q in range(queries) if ranked[q]}
    names = {"nDCG@10": "ndcg_cut_10", "AP": "map", "R@100": "recall_100", "RR": "recip_rank"}
    direct = pytrec_eval.RelevanceEvaluator(qrels, set(names.values())).evaluate(run)
    for name, theirs in names.items():
        wanted = [direct.get(f"q{q}", {}).get(theirs, 0.0) for q in range(queries)]
        assert found[name] == pytest.approx(wanted)


def passages(answers: list[str] | None, texts: list[str]) -> dict[str, float]:
    case = Case([{}], [list(range(len(texts)))], ["en"] * len(texts), ["en"])
    found = answers_found(case.judged(), [answers], texts, tokenizer("words"))
    return {name: column[0] for name, column in found.items()}


def filler(tokens: int) -> str:
    return " ".join(["word"] * tokens)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (1_989, 0.0),  # the answer is tokens 1,990 to 2,005: it straddles the border
        (1_984, 1.0),  # it ends with token 2,000
        (1_985, 0.0),  # with token 2,001
        (0, 1.0),
    ],
)
@pytest.mark.parametrize("passage", [100, 5_000])
def test_an_answer_at_the_border(before: int, expected: float, passage: int) -> None:
    answer = " ".join(f"a{n}" for n in range(16))
    cut = before - before % passage
    texts = [filler(passage)] * (cut // passage) + [f"{filler(before - cut)} {answer} {filler(50)}"]
    assert passages([answer], texts) == {"R@2kt": expected, "R@5kt": 1.0}


def test_what_is_an_answer() -> None:
    assert passages(["the ANSWER"], ["This is The\u00a0Answer, look."])["R@2kt"] == 1
    assert passages(["other", "answer"], ["an answer"])["R@2kt"] == 1
    assert passages(["swer"], ["an answer"])["R@2kt"] == 0, "whole tokens only"
    assert passages(["an answer"], ["this is an", "answer to that"])["R@2kt"] == 0, "within one passage"
    assert passages(["an answer"], [])["R@2kt"] == 0
    for none in (None, [], [""], ["  "]):
        assert math.isnan(passages(none, ["text"])["R@2kt"])
    assert passages(["end"], [filler(4_999), "end"]) == {"R@2kt": 0, "R@5kt": 1}
    assert passages(["end"], [filler(5_000), "end"]) == {"R@2kt": 0, "R@5kt": 0}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text()), st.lists(st.text()))
def test_nothing_raises_on_any_text(answers: list[str], texts: list[str]) -> None:
    assert set(passages([*answers, "\ud800\u202e"], [*texts, "\ud800\u202e"])) == {"R@2kt", "R@5kt"}
