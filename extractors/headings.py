"""Headings of articles and annexes in the 24 languages of the Union, and the anchors they stand for.

An anchor is the same in every language: `Article 5a`, `Artikel 5a`, `Article 5 bis`, `Άρθρο 5α`, `5 a artikla` and
`5/A. cikk` are all `art_5a`, as in the identifiers that EUR-Lex gives (`art_5a`, `rct_12`, `anx_II`).
"""

from __future__ import annotations

import re
import unicodedata

from extractors.blocks import names

MAX_HEADING = 300
"""Characters of a line that may be a heading."""

# As folded: small letters without accents.
_ARTICLE = names(
    "article artikel artikla artikkel articulo articolo artikolu artiklu artigo articolul articol artykuł airteagal "
    "airtegal clanak clanek clanok clen член αρθρο cikk straipsnis pants art"
)
_FIRST = names(
    "premier primero primo primeiro first pierwszy unique unico einziger sole single enig eneste ainoa μονο egyetlen "
    "jediny vienigais vienintelis ainus edini jedini unic uniku jedyny aonair единствен enda enige"
)
"""What stands for the number of a first or only article."""
_ANNEX = names(
    "annexe annex anexo bijlage allegato bilaga bilag anhang liite παραρτημα priloha lisa pielikums priedas melleklet "
    "anness załacznik priloga prilog anexa приложение iarscribhinn"
)
_DIVISIONS = {
    "prt": names("part partie teil deel parte del μερος osa cast resz dalis dala parti czesc partea dio част cuid"),
    "tis": names(
        "title titre titel titolo titulo τιτλος osasto avdelning afsnit hlava jaotis cim sadala titolu tytuł titlul "
        "naslov glava дял teideal"
    ),
    "cpt": names(
        "chapter chapitre kapitel hoofdstuk capo capitulo κεφαλαιο luku kapitola peatukk fejezet skyrius nodala "
        "kapitolu rozdział capitolul poglavje poglavlje глава caibidil"
    ),
    "sct": names(
        "section abschnitt afdeling sezione seccion seccao secao τμημα jakso avsnitt oddil jagu szakasz skirsnis "
        "iedala taqsima sekcja sectiunea oddiel oddelek odjeljak раздел roinn"
    ),
}
_WHEREAS = (
    "whereas",
    "considerant",
    "considerando",
    "overwegende",
    "in erwagung",
    "in der erwagung",
    "ud fra følgende",
    "og ud fra følgende",
    "i betragtning af følgende",
    "εκτιμωντας",
    "seka katso",
    "katsoo",
    "med beaktande av følgende",
    "med beaktande av foljande",
    "av foljande skal",
)
"""How recitals begin in the languages of the years before they were numbered."""


def _row(text: str) -> list[str]:
    return text.split()


_LATIN = _row(
    "bis ter quater quinquies sexies septies octies nonies decies undecies duodecies terdecies quaterdecies "
    "quindecies sexdecies septdecies octodecies novodecies vicies"
)
_GREEK = _row("α β γ δ ε στ ζ η θ ι ια ιβ ιγ ιδ ιε ιστ ιζ ιη ιθ κ")
_CYRILLIC = _row("а б в г д е ж з и")
_LETTERS = {sign: chr(ord("a") + at) for signs in (_LATIN, _GREEK, _CYRILLIC) for at, sign in enumerate(signs)}
_ALIKE = str.maketrans("ιχіх", "ixix")
"""Letters of other scripts in Roman numbers."""


def _any(words: frozenset[str] | list[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_ORDINAL = r"(?:\.?\s?[º°]|\.?[oο](?![^\W_])|er(?![^\W_]))?"
_SUFFIX = (
    rf"(?:[\s.-]{{0,3}}(?P<latin>{_any(_LATIN)})|(?P<letters>[^\W\d_]{{1,3}})"
    r"|[\s./-]{1,2}(?P<letter>[^\W\d_]|[α-ω]{2}))?"
)
_NUMBER = rf"(?P<number>\d{{1,4}}(?:[.-]\d{{1,3}})?){_ORDINAL}{_SUFFIX}(?![^\W_])"
_ARTICLE_LINE = re.compile(
    rf"[΄᾽᾿]?(?:l-)?{_any(_ARTICLE)}"
    rf"(?:\s*\.?\s*{_NUMBER}|\s+(?:(?P<first>{_any(_FIRST)})|(?P<roman>[ivxlcdm]{{1,8}}|[a-z]))(?![^\W_]))"
)
_NUMBERED_ARTICLE = re.compile(rf"(?:{_NUMBER}|(?P<first>{_any(_FIRST)})(?![^\W_]))[\s.]*{_any(_ARTICLE)}(?![^\W_])")
_ANNEX_NUMBER = r"(?P<number>\d{1,3}(?:[./-]?[a-z])?|[ivxlcdmιχіх]{1,8}(?:[./-]?[a-z])?|[^\W\d_])(?![^\W_])"
_ANNEX_LINE = re.compile(rf"{_any(_ANNEX)}(?![^\W_])(?:\s*(?:n[or°º]\.?\s*)?{_ANNEX_NUMBER})?")
_NUMBERED_ANNEX = re.compile(rf"{_ANNEX_NUMBER}[\s.]*{_any(_ANNEX)}(?![^\W_])")
_LEVELS = {word: level for level, words in _DIVISIONS.items() for word in words}
_DIVISION_NUMBER = (
    rf"(?:(?P<number>\d{{1,3}}|[ivxlcdmιχіх]{{1,8}})(?:er|re)?(?:(?P<letter>[a-z])|\s(?P<latin>{_any(_LATIN)}))?"
    rf"|(?P<first>{_any(_FIRST)}))(?![^\W_])"
)
_DIVISION_WORD = rf"(?P<word>{_any(frozenset(_LEVELS))})(?![^\W_])"
_DIVISION_LINE = re.compile(rf"{_DIVISION_WORD}\s+{_DIVISION_NUMBER}")
_NUMBERED_DIVISION = re.compile(rf"{_DIVISION_NUMBER}[\s.]+{_DIVISION_WORD}")
_NO_MORE = re.compile(r"[\s.:]*(?:\(\s*[\d*]{1,3}\s*\)\s*)?")
_SIGNS = re.compile(r"[^\W_]")


def fold(text: str) -> str:
    """Small letters without accents."""
    spread = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in spread if not unicodedata.combining(sign))


def letter(suffix: str) -> str:
    """The letter that `bis`, `β` or `б` after a number stands for; another suffix itself."""
    return _LETTERS.get(suffix.casefold(), suffix)


def article_anchor(line: str) -> tuple[str, bool] | None:
    """Anchor of the article whose heading a line begins with (`art_5`, `art_5a`, `art_II`), or None.

    The second value tells whether the line holds nothing more, but for a full stop or the call of a note.
    """
    folded = fold(line[:MAX_HEADING])
    match = _ARTICLE_LINE.match(folded) or _NUMBERED_ARTICLE.match(folded)
    if not match:
        return None
    alone = len(line) <= MAX_HEADING and _ends(folded, match.end())
    found = match.groupdict()
    if found.get("roman"):
        # `Article à` at a line's end is no article A.
        if not line.split()[1][:1].isupper():
            return None
        return f"art_{found['roman'].upper()}", alone
    if found["first"]:
        return "art_1", alone
    suffix = found["latin"] or found["letters"] or found["letter"] or ""
    return f"art_{found['number']}{letter(suffix)}", alone


def article_number(anchor: str) -> tuple[int, str] | None:
    """The number and letter of an anchor, to be compared with others: (5, "a"); None for numbers of other kinds."""
    match = re.fullmatch(r"art_(\d{1,4})([^\W\d_]*)", anchor)
    return (int(match[1]), match[2]) if match else None


def annex_anchor(line: str) -> tuple[str, bool] | None:
    """Anchor of the annex whose heading a line begins with (`anx_II`, `anx_A`; `anx_1` without number), or None.

    The second value tells whether the line holds nothing more.
    """
    folded = fold(line[:MAX_HEADING])
    match = _ANNEX_LINE.match(folded) or _NUMBERED_ANNEX.match(folded)
    if not match:
        return None
    alone = len(line) <= MAX_HEADING and _ends(folded, match.end())
    number = match["number"] or "1"
    number = _LETTERS[number] if number in _LETTERS and number not in "ιχіх" else number.translate(_ALIKE)
    return f"anx_{number.upper()}", alone


def division_anchor(line: str) -> tuple[str, bool] | None:
    """Anchor of the part, title, chapter or section whose heading a line begins with (`cpt_II`), or None.

    The second value tells whether the line holds nothing more.
    """
    folded = fold(line[:MAX_HEADING])
    match = _DIVISION_LINE.match(folded) or _NUMBERED_DIVISION.match(folded)
    if not match:
        return None
    number = (match["number"] or "i").translate(_ALIKE) + letter(match["latin"] or match["letter"] or "")
    return f"{_LEVELS[match['word']]}_{number.upper()}", len(line) <= MAX_HEADING and _ends(folded, match.end())


def _ends(folded: str, at: int) -> bool:
    return _NO_MORE.fullmatch(folded, at) is not None


def is_shouted(line: str) -> bool:
    """Whether the first word of a line is in capitals."""
    return next((word.isupper() for word in line.split() if len(_SIGNS.findall(word)) > 2), False)


def begins_recital(line: str) -> bool:
    """Whether a line begins with the word that recitals begin with in their language, of those before 2000."""
    return fold(line[:40]).startswith(_WHEREAS)
