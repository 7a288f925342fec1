"""Readings of PDFs by several engines, and readings damaged on purpose, to fit and judge predictions of fidelity."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import regex

Pages = list[str]
"""What an engine reads of a PDF: the text of each page."""
_WORD = regex.compile(r"\p{L}{4,}")
_HYPHENABLE = regex.compile(r"\b\p{Ll}{6,}\b")


def ours(payload: bytes) -> Pages:
    """What florilege reads."""
    from extractors.pdf import extract

    found = extract(payload)
    bounds = [*found.page_offsets, len(found.text)]
    return [found.text[start:end] for start, end in pairwise(bounds)]


def pdfium(payload: bytes) -> Pages:
    """PDFium's text as it comes."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(payload) as document:
            pages = [page.get_textpage().get_text_range().replace("\r\n", "\n") + "\n" for page in document]
    except pypdfium2.PdfiumError:
        pages = []
    return pages


def plumber(payload: bytes) -> Pages:
    """pdfplumber's text with its default settings."""
    import pdfplumber

    pages = []
    try:
        with pdfplumber.open(io.BytesIO(payload)) as document:
            for page in document.pages:
                pages.append(page.extract_text() + "\n")
                page.close()
    except Exception:  # pdfminer raises whatever a broken file makes it stumble over
        pages = []
    return pages


ENGINES: dict[str, Callable[[bytes], Pages]] = {"florilege": ours, "PDFium": pdfium, "pdfplumber": plumber}


def _words(change: Callable[[str], str]) -> Callable[[str, float, random.Random], str]:
    """A damage that befalls single words at a rate."""

    def damage(page: str, rate: float, chance: random.Random) -> str:
        return str(_WORD.sub(lambda found: change(found[0]) if chance.random() < rate else found[0], page))

    return damage


def _split(word: str) -> str:
    cut = 1 + len(word) // 2
    return f"{word[:cut]} {word[cut:]}"


def _glued(page: str, rate: float, chance: random.Random) -> str:
    return "".join("" if sign == " " and chance.random() < rate else sign for sign in page)


def _garbled(page: str, rate: float, chance: random.Random) -> str:
    """Letters read as others of the page, as by a wrong character map or bad recognition."""
    letters = [sign for sign in page if sign.isalpha()] or ["x"]
    spoil = _words(lambda word: "".join(chance.choice(letters) if chance.random() < 0.4 else c for c in word))
    return spoil(page, rate, chance)


def _hyphens(page: str, rate: float, chance: random.Random) -> str:
    def broken(found: Any) -> str:
        word = found[0]
        return f"{word[: len(word) // 2]}- {word[len(word) // 2 :]}" if chance.random() < rate else word

    return str(_HYPHENABLE.sub(broken, page))


def _interleaved(page: str, rate: float, chance: random.Random) -> str:
    """Two columns read line by line, on a share of pages."""
    if chance.random() >= rate:
        return page
    width = 8
    words = page.split()
    lines = [" ".join(words[i : i + width]) for i in range(0, len(words), width)]
    half = (len(lines) + 1) // 2
    left, right = lines[:half], lines[half:] + [""] * (half - len(lines[half:]))
    return "\n".join(f"{a} {b}" for a, b in zip(left, right, strict=True)) + "\n"


def _swapped(page: str, rate: float, chance: random.Random) -> str:
    """Lines out of their order, a few at a time."""
    lines = page.split("\n")
    for place in range(len(lines) - 1):
        if chance.random() < rate:
            lines[place], lines[place + 1] = lines[place + 1], lines[place]
    return "\n".join(lines)


_ON_PAGES: dict[str, Callable[[str, float, random.Random], str]] = {
    "split": _words(_split), "glued": _glued, "garbled": _garbled, "hyphens": _hyphens,
    "interleaved": _interleaved, "swapped": _swapped,
    "unreadable": _words(lambda word: "\ufffd" * len(word)),
    "spaced": _words(" ".join),
}  # fmt: skip
RATES = {"interleaved": (0.2, 0.5, 1.0)}
_RATES = (0.02, 0.1)


def damaged(reading: Pages, seed: str) -> dict[str, Pages]:
    """The reading damaged in every way and at several rates; the same seed gives the same damage."""
    found = {}
    for name, change in _ON_PAGES.items():
        for rate in RATES.get(name, _RATES):
            chance = random.Random(f"{seed} {name} {rate}")
            found[f"{name} {rate:g}"] = [change(page, rate, chance) for page in reading]
    found["running"] = _with_heads(reading)
    found["repeated"] = _repeated(reading)
    found["dropped"] = list(reading[: max(1, len(reading) // 2)])
    return found


def _with_heads(pages: Sequence[str]) -> Pages:
    head = " ".join((pages[0] if pages else "").split()[:5])
    return [f"{head} {number}\n{page}" for number, page in enumerate(pages, start=1)]


def _repeated(pages: Sequence[str]) -> Pages:
    found: Pages = []
    for page in pages:
        found += [page, page] if len(found) % 3 == 0 else [page]
    return found
