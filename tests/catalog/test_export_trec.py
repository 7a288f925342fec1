from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_sets import benchmark, made

from catalog.errors import ConfigError
from catalog.exports import trec
from catalog.set_schema import QRELS, RANKING


def ranking(rows: list[tuple[str, str, int, float]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(RANKING.names, row, strict=True)) for row in rows], schema=RANKING)


def test_a_run_reads_back(tmp_path: Path) -> None:
    run = ranking([("q2", "a", 1, 0.1), ("q2", "b", 2, -3e-9), ("q1", "a", 1, 1 / 3), ("q1", "c", 2, 0.25)])
    trec.write_run(tmp_path / "run", run, "tag")
    assert (tmp_path / "run").read_text().splitlines()[0] == "q2 Q0 a 1 0.1 tag"
    assert trec.read_run(tmp_path / "run").equals(run)
    trec.write_run(tmp_path / "empty", run.slice(0, 0), "tag")
    assert trec.read_run(tmp_path / "empty").equals(run.slice(0, 0))


@settings(suppress_health_check=list(HealthCheck))
@given(scores=st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20))
def test_scores_read_back_exactly(tmp_path: Path, scores: list[float]) -> None:
    scores = sorted(scores, reverse=True)
    trec.write_run(tmp_path / "run", ranking([("q", f"d{n:03}", n + 1, s) for n, s in enumerate(scores)]), "t")
    read = trec.read_run(tmp_path / "run")
    assert read["score"].to_pylist() == scores
    assert read["document_id"].to_pylist() == [f"d{n:03}" for n in range(len(scores))]


def test_the_score_decides_and_the_rank_breaks_ties(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("q Q0 a 1 0.5 t\r\nq Q0 c 3 0.9 t\n\nq\tQ0\tb\t0\t.5 t\nq Q0 aa 1 5e-1 t\n")
    read = trec.read_run(tmp_path / "run")
    assert read["document_id"].to_pylist() == ["c", "b", "a", "aa"]
    assert read["rank"].to_pylist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q Q0 d 1 0.5", r"run, line 2: 5 columns instead of 6"),
        ("q Q0 d 1 high t", r"line 2: 'high' is no number"),
        ("q Q0 d 1 nan t", r"line 2: rank 1, score nan"),
        ("q Q0 d inf 1 t", r"line 2: rank inf, score 1"),
        ("q Q0 first 2 0.1 t", r"line 2: document 'first' stands twice for query 'q'"),
    ],
)
def test_a_damaged_run_is_refused(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "run").write_text(f"q Q0 first 1 0.9 t\n{line}\n")
    with pytest.raises(ConfigError, match=message):
        trec.read_run(tmp_path / "run")


def test_odd_bytes_in_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"\xef\xbb\xbfq\xc2\xa01 Q0 d\xff 1 1e300 t\n")
    read = trec.read_run(tmp_path / "run").to_pylist()
    assert read == [{"query_id": "q\xa01", "document_id": "d\ufffd", "rank": 1, "score": float("inf")}]
    with pytest.raises(ConfigError, match="no such file"):
        trec.read_run(tmp_path / "none")


def test_ids_that_a_run_cannot_hold(tmp_path: Path) -> None:
    for id in ("a b", "", "a\u2003b"):
        with pytest.raises(ConfigError, match="empty or have white space"):
            trec.write_run(tmp_path / "run", ranking([("q", id, 1, 1.0)]), "t")
    assert not (tmp_path / "run").exists()
    spaced = {"id": "d 1", "text": "text", "language": "en"}
    found = made(tmp_path, "spaced", "benchmark", [{"documents": [spaced], "queries": [], "qrels": []}])
    with pytest.raises(ConfigError, match="'d 1'"):
        trec.write(found, tmp_path / "out")


def test_qrels_read_back(tmp_path: Path) -> None:
    rows = [{"query_id": "q", "document_id": d, "score": s} for d, s in (("a", 2), ("b", 0), ("c", -1))]
    qrels = pa.Table.from_pylist(rows, schema=QRELS)
    trec.write_qrels(tmp_path / "qrels", qrels)
    assert trec.read_qrels(tmp_path / "qrels").equals(qrels)
    for line, message in (
        ("q 0 a 1", "judged twice"), ("q 0 d 1.5", "no whole number"), ("q 0 d", "3 columns"),
        ("q 0 d 1e99", "no whole number"), ("q 0 d nan", "no whole number"),
    ):  # fmt: skip
        (tmp_path / "wrong").write_text(f"q 0 a 2\n{line}\n")
        with pytest.raises(ConfigError, match=f"wrong, line 2: .*{message}"):
            trec.read_qrels(tmp_path / "wrong")


def test_a_benchmark_reads_back(tmp_path: Path) -> None:
    bench = benchmark(tmp_path)
    trec.write(bench, tmp_path / "out")
    documents, queries, qrels = trec.read(tmp_path / "out")
    assert documents.to_pylist() == bench.table("documents").select(["id", "title", "text"]).to_pylist()
    assert queries.to_pylist() == bench.table("queries").select(["id", "text"]).to_pylist()
    assert qrels.equals(bench.table("qrels"))
    (tmp_path / "out/topics.trec").write_text("<top>\n<num>q</num>\n<title>a <b> c</title>\n</top>\n")
    with pytest.raises(ConfigError, match=r"topics\.trec, line 1"):
        trec.read(tmp_path / "out")


def test_many_openings_without_an_end_are_read_in_linear_time(tmp_path: Path) -> None:
    trec.write(benchmark(tmp_path), tmp_path / "out")
    (tmp_path / "out/documents.trec").write_text("<DOC>\n<DOCNO>" * 200_000)
    with pytest.raises(ConfigError, match="line 1"):
        trec.read(tmp_path / "out")


def test_the_order_of_a_large_run_is_numpys(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    scores = random.integers(0, 50, 2_000).astype(float)
    (tmp_path / "run").write_text("".join(f"q Q0 d{n:04} {n} {s} t\n" for n, s in enumerate(scores)))
    order = np.lexsort((np.arange(2_000), -scores))
    assert trec.read_run(tmp_path / "run")["document_id"].to_pylist() == [f"d{n:04}" for n in order]
