"""Blocks that ask for acts: the block is not in the document, languages are judged 2 and 1."""

from __future__ import annotations

from collections import Counter
from typing import Any

from retrieval.benchmarks.lemur import LemurParams, build

_HEADS = {
    "en": "Regulation (EU) {n} of the European Parliament and of the Council of {n} May on the supply of {thing} and "
    "on the markets of the Member States, which amends earlier regulations on the same subject and repeals others",
    "fr": "Règlement (UE) {n} du Parlement européen et du Conseil du {n} mai relatif à la fourniture de {thing} et aux "
    "marchés des États membres, qui modifie des règlements antérieurs sur le même sujet et en abroge d'autres",
}


def act(n: int, language: str, thing: str, **columns: Any) -> dict[str, Any]:
    text = _HEADS[language].format(n=n, thing=thing) + "\nTHE EUROPEAN COMMISSION, HAS ADOPTED\n" + f"Body {n}. " * 50
    return {
        "id": f"{n:04}{language}", "text": text, "language": language, "declared_language": language, "sections": [],
        "page_offsets": None, "celex": f"32020R{n:04}", "work": f"celex:32020R{n:04}", "licence": None, **columns,
    }  # fmt: skip


def test_blocks_are_cut_off_and_languages_are_judged() -> None:
    acts = [act(n, code, f"thing{n}") for n in (1, 2, 3) for code in ("en", "fr")]
    benchmark = build(acts, LemurParams(), counts := Counter())
    documents = {row["id"]: row for row in benchmark.documents.to_pylist()}
    queries = {row["id"]: row for row in benchmark.queries.to_pylist()}
    texts = {row["id"]: row["text"] for row in acts}
    assert len(documents) == len(queries) == 6 and counts["used"] == 6
    for document in documents.values():
        assert texts[document["doc"]][document["start"] : document["end"]] == document["text"]
        assert not any(document["text"].startswith(query["text"]) for query in queries.values())
    for row in benchmark.qrels.to_pylist():
        document, query = documents[row["document_id"]], queries[row["query_id"]]
        assert document["work"] == query["work"]
        assert row["score"] == (2 if document["language"] == query["language"] else 1)
    assert benchmark.qrels.num_rows == 12
    assert {task.name for task in benchmark.tasks} == {"en", "fr", "en-any", "fr-any", "any"}


def test_equal_blocks_are_no_queries() -> None:
    acts = [act(1, "en", "x"), act(2, "en", "x", text=act(1, "en", "x")["text"] + "more"), act(3, "en", "y")]
    benchmark = build(acts, LemurParams(), counts := Counter())
    assert benchmark.queries["work"].to_pylist() == ["celex:32020R0003"]
    assert counts["query: equal to the block of another act"] == 2
    assert benchmark.documents.num_rows == 3


def test_what_serves_not_is_counted() -> None:
    acts = [
        act(1, "en", "x", celex=None), act(2, "en", "x", text=""), act(3, "en", "x") | {"language": "und"},
        act(4, "en", "x", id="0004zz"), act(4, "en", "x"), act(5, "fr", "x"), act(6, "en", "x", text=None),
    ]  # fmt: skip
    benchmark = build(acts, LemurParams(languages=("en",)), counts := Counter())
    assert +counts == {
        "no act": 1, "next to nothing after the block": 2, "no language": 1,
        "another in its language": 1, "other language": 1, "used": 1, "query: made": 1,
    }  # fmt: skip
    assert benchmark.documents["doc"].to_pylist() == ["0004en"]
