"""A harvest from the command line: Prefect is started around it, and what was fetched is shown."""

from __future__ import annotations

import fcntl
import importlib
import os
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from catalog import fetches
from catalog.errors import ConfigError
from catalog.files import Corpus
from flows import terminal
from flows.harvest_recipe import HarvestRecipe, genuine, load
from flows.harvest_report import said

_HOSTS = 12
"""Hosts that are printed; all are in `fetches`."""
_REASONS = 12
_BAR = 20
_COLOURS = {
    "new": "green", "changed": "cyan", "unchanged": "blue", "redirect": "white", "missing": "yellow",
    "robots": "magenta", "refused": "magenta", "failed": "red",
}  # fmt: skip


def run(recipe: Path, kind: str) -> int:
    """Run one harvest and print what it did; returns the exit status: 1 when it was paused, or nothing came."""
    from flows.server import start, used

    loaded = load(recipe, kind)  # what is wrong with the recipe is said before Prefect is started
    genuine(loaded)
    _free(loaded)
    server = start()
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    from flows import harvesting

    flow = getattr(importlib.import_module(f"flows.{kind}"), kind)
    failed = ""
    try:
        with used(server):
            manifest: dict[str, Any] = flow(str(recipe))
    except harvesting.NothingCame as error:
        failed = str(error)
        manifest = fetches.last_harvest(Corpus(Path(loaded.output)), loaded.name, complete=False) or {"harvest": None}
    show(Corpus(Path(loaded.output)), manifest)
    print(failed or said(manifest))
    archive = Path(loaded.output) / "archive" / loaded.name
    if any(archive.glob("*.warc.gz")):
        print(f"{archive} has the archive: a source of kind `warc` for `florilege build`")
    else:
        print(f"{archive}: nothing was archived, so there is nothing to build from")
    missed = "WHERE outcome IN ('failed', 'refused', 'missing', 'robots')"
    print(f'florilege sql "SELECT outcome, reason, url FROM fetches {missed}" -c {loaded.output}')
    return 0 if manifest.get("status") == "complete" and not failed else 1


def _free(recipe: HarvestRecipe) -> None:
    """ConfigError when another process harvests the archive; the child looks again."""
    lock = Corpus(Path(recipe.output)).work / "harvest" / recipe.name / "lock"
    if not lock.is_file():
        return
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{lock.parent}: another process harvests here; wait until it has ended") from None


def check(recipe: Path) -> None:
    """Print the resolved recipe and what a harvest would do; do nothing."""
    loaded = load(recipe)
    module = importlib.import_module(f"harvesters.{loaded.kind}")
    settings = module.Settings.model_validate(loaded.settings)
    out = terminal.console()
    for name, value in {"archive": loaded.name, "corpus": loaded.output, "contact": loaded.contact}.items():
        out.print(f"{name:<10}{value}", soft_wrap=True, highlight=False, markup=False)
    for title, table in (("fetch", loaded.fetch), (loaded.kind, settings)):
        out.print(f"\n[bold]\\[{title}][/]")
        for key, value in table:
            key = type(table).model_fields[key].alias or key
            out.print(f"  {key} = {value!r}", soft_wrap=True, highlight=False, markup=False)
    hosts = module.Harvester(settings).hosts()
    out.print(f"\nasks: {', '.join(hosts) or 'hosts that are known only when it runs'}", highlight=False)
    last = fetches.last_harvest(Corpus(Path(loaded.output)), loaded.name, complete=False)
    if (Corpus(Path(loaded.output)).work / "harvest" / loaded.name / "frontier.sqlite").exists():
        out.print("a harvest is under way or was stopped: it is gone on with", highlight=False)
    elif last is None:
        out.print("nothing was harvested yet: everything is new", highlight=False)
    else:
        again = "what changed since is asked for" if last["status"] == "complete" else "it is gone on with"
        out.print(f"last: {last['harvest']}, {last['status']}: {again}", highlight=False)


def show(corpus: Corpus, manifest: dict[str, Any]) -> None:
    """Draw hosts with the shares of what came of their requests, and the reasons why some gave nothing."""
    tables = fetches.summary(corpus, manifest["harvest"])
    out = terminal.console()
    hosts = Table("host", "requests", "MiB", "shares", "outcomes", box=None, pad_edge=False)
    for row in tables["hosts"][:_HOSTS]:
        counts = {name: row[name] for name in _COLOURS if row.get(name)}
        hosts.add_row(
            row["host"], f"{row['requests']:,}", f"{row['bytes'] / 2**20:,.1f}", _bar(counts),
            ", ".join(f"{name} {count:,}" for name, count in counts.items()),
        )  # fmt: skip
    out.print(hosts)
    if len(tables["hosts"]) > _HOSTS:
        out.print(f"and {len(tables['hosts']) - _HOSTS:,} more hosts")
    for row in tables["errors"][:_REASONS]:
        out.print(f"  {row['outcome']}: {row['reason']}: {row['fetches']:,}", highlight=False, markup=False)


def _bar(counts: dict[str, int]) -> Text:
    whole, bar, drawn, seen = max(1, sum(counts.values())), Text(), 0, 0
    for name, count in counts.items():
        seen += count
        cells = round(_BAR * seen / whole) - drawn
        bar.append("█" * cells, style=_COLOURS[name])
        drawn += cells
    return bar
