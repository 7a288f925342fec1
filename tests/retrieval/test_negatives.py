"""Tests for retrieval/negatives.py, its pool and its teachers."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.set_schema import NEGATIVES, PAIRS, RANKING
from catalog.sets import Set
from retrieval import negatives
from retrieval.negatives import NegativeParams, mine, within
from retrieval.negatives_pool import pool
from retrieval.systems import imported, system
from retrieval.teachers import teacher
from tests.retrieval.test_dense import static_model

FILLER = " one two three four five six seven eight nine ten"


def pair(query: str, document: str, text: str, **columns: Any) -> dict[str, Any]:
    return {
        "query_id": query, "query": f"{query} words", "query_language": "en", "document_id": document, "title": "",
        "document": text, "document_language": "en", "work": f"id:{document}", "split": "train", **columns,
    }  # fmt: skip


def training_set(folder: Path, rows: list[dict[str, Any]]) -> Set:
    table = pa.Table.from_pylist(rows, schema=PAIRS)
    pq.write_table(table, folder / "pairs-0.parquet", row_group_size=3)
    return Set(
        folder,
        {"name": "t", "kind": "pairs", "files": [{"file": "pairs-0.parquet", "table": "pairs", "rows": len(rows)}]},
    )


def run(*entries: tuple[str, str, float]) -> Any:
    """A system that answers so."""
    rank: Counter[str] = Counter()
    rows = []
    for query, document, score in entries:
        rank[query] += 1
        rows.append({"query_id": query, "document_id": document, "rank": rank[query], "score": score})
    return imported("run", pa.Table.from_pylist(rows, schema=RANKING))


def mined(found: Set, by: Any, **params: Any) -> tuple[pa.Table, Counter[str]]:
    counts: Counter[str] = Counter()
    tables = list(mine(found, by, NegativeParams(**params), counts))
    assert all(table.schema == NEGATIVES for table in tables)
    return pa.concat_tables([NEGATIVES.empty_table(), *tables]), +counts


TEXTS = [f"{a} {b} alpha beta gamma" for a, b in zip("abcdefgh", "stuvwxyz", strict=True)]
FOUR = [pair(f"q{i}", f"d{i}", TEXTS[i]) for i in range(4)]
ALL = run(*[(f"q{i}", f"d{j}", 9.0 - j) for i in range(4) for j in range(4)])


def test_the_positives_come_first_and_the_rest_by_rank(tmp_path: Path) -> None:
    made, counts = mined(training_set(tmp_path, FOUR), ALL, count=2)

    assert made.slice(0, 6).select(["query_id", "document_id", "rank", "score", "source", "document"]).to_pylist() == [
        {"query_id": q, "document_id": f"d{d}", "rank": rank, "score": 9.0 - d, "source": s, "document": TEXTS[d]}
        for q, d, rank, s in [
            ("q0", 0, 0, "positive"),
            ("q0", 1, 2, "run"),
            ("q0", 2, 3, "run"),
            ("q1", 1, 0, "positive"),
            ("q1", 0, 1, "run"),
            ("q1", 2, 3, "run"),
        ]
    ]
    assert made["teacher"].null_count == made.num_rows
    assert counts == {"queries": 4, "negatives": 8}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"parallel": "p"}, "excluded: a positive's translation"),
        ({"work": "id:d0"}, "excluded: of a positive's work"),
        ({"document_language": "fr"}, "excluded: another language"),
        ({"document": "A S alpha, beta gamma!"}, "excluded: nearly a positive"),
        ({"document": "alpha beta"}, "excluded: nearly a positive"),
        ({"document": TEXTS[0] + FILLER}, "excluded: nearly a positive"),
        ({"document": "— …"}, "excluded: no words"),
    ],
)
def test_what_may_answer_the_query_is_no_negative(tmp_path: Path, other: dict[str, Any], reason: str) -> None:
    rows = [pair("q0", "d0", TEXTS[0], parallel="p"), pair("q1", "d1", TEXTS[1]) | other]

    made, counts = mined(training_set(tmp_path, rows), run(("q0", "d0", 2.0), ("q0", "d1", 1.0)), language="same")

    assert made.num_rows == 0
    assert counts == {reason: 1, "queries": 2, "queries with fewer than asked for": 2, "queries without any": 2}


def test_no_work_and_no_group_are_shared_by_none(tmp_path: Path) -> None:
    rows = [pair(f"q{i}", f"d{i}", TEXTS[i], work="", parallel=None) for i in range(2)]
    made, _ = mined(training_set(tmp_path, rows), ALL)
    assert made["document_id"].to_pylist() == ["d0", "d1", "d1", "d0"]


def test_the_same_work_can_be_let_in(tmp_path: Path) -> None:
    rows = [pair(f"q{i}", f"d{i}", TEXTS[i], work="w") for i in range(2)]
    assert mined(training_set(tmp_path, rows), ALL)[0].num_rows == 0
    assert mined(training_set(tmp_path, rows), ALL, same_work=True)[0].num_rows == 4


def test_no_positive_of_the_query_is_a_negative_of_it(tmp_path: Path) -> None:
    rows = [pair("q0", "d0", TEXTS[0]), pair("q0", "d1", TEXTS[1]), *FOUR[2:]]
    made, _ = mined(training_set(tmp_path, rows), ALL)
    assert made.filter(pa.compute.equal(made["query_id"], "q0"))["rank"].to_pylist() == [0, 0, 3, 4]


def test_the_teachers_margin_keeps_what_colbert_xm_keeps(tmp_path: Path) -> None:
    scores = {"d0": 9.1, "d1": 7.0, "d2": 3.9, "d3": 4.0, "d4": 4.1, "d5": 8.0}
    rows = [pair("q0", f"d{i}", TEXTS[i]) for i in range(2)] + [pair(f"q{i}", f"d{i}", TEXTS[i]) for i in range(2, 6)]
    lines = [json.dumps({"query_id": "q0", "document_id": d, "score": s}) for d, s in scores.items()]
    (tmp_path / "scores.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ranked = run(*[("q0", f"d{i}", 10.0 - i) for i in range(6)])

    made, counts = mined(
        training_set(tmp_path, rows), ranked, teacher=f"scores:{tmp_path / 'scores.jsonl'}", teacher_margin=3.0
    )

    assert made["document_id"].to_pylist() == ["d0", "d1", "d2", "d3"]
    assert made["teacher"].to_pylist() == pytest.approx([9.1, 7.0, 3.9, 4.0])
    assert counts["excluded: within the teacher's margin"] == 2


def test_a_missing_score_of_the_teacher_is_counted(tmp_path: Path) -> None:
    pq.write_table(pa.table({"query_id": ["q0"], "document_id": ["d0"], "score": [1.0]}), tmp_path / "s.parquet")
    made, counts = mined(training_set(tmp_path, FOUR), ALL, count=1, teacher=f"scores:{tmp_path / 's.parquet'}")
    assert made["teacher"].to_pylist() == [1.0, *[None] * 7]
    assert counts["no score of the teacher"] == 7


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.jsonl", '{"query_id": "q", "document_id": "d", "score": null}', "score of d for q is not a number"),
        ("s.jsonl", '{"query_id": "q", "score": 1}', "lacks the columns document_id"),
        ("s.jsonl", '{"query_id": "q', "no scores"),
        ("s.parquet", "PAR", "no scores"),
    ],
)
def test_a_broken_file_of_scores_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        teacher(f"scores:{tmp_path / name}")


@pytest.mark.parametrize("params", [{"teacher": "gpt"}, {"teacher_margin": 3.0}, {"teacher": "scores:/nowhere.jsonl"}])
def test_an_unknown_teacher_is_refused(tmp_path: Path, params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"teacher|nowhere"):
        mined(training_set(tmp_path, FOUR), ALL, **params)


def test_the_margin_of_a_positive_without_a_score_keeps_nothing(tmp_path: Path) -> None:
    made, counts = mined(training_set(tmp_path, FOUR[:2]), run(("q0", "d1", 5.0)), absolute_margin=0.0)
    assert made.num_rows == 0
    assert counts["excluded: within the margin"] == 1


def test_margins_are_below_the_lowest_positive() -> None:
    scores, positives = np.array([0.5, 0.76, 0.8, 0.95], np.float32), np.array([1.0, 0.8], np.float32)
    assert within(scores, positives, None, None).all()
    assert within(scores, positives, 0.0, None).tolist() == [True, True, True, False]
    assert within(scores, positives, None, 0.05).tolist() == [True, True, False, False]
    assert within(scores, positives, 0.3, 0.05).tolist() == [True, False, False, False]
    assert within(-scores, np.array([-0.8], np.float32), None, 0.1).tolist() == [False, False, False, True]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 7))
def test_queries_are_never_cut(sizes: list[int], most: int) -> None:
    ids = [f"q{i}" for i, size in enumerate(sizes) for _ in range(size)]
    parts = negatives._whole(pa.table({"query_id": ids}))
    found = [part["query_id"].to_pylist() for part in parts]
    assert [id for part in found for id in part] == ids
    assert sum(len(set(part)) for part in found) == len(sizes)


def test_many_queries_are_mined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are taken at once, with positives that straddle what is read at once."""
    monkeypatch.setattr(negatives, "_QUERIES", 16)
    rows = [pair(f"q{i}", f"d{i}-{n}", f"word{i} text{i} number{n}") for i in range(100) for n in range(1 + i % 9)]
    rows = [row | {"query": f"word{int(row['query_id'][1:]) ^ 1}"} for row in rows]

    made, counts = mined(training_set(tmp_path, rows), system("bm25:unstemmed"), count=1)

    assert counts["queries"] == 100
    first = made.filter(pa.compute.greater(made["rank"], 0))
    assert first["query_id"].to_pylist() == [f"q{i}" for i in range(100)]
    assert [id.partition("-")[0] for id in first["document_id"].to_pylist()] == [f"d{i ^ 1}" for i in range(100)]


def test_skip_and_chance_are_those_of_sentence_transformers(tmp_path: Path) -> None:
    """The same negatives as `mine_hard_negatives` finds with the same model and margins."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import mine_hard_negatives

    weights = np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)
    model = static_model(tmp_path / "model", weights)
    words = ["data", "court", "act", "law"]
    texts = [f"{a} {b} {c}" for a in words for b in words for c in words if a <= b <= c]
    rows = [pair(f"q{i}", f"d{i}", text) | {"query": " ".join(text.split()[:2])} for i, text in enumerate(texts)]
    distinct = [row for i, row in enumerate(rows) if row["query"] not in {other["query"] for other in rows[:i]}]
    pool = [text + f" x{i} y{i}" for i, text in enumerate(texts)]  # words that the model does not know
    distinct = [row | {"document": pool[int(row["document_id"][1:])]} for row in distinct]

    theirs = mine_hard_negatives(
        Dataset.from_dict({"q": [r["query"] for r in distinct], "p": [r["document"] for r in distinct]}),
        SentenceTransformer(str(model), device="cpu"), range_min=1, range_max=len(distinct) + 1, num_negatives=2,
        relative_margin=0.01, verbose=False, output_format="triplet",
    )  # fmt: skip
    made, _ = mined(
        training_set(tmp_path, distinct),
        system(f"dense:{model}"),
        skip=1,
        count=2,
        relative_margin=0.01,
        similarity=1.0,
    )

    ours = made.filter(pa.compute.greater(made["rank"], 0))
    queries = {row["query_id"]: row["query"] for row in distinct}
    found = {(queries[q], d) for q, d in zip(ours["query_id"].to_pylist(), ours["document"].to_pylist(), strict=True)}
    assert found == set(zip(theirs["q"], theirs["negative"], strict=True))
    assert found


def test_chance_is_the_seeds(tmp_path: Path) -> None:
    rows = [pair(f"q{i}", f"d{i}", f"{i} {i + 100} {i + 200}") for i in range(50)]
    ranked = run(*[("q0", f"d{i}", 90.0 - i) for i in range(50)])
    found = training_set(tmp_path, rows)
    chosen = [mined(found, ranked, sampling="random", count=5, seed=s)[0]["rank"].to_pylist() for s in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert chosen[0] == sorted(chosen[0]) and len(chosen[0]) == 6


def test_a_dense_teacher_scores_what_was_chosen(tmp_path: Path) -> None:
    model = static_model(tmp_path / "model")
    rows = [pair("q0", "d0", "data court") | {"query": "data"}, pair("q1", "d1", "data law act") | {"query": "court"}]
    made, _ = mined(training_set(tmp_path, rows), ALL, teacher=f"dense:{model}")
    assert made["teacher"].to_pylist() == pytest.approx([2**-0.5, 3**-0.5, 0, 2**-0.5], abs=1e-6)


def test_a_set_without_pairs_has_no_negatives(tmp_path: Path) -> None:
    assert mined(training_set(tmp_path, []), system("bm25"))[0].num_rows == 0


def test_a_text_is_alike_to_its_parts_and_near_copies(tmp_path: Path) -> None:
    long = " ".join(f"word{i}" for i in range(40))
    texts = {
        "long": long, "part": " ".join(long.split()[3:20]), "near": long.replace("word20", "other"),
        "few": "Word3, word4", "far": " ".join(f"term{i}" for i in range(40)), "half": "ord3 word4",
    }  # fmt: skip
    found = pool(training_set(tmp_path, [pair("q", id, text) for id, text in texts.items()]), tmp_path)
    alike = {id for id in texts if found.alike(0, found.place[id], 0.5)}
    assert alike == {"long", "part", "near", "few"}


def test_what_answers_an_equal_query_is_no_negative(tmp_path: Path) -> None:
    rows = [*FOUR[:3], pair("q3", "d3", TEXTS[3]) | {"query": "Q0  Words"}]
    made, counts = mined(training_set(tmp_path, rows), ALL, count=3)
    found: dict[str, set[str]] = {}
    for row in made.filter(pa.compute.greater(made["rank"], 0)).to_pylist():
        found.setdefault(row["query_id"], set()).add(row["document_id"])
    assert found["q0"] == {"d1", "d2"}
    assert found["q3"] == {"d1", "d2"}
    assert counts["excluded: answers an equal query"] == 2


def test_a_query_of_training_gets_no_text_of_validation(tmp_path: Path) -> None:
    rows = [*FOUR[:3], pair("q3", "d3", TEXTS[3], split="validation")]
    made, counts = mined(training_set(tmp_path, rows), ALL, count=3)
    train = [row for row in made.to_pylist() if row["query_id"] != "q3"]
    assert "d3" not in {row["document_id"] for row in train}
    assert counts["excluded: of another split"] == 6
