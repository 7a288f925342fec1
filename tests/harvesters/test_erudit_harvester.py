"""The harvest of a repository: lists, licences, files, and what the next harvest asks for."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from servers.oai import BY, Entry, Repository, error, page
from servers.running import running

from extractors import oai_dc
from extractors.markup import extract_xml, parse_xml
from harvesters.erudit import Harvester, Settings
from harvesters.harvester import LABELS, Answer, Last, Outcome, Task
from harvesters.oai import articles
from harvesters.oai import protocol as oai

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Done:
    """What a harvest made of every answer."""

    outcomes: list[tuple[Task, int, Outcome]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def of(self, *kinds: str) -> dict[str, Outcome]:
        return {task.url: outcome for task, _, outcome in self.outcomes if task.kind in kinds}

    def reasons(self) -> list[str]:
        return [outcome.reason for _, _, outcome in self.outcomes if outcome.reason]

    def metadata(self) -> dict[str, Any]:
        found = [resource for _, _, outcome in self.outcomes for resource in outcome.resources]
        return {resource.url.partition("identifier=")[2].partition("&")[0][-9:]: resource for resource in found}

    def files(self) -> set[str]:
        return {
            task.url.rpartition("/")[2]
            for task, status, _ in self.outcomes
            if task.kind in ("pdf", "xml") and status == 200
        }


def drive(settings: Settings, last: Last | None = None, fresh: bool = False, most: int = 500) -> Done:
    """A harvest without the spider. `fresh`: every answer is read by a harvester that knows nothing of the others."""
    harvester = Harvester(settings)
    done, seen, queue = Done(), set(), deque(harvester.start(last))
    with httpx.Client() as client:
        while queue and len(done.outcomes) < most:
            task = max(queue, key=lambda waiting: waiting.priority)
            queue.remove(task)
            if task.key in seen:
                continue
            seen.add(task.key)
            # As the frontier keeps it.
            task = Task(
                **{**{name: getattr(task, name) for name in task.__slots__}, "note": json.loads(json.dumps(task.note))}
            )
            if fresh:
                harvester = Harvester(settings)
            answer = ask(client, harvester, task)
            outcome = harvester.answer(answer)
            if outcome.retry_s and outcome.outcome != "failed":
                queue.append(task)
                continue
            assert set(outcome.labels) <= set(LABELS)
            done.outcomes.append((task, answer.status, outcome))
            done.state |= harvester.state()
            queue.extend(outcome.next)
    return done


def ask(client: httpx.Client, harvester: Harvester, task: Task) -> Answer:
    url = task.url
    for _ in range(5):
        got = client.get(url, headers=dict(task.headers))
        if got.status_code == 503:
            got = client.get(url, headers=dict(task.headers))
        if not got.has_redirect_location:
            break
        url = str(got.next_request.url) if got.next_request else url
        assert harvester.admits(url, task) is None
    return Answer(task, url, got.status_code, dict(got.headers), got.content, MARCH)


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def endpoint(repository: Repository) -> Iterator[str]:
    with running(repository) as place:
        yield f"{place.url}/oai/request"


def settings(endpoint: str, **given: Any) -> Settings:
    return Settings(**{"endpoint": endpoint, "hosts": ("127.0.0.1",), **given})


def listed(endpoint: str, when: str, **given: Any) -> dict[str, str]:
    """The state after a list that was read to its end."""
    return {Harvester(settings(endpoint, **given))._list_name(None): when}


def answered(
    body: bytes, url: str = "http://h/oai?verb=ListRecords&resumptionToken=t", **note: Any
) -> tuple[Harvester, Outcome]:
    harvester = Harvester(Settings(endpoint="http://h/oai", hosts=("h",)))
    begin = {
        "first": "http://h/oai?verb=ListRecords&metadataPrefix=oai_dc",
        "set": None,
        "begun": "2026-03-01T00:00:00Z",
    }
    task = Task(url, "list", note={**begin, **note})
    return harvester, harvester.answer(Answer(task, url, 200, {}, body, MARCH))


@pytest.mark.parametrize("granularity", ["YYYY-MM-DDThh:mm:ssZ", "YYYY-MM-DD"])
def test_every_record_is_kept_and_only_permitted_files_are_fetched(
    repository: Repository, endpoint: str, granularity: str
) -> None:
    repository.granularity = granularity
    repository.busy = 1
    done = drive(settings(endpoint))
    whole = {number for number, entry in repository.entries.items() if not entry.deleted and not entry.broken}
    assert set(done.metadata()) == whole
    assert done.files() == {
        "1099001ar.pdf", "1099001ar.xml", "1099002ar.pdf", "1099002ar.xml", "1099006ar.pdf", "1099006ar.xml",
        "1099009ar.fr.pdf", "1099009ar.en.pdf", "1099009ar.xml",
    }  # fmt: skip
    for refused in ("1099003ar", "1099004ar", "1099005ar", "1099008ar", "elsewhere"):
        assert not [target for target in repository.asked(refused) if "/oai/" not in target]
    assert done.state == listed(endpoint, "2026-03-01T12:00:00Z")
    assert done.reasons() == []
    assert len(repository.asked("resumptionToken")) == 4


def test_licence_and_rights_of_every_article(endpoint: str) -> None:
    found = {number: resource.labels for number, resource in drive(settings(endpoint)).metadata().items()}
    assert found["1099001ar"] == {
        "doi": "10.7202/1099001ar", "erudit_id": "1099001ar", "language": "fr", "licence": BY, "journal": "Rivages",
        "datestamp": "2026-01-10T08:00:00Z",
    }  # fmt: skip
    assert found["1099002ar"]["licence"] == "https://creativecommons.org/licenses/by-nc-nd/4.0/"
    assert found["1099002ar"]["rights"] == "CC BY-NC-ND 4.0"
    assert found["1099003ar"]["rights"] == "Tous droits réservés © Rivages, 2025"
    assert "licence" not in found["1099003ar"]
    assert not {"licence", "rights"} & set(found["1099004ar"])
    assert found["1099005ar"]["access"] == "restricted"
    assert all(set(labels) <= set(LABELS) for labels in found.values())


def test_metadata_in_both_languages_is_a_document_of_its_own(endpoint: str) -> None:
    resource = drive(settings(endpoint)).metadata()["1099003ar"]
    root = parse_xml(resource.body)
    assert oai_dc.recognises(root)
    extract = oai_dc.extract_tree(root)
    assert extract.meta["titles"] == {"fr": "Sur le plessage", "en": "On hedge laying"}
    assert set(extract.meta["abstracts"]) == {"fr", "en"}
    assert extract.meta["keywords"] == {"fr": ["le plessage", "archives"], "en": ["hedge laying", "archives"]}
    assert extract.text.startswith("Sur le plessage\nCette étude suit le plessage")
    assert "This study" not in extract.text
    assert (extract.meta["doi"], extract.meta["erudit_id"]) == ("10.7202/1099003ar", "1099003ar")


def test_files_carry_the_labels_of_their_article(endpoint: str) -> None:
    done = drive(settings(endpoint))
    for url, outcome in done.of("pdf", "xml").items():
        number = url.rpartition("/")[2].partition(".")[0]
        assert (outcome.store, outcome.labels["erudit_id"], outcome.labels["doi"]) == (
            "exchange",
            number,
            f"10.7202/{number}",
        )
        assert outcome.labels["licence"].rpartition("/licenses/")[0].endswith("creativecommons.org")
        several = number == "1099009ar" and url.endswith(".pdf")
        own = "en" if number == "1099002ar" else "fr"
        assert outcome.labels.get("language") == (None if several else own)
    assert {outcome.store for outcome in done.of("article").values()} == {"nothing"}
    assert all(task.robots for task, _, _ in done.outcomes if task.kind in ("article", "pdf", "xml"))
    assert not any(task.robots for task, _, _ in done.outcomes if task.kind in ("identify", "list"))


def test_article_xml_links_with_its_record(repository: Repository, endpoint: str) -> None:
    drive(settings(endpoint))
    with httpx.Client() as client:
        body = client.get(
            endpoint.replace("/oai/request", repository.place(repository.entries["1099001ar"]) + ".xml")
        ).content
    extract = extract_xml(body)
    assert (extract.meta["erudit_id"], extract.meta["doi"]) == ("1099001ar", "10.7202/1099001ar")
    assert (extract.meta["licence"], extract.meta["body"], extract.language) == (BY, True, "fr")
    assert set(extract.meta["abstracts"]) == {"fr", "en"}


def test_pages_of_articles_are_documents_when_asked_for(endpoint: str) -> None:
    done = drive(settings(endpoint, content=("html",)))
    assert not done.files()
    stored = [url for url, outcome in done.of("article").items() if outcome.store == "exchange"]
    assert len(stored) == 4
    assert not drive(settings(endpoint, content=())).of("article", "pdf", "xml")


def test_articles_without_a_licence_are_fetched_if_the_law_permits_it(repository: Repository, endpoint: str) -> None:
    done = drive(settings(endpoint, unlicensed="fetch"))
    assert {"1099003ar.pdf", "1099004ar.xml"} <= done.files()
    assert not [target for target in repository.asked("1099005ar") if "/oai/" not in target]
    done = drive(settings(endpoint, licences=("creativecommons.org/licenses/by/*",)))
    assert not {name for name in done.files() if name.startswith(("1099002", "1099009"))}
    assert "1099001ar.pdf" in done.files()


def test_one_set_after_another(repository: Repository, endpoint: str) -> None:
    sets = ("erudit.revue.rivages", "erudit.revue.lisieres")
    done = drive(settings(endpoint, sets=sets, content=()))
    order = [task.note["set"] for task, _, _ in done.outcomes if task.kind == "list"]
    assert order == sorted(order, key=sets.index)
    assert [name.split()[:3] for name in done.state] == [[endpoint, "oai_dc", name] for name in sets]
    assert len(done.metadata()) == 7


def test_the_next_harvest_asks_for_what_is_new(repository: Repository, endpoint: str) -> None:
    first = drive(settings(endpoint))
    repository.change()
    repository.log.clear()
    second = drive(settings(endpoint), Last("h", MARCH, first.state))
    assert "from=2026-02-28T12%3A00%3A00Z" in repository.asked("ListRecords")[0]
    assert set(second.metadata()) == {"1099001ar", "1099010ar"}
    assert second.files() == {"1099001ar.pdf", "1099001ar.xml", "1099010ar.pdf", "1099010ar.xml"}
    assert second.state == listed(endpoint, "2026-03-02T12:00:00Z")  # The repository's clock is a month fast.
    repository.now = datetime(2026, 6, 1, tzinfo=UTC)
    third = drive(settings(endpoint), Last("h", MARCH, listed(endpoint, "2026-05-01T00:00:00Z")))
    assert (third.metadata(), third.reasons()) == ({}, [])
    assert len(drive(settings(endpoint, since="earliest"), Last("h", MARCH, second.state)).metadata()) == 7


def test_a_list_that_failed_is_asked_for_from_the_same_day_again(repository: Repository, endpoint: str) -> None:
    known = {**listed(endpoint, "2026-02-01T00:00:00Z"), "someone else's": "2026-02-02T00:00:00Z"}
    repository.lists = lambda given: page(error("badArgument", "no"))
    failed = drive(settings(endpoint), Last("h", MARCH, known))
    assert failed.reasons() == ["badArgument: no"]
    assert failed.state == listed(endpoint, "2026-02-01T00:00:00Z")


def test_other_rules_look_at_all_records_anew(repository: Repository, endpoint: str) -> None:
    first = drive(settings(endpoint))
    assert not drive(settings(endpoint), Last("h", MARCH, first.state)).files()
    again = drive(settings(endpoint, unlicensed="fetch"), Last("h", MARCH, first.state))
    assert "1099003ar.pdf" in again.files()


def test_an_old_answer_to_identify_does_not_tell_the_time() -> None:
    task = Task("http://h/oai?verb=Identify", "identify", note={})
    body = Repository(now=datetime(2020, 1, 1, tzinfo=UTC)).oai("http://h", {"verb": "Identify"})
    for unchanged, begun in ((False, "2020-01-01T00:00:00Z"), (True, "2026-03-01T12:00:00Z")):
        harvester = Harvester(Settings(endpoint="http://h/oai"))
        outcome = harvester.answer(Answer(task, task.url, 200, {}, body, MARCH, unchanged))
        assert outcome.next[0].note["begun"] == begun


def test_dates_of_the_recipe(repository: Repository, endpoint: str) -> None:
    since, until = date(2026, 1, 1), date(2026, 1, 31)
    done = drive(settings(endpoint, since=since, until=until, content=()))
    assert "from=2026-01-01T00%3A00%3A00Z&until=2026-01-31T23%3A59%3A59Z" in repository.asked("ListRecords")[0]
    # What came after the last day asked for is new to the next harvest.
    assert done.state == listed(endpoint, "2026-01-31T23:59:59Z", content=())
    repository.granularity = "YYYY-MM-DD"
    repository.log.clear()
    drive(settings(endpoint, since=since, until=until, content=()))
    assert "from=2026-01-01&until=2026-01-31" in repository.asked("ListRecords")[0]


def test_dates_come_as_text_from_a_job() -> None:
    assert Settings(**json.loads(Settings(since=date(2026, 1, 2)).model_dump_json())).since == date(2026, 1, 2)
    assert Settings(**json.loads(Settings().model_dump_json())) == Settings()


def test_a_limit_ends_a_list_early(repository: Repository, endpoint: str) -> None:
    done = drive(settings(endpoint, limit=3))
    assert len(done.metadata()) == 3
    assert done.state == {}
    assert len(repository.asked("ListRecords")) == 2


@pytest.mark.parametrize("fresh", [False, True])
def test_an_expired_token_begins_the_list_again(repository: Repository, endpoint: str, fresh: bool) -> None:
    repository.expiring = 1
    done = drive(settings(endpoint), fresh=fresh)
    assert done.reasons() == ["resumption token expired"]
    assert len(done.metadata()) == 7
    assert list(done.state.values()) == ["2026-03-01T12:00:00Z"]
    pdfs = repository.asked(".pdf")
    assert len(pdfs) == len(set(pdfs))
    if not fresh:
        assert sum(len(outcome.resources) for _, _, outcome in done.outcomes) == 7


def test_tokens_that_always_expire_end_the_list(repository: Repository, endpoint: str) -> None:
    repository.expiring = 100
    done = drive(settings(endpoint, content=()))
    assert done.reasons() == ["resumption token expired"] * 3
    assert done.state == {}
    assert len(repository.asked("metadataPrefix")) == 3


@pytest.mark.parametrize("cycle", [1, 2, 5, 40])
def test_tokens_that_go_round_in_circles(repository: Repository, endpoint: str, cycle: int) -> None:
    def round_and_round(given: dict[str, str]) -> bytes:
        at = int(given.get("resumptionToken", "0")) % cycle
        record = f"<record><header><identifier>oai:x:{at}</identifier></header><metadata><a/></metadata></record>"
        return page(f"<ListRecords>{record}<resumptionToken>{at + 1}</resumptionToken></ListRecords>")

    repository.lists = round_and_round
    done = drive(settings(endpoint), fresh=True)
    assert done.reasons() == ["list does not end"]
    assert done.state == {}


def test_new_tokens_for_the_same_records(repository: Repository, endpoint: str) -> None:
    def same(given: dict[str, str]) -> bytes:
        at = int(given.get("resumptionToken", "0")) + 1
        record = "<record><header><identifier>oai:x:1</identifier></header><metadata><a/></metadata></record>"
        return page(f"<ListRecords>{record}<resumptionToken>{at}</resumptionToken></ListRecords>")

    repository.lists = same
    assert drive(settings(endpoint), fresh=True).reasons() == ["list does not end"]


def test_what_is_no_repository_fails_with_its_reason(repository: Repository, endpoint: str) -> None:
    assert drive(settings(endpoint.replace("/request", "/nothing"))).reasons() == ["http 404"]
    assert drive(settings(endpoint, prefix="erudit")).reasons() == ["cannotDisseminateFormat: no such format"]
    repository.lists = lambda given: b"<html>Maintenance</html>"
    done = drive(settings(endpoint))
    assert (done.reasons(), done.state) == (["no OAI-PMH answer"], {})


def test_a_page_cut_off_is_no_end_of_a_list() -> None:
    record = "<record><header><identifier>oai:x:1</identifier></header><metadata><a/></metadata></record>"
    whole = page(f"<ListRecords>{record}</ListRecords>")
    harvester, outcome = answered(whole[: whole.index(b"</ListRecords>")])
    assert (outcome.outcome, outcome.reason, outcome.retry_s) == ("failed", "page cut off", 60)
    assert len(outcome.resources) == 1
    assert harvester.state() == {}
    # Nothing of it was kept, if there are attempts left.
    url = "http://h/oai?verb=ListRecords&resumptionToken=t"
    again = Task(url, "list", note={"first": "http://h/", "set": None, "begun": "2026-03-01T00:00:00Z"})
    outcome = harvester.answer(Answer(again, url, 200, {}, whole, MARCH))
    assert (outcome.outcome, len(outcome.resources), len(harvester.state())) == (None, 1, 1)
    assert harvester.answer(Answer(again, url, 200, {}, whole, MARCH)).resources == []


def test_a_page_of_which_no_record_can_be_read_is_asked_for_again() -> None:
    body = page("<ListRecords><record><header></record><resumptionToken>u</resumptionToken></ListRecords>")
    harvester, outcome = answered(body)
    assert (outcome.outcome, outcome.reason, outcome.retry_s) == ("failed", "no record can be read", 60)
    assert [task.url for task in outcome.next] == ["http://h/oai?verb=ListRecords&resumptionToken=u"]
    harvester, outcome = answered(body.replace(b"<resumptionToken>u</resumptionToken>", b""))
    assert (outcome.reason, harvester.state()) == ("no record can be read", {})


def test_a_token_that_fits_no_url() -> None:
    _, outcome = answered(page(f"<ListRecords><resumptionToken>{'a' * 9_000}</resumptionToken></ListRecords>"))
    assert (outcome.outcome, outcome.reason, outcome.next) == ("failed", "resumption token fits no URL", [])


def dc(*inside: str) -> bytes:
    bound = 'xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    texts = "".join(
        f"<dc:{part.partition('=')[0]}>{part.partition('=')[2]}</dc:{part.partition('=')[0]}>" for part in inside
    )
    return page(
        "<ListRecords><record><header><identifier>oai:erudit.org:1ar</identifier></header>"
        f"<metadata><d:dc {bound}>{texts}</d:dc></metadata></record></ListRecords>"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example.org/1.pdf",
        "http://h.example.org/1.pdf",
        "http://xh/1.pdf",
        "http://h@evil.example.org/1.pdf",
        "http://evil.example.org/?http://h/1.pdf",
        "http://evil.example.org#h/1.pdf",
        "http://evil.example.org\\h/1.pdf",
        "file:///etc/passwd.pdf",
        "ftp://h/1.pdf",
        "//h/1.pdf",
        "http://user:secret@h/1.pdf",
        "http://h/1.pdf&#13;&#10;X-Evil: 1",
    ],
)
def test_addresses_of_others_are_not_asked_for(url: str) -> None:
    _, outcome = answered(dc(f"rights={BY}", f"identifier={url}", f"relation={url}"))
    assert outcome.next == []


def test_redirects_stay_with_the_hosts() -> None:
    harvester = Harvester(Settings())
    article = Task("https://id.erudit.org/iderudit/1ar", "article")
    assert harvester.admits("https://www.erudit.org/fr/revues/a/1/1ar/", article) is None
    assert harvester.admits("https://erudit.org.evil.example/1ar.pdf", article)
    assert harvester.admits("http://127.0.0.1/1ar.pdf", article)
    listing = Task("https://oai.erudit.org/oai/request?verb=Identify", "identify")
    assert harvester.admits("http://oai.erudit.org/oai/?verb=Identify", listing) is None
    assert harvester.admits("https://www.erudit.org/", listing)
    assert harvester.hosts() == ["oai.erudit.org"]


def test_labels_are_one_short_line() -> None:
    _, outcome = answered(dc(f"rights=Mine&#10;WARC-Type: evil {'x' * 5_000}", "identifier=doi:10.7202/1ar"))
    labels = outcome.resources[0].labels
    assert labels["rights"].startswith("Mine WARC-Type: evil xxx")
    assert all(len(value) <= 500 and value.isprintable() for value in labels.values())


@pytest.mark.parametrize(
    ("rights", "allowed", "said"),
    [
        ([BY], "fetch", None),
        (["http://www.creativecommons.org/licenses/by-nc/2.5/ca/"], "metadata", None),
        (["CC BY-SA"], "metadata", None),
        (["CC0 1.0"], "metadata", None),
        (["https://creativecommons.org.evil.example/licenses/by/4.0/"], "fetch", "licence does not permit"),
        (["https://publisher.example/licence-of-ours"], "fetch", "licence does not permit"),
        ([BY, "https://publisher.example/licence-of-ours"], "fetch", "licence does not permit"),
        ([f"© Rivages. Tous droits réservés. {BY}"], "metadata", None),
        (["All Rights Reserved © Rivages"], "metadata", "all rights reserved"),
        (["All Rights Reserved © Rivages"], "fetch", None),
        ([], "metadata", "no licence"),
        ([], "fetch", None),
        ([BY, "info:eu-repo/semantics/closedAccess"], "fetch", "restricted access"),
        ([BY, "http://purl.org/coar/access_right/c_abf2"], "metadata", None),
    ],
)
def test_what_a_licence_permits(rights: list[str], allowed: str, said: str | None) -> None:
    found = articles.article(oai.parse_list(dc(*(f"rights={text}" for text in rights))).items[0])
    assert found is not None
    assert articles.refusal(found, Settings().licences, allowed == "fetch", MARCH.date()) == said


@pytest.mark.parametrize(("end", "said"), [("2026-02-28", None), ("2026-03-01", "embargo"), ("2999-01-01", "embargo")])
def test_an_embargo_ends(end: str, said: str | None) -> None:
    inside = (
        f"rights={BY}",
        "rights=info:eu-repo/semantics/embargoedAccess",
        f"date=info:eu-repo/date/embargoEnd/{end}",
    )
    found = articles.article(oai.parse_list(dc(*inside)).items[0])
    assert found is not None
    assert articles.refusal(found, Settings().licences, True, MARCH.date()) == said


def test_a_page_without_files_is_counted() -> None:
    harvester = Harvester(Settings())
    task = Task(
        "https://www.erudit.org/elsewhere", "article", note={"labels": {"erudit_id": "1ar"}, "missing": ["pdf"]}
    )
    outcome = harvester.answer(Answer(task, task.url, 200, {}, b"<html>", MARCH))
    assert (outcome.store, outcome.outcome, outcome.reason) == ("nothing", "missing", "page names no file")
    said = b'<meta name="citation_pdf_url" content="https://evil.example.org/1ar.pdf">'
    assert harvester.answer(Answer(task, task.url, 200, {}, said, MARCH)).next == ()


@pytest.mark.parametrize("kind", ["pdf", "xml"])
def test_a_page_in_place_of_a_file_is_no_document(kind: str) -> None:
    harvester = Harvester(Settings())
    task = Task("https://www.erudit.org/1ar.pdf", kind, note={"labels": {"doi": "10.7202/1ar"}})
    outcome = harvester.answer(Answer(task, task.url, 200, {}, b"<html><body>Subscribe</body></html>", MARCH))
    assert (outcome.store, outcome.outcome, outcome.reason) == (
        "nothing",
        "refused",
        f"no {kind.upper()} in the answer",
    )
    assert harvester.answer(Answer(task, task.url, 404, {}, b"", MARCH)).outcome is None


def test_full_texts_in_records_are_kept_only_where_they_are_permitted() -> None:
    from servers.oai import article_xml

    for rights, kept in ((BY, True), ("https://publisher.example/licence", False)):
        inside = article_xml(Entry("1ar", "tidal mills")).decode().partition("?>")[2].replace(BY, rights)
        record = f"<record><header><identifier>oai:x:1ar</identifier></header><metadata>{inside}</metadata></record>"
        _, outcome = answered(page(f"<ListRecords>{record}</ListRecords>"))
        extract = extract_xml(outcome.resources[0].body)
        assert extract.meta["body"] is kept
        assert set(extract.meta["abstracts"]) == {"fr", "en"}
        assert ("deuxième partie" in extract.text) is kept


def test_files_of_a_page() -> None:
    url = "https://www.erudit.org/fr/revues/a/2025-n1-a01/1ar/"
    assert articles.files_of_page(url, b"<html>", "1ar") == {"pdf": f"{url[:-1]}.pdf", "xml": f"{url[:-1]}.xml"}
    assert articles.files_of_page(url, b"<html>", None) == {}
    assert articles.files_of_page(f"{url}?a=b", b"<html>", "1ar") == {}
    said = b"<META content='/a.pdf?x=1&amp;y=2' NAME='citation_pdf_url'><meta name=citation_pdf_url content='/b.pdf'>"
    assert articles.files_of_page("https://h/", said, None) == {"pdf": "/a.pdf?x=1&y=2"}


@given(st.binary(max_size=300))
def test_no_bytes_stop_a_harvest(body: bytes) -> None:
    _, outcome = answered(body)
    assert outcome.outcome == "failed"
    answered(dc("title=T").replace(b"T<", body + b"<", 1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"endpoint": "oai.erudit.org"}, "base URL"),
        ({"endpoint": "https://h/oai?verb=Identify"}, "base URL"),
        ({"endpoint": "file:///etc/passwd"}, "base URL"),
        ({"prefix": "a&verb=Identify"}, "pattern"),
        ({"sets": ["a b"]}, "setSpec"),
        ({"since": "yesterday"}, "since"),
        ({"content": ["docx"]}, "'pdf', 'xml' or 'html'"),
        ({"hosts": ["https://erudit.org/"]}, "host name"),
        ({"unlicensed": "all"}, "'metadata' or 'fetch'"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_settings_say_what_is_wrong(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**given)
