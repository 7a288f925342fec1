"""The two systems on the same archives: what each costs, reads, extracts and keeps."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "filters" / "models" / "florilege-lid.ftz"
INSTALL_PEER = """datatrove's environment is missing or does not work: {python}
It has libraries that florilege's cannot have beside it (an older trafilatura, another fastText), so it is its own:
    uv venv PEER && uv pip install --python PEER/bin/python "datatrove[io,processing]==0.10.1" spacy "xxhash<4"
    apt-get install libmagic1        (or your system's libmagic)
then give --peer-python PEER/bin/python, or leave datatrove out with --without-peer"""

_BUILD = """
import json, sys
from pathlib import Path
from flows.run import run
print(json.dumps(run(Path(sys.argv[1]))))
"""
_EMPTY_FLOW = """
from flows.server import start, used
server = start()
from prefect import flow
with used(server):
    flow(lambda: None, name="empty")()
"""


@dataclass(slots=True)
class Outcome:
    """One run of a system over archives."""

    system: str
    cost: measure.Cost
    read: int
    """Pages that were read as such."""
    extracted: dict[str, str]
    """Text by url, of everything from which text was extracted."""
    kept: set[str]
    """Urls of what is in the corpus."""
    seconds: dict[str, float]
    """Wall time of its stages, as it reports it."""


def recipe(folder: Path, archives: Path, workers: int) -> Path:
    """Write a recipe with florilege's defaults."""
    folder.mkdir(parents=True)
    path = folder / "recipe.toml"
    path.write_text(
        f'name = "benchmark"\n[engine]\nworkers = {workers}\n'
        f'[[sources]]\nname = "web"\nkind = "warc"\npath = "{archives}/*.warc.gz"\n'
    )
    return path


def build(folder: Path, archives: Path, workers: int) -> tuple[measure.Cost, dict[str, Any]]:
    """florilege's whole build in `folder`; its cost and the run's manifest."""
    command = [sys.executable, "-c", _BUILD, str(recipe(folder, archives, workers))]
    cost, printed = measure.run(command, cwd=ROOT)
    return cost, json.loads(printed.splitlines()[-1])


def florilege(folder: Path, archives: Path, workers: int) -> Outcome:
    """A build with the default recipe, Prefect's embedded server included."""
    from catalog import store
    from catalog.files import existing

    cost, manifest = build(folder, archives, workers)
    with store.reading(existing(folder / "corpus")) as connection:
        pages = connection.execute("SELECT url, coalesce(text, '') FROM documents").fetchall()
        kept = {url for (url,) in connection.execute("SELECT url FROM corpus").fetchall()}
    return Outcome("florilege", cost, len(pages), {u: t for u, t in pages if t}, kept, manifest["seconds"])


def prefect_alone() -> measure.Cost:
    """An empty flow on the embedded server, started as a build starts it."""
    return measure.run([sys.executable, "-c", _EMPTY_FLOW], cwd=ROOT, env={"PREFECT_LOGGING_LEVEL": "CRITICAL"})[0]


def datatrove(folder: Path, archives: Path, workers: int, python: str) -> Outcome:
    """datatrove's recipe, one task a file."""
    files = len(list(archives.glob("*.warc.gz")))
    script = [python, "benchmarks/peer_datatrove.py", str(archives), str(folder), str(MODEL)]
    cost, printed = measure.run([*script, str(files), str(workers)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    stats = json.loads(printed.splitlines()[-1])
    kept = _texts(folder / "kept")
    name = f"datatrove, {files} file{'s' if files > 1 else ''}"
    extracted = kept | _texts(folder / "rejects")
    return Outcome(name, cost, stats["read"]["documents"]["total"], extracted, set(kept), stats["seconds"])


def _texts(folder: Path) -> dict[str, str]:
    """Text by url of all documents that datatrove wrote below `folder`."""
    texts = {}
    for path in folder.rglob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                document = json.loads(line)
                texts[document["metadata"]["url"]] = document["text"]
    return texts


def check_peer(python: str) -> None:
    """Raise SystemExit with the remedy when datatrove cannot run in `python`."""
    needed = "import datatrove, trafilatura, spacy, fasttext, magic, cchardet, warcio, regex, numpy"
    try:
        measure.run([python, "-c", needed], cwd=ROOT)
    except (OSError, measure.CommandError) as error:
        last = str(error).strip().splitlines()[-1]
        raise SystemExit(f"{INSTALL_PEER.format(python=python)}\n({last})") from None
