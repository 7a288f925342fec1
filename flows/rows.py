"""Rows of the tables at rest, made of records and extracts; what a document claims is cut to what a column holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

from extractors.record import Extract, Record

_INT16, _INT32 = (1 << 15) - 1, (1 << 31) - 1
POLICIES = ("robots.txt", "tdmrep.json")
"""Reasons for which such a record is no document."""
MAX_LABEL = 1_000
"""Characters of a heading, a running line, an anchor: more is no label, and memory must not follow it."""
MAX_REMOVED = 100
"""Running lines that a page's row lists."""


def skipped_row(record: Record) -> dict[str, Any]:
    """A row of `skipped`; units and meaning as in catalog/schema.py."""
    shared = ("id", "source", "path", "offset", "length", "kind", "mime", "url", "status", "error")
    return {**{name: getattr(record, name) for name in shared}, "reason": record.skip or "unreadable"}


def policy_row(record: Record) -> dict[str, Any] | None:
    """A row of `policies`, where the record is a file that says what may be done with a site's pages."""
    from filters import robots

    if record.skip not in POLICIES or record.url is None:
        return None
    return robots.policy_row(
        id=record.id, source=record.source, url=record.url, kind=record.skip, fetched=record.fetched,
        status=record.status, payload=record.payload,
    )  # fmt: skip


def document_row(record: Record, extract: Extract) -> dict[str, Any]:
    """A row of `documents`; units and meaning as in catalog/schema.py."""
    shared = ("id", "source", "path", "offset", "length", "kind", "format", "mime", "url", "status", "fetched")
    facts = {**record.meta, **extract.meta}
    declared = facts.pop("language", None)
    return {
        **{name: getattr(record, name) for name in shared},
        "payload_digest": record.digest,
        "payload_bytes": len(record.payload),
        "title": _clean(extract.title),
        "authors": [_clean(author) for author in extract.authors],
        "date": extract.date,
        "declared_language": extract.language or declared,
        "celex": facts.pop("celex", None),
        "text": None if extract.error else _clean(extract.text),
        "page_offsets": extract.page_offsets or None,
        "line_boxes": [_line_box(line) for line in extract.lines] or None,
        "sections": [_section(section) for section in extract.sections] or None,
        "tables": _clean(extract.tables),
        "markdown": _clean(extract.markdown),
        "extractor": extract.extractor,
        "meta": _json(facts) if facts else None,
        "error": _clean(extract.error),
    }


def page_rows(
    record: Record, extract: Extract, measured: list[dict[str, Any]] | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of `pages`, one for each of `page_offsets`; units and meaning as in catalog/schema.py.

    `measured` holds the measures of each page by column. A page of which the extractor says nothing has its place.
    """
    starts = [max(0, min(start, len(extract.text))) for start in extract.page_offsets]
    for number, start in enumerate(starts):
        facts = extract.pages[number] if number < len(extract.pages) else {}
        end = starts[number + 1] if number + 1 < len(starts) else len(extract.text)
        yield {
            "id": record.id,
            "page": number + 1,
            "start": start,
            "chars": max(0, end - start),
            "width": _real(facts.get("width")),
            "height": _real(facts.get("height")),
            "engine": _label(facts.get("engine")),
            "reason": _label(facts.get("reason")),
            "columns": _whole(facts.get("columns"), _INT16),
            "removed": [line for line in map(_label, facts.get("removed") or ()) if line][:MAX_REMOVED] or None,
            "notes": _whole(facts.get("notes"), _INT16),
            "needs_ocr": None if facts.get("needs_ocr") is None else bool(facts["needs_ocr"]),
            "ocr_confidence": _real(facts.get("confidence")),
            **(measured[number] if measured and number < len(measured) else {}),
        }


def _line_box(line: tuple[float, ...]) -> dict[str, int | None]:
    start, page, *box = line
    sides = zip(("left", "bottom", "right", "top"), box, strict=False)
    return {
        "start": _whole(start, _INT32),
        "page": _whole(page + 1, _INT32),
        **{side: _whole(value, _INT16) for side, value in sides},
    }


def _section(section: tuple[int, str, str | None, str | None]) -> dict[str, Any]:
    start, kind, anchor, heading = section
    return {
        "start": _whole(start, _INT32), "kind": _label(kind), "anchor": _label(anchor), "heading": _label(heading)
    }  # fmt: skip


def _whole(value: Any, limit: int) -> int | None:
    """A number rounded and kept within ±limit; None for what is no number."""
    if not isinstance(value, int | float) or (isinstance(value, float) and math.isnan(value)):
        return None
    return round(max(-limit, min(limit, value)))


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e30 else None


def _label(value: Any) -> str | None:
    return None if value is None else _clean(str(value)[:MAX_LABEL])


def _clean(text: str | None) -> str | None:
    """Without lone surrogates, which no column can hold."""
    if text is None or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _json(facts: dict[str, Any]) -> str:
    try:
        return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # Lone surrogates, and whole numbers of any size.
        return json.dumps(facts, default=str, ensure_ascii=False).encode("utf-8", "replace").decode()
