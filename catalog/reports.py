"""What people look at: the funnel, the figures of a snapshot, one document with all that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from catalog.errors import ConfigError

if TYPE_CHECKING:
    import duckdb

_NAME = 100


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    """The result of a query as a list of dicts."""
    result = connection.execute(sql, parameters or [])
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def funnel(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows of the funnel: source, stage, in, kept, dropped, failed."""
    return rows(connection, 'SELECT source, stage, "in", kept, dropped, failed FROM funnel')


def reasons(connection: duckdb.DuckDBPyConnection, most: int = 8) -> dict[tuple[str, str], str]:
    """Per (source, stage), the most frequent reasons with their counts."""
    found = rows(
        connection,
        r"""
        SELECT source, stage, count(*) AS n,
               coalesce(
                   regexp_replace(split_part(replace(error, path || ': ', ''), ': ', 1), '\d+', 'N', 'g'), reason
               ) AS reason
        FROM rejects GROUP BY ALL ORDER BY source, stage, n DESC, reason
        """,
    )
    listed: dict[tuple[str, str], list[str]] = {}
    for row in found:
        listed.setdefault((row["source"], row["stage"]), []).append(f"{row['reason']} {row['n']}")
    return {
        key: ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
        for key, items in listed.items()
    }


def unaccounted(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What does not add up; empty in a sound corpus.

    The records that the reader counted, shard by shard, are the rows of documents and skipped; no two have one
    identity; every document has one verdict, and a reason if it is rejected; no stage keeps more than it was given.
    """
    return rows(
        connection,
        """
        WITH member AS (
            SELECT DISTINCT shard, source, records FROM shards
            WHERE file IN (SELECT file FROM snapshot_files JOIN snapshot USING (snapshot))
        ),
        record AS (
            SELECT id, source, path, "offset" FROM documents UNION ALL SELECT id, source, path, "offset" FROM skipped
        )
        SELECT coalesce(m.source, r.source) AS source, 'read' AS stage,
               coalesce(m.n, 0) || ' records read, ' || coalesce(r.n, 0) || ' written down' AS problem
        FROM (SELECT source, sum(records)::BIGINT AS n FROM member GROUP BY source) m
        FULL JOIN (SELECT source, count(*) AS n FROM record GROUP BY source) r USING (source)
        WHERE m.n IS DISTINCT FROM r.n
        UNION ALL
        SELECT any_value(source), 'read', id || ' stands for ' || count(*) || ' records'
        FROM record GROUP BY id HAVING count(*) > 1
        UNION ALL
        SELECT d.source, 'verdict', d.id || ' has ' || count(v.id) || ' verdicts'
        FROM documents d LEFT JOIN verdicts v USING (id) GROUP BY d.source, d.id HAVING count(v.id) <> 1
        UNION ALL
        SELECT d.source, 'verdict', d.id || ' is rejected without a reason'
        FROM documents d JOIN verdicts v USING (id) WHERE NOT v.keep AND (v.stage IS NULL OR v.reason IS NULL)
        UNION ALL
        SELECT source, stage, 'in <> kept + dropped + failed' FROM funnel
        WHERE "in" <> kept + dropped + failed OR kept < 0
        """,
    )


def languages(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Kept documents, words and characters per language."""
    return rows(
        connection,
        """
        SELECT language, count(*) AS documents, sum(words)::BIGINT AS words, sum(chars)::BIGINT AS characters
        FROM corpus GROUP BY language ORDER BY documents DESC, language
        """,
    )


def fidelity(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Mean fidelity per source and format, where there is a reference of the same text."""
    return rows(
        connection,
        """
        SELECT source, format, count(*) AS documents, round(avg(lcs), 4) AS lcs, round(min(lcs), 4) AS worst_lcs,
               round(avg(order_recall), 4) AS order_recall, round(avg(order_precision), 4) AS order_precision
        FROM documents JOIN signals USING (id) WHERE lcs IS NOT NULL GROUP BY ALL ORDER BY source, format
        """,
    )


def duplicates(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Clusters of more than one document, and what they cost."""
    return rows(
        connection,
        """
        SELECT count(DISTINCT cluster) FILTER (size > 1) AS clusters, count(*) FILTER (size > 1) AS members,
               count(*) FILTER (id <> exact) AS exact_copies FROM clusters
        """,
    )[0]


def summary(connection: duckdb.DuckDBPyConnection) -> str:
    """The figures of a snapshot as Markdown."""
    parts = ["## Funnel", table(funnel(connection)), "## Languages of the corpus", table(languages(connection))]
    if found := fidelity(connection):
        parts += ["## Fidelity against references", table(found)]
    parts += ["## Duplicates", table([duplicates(connection)])]
    return "\n\n".join(parts)


def table(found: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    if not found:
        return "(none)"
    cell = "| {} |".format
    lines = [cell(" | ".join(found[0])), cell(" | ".join("---" for _ in found[0]))]
    lines += [cell(" | ".join(_cell(value) for value in row.values())) for row in found]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")


def document(connection: duckdb.DuckDBPyConnection, prefix: str) -> dict[str, dict[str, Any]]:
    """All that is known of the document whose id starts with `prefix`: {document, verdict, cluster, signals, rights,
    scores, repeats}.

    Raises:
        ConfigError: no such document, or several; the message lists some.
    """
    ids = rows(
        connection,
        "SELECT id, coalesce(title, url, path) AS name FROM documents WHERE starts_with(id, ?) ORDER BY id LIMIT 6",
        [prefix],
    )
    if not ids:
        raise ConfigError(_no_document(connection, prefix))
    if len(ids) > 1:
        listed = "\n".join(f"  {row['id']}  {' '.join(row['name'].split())[:_NAME]}" for row in ids[:5])
        more = "\n  ..." if len(ids) > 5 else ""
        raise ConfigError(f"{prefix!r} is not enough: give more of one's id\n{listed}{more}")
    found = {}
    for part, view in (
        ("document", "documents"),
        ("verdict", "verdicts"),
        ("cluster", "clusters"),
        ("signals", "signals"),
        ("rights", "rights"),
        ("scores", "scores"),
        ("repeats", "repeats"),
    ):
        held = rows(connection, f"SELECT * FROM {view} WHERE id = ?", [ids[0]["id"]])
        found[part] = held[0] if held else {}
    return found


def _no_document(connection: duckdb.DuckDBPyConnection, prefix: str) -> str:
    skipped = rows(connection, "SELECT id, reason FROM skipped WHERE starts_with(id, ?) ORDER BY id LIMIT 1", [prefix])
    if skipped:
        return f"{prefix}: this record was skipped ({skipped[0]['reason']}): see `florilege why {skipped[0]['id']}`"
    return f'no document\'s id starts with {prefix!r}; `florilege sql "SELECT id, title FROM corpus"` lists them'


def runs(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """A row a snapshot, and one a run that published none of its own, in the order of time.

    Returns:
        Rows of snapshot, published, preset, kept (documents), run, recipe, status, seconds (in words; of a run). A
        snapshot that its run did not end with is `judged from` another, or `earlier`.
    """
    found = rows(
        connection,
        """
        SELECT s.snapshot, coalesce(s.published, r.ended) AS time, s.preset, r.run, r.recipe,
               r.status || ', ' || r.made || ' of ' || r.shards || ' shards' AS status, r.seconds
        FROM runs r LEFT JOIN snapshots s USING (snapshot)
        UNION ALL
        SELECT s.snapshot, s.published, s.preset, s.run, r.recipe, coalesce('judged from ' || s.judged, 'earlier'), NULL
        FROM snapshots s LEFT JOIN runs r USING (run)
        WHERE s.snapshot NOT IN (SELECT snapshot FROM runs WHERE snapshot > 0)
        ORDER BY time, 1
        """,
    )
    numbers = sorted({row["snapshot"] for row in found} - {None})
    each = [f"SELECT {n}, count(*) FILTER (keep) FROM snapshot_{n}.verdicts" for n in numbers]
    kept: dict[int, int] = dict(connection.execute(" UNION ALL ".join(each)).fetchall()) if each else {}
    return [
        {
            "snapshot": row["snapshot"], "published": row["time"], "preset": row["preset"],
            "kept": kept.get(row["snapshot"]), "run": row["run"], "recipe": row["recipe"], "status": row["status"],
            "seconds": spent(orjson.loads(row["seconds"] or "{}")),
        }
        for row in found
    ]  # fmt: skip


def spent(seconds: dict[str, float]) -> str:
    """`shards 6.0 s, clusters 0.2 s`."""
    return ", ".join(f"{stage} {time:.1f} s" for stage, time in seconds.items())
