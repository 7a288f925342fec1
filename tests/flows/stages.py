"""The build flow as plain functions: the real engine and catalog, without a Prefect server."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from catalog import reports, store
from catalog.errors import RetryableError
from catalog.files import Corpus, read_json
from flows import build as flow

TRIES = 6
_ONE_TRY = flow.make_group.fn


def build(recipe: Path) -> dict[str, Any]:
    """Build a recipe; returns the run's manifest."""
    plain = {name: getattr(flow, name).fn for name in ("plan_run", "find_clusters", "measure", "publish")}
    with patch.multiple(flow, make_group=_make_group, report=lambda corpus: None, **plain):
        found: dict[str, Any] = flow.build.fn(str(recipe)).data
    return found


def _make_group(recipe: str, run: str, shards: list[str], return_state: bool) -> SimpleNamespace:
    """What Prefect makes of the task: some tries, and a failed state instead of an exception."""
    message = ""
    for _ in range(TRIES):
        try:
            _ONE_TRY(recipe, run, shards)
            break
        except RetryableError as error:
            message = str(error)
        except Exception as error:
            message = str(error)
            break
    return SimpleNamespace(message=message)


def digest(corpus: Path, manifest: dict[str, Any]) -> str:
    """The digest of the corpus that a run published."""
    return str(read_json(Corpus(corpus).manifest("snapshots", f"{manifest['snapshot']:06d}"))["digest"])


def ask(corpus: Path, sql: str) -> list[dict[str, Any]]:
    with store.reading(Corpus(corpus)) as connection:
        return reports.rows(connection, sql)


def unaccounted(corpus: Path) -> list[dict[str, Any]]:
    with store.reading(Corpus(corpus)) as connection:
        return reports.unaccounted(connection)


def kill_one(corpus: Path, killed: list[str]) -> None:
    """Kill the worker of one shard while it is at work, and name the shard."""
    until = time.monotonic() + 60
    while not killed and time.monotonic() < until:
        for mark in corpus.glob("work/runs/*/jobs/*/workers/*"):
            if pid := mark.read_text():
                os.kill(int(pid), signal.SIGKILL)
                killed.append(mark.name)
                return
        time.sleep(0.005)
