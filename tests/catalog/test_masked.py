from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.masked import FULL, PERSONAL, Span, facts, is_cut, masked
from filters import pii


def mask(text: str, spans: list[Span]) -> str:
    return f"<{min(spans, key=lambda span: span['start'])['kind']}>"


def span(start: int, end: int, kind: str = "email") -> Span:
    return {"start": start, "end": end, "kind": kind, "score": 1.0}


def row(text: str, pii: list[Span], secrets: list[Span] | None = None, **columns: Any) -> dict[str, Any]:
    return {"id": "1", "text": text, "pii": pii, "secrets": secrets, **columns}


def test_only_the_kinds_that_were_asked_for() -> None:
    given_row = row("a@b.c 1.1.1.1 KEY1", [span(0, 5), span(6, 13, "ip")], [span(14, 18, "aws")])
    found, counts = masked(given_row, mask, ["email"])
    assert (found["text"], counts) == ("<email> 1.1.1.1 KEY1", {"email": 1})
    assert [found["text"][s["start"] : s["end"]] for s in found["pii"] + found["secrets"]] == ["1.1.1.1", "KEY1"]
    assert masked(given_row, mask, ["pii"])[0]["text"] == "<email> <ip> KEY1"
    assert masked(given_row, mask, ["secrets", "ip"])[0]["text"] == "a@b.c <ip> <aws>"
    assert masked(given_row, mask, ["phone"]) == (given_row, {})


def test_a_kind_before_the_colon_stands_for_all_of_them() -> None:
    found, _ = masked(row("12 34", [span(0, 2, "national_id:fr"), span(3, 5, "iban")]), mask, ["national_id"])
    assert found["text"] == "<national_id:fr> 34"


def test_what_the_text_holds_is_masked_in_the_other_columns() -> None:
    meta = json.dumps({"abstract": {"fr": "é a@b.c"}, "keywords": ["x", "a@b.c"], "pages": 3})
    found, _ = masked(
        row("a@b.c", [span(0, 5)], title="To a@b.c", authors=["A", "a@b.c"], meta=meta, url=None, path="a@b.c"),
        mask, ["pii"],
    )  # fmt: skip
    assert (found["title"], found["authors"], found["url"]) == ("To <email>", ["A", "<email>"], None)
    assert json.loads(found["meta"]) == {"abstract": {"fr": "é <email>"}, "keywords": ["x", "<email>"], "pages": 3}
    assert found["path"] == "a@b.c", "where a document comes from stays"


def test_overlapping_spans_are_one_and_take_the_others_with_them() -> None:
    found, counts = masked(row("abcdefgh", [span(1, 4, "x"), span(3, 6, "y"), span(5, 7, "z")]), mask, ["x", "y"])
    assert (found["text"], found["pii"], counts) == ("a<x>gh", [], {"x": 1, "y": 1})


def test_what_the_mask_leaves_is_left() -> None:
    given_row = row("abc", [span(0, 1)])
    assert masked(given_row, lambda text, _: text, ["pii"]) == (given_row, {})


def test_a_column_too_long_to_look_through_is_dropped() -> None:
    spans = [span(10 * n, 10 * n + 5) for n in range(3_000)]
    text = "".join(f"{n:05d} abc " for n in range(3_000))
    found, counts = masked(row(text, spans, title="00001 " * 2_000, meta='"00001"'), mask, ["pii"])
    assert found["title"] is None
    assert (found["meta"], counts["email"]) == ('"<email>"', 3_000)


_BOUNDS = st.tuples(st.integers(-3, 40), st.integers(-3, 40), st.sampled_from("ab"))


@given(st.text(max_size=30), st.lists(_BOUNDS, max_size=8))
def test_any_spans_leave_what_is_outside_of_them(text: str, bounds: list[tuple[int, int, str]]) -> None:
    spans = [span(start, end, kind) for start, end, kind in bounds]
    found, _ = masked(row(text, spans), lambda *_: "\0", ["a"])
    hidden = {n for s in spans if s["kind"] == "a" for n in range(max(0, s["start"]), min(len(text), s["end"]))}
    outside = "".join(c for n, c in enumerate(text) if n not in hidden)
    assert found["text"].replace("\0", "") == outside.replace("\0", "")
    before = {text[s["start"] : s["end"]] for s in spans if 0 <= s["start"] < s["end"] <= len(text)}
    for s in found["pii"]:
        if 0 <= s["start"] < s["end"] <= len(found["text"]):
            assert found["text"][s["start"] : s["end"]] in before or s["kind"] == "a"


@pytest.mark.parametrize(
    "form", ["a.b@mail.org", "A.B@Mail.org", "a.b%40mail.org", "a%2eb%40mail.org", "%61.b@mail.org"]
)
def test_other_forms_of_a_value_are_masked(form: str) -> None:
    given_row = row("a.b@mail.org", [span(0, 12)], title=form, url=f"https://x/?q={form}&p=1%20", meta=None)
    found, _ = masked(given_row, mask, ["pii"])
    assert (found["title"], found["url"]) == ("<email>", "https://x/?q=<email>&p=1%20")


def test_a_value_with_spaces_and_accents_in_an_address() -> None:
    found, _ = masked(row("01 23 é\\1", [span(0, 9)], url="x?01+23%20%c3%a9%5c1#01"), lambda *_: r"<\1>", ["pii"])
    assert found["url"] == r"x?<\1>#01"


def test_keys_of_meta_are_masked() -> None:
    found, _ = masked(row("a@b.c", [span(0, 5)], meta=json.dumps({"by A@b.c": {"a%40b.c": 1}})), mask, ["pii"])
    assert json.loads(found["meta"]) == {"by <email>": {"<email>": 1}}


@pytest.mark.parametrize("kinds", [["pii"], ["email"], ["national_id"], ["phone", "secrets"]])
def test_behind_a_full_list_the_text_is_cut(kinds: list[str]) -> None:
    text = "a\n" * FULL + "\nb@c.d\nend"
    given_row = row(text, [span(2 * n, 2 * n + 1) for n in range(FULL)], [span(2 * FULL + 1, 2 * FULL + 6, "aws")],
                    segment_languages=["en"] * (FULL + 2))  # fmt: skip
    found, _ = masked(given_row, lambda *_: "*", kinds)
    assert is_cut(given_row, kinds) and found["text"].count("\n") == FULL - 1
    assert (found["secrets"], len(found["segment_languages"])) == ([], FULL)
    assert not is_cut(given_row, ["secrets"]) and masked(given_row, mask, ["secrets"])[0]["text"].endswith("<aws>\nend")


def test_the_cap_and_the_kinds_are_those_of_the_filters() -> None:
    from flows.exporting import Maskable

    assert FULL == pii.MOST and set(get_args(Maskable)) == {"pii", "secrets", *PERSONAL}


def test_facts() -> None:
    assert facts('{"a": "x\\ud800", "b": "\\ud83d\\ude00"}') == {"a": "x\ufffd", "b": "😀"}
    assert facts('["\ud800", NaN]') == ["\ufffd", None]
    assert [facts(text) for text in (None, "", "{", "[" * 100_000, "9" * 5_000)] == [None] * 5 or facts("9" * 5_000)


@pytest.mark.parametrize("meta", ["{", "[" * 600 + "]" * 600, "[" * 100_000])
def test_meta_that_cannot_be_read_or_written_is_dropped(meta: str) -> None:
    assert masked(row("a@b.c", [span(0, 5)], meta=meta), mask, ["pii"])[0]["meta"] is None


def test_meta_with_a_lone_surrogate_is_masked() -> None:
    found, _ = masked(row("a@b.c", [span(0, 5)], meta='{"a": "a@b.c \\ud800"}'), mask, ["pii"])
    assert json.loads(found["meta"]) == {"a": "<email> \ufffd"}


@given(st.text(), st.text(min_size=1, max_size=8))
def test_any_other_column_is_masked(before: str, value: str) -> None:
    found, _ = masked(row(value, [span(0, len(value))], title=before + value), lambda *_: "\0", ["pii"])
    assert found["title"].endswith("\0") or value == "\0"
