"""odd.test: what servers do that they should not: redirects to anywhere, lengths that lie, bombs, errors that pass."""

from __future__ import annotations

import gzip
import zlib
from functools import cache
from typing import TYPE_CHECKING

from servers import web_texts
from servers.web_hosts import html, link
from servers.web_parts import Ask, Handler, Host, Page, Reply, Role, always, moved, text, xml

if TYPE_CHECKING:
    from servers.web import Web

HTML = ("Content-Type", "text/html; charset=utf-8")
GZIP = ("Content-Encoding", "gzip")
PRIVATE = (
    "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
    "http://0.0.0.0/", "http://192.168.1.1:8080/", "http://localhost/", "http://2130706433/", "http://0x7f.1/",
    "http://router.local/", "http://metadata.google.internal/",
)  # fmt: skip
SCHEMES = (
    "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ftp://ftp.test/x", "gopher://odd.test/x", "//",
    "http://", "http:///x", "mailto:a@odd.test", "about:blank", "blob:x", "ws://odd.test/",
)  # fmt: skip


def odd(web: Web) -> Host:
    """About twenty pages that must be fetched, among many that cannot be."""
    lines = "".join(f"Sitemap: {web.url('odd.test', path)}\n" for path in ("/bomb.xml", "/lol.xml", "/maps/loop.xml"))
    lines += "Sitemap: file:///etc/passwd\nSitemap: http://169.254.169.254/\nSitemap: http://elsewhere.test/s.xml\n"
    host = Host("odd.test", always(text(f"User-agent: *\nAllow: /\n{lines}")))
    host.pages["/"] = Page(lambda epoch: html("odd", "en", [link(target) for target in _linked(host)]))
    _redirects(web, host)
    _lengths(host)
    _codings(host)
    _errors(host)
    _labels(host)
    _maps(web, host)
    return host


def _linked(host: Host) -> list[str]:
    hidden = {"/hang", "/", *(f"/chain/{number}" for number in range(1, 16)), "/huge"}
    every = [*host.pages, *host.handlers, *host.retried]
    return [path for path in every if path not in hidden and not path.startswith("/landed/") and len(path) < 1_000]


def _prose(seed: str) -> bytes:
    return html(f"odd {seed}", "en", [link("/")])


def _page(host: Host, target: str, role: Role = "allowed") -> None:
    host.pages[target] = Page(lambda epoch: _prose(target), role=role)


def _handle(host: Host, target: str, handler: Handler | Reply, role: Role = "optional") -> None:
    host.handlers[target] = (always(handler) if isinstance(handler, Reply) else handler, role)


def _redirects(web: Web, host: Host) -> None:
    for status in (301, 302, 303, 307, 308):
        _handle(host, f"/r/{status}", moved(f"/landed/{status}", status), "redirect")
        _page(host, f"/landed/{status}")
    _handle(host, "/r/relative", moved("../landed/./relative?a=1&utm_source=x#part"), "redirect")
    _page(host, "/landed/relative?a=1")
    for number in range(3):
        _handle(host, f"/r/short/{number}", moved(f"/r/short/{number + 1}"), "redirect")
    _handle(host, "/r/short/3", moved("/landed/short"), "redirect")
    _page(host, "/landed/short")
    for number in range(15):
        _handle(host, f"/chain/{number}", moved(f"/chain/{number + 1}"))
    _page(host, "/chain/15", "optional")
    for here, there in (("a", "b"), ("b", "a"), ("self", "self")):
        _handle(host, f"/loop/{here}", moved(f"/loop/{there}", 301))
    own = [f"http://127.0.0.1:{web.port}/inside", f"http://localhost:{web.port}/inside", f"http://127.1:{web.port}/x"]
    for number, target in enumerate([*PRIVATE, *own, *SCHEMES]):
        _handle(host, f"/to/{number}", moved(target))
    _handle(host, "/to/elsewhere", moved(f"http://elsewhere.test:{web.port}/"))
    _handle(host, "/to/user", moved(web.url("odd.test", "/secret").replace("//", "//user:word@")))
    _handle(host, "/to/nowhere", Reply(302, b"", [HTML]))
    _handle(host, "/to/empty", moved(""))
    _handle(host, "/to/long", moved(f"/{'x' * 60_000}"))
    _handle(host, "/to/robots", moved(web.url("news.test", "/private/4")), "redirect")
    lines = "/x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0aGET%20/secret"
    _handle(host, "/to/lines", moved(lines))
    for name, location in (("nul", b"/x\0y"), ("cr", b"/x\rSet-Cookie: a=b"), ("bytes", b"/caf\xe9\xff")):
        head = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
        _handle(host, f"/to/raw-{name}", Reply(raw=head))
    spelled = (lines, lines.replace("%0d%0a", "%0D%0A"), f"/{'x' * 60_000}", "/secret", "/x", "/xy", "/x%00y", "/&k")
    for target in (*spelled, "/xSet-Cookie:%20a=b", "/caf%E9%FF", "/caf%C3%A9%C3%BF"):
        host.handlers[target] = (always(text("no such page", 404)), "optional")


def _raw(length: str | None, body: bytes, more: str = "") -> Reply:
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/html; charset=utf-8"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return Reply(raw="\r\n".join([*lines, *([more] if more else []), "", ""]).encode() + body)


def _lengths(host: Host) -> None:
    body = _prose("length")
    _handle(host, "/length/short", _raw(str(len(body) + 500), body))  # ends before what it promised
    _handle(host, "/length/long", _raw(str(len(body) - 500), body))
    _handle(host, "/length/none", _raw(None, _prose("closed")), "allowed")
    _handle(host, "/length/two", _raw(str(len(body)), body, f"Content-Length: {len(body) + 7}"))
    _handle(host, "/length/negative", _raw("-5", body))
    _handle(host, "/length/words", _raw("many", body))
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    _handle(host, "/chunked/cut", _raw(None, chunk, "Transfer-Encoding: chunked"))
    _handle(host, "/chunked/bad", _raw(None, b"zz\r\n" + body, "Transfer-Encoding: chunked"))
    whole = _prose("chunked")
    _handle(
        host, "/chunked/good", _raw(None, f"{len(whole):x}\r\n".encode() + whole + b"\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nConnection: close"), "allowed",
    )  # fmt: skip
    _handle(host, "/closed", Reply(raw=b""))
    _handle(host, "/not-http", Reply(raw=b"<html>no head at all</html>"))
    _handle(host, "/empty", Reply(200, b"", [HTML]))
    many = "\r\n".join(f"X-Field-{number}: {'y' * 50}" for number in range(400))
    _handle(host, "/fields/many", _raw(str(len(body)), body, many))
    _handle(host, "/fields/long", _raw(str(len(body)), body, "X-Long: " + "y" * 30_000))
    _handle(host, "/fields/folded", _raw(str(len(body)), body, "X-Folded: a\r\n Set-Cookie: secret=1"))
    _handle(host, "/huge", Reply(200, _big(), [HTML]))
    _handle(host, "/hang", Reply(200, body, [HTML], wait=3_600))


@cache
def _big() -> bytes:
    return b"<html><body>" + b"<p>one of a million lines</p>\n" * 280_000


@cache
def bomb(mebibytes: int) -> bytes:
    """A gzip member that unpacks to so many MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b" " * (1 << 20)
    return b"".join([packer.compress(b"<html>"), *(packer.compress(piece) for _ in range(mebibytes)), packer.flush()])


def _codings(host: Host) -> None:
    body = gzip.compress(_prose("gzip"), mtime=0)
    _handle(host, "/gzip/good", Reply(200, body, [HTML, GZIP]), "allowed")
    _handle(host, "/gzip/bomb", lambda ask: Reply(200, bomb(200), [HTML, GZIP]))
    _handle(host, "/gzip/twice", lambda ask: Reply(200, gzip.compress(bomb(200)), [HTML, (GZIP[0], "gzip, gzip")]))
    _handle(host, "/gzip/broken", Reply(200, body[:200] + b"\0\1\2\3" * 20 + body[280:], [HTML, GZIP]))
    _handle(host, "/gzip/cut", Reply(200, body[: len(body) // 2], [HTML, GZIP]))
    _handle(host, "/gzip/false", Reply(200, _prose("not packed"), [HTML, GZIP]), "allowed")
    _handle(host, "/gzip/unknown", Reply(200, _prose("unknown"), [HTML, (GZIP[0], "sdch")]))


def _errors(host: Host) -> None:
    def heals(seed: str, status: int, times: int, *headers: tuple[str, str]) -> tuple[Handler, int]:
        def answer(ask: Ask) -> Reply:
            if ask.count < times:
                return Reply(status, b"not now", [("Content-Type", "text/plain"), *headers])
            return Reply(200, _prose(seed), [HTML])

        return answer, times + 1

    host.retried["/heals/500"] = heals("heals 500", 500, 2)
    host.retried["/heals/502"] = heals("heals 502", 502, 2)
    host.retried["/heals/503"] = heals("heals 503", 503, 1, ("Retry-After", "1"))
    host.retried["/heals/429"] = heals("heals 429", 429, 1, ("Retry-After", "1"))
    host.retried["/heals/date"] = heals("heals date", 503, 1, ("Retry-After", "Mon, 05 Jan 2026 12:00:00 GMT"))
    host.retried["/heals/words"] = heals("heals words", 503, 1, ("Retry-After", "soon, -1, 1e99"))
    for status in (400, 401, 403, 404, 410, 418, 451, 500, 501):
        _handle(host, f"/status/{status}", text(f"status {status}", status))
    _handle(host, "/status/204", Reply(204, b"", []))
    _handle(host, "/status/206", Reply(206, _prose("a part"), [HTML, ("Content-Range", "bytes 0-99/1000")]))
    _handle(host, "/status/304", Reply(304, b"", []))  # though nobody asked whether it had changed
    _handle(host, "/status/300", Reply(300, _prose("choices"), [HTML]))


def _labels(host: Host) -> None:
    """Declared as what they are not."""
    _handle(host, "/label/pdf.html", Reply(200, web_texts.pdf("mislabelled", "en"), [HTML]), "allowed")
    octets = [("Content-Type", "application/octet-stream")]
    _handle(host, "/label/page.bin", Reply(200, _prose("octets"), octets))
    _handle(host, "/label/none", Reply(200, _prose("no type"), []))
    _handle(host, "/label/image.html", Reply(200, b"\x89PNG\r\n\x1a\n" + bytes(300), [HTML]), "allowed")
    _handle(host, "/label/charset", Reply(200, _prose("charset"), [("Content-Type", "text/html; charset=klingon")]))
    _handle(host, "/label/deep", Reply(200, b"<div>" * 50_000, [HTML]))


def _maps(web: Web, host: Host) -> None:
    entities = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10)
    )
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    _handle(host, "/lol.xml", xml(f"{entities}]><urlset {space}><url><loc>&k;</loc></url></urlset>"))
    outside = '<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    _handle(host, "/xxe.xml", xml(f"{outside}<urlset {space}><url><loc>http://odd.test/&x;</loc></url></urlset>"))
    _handle(host, "/bomb.xml", lambda ask: Reply(200, bomb(200), [("Content-Type", "application/gzip")]))
    loop = f"<sitemap><loc>{web.url('odd.test', '/maps/loop.xml')}</loc></sitemap>"
    _handle(host, "/maps/loop.xml", xml(f"<sitemapindex {space}>{loop}</sitemapindex>"))
