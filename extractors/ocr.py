"""Pages without a text layer to text, by Tesseract as a program of its own: what it crashes on costs one page."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from extractors.processes import die_with_parent, scratch

DPI = 300
MAX_PIXELS = 25_000_000
"""A2 at 300 dpi; a page that is larger is rendered more coarsely."""
PAGE_S = 6.0
"""Seconds of a document's deadline for each page that may be recognised: one takes some four on one core."""
SHARE = 0.8
"""Share of the deadline after which no page is begun or finished: what is read by then is kept."""
LEGIBLE = 0.5
"""Confidence below which what was recognised is no text: handwriting, stains, pictures. Print gets 0.8 and more."""

LANGUAGES = {
    "ar": "ara", "be": "bel", "bg": "bul", "bs": "bos", "ca": "cat", "cs": "ces", "cy": "cym", "da": "dan",
    "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est", "eu": "eus", "fa": "fas", "fi": "fin",
    "fr": "fra", "ga": "gle", "gl": "glg", "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "is": "isl",
    "it": "ita", "ja": "jpn", "ko": "kor", "la": "lat", "lb": "ltz", "lt": "lit", "lv": "lav", "mk": "mkd",
    "mt": "mlt", "nb": "nor", "nl": "nld", "nn": "nor", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron",
    "ru": "rus", "sk": "slk", "sl": "slv", "sq": "sqi", "sr": "srp", "sr-latn": "srp_latn", "sv": "swe",
    "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim", "zh-hans": "chi_sim", "zh-hant": "chi_tra",
}  # fmt: skip
"""Tesseract's names of languages, by BCP 47 tag in lower case."""


class OcrError(RuntimeError):
    """Nothing can be recognised here: the program or a language is not installed. The message names the remedy."""


class Line(NamedTuple):
    """A printed line; its box in points, in the page's own coordinates as PDFium gives them for characters."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


class Recognised(NamedTuple):
    text: str
    """Lines separated by newlines, blocks by empty lines."""
    confidence: float
    """Mean of Tesseract's confidence over the characters, 0 to 1; 0 for no text."""
    lines: list[Line]
    """In reading order."""


def tesseract_name(tag: str) -> str:
    """Tesseract's name of a language given as BCP 47. Raises ValueError, naming those that are known."""
    parts = tag.lower().split("-")
    for known in ("-".join(parts[:2]), parts[0]):
        if known in LANGUAGES:
            return LANGUAGES[known]
    raise ValueError(f"{tag!r} is no language that pages are recognised in; known are {', '.join(LANGUAGES)}")


def check(languages: Iterable[str]) -> str:
    """Tesseract's version (`tesseract 5.3.0`), if pages can be recognised in these languages (BCP 47).

    Raises:
        OcrError: the binding, the program or a language is absent; says how to install it.
        ValueError: no such language.
    """
    wanted = [tesseract_name(tag) for tag in languages]
    version, names = _installation()
    if missing := sorted(set(wanted) - names):
        packages = " ".join(f"tesseract-ocr-{name.replace('_', '-')}" for name in missing)
        raise OcrError(f"Tesseract has no data for {', '.join(missing)}: apt-get install {packages}")
    return version


def installed() -> list[str]:
    """Tags of the languages that pages can be recognised in here. Raises OcrError when that is none at all."""
    _, names = _installation()
    return [tag for tag, name in LANGUAGES.items() if name in names]


@cache
def _installation() -> tuple[str, frozenset[str]]:
    """Version and languages of the Tesseract that is installed."""
    try:
        binding = _binding()
    except ImportError:
        raise OcrError("pytesseract is absent: pip install 'florilege[ocr]'") from None
    try:
        return f"tesseract {binding.get_tesseract_version()}", frozenset(binding.get_languages())
    except (binding.TesseractNotFoundError, SystemExit):
        raise OcrError("the program tesseract is absent: apt-get install tesseract-ocr") from None


@cache
def _binding() -> Any:
    """pytesseract, starting its program on one core and so that it dies with this process."""
    import pytesseract

    module = pytesseract.pytesseract
    plain = module.subprocess_args

    def arguments(include_stdout: bool = True) -> dict[str, Any]:
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        return {**plain(include_stdout), "env": environment, "preexec_fn": die_with_parent}

    module.subprocess_args = arguments
    return module


def recognise(page: Any, languages: Iterable[str], timeout_s: float = 60) -> Recognised:
    """Text of a `pypdfium2.PdfPage`, rendered in grey at 300 dpi (less for a huge page).

    Raises:
        OcrError: the binding, the program or a language is absent.
        TimeoutError: it took longer than `timeout_s`.
        RuntimeError: the page cannot be rendered or recognised.
    """
    import pypdfium2

    until = time.monotonic() + timeout_s
    check(languages)
    binding = _binding()
    picture = _render(page, until)
    picture.format = "PPM"  # what the binding writes for its program; its default, PNG, takes long to pack
    names = "+".join(dict.fromkeys(map(tesseract_name, languages)))
    left = until - time.monotonic()
    try:
        with scratch():
            table = binding.image_to_data(picture, lang=names, config="--psm 3", timeout=max(0.1, left))
    except RuntimeError as error:
        if time.monotonic() >= until:
            raise TimeoutError(f"recognition took over {timeout_s:g} s") from error
        raise
    return _recognised(table, pypdfium2.PdfPosConv(page, (0, 0, *picture.size, 0)))


def _render(page: Any, until: float) -> Any:
    """The page as a grey `PIL.Image.Image`. Raises TimeoutError after `until`, ValueError for an empty page."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise ValueError("the page has no size")
    scale = min(DPI / 72, (MAX_PIXELS / (width * height)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = pypdfium2.PdfBitmap.new_native(*size, pdfium.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
    late = type(pdfium.IFSDK_PAUSE().NeedToPauseNow)(lambda _: time.monotonic() >= until)
    pause = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=late)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE
    status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, 0, 0, *size, 0, flags, ctypes.byref(pause))
    pdfium.FPDF_RenderPage_Close(page)
    if status == pdfium.FPDF_RENDER_TOBECONTINUED:
        raise TimeoutError("the page took too long to draw")
    if status != pdfium.FPDF_RENDER_DONE:
        raise RuntimeError("the page cannot be drawn")
    return bitmap.to_pil()


def _recognised(table: str, place: Any) -> Recognised:
    """Lines from Tesseract's table of words, whose boxes are in pixels from the upper left corner."""
    words = [row for row in (line.split("\t") for line in table.split("\n")[1:]) if len(row) == 12 and row[0] == "5"]
    words = [row for row in words if row[11].strip()]
    lines: list[Line] = []
    blocks: list[str] = []
    for _, block in groupby(words, key=lambda row: row[2]):
        first = len(lines)
        for _, found in groupby(block, key=lambda row: row[3:5]):
            lines.append(_line(list(found), place))
        blocks.append("\n".join(line.text for line in lines[first:]))
    sizes = [len(row[11]) for row in words]
    total = sum(float(row[10]) * size for row, size in zip(words, sizes, strict=True))
    return Recognised("\n\n".join(blocks), round(total / sum(sizes) / 100, 4) if words else 0.0, lines)


def _line(words: list[list[str]], place: Any) -> Line:
    boxes = [tuple(map(int, row[6:10])) for row in words]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    # The page may be turned: its corners change places.
    (x0, y0), (x1, y1) = place.to_page(left, top), place.to_page(right, bottom)
    text = " ".join(row[11] for row in words)
    return Line(text, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


class Reader:
    """Recognises pages of one document, as many as its deadline has room for; the others stay as they are."""

    def __init__(self, languages: Iterable[str], deadline_s: float) -> None:
        """`deadline_s`: the document's, which starts now. One page is recognised for every PAGE_S of it."""
        self.languages = tuple(languages)
        self.left = max(1, int(deadline_s / PAGE_S))
        self.until = time.monotonic() + SHARE * deadline_s
        self.problem: str | None = None
        """Why a page was not recognised, the first time."""

    def read(self, page: Any) -> Recognised | None:
        """The page's text, empty where it is not legible; None when the page still needs OCR.

        That is when the share is spent, or when the page or the program failed.
        """
        seconds = self.until - time.monotonic()
        if self.left <= 0 or seconds <= 0:
            self.problem = self.problem or "the deadline has no room for more pages (extract.deadline_s)"
            return None
        self.left -= 1
        try:
            found = recognise(page, self.languages, seconds)
        except (RuntimeError, ValueError, OSError) as error:
            self.problem = self.problem or f"{type(error).__name__}: {error}"[:200]
            return None
        return found if found.confidence >= LEGIBLE else Recognised("", found.confidence, [])
