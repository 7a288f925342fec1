"""A corpus whose documents a fidelity report can show: PDFs made here, their references, and hostile names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import xxhash
from corpora import document, publish, write_shard
from reportlab.pdfgen.canvas import Canvas

from catalog import store
from catalog.files import Corpus, read_json, write_json

LINES = [
    ["The harbour was closed for nine days in the winter of that year.", "Eleven boats lay idle beside the quay."],
    ["On the tenth day the wind turned to the south and the ice went.", "By noon the first boats had left again."],
]
"""The printed lines of the two pages."""
WIDTH, HEIGHT = 400, 300
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202e\0'\""


def pdf(pages: list[list[str]] = LINES) -> bytes:
    """A PDF with these lines on its pages."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=True)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(40, HEIGHT - 60 - 24 * number, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def boxes(pages: list[list[str]] = LINES) -> list[dict[str, int]]:
    """`line_boxes` of the lines of `pdf`, joined by newlines."""
    found, start = [], 0
    for page, lines in enumerate(pages):
        for number, line in enumerate(lines):
            bottom = HEIGHT - 64 - 24 * number
            found.append(
                {"start": start, "page": page + 1, "left": 40, "bottom": bottom, "right": 360, "top": bottom + 16}
            )
            start += len(line) + 1
    return found


def text(pages: list[list[str]] = LINES) -> str:
    return "\n".join(line for lines in pages for line in lines)


def row(name: str, payload: bytes, found: str, **columns: Any) -> dict[str, Any]:
    """A document made of a PDF file called `name`.pdf."""
    known = {
        "path": f"{name}.pdf", "format": "pdf", "payload_digest": xxhash.xxh3_128_hexdigest(payload),
        "payload_bytes": len(payload), "page_offsets": [0, len("\n".join(LINES[0])) + 1], "extractor": "pdfium 1.2",
    }  # fmt: skip
    return document(name, found, **{**known, **columns})


def measured(recall: float) -> dict[str, Any]:
    return dict.fromkeys(("lcs", "lcs_json", "lcs_conversion", "order_recall", "order_precision"), recall)


def predicted(value: float) -> dict[str, Any]:
    names = (f"predicted_{measure}{end}" for measure in ("lcs", "order") for end in ("", "_low", "_high"))
    return dict.fromkeys(names, value)


def reported(root: Path) -> Corpus:
    """A corpus at `root`/corpus of sources at `root`/acts and `root`/web, as a run would have left it."""
    folder, corpus = root / "acts", Corpus((root / "corpus").resolve())
    folder.mkdir(parents=True)
    payload = pdf()
    for name in ("lossy", "hostile", "predicted", "changed"):
        (folder / f"{name}.pdf").write_bytes(payload)
    (folder / "lossy.txt").write_text(text() + " Nobody had expected that.", encoding="utf-8")
    (folder / "hostile.txt").write_text(f"{HOSTILE} {text()}", encoding="utf-8")
    lossy = text().replace("Eleven boats", "Twelve boats").replace("again.", "again. 12 Harbour News")
    pages = [{"engine": "pdfplumber", "reason": "unreadable characters", "order_recall": 0.8}, {"needs_ocr": True}]
    documents = [
        row("lossy", payload, lossy, reference="lossy.txt", line_boxes=boxes(), pages=pages, **measured(0.8)),
        row("hostile", payload, text() + HOSTILE, title=HOSTILE, reference="hostile.txt", **measured(0.7)),
        row("predicted", payload, text().replace("closed", "c l o s e d"), **predicted(0.6)),
        row("changed", b"other bytes", text(), reference="../../outside.txt", **measured(0.5)),
        row("gone", payload, text(), path="gone.pdf", **predicted(0.4)),
        row("outside", payload, text(), path="../outside.pdf", **predicted(0.3)),
        row("unread", payload, "") | {"text": None, "error": "unread.pdf: encrypted: a password is needed"},
    ]
    (root / "outside.pdf").write_bytes(payload)
    (root.parent / "outside.txt").write_text("not for a report", encoding="utf-8")
    write_shard(corpus, "acts-1", "acts", documents)
    write_shard(corpus, "web-1", "web", [document("page")])
    publish(corpus, rebuild=False)
    manifest = read_json(corpus.manifest("runs", "run-1"))
    for source in manifest["sources"]:
        source["path"] = str(root / source["source"])
    write_json(corpus.manifest("runs", "run-1"), manifest)
    store.rebuild(corpus)
    return corpus
