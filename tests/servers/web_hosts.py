"""The well-behaved hosts of the test web, with the traps that are on the way."""

from __future__ import annotations

import gzip
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from servers import web_texts
from servers.web_parts import START, Ask, Host, Page, Reply, always, moved, text, urlset, xml
from servers.web_texts import LANGUAGES, Links

if TYPE_CHECKING:
    from servers.web import Web

ELSEWHERE: Links = [
    ('href="mailto:office@news.test"', "mail"),
    ('href="tel:+3200000"', "phone"),
    ('href="data:text/html,<p>x</p>"', "data"),
    ('href="ftp://ftp.test/file.html"', "ftp"),
    ('href="javascript:void(0)"', "script"),
    ('href="http://["', "broken"),
    ('href=""', "itself"),
]
"""Links that lead to no page of the web."""


def link(target: str, name: str | None = None) -> tuple[str, str]:
    return f'href="{target.replace("&", "&amp;")}"', name or target


def html(seed: str, language: str, links: Links, epoch: int = 0, head: str = "", note: str = "") -> bytes:
    return web_texts.page(seed, language, links, head, note).encode()


def news(web: Web) -> Host:
    """119 pages in five languages: sections, sitemaps, feeds; robots.txt with Allow, wildcards and Crawl-delay."""
    host = Host("news.test", lambda ask: text(NEWS_ROBOTS + f"Sitemap: {web.url('news.test', '/sitemap_index.xml')}\n"))
    languages = LANGUAGES[:5]
    head = (
        '<link rel="alternate" type="application/rss+xml" href="/feed.rss">\n'
        '<link rel="alternate" type="application/atom+xml" href="/feed.atom">\n'
    )
    front = [link(f"/{language}/", language) for language in languages] + ELSEWHERE
    front += [link(web.url(other, "/"), other) for other in web.names if other != "news.test"]
    front += [link("/private/"), link("/go/private"), link("/sitemap_index.xml"), link("/deep/" + "a/" * 40)]
    host.pages["/"] = Page(lambda epoch: html("news", "en", front, head=head))
    for language in languages:
        listed = [number for number in range(22) if number < 16]
        host.pages[f"/{language}/"] = Page(partial(_section, language, listed))
        for number in [*range(22), *(range(101, 105) if language == "en" else ())]:
            page = Page(partial(_article, language, number))
            if language == "en":
                page.until = number - 4 if number in range(5, 9) else page.until
                page.since = max(0, number - 100)
            host.pages[_article_path(language, number)] = page
    for number in range(5):
        host.pages[f"/private/{number or ''}"] = Page(partial(_plain, f"private {number}"), role="disallowed")
        host.pages[f"/data/{number}.json"] = Page(lambda epoch: b"{}", "application/json", "disallowed")
    host.pages["/private/redirected"] = Page(partial(_plain, "redirected"), role="disallowed")
    for number in range(1, 4):
        host.pages[f"/private/open/{number}"] = Page(partial(_plain, f"open {number}"))
    for language in languages:
        for number in range(16):
            path = f"{_article_path(language, number)}?print=1"
            host.pages[path] = Page(partial(_article, language, number), role="disallowed")
    host.pages["/deep/" + "a/" * 40] = Page(partial(_plain, "deep"), role="optional")
    host.handlers["/go/private"] = (always(moved("/private/redirected")), "redirect")
    _news_lists(web, host, languages)
    return host


NEWS_ROBOTS = """# the office of news
User-agent: *
Disallow: /private/   # not for robots
Allow: /private/open/
Disallow: /*.json$
Disallow: /*?print=
Crawl-delay: 0.02

User-agent: other
Disallow: /

"""


def _article_path(language: str, number: int) -> str:
    return f"/{language}/{2020 + number % 5}/report-{number}.html"


def _section(language: str, listed: list[int], epoch: int) -> bytes:
    if language == "en":
        listed = [number for number in listed if not (number in range(5, 9) and epoch >= number - 4)]
        listed += [100 + number for number in range(1, min(epoch, 4) + 1)]
    links = [link(_article_path(language, number)) for number in listed]
    links += [link(f"/private/{number}") for number in range(1, 5)]
    links += [link(f"/private/open/{number}") for number in range(1, 4)] + [link("/data/1.json")]
    return html(f"section {language}", language, links)


def _article(language: str, number: int, epoch: int) -> bytes:
    """Every eighth article changes with each epoch."""
    note = (
        f"{START.year + epoch}: {web_texts.sentence(Random(f'{number} {epoch}'), language)}" if number % 8 == 3 else ""
    )
    path = _article_path(language, number)
    links = [link("/"), link(f"/{language}/"), link(f"#{number}"), link("?print=1", "print"), link("../../private/1")]
    links = [*links, link(f"{path}#top"), *ELSEWHERE] if number < 16 else links[:2]
    return html(f"news {number}", language, links, note=note)


def _plain(seed: str, epoch: int) -> bytes:
    return html(seed, "en", [link("/")])


def _news_lists(web: Web, host: Host, languages: tuple[str, ...]) -> None:
    def url(language: str, number: int) -> str:
        return web.url("news.test", _article_path(language, number))

    def compressed(ask: Ask) -> Reply:
        urls = [url(language, number) for language in languages for number in (1, 16, 17, 18, 19)]
        urls += [web.url("law.test", "/act/1/en"), "http://elsewhere.test/", "file:///etc/passwd", "javascript:0"]
        urls += [web.url("blog.test", "/drafts/1"), web.url("down.test", "/1"), web.url("news.test", "/private/3")]
        body = gzip.compress(urlset(web, urls, web.epoch).encode(), mtime=0)
        return Reply(200, body, [("Content-Type", "application/gzip")])

    def broken(ask: Ask) -> Reply:
        whole = urlset(web, [url(language, 18) for language in languages], web.epoch)
        return xml(whole[: len(whole) - 60])

    def index(ask: Ask) -> Reply:
        names = ("a.xml.gz", "b.xml", "missing.xml", "list.txt", "index.xml")
        rows = "".join(f"<sitemap><loc>{web.url('news.test', '/sitemaps/' + name)}</loc></sitemap>" for name in names)
        return xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</sitemapindex>')

    def rss(ask: Ask) -> Reply:
        items = "".join(
            f"<item><title>report</title><link>{url(language, 20)}</link><guid isPermaLink='false'>{language}</guid>"
            f"<description>&lt;p&gt;a report&lt;/p&gt;</description></item>" for language in languages
        )  # fmt: skip
        channel = f"<title>news</title><link>{web.url('news.test', '/')}</link><description>d</description>{items}"
        return text(f'<rss version="2.0"><channel>{channel}</channel></rss>', mime="application/rss+xml")

    def atom(ask: Ask) -> Reply:
        entries = "".join(
            f'<entry><title>report</title><id>urn:{language}</id><updated>2026-01-01T00:00:00Z</updated>'
            f'<link rel="alternate" href="{_article_path(language, 21)}"/></entry>' for language in languages
        )  # fmt: skip
        return xml(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>n</title><id>u</id>{entries}</feed>')

    listed = text("\n".join(url(language, 16) for language in languages) + "\n")
    lists = {
        "/sitemap_index.xml": index,
        "/sitemaps/index.xml": index,
        "/sitemaps/a.xml.gz": compressed,
        "/sitemaps/b.xml": broken,
    }
    lists |= {"/sitemaps/list.txt": always(listed), "/feed.rss": rss, "/feed.atom": atom}
    lists |= {"/sitemaps/missing.xml": always(text("no such page", 404))}
    host.handlers.update({path: (handler, "optional") for path, handler in lists.items()})


def law(web: Web) -> Host:
    """49 pages: eight acts in six languages each, whose PDFs are on cdn.test; no robots.txt."""
    host = Host("law.test", always(text("no such page", 404)), validators="etag")
    acts = [(number, language) for number in range(1, 9) for language in LANGUAGES]
    front = [link(f"/act/{number}/en") for number in range(1, 9)]
    host.pages["/"] = Page(lambda epoch: html("law", "en", front))
    for number, language in acts:
        others = [(f'href="/act/{number}/{other}" hreflang="{other}"', other) for other in LANGUAGES]
        links = [*others, link(web.url("cdn.test", f"/files/act-{number}.pdf"), "PDF")]
        mime = "application/xhtml+xml; charset=utf-8" if number == 7 else "text/html; charset=utf-8"
        host.pages[f"/act/{number}/{language}"] = Page(
            partial(_act, number, language, links), mime, headers=(("Content-Language", language),)
        )
    return host


def _act(number: int, language: str, links: Links, epoch: int) -> bytes:
    return html(f"act {number}", language, links, note=f"{number}/{epoch // 2}" if number == 8 else "")


def cdn(web: Web) -> Host:
    """A front page and ten PDFs; a robots.txt of 1.2 MB whose rules come first."""
    rules = "User-agent: *\nDisallow: /secret/\n" + "# a line that says nothing at all to anybody\n" * 26_000
    host = Host("cdn.test", always(text(rules)), validators="weak")
    paths = [f"/files/act-{number}.pdf" for number in range(1, 9)] + ["/files/more-1.pdf", "/files/more-2"]
    host.pages["/"] = Page(lambda epoch: html("cdn", "en", [link(path) for path in [*paths, "/secret/1.pdf"]]))
    for number, path in enumerate([*paths, "/secret/1.pdf"]):
        made = web_texts.pdf(f"pdf {number}", LANGUAGES[number % 4])
        role = "disallowed" if path.startswith("/secret") else "allowed"
        host.pages[path] = Page(lambda epoch, made=made: made, "application/pdf", role)  # type: ignore[misc, arg-type]
    return host


BLOG = ("/post/1", "/post/11", "/post/21", "/post/31", "/forum/", "drafts/1")


def blog(web: Web) -> Host:
    """41 pages; robots.txt speaks to `florilege` by name; links in every spelling; session identifiers."""
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: Florilege\nDisallow: /drafts/\n"
    host = Host("blog.test", always(text(rules)), validators="date")
    host.pages["/"] = Page(lambda epoch: html("blog", "fr", [*map(link, BLOG)]))
    for number in range(1, 41):
        links = [link(spelling) for spelling in _spellings(web, number % 40 + 1)] + [link(f"/drafts/{number % 3 + 1}")]
        language = ("fr", "en", "pt")[number % 3]
        host.pages[f"/post/{number}"] = Page(partial(_post, number, language, links))
    for number in range(1, 4):
        host.pages[f"/drafts/{number}"] = Page(partial(_plain, f"draft {number}"), role="disallowed")
    host.traps["/forum/"] = _forum
    return host


def _spellings(web: Web, number: int) -> list[str]:
    """Ways to write the address of one post."""
    whole = web.url("blog.test", f"/post/{number}")
    return [
        f"/post/{number}", f"/post/{number}#comments", whole.replace("http://blog.test", "HTTP://BLOG.Test"),
        f"/archive/../post/{number}", f"/./post/{number}", f"/post/{number}?utm_source=feed&utm_medium=rss",
        f"{number}?fbclid=abc123", f"  /post/{number}\n", f"//blog.test:{web.port}/post/{number}",
    ]  # fmt: skip


def _post(number: int, language: str, links: Links, epoch: int) -> bytes:
    return html(f"post {number}", language, links)


def _forum(ask: Ask) -> Reply:
    """Every link has a session identifier of its own."""
    random = Random(f"{ask.target} {ask.count}")
    links = [link(f"/forum/t{number}?sid={random.getrandbits(64):016x}") for number in range(1, 6)]
    thread = ask.target.partition("?")[0]
    return text(html(f"forum {thread}", "fr", links).decode(), mime="text/html; charset=utf-8")


def shop(web: Web) -> Host:
    """32 pages without validators; robots.txt by way of a redirect; a calendar without end; facets; nofollow."""
    host = Host("shop.test", always(moved("/robots/real.txt", 301)), validators="none")
    host.handlers["/robots/real.txt"] = (always(text("User-agent: *\nDisallow: /cart/\n")), "optional")
    front = [link(f"/p/{number}") for number in range(1, 31)]
    front += [link("/calendar/2026/11/"), link("/list?colour=1"), link("/info"), link("/cart/1")]
    front.append(('rel="nofollow" href="/hidden/rel"', "rel"))
    host.pages["/"] = Page(lambda epoch: html("shop", "es", front))
    for number in range(1, 31):
        language = ("es", "it", "de")[number % 3]
        host.pages[f"/p/{number}"] = Page(partial(_post, number + 100, language, [link("/"), link(f"/cart/{number}")]))
        host.pages[f"/cart/{number}"] = Page(partial(_plain, f"cart {number}"), role="disallowed")
    nofollow = '<meta name="robots" content="nofollow">\n'
    host.pages["/info"] = Page(lambda epoch: html("info", "es", [link("/hidden/meta")], head=nofollow))
    for name in ("rel", "meta"):
        host.pages[f"/hidden/{name}"] = Page(partial(_plain, name), role="optional")
    host.traps.update({"/calendar/": _calendar, "/list?": _facets})
    return host


def _calendar(ask: Ask) -> Reply:
    try:
        year, month = map(int, ask.target.strip("/").split("/")[1:3])
    except ValueError:
        year, month = 2026, 1
    months = year * 12 + month - 1
    links = [link(f"/calendar/{(months + step) // 12}/{(months + step) % 12 + 1}/") for step in (-1, 1, 12)]
    body = f"<p>{year}-{month}: nothing is planned</p>" + "".join(f"<a {a}>{name}</a>" for a, name in links)
    return text(f"<html lang='es'><title>{year}</title><body>{body}</body></html>", mime="text/html")


def _facets(ask: Ask) -> Reply:
    """Filters that go together in every way: 624 pages of the same few things."""
    chosen = dict(parse_qsl(ask.target.partition("?")[2]))
    choices = [(key, str(value)) for key in ("colour", "order", "page", "size") for value in range(4)]
    links = [link(f"/list?{urlencode(sorted({**chosen, key: value}.items()))}") for key, value in choices]
    return text("<html lang='es'><body>" + "".join(f"<a {a}>{name}</a>" for a, name in links), mime="text/html")


def slow(web: Web) -> Host:
    """Six pages that take their time, and a Crawl-delay."""
    host = Host("slow.test", always(text("User-agent: *\nCrawl-delay: 0.3\nDisallow:\n")), wait=0.2)
    host.pages["/"] = Page(lambda epoch: html("slow", "de", [link(f"/{number}") for number in range(1, 6)]))
    for number in range(1, 6):
        host.pages[f"/{number}"] = Page(partial(_post, 200 + number, "de", [link("/")]))
    return host


def down(web: Web) -> Host:
    """robots.txt fails, and so nothing may be asked for (RFC 9309, 2.3.1.4)."""
    host = Host("down.test", always(text("try again", 503)))
    for path in ("/", "/1", "/2"):
        host.pages[path] = Page(partial(_plain, f"down {path}"), role="disallowed")
    return host
