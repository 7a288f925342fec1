"""Known models, the cache, real downloads from a local server, and damaged model files."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters import model_files
from filters.language import LanguageModel
from filters.model_files import Known, ModelError, check, known, locate

MODEL = Path(model_files.__file__).parent / "models" / "florilege-lid.ftz"


@contextmanager
def server(body: bytes, declared: int | None = None, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A web server that answers every request with `body`; its URL, and the paths that were asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if declared is None else declared))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/model.ftz", asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def entry(url: str, sha256: str = "") -> Known:
    return Known(name="some", prepared=True, licence="Apache-2.0", url=url, sha256=sha256)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FLORILEGE_CACHE", str(folder))
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_every_known_model_is_shipped_or_pinned() -> None:
    for model in known().values():
        if model.file:
            assert (MODEL.parent.parent / model.file).is_file()
        else:
            assert model.url.startswith("https://")
            assert len(bytes.fromhex(model.sha256)) == 32


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FLORILEGE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert model_files.cache_folder() == tmp_path / "florilege"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert model_files.cache_folder() == tmp_path / ".cache" / "florilege"


def test_a_model_is_fetched_once_and_served_from_the_cache(cache: Path) -> None:
    body = MODEL.read_bytes()
    with server(body) as (url, asked):
        first = locate(entry(url, sha(body)))
        assert locate(entry(url, sha(body))) == first
    assert first.read_bytes() == body
    assert asked == ["/model.ftz"]
    assert list(cache.iterdir()) == [first]


def test_a_fetched_model_predicts(monkeypatch: pytest.MonkeyPatch) -> None:
    body = MODEL.read_bytes()
    with server(body) as (url, _):
        monkeypatch.setattr(model_files, "known", lambda: {"some": entry(url, sha(body))})
        model = LanguageModel.load("some")
    assert model.name == "some"
    assert model.predict("La qualité de l'eau doit être protégée par les États membres.")[0][0] == "fr"


def test_a_damaged_cached_file_is_fetched_again() -> None:
    body = b"the right bytes"
    with server(body) as (url, asked):
        path = locate(entry(url, sha(body)))
        path.write_bytes(b"damage")
        assert locate(entry(url, sha(body))).read_bytes() == body
    assert len(asked) == 2


def test_a_wrong_digest_is_refused_and_nothing_stays(cache: Path) -> None:
    with server(b"other bytes") as (url, _), pytest.raises(ModelError, match=r"has SHA-256 .* expected") as caught:
        locate(entry(url, sha(b"expected bytes")))
    assert url in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_cut_download_is_refused_and_nothing_stays(cache: Path) -> None:
    body = b"x" * 1000
    with server(body, declared=5000) as (url, _), pytest.raises(ModelError, match="cut short: 1000 of 5000"):
        locate(entry(url, sha(body)))
    assert list(cache.iterdir()) == []


def test_an_endless_download_is_stopped(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(model_files, "LARGEST", 999)
    body = b"x" * 1000
    with server(body) as (url, _), pytest.raises(ModelError, match="more than 999 bytes"):
        locate(entry(url, sha(body)))
    assert list(cache.iterdir()) == []


def test_a_missing_page_names_address_cache_and_remedy(cache: Path) -> None:
    with server(b"", status=404) as (url, _), pytest.raises(ModelError, match="404") as caught:
        locate(entry(url, "a" * 64))
    assert url in str(caught.value)


def test_without_a_server_the_error_names_address_cache_and_remedy(cache: Path) -> None:
    with server(b"") as (url, _):
        pass
    with pytest.raises(ModelError) as caught:
        locate(entry(url, "a" * 64))
    for part in (url, str(cache), "download it elsewhere", "florilege-lid"):
        assert part in str(caught.value)


def test_a_cache_that_cannot_be_written_is_reported(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with server(b"body") as (url, asked), pytest.raises(ModelError, match="could not be fetched"):
        locate(entry(url, sha(b"body")))
    assert asked == []


def test_without_a_pinned_digest_one_must_be_given() -> None:
    with server(b"body") as (url, asked):
        with pytest.raises(ModelError, match="give the digest"):
            locate(entry(url))
        assert asked == []
        assert locate(entry(url), sha(b"body").upper()).read_bytes() == b"body"


def test_a_digest_against_the_pinned_one_is_refused() -> None:
    with pytest.raises(ModelError, match="is not the pinned"):
        locate(entry("http://127.0.0.1:1/", "a" * 64), "b" * 64)


def test_the_shipped_model_is_sound_and_small() -> None:
    check(MODEL)
    assert MODEL.stat().st_size <= 2_000_000


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, MODEL.stat().st_size - 1))
def test_a_cut_model_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.ftz"
    path.write_bytes(MODEL.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"cut\.ftz"):
        check(path)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), value=st.integers(0, 255), size=st.integers(1, 8))
def test_an_altered_head_is_refused_or_predicts(tmp_path: Path, at: int, value: int, size: int) -> None:
    data = bytearray(MODEL.read_bytes())
    data[at : at + size] = bytes([value]) * size
    path = tmp_path / "altered.ftz"
    path.write_bytes(data)
    try:
        model = LanguageModel.load(str(path))
    except ModelError as problem:
        assert "altered.ftz" in str(problem)
    else:
        assert len(model.predict("A sentence to read.")) <= 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x00", "not a sound fastText model at byte 0"),
        (b"<html>Not found</html>", "magic number"),
        (struct.pack("<ii", 793712314, 11), "magic number or version"),
        (struct.pack("<ii12id", 793712314, 12, 16, 5, 5, 1, 5, 1, 1, 1, 0, 0, 0, 100, 0.0), "not a classifier"),
        (
            struct.pack("<ii12id", 793712314, 12, 16, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100, 0.0)
            + struct.pack("<iiiqq", 2**31 - 1, 2**31 - 2, 1, 0, -1),
            "dictionary entry 0",
        ),
    ],
)
def test_what_is_no_model_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=reason) as caught:
        check(path)
    assert str(path) in str(caught.value)


def test_bytes_after_a_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.ftz"
    path.write_bytes(MODEL.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="bytes after the model"):
        check(path)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        check(tmp_path)
