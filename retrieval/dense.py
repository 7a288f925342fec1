"""Dense retrieval with a sentence-transformers model: exact, by blocks of matrix products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import ConfigError

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

_ENCODED = 4_096  # texts at a time
_QUERIES, _DOCUMENTS = 512, 65_536  # a block of scores: 128 MiB


@dataclass(frozen=True, slots=True)
class Index:
    """Embeddings of the documents of a pool; see `retrieval.systems.Index`."""

    model: Any
    name: str
    embeddings: Scores
    """(documents, dimension), rows by document id."""
    order: npt.NDArray[np.int32]
    """(documents,) the place in the pool of each row."""

    def search(self, queries: pa.Table, k: int) -> tuple[npt.NDArray[np.int32], Scores]:
        asked, similarity = self.encoded(queries), blockwise(self.model)
        places, scores = np.full((len(asked), k), -1, np.int32), np.zeros((len(asked), k), np.float32)
        for start in range(0, len(asked), _QUERIES):
            part = asked[start : start + _QUERIES]
            blocks = (
                similarity(part, self.embeddings[at : at + _DOCUMENTS])
                for at in range(0, len(self.embeddings), _DOCUMENTS)
            )
            rows, found = best(blocks, len(part), k)
            places[start : start + len(part), : rows.shape[1]] = self.order[rows]
            scores[start : start + len(part), : rows.shape[1]] = found
        return places, scores

    def score(self, queries: pa.Table, rows: Ints, places: Ints) -> Scores:
        asked, row_of = self.encoded(queries), np.argsort(self.order)
        similarity = self.model.similarity_pairwise
        found = [np.zeros(0, np.float32)]
        for start in range(0, len(rows), _ENCODED):
            part = slice(start, start + _ENCODED)
            scores = similarity(asked[rows[part]], self.embeddings[row_of[places[part]]])
            found.append(np.asarray(scores, np.float32))
        return np.concatenate(found)

    def encoded(self, queries: pa.Table) -> Scores:
        """(queries, dimension); ConfigError when the model gives another dimension than for documents."""
        found = encode(self.model.encode_query, self.name, queries.select(["id", "text"]))
        if len(found) and len(self.embeddings) and found.shape[1] != self.embeddings.shape[1]:
            raise ConfigError(
                f"model {self.name}: embeddings of queries have {found.shape[1]} dimensions, "
                f"of documents {self.embeddings.shape[1]}"
            )
        return found


def load(name: str) -> Any:
    """The model in a folder or of a cached name, from this machine only.

    Raises:
        ConfigError: sentence-transformers is not installed, or there is no such model here.
    """
    return loaded("SentenceTransformer", name)


def loaded(kind: str, name: str) -> Any:
    """A model of one of sentence-transformers' classes; raises as `load`."""
    try:
        import sentence_transformers
    except ImportError as error:
        raise ConfigError(f"model {name}: needs torch: pip install 'florilege[retrieval]'") from error
    try:
        return getattr(sentence_transformers, kind)(name, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise ConfigError(f"model {name}: no {kind} in this folder or this cache ({error})") from error


def index(documents: pa.Table, model: Any, name: str, say: Callable[[int], None] | None = None) -> Index:
    """Encode documents: columns id, title, text.

    Args:
        say: called with the number of documents that are encoded.

    Raises:
        ConfigError: an embedding is not finite.
    """
    order = by_id(documents)
    return Index(model, name, encode(model.encode_document, name, documents, order, say), order)


def encode(
    encoder: Callable[..., Any], name: str, texts: pa.Table, order: npt.NDArray[np.int32] | None = None,
    say: Callable[[int], None] | None = None,
) -> Scores:  # fmt: skip
    """(texts, dimension) embeddings of texts: columns id, text and perhaps title.

    Raises:
        ConfigError: one is not finite; names the model and the first text's id.
    """
    found = np.zeros((texts.num_rows, 0), np.float32)
    for start, ids, part in parts(texts, order):
        embeddings = np.asarray(encoder(part, show_progress_bar=False), np.float32)
        for row in np.flatnonzero(~np.isfinite(embeddings).all(axis=1)).tolist():
            refuse(name, ids[row].as_py())
        if not start:
            found = np.empty((texts.num_rows, embeddings.shape[1]), np.float32)
        found[start : start + len(part)] = embeddings
        if say:
            say(start + len(part))
    return found


def refuse(name: str, id: str) -> None:
    raise ConfigError(f"model {name}: its embedding of {id} is not finite (NaN or infinite)")


def parts(texts: pa.Table, order: npt.NDArray[np.int32] | None) -> Iterator[tuple[int, pa.ChunkedArray, list[str]]]:
    """Texts in lists, in their order or another: start, ids, texts with their titles; a null is an empty text."""
    for start in range(0, texts.num_rows, _ENCODED):
        part = texts.slice(start, _ENCODED) if order is None else texts.take(pa.array(order[start : start + _ENCODED]))
        yield start, part["id"], titled(part).to_pylist()


def by_id(documents: pa.Table) -> npt.NDArray[np.int32]:
    """The rows of the documents by id: of equal scores the smaller id is the first."""
    order: npt.NDArray[np.int32] = pc.array_sort_indices(documents["id"].combine_chunks()).to_numpy().astype(np.int32)
    return order


def titled(documents: pa.Table) -> pa.ChunkedArray:
    """Title, a space and text, as BEIR's models are given them; the text alone where there is no title."""
    text = pc.fill_null(documents["text"].cast(pa.large_string()), "")
    if "title" not in documents.column_names:
        return text
    title = pc.fill_null(documents["title"].cast(pa.large_string()), "")
    return pc.if_else(
        pc.equal(title, ""), text, pc.binary_join_element_wise(title, text, pa.scalar(" ", pa.large_string()))
    )


def blockwise(model: Any) -> Callable[[Any, Any], Scores]:
    """The model's own similarity (cosine, dot, MaxSim ...) of all queries and documents of a block."""

    def similarity(queries: Any, documents: Any) -> Scores:
        return np.asarray(model.similarity(queries, documents), np.float32)

    return similarity


def best(blocks: Iterator[Scores], queries: int, k: int) -> tuple[Ints, Scores]:
    """The best k documents, of equal scores the first.

    Args:
        blocks: (queries, documents) scores, block by block of the documents.

    Returns:
        (queries, at most k) documents, counted through all blocks, and their scores, best first.
    """
    rows, scores = np.zeros((queries, 0), np.int64), np.zeros((queries, 0), np.float32)
    seen = 0
    for block in blocks:
        chosen = top(block, k)
        rows = np.concatenate([rows, chosen + seen], axis=1)
        scores = np.concatenate([scores, np.take_along_axis(block, chosen, 1)], axis=1)
        chosen = top(scores, k)
        rows, scores = np.take_along_axis(rows, chosen, 1), np.take_along_axis(scores, chosen, 1)
        seen += block.shape[1]
    return rows, scores


def top(scores: Scores, k: int) -> Ints:
    """(rows, at most k) columns of the highest scores of each row, best first, the first of equal ones."""
    k = min(k, scores.shape[1])
    if 8 * k >= scores.shape[1]:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    least = -np.partition(-scores, k - 1, axis=1)[:, k - 1]
    chosen = np.empty((len(scores), k), np.int64)
    for row, (values, bound) in enumerate(zip(scores, least, strict=True)):
        columns = np.flatnonzero(values >= bound)
        chosen[row] = columns[np.argsort(-values[columns], kind="stable")[:k]]
    return chosen
