from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from commands import Demo, florilege

from flows.server import Server


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
