"""What a build says of how faithful its texts are: from the PDF and its reference to SQL."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.flows import stages

ACT = "article 1 the member states shall protect water quality"
WORDS = " ".join(f"word{number}" for number in range(60))
PROSE = (
    "The authority shall publish the limits that hold for the waters of the state.",
    "Where they are not met, it shall say so and name the measures that it has taken.",
    "No later than the end of the year it shall report what these measures have cost.",
)
CASES: dict[str, tuple[list[str], str]] = {
    "split": ([ACT.replace("protect", "pro- tect")], f"<p>{ACT}</p>"),
    "cells": (
        ["limits nitrate 50 mg/l"],
        "<p>limits</p><table><tr><td>nitrate</td><td>50 mg/l</td></tr></table>",
    ),
    "other": (["nothing of it"], f"<p>{ACT}</p>"),
    "stops": (["art 1 2 costs"], "<p>Art. 1.2 costs</p>"),
    "paged": ([ACT, "another page, in other words entirely"], f"<p>{ACT}</p>"),
    "alone": ([ACT], ""),
    "prose": ([f"{number} Official Journal of the state\n" + "\n".join(PROSE) for number in range(1, 4)], ""),
    "noise": (["\n".join(PROSE).replace("e", "#").replace("a", "\u00a4")] * 3, ""),
}


def pdf(pages: list[str]) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(500, 200))
    for text in pages:
        for number, line in enumerate(text.split("\n")):
            canvas.drawString(40, 160 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fidelity")
    (folder / "inputs").mkdir()
    for name, (pages, truth) in CASES.items():
        (folder / "inputs" / f"{name}.pdf").write_bytes(pdf(pages))
        if truth:
            (folder / "inputs" / f"{name}.truth.html").write_text(f"<html><body>{truth}</body></html>")
    (folder / "recipe.toml").write_text(
        'name = "f"\n[[sources]]\nname = "s"\nkind = "files"\npath = "inputs"\nreference = "{stem}.truth.*"\n'
        "[engine]\nworkers = 1\n"
    )
    stages.build(folder / "recipe.toml")
    return folder / "corpus"


@pytest.fixture(scope="module")
def signals(corpus: Path) -> dict[str, dict[str, Any]]:
    rows = stages.ask(corpus, "SELECT path, s.* FROM documents JOIN signals s USING (id) WHERE format = 'pdf'")
    return {row["path"].removesuffix(".pdf"): row for row in rows}


def test_published_figures_hold_from_the_pdf_to_the_catalog(signals: dict[str, dict[str, Any]]) -> None:
    for variant in ("lcs", "lcs_json", "lcs_conversion"):
        assert signals["split"][variant] == pytest.approx(0.8433, abs=1e-4)
        assert signals["other"][variant] == 0.0
    assert signals["cells"]["lcs_json"] == pytest.approx(0.9707, abs=1e-4)
    assert signals["cells"]["lcs"] == signals["cells"]["lcs_conversion"] == pytest.approx(1)
    assert signals["stops"]["lcs"] < 0.6 < signals["stops"]["lcs_conversion"]


def test_every_pdf_with_a_reference_has_all_three_variants(signals: dict[str, dict[str, Any]]) -> None:
    for name, (_, truth) in CASES.items():
        values = [signals[name][variant] for variant in ("lcs", "lcs_json", "lcs_conversion")]
        assert [value is not None for value in values] == [bool(truth)] * 3


def test_tables_and_hyphens_are_measured(signals: dict[str, dict[str, Any]]) -> None:
    assert signals["cells"]["table_word_recall"] == 1
    assert signals["split"]["table_word_recall"] is None
    assert signals["split"]["hyphenation"] == 1


def test_every_page_has_a_row_with_its_own_figures(corpus: Path) -> None:
    sql = "SELECT path, p.* FROM documents JOIN pages p USING (id) WHERE path NOT IN ('prose.pdf', 'noise.pdf')"
    rows = stages.ask(corpus, f"{sql} ORDER BY path, page")
    assert [(row["path"], row["page"]) for row in rows] == [
        *(("alone.pdf", 1), ("cells.pdf", 1), ("other.pdf", 1)),
        *(("paged.pdf", 1), ("paged.pdf", 2), ("split.pdf", 1), ("stops.pdf", 1)),
    ]
    first, second = (row for row in rows if row["path"] == "paged.pdf")
    assert (first["order_recall"], first["order_precision"], first["lost_words"]) == (1, pytest.approx(5 / 9), 0)
    assert (first["start"], second["start"], second["order_precision"]) == (0, len(ACT) + 1, 0)
    assert rows[0]["order_precision"] is None


def test_every_pdf_with_enough_text_has_predictions(corpus: Path, signals: dict[str, dict[str, Any]]) -> None:
    for measure in ("lcs", "order"):
        low, middle, high = (signals["prose"][f"predicted_{measure}{bound}"] for bound in ("_low", "", "_high"))
        assert 0 <= low <= middle <= high <= 1
        assert signals["noise"][f"predicted_{measure}"] < middle
        assert signals["alone"][f"predicted_{measure}"] is None
    assert signals["alone"]["running_left"] is None
    pages = stages.ask(corpus, "SELECT path, predicted_lcs, predicted_order FROM pages JOIN documents USING (id)")
    for page in pages:
        assert (page["predicted_order"] is not None) == (page["path"] in ("prose.pdf", "noise.pdf"))
    assert (
        stages.ask(
            corpus, "SELECT * FROM signals JOIN documents USING (id) WHERE format <> 'pdf' AND predicted_lcs > 0"
        )
        == []
    )
