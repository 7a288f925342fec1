"""Every piece of input is in a snapshot once, in its present version."""

from __future__ import annotations

from typing import Any

from corpora import document, identity, publish, write_shard

from catalog import reports, store
from catalog.files import Corpus
from catalog.members import members


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


def test_what_other_settings_made_of_files_that_are_there_goes(own_corpus: Corpus) -> None:
    publish(own_corpus)
    pieces = [piece for shard in own_corpus.read_manifests("shards") for piece in shard["pieces"]]
    assert members(own_corpus, "work-2", {"web": {path: "1" for path, *_ in pieces}}) == []
