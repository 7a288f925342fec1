"""Titles, abstracts and keywords by language, as `meta` of a document holds them, and equal keywords made equal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import regex

from filters.language import NO_LANGUAGE, UNKNOWN

KEYWORD_CHARS = 1_000
"""Characters of a keyword that are looked at."""
NORMALISER = "NFKC, case folded, one space between words, no invisible characters, no marks such as . ; - at the ends"
"""What `normalise` does, for cards."""

_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}--\s]+", regex.V1)
_ENDS = " .,;:·•*–—-/|"
_FIELDS = ("titles", "subtitles", "abstracts", "keywords")


@dataclass(frozen=True, slots=True)
class Fields:
    """What `meta` says in words, by language (BCP 47 primary subtag); nothing in here is empty."""

    titles: dict[str, str] = field(default_factory=dict)
    subtitles: dict[str, str] = field(default_factory=dict)
    abstracts: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, list[str]] = field(default_factory=dict)


_NONE = Fields()


def fields(meta: str | None) -> Fields:
    """The fields of a document's `meta` (JSON). What is not of its kind is left out; broken JSON has no fields.

    Of two entries for one language (`pt`, `pt-BR`), the first stands. A text without a letter or digit is none.
    """
    if not meta or not any(name in meta for name in _FIELDS):
        return _NONE
    try:
        found = orjson.loads(meta)
    except ValueError:
        return _NONE
    if not isinstance(found, dict):
        return _NONE
    titles, subtitles, abstracts = (_by_language(found.get(name), _text) for name in _FIELDS[:3])
    return Fields(titles, subtitles, abstracts, _by_language(found.get("keywords"), _list))


def known(language: str | None) -> bool:
    """Whether this is the code of a language: not null, empty, undetermined or without linguistic content."""
    return language not in (None, "", UNKNOWN, NO_LANGUAGE)


def normalise(keyword: str) -> str:
    """The form in which equal keywords are equal: see `NORMALISER`. Empty when nothing is left."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", keyword[:KEYWORD_CHARS]).casefold())
    return " ".join(_INVISIBLE.sub("", folded).split()).strip(_ENDS)


def keys(keywords: Iterable[str]) -> list[str]:
    """The distinct keywords in normal form, sorted: the same for any order and case of the same keywords."""
    return sorted({normalise(keyword) for keyword in keywords} - {""})


def distinct(keywords: Iterable[str]) -> list[str]:
    """The keywords as they are written, in order, the first spelling of each."""
    spellings: dict[str, str] = {}
    for keyword in keywords:
        spellings.setdefault(normalise(keyword), " ".join(keyword.split()))
    return [spelling for key, spelling in spellings.items() if key]


def _by_language(found: Any, read: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        return {}
    values: dict[str, Any] = {}
    for code, value in found.items():
        language = code.lower().replace("_", "-").partition("-")[0]
        if known(language) and (whole := read(value)):
            values.setdefault(language, whole)
    return values


def _text(value: Any) -> str | None:
    stripped = value.strip() if isinstance(value, str) else ""
    return stripped if any(character.isalnum() for character in stripped) else None


def _list(value: Any) -> list[str]:
    return [text for text in map(_text, value) if text] if isinstance(value, list) else []
