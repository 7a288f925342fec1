import gzip
import json
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import html

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "html"
SENTENCES = [
    "The committee met on Tuesday to discuss the future of the old harbour and its many warehouses.",
    "Several members proposed that the largest of them should become a library for the whole town.",
    "Others were of the opinion that a market would bring more visitors during the winter months.",
    "No decision was taken, and the debate will be resumed when the surveyors have sent their report.",
]


def page(body: str, head: str = "", lang: str = "en") -> bytes:
    return f'<!DOCTYPE html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'.encode()


def article(extra: str = "") -> str:
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    menu = "<nav><ul>" + "".join(f'<li><a href="/{i}">Section {i}</a></li>' for i in range(9)) + "</ul></nav>"
    return f"{menu}<article><h1>The old harbour</h1>{paragraphs}{extra}</article><footer>Imprint</footer>"


def test_main_text_without_menus() -> None:
    found = html.extract(page(article()))
    assert found.text.split("\n") == SENTENCES
    assert found.markdown == "\n\n".join(["# The old harbour", *SENTENCES])
    assert (found.title, found.language, found.error) == ("The old harbour", "en", None)
    assert found.meta == {"encoding": "utf-8"}
    assert re.fullmatch(r"florilege html \d+", found.extractor)


def test_only_a_heading_that_is_the_title_is_no_text() -> None:
    found = html.extract(page(article().replace("The old", "A new") + "<h1>Other</h1>", "<title>Port</title>"))
    assert found.title == "Port"
    assert found.text.startswith("A new harbour\n")


def test_what_our_rules_do_not_find_trafilatura_may() -> None:
    posts = [{"cooked": f"<p>{sentence}</p>"} for sentence in SENTENCES * 2]
    topic = json.dumps({"topic_1": json.dumps({"post_stream": {"posts": posts}})}).replace('"', "&quot;")
    found = html.extract(page(f'<div id="data-preloaded" data-preloaded="{topic}"></div>'))
    assert SENTENCES[2] in found.text
    assert SENTENCES[2] in (found.markdown or "")
    assert re.fullmatch(r"trafilatura \d[\d.]+", found.extractor)


def test_article_that_only_scripts_show() -> None:
    said = json.dumps({"@type": "NewsArticle", "articleBody": "<p>" + "</p><p>".join(SENTENCES) + " &amp; \ud83d</p>"})
    found = html.extract(
        page("<div id=app>Loading the page.</div>", f'<script type="application/ld+json">{said}</script>')
    )
    assert found.text.split("\n") == [*SENTENCES[:3], SENTENCES[3] + " & ?"]


def test_markup_that_is_never_closed_is_read_to_its_end() -> None:
    found = html.extract(page("<font>" * 400 + article()))
    assert found.text.split("\n") == SENTENCES
    assert html.extract(page("<div>" * 3000 + article())).error == "html: Excessive depth in document: 2048"


def test_date_beside_the_text_where_none_is_declared() -> None:
    shown = article().replace("</h1>", "</h1><div>Posted on 12 March 2014, 10:30</div>")
    assert html.extract(page(shown)).date == "2014-03-12"
    early = datetime(2013, 1, 1, tzinfo=UTC)
    assert html.extract(page(shown), fetched=early).date is None


def test_tables_are_part_of_the_text_and_comments_are_not() -> None:
    table = "<table><tr><th>Port</th><th>Ships</th></tr><tr><td>Antwerp</td><td>1204</td></tr></table>"
    comments = '<div id="comments"><p>First! I was here before anybody else and want it known.</p></div>'
    text = html.extract(page(article(table) + comments)).text
    assert "Antwerp" in text
    assert "First!" not in text


def test_text_is_tidy() -> None:
    decomposed = "<p>Cafe\u0301 de la gare, trailing  \t <br>  second line of it \xa0 </p><p> \xa0 </p>"
    text = html.extract(page(article(decomposed))).text
    assert "Café" in text
    assert "\n\n" not in text
    assert not re.search(r"\s$|[ \t\xa0]\n", text)


def test_page_in_another_encoding() -> None:
    body = page("<article>" + "<p>Все люди рождаются свободными и равными в правах.</p>" * 5 + "</article>", lang="ru")
    found = html.extract(body.decode().encode("cp1251"), charset="iso-8859-1")
    assert found.text.startswith("Все люди рождаются")
    assert found.meta["encoding"] == "detector windows-1251"


@pytest.mark.parametrize("payload", [b"", b" \n\t", b"\0\0"], ids=["empty", "blank", "nul"])
def test_nothing_to_parse_is_an_error(payload: bytes) -> None:
    found = html.extract(payload)
    assert found.text == ""
    assert found.error == f"no markup and no text in {len(payload)} bytes"


@pytest.mark.parametrize(
    "payload",
    [page(""), page("<script>x()</script>"), b"<html>", b"<!-- only a comment -->", b"<frameset><frame src=a>"],
)
def test_page_without_main_text_is_no_error(payload: bytes) -> None:
    found = html.extract(payload)
    assert (found.text, found.error) == ("", None)


def test_fragment_is_read_like_a_page() -> None:
    assert html.extract(f"<p>{' '.join(SENTENCES)}</p>".encode()).text == " ".join(SENTENCES)


@pytest.mark.parametrize(
    "payload",
    [
        b"<html><body>" + b"<div>" * 20_000 + b"deep",
        b"<table><tr><td colspan='9e15' rowspan='-1'>" + b"<td>" * 500,
        b"<html><p " + b"a='" * 5_000,
        b"<html><body><p>" + b"&#x110000;&bogus;&#0;" * 50,
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><html><p>&b;</p></html>",
        b"\xff\xfe<\0h\0t",
        b"<html><script type='application/ld+json'>" + b"[" * 50_000 + b"</script><p>x",
        bytes(range(256)) * 40,
    ],
    ids=["deep", "spans", "attribute", "entities", "doctype", "half-utf16", "deep-json", "binary"],
)
def test_hostile_pages_give_an_extract(payload: bytes) -> None:
    found = html.extract(payload, url="http://[broken", charset="\x00")
    assert found.error is None or found.error.startswith("html: ")
    assert "\0" not in found.text


@given(st.text("<>/=\"' ap&;!-[]\n", max_size=120), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_markup_gives_an_extract(markup: str, whole: bool) -> None:
    found = html.extract(page(article(markup)) if whole else markup.encode())
    assert found.text == unicodedata.normalize("NFC", found.text)
    assert not any(line != line.rstrip() or not line for line in found.text.split("\n") if found.text)


def test_text_does_not_depend_on_the_pages_before() -> None:
    repeated = page(article("<p>All rights reserved by the port authority of the town, since long ago.</p>"))
    first = html.extract(repeated)
    for i in range(500):
        html.extract(page(article(f"<p>All rights reserved by the port authority of the town, {i % 7}.</p>")))
    assert html.extract(repeated) == first


def f1(found: str, gold: str) -> float:
    """Harmonic mean of precision and recall over bags of words; a Han or Kana character is a word."""
    word = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
    got, want = (Counter(word.findall(unicodedata.normalize("NFC", t).lower())) for t in (found, gold))
    hits = (got & want).total()
    return 2 * hits / (got.total() + want.total()) if hits else 0.0


@pytest.mark.real
def test_main_text_of_real_pages() -> None:
    if not DATA.exists():
        pytest.skip(f"no {DATA}")
    from warcio.archiveiterator import ArchiveIterator

    with gzip.open(DATA / "gold.jsonl.gz", "rt") as file:
        gold = {entry["url"]: entry["text"] for entry in map(json.loads, file)}
    scores = {}
    with (DATA / "pages.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type != "response":
                continue
            url = record.rec_headers["WARC-Target-URI"]
            found = html.extract(record.content_stream().read(), url=url)
            assert found.error is None
            scores[url] = f1(found.text, gold[url])
    assert len(scores) == len(gold)
    assert sum(scores.values()) / len(scores) >= FLOOR


FLOOR = 0.938
"""Mean F1 as measured, less 0.002."""
