from __future__ import annotations

import csv
import io

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flows import delimited

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1))
def test_csv_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    names = ["a", "b"]
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(names)})
    text = b"".join(delimited.lines(table)).decode()
    assert [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))] == [("a", "b"), *rows]


def test_csv_of_bytes_that_are_no_text() -> None:
    assert b"".join(delimited.lines(pa.table({"a": [b"\xff"]}))).startswith(b"a\n")
