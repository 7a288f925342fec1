"""Sentences of a text as spans: by the marks of any script, and by what legal and scholarly texts abbreviate."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

_FULL, _ENDING, _WIDE = ".．", "!?…؟۔।॥።፧፨‼⁇⁈⁉\u037e", "。！？｡។។"
_MARK = re.compile(rf"[{_FULL}{_ENDING};{_WIDE}\n]")
"""What every match of `_END` begins with."""
_GREEK = "\u0370"
"""No Greek letter comes before it."""
_CLOSE = r"""["'”’)\]›]|[ \u00a0\u202f]?+»"""
_NOTE = r"""(?<=[\p{L}"'”’)\]»][.．])(?P<note>\p{N}{1,3})(?![\p{L}\p{N}])"""
# All alternatives match wherever their first character stands, so no text makes the search go back.
_END = regex.compile(
    rf"""(?P<full>[{_FULL}])++(?:[!?…]++)?+(?:{_NOTE}|{_CLOSE})*+"""
    rf"""|(?P<mark>[{_ENDING}]|;(?<=\p{{Greek}};))++(?:{_CLOSE})*+"""
    rf"""|(?P<wide>[{_WIDE}።])++[」』）］】〉》”’"')\]]*+"""
    r"""|(?P<line>\n)\s*+"""
)
_NEXT = regex.compile(r"""\s*+[«“‘„"'(\[¿¡–—-]*+\s?+(?P<first>\S?)""")
_BEFORE = regex.compile(r"[\p{L}\p{M}\p{N}'’.ºª°]++$")
_REACH = 24
"""Characters before a full stop that are looked at: more than any abbreviation has."""
_LONG = 7
"""Letters that no abbreviation and no number of an item has."""
_QUIET = regex.compile(rf"\p{{L}}[^{_FULL}{_ENDING};{_WIDE}\n]{{{2 * _REACH}}}")
_BACK = (256, 1_024)
"""Characters before a limit in which the last end of a sentence is looked for, before it is from the start on."""
_ROMAN = "ivxlcIVXLC"
_NUMBERING = regex.compile(rf"(?:\p{{N}}{{1,3}}|[{_ROMAN}]{{1,6}}|\p{{L}})(?:\.\p{{N}}{{1,3}}){{0,4}}")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATIONS = _names(
    # before a capital as well as before a number
    """
    mr mrs ms dr prof st ste mm mme mmes mlle mgr hon rev gen col sgt capt sig sra srta sr
    cf cfr vgl viz vs ca approx resp bzw vol vols éd éds ed eds hrsg dir trad transl übers coord
    op loc cit ibid al sq sqq ff ch chap jr univ dept inc ltd co corp mj např napr npr inż bl.a t.ex
    """
)
_BEFORE_NUMBERS = _names(
    # words of their own in some language, so only before a number
    """
    no nos nº n° núm num nr nn pp pág págs pag para paras par pt pts fig figs tab tabl sec sect art arts abs abl
    ziff lit rn rdnr bd bde kap stk afd odst čl č ust pkt poz str lk úřv věst jo oj go gu ao αρ αριθ παρ чл ал бр
    """
)
_ORDINALS = _names("bs cs da de et fi fo hr hu is lv mk nb nn no pl sk sl sr")
"""Languages that write ordinals with a full stop (`3. Kammer`, `12. května`)."""


def sentences(text: str, language: str | None = None) -> list[tuple[int, int]]:
    """Spans of the sentences of `text` in order, without the white space around them; together they hold all the rest.

    A line ends a sentence unless it breaks off in mid-phrase and the next goes on in lower case. A full stop ends one
    unless a lower-case letter follows, or the word before is an initial, an abbreviation or the number of an item.
    Scripts without final marks (Thai, Lao) have a sentence a line. Time is linear in the length.

    Args:
        language: BCP 47; matters only where ordinals have a full stop.
    """
    return list(each(text, language))


def each(text: str, language: str | None = None) -> Iterator[tuple[int, int]]:
    """`sentences`, one at a time: the first costs nothing of the rest."""
    start = 0
    for end in ends(text, language):
        yield from _span(text, start, end)
        start = end
    yield from _span(text, start, len(text))


def ends(text: str, language: str | None = None, start: int = 0, limit: int | None = None) -> Iterator[int]:
    """Where sentences end, in order; that which the text's end cuts off does not end.

    Args:
        start: where a sentence begins.
        limit: look only at marks before it.
    """
    ordinals = language is not None and language.lower().partition("-")[0] in _ORDINALS
    passed = start
    for found in _MARK.finditer(text, start, len(text) if limit is None else limit):
        at = found.start()
        if at < passed:
            continue
        mark, following, end = found[0], text[at + 1 : at + 3], at + 1
        before, after = text[at - 1 : at], following[:1]
        if (mark == "." and _inside(before, after)) or (mark == ";" and before < _GREEK):
            continue
        if mark == "." and after in " \n" and following[1:].isalnum():  # as most are
            ended = not following[1].islower() and not _goes_on(text, at, start, following[1].isnumeric(), ordinals)
        elif mark == "\n" and (after.isalnum() or "!" <= after <= "~"):
            ended = _line_ends(text, at, end)
        else:
            match = _END.match(text, at)
            if match is None:
                continue
            end = match.end()
            if match["line"]:
                ended = _line_ends(text, at, end)
            else:
                ended = match["wide"] is not None or _ends(text, match, start, ordinals)
        passed = end
        if ended:
            yield end
            start = end


def _inside(before: str, after: str) -> bool:
    """Whether a full stop stands within a word or a number."""
    return after.isalpha() or (after.isdecimal() and before.isdecimal())


def last_end(text: str, start: int, limit: int, language: str | None = None) -> int | None:
    """The last of `ends(text, language, start)` that is not after the limit, without a look at those long before it.

    What ends a sentence hangs on the sentence's start only where that is near. So the search can begin after a letter
    that no marks follow for long: no end is so near before what comes then.
    """
    for back in _BACK:
        quiet = _QUIET.search(text, limit - back, limit) if limit - back > start else None
        found = _last(ends(text, language, quiet.start() + 1, limit), limit) if quiet else None
        if found is not None:
            return found
    return _last(ends(text, language, start, limit), limit)


def _last(places: Iterator[int], limit: int) -> int | None:
    last = None
    for place in places:
        if place > limit:
            break
        last = place
    return last


def _span(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    piece = text[start:end].rstrip()
    length = len(piece)
    return ((start + length - len(piece.lstrip()), start + length),) if length else ()


def _line_ends(text: str, at: int, following: int) -> bool:
    """Whether the line that ends `at` ends a sentence: not if it breaks off and what follows is in lower case."""
    if not text[following : following + 1].islower():
        return True
    before = text[max(at - 8, 0) : at].rstrip()[-1:]
    return not (before.isalnum() or before in ",-)–’'")


def _ends(text: str, match: regex.Match[str], start: int, ordinals: bool) -> bool:
    after = match.end()
    if after < len(text) and not text[after].isspace():
        return False
    first = _NEXT.match(text, after, after + 40)["first"]  # type: ignore[index]
    if first.islower():
        return False
    if match["mark"] or match.end("full") - match.start() > 1:
        return True  # not one full stop alone
    return not _goes_on(text, match.start(), start, first.isnumeric() or match["note"] is not None, ordinals)


def _goes_on(text: str, at: int, start: int, before_number: bool, ordinals: bool) -> bool:
    """Whether the full stop there is that of an abbreviation or a number."""
    if at - _LONG >= start and text[at - _LONG : at].isalpha():
        return False
    low = max(at - _REACH, start)
    before = text[low:at].rstrip(" \u00a0")  # old acts print `p . 5`
    word = before.rpartition(" ")[2]
    if not word.isalpha():
        found = _BEFORE.search(before)
        if found is None:
            return False
        word = found[0].rstrip(".")
    return _abbreviated(word, before_number, ordinals, start, low + len(before), text)


def _abbreviated(word: str, before_number: bool, ordinals: bool, start: int, stop: int, text: str) -> bool:
    if not word.isalpha() or not word.strip(_ROMAN) or word.isnumeric():
        if _NUMBERING.fullmatch(word) and not text[max(start, stop - _REACH) : stop - len(word)].strip():
            return True  # `1. Member States shall`: the number of an item, not a sentence
        if word.isnumeric():
            return len(word) < 3 and (ordinals or before_number)
    word = word.rpartition("’")[2].rpartition("'")[2]
    pieces = word.split(".")
    if len(pieces[-1]) == 1 or (len(pieces) > 1 and max(map(len, pieces)) < 3):
        return True  # an initial, `p.`, `e.g.`, `z.B.`
    folded = word.casefold()
    return folded in _ABBREVIATIONS or (before_number and folded in _BEFORE_NUMBERS)
