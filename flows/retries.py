"""Which failures of a task are worth another try."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from catalog.errors import RetryableError


def worth_another_try(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a task failed by a RetryableError: Prefect's `retry_condition_fn`."""
    try:
        state.result()
    except RetryableError:
        return True
    except Exception:
        return False
    return False
