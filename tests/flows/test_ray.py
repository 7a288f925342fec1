"""The same corpus on a Ray cluster of two nodes as on this machine."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.files import Corpus, read_json
from flows import demo, engine
from tests.flows import stages

pytest.importorskip("ray", reason='Ray is not installed: pip install "florilege[ray]"')

FILES = "articles/*"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    everything, few = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("few")
    demo.make(everything)
    for path in everything.glob(FILES):
        shutil.copy(path, few)
    return few


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Address of a cluster of two nodes with one processor each, both on this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "memory": 2 << 30, "object_store_memory": 80 << 20}
    nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    nodes.add_node(**node)
    nodes.wait_for_nodes(60)
    yield nodes.address
    nodes.shutdown()


def _recipe(folder: Path, inputs: Path, table: str) -> Path:
    folder.mkdir()
    (folder / "recipe.toml").write_text(
        f"""
        name = "few"
        [[sources]]
        name = "articles"
        kind = "erudit"
        path = "{inputs}"
        [engine]
        shard_mb = 0.02
        {table}
        """
    )
    return folder / "recipe.toml"


@pytest.fixture(scope="module")
def local(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The corpus digest of a build on this machine."""
    folder = tmp_path_factory.mktemp("local") / "build"
    manifest = stages.build(_recipe(folder, inputs, 'kind = "local"\nworkers = 2'))
    assert manifest["status"] == "complete"
    assert manifest["shards"] >= 4
    return stages.digest(folder / "corpus", manifest)


def _on_ray(folder: Path, inputs: Path, cluster: str) -> Path:
    return _recipe(folder, inputs, f'kind = "ray"\n[engine.ray]\naddress = "{cluster}"\nmemory_gb_per_task = 1.0')


def _nodes_at_work(address: str) -> set[str]:
    """The nodes that have had actors: datatrove makes one a task."""
    import ray
    from ray._private.state import actors

    ray.init(address=address, log_to_driver=False)
    found = {actor["Address"]["NodeID"] for actor in actors().values()}
    ray.shutdown()
    return found - {""}


def test_two_nodes_make_the_corpus_of_one_machine(inputs: Path, local: str, cluster: str, tmp_path: Path) -> None:
    recipe = _on_ray(tmp_path / "build", inputs, cluster)
    manifest = stages.build(recipe)
    assert manifest["status"] == "complete"
    assert stages.digest(tmp_path / "build" / "corpus", manifest) == local
    assert stages.unaccounted(tmp_path / "build" / "corpus") == []
    assert len(_nodes_at_work(cluster)) == 2


def test_a_killed_worker_is_noticed_from_afar(
    inputs: Path, local: str, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SILENCE_S", 7.0)
    recipe = _on_ray(tmp_path / "build", inputs, cluster)
    killed: list[str] = []
    killer = threading.Thread(target=stages.kill_one, args=[tmp_path / "build" / "corpus", killed], daemon=True)
    killer.start()
    manifest = stages.build(recipe)
    killer.join(60)
    assert killed
    assert manifest["status"] == "complete"
    assert stages.digest(tmp_path / "build" / "corpus", manifest) == local
    failures = engine.failures_folder(Corpus(tmp_path / "build" / "corpus"), manifest["run"])
    assert "was killed" in read_json(failures / f"{killed[0]}.json")["error"]
