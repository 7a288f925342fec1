"""A document's words as evidence for line ends, and for words that stick together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extractors.pdf import extract
from extractors.pdf_page import Line, plain_lines
from extractors.pdf_words import KNOWN, Vocabulary
from tests.extractors.pdf_samples import joined, pdf

FRENCH = ["Les arrêts et les avis et les lois"]


def vocabulary(*lines: str) -> Vocabulary:
    return Vocabulary([plain_lines("\n".join(lines))])


def known(*words: str) -> Vocabulary:
    """The vocabulary of a document that has each of these words often enough to be known."""
    return vocabulary(*(f"the {word} here" for word in words for _ in range(KNOWN)))


# Line ends


def test_the_joined_form_is_evidence() -> None:
    assert vocabulary("some where", "somewhere else").joins("some", "-", "where")


def test_the_form_that_is_more_frequent_wins() -> None:
    assert vocabulary("email and email, or e-mail").joins("e", "-", "mail")
    assert not vocabulary("e-mail and e-mail, or email").joins("e", "-", "mail")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["comme il est dit ci-", "dessus"], "ci-dessus"),
        (["l'affaire ci-", "après"], "ci-après"),
        (["et a-t-", "elle jugé"], "a-t-elle jugé"),
        (["y a-t-", "il un juge"], "y a-t-il un juge"),
        (["dit-", "on ailleurs"], "dit-on ailleurs"),
        (["ceux-", "là"], "ceux-là"),
        (["lui-", "même"], "lui-même"),
        (["un quasi-", "contrat"], "quasi-contrat"),
        (["le gouver-", "nement"], "gouvernement"),
        (["le par-", "lement"], "parlement"),
    ],
)
def test_french_at_line_ends(lines: list[str], text: str) -> None:
    # The word that is joined shows that the document breaks words.
    breaks = ["un règlement et un règle-", "ment"]
    assert joined([*FRENCH, *breaks, *lines]).text.endswith(text)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["the construction of a co-", "construction"], "co-construction"),
        (["an actor and a multi-", "actor plan"], "multi-actor plan"),
        (["an actor and a multi-", "ple choice"], "multiple choice"),
        (["they were forty-", "four then"], "forty-four then"),
    ],
)
def test_prefixes_at_line_ends(lines: list[str], text: str) -> None:
    breaks = ["a regulation and a regu-", "lation"]
    assert joined([*breaks, *lines]).text.endswith(text)


def test_french_rules_are_for_french_alone() -> None:
    lines = ["a religion and the reli-", "gion and the drag-", "on and the pon-", "toon and the voi-", "là"]
    assert joined(lines).text.endswith("and the dragon and the pontoon and the voilà")


@pytest.mark.parametrize(
    "lines", [["twenty-", "one"], ["self-", "employed"], ["quasi-", "judicial"], ["Vice-", "chair"]]
)
def test_some_beginnings_keep_their_hyphen_before_any_word(lines: list[str]) -> None:
    assert joined(["a religion and the reli-", "gion of the", *lines]).text.endswith("".join(lines))


def test_a_hyphen_that_the_document_writes_inside_lines_is_no_typesetters() -> None:
    assert vocabulary("nothing of it").joins("well", "\u2010", "known")
    assert not vocabulary("well\u2010known").joins("well", "\u2010", "known")


def test_words_broken_at_line_ends_are_no_evidence() -> None:
    found = vocabulary("a long-", "term plan")
    assert (found.words["long"], found.words["term"], found.words["plan"]) == (0, 0, 1)


# Words that stick together


def parted(text: str, *words: str) -> str:
    return known(*words).parted(Line(text)).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the provisionsArticle 5", "the provisions Article 5"),
        ("the provisions.Article 5", "the provisions. Article 5"),
        ("the provisions,Article 5", "the provisions, Article 5"),
        ("(provisionsArticle)", "(provisions Article)"),
        ("12Article of it", "12 Article of it"),
        ("provisionsArticleProvisions", "provisions Article Provisions"),
    ],
)
def test_known_words_that_stick_together_are_parted(text: str, expected: str) -> None:
    assert parted(text, "provisions", "article") == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/provisionsArticle",
        "www.provisionsArticle.example",
        "provisionsArticle@example.org",
        "provisions/provisionsArticle",
        "provisions_provisionsArticle",
        "PROVISIONSArticle",
        "provisionsARTICLE5".swapcase(),
        "provisionsArticles",
        "aArticle",
    ],
)
def test_addresses_and_what_is_no_seam_stay_whole(text: str) -> None:
    assert parted(text, "provisions", "article") == text


@pytest.mark.parametrize("word", ["JavaScript", "McDonald", "iPhone", "EuroMed", "LaTeX", "PhD", "OpenOffice"])
def test_words_with_a_capital_inside_stay_whole_without_evidence(word: str) -> None:
    assert parted(f"the {word} of it", "provisions", "article", word) == f"the {word} of it"


def test_a_name_that_the_document_often_writes_stays_whole() -> None:
    assert parted("with JavaScript", "Java", "Script", "JavaScript") == "with JavaScript"


def test_one_known_side_is_not_enough() -> None:
    assert parted("the provisionsArticle 5", "provisions") == "the provisionsArticle 5"
    assert parted("the provisionsArticle 5", "article") == "the provisionsArticle 5"


def test_note_marks_move_with_their_words() -> None:
    line = replace(Line("the provisionsArticle one2 and provisionsArticle3"), marks=((25, 26), (48, 49)))
    moved = known("provisions", "article").parted(line)
    assert [moved.text[start:end] for start, end in moved.marks] == ["2", "3"]


def test_parting_takes_away_nothing() -> None:
    text = extract(pdf([*["The provisions of the Article here."] * KNOWN, "By the provisionsArticle 5 has."])).text
    assert text.endswith("By the provisions Article 5 has.")
