"""A URL has one spelling, and never becomes another page's."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.pages.urls import normalise, refused

PAGE = "http://a.org/web/http://b.org/x/y?q=1"

ONE_SPELLING = {
    "HTTP://Example.ORG:80/%7euser/../a/./c": "http://example.org/a/c",
    "https://a.org:443": "https://a.org/",
    "https://a.org:0443/": "https://a.org/",
    "http://a.org:8080/x#part": "http://a.org:8080/x",
    "http://a.org?q": "http://a.org/?q",
    "http://a.org./": "http://a.org/",
    " \n http://a.org/a\tb\r\n ": "http://a.org/ab",
    "http:\\\\a.org\\b?c\\d": "http://a.org/b?c%5Cd",
    "http:///a.org//b": "http://a.org//b",
    "http://a.org/%e9t%c3%a9%41": "http://a.org/%E9t%C3%A9A",
    "http://a.org/é ü?é=ü": "http://a.org/%C3%A9%20%C3%BC?%C3%A9=%C3%BC",
    "http://a.org/100%": "http://a.org/100%25",
    "http://a.org/a/%2e%2E/b/..": "http://a.org/",
    "http://faß.de/": "http://xn--fa-hia.de/",
    "http://ex%61mple.org/": "http://example.org/",
    "http://例え。テスト/": "http://xn--r8jz45g.xn--zckzah/",
    "http://2130706433/": "http://127.0.0.1/",
    "http://[2001:DB8:0:0::1]:80/": "http://[2001:db8::1]/",
    "http://a.org/?utm_source=x&id=1&GCLID=2": "http://a.org/?id=1",
    "http://a.org/?fbclid=x": "http://a.org/",
    "http://a.org/x;jsessionid=AB12?y=1": "http://a.org/x?y=1",
    "http://a.org/viewtopic.php?t=1&sid=0123456789abcdef0123456789abcdef": "http://a.org/viewtopic.php?t=1",
}

LEFT_ALONE = [
    "http://a.org/i.php?topic",
    "http://a.org/i.php?a=&b",
    "http://a.org/?b=2&a=1&b=1",
    "http://a.org/p?a=1&section=2&copy=3",
    "http://a.org/s?keyword=law&cid=7&reference=3&source=b&uid=1&medium=2&pk_id=3&sid=4",
    "http://a.org/web/http://b.org//x",
    "http://a.org/login?url=https://b.org/doc",
    "http://a.org/@me;v=1/(x)/,y",
    "http://a.org/x/",
    "http://a.org/a%2Fb",
    "http://a.org/?q=a+b%20c%26d",
    "http://www.a.org/index.html",
    "https://a.org/legal-content/EN/TXT/?uri=CELEX:32016R0679",
]

REFERENCES = {
    "z": "http://a.org/web/http://b.org/x/z",
    "../z": "http://a.org/web/http://b.org/z",
    "?k": "http://a.org/web/http://b.org/x/y?k",
    "": PAGE,
    "#f": PAGE,
    "/r": "http://a.org/r",
    "//c.org/d": "http://c.org/d",
    "///c.org/": "http://c.org/",
    "\\\\c.org\\x": "http://c.org/x",
    "http:/abs": "http://a.org/abs",
    "http:rel": "http://a.org/web/http://b.org/x/rel",
    "https:c.org/x": "https://c.org/x",
    "..": "http://a.org/web/http://b.org/",
}

NO_URLS = [
    "", "//a.org/", "a.org", "mailto:a@b.org", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
    "ftp://a.org/", "gopher://a.org/", "http://", "http://?x", "http://a b/", "http://a..b/", "http://.a.org/",
    "http://a.org:99999/", "http://a.org:0/", "http://a.org:x/", "http://a.org:80:80/", "http://user@a.org/",
    "http://user:word@a.org/", "http://@a.org/", "http://[::1", "http://[::1%25eth0]/", "http://1.2.3.4.5/",
    "http://1.2.3.256/", "http://a.org%00.b.org/", "http://a%2Fb.org/", "http://" + "a" * 64 + ".org/",
    "http://" + "a." * 127 + "org/", "http://a.org/" + "x" * 70_000, "http://-a.org/", "http://a.org/\ud800",
]  # fmt: skip


@pytest.mark.parametrize(("url", "normal"), ONE_SPELLING.items(), ids=repr)
def test_one_spelling(url: str, normal: str) -> None:
    assert normalise(url) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize("url", LEFT_ALONE)
def test_what_may_be_another_page_is_left_alone(url: str) -> None:
    assert normalise(url) == url


@pytest.mark.parametrize(("reference", "url"), REFERENCES.items(), ids=repr)
def test_references_are_read_as_browsers_read_them(reference: str, url: str) -> None:
    assert normalise(reference, PAGE) == url


@pytest.mark.parametrize("url", NO_URLS, ids=lambda url: repr(url[:40]))
def test_what_is_no_url(url: str) -> None:
    assert normalise(url) is None


def test_the_query_is_in_the_encoding_of_its_page() -> None:
    assert normalise("é?q=é", "http://a.org/", encoding="windows-1252") == "http://a.org/%C3%A9?q=%E9"
    assert normalise("?q=→", "http://a.org/", encoding="windows-1252") == "http://a.org/?q=%26%238594%3B"
    assert normalise("?q=é", "http://a.org/", encoding="no-such-codec") == "http://a.org/?q=%C3%A9"


def test_a_redirect_keeps_its_session() -> None:
    url = "http://a.org/x;jsessionid=AB12?PHPSESSID=1"
    assert normalise(url, whole=True) == url
    assert normalise(url) == "http://a.org/x"


@given(st.text(max_size=60), st.text(alphabet="/\\.%2eE?&;=#@:[]aé \tZ0x", max_size=40))
def test_the_normal_form_is_its_own_and_is_what_scrapy_sends(host: str, rest: str) -> None:
    from w3lib.url import safe_url_string

    for url in (f"http://{host}/{rest}", f"http://a.org/{rest}", rest):
        normal = normalise(url, "http://a.org/b/c")
        if normal is not None:
            assert normalise(normal) == normal
            assert safe_url_string(normal) == normal
            assert refused(normal) in (None, "port of another service", "encoded line end or NUL in path")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.text(max_size=20))
def test_what_is_quoted_stays_the_same_text(path: str, value: str) -> None:
    """The server decodes what the link said: no character is lost on the way."""
    from urllib.parse import unquote

    value = value.encode("utf-8", "replace").decode()
    url = f"http://a.org/p{quote(path, safe='')}?v={quote(value, safe='')}"
    normal = normalise(url)
    assert normal is not None
    asked, _, query = normal.removeprefix("http://a.org/p").partition("?v=")
    assert (unquote(asked), unquote(query)) == (path, value)


@pytest.mark.parametrize(
    ("url", "reason"),
    {
        "ftp://a.org/": "scheme other than http and https",
        "HTTP://a.org/": "scheme other than http and https",
        "http://u:p@a.org/": "credentials in URL",
        "http://a.org/ x": "white space, control or non-ASCII characters in URL",
        "http://a.org/\r\nHost: b.org": "white space, control or non-ASCII characters in URL",
        "http://a.org/\x00": "white space, control or non-ASCII characters in URL",
        "http://a.org/é": "white space, control or non-ASCII characters in URL",
        "http://a.org/#x": "fragment, or no path, in URL",
        "http://a.org": "fragment, or no path, in URL",
        "http:///x": "impossible host or port",
        "http://a.org/x%0d%0aSet-Cookie:y": "encoded line end or NUL in path",
        "http://a.org/x%00.html?y": "encoded line end or NUL in path",
        "http://a.org\\@b.org/": "credentials in URL",
        "http://a.org/\\b": "backslash in URL",
        "http://a..org/": "impossible host or port",
        "http://a.org:70000/": "impossible host or port",
        "http://a.org:25/": "port of another service",
        "https://a.org:6667/": "port of another service",
        "http://a.org/" + "x" * 8_000: "URL too long",
    }.items(),
    ids=lambda value: repr(value[:40]),
)
def test_what_may_not_be_asked_at_all(url: str, reason: str) -> None:
    assert refused(url) == reason


@pytest.mark.parametrize(
    "url", ["http://a.org/", "https://a.org:8443/x?y=//@z%0A", "http://[::1]:8080/", "http://10.0.0.1/"]
)
def test_what_may_be_asked_if_the_guard_agrees(url: str) -> None:
    assert refused(url) is None
