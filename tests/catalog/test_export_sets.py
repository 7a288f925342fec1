"""Sets as files: what is written, what is counted, what is refused, and that it reads back."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_sets import benchmark, made, negatives, pair, training_set

from catalog import exports
from catalog.errors import ConfigError
from catalog.exports import beir, dpr, msmarco, tevatron, trec
from catalog.exports.lists import Query, lists
from catalog.exports.pylate import min_max
from catalog.exports.sentence_transformers import depth
from catalog.files import read_json, sha256
from catalog.sets import Set, open_set
from flows import exporting

WAYS: dict[str, dict[str, Any]] = {"pylate-kd": {"n_ways": 4}, "colbert": {"n_ways": 4}}


def everything(root: Path) -> list[tuple[Set, str]]:
    """Both kinds of sets with each of their formats."""
    found = [training_set(root), benchmark(root, top_ranked=True)]
    return [(each, format) for each in found for format in exports.formats(each.kind) if format != "lines"]


def streamed(found: Set, **options: Any) -> list[Query]:
    from collections import Counter

    return list(lists(found, Counter(), **options))


def test_every_format_has_a_manifest_a_card_and_the_same_bytes_twice(tmp_path: Path) -> None:
    for n, (found, format) in enumerate(everything(tmp_path)):
        folders = [tmp_path / f"{n}-{copy}" for copy in "ab"]
        manifests = [exports.write(found, format, folder, **WAYS.get(format, {})) for folder in folders]
        assert manifests[0] == manifests[1] == read_json(folders[0] / "manifest.json")
        assert manifests[0]["set"]["id"] == found.id and manifests[0]["format"] == format
        for entry in manifests[0]["files"]:
            path = folders[0] / entry["file"]
            assert (path.stat().st_size, sha256(path)) == (entry["bytes"], entry["sha256"])
            assert entry["rows"] > 0
        assert found.name in (folders[0] / "README.md").read_text()
        assert "A set of the tests." in (folders[0] / "README.md").read_text()
        listed = {entry["file"] for entry in manifests[0]["files"]} | {"manifest.json", "README.md"}
        there = {path.relative_to(folders[0]).as_posix() for path in folders[0].rglob("*") if path.is_file()}
        assert there == listed


def test_a_set_that_was_copied_elsewhere_is_written_the_same(tmp_path: Path) -> None:
    found = training_set(tmp_path / "corpus")
    found.folder.rename(tmp_path / "copy")
    exports.write(open_set(tmp_path / "copy"), "tevatron", tmp_path / "out")
    assert len((tmp_path / "out/train.jsonl").read_text().splitlines()) == 18


def test_what_a_format_does_not_take_is_refused(tmp_path: Path) -> None:
    pairs, bench = training_set(tmp_path, lists=0), benchmark(tmp_path)
    bare = training_set(tmp_path, "bare", teacher=False)
    cases: list[tuple[Set, str, dict[str, Any], str]] = [
        (pairs, "mteb", {}, "does not take a training set"),
        (bench, "dpr", {}, "does not take a benchmark"),
        (pairs, "parquets", {}, "format = parquets: for a training set there are sentence-transformers"),
        (pairs, "plain", {"colour": 1}, "no option colour; there are: none"),
        (pairs, "dpr", {"negatives": "many"}, "option negatives = many: Input should be a valid integer"),
        (pairs, "lines", {}, "has no texts, batches, spans or groups"),
        (pairs, "pylate-kd", {}, "has no negatives, only pairs; mine negatives"),
        (pairs, "pylate-contrastive", {}, "has no negatives"),
        (pairs, "colbert", {}, "has no negatives"),
        (pairs, "pointwise", {}, "has no negatives"),
        (bare, "pylate-kd", {}, "no teacher scores; score the mined lists with a teacher"),
        (bare, "colbert", {}, "no teacher scores; score the mined lists"),
        (training_set(tmp_path, "short"), "pylate-kd", {"n_ways": 6}, "no query has 6 documents"),
        (training_set(tmp_path, "short"), "colbert", {"n_ways": 6}, "no query has 6 documents"),
        (training_set(tmp_path, "short"), "colbert", {"n_ways": 1}, "n_ways = 1: at least 2"),
        (training_set(tmp_path, "short"), "pylate-contrastive", {"negatives": 0}, "negatives = 0: at least 1"),
        (pairs, "dpr", {"share": 0.0}, "share = 0.0: more than 0"),
        (bench, "pointwise", {}, "has no top_ranked: give a TREC run"),
        (bench, "beir", {"task": "fr-fr"}, "task = fr-fr: made-bench has en-fr, en-en"),
    ]
    for found, format, options, message in cases:
        with pytest.raises(ConfigError, match=message):
            exports.write(found, format, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(ConfigError, match="is not empty"):
        exports.write(pairs, "plain", tmp_path / "full")
    assert not list(tmp_path.glob(".*"))


def test_orphans_and_doubles_are_found_before_anything_is_written(tmp_path: Path) -> None:
    document = {"id": "d", "title": "", "text": "text", "language": "en", "work": "id:d"}
    query = {"id": "q", "text": "query", "language": "en"}
    good = {"query_id": "q", "document_id": "d", "score": 1}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"documents": [document, document], "queries": [query], "qrels": [good]}, "documents: ids that stand more"),
        ({"documents": [document], "queries": [query, query], "qrels": [good]}, "queries: ids that stand more"),
        ({"documents": [document], "queries": [query], "qrels": [{**good, "document_id": "x"}]}, "documents: 'x'"),
        ({"documents": [document], "queries": [query], "qrels": [{**good, "query_id": "x"}]}, "queries: 'x'"),
        (
            {"documents": [document], "queries": [query], "qrels": [good],
             "top_ranked": [{"query_id": "q", "document_ids": ["d", "x"]}]}, "top_ranked: unknown documents: 'x'",
        ),
    ]  # fmt: skip
    for n, (tables, message) in enumerate(cases):
        found = made(tmp_path, f"wrong-{n}", "benchmark", [tables])
        for format in ("beir", "mteb", "trec", "msmarco", "huggingface", "pointwise"):
            with pytest.raises(ConfigError, match=message):
                exports.write(found, format, tmp_path / "out")


def test_pairs_and_negatives_must_stand_in_one_order(tmp_path: Path) -> None:
    rows = [pair(0), pair(1), pair(2)]
    scored = [negatives(n, 1, 3) for n in range(3)]
    cases = [
        (rows, [*scored[1], *scored[0], *scored[2]], "query 'q0' is not in pairs, or not in their order"),
        (rows[:2], [row for entry in scored for row in entry], "query 'q2' is not in pairs"),
    ]
    for n, (pairs, others, message) in enumerate(cases):
        found = made(tmp_path, f"wrong-{n}", "pairs", [{"pairs": pairs, "negatives": others}])
        for format in ("tevatron", "plain"):
            with pytest.raises(ConfigError, match=message):
                exports.write(found, format, tmp_path / "out")
    apart = made(tmp_path, "apart", "pairs", [{"pairs": [pair(0), pair(1), pair(0, document_id="other")]}])
    with pytest.raises(ConfigError, match="rows of query 'q0' do not stand together"):
        exports.write(apart, "tevatron", tmp_path / "out")
    twice = made(tmp_path, "twice", "pairs", [{"pairs": [pair(0), pair(1, document_id="doc0:0-40")]}])
    with pytest.raises(ConfigError, match="document 'doc0:0-40' has two texts"):
        exports.write(twice, "tevatron", tmp_path / "out")


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    rows = [
        pair(0), pair(0), pair(0, document_id="second", document="second"),  # twice, and a second answer
        pair(1, query=" \n"), pair(2, document="\u3000"), pair(3),
    ]  # fmt: skip
    others = [*negatives(0, 2, 4), negatives(0, 2, 4)[1], {**negatives(0, 2, 4)[1], "document_id": "second"}]
    others += [{**negatives(3, 1, 4)[1], "document": ""}]
    found = made(tmp_path, "odd", "pairs", [{"pairs": rows, "negatives": others}])
    manifest = exports.write(found, "tevatron", tmp_path / "out")
    assert manifest["counts"] == {
        "queries": 2, "pairs that stand twice": 1, "queries without text": 1, "pairs without text": 1,
        "queries without an answer": 1, "negatives that stand twice": 1, "negatives that are positives of the query": 1,
        "negatives without text": 1,
    }  # fmt: skip
    first, second = (json.loads(line) for line in (tmp_path / "out/train.jsonl").open())
    assert [p["docid"] for p in first["positive_passages"]] == ["doc0:0-40", "second"]
    assert [p["docid"] for p in first["negative_passages"]] == ["doc1:0-40", "doc2:0-40"]
    assert second["negative_passages"] == []
    manifest = exports.write(found, "sentence-transformers", tmp_path / "st", negatives=2)
    assert manifest["counts"]["queries with fewer than 2 negatives"] == 1
    assert pq.read_table(tmp_path / "st/triplets/train.parquet").num_rows == 2  # a row for each answer
    assert pq.read_table(tmp_path / "st/pairs/train.parquet").num_rows == 4


def deep(root: Path, name: str, counts: list[int], **facts: Any) -> Set:
    """Query n has counts[n] negatives; they stand in parts of three queries."""
    numbers = list(enumerate(counts))
    parts = [
        {"pairs": [pair(n) for n, _ in some],
         "negatives": [row for n, count in some if count for row in negatives(n, count, 20)]}
        for some in (numbers[k : k + 3] for k in range(0, len(numbers), 3))
    ]  # fmt: skip
    return made(root, name, "pairs", parts, **facts)


@pytest.mark.parametrize(
    ("counts", "asked", "expected"),
    [
        ([7, 7, 7, 7], 7, 7),
        ([7, 7, 5, 3], 7, 7),  # half of the queries have all
        ([7, 5, 5, 3], 7, 5),
        ([7, 5, 5, 3], 4, 4),
        ([7, 0, 0, 0], 7, 1),  # most have none
        ([9, 9, 9], None, 8),
        ([2, 2, 2], None, 2),
        ([0, 0], 7, 1),
    ],
)
def test_as_many_negatives_as_half_of_the_queries_have(
    tmp_path: Path, counts: list[int], asked: int | None, expected: int
) -> None:
    mining = None if asked is None else {"system": "bm25", "params": {"count": asked}}
    assert depth(deep(tmp_path, "deep", counts, negatives=mining)) == expected


def test_the_manifest_and_the_front_door_say_how_many_negatives_and_what_was_dropped(tmp_path: Path) -> None:
    found = deep(tmp_path, "deep", [7, 5, 5, 3], negatives={"params": {"count": 7}})
    manifest = exports.write(found, "sentence-transformers", tmp_path / "out")
    assert manifest["options"]["negatives"] == 5
    assert manifest["negatives"] == {"asked of the mining": 7, "columns": 5}
    assert manifest["counts"]["queries with fewer than 5 negatives"] == 1
    assert manifest["counts"]["negatives after the first 5"] == 2
    columns = ["anchor", "positive", *(f"negative_{n}" for n in range(1, 6))]
    assert pq.read_table(tmp_path / "out/triplets/train.parquet").column_names == columns
    assert exporting.said(manifest) == [
        "  pairs/train.parquet: 4 rows", "  triplets/train.parquet: 3 rows", "  negatives after the first 5: 2",
        "  queries with fewer than 5 negatives: 1",
    ]  # fmt: skip
    many = {"files": [{"file": f"{n}", "rows": n} for n in range(20)], "counts": {}}
    assert exporting.said(many)[-1] == "  and 8 more files"


def test_the_card_lists_the_exports_own_columns_and_the_languages(tmp_path: Path) -> None:
    found = training_set(tmp_path)
    (found.folder / "README.md").write_text(
        "---\nlicense: other\n---\n\n# Own\n\n## Columns\n\n| pairs | query_start |\n\n## Provenance\n\nBefore.\n"
    )
    for format, fields in (
        ("sentence-transformers", "anchor, positive, negative_1"), ("tevatron", "docid, title, text"),
        ("beir", "query-id, corpus-id, score"), ("msmarco", "query number, 0, document number, relevance"),
        ("dpr", "id, text, title"), ("plain", "query_start"),
    ):  # fmt: skip
        exports.write(found, format, tmp_path / format)
        text = (tmp_path / format / "README.md").read_text()
        assert f" {fields}" in text
        assert ("## Columns" in text) is (format == "plain") and "## Provenance\n\nBefore." in text
        assert yaml.safe_load(text.split("---\n")[1])["language"] == ["en"]


def test_titles_stand_before_the_text_if_asked_for(tmp_path: Path) -> None:
    found = training_set(tmp_path)
    for titles in (False, True):
        exports.write(found, "sentence-transformers", tmp_path / f"{titles}", titles=titles)
        for config, column in (("pairs", "positive"), ("triplets", "positive")):
            texts = pq.read_table(tmp_path / f"{titles}/{config}/train.parquet")[column].to_pylist()
            assert [text.startswith("Title ") for text in texts] == [
                titles and n % 2 == 1 for n in range(20) if n % 10 != 9
            ]
    bench = benchmark(tmp_path)
    exports.write(bench, "msmarco", tmp_path / "with")
    exports.write(bench, "msmarco", tmp_path / "without", titles=False)
    assert "\tTitle 1 forest" in (tmp_path / "with/collection.tsv").read_text()
    assert "Title" not in (tmp_path / "without/collection.tsv").read_text()


def test_shares_are_nested_and_of_their_size(tmp_path: Path) -> None:
    found = made(tmp_path, "many", "pairs", [{"pairs": [pair(n, document_id=f"d{n}") for n in range(3_000)]}])
    kept = [{query.id for query in streamed(found, share=share, seed=7)} for share in (0.01, 0.1, 1.0)]
    assert kept[0] < kept[1] < kept[2]
    assert 10 <= len(kept[0]) <= 60 and 240 <= len(kept[1]) <= 360 and len(kept[2]) == 3_000
    assert {query.id for query in streamed(found, share=0.1, seed=8)} != kept[1]
    manifest = exports.write(found, "sentence-transformers", tmp_path / "out", share=0.1, seed=7)
    assert manifest["counts"]["pairs"] == len(kept[1])


def test_min_max_keeps_the_order() -> None:
    assert min_max([3.0, -1.0, 1.0]) == [1.0, 0.0, 0.5]
    assert min_max([2.0, 2.0]) == [0.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=32))
def test_normalised_scores_keep_the_order(scores: list[float]) -> None:
    scaled = min_max(scores)
    assert all(0 <= value <= 1 for value in scaled)
    order = sorted(range(len(scores)), key=lambda n: scores[n])
    assert all(scaled[a] <= scaled[b] for a, b in pairwise(order))


def test_rows_without_a_usable_teacher_score_are_left_out(tmp_path: Path) -> None:
    scored = [negatives(n, 4, 5) for n in range(5)]
    scored[1][2]["teacher"] = float("nan")
    scored[2][0]["teacher"] = None
    rows = {"pairs": [pair(n) for n in range(5)], "negatives": [row for entry in scored for row in entry]}
    found = made(tmp_path, "gaps", "pairs", [rows])
    for format in ("pylate-kd", "colbert"):
        counts = exports.write(found, format, tmp_path / format, n_ways=5)["counts"]
        assert counts["queries with fewer than 5 scored documents"] == 2
        assert counts.get("rows", counts.get("lines")) == 3
    counts = exports.write(found, "pylate-kd", tmp_path / "four", n_ways=4)["counts"]
    assert counts["queries whose first answer has no teacher score"] == 1


HOSTILE = st.text(
    st.one_of(
        st.sampled_from('\t\n\r\v\f\x1c\x1e\x85\0"\\<>&;,\u2028\u2029\ufeff\u200b\u202e🇫🇷👩‍🚀é'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=6))
def test_hostile_texts_read_back(tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str]]) -> None:
    """JSON, SGML and parquet give every text back as it was; TSV gives it back with spaces for breaks."""
    root = tmp_path_factory.mktemp("hostile")
    documents = [
        {"id": f"d{n}", "title": title, "text": f"x{body}", "language": "en"}
        for n, (title, body, _) in enumerate(texts)
    ]
    queries = [{"id": f"q{n}", "text": f"y{query}", "language": "en"} for n, (_, _, query) in enumerate(texts)]
    qrels = [{"query_id": f"q{n}", "document_id": f"d{n}", "score": 1} for n in range(len(texts))]
    bench = made(root, "bench", "benchmark", [{"documents": documents, "queries": queries, "qrels": qrels}])
    for format, reader in (("beir", beir.read), ("trec", trec.read)):
        exports.write(bench, format, root / format)
        read = reader(root / format)  # type: ignore[operator]
        assert read[0].to_pylist() == [{key: row[key] for key in ("id", "title", "text")} for row in documents]
        assert read[1].to_pylist() == [{key: row[key] for key in ("id", "text")} for row in queries]
        assert read[2].to_pylist() == qrels
    exports.write(bench, "msmarco", root / "msmarco", titles=False)
    bodies, asked, judged = msmarco.read(root / "msmarco")
    for row in documents:
        assert len(bodies[row["id"]]) == len(row["text"]) and not set("\t\n\r\0\x85\u2028") & set(bodies[row["id"]])
    assert set(asked) == {row["id"] for row in queries} and len(judged) == len(qrels)
    exports.write(bench, "mteb", root / "mteb")
    corpus = pq.read_table(root / "mteb/corpus/test.parquet").to_pylist()
    assert corpus == [{"_id": row["id"], "title": row["title"], "text": row["text"]} for row in documents]

    rows = [
        pair(n, title=title, document=f"x{body}", query=f"y{query}", split="train")
        for n, (title, body, query) in enumerate(texts)
    ]
    pairs = made(root, "pairs", "pairs", [{"pairs": rows}])
    exports.write(pairs, "tevatron", root / "tevatron")
    exports.write(pairs, "dpr", root / "dpr")
    expected = streamed(pairs)
    assert list(tevatron.read(root / "tevatron/train.jsonl")) == expected
    assert list(dpr.read(root / "dpr/train.json")) == expected
    exports.write(pairs, "sentence-transformers", root / "st")
    assert pq.read_table(root / "st/pairs/train.parquet").to_pylist() == [
        {"anchor": row["query"], "positive": row["document"]} for row in rows
    ]


def test_dprs_passages_survive_pythons_csv_reader(tmp_path: Path) -> None:
    import csv

    texts = ['"quoted" at the start', 'a "quote" within', "tab\tand\nbreak", 'ends with "', "\0nul", '"']
    rows = [pair(n, document=text, title=text, split="train") for n, text in enumerate(texts)]
    manifest = exports.write(made(tmp_path, "quotes", "pairs", [{"pairs": rows}]), "dpr", tmp_path / "out")
    with (tmp_path / "out/passages.tsv").open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file, delimiter="\t"))[1:]
    flat = [text.replace("\t", " ").replace("\n", " ").replace("\0", " ") for text in texts]
    assert [(row[1], row[2]) for row in found] == list(zip(flat, flat, strict=True))
    assert manifest["counts"]["TSV: texts with tabs or line breaks"] == 4
    assert manifest["counts"]["TSV: tabs and line breaks replaced by spaces"] == 6


def test_a_task_has_its_own_queries_and_pool(tmp_path: Path) -> None:
    bench = benchmark(tmp_path, top_ranked=True)
    exports.write(bench, "mteb", tmp_path / "mteb")
    corpus = pq.read_table(tmp_path / "mteb/en-fr-corpus/test.parquet")
    assert {id.split("-")[1] for id in corpus["_id"].to_pylist()} == {"fr"}
    top = pq.read_table(tmp_path / "mteb/en-fr-top_ranked/test.parquet").to_pylist()
    assert all(len(row["corpus-ids"]) == 5 and all(id.endswith("fr") for id in row["corpus-ids"]) for row in top)
    exports.write(bench, "beir", tmp_path / "beir", task="en-fr", split="dev")
    documents, queries, qrels, left_out = beir.read(tmp_path / "beir", "dev")
    assert (documents.num_rows, queries.num_rows, qrels.num_rows, left_out) == (12, 12, 12, {})


def test_a_set_without_rows_is_refused_or_empty(tmp_path: Path) -> None:
    empty = made(tmp_path, "empty", "pairs", [{}])
    with pytest.raises(ConfigError, match="has no pairs, only no rows"):
        exports.write(empty, "tevatron", tmp_path / "out")
    assert exports.write(empty, "plain", tmp_path / "plain")["files"] == []


def test_texts_batches_spans_and_groups_are_lines(tmp_path: Path) -> None:
    own = {"work": "id:a", "split": "train"}
    rows: dict[str, list[Any]] = {
        "texts": [{"text": "one\ntwo", "language": "fr", **own}, {"text": "three", "language": "en", **own}],
        "batches": [{"chunks": ["a\n", "b"], **own}],
        "spans": [{"input_ids": [3, 258], "labels": [258, 4], "decoder_input_ids": [0, 258], "language": "en", **own}],
        "groups": [{"query_id": "q", "query": "q", "doc_en": "e", "doc_xx": "x", "language": "fr", **own}],
    }
    found = made(tmp_path, "unpaired", "pairs", [rows])
    exports.write(found, "lines", tmp_path / "out")
    assert (tmp_path / "out/texts.fr.train.txt").read_text() == "one two\n"
    assert (tmp_path / "out/texts.en.train.txt").read_text() == "three\n"
    assert json.loads((tmp_path / "out/batches.train.jsonl").read_text()) == ["a\n", "b"]
    spans = json.loads((tmp_path / "out/spans.train.jsonl").read_text())
    assert list(spans) == ["input_ids", "labels", "decoder_input_ids", "language"] and spans["labels"] == [258, 4]
    assert json.loads((tmp_path / "out/groups.train.jsonl").read_text())["doc_xx"] == "x"
    exports.write(found, "huggingface", tmp_path / "hf")
    assert {path.parent.name for path in (tmp_path / "hf").rglob("train.parquet")} == set(rows)


def test_a_set_of_a_corpus_by_name_and_by_folder(tmp_path: Path) -> None:
    found = training_set(tmp_path)
    (tmp_path / "manifests/snapshots").mkdir(parents=True)
    for n, name in enumerate((found.name, str(found.folder))):
        manifest = exporting.export_set(tmp_path, name, tmp_path / f"{n}", "pylate-kd", ["n_ways=3", "normalise=true"])
        assert manifest["options"]["n_ways"] == 3 and manifest["options"]["normalise"] is True
    with pytest.raises(ConfigError, match=r"no set `other` in .*; there are: made-pairs"):
        exporting.export_set(tmp_path, "other", tmp_path / "out", "plain")
    with pytest.raises(ConfigError, match="option n_ways: give it as name=value"):
        exporting.export_set(tmp_path, found.name, tmp_path / "out", "pylate-kd", ["n_ways"])


def test_readers_name_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"query_id": "q"}\n')
    with pytest.raises(ConfigError, match=r"train\.jsonl, line 1: no training example"):
        list(tevatron.read(tmp_path / "train.jsonl"))
    (tmp_path / "train.json").write_text('[{"question": "q", "positive_ctxs": [1]}]')
    with pytest.raises(ConfigError, match="no training file of DPR"):
        list(dpr.read(tmp_path / "train.json"))
    with pytest.raises(ConfigError, match="no such file"):
        msmarco.read(tmp_path)


def test_the_schema_of_plain_parquet_is_the_sets(tmp_path: Path) -> None:
    found = training_set(tmp_path)
    exports.write(found, "plain", tmp_path / "out")
    for table in ("pairs", "negatives"):
        parts = [pq.read_table(tmp_path / f"out/{table}.{split}.parquet") for split in ("train", "validation")]
        whole = pa.concat_tables(parts)
        assert sorted(whole.to_pylist(), key=str) == sorted(found.table(table).to_pylist(), key=str)
        assert whole.schema.field("query_id").metadata == found.table(table).schema.field("query_id").metadata


def test_the_card_keeps_the_sets_front_matter_and_has_configs_of_its_own(tmp_path: Path) -> None:
    found = training_set(tmp_path)
    front = 'language:\n  - "en"\nconfigs:\n  - config_name: "pairs"\n    data_files: "x"\nlicense: cc0-1.0'
    (found.folder / "README.md").write_text(f"---\n{front}\n---\n\n# Own\n")
    for format, configs in (("huggingface", ["pairs", "negatives"]), ("tevatron", None)):
        exports.write(found, format, tmp_path / format)
        _, front, body = (tmp_path / format / "README.md").read_text().split("---\n", 2)
        head = yaml.safe_load(front)
        assert (head["language"], head["license"]) == (["en"], "cc0-1.0")
        assert (configs and [config["config_name"] for config in head["configs"]]) == configs
        assert ("configs" in head) is (configs is not None)
        assert "# Own" in body and "made-pairs, as" in body


def test_a_query_of_a_task_has_a_relevant_document_in_its_pool(tmp_path: Path) -> None:
    documents = [{"id": id, "text": "text", "language": id[-2:]} for id in ("a-en", "b-en", "a-fr")]
    queries = [{"id": f"q{n}", "text": "query", "language": "en"} for n in range(3)]
    judged = (("q0", "a-en", 1), ("q0", "a-fr", 1), ("q1", "a-en", 1), ("q1", "a-fr", 0), ("q2", "b-en", 0))
    qrels = [dict(zip(("query_id", "document_id", "score"), row, strict=True)) for row in judged]
    tables = {"documents": documents, "queries": queries, "qrels": qrels}
    task = {"name": "to-fr", "query_languages": None, "document_languages": ["fr"], "query_kinds": None}
    exports.write(made(tmp_path, "b", "benchmark", [tables], tasks=[task]), "trec", tmp_path / "out", task="to-fr")
    assert (tmp_path / "out/qrels.txt").read_text() == "q0 0 a-fr 1\n"
    empty = made(tmp_path, "none", "benchmark", [tables], tasks=[{**task, "document_languages": ["de"]}])
    with pytest.raises(ConfigError, match="no query with a relevant document in to-fr"):
        exports.write(empty, "mteb", tmp_path / "mteb")
