import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from extractors.record import Extract, Record
from extractors.sandbox import Sandbox, SandboxError

ECHO, MISBEHAVE = "sandbox_targets:echo", "sandbox_targets:misbehave"


def record(payload: bytes) -> Record:
    return Record("source", "path", payload=payload, format="html")


def test_child_answers_record_after_record() -> None:
    with Sandbox(target=ECHO) as sandbox:
        found = [sandbox.extract(record(f"page {i}".encode())) for i in range(50)]
    assert [f.text for f in found] == [f"page {i}" for i in range(50)]
    assert len({f.meta["pid"] for f in found}) == 1
    assert found[0].meta["pid"] != os.getpid()


def test_large_records_pass() -> None:
    payload = b"0123456789" * 3_000_000
    with Sandbox(target=ECHO) as sandbox:
        assert sandbox.extract(record(payload)).text == payload.decode()


def test_hanging_page_costs_its_deadline_and_no_other_page() -> None:
    with Sandbox(deadline_s=0.5, target=MISBEHAVE) as sandbox:
        assert sandbox.extract(record(b"before")).text == "before"
        start = time.monotonic()
        found = sandbox.extract(record(b"hang"))
        assert 0.5 <= time.monotonic() - start < 3
        assert found == Extract(error="html extraction took over 0.5 s; the document was given up")
        assert sandbox.extract(record(b"after")).text == "after"


def test_deadline_does_not_count_the_start_of_the_child() -> None:
    with Sandbox(deadline_s=0.05, target=ECHO) as sandbox:
        assert sandbox.extract(record(b"page")).text == "page"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_page_that_eats_memory() -> None:
    with Sandbox(memory_mb=200, target=MISBEHAVE) as sandbox:
        assert sandbox.extract(record(b"allocate")).error == "extraction needed more than 200 MiB"
        assert sandbox.extract(record(b"after")).text == "after"


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"kill", f"extraction process died (signal {signal.SIGSEGV.value})"),
        (b"exit", "extraction process died (exit status 3)"),
        (b"nothing", "extraction gave no Extract (NoneType)"),
        (b"class", "extraction gave no Extract (time.struct_time)"),
    ],
)
def test_broken_answers_are_errors_of_the_page(payload: bytes, error: str) -> None:
    with Sandbox(target=MISBEHAVE) as sandbox:
        assert sandbox.extract(record(payload)) == Extract(error=error)
        assert sandbox.extract(record(b"after")).text == "after"


def test_a_child_killed_from_outside_costs_no_page() -> None:
    with Sandbox(target=MISBEHAVE) as sandbox:
        assert sandbox.extract(record(b"before")).text == "before"
        child = sandbox._child
        assert child is not None
        threading.Timer(0.1, child.process.kill).start()
        assert sandbox.extract(record(b"sleep")).text == "sleep"
        assert sandbox._child is not child
        error = sandbox.extract(record(b"murder")).error
        assert error == f"extraction process died (signal {signal.SIGKILL.value})"


def test_interrupted_page_leaves_no_answer_to_the_next() -> None:
    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    with Sandbox(target=MISBEHAVE) as sandbox:
        sandbox.extract(record(b"before"))
        previous = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            sandbox.extract(record(b"sleep"))
        signal.signal(signal.SIGALRM, previous)
        assert sandbox.extract(record(b"after")).text == "after"


def test_libraries_that_print_or_read_do_not_disturb_the_protocol() -> None:
    with Sandbox(target=MISBEHAVE) as sandbox:
        assert sandbox.extract(record(b"print")).text == "print"
        assert sandbox.extract(record(b"read")).text == "''"
        assert sandbox.extract(record(b"after")).text == "after"


@pytest.mark.parametrize("target", ["sandbox_targets:missing", "no_such_module:extract"])
def test_child_that_cannot_start_is_no_fault_of_a_page(target: str) -> None:
    with Sandbox(target=target) as sandbox, pytest.raises(SandboxError, match=r"missing|no_such_module"):
        sandbox.extract(record(b"page"))


def test_nothing_is_left_behind() -> None:
    process = psutil.Process()
    before = process.num_fds(), {child.pid for child in process.children()}
    with Sandbox(deadline_s=0.1, target=MISBEHAVE) as sandbox:
        for payload in (b"hang", b"kill", b"page"):
            sandbox.extract(record(payload))
    assert (process.num_fds(), {child.pid for child in process.children()}) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death is signalled on Linux only")
def test_child_dies_with_a_killed_parent() -> None:
    script = (
        "import sys; from extractors.record import Record; from extractors.sandbox import Sandbox\n"
        "with Sandbox(target='sandbox_targets:misbehave') as s:\n"
        "    s.extract(Record('s', 'p', payload=b'page')); print(s._child.process.pid, flush=True)\n"
        "    s.extract(Record('s', 'p', payload=b'hang'))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path)])}
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone or child.status() == psutil.STATUS_ZOMBIE


def test_default_target_reads_a_page() -> None:
    page = "<html><body><article><p>" + "Une phrase entière du texte. " * 20 + "</p></article></body></html>"
    with Sandbox() as sandbox:
        found = sandbox.extract(record(page.encode()))
    assert found.error is None
    assert found.text.startswith("Une phrase entière")


def test_sandbox_costs_little_per_page() -> None:
    page = record(b"x" * 100_000)
    with Sandbox(target=ECHO) as sandbox:
        sandbox.extract(page)
        start = time.perf_counter()
        for _ in range(200):
            sandbox.extract(page)
    # A busy machine is allowed for; a quiet one takes a third of a millisecond.
    assert (time.perf_counter() - start) / 200 < 0.01
