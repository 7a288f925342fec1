"""The recipe of a harvest: what is fetched from where into which corpus, and how politely.

It has one table of a harvester's name, which is a module of harvesters/, a flow and a command.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from catalog.errors import ConfigError
from flows.recipe import Name
from flows.recipe_file import absolute, explain, read, tables
from flows.schedules import HARVESTS, Schedule
from harvesters.settings import Fetch, Table, check_contact


class HarvestRecipe(Table):
    """One archive of one corpus, and what is fetched into it."""

    name: Name
    """The archive: `<output>/archive/<name>`."""
    output: str = "corpus"
    """The corpus folder; relative paths start at the recipe's folder."""
    contact: str
    """E-mail address or web page by which whoever runs a server can reach you; part of the user agent."""
    fetch: Fetch = Fetch()
    crawl: dict[str, Any] | None = Field(None)
    eurlex: dict[str, Any] | None = Field(None)
    erudit: dict[str, Any] | None = Field(None)
    commoncrawl: dict[str, Any] | None = Field(None)
    schedule: Schedule | None = None

    @field_validator("contact")
    @classmethod
    def _someone_can_be_reached(cls, contact: str) -> str:
        return check_contact(contact)

    @model_validator(mode="after")
    def _one_table(self) -> HarvestRecipe:
        there = [kind for kind in HARVESTS if getattr(self, kind) is not None]
        if len(there) != 1:
            found = " and ".join(f"[{kind}]" for kind in there) or "none"
            raise ValueError(
                f"one of the tables {', '.join(f'[{kind}]' for kind in HARVESTS)} is needed; there is {found}"
            )
        return self

    @property
    def kind(self) -> str:
        """The table it has."""
        return next(kind for kind in HARVESTS if getattr(self, kind) is not None)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the harvester, checked, with whole paths."""
        found: dict[str, Any] = getattr(self, self.kind)
        return found


def load(path: Path, kind: str | None = None) -> HarvestRecipe:
    """Read a recipe; its paths become absolute, the harvester's settings are checked.

    Raises:
        ConfigError: names the file, the key, the value and the valid choices; also where it is not of this `kind`.
    """
    if "sources" in tables(path):
        raise ConfigError(f"{path}: is a recipe of a corpus: `florilege build {path}`")
    recipe = read(path, HarvestRecipe)
    if kind is not None and recipe.kind != kind:
        raise ConfigError(f"{path}: has the table [{recipe.kind}], not [{kind}]: `florilege {recipe.kind} {path}`")
    base = path.resolve().parent
    model: type[BaseModel] = importlib.import_module(f"harvesters.{recipe.kind}").Settings
    try:
        settings = model.model_validate(recipe.settings)
    except ValidationError as error:
        raise ConfigError(explain(f"{path}: [{recipe.kind}]", error, model)) from None
    placed: dict[str, Any] = {name: absolute(base, str(value)) for name, value in settings if isinstance(value, Path)}
    if index := getattr(settings, "index", ()):  # files, globs or URLs
        placed["index"] = [absolute(base, place) for place in index]
    return recipe.model_copy(update={
        "output": str((base / recipe.output).resolve()),
        recipe.kind: settings.model_dump(mode="json", exclude_unset=True) | placed,
    })  # fmt: skip


def genuine(recipe: HarvestRecipe) -> None:
    """Refuse the contact of the starters: nobody can be reached there. Raises ConfigError."""
    if recipe.contact == "you@example.org":
        raise ConfigError(f"contact = {recipe.contact!r}: is the example's; say by which address you can be reached")


def is_recipe(path: Path) -> bool:
    """Whether a file has a table of a harvest; what else is wrong with it is for `load` to say."""
    return bool(tables(path) & set(HARVESTS))
