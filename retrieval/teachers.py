"""Scores of a teacher for queries and texts: from a file, or from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from catalog.errors import ConfigError
from retrieval.dense import loaded

Scores = npt.NDArray[np.float32]
Teacher = Callable[[pa.Table], Scores]
"""Of rows (query_id, query, document_id, document) the scores; NaN where there is none."""

_COLUMNS = ("query_id", "document_id", "score")
_ROWS = 65_536
_KINDS = "scores:<file>, cross-encoder:<folder or cached name> or dense:<folder or cached name>"


def teacher(spec: str) -> Teacher:
    """The teacher that a word names.

    Args:
        spec: `scores:<file>` (JSON lines or parquet with query_id, document_id, score, or a TREC run),
            `cross-encoder:<model>` or `dense:<model>` of sentence-transformers.

    Raises:
        ConfigError: there is no such teacher; a file or a model cannot be read, or a score is NaN.
    """
    kind, _, rest = spec.partition(":")
    if rest and kind == "scores":
        return imported(Path(rest))
    if rest and kind == "cross-encoder":
        model = loaded("CrossEncoder", rest)

        def crossed(rows: pa.Table) -> Scores:
            pairs = list(zip(rows["query"].to_pylist(), rows["document"].to_pylist(), strict=True))
            scores = np.asarray(model.predict(pairs, show_progress_bar=False), np.float32)
            if scores.ndim > 1:
                raise ConfigError(f"teacher = {spec!r}: gives {scores.shape[1]} numbers a pair, not one score")
            return _checked(spec, rows, scores)

        return crossed
    if rest and kind == "dense":
        model = loaded("SentenceTransformer", rest)

        def compared(rows: pa.Table) -> Scores:
            queries = _encoded(model.encode_query, rows["query"])
            found = model.similarity_pairwise(queries, _encoded(model.encode_document, rows["document"]))
            return _checked(spec, rows, np.asarray(found, np.float32))

        return compared
    raise ConfigError(f"teacher = {spec!r}: choose {_KINDS}")


def imported(path: Path) -> Teacher:
    """A teacher that answers from a file, held as 12 bytes a score; raises as `teacher`."""
    keys, scores = [np.zeros(0, np.uint64)], [np.zeros(0, np.float32)]
    for rows in _read(path):
        keys.append(_keys(rows))
        scores.append(rows["score"].cast(pa.float32()).to_numpy())
        wrong = np.flatnonzero(np.isnan(scores[-1]))
        if len(wrong):
            row = rows.slice(int(wrong[0]), 1).to_pylist()[0]
            raise ConfigError(f"{path}: score of {row['document_id']} for {row['query_id']} is not a number")
    known, first = np.unique(np.concatenate(keys), return_index=True)
    values = np.concatenate(scores)[first]

    def looked_up(rows: pa.Table) -> Scores:
        asked = _keys(rows)
        at = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
        if not len(known):
            return np.full(len(asked), np.nan, np.float32)
        return np.where(known[at] == asked, values[at], np.float32(np.nan))

    return looked_up


def _read(path: Path) -> Iterator[pa.Table]:
    import pyarrow.json
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(_ROWS, columns=list(_COLUMNS)):
                    yield _typed(path, pa.Table.from_batches([batch]))
        elif path.suffix in (".jsonl", ".json"):
            with pyarrow.json.open_json(path) as reader:
                for batch in reader:
                    yield _typed(path, pa.Table.from_batches([batch]))
        else:
            from catalog.exports.trec import read_run

            yield read_run(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"{path}: no scores ({error}); columns are {', '.join(_COLUMNS)}") from error


def _typed(path: Path, rows: pa.Table) -> pa.Table:
    missing = [name for name in _COLUMNS if name not in rows.column_names]
    if missing:
        raise ConfigError(f"{path}: lacks the columns {', '.join(missing)}")
    return pa.table({
        **{name: rows[name].cast(pa.string()) for name in _COLUMNS[:2]},
        "score": pc.fill_null(rows["score"].cast(pa.float64()), float("nan")),
    })  # fmt: skip


def _keys(rows: pa.Table) -> npt.NDArray[np.uint64]:
    """64-bit digests of the pairs of ids: two of 20 million are equal with probability 1e-5."""
    named = zip(rows["query_id"].to_pylist(), rows["document_id"].to_pylist(), strict=True)
    digests = (xxhash.xxh3_64_intdigest(f"{query}\n{document}") for query, document in named)
    return np.fromiter(digests, np.uint64, rows.num_rows)


def _encoded(encoder: Callable[..., Any], texts: pa.ChunkedArray) -> Any:
    """Embeddings of texts, each distinct one made once."""
    distinct = texts.combine_chunks().dictionary_encode()
    return encoder(distinct.dictionary.to_pylist(), show_progress_bar=False)[distinct.indices.to_numpy()]


def _checked(spec: str, rows: pa.Table, scores: Scores) -> Scores:
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        document, query = (rows[name][int(wrong[0])].as_py() for name in ("document_id", "query_id"))
        raise ConfigError(f"teacher = {spec!r}: its score of {document} for {query} is not finite")
    return scores
