"""Build a corpus twice, the second time with more archives, and at once: is it the same, and what was read?

    python -m benchmarks.growth --data DATA [--late 3]

Takes all development data: the pages, the real archives, acts, articles and PDFs. The first build lacks the archive of
pages, the last `--late` archives and one act; the second build, in the same folder, has everything; a third builds
everything at once elsewhere. Compared are digests of the kept set (ids and text digests) and of all verdicts; the files
that the second build read are those of its shards.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from catalog import reports, store
from catalog.files import Corpus

RECIPE = """
name = "all"
output = "{output}"
{sources}
[engine]
shard_mb = 1
"""
_SOURCE = '[[sources]]\nname = "{name}"\nkind = "{kind}"\npath = "{path}"\n'


def sources(folder: Path) -> str:
    """The sources of the recipe, all below `folder`."""
    kinds = {"archives": "warc", "acts": "eurlex", "articles": "erudit", "pdf": "files"}
    return "\n".join(_SOURCE.format(name=name, kind=kind, path=folder / name) for name, kind in kinds.items())


def lay_out(data: Path, folder: Path) -> list[Path]:
    """Copies of the data, a folder a source; returns the archives, in order."""
    found = {"acts": "eurlex/*/*", "articles": "erudit/*.xml", "pdf": "pdf/**/*.*"}
    for name, pattern in found.items():
        for path in sorted(data.glob(pattern)):
            _copy(path, folder / name / path.relative_to(data / pattern.partition("/")[0]))
    archives = []
    for path in sorted([*(data / "warc").rglob("*"), *(data / "html").rglob("*")]):
        if path.is_file() and any(part in path.name for part in (".warc", ".arc")):
            archives.append(folder / "archives" / path.relative_to(data))
            _copy(path, archives[-1])
    return archives


def _copy(path: Path, to: Path) -> None:
    if path.is_file():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def build(recipe: Path) -> tuple[float, dict[str, Any]]:
    """Seconds of a build, and the manifest of its run. RuntimeError when it fails."""
    start = time.monotonic()
    command = [sys.executable, "-m", "florilege", "build", str(recipe)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{recipe}: status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    with store.reading(_corpus(recipe)) as connection:
        if problems := reports.unaccounted(connection):
            raise RuntimeError(f"not accounted for: {problems}")
        run = reports.rows(connection, "SELECT run, shards, made, seconds FROM runs ORDER BY ended DESC LIMIT 1")[0]
    return time.monotonic() - start, run


def _corpus(recipe: Path) -> Corpus:
    return Corpus((recipe.parent / f"{recipe.stem}-corpus").resolve())


def outcome(recipe: Path) -> tuple[int, str, str]:
    """Kept documents, the digest of the kept set, and that of what became of every document."""
    with store.reading(_corpus(recipe)) as connection:
        kept = connection.execute("SELECT id, text_digest FROM corpus ORDER BY id").fetchall()
        every = connection.execute("SELECT * FROM verdicts ORDER BY id").fetchall()
    return len(kept), *(hashlib.sha256(repr(rows).encode()).hexdigest()[:16] for rows in (kept, every))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--late", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        archives = lay_out(options.data.resolve(), root / "in")
        acts = sorted((root / "in" / "acts").iterdir())
        late = [archives[0], *archives[-options.late :], acts[-1]]
        for name in ("grown", "whole"):
            text = RECIPE.format(output=f"{name}-corpus", sources=sources(root / "in"))
            (root / f"{name}.toml").write_text(text, encoding="utf-8")
        (root / "aside").mkdir()
        for path in late:
            shutil.move(path, root / "aside" / path.name)
        print("| build | seconds | shards made | kept | digest of the kept set | of all verdicts |")
        print("|---|---|---|---|---|---|", flush=True)
        _row("most of the data", root / "grown.toml")
        for path in late:
            shutil.move(root / "aside" / path.name, path)
        run = _row("the rest added", root / "grown.toml")
        _row("all at once", root / "whole.toml")
        same = outcome(root / "grown.toml") == outcome(root / "whole.toml")
        read = _read(root / "grown.toml", run)
        wanted = {str(path.relative_to(root / "in")) for path in late}
        unwanted = {file for file in read if not any(file == w or file.startswith(f"{w}/") for w in wanted)}
        print(f"\nsame outcome: {same}; the second build read {len(read)} files, {len(unwanted)} of them not new")
        return 0 if same and not unwanted and outcome(root / "whole.toml")[0] else 1


def _row(name: str, recipe: Path) -> str:
    seconds, run = build(recipe)
    kept, of_kept, of_all = outcome(recipe)
    print(f"| {name} | {seconds:.1f} | {run['made']} | {kept:,} | {of_kept} | {of_all} |", flush=True)
    return str(run["run"])


def _read(recipe: Path, run: str) -> set[str]:
    """The files, with their source's name, that the shards of this run hold."""
    manifests = [m for m in _corpus(recipe).read_manifests("shards") if m["run"] == run]
    return {f"{m['source']}/{path}" for m in manifests for path, *_ in m["pieces"]}


if __name__ == "__main__":
    sys.exit(main())
