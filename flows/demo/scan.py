"""A PDF as a scanner leaves it: a picture of each page, with the text layer of a bad recognition or with none."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

_MISREAD = {"rn": "m", "in": "m", "ti": "ü", "e": "c", "l": "1", "a": "o", "h": "li", "d": "cl", "s": "5", "u": "ii"}


def misread(text: str) -> str:
    """`text` as recognised from a poor scan: two words of three have wrong letters, some are run together."""
    words: list[str] = []
    for number, word in enumerate(text.split()):
        if number % 3:
            word = re.sub("|".join(_MISREAD), lambda match: _MISREAD[match[0]], word)
        if number % 5 == 4 and words:
            words[-1] += word
        else:
            words.append(word)
    return " ".join(words)


def scan(pdf: bytes, recognised: bool) -> bytes:
    """The pages of `pdf` as grey pictures; with `recognised`, invisible misread text lies behind each."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1, pageCompression=1)
    for (width, height), picture, text in _pages(pdf):
        canvas.setPageSize((width, height))
        canvas.drawImage(ImageReader(picture), 0, 0, width, height)
        if recognised:
            layer = canvas.beginText(60, height - 60)
            layer.setFont("Times-Roman", 9)
            layer.setTextRenderMode(3)
            for line in re.findall(r".{1,90}(?:\s|$)", misread(text)):
                layer.textLine(line)
            canvas.drawText(layer)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _pages(pdf: bytes) -> Iterator[tuple[tuple[float, float], io.BytesIO, str]]:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            picture = io.BytesIO()
            # Two bits of grey: a scan that reads well and stays small.
            grey = page.render(scale=1.4, grayscale=True).to_pil().point(lambda value: value // 64 * 85)
            grey.save(picture, format="PNG")
            picture.seek(0)
            yield page.get_size(), picture, page.get_textpage().get_text_range()
    finally:
        document.close()
