"""OAI-PMH 2.0 as pure functions: the URLs of requests, and what answers say.

The protocol: https://www.openarchives.org/OAI/openarchivesprotocol.html. Answers are hostile: they are parsed without
entities and network, a page that is no well-formed XML is read record by record, and what cannot be read is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

import xxhash
from lxml import etree

from extractors.blocks import name_of
from extractors.markup import MarkupError, damage, parse_xml

Element = Any
Granularity = Literal["day", "second"]

MAX_PAGE = 32 << 20
"""Bytes of an answer that are parsed; a tree takes ten times as much memory."""
MAX_TOKEN = 4_000
"""Characters of a resumption token: longer ones fit no URL."""
MAX_RECORDS = 20_000
"""Records of one page; repositories send some hundreds at most."""
MAX_EMPTY = 50
"""Pages without a record, one after the other, that a list may have."""
_LAST_TOKENS = 8
_MAX_HEAD = 16 << 10
_SHORT = 500
_DATE = re.compile(r"\s*(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z?)?\s*")
_RECORD = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?record(?=[\s>/])")
_RECORD_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?record\s*>")
_TAG = re.compile(rb"<(/?)([A-Za-z_][\w.:-]*)(?:\s[^<>]*?)?(/?)>")
_TOKEN = re.compile(rb"<(?:[\w.-]+:)?resumptionToken(?:\s[^<>]*)?>([^<>]*)</", re.I)
_IDENTIFIER = re.compile(rb"<(?:[\w.-]+:)?identifier(?:\s[^<>]*)?>\s*([^<>\s]{1,500})\s*</")


class OaiError(ValueError):
    """An answer that is none of OAI-PMH, or cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An answer to Identify."""

    name: str
    granularity: Granularity
    earliest: datetime | None
    """No record is older."""
    deleted: str
    """Whether the repository tells of deleted records: no, transient or persistent."""
    answered: datetime | None
    """responseDate: the repository's own clock."""


@dataclass(slots=True)
class Item:
    """A record of a page."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool
    metadata: Element | None
    """The element inside `metadata`, None for a deleted record and for one without."""


@dataclass(slots=True)
class Page:
    """An answer to ListRecords or GetRecord."""

    items: list[Item] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Identifiers of records that cannot be read; empty where even that is unknown."""
    token: str | None = None
    """Where the list goes on; None at its end."""
    whole: bool = True
    """Whether the end of the page was seen: without a token, the end of the list."""
    size: int | None = None
    """completeListSize, as announced."""
    answered: datetime | None = None
    error: str | None = None
    """Code of an OAI-PMH error: noRecordsMatch, badResumptionToken ..."""
    message: str = ""
    """The error's text, on one line."""


def identify(endpoint: str) -> str:
    """URL of Identify: granularity, earliest datestamp, deleted records."""
    return f"{endpoint}?verb=Identify"


def get_record(endpoint: str, identifier: str, prefix: str) -> str:
    """URL of one record."""
    return _url(endpoint, verb="GetRecord", identifier=identifier, metadataPrefix=prefix)


def list_records(endpoint: str, prefix: str, set_: str | None, since: str | None, until: str | None) -> str:
    """URL of the first page of a list; the dates as the repository's granularity has them."""
    given = {"metadataPrefix": prefix, "set": set_, "from": since, "until": until}
    return _url(endpoint, verb="ListRecords", **{name: value for name, value in given.items() if value})


def next_page(endpoint: str, token: str) -> str:
    """URL of the page after a token, which stands alone beside the verb."""
    return _url(endpoint, verb="ListRecords", resumptionToken=token)


def _url(endpoint: str, **arguments: str) -> str:
    query = urlencode(arguments, quote_via=quote, safe="", errors="replace")
    return f"{endpoint}?{query}"


def moment(text: str | None) -> datetime | None:
    """A datestamp or a date (its first second), UTC; None if it is none."""
    found = _DATE.fullmatch(text or "")
    if not found:
        return None
    try:
        return datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def datestamp(when: datetime, granularity: Granularity) -> str:
    """A moment as the repository wants it: a day, or a second."""
    return f"{when:%Y-%m-%d}" if granularity == "day" else f"{when:%Y-%m-%dT%H:%M:%SZ}"


def last_moment(day: date) -> datetime:
    """The last second of a day: both ends of a range belong to it."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def start_of(since: datetime, identity: Identity, overlap: timedelta) -> datetime | None:
    """`since`, less the overlap; None where that is before all records, so that no argument is needed."""
    try:
        start = since - overlap
    except OverflowError:
        return None
    return None if identity.earliest and start <= identity.earliest else start


def parse_identify(body: bytes) -> Identity:
    """What a repository says of itself. Raises OaiError."""
    root = _parse(body)
    error = _error(root)
    if error:
        raise OaiError(f"{error[0]}: {error[1]}")
    facts = _child(root, "identify")
    if facts is None:
        raise OaiError("no Identify in the answer")
    return Identity(
        name=_text(facts, "repositoryname"),
        granularity="second" if "hh" in _text(facts, "granularity").lower() else "day",
        earliest=moment(_text(facts, "earliestdatestamp")),
        deleted=_text(facts, "deletedrecord").lower() or "no",
        answered=moment(_text(root, "responsedate")),
    )


def parse_list(body: bytes) -> Page:
    """A page of records, whatever its state. Raises OaiError where it is no OAI-PMH at all, or unsafe."""
    root = _parse(body)
    page = Page(answered=moment(_text(root, "responsedate")))
    error = _error(root)
    if error:
        page.error, page.message = error
        return page
    records = next((node for node in root if name_of(node) in ("listrecords", "getrecord")), None)
    if records is None:
        raise OaiError("no ListRecords in the answer")
    if damage(root):
        _salvage(body, page)
        return page
    for node in records:
        if name_of(node) == "record":
            if len(page.items) + len(page.broken) >= MAX_RECORDS:
                raise OaiError("page too large")
            _add(page, node)
        elif name_of(node) == "resumptiontoken":
            page.token = _token(node.text)
            size = (node.get("completeListSize") or "").strip()
            page.size = int(size) if size.isascii() and size.isdigit() and len(size) < 12 else None
    return page


def follow(trail: Mapping[str, Any], page: Page) -> dict[str, Any] | None:
    """What is remembered of a list's pages, small however long it is; None where the list goes round in circles.

    Tokens are compared with the first and the last few; the records of a page with those of an earlier page (Brent's
    algorithm), for a repository may give new tokens for the same records. Pages without records may follow each
    other, but not without end.
    """
    token = _digest(page.token or "")
    tokens: list[str] = trail.get("tokens", [])
    records = _digest("\n".join(item.identifier for item in page.items))
    empty = 0 if page.items else int(trail.get("empty", 0)) + 1
    if token in tokens or (page.items and records == trail.get("mark")) or empty > MAX_EMPTY:
        return None
    steps, power = int(trail.get("steps", 0)) + 1, int(trail.get("power", 1))
    following = {"tokens": [*tokens[:1], *tokens[1:][-_LAST_TOKENS:], token], "empty": empty}
    if page.items and steps >= power:
        return following | {"mark": records, "power": power * 2, "steps": 0}
    return following | {"mark": trail.get("mark"), "power": power, "steps": steps}


def _digest(text: str) -> str:
    return str(xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass")))


def _parse(body: bytes) -> Element:
    """The root of an answer; bytes that are no UTF-8 though they should be are replaced one by one."""
    if len(body) > MAX_PAGE:
        raise OaiError("page too large")
    try:
        root = parse_xml(body)
        if damage(root) and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
            root = parse_xml(body.decode("utf-8", "replace").encode())
    except MarkupError as error:
        raise OaiError("unsafe XML" if "unsafe" in str(error) else "no XML") from error
    if name_of(root) != "oai-pmh":
        raise OaiError("no OAI-PMH answer")
    return root


def _error(root: Element) -> tuple[str, str] | None:
    """Code and text of the first error; what another says beside noRecordsMatch counts more."""
    errors = [node for node in root if name_of(node) == "error"]
    errors.sort(key=lambda node: node.get("code") == "noRecordsMatch")
    if not errors:
        return None
    text = " ".join("".join(errors[0].itertext()).split())
    return (re.sub(r"[^A-Za-z]", "", errors[0].get("code") or "")[:40] or "unknown error", text[:_SHORT])


def _child(node: Element, name: str) -> Element | None:
    return next((child for child in node if name_of(child) == name), None)


def _text(node: Element | None, name: str) -> str:
    found = None if node is None else _child(node, name)
    return " ".join((found.text or "").split())[:_SHORT] if found is not None else ""


def _token(text: str | None) -> str | None:
    """A token as it is, but for space around it, which is the page's layout."""
    return (text or "").strip() or None


def _add(page: Page, record: Element) -> None:
    header = _child(record, "header")
    identifier = _text(header, "identifier")
    if header is None or not identifier:
        page.broken.append("")
        return
    metadata = _child(record, "metadata")
    inside = None if metadata is None else next((node for node in metadata if name_of(node)), None)
    deleted = (header.get("status") or "").lower() == "deleted"
    sets = (" ".join((node.text or "").split()) for node in header if name_of(node) == "setspec")
    page.items.append(Item(identifier, _text(header, "datestamp"), tuple(sets), deleted, None if deleted else inside))


def _salvage(body: bytes, page: Page) -> None:
    """Reads a page that is no well-formed XML record by record: each alone is whole, or is counted as broken."""
    body = body.decode("utf-8", "replace").encode()
    starts = [match.start() for match in _RECORD.finditer(body)]
    if len(starts) > MAX_RECORDS:
        raise OaiError("page too large")
    for piece in _pieces(body, starts):
        try:
            root = parse_xml(piece)
            node = next(root.iter("{*}record"), None)
        except MarkupError:
            node = None
        if node is None or damage(root):
            found = _IDENTIFIER.search(piece)
            page.broken.append(found[1].decode("utf-8", "replace") if found else "")
        else:
            _add(page, node)
    tokens = _TOKEN.findall(body, starts[-1] if starts else 0)
    if tokens:
        page.token = _token(_unescaped(tokens[-1]))
    page.whole = bool(tokens) or bool(re.search(rb"</(?:[\w.-]+:)?OAI-PMH\s*>\s*$", body[-200:]))


def _pieces(body: bytes, starts: list[int]) -> Iterator[bytes]:
    """Each record as a document of its own, inside the elements that are open before the first one."""
    if not starts:
        return
    head = body[: starts[0]]
    if len(head) > _MAX_HEAD:
        raise OaiError("broken XML before the first record")
    opened: list[bytes] = []
    for close, name, empty in _TAG.findall(head):
        if close and opened:
            opened.pop()
        elif not close and not empty:
            opened.append(name)
    tail = b"".join(b"</" + name + b">" for name in reversed(opened))
    for start, stop in zip(starts, [*starts[1:], len(body)], strict=True):
        piece = body[start:stop]
        ends = [match.end() for match in _RECORD_END.finditer(piece)]
        yield head + (piece[: ends[-1]] if ends else piece) + tail


def _unescaped(text: bytes) -> str:
    """The text of an element's content."""
    try:
        root = etree.fromstring(b"<t>" + text + b"</t>", etree.XMLParser(resolve_entities=False, no_network=True))
        return str(root.text or "")
    except etree.XMLSyntaxError:
        return text.decode("utf-8", "replace")
