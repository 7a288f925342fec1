from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flows.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A Prefect server that builds share, so that each does not start its own."""
    running = Server()
    assert running.ready()
    os.environ["PREFECT_API_URL"] = running.url
    yield running.url
    del os.environ["PREFECT_API_URL"]
    running.stop()
