import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import ConfigError
from filters.minhash import best_bands
from flows.near import Found, near, summary


def write(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


def words(seed: int, count: int = 200) -> list[str]:
    rng = random.Random(seed)
    return [f"w{rng.randrange(9_000)}" for _ in range(count)]


def changed(found: list[str], places: list[int]) -> str:
    return " ".join(f"new{i}" if i in places else word for i, word in enumerate(found))


def rows(path: Path) -> dict[Any, tuple[Any, int, Any, bool]]:
    table = pq.read_table(path)
    assert table.schema.names == ["id", "cluster", "size", "diameter", "exact", "keep"]
    ids = table["id"].to_pylist()
    assert ids == sorted(ids)
    return {row["id"]: (row["cluster"], row["size"], row["exact"], row["keep"]) for row in table.to_pylist()}


def test_clusters_over_two_files(tmp_path: Path) -> None:
    one, two = words(1), words(2)
    first = write(
        tmp_path / "it's [1].parquet", id=["d", "b", "e", "f"], text=[" ".join(one), " ".join(two), None, None]
    )
    second = write(
        tmp_path / "2.parquet", name=["a", "c", "g"], text=[changed(one, [100]), " ".join(two).upper() + " \n", "..."]
    )
    second = write(tmp_path / "2.parquet", id=pq.read_table(second)["name"], text=pq.read_table(second)["text"])
    out = tmp_path / "out.parquet"
    assert near([first, second], out) == Found(documents=7, clusters=2, duplicates=2, exact=1, bands=14, rows=8)
    assert rows(out) == {
        "a": ("a", 2, "a", True), "b": ("b", 2, "b", True), "c": ("b", 2, "b", False), "d": ("a", 2, "d", False),
        "e": ("e", 1, "e", True), "f": ("f", 1, "f", True), "g": ("g", 1, "g", True),
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.parquet", "it's [1].parquet", "out.parquet"]


def test_the_longest_is_kept(tmp_path: Path) -> None:
    one = words(1)
    texts = [" ".join(one), " ".join(one) + " and more", " ".join(one)[:-3], "alone here"]
    near([write(tmp_path / "x.parquet", id=["a", "b", "c", "d"], text=texts)], tmp_path / "o.parquet", keep="longest")
    assert {id: row[3] for id, row in rows(tmp_path / "o.parquet").items()} == dict(
        zip("abcd", (False, True, False, True), strict=True)
    )


def test_verification_parts_what_is_less_similar(tmp_path: Path) -> None:
    one = words(1)
    # 5 shingles of 196 change: J = 191 / 201; then 60 of them: J = 136 / 256
    texts = [" ".join(one), changed(one, [100]), changed(one, list(range(10, 190, 15)))]
    path = write(tmp_path / "x.parquet", id=[1, 2, 3], text=texts)
    near([path], tmp_path / "loose.parquet", bands=100, rows=2)
    assert {row[0] for row in rows(tmp_path / "loose.parquet").values()} == {1}
    near([path], tmp_path / "strict.parquet", bands=100, rows=2, verify=0.9)
    assert [row[0] for row in rows(tmp_path / "strict.parquet").values()] == [1, 1, 3]


def test_column_names_and_types(tmp_path: Path) -> None:
    texts = pa.array(["one two", "One  two", "three"]).dictionary_encode()
    path = write(tmp_path / "x.parquet", **{'k"ey': pa.array([3, 1, 2], pa.uint16()), "body": texts})
    assert near([path], tmp_path / "o.parquet", id='k"ey', text="body", verify=0.5).exact == 1
    assert rows(tmp_path / "o.parquet")[3] == (1, 2, 1, False)
    assert pq.read_schema(tmp_path / "o.parquet").field("cluster").type == pa.uint16()


def test_summary() -> None:
    said = summary(Found(documents=1_000, clusters=3, duplicates=4, exact=1, bands=17, rows=15))
    assert "1,000 documents, 3 clusters, 4 duplicates (1 of equal text)" in said
    assert "  0.8   45.6%  " in said
    assert "  0.9   98.0%  " in said


def test_summary_of_verified_pairs() -> None:
    lines = summary(Found(documents=1, clusters=0, duplicates=0, exact=0, bands=17, rows=15), verify=0.85).splitlines()
    assert "under 0.85 were dropped" in lines[2]
    assert [line.split()[0] for line in lines[4:]] == ["0.85", "0.9", "1"]


def test_ids_of_several_types(tmp_path: Path) -> None:
    texts = [" ".join(words(1)), " ".join(words(2))]
    files = [
        write(tmp_path / "1.parquet", id=[10, 2], text=texts),
        write(tmp_path / "2.parquet", id=["x", "y"], text=texts, more=[1, 2]),
        write(
            tmp_path / "3.parquet",
            more=["a"],
            text=pa.array([texts[0]]).dictionary_encode(),
            id=pa.array([3], pa.int8()),
        ),
    ]
    assert near(files, tmp_path / "o.parquet", verify=0.5).duplicates == 3
    assert {id: row[0] for id, row in rows(tmp_path / "o.parquet").items()} == {
        "10": "10", "2": "2", "x": "10", "y": "2", "3": "10",
    }  # fmt: skip
    files[1] = write(tmp_path / "2.parquet", id=["x", "10"], text=texts)
    with pytest.raises(ConfigError, match=r"'10' \(in .*[12].parquet and .*[12].parquet\)"):
        near(files, tmp_path / "again.parquet")


def test_whole_numbers_stay_and_rank_as_numbers(tmp_path: Path) -> None:
    same = " ".join(words(1))
    near([write(tmp_path / "x.parquet", id=[10, 9, 100], text=[same, same, same])], tmp_path / "o.parquet")
    assert rows(tmp_path / "o.parquet") == {n: (9, 3, 9, n == 9) for n in (9, 10, 100)}


def test_a_similarity_chooses_the_bands(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", id=["a"], text=["x"])
    found = near([path], tmp_path / "o.parquet", similarity=0.8, recall=0.9)
    assert (found.bands, found.rows) == best_bands(0.8, 0.9)
    assert f"Pairs that {found.bands} bands of {found.rows} find" in summary(found)


def test_no_documents(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", id=pa.array([], pa.string()), text=pa.array([], pa.string()))
    assert near([path], tmp_path / "o.parquet") == Found(0, 0, 0, 0, 14, 8)
    assert rows(tmp_path / "o.parquet") == {}


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"id": ["a", "b", "a"], "text": ["x", "y", "z"]}, {}, ["'a'", "x.parquet", "--id"]),
        ({"id": ["a", None], "text": ["x", "y"]}, {}, ["x.parquet", "row 1"]),
        ({"id": [0.5], "text": ["x"]}, {}, ["x.parquet", "'id' is double", "--id"]),
        ({"id": ["a"], "text": [b"x"]}, {}, ["x.parquet", "'text' is binary", "--text"]),
        ({"id": ["a"], "body": ["x"]}, {}, ["x.parquet", "no column 'text'", "id, body", "--text"]),
        ({"id": ["a"], "text": pa.array([b"\xff"]).view(pa.string())}, {}, ["x.parquet", "rows 0 to 1", "UTF-8"]),
        ({"id": ["a"], "text": ["x"]}, {"bands": 0}, ["bands = 0"]),
        ({"id": ["a"], "text": ["x"]}, {"verify": 1.5}, ["verify = 1.5"]),
        ({"id": ["a"], "text": ["x"]}, {"similarity": 0.01}, ["similarity 0.01", "less recall"]),
        ({"id": ["a"], "text": ["x"]}, {"similarity": 0.8, "rows": 5}, ["similarity = 0.8", "not both"]),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], said: list[str]
) -> None:
    path = write(tmp_path / "x.parquet", **columns)
    with pytest.raises(ConfigError) as error:
        near([path], tmp_path / "o.parquet", **options)
    assert all(part in str(error.value) for part in said), str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    text = tmp_path / "x.txt"
    text.write_text("no parquet")
    good = write(tmp_path / "good.parquet", id=["a"], text=["x"])
    broken = tmp_path / "broken.parquet"
    data = bytearray(write(tmp_path / "y.parquet", id=["a"] * 99, text=["x y z"] * 99).read_bytes())
    data[4:60] = bytes(56)
    broken.write_bytes(data)
    for files, output, said in (
        ([text], tmp_path / "o.parquet", "x.txt: not a parquet file"),
        ([tmp_path / "none.parquet"], tmp_path / "o.parquet", "none.parquet"),
        ([broken], tmp_path / "o.parquet", "broken.parquet: damaged"),
        ([], tmp_path / "o.parquet", "no files"),
        ([good], good, "is one of the files"),
        ([good], text, "x.txt exists already"),
        ([good], tmp_path, "is a folder"),
        ([good], tmp_path / "no" / "o.parquet", "no folder"),
    ):
        with pytest.raises(ConfigError, match=said):
            near(files, output)
