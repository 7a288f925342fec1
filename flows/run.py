"""Running the build flow from the command line: not at all when there is nothing to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast


def run(recipe: Path) -> dict[str, Any]:
    """Build a recipe; starts Prefect only when something is missing.

    Returns:
        The run's manifest with `did`: `nothing` or `built`, and `corpus`: the folder.
    """
    from flows.prepare import finished, prepare
    from flows.server import start, used

    loaded, corpus, plan = prepare(str(recipe))
    if done := finished(corpus, loaded, plan):
        return {**done, "did": "nothing", "corpus": str(corpus.root)}
    server = start()
    # The command line says itself what went wrong; Prefect's log would say it again with its own stack.
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    from flows.build import build

    with used(server):
        manifest = cast("dict[str, Any]", build(str(recipe)))  # Prefect unpacks the state that a flow returns
        return {**manifest, "corpus": str(corpus.root)}
