"""Captures to WARC files, byte for byte the same every time."""

from __future__ import annotations

import gzip
import io
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.demo.pages import MAIN, TRUNCATED, Capture, captures

_START = datetime(2024, 6, 3, 8, 0, tzinfo=UTC)


def write(folder: Path) -> list[dict[str, Any]]:
    """Write `pages.warc.gz`, and `truncated.warc.gz`, which ends within its last record.

    Returns what is to be expected of each response, in the order of the records.
    """
    folder.mkdir(parents=True, exist_ok=True)
    planted = []
    every = list(captures())
    for archive in (MAIN, TRUNCATED):
        chosen = [capture for capture in every if capture.archive == archive]
        data, last = warc(f"{archive}.warc.gz", chosen)
        cut = archive == TRUNCATED
        (folder / f"{archive}.warc.gz").write_bytes(data[: (last + len(data)) // 2] if cut else data)
        for capture in chosen:
            entry = {"url": capture.url, "archive": f"web/{archive}.warc.gz", "kind": capture.kind}
            planted.append({**entry, "expect": capture.expect, **capture.facts})
        if cut:
            planted[-1].update(kind="truncated", expect="failed", why="the archive ends within the record")
    return planted


def warc(name: str, chosen: Iterable[Capture]) -> tuple[bytes, int]:
    """A WARC/1.1 file, one gzip member a record, and the offset of its last record."""
    from warcio.warcwriter import WARCWriter

    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True, warc_version="1.1")
    info = {"software": "florilege demo", "format": "WARC File Format 1.1", "description": "invented pages"}
    record = writer.create_warcinfo_record(name, info)
    record.rec_headers.replace_header("WARC-Record-ID", _id(name))
    record.rec_headers.replace_header("WARC-Date", _date(0))
    writer.write_record(record)
    last = 0
    digests: dict[str, tuple[str, str]] = {}
    for number, capture in enumerate(chosen, 1):
        names = {"WARC-Date": _date(number), "WARC-Record-ID": _id(f"{name}/{number}")}
        request = _request(writer, capture, names, _id(f"{name}/{number}/request"))
        response = _response(writer, capture, names, digests)
        writer.write_record(request)
        last = buffer.tell()
        writer.write_record(response)
        digests.setdefault(capture.url, (response.rec_headers.get_header("WARC-Payload-Digest"), names["WARC-Date"]))
    return buffer.getvalue(), last


def _id(name: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>"


def _date(number: int) -> str:
    return (_START + timedelta(seconds=11 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _request(writer: Any, capture: Capture, names: dict[str, str], record_id: str) -> Any:
    from warcio.statusandheaders import StatusAndHeaders

    _, _, host, *path = capture.url.split("/")
    headers = [("Host", host), ("User-Agent", "florilege-demo"), ("Accept-Encoding", "gzip, br")]
    line = StatusAndHeaders(f"GET /{'/'.join(path)} HTTP/1.1", headers, is_http_request=True)
    names = {**names, "WARC-Record-ID": record_id, "WARC-Concurrent-To": names["WARC-Record-ID"]}
    return writer.create_warc_record(capture.url, "request", http_headers=line, warc_headers_dict=names)


def _response(writer: Any, capture: Capture, names: dict[str, str], digests: dict[str, tuple[str, str]]) -> Any:
    from warcio.statusandheaders import StatusAndHeaders

    mime = f"{capture.mime}; charset={capture.charset}" if capture.charset else capture.mime
    headers = [("Server", "demo"), ("Content-Type", mime), *capture.headers]
    body = _coded(capture)
    if capture.coding:
        headers.append(("Content-Encoding", capture.coding))
    if capture.location:
        headers.append(("Location", capture.location))
    if capture.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = _chunks(body)
    else:
        headers.append(("Content-Length", str(len(body))))
    reason = {200: "OK", 301: "Moved Permanently", 404: "Not Found"}[capture.status]
    line = StatusAndHeaders(f"{capture.status} {reason}", headers, protocol="HTTP/1.1")
    if capture.revisit_of:
        digest, date = digests[capture.revisit_of]
        return writer.create_revisit_record(
            capture.url, digest, capture.revisit_of, date, line, warc_headers_dict=names
        )
    record = writer.create_warc_record(
        capture.url, "response", io.BytesIO(body), len(body), http_headers=line, warc_headers_dict=names
    )
    writer.ensure_digest(record)
    return record


def _coded(capture: Capture) -> bytes:
    if capture.coding == "gzip":
        return gzip.compress(capture.body, mtime=0)
    if capture.coding == "br":
        import brotli

        return bytes(brotli.compress(capture.body))
    return capture.body


def _chunks(body: bytes, size: int = 1000) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"
