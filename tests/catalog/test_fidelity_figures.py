from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from corpora import document, identity, publish, write_shard

from catalog import fidelity, store
from catalog.fidelity import BINS, Choice
from catalog.files import Corpus

ALL = Choice()


def measured(lcs: float, recall: float, **columns: Any) -> dict[str, Any]:
    other = {"lcs_json": lcs, "lcs_conversion": lcs, "order_precision": recall, "reference": "r.xml"}
    return {"format": "pdf", "lcs": lcs, "order_recall": recall, "extractor": "pdfium 5.1 + pdfplumber 0.11"} | (
        other | columns
    )


DOCUMENTS = [
    *[document(f"m{n}", **measured(0.99, n / 10)) for n in range(11)],
    document("p", format="pdf", predicted_lcs=0.97, predicted_order=0.4, extractor="pdfium 5.1"),
    document("french", language="fr", **measured(0.2, 0.95)),
    document("partial", **measured(0.2, 0.96, order_precision=0.1)),
    document(
        "noisy",
        **measured(0.99, 0.99, order_precision=0.6),
        page_offsets=[0, 9, 20],
        pages=[
            {"order_precision": 0.5, "chars": 300},
            {"order_precision": 0.8, "chars": 100},
            {"order_precision": 0.1, "chars": 900},
        ],
    ),
    document("xml", **measured(1.0, 1.0, format="xml", extractor="lxml 6.1.0")),
    document("scan", text=None, format="pdf") | {"text": None, "error": "no text layer", "extractor": None},
    document("web page", format="html"),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    corpus = Corpus(tmp_path_factory.mktemp("measured").resolve())
    write_shard(corpus, "acts-1", "acts", DOCUMENTS)
    write_shard(corpus, "loose-1", "loose", [document("other", **measured(0.9, 0.05))])
    publish(corpus)
    with store.reading(corpus) as opened:
        yield opened


def test_groups_are_by_source_language_and_engine(connection: duckdb.DuckDBPyConnection) -> None:
    found = fidelity.groups(connection, ALL)
    assert [(g["source"], g["language"], g["engine"], g["documents"], g["referenced"], g["unread"]) for g in found] == [
        ("acts", "en", "pdfium + pdfplumber", 13, 13, 0), ("acts", "en", "lxml", 1, 1, 0),
        ("acts", "en", "pdfium", 1, 0, 0), ("acts", "fr", "pdfium + pdfplumber", 1, 1, 0),
        ("acts", "und", "none", 1, 0, 1), ("loose", "en", "pdfium + pdfplumber", 1, 1, 0),
    ]  # fmt: skip
    first = found[0]
    assert (first["order_recall"], first["order_recall_p10"]) == pytest.approx(((5.5 + 0.96 + 0.99) / 13, 0.12))
    assert (first["lcs_json"], first["predicted_lcs"]) == (pytest.approx((12 * 0.99 + 0.2) / 13), None)
    assert (found[2]["predicted_lcs"], found[2]["predicted_order"]) == pytest.approx((0.97, 0.4))


def test_alarms_are_counted_by_document(connection: duckdb.DuckDBPyConnection) -> None:
    assert [group["alarms"] for group in fidelity.groups(connection, ALL)] == [9, 0, 1, 0, 0, 1]
    [found] = fidelity.alarms(connection, identity("m3"))
    assert (found["page"], found["measure"], found["value"]) == (None, "order_recall", pytest.approx(0.3))


def test_the_score_is_of_what_was_lost_or_added_but_not_of_what_a_reference_leaves_out(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    scores = {row["path"].removesuffix(".html"): row["score"] for row in fidelity.worst(connection, ALL, 99)}
    assert scores["french"] == pytest.approx(0.95), "word counts do not count"
    assert scores["partial"] == pytest.approx(0.96), "the reference has next to nothing of it"
    assert scores["noisy"] == pytest.approx((0.5 * 300 + 0.8 * 100) / 400), "nor of its third page"


def test_worst_first(connection: duckdb.DuckDBPyConnection) -> None:
    found = fidelity.worst(connection, ALL, 7)
    assert [row["path"] for row in found] == [
        "m0.html", "other.html", "m1.html", "m2.html", "m3.html", "m4.html", "p.html"
    ]  # fmt: skip
    assert found[-1]["score"] == pytest.approx(0.4)
    assert len(fidelity.worst(connection, ALL, 100)) == 17, "a document without text has no score"


@pytest.mark.parametrize(
    ("choice", "paths"),
    [
        (Choice(["loose"]), ["other.html"]),
        (Choice([], ["fr"]), ["french.html"]),
        (Choice(["loose"], ["fr"]), []),
        (Choice(["a'; DROP TABLE x; --"]), []),
    ],
)
def test_only_what_is_chosen(connection: duckdb.DuckDBPyConnection, choice: Choice, paths: list[str]) -> None:
    assert [row["path"] for row in fidelity.worst(connection, choice, 9)] == paths
    assert sum(group["documents"] for group in fidelity.groups(connection, choice)) == len(paths)


def test_distributions_count_every_document_once(connection: duckdb.DuckDBPyConnection) -> None:
    found = fidelity.distributions(connection, ALL)
    recall = found["acts", "en", "order_recall"]
    assert (len(recall), sum(recall), recall[0], recall[-1]) == (BINS, 14, 3, 2), (
        "0, .1 and .2 are all near the left end"
    )
    assert sum(found["acts", "en", "predicted_lcs"]) == 1
    assert ("acts", "fr", "predicted_lcs") not in found


def test_what_has_no_text_is_listed_with_the_reason(connection: duckdb.DuckDBPyConnection) -> None:
    assert [(row["path"], row["error"]) for row in fidelity.unread(connection, ALL, 9)] == [
        ("scan.html", "no text layer")
    ]  # fmt: skip


def test_the_text_and_pages_of_a_document(corpus: Corpus) -> None:
    with store.reading(corpus) as connection:
        found = fidelity.content(connection, identity("act"))
        assert (found["page_offsets"], found["line_boxes"]) == ([0, 20], None)
        assert [page["page"] for page in fidelity.pages(connection, identity("act"))] == [1, 2]
        assert fidelity.pages(connection, identity("lossy")) == []


def test_places_are_those_of_the_snapshot_s_run(corpus: Corpus) -> None:
    with store.reading(corpus) as connection:
        sources, settings = fidelity.places(connection)
    assert sources == {s: {"kind": "files", "path": f"/{s}"} for s in ("acts", "web")}
    assert settings == {"name": "tiny"}


def test_an_older_snapshot_has_its_own_figures(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path.resolve())
    write_shard(corpus, "acts-1", "acts", [document("one", **measured(0.9, 0.9))])
    publish(corpus)
    write_shard(corpus, "acts-2", "acts", [document("two", **measured(0.1, 0.1))])
    publish(corpus)
    for snapshot, paths in ((1, ["one.html"]), (2, ["two.html", "one.html"])):
        with store.reading(corpus, snapshot) as connection:
            assert [row["path"] for row in fidelity.worst(connection, ALL, 9)] == paths
