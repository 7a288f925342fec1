"""What every harvester shares: a `Task` to fetch, the `Answer` that came, and the `Outcome` that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import xxhash

Stored = Literal["exchange", "members", "nothing"]
"""What of an answer goes into the archive: request and response; WARC records found in its body; nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """One request to make. Two tasks with one `key` are the same, and are fetched once a harvest."""

    url: str
    """Absolute http or https URL, normalised, without fragment and credentials."""
    kind: str = "page"
    """The harvester's own word for what it expects: page, sitemap, list, document ..."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request header fields beside the spider's own: Accept, Accept-Language, Range. No credentials."""
    note: Mapping[str, Any] = field(default_factory=dict)
    """What the harvester wants back with the answer, JSON-serialisable."""
    depth: int = 0
    """Links from a seed."""
    priority: int = 0
    """Higher ones go first."""
    via: str | None = None
    """URL that led here."""
    robots: bool = True
    """Whether robots.txt is asked first; not for interfaces that are made for programs."""
    once: bool = False
    """Whether it never changes: what the archive has of it is not asked for again."""
    redirects: int = 0
    """Redirects that led here, one after the other."""

    @property
    def key(self) -> str:
        """Identity: XXH3-128 of URL and header fields, 32 hex digits."""
        fields = "\n".join(f"{name.lower()}:{value}" for name, value in sorted(self.headers.items()))
        return str(xxhash.xxh3_128_hexdigest(f"{self.url}\n{fields}".encode("utf-8", "surrogatepass")))


@dataclass(slots=True)
class Answer:
    """What came of a task: any status but a redirect's (those the spider follows), or a capture that still holds."""

    task: Task
    url: str
    status: int
    """HTTP status; of an unchanged answer that of the capture that still holds."""
    headers: Mapping[str, str]
    """Header fields by lower-case name; several of one name joined by `, `."""
    body: bytes
    """Content codings undone, at most the recipe's `max_mb`."""
    fetched: datetime
    unchanged: bool = False
    """Whether the archive has the same payload of this task already; `body` was read from there then."""
    truncated: str | None = None
    """Why `body` is not whole (WARC-Truncated: length, disconnect, time), or None."""
    error: str | None = None
    """Why `body` is empty though there was one (its coding is broken, it is a bomb), or None."""

    @property
    def mime(self) -> str:
        """The declared media type, lower-case, without parameters; empty without one."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Resource:
    """A part of an answer that is a document of its own: an article's metadata in a list of many."""

    url: str
    """By which it could be asked for alone."""
    mime: str
    body: bytes
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is known without a request: it gets a row of `fetches` all the same."""

    task: Task
    """What would have been asked for."""
    outcome: Literal["missing", "refused", "failed"]
    reason: str
    """As in `Outcome`."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What a harvester makes of an answer."""

    store: Stored = "exchange"
    next: Sequence[Task] = ()
    """What to fetch because of it. They are queued in the same transaction that marks the answer as done."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What is known of the document beside its bytes, by LABELS; kept in its record and in `fetches`."""
    outcome: Literal["missing", "refused", "failed"] | None = None
    """Other than what follows from status and payload: missing (it does not exist), refused (out of scope, a challenge
    page), failed."""
    reason: str | None = None
    """Why, in a few words without URLs, so that they can be counted: `challenge page`, `language out of scope`."""
    retry_s: float | None = None
    """Ask again after so many seconds instead (as long as attempts are left); nothing is stored, nothing queued."""
    rest: bool = False
    """Whether `retry_s` is for all of the host: it was asked too often."""
    members: Sequence[bytes] = ()
    """With `store = "members"`: whole gzip members, each one WARC record, to be kept as they are."""
    resources: Sequence[Resource] = ()
    """Kept as `resource` records after the exchange, so that the build sees each as a document."""
    notices: Sequence[Notice] = ()
    """What is not asked for, and why: files that a licence does not permit, records that were deleted."""
    passed: Mapping[str, int] = field(default_factory=dict)
    """Links in scope that are not followed all the same, by reason: how many. A harvest adds them up."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What the next harvest should know, by name; kept in the same transaction, beside what `Harvester.state` gives."""
    url: str | None = None
    """With `members`: the target URI of the capture, which stands for the task's URL in `fetches`."""


LABELS = (
    "celex", "language", "format", "work", "corrects", "doi", "erudit_id", "licence", "rights", "access", "journal",
    "datestamp", "origin",
)  # fmt: skip
"""Labels there are. A record has them as named fields `Florilege-Celex`, and a document in its columns and `meta`:
celex and language (BCP 47) as columns; work: URI of the work; corrects: CELEX of the act that a corrigendum corrects;
licence: URL; rights: statement as given; access: open or restricted; origin: whose archive a record is from."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last complete harvest of the same archive."""

    harvest: str
    started: datetime
    state: Mapping[str, Any]
    """What `Outcome.state` and, at its end, `Harvester.state` gave, by name."""
    failed: Iterable[Task] = ()
    """What it asked for in vain though it may come later (no answer, 5xx, 429, cut off). For harvesters that ask only
    for what changed since: nothing else asks for it again. Read once, from disk."""


class Harvester(Protocol):
    """Says what to fetch and what answers mean. One is made for each process that works on a harvest, from the
    settings alone: whatever must outlive the process goes into tasks (`note`) or into `state`."""

    def start(self, last: Last | None) -> Iterator[Task]:
        """The first tasks of a harvest."""

    def answer(self, answer: Answer) -> Outcome:
        """What follows from an answer. Bytes are hostile; whatever it raises fails this one task."""

    def admits(self, url: str, task: Task) -> str | None:
        """Why `task` may not be redirected to `url`, in a few words; None if it may."""

    def hosts(self) -> list[str]:
        """Hosts that are certain to be asked, for limits that several harvests share."""

    def state(self) -> dict[str, Any]:
        """What the next harvest should know of this one; JSON-serialisable."""
