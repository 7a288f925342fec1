"""Schedules: what a recipe may say, which deployments it becomes, and what stands on a server afterwards."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.errors import ConfigError
from flows.schedules import FLOWS, Planned, Schedule, kind_of, plan

BUILD = 'name = "{name}"\noutput = "corpus"\n[[sources]]\nname = "web"\nkind = "warc"\npath = "in"\n'


@pytest.fixture
def mark(server: str) -> Iterator[str]:
    """Runs of this process report to the shared server; what bears this mark there goes at the end."""
    from prefect.client.orchestration import get_client
    from prefect.logging.handlers import APILogHandler
    from prefect.settings import PREFECT_API_URL, temporary_settings

    mark = f"test-{uuid.uuid4().hex[:12]}"
    with temporary_settings({PREFECT_API_URL: server}):
        yield mark
        APILogHandler().flush()  # else it tries after the server has gone
        with get_client(sync_client=True) as client:
            for limit in client.read_global_concurrency_limits(limit=200, offset=0):
                if mark in limit.name:
                    client.delete_global_concurrency_limit_by_name(limit.name)


def recipe(folder: Path, text: str, name: str = "recipe.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (BUILD, "build"),
        ('corpus = "corpus"\n[[pairs]]\nname = "titles"\n', "sets"),
        ('name = "a"\n[crawl]\n', "crawl"),
        ('name = "a"\n[eurlex]\n', "eurlex"),
        ('name = "a"\n[erudit]\n', "erudit"),
        ('name = "a"\n[commoncrawl]\n', "commoncrawl"),
    ],
)
def test_the_tables_say_what_a_recipe_is(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of(recipe(tmp_path, text)) == kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\n', "no recipe; a recipe has"),
        ("[crawl]\n[eurlex]\n", "is crawl and eurlex at once"),
        ("[crawl]\n[[sources]]\n", "is crawl and build at once"),
        ("[crawl\n", "not a TOML file"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        kind_of(recipe(tmp_path, text))


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: no such recipe"):
        kind_of(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    "cron", ["0 3 * * *", "*/5 * * * *", "0 3,15 1-7 jan-mar,12 mon-fri", "59 23 31 12 7", "0-30/10 0 * * sun"]
)
def test_crons_that_are_valid(cron: str) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    assert CronSchedule(cron=Schedule(cron=cron).cron)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 3 * *", "4 fields; five are needed"),
        ("@daily", "1 fields"),
        ("0 3 * * * *", "6 fields"),
        ("60 * * * *", "minute: '60'"),
        ("* 24 * * *", "hour: '24'"),
        ("* * 0 * *", "day of the month: '0'"),
        ("* * * 13 *", "month: '13'"),
        ("* * * * 8", "day of the week: '8'"),
        ("* * * * fri-mon", "day of the week: 'fri-mon'"),
        ("*/0 * * * *", "minute"),
        ("5/2 * * * *", "minute"),
        ("H * * * *", "minute: 'h'"),
        ("1,,2 * * * *", "minute"),
        ("٣ * * * *", "minute"),
    ],
)
def test_crons_that_are_not(cron: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Schedule(cron=cron)
    assert said in str(caught.value)


@given(st.lists(st.text("*0123456789,-/janmofr", min_size=1, max_size=6), min_size=5, max_size=5))
def test_a_cron_that_is_taken_is_one_for_prefect(fields: list[str]) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    try:
        cron = Schedule(cron=" ".join(fields)).cron
    except ValidationError:
        return
    CronSchedule(cron=cron)


def test_a_time_zone_is_one_that_exists() -> None:
    assert Schedule(cron="0 3 * * *").timezone == "UTC"
    assert ZoneInfo(Schedule(cron="0 3 * * *", timezone="Europe/Paris").timezone)
    for wrong in ("Paris", "../../etc/passwd", "CET+1", ""):
        with pytest.raises(ValidationError, match="no such time zone"):
            Schedule(cron="0 3 * * *", timezone=wrong)


def test_a_schedule_is_part_of_a_recipe(tmp_path: Path) -> None:
    text = BUILD.format(name="one") + '[schedule]\ncron = "0 3 * * MON"\ntimezone = "Europe/Paris"\n'
    sets = 'corpus = "corpus"\n[schedule]\ncron = "0 5 * * *"\npaused = true\n'
    planned = plan([recipe(tmp_path, text), recipe(tmp_path, sets, "titles.toml")])
    assert [(one.kind, one.name) for one in planned] == [("build", "one"), ("sets", "titles")]
    assert planned[0].schedule == Schedule(cron="0 3 * * mon", timezone="Europe/Paris")
    assert planned[1].schedule == Schedule(cron="0 5 * * *", paused=True)


def test_a_mistake_in_a_schedule_names_file_key_and_value(tmp_path: Path) -> None:
    path = recipe(tmp_path, BUILD.format(name="one") + '[schedule]\ncron = "0 25 * * *"\nevery = "day"\n')
    with pytest.raises(ConfigError) as caught:
        plan([path])
    said = str(caught.value)
    assert "recipe.toml" in said and "schedule.cron = '0 25 * * *'" in said and "hour: '25'" in said
    assert "schedule.every: unknown key; valid here: cron, timezone, paused" in said


def test_two_recipes_of_one_name_are_refused_and_one_given_twice_is_one(tmp_path: Path) -> None:
    first, second = (recipe(tmp_path, BUILD.format(name="one"), f"{n}.toml") for n in "ab")
    assert len(plan([first, first])) == 1
    with pytest.raises(ConfigError, match=r"b\.toml: the name 'one' is that of .*a\.toml too"):
        plan([first, second])


def test_reading_a_schedule_does_not_import_prefect(tmp_path: Path) -> None:
    path = recipe(tmp_path, BUILD.format(name="one") + '[schedule]\ncron = "0 3 * * *"\n')
    code = "import sys; from pathlib import Path; from flows.recipe import load; "
    code += f"assert load(Path({str(path)!r})).schedule; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_deployments_are_found_by_module_and_run_alone(tmp_path: Path) -> None:
    from prefect.flows import load_flow_from_entrypoint

    from flows.notices import TAG
    from flows.serving import deployments

    when = Schedule(cron="0 3 * * *", timezone="Europe/Paris", paused=True)
    planned = [Planned(kind, "a", tmp_path / kind, when if kind == "build" else None) for kind in FLOWS]
    made = dict(zip(FLOWS, deployments(planned), strict=True))
    for kind, deployment in made.items():
        assert deployment.parameters == {"recipe": str(tmp_path / kind)}
        assert deployment.concurrency_limit == 1
        assert deployment.concurrency_options is not None
        assert deployment.concurrency_options.collision_strategy.value == "CANCEL_NEW"
        assert deployment.tags == [TAG]
        assert load_flow_from_entrypoint(deployment.entrypoint or "").name == deployment.flow_name
    assert [made[kind].full_name for kind in FLOWS][:3] == ["build/a", "pairs/a", "crawl/a"]
    schedules = made["build"].schedules or []
    cron: Any = schedules[0].schedule
    assert (cron.cron, cron.timezone, made["build"].paused) == ("0 3 * * *", "Europe/Paris", True)
    assert not made["crawl"].schedules and not made["crawl"].paused


def test_automations_are_made_once_and_keep_being_switched_off(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.client.orchestration import get_client

    from flows import notices

    names = {name: f"{getattr(notices, name)} {mark}" for name in ("CRASH", "TELL", "LATE")}
    for name, value in (names | {"BLOCK": mark}).items():
        monkeypatch.setattr(notices, name, value)
    with get_client(sync_client=True) as client:
        notices.set_up(None)
        assert [len(client.read_automations_by_name(name)) for name in names.values()] == [1, 0, 0]
        first = client.read_automations_by_name(names["CRASH"])[0]
        notices.set_up("http://127.0.0.1:9/hook")
        client.pause_automation(client.read_automations_by_name(names["TELL"])[0].id)
        notices.set_up("http://127.0.0.1:9/other")
        found = [client.read_automations_by_name(name) for name in names.values()]
        block: Any = client.read_block_document_by_name(mark, "webhook", include_secrets=True)
        for automation in (automation for several in found for automation in several):
            client.delete_automation(automation.id)
        client.delete_block_document(block.id)
    assert found[0][0] == first, "replaced: it would forget the runs that it watches"
    assert [[automation.enabled for automation in several] for several in found] == [[True], [False], [True]]
    assert block.data["url"] == "http://127.0.0.1:9/other"


@pytest.mark.parametrize("url", ["mailto:a@example.org", "hooks.example.org/a", "http://", "file:///etc/passwd"])
def test_failures_are_told_to_web_addresses_only(url: str) -> None:
    from flows.notices import check_url

    with pytest.raises(ConfigError, match="--notify"):
        check_url(url)


def started(run: Callable[[], None]) -> threading.Thread:
    """The flow in a thread of its own, with the settings of this one."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    return thread


def test_a_host_is_held_by_one_run_at_a_time(mark: str) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client

    from flows.limits import hosts_held

    held, release, order = threading.Event(), threading.Event(), []

    @flow(name="first")
    def first() -> None:
        with hosts_held([f"A.{mark}.org", f"b.{mark}.org."]):
            held.set()
            assert release.wait(60)
            order.append("first ends")

    @flow(name="second")
    def second() -> None:
        with hosts_held([f"c.{mark}.org", f"a.{mark}.org"]):
            order.append("second begins")

    with get_client(sync_client=True) as client:
        one = started(first)
        assert held.wait(60)
        limit = client.read_global_concurrency_limit_by_name(f"host:a.{mark}.org")
        assert (limit.limit, limit.active_slots) == (1, 1)
        two = started(second)
        waits = f"waiting for a.{mark}.org, held by another run. If none is running: prefect gcl update host:a.{mark}"
        while not any(log.message.startswith(waits) for log in client.read_logs()):
            assert two.is_alive()
            time.sleep(0.1)
        assert client.read_global_concurrency_limit_by_name(f"host:c.{mark}.org").active_slots == 0, "all or nothing"
        release.set()
        one.join(60)
        two.join(60)
        assert order == ["first ends", "second begins"]
        for name in (f"host:{letter}.{mark}.org" for letter in "abc"):
            limit = client.read_global_concurrency_limit_by_name(name)
            assert (limit.limit, limit.active_slots) == (1, 0)


def test_slots_that_a_user_gave_are_kept_and_none_is_said(mark: str) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate

    from flows.limits import hosts_held

    @flow
    def holding() -> None:
        with hosts_held([f"{mark}.org"]):
            pass

    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=f"host:{mark}.org", limit=3))
        holding()
        assert client.read_global_concurrency_limit_by_name(f"host:{mark}.org").limit == 3
        client.update_global_concurrency_limit(f"host:{mark}.org", GlobalConcurrencyLimitUpdate(limit=0))
        with pytest.raises(ConfigError, match=f"host:{mark}.org has no slot"):
            holding()


def test_without_a_lasting_server_nothing_is_held(mark: str) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    from flows.limits import hosts_held, passing_server

    with hosts_held([f"{mark}.org"]):
        pass  # outside of any run

    @flow
    def holding() -> None:
        with hosts_held([f"{mark}.org"]):
            pass

    with passing_server():
        holding()
    with get_client(sync_client=True) as client, pytest.raises(ObjectNotFound):
        client.read_global_concurrency_limit_by_name(f"host:{mark}.org")
