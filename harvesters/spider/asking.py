"""Requests as they are made, when they are made again, and the header fields of answers to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic

from harvesters.harvester import Task
from harvesters.settings import Fetch
from harvesters.spider.download import Received
from harvesters.spider.frontier import Capture
from harvesters.spider.records import SECRET

LONGEST_WAIT_S = 3_600.0
MAX_TEXT = 1_000
_MOVED = frozenset({301, 302, 303, 307, 308})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(slots=True)
class Asked:
    """A request as it was made."""

    task: Task
    attempts: int
    """Requests made for the task, this one included."""
    headers: list[tuple[str, str]]
    capture: Capture | None
    """What the archive has, if the request asked whether that still holds."""
    fetched: datetime
    began: float
    """On the monotonic clock."""


def ask(task: Task, attempts: int, agent: str, capture: Capture | None) -> Asked:
    """The request for a task: its own header fields, ours, and the validators of a capture."""
    own = {name.lower(): value for name, value in task.headers.items() if name.lower() not in SECRET}
    fields = {
        "User-Agent": agent,
        "Accept": "*/*",
        # Offsets of a coded body mean nothing. Bodies are archived as sent; warcio reads no Brotli since brotli 1.2.
        "Accept-Encoding": "identity" if "range" in own else "gzip, deflate",
        **{name.title(): value for name, value in task.headers.items() if name.lower() in own},
    }
    if capture is not None:
        if capture.etag:
            fields["If-None-Match"] = clean(capture.etag)
        if capture.last_modified:
            fields["If-Modified-Since"] = clean(capture.last_modified)
    return Asked(task, attempts, list(fields.items()), capture, datetime.now(UTC), monotonic())


def wait_s(fetch: Fetch, attempts: int, retry_after: str | None = None) -> float:
    """Seconds until another attempt after `attempts` of them: doubled each time, or Retry-After if that is longer (a
    number or a date); at most an hour."""
    backoff = fetch.backoff_s * 2.0 ** min(attempts - 1, 30)
    return min(max(backoff, _retry_after(retry_after or "")), LONGEST_WAIT_S)


def _retry_after(text: str) -> float:
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return 0.0
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def clean(text: str) -> str:
    """Text for a header field or a row: no control characters, not long."""
    return _CONTROLS.sub(" ", text)[:MAX_TEXT].strip()


def location_of(got: Received) -> str | None:
    """Where a redirect leads to, as written; None for an answer that is none."""
    location = joined(got.fields).get("location", "").strip() if got.status in _MOVED else ""
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    return location or None


def joined(fields: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Header fields by lower-case name; several of one name joined by `, `, but of Location the first."""
    joined: dict[str, list[str]] = {}
    for name, value in fields:
        joined.setdefault(name.lower(), []).append(value)
    return {name: values[0] if name == "location" else ", ".join(values) for name, values in joined.items()}
