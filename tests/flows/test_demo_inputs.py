"""The demonstration's inputs: the same every time, readable by other readers, and as the list of plants says."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from extractors import warc
from flows.demo import acts, articles, make, pages
from flows.demo.scan import misread
from flows.demo.typeset import Block, Layout, hyphenate, typeset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    (path / "counts.txt").write_text(json.dumps(make(path)))
    return path


@pytest.fixture(scope="module")
def planted(folder: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((folder / "planted.json").read_text(encoding="utf-8"))
    return loaded


def _files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.suffix != ".txt" and p.is_file()
    }


def _grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[n:] for n in range(5)), strict=False))


def _jaccard(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)


def _pdf_text(path: Path, password: str | None = None) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path, password=password)
    try:
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    return re.sub(r"\s+", " ", re.sub("[\ufffe\u00ad]|-\r?\n", "", text))


def _responses(path: Path) -> list[tuple[str, str, str, bytes]]:
    """(record type, url, content coding, raw body) of each record but requests and warcinfo."""
    from warcio.archiveiterator import ArchiveIterator

    found = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type in ("response", "revisit"):
                coding = record.http_headers.get_header("Content-Encoding", "")
                record.http_headers.remove_header("Content-Encoding")
                url = record.rec_headers.get_header("WARC-Target-URI")
                found.append((record.rec_type, url, coding, record.content_stream().read()))
    return found


def test_the_same_bytes_every_time(folder: Path, tmp_path: Path) -> None:
    make(tmp_path)
    assert _files(tmp_path) == _files(folder)


def test_counts_are_those_of_what_lies_there(folder: Path, planted: list[dict[str, Any]]) -> None:
    written = _files(folder)
    assert json.loads((folder / "counts.txt").read_text()) == {
        "pages": sum("url" in entry for entry in planted),
        "acts": 6,
        "articles": 8,
        "files": len(written),
        "bytes": sum(map(len, written.values())),
    }


def test_every_file_and_response_is_planted(folder: Path, planted: list[dict[str, Any]]) -> None:
    entries = {entry["file"] for entry in planted if "file" in entry}
    assert entries == {name for name in _files(folder) if name.startswith(("acts/", "articles/"))}
    urls = [entry["url"] for entry in planted if entry.get("archive") == "web/pages.warc.gz"]
    assert urls == [url for _, url, _, _ in _responses(folder / "web/pages.warc.gz")]
    assert {entry["expect"] for entry in planted} == {"kept", "copy", "near copy", "dropped", "skipped", "failed"}


def test_every_copy_names_a_kept_original(planted: list[dict[str, Any]]) -> None:
    kept = {entry.get("url") or entry["file"] for entry in planted if entry["expect"] == "kept"}
    copies = [entry for entry in planted if entry["expect"] in ("copy", "near copy")]
    assert len(copies) > 40
    assert all(entry["of"] in kept for entry in copies)


def test_the_archive_decodes_to_the_pages_that_were_put_in(folder: Path) -> None:
    import gzip

    import brotli

    decode = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
    expected = {c.url: c.body for c in pages.captures() if c.archive == pages.MAIN and not c.revisit_of}
    read = {
        url: decode[coding](body)
        for kind, url, coding, body in _responses(folder / "web/pages.warc.gz")
        if kind == "response"
    }
    assert read == expected
    assert {coding for _, _, coding, _ in _responses(folder / "web/pages.warc.gz")} == {"", "gzip", "br"}


def test_payload_digests_are_right(folder: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    with (folder / "web/pages.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            record.raw_stream.read()
            assert record.digest_checker.passed is not False


def test_the_truncated_archive_ends_within_its_last_record(folder: Path, planted: list[dict[str, Any]]) -> None:
    listed = [entry for entry in planted if entry.get("archive") == "web/truncated.warc.gz"]
    archive = folder / "web/truncated.warc.gz"
    records = list(warc.read(lambda: archive.open("rb"), source="web", path=archive.name))
    whole = [record.url for record in records if record.kind == "response" and record.error is None]
    assert whole == [entry["url"] for entry in listed[:-1]]
    assert listed[-1]["expect"] == "failed"


def test_pages_are_written_in_their_character_sets() -> None:
    for language in pages.LANGUAGES:
        for entry in pages._read(f"pages.{language}.toml")["page"]:
            page = pages._page(entry, language)
            capture = next(c for c in pages.captures() if c.url == page.url)
            html = capture.body.decode(page.charset)
            assert all(text[:40].replace("&", "&amp;") in html for text in page.paragraphs)
            assert 120 <= len(re.findall(r"\w+", " ".join(page.paragraphs))) <= 400 or language == "ja"
            assert capture.charset == page.charset or f"charset={page.charset}" in html.replace('"', "")


def test_near_copies_are_near_and_other_texts_are_not() -> None:
    texts: dict[str, str] = {}
    for capture in pages.captures():
        if capture.kind in ("article", "near copy"):
            html = capture.body.decode(capture.charset or re.search(rb'charset="?([\w-]+)', capture.body)[1].decode())  # type: ignore[index]
            texts[capture.url] = " ".join(re.findall(r"<p(?: align=justify)?>([^<]*)", html))
            if capture.kind == "near copy":
                assert 0.7 < _jaccard(_grams(texts[capture.url]), _grams(texts[capture.facts["of"]])) < 1
                del texts[capture.url]
    for one, other in combinations(texts.values(), 2):
        assert _jaccard(_grams(one), _grams(other)) < 0.2


def test_garbage_is_large_and_the_hanging_page_small() -> None:
    bodies = {capture.kind: capture.body for capture in pages.captures()}
    assert 2_500_000 < len(bodies["garbage"]) < 3_500_000
    assert len(bodies["hanging"]) < 1_000_000
    assert bodies["hanging"].count(b"<span>") == 40_000


def test_acts_differ_from_one_another() -> None:
    for language in acts.LANGUAGES:
        grams = [_grams(re.sub("<[^>]+>", " ", acts.html(act))) for act in acts.load() if act.language == language]
        assert len(grams) == 6
        for one, other in combinations(grams, 2):
            assert _jaccard(one, other) < 0.5


def test_acts_say_the_same_number_of_things_in_every_language() -> None:
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for act in acts.load():
        assert re.fullmatch(r"3\d{4}[RLD]9\d{3}", act.celex)
        shape = (len(act.recitals), *(len(text) for _, _, text in act.articles), *map(len, act.annex[2]))
        shapes.setdefault(act.celex, set()).add(shape)
    assert all(len(shape) == 1 for shape in shapes.values())


def test_acts_and_articles_are_well_formed(folder: Path) -> None:
    from lxml import etree

    for act in acts.load():
        root = etree.parse(str(folder / "acts" / act.celex / f"{act.language}.html")).getroot()
        titles = root.findall(".//{*}p[@class='oj-doc-ti']")
        assert [title.text for title in titles[:3]] == act.titles
    for article in articles.load():
        root = etree.parse(str(folder / "articles" / f"{article['id']}.xml")).getroot()
        assert root.tag == "{http://www.erudit.org/xsd/article}article"
        assert root.findtext(".//{*}grtitre/{*}titre") == article["title"][article["language"]]
        assert {found.get("lang") for found in root.iter("{*}resume")} == {"fr", "en"}
        marks = [found.get("idref") for found in root.iter("{*}renvoi")]
        assert marks == [found.get("id") for found in root.iter("{*}note")]


def test_each_pdf_has_its_title_and_text(folder: Path) -> None:
    for act in acts.load():
        path = folder / "acts" / act.celex / f"{act.language}.pdf"
        if act.defect in (None, "password"):
            text = _pdf_text(path, acts.PASSWORD if act.defect else None)
            for line in (*act.titles, act.annex[1], act.annex[2][1][0], act.note):
                assert line in text
    for article in articles.load():
        text = _pdf_text(folder / "articles" / f"{article['id']}.pdf")
        for line in (article["title"]["fr"], article["title"]["en"], *article["notes"]):
            assert line in text


def test_defective_pdfs_are_defective(folder: Path) -> None:
    import pypdfium2

    found = {act.defect: act for act in acts.load() if act.defect}
    paths = {defect: folder / "acts" / act.celex / f"{act.language}.pdf" for defect, act in found.items()}
    assert sorted(paths) == ["cut", "misread", "password", "picture"]
    assert _pdf_text(paths["picture"]).strip() == ""
    assert found["misread"].titles[-1] not in _pdf_text(paths["misread"])
    assert len(_pdf_text(paths["misread"])) > 1000
    for defect in ("cut", "password"):
        with pytest.raises(pypdfium2.PdfiumError):
            pypdfium2.PdfDocument(paths[defect])


def test_lines_are_broken_within_words(folder: Path) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(folder / "acts/32012L9117/ES.pdf")
    assert document[0].get_textpage().get_text_range().count("\ufffe") >= 3
    document.close()


@pytest.mark.parametrize(
    ("word", "broken"),
    [
        ("zwischen", "zwi-schen"),
        ("registre", "regis-tre"),
        ("municipality", "muni-ci-pa-lity"),
        ("pan", "pan"),
        ("Ἀρχή", "Ἀρχή"),
    ],
)
def test_hyphenate(word: str, broken: str) -> None:
    assert hyphenate(word).replace("\u00ad", "-") == broken


def test_misread_spoils_most_words() -> None:
    text = "the keeper of the lighthouse records the tide in the ledger every evening"
    assert len(set(misread(text).split()) & set(text.split())) <= 3


def test_typeset_numbers_pages_and_sets_notes_at_the_foot() -> None:
    import pypdfium2

    blocks = [Block("paragraph", "A sentence that fills a line or two of the page. " * 20 + "[^1]")] * 8
    data = typeset(
        [Block("title", "Head")], [*blocks, Block("note", "1. The note.")], Layout(("a", "b", "p. {page}"), 2, 11.0, 7)
    )
    document = pypdfium2.PdfDocument(data)
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    assert [f"p. {number}" in text for number, text in enumerate(texts, 7)] == [True] * len(texts)
    assert [("The note." in text) for text in texts] == [False] * (len(texts) - 1) + [True]
