"""Personal data in a text, as spans: e-mail and IP addresses, phone numbers, IBANs, payment cards, national numbers.

Names, street addresses and dates of birth are not looked for. `docs/pii.md` says what each score means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush, merge
from itertools import islice
from typing import Any

from filters.pii_ids import CHECKS, luhn
from filters.pii_net import bracketed_emails, emails, is_email, spoken_emails, v4, v6
from filters.pii_phone import CHAIN, is_phone, phones
from filters.pii_shapes import Found, beside, compact, has_shape, lettered, numbered

MOST = 10_000
"""Spans that are reported of a text: those that come first."""
LEAST = 0.5
"""Score from which a span counts."""

_CLUSTER = re.compile(
    r"[0-9]++(?:(?: [-–/+] |[ \u00a0]?\([ ]?|[ ]?\)[ ]?[-/]?|[ .\-/+\u00a0\u202f\u2011\u2013])[0-9]++)*+"
)
"""Digits with what may stand between those of one number."""
_GROUP = re.compile(r"[0-9]+")
_GROUPS = 40
"""Groups of digits from which a cluster is a row of figures, no list of numbers."""
_NUMBER_GROUPS = 12
"""Groups of digits from which a cluster is a list or a row, and no number by itself."""
_LIST = re.compile(r" [-–/] ")
_LONG_LIST = re.compile(r" [-–] | ?/ ?")
_LIST_DIGITS = 6
"""Digits that each number of a list has at least."""
_SLACK = 128
"""Characters by which the starts of a reader's spans may be out of order."""

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""Characters of a country's account number (SWIFT's IBAN registry)."""
_IBAN = {
    size: re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}(?:[ \u00a0-]?[A-Za-z0-9]){{{size - 4}}}(?![A-Za-z0-9])")
    for size in set(_IBAN_LENGTHS.values())
}
_BOUND = re.compile(r"[A-Za-z0-9]")

_ISSUERS = re.compile(
    r"4(?:.{12}|.{15}|.{18})|(?:5[1-5]|222[1-9]|22[3-9].|2[3-6]..|27[01].|2720).*(?<=^.{16})|3[47].{13}|"
    r"3(?:0[0-5]|[689].).{11,16}|6(?:011|4[4-9].|5..).{12,15}|35(?:2[89]|[3-8].).{12,15}|62.{14,17}|(?:2131|1800).{11}"
)
_CARD_SHAPES = frozenset(
    ["4 4 4 4", "4-4-4-4", "4.4.4.4", "4 6 5", "4-6-5", "4 6 4", "4-6-4", "4 4 4 4 3", *map(str, range(12, 20))]
)
_CARD_WORDS = re.compile(
    r"(?<!\w)(?:(?:credit|debit|payment|kredit|bankovn|platebn|kort|κάρτα)\w*|cards?|cartes?|kart[aeyu]|tarjeta|carta|"
    r"cartão|kaart|bankkártya|kártya|visa|master ?card|maestro|amex|american express|discover|diners|jcb|cc|карта)"
    r"(?!\w)"
)


def signals(text: str, language: str | None = None) -> dict[str, Any]:
    """The columns `pii`, `pii_count`, `secrets` and `secret_count`; spans are None where there are none.

    The counts are those of the spans with a score of at least `LEAST`.
    """
    from filters import secrets

    found = {"pii": spans(text, language), "secrets": secrets.spans(text)}
    return {
        "pii": found["pii"] or None,
        "pii_count": sum(span["score"] >= LEAST for span in found["pii"]),
        "secrets": found["secrets"] or None,
        "secret_count": sum(span["score"] >= LEAST for span in found["secrets"]),
    }


def spans(text: str, language: str | None = None) -> list[dict[str, Any]]:
    """Where personal data is: start, end (characters, exclusive), kind and score, 0 to 1, by place and disjoint.

    Of two that overlap the one with the higher score stays, then the longer, then the first. At most `MOST`: then no
    kind was looked for behind the last one.

    Args:
        language: of the text, BCP 47: a number in its country's language counts more.
    """
    readers = (emails(text), bracketed_emails(text), spoken_emails(text), v6(text), _numbers(text, language))
    return disjoint(merge(*map(_ordered, readers), key=_start))


def disjoint(found: Iterable[Found]) -> list[dict[str, Any]]:
    """The better ones of spans that overlap, by place, as dictionaries; the first `MOST`.

    Args:
        found: by their starts; no more is read than is needed.
    """
    return [span._asdict() for span in islice(_disjoint(found), MOST)]


def _disjoint(found: Iterable[Found]) -> Iterator[Found]:
    run: list[Found] = []
    end = 0
    for span in found:
        if run and span.start >= end:
            yield from _best(run)
            run = []
        end = max(end, span.end)
        run.append(span)
    yield from _best(run)


def _best(run: list[Found]) -> list[Found]:
    """Of spans that overlap, in turn the best one that overlaps none of the better; by place."""
    if len(run) < 2:
        return run
    first, kept = run[0].start, []
    taken = bytearray(max(span.end for span in run) - first)
    for span in sorted(run, key=lambda span: (-span.score, span.start - span.end, span.start)):
        place = span.start - first, span.end - first
        if taken.find(1, *place) < 0:
            taken[slice(*place)] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept)


def _start(span: Found) -> int:
    return span.start


def _ordered(reader: Iterable[Found]) -> Iterator[Found]:
    """The spans of a reader by their starts, which may be `_SLACK` characters out of order."""
    waiting: list[Found] = []
    for span in reader:
        heappush(waiting, span)
        while waiting[0].start < span.start - _SLACK:
            yield heappop(waiting)
    while waiting:
        yield heappop(waiting)


def _numbers(text: str, language: str | None) -> Iterator[Found]:
    named_until = -100
    for start, end in _pieces(text):
        lead = [*_ibans(text, start), *lettered(text, start, end, language)]
        if end - start < 6:
            yield from lead
            continue
        groups = [group.span() for group in islice(_GROUP.finditer(text, start, end), _GROUPS + 1)]
        if len(groups) > _GROUPS:
            yield from lead
            yield from _row(text, start, end, language)
            continue
        hosts = list(v4(text, start, end)) if len(groups) > 3 else []
        found = [*lead, *hosts]
        size = sum(last - first for first, last in groups)
        if size >= 9:
            found += _grouped(text, groups, language)
        if size >= 6 and not hosts and (len(groups) <= _NUMBER_GROUPS or "/" in text[start:end]):
            chained = 0 <= start - named_until <= 8 and bool(CHAIN.match(text[named_until:start].lower()))
            called = list(phones(text, start, end, chained))
            named_until = max([named_until, *(phone.end for phone in called if phone.score >= 0.9)])
            found += called
        yield from sorted(found)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where digits with their separators are; the numbers of a list are apart."""
    for match in _CLUSTER.finditer(text):
        start, end = match.span()
        if end - start < 6:
            if end - start > 1 and start and text[start - 1].isalpha():
                yield start, end
            continue
        if end - start < 2 * _LIST_DIGITS + 3:
            yield start, end
            continue
        long = end - start > 2 * _GROUPS and any(islice(_GROUP.finditer(text, start, end), _GROUPS, None))
        cuts = (_LONG_LIST if long else _LIST).finditer(text, start, end)
        edges = [start, *(place for cut in cuts for place in cut.span()), end]
        parts = list(zip(edges[::2], edges[1::2], strict=True))
        whole = not long and any(sum(map(str.isdigit, text[slice(*part)])) < _LIST_DIGITS for part in parts)
        yield from [(start, end)] if whole else parts


def _row(text: str, start: int, end: int, language: str | None) -> Iterator[Found]:
    """Numbers without separators in a long row."""
    for group in _GROUP.finditer(text, start, end):
        if 9 <= group.end() - group.start() <= 19:
            yield from _grouped(text, [group.span()], language)


def _grouped(text: str, groups: list[tuple[int, int]], language: str | None) -> Iterator[Found]:
    """Cards and national numbers in neighbouring groups of digits."""
    whole = groups[0][0], groups[-1][1]
    carded: set[int] = set()
    for at in range(len(groups)):
        shape = ""
        for last in range(at, min(len(groups), at + 7)):
            start, end = groups[at][0], groups[last][1]
            between = text[groups[last - 1][1] : groups[last][0]].replace("\u00a0", " ") if last > at else ""
            shape += between + str(groups[last][1] - groups[last][0])
            if text[start - 1 : start].isalnum() or text[end : end + 1].isalnum():
                continue
            free = start == whole[0] and len(groups) <= _NUMBER_GROUPS and _free(text, start, end)
            alone = free and end == whole[1]
            yield from numbered(text, start, end, shape, alone, language)
            # What follows a card is often its date.
            if shape in _CARD_SHAPES:
                follows = start - 1 in carded
                for card in _card(text, start, end, alone or follows or (free and last > at)):
                    carded.update([card.end] if card.score >= 0.9 else [])
                    yield card


def _free(text: str, start: int, end: int) -> bool:
    """Whether no sign beside the number makes it a part of something longer."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:] in tuple("/=_#%&@-.+$€£\\") or after[:1] in tuple("/=_%@-"):
        return False
    return not (before[-1:] == "," and before[:1].isdigit()) and not (after[:1] in tuple(",.") and after[1:].isdigit())


def _ibans(text: str, digits: int) -> Iterator[Found]:
    start = digits - 2
    size = _IBAN_LENGTHS.get(text[start:digits].upper()) if start >= 0 else None
    found = _IBAN[size].match(text, start) if size and not _BOUND.match(text[start - 1 : start]) else None
    if found and is_iban(found[0]):
        yield Found(*found.span(), "iban", 0.99)


def is_iban(piece: str) -> bool:
    """Whether an account number has its country's length and valid check digits (ISO 13616, ISO 7064 MOD 97-10)."""
    number = re.sub(r"[ \u00a0-]", "", piece)
    number = number.upper() if number.isascii() and number.isalnum() else ""
    if len(number) != _IBAN_LENGTHS.get(number[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


def _card(text: str, start: int, end: int, alone: bool) -> Iterator[Found]:
    digits = compact(text[start:end])
    if not luhn(digits) or len(set(digits)) < 2:
        return
    near = beside(text, start, end)
    known = bool(_ISSUERS.fullmatch(digits))
    if _CARD_WORDS.search(near):
        yield Found(start, end, "card", 0.98 if known else 0.8)
    elif alone and known:
        yield Found(start, end, "card", 0.9 if end - start > len(digits) else 0.6 if len(digits) > 14 else 0.3)


def accepts(kind: str, piece: str) -> bool:
    """Whether `piece` alone has the shape of `kind` and passes its check."""
    if kind.startswith("national_id:"):
        country = kind.partition(":")[2]
        number = compact(piece, country)
        return country in CHECKS and has_shape(number, country) and CHECKS[country](number)
    if kind == "ip":
        return any(found[:2] == (0, len(piece)) for found in (*v4(piece, 0, len(piece)), *v6(piece)))
    if kind == "card":
        digits = compact(piece)
        return 12 <= len(digits) <= 19 and digits.isdigit() and luhn(digits)
    checks = {"email": is_email, "phone": is_phone, "iban": is_iban}
    return kind in checks and checks[kind](piece)
