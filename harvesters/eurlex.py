"""Acts of the European Union from CELLAR: a list of CELEX numbers or a query, in the languages and formats wanted.

A harvest goes in three steps, each answer leading to the next: *selection* (which works), *inventory* (which languages
and formats each has), *document* (one work in one language and format). The first two are SPARQL queries for many works
at once, so that what does not exist is not asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import xxhash

from harvesters.cellar import protocol as cellar
from harvesters.cellar import queries as cellar_queries
from harvesters.cellar.protocol import Form, Version
from harvesters.cellar.queries import Filters, Relation
from harvesters.cellar.settings import BATCH, PAGE, Settings
from harvesters.harvester import Answer, Last, Outcome, Task

__all__ = ["Harvester", "Settings"]

OVERLAP = timedelta(days=2)
"""How far before the last harvest's start `updated_since = "last"` looks: dates are those of CELLAR's clock, and its
triple store follows the files."""
_INVENTORY = 20
"""Works in one inventory: some 3,000 rows in 24 languages."""
_WAIT_S = 60.0
"""Before a query is asked again that was answered in part."""


class Harvester:
    """Selection, inventory, document: what each answer leads to. Everything that outlives it is in tasks."""

    def __init__(self, settings: Settings) -> None:
        self._set = settings
        self._places = {urlsplit(settings.endpoint).netloc.lower(), urlsplit(settings.resource).netloc.lower()}

    def start(self, last: Last | None) -> Iterator[Task]:
        """Selections, or inventories of a list that nothing filters. Raises ConfigError."""
        numbers, modified = self._set.numbers(), self._modified(last)
        if last is not None and modified is not None and self._set.updated_since == "last":
            yield from last.failed
        relations: list[Relation] = []
        relations += ["corrigenda"] if self._set.corrigenda else []
        relations += ["consolidated"] if self._set.consolidated else []
        plain = bool(numbers) and modified is None and self._set.filters() == Filters()
        for batch in _batches(numbers, BATCH) if numbers else [()]:
            if plain:
                yield from self._found(dict.fromkeys(batch, ""), {})
            note: dict[str, Any] = {"numbers": list(batch), "modified": modified and modified.isoformat()}
            note |= {"left": None if numbers else self._set.limit, "after": None}
            for relation in ([] if plain else [None]) + relations:
                yield self._selection(note | {"relation": relation})

    def answer(self, answer: Answer) -> Outcome:
        """Next queries, versions to fetch, or a document with its labels."""
        if cellar.is_challenge(answer):
            return Outcome("nothing", labels=_labels(answer.task), outcome="refused", reason="challenge page")
        if answer.task.kind == "document":
            return self._document(answer)
        if answer.task.kind == "act":
            return self._act(answer)
        if answer.status != 200:
            return Outcome("nothing", outcome="failed", reason=f"query refused, http {answer.status}")
        try:
            if cellar.is_partial(answer.headers) or answer.truncated or answer.error:
                raise ValueError("partial answer")
            found = cellar.rows(answer.body)
        except ValueError as error:
            return Outcome("nothing", outcome="failed", reason=str(error), retry_s=_WAIT_S)
        cut = cellar.is_cut(answer.headers)
        return (self._selected if answer.task.kind == "selection" else self._listed)(answer.task, found, cut)

    def admits(self, url: str, task: Task) -> str | None:
        """Redirects stay with CELLAR, http or https: it sends resources from one to the other."""
        return None if urlsplit(url).netloc.lower() in self._places else "redirect to another host"

    def hosts(self) -> list[str]:
        """CELLAR's own."""
        found = (urlsplit(url).hostname or "" for url in (self._set.endpoint, self._set.resource))
        return sorted(set(found))

    def state(self) -> dict[str, Any]:
        """A digest of what was asked for: a harvest that asks for something else starts from the beginning."""
        asked = self._set.model_dump(mode="json", exclude={"updated_since", "endpoint", "resource", "access"})
        asked |= {"celex": self._set.numbers(), "celex_file": None}
        return {"asked": xxhash.xxh3_128_hexdigest(json.dumps(asked, sort_keys=True))}

    def _modified(self, last: Last | None) -> datetime | None:
        since = self._set.updated_since
        if isinstance(since, date):
            return datetime.combine(since, time(), UTC)
        if since == "last" and last is not None and last.state.get("asked") == self.state()["asked"]:
            return last.started.astimezone(UTC).replace(microsecond=0) - OVERLAP
        return None

    # Selection: which works.

    def _selection(self, note: Mapping[str, Any]) -> Task:
        rows = min(PAGE, note["left"] or PAGE)
        modified = datetime.fromisoformat(note["modified"]) if note["modified"] else None
        filters = replace(self._set.filters(), celex=tuple(note["numbers"]))
        query = cellar_queries.selection(filters, note["relation"], modified, note["after"], rows)
        return self._query("selection", query, {**note, "rows": rows}, 1)

    def _query(self, kind: str, query: str, note: Mapping[str, Any], priority: int) -> Task:
        headers = {"Accept": "application/sparql-results+json"}
        url = cellar_queries.query_url(self._set.endpoint, query)
        return Task(url, kind, headers, note, priority=priority, robots=False)

    def _selected(self, task: Task, found: Sequence[Mapping[str, str]], cut: bool) -> Outcome:
        note = task.note
        works = {row["celex"]: row.get("work", "") for row in found if cellar.is_number(row.get("celex"))}
        corrects = {}
        if note["relation"] == "corrigenda":
            corrects = {row["celex"]: row["base"] for row in found if cellar.is_number(row.get("base"))}
        next = list(self._found(works, corrects))
        left = None if note["left"] is None else note["left"] - len(works)
        last = max(works, default="")
        if (len(found) >= note["rows"] or cut) and last > (note["after"] or "") and (left is None or left > 0):
            next.append(self._selection({**note, "left": left, "after": last}))
        return Outcome(next=next)

    def _found(self, works: Mapping[str, str], corrects: Mapping[str, str]) -> Iterator[Task]:
        """What to ask about works (URIs by number)."""
        if self._set.access == "negotiation":
            for celex in works:
                about = {"celex": celex, "work": f"{cellar.URI}/celex/{celex}", "corrects": corrects.get(celex)}
                for language in self._set.languages:
                    yield from self._wanted({**about, "language": language}, [(f, None, ()) for f in self._set.formats])
            return
        for batch in _batches(works, _INVENTORY):
            yield self._inventory(batch, {celex: corrects[celex] for celex in batch if celex in corrects})

    # Inventory: which languages and formats.

    def _inventory(self, numbers: Sequence[str], corrects: Mapping[str, str]) -> Task:
        note = {"numbers": list(numbers), "corrects": dict(corrects)}
        return self._query("inventory", cellar_queries.inventory(numbers), note, 2)

    def _listed(self, task: Task, found: Sequence[Mapping[str, str]], cut: bool) -> Outcome:
        numbers, corrects = task.note["numbers"], task.note["corrects"]
        if cut and len(numbers) > 1:
            half = len(numbers) // 2
            return Outcome(next=[self._inventory(part, corrects) for part in (numbers[:half], numbers[half:])])
        by_act: dict[str, dict[str, list[Version]]] = {}
        for version in cellar.versions(found):
            if version.language in self._set.languages and version.form in self._set.formats:
                by_act.setdefault(version.celex, {}).setdefault(version.language, []).append(version)
        next: list[Task] = []
        for celex in numbers:
            about = {"celex": celex, "corrects": corrects.get(celex)}
            for language in self._set.languages:
                there = by_act.get(celex, {}).get(language)
                if there:
                    about |= {"language": language, "work": there[0].work}
                    next += self._wanted(about, self._best(there))
            if celex not in by_act:
                next.append(self._check(celex))
        return Outcome(next=next)

    def _best(self, versions: Sequence[Version]) -> list[tuple[Form, str | None, Sequence[str]]]:
        """Of each format the best version, in the order of preference."""
        found: dict[Form, Version] = {}
        for version in sorted(versions, key=cellar.rank):
            found.setdefault(version.form, version)
        return [(form, found[form].type, found[form].items) for form in self._set.formats if form in found]

    def _check(self, celex: str) -> Task:
        """Asks whether there is such a work at all, so that one without versions is seen among the fetches."""
        headers = {"Accept": "application/xml;notice=identifiers"}
        url = cellar.address(self._set.resource, celex)
        return Task(url, "act", headers, {"celex": celex}, priority=3, robots=False)

    def _act(self, answer: Answer) -> Outcome:
        reason = "no version in these languages and formats" if answer.status == 200 else "act not there"
        labels = _labels(answer.task)
        if answer.status in (200, 404, 406, 410):
            return Outcome("nothing", labels=labels, outcome="missing", reason=reason)
        return Outcome("nothing", labels=labels, outcome="failed", reason=f"http {answer.status}")

    # Document: one work in one language and format.

    def _wanted(
        self, about: Mapping[str, Any], formats: Sequence[tuple[Form, str | None, Sequence[str]]]
    ) -> Iterator[Task]:
        """Tasks for a work in a language: all formats, or the first with the others for when it is not there."""
        chains = [[each] for each in formats] if self._set.all_formats else [list(formats)]
        for (form, type, items), *rest in filter(None, chains):
            note = {**about, "form": form, "type": type, "items": list(items), "rest": rest}
            if self._set.access == "items":
                yield from self._files(note, items)
            else:
                headers = {"Accept": cellar.accept(form, type), "Accept-Language": cellar.LANGUAGES[note["language"]]}
                url = cellar.address(self._set.resource, note["celex"])
                yield Task(url, "document", headers, note, priority=3, robots=False)

    def _files(self, note: Mapping[str, Any], uris: Iterable[str], via: str | None = None) -> Iterator[Task]:
        """Tasks for the files of a version. The first alone stands for it: if that is missing, so is the version."""
        headers = {"Accept": cellar.accept(note["form"], note["type"])}
        headers["Accept-Language"] = cellar.LANGUAGES[note["language"]]
        note, rest = {**note, "items": [], "file": True}, note["rest"]
        for uri in uris:
            url = cellar.locate(self._set.resource, uri)
            if url is not None:
                yield Task(url, "document", headers, {**note, "rest": rest}, priority=3, via=via, robots=False)
                rest = []

    def _document(self, answer: Answer) -> Outcome:
        labels, form = _labels(answer.task), answer.task.note["form"]
        if answer.status == 300:
            return self._choose(answer, labels)
        if answer.status in (400, 404, 406, 410):
            return self._missing(answer, labels, "exchange")
        if answer.status != 200:
            return Outcome("nothing", labels=labels, outcome="failed", reason=f"http {answer.status}")
        if not answer.body and not answer.error:
            return Outcome("nothing", labels=labels, outcome="failed", reason="empty answer")
        if cellar.does_not_exist(answer):
            return Outcome("nothing", labels=labels, outcome="missing", reason="act not there")
        if not cellar.is_form(form, answer.mime):
            return self._missing(answer, labels, "nothing")
        return Outcome(labels=labels)

    def _choose(self, answer: Answer, labels: Mapping[str, str]) -> Outcome:
        files = [uri for uri, name in cellar.choices(answer.body) if not cellar.is_apparatus(name)]
        next = list(self._files(answer.task.note, files, answer.task.url))
        if not next:
            return self._missing(answer, labels, "exchange")
        return Outcome(next=next, labels=labels)

    def _missing(self, answer: Answer, labels: Mapping[str, str], store: Literal["exchange", "nothing"]) -> Outcome:
        """A version that is not there: its files by their own addresses if they are known, else the next format."""
        note = answer.task.note
        next = list(self._files(note, note["items"], answer.task.url)) or list(self._wanted(note, note["rest"]))
        # Without an inventory nothing but the last format's absence says that there is no version in the language.
        last = note["type"] is None and not (note["rest"] or note.get("file") or self._set.all_formats)
        reason = "language not there" if last else "format not there"
        if answer.status == 400:  # CELLAR does not know the language or the format, which is no word on the act
            return Outcome(store, next, labels, outcome="failed", reason="http 400")
        return Outcome(store, next, labels, outcome="missing", reason=reason)


def _labels(task: Task) -> dict[str, str]:
    """What is known of an act or a version before it is there; nothing of queries, which are about many."""
    if task.kind not in ("act", "document"):
        return {}
    note = task.note
    found = {name: note[name] for name in ("celex", "language", "work") if note.get(name)}
    corrects = note.get("corrects") or cellar.corrected(note["celex"])
    return found | ({"format": note["form"]} if "form" in note else {}) | ({"corrects": corrects} if corrects else {})


def _batches(numbers: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    whole = tuple(numbers)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
