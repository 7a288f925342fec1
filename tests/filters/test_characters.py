import regex
from hypothesis import given
from hypothesis import strategies as st

from filters import characters
from filters.characters import UNSPACED_LETTERS, word_starts

ANY_WORD = regex.compile(rf"[{UNSPACED_LETTERS}]\p{{M}}*|(?:(?![{UNSPACED_LETTERS}])[\p{{L}}\p{{M}}\p{{N}}])+")
MIXED = st.text(st.sampled_from("aB1 \n\u0301\u0e31東ตア.,_\ud800\U0001f600\u200dक\u093f\x85\u3005１"))


@given(st.one_of(st.text(), MIXED))
def test_words_start_where_the_pattern_finds_them(text: str) -> None:
    _, kinds = characters.characters(text)
    expected = [found.start() for found in ANY_WORD.finditer(text)]
    assert word_starts(kinds).nonzero()[0].tolist() == expected


def test_every_code_point_has_the_kind_that_its_category_says() -> None:
    points = "".join(map(chr, range(0x110000)))
    codes, kinds = characters.characters(points)
    assert codes.tolist() == list(range(0x110000))
    patterns = {
        characters.UNSPACED: f"[{UNSPACED_LETTERS}]",
        characters.LETTER: f"(?![{UNSPACED_LETTERS}])\\p{{L}}",
        characters.MARK: r"\p{M}",
        characters.PUNCTUATION: r"\p{P}",
    }
    for kind, pattern in patterns.items():
        assert (kinds == kind).nonzero()[0].tolist() == [m.start() for m in regex.finditer(pattern, points)]
    spaces = [i for i, point in enumerate(points) if point.isspace()]
    assert (kinds == characters.SPACE).nonzero()[0].tolist() == spaces


def test_nothing_is_cased_or_assigned_elsewhere() -> None:
    assert characters.text_of(0xD7FE, 0xD802) == "\ud7fe\ud7ff\ud800\ud801"
    high = characters.text_of(characters.CASED, characters.POINTS)
    assert high.lower() == high.upper() == high.casefold() == high
    (_, end), (start, _) = characters.ASSIGNED
    kinds = characters.table()
    assert (kinds[end:start] == characters.OTHER).all()
    assert not regex.search(r"[\p{L}\p{M}\p{N}\p{P}\p{Word}\p{Z}\s]", characters.text_of(end, start))
    assert not regex.search(r"[\p{L}\p{M}\p{N}\p{P}\p{Word}\p{Z}\s]", characters.text_of(0xE1000, 0x110000))
