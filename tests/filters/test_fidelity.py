import math
import random
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.fidelity import Variant, lcs, order, reference_from_html, signals
from filters.words import words

ACT = "article 1 the member states shall protect water quality"
TABLE = "<p>limits</p><table><tr><td>nitrate</td><th>50 mg/l</th></tr></table>"


def test_published_figures() -> None:
    """LEMUR's own examples, computed with its definition."""
    split = ACT.replace("protect", "pro- tect")
    variants: list[Variant] = ["clean", "json", "conversion"]
    for variant in variants:
        assert lcs(split, ACT, variant) == pytest.approx(0.8433, abs=1e-4)
        assert lcs(ACT, ACT, variant) == pytest.approx(1)
        assert lcs("", ACT, variant) == lcs(ACT, "", variant) == lcs("", "", variant) == 0.0
    doubled = reference_from_html(TABLE, "json")
    assert sorted(doubled.split()) == ["50", "50", "limits", "mg/l", "mg/l", "nitrate", "nitrate"]
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
    with pytest.raises(ValueError, match="json or conversion"):
        reference_from_html("<p>a", "clean")  # type: ignore[arg-type]


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


def test_signals() -> None:
    assert signals(ACT, ACT) == {"lcs": pytest.approx(1), "order_recall": 1, "order_precision": 1}


@given(st.text(), st.text())
def test_measures_stay_between_0_and_1(text: str, reference: str) -> None:
    for value in signals(text, reference).values():
        assert 0 <= value <= 1
    for variant in ("json", "conversion"):
        assert 0 <= lcs(text, reference, variant) <= 1


@given(st.text())
def test_recall_and_precision_swap_with_the_sides(text: str) -> None:
    assert order(text, ACT) == order(ACT, text)[::-1]
    assert math.isclose(lcs(text, text), 1) or lcs(text, text) == 0


def test_reference_repeats_cells_of_nested_tables_and_leaves_scripts_out() -> None:
    inner = "<table><tr><td>b</td></tr></table>"
    html = f"<script>x</script><style>y</style><table><tr><td>a{inner}</td></tr></table>"
    # b: in the page, in the outer cell, and twice on its own, once for each table around it
    assert sorted(reference_from_html(html, "json").split()) == ["a", "a", "b", "b", "b", "b"]
    assert reference_from_html("<p>Art. 1.2</p>", "conversion") == "art 1 2"


@given(st.text(alphabet="<>/tabledr \0&;!-'\"=é\ud800", max_size=200))
def test_reference_of_any_markup_is_text(html: str) -> None:
    assert isinstance(reference_from_html(html, "json"), str)


def test_reference_of_deep_or_declared_markup() -> None:
    assert "x" in reference_from_html("<?xml version='1.0' encoding='utf-16'?><p>x é", "json")
    assert isinstance(reference_from_html("<div><table><td>" * 20_000, "json"), str)
