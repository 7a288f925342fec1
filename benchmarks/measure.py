"""What a command costs, and how good the text is that it leaves."""

from __future__ import annotations

import collections
import ctypes
import os
import re
import resource
import subprocess
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_S = 0.2
_PR_SET_CHILD_SUBREAPER = 36
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")


class CommandError(RuntimeError):
    """A measured command failed; the message has the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command and all processes it started took."""

    wall_s: float
    cpu_s: float
    """User and system time of the whole process tree."""
    peak_mb: float
    """Highest sum of the tree's proportional set sizes (PSS, shared pages counted once), MiB, seen each 0.2 s."""


def run(command: list[str], cwd: Path, env: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """Run a command to its end (Linux only); its cost and its standard output.

    Raises:
        CommandError: it ended with a status other than 0.
    """
    others = {child.pid for child in psutil.Process().children()}
    _adopt_orphans(True)
    before, start, peak = _cpu_s(), time.monotonic(), 0.0
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=output, stderr=errors)
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SAMPLE_S)
                break
            peak = max(peak, _held_mb(others))
        wall = time.monotonic() - start
        _await_orphans(others)
        _adopt_orphans(False)
        output.seek(0)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
        if process.returncode:
            raise CommandError(f"{' '.join(command)[:200]}: status {process.returncode}\n{said[-3000:]}")
        return Cost(wall, _cpu_s() - before, peak), output.read().decode("utf-8", "replace")


def _adopt_orphans(adopt: bool) -> None:
    """Become the parent of orphaned descendants, or no longer: a fork server outlives whoever started it, and
    nobody else would count its time."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt))


def _await_orphans(others: set[int], patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        left = [child.pid for child in psutil.Process().children() if child.pid not in others]
        if not left:
            return
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _held_mb(others: set[int]) -> float:
    """Memory of all descendants of this process, but for the children `others` and theirs."""
    total = 0
    for child in psutil.Process().children():
        if child.pid not in others:
            with suppress(psutil.NoSuchProcess):
                total += sum(_pss_kb(process.pid) for process in (child, *child.children(recursive=True)))
    return total / 1024


def _pss_kb(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def words(text: str) -> collections.Counter[str]:
    """Lower-case words of the NFC text; Chinese and Japanese characters each count as one."""
    return collections.Counter(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


def f1(gold: Mapping[str, str], found: Mapping[str, str], over: Iterable[str]) -> float:
    """Mean over the urls `over` of the F1 of the words found in a page against those of its main text.

    A page that was not found scores 0. 0.0 where `over` is empty.
    """
    scores = []
    for url in over:
        wanted, got = words(gold[url]), words(found.get(url, ""))
        shared = (wanted & got).total()
        scores.append(2 * shared / (wanted.total() + got.total()) if shared else 0.0)
    return sum(scores) / len(scores) if scores else 0.0


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others figures."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, rule, *rows])
