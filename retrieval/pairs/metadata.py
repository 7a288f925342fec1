"""Training sets from metadata: title to body, abstract to body, keywords to abstract, within and across languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Literal, NamedTuple

import pyarrow as pa
from pydantic import Field

from retrieval.builder import Make, PairBuilder, Params
from retrieval.metadata import Fields, distinct, fields, known
from retrieval.pairs.bodies import body_end, body_start, has
from retrieval.pairs.pair_rows import Pair, Text, pair_table, piece

_COLUMNS = ("id", "text", "title", "language", "work", "split", "meta")
_ROWS = 1_000


class FieldParams(Params):
    """Which languages are paired."""

    directions: Literal["same", "cross", "all"] = "all"
    """`same`: query and document in one language; `cross`: in two; `all`: both."""
    languages: tuple[str, ...] | None = None
    """Only queries and documents in these; null: all."""


class BodyParams(FieldParams):
    """Which languages are paired, and how much of a body is taken."""

    most: int = Field(default=256, ge=1)
    """Words of the body at most; it is cut between sentences."""


class _Document(NamedTuple):
    id: str
    text: str
    title: str
    language: str
    work: str
    split: str
    meta: Fields


class _Sides(NamedTuple):
    """What a document gives: queries and answers, by language; and the reason why not, where it gives nothing."""

    queries: list[Text]
    answers: list[tuple[Text, str]]
    """Each with its title."""
    reason: str


Give = Callable[[_Document, Any, Counter[str]], _Sides]


def title_body(document: _Document, params: BodyParams, counts: Counter[str]) -> _Sides:
    """The titles, and the text without them."""
    titles = _titles(document)
    queries = [_field(document, "title", language, title) for language, title in titles.items()]
    body = _body(document, [*titles.values(), document.title], params, counts)
    reason = "no title" if not titles else "the title is all there is" if body is None else ""
    return _Sides(queries, [] if body is None else [(body, "")], reason)


def abstract_body(document: _Document, params: BodyParams, counts: Counter[str]) -> _Sides:
    """The abstracts, and the text without titles and abstracts."""
    abstracts = document.meta.abstracts
    queries = [_field(document, "abstract", language, abstract) for language, abstract in abstracts.items()]
    before = [*_titles(document).values(), document.title, *document.meta.subtitles.values(), *abstracts.values()]
    body = _body(document, before, params, counts) if abstracts else None
    if body is not None and any(has(body.text, abstract) for abstract in abstracts.values()):
        return _Sides([], [], "the body has the abstract")
    reason = "no abstract" if not abstracts else "the abstract is all there is" if body is None else ""
    return _Sides(queries, [] if body is None else [(body, document.title)], reason)


def keywords_abstract(document: _Document, params: FieldParams, counts: Counter[str]) -> _Sides:
    """The keywords of each language, equal ones once, and the abstracts."""
    found, titles = document.meta, _titles(document)
    words = {language: ", ".join(distinct(keywords)) for language, keywords in found.keywords.items()}
    queries = [_field(document, "keywords", language, text) for language, text in words.items() if text]
    answers = [
        (_field(document, "abstract", language, abstract), titles.get(language, ""))
        for language, abstract in found.abstracts.items()
    ]
    return _Sides(queries, answers, "no keywords" if not queries else "no abstract" if not answers else "")


def _maker(give: Give, group: str) -> Make:
    def make(documents: pa.Table, params: Any, counts: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
        waiting: list[Pair] = []
        rows = zip(*(documents[name].to_pylist() for name in _COLUMNS), strict=True)
        for _, work in groupby(rows, key=lambda row: row[4]):
            waiting += _pairs(work, give, group, params, counts)
            if len(waiting) >= _ROWS:
                yield "pairs", pair_table(waiting)
                waiting = []
        if waiting:
            yield "pairs", pair_table(waiting)

    return make


def _pairs(rows: Iterable[Any], give: Give, group: str, params: FieldParams, counts: Counter[str]) -> list[Pair]:
    """The pairs of one work; every document of it is counted."""
    sides: list[tuple[_Document, _Sides]] = []
    for id, text, title, language, work, split, meta in rows:
        if reason := _unusable(text, language, params):
            counts[reason] += 1
        else:
            document = _Document(id, text, (title or "").strip(), language, work, split, fields(meta))
            sides.append((document, give(document, params, counts)))
    made = list(_matched(sides, group, params))
    used = {pair.query.doc for pair in made} | {pair.document.doc for pair in made}
    for document, found in sides:
        counts["used" if document.id in used else found.reason or "no pair of these languages"] += 1
    return made


def _matched(sides: list[tuple[_Document, _Sides]], group: str, params: FieldParams) -> Iterator[Pair]:
    """Every query that differs, with an answer in each language: its own document's, else the first of the work."""
    answers: dict[str, dict[str, tuple[Text, str]]] = {}
    for document, found in sides:
        for text, title in found.answers:
            if _asked(text.language, params):
                answers.setdefault(text.language, {})[document.id] = text, title
    seen: set[tuple[str, str]] = set()
    for document, found in sides:
        for query in found.queries:
            key = query.language, " ".join(query.text.casefold().split())
            if key in seen or not _asked(query.language, params):
                continue
            seen.add(key)
            for language, texts in answers.items():
                if params.directions == "all" or (params.directions == "same") == (language == query.language):
                    text, title = texts.get(document.id) or next(iter(texts.values()))
                    yield Pair(query, text, title, f"{document.work}#{group}", document.work, document.split)


def _unusable(text: str | None, language: str | None, params: FieldParams) -> str | None:
    if not text or text.isspace():
        return "empty text"
    if not known(language):
        return "no language"
    return None


def _asked(language: str, params: FieldParams) -> bool:
    return params.languages is None or language in params.languages


def _titles(document: _Document) -> dict[str, str]:
    """By language; the document's own title is in its own, unless `meta` says otherwise."""
    own, titles = document.title, document.meta.titles
    if not any(map(str.isalnum, own)) or own in titles.values():
        return titles
    return {document.language: own, **titles}


def _field(document: _Document, name: str, language: str, text: str) -> Text:
    return Text(f"{document.id}#{name}-{language}", text, language, document.id)


def _body(document: _Document, before: Iterable[str], params: BodyParams, counts: Counter[str]) -> Text | None:
    """A slice of the text; None, if nothing with a letter is left of it."""
    text = document.text
    start, removed = body_start(text, set(before))
    if removed:
        counts["note: title or abstract taken off the start of the text"] += 1
    end = body_end(text, start, params.most, document.language)
    if not any(map(str.isalnum, text[start:end])):
        return None
    return piece(document.id, text, start, end, document.language)


TITLE_BODY = PairBuilder(
    name="title-body",
    version=1,
    summary="From a title to the beginning of its text, of acts and articles in all their languages.",
    make=_maker(title_body, "whole"),
    params=BodyParams,
    columns=_COLUMNS,
    unit="work",
)
ABSTRACT_BODY = PairBuilder(
    name="abstract-body",
    version=1,
    summary="From an abstract, in any of its languages, to the beginning of the article's body.",
    make=_maker(abstract_body, "whole"),
    params=BodyParams,
    columns=_COLUMNS,
    unit="work",
)
KEYWORDS_ABSTRACT = PairBuilder(
    name="keywords-abstract",
    version=1,
    summary="From an article's keywords to its abstract, in any of its languages.",
    make=_maker(keywords_abstract, "abstract"),
    params=FieldParams,
    columns=_COLUMNS,
    unit="work",
)
