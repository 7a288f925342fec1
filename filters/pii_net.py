"""E-mail and IP addresses in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from filters.pii_shapes import Found

WRITTEN, SPOKEN, LOOSE = 0.95, 0.7, 0.5
"""Scores of `a@b.org`, `a [at] b [dot] org` and `a at b dot org`."""
_LETTER = "0-9A-Za-z\u00c0-\u02af\u0370-\u058f\u05d0-\u08ff\u1e00-\u1fff"
"""Letters of scripts that put spaces between words: in others an address cannot be told from the words beside it."""
_LOCAL_BACKWARDS = re.compile(rf"[{_LETTER}!#$%&'*+/=?^_`{{|}}~.-]{{1,64}}+")
_QUOTED_BACKWARDS = re.compile(r'"[^"\n]{1,62}"')
_LABEL = rf"[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,8}}")
_DOT = r"(?:\.|\s?[\[({<]\s?(?:dot|punkt|point|punto|ponto|punt|kropka)\s?[\])}>]\s?| (?:dot|DOT) )"
_SPOKEN_DOMAIN = re.compile(rf"\s{{0,2}}({_LABEL}(?:{_DOT}{_LABEL}){{1,6}})")
_AT = re.compile(r"[\[({<]\s?(?:at|AT|At|@|ät|arobase|arroba|chiocciola|malpa|małpa|apenstaartje|kukac)\s?[\])}>]")
_TLD = re.compile(r"(?:[^\W\d_]{2,24}|[Xx][Nn]--[0-9A-Za-z-]{2,59})\Z")
_FILES = frozenset(
    ["png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "css", "js", "html", "htm", "php", "aspx", "json", "xml", "pdf"]
)

_V4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.?[0-9])")
_V6_INNER = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6 = re.compile(r"[0-9A-Fa-f:]{2,39}+(?:\.[0-9]{1,3}){0,3}")
_INNER = re.compile(r"[0-9A-Za-z]|:[0-9A-Fa-f:]")
_HOST = re.compile(
    r"(?<!\w)(?:ips?|ipv[46]|hosts?|servers?|serveur|server|router|routeur|ping|dns|gateway|proxy|subnet|login|logged|"
    r"client|adres\w*|address\w*|adress\w*|indirizz\w*|direcci\w*|endereço|x-forwarded-for|from)(?!\w)"
)
_VERSION = re.compile(
    r"(?:v|ver|vers|version|versión|versione|wersja|release|section|chapter|article|art|§|no|nr|table)[.:]?\s?\Z"
)


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses as programs take them, `a@b.org`."""
    at = text.find("@")
    while at >= 0:
        found = _written(text, at)
        if found:
            yield found
        at = text.find("@", max(at + 1, found.end if found else 0))


def bracketed_emails(text: str) -> Iterator[Found]:
    """Addresses that are hidden from robots: `name [at] domain [dot] org`."""
    for match in _AT.finditer(text):
        yield from _hidden(text, match.start(), match.end(), SPOKEN)


def spoken_emails(text: str) -> Iterator[Found]:
    """Addresses that are spelt out: `name at domain dot org`."""
    dot = text.find(" dot ")
    while dot >= 0:
        at = text.rfind(" at ", max(0, dot - 64), dot)
        if at >= 0:
            yield from _hidden(text, at, at + 4, LOOSE)
        dot = text.find(" dot ", dot + 5)


def _written(text: str, at: int) -> Found | None:
    domain = _DOMAIN.match(text, at + 1)
    start = _local(text, at) if domain else None
    if not domain or start is None:
        return None
    end = _shortened(text, at + 1, domain.end())
    if end is None or text[max(0, start - 3) : start] == "://" or (text[start - 1 : start] == ":" and "/" in text[
        max(0, start - 32) : start
    ]):  # fmt: skip
        return None
    # `git@host:path` names an account for programs.
    score = 0.3 if text[end : end + 1] == ":" and text[end + 1 : end + 2].isalnum() else WRITTEN
    return Found(start, end, "email", score)


def _local(text: str, at: int) -> int | None:
    """Where the part before `text[at]` begins; None where there is none."""
    back = text[max(0, at - 65) : at][::-1]
    found = _LOCAL_BACKWARDS.match(back) or _QUOTED_BACKWARDS.match(back)
    if not found:
        return None
    size = len(found[0].rstrip("./'`=|&?") if found[0][0] != '"' else found[0])
    return at - size if size and found[0][0] != "." else None


def _shortened(text: str, start: int, end: int) -> int | None:
    """The end of the domain `text[start:end]` without labels that no top-level domain is; None where none is left."""
    while True:
        head, dot, tail = text[start:end].rpartition(".")
        if not dot or (not head.count(".") and tail.lower() in _FILES):
            return None
        if _TLD.match(tail) and tail.lower() not in _FILES:
            return end
        end -= len(tail) + 1


def _hidden(text: str, start: int, end: int, score: float) -> Iterator[Found]:
    domain = _SPOKEN_DOMAIN.match(text, end)
    while start and text[start - 1] in " \u00a0" and end - start < 12:
        start -= 1
    local = _local(text, start)
    if domain and local is not None:
        tail = re.split(r"[^\w-]+", domain[1])[-1].lower()
        if _TLD.match(tail) and tail not in _FILES and len(tail) <= 12:
            yield Found(local, domain.end(), "email", score)


def is_email(piece: str) -> bool:
    """Whether all of `piece` is an e-mail address in one of the forms that are looked for."""
    readers = (emails(piece), bracketed_emails(piece), spoken_emails(piece))
    return any(found[:2] == (0, len(piece)) for reader in readers for found in reader)


def v4(text: str, start: int, end: int) -> Iterator[Found]:
    """IPv4 addresses within `text[start:end]`."""
    for match in _V4.finditer(text, start, min(len(text), end + 2)):
        try:
            address = IPv4Address(match[0])
        except AddressValueError:
            continue
        if match.end() <= end:
            yield Found(*match.span(), "ip", _host_score(text, match.start(), address, max(address.packed) >= 100))


def v6(text: str) -> Iterator[Found]:
    """IPv6 addresses."""
    last = 0
    for inner in _V6_INNER.finditer(text):
        if inner.start() < last:
            continue
        start = inner.start()
        while start > max(last, inner.start() - 4) and text[start - 1] in "0123456789abcdefABCDEF":
            start -= 1
        match = _V6.match(text, start)
        last = match.end() if match else last
        piece = match[0].rstrip(":") if match else ""
        if len(piece) < 6 or (start and text[start - 1].isalnum()) or _INNER.match(text, start + len(piece)):
            continue
        try:
            address = IPv6Address(piece)
        except AddressValueError:
            continue
        yield Found(start, start + len(piece), "ip", _host_score(text, start, address, piece.count(":") > 3))


def _host_score(text: str, start: int, address: IPv4Address | IPv6Address, plain: bool) -> float:
    """`plain`: whether it looks like an address and not like the number of a section or a version."""
    before = text[max(0, start - 40) : start].rpartition(">")[2].lower()
    if not address.is_global or address.is_multicast:
        return 0.3 if plain or _HOST.search(before) else 0.1
    if _VERSION.search(before):
        return 0.1
    if _HOST.search(before):
        return 0.9
    return 0.7 if plain else 0.2
