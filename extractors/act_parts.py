"""The parts of a legal act, found in its text: recitals, articles, annexes and notes, with their anchors.

Headings are known by the markup where a page has any, else by their own lines. Amending acts quote headings of other
acts; those are told apart by the numbering: the articles of an act follow one another.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from extractors.act_headings import Heading, headings, own
from extractors.headings import MAX_HEADING, annex_anchor, article_anchor, begins_recital, division_anchor

Section = tuple[int, str, str | None, str | None]
"""As in `Extract.sections`: start, kind, anchor, heading."""


_LINE = re.compile(r"[^\n]+")
_NUMBERED = re.compile(r"\( ?(\d{1,3}) ?\)\s*(?=[^\W_]|[\"“«„‘'(])")
_NUMBER = re.compile(r"\( ?\d{1,3} ?\)\s*|\d{1,3} ?[.)]\s+")
_NOTE = re.compile(r"\( ?(\d{1,3}|\*{1,3}) ?\)\s*(?=\S)")
MAX_NAME = 1000
"""Characters of a heading that are kept."""
_LEVELS = ("prt", "tis", "ttl", "cpt", "sct")
"""Divisions, the larger ones first."""
_NOTE_LINE = re.compile(rf"(?m)^{_NOTE.pattern}")
_NEAR = 500
"""Characters from the first note on, in which a date is cited."""
_CITED = re.compile(r"\b\d{1,2} ?\. ?\d{1,2} ?\. ?(?:19|20)\d\d\b")
"""A date of the Official Journal, as notes give it."""


Mark = tuple[int, int, str, str | None]
"""What the markup says of a stretch of text: start, end, kind, anchor. Kinds are those of sections with an anchor, and
of headings without: article, document (of the act or an annex), section, more (what a heading goes on with)."""


def of_lines(text: str) -> list[Section]:
    """Parts of an act whose text has no markup but lines."""
    lines = headings(text)
    kept = own([heading for heading in lines if heading.kind != "section"])
    found: list[Section] = [heading[:4] for heading in kept]
    found += [heading[:4] for heading in lines if heading.kind == "section"]
    articles = [heading.start for heading in kept if heading.kind == "article"]
    edges = [heading.start for heading in kept if heading.kind == "annex"]
    found += recitals(text, articles[0] if articles else edges[0] if edges else len(text))
    outside = [start for start in articles if not edges or start < edges[0]]
    found += notes(text, max(outside, default=len(text)), edges)
    return _in_order(text, found, nested=False)


def of_marks(text: str, marks: list[Mark]) -> list[Section]:
    """Parts of an act whose markup tells its headings, or its parts.

    `marks` come sorted by start. Where the act's articles have anchors, headings only give them their names.
    """
    titles = _titles(text, marks)
    anchored = {kind for _, _, kind, anchor in marks if anchor}
    if not titles and not anchored & {"article", "recital", "annex"}:
        return of_lines(text)
    found: list[Section] = [
        (start, kind, _printed(kind, anchor, titles.get(start)), _name(text, start, end, kind, titles))
        for start, end, kind, anchor in marks
        if anchor
    ]
    if "article" not in anchored:
        kept = own(list(_candidates(titles)))
        found += [heading[:4] for heading in kept if heading.kind == "article" or "annex" not in anchored]
        if "recital" not in anchored:
            found += recitals(text, min((heading.start for heading in kept), default=len(text)))
    taken = {section[0] for section in found}
    first = min(taken, default=len(text))
    for start, (kind, said) in titles.items():
        if start not in taken and kind == "section":
            division = division_anchor(said)
            found.append((start, "section", division[0] if division else None, said))
        elif kind == "document" and "title" not in anchored and start < first:
            anchored.add("title")
            found.append((start, "title", "tit_1", said))
        elif kind == "document" and "annex" not in anchored and start not in taken:
            annex = annex_anchor(said)
            found += [(start, "annex", annex[0], said)] if annex else []
    for start, _, kind, anchor in marks:
        # A paragraph without number goes on with the note before it.
        number = _NOTE.match(text, start) if kind == "note" and not anchor else None
        if number:
            found.append((start, kind, f"ntr_{number[1]}", None))
    return _in_order(text, found, nested="section" in anchored)


def _name(text: str, start: int, end: int, kind: str, titles: dict[int, tuple[str, str]]) -> str | None:
    if start in titles:
        return titles[start][1]
    return text[start : min(end, start + MAX_NAME)].replace("\n", " ") if kind == "title" else None


def _printed(kind: str, anchor: str, heading: tuple[str, str] | None) -> str:
    """The anchor of an annex by its heading, where that has a number: identifiers are wrong at times."""
    found = annex_anchor(heading[1]) if kind == "annex" and heading else None
    return found[0] if found and found[0] != "anx_1" else anchor


def _titles(text: str, marks: list[Mark]) -> dict[int, tuple[str, str]]:
    """Headings by start: kind, and what they say, with the lines that they go on with."""
    found: dict[int, tuple[str, str]] = {}
    first = last = -2
    for start, end, kind, anchor in marks:
        if anchor or kind == "note":
            if anchor and kind != "title" and start > first:
                last = -2
            continue
        goes_on = start == last + 1 and (kind == "more" or (kind == "document" == found[first][0]))
        if not goes_on:
            first = start
        found[first] = (
            found[first][0] if goes_on else kind,
            text[first : min(end, first + MAX_NAME)].replace("\n", " "),
        )
        last = end
    return found


def _candidates(titles: dict[int, tuple[str, str]]) -> Iterator[Heading]:
    for start, (kind, said) in titles.items():
        found = article_anchor(said) if kind == "article" else annex_anchor(said) if kind == "document" else None
        if found:
            yield Heading(start, "article" if kind == "article" else "annex", found[0], said)


def _in_order(text: str, found: list[Section], *, nested: bool) -> list[Section]:
    """Sections by start, from the title on, where the text begins with one, each with an anchor of its own.

    Notes and divisions of an annex have its anchor before theirs, a section its chapter's; a second part of one name
    has `~2` after it. `nested` tells that divisions have the whole of their anchors.
    """
    found.sort(key=lambda section: section[0])
    if text and (not found or found[0][0] > 0):
        found.insert(0, (0, "title", "tit_1", text[:MAX_HEADING].partition("\n")[0]))
    seen: dict[str, int] = {}
    sections: list[Section] = []
    annex = ""
    divisions: list[str] = []
    for start, kind, anchor, heading in found:
        if kind == "annex":
            annex, divisions = f"{anchor}.", []
        elif kind == "section" and anchor and not nested:
            above = [level for level in divisions if _LEVELS.index(level[:3]) < _LEVELS.index(anchor[:3])]
            divisions = [*above, anchor]
            anchor = annex + ".".join(divisions)
        if anchor:
            anchor = annex + anchor if kind == "note" else anchor
            seen[anchor] = count = seen.get(anchor, 0) + 1
            anchor = anchor if count == 1 else f"{anchor}~{count}"
        sections.append((start, kind, anchor, heading))
    return sections


def recitals(text: str, end: int) -> Iterator[Section]:
    """Recitals before `end`: the paragraphs that say `Whereas`, else lines numbered from (1) on.

    Languages that say it once, above recitals without numbers, have one in every line that follows, but for the
    enacting words in capitals.
    """
    numbered: list[int] = []
    said: list[int] = []
    after: list[int] = []
    for line in _LINE.finditer(text, 0, end):
        number = _NUMBERED.match(line[0])
        if number and int(number[1]) == len(numbered) + 1:
            numbered.append(line.start())
        mark = _NUMBER.match(line[0])
        if begins_recital(line[0][mark.end() if mark else 0 :][:40]):
            said.append(line.start())
        elif said and not line[0].isupper():
            after.append(line.start())
    worded = len(said) > 1 and len(said) >= len(numbered)
    starts = said if worded else numbered or (after if said else []) or said
    for count, start in enumerate(starts, 1):
        yield start, "recital", f"rct_{count}", None


def notes(text: str, start: int, edges: list[int]) -> Iterator[Section]:
    """Notes after `start`, the last article's: blocks of lines from (1) or (*) on that cite dates, up to an annex.

    `edges` are the starts of the annexes. Notes of all pages are counted in one row, as EUR-Lex does.
    """
    count = last = passed = 0
    word = ""
    for mark in _NOTE_LINE.finditer(text, start):
        edge = bisect_right(edges, mark.start())
        if edge > passed:
            word, passed = "", edge
        number = 0 if "*" in mark[1] else int(mark[1])
        if not word:
            if number > 1 or not _CITED.search(text, mark.end(), mark.end() + _NEAR):
                continue
            word = text[mark.end() : mark.end() + 20].split(maxsplit=1)[0]
        elif number > 1 and number != last + 1:
            continue
        end = text.find("\n", mark.end())
        for place, last in _in_line(text, mark.start(), end if end >= 0 else len(text), number, word):  # noqa: B007
            count += 1
            yield place, "note", f"ntr_{count}", None


def _in_line(text: str, start: int, end: int, number: int, word: str) -> Iterator[tuple[int, int]]:
    """Starts of the notes that share a line, with their numbers: `(1) OJ ... (2) OJ ...`."""
    yield start, number
    for mark in re.compile(rf"\( ?(\d{{1,3}}) ?\)\s*(?={re.escape(word)})").finditer(text, start + 1, end):
        if int(mark[1]) == number + 1:
            number += 1
            yield mark.start(), number
