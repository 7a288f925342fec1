"""Extracts of a shard's records: the same bytes are not read twice, and the next ones while these are measured."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from extractors.record import Extract, Record

if TYPE_CHECKING:
    from extractors.sandbox import Sandbox
    from flows.recipe import Extract as Settings

_REMEMBERED = 32 << 20
"""Bytes of extracts that a shard keeps, so that a page that was captured again is not read again."""


def size(extract: Extract) -> int:
    """Roughly its bytes in memory."""
    texts = (extract.text, extract.markdown, extract.tables)
    places = len(extract.pages) + len(extract.lines) + len(extract.sections)
    return 2_000 + sum(2 * len(text) for text in texts if text) + 300 * places


class Extracts:
    """What the sandbox makes of records; of equal ones it is asked once, as long as there is room to remember.

    Equal are records that give an extractor the same to go by, the day of capture included. Failures are not
    remembered: a record may meet its deadline on a busy machine and not the next time.
    """

    def __init__(self, sandbox: Sandbox, room: int = _REMEMBERED) -> None:
        self.sandbox, self.room = sandbox, room
        self._held: OrderedDict[tuple[Any, ...], tuple[int, Extract]] = OrderedDict()

    def of(self, record: Record) -> Extract:
        day = record.fetched and record.fetched.date()
        facts = orjson.dumps(record.meta, option=orjson.OPT_SORT_KEYS, default=str)
        key = (record.digest, len(record.payload), record.format, record.charset, record.url, day, facts)
        if key in self._held:
            self._held.move_to_end(key)
            return copy(self._held[key][1])
        extract = self.sandbox.extract(record)
        if extract.error is None:
            taken = size(extract)
            self.room -= taken
            self._held[key] = (taken, copy(extract))
            while self.room < 0:
                self.room += self._held.popitem(last=False)[1][0]
        return extract


class Reader:
    """A worker's own extraction child, behind a thread: records are handed in and their extracts fetched later.

    The child starts now, serves all the worker's shards, and dies with the thread that started it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "extraction")
        self._starting: Future[Sandbox] = self._thread.submit(_start, settings)

    def extracts(self) -> Extracts:
        """A fresh memory, for one shard."""
        return Extracts(self._sandbox())

    def hand_in(self, extracts: Extracts, record: Record) -> Future[Extract]:
        return self._thread.submit(extracts.of, record)

    def extract(self, record: Record) -> Extract:
        """The extract of a record that is needed once, after those that were handed in."""
        return self._thread.submit(self._sandbox().extract, record).result()

    def _sandbox(self) -> Sandbox:
        if self._starting.done() and self._starting.exception():
            self._starting = self._thread.submit(_start, self._settings)  # another shard, another try
        return self._starting.result()


@lru_cache(maxsize=1)
def reader(settings: Settings) -> Reader:
    """The worker's reader."""
    return Reader(settings)


def _start(settings: Settings) -> Sandbox:
    from extractors.sandbox import Sandbox

    options = {"ocr": settings.ocr, "deadline_s": settings.deadline_s}
    return Sandbox(settings.deadline_s, settings.memory_mb, options=options).__enter__()
