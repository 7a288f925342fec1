"""Headings in the text of a legal act, and which of them are the act's own.

Amending acts quote headings of other acts; those are told apart by the numbering: the articles of an act follow one
another.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from extractors.headings import (
    MAX_HEADING,
    annex_anchor,
    article_anchor,
    article_number,
    division_anchor,
    is_shouted,
)


class Heading(NamedTuple):
    """A heading that may begin a part."""

    start: int
    kind: str
    anchor: str
    text: str | None
    sure: bool = True
    """Whether it stands alone; else the text goes on in its line."""


_LINE = re.compile(r"[^\n]+")
_GERMAN = re.compile(r"(?:Unterabsatz|Absatz|Abs|Buchstabe|Nummer|Satz|Ziffer|EG|EWG|AEUV)\b")
"""What follows the number of an article where it is cited; other languages write it small."""


def headings(text: str) -> list[Heading]:
    """Lines that begin like the heading of an article, of an annex or of a part, title, chapter or section."""
    found = []
    for line in _LINE.finditer(text):
        start, said = line.start(), line[0]
        article = article_anchor(said)
        if article and article[1]:
            found.append(Heading(start, "article", article[0], said))
        elif article and _goes_on(said[:MAX_HEADING]):
            found.append(Heading(start, "article", article[0], None, sure=False))
        elif not article and len(said) <= MAX_HEADING:
            annex = annex_anchor(said)
            division = division_anchor(said) if not annex else None
            if annex and (is_shouted(said) or (annex[1] and annex[0] != "anx_1")):
                found.append(Heading(start, "annex", annex[0], said))
            elif division and (is_shouted(said) or division[1]):
                found.append(Heading(start, "section", division[0], said))
    return found


def _goes_on(line: str) -> bool:
    """Whether a heading's line goes on with the title or the text of the article, and does not cite it."""
    rest = line.split(" ", 2)[2:]
    if not rest or article_anchor(rest[0]):
        return False
    return rest[0].startswith("1. ") or (rest[0][0].isupper() and not _GERMAN.match(rest[0]))


def own(candidates: list[Heading]) -> list[Heading]:
    """The headings that are the act's own, in order, not those of articles that it quotes or cites.

    Articles count up from 1, where there is a first one. A later `Article 1` begins an act annexed to the first, and
    anchors in the second act end in `~2`. A gap is a gap only where the missing number does not come later, and a
    heading with text in its line is one only where its number is the next and has no line of its own. Anchors of an
    annex's articles begin with the annex's.
    """
    places = _Places(candidates)
    kept: list[Heading] = []
    last: tuple[int, str] | None = None
    annex, act = "", 1
    annexes: dict[str, int] = {}
    for at, heading in enumerate(candidates):
        number = article_number(heading.anchor)
        if heading.kind == "annex":
            following = candidates[at + 1] if at + 1 < len(candidates) else heading
            number = article_number(following.anchor)
            if not (last and number and number[0] == last[0] + 1):
                annexes[heading.anchor] = count = annexes.get(heading.anchor, 0) + 1
                name = heading.anchor + (f"~{count}" if count > 1 else "")
                annex, last, act = f"{name}.", None, 1
                kept.append(heading._replace(anchor=name))
        elif _is_own(heading, number, last, places):
            act += number == (1, "") and last is not None
            kept.append(heading._replace(anchor=annex + heading.anchor + (f"~{act}" if act > 1 else "")))
            last = number or last
    return kept


class _Places:
    """Where headings of articles with a number of their own stand."""

    def __init__(self, candidates: list[Heading]) -> None:
        self._edges = [heading.start for heading in candidates if heading.kind == "annex"]
        self._starts: dict[tuple[int, bool], list[int]] = {}
        for heading in candidates:
            number = article_number(heading.anchor)
            if number:
                self._starts.setdefault((number[0], heading.sure), []).append(heading.start)

    def later(self, number: int, start: int, *, sure: bool) -> bool:
        """Whether an article of that number stands after `start`, before the next annex."""
        starts = self._starts.get((number, sure), [])
        at, edge = bisect_right(starts, start), bisect_right(self._edges, start)
        return at < len(starts) and (edge == len(self._edges) or starts[at] < self._edges[edge])


def _is_own(heading: Heading, number: tuple[int, str] | None, last: tuple[int, str] | None, places: _Places) -> bool:
    if number is None:
        return heading.sure
    following = number[0] == (last[0] if last else 0) + 1
    if not heading.sure:
        return following and not number[1] and not places.later(number[0], heading.start, sure=True)
    if number == (1, "") or following or (last and number[0] == last[0] and number[1] > last[1]):
        return True
    missing = last[0] + 1 if last else 1
    return number > (last or (0, "")) and not any(
        places.later(missing, heading.start, sure=sure) for sure in (True, False)
    )
