"""Recipes as Prefect deployments: served by this process, or handed to the workers of a pool."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import ConfigError
from extractors.processes import die_with_parent
from flows import notices
from flows.schedules import FLOWS, Planned, plan

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

_PORT = 4200
"""Where Prefect's server listens if nothing else is said."""
_PATIENCE_S = 180.0
_BEAT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(notices.HEARTBEAT_S)}


def serve(recipes: Sequence[Path], notify: str | None = None) -> None:
    """Run recipes by their schedules, in child processes of this one, until it is stopped."""
    planned = plan(recipes)
    if notify is not None:
        notices.check_url(notify)
    os.environ.update(_BEAT)  # before Prefect reads its settings; the runs' processes inherit it
    with _some_server() as url:
        import prefect

        served = deployments(planned)
        notices.set_up(notify)
        _show(planned, url)
        print("Runs are made by this process; stop it with Ctrl-C", flush=True)
        prefect.serve(*served, print_starting_message=False)


def deploy(recipes: Sequence[Path], pool: str, notify: str | None = None) -> None:
    """Hand recipes to a work pool, which is made when it is absent; workers of the pool run them.

    Raises:
        ConfigError: there is no lasting server, or the pool is not one of processes.
    """
    planned = plan(recipes)
    if notify is not None:
        notices.check_url(notify)
    if (url := _server_of_the_user()) is None:
        raise ConfigError(
            "no Prefect server is known: start one with `prefect server start --host 127.0.0.1`, then "
            f"`export PREFECT_API_URL=http://127.0.0.1:{_PORT}/api`; `florilege serve` needs none"
        )
    _make_pool(pool)
    notices.set_up(notify)
    for deployment in deployments(planned):
        deployment.job_variables = {"env": _BEAT}
        deployment.apply(work_pool_name=pool)
    _show(planned, url)
    print(f"Runs are made by workers: prefect worker start --pool {pool}")


def deployments(planned: Sequence[Planned]) -> list[RunnerDeployment]:
    """A deployment for each recipe: `<flow>/<name>`, found by module, with no two runs at the same time."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    alone = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    made = []
    for one in planned:
        module, name = FLOWS[one.kind].split(":")
        when = None if one.schedule is None else Cron(one.schedule.cron, timezone=one.schedule.timezone)
        made.append(
            RunnerDeployment.from_flow(
                getattr(importlib.import_module(module), name), one.name, schedule=when,
                paused=one.schedule is not None and one.schedule.paused, concurrency_limit=alone,
                parameters={"recipe": str(one.recipe)}, tags=[notices.TAG], entrypoint_type=EntrypointType.MODULE_PATH,
            )
        )  # fmt: skip
    return made


def _show(planned: Sequence[Planned], url: str) -> None:
    print(f"Prefect: {url.removesuffix('/api')}")
    for one in planned:
        flow = FLOWS[one.kind].split(":")[1]
        when = "on demand: it has no [schedule]"
        if one.schedule is not None:
            when = f"{one.schedule.cron} ({one.schedule.timezone})" + (", paused" if one.schedule.paused else "")
        print(f"  {flow}/{one.name}  {when}  {one.recipe}")


def _make_pool(name: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    with get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
            return
    if pool.type != "process":
        raise ConfigError(f"--pool {name}: is of type {pool.type}; a pool of type process is needed")


def _server_of_the_user() -> str | None:
    """The API that the environment or the profile names."""
    from prefect.settings import get_current_settings

    return get_current_settings().api.url


@contextmanager
def _some_server() -> Iterator[str]:
    """The user's server, or one of our own that ends with this process."""
    if (url := _server_of_the_user()) is not None:
        yield url
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    print("Starting Prefect's server; the first time it makes its database", flush=True)
    server = _start(port)
    try:
        _wait(server, url)
        with temporary_settings({PREFECT_API_URL: url}):
            yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _free_port() -> int:
    """Prefect's usual port if nothing is there; another if it is no Prefect server.

    Raises:
        ConfigError: a Prefect server is there, and a second one would share its database.
    """
    if _answers(f"http://127.0.0.1:{_PORT}/api"):
        raise ConfigError(
            f"a Prefect server answers at port {_PORT}, but nothing says that it is to be used; if it is yours: "
            f"export PREFECT_API_URL=http://127.0.0.1:{_PORT}/api"
        )
    for port in (_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigError("no free port at 127.0.0.1 for Prefect's server")


def _start(port: int) -> subprocess.Popen[bytes]:
    # Leases of limits in files: those in memory are forgotten when the server ends, and their slots never come free.
    files = {"PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem"}
    # Where its pages and its notices find it: `--port` alone says it to neither.
    there = {"PREFECT_UI_URL": f"http://127.0.0.1:{port}", "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api"}
    # A session of its own, so that Ctrl-C reaches us first and schedules can still be paused.
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=files | os.environ | there, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=die_with_parent,
    )  # fmt: skip


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if _answers(url):
            return
        if server.poll() is not None:
            raise ConfigError(f"Prefect's server ended with status {server.returncode} instead of starting")
        time.sleep(0.2)
    raise ConfigError(f"Prefect's server did not answer at {url} within {_PATIENCE_S:.0f} s")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200 and answer.read(16).strip() == b"true")
    except (urllib.error.URLError, OSError, ValueError):
        return False
