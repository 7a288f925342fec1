"""A training set as a stream of queries, each with the texts that answer it and those that do not."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from catalog.errors import ConfigError
from catalog.sets import Set

_PAIRS = ["query_id", "query", "split", "document_id", "title", "document"]
_NEGATIVES = ["query_id", "document_id", "title", "document", "rank", "teacher"]
MINE = "mine negatives into the set first (table negatives)"
TEACH = "score the mined lists with a teacher model first (column negatives.teacher)"


class Text(NamedTuple):
    """A text that is answer or negative of a query."""

    id: str
    title: str
    text: str
    teacher: float | None = None
    """Score of the teacher model for it and the query."""

    def joined(self, titles: bool) -> str:
        """The text, after its title and a space if asked for, which is how MTEB joins them."""
        return f"{self.title} {self.text}" if titles and self.title else self.text


class Query(NamedTuple):
    """A query and its lists."""

    id: str
    text: str
    split: str
    positives: list[Text]
    negatives: list[Text]
    """By rank."""


def lists(found: Set, counts: Counter[str], share: float = 1.0, seed: int = 1) -> Iterator[Query]:
    """The queries of a training set, in its order, in memory that does not grow with texts.

    Args:
        counts: of what was used and what was left out.
        share: keep this share of the queries, chosen by a digest of their ids: the queries of a smaller share are
            among those of a larger one with the same seed.
        seed: of the choice.

    Raises:
        ConfigError: no training set with pairs, or its rows are not in order.
    """
    need(found, "pairs")
    kept = sampler(share, seed)
    seen: set[bytes] = set()
    scored = _grouped(found, "negatives", _NEGATIVES)
    waiting = next(scored, None)
    for id, rows in _grouped(found, "pairs", _PAIRS):
        key = digest16(id)
        if key in seen:
            raise ConfigError(f"{found.name}, pairs: rows of query {id!r} do not stand together; make the set again")
        seen.add(key)
        entries: list[tuple[Any, ...]] = []
        if waiting is not None and waiting[0] == id:
            entries = waiting[1]
            waiting = next(scored, None)
        if not kept(id):
            counts["queries outside the share"] += 1
            continue
        query = _query(rows, entries, counts)
        if query is not None:
            yield query
    if waiting is not None:
        raise ConfigError(
            f"{found.name}, negatives: query {waiting[0]!r} is not in pairs, or not in their order; make the set again"
        )


def need(found: Set, *tables: str) -> None:
    """ConfigError, with the remedy, when the set lacks one of these tables."""
    if found.kind != "pairs":
        raise ConfigError(f"{found.name} is a benchmark: this format takes training sets")
    for table in tables:
        if not found.rows(table):
            there = [name for name in ("pairs", "negatives", "groups", "batches", "texts", "spans") if found.rows(name)]
            remedy = f"; {MINE}" if table == "negatives" else ""
            raise ConfigError(f"{found.name} has no {table}, only {', '.join(there) or 'no rows'}{remedy}")


def need_teacher(found: Set) -> None:
    """ConfigError, with the remedy, when no row of negatives has a teacher's score."""
    need(found, "pairs", "negatives")
    if not any(batch.column(0).null_count < len(batch) for batch in found.batches("negatives", ["teacher"], 65_536)):
        raise ConfigError(f"{found.name}: no teacher scores; {TEACH}")


def _grouped(found: Set, table: str, columns: list[str]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    for id, rows in groupby(_rows(found, table, columns), key=itemgetter(0)):
        yield id, list(rows)


def _rows(found: Set, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    for batch in found.batches(table, columns):
        yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _query(rows: list[tuple[Any, ...]], entries: list[tuple[Any, ...]], counts: Counter[str]) -> Query | None:
    """A query from its rows of pairs and of negatives; None when nothing can be made of it."""
    _, text, split, *_ = rows[0]
    if not text or not text.strip():
        counts["queries without text"] += 1
        return None
    teacher = {entry[1]: entry[5] for entry in entries if entry[4] == 0}
    positives: dict[str, Text] = {}
    for *_, id, title, document in rows:
        if id in positives:
            counts["pairs that stand twice"] += 1
        elif not document or not document.strip():
            counts["pairs without text"] += 1
        else:
            positives[id] = Text(id, title or "", document, teacher.get(id))
    if not positives:
        counts["queries without an answer"] += 1
        return None
    negatives: dict[str, Text] = {}
    for _, id, title, document, rank, score in entries:
        if rank == 0:
            continue
        if id in positives or id in teacher:
            counts["negatives that are positives of the query"] += 1
        elif id in negatives:
            counts["negatives that stand twice"] += 1
        elif not document or not document.strip():
            counts["negatives without text"] += 1
        else:
            negatives[id] = Text(id, title or "", document, score)
    counts["queries"] += 1
    return Query(rows[0][0], text, split, list(positives.values()), list(negatives.values()))


class Register:
    """Which texts were there before, and the number of each, from 0 in order; by 16-byte digests of ids."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._texts = array("q")

    def add(self, text: Text) -> bool:
        """Whether the text is new; ConfigError when its id stood for another text before."""
        key, own = digest16(text.id), hash(text.text)
        number = self._numbers.setdefault(key, len(self._texts))
        if number == len(self._texts):
            self._texts.append(own)
            return True
        if self._texts[number] != own:
            raise ConfigError(f"document {text.id!r} has two texts; make the set again")
        return False

    def number(self, id: str) -> int:
        return self._numbers[digest16(id)]


def digest16(id: str) -> bytes:
    return hashlib.blake2b(id.encode(), digest_size=16).digest()


def sampler(share: float, seed: int) -> Any:
    """Says of an id whether it is in the share."""
    if not 0 < share <= 1:
        raise ConfigError(f"share = {share}: more than 0, at most 1")
    if share == 1:
        return lambda id: True
    limit, key = int(share * (1 << 64)), str(seed).encode()

    def chosen(id: str) -> bool:
        return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8, key=key).digest()) < limit

    return chosen
