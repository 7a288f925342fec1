"""Works, families and splits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from retrieval import works
from retrieval.works import Splits, assign, split

COLUMNS = ("id", "source", "path", "kind", "celex", "meta")
Row = dict[str, Any]


def row(id: str, cluster: str | None = None, **columns: Any) -> Row:
    """A document that is kept, alone in its cluster."""
    return {
        "id": id, "source": "web", "path": f"{id}.html", "kind": "file", "celex": None, "meta": None,
        "reference": None, "text_digest": f"digest of {id}", "cluster": cluster or id, "keep": True, "stage": None,
        **columns,
    }  # fmt: skip


def assigned(rows: Iterable[Row], splits: Splits | None = None) -> dict[str, Row]:
    rows = list(rows)
    strings = ("id", "source", "path", "kind", "celex", "meta", "reference", "text_digest", "cluster", "stage")
    schema = pa.schema([*((name, pa.string()) for name in strings), ("keep", pa.bool_())])
    table = pa.Table.from_pylist(rows, schema)
    with duckdb.connect() as connection:
        for name, columns in {
            "documents": COLUMNS, "signals": ("id", "reference", "text_digest"), "clusters": ("id", "cluster"),
            "verdicts": ("id", "keep", "stage"),
        }.items():  # fmt: skip
            connection.register(f"given_{name}", table.select(list(columns)))
            connection.execute(f"CREATE TABLE {name} AS FROM given_{name}").fetchall()
        assign(connection, splits or Splits())
        found = connection.sql("FROM works").to_arrow_table().to_pylist()
    assert {r["id"] for r in found} == {r["id"] for r in rows if r["keep"]} and len(found) == len({*map(str, found)})
    return {r["id"]: r for r in found}


def test_an_act_in_all_its_versions_is_one_work() -> None:
    base_of = {
        "32016R0679": "32016R0679", "02016R0679-20160504": "32016R0679", "32016R0679R(01)": "32016R0679",
        "32016r0679": "32016R0679", "32023R1114R(03)": "32023R1114", "32016D0001(01)": "32016D0001(01)",
        "32016D0001(01)R(02)": "32016D0001(01)", "02007A0712(01)-20130101": "22007A0712(01)",
        "12012M/TXT": "12012M/TXT", "02012M/TXT-20160901": "12012M/TXT", "12012E294": "12012E294",
    }  # fmt: skip
    found = assigned(row(celex, celex=celex) for celex in base_of)
    assert {celex: r["work"] for celex, r in found.items()} == {c: f"celex:{base}" for c, base in base_of.items()}


def test_an_article_is_its_doi_else_its_number() -> None:
    doi = {"doi": "10.7202/009256AR", "erudit_id": "009256ar"}
    found = assigned([
        row("both", meta=json.dumps(doi)), row("link", meta=json.dumps({"doi": "https://doi.org/10.7202/009256ar"})),
        row("number", meta=json.dumps({"erudit_id": "1009AR"})), row("no-act", celex=""),
        row("bare") | {"cluster": None},
    ])  # fmt: skip
    assert {id: r["work"] for id, r in found.items()} == {
        "both": "doi:10.7202/009256ar", "link": "doi:10.7202/009256ar", "number": "erudit:1009ar",
        "no-act": "cluster:no-act", "bare": "id:bare",
    }  # fmt: skip


def test_what_is_no_number_names_nothing() -> None:
    facts = ['{"doi": "n/a"}', '{"doi": ""}', '{"doi": null}', "{}", "{", "", "[]", '{"erudit_id": "none"}', "7"]
    found = assigned(row(f"{n}", meta=meta) for n, meta in enumerate(facts))
    assert [r["work"] for _, r in sorted(found.items())] == [f"cluster:{n}" for n in range(len(facts))]


def test_two_forms_of_an_article_are_one_work_or_family() -> None:
    both = json.dumps({"doi": "10.7202/1ar", "erudit_id": "1ar"})
    found = assigned([
        row("xml", path="1ar.xml", meta=both), row("pdf", path="1ar.pdf", reference="1ar.xml"),
        row("number", meta=json.dumps({"erudit_id": "1ar"})),
        row("elsewhere", source="other", path="1ar.pdf", reference="1ar.xml"),
    ])  # fmt: skip
    assert found["pdf"]["work"] == found["xml"]["work"] == "doi:10.7202/1ar"
    assert found["number"]["family"] == found["xml"]["family"]
    assert found["elsewhere"]["family"] != found["xml"]["family"]


def test_a_reference_that_was_dropped_still_names_the_work() -> None:
    meta = json.dumps({"doi": "10.1/x"})
    found = assigned([
        row("xml", path="x.xml", meta=meta, keep=False, stage="quality"), row("pdf", path="x.pdf", reference="x.xml")
    ])  # fmt: skip
    assert found["pdf"]["work"] == "doi:10.1/x"


def test_copies_join_works_also_when_only_one_was_kept() -> None:
    act, copy = "32020R0001", "32020R0002"
    found = assigned([
        row("a-en", cluster="x", celex=act), row("a-fr", celex=act),
        row("b-en", cluster="x", celex=copy, keep=False, stage="dedup"), row("b-fr", celex=copy),
    ])  # fmt: skip
    assert {r["family"] for r in found.values()} == {f"celex:{act}"}
    assert found["b-fr"]["work"] == f"celex:{copy}"
    # equal texts too, in whatever clusters
    equal = assigned([row("a", text_digest="same"), row("b", text_digest="same"), row("c")])
    assert equal["a"]["family"] == equal["b"]["family"] != equal["c"]["family"]


def test_pages_that_failed_a_threshold_join_nothing() -> None:
    """An empty page, alike for all acts."""
    rows = [row(f"{n}-fr", celex=f"32020R{n:04}") for n in range(9)]
    rows += [row(f"{n}-en", "x", celex=f"32020R{n:04}", keep=False, stage="quality") for n in range(9)]
    assert len({r["family"] for r in assigned(rows).values()}) == 9


@st.composite
def members(draw: st.DrawFn) -> list[dict[str, str | None]]:
    few = st.integers(0, 6).map(str)
    return [
        {"work": f"w{draw(few)}", "number": draw(st.none() | few), "cluster": draw(st.none() | few),
         "text_digest": draw(st.none() | st.just(f"own {n}") | few)}
        for n in range(draw(st.integers(0, 14)))
    ]  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(members(), st.randoms(use_true_random=False))
def test_what_belongs_together_is_one_family_and_nothing_else(rows: list[dict[str, str | None]], dice: Any) -> None:
    keys = ("work", "number", "cluster", "text_digest")
    family = families(rows)
    for a, one in zip(family, rows, strict=True):
        for b, other in zip(family, rows, strict=True):
            if any(one[key] is not None and one[key] == other[key] for key in keys):
                assert a == b
    # by joining sets, as long as two have anything in common
    groups: list[set[tuple[str, str]]] = []
    for row in rows:
        mine = {(key, value) for key in keys if (value := row[key]) is not None}
        near = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine] + [mine.union(*near)]
    names = [min(v for key, v in group if key == "work") for group in groups for row in rows
             if ("work", row["work"]) in group]  # fmt: skip
    assert sorted(family) == sorted(names)
    order = list(range(len(rows)))
    dice.shuffle(order)
    assert families([rows[i] for i in order]) == [family[i] for i in order]


def families(rows: list[dict[str, str | None]]) -> list[str]:
    schema = pa.schema([(key, pa.string()) for key in ("work", "number", "cluster", "text_digest")])
    found: list[str] = works._families(pa.Table.from_pylist(rows, schema)).to_pylist()
    return found


def test_a_corpus_that_grows_keeps_its_splits() -> None:
    rows = [row(f"{n:03}", celex=f"32020R{n:04}") for n in range(60)]
    before = assigned(rows[:30])
    after = assigned(rows)
    assert all(after[id] == mine for id, mine in before.items())


def test_the_shares_are_about_right_and_the_seed_decides() -> None:
    names = [f"celex:3{n}" for n in range(20_000)]
    splits = Splits(seed=5, validation=0.1, test=0.2)
    drawn = [split(name, splits) for name in names]
    for name, share in (("test", 0.2), ("validation", 0.1), ("train", 0.7)):
        assert abs(drawn.count(name) / len(names) - share) < 0.015
    assert drawn == [split(name, splits) for name in names]
    other = [split(name, splits.model_copy(update={"seed": 6})) for name in names]
    assert 0.4 < sum(a == b for a, b in zip(drawn, other, strict=True)) / len(names) < 0.7
    assert {split(name, Splits(validation=0, test=0)) for name in names[:99]} == {"train"}
    with pytest.raises(ValidationError, match="nothing is left"):
        Splits(validation=0.5, test=0.5)


def test_an_act_has_one_split_in_all_languages() -> None:
    rows = [row(f"{n}-{lang}", celex=f"32020L{n:04}") for n in range(50) for lang in ("en", "fr", "de")]
    found = assigned(rows)
    assert {r["split"] for r in found.values()} == {*works.SPLITS}
    for n in range(50):
        assert len({found[f"{n}-{lang}"]["split"] for lang in ("en", "fr", "de")}) == 1
