from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.suspicions import spots


def seen(text: str, starts: list[int] | None = None) -> list[tuple[str, str]]:
    return [(spot.kind, text[spot.start : spot.end]) for spot in spots(text, starts or [])]


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("an (cid:31)(cid:7) here", "unreadable", "(cid:31)(cid:7)"),
        ("of\ufffd\ufffdice", "unreadable", "\ufffd\ufffd"),
        ("a \uf0b7 bullet", "unreadable", "\uf0b7"),
        ("dÃ©cision", "unreadable", "Ã©"),
        ("the C H A P T E R begins", "letters", "C H A P T E R"),
        ("a re- cognised word", "hyphen", "- "),
        ("a re-\ncognised word", "hyphen", "-\n"),
        ("x " + "abcde" * 9 + " y", "glued", "abcde" * 9),
    ],
)
def test_what_looks_wrong(text: str, kind: str, found: str) -> None:
    assert seen(text) == [(kind, found)]


@pytest.mark.parametrize(
    "text",
    [
        "A good sentence, with a well-known compound - and a dash.",
        "Die Ein- und Ausfuhr von Waren.",
        "pre- and postwar years",
        "https://example.org/" + "abcde" * 9,
        "面" * 60,
        "Plan A and plan B",
        "",
    ],
)
def test_what_does_not(text: str) -> None:
    assert seen(text) == []


def test_a_word_in_two_that_is_whole_elsewhere() -> None:
    text = "The committee met. Another committee did not. The commit tee was split, and did not commit."
    assert seen(text) == [("split", "commit tee")]
    assert seen("The commit tee was split. It did not commit a tee.") == []


def test_edges_that_pages_share() -> None:
    pages = [f"Annual report 201{n}\nText of page {'abc'[n]} itself.\nfoot {n}\n" for n in range(3)]
    starts = [0, len(pages[0]), len(pages[0]) + len(pages[1])]
    found = seen("".join(pages), starts)
    assert [text for kind, text in found if kind == "edge"] == [
        "Annual report 2010", "foot 0", "Annual report 2011", "foot 1", "Annual report 2012", "foot 2"
    ]  # fmt: skip
    assert seen("".join(pages[:2]), starts[:2]) == []


@given(st.text(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_spots_are_in_order_apart_and_inside(text: str, starts: list[int]) -> None:
    found = spots(text, sorted(min(start, len(text)) for start in starts))
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start
    assert all(0 <= spot.start < spot.end <= len(text) for spot in found)


def test_long_runs_take_no_quadratic_time() -> None:
    text = "a " * 200_000 + "-" * 200_000 + "b" * 200_000 + "- \n" * 100_000
    assert spots(text)
