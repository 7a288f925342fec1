"""Dataset cards: what is in an export, where it comes from, how it was chosen, what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from catalog import reports

if TYPE_CHECKING:
    import duckdb

_SIMILARITIES = (0.5, 0.7, 0.8, 0.9, 0.95)
_SIGNS = {
    "noai": ("noai", "noai"),
    "robots_allowed": ("NOT robots_allowed", "robots disallow"),
    "tdm_reservation": ("tdm_reservation", "tdm reserved"),
    "site_tdm_reservation": ("site_tdm_reservation", "tdm reserved by site"),
    "url_listed": ("url_listed", "on a URL list"),
    "secret_count": ("secret_count > 0", "with secrets"),
}
"""Signals that speak against the use of a document: when they do, and in words."""


def card(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> str:
    """The card of an export as Markdown, from its manifest and the catalog."""
    snapshot = manifest["snapshot"]
    languages = sorted({f["language"] for f in manifest["files"]})
    parts = [
        _front(manifest, languages),
        f"# Corpus, snapshot {snapshot['snapshot']}",
        f"{manifest['rows']:,} documents in {len(languages)} languages, exported by florilege {snapshot['code']}"
        f" as {manifest['format']}.\nCorpus digest: `{snapshot['digest']}`.",
        "## Languages", reports.table([r for r in reports.languages(connection) if r["language"] in languages]),
        "## How documents were chosen", reports.table(reports.funnel(connection)),
        f"Thresholds (preset `{snapshot['preset']}`):", reports.table(_thresholds(connection, snapshot["snapshot"])),
    ]  # fmt: skip
    if left_out := manifest.get("left_out"):
        parts += ["Kept documents that this format leaves out:", reports.table([left_out])]
    parts += _near_duplicates(connection)
    parts += ["## Rights", *_rights(connection, languages), "## Personal data", _personal_data(connection, manifest)]
    if found := reports.fidelity(connection):
        parts += ["## Fidelity of the text", reports.table(found)]
    return "\n\n".join(parts) + "\n"


def _front(manifest: dict[str, Any], languages: list[str]) -> str:
    # YAML takes a bare `no` for false.
    listed = "\n".join(f'  - "{language}"' for language in languages)
    folders = {f["file"].split("/")[0]: f["file"].split(".", 1)[1] for f in manifest["files"]}
    configs = "\n".join(
        f'  - config_name: "{name}"\n    data_files: "{name}/*.{suffix}"' for name, suffix in sorted(folders.items())
    )
    return f"---\nlanguage:\n{listed}\nconfigs:\n{configs}\n---"


def _thresholds(connection: duckdb.DuckDBPyConnection, snapshot: int) -> list[dict[str, Any]]:
    found = reports.rows(
        connection,
        "SELECT stage, signal, op, value, coalesce(language, 'all') AS \"for\" FROM thresholds WHERE snapshot = ? "
        "ORDER BY position", [snapshot],
    )  # fmt: skip
    return [{**row, "value": "off" if row["value"] is None else f"{row['value']:g}"} for row in found]


def _near_duplicates(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """MinHash's parameters in the settings of the snapshot, and how likely a pair is found with them."""
    found = connection.execute("SELECT settings FROM snapshot").fetchone()
    settings = orjson.loads(found[0]) if found and found[0] else {}
    minhash = settings.get("minhash") or {}
    if not minhash.get("bands") or not minhash.get("rows"):
        return []
    bands, rows = minhash["bands"], minhash["rows"]
    curve = {f"{s:g}": round(1 - (1 - s**rows) ** bands, 3) for s in _SIMILARITIES}
    facts = {name: value for name, value in {**minhash, **(settings.get("dedup") or {})}.items() if value is not None}
    return [
        "## Near-duplicates",
        reports.table([{name: ", ".join(v) if isinstance(v, list) else v for name, v in facts.items()}]),
        f"Probability that two texts of a Jaccard similarity share one of {bands} bands of {rows} rows:",
        reports.table([curve]),
    ]


def unasked(connection: duckdb.DuckDBPyConnection, languages: list[str] | None = None) -> str:
    """Kept documents of the snapshot in `languages` (None: all) with signs against their use that no threshold asks
    about: `2 noai, 1 robots disallow`; empty when there is none."""
    asked = {
        signal for (signal,) in connection.execute(
            "SELECT signal FROM thresholds JOIN snapshot USING (snapshot) WHERE value IS NOT NULL"
        ).fetchall()
    }  # fmt: skip
    signs = {words: sign for signal, (sign, words) in _SIGNS.items() if signal not in asked}
    if not signs:
        return ""
    counts = ", ".join(f"count(*) FILTER ({sign})" for sign in signs.values())
    [found] = connection.execute(
        f"SELECT {counts} FROM signals s JOIN verdicts USING (id) LEFT JOIN rights r USING (id) "
        "WHERE keep AND ($1 IS NULL OR list_contains($1, language))",
        [languages],
    ).fetchall()
    return ", ".join(f"{count:,} {words}" for words, count in zip(signs, found, strict=True) if count)


def _rights(connection: duckdb.DuckDBPyConnection, languages: list[str]) -> list[str]:
    kept = "FROM signals s JOIN verdicts USING (id) LEFT JOIN rights r USING (id) WHERE keep AND language IN "
    kept += "(SELECT unnest(?))"
    licences = reports.rows(
        connection,
        "SELECT coalesce(licence, 'none stated') AS licence, coalesce(open_licence, false) AS open, "
        f"count(*) AS documents {kept} GROUP BY ALL ORDER BY documents DESC, licence",
        [languages],
    )
    signs = reports.rows(
        connection,
        "SELECT count(*) FILTER (robots_allowed) AS robots_allowed, count(*) FILTER (NOT robots_allowed) AS "
        "robots_disallowed, count(*) FILTER (robots_allowed IS NULL) AS no_robots_txt, count(*) FILTER (noai) AS noai, "
        "count(*) FILTER (tdm_reservation OR site_tdm_reservation) AS tdm_reserved, "
        f"count(*) FILTER (url_listed) AS on_a_url_list {kept}",
        [languages],
    )
    kept_anyway = unasked(connection, languages)
    return [
        "The texts remain under the rights of their authors: `source`, `path` and `url` say where each comes from. "
        "Licences are those that pages name as their own.",
        reports.table(licences),
        "What sites and pages say to robots:",
        reports.table(signs),
        *([f"The thresholds do not ask about these: kept are {kept_anyway}."] if kept_anyway else []),
    ]


def _personal_data(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> str:
    if hidden := manifest["masked"]:
        spans = ", ".join(f"{kind} {n:,}" for kind, n in hidden["spans"].items()) or "none was found"
        found = sum(hidden["spans"].values())
        return (
            f"Masked in this export ({', '.join(hidden['kinds'])}): {found:,} spans in {hidden['documents']:,} "
            f"documents ({spans}). {hidden['cut']:,} texts with too many spans end with the last known one. What rules "
            "do not find is not masked. The catalog that this was exported from holds the texts unmasked."
        )
    [found] = reports.rows(
        connection,
        "SELECT coalesce(sum(pii_count), 0)::BIGINT AS pii, coalesce(sum(secret_count), 0)::BIGINT AS secrets, "
        "count(*) FILTER (pii_count > 0 OR secret_count > 0) AS documents FROM signals JOIN verdicts USING (id) "
        "WHERE keep",
    )
    return (
        f"Nothing is masked in this export. In the corpus, rules find {found['pii']:,} spans of personal data and "
        f"{found['secrets']:,} of secrets, in {found['documents']:,} documents; `florilege export --mask` masks them."
    )
