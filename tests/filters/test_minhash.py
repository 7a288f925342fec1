import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import xxhash
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from filters.minhash import (
    PRESETS,
    SCHEME,
    bands,
    best_bands,
    collision,
    curve,
    hashvalues,
    shingles,
    signature,
    text_digest,
)

ROOT = Path(__file__).resolve().parents[2]


def document(rng: random.Random, length: int) -> list[str]:
    return [f"w{rng.randrange(50_000)}" for _ in range(length)]


def near_copy(words: list[str], similarity: float, rng: random.Random) -> list[str]:
    """`words` with so many replaced at a distance that the sets of 5-grams have that Jaccard similarity.

    With k of n shingles changed on each side, J = (n - k) / (n + k); each replaced word changes 5 shingles.
    """
    total = len(words) - 4
    changed = total * (1 - similarity) / (1 + similarity)
    count = round(changed / 5)
    step = (len(words) - 10) / count
    copy = list(words)
    for k in range(count):
        copy[5 + int(k * step)] = f"new{rng.randrange(10**9)}"
    return copy


def jaccard(a: str, b: str) -> float:
    one, two = set(shingles(a)), set(shingles(b))
    return len(one & two) / len(one | two)


def share_found(similarity: float, pairs: int = 200, preset: str = "datatrove") -> float:
    rng = random.Random(similarity)
    n_bands, rows = PRESETS[preset]
    found = 0
    for _ in range(pairs):
        words = document(rng, 600)
        a, b = " ".join(words), " ".join(near_copy(words, similarity, rng))
        assert jaccard(a, b) == pytest.approx(similarity, abs=0.02)
        one, two = (bands(text, bands=n_bands, rows=rows) for text in (a, b))
        found += any(x == y for x, y in zip(one, two, strict=True))
    return found / pairs


def test_near_copies_meet_in_a_band() -> None:
    assert share_found(0.9) >= 0.97


def test_half_similar_documents_seldom_meet() -> None:
    assert share_found(0.5) < 0.15


def test_share_of_pairs_found_follows_the_curve() -> None:
    expected = collision(0.75)
    error = math.sqrt(expected * (1 - expected) / 200)
    assert share_found(0.75) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("similarity", "expected"), [(0.5, 0.001), (0.7, 0.078), (0.75, 0.204), (0.8, 0.456), (0.85, 0.789), (0.9, 0.980),
                                 (0.95, 1.000)],
)  # fmt: skip
def test_the_curve_of_hplt(similarity: float, expected: float) -> None:
    assert collision(similarity, *PRESETS["hplt"]) == pytest.approx(expected, abs=5e-4)
    assert dict(curve(*PRESETS["hplt"]))[similarity] == collision(similarity, *PRESETS["hplt"])


def test_ends_and_knee_of_the_curve() -> None:
    assert [collision(s) for s in (0, 1)] == [0, 1]
    knee = (1 / 17) ** (1 / 15)
    assert knee == pytest.approx(0.828, abs=5e-4)
    assert collision(knee, 17, 15) == pytest.approx(1 - (1 - 1 / 17) ** 17)


def test_share_of_pairs_found_with_the_bands_of_hplt() -> None:
    assert share_found(0.9, preset="hplt") == pytest.approx(0.98, abs=0.03)
    assert share_found(0.7, preset="hplt") < 0.15


@given(st.floats(0.3, 0.99), st.floats(0.5, 0.99), st.integers(64, 512))
def test_best_bands_are_the_steepest_that_suffice(similarity: float, recall: float, permutations: int) -> None:
    n_bands, rows = best_bands(similarity, recall, permutations)
    assert n_bands * rows <= permutations
    assert collision(similarity, n_bands, rows) >= recall
    assert n_bands == 1 or collision(similarity, n_bands - 1, rows) < recall
    assert all(collision(similarity, permutations // more, more) < recall for more in range(rows + 1, permutations + 1))


def test_best_bands() -> None:
    assert best_bands(0.8, 0.9, 112) == (13, 8)
    assert best_bands(1, 1, 16) == (1, 16)


@pytest.mark.parametrize("figures", [(0, 0.9, 100), (1.1, 0.9, 100), (0.5, 0, 100), (0.5, 0.9, 0), (0.1, 0.99, 20)])
def test_bands_that_cannot_be(figures: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="permutations"):
        best_bands(*figures)


def test_keys_are_the_same_in_every_process() -> None:
    text = "one two three four five six"
    program = f"from filters.minhash import bands; print(bands({text!r}))"
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    other = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == str(bands(text))


def test_keys_do_not_change_from_one_release_to_the_next() -> None:
    """A corpus stores them: whoever changes these figures makes old and new shards incomparable."""
    assert bands("one two three four five six", bands=2, rows=4) == [
        9110659390994883369,
        14912820659306921649,
    ]


def test_shape_and_parameters() -> None:
    keys = bands("one two three four five six", bands=3, rows=2)
    assert len(keys) == 3
    assert all(0 <= key < 2**64 for key in keys)
    assert bands("one two three four five six", bands=3, rows=2, seed=2) != keys
    with pytest.raises(ValueError, match="at least 1"):
        bands("a", bands=0)


def test_case_punctuation_and_white_space_do_not_matter_to_bands() -> None:
    assert bands("The Member-States shall, protect\nwater") == bands("the member states shall protect water.")


def test_annexes_that_differ_only_in_the_figures_of_a_table_differ() -> None:
    rng = random.Random(3)
    one, two = (" ".join(f"Substance {n} limit {rng.randrange(900)} mg" for n in range(40)) for _ in range(2))
    assert text_digest(one) != text_digest(two)
    assert not set(bands(one)) & set(bands(two))


def test_a_text_shorter_than_a_shingle_is_one_shingle() -> None:
    assert shingles("Two words") == ["two words"]
    assert shingles("法律") == ["法律"]
    assert len(bands("Two words")) == 14
    assert bands("Two words") != bands("Two word")


@pytest.mark.parametrize("text", ["", " \n", "... — !"])
def test_a_text_without_words_has_no_bands(text: str) -> None:
    assert shingles(text) == []
    assert bands(text) == []


def test_scripts_without_spaces_have_character_shingles() -> None:
    rng = random.Random(5)
    text = "".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(500))
    changed = text[:250] + "龥" + text[251:]
    assert len(shingles(text)) == 496
    assert jaccard(text, changed) == pytest.approx(491 / 501)
    assert set(bands(text)) & set(bands(changed))


def test_long_texts_do_not_depend_on_how_they_are_cut() -> None:
    rng = random.Random(7)
    words = document(rng, 9_000)
    # a cycle read from two starts and wrapped by 4 words: the same shingles in other blocks
    one, two = (" ".join(words[k:] + words[:k] + words[k : k + 4]) for k in (0, 4_000))
    assert set(shingles(one)) == set(shingles(two))
    assert bands(one) == bands(two)


def test_text_digest() -> None:
    assert text_digest("Stra\u00dfe  1\n") == text_digest("STRASSE 1")
    assert text_digest("e\u0301") == text_digest("\u00e9")
    assert text_digest("a.") != text_digest("a")
    assert len(text_digest("")) == 32


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_has_a_digest_and_bands(text: str) -> None:
    assert len(text_digest(text)) == 32
    assert len(bands(text)) in (0, 14)


def test_a_lone_surrogate_is_no_error() -> None:
    assert text_digest("a\ud800") != text_digest("a")
    assert len(bands("a\ud800b")) == 14


@given(st.text(max_size=400), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_signatures_equal_those_of_datasketch(text: str, permutations: int, seed: int) -> None:
    theirs = MinHash(num_perm=permutations, seed=seed, hashfunc=xxhash.xxh32_intdigest, scheme=SCHEME)
    theirs.update_batch(shingles(text))
    ours = hashvalues(text, permutations, seed)
    assert (ours is None) == (not shingles(text))
    assert ours is None or ours.tolist() == theirs.hashvalues.tolist()
    assert signature(text, permutations, seed).jaccard(theirs) == 1


def test_a_long_text_equals_datasketch_over_many_blocks() -> None:
    text = " ".join(document(random.Random(3), 10_000))
    theirs = MinHash(num_perm=112, seed=1, hashfunc=xxhash.xxh32_intdigest, scheme=SCHEME)
    theirs.update_batch(shingles(text))
    ours = hashvalues(text, 112)
    assert ours is not None
    assert ours.tolist() == theirs.hashvalues.tolist()


def test_signatures_work_in_datasketch() -> None:
    words = document(random.Random(4), 300)
    index = MinHashLSH(threshold=0.7, num_perm=112)
    index.insert("it", signature(" ".join(words)))
    assert index.query(signature(" ".join(near_copy(words, 0.95, random.Random(5))))) == ["it"]
