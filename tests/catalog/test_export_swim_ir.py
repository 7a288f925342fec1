from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import ConfigError
from catalog.exports import swim_ir
from catalog.files import Corpus
from catalog.set_schema import PAIRS
from catalog.sets import Set, SetWriter

Row = tuple[str, str, str, str, str]


def training_set(root: Path, rows: list[Row], split: str = "train") -> Set:
    """Pairs of (document, document's language, query, query's language, title)."""
    writer = SetWriter(Corpus(root), "made", "pairs", "1")
    table = pa.Table.from_pylist(
        [
            {"query_id": f"q{number:03d}", "query": query, "query_language": asked, "document_id": f"id of {text}",
             "title": title, "document": text, "document_language": language, "work": "w", "split": split}
            for number, (text, language, query, asked, title) in enumerate(rows)
        ],
        schema=PAIRS,
    )  # fmt: skip
    with writer.part("one") as part:
        part.write("pairs", table)
    return writer.commit(["one"], {"made": "2024"}, lambda _: "# Card")


ROWS = [
    ("Les abeilles.", "fr", "What are bees?", "en", "Titre"),
    ("Les abeilles.", "fr", "Que sont les abeilles ?", "fr", "Titre"),
    ("Les guêpes.", "fr", "What are wasps?", "en", ""),
    ("Bees.", "en", "What are\nbees?", "en", ""),
]


def test_six_keys_by_pair_of_languages(tmp_path: Path) -> None:
    manifest = swim_ir.write(training_set(tmp_path, ROWS), tmp_path / "out")
    found = {
        path.relative_to(tmp_path / "out").as_posix(): [
            json.loads(line) for line in path.read_text("utf-8").splitlines()
        ]
        for path in (tmp_path / "out").rglob("*.jsonl")
    }
    assert {name: len(rows) for name, rows in found.items()} == {
        "cross_lingual/en-fr-train.jsonl": 2, "monolingual/fr-train.jsonl": 1, "monolingual/en-train.jsonl": 1
    }  # fmt: skip
    assert all(set(row) == {"_id", "title", "text", "query", "lang", "code"} for rows in found.values() for row in rows)
    assert found["cross_lingual/en-fr-train.jsonl"][0] == {
        "_id": "id of Les abeilles.", "title": "Titre", "text": "Les abeilles.", "query": "What are bees?",
        "lang": "English", "code": "en",
    }  # fmt: skip
    assert manifest["counts"] == Counter({"cross-lingual pairs": 2, "monolingual pairs": 2})


def test_a_set_without_pairs(tmp_path: Path) -> None:
    empty = SetWriter(Corpus(tmp_path), "made", "pairs", "1").commit([], {"made": "2024"}, lambda _: "# Card")
    with pytest.raises(ConfigError, match="no pairs"):
        swim_ir.write(empty, tmp_path / "out")
    assert not (tmp_path / "out").exists()
