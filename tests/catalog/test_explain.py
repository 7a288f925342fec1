from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from corpora import THRESHOLDS, document, identity, key, publish, skipped, write_shard

from catalog import explain, reports, snapshots, store
from catalog.errors import ConfigError
from catalog.files import Corpus, read_json, write_json
from flows import verdict_report

TEXT = "The text that two documents share, word for word."
BANDS = [key("near 0"), key("near 1")]
DOCUMENTS = [
    document("best", TEXT, quality=0.9, url="https://a.example/best", bands=[key("best"), key("near 1")]),
    document("copy", TEXT, quality=0.2, url="https://a.example/copy", bands=[key("best"), key("near 1")]),
    document("near", quality=0.9, chars=10, bands=BANDS),
    document("short", words=3, language="fr", order_recall=0.1),
    document("passes", words=45, language="fr"),
    document("foreign", language_score=0.2, words=3),
    document("forbidden", words=3),
    document("leaky", secrets=[{"start": 0, "end": 4, "kind": "aws", "score": 1.0}] * 2, secret_count=2),
    document("broken") | {"text": None, "error": "broken.html: not HTML"},
    document("empty", ""),
]
LIMITS: list[dict[str, Any]] = [
    {"stage": "rights", "signal": "robots_allowed", "op": ">=", "value": 1.0, "reason": "robots disallow"},
    *THRESHOLDS,
    {**THRESHOLDS[1], "value": 40.0, "reason": "words<40", "language": "fr"},
    {"stage": "safety", "signal": "secret_count", "op": "<=", "value": 0.0, "reason": "secret_count>0"},
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    corpus = Corpus(tmp_path_factory.mktemp("explain").resolve())
    write_shard(corpus, "web-1", "web", DOCUMENTS, [skipped("cut.warc", "unreadable", "cut.warc: truncated")])
    first = publish(corpus, rebuild=False)
    shards = snapshots.members_of(corpus, first)
    clusters = next(f for f in first["files"] if f["dataset"] == "clusters")
    columns = "id, robots_allowed, robots_agent, robots_rule, site_tdm_reservation, url_list, url_listed"
    row = f"('{identity('forbidden')}', false, 'ccbot', 'Disallow: /', NULL, NULL, false)"
    rights = snapshots.derive(corpus, "rights", "test", lambda _: f"(VALUES {row}) r({columns})")
    limits = [{"language": None, **limit, "position": n} for n, limit in enumerate(LIMITS)]
    judged = snapshots.judge(corpus, shards, clusters, limits, [rights])
    snapshots.publish_snapshot(corpus, "run-1", "test", "own", shards, [clusters, rights, judged], limits)
    run = corpus.manifest("runs", "run-1")
    write_json(run, {**read_json(run), "settings": {"minhash": {"rows": 8}}})
    store.rebuild(corpus)
    with store.reading(corpus) as opened:
        yield opened


def numbers(limit: dict[str, Any]) -> tuple[Any, ...]:
    return limit["stage"], limit["signal"], limit["op"], limit["value"], limit["limit"], limit["language"]


def test_every_reject_has_one_reason_with_its_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    rejects = reports.rows(connection, "SELECT id, stage, reason FROM rejects")
    assert len(rejects) == len({row["id"] for row in rejects}) == 9
    for row in rejects:
        told = explain.why(connection, row["id"])
        assert (told["keep"], told["stage"], told["reason"]) == (False, row["stage"], row["reason"])
        by_threshold = row["stage"] in ("rights", "language", "quality", "fidelity", "safety")
        assert (told["limit"] is not None) == by_threshold
        if by_threshold:
            assert told["limit"]["reason"] == row["reason"]
            assert told["limit"]["margin"] < 0
        assert (told["duplicate"] is not None) == (row["stage"] == "dedup")


def test_a_threshold_with_its_numbers_and_the_others(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain.why(connection, identity("short")[:12])
    assert numbers(told["limit"]) == ("quality", "words", ">=", 3, 40.0, "fr")
    assert told["limit"]["margin"] == -37
    assert [limit["signal"] for limit in told["also"]] == ["order_recall"]


def test_the_facts_behind_a_number(connection: duckdb.DuckDBPyConnection) -> None:
    forbidden = explain.why(connection, identity("forbidden"))
    assert forbidden["limit"]["facts"] == "ccbot: Disallow: /"
    assert [limit["reason"] for limit in forbidden["also"]] == ["words<50"]
    assert explain.why(connection, identity("leaky"))["limit"]["facts"] == "aws 2"
    assert explain.why(connection, identity("foreign"))["limit"]["facts"] == "en in Latn"


def test_a_kept_document_and_what_it_has_to_spare(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain.why(connection, identity("passes"))
    assert (told["keep"], told["reason"], told["limit"], told["also"]) == (True, None, None, [])
    assert [limit["signal"] for limit in told["limits"]] == ["words", "language_score"]
    assert told["limits"][0]["margin"] == 5
    assert told["limits"][1]["margin"] == pytest.approx(0.4)


def test_an_exact_copy(connection: duckdb.DuckDBPyConnection) -> None:
    found = explain.why(connection, identity("copy"))["duplicate"]
    assert found["kept"]["id"] == identity("best")
    assert (found["equal_text"], found["size"], found["decided_by"]) == (True, 3, "higher quality")
    assert (found["kept"]["quality"], found["this"]["quality"]) == pytest.approx((0.9, 0.2))


def test_a_near_duplicate_and_its_similarity(connection: duckdb.DuckDBPyConnection) -> None:
    found = explain.why(connection, identity("near"))["duplicate"]
    assert (found["equal_text"], found["shared_bands"], found["bands"]) == (False, 1, 2)
    assert found["similarity"] == pytest.approx(0.5 ** (1 / 8))
    assert found["decided_by"] == "higher chars"


def test_records_without_text(connection: duckdb.DuckDBPyConnection) -> None:
    broken = explain.why(connection, identity("broken"))
    assert (broken["stage"], broken["reason"], broken["error"]) == ("extract", "failed", "broken.html: not HTML")
    assert explain.why(connection, identity("empty"))["reason"] == "empty"
    cut = explain.why(connection, identity("cut.warc"))
    assert (cut["keep"], cut["stage"], cut["reason"], cut["error"]) == (
        False, "read", "unreadable", "cut.warc: truncated"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("https://a.example/best", "best"), ("example/copy", "copy"), ("cut.w", "cut.warc"), ("short.html", "short"),
     (identity("near").upper()[:20], "near")],
)  # fmt: skip
def test_records_by_id_path_or_url(connection: duckdb.DuckDBPyConnection, wanted: str, name: str) -> None:
    assert explain.find(connection, wanted)["id"] == identity(name)


@pytest.mark.parametrize("wanted", ["", "nothing", "' OR true --", "%"])
def test_no_record(connection: duckdb.DuckDBPyConnection, wanted: str) -> None:
    with pytest.raises(ConfigError, match="florilege sql"):
        explain.find(connection, wanted)


def test_documents_come_before_skipped_records_and_the_whole_before_a_part(tmp_path: Path) -> None:
    url = "https://a.example/"
    corpus = Corpus(tmp_path.resolve())
    there = [document("page", url=url), document("deeper", url=f"{url}deeper"), document("once", url=f"{url}twice/1")]
    again = document("again", url=f"{url}twice/1", words=3, fetched=datetime(2024, 5, 6, tzinfo=UTC))
    asked = [skipped(name) | {"url": u, "kind": "request"} for name, u in (("get", url), ("got", f"{url}gone"))]
    write_shard(corpus, "a-1", "a", [*there, again], asked)
    publish(corpus)
    with store.reading(corpus) as connection:
        for wanted, name in ((url, "page"), (f' "{url}" ', "page"), ("'deeper'", "deeper"), (f"{url}gone", "got")):
            assert explain.find(connection, wanted)["id"] == identity(name)
        with pytest.raises(ConfigError, match="several records") as raised:
            explain.find(connection, f"{url}twice/1")
    lines = {line.split()[0]: line for line in str(raised.value).splitlines()[1:]}
    assert set(lines) == {identity("once"), identity("again")}
    assert lines[identity("again")].endswith(f"2024-05-06 00:00:00  quality: words<50  {url}twice/1")
    assert f"  kept  {url}twice/1" in lines[identity("once")]


def test_yes_and_no_are_told_in_words(connection: duckdb.DuckDBPyConnection) -> None:
    limit = explain.why(connection, identity("forbidden"))["limit"]
    told = verdict_report.sentence(limit)
    assert told.startswith("robots_allowed is false (ccbot: Disallow: /) and must be true: whether")
    [short] = explain.why(connection, identity("forbidden"))["also"]
    assert verdict_report.sentence(short) == "words is 3, and at least 50 is asked: 47 short"


def test_several_records_are_listed(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ConfigError, match="names several records") as raised:
        explain.find(connection, ".html")
    assert str(raised.value).count("\n") == 6


def test_a_limit_is_compared_as_it_was(tmp_path: Path) -> None:
    """0.3 as a 32-bit float is above 0.3: a document that passed must not be told that it fails."""
    corpus = Corpus(tmp_path.resolve())
    write_shard(corpus, "a-1", "a", [document("equal", order_recall=0.3), document("vast", words=10**15)])
    publish(corpus)
    with store.reading(corpus) as connection:
        told = explain.why(connection, identity("equal"))
        assert (told["keep"], [limit["margin"] for limit in told["limits"] if limit["signal"] == "order_recall"]) == (
            True, [0.0]
        )  # fmt: skip
        assert explain.why(connection, identity("vast"))["keep"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_explained_as_it_was_judged(tmp_path: Path, value: float) -> None:
    corpus = Corpus(tmp_path.resolve())
    write_shard(corpus, "a-1", "a", [document("odd", order_recall=value, newline_ratio=value)])
    publish(corpus, [THRESHOLDS[2], {**THRESHOLDS[2], "signal": "newline_ratio", "op": "<=", "reason": "newlines"}])
    verdict_report.why(corpus.root, None, identity("odd"))
    with store.reading(corpus) as connection:
        told = explain.why(connection, identity("odd"))
    assert told["limit"]["reason"] == told["reason"] == ("order_recall<0.3" if value == -math.inf else "newlines")
    assert told["also"] == []
