"""robots.txt by RFC 9309."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.spider.download import Trouble
from harvesters.spider.robots import MAX_BYTES, REDIRECTS, Refusal, Robots, Rules

SITE = "http://a.test"


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("User-agent: *\nDisallow: /p/\n", "/p/1", "Disallow: /p/"),
        ("User-agent: *\nDisallow: /p/\n", "/q", None),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Florilege\nDisallow: /x\n", "/p", None),
        ("User-agent: *\nDisallow: /\n\nUser-agent: FLORILEGE/0.1\nDisallow: /x\n", "/x", "Disallow: /x"),
        ("User-agent: florilegebot\nDisallow: /\n", "/p", None),
        ("User-agent: other\nUser-agent: florilege\nDisallow: /p\n", "/p", "Disallow: /p"),
        ("User-agent: other\nDisallow: /\nUser-agent: third\nDisallow: /p\n", "/p", None),
        ("User-agent: florilege\nDisallow: /a\n\nUser-agent: florilege\nDisallow: /b\n", "/b", "Disallow: /b"),
        ("User-agent: *\nDisallow: /p\nAllow: /p/open\n", "/p/open/1", None),
        ("User-agent: *\nDisallow: /p\nAllow: /p\n", "/p", None),
        ("User-agent: *\nDisallow: /*.json$\n", "/a/b.json", "Disallow: /*.json$"),
        ("User-agent: *\nDisallow: /*.json$\n", "/a/b.json?x", None),
        ("User-agent: *\nDisallow: /caf%C3%A9\n", "/caf%c3%a9/1", "Disallow: /caf%C3%A9"),
        ("User-agent: *\nDisallow: /café\n", "/caf%C3%A9", "Disallow: /caf%C3%A9"),
        ("User-agent: *\nDisallow: /a?b=\n", "/a?b=1", "Disallow: /a%3Fb="),
        ("\ufeffUser-agent: *\r\nDisallow: /p # why\r\n", "/p", "Disallow: /p"),
        ("User-agent: *\nDisallow:\n", "/p", None),
        ("<html><p>User-agent: *</p><p>Disallow: /</p>", "/p", None),
        ("", "/p", None),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", None),
    ],
)
def test_rules(text: str, path: str, rule: str | None) -> None:
    assert Rules(text.encode()).refuses(SITE + path) == rule


def test_only_so_much_is_read_and_no_half_line() -> None:
    filler = b"# nothing\n" * (MAX_BYTES // 10 - 3)
    head = b"User-agent: *\nDisallow: /early\n"
    rest = MAX_BYTES - len(head) - len(filler)
    body = head + filler + b"#" * (rest - 12) + b"\nDisallow: /private/deep/far\nDisallow: /late\n"
    rules = Rules(body)
    assert rules.refuses(f"{SITE}/early") and not rules.refuses(f"{SITE}/late")
    assert not rules.refuses(f"{SITE}/private/x") and not rules.refuses(f"{SITE}/p")


def test_a_hostile_file_costs_no_more_than_its_length() -> None:
    """Agents times rules: by protego alone this takes minutes and gigabytes."""
    agents = "".join(f"User-agent: a{number}\n" for number in range(15_000))
    rules = "".join(f"Disallow: /{number}\n" for number in range(15_000))
    began = time.process_time()
    found = Rules((agents + "User-agent: *\n" + rules).encode())
    assert found.refuses(f"{SITE}/14999")
    assert time.process_time() - began < 5


@given(st.binary(max_size=300))
def test_any_bytes_are_rules(body: bytes) -> None:
    rules = Rules(b"User-agent: *\n" + body)
    rules.refuses(f"{SITE}/a?b=c")
    assert rules.delay >= 0


class Server:
    """Answers in turn; the last one again and again."""

    def __init__(self, *answers: tuple[int, bytes, str | None] | Trouble) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.slowed: list[tuple[str, float]] = []
        self.rests: list[int] = []

    async def ask(self, url: str, attempt: int, last: bool) -> tuple[int, bytes, str | None]:
        await asyncio.sleep(0)
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Trouble):
            raise answer
        return answer

    async def rest(self, host: str, attempt: int) -> None:
        self.rests.append(attempt)

    def refuses(self, *urls: str) -> list[Refusal | None]:
        async def all_at_once() -> list[Refusal | None]:
            robots = Robots(self.ask, lambda host, seconds: self.slowed.append((host, seconds)), self.rest, 2, 60)
            return list(await asyncio.gather(*map(robots.refuses, urls)))

        return asyncio.run(all_at_once())


NO = b"User-agent: *\nDisallow: /p\n"


def test_one_file_an_authority_is_asked_for_once() -> None:
    server = Server((200, NO, None))
    urls = [f"{SITE}/p", f"{SITE}/q", "http://a.test:8080/p", "https://a.test/p", f"{SITE}/p"]
    assert [bool(found) for found in server.refuses(*urls)] == [True, False, True, True, True]
    assert server.asked == [f"{SITE}/robots.txt", "http://a.test:8080/robots.txt", "https://a.test/robots.txt"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 304])
def test_no_file_no_rules(status: int) -> None:
    assert Server((status, NO, None)).refuses(f"{SITE}/q") == [None]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_not_well_is_left_alone(status: int) -> None:
    server = Server((status, b"", None))
    (found,) = server.refuses(f"{SITE}/q")
    assert found == Refusal("robots.txt cannot be had", f"http {status}", passing=True)
    assert len(server.asked) == 3 and server.rests == [1, 2]


def test_it_may_get_well() -> None:
    server = Server((503, b"", None), Trouble("timeout"), (200, NO, None))
    assert [bool(found) for found in server.refuses(f"{SITE}/q", f"{SITE}/p")] == [False, True]


def test_what_cannot_be_reached_is_not_asked() -> None:
    server = Server(Trouble("dns", "no such name"))
    (found,) = server.refuses(f"{SITE}/q")
    assert found is not None and (found.reason, found.outcome) == ("dns", "failed") and len(server.asked) == 3
    server = Server(Trouble("private address", "it is 10.0.0.1", passing=False, outcome="refused"))
    (found,) = server.refuses(f"{SITE}/q")
    assert found is not None and found.outcome == "refused" and len(server.asked) == 1


def test_redirects_are_followed_five_times() -> None:
    moved = [(301, b"", f"http://b.test/{number}") for number in range(REDIRECTS)]
    assert Server(*moved, (200, NO, None)).refuses(f"{SITE}/p") != [None]
    server = Server(*moved, (301, b"", "http://b.test/x"), (200, NO, None))
    assert server.refuses(f"{SITE}/p") == [None] and len(server.asked) == REDIRECTS + 1


def test_crawl_delay_and_its_cap() -> None:
    server = Server((200, b"User-agent: *\nCrawl-delay: 2.5\n", None))
    assert server.refuses(f"{SITE}/p") == [None] and server.slowed == [("a.test", 2.5)]
    server = Server((200, b"User-agent: *\nCrawl-delay: 61\n", None))
    assert server.refuses(f"{SITE}/p") == [Refusal("crawl delay over the cap", "Crawl-delay: 61")]
    server = Server((200, b"User-agent: *\nCrawl-delay: -1\nCrawl-delay: nan\nCrawl-delay: soon\n", None))
    assert server.refuses(f"{SITE}/p") == [None] and server.slowed == []
