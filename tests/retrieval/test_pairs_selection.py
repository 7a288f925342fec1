from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_texts import table, texts

from retrieval.pairs import selection


def test_draws_are_those_of_splitmix64():
    # the generator's published first outputs for the seed 1234567
    drawn = selection.draws(np.array([1234567], np.uint64), np.arange(3))
    assert drawn.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_numbers_below_a_limit_are_even():
    drawn = selection.draws(np.full(60_000, 5, np.uint64), np.arange(60_000))
    counts = np.bincount(selection.below(drawn, 6))
    assert counts.sum() == 60_000 and len(counts) == 6
    assert np.abs(counts - 10_000).max() < 400
    assert 0.49 < selection.unit(drawn).mean() < 0.51


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=8))
def test_pieces_hold_the_texts(found):
    pieces = list(selection.pieces(table(found), 1, Counter()))
    whole = b"".join(piece.data.tobytes() for piece in pieces)
    assert whole.decode() == "".join(found)
    for piece in pieces:
        before = piece.characters(piece.bounds)
        kept = piece.documents["text"].to_pylist()
        assert np.diff(before).tolist() == [len(text) for text in kept]


def test_pieces_are_bounded_but_for_one_document():
    found = ["x" * 600_000, "y" * 600_000, "z" * 3_000_000, "é" * 10]
    sizes = [len(piece.data) for piece in selection.pieces(table(found), 1, Counter())]
    assert sizes == [600_000, 600_000, 3_000_000, 20]


def test_a_slice_of_a_table_gives_the_same_as_the_rows_alone():
    documents = table(["one", "two é", "three", "four"])
    (piece,) = selection.pieces(documents.slice(1, 2), 1, Counter())
    assert piece.data.tobytes().decode() == "two éthree"
    assert piece.bounds.tolist() == [0, 6, 11]


def test_documents_without_text_or_language_are_counted():
    counter = Counter()
    documents = table(["a", None, "", "b", "c", "d"], ["en", "en", "en", None, "und", ""])
    (piece,) = selection.pieces(documents, 1, counter)
    assert piece.documents["id"].to_pylist() == ["d0"]
    assert counter == {"no text": 2, "no language": 3}


def test_large_strings_are_read_too():
    documents = table(["one", "two"])
    wide = documents.set_column(1, "text", documents["text"].cast(pa.large_string()))
    (piece,) = selection.pieces(wide, 1, Counter())
    assert piece.data.tobytes() == b"onetwo"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({}, {"en": 500, "fr": 500, "el": 500}),
        ({"coefficient": 1.0}, {"en": 40_000, "fr": 2_000, "el": 500}),
        ({"coefficient": 0.5}, {"en": 4_472, "fr": 1_000, "el": 500}),
        ({"budget": 1_000}, {"en": 1_000, "fr": 1_000, "el": 500}),
        ({"budget": {"en": 7_000}}, {"en": 7_000, "fr": 2_000, "el": 500}),
    ],
)
def test_rates_take_what_is_wanted(arguments, wanted):
    sizes = {"en": 40_000, "fr": 2_000, "el": 500}
    languages = [name for name, size in sizes.items() for _ in range(size)]
    drawn = selection.draws(selection.digests(pa.chunked_array([[str(n) for n in range(len(languages))]]), 3), 1)
    available = {}
    half = len(languages) // 2
    selection.tally(available, drawn[:half], languages[:half])
    selection.tally(available, drawn[half:], languages[half:])
    kept = selection.taken(drawn, languages, selection.rates(available, **arguments))
    counts = Counter(language for language, keep in zip(languages, kept, strict=True) if keep)
    assert counts == pytest.approx(wanted, rel=0.005)


def test_there_are_no_rates_of_nothing():
    assert selection.rates({}) == {}
    assert selection.rates({"en": np.zeros(selection.BINS, np.int64)}) == {}
