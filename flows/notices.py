"""Prefect automations for runs that fail, and for runs that died without a word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from catalog.errors import ConfigError

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.automations import AutomationCore

TAG = "florilege"
"""Tag of all our deployments, and so of their runs: the automations look at these only."""
HEARTBEAT_S = 30
"""A run says so often that it lives; the least that Prefect allows."""
SILENCE_S = 120
"""A run that is silent for so long has died."""
UNSTARTED_S = 900
"""A run that is late for so long is one that nothing runs. Being late is not enough: a busy worker often is."""
CRASH, TELL, LATE = (
    "florilege: runs without heartbeat have crashed", "florilege: tell of failures", "florilege: tell of late runs",
)  # fmt: skip
BLOCK = "florilege-failures"
_RUNS = {"prefect.resource.id": "prefect.flow-run.*"}
_OURS = {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
_BAD = ("Failed", "Crashed", "TimedOut")
_PAYLOAD = """{
 "text": {{ ("florilege: " ~ flow.name ~ "/" ~ deployment.name ~ " is " ~ flow_run.state.name) | tojson }},
 "state": {{ flow_run.state.name | tojson }},
 "message": {{ flow_run.state.message | tojson }},
 "flow": {{ flow.name | tojson }},
 "deployment": {{ deployment.name | tojson }},
 "recipe": {{ flow_run.parameters.recipe | string | tojson }},
 "run": {{ flow_run.id | string | tojson }},
 "url": {{ flow_run | ui_url | tojson }},
 "occurred": {{ event.occurred | string | tojson }}
}"""


def check_url(url: str) -> str:
    """The URL itself if failures can be posted to it.

    Raises:
        ConfigError: it is no http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"--notify {url}: not a URL of a webhook; it starts with https:// or http://")
    return url


def set_up(notify: str | None) -> None:
    """Make our automations on the server, or bring them up to date.

    Args:
        notify: a webhook that gets a JSON object for each run that fails, crashes, or is started by nobody; None leaves
            what was set up before.
    """
    _put(crash_silent())
    if notify is not None:
        block = _webhook(notify)
        _put(tell(block))
        _put(tell_late(block))


def crash_silent() -> AutomationCore:
    """A run whose heartbeat ceases, without having reached a final state, becomes Crashed.

    Any state of the run ends the wait for the next heartbeat, so a run that has ended is left alone whatever its
    state is called.
    """
    from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState

    return AutomationCore(
        name=CRASH,
        description=f"A run that was silent for {SILENCE_S} s has died; the next one goes on where it stopped.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"}, expect={"prefect.flow-run.*"}, for_each={"prefect.resource.id"},
            match=ResourceSpecification(_RUNS), match_related=ResourceSpecification(_OURS),
            posture=Posture.Proactive, threshold=1, within=timedelta(seconds=SILENCE_S),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=f"no heartbeat for {SILENCE_S} s")],
    )  # fmt: skip


def tell(block: UUID) -> AutomationCore:
    """A run that went wrong is posted to the webhook of a block."""
    from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.events.actions import CallWebhook

    return AutomationCore(
        name=TELL,
        description="Posts runs that failed or crashed.",
        trigger=EventTrigger(
            expect={f"prefect.flow-run.{state}" for state in _BAD}, for_each={"prefect.resource.id"},
            match=ResourceSpecification(_RUNS), match_related=ResourceSpecification(_OURS),
            posture=Posture.Reactive, threshold=1, within=timedelta(0),
        ),
        actions=[CallWebhook(block_document_id=block, payload=_PAYLOAD)],
    )  # fmt: skip


def tell_late(block: UUID) -> AutomationCore:
    """A run that nothing starts is posted to the webhook of a block."""
    from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.events.actions import CallWebhook

    return AutomationCore(
        name=LATE,
        description=f"Posts runs that nothing started within {UNSTARTED_S} s: is the worker gone?",
        trigger=EventTrigger(
            after={"prefect.flow-run.Late"}, expect={"prefect.flow-run.*"}, for_each={"prefect.resource.id"},
            match=ResourceSpecification(_RUNS), match_related=ResourceSpecification(_OURS),
            posture=Posture.Proactive, threshold=1, within=timedelta(seconds=UNSTARTED_S),
        ),
        actions=[CallWebhook(block_document_id=block, payload=_PAYLOAD)],
    )  # fmt: skip


def _webhook(url: str) -> UUID:
    from uuid import UUID

    from prefect.blocks.webhook import Webhook
    from pydantic import SecretStr

    headers: Any = {"Content-Type": "application/json"}
    # A service of one's own on the private side is what most of these URLs are.
    block = Webhook(url=SecretStr(url), headers=headers, allow_private_urls=True)
    saved: Any = block.save(BLOCK, overwrite=True)  # typed as what its asynchronous form returns
    return UUID(str(saved))


def _put(automation: AutomationCore) -> None:
    """Make an automation, or replace the one of its name; a user's switch to off is kept.

    One that is as it should be is left alone: replacing it would forget the runs whose heartbeat it waits for.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        there = client.read_automations_by_name(automation.name)
        if not there:
            client.create_automation(automation)
            return
        first, *others = there
        if _said(first) != _said(automation):
            client.update_automation(first.id, automation.model_copy(update={"enabled": first.enabled}))
        for other in others:
            client.delete_automation(other.id)


def _said(automation: AutomationCore) -> Any:
    """What an automation does, without the ids that the server gives."""
    return automation.model_dump(include={"description": True, "actions": True, "trigger": {
        "after", "expect", "for_each", "match", "match_related", "posture", "threshold", "within",
    }})  # fmt: skip
