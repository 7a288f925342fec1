"""The set `parallel-passages`: a passage and its translation, and questions with the answer in two languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple

import pyarrow as pa
import regex
from pydantic import Field, model_validator

from catalog.passages import RATIO
from catalog.set_schema import GROUPS
from retrieval.builder import PairBuilder, Params
from retrieval.chunks import windows
from retrieval.pairs.pair_rows import Pair, Text, pair_table
from retrieval.parallel import Member, align
from retrieval.sentences import each
from retrieval.tokens import Tokenizer, tokenizer

_SPACE = regex.compile(r"\s*+")
_LONGEST_QUESTION = 1_000
"""Characters."""
_ROWS = 2_000
"""Rows of a table at least, but for the last."""


class Passages(Params):
    """Lengths are in tokens of `tokenizer`."""

    kinds: tuple[str, ...] = ("article", "recital", "abstract")
    """Of article, recital, annex, section, title, abstract, keywords."""
    languages: tuple[str, ...] | None = None
    """Only texts in these; null: all."""
    query_languages: tuple[str, ...] | None = None
    """Only queries in these (`["en"]`: from English only); null: every text asks for its translations."""
    tokenizer: str = "words"
    shortest: int = Field(default=8, ge=1)
    longest: int = Field(default=2_048, ge=1)
    most: int = Field(default=512, ge=1)
    """Longer texts are cut after the last sentence that is whole."""
    cap: int = Field(default=200, ge=1)
    """Groups of one work at most, spread evenly over it."""
    ratio: float = Field(default=RATIO, ge=1)
    """A text may be so many times longer than its translation."""

    @model_validator(mode="after")
    def _some_length(self) -> Passages:
        if self.shortest > min(self.longest, self.most):
            raise ValueError(f"shortest = {self.shortest} is more than longest or most")
        return self


class Passage(NamedTuple):
    """A member of a group, and whether it has more tokens than a row may have."""

    member: Member
    long: bool


class Aligned(NamedTuple):
    """A group that becomes rows."""

    parallel: str
    passages: tuple[Passage, ...]


class Cutter(NamedTuple):
    """Counts tokens and cuts texts."""

    split: Tokenizer
    shortest: int
    most: int

    def enough(self, text: str) -> bool:
        """Whether the text has `shortest` tokens; words are at least a token each."""
        return len(text.split(None, self.shortest)) >= self.shortest or len(self.split(text)) >= self.shortest

    def more(self, text: str, tokens: int) -> bool:
        """Whether the text has more tokens than that."""
        size = len(text.encode("utf-8", "surrogatepass"))  # no tokenizer makes more tokens than there are bytes
        return size > tokens and len(self.split(text)) > tokens

    def cut(self, passage: Passage, start: int = 0) -> Text:
        """What follows `start` characters of the passage, not longer than `most` tokens; empty if nothing does."""
        member = passage.member
        rest = member.text[start:].rstrip()
        start, end = start + len(rest) - len(rest.lstrip()), start + len(rest)
        if passage.long and self.more(rest, self.most):
            end = windows(member.text, self.most, self.split, start, language=member.language)[0].end
        text = member.text[start:end]
        if member.start is None:
            return Text(member.id, text, member.language, member.doc)
        first, last = member.start + start, member.start + end
        return Text(f"{member.doc}:{first}-{last}", text, member.language, member.doc, first, last)


class Question(NamedTuple):
    """A query and the slice of its passage that answers it."""

    id: str
    text: str
    answer: Text


def make(documents: pa.Table, params: Passages, counter: Counter[str]) -> Iterator[tuple[str, pa.Table]]:
    """Rows of `pairs` and `groups` from whole works."""
    cutter = Cutter(tokenizer(params.tokenizer), params.shortest, params.most)
    pairs: list[Pair] = []
    rows: list[tuple[Any, ...]] = []
    start = 0
    for _, ids in groupby(documents["work"].to_pylist()):
        length = sum(1 for _ in ids)
        work = documents.slice(start, length).to_pylist()
        start += length
        for group in _groups(work, params, cutter, counter):
            pairs += _pairs(group, work, params, cutter)
            rows += _rows(group, work, params, cutter, counter)
        if len(pairs) + len(rows) >= _ROWS:
            yield from _tables(pairs, rows)
            pairs, rows = [], []
    yield from _tables(pairs, rows)


def _tables(pairs: list[Pair], rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, pa.Table]]:
    if pairs:
        yield "pairs", pair_table(pairs)
    if rows:
        columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), GROUPS, strict=True)]
        yield "groups", pa.table(columns, schema=GROUPS)


def _groups(work: list[dict[str, Any]], params: Passages, cutter: Cutter, counter: Counter[str]) -> list[Aligned]:
    """The groups of a work that become rows; its documents are counted."""
    counts: Counter[str] = Counter()
    found = []
    for group in align(work, counts, params.kinds, params.ratio):
        passages = tuple(
            Passage(member, cutter.more(member.text, cutter.most))
            for member in group.members
            if _wanted(member, params, cutter, counts)
        )
        if len(passages) > 1 and any(_asks(passage.member.language, params) for passage in passages):
            found.append(Aligned(group.parallel, passages))
        else:
            counts["passage: no translation of such a length or language"] += len(passages)
    if len(found) > params.cap:
        counts["passage: over the cap"] += sum(len(group.passages) for group in found)
        found = [found[place * len(found) // params.cap] for place in range(params.cap)]
        counts["passage: over the cap"] -= sum(len(group.passages) for group in found)
    used = {passage.member.doc for group in found for passage in group.passages}
    refused = sum(count for reason, count in counts.items() if not reason.startswith("passage: "))
    counts["used"] = len(used)
    counts["nothing parallel"] = len(work) - refused - len(used)
    counts["passage: used"] = sum(len(group.passages) for group in found)
    counter.update({reason: count for reason, count in counts.items() if count})
    return found


def _wanted(member: Member, params: Passages, cutter: Cutter, counts: Counter[str]) -> bool:
    if params.languages is not None and member.language not in params.languages:
        counts["passage: language not asked for"] += 1
    elif not cutter.enough(member.text):
        counts["passage: too short"] += 1
    elif cutter.more(member.text, params.longest):
        counts["passage: too long"] += 1
    else:
        return True
    return False


def _asks(language: str, params: Passages) -> bool:
    return params.query_languages is None or language in params.query_languages


def _pairs(group: Aligned, work: list[dict[str, Any]], params: Passages, cutter: Cutter) -> list[Pair]:
    titles = {row["id"]: row["title"] or "" for row in work}
    texts = [cutter.cut(passage) for passage in group.passages]
    return [
        Pair(query, document, titles[document.doc], group.parallel, work[0]["work"], work[0]["split"])
        for query in texts
        if _asks(query.language, params)
        for document in texts
        if document is not query
    ]


def _rows(
    group: Aligned, work: list[dict[str, Any]], params: Passages, cutter: Cutter, counter: Counter[str]
) -> list[tuple[Any, ...]]:
    """Rows of `groups`: of English and each other language, a question in either."""
    titles = {row["id"]: row["title"] or "" for row in work}
    english = next((passage for passage in group.passages if passage.member.language == "en"), None)
    rows: list[tuple[Any, ...]] = []
    for other in group.passages:
        if english is None or other is english:
            continue
        asked = [_by_heading(passage, titles[passage.member.doc], cutter) for passage in (english, other)]
        if not all(asked):
            asked = [_by_sentence(passage, cutter) for passage in (english, other)]
        en, xx = asked
        if en is None or xx is None:
            counter["question: none to make of a passage"] += 1
            continue
        counter["question: used"] += 1
        texts = (en.answer.text, xx.answer.text, xx.answer.language, en.answer.id, xx.answer.id)
        rows += [
            (question.id, question.text, question.answer.language, *texts, group.parallel, work[0]["work"],
             work[0]["split"])
            for question in (en, xx)
            if _asks(question.answer.language, params)
        ]  # fmt: skip
    return rows


def _by_heading(passage: Passage, title: str, cutter: Cutter) -> Question | None:
    """What the article is about, and the title of the act; the answer is the article without its heading."""
    member = passage.member
    end = _heading_end(member)
    topic = " ".join(member.text[:end].partition("\n")[2].split())
    answer = cutter.cut(passage, end)
    if not topic or topic in answer.text or not cutter.enough(answer.text):
        return None
    return Question(f"{member.id}#heading", " — ".join(filter(None, (topic, title))), answer)


def _by_sentence(passage: Passage, cutter: Cutter) -> Question | None:
    """The first sentence after the heading; the answer is the rest."""
    member = passage.member
    begin = _heading_end(member)
    for start, end in islice(each(member.text[begin:], member.language), 1):
        question = member.text[begin + start : begin + end]
        answer = cutter.cut(passage, begin + end)
        if cutter.enough(question) and len(question) <= _LONGEST_QUESTION and cutter.enough(answer.text):
            return Question(f"{member.id}#sentence", question, answer)
    return None


def _heading_end(member: Member) -> int:
    """Where the text goes on after its heading; 0 where it does not begin with one."""
    at = 0
    for word in (member.heading or "").split():
        at = _SPACE.match(member.text, at).end()  # type: ignore[union-attr]
        if not member.text.startswith(word, at):
            return 0
        at += len(word)
    return at


PARALLEL_PASSAGES = PairBuilder(
    name="parallel-passages",
    version=1,
    summary="Passages of acts and abstracts of articles with their translations, and questions with both answers.",
    make=make,
    params=Passages,
    columns=(
        "id", "text", "title", "language", "declared_language", "celex", "sections", "meta", "work", "split",
    ),
    unit="work",
)  # fmt: skip
