"""Queries to CELLAR's SPARQL endpoint (Virtuoso): which works there are, and in which languages and formats.

Values are checked before they are written into a query: none can end the literal or the URI that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlencode

from harvesters.cellar.protocol import URI, corrected, is_number

QUERY_BYTES = 7_000
"""Longest query string of a GET request: CELLAR was seen to cut queries of 10 kB and to answer those of 6.7 kB."""

_PREFIXES = """PREFIX cdm: <http://publications.europa.eu/ontology/cdm#>
PREFIX cmr: <http://publications.europa.eu/ontology/cdm/cmr#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
_AUTHORITY = f"{URI}/authority"
Relation = Literal["corrigenda", "consolidated"]
_RELATIONS: dict[Relation, str] = {
    "corrigenda": "cdm:resource_legal_corrects_resource_legal",
    "consolidated": "cdm:act_consolidated_consolidates_resource_legal",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which acts a query asks for; empty ones do not filter."""

    celex: Sequence[str] = ()
    sectors: Sequence[str] = ()
    types: Sequence[str] = ()
    directory_codes: Sequence[str] = ()
    eurovoc: Sequence[str] = ()
    first: date | None = None
    last: date | None = None
    in_force: bool | None = None


def selection(
    filters: Filters, relation: Relation | None, modified: datetime | None, after: str | None, rows: int
) -> str:
    """SPARQL for one page of works (`celex`, `work`), by number: acts, or corrigenda or consolidations of such acts.

    `modified`: only works whose record changed since. `after`: the last number of the page before. Pages go on from a
    number and not from an offset: Virtuoso sorts 10,000 rows with an offset and refuses more.
    """
    act, number = ("?act", "?base") if relation else ("?work", "?celex")
    lines = [f"?act {_BY_NUMBER} ?base .", f"?work {_RELATIONS[relation]} ?act ."] if relation else []
    lines += [f"?work {_BY_NUMBER} ?celex .", *_filters(filters, act, number)]
    if not relation and not any(map(corrected, filters.celex)):
        # A corrigendum has the resource type of the act that it corrects.
        lines.append(f'FILTER(!CONTAINS(STR({number}), "R("))')
    if modified is not None:
        lines.append("?work cmr:lastModificationDate ?modified .")
        lines.append(f'FILTER(?modified >= "{modified:%Y-%m-%dT%H:%M:%SZ}"^^xsd:dateTime)')
    if after is not None:
        lines.append(f"FILTER(STR(?celex) > {_literal(after)})")
    body = "\n  ".join(lines)
    base = " ?base" if relation else ""
    return f"{_PREFIXES}SELECT DISTINCT ?celex ?work{base} WHERE {{\n  {body}\n}} ORDER BY ?celex LIMIT {rows:d}"


_BY_NUMBER = "cdm:resource_legal_id_celex"


def _filters(filters: Filters, act: str, number: str) -> list[str]:
    lines = []
    if filters.celex:
        lines.append(f"VALUES {number} {{ {_numbers(filters.celex)} }}")
    if filters.sectors:
        lines.append(_any(f'STRSTARTS(STR({number}), "{_word(sector)}")' for sector in filters.sectors))
    if filters.types:
        lines.append(_values("?type", (f"{_AUTHORITY}/resource-type/{_word(type)}" for type in filters.types)))
        lines.append(f"{act} cdm:work_has_resource-type ?type .")
    if filters.directory_codes:
        # The code's authority table has had two names; a code holds those that begin with it.
        codes = [_word(code.replace(".", "")) for code in filters.directory_codes]
        tables = (f"{_AUTHORITY}/{table}/{code}" for code in codes for table in ("dir-eu-legal-act", "fd_555"))
        lines.append(f"{act} cdm:resource_legal_is_about_concept_directory-code ?code .")
        lines.append(_any(f'STRSTARTS(STR(?code), "{uri}")' for uri in tables))
    if filters.eurovoc:
        lines.append(_values("?concept", (f"http://eurovoc.europa.eu/{_word(concept)}" for concept in filters.eurovoc)))
        lines.append(f"{act} cdm:work_is_about_concept_eurovoc ?concept .")
    if filters.first or filters.last:
        lines.append(f"{act} cdm:work_date_document ?date .")
        for sign, day in ((">=", filters.first), ("<=", filters.last)):
            if day:
                lines.append(f'FILTER(?date {sign} "{day.isoformat()}"^^xsd:date)')
    if filters.in_force is not None:
        lines.append(f'{act} cdm:resource_legal_in-force "{str(filters.in_force).lower()}"^^xsd:boolean .')
    return lines


def inventory(numbers: Sequence[str]) -> str:
    """SPARQL for the versions of works: `celex`, `work`, `language`, `type`, `item`, a row an item."""
    return f"""{_PREFIXES}SELECT DISTINCT ?celex ?work ?language ?type ?item WHERE {{
  VALUES ?celex {{ {_numbers(numbers)} }}
  ?work {_BY_NUMBER} ?celex .
  ?expression cdm:expression_belongs_to_work ?work .
  ?expression cdm:expression_uses_language ?language .
  ?manifestation cdm:manifestation_manifests_expression ?expression .
  ?manifestation cdm:manifestation_type ?type .
  ?item cdm:item_belongs_to_manifestation ?manifestation .
}}"""


def query_url(endpoint: str, query: str) -> str:
    """The address of a query's answer in JSON."""
    return f"{endpoint}?{urlencode({'query': query, 'format': 'application/sparql-results+json'})}"


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError(f"{text!r} may not stand in a query")
    return text


def _literal(celex: str) -> str:
    if not is_number(celex):
        raise ValueError(f"{celex!r} may not stand in a query")
    return f'"{celex}"'


def _numbers(numbers: Iterable[str]) -> str:
    # Untyped literals match nothing: the property's values are xsd:string.
    return " ".join(f"{_literal(celex)}^^xsd:string" for celex in numbers)


def _values(name: str, uris: Iterable[str]) -> str:
    return f"VALUES {name} {{ {' '.join(f'<{uri}>' for uri in uris)} }}"


def _any(conditions: Iterable[str]) -> str:
    return f"FILTER({' || '.join(conditions)})"
