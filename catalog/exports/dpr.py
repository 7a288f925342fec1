"""DPR: a JSON array of questions with their passages, and all passages as TSV in the form of Python's csv module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import ConfigError
from catalog.exports.lists import Query, Register, Text, lists, need
from catalog.exports.output import Output, output
from catalog.sets import Set

HEADING = "id\ttext\ttitle"


def write(found: Set, folder: Path, negatives: int | None = None, share: float = 1.0, seed: int = 1) -> dict[str, Any]:
    """Write `{split}.json` and `passages.tsv`; returns the manifest. Mined negatives are `hard_negative_ctxs`.

    Args:
        negatives: at most so many a query; none: all.
        share, seed: see `catalog.exports.lists.lists`.
    """
    need(found, "pairs")
    with output(found, folder, "dpr", negatives=negatives, share=share, seed=seed) as made:
        register = Register()
        passages = made.lines("passages.tsv")
        passages.raw(HEADING.encode() + b"\n")
        splits: set[str] = set()
        for query in lists(found, made.counts, share, seed):
            others = query.negatives[:negatives]
            example = {
                "question_id": query.id, "question": query.text, "answers": [],
                "positive_ctxs": [_context(text) for text in query.positives],
                "negative_ctxs": [], "hard_negative_ctxs": [_context(text) for text in others],
            }  # fmt: skip
            opening = b",\n" if query.split in splits else b"[\n"
            splits.add(query.split)
            made.lines(f"{query.split}.json").raw(opening + orjson.dumps(example), rows=1)
            for text in (*query.positives, *others):
                if register.add(text):
                    passages.text("\t".join(_field(made, field) for field in (text.id, text.text, text.title)))
        for split in splits:
            made.lines(f"{split}.json").raw(b"\n]\n")
    return made.manifest


def _context(text: Text) -> dict[str, str]:
    return {"title": text.title, "text": text.text, "passage_id": text.id}


def _field(made: Output, text: str) -> str:
    """A field that `csv.reader(file, delimiter="\\t")`, which DPR and Contriever use, gives back."""
    text = made.flat(text)
    return '"' + text.replace('"', '""') + '"' if '"' in text else text


def read(path: Path) -> Iterator[Query]:
    """The questions of a training file; ConfigError when it is none."""
    try:
        for row in orjson.loads(path.read_bytes()):
            lists = [
                [Text(p.get("passage_id") or "", p.get("title") or "", p["text"]) for p in row[name]]
                for name in ("positive_ctxs", "hard_negative_ctxs")
            ]
            yield Query(row.get("question_id") or "", row["question"], path.stem, *lists)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: no training file of DPR ({error!r})") from error
