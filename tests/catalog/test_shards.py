from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import document, publish, write_shard

from catalog.errors import ShardError
from catalog.files import Corpus, read_json, sha256
from catalog.schema import DATASETS, SHARD_DATASETS, VERSION
from catalog.shards import ShardWriter, Table, describe

HERE = Path(__file__).resolve()
MANIFEST = {"run": "r", "work": "w", "code": "c", "source": "s", "pieces": []}


def types(schema: pa.Schema) -> dict[str, str]:
    """Columns and their types, as parquet has them: no seconds, and the item of a list is its element."""
    names = {field.name: str(field.type).replace("element:", "item:") for field in schema}
    return {name: kind.replace("timestamp[s,", "timestamp[ms,") for name, kind in names.items()}


def visible(corpus: Corpus) -> list[str]:
    """Everything below the root but the work folder."""
    return sorted(
        str(path.relative_to(corpus.root))
        for path in corpus.root.rglob("*")
        if path.is_file() and not path.is_relative_to(corpus.work)
    )


def test_commit_lands_files_and_manifest(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    whole = write_shard(corpus, "s-1", "s", [document("a"), document("b")])
    assert visible(corpus) == sorted([*(f"{d}/s-1.parquet" for d in SHARD_DATASETS), "manifests/shards/s-1.json"])
    assert list(corpus.staging.iterdir()) == []
    assert read_json(corpus.manifest("shards", "s-1")) == whole
    assert whole["schema"] == VERSION
    assert {f["dataset"]: f["rows"] for f in whole["files"]} == {
        "documents": 2, "skipped": 0, "signals": 2, "pages": 0, "bands": 2, "lines": 0, "policies": 0
    }  # fmt: skip
    for entry in whole["files"]:
        path = corpus.root / entry["file"]
        assert entry["bytes"] == path.stat().st_size
        assert entry["sha256"] == sha256(path)
        assert types(pq.read_schema(path)) == types(DATASETS[entry["dataset"]])


def test_rows_come_back(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    write_shard(corpus, "s-1", "s", [document("a", authors=["X", "Y"], page_offsets=[0, 3], status=200)])
    [row] = pq.read_table(tmp_path / "documents" / "s-1.parquet").to_pylist()
    assert (row["path"], row["source"], row["authors"], row["page_offsets"], row["status"], row["celex"]) == (
        "a.html", "s", ["X", "Y"], [0, 3], 200, None
    )  # fmt: skip


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    with pytest.raises(ZeroDivisionError), ShardWriter(corpus, "s-1", SHARD_DATASETS) as writer:
        writer.tables["bands"].add({"id": "a", "keys": [1]})
        raise ZeroDivisionError
    assert visible(corpus) == []
    assert list(corpus.staging.iterdir()) == []


def test_a_row_of_the_wrong_type_leaves_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    with pytest.raises(pa.ArrowException), ShardWriter(corpus, "s-1", SHARD_DATASETS) as writer:
        writer.tables["bands"].add({"id": "a", "keys": ["a"]})
        writer.commit(MANIFEST)
    assert visible(corpus) == []


def test_without_commit_nothing_is_visible(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    with ShardWriter(corpus, "s-1", ["bands"]) as writer:
        writer.tables["bands"].add({"id": "a", "keys": [1]})
    assert visible(corpus) == []


KILLED = """
import os, signal, sys
sys.path[:0] = [{project!r}, {tests!r}]
from pathlib import Path
from catalog import shards
from corpora import document, write_shard
from catalog.files import Corpus
name, real = {where!r}, getattr(shards, {where!r})
calls = 0
def die(*arguments):
    global calls
    calls += 1
    if calls == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
setattr(shards, name, die)
write_shard(Corpus(Path({root!r})), "s-1", "s", [document("a")])
"""


@pytest.mark.parametrize(("where", "call"), [("describe", 1), ("publish", 1), ("publish", 3), ("write_json", 1)])
def test_a_writer_killed_before_its_manifest_makes_no_shard(tmp_path: Path, where: str, call: int) -> None:
    corpus = Corpus(tmp_path)
    write_shard(corpus, "s-0", "s", [document("z")])
    before = publish(corpus)
    script = KILLED.format(
        project=str(HERE.parents[2]), tests=str(HERE.parents[1]), root=str(tmp_path), where=where, call=call
    )
    died = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert not corpus.manifest("shards", "s-1").exists()
    assert [m["shard"] for m in corpus.read_manifests("shards")] == ["s-0"]
    assert publish(corpus) == before
    # The next writer is not in the way of what was left, and ends with the same files.
    again = write_shard(corpus, "s-1", "s", [document("a")])
    assert again["files"] == write_shard(Corpus(tmp_path / "other"), "s-1", "s", [document("a")])["files"]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    rows = [document(f"d{i}") for i in range(50)]
    first, second = (write_shard(Corpus(tmp_path / name), "s-1", "s", rows)["files"] for name in ("a", "b"))
    assert first == second


def test_row_groups_are_bounded_in_rows(tmp_path: Path) -> None:
    table = Table("bands", tmp_path / "b.parquet")
    for n in range(4_500):
        table.add({"id": "a", "keys": [n]})
    table.close()
    footer = pq.read_metadata(tmp_path / "b.parquet")
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [2000, 2000, 500]


def test_row_groups_are_bounded_in_bytes(tmp_path: Path) -> None:
    table = Table("documents", tmp_path / "d.parquet")
    for n in range(5):
        table.add({"id": str(n), "text": "x"}, size=20 << 20)
    table.close()
    footer = pq.read_metadata(tmp_path / "d.parquet")
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [2, 2, 1]


def test_batches_are_cast_to_the_schema(tmp_path: Path) -> None:
    table = Table("clusters", tmp_path / "c.parquet")
    columns = {"id": ["a"], "cluster": ["a"], "size": pa.array([1], pa.int32()), "diameter": pa.array([0], pa.int64())}
    table.add_batches(pa.table({**columns, "exact": ["a"], "same_url": ["a"]}).to_batches())
    table.close()
    assert types(pq.read_schema(tmp_path / "c.parquet")) == types(DATASETS["clusters"])


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["a"], "cluster": ["a"]}), path)
    with pytest.raises(ShardError, match=r"x\.parquet: its columns are not those of clusters"):
        describe("clusters", path)


@pytest.mark.parametrize("damage", [lambda b: b[:-10], lambda b: b"", lambda b: b"PAR1" + b"\0" * 50])
def test_a_file_without_its_footer_is_refused(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["a"]}), path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ShardError, match="not readable"):
        describe("bands", path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="not readable"):
        describe("bands", tmp_path / "none.parquet")
