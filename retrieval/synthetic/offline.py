"""Queries without a model: the telling terms of a passage, put as a question. Always the same for the same passages."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import filters
from filters.words import fold, words
from retrieval.sentences import sentences
from retrieval.synthetic.passages import Parallel, Passage
from retrieval.synthetic.prompts import Asked, templates
from retrieval.synthetic.replies import Query

_TERMS = 4
_WORD = re.compile(r"[^\W\d_]{3,}")
_UNSPACED = {"zh", "ja", "th", "lo", "km", "my"}
_PLAIN = "{terms}?"


class _Counts(NamedTuple):
    """In how many passages of a language a term is."""

    passages: int
    terms: Counter[str]


def queries(wanted: Mapping[str, Asked], found: Iterable[Passage], per: int, counts: Counter[str]) -> list[Query]:
    """One query or several for all that is wanted.

    A query in another language than its passage's is made from the passage's translation; there is none without one.

    Args:
        wanted: what is asked, by request id.
        found: all passages: their terms are weighed by how many have them.
        per: queries a passage and language; each is from another sentence.
        counts: of queries that were made, and of those that were not, by reason.
    """
    known = list(found)
    groups, frequencies = _groups(known), _frequencies(known)
    made: list[Query] = []
    seen: set[tuple[str, str]] = set()
    for passage, language in wanted.values():
        source = passage if language == passage.language else groups.get(passage.parallel or "", {}).get(language)
        if source is None:
            counts["query: no translation to ask from without a model"] += per
            continue
        lines = summaries(source, frequencies[language], per)
        if len(lines) < per:
            counts["query: no telling sentence"] += per - len(lines)
        for number, line in enumerate(lines):
            text = question(line, source, frequencies[language])
            reason = "said before" if (language, text) in seen else "used"
            counts[f"query: {reason}"] += 1
            if reason == "used":
                seen.add((language, text))
                made.append(Query(passage, language, number, text))
    return made


def summaries(passage: Passage, frequency: _Counts, most: int) -> list[str]:
    """The sentences that tell most, best first: by the mean weight of their terms, and how many there are."""
    scored = []
    for number, (start, end) in enumerate(sentences(passage.text, passage.language)):
        line = passage.text[start:end]
        weights = sorted((_weight(term, frequency) for term in set(terms(line, passage.language))), reverse=True)
        if len(weights) > 1:
            scored.append((sum(weights[: 2 * _TERMS]), -number, line))
    return [line for _, _, line in sorted(scored, reverse=True)[:most]]


def question(line: str, passage: Passage, frequency: _Counts) -> str:
    """The terms of one of the passage's sentences that weigh most (tf-idf), in their order, as a question."""
    language = passage.language
    said = Counter(terms(passage.text, language))
    order = list(dict.fromkeys(terms(line, language)))
    weights = {term: (1 + math.log(said[term] or 1)) * _weight(term, frequency) for term in order}
    best = set(sorted(order, key=lambda term: (-weights[term], term))[:_TERMS])
    joined = ("、" if language in _UNSPACED else ", ").join(term for term in order if term in best)
    return templates()["offline"].get(language, _PLAIN).replace("{terms}", joined)


def terms(text: str, language: str) -> list[str]:
    """Folded words of three letters and more that are no stop words; pairs of neighbours in scripts without spaces."""
    if language in _UNSPACED:
        return [a + b for a, b in pairwise(words(fold(text))) if len(a + b) == 2 and (a + b).isalpha()]
    stop = _stop_words().get(language, frozenset())
    return [word for word in _WORD.findall(fold(text, language)) if word not in stop]


def _weight(term: str, frequency: _Counts) -> float:
    """Inverse document frequency, as BM25 has it."""
    having = frequency.terms[term]
    return math.log(1 + (frequency.passages - having + 0.5) / (having + 0.5))


def _frequencies(found: list[Passage]) -> dict[str, _Counts]:
    by_language: dict[str, Counter[str]] = {}
    for passage in found:
        by_language.setdefault(passage.language, Counter()).update(set(terms(passage.text, passage.language)))
    sizes = Counter(passage.language for passage in found)
    return {language: _Counts(sizes[language], counted) for language, counted in by_language.items()}


def _groups(found: list[Passage]) -> Parallel:
    groups: Parallel = {}
    for passage in found:
        if passage.parallel:
            groups.setdefault(passage.parallel, {}).setdefault(passage.language, passage)
    return groups


@cache
def _stop_words() -> dict[str, frozenset[str]]:
    path = Path(filters.__file__).with_name("stop_words.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {language: frozenset(listed.split()) for language, listed in table.items()}
