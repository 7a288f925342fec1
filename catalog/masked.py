"""Masking of found spans in what leaves the corpus; the corpus itself keeps the texts as they are."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import orjson

Span = dict[str, Any]
Mask = Callable[[str, list[Span]], str]
"""A text and its spans (`start`, `end` in characters, `kind`, `score`) to the text with them masked."""

COLUMNS = ("pii", "secrets")
"""Columns of spans; as a kind, their name means all of their kinds."""
_WORK = 20_000_000
_KEPT = frozenset(("id", "text", "source", "path", "language", "script", *COLUMNS))

_Group = tuple[int, int, list[Span], str]
"""Start and end of spans that overlap, the spans counted from that start, and what stands in their place."""


def masked(row: dict[str, Any], mask: Mask, kinds: Collection[str]) -> tuple[dict[str, Any], Counter[str]]:
    """The row with its spans of these kinds masked, and how many of each kind there were.

    Spans are known of `text` only. The values found there are masked wherever they stand in the row's other strings
    too, also inside of lists and of the JSON in `meta`; a string in which looking for them would take too long
    becomes null. The spans that are left in `pii` and `secrets` follow their text.

    Args:
        row: has `text`, `pii` and `secrets`.
        kinds: kinds of spans; `pii` is all personal data, `secrets` all keys and passwords, `national_id` those of all
            countries.
    """
    chosen = [s for column in COLUMNS for s in row[column] or () if _wanted(column, s["kind"], kinds)]
    groups = _masked_groups(row["text"] or "", chosen, mask)
    if not groups:
        return row, Counter()
    values = {row["text"][start:end]: instead for start, end, _, instead in groups}
    longest_first = sorted(values.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    others = {name: _replace(value, longest_first, name == "meta") for name, value in row.items() if name not in _KEPT}
    text, moved = _mask_text(row["text"], groups)
    left = {column: [_moved(s, moved) for s in row[column] or () if not _touches(s, groups)] for column in COLUMNS}
    return {**row, **others, **left, "text": text}, Counter(s["kind"] for _, _, spans, _ in groups for s in spans)


def _wanted(column: str, kind: str, kinds: Collection[str]) -> bool:
    return column in kinds or kind in kinds or kind.partition(":")[0] in kinds


def _masked_groups(text: str, spans: list[Span], mask: Mask) -> list[_Group]:
    """Spans inside of the text, in order, those that overlap together; without those that `mask` leaves as they are."""
    found: list[tuple[int, int, list[Span]]] = []
    for span in sorted(spans, key=lambda s: (s["start"], s["end"])):
        start, end = max(0, span["start"]), min(len(text), span["end"])
        if start >= end:
            continue
        if found and start < found[-1][1]:
            first, last, together = found.pop()
        else:
            first, last, together = start, end, []
        together.append({**span, "start": start - first, "end": end - first})
        found.append((first, max(last, end), together))
    groups = [(start, end, together, mask(text[start:end], together)) for start, end, together in found]
    return [group for group in groups if group[3] != text[group[0] : group[1]]]


def _mask_text(text: str, groups: list[_Group]) -> tuple[str, tuple[list[int], list[int]]]:
    """The masked text, and from which characters on it has moved by how many."""
    parts, ends, shifts = [], [0], [0]
    for start, end, _, instead in groups:
        parts += [text[ends[-1] : start], instead]
        ends.append(end)
        shifts.append(shifts[-1] + len(instead) - (end - start))
    return "".join([*parts, text[ends[-1] :]]), (ends, shifts)


def _touches(span: Span, groups: list[_Group]) -> bool:
    before = bisect_right(groups, span["end"] - 1, key=lambda group: group[0])
    return before > 0 and groups[before - 1][1] > span["start"]


def _moved(span: Span, moved: tuple[list[int], list[int]]) -> Span:
    ends, shifts = moved
    shift = shifts[bisect_right(ends, span["start"]) - 1]
    return {**span, "start": span["start"] + shift, "end": span["end"] + shift}


def _replace(value: Any, values: list[tuple[str, str]], is_json: bool = False) -> Any:
    if isinstance(value, list):
        return [_replace(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _replace(item, values) for key, item in value.items()}
    if not isinstance(value, str) or not value:
        return value
    if len(value) * len(values) > _WORK:
        return None
    if is_json:
        return orjson.dumps(_replace(orjson.loads(value), values)).decode()
    for found, instead in values:
        value = value.replace(found, instead)
    return value
