"""Documents to passages: by their structure, or by tokens in whole sentences. Every passage is a slice of the text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from retrieval.sentences import ends, last_end
from retrieval.tokens import Tokenizer

_DIVISIONS = ("prt", "tis", "ttl", "cpt", "sct")
"""Parts, titles, chapters and sections of acts, as their anchors begin, from the highest down."""
_BLOCK = 1 << 18
"""Characters that are tokenized at a time, so that the memory for their spans has a limit."""

ARTICLES = ("recital", "article", "annex")
Sections = Sequence[Mapping[str, Any]]
"""As in the catalog: start, kind, anchor, heading of each."""


class Chunk(NamedTuple):
    """A passage: `text[start:end]` is neither blank nor has white space around it."""

    start: int
    end: int
    kind: str
    """That of the section; `window` or `paragraph` where there is none."""
    anchor: str | None
    heading: str | None


class Chunking(BaseModel):
    """How documents become passages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    by: Literal["articles", "sections", "paragraphs", "tokens"] = "articles"
    """`articles`: recitals, articles and annexes. `sections`: what stands between the starts of any two sections.
    `paragraphs`: lines. Documents without such parts are cut by tokens."""
    most: int = Field(default=512, ge=1)
    """Tokens of a passage at most; longer parts are cut between sentences."""
    tokenizer: str = "words"


def chunks(
    text: str, sections: Sections | None, policy: Chunking, tokenizer: Tokenizer, language: str | None = None
) -> list[Chunk]:
    """The passages of a document in order. `tokenizer` is the policy's, made once."""
    found: list[Chunk] = []
    if policy.by == "articles":
        found = _outermost(parts(text, sections, ARTICLES))
    elif policy.by == "sections":
        found = _leaves(text, sections or ())
    elif policy.by == "paragraphs":
        found = _paragraphs(text)
    found = found or [Chunk(0, len(text), "window", None, None)]
    return [
        chunk._replace(start=window.start, end=window.end)
        for chunk in found
        for window in windows(text, policy.most, tokenizer, chunk.start, chunk.end, language)
    ]


def parts(text: str, sections: Sections | None, kinds: Collection[str] | None = None) -> list[Chunk]:
    """The sections as passages, in order; each ends where the next begins that is not inside it.

    A chapter holds its articles and an annex its own, so passages of several kinds can overlap. Sections without text
    give none.

    Args:
        kinds: only these kinds; None: all.
    """
    found = _sorted(text, sections or ())
    ends = [len(text)] * len(found)
    opened: list[int] = []
    for number, section in enumerate(found):
        while opened and not _inside(section, found[opened[-1]]):
            ends[opened.pop()] = section.start
        opened.append(number)
    made = (
        _trimmed(text, section._replace(end=end))
        for section, end in zip(found, ends, strict=True)
        if kinds is None or section.kind in kinds
    )
    return [chunk for chunk in made if chunk is not None]


def windows(
    text: str, most: int, tokenizer: Tokenizer, start: int = 0, end: int | None = None, language: str | None = None
) -> list[Chunk]:
    """Passages of whole sentences that hold all that is not blank from `start` to `end`, `most` tokens each at most.

    A sentence that is longer is cut between two tokens. A tokenizer that splits a text otherwise when it stands alone
    can count a token more; `words` does not.
    """
    if most < 1:
        raise ValueError("a window needs a token")
    whole = text[start:end].rstrip()
    spans = _spans(whole, most, tokenizer, language)
    made = (_trimmed(whole, Chunk(low, high, "window", None, None)) for low, high in spans)
    return [chunk._replace(start=start + chunk.start, end=start + chunk.end) for chunk in made if chunk is not None]


def _spans(text: str, most: int, tokenizer: Tokenizer, language: str | None) -> Iterator[tuple[int, int]]:
    """Windows and the white space after them. Ends of sentences are looked for only where a window has to end."""
    at = known = len(text) - len(text.lstrip())  # where a window begins, and the last end of a sentence that is known
    block = _BLOCK
    while at < len(text):
        stop, before, first = min(at + block, len(text)), at, 0
        begins = [at + begin for begin, _ in tokenizer(text[at:stop])]
        while first + most < len(begins):
            limit = begins[first + most]
            found = last_end(text, known, limit, language) if known <= limit else None
            if found is None and known <= at:
                found = next(ends(text, language, known), len(text))
            known = found or known
            end, following = known, bisect_left(begins, known, first)
            if known > limit:
                cut = _cut(begins, first, first + most)
                if cut < following:
                    end, following = begins[cut], cut
                elif known > stop:
                    break
            yield at, end
            at, first = end, following
        if stop == len(text):
            yield at, stop
            return
        block = _BLOCK if at > before else 2 * block


def _cut(begins: list[int], low: int, at: int) -> int:
    """The token nearest before `at` that does not begin where the one before it does; else the nearest after."""
    before = bisect_left(begins, begins[at], low, at + 1)
    return before if before > low else bisect_right(begins, begins[low], low)


def _sorted(text: str, sections: Sections) -> list[Chunk]:
    """Sections by their start, which is kept within the text; their ends are not known yet."""
    made = (
        Chunk(min(max(section["start"] or 0, 0), len(text)), 0, section["kind"], section["anchor"], section["heading"])
        for section in sections
    )
    return sorted(made, key=lambda chunk: chunk.start)


def _inside(section: Chunk, outer: Chunk) -> bool:
    if section.anchor is None or outer.anchor is None:
        return False
    if section.anchor.startswith(f"{outer.anchor}."):
        return True
    level = _level(outer.anchor)
    if level is None or _scope(section.anchor) != _scope(outer.anchor):
        return False
    inner = _level(section.anchor)
    return section.kind == "article" if inner is None else inner > level


def _level(anchor: str) -> int | None:
    """Level of a division of an act; None: no division."""
    name = anchor.rpartition(".")[2].partition("_")[0]
    return _DIVISIONS.index(name) if name in _DIVISIONS else None


def _scope(anchor: str) -> list[str]:
    """The annex that a part of an act is in, if any."""
    return [name for name in anchor.split(".")[:-1] if name.partition("_")[0] not in _DIVISIONS]


def _trimmed(text: str, chunk: Chunk) -> Chunk | None:
    """Without the white space around it; None: nothing else is there."""
    piece = text[chunk.start : chunk.end].rstrip()
    if not piece.strip():
        return None
    return chunk._replace(start=chunk.start + len(piece) - len(piece.lstrip()), end=chunk.start + len(piece))


def _outermost(found: list[Chunk]) -> list[Chunk]:
    """Without the articles that are inside an annex."""
    kept: list[Chunk] = []
    for chunk in found:
        if not kept or chunk.start >= kept[-1].end:
            kept.append(chunk)
    return kept


def _leaves(text: str, sections: Sections) -> list[Chunk]:
    found = _sorted(text, sections)
    if not found:
        return []
    starts = [*(chunk.start for chunk in found), len(text)]
    before = Chunk(0, found[0].start, "window", None, None)
    made = [before, *(chunk._replace(end=end) for chunk, (_, end) in zip(found, pairwise(starts), strict=True))]
    return [chunk for chunk in (_trimmed(text, part) for part in made) if chunk is not None]


def _paragraphs(text: str) -> list[Chunk]:
    found: list[Chunk] = []
    at = 0
    for line in text.split("\n"):
        chunk = _trimmed(text, Chunk(at, at + len(line), "paragraph", None, None))
        found += [] if chunk is None else [chunk]
        at += len(line) + 1
    return found
