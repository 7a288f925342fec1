"""Extraction in a child process with a deadline and a memory limit.

A document that hangs a parser, crashes the interpreter or eats memory costs that document alone. The child is a
plain subprocess, because the workers that own one are daemonic and may not have `multiprocessing` children.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

from extractors.processes import die_with_parent, sweep
from extractors.record import Extract, Record

_LENGTH = struct.Struct("<Q")
_CHUNK = 1 << 20
_START_S = 120.0
_END_S = 5.0
_OUT_OF_MEMORY = 77
"""Exit status of a child that met its memory limit."""


class SandboxError(RuntimeError):
    """No child can be started: the installation's fault, never a document's."""


class Sandbox:
    """One child process that extracts record after record and is replaced when a record breaks it.

    `target` is `module:function`, a function from Record to Extract that takes `options` (what JSON can say) as
    keywords; the module's `preload()`, where it has one, runs in the child before the first record. `memory_mb` is
    what an extraction may take beyond what the child holds after that (MiB of address space, Linux only), and what
    each program may that it starts. `deadline_s` runs from handing over the record; the start of the child is not
    counted. On Linux the child dies with the thread that started it, however that dies.
    """

    def __init__(
        self,
        deadline_s: float = 30,
        memory_mb: int = 1024,
        target: str = "extractors.dispatch:extract",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.deadline_s, self.memory_mb, self.target = deadline_s, memory_mb, target
        self.options = options or {}
        self._child: _Child | None = None

    def __enter__(self) -> Sandbox:
        self._child = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            self._child.close()
        self._child = None

    def extract(self, record: Record) -> Extract:
        """The record's Extract; its `error` says so when the record took too much time or memory or killed the child.

        No record kills a child with SIGKILL: who did so meant the process, and the record is tried once more.

        Raises SandboxError when no child can be started.
        """
        return self._attempt(record) or self._attempt(record) or Extract(error=self._cause(-signal.SIGKILL))

    def _attempt(self, record: Record) -> Extract | None:
        """The record's Extract; None when the child was killed from outside."""
        child = self._child or self._start()
        # Whoever interrupts this must not find its answer under the next record.
        self._child = None
        try:
            child.await_start()
            found = child.ask(record, time.monotonic() + self.deadline_s)
            self._child = child
            return found
        except TimeoutError:
            limit = f"{self.deadline_s:g} s"
            error = f"{record.format or record.kind} extraction took over {limit}; the document was given up"
        except pickle.UnpicklingError as broken:
            error = f"extraction gave no Extract ({broken})"
        except BrokenPipeError:
            status = child.status()
            error = "" if status == -signal.SIGKILL else self._cause(status)
        finally:
            if self._child is not child:
                child.close()
        # The next child loads its libraries while the caller goes on.
        self._child = self._start()
        return Extract(error=error) if error else None

    def _start(self) -> _Child:
        return _Child(self.target, self.memory_mb, self.options)

    def _cause(self, status: int) -> str:
        if status == _OUT_OF_MEMORY:
            return f"extraction needed more than {self.memory_mb} MiB"
        if status == -signal.SIGABRT:
            # So end libraries that get no memory, PDFium among them.
            return f"extraction process died (it gave up, as for want of memory: limit {self.memory_mb} MiB)"
        return f"extraction process died ({f'signal {-status}' if status < 0 else f'exit status {status}'})"


class _Child:
    """The parent's view of the child: a process, two pipes, and what it said on stderr while it started."""

    def __init__(self, target: str, memory_mb: int, options: dict[str, Any]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._started = False
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", __spec__.name, target, str(memory_mb), str(os.getpid()), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
            # The parent's modules, and sets that iterate in the same order in every process.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"},
        )
        self._to, self._from = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)

    def await_start(self) -> None:
        """Wait until the child is ready for its first record. Raises SandboxError when it never is."""
        if self._started:
            return
        try:
            self._receive(time.monotonic() + _START_S)
        except (TimeoutError, BrokenPipeError) as error:
            self._log.seek(0)
            said = self._log.read().decode("utf-8", "replace").split("\n")
            raise SandboxError(f"extraction process did not start: {' '.join(said[-2:]) or error}") from error
        self._started = True

    def ask(self, record: Record, until: float) -> Extract:
        """The child's answer. TimeoutError after `until` (monotonic seconds), BrokenPipeError when it is gone."""
        self._send(pickle.dumps(record, pickle.HIGHEST_PROTOCOL), until)
        found = _Reply(io.BytesIO(self._receive(until))).load()
        if not isinstance(found, Extract):
            raise pickle.UnpicklingError(type(found).__name__)
        return found

    def status(self) -> int:
        """Exit status of a child whose pipe is closed, negative for a signal."""
        try:
            return self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self._to, self._from, self._log):
            stream.close()
        sweep(self.process.pid)

    def _send(self, message: bytes, until: float) -> None:
        for part in (_LENGTH.pack(len(message)), message):
            view = memoryview(part)
            while view:
                _wait(self._to, select.POLLOUT, until)
                view = view[os.write(self._to.fileno(), view[:_CHUNK]) :]

    def _receive(self, until: float) -> bytes:
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, until))
        return self._read(length, until)

    def _read(self, size: int, until: float) -> bytes:
        message = bytearray()
        while len(message) < size:
            _wait(self._from, select.POLLIN, until)
            part = os.read(self._from.fileno(), min(_CHUNK, size - len(message)))
            if not part:
                raise BrokenPipeError("end of file")
            message += part
        return bytes(message)


def _wait(stream: BinaryIO, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(stream, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


class _Reply(pickle.Unpickler):
    """Reads an Extract and nothing else: a child that a document took over can name no other class."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (Extract.__module__, Extract.__qualname__):
            return Extract
        raise pickle.UnpicklingError(f"{module}.{name}")


def _serve(target: str, memory_mb: int, parent: int, options: dict[str, Any]) -> None:
    """The child: answer records from stdin on stdout until stdin ends."""
    die_with_parent()
    if os.getppid() != parent:
        return
    records, answers = _take_pipes()
    run, preload = _load(target)
    preload()
    # What is loaded now stays: the collector need not walk it for every page.
    gc.collect()
    gc.freeze()
    _limit_memory(memory_mb)
    _write(answers, b"")
    _be_silent()
    while header := records.read(_LENGTH.size):
        try:
            answer = run(pickle.loads(records.read(*_LENGTH.unpack(header))), **options)
            message = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        _write(answers, message)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent; what libraries read and print no longer reaches them."""
    records, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return records, answers


def _be_silent() -> None:
    """Drop what libraries say about pages: nobody reads it, and a page could fill a disk with it."""
    logging.disable(logging.CRITICAL)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)


def _load(target: str) -> tuple[Callable[..., Extract], Callable[[], None]]:
    name, _, function = target.partition(":")
    module = import_module(name)
    return getattr(module, function), getattr(module, "preload", lambda: None)


def _limit_memory(memory_mb: int) -> None:
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = held + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _write(answers: BinaryIO, message: bytes) -> None:
    answers.write(_LENGTH.pack(len(message)))
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4]))
