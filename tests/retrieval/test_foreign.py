"""The texts of any export are found by files and columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.set_schema import DOCUMENTS, PAIRS, QRELS, QUERIES
from catalog.sets import SetWriter
from retrieval.foreign import Export, Text, opened

Q, D = "which court decides", "The Court of Justice decides on it."


def read(path: Path) -> tuple[list[Text], Export]:
    export = opened(path)
    return [text for batch in export.batches() for text in batch], export


def texts(path: Path) -> list[tuple[str, str | None, bool]]:
    return [(text.text, text.id, text.query) for text in read(path)[0]]


def lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def parquet(path: Path, **columns: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_our_sets(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    writer = SetWriter(corpus, "tiny", "pairs", "1")
    row = {"query_id": "q", "query": Q, "query_language": "en", "document_id": "d", "document": D, "title": "T",
           "document_language": "fr", "work": "celex:1", "parallel": "celex:1#art_1", "split": "train"}  # fmt: skip
    with writer.part("a") as part:
        part.write("pairs", pa.Table.from_pylist([row], PAIRS))
    found, export = read(writer.commit(["a"], {"made": "now"}, lambda _: "card").folder)
    assert export.format == "set"
    assert found == [
        Text(Q, 0, "pairs-a.parquet, row 1, query", True, "q", "celex:1", "celex:1#art_1", "en"),
        Text(D, 0, "pairs-a.parquet, row 1, document", False, "d", "celex:1", "celex:1#art_1", "fr"),
    ]
    writer = SetWriter(corpus, "bench", "benchmark", "1")
    with writer.part("a") as part:
        part.write("documents", pa.Table.from_pylist([{"id": "d", "text": D, "title": "T", "doc": "x"}], DOCUMENTS))
        part.write("queries", pa.Table.from_pylist([{"id": "q", "text": Q, "answers": ["x"]}], QUERIES))
        part.write("qrels", pa.Table.from_pylist([{"query_id": "q", "document_id": "d", "score": 1}], QRELS))
    assert texts(writer.commit(["a"], {"made": "now"}, lambda _: "card").folder) == [(D, "d", False), (Q, "q", True)]


def test_beir_and_mteb(tmp_path: Path) -> None:
    beir = tmp_path / "beir"
    lines(
        beir / "corpus.jsonl",
        {"_id": "d1", "title": "T", "text": D},
        {"_id": "d2", "title": "Only a title", "text": ""},
    )
    lines(beir / "queries.jsonl", {"_id": "q1", "text": Q, "metadata": {"a": "b c"}})
    (beir / "qrels").mkdir()
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    assert texts(beir) == [(D, "d1", False), ("Only a title", "d2", False), (Q, "q1", True)]
    mteb = tmp_path / "mteb"
    parquet(mteb / "corpus" / "test.parquet", id=["d1"], title=["T"], text=[D])
    parquet(mteb / "queries" / "test.parquet", id=["q1"], text=[Q])
    parquet(mteb / "default" / "test.parquet", **{"query-id": ["q1"], "corpus-id": ["d1"], "score": [1]})
    (mteb / "README.md").write_text("# card\nwith text\n")
    assert texts(mteb) == [(D, "d1", False), (Q, "q1", True)]


def test_sentence_transformers_and_hugging_face(tmp_path: Path) -> None:
    parquet(tmp_path / "pairs" / "train.parquet", anchor=[Q], positive=[D], negative=["No."], score=[0.5], id=[7])
    found, export = read(tmp_path)
    assert [(t.text, t.query, t.row) for t in found] == [(Q, True, 0), (D, False, 0), ("No.", False, 0)]
    assert export.columns == {f"pairs/train.parquet: {name}": 1 for name in ("anchor", "positive", "negative")}
    lines(tmp_path / "b" / "train.jsonl", {"anchor": Q, "positive": D}, {"anchor": Q, "positive": None})
    assert [t for t, *_ in texts(tmp_path / "b")] == [Q, D, Q]
    parquet(tmp_path / "c" / "x.parquet", anything=[D], chunks=[[D, Q]], language=["en"], doc=["0123abc"])
    assert [t for t, *_ in texts(tmp_path / "c")] == [D, D, Q]


def test_dpr_and_tevatron(tmp_path: Path) -> None:
    entry = {"question": Q, "answers": ["no text"], "positive_ctxs": [{"title": "T", "text": D, "passage_id": "p1"}],
             "hard_negative_ctxs": []}  # fmt: skip
    (tmp_path / "train.json").write_text(json.dumps([entry, entry], indent=1))
    assert texts(tmp_path / "train.json") == [(Q, None, True), (D, "p1", False)] * 2
    lines(tmp_path / "tevatron" / "train.jsonl", {
        "query_id": "q1", "query": Q, "positive_passages": [{"docid": "d1", "title": "", "text": D}],
        "negative_passages": [{"docid": "d2", "title": "t", "text": "No."}],
    })  # fmt: skip
    assert texts(tmp_path / "tevatron") == [(Q, "q1", True), (D, "d1", False), ("No.", "d2", False)]
    (tmp_path / "split.json").write_text(json.dumps({"version": "1 a", "data": [{"question": Q}]}))
    assert texts(tmp_path / "split.json") == [(Q, None, True)]


def test_ms_marco_and_colbert(tmp_path: Path) -> None:
    (tmp_path / "collection.tsv").write_text(f"0\t{D}\n1\tAnother one.\n")
    (tmp_path / "queries.train.tsv").write_text(f"5\t{Q}\n")
    (tmp_path / "qrels.train.tsv").write_text("5\t0\t0\t1\n")
    (tmp_path / "triples.train.tsv").write_text("5\t0\t1\n")
    lines(tmp_path / "train.3way.jsonl", [5, [0, 1.5], [1, 0.5]])
    assert texts(tmp_path) == [(D, "0", False), ("Another one.", "1", False), (Q, "5", True)]
    triples = tmp_path / "triples.tsv"
    triples.write_text(f"{Q}\t{D}\tNo, it does not.\n")
    assert [t for t, *_ in texts(triples)] == [Q, D, "No, it does not."]
    headed = tmp_path / "psgs.tsv"
    headed.write_text(f"id\ttext\ttitle\n1\t{D}\tT\nbroken\n")
    found, export = read(headed)
    assert [(t.text, t.id) for t in found] == [(D, "1")]
    assert export.bad == {"psgs.tsv: not the columns of its heading": 1}
    table = tmp_path / "x.csv"
    table.write_text(f'query,passage\n"{Q}","{D}, ""so"""\n')
    assert [t for t, *_ in texts(table)] == [Q, f'{D}, "so"']


def test_trec(tmp_path: Path) -> None:
    (tmp_path / "documents.trec").write_text(
        f"<DOC>\n<DOCNO>d1</DOCNO>\n<TITLE>T</TITLE>\n<TEXT>{D} &lt;1&gt;</TEXT>\n</DOC>\n<DOC><DOCNO>x</DOCNO></DOC>"
    )
    (tmp_path / "topics.trec").write_text(f"<top>\n<num>q1</num>\n<title>{Q}</title>\n</top>\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d1 1\n")
    (tmp_path / "judged.txt").write_text("q1 0 d1 1\nq1 Q0 d1 1 3.5 tag\n")
    found, export = read(tmp_path)
    assert [(t.text, t.id, t.query) for t in found] == [(f"{D} <1>", "d1", False), (Q, "q1", True)]
    assert export.bad == {"documents.trec: an entry without text": 1}


def test_lines_and_compressed_files(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(f"{D}\n\n{Q}\n")
    assert [t for t, *_ in texts(tmp_path)] == [D, Q]
    with gzip.open(tmp_path / "c.jsonl.gz", "wt") as file:
        file.write(json.dumps({"_id": "1", "text": D}))
    assert texts(tmp_path / "c.jsonl.gz") == [(D, "1", False)]


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(json.dumps({"text": D}).encode() + b'\nnot json\n{"text": "\xff"}\n7\n\n')
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "c.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "d.tsv").write_bytes(b"1\tbroken \xff text\n")
    found, export = read(tmp_path)
    assert [t.text for t in found] == [D, "broken \ufffd text"]
    assert export.bad == {"a.jsonl: not an object": 3, "b.parquet: ArrowInvalid": 1, "c.jsonl.gz: BadGzipFile": 1}


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder"):
        opened(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"no file that holds text .*there are: none"):
        opened(tmp_path)
    (tmp_path / "picture.png").write_text("x")
    with pytest.raises(ConfigError, match=r"picture\.png"):
        opened(tmp_path)
    with pytest.raises(ConfigError, match="not one of parquet"):
        opened(tmp_path / "picture.png")
    (tmp_path / "numbers.jsonl").write_text('{"id": "a"}\n')
    parquet(tmp_path / "x.parquet", id=["a"], score=[1.0])
    with pytest.raises(ConfigError, match=r"no text in numbers\.jsonl, x\.parquet"):
        read(tmp_path)


def test_a_damaged_set_is_an_error(tmp_path: Path) -> None:
    file = {"file": "pairs-a.parquet", "table": "pairs", "rows": 1, "bytes": 3}
    manifest = {"kind": "pairs", "name": "x", "id": "y", "files": [file]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match="missing or damaged"):
        opened(tmp_path)
    # a manifest of something else is no set
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "pairs", "files": ["a"]}))
    lines(tmp_path / "a.jsonl", {"text": D})
    assert texts(tmp_path) == [(D, None, False)]


def test_batches_hold_whole_rows(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", *({"query": f"q {n}", "positive": f"p {n}"} for n in range(2_500)))
    batches = list(opened(tmp_path).batches())
    assert [len(batch) for batch in batches] == [2000, 2000, 1000]
    assert [batch[0].row for batch in batches] == [0, 1000, 2000]


def test_the_set_of_an_export_is_known_by_its_manifest(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", {"text": D})
    facts: dict[str, Any] = {"name": "articles", "kind": "benchmark", "id": "0a1b"}
    for manifest, known in (
        ({"set": facts}, facts), ({}, {}), ({"set": 7}, {}), ([], {}), ({"set": {**facts, "name": "a\n| b |"}}, {}),
        ({"set": {**facts, "id": 7}}, {}),
    ):  # fmt: skip
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        assert opened(tmp_path).origin == known


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200), st.sampled_from(["jsonl", "json", "tsv", "csv", "trec", "txt", "parquet", "tsv.gz"]))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str) -> None:
    path = tmp_path_factory.mktemp("any") / f"file.{kind}"
    path.write_bytes(data)
    try:
        found, _ = read(path)
        assert all(isinstance(text.text, str) and text.text for text in found)
    except ConfigError as error:
        assert "no text" in str(error)
