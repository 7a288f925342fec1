"""Every piece of input is in a snapshot once, in its present version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from corpora import document, identity, publish, write_shard

from catalog import reports, snapshots, store
from catalog.files import Corpus
from catalog.members import members
from flows.judging import judge


def paths(corpus: Corpus, sql: str = "FROM documents") -> list[str]:
    with store.reading(corpus) as connection:
        assert reports.unaccounted(connection) == []
        return [path for (path,) in connection.execute(f"SELECT path {sql} ORDER BY path").fetchall()]


def test_members_are_the_shards_of_these_sources_and_settings(own_corpus: Corpus) -> None:
    write_shard(own_corpus, "web-9", "web", [document("other settings")], work="work-2")
    names = [m["shard"] for m in members(own_corpus, "work-1", {"web": {}, "acts": {}})]
    assert names == ["acts-1", "web-1"]
    assert [m["shard"] for m in members(own_corpus, "work-1", {"acts": {}})] == ["acts-1"]


def test_a_file_that_is_gone_stays_in_the_corpus(own_corpus: Corpus) -> None:
    before = paths(own_corpus)
    publish(own_corpus, present={"web": {}})
    assert paths(own_corpus) == before


def page(name: str, path: str, **columns: Any) -> dict[str, Any]:
    return document(name, path=path, **columns)


def test_a_changed_file_takes_the_place_of_its_old_version_and_of_nothing_else(own_corpus: Corpus) -> None:
    both = [["changes.html", "1", 0, None], ["stays.html", "1", 0, None]]
    write_shard(own_corpus, "web-2", "web", [page("old", "changes.html"), page("same", "stays.html")], pieces=both)
    publish(own_corpus)
    write_shard(own_corpus, "web-3", "web", [page("new", "changes.html")], pieces=[["changes.html", "2", 0, None]])
    publish(own_corpus, present={"web": {"changes.html": "2", "stays.html": "1"}})
    with store.reading(own_corpus) as connection:
        sql = "SELECT id FROM corpus WHERE path IN ('changes.html', 'stays.html')"
        assert {i for (i,) in connection.execute(sql).fetchall()} == {identity("new"), identity("same")}
        assert reports.unaccounted(connection) == []
    with store.reading(own_corpus, snapshot=2) as connection:
        assert connection.execute(f"SELECT 1 FROM corpus WHERE id = '{identity('old')}'").fetchone()


def test_an_archive_that_grew_keeps_each_record_once(own_corpus: Corpus) -> None:
    a, b, d = (page(name, "crawl.warc.gz", offset=offset) for name, offset in (("a", 0), ("b", 9), ("d", 18)))
    write_shard(own_corpus, "web-2", "web", [a, b], pieces=[["crawl.warc.gz", "1", 0, None]])
    write_shard(own_corpus, "web-3", "web", [a, b, d], pieces=[["crawl.warc.gz", "2", 0, None]])
    publish(own_corpus, present={"web": {"crawl.warc.gz": "2"}})
    assert paths(own_corpus).count("crawl.warc.gz") == 3


def test_a_piece_that_two_shards_hold_counts_once(own_corpus: Corpus) -> None:
    """Two builds may have planned it in different company, when one was killed and its jobs ended later."""
    first, second = ["big.warc", "1", 0, 100], ["big.warc", "1", 100, None]
    a, b = page("a", "big.warc", offset=0), page("b", "big.warc", offset=100)
    write_shard(own_corpus, "web-2", "web", [b], pieces=[second])
    write_shard(own_corpus, "web-3", "web", [a, b], pieces=[first, second])
    publish(own_corpus, present={"web": {"big.warc": "1"}})
    assert paths(own_corpus).count("big.warc") == 2
    again = members(own_corpus, "work-1", {"web": {"big.warc": "1"}})
    assert again == members(own_corpus, "work-1", {"web": {"big.warc": "1"}})
    trimmed = [m for m in again if m["pieces"] == [first]]
    assert len(trimmed) == 1
    assert all(path.is_file() for path in (own_corpus.root / f["file"] for f in trimmed[0]["files"]))


def test_what_other_settings_made_of_files_that_are_gone_stays(own_corpus: Corpus) -> None:
    publish(own_corpus)
    gone = {path for path in paths(own_corpus) if path != "act.html"}
    write_shard(own_corpus, "acts-9", "acts", [document("act", "The act, read anew.")], work="work-2")
    present = {"web": {}, "acts": {"act.html": identity("act.html")}}
    found = members(own_corpus, "work-2", present)
    assert next(m["shard"] for m in found) == "acts-9"
    publish(own_corpus, present=present, work="work-2")
    assert set(paths(own_corpus)) == gone | {"act.html"}
    with store.reading(own_corpus) as connection:
        texts = connection.execute("SELECT text FROM documents WHERE path = 'act.html'").fetchall()
    assert texts == [("The act, read anew.",)]
    again = members(own_corpus, "work-2", present)
    assert sorted(m["shard"] for m in again) == sorted(m["shard"] for m in found)


def test_what_other_settings_made_goes_when_all_is_made_anew(own_corpus: Corpus) -> None:
    old = publish(own_corpus)
    assert [m["shard"] for m in members(own_corpus, "work-2", {"acts": {}})] == ["acts-1"]
    again = own_corpus.read_manifests("shards")[0]["pieces"]
    write_shard(own_corpus, "acts-9", "acts", [document("act")], pieces=again, work="work-2")
    present = {"acts": {path: version for path, version, *_ in again}}
    assert [m["shard"] for m in members(own_corpus, "work-2", present)] == ["acts-9"]
    assert [m["shard"] for m in members(own_corpus, "work-2", {"acts": {}})] == ["acts-9"]
    assert snapshots.newest(own_corpus) == old


Version = tuple[str, int, int | None]


def add(corpus: Corpus, shard: str, *pieces: Version, work: str = "w", path: str = "x") -> None:
    """A shard of pieces of one file; a record at the start of each."""
    rows = [page(f"{shard} {start}", path, offset=start) for _, start, _ in pieces]
    write_shard(corpus, shard, "s", rows, pieces=[[path, *piece] for piece in pieces], work=work)


def held(corpus: Corpus, present: dict[str, str], work: str = "w") -> list[tuple[str, Version]]:
    """What of `x` is in the snapshot, as work and piece."""
    found = members(corpus, work, {"s": present})
    return sorted(((m["work"], tuple(p[1:])) for m in found for p in m["pieces"]), key=str)


def state(corpus: Corpus, present: dict[str, str], work: str = "w") -> list[tuple[str, Version]]:
    """The same; it is published too."""
    publish(corpus, present={"s": present}, work=work, rebuild=False)
    return held(corpus, present, work)


def test_a_changed_file_that_goes_stays_in_its_last_version(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    add(corpus, "s-1", ("v2", 0, None))
    add(corpus, "s-2", ("v1", 0, None))
    assert len(held(corpus, {})) == 1, "nothing is published, so any; but one"
    new = [("w", ("v2", 0, None))]
    assert state(corpus, {"x": "v2"}) == new == state(corpus, {})
    assert state(corpus, {"x": "v1"}) == [("w", ("v1", 0, None))] == state(corpus, {})
    assert held(corpus, {"x": "v3"}) == [("w", ("v1", 0, None))], "not made yet"


def test_an_archive_made_in_part_replaces_nothing(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    add(corpus, "s-1", ("v1", 0, None))
    old = state(corpus, {"x": "v1"})
    add(corpus, "s-2", ("v2", 0, 100))
    add(corpus, "s-3", ("v2", 200, None))
    assert held(corpus, {"x": "v2"}) == old == held(corpus, {})
    add(corpus, "s-4", ("v2", 100, 200))
    assert [p for _, p in held(corpus, {"x": "v2"})] == [("v2", 0, 100), ("v2", 100, 200), ("v2", 200, None)]
    assert held(corpus, {}) == old, "it was never published"


def test_an_archive_of_which_only_a_part_could_ever_be_made_is_held_in_part(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    add(corpus, "s-1", ("v1", 0, 100))
    assert state(corpus, {"x": "v1"}) == [("w", ("v1", 0, 100))]
    add(corpus, "s-2", ("v1", 100, 200))
    more = [("w", ("v1", 0, 100)), ("w", ("v1", 100, 200))]
    assert state(corpus, {"x": "v1"}) == more
    add(corpus, "s-3", ("v1", 0, 100), work="new")
    assert held(corpus, {"x": "v1"}, "new") == more
    add(corpus, "s-4", ("v1", 100, 200), work="new")
    assert {work for work, _ in held(corpus, {"x": "v1"}, "new")} == {"new"}


def test_new_code_takes_out_only_what_it_makes_anew(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    write_shard(corpus, "s-1", "s", [page("x", "x"), page("y", "y")], pieces=[["x", "1", 0, None], ["y", "1", 0, None]],
                work="old")  # fmt: skip
    publish(corpus, present={"s": {"x": "1", "y": "1"}}, work="old")
    write_shard(corpus, "s-2", "s", [page("x", "x")], pieces=[["x", "1", 0, None]], work="new")
    publish(corpus, present={"s": {"x": "1", "y": "1"}}, work="new")
    assert paths(corpus) == ["x", "y"]
    assert held(corpus, {"x": "1", "y": "1"}, "new") == [("new", ("1", 0, None)), ("old", ("1", 0, None))]


def test_an_archive_in_new_code_of_which_a_part_was_made_before_it_went(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    add(corpus, "s-1", ("v1", 0, 100), ("v1", 100, None), work="old")
    old = state(corpus, {"x": "v1"}, "old")
    add(corpus, "s-2", ("v1", 0, 100), work="new")
    assert state(corpus, {}, "new") == old == state(corpus, {"x": "v1"}, "new")


def test_an_archive_that_was_cut_at_other_places_counts_once(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    add(corpus, "s-1", ("v1", 0, None))
    add(corpus, "s-2", ("v1", 0, 50), ("v1", 50, 80))
    add(corpus, "s-3", ("v1", 80, None))
    assert len({start for _, (_, start, _) in held(corpus, {"x": "v1"})}) == len(held(corpus, {"x": "v1"}))
    assert held(corpus, {"x": "v1"})[-1][1][2] is None


def test_a_snapshot_judged_anew_decides_no_members(own_corpus: Corpus) -> None:
    before = {shard["shard"] for shard in members(own_corpus, "work-1", {"web": {}, "acts": {}})}
    one = [["changes.html", "1", 0, None]]
    write_shard(own_corpus, "web-2", "web", [page("old", "changes.html")], pieces=one)
    publish(own_corpus)
    write_shard(own_corpus, "web-3", "web", [page("new", "changes.html")], pieces=[["changes.html", "2", 0, None]])
    publish(own_corpus, present={"web": {"changes.html": "2"}})
    judge(own_corpus.root, "permissive", snapshot=2)
    assert snapshots.newest(own_corpus)["judged"] == 2  # type: ignore[index]
    found = {shard["shard"] for shard in members(own_corpus, "work-1", {"web": {}, "acts": {}})}
    assert found == before | {"web-3"}


def test_bands_of_an_older_layout_are_left_out_of_a_copy(own_corpus: Corpus) -> None:
    both = [["a.html", "1", 0, None], ["b.html", "1", 0, None]]
    made = write_shard(own_corpus, "web-2", "web", [page("a", "a.html"), page("b", "b.html")], pieces=both)
    bands = own_corpus.root / next(f["file"] for f in made["files"] if f["dataset"] == "bands")
    pq.write_table(pa.table({"id": [identity("a")], "band": [0], "key": [1]}), bands)
    write_shard(own_corpus, "web-3", "web", [page("new", "a.html")], pieces=[["a.html", "2", 0, None]])
    found = members(own_corpus, "work-1", {"web": {"a.html": "2", "b.html": "1"}})
    [copy] = [m for m in found if m["pieces"] in ([("b.html", "1", 0, None)], [both[1]])]
    rows = {f["dataset"]: f["rows"] for f in copy["files"]}
    assert (rows["documents"], rows["signals"], rows["bands"]) == (1, 1, 0)
