"""Pointwise pairs, as rerankers read them: a JSON line {qid, query, pid, passage, label} a query and passage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from catalog.exports import trec
from catalog.exports.lists import lists, need
from catalog.exports.output import output
from catalog.exports.pools import Pool, orphans, pool
from catalog.sets import Set


def write(
    found: Set, folder: Path, negatives: int = 200, run: Path | None = None, task: str | None = None,
    titles: bool | None = None, share: float = 1.0, seed: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Write all positives (label 1) and at most `negatives` negatives (label 0) a query; returns the manifest.

    Args:
        run: of a benchmark: a TREC run whose documents, by rank, are the negatives; none: the set's top_ranked.
        task: only the queries and documents of this task of a benchmark; none: all.
        titles: put the title and a space before each text; none: in benchmarks, not in training sets.
        share, seed: of a training set, see `catalog.exports.lists.lists`.

    Raises:
        ConfigError: a benchmark without run and top_ranked, a run with unknown ids, a training set without negatives.
    """
    options = {"negatives": negatives, "run": run and run.name, "task": task, "titles": titles}
    if found.kind == "benchmark":
        chosen = pool(found, task)
        ranked = _ranked(chosen, run)
        with output(found, folder, "pointwise", **options) as made:
            for line in _judged(chosen, ranked, negatives, titles is not False):
                made.lines("test.jsonl").json(line)
        return made.manifest
    need(found, "pairs", "negatives")
    with output(found, folder, "pointwise", **options, share=share, seed=seed) as made:
        for query in lists(found, made.counts, share, seed):
            lines = made.lines(f"{query.split}.jsonl")
            for label, texts in ((1, query.positives), (0, query.negatives[:negatives])):
                for text in texts:
                    lines.json(_line(query.id, query.text, text.id, text.joined(bool(titles)), label))
    return made.manifest


def _line(qid: str, query: str, pid: str, passage: str, label: int) -> dict[str, Any]:
    return {"qid": qid, "query": query, "pid": pid, "passage": passage, "label": label}


def _ranked(chosen: Pool, run: Path | None) -> dict[str, list[str]]:
    """Documents of each query by rank."""
    if run is not None:
        table = trec.read_run(run)
        orphans(table["query_id"], chosen.queries["id"].combine_chunks(), f"{run}: unknown queries")
        orphans(table["document_id"], chosen.documents["id"].combine_chunks(), f"{run}: unknown documents")
        found: dict[str, list[str]] = {}
        for query, document in zip(table["query_id"].to_pylist(), table["document_id"].to_pylist(), strict=True):
            found.setdefault(query, []).append(document)
        return found
    if chosen.top_ranked is None:
        raise ConfigError(f"{chosen.name} has no top_ranked: give a TREC run, whose documents are the negatives")
    return dict(zip(*(column.to_pylist() for column in chosen.top_ranked.columns), strict=True))


def _judged(chosen: Pool, ranked: dict[str, list[str]], negatives: int, titles: bool) -> Iterator[dict[str, Any]]:
    texts = {row["id"]: row for row in chosen.documents.select(["id", "title", "text"]).to_pylist()}
    judged: dict[str, dict[str, int]] = {}
    for query, document, score in zip(*(column.to_pylist() for column in chosen.qrels.columns), strict=True):
        judged.setdefault(query, {})[document] = score
    for query, text in zip(*(chosen.queries[name].to_pylist() for name in ("id", "text")), strict=True):
        positives = [id for id, score in judged.get(query, {}).items() if score > 0]
        relevant = set(positives)
        others = [id for id in ranked.get(query) or () if id not in relevant][:negatives]
        for id in (*positives, *others):
            row = texts[id]
            passage = f"{row['title']} {row['text']}" if titles and row["title"] else row["text"]
            yield _line(query, text, id, passage, int(id in relevant))
