"""The distinct documents of a training set: where negatives are looked for, on disk but for their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.sets import Set
from filters.minhash_bulk import shingle_sets
from filters.words import fold, words

_COLUMNS = {
    "document_id": "id", "title": "title", "document": "text", "document_language": "language",
    "parallel": "parallel", "work": "work", "split": "split",
}  # fmt: skip
_CODED = ("parallel", "work", "language", "split")

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pool:
    """Texts, and what tells whether two of them are the same."""

    table: pa.Table
    """Columns id, title, text, language, parallel, work, mapped from a file."""
    place: dict[str, int]
    """Row of each id."""
    codes: dict[str, Codes]
    """Of parallel, work and language, a number for each value; -1 where there is none."""
    shingles: npt.NDArray[np.uint32]
    """Distinct hashes of the shingles of all texts, each text's ascending; mapped from a file."""
    ends: npt.NDArray[np.int64]
    """(texts + 1,) where each text's begin."""

    def empty(self, place: int) -> bool:
        """Whether a text has no words."""
        return bool(self.ends[place] == self.ends[place + 1])

    def alike(self, one: int, other: int, similarity: float) -> bool:
        """Whether two texts are near copies, or one is a part of the other.

        Near copies have at least this Jaccard similarity of their word 5-grams (character 5-grams in scripts without
        spaces). A text is a part of another if its 5-grams all are in it, or, shorter than one, its words.
        """
        short, long = sorted((self._set(one), self._set(other)), key=len)
        if not len(short):
            return not len(long)
        at = np.minimum(np.searchsorted(long, short), len(long) - 1)
        shared = int((long[at] == short).sum())
        if shared == len(short) or shared >= similarity * (len(short) + len(long) - shared):
            return True
        if len(short) > 1:
            return False
        small, large = sorted((self._plain(one), self._plain(other)), key=len)
        return small in large

    def _set(self, place: int) -> npt.NDArray[np.uint32]:
        return self.shingles[self.ends[place] : self.ends[place + 1]]

    def _plain(self, place: int) -> str:
        return f" {' '.join(words(fold(self.table['text'][place].as_py() or '')))} "


def pool(pairs: Set, folder: Path) -> Pool:
    """Gather the distinct documents of the table `pairs`, in order; `folder` is for files that live as long."""
    place: dict[str, int] = {}
    ends = [np.zeros(1, np.int64)]
    schema = pa.schema([(name, pa.large_string()) for name in _COLUMNS.values()])
    with (
        pa.OSFile(str(folder / "texts.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
        (folder / "shingles").open("wb") as hashes,
    ):
        for batch in pairs.batches("pairs", list(_COLUMNS)):
            first: list[int] = []
            for row, id in enumerate(batch["document_id"].to_pylist()):
                if id not in place:
                    place[id] = len(place)
                    first.append(row)
            new = pa.Table.from_batches([batch]).select(list(_COLUMNS)).take(pa.array(first, pa.int64()))
            new = new.rename_columns(list(_COLUMNS.values())).cast(schema)
            writer.write_table(new)
            sets = shingle_sets(new["text"].combine_chunks())
            hashes.writelines(found.tobytes() for found in sets)
            ends.append(ends[-1][-1] + np.cumsum([len(found) for found in sets], dtype=np.int64))
    with pa.memory_map(str(folder / "texts.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    held = folder / "shingles"
    shingles = np.memmap(held, np.uint32, "r") if held.stat().st_size else np.zeros(0, np.uint32)
    return Pool(table, place, {name: _codes(table[name]) for name in _CODED}, shingles, np.concatenate(ends))


def _codes(values: pa.ChunkedArray) -> Codes:
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, values.type), values)
    found: Codes = pc.fill_null(pc.index_in(values, pc.unique(values.drop_null())), -1).to_numpy().astype(np.int32)
    return found
