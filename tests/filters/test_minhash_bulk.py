import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import compiling, minhash, minhash_bulk

PIECES = st.sampled_from(
    [
        *"aE7ßſẞȺİıςΣ\u0301\u0327\u200d\u202e\u00a0\u2028\u3000_—.国語ガｶﾞกา\u103a각한\u212a\u212b\uf900\u09be\u09c7🙂",
        *"\U00020000\U0001d400\U000e0100\u0345\u1f71ŉǰ\x00\x1c\x85\n\t",
        " ", "  ", "the ", "Word ", "été ", "\r\n", "東京", "ไทย",
    ]
)  # fmt: skip
HOSTILE = st.lists(PIECES | st.characters(exclude_categories=["Cs"]), max_size=80).map("".join)


def check(texts: list[str], permutations: int, seed: int) -> None:
    found = minhash_bulk.signed(pa.array(texts, pa.string()), permutations, seed)
    sets = minhash_bulk.shingle_sets(pa.array(texts, pa.string()))
    assert len(sets) == len(texts)
    for i, text in enumerate(texts):
        expected = minhash.hashvalues(text, permutations, seed)
        assert found.shingles[i] == len(minhash.shingles(text))
        assert expected is None or found.minima[i].tolist() == expected.tolist()
        assert "{:016x}{:016x}".format(*found.digests[i].tolist()) == minhash.text_digest(text)
        assert found.sizes[i] == len(minhash.plain(text))
        assert sets[i].tolist() == sorted(set(minhash.hashed(minhash.shingles(text)).tolist()))


@settings(deadline=None)  # the first example compiles
@given(
    st.lists(HOSTILE | st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=5),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_many_at_once_equal_one_by_one(texts: list[str], permutations: int, seed: int) -> None:
    check(texts, permutations, seed)


def test_every_character_is_folded_as_alone_and_beside_others() -> None:
    every = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    check(["x" + "b x".join(every[i : i + 512]) for i in range(0, 0x30000, 512)], 2, 1)
    check(["".join(every[i : i + 64]) for i in range(0, 0x3500, 64)], 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "word", "a b", "word " * 20_000, "國" * 20_000, "a國" * 9_000, "ก\u0e31" * 9_000, "國1" * 9_000,
        "\u0301" * 9_000, "!" * 9_000, "ſ " * 9_000, "Ⱥ" * 9_000, "é" * 9_000, "\U00020000a" * 9_000,
    ],
)  # fmt: skip
def test_long_and_odd_texts(text: str) -> None:
    check([text, "between", text], 16, 1)


def test_nulls_slices_and_other_string_types() -> None:
    texts = pa.array(["one two", None, "Straße", "x " * 30])
    whole = minhash_bulk.signed(texts, 8)
    assert whole.shingles.tolist() == [1, 0, 1, 26]
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        assert (minhash_bulk.signed(texts.cast(kind), 8).digests == whole.digests).all()
    part = minhash_bulk.signed(texts.slice(2, 2), 8)
    assert (part.minima == whole.minima[2:]).all()
    assert len(minhash_bulk.signed(texts.slice(0, 0), 8).minima) == 0


def test_what_is_not_utf_8_is_refused() -> None:
    broken = pa.array([b"ok", b"\xe4\xb8"]).view(pa.string())
    with pytest.raises(pa.ArrowInvalid):
        minhash_bulk.signed(broken, 8)


def test_without_numba_the_values_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array(["One two three four five six", None, "國語" * 9, "", "e\u0301t\u00e9 " * 9])
    compiled, sets = minhash_bulk.signed(texts, 8), minhash_bulk.shingle_sets(texts)
    monkeypatch.setattr(compiling, "available", lambda: False)
    plain = minhash_bulk.signed(texts, 8)
    assert [found.tolist() for found in minhash_bulk.shingle_sets(texts)] == [found.tolist() for found in sets]
    worded = plain.shingles > 0
    assert (compiled.shingles == plain.shingles).all()
    assert (compiled.minima[worded] == plain.minima[worded]).all()
    assert (compiled.digests == plain.digests).all()
    assert (compiled.sizes == plain.sizes).all()


def test_band_keys_equal_those_of_one_text() -> None:
    texts = ["one two three four five six seven", "Ünder the wäter"]
    keys = minhash.band_keys(minhash_bulk.signed(pa.array(texts), 12).minima, 3)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [minhash.bands(text, bands=3, rows=4) for text in texts]
