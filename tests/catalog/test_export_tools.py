"""Every export is read by the tool that it is for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_sets
import pyarrow.parquet as pq
import pytest

from catalog import exports
from catalog.errors import ConfigError
from catalog.exports import mteb as mteb_export
from catalog.exports import trec
from catalog.sets import Set


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


@pytest.fixture(scope="module")
def pairs(root: Path) -> Set:
    return made_sets.training_set(root)


@pytest.fixture(scope="module")
def bench(root: Path) -> Set:
    return made_sets.benchmark(root, top_ranked=True)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """`datasets`, without a network and with a cache of the test's own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield datasets


def model() -> Any:
    """A static embedding model over the words of the made sets, untrained."""
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("sentence_transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(1)
    words = ["[UNK]", *made_sets.WORDS, *map(str, range(40)), "en", "fr", "text", "number"]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    module = library.sentence_transformer.modules.StaticEmbedding(tokenizer, embedding_dim=32)
    return library.SentenceTransformer(modules=[module], device="cpu")


@pytest.mark.parametrize("config", ["pairs", "triplets"])
def test_sentence_transformers_trains(pairs: Set, offline: Any, tmp_path: Path, config: str) -> None:
    exports.write(pairs, "sentence-transformers", tmp_path / "out", negatives=3)
    loaded = offline.load_dataset(str(tmp_path / "out"), config)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 18, "validation": 2}
    negatives = ["negative_1", "negative_2", "negative_3"] if config == "triplets" else []
    assert loaded["train"].column_names == ["anchor", "positive", *negatives]
    trained = model()
    before = trained[0].embedding.weight.detach().clone()
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    arguments = SentenceTransformerTrainingArguments(
        str(tmp_path / "run"), max_steps=1, per_device_train_batch_size=8, learning_rate=0.1, report_to="none",
        use_cpu=True, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    loss = MultipleNegativesRankingLoss(trained)
    trainer = SentenceTransformerTrainer(trained, arguments, train_dataset=loaded["train"], loss=loss)
    result = trainer.train()
    assert result.global_step == 1 and 0 < result.training_loss < 10
    assert (trained[0].embedding.weight.detach() - before).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["pairs", "benchmark"])
def test_datasets_loads_the_hugging_face_folder(kind: str, request: Any, offline: Any, tmp_path: Path) -> None:
    found: Set = request.getfixturevalue({"pairs": "pairs", "benchmark": "bench"}[kind])
    exports.write(found, "huggingface", tmp_path / "out")
    tables = {"pairs": ["pairs", "negatives"], "benchmark": ["documents", "queries", "qrels", "top_ranked"]}[kind]
    assert sorted(offline.get_dataset_config_names(str(tmp_path / "out"))) == sorted(tables)
    for table in tables:
        loaded = offline.load_dataset(str(tmp_path / "out"), table)
        rows = [row for split in loaded.values() for row in split]
        expected = found.table(table).to_pylist()
        assert sorted(rows, key=str) == sorted(expected, key=str)
        if kind == "pairs":
            assert {name: len(split) for name, split in loaded.items()}["validation"] == len(rows) // 10


@pytest.mark.parametrize(("task", "ranked"), [(None, True), ("en-en", False)])
def test_mteb_runs_the_folder(root: Path, offline: Any, tmp_path: Path, task: str | None, ranked: bool) -> None:
    mteb = pytest.importorskip("mteb")
    bench = made_sets.benchmark(root, "ranked" if ranked else "free", top_ranked=ranked)
    folder = tmp_path / "out"
    exports.write(bench, "mteb", folder, task=task)
    local = mteb_export.task(folder)
    result = mteb.evaluate(model(), local, cache=None, show_progress_bar=False, co2_tracker=False)
    scores = {entry["hf_subset"]: entry for entry in result.task_results[0].scores["test"]}
    assert set(scores) == ({"default"} if task else {"en-fr", "en-en"})
    for entry in scores.values():  # queries and documents share words, which even untrained vectors find
        assert 0.5 < entry["ndcg_at_10"] <= 1
        assert entry["languages"] == (["eng-Latn"] if task else entry["languages"])
    own = json.loads((folder / mteb_export.STATISTICS).read_text())["test"]
    local.load_data()
    theirs = local._calculate_descriptive_statistics_from_split("test", compute_overall=task is None)
    assert shared(own, theirs) == shared(theirs, own)
    for name, statistics in own.get("hf_subset_descriptive_stats", {}).items():
        theirs = local._calculate_descriptive_statistics_from_split("test", hf_subset=name)
        assert shared(statistics, theirs) == shared(theirs, statistics)
    assert (own["top_ranked_statistics"] is not None) is ranked


def shared(these: dict[str, Any], those: dict[str, Any]) -> dict[str, Any]:
    """What stands under keys that both have, below each other too."""
    return {
        key: shared(value, those[key]) if isinstance(value, dict) else value
        for key, value in these.items()
        if key in those
    }


def test_mteb_says_what_it_cannot_load(pairs: Set, tmp_path: Path) -> None:
    pytest.importorskip("mteb")
    with pytest.raises(ConfigError, match="no export in MTEB's format"):
        mteb_export.task(tmp_path)


def test_pytrec_eval_scores_trec_and_bm25s_ranks_beir(bench: Set, tmp_path: Path) -> None:
    """BM25 over the exported documents, judged by the exported qrels, through the two libraries' own readers."""
    import bm25s
    import pytrec_eval

    exports.write(bench, "beir", tmp_path / "beir", task="en-en")
    exports.write(bench, "trec", tmp_path / "trec", task="en-en")
    corpus = [json.loads(line) for line in (tmp_path / "beir/corpus.jsonl").open()]
    queries = [json.loads(line) for line in (tmp_path / "beir/queries.jsonl").open()]
    index = bm25s.BM25()
    index.index(bm25s.tokenize([row["text"] for row in corpus], show_progress=False), show_progress=False)
    found, scores = index.retrieve(
        bm25s.tokenize([row["text"] for row in queries], show_progress=False), k=5, show_progress=False
    )
    ranking = [
        {"query_id": query["_id"], "document_id": corpus[place]["_id"], "rank": rank, "score": score}
        for query, places, values in zip(queries, found, scores, strict=True)
        for rank, (place, score) in enumerate(zip(places, values, strict=True), start=1)
    ]
    import pyarrow as pa

    trec.write_run(tmp_path / "run.txt", pa.Table.from_pylist(ranking), "bm25")
    with (tmp_path / "trec/qrels.txt").open() as qrels, (tmp_path / "run.txt").open() as run:
        judged, ran = pytrec_eval.parse_qrel(qrels), pytrec_eval.parse_run(run)
    assert {query: len(documents) for query, documents in judged.items()} == {f"q{n}": 1 for n in range(12)}
    result = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10"}).evaluate(ran)
    assert sum(row["ndcg_cut_10"] for row in result.values()) / len(result) > 0.8


def test_ir_measures_reads_runs_and_qrels(bench: Set, tmp_path: Path) -> None:
    import ir_measures

    exports.write(bench, "trec", tmp_path / "out")
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "out/qrels.txt")))
    assert [(q.query_id, q.doc_id, q.relevance) for q in qrels] == [
        (row["query_id"], row["document_id"], row["score"]) for row in bench.table("qrels").to_pylist()
    ]


def pylate(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    """As PyLate's KDProcessing joins the three tables: texts looked up by id, lists of one length."""
    columns = {name: pq.read_table(folder / name / "train.parquet").columns for name in ("queries", "documents")}
    texts = {name: dict(zip(*(c.to_pylist() for c in both), strict=True)) for name, both in columns.items()}
    rows = pq.read_table(folder / "train" / f"{split}.parquet").to_pylist()
    for row in rows:
        assert len(row["document_ids"]) == len(row["scores"])
        row["query"] = texts["queries"][row["query_id"]]
        row["documents"] = [texts["documents"][id] for id in row["document_ids"]]
    return rows


@pytest.mark.parametrize("normalise", [False, True])
def test_pylate_joins_without_orphans(pairs: Set, tmp_path: Path, normalise: bool, offline: Any) -> None:
    exports.write(pairs, "pylate-kd", tmp_path / "out", n_ways=4, normalise=normalise)
    rows = [*pylate(tmp_path / "out"), *pylate(tmp_path / "out", "validation")]
    assert len(rows) == 20
    for row in rows:
        number = int(row["query_id"].removeprefix("q"))
        assert row["document_ids"][0] == f"doc{number}:0-40"  # the positive
        assert row["documents"][0] == made_sets.text(number)
        assert len(row["scores"]) == 4
        assert row["scores"] == ([1.0, 2 / 3, 1 / 3, 0.0] if normalise else [9.5, 7.5, 5.5, 3.5])
    assert offline.load_dataset(str(tmp_path / "out"), "documents", split="train").num_rows == 20


def test_pylate_contrastive_has_pylates_columns(pairs: Set, tmp_path: Path, offline: Any) -> None:
    exports.write(pairs, "pylate-contrastive", tmp_path / "out", negatives=3)
    loaded = offline.load_dataset(str(tmp_path / "out"), "contrastive", split="train")
    assert loaded.column_names == ["query", "positive", "negative", "negative_1", "negative_2"]
    assert loaded[0]["positive"] == made_sets.text(0) and loaded[0]["negative_2"] == made_sets.text(3)


def colbert_collection(path: Path) -> list[str]:
    """As ColBERT's Collection reads: the number is the line's."""
    texts = []
    with path.open(encoding="utf-8") as file:
        for index, line in enumerate(file):
            number, passage, *rest = line.strip("\n\r ").split("\t")
            assert int(number) == index and not rest
            texts.append(passage)
    return texts


def colbert_queries(path: Path) -> dict[int, str]:
    """As ColBERT's Queries reads."""
    found = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            number, query, *_ = line.strip().split("\t")
            assert int(number) not in found
            found[int(number)] = query
    return found


def test_colbert_reads_ways_and_collection(pairs: Set, tmp_path: Path) -> None:
    exports.write(pairs, "colbert", tmp_path / "out", n_ways=4)
    texts = colbert_collection(tmp_path / "out/collection.tsv")
    ids = [line.split("\t")[1] for line in (tmp_path / "out/documents.ids.tsv").read_text().splitlines()]
    seen = 0
    for split in ("train", "validation"):
        queries = colbert_queries(tmp_path / f"out/queries.{split}.tsv")
        for line in (tmp_path / f"out/{split}.4way.jsonl").read_text().splitlines():
            query, *ways = json.loads(line)
            n = int(queries[query].split()[-1])
            assert [texts[number] for number, _ in ways] == [made_sets.text((n + k) % 20) for k in range(4)]
            assert [score for _, score in ways] == [9.5, 7.5, 5.5, 3.5]
            assert ids[ways[0][0]] == f"doc{n}:0-40"
            seen += 1
    assert seen == 20


def test_tevatron_has_its_fields(pairs: Set, tmp_path: Path) -> None:
    exports.write(pairs, "tevatron", tmp_path / "out", negatives=2)
    corpus = {row["docid"]: row for row in map(json.loads, (tmp_path / "out/corpus.jsonl").open())}
    for line in (tmp_path / "out/train.jsonl").open():
        row = json.loads(line)
        assert list(row) == ["query_id", "query", "positive_passages", "negative_passages"]
        assert (len(row["positive_passages"]), len(row["negative_passages"])) == (1, 2)
        for passage in (*row["positive_passages"], *row["negative_passages"]):
            assert list(passage) == ["docid", "title", "text"] and corpus[passage["docid"]] == passage
    assert len(corpus) == 20


def test_dpr_has_its_fields(pairs: Set, tmp_path: Path) -> None:
    import csv

    exports.write(pairs, "dpr", tmp_path / "out")
    with (tmp_path / "out/passages.tsv").open(newline="") as file:
        passages = {row[0]: {"title": row[2], "text": row[1]} for row in csv.reader(file, delimiter="\t")}
    assert passages.pop("id") == {"title": "title", "text": "text"} and len(passages) == 20
    rows = json.loads((tmp_path / "out/train.json").read_text())
    assert len(rows) == 18 and len(json.loads((tmp_path / "out/validation.json").read_text())) == 2
    for row in rows:
        assert {"question", "answers", "positive_ctxs", "negative_ctxs", "hard_negative_ctxs"} < set(row)
        assert (len(row["positive_ctxs"]), len(row["hard_negative_ctxs"])) == (1, 4)
        for context in (*row["positive_ctxs"], *row["hard_negative_ctxs"]):
            assert passages[context["passage_id"]] == {"title": context["title"], "text": context["text"]}


def test_msmarco_triples_resolve(pairs: Set, tmp_path: Path) -> None:
    exports.write(pairs, "msmarco", tmp_path / "out", negatives=2)
    texts = colbert_collection(tmp_path / "out/collection.tsv")
    queries = colbert_queries(tmp_path / "out/queries.train.tsv")
    triples = [tuple(map(int, line.split("\t"))) for line in (tmp_path / "out/triples.train.tsv").open()]
    qrels = [tuple(map(int, line.split("\t"))) for line in (tmp_path / "out/qrels.train.tsv").open()]
    assert len(triples) == 36 and len(qrels) == 18
    for query, positive, negative in triples:
        n = int(queries[query].split()[-1])
        assert texts[positive] == made_sets.text(n)
        assert texts[negative] in (made_sets.text((n + 1) % 20), made_sets.text((n + 2) % 20))


def test_pointwise_pairs_from_a_run(bench: Set, tmp_path: Path) -> None:
    import pyarrow as pa

    ids = [f"d{m}-{language}" for m in range(12) for language in ("en", "fr")]
    ranking = [
        {"query_id": f"q{n}", "document_id": id, "rank": rank, "score": 100.0 - rank}
        for n in range(12)
        for rank, id in enumerate(ids, start=1)
    ]
    trec.write_run(tmp_path / "run", pa.Table.from_pylist(ranking), "all")
    exports.write(bench, "pointwise", tmp_path / "out", negatives=7, run=tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "out/test.jsonl").open()]
    assert all(set(row) == {"qid", "query", "pid", "passage", "label"} for row in rows)
    for n in range(12):
        labels = {row["pid"]: row["label"] for row in rows if row["qid"] == f"q{n}"}
        relevant = [f"d{n}-en", f"d{n}-fr"]
        assert [id for id, label in labels.items() if label] == relevant
        assert [id for id, label in labels.items() if not label] == [id for id in ids if id not in relevant][:7]
