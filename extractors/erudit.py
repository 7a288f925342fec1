"""EruditArticle XML, the format of the Érudit platform of scholarly journals.

The text follows the printed article: title, subtitle and the abstracts in the article's own language, then
the body, the appendices, thanks, notes and references. Titles, abstracts and keywords in other languages are
in `meta` only: a text is to be in one language, and a corpus is not to hold the same abstract in three.
Numbers of paragraphs (the platform's, not the author's), identifiers added to references, and the searchable
text behind images are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from extractors import scholarly
from extractors.blocks import Element, Layout, block_text, name_of, names
from extractors.markup import EXTRACTOR, MarkupError, damage, parse_xml, primary_subtag, remove
from extractors.record import Extract

_LAYOUT = Layout(
    inline=names("exposant indice liensimple marquage renvoi"),
    block=names("alinea bloccitation encadre equation figure listenonord listeord tableau verbatim"),
    spaced=names("autreprenom nomfamille nomorg prefixe prenom suffixe"),
    lead=frozenset({"no"}),
    verbatim=frozenset({"texte"}),
)
_LABEL = replace(_LAYOUT, drop=frozenset({"renvoi"}))
"""Titles and names as they are cited: without calls of notes."""
_Piece = tuple[str, list[scholarly.Section]]
"""Text and its parts."""
_KINDS = {
    **dict.fromkeys(("section1", "section2", "section3", "section4", "section5", "section6", "merci"), "section"),
    "annexe": "annex", "note": "note", "biblio": "references",
}  # fmt: skip
_HEADINGS = names("no titre")
_ANNEXES = ("grannexe", "merci", "grnotebio", "grnote", "grbiblio")
"""The parts after the body, in the order of a printed article."""


def recognises(root: Element) -> bool:
    """Whether a tree is an EruditArticle, with or without namespace."""
    if name_of(root) != "article":
        return False
    parts = {name_of(child) for child in root}
    return "www.erudit.org/xsd/article" in str(root.tag) or bool(parts & {"liminaire", "corps", "partiesann"})


def extract(payload: bytes) -> Extract:
    """Text, title, authors, year and language of an article.

    `meta`: `titles`, `subtitles` and `abstracts` {language: str}, `keywords` {language: [str]}, `journal`,
    `volume`, `issue`, `year`, `doi`, `erudit_id`, `rights`, `licence` where present; `body`, whether there is
    a body (else the text is the title and all abstracts); `ocr`, where the body is uncorrected recognised
    text. An article without declared language counts as French. Never raises.
    """
    try:
        root = parse_xml(payload)
        if not recognises(root):
            raise MarkupError(f"not an EruditArticle: root element `{name_of(root)}`")
    except MarkupError as error:
        return Extract(extractor=EXTRACTOR, error=str(error))
    return extract_tree(root)


def extract_tree(root: Element) -> Extract:
    """As `extract`, of a tree that is recognised, which is changed."""
    _prune(root)
    language = primary_subtag(root.get("lang"))
    meta = _meta(root, language or "fr")
    title = _title(root)
    counts: Counter[str] = Counter()
    body = [_parts(node, counts) for node in _all(root, "corps")]
    meta["body"] = any(text for text, _ in body)
    if meta["body"] and all(name_of(node) == "texte" for node in _all(root, "corps/*")):
        meta["ocr"] = True
    repaired = damage(root)
    if repaired:
        meta["repaired"] = repaired
    abstracts = meta.get("abstracts", {})
    own = [abstracts[language or "fr"]] if (language or "fr") in abstracts else []
    pieces: list[_Piece] = [(title, [(0, "title", "tit_1", title.replace("\n", " "))])]
    pieces += [(text, [(0, "abstract", None, None)]) for text in (own if meta["body"] else abstracts.values())]
    text, sections = _joined([*pieces, *body, *(_parts(group, counts) for group in _annexes(root, language))])
    return Extract(
        text=text,
        title=title.replace("\n", " ") or None,
        authors=_authors(root),
        date=meta.get("year"),
        language=language,
        sections=sections,
        extractor=EXTRACTOR,
        meta=meta,
    )


def _parts(node: Element, counts: Counter[str]) -> _Piece:
    return scholarly.parts(node, _LAYOUT, _KINDS, _HEADINGS, counts)


def _joined(pieces: list[_Piece]) -> _Piece:
    """Texts one below the other, and their sections."""
    sections: list[scholarly.Section] = []
    start = 0
    kept = [(text, found) for text, found in pieces if text]
    for text, found in kept:
        sections += [(start + at, kind, anchor, heading) for at, kind, anchor, heading in found]
        start += len(text) + 1
    return "\n".join(text for text, _ in kept), sections


def printed_text(root: Element) -> str:
    """Everything of an article that a reader of its printed page sees, in every language."""
    _prune(root)
    front = [_text(node) for node in _all(root, "liminaire/*")]
    rest = [_text(node) for node in (*_all(root, "corps"), *_annexes(root, None))]
    return "\n".join(part for part in (*front, *rest) if part)


def _prune(root: Element) -> None:
    """Take out what is not printed."""
    hidden = []
    for node in root.iter("{*}no", "{*}idpublic", "{*}texte"):
        parent = name_of(node.getparent()) if node.getparent() is not None else ""
        if (name_of(node), parent) in {("no", "para"), ("idpublic", "refbiblio"), ("texte", "objetmedia")}:
            hidden.append(node)
    remove(hidden)


def _all(node: Element, path: str) -> list[Element]:
    """Elements at a path of local names below `node`; `*` stands for any element."""
    nodes = [node]
    for step in path.split("/"):
        nodes = [child for parent in nodes for child in parent if step in ("*", name_of(child)) and name_of(child)]
    return nodes


def _text(node: Element) -> str:
    return block_text(node, _LAYOUT)


def _line(node: Element) -> str:
    return block_text(node, _LABEL).replace("\n", " ")


def _first(root: Element, *paths: str) -> str | None:
    lines = (_line(node) for path in paths for node in _all(root, path))
    return next(filter(None, lines), None)


def _title(root: Element) -> str:
    """Title and subtitle on two lines; a review has the works reviewed for a title, a column its heading."""
    group = "liminaire/grtitre/"
    title = _first(root, group + "titre")
    if not title:
        works = [_line(node) for node in _all(root, group + "trefbiblio")]
        title = "\n".join(filter(None, works)) or _first(root, group + "surtitre")
    return "\n".join(filter(None, (title, _first(root, group + "sstitre"))))


def _annexes(root: Element, language: str | None) -> Iterator[Element]:
    """The parts after the body; notes on the authors only in `language` where one is given."""
    groups = _all(root, "partiesann/*")
    groups.sort(key=lambda node: _ANNEXES.index(name_of(node)) if name_of(node) in _ANNEXES else -1)
    for group in groups:
        if name_of(group) == "grnotebio" and language:
            others = [note for note in _all(group, "notebio") if _is_foreign(note, language)]
            remove(others)
            if not _all(group, "notebio"):
                continue
        yield group


def _is_foreign(node: Element, language: str) -> bool:
    return primary_subtag(node.get("lang")) not in (None, language)


def _authors(root: Element) -> list[str]:
    people = [_first(node, "nompers", "nomorg") for node in _all(root, "liminaire/grauteur/auteur")]
    return list(dict.fromkeys(filter(None, people)))


def _by_language(nodes: Iterable[Element], language: str) -> Iterator[tuple[str, Element]]:
    for node in nodes:
        yield primary_subtag(node.get("lang")) or language, node


def _meta(root: Element, language: str) -> dict[str, Any]:
    """Facts of the article; empty ones are left out."""
    titles: dict[str, str] = {}
    subtitles: dict[str, str] = {}
    abstracts: dict[str, str] = {}
    keywords: dict[str, list[str]] = {}
    group = "liminaire/grtitre/"
    for code, node in _by_language(_all(root, group + "titre") + _all(root, group + "titreparal"), language):
        titles.setdefault(code, _line(node))
    for code, node in _by_language(_all(root, group + "sstitre") + _all(root, group + "sstitreparal"), language):
        subtitles.setdefault(code, _line(node))
    for code, node in _by_language(_all(root, "liminaire/resume"), language):
        paragraphs = [_text(child) for child in _all(node, "*") if name_of(child) != "titre"]
        abstracts.setdefault(code, "\n".join(filter(None, paragraphs)))
    for code, node in _by_language(_all(root, "liminaire/grmotcle"), language):
        words = keywords.setdefault(code, [])
        words.extend(filter(None, map(_line, _all(node, "motcle"))))
    rights = _all(root, "admin/droitsauteur")
    identifiers = [node for node in _all(root, "admin/infoarticle/idpublic") if node.get("scheme") == "doi"]
    year = _first(root, "admin/numero/pub/annee", "admin/numero/pubnum/date", "admin/droitsauteur/annee")
    meta = {
        "titles": {code: text for code, text in titles.items() if text},
        "subtitles": {code: text for code, text in subtitles.items() if text},
        "abstracts": {code: text for code, text in abstracts.items() if text},
        "keywords": {code: words for code, words in keywords.items() if words},
        "journal": _first(root, "admin/revue/titrerev"),
        "volume": _first(root, "admin/numero/volume"),
        "issue": _first(root, "admin/numero/nonumero"),
        "year": _year(year),
        "doi": next(filter(None, map(_line, identifiers)), None),
        "erudit_id": root.get("idproprio"),
        "rights": " ".join(filter(None, map(_line, rights))),
        "licence": _licence(rights),
    }
    return {key: value for key, value in meta.items() if value}


def _year(text: str | None) -> str | None:
    match = re.search(r"\b(1[5-9]|20)\d\d\b", text or "")
    return match[0] if match else None


def _licence(rights: list[Element]) -> str | None:
    """Address of the licence that the statement of rights links to."""
    for statement in rights:
        for link in statement.iter("{*}liensimple"):
            address = link.get("{http://www.w3.org/1999/xlink}href")
            if address and "licen" in address:
                return str(address)
    return None
