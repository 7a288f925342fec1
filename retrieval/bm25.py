"""BM25 over documents of any languages.

A document is analysed in its own language. A query is put to the documents of each language as that language's analyser
sees it, without the stop words of its own language: a word that stands in both is then the same term on both sides,
whatever the stemmers, and Lucene does the same when it searches a French index with English words. Terms of different
languages are different terms; the number of documents and their mean length are those of the whole pool, so that
scores can be compared over languages.

Scores are Lucene's: idf ln(1 + (N - df + .5) / (df + .5)) times tf / (tf + k1 (1 - b + b length / mean length)); for
the variants see Kamphuis et al., Which BM25 do you mean?, ECIR 2020. bm25s keeps the index as a matrix of them, and
adds them up where numba is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters import compiling
from retrieval.analysers import KINDS, Analyser, Tokens, analyser, stop_words, tokens

K1, B = 1.5, 0.75
"""The defaults of bm25s."""
_BATCH = 8_192

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


class Matrix(NamedTuple):
    """Scores of terms in documents, by term: a compressed sparse column matrix (documents, terms)."""

    data: Scores
    indices: npt.NDArray[np.int32]
    """Rows of documents, ascending within a term."""
    indptr: Ints
    """(terms + 1,)"""


class Terms(NamedTuple):
    """The distinct terms of queries that stand in the index."""

    ids: npt.NDArray[np.int32]
    weights: Scores
    """How often the query has them."""
    ends: Ints
    """(queries + 1,)"""

    def of(self, query: int) -> tuple[npt.NDArray[np.int32], Scores]:
        asked = slice(self.ends[query], self.ends[query + 1])
        return self.ids[asked], self.weights[asked]


@dataclass(frozen=True, slots=True)
class Index:
    """Documents of a pool, ready to be searched; see `retrieval.systems.Index`."""

    matrix: Matrix
    vocabularies: dict[str, dict[str, int]]
    """Terms by language of the documents."""
    analysers: dict[str, Analyser]
    order: npt.NDArray[np.int32]
    """(documents,) the place in the pool of each row of the matrix: rows are by id, which settles ties."""

    def search(self, queries: pa.Table, k: int) -> tuple[npt.NDArray[np.int32], Scores]:
        size = min(k, len(self.order))
        places, scores = np.full((queries.num_rows, k), -1, np.int32), np.zeros((queries.num_rows, k), np.float32)
        if size:
            search = _compiled if compiling.available() else _plain
            rows = np.full((queries.num_rows, size), -1, np.int32)
            found = np.zeros((queries.num_rows, size), np.float32)
            search(self.matrix, len(self.order), self.terms(queries), rows, found)
            places[:, :size] = np.where(rows < 0, -1, self.order[rows])
            scores[:, :size] = found
        return places, scores

    def score(self, queries: pa.Table, rows: Ints, places: Ints) -> Scores:
        """Zero for a document without any term of the query."""
        asked, documents = self.terms(queries), np.argsort(self.order)[places]
        found = np.zeros(len(rows), np.float32)
        if compiling.available():
            from retrieval.bm25_kernel import pairs

            pairs(*self.matrix, *asked, rows, documents, found)
            return found
        for i, (query, document) in enumerate(zip(rows.tolist(), documents.tolist(), strict=True)):
            for term, weight in zip(*asked.of(query), strict=True):
                start, end = self.matrix.indptr[term : term + 2]
                at = start + np.searchsorted(self.matrix.indices[start:end], np.int32(document))
                if at < end and self.matrix.indices[at] == document:
                    found[i] += weight * self.matrix.data[at]
        return found

    def terms(self, queries: pa.Table) -> Terms:
        """The terms that queries (columns text, language) search for, in every language of the pool."""
        rows, ids = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for language, places, texts in by_language(queries, "text"):
            split = tokens(texts, language)
            stop, row = stop_words(language), np.repeat(places, np.diff(split.ends))
            words = [None if word in stop else word for word in split.words]
            for documents, vocabulary in self.vocabularies.items():
                term = _known([word or "" for word in words], self.analysers[documents], vocabulary)[split.ids]
                rows.append(row[term >= 0])
                ids.append(term[term >= 0])
        terms = len(self.matrix.indptr) - 1
        keys, weights = np.unique(np.concatenate(rows) * terms + np.concatenate(ids), return_counts=True)
        ends = np.searchsorted(keys, np.arange(queries.num_rows + 1) * terms)
        return Terms((keys % max(terms, 1)).astype(np.int32), weights.astype(np.float32), ends)


def index(documents: pa.Table, kind: str = KINDS[0], k1: float = K1, b: float = B) -> Index:
    """Index documents: columns id, title, text, language."""
    ids = pc.array_sort_indices(documents["id"].combine_chunks())
    order = ids.to_numpy().astype(np.int32)
    row_of = np.argsort(order)
    vocabularies: dict[str, dict[str, int]] = {}
    analysers: dict[str, Analyser] = {}
    rows, terms, known = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)], 0
    for part in range(0, documents.num_rows, _BATCH):
        for language, places, texts in by_language(documents.slice(part, _BATCH), "title", "text"):
            if language not in vocabularies:
                vocabularies[language], analysers[language] = {}, analyser(language, kind)
            split = tokens(texts, language)
            learnt, known = _learnt(split, analysers[language], vocabularies[language], known)
            rows.append(np.repeat(row_of[part + places], np.diff(split.ends))[learnt >= 0])
            terms.append(learnt[learnt >= 0])
    matrix = _matrix(np.concatenate(rows), np.concatenate(terms), documents.num_rows, known, k1, b)
    return Index(matrix, vocabularies, analysers, order)


def by_language(table: pa.Table, *columns: str) -> Iterable[tuple[str, Ints, list[str]]]:
    """Texts of each language, the columns joined by line feeds: language ("" for none), rows, texts."""
    held = [pc.fill_null(table[name].cast(pa.large_string()), "") for name in columns]
    texts = pc.binary_join_element_wise(*held, pa.scalar("\n", pa.large_string())).to_pylist()
    languages = pc.fill_null(table["language"], "").to_pylist()
    for language in dict.fromkeys(languages):
        rows = [i for i, other in enumerate(languages) if other == language]
        yield language, np.array(rows, np.int64), [texts[i] for i in rows]


def _learnt(
    split: Tokens, analyse: Analyser, vocabulary: dict[str, int], known: int
) -> tuple[npt.NDArray[np.int32], int]:
    """The term of each token, -1 for a stop word; new terms are added."""
    of_word = np.full(len(split.words), -1, np.int32)
    for i, term in enumerate(analyse(split.words)):
        if term is not None:
            at = vocabulary.setdefault(term, known)
            known += at == known
            of_word[i] = at
    return of_word[split.ids], known


def _known(words: list[str], analyse: Analyser, vocabulary: dict[str, int]) -> npt.NDArray[np.int64]:
    """The term of each word, -1 where it is none of the vocabulary."""
    get = vocabulary.get
    return np.array([-1 if term is None else get(term, -1) for term in analyse(words)], np.int64)


def _matrix(rows: Ints, terms: npt.NDArray[np.int32], documents: int, known: int, k1: float, b: float) -> Matrix:
    lengths = np.bincount(rows, minlength=documents)
    keys, frequencies = np.unique(terms.astype(np.int64) * documents + rows, return_counts=True)
    term, row = np.divmod(keys, max(documents, 1))
    containing = np.bincount(term, minlength=known)
    idf = np.log1p((documents - containing + 0.5) / (containing + 0.5))
    share = lengths / (lengths.mean() or 1) if documents else lengths
    data = (idf[term] * frequencies / (frequencies + k1 * (1 - b + b * share[row]))).astype(np.float32)
    return Matrix(data, row.astype(np.int32), np.concatenate([[0], np.cumsum(containing)]))


def _compiled(matrix: Matrix, documents: int, terms: Terms, rows: npt.NDArray[np.int32], scores: Scores) -> None:
    """Fill `rows` and `scores` (queries, k), a share of the queries in each thread."""
    from retrieval.bm25_kernel import search

    def share(start: int, end: int) -> None:
        search(*matrix, *terms[:2], terms.ends[start : end + 1], np.zeros(documents, np.float32), rows[start:end],
               scores[start:end])  # fmt: skip

    threads = len(os.sched_getaffinity(0))
    cuts = np.linspace(0, len(rows), min(threads, len(rows)) + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(share, cuts[:-1], cuts[1:]))


def _plain(matrix: Matrix, documents: int, terms: Terms, rows: npt.NDArray[np.int32], scores: Scores) -> None:
    """As `_compiled`, by bm25s."""
    import bm25s

    retriever = bm25s.BM25()
    retriever.scores = {**matrix._asdict(), "num_docs": documents}
    retriever.nonoccurrence_array = None
    for query in range(len(rows)):
        asked, weights = terms.of(query)
        ids = np.repeat(asked, weights.astype(int))
        found = retriever.get_scores_from_ids(ids) if len(ids) else np.zeros(documents, np.float32)
        best = np.argsort(-found, kind="stable")[: rows.shape[1]]
        best = best[found[best] > 0]
        rows[query, : len(best)], scores[query, : len(best)] = best, found[best]
