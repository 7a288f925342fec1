from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_texts import ALPHABETS, made, table, text, texts
from pydantic import ValidationError

from retrieval.pairs import selection
from retrieval.pairs.crops import CROPS, Params, available
from retrieval.tokens import words


def sides(row):
    return [(row["query_doc"], row["query_start"], row["query_end"], row["query"], row["query_id"]),
            (row["doc"], row["start"], row["end"], row["document"], row["document_id"])]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=5), st.integers(0, 2**63 - 1))
def test_crops_slice_back(found, seed):
    rows, _ = made(CROPS, table(found), chunk=8, low=0.2, high=0.9, seed=seed)
    for row in rows:
        for doc, start, end, crop, id in sides(row):
            assert found[int(doc[1:])][start:end] == crop
            assert id == f"{doc}:{start}-{end}"
            assert 2 <= len(words(crop)) <= 7


def test_lengths_and_chunks_are_contrievers():
    found = [text(language, 900) for language in ALPHABETS]
    rows, counter = made(CROPS, table(found, list(ALPHABETS)))
    assert counter == {"used": len(found)}
    assert len(rows) == sum(len(words(text)) // 256 for text in found)
    for row in rows:
        whole = words(found[int(row["doc"][1:])])
        places = [(start, end) for _, start, end, _, _ in sides(row)]
        indices = [sum(token[0] < place for token in whole) for pair in places for place in pair]
        lengths = indices[1] - indices[0], indices[3] - indices[2]
        assert all(0.05 * 256 <= length <= 0.5 * 256 for length in lengths)
        assert max(indices) - min(indices) <= 256  # both are of one chunk


def test_lengths_are_spread_evenly():
    rows, _ = made(CROPS, table([text("en", 60_000)]))
    lengths = [len(words(crop)) for row in rows for crop in (row["query"], row["document"])]
    assert min(lengths) < 20 and max(lengths) > 120
    assert 65 < sum(lengths) / len(lengths) < 76  # (13 + 128) / 2


def test_rows_repeat_and_hang_on_their_document_alone():
    found = [text("fr", 700, seed) for seed in range(6)]
    rows, _ = made(CROPS, table(found))
    assert made(CROPS, table(found))[0] == rows
    documents = table(found)
    backwards = documents.take(list(reversed(range(6))))
    assert sorted(made(CROPS, backwards)[0], key=str) == sorted(rows, key=str)
    assert made(CROPS, documents.slice(3, 1))[0] == [row for row in rows if row["doc"] == "d3"]
    assert made(CROPS, table(found), seed=2)[0] != rows


def test_documents_are_accounted_for():
    rows, counter = made(CROPS, table(["", "short", text("en", 300), None, text("en", 300)], ["en"] * 4 + ["und"]))
    assert counter == {"no text": 2, "no language": 1, "shorter than a chunk": 1, "used": 1}
    assert {row["doc"] for row in rows} == {"d2"}


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.99))
def test_deletion_leaves_tokens_of_the_chunk(chance):
    found = text("en", 80)
    rows, _ = made(CROPS, table([found]), chunk=64, delete=chance, low=0.5, tokenizer="words")
    plain, _ = made(CROPS, table([found]), chunk=64, low=0.5)
    for row, old in zip(rows, plain, strict=True):
        for name in ("query", "document"):
            assert row[name] and len(row[name]) <= len(old[name])
            assert (row[name] == old[name]) or chance > 0
        if chance:
            assert row["start"] is row["end"] is row["query_start"] is row["query_end"] is None
            assert row["query_id"] == "d0#query-0" and row["document_id"] == "d0#document-0"


def test_deletion_takes_its_share():
    found = text("en", 60_000).replace(".", "")
    kept = sum(len(row["query"].split()) for row in made(CROPS, table([found]), delete=0.1)[0])
    all_of_them = sum(len(row["query"].split()) for row in made(CROPS, table([found]))[0])
    assert 0.88 < kept / all_of_them < 0.92


def test_languages_are_taken_evenly():
    sizes = {"en": 30_000, "fr": 9_000, "el": 60_000, "zh": 14_000}
    found = [text(language, 500, n) for language, size in sizes.items() for n in range(size // 1_000)]
    languages = [language for language, size in sizes.items() for _ in range(size // 1_000)]
    documents, params = table(found, languages), {"chunk": 16}
    rates = selection.rates(available(documents, Params(**params)))
    rows, counter = made(CROPS, documents, **params, rates=rates)
    counts = Counter(row["document_language"] for row in rows)
    assert set(counts) == set(sizes)
    assert max(counts.values()) / min(counts.values()) < 1.05
    assert counter.total() == len(found)


def test_a_document_of_which_no_chunk_is_taken_is_counted():
    assert made(CROPS, table([text("en", 300)]), rates={"en": 0.0}) == ([], {"not sampled": 1})


@pytest.mark.parametrize("wrong", [{"low": 0.6}, {"delete": 1}, {"chunk": 0}, {"chunk": 1, "high": 0.5}, {"x": 1}])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(ValidationError):
        Params(**wrong)
