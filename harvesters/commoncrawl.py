"""Common Crawl: captures chosen with SQL over an index, and fetched by byte range as the records that they are."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from catalog.errors import ConfigError
from extractors.sniff import sniff
from harvesters.harvester import Answer, Last, Outcome, Task
from harvesters.index import cdx
from harvesters.index import choose as ccindex
from harvesters.index import ranges as ccrecords
from harvesters.index import web_files as ccstore
from harvesters.index.choose import Choice, Found
from harvesters.index.ranges import Group, Member, Wanted
from harvesters.index.settings import Settings
from harvesters.pages.urls import normalise

__all__ = ["Harvester", "Settings"]

log = logging.getLogger("florilege.commoncrawl")

_REFUSED_S = 300.0
"""Wait after a 403, by which Common Crawl says that it was asked too often."""
_MAX_PAGES = 100_000
_READ = 4 << 20
"""Bytes of a request for a CDX file."""


class Harvester:
    """Tasks are `range` (records of a WARC file), `live` (a page that was cut off) and `pages` and `captures` (a CDX
    server's number of pages, and one of them)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.user_agent = "florilege"
        """By which an index is read; the process that harvests sets its own."""
        self._choice = Choice(
            settings.languages, settings.hosts, settings.domains, settings.tlds, settings.types, settings.statuses,
            settings.where, settings.limit,
        )  # fmt: skip

    def start(self, last: Last | None) -> Iterator[Task]:
        """The ranges to fetch, by file and offset; or the questions to a CDX server.

        Raises:
            ConfigError: there is no such index, or it cannot be read.
        """
        if self._settings.cdx_server:
            yield from self._questions()
        else:
            yield from self._ranges(self._found())

    def answer(self, answer: Answer) -> Outcome:
        kinds = {"range": self._range, "live": self._live, "pages": self._pages, "captures": self._captures}
        return kinds[answer.task.kind](answer)

    def admits(self, url: str, task: Task) -> str | None:
        if task.kind == "live":
            here, there = (urlsplit(address).hostname or "" for address in (task.url, url))
            same = here.removeprefix("www.") == there.removeprefix("www.")
            return None if same else "redirect to another host"
        base: str | None = self._settings.store if task.kind == "range" else self._settings.cdx_server
        return None if base and url.startswith(base) else "redirect to another store"

    def hosts(self) -> list[str]:
        addresses = [self._settings.store, self._settings.cdx_server or self._settings.store]
        addresses += filter(ccstore.is_web, self._settings.index)
        return sorted({urlsplit(address).hostname or "" for address in addresses})

    def state(self) -> dict[str, Any]:
        return {}

    # -- the index ----------------------------------------------------------------------------------------

    def _found(self) -> Iterator[Found]:
        if self._settings.crawl:
            remote: Any = ccstore.WebFiles(user_agent=self.user_agent, places=(self._settings.store,))
            files = self._files_of_crawl(self._settings.crawl, remote)
        else:
            files, remote = ccstore.find(tuple(self._settings.index), self.user_agent)
        tables = [name for name in files if name.endswith(".parquet")]
        if tables and len(tables) < len(files):
            raise ConfigError("[commoncrawl] index: parquet and CDX files, of which only one kind can be read at once")
        if tables:
            return ccindex.in_parquet(tables, remote, self._choice)
        return ccindex.in_lines(_lines(files, remote), self._choice)

    def _files_of_crawl(self, crawl: str, remote: ccstore.WebFiles) -> list[str]:
        """The parts of a crawl's columnar index: captures with status 200, and the others if they are asked for."""
        url = f"{self._settings.store}crawl-data/{crawl}/cc-index-table.paths.gz"
        wanted = ["warc"] if self._settings.statuses == (200,) else ["warc", "crawldiagnostics"]
        names = [
            name
            for name in ccstore.read_list(url, remote)
            if ccrecords.is_name(name) and name.endswith(".parquet") and any(f"/subset={s}/" in name for s in wanted)
        ]
        if not names:
            raise ConfigError(f"[commoncrawl] crawl = {crawl!r}: no index files are listed in {url}")
        return [self._settings.store + name for name in sorted(set(names))]

    # -- ranges -------------------------------------------------------------------------------------------

    def _ranges(self, found: Iterable[Found]) -> Iterator[Task]:
        refused: Counter[str] = Counter()
        chosen = 0

        def records() -> Iterator[tuple[str, str, Wanted]]:
            nonlocal chosen
            for line in found:
                checked = ccrecords.checked(line)
                if isinstance(checked, str):
                    refused[checked] += 1
                else:
                    chosen += 1
                    yield checked

        for group in ccrecords.groups(records()):
            yield self._task(group)
        log.info("%d records chosen from the index", chosen)
        for why, count in sorted(refused.items()):
            log.warning("%d lines of the index are passed over: their %s cannot be right", count, why)

    def _task(self, group: Group) -> Task:
        return Task(
            url=self._settings.store + group.filename,
            kind="range",
            headers={"Range": f"bytes={group.start}-{group.end - 1}"},
            note=group.note(),
            robots=False,
            once=True,
        )

    def _range(self, answer: Answer) -> Outcome:
        if answer.status == 403:
            return Outcome(
                store="nothing", outcome="failed", reason="refused by the store", retry_s=_REFUSED_S, rest=True
            )
        if answer.status in (404, 410, 416):
            reason = "range outside the file" if answer.status == 416 else "no such file"
            return Outcome(store="nothing", outcome="missing", reason=reason)
        group = Group.from_note(answer.task.note)
        if why := _not_the_range(answer, group):
            return Outcome(store="nothing", outcome="failed", reason=why)
        return self._records(answer, group)

    def _records(self, answer: Answer, group: Group) -> Outcome:
        """Cuts an answer into records. What is not there any more, because the answer was cut off, is asked for
        again, as long as that is less than before."""
        kept: list[Member] = []
        reasons: set[str] = set()
        lacking: list[Wanted] = []
        for record in group.records:
            data = answer.body[record.offset - group.start : record.end - group.start]
            if len(data) < record.length:
                lacking.append(record)
                continue
            found = ccrecords.member(record, data)
            if isinstance(found, str):
                reasons.add(f"record left out: {found}")
                continue
            kept.append(found)
            if found.remark:
                reasons.add(found.remark)
        following = [live for member in kept if (live := self._refetch(member, answer.task.url))]
        if len(group.records) > 1:
            parts = [lacking] if len(lacking) < len(group.records) else [[record] for record in lacking]
            following += [self._task(Group(group.filename, group.crawl, tuple(part))) for part in parts if part]
        elif lacking:
            reasons.add("record left out: cut off")
        reason = "; ".join(sorted(reasons)) or None
        if not kept:
            return Outcome("nothing", following, outcome="failed", reason=reason or "cut off, asked for again in parts")
        return Outcome(
            store="members",
            next=following,
            labels={"origin": group.crawl} if group.crawl else {},
            reason=reason,
            members=[member.data for member in kept],
            url=group.records[0].url if len(group.records) == 1 else None,
        )

    def _refetch(self, member: Member, via: str) -> Task | None:
        if not (member.truncated and self._settings.refetch_truncated):
            return None
        url = normalise(member.wanted.url)
        return Task(url=url, kind="live", via=via, once=True, priority=-1) if url else None

    def _live(self, answer: Answer) -> Outcome:
        """A page that was cut off, from its site: kept when it is whole now."""
        if answer.status in (404, 410):
            return Outcome(store="nothing", outcome="missing")
        if answer.status != 200 or answer.error:
            return Outcome(store="nothing", outcome="failed", reason="site did not give the page")
        if answer.truncated:
            return Outcome(store="nothing", outcome="failed", reason="cut off again")
        if sniff(answer.body, answer.mime or None, answer.url) not in ("html", "pdf"):
            return Outcome(store="nothing", outcome="refused", reason="neither HTML nor PDF")
        return Outcome()

    # -- a CDX server -------------------------------------------------------------------------------------

    def _questions(self) -> Iterator[Task]:
        asked = [("host", host) for host in self._settings.hosts]
        asked += [("domain", domain) for domain in self._settings.domains]
        for match, host in asked:
            query = {"url": host, "matchType": match, "output": "json"}
            yield self._question("pages", {**query, "showNumPages": "true"}, query)

    def _question(self, kind: str, query: dict[str, str], note: dict[str, str]) -> Task:
        url = f"{self._settings.cdx_server}{self._settings.crawl}-index?{urlencode(query)}"
        return Task(url=url, kind=kind, note=note, robots=False)

    def _pages(self, answer: Answer) -> Outcome:
        if why := _no_list(answer):
            return why
        try:
            count = json.loads(answer.body)
            pages = int(count["pages"] if isinstance(count, dict) else count)
        except (ValueError, TypeError, KeyError, RecursionError):
            return Outcome(store="nothing", outcome="failed", reason="no number of pages")
        if not 0 <= pages <= _MAX_PAGES:
            return Outcome(store="nothing", outcome="failed", reason="no sensible number of pages")
        query = dict(answer.task.note)
        following = [self._question("captures", {**query, "page": str(page)}, {}) for page in range(pages)]
        return Outcome(store="nothing", next=following)

    def _captures(self, answer: Answer) -> Outcome:
        if why := _no_list(answer):
            return why
        if answer.truncated:
            return Outcome(store="nothing", outcome="failed", reason="list cut off")
        lines = answer.body.decode("utf-8", "replace").splitlines()
        return Outcome(store="nothing", next=list(self._ranges(ccindex.in_lines([lines], self._choice))))


def _lines(files: list[str], remote: Any) -> Iterator[list[str]]:
    for name in files:
        try:
            with remote.open(name, "rb") if remote is not None else Path(name).open("rb") as stored:
                file = io.BufferedReader(stored, _READ)
                yield from cdx.read_lines(file, name)
        except OSError as error:
            raise ConfigError(f"[commoncrawl] index: {name}: {error}") from error


def _not_the_range(answer: Answer, group: Group) -> str | None:
    """Why an answer is not the byte range that was asked for. A store that ignores ranges sends gigabytes: the spider
    reads `max_mb` of them at most, and none is kept."""
    if answer.status == 200:
        return "byte range ignored"
    if answer.status != 206:
        return f"status {answer.status}"
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return "content coding on a byte range"
    if answer.error:
        return "body unreadable"
    if ccrecords.starts_at(answer.headers.get("content-range", "")) != group.start:
        return "another byte range"
    return None


def _no_list(answer: Answer) -> Outcome | None:
    """What a CDX server says instead of a list: 404 when it has no captures."""
    if answer.status == 404:
        return Outcome(store="nothing", outcome="missing", reason="no captures")
    if answer.status == 403:
        return Outcome(store="nothing", outcome="failed", reason="refused by the index", retry_s=_REFUSED_S, rest=True)
    if answer.status != 200 or answer.error:
        return Outcome(store="nothing", outcome="failed", reason="no answer from the index")
    return None
