"""Parallel groups: the passages and fields of one work that say the same in several languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import regex

from catalog.passages import DENSITY, RATIO, SHARED, SLACK
from retrieval.chunks import Chunk, parts

KINDS = ("article", "recital", "annex", "section", "title", "abstract", "keywords")
"""Kinds of groups. Titles, abstracts and keywords are fields of `meta` too; notes and references are not aligned."""
_FIELDS = {"titles": "title", "abstracts": "abstract", "keywords": "keywords"}
_COPY = regex.compile(r"~\d+$")
_NUMBERS = regex.compile(r"[0-9]{2,}")
_MOST = 200
"""Languages of a group; each is compared with each."""
_LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*+")
_SURROGATES = regex.compile(r"\p{Cs}")  # JSON can say them, UTF-8 cannot
_FIRST_NUMBER = regex.compile(r"[^\p{L}\p{N}]*+([0-9]++)")

Document = Mapping[str, Any]


class Member(NamedTuple):
    """A text of a group."""

    id: str
    language: str
    doc: str
    """Id of the document that it is from."""
    start: int | None
    """The text is `[start:end]` of the document's; None: it is a field of `meta`."""
    end: int | None
    text: str
    heading: str | None


class Group(NamedTuple):
    """Texts that are translations of each other, one a language, at least two, by language."""

    parallel: str
    """The work and an anchor or field: `celex:32016R0679#art_5`."""
    kind: str
    members: tuple[Member, ...]


def align(
    documents: Sequence[Document], refused: Counter[str], kinds: Collection[str] = KINDS, ratio: float = RATIO
) -> list[Group]:
    """The groups of one work, in the order of its first document.

    Args:
        documents: of one work, with id, text, language, sections, meta, work, and celex and declared_language if known.
        refused: counts the documents that were not looked at by reason, and the texts that found no partner, by
            `passage: ` and the reason.
    """
    chosen = one_a_language(documents, refused)
    if not chosen:
        return []
    work = chosen[0]["work"]
    found: dict[tuple[str, str], list[Member]] = {}
    for anchor, kind, member in (*_passages(chosen, kinds, refused), *_fields(chosen, kinds)):
        found.setdefault((anchor, kind), []).append(member)
    groups = []
    for (anchor, kind), members in found.items():
        kept = plausible(members, ratio, refused)
        if kept:
            groups.append(Group(f"{work}#{anchor}", kind, tuple(sorted(kept, key=lambda member: member.language))))
    return groups


def one_a_language(documents: Iterable[Document], refused: Counter[str]) -> list[Document]:
    """One document for each language, by language, all of one edition.

    Of the act, its corrigenda and its consolidated versions, which differ in `celex`, that in most languages. Of
    several documents in one language, one that declares it before others, then one with sections, then by id.
    """
    editions: dict[str, dict[str, Document]] = {}
    rows = sorted(documents, key=_preference)
    for row in rows:
        if known(row["language"]):
            editions.setdefault(row.get("celex") or "", {}).setdefault(row["language"], row)
    best = min(editions, key=lambda celex: (-len(editions[celex]), celex.startswith("0"), celex), default="")
    for row in rows:
        if not known(row["language"]):
            refused["no language"] += 1
        elif (row.get("celex") or "") != best:
            refused["another edition"] += 1
        elif editions[best][row["language"]] is not row:
            refused["another in its language"] += 1
    return [row for _, row in sorted(editions.get(best, {}).items())]


def known(language: str | None) -> bool:
    """Whether a document's language is known."""
    return language not in (None, "", "und")


def _preference(row: Document) -> tuple[bool, bool, str]:
    return row.get("declared_language") != row["language"], not row["sections"], row["id"]


def plausible(members: Sequence[Member], ratio: float, refused: Counter[str]) -> list[Member]:
    """Members that may be translations of the others; none when only one is left.

    A member is refused whose text stands in another language too, or whose length or numbers do not agree with more
    than half of the others.
    """
    if len(members) < 2:
        refused["passage: one language only"] += len(members)
        return []
    if len(members) > _MOST:
        refused["passage: too many languages"] += len(members)
        return []
    texts = [" ".join(member.text.split()).casefold() for member in members]
    same = Counter(texts)
    sizes = [len(member.text) * DENSITY.get(member.language, 1) for member in members]
    numbers = [set(_NUMBERS.findall(member.text)) for member in members]
    kept = []
    for at, member in enumerate(members):
        others = [other for other in range(len(members)) if other != at]
        if same[texts[at]] > 1:
            refused["passage: not translated"] += 1
        elif sum(_sizes_differ(sizes[at], sizes[other], ratio) for other in others) * 2 > len(others):
            refused["passage: lengths disagree"] += 1
        elif sum(_numbers_differ(numbers[at], numbers[other]) for other in others) * 2 > len(others):
            refused["passage: numbers disagree"] += 1
        else:
            kept.append(member)
    if len(kept) == 1:
        refused["passage: one language only"] += 1
    return kept if len(kept) > 1 else []


def _sizes_differ(one: float, other: float, ratio: float) -> bool:
    return max(one, other) > min(one, other) * ratio + SLACK


def _numbers_differ(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and len(one & other) < len(one | other) * SHARED


def _passages(
    documents: Sequence[Document], kinds: Collection[str], refused: Counter[str]
) -> list[tuple[str, str, Member]]:
    """Passages with an anchor that is sure.

    Every document that has the anchor must have it as many times (`art_1`, `art_1~2`). Recitals without numbers are
    counted by their order, which says nothing where the documents have not equally many.
    """
    if len(documents) < 2:
        return []
    found = [[chunk for chunk in parts(row["text"] or "", row["sections"]) if chunk.anchor] for row in documents]
    times = [Counter(_COPY.sub("", chunk.anchor or "") for chunk in chunks) for chunks in found]
    seen = [Counter(chunk.anchor for chunk in chunks) for chunks in found]
    counted = len({sum(chunk.kind == "recital" for chunk in chunks) for chunks in found} - {0}) == 1
    passages = []
    for row, chunks in zip(documents, found, strict=True):
        for chunk in chunks:
            anchor = chunk.anchor or ""
            base = _COPY.sub("", anchor)
            if chunk.kind not in kinds:
                continue
            if len({count[base] for count in times} - {0}) > 1 or any(count[anchor] > 1 for count in seen):
                refused["passage: ambiguous anchor"] += 1
            elif chunk.kind == "recital" and not counted and not _numbered(row["text"], chunk):
                refused["passage: recitals without numbers, of another count"] += 1
            else:
                passages.append((anchor, chunk.kind, _member(row, chunk)))
    return passages


def _numbered(text: str, chunk: Chunk) -> bool:
    """Whether the passage begins with the number that its anchor says."""
    said = _FIRST_NUMBER.match(text, chunk.start, chunk.end)
    return said is not None and said[1] == (chunk.anchor or "").rpartition("_")[2]


def _member(row: Document, chunk: Chunk) -> Member:
    start, end = chunk.start, chunk.end
    text = row["text"][start:end]
    return Member(f"{row['id']}:{start}-{end}", row["language"], row["id"], start, end, text, chunk.heading)


def _fields(documents: Sequence[Document], kinds: Collection[str]) -> list[tuple[str, str, Member]]:
    """Titles, abstracts and keywords in `meta`; of several documents, the one in the field's language has a say."""
    found: dict[tuple[str, str], Member] = {}
    for row in documents:
        meta = loads(row["meta"])
        for field, kind in _FIELDS.items():
            values = meta.get(field) if kind in kinds else None
            for language, value in values.items() if isinstance(values, dict) else ():
                text = said(value)
                if (
                    text
                    and _LANGUAGE.fullmatch(language)
                    and (row["language"] == language or (kind, language) not in found)
                ):
                    member = Member(f"{row['id']}#{kind}-{language}", language, row["id"], None, None, text, None)
                    found[kind, language] = member
    return [(kind, kind, member) for (kind, _), member in found.items()]


def loads(meta: str | None) -> dict[str, Any]:
    """A document's `meta`; empty where it is not an object."""
    try:
        found = json.loads(meta or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def said(value: object) -> str:
    """The text of a field: keywords are joined by semicolons; empty where it is no text."""
    if isinstance(value, list):
        value = "; ".join(word.strip() for word in value if isinstance(word, str) and word.strip())
    return _SURROGATES.sub("\ufffd", value).strip() if isinstance(value, str) else ""
