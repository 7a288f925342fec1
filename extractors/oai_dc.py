"""Dublin Core as OAI-PMH repositories give it (`oai_dc`, qualified Dublin Core): an article without its text.

The text is the title and the abstract in the article's own language; those in other languages are in `meta` only, as in
the other extractors of articles, so that a text is in one language.
"""

from __future__ import annotations

import re
from typing import Any

from extractors import scholarly
from extractors.blocks import Element, Layout, block_text, name_of, names
from extractors.markup import EXTRACTOR, damage, primary_subtag
from extractors.record import Extract

_LAYOUT = Layout(inline=names("a b em i span strong sub sup"))
_ROOTS = names("dc qualifieddc qdc")
_NAMESPACES = ("openarchives.org/OAI/2.0/oai_dc", "purl.org/dc/", "qualifieddc", "/qdc")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LONGEST = 2_000
"""Characters of an identifier that are read."""
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d{1,9}){0,4}/[^\s\"<>]+", re.I)
_ERUDIT = re.compile(r"/iderudit/([\w.-]{3,80})/?(?:[?#].*)?$")
_JOURNAL = re.compile(r"(.{1,300}?)\s*;\s*(?=(?:vol|no|num|issue)\b|n[°º])(.{1,200})", re.I | re.S)
_VOLUME = re.compile(r"\bvol(?:ume)?\.?\s*([\w-]+)", re.I)
_ISSUE = re.compile(r"\b(?:no|num|issue|n[°º])\.?\s*([\w-]+)", re.I)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d(?:-\d\d(?:-\d\d)?)?\b")
_EMBARGO = re.compile(r"embargoEnd/(\d{4}-\d\d-\d\d)")
_ACCESS = {
    "openaccess": "open", "c_abf2": "open", "embargoedaccess": "restricted", "c_f1cf": "restricted",
    "restrictedaccess": "restricted", "closedaccess": "restricted", "c_16ec": "restricted", "c_14cb": "restricted",
}  # fmt: skip
"""Last parts of the addresses that say who may read: info:eu-repo/semantics/, and COAR's vocabulary."""
_LICENCE = re.compile(r"https?://[^\s\"'<>]{1,300}")
_CODE = re.compile(r"\bCC(?:[ -](BY(?:-NC)?(?:-(?:ND|SA))?)|[ -]?(?:0|Zero))\b(?:[ -]?(\d\.\d))?")
_LICENSING = ("creativecommons.org", "licen", "rightsstatements.org", "opendatacommons.org")


def recognises(root: Element) -> bool:
    """Whether a tree is Dublin Core in a container, as OAI-PMH has it."""
    tag = str(root.tag)
    return name_of(root) in _ROOTS and any(part in tag for part in _NAMESPACES)


def extract_tree(root: Element) -> Extract:
    """Text, title, authors, date and language of a record.

    `meta`: `titles` and `abstracts` {language: str}, `keywords` {language: [str]}, `journal`, `volume`, `issue`,
    `year`, `doi`, `erudit_id`, `rights`, `licence` (URL), `licences` where there are several, `access` (open or
    restricted), `embargo` (its end, as a day) where present; `body`, always false. Texts without `xml:lang` are in the
    record's own language.
    """
    values = _values(root)
    language = next(filter(None, (primary_subtag(text) for text, _ in values.get("language", []))), None)
    meta = _meta(values, language or "und")
    titles, abstracts = meta.get("titles", {}), meta.get("abstracts", {})
    title = titles.get(language or "und") or next(iter(titles.values()), "")
    abstract = abstracts.get(language or "und") or next(iter(abstracts.values()), "")
    sections: list[scholarly.Section] = [(0, "title", "tit_1", title)] if title else []
    if abstract:
        sections.append((len(title) + 1 if title else 0, "abstract", None, None))
    repaired = damage(root)
    return Extract(
        text="\n".join(filter(None, (title, abstract))),
        title=title or None,
        authors=list(dict.fromkeys(_name(text) for text, _ in values.get("creator", []))),
        date=_date(values),
        language=language,
        sections=sections,
        extractor=EXTRACTOR,
        meta={"root": name_of(root), "body": False} | meta | ({"repaired": repaired} if repaired else {}),
    )


def links(root: Element) -> list[str]:
    """Addresses that a record names as its own or as those of its forms, in order, equal ones once."""
    found: list[str] = []
    values = _values(root)
    for name in ("identifier", "hasformat", "relation", "hasversion", "haspart", "source"):
        found += [text for text, _ in values.get(name, []) if re.match(r"https?://\S+$", text)]
    return list(dict.fromkeys(found))


def licences(text: str) -> list[str]:
    """Addresses of the licences that a statement names, by address or by the short names of Creative Commons."""
    found = [address.rstrip(".,;)") for address in _LICENCE.findall(text)]
    found = [address for address in found if any(part in address.lower() for part in _LICENSING)]
    if not found:
        for code, version in _CODE.findall(text):
            kind = f"licenses/{code.lower()}" if code else "publicdomain/zero"
            found.append(f"https://creativecommons.org/{kind}/" + (f"{version}/" if version else ""))
    return found


def _values(root: Element) -> dict[str, list[tuple[str, str | None]]]:
    """Texts with their languages, by lower-case name of element."""
    values: dict[str, list[tuple[str, str | None]]] = {}
    for node in root:
        text = block_text(node, _LAYOUT) if name_of(node) else ""
        if text:
            values.setdefault(name_of(node), []).append((text, primary_subtag(node.get(_LANG))))
    return values


def _meta(values: dict[str, list[tuple[str, str | None]]], own: str) -> dict[str, Any]:
    titles: dict[str, str] = {}
    abstracts: dict[str, str] = {}
    keywords: dict[str, list[str]] = {}
    for text, code in [*values.get("title", []), *values.get("alternative", [])]:
        titles.setdefault(code or own, text.replace("\n", " "))
    for text, code in [*values.get("abstract", []), *values.get("description", [])]:
        abstracts.setdefault(code or own, text)
    for text, code in values.get("subject", []):
        words = keywords.setdefault(code or own, [])
        words.extend(word for part in text.split(";") if (word := " ".join(part.split())) and word not in words)
    date = _date(values)
    meta = {
        "titles": titles, "abstracts": abstracts, "keywords": keywords, "year": date[:4] if date else None,
        **_journal(values), **_identifiers(values), **_rights(values),
    }  # fmt: skip
    return {key: value for key, value in meta.items() if value}


def _journal(values: dict[str, list[tuple[str, str | None]]]) -> dict[str, str | None]:
    """Journal, volume and issue, as Érudit writes them in `relation`: `Name ; vol. 6 no. 2 (2015)`."""
    for text, _ in [*values.get("relation", []), *values.get("source", []), *values.get("ispartof", [])]:
        found = _JOURNAL.match(text)
        if found:
            volume, issue = _VOLUME.search(found[2]), _ISSUE.search(found[2])
            return {
                "journal": found[1].strip(),
                "volume": volume[1] if volume else None,
                "issue": issue[1] if issue else None,
            }
    return {}


def _identifiers(values: dict[str, list[tuple[str, str | None]]]) -> dict[str, str]:
    """DOI and Érudit number of a record's own identifiers; relations may name other articles."""
    found: dict[str, str] = {}
    for text, _ in values.get("identifier", []):
        if doi := _DOI.search(text[:_LONGEST]):
            found.setdefault("doi", doi[0].rstrip(".,;"))
        if number := _ERUDIT.search(text[:_LONGEST]):
            found.setdefault("erudit_id", number[1])
    return found


def _rights(values: dict[str, list[tuple[str, str | None]]]) -> dict[str, Any]:
    """Licences by address, who may read, and statements in words."""
    found: list[str] = []
    statements: list[str] = []
    facts: dict[str, Any] = {}
    for text, _ in [*values.get("license", []), *values.get("rights", []), *values.get("accessrights", [])]:
        if access := _ACCESS.get(text.rstrip("/").rpartition("/")[2].lower()):
            facts.setdefault("access", access)
            continue
        here = licences(text)
        found += here
        if not here or text not in here:
            statements.append(text)
    for text, _ in [*values.get("date", []), *values.get("available", [])]:
        if embargo := _EMBARGO.search(text):
            facts["embargo"] = embargo[1]
    found = list(dict.fromkeys(found))
    if len(found) > 1:
        facts["licences"] = found
    return facts | {"licence": found[0] if found else None, "rights": "\n".join(dict.fromkeys(statements)) or None}


def _date(values: dict[str, list[tuple[str, str | None]]]) -> str | None:
    for text, _ in [*values.get("issued", []), *values.get("date", [])]:
        if not _EMBARGO.search(text) and (found := _YEAR.search(text)):
            return found[0]
    return None


def _name(text: str) -> str:
    """`Begin, Luna` as she signs: given names first."""
    family, comma, given = text.partition(",")
    return f"{given.strip()} {family.strip()}" if comma and given.strip() and "," not in given else text
