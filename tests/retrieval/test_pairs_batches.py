from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from pair_texts import made, table, text, texts

from retrieval.pairs.batches import BATCHES_16
from retrieval.tokens import words


def check(rows, found, size, most):
    """Whether every chunk is its slice, short enough, not empty, and in one batch only."""
    seen = Counter()
    for row in rows:
        assert len(row["chunks"]) == len(row["chunk_ids"]) == size
        for id, chunk in zip(row["chunk_ids"], row["chunks"], strict=True):
            doc, _, place = id.rpartition(":")
            start, end = map(int, place.split("-"))
            assert found[int(doc[1:])][start:end] == chunk
            assert chunk.strip() and len(words(chunk)) <= most
            seen[id] += 1
    assert set(seen.values()) <= {1}
    assert len({row["batch_id"] for row in rows}) == len(rows)
    return seen


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, max_size=6), st.booleans(), st.integers(0, 2**63 - 1))
def test_batches_of_any_text(found, neighbours, seed):
    rows, counter = made(BATCHES_16, table(found), size=3, most=4, neighbours=neighbours, seed=seed)
    used = {id.rpartition(":")[0] for id in check(rows, found, 3, 4)}
    assert counter["used"] == len(used)
    assert counter.total() - counter["chunk: left over"] == len(found)


def test_batches_are_of_one_document():
    found = [text("en", 9_000), text("sw", 1_000), text("el", 3_400)]
    rows, counter = made(BATCHES_16, table(found, ["en", "sw", "el"]))
    check(rows, found, 16, 157)
    assert {row["language"] for row in rows} == {"en", "el"}
    for row in rows:
        assert len({id.rpartition(":")[0] for id in row["chunk_ids"]}) == 1
        starts = [int(id.rpartition(":")[2].split("-")[0]) for id in row["chunk_ids"]]
        assert starts == sorted(starts)
    assert counter["used"] == 2 and counter["fewer than 16 chunks"] == 1


def test_rows_repeat_and_hang_on_their_document_alone():
    found = [text("en", 4_000, seed) for seed in range(3)]
    rows, _ = made(BATCHES_16, table(found))
    assert rows and made(BATCHES_16, table(found))[0] == rows
    assert made(BATCHES_16, table(found).slice(1, 1))[0] == [r for r in rows if r["work"] == "id:d1"]


def test_neighbours_are_of_one_language_and_alike():
    about = {"cod": "cod fishery quota vessel", "tax": "tax duty customs excise"}
    found, languages = [], []
    for language in ("en", "fr"):
        for topic in ("cod", "tax") * 8:
            found.append(f"The {about[topic]} {language}{topic} of number{len(found)} is set.")
            languages.append(language)
    rows, counter = made(BATCHES_16, table(found, languages), size=8, neighbours=True)
    check(rows, found, 8, 157)
    assert counter == {"used": 32}
    assert len(rows) == 4
    for row in rows:
        assert len({languages[int(id.rpartition(":")[0][1:])] for id in row["chunk_ids"]}) == 1
        assert len({"cod" in chunk for chunk in row["chunks"]}) == 1


def test_chunks_that_share_no_rare_word_stay_alone():
    found = [f"word{n} other{n}" for n in range(40)]
    rows, counter = made(BATCHES_16, table(found), neighbours=True)
    assert rows == []
    assert counter == {"fewer than 16 chunks": 40, "chunk: left over": 40}


def test_a_word_a_million_times():
    rows, _ = made(BATCHES_16, table(["x " * 100_000]), neighbours=True)
    assert len(rows) == 100_000 // 157 // 16
