"""The card of a set: what is in it, where it comes from, how it was made, what was left out, how to use it."""

from __future__ import annotations

from typing import Any

import orjson

from catalog.reports import table
from catalog.set_schema import SCHEMAS

_LICENCES = 20
_CORPUS = "CORPUS is the folder of the corpus."
_FORMATS = {"pairs": "sentence-transformers", "texts": "lines"}
"""A format that takes a training set with this table."""
_UNKNOWN = (
    "The texts remain under the rights of their authors and publishers; `doc` is the id of the document in the corpus, "
    "whose columns `source`, `path` and `url` say where it comes from."
)


def card(manifest: dict[str, Any]) -> str:
    """The card as Markdown, with the front matter that the Hugging Face hub and `datasets` read.

    Args:
        manifest: of a benchmark or of a training set; a benchmark's has `statistics` as `retrieval.statistics.of`
            makes them.
    """
    statistics = manifest.get("statistics") or {}
    parts = [
        _front(manifest, statistics),
        f"# {manifest['name']}",
        manifest.get("summary") or "",
        *(_benchmark(manifest, statistics) if manifest["kind"] == "benchmark" else _training(manifest)),
        *_columns(manifest),
        *_left_out(manifest),
        *_provenance(manifest),
        *_rights(statistics),
        *_use(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(manifest: dict[str, Any], statistics: dict[str, Any]) -> str:
    lines = ["---"]
    languages = sorted(
        {*statistics.get("documents_by_language", ()), *statistics.get("queries_by_language", ())}
        | set(manifest.get("languages") or ())
    )
    if listed := [code for code in languages if code.isalpha() and code not in ("und", "unknown")]:
        lines += ["language:", *(f'  - "{code}"' for code in listed)]  # YAML takes a bare `no` for false
    lines += ["task_categories:", "  - text-retrieval"] if _retrieval(manifest) else []
    lines += ["license: other", "configs:"]
    for name in _tables(manifest):
        split = "test" if manifest["kind"] == "benchmark" else "train"
        lines += [f'  - config_name: "{name}"', "    data_files:"]
        lines += [f'      - split: "{split}"', f'        path: "{name}-*.parquet"']
    return "\n".join([*lines, "---"])


def _retrieval(manifest: dict[str, Any]) -> bool:
    return manifest["kind"] == "benchmark" or bool({"pairs", "groups"} & set(_tables(manifest)))


def _tables(manifest: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(file["table"] for file in manifest["files"]))


def _benchmark(manifest: dict[str, Any], statistics: dict[str, Any]) -> list[str]:
    tasks = []
    for task in manifest.get("tasks") or ():
        found = statistics.get("hf_subset_descriptive_stats", {}).get(task["name"], {})
        judged = found.get("relevant_docs_statistics") or {}
        tasks.append({
            "task": task["name"],
            "queries in": _said(task.get("query_languages")),
            "of kind": _said(task.get("query_kinds")),
            "documents in": _said(task.get("document_languages")),
            "queries": found.get("num_queries"),
            "documents": found.get("num_documents"),
            "relevant a query": _short(judged.get("average_relevant_docs_per_query")),
        })  # fmt: skip
    parts = ["## Tasks", table(tasks), "Queries are those with a relevant document in the task's pool."]
    lengths = [
        {"texts": what, "count": count} | _lengths(statistics.get(f"{what}_text_statistics"))
        for what, count in (
            ("documents", statistics.get("num_documents")), ("queries", statistics.get("num_queries"))
        )
    ]  # fmt: skip
    parts += ["## Statistics", table(lengths)]
    if kinds := statistics.get("queries_by_kind"):
        parts.append("Queries by kind: " + ", ".join(f"{_line(kind)} {count:,}" for kind, count in kinds.items()) + ".")
    if notes := manifest.get("notes"):
        parts += ["## Definitions", *_notes(notes)]
    return parts


def _training(manifest: dict[str, Any]) -> list[str]:
    rows: dict[str, int] = {}
    for file in manifest["files"]:
        rows[file["table"]] = rows.get(file["table"], 0) + file["rows"]
    parts = ["## Tables", table([{"table": name, "rows": count} for name, count in rows.items()])]
    mined = (manifest.get("counts") or {}).get("negatives: negatives")
    if mined is not None and "negatives" in rows:
        parts.append(
            f"Of the {rows['negatives']:,} rows of `negatives`, {mined:,} are negatives (rank 1 on); the other "
            f"{rows['negatives'] - mined:,} repeat the positives of their queries (rank 0), so that lists are whole."
        )
    against = manifest.get("against")
    if against:
        names = ", ".join(f"`{_line(found['name'])}` ({found['id']})" for found in against)
        parts += [
            "## Kept clear of",
            f"Works of these benchmarks, and rows with a text that overlaps with theirs, are left out: {names}.",
            f"What counts as an overlap: {_code(manifest.get('overlap'))}",
        ]
    elif against is not None:
        parts += ["## Kept clear of", "No benchmark: do not report scores on texts of the same corpus."]
    if mining := manifest.get("negatives"):
        parts += ["## Negatives", _code(mining)]
    return parts


def _columns(manifest: dict[str, Any]) -> list[str]:
    schemas = SCHEMAS[manifest["kind"]]
    rows = [
        {"table": name, "column": field.name, "meaning": (field.metadata or {}).get(b"doc", b"").decode()}
        for name in _tables(manifest) for field in schemas[name]
    ]  # fmt: skip
    return ["## Columns", table(rows)] if rows else []


def _left_out(manifest: dict[str, Any]) -> list[str]:
    counts = manifest.get("counts") or {}
    if not counts:
        return []
    rows = [{"what": _line(reason), "count": count} for reason, count in sorted(counts.items(), key=lambda c: -c[1])]
    return ["## What was used and what was left out", table(rows)]


def _provenance(manifest: dict[str, Any]) -> list[str]:
    snapshot = manifest.get("snapshot") or {}
    digest = f", corpus digest `{snapshot['digest']}`" if snapshot.get("digest") else ""
    made = f"Made by florilege {snapshot.get('code') or ''}".rstrip()
    return [
        "## Provenance",
        f"{made} from snapshot {snapshot.get('snapshot', 'unknown')}{digest}, with the builder "
        f"`{manifest.get('builder')}`, version {manifest.get('version')}. Identity of the set: `{manifest['id']}`.",
        f"Parameters: {_code(manifest.get('params') or {})}",
        f"Splits, by family of works: {_code(manifest.get('splits') or {})}",
    ]


def _rights(statistics: dict[str, Any]) -> list[str]:
    licences = {name: count for name, count in (statistics.get("licences") or {}).items() if name != "unknown"}
    unknown = (statistics.get("licences") or {}).get("unknown", 0)
    parts = ["## Licence", _UNKNOWN]
    if licences:
        rows = [{"as the source declares": _line(name), "documents": count} for name, count in licences.items()]
        more = len(rows) - _LICENCES
        parts += [table(rows[:_LICENCES]), f"And {more:,} more." if more > 0 else ""]
    if unknown:
        parts.append(f"Of {unknown:,} documents the source declares no licence: it is unknown.")
    return parts if licences or unknown else [*parts, "What licences the sources declare was not recorded: unknown."]


def _use(manifest: dict[str, Any]) -> list[str]:
    name = manifest["name"]
    if manifest["kind"] == "benchmark":
        return [
            "## Evaluation",
            _commands(
                f"florilege eval {name} bm25 dense:MODEL run:FILE --corpus CORPUS",
                f"florilege export OUT --set {name} --format beir --corpus CORPUS",
            ),
            "The first scores BM25, a model of sentence-transformers and a TREC run on every task, with intervals; the "
            "second writes files for other tools, also as mteb or trec. With tools that know no tasks, take a task's "
            "queries and documents from the table above. " + _CORPUS,
        ]
    shown = f"florilege export OUT --set {name} --format {_FORMATS.get(_first(manifest), 'plain')} --corpus CORPUS"
    return [
        "## Use",
        _commands(shown),
        f"This writes files for a trainer; `--format plain` writes the tables. {_CORPUS}",
    ]


def _commands(*lines: str) -> str:
    return "\n".join(["```sh", *lines, "```"])


def _first(manifest: dict[str, Any]) -> str:
    tables = _tables(manifest)
    return tables[0] if tables else ""


def _notes(notes: dict[str, Any]) -> list[str]:
    return [
        f"**{_line(name)}**: {_line(value) if isinstance(value, str) else _code(value)}"
        for name, value in notes.items()
    ]


def _lengths(found: dict[str, Any] | None) -> dict[str, Any]:
    if not found:
        return {}
    return {
        "different": found["unique_texts"],
        "characters (min, mean, max)": _three(found, "{}_text_length"),
        "words (min, mean, max)": _three(found, "{}_word_count"),
    }


def _three(found: dict[str, Any], name: str) -> str:
    return ", ".join(f"{found[name.format(which)]:,.0f}" for which in ("min", "average", "max"))


def _said(values: list[str] | None) -> str:
    return ", ".join(values) if values else "all"


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


def _line(text: str) -> str:
    """On one line, so that no text of a source opens a heading."""
    return " ".join(str(text).split())


def _code(value: Any) -> str:
    return f"`{orjson.dumps(value, default=str).decode()}`".replace("\n", " ")
