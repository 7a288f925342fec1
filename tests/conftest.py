"""Fixtures that several folders share; the rows are in corpora.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Demo, florilege
from corpora import tiny

from catalog.files import Corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The tiny corpus, for reading only."""
    return tiny(tmp_path_factory.mktemp("tiny") / "corpus")


@pytest.fixture
def own_corpus(tmp_path: Path) -> Corpus:
    """The tiny corpus, for one test to change or damage."""
    return tiny(tmp_path / "corpus")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, built by the command line with its own embedded Prefect."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return Demo(folder, florilege("demo", folder).stdout)
