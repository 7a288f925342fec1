"""Which URLs belong to a crawl: by host, port, path and language, and which ones look like a trap."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase, translate
from typing import Any
from urllib.parse import quote

import xxhash

from harvesters.pages.links import LONGEST_LINK
from harvesters.pages.urls import Parts, refused, split

_PORTS = (None, 80, 443)
_NUMBER = re.compile(r"\d+")
_TOKEN = re.compile(r"(?=[0-9a-fA-F]{0,31}\d)[0-9a-fA-F]{8,}|\d+")
_LONG_TOKEN = re.compile(
    r"(?=[0-9a-fA-F]{0,39}[0-9])(?=[0-9a-fA-F]{0,39}[a-fA-F])[0-9a-fA-F]{16,}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_MONTH = re.compile(
    r"(?<![0-9A-Za-z])([12][0-9]{3})[-/](?:0?[1-9]|1[0-2])(?![0-9])|[?&](?:year|y|annee|jahr)=([12][0-9]{3})(?![0-9])"
)
_MOST_WAYS = 16
_MONTHS = 4
"""Part of the pages of one shape that those of months may be: a calendar has no first one."""
_TOKEN_HOPS = 3
_REFINEMENTS = 2
_OTHER_SUFFIXES = frozenset(
    """
    7z aac apk avi bmp bz2 css csv deb dmg doc docx eot epub exe flac flv gif gz ico ics iso jar jpeg jpg js json m4a
    m4v mid mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv otf png ppt pptx ps psd rar rpm rtf svg swf tar tgz tif
    tiff ttf wav webm webp wma wmv woff woff2 xls xlsx xz zip
    """.split()  # noqa: SIM905
)
"""Suffixes of what is neither page, PDF, XML nor text: links to them are not followed."""


def pattern(glob: str) -> re.Pattern[str]:
    """A glob over path and query, as a regular expression without backtracking over its stars. Characters that a URL
    spells in percent-encoding may be written as they are."""
    return re.compile(translate(quote(glob, safe="".join(map(chr, range(0x21, 0x7F))))))


class Hosts:
    """Hosts by glob; `*.example.org:8080` also allows its port, on any host of the crawl."""

    def __init__(self, globs: Sequence[str], named: Sequence[Parts]) -> None:
        places = [glob.lower().rpartition(":") if _has_port(glob) else ("", "", glob.lower()) for glob in globs]
        self._globs = [host if colon else last for host, colon, last in places]
        if not globs:
            names = {parts.host for parts in named}
            self._globs = sorted(names | {twin(name) for name in names})
        self._exact = {glob for glob in self._globs if "*" not in glob and "?" not in glob}
        self._globs = [glob for glob in self._globs if glob not in self._exact]
        self._ports = {*_PORTS, *(int(last) for _, colon, last in places if colon), *(parts.port for parts in named)}

    def __contains__(self, parts: Parts) -> bool:
        host = parts.host
        return parts.port in self._ports and (
            host in self._exact or any(fnmatchcase(host, glob) for glob in self._globs)
        )


def _has_port(glob: str) -> bool:
    return bool(re.search(r":\d{1,5}$", glob)) and not (glob.count(":") > 1 and not glob.startswith("["))


def twin(host: str) -> str:
    """The same host with `www.`, or without."""
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


class Scope:
    """What links of a page, entries of sitemaps and targets of redirects must be to be asked for."""

    def __init__(
        self, hosts: Hosts, include: Sequence[str], exclude: Sequence[str],
        path_segments: int, segment_repeats: int, parameters: int, speaks: Callable[[str], bool] | None,
    ) -> None:  # fmt: skip
        self.hosts = hosts
        self._include, self._exclude = [*map(pattern, include)], [*map(pattern, exclude)]
        self._path_segments, self._segment_repeats, self._parameters = path_segments, segment_repeats, parameters
        self._speaks = speaks

    def page(self, url: str, parts: Parts | None = None) -> str | None:
        """Why a page's normalised URL is out of scope, in a few words; None if it is in."""
        parts = parts or split(url, whole=True)
        if parts is None or parts not in self.hosts:
            return "host out of scope"
        where = parts.path if parts.query is None else f"{parts.path}?{parts.query}"
        if self._include and not any(glob.match(where) for glob in self._include):
            return "path out of scope"
        if any(glob.match(where) for glob in self._exclude):
            return "path out of scope"
        if reason := self._trap(url, parts):
            return reason
        if self._speaks and not self._speaks(url):
            return "language out of scope"
        return refused(url)

    def _trap(self, url: str, parts: Parts) -> str | None:
        """What no honest path looks like. Numbers may repeat: /2024/01/01/01."""
        if len(url) > LONGEST_LINK:
            return "trap: long URL"
        segments = parts.path.split("/")[1:]
        if len(segments) > self._path_segments:
            return "trap: deep path"
        if len(segments) - len(set(segments)) >= self._segment_repeats:
            commonest = Counter(segment for segment in segments if not segment.isdigit()).most_common(1)
            if commonest and commonest[0][1] > self._segment_repeats:
                return "trap: repeated path segment"
        if parts.query and parts.query.count("&") >= self._parameters:
            return "trap: many parameters"
        return None


def other_suffix(path: str) -> bool:
    """Whether a path ends like an image, a program, an archive ...; `File:Map.jpg` is a wiki's page about one."""
    name, dot, suffix = path[path.rfind("/") + 1 :].rpartition(".")
    return bool(dot) and ":" not in name and suffix.lower() in _OTHER_SUFFIXES


def shape(parts: Parts) -> str | None:
    """What pages of one kind have in common: host and path with numbers and tokens taken out, the query left out; None
    for a URL without either, of which there is but one."""
    if parts.query is None and not _NUMBER.search(parts.path):
        return None
    return f"{xxhash.xxh32_intdigest(parts.host + _TOKEN.sub('0', parts.path)):08x}"


class Way:
    """What led to a page, as far as it tells a trap from a site: how many pages of each shape, and how often in a row
    the query only grew. It travels in the notes of tasks, so it is the same after any restart."""

    def __init__(self, note: Mapping[str, Any], page: Parts, hops: int, year: int) -> None:
        """`note` of the page's task; `hops`: most pages of one shape; `year`: that of today."""
        self._page, self._hops, self._year = page, hops, year
        self._refined = int(note.get("refined", 0))
        self._pairs = page.query.split("&") if page.query else []
        self._shape = shape(page)
        self._counts = {str(key): int(count) for key, count in note.get("ways", {}).items()}
        if self._shape:
            self._counts[self._shape] = self._counts.get(self._shape, 0) + 1
        if len(self._counts) > _MOST_WAYS:
            commonest = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
            self._counts = dict(commonest[:_MOST_WAYS])
        self._plain: dict[str, Any] = {"ways": self._counts} if self._counts else {}

    def to(self, parts: Parts) -> dict[str, Any] | str:
        """The note of a task for a link of the page; if it leads on into a trap, which one."""
        month = _MONTH.search(parts.path if parts.query is None else f"{parts.path}?{parts.query}")
        if month and int(month[1] or month[2]) > self._year + 1:
            return "trap: month far ahead"
        key = shape(parts) if self._counts else None
        if key is None:
            return self._plain
        count = self._counts.get(key, 0)
        if count >= (self._hops // _MONTHS if month else self._hops):
            return "trap: same path"
        if count >= _TOKEN_HOPS and _has_token(parts):
            return "trap: token"
        if key == self._shape and self._grows(parts):
            if self._refined >= _REFINEMENTS:
                return "trap: growing query"
            return {**self._plain, "refined": self._refined + 1}
        if key == self._shape and self._refined:
            return {**self._plain, "refined": self._refined}
        return self._plain

    def _grows(self, parts: Parts) -> bool:
        """Whether a link only adds to the page's query: red, red and small, red and small and cheap ..."""
        if not self._pairs or not parts.query:
            return False
        pairs = parts.query.split("&")
        return len(pairs) > len(self._pairs) and set(self._pairs) <= set(pairs)


def _has_token(parts: Parts) -> bool:
    """Whether a URL has what looks like a session or a random number: 16 hexadecimal digits, a UUID."""
    return bool(_LONG_TOKEN.search(parts.path) or (parts.query and _LONG_TOKEN.search(parts.query)))
