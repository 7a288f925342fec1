"""A harvest as a flow: the child process that fetches is started, watched, and its outcome shown."""

from __future__ import annotations

import importlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
from prefect import task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.schemas.objects import State
from prefect.states import Completed

from catalog import fetches, store
from catalog.errors import ConfigError, RetryableError
from catalog.files import Corpus, write_json
from extractors.processes import die_with_parent
from flows import harvest_recipe, harvest_report
from flows.harvest_recipe import HarvestRecipe
from flows.harvest_report import said
from flows.limits import hosts_held
from flows.progress import Progress
from flows.retries import worth_another_try

_CAME = ("new", "changed", "unchanged", "redirect", "missing")
_SILENCE_S = 180.0
"""A child that says nothing for so long hangs; it speaks every second."""
_SAY_S = 60.0
_SHOW_S = 15.0
"""Between two updates of the progress that Prefect shows."""


class NothingCame(RetryableError):
    """All that a harvest asked for failed: no network, a wrong address, a server that is down."""


def harvest(recipe: str, kind: str) -> State[dict[str, Any]]:
    """Run one harvest to its end, or to its limit of time, and leave what it did as artifacts.

    Args:
        recipe: path of the recipe.
        kind: the table that it must have.

    Raises:
        ConfigError: the recipe is wrong, or another process harvests the same archive.
        RetryableError: the child died three times; the next run goes on where it stopped.
        NothingCame: the run is a failed one, though the harvest is at its end.
    """
    loaded = harvest_recipe.load(Path(recipe), kind)
    harvest_recipe.genuine(loaded)
    corpus = Corpus(Path(loaded.output))
    hosts = importlib.import_module(f"harvesters.{kind}")
    with hosts_held(hosts.Harvester(hosts.Settings.model_validate(loaded.settings)).hosts()):
        last = fetch(recipe)
    store.rebuild(corpus)
    manifest = _manifest(corpus, loaded.name, last)
    if manifest["harvest"] is not None:
        report(corpus, manifest)
    counts = manifest.get("outcomes") or {}
    if counts.get("failed") and not any(counts.get(name) for name in _CAME):
        raise NothingCame(f"no request had an answer that can be used: {said(manifest)}")
    return Completed(message=said(manifest), data=manifest)


def _manifest(corpus: Corpus, name: str, last: dict[str, Any]) -> dict[str, Any]:
    """What is written of the harvest; what the child said of it where it was paused before it wrote anything."""
    written = fetches.last_harvest(corpus, name, complete=False)
    if written is not None and written["harvest"] == last.get("harvest") and written["status"] == last.get("status"):
        return written
    return {"harvest": None, "status": "paused", **last, "archive": name, "ended": datetime.now(UTC).isoformat()}


@task(retries=2, retry_delay_seconds=5, retry_condition_fn=worth_another_try)
def fetch(recipe: str) -> dict[str, Any]:
    """Fetch until nothing is left, in a process of its own; returns the last that it said."""
    loaded = harvest_recipe.load(Path(recipe))
    corpus = Corpus(Path(loaded.output))
    folder = corpus.work / "harvest" / loaded.name
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "job.json", job(loaded))
    shown = _Shown(loaded.name)
    with Progress(loaded.name) as progress:
        state: dict[str, Any] = {}
        said_at = time.monotonic()
        for state in _watch(folder):
            progress.say(figures(state))
            shown.show(state)
            said_at = _say_sometimes(loaded.name, state, said_at)
    return state


def _say_sometimes(name: str, state: dict[str, Any], last: float) -> float:
    """A line a minute where there is no terminal to move one in; returns when the last one was printed."""
    if sys.stderr.isatty() or time.monotonic() - last < _SAY_S:
        return last
    print(f"{name}: {figures(state)}", file=sys.stderr, flush=True)
    return time.monotonic()


def job(loaded: HarvestRecipe) -> dict[str, Any]:
    """What the child needs to know, JSON-serialisable."""
    return {
        "corpus": loaded.output, "name": loaded.name, "contact": loaded.contact, "harvester": loaded.kind,
        "settings": loaded.settings, "fetch": loaded.fetch.model_dump(mode="json"),
    }  # fmt: skip


def figures(state: dict[str, Any]) -> str:
    """How far a harvest is, on one line."""
    waiting, received = state.get("waiting", 0), harvest_report.size(state.get("bytes", 0))
    return f"{waiting:,} waiting, {received}, {harvest_report.counted(state.get('outcomes', {}))}"


def report(corpus: Corpus, manifest: dict[str, Any]) -> None:
    """Leave what a harvest did as artifacts of the flow run: a page, and the tables behind it."""
    name = manifest["archive"].replace("_", "-")
    tables = fetches.summary(corpus, manifest["harvest"])
    before = _before(corpus, manifest)
    if before is not None:  # in a first harvest all is new
        with store.reading(corpus) as connection:
            tables["fresh"] = harvest_report.fresh(connection, manifest["harvest"])
    shown = harvest_report.tidy(tables, before)
    for title, rows in shown.items():
        create_table_artifact(key=f"{name}-{title}", table=rows, description=harvest_report.TABLES[title])
    create_markdown_artifact(
        key=f"{name}-harvest", markdown=harvest_report.page(manifest, tables, shown), description=said(manifest)
    )


def _before(corpus: Corpus, manifest: dict[str, Any]) -> dict[str, int] | None:
    """Outcomes of the last complete harvest that was started before this one."""
    started = datetime.fromisoformat(manifest["started"])
    found = [
        other for other in corpus.read_manifests("harvests")
        if other["archive"] == manifest["archive"] and other["status"] == "complete"
        and datetime.fromisoformat(other["started"]) < started
    ]  # fmt: skip
    last = max(found, key=lambda other: datetime.fromisoformat(other["started"]), default=None)
    return None if last is None else last.get("outcomes") or {}


class _Shown:
    """The progress that Prefect shows of a harvest."""

    def __init__(self, name: str) -> None:
        made = create_progress_artifact(progress=0.0, key=f"{name.replace('_', '-')}-progress", description=name)
        self._id = cast(UUID, made)
        self._last = time.monotonic()

    def show(self, state: dict[str, Any]) -> None:
        ended = state.get("status") in ("complete", "paused")
        if not ended and time.monotonic() - self._last < _SHOW_S:
            return
        self._last = time.monotonic()
        done, waiting = state.get("requests", 0), state.get("waiting", 0)
        share = 100.0 if state.get("status") == "complete" else 100.0 * done / max(1, done + waiting)
        update_progress_artifact(artifact_id=self._id, progress=share, description=figures(state))


def _watch(folder: Path) -> Iterator[dict[str, Any]]:
    """What the child says of itself, as it says it; raises what it ended with."""
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "harvesters.child", str(folder / "job.json")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, preexec_fn=die_with_parent,
            process_group=0,  # Ctrl-C is for us, who then stop it, once
        )  # fmt: skip
        lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_read, args=(child, lines), daemon=True).start()
        try:
            while (line := lines.get(timeout=_SILENCE_S)) is not None:
                yield orjson.loads(line)
            status = child.wait()
        except queue.Empty:
            raise RetryableError(f"the fetching process said nothing for {_SILENCE_S:.0f} s and was stopped") from None
        finally:
            _stop(child)
    if status == 2:
        raise ConfigError(_last_line(folder / "log.txt"))
    if status:
        what = f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise RetryableError(f"the fetching process was {what}; {folder / 'log.txt'}: {_last_line(folder / 'log.txt')}")


def _read(child: subprocess.Popen[bytes], lines: queue.Queue[bytes | None]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        lines.put(line)
    lines.put(None)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let a child that still lives commit what it has; it is killed when it does not end."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "it said nothing"
