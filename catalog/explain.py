"""Why a record is in the corpus or not, with the numbers."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from catalog.errors import ConfigError
from catalog.judge import Limit, in_force
from catalog.reports import rows
from catalog.schema import MEASURED

if TYPE_CHECKING:
    import duckdb

_QUOTES = "'\"`\u2018\u2019\u201c\u201d\u00ab\u00bb \t"
_FIND = """
    WITH record AS (
        SELECT id, source, path, url, kind, fetched, 'documents' AS "table", NULL AS reason FROM documents
        UNION ALL SELECT id, source, path, url, kind, NULL, 'skipped', reason FROM skipped
    ),
    named AS (
        SELECT *, CASE WHEN lower($1) = id OR path = $1 OR url = $1 THEN 0 WHEN starts_with(id, lower($1)) THEN 1
                       WHEN contains(path, $1) OR contains(url, $1) THEN 2 END AS distance
        FROM record WHERE distance IS NOT NULL QUALIFY rank() OVER (ORDER BY distance, "table") = 1
    )
    SELECT id, source, path, url, kind, strftime(fetched AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') AS fetched, "table",
           CASE WHEN "table" = 'skipped' THEN 'read' ELSE v.stage END AS stage, coalesce(v.reason, n.reason) AS reason
    FROM named n LEFT JOIN verdicts v USING (id) ORDER BY path, url, n.fetched, id LIMIT 6
"""
_BEST = (("quality", "higher"), ("chars", "higher"), ("date", "newer"), ("id", "smaller"))


def find(connection: duckdb.DuckDBPyConnection, wanted: str) -> dict[str, Any]:
    """The record that `wanted` names: its id, path or URL; else the first digits of its id; else a part of path or URL.

    Of what is named equally well, documents come before records that were skipped. Quotes around `wanted` are ignored.

    Returns:
        Its id, source, path, url, kind, fetched, stage and reason, and `table`: documents or skipped.

    Raises:
        ConfigError: no such record, or several; the message lists some.
    """
    wanted = wanted.strip().strip(_QUOTES)
    found = rows(connection, _FIND, [wanted]) if wanted else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"no record's id starts with {wanted!r}, and no path or URL has it; "
            '`florilege sql "SELECT id, path, stage, reason FROM rejects"` lists what was rejected'
        )
    listed = "\n".join(f"  {_line(row)}" for row in found[:5])
    more = "\n  ..." if len(found) > 5 else ""
    raise ConfigError(f"{wanted!r} names several records; give more of one's id:\n{listed}{more}")


def _line(row: dict[str, Any]) -> str:
    """A record in one line, so that captures of one URL can be told apart."""
    fate = "kept" if row["stage"] is None else f"{row['stage']}: {row['reason']}"
    return "  ".join(str(part) for part in (row["id"], row["kind"], row["fetched"] or "no date", fate, _place(row)))


def _place(row: dict[str, Any]) -> str:
    return str(row["url"] or row["path"]).replace("\n", " ")


def why(connection: duckdb.DuckDBPyConnection, wanted: str) -> dict[str, Any]:
    """Explain what became of one record.

    Returns:
        `record` (id, source, path, url), `keep`, `stage` and `reason`; `limit`, the threshold that decided, and
        `also`, those that would have dropped the document after it; `limits`, all that it is asked, the tightest first;
        each with stage, signal, op, limit, language, value, margin (what the value has to spare, below 0 if it fails)
        and `facts` that say what the number counts; `duplicate`, if it repeats another; `size` of its cluster, and how
        many of it are `kept`; `error`, if it could not be read.
    """
    record = find(connection, wanted)
    told: dict[str, Any] = {
        "record": record, "limit": None, "also": [], "limits": [], "duplicate": None, "size": None, "kept": None,
        "error": None,
    }  # fmt: skip
    if record["table"] == "skipped":
        [row] = rows(connection, "SELECT reason, error FROM skipped WHERE id = ?", [record["id"]])
        return told | {"keep": False, "stage": "read", **row}
    [verdict] = rows(
        connection,
        """
        SELECT keep, stage, reason, duplicate_of, error, size,
               (SELECT count(*) FROM clusters o JOIN verdicts v USING (id) WHERE v.keep AND o.cluster = c.cluster) kept
        FROM verdicts JOIN documents USING (id) LEFT JOIN clusters c USING (id) WHERE id = ?
        """,
        [record["id"]],
    )
    told |= verdict
    limits = _limits(connection, record["id"])
    failed = [limit for limit in limits if limit["margin"] < 0]
    told["limits"] = sorted(limits, key=_closest)
    if verdict["stage"] not in (None, "extract", "dedup"):
        told["limit"] = next((limit for limit in failed if limit["reason"] == verdict["reason"]), None)
    told["also"] = [limit for limit in failed if limit is not told["limit"]]
    if verdict["duplicate_of"]:
        told["duplicate"] = _duplicate(connection, record["id"], verdict["duplicate_of"])
    return told


def thresholds(connection: duckdb.DuckDBPyConnection) -> list[Limit]:
    """The thresholds of the snapshot, in order."""
    return rows(connection, "FROM thresholds WHERE snapshot = (SELECT snapshot FROM snapshot) ORDER BY position")


def _limits(connection: duckdb.DuckDBPyConnection, id: str) -> list[dict[str, Any]]:
    """The thresholds that a document is asked and whose signal is known, in the order they are tried."""
    joined = " ".join(f"LEFT JOIN {dataset} USING (id)" for dataset in MEASURED if dataset != "signals")
    held = rows(connection, f"SELECT * FROM signals {joined} WHERE id = ?", [id])
    if not held:
        return []
    known, found = held[0], []
    for limit in in_force(thresholds(connection), known["language"], known["script"]):
        value = known.get(limit["signal"])
        if value is not None:
            found.append({
                **{key: limit[key] for key in ("stage", "signal", "op", "reason", "language")},
                "limit": limit["value"], "value": value, "margin": _margin(float(value), limit),
                "facts": _facts(limit["signal"], known),
            })  # fmt: skip
    return found


def _margin(value: float, limit: Limit) -> float:
    """What a value has to spare; both are compared as they were, as 32-bit floats."""
    given, asked = _single(value), _single(limit["value"])
    if not math.isfinite(given):
        given = -math.inf if given == -math.inf else math.inf  # to SQL, NaN is above all
    return given - asked if limit["op"] == ">=" else asked - given


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _tightness(limit: dict[str, Any]) -> float:
    """The margin as a share of the limit, so that limits on words and on ratios can be ordered together.

    What is yes or no, or none at all, has no nearly: those that pass come last.
    """
    none_at_all = isinstance(limit["value"], bool) or not limit["limit"]
    return math.inf if none_at_all and limit["margin"] >= 0 else float(limit["margin"]) / (abs(limit["limit"]) or 1.0)


def _closest(limit: dict[str, Any]) -> tuple[float, bool, str]:
    return _tightness(limit), isinstance(limit["value"], bool), limit["signal"]


def _facts(signal: str, known: dict[str, Any]) -> str | None:
    """What stands behind a number, in words."""
    spans = {"secret_count": "secrets", "pii_count": "pii"}.get(signal)
    if spans:
        kinds = [span["kind"] for span in known.get(spans) or ()]
        return ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds))) or None
    if signal == "robots_allowed" and known.get("robots_agent"):
        return f"{known['robots_agent']}: {known['robots_rule']}"
    if signal == "url_listed" and known.get("url_list"):
        return str(known["url_list"])
    if signal == "open_licence" and known.get("licence"):
        return str(known["licence"])
    return f"{known['language']} in {known['script']}" if signal == "language_score" else None


def _duplicate(connection: duckdb.DuckDBPyConnection, id: str, best: str) -> dict[str, Any]:
    """The two documents side by side: what they share, and why the other one was kept."""
    found = rows(
        connection,
        """
        SELECT id, d.source, d.path, d.url, s.quality, s.chars, c.cluster, c.size, c.diameter, c.exact, c.same_url,
               coalesce(d.date, strftime(d.fetched AT TIME ZONE 'UTC', '%Y-%m-%d')) AS date, b.keys
        FROM documents d JOIN signals s USING (id) JOIN clusters c USING (id) LEFT JOIN bands b USING (id)
        WHERE id IN (?, ?)
        """,
        [id, best],
    )
    by_id = {row["id"]: row for row in found}
    mine, kept = by_id[id], by_id[best]
    mine_keys, kept_keys = (row.pop("keys") or [] for row in (mine, kept))
    shared = sum(a == b for a, b in zip(mine_keys, kept_keys, strict=False))
    bands = len(mine_keys) if len(mine_keys) == len(kept_keys) else 0
    decided = next((name for name, _ in _BEST if (mine[name] or "") != (kept[name] or "")), "id")
    return {
        "kept": kept, "this": mine, "size": mine["size"], "diameter": mine["diameter"],
        "equal_text": mine["exact"] == kept["exact"],
        "same_url": mine["same_url"] is not None and mine["same_url"] == kept["same_url"],
        "bands": bands, "shared_bands": shared if bands else None,
        "similarity": _estimate(connection, shared, bands),
        "decided_by": f"{dict(_BEST)[decided]} {decided}",
    }  # fmt: skip


def _estimate(connection: duckdb.DuckDBPyConnection, shared: int, bands: int) -> float | None:
    """Jaccard similarity from the share of equal bands, (shared / bands)^(1 / rows): rough, and a lower guess of few.

    A band of r rows is equal with probability s^r (Broder 1997); r is the recipe's.
    """
    settings = rows(
        connection,
        "SELECT settings->>'$.minhash.rows' AS band_rows FROM snapshot",
    )
    width = settings[0]["band_rows"] if settings else None
    if not bands or not shared or not width:
        return None
    return float((shared / bands) ** (1 / int(width)))
