from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.server import Server


@dataclass(frozen=True)
class Demo:
    folder: Path
    output: str

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.toml"

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"


def florilege(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    command = [sys.executable, "-m", "florilege", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if check and done.returncode:
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, built by the command line with its own embedded Prefect."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return Demo(folder, florilege("demo", folder).stdout)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A Prefect server that builds share, so that each does not start its own."""
    running = Server()
    assert running.ready()
    os.environ["PREFECT_API_URL"] = running.url
    yield running.url
    del os.environ["PREFECT_API_URL"]
    running.stop()
