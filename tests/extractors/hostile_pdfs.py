"""Hostile PDFs, written in code: each is small as a file and large, endless or senseless when it is read."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

SENTENCE = "A page of a document that nobody will read."
_HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_BOX = b"/MediaBox[0 0 595 842]"


def assemble(objects: dict[int, bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A PDF of these objects, the catalog being the first, with a right table of where they are."""
    out = bytearray(b"%PDF-1.7\n")
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n" % size
    for number in range(size):
        used = number in places
        out += b"%010d %05d %s \n" % (places.get(number, 0), 0 if used else 65535, b"n" if used else b"f")
    return bytes(out + b"trailer<</Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object; data over a kilobyte is packed."""
    if len(data) > 1_000:
        data, entries = zlib.compress(data, 9), entries + b"/Filter/FlateDecode"
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def show(text: str = SENTENCE) -> bytes:
    return b"BT /F1 12 Tf 72 720 Td (%s) Tj ET\n" % text.encode()


def one_page(
    content: bytes, more: dict[int, bytes] | None = None, box: bytes = _BOX, resources: bytes = b"/Font<</F1 4 0 R>>"
) -> bytes:
    """A document of one page with this content stream object (3 is the page, 4 a font, 5 the content)."""
    return assemble({
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R%s/Resources<<%s>>/Contents 5 0 R>>" % (box, resources),
        4: _HELVETICA,
        5: content,
        **(more or {}),
    })  # fmt: skip


def zeros(size: int) -> bytes:
    """Flate data of so many zero bytes (white space in a PDF), whole mebibytes, made without ever holding them."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    check = (size % 65521) << 16 | 1
    return b"\x78\x9c" + block * (size >> 20) + b"\x03\0" + check.to_bytes(4, "big")


def packed(data: bytes, layers: int = 1, entries: bytes = b"") -> bytes:
    """A stream object of data that is packed already."""
    filters = b"/FlateDecode" * layers
    return b"<<%s/Filter[%s]/Length %d>>stream\n%s\nendstream" % (entries, filters, len(data), data)


def inflating_page(megabytes: int = 150) -> bytes:
    """One page whose content is a sentence and then white space."""
    text = {6: stream(show()), 7: packed(zeros(megabytes << 20))}
    return one_page(b"[6 0 R 7 0 R]", text)


def zip_bomb() -> bytes:
    """Content of 4 GB in three layers of Flate."""
    return one_page(packed(zlib.compress(zlib.compress(zeros(4 << 30), 9), 9), layers=3))


def many_texts(side: int = 500) -> bytes:
    """One page with a quarter of a million text objects of one letter."""
    shown = (
        f"BT /F1 .5 Tf {x * 595 / side:.2f} {y * 842 / side:.2f} Td (a) Tj ET\n"
        for y in range(side)
        for x in range(side)
    )
    return one_page(stream("".join(shown).encode()))


def long_line(letters: int = 3_000_000) -> bytes:
    """One page with one word of millions of letters."""
    return one_page(stream(b"BT /F1 1 Tf 9 9 Td (%s) Tj ET\n" % (b"a" * letters)))


def many_pages(count: int = 10_000) -> bytes:
    """Pages that all show the same content."""
    kids = b" ".join(b"%d 0 R" % n for n in range(5, 5 + count))
    page = b"<</Type/Page/Parent 2 0 R%s/Resources<</Font<</F1 4 0 R>>>>/Contents 3 0 R>>" % _BOX
    return assemble({
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count),
        3: stream(show()),
        4: _HELVETICA,
        **dict.fromkeys(range(5, 5 + count), page),
    })  # fmt: skip


def claimed_pages(count: int = 1_000_000) -> bytes:
    """A page tree that claims a million pages and has none."""
    return assemble({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[]/Count %d>>" % count})


def one_page_often(count: int = 1_000_000) -> bytes:
    """A page tree that names one page a million times."""
    return assemble({
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count),
        3: b"<</Type/Page/Parent 2 0 R%s/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>" % _BOX,
        4: _HELVETICA,
        5: stream(show()),
    })  # fmt: skip


def cyclic_tree() -> bytes:
    """A page tree whose node is its own child."""
    return assemble({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R 2 0 R]/Count 9>>"})


def deep_tree(levels: int = 50_000) -> bytes:
    """A page tree of one page, tens of thousands of nodes deep."""
    nodes = {n: b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>" % (n - 1, n + 1) for n in range(2, levels)}
    page = b"<</Type/Page/Parent %d 0 R%s>>" % (levels - 1, _BOX)
    return assemble({1: b"<</Type/Catalog/Pages 2 0 R>>", **nodes, levels: page})


def deep_arrays(levels: int = 200_000) -> bytes:
    """A page whose contents are arrays in arrays."""
    return one_page(b"[" * levels + b"]" * levels)


def self_drawing_form() -> bytes:
    """A form that draws itself."""
    form = stream(show() + b"/X 6 0 R Do /X Do\n", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
                  b"/Resources<</XObject<</X 6 0 R>>/Font<</F1 4 0 R>>>>")  # fmt: skip
    return one_page(stream(show() + b"/X Do"), {6: form}, resources=b"/Font<</F1 4 0 R>>/XObject<</X 6 0 R>>")


def forms_of_forms(levels: int = 9) -> bytes:
    """Each form draws the next one ten times: a billion sentences."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>/Font<</F1 4 0 R>>>>"
    forms = {6 + n: stream(b"/X Do\n" * 10, head % (7 + n)) for n in range(levels)}
    forms[6 + levels] = stream(show(), head % 4)
    return one_page(stream(b"/X Do"), forms, resources=b"/Font<</F1 4 0 R>>/XObject<</X 6 0 R>>")


def self_drawing_glyph() -> bytes:
    """A font whose letter is drawn by writing that letter."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 65/Widths[9]"
        b"/CharProcs<</A 6 0 R>>/Encoding<</Differences[65/A]>>/Resources<</Font<</F1 4 0 R>>>>>>"
    )
    glyph = stream(b"9 0 d0 BT /F1 1 Tf (AA) Tj ET")
    return one_page(stream(b"BT /F1 1 Tf 9 9 Td (AAAA) Tj ET"), {4: font, 6: glyph})


def object_stream_bomb() -> bytes:
    """An object stream that says it has two billion objects, and inflates to 1 GB."""
    bomb = packed(zeros(1 << 30), entries=b"/Type/ObjStm/N 2147483647/First 4")
    page = b"<</Type/Page/Parent 2 0 R/MediaBox 5 0 R/Contents 5 0 R>>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    made = assemble({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: pages, 3: page, 6: bomb})
    head = made[: made.rindex(b"xref\n0 ")]
    places = {n: b"\1" + (head.index(b"\n%d 0 obj" % n) + 1).to_bytes(4, "big") + b"\0" for n in (1, 2, 3, 6)}
    # Object 5 lies in stream 6.
    rows = b"".join({0: bytes(6), 4: bytes(6), 5: b"\2\0\0\0\6\0", **places}[n] for n in range(7))
    table = b"7 0 obj\n<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n%s\nendstream\nendobj\n"
    return head + table % (len(rows), rows) + b"startxref\n%d\n%%%%EOF" % len(head)


def cyclic_tables() -> bytes:
    """A cross-reference table that names itself as its predecessor."""
    made = one_page(stream(show()))
    return made.replace(b"trailer<<", b"trailer<</Prev %d " % made.rindex(b"xref\n0 "))


def endless_character_map() -> bytes:
    """A ToUnicode map whose ranges have billions of characters, end before they start, and map to nothing."""
    ranges = b"<0000> <ffffffff> <0041>\n<00> <ff> <d800>\n<ff> <00> <0041>\n<41> <5a> []\n<61> <7a> <>\n"
    table = stream(
        b"/CIDInit /ProcSet findresource begin begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n"
        b"99999 beginbfrange\n" + ranges * 20_000 + b"endbfrange\nendcmap"
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    return one_page(stream(show()), {4: font, 6: table})


def long_title(megabytes: int = 40) -> bytes:
    """A document whose title fills the file."""
    made = one_page(stream(show()), {6: b"<</Title(%s)>>" % (b"T" * (megabytes << 20))})
    return made.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Info 6 0 R>>")


def grid(lines: int = 2_000) -> bytes:
    """A page ruled into millions of cells, for the search for tables."""
    step = 590 / lines
    level = b"".join(b"2 %.3f m 592 %.3f l S\n" % (n * step + 2, n * step + 2) for n in range(lines))
    upright = b"".join(b"%.3f 2 m %.3f 592 l S\n" % (n * step + 2, n * step + 2) for n in range(lines))
    return one_page(stream(show() + level + upright))


def boxed(box: str) -> Callable[[], bytes]:
    return lambda: one_page(stream(show()), box=b"/MediaBox[%s]" % box.encode())


def locked() -> bytes:
    """A document that opens with a password."""
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    made = io.BytesIO()
    canvas = Canvas(made, encrypt=StandardEncryption("user", "owner", strength=128), invariant=1)
    canvas.drawString(72, 720, SENTENCE)
    canvas.save()
    return made.getvalue()


def huge_picture(side: int = 65_536) -> bytes:
    """A page that is a black picture of four gigapixels: a scan that cannot be drawn."""
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8" % (side, side)
    image = packed(zeros(side * side), entries=head)
    return one_page(stream(b"595 0 0 842 0 0 cm /X Do"), {6: image}, resources=b"/XObject<</X 6 0 R>>")


DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "locked": locked,
    "inflating page": inflating_page,
    "zip bomb": zip_bomb,
    "many texts": many_texts,
    "long line": long_line,
    "claimed pages": claimed_pages,
    "one page often": one_page_often,
    "cyclic tree": cyclic_tree,
    "deep tree": deep_tree,
    "deep arrays": deep_arrays,
    "self-drawing form": self_drawing_form,
    "forms of forms": forms_of_forms,
    "self-drawing glyph": self_drawing_glyph,
    "object stream bomb": object_stream_bomb,
    "cyclic tables": cyclic_tables,
    "endless character map": endless_character_map,
    "long title": long_title,
    "grid": grid,
    "huge box": boxed("0 0 1e30 1e30"),
    "far box": boxed("-1e9 -1e9 1e9 1e9"),
    "empty box": boxed("0 0 0 0"),
    "turned box": boxed("595 842 0 0"),
    "box of no numbers": boxed("nan inf /A (b)"),
    "huge picture": huge_picture,
}
