"""What a page says about itself: title, authors, date, language, licence, and its wishes about use.

trafilatura's own metadata cost as much as its text; this reads the same facts from the places that name them.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, cast

from lxml.etree import XPath
from lxml.html import HtmlElement

from extractors import html_plugins
from extractors.language_tag import primary_subtag
from extractors.record import Extract

_LENGTH = 500
_JSON_LENGTH = 1 << 19
_LATEST = "2100-01-01"
"""A bound that is the same on every day of a run; htmldate's own is today."""

_TITLES = ("og:title", "citation_title", "dc.title", "twitter:title")
_AUTHORS = ("citation_author", "author", "dc.creator", "dcterms.creator", "article:author", "parsely-author")
_DATES = (
    "article:published_time", "citation_publication_date", "citation_date", "dc.date.issued", "dcterms.issued",
    "datepublished", "dc.date", "dcterms.date", "date", "pubdate", "publishdate", "publish-date", "parsely-pub-date",
    "sailthru.date", "og:article:published_time", "article.published",
)  # fmt: skip
_LANGUAGES = ("content-language", "dc.language", "dcterms.language", "og:locale", "language")
_ARTICLE = re.compile(r"(Article|Posting|Report|WebPage|Book|Thesis|Legislation|CreativeWork|Review|Recipe|Event)$")


def _finder(path: str) -> Callable[[HtmlElement], list[Any]]:
    return cast("Callable[[HtmlElement], list[Any]]", XPath(path, smart_strings=False))


_METAS = _finder("//meta[@content]")
_LD = _finder("//script[@type='application/ld+json']")
_H1 = _finder("//h1")
_TITLE = _finder("(//title)[1]")
_ROOT_LANGUAGE = XPath("string(/html/@lang | /html/@*[name()='xml:lang'])")
_TIMES = _finder("//time[@pubdate or @itemprop='datePublished' or contains(@class, 'publish')]/@datetime")
_PUBLISHED = _finder("//*[@itemprop='datePublished']/@content")
_REL_AUTHOR = _finder("//a[@rel='author'] | //*[@itemprop='author']//*[@itemprop='name']")
_BYLINES = _finder("//*[@itemprop='author' or @id='author' or contains(@class, 'uthor') or contains(@class, 'yline')]")
_BYLINE_TAGS = {"a", "span", "p", "div", "address", "strong"}
_BYLINE = re.compile(r"^(?:author|byline)$|(?:author|byline)[-_]{0,2}name|\b(?:post|entry|article)[-_]author", re.I)
_BY = re.compile(r"^(?:(?:written |posted )?by|von|par|por|di|door|av|af|autor(?:in)?|auteur|автор)\b[\s:]*", re.I)
_NO_NAME = re.compile(r"\d|[@|/©]|://")
_LICENCES = _finder("//a[contains(concat(' ', @rel, ' '), ' license ')]/@href"
                  " | //link[contains(concat(' ', @rel, ' '), ' license ')]/@href")  # fmt: skip
_RIGHTS = ("dc.rights", "dcterms.rights", "dcterms.license", "dc.rights.uri", "dc.rights.license")
_CC = re.compile(r"creativecommons\.org/|\bCC[ -]?(?:BY|0)\b", re.I)
_ROBOTS = ("ccbot", "ia_archiver")
"""Robots whose own directives are noted: those whose archives are read."""

_ISO = re.compile(r"((?:1[5-9]|20)\d\d)[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_YEAR = re.compile(r"\s*((?:1[5-9]|20)\d\d)(?:-\d\d)?\s*")
_URL_DATE = re.compile(r"/((?:19|20)\d\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?=[/-]|\.|$)")


def linked_data(tree: HtmlElement) -> list[dict[str, Any]]:
    """The articles and works that the page's JSON-LD describes."""
    return [item for script in _LD(tree) for item in _objects(script.text)]


def read(
    tree: HtmlElement,
    url: str | None = None,
    fetched: datetime | None = None,
    linked: list[dict[str, Any]] | None = None,
) -> Extract:
    """An Extract of a parsed page without its text; `tree` is left as it was.

    `url` helps to date the page, no date after `fetched` is believed, and `linked` is the page's `linked_data` where
    that is at hand. `meta` has, where the page declares them, `licence` (an address or a name), `licences` where there
    are several, `robots` (directives; `ccbot: ...` on a line of its own for that robot), `tdm_reservation` (`1` or
    `0`), `tdm_policy` and `mt_plugin` (a name).
    """
    named = _named(tree)
    linked = linked_data(tree) if linked is None else linked
    head = Extract(title=_title(tree, named, linked), authors=_authors(tree, named, linked))
    head.date = _date(tree, named, linked, url, fetched)
    head.language = next((t for value in _languages(tree, named) if (t := primary_subtag(value))), None)
    licences = _licences(tree, named, linked)
    for key, value in (
        ("licence", next(iter(licences), None)),
        ("licences", licences if len(licences) > 1 else None),
        ("robots", _directives(named)),
        ("tdm_reservation", next(iter(named.get("tdm-reservation", [])), None)),
        ("tdm_policy", next(iter(named.get("tdm-policy", [])), None)),
        ("mt_plugin", html_plugins.machine_translation(tree)),
    ):
        if value:
            head.meta[key] = value
    return head


def _named(tree: HtmlElement) -> dict[str, list[str]]:
    """The page's meta elements: {name, property, itemprop or http-equiv in lower case: contents in order}."""
    named: dict[str, list[str]] = {}
    for element in _METAS(tree):
        content = _clean(element.get("content"))
        for key in {element.get(a, "").strip().lower() for a in ("name", "property", "itemprop", "http-equiv")}:
            if key and content:
                named.setdefault(key, []).append(content)
    return named


def _clean(text: str | None) -> str:
    text = " ".join((text or "")[: 4 * _LENGTH].split())[:_LENGTH].rstrip("¶ ")
    # JSON may name half of a surrogate pair, which no file or table can hold.
    return text.encode("utf-8", "replace").decode()


def _objects(text: str | None) -> Iterator[dict[str, Any]]:
    """The articles and works that a JSON-LD script describes; nothing where it is no JSON."""
    if not text or len(text) > _JSON_LENGTH:
        return
    try:
        queue: deque[Any] = deque([json.loads(text, strict=False)])
    except (ValueError, RecursionError):
        return
    while queue:
        item = queue.popleft()
        if isinstance(item, list):
            queue.extendleft(reversed(item))
        elif isinstance(item, dict):
            kinds = item.get("@type")
            if any(isinstance(k, str) and _ARTICLE.search(k) for k in (kinds if isinstance(kinds, list) else [kinds])):
                yield item
            queue += [item[key] for key in ("@graph", "mainEntity") if key in item]


def _title(tree: HtmlElement, named: dict[str, list[str]], linked: list[dict[str, Any]]) -> str | None:
    """The only h1, else what the page tells others to call it, else its title element."""
    headings = [text for h1 in _H1(tree) if (text := _clean(h1.text_content()))]
    if len(headings) == 1:
        return headings[0]
    for name in _TITLES:
        if name in named:
            return named[name][0]
    titles = [_clean(item["headline"]) for item in linked if isinstance(item.get("headline"), str)]
    titles += [_clean(element.text_content()) for element in _TITLE(tree)]
    return next(filter(None, titles + headings), None)


def _authors(tree: HtmlElement, named: dict[str, list[str]], linked: list[dict[str, Any]]) -> list[str]:
    found = [_clean(name) for item in linked for name in _people(item.get("author"))]
    if not found:
        found = next((named[name] for name in _AUTHORS if any("://" not in v for v in named.get(name, []))), [])
    if not found:
        found = [_clean(element.text_content()) for element in _REL_AUTHOR(tree)[:20]]
    if not found:
        found = next(([name] for element in _BYLINES(tree)[:100] if (name := _byline(element))), [])
    found = [_BY.sub("", name) for name in found]
    return list(dict.fromkeys(name for name in found if name and "://" not in name and len(name) <= 120))


def _byline(element: HtmlElement) -> str | None:
    """The name in a byline that is nothing but one."""
    if element.tag not in _BYLINE_TAGS:
        return None
    if not ("author" in (element.get("itemprop"), element.get("id")) or _BYLINE.search(element.get("class", "")[:200])):
        return None
    name = _BY.sub("", _clean(element.text_content()))
    return name if 3 <= len(name) <= 60 and len(name.split()) <= 5 and not _NO_NAME.search(name) else None


def _people(author: Any) -> Iterator[str]:
    for person in (author if isinstance(author, list) else [author])[:100]:
        name = person.get("name") if isinstance(person, dict) else person
        for one in name if isinstance(name, list) else [name]:
            if isinstance(one, str):
                yield one


def _date(
    tree: HtmlElement,
    named: dict[str, list[str]],
    linked: list[dict[str, Any]],
    url: str | None,
    fetched: datetime | None,
) -> str | None:
    latest = latest_date(fetched)
    values = [item["datePublished"] for item in linked if isinstance(item.get("datePublished"), str)]
    values += [value for name in _DATES for value in named.get(name, [])]
    values += [*_PUBLISHED(tree), *_TIMES(tree)]
    dates = [iso for value in values if (iso := _iso(value))]
    if match := _URL_DATE.search(url or ""):
        dates.append(f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}")
    if found := next((iso for iso in dates if iso[:10] <= latest), None):
        return found
    from htmldate import find_date

    # Rules for pages that name no date outright; its slow search of the whole text adds little.
    guessed: str | None = find_date(tree, extensive_search=False, original_date=True, url=url, max_date=latest)
    return guessed


def latest_date(fetched: datetime | None) -> str:
    """ISO day after which no date of a page captured then is believed."""
    return fetched.date().isoformat() if fetched else _LATEST


def _iso(value: str) -> str | None:
    """`2021-03-04T10:00Z`, `2021/03/04` and `20210304` to a day, `2021` and `2021-03` to a year."""
    if match := _ISO.match(value.strip()):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            return None
    year = _YEAR.fullmatch(value)
    return year[1] if year else None


def _languages(tree: HtmlElement, named: dict[str, list[str]]) -> Iterator[str]:
    yield str(_ROOT_LANGUAGE(tree))
    for name in _LANGUAGES:
        yield from named.get(name, [])


def _directives(named: dict[str, list[str]]) -> str:
    """What the page asks of all robots, and on lines of their own what it asks of one."""
    lines = [", ".join(named.get("robots", []))]
    lines += [f"{name}: {', '.join(named[name])}" for name in _ROBOTS if name in named]
    return "\n".join(filter(None, lines))


def _licences(tree: HtmlElement, named: dict[str, list[str]], linked: list[dict[str, Any]]) -> list[str]:
    """The licences that the page gives as its own; a link in the text to a licence may speak of anything."""
    said = [_clean(href) for href in _LICENCES(tree)]
    for item in linked:
        given = item.get("license")
        for one in given if isinstance(given, list) else [given]:
            one = (one.get("url") or one.get("@id")) if isinstance(one, dict) else one
            said.append(_clean(one) if isinstance(one, str) else "")
    said += [value for name in _RIGHTS for value in named.get(name, []) if _CC.search(value)]
    return list(dict.fromkeys(filter(None, said)))[:20]
