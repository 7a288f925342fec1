from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpora import BANDS, THRESHOLDS, document, identity, publish, tiny, write_shard

from catalog import snapshots, store
from catalog.files import Corpus, read_json
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

    again = snapshots.cluster(own_corpus, shards, BANDS, never)
    assert (own_corpus.root / again["file"]).is_file()
    assert snapshots.cluster(own_corpus, shards[::-1], BANDS, never) == again
    with pytest.raises(AssertionError, match="computed again"):
        snapshots.cluster(own_corpus, shards[:1], BANDS, never)


def test_clusters_half_written_are_computed_again(own_corpus: Corpus) -> None:
    shards = own_corpus.read_manifests("shards")[:1]

    def dies(*_: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.cluster(own_corpus, shards, BANDS, dies)
    before = set(own_corpus.dataset("clusters").iterdir())
    made = snapshots.cluster(own_corpus, shards, BANDS, dedup.cluster)
    assert made["rows"] == 3
    assert set(own_corpus.dataset("clusters").iterdir()) - before == {own_corpus.root / made["file"]}


def test_the_same_corpus_elsewhere_has_the_same_digest(corpus: Corpus, tmp_path: Path) -> None:
    there = snapshots.newest(tiny(tmp_path / "other"))
    here = snapshots.newest(corpus)
    assert there is not None
    assert here is not None
    assert {k: v for k, v in there.items() if k != "published"} == {k: v for k, v in here.items() if k != "published"}


def test_members_are_the_shards_of_these_sources_and_settings(own_corpus: Corpus) -> None:
    write_shard(own_corpus, "web-9", "web", [document("other settings")], work="work-2")
    names = [m["shard"] for m in snapshots.members(own_corpus, "work-1", ["web", "acts"])]
    assert names == ["acts-1", "web-1"]
    assert [m["shard"] for m in snapshots.members(own_corpus, "work-1", ["acts"])] == ["acts-1"]


def test_superseded_files_are_those_of_which_another_version_is_there() -> None:
    shards = [
        {"shard": "s-1", "source": "s", "pieces": [["a", "1", 0, 5, None], ["a", "1", 5, None, None]]},
        {"shard": "s-3", "source": "s", "pieces": [["b", "1", 0, None, None]]},
        {"shard": "s-2", "source": "s", "pieces": [["a", "2", 0, None, None], ["gone", "1", 0, None, None]]},
        {"shard": "t-1", "source": "t", "pieces": [["a", "1", 0, None, None]]},
    ]  # fmt: skip
    assert snapshots.superseded(shards, {"s": {"a": "2", "b": "1"}}) == [["s-1", "a"]]
    assert snapshots.superseded(shards, {"s": {"a": "1", "b": "1"}}) == [["s-2", "a"]]
    assert snapshots.superseded(shards, {}) == []


def test_a_changed_file_supersedes_its_old_version(own_corpus: Corpus) -> None:
    old, new = [["page.html", "1", 0, None, None]], [["page.html", "2", 0, None, None]]
    write_shard(own_corpus, "web-2", "web", [document("old", path="page.html")], pieces=old)
    publish(own_corpus)
    write_shard(own_corpus, "web-3", "web", [document("new", path="page.html")], pieces=new)
    snapshot = publish(own_corpus, present={"web": {"page.html": "2"}})
    assert snapshot["superseded"] == [["web-2", "page.html"]]
    with store.reading(own_corpus) as connection:
        sql = "SELECT id, keep, stage, reason FROM documents JOIN verdicts USING (id) WHERE path = 'page.html'"
        assert sorted(connection.execute(sql).fetchall()) == sorted(
            [(identity("old"), False, "dedup", "superseded"), (identity("new"), True, None, None)]
        )


def test_a_file_that_is_gone_stays_in_the_corpus(own_corpus: Corpus) -> None:
    publish(own_corpus, present={"web": {}})
    assert verdicts(own_corpus)["first.html"] == (True, None, None)


def test_the_manifest_lists_every_file_with_its_digest(own_corpus: Corpus) -> None:
    snapshot = snapshots.newest(own_corpus)
    assert snapshot is not None
    assert snapshot == read_json(own_corpus.manifest("snapshots", "000001"))
    assert sorted({f["dataset"] for f in snapshot["files"]}) == sorted(
        ["documents", "skipped", "signals", "bands", "clusters", "verdicts"]
    )
    assert len(snapshot["files"]) == 2 * 4 + 2
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
