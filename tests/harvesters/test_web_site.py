"""The test web itself: all that must be fetched can be reached, and its log tells a good crawl from a bad one."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from servers.web import Web, web
from servers.web_parts import Reply


@pytest.fixture(scope="module")
def site() -> Iterator[Web]:
    with web() as made:
        yield made


def ask(site: Web, url: str, **headers: str) -> httpx.Response:
    parts = urlsplit(url)
    fields = {"Host": parts.netloc, "Accept-Encoding": "identity", **headers}
    target = url.removeprefix(f"http://{parts.netloc}")
    return httpx.get(f"http://127.0.0.1:{site.port}{target}", headers=fields, timeout=10)


def links(url: str, reply: Reply) -> set[str]:
    """Addresses in an answer, roughly, as a crawler normalises them."""
    body = gzip.decompress(reply.body) if reply.body.startswith(b"\x1f\x8b") else reply.body
    text = (reply.raw or body).decode("utf-8", "replace")
    found = [*re.findall(r'(?<!nofollow" )href="([^"]*)"', text), *re.findall(r"<(?:loc|link)>(.*?)</", text)]
    found += [value for name, value in reply.headers if name == "Location"]
    found += text.split() if url.endswith(".txt") else []
    whole = {
        urljoin(url, unescape(link).strip()).partition("#")[0] for link in found if "[" not in link and "&k" not in link
    }
    lower = {re.sub("^[^/]*//[^/]*", lambda start: start[0].lower(), link) for link in whole}
    return {re.sub(r"[?&](?:utm_\w+|fbclid)=[^&]*", "", link) for link in lower if link.startswith("http://")}


def crawl(site: Web) -> None:
    """Asks for what a good crawler asks for, without HTTP: it knows what is forbidden."""
    todo = [*site.seeds, *(site.url(host, "/sitemap_index.xml") for host in ("news.test",))]
    known, bad = set(todo), site.disallowed | {url for url in site.optional if re.search("gzip/|huge|bomb", url)}
    while todo:
        url = todo.pop()
        host, target = site._split(url)
        if url in bad or host not in site.hosts or site._is_trap(url):
            continue
        for _ in range(site.retried.get(url, 1)):
            reply = site.reply(host, target, {})
            if reply.status == 200:
                break
        if 'content="nofollow"' not in reply.body.decode("latin-1"):
            fresh = links(url, reply) - known
            known |= fresh
            todo += fresh


def test_every_allowed_page_can_be_reached_in_every_epoch() -> None:
    site = Web()
    site.serve(8080)
    for epoch in range(3):
        site.epoch, since = epoch, len(site.log)
        crawl(site)
        assert site.problems(since) == []
    assert 250 <= len(site.allowed) <= 320
    assert not site.allowed & (site.disallowed | site.optional | site.redirects | site.retried.keys())


def test_the_log_shows_what_a_crawl_did_wrong() -> None:
    site = Web(("blog.test", "shop.test"))
    site.serve(8080)
    crawl(site)
    for host, target in (
        ("blog.test", "/drafts/1"), ("blog.test", "/post/2"), ("blog.test", "/post/3?utm_source=x"),
        ("127.0.0.1", "/in"), *(("shop.test", f"/calendar/{year}/1/") for year in range(30)),
    ):  # fmt: skip
        site.reply(host, target, {})
    assert site.problems(trapped=20) == [
        "2 requests, not 1: http://blog.test:8080/post/2",
        "30 requests in endless parts",
        "disallowed: http://blog.test:8080/drafts/1",
        "unknown: http://127.0.0.1:8080/in",
        "unknown: http://blog.test:8080/post/3?utm_source=x",
    ]
    assert len(site.problems(since=len(site.log))) == len(site.allowed)


def test_epochs_change_some_pages_and_no_others(site: Web) -> None:
    site.epoch = 1
    try:
        assert len(site.changed) == 16
        assert site.added == {site.url("news.test", "/en/2021/report-101.html")}
        assert site.removed == {site.url("news.test", "/en/2020/report-5.html")}
        assert ask(site, site.removed.pop()).status_code == 404
    finally:
        site.epoch = 0


@pytest.mark.parametrize(
    ("host", "path", "names"),
    [
        ("news.test", "/en/", {"etag", "last-modified"}), ("law.test", "/act/1/fr", {"etag"}),
        ("blog.test", "/post/1", {"last-modified"}), ("cdn.test", "/files/act-1.pdf", {"etag"}),
        ("shop.test", "/p/1", set()),
    ],
)  # fmt: skip
def test_what_has_not_changed_is_not_sent_again(site: Web, host: str, path: str, names: set[str]) -> None:
    url = site.url(host, path)
    first = ask(site, url)
    assert {"etag", "last-modified"} & set(first.headers) == names
    questions = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    again = ask(site, url, **{questions[name]: first.headers[name] for name in names})
    assert again.status_code == (304 if names else 200)
    other = ask(site, url, **{"If-None-Match": '"x"', "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"})
    assert (other.status_code, other.content) == (200, first.content)
    assert again.headers["set-cookie"] != first.headers["set-cookie"]


def test_lengths_that_lie_reach_the_wire(site: Web) -> None:
    def raw(path: str) -> tuple[bytes, bytes]:
        with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: odd.test:{site.port}\r\n\r\n".encode())
            head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
            return head, body

    for path, sign in (("/length/short", -1), ("/length/long", 1)):
        head, body = raw(path)
        declared = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
        assert (len(body) - declared) * sign == 500
    assert b"\0" in raw("/to/raw-nul")[0]


def test_errors_that_pass(site: Web) -> None:
    url = site.url("odd.test", "/heals/503")
    first, second = ask(site, url), ask(site, url)
    assert (first.status_code, first.headers["retry-after"], second.status_code) == (503, "1", 200)
