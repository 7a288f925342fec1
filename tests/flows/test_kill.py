"""A build may die at any moment: the next one ends with the same corpus."""

import importlib.util
import random
import shutil
from pathlib import Path

import pytest

from tests.flows.conftest import Demo

_script = Path(__file__).resolve().parents[2] / "benchmarks" / "kill.py"
_spec = importlib.util.spec_from_file_location("kill", _script)
assert _spec and _spec.loader
kill = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kill)


@pytest.mark.parametrize("part", [0.4, 0.8])
def test_a_killed_build_ends_in_the_same_corpus(demo: Demo, server: str, tmp_path: Path, part: float) -> None:
    shutil.copytree(demo.folder / "inputs", tmp_path / "inputs")
    recipe = tmp_path / "recipe.toml"
    shutil.copy(demo.recipe, recipe)
    process = kill.build(recipe)
    wanted = len(list((demo.corpus / "manifests" / "shards").glob("*.json")))
    manifests = tmp_path / "corpus" / "manifests" / "shards"
    while process.poll() is None and len(list(manifests.glob("*.json"))) < part * wanted:
        kill.time.sleep(0.02)
    assert process.poll() is None, "the build ended before it could be killed"
    process.kill()
    process.wait()
    assert len(list(manifests.glob("*.json"))) < wanted
    found = kill.disturbed(recipe, random.Random(part).uniform(1, 4), random.Random(part))
    assert found.digest == kill.digest(demo.recipe)
