"""Sets: parts that stay, parts that are taken over, folders that others have tampered with."""

import json
import shutil
from pathlib import Path
from typing import Any

import made_sets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import exports, sets
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.set_schema import PAIRS
from catalog.sets import Set, SetWriter


def rows(*numbers: int) -> pa.Table:
    return pa.Table.from_pylist([made_sets.pair(n) for n in numbers], schema=PAIRS)


def make(corpus: Corpus, id: str, parts: dict[str, list[int]], made: list[str] | None = None) -> Set:
    """A training set of these parts; names those that had to be made in `made`."""
    writer = SetWriter(corpus, "own", "pairs", id)
    for part, numbers in parts.items():
        if not writer.done(part):
            if made is not None:
                made.append(part)
            with writer.part(part) as now:
                now.write("pairs", rows(*numbers))
                now.counts = {"used": len(numbers)}
    return writer.commit(list(parts), {}, lambda manifest: f"# {manifest['name']}\n")


def queries(found: Set) -> list[str]:
    return [id for batch in found.batches("pairs", ["query_id"]) for id in batch["query_id"].to_pylist()]


def test_parts_are_taken_over_and_counted_again(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    first = make(corpus, "1", {"a": [1, 2], "b": [3]})
    made: list[str] = []
    second = make(corpus, "2", {"b": [3], "c": [4, 5]}, made)
    assert made == ["c"]
    assert queries(second) == ["q3", "q4", "q5"]
    assert second.manifest["counts"] == {"used": 3}
    assert (first.folder / "pairs-b.parquet").samefile(second.folder / "pairs-b.parquet")
    assert {path.name for path in second.folder.iterdir()} == {
        "pairs-b.parquet", "pairs-c.parquet", "parts", "manifest.json", "README.md",
    }  # fmt: skip
    assert queries(make(corpus, "3", {"a": [1, 2], "c": [4, 5]}, made)) == ["q1", "q2", "q4", "q5"]
    assert made == ["c"], "parts are taken over from any older set, and from what was taken over"


def test_the_name_means_the_set_that_was_made_current(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    first, second = (make(corpus, id, {id: [n]}) for n, id in enumerate(("a", "b")))
    assert sets.find(corpus, "own").id == second.id
    earlier = sets.made(corpus, "own", first.id)
    assert earlier is not None
    sets.make_current(corpus, earlier)
    assert sets.find(corpus, "own").id == first.id and sets.current(corpus, earlier)


def test_a_part_that_failed_is_not_there(tmp_path: Path) -> None:
    writer = SetWriter(Corpus(tmp_path), "own", "pairs", "1")
    with pytest.raises(RuntimeError, match="out of luck"), writer.part("a") as part:
        part.write("pairs", rows(1))
        raise RuntimeError("out of luck")
    assert not writer.done("a") and not [path for path in writer.staged.rglob("*") if path.is_file()]


def test_what_a_killed_run_left_is_gone_in_the_end(tmp_path: Path) -> None:
    writer = SetWriter(Corpus(tmp_path), "own", "pairs", "1")
    (writer.staged / ".pairs-a.123").write_bytes(b"half")
    (writer.staged / "pairs-a.parquet").write_bytes(b"a part without its note")
    (writer.staged / "parts").mkdir()
    (writer.staged / "parts" / ".a.json.123").write_bytes(b"half")
    made: list[str] = []
    found = make(Corpus(tmp_path), "1", {"a": [1]}, made)
    assert made == ["a"] and queries(sets.open_set(found.folder)) == ["q1"]
    left = {path.name for path in found.folder.rglob("*") if path.is_file()}
    assert left == {"pairs-a.parquet", "a.json", "manifest.json", "README.md"}


def test_parts_stay_when_the_run_is_killed_while_it_commits(tmp_path: Path) -> None:
    def killed(_: dict[str, Any]) -> str:
        raise KeyboardInterrupt

    corpus = Corpus(tmp_path)
    writer = SetWriter(corpus, "own", "pairs", "1")
    with writer.part("a") as part:
        part.write("pairs", rows(1))
    with pytest.raises(KeyboardInterrupt):
        writer.commit(["a"], {}, killed)
    assert sets.made(corpus, "own", "1") is None
    made: list[str] = []
    assert queries(make(corpus, "1", {"a": [1]}, made)) == ["q1"] and made == []


@pytest.mark.parametrize("damage", ["cut", "gone", "note", "manifest"])
def test_of_a_damaged_set_nothing_is_taken_over_and_it_can_be_made_again(tmp_path: Path, damage: str) -> None:
    corpus = Corpus(tmp_path)
    first = make(corpus, "1", {"a": [1, 2]})
    path = first.folder / "pairs-a.parquet"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    else:
        (first.folder / ("manifest.json" if damage == "manifest" else "parts/a.json")).unlink()
    made: list[str] = []
    second = make(corpus, "2", {"a": [1, 2]}, made)
    assert made == ["a"] and queries(sets.open_set(second.folder)) == ["q1", "q2"]
    if damage != "note":
        assert sets.made(corpus, "own", "1") is None
        assert queries(sets.open_set(make(corpus, "1", {"a": [1, 2]}).folder)) == ["q1", "q2"]


@pytest.mark.parametrize("name", ["a/b", "../a", "", "A", ".a", "a" * 65, "a\n", "/etc"])
def test_bad_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name of a"):
        SetWriter(Corpus(tmp_path / "corpus"), name, "pairs", "1")
    assert not (tmp_path / "corpus").exists()


def test_a_name_is_of_one_kind(tmp_path: Path) -> None:
    made_sets.benchmark(tmp_path, "own")
    with pytest.raises(ConfigError, match="has a benchmark of this name"):
        SetWriter(Corpus(tmp_path), "own", "pairs", "1")
    made_sets.training_set(tmp_path, "other")
    with pytest.raises(ConfigError, match=r"name of a benchmark = 'other'.*has a training set of this name"):
        sets.check_name(Corpus(tmp_path), "other", "benchmark")


def test_no_set_of_this_name(tmp_path: Path) -> None:
    made_sets.benchmark(tmp_path, "one")
    for kind, message in (("pairs", "no training set `one`.*are: none"), (None, "no set `two`.*are: one")):
        with pytest.raises(ConfigError, match=message):
            sets.find(Corpus(tmp_path), "one" if kind else "two", kind)


def test_a_benchmark_that_was_deleted_by_hand_is_missed(tmp_path: Path) -> None:
    corpus, found = Corpus(tmp_path), made_sets.benchmark(tmp_path, "gone")
    assert [one.name for one in sets.benchmarks(corpus)] == ["gone"]
    shutil.rmtree(found.folder)
    with pytest.raises(ConfigError, match=r"no set.*to do without it, delete .*manifests/sets/gone\.json"):
        sets.benchmarks(corpus)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A set that was copied out of its corpus."""
    found = made_sets.training_set(tmp_path / "corpus")
    return Path(shutil.copytree(found.folder, tmp_path / "copied"))


def change(folder: Path, entry: dict[str, Any] | None = None, **facts: Any) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | facts
    manifest["files"][0:1] = [] if entry is None else [manifest["files"][0] | entry]
    path.write_text(json.dumps(manifest))


def test_a_copied_set_opens(foreign: Path) -> None:
    assert sets.open_set(foreign).rows("pairs") == 20


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "../copied/pairs-p0.parquet"}, {"file": "/etc/passwd"}, {"file": "pairs-p0.parquet\n"}, {"file": 7},
        {"file": "pairs-p0/x.parquet"}, {"file": "pairs-p9.parquet"}, {"table": "negatives"}, {"table": "documents"},
        {"rows": 11}, {"rows": None}, {"bytes": 1}, {"bytes": None},
        {"file": "documents-p0.parquet", "table": "documents"},
    ],
)  # fmt: skip
def test_a_manifest_that_lies_is_refused(foreign: Path, entry: dict[str, Any]) -> None:
    change(foreign, entry)
    with pytest.raises(ConfigError, match="copied"):
        sets.open_set(foreign)


@pytest.mark.parametrize(
    "facts", [{"kind": "other"}, {"kind": None}, {"kind": ["pairs"]}, {"name": None}, {"id": 1}, {"files": [7]}]
)
def test_a_manifest_of_something_else_is_refused(foreign: Path, facts: dict[str, Any]) -> None:
    path = foreign / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    with pytest.raises(ConfigError, match=r"manifest\.json"):
        sets.open_set(foreign)


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00", "{}"])
def test_no_manifest_at_all(foreign: Path, content: str) -> None:
    (foreign / "manifest.json").write_text(content)
    with pytest.raises(ConfigError, match=r"manifest\.json"):
        sets.open_set(foreign)


@pytest.mark.parametrize("damage", ["truncated", "noise", "columns"])
def test_parquet_of_the_right_size_that_is_none_is_refused(foreign: Path, damage: str) -> None:
    path = foreign / "pairs-p0.parquet"
    if damage == "columns":
        pq.write_table(pq.read_table(path).drop_columns("work"), path)
    else:
        path.write_bytes(path.read_bytes()[:-50] + (b"" if damage == "truncated" else b"x" * 50))
    change(foreign, {"bytes": path.stat().st_size})
    with pytest.raises(ConfigError, match=r"pairs-p0\.parquet: .*make the set again"):
        sets.open_set(foreign)


def test_no_export_into_a_folder_that_has_something(foreign: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for format in ("plain", "sentence-transformers", "beir"):
        with pytest.raises(ConfigError, match="is not empty"):
            exports.write(sets.open_set(foreign), format, out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
