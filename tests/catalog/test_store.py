from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from corpora import THRESHOLDS, document, identity, publish, write_shard

from catalog import reports, store
from catalog.errors import ConfigError, RetryableError
from catalog.files import Corpus, write_json
from catalog.schema import DATASETS
from catalog.views import VIEWS

TABLES = ("runs", "sources", "shards", "snapshots", "snapshot_files", "thresholds", "harvests", "segments", "fetches")


def everything(corpus: Corpus) -> dict[str, Any]:
    """All rows of all tables and views, as text."""
    with store.reading(corpus) as connection:
        return {
            name: sorted(map(repr, connection.execute(f"FROM {name}").fetchall()))
            for name in (*TABLES, *DATASETS, *VIEWS)
        }


def kept(corpus: Corpus, snapshot: int | None = None) -> set[str]:
    with store.reading(corpus, snapshot) as connection:
        return {path for (path,) in connection.execute("SELECT path FROM corpus").fetchall()}


def test_a_rebuilt_catalog_answers_the_same(own_corpus: Corpus) -> None:
    before = everything(own_corpus)
    without_rows = {
        "lines", "policies", "rights", "scores", "repeats", "versions", "passages", "parallel", "harvests", "segments",
        "fetches",
    }  # fmt: skip
    assert {name for name, rows in before.items() if not rows} == without_rows
    own_corpus.database.unlink()
    store.rebuild(own_corpus)
    assert everything(own_corpus) == before
    assert not list(own_corpus.work.glob("catalog.*duckdb*"))


def test_a_moved_corpus_says_so_and_is_mended_by_a_rebuild(own_corpus: Corpus, tmp_path: Path) -> None:
    before = kept(own_corpus)
    moved = Corpus(tmp_path / "it's [moved]")
    own_corpus.root.rename(moved.root)
    with pytest.raises(ConfigError, match=r"moved here from .*corpus: run `florilege catalog rebuild .*moved"):
        kept(moved)
    store.rebuild(moved)
    assert kept(moved) == before


def test_no_catalog(own_corpus: Corpus) -> None:
    own_corpus.database.unlink()
    with pytest.raises(ConfigError, match="no catalog; `florilege catalog rebuild"):
        kept(own_corpus)


def flip(data: bytes) -> bytes:
    """Every 512th byte is another one."""
    return bytes(b ^ 0xFF if n % 512 == 100 else b for n, b in enumerate(data))


@pytest.mark.parametrize(
    "damage",
    [lambda b: b"", lambda b: b"no database", lambda b: b[:5_000], lambda b: b[:12_288] + flip(b[12_288:]), flip],
)
def test_a_damaged_catalog_says_so_at_once(own_corpus: Corpus, damage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own_corpus.database.write_bytes(damage(own_corpus.database.read_bytes()))
    monkeypatch.setattr(store.time, "sleep", lambda _: pytest.fail("it waits for a damaged file to get better"))
    with pytest.raises(ConfigError, match="florilege catalog rebuild"):
        kept(own_corpus)
    store.rebuild(own_corpus)
    assert len(kept(own_corpus)) == 3


def test_another_database_is_no_catalog(own_corpus: Corpus) -> None:
    own_corpus.database.unlink()
    duckdb.connect(str(own_corpus.database)).close()
    with pytest.raises(ConfigError, match="florilege catalog rebuild"):
        kept(own_corpus)


def test_another_schema_version_says_so(own_corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "VERSION", 99)
    with pytest.raises(ConfigError, match="this florilege has 99: run `florilege catalog rebuild"):
        kept(own_corpus)


def test_a_catalog_in_use_is_waited_for_and_then_given_up(own_corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def held(*_: object, **__: object) -> None:
        raise duckdb.IOException('IO Error: Could not set lock on file "x": Conflicting lock is held')

    monkeypatch.setattr(store.duckdb, "connect", held)
    monkeypatch.setattr(store.time, "sleep", waits.append)
    monkeypatch.setattr(store, "_PATIENCE_S", 0.05)
    with pytest.raises(RetryableError, match="in use"):
        kept(own_corpus)
    assert waits


def test_a_missing_shard_stops_the_rebuild_and_keeps_the_catalog(own_corpus: Corpus) -> None:
    before = own_corpus.database.read_bytes()
    (own_corpus.root / "documents" / "web-1.parquet").unlink()
    with pytest.raises(ConfigError, match=r"web-1\.parquet.*florilege catalog verify"):
        store.rebuild(own_corpus)
    assert own_corpus.database.read_bytes() == before


def test_past_snapshots_stay_as_they_were(own_corpus: Corpus) -> None:
    first = kept(own_corpus)
    write_shard(own_corpus, "web-2", "web", [document("late")])
    strict = [{**THRESHOLDS[0], "value": 0.95}, *THRESHOLDS[1:]]
    publish(own_corpus, strict)
    publish(own_corpus, THRESHOLDS)
    assert kept(own_corpus, 1) == first
    assert kept(own_corpus, 2) == set()
    assert kept(own_corpus, 3) == kept(own_corpus) == {*first, "late.html"}
    with store.reading(own_corpus, 1) as connection:
        assert connection.execute("SELECT snapshot FROM snapshot").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM documents WHERE id = ?", [identity("late")]).fetchone() == (0,)
        assert reports.unaccounted(connection) == []
        assert connection.execute("SELECT count(*) FROM snapshot_2.corpus").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (3,)


def test_an_unknown_snapshot_names_those_there_are(corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match="no snapshot 7; there are: 1"), store.reading(corpus, 7):
        pass


def test_a_reader_keeps_its_snapshot_while_another_is_published(own_corpus: Corpus) -> None:
    with store.reading(own_corpus) as connection:
        write_shard(own_corpus, "web-2", "web", [document("late")])
        publish(own_corpus)
        assert connection.execute("SELECT snapshot FROM snapshot").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM corpus").fetchone() == (3,)
    assert len(kept(own_corpus)) == 4


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus-secrets"
    folder.mkdir()
    (folder / "secret.csv").write_text("a\n1\n")
    return folder


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{out}/secret.csv')",
        "FROM '{out}/secret.csv'",
        "FROM read_text('{out}/*')",
        "FROM read_text('{root}/../corpus-secrets/secret.csv')",
        "FROM read_blob('/etc/passwd')",
        "FROM glob('{out}/*')",
        "FROM read_parquet('http://127.0.0.1:9/x.parquet')",
        "COPY (SELECT 1) TO '{out}/new.csv'",
        "COPY (SELECT 1) TO '{root}/../corpus-secrets/new.csv'",
        "EXPORT DATABASE '{out}/new'",
        "ATTACH '{out}/new.duckdb' AS other",
        "ATTACH ':memory:' AS other; COPY (SELECT 1) TO '{out}/new.csv'",
        "INSTALL httpfs",
        "LOAD '{out}/x.duckdb_extension'",
        "SET enable_external_access = true",
        "RESET allowed_directories",
        "SET lock_configuration = false",
        "CREATE TABLE t (a INTEGER)",
        "DELETE FROM runs",
        "DROP VIEW documents",
        "CHECKPOINT FORCE; INSERT INTO runs (run) VALUES ('x')",
    ],
)
def test_a_confined_connection_neither_writes_the_catalog_nor_leaves_the_folder(
    corpus: Corpus, outside: Path, tmp_path: Path, sql: str
) -> None:
    root = tmp_path / "corpus"
    root.symlink_to(corpus.root)
    with store.reading(corpus) as connection:
        store.confine(connection, corpus.root)
        with pytest.raises(duckdb.Error):
            connection.execute(sql.format(root=root, out=outside)).fetchall()
        assert connection.execute("SELECT count(*) FROM corpus").fetchone() == (3,)
    assert [path.name for path in outside.iterdir()] == ["secret.csv"]


def test_a_confined_connection_reads_a_folder_with_a_quote(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n7\n")
    connection = duckdb.connect()
    store.confine(connection, folder)
    assert connection.execute("FROM read_csv(?)", [str(folder / "a.csv")]).fetchall() == [(7,)]


def test_joins_spill_below_the_corpus_and_leave_nothing_open(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    with store.computing(corpus, memory_mb=300) as connection:
        settings = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
        limit, folder = connection.execute(settings).fetchone() or ("", "")
    assert limit == "286.1 MiB"
    assert Path(folder) == corpus.work / "spill"


def test_a_failed_run_is_listed_with_its_shards(own_corpus: Corpus) -> None:
    run = own_corpus.read_manifests("runs")[0]
    failed = {**run, "run": "run-2", "status": "incomplete", "failed_shards": {"web-9": 'it\'s "broken"\n'}}
    write_json(own_corpus.manifest("runs", "run-2"), failed)
    store.rebuild(own_corpus)
    with store.reading(own_corpus) as connection:
        sql = "SELECT failed_shards->>'web-9' FROM runs WHERE status = 'incomplete'"
        assert connection.execute(sql).fetchall() == [('it\'s "broken"\n',)]


def test_a_corpus_without_snapshots_has_a_catalog_without_views(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    store.rebuild(corpus)
    with store.reading(corpus) as connection:
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (0,)
        with pytest.raises(duckdb.CatalogException):
            connection.execute("FROM documents")


def test_a_copied_folder_is_a_corpus_of_its_own(own_corpus: Corpus, tmp_path: Path) -> None:
    copy = Corpus(tmp_path / "copy")
    shutil.copytree(own_corpus.root, copy.root)
    store.rebuild(copy)
    shutil.rmtree(own_corpus.root)
    assert len(kept(copy)) == 3
