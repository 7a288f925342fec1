"""The works in the CELLAR of the tests, as XHTML, Formex and PDF."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from servers.cellar_texts import FERRIES, TOWERS, Text, short

URI = "http://publications.europa.eu/resource"
ISO = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est", "fi": "fin",
    "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit", "lv": "lav", "mt": "mlt", "nl": "nld",
    "pl": "pol", "pt": "por", "ro": "ron", "sk": "slk", "sl": "slv", "sv": "swe",
}  # fmt: skip
_ARTICLE = {"fr": "Article", "de": "Artikel", "el": "Άρθρο"}
MEDIA = {
    "xhtml": "application/xhtml+xml", "fmx4": "application/xml;type=fmx4", "pdfa2a": "application/pdf;type=pdfa2a",
    "pdfa1a": "application/pdf;type=pdfa1a",
}  # fmt: skip


@dataclass
class File:
    """One item of a manifestation."""

    name: str
    body: bytes
    changed: datetime


@dataclass
class Work:
    """A work with its versions: files by language (BCP 47) and type of manifestation."""

    celex: str
    type: str
    day: str
    modified: datetime
    in_force: bool = True
    directory: str = ""
    eurovoc: str = ""
    corrects: str = ""
    consolidates: str = ""
    versions: dict[str, dict[str, list[File]]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.celex))

    def manifestations(self) -> dict[str, tuple[str, str, list[File]]]:
        """Language, type and files by the end of the URI (`0003.02`)."""
        found = {}
        for expression, (language, types) in enumerate(self.versions.items(), 1):
            for number, (type, files) in enumerate(types.items(), 1):
                found[f"{expression:04}.{number:02}"] = (language, type, files)
        return found


START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def xhtml(celex: str, language: str, text: Text) -> bytes:
    """An act as the Official Journal's XHTML has it, with its classes."""
    title, articles = text
    parts = [f'<p class="oj-doc-ti">{escape(title)}</p>']
    for number, (heading, paragraphs) in enumerate(articles, 1):
        name = f"{_ARTICLE.get(language, 'Article')} {number}"
        parts.append(f'<div id="art_{number}"><p class="oj-ti-art">{name}</p>')
        parts.append(f'<p class="oj-sti-art">{escape(heading)}</p>')
        parts += [f'<p class="oj-normal">{escape(paragraph)}</p>' for paragraph in paragraphs] + ["</div>"]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="{language}">'
        f"<head><title>{celex}</title></head><body>{''.join(parts)}</body></html>"
    ).encode()


def formex(celex: str, language: str, text: Text, day: str) -> bytes:
    """An act in Formex 4."""
    title, articles = text
    parts = []
    for number, (heading, paragraphs) in enumerate(articles, 1):
        name = f"{_ARTICLE.get(language, 'Article')} {number}"
        inner = "".join(f"<ALINEA>{escape(paragraph)}</ALINEA>" for paragraph in paragraphs)
        parts.append(
            f'<ARTICLE IDENTIFIER="{number:03}"><TI.ART>{name}</TI.ART><STI.ART>{escape(heading)}</STI.ART>{inner}'
            "</ARTICLE>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ACT><BIB.INSTANCE><DATE ISO="{day.replace("-", "")}"/>'
        f"<LG.DOC>{language.upper()}</LG.DOC><NO.CELEX>{celex}</NO.CELEX></BIB.INSTANCE><TITLE><TI><P>{escape(title)}"
        f"</P></TI></TITLE><ENACTING.TERMS>{''.join(parts)}</ENACTING.TERMS></ACT>"
    ).encode()


def notice(celex: str) -> bytes:
    """The file beside an act in Formex that has no text of it."""
    return f'<?xml version="1.0"?>\n<DOC><BIB.DOC><NO.CELEX>{celex}</NO.CELEX></BIB.DOC></DOC>'.encode()


def pdf(text: Text) -> bytes:
    """An act as PDF, the same bytes each time."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    title, articles = text
    styles, out = getSampleStyleSheet(), io.BytesIO()
    story = [Paragraph(escape(title), styles["Title"])]
    for number, (heading, paragraphs) in enumerate(articles, 1):
        story.append(Paragraph(f"Article {number}", styles["Heading2"]))
        story += [Paragraph(escape(part), styles["BodyText"]) for part in (heading, *paragraphs)]
    SimpleDocTemplate(out, invariant=1).build(story)
    return out.getvalue()


def works() -> dict[str, Work]:
    """The collection: an act in 24 languages, one in 3, one in 1, a corrigendum, a consolidation, a treaty."""
    towers = {language: TOWERS.get(language) or short(language) for language in ISO}
    big = Work("32019R9901", "REG", "2019-03-04", START, directory="15102050", eurovoc="5482")
    for language, text in towers.items():
        act = File("L_2019900XX.01000101.xml", formex(big.celex, language, text, big.day), START)
        types = {
            "xhtml": [File("L_2019900XX.html", xhtml(big.celex, language, text), START)],
            "fmx4": [File("L_2019900XX.01000101.doc.xml", notice(big.celex), START), act],
        }
        if language in ("en", "fr", "de"):
            types["pdfa2a"] = [File("L_2019900XX.pdf", pdf(text), START)]
        big.versions[language] = types
    small = Work("32020L9902", "DIR", "2020-06-09", START, directory="07204010", eurovoc="4505")
    for language in ("en", "fr"):
        small.versions[language] = {"xhtml": [File("a.html", xhtml(small.celex, language, FERRIES[language]), START)]}
    small.versions["de"] = {"fmx4": [File("a.xml", formex(small.celex, "de", FERRIES["de"], small.day), START)]}
    old = Work("31987D9903", "DEC", "1987-10-01", START, in_force=False, directory="15103010")
    old.versions["fr"] = {"pdfa1a": [File("old.pdf", pdf(FERRIES["fr"]), START)]}
    title, articles = TOWERS["en"]
    correction = Work("32019R9901R(01)", "REG", "2019-05-02", START, corrects=big.celex)
    errata: Text = (f"Corrigendum to {title}", [("Correction", ["For 'six weeks' read 'seven weeks' in Article 2."])])
    correction.versions["en"] = {"xhtml": [File("c.html", xhtml(correction.celex, "en", errata), START)]}
    now = Work("02019R9901-20200701", "CONS_TEXT", "2020-07-01", START, consolidates=big.celex)
    added: Text = (title, [*articles, ("Lamps", ["A lamp burns in the tower's window on the shortest day."])])
    now.versions["en"] = {"xhtml": [File("k.html", xhtml(now.celex, "en", added), START)]}
    treaty = Work("12001Z/TXT", "TREATY", "2001-02-26", START)
    treaty.versions["en"] = {"xhtml": [File("t.html", xhtml(treaty.celex, "en", FERRIES["en"]), START)]}
    printed = Work("52021PC9905", "PROP_REG", "2021-01-15", START)
    printed.versions["en"] = {"print": []}
    return {work.celex: work for work in (big, small, old, correction, now, treaty, printed)}
