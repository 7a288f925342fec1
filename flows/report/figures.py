"""Small drawings of the report, as SVG without scripts or styles of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from catalog.fidelity import BINS
from flows.report.compare import Page

MARKS = (0.5, 0.9, 0.99, 0.999)
_WIDTH, _HEIGHT, _BASE = 180, 40, 28
_PAGES_WIDTH, _PAGES_HEIGHT, _MAX_BARS = 600, 44, 200


def position(value: float) -> float:
    """Where a share stands on the scale of the drawings, 0 to 1: each nine after .9 takes as much room."""
    return min(1.0, -math.log10(1.001 - max(0.0, min(1.0, value))) / 3)


def histogram(measured: Sequence[int], predicted: Sequence[int], limit: float | None, what: str) -> str:
    """Documents by value: measured ones full, predicted ones light; a red line where the alarm is. Of none, nothing."""
    if not measured and not predicted:
        return ""
    counts = [measured or [0] * BINS, predicted or [0] * BINS]
    most = max(1, *(a + b for a, b in zip(*counts, strict=True)))
    step = _WIDTH / BINS
    drawn = []
    for mark in MARKS:
        x = position(mark) * _WIDTH
        drawn.append(f'<line class="grid" x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{_BASE}"/>')
        drawn.append(f'<text x="{x:.1f}" y="{_HEIGHT - 2}">{f"{mark:g}"[1:]}</text>')
    for index, (full, light) in enumerate(zip(*counts, strict=True)):
        base = float(_BASE)
        for kind, count in (("full", full), ("light", light)):
            if count:
                # A single document must be seen beside thousands.
                tall = max(2.0, (_BASE - 2) * math.sqrt(count / most))
                base -= tall
                drawn.append(
                    f'<rect class="{kind}" x="{index * step + 0.5:.1f}" y="{max(0.0, base):.1f}" '
                    f'width="{step - 1:.1f}" height="{tall:.1f}"/>'
                )
    drawn.append(f'<line class="axis" x1="0" y1="{_BASE}" x2="{_WIDTH}" y2="{_BASE}"/>')
    if limit is not None:
        x = position(limit) * _WIDTH
        drawn.append(f'<line class="limit" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{_BASE}"/>')
    total = f"{what}: {sum(counts[0]):,} measured, {sum(counts[1]):,} predicted"
    return _svg("histogram", _WIDTH, _HEIGHT, total, drawn)


def page_strip(pages: Sequence[Page], kinds: Sequence[str], shown: Sequence[int]) -> str:
    """A bar a page (or some pages), as high as there are marked words on it, by kind; dots under pages shown below."""
    width = max(1, math.ceil(len(pages) / _MAX_BARS))
    groups = [pages[start : start + width] for start in range(0, len(pages), width)]
    sums = [{kind: sum(page.counts[kind] for page in group) for kind in kinds} for group in groups]
    most = max(1, *(sum(found.values()) for found in sums))
    step = min(24.0, _PAGES_WIDTH / len(groups))
    base = _PAGES_HEIGHT - 8.0
    drawn = []
    for index, (group, found) in enumerate(zip(groups, sums, strict=True)):
        y = base
        x, broad = index * step, max(0.8, step - 1)
        label = f"page {group[0].number}" if len(group) == 1 else f"pages {group[0].number} to {group[-1].number}"
        bars = [f"<title>{label}: {', '.join(f'{n:,} {kind}' for kind, n in found.items() if n) or 'nothing'}</title>"]
        bars.append(f'<rect class="bare" x="{x:.1f}" y="0" width="{broad:.1f}" height="{base:g}"/>')
        for kind, count in found.items():
            if count:
                tall = (base - 2) * count / most
                y -= tall
                bars.append(
                    f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{broad:.1f}" height="{max(0.7, tall):.1f}"/>'
                )
        if any(page.number in shown for page in group):
            bars.append(f'<circle cx="{x + broad / 2:.1f}" cy="{base + 5:g}" r="2"/>')
        drawn.append(f"<g>{''.join(bars)}</g>")
    drawn.append(f'<line class="axis" x1="0" y1="{base:g}" x2="{len(groups) * step:.1f}" y2="{base:g}"/>')
    return _svg("strip", len(groups) * step, _PAGES_HEIGHT, "marked words, page by page", drawn)


def _svg(kind: str, width: float, height: float, label: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{label}">{"".join(drawn)}</svg>'
    )
