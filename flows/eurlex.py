"""Acts in their language versions, from CELLAR, into an archive."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.harvesting import harvest


@flow(name="eurlex", flow_run_name="{recipe}", log_prints=False)
def eurlex(recipe: str) -> State[dict[str, Any]]:
    """Harvest by a recipe with the table [eurlex]: see `flows.harvesting.harvest`.

    Returns:
        The harvest's manifest: archive, harvest, status, started, ended, requests, bytes, outcomes.
    """
    return harvest(recipe, "eurlex")
