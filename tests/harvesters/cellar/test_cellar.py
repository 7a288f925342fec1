"""What CELLAR is asked and what its answers say."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.cellar import CHALLENGE, NOWHERE
from servers.cellar_works import ISO, works

from extractors import eurlex, formex
from extractors.markup import parse_xml
from harvesters.cellar import protocol as cellar
from harvesters.cellar import queries as cellar_queries
from harvesters.cellar.queries import Filters
from harvesters.harvester import Answer, Task

BASE = "http://127.0.0.1:9/resource"


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(Task("http://x/"), "http://x/", status, fields, body, datetime.now(UTC))


def test_languages_are_those_that_acts_are_read_in() -> None:
    assert set(cellar.LANGUAGES) == set(eurlex.LANGUAGES)
    assert cellar.LANGUAGES == ISO


hostile = st.one_of(st.text(max_size=60), st.text('"\\<>{}()|; \n\t#/?R0123456789', max_size=40))


@given(hostile)
def test_no_number_leaves_its_literal(number: str) -> None:
    try:
        query = cellar_queries.inventory([number])
    except ValueError:
        return
    assert query.count('"') == 2 and query.count("{") == 2 and "\\" not in query
    assert f'VALUES ?celex {{ "{number}"^^xsd:string }}' in query


@given(hostile)
def test_no_filter_leaves_its_place(text: str) -> None:
    plain = cellar_queries.selection(
        Filters(sectors=("S",), types=("S",), directory_codes=("S",), eurovoc=("S",)), None, None, None, 10
    )
    filters = Filters(sectors=(text,), types=(text,), directory_codes=(text,), eurovoc=(text,))
    try:
        query = cellar_queries.selection(filters, None, None, None, 10)
    except ValueError:
        return
    signs = r"[^A-Za-z0-9_.-]"
    assert re.findall(signs, query) == re.findall(signs, plain)


def test_a_selection_says_all_that_is_asked_for() -> None:
    filters = Filters(
        (), ("3",), ("REG",), ("15.10",), ("5482",), date(2016, 1, 2), date(2017, 3, 4), in_force=False
    )  # fmt: skip
    query = cellar_queries.selection(filters, None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "32016R0001", 7)
    for line in (
        'FILTER(STRSTARTS(STR(?celex), "3"))',
        "VALUES ?type { <http://publications.europa.eu/resource/authority/resource-type/REG> }",
        '"http://publications.europa.eu/resource/authority/dir-eu-legal-act/1510"',
        "VALUES ?concept { <http://eurovoc.europa.eu/5482> }",
        'FILTER(?date >= "2016-01-02"^^xsd:date)',
        'FILTER(?date <= "2017-03-04"^^xsd:date)',
        '?work cdm:resource_legal_in-force "false"^^xsd:boolean .',
        'FILTER(?modified >= "2026-01-02T03:04:05Z"^^xsd:dateTime)',
        'FILTER(STR(?celex) > "32016R0001")',
        "ORDER BY ?celex LIMIT 7",
    ):
        assert line in query
    url = cellar_queries.query_url("https://x/sparql", query)
    assert parse_qs(urlsplit(url).query)["query"] == [query]


@given(hostile.map(lambda text: cellar.URI + "/" + text) | hostile)
def test_resources_are_located_below_the_base(uri: str) -> None:
    found = cellar.locate(BASE, uri)
    if found is not None:
        parts = urlsplit(found)
        assert found.startswith(BASE + "/") and ".." not in found and "//" not in parts.path
        assert parts.netloc == "127.0.0.1:9" and not parts.query and not parts.fragment
        assert not re.search(r"[\s\x00-\x1f]", found)


def test_locate() -> None:
    item = "/cellar/3e485e15-11bd-11e6-ba9a-01aa75ed71a1.0006.02/DOC_2"
    for start in (cellar.URI, cellar.RESOURCE, BASE):
        assert cellar.locate(BASE, start + item) == BASE + item
    for bad in (
        "https://x.example/resource" + item,
        cellar.URI,
        cellar.URI + "/a?b",
        cellar.URI + "/cellar/../../b",
        cellar.URI + "/a#b",
        item,
    ):
        assert cellar.locate(BASE, bad) is None


def test_addresses_of_numbers() -> None:
    assert cellar.address(BASE, "32016R0679R(02)") == f"{BASE}/celex/32016R0679R%2802%29"
    assert cellar.address(BASE, "12012M/TXT") == f"{BASE}/celex/12012M%2FTXT"


@pytest.mark.parametrize(
    ("celex", "act"),
    [("32016R0679R(02)", "32016R0679"), ("32016R0679", None), ("32016R0679R(01)-20180101", "32016R0679"),
     ("02016R0679-20160504", None), ("R(01)", None)],
)  # fmt: skip
def test_corrigenda_name_their_act(celex: str, act: str | None) -> None:
    assert cellar.corrected(celex) == act


def test_versions_of_an_inventory() -> None:
    def row(type: str, language: str = "FRA", item: str = "DOC_1", celex: str = "32016R0679") -> dict[str, str]:
        uri = f"{cellar.URI}/authority/language/{language}"
        return {"celex": celex, "work": "w", "type": type, "language": uri, "item": f"{cellar.URI}/cellar/m/{item}"}

    rows = [row("fmx4", item="DOC_10"), row("fmx4", item="DOC_9"), row("fmx4", item="DOC_9"), row("print"), row("fmx3")]
    rows += [row("pdfa9z"), row("PDFA1A"), row("xhtml", language="NOR"), row("xhtml", celex="<x>"), {}]
    found = {(version.form, version.type): version for version in cellar.versions(rows)}
    assert set(found) == {("formex", "fmx4"), ("pdf", "pdfa9z"), ("pdf", "pdfa1a")}
    assert [uri[-6:] for uri in found["formex", "fmx4"].items] == ["/DOC_9", "DOC_10"]
    assert {version.language for version in found.values()} == {"fr"}
    assert cellar.rank(found["pdf", "pdfa1a"]) < cellar.rank(found["pdf", "pdfa9z"])


def test_what_is_accepted() -> None:
    assert cellar.accept("formex") == "application/xml;type=fmx4"
    assert cellar.accept("pdf", "pdfa2a") == "application/pdf;type=pdfa2a"
    assert cellar.accept("pdf", "pdf") == "application/pdf"
    assert cellar.accept("xhtml").split(", ")[:2] == ["application/xhtml+xml", "text/html"]
    assert cellar.is_form("formex", "text/xml") and not cellar.is_form("xhtml", "application/rdf+xml")


def test_a_list_of_files_is_read_in_its_order() -> None:
    items = "".join(
        f'<li title="item"><a href=" http://h/DOC_{number} "><span class="url">x</span></a><ul><li title="stream_name">'
        f'{name}</li><li title="stream_order">{number}</li></ul></li>'
        for number, name in ((10, "L_1.000301.xml"), (2, "L_1.000201.xml"), (1, "L_1.doc.xml"))
    )
    body = f'<html><body>List<ul><li title="manifestation">m<ul>{items}</ul></li></ul></body></html>'.encode()
    found = cellar.choices(body)
    assert [url for url, _ in found] == ["http://h/DOC_1", "http://h/DOC_2", "http://h/DOC_10"]
    assert [name for _, name in found if cellar.is_apparatus(name)] == ["L_1.doc.xml"]
    assert cellar.choices(b'<p><a href="http://h/DOC_1">a</a></p>') == [("http://h/DOC_1", "")]
    assert cellar.choices(b"") == cellar.choices(b"\x00\xff") == []


@given(st.binary(max_size=300) | hostile.map(lambda text: f'<li title="item"><a href="{text}">'.encode()))
def test_no_list_of_files_raises(body: bytes) -> None:
    assert all(isinstance(url, str) for url, _ in cellar.choices(body))


def test_challenges_are_told_from_documents() -> None:
    page = {"content_type": "text/html"}
    assert cellar.is_challenge(answer(b"", 202))
    assert cellar.is_challenge(answer(CHALLENGE, **page))
    assert cellar.is_challenge(answer(b"", 405, x_amzn_waf_action="captcha"))
    assert cellar.is_challenge(answer(b"<p>Please verify that you\xe2\x80\x99re not a robot.</p>", **page))
    assert not cellar.is_challenge(answer(b"<p>An act on robots.</p>", **page))
    assert not cellar.is_challenge(answer(b"%PDF-1.7 gokuProps", content_type="application/pdf"))
    long = b"<p>gokuProps</p>" + b"<p>An act about firewalls.</p>" * 5_000
    assert not cellar.is_challenge(answer(long, **page))
    assert cellar.does_not_exist(answer(NOWHERE, **page))
    assert not cellar.does_not_exist(
        answer(b"<p>said 'The requested document does not exist.'</p>" + b"<p>word </p>" * 900, **page)
    )


def test_rows_of_results() -> None:
    body = json.dumps(
        {"results": {"bindings": [{"a": {"type": "uri", "value": "x"}, "b": {"value": ""}}, {}]}}
    ).encode()
    assert cellar.rows(body) == [{"a": "x", "b": ""}, {}]
    assert cellar.is_cut({"x-sparql-maxrows": "10000"}) and cellar.is_partial({"x-sql-state": "S1TAT"})


@given(st.recursive(st.none() | st.text(max_size=5) | st.integers(), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["results", "bindings", "value", "celex"]), inner, max_size=3)))  # fmt: skip
def test_only_results_are_rows(tree: object) -> None:
    try:
        found = cellar.rows(json.dumps(tree).encode())
    except ValueError:
        return
    assert all(isinstance(value, str) for row in found for value in row.values())


def test_the_acts_of_the_test_server_are_read_as_acts() -> None:
    for work in works().values():
        for language, types in work.versions.items():
            for file in types.get("xhtml", []):
                found = eurlex.extract_html(file.body)
                assert found.error is None and found.meta["articles"] >= 1 and found.language in (language, None)
            for file in types.get("fmx4", [])[-1:]:
                tree = parse_xml(file.body)
                assert formex.recognises(tree)
                found = formex.extract_tree(tree)
                assert found.meta["articles"] >= 4 and found.meta["celex"] == work.celex and found.language == language
