"""What pages, sitemaps, feeds and redirects try to make a crawler ask for, and where each attempt ends.

The first defence is the scope: a crawl asks hosts of its recipe only. So that the others are seen to hold alone, a
crawl takes every host here, on its default ports (`hosts = ["*"]`); what it still queues must then be stopped by
`refused`, before a request is made, or by the guard: by the URL's host, or by the address that its name resolves to.
"""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from html import escape

import pytest

from harvesters.crawl import Harvester, Settings
from harvesters.harvester import Answer, Task
from harvesters.pages.urls import normalise, refused, split
from harvesters.spider.addresses import Guard

PAGE = "https://a.org/page"
ANYWHERE = Harvester(Settings(seeds=("https://a.org/",), hosts=("*",), follow_nofollow=True))
AT_HOME = Harvester(Settings(seeds=("https://a.org/",)))
GUARD = Guard([], {})

SAME_HOST = {
    "the machine itself": "http://localhost/admin",
    "the machine itself, with a dot": "http://localhost./admin",
    "the machine itself, by a subdomain": "http://x.localhost/",
    "loopback": "http://127.0.0.1/",
    "loopback, another of it": "http://127.8.9.10/",
    "loopback, as one number": "http://2130706433/",
    "loopback, hexadecimal": "http://0x7f000001/",
    "loopback, octal": "http://0177.0.0.1/",
    "loopback, parts left out": "http://127.1/",
    "loopback, mixed": "http://0x7f.0.1/",
    "loopback, with a dot": "http://127.0.0.1./",
    "loopback, percent-encoded": "http://%31%32%37.0.0.1/",
    "loopback, full-width digits": "http://１２７.０.０.１/",
    "loopback, circled digits": "http://①②⑦.⓪.⓪.①/",
    "loopback, ideographic full stops": "http://127。0。0。1/",
    "loopback, IPv6": "http://[::1]/",
    "loopback, IPv6 in full": "http://[0:0:0:0:0:0:0:1]/",
    "loopback, mapped into IPv6": "http://[::ffff:127.0.0.1]/",
    "loopback, mapped, in hexadecimal": "http://[::ffff:7f00:1]/",
    "loopback, compatible": "http://[::127.0.0.1]/",
    "loopback, by NAT64": "http://[64:ff9b::7f00:1]/",
    "loopback, by 6to4": "http://[2002:7f00:1::]/",
    "loopback, by Teredo": "http://[2001:0:7f00:1::1]/",
    "loopback, by ISATAP": "http://[2a00:1450::5efe:7f00:1]/",
    "unspecified": "http://0.0.0.0/",
    "unspecified, as 0": "http://0/",
    "unspecified, IPv6": "http://[::]/",
    "private 10/8": "http://10.0.0.1/",
    "private 172.16/12": "http://172.20.1.1/",
    "private 192.168/16": "http://192.168.0.1/",
    "shared 100.64/10": "http://100.64.0.1/",
    "unique local IPv6": "http://[fd00::1]/",
    "link-local IPv6": "http://[fe80::1]/",
    "link-local IPv6 with a zone": "http://[fe80::1%25eth0]/",
    "multicast": "http://224.0.0.251/",
    "broadcast": "http://255.255.255.255/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "cloud metadata, decimal": "http://2852039166/latest/meta-data/",
    "cloud metadata, mapped": "http://[::ffff:169.254.169.254]/",
    "cloud metadata, IPv6": "http://[fd00:ec2::254]/latest/meta-data/",
    "cloud metadata, by name": "http://metadata.google.internal/computeMetadata/v1/",
    "cloud metadata, Alibaba": "http://100.100.100.200/",
    "cloud metadata, Oracle": "http://192.0.0.192/",
    "cloud metadata, Azure's wire server": "http://168.63.129.16/machine",
    "a name of the local network": "http://printer.local/",
    "a name without a dot": "http://intranet/",
    "a router's": "http://router.lan/",
    "a cluster's": "http://kubernetes.default.svc.cluster.local/",
}  # fmt: skip

OTHER_SERVICES = {
    "a mail server": "http://a.org:25/%0D%0AMAIL%20FROM",
    "a mail server, TLS": "https://a.org:465/",
    "a shell": "http://a.org:22/",
    "IRC": "http://a.org:6667/",
    "a database": "http://a.org:6379/",
    "a cache": "http://a.org:11211/",
    "Docker": "http://a.org:2375/containers/json",
    "port 0": "http://a.org:0/",
    "a port beyond all": "http://a.org:65616/",
    "a port that is none": "http://a.org:80x/",
}
OTHER_SCHEMES = {
    "a file": "file:///etc/passwd",
    "a file, by a host": "file://a.org/etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_SET%20x%201",
    "dict": "dict://127.0.0.1:11211/stat",
    "ftp": "ftp://a.org/",
    "ldap": "ldap://127.0.0.1/",
    "javascript": "javascript:fetch('http://127.0.0.1/')",
    "javascript, broken by white space": " java\nscript:alert(1)",
    "data": "data:text/html,<a href=http://127.0.0.1/>",
    "an archive's entry": "jar:http://a.org/x.jar!/y",
    "view-source": "view-source:http://127.0.0.1/",
    "blob": "blob:https://a.org/1",
}
HIDDEN_HOSTS = {
    "a user name that looks like a host": "http://a.org@127.0.0.1/",
    "a user name and a word": "http://a.org:80@127.0.0.1/",
    "credentials": "http://user:word@a.org/",
    "an empty user name": "http://@127.0.0.1/",
    "a backslash before the host": "http:\\\\127.0.0.1\\",
    "a backslash in the authority": "http://127.0.0.1\\@a.org/",
    "slashes without a scheme": "//127.0.0.1/",
    "many slashes": "http:////127.0.0.1/",
    "slashes the other way": "/\\127.0.0.1/",
    "a scheme without slashes": "http:127.0.0.1/",
    "a tab in the host": "http://127.0.\t0.1/",
    "a line end in the host": "http://127.0.0\r\n.1/",
    "a fragment for a path": "http://127.0.0.1#@a.org/",
    "a query for a path": "http://127.0.0.1?@a.org/",
    "a NUL": "http://127.0.0.1\0.a.org/",
    "a percent-encoded NUL": "http://127.0.0.1%00.a.org/",
    "a percent-encoded slash": "http://127.0.0.1%2Fa.org/",
    "a percent-encoded at sign": "http://a.org%40127.0.0.1/",
    "a soft hyphen": "http://local\u00adhost/",
    "letters of another kind": "http://ⓛocalhost/",
    "broken brackets": "http://[::1/",
    "two hosts in brackets": "http://[::1][::2]/",
    "white space in the host": "http://127.0.0.1 a.org/",
}
ATTEMPTS = SAME_HOST | OTHER_SERVICES | OTHER_SCHEMES | HIDDEN_HOSTS


def stopped(url: str) -> str | None:
    """Where a queued URL ends: `refused`, or at the guard, by name or by what such a name resolves to."""
    parts = split(url)
    assert parts is not None
    return refused(url) or GUARD.host(parts.host)


def asked(harvester: Harvester, kind: str, body: str) -> list[str]:
    answer = Answer(Task(PAGE, kind), PAGE, 200, {"content-type": "text/html"}, body.encode(), datetime.now(UTC))
    return [task.url for task in harvester.answer(answer).next]


def sources(url: str) -> list[tuple[str, str]]:
    """The attempt in everything that is read."""
    written = escape(url)
    return [
        ("page", f"<html><a href='{written}'>x</a>"),
        ("page", f"<html><iframe src='{written}'></iframe><link rel=alternate href='{written}'>"),
        ("page", f"<html><meta http-equiv=refresh content=\"0;url={written}\">"),
        ("page", f"<html><base href='{written}'><a href='x'>x</a><a href='/y'>"),
        ("sitemap", f"<urlset><url><loc>{written}</loc></url></urlset>"),
        ("sitemap", f"<sitemapindex><sitemap><loc>{written}</loc></sitemap></sitemapindex>"),
        ("sitemap", f"<urlset><url><loc><![CDATA[{url}]]></loc></url></urlset>"),
        ("sitemap", f"https://a.org/1\n{url}\n"),
        ("feed", f"<rss><channel><item><link>{written}</link><guid>{written}</guid></item></channel></rss>"),
        ("feed", f"<feed xml:base='{written}'><entry><link href='x'/><link href='/y'/></entry></feed>"),
        ("robots", f"Sitemap: {url}\n"),
    ]  # fmt: skip


@pytest.mark.parametrize("url", ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_from_what_is_read_ends_before_a_request(url: str) -> None:
    for kind, body in sources(url):
        for one in asked(ANYWHERE, kind, body):
            assert stopped(one) or f".{split(one).host}".endswith(".a.org"), (kind, one)  # type: ignore[union-attr]
            assert "@" not in one.partition("//")[2].partition("/")[0]
        for one in asked(AT_HOME, kind, body):
            assert one.startswith(("https://a.org/", "http://a.org/")), (kind, one)


@pytest.mark.parametrize("url", ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_by_a_redirect_ends_before_a_request(url: str) -> None:
    """`Location` is resolved against the page, as it is by the spider, or handed over as it is."""
    for target in (normalise(url, PAGE, whole=True), url):
        for kind in ("page", "sitemap", "feed", "robots"):
            if target is not None and ANYWHERE.admits(target, Task(PAGE, kind)) is None:
                assert stopped(target) or split(target).host == "a.org"  # type: ignore[union-attr]
                assert target.startswith(("http://", "https://"))
            if target is not None and kind != "robots" and AT_HOME.admits(target, Task(PAGE, kind)) is None:
                assert target.startswith(("https://a.org/", "http://a.org/"))


@pytest.mark.parametrize("url", [*SAME_HOST.values(), *OTHER_SERVICES.values()], ids=[*SAME_HOST, *OTHER_SERVICES])
def test_a_seed_cannot_be_another_service_and_the_guard_sees_it_too(url: str) -> None:
    normal = normalise(url)
    if normal is not None and not refused(normal):
        parts = split(normal)
        assert parts is not None
        assert GUARD.host(parts.host) or parts.port not in (None, 80, 443)


HEADERS = {
    "a header by CR LF": "/x\r\nX-Injected: 1",
    "a request by CR LF": "/x HTTP/1.1\r\nHost: b.org\r\n\r\nGET /admin",
    "a header by LF": "/x\nCookie: session=1",
    "a header by CR": "/x\rCookie: session=1",
    "in the query": "/x?y=1\r\nX-Injected: 1",
    "in the fragment": "/x#\r\nX-Injected: 1",
    "in the host": "http://a.org\r\nX-Injected: 1/",
    "percent-encoded": "/x%0d%0aX-Injected:%201",
    "percent-encoded in the host": "http://a.org%0d%0aX-Injected:1/",
    "wide characters that lose a byte": "/x\u010d\u010aX-Injected:\u01201",
    "Unicode's line ends": "/x\u2028X-Injected: 1\u2029\u0085",
    "a NUL": "/x\0y",
    "a space and a version": "/x HTTP/0.9",
    "by character references": "/x&#13;&#10;X-Injected: 1",
}


@pytest.mark.parametrize("target", HEADERS.values(), ids=HEADERS)
def test_no_line_end_gets_into_a_request(target: str) -> None:
    """What is asked for is printable ASCII without white space: a request line cannot be split by it."""
    for kind, body in sources(target):
        for one in asked(ANYWHERE, kind, body):
            assert one.isascii()
            assert one.isprintable()
            assert " " not in one
            assert refused(one) or split(one).host == "a.org"  # type: ignore[union-attr]
    raw = target if "://" in target else f"https://a.org{target}"
    if not (raw.isascii() and raw.isprintable() and " " not in raw):
        assert refused(raw) is not None


PATHS = {
    "/../../../etc/passwd": "/etc/passwd",
    "/a/..%2f..%2fetc/passwd": "/a/..%2F..%2Fetc/passwd",
    "/a/%2e%2e/%2E%2e/etc/passwd": "/etc/passwd",
    "/a/..\\..\\etc\\passwd": "/etc/passwd",
    "/a/..;/etc/passwd": "/a/..;/etc/passwd",
    "/a/%252e%252e/x": "/a/%252e%252e/x",
    "/a/./b/.": "/a/b/",
    "/..": "/",
    "/%00/../x": "/x",
    "/a/..//b": "//b",
}
"""Dot segments never leave the host, nor a glob's path: what is compared with `include` is what is asked for."""


@pytest.mark.parametrize(("path", "asked_for"), PATHS.items())
def test_paths(path: str, asked_for: str) -> None:
    assert normalise(f"https://a.org{path}") == f"https://a.org{asked_for}"


@pytest.mark.parametrize("path", ["/en/../admin/x", "/en/%2e%2e/admin/x", "/en\\..\\admin/x", "/en/./.././admin/x"])
def test_no_path_gets_around_include_and_exclude(path: str) -> None:
    body = f"<html><a href='{path}'>"
    assert asked(Harvester(Settings(seeds=("https://a.org/",), include=("/en/*",))), "page", body) == []
    assert asked(Harvester(Settings(seeds=("https://a.org/",), exclude=("/admin/*",))), "page", body) == []


def test_a_name_that_resolves_to_a_private_address_is_stopped_at_the_connection() -> None:
    """The name is fine each time it is looked at; what counts is the address of the connection."""
    assert GUARD.host("rebinding.example.org") is None
    answers = [
        "93.184.216.34",
        "127.0.0.1",
        "::ffff:10.0.0.1",
        "169.254.169.254",
        "fd00::1",
        "fe80::1%eth0",
        "not an address",
    ]
    allowed = [address for address in answers if GUARD.address(address, "rebinding.example.org") is None]
    assert allowed == ["93.184.216.34"]


def test_what_this_machine_calls_itself_is_stopped() -> None:
    for found in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM):
        assert GUARD.address(str(found[4][0]), "localhost") == "loopback address"
