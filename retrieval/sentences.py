"""Sentences of a text as spans: by the marks of any script, and by what legal and scholarly texts abbreviate."""

from __future__ import annotations

from collections.abc import Iterator

import regex

_CLOSE = r"""["'”’)\]›]|[ \u00a0\u202f]?+»"""
_NOTE = r"""(?<=[\p{L}"'”’)\]»][.．])(?P<note>\p{N}{1,3})(?![\p{L}\p{N}])"""
# All alternatives match wherever their first character stands, so no text makes the search go back.
_END = regex.compile(
    rf"""(?P<full>[.．])++(?:[!?…]++)?+(?:{_NOTE}|{_CLOSE})*+"""
    rf"""|(?P<mark>[!?…؟۔।॥።፧፨‼⁇⁈⁉\u037e]|;(?<=\p{{Greek}};))++(?:{_CLOSE})*+"""
    r"""|(?P<wide>[。！？｡។៕။།])++[」』）］】〉》”’"')\]]*+"""
    r"""|(?P<line>\n)\s*+"""
)
_NEXT = regex.compile(r"""\s*+[«“‘„"'(\[¿¡–—-]*+\s?+(?P<first>\S?)""")
_BEFORE = regex.compile(r"[\p{L}\p{M}\p{N}'’.ºª°]++$")
_REACH = 24
"""Characters before a full stop that are looked at: more than any abbreviation has."""
_NUMBERING = regex.compile(r"(?:\p{N}{1,3}|[ivxlcIVXLC]{1,6}|\p{L})(?:\.\p{N}{1,3}){0,4}")


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
    ordinals = language is not None and language.lower().partition("-")[0] in _ORDINALS
    start = 0
    for match in _END.finditer(text):
        if match["line"]:
            ends = _line_ends(text, match.start(), match.end())
        elif match["wide"]:
            ends = True
        else:
            ends = _ends(text, match, start, ordinals)
        if ends:
            yield from _span(text, start, match.end())
            start = match.end()
    yield from _span(text, start, len(text))


def _span(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    piece = text[start:end].rstrip()
    length = len(piece)
    return ((start + length - len(piece.lstrip()), start + length),) if length else ()


def _line_ends(text: str, at: int, following: int) -> bool:
    """Whether the line that ends `at` ends a sentence: not if it breaks off and what follows is in lower case."""
    before = text[max(at - 8, 0) : at].rstrip()[-1:]
    return not (text[following : following + 1].islower() and (before.isalnum() or before in ",-)–’'"))


def _ends(text: str, match: regex.Match[str], start: int, ordinals: bool) -> bool:
    after = match.end()
    if after < len(text) and not text[after].isspace():
        return False
    first = _NEXT.match(text, after, after + 40)["first"]  # type: ignore[index]
    if first.islower():
        return False
    if match["mark"] or match.end("full") - match.start() > 1:
        return True  # not one full stop alone
    low = max(match.start() - _REACH, start)
    before = text[low : match.start()].rstrip(" \u00a0")  # old acts print `p . 5`
    stop = low + len(before)
    word = _BEFORE.search(before)
    if word is None:
        return True
    return not _abbreviated(
        word[0].rstrip("."), first.isnumeric() or match["note"] is not None, ordinals, start, stop, text
    )


def _abbreviated(word: str, before_number: bool, ordinals: bool, start: int, stop: int, text: str) -> bool:
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
