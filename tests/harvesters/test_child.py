"""Harvests in real child processes against real servers: what the servers logged, and what is kept."""

from __future__ import annotations

import io
import json
import random
import signal
import socket
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from servers.children import harvest, lines, local, rows, start
from servers.running import running
from servers.web import Web, web
from warcio.archiveiterator import ArchiveIterator

from catalog import fetches
from catalog.files import Corpus, read_json


@dataclass
class Site:
    """An ASGI application: `pages` linked pages a host, a robots.txt a host, and a log."""

    pages: int = 30
    robots: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    log: list[tuple[float, str, str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, path = headers["host"].partition(":")[0], scope["path"]
        self.log.append((time.monotonic(), host, path, headers))
        await asyncio.sleep(self.wait)
        status, body, kind = 200, b"", b"text/html"
        if path != "/robots.txt":
            body = self.page(path)
        elif host in self.robots:
            body, kind = self.robots[host].encode(), b"text/plain"
        else:
            status = 404
        fields = [(b"content-type", kind), (b"set-cookie", b"secret=1"), (b"etag", f'"{path}"'.encode())]
        if headers.get("if-none-match") == f'"{path}"':
            status, body = 304, b""
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def page(self, path: str) -> bytes:
        if path == "/":
            links = [f"/{number}" for number in range(0, self.pages, 5)]
        else:
            at = int(path[1:])
            links = [f"/{number}" for number in range(at + 1, min(at + 5, self.pages))]
        return "".join(f'<a href="{link}">{link}</a>' for link in [*links, "/"]).encode()

    def asked(self, host: str | None = None) -> list[str]:
        return [path for _, there, path, _ in self.log if host in (None, there)]


def records(root: Path) -> list[tuple[str, str]]:
    """Types and URLs of all records, read by warcio with its checks of digests."""
    found = []
    for path in sorted((root / "archive").glob("*/*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.content_stream().read()
                found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI")))
    return found


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Path]]:
    """One harvest of the odd, the redirected and the broken hosts."""
    root = tmp_path_factory.mktemp("odd") / "corpus"
    with web(("odd.test", "down.test", "shop.test", "news.test")) as site:
        seeds = [site.url(host, "/") for host in ("odd.test", "down.test")]
        seeds += [site.url("odd.test", path) for path in ("/huge", "/chain/0")]
        seeds += [site.url("shop.test", "/cart/1"), site.url("shop.test", "/p/1"), site.url("nosuch.test", "/")]
        seeds += ["http://127.0.0.1:9999/", f"http://[::1]:{site.port}/", f"http://2130706433:{site.port}/"]
        fetch = {**local(*site.hosts), "per_host": 4, "timeout_s": 5, "max_mb": 4, "max_requests_per_host": 200}
        fetch["addresses"]["inside.test"] = "127.0.0.1"
        seeds.append(site.url("inside.test", "/"))
        harvest(root, {"seeds": seeds, "fails": "/label/none", "again": "/label/octets"}, fetch)
        yield site, root


def of(odd: tuple[Web, Path], path: str, host: str = "odd.test") -> dict[str, Any]:
    site, root = odd
    (row,) = [row for row in rows(root) if row["url"] == site.url(host, path)]
    return row


def test_every_allowed_page_is_asked_for_once_and_no_disallowed_one(odd: tuple[Web, Path]) -> None:
    site, _ = odd
    asked = Counter(site.url(hit.host, hit.path) for hit in site.log)
    assert not asked.keys() & site.disallowed
    here = {url for url in site.allowed | site.redirects if "odd.test" in url}
    assert {url: asked[url] for url in here if asked[url] != 1} == {}
    retried = {url: times for url, times in site.retried.items() if "odd.test" in url}
    assert retried and {url: asked[url] for url in retried} == retried


def test_robots_that_fail_forbid_and_those_that_are_redirected_hold(odd: tuple[Web, Path]) -> None:
    site, _ = odd
    assert [hit.path for hit in site.log if hit.host == "down.test"] == ["/robots.txt"] * 4
    down = of(odd, "/", "down.test")
    assert (down["outcome"], down["reason"], down["attempts"]) == ("robots", "robots.txt cannot be had", 0)
    cart = of(odd, "/cart/1", "shop.test")
    assert (cart["outcome"], cart["reason"], cart["detail"]) == ("robots", "robots.txt", "Disallow: /cart/")
    assert of(odd, "/p/1", "shop.test")["outcome"] == "new"
    assert of(odd, "/robots.txt", "shop.test")["outcome"] == "redirect"
    assert of(odd, "/robots/real.txt", "shop.test")["kind"] == "robots"


def test_nothing_private_is_asked(odd: tuple[Web, Path]) -> None:
    site, root = odd
    assert not [hit for hit in site.log if hit.host not in site.hosts]
    by = {row["url"]: row for row in rows(root)}
    assert by["http://127.0.0.1:9999/"]["reason"] == "loopback address"
    assert by[f"http://[::1]:{site.port}/"]["reason"] == "loopback address"
    assert by[f"http://2130706433:{site.port}/"]["outcome"] == "refused"
    # A name that resolves to this machine, which the recipe does not name as private.
    inside = by[site.url("inside.test", "/")]
    assert (inside["outcome"], inside["reason"]) == ("refused", "loopback address")
    assert by[site.url("inside.test", "/robots.txt")]["outcome"] == "refused"
    to = [row for row in rows(root) if "/to/" in row["url"] and row["url"].rpartition("/")[2].isdigit()]
    assert len(to) > 20 and {row["outcome"] for row in to} == {"refused"}
    assert of(odd, "/to/user")["location"] == f"http://odd.test:{site.port}/secret"


def test_redirects_end(odd: tuple[Web, Path]) -> None:
    assert of(odd, "/chain/10")["reason"] == "too many redirects"
    assert of(odd, "/loop/self")["outcome"] == of(odd, "/loop/b")["outcome"] == "redirect"
    assert of(odd, "/to/elsewhere")["reason"] == "out of scope"
    assert of(odd, "/to/nowhere")["reason"] == "http 302"


@pytest.mark.parametrize(
    ("path", "outcome", "reason"),
    [
        ("/huge", "failed", "too large"),
        ("/gzip/bomb", "failed", "too large"),
        ("/gzip/twice", "failed", "too large"),
        ("/gzip/broken", "failed", "content coding"),
        ("/gzip/good", "new", None),
        ("/length/two", "failed", "protocol"),
        ("/length/negative", "failed", "protocol"),
        ("/not-http", "failed", "connection"),
        ("/fields/long", "new", None),
        ("/status/404", "missing", "http 404"),
        ("/status/410", "missing", "http 410"),
        ("/status/403", "failed", "http 403"),
        ("/status/500", "failed", "http 500"),
        ("/status/304", "failed", "http 304"),
        ("/status/300", "new", None),
        ("/heals/429", "new", None),
        ("/label/none", "failed", "harvester error"),
    ],
)
def test_outcomes(odd: tuple[Web, Path], path: str, outcome: str, reason: str | None) -> None:
    row = of(odd, path)
    assert (row["outcome"], row["reason"]) == (outcome, reason)


@pytest.mark.parametrize("path", ["/length/short", "/chunked/cut"])
def test_what_ends_early_is_asked_for_again_and_kept_as_truncated(odd: tuple[Web, Path], path: str) -> None:
    row = of(odd, path)
    assert (row["outcome"], row["truncated"], row["attempts"]) == ("new", "disconnect", 4)


def test_a_name_that_does_not_resolve(odd: tuple[Web, Path]) -> None:
    assert of(odd, "/", "nosuch.test")["reason"] == "dns"
    assert of(odd, "/robots.txt", "nosuch.test")["attempts"] == 4


def test_the_archive_reads_without_complaint_and_answers_for_the_rows(odd: tuple[Web, Path]) -> None:
    _, root = odd
    kept = Counter(url for kind, url in records(root) if kind == "response")
    assert kept == Counter(row["url"] for row in rows(root) if row["record"] == "response")
    assert all(row["host"] and row["key"] and row["fetched"] for row in rows(root))


def test_heads_are_kept_as_they_came_but_for_cookies(odd: tuple[Web, Path]) -> None:
    _, root = odd
    data = b"".join(
        record.http_headers.to_bytes() if record.http_headers else b""
        for path in (root / "archive").glob("*/*.warc.gz")
        for record in ArchiveIterator(io.BytesIO(path.read_bytes()))
    )
    assert b"X-Field-399" in data and b"florilege/" in data
    folded = data[data.index(b"X-Folded") :].partition(b"\r\n")[0]
    assert folded == b"X-Folded: a Set-Cookie: secret=1"  # one value, as obsolete folding has it; no cookie
    assert not [line for line in data.split(b"\r\n") if line.lower().startswith((b"set-cookie", b"cookie"))]


def test_politeness_and_a_second_harvest_that_asks_what_has_changed(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    site = Site(5, {"b.test": "User-agent: *\nCrawl-delay: 0.35\n", "c.test": "User-agent: *\nCrawl-delay: 90\n"})
    with running(site) as at:
        seeds = [f"http://{host}.test:{at.port}/" for host in "abc"]
        fetch = {**local("a.test", "b.test", "c.test"), "interval_s": 0.2, "slow_down": True}
        first = harvest(root, {"seeds": seeds}, fetch)
        seen = len(site.log)
        second = harvest(root, {"seeds": seeds}, {**fetch, "interval_s": 0})
    moments: defaultdict[str, list[float]] = defaultdict(list)
    for moment, host, _, _ in site.log[:seen]:
        moments[host].append(moment)
    for host, rule in (("a.test", 0.2), ("b.test", 0.35)):
        gaps = [after - before for before, after in pairwise(moments[host])]
        assert len(gaps) == 6 and min(gaps) >= rule
    assert site.asked("c.test") == ["/robots.txt"] * 2
    assert first["outcomes"] == {"new": 14, "missing": 1, "robots": 1, "dropped": 0}
    assert second["outcomes"] == {"unchanged": 14, "missing": 1, "robots": 1, "dropped": 0}
    again = site.log[seen:]
    assert all(headers.get("if-none-match") == f'"{path}"' for _, _, path, headers in again if path != "/robots.txt")
    profiles = Counter(row["record"] for row in rows(root, second["harvest"]))
    assert profiles == {"revisit": 14, "response": 1, None: 1}
    corpus = Corpus(root)
    last = fetches.last_harvest(corpus, "web")
    assert last is not None and last["harvest"] == second["harvest"] and last["state"] == {"former": first["harvest"]}
    assert [path.name for path in (root / "work" / "harvest" / "web").iterdir()] == ["lock"]


def test_a_killed_harvest_goes_on(tmp_path: Path) -> None:
    """Nothing is lost, and nothing fetched twice but what was under way."""
    root, chance = tmp_path / "corpus", random.Random()
    site = Site(150, wait=0.01)
    with running(site) as at:
        job = ({"seeds": [f"http://a.test:{at.port}/"]}, {**local("a.test"), "per_host": 3, "segment_mb": 0.02})
        kills = 0
        while kills < 3:
            child = start(root, *job)
            before = len(site.log)
            until = time.monotonic() + 20
            while len(site.log) < before + 5 and child.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.15)
            if child.poll() is not None:
                break
            child.kill()
            child.communicate()
            kills += 1
        end = lines(start(root, *job))[-1]
    asked = Counter(site.asked())
    pages = {"/", *(f"/{number}" for number in range(150))}
    assert kills and asked.keys() == pages | {"/robots.txt"}
    assert sum(asked[page] - 1 for page in pages) <= 3 * kills
    kept = Counter(row["url"] for row in rows(root) if row["kind"] != "robots")
    assert len(kept) == len(pages) and set(kept.values()) == {1}
    responses = Counter(url for kind, url in records(root) if kind == "response")
    assert all(responses[url] == 1 for url in kept)
    assert end["status"] == "complete" and end["outcomes"]["new"] == len(pages)
    assert len(list((root / "archive" / "web").iterdir())) > 1


def test_a_signal_pauses_and_another_process_cannot_work_beside_it(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    site = Site(40, wait=0.05)
    with running(site) as at:
        job = ({"seeds": [f"http://a.test:{at.port}/"]}, local("a.test"))
        child = start(root, *job)
        while len(site.log) < 5:
            time.sleep(0.01)
        beside = start(root, *job)
        _, said = beside.communicate(timeout=30)
        assert beside.returncode == 2 and "another process" in said and "Traceback" not in said
        child.send_signal(signal.SIGTERM)
        paused = lines(child)[-1]
        assert paused["status"] == "paused" and paused["waiting"] > 0
        assert len(rows(root)) >= 5  # a build may have what there is
        end = lines(start(root, *job))[-1]
    assert end["status"] == "complete" and end["harvest"] == paused["harvest"]
    assert set(Counter(path for path in site.asked() if path != "/robots.txt").values()) == {1}


def test_limits(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    site = Site(60)
    with running(site) as at:
        seeds = [f"http://{host}.test:{at.port}/" for host in "abc"]
        fetch = {**local("a.test", "b.test", "c.test"), "per_host": 4}
        ends = [harvest(root, {"seeds": seeds}, {**fetch, **most})
                for most in ({"max_requests_per_host": 9}, {"max_requests": 26})]  # fmt: skip
    asked = [(host, path) for _, host, path, _ in site.log if path != "/robots.txt"]
    assert [end["requests"] for end in ends] == [27, 26] and len(asked) == 53
    assert set(Counter(host for host, _ in asked[:27]).values()) == {9}
    manifests = [read_json(root / "manifests" / "harvests" / f"{end['harvest']}.json") for end in ends]
    assert [found["status"] for found in manifests] == ["complete"] * 2
    assert [list(found["dropped"]) for found in manifests] == [["max_requests_per_host"], ["max_requests"]]


def test_a_harvest_of_several_nights(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    site = Site(30, wait=0.05)
    with running(site) as at:
        job = {"seeds": [f"http://a.test:{at.port}/"]}
        paused = harvest(root, job, {**local("a.test"), "hours": 0.6 / 3_600})
        manifest = read_json(root / "manifests" / "harvests" / f"{paused['harvest']}.json")
        assert paused["status"] == manifest["status"] == "paused" and paused["waiting"] > 0
        assert len(rows(root)) == sum(paused["outcomes"].values())
        seen = len(site.log)
        end = harvest(root, job, {**local("a.test"), "per_host": 3, "interval_s": 0.08})
    moments = [moment for moment, *_ in site.log[seen:]]
    # Several at a time are sent that far apart; they arrive so within what this machine takes for one.
    assert min(after - before for before, after in pairwise(moments)) > 0.05
    assert end["status"] == "complete" and end["harvest"] == paused["harvest"]
    assert read_json(root / "manifests" / "harvests" / f"{end['harvest']}.json")["status"] == "complete"
    assert set(Counter(row["url"] for row in rows(root) if row["kind"] == "page").values()) == {1}
    assert len([row for row in rows(root) if row["kind"] == "page"]) == 31


def test_certificates_that_nobody_vouches_for_and_hosts_that_are_gone(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=a.test",
         "-addext", "subjectAltName=DNS:a.test", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = listener.getsockname()[1]
    site = Site(3)
    with running(site, tls=(str(certificate), str(key))) as at:
        seeds = [f"https://a.test:{at.port}/", *(f"http://b.test:{gone}/{page}" for page in range(40))]
        fetch = {**local("a.test", "b.test"), "retries": 1}
        end = harvest(tmp_path / "corpus", {"seeds": seeds, "robots": False}, fetch)
    assert not site.log
    by = Counter((row["host"], row["reason"]) for row in rows(tmp_path / "corpus"))
    assert by[("a.test", "tls")] == 1
    assert by[("b.test", "connection")] + by[("b.test", "host gives no answer")] == 40
    assert by[("b.test", "host gives no answer")] > 20 and end["outcomes"]["dropped"] == 0
    again = [json.loads(row["task"]) for row in rows(tmp_path / "corpus") if row["task"]]
    assert {task["url"] for task in again} == set(seeds[1:]), "a certificate does not mend itself"
