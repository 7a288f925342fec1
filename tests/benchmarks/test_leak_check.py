"""The independent check finds what is planted, and agrees with `florilege leak`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import leak_check
from retrieval import leak

FORMULA = "This Regulation shall be binding in its entirety and directly applicable in all Member States of the Union."
ASKED = "Which court decides on the legality of an act?"
Row = dict[str, Any]


def prose(seed: int, count: int = 60) -> str:
    return " ".join(f"{chr(97 + (seed * 7 + n) % 26)}{seed}x{n}" for n in range(count))


def passage(n: int) -> str:
    return f"{prose(n)} {FORMULA}"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    folder.mkdir()
    rows = [{"id": f"d{n}", "text": passage(n), "work": f"celex:32020R000{n}", "language": "en"} for n in range(10)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "documents-a.parquet")
    pq.write_table(pa.Table.from_pylist([{"id": "q", "text": ASKED}]), folder / "queries-a.parquet")
    return folder


PLANTED: list[tuple[Row, set[str]]] = [
    ({"document": passage(1).upper()}, {"equal", "near-duplicate", *leak_check.LEAKS[3:], *leak_check.ALSO}),
    (
        {"document": passage(2).replace(f" {prose(2).split()[30]} ", " other ")},
        {"near-duplicate", *leak_check.LEAKS[3:], *leak_check.ALSO},
    ),
    (
        {"document": f"{prose(200, 300)} {prose(3)} {prose(201, 300)}"},
        {leak_check.LEAKS[3], leak_check.ALSO[0], leak_check.ALSO[3]},
    ),
    ({"document": prose(202), "work": "celex:02020R0004-20240101"}, {"same work"}),
    ({"document": prose(202), "parallel": "celex:32020R0004#art_2"}, {"same work"}),
    ({"query": ASKED.upper(), "document": prose(205)}, {"equal", "near-duplicate"}),
    ({"document": passage(300)}, {"any 13-gram"}),
    ({"document": prose(301), "work": "celex:32020R0400"}, set()),
]


@pytest.mark.parametrize("row, expected", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, benchmark: Path, row: Row, expected: set[str]) -> None:
    train = write(tmp_path, [row, {"document": prose(999)}])
    counts, rows, texts, leaks = leak_check.check(train, benchmark)
    assert {name for name, count in counts.items() if count} == expected
    assert (rows, texts, leaks) == (2, 11, bool(expected & set(leak_check.LEAKS)))


def test_it_agrees_with_the_command(tmp_path: Path, benchmark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # the command takes works as they are written: sets have the acts' own
    rows = [row for row, _ in PLANTED if "0202" not in row.get("work", "") and "parallel" not in row] * 20
    train = write(tmp_path, rows)
    assert leak_check.check(train, benchmark)[3] == leak.measure(train, benchmark).leaks == 80
    assert leak_check.main([str(train), str(benchmark)]) == 1
    assert "| **leaks** | **80** | |" in capsys.readouterr().out
    clean = write(tmp_path / "clean", [row for row, expected in PLANTED if not expected & set(leak_check.LEAKS)])
    assert leak_check.main([str(clean), str(benchmark)]) == leak.measure(clean, benchmark).leaks == 0


def test_nothing_to_check_is_no_success(tmp_path: Path, benchmark: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        leak_check.main([str(tmp_path / "empty"), str(benchmark)])
    assert end.value.code == 2


def test_tokens() -> None:
    assert leak_check.tokens("L'Étape_2, STRASSE e\u0301") == ["l", "étape", "2", "strasse", "é"]
    assert leak_check.tokens("EU規則2") == ["eu", "規", "則", "2"]


def write(folder: Path, rows: list[Row]) -> Path:
    path = folder / "train"
    path.mkdir(parents=True, exist_ok=True)
    (path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
