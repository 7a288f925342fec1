"""What pages, headers and sites allow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import RIGHTS, SIGNALS
from filters import rights
from filters.url_lists import of_entries

CC = "https://creativecommons.org/licenses"
DAY = datetime(2020, 1, 10, tzinfo=UTC)


def test_signals_are_columns() -> None:
    found = rights.signals("https://www.a.example/b?utm_source=c", {})
    assert set(found) <= set(SIGNALS.names)
    assert found.pop("url_key") == rights.signals("http://a.example/b", {})["url_key"]
    assert found == {
        "noindex": False, "noai": False, "tdm_reservation": None, "licence": None, "open_licence": None,
    }  # fmt: skip
    assert rights.signals(None, {})["url_key"] is None


@pytest.mark.parametrize(
    ("said", "noindex", "noai"),
    [
        ("noindex", True, False),
        ("NONE", True, False),
        ("index, follow", False, False),
        ("nofollow, NoAI", False, True),
        ("noimageai", False, True),
        ("noindex nofollow; noai", True, True),
        ("googlebot: noindex, noai", False, False),
        ("googlebot: noindex\nnoai", False, True),
        ("googlebot: nofollow, ccbot: noindex", True, False),
        ("CCBot: noindex", True, False),
        ("ia_archiver: noindex", True, False),
        ("noindex, otherbot: noai", True, False),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", False, False),
        ("unavailable_after: Friday, 25 Jun 2010 15:00:00 GMT, noindex", True, False),
        ("max-snippet: 20, max-image-preview: large, noai", False, True),
        ("noindexing, xnoai", False, False),
        ("", False, False),
        (":::,,,:", False, False),
    ],
)
@pytest.mark.parametrize("key", ["x_robots_tag", "robots"])
def test_directives(key: str, said: str, noindex: bool, noai: bool) -> None:
    found = rights.signals(None, {key: said})
    assert (found["noindex"], found["noai"]) == (noindex, noai)


def test_directives_of_header_and_page_add_up() -> None:
    found = rights.signals(None, {"x_robots_tag": "noai", "robots": "noindex"})
    assert (found["noindex"], found["noai"]) == (True, True)


@pytest.mark.parametrize(
    ("value", "reserved"),
    [("1", True), (" 0 ", False), (1, True), ("0\n1", False), ("2", None), ("yes", None), ("", None), (None, None),
     (0, False), (True, None), (1.0, None), (2, None), (["1"], None), ({"1": 1}, None)],
)  # fmt: skip
def test_tdm_reservation(value: Any, reserved: bool | None) -> None:
    assert rights.signals(None, {"tdm_reservation": value})["tdm_reservation"] is reserved


@pytest.mark.parametrize(
    ("declared", "name", "is_open"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "cc-by-4.0", True),
        ("http://www.creativecommons.org/licenses/by-sa/3.0/fr/deed.en", "cc-by-sa-3.0-fr", True),
        ("//creativecommons.org/licenses/by-nc-nd/2.5/", "cc-by-nc-nd-2.5", False),
        ("https://creativecommons.org/licenses/BY-ND/4.0/legalcode", "cc-by-nd-4.0", False),
        ("https://creativecommons.org/licenses/by/3.0/deed.fr", "cc-by-3.0", True),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "cc-by-3.0-igo", True),
        ("https://creativecommons.org/licenses/by-nc-sa/", "cc-by-nc-sa", False),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0", True),
        ("https://creativecommons.org/publicdomain/mark/1.0/deed.de", "pdm-1.0", True),
        ("CC BY-SA 4.0", "cc-by-sa-4.0", True),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", False),
        ("CC0", "cc0-1.0", True),
        ("Licensed under CC BY.", "cc-by", True),
        ("https://creativecommons.org/", None, None),
        ("/terms", None, None),
        ("soccer by 4", None, None),
        ("https://creativecommons.org/licenses/by/3.0/nd/", "cc-by-3.0", True),
        (f"{CC}/by/4.0/\n{CC}/by-nc-nd/4.0/", "cc-by-nc-nd-4.0", False),
        (f"{CC}/by/4.0/ and for pictures CC BY-NC", "cc-by-nc", False),
        (f"{CC}/by/4.0/\nCC BY 4.0", "cc-by-4.0", True),
        ("CC BY the way", None, None),
        ("cc by email", None, None),
        ("CC BY-NC the way", None, None),
        ("CC BY-NCX", "cc-by", True),
        ("CC BY-SA licence", "cc-by-sa", True),
        ("CC BY and MIT", "cc-by", True),
        ("CC BY\nthe authors", "cc-by", True),
        ("CC BY 4.0 the authors", "cc-by-4.0", True),
        ({"a": 1}, None, None),
    ],
)
def test_licences(declared: Any, name: str | None, is_open: bool | None) -> None:
    found = rights.signals(None, {"licence": declared})
    assert (found["licence"], found["open_licence"]) == (name, is_open)


def test_the_licence_of_a_catalogue_counts_and_the_most_restrictive_wins() -> None:
    by, nc = "https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by-nc/4.0/"
    assert rights.signals(None, {"harvest_licence": by})["licence"] == "cc-by-4.0"
    assert rights.signals(None, {"licence": by, "harvest_licence": nc})["licence"] == "cc-by-nc-4.0"


def test_of_several_licences_the_most_restrictive_counts() -> None:
    base = "https://creativecommons.org/licenses"
    order = [
        "CC0",
        f"{base}/by/4.0/",
        f"{base}/by-sa/3.0/",
        f"{base}/by-nc/4.0/",
        f"{base}/by-nc-sa/4.0/",
        "CC BY-ND 2.0",
    ]
    for weaker, stronger in pairwise(order):
        for licences in ([weaker, stronger, "/terms"], [stronger, weaker]):
            found = rights.signals(None, {"licence": licences[0], "licences": licences})
            assert found["licence"] == rights.licence_name(stronger)
        header = f"{weaker}\n{stronger}"
        assert rights.signals(None, {"http_licence": header})["licence"] == rights.licence_name(stronger)
        assert rights.signals(None, {"licence": weaker, "http_licence": stronger})["licence"] == rights.licence_name(
            stronger
        )


ANYTHING = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5)
KEYS = ["x_robots_tag", "robots", "tdm_reservation", "licence", "licences", "http_licence"]


@given(st.none() | st.text(), st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_no_facts_raise(url: str | None, facts: dict[str, Any]) -> None:
    rights.signals(url, facts)


def test_long_facts_are_bounded() -> None:
    for text in ("noindex," * 10**6, "a:" * 10**6, " " * 10**7, "cc by-nc-" * 10**6, "creativecommons.org/" * 10**6):
        rights.signals("http://a.example/", dict.fromkeys(KEYS, text))


def policy(
    origin: str, text: str | None, days: int = 0, status: int | None = 200, kind: str = "robots.txt"
) -> dict[str, Any]:
    return {
        "id": f"{days:05}", "source": "s", "origin": origin, "kind": kind, "fetched": DAY + timedelta(days),
        "status": status, "text": text,
    }  # fmt: skip


def denied(path: str) -> str:
    return f"User-agent: *\nDisallow: {path}"


def derive(
    urls: Iterable[str], policies: list[dict[str, Any]], days: float = 0, **options: Any
) -> dict[str, dict[str, Any]]:
    pages = [(str(number), url, DAY + timedelta(days)) for number, url in enumerate(urls)]
    rows = list(rights.derive(pages, policies, **options))
    assert all(list(row) == RIGHTS.names for row in rows)
    return {pages[int(row["id"])][1]: row for row in rows}


def test_a_file_speaks_for_its_origin_alone() -> None:
    policies = [policy("https://a.example", denied("/x")), policy("http://a.example:8080", denied("/y"))]
    urls = ["https://a.example/x", "https://A.example:443/y", "http://a.example/x", "http://a.example:8080/x",
            "https://b.a.example/x", "http://www.a.example/x", "https://a.example:8080/y", "dns:a", ""]  # fmt: skip
    found = derive(urls, policies)
    assert {url: row["robots_allowed"] for url, row in found.items()} == {
        "https://a.example/x": False,
        "https://A.example:443/y": True,
        "http://a.example/x": False,  # the other scheme's, as its own was not captured
        "http://a.example:8080/x": True,
        "https://a.example:8080/y": False,
    }
    row = found["https://a.example/x"]
    assert (row["robots_agent"], row["robots_rule"]) == ("*", "Disallow: /x")


def test_the_schemes_own_file_goes_first_if_it_says_anything() -> None:
    mine, other = policy("http://a.example", denied("/x")), policy("https://a.example", denied("/y"))
    assert derive(["http://a.example/y"], [mine, other])["http://a.example/y"]["robots_allowed"]
    moved = {**mine, "status": 301, "text": None}
    assert not derive(["http://a.example/y"], [moved, other])["http://a.example/y"]["robots_allowed"]


@pytest.mark.parametrize(("day", "path"), [(-9, "/a"), (4, "/a"), (5, "/a"), (5.5, "/b"), (10, "/b"), (99, "/b")])
def test_the_nearest_capture_counts_and_the_earlier_at_a_tie(day: float, path: str) -> None:
    policies = [policy("http://a.example", denied("/b"), 10), policy("http://a.example", denied("/a"), 0)]
    policies.append(policy("http://a.example", None, 5, status=503))
    found = derive(["http://a.example/a", "http://a.example/b"], policies, day)
    assert [url for url, row in found.items() if not row["robots_allowed"]] == [f"http://a.example{path}"]


def test_without_a_time_the_last_capture_counts() -> None:
    policies = [policy("http://a.example", denied("/a"), 1), policy("http://a.example", denied("/b"), 2)]
    policies.append({**policy("http://a.example", denied("/c")), "fetched": None})
    (row,) = rights.derive([("1", "http://a.example/b", None)], policies)
    assert row["robots_rule"] == "Disallow: /b"
    (row,) = rights.derive([("1", "http://a.example/a", DAY.timestamp())], policies)
    assert row["robots_rule"] == "Disallow: /a"


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, None), (302, None), (None, False)])
def test_the_status_decides(status: int | None, allowed: bool | None) -> None:
    text = denied("/") if status is None else None
    found = derive(["http://a.example/"], [policy("http://a.example", text, status=status)])
    assert [row["robots_allowed"] for row in found.values()] == ([] if allowed is None else [allowed])


def test_all_agents_must_be_allowed() -> None:
    text = "User-agent: ccbot\nDisallow: /a\nUser-agent: *\nDisallow: /b"
    policies, page = [policy("http://a.example", text)], "http://a.example/a"
    assert derive([page], policies)[page]["robots_allowed"]
    assert derive([page], policies, agents=["ia_archiver", "ccbot", "*"])[page]["robots_agent"] == "ccbot"


@pytest.mark.parametrize(
    ("text", "path", "reserved"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "/a", True),
        ('[{"location": "/", "tdm-reservation": 0}]', "/a", False),
        ('[{"location": "/*.pdf$", "tdm-reservation": "1"}, {"location": "/", "tdm-reservation": 0}]', "/b.pdf", True),
        ('[{"location": "/*.pdf$", "tdm-reservation": 1}, {"location": "/", "tdm-reservation": 0}]', "/b.pdf?x", False),
        ('[{"location": "/a", "tdm-reservation": 0}, {"location": "/a/b", "tdm-reservation": 1}]', "/a/b", False),
        ('[{"location": "a", "tdm-reservation": 1}]', "/a", True),
        ('{"location": "*", "tdm-reservation": 1}', "/a", True),
        ('[{"location": "/b", "tdm-reservation": 1}]', "/a", None),
        ('[{"location": "/", "tdm-reservation": 2}, {"location": 1, "tdm-reservation": 1}, 3, {}]', "/a", None),
        ('[{"location": "/\\ud800\\n", "tdm-reservation": 1}]', "/a", None),
        ("[" * 100_000, "/a", None),
        ("<html>", "/a", None),
        ("", "/a", None),
    ],
)  # fmt: skip
def test_tdmrep(text: str, path: str, reserved: bool | None) -> None:
    page = f"http://a.example{path}"
    found = derive([page], [policy("http://a.example", text, kind="tdmrep.json")])
    assert [row["site_tdm_reservation"] for row in found.values()] == ([] if reserved is None else [reserved])
    assert all(row["robots_allowed"] is None for row in found.values())


def test_lists_give_a_row_to_every_page_with_an_address() -> None:
    lists = [of_entries("spam", ["spam.example"]), of_entries("adult", ["*porn*"])]
    urls = ["http://x.spam.example/porn", "http://a.example/porn", "http://a.example/", "dns:x", ""]
    found = derive(urls, [], lists=lists)
    assert [(row["url_list"], row["url_listed"]) for row in found.values()] == [
        ("spam", True), ("adult", True), (None, False), (None, False),
    ]  # fmt: skip


def test_many_pages_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = [policy(f"http://s{n}.example", denied(f"/{n}")) for n in range(7)]
    pages = [(str(n), f"http://s{n % 7}.example/{n % 5}", float(n)) for n in range(1_000)]
    whole = list(rights.derive(pages, policies))
    monkeypatch.setattr(rights, "CHUNK", 13)
    assert list(rights.derive(iter(pages), policies)) == whole
    assert [row["id"] for row in whole] == [id for id, _, _ in pages]
    assert [row["robots_allowed"] for row in whole] == [n % 7 != n % 5 for n in range(1_000)]


@given(st.lists(st.text()), st.text(), st.text())
def test_nothing_raises(urls: list[str], robots: str, tdm: str) -> None:
    policies = [policy("http://a.example", robots), policy("http://a.example", tdm, kind="tdmrep.json")]
    pages = [(str(n), f"http://a.example/{url}", None) for n, url in enumerate(urls)]
    assert len(list(rights.derive(pages, policies, ["a", robots, "*"]))) == len(urls)
