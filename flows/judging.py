"""Judge a corpus anew: other thresholds over the signals that are there, without reading a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog import files, reports, snapshots, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json
from catalog.schema import MEASURED
from filters import dedup, verdicts
from flows.lock import locked

Row = dict[str, Any]
"""A row of the thresholds table."""
_Key = tuple[str, str, str]
"""Language (`` for all), signal and op of a limit."""


def judge(
    folder: Path, preset: str | None = None, changes: Sequence[str] = (), snapshot: int | None = None
) -> dict[str, Any]:
    """Publish a snapshot of the same shards, clusters and measures under other thresholds.

    Args:
        folder: the corpus folder.
        preset: name of a preset; None: the thresholds that the snapshot has.
        changes: limits laid over it, such as `words>=100`, `lcs>=off` or `fr:words>=40`.
        snapshot: number of the snapshot whose documents are judged; None: the newest.

    Returns:
        The new snapshot's manifest; the newest one's, when it is the same. Beside it `new`, whether it is, and `notes`,
        what the user should know of it.

    Raises:
        ConfigError: no such corpus, snapshot, preset or signal, or a build is at work on the corpus.
    """
    from flows.plan import code_version

    corpus = files.existing(folder)
    with locked(corpus):
        base, last = snapshots.numbered(corpus, snapshot), snapshots.numbered(corpus)
        rows = thresholds(base, preset, changes)
        held = {f["dataset"]: f for f in base["files"]}
        measured = [held[name] for name in MEASURED if name != "signals" and name in held]
        shards = snapshots.members_of(corpus, base)
        rules = settings(corpus, base)
        judged = snapshots.judge(corpus, shards, held["clusters"], rows, measured, versions(rules))
        derived = [held["clusters"], *measured, judged]
        manifest = snapshots.publish_snapshot(
            corpus,
            base["run"],
            code_version(),
            preset or base["preset"],
            shards,
            derived,
            rows,
            rules,
            base["snapshot"],
        )
        store.rebuild(corpus)
    notes = [*_replaced(base, preset, rows), *_unspoken(corpus, manifest["snapshot"], changes)]
    return {**manifest, "new": manifest["snapshot"] != last["snapshot"], "notes": notes}


def thresholds(base: dict[str, Any], preset: str | None, changes: Sequence[str]) -> list[Row]:
    """Rows of the thresholds table: those of a preset, or of the snapshot `base`, with `changes` laid over them."""
    try:
        general, languages = verdicts.settings(changes)
        if preset:
            found = verdicts.resolve(preset, general, languages)
        else:
            names = verdicts.Threshold.__slots__
            old = [verdicts.Threshold(**{k: v for k, v in row.items() if k in names}) for row in base["thresholds"]]
            found = verdicts.change(old, general, languages)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return rows(found)


def rows(found: Sequence[verdicts.Threshold]) -> list[Row]:
    """Thresholds as rows of the catalog's table, in the order in which they are tried."""
    return [{"position": position, **asdict(threshold)} for position, threshold in enumerate(found)]


def settings(corpus: Corpus, snapshot: dict[str, Any]) -> dict[str, Any]:
    """The recipe's tables that a snapshot was made by; of an older florilege's snapshot those of its run."""
    if snapshot.get("settings"):
        return dict(snapshot["settings"])
    path = corpus.manifest("runs", snapshot["run"])
    known = read_json(path)["settings"] if path.is_file() else {}
    return {name: known[name] for name in ("minhash", "dedup", "rights", "classifier") if name in known}


def versions(settings: dict[str, Any]) -> tuple[str, str] | None:
    """How the versions of an act are told, if these settings link them."""
    return dedup.act_version("celex") if settings.get("dedup", {}).get("versions") == "link" else None


def beyond(preset: str, limits: Iterable[Row]) -> list[str] | None:
    """The limits that differ from a preset's, as `--set` takes them; None when there is no such preset."""
    found = _beyond(preset, limits)
    return None if found is None else [_written(*limit) for limit in found.items()]


def some(names: Sequence[str], most: int = 12) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _beyond(preset: str, limits: Iterable[Row]) -> dict[_Key, float | None] | None:
    if preset not in verdicts.PRESETS:
        return None
    own, now = _limits(rows(verdicts.preset(preset))), _limits(limits)
    changed = {key: value for key, value in now.items() if key not in own or own[key] != value}
    return changed | dict.fromkeys(key for key in own if key not in now)


def _limits(limits: Iterable[Row]) -> dict[_Key, float | None]:
    return {(row.get("language") or "", row["signal"], row["op"]): row["value"] for row in limits}


def _written(key: _Key, value: float | None) -> str:
    language, signal, op = key
    limit = "off" if value is None else repr(float(value)).removesuffix(".0")
    return f"{language}:{signal}{op}{limit}" if language else f"{signal}{op}{limit}"


def _replaced(base: dict[str, Any], preset: str | None, limits: list[Row]) -> list[str]:
    """A note on the limits of a snapshot, beyond its preset, that another preset put an end to."""
    before = (_beyond(base["preset"], base["thresholds"]) or {}) if preset else {}
    now = _limits(limits)
    lost = [_written(key, value) for key, value in before.items() if now.get(key) != value]
    return [f"gone with preset {preset} are limits of snapshot {base['snapshot']}: {some(lost)}"] if lost else []


def _unspoken(corpus: Corpus, snapshot: int, changes: Sequence[str]) -> list[str]:
    """A note on languages that have a limit of their own in `changes` and that no document is in."""
    asked = set(verdicts.settings(changes)[1])
    if not asked:
        return []
    with store.reading(corpus, snapshot) as connection:
        found = reports.rows(connection, "SELECT DISTINCT language, script FROM signals WHERE language IS NOT NULL")
    there = {name for row in found for name in (row["language"], f"{row['language']}-{row['script']}")}
    lost = sorted(asked - there)
    spoken = sorted({row["language"] for row in found})
    return [f"no document is in {', '.join(lost)}; there are: {some(spoken)}"] if lost else []
