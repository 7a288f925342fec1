from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import DOCUMENTS, PAGES
from extractors.record import Extract, Record
from flows.rows import MAX_LABEL, MAX_REMOVED, document_row, page_rows

RECORD = Record("s", "a.pdf", payload=b"x", format="pdf")


def pages(extract: Extract, measured: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    return list(page_rows(RECORD, extract, measured))


def stored(rows: list[dict[str, Any]], schema: pa.Schema) -> list[dict[str, Any]]:
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    found: list[dict[str, Any]] = pa.Table.from_pydict(columns, schema=schema).to_pylist()
    return found


def test_places_of_lines_and_parts_of_the_text() -> None:
    lines = [(0, 0, 10, 700, 90, 712), (4, 1, -40_000, 10**9, 5, 6)]
    extract = Extract(text="one two", lines=lines, sections=[(0, "title", None, "One"), (4, "article", "art_1", None)])
    [row] = stored([document_row(RECORD, extract)], DOCUMENTS)
    assert row["line_boxes"][0] == {"start": 0, "page": 1, "left": 10, "bottom": 700, "right": 90, "top": 712}
    assert (row["line_boxes"][1]["left"], row["line_boxes"][1]["bottom"]) == (-32767, 32767)
    assert row["sections"][1] == {"start": 4, "kind": "article", "anchor": "art_1", "heading": None}


def test_a_page_of_which_nothing_is_known_has_its_place() -> None:
    first, second = stored(pages(Extract(text="one two", page_offsets=[0, 4])), PAGES)
    assert (first["page"], first["start"], first["chars"]) == (1, 0, 4)
    assert (second["page"], second["start"], second["chars"], second["engine"]) == (2, 4, 3, None)


def test_what_is_known_of_a_page() -> None:
    facts = {
        "width": 595.2, "height": 842, "engine": "pdfplumber", "reason": "unreadable characters", "columns": 2,
        "removed": ["Head 1", ""], "notes": 3, "needs_ocr": False, "confidence": 0.5,
    }  # fmt: skip
    [row] = stored(pages(Extract(text="one", page_offsets=[0], pages=[facts]), [{"lost_words": 7}]), PAGES)
    assert row["width"] == pytest.approx(595.2)
    assert (row["engine"], row["reason"], row["columns"]) == ("pdfplumber", "unreadable characters", 2)
    assert (row["removed"], row["notes"], row["needs_ocr"], row["ocr_confidence"]) == (["Head 1"], 3, False, 0.5)
    assert (row["lost_words"], row["lcs"]) == (7, None)


def test_labels_are_cut() -> None:
    extract = Extract(text="", page_offsets=[0], pages=[{"removed": ["x" * 9_999] * 999}])
    [row] = pages(extract)
    assert [len(line) for line in row["removed"]] == [MAX_LABEL] * MAX_REMOVED


def test_facts_that_no_json_or_column_can_hold() -> None:
    extract = Extract(text="a\ud800b", title="\udfff", meta={"huge": 10**30, "half": "\ud800"}, markdown="\ud800")
    [row] = stored([document_row(RECORD, extract)], DOCUMENTS)
    assert (row["text"], row["title"], row["markdown"]) == ("a?b", "?", "?")
    assert json.loads(row["meta"])["huge"] == 10**30


ANYTHING = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
FACTS = st.dictionaries(
    st.sampled_from(["width", "height", "engine", "reason", "columns", "notes", "needs_ocr", "confidence"]), ANYTHING
)
PLACE = st.integers() | st.floats()


@given(
    st.lists(FACTS, max_size=3),
    st.lists(st.integers(), max_size=4),
    st.lists(st.tuples(PLACE, PLACE, PLACE, PLACE, PLACE, PLACE), max_size=3),
    st.lists(st.tuples(PLACE, st.text(), st.none() | st.text(), st.none() | st.text()), max_size=3),
)
def test_no_value_keeps_a_shard_from_being_written(
    facts: list[dict[str, Any]], offsets: list[int], lines: list[Any], sections: list[Any]
) -> None:
    extract = Extract(text="text", page_offsets=offsets, pages=facts, lines=lines, sections=sections)
    rows = stored(pages(extract), PAGES)
    assert [row["page"] for row in rows] == list(range(1, len(offsets) + 1))
    assert all(row["width"] is None or math.isfinite(row["width"]) for row in rows)
    if all(abs(offset) < 1 << 31 for offset in offsets):
        assert len(stored([document_row(RECORD, extract)], DOCUMENTS)) == 1
