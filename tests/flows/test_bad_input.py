"""Bad input, and bad things that happen to a build, on the real engine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ConfigError, RetryableError, ShardError
from catalog.files import Corpus, read_json
from flows import engine
from flows.prepare import finished, prepare
from tests.flows import hostile, stages

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "https://site.example/before-cut", "https://site.example/too-short", "https://site.example/after-short",
    "https://site.example/after-long", "https://site.example/chunks", "https://site.example/brotli",
    "https://site.example/after-bomb", "https://site.example/after-big",
    "nul.html", "utf-16.html", "no-utf-16.html", *hostile.GOOD_NAMES,
}  # fmt: skip
SKIPPED = {
    "caf\\udce9.html": "not UTF-8",
    "dangling.html": "no regular file",
    "loop": "no regular file",
    "pipe.html": "no regular file",
    "outside": "symbolic link out of the source",
    "outside.txt": "symbolic link out of the source",
    "nul.txt": "media-type",
}
FAILED = {
    "cut.pdf": "not a readable PDF",
    "noise.pdf": "not a readable PDF",
    "locked.pdf": "encrypted",
    "claims.pdf": "no text layer on any of",
    "cycle.pdf": "no text layer on any of",
    "bomb.pdf": "extraction ",
    "laughs.xml": "unsafe",
    "deep.html": "Excessive depth",
    "empty.html": "empty file",
    "empty.pdf": "empty file",
    "empty.warc.gz@0": "empty file",
    "letter.warc.gz@0": "no WARC or ARC record found",
    "plain.warc.gz@0": "no WARC or ARC record found",
    "https://site.example/cut": "gzip data ends early at offset ",
    "https://site.example/too-long": "runs over the next record at offset ",
    "https://site.example/cut-brotli": "content-encoding br: data ends early at offset ",
    "https://site.example/bomb": "payload over 8 MiB at offset ",
    "https://site.example/big": "payload over 8 MiB at offset 0",
}
HARMLESS = {"external.xml", "parameter.xml", "dtd.xml", "include.xml", "latin.txt", "attributes.html"}
"""Read without what they name outside: too short, or too repetitive, for the corpus."""


def _recipe(folder: Path, sources: dict[str, str], tables: str) -> Path:
    listed = "".join(f'[[sources]]\nname = "{n}"\nkind = "{k}"\npath = "inputs/{n}"\n' for n, k in sources.items())
    (folder / "recipe.toml").write_text(f'name = "bad"\n{listed}{tables}')
    return folder / "recipe.toml"


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[Path], dict[str, Any]]:
    """A build of the hostile folder: where, the files that were there before, the run's manifest."""
    folder = tmp_path_factory.mktemp("bad")
    hostile.write(folder / "inputs", folder / "private" / "secret.txt", big_mb=60)
    tables = "[extract]\nmax_payload_mb = 8\n[engine]\nworkers = 2\n"
    recipe = _recipe(folder, {"web": "warc", "loose": "files"}, tables)
    before = set(_files(folder))
    return folder, before, stages.build(recipe)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in (*folders, *files))


def _fates(corpus: Path) -> dict[str, tuple[str, str]]:
    """What became of each record, by url, path, or path and offset: (kept, skipped, failed or dropped; why)."""
    where = """CASE WHEN url IS NOT NULL THEN url WHEN source = 'web' THEN path || '@' || "offset" ELSE path END"""
    sql = f"""
        SELECT {where} AS name, 'kept' AS fate, '' AS why FROM corpus
        UNION ALL
        SELECT {where}, CASE WHEN error IS NOT NULL THEN 'failed' WHEN stage = 'read' THEN 'skipped' ELSE 'dropped' END,
               coalesce(error, reason) FROM rejects
    """
    rows = stages.ask(corpus, sql)
    found = {row["name"]: (row["fate"], row["why"]) for row in rows}
    assert len(found) == len(rows), "two rows for one record"
    return found


def test_good_files_beside_bad_ones_are_kept(bad: tuple[Path, set[Path], dict[str, Any]]) -> None:
    folder, _, manifest = bad
    assert manifest["status"] == "complete"
    assert {name for name, (fate, _) in _fates(folder / "corpus").items() if fate == "kept"} == GOOD


def test_each_bad_input_is_a_row_that_says_what_and_where(bad: tuple[Path, set[Path], dict[str, Any]]) -> None:
    fates = _fates(bad[0] / "corpus")
    for expected, fate in ((SKIPPED, "skipped"), (FAILED, "failed")):
        for name, why in expected.items():
            assert fates[name][0] == fate and why in fates[name][1], (name, fates[name])
    (rest,) = fates.keys() - GOOD - SKIPPED.keys() - FAILED.keys() - HARMLESS
    assert rest.startswith("lengths.warc@") and fates[rest] == (
        "failed", f"no record (104 bytes skipped) at offset {rest.partition('@')[2]}"
    )  # fmt: skip
    assert {fates[name][0] for name in HARMLESS} == {"dropped"}


def test_every_record_is_accounted_for(bad: tuple[Path, set[Path], dict[str, Any]]) -> None:
    assert stages.unaccounted(bad[0] / "corpus") == []


def test_no_file_outside_is_read_or_written(bad: tuple[Path, set[Path], dict[str, Any]]) -> None:
    folder, before, _ = bad
    corpus = folder / "corpus"
    assert {path for path in _files(folder) if corpus not in (path, *path.parents)} == before
    texts = stages.ask(corpus, "SELECT text FROM documents WHERE path LIKE '%.xml' AND text IS NOT NULL")
    assert len(texts) == 4
    everything = stages.ask(corpus, "SELECT string_agg(d::TEXT, '') AS rows FROM documents d")[0]["rows"]
    assert "A text that includes" in everything
    assert hostile.SECRET not in everything
    held = [path for path in _files(corpus) if path.is_file() and hostile.SECRET.encode() in path.read_bytes()]
    assert held == []


def test_a_second_build_does_nothing(bad: tuple[Path, set[Path], dict[str, Any]]) -> None:
    folder, _, manifest = bad
    recipe, corpus, plan = prepare(str(folder / "recipe.toml"))
    assert plan.pending(corpus) == []
    assert {**(finished(corpus, recipe, plan) or {}), "did": "built"} == manifest


def _few(folder: Path) -> Path:
    """A recipe of a few good files in as many shards."""
    inputs = folder / "inputs" / "few"
    inputs.mkdir(parents=True)
    for number, page in zip(range(4), hostile.good_pages(), strict=False):
        (inputs / f"{number}.html").write_bytes(page)
    return _recipe(folder, {"few": "files"}, "[engine]\nworkers = 2\nshard_mb = 0.001\n")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest that every build of `_few` must have."""
    folder = tmp_path_factory.mktemp("few")
    return stages.digest(folder / "corpus", stages.build(_few(folder)))


def test_a_killed_worker_costs_one_more_try(undisturbed: str, tmp_path: Path) -> None:
    recipe, killed = _few(tmp_path), list[str]()
    killer = threading.Thread(target=stages.kill_one, args=[tmp_path / "corpus", killed], daemon=True)
    killer.start()
    manifest = stages.build(recipe)
    killer.join(60)
    failures = engine.failures_folder(Corpus(tmp_path / "corpus"), manifest["run"])
    assert "was killed" in read_json(failures / f"{killed[0]}.json")["error"]
    assert manifest["status"] == "complete"
    assert stages.digest(tmp_path / "corpus", manifest) == undisturbed


def test_the_second_of_two_builds_names_the_first(undisturbed: str, tmp_path: Path) -> None:
    recipe = _few(tmp_path)
    script = "import sys, pathlib; from tests.flows import stages; stages.build(pathlib.Path(sys.argv[1]))"
    first = subprocess.Popen([sys.executable, "-c", script, str(recipe)], cwd=ROOT)
    lock = tmp_path / "corpus" / "work" / "build.lock"
    until = time.monotonic() + 60
    while not (lock.is_file() and lock.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(ConfigError, match=rf"process {first.pid} builds or judges here"):
        stages.build(recipe)
    assert first.wait(120) == 0
    manifest = stages.build(recipe)
    assert stages.digest(tmp_path / "corpus", manifest) == undisturbed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB at `corpus`."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system (Linux)")
    folder = tmp_path / "corpus"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("room", [40 << 10, 200 << 10])
def test_a_full_disk_is_an_error_and_no_loss(undisturbed: str, small_disk: Path, tmp_path: Path, room: int) -> None:
    recipe = _few(tmp_path)
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        disk = os.statvfs(small_disk)
        file.write(random.Random(1).randbytes(disk.f_bavail * disk.f_frsize - room))
    try:
        manifest = stages.build(recipe)
        said = [manifest["status"], *manifest["failed_shards"].values()]
    except (ShardError, RetryableError, OSError) as error:
        said = [str(error)]
    assert "complete" not in said
    assert any("No space left" in line for line in said), said
    filler.unlink()
    manifest = stages.build(recipe)
    assert manifest["status"] == "complete"
    assert stages.digest(small_disk, manifest) == undisturbed
    assert stages.unaccounted(small_disk) == []
