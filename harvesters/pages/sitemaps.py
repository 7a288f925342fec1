"""Lists of URLs that sites publish: sitemaps (XML, text, gzip), RSS and Atom feeds, `Sitemap:` lines of robots.txt."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from extractors.language_tag import primary_subtag
from harvesters.pages.urls import normalise

MOST_BYTES = 50 << 20
MOST_ENTRIES = 50_000
"""What the sitemap protocol allows for one file, uncompressed."""
_MOST_ELEMENTS = 2_000_000
_MOST_MEMBERS = 1_000
_CHUNK = 1 << 14
_LONGEST_TEXT = 8_000
_ROBOTS_BYTES = 500 << 10
_ROBOTS_SITEMAPS = 1_000
_SITEMAP_LINE = re.compile(rb"^[ \t]*sitemap[ \t]*:[ \t]*(\S{1,8000})", re.I | re.M)
_AMPERSAND = re.compile(
    rb"(<!\[CDATA\[.*?(?:\]\]>|\Z))|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)", re.S
)
_ENTITY = re.compile(rb"<!ENTITY\s{1,20}([^\s%&;<>\"']{1,100})")
_REFERENCE = re.compile(r"&[^\s%&;<>\"']{1,100};")
_DECLARATION = re.compile(r"\ufeff?\s*<\?xml[^>]{0,500}\?>")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T[\d:.]{5,20}(?:Z|[+-]\d\d:?\d\d)?)?)?)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """A URL of a list, normalised."""

    url: str
    changed: str = ""
    """`lastmod`, as written (ISO 8601), or empty."""
    language: str | None = None
    """`hreflang` of an alternate version."""


@dataclass(slots=True)
class Listing:
    """What a list of URLs names."""

    kind: Literal["pages", "sitemaps", "feed"]
    entries: list[Entry] = field(default_factory=list)
    """Each URL once, in the list's order, at most MOST_ENTRIES."""
    broken: str | None = None
    """Why there may be more than was read: the XML is not well-formed, too long, cut off."""


def sitemap(body: bytes, url: str) -> Listing | None:
    """A sitemap or an index of sitemaps at `url`, gzip or not; None if it is none. Never raises for a body."""
    return _listing(body, url, feeds=False)


def feed(body: bytes, url: str) -> Listing | None:
    """An RSS or Atom feed at `url`: the links of its items; a sitemap is taken too. None if it is neither."""
    return _listing(body, url, feeds=True)


def of_robots(body: bytes, url: str) -> list[str]:
    """Sitemaps that the robots.txt at `url` names, each once."""
    lines = _SITEMAP_LINE.finditer(body[:_ROBOTS_BYTES].replace(b"\r", b"\n"))
    found = (normalise(line[1].decode("utf-8", "replace"), url, whole=True) for line in lines)
    return list(dict.fromkeys(one for one in found if one))[:_ROBOTS_SITEMAPS]


def _listing(body: bytes, url: str, feeds: bool) -> Listing | None:
    body, broken = gunzip(body)
    if broken == "broken gzip":
        return Listing("pages", broken=broken)
    if len(body) > MOST_BYTES:
        body, broken = body[:MOST_BYTES], "too long"
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"\0" in body[:1024] and body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = b"<"
    listing = _xml(_plain(body), url, feeds) if start.startswith(b"<") else _text(body, url)
    if listing and broken:
        listing.broken = broken
    return listing


def gunzip(body: bytes) -> tuple[bytes, str | None]:
    """Bytes without one layer of gzip, at most MOST_BYTES + 1, and why they are not whole. Other bytes as they are."""
    if not body.startswith(b"\x1f\x8b"):
        return body, None
    parts: list[bytes] = []
    stream, room, members = zlib.decompressobj(31), MOST_BYTES + 1, 1
    for at in range(0, len(body), _CHUNK):
        chunk = body[at : at + _CHUNK]
        while chunk:
            try:
                parts.append(stream.decompress(chunk, room))
            except zlib.error:
                # Where the damage is cannot be told: what was inflated may be made of it.
                return b"", "broken gzip"
            room -= len(parts[-1])
            if room <= 0 or members > _MOST_MEMBERS:
                return b"".join(parts), "too long"
            chunk = stream.unused_data
            if stream.eof and chunk:
                stream, members = zlib.decompressobj(31), members + 1
    return b"".join(parts), None if stream.eof else "cut off"


def _text(body: bytes, url: str) -> Listing | None:
    """A text sitemap: a URL on each line, absolute. One line that is none makes it another kind of file."""
    listing = Listing("pages")
    found: dict[str, Entry] = {}
    lines = (line for line in body.decode("utf-8-sig", "replace").splitlines() if line.strip())
    for at, line in enumerate(lines):
        line = line.strip()
        if not _absolute(line):
            return None
        _add(found, line, url)
        if len(found) >= MOST_ENTRIES or at >= 2 * MOST_ENTRIES:
            listing.broken = "too many entries"
            break
    listing.entries = list(found.values())
    return listing if found else None


def _xml(body: bytes, url: str, feeds: bool) -> Listing | None:
    """What a parser with a `target` sees, which keeps no tree and resolves no entity; a damaged document is read as far
    as it can be."""
    from lxml import etree

    declared = [b"&%s;" % name for name in set(_ENTITY.findall(body))] if b"<!ENTITY" in body else []
    reader = _Reader(url, feeds, frozenset(name.decode("utf-8", "replace") for name in declared))
    parser = etree.XMLParser(
        target=reader, recover=True, resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    broken = None
    try:
        for at in range(0, len(body), _CHUNK):
            parser.feed(body[at : at + _CHUNK])
        parser.close()
    except _Enough as enough:
        broken = str(enough) or None
    except (etree.LxmlError, ValueError):
        broken = "broken XML"
    if reader.kind is None:
        return None
    reader.flush()
    damaged = any(error.level >= etree.ErrorLevels.ERROR for error in parser.feed_error_log)
    return Listing(reader.kind, list(reader.found.values()), broken or ("broken XML" if damaged else None))


class _Enough(Exception):
    """The rest need not be read: it is another kind of document, or has too much of something."""


class _Reader:
    """Collects entries from the parser's events."""

    def __init__(self, url: str, feeds: bool, entities: frozenset[str]) -> None:
        self.feeds, self._entities = feeds, entities
        self.kind: Literal["pages", "sitemaps", "feed"] | None = None
        self.found: dict[str, Entry] = {}
        self._elements = 0
        self._bases = [url]
        self._text: list[str] | None = None
        self._length = 0
        self._targets: list[tuple[str, str | None]] = []
        self._changed = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _Enough("too many elements")
        name = _local(tag)
        if self.kind is None:
            self.kind = _root(name, self.feeds)
            if self.kind is None:
                raise _Enough
        if self.kind == "feed" and name in ("rss", "channel", "feed", "item", "entry"):
            base = attributes.get("{http://www.w3.org/XML/1998/namespace}base")
            self._bases.append((normalise(base, self._bases[-1], whole=True) if base else None) or self._bases[-1])
        self._text = [] if name in ("loc", "lastmod", "link", "guid") else None
        self._length = 0
        if name in ("url", "sitemap", "item", "entry"):
            self._targets, self._changed = [], ""
        elif name == "link" and (target := attributes.get("href")):
            if "alternate" in attributes.get("rel", "alternate").lower().split():
                self._targets.append((target, attributes.get("hreflang")))
            self._text = None
        elif name == "enclosure" and attributes.get("type", "").lower() == "application/pdf":
            self._targets.append((attributes.get("url", ""), None))

    def data(self, data: str) -> None:
        if self._text is not None and self._length <= _LONGEST_TEXT:
            self._text.append(data)
            self._length += len(data)

    def end(self, tag: str) -> None:
        name = _local(tag)
        text = "".join(self._text).strip() if self._text is not None and self._length <= _LONGEST_TEXT else ""
        self._text = None
        if name == "lastmod":
            self._changed = text if _DATE.fullmatch(text) else ""
        elif text and (name in ("loc", "link") or (name == "guid" and _absolute(text))):
            self._targets.insert(0, (text, None)) if name == "loc" else self._targets.append((text, None))
        elif name in ("url", "sitemap", "item", "entry"):
            self.flush()
            if len(self.found) >= MOST_ENTRIES:
                raise _Enough("too many entries")
        if self.kind == "feed" and name in ("rss", "channel", "feed", "item", "entry"):
            self._bases.pop()

    def flush(self) -> None:
        """Take what the entry has so far: at its end, or where the document breaks off."""
        for target, language in self._targets:
            if self._entities and not self._entities.isdisjoint(_REFERENCE.findall(target)):
                continue  # what it stands for is not looked up, so this is no address
            _add(self.found, target, self._bases[-1], self._changed, primary_subtag(language))
        self._targets = []

    def close(self) -> None:
        return


def _root(name: str, feeds: bool) -> Literal["pages", "sitemaps", "feed"] | None:
    if name == "urlset":
        return "pages"
    if name == "sitemapindex":
        return "sitemaps"
    return "feed" if feeds and name in ("rss", "rdf", "feed") else None


def _plain(body: bytes) -> bytes:
    """The bytes with every `&` that begins no predefined reference escaped: `?a=1&b=2` as written by hand is read as
    meant, and entities that a document declares mean nothing."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = body.decode("utf-16", "replace")
        body = _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")
    return _AMPERSAND.sub(lambda match: match[1] or b"&amp;", body) if b"&" in body else body


def _absolute(text: str | None) -> bool:
    return (text or "").strip().startswith(("http://", "https://"))


def _add(found: dict[str, Entry], target: str, base: str, changed: str = "", language: str | None = None) -> None:
    url = normalise(target, base) if target else None
    if url and url not in found:
        found[url] = Entry(url, changed, language)


@lru_cache(maxsize=256)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].lower()
