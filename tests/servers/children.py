"""Harvests in child processes, for tests: `toy_harvester` as the harvester, a corpus below a temporary folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

TESTS = Path(__file__).resolve().parent.parent
QUICK: dict[str, Any] = {"interval_s": 0, "slow_down": False, "backoff_s": 0.05}


def local(*hosts: str) -> dict[str, Any]:
    """Fetch settings by which host names are on this machine, and nothing else there may be asked."""
    return {"addresses": dict.fromkeys(hosts, "127.0.0.1"), "private": list(hosts)}


def start(root: Path, settings: dict[str, Any], fetch: dict[str, Any], **job: Any) -> subprocess.Popen[str]:
    """Starts a harvest of the archive `web` of the corpus `root`."""
    job = {
        "corpus": str(root), "name": "web", "contact": "team@example.org", "harvester": "toy", "settings": settings,
        "fetch": {**QUICK, **fetch}, **job,
    }  # fmt: skip
    path = root.with_name(f"{root.name}.job.json")
    path.write_text(json.dumps(job))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS)))}
    return subprocess.Popen(
        [sys.executable, "-m", "servers.toy_harvester", str(path)], cwd=TESTS, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def lines(child: subprocess.Popen[str], seconds: float = 60) -> list[dict[str, Any]]:
    """What a child said, after it has ended well."""
    out, err = child.communicate(timeout=seconds)
    assert child.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def harvest(root: Path, settings: dict[str, Any], fetch: dict[str, Any]) -> dict[str, Any]:
    """Runs a harvest to its end; its last line."""
    return lines(start(root, settings, fetch))[-1]


def rows(root: Path, harvest: str | None = None) -> list[dict[str, Any]]:
    """Published rows of `fetches`, in order."""
    found = [row for path in sorted((root / "fetches").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return [row for row in found if harvest in (None, row["harvest"])]
