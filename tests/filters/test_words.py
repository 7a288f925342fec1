import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.words import fold, lines, sentences, unspaced, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'article 5, §2.", ["L", "article", "5", "2"]),
        ("snake_case", ["snake", "case"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("naïve re\u0301sume\u0301", ["naïve", "re\u0301sume\u0301"]),
        ("東京タワー 2024年", ["東", "京", "タ", "ワ", "ー", "2024", "年"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("法律abc Law", ["法", "律", "abc", "Law"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("... — !", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_keep_every_letter_and_number(text: str) -> None:
    kept = "".join(words(text))
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


def test_lines_are_stripped_and_not_blank() -> None:
    assert lines(" a \n\n \tb\n") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("...", 1),
        ("a heading", 1),
        ("One. Two! Three?", 3),
        ("See Art. 5 and p. 12, e.g. the annex.", 1),
        ('He said "no." Then he left…', 2),
        ("我走了。你呢？", 2),
        ("यह है। वह था।", 2),
        ("Mr J. R. Smith came. He left.", 2),
        ("Τι κάνεις; Καλά.", 2),
        ("These; Those.", 1),
        ("Բարև։ Ոնց ես։", 2),
        ("ሰላም። እንዴት ነህ፧", 2),
        ("نعم؟ لا.", 2),
        ("ဟုတ်။မဟုတ်။", 2),
        ("ข้อความ ภาษาไทย", 1),
    ],
)
def test_sentences(text: str, expected: int) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("." * 300_000 + "a", 1), (". " * 100_000, 100_000), (";" * 300_000, 0), ("。" * 300_000, 1),
     ("." + " " * 300_000, 1)],
)  # fmt: skip
def test_marks_without_end(text: str, expected: int) -> None:
    """Quadratic time would be minutes."""
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("東京 Tokyo", False), ("東京都庁舎 Tok", True), ("ภาษาไทย", True), ("한국어", False), ("", False)],
)
def test_unspaced_is_decided_by_most_letters(text: str, expected: bool) -> None:
    assert unspaced(text) is expected


@pytest.mark.parametrize("language", ["tr", "TR", "az-Latn"])
def test_fold_knows_the_turkish_i(language: str) -> None:
    assert fold("İSTANBUL DIŞI", language) == "istanbul dışı"


def test_fold_without_language() -> None:
    assert fold("STRASSE ΟΔΟΣ") == fold("Straße οδος")
    assert fold("e\u0301") == "\u00e9"
    assert fold("ISTANBUL", "en") == "istanbul"


@given(st.text())
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)
