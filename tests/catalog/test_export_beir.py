from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from made_sets import benchmark, made, training_set

from catalog.errors import ConfigError
from catalog.exports import beir
from catalog.sets import Set


def folder(root: Path, corpus: str, queries: str, qrels: str, split: str = "test") -> Path:
    (root / "qrels").mkdir(parents=True, exist_ok=True)
    for name, text in (("corpus.jsonl", corpus), ("queries.jsonl", queries), (f"qrels/{split}.tsv", qrels)):
        (root / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    return root


def imported(root: Path, found: Path) -> Set:
    """A benchmark made of what `read` gives."""
    documents, queries, qrels, _ = beir.read(found)
    tables = {"documents": documents.to_pylist(), "queries": queries.to_pylist(), "qrels": qrels.to_pylist()}
    return made(root, "imported", "benchmark", [tables])


def test_import_and_export_is_identical_up_to_key_order(tmp_path: Path) -> None:
    corpus = (
        '{"text": "Żółw \\u2028 \\"je\\"\\n", "_id": "1", "title": ""}\n'
        '{"_id": "https://x/é", "title": "T", "text": ""}\n'
    )
    queries = '{"text": "co\\tje?", "_id": "q1"}\n{"_id": "q\\"2", "text": "drugie"}\n'
    qrels = 'query-id\tcorpus-id\tscore\nq1\t1\t2\nq1\thttps://x/é\t0\n"q""2"\t1\t1\n'
    given = folder(tmp_path / "given", corpus, queries, qrels)
    beir.write(imported(tmp_path, given), tmp_path / "out")
    for name in ("corpus.jsonl", "queries.jsonl"):
        ours, theirs = ([json.loads(line) for line in (at / name).open()] for at in (tmp_path / "out", given))
        assert ours == theirs
    assert (tmp_path / "out/qrels/test.tsv").read_bytes() == (given / "qrels/test.tsv").read_bytes()


def test_beirs_own_way_of_reading_the_judgements(tmp_path: Path) -> None:
    """As `beir.datasets.data_loader` does: a csv reader with tabs and minimal quoting, after a heading."""
    ids = ["plain", 'quo"te', '"whole"', "a b", "ü"]
    documents = [{"id": id, "text": "t", "language": "en"} for id in ids]
    queries = [{"id": "q", "text": "query", "language": "en"}]
    qrels = [{"query_id": "q", "document_id": id, "score": 1} for id in ids]
    beir.write(
        made(tmp_path, "b", "benchmark", [{"documents": documents, "queries": queries, "qrels": qrels}]), tmp_path / "o"
    )
    with (tmp_path / "o/qrels/test.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_MINIMAL))
    assert rows[0] == ["query-id", "corpus-id", "score"] and [row[1] for row in rows[1:]] == ids
    assert beir.read(tmp_path / "o")[2]["document_id"].to_pylist() == ids


def test_a_foreign_folder_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    corpus = "\n".join([
        '{"_id": "a", "title": null, "text": "A"}', '{"_id": "a", "title": "again", "text": "A2"}', "not JSON",
        '{"_id": 7, "text": "a number for an id"}', '{"title": "no id"}', "[1]", '{"_id": "", "text": "empty id"}', "",
        '{"_id": "b", "title": 3, "text": null, "metadata": {"url": "x"}}', '{"_id": "c", "text": "\\ud800 lone"}',
        '{"_id": "d", "text": "raw \ud800"}', '{"_id": "e", "text": NaN}', '{"_id": true, "text": "t"}', "[" * 5_000,
        '{"_id": "f", "title": "", "text": "", "metadata": {}}',
    ])  # fmt: skip
    queries = "\n".join([
        '{"_id": "q", "text": "query"}', '{"_id": "q", "text": "again"}', '{"_id": "empty", "text": " "}',
        '{"_id": "train", "text": "of another split"}', '{"_id": "orphaned", "text": "only orphans"}',
    ])  # fmt: skip
    qrels = "\n".join([
        "query-id\tcorpus-id\tscore", "q\ta\t1", "q\ta\t1", "q\t7\t1.0\r", "q\tnone\t1", "none\ta\t1", "q\tb",
        "q\tb\thigh", "q\tb\tnan", "q\tb\tinf", "q\tb\t99999999999", "orphaned\tnone\t1", "empty\ta\t1", "",
        "q\tQ0\tc\t2",
    ])  # fmt: skip
    documents, asked, judged, left_out = beir.read(folder(tmp_path, corpus, queries, qrels))
    rows = {row["id"]: (row["title"], row["text"]) for row in documents.to_pylist()}
    assert rows["a"] == ("", "A") and rows["7"] == ("", "a number for an id") and rows["b"] == ("", "")
    assert rows["c"] == ("", "? lone") and rows["d"][1].startswith("raw ") and rows["e"] == ("", "")
    assert list(rows) == ["a", "7", "b", "c", "d", "e", "f"]
    assert asked.to_pylist() == [{"id": "q", "text": "query"}]
    assert [tuple(row.values()) for row in judged.to_pylist()] == [("q", "a", 1), ("q", "7", 1), ("q", "c", 2)]
    assert left_out == {
        "document: id stands before": 1, "document: not a JSON object": 3, "document: no id": 3,
        "document: other keys than _id, title, text (the document is kept)": 1, "query: id stands before": 1,
        "query: no text": 1, "query: not judged in this split": 2, "qrel: judged before": 1,
        "qrel: unknown document": 2,
        "qrel: unknown query": 2, "qrel: not three columns": 1, "qrel: score is no number": 4,
    }  # fmt: skip


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"corpus\.jsonl: no such file"):
        beir.read(tmp_path)
    given = folder(tmp_path, '{"_id": "a", "text": "A"}', '{"_id": "q", "text": "Q"}', "q\tx\t1\n", "dev")
    with pytest.raises(ConfigError, match=r"test\.tsv: no such file; splits there: dev"):
        beir.read(given)
    with pytest.raises(ConfigError, match=r"no judgement can be used; left out: .*unknown document"):
        beir.read(given, "dev")


def test_a_training_set_as_beir(tmp_path: Path) -> None:
    beir.write(training_set(tmp_path), tmp_path / "out")
    for split, count in (("train", 18), ("validation", 2)):
        documents, queries, qrels, left_out = beir.read(tmp_path / "out", split)
        assert (documents.num_rows, queries.num_rows, qrels.num_rows) == (20, count, count)
        assert left_out == {"query: not judged in this split": 20 - count}


def test_a_benchmark_reads_back(tmp_path: Path) -> None:
    bench = benchmark(tmp_path)
    beir.write(bench, tmp_path / "out")
    documents, queries, qrels, left_out = beir.read(tmp_path / "out")
    assert documents.to_pylist() == bench.table("documents").select(["id", "title", "text"]).to_pylist()
    assert queries.to_pylist() == bench.table("queries").select(["id", "text"]).to_pylist()
    assert qrels.equals(bench.table("qrels")) and not left_out
