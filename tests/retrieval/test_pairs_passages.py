"""The set `parallel-passages`: its rows slice back, and what is asked for is what comes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.schema import DOCUMENTS
from catalog.set_schema import GROUPS, PAIRS
from extractors import eurlex, markup
from retrieval.pairs.passages import PARALLEL_PASSAGES, Passages, make
from retrieval.tokens import words

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BODY = {
    "en": "The member states shall see to it that bees can fly. They shall report once a year to the keeper of bees.",
    "fr": "Les États membres veillent à ce que les abeilles volent. Ils en font rapport chaque année à l'apiculteur.",
    "de": "Die Mitgliedstaaten sorgen dafür, dass Bienen fliegen. Sie berichten einmal im Jahr dem Hüter der Bienen.",
}
HEADING = {"en": "Article {}\nFlight of bees", "fr": "Article {}\nVol des abeilles", "de": "Artikel {}\nBienenflug"}
TITLES = {"en": "Act on bees", "fr": "Acte des abeilles", "de": None}


def act(language: str, articles: int = 1, celex: str = "1", body: str | None = None) -> dict[str, Any]:
    """An act of articles that all say the same."""
    text, sections = "Title\n", [{"start": 0, "kind": "title", "anchor": "tit_1", "heading": "Title"}]
    for number in range(1, articles + 1):
        heading = HEADING[language].format(number)
        sections.append({
            "start": len(text), "kind": "article", "anchor": f"art_{number}", "heading": heading.replace("\n", " ")
        })  # fmt: skip
        text += f"{heading}\n{BODY[language] if body is None else body}\n"
    return row(f"{language}{celex}", text, language, f"celex:{celex}", TITLES[language], sections, celex=celex)


def row(
    id: str, text: str, language: str | None, work: str, title: str | None = None,
    sections: list[dict[str, Any]] | None = None, meta: str | None = None, **columns: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": id, "text": text, "title": title, "language": language, "declared_language": language, "celex": None,
        "sections": sections, "meta": meta, "work": work, "split": "train", **columns,
    }  # fmt: skip


def built(
    rows: list[dict[str, Any]], **params: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, int]]:
    """Rows of pairs and groups, and the counts; every row that names a slice is checked against the texts."""
    fields = {name: DOCUMENTS.field(name).type if name in DOCUMENTS.names else pa.string() for name in
              PARALLEL_PASSAGES.columns}  # fmt: skip
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in fields.items()})
    counter: Counter[str] = Counter()
    tables: dict[str, list[pa.Table]] = {"pairs": [PAIRS.empty_table()], "groups": [GROUPS.empty_table()]}
    for name, part in make(table, Passages(**params), counter):
        tables[name].append(part)
    pairs, groups = (pa.concat_tables(tables[name]).to_pylist() for name in ("pairs", "groups"))
    texts = {row["id"]: row["text"] for row in rows}
    for pair in pairs:
        check_slice(texts, pair["query_id"], pair["query"])
        check_slice(texts, pair["document_id"], pair["document"])
        assert pair["query_language"] != pair["document_language"]
        assert pair["start"] is None or pair["document_id"] == f"{pair['doc']}:{pair['start']}-{pair['end']}"
    for group in groups:
        check_slice(texts, group["en_id"], group["doc_en"])
        check_slice(texts, group["xx_id"], group["doc_xx"])
        assert group["query"] not in group["doc_en"] and group["query"] not in group["doc_xx"]
    assert sum(count for reason, count in counter.items() if ": " not in reason) == len(rows)
    return pairs, groups, dict(counter)


def check_slice(texts: dict[str, str], id: str, text: str) -> None:
    if "#" not in id:
        doc, _, place = id.rpartition(":")
        start, _, end = place.partition("-")
        assert texts[doc][int(start) : int(end)] == text != ""


def test_every_text_asks_for_its_translations() -> None:
    pairs, groups, counts = built([act("en"), act("fr"), act("de")])
    asked = [(pair["query_language"], pair["document_language"]) for pair in pairs]
    assert asked == [("de", "en"), ("de", "fr"), ("en", "de"), ("en", "fr"), ("fr", "de"), ("fr", "en")]
    assert pairs[2]["query"] == f"Article 1\nFlight of bees\n{BODY['en']}"
    assert {pair["parallel"] for pair in [*pairs, *groups]} == {"celex:1#art_1"}
    assert pairs[1]["title"] == "Acte des abeilles" and pairs[2]["title"] == ""
    assert counts == {"used": 3, "passage: used": 3, "question: used": 2}
    assert [(group["query"], group["query_language"], group["language"]) for group in groups] == [
        ("Flight of bees — Act on bees", "en", "de"), ("Bienenflug", "de", "de"),
        ("Flight of bees — Act on bees", "en", "fr"), ("Vol des abeilles — Acte des abeilles", "fr", "fr"),
    ]  # fmt: skip
    assert groups[2]["doc_en"] == BODY["en"] and groups[2]["doc_xx"] == BODY["fr"]


def test_languages_and_directions_are_chosen() -> None:
    rows = [act("en"), act("fr"), act("de")]
    pairs, groups, _ = built(rows, query_languages=("en",))
    assert {(pair["query_language"], pair["document_language"]) for pair in pairs} == {("en", "de"), ("en", "fr")}
    assert {group["query_language"] for group in groups} == {"en"}
    pairs, groups, counts = built(rows, languages=("fr", "de"))
    assert {(pair["query_language"], pair["document_language"]) for pair in pairs} == {("fr", "de"), ("de", "fr")}
    assert groups == [] and counts["passage: language not asked for"] == 1 and counts["nothing parallel"] == 1
    assert built(rows, query_languages=("it",))[0] == []


def test_without_a_heading_the_first_sentence_asks() -> None:
    rows = [act("en"), act("fr")]
    for found in rows:
        found["sections"][1]["heading"] = "Article 1"
        found["text"] = found["text"].replace(HEADING[found["language"]].format(1).partition("\n")[2] + "\n", "")
    _, groups, _ = built(rows)
    first, _, rest = BODY["en"].partition(" They")
    assert groups[0]["query"] == first and groups[0]["doc_en"] == f"They{rest}"
    assert groups[0]["query_id"].endswith("#sentence")
    one = [act("en", body="One sentence of more than eight words, but no more."),
           act("fr", body="Une phrase de plus de huit mots, mais pas plus.")]  # fmt: skip
    for found in one:
        found["sections"][1]["heading"] = None
    assert built(one)[2]["question: none to make of a passage"] == 1


def test_lengths_are_limited_and_counted() -> None:
    pairs, _, counts = built([act("en"), act("fr")], longest=20)
    assert pairs == [] and counts == {"nothing parallel": 2, "passage: too long": 2}
    short = [act("en", body="Bees fly."), act("fr", body="Elles volent.")]
    assert built(short, shortest=12)[2] == {"nothing parallel": 2, "passage: too short": 2}
    pairs, groups, _ = built([act("en"), act("fr")], most=20)
    assert all(len(words(pair["query"])) <= 20 for pair in pairs)
    assert pairs[0]["query"].endswith("can fly.") and groups[0]["doc_en"].endswith("can fly.")
    with pytest.raises(ValidationError, match="shortest"):
        Passages(shortest=10, most=9)


def test_a_long_act_is_taken_evenly() -> None:
    pairs, _, counts = built([act("en", 10), act("fr", 10)], cap=4)
    assert [pair["parallel"] for pair in pairs[::2]] == [f"celex:1#art_{number}" for number in (1, 3, 6, 8)]
    assert counts["passage: over the cap"] == 12 and counts["passage: used"] == 8


def test_works_stand_alone_and_every_document_is_counted() -> None:
    meta = json.dumps({"abstracts": BODY, "titles": {"fr": "Abeilles"}})
    rows = [
        act("en"), act("fr"), act("en", celex="2"), act("fr", celex="3") | {"language": None},
        act("en", celex="4"), act("en", celex="4") | {"id": "zz"}, act("fr", celex="4"),
        row("a", "Texte", "fr", "doi:1", meta=meta), row("b", "", "fr", "id:b"), row("c", "Text", None, "id:c"),
    ]  # fmt: skip
    pairs, groups, counts = built(rows)
    assert {pair["work"] for pair in pairs} == {"celex:1", "celex:4", "doi:1"}
    assert [pair["query_id"] for pair in pairs if pair["work"] == "doi:1"][::2] == [
        "a#abstract-de", "a#abstract-en", "a#abstract-fr",
    ]  # fmt: skip
    assert {group["query"] for group in groups if group["work"] == "doi:1"} == {
        text.partition(". ")[0] + "." for text in BODY.values()
    }
    used = {"used": 5, "nothing parallel": 2, "no language": 2, "another in its language": 1}
    assert {reason: count for reason, count in counts.items() if ": " not in reason} == used


def test_fields_that_no_file_can_hold_do_no_harm() -> None:
    broken = {"en": "A lone \ud800 surrogate in eight words of text here.", "\ud800": "x", "fr": BODY["fr"]}
    pairs, _, _ = built([row("a", "Texte", "fr", "doi:1", meta=json.dumps({"abstracts": broken}))])
    assert {pair["query_language"] for pair in pairs} == {"en", "fr"} and "\ufffd" in pairs[0]["query"]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["recital", "article", "annex", "section"]),
        st.sampled_from([None, "rct_1", "art_1", "art_2", "anx_1", "anx_1.art_1"]),
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a. \n5"), max_size=30),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES, min_size=2, max_size=2), st.integers(1, 3))
def test_whatever_the_texts_the_rows_slice_back(texts: list[list[tuple[str, str | None, str]]], most: int) -> None:
    rows = []
    for language, lines in zip(("en", "fr"), texts, strict=True):
        text, sections = "", []
        for kind, anchor, line in lines:
            sections.append({"start": len(text), "kind": kind, "anchor": anchor, "heading": line[:5]})
            text += f"{line}\n"
        rows.append(row(language, text, language, "celex:1", "T", sections))
    pairs, _, _ = built(rows, kinds=("article", "recital", "annex"), shortest=1, most=most, longest=9)
    assert all(len(words(pair["document"])) <= most for pair in pairs)


def real_rows() -> list[dict[str, Any]]:
    """Some acts in both languages, and articles."""
    rows = []
    for folder in sorted((DATA / "eurlex").iterdir())[::12]:
        for path in sorted(folder.glob("*.html")):
            made = eurlex.extract_html(path.read_bytes())
            names = ("start", "kind", "anchor", "heading")
            sections = [dict(zip(names, section, strict=True)) for section in made.sections]
            rows.append(row(f"{folder.name}-{path.stem}", made.text, path.stem.lower(), f"celex:{folder.name}",
                            made.title, sections, celex=folder.name))  # fmt: skip
    for path in sorted((DATA / "erudit").glob("*.xml"))[::6]:
        made = markup.extract_xml(path.read_bytes())
        rows.append(row(path.stem, made.text, made.language, f"erudit:{path.stem}", made.title,
                        meta=json.dumps(made.meta)))  # fmt: skip
    return rows


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "eurlex").is_dir(), reason="the acts are not beside the project")
def test_real_acts_and_articles_give_rows_that_slice_back() -> None:
    rows = real_rows()
    pairs, groups, counts = built(rows)
    assert len(pairs) > 200 and len(groups) > 50
    assert counts["used"] > 0.6 * len(rows)
    refused = sum(
        count for reason, count in counts.items() if reason.endswith(("disagree", "anchor", "not translated"))
    )
    assert refused < 0.05 * counts["passage: used"]
    assert any("#abstract-" in pair["query_id"] for pair in pairs)
