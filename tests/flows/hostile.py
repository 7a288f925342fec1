"""A folder of bad input, written in code, with good files among it."""

from __future__ import annotations

import gzip
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from flows.demo import pages
from tests.extractors import hostile_pdfs

SECRET = "the-combination-is-4711"
BOMB_MB = 300


def good_pages() -> Iterator[bytes]:
    """Pages with different texts, each good enough for the corpus."""
    for capture in pages.captures():
        if capture.kind == "article" and capture.charset in (None, "utf-8"):
            yield capture.body


def record(block: bytes, url: str = "https://site.example/", length: int | None = None) -> bytes:
    """A response record whose Content-Length may be wrong."""
    length = len(block) if length is None else length
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def response(body: bytes, *fields: str, mime: str = "text/html") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {mime}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def zeros(megabytes: int, before: bytes = b"", after: bytes = b"", step: int = 1 << 20) -> bytes:
    """Gzip data of some MiB of spaces, made without ever holding them."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=1) as stream:
        stream.write(before)
        for _ in range(megabytes * (1 << 20) // step):
            stream.write(b" " * step)
        stream.write(after)
    return packed.getvalue()


def big_member(megabytes: int) -> bytes:
    """A gzip member that holds a page of that size."""
    opening = response(b"<html><body>")
    whole = record(opening, "https://site.example/big", len(opening) + (megabytes << 20))
    return zeros(megabytes, whole[: -len(b"\r\n\r\n")], b"\r\n\r\n")


def write_archives(folder: Path, good: Iterator[bytes], big_mb: int) -> None:
    import brotli

    folder.mkdir(parents=True)
    gz = gzip.compress

    def page(name: str) -> bytes:
        return record(response(next(good)), f"https://site.example/{name}")

    def coded(name: str, coding: str, body: bytes) -> bytes:
        return gz(record(response(body, f"Content-Encoding: {coding}"), f"https://site.example/{name}"))

    cut = gz(page("cut"))
    (folder / "truncated.warc.gz").write_bytes(gz(page("before-cut")) + cut[: len(cut) // 2])
    (folder / "letter.warc.gz").write_bytes(gz(b"Dear archive, this is a letter and no record.\n" * 50))
    (folder / "plain.warc.gz").write_bytes(b"This is not even compressed.\n" * 50)
    (folder / "empty.warc.gz").write_bytes(b"")
    body = response(next(good))
    (folder / "lengths.warc").write_bytes(
        record(body, "https://site.example/too-short", len(body) - 100)
        + page("after-short")
        + record(body, "https://site.example/too-long", len(body) + 100)
        + page("after-long")
    )
    chunked = response(b"zz\r\n" + next(good), "Transfer-Encoding: chunked")
    packed = brotli.compress(next(good))
    (folder / "codings.warc.gz").write_bytes(
        gz(record(chunked, "https://site.example/chunks"))
        + coded("brotli", "br", packed)
        + coded("cut-brotli", "br", packed[: len(packed) // 2])
        + coded("bomb", "gzip", zeros(BOMB_MB))
        + gz(page("after-bomb"))
    )
    (folder / "big.warc.gz").write_bytes(big_member(big_mb) + gz(page("after-big")))


def write_pdfs(folder: Path) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    def pdf(**options: object) -> bytes:
        made = io.BytesIO()
        canvas = Canvas(made, **options)
        canvas.drawString(72, 720, "A page of a document that nobody will read.")
        canvas.save()
        return made.getvalue()

    (folder / "locked.pdf").write_bytes(pdf(encrypt=StandardEncryption("user", "owner", strength=128)))
    (folder / "cut.pdf").write_bytes(pdf()[:300])
    (folder / "noise.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
    (folder / "claims.pdf").write_bytes(hostile_pdfs.claimed_pages())
    (folder / "cycle.pdf").write_bytes(hostile_pdfs.cyclic_tree())
    (folder / "bomb.pdf").write_bytes(hostile_pdfs.zip_bomb())


def write_pages(folder: Path, good: Iterator[bytes]) -> None:
    """Web pages that strain a parser, and good ones that are not what they say."""
    sentence = b"<p>One more sentence of a page that has no end and no sense. "
    (folder / "deep.html").write_bytes(b"<html><body>" + b"<div>" * 100_000 + sentence * 20)
    (folder / "attributes.html").write_bytes(b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">" + sentence)
    text = next(good).decode()
    (folder / "utf-16.html").write_bytes(text.encode("utf-16"))
    claim = re.sub("(?i)charset=[\"']?[a-z0-9-]+", 'charset="utf-16"', next(good).decode())
    (folder / "no-utf-16.html").write_bytes(claim.encode())


def write_xml(folder: Path, secret: Path) -> None:
    """Entities that grow, and entities and DTDs that name a file outside."""
    steps = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    uri = secret.as_uri()
    documents = {
        "laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{steps}]><a><p>&l9;</p></a>',
        "external": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{uri}">]><a><p>Before the entity &x; and after it.</p></a>',
        "parameter": f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{uri}"> %x;]><a><p>A text after a parameter.</p></a>',
        "dtd": f'<!DOCTYPE a SYSTEM "{uri}"><a><p>A text that names a DTD.</p></a>',
        "include": '<a xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{uri}" parse="text"/><p>A text that includes.</p></a>',
    }
    for name, text in documents.items():
        (folder / f"{name}.xml").write_text(f'<?xml version="1.0"?>{text}', encoding="utf-8")


GOOD_NAMES = (
    'quo"te.html', "two words.html", "new\nline.html", "semi;colon.html", "apo'strophe.html", "..%2fup.html",
    "a..b.html", "star*[1].html", "percent%s{x}.html", "x.pdf/inner.html", "x::y.html",
)  # fmt: skip


def write_files(folder: Path, good: Iterator[bytes], secret: Path) -> None:
    folder.mkdir(parents=True)
    for name in GOOD_NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(next(good))
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.html")).write_bytes(next(good))
    (folder / "latin.txt").write_bytes("Élève, façade, où, déjà, naïveté.\n".encode("latin-1") * 30)
    (folder / "nul.html").write_bytes(next(good).replace(b"<p>", b"<p>\0"))
    (folder / "nul.txt").write_bytes(b"text\0\0\0\0" * 500)
    (folder / "empty.html").write_bytes(b"")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "dangling.html").symlink_to(folder / "nowhere.html")
    (folder / "outside.txt").symlink_to(secret)
    (folder / "outside").symlink_to(secret.parent, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.html")
    write_pdfs(folder)
    write_pages(folder, good)
    write_xml(folder, secret)


def write(folder: Path, secret: Path, big_mb: int) -> None:
    """Write `web/` and `loose/` below `folder`, and a file outside of it that nothing may read."""
    secret.parent.mkdir(parents=True)
    secret.write_text(f"{SECRET}\n" * 20)
    good = good_pages()
    write_archives(folder / "web", good, big_mb)
    write_files(folder / "loose", good, secret)
