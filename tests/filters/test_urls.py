"""Which addresses are one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters import urls


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://user:pw@WWW.Example.ORG:443/", "http://example.org/"),
        ("http://www.example.org:80/a/", "http://example.org/a"),
        ("https://example.org:8443/A", "http://example.org:8443/A"),
        ("http://www.com/", "http://www.com/"),
        ("http://example.org./a", "http://example.org/a"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("http://a.example/a/./b/../c", "http://a.example/a/c"),
        ("http://a.example/../../a", "http://a.example/a"),
        ("http://a.example/a/%2e%2E/b", "http://a.example/b"),
        ("http://a.example/%7ejoe/%c3%a4%2f", "http://a.example/~joe/%C3%A4%2F"),
        ("http://a.example/100%/a b", "http://a.example/100%25/a%20b"),
        ("http://a.example/a;jsessionid=1F?b", "http://a.example/a?b"),
        ("http://a.example/?b=2&a=1&&utm_source=x&GCLID=y&fbclid", "http://a.example/?a=1&b=2"),
        ("http://a.example/?utm_source=x", "http://a.example/"),
        ("http://a.example/?q=a%3db&r=%c3", "http://a.example/?q=a%3Db&r=%C3"),
        ("http://a.example/?sid=1", "http://a.example/?sid=1"),
        ("http://a.example/a#top", "http://a.example/a"),
        ("http://a.example/#!/a#b", "http://a.example/#!/a%23b"),
        ("http://a.example//a//b", "http://a.example//a//b"),
        ("http:///a", "http://a/"),
        (" http:\\\\a.example\\b\n", "http://a.example/b"),
        ("http://a.example/\ud800\0b\0", "http://a.example/%3F%00b"),
    ],
)  # fmt: skip
def test_normal_form(url: str, normal: str) -> None:
    assert urls.normalise(url) == normal


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "//a.example/", "http:", "http://", "http://:80/", "http://a.example:99999/",
     "http://a.example:x/", "http://a.example:٣/", "http://[::1/", "http://[x]/", "http://a b/", "http://a\0b/",
     "ftp://a.example/", "dns:a.example", "urn:x", "http://℀.example/", "http://\ud800/", "http://" + "a" * 300,
     "http://" + "ü" * 100_000],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    assert (urls.normalise(url), urls.url_key(url), urls.origin(url), urls.host(url)) == (None, None, None, None)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTP://www.A.example:80/b", "http://www.a.example"),
        ("https://a.example:443", "https://a.example"),
        ("https://a.example:80?x", "https://a.example:80"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://ü.example/", "http://xn--tda.example"),
    ],
)
def test_origin(url: str, origin: str) -> None:
    assert urls.origin(url) == origin


def test_keys() -> None:
    assert urls.url_key("https://www.a.example/b/?utm_medium=c") == urls.url_key("http://a.example/b")
    assert urls.url_key("http://a.example/b") != urls.url_key("http://a.example/B")
    assert len(urls.url_key("http://a.example/") or "") == 32


_PARTS = st.text(st.sampled_from("aW.:/\\?&=#%2eE5;!@[]ü\0 \ud800~jsessionid"))


@given(st.one_of(st.text(), st.builds("http://{}".format, st.text()), st.builds("https://w.a.org/{}".format, _PARTS)))
@example("http://www.www.com")
@example("http://a.b/%%41%4%31")
@example("http://a.b/a;jsess;jsessionid=xionid=5/..;jsessionid=/.")
def test_the_normal_form_is_its_own(url: str) -> None:
    normal = urls.normalise(url)
    if normal is not None:
        assert urls.normalise(normal) == normal
        assert normal.isascii()
        assert urls.host(url) is not None


def test_long_addresses() -> None:
    for part in ("a", "/..", "../", "%", "%2e/", "?a&", "#!", ";jsessionid=", "ü", "\\", "@", ":"):
        urls.normalise("http://a.example/" + part * 100_000)
        urls.normalise("http://" + part * 100_000)
