import random
import re
import string
import tomllib
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from catalog.schema import SIGNALS
from filters import quality
from filters.quality import signals

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def ratio_names() -> list[str]:
    return [name for name in SIGNALS.names if name.endswith("_ratio")]


def test_keys_are_the_columns_of_the_schema_in_order() -> None:
    names = SIGNALS.names
    assert list(signals("a")) == names[names.index("chars") : names.index("quality") + 1]


def test_empty_text_gives_zeros() -> None:
    result = signals("", "en")
    assert set(result.values()) == {0}


# Words and breaks drawn from few make repeats, which random characters alone would not.
REPETITIVE = st.lists(st.sampled_from(["a", "bb", "中", "...", "#", "{", "• x", "\n", "\n\n", " ", "1"])).map(" ".join)


@given(st.one_of(st.text(), REPETITIVE), st.sampled_from([None, "en", "tr", "zh", "xx"]))
def test_ratios_stay_between_0_and_1(text: str, language: str | None) -> None:
    result = signals(text, language)
    for name in [*ratio_names(), "quality"]:
        value = result[name]
        assert value is not None
        assert 0 <= value <= 1, name


def naive(text: str) -> dict[str, float | None]:
    """The rules read literally, one pass and more for each; words as regex finds them."""
    found = re.findall(r"[^\W_]+", text)
    rows = [row.strip() for row in text.split("\n") if row.strip()]
    paragraphs = [part for part in re.split(r"\n{2,}", text.strip()) if part]
    terminal = [row for row in rows if regex.search(r"\p{Sentence_Terminal}\Z", row)]
    symbols = max(text.count("#"), text.count("...") + text.count("…"))

    def share(part: float, whole: int) -> float:
        return min(1.0, part / whole) if whole else 0.0

    def repeats(parts: list[str]) -> list[str]:
        return [part for i, part in enumerate(parts) if part in parts[:i]]

    return {
        "words": len(found),
        "lines": len(rows),
        "mean_word_length": sum(map(len, found)) / len(found) if found else 0,
        "symbol_ratio": share(symbols, len(found)),
        "alpha_word_ratio": share(sum(any(map(str.isalpha, word)) for word in found), len(found)),
        "dup_line_ratio": share(len(repeats(rows)), len(rows)),
        "dup_line_char_ratio": share(len("".join(repeats(rows))), len(text)),
        "dup_para_ratio": share(len(repeats(paragraphs)), len(paragraphs)),
        "dup_para_char_ratio": share(len("".join(repeats(paragraphs))), len(text)),
        "terminal_line_ratio": share(len(terminal), len(rows)),
        "short_line_ratio": share(len([row for row in rows if len(row) <= 30]), len(rows)),
        "line_dup_char_ratio": share(len("".join(repeats(rows))), len(text.replace("\n", ""))),
        "newline_ratio": share(text.count("\n"), len(found)),
    }


@given(
    st.lists(st.sampled_from(["a", "bb", "x1", "9", "...", "…", "#", "{", "• x", "é.", "\n", "\n\n", " "])).map("".join)
)
def test_signals_agree_with_the_rules_read_literally(text: str) -> None:
    result = signals(text)
    assert {name: result[name] for name in naive(text)} == pytest.approx(naive(text))


def test_ngrams_of_a_very_long_text_are_those_of_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_NGRAM_WORDS", 12)
    repeated, plain = "a b c d e f " * 4, " ".join(chr(0x400 + n) for n in range(24))
    assert signals(repeated)["dup_5gram_char_ratio"] == pytest.approx(5 / 24)
    assert signals(f"{plain} {repeated}")["dup_5gram_char_ratio"] == 0


def test_lines_and_paragraphs() -> None:
    result = signals("• one thing\n- another…\n\nThe end.\n\nThe end.\n\nThe end.")
    assert result["lines"] == 5
    assert result["bullet_line_ratio"] == pytest.approx(2 / 5)
    assert result["ellipsis_line_ratio"] == pytest.approx(1 / 5)
    assert result["terminal_line_ratio"] == pytest.approx(3 / 5)
    assert result["short_line_ratio"] == 1
    assert result["dup_line_ratio"] == pytest.approx(2 / 5)
    assert result["dup_para_ratio"] == pytest.approx(2 / 4)
    assert result["dup_line_char_ratio"] == result["dup_para_char_ratio"] == pytest.approx(16 / 52)
    assert result["line_dup_char_ratio"] == pytest.approx(16 / 45)


def test_a_text_without_blank_lines_is_one_paragraph() -> None:
    result = signals("One.\nTwo.\nOne.\nOne.\n")
    assert (result["dup_para_ratio"], result["dup_line_ratio"]) == (0, 0.5)


@pytest.mark.parametrize("line", ["So it is.", "So it is?  ", "是的。", "यह है।", "ሰላም።", "نعم؟", "Hm..."])
def test_terminal_marks_of_all_scripts_end_lines(line: str) -> None:
    assert signals(f"{line}\nno end (at all)\nHe said 'yes.'\nand so on…")["terminal_line_ratio"] == 1 / 4


def test_boilerplate() -> None:
    notices = "This site uses cookies.\nNotre politique de confidentialité"
    text = f"Please enable JavaScript.\n{notices}\nfunction() {{ }}"
    result = signals(text + "\nLorem ipsum dolor.")
    assert (result["javascript_lines"], result["policy_lines"], result["curly_brackets"]) == (1, 2, 1)
    assert result["lorem_ipsum"] is True
    assert signals(text)["lorem_ipsum"] is False


def test_boilerplate_in_turkish_capitals() -> None:
    result = signals("LOREM İPSUM\nJAVASCRİPT\nJAVASCRIPT", "tr")
    assert (result["javascript_lines"], result["lorem_ipsum"]) == (2, True)


@pytest.mark.parametrize(
    "text",
    ["a " * 300_000, " ".join(map(str, range(200_000))), "…" * 500_000, "\ud800\u200b\u202e" * 100_000, "中" * 300_000,
     "\n" * 500_000, "\n\na" * 100_000],
)  # fmt: skip
def test_hostile_texts_are_measured(text: str) -> None:
    result = signals(text, "en")
    assert result["chars"] == len(text)
    assert all(0 <= (result[name] or 0) <= 1 for name in ratio_names())


def test_words_with_letters_and_symbols() -> None:
    result = signals("1 2 3 abc # ...")
    assert result["alpha_word_ratio"] == pytest.approx(1 / 4)
    assert result["symbol_ratio"] == pytest.approx(1 / 4)
    assert signals("1 2 3 abc # ... … … ##")["symbol_ratio"] == pytest.approx(3 / 4)
    assert result["mean_word_length"] == pytest.approx(6 / 4)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The cat AND the dog", "en", 2),
        ("L'art de la guerre", "fr-CA", 2),
        ("İLE bir ve", "tr", 3),
        ("ο νόμος και το κράτος", "el", 3),
        ("这是法律的一部分", "zh", 4),
        ("words", "en", 0),
        ("words", "tlh", None),
        ("words", None, None),
    ],
)
def test_stop_words(text: str, language: str | None, expected: int | None) -> None:
    assert signals(text, language)["stop_words"] == expected


def test_stop_word_lists_are_as_words_are_found() -> None:
    """A word that `words` would split, or one listed twice, could never be counted."""
    path = Path(quality.__file__).with_name("stop_words.toml")
    for language, listed in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert signals(listed, language)["stop_words"] == len(listed.split()) >= 8, language


@pytest.mark.real
def test_real_sentences_have_stop_words_of_their_language() -> None:
    folder = DATA / "langid" / "lingua-py" / "language-testdata" / "sentences"
    if not folder.exists():
        pytest.skip("the real data (shared/data) is not beside the project")
    tried = 0
    for path in sorted(folder.glob("*.txt")):
        sentences = path.read_text(encoding="utf-8").splitlines()[:300]
        texts = [" ".join(sentences[i : i + 10]) for i in range(0, len(sentences) - 9, 10)]
        found = [signals(text, path.stem)["stop_words"] for text in texts]
        if found and found[0] is not None:
            tried += 1
            assert sum((n or 0) >= 2 for n in found) / len(found) > 0.9, path.stem
    assert tried > 40


def test_word_length_says_nothing_in_scripts_without_spaces() -> None:
    assert signals("法律的规定适用于所有成员国。")["mean_word_length"] is None
    assert signals("ข้อความภาษาไทย")["mean_word_length"] is None
    assert signals("한국어 문장")["mean_word_length"] == pytest.approx(2.5)


def test_quality_ranks_the_cleaner_copy_first() -> None:
    rng = random.Random(1)
    sentences = [" ".join("".join(rng.choices("abdeilnorst", k=5)) for _ in range(12)) + "." for _ in range(20)]
    clean = "\n".join(sentences)
    menu = "\n".join(["Home", "About us", "Contact"])
    worse = [
        clean + "\n" + "\n".join([menu] * 5),
        clean.replace(" ", " # "),
        clean[: len(clean) // 5],
        clean + "\n" + clean,
        "".join(rng.choices(string.punctuation + " \n", k=800)),
    ]
    best = signals(clean)["quality"]
    assert best is not None
    for text in worse:
        value = signals(text)["quality"]
        assert value is not None
        assert value < best
