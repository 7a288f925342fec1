"""Gathers what the report shows: the worst documents, their references, and pictures of their worst pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import fidelity, store
from catalog.errors import ConfigError
from catalog.fidelity import Choice
from catalog.files import Corpus
from extractors.record import Record
from extractors.sandbox import Sandbox
from flows.report.compare import MAX_COMPARED, Page, marks, take_apart, worst
from flows.report.faults import document_faults
from flows.report.images import MAX_BYTES
from flows.report.originals import NoOriginal, Originals
from flows.report.page import Picture, Shown, html, size_of

if TYPE_CHECKING:
    import duckdb

PAGES = 3
"""Pages of a document that are shown."""
MAX_UNREAD = 100
_ALL_PICTURES = 48 << 20
"""Bytes of all pictures of a report: a browser must still open it."""
_DRAW_S, _DRAW_MB = 20, 512


def write(corpus: Corpus, snapshot: int | None, choice: Choice, documents: int, output: Path) -> list[dict[str, Any]]:
    """Write the page to `output` and return the rows of the table, one a source, language and engine.

    Raises:
        ConfigError: no document can be measured or predicted here, or no such snapshot.
    """
    with store.reading(corpus, snapshot) as connection:
        groups = fidelity.groups(connection, choice)
        if not groups:
            raise ConfigError("no document here has a reference or is a PDF: there is no fidelity to report")
        counted = fidelity.distributions(connection, choice)
        unread = fidelity.unread(connection, choice, MAX_UNREAD)
        number = snapshot or connection.execute("SELECT snapshot FROM snapshot").fetchall()[0][0]
        sources, settings = fidelity.places(connection)
        rows = fidelity.worst(connection, choice, documents)
        shown = list(_shown(connection, rows, sources, settings.get("extract", {})))
    name = f"{settings.get('name', corpus.root.name)}, snapshot {number}"
    page = html(name, groups, counted, shown, unread)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8", errors="replace")
    return groups


def _shown(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], sources: dict[str, dict[str, str]],
    limits: dict[str, Any],
) -> Iterator[Shown]:  # fmt: skip
    originals = Originals(sources, limits.get("max_payload_mb", 64) << 20)
    room = _ALL_PICTURES
    with ExitStack() as stack:
        reader = stack.enter_context(Sandbox(limits.get("deadline_s", 30), limits.get("memory_mb", 1024)))
        artist = stack.enter_context(Sandbox(_DRAW_S, _DRAW_MB, "flows.report.images:render"))
        for row in rows:
            item = _compared(connection, row, originals, reader)
            if row["format"] == "pdf":
                item.pictures = _pictures(item, originals, artist, room)
                room -= size_of(list(item.pictures.values()))
            yield item


def _compared(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], originals: Originals, reader: Sandbox
) -> Shown:
    """The document with its differences from the reference, or with what looks wrong where there is none."""
    content, facts = fidelity.content(connection, row["id"]), fidelity.pages(connection, row["id"])
    text, starts = content["text"] or "", content["page_offsets"] or []
    notes, reference = [], None
    if row["reference"]:
        try:
            reference = originals.reference(row, reader)
        except NoOriginal as error:
            notes.append(f"The reference {row['reference']} cannot be shown: {error}.")
    if max(len(text), len(reference or "")) > MAX_COMPARED:
        notes.append(f"Only the first {MAX_COMPARED:,} characters were compared.")
    found = marks(text, reference, starts)
    pages = take_apart(text, starts, facts, content["line_boxes"] or [], found)
    shown = worst(pages, reference is not None, PAGES)
    faults = document_faults(row, facts, [page.counts for page in pages])
    alarms: list[Mapping[str, Any]] = [*fidelity.alarms(connection, row["id"])]
    return Shown(row, text, faults, pages, shown, {}, alarms, notes, reference is not None)


def _pictures(item: Shown, originals: Originals, artist: Sandbox, room: int) -> dict[int, Picture]:
    try:
        payload = originals.payload(item.row)
    except NoOriginal as error:
        return {page.number: Picture(missing=str(error)) for page in item.worst}
    found = {}
    for page in item.worst:
        found[page.number] = picture = _picture(payload, page, artist, room)
        room -= size_of([picture])
    return found


def _picture(payload: bytes, page: Page, artist: Sandbox, room: int) -> Picture:
    if room <= 0:
        return Picture(missing="the report is big enough; ask for fewer documents")
    drawn = artist.extract(Record("", "", payload=payload, format="pdf", meta={"page": page.number - 1}))
    image, *size = (drawn.meta.get(name) for name in ("image", "width", "height"))
    # A child that a document took over may answer anything.
    if drawn.error or not isinstance(image, bytes) or len(image) > MAX_BYTES:
        return Picture(missing=drawn.error or "no picture came back")
    width, height = (float(side) if isinstance(side, int | float) else 1.0 for side in size)
    return Picture(image, width, height)
