"""The build: plan, make the missing shards, cluster, judge, publish. Tasks pass paths and ids, never documents."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from catalog import reports, snapshots, store
from catalog.errors import RetryableError, ShardError
from catalog.files import Corpus, read_json, write_json
from catalog.members import members
from filters import dedup
from flows import derived, engine
from flows import plan as plans
from flows.lock import locked
from flows.prepare import AFTER_SHARDS, finished, prepare, threshold_rows
from flows.progress import Progress
from flows.recipe import Recipe, load
from flows.retries import worth_another_try

_ATTEMPTS = 2
"""A shard that failed this often in a run is given up."""


@flow(name="build", flow_run_name="{recipe}", log_prints=False)
def build(recipe: str) -> State[dict[str, Any]]:
    """Build the corpus of a recipe, or what is missing of it; when nothing is, the run's message says so.

    Args:
        recipe: path of the recipe.

    Returns:
        The run's manifest: run, status, snapshot, shards made and failed, seconds per stage.

    Raises:
        ConfigError: the recipe is wrong, or another process builds or judges the same corpus.
        ShardError: no shard could be made at all. One that could not be made while others were is in the manifest,
            whose status is then `incomplete`.
    """
    corpus = Corpus(Path(load(Path(recipe)).output))
    with locked(corpus):
        if load(Path(recipe)).engine.kind == "local":
            shutil.rmtree(corpus.staging, ignore_errors=True)  # what killed builds left; no worker of theirs lives on
        started = datetime.now(UTC)
        seconds: dict[str, float] = {}
        with timed(seconds, "plan"):
            run = plan_run(recipe)
        plan = _plan(corpus, run)
        if done := finished(corpus, load(Path(recipe)), plan):
            return Completed(message="nothing new", data={**done, "did": "nothing"})
        with timed(seconds, "shards"):
            failed = make_all(recipe, run)
            if failed and not any(m["work"] == plan.work for m in members(corpus, plan.work, plan.present)):
                shard, error = next(iter(failed.items()))
                raise ShardError(f"no shard could be made; {shard}: {error}")
        with timed(seconds, "clusters"):
            clusters = find_clusters(recipe, run)
        with timed(seconds, "measures"):
            measured = measure(recipe, run)
        with timed(seconds, "publish"):
            snapshot = publish(recipe, run, clusters, measured)
        manifest = record_run(recipe, run, started, seconds, failed, snapshot)
        store.rebuild(corpus)
        report(corpus)
    made = f"snapshot {snapshot}, {len(plan.shards) - len(failed)} of {len(plan.shards)} shards"
    return Completed(message=made, data={**manifest, "did": "built"})


@task
def plan_run(recipe: str) -> str:
    """Make the plan; its id is the run's."""
    return prepare(recipe, keep="plan")[2].run


def make_all(recipe: str, run: str) -> dict[str, str]:
    """Make all pending shards, group by group; returns the error of each shard that could not be made."""
    loaded = load(Path(recipe))
    corpus = Corpus(Path(loaded.output))
    plan = _plan(corpus, run)
    folder = engine.failures_folder(corpus, run)
    for old in folder.glob("*.json"):
        old.unlink()
    errors: dict[str, str] = {}
    for group in plans.groups(plan.pending(corpus), engine.workers(loaded)):
        shards = [spec.shard for spec in group]
        state = make_group(recipe, run, shards, return_state=True)
        errors.update(dict.fromkeys(shards, state.message or "not made"))
    missing = [spec.shard for spec in plan.pending(corpus)]
    noted = {s: read_json(folder / f"{s}.json")["error"] for s in missing if engine.attempts(folder, s)}
    return {shard: noted.get(shard, errors[shard]) for shard in missing}


@task(retries=2, retry_delay_seconds=1, retry_condition_fn=worth_another_try, task_run_name="shards-{run}")
def make_group(recipe: str, run: str, shards: list[str]) -> int:
    """Make a group of shards on the engine; returns how many of them there are."""
    loaded = load(Path(recipe))
    corpus = Corpus(Path(loaded.output))
    plan = _plan(corpus, run)
    failures, wanted = engine.failures_folder(corpus, run), set(shards)
    mine = [spec for spec in plan.shards if spec.shard in wanted]

    def left() -> list[plans.ShardSpec]:
        """What is neither made nor given up."""
        open_ = [s for s in mine if not corpus.manifest("shards", s.shard).is_file()]
        return [s for s in open_ if engine.attempts(failures, s.shard) < _ATTEMPTS]

    with Progress("making shards") as progress:
        while pending := left():
            watch = partial(progress.show, corpus, run, pending)
            tried = sum(engine.attempts(failures, s.shard) for s in mine)
            try:
                engine.make_shards(loaded, corpus, plan, pending, watch)
            except RetryableError:
                # A worker that died has had its shard noted; whatever else went wrong is worth another task run.
                if sum(engine.attempts(failures, s.shard) for s in mine) == tried:
                    raise
    return len(shards)


@task(retries=2, retry_delay_seconds=1, retry_condition_fn=worth_another_try)
def find_clusters(recipe: str, run: str) -> dict[str, Any]:
    """Cluster the duplicates among all shards of the snapshot to be."""
    loaded, corpus, _, shards = _members(recipe, run)
    return derived.clusters(loaded, corpus, shards)


@task(retries=2, retry_delay_seconds=1, retry_condition_fn=worth_another_try)
def measure(recipe: str, run: str) -> list[dict[str, Any]]:
    """Measure what takes more than one document: repeated lines, rights, scores."""
    loaded, corpus, _, shards = _members(recipe, run)
    with Progress("measuring across documents") as progress:
        return derived.measures(loaded, corpus, shards, progress.say)


@task(retries=2, retry_delay_seconds=1, retry_condition_fn=worth_another_try)
def publish(recipe: str, run: str, clusters: dict[str, Any], measured: list[dict[str, Any]]) -> int:
    """Judge every document and publish the snapshot; returns its number."""
    loaded, corpus, plan, shards = _members(recipe, run)
    thresholds = threshold_rows(loaded)
    versions = dedup.act_version("celex") if loaded.dedup.versions == "link" else None
    judged = snapshots.judge(corpus, shards, clusters, thresholds, measured, versions)
    whole = loaded.model_dump(mode="json")
    snapshot = snapshots.publish_snapshot(
        corpus, run, plan.code, loaded.thresholds.preset, shards, [clusters, *measured, judged], thresholds,
        {key: whole[key] for key in AFTER_SHARDS},
    )  # fmt: skip
    return int(snapshot["snapshot"])


def record_run(
    recipe: str, run: str, started: datetime, seconds: dict[str, float], failed: dict[str, str], snapshot: int
) -> dict[str, Any]:
    """Write the run's manifest."""
    loaded = load(Path(recipe))
    corpus = Corpus(Path(loaded.output))
    plan, path = _plan(corpus, run), corpus.manifest("runs", run)
    first: dict[str, Any] = {"attempts": 0, "started": started.isoformat()}
    before = read_json(path) if path.is_file() else first
    manifest = {
        "run": run, "recipe": loaded.name, "status": "incomplete" if failed else "complete",
        "started": before["started"], "ended": datetime.now(UTC).isoformat(), "attempts": before["attempts"] + 1,
        "snapshot": snapshot, "shards": len(plan.shards), "made": len(plan.shards) - len(failed),
        "failed_shards": failed, "code": plan.code, "settings": loaded.model_dump(mode="json"),
        "seconds": {stage: round(s, 2) for stage, s in seconds.items()},
        "url_lists": derived.url_list_digests(loaded), "later_code": derived.code(),
        "sources": [
            {"source": s.name, "kind": s.kind, "path": s.path, "files": len(plan.present[s.name]),
             "bytes": sum(spec.bytes for spec in plan.shards if spec.source == s.name)}
            for s in loaded.sources
        ],
    }  # fmt: skip
    write_json(path, manifest)
    return manifest


def report(corpus: Corpus) -> None:
    """Leave the funnel and the figures as artifacts of the flow run."""
    with store.reading(corpus) as connection:
        create_table_artifact(
            key="funnel", table=reports.funnel(connection), description="Records per source and stage"
        )
        create_markdown_artifact(key="corpus", markdown=reports.summary(connection))


def _plan(corpus: Corpus, run: str) -> plans.Plan:
    return plans.load(corpus.work / "runs" / run / "plan.json")


def _members(recipe: str, run: str) -> tuple[Recipe, Corpus, plans.Plan, list[dict[str, Any]]]:
    loaded = load(Path(recipe))
    corpus = Corpus(Path(loaded.output))
    plan = _plan(corpus, run)
    return loaded, corpus, plan, members(corpus, plan.work, plan.present)


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - start
