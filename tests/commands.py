"""The command line, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


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
    # What Python knows as its environment: pytest loads readline, which tells children 80 columns behind its back.
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=dict(os.environ))
    if check and done.returncode:
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done
