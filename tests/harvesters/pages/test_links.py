"""What a page points to: as a browser would read it, bounded, and never with an error."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.pages.links import MOST_LINKS, Link, languages, page
from harvesters.pages.tags import tags

URL = "https://a.org/fr/page.html"
HTML = {"content-type": "text/html; charset=utf-8"}


def urls(body: str | bytes, headers: dict[str, str] = HTML) -> list[str]:
    payload = body.encode() if isinstance(body, str) else body
    return [link.url.removeprefix("https://a.org") for link in page(payload, URL, headers).links]


@pytest.mark.parametrize(
    ("body", "found"),
    {
        "<a href='x'>": ["/fr/x"],
        "<A HREF=/x>": ["/x"],
        '<a class="b" href = "x&amp;y?a=1&amp;b=2">': ["/fr/x&y?a=1&b=2"],
        "<a href='?a=1&section=2&copy=3&lang=fr'>": ["/fr/page.html?a=1&section=2&copy=3&lang=fr"],
        "<a href='&#47;x&#x2F;y&#x110000;'>": ["/x/y%EF%BF%BD"],
        "<a href=' \n/x\n y '>": ["/x%20y"],
        "<area href=/x><frame src=/y><iframe src=/z></iframe>": ["/x", "/y", "/z"],
        "<link rel='alternate' hreflang=en href=/en/><link rel=next href=/2><link rel=canonical href=/c>": [
            "/en/",
            "/2",
            "/c",
        ],
        "<link rel=stylesheet href=/x.css><link rel='alternate' type='application/rss+xml' href=/feed>": ["/feed"],
        "<link rel='alternate stylesheet' href=/x.css><link rel=preload href=/y>": [],
        "<meta http-equiv=Refresh content='0; URL=/new'>": ["/new"],
        "<meta http-equiv=refresh content='30'>": [],
        "<base href='/b/'><a href=x>": ["/b/x"],
        "<base href='javascript:x'><base href='https://a.org/c/'><a href=x>": ["/c/x"],
        "<base target=_top><base href='/b/'><a href=x>": ["/b/x"],
        "<a href=#top><a href=''><a><a href=mailto:a@b.org><a href=javascript:x><a href=data:,x>": [],
        "<a href=/x><a href=/x#y><a href=/x?>": ["/x"],
        "<!-- <a href=/no> --><a href=/x><!--><a href=/y>--><a href=/z>": ["/x", "/y", "/z"],
        "<script>'<a href=/no>'</script><style><a href=/no></style><title><a href=/no></title><a href=/x>": ["/x"],
        "<textarea><a href=/no></textarea><noscript><a href=/x></noscript>": ["/x"],
        "<div title='<a href=/no>'><a href=/x title='>' >": ["/x"],
        "<div data-x=\"<a href='/no'>\" a=b><a title=\"<a href='/no'>\" href=/x>": ["/x"],
        "<a href='/x' href='/no'>": ["/x"],
        "<a href='/no": [],
        "<a href=/no": [],
        "<abbr href=/no><ahref=/no>": [],
        "<p/<a/href=/x>": [],
        "<a/href=/x>": ["/x"],
        "<svg><a xlink:href=/no></svg>": [],
        "</a href=/no><a href=/x>": ["/x"],
        "a < b <a href=/x>": ["/x"],
        "": [],
    }.items(),
    ids=repr,
)
def test_links(body: str, found: list[str]) -> None:
    assert urls(body) == found


def test_nofollow_of_a_link_yields_to_a_link_without() -> None:
    read = page(b"<a rel='external NoFollow' href=/x><a href=/x><a rel=nofollow href=/y>", URL, HTML)
    assert read.links == [Link("https://a.org/x"), Link("https://a.org/y", nofollow=True)]


@pytest.mark.parametrize(
    ("body", "robots", "nofollow"),
    [
        ("", "", False),
        ("<meta name=robots content='noindex, nofollow'>", "", True),
        ("<meta name=ROBOTS content='NONE'>", "", True),
        ("<meta name=florilege content=nofollow>", "", True),
        ("<meta name=googlebot content=nofollow>", "", False),
        ("<meta name=robots content='noindex'>", "", False),
        ("", "nofollow", True),
        ("", "noindex, none", True),
        ("", "googlebot: nofollow", False),
        ("", "googlebot: noindex, nofollow", False),
        ("", "florilege: nofollow", True),
        ("", "max-snippet: 20, nofollow", True),
    ],
)
def test_nofollow_of_a_page(body: str, robots: str, nofollow: bool) -> None:
    assert page(body.encode(), URL, HTML | {"x-robots-tag": robots}).nofollow is nofollow


@pytest.mark.parametrize(
    ("body", "header", "declared"),
    [
        ("<html lang=fr-CA>", "", {"fr"}),
        ("<html xml:lang='deu'>", "en", {"de"}),
        ("<html lang=''>", "en, fr-BE", {"en", "fr"}),
        ("<html lang=und>", "", set()),
        ("<meta http-equiv=content-language content='it'>", "", {"it"}),
        ("<html lang=pt><meta http-equiv=content-language content='it'>", "", {"pt"}),
        ("<p lang=es>", "", set()),
    ],
)
def test_declared_languages(body: str, header: str, declared: set[str]) -> None:
    assert page(body.encode(), URL, HTML | {"content-language": header}).languages == declared


def test_languages_of_a_field() -> None:
    assert languages("fr, en-GB,, x-none, mul") == {"fr", "en"}


def test_the_query_is_in_the_encoding_of_the_page() -> None:
    body = "<a href='/é?q=é'>à la carte: été, où, garçon</a>".encode("windows-1252")
    assert urls(body, {"content-type": "text/html; charset=ISO-8859-1"}) == ["/%C3%A9?q=%E9"]
    assert urls(b"<meta charset=windows-1252>" + body, {}) == ["/%C3%A9?q=%E9"]
    assert urls("<a href='/é?q=é'>".encode("utf-16"), {}) == ["/%C3%A9?q=%C3%A9"]


def test_an_xml_declaration_of_another_encoding_does_no_harm() -> None:
    assert urls(b"<?xml version='1.0' encoding='utf-16'?><html><a href='/x'>") == ["/x"]


def test_links_are_bounded() -> None:
    assert len(urls("".join(f"<a href=/{at}>" for at in range(MOST_LINKS + 5)))) == MOST_LINKS
    assert urls("<a href=/" + "x" * 3_000 + "><a href=/y>") == ["/y"]


@pytest.mark.parametrize(
    "much",
    ["<a " + "".join(f"a{at}=1 " for at in range(200_000)) + ">", "<div>" * 200_000, "<a x='" * 200_001 + "'>",
     "<!-->" * 200_000, "< " * 200_000, "&amp" * 200_000, "<a href=y>" * 20_000],
    ids=["attributes", "depth", "quotes", "comments", "signs", "references", "links"],
)  # fmt: skip
def test_what_stands_behind_much_of_anything_is_found(much: str) -> None:
    """A parser that builds a tree takes minutes for the first, and gives up at the second."""
    assert urls(much + "<a href=/x>")[-1:] == ["/x"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40), st.sampled_from("\"'"))
def test_a_value_is_what_was_escaped(value: str, quote: str) -> None:
    written = escape(value, quote=True)
    text = f"<a x='>' href={quote}{written}{quote} y><a href=/z>"
    assert [found.get("href") for _, found in tags(text, {"a"}, {"href"})] == [value, "/z"]


@given(st.binary(max_size=300), st.text(max_size=30))
def test_nothing_raises(body: bytes, header: str) -> None:
    page(body, URL, {"content-type": header, "content-language": header, "x-robots-tag": header})
    page(b"<a href='" + body, header, {})
