"""Web pages around a text: three kinds of site, each with the menus, asides and notices that surround texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Page:
    """What a page says, and how its site serves it."""

    site: str
    slug: str
    language: str
    title: str
    author: str
    date: str
    paragraphs: tuple[str, ...]
    layout: str = "news"
    charset: str = "utf-8"
    declared: str = "header"
    """Where the character set is declared: `header`, `meta` or `both`."""
    coding: str = ""
    """Content-Encoding: empty, `gzip` or `br`."""
    chunked: bool = False

    @property
    def url(self) -> str:
        return f"https://{self.site}.example/{self.slug}"


def page_html(page: Page, chrome: dict[str, Any]) -> bytes:
    """The page as its server sends it, before any content coding. `chrome` has the site's own words in its language."""
    return _LAYOUTS[page.layout](page, chrome).encode(page.charset, "xmlcharrefreplace")


def head(page: Page, extra: str = "") -> str:
    meta = f'<meta charset="{page.charset}">' if page.declared in ("meta", "both") else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{page.language}">\n<head>{meta}\n'
        f"<title>{escape(page.title)} | {escape(_name(page))}</title>\n"
        f'<meta name="author" content="{escape(page.author)}">\n'
        f'<meta property="article:published_time" content="{page.date}">\n'
        f'<link rel="canonical" href="{page.url}">\n<link rel="stylesheet" href="/style.css">{extra}\n</head>\n'
    )


def menu(page: Page, labels: Sequence[str], style: str = "nav") -> str:
    items = "".join(f'<li><a href="/{number}/">{escape(label)}</a></li>' for number, label in enumerate(labels))
    return f'<nav class="{style}"><a href="/">{escape(_name(page))}</a><ul>{items}</ul></nav>\n'


def _name(page: Page) -> str:
    return page.site.replace("www.", "").replace("-", " ").title()


def _text(page: Page) -> str:
    return "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in page.paragraphs)


def _teasers(chrome: dict[str, Any]) -> str:
    return "".join(f'<li><a href="/r/{n}">{escape(line)}</a></li>' for n, line in enumerate(chrome["teasers"]))


def _news(page: Page, chrome: dict[str, Any]) -> str:
    return (
        f"{head(page)}<body>\n"
        f'<div id="cookie-banner" class="cookie-consent" role="dialog"><p>{chrome["cookies"]}</p>'
        f"<button>{chrome['accept']}</button></div>\n"
        f"<header>{menu(page, chrome['menu'])}</header>\n<main><article>\n<h1>{escape(page.title)}</h1>\n"
        f'<p class="byline">{escape(page.author)} · <time datetime="{page.date}">{page.date}</time></p>\n'
        f"{_text(page)}\n</article>\n"
        f'<aside class="related"><h3>{chrome["related"]}</h3><ul>{_teasers(chrome)}</ul></aside></main>\n'
        f"<footer><p>© 2024 {_name(page)}. {chrome['rights']}</p>{menu(page, chrome['legal'], 'footer-nav')}</footer>\n"
        "<script>window.dataLayer=window.dataLayer||[];</script>\n</body></html>\n"
    )


def _blog(page: Page, chrome: dict[str, Any]) -> str:
    comments = "".join(
        f'<li class="comment"><cite>{who}</cite><p>{escape(what)}</p></li>' for who, what in chrome["comments"]
    )
    aside = f"<h3>{chrome['related']}</h3><ul>{_teasers(chrome)}</ul>"
    return (
        f"{head(page)}<body class='single-post'>\n<div id='page' class='hfeed site'>\n"
        f"<div class='masthead'>{menu(page, chrome['menu'], 'main-navigation')}</div>\n"
        f"<div id='content'><div class='post hentry'>\n<h1 class='entry-title'>{escape(page.title)}</h1>\n"
        f"<div class='entry-meta'>{page.date} <span class='author'>{escape(page.author)}</span></div>\n"
        f"<div class='entry-content'>\n{_text(page)}\n</div>\n<div class='sharedaddy'>{chrome['share']}</div></div>\n"
        f"<div id='comments' class='comments-area'><ol>{comments}</ol></div></div>\n"
        f"<div id='secondary' class='widget-area sidebar'>{aside}</div>\n"
        f"<div id='colophon' class='site-footer'>{chrome['rights']} · {chrome['cookies']}</div>\n</div></body></html>\n"
    )


def _old(page: Page, chrome: dict[str, Any]) -> str:
    """A table layout of the 1990s: no roles, unclosed paragraphs, attributes without quotes."""
    links = "<br>".join(f"<a href=/{n}.htm>{escape(label)}</a>" for n, label in enumerate(chrome["menu"]))
    meta = page.declared in ("meta", "both")
    declared = f'<meta http-equiv="Content-Type" content="text/html; charset={page.charset}">' if meta else ""
    text = "\n".join(f"<p align=justify>{escape(text, quote=False)}" for text in page.paragraphs)
    return (
        f"<html lang={page.language}><head>{declared}\n<title>{escape(page.title)}</title></head>\n"
        "<body bgcolor=#ffffff text=#000000>\n<table width=760 border=0 cellpadding=6><tr>\n"
        f"<td width=140 valign=top bgcolor=#eeeecc><font size=-1>{links}</font></td>\n"
        f'<td valign=top><div class="content"><h1>{escape(page.title)}</h1>\n{text}\n</div><hr>'
        f"<i>{escape(page.author)}, {page.date}</i></td></tr></table>\n"
        f"<center><font size=-2>{chrome['rights']}</font></center>\n</body></html>\n"
    )


_LAYOUTS = {"news": _news, "blog": _blog, "old": _old}
