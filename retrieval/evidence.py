"""Unique evidence: a question whose answer stands elsewhere in the pool, too, has wrong judgements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.set_schema import QRELS

LEAST = 0.8
"""Jaccard similarity of word 5-grams from which on two texts are near copies."""
MOST = 100
"""Near copies that are added as relevant to one query; a query with more is rejected."""
NearCopies = Literal["reject", "relevant"]

_RECALL = 0.999
_PERMUTATIONS = 256
_WINDOW = 64
_SLACK = 0.2  # the estimate's standard deviation is below 0.04
_ROWS = 50_000


class Similar(NamedTuple):
    """Which of `n` texts are alike."""

    classes: npt.NDArray[np.int64]
    """(n,) equal for texts that are equal but for case and white space; texts without words equal none."""
    pairs: npt.NDArray[np.int64]
    """(m, 2) classes of near copies, each pair once, the smaller first."""


class _Pool(NamedTuple):
    """The documents, and where near copies of each parallel group are."""

    ids: list[str]
    languages: list[str]
    groups: list[int]
    members: dict[int, list[int]]
    """Documents of a group."""
    classes: list[int]
    copies: dict[int, list[int]]
    """Documents of a class."""
    near: dict[int, list[int]]
    """Classes near a class."""


def check(
    documents: pa.Table, queries: pa.Table, qrels: pa.Table, near_copies: NearCopies, counts: Counter[str],
    least: float = LEAST,
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """Reject the queries of which a relevant document has a near copy elsewhere in the pool, or judge the copy too.

    A document of the same parallel group is not elsewhere, nor is one that is judged relevant. A near copy of a
    translation counts like one of the document itself: two French texts may differ in words where the English are one.
    That a text stands within a much longer one is not seen.

    Args:
        documents, queries, qrels: as in a benchmark.
        near_copies: `reject` the query, or judge the copies `relevant` too, with the score of the document's; those of
            a translation are followed back to the languages of the query's relevant documents.
        counts: gets the number of rejected queries, or of added judgements.
        least: similarity, over 0 to 1.

    Returns:
        The queries left and their judgements.
    """
    pool = _pool(documents, least)
    number = {id: n for n, id in enumerate(pool.ids)}
    gold: dict[str, dict[int, int]] = defaultdict(dict)
    for query, document, score in zip(*(qrels[name].to_pylist() for name in QRELS.names), strict=True):
        if score > 0 and document in number:
            gold[query][number[document]] = score
    rejected: set[str] = set()
    added: list[tuple[str, str, int]] = []
    for query in queries["id"].to_pylist():
        copies = _elsewhere(pool, gold[query])
        if near_copies == "reject":
            found = next(copies, None)
            reason = "query: near copy of a relevant document elsewhere in the pool" if found is not None else None
        else:
            extra = {copy for _, copy in zip(range(MOST + 1), copies, strict=False)}
            reason = f"query: over {MOST} near copies of relevant documents" if len(extra) > MOST else None
            if reason is None:
                added += [(query, pool.ids[copy], max(gold[query].values())) for copy in sorted(extra)]
        if reason is not None:
            rejected.add(query)
            counts[reason] += 1
    if near_copies == "relevant":
        counts["judgement: near copy of a relevant document"] += len(added)
    return _without(queries, "id", rejected), _joined(_without(qrels, "query_id", rejected), added)


def similar(texts: pa.Array, least: float = LEAST) -> Similar:
    """Near copies among many texts: candidates by MinHash bands, then the true similarity of word 5-grams.

    Bands are chosen so that 999 of 1,000 pairs at `least` are candidates. Of more than 64 texts with an equal band,
    each is compared with the 64 before it there, and of a crowd of near copies each keeps about 64 pairs, not all, so
    that cost is linear.
    """
    from filters import minhash, minhash_bulk

    bands, rows = minhash.best_bands(least, _RECALL, _PERMUTATIONS)
    signed = minhash_bulk.signed(texts, bands * rows)
    digests = signed.digests.copy()
    wordless = np.flatnonzero(signed.shingles == 0)
    digests[wordless] = np.stack([np.zeros(len(wordless), np.uint64), wordless.astype(np.uint64)], axis=1)
    _, first, classes = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    classes = classes.reshape(-1).astype(np.int64)
    worded = np.flatnonzero(signed.shingles[first] > 0)
    minima = signed.minima[first[worded]]
    found = _candidates(minima, minhash.band_keys(minima, bands), least)
    return Similar(classes, worded[_verified(texts.take(pa.array(first[worded])), found, least)].reshape(-1, 2))


def _candidates(
    minima: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint64], least: float
) -> npt.NDArray[np.int64]:  # fmt: skip
    """(m, 2) rows that share a band and whose signatures let expect nearly `least`."""
    count = len(minima)
    degree = np.zeros(count, np.int64)
    tried, found = np.zeros(0, np.int64), [np.zeros((0, 2), np.int64)]
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        codes = np.setdiff1d(_neighbours(keys[order, band], order, degree < _WINDOW), tried)
        tried = np.union1d(tried, codes)
        pairs = np.stack([codes // max(1, count), codes % max(1, count)], axis=1)
        near = pairs[_estimated(minima, pairs) >= least - _SLACK]
        degree += np.bincount(near.reshape(-1), minlength=count)
        found.append(near)
    return np.concatenate(found)


def _neighbours(
    ranked: npt.NDArray[np.uint64], order: npt.NDArray[np.int64], wanted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Pairs of rows of one band, as smaller * rows + greater; rows that have pairs enough are not paired again."""
    codes = [np.zeros(0, np.int64)]
    for step in range(1, min(_WINDOW + 1, len(ranked))):
        at = np.flatnonzero(ranked[step:] == ranked[:-step])
        if not len(at):
            break
        a, b = order[at], order[at + step]
        a, b = (side[wanted[a] | wanted[b]] for side in (a, b))
        codes.append(np.minimum(a, b) * len(order) + np.maximum(a, b))
    return np.concatenate(codes)


def _estimated(minima: npt.NDArray[np.uint32], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    parts = [pairs[start : start + _ROWS] for start in range(0, len(pairs), _ROWS)]
    means = [(minima[part[:, 0]] == minima[part[:, 1]]).mean(axis=1) for part in parts]
    return np.concatenate(means) if means else np.zeros(0)


def _verified(texts: pa.Array, pairs: npt.NDArray[np.int64], least: float) -> npt.NDArray[np.int64]:
    from filters import minhash_bulk

    used, places = np.unique(pairs, return_inverse=True)
    sets = minhash_bulk.shingle_sets(texts.take(pa.array(used)))
    keep = []
    for a, b in places.reshape(-1, 2).tolist():
        common = len(np.intersect1d(sets[a], sets[b], assume_unique=True))
        keep.append(common >= least * (len(sets[a]) + len(sets[b]) - common))
    return pairs[np.array(keep, np.bool_)]


def _pool(documents: pa.Table, least: float) -> _Pool:
    ids = documents["id"].to_pylist()
    alike = similar(documents["text"].combine_chunks(), least)
    classes = alike.classes.tolist()
    names: dict[str, int] = {}
    parallel = documents["parallel"].to_pylist()
    groups = [names.setdefault(f"g{p}" if p else f"d{id}", len(names)) for p, id in zip(parallel, ids, strict=True)]
    members, copies, near = defaultdict(list), defaultdict(list), defaultdict(list)
    for n, (group, its_class) in enumerate(zip(groups, classes, strict=True)):
        members[group].append(n)
        copies[its_class].append(n)
    for a, b in alike.pairs.tolist():
        near[a].append(b)
        near[b].append(a)
    return _Pool(ids, documents["language"].to_pylist(), groups, members, classes, copies, near)


def _elsewhere(pool: _Pool, gold: dict[int, int]) -> Iterator[int]:
    """Documents like the relevant ones or like a translation of these, in languages of the relevant ones."""
    groups = {pool.groups[n] for n in gold}
    languages = {pool.languages[n] for n in gold}
    seen: set[int] = set()
    for member in (m for group in sorted(groups) for m in pool.members[group]):
        own = pool.classes[member]
        for its_class in (own, *pool.near.get(own, ())):
            for copy in pool.copies[its_class]:
                group = pool.groups[copy]
                if group not in groups and group not in seen:
                    seen.add(group)
                    yield from (m for m in pool.members[group] if pool.languages[m] in languages)


def _without(table: pa.Table, column: str, ids: set[str]) -> pa.Table:
    return table.filter(pa.array([id not in ids for id in table[column].to_pylist()], pa.bool_()))


def _joined(qrels: pa.Table, added: list[tuple[str, str, int]]) -> pa.Table:
    if not added:
        return qrels
    columns = [pa.array(column, field.type) for column, field in zip(zip(*added, strict=True), QRELS, strict=True)]
    both = pa.concat_tables([qrels, pa.table(columns, QRELS)])
    return both.sort_by([("query_id", "ascending"), ("document_id", "ascending")])
