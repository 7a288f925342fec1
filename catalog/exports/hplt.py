"""The kept corpus in the format of HPLT 3.0: its field names, a folder a language, a file a quality bin.

What HPLT's records have and the catalog does not is null: `xml` and `web-register`.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import zstandard

from catalog.exports.corpus import Tally, batches, check, finish
from catalog.exports.output import staging
from catalog.flores import document_label, label
from catalog.masked import Mask, facts

if TYPE_CHECKING:
    import duckdb

PROFILE = "hplt-v3"
FIELDS = (
    "f", "o", "s", "rs", "u", "c", "ts", "de", "crawl_id", "lang", "prob", "text", "xml", "html_lang", "cluster_size",
    "seg_langs", "id", "filter", "pii", "doc_scores", "web-register",
)  # fmt: skip
SCORES = (
    "wds", "wds_language", "wds_url", "wds_punctuation", "wds_singular_chars", "wds_numbers", "wds_repeated",
    "wds_long_segments", "wds_great_segment", "wds_informativeness", "wds_short_segments",
)  # fmt: skip
"""The columns of `doc_scores`, in HPLT's order."""
LEAST_BIN = 5
LEFT_OUT = ("robots", "no_wds", f"wds_below_{LEAST_BIN}")
"""Why a kept document is in no file: robots.txt disallows it, or it has no bin."""

_COLUMNS = (
    "id", "text", "source", "path", "offset", "length", "payload_bytes", "url", "mime", "fetched", "meta",
    "declared_language", "language", "language_score", "language_2", "language_2_score", "language_3",
    "language_3_score", "script", "segment_languages", "chars", "words_per_segment", "chars_per_segment",
    "cluster_size", "robots_allowed", "url_listed", "pii", "secrets", *SCORES,
)  # fmt: skip
_BUFFER = 64 << 20


def export(
    connection: duckdb.DuckDBPyConnection, root: Path, folder: Path, languages: list[str] | None = None,
    rows_a_shard: int = 50_000, mask: Mask | None = None, kinds: Collection[str] = ("pii", "secrets"),
) -> dict[str, Any]:  # fmt: skip
    """Write the kept documents as `{language}/{bin}_{n}.jsonl.zst`, for example `fra_Latn/9_1.jsonl.zst`.

    The bin is the floor of the Web Docs Score, 0 to 10; only the bins from 5 on are written. Documents that
    robots.txt disallows are left out. The manifest counts both as `left_out`. `filter` is HPLT's label, and drops
    nothing: the thresholds did, or did not (preset `hplt-v3` does what HPLT does).

    Arguments, return value and errors are those of `catalog.exports.corpus.export`; `checksums.md5` is for `md5sum -c`.
    """
    wanted = check(connection, languages, rows_a_shard)
    tally, left_out = Tally(kinds), dict.fromkeys(LEFT_OUT, 0)
    with staging(folder) as staged:
        parts = _Parts(staged / ".parts")
        for table in batches(connection, root, _COLUMNS, wanted, mask, tally):
            for row in table.to_pylist():
                place = bin_of(row)
                if isinstance(place, str):
                    left_out[place] += 1
                    continue
                line = record(row)
                parts.add(line["lang"][0], row["language"], place, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        files = parts.finish(staged, rows_a_shard)
        sums = "".join(f"{entry['md5']}  {entry['file']}\n" for entry in files)
        (staged / "checksums.md5").write_text(sums, encoding="utf-8")
        bins = Counter({f"{n}": 0 for n in range(10, LEAST_BIN - 1, -1)})
        for entry in files:
            bins[str(entry["bin"])] += entry["rows"]
        head = {"format": PROFILE, "columns": FIELDS, "bins": dict(bins), "left_out": left_out}
        return finish(connection, staged, head, files, tally if mask else None)


def bin_of(row: dict[str, Any]) -> int | str:
    """The quality bin of a row, 10 to 5, or which of `LEFT_OUT` it is."""
    if row["robots_allowed"] is False:
        return "robots"
    score = _tenfold(row["wds"])
    if score is None:
        return "no_wds"
    return math.floor(score) if score >= LEAST_BIN else f"wds_below_{LEAST_BIN}"


def record(row: dict[str, Any]) -> dict[str, Any]:
    """A line of HPLT 3.0 from a row of documents, signals, clusters and rights.

    `o` and `s` are `offset` and `length` of the catalog; `pii` counts in characters of `text`.
    """
    further = [(row[f"language_{n}"], row[f"language_{n}_score"]) for n in (2, 3) if row[f"language_{n}"]]
    fetched = row["fetched"] and row["fetched"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = document_label(row["language"], row["script"], row["text"])
    script = own.partition("_")[2]
    names = {row["language"]: own}
    values = (
        row["path"], row["offset"], row["length"], row["payload_bytes"], row["url"], row["mime"], fetched,
        _encoding(row["meta"]), row["source"],
        [own, *(label(language, script) for language, _ in further)],
        [round(p, 4) for p in (row["language_score"] or 0.0, *(score or 0.0 for _, score in further))],
        row["text"], None, [row["declared_language"]] if row["declared_language"] else [], row["cluster_size"],
        [names.get(language) or label(language, script) for language in row["segment_languages"] or ()],
        row["id"], hplt_filter(row), [[span["start"], span["end"]] for span in row["pii"] or ()],
        [_tenfold(row[name]) for name in SCORES], None,
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def hplt_filter(row: dict[str, Any]) -> str:
    """HPLT's heuristics in its order; the first that a document fails, or `keep`."""
    if row["url_listed"]:
        return "adult_ut1"
    words, characters = row["words_per_segment"], row["chars_per_segment"]
    if words is not None and words <= 5:
        return "word_avg_5"
    if words is None and characters is not None and characters <= 10:
        return "char_avg_10"
    return "length_500" if row["chars"] <= 500 else "keep"


def _tenfold(score: float | None) -> float | None:
    """A score of 0 to 1 as HPLT 3.0 writes it, 0 to 10; rounded, so that .7 as a 32-bit float is 7 and not below."""
    return None if score is None else round(score * 10, 4)


def _encoding(meta: str | None) -> str | None:
    """The character set's name in `header windows-1252`, `utf-8`, without what it was known from."""
    known = facts(meta)
    found = known.get("encoding") if isinstance(known, dict) else None
    return found.split()[-1] if isinstance(found, str) and found.strip() else None


class _Parts:
    """Lines on their way to their files: gathered in memory, laid down in pieces, joined at the end.

    A file is one zstd frame, because many readers stop after the first; but a frame for every language and bin open
    at the same time would take gigabytes and more open files than a process may have.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines: dict[tuple[str, str, int], list[bytes]] = {}
        self._bytes = 0
        self._places: set[tuple[str, str, int]] = set()

    def add(self, label: str, language: str, place: int, line: bytes) -> None:
        self._lines.setdefault((label, language, place), []).append(line)
        self._bytes += len(line)
        if self._bytes >= _BUFFER:
            self._lay_down()

    def _lay_down(self) -> None:
        self.folder.mkdir(exist_ok=True)
        compressor = zstandard.ZstdCompressor(level=1)
        for place, lines in self._lines.items():
            with self._path(place).open("ab") as file:
                file.write(compressor.compress(b"".join(lines)))
        self._places.update(self._lines)
        self._lines, self._bytes = {}, 0

    def _path(self, place: tuple[str, str, int]) -> Path:
        return self.folder / "-".join(map(str, place))

    def finish(self, staged: Path, rows_a_shard: int) -> list[dict[str, Any]]:
        """Write the files, by label and falling bin; {file, language, bin, rows, md5} of each."""
        self._lay_down()
        files: list[dict[str, Any]] = []
        for place in sorted(self._places, key=lambda p: (p[0], -p[2], p[1])):
            label, language, number = place
            for lines in _in_parts(self._path(place), rows_a_shard):
                before = sum(f["file"].startswith(f"{label}/{number}_") for f in files)
                name = f"{label}/{number}_{before + 1}.jsonl.zst"
                (staged / label).mkdir(exist_ok=True)
                rows = _compress(lines, staged / name)
                with (staged / name).open("rb") as file:
                    md5 = hashlib.file_digest(file, "md5").hexdigest()
                files.append({"file": name, "language": language, "bin": number, "rows": rows, "md5": md5})
            self._path(place).unlink()
        self.folder.rmdir()
        return files


def _in_parts(path: Path, rows: int) -> Iterator[Iterator[bytes]]:
    """The lines of a file of several frames, `rows` at a time; each part is to be read before the next is asked for."""
    with path.open("rb") as raw:
        stream = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        lines: Iterator[bytes] = iter(io.BufferedReader(stream, 1 << 20))  # type: ignore[type-var]
        for first in lines:
            yield chain([first], islice(lines, rows - 1))


def _compress(lines: Iterator[bytes], path: Path) -> int:
    rows = 0
    with path.open("wb") as raw, zstandard.ZstdCompressor(level=9).stream_writer(raw) as writer:
        for line in lines:
            writer.write(line)
            rows += 1
    return rows
