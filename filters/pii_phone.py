"""Phone numbers in a text: with the country's code, after a word such as Tel., or in a form that little else has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters.pii_shapes import Found

NAMED, COUNTRY, FORM, LOOSE = 0.9, 0.85, 0.65, 0.4
"""Scores: after a word for phone; `+` and a country's code; a form that is a phone number's; other `00` and `+`."""
_COUNTRY = re.compile(
    r"1|7|2(?:0|7|1[12368]|[2346]\d|5\d|9[01789])|3(?:[0123469]|5\d|7\d|8[0-35-79])|4(?:[01345678-9]|2[013])|"
    r"5(?:[1-8]|0\d|9\d)|6(?:[0-6]|7[02-9]|8[0-35-9]|9[0-2])|8(?:[1246]|0[08]|5[02356]|7\d|8[068])|"
    r"9(?:[0-58]|6[0-8]|7[0-79]|9[2-68])"
)
_WORDS = (
    "tel|tél|tlf|tlph|telephone|téléphone|telefon|telefón|teléfono|telefono|telefone|telefoon|telefonas|telefonu|"
    "tālrunis|tālr|telefax|telefaks|téléfax|télécopie|télécopieur|faks|fax|phone|mobile|mobil|mobiel|móvil|telemóvel|"
    "cellulare|cell ?phone|komórka|handy|gsm|portable|hotline|whatsapp|viber|sms|puh|puhelin|puhelinnumero|"
    "fón|fon|ph|τηλ|τηλέφωνο|φαξ|κιν|тел|телефон|факс|мобилен|ring|dial|call|contact|reach|appelez|anrufen|rufnummer|"
    "llame|chiamare|chiama|bel|szám|číslo|telefonszám|mob"
)
# A mask such as <PHONE> is no name of the number after it.
_NAMED = re.compile(
    rf"(?:(?:^|[^\w<])(?:(?:{_WORDS})(?:[.:]|\b)|(?:[tf]|cell):)|[☎📞✆℡]|电话|電話|전화|传真)"
    r"(?:[^\w]{0,4}(?:number|numéro|numero|número|nummer|no|nr|num|n|is|are|at|on|us|me|him|her|them|office|home|work|ext|"
    r"direct|line|int|internat|mobile|mob|fax|tel|or|and|ou|et|und|of|was|au|le|il|al|für|under|unter)\b[.:°º]?){0,4}"
    r"[^\w]{0,6}\Z"
)
_AFTER = re.compile(
    r"[ ]?[-–][ ]?(?:office|fax|mobile|home|work|tel|cell)\b|[ ](?:office|fax|mobile|home|work|tel)[ ]*(?:\n|\)|\Z)"
)
CHAIN = re.compile(r"[\s,;；、/|()–-]{0,4}(?:or|and|ou|et|und|o|y|e|oder|lub|fax|tel)?[\s.,;:/|()–-]{0,4}\Z")
"""What stands between two phone numbers of a list."""
_SHAPE = re.compile(
    r"0[1-9](?P<s>[ .\u00a0-])[0-9]{2}(?:(?P=s)[0-9]{2}){3}"  # France
    r"|(?:\([2-9][0-9]{2}\)[ ]?|[2-9][0-9]{2}[-.])[2-9][0-9]{2}[-.][0-9]{4}"  # North America
    r"|\(0[0-9]{1,5}\)[ ]?[0-9]{2,8}(?:[ -][0-9]{2,5}){0,3}"  # trunk code
    r"|0(?:[1-9][0-9]{2} [0-9]{3} [0-9]{4}|[1-9][0-9]{3} [0-9]{6}|2[0-9] [0-9]{4} [0-9]{4}|7[0-9]{3} [0-9]{3} [0-9]{3})"
)
_NOT = re.compile(
    r"[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{2}|[0-9]{4})"
    r"|(?:1[4-9]|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}"
    r"|(?:1[4-9]|20)[0-9]{2} ?[-–/] ?(?:1[4-9]|20)[0-9]{2}"
    r"|(?:1[4-9]|20)[0-9]{2}[/.][0-9]{1,4}(?:/[0-9]{1,4})?|[0-9]{1,4}/(?:1[4-9]|20)[0-9]{2}"
    r"|.*\(?(?:1[4-9]|20)[0-9]{2}\).*|[0-9]{1,3}(?:\.[0-9]{3}){1,4}|[0-9]\.[0-9]+|10\.[0-9]{4}.*|[0-9]{3,4}[xX]?-[0-9]{3}[0-9xX]"
)
"""Dates, years, documents, amounts, DOIs and ISSNs."""
_FIRST = re.compile(r"\(?(?:\+[ (]{0,2}|00[ (]{0,2})([0-9]{1,15})")
_AMOUNT = re.compile(r"\(?\+ ?[0-9]{1,3}(?:[ .\u00a0][0-9]{3}){1,2}")
_YEARS = re.compile(r"(?:1[89]|20)[0-9]{2} ?[-–/] ?[0-9]{2}(?:[0-9]{2})?\Z")
_EXTENSION = re.compile(r",?\s?(?ai:x|ext\.?|extension|poste|dw|durchwahl|anexo|int\.)\s?[0-9]{1,5}(?![0-9A-Za-z])")
_LIMITS = 6, 15
"""Digits of a number; E.164 has 15 at most."""


def phones(text: str, start: int, end: int, chained: bool) -> Iterator[Found]:
    """The phone numbers of the digits and separators `text[start:end]`.

    Args:
        chained: whether a phone number with its word stands just before.
    """
    opened = start - 1 if start and text[start - 1] == "(" and ")" in text[start:end] else start
    plus = text[max(0, opened - 1) : opened] == "+" or text[max(0, opened - 2) : opened] == "+ "
    if text[opened - 2 : opened] == "+(":
        opened, plus = opened - 1, True
    if opened and not plus and not chained and text[opened - 1 : opened] in tuple("=_#%&@$€£\\~^*/"):
        return
    before = text[max(0, opened - 40) : opened].lower()
    if plus:
        opened = text.rindex("+", 0, opened)
        before = text[max(0, opened - 40) : opened].lower()
        if opened and text[opened - 1] == "(":
            opened -= 1 if ")" in text[start:end] else 0
    elif before[-1:].isalnum() or (before[-1:] in ".,-:" and before[-2:-1].isdigit()):
        return
    named = chained or bool(_NAMED.search(before) or _AFTER.match(text[end : end + 12].lower()))
    for first, last in _parts(text, opened, end) if named or plus else [(opened, end)]:
        score = _score(text, first, last, plus and first == opened, named)
        if score:
            ext = _EXTENSION.match(text, last)
            yield Found(first, ext.end() if ext else last, "phone", score)


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the numbers of a list such as `12 34 56 78 / 12 34 56 79` are."""
    piece = text[start:end]
    cuts = [match.span() for match in re.finditer(r" ?/ ?", piece)]
    sides = [sum(map(str.isdigit, side)) for side in re.split(r" ?/ ?", piece)]
    if cuts and min(sides) >= _LIMITS[0]:
        edges = [0, *(place for cut in cuts for place in cut), len(piece)]
        yield from ((start + edges[at], start + edges[at + 1]) for at in range(0, len(edges), 2))
    else:
        yield start, end


def _score(text: str, start: int, end: int, plus: bool, named: bool) -> float:
    piece = text[start:end]
    digits = "".join(filter(str.isdigit, piece))
    if not _LIMITS[0] <= len(digits) <= _LIMITS[1] or len(set(digits)) == 1:
        return 0.0
    follower = text[end : end + 2]
    if "" < follower[:1] < "\u2e80" and follower[0].isalpha() and not _EXTENSION.match(text, end):
        return 0.0
    if plus or digits.startswith("00"):
        return _abroad(piece, digits.removeprefix("" if plus else "00"), plus, named)
    if _NOT.fullmatch(piece):
        return 0.0
    if named:
        return NAMED
    if follower[:1] in tuple("/=_%") or (follower[:1] in tuple(",-.:") and follower[1:].isdigit()):
        return 0.0
    return FORM if _SHAPE.fullmatch(piece) else 0.0


def _abroad(piece: str, digits: str, plus: bool, named: bool) -> float:
    country = _COUNTRY.match(digits)
    first = _FIRST.match(piece)
    if not country or len(digits) < 8 or not first or len(first[1]) < len(country[0]):
        return 0.0
    # Numbers of North America and of Russia and Kazakhstan all have eleven digits.
    wrong = (country[0] in ("1", "7") and len(digits) != 11) or (country[0] == "1" and digits[1] in "01")
    if wrong or _YEARS.search(piece):
        return 0.0
    if named:
        return 0.95
    spread = len(first[1]) < len(digits)
    if plus:
        return LOOSE if _AMOUNT.fullmatch(piece) or (not spread and len(digits) < 10) else COUNTRY
    return FORM if spread and len(digits) >= 9 and "." not in piece else LOOSE


def is_phone(piece: str) -> bool:
    """Whether `piece` has as many digits as a phone number, and little else."""
    number = re.split(r"(?ai:x|ext|poste|dw|durch|anexo|int)", piece, maxsplit=1)[0]
    digits = len(re.findall("[0-9]", number))
    return _LIMITS[0] <= digits <= _LIMITS[1] and len(piece) < 64
