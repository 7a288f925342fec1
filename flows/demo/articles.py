"""Invented scholarly articles, French or English with the other language beside: EruditArticle XML and PDF."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flows.demo.typeset import Block, Layout, typeset

_NAMESPACE = "http://www.erudit.org/xsd/article"
_PAPER = (481.9, 680.3)  # 17 x 24 cm, common among journals
_WORDS = {
    "fr": {"abstract": "Résumé", "keywords": "Mots-clés", "references": "Références"},
    "en": {"abstract": "Abstract", "keywords": "Keywords", "references": "References"},
}


def load() -> list[dict[str, Any]]:
    """The articles as written down, one table each; keys as in `texts/articles.toml`."""
    text = (files("flows.demo") / "texts" / "articles.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["article"])


def xml(article: dict[str, Any]) -> str:
    """The article as EruditArticle 3.0.0."""
    sections = "\n".join(_section(number, section) for number, section in enumerate(article["section"], 1))
    language = article["language"]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<article xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}/3.0.0/eruditarticle.xsd" qualtraitement="complet"'
        f' idproprio="{article["id"]}" typeart="article" lang="{language}" ordseq="1">\n'
        f"{_admin(article)}\n{_front(article)}\n<corps>\n{sections}\n</corps>\n{_back(article)}\n</article>\n"
    )


def _tag(name: str, text: str, **attributes: str) -> str:
    marks = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{marks}>{escape(text)}</{name}>"


def _admin(article: dict[str, Any]) -> str:
    year = str(article["year"])
    first, last = article["pages"]
    return (
        f"<admin><infoarticle>{_tag('idpublic', '10.5555/' + article['id'], scheme='doi')}"
        f"<pagination>{_tag('ppage', str(first))}{_tag('dpage', str(last))}</pagination></infoarticle>"
        f'<revue id="demo" lang="fr en">{_tag("titrerev", article["journal"])}</revue>'
        f"<numero>{_tag('volume', str(article['volume']))}{_tag('nonumero', str(article['number']))}"
        f"<pub>{_tag('annee', year)}</pub>"
        f"<pubnum>{_tag('date', year + '-05-01', typedate='publication')}</pubnum></numero>"
        f"<editeur>{_tag('nomorg', 'Presses de la démonstration')}</editeur>"
        '<schema nom="Erudit Article" version="3.0.0" lang="fr"/>'
        f"<droitsauteur>Texte inventé pour une démonstration, {year}</droitsauteur></admin>"
    )


def _front(article: dict[str, Any]) -> str:
    language = article["language"]
    other = "en" if language == "fr" else "fr"
    parts = ["<liminaire><grtitre>", _tag("titre", article["title"][language])]
    if subtitle := article.get("subtitle"):
        parts.append(_tag("sstitre", subtitle))
    parts += [_tag("titreparal", article["title"][other], lang=other), "</grtitre>\n<grauteur>"]
    for number, (first, last, place) in enumerate(article["authors"], 1):
        name = f"<nompers>{_tag('prenom', first)}{_tag('nomfamille', last)}</nompers>"
        parts.append(f'<auteur id="au{number}">{name}<affiliation>{_tag("alinea", place)}</affiliation></auteur>')
    parts.append("</grauteur>")
    for code in (language, other):
        parts.append(
            f'\n<resume typeresume="resume" lang="{code}">{_tag("alinea", article["abstract"][code])}</resume>'
        )
    for code in (language, other):
        words = "".join(_tag("motcle", word) for word in article["keywords"][code])
        parts.append(f'\n<grmotcle lang="{code}">{words}</grmotcle>')
    return "".join([*parts, "</liminaire>"])


def _section(number: int, section: dict[str, str]) -> str:
    lines = [f'<section1 id="s1n{number}">{_tag("no", str(number))}{_tag("titre", section["title"])}']
    for position, text in enumerate(_paragraphs(section), 1):
        marked = re.sub(r"\[\^(\d+)\]", r'<renvoi id="re1no\1" idref="no\1" typeref="note">\1</renvoi>', escape(text))
        lines.append(f'<para id="pa{number}{position}"><alinea>{marked}</alinea></para>')
    return "\n".join([*lines, "</section1>"])


def _paragraphs(section: dict[str, str]) -> list[str]:
    return section["text"].strip().split("\n\n")


def _back(article: dict[str, Any]) -> str:
    language = article["language"]
    notes = "".join(
        f'<note id="no{n}">{_tag("no", str(n))}{_tag("alinea", text)}</note>'
        for n, text in enumerate(article["notes"], 1)
    )
    references = "\n".join(_tag("refbiblio", text, id=f"rb{n}") for n, text in enumerate(article["references"], 1))
    return (
        f'<partiesann lang="{language}"><grnote>{notes}</grnote>\n'
        f"<grbiblio><biblio>{_tag('titre', _WORDS[language]['references'])}\n{references}\n"
        "</biblio></grbiblio></partiesann>"
    )


def pdf(article: dict[str, Any]) -> bytes:
    """The same article typeset; notes stand at the foot of the page that calls for them."""
    language = article["language"]
    other = "en" if language == "fr" else "fr"
    lead = [Block("title", article["title"][language])]
    if subtitle := article.get("subtitle"):
        lead.append(Block("centre", subtitle))
    lead.append(Block("centre", article["title"][other]))
    lead += [Block("centre", f"{first} {last}, {place}") for first, last, place in article["authors"]]
    for code in (language, other):
        lead.append(Block("small", f"{_WORDS[code]['abstract']}. {article['abstract'][code]}"))
        lead.append(Block("small", f"{_WORDS[code]['keywords']}: {', '.join(article['keywords'][code])}"))
    blocks = []
    for number, section in enumerate(article["section"], 1):
        blocks.append(Block("heading", f"{number}. {section['title']}"))
        for text in _paragraphs(section):
            blocks.append(Block("paragraph", text))
            blocks += [Block("note", f"{n}. {article['notes'][int(n) - 1]}") for n in re.findall(r"\[\^(\d+)\]", text)]
    blocks.append(Block("heading", _WORDS[language]["references"]))
    blocks += [Block("small", text) for text in article["references"]]
    heads = (article["journal"], f"vol. {article['volume']}, no {article['number']}, {article['year']}", "{page}")
    return typeset(lead, blocks, Layout(heads, article["columns"], 10.5, article["pages"][0], page=_PAPER))


def write(folder: Path) -> list[dict[str, Any]]:
    """Write `{id}.xml` and `{id}.pdf` into `folder`; returns what is to be expected of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = []
    for article in load():
        name = f"articles/{article['id']}"
        (folder / f"{article['id']}.xml").write_text(xml(article), encoding="utf-8", newline="\n")
        (folder / f"{article['id']}.pdf").write_bytes(pdf(article))
        about = {"language": article["language"], "title": article["title"][article["language"]]}
        planted.append({"file": f"{name}.xml", "kind": "article", "expect": "kept", **about})
        copy = {"expect": "near copy", "why": "the same text typeset", "of": f"{name}.xml"}
        planted.append({"file": f"{name}.pdf", "kind": "article", **copy, **about})
    return planted
