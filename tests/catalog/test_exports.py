from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
import zstandard
from corpora import THRESHOLDS, document, identity, publish, write_shard

from catalog import reports, store
from catalog.errors import ConfigError
from catalog.exports import COLUMNS, Kind, export
from catalog.files import Corpus, read_json, sha256, write_json
from filters.masking import mask
from flows import exporting

KINDS: tuple[Kind, ...] = ("parquet", "jsonl")


@pytest.fixture
def connection(corpus: Corpus) -> Iterator[duckdb.DuckDBPyConnection]:
    with store.reading(corpus) as opened:
        yield opened


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two shards, three languages, 61 documents, more than a batch of one language in none."""
    corpus = Corpus(tmp_path_factory.mktemp("wide").resolve())
    rows = [document(f"d{n}", language=("en", "fr", "fr")[n % 3], meta=json.dumps({"n": n})) for n in range(60)]
    write_shard(corpus, "s-1", "s", rows[:25])
    write_shard(corpus, "s-2", "s", [*rows[25:], document("norsk", language="no"), document("dropped", words=1)])
    publish(corpus)
    return corpus


def lines(folder: Path, file: str) -> list[dict[str, Any]]:
    if file.endswith(".parquet"):
        return list(pq.read_table(folder / file).to_pylist())
    with (folder / file).open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, encoding="utf-8", newline="\n")]


def texts(folder: Path, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["id"], row["text"]) for entry in manifest["files"] for row in lines(folder, entry["file"])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 7, 50_000])
def test_an_export_holds_the_corpus(wide: Corpus, tmp_path: Path, kind: Kind, rows: int) -> None:
    folder = tmp_path / "out"
    with store.reading(wide) as connection:
        manifest = export(connection, wide.root, folder, kind, rows_a_shard=rows)
        expected = connection.execute("SELECT id, text FROM corpus").fetchall()
    assert sorted(texts(folder, manifest)) == sorted(expected)
    assert manifest["rows"] == len(expected) == 61
    for entry in manifest["files"]:
        held = lines(folder, entry["file"])
        assert len(held) == entry["rows"] <= rows
        assert {row["language"] for row in held} == {entry["language"]} == {entry["file"].split("/")[0]}
    full = [e["rows"] for e in manifest["files"] if e["language"] == "fr"]
    assert full[:-1] == [rows] * (len(full) - 1), "only the last file of a language is not full"


def test_the_manifest_describes_every_file(wide: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with store.reading(wide) as connection:
        manifest = export(connection, wide.root, folder, "jsonl", rows_a_shard=9)
    stored = read_json(folder / "manifest.json")
    assert stored == json.loads(json.dumps(manifest))
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {"manifest.json", "README.md", *(entry["file"] for entry in manifest["files"])}
    for entry in manifest["files"]:
        assert entry["sha256"] == sha256(folder / entry["file"])
        assert entry["bytes"] == (folder / entry["file"]).stat().st_size
    assert stored["snapshot"]["snapshot"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_snapshot_exports_the_same_bytes(wide: Corpus, tmp_path: Path, kind: Kind) -> None:
    with store.reading(wide) as connection:
        first, second = (export(connection, wide.root, tmp_path / name, kind, rows_a_shard=9) for name in ("a", "b"))
    assert first == second


def test_parquet_has_the_columns_in_their_order(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path
) -> None:
    export(connection, corpus.root, tmp_path / "out", "parquet")
    assert pq.read_schema(tmp_path / "out" / "fr" / "00000.parquet").names == list(COLUMNS)


def test_json_lines_leave_out_what_is_null_and_nest_the_rest(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path
) -> None:
    export(connection, corpus.root, tmp_path / "out", "jsonl")
    [act] = lines(tmp_path / "out", "fr/00000.jsonl.zst")
    assert act["meta"] == {"keywords": {"fr": ["lois"]}}
    assert act["authors"] == ["A. Nonyme"]
    assert "url" not in act
    assert None not in act.values()
    [english] = lines(tmp_path / "out", "en/00000.jsonl.zst")
    assert english["fetched"].startswith("2023-05-01T12:00:00")
    assert english["cluster_size"] == 3
    [norwegian] = lines(tmp_path / "out", "no/00000.jsonl.zst")
    assert norwegian["text"] == 'Språket er norsk, "sitert", og teksten har\nto linjer.'


def test_only_the_languages_that_were_asked_for(wide: Corpus, tmp_path: Path) -> None:
    with store.reading(wide) as connection:
        manifest = export(connection, wide.root, tmp_path / "out", languages=["fr", "no"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["fr", "no"]
    assert {entry["language"]: entry["rows"] for entry in manifest["files"]} == {"fr": 40, "no": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"languages": ["de", "fr", "xx"]}, "no kept document in de, xx; there are: en, fr, no"),
        ({"rows_a_shard": 0}, "at least 1"),
        ({"rows_a_shard": -5}, "at least 1"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export(connection, corpus.root, tmp_path / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_refused(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(ConfigError, match="is not empty"):
            export(connection, corpus.root, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled_even_the_current_one(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    export(connection, corpus.root, Path())
    assert (folder / "manifest.json").is_file()


def test_an_error_on_the_way_leaves_nothing(own_corpus: Corpus, tmp_path: Path) -> None:
    with store.reading(own_corpus) as connection:
        reports.languages(connection)
        (own_corpus.root / "signals" / "web-1.parquet").write_bytes(b"no parquet")
        with pytest.raises(duckdb.Error):
            export(connection, own_corpus.root, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_an_export_of_a_past_snapshot(own_corpus: Corpus, tmp_path: Path) -> None:
    publish(own_corpus, [{**THRESHOLDS[1], "value": 1.0}])
    with store.reading(own_corpus, 1) as connection:
        first = export(connection, own_corpus.root, tmp_path / "first")
    with store.reading(own_corpus) as connection:
        second = export(connection, own_corpus.root, tmp_path / "second")
    assert (first["rows"], first["snapshot"]["snapshot"]) == (3, 1)
    assert (second["rows"], second["snapshot"]["snapshot"]) == (6, 2)


def test_the_card_says_what_is_there(connection: duckdb.DuckDBPyConnection, corpus: Corpus, tmp_path: Path) -> None:
    manifest = export(connection, corpus.root, tmp_path / "out", "jsonl")
    _, front, body = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    head = yaml.safe_load(front)
    assert head["language"] == ["en", "fr", "no"]
    assert {c["config_name"]: c["data_files"] for c in head["configs"]} == {
        name: f"{name}/*.jsonl.zst" for name in ("en", "fr", "no")
    }
    for config in head["configs"]:
        assert list((tmp_path / "out").glob(config["data_files"]))
    assert manifest["snapshot"]["digest"] in body
    assert "| quality | words | >= | 50 | all |" in body
    assert "| web | read | 9 | 7 | 1 | 1 |" in body
    assert "## Fidelity of the text" in body


PII = [{"start": 6, "end": 22, "kind": "email", "score": 1.0}]
LETTER = document(
    "letter", "Write paul@example.org today.", title="To paul@example.org", pii=PII, pii_count=1, licence="cc-by-4.0",
    open_licence=True, wds=0.75, secrets=[],
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_personal_data_is_masked_in_the_export_and_not_in_the_catalog(tmp_path: Path, kind: Kind) -> None:
    corpus = Corpus(tmp_path.resolve() / "corpus")
    write_shard(corpus, "s-1", "s", [LETTER, document("other")])
    publish(corpus)
    with store.reading(corpus) as connection:
        manifest = export(connection, corpus.root, tmp_path / "out", kind, mask=mask, kinds=["pii"])
        plain = export(connection, corpus.root, tmp_path / "plain", kind)
    [row] = [r for r in lines(tmp_path / "out", manifest["files"][0]["file"]) if r["id"] == LETTER["id"]]
    assert (row["text"], row["title"], row["pii_count"]) == ("Write <EMAIL> today.", "To <EMAIL>", 1)
    assert (row["wds"], row["licence"], row["open_licence"]) == (0.75, "cc-by-4.0", True)
    assert "pii" not in row
    assert manifest["masked"] == {"kinds": ["pii"], "spans": {"email": 1}, "documents": 1, "cut": 0}
    assert ("Write paul@example.org today." in dict(texts(tmp_path / "plain", plain)).values(), plain["masked"]) == (
        True, None,
    )  # fmt: skip
    body = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "1 spans in 1 documents (email 1)" in body
    assert "holds the texts unmasked" in body
    assert "| cc-by-4.0 | True | 1 |" in body
    assert "Nothing is masked in this export" in (tmp_path / "plain" / "README.md").read_text(encoding="utf-8")


def test_a_shard_of_an_older_florilege_is_exported_with_nulls(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path.resolve() / "corpus")
    for number, name in enumerate(("old", "new")):
        write_shard(corpus, f"s-{number}", "s", [document(name, wds=0.5)])
    publish(corpus)
    old = corpus.root / "signals" / "s-0.parquet"
    pq.write_table(pq.read_table(old).drop_columns(["wds", "licence", "pii", "pii_count", "secrets"]), old)
    manifest = corpus.manifest("shards", "s-0")
    write_json(manifest, {**read_json(manifest), "schema": 2})
    store.rebuild(corpus)
    with store.reading(corpus) as connection:
        files = export(connection, corpus.root, tmp_path / "out", mask=mask)["files"]
    found = {row["id"]: row["wds"] for row in lines(tmp_path / "out", files[0]["file"])}
    assert found == {identity("old"): None, identity("new"): 0.5}


def test_the_card_gives_the_parameters_of_near_duplicates(own_corpus: Corpus, tmp_path: Path) -> None:
    run = read_json(own_corpus.manifest("runs", "run-1"))
    minhash, dedup = {"bands": 17, "rows": 15, "seed": 1}, {"by": ["text", "near"], "verify": None}
    write_json(own_corpus.manifest("runs", "run-1"), {**run, "settings": {"minhash": minhash, "dedup": dedup}})
    store.rebuild(own_corpus)
    with store.reading(own_corpus) as connection:
        export(connection, own_corpus.root, tmp_path / "out")
    body = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| 17 | 15 | 1 | text, near |" in body
    assert "| 0.001 | 0.078 | 0.456 | 0.98 | 1 |" in body


def test_a_corpus_of_which_nothing_is_kept_is_an_empty_export(own_corpus: Corpus, tmp_path: Path) -> None:
    publish(own_corpus, [{**THRESHOLDS[1], "value": 1e9}])
    with store.reading(own_corpus) as connection:
        manifest = export(connection, own_corpus.root, tmp_path / "out")
    assert (manifest["rows"], manifest["files"]) == (0, [])
    front = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    assert yaml.safe_load(front) == {"language": None, "configs": None}


@pytest.mark.parametrize("profile", ["jsonl", "hplt-v3"])
def test_a_lone_surrogate_of_an_older_writer_becomes_a_mark(tmp_path: Path, profile: str) -> None:
    corpus = Corpus(tmp_path.resolve() / "corpus")
    meta = r'{"encoding": "header utf-8", "titles": {"\ud800": ["a\udfffb", "\ud83d\ude00"]}}'
    write_shard(corpus, "a-1", "a", [document("odd", meta=meta, wds=0.95)])
    publish(corpus)
    exporting.export(corpus.root, None, tmp_path / "out", profile, None, 10, None)  # type: ignore[arg-type]
    [entry] = read_json(tmp_path / "out" / "manifest.json")["files"]
    [row] = lines(tmp_path / "out", entry["file"])
    found = row["de"] if profile == "hplt-v3" else row["meta"]["titles"]
    assert found == ("utf-8" if profile == "hplt-v3" else {"\ufffd": ["a\ufffdb", "\U0001f600"]})
