"""True titles and texts of the demo's documents, from the TOML files that they are made of."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

from flows.demo import acts, articles
from flows.demo.pages import LANGUAGES


class Truth(NamedTuple):
    title: str
    text: str


def pages() -> dict[str, Truth]:
    """By url, the pages with a text to read, their copies and near copies; the text is what stands below the title."""
    found = {}
    for language in LANGUAGES:
        for page in _read(f"pages.{language}.toml")["page"]:
            truth = Truth(page["title"], page["text"].strip())
            for address in (f"{page['site']}/{page['slug']}", *page.get("copies", ())):
                found[_url(address)] = truth
            if near := page.get("near"):
                found[_url(f"{near['site']}/{near['slug']}")] = Truth(page["title"], _changed(truth.text, near))
    garbage = _read("planted.toml")["garbage"]
    found[_url(f"{garbage['site']}/{garbage['slug']}")] = Truth(garbage["title"], garbage["text"].strip())
    return found


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("flows.demo") / "texts" / name).read_text(encoding="utf-8"))


def _url(address: str) -> str:
    site, _, slug = address.partition("/")
    return f"https://{site}.example/{slug}"


def _changed(text: str, near: dict[str, Any]) -> str:
    for old, new in near["changes"]:
        text = text.replace(old, new)
    return text


def legal() -> dict[str, Truth]:
    """By path without suffix, the acts: what the HTML and the PDF both say, without the journal's running head."""
    return {f"acts/{act.celex}/{act.language}": Truth(" ".join(act.titles), _act(act)) for act in acts.load()}


def _act(act: acts.Act) -> str:
    recitals = (f"({number}) {text}" for number, text in enumerate(act.recitals, 1))
    lines = [*act.titles, *act.opening, *recitals, act.adopting]
    for heading, title, paragraphs in act.articles:
        lines += [heading, title, *paragraphs]
    heading, title, rows = act.annex
    return "\n".join([*lines, *act.closing, heading, title, *(" ".join(cells) for cells in rows), act.note])


def scholarly(*, printed: bool) -> dict[str, Truth]:
    """By path without suffix, the articles, with all that only the printed page shows or without.

    A printed page has the title in both languages, authors, keywords and headings of abstracts; what is read of
    the XML has them beside its text, and the abstract in the article's language in it.
    """
    found = {}
    for article in articles.load():
        title = " ".join(line for line in (article["title"][article["language"]], article.get("subtitle")) if line)
        front = _printed_front(article) if printed else _front(article)
        text = "\n".join([title, *front, *_body(article)]).replace("[^", "").replace("]", "")
        found[f"articles/{article['id']}"] = Truth(title, text)
    return found


def _front(article: dict[str, Any]) -> Iterator[str]:
    yield article["abstract"][article["language"]]


def _printed_front(article: dict[str, Any]) -> Iterator[str]:
    language = article["language"]
    other = {"fr": "en", "en": "fr"}[language]
    yield article["title"][other]
    for first, last, place in article["authors"]:
        yield f"{first} {last}, {place}"
    for code in (language, other):
        abstract, keywords = {"fr": ("Résumé", "Mots-clés"), "en": ("Abstract", "Keywords")}[code]
        yield f"{abstract}. {article['abstract'][code]}"
        yield f"{keywords}: {', '.join(article['keywords'][code])}"


def _body(article: dict[str, Any]) -> Iterator[str]:
    for number, section in enumerate(article["section"], 1):
        yield f"{number}. {section['title']}"
        yield section["text"].strip()
    for number, note in enumerate(article["notes"], 1):
        yield f"{number}. {note}"
    yield {"fr": "Références", "en": "References"}[article["language"]]
    yield from article["references"]
