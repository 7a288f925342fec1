from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.set_schema import PAIRS
from retrieval.builder import PairBuilder
from retrieval.pairs.bodies import body_end, body_start
from retrieval.pairs.metadata import ABSTRACT_BODY, KEYWORDS_ABSTRACT, TITLE_BODY

SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "text", "title", "language", "work", "split", "meta")])
BODY = "Bees live in hives. They make honey. A queen leads them through the year."
EN, FR = "A study of how bees live in a hive.", "Une étude sur la vie des abeilles."
META = {
    "titles": {"en": "On bees", "fr": "Des abeilles"}, "abstracts": {"en": EN, "fr": FR},
    "keywords": {"en": ["bees", "Honey", "HONEY "], "fr": ["abeilles"]},
}  # fmt: skip
Rows = list[dict[str, Any]]


def document(name: str = "a", **columns: Any) -> dict[str, Any]:
    row = {"id": name, "text": f"On bees\n{EN}\n{BODY}", "title": "On bees", "language": "en", "work": f"doi:{name}",
           "split": "train", "meta": META, **columns}  # fmt: skip
    return row | {"meta": json.dumps(row["meta"]) if isinstance(row["meta"], dict) else row["meta"]}


def make(builder: PairBuilder, rows: Rows, **params: Any) -> tuple[Rows, Counter[str]]:
    counts: Counter[str] = Counter()
    found = builder.make(pa.Table.from_pylist(rows, schema=SCHEMA), builder.params(**params), counts)
    tables = [table for name, table in found if name == "pairs"]
    assert all(table.schema == PAIRS for table in tables)
    notes = [name for name in counts if name.startswith("note: ")]
    assert sum(counts.values()) - sum(counts.pop(name) for name in notes) == len(rows)
    return [row for table in tables for row in table.to_pylist()], counts


def languages(pairs: Rows) -> list[tuple[str, str]]:
    return [(pair["query_language"], pair["document_language"]) for pair in pairs]


def test_titles_find_the_text_without_them() -> None:
    pairs, counts = make(TITLE_BODY, [document()])
    assert [pair["query"] for pair in pairs] == ["On bees", "Des abeilles"]
    assert languages(pairs) == [("en", "en"), ("fr", "en")]
    assert {pair["document"] for pair in pairs} == {f"{EN}\n{BODY}"}
    assert counts == {"used": 1}
    assert pairs[0]["query_id"] == "a#title-en"
    assert (pairs[0]["query_start"], pairs[0]["parallel"]) == (None, "doi:a#whole")


@pytest.mark.parametrize(("directions", "expected"), [("same", [("en", "en")]), ("cross", [("fr", "en")])])
def test_directions(directions: str, expected: list[tuple[str, str]]) -> None:
    for builder in (TITLE_BODY, ABSTRACT_BODY):
        assert languages(make(builder, [document()], directions=directions)[0]) == expected


def test_languages() -> None:
    assert make(TITLE_BODY, [document()], languages=["fr"]) == ([], {"no pair of these languages": 1})
    assert languages(make(KEYWORDS_ABSTRACT, [document()], languages=["fr"])[0]) == [("fr", "fr")]


def test_versions_of_an_act_answer_each_others_titles() -> None:
    acts = [document(f"act-{x}", work="celex:1", language=x, title=f"Title in {x}", text=f"TITLE  in {x}\nText in {x}.",
                     meta=None) for x in ("de", "en", "fr")]  # fmt: skip
    pairs, counts = make(TITLE_BODY, acts)
    assert len(pairs) == 9
    assert counts == {"used": 3}
    assert {pair["document"] for pair in pairs} == {f"Text in {x}." for x in ("de", "en", "fr")}
    assert {pair["parallel"] for pair in pairs} == {"celex:1#whole"}
    assert len(make(TITLE_BODY, acts, directions="cross")[0]) == 6


def test_two_files_of_an_article_ask_one_query_once() -> None:
    pairs, counts = make(ABSTRACT_BODY, [document("a", work="w"), document("b", work="w")])
    assert [pair["query_doc"] for pair in pairs] == ["a", "a"]
    assert counts["used"] == 1


def test_the_body_has_neither_title_nor_abstract() -> None:
    rows = [document("a", text=f"ON  BEES\n{FR}\n{EN}\n\n{BODY}"), document("b", text=f"On bees\n{BODY}\n{EN}")]
    pairs, counts = make(ABSTRACT_BODY, rows)
    assert {pair["document"] for pair in pairs} == {BODY}
    assert {pair["title"] for pair in pairs} == {"On bees"}
    assert counts == {"used": 1, "the body has the abstract": 1}


def test_keywords_find_abstracts() -> None:
    pairs, _ = make(KEYWORDS_ABSTRACT, [document()])
    assert [pair["query"] for pair in pairs] == ["bees, Honey"] * 2 + ["abeilles"] * 2
    assert {pair["document_id"]: pair["title"] for pair in pairs} == {
        "a#abstract-en": "On bees", "a#abstract-fr": "Des abeilles"
    }  # fmt: skip
    assert {pair["parallel"] for pair in pairs} == {"doi:a#abstract"}


@pytest.mark.parametrize(
    ("builder", "change", "reason"),
    [
        (TITLE_BODY, {"language": None}, "no language"),
        (TITLE_BODY, {"language": "und"}, "no language"),
        (TITLE_BODY, {"text": " \n"}, "empty text"),
        (TITLE_BODY, {"text": None}, "empty text"),
        (TITLE_BODY, {"title": None, "meta": None}, "no title"),
        (TITLE_BODY, {"title": " … ", "meta": "{"}, "no title"),
        (TITLE_BODY, {"text": "On Bees."}, "the title is all there is"),
        (ABSTRACT_BODY, {"meta": None}, "no abstract"),
        (ABSTRACT_BODY, {"text": f"On bees\n{EN}\n{FR}"}, "the abstract is all there is"),
        (KEYWORDS_ABSTRACT, {"meta": {"abstracts": {"en": EN}, "keywords": {"en": ["–"]}}}, "no keywords"),
        (KEYWORDS_ABSTRACT, {"meta": {"keywords": {"en": ["bees"]}}}, "no abstract"),
    ],
)
def test_what_is_left_out_is_counted(builder: PairBuilder, change: dict[str, Any], reason: str) -> None:
    assert make(builder, [document(**change)]) == ([], {reason: 1})


def test_bodies_end_with_a_sentence() -> None:
    pairs, _ = make(TITLE_BODY, [document(text=f"On bees\n{BODY}")], most=9)
    assert {pair["document"] for pair in pairs} == {"Bees live in hives. They make honey."}
    assert body_end(BODY, 0, 2) == len("Bees live")
    assert body_end("蜜蜂住在蜂巢里。它们酿蜜。" * 9, 0, 10) == len("蜜蜂住在蜂巢里。")
    assert body_end("", 0, 9) == 0


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("Bees | The garden\nText", "Bees | The garden", "Text"),
        ("The bees\nText", "The bees | Garden", "Text"),
        ("The bees\nText", "The bees of the garden by the house | Garden of the world", "The bees\nText"),
        ("Bees are insects.", "Bees", "are insects."),
        ("Beeswax is yellow.", "Bees", "is yellow."),
        ("蜜蜂是昆虫。", "蜜蜂", "是昆虫。"),
        ("Bees: Bees\nText", "Bees", "Text"),
        ("Regulation (EEC) No 4/89\nof the Council, on bees\nTHE COUNCIL",
         "Regulation EEC No 4/89 of the Council on bees", "THE COUNCIL"),
        ("Text of bees", "bees", "Text of bees"),
        ("“Bees”", "“Bees”", ""),
        ("Text", " ", "Text"),
    ],
)  # fmt: skip
def test_titles_at_the_start(text: str, title: str, body: str) -> None:
    start, removed = body_start(text, [title])
    assert text[start:] == body
    assert removed == (0 if text == body else 2 if text.startswith("Bees: Bees") else 1)


@settings(max_examples=200)
@given(st.text(), st.lists(st.text("aB é\n.1蜜", max_size=12), max_size=3), st.text(max_size=20))
def test_any_text(text: str, phrases: list[str], rest: str) -> None:
    text = "".join(phrases) + text + rest
    start, _ = body_start(text, phrases)
    assert start <= len(text)
    assert start <= body_end(text, start, 3) <= len(text)


def test_a_title_said_a_million_times() -> None:
    start, removed = body_start("bees " * 1_000_000, ["bees"])
    assert removed == 16
    assert start == 80


@pytest.mark.parametrize(
    "text",
    ["x" * 600_000, "x " * 300_000, "On bees\n" * 50_000, ". " * 200_000, "\u200b\u202e" * 100_000, "蜜" * 200_000,
     "?" * 400_000, "A\n" * 200_000, "x." * 200_000],
    ids=lambda text: repr(text[:4]),
)  # fmt: skip
def test_hostile_documents_are_counted(text: str) -> None:
    for builder in (TITLE_BODY, ABSTRACT_BODY, KEYWORDS_ABSTRACT):
        make(builder, [document(text=text), document("b", text=f"{EN}\n{text}", title=text, meta=text)])
