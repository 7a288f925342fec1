"""Masking of found spans in what leaves the corpus; the corpus itself keeps the texts as they are."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import unquote_plus

import orjson

Span = dict[str, Any]
Mask = Callable[[str, list[Span]], str]
"""A text and its spans (`start`, `end` in characters, `kind`, `score`) to the text with them masked."""

COLUMNS = ("pii", "secrets")
"""Columns of spans; as a kind, their name means all of their kinds."""
PERSONAL = ("email", "phone", "ip", "iban", "card", "national_id")
"""Kinds of spans in `pii`; all others are in `secrets`."""
FULL = 10_000
"""Spans in a column from which nothing is known behind the last of them."""
_WORK = 20_000_000
"""Characters times values that are looked through in one column of a row."""
_KEPT = frozenset(("id", "text", "source", "path", "language", "script", *COLUMNS))

_Value = tuple[str, str, str]
"""What was found, the same without case, and what stands in its place."""
_Group = tuple[int, int, list[Span], str]
"""Start and end of spans that overlap, the spans counted from that start, and what stands in their place."""


def masked(row: dict[str, Any], mask: Mask, kinds: Collection[str]) -> tuple[dict[str, Any], Counter[str]]:
    """The row with its spans of these kinds masked, and how many of each kind there were.

    Spans are known of `text` only. The values found there are masked wherever they stand in the row's other strings
    too, in any case and percent-encoded, also inside of lists and of the JSON in `meta` with its keys; a column in
    which looking for them would take too long becomes null. The spans that are left in `pii` and `secrets` follow
    their text. A text that has more spans than were kept ends with the last one, see `is_cut`.

    Args:
        row: has `text`, `pii` and `secrets`.
        kinds: kinds of spans; `pii` is all personal data, `secrets` all keys and passwords, `national_id` those of all
            countries.
    """
    row = _cut(row, kinds)
    chosen = [s for column in COLUMNS for s in row[column] or () if _wanted(column, s["kind"], kinds)]
    groups = _masked_groups(row["text"] or "", chosen, mask)
    if not groups:
        return row, Counter()
    found = {row["text"][start:end]: instead for start, end, _, instead in groups}
    longest_first = sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    values = [(value, value.casefold(), instead) for value, instead in longest_first]
    others = {name: _column(name, value, values) for name, value in row.items() if name not in _KEPT}
    text, moved = _mask_text(row["text"], groups)
    left = {column: [_moved(s, moved) for s in row[column] or () if not _touches(s, groups)] for column in COLUMNS}
    return {**row, **others, **left, "text": text}, Counter(s["kind"] for _, _, spans, _ in groups for s in spans)


def is_cut(row: dict[str, Any], kinds: Collection[str]) -> bool:
    """Whether `masked` cuts the text, because a column of spans is full that has spans of these kinds."""
    return _known(row, kinds) < len(row["text"] or "")


def facts(meta: str | None) -> Any:
    """What the JSON in `meta` says; lone surrogates become U+FFFD, what JSON does not know null. None if it is none."""
    if not meta:
        return None
    try:
        return orjson.loads(meta)
    except ValueError:
        pass
    try:
        plain = json.dumps(json.loads(meta, parse_constant=lambda _: None), ensure_ascii=False)
        return orjson.loads(plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None


def _known(row: dict[str, Any], kinds: Collection[str]) -> int:
    """Characters of the text in which all spans of these kinds are known."""
    names = {kind.partition(":")[0] for kind in kinds}
    asked = {"pii": names & {"pii", *PERSONAL}, "secrets": names - {"pii", *PERSONAL}}
    full = [row[column] for column in COLUMNS if asked[column] and len(row[column] or ()) >= FULL]
    ends: list[int] = [max(span["end"] for span in spans) for spans in full]
    return min([len(row["text"] or ""), *ends])


def _cut(row: dict[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    if not is_cut(row, kinds):
        return row
    text = row["text"][: _known(row, kinds)]
    left = {column: [span for span in row[column] or () if span["end"] <= len(text)] for column in COLUMNS}
    if row.get("segment_languages"):
        lines = sum(bool(line.strip()) for line in text.split("\n"))
        left["segment_languages"] = row["segment_languages"][:lines]
    return {**row, **left, "text": text}


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


def _column(name: str, value: Any, values: list[_Value]) -> Any:
    """The column's value with `values` masked; None where that would take too long, or is no JSON though it should."""
    if isinstance(value, (str, list)) and _size(value) * len(values) > _WORK:
        return None
    if name != "meta" or not value:
        return _replace(value, values)
    try:
        masked_facts = _replace(facts(value), values)
        return None if masked_facts is None else orjson.dumps(masked_facts).decode()
    except (TypeError, RecursionError):  # nested more deeply than it can be written
        return None


def _size(value: str | list[Any]) -> int:
    return len(value) if isinstance(value, str) else sum(len(item) for item in value if isinstance(item, str))


def _replace(value: Any, values: list[_Value]) -> Any:
    if isinstance(value, list):
        return [_replace(item, values) for item in value]
    if isinstance(value, dict):
        return {_replace(key, values): _replace(item, values) for key, item in value.items()}
    if not isinstance(value, str) or not value:
        return value
    plain = value.casefold()
    decoded = unquote_plus(value).casefold()
    for found, folded, instead in values:
        if folded in plain or folded in decoded:
            value = _any_form(found).sub(instead.replace("\\", r"\\"), value)
    return value


def _any_form(value: str) -> re.Pattern[str]:
    """`value` in any case, each letter as it is or percent-encoded (RFC 3986), a space also as `+` (HTML forms)."""
    encoded = ((letter, "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "replace"))) for letter in value)
    forms = (f"(?:{re.escape(letter)}|{code}{r'|[+]' if letter == ' ' else ''})" for letter, code in encoded)
    return re.compile("".join(forms), re.IGNORECASE)
