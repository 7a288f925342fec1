from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.metadata import Fields, distinct, fields, keys, known, normalise


def test_fields_by_language() -> None:
    meta = {
        "titles": {"fr": " Les abeilles ", "en": ""}, "subtitles": {"fr": "…"},
        "abstracts": {"pt-BR": "Resumo.", "pt": "Outro."}, "keywords": {"en": ["bees", "", 3], "fr": []},
    }  # fmt: skip
    expected = Fields(titles={"fr": "Les abeilles"}, abstracts={"pt": "Resumo."}, keywords={"en": ["bees"]})
    assert fields(json.dumps(meta)) == expected


@pytest.mark.parametrize(
    "meta",
    [None, "", "{", '["titles"]', '{"titles": 3, "keywords": ["x"]}', '{"titles": {"und": "x", "fr": null}}',
     '{"titles": {"en": "\\ud800"}}', '{"abstracts": {"en": ["x"]}, "keywords": {"en": "x"}}'],
)  # fmt: skip
def test_what_is_not_a_field_is_left_out(meta: str | None) -> None:
    assert fields(meta) == Fields()


def test_known() -> None:
    assert [known(code) for code in ("fr", "und", "zxx", "", None)] == [True, False, False, False, False]


def test_keywords_that_are_equal() -> None:
    assert normalise("Problem-based  Learning. ") == normalise("problem-based\u00a0learning")
    assert normalise("STRASSE") == normalise("Straße") == "strasse"
    assert normalise("• santé\u200b ;") == "santé" != normalise("sante")
    assert normalise("C++") == "c++"
    assert normalise(" – ") == ""


@given(st.lists(st.text(max_size=20), max_size=8), st.randoms())
def test_order_and_repetition_of_keywords_do_not_matter(keywords: list[str], random: object) -> None:
    shuffled = [*keywords, *keywords[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert keys(shuffled) == keys(keywords)
    assert len(distinct(keywords)) == len(keys(keywords))


@given(st.text())
def test_normal_form_is_stable(keyword: str) -> None:
    assert normalise(normalise(keyword)) == normalise(keyword)


def test_distinct_keeps_order_and_spelling() -> None:
    assert distinct(["SOV", " cognitive effort", "sov", "Cognitive  effort", ""]) == ["SOV", "cognitive effort"]
