"""The captures of the demonstration's web archives: pages with real texts, and planted ones with a known fate."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from flows.demo.layouts import Page, head, menu, page_html

LANGUAGES = ("en", "fr", "de", "es", "it", "pl", "pt", "el", "ja")
MAIN, TRUNCATED = "pages", "truncated"

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c63000100000500010d0a2db40000000049454e44ae426082"
)


@dataclass(frozen=True)
class Capture:
    """One response as a crawler met it, `body` before content coding; `expect` and `facts` are what is known of it."""

    url: str
    kind: str
    expect: str
    body: bytes
    mime: str = "text/html"
    charset: str | None = None
    status: int = 200
    coding: str = ""
    chunked: bool = False
    location: str | None = None
    revisit_of: str | None = None
    archive: str = MAIN
    headers: tuple[tuple[str, str], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def captures() -> Iterator[Capture]:
    """Every capture of every archive, in the order of the records; the last of the truncated archive is cut."""
    for language in LANGUAGES:
        texts = _read(f"pages.{language}.toml")
        for entry in texts["page"]:
            yield from _article(language, texts["chrome"], entry)
    chrome = _read("pages.en.toml")["chrome"]
    yield from _thin()
    yield from _machine_made(chrome)
    yield from _translated()
    yield from _with_rights(chrome)
    yield from _not_pages(chrome)
    yield _garbage(chrome)
    yield hanging_page()


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("flows.demo") / "texts" / name).read_text(encoding="utf-8"))


def _page(entry: dict[str, Any], language: str) -> Page:
    served = {key: entry[key] for key in ("layout", "charset", "declared", "coding", "chunked") if key in entry}
    return Page(
        site=entry["site"],
        slug=entry["slug"],
        language=language,
        title=entry["title"],
        author=entry.get("author", ""),
        date=entry.get("date", "2024-01-01"),
        paragraphs=tuple(entry["text"].strip().split("\n\n")),
        **served,
    )


def _capture(page: Page, chrome: dict[str, Any], kind: str, expect: str, **facts: Any) -> Capture:
    return Capture(
        page.url, kind, expect, page_html(page, chrome), coding=page.coding, chunked=page.chunked,
        charset=page.charset if page.declared in ("header", "both") else None,
        facts={"language": page.language, "title": page.title, **facts},
    )  # fmt: skip


def _article(language: str, chrome: dict[str, Any], entry: dict[str, Any]) -> Iterator[Capture]:
    """The page itself, its copies at other addresses, and a near copy in another site's layout."""
    page = _page(entry, language)
    yield replace(_capture(page, chrome, "article", "kept"), archive=entry.get("archive", MAIN))
    for address in entry.get("copies", ()):
        site, _, slug = address.partition("/")
        copy = replace(page, site=site, slug=slug)
        yield _capture(copy, chrome, "copy", "copy", of=page.url)
    if near := entry.get("near"):
        text = "\n\n".join(page.paragraphs)
        for old, new in near["changes"]:
            text = text.replace(old, new)
        other = "blog" if page.layout == "news" else "news"
        changed = replace(
            page, site=near["site"], slug=near["slug"], paragraphs=tuple(text.split("\n\n")), layout=other
        )
        yield _capture(changed, chrome, "near copy", "near copy", of=page.url)


def _thin() -> Iterator[Capture]:
    """Pages with nothing to read: menus alone, and a sentence or two."""
    planted = _read("planted.toml")
    for language, labels in planted["navigation"].items():
        page = Page(f"shop-{language}", "all", language, labels[0], "", "", ())
        body = (
            f"{head(page)}<body>{menu(page, labels)}<footer>{menu(page, labels[::-1], 'foot')}</footer></body></html>"
        )
        yield Capture(page.url, "menu", "dropped", body.encode(), charset="utf-8", facts={"language": language})
    for language, sentence in planted["short"].items():
        page = Page(f"notice-{language}", "index.html", language, "Notice", "", "", ())
        body = f"{head(page)}<body><main><p>{sentence}</p></main></body></html>"
        yield Capture(page.url, "short", "dropped", body.encode(), charset="utf-8", facts={"language": language})


def _machine_made(chrome: dict[str, Any]) -> Iterator[Capture]:
    texts = _read("planted.toml")["machine"]
    made = {
        "lorem ipsum": (texts["lorem"],) * 2,
        "repeated lines": tuple(texts["repeated"].format(number=number) for number in range(1, 41)),
        "keywords": tuple(" ".join(texts["keywords"][n:] + texts["keywords"][:n]) for n in range(6)) * 3,
        "javascript error": tuple(texts["javascript"]) * 2,
    }
    for kind, paragraphs in made.items():
        page = Page(
            "www.offers-4-u", kind.replace(" ", "-"), "en", kind.capitalize(), "admin", "2024-01-01", paragraphs
        )
        yield _capture(page, chrome, kind, "dropped")


def _translated() -> Iterator[Capture]:
    """Two sites whose other languages come from a translation plug-in, recognised by the plug-in's own markup."""
    loader = '<script src="/wp-content/plugins/gtranslate/js/fd.js"></script>'
    marks = {
        "translated": ("de", '<div id="wp-translate"><select><option>German</option></select></div>', ""),
        "plugin": ("fr", '<div class="gtranslate_wrapper"></div>', loader),
    }
    for name, (language, widget, script) in marks.items():
        page = _page(_read("planted.toml")[name], language)
        html = page_html(page, _read(f"pages.{language}.toml")["chrome"]).decode()
        body = html.replace("</head>", f"{script}</head>").replace("<header>", f"{widget}<header>").encode()
        yield Capture(page.url, "machine translation", "dropped", body, charset="utf-8", facts={"language": language})


def _with_rights(chrome: dict[str, Any]) -> Iterator[Capture]:
    """Good texts that their owners reserve or share, or that hold what is nobody's business."""
    texts = _read("planted.toml")["rights"]
    # Put together here, so that nobody who searches code for lost keys finds this one.
    secret = "AKIA" + "3XQF7ZJ2" + "LW5NPRT6"

    def capture(name: str, expect: str, mark: str = "", **facts: Any) -> Capture:
        page = _page({**texts[name], "text": texts[name]["text"].replace("@SECRET@", secret)}, "en")
        made = _capture(page, chrome, name, expect, **facts)
        return replace(made, body=made.body.replace(b"</head>", mark.encode() + b"</head>"))

    yield capture("draft", "dropped", why="its site's robots.txt disallows /drafts/")
    yield capture("reserved", "dropped", '<meta name="robots" content="noai">', why="noai")
    held = replace(capture("reserved", "dropped", why="X-Robots-Tag: noai"), headers=(("X-Robots-Tag", "noai"),))
    yield replace(held, url=f"{held.url}/print")
    licence = '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'
    yield capture("licensed", "kept", licence, licence="cc-by-4.0")
    yield capture("contact", "kept", pii=["email", "phone", "iban"])
    yield capture("leak", "dropped", why="an access key")


def _not_pages(chrome: dict[str, Any]) -> Iterator[Capture]:
    """Responses that hold no document: errors, redirects, files of other kinds, and pages found unchanged."""
    texts = _read("planted.toml")["missing"]
    for language, sentence in texts.items():
        page = Page(f"www.lost-{language}", "gone", language, "404", "", "2024-01-01", (sentence,))
        yield Capture(page.url, "missing", "skipped", page_html(page, chrome), charset="utf-8", status=404)
    moved = {
        "https://harbour-notes.example/": "https://www.harbour-notes.example/2024/tide-mill",
        "http://www.plaza-menor.example/relojero": "https://www.plaza-menor.example/relojero",
    }
    for url, target in moved.items():
        yield Capture(url, "redirect", "skipped", b"", status=301, location=target)
    host = "https://www.harbour-notes.example"
    yield Capture(f"{host}/pixel.png", "image", "skipped", _PNG, "image/png")
    yield Capture(
        f"{host}/style.css", "style sheet", "skipped", b"body { max-width: 40em; margin: auto }\n", "text/css"
    )
    robots = b"User-agent: *\nDisallow: /drafts/\nCrawl-delay: 5\n"
    yield Capture(f"{host}/robots.txt", "robots.txt", "skipped", robots, "text/plain")
    for url in (f"{host}/2024/tide-mill", "https://www.plaza-menor.example/relojero"):
        yield Capture(url, "revisit", "skipped", b"", revisit_of=url)


def _garbage(chrome: dict[str, Any]) -> Capture:
    """A good text in 3 MB of state, styles, comments and broken markup: slow to read for a careless parser only."""
    page = _page(_read("planted.toml")["garbage"], "en")
    state = ",".join(
        f'"k{n}":{{"id":{n * 7919},"tags":["a","b{n % 13}"],"html":"<p>\\u003cdiv>"}}' for n in range(22_000)
    )
    styles = "".join(f".c{n}>.d{n % 97}:not(.e){{margin:{n % 9}px;}}\n" for n in range(18_000))
    broken = "".join(
        f'<div class="g{n}" class=x data-v=\'{n}\' <b></i><img src=data:,{n} alt=""></div>\n' for n in range(7_000)
    )
    html = page_html(page, chrome).decode()
    html = html.replace("</head>", f"<style>{styles}</style><script>window.__STATE__={{{state}}}</script></head>")
    html = html.replace("<footer>", f"<!-- {'- ' * 50_000} -->{broken}<footer>")
    return Capture(
        page.url, "garbage", "kept", html.encode(), charset="utf-8", facts={"language": "en", "title": page.title}
    )


def hanging_page() -> Capture:
    """A page whose every word has a `span` of its own in one paragraph.

    Merging each word with the text before it takes trafilatura 2.3 time quadratic in their number:
    minutes for these 40 000 words, though the page is under 1 MB and well-formed. It is to be read as fast as others,
    and its song to be found repetitive.
    """
    entry = _read("planted.toml")["hanging"]
    words = entry["words"].split()
    page = Page(entry["site"], entry["slug"], "en", entry["title"], "", "", ())
    spans = " ".join(f"<span>{escape(words[n % len(words)])}</span>" for n in range(40_000))
    body = f"{head(page)}<body><article><p>{spans}</p></article></body></html>"
    return Capture(
        page.url, "hanging", "dropped", body.encode(), charset="utf-8", facts={"why": "the same words over and over"}
    )
