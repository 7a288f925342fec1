"""One at a time: builds and judgements of a corpus."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import ConfigError
from catalog.files import Corpus


@contextmanager
def locked(corpus: Corpus) -> Iterator[None]:
    """Hold the corpus for one build or judgement; the lock goes with the process, however it ends."""
    corpus.work.mkdir(parents=True, exist_ok=True)
    with (corpus.work / "build.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ConfigError(
                f"{corpus.root}: process {lock.read().strip()} builds or judges here; wait until it has ended"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
