"""Every builder on a published corpus: held-out works only, no orphans, slices that are exact."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.files import Corpus
from catalog.set_schema import BENCHMARK
from retrieval.benchmarks import articles, clirudit, lemur, mixed_pool, questions
from retrieval.benchmarks.rows import Query as Row
from retrieval.benchmarks.rows import capped, queries, whole
from retrieval.source import Source, opened
from retrieval.works import Splits
from tests.corpora import document, publish, write_shard
from tests.retrieval.parallel_rows import act, body


def _rows() -> Iterator[dict[str, Any]]:
    for number in range(1, 13):
        for language in ("en", "fr"):
            parts = [(f"Heading of {language} {number} {n}", body(language, number * 100 + n)) for n in range(3)]
            made = act(number, language, parts)
            yield document(
                f"{number}{language}", made["text"], celex=made["celex"], sections=made["sections"],
                language=language, declared_language=language,
            )  # fmt: skip
    for number in range(1, 13):
        meta = {
            "doi": f"10.7202/{number}ar",
            "keywords": {"en": ["alpha", "beta", f"own {number}", "delta"]},
            "titles": {code: f"Title {code} of {number}" for code in ("en", "fr")},
            "abstracts": {
                "en": body("en", number + 5_000),
                "fr": body("fr", number + 6_000) + "\ud800" * (number == 3),
            },
            "rights": "All rights\nreserved",
        }
        yield document(f"article{number}", body("en", number + 9_000, 80), meta=json.dumps(meta))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    corpus = Corpus(tmp_path_factory.mktemp("corpus").resolve())
    write_shard(corpus, "web-1", "web", _rows())
    publish(corpus)
    with opened(corpus, Splits(test=0.6, validation=0.1)) as found:
        yield found


BUILDERS = {
    "clirudit": (clirudit.CLIRUDIT, {}),
    "lemur": (lemur.LEMUR, {"shortest": 10}),
    "mixed-pool": (mixed_pool.MIXED_POOL, {"shortest": 5}),
    "articles": (articles.ARTICLES, {"shortest": 5, "kinds": ("article", "abstract")}),
    "questions": (questions.QUESTIONS, {}),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_builders_on_a_corpus(source: Source, tmp_path: Path, name: str) -> None:
    builder, params = BUILDERS[name]
    if name == "questions":
        file = tmp_path / "questions.json"
        works = [f"celex:32020R{number:04}" for number in range(1, 13)]
        file.write_text(json.dumps([{"query": w, "language": "en", "relevant_works": [w]} for w in works]))
        params = {"file": file}
    assert builder.name == name
    made = builder.make(source, builder.params.model_validate(params))
    for table, rows in (("documents", made.documents), ("queries", made.queries), ("qrels", made.qrels)):
        assert rows.schema.equals(BENCHMARK[table])
        assert rows.num_rows > 0
    ids, asked = made.documents["id"].to_pylist(), made.queries["id"].to_pylist()
    assert len(ids) == len(set(ids)) and len(asked) == len(set(asked))
    assert set(made.qrels["document_id"].to_pylist()) <= set(ids)
    assert set(made.qrels["query_id"].to_pylist()) <= set(asked)
    held = dict(source.connection.execute("SELECT work, split FROM works").fetchall())
    assert {held[work] for work in made.documents["work"].to_pylist()} == {"test"}
    texts = dict(source.connection.execute("SELECT id, text FROM documents").fetchall())
    for row in made.documents.filter(pc.is_valid(made.documents["start"])).to_pylist():
        assert texts[row["doc"]][row["start"] : row["end"]] == row["text"]
    assert made.counts["used"] == len(set(made.documents["doc"].to_pylist()))
    again = builder.make(source, builder.params.model_validate(params))
    assert again.documents.equals(made.documents) and again.qrels.equals(made.qrels)


def test_rights_are_the_licence_where_none_is_named(source: Source) -> None:
    made = clirudit.make(source, clirudit.CliruditParams())
    assert set(made.documents["licence"].to_pylist()) == {"All rights reserved"}


@given(st.text(st.characters(), max_size=50))
def test_texts_become_utf8(text: str) -> None:
    found = whole(text)
    assert pa.array([found])[0].as_py() == found
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert found == text


def test_the_cap_is_for_each_kind_and_language() -> None:
    rows = queries(Row(f"{kind}{code}{n}", "x", code, kind) for kind in "ab" for code in ("en", "fr") for n in range(4))
    order = {id: -n for n, id in enumerate(rows["id"].to_pylist())}
    judged = pa.table({"query_id": rows["id"]})
    left, answers = capped(rows, judged, order, 2, Counter())
    assert left.num_rows == answers.num_rows == 8
    assert set(left["id"].to_pylist()) == {f"{k}{c}{n}" for k in "ab" for c in ("en", "fr") for n in (2, 3)}
