"""URLs as they are asked for: one spelling of each, and never another page's.

courlan's `normalize_url` is not used: it drops parameters without a value (`?topic`), reads `&section` as `§ion`, takes
`keyword`, `cid`, `reference` and `source` for tracking, and makes one of two slashes (`/web/http://`). Each of these
asks for another page than the one that was linked. Here a URL is read as browsers read it (URL Standard) and written
as RFC 3986 (6.2.2) says, and only parameters that are certain to follow visitors are left out. Their order stays.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from harvesters.spider.addresses import ends_in_number, literal

MAX_LENGTH = 8_000
"""Longest URL that is asked for: what RFC 9110 (4.1) says that everyone should understand."""

_LONGEST_READ = 1 << 16
_ENDS = "".join(map(chr, range(0x21)))
_LINE_ENDS = re.compile(r"[\t\r\n]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"[^/?]*")
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PORTS = {"http": 80, "https": 443}
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_PATH_ODD = re.compile(r"%([0-9A-Fa-f]{2})|%|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+")
_QUERY_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&()*+,;=:@/?]*")
_QUERY_ODD = re.compile(r"%([0-9A-Fa-f]{2})|%|[^A-Za-z0-9\-._~!$&()*+,;=:@/?%]+")
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.I)
_FOLLOWING = frozenset({
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid", "igshid",
    "li_fat_id", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking",
    "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id", "wickedid", "xtor", "at_campaign", "at_medium",
    "pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium", "pk_content", "pk_cid",
    "mtm_campaign", "mtm_kwd", "mtm_keyword", "mtm_source", "mtm_medium", "mtm_content", "mtm_cid", "mtm_group",
    "mtm_placement", "phpsessid", "jsessionid", "oscsid", "zenid", "cfid", "cftoken",
})  # fmt: skip
"""Parameters that say who follows a link from where: none of a page's own is called so. `ref`, `sid`, `source` and
`session` may be, so they stay."""
_FOLLOWING_PREFIXES = ("utm_", "aspsessionid")
_PHPBB = re.compile(r"/(?:viewtopic|viewforum|memberlist|posting|ucp|faq)\.php$")
_PHPBB_SESSION = re.compile(r"sid=[0-9a-f]{32}")

_ASKED = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)(\?[^#]*)?")
_ENCODED_ENDS = re.compile(r"[^?]*%0[0AaDd]")
_NOT_ASCII = re.compile(r"[^\x21-\x7e]")
_BAD_PORTS = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})  # fmt: skip
"""Ports that browsers block, because their services can be talked to over HTTP (Fetch Standard, port blocking)."""


class Parts(NamedTuple):
    """A normalised URL: `port` is None where it is the scheme's own; `path` begins with a slash."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.scheme}://{self.host}{port}{self.path}{query}"


def normalise(url: str, base: str | None = None, *, encoding: str = "utf-8", whole: bool = False) -> str | None:
    """The one spelling of an absolute http(s) URL, or of a reference found at `base`; None when it is no such URL.

    Fragments go, credentials are no URL of ours (None). The result is ASCII, a normal form of itself, and what
    Scrapy sends for it. `encoding`: of the document, for non-ASCII characters of the query, as HTML has it. `whole`
    keeps parameters that follow visitors: a server that redirects to itself with a session id wants to see it.
    """
    parts = split(url, base, encoding=encoding, whole=whole)
    return None if parts is None else str(parts)


def split(url: str, base: str | None = None, *, encoding: str = "utf-8", whole: bool = False) -> Parts | None:
    """`normalise`, in parts."""
    if len(url) > _LONGEST_READ:
        return None
    url = url.strip(_ENDS).partition("#")[0]
    if "\n" in url or "\r" in url or "\t" in url:
        url = _LINE_ENDS.sub("", url)
    front, mark, query = url.partition("?")
    front = front.replace("\\", "/")
    against = _base(base) if base else None
    scheme = against.scheme if against else None
    if match := _SCHEME.match(front):
        scheme, front = match[1].lower(), front[match.end() :]
        if scheme not in _PORTS:
            return None
        if against and scheme != against.scheme:
            against = None
    elif against is None:
        return None
    assert scheme is not None
    if against is None or front.startswith("//"):
        found = _AUTHORITY.match(front := front.lstrip("/"))
        assert found is not None
        place = authority(found[0], scheme)
        if place is None:
            return None
        host, port, path = *place, front[found.end() :]
    else:
        host, port = against.host, against.port
        if not front:
            path, query = against.path, query if mark else against.query or ""
        else:
            path = front if front.startswith("/") else against.path[: against.path.rfind("/") + 1] + front
    try:
        return Parts(scheme, host, port, _path(path, whole), _query(query, path, encoding, whole) or None)
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=256)
def _base(base: str) -> Parts | None:
    return split(base, whole=True)


def authority(text: str, scheme: str) -> tuple[str, int | None] | None:
    """Host (lower case, punycode; IPv4 dotted, IPv6 shortest and in brackets) and port of `host:port`; None if there
    are credentials or either is impossible."""
    if text.endswith("]"):
        name, digits = text, ""
    else:
        name, colon, digits = text.rpartition(":")
        if not colon:
            name, digits = text, ""
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 1 << 16):
        return None
    port = int(digits) if digits else None
    host = _host(name)
    return None if host is None else (host, None if port == _PORTS[scheme] else port)


@lru_cache(maxsize=4096)
def _host(name: str) -> str | None:
    if name.startswith("["):
        ip = literal(name) if name.endswith("]") else None
        return f"[{ip.compressed}]" if ip else None
    if len(name) > 1_000:
        return None
    name = unquote(name, errors="strict") if "%" in name and _decodes(name) else name
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except UnicodeError:
            return None
    name = name.lower().removesuffix(".")
    if ends_in_number(name):
        return str(ip) if (ip := literal(name)) else None
    return name if _HOST.fullmatch(name) else None


def _decodes(name: str) -> bool:
    try:
        unquote(name, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


def _path(path: str, whole: bool) -> str:
    if not _PATH_PLAIN.fullmatch(path):
        path = _PATH_ODD.sub(lambda match: _escape(match, "utf-8"), path)
    if ";" in path and not whole:
        path = _SESSION_PATH.sub("", path)
    if "/." in path:
        kept: list[str] = []
        segments = path.split("/")[1:]
        for segment in segments:
            if segment == "..":
                del kept[-1:]
            elif segment != ".":
                kept.append(segment)
        if segments[-1] in (".", ".."):
            kept.append("")
        path = "/" + "/".join(kept)
    return path or "/"


def _query(query: str, path: str, encoding: str, whole: bool) -> str:
    if not _QUERY_PLAIN.fullmatch(query):
        query = _QUERY_ODD.sub(lambda match: _escape(match, encoding), query)
    if whole or not query:
        return query
    pairs = [pair for pair in query.split("&") if not _follows(pair.partition("=")[0].lower())]
    if _PHPBB.search(path):
        pairs = [pair for pair in pairs if not _PHPBB_SESSION.fullmatch(pair)]
    return "&".join(pairs)


def _follows(name: str) -> bool:
    return name in _FOLLOWING or name.startswith(_FOLLOWING_PREFIXES)


def _escape(match: re.Match[str], encoding: str) -> str:
    if match[1]:
        byte = int(match[1], 16)
        return chr(byte) if byte in _UNRESERVED else match[0].upper()
    try:
        data = match[0].encode(encoding, "strict" if encoding == "utf-8" else "xmlcharrefreplace")
    except LookupError:
        data = match[0].encode("utf-8")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def refused(url: str) -> str | None:
    """Why a URL may not be asked at all, in a few words; None if it may. It must be absolute and ASCII, as `normalise`
    gives it; whether its host is public is the guard's question."""
    if len(url) > MAX_LENGTH:
        return "URL too long"
    if _NOT_ASCII.search(url):
        return "white space, control or non-ASCII characters in URL"
    if not url.startswith(("http://", "https://")):
        return "scheme other than http and https"
    match = _ASKED.fullmatch(url)
    if match is None:
        return "fragment, or no path, in URL"
    if "@" in match[2]:
        return "credentials in URL"
    if _ENCODED_ENDS.match(url):  # no path has them; a server that decodes them in a header field would be led on
        return "encoded line end or NUL in path"
    if "\\" in url:
        return "backslash in URL"
    place = authority(match[2], match[1])
    if place is None:
        return "impossible host or port"
    if place[1] in _BAD_PORTS:
        return "port of another service"
    return None
