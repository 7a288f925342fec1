"""What a page points to and says of itself: links, language, whether they may be followed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from extractors.encoding import decode
from extractors.language_tag import primary_subtag
from harvesters.pages.tags import tags
from harvesters.pages.urls import normalise

MOST_BYTES = 4 << 20
"""Of a page, for links; what stands behind is not looked at."""
MOST_LINKS = 10_000
_MOST_TAGS = 100_000
LONGEST_LINK = 2_048
"""Longest URL that is followed from a page: what sitemaps may hold. Longer ones carry a state, not an address."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.I)
_REFRESH = re.compile(r"\s*[\d.]+[;,\s]+(?:url\s*=\s*)?[\"']?([^\"']+)", re.I)
_AGENT = "florilege"
_TAGS = frozenset({"a", "area", "link", "frame", "iframe", "meta", "base", "html"})
_ATTRIBUTES = frozenset({"href", "src", "rel", "hreflang", "type", "name", "content", "http-equiv", "lang", "xml:lang"})
_FOLLOWED_RELS = frozenset({"alternate", "next", "prev", "previous", "canonical"})
_NO_LINKS = frozenset({"stylesheet", "preload", "prefetch", "icon", "manifest"})
_FEED_TYPES = ("application/rss+xml", "application/atom+xml")
_PLAIN_TYPES = ("", "text/html", "application/xhtml+xml", "application/pdf", "text/plain")


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that a page points to, normalised."""

    url: str
    language: str | None = None
    """`hreflang`, as a BCP 47 primary subtag."""
    nofollow: bool = False
    feed: bool = False
    """Whether it is announced as an RSS or Atom feed."""


@dataclass(slots=True)
class Page:
    """What a page points to and says of itself."""

    links: list[Link] = field(default_factory=list)
    """Each URL once, in the page's order, at most MOST_LINKS."""
    languages: frozenset[str] = frozenset()
    """Declared languages, BCP 47 primary subtags: of `<html lang>`, else of Content-Language. Empty: undeclared."""
    nofollow: bool = False
    """Whether the page asks that none of its links be followed."""


def page(body: bytes, url: str, headers: Mapping[str, str]) -> Page:
    """Links and language of an HTML page at `url`; `headers` by lower-case name. Never raises.

    Links are those of `a`, `area`, `frame`, `iframe`, `link` (alternate, next, prev, canonical) and a refresh, against
    `<base href>`; nofollow comes from `rel`, a `robots` or `florilege` meta element, and X-Robots-Tag.
    """
    charset = _CHARSET.search(headers.get("content-type", ""))
    text, how = decode(body[:MOST_BYTES], charset[1] if charset else None)
    encoding = how.rpartition(" ")[2]
    encoding = "utf-8" if encoding.startswith("utf-") else encoding
    read = Page(nofollow=_header_nofollow(headers.get("x-robots-tag", "")))
    base: str | None = None
    declared = ""
    found: dict[str, Link] = {}
    for tag, attributes in islice(tags(text, _TAGS, _ATTRIBUTES), _MOST_TAGS):
        if tag == "html":
            declared = declared or attributes.get("lang") or attributes.get("xml:lang") or ""
        elif tag == "base":
            base = base or ("href" in attributes and normalise(attributes["href"], url, whole=True)) or None
        elif tag == "meta" and _meta(attributes, read):
            continue
        elif (link := _link(tag, attributes, base or url, encoding)) and _better(found.get(link.url), link):
            found[link.url] = link
            if len(found) >= MOST_LINKS:
                break
    read.links = list(found.values())
    if language := primary_subtag(declared):
        read.languages = frozenset({language})
    elif not read.languages:
        read.languages = languages(headers.get("content-language", ""))
    return read


def languages(value: str) -> frozenset[str]:
    """The languages of a Content-Language field: `fr, en-GB` is fr and en."""
    return frozenset(tag for part in value[:500].split(",") if (tag := primary_subtag(part)))


def _better(known: Link | None, link: Link) -> bool:
    """Whether a link says more than the one that is known: one follow is enough to follow."""
    return known is None or (known.nofollow and not link.nofollow)


def _link(tag: str, attributes: Mapping[str, str], base: str, encoding: str) -> Link | None:
    relations = frozenset(attributes.get("rel", "").lower().split())
    if tag == "link" and (relations & _NO_LINKS or not relations & _FOLLOWED_RELS):
        return None
    mime = attributes.get("type", "").partition(";")[0].strip().lower() if tag == "link" else ""
    if mime not in _PLAIN_TYPES and mime not in _FEED_TYPES:
        return None
    target = attributes.get("src" if tag in ("frame", "iframe") else "href")
    if tag == "meta":
        refresh = _REFRESH.match(attributes.get("content", "")[: 2 * LONGEST_LINK])
        target = refresh[1] if refresh else None
    if not target or target.startswith("#"):
        return None
    url = normalise(target, base, encoding=encoding)
    if url is None or len(url) > LONGEST_LINK:
        return None
    return Link(url, primary_subtag(attributes.get("hreflang")), "nofollow" in relations, mime in _FEED_TYPES)


def _meta(attributes: Mapping[str, str], read: Page) -> bool:
    """Note what a meta element says of the page; False for a refresh, which is a link."""
    if attributes.get("name", "").strip().lower() in ("robots", _AGENT):
        read.nofollow |= bool({"nofollow", "none"} & set(re.split(r"[\s,]+", attributes.get("content", "").lower())))
    equivalent = attributes.get("http-equiv", "").strip().lower()
    if equivalent == "content-language":
        read.languages = languages(attributes.get("content", ""))
    return bool(equivalent != "refresh")


def _header_nofollow(value: str) -> bool:
    """X-Robots-Tag: `nofollow`, or `florilege: nofollow`; what is said to other agents is not for us."""
    agent = ""
    for part in value.lower().split(","):
        name, colon, rest = part.rpartition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"):
            agent, part = name.strip(), rest
        if agent in ("", _AGENT) and part.strip() in ("nofollow", "none"):
            return True
    return False
