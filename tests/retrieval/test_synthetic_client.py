from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ConfigError
from retrieval.synthetic.client import _retry_after, ask
from retrieval.synthetic.params import SyntheticParams
from retrieval.synthetic.replies import ResponseFile
from tests.retrieval.endpoint import Behave, Handler, serving

KEY = "sk-secret-of-the-test"


def request(name: str) -> dict[str, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": name}]}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}


def asked(url: str, path: Path, names: str = "a", **params: Any) -> Counter[str]:
    counts: Counter[str] = Counter()
    given = {"timeout_s": 0.3, "attempts": 3, **params}
    ask(map(request, names), path, SyntheticParams(endpoint=url, model="m", **given), counts, wait_s=0.01)
    return counts


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def fine(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.say({"questions": [f"What is {body['messages'][0]['content']}?"]})


def at_first(trouble: Behave, times: int = 1) -> Behave:
    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        (trouble if number <= times else fine)(handler, body, number)

    return behave


def busy(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(b"slow down", 429, Retry_After="0")


def hang(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.hang()


def drip(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.drip()


def garbage(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(b"<html>\xff\xfe gateway</html>")


def other_json(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(b'{"choices": []}')


def broken(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(b"oops", 503)


def cut(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(b'{"choices"', 200, Content_Length="500")
    handler.close_connection = True


def no_http(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
    handler.close_connection = True


def test_answers_are_kept_by_the_id_of_their_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY + "\n")
    with serving(fine) as server:
        assert asked(server.url + "/", tmp_path / "r.jsonl", "abc", key_variable="MY_KEY") == {"request: answered": 3}
    assert {line["custom_id"] for line in lines(tmp_path / "r.jsonl")} == set("abc")
    assert {path for path, _, _ in server.seen} == {"/v1/chat/completions"}
    assert {headers["Authorization"] for _, headers, _ in server.seen} == {f"Bearer {KEY}"}
    assert KEY not in (tmp_path / "r.jsonl").read_text("utf-8")


@pytest.mark.parametrize("trouble", [busy, hang, drip, garbage, other_json, broken, cut, no_http])
def test_what_fails_at_first_is_asked_again(tmp_path: Path, trouble: Behave) -> None:
    with serving(at_first(trouble)) as server:
        assert asked(server.url, tmp_path / "r.jsonl") == {"request: answered": 1}
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(busy, "HTTP 429"), (hang, "timeout"), (drip, "timeout"), (garbage, "broken answer"), (broken, "HTTP 503"),
     (no_http, "broken answer")],
)  # fmt: skip
def test_what_fails_for_good_is_a_line_and_is_asked_by_the_next_call(
    tmp_path: Path, trouble: Behave, reason: str
) -> None:
    path = tmp_path / "r.jsonl"
    with serving(at_first(trouble, 3)) as server:
        assert asked(server.url, path) == {f"request: failed: {reason}": 1}
        assert lines(path)[0]["error"]["code"] == reason
        assert asked(server.url, path) == {"request: answered": 1}
        assert asked(server.url, path) == {"request: answered before": 1}
    assert len(server.seen) == 4
    assert ResponseFile(path).answered() == {"a"}


def test_a_killed_run_goes_on_after_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "r.jsonl"
    with serving(fine) as server:
        asked(server.url, path, "a")
        with path.open("ab") as file:
            file.write(b'{"custom_id": "b", "respo')
        assert asked(server.url, path, "abba") == {"request: answered before": 3, "request: answered": 1}
    assert len(server.seen) == 2
    found = ResponseFile(path)
    assert (found.answered(), found.broken) == ({"a", "b"}, 1)


def test_a_refused_request_is_an_answer(tmp_path: Path) -> None:
    with serving(lambda handler, body, number: handler.send(b'{"error": "too long"}', 400)) as server:
        assert asked(server.url, tmp_path / "r.jsonl") == {"request: answered": 1}
        assert asked(server.url, tmp_path / "r.jsonl") == {"request: answered before": 1}
    assert lines(tmp_path / "r.jsonl")[0]["response"]["status_code"] == 400


@pytest.mark.parametrize("status", [401, 403, 404, 307])
def test_an_endpoint_that_lets_nobody_in_stops_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        handler.send(f"wrong key {KEY}".encode(), status, Location="http://127.0.0.1:1/elsewhere")

    with serving(behave) as server, pytest.raises(ConfigError, match=f"HTTP {status}") as error:
        asked(server.url, tmp_path / "r.jsonl", "abcdefgh" * 20, in_flight=2)
    assert len(server.seen) <= 8
    assert KEY not in str(error.value) + (tmp_path / "r.jsonl").read_text("utf-8")


def test_a_dead_endpoint_is_given_up(tmp_path: Path) -> None:
    with serving(fine) as server:
        url = server.url
    with pytest.raises(ConfigError, match=r"2\d requests failed in a row"):
        asked(url, tmp_path / "r.jsonl", "".join(map(chr, range(0x4E00, 0x5E00))), attempts=1)
    assert len(lines(tmp_path / "r.jsonl")) < 40


def test_a_key_that_an_error_repeats_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda handler, body, number: handler.send(f"bad: {KEY}".encode(), 500)) as server:
        asked(server.url, tmp_path / "r.jsonl", attempts=1)
    assert lines(tmp_path / "r.jsonl")[0]["error"]["message"] == "HTTP 500: bad: ***"


def test_requests_under_way_have_a_limit(tmp_path: Path) -> None:
    def slow(handler: Handler, body: dict[str, Any], number: int) -> None:
        time.sleep(0.02)
        fine(handler, body, number)

    with serving(slow) as server:
        asked(server.url, tmp_path / "r.jsonl", "abcdefghijkl", in_flight=3, timeout_s=5)
    assert server.most_under_way == 3
    assert len(lines(tmp_path / "r.jsonl")) == 12


def test_only_web_addresses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="base URL"):
        asked("file:///etc", tmp_path / "r.jsonl")


def test_the_endpoint_says_how_long_to_wait(tmp_path: Path) -> None:
    arrived: list[float] = []

    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        arrived.append(time.monotonic())
        handler.send(b"", 429, Retry_After="1") if number == 1 else fine(handler, body, number)

    with serving(behave) as server:
        assert asked(server.url, tmp_path / "r.jsonl", timeout_s=5) == {"request: answered": 1}
    assert arrived[1] - arrived[0] >= 1


def test_retry_after() -> None:
    assert _retry_after("7") == 7
    assert _retry_after("99999999999999") == 600
    assert 20 < (_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30))) or 0) <= 30
    assert _retry_after("Wed, 01 Jan 2020 00:00:00 GMT") == 0
    assert [_retry_after(value) for value in ("soon", "", None, "-1")] == [None] * 4
