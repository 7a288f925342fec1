"""The body of a document: its text without the title and the abstracts that it starts with, not longer than asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from filters.words import unspaced
from retrieval.sentences import sentences

_CHARS_A_WORD = 12
_REACHES, _AHEAD = (120, 600), 40
"""Characters before and after the cut in which the end of a sentence is looked for."""
_MARKS = " \t\r\n\u00a0.:;,|–—-"
_PUNCTUATION = ".,;:()[]«»“”\"'’"
_NEAR_WORDS = 6
_DOZEN = 12
_PIECE = 256
_REMOVED = 16
"""Phrases that are taken off a text at most, so that a text that repeats its title takes no time."""


def body_start(text: str, phrases: Iterable[str]) -> tuple[int, int]:
    """Where the body begins, after all of `phrases` that the text starts with, in any order; and how many there were.

    Case and white space may differ. First lines that hold nine in ten of a phrase's words are taken off too (a title
    with other commas), and first lines that are half of a phrase and little else (`Bees` of `Bees | Garden`). The body
    never begins within a word; it may be empty.
    """
    start, removed = _skip_marks(text, 0), 0
    waiting = [phrase for phrase in phrases if phrase.strip()]
    unused = list(waiting)
    while removed < _REMOVED:
        after, phrase = max(((_after(text, start, p), p) for p in waiting), default=(start, ""))
        if after == start:  # each phrase is looked for in other words once only
            after, phrase = max(((_nearly_after(text, start, p), p) for p in unused), default=(start, ""))
        if after == start:
            break
        unused = [other for other in unused if other != phrase]
        start, removed = _skip_marks(text, after), removed + 1
    return start, removed


def body_end(text: str, start: int, most: int, language: str | None = None) -> int:
    """The end of the last sentence that is whole within `most` words from `start`; of the words, if there is none.

    Words are what white space separates; a character each in scripts without spaces.
    """
    limit = _limit(text, start, most)
    if limit < len(text):
        limit = next((end for reach in _REACHES if (end := _last_end(text, start, limit, reach, language))), limit)
    return start + len(text[start:limit].rstrip())


def _last_end(text: str, start: int, limit: int, reach: int, language: str | None) -> int:
    """Where the last sentence ends of those that end in the last `reach` characters before the limit; 0: none."""
    low = max(start, limit - reach)
    # A sentence that ends where the look-ahead does may go on.
    return max(
        (low + end for _, end in sentences(text[low : limit + _AHEAD], language) if low + end <= limit), default=0
    )


def has(text: str, phrase: str) -> bool:
    """Whether the first or the last dozen words of `phrase` stand in the text, whatever the case and the spaces."""
    words, whole = phrase.casefold().split(), " ".join(text.casefold().split())
    return bool(words) and any(" ".join(part) in whole for part in (words[:_DOZEN], words[-_DOZEN:]))


def _limit(text: str, start: int, most: int) -> int:
    window = text[start : start + most * _CHARS_A_WORD]
    if len(window) > most and window.count(" ") * _CHARS_A_WORD < len(window) and unspaced(window[:2_000]):
        return min(start + most, len(text))
    words = window.split(None, most)
    return start + len(window) - (len(words[most]) if len(words) > most else 0)


def _skip_marks(text: str, start: int) -> int:
    """Past white space, and past marks that a heading leaves behind."""
    while piece := text[start : start + _PIECE]:
        start += len(piece) - len(left := piece.lstrip(_MARKS))
        if left:
            break
    return start


def _after(text: str, start: int, phrase: str) -> int:
    """Where the text goes on after `phrase`; `start`, if it does not stand there."""
    wanted = phrase.casefold().split()
    window = text[start : start + 2 * len(phrase) + 64]
    found = window.split(None, len(wanted))
    words = [word.casefold() for word in found[: len(wanted)]]
    if len(words) == len(wanted) and words[:-1] == wanted[:-1] and words[-1].startswith(wanted[-1]):
        whole = len(window) - (len(found[-1]) if len(found) > len(wanted) else 0)
        word = window[:whole].rstrip()
        end = len(word) - len(words[-1]) + len(wanted[-1])
        within = word[end - 1 : end + 1]
        return start + (len(word) if len(within) == 2 and within.isalnum() and not unspaced(within) else end)
    return start


def _nearly_after(text: str, start: int, phrase: str) -> int:
    """The same, where the text says it in a little other words."""
    wanted = phrase.casefold().split()
    window = text[start : start + 2 * len(phrase) + 64]
    return start + (_beginning(window, wanted) or _near(window, wanted))


def _beginning(window: str, wanted: list[str]) -> int:
    """The length of the first line, if it is the beginning of what is wanted and half of it or more."""
    line, ended, _ = window.partition("\n")
    words = line.casefold().split()
    half = ended and 1 < len(words) < len(wanted) <= 2 * len(words)
    return len(line) if half and words == wanted[: len(words)] else 0


def _near(window: str, wanted: list[str]) -> int:
    """The length of the first lines that have nearly all the words that are wanted, in any order; 0: none do.

    Else of those that have little else, and half of what is wanted.
    """
    wanted = [word for word in (word.strip(_PUNCTUATION) for word in wanted) if word]
    total, seen, hits, at, whole, half = len(wanted), 0, 0, 0, 0, 0
    head = {word.strip(_PUNCTUATION) for word in window.casefold().split(None, 2 * total)[: 2 * total]}
    if 2 * sum(word in head for word in wanted) < total:
        return 0  # as nearly always
    missing = Counter(wanted)
    for line in window.splitlines(keepends=True) if total >= _NEAR_WORDS else ():
        if at + len(line) == len(window) and not line.endswith("\n"):
            break  # the window cuts this line
        at += len(line)
        words = [word for word in (word.strip(_PUNCTUATION) for word in line.casefold().split()) if word]
        found = 0
        for word in words:
            if missing[word] > 0:
                missing[word] -= 1
                found += 1
        seen, hits = seen + len(words), hits + found
        if (whole and 2 * found < len(words)) or seen > 2 * total + _NEAR_WORDS:
            break
        if hits >= 0.9 * total:
            whole = at  # the next lines too, if they are mostly of the rest
        elif hits >= 0.9 * seen and 2 * hits >= total:
            half = at
    return whole or half
