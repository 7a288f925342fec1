"""The example recipes say what they say of the demo's inputs."""

import shutil
from pathlib import Path

import pytest
from commands import Demo, florilege

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.toml"))
RETRIEVAL = EXAMPLES[0].with_name("retrieval.toml")


@pytest.mark.parametrize("example", [path for path in EXAMPLES if path != RETRIEVAL], ids=lambda path: path.stem)
def test_an_example_can_be_planned(demo: Demo, tmp_path: Path, example: Path) -> None:
    shutil.copytree(demo.folder / "inputs", tmp_path / "demo" / "inputs")
    recipe = tmp_path / "examples" / example.name
    recipe.parent.mkdir()
    shutil.copy(example, recipe)
    assert "to make" in florilege("check", recipe).stdout
    assert not (tmp_path / "corpora").exists(), "check must not write"


def test_an_example_can_be_built(demo: Demo, server: str, tmp_path: Path) -> None:
    shutil.copytree(demo.folder / "inputs", tmp_path / "demo" / "inputs")
    recipe = tmp_path / "examples" / "legal.toml"
    recipe.parent.mkdir()
    shutil.copy(EXAMPLES[0].with_name("legal.toml"), recipe)
    assert "lcs<0.95 1" in florilege("build", recipe).stdout


def test_the_example_of_sets_can_be_planned(demo: Demo, tmp_path: Path) -> None:
    corpus = shutil.copytree(demo.corpus, tmp_path / "demo" / "corpus")
    shutil.rmtree(corpus / "sets", ignore_errors=True)
    shutil.rmtree(corpus / "manifests" / "sets", ignore_errors=True)
    recipe = tmp_path / "examples" / RETRIEVAL.name
    recipe.parent.mkdir()
    shutil.copy(RETRIEVAL, recipe)
    planned = florilege("check", recipe).stdout
    assert planned.count("to make") == 11, planned
    assert "benchmark articles-small (downsample 1): to make" in planned
