"""Verdicts: SQL over signals and a thresholds table; exactly one row for every document."""

from __future__ import annotations

from typing import Any

from catalog.views import quote

KEEP_BEST = "quality DESC, chars DESC, coalesce(date, strftime(fetched AT TIME ZONE 'UTC', '%Y-%m-%d'), '') DESC, id"
"""Which member of a cluster stays: quality, then length, then the newer date, then the smaller id."""


def verdicts(documents: str, signals: str, clusters: str, thresholds: list[dict[str, Any]]) -> str:
    """A relation (SQL) with the columns of VERDICTS.

    Args:
        documents, signals, clusters: relations with the columns of their schemas.
        thresholds: rows with stage, signal, op and value, in the order in which they are tried. A document passes a
            threshold that its signal is null for.
    """
    # Signals are stored as 32-bit floats: compared as such, a value that equals its threshold stays equal.
    tried = "\n".join(
        f"WHEN NOT coalesce({t['signal']}::FLOAT {t['op']} {t['value']!r}::FLOAT, true) "
        f"THEN {{'stage': {quote(t['stage'])}, 'reason': {quote(t['reason'])}}}"
        for t in thresholds
    )
    return f"""(
        WITH judged AS (
            SELECT d.id, d.date, d.fetched, s.quality, s.chars, c.cluster, c.exact,
                CASE WHEN d.error IS NOT NULL THEN {{'stage': 'extract', 'reason': 'failed'}}
                     WHEN s.id IS NULL THEN {{'stage': 'extract', 'reason': 'empty'}}
                     {tried}
                END AS loss
            FROM {documents} d LEFT JOIN {signals} s USING (id) LEFT JOIN {clusters} c USING (id)
        ),
        ranked AS (
            SELECT *, row_number() OVER best AS place, first_value(id) OVER best AS best_id,
                   first_value(exact) OVER best AS best_exact
            FROM judged WHERE loss IS NULL WINDOW best AS (PARTITION BY cluster ORDER BY {KEEP_BEST})
        )
        SELECT id, place = 1 AS keep, CASE WHEN place > 1 THEN 'dedup' END AS stage,
               CASE WHEN place = 1 THEN NULL WHEN exact = best_exact THEN 'exact-copy'
                    ELSE 'near-duplicate' END AS reason,
               CASE WHEN place > 1 THEN best_id END AS duplicate_of
        FROM ranked
        UNION ALL
        SELECT id, false, loss.stage, loss.reason, NULL FROM judged WHERE loss IS NOT NULL
    )"""
