"""The EUR-Lex harvester against a CELLAR on 127.0.0.1: which requests it makes, and what it makes of the answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pyarrow.dataset
import pytest
from pydantic import ValidationError
from servers.cellar import ISO, Cellar
from servers.running import running

from catalog.errors import ConfigError
from extractors import warc
from harvesters.eurlex import Harvester, Settings
from harvesters.harvester import LABELS, Answer, Last, Outcome, Task

BIG, SMALL, OLD, TREATY, PRINTED = "32019R9901", "32020L9902", "31987D9903", "12001Z/TXT", "52021PC9905"


@dataclass
class Done:
    """A task that was answered."""

    task: Task
    answer: Answer
    outcome: Outcome


@dataclass
class Place:
    """The server and where it is."""

    cellar: Cellar
    url: str

    def settings(self, **table: Any) -> Settings:
        addresses = {"endpoint": f"{self.url}/webapi/rdf/sparql", "resource": f"{self.url}/resource"}
        return Settings.model_validate({**addresses, **table})

    def harvest(self, last: Last | None = None, kept: dict[str, Any] | None = None, **table: Any) -> list[Done]:
        """All answers of a harvest: redirects followed, 503 asked again, what `kept` has asked for conditionally."""
        harvester, done, known = Harvester(self.settings(**table)), [], set()
        queue = deque(harvester.start(last))
        with httpx.Client() as client:
            while queue:
                task = queue.popleft()
                if task.key in known:
                    continue
                known.add(task.key)
                answer, hop = _fetch(client, task, kept)
                if hop is not None:
                    assert harvester.admits(hop.url, hop) is None
                    queue.appendleft(hop)
                    continue
                # What is stored is JSON, and a process that goes on with a harvest has but that.
                answer.task = replace(task, note=json.loads(json.dumps(dict(task.note))))
                outcome = harvester.answer(answer)
                if outcome.retry_s is not None:
                    assert len(known) < 1_000
                    known.discard(task.key)
                    queue.append(task)
                queue.extend(outcome.next)
                done.append(Done(task, answer, outcome))
        return done


def _fetch(client: httpx.Client, task: Task, kept: dict[str, Any] | None) -> tuple[Answer, Task | None]:
    assert not task.robots and task.kind in ("selection", "inventory", "act", "document")
    headers = dict(task.headers)
    former = (kept or {}).get(task.key)
    if former:
        headers["If-None-Match"] = former[0]
    response = client.get(task.url, headers=headers)
    while response.status_code == 503:
        response = client.get(task.url, headers=headers)
    fields = {name.lower(): value for name, value in response.headers.items()}
    answer = Answer(task, task.url, response.status_code, fields, response.content, datetime.now(UTC))
    if response.status_code in (301, 302, 303, 307, 308):
        hop = replace(task, url=urljoin(task.url, fields["location"]), redirects=task.redirects + 1, via=task.url)
        return answer, hop
    if response.status_code == 304:
        answer = replace(answer, status=200, headers=former[2], body=former[1], unchanged=True)
    elif response.status_code == 200 and kept is not None and "etag" in fields:
        kept[task.key] = (fields["etag"], response.content, fields)
    return answer, None


@pytest.fixture
def place() -> Iterator[Place]:
    cellar = Cellar()
    with running(cellar) as server:
        yield Place(cellar, server.url)


def documents(done: list[Done]) -> list[dict[str, str]]:
    """Labels of what was fetched."""
    return [
        dict(each.outcome.labels)
        for each in done
        if each.task.kind == "document" and each.outcome.outcome is None and each.answer.status == 200
    ]


def counted(done: list[Done]) -> Counter[tuple[str | None, str | None]]:
    return Counter((each.outcome.outcome, each.outcome.reason) for each in done if each.outcome.outcome)


def test_an_act_is_fetched_in_all_its_languages_and_nothing_is_asked_for_in_vain(place: Place) -> None:
    done = place.harvest(celex=[BIG, SMALL])
    found = documents(done)
    assert Counter(label["celex"] for label in found) == {BIG: 24, SMALL: 3}
    assert {label["language"] for label in found if label["celex"] == BIG} == set(ISO)
    by_language = {label["language"]: label["format"] for label in found if label["celex"] == SMALL}
    assert by_language == {"en": "xhtml", "fr": "xhtml", "de": "formex"}
    assert all(
        set(label) <= set(LABELS) and label["work"].startswith("http://publications.europa.eu/") for label in found
    )
    # One query for both acts; each version is one question and one file.
    assert Counter(asked.status for asked in place.cellar.log) == {200: 1 + 27, 303: 27}
    assert not counted(done)


def test_labels_stay_with_the_text_that_they_are_about(place: Place) -> None:
    for each in place.harvest(celex=[BIG], languages=["el", "sv", "fr"]):
        if each.task.kind == "document":
            said = {"el": "κλειδιά", "sv": "tornväktare", "fr": "gardien"}[each.outcome.labels["language"]]
            assert said in each.answer.body.decode()
            assert each.task.redirects == 1


def test_all_formats_are_fetched_if_wanted_and_lists_of_files_are_followed(place: Place) -> None:
    done = place.harvest(celex=[BIG], languages=["en", "mt"], all_formats=True)
    found = sorted((label["language"], label["format"]) for label in documents(done))
    assert found == [("en", "formex"), ("en", "pdf"), ("en", "xhtml"), ("mt", "formex"), ("mt", "xhtml")]
    lists = [each for each in done if each.answer.status == 300]
    assert len(lists) == 2 and all(len(each.outcome.next) == 1 for each in lists), (
        "the notice beside an act is left out"
    )
    acts = [
        each.answer.body for each in done if each.outcome.labels.get("format") == "formex" and each.answer.status == 200
    ]
    assert all(b"<ACT>" in body for body in acts)


def test_formats_in_the_order_of_preference(place: Place) -> None:
    found = documents(place.harvest(celex=[BIG, SMALL], languages=["de"], formats=["pdf", "formex"]))
    assert {(label["celex"], label["format"]) for label in found} == {(BIG, "pdf"), (SMALL, "formex")}


def test_an_act_that_is_not_there_is_seen(place: Place) -> None:
    done = place.harvest(celex=["32018R9999", PRINTED, SMALL], languages=["sv", "en"])
    reasons = {each.outcome.labels["celex"]: each.outcome.reason for each in done if each.outcome.outcome == "missing"}
    assert reasons == {"32018R9999": "act not there", PRINTED: "no version in these languages and formats"}
    assert all(each.outcome.store == "nothing" for each in done if each.task.kind == "act")
    assert [label["language"] for label in documents(done)] == ["en"]


def test_without_an_inventory_missing_languages_and_formats_are_counted(place: Place) -> None:
    done = place.harvest(celex=[SMALL], access="negotiation", languages=["en", "fr", "de", "sv", "el"])
    assert sorted(label["language"] for label in documents(done)) == ["de", "en", "fr"]
    # German has no XHTML; Swedish and Greek have none of the three formats.
    assert counted(done) == {("missing", "format not there"): 1 + 4, ("missing", "language not there"): 2}
    assert not any("sparql" in asked.path for asked in place.cellar.log)


def test_files_are_asked_for_by_their_own_addresses(place: Place) -> None:
    done = place.harvest(celex=[BIG, SMALL], access="items")
    assert len(documents(done)) == 27
    assert Counter(asked.status for asked in place.cellar.log) == {200: 28}


def test_files_that_negotiation_does_not_find_are_fetched_by_the_inventory(place: Place) -> None:
    done = place.harvest(celex=[OLD])
    assert [(label["celex"], label["format"]) for label in documents(done)] == [(OLD, "pdf")]
    assert counted(done) == {("missing", "format not there"): 1}
    place.cellar.works[OLD].versions["fr"]["pdfa1a"].clear()
    assert counted(place.harvest(celex=[OLD]))["missing", "no version in these languages and formats"] == 1


def test_a_treaty_has_a_slash_in_its_number(place: Place) -> None:
    assert [label["celex"] for label in documents(place.harvest(celex=[TREATY.lower()]))] == [TREATY]
    assert any(asked.path == "/resource/celex/12001Z%2FTXT" for asked in place.cellar.log)


def test_corrigenda_and_consolidated_versions_come_with_their_act(place: Place) -> None:
    alone = documents(place.harvest(celex=[BIG], languages=["en"]))
    assert [label["celex"] for label in alone] == [BIG]
    for table in ({"celex": [BIG]}, {"types": ["REG"], "sectors": ["3"]}):
        found = documents(place.harvest(**table, languages=["en"], corrigenda=True, consolidated=True))
        assert sorted(label["celex"] for label in found) == ["02019R9901-20200701", BIG, f"{BIG}R(01)"]
        assert {label["celex"]: label.get("corrects") for label in found}[f"{BIG}R(01)"] == BIG
    asked_for = documents(place.harvest(celex=[f"{BIG}R(01)"], languages=["en"]))
    assert [(label["celex"], label["corrects"]) for label in asked_for] == [(f"{BIG}R(01)", BIG)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"sectors": ["3"]}, {BIG, SMALL, OLD}),
        ({"sectors": ["1", "5"]}, {TREATY, PRINTED}),
        ({"types": ["DIR", "DEC"]}, {SMALL, OLD}),
        ({"directory_codes": ["15.10"]}, {BIG, OLD}),
        ({"directory_codes": ["15.10.20.50", "07"]}, {BIG, SMALL}),
        ({"eurovoc": ["5482"]}, {BIG}),
        ({"from": "2019-03-04", "to": "2020-06-08", "sectors": ["3"]}, {BIG}),
        ({"sectors": ["3"], "in_force": False}, {OLD}),
        ({"sectors": ["3"], "in_force": True, "limit": 1}, {BIG}),
        ({"celex": [BIG, SMALL, OLD], "types": ["DIR"]}, {SMALL}),
        ({"celex": [BIG, SMALL], "limit": 1}, {BIG}),
        ({"updated_since": "2026-01-06", "sectors": ["3"]}, set()),
    ],
)
def test_queries_select_acts(place: Place, table: dict[str, Any], expected: set[str]) -> None:
    done = place.harvest(**table, languages=["en", "fr"])
    asked = {number for each in done if each.task.kind == "inventory" for number in each.task.note["numbers"]}
    assert asked == expected


def test_selections_go_on_page_by_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvesters.eurlex.PAGE", 2)
    done = place.harvest(sectors=["0", "1", "3", "5"], languages=["en"], formats=["xhtml"])
    pages = [each for each in done if each.task.kind == "selection"]
    assert len(pages) == 4 and pages[0].task.note["after"] is None
    assert {label["celex"] for label in documents(done)} == {"02019R9901-20200701", TREATY, BIG, SMALL}
    limited = place.harvest(sectors=["0", "1", "3", "5"], languages=["en"], limit=3)
    listed = [number for each in limited if each.task.kind == "inventory" for number in each.task.note["numbers"]]
    assert listed == ["02019R9901-20200701", TREATY, OLD]


def test_answers_that_virtuoso_cuts_are_asked_for_in_parts(place: Place) -> None:
    place.cellar.max_rows = 60
    found = documents(place.harvest(celex=[BIG, SMALL, OLD, TREATY], formats=["xhtml"], languages=["en", "fr"]))
    # The big act alone has more rows than that: it is taken as far as it goes.
    assert {SMALL, TREATY} <= {label["celex"] for label in found}
    place.cellar.max_rows = 1
    done = place.harvest(sectors=["3"], languages=["fr"])
    assert {label for each in done if each.task.kind == "inventory" for label in each.task.note["numbers"]} >= {
        BIG,
        SMALL,
    }


def test_partial_answers_are_asked_for_again(place: Place) -> None:
    place.cellar.partial = 2
    done = place.harvest(sectors=["3"], languages=["en"])
    again = [each for each in done if each.outcome.retry_s]
    assert len(again) == 2 and all(each.outcome.store == "nothing" and not each.outcome.next for each in again)
    assert {label["celex"] for label in documents(done)} == {BIG, SMALL}


def test_challenge_pages_and_pages_without_document_are_no_documents(place: Place) -> None:
    place.cellar.challenged, place.cellar.nowhere = {BIG}, {SMALL}
    done = place.harvest(celex=[BIG, SMALL], languages=["en"])
    assert counted(done) == {("refused", "challenge page"): 1, ("missing", "act not there"): 1}
    assert not documents(done) and all(each.outcome.store == "nothing" for each in done if each.outcome.outcome)


def test_the_next_harvest_asks_only_for_what_changed(place: Place) -> None:
    kept: dict[str, Any] = {}
    table = {"sectors": ["3"], "languages": ["en", "fr"], "updated_since": "last"}
    first = place.harvest(kept=kept, **table)
    assert len(documents(first)) == 5
    last = Last("x", datetime(2026, 1, 20, tzinfo=UTC), Harvester(place.settings(**table)).state())
    place.cellar.log.clear()
    assert not documents(place.harvest(last, kept, **table))
    assert len(place.cellar.log) == 1, "one query says that nothing is new"
    place.cellar.amend(BIG, "fr")
    changed = place.harvest(last, kept, **table)
    files = [each for each in changed if each.task.kind == "document"]
    assert {(each.outcome.labels["language"], each.answer.unchanged) for each in files} == {("en", True), ("fr", False)}
    assert all(each.outcome.labels["celex"] == BIG for each in files)


def test_a_harvest_that_asks_for_something_else_starts_from_the_beginning(place: Place) -> None:
    table = {"sectors": ["3"], "languages": ["en"], "updated_since": "last"}
    last = Last("x", datetime(2026, 1, 20, tzinfo=UTC), Harvester(place.settings(**table)).state())
    assert not documents(place.harvest(last, **table))
    assert documents(place.harvest(last, **{**table, "languages": ["en", "fr"]}))
    assert documents(place.harvest(None, **table))


def test_a_busy_server_is_only_late(place: Place) -> None:
    place.cellar.busy = 3
    assert len(documents(place.harvest(celex=[SMALL]))) == 3


def _answer(place: Place, kind: str, body: bytes, status: int = 200, mime: str = "text/html", **note: Any) -> Outcome:
    about = {"celex": BIG, "language": "en", "work": "w", "form": "xhtml", "type": "xhtml", "items": [], "rest": []}
    task = Task(f"{place.url}/x", kind, note={**about, "numbers": [BIG], "corrects": {}} | note)
    answer = Answer(task, task.url, status, {"content-type": mime}, body, datetime.now(UTC))
    return Harvester(place.settings(celex=[BIG])).answer(answer)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"results": {"bindings": [1]}}', b'{"results": {"bindings": [{"celex": {"value": 1}}]}}',
     b'{"results": {"bindings": {"a": 1}}}', b"[" * 100_000, b"\xff\xfe", b"<html>error</html>"],
)  # fmt: skip
def test_answers_that_are_no_results_are_asked_for_again(place: Place, body: bytes) -> None:
    for kind in ("inventory", "selection"):
        outcome = _answer(place, kind, body, mime="application/sparql-results+json")
        assert outcome.retry_s and outcome.store == "nothing" and not outcome.next


def test_pages_that_do_not_go_on_are_the_last(place: Place) -> None:
    note = {"relation": None, "modified": None, "left": None, "numbers": [], "rows": 2}
    cells = [{"celex": {"value": celex}, "work": {"value": "w"}} for celex in ("32019R0001", "32019R0002")]
    body = json.dumps({"results": {"bindings": cells}}).encode()
    for after, expected in ((None, 1), ("32019R0001", 1), ("32019R0002", 0), ("32020R0001", 0)):
        next = _answer(place, "selection", body, **note, after=after).next
        assert sum(task.kind == "selection" for task in next) == expected


def test_lists_of_files_lead_nowhere_but_to_cellar(place: Place) -> None:
    links = [
        "http://169.254.169.254/latest", "https://evil.example/resource/cellar/1", "file:///etc/passwd",
        "//evil.example/x",
        "http://publications.europa.eu/resource/../admin", "http://publications.europa.eu/resource/cellar/a\r\nX: y",
        "http://publications.europa.eu.evil.example/resource/cellar/1", "javascript:alert(1)", "/resource/cellar/2",
        "http://publications.europa.eu/resource/cellar/5f2552c2.0001.02/DOC_1", f"{place.url}/resource/cellar/x/DOC_2",
    ]  # fmt: skip
    body = "".join(f'<li title="item"><a href="{link}">x</a></li>' for link in links).encode()
    outcome = _answer(place, "document", b"<ul>" + body + b"</ul>", 300)
    assert {task.url.removeprefix(place.url) for task in outcome.next} == {
        "/resource/cellar/5f2552c2.0001.02/DOC_1", "/resource/cellar/x/DOC_2"
    }  # fmt: skip
    assert _answer(place, "document", b"<p>nothing</p>", 300).outcome == "missing"
    assert len(_answer(place, "document", b"<ul><li title=item><a href=" * 5_000, 300).next) == 0


def test_inventories_may_not_smuggle_anything(place: Place) -> None:
    uri = "http://publications.europa.eu/resource"
    row = {"celex": BIG, "work": f"{uri}/cellar/w", "type": "xhtml", "item": "http://10.0.0.1/x"}
    row["language"] = f"{uri}/authority/language/ENG"
    bad = [row, {**row, "celex": 'x" } DELETE'}, {**row, "language": "x/KLINGON"}, {**row, "type": "pdf;x"}]
    cells = [{name: {"value": value} for name, value in each.items()} for each in bad]
    outcome = _answer(place, "inventory", json.dumps({"results": {"bindings": cells}}).encode())
    assert [task.url for task in outcome.next] == [f"{place.url}/resource/celex/{BIG}"]
    lost = Harvester(place.settings(celex=[BIG])).answer(
        Answer(outcome.next[0], "u", 404, {"content-type": "text/plain"}, b"", datetime.now(UTC))
    )
    assert lost.outcome == "missing" and not lost.next


def test_another_format_than_the_one_asked_for_is_not_kept(place: Place) -> None:
    outcome = _answer(place, "document", b"PK\x03\x04", mime="application/zip", rest=[["pdf", "pdfa2a", []]])
    assert (outcome.outcome, outcome.reason, outcome.store) == ("missing", "format not there", "nothing")
    assert [task.headers["Accept"] for task in outcome.next] == ["application/pdf;type=pdfa2a"]


@pytest.mark.parametrize(
    ("status", "outcome", "next"), [(404, "missing", 1), (406, "missing", 1), (400, "failed", 1), (403, "failed", 0)]
)
def test_statuses_that_are_no_document(place: Place, status: int, outcome: str, next: int) -> None:
    found = _answer(place, "document", b"no", status, "text/plain", rest=[["pdf", "pdfa2a", []]])
    assert (found.outcome, len(found.next)) == (outcome, next)
    assert _answer(place, "act", b"no", status).outcome == outcome
    assert _answer(place, "document", b"").reason == "empty answer"
    assert _answer(place, "selection", b"no", status).reason == f"query refused, http {status}"


def test_redirects_stay_with_cellar() -> None:
    harvester = Harvester(Settings(celex=(BIG,)))
    task = next(harvester.start(None))
    assert harvester.admits("http://publications.europa.eu/resource/cellar/x/DOC_1", task) is None
    assert harvester.admits("https://eur-lex.europa.eu/legal-content/EN/TXT/", task)
    assert harvester.admits("http://publications.europa.eu:8080/x", task)
    assert harvester.admits("http://publications.europa.eu@evil.example/x", task)
    assert harvester.hosts() == ["publications.europa.eu"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "say which acts"),
        ({"celex": ['32016R0679" } DELETE']}, "no CELEX number"),
        ({"celex": ["32016R0679\n"] * 1 + ["x"]}, "no CELEX number"),
        ({"sectors": ["33"]}, "a sector is"),
        ({"types": ["REG>"]}, "a resource type is"),
        ({"types": ["REG\n"]}, "a resource type is"),
        ({"directory_codes": ['15" || "']}, "a directory code is"),
        ({"eurovoc": ["http://eurovoc.europa.eu/1"]}, "a EuroVoc concept"),
        ({"from": "2020-01-01", "to": "2019-01-01"}, "later than"),
        ({"sectors": ["3"], "languages": ["fra"]}, "none of bg, cs"),
        ({"sectors": ["3"], "languages": []}, "at least one"),
        ({"sectors": ["3"], "formats": ["docx"]}, "formats"),
        ({"sectors": ["3"], "updated_since": "yesterday"}, "updated_since"),
        ({"sectors": ["3"], "endpoint": "ftp://x"}, "http or https"),
        ({"sectors": ["3"], "resource": "https://user:secret@x/resource"}, "http or https"),
        ({"types": ["A" * 40 + c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] * 3}, "too long"),
        ({"sector": ["3"]}, "sector"),
    ],
)
def test_settings_that_make_no_sense(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(table)


def test_a_file_of_numbers(tmp_path: Any, place: Place) -> None:
    path = tmp_path / "acts.txt"
    path.write_text(f"# acts\n{SMALL}  # ferries\n\n{BIG}\n")
    settings = place.settings(celex_file=path, celex=[BIG])
    assert settings.numbers() == (BIG, SMALL)
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings
    path.write_text(f"{SMALL}\nnonsense\n")
    with pytest.raises(ConfigError, match="line 2"):
        list(Harvester(settings).start(None))
    path.write_text("# none\n")
    with pytest.raises(ConfigError, match="no CELEX number"):
        list(Harvester(settings).start(None))
    with pytest.raises(ConfigError):
        list(Harvester(place.settings(celex_file=tmp_path / "no.txt")).start(None))


def _child(tmp_path: Path, place: Place, **table: Any) -> dict[str, Any]:
    """Runs one harvest in its child process; its last line."""
    job = {
        "corpus": str(tmp_path / "corpus"), "name": "acts", "contact": "team@example.org", "harvester": "eurlex",
        "settings": place.settings(**table).model_dump(mode="json"),
        "fetch": {"interval_s": 0, "private": ["127.0.0.1"], "slow_down": False, "backoff_s": 0.1},
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "harvesters.child", str(tmp_path / "job.json")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout.splitlines()[-1]))


def _fetches(tmp_path: Path, harvest: str) -> list[dict[str, Any]]:
    table = pyarrow.dataset.dataset(tmp_path / "corpus" / "fetches").to_table()
    rows = [row for row in table.to_pylist() if row["harvest"] == harvest]
    return [{**row, **json.loads(row["labels"] or "{}")} for row in rows]


def test_a_harvest_from_its_process_to_its_archive(tmp_path: Path, place: Place) -> None:
    place.cellar.busy = 1
    place.cellar.challenged = {TREATY}
    table = {"sectors": ["1", "3", "5"], "languages": ["en", "fr", "el"], "corrigenda": True, "updated_since": "last"}
    first = _child(tmp_path, place, **table)
    assert first["status"] == "complete" and first["outcomes"]["refused"] == 1
    rows = _fetches(tmp_path, first["harvest"])
    new = [row for row in rows if row["kind"] == "document" and row["outcome"] == "new"]
    kept = {(row["celex"], row["language"]): row for row in new}
    languages = {celex: {language for of, language in kept if of == celex} for celex, _ in kept}
    assert languages == {BIG: {"en", "fr", "el"}, SMALL: {"en", "fr"}, OLD: {"fr"}, f"{BIG}R(01)": {"en"}}
    assert kept[f"{BIG}R(01)", "en"]["corrects"] == BIG and kept[OLD, "fr"]["format"] == "pdf"
    assert {row["celex"] for row in rows if row["outcome"] == "missing"} == {PRINTED, OLD}
    assert not any(asked.path == "/robots.txt" for asked in place.cellar.log)

    place.cellar.log.clear()
    place.cellar.amend(BIG, "fr")
    place.cellar.works[BIG].modified = datetime.now(UTC)
    second = _child(tmp_path, place, **table)
    changed = [row for row in _fetches(tmp_path, second["harvest"]) if row["kind"] == "document" and row["record"]]
    outcomes = {(row["celex"], row["language"]): row["outcome"] for row in changed if row["outcome"] != "redirect"}
    assert outcomes == {(BIG, "en"): "unchanged", (BIG, "el"): "unchanged", (BIG, "fr"): "changed"}
    assert Counter(asked.status for asked in place.cellar.log)[304] == 2

    texts = [
        record.payload.decode()
        for path in sorted((tmp_path / "corpus" / "archive" / "acts").glob("*.warc.gz"))
        for record in warc.read(lambda path=path: path.open("rb"), source="acts", path=path.name)
        if record.skip is None and record.mime == "application/xhtml+xml"
    ]
    assert len(texts) == 7 and not any("challenge" in text for text in texts)
    assert sum("Article 1" in text for text in texts) == 6 and sum("Άρθρο 1" in text for text in texts) == 1


def test_what_failed_is_asked_for_again_though_it_did_not_change(tmp_path: Path, place: Place) -> None:
    whole, broken = place.cellar._answer, {"/resource/cellar/", "sparql"}

    def answer(path: str, query: str, headers: Any, base: str) -> Any:
        if any(part in path for part in broken):
            return 503, {}, b"busy"
        return whole(path, query, headers, base)

    place.cellar._answer = answer  # type: ignore[method-assign]
    table = {"sectors": ["3"], "languages": ["fr"], "updated_since": "last"}
    ends = [_child(tmp_path, place, **table)]
    broken.remove("sparql")
    ends.append(_child(tmp_path, place, **table))
    assert [end["outcomes"] for end in ends] == [
        {"failed": 1, "dropped": 0}, {"new": 3, "redirect": 2, "failed": 3, "dropped": 0, "missing": 1}
    ]  # fmt: skip
    again = [json.loads(row["task"])["url"] for row in _fetches(tmp_path, ends[1]["harvest"]) if row["task"]]
    assert len(again) == 3 and all("/resource/cellar/" in url for url in again)
    broken.clear()
    place.cellar.log.clear()
    ends.append(_child(tmp_path, place, **table))
    rows = [row for row in _fetches(tmp_path, ends[2]["harvest"]) if row["kind"] == "document"]
    assert {row["celex"] for row in rows} == {BIG, SMALL, OLD}
    assert {(row["language"], row["outcome"]) for row in rows} == {("fr", "new")}
    assert {row["url"] for row in rows} == set(again)
    assert len(place.cellar.log) == 4, "the three, and one query that says that nothing is new"
    ends.append(_child(tmp_path, place, **table))
    assert ends[3]["outcomes"] == {"new": 1, "dropped": 0} and ends[3]["requests"] == 1
