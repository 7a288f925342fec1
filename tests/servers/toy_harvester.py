"""A harvester for tests that follows every link: `python -m servers.toy_harvester JOB.json` is its child process."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from harvesters.harvester import Answer, Last, Outcome, Resource, Task
from harvesters.pages.urls import normalise
from harvesters.settings import Table

_LINK = re.compile(rb'href="([^"]*)"')


class Settings(Table):
    seeds: tuple[str, ...] = ()
    follow: bool = True
    robots: bool = True
    fails: str | None = None
    """Part of a URL whose answer it cannot bear."""
    again: str | None = None
    """Part of a URL that it wants asked for again."""
    parts: bool = False
    """Whether each page has a document of its own inside."""


class Harvester:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.last: Last | None = None

    def start(self, last: Last | None) -> Iterator[Task]:
        self.last = last
        for seed in self._settings.seeds:
            yield Task(seed, robots=self._settings.robots)

    def answer(self, answer: Answer) -> Outcome:
        settings, task = self._settings, answer.task
        if settings.fails and settings.fails in answer.url:
            raise ValueError("cannot bear it")
        if settings.again and settings.again in answer.url:
            return Outcome(retry_s=0.05, outcome="refused", reason="not ready", store="nothing")
        if not settings.follow or answer.status != 200 or answer.mime not in ("text/html", "application/xhtml+xml"):
            return Outcome()
        found = (normalise(link.decode("utf-8", "replace"), answer.url) for link in _LINK.findall(answer.body))
        follows = [
            Task(url, via=answer.url, depth=task.depth + 1, robots=settings.robots) for url in found if url is not None
        ]
        inside = Resource(f"{answer.url}#part", "text/plain", answer.url.encode())
        return Outcome(
            next=follows, labels={"language": "en"} if "labelled" in answer.url else {},
            resources=[inside] if settings.parts else [],
        )  # fmt: skip

    def admits(self, url: str, task: Task) -> str | None:
        return "out of scope" if "elsewhere.test" in url else None

    def hosts(self) -> list[str]:
        return []

    def state(self) -> dict[str, Any]:
        return {"former": self.last.harvest if self.last else None}


if __name__ == "__main__":
    from harvesters import child

    sys.modules["harvesters.toy"] = sys.modules["__main__"]
    os._exit(child.main(sys.argv[1:]))
