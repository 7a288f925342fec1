"""Child processes that do not outlive the one that started them, nor their temporary files."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "florilege-{pid}-"


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it dies; elsewhere nothing."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextmanager
def scratch() -> Iterator[None]:
    """Have this process make its temporary files in a folder of its own, which goes at the end."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=_PREFIX.format(pid=os.getpid())) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def sweep(pid: int) -> None:
    """Remove what a process that was killed left in its scratch folder."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX.format(pid=pid) + "*"):
        shutil.rmtree(folder, ignore_errors=True)
