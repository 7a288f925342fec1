from __future__ import annotations

import math
import random
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.legibility import FEATURES, OF_LANGUAGE, Features, measure

TEXT = (
    "The Member States shall take the measures that are needed to protect the quality of their waters.\n"
    "Where the limits of this Article are not met, the authority shall inform the public of what it has done.\n"
    "It shall also say which of the measures were taken, by whom, and what they have cost so far.\n"
    "No later than the end of the year the Commission shall publish a report on the state of the rivers.\n"
)
PAGES = [TEXT, TEXT.replace("Member", "Other").replace("rivers", "lakes"), TEXT.replace("waters", "woods")]


def of(text: str, language: str | None = "en") -> Features:
    return measure(text, [], language)[0]


def worse(change: str, feature: str) -> float:
    before, after = of(TEXT)[feature], of(change)[feature]
    assert before is not None and after is not None
    return after - before


def test_an_ordinary_text_has_few_bad_signs() -> None:
    found = of(TEXT)
    assert set(found) == set(FEATURES)
    for name in ("split", "glued", "dangling", "hyphens", "case", "mixed_scripts", "unreadable", "symbols", "digits"):
        assert (found[name] or 0) < 0.02, name
    assert found["unknown"] is not None and found["unknown"] < 0.05


DAMAGED = {
    "unknown": TEXT.replace("e", "q"),
    "implausible": TEXT.replace("e", "q"),
    "split": TEXT.replace("measures", "mea sures", 1).replace("shall", "sha ll", 1),
    "glued": TEXT.replace("of the", "ofthe").replace("that are", "thatare"),
    "single": TEXT.replace("quality", "q u a l i t y"),
    "broken_order": " ".join(random.Random(1).sample(TEXT.split(), len(TEXT.split()))),
    "dangling": TEXT.replace("quality", "qual- shall").replace("public", "pub-\nwhat"),
    "sudden": TEXT.replace(" the ", " The "),
    "hyphens": TEXT.replace("quality", "qua- lity").replace("public", "pub-\nlic"),
    "case": TEXT.replace("the ", "the"[:2] + "E "),
    "mixed_scripts": TEXT.replace("waters", "w\u0430ters"),
    "unreadable": TEXT.replace("o", "\ufffd"),
    "symbols": TEXT.replace("o", "#"),
    "digits": TEXT.replace("o", "0"),
    "repeated": TEXT + TEXT,
}


@pytest.mark.parametrize("feature", list(DAMAGED))
def test_damage_raises_its_feature(feature: str) -> None:
    assert worse(DAMAGED[feature], feature) > 0.005


def test_hyphens_that_join_to_a_word_do_not_dangle() -> None:
    assert worse(TEXT.replace("measures", "mea-\nsures", 1), "dangling") == 0


def test_pages_are_measured_by_themselves() -> None:
    pages = [PAGES[0], PAGES[1].replace("o", "\ufffd"), PAGES[2]]
    starts = [0, *accumulate(map(len, pages))][:-1]
    document, by_page = measure("".join(pages), starts, "en")
    assert len(by_page) == 3
    assert by_page[0]["unreadable"] == by_page[2]["unreadable"] == 0 < (by_page[1]["unreadable"] or 0)
    assert document["unreadable"] is not None and document["unreadable"] < (by_page[1]["unreadable"] or 0)


def test_running_heads_are_seen_from_three_pages_on() -> None:
    pages = [f"{number} Official Journal of all\n{page}" for number, page in enumerate(PAGES)]
    starts = [0, *accumulate(map(len, pages))][:-1]
    assert measure("".join(pages), starts, "en")[0]["running"] == 1
    assert measure("".join(pages[:2]), starts[:2], "en")[0]["running"] is None
    others = ["One thing came first.", "Then there was another.", "At last it ended so."]
    starts = [0, *accumulate(map(len, others))][:-1]
    assert measure("".join(others), starts, "en")[0]["running"] == 0


@pytest.mark.parametrize(("text", "language"), [(TEXT, "xx"), (TEXT, None), ("第一条为了保护水质制定本法" * 9, "zh")])
def test_without_a_lexicon_the_features_of_the_language_are_none(text: str, language: str | None) -> None:
    found = of(text, language)
    assert [found[name] for name in OF_LANGUAGE] == [None] * len(OF_LANGUAGE)
    assert found["unreadable"] == 0


def test_a_text_without_words_has_no_shares_of_words() -> None:
    assert of("")["unknown"] is of(" \n ")["case"] is None
    assert of("1 2 3")["digits"] == 1


@given(st.text(max_size=300), st.lists(st.integers(0, 300), max_size=4), st.sampled_from(["en", "fr", "zh", "und"]))
def test_any_text_can_be_measured(text: str, starts: list[int], language: str) -> None:
    starts = sorted(min(start, len(text)) for start in starts)
    document, by_page = measure(text, starts, language)
    assert len(by_page) == max(1, len(starts))
    for features in (document, *by_page):
        assert all(value is None or math.isfinite(value) for value in features.values())


def test_long_words_and_lines_take_no_quadratic_time() -> None:
    for text in ("x" * 1_000_000, "x-" * 500_000, "A " * 300_000, "aA" * 400_000, "- " * 400_000, "(cid:" * 100_000):
        assert len(of(text)) == len(FEATURES)


def test_the_lexicon_is_described() -> None:
    readme = (Path(__file__).resolve().parents[2] / "filters" / "models" / "fidelity.md").read_text("utf-8")
    assert "lexicon.json" in readme and "fidelity.json" in readme
