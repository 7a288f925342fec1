"""Harvests from the command line, with Prefect, the child process, a real server, and a build of what they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from commands import florilege
from servers.web import Web, web
from stages import ask, unaccounted

from catalog import store
from catalog.files import Corpus


def table(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()) + "}"


def crawl_recipe(folder: Path, site: Web) -> Path:
    path = folder / "crawl.toml"
    path.write_text(
        f"""name = "web"
output = "corpus"
contact = "crawler@example.org"
[crawl]
seeds = {json.dumps(site.seeds)}
sitemaps_of_robots = true
[fetch]
interval_s = 0
per_host = 8
slow_down = false
timeout_s = 5
backoff_s = 0.2
private = ["127.0.0.0/8"]
addresses = {table(site.addresses)}
""",
        encoding="utf-8",
    )
    return path


def build_recipe(folder: Path, archive: str) -> Path:
    path = folder / "build.toml"
    path.write_text(
        f"""name = "built"
output = "corpus"
[[sources]]
name = "{archive}"
kind = "warc"
path = "corpus/archive/{archive}"
[dedup]
by = ["url", "text", "near"]
""",
        encoding="utf-8",
    )
    return path


def rows(corpus: Path, sql: str) -> list[tuple[Any, ...]]:
    with store.reading(Corpus(corpus)) as connection:
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found


def test_a_web_is_crawled_built_and_crawled_again(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    with web() as site:
        recipe = crawl_recipe(tmp_path, site)
        said = florilege("crawl", recipe).stdout
        assert "news.test" in said and "new" in said
        assert site.problems() == []
        asked = len(site.log)
        outcomes = dict(rows(corpus, "SELECT outcome, count(*) FROM fetches GROUP BY ALL"))
        assert outcomes["new"] >= len(site.allowed)
        assert outcomes["robots"] >= 1

        built = build_recipe(tmp_path, "web")
        florilege("build", built)
        first = Counter(row["url"] for row in ask(corpus, "SELECT url FROM documents"))
        assert unaccounted(corpus) == []
        kept = ask(corpus, "SELECT count(*) AS n FROM corpus")[0]["n"]
        assert kept > 100

        site.epoch += 1
        said = florilege("crawl", recipe).stdout
        assert site.problems(since=asked) == []
        conditional = [hit for hit in site.log[asked:] if {"if-none-match", "if-modified-since"} & set(hit.headers)]
        assert sum(hit.status == 304 for hit in conditional) > 50
        newest = "harvest = (SELECT max(harvest) FROM fetches)"
        found = rows(corpus, f"SELECT outcome, url FROM fetches WHERE {newest}")
        assert {url for outcome, url in found if outcome == "changed"} & site.allowed == site.changed
        assert {url for outcome, url in found if outcome == "new"} >= site.added

        florilege("build", built)
        second = Counter(row["url"] for row in ask(corpus, "SELECT url FROM documents"))
        assert set((second - first).elements()) & site.allowed == site.changed | site.added
        assert unaccounted(corpus) == []
    again = "SELECT d.url FROM documents d JOIN verdicts v USING (id) WHERE v.keep GROUP BY ALL HAVING count(*) > 1"
    assert ask(corpus, again) == []


def test_fetches_can_be_asked_before_anything_is_built(tmp_path: Path) -> None:
    with web(("blog.test",)) as site:
        florilege("crawl", crawl_recipe(tmp_path, site))
    query = "SELECT count(*) AS n FROM fetches WHERE record = 'response'"
    said = florilege("sql", query, "-c", tmp_path / "corpus", "-f", "csv").stdout
    assert int(said.split()[-1]) > 10
    florilege("catalog", "verify", tmp_path / "corpus")


def test_ctrl_c_ends_a_crawl_soon_and_says_so(tmp_path: Path) -> None:
    with web(("news.test",)) as site:
        recipe = crawl_recipe(tmp_path, site)
        recipe.write_text(recipe.read_text().replace("interval_s = 0", "interval_s = 1"))
        command = [sys.executable, "-m", "florilege", "crawl", str(recipe)]
        child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        until = time.monotonic() + 120
        while len(site.log) < 3 and time.monotonic() < until:
            time.sleep(0.1)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the whole group
        _, said = child.communicate(timeout=40)
        assert child.returncode == 130
        assert "goes on from here" in said and "Traceback" not in said
        assert "it is gone on with" in florilege("check", recipe).stdout


def test_the_contact_of_a_starter_is_refused(tmp_path: Path) -> None:
    florilege("init", tmp_path / "crawl.toml", "--for", "crawl")
    done = florilege("crawl", tmp_path / "crawl.toml", check=False)
    assert done.returncode == 2 and "you@example.org" in done.stderr


def test_what_is_wrong_is_said_before_anything_starts(tmp_path: Path) -> None:
    recipe = tmp_path / "crawl.toml"
    recipe.write_text('name = "web"\ncontact = "me@example.org"\n[crawl]\nseeds = ["file:///etc/passwd"]\n')
    done = florilege("crawl", recipe, check=False)
    assert done.returncode == 2
    assert "seeds" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "corpus").exists()


def test_checking_a_recipe_asks_nobody(tmp_path: Path) -> None:
    with web(("blog.test",)) as site:
        said = florilege("check", crawl_recipe(tmp_path, site)).stdout
        assert site.log == []
    assert "nothing was harvested yet" in said
    assert not (tmp_path / "corpus").exists()


def test_a_harvest_to_which_nobody_answers_has_failed(tmp_path: Path) -> None:
    recipe = tmp_path / "crawl.toml"
    recipe.write_text(
        'name = "web"\ncontact = "me@example.org"\n[crawl]\nseeds = ["http://nowhere.test:8099/"]\n'
        '[fetch]\ninterval_s = 0\nretries = 0\nprivate = ["127.0.0.1"]\naddresses = {"nowhere.test" = "127.0.0.1"}\n'
    )
    done = florilege("crawl", recipe, check=False)
    assert done.returncode == 1
    assert "no request had an answer" in done.stdout and "Traceback" not in done.stderr
