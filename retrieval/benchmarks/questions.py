"""Questions that people wrote, with the works that answer them, against the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import orjson
import regex
from pydantic import Field

from catalog.errors import ConfigError
from retrieval import metadata
from retrieval.benchmarks.rows import HELD_OUT, Document, Query, documents, one_edition, qrels, queries, read
from retrieval.builder import Benchmark, BenchmarkBuilder, Params, Task
from retrieval.chunks import ARTICLES, parts
from retrieval.source import Source

_CORRIGENDUM = regex.compile(r"R\(\d+\)$")
Split = Literal["train", "validation", "test"]


class QuestionsParams(Params):
    """The questions, and the pool."""

    file: Path
    """JSON list, or one JSON object a line: `query` and `relevant_works`; `id`, `language`, `category`,
    `expect_no_hits` if there."""
    collections: dict[str, str] = Field(default={"eu-eurlex": "celex"})
    """What a collection, the name before the colon of a relevant work, is called in the corpus. Works of collections
    that are neither listed here nor `celex`, `doi` or `erudit` are counted."""
    unit: Literal["document", "passage"] = "document"
    """Documents are whole, or their recitals, articles and annexes, all of them relevant if their work is."""
    languages: tuple[str, ...] = ("en", "fr")
    """Languages of the documents."""
    splits: tuple[Split, ...] = Field(default=("test",), min_length=1)
    """Splits whose works are the pool. With others than `test`, all works of the pool leave the training sets."""


def make(source: Source, params: QuestionsParams) -> Benchmark:
    """Documents are the works of the splits, without corrigenda, which answer nothing by themselves.

    A question's relevant documents are all language versions of its works. Questions that nothing in the pool answers
    are left out and counted by reason.
    """
    counts: Counter[str] = Counter()
    found = source.connection.execute("SELECT DISTINCT work, split FROM works WHERE work IS NOT NULL").fetchall()
    asked = list(entries(params.file))
    return build(read(source, params.splits), asked, dict(found), params, counts)


def entries(file: Path) -> Iterator[Any]:
    """The questions of a file, unchecked. ConfigError when it cannot be read or is neither JSON nor JSON lines."""
    try:
        content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    if content.lstrip().startswith(b"["):
        try:
            yield from orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{file}: no JSON: {error}") from None
        return
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise ConfigError(f"{file}, line {number}: no JSON: {error}") from None


def build(
    rows: Iterable[dict[str, Any]], asked: Iterable[Any], splits: dict[str, str], params: QuestionsParams,
    counts: Counter[str],
) -> Benchmark:  # fmt: skip
    """The benchmark of these documents and questions; `splits` says of every work of the corpus which it is in."""
    pool = list(_pool(rows, params, counts))
    answers: dict[str, list[str]] = {}
    for document in pool:
        answers.setdefault(str(document.work), []).append(document.id)
    made: dict[str, Query] = {}
    judged = []
    for number, entry in enumerate(asked, start=1):
        query, relevant, reason = _question(entry, number, params, counts)
        found = [work for work in relevant if work in answers]
        for work in relevant:
            if work not in answers:
                counts[f"judgement: {_missing(work, splits, params)}"] += 1
        if query is not None and query.id in made:
            reason = "id is there already"
        elif reason is None and not found:
            reason = _missing(relevant[0], splits, params)
        counts[f"query: {reason}" if reason else "query: used"] += 1
        if query is not None and reason is None:
            made[query.id] = query
            judged += [(query.id, id, 1) for work in found for id in answers[work]]
    return Benchmark(
        documents(pool), queries(made.values()), qrels(set(judged)), _tasks(made.values(), params), counts=+counts,
        notes=_notes(params),
    )  # fmt: skip


def _pool(rows: Iterable[dict[str, Any]], params: QuestionsParams, counts: Counter[str]) -> Iterator[Document]:
    acts = []
    for row in rows:
        if _CORRIGENDUM.search(row["celex"] or ""):
            counts["corrigendum"] += 1
        else:
            acts.append(row)
    for act in one_edition(acts, counts):
        text = act["text"] or ""
        if act["language"] not in params.languages:
            counts["other language"] += 1
            continue
        counts["used"] += 1
        found = parts(text, act["sections"], ARTICLES) if params.unit == "passage" else []
        slices = {(chunk.start, chunk.end): chunk.anchor for chunk in found} or {(0, len(text)): "whole"}
        for (start, end), anchor in slices.items():
            id = f"{act['id']}:{start}-{end}" if found else act["id"]
            parallel = f"{act['work']}#{anchor}" if anchor else None
            yield Document(
                id, act["title"] or "", text[start:end], act["language"], act["id"], start, end, parallel, act["work"],
                act["licence"],
            )  # fmt: skip


def _question(
    entry: Any, number: int, params: QuestionsParams, counts: Counter[str]
) -> tuple[Query | None, list[str], str | None]:  # fmt: skip
    """The query, the works that answer it as the corpus names them, and why it cannot be used."""
    if not isinstance(entry, dict) or not isinstance(entry.get("query"), str) or not entry["query"].strip():
        return None, [], "no text"
    language, kind = entry.get("language"), entry.get("category")
    query = Query(
        str(entry.get("id", number)), " ".join(entry["query"].split()),
        language if isinstance(language, str) and metadata.known(language) else "und",
        kind if isinstance(kind, str) else None,
    )  # fmt: skip
    if entry.get("expect_no_hits"):
        return query, [], "no answer is expected"
    named = entry.get("relevant_works")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    relevant = [work for name in names if (work := _work(name, params)) is not None]
    counts["judgement: work of another collection"] += len(names) - len(relevant)
    if not names:
        return query, [], "no relevant work is named"
    return query, sorted(set(relevant)), None if relevant else "works of other collections only"


def _work(name: str, params: QuestionsParams) -> str | None:
    """`eu-eurlex:32016r0679` as `celex:32016R0679`; None: of another collection."""
    collection, _, rest = name.partition(":")
    kind = params.collections.get(collection, collection)
    if kind not in ("celex", "doi", "erudit"):
        return None
    return f"{kind}:{rest.strip().upper() if kind == 'celex' else rest.strip().lower()}"


def _missing(work: str, splits: dict[str, str], params: QuestionsParams) -> str:
    if work not in splits:
        return "work not in the corpus"
    return (
        "work of another split"
        if splits[work] not in params.splits
        else "work not in these languages, or a corrigendum only"
    )


def _tasks(asked: Iterable[Query], params: QuestionsParams) -> list[Task]:
    languages = sorted({query.language for query in asked})
    pairs = [(own, pool) for own in languages for pool in params.languages]
    return [*(Task(f"{own}-{pool}", (own,), (pool,)) for own, pool in pairs), Task("all")]


def _notes(params: QuestionsParams) -> dict[str, Any]:
    held = "" if params.splits == HELD_OUT else "; all works of this pool must leave the training sets"
    return {
        "questions": params.file.name,
        "pool": f"works of the splits {', '.join(params.splits)}{held}",
        "relevance": "judged by work: every language version of a relevant work is relevant"
        + ("" if params.unit == "document" else ", and every passage of it"),
    }


QUESTIONS = BenchmarkBuilder(
    "questions", 1, "Questions of people ask for works of the corpus.", make, QuestionsParams
)  # fmt: skip
