"""Sets for training without pairs, a line each: texts by language, batches, spans and groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from catalog.exports.output import output
from catalog.sets import Set

_JSON = {
    "spans": ["input_ids", "labels", "decoder_input_ids", "language"],
    "groups": ["query_id", "query", "doc_en", "doc_xx", "language"],
}


def write(found: Set, folder: Path) -> dict[str, Any]:
    """Write the set's tables texts, batches, spans and groups, those that it has; returns the manifest.

    `texts.{language}.{split}.txt`: a text a line, line breaks and tabs as spaces (Contriever). `batches.{split}.jsonl`:
    a JSON list of chunks a line (Revela). `spans.{split}.jsonl` (MrT5) and `groups.{split}.jsonl`: JSON objects.

    Raises:
        ConfigError: the set has none of these tables.
    """
    if not any(found.rows(table) for table in ("texts", "batches", *_JSON)):
        raise ConfigError(f"{found.name} has no texts, batches, spans or groups, which this format is for")
    with output(found, folder, "lines") as made:
        for batch in found.batches("texts", ["language", "split", "text"]):
            for language, split, text in zip(
                *(batch[n].to_pylist() for n in ("language", "split", "text")), strict=True
            ):
                made.lines(f"texts.{language}.{split}.txt").text(made.flat(text))
        for batch in found.batches("batches", ["split", "chunks"]):
            for split, chunks in zip(*(batch[name].to_pylist() for name in ("split", "chunks")), strict=True):
                made.lines(f"batches.{split}.jsonl").json(chunks)
        for table, keys in _JSON.items():
            for batch in found.batches(table, ["split", *keys]):
                for split, *values in zip(*(batch[name].to_pylist() for name in ("split", *keys)), strict=True):
                    made.lines(f"{table}.{split}.jsonl").json(dict(zip(keys, values, strict=True)))
    return made.manifest
