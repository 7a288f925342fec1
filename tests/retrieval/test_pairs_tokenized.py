from collections import Counter

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pair_texts import ALPHABETS, table, text, texts

from retrieval.pairs.selection import pieces
from retrieval.pairs.tokenized import token_counts, tokens
from retrieval.tokens import words


def spans(found):
    """The spans, in characters, of all documents' tokens, as the arrays have them."""
    (piece,) = pieces(table(found), 1, Counter())
    own = tokens(piece, "words")
    starts = piece.characters(own.starts)
    ends = piece.characters(own.ends(np.arange(len(own.starts))))
    before = piece.characters(piece.bounds)
    assert token_counts(piece, "words").tolist() == np.diff(own.first).tolist()
    return [
        [(int(starts[n] - before[row]), int(ends[n] - before[row])) for n in range(own.first[row], own.first[row + 1])]
        for row in range(len(found))
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(texts.filter(bool), min_size=1, max_size=6))
@example(["ab", "cd", "é", "é.", "..", " ", "\u0301a", "漢", "字"])
@example(["a", ".b", "..", "x"])
@example(["\u20ac5 \u00a0\u2028", "😀😀a", "𝐀𝐁 c"])
def test_tokens_are_those_of_each_document_alone(found):
    assert spans(found) == [words(text) for text in found]


def test_tokens_of_fifteen_languages():
    found = [text(language, 50) for language in ALPHABETS]
    assert spans(found) == [words(text) for text in found]
