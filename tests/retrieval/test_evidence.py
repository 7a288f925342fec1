"""A near copy of a gold document elsewhere in the pool."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import verification
from retrieval import evidence
from retrieval.benchmarks.rows import Document, Query, documents, qrels, queries


def text(name: str, size: int = 60) -> str:
    return " ".join(f"{name}{n}" for n in range(size))


def pool(*rows: tuple[str, str, str | None]) -> pa.Table:
    """Documents of (id, text, parallel group); ids end with the language."""
    return documents(Document(id, "", said, id[-2:], parallel=group) for id, said, group in rows)


def checked(
    found: pa.Table, judged: dict[str, list[str]], near_copies: evidence.NearCopies = "reject"
) -> tuple[dict[str, set[str]], Counter[str]]:
    counts: Counter[str] = Counter()
    asked = queries(Query(name, name, "en") for name in judged)
    rows = qrels((name, id, 1) for name, ids in judged.items() for id in ids)
    left, answers = evidence.check(found, asked, rows, near_copies, counts)
    result: dict[str, set[str]] = {name: set() for name in left["id"].to_pylist()}
    for row in answers.to_pylist():
        result[row["query_id"]].add(row["document_id"])
    return result, counts


PLANTED = pool(
    ("a.en", text("a"), None), ("b.en", text("b"), None), ("c.en", text("c"), None),
    ("copy.en", text("a") + " end", None),
)  # fmt: skip


def test_a_planted_copy_rejects_that_question_only() -> None:
    left, counts = checked(PLANTED, {"q1": ["a.en"], "q2": ["b.en"], "q3": ["c.en"]})
    assert left == {"q2": {"b.en"}, "q3": {"c.en"}}
    assert counts == {"query: near copy of a relevant document elsewhere in the pool": 1}


def test_or_the_copy_is_relevant_too() -> None:
    left, counts = checked(PLANTED, {"q1": ["a.en"], "q2": ["b.en"]}, "relevant")
    assert left == {"q1": {"a.en", "copy.en"}, "q2": {"b.en"}}
    assert counts == {"judgement: near copy of a relevant document": 1}


def test_a_copy_that_is_judged_is_not_elsewhere() -> None:
    assert checked(PLANTED, {"q1": ["a.en", "copy.en"]})[0] == {"q1": {"a.en", "copy.en"}}


def test_case_and_space_make_no_difference() -> None:
    found = pool(("a.en", text("a"), None), ("b.en", "\n".join(text("A").split()), None))
    assert checked(found, {"q1": ["a.en"]})[0] == {}


def test_translations_of_a_copy_are_copies() -> None:
    found = pool(
        ("a.en", text("a"), "a"), ("a.fr", text("fa"), "a"), ("b.en", text("a"), "b"), ("b.fr", text("fb"), "b"),
        ("c.fr", text("c"), "c"),
    )  # fmt: skip
    judged = {"q1": ["a.fr"], "q2": ["c.fr"]}
    assert set(checked(found, judged)[0]) == {"q2"}
    assert checked(found, judged, "relevant")[0] == {"q1": {"a.fr", "b.fr"}, "q2": {"c.fr"}}


def test_versions_of_one_group_are_no_copies_of_each_other() -> None:
    found = pool(("a.en", text("a"), "a"), ("a.fr", text("a"), "a"))
    assert set(checked(found, {"q1": ["a.fr"]})[0]) == {"q1"}


def test_a_crowd_of_copies_rejects_what_would_have_too_many_judgements() -> None:
    found = pool(*((f"{n:03}.en", text("a"), None) for n in range(evidence.MOST + 2)), ("b.en", text("b"), None))
    left, counts = checked(found, {"q1": ["000.en"], "q2": ["b.en"]}, "relevant")
    assert set(left) == {"q2"} and counts["query: over 100 near copies of relevant documents"] == 1


def test_texts_without_words_are_like_none() -> None:
    found = pool(("a.en", "", None), ("b.en", "", None), ("c.en", "--- !", None), ("d.en", "--- !", None))
    assert set(checked(found, {"q1": ["a.en"], "q2": ["c.en"]})[0]) == {"q1", "q2"}
    assert checked(pool(), {})[0] == {}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=8))
def test_pairs_are_those_of_the_true_similarity(cuts: list[int]) -> None:
    texts = [text("a") + " " + text(f"x{n}", cut) for n, cut in enumerate(cuts)]
    found = evidence.similar(pa.array(texts))
    pairs = {frozenset(pair) for pair in found.pairs.tolist()}
    for i, one in enumerate(texts):
        for j in range(i):
            similarity = verification.jaccard(one, texts[j])
            same = found.classes[i] == found.classes[j]
            near = frozenset((int(found.classes[i]), int(found.classes[j]))) in pairs
            assert (same or near) == (similarity >= evidence.LEAST) or abs(similarity - evidence.LEAST) < 0.05


def test_a_crowd_costs_no_square() -> None:
    crowd = [" ".join(f"{'z' if n == k % 60 else 'a'}{n}" for n in range(60)) + f" {k}" for k in range(300)]
    found = evidence.similar(pa.array(crowd))
    assert 300 <= len(found.pairs) < 300 * 299 / 2
    assert len({n for pair in found.pairs.tolist() for n in pair}) == 300


@pytest.mark.parametrize("hostile", ["word " * 200_000, "\u202e\u200b" * 1_000, "漢字" * 50_000, "\x00"])
def test_hostile_texts(hostile: str) -> None:
    left, _ = checked(pool(("a.en", hostile, None), ("b.en", text("b"), None)), {"q": ["a.en"]})
    assert set(left) == {"q"}
