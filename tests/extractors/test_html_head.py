from datetime import UTC, datetime

import pytest
from lxml.html import document_fromstring

from extractors.html_head import read
from extractors.record import Extract


def head(inner: str, body: str = "<p>text</p>", url: str | None = None, fetched: datetime | None = None) -> Extract:
    return read(document_fromstring(f"<html><head>{inner}</head><body>{body}</body></html>"), url, fetched)


def linked(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'


@pytest.mark.parametrize(
    ("inner", "body", "title"),
    [
        ("<title>Page | Site</title>", "<h1>One \n heading</h1>", "One heading"),
        ("<title>Page | Site</title>", "<h1>One</h1><h1>Two</h1>", "Page | Site"),
        ('<title>t</title><meta property="og:title" content="Open">', "<h1>One</h1><h1>Two</h1>", "Open"),
        (linked('{"@type": "NewsArticle", "headline": "Headline"}') + "<title>t</title>", "", "Headline"),
        ("", "<h1>One</h1><h1>Two</h1>", "One"),
        ("<title> </title>", "<h1></h1>", None),
        ("", "<svg><title>icon</title></svg><h1>Module¶</h1>", "Module"),
    ],
)
def test_title(inner: str, body: str, title: str | None) -> None:
    assert head(inner, body).title == title


@pytest.mark.parametrize(
    ("inner", "body", "authors"),
    [
        ('<meta name="author" content="Ada Lovelace">', "", ["Ada Lovelace"]),
        ('<meta name="citation_author" content="A"><meta name="citation_author" content="B">', "", ["A", "B"]),
        (linked('{"@type": "Article", "author": [{"name": "A"}, "B", {"name": ["C", 1]}]}'), "", ["A", "B", "C"]),
        ('<meta property="article:author" content="https://example.org/ada">', "", []),
        ("", '<a rel="author" href="/ada">Ada  Lovelace</a>', ["Ada Lovelace"]),
        ('<meta name="author" content="A"><meta name="author" content="A">', "", ["A"]),
        ('<meta name="author" content="By Ada Lovelace">', "", ["Ada Lovelace"]),
        ("", '<div class="byline">Von  Ada Lovelace</div>', ["Ada Lovelace"]),
        ("", '<p class="byline">By Ada Lovelace, 3 May 2010</p><span class="author-name">Ada</span>', ["Ada"]),
        ("", '<div class="author">Ada wrote this long ago and then some more of it</div>', []),
        ("", '<div class="coauthored">Ada Lovelace</div>', []),
    ],
)
def test_authors(inner: str, body: str, authors: list[str]) -> None:
    assert head(inner, body).authors == authors


@pytest.mark.parametrize(
    ("inner", "body", "url", "date"),
    [
        (linked('{"@graph": [{"@type": "Article", "datePublished": "2021-03-04T10:00Z"}]}'), "", None, "2021-03-04"),
        ('<meta property="article:published_time" content="2020-12-31T23:00:00+01:00">', "", None, "2020-12-31"),
        ('<meta name="citation_publication_date" content="2019/07/01">', "", None, "2019-07-01"),
        ('<meta name="DC.Date" content="1998">', "", None, "1998"),
        ('<meta name="date" content="2021-02-31">', "", "https://example.org/2020/5/6/news.html", "2020-05-06"),
        ("", '<time pubdate datetime="2015-01-02 03:04">', None, "2015-01-02"),
        ("", "<p>Published on 12 March 2014 by the editors</p>", None, None),
        ("", '<span class="published">2014-03-12</span>', None, "2014-03-12"),
    ],
)
def test_date(inner: str, body: str, url: str | None, date: str | None) -> None:
    assert head(inner, body, url).date == date


def test_no_date_after_the_capture_is_believed() -> None:
    meta = '<meta name="date" content="2031-01-01"><meta name="dc.date" content="2020-01-01">'
    assert head(meta, fetched=datetime(2024, 5, 6, tzinfo=UTC)).date == "2020-01-01"


@pytest.mark.parametrize(
    ("attributes", "meta", "language"),
    [
        ('lang="FR-ca"', "", "fr"),
        ('xml:lang="de"', "", "de"),
        ('lang="zh_TW"', "", "zh"),
        ('lang=""', '<meta http-equiv="Content-Language" content="pl, en">', "pl"),
        ("", '<meta property="og:locale" content="el_GR">', "el"),
        ('lang="english"', "", None),
        ('lang="fil"', "", "fil"),
        ('lang="eng"', "", "en"),
        ('lang="und"', '<meta name="dc.language" content="ger">', "de"),
    ],
)
def test_declared_language(attributes: str, meta: str, language: str | None) -> None:
    tree = document_fromstring(f"<html {attributes}><head>{meta}</head><body><p>x</p></body></html>")
    assert read(tree).language == language


@pytest.mark.parametrize(
    ("inner", "body", "meta"),
    [
        ('<link rel="license" href="https://a.example/l">', "", {"licence": "https://a.example/l"}),
        ("", '<a rel="license noopener" href="/terms">', {"licence": "/terms"}),
        ("", '<a href="http://creativecommons.org/licenses/by/4.0/">', {}),
        ("", "".join(f'<a rel=license href="http://cc.example/{v}/">' for v in (3, 4, 3)),
         {"licence": "http://cc.example/3/", "licences": ["http://cc.example/3/", "http://cc.example/4/"]}),
        ('<meta name="DC.rights" content="CC BY-SA 4.0"><meta name="dcterms.rights" content="(c) Ann">', "",
         {"licence": "CC BY-SA 4.0"}),
        (linked('{"@type": "Article", "license": ["https://b.example", 3]}'), "", {"licence": "https://b.example"}),
        (linked('{"@type": "Article", "license": {"url": "https://b.example"}}'), "",
         {"licence": "https://b.example"}),
        (linked('{"@type": "Article", "license": "https://b.example"}'), "", {"licence": "https://b.example"}),
        ('<meta name="ROBOTS" content="noindex"><meta name="robots" content="noai">', "", {"robots": "noindex, noai"}),
        ('<meta name="CCBot" content="noindex"><meta name="googlebot" content="none">', "",
         {"robots": "ccbot: noindex"}),
        ('<meta name="robots" content="index"><meta name="ccbot" content="nofollow">', "",
         {"robots": "index\nccbot: nofollow"}),
        ('<meta name="tdm-policy" content="https://a.example/p">', "", {"tdm_policy": "https://a.example/p"}),
        ('<meta name="tdm-reservation" content="1">', "", {"tdm_reservation": "1"}),
        ('<meta name="tdm-reservation" content="0">', "", {"tdm_reservation": "0"}),
        ("", '<div id="wp-translate"></div>', {"mt_plugin": "wp-translate"}),
        ("", "<p>We compare gtranslate with weglot.</p>", {}),
    ],
)  # fmt: skip
def test_wishes_and_marks(inner: str, body: str, meta: dict[str, str]) -> None:
    assert head(inner, body).meta == meta


@pytest.mark.parametrize(
    "script",
    ["{", "[" * 20_000, '{"@type": {"a": 1}}', '{"@type": "Article", "author": 3, "headline": [], "license": {}}',
     '{"@graph": {"@graph": {"@graph": null}}}', "null", '"Article"'],
)  # fmt: skip
def test_broken_linked_data_is_passed_over(script: str) -> None:
    found = head(linked(script) + "<title>Title</title>")
    assert found == Extract(title="Title")


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    half = r'"Ann \ud83d"'
    found = head(linked(f'{{"@type": "Article", "author": {half}, "headline": {half}, "license": {half}}}'))
    assert (found.title, found.authors, found.meta) == ("Ann ?", ["Ann ?"], {"licence": "Ann ?"})


def test_tree_is_left_as_it_was() -> None:
    from lxml.html import tostring

    tree = document_fromstring("<html><head><title>a</title></head><body><h1>b</h1><p>1 May 2010</p></body></html>")
    before = tostring(tree)
    read(tree)
    assert tostring(tree) == before
