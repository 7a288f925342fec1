"""What is aligned and what is refused, and that the views of a snapshot say the same."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.passages import parallel, passages
from catalog.schema import DOCUMENTS
from retrieval.chunks import parts
from retrieval.parallel import KINDS, align

LANGUAGES = ("en", "fr", "de")
Line = tuple[str, str | None, str]


def act(language: str, lines: list[Line], **columns: Any) -> dict[str, Any]:
    """A document whose lines are sections, where they have a kind."""
    text, sections = "", []
    for kind, anchor, line in lines:
        if kind:
            sections.append({"start": len(text), "kind": kind, "anchor": anchor, "heading": line.partition(":")[0]})
        text += line + "\n"
    return {
        "id": columns.get("id", f"{language}1"), "text": text, "language": language, "declared_language": language,
        "sections": sections, "meta": None, "work": "celex:X", "celex": "X", **columns,
    }  # fmt: skip


def said(documents: list[dict[str, Any]], **options: Any) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """The texts of each group by language, and what was refused."""
    refused: Counter[str] = Counter()
    groups = align(documents, refused, **options)
    for group in groups:
        assert len({member.language for member in group.members}) == len(group.members) > 1
    return (
        {group.parallel: {member.language: member.text for member in group.members} for group in groups},
        {reason: count for reason, count in refused.items() if count},
    )


def test_passages_align_by_anchor_and_slice_back() -> None:
    english = act("en", [("title", "tit_1", "Act on bees"), ("article", "art_1", "Article 1: Bees fly.")])
    french = act(
        "fr", [("title", "tit_1", "Acte des abeilles"), ("article", "art_1", "Article premier: Elles volent.")]
    )
    found, refused = said([french, english])
    assert found == {
        "celex:X#tit_1": {"en": "Act on bees", "fr": "Acte des abeilles"},
        "celex:X#art_1": {"en": "Article 1: Bees fly.", "fr": "Article premier: Elles volent."},
    }
    assert refused == {}
    for group in align([english, french], Counter(), kinds=("article",)):
        assert group.kind == "article"
        for member, row in zip(group.members, (english, french), strict=True):
            assert member.id == f"{row['id']}:{member.start}-{member.end}"
            assert row["text"][member.start : member.end] == member.text
            assert member.heading == row["sections"][1]["heading"]


def test_a_language_has_one_document_of_one_edition() -> None:
    lines: list[Line] = [("article", "art_1", "Article 1")]
    rows = [
        act("en", lines, id="a", declared_language="fr"), act("en", lines, id="b"), act("en", [], id="aa"),
        act("fr", [("article", "art_1", "Article premier")], id="c"), act("und", lines, id="d"),
        act("fr", [("article", "art_1", "Article premier, autre")], id="e", celex="0X-2020"),
        act("de", lines, id="f", celex="XR(01)"),
    ]  # fmt: skip
    found, refused = said(rows)
    assert found == {"celex:X#art_1": {"en": "Article 1", "fr": "Article premier"}}
    assert refused == {"another in its language": 2, "no language": 1, "another edition": 2}
    (group,) = align(rows, Counter())
    assert [member.doc for member in group.members] == ["b", "c"]


def test_an_anchor_that_one_language_has_more_often_is_refused() -> None:
    twice: list[Line] = [("article", "art_1", "Article 1 one"), ("article", "art_1~2", "Article 1 two")]
    french: list[Line] = [("article", "art_1", "Article premier un"), ("article", "art_1~2", "Article premier deux")]
    assert set(said([act("en", twice), act("fr", french)])[0]) == {"celex:X#art_1", "celex:X#art_1~2"}
    found, refused = said([act("en", twice), act("fr", french[:1])])
    assert found == {} and refused == {"passage: ambiguous anchor": 3}
    same: list[Line] = [("article", "art_1", "Article 1"), ("article", "art_1", "Article 1 again")]
    assert said([act("en", same), act("fr", same)])[1] == {"passage: ambiguous anchor": 4}


def test_recitals_that_are_counted_by_their_order_align_only_where_there_are_equally_many() -> None:
    whereas: list[Line] = [("recital", f"rct_{n}", f"Whereas {'so ' * n}") for n in (1, 2)]
    considering: list[Line] = [("recital", f"rct_{n}", f"Considérant {'que ' * n}") for n in (1, 2)]
    assert len(said([act("en", whereas), act("fr", considering)])[0]) == 2
    found, refused = said([act("en", whereas), act("fr", considering[:1])])
    assert found == {} and refused == {"passage: recitals without numbers, of another count": 3}
    numbered: list[Line] = [("recital", f"rct_{n}", f"({n}) It is so.") for n in (1, 2)]
    assert len(said([act("en", numbered), act("fr", [("recital", "rct_2", "( 2 ) C'est ainsi.")])])[0]) == 1


@pytest.mark.parametrize(
    ("english", "french", "reason"),
    [
        ("The same text.", "the  SAME text.", "not translated"),
        ("Short.", "Long. " * 20, "lengths disagree"),
        ("See Directive 77/388 of 1977.", "Voir le règlement 4056/86.", "numbers disagree"),
    ],
)
def test_what_is_no_translation_is_refused(english: str, french: str, reason: str) -> None:
    lines: list[Line] = [("article", "art_1", english)], [("article", "art_1", french)]  # type: ignore[assignment]
    found, refused = said([act("en", lines[0]), act("fr", lines[1])])  # type: ignore[arg-type]
    assert found == {} and refused == {f"passage: {reason}": 2}


def test_one_text_among_many_is_refused_alone() -> None:
    texts = {"de": "Kurz und gut.", "en": "Short and good.", "fr": "Tout autre chose. " * 9, "it": "Breve e buono."}
    found, refused = said([act(language, [("article", "art_1", text)]) for language, text in texts.items()])
    assert set(found["celex:X#art_1"]) == {"de", "en", "it"}
    assert refused == {"passage: lengths disagree": 1}


def test_a_chinese_text_is_shorter() -> None:
    english = "The Member States shall take the measures that are necessary to comply with this Regulation. " * 3
    chinese = "成员国应当采取遵守本条例所必需的措施。" * 3
    assert said([act("en", [("article", "art_1", english)]), act("zh", [("article", "art_1", chinese)])])[0]


def test_fields_align_within_one_document() -> None:
    meta = {
        "titles": {"fr": "Les abeilles", "en": "Bees", "de": "  "}, "keywords": {"en": ["bee", " "], "fr": ["abeille"]},
        "abstracts": {"fr": "Résumé", "en": 3, "es": None}, "doi": "10.1/x",
    }  # fmt: skip
    row = act("fr", [], work="doi:10.1/x", celex=None, meta=json.dumps(meta), id="z")
    refused: Counter[str] = Counter()
    groups = {group.parallel: group.members for group in align([row], refused)}
    assert list(groups) == ["doi:10.1/x#title", "doi:10.1/x#keywords"]
    assert [(m.id, m.text, m.start) for m in groups["doi:10.1/x#title"]] == [
        ("z#title-en", "Bees", None), ("z#title-fr", "Les abeilles", None),
    ]  # fmt: skip
    assert groups["doi:10.1/x#keywords"][0].text == "bee"
    assert refused == {"passage: one language only": 1}


NAMES = st.sampled_from(["titles", "abstracts", "en", "fr"])
VALUES = st.recursive(
    st.text(max_size=3), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@settings(deadline=None, max_examples=60)
@given(st.none() | st.text(max_size=30) | VALUES.map(json.dumps))
def test_any_meta_is_read(meta: str | None) -> None:
    for group in align([act("en", [], meta=meta), act("fr", [], meta=meta)], Counter()):
        assert all(member.text for member in group.members)


TEXTS = st.sampled_from(
    ["One text.", "Un texte.", "ein Text 17", "in 2017, but not 18", "x " * 40, " ", "(1) a", "(2) b"]
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["title", "recital", "article", "annex", "note", "section"]),
        st.sampled_from([None, "rct_1", "rct_2", "art_1", "art_1~2", "art_2", "anx_1", "anx_1.art_1", "anx_2"]),
        TEXTS,
    ),
    max_size=7,
)  # fmt: skip


SHARED = ("recital", "article", "annex", "title")
PLACES = ("id", "kind", "anchor", "start", "end")


def check_views(documents: list[dict[str, Any]]) -> int:
    """The views against the functions; returns the number of rows in groups."""
    columns = ["id", "text", "language", "declared_language", "sections", "celex"]
    table = pa.Table.from_pylist(documents).select(columns)
    sections = DOCUMENTS.field("sections")
    table = table.set_column(4, sections, table["sections"].cast(sections.type))
    with duckdb.connect() as connection:
        connection.register("corpus", table)
        seen = connection.sql(passages("main")).to_arrow_table().to_pylist()
        aligned = connection.sql(parallel("main")).to_arrow_table().to_pylist()
    expected = [
        (row["id"], chunk.kind, chunk.anchor, chunk.start, chunk.end)
        for row in documents
        for chunk in parts(row["text"], row["sections"])
        if chunk.kind != "section"
    ]
    found = [tuple(row[name] for name in PLACES) for row in seen if row["kind"] != "section"]
    assert sorted(found, key=str) == sorted(expected, key=str)
    works = {row["work"]: [other for other in documents if other["work"] == row["work"]] for row in documents}
    groups = {
        (group.parallel, group.kind, member.language, member.doc, member.start, member.end)
        for work in works.values()
        if work[0]["celex"]
        for group in align(work, Counter(), SHARED)
        for member in group.members
    }
    assert {tuple(row.values()) for row in aligned} == groups
    return len(groups)


def test_the_views_say_what_the_functions_say() -> None:
    pool = [
        [("title", "tit_1", f"{word} title"), ("recital", "rct_1", f"(1) {word} recital 2017"),
         ("article", "art_1", word), ("article", "art_1~2", f"{word} again"), ("note", "ntr_1", "1"),
         ("annex", "anx_1", f"{word} annex"),
         ("section", "anx_1.cpt_I", "Part"), ("article", "anx_1.art_1", f"{word} in the annex"),
         ("annex", "anx_2", f"{word} second annex")]
        for word in ("One", "Un", "Eins")
    ]  # fmt: skip
    fewer = [line for line in pool[1] if line[1] not in ("art_1~2", "anx_2")]
    wrong = [(kind, anchor, line.replace("2017", "3333")) for kind, anchor, line in pool[1]]
    unnumbered = [("recital", "rct_1", "Whereas"), ("recital", "rct_2", "Whereas too")]
    sets: list[Any] = [
        pool, [pool[0], fewer], [pool[0], wrong], [pool[0], pool[0]], [unnumbered, unnumbered[:1]], [pool[0]],
    ]  # fmt: skip
    rows = [
        act(language, lines, id=f"{number}{language}", celex=f"3{number}", work=f"celex:3{number}")
        for number, texts in enumerate(sets)
        for language, lines in zip(LANGUAGES, texts, strict=False)
    ]
    rows.append(act("en", pool[0], id="0again", celex="30", work="celex:30", declared_language="fr"))
    rows.append(act("en", [], id="none", celex=None, work="id:none", text="no sections", sections=None))
    assert check_views(rows) > 20


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES, min_size=2, max_size=3))
def test_whatever_the_sections_members_slice_back(documents: list[list[Line]]) -> None:
    rows = [act(language, lines) for language, lines in zip(LANGUAGES, documents, strict=False)]
    texts = {row["id"]: row["text"] for row in rows}
    for group in align(rows, Counter()):
        assert group.kind in KINDS
        assert all(texts[member.doc][member.start : member.end] == member.text != "" for member in group.members)
