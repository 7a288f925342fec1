"""One run at a host at a time: Prefect's global concurrency limits, one for each host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from catalog.errors import ConfigError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from prefect.client.orchestration import SyncPrefectClient

LEASE_S = 120.0
"""How long a slot stays taken after the run that held it died. A living run renews its lease every 90 s."""
_LONG_S = 5.0
"""To take slots that are free takes less."""
_server_passes = ContextVar("server_passes", default=False)


@contextmanager
def passing_server() -> Iterator[None]:
    """Let flows hold no limits: their server ends with this process, and none would free the slots of a killed run."""
    token = _server_passes.set(True)
    try:
        yield
    finally:
        _server_passes.reset(token)


@contextmanager
def hosts_held(hosts: Sequence[str]) -> Iterator[None]:
    """Hold one slot of the limit `host:<name>` of each host; wait, and say so, while other runs hold one.

    All slots are taken at once or none is, so that two runs cannot wait for each other. A limit that is not there yet
    is made with one slot; how many it has is then the user's to change. Outside a flow run, and with a server that
    ends with this process, nothing is held.

    Raises:
        ConfigError: a limit has no slot at all.
    """
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext

    names = sorted({limit_name(host) for host in hosts})
    if not names or FlowRunContext.get() is None or _server_passes.get():
        yield
        return
    with get_client(sync_client=True) as client:
        for name in names:
            _make(client, name)
        slots = _take(client, names)
    try:
        yield
    finally:
        _give_back(slots)


def limit_name(host: str) -> str:
    """The name of a host's limit; `/`, `%`, `&`, `>` and `<`, which Prefect refuses, stand in no host name.

    >>> limit_name("Example.org.")
    'host:example.org'
    """
    return f"host:{host.lower().rstrip('.')}"


def _make(client: SyncPrefectClient, name: str) -> None:
    """Make the limit with one slot unless it is there; two runs may try at once."""
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError

    try:
        client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        try:
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
        except (ObjectAlreadyExists, PrefectHTTPStatusError):
            client.read_global_concurrency_limit_by_name(name)  # the other run made it; or the error is real


def _take(client: SyncPrefectClient, names: list[str]) -> AbstractContextManager[None]:
    """Take a slot of each limit, however long it takes."""
    from prefect.concurrency.sync import concurrency

    limits = [client.read_global_concurrency_limit_by_name(name) for name in names]
    if none := next((limit.name for limit in limits if limit.active and limit.limit < 1), None):
        raise ConfigError(f"the limit {none} has no slot; `prefect gcl update {none} --limit 1` gives it one")
    full = [limit.name for limit in limits if limit.active and limit.active_slots >= limit.limit]
    # A lease that cannot be renewed, because the server is away, is no reason to end a harvest of hours.
    slots = concurrency(names, lease_duration=LEASE_S, strict=True, raise_on_lease_renewal_failure=False)
    with _waiting(full, names) as waited:
        slots.__enter__()
    if waited:
        _say("the wait is over")
    return slots


@contextmanager
def _waiting(full: list[str], names: list[str]) -> Iterator[list[str]]:
    """Say that it waits: at once where a limit is full, else after a while, for another run may have been quicker.

    What was said is in the list when the context ends.
    """
    import threading
    from contextvars import copy_context

    said: list[str] = []

    def say(limits: list[str]) -> None:
        said.append(_waiting_for(limits))
        _say(said[-1])

    if full:
        say(full)
        yield said
        return
    timer = threading.Timer(_LONG_S, copy_context().run, (say, names))
    timer.daemon = True
    timer.start()
    try:
        yield said
    finally:
        timer.cancel()


def _give_back(slots: AbstractContextManager[None]) -> None:
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        slots.__exit__(None, None, None)
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        _say(f"the hosts' slots could not be given back and come free in {LEASE_S:.0f} s: {error}")


def _waiting_for(full: list[str]) -> str:
    hosts = ", ".join(name.removeprefix("host:") for name in full[:5])
    more = f" and {len(full) - 5} more" if len(full) > 5 else ""
    return (
        f"waiting for {hosts}{more}, held by another run. If none is running: "
        f"prefect gcl update {full[0]} --active-slots 0"
    )


def _say(message: str) -> None:
    """In the run's log, and in the terminal, where the log is silent."""
    import sys

    from prefect.logging import get_run_logger

    get_run_logger().warning(message)
    if sys.stderr.isatty():
        print(message, file=sys.stderr)
