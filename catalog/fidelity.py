"""What the fidelity report asks of a snapshot: figures of groups, their distributions, the worst documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from catalog.reports import rows
from catalog.schema import PAGES

if TYPE_CHECKING:
    import duckdb

MEASURED = ("lcs", "lcs_json", "lcs_conversion", "order_recall", "order_precision")
"""Measures against a reference, in the order in which they are shown."""
PREDICTED = ("predicted_lcs", "predicted_order")
BINS = 30
"""Bins of a distribution, of equal width on the scale of `position`."""
KNOWN = 0.3
"""Least order precision of a page that a reference has: of other pages it says nothing, right or wrong."""
_SIGNALS = (
    *MEASURED, *PREDICTED, *(f"{measure}_{bound}" for measure in PREDICTED for bound in ("low", "high")), "reference",
    "word_recall", "word_precision", "table_word_recall", "hyphenation", "running_left",
)  # fmt: skip
# The documents of which fidelity says something: PDFs, and whatever else has a reference.
_DOCUMENTS = f"""
    SELECT d.id, d.source, d.path, d."offset", d.length, d.kind, d.format, d.title, d.payload_digest,
           d.extractor, d.error, len(d.page_offsets) AS pages,
           coalesce(s.language, d.declared_language, 'und') AS language,
           coalesce(nullif(regexp_replace(d.extractor, ' [0-9][^ ]*', '', 'g'), ''), 'none') AS engine,
           {", ".join(f"s.{name}" for name in _SIGNALS)}, s.id IS NOT NULL AS has_text,
           CASE WHEN s.order_recall IS NULL THEN least(s.predicted_lcs, s.predicted_order) ELSE
           least(s.order_recall, coalesce(k.precision, if(s.order_precision >= {KNOWN}, s.order_precision, NULL)))
           END AS score
    FROM documents d LEFT JOIN signals s USING (id) LEFT JOIN (
        SELECT id, sum(order_precision * chars) / nullif(sum(chars), 0) AS precision
        FROM pages WHERE order_precision >= {KNOWN} GROUP BY id
    ) k USING (id)
    WHERE (d.format = 'pdf' OR s.lcs IS NOT NULL)
      AND (len($sources::VARCHAR[]) = 0 OR list_contains($sources::VARCHAR[], d.source))
      AND (len($languages::VARCHAR[]) = 0
           OR list_contains($languages::VARCHAR[], coalesce(s.language, d.declared_language, 'und')))
"""


@dataclass(frozen=True)
class Choice:
    """Which documents a report is about: those of these sources and languages; of all where none is named."""

    sources: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)

    def parameters(self, **more: Any) -> Any:
        return {"sources": self.sources, "languages": self.languages, **more}


def groups(connection: duckdb.DuckDBPyConnection, choice: Choice) -> list[dict[str, Any]]:
    """Per source, language and engine: how many documents, mean and 10th percentile of each measure, alarms.

    Predictions are those of the documents without a reference. `unread` have no text at all.
    """
    figures = [f"avg({name}) AS {name}, quantile_cont({name}, 0.1) AS {name}_p10" for name in MEASURED]
    figures += [f"avg({name}) FILTER (lcs IS NULL) AS {name}" for name in PREDICTED]
    return rows(
        connection,
        f"""
        WITH found AS ({_DOCUMENTS})
        SELECT source, language, engine, count(*) AS documents, count(lcs) AS referenced,
               count(*) FILTER (NOT has_text) AS unread, {", ".join(figures)},
               count(*) FILTER (id IN (SELECT id FROM alarms)) AS alarms
        FROM found GROUP BY ALL ORDER BY source, documents DESC, language, engine
        """,
        choice.parameters(),
    )


def distributions(connection: duckdb.DuckDBPyConnection, choice: Choice) -> dict[tuple[str, str, str], list[int]]:
    """Per (source, language, measure): documents in each of `BINS` bins of the scale of `position`.

    A document with a reference is counted by what was measured, another one by what was predicted.
    """
    shown = {name: f"{name} IS NOT NULL" for name in ("lcs", "order_recall", "order_precision")}
    shown |= {name: f"lcs IS NULL AND {name} IS NOT NULL" for name in PREDICTED}
    parts = " UNION ALL ".join(
        f"SELECT source, language, '{name}' AS measure, {name} AS value FROM found WHERE {condition}"
        for name, condition in shown.items()
    )
    counted = rows(
        connection,
        f"""
        WITH found AS ({_DOCUMENTS}), measured AS ({parts})
        SELECT source, language, measure, count(*) AS n,
               least({BINS - 1}, floor({BINS} * -log10(1.001 - greatest(0, least(1, value))) / 3))::INTEGER AS bin
        FROM measured GROUP BY ALL
        """,
        choice.parameters(),
    )
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in counted:
        bins = found.setdefault((row["source"], row["language"], row["measure"]), [0] * BINS)
        bins[max(0, row["bin"])] += row["n"]
    return found


def worst(connection: duckdb.DuckDBPyConnection, choice: Choice, most: int) -> list[dict[str, Any]]:
    """The documents of lowest `score`, which says what was lost, added or put out of place, whichever is more.

    With a reference it is the lower of order recall and of the order precision of those pages that the reference has,
    as one that has only a part of the document would lower the precision of a good text; else the lower prediction.
    """
    return rows(
        connection,
        f"WITH found AS ({_DOCUMENTS}) FROM found WHERE score IS NOT NULL ORDER BY score, source, path, id LIMIT $most",
        choice.parameters(most=most),
    )


def unread(connection: duckdb.DuckDBPyConnection, choice: Choice, most: int) -> list[dict[str, Any]]:
    """Documents without any text, with the reason."""
    return rows(
        connection,
        f"""WITH found AS ({_DOCUMENTS}) SELECT id, source, path, language, coalesce(error, 'no text') AS error
            FROM found WHERE NOT has_text ORDER BY source, path, id LIMIT $most""",
        choice.parameters(most=most),
    )


def alarms(connection: duckdb.DuckDBPyConnection, id: str) -> list[dict[str, Any]]:
    """The alarms of a document and its pages: page (null: the whole document), measure, value, alarm."""
    return rows(
        connection, "SELECT page, measure, value, alarm FROM alarms WHERE id = ? ORDER BY page NULLS FIRST, value", [id]
    )


def content(connection: duckdb.DuckDBPyConnection, id: str) -> dict[str, Any]:
    """A document's text, page offsets and line boxes."""
    [row] = rows(connection, "SELECT text, page_offsets, line_boxes FROM documents WHERE id = ?", [id])
    return row


def pages(connection: duckdb.DuckDBPyConnection, id: str) -> list[dict[str, Any]]:
    """What is known of each page of a document, by number."""
    names = ", ".join(f'"{name}"' for name in PAGES.names)
    return rows(connection, f"SELECT {names} FROM pages WHERE id = ? ORDER BY page", [id])


def places(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Where the snapshot's run had its sources, {source: {kind, path}}, and the settings of its recipe."""
    found = rows(connection, "SELECT source, kind, path FROM sources WHERE run = (SELECT run FROM snapshot)")
    settings = rows(connection, "SELECT settings FROM runs WHERE run = (SELECT run FROM snapshot)")
    known = orjson.loads(settings[0]["settings"]) if settings else {}
    return {row["source"]: {"kind": row["kind"], "path": row["path"]} for row in found}, known
