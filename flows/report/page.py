"""The report's HTML page: one file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.fidelity import MEASURED, PREDICTED
from catalog.views import ALARMS
from flows.report.compare import DIFFERENCES, Page
from flows.report.faults import WORDS, page_faults
from flows.report.figures import histogram, page_strip
from flows.report.table import NAMES, share
from flows.report.text import boxes, page_text, safe

Row = Mapping[str, Any]
_HERE = Path(__file__).parent
_SHOWN = tuple(kind for kind in DIFFERENCES if kind != "elsewhere")
SUSPICIONS = tuple(kind for kind in WORDS if kind not in DIFFERENCES)


@dataclass
class Shown:
    """A document as the report shows it."""

    row: Row
    text: str
    faults: list[str]
    pages: list[Page]
    worst: list[Page]
    """Those that are shown, the worst first."""
    pictures: dict[int, Picture]
    """By number of the page."""
    alarms: list[Row]
    notes: list[str] = field(default_factory=list)
    referenced: bool = False

    @property
    def name(self) -> str:
        return str(self.row["title"] or self.row["path"])


@dataclass(frozen=True)
class Picture:
    """A page's picture and size in points, or why there is none."""

    image: bytes = b""
    width: float = 0.0
    height: float = 0.0
    missing: str = ""


def html(
    head: str, groups: Sequence[Row], counted: Mapping[Any, list[int]], shown: list[Shown], unread: Sequence[Row]
) -> str:
    """The whole page. `head` says which corpus and snapshot it is about."""
    style, script = (_HERE.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>Fidelity of {safe(head)}</title><style>{style}</style></head><body>',
        f"<header><h1>Fidelity report</h1><p>{safe(head)}: {_sums(groups)}</p></header>",
        _overview(groups, counted),
        _worst(shown),
        _unread(unread),
        _legend(),
        *map(_document, range(1, len(shown) + 1), shown),
        f"<script>{script}</script></body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _sums(groups: Sequence[Row]) -> str:
    def count(name: str) -> str:
        return f"{sum(row[name] for row in groups):,}"

    return (
        f"{count('documents')} documents, {count('referenced')} with a reference, {count('unread')} without text, "
        f"{count('alarms')} with an alarm"
    )


def _overview(groups: Sequence[Row], counted: Mapping[Any, list[int]]) -> str:
    """Per source and language how the documents are spread, then the figures of every group."""
    languages: dict[tuple[str, str], Counter[str]] = {}
    for row in groups:
        figures = languages.setdefault((row["source"], row["language"]), Counter())
        figures.update({name: row[name] for name in ("documents", "referenced", "unread", "alarms")})
    body = []
    for (source, language), figures in languages.items():

        def drawn(measure: str, predicted: str | None, key: tuple[str, str] = (source, language)) -> str:
            light = counted.get((*key, predicted), [])
            limit = ALARMS.get(measure) or (ALARMS.get(predicted or "") if light else None)
            return histogram(counted.get((*key, measure), []), light, limit, NAMES[measure])

        cells = [drawn("lcs", PREDICTED[0]), drawn("order_recall", PREDICTED[1]), drawn("order_precision", None)]
        body.append(
            f"<tr><th scope=row>{safe(source)}<td>{safe(language)}{_numbers(figures)}"
            f"{''.join(f'<td>{cell}' for cell in cells)}"
        )
    head = ("source", "language", "documents", "with a reference", "no text", "alarms", "word counts (lcs)",
            "word order: recall", "word order: precision")  # fmt: skip
    return (
        "<section id=overview><h2>By source and language</h2><p class=note>How many documents have which value; each "
        "nine after .9 takes as much room, so that .99 and .999 can be told apart. "
        "<span class='key full'></span> measured against a reference, <span class='key light'></span> predicted where "
        "there is none, <span class='key limit'></span> alarm below.</p>"
        f"{_table(head, body, head[2:6])}{_figures(groups)}</section>"
    )


def _numbers(figures: Counter[str]) -> str:
    cells = [f"<td class=n>{figures[name]:,}" for name in ("documents", "referenced", "unread")]
    return f"{''.join(cells)}<td class='n{' alarm' if figures['alarms'] else ''}'>{figures['alarms']:,}"


def _figures(groups: Sequence[Row]) -> str:
    head = ("source", "language", "engine", "documents", *(NAMES[name] for name in (*MEASURED, *PREDICTED)))
    body = []
    for row in groups:
        shares = "".join(f"<td class=n>{share(row, name)}" for name in (*MEASURED, *PREDICTED))
        names = f"<th scope=row>{safe(row['source'])}<td>{safe(row['language'])}<td>{safe(row['engine'])}"
        body.append(f"<tr>{names}<td class=n>{row['documents']:,}{shares}")
    return (
        "<details><summary>Figures by engine: mean, and the 10th percentile in brackets</summary>"
        f"{_table(head, body, head[3:])}</details>"
    )


def _table(head: Iterable[str], body: Iterable[str], right: Collection[str] = ()) -> str:
    names = "".join(f"<th scope=col{' class=n' if name in right else ''}>{name}" for name in head)
    return f"<div class=wide><table><thead><tr>{names}<tbody>{''.join(body) or '<tr><td>none'}</table></div>"


def _worst(shown: list[Shown]) -> str:
    body = []
    for number, item in enumerate(shown, start=1):
        row, score = item.row, item.row["score"]
        how = "measured" if row["lcs"] is not None else "predicted"
        body.append(
            f"<tr><td class=n>{number}<td class='n score {_grade(score)}' title='{how}'>{score:.3f}"
            f"<td class=how>{how}<td><a href='#d{number}'>{safe(item.name[:120])}</a><br>"
            f"<small>{safe(row['source'])} · {safe(row['path'])}</small><td>{safe(row['language'])}"
            f"<td>{safe('; '.join(item.faults[:4]) or 'nothing was found')}"
        )
    return (
        "<section id=worst><h2>Worst documents first</h2><p class=note>By the lower of order recall and "
        "order precision (without the pages that the reference has not), or of the predictions where there is none.</p>"
        f"{_table(('', 'score', '', 'document', 'language', 'what is wrong'), body, ['score'])}</section>"
    )


def _unread(unread: Sequence[Row]) -> str:
    if not unread:
        return ""
    body = [f"<tr><th scope=row>{safe(r['source'])}<td>{safe(r['path'])}<td>{safe(r['error'])}" for r in unread]
    return f"<section><h2>Without any text</h2>{_table(('source', 'document', 'why'), body)}</section>"


def _legend() -> str:
    keys = (
        ("lost", "lost: only in the reference"), ("added", "added: only in the text"),
        ("moved", "out of place: in both, elsewhere"), ("spaced", "cut or glued: same letters, other words"),
        ("edge", "suspicious: there is no reference"),
    )  # fmt: skip
    items = "".join(
        f"<label><input type=checkbox checked id=show-{kind}> <mark class='{kind} first'>{what}</mark></label>"
        for kind, what in keys
    )
    return f"<nav class=legend aria-label='What the colours mean'>{items}</nav>"


def _document(number: int, item: Shown) -> str:
    row = item.row
    facts = [row["source"], row["path"], row["language"], row["extractor"] or "no engine"]
    measures = [
        f"<span class='chip {_grade(row[name])}'>{NAMES[name]} <b>{row[name]:.3f}</b></span>"
        for name in ("lcs", "order_recall", "order_precision", *PREDICTED)
        if row[name] is not None
    ]
    faults = "".join(f"<li>{safe(fault)}" for fault in item.faults) or "<li>nothing was found"
    notes = "".join(f"<p class=warning>{safe(note)}</p>" for note in item.notes)
    kinds = _SHOWN if item.referenced else SUSPICIONS
    numbers = [page.number for page in item.worst]
    strip = (
        page_strip(item.pages, kinds, numbers)
        if len(item.pages) > 1 and any(page.counts for page in item.pages)
        else ""
    )
    parts = "page" if row["format"] == "pdf" else "part"
    back = f"<a href='#worst' title='back to the list'>{number}</a>"
    return (
        f"<section class=document id=d{number}><h2><small>{back}</small> {safe(item.name[:200])}</h2>"
        f"<p class=note>{safe(' · '.join(facts))} · {len(item.pages):,} {parts}{'s' * (len(item.pages) != 1)}"
        f"{_alarms(item.alarms)}</p><p>{''.join(measures)}</p>{notes}<ul class=faults>{faults}</ul>{strip}"
        f"{''.join(_page(item, page) for page in item.worst)}</section>"
    )


def _alarms(alarms: list[Row]) -> str:
    whole = [f"{NAMES.get(a['measure'], a['measure'])} < {a['alarm']:g}" for a in alarms if a["page"] is None]
    pages = len({alarm["page"] for alarm in alarms if alarm["page"] is not None})
    said = [*whole, *([f"{pages:,} page{'s' * (pages != 1)} under an alarm"] if pages else [])]
    return f" · <b class=alarm>alarm: {safe(', '.join(said))}</b>" if said else ""


def _page(item: Shown, page: Page) -> str:
    """The page's picture beside its text."""
    faults = page_faults(page.facts, page.counts)
    if page.absent:
        faults.insert(0, "the reference has nothing of this page")
    said = "; ".join(faults) or "nothing was found"
    taken = [line for line in page.facts.get("removed") or [] if line]
    removed = f"<p class=removed>taken off: {safe(' / '.join(taken)[:400])}</p>" if taken else ""
    name = "Page" if item.row["format"] == "pdf" else "Part"
    return (
        f"<article><h3>{name} {page.number}</h3><p class=said>{safe(said)}</p><div class=pair>"
        f"{_picture(item.pictures.get(page.number), page)}"
        f"<div class=text lang='{safe(item.row['language'])}'>{removed}{page_text(item.text, page)}</div>"
        "</div></article>"
    )


def _picture(picture: Picture | None, page: Page) -> str:
    if picture is None:
        return ""
    if picture.missing:
        return f"<figure class=missing><p>No picture of this page: {safe(picture.missing.rstrip('.'))}.</p></figure>"
    kind = "png" if picture.image.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture.image).decode()
    size = f"width={max(1, round(picture.width))} height={max(1, round(picture.height))}"
    return (
        f"<figure><div class=paper><img alt='Page {page.number} as it is printed' {size} "
        f"src='data:image/{kind};base64,{data}'>"
        f"{boxes(page, picture.width, picture.height)}</div></figure>"
    )


def _grade(value: float) -> str:
    return "good" if value >= 0.98 else "fair" if value >= 0.9 else "poor"


def size_of(pictures: Sequence[Picture]) -> int:
    """Bytes that pictures take in the page."""
    return sum(len(picture.image) * 4 // 3 for picture in pictures)
