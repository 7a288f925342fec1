"""The report says what the numbers say: cells, bars and whiskers are checked against them."""

from __future__ import annotations

import io
import itertools
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from retrieval.evaluation_report import collected, files, markdown, picture, table
from retrieval.measures import DEFINITIONS

Row = dict[str, Any]
SVG = "{http://www.w3.org/2000/svg}"


def row(value: float, task: str = "en-fr", metric: str = "nDCG@10", **changed: Any) -> Row:
    return {
        "task": task, "query_language": None, "document_language": None, "metric": metric, "value": value,
        "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.05), "queries": 12, **changed,
    }  # fmt: skip


def evaluation(system: str, *rows: Row, benchmark: str = "articles", id: str = "0123456789") -> Row:
    return {
        "evaluation": id, "benchmark": benchmark, "system": system, "k": 1000, "metrics": list(rows),
        "counts": {"en-fr": {"queries": 12, "without hits": 1}},
    }  # fmt: skip


def directions(value: float) -> list[Row]:
    return [
        row(value, "pool"),
        row(value, "pool", query_language="en"), row(value, "pool", query_language="fr"),
        row(value, "pool", query_language="en", document_language="fr"),
        row(value / 2, "pool", query_language="fr", document_language="en"),
    ]  # fmt: skip


BOTH = [
    evaluation("bm25", row(0.25), row(0.5, "mono"), row(22.67, metric="Max@R", low=2, high=57)),
    evaluation("dense:a & b", row(0.75), *directions(0.6), row(0.4, "mono", low=None, high=None)),
]


def shown(evaluations: list[Row], **options: Any) -> list[list[str]]:
    """Cells of the table as a terminal shows it."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table(evaluations, **options))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [[cell.strip() for cell in re.split("[┃│]", line)[1:-1]] for line in lines if line[:1] in "┃│"]


def test_systems_side_by_side() -> None:
    heading, *lines = shown(BOTH)
    assert heading == ["task", "direction", "measure", "queries", "bm25", "dense:a & b"]
    assert lines == [
        ["en-fr", "all", "nDCG@10", "12", ".250 [.150, .300]", ".750 [.650, .800]"],
        ["", "", "Max@R ↓", "12", "22.7 [2.0, 57.0]", ""],
        ["mono", "all", "nDCG@10", "12", ".500 [.400, .550]", ".400"],
        ["pool", "all", "nDCG@10", "12", "", ".600 [.500, .650]"],
        ["pool", "en → all", "nDCG@10", "12", "", ".600 [.500, .650]"],
        ["pool", "fr → all", "nDCG@10", "12", "", ".600 [.500, .650]"],
        ["pool", "en → fr", "nDCG@10", "12", "", ".600 [.500, .650]"],
        ["pool", "fr → en", "nDCG@10", "12", "", ".300 [.200, .350]"],
    ]
    assert [line[2] for line in shown(BOTH, metrics=["Max@R"])[1:]] == ["Max@R ↓"]


def test_a_measure_of_our_own_is_explained_below() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(table([evaluation("bm25", row(0.5), row(0.1, metric="English-inclination"))]))
    said = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]
    assert f"English-inclination: {DEFINITIONS['English-inclination']}" in said
    assert "Max@R:" not in said


def test_one_direction_is_not_said_twice() -> None:
    one = evaluation(
        "bm25", row(0.5), row(0.5, query_language="en"), row(0.5, query_language="en", document_language="fr")
    )
    assert len(collected([one])[1]) == 1


def test_a_system_that_was_evaluated_twice() -> None:
    twice = [evaluation("bm25", row(0.5), id="aaaaaaaa"), evaluation("bm25", row(0.25), id="bbbbbbbb")]
    assert shown(twice)[0][-2:] == ["bm25 (aaaaaa)", "bm25 (bbbbbb)"]
    apart = [evaluation("bm25", row(0.5)), evaluation("bm25", row(0.25), benchmark="acts")]
    heading, *lines = shown(apart)
    assert heading[-1] == "bm25"
    assert [(line[0], line[-1]) for line in lines] == [
        ("articles / en-fr", ".500 [.400, .550]"), ("acts / en-fr", ".250 [.150, .300]"),
    ]  # fmt: skip


def bars(svg: str) -> tuple[ElementTree.Element, list[ElementTree.Element]]:
    root = ElementTree.fromstring(svg)
    return root, [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "bar"]


def test_bars_are_as_long_as_the_numbers() -> None:
    root, found = bars(picture(BOTH))
    left, span, scale = (float(root.get(f"data-{name}") or 0) for name in ("left", "span", "scale"))
    assert scale == 1
    wanted = {
        ("en-fr", "all", "bm25"): 0.25,
        ("en-fr", "all", "dense:a & b"): 0.75,
        ("pool", "fr → en", "dense:a & b"): 0.3,
    }
    seen = {(b.get("data-task"), b.get("data-direction"), b.get("data-system")): b for b in found}
    assert len(seen) == len(found) == 9
    for key, value in wanted.items():
        assert float(seen[key].get("x") or 0) == left
        assert float(seen[key].get("width") or 0) == pytest.approx(value * span, abs=0.01)
        assert float(seen[key].get("data-value") or 0) == pytest.approx(value)


def test_whiskers_are_the_intervals() -> None:
    root, found = bars(picture(BOTH))
    left, span = float(root.get("data-left") or 0), float(root.get("data-span") or 0)
    whiskers = [path.get("d") or "" for path in root.iter(f"{SVG}path") if path.get("class") == "whisker"]
    assert len(whiskers) == len(found) - 1, "one bar has no interval"
    low, _, high = (float(number) for number in re.findall(r"[\d.]+", whiskers[0])[:3])
    assert (low, high) == pytest.approx((left + 0.15 * span, left + 0.3 * span), abs=0.01)


def test_nothing_overlaps_or_leaves_the_picture() -> None:
    root, found = bars(picture(BOTH))
    _, _, width, height = (float(n) for n in (root.get("viewBox") or "").split())
    tops = [float(b.get("y") or 0) for b in found]
    assert all(b - a >= float(found[0].get("height") or 0) for a, b in itertools.pairwise(tops))
    assert tops[-1] < height - 20
    assert float(root.get("data-left") or 0) + float(root.get("data-span") or 0) < width - 100


def test_a_measure_that_is_no_share_has_a_scale_of_its_own() -> None:
    root, found = bars(picture(BOTH, "Max@R"))
    assert root.get("data-scale") == "57"
    assert float(found[0].get("width") or 0) == pytest.approx(float(root.get("data-span") or 0) * 22.67 / 57, abs=0.01)


def test_the_picture_needs_nothing_from_outside() -> None:
    svg = picture(BOTH)
    assert not re.search(r"href|url\(|@import|<script|<image|<foreignObject", svg)
    assert re.findall(r"https?://[^\"\s]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in svg


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, as WCAG 2 has it."""

    def luminance(colour: str) -> float:
        colour = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_readable_in_light_and_dark() -> None:
    many = [evaluation(f"s{n}", row(0.5)) for n in range(8)]
    svg = picture(many)
    pages = re.findall(r"\.page { fill: (#\w+)", svg)
    texts = re.findall(r"text {[^}]*fill: (#\w+)", svg)
    assert len(pages) == len(texts) == 2
    fills = {rect.get("fill") or "" for rect in bars(svg)[1]}
    assert len(fills) == 8
    for page, text in zip(pages, texts, strict=True):
        assert contrast(page, text) >= 7
        assert all(contrast(page, fill) >= 2 for fill in fills), page


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(), st.text(), st.floats(0, 1))
def test_any_name_gives_a_whole_report(system: str, benchmark: str, task: str, value: float) -> None:
    made = files([evaluation(system, row(value, task), benchmark=benchmark)])
    assert len(bars(made["picture.svg"])[1]) == 1
    made["report.md"].encode("utf-8", "surrogatepass")


def test_the_page() -> None:
    page = markdown(BOTH)
    assert "| en-fr | all | nDCG@10 | 12 | .250 [.150, .300] | .750 [.650, .800] |" in page
    assert "- **nDCG@10**: gain" in page
    assert "- **Max@R** (lower is better): the rank" in page
    assert "12 queries, 1 without hits" in page
    assert r"a\|b c" in markdown([evaluation("a|b\nc", row(0.5))])


def test_nothing_to_show() -> None:
    empty = evaluation("bm25")
    assert bars(picture([empty]))[1] == []
    assert "articles" in markdown([empty])
    assert shown([empty])[0][-1] == "bm25"
