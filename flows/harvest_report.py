"""What a harvest did, for people: one page that answers what happened last night, and tables behind it."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import duckdb

from catalog import fetches

Row = Mapping[str, Any]

MEANING = {
    "new": "had for the first time", "changed": "other bytes than before", "unchanged": "as the archive has it",
    "redirect": "leads elsewhere, and was followed", "missing": "the server has it not",
    "robots": "robots.txt forbids it: not asked for", "refused": "out of bounds: not asked for, or not kept",
    "failed": "no answer that can be used",
}  # fmt: skip
TABLES = {
    "outcomes": "What came of each address, robots.txt files included",
    "hosts": "Requests and what came of them, host by host; robots.txt is no request",
    "fresh": "New and changed documents, hosts in turns, the largest first",
    "errors": "Why addresses gave nothing, with one of each",
    "robots": "Rules of robots.txt that were obeyed, and how many addresses each kept us from",
    "statuses": "HTTP statuses",
}
"""The tables, in the order of the page, and what each holds."""
_ROWS = 15
"""Rows of a table on the page; all are in the table itself."""
_LONG = 60
_TROUBLED = 3
"""A host is named as troubled when so many addresses failed there, and they are half of its own."""
_MARKUP = re.compile(r"[\\`*_\[\]<>|~#!]")


def said(manifest: Row) -> str:
    """What became of a harvest, in a sentence: what is new first."""
    counts = manifest.get("outcomes") or {}
    fresh = counts.get("new", 0) + counts.get("changed", 0)
    begun = "" if manifest.get("status") == "complete" else "paused, the next run goes on: "
    left = {why: count for why, count in (manifest.get("dropped") or {}).items() if why.startswith("max_")}
    whole = counted(counts) + "".join(f"; {count:,} not asked for ({why})" for why, count in left.items())
    return f"{begun}{whole}" if fresh else f"{begun}nothing new: {whole}"


def counted(counts: Mapping[str, int]) -> str:
    """Outcomes that there are, in their order: `12 new, 3 changed`."""
    order = (*fetches.OUTCOMES, *(name for name in counts if name not in fetches.OUTCOMES))
    return ", ".join(f"{counts[name]:,} {name}" for name in order if counts.get(name)) or "nothing asked"


def size(count: int) -> str:
    """Bytes as people read them: `1.2 MiB`; units of 1,024."""
    if count < 1024:
        return f"{count:,} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:,.1f} TiB"


def span(seconds: float) -> str:
    """A duration in its two largest units: `2 h 5 min`.

    >>> span(7530), span(0.4)
    ('2 h 5 min', '0 s')
    """
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def fresh(connection: duckdb.DuckDBPyConnection, harvest: str, most: int = 200) -> list[dict[str, Any]]:
    """New and changed documents of a harvest: outcome, url, mime, bytes. Hosts in turns, so that one that has endless
    new addresses hides no other; of each the largest first."""
    from catalog import reports

    return reports.rows(connection, """
        SELECT outcome, url, mime, bytes FROM fetches
        WHERE harvest = ? AND outcome IN ('new', 'changed') AND kind NOT IN ('robots', 'sitemap', 'feed', 'list')
        ORDER BY outcome, row_number() OVER (PARTITION BY outcome, host ORDER BY bytes DESC, url), host LIMIT ?
        """, [harvest, most])  # fmt: skip


def tidy(tables: Mapping[str, Sequence[Row]], before: Mapping[str, int] | None) -> dict[str, list[dict[str, Any]]]:
    """Tables of `catalog.fetches.summary` and `fresh` with units, thousands and no empty column, in their order.

    Args:
        tables: rows by the name of the table.
        before: outcomes of the harvest before; None where there is none.
    """
    return {name: _tidied(name, tables[name], before) for name in TABLES if tables.get(name)}


def _tidied(name: str, rows: Sequence[Row], before: Mapping[str, int] | None) -> list[dict[str, Any]]:
    if name == "outcomes":
        return _outcomes(rows, before)
    skipped = {"errors"} | {column for column in fetches.OUTCOMES if not any(row.get(column) for row in rows)}
    shown = [column for column in rows[0] if column not in skipped]
    shown.sort(key=lambda column: _LAST.index(column) if column in _LAST else -1)
    return [{_TITLES.get(column, column): _cell(column, row[column]) for column in shown} for row in rows]


_LAST = ("failed", "refused", "robots", "missing", "redirect")
"""Columns by which a table of hosts ends; a narrow window cuts off the least of them."""
_TITLES = {"bytes": "size", "fetches": "addresses", "mime": "type"}


def _outcomes(rows: Sequence[Row], before: Mapping[str, int] | None) -> list[dict[str, Any]]:
    by = {row["outcome"]: row for row in rows}
    found = []
    for name in fetches.OUTCOMES:
        if name not in by and not (before or {}).get(name):
            continue
        row = by.get(name, {"fetches": 0, "bytes": 0})
        last = {} if before is None else {"last time": f"{before.get(name, 0):,}"}
        found.append(
            {"outcome": name, "addresses": f"{row['fetches']:,}", **last, "size": size(row["bytes"]),
             "meaning": MEANING[name]}
        )  # fmt: skip
    return found


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column == "bytes":
        return size(value)
    if column in fetches.OUTCOMES and not value:
        return ""  # zeros would hide what there is
    if isinstance(value, int) and column != "status":
        return f"{value:,}"
    text = str(value)
    return text if text.startswith(("http://", "https://")) else _short(text)


def page(manifest: Row, tables: Mapping[str, Sequence[Row]], shown: Mapping[str, Sequence[Row]]) -> str:
    """The page in Markdown: when and how much, what needs a look, and the first rows of each table. The sentence of
    `said` stands above it, as the artifact's description.

    Args:
        manifest: the harvest's.
        tables: as `catalog.fetches.summary` gives them.
        shown: the same, as `tidy` gives them.
    """
    ended = "Complete" if manifest.get("status") == "complete" else "Paused; the next run goes on"
    lines = [f"**{ended}** · {_facts(manifest, tables.get('hosts', []))}", ""]
    if notes := _look(tables):
        lines += ["### Needs a look", "", *(f"* {note}" for note in notes), ""]
    if beside := Counter(manifest.get("passed") or {}) + Counter(manifest.get("dropped") or {}):
        reasons = sorted(beside.items(), key=lambda item: (-item[1], item[0]))[:_ROWS]
        lines += ["Not asked for: " + ", ".join(f"{count:,} {_plain(reason)}" for reason, count in reasons), ""]
    for name, rows in shown.items():
        more = f" ({_ROWS} of {len(rows):,}; all in the table `{name}`)" if len(rows) > _ROWS else ""
        lines += [f"### {TABLES[name]}{more}", "", *_markdown(rows[:_ROWS]), ""]
    harvest = manifest.get("harvest")
    lines += [f"Every request: `florilege sql \"FROM fetches WHERE harvest = '{harvest}'\"`"]
    return "\n".join(lines)


def _facts(manifest: Row, hosts: Sequence[Row]) -> str:
    requests, received = manifest.get("requests") or 0, manifest.get("bytes") or 0
    facts = [f"{requests:,} requests", f"{size(received)} received", f"{len(hosts):,} hosts"]
    try:
        started = datetime.fromisoformat(manifest["started"])
        seconds = (datetime.fromisoformat(manifest["ended"]) - started).total_seconds()
    except (KeyError, TypeError, ValueError):
        return " · ".join(facts)
    rate = f", {requests / seconds:,.1f} requests a second" if seconds >= 1 else ""
    return " · ".join([f"{started:%a %d %b %Y, %H:%M} {started.tzname()}", f"{span(seconds)}{rate}", *facts])


def _look(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """What somebody should look at: hosts of which half or all failed, and those whose robots.txt keeps us out."""
    notes = []
    for row in tables.get("hosts", []):
        useful = row["new"] + row["changed"] + row["unchanged"] + row["redirect"]
        if row["failed"] >= _TROUBLED and row["failed"] >= useful + row["missing"]:
            notes.append(f"{_plain(row['host'])}: {row['failed']:,} failed, {useful:,} answered")
        elif row["robots"] and not row["requests"]:
            notes.append(f"{_plain(row['host'])}: nothing asked, robots.txt forbids it or cannot be had")
    return notes[:_ROWS]


def _markdown(rows: Sequence[Row]) -> list[str]:
    head = list(rows[0])
    right = [all(_is_number(row[name]) for row in rows) for name in head]
    return [
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---:" if number else "---" for number in right) + " |",
        *("| " + " | ".join(_linked(str(row[name])) for name in head) + " |" for row in rows),
    ]


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[\d,.]+( [KMGT]?i?B)?|", cell))


def _linked(cell: str) -> str:
    """A cell of Markdown: an address as a link, anything else as the text that it is."""
    if not re.fullmatch(r"https?://[!-~]+", cell) or re.search(r"[<>()\\|`\"]", cell):
        return _plain(cell)
    parts = urlsplit(cell)
    return f"[{_plain(_short(parts.netloc + cell.partition(parts.netloc)[2]))}](<{cell}>)"


def _plain(text: str) -> str:
    """Text of somebody else, in which nothing is markup."""
    line = _short(" ".join(text.split()))
    return _MARKUP.sub(lambda found: "\\" + found[0] if found[0] not in "<>" else html.escape(found[0]), line)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
