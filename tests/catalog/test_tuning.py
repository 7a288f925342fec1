from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpora import THRESHOLDS, document, key, publish, write_shard

from catalog import store, tuning
from catalog.errors import ConfigError
from catalog.files import Corpus
from catalog.reports import rows
from flows import verdict_report


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Documents with 10, 20 ... 200 words in two languages; every fifth has a near-duplicate with 5 words more."""
    corpus = Corpus(tmp_path_factory.mktemp("tune").resolve())
    documents = []
    for n in range(1, 21):
        bands = [key(f"{n} 0"), key(f"{n} 1")]
        score, language = 0.1 if n == 20 else 0.9, "fr" if n % 2 else "en"
        documents.append(
            document(f"d{n}", words=10 * n, language=language, bands=bands, language_score=score)
        )  # fmt: skip
        if n % 5 == 0:
            documents.append(
                document(
                    f"near {n}", words=10 * n + 5, bands=[bands[0], key(f"near {n}")], quality=0.1, language=language
                )
            )
    documents += [document("empty", ""), document("unknown", words=None, language="fr")]
    write_shard(corpus, "a-1", "a", documents)
    publish(corpus)
    return corpus


def curve(corpus: Corpus, signal: str, **asked: Any) -> dict[float, int]:
    with store.reading(corpus, 1) as connection:
        return {row["limit"]: row["kept"] for row in tuning.tune(connection, signal, **asked)}


@pytest.mark.parametrize("limit", [10, 55, 100, 101, 105, 106, 199, 205, 206])
def test_the_curve_is_what_judging_gives(spread: Corpus, limit: float) -> None:
    rules = [THRESHOLDS[0], {**THRESHOLDS[1], "value": float(limit)}, THRESHOLDS[2]]
    number = publish(spread, rules)["snapshot"]
    with store.reading(spread, number) as connection:
        kept = rows(connection, "SELECT count(*) FILTER (keep) AS n FROM verdicts")[0]["n"]
        [present] = [row for row in tuning.tune(connection, "words") if row["present"]]
    with store.reading(spread, 1) as connection:
        [asked] = [
            row for row in tuning.tune(connection, "words", low=limit, high=limit) if row["limit"] == limit
        ]  # fmt: skip
    assert asked["kept"] == kept == present["kept"]
    assert asked["share"] == kept / 26


def test_limits_are_deciles_with_the_present_one(spread: Corpus) -> None:
    with store.reading(spread, 1) as connection:
        found = tuning.tune(connection, "words")
    limits = [row["limit"] for row in found]
    assert limits == sorted(set(limits))
    assert 50.0 in limits
    assert (limits[0], limits[-1], len(limits)) == (10, 205, 12)
    assert [row["limit"] for row in found if row["present"]] == [50.0]
    kept = [row["kept"] for row in found]
    assert kept == sorted(kept, reverse=True)


def test_an_upper_limit_keeps_more_as_it_rises(spread: Corpus) -> None:
    found = curve(spread, "words", op="<=", low=0, high=100)
    assert list(found) == [10.0 * n for n in range(11)]
    kept = list(found.values())
    assert kept == sorted(kept)
    assert found[0] == 1, "what is unknown passes"


def test_the_documents_and_those_without_a_value(spread: Corpus) -> None:
    with store.reading(spread, 1) as connection:
        found = tuning.tune(connection, "words", low=100, high=10_000, by="language")
    known = {row["group"]: (row["documents"], row["unknown"]) for row in found}
    assert known == {"fr": (13, 1), "en": (12, 0), None: (1, 0)}
    assert {row["kept"] for row in found if row["limit"] == 10_000 and row["group"] == "fr"} == {1}


def test_what_is_drawn_says_of_how_many(spread: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    verdict_report.tune(spread.root, 1, "words")
    told = capsys.readouterr().out
    assert "share: of all 26 documents, rejected ones too" in told
    assert "1 without a value pass every limit" in told
    assert "words: words" not in told
    verdict_report.tune(spread.root, 1, "order_recall")
    assert "order_recall: share of the reference's" in capsys.readouterr().out


def test_one_language_and_each(spread: Corpus) -> None:
    with store.reading(spread, 1) as connection:
        only = tuning.tune(connection, "words", low=100, high=200, language="fr")
        each = tuning.tune(connection, "words", low=100, high=200, by="language")
    first = {row["group"]: row for row in each if row["limit"] == 100}
    assert set(first) == {"en", "fr", None}
    assert first["fr"]["kept"] == next(row["kept"] for row in only if row["limit"] == 100)
    assert sum(row["kept"] for row in each if row["limit"] == 100) == curve(spread, "words", low=100, high=200)[100]


def test_a_signal_of_which_nothing_is_known(spread: Corpus) -> None:
    assert curve(spread, "trusted") == {}
    assert set(curve(spread, "trusted", low=0, high=1).values()) == {17}, "all that pass the others"


@pytest.mark.parametrize(
    ("signal", "asked", "message"),
    [
        ("wordz", {}, r"wordz: no such signal; did you mean words.*\? docs/tables.md"),
        ("language", {}, "language: no such signal; did you mean .*language_score"),
        ("words", {"op": "="}, "choose >= or <="),
    ],
)
def test_what_cannot_be_tuned(spread: Corpus, signal: str, asked: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        curve(spread, signal, **asked)


def test_an_empty_corpus(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path.resolve())
    write_shard(corpus, "a-1", "a", [document("empty", "")])
    publish(corpus)
    assert set(curve(corpus, "words").values()) == {0}
