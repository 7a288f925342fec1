"""Kill a build at random moments and see whether the corpus comes out the same.

    python benchmarks/kill.py [--kills 10] [--seed 1]

Builds the demo's inputs once undisturbed, then, for each kill, in a fresh folder: start `florilege build`, send SIGKILL
at a random moment to a random process of its tree, run the same command again, compare the corpus digests.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from catalog import reports, store
from catalog.files import Corpus
from flows import demo
from flows.demo.tour import RECIPE


@dataclass(frozen=True, slots=True)
class Kill:
    """One disturbed build."""

    after_s: float
    victim: str
    shards_left: int
    """Shards with a manifest when the process was gone."""
    digest: str


def prepare(folder: Path) -> Path:
    """The demo's inputs and recipe below `folder`; returns the recipe."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True)
    demo.make(inputs)
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    return recipe


def build(recipe: Path) -> subprocess.Popen[bytes]:
    """Start `florilege build` on a recipe."""
    log = (recipe.parent / "build.log").open("ab")
    command = [sys.executable, "-m", "florilege", "build", str(recipe)]
    return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def digest(recipe: Path) -> str:
    """Digest of the newest snapshot, as the catalog has it; RuntimeError when records are not accounted for."""
    with store.reading(Corpus(recipe.parent / "corpus")) as connection:
        if problems := reports.unaccounted(connection):
            raise RuntimeError(f"not accounted for: {problems}")
        return str(reports.rows(connection, "SELECT digest FROM snapshot")[0]["digest"])


def undisturbed(recipe: Path) -> tuple[float, str]:
    """Build to the end: seconds and digest. RuntimeError when it fails."""
    start = time.monotonic()
    if status := build(recipe).wait():
        raise RuntimeError(f"the build ended with status {status}: {(recipe.parent / 'build.log').read_text()[-2000:]}")
    return time.monotonic() - start, digest(recipe)


def disturbed(recipe: Path, after_s: float, chance: random.Random) -> Kill:
    """Kill the build itself or, every other time, one of the processes that it started; then build to the end."""
    process = build(recipe)
    time.sleep(after_s)
    victim = "nothing (it had ended)"
    if process.poll() is None:
        whole = psutil.Process(process.pid)
        started = [p for p in whole.children(recursive=True) if "uvicorn" not in _command(p)]
        chosen = chance.choice(started) if started and chance.random() < 0.5 else whole
        victim = _command(chosen)
        os.kill(chosen.pid, 9)
    process.wait()
    left = len(list((recipe.parent / "corpus" / "manifests" / "shards").glob("*.json")))
    return Kill(after_s, victim, left, undisturbed(recipe)[1])


def _command(process: psutil.Process) -> str:
    try:
        words = process.cmdline()[1:4]
    except psutil.Error:
        return "?"
    return " ".join(Path(word).name if "/" in word else word for word in words)[:60]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        whole = prepare(Path(scratch) / "whole")
        seconds, wanted = undisturbed(whole)
        print(f"undisturbed: {seconds:.1f} s, corpus digest {wanted[:16]}\n")
        print("| kill | after s | victim | shards then | same digest |\n|---|---|---|---|---|", flush=True)
        different = 0
        for number in range(1, options.kills + 1):
            folder = Path(scratch) / str(number)
            shutil.copytree(whole.parent / "inputs", folder / "inputs")
            recipe = folder / "recipe.toml"
            shutil.copy(whole, recipe)
            found = disturbed(recipe, chance.uniform(0.1, 0.95) * seconds, chance)
            different += found.digest != wanted
            same = "yes" if found.digest == wanted else f"NO: {found.digest[:16]}"
            row = (number, f"{found.after_s:.1f}", f"`{found.victim}`", found.shards_left, same)
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
            shutil.rmtree(folder)
    print(f"\n{options.kills - different} of {options.kills} the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
