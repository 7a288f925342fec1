"""The date that a page shows beside its main text, where it declares none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import import_module

from extractors.html_tree import INLINE, Node

_LABEL = 120
"""Characters of the lines that give a date; longer ones tell of others."""
_BEFORE, _AFTER = 60, 25
"""Nodes before and after the start of the main text among which the date stands."""
_EARLIEST = 1993
_DAY, _YEAR = r"(?P<{}>0?[1-9]|[12]\d|3[01])", r"(?P<{}>(?:19|20)\d\d)"
_MONTH = r"(?P<{}>0?[1-9]|1[0-2])"
_NUMBERS = re.compile(
    rf"(?<!\d)(?:{_YEAR.format('y1')}\s?[-/.年]\s?{_MONTH.format('m1')}\s?[-/.月]\s?{_DAY.format('d1')}"
    rf"|{_DAY.format('d2')}(?P<by>[./-]){_MONTH.format('m2')}(?P=by){_YEAR.format('y2')})(?!\d)"
)
_WORDS = re.compile(
    rf"(?<!\d)(?:{_DAY.format('d1')}(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+)?(?P<n1>[^\W\d_]{{3,15}})\.?,?\s+(?:de\s+)?"
    rf"{_YEAR.format('y1')}|(?P<n2>[^\W\d_]{{3,15}})\.?\s+{_DAY.format('d2')}(?:st|nd|rd|th)?,?\s+{_YEAR.format('y2')})"
    r"(?!\d)"
)
_COMMON = (
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it", "lt", "lv", "nb", "nl", "pl", "pt",
    "ro", "ru", "sk", "sl", "sv", "tr", "uk",
)  # fmt: skip
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip


def near(nodes: list[Node], at: int, language: str | None, latest: str) -> str | None:
    """ISO date of the first line with a date around the page's heading; none after `latest`.

    The heading is the one next to place `at`, where the main text starts, or that place itself. Lines are looked at
    from there on first, then backwards. `language` gives the names of months; those of common
    languages are known always. Dates that may be read two ways are none.
    """
    start = max(0, at - _BEFORE)
    at = next((node.at for node in nodes[start:] if node.tag == "h1" and node.text), at)
    for node in [*nodes[at : at + _AFTER], *reversed(nodes[start:at])]:
        if node.tag in INLINE:
            continue
        for line in _lines(node):
            if found := _date(line, language):
                return found if str(_EARLIEST) <= found <= latest else None
    return None


def _lines(node: Node) -> Iterator[str]:
    text = "".join(kid if type(kid) is str else _inline(kid) for kid in node.kids)
    for line in text.split("\n"):
        if 6 <= len(line) <= _LABEL and any(map(str.isdigit, line)):
            yield line


def _inline(kid: Node | str) -> str:
    if isinstance(kid, str):
        return kid
    if kid.tag not in INLINE:
        return "\n"
    return "".join(piece for piece in kid.kids if isinstance(piece, str))


def _date(line: str, language: str | None) -> str | None:
    if match := _NUMBERS.search(line):
        year, month, day = (match[f"{part}1"] or match[f"{part}2"] for part in "ymd")
        if match["by"] == "/" and language in (None, "en") and int(day) <= 12 and day != month:
            return None
        return _iso(int(year), int(month), int(day))
    if match := _WORDS.search(line):
        name = (match["n1"] or match["n2"]).lower()
        month_number = (_months(language) if language else {}).get(name) or _common_months().get(name)
        if month_number:
            return _iso(int(match["y1"] or match["y2"]), month_number, int(match["d1"] or match["d2"]))
    return None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


@cache
def _common_months() -> dict[str, int]:
    """The names of months that mean the same month in all of the commoner languages that have them."""
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for language in _COMMON:
        for name, number in _months(language).items():
            numbers[name].add(number)
    return {name: found.pop() for name, found in numbers.items() if len(found) == 1}


@cache
def _months(language: str) -> dict[str, int]:
    """{name of a month in lower case: its number}, from the data of dateparser; empty for a language it lacks."""
    try:
        data = import_module(f"dateparser.data.date_translation_data.{language}").info
    except (ImportError, AttributeError):
        return {}
    return {name.lower().rstrip("."): number for number, month in enumerate(_MONTHS, 1) for name in data.get(month, ())}
