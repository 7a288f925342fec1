"""Spans of a text replaced by the names of their kinds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any


def mask(
    text: str, spans: Iterable[Mapping[str, Any]], least: float = 0.5, kinds: Collection[str] | None = None
) -> str:
    """The text with a placeholder in place of each span; whatever is outside of them stays as it is.

    Args:
        spans: `start`, `end`, `kind` and `score`, in any order; of two that overlap both go, as one placeholder of the
            kind of the first. Ends beyond the text are cut.
        least: score from which a span is replaced.
        kinds: only these; `national_id` stands for those of all countries.
    """
    parts, last = [], 0
    for span in sorted(spans, key=lambda span: (span["start"], -span["end"])):
        start, end = max(0, span["start"]), min(span["end"], len(text))
        if span["score"] < least or end <= max(start, last) or not _wanted(span["kind"], kinds):
            continue
        if start >= last:
            parts += [text[last:start], placeholder(span["kind"])]
        last = end
    return "".join([*parts, text[last:]])


def placeholder(kind: str) -> str:
    """What stands for a span of `kind`: `<EMAIL>`, `<NATIONAL_ID_FR>`."""
    return f"<{re.sub('[^A-Z0-9]+', '_', kind.upper())}>"


def _wanted(kind: str, kinds: Collection[str] | None) -> bool:
    return kinds is None or kind in kinds or kind.partition(":")[0] in kinds
