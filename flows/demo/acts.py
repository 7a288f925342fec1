"""Invented acts of an invented union, in four languages: HTML as an official journal publishes it, and PDF."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from flows.demo.scan import scan
from flows.demo.typeset import Block, Layout, typeset

LANGUAGES = ("EN", "FR", "DE", "ES")
PASSWORD = "quill"
_ITEM = re.compile(r"(\([a-z]\)|[a-z]\)) ")

_DEFECTS = {
    "picture": ("failed", "pages are pictures without a text layer"),
    "misread": ("dropped", "pages are pictures; the text layer comes from a bad recognition"),
    "password": ("failed", "needs a password to open"),
    "cut": ("failed", "file ends after a third of its bytes"),
}


@dataclass(frozen=True)
class Act:
    """An act in one language; `articles` are (number, title, paragraphs) and `annex` is (heading, title, rows)."""

    celex: str
    language: str
    journal: str
    series: str
    day: str
    titles: list[str]
    opening: list[str]
    recitals: list[str]
    adopting: str
    articles: list[tuple[str, str, list[str]]]
    closing: list[str]
    annex: tuple[str, str, list[list[str]]]
    note: str
    columns: int
    defect: str | None


def load() -> Iterator[Act]:
    """All acts in all languages."""
    facts = _read("acts.toml")["act"]
    for language in LANGUAGES:
        texts = _read(f"acts.{language.lower()}.toml")
        written = {act["celex"]: act for act in texts["act"]}
        for fact in facts:
            yield _act(language, texts, fact, written[fact["celex"]])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("flows.demo") / "texts" / name).read_text(encoding="utf-8"))


def _act(language: str, texts: dict[str, Any], fact: dict[str, Any], act: dict[str, Any]) -> Act:
    day: date = fact["date"]
    celex = fact["celex"]
    letter = celex[5]
    words = {
        "kind": texts["kind"][letter],
        "number": f"{celex[1:5]}/{celex[6:]}",
        "date": texts["date"].format(day=day.day, month=texts["months"][day.month - 1], year=day.year),
        "year": str(day.year + 2),
    }
    articles = [*act["articles"], *(texts["stock"][name] for name in fact["stock"])]
    return Act(
        celex=celex,
        language=language,
        journal=texts["journal"],
        series=texts["series"],
        day=f"{day.day}.{day.month}.{day.year}",
        titles=[texts["name"].format(**words), texts["of"].format(**words), act["title"]],
        opening=texts["opening"][letter],
        recitals=act["recitals"],
        adopting=texts["adopting"][letter],
        articles=[
            (texts["article"].format(number=number), article[0], [line.format(**words) for line in article[1:]])
            for number, article in enumerate(articles, 1)
        ],
        closing=[*([texts["binding"]] if letter == "R" else []), *(line.format(**words) for line in texts["closing"])],
        annex=(texts["annex"], act["annex"]["title"], act["annex"]["rows"]),
        note=texts["note"],
        columns=fact["columns"],
        defect=fact.get("pdf", {}).get(language),
    )


def html(act: Act) -> str:
    """The act as XHTML with the class names and tables of an official journal."""
    number = act.titles[0].split()[-1]
    titles = "\n".join(f'<p class="oj-doc-ti">{escape(line)}</p>' for line in act.titles)
    recitals = "\n".join(_pair(f"({n})", text, f"rct_{n}") for n, text in enumerate(act.recitals, 1))
    articles = "\n".join(_article(n, *article) for n, article in enumerate(act.articles, 1))
    closing = [_p(line) for line in act.closing[:-3]]
    closing += [f'<p class="oj-signatory">{escape(line)}</p>' for line in act.closing[-3:]]
    heading, title, rows = act.annex
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
            f'<html xmlns="http://www.w3.org/1999/xhtml" lang="{act.language.lower()}"><head>',
            '<meta http-equiv="content-type" content="text/html; charset=utf-8"/>',
            f"<title>L_{act.celex[1:5]}{act.celex[6:]}{act.language}.000101.fmx.xml</title></head>",
            f'<body>\n<table width="100%"><tbody><tr><td><p class="oj-hd-date">{act.day}</p></td>'
            f'<td><p class="oj-hd-lg">{act.language}</p></td><td><p class="oj-hd-ti">{escape(act.journal)}</p></td>'
            f'<td><p class="oj-hd-oj">{escape(act.series)} {number}</p></td></tr></tbody></table>',
            '<hr class="oj-separator"/>\n<div class="eli-container">',
            f'<div class="eli-main-title" id="tit_1">\n{titles}</div>',
            '<div class="eli-subdivision" id="pbl_1">',
            *map(_p, act.opening),
            recitals,
            f'{_p(act.adopting)}\n</div>\n<div class="eli-subdivision" id="enc_1">\n{articles}\n</div>',
            '<div class="oj-final">',
            *closing,
            '</div>\n<hr class="oj-doc-sep"/>\n<div class="eli-container" id="anx_1">',
            f'<p class="oj-doc-ti">{heading}</p>',
            f'<p class="oj-ti-tbl">{escape(title)}</p>\n{_rows(rows)}\n</div>',
            f'<hr class="oj-note"/>\n<p class="oj-note">{escape(act.note)}</p>\n</div>\n</body></html>\n',
        ]
    )


def _p(text: str) -> str:
    return f'<p class="oj-normal">{escape(text)}</p>'


def _pair(mark: str, text: str, name: str = "") -> str:
    """A numbered or lettered paragraph: a table of two columns, as the official journal sets it."""
    attribute = f' class="eli-subdivision" id="{name}"' if name else ""
    return (
        f'<div{attribute}><table width="100%" border="0" cellspacing="0" cellpadding="0">'
        f'<col width="4%"/><col width="96%"/><tbody><tr><td valign="top"><p class="oj-normal">{mark}</p></td>'
        f'<td valign="top">{_p(text)}</td></tr></tbody></table></div>'
    )


def _article(number: int, heading: str, title: str, paragraphs: list[str]) -> str:
    lines = [
        f'<div class="eli-subdivision" id="art_{number}"><p class="oj-ti-art">{escape(heading)}</p>',
        f'<p class="oj-sti-art">{escape(title)}</p>',
    ]
    for text in paragraphs:
        item = _ITEM.match(text)
        lines.append(_pair(item[1], text[item.end() :]) if item else _p(text))
    return "\n".join([*lines, "</div>"])


def _rows(rows: list[list[str]]) -> str:
    def row(cells: list[str], style: str) -> str:
        return "<tr>" + "".join(f'<td><p class="{style}">{escape(cell)}</p></td>' for cell in cells) + "</tr>"

    lines = [row(rows[0], "oj-tbl-hdr"), *(row(cells, "oj-tbl-txt") for cells in rows[1:])]
    return '<table class="oj-table" width="100%"><tbody>\n' + "\n".join(lines) + "\n</tbody></table>"


def pdf(act: Act) -> bytes:
    """The same text typeset, with the act's defect where it has one."""
    lead = [Block("title", act.titles[0]), *(Block("centre", line) for line in act.titles[1:])]
    blocks = [Block("paragraph", line) for line in act.opening]
    blocks += [Block("item", f"({number}) {text}") for number, text in enumerate(act.recitals, 1)]
    blocks.append(Block("paragraph", act.adopting))
    for heading, title, paragraphs in act.articles:
        blocks += [Block("heading", heading), Block("heading", title)]
        blocks += [Block("item" if _ITEM.match(text) else "paragraph", text) for text in paragraphs]
    blocks += [Block("paragraph", line) for line in act.closing]
    heading, title, rows = act.annex
    blocks += [Block("heading", heading), Block("heading", title), Block("table", rows=rows), Block("small", act.note)]
    password = PASSWORD if act.defect == "password" else None
    heads = (act.day, f"{act.language}   {act.journal}", f"{act.series} 91/{{page}}")
    layout = Layout(heads, act.columns, 11.0, first_page=int(act.celex[-2:]), password=password)
    data = typeset(lead, blocks, layout)
    if act.defect in ("picture", "misread"):
        return scan(data, recognised=act.defect == "misread")
    return data[: len(data) // 3] if act.defect == "cut" else data


def write(folder: Path) -> list[dict[str, Any]]:
    """Write `{celex}/{language}.html` and `.pdf` below `folder`; returns what is to be expected of each file."""
    planted = []
    for act in load():
        home = folder / act.celex
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{act.language}.html").write_text(html(act), encoding="utf-8", newline="\n")
        (home / f"{act.language}.pdf").write_bytes(pdf(act))
        name = f"acts/{act.celex}/{act.language}"
        about = {"language": act.language.lower(), "title": act.titles[-1]}
        planted.append({"file": f"{name}.html", "kind": "act", "expect": "kept", **about})
        expect, why = _DEFECTS.get(act.defect or "", ("near copy", "the same text typeset"))
        planted.append(
            {"file": f"{name}.pdf", "kind": "act", "expect": expect, "why": why, "of": f"{name}.html", **about}
        )
    return planted
