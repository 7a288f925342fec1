"""Text as a language model reads it, and the script that it is in."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import regex

from filters import characters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from filters.language_vectors import Preparation

SAMPLE_CHARS = 5_000
"""Characters of a text that are looked at for its script."""
SAMPLE_WINDOWS = 10

_NO_WORD = regex.compile(r"[^\p{Word}\p{Zs}]|\d")
_NO_WORDS = regex.compile(rf"(?:{_NO_WORD.pattern})++")
_LETTERS = regex.compile(r"\p{L}++")
_SCRIPTS = [
    code
    for line in (
        "Latn Cyrl Grek Arab Hani Hira Kana Hang Hebr Deva Thai Beng Taml Telu Guru Gujr Geor Armn",
        "Ethi Khmr Laoo Mymr Knda Mlym Orya Sinh Tibt Mong Thaa Syrc Bopo Cher Cans Tfng Nkoo Yiii",
    )
    for code in line.split()
]
_KANA_SHARE = 0.05  # below, kana in Chinese text is a quotation or a brand name


def prepare(text: str) -> str:
    """One lower-case line of words, without digits and punctuation.

    The preparation of OpenLID as HPLT 3.0 applies it (arXiv 2511.01066): strip, lower-case, squeeze white space,
    delete `[^\\p{Word}\\p{Zs}]|\\d`. One difference: there a single tab is deleted and joins two words, here
    all white space becomes a space.
    """
    return str(_NO_WORD.sub("", " ".join(text.lower().split())))


def sample(text: str) -> str:
    """The text itself up to `SAMPLE_CHARS` characters; of a longer one, evenly spread windows of that total.

    Spread, because a document's start is often not in its language: menus, letterheads, lists of languages.
    """
    if len(text) <= SAMPLE_CHARS:
        return text
    width = SAMPLE_CHARS // SAMPLE_WINDOWS
    step = (len(text) - width) / (SAMPLE_WINDOWS - 1)
    starts = (round(step * window) for window in range(SAMPLE_WINDOWS))
    return " ".join(text[start : start + width] for start in starts)


def script(text: str) -> str:
    """Dominant script of the letters (ISO 15924), seen in a `sample` of the text.

    `Jpan` is Chinese characters with kana, `Kore` is Hangul, `Hani` Chinese characters alone (simplified or
    traditional), `Zyyy` a text without letters, `Zzzz` a script that is not looked for.
    """
    import numpy as np

    codes = np.frombuffer(sample(text).encode("utf-32-le", "surrogatepass"), np.uint32)
    counts = np.bincount(_script_table()[codes], minlength=len(_SCRIPTS) + 2).tolist()
    totals = dict(zip((*_SCRIPTS, "Zzzz"), counts[1:], strict=True))
    kana = totals.pop("Hira") + totals.pop("Kana")
    if kana > _KANA_SHARE * (kana + totals["Hani"]):
        totals["Jpan"] = kana + totals.pop("Hani")
    dominant = max(totals, key=lambda code: totals[code])
    if not totals[dominant]:
        return "Zyyy"
    return "Kore" if dominant == "Hang" else dominant


@cache
def _script_table() -> NDArray[np.uint8]:
    """For each code point 0 if it is no letter, else the place of its script in `_SCRIPTS`, from 1; one more: none."""
    import numpy as np

    table = np.zeros(characters.POINTS, np.uint8)
    classes = [rf"\p{{Script={code}}}" for code in _SCRIPTS]
    scripts = regex.compile("|".join(f"({kind}++)" for kind in (*classes, f"[^{''.join(classes)}]")))
    for low, high in characters.ASSIGNED:
        for letters in _LETTERS.finditer(characters.text_of(low, high)):
            start = low + letters.start()
            for run in scripts.finditer(letters[0]):
                table[start + run.start() : start + run.end()] = run.lastindex or 0
    return table


def _prepared_words(words: list[str]) -> list[str]:
    """Each word as `prepare` leaves it in a text."""
    # A space is what `prepare` keeps, and no word has one; so the words can go through it as one line.
    return str(_NO_WORD.sub("", " ".join(words).lower())).split(" ")


def preparation(lower: bool) -> Preparation:
    """Of prepared text (`lower`), or of text as it is."""
    from filters.language_vectors import Preparation

    return Preparation(lower, _prepared_words if lower else list, partial(_character_table, lower))


@cache
def _character_table(lower: bool) -> NDArray[np.int32]:
    """What each code point is to `filters.language_kernel.measure`."""
    import numpy as np

    from filters.language_features import letter_weights
    from filters.language_kernel import DROPPED, SPACE

    table = np.arange(characters.POINTS, dtype=np.int32)
    if lower:
        table[:] = DROPPED
    for low, high in characters.ASSIGNED:
        text = characters.text_of(low, high)
        if lower:  # the one character whose small letter is two
            text = text.replace("\u0130", "i").lower()
        small = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.int32)
        table[low:high] = small | letter_weights(text).astype(np.int32) << 21
        if lower:
            kept = np.frombuffer(_NO_WORDS.sub("", text).encode("utf-32-le", "surrogatepass"), np.int32)
            table[low:high][~np.isin(small, kept)] = DROPPED
    table[0xD800:0xE000] = DROPPED
    table[characters.table() == characters.SPACE] = SPACE
    return table
