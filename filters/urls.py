"""Addresses: when two are one, and which site one belongs to. No function here raises on a str."""

from __future__ import annotations

import re
from typing import NamedTuple

import xxhash

_URL = re.compile(r"(https?):[/\\]{2,}([^/\\?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.I | re.S)
_ENDS = "".join(map(chr, range(0x21)))
_LINE_ENDS = re.compile(r"[\t\r\n]")
_NO_HOST = re.compile(r"[\x00-\x20\"#%/:<>?@\\^`{|}\x7f]")
_IPV6 = re.compile(r"\[[0-9a-f:.]{2,45}\]")
_WWW = re.compile(r"(?:www\.)+(?=[^.]+\.[^.])")
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*")
_ODD = re.compile(r"%([0-9A-Fa-f]{2})|%|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SESSION = re.compile(r";jsessionid=[^/;]*", re.I)
_TRACKERS = frozenset({
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid", "igshid",
    "li_fat_id", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "oly_anon_id", "oly_enc_id",
    "vero_id", "wickedid", "phpsessid", "jsessionid", "cfid", "cftoken",
})  # fmt: skip
_TRACKER_PREFIXES = ("utm_", "aspsessionid", "hsa_", "pk_", "mtm_")


class Address(NamedTuple):
    """The parts of an http(s) address; `port` is None where it is the scheme's own, `path` may be empty."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str | None


def split(url: str) -> Address | None:
    """The parts of an address, scheme and host in lower case and ASCII (punycode); None if it is none of http(s).

    Backslashes count as slashes and stray line ends as nothing, as browsers read them; user names are dropped.
    """
    match = _URL.fullmatch(_LINE_ENDS.sub("", url.strip(_ENDS)))
    if match is None:
        return None
    scheme, authority = match[1].lower(), match[2].rpartition("@")[2]
    name, colon, digits = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        name, digits = authority, ""
    host = _host(name)
    port = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 5 else None
    if host is None or (digits and (port is None or not 0 < port < 1 << 16)):
        return None
    return Address(
        scheme, host, None if port == _PORTS[scheme] else port, match[3].replace("\\", "/"), *match.group(4, 5)
    )


def _host(name: str) -> str | None:
    name = name.lower().rstrip(".")
    if name.startswith("["):
        return name if _IPV6.fullmatch(name) else None
    if len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").lower().rstrip(".")
        except UnicodeError:
            return None
    return name if name and not _NO_HOST.search(name) else None


def host(url: str) -> str | None:
    """The host of an http(s) address, in lower case and punycode."""
    parts = split(url)
    return parts.host if parts else None


def origin(url: str) -> str | None:
    """Scheme, host and port, which is left out where it is the scheme's own: `https://example.org`."""
    parts = split(url)
    if parts is None:
        return None
    return f"{parts.scheme}://{parts.host}" + (f":{parts.port}" if parts.port else "")


def normalise(url: str) -> str | None:
    """One spelling of all addresses that most likely give one page; None if it is no http(s) address.

    Scheme, `www.`, ports 80 and 443, user name, fragment (but `#!...`), trailing slashes, session ids and parameters
    that only follow visitors are left out; dot segments are resolved, percent-encodings made equal (RFC 3986, 6.2.2),
    parameters sorted. Case of the path, repeated slashes and index pages stay as they are. The result begins with
    `http://` and is its own normal form.
    """
    parts = split(url)
    if parts is None:
        return None
    name = _WWW.sub("", parts.host, count=1) if parts.host.startswith("www.") else parts.host
    port = f":{parts.port}" if parts.port and parts.port not in _PORTS.values() else ""
    query = _query(escaped(parts.query)) if parts.query else ""
    bang = f"#{escaped(parts.fragment)}" if parts.fragment and parts.fragment.startswith("!") else ""
    return f"http://{name}{port}{_path(escaped(parts.path))}{query and '?'}{query}{bang}"


def url_key(url: str) -> str | None:
    """XXH3-128 of the normal form, 32 hex digits."""
    normal = normalise(url)
    return None if normal is None else str(xxhash.xxh3_128_hexdigest(normal))


def escaped(text: str) -> str:
    """A path or query with its percent-encodings as they should be: none for unreserved characters, all in capitals."""
    return text if _PLAIN.fullmatch(text) else _ODD.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    if match[1]:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


def _path(path: str) -> str:
    if ";" in path:
        path = _SESSION.sub("", path)
    if "/." in path:
        kept: list[str] = []
        for segment in path.split("/")[1:]:
            if segment == "..":
                del kept[-1:]
            elif segment != ".":
                kept.append(segment)
        path = "/" + "/".join(kept)
    return path.rstrip("/") or "/"


def _query(query: str) -> str:
    pairs = sorted(pair for pair in query.split("&") if pair)
    return "&".join(pair for pair in pairs if not _follows(pair.partition("=")[0].lower()))


def _follows(name: str) -> bool:
    return name in _TRACKERS or name.startswith(_TRACKER_PREFIXES)
