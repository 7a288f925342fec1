"""What may not stand beside a benchmark: planted copies of every kind are found, with the right reason."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters import compiling
from filters.words import fold, words
from retrieval import overlap_hashes
from retrieval.overlap import ANY, CONTAINS, EQUAL, PART, SHARED, SIMILAR, Guard, Rules
from retrieval.overlap_hashes import Table, grams, whole, word_hashes

FORMULA = "This Regulation shall be binding in its entirety and directly applicable in all Member States of the Union."
HOSTILE = [
    "", " \n", "...!?", "\ud800", "\ud800 word \udfff", "a\u200bb", "\u202eabc\u202c", "e\u0301 \u00e9",
    "İstanbul ſtraße ß", "👩\u200d👩\u200d👧 x", "\0 nul",
    "ﬁ Å \u212b", "日本語の文章です。漢字 kanji", "ภาษาไทยไม่มีช่องว่าง", "\u0300\u0301", "한국어 \u1112\u1161\u11ab",
    "one " * 1000, "x" * 5000, "１２ ½ ²",
]  # fmt: skip
TEXTS = st.text(st.characters() | st.sampled_from("abc éßİ日ไ.\u0301\ud800 "), max_size=60) | st.sampled_from(HOSTILE)


def prose(seed: int, count: int = 60) -> str:
    """Words that no other seed has in this order."""
    dice = random.Random(seed)
    return " ".join("".join(dice.choices("abcdefghijklmnop", k=dice.randint(3, 9))) for _ in range(count))


def guard(*texts: str, rules: Rules | None = None) -> Guard:
    return Guard([(text, f"work {n}") for n, text in enumerate(texts)], rules)


@pytest.fixture(params=["numba", "numpy"])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(compiling, "available", lambda: False)
    elif not compiling.available():
        pytest.skip("numba is not there")


def changed(text: str, *places: int) -> str:
    found = text.split()
    for place in places:
        found[place] = "otherwise"
    return " ".join(found)


@pytest.mark.usefixtures("both")
def test_a_copy_of_every_kind() -> None:
    passages = [prose(n) for n in range(20)]
    asked = "Which court decides on it?"
    found = guard(*passages, asked)
    half = " ".join(passages[6].split()[:30])
    pieces = " ".join(" ".join(passages[n].split()[:28]) for n in range(8, 11))
    cases = {
        passages[3].upper().replace(" ", ",  "): EQUAL,
        "WHICH court decides on it": EQUAL,
        changed(passages[4], 30): SIMILAR,
        f"{prose(50, 400)} {passages[5]} {prose(51, 400)}": CONTAINS,
        half: PART,
        f"{prose(52, 300)} {half} {prose(53, 300)} {' '.join(passages[6].split()[30:56])}": CONTAINS,
        pieces: SHARED,
        prose(77): None,
        f"{prose(54, 40)} {' '.join(passages[7].split()[:20])}": None,
        f"{prose(55)} {asked} {prose(56)}": None,
        "which court": None,
        "": None,
    }
    assert dict(zip(cases, found.reasons(list(cases)), strict=True)) == cases


@pytest.mark.usefixtures("both")
def test_what_is_found_is_said() -> None:
    found = guard(*(prose(n) for n in range(5)))
    [equal, near, nothing] = found.overlaps([prose(3), changed(prose(2), 58), prose(9)])
    assert (equal.at, equal.similarity, equal.contained, equal.shared, equal.common) == (3, 1.0, 1.0, 1.0, 48)
    # 56 5-grams each, two of which a change of the last but one word takes away
    assert near.at == near.similar == 2 and near.similarity == pytest.approx(54 / 58)
    assert near.contained == near.shared == pytest.approx(46 / 48) and near.common == 46
    assert nothing == (None, None, 0.0, None, 0.0, None, 0.0, 0)


@pytest.mark.usefixtures("both")
def test_the_thresholds_are_sharp() -> None:
    text = prose(1, 12 + 20)  # 20 13-grams
    longer = f"{prose(2, 100)} {' '.join(text.split()[:22])} {prose(3, 100)}"  # 10 of them
    fewer = f"{prose(2, 100)} {' '.join(text.split()[:21])} {prose(3, 100)}"
    assert guard(text).reasons([longer, fewer]) == [CONTAINS, None]
    assert guard(text, rules=Rules(share=0.55)).reasons([longer]) == [None]
    near = prose(4, 49)  # 45 5-grams; one change in the middle leaves 40 of 50
    assert guard(near).reasons([changed(near, 20), changed(near, 20, 40)])[0] == SIMILAR
    assert guard(near, rules=Rules(jaccard=0.81, share=1)).reasons([changed(near, 20)]) == [None]


@pytest.mark.usefixtures("both")
def test_formulas_tell_nothing_but_in_copies() -> None:
    acts = [f"{prose(n)} {FORMULA}" for n in range(6)]
    final = f"Article 9. {FORMULA}"
    train = [f"{prose(30)} {FORMULA}", final, FORMULA, f"{prose(31, 5)} {FORMULA} {prose(32, 5)}"]
    spared = guard(*acts, final)
    assert spared.reasons(train) == [None, EQUAL, SIMILAR, None]
    assert all(found.common >= 4 for found in spared.overlaps(train))
    strict = Rules(strict=True)
    assert guard(*acts, final, rules=strict).reasons(train) == [ANY, EQUAL, SIMILAR, ANY]
    everything = Rules(formula=None)
    assert guard(*acts, final, rules=everything).reasons(train) == [CONTAINS, EQUAL, SIMILAR, CONTAINS]
    # many passages of one work make no formula
    one = Guard([(f"{prose(n)} {FORMULA}", "one work") for n in range(6)] + [(final, "one work")])
    assert one.reasons(train[:1]) == [CONTAINS]


@pytest.mark.usefixtures("both")
def test_scripts_without_spaces() -> None:
    text = "本規則は、欧州連合の全ての加盟国において直接適用され、その全体について拘束力を有するものとする。"
    longer = f"第一条の規定により、次のとおり定める。{text}附則はこれを別に定めるものとし、施行の日は官報で告示する。"
    assert guard(text).reasons([longer, text.replace("、", " "), "全く別の文章であり、何も共有していない。"]) == [
        CONTAINS, EQUAL, None,
    ]  # fmt: skip


@pytest.mark.usefixtures("both")
def test_repeated_words_hide_nothing() -> None:
    line = prose(1, 13)
    passage = prose(2)
    found = guard(f"{line} {line}", passage)
    assert found.reasons([" ".join([line] * 500)]) == [SIMILAR]
    assert found.reasons(["word " * 5000 + prose(3) + " " + passage, "word " * 5000]) == [CONTAINS, None]


@pytest.mark.usefixtures("both")
def test_no_text_is_too_strange() -> None:
    found = guard(*HOSTILE)
    reasons = found.reasons(HOSTILE)
    for text, reason in zip(HOSTILE, reasons, strict=True):
        assert reason == (EQUAL if words(fold(text)) else None)
    assert guard().reasons([*HOSTILE, prose(1)]) == [None] * (len(HOSTILE) + 1)
    assert guard("").reasons(["", prose(1)]) == [None, None]
    assert found.reasons([]) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=6))
@example(HOSTILE)
def test_words_have_the_same_hashes_either_way(texts: list[str]) -> None:
    hashes, bounds = word_hashes(texts)
    split = [words(fold(text)) for text in texts]
    assert np.diff(bounds).tolist() == list(map(len, split))
    seen: dict[int, str] = {}
    for value, word in zip(hashes.tolist(), [word for found in split for word in found], strict=True):
        assert seen.setdefault(value, word) == word
    assert len(seen) == len({word for found in split for word in found})
    slow, same = overlap_hashes._by_numpy(texts)
    assert np.array_equal(hashes, slow) and np.array_equal(bounds, same)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=40).map(" ".join), min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from("abc"), max_size=40).map(" ".join), min_size=1, max_size=6),
    st.sampled_from([Rules(), Rules(strict=True), Rules(formula=None, share=0.2, jaccard=0.3), Rules(formula=2)]),
)
def test_reasons_are_those_of_plain_sets(held: list[str], texts: list[str], rules: Rules) -> None:
    """Against a slow Guard of Python sets, with and without numba."""
    expected = [plain_reason(text, held, rules) for text in texts]
    found = guard(*held, rules=rules)
    assert found.reasons(texts) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "available", lambda: False)
        assert guard(*held, rules=rules).reasons(texts) == expected


def plain_grams(text: str, n: int) -> set[str]:
    found = text.split()
    if n == 5 and 0 < len(found) < 5:
        return {text}
    return {" ".join(found[k : k + n]) for k in range(len(found) - n + 1)}


def plain_reason(text: str, held: list[str], rules: Rules) -> str | None:
    long, near = plain_grams(text, 13), plain_grams(text, 5)
    every = [plain_grams(other, 13) for other in held]
    anywhere = set().union(*every)
    formula = {g for g in anywhere if rules.formula and sum(g in other for other in every) >= rules.formula}
    telling = (long & anywhere) - formula
    shares = [(len(telling & other) / min(len(long), len(other)), other) for other in every if long and other]
    if not near:
        return None
    if text in held:
        return EQUAL
    if any(len(near & other) / len(near | other) >= rules.jaccard for other in (plain_grams(h, 5) for h in held)):
        return SIMILAR
    if shares and max(shares, key=lambda s: s[0])[0] >= rules.share:
        best = max(shares, key=lambda s: s[0])
        return PART if len(long) < len(best[1]) else CONTAINS
    if long and len(telling) / len(long) >= rules.share:
        return SHARED
    return ANY if rules.strict and long & anywhere else None


def test_many_texts_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [prose(n, 20) for n in range(300)]
    found = guard(*texts[::3])
    whole_answer = found.reasons(texts)
    assert [reason == EQUAL for reason in whole_answer] == [n % 3 == 0 for n in range(300)]
    monkeypatch.setattr(overlap_hashes, "BATCH", 500)
    assert found.reasons(texts) == whole_answer
    assert list(overlap_hashes.batches(["ab", "", "c" * 600, "d"])) == [["ab", "", "c" * 600], ["d"]]


def test_a_table_finds_its_keys() -> None:
    parts = [grams(word_hashes([prose(n, 30)])[0], 5) for n in range(40)]
    table = Table.of(5, [np.unique(part) for part in parts])
    assert table.places(parts[7]).min() >= 0 and (table.places(parts[7] + np.uint64(1)) == -1).all()
    texts, counts = table.shared(table.places(parts[7]))
    assert texts.tolist() == [7] and counts.tolist() == [26]
    assert all(a < b for a, b in pairwise(table.keys.tolist()))
    empty = Table.of(13, [])
    assert empty.places(parts[0]).tolist() == [-1] * 26 and len(empty.for_kernel()) == 6


def test_order_and_length_are_in_the_hash_of_a_whole() -> None:
    [a, b, c] = (whole(word_hashes([text])[0]) for text in ("one two", "two one", "one two one"))
    assert len({int(a), int(b), int(c)}) == 3
