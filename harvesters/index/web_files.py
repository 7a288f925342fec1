"""Files of an index, wherever they lie: local ones, and those of a web store, which are read by byte range.

fsspec's own HTTP file system asks for whole files to see whether they exist, reads ahead by 5 MB where a column takes a
few kB, follows redirects and does not try again; this one does as Common Crawl asks.
"""

from __future__ import annotations

import gzip
import io
import logging
import re
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from catalog.errors import ConfigError

log = logging.getLogger("florilege.commoncrawl")

MAX_LIST = 64 << 20
"""Bytes of an unpacked list of files: that of a crawl has 900 lines."""
_TIMEOUT_S = 60.0
_BUSY = (429, 500, 502, 503, 504)
_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_MAX_WAIT_S = 300.0
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: only hosts that the recipe names are asked."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class WebFiles(AbstractFileSystem):  # type: ignore[misc]
    """A read-only file system over http and https: byte ranges only, patient with a server that is busy."""

    protocol = ("http", "https")
    cachable = False

    def __init__(
        self,
        waits_s: tuple[float, ...] = _WAITS_S,
        user_agent: str = "florilege",
        places: tuple[str, ...] | None = None,
    ) -> None:
        """`places`: URLs whose hosts may be asked, with their ports; all, if None."""
        super().__init__()
        self._waits_s, self._user_agent = waits_s, user_agent
        self._hosts = None if places is None else {urlsplit(place).netloc.lower() for place in places}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
        self._infos: dict[str, dict[str, Any]] = {}
        self._given_up = threading.Event()
        self.requests = 0
        self.received = 0

    def give_up(self) -> None:
        """From here on nothing is waited for or asked again."""
        self._given_up.set()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def unstrip_protocol(self, name: str) -> str:
        return name

    def read(self, url: str, span: str | None, limit: int) -> tuple[int, HTTPMessage, bytes]:
        """Status, header and at most `limit` bytes of an answer. Raises OSError when none comes."""
        if self._hosts is not None and urlsplit(url).netloc.lower() not in self._hosts:
            raise OSError(f"{url}: a host that the recipe does not name")
        fields = {"User-Agent": self._user_agent, "Accept-Encoding": "identity"}
        request = urllib.request.Request(url, headers=fields)
        if span:
            request.add_header("Range", span)
        for wait in (*self._waits_s, None):
            self.requests += 1
            try:
                with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                    body = answer.read(limit)
                    self.received += len(body)
                    return answer.status, answer.headers, body
            except urllib.error.HTTPError as error:
                with error:
                    failure, after = f"status {error.code}", error.headers.get("Retry-After", "")
                if error.code not in _BUSY or wait is None:
                    raise OSError(f"{url}: {failure}") from None
                wait = max(wait, float(after)) if re.fullmatch(r"\d{1,5}", after) else wait
            except (OSError, HTTPException) as error:
                if wait is None:
                    raise OSError(f"{url}: {error}") from error
                failure = str(error)
            log.warning("%s: %s, asking again in %.0f s", url, failure, wait)
            if self._given_up.wait(min(wait, _MAX_WAIT_S)):
                raise OSError(f"{url}: {failure}")
        raise AssertionError("unreachable")

    def piece(self, url: str, start: int, end: int) -> tuple[bytes, int]:
        """Bytes [start, end) of a file, fewer at its end, and the file's size."""
        status, header, body = self.read(url, f"bytes={start}-{end - 1}", end - start)
        span = _RANGE.fullmatch(header.get("Content-Range", "").strip())
        if status != 206 or not span or int(span[1]) != start or len(body) != int(span[2]) - start + 1:
            raise OSError(f"{url}: the server does not give bytes {start} to {end - 1} as asked (status {status})")
        return body, int(span[3])

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path not in self._infos:
            self._infos[path] = {"name": path, "size": self.piece(path, 0, 1)[1], "type": "file"}
        return self._infos[path]

    def exists(self, path: str, **_: Any) -> bool:
        try:
            return bool(self.info(path))
        except OSError:
            return False

    def modified(self, path: str) -> datetime:
        """Files of a crawl never change; DuckDB asks because they might."""
        return datetime(2000, 1, 1, tzinfo=UTC)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> AbstractBufferedFile:
        if mode != "rb":
            raise PermissionError(f"{path}: may only be read")
        return _WebFile(self, path, "rb", cache_type="none", size=self.info(path)["size"])


class _WebFile(AbstractBufferedFile):  # type: ignore[misc]
    def _fetch_range(self, start: int, end: int) -> bytes:
        files: WebFiles = self.fs
        return files.piece(self.path, start, end)[0]


def is_web(path: str) -> bool:
    """Whether a path is the URL of a web store."""
    return bool(re.match(r"https?://", path, re.I))


def filesystem(path: str) -> tuple[Any, str]:
    """The file system that a path or URL belongs to, if no web store has it, and the path there."""
    return fsspec.core.url_to_fs(path) if "://" in path else (fsspec.filesystem("file"), path)


def find(patterns: tuple[str, ...], user_agent: str = "florilege") -> tuple[list[str], Any]:
    """The files that paths, folders and patterns mean, sorted, each once, and their file system (None: local).

    Of web stores those are asked, by that user agent, that `patterns` name.

    Raises:
        ConfigError: nothing is there, or the files lie in several places.
    """
    found: set[str] = set()
    remote: dict[str, Any] = {}
    web = WebFiles(user_agent=user_agent, places=tuple(filter(is_web, patterns)))
    for pattern in patterns:
        files, path = (web, pattern) if is_web(pattern) else filesystem(pattern)
        local = "file" in files.protocol
        names = [path] if isinstance(files, WebFiles) else _expand(files, path)
        if not names:
            raise ConfigError(f"[commoncrawl] index = {pattern!r}: no such file")
        found.update(names if local else map(files.unstrip_protocol, names))
        remote.setdefault("file" if local else str(files.protocol), None if local else files)
    if len(remote) > 1:
        raise ConfigError("[commoncrawl] index: all files must be local, or all of one kind of store")
    return sorted(found), next(iter(remote.values()))


def _expand(files: Any, path: str) -> list[str]:
    if files.isfile(path):
        return [path]
    if files.isdir(path):
        return [name for name in files.find(path) if re.search(r"\.(parquet|cdxj?|gz)$", name)]
    return [name for name in files.glob(path) if files.isfile(name)]


def read_list(url: str, files: WebFiles) -> list[str]:
    """The lines of a small file of a store, gzip-compressed or not.

    Raises:
        ConfigError: it is not there, or is no such list.
    """
    try:
        _, _, body = files.read(url, None, MAX_LIST)
        if body[:2] == b"\x1f\x8b":
            body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_LIST)
    except (OSError, EOFError, ValueError) as error:
        raise ConfigError(f"[commoncrawl] crawl: {url}: {error}") from error
    return body.decode("utf-8", "replace").split()
