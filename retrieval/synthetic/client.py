"""Asking an OpenAI-compatible endpoint: bounded, patient, and going on where the last run stopped."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from catalog.errors import ConfigError
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.prompts import Request
from retrieval.synthetic.replies import ResponseFile

_LARGEST = 16 << 20
"""Bytes of an answer that are read."""
_LONGEST_WAIT = 600.0
_GIVE_UP = 20
"""Requests that fail one after the other until the endpoint counts as dead."""
_AGAIN = {408, 409, 425, 429}
_HOPELESS = {401, 403, 404, 405}


class _Failed(Exception):
    def __init__(self, reason: str, detail: str = "", again: bool = True, after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.again, self.after = reason, again, after


class _Hopeless(Exception):
    """No request can succeed: wrong key, wrong address."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the API key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    key: str
    timeout_s: float
    attempts: int
    wait_s: float
    stopped: threading.Event = field(default_factory=threading.Event)

    def hidden(self, text: str) -> str:
        """The text without the API key: endpoints repeat it in errors."""
        return text.replace(self.key, "***") if self.key else text


def ask(
    requests: Iterable[Request], path: Path, params: SyntheticParams, counts: Counter[str], wait_s: float = 1.0
) -> None:
    """Send the requests that `path` has no answer for, and append what comes back to it, a line each.

    A timeout, a broken answer, a 429 and a 5xx are asked again, `params.attempts` times in all: after `Retry-After`, or
    else after `wait_s` seconds, twice as long each time. What fails for good is a line with `error`, and is sent again
    by the next call. Other refusals of a request (a 400) are answers.

    Raises:
        ConfigError: the endpoint is no web address, does not let us in, or fails many times in a row.
    """
    base = (params.endpoint or "").rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise ConfigError(f"endpoint = {params.endpoint!r}: the base URL of an API, such as http://localhost:8000/v1")
    key = os.environ.get(params.key_variable, "").strip()
    endpoint = _Endpoint(f"{base}/chat/completions", key, params.timeout_s, params.attempts, wait_s)
    done = ResponseFile(path).answered() if path.exists() else set()
    failed_in_a_row = 0
    waiting: set[Future[dict[str, Any]]] = set()
    with _appending(path) as file, ThreadPoolExecutor(params.in_flight) as pool:
        try:
            for request in _unanswered(requests, done, counts):
                if len(waiting) >= params.in_flight:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    failed_in_a_row = _written(file, finished, counts, failed_in_a_row, endpoint)
                waiting.add(pool.submit(_answer, endpoint, request))
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                failed_in_a_row = _written(file, finished, counts, failed_in_a_row, endpoint)
        except BaseException:
            endpoint.stopped.set()
            pool.shutdown(cancel_futures=True)
            raise


def _unanswered(requests: Iterable[Request], done: set[str], counts: Counter[str]) -> Iterator[Request]:
    for request in requests:
        if request["custom_id"] in done:
            counts["request: answered before"] += 1
        else:
            done.add(request["custom_id"])
            yield request


@contextmanager
def _appending(path: Path) -> Iterator[BinaryIO]:
    """The file, opened at the beginning of a line: a killed run may have left half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        yield file


def _written(
    file: BinaryIO, finished: set[Future[dict[str, Any]]], counts: Counter[str], failed: int, endpoint: _Endpoint
) -> int:
    """Write what is finished; how many have now failed in a row."""
    hopeless: _Hopeless | None = None
    for future in finished:
        try:
            line = future.result()
        except _Hopeless as error:
            hopeless = error
            continue
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        failure = line["error"]
        counts[f"request: failed: {failure['code']}" if failure else "request: answered"] += 1
        failed = failed + 1 if failure else 0
        if failed >= _GIVE_UP:
            hopeless = _Hopeless(f"{failed} requests failed in a row, the last with {failure['message']}")
    file.flush()
    if hopeless is not None:
        raise ConfigError(f"endpoint {endpoint.url}: {hopeless}; answers are kept, and not asked for again")
    return failed


def _answer(endpoint: _Endpoint, request: Request) -> dict[str, Any]:
    """The line for a request, after as many attempts as it takes."""
    line = {"custom_id": request["custom_id"], "response": None, "error": None}
    data = orjson.dumps(request["body"])
    for attempt in range(1, endpoint.attempts + 1):
        try:
            status, body = _send(endpoint, data)
            return line | {"response": {"status_code": status, "body": body}}
        except _Failed as failure:
            if not failure.again or attempt == endpoint.attempts or endpoint.stopped.is_set():
                return line | {"error": {"code": failure.reason, "message": endpoint.hidden(str(failure))}}
            pause = endpoint.wait_s * 2 ** (attempt - 1) * random.uniform(1, 1.5)
            endpoint.stopped.wait(min(pause if failure.after is None else failure.after, _LONGEST_WAIT))
    raise AssertionError("an attempt returns or raises")


def _send(endpoint: _Endpoint, data: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "florilege"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    request = urllib.request.Request(endpoint.url, data, headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=endpoint.timeout_s) as response:
            return response.status, _completion(_read(response, endpoint.timeout_s))
    except urllib.error.HTTPError as error:
        return error.code, _refused(endpoint, error)
    except TimeoutError as error:
        raise _Failed("timeout", f"nothing within {endpoint.timeout_s:g} s") from error
    except urllib.error.URLError as error:
        timed_out = isinstance(error.reason, TimeoutError)
        raise _Failed("timeout" if timed_out else "no connection", str(error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Failed("broken answer", str(error) or type(error).__name__) from error


def _read(response: Any, timeout_s: float) -> bytes:
    """The body, unless it comes drop by drop or without end."""
    deadline, pieces, size = time.monotonic() + timeout_s, [], 0
    while piece := response.read1(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise _Failed("broken answer", f"more than {_LARGEST:,} bytes", again=False)
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(pieces)


def _completion(data: bytes) -> dict[str, Any]:
    found = orjson.loads(data)
    if not isinstance(found, dict) or not isinstance(found.get("choices"), list) or not found["choices"]:
        raise ValueError(f"no chat completion: {data[:200]!r}")
    return found


def _refused(endpoint: _Endpoint, error: urllib.error.HTTPError) -> dict[str, Any]:
    """What a request that will never be answered gets; raises where another may be."""
    try:
        said = endpoint.hidden(error.read(2_000).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException):
        said = ""
    finally:
        error.close()
    if error.code in _AGAIN or error.code >= 500:
        raise _Failed(f"HTTP {error.code}", said, after=_retry_after(error.headers.get("Retry-After")))
    if error.code in _HOPELESS or error.code < 400:
        raise _Hopeless(f"HTTP {error.code}: {said}")
    return {"error": said}


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: the header gives seconds or a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value.strip()[:9]), _LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
