"""robots.txt: whether a file, as an archive has it, lets an agent fetch a page, and by which rule.

Lines are read and grouped here as RFC 9309 wants it (2.2.1: groups of one name are merged, only user-agent, allow and
disallow lines begin or end one). Whether a rule with escapes, `*` or `$` covers a path is protego's answer, rule by
rule: on whole files, its time and memory grow with the product of agents and rules, and it does not name the rule.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from filters import urls

MAX_BYTES = 500 << 10
"""What is read of a file (RFC 9309, 2.5)."""
MAX_RULES = 3_000
"""Rules of one agent that count; of 325 real files none has more than 500."""
MAX_URL = 2_048
"""Characters of a path that rules are compared with."""
MAX_LABEL = 500
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.I)
_TAG = re.compile(r"<[^<>\r\n]{1,200}>")
_LINE = re.compile(
    r"^[^\S\n]*+(?:(?P<agent>use[rg][ _-]?agents?)"
    r"|(?P<disallow>diss?all?ow|diasllow|disallaw|desallow)"
    r"|allow)[^\S\n]*(?::|(?<=\s))(?P<value>[^#\n]*)", re.I | re.M
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")
_WORD = re.compile(r"[a-z_][\w.-]*")


class _Group(NamedTuple):
    """The rules for one name, longest first, percent-encodings made equal, and at a tie those that allow.

    The first that covers a path decides.
    """

    lines: list[str]
    plain: list[tuple[str, int]]
    """Rules that are the beginning of a path, and their places."""
    odd: list[str]
    """Patterns of the others: those with `*`, `$`, or what can be written in more than one way."""
    odd_at: list[int]
    odd_begin: tuple[str, ...]
    """What each of them begins with, as far as it is plain."""
    judges: dict[tuple[int, int], Any]


@dataclass(slots=True)
class Rules:
    """A robots.txt file: rules by group, the groups of each name that it addresses, and what was worked out so far."""

    groups: list[list[str]] = field(default_factory=list)
    names: dict[str, list[int]] = field(default_factory=dict)
    name_of: dict[str, str | None] = field(default_factory=dict)
    rules_of: dict[str, _Group] = field(default_factory=dict)


def decode(payload: bytes) -> str:
    """A file's text: UTF-16 by its byte order mark, else UTF-8, else Latin-1; at most MAX_BYTES are read."""
    whole, payload = len(payload) <= MAX_BYTES, payload[:MAX_BYTES]  # a cut may fall into a character
    for mark, reader in (
        (codecs.BOM_UTF16_LE, codecs.utf_16_le_decode),
        (codecs.BOM_UTF16_BE, codecs.utf_16_be_decode),
    ):
        if payload.startswith(mark):
            return reader(payload[2:], "replace", False)[0].replace("\0", "")
    payload = payload.removeprefix(codecs.BOM_UTF8)
    try:
        text = codecs.utf_8_decode(payload, "strict", whole)[0]
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    return text.replace("\0", "")


def policy_row(
    *, id: str, source: str, url: str, kind: str, fetched: datetime | None, status: int | None, payload: bytes
) -> dict[str, Any] | None:
    """A row of `policies` (catalog/schema.py); None where `url` is no http(s) address and so speaks for no site.

    `text` is null unless the status is 2xx, or there was no HTTP.
    """
    origin = urls.origin(url)
    if origin is None:
        return None
    text = decode(payload) if status is None or 200 <= status <= 299 else None
    return {
        "id": id, "source": source, "origin": origin, "kind": kind, "fetched": fetched, "status": status, "text": text,
    }  # fmt: skip


def answer(status: int | None, text: str | None) -> Rules | None:
    """What a capture of robots.txt says; None if nothing, so that another capture has to.

    A file that is not there (4xx) allows everything (RFC 9309, 2.3.1.3). A server that could not answer (5xx, 429) or
    that pointed elsewhere (3xx) tells a crawler to wait, but of an archived page it tells nothing.
    """
    if status is not None and 400 <= status <= 499 and status != 429:
        return Rules()
    if text is None or (status is not None and not 200 <= status <= 299):
        return None
    return parse(text)


def parse(text: str) -> Rules:
    """Reads a robots.txt file. Common misspellings, missing colons, several names on a line and markup are read too.

    Linear in the text, of which MAX_BYTES characters are read.
    """
    text = text[:MAX_BYTES].replace("\r", "\n")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode().removeprefix("\ufeff")
    if _HTML.match(text):
        text = _TAG.sub("", text)
    rules, addressing = Rules(), False
    for match in _LINE.finditer(text):
        agent, disallow, rest = match.groups()
        value = " ".join(rest.split())  # whatever protego would take for the end of a line is a space
        if agent:
            if not addressing:
                rules.groups.append([])
            addressing = True
            for name in _names(value):
                at = rules.names.setdefault(name, [])
                if at[-1:] != [len(rules.groups) - 1]:
                    at.append(len(rules.groups) - 1)
        elif rules.groups:
            addressing = False
            if value:
                rules.groups[-1].append(f"{'Disallow' if disallow else 'Allow'}: {value}")
    return rules


def allowed(rules: Rules, url: str, agents: Sequence[str]) -> tuple[bool, str | None, str | None]:
    """Whether all agents may fetch the page; else the first that may not, and its longest rule that says so.

    An agent is a name (`ccbot`), a whole user-agent header, or `*`, whom rules for everybody else address. The groups
    that apply are those with its name, or with the longest word of it that the file names, else those of `*`.
    """
    path, passed = page(url), set()
    for agent in agents if path != "/robots.txt" else ():
        if agent not in rules.name_of:
            rules.name_of[agent] = _addressed(rules, agent)
        name = rules.name_of[agent]
        if name is None or name in passed:
            continue
        passed.add(name)
        if name not in rules.rules_of:
            rules.rules_of[name] = _group(rules, name)
        line = _deciding(rules.rules_of[name], path)
        if line.startswith("D"):
            return False, agent, line[:MAX_LABEL]
    return True, None, None


def page(url: str) -> str:
    """The part of an address that rules are compared with: path and query, at most MAX_URL characters."""
    parts = urls.split(url)
    path = url if parts is None else parts.path + ("" if parts.query is None else f"?{parts.query}")
    return ("" if path.startswith("/") else "/") + urls.escaped(path)[:MAX_URL]


def first(patterns: Sequence[str], path: str, judges: dict[tuple[int, int], Any]) -> int | None:
    """The place of the first pattern (`/a*b$`) that covers what `page` gave.

    `judges` keeps what was read of these patterns before. Halves are asked, so that many patterns cost few questions.
    """
    low, high = 0, len(patterns)
    if not patterns or not _any(patterns, low, high, path, judges):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _any(patterns, low, middle, path, judges):
            high = middle
        else:
            low = middle
    return low


def _any(patterns: Sequence[str], low: int, high: int, path: str, judges: dict[tuple[int, int], Any]) -> bool:
    if (low, high) not in judges:
        from protego import Protego

        judges[low, high] = Protego.parse("\nDisallow: ".join(["User-agent: *", *patterns[low:high]]))
    return not judges[low, high].can_fetch(f"http://host{path}", "*")


def _names(value: str) -> list[str]:
    """`Download Ninja/1.0, b*` to `download ninja`, `download`, `ninja`, `b`: names come in lists and with versions."""
    items = [item.strip() for item in value.lower().split(",")]
    words = [word for item in items for word in (item, *item.split())]
    return [name for word in words if word and (name := word.partition("/")[0].strip("*") or "*")]


def _addressed(rules: Rules, agent: str) -> str | None:
    """The name under which the file speaks to an agent."""
    name = agent.strip().lower()
    words = sorted(_WORD.findall(name), key=len, reverse=True)
    return next((word for word in (name, *words, "*") if word in rules.names), None)


def _group(rules: Rules, name: str) -> _Group:
    lines = dict.fromkeys([line for group in rules.names[name] for line in rules.groups[group]][:MAX_RULES])
    ranked = [(-len(urls.escaped(line.partition(" ")[2])), line) for line in lines]
    for rank, line in [one for one in ranked if one[1][0] == "A" and one[1].endswith("/index.html")]:
        ranked.append((rank, f"{line[:-10]}$"))  # who allows the page allows its folder's address
    found = _Group([line for _, line in sorted(ranked)], [], [], [], (), {})
    begin = []
    for place, line in enumerate(found.lines):
        pattern = line[line.index(" ") + 1 :]
        prefix = _PLAIN.match(pattern)[0]  # type: ignore[index]
        if prefix == pattern:
            found.plain.append((pattern, place))
        else:
            found.odd.append(pattern)
            found.odd_at.append(place)
            begin.append(prefix)
    return found._replace(odd_begin=tuple(dict.fromkeys(begin)))


def _deciding(group: _Group, path: str) -> str:
    """The rule that decides, or nothing where none covers the path."""
    place = next((place for pattern, place in group.plain if path.startswith(pattern)), len(group.lines))
    if path.startswith(group.odd_begin):
        odd = first(group.odd, path, group.judges)
        place = place if odd is None else min(place, group.odd_at[odd])
    return group.lines[place] if place < len(group.lines) else ""
