from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from extractors.record import Extract, Record
from flows.extracts import Extracts


class Sandbox:
    """Counts what it is asked."""

    def __init__(self, error: str | None = None, size: int = 10) -> None:
        self.asked: list[Record] = []
        self.error, self.size = error, size

    def extract(self, record: Record) -> Extract:
        self.asked.append(record)
        return Extract(text=record.payload.decode() * self.size, error=self.error, meta={"url": record.url})


def extracts(sandbox: Sandbox, **options: Any) -> Extracts:
    return Extracts(cast(Any, sandbox), **options)


NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
PAGE = Record("web", "a.warc", 10, payload=b"page", format="html", url="https://a.example/", fetched=NOON)


def test_a_page_captured_again_is_read_once() -> None:
    sandbox = Sandbox()
    known = extracts(sandbox)
    first = known.of(PAGE)
    again = known.of(replace(PAGE, path="b.warc", offset=99, fetched=NOON.replace(hour=23)))
    assert (len(sandbox.asked), again) == (1, first)
    assert again is not first


@pytest.mark.parametrize(
    "change",
    [
        {"payload": b"other"}, {"format": "txt"}, {"url": "https://b.example/"}, {"charset": "latin-1"},
        {"fetched": NOON.replace(day=2)}, {"fetched": None}, {"meta": {"celex": "32000R0001"}},
    ],
)  # fmt: skip
def test_a_page_that_an_extractor_may_read_differently_is_read_again(change: dict[str, Any]) -> None:
    sandbox = Sandbox()
    known = extracts(sandbox)
    known.of(PAGE)
    other = replace(PAGE, **change)
    assert known.of(other) == Sandbox().extract(other)
    assert len(sandbox.asked) == 2


def test_failures_are_not_remembered() -> None:
    sandbox = Sandbox(error="took too long")
    known = extracts(sandbox)
    assert known.of(PAGE) == known.of(PAGE)
    assert len(sandbox.asked) == 2


def test_room_is_bounded_and_the_least_used_is_forgotten_first() -> None:
    sandbox = Sandbox(size=1_000)
    known = extracts(sandbox, room=25_000)
    pages = [replace(PAGE, payload=bytes([65 + number]) * 4) for number in range(3)]
    for page in (pages[0], pages[1], pages[0], pages[2], pages[0]):
        known.of(page)
    assert len(sandbox.asked) == 3
    known.of(pages[1])
    assert len(sandbox.asked) == 4
    large = replace(PAGE, payload=b"x" * 100)
    known.of(large)
    known.of(large)
    assert len(sandbox.asked) == 6
