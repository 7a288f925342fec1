"""What a build does before there is anything to orchestrate: load the recipe, make the plan, see what is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog import snapshots
from catalog.files import Corpus, read_json
from filters import verdicts
from flows import engine, judging
from flows import plan as plans
from flows.derived import code, url_list_digests, url_lists_of
from flows.progress import Progress
from flows.recipe import Recipe, load

AFTER_SHARDS = ("minhash", "dedup", "rights", "classifier")
"""Tables of the recipe that, beside the thresholds, decide what becomes of finished shards."""


def prepare(recipe_path: str, keep: plans.Keep = "inputs") -> tuple[Recipe, Corpus, plans.Plan]:
    """Load the recipe and make or take up its plan; `keep` says what of it is written down."""
    recipe = load(Path(recipe_path))
    engine.check(recipe)
    url_lists_of(recipe)
    corpus = Corpus(Path(recipe.output))
    with Progress("reading the sources") as progress:
        plan = plans.make(recipe, corpus, progress.note_input, keep)
    return recipe, corpus, plan


def finished(corpus: Corpus, recipe: Recipe, plan: plans.Plan) -> dict[str, Any] | None:
    """The run's manifest when there is nothing left to do: all shards made, and the newest snapshot is theirs."""
    path, last = corpus.manifest("runs", plan.run), snapshots.newest(corpus)
    if not path.is_file() or last is None or plan.pending(corpus) or not corpus.database.is_file():
        return None
    if corpus.database.stat().st_mtime_ns < path.stat().st_mtime_ns:
        return None  # killed before the catalog was made
    manifest = read_json(path)
    settings = recipe.model_dump(mode="json")
    same = last["thresholds"] == threshold_rows(recipe) and manifest.get("url_lists") == url_list_digests(recipe)
    same = same and all(manifest["settings"].get(key) == settings[key] for key in AFTER_SHARDS)
    same = same and manifest.get("later_code") == code()
    return manifest if same and manifest["snapshot"] == last["snapshot"] else None


def threshold_rows(recipe: Recipe) -> list[dict[str, Any]]:
    """The recipe's thresholds as rows of the catalog's table, in the order in which they are tried."""
    resolved = verdicts.resolve(recipe.thresholds.preset, recipe.thresholds.set, recipe.thresholds.languages)
    return judging.rows(resolved)
