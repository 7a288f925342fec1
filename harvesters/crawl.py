"""The crawl: from seeds, sitemaps and feeds to the pages and PDFs in scope."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from extractors.language_tag import primary_subtag
from extractors.sniff import no_document, sniff
from harvesters.harvester import Answer, Last, Outcome, Task
from harvesters.pages.links import Link, languages, page
from harvesters.pages.scope import Hosts, Scope, Way, other_suffix, twin
from harvesters.pages.sitemaps import Listing, feed, of_robots, sitemap
from harvesters.pages.urls import Parts, normalise, refused, split
from harvesters.settings import Table

_HOST_GLOB = re.compile(r"(?:[a-z0-9_*?.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LISTS_FIRST = 1_000
_PASSED = ("trap", "depth")
"""How reasons begin that are counted. Other links are out of scope, which is most of the web."""
_NESTED = 3
"""Indexes of sitemaps in indexes of sitemaps; the protocol allows none."""
_LISTS = ("application/sitemap+xml", "application/rss+xml", "application/atom+xml", "application/rdf+xml")
_CHALLENGES = (("x-amzn-waf-action", "challenge"), ("x-amzn-waf-action", "captcha"), ("cf-mitigated", "challenge"))


class Settings(Table):
    """The `[crawl]` table of a recipe."""

    seeds: tuple[str, ...] = ()
    """URLs of pages to begin with."""
    sitemaps: tuple[str, ...] = ()
    """URLs of sitemaps, or of indexes of them: XML, text, gzip."""
    feeds: tuple[str, ...] = ()
    """URLs of RSS or Atom feeds, whose items are asked for."""
    feeds_of_seeds: bool = True
    """Whether feeds are read too that the pages of seeds announce."""
    sitemaps_of_robots: bool = False
    """Whether sitemaps that a robots.txt names are read too."""
    hosts: tuple[str, ...] = ()
    """Hosts in scope, globs: `*.example.org`, `a.org:8080`. Default: those of the seeds, with `www.` and without."""
    include: tuple[str, ...] = ()
    """Globs over path and query (`/en/*`); only pages that match one are asked for. Seeds always are."""
    exclude: tuple[str, ...] = ()
    """Globs over path and query; pages that match one are not asked for."""
    depth: int = Field(100, ge=0, le=100_000)
    """Links from a seed, or from what a sitemap or feed lists; 0: these only."""
    languages: tuple[str, ...] = ()
    """BCP 47 primary subtags: pages that declare other languages are neither kept nor followed. Default: all."""
    language_from_path: bool = False
    """Whether links are passed over whose path names another language (`/de/`), as courlan reads it."""
    types: tuple[Literal["html", "pdf", "xml", "txt"], ...] = Field(("html", "pdf"), min_length=1)
    """What is kept, by its bytes first, then by its declared type."""
    follow_nofollow: bool = False
    """Whether links are followed that a page asks not to follow."""
    path_segments: int = Field(20, ge=1, le=1_000)
    """Trap: paths with more segments are not asked for."""
    segment_repeats: int = Field(3, ge=1, le=1_000)
    """Trap: nor those in which one segment, numbers aside, comes more often."""
    parameters: int = Field(10, ge=0, le=1_000)
    """Trap: nor queries with more parameters."""
    same_path_hops: int = Field(500, ge=1, le=100_000)
    """Trap: how many pages with one path, numbers and query aside, may lead to one another; where they name a month, a
    quarter of it."""

    @field_validator("seeds", "sitemaps", "feeds")
    @classmethod
    def _are_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_checked(url) for url in urls))

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST_GLOB.fullmatch(host.lower()):
                raise ValueError(f"{host!r} is no host; valid: example.org, *.example.org, example.org:8080")
        return tuple(host.lower() for host in hosts)

    @field_validator("include", "exclude")
    @classmethod
    def _are_globs(cls, globs: tuple[str, ...]) -> tuple[str, ...]:
        for glob in globs:
            if not glob.startswith(("/", "*")):
                raise ValueError(
                    f"{glob!r} matches no path; valid: globs that begin with / or *, such as /en/* or *.pdf"
                )
        return globs

    @field_validator("languages")
    @classmethod
    def _are_languages(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        for tag in tags:
            if primary_subtag(tag) != tag:
                raise ValueError(f"{tag!r} is no BCP 47 primary subtag; valid: fr, en, gsw ...")
        return tags

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Settings:
        if not (self.seeds or self.sitemaps or self.feeds):
            raise ValueError("nothing to begin with: name seeds, sitemaps or feeds")
        if self.language_from_path and not self.languages:
            raise ValueError("language_from_path needs languages")
        return self


def _checked(url: str) -> str:
    normal = normalise(url)
    if normal is None:
        raise ValueError(f"{url!r} is no http or https URL without user name")
    if reason := refused(normal):
        raise ValueError(f"{url!r} cannot be asked for: {reason}")
    return normal


class Harvester:
    """Follows links, sitemaps and feeds within the scope of the settings. Keeps nothing between answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        begin = settings.seeds or (*settings.sitemaps, *settings.feeds)
        named = [parts for url in begin if (parts := split(url, whole=True))]
        self._scope = Scope(
            Hosts(settings.hosts, named), settings.include, settings.exclude,
            settings.path_segments, settings.segment_repeats, settings.parameters, _speaks(settings),
        )  # fmt: skip
        self._languages = frozenset(settings.languages)
        self._headers = {"Accept-Language": accept_language(settings.languages)} if settings.languages else {}
        self.wants_robots = settings.sitemaps_of_robots
        """Whether answers for robots.txt are handed over too, as tasks of kind `robots`, for what follows from them."""

    def start(self, last: Last | None) -> Iterator[Task]:
        """Sitemaps and feeds first, then the seeds."""
        yield from (self._list_task(url, "sitemap") for url in self._settings.sitemaps)
        yield from (self._list_task(url, "feed") for url in self._settings.feeds)
        yield from (Task(url, headers=self._headers, note={"seed": True}) for url in self._settings.seeds)

    def answer(self, answer: Answer) -> Outcome:
        """Keeps what is in scope and follows what it points to."""
        kind = answer.task.kind
        if any(answer.headers.get(name, "").strip().lower() == value for name, value in _CHALLENGES):
            return Outcome("nothing", outcome="refused", reason="challenge page")
        if answer.status not in (200, 203):
            return Outcome()
        if answer.error:
            return Outcome(outcome="failed")
        if kind == "robots":
            return Outcome(next=self._of_robots(answer))
        return self._page(answer) if kind == "page" else self._list(answer, feed if kind == "feed" else sitemap)

    def admits(self, url: str, task: Task) -> str | None:
        """The same rules as for links; a seed may lead to any path of a host in scope, a list to its own host."""
        parts = split(url, whole=True)
        if parts is None:
            return "no URL"
        if reason := refused(url):
            return reason
        if task.kind in ("sitemap", "feed"):
            return None if self._list_may_be_at(parts, task.url) else "host out of scope"
        if task.kind == "robots":
            return None
        if task.note.get("seed"):
            known = url in self._settings.seeds or parts in self._scope.hosts
            return None if known else "host out of scope"
        return self._scope.page(url, parts)

    def hosts(self) -> list[str]:
        """Hosts of seeds, sitemaps and feeds."""
        begin = (*self._settings.seeds, *self._settings.sitemaps, *self._settings.feeds)
        return sorted({parts.host for url in begin if (parts := split(url))})

    def state(self) -> dict[str, Any]:
        """Nothing: validators are the archive's."""
        return {}

    def _page(self, answer: Answer) -> Outcome:
        found = sniff(answer.body, answer.mime, answer.url)
        other = no_document(answer.body, found)
        if other in _LISTS:
            return self._list(answer, feed)
        if found not in self._settings.types or other:
            return Outcome("nothing", outcome="refused", reason="media type out of scope")
        if found != "html":
            foreign = self._foreign(languages(answer.headers.get("content-language", "")))
            return self._language_refused([], {}) if foreign else Outcome()
        read = page(answer.body, answer.url, answer.headers)
        links: Iterable[Link] = read.links
        if not self._settings.follow_nofollow:
            links = [] if read.nofollow else [link for link in read.links if not link.nofollow]
        if self._foreign(read.languages):
            # Its versions in the languages of the crawl are why it was worth a look.
            return self._language_refused(
                *self._linked(answer, [link for link in links if link.language in self._languages])
            )
        follow, passed = self._linked(answer, links)
        return Outcome(next=follow, passed=passed)

    def _foreign(self, declared: frozenset[str]) -> bool:
        return bool(self._languages and declared and not declared & self._languages)

    def _language_refused(self, follow: list[Task], passed: Mapping[str, int]) -> Outcome:
        return Outcome("nothing", next=follow, outcome="refused", reason="language out of scope", passed=passed)

    def _linked(self, answer: Answer, links: Iterable[Link]) -> tuple[list[Task], Mapping[str, int]]:
        """A task for each link in scope, and how many are not followed all the same, by reason."""
        depth, here = answer.task.depth + 1, split(answer.url, whole=True)
        passed: Counter[str] = Counter()
        if here is None:
            return [], passed
        way = Way(answer.task.note, here, self._settings.same_path_hops, answer.fetched.year)
        tasks = []
        for link in links:
            parts = split(link.url, whole=True)
            if parts is None or parts not in self._scope.hosts or other_suffix(parts.path):
                continue
            if self._foreign(frozenset({link.language} if link.language else ())):
                continue
            if link.feed:
                if depth <= self._settings.depth and self._settings.feeds_of_seeds and answer.task.note.get("seed"):
                    tasks.append(self._list_task(link.url, "feed", via=answer.url))
                continue
            note = self._scope.page(link.url, parts) or way.to(parts)
            if not isinstance(note, str) and depth > self._settings.depth:
                note = "depth"
            if not isinstance(note, str):
                tasks.append(Task(link.url, "page", self._headers, note, depth, -depth, answer.url))
            elif note.startswith(_PASSED):
                passed[note] += 1
        return tasks, passed

    def _list(self, answer: Answer, read: Callable[[bytes, str], Listing | None]) -> Outcome:
        """A sitemap or a feed; also one that a page links to as if it were a page."""
        listing = read(answer.body, answer.url)
        if listing is None:
            return Outcome(outcome="failed", reason=f"no {answer.task.kind}")
        if listing.broken and not listing.entries:
            return Outcome(outcome="failed", reason=f"{answer.task.kind}: {listing.broken}")
        reason = f"read in part: {listing.broken}" if listing.broken else None
        if listing.kind == "sitemaps":
            return Outcome(next=self._sitemaps((entry.url for entry in listing.entries), answer), reason=reason)
        follow, passed = self._listed(listing, answer)
        return Outcome(next=follow, passed=passed, reason=reason)

    def _sitemaps(self, urls: Iterable[str], answer: Answer) -> list[Task]:
        depth = answer.task.depth + 1
        if depth > _NESTED:
            return []
        return [
            self._list_task(url, "sitemap", depth, answer.url)
            for url in urls
            if not refused(url) and (parts := split(url, whole=True)) and self._list_may_be_at(parts, answer.url)
        ]

    def _listed(self, listing: Listing, answer: Answer) -> tuple[list[Task], Mapping[str, int]]:
        """A task for each page in scope that a sitemap or feed lists, the newest first, in case there is a limit; and
        how many are not followed all the same, by reason."""
        tasks, passed = [], Counter[str]()
        for entry in sorted(listing.entries, key=lambda entry: entry.changed, reverse=True):
            parts = split(entry.url, whole=True)
            if parts is None or other_suffix(parts.path):
                continue
            if self._foreign(frozenset({entry.language} if entry.language else ())):
                continue
            why = self._scope.page(entry.url, parts)
            if why is None:
                tasks.append(Task(entry.url, headers=self._headers, via=answer.url))
            elif why.startswith(_PASSED):
                passed[why] += 1
        return tasks, passed

    def _of_robots(self, answer: Answer) -> list[Task]:
        parts = split(answer.task.url, whole=True)
        if not self.wants_robots or parts is None or parts not in self._scope.hosts:
            return []
        return self._sitemaps(of_robots(answer.body, answer.url), answer)

    def _list_may_be_at(self, parts: Parts, listed_by: str) -> bool:
        """A host in scope, or the one that names it: example.org may keep its sitemaps at a host of their own."""
        if parts in self._scope.hosts:
            return True
        by = split(listed_by, whole=True)
        return by is not None and by.port == parts.port and parts.host in (by.host, twin(by.host))

    def _list_task(self, url: str, kind: str, depth: int = 0, via: str | None = None) -> Task:
        return Task(url, kind, depth=depth, priority=_LISTS_FIRST, via=via)


def accept_language(tags: Iterable[str]) -> str:
    """`fr,en;q=0.9`: the recipe's order is the preference."""
    return ",".join(tag if not at else f"{tag};q={max(0.1, 1 - at / 10):.1f}" for at, tag in enumerate(tags))


def _speaks(settings: Settings) -> Callable[[str], bool] | None:
    """Whether a URL may be of one of the languages, by its path."""
    if not settings.language_from_path:
        return None
    from courlan.filters import lang_filter

    return lambda url: any(lang_filter(url, language) for language in settings.languages)
