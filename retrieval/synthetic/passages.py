"""Passages to ask about, and their translations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from retrieval.chunks import chunks
from retrieval.metadata import known
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.sampling import kept
from retrieval.tokens import tokenizer

COLUMNS = ("id", "text", "title", "language", "work", "split", "sections")
Parallel = dict[str, dict[str, "Passage"]]
"""By group and language."""


class Passage(NamedTuple):
    """A slice of a document; passages with one `parallel` are translations."""

    id: str
    text: str
    title: str
    language: str
    doc: str
    start: int
    end: int
    parallel: str | None
    work: str
    split: str


def passages(documents: pa.Table, params: SyntheticParams, counts: Counter[str]) -> list[Passage]:
    """All passages that are long enough. A document that gives none is counted; the others are not, here."""
    cut = tokenizer(params.chunking.tokenizer)
    found: list[Passage] = []
    rows = zip(*(documents[name].to_pylist() for name in COLUMNS), strict=True)
    for id, text, title, language, work, split, sections in rows:
        if not text or text.isspace():
            counts["empty text"] += 1
        elif not known(language):
            counts["no language"] += 1
        else:
            own = [
                Passage(f"{id}:{c.start}-{c.end}", text[c.start : c.end], title or "", language, id, c.start, c.end,
                        f"{work}#{c.anchor}" if c.anchor else None, work, split)
                for c in chunks(text, sections, params.chunking, cut, language)
                if c.end - c.start >= params.shortest
            ]  # fmt: skip
            if not own:
                counts["no passage of this length"] += 1
            found += _once(own)
    return found


def sampled(found: list[Passage], params: SyntheticParams) -> list[Passage]:
    """Those of the stratified sample, in order."""
    return [passage for passage in found if kept(passage.id, passage.language, params.rates, params.seed)]


def totals(found: list[Passage]) -> Counter[str]:
    """Passages by language: D_total of the sampling; counts of several tables add up."""
    return Counter(passage.language for passage in found)


def _once(own: list[Passage]) -> Iterator[Passage]:
    """Parts of a part that was too long have its anchor, but no translation each: they lose it."""
    anchors = Counter(passage.parallel for passage in own)
    for passage in own:
        yield passage if anchors[passage.parallel] == 1 else passage._replace(parallel=None)
