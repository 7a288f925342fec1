import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import retrieval_speed


def test_a_copy_and_a_builder_read_the_same_documents(tmp_path):
    texts = pa.table({"id": [f"{n:016x}" for n in range(40)], "text": [f"word{n} " * 600 for n in range(40)]})
    pq.write_table(retrieval_speed.as_documents(texts), tmp_path / "0.parquet")
    copy, crops = (retrieval_speed.run(case, [tmp_path / "0.parquet"]) for case in ("copy", "crops"))
    assert copy["documents"] == crops["documents"] == copy["rows"] == 40
    assert copy["bytes"] == crops["bytes"] > 40 * 3_000
    assert crops["rows"] == 80
    assert [path.name for path in tmp_path.iterdir()] == ["0.parquet"]


def test_ratios_are_to_the_mean_of_the_copies():
    figures = {"cpu": 1.0, "documents": 100, "rows": 100, "bytes": 1_000_000, "written": 50}
    found = [
        ("copy", {**figures, "wall": 1.0}, 10.0),
        ("crops", {**figures, "wall": 4.0, "rows": 200}, 20.0),
        ("copy", {**figures, "wall": 3.0}, 10.0),
    ]
    crops = retrieval_speed.report(found).splitlines()[3]
    assert crops == "| crops | 25 | 0 | 50 | 0.50 | 1.00 | 2.00 | 1.00 | 20 |"


def test_an_export_and_a_copy_read_the_same_pairs(tmp_path):
    texts = pa.table(
        {"id": [f"{n:08x}" * 2 for n in range(40)], "text": [f"Word{n}. " + "word " * 300 for n in range(40)]}
    )
    pq.write_table(retrieval_speed.as_documents(texts), tmp_path / "0.parquet")
    for case in ("copy-pairs", "sentence-transformers", "tevatron"):
        figures = retrieval_speed.run(case, [tmp_path / "0.parquet"])
        assert figures["rows"] == 40
        assert figures["written"] > 0
