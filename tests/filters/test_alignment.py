from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.alignment import page_signals

WORDS = [f"w{number}" for number in range(300)]


def paged(*pages: list[str]) -> tuple[str, list[int]]:
    text, starts = "", []
    for page in pages:
        starts.append(len(text))
        text += " ".join(page) + "\n"
    return text, starts


def test_a_faithful_page_has_all_of_its_part() -> None:
    text, starts = paged(WORDS[:100], WORDS[100:200], WORDS[200:])
    for page in page_signals(text, starts, " ".join(WORDS)):
        assert page == {"lcs": pytest.approx(1), "order_recall": 1, "order_precision": 1, "lost_words": 0}


def test_pages_in_another_order_are_found_all_the_same() -> None:
    text, starts = paged(WORDS[200:], WORDS[:100], WORDS[100:200])
    for page in page_signals(text, starts, " ".join(WORDS)):
        assert page["lost_words"] == 0
        assert page["order_recall"] > 0.95


def test_lost_words_count_for_the_page_before_them() -> None:
    text, starts = paged(WORDS[:100], WORDS[100:150], WORDS[200:])
    first, second, third = page_signals(text, starts, " ".join(WORDS))
    assert (first["lost_words"], second["lost_words"], third["lost_words"]) == (0, 50, 0)
    assert second["order_recall"] < 0.5 < first["order_recall"]
    assert second["order_precision"] > 0.9
    assert second["lcs"] == pytest.approx(0.5**0.5)


def test_a_garbled_page_stands_out() -> None:
    mixed = random.Random(1).sample(WORDS[100:200], 100)
    text, starts = paged(WORDS[:100], mixed, WORDS[200:])
    first, second, third = page_signals(text, starts, " ".join(WORDS))
    assert second == {"lcs": None, "order_recall": None, "order_precision": 0, "lost_words": None}
    # The words in place of which it stands are missing after the page before.
    assert first["lost_words"] == 100
    assert third["lost_words"] == 0


def test_a_page_without_words_has_no_figures() -> None:
    text, starts = paged(WORDS[:100], [], WORDS[100:])
    nothing = {"lcs": None, "order_recall": None, "order_precision": None, "lost_words": None}
    found = page_signals(text, starts, " ".join(WORDS))
    assert found[1] == nothing
    assert page_signals("", [0], "a b") == [nothing]
    assert page_signals("a b", [0], "")[0]["lost_words"] is None
    assert page_signals("a b", [], "a b") == []


@given(st.lists(st.text(alphabet="ab \n-", max_size=40), max_size=5), st.text(alphabet="ab \n-", max_size=80))
def test_any_texts_give_figures_in_their_range(pages: list[str], reference: str) -> None:
    starts = [sum(map(len, pages[:number])) for number in range(len(pages))]
    found = page_signals("".join(pages), starts, reference)
    assert len(found) == len(pages)
    for page in found:
        lost = page.pop("lost_words")
        assert lost is None or 0 <= lost <= len(reference)
        assert all(value is None or 0 <= value <= 1 + 1e-9 for value in page.values())
