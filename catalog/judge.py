"""Verdicts: SQL over signals and a thresholds table; exactly one row for every document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import pyarrow.types as kinds

from catalog.errors import ConfigError
from catalog.schema import DATASETS, MEASURED
from catalog.views import quote

Limit = dict[str, Any]
"""A row of the thresholds table: stage, signal, op, value, reason, language."""

KEEP_BEST = "quality DESC, chars DESC, coalesce(date, strftime(fetched AT TIME ZONE 'UTC', '%Y-%m-%d'), '') DESC, id"
"""Which member of a cluster stays: quality, then length, then the newer date, then the smaller id."""
_STALE = """same_url IS NOT NULL
                   AND coalesce(fetched < max(fetched) OVER (PARTITION BY cluster, part, same_url), false)"""
"""Whether a newer capture of the same address is there: where the recipe compares URLs, that one goes first."""
_EXTRACT = ("failed", "empty")
_NEAREST = 5
_LONGEST = 100
_ALIAS = dict(zip(MEASURED, "srxp", strict=True))
_Groups = dict[tuple[str, str], dict[str, Limit]]


def verdicts(
    documents: str, signals: str, clusters: str, thresholds: list[Limit], *,
    extras: Mapping[str, str] | None = None, versions: tuple[str, str] | None = None,
) -> str:  # fmt: skip
    """A relation (SQL) with the columns of VERDICTS.

    Args:
        documents, signals, clusters: relations with the columns of their schemas.
        thresholds: rows with stage, signal, op, value, reason and language, in the order in which they are tried. A
            language's own threshold stands for the general one of its signal and op. A document passes a threshold
            that its signal, or whose value, is null for.
        extras: relations of the other measured datasets of the snapshot, by name; what is missing is null.
        versions: expressions (SQL) of an act and of its version over the column `celex`. Members of a cluster that
            are versions of one act are kept side by side; without, they are duplicates like others.
    """
    groups = _grouped(thresholds)
    act, version = versions or ("NULL", "NULL")
    columns = f"d.date, d.fetched, s.quality, s.chars, c.exact, c.same_url, {act} AS act, {version} AS version"
    return f"""(
        WITH judged AS MATERIALIZED ({_judged(documents, signals, clusters, groups, extras or {}, columns)}),
        member AS ({_members(linked=versions is not None)}),
        ranked AS (
            SELECT *, row_number() OVER best AS place, first_value(id) OVER best AS best_id,
                   first_value(exact) OVER best AS best_exact, first_value(same_url) OVER best AS best_url
            FROM (SELECT *, {_STALE} AS stale FROM member)
            WINDOW best AS (PARTITION BY cluster, part ORDER BY beside, stale, {KEEP_BEST})
        )
        SELECT id, true AS keep, NULL::VARCHAR AS stage, NULL::VARCHAR AS reason, NULL::VARCHAR AS duplicate_of
        FROM judged WHERE loss IS NULL AND alone
        UNION ALL
        SELECT id, place = 1, CASE WHEN place > 1 THEN 'dedup' END,
               CASE WHEN place = 1 THEN NULL WHEN exact = best_exact THEN 'exact-copy'
                    WHEN same_url = best_url THEN 'same-url' ELSE 'near-duplicate' END,
               CASE WHEN place > 1 THEN best_id END
        FROM ranked
        UNION ALL
        SELECT id, false, l.stage, coalesce(o.reason, l.reason), NULL
        FROM judged j JOIN {_losses(groups)} USING (loss)
        LEFT JOIN {_own_losses(groups)} USING (loss, speech)
    )"""


def passing(thresholds: list[Limit], signal: str) -> str:
    """A relation (SQL) of the documents that pass all of `thresholds`: id, cluster, source, language and `value`, that
    of `signal`. It reads the views of a snapshot."""
    extras = {name: name for name in MEASURED if name != "signals"}
    columns = f"d.source, s.language, {_value(signal, extras)} AS value"
    judged = _judged("documents", "signals", "clusters", _grouped(thresholds), extras, columns, measured_in(signal))
    return f"(SELECT * FROM ({judged}) WHERE loss IS NULL)"


def in_force(thresholds: Iterable[Limit], language: str | None, script: str | None) -> list[Limit]:
    """The thresholds that a document in this language and script is asked, in order: its language's own or general."""
    names = (None, language, f"{language}-{script}")
    found: dict[tuple[str, str], Limit] = {}
    for limit in thresholds:
        key, own = (limit["signal"], limit["op"]), limit.get("language")
        if own in names and (key not in found or names.index(own) >= names.index(found[key].get("language"))):
            found[key] = limit
    return [limit for limit in found.values() if limit["value"] is not None]


def measured_in(signal: str) -> str:
    """The dataset that a signal, a number or a boolean, is a column of. ConfigError when there is none; it suggests."""
    numbers = {field.name: name for name in MEASURED for field in DATASETS[name] if kinds.is_primitive(field.type)}
    if signal not in numbers:
        raise ConfigError(unknown_signal(signal, numbers))
    return numbers[signal]


def unknown_signal(name: str, known: Iterable[str]) -> str:
    """What to say of a signal that there is not: the up to five nearest names, and where all of them are."""
    near = get_close_matches(name[:_LONGEST].lower(), list(known), _NEAREST)
    meant = f"did you mean {', '.join(near)}? " if near else ""
    return f"{name[:_LONGEST]}: no such signal; {meant}docs/tables.md lists them"


def _grouped(thresholds: list[Limit]) -> _Groups:
    """Per signal and op, in order, the thresholds by language; `` is the general one."""
    groups: _Groups = {}
    for limit in thresholds:
        groups.setdefault((limit["signal"], limit["op"]), {})[limit.get("language") or ""] = limit
    return groups


def _judged(
    documents: str, signals: str, clusters: str, groups: _Groups, extras: Mapping[str, str], columns: str,
    shown: str = "signals",
) -> str:  # fmt: skip
    """Per document the number of the first threshold that it fails (`loss`), and whose language it is asked for.

    Thresholds of languages are a small table with a row a language and a column a threshold: joined once, compared as
    any other column.
    """
    own = [key for key, limits in groups.items() if set(limits) - {""}]
    speeches = _speeches(groups)
    tried = "\n".join(
        f"WHEN NOT coalesce({_value(signal, extras)} {op} "
        f"{f'l.v{own.index((signal, op))}' if (signal, op) in own else _float(limits[''])}, true) THEN {number}"
        for number, ((signal, op), limits) in enumerate(groups.items(), start=len(_EXTRACT))
    )
    used = {shown, *(measured_in(signal) for signal, _ in groups)}
    joined = "".join(
        f" LEFT JOIN {extras[dataset]} {_ALIAS[dataset]} ON {_ALIAS[dataset]}.id = d.id"
        for dataset in MEASURED
        if dataset in extras and dataset in used
    )
    speech = f"CASE {_speech(speeches)} ELSE '' END" if speeches else "''"
    limits = ""
    if own:
        rows = ", ".join(
            f"({', '.join([quote(name), *(_float(_of(groups[key], name)) for key in own)])})"
            for name in ["", *speeches]
        )
        names = ", ".join(["speech", *(f"v{n}" for n in range(len(own)))])
        limits = f" LEFT JOIN (VALUES {rows}) l({names}) ON l.speech = s.speech"
    return f"""
        SELECT d.id, coalesce(c.cluster, d.id) AS cluster, coalesce(c.size, 1) = 1 AS alone,
               s.speech, {columns},
               CASE WHEN d.error IS NOT NULL THEN 0 WHEN s.id IS NULL THEN 1 {tried} END AS loss
        FROM {documents} d LEFT JOIN (SELECT *, {speech} AS speech FROM {signals}) s ON s.id = d.id
        LEFT JOIN {clusters} c ON c.id = d.id{joined}{limits}
    """


def _members(linked: bool) -> str:
    """Those of clusters of several, with the part of the cluster in which one is kept.

    Versions of one act are a part each. What is none stands `beside` the first of them, and is never the best.
    """
    members = "FROM judged WHERE loss IS NULL AND NOT alone"
    if not linked:
        return f"SELECT *, '' AS part, false AS beside {members}"
    several = "min(coalesce(version, '')) OVER act <> max(coalesce(version, '')) OVER act"
    return f"""
        SELECT * REPLACE (coalesce(part, min(part) OVER (PARTITION BY cluster), '') AS part), part IS NULL AS beside
        FROM (
            SELECT *, CASE WHEN act IS NOT NULL AND {several} THEN act || ' ' || coalesce(version, '') END AS part
            {members} WINDOW act AS (PARTITION BY cluster, act)
        )
    """


def _losses(groups: _Groups) -> str:
    """Relation of loss, stage, reason: what the numbers in `loss` mean."""
    rows = [f"({n}, 'extract', {quote(reason)})" for n, reason in enumerate(_EXTRACT)]
    for number, limits in enumerate(groups.values(), start=len(_EXTRACT)):
        stage, general = next(iter(limits.values()))["stage"], limits.get("")
        rows.append(f"({number}, {quote(stage)}, {quote(general['reason']) if general else 'NULL'})")
    return f"(VALUES {', '.join(rows)}) l(loss, stage, reason)"


def _own_losses(groups: _Groups) -> str:
    """Relation of loss, speech, reason: where a language has a threshold of its own."""
    speeches = _speeches(groups)
    rows = [
        f"({number}, {quote(speech)}, {quote(found['reason'])})"
        for number, limits in enumerate(groups.values(), start=len(_EXTRACT))
        for speech in speeches
        if (found := _of(limits, speech)) and found.get("language")
    ]
    none = ["(NULL::INTEGER, '', '')"]
    return f"(VALUES {', '.join(rows or none)}) o(loss, speech, reason)"


def _speeches(groups: _Groups) -> list[str]:
    return sorted({language for limits in groups.values() for language in limits} - {""})


def _speech(speeches: list[str]) -> str:
    exact = [name for name in speeches if "-" in name]
    broad = [name for name in speeches if "-" not in name]
    whens = ""
    if exact:
        whens += f" WHEN language || '-' || script IN ({', '.join(map(quote, exact))}) THEN language || '-' || script"
    if broad:
        whens += f" WHEN language IN ({', '.join(map(quote, broad))}) THEN language"
    return whens


def _of(limits: dict[str, Limit], speech: str) -> Limit | None:
    """The limit that documents in `speech` are asked: of language and script, of the language, or the general one."""
    names = (speech, speech.partition("-")[0], "")
    return next((limits[name] for name in names if name in limits), None)


def _float(limit: Limit | None) -> str:
    # Signals are stored as 32-bit floats: compared as such, a value that equals its threshold stays equal.
    return "NULL::FLOAT" if limit is None or limit["value"] is None else f"{limit['value']!r}::FLOAT"


def _value(signal: str, extras: Mapping[str, str]) -> str:
    dataset = measured_in(signal)
    missing = dataset != "signals" and dataset not in extras
    return "NULL::FLOAT" if missing else f"{_ALIAS[dataset]}.{signal}::FLOAT"
