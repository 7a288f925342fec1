"""The `[eurlex]` table of a harvest's recipe: which acts, in which languages and formats."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from harvesters.cellar import protocol as cellar
from harvesters.cellar import queries as cellar_queries
from harvesters.cellar.protocol import Form
from harvesters.cellar.queries import Filters
from harvesters.settings import Table

BATCH = 40
"""Numbers of a list in one selection."""
PAGE = 1_000
"""Works of one answer to a selection."""
_PATTERNS = {
    "sectors": (r"[0-9CE]", "a sector is one of 0 to 9, C, E"),
    "types": (r"[A-Z][A-Z_]{1,40}", "a resource type is such as REG, DIR_IMPL, DEC, JUDG"),
    "directory_codes": (r"\d\d(\.\d\d){0,3}", "a directory code is such as 15, 15.10 or 15.10.20.50"),
    "eurovoc": (r"\d{1,8}|c_[0-9a-f]{8}", "a EuroVoc concept is the last part of its URI, such as 5482"),
}


class Settings(Table):
    """The `[eurlex]` table: which acts, as which versions."""

    model_config = ConfigDict(populate_by_name=True)

    celex: tuple[str, ...] = ()
    """CELEX numbers: `32016R0679`, `02016R0679-20160504`, `32016R0679R(02)`, `12012M/TXT`."""
    celex_file: Path | None = None
    """A file of more of them, one a line; `#` begins a comment."""
    sectors: tuple[str, ...] = ()
    """First signs of CELEX numbers: 3 legislation, 6 case-law, 0 consolidated texts ..."""
    types: tuple[str, ...] = ()
    """Resource types: REG, REG_IMPL, REG_DEL, DIR, DEC, JUDG ..."""
    directory_codes: tuple[str, ...] = ()
    """Chapters of the Directory of legal acts, with what is below them: `15.10`."""
    eurovoc: tuple[str, ...] = ()
    """EuroVoc concepts by number: `5482`."""
    first: date | None = Field(None, alias="from")
    """Date of the document: this day or later."""
    last: date | None = Field(None, alias="to")
    """Date of the document: this day or earlier."""
    in_force: bool | None = None
    updated_since: date | Literal["last"] | None = None
    """Only works whose record in CELLAR changed since that day, or since the last complete harvest began."""
    limit: int | None = Field(None, ge=1)
    """Works of a selection, the first by number; for trying."""
    corrigenda: bool = False
    """Whether the corrigenda of the acts are wanted too."""
    consolidated: bool = False
    """Whether the consolidated versions of the acts are wanted too."""
    languages: tuple[str, ...] = tuple(cellar.LANGUAGES)
    """BCP 47; all 24 by default."""
    formats: tuple[Form, ...] = ("xhtml", "formex", "pdf")
    """The best first."""
    all_formats: bool = False
    """Whether each format is wanted, not only the first that there is."""
    access: Literal["inventory", "negotiation", "items"] = "inventory"
    """How versions are found and asked for. inventory: SPARQL says which there are, each is asked for by CELEX number;
    negotiation: every language and format is asked for by CELEX number; items: SPARQL says where the files are."""
    endpoint: str = cellar.ENDPOINT
    resource: str = cellar.RESOURCE

    @field_validator("celex")
    @classmethod
    def _celex_numbers(cls, numbers: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(_checked, numbers)))

    @field_validator(*_PATTERNS)
    @classmethod
    def _words_of_queries(cls, words: tuple[str, ...], info: Any) -> tuple[str, ...]:
        pattern, said = _PATTERNS[info.field_name]
        for word in words:
            if not re.fullmatch(pattern, word, re.ASCII):
                raise ValueError(f"{word!r}: {said}")
        return words

    @field_validator("languages", "formats")
    @classmethod
    def _some(cls, words: tuple[str, ...], info: Any) -> tuple[str, ...]:
        if not words:
            raise ValueError("at least one")
        unknown = [word for word in words if info.field_name == "languages" and word not in cellar.LANGUAGES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(cellar.LANGUAGES)}")
        return tuple(dict.fromkeys(words))

    @field_validator("endpoint", "resource")
    @classmethod
    def _addresses(cls, address: str) -> str:
        parts = urlsplit(address)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in address
        ):
            raise ValueError("an http or https address without query")
        return address.rstrip("/")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Settings:
        filters = self.filters()
        if not (self.celex or self.celex_file or self.updated_since or filters != Filters()):
            raise ValueError(f"say which acts: celex, celex_file, {', '.join(_PATTERNS)}, from, to or updated_since")
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"from ({self.first}) is later than to ({self.last})")
        most = replace(filters, celex=("32016R0679R(02)",) * BATCH)
        query = cellar_queries.selection(most, "consolidated", datetime.now(UTC), "0" * 40, PAGE)
        if len(cellar_queries.query_url("", query)) > cellar_queries.QUERY_BYTES:
            raise ValueError("the query is too long for CELLAR: fewer types, directory_codes or eurovoc")
        return self

    def filters(self) -> Filters:
        """What a query filters by, without the list of numbers."""
        return Filters(
            (), self.sectors, self.types, self.directory_codes, self.eurovoc, self.first, self.last, self.in_force
        )

    def numbers(self) -> tuple[str, ...]:
        """The list of CELEX numbers, with those of the file. ConfigError for a file that cannot be read."""
        listed = list(self.celex)
        if self.celex_file is not None:
            listed += _read(self.celex_file)
        return tuple(dict.fromkeys(listed))[: self.limit]


def _checked(number: str) -> str:
    from extractors.eurlex import CELEX

    bare = number.strip().upper()
    if not CELEX.fullmatch(bare):
        raise ValueError(f"{number!r} is no CELEX number such as 32016R0679")
    return bare


def _read(path: Path) -> list[str]:
    from catalog.errors import ConfigError

    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"celex_file {path}: {error}") from None
    found = []
    for count, line in enumerate(lines, 1):
        number = line.partition("#")[0].strip()
        try:
            found += [_checked(number)] if number else []
        except ValueError as error:
            raise ConfigError(f"celex_file {path}, line {count}: {error}") from None
    if not found:
        raise ConfigError(f"celex_file {path}: no CELEX number in it")
    return found
