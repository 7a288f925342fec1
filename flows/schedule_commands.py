"""The commands for schedules, as the front door shows them: one thin function a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Notify = Annotated[str | None, Parameter(env_var="FLORILEGE_NOTIFY")]


def serve(recipes: list[Path], *, notify: Notify = None) -> None:
    """Run recipes by their [schedule] until stopped; starts a Prefect server when none is configured.

    Parameters
    ----------
    recipes
        Recipes of corpora, of sets and of harvests, see docs/schedules.md.
    notify
        URL that gets a JSON object when a run fails, crashes or is late; also from FLORILEGE_NOTIFY.
    """
    from flows import serving

    serving.serve(recipes, notify)


def deploy(
    recipes: list[Path],
    *,
    pool: Annotated[str, Parameter(name=["--pool", "-p"])] = "florilege",
    notify: Notify = None,
) -> None:
    """Hand recipes to a Prefect work pool, whose workers run them by their [schedule].

    Parameters
    ----------
    recipes
        Recipes of corpora, of sets and of harvests, see docs/schedules.md.
    pool
        Work pool of type process; made when absent.
    notify
        URL that gets a JSON object when a run fails, crashes or is late; also from FLORILEGE_NOTIFY.
    """
    from flows import serving

    serving.deploy(recipes, pool, notify)
