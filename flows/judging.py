"""Judge a corpus anew: other thresholds over the signals that are there, without reading a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog import files, snapshots, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json
from catalog.schema import MEASURED
from filters import dedup, verdicts
from flows.lock import locked


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
        The new snapshot's manifest; the newest one's, when it is the same.

    Raises:
        ConfigError: no such corpus, snapshot, preset or signal, or a build is at work on the corpus.
    """
    corpus = files.existing(folder)
    with locked(corpus):
        base = snapshots.numbered(corpus, snapshot)
        rows = thresholds(base, preset, changes)
        held = {f["dataset"]: f for f in base["files"]}
        measured = [held[name] for name in MEASURED if name != "signals" and name in held]
        shards = snapshots.members_of(corpus, base)
        judged = snapshots.judge(corpus, shards, held["clusters"], rows, measured, versions(corpus, base["run"]))
        derived = [held["clusters"], *measured, judged]
        name = preset or base["preset"]
        manifest = snapshots.publish_snapshot(corpus, base["run"], base["code"], name, shards, derived, rows)
        store.rebuild(corpus)
    return manifest


def thresholds(base: dict[str, Any], preset: str | None, changes: Sequence[str]) -> list[dict[str, Any]]:
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


def rows(found: Sequence[verdicts.Threshold]) -> list[dict[str, Any]]:
    """Thresholds as rows of the catalog's table, in the order in which they are tried."""
    return [{"position": position, **asdict(threshold)} for position, threshold in enumerate(found)]


def versions(corpus: Corpus, run: str) -> tuple[str, str] | None:
    """How the versions of an act are told, if the recipe of `run` links them."""
    path = corpus.manifest("runs", run)
    settings = read_json(path)["settings"] if path.is_file() else {}
    return dedup.act_version("celex") if settings.get("dedup", {}).get("versions") == "link" else None
