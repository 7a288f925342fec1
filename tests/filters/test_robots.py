"""robots.txt as RFC 9309 wants it read; cases after crawler-commons' and Google's tests, and real files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import robots

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "robots"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real data is not beside the project")


def may(text: str, path: str, agent: str = "*") -> bool:
    return robots.allowed(robots.parse(text), f"http://site.example{path}", [agent])[0]


def star(rules: str) -> str:
    return f"User-agent: *\n{rules}"


@pytest.mark.parametrize(
    ("rule", "denied", "allowed"),
    [
        ("/fish", "/fish /fish.html /fish/a /fishes /fish.php?id=1", "/Fish /catfish /?id=fish /fis"),
        ("/fish*", "/fish /fish.html /fish/a /fish.php?id=1", "/Fish /catfish /?id=fish"),
        ("/fish/", "/fish/ /fish/?id=1 /fish/a.htm", "/fish /fish.html /Fish/a"),
        ("/*.php", "/a.php /b/a.php /b/a.php?x /a.php.html /a.php/", "/ /a.PHP"),
        ("/*.php$", "/a.php /b/a.php", "/a.php?x /a.php/ /a.php5 /a.PHP"),
        ("/fish*.php", "/fish.php /fishes/cat.php?x", "/Fish.PHP"),
        ("/*fish*.php", "/fish.php /superfish/cat.php", "/fish/cat.htm"),
        ("/index.cfm?action=results*", "/index.cfm?action=results&q=1", "/index.cfm"),
        ("*.gif$", "/a.gif /b/c.gif", "/a.gif?x /a.gifs"),
        ("/*?", "/a?b /?", "/a"),
        ("/a%3cd.html", "/a%3Cd.html /a%3cd.html", "/a/d.html"),
        ("/%7ejoe/", "/~joe/x /%7Ejoe/x", "/joe/"),
        ("/foo/bar?baz=ツ", "/foo/bar?baz=ツ /foo/bar?baz=%E3%83%84", "/foo/bar?baz=x"),
        ("/wiki/Talk:Board/", "/wiki/Talk:Board/", "/wiki/"),
    ],
)  # fmt: skip
def test_patterns(rule: str, denied: str, allowed: str) -> None:
    assert [path for path in denied.split() if may(star(f"Disallow: {rule}"), path)] == []
    assert [path for path in allowed.split() if not may(star(f"Disallow: {rule}"), path)] == []


@pytest.mark.parametrize("agents", ["Webcrawler/3.0", "webcrawler", "Mozilla/5.0 (compatible; WebCrawler/3.0)"])
def test_an_agent_is_found_by_its_name(agents: str) -> None:
    text = "User-agent: other\nDisallow: /\n\nUser-agent: webcrawler\nDisallow:\n\n" + star("Disallow: /")
    assert may(text, "/a", agents)
    assert not may(text, "/a", "*")
    assert not may(text, "/a", "crawler")


@pytest.mark.parametrize("ends", ["\n", "\r", "\r\n", "\r\r\n"])
def test_any_ends_of_lines(ends: str) -> None:
    text = ends.join(
        ["# c", "User-agent: a #x", "Disallow: /a", "", "#Disallow: /c", "User-Agent: b c#x", "Disallow: /d"]
    )
    assert [may(text, p, "a") for p in ("/a", "/a/", "/b", "/c", "/d")] == [False, False, True, True, True]
    assert [may(text, "/d", agent) for agent in ("b", "c", "d")] == [False, False, True]


def test_allow_wins_by_length_and_at_a_tie() -> None:
    text = star("Disallow: /org/plans.html\nAllow: /org/\nAllow: /serv\nAllow: /~mak\nDisallow: /")
    denied = ["/", "/index.html", "/orgo.gif", "/org/plans.html", "/%7Ejim/j.html"]
    assert [path for path in denied if may(text, path)] == []
    assert all(may(text, path) for path in ("/robots.txt", "/server.html", "/org/about.html", "/%7Emak/m.html"))
    assert may(star("Disallow: /fish\nAllow: /fish"), "/fish")
    assert may(star("Allow: /p\nDisallow: /"), "/page")
    assert [may(star("Allow: /a/index.html\nDisallow: /"), p) for p in ("/a/", "/a/index.html", "/a/b")] == [1, 1, 0]


def test_length_is_that_of_equal_percent_encodings() -> None:
    assert may(star("Disallow: /%61%62%63\nAllow: /abcdef"), "/abcdef")
    assert not may(star("Disallow: /%61%62%63\nAllow: /ab"), "/abcdef")
    assert may(star("Disallow: /ツ\nAllow: /%e3%83%84"), "/ツ"), "a tie"
    assert not may(star("Disallow: /ツ\nAllow: /*aaaa"), "/ツaaaa"), "octets count, not characters"


def test_groups_of_one_name_are_merged_and_other_lines_end_none() -> None:
    text = (
        "allow: /foo/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\nuser-agent: BarBot\ndisallow: /\nallow: /y/\n\n"
        "allow: /w/\nuser-agent: BazBot\n\nuser-agent: FooBot\nallow: /z/\ndisallow: /\n"
    )
    expected = {"foobot": "/x/ /z/", "barbot": "/y/ /w/", "bazbot": "/z/"}
    for agent, paths in expected.items():
        allowed = [path for path in ("/x/", "/y/", "/z/", "/w/", "/foo/") if may(text, path, agent)]
        assert sorted(allowed) == sorted(paths.split())
    for line in ("Sitemap: https://a.example/s", "Crawl-delay: 5", "unknown: x", ""):
        assert not may(f"User-agent: a\n{line}\nUser-agent: b\nDisallow: /", "/", "a")


@pytest.mark.parametrize(
    "text",
    ["useragent: *\nDisallow: /a", "user agent: *\ndisallow /a", "user-agent *\nDesallow: /a",
     "USER-AGENT:*\nDISALLOW:/a", "useg-agent: *\ndissalow : /a", "User-agent: x, *\nDisalow:/a # why",
     "\ufeffUser-agent: *\n\tDisallow:\t/a", "User-agent: *\x0b\nDisallow: /a\x0c",
     "<html><body>User-agent: *<br>\nDisallow: /a<br>\n</body></html>"],
)  # fmt: skip
def test_what_people_mean(text: str) -> None:
    assert not may(text, "/a")
    assert may(text, "/b")


@pytest.mark.parametrize(
    "text",
    ["", "Disallow: /", "User-agent: *", "User-agent: *\nDisallow:", "User-agent: *\nAllow:",
     "#User-agent: *\nDisallow: /", "User-agent: b\nDisallow: /", "<html><title>Closed</title>", "http://a.example/",
     "user-agents\n", "\0", "disallowed: /", "User-agent: *\nDisallow: # /"],
)  # fmt: skip
def test_what_denies_nothing(text: str) -> None:
    assert robots.allowed(robots.parse(text), "http://a.example/x", ["*", "a"]) == (True, None, None)


def test_names_the_first_agent_and_the_longest_rule_that_deny() -> None:
    rules = robots.parse(
        "User-agent: CCBot\nDisallow: /a\nUser-agent: *\nDisallow: /\nDisallow:  /a/*/c$ # why\nAllow: /b"
    )
    page = "https://www.site.example:8443/a/b/c#d"
    assert robots.allowed(rules, page, ["ia_archiver", "ccbot"]) == (False, "ia_archiver", "Disallow: /a/*/c$")
    assert robots.allowed(rules, page, ["ccbot", "*"]) == (False, "ccbot", "Disallow: /a")
    assert robots.allowed(rules, "http://site.example/b", ["ccbot", "*"]) == (True, None, None)
    assert robots.allowed(rules, "http://site.example", ["*"]) == (False, "*", "Disallow: /")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_file_that_is_not_there_allows_all(status: int) -> None:
    rules = robots.answer(status, None)
    assert rules is not None
    assert robots.allowed(rules, "http://a.example/", ["*"])[0]


@pytest.mark.parametrize(
    ("status", "text"), [(301, None), (429, None), (500, "x"), (503, None), (200, None), (None, None)]
)
def test_a_file_that_was_not_given_says_nothing(status: int | None, text: str | None) -> None:
    assert robots.answer(status, text) is None


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\xef\xbb\xbfU", "U"), ("\ufeffÜ:".encode("utf-16-le"), "Ü:"), ("\ufeffÜ:".encode("utf-16-be"), "Ü:"),
        ("Ü".encode(), "Ü"), ("Ü".encode("latin-1"), "Ü"), (b"a\0b", "ab"), (b"\xff\xfe", ""), (b"\xff\xfe\0", ""),
        (b"x" + "é".encode() * 400_000, "x" + "é" * ((robots.MAX_BYTES - 1) // 2)),
    ],
)  # fmt: skip
def test_decoding(payload: bytes, text: str) -> None:
    assert robots.decode(payload) == text


def test_rows_of_policies() -> None:
    row = {"id": "1", "source": "s", "url": "HTTPS://A.example:443/robots.txt", "kind": "robots.txt", "fetched": None}
    made = robots.policy_row(**row, status=200, payload=b"\xef\xbb\xbfUser-agent: *")  # type: ignore[arg-type]
    assert made == {
        "id": "1", "source": "s", "origin": "https://a.example", "kind": "robots.txt", "fetched": None, "status": 200,
        "text": "User-agent: *",
    }  # fmt: skip
    row["fetched"] = datetime(2020, 1, 1, tzinfo=UTC)  # type: ignore[assignment]
    for status, text in ((404, None), (503, None), (None, "x"), (204, "x")):
        made = robots.policy_row(**row, status=status, payload=b"x")  # type: ignore[arg-type]
        assert made is not None
        assert made["text"] == text
    assert robots.policy_row(**{**row, "url": "dns:a"}, status=200, payload=b"") is None  # type: ignore[arg-type]


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_nothing_raises(rules: str, url: str, agents: list[str]) -> None:
    for text in (rules, star(f"Disallow: {rules}\nAllow: {url}")):
        allowed, agent, rule = robots.allowed(robots.parse(text), url, [*agents, "*"])
        assert (agent is None) == (rule is None) == allowed


@given(st.binary())
def test_any_bytes_decode(payload: bytes) -> None:
    assert "\0" not in robots.decode(payload)


MANY = 30_000


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"user-agent: a{i}\n" for i in range(MANY)) + "user-agent: *\n" + "disallow: /b\n" * MANY,
        "".join(f"user-agent: a{i}\n" for i in range(MANY)) * 2 + star("disallow: /b"),
        star("disallow: /" + "*a" * 200_000 + "$\ndisallow: /b"),
        star("".join(f"disallow: /*a{i}*b$\n" for i in range(MANY)) + "disallow: /b"),
        star("disallow: /b\n" * 1_000_000),
        star("disallow: /b\n" + "a" * 10**8),
        star("disallow: /b\n" + "user-agent" + " " * 10**6),
        star("disallow: /b\ndisallow: " + "/ " * 250_000),
    ],
    ids=range(8),
)  # fmt: skip
def test_hostile_files_are_read_in_bounds(text: str) -> None:
    rules = robots.parse(text)
    assert not robots.allowed(rules, "http://a.example/b", ["*"])[0] or len(text) > robots.MAX_BYTES
    assert robots.allowed(rules, "http://a.example/" + "a" * 10**6, ["*"])[0]
    assert sum(map(len, rules.groups)) <= robots.MAX_BYTES


FILES = "crawler-commons/src/test/resources/robots"


@pytest.mark.real
@needs_data
@pytest.mark.parametrize(
    ("name", "agent", "denied", "allowed"),
    [
        ("robots-with-utf8-bom", "foobot", "/profile", "/"),
        ("robots-with-utf16le-bom", "foobot", "/profile", "/"),
        ("robots-with-utf16be-bom", "foobot", "/profile", "/"),
        ("www.flot.com-robots", "foobot", "/img/", "/"),
        ("directive-typos-robots", "bot1", "/desallow/ /dissalow/", "/"),
        ("directive-typos-robots", "bot2", "/useragent/", "/"),
        ("directive-typos-robots", "bot3", "/useg-agent/", "/"),
        ("directive-typos-robots", "bot4", "/useragent-no-colon/", "/"),
        ("format-errors-robots", "bot1", "/whitespace-before-colon/ /no-colon/", "/"),
        ("format-errors-robots", "bot2", "/no-colon-useragent/", "/"),
        ("format-errors-robots", "bot3", "/", "/whitespace-before-colon/"),
        ("many-user-agents", "wget", "/", ""),
        ("many-user-agents", "mysuperlongbotnamethatmatchesnothing", "/bot-trap/", "/"),
        ("merge-rules", "wget", "/tmp/bar/bar.txt", "/foo/bar/bar.txt /chk/bar/bar.txt"),
        ("precedence-of-rules", "wget", "/bar/foo", "/ /foo/bar"),
        ("precedence-of-rules", "testy", "/foo/blue /foo/ /foo/tar", "/ /foo/bar"),
        ("malformed-path", "bot1", "/wiki/Wikipedia_talk:Mediation_Committee/", "/wiki/"),
        ("dos-line-endings", "bot1", "", "/"),
        ("wildcards", "Any-darn-crawler", "/wishlist/bogus /any/gcrnsts", "/wishlist/universal/page"),
        ("extended-standard-robots", "bot3", "", "/"),
        ("sitemap-robots", "bot1", "", "/"),
        ("relative-sitemap-robots", "bot1", "/cache/", "/"),
        ("twitter.com-robots", "bot1", "/a?b /a/with_friends", "/a"),
        ("crawl-delay-group-merging", "mybot", "/private/", "/ /login/"),
        ("crawl-delay-group-merging", "yourbot", "/private/ /login/", "/"),
        ("crawl-delay-group-merging", "otherbot", "", "/private/"),
        ("extensions-group-merging", "mybot", "/private/ /login/", "/"),
        ("extensions-group-merging", "yourbot", "/private/ /login/", "/"),
        ("extensions-group-merging", "otherbot", "/a", "/llms.txt"),
        ("extension-robots", "mybot", "/private/", "/ /secret/ /admin/"),
        ("rfc9309-example-rule-group-merging", "examplebot", "/foo /bar /baz", "/"),
        ("rfc9309-example-rule-group-merging", "otherbot", "/foo /bar", "/baz"),
        ("rfc9309-example-rule-group-merging", "bazbot", "/baz", "/foo"),
        ("rfc9309-example-longest-match-robots", "foobot", "/example/page/disallowed.gif", "/example/page/"),
        ("rfc9309-example-simple-robots", "otherbot", "/a.gif /example/", "/publications/"),
        ("rfc9309-example-simple-robots", "foobot", "/ /example/", "/example/page.html /example/allowed.gif"),
        ("rfc9309-example-simple-robots", "barbot", "/example/page.html", "/example/"),
        ("rfc9309-example-simple-robots", "bazbot", "/example/page.html", "/example/"),
        ("rfc9309-example-simple-robots", "quxbot", "", "/ /example/page.html"),
        ("astore.amazon.com-robots", "bot1", "", "/"),
    ],
)  # fmt: skip
def test_files_of_crawler_commons(name: str, agent: str, denied: str, allowed: str) -> None:
    text = robots.decode((DATA / FILES / f"{name}.txt").read_bytes())
    assert [path for path in denied.split() if may(text, path, agent)] == []
    assert [path for path in allowed.split() if not may(text, path, agent)] == []


@pytest.mark.real
@needs_data
def test_real_files_mean_to_everybody_what_protego_says() -> None:
    from protego import Protego

    files = sorted((DATA / "protego/tests/test_data").iterdir())
    assert len(files) > 300
    differing = set()
    for file in files:
        text = robots.decode(file.read_bytes())
        rules, whole = robots.parse(text), Protego.parse(text)
        asked = [line.split(" ", 1)[1].replace("*", "x").strip("$") for group in rules.groups for line in group][:20]
        for url in (f"http://site.example{path}" for path in ["/", "/search?q=a", *asked] if path.startswith("/")):
            if robots.allowed(rules, url, ["*"])[0] != whole.can_fetch(url, "*"):
                differing.add(file.name)
    # There a crawl-delay stands between two names: by RFC 9309 (2.2.4) that ends no group, by protego it does.
    assert differing == {"www.monstersandcritics.com"}
