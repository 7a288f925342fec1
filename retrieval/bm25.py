"""BM25 over documents of any languages.

A document is analysed in its own language. A query is put to the documents of each language as that language's analyser
sees it, without the stop words of its own language: a word that stands in both is then the same term on both sides,
whatever the stemmers, and Lucene does the same when it searches a French index with English words. Terms of different
languages are different terms; the number of documents and their mean length are those of the whole pool, so that
scores can be compared over languages.

Scores are Lucene's: idf ln(1 + (N - df + .5) / (df + .5)) times tf / (tf + k1 (1 - b + b length / mean length)); for
the variants see Kamphuis et al., Which BM25 do you mean?, ECIR 2020. bm25s makes the index, a matrix of them by term,
and searches it; here is what it leaves open: languages, and which of equal scores come first.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters import compiling
from retrieval.analysers import KINDS, Analyser, analyser, stop_words, tokens

K1, B = 1.5, 0.75
"""The defaults of bm25s."""
MOST_REPEATS = 64
"""A query counts a term so often at most: bm25s reads a term's documents once for each time."""
_BATCH = 8_192
_AT_ONCE = 256
_COMPILED = 30_000_000
"""Queries times documents from which bm25s' compiled search pays: each process compiles it anew, for some ten seconds,
which 30,000 queries in a pool of as many then save."""

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lists:
    """Terms of documents or of queries, one list after the other in one array; bm25s gets them as lists."""

    ids: Ids
    ends: Ints
    """(lists + 1,)"""

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self), _BATCH):
            ends = self.ends[start : start + _BATCH + 1]
            ids, cuts = self.ids[ends[0] : ends[-1]].tolist(), (ends - ends[0]).tolist()
            yield from (ids[begin:end] for begin, end in pairwise(cuts))


class Corpus(NamedTuple):
    """What bm25s indexes."""

    ids: Lists
    vocab: dict[int, int]


class Analysed(NamedTuple):
    """Documents as terms; all but `lists` as in `Index`."""

    lists: Lists
    """By id of the documents."""
    vocabularies: dict[str, dict[str, int]]
    analysers: dict[str, Analyser]
    order: Ids


@dataclass(frozen=True, slots=True)
class Index:
    """Documents of a pool, ready to be searched; see `retrieval.systems.Index`."""

    retriever: Any
    """`bm25s.BM25`; its documents are by id, which settles ties. None if no document has a term."""
    vocabularies: dict[str, dict[str, int]]
    """Terms by language of the documents."""
    analysers: dict[str, Analyser]
    order: Ids
    """(documents,) the place in the pool of each document of the retriever."""

    def search(self, queries: pa.Table, k: int) -> tuple[Ids, Scores]:
        return self.best(self.terms(queries), k)

    def best(self, asked: Lists, k: int) -> tuple[Ids, Scores]:
        """As `search`, for the terms of queries."""
        places, scores = np.full((len(asked), k), -1, np.int32), np.zeros((len(asked), k), np.float32)
        rows = np.flatnonzero(np.diff(asked.ends))  # bm25s takes no query without terms
        if len(rows):
            compiled = len(rows) * len(self.order) >= _COMPILED and compiling.available()
            self.retriever.backend = "numba" if compiled else "numpy"
            lists, size = list(Lists(asked.ids, np.append(asked.ends[rows], asked.ends[-1]))), min(k, len(self.order))
            parts = [lists[start : start + _AT_ONCE] for start in range(0, len(lists), _AT_ONCE)]
            with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if compiled else 1) as threads:
                found = list(threads.map(partial(_best, self.retriever, k=size), parts))
            documents, values = (np.concatenate(column) for column in zip(*found, strict=True))
            places[rows, :size] = np.where(values > 0, self.order[documents], -1)
            scores[rows, :size] = values
        return places, scores

    def score(self, queries: pa.Table, rows: Ints, places: Ints) -> Scores:
        """Zero for a document without any term of the query."""
        asked, documents = self.terms(queries), np.argsort(self.order)[places]
        counts = np.diff(asked.ends)[rows]
        pair, found = np.repeat(np.arange(len(rows)), counts), np.zeros(len(rows), np.float32)
        if not len(pair):
            return found
        nth = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        terms = asked.ids[asked.ends[rows][pair] + nth]
        np.add.at(found, pair, _values(self.retriever.scores, terms, documents[pair]))  # in the order of the search
        return found

    def terms(self, queries: pa.Table) -> Lists:
        """The terms that queries (columns text, language) search for in every language of the pool, ascending."""
        rows, ids = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for language, places, texts in by_language(queries, "text"):
            split = tokens(texts, language)
            stop, row = stop_words(language), np.repeat(places, np.diff(split.ends))
            words = ["" if word in stop else word for word in split.words]
            for documents, vocabulary in self.vocabularies.items():
                term = _known(words, self.analysers[documents], vocabulary)[split.ids]
                rows.append(row[term >= 0])
                ids.append(term[term >= 0])
        known = max(sum(map(len, self.vocabularies.values())), 1)
        keys, counts = np.unique(np.concatenate(rows) * known + np.concatenate(ids), return_counts=True)
        keys = np.repeat(keys, np.minimum(counts, MOST_REPEATS))
        ends = np.searchsorted(keys, np.arange(queries.num_rows + 1) * known)
        return Lists((keys % known).astype(np.int32), ends)


def index(documents: pa.Table, kind: str = KINDS[0], k1: float = K1, b: float = B) -> Index:
    """Index documents: columns id, title, text, language."""
    return built(analysed(documents, kind), k1, b)


def analysed(documents: pa.Table, kind: str = KINDS[0]) -> Analysed:
    """The first step of `index`."""
    order = pc.array_sort_indices(documents["id"].combine_chunks()).to_numpy().astype(np.int32)
    numbers = count()
    vocabularies: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(numbers.__next__))
    words: defaultdict[str, dict[str, int]] = defaultdict(dict)
    analysers: dict[str, Analyser] = {}
    terms, counts = [np.zeros(0, np.int32)], np.zeros(documents.num_rows, np.int64)
    for start in range(0, documents.num_rows, _BATCH):
        places, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        for language, rows, texts in by_language(documents.slice(start, _BATCH), "title", "text"):
            analyse = analysers.setdefault(language, analyser(language, kind))
            split = tokens(texts, language)
            learnt = _learnt(split.words, analyse, words[language], vocabularies[language])[split.ids]
            places.append(np.repeat(rows, np.diff(split.ends))[learnt >= 0])
            found.append(learnt[learnt >= 0])
        place = np.concatenate(places)
        terms.append(np.concatenate(found)[np.argsort(place, kind="stable")])
        counts[start : start + _BATCH] = np.bincount(place, minlength=len(counts[start : start + _BATCH]))
    lists = _in_order(Lists(np.concatenate(terms), np.append(0, np.cumsum(counts))), order)
    return Analysed(lists, {name: dict(held) for name, held in vocabularies.items()}, analysers, order)


def built(documents: Analysed, k1: float = K1, b: float = B) -> Index:
    """The second step of `index`."""
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it would tell of every index

    known, retriever = sum(map(len, documents.vocabularies.values())), None
    if known:
        retriever = bm25s.BM25(k1=k1, b=b, method="lucene", csc_backend="scipy")
        corpus = Corpus(documents.lists, {term: term for term in range(known)})
        retriever.index(corpus, create_empty_token=False, show_progress=False)
    return Index(retriever, *documents[1:])


def by_language(table: pa.Table, *columns: str) -> Iterable[tuple[str, Ints, list[str]]]:
    """Texts of each language, the columns joined by line feeds: language ("" for none), rows, texts."""
    held = [pc.fill_null(table[name].cast(pa.large_string()), "") for name in columns]
    texts = pc.binary_join_element_wise(*held, pa.scalar("\n", pa.large_string())).to_pylist()
    languages = pc.fill_null(table["language"], "").to_pylist()
    for language in dict.fromkeys(languages):
        rows = [i for i, other in enumerate(languages) if other == language]
        yield language, np.array(rows, np.int64), [texts[i] for i in rows]


def _learnt(words: list[str], analyse: Analyser, seen: dict[str, int], vocabulary: dict[str, int]) -> Ids:
    """The term of each word, -1 for a stop word; new words are added to `seen`, new terms to `vocabulary`."""
    new = [word for word in words if word not in seen]
    seen.update((word, -1 if term is None else vocabulary[term]) for word, term in zip(new, analyse(new), strict=True))
    return np.fromiter(map(seen.__getitem__, words), np.int32, len(words))


def _known(words: list[str], analyse: Analyser, vocabulary: dict[str, int]) -> Ints:
    """The term of each word, -1 where it is none of the vocabulary."""
    get = vocabulary.get
    return np.array([-1 if term is None else get(term, -1) for term in analyse(words)], np.int64)


def _in_order(lists: Lists, order: Ids) -> Lists:
    """The lists in this order, some at a time: what says where each term goes is larger than the terms."""
    ids, sizes = np.empty_like(lists.ids), np.diff(lists.ends)[order]
    starts, ends = lists.ends[order], np.append(0, np.cumsum(sizes))
    for first in range(0, len(order), _BATCH):
        some, last = slice(first, first + _BATCH), min(first + _BATCH, len(order))
        moved = np.repeat(starts[some] - ends[first:last], sizes[some])
        ids[ends[first] : ends[last]] = lists.ids[moved + np.arange(ends[first], ends[last])]
    return Lists(ids, ends)


def _best(retriever: Any, lists: list[list[int]], k: int) -> tuple[Ids, Scores]:
    """(lists, k) best documents, equal scores ascending.

    Which of those that equal the last one bm25s returns is chance. It is asked for one more; where that one equals the
    last, the query is answered from all scores.
    """
    size = min(k + 1, retriever.scores["num_docs"])
    threads = 1 if retriever.backend == "numba" else 0
    found, scores = retriever.retrieve(
        lists, k=size, show_progress=False, n_threads=threads, backend_selection=retriever.backend
    )
    by_score = np.lexsort((found, -scores))
    found, scores = (np.take_along_axis(values, by_score, 1) for values in (found, scores))
    if size > k:
        for row in np.flatnonzero((scores[:, k - 1] == scores[:, k]) & (scores[:, k] > 0)).tolist():
            every = retriever.get_scores_from_ids(lists[row])
            kept = np.flatnonzero(every >= np.partition(every, -k)[-k])
            found[row, :k] = kept[np.argsort(-every[kept], kind="stable")[:k]]
            scores[row, :k] = every[found[row, :k]]
    return found[:, :k].astype(np.int32), scores[:, :k]


def _values(matrix: dict[str, Any], terms: Ids, documents: Ints) -> Scores:
    """What each term scores in each document; the search of all of them in step halves where they may stand."""
    indices, low, end = matrix["indices"], matrix["indptr"][terms].astype(np.int64), matrix["indptr"][terms + 1]
    high = end.astype(np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        before = (low < high) & (indices[np.minimum(middle, len(indices) - 1)] < documents)
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    at = np.minimum(low, len(indices) - 1)
    found: Scores = np.where((low < end) & (indices[at] == documents), matrix["data"][at], np.float32(0))
    return found
