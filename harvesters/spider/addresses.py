"""Which addresses may be connected to: public ones, and what the recipe names (`private`).

A page, a sitemap or a redirect can name any host, and any name can resolve to any address. So hosts are looked at when
a URL is asked for (`Guard.host`), and each resolved address when it is connected to (`Guard.address`), which is what
counts: a name may resolve to something else the second time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER_PUBLIC = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "onion",
)  # fmt: skip
"""Names that mean something inside one network only: RFC 6761, 6762, 7686, 8375, ICANN's `internal`, and customs."""

_V4 = {
    "0.0.0.0/8": "unspecified", "10.0.0.0/8": "private", "100.64.0.0/10": "shared", "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local", "172.16.0.0/12": "private", "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation", "192.88.99.0/24": "reserved", "192.168.0.0/16": "private",
    "198.18.0.0/15": "reserved", "198.51.100.0/24": "documentation", "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast", "240.0.0.0/4": "reserved", "168.63.129.16/32": "metadata",
}  # fmt: skip
"""IANA's special-purpose registry, multicast, and the public address by which Azure's machines ask about themselves."""

_V6 = {
    "::/128": "unspecified", "::1/128": "loopback", "fc00::/7": "private", "fe80::/10": "link-local",
    "fec0::/10": "private", "ff00::/8": "multicast", "2001::/23": "reserved", "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
}  # fmt: skip
"""The same for IPv6, where all that is not 2000::/3 is reserved besides. `ipaddress.is_global` is not asked: Python
3.11, 3.12 and 3.13 answer differently, and it takes 2002:7f00:1:: (6to4 of 127.0.0.1) for public."""

_NETWORKS4 = [(ipaddress.IPv4Network(network), reason) for network, reason in _V4.items()]
_NETWORKS6 = [(ipaddress.IPv6Network(network), reason) for network, reason in _V6.items()]
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_BITS = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")))
"""Mapped, translated, compatible and NAT64: the IPv4 address is the last 32 bits."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_WITH_NAMES = frozenset({"private", "loopback", "shared"})
"""What the addresses of a host may be whose name stands in `private`. Others must be named as addresses."""


class Guard:
    """What may be asked. `private`: networks, addresses and host names of the recipe; `addresses`: its hosts file.

    An address of the hosts file is not allowed for standing there: `private` must name it if it is not public.
    """

    def __init__(self, private: Sequence[str], addresses: Mapping[str, str]) -> None:
        self._fixed = {host.lower().rstrip("."): address for host, address in addresses.items()}
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._names: set[str] = set()
        for place in private:
            try:
                self._networks.append(ipaddress.ip_network(place, strict=False))
            except ValueError:
                self._names.add(place.lower().rstrip("."))

    def host(self, host: str) -> str | None:
        """Why a host may not be asked; None if it may, or if DNS has to be asked to know. `host` is a URL's, with
        brackets or without, in ASCII."""
        name = host.lower().rstrip(".")
        if ":" in name or ends_in_number(name):
            return self.address(name, name)
        if not name:
            return "no host"
        if name in self._names or name in self._fixed:
            return None
        if "." not in name or any(name == suffix or name.endswith("." + suffix) for suffix in _NEVER_PUBLIC):
            return "host name that is not public"
        return None

    def address(self, address: str, host: str) -> str | None:
        """Why an address may not be connected to, be it from DNS or written in a URL in any spelling: `private
        address`, `loopback address` ... None if it may."""
        ip = literal(address)
        if ip is None:
            return "no address"
        reasons = [
            reason
            for ip in (ip, *embedded(ip))
            if (reason := _reason(ip)) and not any(ip in network for network in self._networks)
        ]
        if not reasons or (host.lower().rstrip(".") in self._names and _WITH_NAMES.issuperset(reasons)):
            return None
        return f"{reasons[-1]} address"

    def names(self, host: str) -> bool:
        """Whether a host may be asked only because the recipe names it, as far as its name tells."""
        name = host.lower().rstrip(".")
        ip = literal(name)
        carried = [ip, *embedded(ip)] if ip is not None else []
        return name in self._names or any(ip in network for ip in carried for network in self._networks)

    def fixed(self, host: str) -> str | None:
        """The address that the recipe gives a host."""
        return self._fixed.get(host.lower().rstrip("."))


def ends_in_number(host: str) -> bool:
    """Whether a host can only be an IPv4 address, as browsers see it: its last part is a number (127.1, 0x7f.1)."""
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def literal(host: str) -> IP | None:
    """The address that a host is a spelling of: dotted, of one to four decimal, octal or hexadecimal numbers, or IPv6
    with brackets or without; None for a name and for what is none (RFC 4007 zones too)."""
    host = host.rstrip(".")
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]")) if "%" not in host else None
        except ValueError:
            return None
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) and len(part) <= 16 for part in parts):
        return None
    try:
        *high, low = [_number(part) for part in parts]
    except ValueError:
        return None
    if any(number > 255 for number in high) or low >= 256 ** (4 - len(high)):
        return None
    return ipaddress.IPv4Address(sum(number << 8 * (3 - at) for at, number in enumerate(high)) + low)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if len(text) > 1 and text.startswith("0") else 10)


def embedded(ip: IP) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses inside an IPv6 one, to which its packets may go: mapped, translated, compatible, NAT64, 6to4,
    Teredo (server and client), ISATAP."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    if ip.sixtofour:
        return [ip.sixtofour]
    if ip.teredo:
        return list(ip.teredo)
    low = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    isatap = int(ip) >> 32 & 0xFDFFFFFF == 0x5EFE
    return [low] if isatap or (int(ip) > 1 and any(ip in network for network in _LOW_BITS)) else []


def _reason(ip: IP) -> str | None:
    """Why an address is not public, for itself: those that only carry an IPv4 address are judged by that."""
    if isinstance(ip, ipaddress.IPv4Address):
        return next((reason for network, reason in _NETWORKS4 if ip in network), None)
    if reason := next((reason for network, reason in _NETWORKS6 if ip in network), None):
        return reason
    if ip in _GLOBAL6 or ip in _NAT64 or ip.ipv4_mapped:
        return None
    return "reserved"
