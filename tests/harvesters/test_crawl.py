"""What a crawl asks for, keeps and passes over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from xxhash import xxh64_hexdigest

from harvesters.crawl import Harvester, Settings
from harvesters.harvester import Answer, Outcome, Task
from harvesters.settings import Fetch

SEED = "https://a.org/"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def crawl(**settings: Any) -> Harvester:
    return Harvester(Settings(**{"seeds": (SEED,), **settings}))


def answer(task: Task, body: str | bytes, status: int = 200, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    payload = body.encode() if isinstance(body, str) else body
    return Answer(task, task.url, status, {"content-type": "text/html", **fields}, payload, datetime.now(UTC))


def follow(harvester: Harvester, body: str | bytes, task: Task | None = None, **headers: str) -> list[str]:
    outcome = harvester.answer(answer(task or Task(SEED), body, **headers))
    return [task.url.removeprefix("https://a.org") for task in outcome.next]


def links(*targets: str) -> str:
    return "<html>" + "".join(f"<a href='{target}'>x</a>" for target in targets)


def test_it_begins_with_lists_then_seeds() -> None:
    tasks = list(crawl(sitemaps=("https://a.org/s.xml",), feeds=("https://a.org/f",)).start(None))
    assert [(task.url, task.kind) for task in tasks] == [
        ("https://a.org/s.xml", "sitemap"), ("https://a.org/f", "feed"), (SEED, "page"),
    ]  # fmt: skip
    assert tasks[0].priority == tasks[1].priority > tasks[2].priority == 0


def test_a_page_is_kept_and_its_links_are_followed_breadth_first() -> None:
    outcome = crawl().answer(answer(Task("https://a.org/x/", depth=3), links("y", "http://www.a.org/z", "#top", "/x/")))
    assert (outcome.store, outcome.outcome) == ("exchange", None)
    assert [(task.url, task.depth, task.priority, task.via) for task in outcome.next] == [
        ("https://a.org/x/y", 4, -4, "https://a.org/x/"), ("http://www.a.org/z", 4, -4, "https://a.org/x/"),
        ("https://a.org/x/", 4, -4, "https://a.org/x/"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "targets", "followed"),
    [
        ({}, ["/x", "https://b.org/", "https://sub.a.org/", "//a.org:8443/", "http://a.org:80/y"], ["/x", "http://a.org/y"]),
        ({"hosts": ("*.a.org", "b.org:8443")}, ["/x", "https://s.a.org/", "https://s.a.org:8443/", "https://b.org:9/"],
         ["https://s.a.org/", "https://s.a.org:8443/"]),
        ({"hosts": ("*",)}, ["/x", "https://b.org/"], ["/x", "https://b.org/"]),
        ({"hosts": ("xn--tda.de",)}, ["https://ü.de/"], ["https://xn--tda.de/"]),
        ({"include": ("/en/*", "*.pdf", "/décision*")}, ["/en/x", "/fr/x", "/x.pdf", "/x.pdf?a", "/d%C3%A9cision?x=1"],
         ["/en/x", "/x.pdf", "/d%C3%A9cision?x=1"]),
        ({"exclude": ("*[?]print=*", "/no/*")}, ["/x?print=1", "/no/x", "/xprint=1", "/x"], ["/xprint=1", "/x"]),
        ({"depth": 0}, ["/x"], []),
        ({"depth": 1}, ["/x"], ["/x"]),
        ({}, ["/x.jpg", "/x.ZIP?a", "/wiki/File:X.jpg", "/x.pdf", "/x.php?f=x.jpg"],
         ["/wiki/File:X.jpg", "/x.pdf", "/x.php?f=x.jpg"]),
        ({"languages": ("fr", "en"), "language_from_path": True}, ["/de/x", "/fr/x", "/en-gb/x", "/x/de"],
         ["/fr/x", "/en-gb/x", "/x/de"]),
    ],
)  # fmt: skip
def test_scope(settings: dict[str, Any], targets: list[str], followed: list[str]) -> None:
    harvester = crawl(**settings)
    assert follow(harvester, links(*targets)) == followed
    urlset = f"<urlset {NS}>{''.join(f'<url><loc>{target}</loc></url>' for target in targets)}</urlset>"
    if settings.get("depth") != 0:
        assert follow(harvester, urlset, Task("https://a.org/s.xml", "sitemap")) == followed
    for url in followed:
        full = url if "://" in url else f"https://a.org{url}"
        assert harvester.admits(full, Task(SEED + "from")) is None


@pytest.mark.parametrize(
    "url",
    ["/" + "x" * 2_040, "/a" * 21, "/a/b/a/b/a/b/a/b", "/x//////y", "/x?" + "&".join(f"p{at}=1" for at in range(11))],
    ids=lambda url: url[:20],
)
def test_traps_are_not_entered(url: str) -> None:
    harvester = crawl()
    assert follow(harvester, links(url)) == []
    reason = harvester.admits(f"https://a.org{url}", Task(SEED + "from"))
    assert reason is not None
    assert reason.startswith("trap: ")


def test_what_only_looks_like_a_trap_is_followed() -> None:
    fine = ["/2024/01/01/01/01/x", "/a" * 3, "/x?" + "&".join(f"p{at}=1" for at in range(10)), "/" + "x" * 2_000]
    assert follow(crawl(), links(*fine)) == fine


def walk(harvester: Harvester, first: str, next_to: Callable[[str], list[str]], most: int = 2_000) -> list[str]:
    """Paths that a crawl asks for from the path `first` on; `next_to` gives the links of each page."""
    waiting, known = [Task("https://a.org" + first)], {"https://a.org" + first}
    for task in waiting:
        for one in harvester.answer(answer(task, links(*next_to(task.url.removeprefix("https://a.org"))))).next:
            if one.url not in known and len(known) < most:
                known.add(one.url)
                waiting.append(one)
    return [task.url.removeprefix("https://a.org") for task in waiting]


def test_sessions_in_links_end() -> None:
    def forum(path: str) -> list[str]:
        return [f"/forum/t{at}?sid={xxh64_hexdigest(path + str(at))}" for at in range(5)]

    assert len(walk(crawl(), "/forum/", forum)) in range(156, 170)  # now and then a token has no letter


def test_facets_end() -> None:
    def facets(path: str) -> list[str]:
        return [f"{path}&{name}={value}" for name in ("size", "sort") for value in range(5)]

    assert len(walk(crawl(), "/list?colour=red", facets)) == 1 + 10 + 100


def test_pages_that_lead_one_to_the_next_are_all_read() -> None:
    """A list by pages, in a facet of its own, and articles that name the next one."""
    deep = crawl(depth=1_000)
    pages = walk(deep, "/list?colour=red&page=1", lambda path: [f"/list?colour=red&page={int(path[22:]) + 1}"])
    assert len(pages) == 500
    articles = walk(crawl(), "/post/1", lambda path: [f"/post/{int(path[6:]) + step}" for step in range(1, 9)])
    assert len(articles) > 350
    listed = walk(crawl(), "/all", lambda path: [f"/item?id={at}" for at in range(500)] if path == "/all" else [])
    assert len(listed) == 501


@pytest.mark.parametrize("link", ["/calendar/2999/01/", "/e?year=2999&month=1", "/day/2999-01-05"])
def test_the_far_future_is_a_trap(link: str) -> None:
    assert follow(crawl(), links(link, link.replace("2999", "1999"))) == [link.replace("2999", "1999")]


@pytest.mark.parametrize("next_month", ["/calendar/{year}/{month:02}/", "/events?y={year}&m={month}"])
def test_a_calendar_without_end_is_left(next_month: str) -> None:
    """Each month's page leads to the next one, and to what is of interest."""
    harvester, months = crawl(same_path_hops=48), 0
    task = Task(SEED + next_month[1:].format(year=2026, month=12))
    while months < 100:
        months += 1
        link = next_month.format(year=2026 - months // 12, month=12 - months % 12)
        tasks = harvester.answer(answer(task, links(link, "/about"))).next
        if len(tasks) == 1:
            break
        task = tasks[0]
    assert tasks[0].url == "https://a.org/about"
    assert months == 12


def test_links_that_lead_into_traps_or_too_deep_are_counted() -> None:
    paths = ["/a" * 21, "/a" * 22, "/x//////y", "/calendar/2999/01/", "/fine", "/image.png", "https://b.org/"]
    outcome = crawl(depth=1).answer(answer(Task(SEED), links(*paths)))
    traps = {"trap: deep path": 2, "trap: repeated path segment": 1, "trap: month far ahead": 1}
    assert outcome.passed == traps
    deeper = crawl(depth=1).answer(answer(outcome.next[0], links(*paths)))
    assert deeper.passed == {**traps, "depth": 1} and not deeper.next
    listed = Task(SEED + "map.xml", "sitemap")
    urls = "".join(f"<url><loc>https://a.org{path}</loc></url>" for path in paths[:5] if path != "/image.png")
    body = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()
    assert crawl().answer(answer(listed, body)).passed == {
        "trap: deep path": 2, "trap: repeated path segment": 1
    }  # fmt: skip


def test_the_note_of_a_task_stays_small() -> None:
    harvester, task = crawl(depth=100), Task(SEED)
    for at in range(100):
        (task,) = harvester.answer(answer(task, links(f"/{chr(97 + at % 26)}{'x' * (at // 26)}/{at}"))).next
    assert len(task.note["ways"]) == 16


@pytest.mark.parametrize(
    ("settings", "body", "headers", "followed"),
    [
        ({}, "<a rel=nofollow href=/x><a href=/y>", {}, ["/y"]),
        ({"follow_nofollow": True}, "<a rel=nofollow href=/x><a href=/y>", {}, ["/x", "/y"]),
        ({}, "<meta name=robots content=nofollow><a href=/y>", {}, []),
        ({}, "<html><a href=/y>", {"x_robots_tag": "nofollow"}, []),
        ({"follow_nofollow": True}, "<html><a href=/y>", {"x_robots_tag": "none"}, ["/y"]),
    ],
)
def test_nofollow(settings: dict[str, Any], body: str, headers: dict[str, str], followed: list[str]) -> None:
    assert follow(crawl(**settings), body, **headers) == followed


def test_languages() -> None:
    harvester = crawl(languages=("fr", "en"))
    alternates = "<link rel=alternate hreflang=fr href=/fr/><link rel=alternate hreflang=de href=/de/><a href=/x>"
    assert next(iter(harvester.start(None))).headers == {"Accept-Language": "fr,en;q=0.9"}
    assert follow(harvester, "<html lang=fr-BE>" + alternates) == ["/fr/", "/x"]
    assert follow(harvester, "<html>" + alternates) == ["/fr/", "/x"]
    refused = harvester.answer(answer(Task(SEED), "<html lang=de>" + alternates))
    assert (refused.store, refused.outcome, refused.reason) == ("nothing", "refused", "language out of scope")
    assert [task.url for task in refused.next] == ["https://a.org/fr/"]
    pdf = answer(Task(SEED), b"%PDF-1.4", content_type="application/pdf", content_language="de, it")
    assert harvester.answer(pdf).reason == "language out of scope"
    assert crawl().answer(answer(Task(SEED), "<html lang=de>" + alternates)).store == "exchange"


@pytest.mark.parametrize(
    ("types", "body", "mime", "kept"),
    [
        (("html", "pdf"), b"<html>", "text/html", True),
        (("html", "pdf"), b"<!doctype html>x", "application/octet-stream", True),
        (("html", "pdf"), b"%PDF-1.7 ...", "text/html", True),
        (("html",), b"%PDF-1.7 ...", "text/html", False),
        (("html", "pdf"), b"GIF89a...", "text/html", False),
        (("html", "pdf"), b"{}", "application/json", False),
        (("html", "pdf"), b"text", "text/plain", False),
        (("txt",), b"text", "text/plain", True),
        (("xml",), b"<?xml version='1.0'?><article/>", "text/xml", True),
        (("xml",), b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "text/xml", False),
    ],
)
def test_types_are_told_by_bytes_first(types: tuple[str, ...], body: bytes, mime: str, kept: bool) -> None:
    outcome = crawl(types=types).answer(answer(Task(SEED), body, content_type=mime))
    expected = ("exchange", None, None) if kept else ("nothing", "refused", "media type out of scope")
    assert (outcome.store, outcome.outcome, outcome.reason) == expected


def test_sitemaps_lead_to_sitemaps_and_pages_the_newest_first() -> None:
    harvester = crawl(include=("/en/*",))
    index = f"<sitemapindex {NS}>" + "".join(
        f"<sitemap><loc>{url}</loc></sitemap>" for url in ("https://a.org/1.xml.gz", "https://maps.b.org/2.xml")
    )
    outcome = harvester.answer(answer(Task("https://maps.a.org/s.xml", "sitemap"), index))
    assert [(task.url, task.kind, task.depth) for task in outcome.next] == [("https://a.org/1.xml.gz", "sitemap", 1)]
    assert outcome.store == "exchange"
    assert follow(harvester, index, Task("https://a.org/s.xml", "sitemap", depth=3)) == []
    urlset = f"<urlset {NS}>" + "".join(
        f"<url><loc>https://a.org/en/{name}</loc><lastmod>{date}</lastmod></url>"
        for name, date in (("old", "2020-01-01"), ("undated", ""), ("new", "2026-01-01"))
    )
    outcome = harvester.answer(answer(Task("https://a.org/1.xml", "sitemap"), urlset + "</urlset>"))
    assert [(task.url[16:], task.kind, task.depth) for task in outcome.next] == [
        ("/new", "page", 0), ("/old", "page", 0), ("/undated", "page", 0),
    ]  # fmt: skip


def test_what_is_no_sitemap_is_said_to_be_none() -> None:
    outcome = crawl().answer(answer(Task("https://a.org/s.xml", "sitemap"), "<html>not found"))
    assert (outcome.store, outcome.outcome, outcome.reason) == ("exchange", "failed", "no sitemap")
    outcome = crawl().answer(answer(Task("https://a.org/s.xml", "sitemap"), b"\x1f\x8b\x08\0junk"))
    assert outcome.outcome == "failed"


def test_feeds_lead_to_their_items() -> None:
    feed = "<rss><channel><item><link>/1</link></item><item><link>https://b.org/2</link></item></channel></rss>"
    assert follow(crawl(), feed, Task("https://a.org/feed", "feed")) == ["/1"]


def test_feeds_that_a_seed_announces_are_read_and_lists_that_pages_link_to() -> None:
    body = "<link rel=alternate type='application/rss+xml' href=/feed><a href=/sitemap.xml>"
    seed = next(iter(crawl().start(None)))
    outcome = crawl().answer(answer(seed, body))
    assert [(task.url[13:], task.kind) for task in outcome.next] == [("/feed", "feed"), ("/sitemap.xml", "page")]
    assert follow(crawl(feeds_of_seeds=False), body, seed) == ["/sitemap.xml"]
    assert follow(crawl(), body, Task(SEED + "post")) == ["/sitemap.xml"]
    urlset = f"<?xml version='1.0'?><urlset {NS}><url><loc>https://a.org/1</loc></url></urlset>"
    outcome = crawl().answer(answer(Task(SEED + "sitemap.xml"), urlset, content_type="text/xml"))
    assert (outcome.store, [task.url for task in outcome.next]) == ("exchange", ["https://a.org/1"])


def test_sitemaps_of_robots() -> None:
    robots = "Sitemap: https://a.org/s.xml\nSitemap: https://b.org/s.xml\nSitemap: http://10.0.0.1/s.xml\n"
    harvester = crawl(sitemaps_of_robots=True)
    assert harvester.wants_robots
    assert follow(harvester, robots, Task("https://a.org/robots.txt", "robots"), content_type="text/plain") == [
        "/s.xml"
    ]
    assert follow(harvester, robots, Task("https://b.org/robots.txt", "robots"), content_type="text/plain") == []
    assert not crawl().wants_robots
    assert follow(crawl(), robots, Task("https://a.org/robots.txt", "robots")) == []


@pytest.mark.parametrize("status", [202, 204, 404, 410, 403, 500])
def test_other_statuses_lead_nowhere(status: int) -> None:
    assert crawl().answer(answer(Task(SEED), links("/x"), status=status)) == Outcome()


@pytest.mark.parametrize(
    ("status", "name", "value"), [(202, "x_amzn_waf_action", "challenge"), (403, "cf_mitigated", "challenge")]
)
def test_a_challenge_is_no_page(status: int, name: str, value: str) -> None:
    outcome = crawl().answer(answer(Task(SEED), "<html>", status=status, **{name: value}))
    assert (outcome.store, outcome.outcome, outcome.reason) == ("nothing", "refused", "challenge page")


def test_redirects() -> None:
    harvester = crawl(include=("/en/*",), sitemaps=("https://maps.b.org/s.xml",))
    seed, linked = list(harvester.start(None))[-1], Task("https://a.org/en/x")
    assert harvester.admits("https://www.a.org/fr/", seed) is None
    assert harvester.admits("https://b.org/", seed) == "host out of scope"
    assert harvester.admits("https://a.org/en/y", linked) is None
    assert harvester.admits("https://a.org/fr/y", linked) == "path out of scope"
    listing = Task("https://maps.b.org/s.xml", "sitemap")
    assert harvester.admits("https://www.maps.b.org/2.xml", listing) is None
    assert harvester.admits("https://a.org/2.xml", listing) is None
    assert harvester.admits("https://c.org/2.xml", listing) == "host out of scope"


def test_hosts_and_state() -> None:
    harvester = crawl(sitemaps=("https://b.org:8443/s.xml",), hosts=("*.c.org",))
    assert harvester.hosts() == ["a.org", "b.org"]
    assert harvester.state() == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": ()}, "nothing to begin with"),
        ({"seeds": ("a.org",)}, "'a.org' is no http or https URL"),
        ({"seeds": ("https://u:p@a.org/",)}, "without user name"),
        ({"seeds": ("https://a.org:25/",)}, "port of another service"),
        ({"hosts": ("https://a.org/",)}, "valid: example.org, [*].example.org"),
        ({"include": ("en/*",)}, "begin with / or [*]"),
        ({"languages": ("fr-CA",)}, "no BCP 47 primary subtag"),
        ({"language_from_path": True}, "needs languages"),
        ({"types": ("doc",)}, "'html', 'pdf', 'xml' or 'txt'"),
        ({"types": ()}, "at least 1"),
        ({"sede": ()}, "Extra inputs"),
    ],
)
def test_settings_say_what_is_wrong(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        crawl(**settings)


def test_the_documentation_names_every_key_and_its_default() -> None:
    lines = (Path(__file__).resolve().parents[2] / "docs" / "crawling.md").read_text(encoding="utf-8").splitlines()
    rows = {line.split("`")[1]: line.split("|")[2] for line in reversed(lines) if line.startswith("| `")}
    for model in (Settings, Fetch):
        for name, field in model.model_fields.items():
            if isinstance(field.default, bool | int | float | str):
                assert json.dumps(field.default) in rows[name], name
            assert name in rows


def test_a_seed_of_the_recipe_is_asked_whatever_the_hosts_are_and_one_that_is_no_more_is_not() -> None:
    narrow = Harvester(Settings(seeds=("https://a.test/",), hosts=("b.test",)))
    (seed,) = narrow.start(None)
    assert narrow.admits(seed.url, seed) is None
    other = Harvester(Settings(seeds=("https://b.test/",), hosts=("b.test",)))
    assert other.admits(seed.url, seed) == "host out of scope"
