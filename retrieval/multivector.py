"""Multi-vector retrieval (late interaction) with a sentence-transformers MultiVectorEncoder: exact MaxSim, by blocks.

The score of a document is the sum over the query's tokens of the highest similarity to any token of the document
(Khattab and Zaharia: ColBERT, SIGIR 2020), or what else the model declares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from retrieval.dense import best, blockwise, by_id, loaded, parts, refuse

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Vectors = list[Scores]
"""(tokens, dimension) of each text."""

_QUERIES, _DOCUMENTS = 64, 1_024


@dataclass(frozen=True, slots=True)
class Index:
    """Token embeddings of the documents of a pool, in 16 bits; see `retrieval.systems.Index`."""

    model: Any
    name: str
    embeddings: list[npt.NDArray[np.float16]]
    order: npt.NDArray[np.int32]

    def search(self, queries: pa.Table, k: int) -> tuple[npt.NDArray[np.int32], Scores]:
        asked, similarity = self.encoded(queries), blockwise(self.model)
        places, scores = np.full((len(asked), k), -1, np.int32), np.zeros((len(asked), k), np.float32)
        for start in range(0, len(asked), _QUERIES):
            part = asked[start : start + _QUERIES]
            blocks = (
                similarity(part, self.vectors(range(at, min(at + _DOCUMENTS, len(self.embeddings)))))
                for at in range(0, len(self.embeddings), _DOCUMENTS)
            )
            rows, found = best(blocks, len(part), k)
            places[start : start + len(part), : rows.shape[1]] = self.order[rows]
            scores[start : start + len(part), : rows.shape[1]] = found
        return places, scores

    def score(self, queries: pa.Table, rows: Ints, places: Ints) -> Scores:
        asked, row_of = self.encoded(queries), np.argsort(self.order)
        found = [np.zeros(0, np.float32)]
        for start in range(0, len(rows), _DOCUMENTS):
            part = slice(start, start + _DOCUMENTS)
            documents = self.vectors(row_of[places[part]].tolist())
            scores = self.model.similarity_pairwise([asked[row] for row in rows[part].tolist()], documents)
            found.append(np.asarray(scores, np.float32))
        return np.concatenate(found)

    def vectors(self, rows: Any) -> Vectors:
        return [self.embeddings[row].astype(np.float32) for row in rows]

    def encoded(self, queries: pa.Table) -> Vectors:
        return encode(self.model.encode_query, self.name, queries.select(["id", "text"]), np.float32)


def load(name: str) -> Any:
    """The model in a folder or of a cached name, from this machine only; raises as `retrieval.dense.load`."""
    return loaded("MultiVectorEncoder", name)


def index(documents: pa.Table, model: Any, name: str, say: Callable[[int], None] | None = None) -> Index:
    """Encode documents: columns id, title, text; `say` and errors as in `retrieval.dense.index`."""
    order = by_id(documents)
    return Index(model, name, encode(model.encode_document, name, documents, np.float16, order, say), order)


def encode(
    encoder: Callable[..., Any], name: str, texts: pa.Table, width: Any,
    order: npt.NDArray[np.int32] | None = None, say: Callable[[int], None] | None = None,
) -> list[Any]:  # fmt: skip
    """(tokens, dimension) embeddings of each text; raises as `retrieval.dense.encode`."""
    found: list[Any] = []
    for start, ids, part in parts(texts, order):
        for row, embeddings in enumerate(encoder(part, convert_to_numpy=True, show_progress_bar=False)):
            if not np.isfinite(embeddings).all():
                refuse(name, ids[row].as_py())
            found.append(embeddings.astype(width))
        if say:
            say(start + len(part))
    return found
