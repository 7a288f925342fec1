"""The making of training sets may die at any moment: the next run ends with the same files."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import florilege

from catalog import reports, sets, store
from catalog.files import Corpus
from flows import retrieval_run
from flows.retrieval_plan import wanted
from flows.retrieval_recipe import load
from retrieval import assembly
from retrieval.source import opened
from retrieval.systems import system
from tests.retrieval.test_assembly import ACTS, ARTICLES, PAGES, grown

RECIPE = """
corpus = "corpus"
[[benchmarks]]
name = "articles"
[[pairs]]
name = "crops"
params = {chunk = 32}
negatives = {}
[[pairs]]
name = "parallel-passages"
"""


def files(corpus: Corpus) -> dict[str, list[Any]]:
    return {found.name: [found.id, *found.manifest["files"]] for found in sets.all_sets(corpus)}


def parts(corpus: Corpus) -> dict[str, int]:
    """The finished parts of training sets, published or not, and when they were made."""
    found = {path.name: path.stat().st_mtime_ns for path in corpus.root.rglob("parts/*.json")}
    return {name: made for name, made in found.items() if name != "all.json"}


def make(recipe: Path) -> None:
    """The sets of a recipe, in this process and without Prefect."""
    loaded = load(recipe)
    corpus = Corpus(Path(loaded.corpus))
    with opened(corpus, loaded.splits) as source:
        for found in wanted(str(recipe), "benchmark"):
            assembly.make_benchmark(corpus, source, found.spec.name, found.builder, found.params, loaded.splits)
        for found in wanted(str(recipe), "pairs"):
            mining = found.spec.negatives
            assembly.make_pairs(
                corpus, source, found.spec.name, found.builder, found.params, loaded.splits,
                sets.benchmarks(corpus), loaded.overlap, mining and (system(mining.system), mining.params),
                found.mining, lambda _: None,
            )  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe whose sets are made, of a corpus of many shards; `bare` beside it has none made."""
    folder = tmp_path_factory.mktemp("kill")
    rows = [*ACTS, *ARTICLES, *PAGES]
    corpus = grown(folder / "whole" / "corpus", *(rows[at : at + 6] for at in range(0, len(rows), 6)))
    shutil.copytree(folder / "whole", folder / "bare")
    recipe = folder / "whole" / "sets.toml"
    for place in ("whole", "bare"):
        (folder / place / "sets.toml").write_text(RECIPE)
    make(recipe)
    assert sum(f["rows"] for f in sets.find(corpus, "crops").manifest["files"]) > 100
    return recipe


def test_killed_again_and_again_it_ends_with_the_same_files(undisturbed: Path, server: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(undisturbed.parent.parent / "bare", tmp_path / "bare"))
    corpus, chance = Corpus(folder / "corpus"), random.Random(1)
    store.rebuild(corpus)
    for least in (2, 7):
        before = parts(corpus)
        process = subprocess.Popen(
            [sys.executable, "-m", "florilege", "pairs", str(folder / "sets.toml")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and len(parts(corpus)) < least:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        process.wait()
        assert before.items() <= parts(corpus).items(), "made again"
    kept = parts(corpus)
    florilege("pairs", folder / "sets.toml")
    assert files(corpus) == files(Corpus(undisturbed.parent / "corpus"))
    assert kept.items() <= parts(corpus).items(), "made again"
    assert not list((corpus.work / "sets").iterdir())
    with store.reading(corpus) as connection:
        assert len(reports.rows(connection, "SELECT name FROM sets WHERE folder IS NOT NULL")) == 3


def test_a_set_whose_catalog_was_not_made_is_shown_by_the_next_run(undisturbed: Path, tmp_path: Path) -> None:
    """As when it is killed after the last set, and before the catalog is made anew."""
    folder = Path(shutil.copytree(undisturbed.parent, tmp_path / "whole"))
    corpus = Corpus(folder / "corpus")
    shutil.move(corpus.manifests("sets"), tmp_path / "aside")
    store.rebuild(corpus)
    time.sleep(0.02)
    shutil.copytree(tmp_path / "aside", corpus.manifests("sets"), copy_function=shutil.copyfile)
    retrieval_run.make(folder / "sets.toml", "pairs", None)
    with store.reading(corpus) as connection:
        assert len(reports.rows(connection, "SELECT name FROM sets")) == 3
