from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_texts import ALPHABETS, made, table, text, texts
from pydantic import ValidationError

from retrieval.pairs import selection
from retrieval.pairs.spans import SENTINEL, SPANS, Params, available, restore


def test_golden():
    assert restore([100, 258, 101, 257], [258, 5, 6, 257, 7]) == bytes([97, 2, 3, 98, 4])


@pytest.mark.parametrize(
    ("inputs", "labels"), [([258, 5], []), ([257], [257, 5]), ([258], [5, 258]), ([258, 257], [257, 5, 258, 6])]
)
def test_sentinels_that_do_not_fit_are_refused(inputs, labels):
    with pytest.raises(ValueError, match="same sentinels"):
        restore(inputs, labels)


def test_restoring_gives_the_bytes_of_fifteen_languages():
    found = [text(language, 1_200) for language in ALPHABETS]
    rows, counter = made(SPANS, table(found, list(ALPHABETS)))
    assert counter == {"used": len(found)}
    places = Counter()
    for row in rows:
        whole = found[int(row["doc"][1:])]
        chunk = restore(row["input_ids"], row["labels"])
        assert len(chunk) == 1024
        assert chunk in whole.encode()
        assert whole[row["start"] : row["end"]] == row["text"] == chunk.decode(errors="ignore")
        assert row["decoder_input_ids"] == [0, *row["labels"][:-1]]
        places[row["doc"]] += 1
    assert places == {f"d{n}": len(text.encode()) // 1024 for n, text in enumerate(found)}


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=5), st.integers(2, 40), st.floats(0.01, 0.99), st.floats(1, 20))
def test_restoring_gives_the_bytes_of_any_text(found, chunk, noise, span):
    try:
        Params(chunk=chunk, noise=noise, span=span)
    except ValidationError:
        return
    for row in made(SPANS, table(found), chunk=chunk, noise=noise, span=span)[0]:
        whole = found[int(row["doc"][1:])]
        restored = restore(row["input_ids"], row["labels"])
        assert len(restored) == chunk and restored in whole.encode()
        assert whole[row["start"] : row["end"]] == row["text"]
        assert row["text"].encode() in restored


def test_noise_is_t5s():
    rows, _ = made(SPANS, table([text("en", 60_000)]))
    lengths = []
    for row in rows:
        marks = [n for n, id in enumerate(row["labels"]) if id > 247]
        assert [row["labels"][n] for n in marks] == [SENTINEL - n for n in range(8)]
        lengths += [after - before - 1 for before, after in zip(marks, [*marks[1:], len(row["labels"])], strict=True)]
        assert len(row["input_ids"]) + len(row["labels"]) == 1024 + 16
        assert row["input_ids"][0] <= 247  # the first span is not noise
    assert abs(sum(lengths) / len(rows) / 1024 - 0.15) < 0.01
    assert abs(sum(lengths) / len(lengths) - 20) < 1
    assert min(lengths) == 1 and max(lengths) > 60


def test_rows_repeat_and_hang_on_their_document_alone():
    found = [text("el", 700, seed) for seed in range(5)]
    rows, _ = made(SPANS, table(found))
    assert made(SPANS, table(found))[0] == rows
    assert made(SPANS, table(found).slice(2, 1))[0] == [row for row in rows if row["doc"] == "d2"]
    assert made(SPANS, table(found), seed=2)[0] != rows


def test_languages_are_taken_evenly():
    found = [text(language, 400, n) for language in ALPHABETS for n in range(3)]
    languages = [language for language in ALPHABETS for _ in range(3)]
    documents, params = table(found, languages), {"chunk": 32, "span": 5.0}
    rates = selection.rates(available(documents, Params(**params)))
    rows, counter = made(SPANS, documents, **params, rates=rates)
    counts = Counter(row["language"] for row in rows)
    assert set(counts) == set(ALPHABETS)
    assert max(counts.values()) / min(counts.values()) < 1.05
    assert counter.total() == len(found)


def test_short_documents_are_counted():
    assert made(SPANS, table(["x" * 1023, "", "é" * 512])) [1] == {
        "shorter than a chunk": 1, "no text": 1, "used": 1
    }  # fmt: skip


def test_more_spans_than_sentinels_are_refused():
    with pytest.raises(ValidationError, match="sentinels for 11"):
        Params(span=3)
