"""Harvests of a repository in child processes: archive, rows, and what a build reads of them."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import children
from servers.oai import Repository
from servers.running import Running, running

from catalog import fetches
from catalog.files import Corpus
from extractors import dispatch, warc
from extractors.record import Extract, Record
from harvesters.erudit import Harvester, Settings
from harvesters.harvester import Last, Task


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Repository, Running, list[str]]]:
    """A corpus with a harvest of a repository's first state and one of its second, and what the first one asked."""
    root, repository = tmp_path_factory.mktemp("erudit") / "corpus", Repository(busy=1, expiring=1)
    with running(repository) as place:
        assert harvest(root, place)["status"] == "complete"
        asked = [target for target, _ in repository.log]
        repository.change()
        repository.log.clear()
        assert harvest(root, place)["status"] == "complete"
        yield root, repository, place, asked


LOCAL = {"private": ["127.0.0.1"], "slow_down": False, "backoff_s": 0.05}


def start(root: Path, place: Running, interval_s: float = 0, **settings: Any) -> subprocess.Popen[str]:
    settings = {"endpoint": f"{place.url}/oai/request", "hosts": ["127.0.0.1"], **settings}
    return children.start(root, settings, {**LOCAL, "interval_s": interval_s}, harvester="erudit", name="erudit")


def harvest(root: Path, place: Running, **settings: Any) -> dict[str, Any]:
    """Runs a harvest to its end; its last line."""
    return children.lines(start(root, place, **settings))[-1]


def documents(root: Path, harvest: int) -> list[tuple[Record, Extract]]:
    """Documents that a build reads in the archive of the first or the second harvest."""
    names = sorted(path.name for path in (root / "archive" / "erudit").glob("*.warc.gz"))
    path = root / "archive" / "erudit" / names[harvest]
    records = list(warc.read(lambda: path.open("rb"), source="s", path=path.name))
    assert not [record.error for record in records if record.error]
    return [(record, dispatch.extract(record)) for record in records if record.skip is None]


def of_harvest(root: Path, number: int) -> list[dict[str, Any]]:
    names = sorted({row["harvest"] for row in children.rows(root)})
    return children.rows(root, names[number])


Harvested = tuple[Path, Repository, Running, list[str]]


def test_what_is_asked_for(harvested: Harvested) -> None:
    _, repository, _, asked = harvested
    sites = [target for target in asked if "/oai/" not in target]
    assert len(sites) == len(set(sites))
    assert sites.count("/robots.txt") == 1
    assert not [target for target in sites if "1099006ar" in target and "/iderudit/" not in target]
    for number in ("1099003ar", "1099004ar", "1099005ar", "1099008ar"):
        assert not [target for target in sites if number in target]
    assert "from=2026-02-28T12%3A00%3A00Z" in repository.asked("ListRecords")[0]


def test_every_article_has_a_row_with_its_rights(harvested: Harvested) -> None:
    rows = of_harvest(harvested[0], 0)
    counted = Counter((row["kind"], row["outcome"], row["reason"]) for row in rows)
    assert {key: number for key, number in counted.items() if key[1] in ("missing", "refused", "failed", "robots")} == {
        ("article", "refused", "all rights reserved"): 1,
        ("article", "refused", "no licence"): 1,
        ("article", "refused", "embargo"): 1,
        ("record", "missing", "deleted record"): 1,
        ("record", "failed", "broken record"): 1,
        ("list", "failed", "resumption token expired"): 1,
        ("pdf", "robots", "robots.txt"): 1,
        ("article", "robots", "robots.txt"): 1,
    }
    kept = {json.loads(row["labels"])["erudit_id"]: row for row in rows if row["record"] == "resource"}
    assert len(kept) == 7
    assert json.loads(kept["1099003ar"]["labels"])["rights"] == "Tous droits réservés © Rivages, 2025"
    reserved = [row for row in rows if row["reason"] == "all rights reserved"]
    assert json.loads(reserved[0]["labels"])["rights"] == "Tous droits réservés © Rivages, 2025"


def test_what_a_build_reads(harvested: Harvested) -> None:
    found = documents(harvested[0], 0)
    by_article: dict[str, list[tuple[Record, Extract]]] = {}
    for record, extract in found:
        assert extract.error is None
        number = (extract.meta | record.meta).get("erudit_id")
        assert number and (extract.meta | record.meta)["doi"] == f"10.7202/{number}"
        by_article.setdefault(number, []).append((record, extract))
    formats = {
        number: sorted(f"{record.kind} {record.format}" for record, _ in each) for number, each in by_article.items()
    }
    whole = ["resource xml", "response pdf", "response xml"]
    assert formats == {
        "1099001ar": whole, "1099002ar": whole, "1099003ar": whole[:1], "1099004ar": whole[:1], "1099005ar": whole[:1],
        "1099006ar": whole[:1], "1099009ar": ["resource xml", "response pdf", "response pdf", "response xml"],
    }  # fmt: skip
    for each in by_article.values():
        metadata = next(extract for record, extract in each if record.kind == "resource")
        assert (
            set(metadata.meta["titles"])
            == set(metadata.meta["abstracts"])
            == set(metadata.meta["keywords"])
            == {"fr", "en"}
        )
    texts = {
        record.url.rpartition(".")[0][-2:]: extract.text
        for record, extract in by_article["1099009ar"]
        if record.format == "pdf" and record.url
    }
    assert "étude suit" in texts["fr"] and "This study" in texts["en"]


def test_the_next_harvest_adds_what_changed(harvested: Harvested) -> None:
    root = harvested[0]
    numbers = {(extract.meta | record.meta)["erudit_id"] for record, extract in documents(root, 1)}
    assert numbers == {"1099001ar", "1099010ar"}
    rows = of_harvest(root, 1)
    gone = [row for row in rows if row["reason"] == "deleted record"]
    assert [(row["outcome"], "1099002ar" in row["url"]) for row in gone] == [("missing", True)]
    changed = {row["kind"]: row["outcome"] for row in rows if "1099001ar" in row["url"]}
    assert changed["record"] == changed["pdf"] == changed["xml"] == "changed"


def test_an_old_list_once_more_adds_nothing(harvested: Harvested) -> None:
    root, _, place, _ = harvested
    before = len(list((root / "archive" / "erudit").glob("*.warc.gz")))
    assert harvest(root, place, since="earliest", content=[])["status"] == "complete"
    assert documents(root, before) == []
    kept = Counter(row["outcome"] for row in of_harvest(root, 2) if row["kind"] == "record")
    assert kept["unchanged"] == 7


def test_a_file_that_failed_is_asked_for_again_though_its_record_did_not_change(tmp_path: Path) -> None:
    root, repository = tmp_path / "corpus", Repository()
    whole, broken = repository._answer, [".pdf"]

    def answer(base: str, path: str, query: str, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return (503, {}, b"busy") if path.endswith(tuple(broken)) else whole(base, path, query, fields)

    repository._answer = answer  # type: ignore[method-assign]
    with running(repository) as place:
        harvest(root, place)
        repository.now += timedelta(days=30)
        broken.clear()
        harvest(root, place)
        endpoint = f"{place.url}/oai/request"
    missing = {row["url"] for row in of_harvest(root, 0) if row["outcome"] == "failed" and row["kind"] == "pdf"}
    assert len(missing) > 2
    assert {row["url"] for row in of_harvest(root, 1) if row["kind"] == "pdf" and row["outcome"] == "new"} == missing
    manifest = fetches.last_harvest(Corpus(root), "erudit")
    assert manifest is not None
    last = Last("x", datetime.now(UTC), manifest["state"], [Task(f"{place.url}/1.pdf", "pdf")])
    for rules, kinds in (({}, ["identify", "pdf"]), ({"licences": ["example.org/free"]}, ["identify"])):
        asked = Harvester(Settings(endpoint=endpoint, hosts=("127.0.0.1",), **rules)).start(last)
        assert [task.kind for task in asked] == kinds, "with other rules it may not be permitted"


def test_a_killed_harvest_goes_on(tmp_path: Path) -> None:
    root, repository = tmp_path / "corpus", Repository()
    with running(repository) as place:
        for enough in (4, 12):
            child = start(root, place, interval_s=0.05)
            while len(repository.log) < enough and child.poll() is None:
                time.sleep(0.01)
            child.kill()
            child.communicate()
        assert harvest(root, place)["status"] == "complete"
        again = Counter(target for target, _ in repository.log)
        # At most what was under way at each of two deaths, and robots.txt for each process.
        assert sum(count - 1 for target, count in again.items() if target != "/robots.txt") <= 2
        numbers = Counter((extract.meta | record.meta)["erudit_id"] for record, extract in documents(root, 0))
        assert numbers == {
            "1099001ar": 3, "1099002ar": 3, "1099003ar": 1, "1099004ar": 1, "1099005ar": 1, "1099006ar": 1,
            "1099009ar": 4,
        }  # fmt: skip
        repository.log.clear()
        harvest(root, place)
        assert "from=2026-02-28" in repository.asked("ListRecords")[0]
