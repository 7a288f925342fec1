"""Pages and PDFs of web sites, from seeds, sitemaps and feeds, into an archive."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.harvesting import harvest


@flow(name="crawl", flow_run_name="{recipe}", log_prints=False)
def crawl(recipe: str) -> State[dict[str, Any]]:
    """Harvest by a recipe with the table [crawl]: see `flows.harvesting.harvest`.

    Returns:
        The harvest's manifest: archive, harvest, status, started, ended, requests, bytes, outcomes.
    """
    return harvest(recipe, "crawl")
