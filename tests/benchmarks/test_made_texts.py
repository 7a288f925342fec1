from pathlib import Path

import made_texts
import pyarrow.parquet as pq
import pytest

from filters.minhash import shingles


def test_pairs_have_the_similarity_that_is_written_beside_them(tmp_path: Path) -> None:
    [path] = made_texts.make(tmp_path, 300, workers=1)
    rows = {row["id"]: row for row in pq.read_table(path).to_pylist()}
    copies = [row for row in rows.values() if row["id"] != row["origin"]]
    assert len(rows) == 300
    assert len(copies) == 9 + 36
    for row in copies:
        one, two = (set(shingles(text)) for text in (row["text"], rows[row["origin"]]["text"]))
        assert len(one & two) / len(one | two) == pytest.approx(row["jaccard"])
    near = sorted(row["jaccard"] for row in copies)[:36]
    asked = sorted(made_texts.SIMILARITIES[k % 8] for k in range(9, 45))
    assert near == pytest.approx(asked, abs=0.02)


def test_the_same_seed_makes_the_same_documents(tmp_path: Path) -> None:
    one, two, other = (
        pq.read_table(made_texts.make(tmp_path / name, 40, seed, workers=1)[0])
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == two
    assert one != other
