"""What the owners of a page allow: signals from the page and its headers, and what their sites' files say.

`signals` is for shard time: a page's own words, for any recipe. `derive` is for a snapshot: the recipe's agents and URL
lists against the robots.txt and tdmrep.json files that the archives hold. Nothing here downloads anything.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from filters import robots, url_lists, urls

AGENTS = ("ccbot", "ia_archiver")
"""Robots for whose ears a directive counts that names one: the crawlers of the web archives (HPLT 3.0's agents)."""
CHUNK = 1 << 17
"""Pages that `derive` holds at a time."""
_MAX_TEXT = 20_000
_MAX_TDM_RULES = 1_000
_SCOPE = re.compile(r"\s*([a-z][\w.-]*)\s*:(.*)", re.S)
_VALUED = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
_CC = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(?P<kind>by(?:-(?:nc|nd|sa))*)|publicdomain/(?P<public>zero|mark))"
    r"(?:/(?P<version>\d\.\d))?(?:/(?P<port>(?!n[cd]\b|sa\b|by\b)[a-z]{2}|igo|scotland)(?![a-z.]))?", re.I
)  # fmt: skip
# A word after a name without a version is most often the rest of a sentence: "CC by the way".
_CC_NAME = re.compile(
    r"\bcc[ -]?(?:(?P<kind>by(?:[ -](?:nc|nd|sa)\b)*+)|(?P<public>0|zero))\b"
    r"(?:[ -]v?(?P<version>\d\.\d)|(?![^\S\n]+(?!li[czs]en|international|unported|generic|deed|and\b|or\b)[a-z]))", re.I
)  # fmt: skip


def signals(url: str | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns `noindex noai tdm_reservation licence open_licence url_key` of `signals` (catalog/schema.py).

    `facts` holds what headers and page say: `x_robots_tag` and `robots` (directives, a header or element a line, with
    `agent:` before those for one robot only), `tdm_reservation` (`1` or `0`; the page's word goes before the header's),
    `licence` or `licences` (addresses or names that the page gives as its own) and `http_licence` (the header's)
    and `harvest_licence` (that of the catalogue it was harvested by).
    """
    said = _directives(facts.get("x_robots_tag")) | _directives(facts.get("robots"))
    licence = _licence(facts)
    return {
        "noindex": bool(said & {"noindex", "none"}),
        "noai": bool(said & {"noai", "noimageai"}),
        "tdm_reservation": _reserved(facts.get("tdm_reservation")),
        "licence": licence,
        "open_licence": None if licence is None else not {"nc", "nd"} & set(licence.split("-")),
        "url_key": urls.url_key(url) if url else None,
    }


def _directives(text: Any) -> set[str]:
    """The directives for everybody and for AGENTS: `googlebot: noindex, noai` has none, `noindex, nofollow` two.

    A robot that is named owns what follows on its line, up to the next (as Google reads it). `unavailable_after` is
    passed over: the page was captured while it was available.
    """
    found: set[str] = set()
    for line in text[:_MAX_TEXT].lower().split("\n") if isinstance(text, str) else ():
        heard = True
        for part in line.split(","):
            if scope := _SCOPE.match(part):
                if scope[1] in _VALUED:
                    continue
                heard, part = scope[1] in AGENTS, scope[2]
            if heard:
                found.update(part.replace(";", " ").split())
    return found


def _reserved(value: Any) -> bool | None:
    """TDMRep: 1 is reserved, 0 is not, anything else is an error and says nothing. The first of several counts."""
    if isinstance(value, str):
        return {"1": True, "0": False}.get(value[:20].strip().partition("\n")[0].strip())
    return bool(value) if type(value) is int and value in (0, 1) else None


def _licence(facts: Mapping[str, Any]) -> str | None:
    """The Creative Commons licence that is declared, as `cc-by-3.0-fr`; of several the most restrictive."""
    declared = facts.get("licences")
    values = declared if isinstance(declared, list) else [facts.get("licence")]
    others = facts.get("http_licence"), facts.get("harvest_licence")
    return _strictest(licence_name(value) for value in (*values[:100], *others))


def licence_name(value: Any) -> str | None:
    """`cc-by-sa-4.0`, `cc-by-3.0-fr`, `cc0-1.0`, `pdm-1.0` of addresses and short names; None for other licences.

    Of several in one text the most restrictive counts.
    """
    text = value[:_MAX_TEXT] if isinstance(value, str) else ""
    return _strictest(_name(match) for form in (_CC, _CC_NAME) for match in form.finditer(text))


def _name(match: re.Match[str]) -> str:
    parts = {key: (part or "").lower().replace(" ", "-") for key, part in match.groupdict().items()}
    name = f"cc-{parts['kind']}" if parts["kind"] else "pdm" if parts["public"] == "mark" else "cc0"
    version = parts["version"] or ("" if parts["kind"] else "1.0")
    return "-".join(filter(None, (name, version, parts.get("port"))))


def _strictest(names: Iterable[str | None]) -> str | None:
    return max(filter(None, names), key=lambda name: (_strictness(name), name), default=None)


def _strictness(name: str) -> tuple[bool, bool, bool, bool]:
    terms = set(name.split("-"))
    return "nd" in terms, "nc" in terms, "sa" in terms, "by" in terms


class _Capture(NamedTuple):
    fetched: float
    id: str
    status: int | None
    text: str | None


_Captures = dict[tuple[str, str], list[_Capture]]


def derive(
    pages: Iterable[tuple[str, str | None, datetime | float | None]],
    policies: Iterable[Mapping[str, Any]],
    agents: Sequence[str] = ("*",),
    lists: Sequence[url_lists.UrlList] = (),
) -> Iterator[dict[str, Any]]:
    """Rows of `rights` (catalog/schema.py), in the order of the pages, for those of which anything is known.

    `pages`: id, address and time of capture (a datetime, or seconds since 1970, which are cheaper to hand over).
    `policies`: rows of `policies`. A file speaks for the pages of its origin; where no capture of it says anything
    (`robots.answer`), that of the same host's other scheme does. Of several captures the nearest in time counts, the
    earlier of two as near, and the last one for a page without a time. Memory: the policies, and CHUNK pages. Pages in
    order of their addresses are cheapest: then each file is parsed once, and not once a chunk.
    """
    captures = _captures(policies)
    read = lru_cache(maxsize=64)(_read)  # many sites have the file that their software came with
    iterator = iter(pages)
    while chunk := list(islice(iterator, CHUNK)):
        yield from _chunk(chunk, captures, read, agents, lists)


def _captures(policies: Iterable[Mapping[str, Any]]) -> _Captures:
    """The captures of each file by origin and kind, in order of time; equal texts are held once."""
    found: _Captures = {}
    texts: dict[str, str] = {}
    for row in policies:
        text = row["text"]
        if text is not None:
            text = texts.setdefault(text, text)
        fetched = _seconds(row["fetched"])
        capture = _Capture(float("-inf") if fetched is None else fetched, row["id"], row["status"], text)
        found.setdefault((row["origin"], row["kind"]), []).append(capture)
    for of_one in found.values():
        of_one.sort(key=lambda capture: capture[:2])
    return found


def _chunk(
    pages: list[tuple[str, str | None, datetime | float | None]],
    captures: _Captures,
    read: Callable[[str, int | None, str | None], Any],
    agents: Sequence[str],
    lists: Sequence[url_lists.UrlList],
) -> Iterator[dict[str, Any]]:
    listed = url_lists.match_all([url or "" for _, url, _ in pages], lists) if lists else [None] * len(pages)
    said: list[tuple[Any, ...]] = [(None, None, None, None)] * len(pages)
    by_origin: dict[str, list[int]] = {}
    for number, (_, url, _) in enumerate(pages):
        if url and (origin := urls.origin(url)):
            by_origin.setdefault(origin, []).append(number)
    for origin, numbers in by_origin.items():
        rules = _answers(origin, "robots.txt", captures, read)
        reservations = _answers(origin, "tdmrep.json", captures, read)
        for number in numbers if rules or reservations else ():
            _, url, fetched = pages[number]
            moment = _seconds(fetched)
            said[number] = _says(url or "", _nearest(rules, moment), _nearest(reservations, moment), agents)
    for (id, url, _), name, (allowed, agent, rule, reserved) in zip(pages, listed, said, strict=True):
        if allowed is not None or reserved is not None or (lists and url):
            yield {
                "id": id, "robots_allowed": allowed, "robots_agent": agent, "robots_rule": rule,
                "site_tdm_reservation": reserved, "url_list": name, "url_listed": name is not None if lists else None,
            }  # fmt: skip


def _read(kind: str, status: int | None, text: str | None) -> Any:
    return robots.answer(status, text) if kind == "robots.txt" else tdm_rules(status, text)


def _answers(
    origin: str, kind: str, captures: _Captures, read: Callable[[str, int | None, str | None], Any]
) -> list[tuple[float, Any]]:
    """What the captures of a site's file say, by time: the origin's or, if they say nothing, the other scheme's."""
    scheme, _, rest = origin.partition("://")
    for one in (origin, f"{'http' if scheme == 'https' else 'https'}://{rest}"):
        said = ((c.fetched, read(kind, c.status, c.text)) for c in captures.get((one, kind), ()))
        if found := [answer for answer in said if answer[1] is not None]:
            return found
    return []


def _says(url: str, rules: Any, reservations: Any, agents: Sequence[str]) -> tuple[Any, ...]:
    """robots_allowed, robots_agent, robots_rule, site_tdm_reservation of a page."""
    allowed = (None, None, None) if rules is None else robots.allowed(rules, url, agents)
    return (*allowed, None if reservations is None else reservations.of(url))


def _nearest(answers: list[tuple[float, Any]], fetched: float | None) -> Any:
    if len(answers) < 2 or fetched is None:
        return answers[-1][1] if answers else None
    at = bisect_left(answers, fetched, key=lambda answer: answer[0])
    if at == len(answers) or (at and fetched - answers[at - 1][0] <= answers[at][0] - fetched):
        at -= 1
    return answers[at][1]


def _seconds(moment: datetime | float | None) -> float | None:
    return moment.timestamp() if isinstance(moment, datetime) else moment


class TdmRules:
    """A tdmrep.json file: path patterns in order, and whether text and data mining is reserved where each holds."""

    def __init__(self, rules: list[tuple[str, bool]]) -> None:
        self.paths, self.reserved = [path for path, _ in rules], [reserved for _, reserved in rules]
        self.judges: dict[tuple[int, int], Any] = {}

    def of(self, url: str) -> bool | None:
        """What the first rule that covers the address says; None if none does."""
        at = robots.first(self.paths, robots.page(url), self.judges)
        return None if at is None else self.reserved[at]


def tdm_rules(status: int | None, text: str | None) -> TdmRules | None:
    """The rules of a tdmrep.json file (W3C TDMRep: a list of location and tdm-reservation); None if it is none.

    Locations are paths with `*` and `$` as in robots.txt. Rules that break the protocol are passed over.
    """
    if text is None or (status is not None and not 200 <= status <= 299):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rules: list[tuple[str, bool]] = []
    for item in (items if isinstance(items, list) else [items])[:_MAX_TDM_RULES]:
        if isinstance(item, dict) and isinstance(path := item.get("location"), str) and path.strip():
            reserved = _reserved(item.get("tdm-reservation"))
            if reserved is not None:
                path = " ".join(path.encode("utf-8", "replace").decode()[: robots.MAX_URL].split())
                rules.append((f"{'' if path[0] in '/*' else '/'}{path}", reserved))
    return TdmRules(rules)
