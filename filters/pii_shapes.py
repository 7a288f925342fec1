"""National numbers in a text: how each is written, which words stand beside it, and how sure its check makes it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from filters.pii_ids import CHECKS

PROVED, STRONG, FAIR, LOCAL = 0.98, 0.8, 0.3, 0.5
"""Scores: a valid number that its name stands beside; one that chance makes of less than one number in two hundred of
the same, rare shape; any other that is reported without its name; such a one in a text of the country's language."""
BEFORE, AFTER = 60, 25
"""Characters before and after a number in which its name is looked for."""

_WRITTEN = {
    "at": "10|4 6|4-6|4/6",
    "be": "11|2.2.2-3.2|2.2.2-3-2|6-3-2|6-3.2|6 3 2|2.2.2 3.2|2 2 2 3 2",
    "bg": "10",
    "cz": "10|9|6/4|6/3|6 4",
    "de": "11|2 3 3 3",
    "dk": "10|6-4|6 4",
    "ee": "11",
    "el": "11|9",
    "fr": "15|13 2|1 2 2 2 3 3 2|1.2.2.2.3.3.2|1-2-2-2-3-3-2|1 2 2 2 3 3 - 2|1 2 2 2 3 3/2",
    "hr": "11",
    "hu": "9|10|3 3 3|3-3-3",
    "lt": "11",
    "lu": "13|4 4 5|8 5|8-5",
    "lv": "11|6-5",
    "nl": "9|4.2.3|4 2 3|3 3 3|3.3.3",
    "pl": "11",
    "pt": "9|3 3 3",
    "ro": "13",
    "se": "10|12|6-4|6+4|8-4|6 4",
    "si": "13",
    "us": "9|3-2-4|3 2 4",
}
"""Groups of digits by their lengths, with what stands between them."""
_ALONE = {
    **dict.fromkeys(("fr 13 2", "fr 1 2 2 2 3 3 2", "fr 1.2.2.2.3.3.2", "fr 1-2-2-2-3-3-2"), STRONG),
    **dict.fromkeys(("be 2.2.2-3.2", "be 6-3-2", "be 6-3.2", "be 2.2.2-3-2"), STRONG),
    **dict.fromkeys(("lu 13", "ro 13", "si 13", "lv 6-5", "cz 6/4", "se 8-4"), STRONG),
    **dict.fromkeys(("fr 15", "se 6-4", "de 11", "pl 11", "ee 11", "lt 11", "us 3-2-4", "be 2.2.2 3.2", "be 11"), FAIR),
    **dict.fromkeys(("it", "fi", "es nie", "fr"), STRONG),
    **dict.fromkeys(("es", "ie 9"), FAIR),
}
"""Score of a valid number that no name stands beside, by country and shape; others are not reported then."""
_WORDS = {
    "at": "sozialversicherungsn|sv-?nr|sv-?nummer|svnr|versicherungsnummer|vsnr|vnr",
    "be": "rijksregister|registre national|numéro national|nationaal nummer|insz|niss|rrn|nn|nrn",
    "bg": "егн|единен граждански|egn",
    "cy": "α\\.?φ\\.?τ|αριθμός φορολογ|t\\.?i\\.?c",
    "cz": "rodn[éeáa] č[íi]sl|rodné?ho č[íi]sla|rodne cislo|r\\. ?č|rč",
    "de": "steuer-?id|steueridentifikationsn|steuer-identifikationsn|identifikationsnummer|idnr|tin",
    "dk": "cpr|personnummer|personnr",
    "ee": "isikukood|ik",
    "el": "α\\.?φ\\.?μ|α\\.?μ\\.?κ\\.?α|afm|amka",
    "es": "d\\.?n\\.?i|n\\.?i\\.?f|n\\.?i\\.?e|documento nacional",
    "fi": "henkilötunnu|hetu|sotu|henkilönumero|personbeteckning",
    "fr": "sécurité sociale|securite sociale|n\\.?i\\.?r|numéro de sécu|sécu|insee|assuré|immatriculation",
    "hr": "oib|osobni identifikacijski",
    "hu": "taj|adóazonosító|társadalombiztosítási|adóaz",
    "ie": "pps|p\\.p\\.s|ppsn|psp",
    "it": "codice fiscale|cod\\. ?fisc|c\\.f|cf",
    "lt": "asmens kod|a\\. ?k",
    "lu": "matricule|numéro d.identification|identifikatioun|sozialversicherungsn",
    "lv": "personas kod|p\\. ?k",
    "mt": "karta tal-identit|id card|identity card|i\\.d\\. card|i\\.?d\\.? no",
    "nl": "bsn|burgerservicen|sofi|fiscaal nummer",
    "pl": "pesel",
    "pt": "n\\.?i\\.?f|contribuinte|nipc",
    "ro": "c\\.?n\\.?p|cod numeric",
    "se": "personn|samordningsn|pnr|p-nr",
    "si": "emšo|emso|matična",
    "us": "ssn|social security|s\\.s\\.n",
}
_ANY = re.compile(
    r"(?<!\w)(?:national (?:id|identi|insurance|regist)|personal (?:id|identi|code|number)|identity (?:card|n|doc)|"
    r"id (?:n|card)|tax (?:id|n|payer)|taxpayer|tin\b|citizen|social security)"
)
_NAMES = {country: re.compile(rf"(?<!\w)(?:{words})") for country, words in _WORDS.items()}
_SPOKEN = {
    "at": "de", "be": "nl fr de", "bg": "bg", "cy": "el", "cz": "cs", "de": "de", "dk": "da", "ee": "et", "el": "el",
    "es": "es ca gl eu", "fi": "fi sv", "fr": "fr", "hr": "hr bs sr", "hu": "hu", "ie": "ga en", "it": "it",
    "lt": "lt", "lu": "lb fr de", "lv": "lv", "mt": "mt", "nl": "nl", "pl": "pl", "pt": "pt", "ro": "ro", "se": "sv",
    "si": "sl", "us": "en",
}  # fmt: skip
SHAPES: dict[str, list[str]] = defaultdict(list)
"""Shape of a number to the countries that write theirs so."""
for _country, _shapes in _WRITTEN.items():
    for _shape in _shapes.split("|"):
        SHAPES[_shape].append(_country)

_END = r"(?![0-9A-Za-z])"
_TAILED = [
    ("es", re.compile(rf"[0-9]{{8}}[ -]?[A-Z]{_END}")),
    ("es", re.compile(rf"[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}[ -]?[A-Z]{_END}")),
    ("cy", re.compile(rf"[0-9]{{8}}[A-Z]{_END}")),
    ("ie", re.compile(rf"[0-9]{{7}}[A-W][ABHTW]?{_END}")),
    ("mt", re.compile(rf"[0-9]{{3,7}}[MGAPLHBZ]{_END}")),
    ("fi", re.compile(rf"[0-9]{{6}}[-+A-FU-Y][0-9]{{3}}[0-9A-FHJ-NPR-Y]{_END}")),
    ("fr", re.compile(rf"[0-9] ?[0-9]{{2}} ?[0-9]{{2}} ?2[AB] ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}{_END}")),
]
"""Numbers with letters that begin with a digit."""
_HEADED = [
    ("es", 1, re.compile(rf"[XYZ]-?[0-9]{{7}}-?[A-Z]{_END}")),
    ("es", 2, re.compile(rf"[XYZ]-[0-9]{{7}}-?[A-Z]{_END}")),
    ("it", 6, re.compile(rf"(?ai:[A-Z]{{6}}[0-9L-V]{{2}}[A-Z][0-9L-V]{{2}}[A-Z][0-9L-V]{{3}}[A-Z]){_END}")),
]
"""Numbers that begin with so many letters."""


_SIZES = {
    country: {sum(map(int, re.findall("[0-9]+", shape))) for shape in shapes.split("|")}
    for country, shapes in _WRITTEN.items()
}


class Found(NamedTuple):
    """A span `text[start:end]`."""

    start: int
    end: int
    kind: str
    score: float


def compact(piece: str, country: str = "") -> str:
    """A number without its separators; the sign that is part of a Finnish one stays."""
    return re.sub(r"[^0-9A-Za-z+-]" if country == "fi" else r"[^0-9A-Za-z]", "", piece).upper()


def has_shape(number: str, country: str) -> bool:
    """Whether a number without separators has as many digits, or its letters where, as those of its country."""
    country = "cz" if country == "sk" else country
    if number.isdigit() and len(number) in _SIZES.get(country, ()):
        return True
    patterns = (*_TAILED, *((name, pattern) for name, _, pattern in _HEADED))
    return any(name == country and pattern.fullmatch(number) for name, pattern in patterns)


def beside(text: str, start: int, end: int) -> str:
    """What stands before and after `text[start:end]`, in lower case, as far as the next mask such as `<PHONE>`.

    Beyond one, names belong to what is masked, and are nearer than they were.
    """
    before = text[max(0, start - BEFORE) : start].rpartition(">")[2]
    return f"{before}\n{text[end : end + AFTER].partition('<')[0]}".lower()


def numbered(text: str, start: int, end: int, shape: str, alone: bool, language: str | None) -> Iterator[Found]:
    """The best reading of the digits `text[start:end]` as a national number; none where they have no such shape.

    Args:
        alone: whether the number stands by itself, so that it may count without its name.
        language: of the text, BCP 47.
    """
    countries = SHAPES.get(shape)
    if countries:
        digits = compact(text[start:end])
        valid = [country for country in countries if CHECKS[country](digits)]
        if valid:
            yield from _best(text, start, end, [(country, f"{country} {shape}") for country in valid], alone, language)


def lettered(text: str, start: int, end: int, language: str | None) -> Iterator[Found]:
    """National numbers with letters around the digits `text[start:end]`."""
    for country, size, pattern in _HEADED:
        first = start - size
        found = pattern.match(text, first) if first >= 0 and text[first].isalpha() else None
        if found and not (first and text[first - 1].isalnum()) and CHECKS[country](compact(found[0], country)):
            name = "es nie" if country == "es" else country
            yield from _best(text, *found.span(), [(country, name)], True, language)
    if start and (text[start - 1].isalnum() or text[start - 1] in "-_/.=#"):
        return
    if end - start < 3 or not text[end : end + 2].strip(" -+"):
        return
    for country, pattern in _TAILED:
        found = pattern.match(text, start)
        if found and CHECKS[country](compact(found[0], country)):
            name = "ie 9" if country == "ie" and len(found[0]) == 9 else country
            yield from _best(text, *found.span(), [(country, "cy-" if country == "cy" else name)], True, language)


def _best(
    text: str, start: int, end: int, readings: list[tuple[str, str]], alone: bool, language: str | None
) -> Iterator[Found]:
    """The reading whose name is near, or else the best that counts without one."""
    near = beside(text, start, end)
    spoken = (language or "").split("-")[0].lower()
    rated = [(_rate(near, country, name, spoken, alone), -at, country) for at, (country, name) in enumerate(readings)]
    score, _, country = max(rated)
    if score:
        # Slovakia kept the Czech numbers and their names: the text's language tells which they are.
        yield Found(start, end, f"national_id:{'sk' if country == 'cz' and spoken == 'sk' else country}", score)


def _rate(near: str, country: str, name: str, spoken: str, alone: bool) -> float:
    local = spoken in _SPOKEN[country].split() or (country == "cz" and spoken == "sk")
    bare = _ALONE.get(name, 0.0)
    if _NAMES[country].search(near):
        return PROVED
    if _ANY.search(near) and (local or bare):
        return PROVED - 0.05
    if not alone:
        return 0.0
    return LOCAL if local and bare == FAIR else bare
