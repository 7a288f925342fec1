"""Private addresses are refused in every spelling, unless the recipe names them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.spider.addresses import Guard, embedded, literal

NOBODY = Guard([], {})

REFUSED = {
    "127.0.0.1": "loopback", "127.255.255.254": "loopback", "10.0.0.1": "private", "172.16.0.1": "private",
    "172.31.255.255": "private", "192.168.1.1": "private", "169.254.169.254": "link-local", "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified", "100.64.0.1": "shared", "100.100.100.200": "shared", "192.0.0.192": "reserved",
    "192.0.2.1": "documentation", "198.51.100.7": "documentation", "203.0.113.7": "documentation",
    "198.18.0.1": "reserved", "224.0.0.1": "multicast", "239.255.255.250": "multicast", "240.0.0.1": "reserved",
    "255.255.255.255": "reserved", "168.63.129.16": "metadata",
    "::1": "loopback", "::": "unspecified", "fe80::1": "link-local", "fc00::1": "private", "fd00:ec2::254": "private",
    "fec0::1": "private", "ff02::1": "multicast", "2001:db8::1": "documentation", "3fff::1": "documentation",
    "64:ff9b:1::1": "reserved", "100::1": "reserved", "5f00::1": "reserved", "4000::1": "reserved",
    "::ffff:127.0.0.1": "loopback", "::ffff:a9fe:a9fe": "link-local", "::ffff:0:10.0.0.1": "private",
    "::127.0.0.1": "loopback", "64:ff9b::10.0.0.1": "private", "2002:7f00:1::": "loopback",
    "2002:c0a8:101::1": "private", "2001:0:4136:e378:8000:63bf:3fff:fdd2": "documentation",
    "2a00:1450::5efe:127.0.0.1": "loopback", "2a00:1450::200:5efe:10.0.0.1": "private",
}  # fmt: skip

SPELLINGS = [
    "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "127.1", "127.0.1", "0x7f.0x0.0x0.0x1", "017700000001",
    "127.0.0.1.", "[::ffff:127.0.0.1]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "0",
]  # fmt: skip

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize(("address", "reason"), REFUSED.items())
def test_addresses_that_are_not_public(address: str, reason: str) -> None:
    assert NOBODY.address(address, "example.org") == f"{reason} address"
    assert NOBODY.host(address) == f"{reason} address"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_an_address_is_seen(spelling: str) -> None:
    reason = NOBODY.host(spelling)
    assert reason in ("loopback address", "unspecified address")


@pytest.mark.parametrize(
    "host", ["999.1.1.1", "1.2.3.4.5", "1.2.3.256", "4294967296", "0x", "1..2", "[fe80::1%eth0]", "[::g]"]
)
def test_what_is_no_address_but_looks_like_one(host: str) -> None:
    assert NOBODY.host(host) in ("no address", "unspecified address")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert NOBODY.address(address, "example.org") is None


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "metadata.google.internal", "intranet",
     "metadata", "router.lan", "nas.home.arpa", "kubernetes.default.svc.cluster.local", "x.onion", ""],
)  # fmt: skip
def test_names_that_are_never_public(host: str) -> None:
    assert NOBODY.host(host) in ("host name that is not public", "no host")


@pytest.mark.parametrize(
    "host", ["example.org", "local.example.org", "localhost.example.org", "xn--tda.de", "1.example.org"]
)
def test_names_for_which_dns_is_asked(host: str) -> None:
    assert NOBODY.host(host) is None


def test_the_recipe_names_networks_addresses_and_hosts() -> None:
    guard = Guard(
        ["10.1.0.0/16", "192.168.1.7", "Intranet.example.org", "fd00::/8"], {"Staging.example.org": "10.2.0.1"}
    )
    assert guard.address("10.1.2.3", "any.example.org") is None
    assert guard.address("::ffff:10.1.2.3", "any.example.org") is None
    assert guard.address("10.2.0.1", "any.example.org") == "private address"
    assert guard.address("192.168.1.8", "any.example.org") == "private address"
    assert guard.address("fd12::1", "any.example.org") is None
    assert guard.host("intranet.example.org.") is None
    assert guard.address("192.168.9.9", "INTRANET.example.org") is None
    assert guard.address("192.168.9.9", "other.example.org") == "private address"
    assert guard.fixed("staging.EXAMPLE.org.") == "10.2.0.1"
    assert guard.fixed("example.org") is None


def test_a_named_host_does_not_open_the_metadata_service() -> None:
    guard = Guard(["intranet.example.org"], {})
    for address in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "168.63.129.16"):
        assert guard.address(address, "intranet.example.org") is not None


def test_an_address_of_the_hosts_file_is_no_permission() -> None:
    guard = Guard([], {"staging.local": "10.2.0.1"})
    assert guard.host("staging.local") is None
    assert guard.address("10.2.0.1", "staging.local") == "private address"


@given(st.ip_addresses())
def test_what_python_calls_private_is_refused(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        allowed = isinstance(ip, ipaddress.IPv6Address) and (
            ip.ipv4_mapped or ip in ipaddress.ip_network("64:ff9b::/96")
        )
        assert allowed or NOBODY.address(str(ip), "example.org") is not None


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_like_itself(ip: ipaddress.IPv4Address) -> None:
    reason = NOBODY.address(str(ip), "example.org")
    for carrier in (
        f"::ffff:{ip}",
        f"64:ff9b::{ip}",
        f"2002:{int(ip) >> 16:x}:{int(ip) & 0xFFFF:x}::1",
        f"2a00:1450::5efe:{ip}",
    ):
        assert ip in embedded(ipaddress.IPv6Address(carrier))
        assert NOBODY.address(carrier, "example.org") == reason


@given(st.ip_addresses(v=4), st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]), st.integers(0, 3))
def test_every_spelling_is_the_address(ip: ipaddress.IPv4Address, number: str, dots: int) -> None:
    octets = ip.packed
    parts = [*octets[:dots], int.from_bytes(octets[dots:], "big")]
    assert literal(".".join(number.format(part) for part in parts)) == ip


@given(st.text(max_size=50))
def test_nothing_raises(text: str) -> None:
    NOBODY.host(text)
    NOBODY.address(text, text)
    literal(text)
