from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from pair_texts import made, table, text, texts

from retrieval.pairs import selection
from retrieval.pairs.texts import LINES, MLM, Params, available
from retrieval.tokens import words


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=6))
def test_mlm_gives_the_documents_with_their_tokens(found):
    rows, counter = made(MLM, table(found))
    full = {f"d{n}": text for n, text in enumerate(found) if text}
    assert {row["doc"]: row["text"] for row in rows} == full
    for row in rows:
        assert row["text"] == full[row["doc"]][row["start"] : row["end"]]
        assert row["tokens"] == len(words(row["text"]))
    assert counter.total() == len(found)


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=6))
def test_lines_have_one_line(found):
    rows, _ = made(LINES, table(found))
    for row in rows:
        old = found[int(row["doc"][1:])]
        assert len((row["text"] + "x").splitlines()) == 1
        assert len(row["text"]) == len(old)
        assert row["text"].split() == old.split()
        if row["start"] is None:
            assert row["end"] is None and row["text"] != old
        else:
            assert old[row["start"] : row["end"]] == row["text"]


def test_a_budget_of_tokens_is_met_to_one_document():
    sizes = {"en": 400, "fr": 90, "el": 30}
    found = [text(language, 60, n) for language, size in sizes.items() for n in range(size)]
    languages = [language for language, size in sizes.items() for _ in range(size)]
    documents = table(found, languages)
    rates = selection.rates(available(documents, Params()), budget=5_000)
    parts = [made(MLM, documents.slice(start, 130), rates=rates) for start in range(0, len(found), 130)]
    spent = Counter()
    for rows, _ in parts:
        for row in rows:
            spent[row["language"]] += row["tokens"]
    assert 4_900 < spent["en"] <= 5_000 and 4_900 < spent["fr"] <= 5_000
    assert spent["el"] == sum(len(words(text)) for text in found[-30:])
    counts = sum((counter for _, counter in parts), Counter())
    assert counts.total() == len(found) and counts["not sampled"] > 300
