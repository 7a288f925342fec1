"""How the corpus grows and shrinks as one threshold moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from catalog.errors import ConfigError
from catalog.explain import thresholds
from catalog.judge import in_force, measured_in, passing
from catalog.reports import rows
from catalog.views import quote

if TYPE_CHECKING:
    import duckdb

_STEPS = 10
_UNKNOWN = {">=": "'inf'::FLOAT", "<=": "'-inf'::FLOAT"}
By = Literal["language", "source"]


def tune(
    connection: duckdb.DuckDBPyConnection, signal: str, op: str | None = None, low: float | None = None,
    high: float | None = None, language: str | None = None, source: str | None = None, by: By | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """How many documents are kept as the threshold on one signal moves, all others staying as they are.

    Of a cluster one document is kept as long as any member passes; versions of an act that are kept side by side count
    as one. The moving limit stands for the general one and for those of single languages.

    Args:
        op: `>=` or `<=`; None: that of the snapshot's threshold on the signal, else `>=`.
        low, high: first and last limit that is tried. Where both are given, the limits between them are equal steps;
            else deciles of the signal among the documents that all other thresholds leave.
        language, source: only documents of these.
        by: a curve for each language or source; a cluster counts where its best value is.

    Returns:
        Rows of group (None without `by`), op, limit, kept, share (of the group's documents), present (whether it
        is the snapshot's limit), documents (of the group, rejected ones too), and unknown (those of kept that have no
        value, and so pass every limit), by group, the largest first, and limit.

    Raises:
        ConfigError: no such signal or op; the message lists the choices.
    """
    held = thresholds(connection)
    op = _op(signal, op, [limit["op"] for limit in held if limit["signal"] == signal])
    others = [limit for limit in held if (limit["signal"], limit["op"]) != (signal, op)]
    asked = [t["value"] for t in in_force(held, language, None) if (t["signal"], t["op"]) == (signal, op)]
    chosen = " AND ".join(
        f"{name} = {quote(given)}" for name, given in (("language", language), ("source", source)) if given
    )  # fmt: skip
    _tables(connection, signal, op, passing(others, signal), f"WHERE {chosen}" if chosen else "", by)
    limits = _grid(connection, low, high, asked)
    return [{**row, "op": op, "present": row["limit"] in asked} for row in _counted(connection, limits, op)]


def _op(signal: str, op: str | None, present: list[str]) -> str:
    measured_in(signal)
    if op not in (None, ">=", "<="):
        raise ConfigError(f"op {op!r}: choose >= or <=")
    return op or (present or [">="])[0]


def _tables(
    connection: duckdb.DuckDBPyConnection, signal: str, op: str, left: str, chosen: str, by: By | None
) -> None:  # fmt: skip
    """Make `candidate`, the best value and the group of each cluster that the others leave, and `whole`, the sizes of
    the groups. An unknown value passes every limit."""
    best, unknown = ("max" if op == ">=" else "min"), _UNKNOWN[op]
    group = by or "NULL::VARCHAR"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE candidate AS
        SELECT arg_{best}(part, value) AS part, {best}(value) AS value
        FROM (SELECT cluster, {group} AS part, coalesce(value, {unknown}) AS value FROM {left} {chosen})
        GROUP BY cluster;
        CREATE OR REPLACE TEMP TABLE whole AS
        SELECT {group} AS part, count(*) AS documents FROM documents LEFT JOIN signals USING (id) {chosen} GROUP BY part
    """)


def _grid(
    connection: duckdb.DuckDBPyConnection, low: float | None, high: float | None, present: list[float]
) -> list[float]:  # fmt: skip
    if low is not None and high is not None:
        found = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    else:
        shares = [step / _STEPS for step in range(_STEPS + 1)]
        [row] = rows(
            connection,
            f"SELECT quantile_disc(value, {shares}) FILTER (WHERE isfinite(value)) AS deciles FROM candidate",
        )
        found = [value for value in row["deciles"] or [] if (low is None or value >= low)]
        found = [value for value in found if high is None or value <= high]
    return sorted({*(float(f"{value:.4g}") for value in found), *present})


def _counted(connection: duckdb.DuckDBPyConnection, limits: list[float], op: str) -> list[dict[str, Any]]:
    if not limits:
        return []
    counts = ", ".join(f"count(*) FILTER (value {op} {limit!r}::FLOAT)" for limit in limits)
    found = rows(
        connection,
        f"""
        SELECT whole.part, documents, coalesce(unknown, 0) AS unknown,
               coalesce(kept, list_value({", ".join("0" for _ in limits)})) AS kept
        FROM whole LEFT JOIN (
            SELECT part, list_value({counts}) AS kept, count(*) FILTER (value = {_UNKNOWN[op]}) AS unknown
            FROM candidate GROUP BY part
        ) c
        ON c.part IS NOT DISTINCT FROM whole.part ORDER BY documents DESC, whole.part
        """,
    )
    return [
        {"group": row["part"], "limit": limit, "kept": kept, "share": kept / row["documents"]}
        | {key: row[key] for key in ("documents", "unknown")}
        for row in found
        for limit, kept in zip(limits, row["kept"], strict=True)
    ]
