"""What is wrong with a document or a page, in plain words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

WORDS = {
    "lost": "{} word{s} lost",
    "added": "{} word{s} added",
    "moved": "{} word{s} out of place",
    "spaced": "{} word{s} cut or glued",
    "unreadable": "{} place{s} with unreadable characters",
    "letters": "{} word{s} spaced out letter by letter",
    "split": "{} word{s} in two",
    "glued": "{} run{s} of words glued together",
    "hyphen": "{} word{s} still hyphenated",
    "edge": "{} line{s} at a page's edge like those of other pages",
}
"""How many of a kind of difference or suspicion there are."""
_SHARE = 0.005
_ALIEN = 0.02
_LISTED = 5


def document_faults(document: Row, pages: Sequence[Row], counts: Sequence[Counter[str]]) -> list[str]:
    """What to know of a document: its measures, what is marked, what was done to its pages.

    `counts` has, page by page, words of the differences, or places by suspicion.
    """
    return [*_against_reference(document), *_marked(counts), *_pages(document, pages)]


def page_faults(page: Row, counts: Counter[str]) -> list[str]:
    """What to know of a page: its counts, its measures, who read it and why."""
    found = _counted(counts)
    names = ("lcs", "order_recall") if page.get("order_recall") is not None else ("predicted_lcs", "predicted_order")
    found += [f"{name.replace('_', ' ')} {page[name]:.3f}" for name in names if page.get(name) is not None]
    if page.get("needs_ocr"):
        found.append("shows something and has no text layer: needs OCR")
    if page.get("reason"):
        found.append(_why(page))
    if page.get("ocr_confidence") is not None:
        found.append(f"recognised by OCR with confidence {page['ocr_confidence']:.2f}")
    if (page.get("columns") or 1) > 1:
        found.append(f"{page['columns']} columns")
    return found


def _against_reference(document: Row) -> list[str]:
    found = []
    if max(document.get(name) or 0 for name in ("order_recall", "order_precision")) < _ALIEN and document["reference"]:
        found.append("text and reference have next to nothing in common: unreadable, or another language or document")
    shares = (
        ("order_recall", "of the reference's word sequences are missing", "word_recall"),
        ("order_precision", "of the text's word sequences are not in the reference", "word_precision"),
        ("table_word_recall", "of the words in the reference's tables are missing", None),
    )
    for name, what, single in shares:
        value, alone = document.get(name), document.get(single) if single else None
        if value is not None and 1 - value >= _SHARE:
            # What stands in another order breaks sequences and leaves the words.
            words = "" if alone is None else f" ({_percent(1 - alone)} of its words)"
            found.append(f"{_percent(1 - value)} {what}{words}")
    if document.get("lcs") is None and document.get("predicted_lcs") is not None:
        found.append(
            f"no reference; predicted: {_interval(document, 'predicted_lcs')} of the word counts, "
            f"{_interval(document, 'predicted_order')} of the word sequences"
        )
    if (document.get("hyphenation") or 0) >= _SHARE:
        found.append(f"{_percent(document['hyphenation'])} of its hyphens cut words that the reference writes whole")
    return found


def _interval(document: Row, name: str) -> str:
    value, low, high = (document.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "unknown"
    bounds = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    return f"{value:.3f}{bounds}"


def _marked(counts: Sequence[Counter[str]]) -> list[str]:
    """Sums over all pages, with the page that has most of each."""
    found = []
    for kind in WORDS:
        total = sum(page[kind] for page in counts)
        most = max(range(len(counts)), key=lambda index: counts[index][kind], default=0)
        where = ""
        if len(counts) > 1 and counts[most][kind] > total / 3:
            where = f"{'' if counts[most][kind] == total else ', most of them'} on page {most + 1}"
        found += [f"{said}{where}" for said in _counted(Counter({kind: total}))]
    return found


def _counted(counts: Counter[str]) -> list[str]:
    return [
        said.format(f"{counts[kind]:,}", s="s" * (counts[kind] != 1)) for kind, said in WORDS.items() if counts[kind]
    ]


def _why(page: Row) -> str:
    """Why another engine reads a page, or why none reads it well."""
    if page.get("engine") == "pdfium":
        return f"with a bad text layer: {page['reason']}"
    return f"read by {page.get('engine')} because of {page['reason']}"


def _pages(document: Row, pages: Sequence[Row]) -> list[str]:
    found = []
    running = document.get("running_left") or 0
    if running and document.get("pages"):
        left = max(1, round(running * document["pages"]))
        found.append(f"running heads or feet left in the text of {left:,} of {document['pages']:,} pages")
    reasons: dict[str, list[int]] = defaultdict(list)
    for page in pages:
        if page.get("reason"):
            reasons[_why(page)].append(page["page"])
        if page.get("needs_ocr"):
            reasons["without a text layer: OCR would be needed"].append(page["page"])
        if page.get("ocr_confidence") is not None:
            reasons["recognised by OCR"].append(page["page"])
    found += [f"{numbers(held)} {why}" for why, held in reasons.items()]
    return found


def numbers(pages: Iterable[int]) -> str:
    """`page 4`, `pages 4, 7-9 and 12 more`."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    shown = [str(a) if a == b else f"{a}–{b}" for a, b in runs[:_LISTED]]
    more = sum(b - a + 1 for a, b in runs[_LISTED:])
    single = len(runs) == 1 and runs[0][0] == runs[0][1]
    return f"page{'' if single else 's'} {', '.join(shown)}{f' and {more} more' if more else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{100 * share:.1f}%"
