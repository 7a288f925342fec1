"""Articles in the records of a repository: what is known of one, where its files are, whether they may be fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Literal

from lxml import etree

from extractors import oai_dc
from extractors.blocks import name_of, names
from extractors.markup import extract_xml, parse_xml, remove
from harvesters.oai.protocol import Item, moment
from harvesters.pages.urls import split

Content = Literal["pdf", "xml", "html"]
MAX_FILES = 20
"""Files of one article that are asked for."""
_SHORT = 500
_ENDINGS: dict[str, Content] = {".pdf": "pdf", ".xml": "xml", ".html": "html", ".htm": "html"}
_FULL_TEXT = names("corps partiesann body back floats-group sub-article response")
"""What of an article's XML is more than metadata: Érudit's and JATS'."""
_RESERVED = re.compile(r"all rights reserved|tous droits r[ée]serv[ée]s|todos los derechos reservados", re.I)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Article:
    """What a record says of an article."""

    labels: Mapping[str, str]
    """doi, erudit_id, language, licence, rights, access, journal and datestamp, as far as they are known."""
    links: tuple[str, ...]
    """Addresses that the record names: the article's page, its files, and others."""
    licences: tuple[str, ...]
    reserved: bool
    """Whether all rights are reserved in words."""
    embargo: date | None
    """The last day on which it may not be read."""
    full: bytes
    """The metadata as the repository has it, XML."""
    bare: bytes
    """The same without a text of the article in it."""


def article(item: Item) -> Article | None:
    """What a record says of an article; None where it has no metadata. Dublin Core, EruditArticle, JATS."""
    if item.metadata is None:
        return None
    full = etree.tostring(item.metadata, encoding="utf-8", xml_declaration=True, with_tail=False)
    if oai_dc.recognises(item.metadata):
        found = oai_dc.extract_tree(item.metadata)
        links, bare = oai_dc.links(item.metadata), full
    else:
        # Extractors change the trees that they read.
        found, tree = extract_xml(full), parse_xml(full)
        links = _links(tree)
        remove([node for node in tree if name_of(node) in _FULL_TEXT])
        bare = etree.tostring(tree, encoding="utf-8", xml_declaration=True)
    meta = found.meta
    licences = meta.get("licences") or [meta[key] for key in ("licence",) if meta.get(key)]
    rights = str(meta.get("rights") or "")
    embargo = moment(meta.get("embargo"))
    return Article(
        labels=_labels(item, meta, found.language),
        links=tuple(links),
        licences=tuple(licences or oai_dc.licences(rights)),
        reserved=bool(_RESERVED.search(rights)),
        embargo=embargo.date() if embargo else None,
        full=full,
        bare=bare,
    )


def _labels(item: Item, meta: Mapping[str, Any], language: str | None) -> dict[str, str]:
    """Labels of the article's documents: short, and on one line."""
    number = meta.get("erudit_id")
    if not number and item.identifier.startswith("oai:erudit.org:"):
        number = item.identifier.rpartition(":")[2]
    known = {
        "doi": meta.get("doi"), "erudit_id": number, "language": language, "licence": meta.get("licence"),
        "rights": meta.get("rights"), "access": meta.get("access"), "journal": meta.get("journal"),
        "datestamp": item.datestamp,
    }  # fmt: skip
    return {key: label(str(value)) for key, value in known.items() if value}


def label(text: str) -> str:
    """A text as a value of a header field: one line, short."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:_SHORT]


def _links(tree: Any) -> list[str]:
    """Addresses of the forms of a JATS article (`self-uri`), and by its DOI's neighbours nothing else."""
    found = [node.get("{http://www.w3.org/1999/xlink}href") or "" for node in tree.iter("{*}self-uri")]
    return list(dict.fromkeys(link.strip() for link in found if link.strip().startswith("http")))


def refusal(found: Article, allowed: Sequence[str], unlicensed: bool, today: date) -> str | None:
    """Why the files of an article may not be fetched, in a few words; None if they may.

    `allowed`: patterns of licences (`creativecommons.org/licenses/*`), of which all that an article names must match
    one. `unlicensed`: whether articles without a licence, or with all rights reserved, may be fetched all the same.
    """
    if found.embargo and found.embargo >= today:
        return "embargo"
    if found.labels.get("access") == "restricted" and not found.embargo:
        return "restricted access"
    if found.licences:
        return None if all(permits(licence, allowed) for licence in found.licences) else "licence does not permit"
    if unlicensed:
        return None
    return "all rights reserved" if found.reserved else "no licence"


def permits(licence: str, allowed: Sequence[str]) -> bool:
    """Whether a licence's address matches a pattern; schemes, `www.` and case are passed over."""
    return any(fnmatchcase(_bare(licence), _bare(pattern)) for pattern in allowed)


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", address.strip().lower())


def within(url: str, hosts: Sequence[str]) -> bool:
    """Whether a URL is one of the hosts' or of their subdomains'."""
    parts = split(url)
    return parts is not None and any(parts.host == host or parts.host.endswith(f".{host}") for host in hosts)


def form_of(url: str) -> Content | None:
    """What a URL leads to by the ending of its path; None for an article's page."""
    parts = split(url)
    path = parts.path.lower() if parts else ""
    return next((form for ending, form in _ENDINGS.items() if path.endswith(ending)), None)


_META = re.compile(rb"<meta\s[^<>]{0,2000}>", re.I)
_ATTRIBUTE = re.compile(rb"(?<![a-z-])([a-z-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')", re.I)
_CITATIONS: dict[bytes, Content] = {b"citation_pdf_url": "pdf", b"citation_xml_url": "xml"}


def files_of_page(url: str, page: bytes, number: str | None) -> dict[Content, str]:
    """Files of an article by its page: as the page says (`citation_pdf_url`), else as Érudit names them.

    `number`: the article's at Érudit, with which the page's address must end for that: `.../1033512ar/` has its files
    at `.../1033512ar.pdf` and `.../1033512ar.xml`.
    """
    found: dict[Content, str] = {}
    for tag in _META.findall(page[: 256 << 10]):
        said = {name.lower(): (double or single) for name, double, single in _ATTRIBUTE.findall(tag)}
        form = _CITATIONS.get(said.get(b"name", b"").lower())
        if form and said.get(b"content"):
            found.setdefault(form, said[b"content"].decode("utf-8", "replace").replace("&amp;", "&").strip())
    parts = split(url)
    if number and parts is not None and parts.query is None and parts.path.rstrip("/").endswith(f"/{number}"):
        base = str(parts._replace(path=parts.path.rstrip("/")))
        for form in ("pdf", "xml"):
            found.setdefault(form, f"{base}.{form}")  # type: ignore[arg-type]
    return found
