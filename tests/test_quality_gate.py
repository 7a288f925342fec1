"""The quality of the demo's corpus, measured against what is known of its inputs, may not fall.

`floors.toml` has a floor for each figure. `pytest -s tests/test_quality_gate.py` shows the figures.
"""

from __future__ import annotations

import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import planted
import pytest
import true_texts
from commands import Demo

from benchmarks import measure
from catalog import reports, store
from catalog.files import Corpus
from filters import fidelity

FLOORS = Path(__file__).with_name("floors.toml")
Floors = dict[str, dict[str, float]]
Documents = dict[str, dict[str, Any]]
Pair = frozenset[str]


class Figure(NamedTuple):
    value: float
    n: int
    """Of how many."""


def _mean(values: Iterable[float]) -> Figure:
    listed = list(values)
    return Figure(mean(listed), len(listed))


@pytest.fixture(scope="module")
def documents(demo: Demo) -> Documents:
    return planted.documents(demo.corpus)


@pytest.fixture(scope="module")
def cases(demo: Demo) -> dict[str, planted.Case]:
    return planted.cases(demo.folder / "inputs")


@pytest.fixture(scope="module")
def figures(demo: Demo, documents: Documents, cases: dict[str, planted.Case]) -> dict[str, dict[str, Figure]]:
    good = {
        name: documents.get(name, {"title": None, "text": "", "language": None, "cluster": name})
        for name, case in cases.items()
        if case["expect"] in planted.GOOD
    }
    legal, scholarly = true_texts.legal(), true_texts.scholarly(printed=False)
    return {
        "web": _web(good),
        "acts_html": {**_fidelity(good, legal, ".html"), "title_exact": _titles(good, legal, ".html")},
        "acts_pdf": _fidelity(good, legal, ".pdf"),
        "articles_xml": {**_fidelity(good, scholarly, ".xml"), "title_exact": _titles(good, scholarly, ".xml")},
        "articles_pdf": _fidelity(good, true_texts.scholarly(printed=True), ".pdf"),
        "language": {"accuracy": _mean(row["language"] == cases[name]["language"] for name, row in good.items())},
        "near_duplicates": _near_duplicates(good, planted.groups(cases)),
        "verdicts": _verdicts(planted.outcomes(demo.corpus), cases),
    }


def _web(good: Documents) -> dict[str, Figure]:
    pages = {url: page for url, page in true_texts.pages().items() if url in good}
    texts = {url: page.text for url, page in pages.items()}
    found = {url: good[url]["text"] for url in pages}
    scores = [measure.f1(texts, found, [url]) for url in texts]
    return {
        "f1_mean": _mean(scores),
        "f1_worst": Figure(min(scores), len(scores)),
        "title_exact": _titles(good, pages, ""),
        "non_ascii_recall": _mean(_non_ascii_recall(texts, found)),
    }


def _non_ascii_recall(truths: dict[str, str], found: dict[str, str]) -> Iterator[float]:
    """Share of the characters beyond ASCII of each text that has some which came through decoding."""
    for url, truth in truths.items():
        if wanted := Counter(sign for sign in truth if not sign.isascii()):
            yield (wanted & Counter(found[url])).total() / wanted.total()


def _titles(good: Documents, truths: dict[str, true_texts.Truth], suffix: str) -> Figure:
    return _mean(good[name + suffix]["title"] == truth.title for name, truth in truths.items())


def _fidelity(good: Documents, truths: dict[str, true_texts.Truth], suffix: str) -> dict[str, Figure]:
    scores = [
        fidelity.signals(good[name + suffix]["text"], truth.text)
        for name, truth in truths.items()
        if name + suffix in good
    ]
    return {name: _mean(score[name] for score in scores) for name in ("lcs", "order_recall", "order_precision")}


def _near_duplicates(good: Documents, groups: list[set[str]]) -> dict[str, Figure]:
    """Recall and precision over pairs of documents of one cluster, and of one planted group."""
    clusters: dict[str, set[str]] = {}
    for name, row in good.items():
        clusters.setdefault(row["cluster"], set()).add(name)
    wanted = _pairs(group & good.keys() for group in groups)
    found = _pairs(clusters.values())
    return {
        "recall": Figure(len(found & wanted) / len(wanted), len(wanted)),
        "precision": Figure(len(found & wanted) / len(found), len(found)),
    }


def _pairs(groups: Iterable[set[str]]) -> set[Pair]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


def _verdicts(outcomes: dict[str, str], cases: dict[str, planted.Case]) -> dict[str, Figure]:
    right = (outcomes.get(name, "").startswith(planted.ENDS[case["expect"]]) for name, case in cases.items())
    one_kept = (sum(outcomes.get(name) == "kept" for name in group) == 1 for group in planted.groups(cases))
    return {"accuracy": _mean(right), "groups_with_one_kept": _mean(one_kept)}


def _table(figures: dict[str, dict[str, Figure]], floors: Floors) -> str:
    rows = [
        [f"{table}.{name}", str(figure.n), f"{figure.value:.4f}", str(floors.get(table, {}).get(name, ""))]
        for table, named in figures.items()
        for name, figure in named.items()
    ]
    return measure.table(["figure", "n", "measured", "floor"], rows)


def _below(values: Floors, floors: Floors) -> list[str]:
    """What is missing of `floors` or lower."""
    found = []
    for table, named in floors.items():
        for name, floor in named.items():
            value = values.get(table, {}).get(name)
            if value is None or not value >= floor:
                found.append(f"{table}.{name}: {value} instead of {floor}")
    return found


def test_no_figure_is_under_its_floor(figures: dict[str, dict[str, Figure]]) -> None:
    floors = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    print("\n" + _table(figures, floors))
    measured = {table: {name: figure.value for name, figure in named.items()} for table, named in figures.items()}
    assert _below(measured, floors) == []
    assert _below(floors, {table: dict.fromkeys(named, 0.0) for table, named in measured.items()}) == []


def test_what_is_below_is_named() -> None:
    floors = {"web": {"f1": 0.9, "titles": 1.0}}
    assert _below({"web": {"f1": 0.9, "titles": 1.0, "more": 0.1}}, floors) == []
    assert _below({"web": {"f1": 0.899, "titles": 1.0}}, floors) == ["web.f1: 0.899 instead of 0.9"]
    assert _below({"web": {"f1": float("nan"), "titles": 1.0}}, floors) == ["web.f1: nan instead of 0.9"]
    assert _below({"web": {"titles": 1.0}}, floors) == ["web.f1: None instead of 0.9"]
    assert len(_below({}, floors)) == 2


def test_no_text_has_characters_that_could_not_be_decoded(documents: Documents) -> None:
    texts = {name: row["text"] for name, row in documents.items() if row["text"]}
    assert len(texts) > 100
    assert [name for name, text in texts.items() if "\ufffd" in text] == []


def test_every_record_is_accounted_for(demo: Demo) -> None:
    with store.reading(Corpus(demo.corpus)) as connection:
        assert reports.unaccounted(connection) == []


def test_floors_only_rise() -> None:
    """A floor lower than it ever was, or missing, is no way to pass."""
    commits = _git("log", "--format=%H", "--", "floors.toml").split()
    if not commits:
        pytest.skip("no committed floors to compare with")
    now = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    for commit in commits:
        assert _below(now, tomllib.loads(_git("show", f"{commit}:./floors.toml"))) == []


def _git(*arguments: str) -> str:
    """What git says, beside the floors; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=FLOORS.parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout
