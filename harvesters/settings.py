"""How politely anything is fetched: the `[fetch]` table of a harvest's recipe, the same for all harvesters."""

from __future__ import annotations

import ipaddress
import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_CONTACT = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+|https?://[^\s()<>;]+")


class Table(BaseModel):
    """A table of a recipe: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Fetch(Table):
    """Limits of all fetching."""

    interval_s: float = Field(1.0, ge=0, le=3_600)
    """Least seconds between two requests to one host, counted from when the last answer began (with `per_host` over 1:
    from when the last request was sent); a longer Crawl-delay counts."""
    per_host: int = Field(1, ge=1, le=64)
    """Requests under way at one host at the same time."""
    concurrency: int = Field(16, ge=1, le=512)
    """Requests under way at the same time, in all."""
    slow_down: bool = True
    """Whether a host that answers slowly is asked more rarely: no more than one second of its work a second."""
    crawl_delay_cap_s: float = Field(60, gt=0, le=3_600)
    """Longest Crawl-delay that is heeded; a host that asks for more is left out."""
    timeout_s: float = Field(60, gt=0, le=3_600)
    retries: int = Field(3, ge=0, le=20)
    """How often a request is made again after an error that may pass (429, 5xx, a lost connection)."""
    backoff_s: float = Field(5, gt=0, le=3_600)
    """Wait before the first retry; doubled each time, at most an hour. A longer Retry-After counts."""
    max_mb: float = Field(64, gt=0, le=1_024)
    """MiB of an answer, as sent and decoded; more is cut off or refused."""
    max_requests: int | None = Field(None, ge=1)
    """Requests of a harvest, robots.txt not counted; with the last of them it is complete. None: no limit."""
    max_requests_per_host: int | None = Field(None, ge=1)
    """The same for each host."""
    max_total_mb: float | None = Field(None, gt=0)
    """MiB of a harvest, as sent."""
    segment_mb: float = Field(1_024, gt=0)
    """MiB of an archive file; a full one is closed, and a build sees it."""
    hours: float | None = Field(None, gt=0)
    """Time for one run, in hours; the next run goes on with what is left. None: no limit."""
    robots: bool = True
    """Whether robots.txt is heeded (RFC 9309)."""
    private: tuple[str, ...] = ()
    """Networks (`10.1.0.0/16`), addresses or host names on the private side that may be asked; none by default."""
    addresses: dict[str, str] = {}
    """Addresses of host names that are not looked up, as in a hosts file: `{"staging.example.org" = "10.1.2.3"}`."""

    @field_validator("private")
    @classmethod
    def _private_are_networks_or_hosts(cls, private: tuple[str, ...]) -> tuple[str, ...]:
        for place in private:
            try:
                ipaddress.ip_network(place, strict=False)
            except ValueError:
                if not _HOST.fullmatch(place.lower()) or re.fullmatch(r"[0-9./:]+", place):
                    raise ValueError(f"{place!r} is no network, address or host name") from None
        return private

    @field_validator("addresses")
    @classmethod
    def _addresses_are_addresses(cls, addresses: dict[str, str]) -> dict[str, str]:
        for host, address in addresses.items():
            if not _HOST.fullmatch(host.lower()):
                raise ValueError(f"{host!r} is no host name")
            ipaddress.ip_address(address)
        return {host.lower(): address for host, address in addresses.items()}


def check_contact(contact: str) -> str:
    """The contact itself if someone can be reached by it; ValueError if not."""
    if not _CONTACT.fullmatch(contact):
        raise ValueError("an e-mail address or a web page (https://...) by which you can be reached")
    return contact


def user_agent(contact: str, version: str) -> str:
    """`florilege/0.1.0 (+mailto:a@b.org)`: the product token `florilege` is what robots.txt files may name."""
    return f"florilege/{version} (+{contact if '://' in contact else 'mailto:' + contact})"
