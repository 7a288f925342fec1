"""The start tags of a page, read as the HTML Standard's tokeniser reads them, in linear time and without a tree.

libxml2 takes seconds for a tag with 80,000 attributes, stops at 256 nested elements, and keeps a tree of some hundred
bytes a tag; for links none of that is needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html.entities import html5

_MARKUP = re.compile(r"<(?:(!--)|([A-Za-z][^\s/>]*)|[/!?])")
_COMMENT_END = re.compile(r"--!?>")
_REST_OF_TAG = re.compile(r"""(?:[^>=]++|=\s*+(?:"[^"]*+"?+|'[^']*+'?+)?+)*+>?""")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+(?:(>)|([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\s>"'][^\s>]*+)?))?+)"""
)
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed"})
"""Elements whose content is text: what looks like a tag in there is none."""
_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.I) for name in _RAW}
_REFERENCE = re.compile(
    r"&(?:#([0-9]{1,8});?|#[xX]([0-9a-fA-F]{1,8});?|([A-Za-z][A-Za-z0-9]{1,31}(?:;|(?![A-Za-z0-9=]))))"
)


def tags(text: str, names: Collection[str], wanted: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Start tags with one of `names` (lower case), in order, with those of their attributes that are `wanted`. Of two
    attributes of one name the first counts; character references in values are resolved."""
    at = 0
    while match := _MARKUP.search(text, at):
        at = match.end()
        if match[1]:
            end = _COMMENT_END.search(text, at - 2)
            at = end.end() if end else len(text)
        elif match[2] is None:
            at = text.find(">", at) + 1 or len(text)
        else:
            name = match[2].lower()
            if name in names:
                found, at, whole = _attributes(text, at, wanted)
                if whole:
                    yield name, found
            else:
                rest = _REST_OF_TAG.match(text, at)
                at = rest.end() if rest else at
            if name in _RAW:
                end = _RAW_ENDS[name].search(text, at)
                at = end.start() if end else len(text)


def _attributes(text: str, at: int, wanted: Collection[str]) -> tuple[dict[str, str], int, bool]:
    """Attributes of the tag whose name ends at `at`, where the tag ends, and whether it does before the text."""
    found: dict[str, str] = {}
    while match := _ATTRIBUTE.match(text, at):
        at = match.end()
        if match[1]:
            return found, at, True
        name = match[2].lower()
        if name in wanted and name not in found:
            value = match[3] or match[4] or match[5] or ""
            found[name] = _REFERENCE.sub(_character, value) if "&" in value else value
    return found, len(text), False


def _character(match: re.Match[str]) -> str:
    """What a character reference in an attribute stands for; `&section=` is none."""
    if match[3]:
        return html5.get(match[3], match[0])
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
