"""A build may die at any moment: the next one ends with the same corpus."""

import random
import shutil
import time
from pathlib import Path

import pytest
from commands import Demo

from benchmarks import kill


@pytest.mark.parametrize("part", [0.4, 0.8])
def test_a_killed_build_ends_in_the_same_corpus(demo: Demo, server: str, tmp_path: Path, part: float) -> None:
    shutil.copytree(demo.folder / "inputs", tmp_path / "inputs")
    recipe = tmp_path / "recipe.toml"
    shutil.copy(demo.recipe, recipe)
    process = kill.build(recipe)
    wanted = len(list((demo.corpus / "manifests" / "shards").glob("*.json")))
    manifests = tmp_path / "corpus" / "manifests" / "shards"
    while process.poll() is None and len(list(manifests.glob("*.json"))) < part * wanted:
        time.sleep(0.02)
    assert process.poll() is None, "the build ended before it could be killed"
    process.kill()
    process.wait()
    assert len(list(manifests.glob("*.json"))) < wanted
    found = kill.disturbed(recipe, random.Random(part).uniform(1, 4), random.Random(part))
    assert found.digest == kill.digest(demo.recipe)
