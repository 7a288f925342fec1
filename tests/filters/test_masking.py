import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.masking import mask, placeholder


def span(start, end, kind="email", score=0.9):
    return {"start": start, "end": end, "kind": kind, "score": score}


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], "abcdefgh"),
        ([span(6, 8), span(0, 2)], "<EMAIL>cdef<EMAIL>"),
        ([span(2, 5, "national_id:fr")], "ab<NATIONAL_ID_FR>fgh"),
        ([span(2, 5, score=0.4)], "abcdefgh"),
        ([span(0, 4), span(3, 6, "phone")], "<EMAIL>gh"),
        ([span(0, 6), span(2, 4, "phone")], "<EMAIL>gh"),
        ([span(6, 99), span(3, 3), span(-4, 1)], "<EMAIL>bcdef<EMAIL>"),
        ([span(50, 60)], "abcdefgh"),
    ],
)
def test_mask(spans, expected):
    assert mask("abcdefgh", spans) == expected


def test_least_and_kinds():
    spans = [span(0, 1, score=0.3), span(2, 3, "national_id:fr"), span(4, 5, "phone")]
    assert mask("abcde", spans, least=0.2) == "<EMAIL>b<NATIONAL_ID_FR>d<PHONE>"
    assert mask("abcde", spans, kinds={"national_id"}) == "ab<NATIONAL_ID_FR>de"
    assert mask("abcde", spans, kinds={"national_id:de", "phone"}) == "abcd<PHONE>"
    assert mask("abcde", spans, kinds=set()) == "abcde"


def test_lone_surrogates_and_wide_letters_keep_their_places():
    assert mask("\ud800😀a@b.org\udfff", [span(2, 9)]) == "\ud800😀<EMAIL>\udfff"


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=6))
def test_other_text_stays(text, places):
    spans = [span(*sorted(place)) for place in places]
    covered = {at for one in spans for at in range(one["start"], one["end"])}
    masked = mask(text.replace("<", "("), spans).replace(placeholder("email"), "")
    assert masked == "".join(letter for at, letter in enumerate(text.replace("<", "(")) if at not in covered)
