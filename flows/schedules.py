"""When a recipe is run again: its `[schedule]`, and which flow runs it. Prefect is not imported here."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, field_validator

from catalog.errors import ConfigError
from flows.recipe_file import parsed

HARVESTS = ("crawl", "eurlex", "erudit", "commoncrawl")
"""Kinds of harvests, each with a table of its name."""
FLOWS = {"build": "flows.build:build", "sets": "flows.retrieval:pairs"} | {
    kind: f"flows.{kind}:{kind}" for kind in HARVESTS
}
"""The flow of each kind of recipe."""
_LOADERS = {"build": "flows.recipe:load", "sets": "flows.retrieval_recipe:load"} | dict.fromkeys(
    HARVESTS, "flows.harvest_recipe:load"
)
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "day of the week": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
_PART = re.compile(r"(?P<all>\*)|(?P<first>[0-9]{1,2})(-(?P<last>[0-9]{1,2}))?")


class Schedule(BaseModel):
    """When a recipe is run by `florilege serve` and `florilege deploy`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str
    """Minute, hour, day of the month, month, day of the week; as in crontab(5)."""
    timezone: str = "UTC"
    """Time zone of `cron`, such as `Europe/Paris`."""
    paused: bool = False
    """Whether nothing is run until the schedule is resumed."""

    @field_validator("cron")
    @classmethod
    def _cron_has_five_fields(cls, cron: str) -> str:
        fields = cron.lower().split()
        if len(fields) != len(_FIELDS):
            wanted = ", ".join(name for name, _, _ in _FIELDS)
            raise ValueError(f"{len(fields)} fields; five are needed: {wanted}, as in '0 3 * * *', daily at three")
        for text, (name, least, most) in zip(fields, _FIELDS, strict=True):
            _check_field(text, name, least, most)
        return " ".join(fields)

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError("no such time zone; valid are the names of the IANA database: UTC, Europe/Paris ...")
        return timezone


def _check_field(text: str, name: str, least: int, most: int) -> None:
    """Raise ValueError unless `text` is a list of `*`, numbers and ranges, each with an optional step."""
    numbers = text
    for number, word in enumerate(_NAMES.get(name, ()), start=least):
        numbers = re.sub(rf"\b{word}\b", str(number), numbers)
    for part in numbers.split(","):
        base, slash, step = part.partition("/")
        found = _PART.fullmatch(base)
        first, last = (int(found["first"] or least), int(found["last"] or found["first"] or most)) if found else (0, 0)
        stepped = not slash or (step.isascii() and step.isdigit() and 0 < int(step) <= most and not _single(found))
        if found is None or not (least <= first <= last <= most) or not stepped:
            raise ValueError(
                f"{name}: {text!r}: `*`, a number of {least} to {most}, a range such as {least}-{most}, "
                f"steps such as */2, or several with commas"
            )


def _single(found: re.Match[str] | None) -> bool:
    """Whether it is one number, which can have no steps."""
    return found is not None and found["all"] is None and found["last"] is None


@dataclass(frozen=True, slots=True)
class Planned:
    """One recipe that is to be run again and again."""

    kind: str
    """build, sets, crawl, eurlex, erudit or commoncrawl."""
    name: str
    """The recipe's name; that of its file where it has none."""
    recipe: Path
    schedule: Schedule | None
    """None: run on demand only."""


def kind_of(path: Path) -> str:
    """Which kind of recipe a file is, by its tables.

    Raises:
        ConfigError: it cannot be read, or is none or several of them.
    """
    raw = parsed(path)
    found = [kind for kind in HARVESTS if kind in raw]
    found += ["build"] if "sources" in raw else ["sets"] if "corpus" in raw else []
    if len(found) != 1:
        raise ConfigError(
            f"{path}: {'is ' + ' and '.join(found) + ' at once' if found else 'no recipe'}; a recipe has [[sources]] "
            f"(a build), `corpus` (sets), or one of the tables {', '.join(f'[{kind}]' for kind in HARVESTS)}"
        )
    return found[0]


def plan(paths: Sequence[Path]) -> list[Planned]:
    """Read recipes of any kind, whole, so that what is wrong with one is said now and not at three in the morning.

    Raises:
        ConfigError: one of them is wrong, or two of one kind have the same name.
    """
    planned: list[Planned] = []
    for path in dict.fromkeys(path.resolve() for path in paths):
        kind = kind_of(path)
        module, load = _LOADERS[kind].split(":")
        recipe = getattr(importlib.import_module(module), load)(path)
        planned.append(Planned(kind, getattr(recipe, "name", path.stem), path, recipe.schedule))
    seen: dict[tuple[str, str], Path] = {}
    for one in planned:
        if (other := seen.setdefault((one.kind, one.name), one.recipe)) != one.recipe:
            raise ConfigError(f"{one.recipe}: the name {one.name!r} is that of {other} too; give it another")
    return planned
