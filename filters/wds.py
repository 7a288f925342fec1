"""HPLT's Web Docs Score (WDS): how far a web page is a document of running prose, from 0 to 1, with its ten subscores.

Written from the published description (HPLT 3.0, arXiv 2511.01066, and the documentation of web-docs-scorer 1.3): the
formula and the anchors for Spanish are theirs. Where it gives no figure, the reading is ours: see `informativeness`,
`short_segments`, `singular_chars`, the scales by language in `wds.toml`, and `numbers`, which has no modifier here.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from filters.characters import (
    LETTER,
    NUMBER,
    PUNCTUATION,
    SPACE,
    UNSPACED,
    Flags,
    Kinds,
    characters,
    count,
    mostly_unspaced,
    word_starts,
)
from filters.language import same
from filters.words import lines

PENALTIES = ("url", "punctuation", "singular_chars", "numbers", "repeated", "informativeness", "short_segments")
_COLUMNS = (
    "words_per_segment", "chars_per_segment", "wds", "wds_language", "wds_url", "wds_punctuation",
    "wds_singular_chars", "wds_numbers", "wds_repeated", "wds_long_segments", "wds_great_segment",
    "wds_informativeness", "wds_short_segments",
)  # fmt: skip
_ALPHA, _BETA, _FATAL = 2.9, 3.0, 0.1
_SHORT, _LONG, _GREAT = 30, 250, (625, 1000)  # letters of a Spanish line
_URL = re.compile(r"https?://(?:www\.)?|www\.", re.IGNORECASE)
_URLS, _URL_LETTERS = (3, 10), 2400
_NUMBERS = (1, 30)  # per cent of the letters, as are the next two
_PUNCTUATION = (0.3, 0.9, 2.5, 25)
_EVEN, _REPEATABLE = 0.6, 4
_DENSE = 0x2E80  # CJK and what follows
_SAMPLE, _TELLING, _GLANCE = 1 << 15, 100, 4096  # characters compressed at most, bytes at least; to know the script
_TOO_REPETITIVE, _TOO_RANDOM = (0.3, 0.8), (1.2, 1.6)


class _Lines(NamedTuple):
    starts: npt.NDArray[np.int64]
    """Where each line that is not blank begins in the text."""
    letters: npt.NDArray[np.int64]


def signals(text: str, language: str | None, segment_languages: Sequence[str] | None) -> dict[str, float | None]:
    """The columns `words_per_segment` to `wds_short_segments` of the signals table; an empty text gives zeros.

    Args:
        text: segments are its lines that are not blank.
        language: BCP 47; None: unknown, and the lines' languages decide nothing.
        segment_languages: one (BCP 47 primary subtag) for each line, in order. Lines beyond its end decide nothing,
            nor does None.
    """
    codes, kinds = characters(text)
    rows, counts = lines(text), count(kinds)
    if not rows:
        return dict.fromkeys(_COLUMNS, 0.0)
    scale = _scale(language)
    segments = _segments(codes == 10, kinds)
    enough = segments.letters >= _SHORT * scale
    # What a letter says differs by language: per cents are of as many letters as the text would have in Spanish.
    letters = max(1.0, (counts[LETTER] + counts[UNSPACED]) / scale)
    scores = {
        "language": _language(segments.letters, enough, language, segment_languages),
        "url": _url(text, segments, enough, scale),
        "punctuation": _punctuation(100 * counts[PUNCTUATION] / letters, language),
        "singular_chars": _singular(100 * _singles(kinds) / len(text)),
        "numbers": _fall(100 * counts[NUMBER] / letters, *_NUMBERS),
        "repeated": _repeated(rows),
        "long_segments": min(1.0, np.count_nonzero(segments.letters >= _LONG * scale) / 10),
        "great_segment": 1 - _fall(float(segments.letters.max()) / scale, *_GREAT),
        "informativeness": informativeness(text),
        "short_segments": _short_segments(segments.letters, enough),
    }
    unspaced = mostly_unspaced(counts)
    return {
        "words_per_segment": None if unspaced else np.count_nonzero(word_starts(kinds)) / len(rows),
        "chars_per_segment": sum(map(len, rows)) / len(rows) if unspaced else None,
        "wds": combine(scores),
        **{f"wds_{name}": score for name, score in scores.items()},
    }


def combine(scores: Mapping[str, float]) -> float:
    """The score from its subscores: what is good, times what is bad, the worst weighing most.

    (0.8 language + 0.1 long_segments + 0.1 great_segment) times the product of P_i^e_i over PENALTIES, where
    e_i = 3 P_i^-2.9 / sum of all P_j^-2.9. A penalty below 0.1 makes it 0.
    """
    penalties = np.array([scores[name] for name in PENALTIES])
    if penalties.min() < _FATAL:
        return 0.0
    weights = penalties**-_ALPHA
    penalty = float(np.prod(penalties ** (_BETA * weights / weights.sum())))
    return (0.8 * scores["language"] + 0.1 * scores["long_segments"] + 0.1 * scores["great_segment"]) * penalty


def informativeness(text: str) -> float:
    """Whether the text compresses as prose of its length and script does: 1 within a fifth of `wds.toml`'s curve.

    Falls to 0 at three tenths of the expected share (repetition), and at 1.6 of it (codes, random letters). Our own
    curve: the medians of real pages and acts (`python -m benchmarks.wds_curves`). Texts under 100 bytes say nothing.
    """
    import zstandard

    half = _SAMPLE // 2
    middle = max(half, (len(text) - half) // 2)
    sample = text if len(text) <= _SAMPLE else text[:half] + text[middle : middle + half]
    stored = sample.encode("utf-8", "surrogatepass")
    if len(stored) < _TELLING:
        return 1.0
    share = len(zstandard.ZstdCompressor(level=1).compress(stored)) / len(stored)
    curve = _table()["curves"][script_group(sample)]
    found = share / float(np.interp(np.log(len(stored)), np.log(_table()["bytes"]), curve))
    return float(np.interp(found, (*_TOO_REPETITIVE, *_TOO_RANDOM), (0, 1, 1, 0)))


def script_group(text: str) -> str:
    """`latin`, `alphabet` (two bytes a letter), `syllabic` (three), or `dense`: Han, Kana and Hangul."""
    codes, kinds = characters(text[:_GLANCE])
    letters = codes[kinds < PUNCTUATION]
    if 2 * np.count_nonzero(letters >= _DENSE) > len(letters):
        return "dense"
    long = np.count_nonzero(letters >= 0x80) + np.count_nonzero(letters >= 0x800)
    return ("latin", "alphabet", "syllabic")[round(long / max(1, len(letters)))]


def _segments(feeds: Flags, kinds: Kinds) -> _Lines:
    ends = np.append(np.flatnonzero(feeds), len(kinds))
    starts = np.append(0, ends[:-1] + 1)
    letters, ink = (
        np.searchsorted(places, ends) - np.searchsorted(places, starts)
        for places in (np.flatnonzero(kinds <= UNSPACED), np.flatnonzero(kinds != SPACE))
    )
    return _Lines(starts[ink > 0], letters[ink > 0])


def _language(
    letters: npt.NDArray[np.int64], enough: Flags, language: str | None, segment_languages: Sequence[str] | None
) -> float:
    """Share of the letters of lines that are not short that are in the document's language."""
    if language is None or segment_languages is None:
        return float(enough.any())
    if _primary(language) == "und":
        return 0.0
    named = segment_languages[: len(letters)]
    own = {other: same(_primary(language), other) for other in set(named)}  # no line can tell hr from bs
    weights = letters[: len(named)] * enough[: len(named)]
    whole = int(weights.sum())
    return float(weights[[own[other] for other in named]].sum() / whole) if whole else 0.0


def _url(text: str, segments: _Lines, enough: Flags, scale: float) -> float:
    if "://" not in text and "www." not in text.lower():
        return 1.0  # most texts, and the pattern is slow
    places = np.array([found.start() for found in _URL.finditer(text)], np.int64)
    rows = np.searchsorted(segments.starts, places, "right") - 1
    letters = float((segments.letters * enough).sum()) / scale
    return _fall(np.count_nonzero(enough[rows]) * _URL_LETTERS / max(1.0, letters), *_URLS)


def _punctuation(per_cent: float, language: str | None) -> float:
    if language is not None and _primary(language) in _table()["without_punctuation"]:
        return _fall(per_cent, *_PUNCTUATION[2:])
    return float(np.interp(per_cent, _PUNCTUATION, (0, 1, 1, 0)))


def _singles(kinds: Kinds) -> int:
    """Characters that stand alone beside others that do: `s p a c e d`, but not `y` or `a` in Spanish prose."""
    gaps = np.ones(len(kinds) + 2, np.bool_)
    gaps[1:-1] = kinds == SPACE
    alone = gaps[:-2] & gaps[2:] & ~gaps[1:-1]
    beside = np.zeros_like(alone)
    beside[2:] |= alone[:-2]
    beside[:-2] |= alone[2:]
    return int(np.count_nonzero(alone & beside))


def _singular(per_cent: float) -> float:
    if per_cent > 6:
        return 0.5 * _fall(per_cent, 6, 10)
    return 1.0 if per_cent < 1 else 0.7 if per_cent < 2 else 0.5


def _repeated(rows: list[str]) -> float:
    """1 - the share of lines of four characters or more that occur more than once, all copies counted."""
    times = Counter(row for row in rows if len(row) >= _REPEATABLE)
    return 1 - sum(n for n in times.values() if n > 1) / max(1, times.total())


def _short_segments(letters: npt.NDArray[np.int64], enough: Flags) -> float:
    """1 for lines of about one length (a coefficient of variation under 0.6) or if half are not short, else to 0.5."""
    if letters.std() < _EVEN * letters.mean():
        return 1.0
    return min(1.0, 0.5 + np.count_nonzero(enough) / len(enough))


def _fall(value: float, good: float, bad: float) -> float:
    """1 up to `good`, 0 from `bad`, straight between."""
    return min(1.0, max(0.0, (bad - value) / (bad - good)))


def _primary(language: str) -> str:
    return language.lower().partition("-")[0]


def _scale(language: str | None) -> float:
    return float(_table()["scales"].get(_primary(language), 1.0)) if language else 1.0


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("wds.toml").read_text(encoding="utf-8"))
