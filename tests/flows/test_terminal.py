from __future__ import annotations

import pytest
from corpora import identity

from catalog.files import Corpus
from flows import terminal


def test_csv_quotes_only_what_must_be(capfdbinary: pytest.CaptureFixture[bytes], corpus: Corpus) -> None:
    query = """SELECT 'plain' AS a, 'with, comma' AS "b,c", '' AS none, NULL AS null, 1.5::FLOAT AS f, true AS t,
               ['x'] AS l, 'a"b' AS q, TIMESTAMPTZ '2024-01-02 03:04:05Z' AS at"""
    terminal.query(corpus.root, None, query, "csv")
    head, line = capfdbinary.readouterr().out.decode().splitlines()
    assert head == 'a,"b,c",none,null,f,t,l,q,at'
    assert line.startswith('plain,"with, comma","",,1.5,true,"[""x""]","a""b",2024-01-02 ')


@pytest.mark.parametrize("columns", [60, 90])
def test_tables_are_as_wide_as_asked(
    capsys: pytest.CaptureFixture[str], corpus: Corpus, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal.query(corpus.root, None, "SELECT id, path, title, text FROM corpus")
    terminal.runs(corpus.root)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


def test_a_document_without_zeros(capsys: pytest.CaptureFixture[str], corpus: Corpus) -> None:
    terminal.show(corpus.root, None, identity("act"), whole=False)
    short = capsys.readouterr().out
    terminal.show(corpus.root, None, identity("act"), whole=True)
    whole = capsys.readouterr().out
    assert "machine_translated" not in short
    assert "machine_translated" in whole
    assert len(short) < len(whole)


def test_lists_in_short() -> None:
    assert terminal._brief(["A. One", "B. Two"]) == "A. One, B. Two"
    assert terminal._brief(["en", "fr", "en"]) == "en 2, fr 1"
    assert terminal._brief([{"kind": "email", "start": n} for n in range(3)]) == "email 3"
    assert terminal._brief([{"start": n, "page": 1} for n in range(2_000)]) == "2,000 entries"
    assert terminal._brief([str(n) for n in range(20)]).endswith("and 12 more")
