from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpora import BANDS, THRESHOLDS, publish, tiny

from catalog import snapshots, store
from catalog.files import Corpus, read_json
from catalog.schema import SHARD_DATASETS
from filters import dedup


def stamps(corpus: Corpus, *datasets: str) -> dict[str, tuple[int, int]]:
    """Inode and time of every file of these datasets."""
    found = [path for dataset in datasets for path in sorted(corpus.dataset(dataset).iterdir())]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def verdicts(corpus: Corpus) -> dict[str, tuple[Any, ...]]:
    with store.reading(corpus) as connection:
        sql = "SELECT path, keep, stage, reason FROM documents JOIN verdicts USING (id)"
        return {path: tuple(rest) for path, *rest in connection.execute(sql).fetchall()}


def test_the_same_snapshot_is_published_once(own_corpus: Corpus) -> None:
    first = snapshots.newest(own_corpus)
    assert first == publish(own_corpus) == publish(own_corpus)
    assert [p.name for p in own_corpus.manifests("snapshots").iterdir()] == ["000001.json"]


def test_changed_thresholds_make_a_snapshot_without_touching_a_shard(own_corpus: Corpus) -> None:
    shards = ("documents", "skipped", "signals", "bands", "clusters")
    before = stamps(own_corpus, *shards)
    first = snapshots.newest(own_corpus)
    lax = [THRESHOLDS[0], {**THRESHOLDS[1], "value": 2.0}, THRESHOLDS[2]]
    second = publish(own_corpus, lax)
    assert first is not None
    assert (first["snapshot"], second["snapshot"]) == (1, 2)
    assert stamps(own_corpus, *shards) == before
    assert verdicts(own_corpus)["short.html"] == (True, None, None)
    assert second["thresholds"] == lax
    assert publish(own_corpus)["snapshot"] == 3, "the newest snapshot is the one of the newest build"
    assert len(list(own_corpus.dataset("verdicts").iterdir())) == 2, "verdicts of the same thresholds are the same file"


def test_thresholds_that_change_no_verdict_still_make_a_snapshot(own_corpus: Corpus) -> None:
    assert publish(own_corpus, [*THRESHOLDS[:2], {**THRESHOLDS[2], "value": 0.31}])["snapshot"] == 2


def test_clusters_are_computed_once(own_corpus: Corpus) -> None:
    shards = own_corpus.read_manifests("shards")

    def never(*_: object) -> str:
        raise AssertionError("computed again")

    again = snapshots.cluster(own_corpus, shards, BANDS, never, "test")
    assert (own_corpus.root / again["file"]).is_file()
    assert snapshots.cluster(own_corpus, shards[::-1], BANDS, never, "test") == again
    with pytest.raises(AssertionError, match="computed again"):
        snapshots.cluster(own_corpus, shards[:1], BANDS, never, "test")


def test_clusters_half_written_are_computed_again(own_corpus: Corpus) -> None:
    shards = own_corpus.read_manifests("shards")[:1]

    def dies(*_: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.cluster(own_corpus, shards, BANDS, dies, "test")
    before = set(own_corpus.dataset("clusters").iterdir())
    made = snapshots.cluster(own_corpus, shards, BANDS, dedup.cluster, "test")
    assert made["rows"] == 3
    assert set(own_corpus.dataset("clusters").iterdir()) - before == {own_corpus.root / made["file"]}


def test_the_same_corpus_elsewhere_has_the_same_digest(corpus: Corpus, tmp_path: Path) -> None:
    there = snapshots.newest(tiny(tmp_path / "other"))
    here = snapshots.newest(corpus)
    assert there is not None
    assert here is not None
    assert {k: v for k, v in there.items() if k != "published"} == {k: v for k, v in here.items() if k != "published"}


def test_the_manifest_lists_every_file_with_its_digest(own_corpus: Corpus) -> None:
    snapshot = snapshots.newest(own_corpus)
    assert snapshot is not None
    assert snapshot == read_json(own_corpus.manifest("snapshots", "000001"))
    assert sorted({f["dataset"] for f in snapshot["files"]}) == sorted(
        ["documents", "skipped", "signals", "pages", "bands", "clusters", "verdicts"]
    )
    assert len(snapshot["files"]) == 2 * len(SHARD_DATASETS) + 2
    on_disk = {str(p.relative_to(own_corpus.root)) for p in own_corpus.root.glob("*/*.parquet")}
    assert {f["file"] for f in snapshot["files"]} == on_disk


def test_the_newest_of_more_than_nine(own_corpus: Corpus) -> None:
    for n in range(2, 12):
        publish(own_corpus, [{**THRESHOLDS[1], "value": float(n)}], rebuild=False)
    newest = snapshots.newest(own_corpus)
    assert newest is not None
    assert newest["snapshot"] == 11


def test_no_snapshot_yet(tmp_path: Path) -> None:
    assert snapshots.newest(Corpus(tmp_path)) is None
