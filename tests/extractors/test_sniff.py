"""Formats by bytes, declared type and name, in this order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.record import Format
from extractors.sniff import no_document, sniff

HTML = "<!doctype html><html lang=fr><p>Texte"


@pytest.mark.parametrize(
    ("payload", "mime", "url", "expected"),
    [
        (HTML.encode(), None, None, "html"),
        (HTML.encode("utf-16"), "text/plain", None, "html"),
        (HTML.encode("utf-16-le"), "text/html", None, "html"),
        (b"\xef\xbb\xbf  " + HTML.encode(), "application/octet-stream", None, "html"),
        (b"<!-- made by hand -->\n<HTML>", "text/plain", None, "html"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'>\n<html>", "text/xml", None, "html"),
        (b"<?xml version='1.0'?><html xmlns='x'>", "application/xhtml+xml", None, "html"),
        (b"<html>", "image/png", None, "html"),
        (b"var a = 1;", "text/html", None, "html"),
        (b"<p>a<p>b", "application/octet-stream", None, "html"),
        (b"<html>a stray \0 NUL" + b"x" * 500, "text/html", None, "html"),
        (b"no tags at all", "text/html", None, "html"),
        (b"%PDF-1.4", "text/html", None, "pdf"),
        (b"\n\njunk %PDF-1.7", None, None, "pdf"),
        (b"<html>how %PDF-1.7 files begin", "text/html", None, "html"),
        (b"<?xml version='1.0'?><article/>", None, None, "xml"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><law/>", "text/html", None, "xml"),
        (b"<article xmlns='x'/>", "application/xml", None, "xml"),
        (b"<doc/>", None, "a/b.xml", "xml"),
        (b"words", "text/plain", None, "txt"),
        (b"words", None, "notes.txt", "txt"),
        (b"OTTO is a name", None, "otto.txt", "txt"),
        (b"The <html> tag </html>", "text/plain", None, "txt"),
        (b"words", None, "http://a.b/page.html?x=1", "html"),
        (b"words", None, "http://a.b/no-name", None),
        (b"words", None, "http://[bad", None),
        (b"words", "application/pdf", "a.pdf", None),
        (b'{"a": "<div>"}', "application/json", None, None),
        (b"a { color: red }", "text/css", "a.html", None),
        (b"var a = '<div>'", "application/javascript", None, None),
        (b"\x89PNG\r\n\x1a\n", "text/html", None, None),
        (b"PK\x03\x04", "text/html", "a.html", None),
        (bytes(range(256)), "text/html", None, None),
        (b"", "text/html", None, "html"),
        (b"", None, None, None),
    ],
)
def test_sniff(payload: bytes, mime: str | None, url: str | None, expected: str | None) -> None:
    assert sniff(payload, mime, url) == expected


OAI = b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/' xmlns:xsi='x'><responseDate>"
RESULTS = b"<sparql xmlns='http://www.w3.org/2005/sparql-results#'><head/>"
SITEMAP = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url>'
ATOM = b"<feed xml:lang='fr' xmlns='http://www.w3.org/2005/Atom'>"


@pytest.mark.parametrize(
    ("payload", "format", "expected"),
    [
        (b"<?xml version='1.0'?><rss version='2.0'>", "xml", "application/rss+xml"),
        (b"<rdf:RDF xmlns:rdf='x'>", "xml", "application/rdf+xml"),
        (ATOM, "xml", "application/atom+xml"),
        (b"<!-- x --><urlset>", "xml", "application/sitemap+xml"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'x'><svg>", "xml", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<?xml-stylesheet href='a.xsl'?>" + OAI, "xml", "application/oai-pmh+xml"),
        (b"<oai:OAI-PMH xmlns:oai='http://www.openarchives.org/OAI/2.0/'>", "xml", "application/oai-pmh+xml"),
        (RESULTS, "xml", "application/sparql-results+xml"),
        (RESULTS, "html", "application/sparql-results+xml"),
        (OAI, "txt", "application/oai-pmh+xml"),
        (SITEMAP, "html", "application/sitemap+xml"),
        (SITEMAP.decode().encode("utf-16"), "txt", "application/sitemap+xml"),
        (ATOM, "html", "application/atom+xml"),
        (b"<feed>me</feed>", "html", None),
        (b"<svg><path/></svg><p>a page</p>", "html", None),
        (b"<sparql> is what I call it", "txt", None),
        (b"<article>", "xml", None),
        (b"", "xml", None),
        (OAI, None, None),
        (b"%PDF-1.4", "pdf", None),
    ],
)
def test_markup_that_is_no_document(payload: bytes, format: Format | None, expected: str | None) -> None:
    assert no_document(payload, format) == expected


@given(st.binary(max_size=600), st.sampled_from([None, "text/html", "text/xml", "text/plain"]), st.text(max_size=20))
def test_any_bytes_have_an_answer(payload: bytes, mime: str | None, url: str) -> None:
    assert sniff(payload, mime, url) in ("html", "pdf", "xml", "txt", None)
    markup = payload.replace(b"\0", b"").replace(b"%PDF-", b"")  # a PDF may begin after other bytes
    assert sniff(b"<html>" + markup, mime, url) == "html"
