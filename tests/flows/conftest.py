from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server that builds share, so that each does not start its own; with a database of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        running = Server()
        try:
            assert running.ready()
            patch.setenv("PREFECT_API_URL", running.url)
            yield running.url
        finally:
            running.stop()
