"""What a harvest knew of a document beside its bytes: the fields `Florilege-*` of its WARC record.

Anyone may write such fields into an archive, so that each is looked at before it is believed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from extractors.language_tag import primary_subtag

PREFIX = "florilege-"
MAX_LABEL = 1_000
_TEXTS = {
    name.replace("_", "-"): name
    for name in ("format", "work", "doi", "erudit_id", "rights", "access", "journal", "datestamp", "origin")
} | {"licence": "harvest_licence"}
"""Names in the record, and in `meta`. The page's own licence is `licence`: both count."""
_NUMBERS = ("celex", "corrects")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def of_record(head: Mapping[str, str]) -> dict[str, str]:
    """Labels of a record by their name in `meta`; `head`: its named fields by lower-case name.

    `celex` and `corrects` are CELEX numbers, `language` is a primary subtag (`fr`); what is none is left out. Other
    labels are text on one line of at most MAX_LABEL characters.
    """
    if not any(name.startswith(PREFIX) for name in head):
        return {}
    values = {
        name.removeprefix(PREFIX): _BLANK.sub(" ", value[: 2 * MAX_LABEL]).strip()[:MAX_LABEL]
        for name, value in head.items() if name.startswith(PREFIX)
    }  # fmt: skip
    found = {known: values[name] for name, known in _TEXTS.items() if values.get(name)}
    for name in _NUMBERS:
        if (number := values.get(name, "").upper()) and _is_celex(number):
            found[name] = number
    if language := primary_subtag(values.get("language")):
        found["language"] = language
    return found


def _is_celex(number: str) -> bool:
    from extractors.eurlex import CELEX

    return len(number) <= 60 and CELEX.fullmatch(number) is not None
