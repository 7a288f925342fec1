"""BEIR: `corpus.jsonl` (_id, title, text), `queries.jsonl` (_id, text), `qrels/{split}.tsv` with a heading."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from catalog.errors import ConfigError
from catalog.exports.lists import Register, lists
from catalog.exports.output import output
from catalog.exports.pools import pool
from catalog.set_schema import QRELS
from catalog.sets import Set

HEADING = "query-id\tcorpus-id\tscore"
_KEYS = {"_id", "title", "text"}


def read(folder: Path, split: str = "test") -> tuple[pa.Table, pa.Table, pa.Table, Counter[str]]:
    """A folder in BEIR's layout, with the queries that are judged in this split.

    Returns:
        documents (id, title, text), queries (id, text), qrels (query_id, document_id, score), each in the files' order,
        and counts of what was left out, by reason.

    Raises:
        ConfigError: a file is missing, or no judgement of the split can be used.
    """
    left_out: Counter[str] = Counter()
    documents = list(_entries(folder / "corpus.jsonl", "document", left_out))
    questions = list(_entries(folder / "queries.jsonl", "query", left_out))
    known = {id for id, _, _ in documents}, {id for id, _, _ in questions}
    judged = list(_judgements(_qrels(folder, split), known, left_out))
    if not judged:
        raise ConfigError(f"{folder}/qrels/{split}.tsv: no judgement can be used; left out: {dict(left_out)}")
    asked = {query for query, _, _ in judged}
    left_out["query: not judged in this split"] += sum(id not in asked for id, _, _ in questions)
    return (
        _table(documents, ("id", "title", "text")),
        _table([(id, text) for id, _, text in questions if id in asked], ("id", "text")),
        pa.Table.from_arrays(
            [pa.array(c, f.type) for c, f in zip(zip(*judged, strict=True), QRELS, strict=True)], schema=QRELS
        ),
        +left_out,
    )


def write(
    found: Set, folder: Path, split: str = "test", task: str | None = None, share: float = 1.0, seed: int = 1
) -> dict[str, Any]:
    """Write a benchmark, or the pairs of a training set with their own splits; returns the manifest.

    Args:
        split: name of a benchmark's judgements.
        task: only the queries and documents of this task of a benchmark; none: all.
        share, seed: of a training set, see `catalog.exports.lists.lists`.
    """
    if found.kind == "pairs":
        return _write_pairs(found, folder, share, seed)
    chosen = pool(found, task)
    with output(found, folder, "beir", split=split, task=task) as made:
        corpus = made.lines("corpus.jsonl")
        for id, title, text in zip(*(chosen.documents[c].to_pylist() for c in ("id", "title", "text")), strict=True):
            corpus.json({"_id": id, "title": title or "", "text": text})
        queries = made.lines("queries.jsonl")
        for id, text in zip(*(chosen.queries[c].to_pylist() for c in ("id", "text")), strict=True):
            queries.json({"_id": id, "text": text})
        qrels = made.lines(f"qrels/{split}.tsv")
        qrels.raw(HEADING.encode() + b"\n")
        for query, document, score in zip(*(chosen.qrels[c].to_pylist() for c in QRELS.names), strict=True):
            qrels.text(f"{_field(query)}\t{_field(document)}\t{score}")
    return made.manifest


def _write_pairs(found: Set, folder: Path, share: float, seed: int) -> dict[str, Any]:
    with output(found, folder, "beir", share=share, seed=seed) as made:
        documents = Register()
        corpus, queries = made.lines("corpus.jsonl"), made.lines("queries.jsonl")
        for query in lists(found, made.counts, share=share, seed=seed):
            queries.json({"_id": query.id, "text": query.text})
            qrels = made.lines(f"qrels/{query.split}.tsv")
            if not qrels.rows:
                qrels.raw(HEADING.encode() + b"\n")
            for text in (*query.positives, *query.negatives):
                if documents.add(text):
                    corpus.json({"_id": text.id, "title": text.title, "text": text.text})
            for text in query.positives:
                qrels.text(f"{_field(query.id)}\t{_field(text.id)}\t1")
    return made.manifest


def _field(id: str) -> str:
    """As Python's csv writes a field, which is how BEIR's own loader reads the judgements."""
    return '"' + id.replace('"', '""') + '"' if any(c in id for c in '"\t\r\n') else id


def _table(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


def _qrels(folder: Path, split: str) -> Path:
    path = folder / "qrels" / f"{split}.tsv"
    if not path.is_file():
        there = sorted(p.stem for p in (folder / "qrels").glob("*.tsv"))
        raise ConfigError(f"{path}: no such file; splits there: {', '.join(there) or 'none'}")
    return path


def _entries(path: Path, what: str, left_out: Counter[str]) -> Iterator[tuple[str, str, str]]:
    """(id, title, text) of the lines of a file; further keys, and lines that cannot be used, are counted."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; a BEIR folder has corpus.jsonl, queries.jsonl and qrels/")
    seen: set[str] = set()
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            entry = _object(line)
            id = entry.get("_id", entry.get("id")) if entry else None
            if isinstance(id, int) and not isinstance(id, bool):
                id = str(id)
            if reason := _refused(what, entry, id, seen):
                left_out[reason] += 1
                continue
            assert entry is not None and isinstance(id, str)
            seen.add(id)
            if any(value for key, value in entry.items() if key not in _KEYS and key != "id"):
                left_out[f"{what}: other keys than _id, title, text (the {what} is kept)"] += 1
            title, text = entry.get("title"), entry.get("text")
            yield _sound(id), _sound(title), _sound(text)


def _sound(text: Any) -> str:
    """The text without lone surrogates, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def _refused(what: str, entry: dict[str, Any] | None, id: Any, seen: set[str]) -> str | None:
    """Why a line is left out."""
    if entry is None:
        return f"{what}: not a JSON object"
    if not isinstance(id, str) or not id:
        return f"{what}: no id"
    if id in seen:
        return f"{what}: id stands before"
    text = entry.get("text")
    if what == "query" and not (isinstance(text, str) and text.strip()):
        return "query: no text"
    return None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        # Python's reader also takes NaN and lone surrogates.
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _judgements(path: Path, known: tuple[set[str], set[str]], left_out: Counter[str]) -> Iterator[tuple[str, str, int]]:
    """(query, document, score) of the lines that can be used; the first line may be a heading."""
    documents, queries = known
    seen: set[tuple[str, str]] = set()
    for number, (query, document, score) in enumerate(_fields(path, left_out)):
        try:
            value = int(float(score))
        except (ValueError, OverflowError):
            if number or score.strip().lower() != "score":
                left_out["qrel: score is no number"] += 1
            continue
        if query not in queries:
            left_out["qrel: unknown query"] += 1
        elif document not in documents:
            left_out["qrel: unknown document"] += 1
        elif (query, document) in seen:
            left_out["qrel: judged before"] += 1
        elif abs(value) >= 1 << 31:
            left_out["qrel: score is no number"] += 1
        else:
            seen.add((query, document))
            yield query, document, value


def _fields(path: Path, left_out: Counter[str]) -> Iterator[tuple[str, str, str]]:
    """Three fields a line; TREC's four columns too."""
    for line in path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff").split("\n"):
        if not line.strip():
            continue
        fields = [_unquoted(field) for field in line.rstrip("\r").split("\t")]
        if len(fields) == 4:
            del fields[1]
        if len(fields) != 3:
            left_out["qrel: not three columns"] += 1
            continue
        yield fields[0], fields[1], fields[2]


def _unquoted(field: str) -> str:
    whole = len(field) > 1 and field[0] == field[-1] == '"'
    return field[1:-1].replace('""', '"') if whole else field
