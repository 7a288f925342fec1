"""A real HTTP server for tests: an ASGI application behind uvicorn, in a thread, on a free port of 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server listens."""

    port: int
    url: str
    """`http://127.0.0.1:PORT`, without a slash at its end."""


class Protocol(H11Protocol):
    """Hands applications their connection as `scope["state"]["transport"]`, for answers that HTTP forbids."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def server(app: Any, tls: tuple[str, str] | None = None, port: int = 0) -> tuple[uvicorn.Server, socket.socket]:
    """A server that is not started yet, and the socket to run it with."""
    # With its protocol given, asyncio turns off Nagle's algorithm, which would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", server_header=False, date_header=False,
        http=Protocol, ws="none", timeout_keep_alive=30, ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
    )  # fmt: skip
    return uvicorn.Server(config), listener


@contextmanager
def running(app: Any, tls: tuple[str, str] | None = None, port: int = 0) -> Iterator[Running]:
    """Runs an ASGI application for as long as the context lasts. `tls`: files of the certificate and of its key."""
    uvicorn_server, listener = server(app, tls, port)
    thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not uvicorn_server.started and thread.is_alive():
            thread.join(0.01)
        if not uvicorn_server.started:
            raise RuntimeError("the test server did not start")
        found = int(listener.getsockname()[1])
        yield Running(found, f"{'https' if tls else 'http'}://127.0.0.1:{found}")
    finally:
        uvicorn_server.should_exit = True
        thread.join(1)
        uvicorn_server.force_exit = True  # connections that are kept open are not waited for
        thread.join(5)
        listener.close()
