"""What a harvest knew of a document arrives in its row; what anyone else writes there breaks nothing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors import dispatch, warc
from extractors.labels import MAX_LABEL, of_record
from extractors.record import Record
from flows.rows import document_row
from harvesters.harvester import LABELS
from harvesters.spider.archive import Archive, Exchange

WHEN = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = b"<html><head><link rel='license' href='https://creativecommons.org/licenses/by-nc/4.0/'></head><p>Un texte.</p>"
KNOWN = {
    "celex": "32016R0679R(01)", "language": "fr-CA", "format": "xhtml", "work": "http://publications.test/celex/1",
    "corrects": "32016R0679", "doi": "10.7202/1060031ar", "erudit_id": "1060031ar", "rights": "Tous droits réservés",
    "licence": "https://creativecommons.org/licenses/by/4.0/", "access": "open", "journal": "Études", "origin": "CC",
    "datestamp": "2026-11-20",
}  # fmt: skip


def harvested(folder: Path, body: bytes, mime: str, labels: dict[str, str]) -> list[Record]:
    """The records of an archive with one exchange."""
    archive = Archive(folder, "florilege/1", "a@b.org", True)
    archive.open("s", 0)
    archive.exchange(Exchange("http://a.test/1", "GET", [], 200, "OK", [("Content-Type", mime)], body, WHEN), labels)
    file = archive.close()
    return list(warc.read(lambda: file.open("rb"), source="s", path="p"))


def test_every_label_arrives_in_the_row_of_the_document(tmp_path: Path) -> None:
    record = harvested(tmp_path, PAGE, "text/html", KNOWN)[1]
    row = document_row(record, dispatch.extract(record))
    meta = json.loads(row["meta"])
    assert (row["celex"], row["declared_language"]) == ("32016R0679R(01)", "fr")
    expected = {name: value for name, value in KNOWN.items() if name not in ("celex", "language", "licence")}
    assert {name: meta.get(name) for name in expected} == expected
    assert meta["harvest_licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert set(KNOWN) == set(LABELS)


def test_the_licence_of_the_page_stands_beside_the_harvested_one(tmp_path: Path) -> None:
    record = harvested(tmp_path, PAGE, "text/html", {"licence": KNOWN["licence"]})[1]
    meta = json.loads(document_row(record, dispatch.extract(record))["meta"])
    assert "by-nc" in meta["licence"]
    assert "by/4.0" in meta["harvest_licence"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"florilege-colour": "red", "celex": "32016R0679", "x-florilege-doi": "1"}, {}),
        ({"florilege-celex": "32016r0679"}, {"celex": "32016R0679"}),
        ({"florilege-celex": "12012M/TXT"}, {"celex": "12012M/TXT"}),
        ({"florilege-celex": "none", "florilege-corrects": "'; DROP TABLE documents"}, {}),
        ({"florilege-celex": "3" * 100_000}, {}),
        ({"florilege-language": "ENG"}, {"language": "en"}),
        ({"florilege-language": "pt-BR"}, {"language": "pt"}),
        ({"florilege-language": "klingon"}, {}),
        ({"florilege-language": "und"}, {}),
        ({"florilege-doi": " 10.1/x\x00\x85\ty ", "florilege-erudit-id": ""}, {"doi": "10.1/x y"}),
        ({"florilege-rights": "x" * 100_000}, {"rights": "x" * MAX_LABEL}),
    ],
)
def test_labels_are_looked_at_before_they_are_believed(fields: dict[str, str], expected: dict[str, str]) -> None:
    assert of_record(fields) == expected


@given(st.dictionaries(st.sampled_from(LABELS), st.binary(max_size=60) | st.just(b"\xff" * 9_000), max_size=5))
def test_nonsense_in_foreign_archives_is_survived(labels: dict[str, bytes]) -> None:
    lines = [b"Florilege-" + name.encode() + b": " + value.replace(b"\n", b" ") for name, value in labels.items()]
    head = [b"WARC/1.0", b"WARC-Type: resource", b"Content-Type: text/html", *lines, b"Content-Length: 9", b"", b""]
    data = b"\r\n".join(head) + b"<p>Un.</p"
    (record,) = warc.read(lambda: io.BytesIO(data), source="s", path="p")
    row = document_row(record, dispatch.extract(record))
    assert record.payload == b"<p>Un.</p"
    assert set(record.meta) <= {*LABELS, "harvest_licence"}
    assert len(row["meta"] or "") < 100_000
    assert row["text"] is not None or row["error"]


@pytest.mark.parametrize(
    ("body", "mime", "skip"),
    [
        (b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><error/></OAI-PMH>", "text/xml", "oai-pmh+xml"),
        (b"<sparql xmlns='http://www.w3.org/2005/sparql-results#'/>", "text/html", "sparql-results+xml"),
        (b'{"head": {"vars": []}, "results": {}}', "application/sparql-results+json", "sparql-results+json"),
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'/>", "text/plain", "sitemap+xml"),
        (b"<?xml version='1.0'?><sitemapindex/>", "application/octet-stream", "sitemap+xml"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "application/gzip", "gzip"),
        (b"<rss version='2.0'><channel/></rss>", "text/html", "rss+xml"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "application/atom+xml", "atom+xml"),
    ],
)
def test_what_programs_ask_for_is_no_document(tmp_path: Path, body: bytes, mime: str, skip: str) -> None:
    assert [record.skip for record in harvested(tmp_path, body, mime, {})] == [
        "record-type: warcinfo", f"media-type: application/{skip}", "record-type: request"
    ]  # fmt: skip
