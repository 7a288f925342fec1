"""The parquet files that `flows.near` reads: their columns checked, their rows in batches or as SQL."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ConfigError

_BATCH_BYTES = 8 << 20  # of text at once in a thread
_BATCH_ROWS = 10_000
Groups = dict[tuple[pa.DataType, pa.DataType], list[Path]]
"""The files by the types of their ids and texts."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file."""

    path: Path
    row: int
    """Rows of the file before it."""
    ids: pa.Array
    texts: pa.Array


def groups(files: list[Path], text: str, id: str) -> Groups:
    """The files by the types of what is read of them."""
    found: Groups = {}
    for path in files:
        with opened(path, text, id) as file:
            kinds = (_plain(file.schema_arrow.field(column).type) for column in (id, text))
            found.setdefault(tuple(kinds), []).append(path)
    return found


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def kind(groups: Groups) -> pa.DataType:
    """The type of whole numbers that all ids are of, or string."""
    kinds = {kind for kind, _ in groups}
    return kinds.pop() if len(kinds) == 1 and pa.types.is_integer(next(iter(kinds))) else pa.string()


def documents(groups: Groups, text: str, id: str, kind: pa.DataType) -> str:
    """Relation (SQL) with columns `id, text, filename`; each type is read for itself and then cast."""
    cast = "" if pa.types.is_integer(kind) else "::TEXT"
    return "({})".format(
        " UNION ALL ".join(
            f"SELECT {_name(id)}{cast} AS id, {_name(text)}::TEXT AS text, filename FROM "
            f"{parquet(files, 'filename = true')}"
            for files in groups.values()
        )
    )


def opened(path: Path, text: str, id: str) -> pq.ParquetFile:
    """The file, its columns checked."""
    try:
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)  # not a whole row group at once
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{path}: not a parquet file that can be read ({error})") from error
    for column, numbers, option in ((id, True, "--id"), (text, False, "--text")):
        names = file.schema_arrow.names
        if names.count(column) != 1:
            raise ConfigError(f"{path}: no column {column!r}, but {', '.join(names[:20])}; name it with {option}")
        kind = file.schema_arrow.field(column).type
        plain = _plain(kind)
        strings = pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain)
        if not (strings or (numbers and pa.types.is_integer(plain)) or (not numbers and pa.types.is_null(plain))):
            wanted = "strings or whole numbers" if numbers else "strings"
            raise ConfigError(f"{path}: column {column!r} is {kind}, not {wanted}; name another with {option}")
    return file


def batches(path: Path, file: pq.ParquetFile, columns: tuple[str, str, pa.DataType]) -> Iterator[Batch]:
    """Rows with at most about `_BATCH_BYTES`; `columns`: that of the texts, that of the ids, and the ids' type."""
    text, id, kind = columns
    size = max(1, sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)))
    rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES * file.metadata.num_rows // size))
    row = 0
    try:
        for batch in file.iter_batches(batch_size=rows, columns=[id, text], use_threads=False):
            ids = batch[id] if batch[id].type == kind else batch[id].cast(kind)
            if ids.null_count:
                place = row + ids.is_null().index(True).as_py()
                raise ConfigError(f"{path}: row {place} (from 0) has no {id}; give every document one")
            yield Batch(path, row, ids, batch[text])
            row += len(batch)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{path}: damaged after row {row} ({error}); write it anew or leave it out") from error


def parquet(files: list[Path], options: str = "") -> str:
    """Relation (SQL) of the files' rows."""
    names = ", ".join(f"'{quoted(glob.escape(str(path)))}'" for path in files)
    return f"read_parquet([{names}]{', ' + options if options else ''})"


def quoted(value: Any) -> str:
    """Inside an SQL string."""
    return str(value).replace("'", "''")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
