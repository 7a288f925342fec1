from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from corpora import FIRST, document, identity, publish, write_shard

from catalog import exports, reports, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, write_json
from catalog.views import STAGES
from filters import verdicts
from flows import terminal, verdict_report
from flows.judging import judge, rows, settings, versions
from flows.lock import locked
from flows.plan import code_version


def kept(corpus: Corpus, snapshot: int | None = None) -> set[str]:
    with store.reading(corpus, snapshot) as connection:
        return {row["path"].removesuffix(".html") for row in reports.rows(connection, "SELECT path FROM corpus")}


def test_a_preset_makes_a_snapshot(own_corpus: Corpus) -> None:
    before = kept(own_corpus)
    manifest = judge(own_corpus.root, "permissive")
    assert (manifest["snapshot"], manifest["preset"]) == (2, "permissive")
    assert [t["reason"] for t in manifest["thresholds"]] == ["chars<1"]
    assert kept(own_corpus) == before | {"short", "foreign", "lossy"}
    assert kept(own_corpus, 1) == before
    with store.reading(own_corpus) as connection:
        assert reports.unaccounted(connection) == []
        assert reports.rows(connection, "SELECT signal, language FROM thresholds WHERE snapshot = 2") == [
            {"signal": "chars", "language": None}
        ]


def test_no_text_is_read(own_corpus: Corpus) -> None:
    expected = kept(own_corpus) | {"short", "foreign", "lossy"}
    for file in own_corpus.dataset("documents").iterdir():
        pq.write_table(pq.read_table(file).drop_columns(["text", "markdown", "line_boxes"]), file)
    judge(own_corpus.root, "permissive")
    assert kept(own_corpus) == expected


def test_changes_are_laid_over_the_snapshot_or_the_preset(own_corpus: Corpus) -> None:
    second = judge(own_corpus.root, changes=["words>=2", "order_recall>=off"])
    assert [t["reason"] for t in second["thresholds"]] == ["language_score<0.5", "words<2"]
    assert (second["preset"], kept(own_corpus)) == ("default", {"first", "act", "lov", "short", "lossy"})
    third = judge(own_corpus.root, changes=["fr:words>=101"])
    assert kept(own_corpus) == {"first", "lov", "short"}
    assert [t["language"] for t in third["thresholds"]] == [None, None, "fr"]
    fourth = judge(own_corpus.root, "permissive", ["words>=50"])
    assert [t["reason"] for t in fourth["thresholds"]] == ["chars<1", "words<50"]
    assert kept(own_corpus) == {"first", "act", "lov", "foreign", "lossy"}


def test_the_documents_of_an_older_snapshot(own_corpus: Corpus) -> None:
    judge(own_corpus.root, "permissive")
    again = judge(own_corpus.root, changes=["words>=off"], snapshot=1)
    assert [t["reason"] for t in again["thresholds"]] == ["language_score<0.5", "order_recall<0.3"]
    assert again["snapshot"] == 3


def test_judging_by_the_same_again_changes_nothing(own_corpus: Corpus) -> None:
    first = judge(own_corpus.root, "gopher")
    again = judge(own_corpus.root, "gopher")
    assert (first["new"], again["new"]) == (True, False)
    assert {**again, "new": True, "notes": []} == {**first, "notes": []}
    assert len(list(own_corpus.manifests("snapshots").iterdir())) == 2


@pytest.mark.parametrize("preset", verdicts.PRESETS)
def test_every_preset_accounts_for_every_document(own_corpus: Corpus, preset: str) -> None:
    manifest = judge(own_corpus.root, preset)
    assert manifest["thresholds"] == rows(verdicts.resolve(preset, {}))
    with store.reading(own_corpus) as connection:
        assert reports.unaccounted(connection) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"preset": "best"}, "choose one of default, gopher, .*hplt-v3"),
        ({"changes": ["words=5"]}, "words>=100"),
        ({"changes": ["wordz>=5"]}, "no such signal; .*words"),
        ({"changes": ["FR:words>=5"]}, "sr-Cyrl"),
        ({"snapshot": 7}, "there are: 1"),
    ],
)
def test_what_is_wrong_is_said_before_anything_happens(own_corpus: Corpus, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        judge(own_corpus.root, **asked)
    assert len(list(own_corpus.manifests("snapshots").iterdir())) == 1


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="florilege build"):
        judge(tmp_path, "gopher")


def test_one_at_a_time(own_corpus: Corpus) -> None:
    with locked(own_corpus), pytest.raises(ConfigError, match=rf"process {os.getpid()} builds or judges here; wait"):
        judge(own_corpus.root, "gopher")
    assert judge(own_corpus.root, "gopher")["snapshot"] == 2


def test_the_recipe_says_whether_versions_are_linked(own_corpus: Corpus) -> None:
    linked = {"dedup": {"versions": "link"}}
    assert versions({}) is None
    assert versions(linked) is not None
    path = own_corpus.manifest("runs", "run-1")
    write_json(path, {**read_json(path), "settings": linked})
    assert settings(own_corpus, {"run": "run-1", "settings": {"dedup": {}}}) == {"dedup": {}}
    assert settings(own_corpus, {"run": "run-1"}) == linked, "written by an older florilege"
    assert settings(own_corpus, {"run": "no-such-run"}) == {}


def test_an_older_snapshot_is_judged_by_its_own_settings(own_corpus: Corpus) -> None:
    """Two versions of an act are one cluster: kept side by side where the settings of the snapshot link them."""
    acts = [
        document("old", FIRST, celex="02020R0001-20200101", quality=0.95),
        document("new", FIRST, celex="02020R0001-20210101", quality=0.96),
    ]
    write_shard(own_corpus, "acts-2", "acts", acts)
    publish(own_corpus, settings={"dedup": {"versions": "link"}})
    publish(own_corpus, settings={"dedup": {"versions": "merge"}})
    first = judge(own_corpus.root, changes=["words>=51"], snapshot=2)
    assert kept(own_corpus) >= {"old", "new"}
    assert (first["judged"], first["settings"]["dedup"]["versions"], first["code"]) == (2, "link", code_version())
    judge(own_corpus.root, changes=["words>=51"], snapshot=3)
    assert not kept(own_corpus) & {"old"}


def told(corpus: Corpus, capsys: pytest.CaptureFixture[str], **asked: Any) -> str:
    verdict_report.judged(corpus.root, judge(corpus.root, **asked), 0.1)
    return " ".join(capsys.readouterr().out.split())


def test_what_a_judgement_did_is_told(own_corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    def say(**asked: Any) -> str:
        return told(own_corpus, capsys, **asked)

    assert "snapshot 2 from snapshot 1: preset permissive; 6 documents, in" in say(preset="permissive")
    assert "snapshot 3 from snapshot 2: preset permissive with words>=4, fr:lcs>=0.6; 4 docum" in say(
        changes=["words>=4", "fr:lcs>=0.6"]
    )
    assert "no change: this is snapshot 3: preset permissive with words>=4, fr:lcs>=0.6; 4 documents" in say()
    lax = say(preset="permissive", changes=["words>=4"])
    assert "gone with preset permissive are limits of snapshot 3: fr:lcs>=0.6" in lax
    assert "with words>=4; 5 documents" in lax
    assert "gone with" not in say(changes=["chars>=off"])
    assert "permissive with words>=4, chars>=off;" in say(preset="permissive", changes=["words>=4", "chars>=off"])


def test_a_language_that_no_document_is_in_is_named(own_corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no document is in sv, sr-Cyrl" not in told(own_corpus, capsys, changes=["fr:words>=4"])
    shown = told(own_corpus, capsys, changes=["fr-Latn:words>=4", "sv:words>=4", "sr-Cyrl:words>=4"])
    assert "no document is in sr-Cyrl, sv; there are: en, fr, no, xx" in shown


def test_rights_that_the_thresholds_do_not_ask_about(own_corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    shy = [
        document("shy", noai=True),
        document("shyer", noai=True, tdm_reservation=True),
        document("key", secret_count=3),
    ]
    write_shard(own_corpus, "web-2", "web", shy)
    publish(own_corpus)
    asks = "this preset does not ask about rights: kept are"
    assert f"{asks} 2 noai, 1 tdm reserved, 1 with secrets" in told(own_corpus, capsys, changes=["words>=49"])
    assert f"{asks} 1 with secrets" in told(own_corpus, capsys, changes=["noai<=0"])
    assert asks not in told(own_corpus, capsys, changes=["noai<=0", "secret_count<=0"])


def test_the_card_says_whose_limits_and_what_they_do_not_ask(own_corpus: Corpus, tmp_path: Path) -> None:
    write_shard(own_corpus, "web-2", "web", [document("shy", noai=True)])
    publish(own_corpus, settings={"minhash": {"bands": 14, "rows": 8}})
    judge(own_corpus.root, changes=["fr:words>=60", "xx:words>=off"])
    with store.reading(own_corpus) as connection:
        exports.export(connection, own_corpus.root, tmp_path / "out", "jsonl")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for row in ("words | >= | 50 | all", "words | >= | 60 | fr", "words | >= | off | xx"):
        assert f"| quality | {row} |" in card
    assert "kept are 1 noai." in card
    assert "14 bands of 8 rows" in card


def test_why_is_told_in_words(own_corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    told = {}
    for name in ("short", "copy", "near", "first", "broken", "cut.warc"):
        verdict_report.why(own_corpus.root, None, identity(name))
        told[name] = " ".join(capsys.readouterr().out.split())
    assert "rejected at quality: words<50" in told["short"]
    assert "words is 3, and at least 50 is asked: 47 short" in told["short"]
    assert f"It repeats {identity('first')} (https://a.example/1). Their texts are equal" in told["copy"]
    assert "1 of 2 MinHash bands are equal" in told["near"]
    assert "higher quality: quality 0.9 against 0.7" in told["near"]
    assert "the one kept of 3 alike" in told["first"]
    assert "rejected at extract: failed broken.html: not HTML" in told["broken"]
    assert "rejected at read: unreadable cut.warc: truncated" in told["cut.warc"]


def test_tune_is_drawn_or_printed(own_corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    verdict_report.tune(own_corpus.root, None, "words", low=0, high=100)
    drawn = capsys.readouterr().out
    [now] = [line for line in drawn.splitlines() if "<- now" in line]
    assert now.split()[:4] == [">=", "50", "3", "30.0%"]
    assert "█" in now
    verdict_report.tune(own_corpus.root, None, "words", low=0, high=100, by="source", format="csv")
    printed = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["group"] for row in printed} == {"web", "acts"}
    verdict_report.tune(own_corpus.root, None, "trusted")
    assert "has a value of trusted" in capsys.readouterr().out


def test_the_funnel_shows_the_stages_that_lost_something(
    own_corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(own_corpus.root, "permissive")
    terminal.funnel(own_corpus.root, None)
    shown = [line for line in capsys.readouterr().out.splitlines() if "█" in line]
    stages = [stage for line in shown for stage in line.split()[:2] if stage in (*STAGES, "read", "extract")]
    assert stages == ["read", "dedup", "read", "extract", "dedup"]
    with store.reading(own_corpus) as connection:
        assert len(reports.funnel(connection)) == 2 * (2 + len(STAGES))
