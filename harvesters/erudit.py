"""Articles of Érudit, or of any repository that speaks OAI-PMH: their metadata, and files where the licence permits.

Identify, then a list of records for each set, page by page. Every record's metadata becomes a document of its own, with
its texts in all languages; its files are fetched if its licence is one of those that the recipe allows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import xxhash

from extractors.markup import root_name
from harvesters.harvester import Answer, Last, Notice, Outcome, Resource, Task
from harvesters.oai import articles
from harvesters.oai import protocol as oai
from harvesters.oai.articles import Article
from harvesters.oai.settings import Settings
from harvesters.pages.urls import normalise, refused, split

__all__ = ["Harvester", "Settings"]

log = logging.getLogger(__name__)

OVERLAP = timedelta(days=1)
"""Records of the day before the last harvest are asked for again: some get their datestamp before they are seen."""
RESTARTS = 2
"""How often a list whose token has expired is begun again."""
_FRESH: tuple[Mapping[str, str], ...] = ({}, {"Cache-Control": "no-cache"}, {"Cache-Control": "max-age=0"})
"""Header fields of a list's requests, by restart: the same request is made once a harvest, and these differ."""
_FILES = frozenset({"article", "pdf", "xml", "html"})
"""Kinds of tasks for an article's page and files."""
_BEGIN, _GO_ON, _FILE = 10, 20, 0
"""Priorities: one list after another, so that no token waits for another list, and files after all lists."""


class Harvester:
    """A harvest of a repository. What a process remembers only saves work: lists and files are in the tasks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state: dict[str, str] = {}
        self._kept: set[int] = set()
        """Versions of records that this process has kept: a list that begins again brings them again."""

    def start(self, last: Last | None) -> Iterator[Task]:
        known = {name: str(when) for name, when in (last.state if last else {}).items() if oai.moment(str(when))}
        note = {"last": {name: known[name] for name in map(self._list_name, self._sets()) if name in known}}
        yield self._ask(oai.identify(self._settings.endpoint), "identify", note, 30)
        if last is not None and note["last"] and self._settings.since == "last":
            # Not lists, which are begun again anyhow, and nothing that was asked for by other rules.
            yield from (task for task in last.failed if task.kind in _FILES)

    def answer(self, answer: Answer) -> Outcome:
        kinds = {"identify": self._identity, "list": self._page, "article": self._article_page}
        return kinds.get(answer.task.kind, self._file)(answer)

    def admits(self, url: str, task: Task) -> str | None:
        if task.kind in ("identify", "list"):
            here, there = split(url), split(self._settings.endpoint)
            return None if here and there and here.host == there.host else "another host than the endpoint's"
        return None if articles.within(url, self._settings.hosts) else "host out of scope"

    def hosts(self) -> list[str]:
        parts = split(self._settings.endpoint)
        return [parts.host] if parts else []

    def state(self) -> dict[str, Any]:
        """By list the moment up to which it is known whole, by the repository's clock."""
        return dict(self._state)

    # Lists

    def _sets(self) -> Sequence[str | None]:
        return self._settings.sets or (None,)

    def _list_name(self, set_: str | None) -> str:
        """Its name in the state: with other rules for files, all records are to be looked at anew."""
        settings = self._settings
        rules = repr((settings.content, settings.hosts, settings.licences, settings.unlicensed))
        return f"{settings.endpoint} {settings.prefix} {set_ or '*'} {xxhash.xxh3_64_hexdigest(rules.encode())}"

    def _ask(self, url: str, kind: str, note: Mapping[str, Any], priority: int, via: str | None = None) -> Task:
        fresh = _FRESH[note.get("restart", 0)]
        return Task(url, kind, headers=fresh, note=note, priority=priority, via=via, robots=False)

    def _identity(self, answer: Answer) -> Outcome:
        """The first page of every list; a repository that does not answer is no repository."""
        if answer.status != 200:
            return Outcome(outcome="failed", reason=f"http {answer.status}")
        try:
            known = oai.parse_identify(answer.body)
        except oai.OaiError as error:
            return Outcome(outcome="failed", reason=articles.label(str(error)), retry_s=60)
        if known.deleted == "no":
            log.warning("%s does not tell of deleted records: they stay in the corpus", self._settings.endpoint)
        last: Mapping[str, str] = answer.task.note.get("last", {})
        self._state = dict(last)
        begun = answer.fetched
        if known.answered and not answer.unchanged:  # else it is the time of an old answer
            begun = min(known.answered, answer.fetched + OVERLAP)
        tasks = [self._first(set_, known, last.get(self._list_name(set_)), begun) for set_ in self._sets()]
        return Outcome(next=tasks, state=self._state)

    def _first(self, set_: str | None, known: oai.Identity, last: str | None, begun: datetime) -> Task:
        settings = self._settings
        until = oai.last_moment(settings.until) if settings.until else None
        start: datetime | None = None
        if settings.since == "last":
            when = oai.moment(last)
            start = oai.start_of(when, known, OVERLAP) if when else None
        elif settings.since != "earliest":
            when = datetime.combine(settings.since, datetime.min.time(), UTC)
            start = oai.start_of(when, known, timedelta(0))
        if until and start and start > until:
            start = until  # what came before is there; a list that ends before it begins is an error
        since, end = (oai.datestamp(at, known.granularity) if at else None for at in (start, until))
        url = oai.list_records(settings.endpoint, settings.prefix, set_, since, end)
        note = {"first": url, "set": set_, "begun": f"{min(begun, until) if until else begun:%Y-%m-%dT%H:%M:%SZ}"}
        return self._ask(url, "list", note, _BEGIN)

    def _page(self, answer: Answer) -> Outcome:
        note = answer.task.note
        if answer.status != 200 or answer.error:
            return Outcome(outcome="failed", reason=None if answer.error else f"http {answer.status}")
        try:
            page = oai.parse_list(answer.body)
        except oai.OaiError as error:
            return Outcome(outcome="failed", reason=articles.label(str(error)), retry_s=60)
        if page.error == "badResumptionToken" and answer.task.url != note["first"]:
            return self._again(answer)
        if page.error and page.error != "noRecordsMatch":
            return Outcome(outcome="failed", reason=articles.label(f"{page.error}: {page.message}"))
        left = self._settings.limit - note.get("seen", 0) if self._settings.limit else None
        outcome = self._records(answer, page, page.items[:left])
        self._go_on(answer, page, left, outcome)
        if outcome.retry_s is None:  # else it may come again
            self._kept.update(map(_version, page.items[:left]))
        return outcome

    def _again(self, answer: Answer) -> Outcome:
        """The list from its beginning, for a token that is no longer known; known files are not asked for again."""
        note = answer.task.note
        restart = note.get("restart", 0) + 1
        begin = {"first": note["first"], "set": note["set"], "begun": note["begun"], "restart": restart}
        tasks = [self._ask(note["first"], "list", begin, _BEGIN, answer.url)] if restart <= RESTARTS else []
        return Outcome(outcome="failed", reason="resumption token expired", next=tasks)

    def _go_on(self, answer: Answer, page: oai.Page, left: int | None, outcome: Outcome) -> None:
        """Adds what follows a page: the next one, or that the list is whole, or what is wrong."""
        note = answer.task.note
        if answer.truncated or not page.whole:
            outcome.outcome, outcome.reason, outcome.retry_s = "failed", "page cut off", 60
        elif page.broken and not page.items:  # the page may be broken, not its records
            outcome.outcome, outcome.reason, outcome.retry_s = "failed", "no record can be read", 60
        if left is not None and left <= len(page.items):
            return
        if page.token is None:
            if outcome.outcome is None:
                self._state[self._list_name(note["set"])] = note["begun"]
                outcome.state = {self._list_name(note["set"]): note["begun"]}
            return
        url = oai.next_page(self._settings.endpoint, page.token)
        seen = note.get("seen", 0) + len(page.items)
        following = None if url == answer.task.url else oai.follow(note.get("trail", {}), page)
        if len(page.token) > oai.MAX_TOKEN or refused(url):
            outcome.outcome, outcome.reason = "failed", "resumption token fits no URL"
        elif following is None:
            outcome.outcome, outcome.reason = "failed", "list does not end"
        else:
            going_on = {**note, "seen": seen, "trail": following}
            outcome.next = [self._ask(url, "list", going_on, _GO_ON, answer.url), *outcome.next]
        log.info("%s: %d of %s records", note["set"] or "all sets", seen, page.size or "?")

    # Records

    def _records(self, answer: Answer, page: oai.Page, items: Sequence[oai.Item]) -> Outcome:
        """Metadata of a page's records, requests for their files, and an account of what is not fetched."""
        tasks: list[Task] = []
        resources: list[Resource] = []
        notices = [self._lost(name, answer, "failed", "broken record") for name in page.broken]
        for item in items:
            if _version(item) in self._kept:
                continue
            if item.deleted:
                notices.append(self._lost(item.identifier, answer, "missing", "deleted record"))
                continue
            found = articles.article(item)
            if found is None:
                notices.append(self._lost(item.identifier, answer, "failed", "record without metadata"))
                continue
            reason = articles.refusal(
                found, self._settings.licences, self._settings.unlicensed == "fetch", answer.fetched.date()
            )
            asked = self._files(found, answer)
            tasks += asked if reason is None else []
            notices += [Notice(task, "refused", reason, found.labels) for task in asked] if reason else []
            if not answer.unchanged:
                url = oai.get_record(self._settings.endpoint, item.identifier, self._settings.prefix)
                resources.append(Resource(url, "application/xml", found.bare if reason else found.full, found.labels))
        return Outcome(next=tasks, resources=resources, notices=notices)

    def _lost(self, identifier: str, answer: Answer, outcome: Literal["missing", "failed"], reason: str) -> Notice:
        known = oai.get_record(self._settings.endpoint, identifier, self._settings.prefix)
        return Notice(
            Task(known if identifier else answer.url, "record", via=answer.url, robots=False), outcome, reason
        )

    def _files(self, found: Article, answer: Answer) -> list[Task]:
        """Requests for an article's files: those that the record names, else its page, which does."""
        wanted = self._settings.content
        inside = [
            url for link in found.links if (url := normalise(link)) and articles.within(url, self._settings.hosts)
        ]
        pages = [url for url in inside if articles.form_of(url) is None]
        named = [url for url in inside if articles.form_of(url) in wanted]
        note = {"labels": dict(found.labels)}
        forms = Counter(map(articles.form_of, named))
        tasks = []
        for url in named:
            form = articles.form_of(url)
            # Of several PDFs each is in a language of its own, which its text will tell.
            labels = {key: value for key, value in found.labels.items() if key != "language" or forms[form] == 1}
            tasks.append(self._file_task(url, str(form), {"labels": labels}, answer.url))
        missing = [form for form in wanted if form not in {task.kind for task in tasks}]
        if missing and pages:
            tasks.append(self._file_task(pages[0], "article", note | {"missing": missing}, answer.url))
        return tasks[: articles.MAX_FILES]

    def _file_task(self, url: str, kind: str, note: Mapping[str, Any], via: str) -> Task:
        return Task(url, kind, note=note, depth=1, priority=_FILE, via=via)

    def _article_page(self, answer: Answer) -> Outcome:
        """The page of an article: a document if the recipe wants it, else the place where its files are named."""
        note = answer.task.note
        labels, missing = note.get("labels", {}), note.get("missing", [])
        if answer.status != 200 or answer.error:
            return Outcome(labels=labels)
        files = articles.files_of_page(answer.url, answer.body, labels.get("erudit_id"))
        tasks = []
        for form in missing:
            url = normalise(files.get(form, ""), answer.url) if files.get(form) else None
            if url and articles.within(url, self._settings.hosts):
                tasks.append(self._file_task(url, form, {"labels": labels}, answer.url))
        if "html" in missing:
            return Outcome(next=tasks, labels=labels)
        if not tasks:
            return Outcome(store="nothing", outcome="missing", reason="page names no file", labels=labels)
        return Outcome(store="nothing", next=tasks, labels=labels)

    def _file(self, answer: Answer) -> Outcome:
        """A file: what it is is seen by its bytes, for a page that asks to subscribe comes with status 200 too."""
        labels = answer.task.note.get("labels", {})
        if answer.status != 200 or answer.error or answer.task.kind == "html":
            return Outcome(labels=labels)
        if answer.task.kind == "pdf":
            right = b"%PDF-" in answer.body[:1024]
        else:
            right = (root_name(answer.body) or "").lower() == "article"
        if right:
            return Outcome(labels=labels)
        reason = f"no {answer.task.kind.upper()} in the answer"
        return Outcome(store="nothing", outcome="refused", reason=reason, labels=labels)


def _version(item: oai.Item) -> int:
    return int(xxhash.xxh3_64_intdigest(f"{item.identifier}\n{item.datestamp}".encode("utf-8", "surrogatepass")))
