"""The page and the tables of a harvest, as Prefect shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import fetches
from catalog.files import Corpus
from flows import harvest_report

NONE = dict.fromkeys(fetches.OUTCOMES, 0)


def host(name: str, requests: int, **counts: int) -> dict[str, Any]:
    return {"host": name, "requests": requests, "bytes": 5_000_000, **NONE, **counts, "errors": 0}


def tables(**others: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        "outcomes": [{"outcome": "new", "fetches": 1_234, "bytes": 2_000_000}],
        "hosts": [host("a.org", 1_300, new=1_234, robots=2)],
        "statuses": [{"status": 200, "fetches": 1_234, "bytes": 0}],
        "errors": [],
        "robots": [],
    } | others


MANIFEST = {
    "harvest": "web-20260102T030000Z", "archive": "web", "status": "complete", "requests": 1_300, "bytes": 5_000_000,
    "started": "2026-01-02T03:00:00+00:00", "ended": "2026-01-02T05:05:10+00:00",
    "outcomes": {"robots": 2, "new": 1_234},
}  # fmt: skip


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (5_000_000, "4.8 MiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_are_for_people(count: int, said: str) -> None:
    assert harvest_report.size(count) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (7510, "2 h 5 min")])
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert harvest_report.span(seconds) == said


def test_what_is_new_is_said_first() -> None:
    counts = {"failed": 2, "robots": 1, "changed": 1_000, "new": 0}
    assert harvest_report.said({"status": "complete", "outcomes": counts}) == "1,000 changed, 1 robots, 2 failed"
    quiet = harvest_report.said({"status": "complete", "outcomes": {"unchanged": 7}})
    assert quiet == "nothing new: 7 unchanged"
    assert harvest_report.said({"status": "paused"}) == "paused, the next run goes on: nothing new: nothing asked"


def test_tables_have_units_and_no_empty_column() -> None:
    shown = harvest_report.tidy(tables(), None)
    assert list(shown) == ["outcomes", "hosts", "statuses"]
    assert shown["hosts"] == [{"host": "a.org", "requests": "1,300", "size": "4.8 MiB", "new": "1,234", "robots": "2"}]
    assert shown["statuses"][0]["status"] == "200"
    assert shown["outcomes"][0] == {
        "outcome": "new", "addresses": "1,234", "size": "1.9 MiB", "meaning": harvest_report.MEANING["new"],
    }  # fmt: skip


def test_outcomes_stand_beside_those_of_the_harvest_before() -> None:
    shown = harvest_report.tidy(tables(), {"unchanged": 9, "new": 3})["outcomes"]
    assert [(row["outcome"], row["addresses"], row["last time"]) for row in shown] == [
        ("new", "1,234", "3"), ("unchanged", "0", "9"),
    ]  # fmt: skip


def test_the_page_says_when_how_much_and_what_needs_a_look() -> None:
    all_failed = host("down.org", 4, failed=4)
    found = tables(hosts=[host("a.org", 1_300, new=1_234), all_failed, host("shut.org", 0, robots=8)])
    page = harvest_report.page(MANIFEST, found, harvest_report.tidy(found, None))
    assert "**Complete** · Fri 02 Jan 2026, 03:00 UTC · 2 h 5 min, 0.2 requests a second · 1,300 requests" in page
    assert "down.org: 4 failed, 0 answered" in page
    assert "shut.org: nothing asked" in page
    assert "a.org: " not in page
    beside = harvest_report.page(MANIFEST | {"passed": {"trap: token": 1_555}, "dropped": {"hours": 2}}, found, {})
    assert "Not asked for: 1,555 trap: token, 2 hours" in beside
    whole = harvest_report.page(MANIFEST, tables(), harvest_report.tidy(tables(), None))
    assert "Needs a look" not in whole and "Not asked for:" not in whole


def test_long_tables_are_cut_on_the_page_only() -> None:
    many = tables(hosts=[host(f"h{number}.org", 1, new=1) for number in range(40)])
    shown = harvest_report.tidy(many, None)
    page = harvest_report.page(MANIFEST, many, shown)
    assert len(shown["hosts"]) == 40
    assert "h14.org" in page and "h15.org" not in page and "15 of 40; all in the table `hosts`" in page


def cells(reason: str, example: str) -> list[str]:
    found = tables(errors=[{"outcome": "failed", "reason": reason, "fetches": 1, "example": example}])
    page = harvest_report.page(MANIFEST, found, harvest_report.tidy(found, None)).splitlines()
    row = page[page.index("| outcome | reason | addresses | example |") + 2]
    return re.split(r"(?<!\\)\|", row)[1:-1]


def test_addresses_become_links_and_everything_else_stays_text() -> None:
    assert cells("http 404", "https://a.org/x_(y)?b=1&c=2")[3] == r" https://a.org/x\_(y)?b=1&c=2 "
    assert cells("http 404", "https://a.org/x_y?b=1")[3] == r" [a.org/x\_y?b=1](<https://a.org/x_y?b=1>) "
    for hostile in ("javascript:alert(1)", "[a](https://b.org)", "<img src=x onerror=alert(1)>", "a | b\n\n# c", "`x`"):
        told = cells(hostile, hostile)
        assert len(told) == 4
        assert not re.search(r"(?<!\\)[\[\]`#<>]", told[1] + told[3])


def test_a_harvest_that_was_stopped_early_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    from flows.harvesting import _manifest

    corpus = Corpus(tmp_path)
    fetches.write_harvest(corpus, MANIFEST | {"kind": "crawl"})
    now = {"harvest": "web-20260103T030000Z", "status": "paused", "started": "2026-01-03T03:00:00+00:00"}
    assert _manifest(corpus, "web", now)["harvest"] == "web-20260103T030000Z"
    assert _manifest(corpus, "web", {"status": "running"})["harvest"] is None
    same = {"harvest": MANIFEST["harvest"], "status": "complete"}
    assert _manifest(corpus, "web", same)["outcomes"] == MANIFEST["outcomes"]


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_text_of_a_server_breaks_a_row(reason: str, example: str) -> None:
    assert len(cells(reason, "https://a.org/" + example)) == 4
