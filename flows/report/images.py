"""A PDF page as a picture, drawn in the sandbox's child: `render` is the target of `extractors.sandbox.Sandbox`."""

from __future__ import annotations

from contextlib import closing

from extractors.record import Extract, Record

WIDTH = 760
"""Pixels of a picture's width; a page that is longer than three times its width gets less."""
MAX_BYTES = 1 << 20
_QUALITIES = (70, 40, 15)


def preload() -> None:
    import PIL.Image  # noqa: F401
    import pypdfium2  # noqa: F401


def render(record: Record) -> Extract:
    """The picture of the page `record.meta["page"]` (from 0) of a PDF, as `meta["image"]`: bytes of a PNG or JPEG.

    `meta` has `width` and `height` of the page in points, too. `error` says why there is no picture.
    """
    import pypdfium2

    try:
        with closing(pypdfium2.PdfDocument(record.payload)) as document, closing(document[record.meta["page"]]) as page:
            width, height = page.get_size()
            if not (width > 0 and height > 0):
                return Extract(error="the page has no size")
            bitmap = page.render(scale=min(WIDTH / width, 3 * WIDTH / height), draw_annots=False)
            picture = _encode(bitmap.to_pil())
    except (pypdfium2.PdfiumError, IndexError, ValueError, OSError) as error:
        return Extract(error=f"PDFium cannot draw the page: {error}"[:200])
    if picture is None:
        return Extract(error=f"the picture would take over {MAX_BYTES >> 20} MiB")
    return Extract(meta={"image": picture, "width": width, "height": height})


def _encode(image: object) -> bytes | None:
    """Text on white as PNG of 16 greys or colours, a photograph as JPEG: whichever is smaller."""
    import io

    from PIL import Image

    assert isinstance(image, Image.Image)
    colours = image.convert("RGB")
    png = io.BytesIO()
    colours.quantize(16, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    best = png.getvalue()
    for quality in _QUALITIES:
        jpeg = io.BytesIO()
        colours.save(jpeg, "JPEG", quality=quality, optimize=True)
        best = min(best, jpeg.getvalue(), key=len)
        if len(best) <= MAX_BYTES:
            return best
    return None
