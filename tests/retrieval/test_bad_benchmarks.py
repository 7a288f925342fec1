"""Benchmarks of input that is as bad as it comes: a clear error, or a count for everything that was left out."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import Row, document, publish, write_shard

from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.sets import Set
from retrieval import assembly
from retrieval.builders import BENCHMARKS, benchmark_builder
from retrieval.evaluation import evaluated
from retrieval.source import Source, opened
from retrieval.systems import system
from retrieval.works import Splits
from tests.retrieval.test_assembly import act, prose

ALL = Splits(test=0.98, validation=0.0, seed=1)


def article(number: int, keywords: dict[str, Any], **columns: Any) -> Row:
    abstracts = {code: prose(f"abstract {number}", code) for code in ("en", "fr")}
    meta = {"abstracts": abstracts, "titles": {"en": f"On {number}"}, "keywords": keywords, "doi": f"10.5555/{number}"}
    facts = {"text": prose(f"article {number}", "fr"), "language": "fr", "meta": json.dumps(meta)}
    return document(f"article {number}", **{**facts, **columns})


def words(count: int) -> list[str]:
    return [f"keyword {chr(97 + n)}" for n in range(count)]


NOT_OF_DOCUMENTS = re.compile(".*: ")
"""Reasons that count something else than the documents of the corpus."""
ROWS = [
    article(1, {"en": words(20)}),
    article(2, {"en": words(2)}),
    article(3, {"en": ["Law", "law", "LAW ", "Court", "court."]}),
    article(4, {"en": ["Keyword B", "KEYWORD A", "keyword c"]}),
    article(5, {"en": None, "fr": words(4)}),
    article(6, {"en": words(4)}, language=None),
    article(7, {"en": words(4)}, title="", text=""),
    article(8, {}, meta="[]"),
    act(1, "en"), act(1, "fr"), act(2, "en"), act(3, "fr") | {"language": None}, act(4, "en") | {"title": ""},
    act(4, "fr") | {"title": None},
    document("plain", prose("plain"), title=None),
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    found = Corpus(tmp_path_factory.mktemp("bad").resolve() / "corpus")
    write_shard(found, "web-1", "web", ROWS)
    publish(found)
    return found


def made(corpus: Corpus, name: str, **params: Any) -> Set:
    builder = benchmark_builder(name)
    with opened(corpus, ALL) as source:
        chosen = builder.params.model_validate(params)
        return assembly.make_benchmark(corpus, source, f"{name}-test", builder, chosen, ALL)


def held_out(source: Source) -> int:
    return sum(table.num_rows for table in source.documents(("id",), ("test",)))


@pytest.mark.parametrize("name", ["clirudit", "lemur", "articles", "mixed-pool"])
def test_nothing_silent(corpus: Corpus, name: str) -> None:
    found = made(corpus, name)
    plain = {reason: n for reason, n in found.manifest["counts"].items() if not NOT_OF_DOCUMENTS.match(reason)}
    with opened(corpus, ALL) as source:
        assert sum(plain.values()) == held_out(source), plain
    asked = found.table("queries")["id"].to_pylist()
    judged = found.table("qrels")
    assert set(judged["query_id"].to_pylist()) == set(asked) and len(set(asked)) == len(asked) > 0
    assert set(judged["document_id"].to_pylist()) <= set(found.table("documents")["id"].to_pylist())


def test_keywords_in_any_case_and_order(corpus: Corpus) -> None:
    found = made(corpus, "clirudit")
    judged = found.table("qrels").to_pylist()
    by_query: dict[str, set[str]] = {}
    for row in judged:
        by_query.setdefault(row["query_id"], set()).add(row["document_id"])
    assert len(by_query) == 1_140, "of 20 keywords; those of the articles with fewer are among them"
    assert Counter(len(answers) for answers in by_query.values()) == {2: 1_136, 4: 3, 6: 1}


def beir(folder: Path, documents: list[Any], queries: list[Any], qrels: str | None) -> Path:
    (folder / "qrels").mkdir(parents=True)
    for name, lines in (("corpus", documents), ("queries", queries)):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text)
    if qrels is not None:
        (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_a_foreign_folder_with_orphans_and_doubles(corpus: Corpus, tmp_path: Path) -> None:
    folder = beir(
        tmp_path / "beir",
        [{"_id": "1", "text": "one"}, {"_id": "1", "text": "again"}, "{broken", {"text": "no id"}, {"_id": "2"}],
        [{"_id": "q", "text": "one?"}, {"_id": "q", "text": "twice?"}, {"_id": "r", "text": ""}],
        "query-id\tcorpus-id\tscore\nq\t1\t1\nq\t9\t1\nx\t1\t1\nq\t1\t2\nq\t2\tnan\nbroken\n",
    )  # fmt: skip
    found = made(corpus, "beir", folder=folder, query_language="en", document_language="en")
    assert found.table("qrels").to_pylist() == [{"query_id": "q", "document_id": "1", "score": 1}]
    counts = found.manifest["counts"]
    assert {reason for reason in counts if reason.startswith("qrel: ")} == {
        "qrel: unknown query", "qrel: unknown document", "qrel: judged before", "qrel: score is no number",
        "qrel: not three columns",
    }  # fmt: skip
    assert counts["document: id stands before"] == counts["query: id stands before"] == counts["query: no text"] == 1
    assert "qrel: unknown document" in (found.folder / "README.md").read_text()


@pytest.mark.parametrize("qrels", [None, "", "query-id\tcorpus-id\tscore\n", "q\tx\t1\n"])
def test_a_foreign_folder_without_judgements(corpus: Corpus, tmp_path: Path, qrels: str | None) -> None:
    folder = beir(tmp_path / "beir", [{"_id": "1", "text": "one"}], [{"_id": "q", "text": "one?"}], qrels)
    with pytest.raises(ConfigError, match=r"test\.tsv"):
        made(corpus, "beir", folder=folder, query_language="en", document_language="en")


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("beir", {"folder": "/nowhere", "query_language": "en", "document_language": "en"}, "nowhere.*no such file"),
        ("questions", {"file": "/nowhere.json"}, r"nowhere\.json"),
    ],
)
def test_files_that_are_not_there(corpus: Corpus, name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(corpus, name, **params)


def test_questions_that_cannot_be_used_are_counted(corpus: Corpus, tmp_path: Path) -> None:
    file = tmp_path / "asked.json"
    good = {"id": 1, "query": "Which?", "relevant_works": ["celex:32020R0001"]}
    others = [
        7, {}, {"query": " "}, good, {"query": "x"}, {"query": "x", "relevant_works": 3},
        {"query": "x", "relevant_works": ["celex:39999R9999", None]}, {"query": "x", "relevant_works": ["case:1"]},
        {"query": "x", "expect_no_hits": True},
    ]  # fmt: skip
    file.write_text(json.dumps([good, *others]))
    found = made(corpus, "questions", file=file)
    assert found.table("queries")["id"].to_pylist() == ["1"]
    counts = {reason: n for reason, n in found.manifest["counts"].items() if reason.startswith("query: ")}
    assert sum(counts.values()) == 1 + len(others) and counts["query: used"] == 1


def test_a_model_that_returns_nan_is_named(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from tests.retrieval.test_dense import WORDS, static_model

    folder = static_model(tmp_path / "model", np.full((len(WORDS) + 1, 4), np.nan, np.float32))
    with pytest.raises(ConfigError, match=r"model.*not finite"):
        evaluated(corpus, made(corpus, "articles"), system(f"dense:{folder}"))


def test_every_benchmark_builder_is_looked_at() -> None:
    assert set(BENCHMARKS) == {"clirudit", "lemur", "articles", "mixed-pool", "beir", "questions", "downsample"}
