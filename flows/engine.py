"""Where shards are made: datatrove's executors, in a process of their own.

The executor runs as `python -m flows.engine JOB`, because it wants a main module without side effects, and so that
its death is an exit status and not the end of the flow.
"""

from __future__ import annotations

import importlib.util
import itertools
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, RetryableError
from catalog.files import Corpus, digest, read_json, write_json
from extractors.processes import die_with_parent
from flows import plan as plans
from flows.plan import Plan, ShardSpec
from flows.recipe import Recipe

_POLL_S = 0.1
_WATCH_EVERY = 10
_RENEW_S = 5.0
_SLURM_POLL_S = 10.0
_SLURM_PATIENCE = 30
_CLUSTER_WORKERS = 64
"""Assumed of a cluster when groups of shards are laid out; the cluster itself decides how many run."""
_SILENCE_S = 180.0
"""Longer than network file systems keep a file's time to themselves (NFS: 60 s)."""


def check(recipe: Recipe) -> None:
    """Raise ConfigError when the recipe's engine is not installed here."""
    kind = recipe.engine.kind
    if kind == "ray" and importlib.util.find_spec("ray") is None:
        raise ConfigError('engine.kind = "ray" needs Ray: pip install "florilege[ray]"')
    if kind == "slurm" and shutil.which("sbatch") is None:
        raise ConfigError('engine.kind = "slurm" needs sbatch on the PATH of the machine that builds')


def make_shards(
    recipe: Recipe, corpus: Corpus, plan: Plan, shards: list[ShardSpec], watch: Callable[[], None] | None = None
) -> None:
    """Make `shards` on the recipe's engine; `watch` is called once a second.

    Raises:
        ConfigError: the engine is not installed.
        RetryableError: the engine or one of its workers died; finished shards stay.
    """
    check(recipe)
    job = digest([plan.run, [s.shard for s in shards]])
    folder = corpus.work / "runs" / plan.run / "jobs" / job
    write_json(folder / "job.json", {
        "recipe": recipe.model_dump(mode="json"), "plan": plan.run, "corpus": str(corpus.root),
        "shards": [s.shard for s in shards],
    })  # fmt: skip
    shutil.rmtree(folder / "workers", ignore_errors=True)
    log = folder / "engine.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.engine", str(folder / "job.json")],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            preexec_fn=die_with_parent,
        )  # fmt: skip
    try:
        for tick in itertools.count():
            time.sleep(_POLL_S)
            if process.poll() is not None:
                break
            if tick % _WATCH_EVERY:
                continue
            if watch:
                watch()
            if shard := _dead_worker(folder, recipe.engine.kind == "local"):
                note_failure(failures_folder(corpus, plan.run), shard, "its worker was killed (out of memory?)")
                raise RetryableError(f"the worker that made shard {shard} was killed; see {log}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise RetryableError(f"the engine ended with status {process.returncode}: {_last_error(log)}; see {log}")


def _dead_worker(folder: Path, here: bool) -> str | None:
    """The shard of a worker that was killed from outside: datatrove's pool would wait for its result for ever.

    Its process is looked for when the workers are `here`, on this machine; elsewhere its mark is no longer renewed.
    """
    clock = folder / "clock"
    clock.touch()
    now = clock.stat().st_mtime  # by the clock of the file system, as the marks are
    for mark in (folder / "workers").glob("*"):
        try:
            if here:
                os.kill(int(mark.read_text()), 0)
            elif now - mark.stat().st_mtime > _SILENCE_S:
                return mark.name
        except ProcessLookupError:
            return mark.name
        except (FileNotFoundError, ValueError):
            continue  # just ended, just begun
    return None


def _last_error(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["no output"])[-1].strip()[:300]


class Start:
    """First block of a task: dies with its parent, and keeps a mark, named as its shard, fresh while it works."""

    def __init__(self, folder: Path, shards: list[ShardSpec]) -> None:
        self.marks, self.shards = folder / "workers", shards

    def __call__(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        die_with_parent()
        self.marks.mkdir(parents=True, exist_ok=True)
        mark = self.marks / self.shards[rank].shard
        mark.write_text(str(os.getpid()))
        threading.Thread(target=_renew, args=[mark], daemon=True).start()
        return iter(())


def _renew(mark: Path) -> None:
    with suppress(FileNotFoundError):
        while True:
            os.utime(mark)
            time.sleep(_RENEW_S)


class Finish:
    """Last block: notes the error of a shard that could not be made, so that the other shards go on."""

    def __init__(self, folder: Path, failures: Path, shards: list[ShardSpec]) -> None:
        self.marks, self.failures, self.shards = folder / "workers", failures, shards

    def __call__(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        try:
            yield from data
        except Exception as error:
            note_failure(self.failures, self.shards[rank].shard, f"{type(error).__name__}: {error}")
            logging.getLogger(__name__).exception("shard %s", self.shards[rank].shard)
        (self.marks / self.shards[rank].shard).unlink(missing_ok=True)


def failures_folder(corpus: Corpus, run: str) -> Path:
    return corpus.work / "runs" / run / "failures"


def note_failure(folder: Path, shard: str, error: str) -> None:
    write_json(folder / f"{shard}.json", {"error": error, "attempts": attempts(folder, shard) + 1})


def attempts(folder: Path, shard: str) -> int:
    """How often the shard has failed in this run."""
    path = folder / f"{shard}.json"
    return int(read_json(path)["attempts"]) if path.is_file() else 0


def _executor(recipe: Recipe, corpus: Corpus, plan: Plan, shards: list[ShardSpec], folder: Path) -> Any:
    from flows.blocks import ExtractText, ReadShard, WriteShard
    from flows.measures import Signals

    line: list[Any] = [
        ReadShard(recipe, shards), ExtractText(recipe), Signals(recipe), WriteShard(corpus, plan, shards),
        Finish(folder, failures_folder(corpus, plan.run), shards),
    ]  # fmt: skip
    # The manifests say what is done; datatrove's own marks would outlive a deleted shard.
    common = {"tasks": len(shards), "logging_dir": str(folder / f"logs-{os.getpid()}"), "skip_completed": False}
    if recipe.engine.kind == "slurm":
        return _slurm(recipe, line, common, _job_name(recipe, folder))
    line = [Start(folder, shards), *line]
    if recipe.engine.kind == "ray":
        return _ray(recipe, line, common)
    from datatrove.executor.local import LocalPipelineExecutor

    return LocalPipelineExecutor(line, workers=min(workers(recipe), len(shards)), start_method="forkserver", **common)


def _ray(recipe: Recipe, line: list[Any], common: dict[str, Any]) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported
    import ray
    from datatrove.executor.ray import RayPipelineExecutor

    ray.init(address=recipe.engine.ray.address, log_to_driver=False, include_dashboard=False)
    return RayPipelineExecutor(
        line, workers=recipe.engine.workers or -1, mem_per_cpu_gb=recipe.engine.ray.memory_gb_per_task, **common
    )


def _slurm(recipe: Recipe, line: list[Any], common: dict[str, Any], name: str) -> Any:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    slurm = recipe.engine.slurm
    own = Path(sys.prefix) / "bin" / "activate"
    activate = slurm.venv_path or (str(own) if own.is_file() else None)
    executor = SlurmPipelineExecutor(
        line, job_name=name, workers=recipe.engine.workers or -1, partition=slurm.partition, time=slurm.time,
        mem_per_cpu_gb=slurm.mem_per_cpu_gb, qos=slurm.qos, venv_path=activate and shlex.quote(activate), **common,
    )  # fmt: skip
    # Its job that adds up statistics waits for all others to succeed, and in the queue for ever when one does not.
    executor.launch_merge_stats = _no_job
    return executor


def _no_job() -> None:
    pass


def _job_name(recipe: Recipe, folder: Path) -> str:
    """A name that no other build's jobs have: the folder's is a digest of run and shards."""
    return f"florilege-{recipe.name}-{folder.name}"


def workers(recipe: Recipe) -> int:
    """How many shards are made at the same time: as many as the recipe says, or this machine has cores."""
    if recipe.engine.workers or recipe.engine.kind != "local":
        return recipe.engine.workers or _CLUSTER_WORKERS
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def main(job_file: str) -> None:
    job = read_json(Path(job_file))
    recipe, corpus = Recipe.model_validate(job["recipe"]), Corpus(Path(job["corpus"]))
    die_with_parent()
    if recipe.engine.kind == "local":
        _import_once()
    plan = plans.load(corpus.work / "runs" / job["plan"] / "plan.json")
    wanted = set(job["shards"])
    shards = [s for s in plan.shards if s.shard in wanted]
    folder = Path(job_file).parent
    _executor(recipe, corpus, plan, shards, folder).run()
    if recipe.engine.kind == "slurm":
        _await_slurm(_job_name(recipe, folder))


def _import_once() -> None:
    """Start the process that workers are forked from; it imports what they need while this one goes on."""
    import multiprocess
    from multiprocess.forkserver import ensure_running

    filters = (
        "minhash", "language", "language_vectors", "quality", "wds", "rights", "robots", "pii", "repeats", "fidelity",
        "alignment", "legibility", "prediction",
    )  # fmt: skip
    modules = ["flows.engine", "flows.blocks", "flows.measures", *(f"filters.{name}" for name in filters)]
    multiprocess.set_forkserver_preload(modules)
    ensure_running()


def _await_slurm(name: str) -> None:
    """Slurm's executor returns when its jobs are queued: wait until they have left the queue."""
    queue = ["squeue", "--noheader", "--me", "--name", name]
    unanswered = 0
    while unanswered < _SLURM_PATIENCE:
        time.sleep(_SLURM_POLL_S)
        asked = subprocess.run(queue, capture_output=True, text=True, check=False)
        if asked.returncode == 0 and not asked.stdout.strip():
            return
        # A controller that is busy or restarts answers later; its jobs go on meanwhile.
        unanswered = unanswered + 1 if asked.returncode else 0
    raise RetryableError(f"squeue does not answer: {asked.stderr.strip()}")


if __name__ == "__main__":
    # Under its own name: other processes could not find the blocks in `__main__`.
    from flows.engine import main as run

    run(sys.argv[1])
