import math
import random
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.fidelity import Variant, hyphenation, lcs, order, signals, table_words
from filters.words import words

ACT = "article 1 the member states shall protect water quality"


def test_published_figures() -> None:
    """LEMUR's own examples, computed with its definition."""
    split = ACT.replace("protect", "pro- tect")
    variants: list[Variant] = ["clean", "json", "conversion"]
    for variant in variants:
        assert lcs(split, ACT, variant) == pytest.approx(0.8433, abs=1e-4)
        assert lcs(ACT, ACT, variant) == pytest.approx(1)
        assert lcs("", ACT, variant) == lcs(ACT, "", variant) == lcs("", "", variant) == 0.0
    doubled = "limits nitrate 50 mg/l nitrate 50 mg/l"
    assert lcs("limits nitrate 50 mg/l", doubled, "json") == pytest.approx(0.9707, abs=1e-4)


@pytest.mark.parametrize("hyphen", ["-\n", "\u2010\n  ", "\u00ad\n", "\u00ad"])
def test_clean_joins_words_hyphenated_at_a_line_end(hyphen: str) -> None:
    broken = ACT.replace("protect", f"pro{hyphen}tect")
    assert lcs(broken, ACT) == pytest.approx(1)
    assert order(broken, ACT) == (1, 1)
    assert lcs(broken, ACT, "json") < 1


def test_clean_keeps_the_hyphen_before_a_capital_or_a_number() -> None:
    assert lcs("the Nord-\nSud line of COVID-\n19", "the NordSud line of COVID19") < 1


def test_clean_composes_letters() -> None:
    assert lcs("re\u0301sume\u0301", "résumé") == pytest.approx(1)
    assert lcs("re\u0301sume\u0301", "résumé", "json") == 0


def test_json_reads_markdown_tables_cell_by_cell() -> None:
    assert lcs("| limits |\n|nitrate|50 mg/l|", "limits nitrate 50 mg/l", "json") == pytest.approx(1)
    assert lcs("|nitrate|50 mg/l|", "nitrate 50 mg/l") < 1


def test_conversion_takes_full_stops_for_spaces() -> None:
    assert lcs("1.2 costs $ 5 ...", "1 2 costs $5", "conversion") == pytest.approx(1)


def test_unknown_variant_names_the_choices() -> None:
    with pytest.raises(ValueError, match="clean, json, conversion"):
        lcs("a", "a", "raw")  # type: ignore[arg-type]


def test_lcs_in_scripts_without_spaces_counts_trigrams() -> None:
    reference = "第一条为了保护水质制定本法"
    changed = reference.replace("水", "火")
    assert lcs(reference, reference) == pytest.approx(1)
    # 11 trigrams, 3 of them touch the changed character
    assert lcs(changed, reference) == pytest.approx(8 / 11)
    assert lcs("第一条 为了保护\n水质制定本法", reference) == pytest.approx(1)
    assert lcs("水", "水") == pytest.approx(1)


def test_lcs_ignores_order_and_order_does_not() -> None:
    shuffled = " ".join(sorted(ACT.split()))
    assert lcs(shuffled, ACT) == pytest.approx(1)
    assert order(shuffled, ACT) == (0, 0)


def test_order_counts_ngrams_as_often_as_they_occur() -> None:
    once = "a b c d e"
    # the text's 6 five-grams hold the reference's only one twice
    assert order(f"{once} {once}", once) == pytest.approx((1, 1 / 6))
    assert order(once, f"{once} {once}") == pytest.approx((1 / 6, 1))
    assert order("a b c x e", "a b c d e f", n=3) == pytest.approx((1 / 4, 1 / 3))


WORDS = st.lists(st.sampled_from(["a", "b", "法", "律", "\n", ", "]), max_size=60).map(" ".join)


@given(WORDS, WORDS, st.integers(1, 6))
def test_order_agrees_with_counting_the_ngrams_themselves(text: str, reference: str, n: int) -> None:
    def ngrams(side: str) -> Counter[tuple[str, ...]]:
        found = words(side)
        if 0 < len(found) < n:
            return Counter([tuple(found)])
        return Counter(tuple(found[i : i + n]) for i in range(len(found) - n + 1))

    ours, theirs = ngrams(text), ngrams(reference)
    shared = (ours & theirs).total()
    assert order(text, reference, n) == (shared / max(theirs.total(), 1), shared / max(ours.total(), 1))


def test_order_takes_little_memory_and_cuts_no_word() -> None:
    text = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9000), k=100_000)))
    tracemalloc.start()
    assert order(text, text) == (1, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20
    long_word = "x" * 100_000
    assert order(f"a {long_word} b", f"a {long_word} b c", 3) == (1 / 2, 1)


def test_order_of_short_texts() -> None:
    assert order("Hello, world", "hello world") == (1, 1)
    assert order("hello", "hello world") == (0, 0)
    assert order("", "hello") == order("hello", "") == order("", "") == (0, 0)


def test_signals_of_an_equal_text() -> None:
    found = signals(ACT, ACT)
    assert (found.pop("table_word_recall"), found.pop("hyphenation")) == (None, None)
    assert found == dict.fromkeys(found, pytest.approx(1))
    assert list(found) == [
        "lcs", "lcs_json", "lcs_conversion", "order_recall", "order_precision", "word_recall", "word_precision"
    ]  # fmt: skip


def test_signals_measure_each_form_of_the_reference() -> None:
    forms = {"json": "limits nitrate nitrate", "conversion": "limits 1 2", "table_text": "nitrate"}
    found = signals("limits 1.2", "limits nitrate", forms)
    assert found["lcs"] == pytest.approx(1 / 2)
    assert found["lcs_json"] == pytest.approx(1 / math.sqrt(2 * 5))
    assert found["lcs_conversion"] == pytest.approx(1)
    assert found["table_word_recall"] == 0
    assert signals("limits", "limits nitrate", forms, "nitrate")["table_word_recall"] == 1


def test_words_of_tables_count_beyond_those_of_the_rest() -> None:
    reference = "the limit of nitrate is 50 nitrate 50"
    # the text has both words once, and the sentence needs them
    assert table_words("the limit of nitrate is 50", reference, "nitrate 50") == 0
    assert table_words("the limit of nitrate is 50 nitrate", reference, "nitrate 50") == 1 / 2
    assert table_words("the limit of nitrate is 50", reference, "nitrate 50", "|Nitrate|50|") == 1
    assert table_words("", reference, "nitrate 50") == 0
    assert table_words(reference, reference, "") is None


def test_hyphenation_counts_the_hyphens_that_the_reference_decides() -> None:
    reference = "The Member States protect the well-being of waters."
    assert hyphenation("Mem-ber States pro-\ntect the well-being", reference) == 2 / 3
    assert hyphenation("Member States protect the well-\nbeing", reference) == 0
    assert hyphenation("pro\u00adtect", reference) == 1
    assert hyphenation("left-handed, 1-2, - and -", reference) is None
    assert hyphenation("", reference) is hyphenation(ACT, "") is None


def test_hyphens_of_a_long_word_take_no_quadratic_time() -> None:
    assert hyphenation("x" * 2_000_000, "x") is None


def test_lcs_without_spaces_takes_little_memory() -> None:
    text = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9000), k=200_000)))
    tracemalloc.start()
    assert lcs(text, text) == pytest.approx(1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 << 20


@given(st.text(), st.text())
def test_measures_stay_between_0_and_1(text: str, reference: str) -> None:
    for value in signals(text, reference, {"table_text": reference}).values():
        assert value is None or 0 <= value <= 1
    for variant in ("json", "conversion"):
        assert 0 <= lcs(text, reference, variant) <= 1


@given(st.text())
def test_recall_and_precision_swap_with_the_sides(text: str) -> None:
    assert order(text, ACT) == order(ACT, text)[::-1]
    assert math.isclose(lcs(text, text), 1) or lcs(text, text) == 0
