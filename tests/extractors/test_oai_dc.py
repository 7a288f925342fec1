"""Dublin Core of repositories: an article's metadata in all its languages."""

from __future__ import annotations

from typing import Any

import pytest
from servers.oai import BY, Entry, dublin_core

from extractors import oai_dc
from extractors.markup import parse_xml
from extractors.record import Extract

BOUND = (
    'xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"'
)


def read(inside: str) -> Extract:
    root = parse_xml(f"<d:dc {BOUND}>{inside}</d:dc>".encode())
    assert oai_dc.recognises(root)
    return oai_dc.extract_tree(root)


def meta(inside: str) -> dict[str, Any]:
    return {key: value for key, value in read(inside).meta.items() if key not in ("root", "body")}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_article_in_two_languages(language: str) -> None:
    root = parse_xml(
        dublin_core(Entry("1099001ar", "tidal mills", language=language), "http://h", "/1099001ar").encode()
    )
    extract = oai_dc.extract_tree(root)
    titles = {"fr": "Sur les moulins à marée", "en": "On tidal mills"}
    assert (extract.title, extract.language, extract.authors, extract.date) == (
        titles[language], language, ["Odile Morvan"], "2025",
    )  # fmt: skip
    assert extract.meta["titles"] == titles
    assert set(extract.meta["abstracts"]) == {"fr", "en"}
    assert extract.meta["keywords"] == {"fr": ["les moulins à marée", "archives"], "en": ["tidal mills", "archives"]}
    assert extract.text == f"{titles[language]}\n{extract.meta['abstracts'][language]}"
    for start, kind, _, heading in extract.sections:
        assert extract.text[start:].startswith(heading or extract.meta["abstracts"][language])
        assert kind in ("title", "abstract")
    facts = {
        key: extract.meta[key] for key in ("journal", "volume", "issue", "year", "doi", "erudit_id", "licence", "body")
    }
    assert facts == {
        "journal": "Rivages", "volume": "1", "issue": "1", "year": "2025", "doi": "10.7202/1099001ar",
        "erudit_id": "1099001ar", "licence": BY, "body": False,
    }  # fmt: skip


def test_a_record_without_language_or_abstract() -> None:
    extract = read(
        "<dc:title>Alone &amp; <i>only</i></dc:title><dc:creator>Group of Five, Six and Seven, Ltd</dc:creator>"
    )
    assert (extract.text, extract.title, extract.language, extract.error) == (
        "Alone & only",
        "Alone & only",
        None,
        None,
    )
    assert extract.authors == ["Group of Five, Six and Seven, Ltd"]
    assert extract.meta["titles"] == {"und": "Alone & only"}
    assert read("").text == ""


@pytest.mark.parametrize(
    ("inside", "known"),
    [
        ("<dc:identifier>https://doi.org/10.7202/1ar.</dc:identifier>", {"doi": "10.7202/1ar"}),
        ("<dc:relation>doi:10.7202/1ar</dc:relation>", {}),
        ("<dc:identifier>http://id.erudit.org/iderudit/1033512ar</dc:identifier>", {"erudit_id": "1033512ar"}),
        ("<dc:identifier>http://id.erudit.org/iderudit/1033512ar/?a#b</dc:identifier>", {"erudit_id": "1033512ar"}),
        (
            "<dc:relation>A ; vol. 68 no. 3-4 (2015)</dc:relation>",
            {"journal": "A", "volume": "68", "issue": "3-4"},
        ),
        ("<dc:source>A &amp; B ; n° 12, été 2015</dc:source>", {"journal": "A & B", "issue": "12"}),
        ("<dc:relation>No journal; but words</dc:relation>", {}),
        (f"<dc:rights>{BY}</dc:rights>", {"licence": BY}),
        (f"<dcterms:license>{BY}</dcterms:license>", {"licence": BY}),
        (
            f"<dc:rights>© A, see {BY}.</dc:rights>",
            {"licence": BY, "rights": f"© A, see {BY}."},
        ),
        (
            f"<dc:rights>{BY}</dc:rights><dc:rights>http://x.example/licence</dc:rights>",
            {"licence": BY, "licences": [BY, "http://x.example/licence"]},
        ),
        ("<dc:rights>See http://x.example/about</dc:rights>", {"rights": "See http://x.example/about"}),
        (
            "<dc:rights>CC BY-NC-SA 2.5</dc:rights>",
            {"licence": "https://creativecommons.org/licenses/by-nc-sa/2.5/", "rights": "CC BY-NC-SA 2.5"},
        ),
        ("<dc:rights>ACC BYTES</dc:rights>", {"rights": "ACC BYTES"}),
        ("<dc:rights>info:eu-repo/semantics/openAccess</dc:rights>", {"access": "open"}),
        ("<dc:rights>http://purl.org/coar/access_right/c_16ec</dc:rights>", {"access": "restricted"}),
        ("<dc:date>info:eu-repo/date/embargoEnd/2030-01-31</dc:date>", {"embargo": "2030-01-31"}),
        (
            "<dc:date>embargoEnd/2030-01-31</dc:date><dc:date>2029-05-06</dc:date>",
            {"embargo": "2030-01-31", "year": "2029"},
        ),
    ],
)
def test_facts_of_a_record(inside: str, known: dict[str, Any]) -> None:
    assert meta(inside) == known


def test_links_are_the_records_own_first() -> None:
    root = parse_xml(
        f"<d:dc {BOUND}><dc:relation>http://h/2.pdf</dc:relation><dc:identifier>http://h/1</dc:identifier>"
        "<dc:identifier>doi:10.1/2</dc:identifier><dcterms:hasFormat>http://h/1.xml</dcterms:hasFormat>"
        "<dc:relation>http://h/1</dc:relation><dc:relation>Journal ; vol. 1</dc:relation></d:dc>".encode()
    )
    assert oai_dc.links(root) == ["http://h/1", "http://h/1.xml", "http://h/2.pdf"]


def test_other_vocabularies_are_left_to_others() -> None:
    for other in ("<dc/>", "<article/>", "<dc xmlns='http://example.org/direct-current'/>"):
        assert not oai_dc.recognises(parse_xml(other.encode()))


@pytest.mark.parametrize(
    "text", ["10.1234." * 20_000, "/iderudit/abc?" * 20_000 + "\nx", "a;" * 100_000, "http://" * 50_000]
)
def test_long_values_take_linear_time(text: str) -> None:
    """Squares of these lengths would take minutes."""
    for name in ("identifier", "relation", "rights", "subject", "date", "creator"):
        assert read(f"<dc:{name}>{text}</dc:{name}>").error is None
