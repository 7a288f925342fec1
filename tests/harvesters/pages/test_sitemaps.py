"""Sitemaps, feeds and robots.txt: what can be had of them, within limits, without entities."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.pages.sitemaps import MOST_BYTES, MOST_ENTRIES, Entry, Listing, feed, of_robots, sitemap

URL = "https://a.org/maps/sitemap.xml"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(*locations: str) -> bytes:
    return f"<urlset {NS}>{''.join(f'<url><loc>{one}</loc></url>' for one in locations)}</urlset>".encode()


def found(listing: Listing | None) -> list[str]:
    assert listing is not None
    return [entry.url.removeprefix("https://a.org") for entry in listing.entries]


def test_a_sitemap_with_dates_and_versions() -> None:
    body = f"""<?xml version="1.0" encoding="UTF-8"?>
    <urlset {NS} xmlns:xhtml="http://www.w3.org/1999/xhtml">
      <url><loc> https://a.org/fr/1 </loc><lastmod>2026-05-04</lastmod><changefreq>daily</changefreq>
        <xhtml:link rel="alternate" hreflang="en-GB" href="https://a.org/en/1"/></url>
      <url><loc><![CDATA[https://a.org/2?a=1&b=2]]></loc><lastmod>yesterday</lastmod></url>
      <url><loc>https://a.org/3?a=1&amp;b=2</loc></url>
      <url><loc>https://a.org/3?a=1&b=2</loc></url>
      <url><lastmod>2026-01-01</lastmod></url>
    </urlset>""".encode()
    assert sitemap(body, URL) == Listing(
        "pages",
        [
            Entry("https://a.org/fr/1", "2026-05-04"),
            Entry("https://a.org/en/1", "2026-05-04", "en"),
            Entry("https://a.org/2?a=1&b=2"),
            Entry("https://a.org/3?a=1&b=2"),
        ],
    )


def test_an_index_of_sitemaps() -> None:
    body = f"<sitemapindex {NS}><sitemap><loc>https://a.org/1.xml.gz</loc></sitemap></sitemapindex>".encode()
    listing = sitemap(body, URL)
    assert listing is not None
    assert (listing.kind, found(listing)) == ("sitemaps", ["/1.xml.gz"])


def test_gzip_text_and_other_encodings() -> None:
    body = urlset("https://a.org/é")
    assert found(sitemap(gzip.compress(body), URL)) == ["/%C3%A9"]
    assert found(sitemap(gzip.compress(body[:20]) + gzip.compress(body[20:]), URL)) == ["/%C3%A9"]
    assert found(sitemap(b"\xef\xbb\xbfhttps://a.org/1\r\n\r\nhttps://a.org/2\n", URL)) == ["/1", "/2"]
    latin = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + body.decode().encode("latin-1")
    assert found(sitemap(latin, URL)) == ["/%C3%A9"]
    wide = ('<?xml version="1.0" encoding="UTF-16"?>' + urlset("https://a.org/é?a=1&b=2").decode()).encode("utf-16")
    assert found(sitemap(wide, URL)) == ["/%C3%A9?a=1&b=2"]


@pytest.mark.parametrize(
    "body", [b"", b"<html><a href='https://a.org/'>", b"not found", b"\x1f\x8b", b"<", b"%PDF-1.4"]
)
def test_what_is_no_sitemap(body: bytes) -> None:
    assert sitemap(body, URL) is None


@pytest.mark.parametrize(
    ("damage", "least", "why"),
    [
        (lambda body: body[: len(body) // 2], 400, "broken XML"),
        (
            lambda body: body.replace(b"<url><loc>https://a.org/5<", b"<url><loc>https://a.org/<x>5<", 1),
            990,
            "broken XML",
        ),
        (lambda body: body.replace(b"</url>", b"</urll>", 1), 990, "broken XML"),
        (lambda body: gzip.compress(body)[:1500], 100, "cut off"),
        (lambda body: gzip.compress(body)[:-8] + b"x" * 8, 0, "broken gzip"),
    ],
    ids=["cut XML", "a stray tag", "a wrong end", "cut gzip", "damaged gzip"],
)
def test_of_a_broken_sitemap_what_can_be_had(damage, least, why) -> None:  # type: ignore[no-untyped-def]
    listing = sitemap(damage(urlset(*(f"https://a.org/{at}" for at in range(1000)))), URL)
    assert listing is not None
    assert len(listing.entries) >= least
    assert listing.broken == why
    assert set(found(listing)) <= {f"/{at}" for at in range(1000)}


def test_entities_mean_nothing() -> None:
    laughs = b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9))
    body = (
        b'<!DOCTYPE x [<!ENTITY a "https://a.org/x">'
        + laughs
        + b'<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        + urlset("https://a.org/&j;", "https://a.org/&f;", "https://a.org/1", "https://a.org/?a=1&k=2")
    )
    assert found(sitemap(body, URL)) == ["/1", "/?a=1&k=2"]


def test_a_document_type_at_a_private_address_is_not_loaded() -> None:
    body = b'<!DOCTYPE urlset SYSTEM "http://127.0.0.1:9/x.dtd">' + urlset("https://a.org/1")
    assert found(sitemap(body, URL)) == ["/1"]


def test_limits() -> None:
    listing = sitemap(urlset(*(f"https://a.org/{at}" for at in range(MOST_ENTRIES + 10))), URL)
    assert listing is not None
    assert (len(listing.entries), listing.broken) == (MOST_ENTRIES, "too many entries")
    bomb = sitemap(gzip.compress(urlset("https://a.org/1") + b" " * MOST_BYTES, 1), URL)
    assert bomb is not None
    assert (found(bomb), bomb.broken) == (["/1"], "too long")
    assert sitemap(gzip.compress(b"") * 100_000, URL) is None


def test_feeds() -> None:
    rss = b"""<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><link>https://a.org/</link>
      <atom:link rel="self" href="https://a.org/feed"/>
      <item><title>x</title><link>https://a.org/1?a=1&amp;b=2</link><guid>urn:x:1</guid></item>
      <item><guid isPermaLink="true">https://a.org/2</guid></item>
      <item><link>/3</link>
        <enclosure type="application/pdf" url="/3.pdf"/><enclosure type="audio/mpeg" url="/3.mp3"/></item>
      </channel></rss>"""
    assert found(feed(rss, URL)) == ["/1?a=1&b=2", "/2", "/3", "/3.pdf"]
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.org/b/"><link href="/self"/>
      <entry><id>urn:1</id><link href="1"/><link rel="alternate" href="/2"/><link rel="edit" href="/no"/></entry>
      <entry xml:base="c/"><link href="3"/></entry></feed>"""
    assert found(feed(atom, URL)) == ["/b/1", "/2", "/b/c/3"]
    rdf = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
      <channel><link>https://a.org/</link></channel><item><link>https://a.org/1</link></item></rdf:RDF>"""
    assert found(feed(rdf, URL)) == ["/1"]
    assert sitemap(rss, URL) is None
    assert feed(b"<html><body>", URL) is None


def test_sitemaps_that_robots_txt_names() -> None:
    robots = b"Allow: /\r\nSITEMAP : https://a.org/1.xml # x\r\nAllow: /\rSitemap: /2.xml\nSitemap:\n# Sitemap: /3\n"
    assert of_robots(robots, "https://a.org/robots.txt") == ["https://a.org/1.xml", "https://a.org/2.xml"]


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"<urlset>", b"<rss><item><link>", b"\x1f\x8b", b"https://a.org/\n"])
)
def test_nothing_raises(body: bytes, begin: bytes) -> None:
    sitemap(begin + body, URL)
    feed(begin + body, URL)
    of_robots(begin + body, URL)
