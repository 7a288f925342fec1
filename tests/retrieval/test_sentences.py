"""Sentences as spans: what ends one, and that they hold the whole text whatever it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.sentences import ends, last_end, sentences

TEXTS = st.text(st.characters() | st.sampled_from("aB1. \n.?!»”)。;α,\u00a0\ud800"), max_size=80)


def said(text: str, language: str | None = None) -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize(
    "parts",
    [
        ["He said so.", "No. 5 applies.", "See Art. 5 of Regulation (EU) No 1/2.", "It ends!"],
        ["J. R. Smith, e.g. the U.S. Court, did.", "Then 3.14 was right."],
        ["“What?” he asked.", "“Yes.”", "Then they left (cf. p. 3).", "[See vol. II.]"],
        ["1. Member States shall act.", "2. The Commission may.", "(3) Others, too."],
        ["iv. The fourth item.", "A. The first."],
        ["Il dit cela.3", "Puis « Quoi ? » dit-il.", "« Fin. »", "M. Dupont (voir op. cit.) vint.", "L’art. 5 dit."],
        ["Das Urteil gilt z. B. hier (vgl. Art. 5 Abs. 2 DSGVO).", "Er ging."],
        ["Τι είναι;", "Το άρθρο 5 παρ. 2 ισχύει.", "Τέλος."],
        ["1 . Les actes (JO nº L 65, p . 8 ; JO no L 2 . 3) valent .", "2 . Le reste ."],
        ["Wait...", "What?!", "Well…", "No."],
        ["هل هذا صحيح؟", "نعم."],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
    ],
)
def test_sentences_end_where_they_do(parts: list[str]) -> None:
    assert said(" ".join(parts)) == parts


def test_scripts_without_spaces() -> None:
    assert said("今日は。「はい。」と言った！？終わり") == ["今日は。", "「はい。」", "と言った！？", "終わり"]
    assert said("ไทยไม่มีจุด\nบรรทัดที่สอง") == ["ไทยไม่มีจุด", "บรรทัดที่สอง"]


def test_ordinals_have_a_full_stop_in_some_languages() -> None:
    text = "Die 3. Kammer entschied am 12. Mai 2016. Das gilt."
    assert said(text, "de-AT") == ["Die 3. Kammer entschied am 12. Mai 2016.", "Das gilt."]
    assert said("It was on page 3. The next is 4.", "en") == ["It was on page 3.", "The next is 4."]


def test_a_line_ends_a_sentence_unless_it_breaks_off() -> None:
    assert said("CHAPTER I\nArticle 1\nThis is a line\nthat goes on.\na) one;\nb) two") == [
        "CHAPTER I", "Article 1", "This is a line\nthat goes on.", "a) one;", "b) two",
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.sampled_from([None, "de", "el", "xx", ""]))
def test_sentences_hold_all_that_is_not_blank(text: str, language: str | None) -> None:
    spans = sentences(text, language)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert "".join("".join(said(text, language)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "unit", [".", "a.", ". ", ".'", ".»", ".\u00a0", "a.1", "\n ", " ", "a", "。", "α;", "?)", "1."]
)
def test_odd_texts_are_read_in_one_pass(unit: str) -> None:
    text = unit * 100_000
    assert "".join("".join(said(text)).split()) == "".join(text.split())


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS | st.sampled_from(["Word " * 20, "mot. ", "Mot. "]), max_size=40).map("".join), st.data())
def test_the_last_end_is_that_of_all(text: str, data: st.DataObject) -> None:
    places = list(ends(text))
    start = data.draw(st.sampled_from([0, *places]))
    limit = data.draw(st.integers(start, len(text)))
    assert last_end(text, start, limit) == max((end for end in places if start < end <= limit), default=None)
