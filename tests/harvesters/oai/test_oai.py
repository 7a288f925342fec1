"""OAI-PMH: what is asked, and what answers say, whole or broken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.oai import Repository, error, page

from harvesters.oai import protocol as oai

END = "https://oai.example.org/oai/request"


def record(number: int, title: str = "A title", prefix: str = "") -> str:
    return (
        f"<{prefix}record><{prefix}header><{prefix}identifier>oai:x:{number}</{prefix}identifier><{prefix}datestamp>"
        f"2026-01-01</{prefix}datestamp><{prefix}setSpec>a</{prefix}setSpec></{prefix}header><{prefix}metadata>"
        f'<d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/"><t>{title}</t></d:dc></{prefix}metadata>'
        f"</{prefix}record>"
    )


def listed(*inside: str) -> bytes:
    return page(f"<ListRecords>{''.join(inside)}</ListRecords>")


def names(found: oai.Page) -> list[str]:
    return [item.identifier for item in found.items]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_token_comes_back_as_it_was(token: str) -> None:
    query = urlsplit(oai.next_page(END, token)).query
    assert query.isascii()
    assert parse_qs(query, keep_blank_values=True, strict_parsing=True) == {
        "verb": ["ListRecords"],
        "resumptionToken": [token],
    }


def test_requests_have_the_arguments_that_are_given() -> None:
    assert oai.identify(END) == f"{END}?verb=Identify"
    assert oai.list_records(END, "oai_dc", None, None, None) == f"{END}?verb=ListRecords&metadataPrefix=oai_dc"
    assert oai.list_records(END, "oai_dc", "a:b", "2026-01-01", "2026-02-01") == (
        f"{END}?verb=ListRecords&metadataPrefix=oai_dc&set=a%3Ab&from=2026-01-01&until=2026-02-01"
    )
    assert oai.get_record(END, "oai:x&verb=Evil:1", "oai_dc") == (
        f"{END}?verb=GetRecord&identifier=oai%3Ax%26verb%3DEvil%3A1&metadataPrefix=oai_dc"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        (" 2026-01-02T03:04:05Z\n", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-13-02", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, meant: datetime | None) -> None:
    assert oai.moment(text) == meant


def test_dates_have_the_repositorys_granularity() -> None:
    when = oai.last_moment(date(2026, 1, 2))
    assert oai.datestamp(when, "day") == "2026-01-02"
    assert oai.datestamp(when, "second") == "2026-01-02T23:59:59Z"


def test_a_repository_introduces_itself() -> None:
    known = oai.parse_identify(Repository().oai("http://h", {"verb": "Identify"}))
    assert known.granularity == "second"
    assert known.earliest == datetime(2011, 6, 3, tzinfo=UTC)
    assert known.deleted == "transient"
    assert known.answered == datetime(2026, 3, 1, 12, tzinfo=UTC)
    day = oai.parse_identify(Repository(granularity="YYYY-MM-DD").oai("http://h", {"verb": "Identify"}))
    assert day.granularity == "day"
    # Before all records no date is needed, and some repositories take one for a mistake.
    assert oai.start_of(datetime(2011, 6, 3, 12, tzinfo=UTC), known, timedelta(days=1)) is None
    assert oai.start_of(datetime(2012, 1, 2, tzinfo=UTC), known, timedelta(days=1)) == datetime(2012, 1, 1, tzinfo=UTC)
    assert oai.start_of(datetime.min.replace(tzinfo=UTC), known, timedelta(days=1)) is None


def test_a_page_and_its_token() -> None:
    token = '<resumptionToken completeListSize="7" cursor="0">\n a&amp;b=c d%20 \n</resumptionToken>'
    found = oai.parse_list(listed(record(1), record(2), token))
    assert (names(found), found.token, found.size, found.whole) == (["oai:x:1", "oai:x:2"], "a&b=c d%20", 7, True)
    assert found.items[0].sets == ("a",)
    assert found.items[0].metadata is not None
    last = oai.parse_list(listed(record(3), "<resumptionToken/>"))
    assert (last.token, last.whole) == (None, True)
    assert oai.parse_list(listed(record(3))).token is None


def test_a_deleted_record_has_no_metadata() -> None:
    gone = "<record><header status='deleted'><identifier>oai:x:1</identifier></header></record>"
    found = oai.parse_list(listed(gone)).items[0]
    assert found.deleted
    assert found.metadata is None


@pytest.mark.parametrize("code", ["badResumptionToken", "noRecordsMatch", "badArgument", "cannotDisseminateFormat"])
def test_errors_have_their_code_and_text(code: str) -> None:
    found = oai.parse_list(page(error(code, "in\n words")))
    assert (found.error, found.message, found.items) == (code, "in words", [])


def test_of_two_errors_the_graver_one_counts() -> None:
    found = oai.parse_list(page(error("noRecordsMatch", "none") + error("badArgument", "a wrong one")))
    assert found.error == "badArgument"


@pytest.mark.parametrize("prefix", ["", "o:"])
def test_a_broken_record_costs_itself_alone(prefix: str) -> None:
    names_ = f"{prefix}ListRecords"
    broken = record(2, "<b>not closed", prefix)
    token = f"<{prefix}resumptionToken>next &amp; on</{prefix}resumptionToken>"
    bound = f'xmlns{":o" if prefix else ""}="http://www.openarchives.org/OAI/2.0/"'
    body = (
        f"<{prefix}OAI-PMH {bound}><{names_}>{record(1, prefix=prefix)}{broken}{record(3, prefix=prefix)}{token}"
        f"</{names_}></{prefix}OAI-PMH>"
    )
    found = oai.parse_list(body.encode())
    assert (names(found), found.broken, found.token) == (["oai:x:1", "oai:x:3"], ["oai:x:2"], "next & on")
    assert found.whole


def test_a_page_that_is_cut_off_is_not_the_end_of_a_list() -> None:
    body = listed(record(1), record(2), record(3))
    for cut in range(body.index(b"oai:x:3"), len(body) - len("</OAI-PMH>\n")):
        found = oai.parse_list(body[:cut])
        assert names(found)[:2] == ["oai:x:1", "oai:x:2"]
        assert not found.whole


def test_bytes_that_are_no_utf_8_cost_nothing() -> None:
    body = listed(record(1, "caf\xe9"), record(2), "<resumptionToken>t</resumptionToken>")
    body = body.replace("café".encode(), b"caf\xe9")
    found = oai.parse_list(b'<?xml version="1.0" encoding="UTF-8"?>' + body.partition(b"?>")[2])
    assert names(found) == ["oai:x:1", "oai:x:2"]
    assert (found.token, found.broken) == ("t", [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no XML"),
        (b"<html><body>Maintenance</body></html>", "no OAI-PMH answer"),
        (b"{}", "no XML"),
        (page("<Identify/>"), "no ListRecords"),
        (b"<OAI-PMH>" + b"<a>" * 300 + b"</a>" * 300 + b"</OAI-PMH>", "unsafe"),
        (b"<OAI-PMH>" + b" " * (oai.MAX_PAGE), "too large"),
        (b"<OAI-PMH><ListRecords>" + b"<x/>" * 9_000 + b"<record><header></OAI-PMH>", "broken XML"),
    ],
)
def test_what_is_no_list_says_so(body: bytes, said: str) -> None:
    with pytest.raises(oai.OaiError, match=said):
        oai.parse_list(body)


def test_entities_are_not_expanded() -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    )
    body = listed(record(1, "&b;&f;"), "<resumptionToken>&f;</resumptionToken>").replace(
        b"?>\n", b"?>\n" + bomb.encode(), 1
    )
    try:
        found = oai.parse_list(body)
    except oai.OaiError:
        return
    assert found.token is None or "root:" not in found.token
    assert all("root:" not in "".join(item.metadata.itertext()) for item in found.items if item.metadata is not None)


@pytest.mark.parametrize("cut", [None, -20])
def test_a_page_of_too_many_records_is_refused(cut: int | None) -> None:
    with pytest.raises(oai.OaiError, match="too large"):
        oai.parse_list(listed("<record/>" * (oai.MAX_RECORDS + 1))[:cut])


def walk(pages: list[tuple[str, str]], most: int = 10_000) -> int | None:
    """Pages until a list is known not to end; None if it never is."""
    trail: dict[str, object] = {}
    for at in range(most):
        token, number = pages[at] if at < len(pages) else pages[-1]
        item = oai.Item(number, "", (), False, None)
        found = oai.follow(trail, oai.Page([item] if number else [], token=token))
        if found is None:
            return at + 1
        assert len(str(found)) < 600
        trail = found
    return None


@given(st.integers(0, 40), st.integers(1, 60))
def test_records_that_come_back_are_noticed(before: int, cycle: int) -> None:
    pages = [(f"t{at}", f"r{at if at < before else before + (at - before) % cycle}") for at in range(5_000)]
    found = walk(pages, 5_000)
    assert found is not None
    assert before + cycle <= found <= 4 * (before + cycle) + 4


@given(st.integers(1, 200))
def test_tokens_that_begin_again_are_noticed_at_once(cycle: int) -> None:
    pages = [(f"t{at % cycle}", f"r{at}") for at in range(cycle * 2)]
    assert walk(pages, len(pages)) == cycle + 1


def test_a_long_list_is_no_loop() -> None:
    assert walk([(f"t{at}", f"r{at}") for at in range(3_000)], 3_000) is None
    assert walk([(f"t{at}", "" if at % 40 else f"r{at}") for at in range(3_000)], 3_000) is None


def test_empty_pages_come_to_an_end() -> None:
    assert walk([(f"t{at}", "") for at in range(200)], 200) == oai.MAX_EMPTY + 1
