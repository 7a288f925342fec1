"""The documents of a snapshot with their works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import document, identity, publish, write_shard

from catalog.errors import ConfigError
from catalog.files import Corpus
from retrieval.source import Source, opened
from retrieval.works import Splits

ACTS = [
    document(f"{n} {lang}", language=lang, celex=f"32020R{n:04}", path=f"{n}/{lang}.html")
    for n in range(20) for lang in ("en", "fr")
]  # fmt: skip


@pytest.fixture(scope="module")
def acts(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    corpus = Corpus(tmp_path_factory.mktemp("acts").resolve() / "corpus")
    write_shard(corpus, "acts-1", "acts", [*ACTS[:10], document("short", words=3)])
    write_shard(corpus, "acts-2", "acts", ACTS[10:])
    publish(corpus)
    return corpus


@pytest.fixture
def source(acts: Corpus) -> Iterator[Source]:
    with opened(acts, Splits(test=0.4)) as found:
        yield found


def test_the_documents_of_some_splits(source: Source) -> None:
    tables = list(source.documents(("id", "work", "split", "language"), splits=("test",), batch=3))
    assert all(0 < table.num_rows <= 3 for table in tables)
    found = [row for table in tables for row in table.to_pylist()]
    assert {row["split"] for row in found} == {"test"}
    assert {r["work"] for r in found if r["language"] == "en"} == {r["work"] for r in found if r["language"] == "fr"}
    rest = [row for t in source.documents(("id",), splits=("train", "validation")) for row in t.to_pylist()]
    assert len(rest) + len(found) == 40


def test_kept_documents_only_once_each(source: Source) -> None:
    ids = [row["id"] for table in source.documents(("id",)) for row in table.to_pylist()]
    assert sorted(ids) == sorted(row["id"] for row in ACTS) and identity("short") not in ids


def test_by_language_and_by_file(source: Source) -> None:
    english = [row for t in source.documents(("id", "text"), languages=("en",)) for row in t.to_pylist()]
    assert len(english) == 20 and all(" en," in row["text"] for row in english)
    by_file = [sum(t.num_rows for t in source.documents(("id",), shards=[name])) for name in source.shards()]
    assert sorted(by_file) == [10, 30]


def test_no_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no catalog"), opened(Corpus(tmp_path), Splits()):
        pass
