"""Evaluations for the eye: a table for the terminal, a picture, a page of Markdown. All take their manifests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from retrieval.measures import DEFINITIONS, LOWER_IS_BETTER

if TYPE_CHECKING:
    from rich.table import Table

Manifest = dict[str, Any]
"""Keys evaluation, benchmark, system, k, metrics (rows as in the table `evaluations`), counts."""

MAIN = (
    "nDCG@10", "AP", "R@100", "RR@10", "Top@1", "Top@1-any", "Max@R", "Complete@10", "English-inclination",
    "R@2kt", "R@5kt",
)  # fmt: skip
_EXPLAINED = {"Max@R", "English-inclination", "R@2kt", "R@5kt"}
"""Measures whose definition stands below the table: others define them otherwise."""
_WIDTH, _ROW, _GAP, _CHARACTER, _LABEL, _VALUE = 760, 15, 12, 6.7, 44, 150
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f", "#8a5fbf")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; } .page { fill: #fff; } .grid { stroke: #ddd; }
.whisker { stroke: #222; stroke-width: 1.5; } .title { font-weight: 600; font-size: 14px; }
@media (prefers-color-scheme: dark) {
text { fill: #eee; } .page { fill: #1b1b1b; } .grid { stroke: #444; } .whisker { stroke: #eee; } }
"""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Place(NamedTuple):
    """What a number is about."""

    benchmark: str
    task: str
    query_language: str | None
    document_language: str | None

    @property
    def direction(self) -> str:
        if self.query_language is None and self.document_language is None:
            return "all"
        return f"{self.query_language or 'all'} → {self.document_language or 'all'}"


Rows = dict[tuple[str, Place, str], dict[str, Any]]
"""Row of a measure by system, place and name."""


def collected(evaluations: Sequence[Manifest]) -> tuple[list[str], list[Place], Rows]:
    """Systems, places and rows, in their order. A task's languages and directions are places where it has several."""
    names = _names(evaluations)
    found: Rows = {}
    directions: dict[tuple[str, str], dict[Place, None]] = {}
    for name, evaluation in zip(names, evaluations, strict=True):
        for row in evaluation["metrics"]:
            place = Place(evaluation["benchmark"], row["task"], row["query_language"], row["document_language"])
            directions.setdefault(place[:2], {})[place] = None
            found[name, place, row["metric"]] = row
    places = [place for members in directions.values() for place in _shown(list(members))]
    return list(dict.fromkeys(names)), places, found


def _names(evaluations: Sequence[Manifest]) -> list[str]:
    """The systems; with the evaluation's id where a system was evaluated more than once on one benchmark."""
    keys = [(e["system"], e["benchmark"]) for e in evaluations]
    twice = {system for system, benchmark in keys if keys.count((system, benchmark)) > 1}
    return [e["system"] + (f" ({e['evaluation'][:6]})" if e["system"] in twice else "") for e in evaluations]


def _shown(places: list[Place]) -> list[Place]:
    asked = {place.query_language for place in places} - {None}
    searched = {place.document_language for place in places} - {None}
    return [
        place
        for place in sorted(places, key=lambda p: (p.document_language is not None, p.query_language or "", p[3] or ""))
        if (place.query_language is None and place.document_language is None)
        or (place.document_language is None and len(asked) > 1 and len(searched) > 1)
        or (None not in place and (len(asked) > 1 or len(searched) > 1))
    ]


def number(row: dict[str, Any] | None) -> str:
    """`.613 [.542, .684]`; without an interval where none is known."""
    if row is None:
        return ""
    digits = 1 if row["metric"] == "Max@R" else 3
    value, low, high = (None if row[key] is None else _figure(row[key], digits) for key in ("value", "low", "high"))
    return f"{value}" if low is None else f"{value} [{low}, {high}]"


def _figure(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".removeprefix("0" if digits > 1 else "")


def _lines(evaluations: Sequence[Manifest], metrics: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Heading and cells of the table."""
    systems, places, found = collected(evaluations)
    several = len({place.benchmark for place in places}) > 1
    lines = []
    for place in places:
        for metric in metrics:
            rows = [found.get((system, place, metric)) for system in systems]
            known = [row for row in rows if row is not None]
            if known:
                task = f"{place.benchmark} / {place.task}" if several else place.task
                name = f"{metric} ↓" if metric in LOWER_IS_BETTER else metric
                lines.append([task, place.direction, name, str(known[0]["queries"]), *map(number, rows)])
    return ["task", "direction", "measure", "queries", *systems], lines


def table(evaluations: Sequence[Manifest], metrics: Sequence[str] = MAIN) -> Table:
    """A row a task, direction and measure; a column a system: the mean and its 95 % interval."""
    from rich.table import Table
    from rich.text import Text

    heading, lines = _lines(evaluations, metrics)
    notes = [f"{name}: {DEFINITIONS[name]}" for name in metrics if name in _EXPLAINED and _used(lines, name)]
    made = Table(
        caption="\n".join(["mean over queries [95 % interval]; ↓: lower is better", *notes]), caption_justify="left"
    )
    for name in heading:
        made.add_column(Text(name), justify="left" if name in heading[:3] else "right")
    last: list[str] = []
    for line in lines:
        if last and line[:2] != last[:2]:
            made.add_section()
        new = last[:2] != line[:2]
        made.add_row(*(Text(cell if new or column > 1 else "") for column, cell in enumerate(line)))
        last = line
    return made


def _used(lines: list[list[str]], metric: str) -> bool:
    return any(line[2].removesuffix(" ↓") == metric for line in lines)


def markdown(evaluations: Sequence[Manifest], metrics: Sequence[str] | None = None) -> str:
    """The same as a page, with what each measure is and what was counted."""
    used = {row["metric"] for evaluation in evaluations for row in evaluation["metrics"]}
    shown = [name for name in DEFINITIONS if name in used] if metrics is None else list(metrics)
    heading, lines = _lines(evaluations, shown)
    titles = ", ".join(dict.fromkeys(f"`{evaluation['benchmark']}`" for evaluation in evaluations))
    counts = [
        [evaluation["system"], evaluation["benchmark"], task, ", ".join(f"{n:,} {what}" for what, n in counted.items())]
        for evaluation in evaluations for task, counted in evaluation["counts"].items()
    ]  # fmt: skip
    return "\n".join([
        f"# Evaluation on {titles}", "", "![nDCG@10 by task and system](picture.svg)", "",
        "Means over queries and their 95 % intervals, bootstrapped over the works that the queries were made from.", "",
        *_markdown_table(heading, lines), "", "## Measures", "",
        *(f"- **{name}**{' (lower is better)' * (name in LOWER_IS_BETTER)}: {DEFINITIONS[name]}." for name in shown),
        "", "In a direction, relevant documents in other languages are taken out of the ranking.", "",
        "Documents with equal scores stand by their ids. trec_eval, given the run files, orders them the other way: "
        "where scores are equal its figures may differ a little.", "",
        "## Counts", "", *_markdown_table(["system", "benchmark", "task", "counts"], counts), "",
    ])  # fmt: skip


def _markdown_table(heading: list[str], lines: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> str:
        clean = (re.sub(r"\s+", " ", cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(clean)} |"

    return [line(heading), line(["---"] * len(heading)), *map(line, lines)]


def picture(evaluations: Sequence[Manifest], metric: str = "nDCG@10") -> str:
    """An SVG of a measure by task and system: bars with their intervals, without anything from outside.

    A bar is `<rect class="bar">` with `data-task`, `data-direction`, `data-system` and `data-value`; its scale is on
    the root: `data-left` and `data-span` (pixels) and `data-scale` (the value at the right end).
    """
    systems, places, found = collected(evaluations)
    places = [place for place in places if any((system, place, metric) in found for system in systems)]
    rows = [row for (_, place, name), row in found.items() if name == metric and place in places]
    scale = max([1.0, *(row["high"] or row["value"] for row in rows)])
    labels = [
        _short(" ".join(place[1:2] if place.direction == "all" else (place.task, place.direction))) for place in places
    ]
    left = round(24 + _CHARACTER * max(map(len, labels), default=0))
    span = _WIDTH - left - _VALUE
    top = 40 + 18 * len(systems)
    parts, y = [], top
    for place, label in zip(places, labels, strict=True):
        shown = [(n, s) for n, s in enumerate(systems) if (s, place, metric) in found]
        parts.append(_text(left - 8, y + _ROW * len(shown) / 2 + 4, label, ' text-anchor="end"'))
        for n, system in shown:
            parts.append(
                _bar(place, system, found[system, place, metric], (left, span / scale, y), _COLOURS[n % len(_COLOURS)])
            )
            y += _ROW
        y += _GAP
    grid = [_grid(left + span * share, top - 6, y, _figure(scale * share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    legend = [
        f'<rect x="16" y="{36 + 18 * n}" width="11" height="11" fill="{_COLOURS[n % len(_COLOURS)]}"/>'
        + _text(33, 46 + 18 * n, _short(system, 90)) for n, system in enumerate(systems)
    ]  # fmt: skip
    title = f"{metric} on {', '.join(dict.fromkeys(place.benchmark for place in places))}, with 95 % intervals"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 30}" width="{_WIDTH}" height="{y + 30}" '
        f'role="img" data-left="{left}" data-span="{span}" data-scale="{scale:.9g}">',
        f"<title>{_xml(title)}</title>", f"<style>{_STYLE}</style>", '<rect class="page" width="100%" height="100%"/>',
        _text(16, 22, _short(title, 100), ' class="title"'), *legend, *grid, *parts, "</svg>", "",
    ])  # fmt: skip


def _bar(place: Place, system: str, row: dict[str, Any], at: tuple[float, float, float], colour: str) -> str:
    left, unit, y = at
    value, low, high = row["value"], row["low"], row["high"]
    middle = y + _ROW / 2 - 1
    bar = (
        f'<rect class="bar" x="{left}" y="{y}" width="{value * unit:.2f}" height="{_ROW - 2}" fill="{colour}" '
        f'data-task="{_xml(place.task)}" data-direction="{_xml(place.direction)}" data-system="{_xml(system)}" '
        f'data-value="{value:.9g}"><title>{_xml(f"{system}, {place.task}: {number(row)}")}</title></rect>'
    )
    end = value
    if low is not None:
        a, b, end = left + low * unit, left + high * unit, max(value, high)
        line = f"M{a:.2f} {middle}H{b:.2f}M{a:.2f} {middle - 3}v6M{b:.2f} {middle - 3}v6"
        bar += f'<path class="whisker" fill="none" d="{line}"/>'
    return bar + _text(left + end * unit + 6, middle + 4, number(row))


def _grid(x: float, top: float, bottom: float, label: str) -> str:
    line = f'<path class="grid" d="M{x:.2f} {top}V{bottom}"/>'
    return line + _text(x, bottom + 16, label, ' text-anchor="middle"')


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}"{more}>{_xml(text)}</text>'


def _short(text: str, most: int = _LABEL) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def files(evaluations: Sequence[Manifest]) -> dict[str, str]:
    """The report's files by name: `report.md` and `picture.svg`."""
    return {"report.md": markdown(evaluations), "picture.svg": picture(evaluations)}
