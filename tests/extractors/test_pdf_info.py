"""What a PDF says about itself: kept where it makes sense."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from extractors.pdf import extract
from extractors.pdf_info import describe
from extractors.record import Extract
from tests.extractors.pdf_samples import pdf


def test_information_that_makes_sense_is_kept() -> None:
    def information(canvas: Canvas) -> None:
        canvas.setTitle("A Study of Titles")
        canvas.setAuthor("Ada Example; Bo Example")

    result = extract(pdf(["Text."], draw=information, lang="fr-LU"))
    assert (result.title, result.authors, result.language) == ("A Study of Titles", ["Ada Example", "Bo Example"], "fr")
    assert result.meta["pages"] == 1
    assert result.date == result.meta["created"] == "2000-01-01"


@pytest.mark.parametrize(("tag", "language"), [("deu-AT", "de"), ("eng", "en"), ("und", None), ("zxx", None)])
def test_declared_language(tag: str, language: str | None) -> None:
    assert extract(pdf(["Text."], lang=tag)).language == language


class Entries:
    """A document that says the same in every entry."""

    def __init__(self, entry: str) -> None:
        self.entry = entry

    def __len__(self) -> int:
        return 1

    def get_metadata_value(self, key: str) -> str:
        return self.entry


def described(monkeypatch: pytest.MonkeyPatch, entry: str) -> Extract:
    monkeypatch.setattr("extractors.pdf_info._language", lambda document: None)
    result = Extract()
    describe(Entries(entry), result)
    return result


@given(st.text(st.characters(categories=["L", "Cs", "Co", "Cc"])))
def test_information_can_be_written_to_files(entry: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        result = described(monkeypatch, entry)
    written = " ".join([result.title or "", *result.authors, result.meta.get("producer", "")])
    assert not re.search(r"[\ud800-\udfff\x00-\x1f\ue000-\uf8ff]", written)


@pytest.mark.parametrize("title", ["report.doc", "Microsoft Word - final v2.docx", "untitled", "(anonymous)", "12", ""])
def test_titles_that_are_file_names_or_fillers_are_not_titles(title: str) -> None:
    assert extract(pdf(["Text."], draw=lambda canvas: canvas.setTitle(title))).title is None


@pytest.mark.parametrize("author", ["(anonymous)", "Admin", "user2", "ADMINISTRATOR", ";", ""])
def test_authors_that_are_accounts_are_no_authors(author: str) -> None:
    assert extract(pdf(["Text."], draw=lambda canvas: canvas.setAuthor(author))).authors == []


def test_the_year_in_the_title_beats_the_date_of_the_file() -> None:
    result = extract(pdf(["Text."], draw=lambda canvas: canvas.setTitle("Official Gazette of 6 May 1962")))
    assert result.date is None
    assert result.meta["created"] == "2000-01-01"


@pytest.mark.parametrize(
    ("entry", "created"),
    [
        ("D:20230405123000+02'00'", "2023-04-05"),
        ("20230405", "2023-04-05"),
        ("D:2023", "2023"),
        ("D:20231399", "2023"),
        ("D:19700101000000", None),
        ("D:99991231", None),
        ("yesterday", None),
    ],
)
def test_dates(monkeypatch: pytest.MonkeyPatch, entry: str, created: str | None) -> None:
    assert described(monkeypatch, entry).meta.get("created") == created


def test_long_entries_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(described(monkeypatch, "T" * 5_000).title or "") == 1_000
