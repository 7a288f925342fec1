"""A page's text as HTML: printed lines, and in them what is lost, added, out of place or suspicious."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from html import escape

from flows.report.compare import Mark, Page
from flows.report.faults import WORDS

MAX_SHOWN = 12_000
"""Characters of a page that are shown."""
MAX_LINES = 1_000
_MISSING = 400
"""Characters of a missing passage that are shown."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SEVERITY = ("lost", "moved", "spaced", "added", "unreadable", "letters", "split", "glued", "hyphen", "edge")
"""Kinds by how much they say about a line; the first that a line has colours its box."""


def safe(text: object) -> str:
    """Text for HTML: nothing in it is markup, control characters are shown as U+FFFD, and no mark turns the line."""
    return escape(_CONTROL.sub("\ufffd", _BIDI.sub("", str(text))))


def page_text(text: str, page: Page) -> str:
    """The page's text in paragraphs; line `n` carries `data-l="n"`, as its box on the picture does."""
    end = min(page.end, page.start + MAX_SHOWN)
    body = "".join(_paragraphs(text, page, end))
    more = f'<p class="note">… {page.end - end:,} more characters of this page</p>' if end < page.end else ""
    return body + more if body.strip() else '<p class="note">There is no text of this page.</p>'


def _paragraphs(text: str, page: Page, end: int) -> Iterator[str]:
    pending = _Marks(page.marks)
    starts = [line["start"] for line in page.lines[:MAX_LINES]]
    at, line = page.start, -1
    while at < end:
        stop = text.find("\n", at, end)
        stop = end if stop < 0 else stop
        shown: list[str] = []
        while at < stop or not shown:
            while line + 1 < len(starts) and starts[line + 1] <= at:
                line += 1
            line_end = min(stop, starts[line + 1]) if line + 1 < len(starts) else stop
            inner = "".join(pending.between(text, at, line_end))
            shown.append(f'<span data-l="{line}">{inner}</span>' if line >= 0 else inner)
            at = line_end
        yield f'<p dir="auto">{"".join(shown)}</p>\n'
        at = stop + 1
    if end == page.end and (rest := "".join(pending.between(text, end, end, last=True))):
        yield f"<p>{rest}</p>"


class _Marks:
    """Hands out the marks of a page in order, cut where a line ends."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self.marks, self.next = marks, 0

    def between(self, text: str, start: int, end: int, last: bool = False) -> Iterator[str]:
        """The text from start to end as HTML, with the marks that begin or go on in it; all that are left if `last`."""
        at = start
        while self.next < len(self.marks) and (self.marks[self.next].place < end or last):
            mark = self.marks[self.next]
            yield safe(text[at : max(at, mark.start)])
            at = max(at, mark.start)
            yield _marked(mark, text[at : min(mark.end, end)], first=mark.start >= start)
            at = max(at, min(mark.end, end))
            if mark.end > end:
                return
            self.next += 1
        yield safe(text[at:end])


def _marked(mark: Mark, shown: str, first: bool) -> str:
    if mark.start == mark.end:
        missing = mark.reference
        if len(missing) > _MISSING:
            missing = f"{missing[: _MISSING // 2]} … {missing[-_MISSING // 2 :]}"
        if mark.kind == "elsewhere":
            return f'<del class="elsewhere" title="{_title(mark)}: {safe(missing)}">{mark.size:,} elsewhere</del>'
        many = f" <b>({mark.size:,} words)</b>" if len(mark.reference) > _MISSING else ""
        return f'<del class="{mark.kind}" title="{_title(mark)}">{safe(" ".join(missing.split()))}{many}</del>'
    begun = " first" if first else ""
    said = _title(mark)
    if mark.kind == "unreadable":
        said += f": {', '.join(f'U+{ord(sign):04X}' for sign in dict.fromkeys(shown[:_MISSING]))}"
    return f'<mark class="{mark.kind}{begun}" title="{said}">{safe(shown)}</mark>' if shown else ""


def _title(mark: Mark) -> str:
    words = f"{mark.size:,} word{'s' * (mark.size != 1)}"
    match mark.kind:
        case "lost":
            return f"{words} of the reference that the text has not"
        case "added":
            return f"{words} that the reference has not"
        case "moved":
            return f"{words} that the reference has at another place"
        case "elsewhere":
            return f"the reference has {words} here which stand elsewhere in the text"
        case "spaced":
            return f"in the reference: {safe(mark.reference[:_MISSING])}"
    return WORDS[mark.kind].format(1, s="")


def boxes(page: Page, width: float, height: float) -> str:
    """Boxes of the printed lines over a picture of the page, coloured by what is marked in them."""
    kinds = line_kinds(page)
    shown = []
    for index, line in enumerate(page.lines[:MAX_LINES]):
        if line["page"] != page.number:
            continue
        x, y = line["left"], height - line["top"]
        size = f'width="{max(1, line["right"] - x)}" height="{max(1, line["top"] - line["bottom"])}"'
        kind = ""
        if index in kinds:
            name, share = kinds[index]
            kind = f' class="{name}" fill-opacity="{0.1 + 0.25 * share:.2f}"'
        shown.append(f'<rect data-l="{index}"{kind} x="{x}" y="{y:g}" {size}/>')
    if not shown:
        return ""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" aria-hidden="true">{"".join(shown)}</svg>'
    )


def line_kinds(page: Page) -> dict[int, tuple[str, float]]:
    """The gravest kind of each line that has a mark, by its index, and roughly how much of it is marked, 0 to 1."""
    found: dict[int, tuple[str, float]] = {}
    starts = [line["start"] for line in page.lines[:MAX_LINES]]
    ends = [*starts[1:], page.end]
    for mark in page.marks:
        if mark.kind in _SEVERITY:
            first, last = bisect_right(starts, mark.place) - 1, bisect_left(starts, max(mark.end, mark.place + 1))
            for index in range(max(0, first), last):
                long = min(mark.end, ends[index]) - max(mark.start, starts[index]) or len(mark.reference)
                kind, share = found.get(index, (mark.kind, 0.0))
                share = min(1.0, share + max(1, long) / max(1, ends[index] - starts[index]))
                found[index] = min(kind, mark.kind, key=_SEVERITY.index), share
    return found
