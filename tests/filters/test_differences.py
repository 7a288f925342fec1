from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import markup, pdf
from filters.differences import Difference, differences, located
from filters.fidelity import word_ids

SENTENCE = "The committee heard eleven witnesses before it closed the inquiry into the bridge."
OTHER = "Nobody had asked the ferryman, although he crosses the river forty times a day."
THIRD = "A second hearing is planned for the spring, when the water is lower."


def seen(text: str, reference: str) -> list[tuple[str, str, str]]:
    """Kind, the text's side and the reference's side of each difference."""
    return [
        (d.kind, text[d.start : d.end], reference[d.reference_start : d.reference_end])
        for d in differences(text, reference)
    ]


def folded(text: str) -> list[str]:
    return located(text).folded


def applied(text: str, reference: str, found: list[Difference]) -> list[str]:
    """The reference's words, made of the text's by the differences alone."""
    made: list[str] = []
    at = 0
    for difference in found:
        made += folded(text[at : difference.start])
        made += folded(reference[difference.reference_start : difference.reference_end])
        at = max(at, difference.end)
    return made + folded(text[at:])


def test_equal_texts_have_no_differences() -> None:
    assert differences(SENTENCE, SENTENCE) == []
    assert differences("", "") == []


def test_case_punctuation_and_hyphens_at_line_ends_are_no_differences() -> None:
    assert seen("THE com-\nmittee: heard (eleven) wit\u00adnesses", "the committee heard eleven witnesses") == []


def test_lost_words_stand_where_they_are_missing() -> None:
    text = SENTENCE.replace("eleven ", "")
    [found] = differences(text, SENTENCE)
    assert (found.kind, found.words) == ("lost", 1)
    assert found.start == found.end == text.index("heard") + len("heard")
    assert SENTENCE[found.reference_start : found.reference_end] == "eleven"


def test_a_lost_passage_comes_after_the_full_stop() -> None:
    reference = f"{SENTENCE} {OTHER} {THIRD}"
    [found] = differences(f"{SENTENCE} {THIRD}", reference)
    assert (found.kind, found.start) == ("lost", len(SENTENCE))


def test_added_words() -> None:
    assert seen(SENTENCE.replace("before", "before 12 Bridge Inquiry"), SENTENCE) == [
        ("added", "12 Bridge Inquiry", "")
    ]  # fmt: skip


def test_other_words_are_lost_and_added_at_one_place() -> None:
    assert seen(SENTENCE.replace("eleven", "twelve"), SENTENCE) == [("lost", "", "eleven"), ("added", "twelve", "")]


def test_a_passage_out_of_place_is_moved_and_elsewhere() -> None:
    text, reference = f"{SENTENCE}\n{THIRD}\n{OTHER}", f"{SENTENCE}\n{OTHER}\n{THIRD}"
    kinds = {kind for kind, _, _ in seen(text, reference)}
    assert kinds == {"moved", "elsewhere"}
    sides = {(here or there).strip(".") for _, here, there in seen(text, reference)}
    assert sides in ({OTHER.strip(".")}, {THIRD.strip(".")})


def test_interleaved_columns_are_out_of_place_not_lost() -> None:
    left = [" ".join(f"left{line}word{n}" for n in range(6)) for line in range(20)]
    right = [" ".join(f"right{line}word{n}" for n in range(6)) for line in range(20)]
    text = "\n".join(itertools.chain.from_iterable(zip(left, right, strict=True)))
    found = differences(text, "\n".join(left + right))
    assert {d.kind for d in found} == {"moved", "elsewhere"}
    assert sum(d.words for d in found if d.kind == "moved") == 114, "one column stays, with the other's last line"


@pytest.mark.parametrize("cut", ["com mit tee", "c o m m i t t e e", "Thecommittee heardeleven"])
def test_words_cut_or_glued_keep_their_letters(cut: str) -> None:
    whole = "The committee heard eleven" if cut.startswith("The") else "committee"
    [found] = seen(SENTENCE.replace(whole, cut), SENTENCE)
    assert found == ("spaced", cut, whole)


def test_letters_of_scripts_without_spaces_are_words() -> None:
    assert seen("日本語の文章です", "日本の文章です") == [("added", "語", "")]


def test_chance_words_do_not_cut_a_passage_that_is_nowhere_else() -> None:
    added = "In the spring of that year nobody could say where the money had gone or into which hands"
    found = seen(f"{SENTENCE} {added}. {OTHER}", f"{SENTENCE} {OTHER}")
    assert found == [("added", added, "")]


def test_repeated_words_without_any_tie_come_to_an_end() -> None:
    assert differences("a b " * 30_000, "b b a " * 30_000), "each with each would take hours"


def test_one_endless_word_and_endless_hyphens() -> None:
    text = "x" * 1_000_000 + "-\n" * 100_000
    assert [d.kind for d in differences(text, "y")] == ["lost", "added"]


VOCABULARY = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "al-\npha",
    "epsi\u00adlon",
    "l'eau",
    "3.5",
    "日本",
    "\n",
    "— ",
    "Ünï",
    "a",
]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=60).map(" ".join)


@given(TEXTS, TEXTS)
@settings(max_examples=300, deadline=None)
def test_the_differences_give_back_the_reference(text: str, reference: str) -> None:
    found = differences(text, reference)
    assert applied(text, reference, found) == folded(reference)


@given(TEXTS, TEXTS)
@settings(max_examples=300, deadline=None)
def test_the_differences_are_in_order_and_apart(text: str, reference: str) -> None:
    found = differences(text, reference)
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start
        assert before.reference_end <= after.reference_start
    for difference in found:
        here, there = difference.end - difference.start, difference.reference_end - difference.reference_start
        assert (here > 0) == (difference.kind in ("added", "moved", "spaced"))
        assert (there > 0) == (difference.kind in ("lost", "elsewhere", "spaced"))
        side = reference[difference.reference_start : difference.reference_end]
        assert difference.words == len(folded(side or text[difference.start : difference.end]))


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_compared(text: str, reference: str) -> None:
    assert applied(text, reference, differences(text, reference)) == folded(reference)


@given(TEXTS)
def test_words_are_those_of_the_order_measure(text: str) -> None:
    ids: dict[str, int] = {}
    counted = word_ids(text, ids)
    names = {number: word for word, number in ids.items()}
    assert folded(text) == [names[number] for number in counted.tolist()]


@given(TEXTS)
def test_words_stand_where_they_are_said_to(text: str) -> None:
    found = located(text)
    for word, start, end in zip(found.folded, found.starts, found.ends, strict=True):
        assert folded(text[start:end]) == [word]


DAMAGED = Path(__file__).resolve().parents[3] / "shared" / "data" / "pdf" / "eurlex-pdf+html" / "GDPR-vedant-rajput.pdf"


@pytest.mark.real
def test_a_damaged_act_differs_from_the_official_text_where_it_is_damaged() -> None:
    if not DAMAGED.is_file():
        pytest.skip("no real data beside the project")
    text = pdf.extract(DAMAGED.read_bytes()).text
    official = DAMAGED.with_suffix(".truth.xml")
    reference = markup.reference_text(official.read_bytes(), official.name)
    found = differences(text, reference)
    assert applied(text, reference, found) == folded(reference)
    marked = sum(difference.words for difference in found if difference.kind in ("added", "moved"))
    assert 0.02 < marked / len(folded(text)) < 0.3
