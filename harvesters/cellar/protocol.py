"""CELLAR, the repository of the Publications Office of the European Union: its addresses, queries and answers.

A work (an act) has expressions (one a language), an expression has manifestations (one a format), a manifestation has
items (files). SPARQL over the office's Common Data Model (CDM) says which there are; a work asked for by CELEX number
with `Accept` and `Accept-Language` is answered with 303 (see other: the file), 300 (multiple choices: a list of files)
or 404. Names of the ontology: https://op.europa.eu/en/web/eu-vocabularies/cdm; the rest: the Cellar end-user manual.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from harvesters.harvester import Answer

Form = Literal["xhtml", "formex", "pdf"]

ENDPOINT = "https://publications.europa.eu/webapi/rdf/sparql"
RESOURCE = "https://publications.europa.eu/resource"
URI = "http://publications.europa.eu/resource"
"""What resource URIs begin with; the same paths below `RESOURCE` lead to what they name."""

LANGUAGES = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est",
    "fi": "fin", "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit", "lv": "lav",
    "mt": "mlt", "nl": "nld", "pl": "pol", "pt": "por", "ro": "ron", "sk": "slk", "sl": "slv", "sv": "swe",
}  # fmt: skip
"""BCP 47 to ISO 639-3, which CELLAR reads in `Accept-Language` and writes, in capitals, in URIs of languages."""
_BCP47 = {three.upper(): two for two, three in LANGUAGES.items()}

TYPES: dict[Form, tuple[str, ...]] = {
    "xhtml": ("xhtml", "html", "xhtml_simpl", "html_simpl"),
    "formex": ("fmx4",),
    "pdf": ("pdfa2a", "pdfa1a", "pdfa1b", "pdfa2b", "pdfa3", "pdfx", "pdf1x", "pdf"),
}
"""Values of `cdm:manifestation_type` that hold a format, the best first."""
_MEDIA = {
    "xhtml": "application/xhtml+xml", "html": "text/html", "xhtml_simpl": "application/xhtml+xml;type=simplified",
    "html_simpl": "text/html;type=simplified", "fmx4": "application/xml;type=fmx4", "pdf": "application/pdf",
}  # fmt: skip
_MIMES: dict[Form, frozenset[str]] = {
    "xhtml": frozenset({"application/xhtml+xml", "text/html"}),
    "formex": frozenset({"application/xml", "text/xml"}),
    "pdf": frozenset({"application/pdf"}),
}

_NUMBER = re.compile(r"[0-9A-Z][0-9A-Za-z()/_.-]{4,79}")
"""A CELEX number as CELLAR may have it: wider than those of acts, and nothing that ends a literal."""
_CORRIGENDUM = re.compile(r"(.+?)R\(\d+\)(?:-\d{8})?")
_UNKNOWN = re.compile(
    r"requested document does not exist|document demandé n['’]existe pas|angeforderte dokument existiert nicht", re.I
)
_CHALLENGE = re.compile(
    rb"awsWafCookieDomainList|gokuProps|challenge-container|AwsWafIntegration|token\.awswaf\.com|"
    rb"verify that you(?:.|&#39;|&rsquo;|\xe2\x80\x99)re not a robot|/challenge\.js",
    re.I,
)
_LOOK = 32_768
_SMALL = 65_536
_SHORT = 3_000
"""Characters of the text of a page that may be a refusal: a long act could quote one."""
_TAGS = re.compile(r"<[^<>]{0,500}>|\s+")
MAX_PARTS = 1_000
"""Files of one manifestation that are taken; the budget of the Union has some hundreds."""


@dataclass(frozen=True, slots=True)
class Version:
    """One manifestation: an act in a language and a format."""

    celex: str
    work: str
    language: str
    """BCP 47."""
    form: Form
    type: str
    """`cdm:manifestation_type`."""
    items: tuple[str, ...]
    """URIs of its files, in their order."""


def is_number(text: object) -> bool:
    """Whether a text may be a CELEX number in a query or in an address."""
    return isinstance(text, str) and _NUMBER.fullmatch(text) is not None


def corrected(celex: str) -> str | None:
    """The act that a corrigendum corrects, by its number: `32016R0679R(02)` corrects `32016R0679`."""
    found = _CORRIGENDUM.fullmatch(celex)
    return found[1] if found else None


def address(resource: str, celex: str) -> str:
    """Where a work is asked for by its CELEX number."""
    return f"{resource}/celex/{quote(celex, safe='')}"


def locate(resource: str, uri: str) -> str | None:
    """The address of a resource URI below `resource`; None for what is no URI of CELLAR."""
    for start in (f"{URI}/", RESOURCE + "/", f"{resource}/"):
        rest = uri.removeprefix(start)
        if rest != uri and re.fullmatch(r"[A-Za-z0-9][\w./()%+:~-]{0,500}", rest) and "//" not in rest:
            return None if ".." in rest else f"{resource}/{rest}"
    return None


def accept(form: Form, type: str | None = None) -> str:
    """The `Accept` of a format: the media type of one manifestation, or of all that may hold it."""
    if type is not None:
        return _MEDIA.get(type, f"application/pdf;type={type}")
    return ", ".join(accept(form, each) for each in TYPES[form])


def is_form(form: Form, mime: str) -> bool:
    """Whether a media type is one of a format's; an answer without any is taken for what was asked for."""
    return mime in _MIMES[form] or not mime or mime == "application/octet-stream"


def rows(body: bytes) -> list[dict[str, str]]:
    """The rows of a SPARQL answer in JSON: values by name. ValueError for anything else."""
    try:
        found: Any = json.loads(body)["results"]["bindings"]
        return [{name: _value(cell) for name, cell in row.items()} for row in found]
    except (KeyError, TypeError, AttributeError, RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"no SPARQL results in JSON: {type(error).__name__}") from None


def _value(cell: Mapping[str, Any]) -> str:
    value = cell["value"]
    if not isinstance(value, str):
        raise TypeError
    return value


def is_cut(headers: Mapping[str, str]) -> bool:
    """Whether Virtuoso left out rows because there were too many (`X-SPARQL-MaxRows`)."""
    return "x-sparql-maxrows" in headers


def is_partial(headers: Mapping[str, str]) -> bool:
    """Whether Virtuoso ran out of time and gave what it had (`X-SQL-State: S1TAT`)."""
    return "x-sql-state" in headers


def versions(found: Iterable[Mapping[str, str]]) -> list[Version]:
    """Versions in the formats that there are names for, from the rows of `inventory`; others are left out."""
    items: dict[tuple[str, str, str, Form, str], list[str]] = {}
    forms: dict[str, Form] = {type: form for form, types in TYPES.items() for type in types}
    for row in found:
        celex, work, type = row.get("celex", ""), row.get("work", ""), row.get("type", "").lower()
        language = _BCP47.get(row.get("language", "").rpartition("/")[2])
        form = forms.get(type, "pdf" if re.fullmatch(r"pdf[a-z0-9]{1,8}", type) else None)
        if language and form and is_number(celex):
            items.setdefault((celex, work, language, form, type), []).append(row.get("item", ""))
    return [Version(*key, items=tuple(sorted(set(uris), key=_part))) for key, uris in items.items()]


def _part(uri: str) -> tuple[int, str]:
    number = re.search(r"DOC_(\d{1,6})$", uri)
    return (int(number[1]) if number else 0, uri)


def rank(version: Version) -> int:
    """Place of a version among those of its format, the best first."""
    known = TYPES[version.form]
    return known.index(version.type) if version.type in known else len(known)


def choices(body: bytes) -> list[tuple[str, str]]:
    """Address and name of each file that a 300 (Multiple Choices) lists, in order.

    A list item `<li title="item">` holds a link and, below it, the file's name (`stream_name`).
    """
    from lxml import html

    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = html.document_fromstring(body, parser=parser)
    except (ValueError, html.etree.ParserError, html.etree.XMLSyntaxError):
        return []
    found: dict[str, str] = {}
    for item in root.iter("li"):
        if item.get("title") != "item":
            continue
        link = next(item.iterfind("a"), None)
        name = next((node.text or "" for node in item.iterfind("ul/li") if node.get("title") == "stream_name"), "")
        if link is not None and link.get("href"):
            found.setdefault(link.get("href").strip(), name.strip())
    if not found:  # another layout of the same list
        found = {link.get("href").strip(): "" for link in root.iter("a") if link.get("href")}
    return sorted(found.items(), key=lambda each: _part(each[0]))[:MAX_PARTS]


def is_apparatus(name: str) -> bool:
    """Whether a file of a Formex manifestation is its notice or table of contents, without text of the act."""
    return re.search(r"\.(?:doc|toc)(?:\.fmx)?\.xml$", name, re.I) is not None


def is_challenge(answer: Answer) -> bool:
    """Whether a web application firewall answered in the server's place: 202, its header, or its script in a page."""
    if answer.status == 202 or "x-amzn-waf-action" in answer.headers:
        return True
    is_page = answer.mime in ("", "text/html", "application/xhtml+xml") and len(answer.body) < _SMALL
    return is_page and _CHALLENGE.search(answer.body[:_LOOK]) is not None


def does_not_exist(answer: Answer) -> bool:
    """Whether a page says, with any status, that there is no such document: a short one, for acts may quote it."""
    if answer.mime not in ("", "text/html", "application/xhtml+xml"):
        return False
    text = _TAGS.sub(" ", answer.body[:_SMALL].decode("utf-8", "replace"))
    text = " ".join(text.split())
    return len(text) < _SHORT and len(answer.body) < _SMALL and _UNKNOWN.search(text) is not None
