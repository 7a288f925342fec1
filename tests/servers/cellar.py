"""A CELLAR for tests: resources by CELEX number with content negotiation, and a SPARQL endpoint for known queries.

It behaves as the real one is described and was seen to: 303 to a file, 300 with a list of several, 404 for what is not
there, 400 for an `Accept-Language` of two letters, 406 for a file in another format, JSON results, `X-SPARQL-MaxRows`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from servers import cellar_sparql
from servers.cellar_works import ISO, MEDIA, URI, File, works

CHALLENGE = (
    b'<!DOCTYPE html><html lang="en"><head><title></title><script>window.awsWafCookieDomainList = [];'
    b"window.gokuProps = {};</script></head><body><div id='challenge-container'></div></body></html>"
)
NOWHERE = (
    b"<html><head><title>EUR-Lex</title></head><body><p>The requested document does not exist.</p>"
    b"<p>Check the number.</p></body></html>"
)


@dataclass(frozen=True)
class Asked:
    """A request, as it came."""

    path: str
    query: str
    headers: Mapping[str, str]
    status: int


class Cellar:
    """ASGI application. Fields may be changed while it runs."""

    def __init__(self) -> None:
        self.works = works()
        self.log: list[Asked] = []
        self.busy = 0
        """Requests that will be answered with 503 and `Retry-After: 1`."""
        self.challenged: set[str] = set()
        """CELEX numbers that a firewall stands before."""
        self.nowhere: set[str] = set()
        """CELEX numbers that a page with status 200 says there are none of."""
        self.hidden: set[str] = {"31987D9903"}
        """CELEX numbers of which negotiation does not find the files that there are."""
        self.max_rows: int | None = None
        """Rows of a SPARQL answer, of which Virtuoso leaves out the others."""
        self.partial = 0
        """SPARQL answers that will be given in part, for lack of time."""

    def amend(self, celex: str, language: str, type: str = "xhtml") -> None:
        """Change a version, an hour after the collection's start for each time that it was changed."""
        work = self.works[celex]
        file = work.versions[language][type][-1]
        work.modified = file.changed = file.changed + timedelta(days=30)
        file.body = file.body.replace(b"</body>", b'<p class="oj-normal">One more bell.</p></body>')

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        raw, query = scope.get("raw_path", scope["path"].encode()).decode(), scope["query_string"].decode()
        base = f"http://{headers['host']}"
        status, fields, body = self._answer(raw.partition("?")[0], query, headers, base)
        self.log.append(Asked(raw.partition("?")[0], query, headers, status))
        fields = {"content-length": str(len(body)), **fields}
        await send({
            "type": "http.response.start", "status": status,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": body})

    def _answer(
        self, path: str, query: str, headers: Mapping[str, str], base: str
    ) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            return 200, {"content-type": "text/plain"}, b"User-agent: *\nDisallow: /\n"
        if self.busy:
            self.busy -= 1
            return 503, {"retry-after": "1"}, b"busy"
        if path == "/webapi/rdf/sparql":
            return self._sparql(parse_qs(query).get("query", [""])[0])
        place = re.fullmatch(r"/resource/(celex|cellar)/(.+)", path)
        if not place:
            return _plain(404, "no such page")
        if place[1] == "celex":
            return self._by_number(unquote(place[2]), headers, base)
        return self._by_id(place[2], headers)

    # Resources.

    def _by_number(self, celex: str, headers: Mapping[str, str], base: str) -> tuple[int, dict[str, str], bytes]:
        if celex in self.challenged:
            return 202, {"content-type": "text/html", "x-amzn-waf-action": "challenge"}, CHALLENGE
        if celex in self.nowhere:
            return 200, {"content-type": "text/html; charset=UTF-8"}, NOWHERE
        work = self.works.get(celex)
        if work is None:
            return _plain(404, f"Resource [celex:{celex}] does not exist.")
        accept = [each.strip().replace(" ", "") for each in headers.get("accept", "*/*").split(",")]
        if accept == ["application/xml;notice=identifiers"]:
            return 200, {"content-type": "application/xml"}, f"<NOTICE><URI>{work.id}</URI></NOTICE>".encode()
        codes = {code: language for language, code in ISO.items()}
        language = codes.get(headers.get("accept-language", ""))
        if language is None:
            return _plain(400, "Invalid language in Accept-Language")
        if language not in work.versions:
            return _plain(404, f"No expression of [celex:{celex}] in [{language}].")
        for wanted in accept:
            for end, (own, type, files) in work.manifestations().items():
                if own == language and files and MEDIA.get(type) == wanted and celex not in self.hidden:
                    end += "/DOC_1" if len(files) == 1 else ""
                    return 303, {"location": f"{base}/resource/cellar/{work.id}.{end}"}, b""
        return _plain(404, f"[celex:{celex}] does not hold a content datastream of the requested type.")

    def _by_id(self, id: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        found = re.fullmatch(r"([0-9a-f-]{36})\.(\d{4}\.\d\d)(?:/DOC_(\d+))?", id)
        work = next((work for work in self.works.values() if found and work.id == found[1]), None)
        if found is None or work is None or found[2] not in work.manifestations():
            return _plain(404, "no such resource")
        language, type, files = work.manifestations()[found[2]]
        if found[3] is None:
            return 300, {"content-type": "text/html"}, _choices(f"{URI}/cellar/{found[1]}.{found[2]}", files)
        if not 0 < int(found[3]) <= len(files):
            return _plain(404, "no such item")
        file = files[int(found[3]) - 1]
        if MEDIA[type] not in headers.get("accept", "").replace(" ", "") and headers.get("accept") != "*/*":
            return _plain(406, "Not Acceptable")
        fields = {
            "etag": f'"{hashlib.sha1(file.body).hexdigest()[:12]}"',
            "last-modified": format_datetime(file.changed, True),
            "content-type": f"{MEDIA[type]};charset=UTF-8", "content-language": language,
        }  # fmt: skip
        if headers.get("if-none-match") == fields["etag"]:
            return 304, {"etag": fields["etag"]}, b""
        return 200, fields, file.body

    def _sparql(self, query: str) -> tuple[int, dict[str, str], bytes]:
        try:
            rows = cellar_sparql.rows(self.works, query)
        except ValueError as error:
            return _plain(400, f"Virtuoso 37000 Error SP030: SPARQL compiler: {error}")
        fields = {"content-type": "application/sparql-results+json"}
        if self.max_rows is not None and len(rows) > self.max_rows:
            rows, fields["x-sparql-maxrows"] = rows[: self.max_rows], str(self.max_rows)
        if self.partial:
            self.partial -= 1
            rows, fields["x-sql-state"] = rows[: len(rows) // 2], "S1TAT"
        names = sorted({name for row in rows for name in row})
        kinds = {True: "uri", False: "literal"}
        bindings = [
            {name: {"type": kinds[value.startswith("http")], "value": value} for name, value in row.items()}
            for row in rows
        ]
        answer = {
            "head": {"link": [], "vars": names},
            "results": {"distinct": False, "ordered": True, "bindings": bindings},
        }
        return 200, fields, json.dumps(answer).encode()


def _choices(uri: str, files: list[File]) -> bytes:
    items = "".join(
        f'<li title="item"><a href="{uri}/DOC_{number}"><span class="url">({uri}/DOC_{number})</span></a><ul>'
        f'<li title="stream_name">{escape(file.name)}</li><li title="stream_order">{number}</li></ul></li>'
        for number, file in enumerate(files, 1)
    )
    return (
        "<html><head><title>300 Multiple-Choice Response</title></head><body> List of URI's:<ul>"
        f'<li title="manifestation">{uri}<ul>{items}</ul></li></ul></body></html>'
    ).encode()


def _plain(status: int, text: str) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "text/plain;charset=UTF-8"}, text.encode()
