"""Sets made from small corpora: complete, clear of benchmarks, and no work done twice."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from corpora import Row, document, publish, write_shard

from catalog import sets
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.set_schema import SCHEMAS, TEXT_COLUMNS
from catalog.sets import Set
from retrieval import assembly
from retrieval.builders import PAIRS, benchmark_builder, pair_builder
from retrieval.leak import measure
from retrieval.negatives import NegativeParams
from retrieval.overlap import Rules
from retrieval.source import opened
from retrieval.systems import system
from retrieval.works import Splits
from tests.retrieval.endpoint import Behave, Handler, serving

SPLITS = Splits(test=0.3, validation=0.1)
NONE = Splits(test=0.0, validation=0.1)
_LETTERS = {"en": "abcdefghijklmnop", "fr": "abcdefghéàçùœmno", "de": "abcdefghäöüßlmno"}


def prose(name: str, language: str = "en", sentences: int = 6) -> str:
    """Sentences of words that no other text has."""
    dice = random.Random(f"{name} {language}")

    def word() -> str:
        return "".join(dice.choices(_LETTERS[language], k=dice.randint(4, 9)))

    return " ".join(" ".join(word() for _ in range(14)).capitalize() + "." for _ in range(sentences))


def act(number: int, language: str, articles: int = 4, **columns: Any) -> Row:
    """An act with a title and articles with headings."""
    text, sections = "", []
    parts = [("title", "tit_1", f"REGULATION {number} {prose(f'title {number}', language, 1)}\n")]
    for n in range(1, articles + 1):
        heading = f"Article {n}\n{prose(f'heading {number} {n}', language, 1)[:40]}\n"
        parts.append(("article", f"art_{n}", f"{heading}{prose(f'act {number} {n}', language)}\n"))
    for kind, anchor, part in parts:
        heading = "\n".join(part.split("\n")[:2]) if kind == "article" else ""
        sections.append({"start": len(text), "kind": kind, "anchor": anchor, "heading": heading})
        text += part
    name = f"act {number} {language}"
    return document(
        name, text, language=language, declared_language=language, celex=f"32020R{number:04}", sections=sections,
        path=f"{number}/{language}.html", title=parts[0][2].strip(), **columns,
    )  # fmt: skip


def article(number: int, **meta: Any) -> Row:
    """An article with titles, abstracts and keywords in two languages."""
    own = {
        "titles": {code: prose(f"title {number}", code, 1) for code in ("en", "fr")},
        "abstracts": {code: prose(f"abstract {number}", code, 4) for code in ("en", "fr")},
        "keywords": {code: [f"{prose(f'{number} {n}', code, 1)[:12]}" for n in range(4)] for code in ("en", "fr")},
        "doi": f"10.5555/{number}",
    }  # fmt: skip
    title = own["titles"]["fr"]
    text = f"{title}\n{own['abstracts']['fr']}\n{prose(f'article {number}', 'fr', 20)}"
    return document(
        f"article {number}", text, language="fr", title=title, meta=json.dumps(own | meta), path=f"{number}.xml"
    )


def page(number: int, text: str | None = None, **columns: Any) -> Row:
    return document(f"page {number}", prose(f"page {number}", sentences=30) if text is None else text, **columns)


def grown(root: Path, *shards: list[Row]) -> Corpus:
    """A corpus of these shards; those that are there already stay."""
    corpus = Corpus(root.resolve())
    for number, rows in enumerate(shards):
        if not corpus.manifest("shards", f"web-{number}").is_file():
            write_shard(corpus, f"web-{number}", "web", rows)
    publish(corpus)
    return corpus


ACTS = [act(number, language) for number in range(12) for language in ("en", "fr", "de")]
ARTICLES = [article(number) for number in range(12)]
PAGES = [page(number) for number in range(12)]
POOR = [
    page(100, language=None), page(101, title=""), page(102, "word " * 9), page(103, language="und"),
    article(104, keywords={"en": ["One", "ONE", "one ", "Two"], "fr": []}), article(105, abstracts={"en": "  "}),
    article(106, titles={}, keywords={"fr": "no list"}), page(107, title=None, meta="{broken"),
    document("act 108 en", prose("act 108"), celex="32020R0108", title=""), page(109, "!!! ... 12 34\n" * 99),
]  # fmt: skip
"""Counted beside the documents."""
SMALL: dict[str, dict[str, Any]] = {"batches-16": {"size": 4, "most": 40}, "crops": {"chunk": 32}}


def training(
    corpus: Corpus, name: str, params: dict[str, Any] | None = None, splits: Splits = SPLITS,
    rules: Rules | None = None, mined: dict[str, Any] | None = None, set_name: str | None = None,
    parts: list[str] | None = None,
) -> Set:  # fmt: skip
    builder = pair_builder(name)
    chosen = builder.params.model_validate(SMALL.get(name, {}) if params is None else params)
    miner = None if mined is None else (system("bm25"), NegativeParams(**mined))
    with opened(corpus, splits) as source:
        return assembly.make_pairs(
            corpus, source, set_name or name, builder, chosen, splits, sets.benchmarks(corpus),
            rules or Rules(), miner, mined, (parts if parts is not None else []).append,
        )  # fmt: skip


def benchmark(corpus: Corpus, name: str, params: dict[str, Any], splits: Splits = SPLITS) -> Set:
    builder = benchmark_builder(name)
    with opened(corpus, splits) as source:
        return assembly.make_benchmark(
            corpus, source, f"{name}-test", builder, builder.params.model_validate(params), splits
        )


def texts(found: Set) -> set[str]:
    values: set[str] = set()
    for table, names in TEXT_COLUMNS.items():
        if table in SCHEMAS["pairs"]:
            for batch in found.batches(table, list(names)):
                for name in names:
                    for value in batch[name].to_pylist():
                        values.update(value if isinstance(value, list) else [value])
    return values


def rows(found: Set) -> Counter[str]:
    """All rows as one multiset, wherever they are."""
    return Counter(
        json.dumps([table, row], sort_keys=True)
        for table in SCHEMAS["pairs"]
        for batch in found.batches(table)
        for row in batch.to_pylist()
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return grown(tmp_path_factory.mktemp("mixed") / "corpus", [*ACTS, *POOR], [*ARTICLES, *PAGES])


@pytest.mark.parametrize("name", PAIRS)
def test_every_builder_makes_rows_and_counts_every_document(mixed: Corpus, name: str) -> None:
    found = training(mixed, name)
    assert sum(entry["rows"] for entry in found.manifest["files"]) > 0
    with opened(mixed, SPLITS) as source:
        trained = sum(t.num_rows for t in source.documents(("id",), ("train", "validation")))
    plain = {reason: n for reason, n in found.manifest["counts"].items() if ": " not in reason}
    assert sum(plain.values()) == trained, plain
    assert plain["used"] > 0
    again = sets.open_set(found.folder)
    assert {split for table in again.files("pairs") for split in pq.read_table(table)["split"].to_pylist()} <= {
        "train", "validation",
    }  # fmt: skip


def test_made_again_from_nothing_the_files_are_the_same(mixed: Corpus, tmp_path: Path) -> None:
    other = grown(tmp_path / "corpus", [*ACTS, *POOR], [*ARTICLES, *PAGES])
    for name in ("crops", "title-body"):
        one, two = (
            training(corpus, name, mined={"count": 3} if name != "crops" else None) for corpus in (mixed, other)
        )
        assert one.id == two.id
        assert [f["sha256"] for f in one.manifest["files"]] == [f["sha256"] for f in two.manifest["files"]]


@pytest.mark.parametrize("name", ["crops", "parallel-passages"])
def test_a_set_that_grew_is_the_set_that_was_made_at_once(tmp_path: Path, name: str) -> None:
    shards = [ACTS[:18], PAGES, ACTS[18:]]
    corpus = grown(tmp_path / "grown", *shards[:2])
    first = training(corpus, name)
    before = {f["file"]: f["sha256"] for f in first.manifest["files"]}
    second = training(grown(tmp_path / "grown", *shards), name)
    whole = training(grown(tmp_path / "whole", *shards), name)
    assert second.id == whole.id != first.id
    assert rows(second) == rows(whole) != rows(first)
    if pair_builder(name).unit == "document":
        kept = [f for f in second.manifest["files"] if f["file"] in before]
        assert len(kept) == len(before) > 0
        assert all((first.folder / f["file"]).samefile(second.folder / f["file"]) for f in kept)


def test_parts_stay_beside_a_benchmark_that_got_no_other_rows(tmp_path: Path) -> None:
    made = []
    for shards in ([ACTS], [ACTS, PAGES]):
        corpus = grown(tmp_path / "corpus", *shards)
        made.append((benchmark(corpus, "lemur", {}), training(corpus, "crops")))
    (asked, first), (again, second) = made
    assert asked.id != again.id and rows(first) != rows(second)
    assert [f["sha256"] for f in asked.manifest["files"]] == [f["sha256"] for f in again.manifest["files"]]
    assert first.manifest["files"]
    assert all((first.folder / f["file"]).samefile(second.folder / f["file"]) for f in first.manifest["files"])


def test_works_are_made_anew_when_their_text_changes(tmp_path: Path) -> None:
    """An id may be that of a place: the text there can change."""
    corpus = grown(tmp_path / "corpus", [act(1, "en"), act(1, "fr")])
    first = training(corpus, "title-body", splits=NONE)
    corpus.manifest("shards", "web-0").unlink()
    changed = [act(1, "en") | {"text": prose("changed")}, act(1, "fr")]
    write_shard(corpus, "web-1", "web", changed)
    publish(corpus)
    second = training(corpus, "title-body", splits=NONE)
    assert any(prose("changed")[:30] in text for text in texts(second)) and second.id != first.id


def test_negatives_of_texts_that_are_no_pairs(mixed: Corpus) -> None:
    with pytest.raises(ConfigError, match="`mlm` makes none"):
        training(mixed, "mlm", mined={})


def test_a_corpus_without_anything_to_train_on(tmp_path: Path) -> None:
    corpus = grown(tmp_path / "corpus", [page(1, "short", words=3)])
    for name in ("crops", "title-body"):
        found = training(corpus, name, mined={})
        assert found.manifest["files"] == []
        assert found.manifest["counts"] == {"document: held out for benchmarks": 0}


def garbage(handler: Handler, _: object, number: int) -> None:
    handler.send(b"not JSON at all") if number % 2 else handler.say("nor a question")


def hangs(handler: Handler, _: object, number: int) -> None:
    handler.hang()


def refuses(handler: Handler, _: object, number: int) -> None:
    handler.send(b'{"error": {"message": "no such model"}}', 404)


@pytest.mark.parametrize("behave", [garbage, hangs, refuses])
def test_an_endpoint_that_behaves_badly(mixed: Corpus, tmp_path: Path, behave: Behave) -> None:
    with serving(behave) as server:
        params = {
            "endpoint": server.url, "model": "m", "responses": tmp_path / "answers.jsonl", "attempts": 1,
            "timeout_s": 0.2, "in_flight": 32, "rates": {"en": 0.2, "fr": 0, "de": 0},
        }  # fmt: skip
        if behave is refuses:
            with pytest.raises(ConfigError, match=f"{server.url}.*no such model"):
                training(mixed, "synthetic", params, set_name="asked")
            return
        found = training(mixed, "synthetic", params, set_name="asked")
    counts = found.manifest["counts"]
    assert found.manifest["files"] == [] and "used" not in counts and counts["no query passed"] > 0
    assert sum(n for reason, n in counts.items() if reason.startswith(("response: ", "request: "))) > 0, counts


PLANTED = page(500, prose("planted", sentences=30))
ACT = [act(500, language) for language in ("en", "fr", "de")]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, list[Set]]:
    """A corpus with copies, near copies and passages of texts that foreign benchmarks ask for."""
    folder = tmp_path_factory.mktemp("leaky")
    text = PLANTED["text"]
    words = text.split()
    words[10], words[200] = "replaced", "replaced"
    planted = [
        page(501, text), page(502, " ".join(words)), page(503, text[600:2000]),
        page(504, prose("around", sentences=8) + " " + text + " " + prose("behind", sentences=8)),
        page(505, ACT[2]["text"][200:1500]),
    ]  # fmt: skip
    corpus = grown(folder / "corpus", [*planted, *ACT], [*PAGES, *ACTS[:9], *ARTICLES[:4]])
    beir = folder / "beir"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_text(json.dumps({"_id": "d", "title": "", "text": text}) + "\n")
    (beir / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": PAGES[0]["text"]}) + "\n")
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")
    asked = folder / "asked.json"
    asked.write_text(json.dumps([{"query": "Which act?", "relevant_works": ["celex:32020R0500"]}]))
    made = [
        benchmark(corpus, "beir", {"folder": beir, "query_language": "en", "document_language": "en"}, NONE),
        benchmark(
            corpus, "questions", {"file": asked, "splits": ["train", "validation", "test"], "languages": ["de"]}, NONE
        ),
    ]
    return corpus, made


@pytest.mark.parametrize("name", PAIRS)
def test_nothing_of_a_benchmark_comes_through(leaky: tuple[Corpus, list[Set]], name: str) -> None:
    corpus, against = leaky
    found = training(corpus, name, splits=NONE)
    assert found.manifest["against"] == [{"name": one.name, "id": one.id} for one in against]
    tables = [table for table in SCHEMAS["pairs"] if table != "negatives" and found.rows(table)]
    works = {work for table in tables for batch in found.batches(table) for work in batch["work"].to_pylist()}
    # The pool of the questions is the German acts of all splits: they are held out in all languages.
    assert not {work for work in works if work.startswith("celex:")}
    assert bool(works) is (name != "lemur")
    for text in texts(found):
        for hidden in (PLANTED["text"], ACT[2]["text"], PAGES[0]["text"]):
            pieces = [hidden[at : at + 100] for at in range(0, len(hidden) - 100, 100)]
            taken = 100 * sum(piece in text for piece in pieces)
            assert taken < max(1, len(text) / 2), text[:80]
    if works:
        for one in against:
            assert measure(found.folder, one.folder).leaks == 0
