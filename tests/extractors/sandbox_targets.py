"""What the sandbox's tests run in its child."""

import os
import signal
import sys
import time

from extractors.record import Extract, Record


def echo(record: Record) -> Extract:
    return Extract(text=record.payload.decode(), meta={"pid": os.getpid()})


def misbehave(record: Record) -> Extract:
    """Do what the payload says."""
    match record.payload.decode():
        case "hang":
            while True:
                pass
        case "allocate":
            held = []
            while True:
                held.append(bytearray(16 << 20))
        case "kill":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "murder":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "print":
            print("to stdout " * 10_000)
            os.write(1, b"to file descriptor 1")
            sys.stderr.write("to stderr " * 10_000)
        case "read":
            return Extract(text=repr(sys.stdin.read()))
        case "sleep":
            time.sleep(0.2)
        case "nothing":
            return None  # type: ignore[return-value]
        case "class":
            return Extract(meta={"class": time.struct_time(range(9))})
    return Extract(text=record.payload.decode())
