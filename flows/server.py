"""Prefect's API for a build without a server of the user's: Prefect's own application, started early.

Prefect would start it too, but only once it is wanted, and after importing it a second time into our process. Started
beforehand it comes up while we import Prefect and read the sources: about a third of the wait is saved on two cores.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from extractors.processes import die_with_parent
from flows.limits import passing_server

_PATIENCE_S = 120.0


class Server:
    """A Prefect API on a free port of the loopback interface, stopped at exit or with this process."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
        port = self.url.rsplit(":", 1)[1].removesuffix("/api")
        # As Prefect starts it: without the user interface and without the services of a lasting server.
        quiet = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app",
             "--host", "127.0.0.1", "--port", port, "--log-level", "error", "--lifespan", "on"],
            env=os.environ | quiet, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
            start_new_session=True,  # Ctrl-C is for us: without its server, Prefect would only try again and again
        )  # fmt: skip

    def ready(self) -> bool:
        """Wait until it answers; False when it died or took over two minutes."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        return False

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start() -> Server | None:
    """Start the API, unless the environment names one already."""
    return None if os.environ.get("PREFECT_API_URL") else Server()


@contextmanager
def used(server: Server | None) -> Iterator[None]:
    """Let flows use `server`, unless the user's Prefect profile names another; stops it at the end."""
    from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

    try:
        if server is None or get_current_settings().api.url or not server.ready():
            yield  # the user's server, or else the one that Prefect starts itself
        else:
            with temporary_settings({PREFECT_API_URL: server.url}), passing_server():
                yield
    finally:
        if server is not None:
            server.stop()
