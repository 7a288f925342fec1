import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import ngrams

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=80)


def repetition(words: list[str]) -> dict[int, int]:
    ids, distinct = ngrams.number(words)
    assert [distinct[i] for i in ids] == words
    return ngrams.repetition(ids, np.cumsum([0, *map(len, words)]))


def naive_most_frequent(words: list[str], n: int) -> int:
    """Read literally: of equally frequent n-grams the first, even if each occurs once."""
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    top = max(grams, key=grams.count, default=())
    return grams.count(top) * len(" ".join(top))


def naive_repeated(words: list[str], n: int) -> int:
    """Read literally: go through the text, jump over each n-gram that was seen before."""
    seen, chars, i = set(), 0, 0
    while i + n <= len(words):
        gram = tuple(words[i : i + n])
        if gram in seen:
            chars += len("".join(gram))
            i += n
        else:
            seen.add(gram)
            i += 1
    return chars


@pytest.mark.parametrize("few", [0, 10, 1000])
@given(words=WORDS)
def test_repetition_agrees_with_the_naive_count(words: list[str], few: int) -> None:
    """However few places are left when loops take over from arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "_FEW", few)
        found = repetition(words)
    assert found == {n: naive_most_frequent(words, n) if n <= 4 else naive_repeated(words, n) for n in range(2, 11)}


def test_the_longest_text_that_is_looked_at() -> None:
    count = ngrams.MOST_WORDS
    ids = np.arange(count)
    assert repetition_of(ids)[10] == 0
    ids[-10:] = ids[:10]
    assert repetition_of(ids)[10] == 10


def repetition_of(ids: ngrams.Numbers) -> dict[int, int]:
    return ngrams.repetition(ids, np.arange(len(ids) + 1))
