"""JATS XML, the format of scholarly journals at PubMed Central, SciELO and many publishers.

The text follows the printed article: title, subtitle and the abstract in the article's own language, then body and
back matter. Titles, abstracts and keywords in other languages, and translations of the article, are in `meta` only: a
text is to be in one language.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from extractors import scholarly
from extractors.blocks import Element, block_text, name_of, names
from extractors.footnotes import leave_number, put_number
from extractors.markup import EXTRACTOR, XML_LAYOUT, damage, primary_subtag, remove
from extractors.record import Extract

_LAYOUT = replace(XML_LAYOUT, drop=XML_LAYOUT.drop - {"tex-math"} | names("annotation annotation-xml"))
_LABEL = replace(_LAYOUT, drop=_LAYOUT.drop | names("fn label xref"))
"""Titles and names as they are cited: without calls of notes."""
_HEADINGS = names("article-title label subtitle title")
_KINDS = {
    "title-group": "title", "abstract": "abstract", "sec": "section", "ack": "section", "app": "annex", "fn": "note",
    "ref-list": "references",
}  # fmt: skip
_META = "front/article-meta/"
_FRONT = names("title-group abstract")
"""What of the front matter is printed text in the article's language."""
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_HREF = "{http://www.w3.org/1999/xlink}href"
_TRANSLATED = names("translation")
_PUBLISHED = ("pub", "epub", "epub-ppub", "ppub", "collection")
"""Kinds of publication dates, the first one first."""


def recognises(root: Element) -> bool:
    """Whether a tree is a JATS article (or of the NLM formats before it)."""
    if name_of(root) != "article":
        return False
    return any(name_of(child) in ("front", "body", "back", "sub-article", "processing-meta") for child in root)


def extract_tree(root: Element) -> Extract:
    """Text, parts, title, authors, date and language of an article.

    `meta`: `titles`, `subtitles` and `abstracts` {language: str}, `keywords` {language: [str]}, `journal`, `volume`,
    `issue`, `year`, `doi`, `rights`, `licence` where present; `translations`, the languages of translations that come
    with it; `body`, whether there is a body. An article without declared language counts as English, the default of
    the format. The tree is changed.
    """
    language = primary_subtag(root.get(_LANG))
    meta, authors, date = _meta(root, language or "en"), _authors(root), _date(root)
    titles = (_first(root, _META + "title-group/" + part) for part in ("article-title", "subtitle"))
    title = " ".join(filter(None, titles)) or None
    repaired = damage(root)
    _prune(root, language or "en")
    _move_notes(root)
    text, sections = scholarly.parts(root, _LAYOUT, _KINDS, _HEADINGS, Counter())
    meta["body"] = any(name_of(node) == "body" and bool(block_text(node, _LAYOUT)) for node in root)
    return Extract(
        text=text,
        title=title,
        authors=authors,
        date=date,
        language=language,
        sections=sections,
        extractor=EXTRACTOR,
        meta={"root": "article"} | meta | ({"repaired": repaired} if repaired else {}),
    )


def _all(node: Element, path: str) -> list[Element]:
    """Elements at a path of local names below `node`."""
    nodes = [node]
    for step in path.split("/"):
        nodes = [child for parent in nodes for child in parent if name_of(child) == step]
    return nodes


def _line(node: Element) -> str:
    return block_text(node, _LABEL).replace("\n", " ").strip(" *†‡")


def _first(root: Element, *paths: str) -> str | None:
    lines = (_line(node) for path in paths for node in _all(root, path))
    return next(filter(None, lines), None)


def _authors(root: Element) -> list[str]:
    """Authors in order, given names before surnames; editors and translators are none."""
    people = []
    for contributor in _all(root, _META + "contrib-group/contrib"):
        if (contributor.get("contrib-type") or "author").startswith(("author", "collab", "group")):
            people.append(_person(contributor))
    return list(dict.fromkeys(filter(None, people)))


def _person(contributor: Element) -> str | None:
    for name in _all(contributor, "name") + _all(contributor, "name-alternatives/name"):
        parts = [_first(name, part) for part in ("given-names", "surname", "suffix")]
        return " ".join(filter(None, parts)) or None
    return _first(contributor, "string-name", "name-alternatives/string-name", "collab")


def _date(root: Element) -> str | None:
    """Day, else year, of the first publication."""
    dates = sorted(_all(root, _META + "pub-date"), key=_rank)
    found = [date for date in map(_day, dates) if date]
    year = found[0][:4] if found else None
    return next((date for date in found if len(date) == 10 and date[:4] == year), year)


def _rank(node: Element) -> int:
    kind = node.get("date-type") or node.get("pub-type") or ""
    return _PUBLISHED.index(kind) if kind in _PUBLISHED else len(_PUBLISHED)


def _day(node: Element) -> str | None:
    iso = re.match(r"\d{4}-\d\d-\d\d\b", node.get("iso-8601-date") or "")
    if iso:
        return iso[0]
    year, month, day = (_first(node, part) or "" for part in ("year", "month", "day"))
    if not re.fullmatch(r"1[5-9]\d\d|20\d\d", year):
        return None
    if month.isdecimal() and day.isdecimal() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
        return f"{year}-{int(month):02}-{int(day):02}"
    return year


def _meta(root: Element, language: str) -> dict[str, Any]:
    """Facts of the article and of its translations; empty ones are left out."""
    facts: dict[str, dict[str, Any]] = {"titles": {}, "subtitles": {}, "abstracts": {}, "keywords": {}}
    _add_texts(facts, root, language)
    translations = []
    for other in _all(root, "sub-article"):
        code = primary_subtag(other.get(_LANG))
        if other.get("article-type") in _TRANSLATED and code and code != language:
            translations.append(code)
            _add_texts(facts, other, code)
    licences = _all(root, _META + "permissions/license")
    date = _date(root)
    meta = {
        **{name: {code: value for code, value in texts.items() if value} for name, texts in facts.items()},
        "journal": _first(
            root, "front/journal-meta/journal-title-group/journal-title", "front/journal-meta/journal-title"
        ),
        "volume": _first(root, _META + "volume"),
        "issue": _first(root, _META + "issue"),
        "year": date[:4] if date else None,
        "doi": next(
            (_line(node) for node in _all(root, _META + "article-id") if node.get("pub-id-type") == "doi"), None
        ),
        "rights": _first(root, _META + "permissions/copyright-statement"),
        "licence": next(filter(None, map(_licence, licences)), None),
        "translations": translations,
    }
    return {key: value for key, value in meta.items() if value}


def _add_texts(facts: dict[str, dict[str, Any]], article: Element, language: str) -> None:
    """Titles, abstracts and keywords of an article or of a translation, the first one of each language."""
    for path in ("front/article-meta/", "front-stub/"):
        groups = [(language, group) for group in _all(article, path + "title-group")]
        for group in _all(article, path + "title-group/trans-title-group"):
            groups.append((_code(group, language), group))
        for code, group in groups:
            for name, found in (
                ("titles", _first(group, "article-title", "trans-title")),
                ("subtitles", _first(group, "subtitle", "trans-subtitle")),
            ):
                if found:
                    facts[name].setdefault(code, found)
        for node in _all(article, path + "abstract") + _all(article, path + "trans-abstract"):
            if not node.get("abstract-type"):
                parts = [block_text(part, _LAYOUT) for part in node if name_of(part) not in ("", "title", "label")]
                facts["abstracts"].setdefault(_code(node, language), "\n".join(filter(None, parts)))
        for node in _all(article, path + "kwd-group"):
            words = facts["keywords"].setdefault(_code(node, language), [])
            words.extend(filter(None, (_line(word) for word in node if name_of(word) not in ("", "title", "label"))))


def _code(node: Element, language: str) -> str:
    return primary_subtag(node.get(_LANG)) or language


def _licence(node: Element) -> str | None:
    """Address of a licence: its own, else the first that it names."""
    if node.get(_HREF):
        return str(node.get(_HREF))
    for link in node.iter("{*}license_ref", "{*}ext-link", "{*}uri"):
        address = link.get(_HREF) or (link.text or "").strip()
        if address.startswith("http"):
            return str(address)
    return None


def _prune(root: Element, language: str) -> None:
    """Take out what describes the article, what is in another language, and second versions of one thing."""
    gone = _second_versions(root) + _all(root, "front/journal-meta")
    for node in _all(root, "front/article-meta") + _all(root, "sub-article/front-stub"):
        gone += [child for child in node if name_of(child) and not _is_text(child, language)]
    gone += _all(root, _META + "title-group/trans-title-group")
    for node in _all(root, "sub-article") + _all(root, "response"):
        if node.get("article-type") in _TRANSLATED or _code(node, language) != language:
            gone.append(node)
    remove(gone)


def _second_versions(root: Element) -> list[Element]:
    """References in parts where they are also given as printed, and formulas in TeX where they are in MathML."""
    found = []
    for node in root.iter("{*}ref", "{*}citation-alternatives", "{*}alternatives"):
        inside = {name_of(child) for child in node}
        second = "element-citation" if "mixed-citation" in inside else "tex-math" if "math" in inside else None
        found += [child for child in node if second and name_of(child) == second]
    return found


def printed_text(root: Element) -> str:
    """Everything of an article that a reader of its printed page sees, in every language."""
    remove(_second_versions(root))
    return block_text(root, XML_LAYOUT)


def _is_text(node: Element, language: str) -> bool:
    return name_of(node) in _FRONT and _code(node, language) == language


def _move_notes(root: Element) -> None:
    """Put footnotes that stand in a sentence after the body, and leave their labels in their places.

    Notes of tables stay, and are no parts of the article: what follows them is text again.
    """
    for node in root.iter("{*}table-wrap-foot"):
        for note in node.iter("{*}fn"):
            note.tag = "table-note"
    count = 0
    for node in list(root.iter("{*}fn")):
        parent = node.getparent()
        if parent is None or name_of(parent) not in ("p", "td", "th", "title", "article-title", "sup", "xref"):
            continue
        count += 1
        label = next((child for child in node if name_of(child) == "label"), None)
        leave_number(node, _line(label) if label is not None else str(count))
        if label is None:
            put_number(node, str(count))
        home = next((part for part in root if name_of(part) == "body"), root)
        home.append(node)
