from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard
from corpora import THRESHOLDS, Row, document, identity, publish, write_shard

from catalog import snapshots, store
from catalog.errors import ConfigError
from catalog.exports import hplt
from catalog.exports.hplt import FIELDS, SCORES
from catalog.files import Corpus, read_json, sha256

GOOD = {"chars": 2_000, "words_per_segment": 20.0, "script": "Latn"}
FRENCH = document(
    "french", "Écrivez à paul@example.org.\nThis line is English.", path="crawl/a.warc.gz", offset=120, length=340,
    payload_bytes=5_000, url="https://a.example/1", mime="text/html", fetched=datetime(2023, 5, 1, 12, tzinfo=UTC),
    declared_language="fr", meta=json.dumps({"encoding": "header windows-1252"}), language="fr", language_score=0.87654,
    language_2="en", language_2_score=0.1, language_3="zh", language_3_score=0.01,
    segment_languages=["fr", "en", "und"], pii=[{"start": 10, "end": 26, "kind": "email", "score": 0.9}],
    secrets=[], **GOOD, **{name: n / 20 + 0.45 for n, name in enumerate(SCORES)},
)  # fmt: skip
ROWS = [
    FRENCH,
    document("adult", language="fr", wds=0.95, url="https://bad.example", **GOOD),
    document("words", language="fr", wds=0.7, **{**GOOD, "words_per_segment": 5.0}),
    document("chars", "這個國家的人們來了", language="zh", wds=0.5, chars=900, chars_per_segment=10.0, script="Hani"),
    document("length", "这个国家的人们来了", language="zh", wds=1.0, chars=500, chars_per_segment=30.0, script="Hani"),
    document("serbian", language="sr", wds=0.999, **GOOD),
    document("low", language="fr", wds=0.4999, **GOOD),
    document("none", language="fr", **GOOD),
    document("robots", language="fr", wds=0.9, **GOOD),
    document("norsk", language="no", wds=0.61, **GOOD),
    document("nynorsk", language="nn", wds=0.61, **GOOD),
    document("bokmål", language="nb", wds=0.61, **GOOD),
    document("dropped", words=1, wds=0.9, **GOOD),
]
RIGHTS = f"""(
    SELECT * FROM (VALUES ('{identity("robots")}', false, false), ('{identity("adult")}', true, true))
    AS r(id, robots_allowed, url_listed), (SELECT NULL AS robots_agent, NULL AS robots_rule,
    NULL AS site_tdm_reservation, NULL AS url_list)
)"""


def published(root: Path, rows: list[Row]) -> Corpus:
    """A corpus with rights: `robots` may not be fetched, `adult` is on a list."""
    corpus = Corpus(root.resolve())
    write_shard(corpus, "web-1", "web", rows[: len(rows) // 2])
    write_shard(corpus, "web-2", "web", rows[len(rows) // 2 :])
    snapshot = publish(corpus, rebuild=False)
    derived = [f for f in snapshot["files"] if f["dataset"] in ("clusters", "verdicts")]
    derived.append(snapshots.derive(corpus, "rights", "rights", lambda _: RIGHTS))
    shards = corpus.read_manifests("shards")
    snapshots.publish_snapshot(corpus, "run-1", "test", "default", shards, derived, THRESHOLDS)
    store.rebuild(corpus)
    return corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return published(tmp_path_factory.mktemp("hplt"), ROWS)


def exported(corpus: Corpus, folder: Path, **options: Any) -> dict[str, Any]:
    with store.reading(corpus) as connection:
        return hplt.export(connection, corpus.root, folder, **options)


def lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        return [json.loads(line) for line in io.TextIOWrapper(stream, encoding="utf-8", newline="\n")]


def everything(folder: Path) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for path in folder.rglob("*.jsonl.zst") for line in lines(path)}


def test_every_field_is_what_the_catalog_says(corpus: Corpus, tmp_path: Path) -> None:
    exported(corpus, tmp_path / "out")
    found = everything(tmp_path / "out")
    with store.reading(corpus) as connection:
        result = connection.execute(
            "SELECT d.*, s.* EXCLUDE (id), c.size, r.url_listed FROM documents d JOIN signals s USING (id) "
            "JOIN verdicts USING (id) JOIN clusters c USING (id) LEFT JOIN rights r USING (id) "
            "WHERE keep AND wds >= 0.5 AND robots_allowed IS DISTINCT FROM false"
        )
        names = [column[0] for column in result.description]
        rows = {row["id"]: row for row in (dict(zip(names, row, strict=True)) for row in result.fetchall())}
    assert set(found) == set(rows)
    for id, line in found.items():
        row = rows[id]
        assert tuple(line) == FIELDS
        copies = {"f": "path", "o": "offset", "s": "length", "rs": "payload_bytes", "u": "url", "c": "mime",
                  "crawl_id": "source", "text": "text", "cluster_size": "size", "id": "id"}  # fmt: skip
        assert {field: line[field] for field in copies} == {field: row[name] for field, name in copies.items()}
        assert line["prob"] == [round(row["language_score"], 4)]
        assert line["doc_scores"] == [None if row[name] is None else round(10 * row[name], 4) for name in SCORES]
        assert (line["xml"], line["web-register"], line["pii"]) == (None, None, [])


def test_a_record_with_all_its_fields(tmp_path: Path) -> None:
    corpus = published(tmp_path / "corpus", [{**FRENCH, "wds": 0.7}, *ROWS[1:]])
    exported(corpus, tmp_path / "out")
    [line] = [line for line in lines(tmp_path / "out/fra_Latn/7_1.jsonl.zst") if line["id"] == FRENCH["id"]]
    assert line == {
        "f": "crawl/a.warc.gz", "o": 120, "s": 340, "rs": 5_000, "u": "https://a.example/1", "c": "text/html",
        "ts": "2023-05-01T12:00:00Z", "de": "windows-1252", "crawl_id": "web",
        "lang": ["fra_Latn", "eng_Latn", "cmn_Hans"],
        "prob": [0.8765, 0.1, 0.01], "text": FRENCH["text"], "xml": None, "html_lang": ["fr"], "cluster_size": 1,
        "seg_langs": ["fra_Latn", "eng_Latn", "und_Latn"], "id": FRENCH["id"], "filter": "keep", "pii": [[10, 26]],
        "doc_scores": [7.0, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5], "web-register": None,
    }  # fmt: skip


def test_documents_are_in_the_bin_of_their_score_or_counted(corpus: Corpus, tmp_path: Path) -> None:
    manifest = exported(corpus, tmp_path / "out")
    assert {entry["file"]: entry["rows"] for entry in manifest["files"]} == {
        "cmn_Hans/10_1.jsonl.zst": 1, "cmn_Hant/5_1.jsonl.zst": 1, "fra_Latn/9_1.jsonl.zst": 1,
        "fra_Latn/7_1.jsonl.zst": 1, "nno_Latn/6_1.jsonl.zst": 1, "nob_Latn/6_1.jsonl.zst": 1,
        "nob_Latn/6_2.jsonl.zst": 1, "srp_Latn/9_1.jsonl.zst": 1,
    }  # fmt: skip
    assert manifest["bins"] == {"10": 1, "9": 2, "8": 0, "7": 1, "6": 3, "5": 1}
    assert manifest["left_out"] == {"robots": 1, "no_wds": 1, "wds_below_5": 2}
    with store.reading(corpus) as connection:
        [kept] = connection.execute("SELECT count(*) FROM verdicts WHERE keep").fetchone() or ()
    assert manifest["rows"] + sum(manifest["left_out"].values()) == kept
    for entry in manifest["files"]:
        for line in lines(tmp_path / "out" / entry["file"]):
            assert int(line["doc_scores"][0]) == entry["bin"]
            assert line["lang"][0] == entry["file"].split("/")[0]


def test_the_filter_is_the_first_that_a_document_fails(corpus: Corpus, tmp_path: Path) -> None:
    exported(corpus, tmp_path / "out")
    found = everything(tmp_path / "out")
    expected = {"adult": "adult_ut1", "words": "word_avg_5", "chars": "char_avg_10", "length": "length_500",
                "serbian": "keep"}  # fmt: skip
    assert {name: found[identity(name)]["filter"] for name in expected} == expected
    row = {"url_listed": True, "words_per_segment": 1.0, "chars_per_segment": None, "chars": 5}
    assert hplt.hplt_filter(row) == "adult_ut1"
    assert hplt.hplt_filter({**row, "url_listed": None}) == "word_avg_5"
    assert hplt.hplt_filter({**row, "url_listed": None, "words_per_segment": 0.0}) == "word_avg_5"


def test_files_are_whole_and_sums_are_right(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exported(corpus, tmp_path / "a")
    monkeypatch.setattr(hplt, "_BUFFER", 1)  # every line laid down on its own
    second = exported(corpus, tmp_path / "b")
    assert second == first == read_json(tmp_path / "a" / "manifest.json") | {"columns": FIELDS}
    sums = dict(reversed(line.split("  ")) for line in (tmp_path / "a" / "checksums.md5").read_text().splitlines())
    for entry in first["files"]:
        content = (tmp_path / "b" / entry["file"]).read_bytes()
        assert entry["sha256"] == sha256(tmp_path / "a" / entry["file"])
        assert sums[entry["file"]] == entry["md5"] == hashlib.md5(content).hexdigest()
    there = {str(path.relative_to(tmp_path / "b")) for path in (tmp_path / "b").rglob("*") if path.is_file()}
    assert there == {"manifest.json", "README.md", "checksums.md5", *sums}


def test_a_file_has_its_rows_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hplt, "_BUFFER", 2_000)
    corpus = published(tmp_path / "corpus", [document(f"d{n}", language="fr", wds=0.8, **GOOD) for n in range(25)])
    manifest = exported(corpus, tmp_path / "out", rows_a_shard=10)
    assert [(e["file"], e["rows"]) for e in manifest["files"]] == [
        ("fra_Latn/8_1.jsonl.zst", 10), ("fra_Latn/8_2.jsonl.zst", 10), ("fra_Latn/8_3.jsonl.zst", 5),
    ]  # fmt: skip
    assert set(everything(tmp_path / "out")) == {identity(f"d{n}") for n in range(25)}


def test_masked_text_and_the_spans_that_are_left(tmp_path: Path) -> None:
    text = "A paul@example.org B 10.0.0.1 C"
    spans = [{"start": 2, "end": 18, "kind": "email", "score": 1.0}, {"start": 21, "end": 29, "kind": "ip", "score": 1}]
    rows = [document("pii", text, language="fr", wds=0.8, pii=spans, url="https://a.example/?paul@example.org", **GOOD)]
    corpus = published(tmp_path / "corpus", rows)
    manifest = exported(corpus, tmp_path / "out", mask=lambda _, spans: f"<{spans[0]['kind']}>", kinds=["email"])
    [line] = everything(tmp_path / "out").values()
    assert line["text"] == "A <email> B 10.0.0.1 C"
    assert [line["text"][start:end] for start, end in line["pii"]] == ["10.0.0.1"]
    assert line["u"] == "https://a.example/?<email>"
    assert manifest["masked"] == {"kinds": ["email"], "spans": {"email": 1}, "documents": 1, "cut": 0}


def test_the_card_names_folders_and_what_is_left_out(corpus: Corpus, tmp_path: Path) -> None:
    exported(corpus, tmp_path / "out")
    _, front, body = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    configs = {c["config_name"]: c["data_files"] for c in yaml.safe_load(front)["configs"]}
    assert configs["fra_Latn"] == "fra_Latn/*.jsonl.zst"
    assert set(configs) == {"cmn_Hans", "cmn_Hant", "fra_Latn", "nno_Latn", "nob_Latn", "srp_Latn"}
    assert "| robots | no_wds | wds_below_5 |" in body


def test_only_the_languages_that_were_asked_for(corpus: Corpus, tmp_path: Path) -> None:
    manifest = exported(corpus, tmp_path / "out", languages=["zh"])
    assert {entry["file"].split("/")[0] for entry in manifest["files"]} == {"cmn_Hans", "cmn_Hant"}
    with pytest.raises(ConfigError, match="no kept document in xx"):
        exported(corpus, tmp_path / "other", languages=["xx"])
    assert not (tmp_path / "other").exists()
