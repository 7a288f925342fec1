from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters import repeats
from filters.repeats import lines, repeated

NOTICE = "This site uses cookies; go on or leave it."
FORMULA = "HAS ADOPTED THIS REGULATION:"


def marked(texts: dict[str, tuple[str, str]], at_least: int) -> dict[str, tuple[list[tuple[str, int]], float]]:
    """{id: (marked lines with their documents, share)} of texts {id: (source, text)}; equal texts are copies."""
    found = [(id, *line) for id, (_, text) in texts.items() for line in lines(text)]
    columns = list(zip(*found, strict=True)) or [()] * 4
    with duckdb.connect() as connection:
        connection.register("d", pa.table({
            "id": pa.array(list(texts), pa.string()), "source": pa.array([s for s, _ in texts.values()], pa.string()),
            "chars": pa.array([len(t) for _, t in texts.values()], pa.int64()),
            "text_digest": pa.array([t for _, t in texts.values()], pa.string()),
        }))  # fmt: skip
        connection.register("l", pa.table({
            "id": pa.array(columns[0], pa.string()), "start": pa.array(columns[1], pa.int32()),
            "end": pa.array(columns[2], pa.int32()), "key": pa.array(columns[3], pa.uint64()),
        }))  # fmt: skip
        made = connection.sql(f"SELECT id, spans, repeated_share FROM {repeated(connection, 'd', 'l', at_least)}")
        rows: list[Any] = made.fetchall()
    assert len({id for id, *_ in rows}) == len(rows)
    return {
        id: ([(texts[id][1][span["start"] : span["end"]], span["documents"]) for span in spans], share)
        for id, spans, share in rows
    }


def test_lines_that_many_texts_of_a_source_have() -> None:
    texts = {f"{n}": ("web", f"{NOTICE}\nStory number {n} of this morning's paper\n{NOTICE}") for n in range(3)}
    texts["x"] = ("web", "Nothing that any other page has to say")
    found = marked(texts, 3)
    assert set(found) == {"0", "1", "2"}
    spans, share = found["0"]
    assert spans == [(NOTICE, 3), (NOTICE, 3)]
    assert share == pytest.approx(2 * len(NOTICE) / len(texts["0"][1]))
    assert marked(texts, 4) == {}


def test_copies_of_one_text_are_one_document_and_are_marked_all() -> None:
    article = f"{NOTICE}\nAn article that three sites have copied as it is"
    texts = {"a": ("web", article), "b": ("web", article), "c": ("web", article), "d": ("web", f"{NOTICE}\nother")}
    found = marked(texts, 2)
    assert {id: spans for id, (spans, _) in found.items()} == {id: [(NOTICE, 2)] for id in "abcd"}
    assert marked(texts, 3) == {}


@pytest.mark.parametrize("other", ["acts", None])
def test_a_line_is_counted_in_each_source_by_itself(other: str | None) -> None:
    texts = {"a": ("web", f"{NOTICE} \n1"), "b": ("web", f"{NOTICE}\n2"), "c": (other, f"{NOTICE}\n3")}
    assert set(marked(texts, 2)) == {"a", "b"}  # type: ignore[arg-type]
    assert marked(texts, 3) == {}  # type: ignore[arg-type]


def test_a_legal_formula_is_a_small_part_of_its_act() -> None:
    texts = {f"{n}": ("acts", f"{FORMULA}\n" + f"Article {n} shall apply from the day of its publication. " * 20)
             for n in range(10)}  # fmt: skip
    found = marked(texts, 10)
    assert all(spans == [(FORMULA, 10)] and share < 0.03 for spans, share in found.values())
    assert len(found) == 10


def test_no_documents_and_no_lines() -> None:
    assert marked({}, 2) == {}
    assert marked({"a": ("web", ""), "b": ("web", "short\nlines")}, 2) == {}


def test_lines_are_compared_without_case_and_space() -> None:
    [first, second, third] = lines(
        "\tA line of  Straße, long enough \r\na line of strasse,\u00a0LONG enough\nA line of StraBe, long enough"
    )
    assert first[2] == second[2] != third[2]
    assert first[:2] == (1, 31)


def test_short_lines_and_lines_of_space_do_not_count() -> None:
    assert lines("x" * 19 + "\n" + " " * 30 + "\n  " + "x" * 19 + "  \n") == []
    assert [line[:2] for line in lines("\n" + "x" * 20)] == [(1, 21)]


def test_the_first_lines_of_a_text_without_end() -> None:
    text = "".join(f"line {n:020d}\n" for n in range(repeats.MOST + 10))
    found = lines(text)
    assert len(found) == repeats.MOST
    assert found[-1][:2] == (26 * (repeats.MOST - 1), 26 * repeats.MOST - 1)


@given(st.text(st.sampled_from("aB\n\r \t\u00a0\u200b\u2028\u202e\ud800ßé\u0301\x1c"), max_size=200))
@example("a" * 100_000)
@example("\n" * 100_000)
def test_spans_are_lines_of_the_text(text: str) -> None:
    last = 0
    for start, end, key in lines(text):
        line = text[start:end]
        assert last <= start and end - start >= repeats.SHORTEST
        assert line == line.strip() and "\n" not in line
        if len(spaced := " ".join(line.split())) >= repeats.SHORTEST:
            assert lines(spaced) == [(0, len(spaced), key)]
        last = end


def test_a_million_equal_lines() -> None:
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute("""
            CREATE VIEW d AS SELECT printf('%07d', i) AS id, 'web' AS source, 80 AS chars, i::TEXT AS text_digest
            FROM range(1_000_000) r(i);
            CREATE VIEW l AS SELECT id, 0::INT AS start, 20::INT AS "end", 7::UBIGINT AS key FROM d;
        """)
        made = repeated(connection, "d", "l")
        found = connection.sql(f"SELECT count(*), min(spans), max(spans), max(repeated_share) FROM {made}").fetchall()
    span = [{"start": 0, "end": 20, "documents": 1_000_000}]
    assert found == [(1_000_000, span, span, 0.25)]
