"""The `[erudit]` table: which records of which repository, and which of their articles' files."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from harvesters.oai.articles import Content
from harvesters.pages.urls import split
from harvesters.settings import Table


class Settings(Table):
    """The `[erudit]` table."""

    endpoint: str = "https://oai.erudit.org/oai/request"
    """Base URL of the repository."""
    prefix: str = Field("oai_dc", pattern=r"^[A-Za-z0-9_.!~*'()-]+$", max_length=100)
    """metadataPrefix: the format of the records; `oai_dc` is what every repository has."""
    sets: tuple[str, ...] = ()
    """setSpecs to harvest, one after another; at Érudit a set is a journal. None: all records."""
    since: Literal["last", "earliest"] | date = "last"
    """Records from this day on; `last`: what is new or changed since the last harvest; `earliest`: all."""
    until: date | None = None
    """Records until this day, itself included."""
    limit: int | None = Field(None, ge=1)
    """Records of each set, to try a recipe out; the next harvest begins anew."""
    content: tuple[Content, ...] = ("pdf", "xml")
    """Files of an article: pdf, xml, and html, its page. Empty: metadata only."""
    hosts: tuple[str, ...] = ("erudit.org",)
    """Hosts of which files are fetched, with their subdomains."""
    licences: tuple[str, ...] = ("creativecommons.org/licenses/*", "creativecommons.org/publicdomain/*")
    """Licences that permit fetching: addresses, with `*` for any characters."""
    unlicensed: Literal["metadata", "fetch"] = "metadata"
    """What is fetched of an article without a licence, or with all rights reserved: its metadata alone, or its files
    too, because the law where you are permits it."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_a_base_url(cls, endpoint: str) -> str:
        parts = split(endpoint)
        if parts is None or parts.query is not None or "#" in endpoint:
            raise ValueError(f"{endpoint!r} is no base URL: http(s), a host and a path, without `?` and `#`")
        return str(parts)

    @field_validator("sets")
    @classmethod
    def _sets_are_set_specs(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        for name in sets:
            if not name or any(character.isspace() for character in name):
                raise ValueError(f"{name!r} is no setSpec; the repository lists them: ENDPOINT?verb=ListSets")
        return tuple(dict.fromkeys(sets))

    @field_validator("hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parts = split(f"http://{host}/")
            if parts is None or parts.host != host.lower() or parts.port:
                raise ValueError(f"{host!r} is no host name")
        return tuple(host.lower() for host in hosts)
