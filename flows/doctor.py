"""`florilege doctor`: is this machine fit for a build, and what to do when it is not."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its state, what was found, and what to do about it."""

    check: str
    state: Literal["ok", "warning", "error"]
    found: str
    remedy: str = ""


def examine(folder: Path) -> list[Finding]:
    """All checks; `folder` is where corpora will lie."""
    return [*_python(), *_versions(), *_compiled(), *_memory(), *_disk(folder), *_optional()]


def _python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Finding("Python", "ok", found)
    else:
        yield Finding("Python", "error", found, "make the environment with Python 3.11, 3.12 or 3.13")


def _versions() -> Iterator[Finding]:
    """Every required distribution, within the bounds that florilege declares."""
    wrong = 0
    for line in importlib.metadata.requires("florilege") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            found = "absent"
        if found == "absent" or not wanted.specifier.contains(found, prereleases=True):
            wrong += 1
            yield Finding(wanted.name, "error", found, f"pip install '{wanted.name}{wanted.specifier}'")
    if not wrong:
        yield Finding("packages", "ok", "all within their bounds")
    others = {"fasttext-wheel", "fasttext-predict", "fasttext-numpy2-wheel", "fasttext-numpy2"}
    installed = {d.metadata["Name"] for d in importlib.metadata.distributions()}
    for name in sorted(others & installed):
        yield Finding(
            name,
            "error",
            "overwrites the files of fasttext",
            f"pip uninstall {name}; pip install --force-reinstall fasttext==0.9.3",
        )


def _compiled() -> Iterator[Finding]:
    """The parts built by a compiler, at work."""
    from catalog import store  # noqa: F401  DuckDB loads its library

    checks: dict[str, Callable[[], object]] = {
        "fasttext and the language model": _identify_a_language,
        "extraction": _extract_a_page,
        "PDFium": lambda: importlib.import_module("pypdfium2").PdfDocument.new(),
        "brotli": lambda: importlib.import_module("brotli").decompress(b"\x06"),
        "lxml": lambda: importlib.import_module("lxml.etree"),
        "DuckDB": lambda: importlib.import_module("duckdb").connect().execute("SELECT 1").fetchone(),
    }
    for name, check in checks.items():
        try:
            check()
        except Exception as error:
            yield Finding(
                name, "error", f"{type(error).__name__}: {error}", "reinstall it; fasttext needs a C++ compiler (g++)"
            )
        else:
            yield Finding(name, "ok", "works")


def _extract_a_page() -> None:
    """A page through the child process, as in a build."""
    from extractors.record import Record
    from extractors.sandbox import Sandbox

    page = b"<html><body><article><p>" + b"A page has some words. " * 20 + b"</p></article></body></html>"
    with Sandbox() as sandbox:
        found = sandbox.extract(Record("doctor", "page.html", payload=page, format="html"))
    if "some words" not in found.text:
        raise RuntimeError(found.error or "no text was found in a page")


def _identify_a_language() -> None:
    from filters.language import LanguageModel

    guess = LanguageModel.load().predict("Les chercheurs lisent les actes de la commission et prennent des notes.")[0][
        0
    ]
    if guess != "fr":
        raise RuntimeError(f"took French for {guess}")


def _memory() -> Iterator[Finding]:
    if not hasattr(os, "sysconf"):
        return
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = os.cpu_count() or 1
    enough = total >= (1 + cores) * _GIB
    yield Finding(
        "memory", "ok" if enough else "warning", f"{total / _GIB:.1f} GiB, {cores} cores",
        "" if enough else f"set engine.workers = {max(1, int(total / _GIB) - 1)} in the recipe",
    )  # fmt: skip


def _disk(folder: Path) -> Iterator[Finding]:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    state: Literal["ok", "warning", "error"] = "error" if not writable else "ok" if free > 2 * _GIB else "warning"
    remedy = {"ok": "", "warning": "free some space", "error": f"choose a folder you may write to, not {folder}"}[state]
    yield Finding("disk", state, f"{free / _GIB:.1f} GiB free at {folder}", remedy)


def _optional() -> Iterator[Finding]:
    found = find_spec("ray") is not None
    yield Finding(
        "ray", "ok", "installed" if found else "absent (only for engine.kind = \"ray\": pip install 'florilege[ray]')"
    )
    yield _tesseract()
    sbatch = shutil.which("sbatch")
    if sbatch:
        version = subprocess.run([sbatch, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        yield Finding("slurm", "ok", version)
    else:
        yield Finding("slurm", "ok", 'absent (only for engine.kind = "slurm")')


def _tesseract() -> Finding:
    from extractors import ocr

    try:
        version = ocr.check(())
    except ocr.OcrError as error:
        return Finding("tesseract", "ok", f"absent (only for extract.ocr; {error})")
    return Finding("tesseract", "ok", f"{version}; languages: {', '.join(sorted(ocr.installed()))}")
