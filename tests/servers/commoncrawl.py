"""A store like Common Crawl's on a real port: WARC files by byte range, a columnar index, CDX files, a CDX server, and
the sites that were crawled, for pages that are fetched again.

Below `/ignore/`, `/wrong/`, `/short/`, `/forbid/` and `/coded/` the same files are served by a server that ignores byte
ranges, gives another range, gives half of it, refuses, or says that the range is gzip-coded.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from servers.running import running
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

CRAWL = "CC-MAIN-2026-30"
SEGMENT = "1785000000000.11"
_WARC = f"crawl-data/{CRAWL}/segments/{SEGMENT}/{{}}/CC-MAIN-20260720000000-20260720030000-{{:05d}}.warc.gz"
TABLE = f"cc-index/table/cc-main/warc/crawl={CRAWL}/subset={{}}"
CDX = f"cc-index/collections/{CRAWL}/indexes/cdx-00000.gz"
_SENTENCES = {
    "eng": """The harbour is dredged every second spring. | Our museum keeps nine boats under one roof. | Volunteers
        mend the sails on Thursday evenings. | A small fee pays for the paint and the rope. | Visitors may row as
        far as the red buoy. | The oldest hull was found below the fish market. | Its timbers were numbered and
        dried for years. | Children draw the figureheads and vote for the best. | The winter lectures begin when
        the ice closes the quay. | Nobody remembers why the bell is rung at noon.""",
    "fra": """Le verger municipal compte douze variétés de pommiers. | Chaque automne, les habitants pressent le jus
        ensemble. | Une partie de la récolte part à la cantine de l'école. | Les greffes sont faites au mois de
        mars par une association. | On y a planté aussi des cognassiers et deux néfliers. | Les ruches
        appartiennent à un apiculteur du quartier. | Le chemin reste ouvert jusqu'à la tombée de la nuit. | Un
        panneau explique comment tailler les jeunes arbres. | Les enfants mesurent la pluie avec un vieux seau. |
        Personne n'a jamais fermé la petite porte du fond.""",
    "deu": """Die Bücherei leiht seit diesem Jahr auch Werkzeug aus. | Eine Bohrmaschine bleibt höchstens drei Tage im
        Haus. | Wer sie beschädigt, hilft am Samstag in der Werkstatt. | Die Regale wurden aus alten Türen
        gebaut. | Im Keller steht eine Presse für kleine Plakate. | Zweimal im Monat liest jemand aus seinen
        Briefen vor. | Der Katalog nennt zu jedem Gerät den Stifter. | Die Kinder dürfen den Stempel selbst
        setzen. | Im Winter gibt es Tee und geröstete Kastanien. | Niemand weiß mehr, wer die Uhr gestellt hat.""",
}
LONG = {"long.html": 900, "private/long.html": 901, "gone.html": 902}
"""Pages of which the store has the first half, and their seeds; the site has the first two whole."""
_SITES = {"eng": "www.example.com", "fra": "www.exemple.fr", "deu": "beispiel.de"}


def prose(language: str, seed: int, words: int = 200) -> list[str]:
    """Paragraphs in a language, other ones for each seed."""
    sentences = [" ".join(sentence.split()) for sentence in _SENTENCES[language].split("|")]
    choice = random.Random(f"{language}{seed}")
    paragraphs: list[str] = []
    while sum(len(paragraph.split()) for paragraph in paragraphs) < words:
        paragraphs.append(" ".join(choice.sample(sentences, 5)) + f" ({choice.randrange(10_000)})")
    return paragraphs


def page(language: str, seed: int) -> bytes:
    body = "".join(f"<p>{paragraph}</p>\n" for paragraph in prose(language, seed))
    lang = {"eng": "en", "fra": "fr", "deu": "de"}[language]
    head = f'<html lang="{lang}"><head><meta charset="utf-8"><title>{language} {seed}</title></head>'
    return f"<!DOCTYPE html>{head}<body><main><h1>{language} {seed}</h1>\n{body}</main></body></html>".encode()


def surt(url: str) -> str:
    parts = urlsplit(url)
    host = re.sub(r"^www\d*\.", "", parts.hostname or "")
    port = f":{parts.port}" if parts.port else ""
    return ",".join(reversed(host.split("."))) + port + ")" + parts.path + (f"?{parts.query}" if parts.query else "")


def digest(body: bytes) -> str:
    return base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


@dataclass
class Store:
    """The files, what the index says of them, and what was asked for."""

    folder: Path
    port: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Of the index, in the order in which they were captured."""
    log: list[tuple[str, str, str | None, int]] = field(default_factory=list)
    """Host, path with query, Range and status of every request."""
    slow: set[str] = field(default_factory=set)
    """Paths that answer 503 once more."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def row(self, url: str) -> dict[str, Any]:
        return next(row for row in self.rows if row["url"] == url)

    # -- what lies there ----------------------------------------------------------------------------------

    def fill(self) -> None:
        for number in range(2):
            self._warc(number)
        self._diagnostics()
        self._deceptions()
        self._tables()
        self._cdx()

    def _warc(self, number: int) -> None:
        pages = [
            (language, f"https://{site}/texts/{seed}.html", seed)
            for seed in range(number * 12, number * 12 + 12)
            for language, site in _SITES.items()
        ]
        with self._writing("warc", number) as write:
            for language, url, seed in pages:
                write(url, page(language, seed), language)
            if number == 0:
                for path, seed in LONG.items():
                    body = page("fra", seed)
                    write(f"http://www.exemple.fr:{self.port}/{path}", body[: len(body) // 2], "fra", cut="length")
                write("https://beispiel.de/bericht.pdf", b"%PDF-1.4\n% no more than this\n", None, "application/pdf")

    def _diagnostics(self) -> None:
        with self._writing("crawldiagnostics", 0) as write:
            write("https://www.example.com/nowhere", b"<html>Not found</html>", None, status=404)

    @contextmanager
    def _writing(self, subset: str, number: int) -> Iterator[Callable[..., None]]:
        name = _WARC.format(subset, number)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            writer.write_record(writer.create_warcinfo_record(path.name, {"software": "a test"}))

            def write(
                url: str, body: bytes, languages: str | None, mime: str = "text/html", status: int = 200,
                cut: str | None = None,
            ) -> None:  # fmt: skip
                head = StatusAndHeaders("GET / HTTP/1.1", [("Host", urlsplit(url).netloc)], is_http_request=True)
                writer.write_record(writer.create_warc_record(url, "request", http_headers=head))
                start = file.tell()
                fields = {"WARC-Date": "2026-07-20T01:02:03Z", "WARC-Payload-Digest": f"sha1:{digest(body)}"}
                if cut:
                    fields["WARC-Truncated"] = cut
                head = StatusAndHeaders(f"{status} OK", [("Content-Type", mime)], protocol="HTTP/1.1")
                record = writer.create_warc_record(
                    url, "response", io.BytesIO(body), http_headers=head, warc_headers_dict=fields
                )
                writer.write_record(record)
                self._add(url, body, languages, mime, status, cut, name, start, file.tell() - start, subset)
                about = writer.create_warc_record(url, "metadata", io.BytesIO(b"fetchTimeMs: 12\r\n"))
                writer.write_record(about)

            yield write

    def _add(
        self, url: str, body: bytes, languages: str | None, mime: str, status: int, cut: str | None, name: str,
        offset: int, length: int, subset: str,
    ) -> None:  # fmt: skip
        host = urlsplit(url).hostname or ""
        self.rows.append({
            "url_surtkey": surt(url), "url": url, "url_host_name": host, "url_host_tld": host.rpartition(".")[2],
            "url_host_registered_domain": ".".join(host.split(".")[-2:]), "fetch_status": status,
            "fetch_redirect": None, "content_digest": digest(body), "content_mime_type": mime,
            "content_mime_detected": mime, "content_charset": "UTF-8", "content_languages": languages,
            "content_truncated": cut, "warc_filename": name, "warc_record_offset": offset,
            "warc_record_length": length, "warc_segment": SEGMENT, "subset": subset,
        })  # fmt: skip

    def _deceptions(self) -> None:
        """Lines of `bad.example.org` that are wrong."""
        good = self.rows[0]
        for path, change in {
            "digest": {"content_digest": "A" * 32, "url": good["url"]},
            "middle": {"warc_record_offset": good["warc_record_offset"] + 7},
            "another": {},
            "climbs": {"warc_filename": "crawl-data/../../secret.warc.gz"},
            "elsewhere": {"warc_filename": "http://127.0.0.1:1/x.warc.gz"},
            "split": {"warc_filename": "crawl-data/x\r\nHost: y.warc.gz"},
            "negative": {"warc_record_offset": -5},
            "empty": {"warc_record_length": 0},
            "beyond": {"warc_record_offset": 2_000_000_000},
            "missing": {"warc_filename": _WARC.format("warc", 99999)},
        }.items():
            url = f"https://bad.example.org/{path}"
            place = {"url_host_name": "bad.example.org", "url_host_tld": "org", "url_surtkey": surt(url)}
            self.rows.append({**good, "url": url, **place, **change, "content_languages": "eng"})

    def _tables(self) -> None:
        listed = []
        for subset in ("warc", "crawldiagnostics"):
            rows = sorted((row for row in self.rows if row["subset"] == subset), key=lambda row: row["url_surtkey"])
            half = len(rows) // 2
            for number, part in enumerate((rows[:half], rows[half:])):
                name = f"{TABLE.format(subset)}/part-{number:05d}-f0e1.c000.gz.parquet"
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                columns = [{k: v for k, v in row.items() if k != "subset"} for row in part]
                table = pa.Table.from_pylist(columns, _SCHEMA)
                pq.write_table(table, self.folder / name, compression="gzip", row_group_size=8)
                listed.append(name)
        paths = self.folder / f"crawl-data/{CRAWL}/cc-index-table.paths.gz"
        paths.write_bytes(gzip.compress("".join(f"{name}\n" for name in listed).encode()))

    def _cdx(self) -> None:
        """As Common Crawl has it: gzip members of a few lines each."""
        lines = [line for _, line in sorted((row["url_surtkey"], self._line(row)) for row in self.rows)]
        path = self.folder / CDX
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(gzip.compress("".join(lines[i : i + 7]).encode()) for i in range(0, len(lines), 7)))

    def _line(self, row: dict[str, Any], alone: bool = False) -> str:
        names = {
            "url": "url", "mime": "content_mime_type", "mime-detected": "content_mime_detected",
            "status": "fetch_status", "digest": "content_digest", "length": "warc_record_length",
            "offset": "warc_record_offset", "filename": "warc_filename", "charset": "content_charset",
            "languages": "content_languages", "truncated": "content_truncated",
        }  # fmt: skip
        said = {name: str(row[column]) for name, column in names.items() if row[column] is not None}
        if alone:
            return json.dumps({"urlkey": row["url_surtkey"], "timestamp": "20260720010203", **said}) + "\n"
        return f"{row['url_surtkey']} 20260720010203 {json.dumps(said)}\n"

    # -- who gives it out ---------------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        given = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        path, host, span = scope["path"], given.get("host", "").partition(":")[0], given.get("range")
        status, fields, body = self._answer(host, path, query, span)
        self.log.append((host, path + (f"?{query}" if query else ""), span, status))
        fields["content-length"] = str(len(body))
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, host: str, path: str, query: str, span: str | None) -> tuple[int, dict[str, str], bytes]:
        if host != "127.0.0.1":
            return self._site(path)
        if path == f"/{CRAWL}-index":
            return self._cdx_server(query)
        mode, _, rest = path.removeprefix("/").partition("/")
        if mode not in ("ignore", "wrong", "short", "forbid", "coded"):
            mode, rest = "", path.removeprefix("/")
        if rest in self.slow:
            self.slow.remove(rest)
            return 503, {"content-type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>"
        if mode == "forbid":
            return 403, {"content-type": "text/html"}, b"<h1>403</h1>"
        file = self.folder / rest
        if ".." in rest or not file.is_file():
            return 404, {"content-type": "application/xml"}, b"<Error><Code>NoSuchKey</Code></Error>"
        return self._bytes(file.read_bytes(), span, mode)

    def _bytes(self, data: bytes, span: str | None, mode: str) -> tuple[int, dict[str, str], bytes]:
        fields = {"content-type": "application/octet-stream", "accept-ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", span or "")
        if not asked or mode == "ignore":
            return 200, fields, data
        first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        if first >= len(data):
            return 416, {**fields, "content-range": f"bytes */{len(data)}"}, b""
        if mode == "wrong":
            first, last = first + 1, last + 1
        if mode == "short":
            last = first + (last - first) // 2
        if mode == "coded":
            fields["content-encoding"] = "gzip"
        return 206, {**fields, "content-range": f"bytes {first}-{last}/{len(data)}"}, data[first : last + 1]

    def _cdx_server(self, query: str) -> tuple[int, dict[str, str], bytes]:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        host, domain = asked["url"], asked.get("matchType") == "domain"
        rows = [
            row
            for row in self.rows
            if row["url_host_name"] == host or (domain and row["url_host_name"].endswith(f".{host}"))
        ]
        fields = {"content-type": "text/x-ndjson"}
        if not rows:
            return 404, fields, json.dumps({"message": f"No Captures found for: {host}"}).encode()
        if asked.get("showNumPages") == "true":
            return 200, fields, json.dumps({"pages": -(-len(rows) // 10), "pageSize": 5, "blocks": 3}).encode()
        part = rows[int(asked.get("page", "0")) * 10 :][:10]
        return 200, fields, "".join(self._line(row, alone=True) for row in part).encode()

    def _site(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            return 200, {"content-type": "text/plain"}, b"User-agent: *\nDisallow: /private/\n"
        if path.endswith("long.html"):
            return 200, {"content-type": "text/html; charset=utf-8"}, page("fra", LONG[path.removeprefix("/")])
        return 404, {"content-type": "text/html"}, b"<html>404</html>"


_SCHEMA = pa.schema([
    pa.field(name, pa.int16() if name == "fetch_status" else pa.int32() if name.startswith("warc_record") else
             pa.string())
    for name in ("url_surtkey", "url", "url_host_name", "url_host_tld", "url_host_registered_domain", "fetch_status",
                 "fetch_redirect", "content_digest", "content_mime_type", "content_mime_detected", "content_charset",
                 "content_languages", "content_truncated", "warc_filename", "warc_record_offset",
                 "warc_record_length", "warc_segment")
])  # fmt: skip


@contextmanager
def commoncrawl(folder: Path) -> Iterator[Store]:
    """Runs the store; its files are made below `folder`."""
    store = Store(folder)
    with running(store) as server:
        store.port = server.port
        store.fill()
        yield store
