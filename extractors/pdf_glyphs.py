"""What PDFium tells of a page's characters: their text, where words begin and end, and their boxes."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 32_767.0
"""Points from the origin, at most, of a page's box that makes sense."""
BREAK = "\ufffe"
"""At a line's end: the engine says that a word is broken here."""

Boxes = NDArray[np.float32]
"""One row a character: left, bottom, right, top in points, upright as the page is read."""

_IS_SPACE = np.array([chr(code).isspace() for code in range(0x3002)])


def characters(handle: int | None, count: int) -> str:
    codes = map(call("FPDFText_GetUnicode", ctypes.c_uint, ctypes.c_int), repeat(handle), range(count))
    return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)


def words_of(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends of a text's words, and places of its line ends; a mark for a break ends a word and a line."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    breaks = (codes == 0xFFFE) | (codes == 2)
    inside = np.zeros(len(codes) + 2, bool)
    inside[1:-1] = ~_IS_SPACE[np.minimum(codes, len(_IS_SPACE) - 1)]
    begins = inside[1:-1] & ~inside[:-2]
    begins[1:] |= inside[2:-1] & breaks[:-1]
    stops = inside[1:-1] & (~inside[2:] | breaks)
    return np.flatnonzero(begins), np.flatnonzero(stops) + 1, np.flatnonzero(breaks | (codes == 10))


def last_of(text: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last character of each word that has a box: a mark for a break may have none."""
    if BREAK not in text and "\x02" not in text:
        return ends - 1
    marked = np.fromiter((text[end - 1] in "\ufffe\x02" for end in ends.tolist()), bool, len(ends))
    return np.asarray(np.maximum(starts, ends - 1 - marked))


@cache
def call(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of PDFium that takes and gives addresses as plain numbers, which is three times as fast.

    Its first argument is an address; `arguments` are the types of the others.
    """
    import pypdfium2.raw as pdfium

    address = ctypes.cast(getattr(pdfium, name), ctypes.c_void_p).value
    prototype = ctypes.CFUNCTYPE(result, ctypes.c_void_p, *arguments)
    return prototype(address or 0)


def boxes_of(handle: int | None, places: NDArray[np.int64]) -> Boxes:
    """Boxes of the characters at these places, left, bottom, right, top."""
    found = np.zeros((len(places), 4), np.float32)
    start = found.ctypes.data
    box = call("FPDFText_GetLooseCharBox", ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    deque(map(box, repeat(handle), places.tolist(), range(start, start + found.nbytes, 16)), 0)
    return found[:, [0, 3, 2, 1]]


def upright(boxes: Boxes, page: Any) -> Boxes:
    """Boxes in the page as it is read, where it is turned."""
    turn = page.get_rotation()
    x0, y0, x1, y1 = page.get_bbox()
    # A box of billions of points would swallow the places of characters.
    if not max(map(abs, (x0, y0, x1, y1))) < MAX_SIDE:
        x0 = y0 = x1 = y1 = 0.0
    left, bottom, right, top = boxes.T
    if not turn:
        return np.stack([left - x0, bottom - y0, right - x0, top - y0], 1)
    if turn == 90:
        return np.stack([bottom - y0, x1 - right, top - y0, x1 - left], 1)
    if turn == 180:
        return np.stack([x1 - right, y1 - top, x1 - left, y1 - bottom], 1)
    return np.stack([y1 - top, left - x0, y1 - bottom, right - x0], 1)


def inside(page: Any, left: Any, bottom: Any, right: Any, top: Any) -> NDArray[np.bool_]:
    """Which words stand in the part of the sheet that is shown; all, where the crop is wrong and would hide everything.

    What was cropped away (printers' marks, hidden versions) was not meant to be read; what runs over the edge of the
    sheet itself was.
    """
    everything = np.ones(len(left), bool)
    media, crop = page.get_mediabox(), page.get_cropbox()
    if max(abs(a - b) for a, b in zip(media, crop, strict=True)) < 1:
        return everything
    x0, y0, x1, y1 = upright(np.array([page.get_bbox()], np.float32), page)[0]
    x, y = (left + right) / 2, (bottom + top) / 2
    shown = np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))
    return shown if shown.any() else everything
