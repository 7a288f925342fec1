"""Passages that are translations of each other, without what numbers them, and the headings that they stood under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any, Literal, NamedTuple

import regex
import xxhash
from pydantic import Field

from filters.words import fold
from retrieval import evidence, metadata
from retrieval.benchmarks.rows import Document, whole
from retrieval.builder import Params
from retrieval.parallel import Group, Member, align
from retrieval.tokens import tokenizer

Kind = Literal["article", "recital", "annex", "abstract"]
_NUMBER = regex.compile(r"\W{0,3}\d{1,4}\W{0,3}\s++")
_LABEL = regex.compile(r"\p{L}{2,20}+ (?:\d{1,4}\p{L}?|premier|PREMIER)(?!\w)[ .:–—-]*+")
_FORMER = regex.compile(r"\(ex[- ]article[^)\n]{1,60}+\)\s*+", regex.IGNORECASE)
_HEADING = regex.compile(r"[\p{Lu}\p{Lo}].*[^\s.,;:]", regex.DOTALL)
_LONGEST_HEADING = 150
_UNITS = tokenizer("words")


class PassageParams(Params):
    """Which passages, and what is done about copies among them."""

    kinds: tuple[Kind, ...]
    shortest: int = Field(default=20, ge=1)
    """Words and marks of a passage at least, in every language."""
    longest: int = Field(default=400, ge=1)
    """Words and marks of a passage at most, in every language; longer ones are left out, not cut."""
    heading: int = Field(default=3, ge=1)
    """Words and marks of a heading at least, for a heading that is a query."""
    cap: int = Field(default=1_000, ge=1)
    """Queries of a kind and language at most; over it, a choice by `seed`."""
    seed: int = 1
    near_copies: evidence.NearCopies = "reject"
    """What becomes of a query of which a relevant passage has a near copy elsewhere in the pool."""
    similarity: float = Field(default=evidence.LEAST, ge=0.5, le=1)
    """Jaccard similarity of word 5-grams from which on a passage is a near copy."""


class Passage(NamedTuple):
    """One version of a passage; `heading` is not in the document's text, and empty where there is none."""

    document: Document
    heading: str
    kind: str


def aligned(
    rows: Iterable[dict[str, Any]], languages: Collection[str], params: PassageParams, counts: Counter[str]
) -> list[list[Passage]]:  # fmt: skip
    """Groups with one passage in each of the languages, in their order.

    Args:
        rows: documents as `retrieval.benchmarks.rows.read` gives them, those of a work together; a document is counted
            as used if a passage of it is.
        counts: also gets the passages and groups that are left out, by reason.
    """
    made = []
    for _, same in groupby(rows, key=lambda row: row["work"]):
        documents = sorted(same, key=lambda row: row["id"])
        refused: Counter[str] = Counter()
        complete = [
            group for found in align(documents, refused, params.kinds)
            if (group := _group(found, documents, languages, params, counts)) is not None
        ]  # fmt: skip
        used = {passage.document.doc for group in complete for passage in group}
        counts["used"] += len(used)
        unseen = sum(count for reason, count in refused.items() if not reason.startswith("passage: "))
        counts["no passage that serves"] += len(documents) - len(used) - unseen
        counts.update(refused)
        made += complete
    return made


def ambiguous(groups: Iterable[list[Passage]]) -> set[tuple[str, str]]:
    """Headings, folded, that several passages of one language have, with the language."""
    seen = Counter((p.document.language, fold(p.heading)) for group in groups for p in group if p.heading)
    return {key for key, count in seen.items() if count > 1}


def asks(group: list[Passage], shared: set[tuple[str, str]], params: PassageParams, counts: Counter[str]) -> bool:
    """Whether the headings of a group can be queries: there in every language, long enough, of no other passage."""
    reason = None
    if not all(passage.heading for passage in group):
        reason = "heading: none"
    elif any(len(_UNITS(passage.heading)) < params.heading for passage in group):
        reason = f"heading: fewer than {params.heading} words"
    elif any((passage.document.language, fold(passage.heading)) in shared for passage in group):
        reason = "heading: of several passages"
    elif any(fold(passage.heading) in fold(passage.document.text) for passage in group):
        reason = "heading: said in the passage too"
    if reason:
        counts[reason] += 1
    return reason is None


def drawn(seed: int, name: str) -> int:
    """A number that decides a choice, the same whatever else there is to choose from."""
    return xxhash.xxh3_64_intdigest(f"{seed} {name}")


def without_label(text: str, heading: str | None, kind: str) -> tuple[int, str]:
    """Where in a passage its text begins, and its heading without `Article 5`.

    The first line numbers the passage, what the catalog's heading has after it says what it is about; where it has
    nothing, that is the rest of the first line, or the next line if it reads like a heading. A recital begins with its
    number. Numbers of passages are equal in all languages and would give a translation away.
    """
    if kind == "recital":
        number = _NUMBER.match(text)
        return (number.end() if number else 0), ""
    at = _matched(text, heading or "")
    _, _, said = text[:at].strip().partition("\n")
    if not said:
        number = _LABEL.match(text)
        at = at or (number.end() if number else 0)
        start, end = _line(text, at) if at else (0, 0)
        line = text[start:end]
        if line and len(line) <= _LONGEST_HEADING and _HEADING.fullmatch(line) and text[end:].strip():
            at, said = end, line
    at = _line(text, at)[0]
    former = _FORMER.match(text, at)  # a treaty's article says which one it was: `(ex Article 61 TEC)`
    return former.end() if former else at, " ".join(said.split())


def _matched(text: str, heading: str) -> int:
    """Where in the text the heading ends that it begins with, white space aside; 0 if it does not."""
    at = 0
    for character in "".join(heading.split()):
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text) or text[at] != character:
            return 0
        at += 1
    return at


def _line(text: str, at: int) -> tuple[int, int]:
    """The line that is not blank from there on."""
    start = at + len(text[at:]) - len(text[at:].lstrip())
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _group(
    found: Group, documents: list[dict[str, Any]], languages: Collection[str], params: PassageParams,
    counts: Counter[str],
) -> list[Passage] | None:  # fmt: skip
    members = {member.language: member for member in found.members}
    if any(language not in members for language in languages):
        counts["group: a language is missing"] += 1
        return None
    rows = {row["id"]: row for row in documents}
    group = [_passage(found, members[language], rows[members[language].doc]) for language in languages]
    reason = None
    sizes = [len(_UNITS(passage.document.text)) for passage in group]
    if min(sizes) < params.shortest:
        reason = f"group: shorter than {params.shortest} words"
    elif max(sizes) > params.longest:
        reason = f"group: longer than {params.longest} words"
    counts[reason or "group: used"] += 1
    return group if reason is None else None


def _passage(found: Group, member: Member, row: dict[str, Any]) -> Passage:
    place = {"doc": member.doc, "parallel": found.parallel, "work": row["work"], "licence": row["licence"]}
    if member.start is None or member.end is None:
        title = metadata.fields(row["meta"]).titles.get(member.language, "")
        return Passage(Document(member.id, "", whole(member.text), member.language, **place), title, found.kind)
    cut, heading = without_label(member.text, member.heading, found.kind)
    start = member.start + cut
    id = f"{member.doc}:{start}-{member.end}"
    document = Document(id, "", member.text[cut:], member.language, start=start, end=member.end, **place)
    return Passage(document, heading, found.kind)
