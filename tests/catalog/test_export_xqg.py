from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from catalog.errors import ConfigError
from catalog.exports import xqg
from tests.catalog.test_export_swim_ir import training_set

LANGUAGES = ("ar", "bn", "fi", "ja", "ko", "ru", "te")


def record(name: str, languages: tuple[str, ...] = LANGUAGES, queries: int = 5) -> dict[str, Any]:
    asked = {language: [f"{name} {language} {number}?" for number in range(queries)] for language in languages}
    return {"docid": name, "title": f"Title of {name}", "text": f"Text of {name}.", "generated_queries": asked}


RECORDS = [record("a"), record("b", LANGUAGES[1:]), record("c", ())]


def test_parquet_to_lines_to_parquet_keeps_all_queries(tmp_path: Path) -> None:
    rows = [
        (one["text"], "en", query, language, one["title"])
        for one in (record("b", LANGUAGES[1:]), record("a"))
        for language, queries in one["generated_queries"].items()
        for query in queries
    ]
    manifest = xqg.write(training_set(tmp_path, rows), tmp_path / "out", "parquet")
    xqg.convert(tmp_path / "out" / "train.parquet", tmp_path / "train.jsonl")
    xqg.convert(tmp_path / "train.jsonl", tmp_path / "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(tmp_path / "out" / "train.parquet"))
    whole, part = xqg.read(tmp_path / "again.parquet")
    assert whole["generated_queries"] == record("a")["generated_queries"]
    assert {language: len(queries) for language, queries in part["generated_queries"].items()} == dict.fromkeys(
        LANGUAGES[1:], 5
    )
    assert (tmp_path / "out" / "coverage.tsv").read_text() == "docid\tlanguage\tqueries\nid of Text of b.\tar\t0\n"
    assert manifest["coverage"]["ar"] == {"queries a passage at most": 5, "passages with fewer": 1}
    assert manifest["counts"] == {"passages": 2, "queries": 65}
    assert not list((tmp_path / "out").glob(".*"))


def test_lines_are_written_by_split(tmp_path: Path) -> None:
    xqg.write(training_set(tmp_path, [("Bees.", "en", "Q?", "fr", "")], "validation"), tmp_path / "out")
    assert list(xqg.read(tmp_path / "out" / "validation.jsonl")) == [
        {"docid": "id of Bees.", "title": "", "text": "Bees.", "generated_queries": {"fr": ["Q?"]}}
    ]


def test_coverage_lists_what_is_missing() -> None:
    assert xqg.coverage(RECORDS, LANGUAGES[:2], 5) == [("b", "ar", 0), ("c", "ar", 0), ("c", "bn", 0)]


@pytest.mark.parametrize("line", ["{", "[]", '{"docid": "a"}', '{"docid": 1, "title": "", "text": "", '
                                  '"generated_queries": {}}', '{"docid": "a", "title": "", "text": "", '
                                  '"generated_queries": {"fr": ["a", 1]}}'])  # fmt: skip
def test_what_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    good = '{"docid": "a", "title": "", "text": "", "generated_queries": {}}'
    (tmp_path / "a.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(ConfigError, match=r"a\.jsonl:2"):
        list(xqg.read(tmp_path / "a.jsonl"))


def test_no_file_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    with pytest.raises(ConfigError, match="new file"):
        xqg.convert(tmp_path / "a.jsonl", tmp_path / "a.jsonl")
