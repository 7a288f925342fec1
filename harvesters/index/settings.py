"""The `[commoncrawl]` table of a harvest's recipe."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from harvesters.index import choose as ccindex
from harvesters.pages.urls import normalise
from harvesters.settings import Table

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]{2,45}\]")
_MIME = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}", re.I)
_CRAWL = re.compile(r"CC-MAIN-\d{4}(-\d{2,4})?")


class Settings(Table):
    """The `[commoncrawl]` table of a recipe."""

    crawl: str | None = None
    """Crawl whose columnar index is read from the store: `CC-MAIN-2026-30`."""
    index: tuple[str, ...] | str = ()
    """Index files instead: parquet files of a columnar index, or CDX files; paths, folders, patterns, URLs."""
    store: str = "https://data.commoncrawl.org/"
    """Where the WARC files lie: what file names of the index are relative to."""
    cdx_server: str | None = None
    """CDX server to ask for `hosts` and `domains` of `crawl` instead of reading its index:
    `https://index.commoncrawl.org/`. For a few hosts only."""
    languages: tuple[str, ...] = ()
    """Main language, BCP 47 or ISO 639-3."""
    hosts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    """A host and all below it."""
    tlds: tuple[str, ...] = ()
    types: tuple[str, ...] = ("html", "pdf")
    """html, pdf or media types, as detected by the crawler; empty: all."""
    statuses: tuple[int, ...] = (200,)
    where: str | None = Field(None, max_length=10_000)
    """Further SQL condition on a row of `cc_index`."""
    limit: int | None = Field(None, ge=1)
    """Records at most: the first by file and offset."""
    refetch_truncated: bool = False
    """Whether a page that was cut off is fetched again from its site, if that allows it."""

    @field_validator("index")
    @classmethod
    def _index_is_a_list(cls, index: tuple[str, ...] | str) -> tuple[str, ...]:
        index = (index,) if isinstance(index, str) else index
        for path in index:
            if not path or "\0" in path or ("://" in path and "::" in path):
                raise ValueError(f"{path!r} is no path or URL")
        return index

    @field_validator("crawl")
    @classmethod
    def _crawl_is_a_name(cls, crawl: str | None) -> str | None:
        if crawl is not None and not _CRAWL.fullmatch(crawl):
            raise ValueError(f"{crawl!r} is no name of a crawl; one is CC-MAIN-2026-30")
        return crawl

    @field_validator("store", "cdx_server")
    @classmethod
    def _stores_are_addresses(cls, url: str | None) -> str | None:
        if url is None:
            return None
        address = normalise(url, whole=True)
        if address is None or urlsplit(address).query:
            raise ValueError(f"{url!r} is no http or https address")
        return address if address.endswith("/") else f"{address}/"

    @field_validator("hosts", "domains", "tlds")
    @classmethod
    def _hosts_are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_host, hosts))

    @field_validator("languages")
    @classmethod
    def _languages_are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for language in languages:
            ccindex.iso_639_3(language)
        return languages

    @field_validator("types")
    @classmethod
    def _types_are_types(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for word in types:
            if word not in ("html", "pdf") and not _MIME.fullmatch(word):
                raise ValueError(f"{word!r} is neither html, pdf nor a media type such as text/plain")
        return types

    @field_validator("statuses")
    @classmethod
    def _statuses_are_statuses(cls, statuses: tuple[int, ...]) -> tuple[int, ...]:
        if not all(100 <= status <= 599 for status in statuses):
            raise ValueError("HTTP statuses are numbers from 100 to 599")
        return statuses

    @field_validator("where")
    @classmethod
    def _where_is_a_condition(cls, where: str | None) -> str | None:
        if where is not None:
            ccindex.check_condition(where)
        return where

    @model_validator(mode="after")
    def _one_index(self) -> Self:
        if bool(self.index) == bool(self.crawl):
            raise ValueError("give either crawl or index")
        if self.cdx_server and (not self.crawl or not (self.hosts or self.domains) or self.tlds or self.limit):
            raise ValueError("cdx_server needs crawl and hosts or domains, and takes neither tlds nor limit")
        return self


def _host(host: str) -> str:
    if not host.isascii():
        host = host.encode("idna").decode()
    host = host.lower().strip(".")
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host name")
    return host
