from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from corpora import BANDS, THRESHOLDS, identity, publish, tiny

from catalog import snapshots, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json
from catalog.schema import SHARD_DATASETS, SIGNALS
from filters import dedup

SETTINGS = dedup.Settings(BANDS, 1)


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

    again = snapshots.cluster(own_corpus, shards, SETTINGS, never, "test")
    assert (own_corpus.root / again["file"]).is_file()
    assert snapshots.cluster(own_corpus, shards[::-1], SETTINGS, never, "test") == again
    for changed in ((shards[:1], SETTINGS), (shards, dedup.Settings(BANDS, 1, scope="source"))):
        with pytest.raises(AssertionError, match="computed again"):
            snapshots.cluster(own_corpus, *changed, never, "test")


def test_clusters_half_written_are_computed_again(own_corpus: Corpus) -> None:
    shards = own_corpus.read_manifests("shards")[:1]

    def dies(*_: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshots.cluster(own_corpus, shards, SETTINGS, dies, "test")
    before = set(own_corpus.dataset("clusters").iterdir())
    made = snapshots.cluster(own_corpus, shards, SETTINGS, dedup.cluster, "test")
    assert made["rows"] == 3
    assert set(own_corpus.dataset("clusters").iterdir()) - before == {own_corpus.root / made["file"]}


def rights(corpus: Corpus, name: str, *forbidden: str) -> dict[str, Any]:
    """A file of rights in which these documents are forbidden."""
    values = ", ".join(f"('{identity(document)}', false, '*', '/', NULL, NULL, NULL)" for document in forbidden)
    columns = "id, robots_allowed, robots_agent, robots_rule, site_tdm_reservation, url_list, url_listed"
    return snapshots.derive(corpus, "rights", name, lambda _: f"(VALUES {values}) r({columns})")


def test_what_is_derived_decides_and_is_in_the_name(own_corpus: Corpus) -> None:
    first = snapshots.newest(own_corpus)
    assert first is not None
    shards = snapshots.members_of(own_corpus, first)
    clusters = next(f for f in first["files"] if f["dataset"] == "clusters")
    rule = [{**THRESHOLDS[1], "signal": "robots_allowed", "value": 1.0, "reason": "robots disallow"}]
    held = rights(own_corpus, "a", "act")
    assert held == rights(own_corpus, "a", "near"), "made once"
    without = snapshots.judge(own_corpus, shards, clusters, rule)
    judged = snapshots.judge(own_corpus, shards, clusters, rule, [held])
    other = snapshots.judge(own_corpus, shards, clusters, rule, [rights(own_corpus, "b", "first", "act")])
    assert len({f["file"] for f in (without, judged, other)}) == 3
    published = snapshots.publish_snapshot(
        own_corpus, "run-1", "test", "own", shards, [clusters, held, judged], rule
    )  # fmt: skip
    assert {f["dataset"] for f in published["files"]} > {"rights", "verdicts"}
    store.rebuild(own_corpus)
    assert verdicts(own_corpus)["act.html"] == (False, "quality", "robots disallow")


def test_versions_have_a_file_of_their_own(own_corpus: Corpus) -> None:
    first = snapshots.newest(own_corpus)
    assert first is not None
    shards = snapshots.members_of(own_corpus, first)
    clusters = next(f for f in first["files"] if f["dataset"] == "clusters")
    plain = snapshots.judge(own_corpus, shards, clusters, THRESHOLDS)
    linked = snapshots.judge(own_corpus, shards, clusters, THRESHOLDS, versions=dedup.act_version("celex"))
    assert plain["file"] in {f["file"] for f in first["files"]}
    assert linked["file"] != plain["file"]
    assert linked["sha256"] == plain["sha256"], "there are no versions among these"


def test_shards_of_an_older_schema_are_judged(own_corpus: Corpus) -> None:
    shards = own_corpus.read_manifests("shards")
    file = own_corpus.root / next(f["file"] for f in shards[0]["files"] if f["dataset"] == "signals")
    pq.write_table(pq.read_table(file).drop_columns(["wds", "secret_count"]), file)
    older = [{**shards[0], "schema": 2}, *shards[1:]]
    first = snapshots.newest(own_corpus)
    assert first is not None
    clusters = next(f for f in first["files"] if f["dataset"] == "clusters")
    rules = [{**THRESHOLDS[1], "signal": "wds"}, *THRESHOLDS]
    assert snapshots.judge(own_corpus, older, clusters, rules)["rows"] == 10
    with duckdb.connect() as connection:
        columns = connection.sql(snapshots.relation(own_corpus, older, "signals")).columns
    assert columns == SIGNALS.names


def test_snapshots_by_number(own_corpus: Corpus) -> None:
    publish(own_corpus, [])
    assert [snapshots.numbered(own_corpus, n)["snapshot"] for n in (None, 1, 2)] == [2, 1, 2]
    with pytest.raises(ConfigError, match=r"no snapshot 7 .* there are: 1, 2"):
        snapshots.numbered(own_corpus, 7)


def test_a_missing_manifest_is_named(own_corpus: Corpus) -> None:
    own_corpus.manifest("shards", "web-1").unlink()
    with pytest.raises(ConfigError, match="web-1"):
        snapshots.members_of(own_corpus, snapshots.numbered(own_corpus))


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
    assert sorted({f["dataset"] for f in snapshot["files"]}) == sorted([*SHARD_DATASETS, "clusters", "verdicts"])
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
