from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from catalog.set_schema import PAIRS
from retrieval.pairs.lemur import LEMUR, LemurParams, leaks

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "text", "language", "work", "split")]
    + [("page_offsets", pa.list_(pa.int32()))]
)
INSTITUTIONS = {
    "en": "THE COMMISSION OF COMMUNITIES,", "fr": "LA COMMISSION DES COMMUNAUTÉS,", "el": "Η ΕΠΙΤΡΟΠΗ ΤΩΝ ΚΟΙΝΟΤΗΤΩΝ,"
}  # fmt: skip
SPLITS = {"celex:1": "train", "celex:2": "validation", "celex:3": "train"}


def act(work: str, language: str, **columns: Any) -> dict[str, Any]:
    title = f"Commission rules {work} {language}\n" + f"on the keeping of bees in {language}, " * 8 + "\n"
    text = title + INSTITUTIONS.get(language, "") + "\n" + f"Having regard to {work} in {language}, " * 30
    return {"id": f"{work}-{language}", "text": text, "language": language, "work": work, "split": SPLITS.get(work),
            "page_offsets": None, **columns}  # fmt: skip


def make(rows: list[dict[str, Any]], **params: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    counts: Counter[str] = Counter()
    tables = [t for _, t in LEMUR.make(pa.Table.from_pylist(rows, schema=SCHEMA), LemurParams(**params), counts)]
    assert all(table.schema == PAIRS for table in tables)
    return [row for table in tables for row in table.to_pylist()], counts


ACTS = [act(work, language) for work in SPLITS for language in INSTITUTIONS]
TEXTS = {row["id"]: row["text"] for row in ACTS}


def test_three_acts_in_three_languages_are_nine_pairs() -> None:
    pairs, counts = make(ACTS)
    assert len(pairs) == 9
    assert counts == {"used": 9}
    assert not any(leaks(pair["query"], pair["document"]) for pair in pairs)
    assert all(SPLITS[pair["work"]] == pair["split"] for pair in pairs)
    for pair in pairs:
        assert pair["query"].startswith(f"Commission rules {pair['work']} {pair['query_language']}\non the keeping")
    assert all(pair["document"].startswith(INSTITUTIONS[pair["document_language"]]) for pair in pairs)


def test_positives_in_all_languages_stand_together() -> None:
    pairs, _ = make(ACTS, positives="all")
    assert len(pairs) == 27
    assert [pair["query_id"] for pair in pairs[::3]] == list(dict.fromkeys(pair["query_id"] for pair in pairs))
    assert all(pairs[n]["query_doc"] == pairs[n]["doc"] for n in range(0, 27, 3))
    assert {pair["parallel"] for pair in pairs} == {f"{work}#whole" for work in SPLITS}
    two, counts = make(ACTS, positives="all", languages=["en", "el"])
    assert len(two) == 12
    assert counts == {"used": 6, "language not asked for": 3}


def test_queries_and_documents_are_slices() -> None:
    for pair in make(ACTS, positives="all")[0]:
        assert TEXTS[pair["doc"]][pair["start"] : pair["end"]] == pair["document"]
        assert TEXTS[pair["query_doc"]][pair["query_start"] : pair["query_end"]] == pair["query"]
        assert pair["document_id"] == f"{pair['doc']}:{pair['start']}-{pair['end']}"


def test_greek_falls_back_with_ascii_only() -> None:
    lengths = {
        v: {p["query_language"]: len(p["query"]) for p in make(ACTS, variant=v)[0]} for v in ("ascii", "unicode")
    }
    assert lengths["ascii"]["el"] > 390 > lengths["unicode"]["el"]
    assert lengths["ascii"]["en"] == lengths["unicode"]["en"]


twice = act("celex:1", "en")["text"].partition("\nTHE")[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": ""}, "empty text"),
        ({"text": None}, "empty text"),
        ({"text": "An act of one line."}, "nothing left after the block"),
        ({"text": f"{twice}\nTHE COMMISSION\n{twice}"}, "used"),
        ({"text": f"{'Bees, ' * 66}abcd" * 2}, "the document starts with its query"),
        ({"language": None}, "no language"),
        ({"language": "und"}, "no language"),
        ({"work": "doi:1"}, "not an act"),
        ({"work": None}, "not an act"),
    ],
)
def test_what_is_left_out_is_counted(change: dict[str, Any], reason: str) -> None:
    pairs, counts = make([{**act("celex:1", "en"), **change}])
    assert counts == {reason: 1}
    assert len(pairs) == (reason == "used")


def test_one_version_a_language() -> None:
    pairs, counts = make([act("celex:1", "en"), act("celex:1", "en", id="other"), act("celex:1", "fr")])
    assert [pair["doc"] for pair in pairs] == ["celex:1-en", "celex:1-fr"]
    assert counts == {"used": 2, "another version of the act in this language": 1}


def test_leaks_whatever_case_and_space() -> None:
    assert leaks("An act\non bees", "AN ACT  on bees\nis here")
    assert leaks("An act on b", "An act on bees")
    assert not leaks("An act on bees", "An act on wasps")
