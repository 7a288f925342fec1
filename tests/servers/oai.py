"""A repository that speaks OAI-PMH 2.0, with its articles' pages and files beside it, as Érudit has them; all invented.

Tokens, sets, dates, deleted records and errors are the protocol's. What a test wants to go wrong it says by the
attributes of `Repository`; every request is in `Repository.log`.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape, quoteattr

from servers.oai_texts import TOPICS, english, french

OAI = 'xmlns="http://www.openarchives.org/OAI/2.0/"'
DC = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
BY = "https://creativecommons.org/licenses/by/4.0/"
BY_NC_ND = "http://creativecommons.org/licenses/by-nc-nd/4.0/"
SETS = {"erudit.revue.rivages": "Rivages", "erudit.revue.lisieres": "Lisières"}


@dataclass(slots=True)
class Entry:
    """An article of the repository."""

    number: str
    topic: str
    set: str = "erudit.revue.rivages"
    language: str = "fr"
    datestamp: datetime = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
    rights: tuple[str, ...] = (BY,)
    dates: tuple[str, ...] = ("2025",)
    deleted: bool = False
    broken: bool = False
    named: tuple[str, ...] = ()
    """Endings of files that the record names itself; without them its page does."""
    both: bool = False
    """Whether the article is printed in both languages, each in a PDF of its own."""


def entries() -> list[Entry]:
    """The first state of the repository: one article of every kind."""
    topics = list(TOPICS)
    lisieres = "erudit.revue.lisieres"
    return [
        Entry("1099001ar", topics[0]),
        Entry("1099002ar", topics[1], language="en", rights=("CC BY-NC-ND 4.0",), named=(".pdf", ".xml")),
        Entry("1099003ar", topics[2], rights=("Tous droits réservés © Rivages, 2025",)),
        Entry("1099004ar", topics[3], rights=(), set=lisieres),
        Entry("1099005ar", topics[4], set=lisieres, dates=("2025", "info:eu-repo/date/embargoEnd/2099-12-31"),
              rights=(BY, "info:eu-repo/semantics/embargoedAccess")),
        Entry("1099006ar", topics[5], set=lisieres, named=(".pdf",)),
        Entry("1099007ar", topics[6], set=lisieres, broken=True),
        Entry("1099008ar", topics[7], set=lisieres, deleted=True),
        Entry("1099009ar", topics[8], set=lisieres, rights=(BY_NC_ND,), both=True),
    ]  # fmt: skip


@dataclass
class Repository:
    """The ASGI application."""

    entries: dict[str, Entry] = field(default_factory=lambda: {entry.number: entry for entry in entries()})
    now: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    page_size: int = 2
    granularity: str = "YYYY-MM-DDThh:mm:ssZ"
    busy: int = 0
    """Requests of lists that are answered by 503 and Retry-After."""
    expiring: int = 0
    """Tokens that are not known any more."""
    forbidden: tuple[str, ...] = ("/fr/revues/lisieres/2025-v1-n1-lisieres01/1099006ar",)
    lists: Callable[[dict[str, str]], bytes | None] | None = None
    """What answers to ListRecords, by its arguments, in place of the repository."""
    log: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and query, and header fields, of every request."""

    def asked(self, part: str) -> list[str]:
        """Requests of which the path or query holds `part`."""
        return [target for target, _ in self.log if part in target]

    def change(self) -> None:
        """What a month brings: an article is corrected, one is withdrawn, one is new."""
        self.now += timedelta(days=30)
        stamp = self.now - timedelta(days=3)
        first, second = self.entries["1099001ar"], self.entries["1099002ar"]
        self.entries["1099001ar"] = replace(first, datestamp=stamp, topic="village bakeries")
        self.entries["1099002ar"] = replace(second, datestamp=stamp, deleted=True)
        self.entries["1099010ar"] = Entry("1099010ar", "village bakeries", language="en", datestamp=stamp)

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        fields = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.log.append((scope["raw_path"].decode() + (f"?{query}" if query else ""), fields))
        base = f"http://{fields['host']}"
        status, headers, body = self._answer(base, scope["path"], query, fields)
        headers = {"content-length": str(len(body)), **headers}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, base: str, path: str, query: str, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            rules = "".join(f"Disallow: {place}\n" for place in self.forbidden)
            return 200, {"content-type": "text/plain"}, f"User-agent: *\n{rules}".encode()
        if path == "/oai/request":
            given = dict(parse_qsl(query, keep_blank_values=True))
            if self.busy and given.get("verb") == "ListRecords":
                self.busy -= 1
                return 503, {"retry-after": "1"}, b"busy"
            return 200, {"content-type": "text/xml;charset=UTF-8"}, self.oai(base, given)
        return self._site(base, path, fields)

    # OAI-PMH

    def oai(self, base: str, given: dict[str, str]) -> bytes:
        """An answer of the protocol."""
        match given.get("verb"):
            case "Identify":
                return self._oai(base, given, self._identify(base))
            case "ListSets":
                sets = "".join(f"<set><setSpec>{k}</setSpec><setName>{v}</setName></set>" for k, v in SETS.items())
                return self._oai(base, given, f"<ListSets>{sets}</ListSets>")
            case "ListMetadataFormats":
                formats = "<metadataFormat><metadataPrefix>oai_dc</metadataPrefix></metadataFormat>"
                return self._oai(base, given, f"<ListMetadataFormats>{formats}</ListMetadataFormats>")
            case "ListRecords":
                made = self.lists(given) if self.lists else None
                return made if made is not None else self._oai(base, given, self._list(base, given))
            case "GetRecord":
                entry = self.entries.get(given.get("identifier", "").rpartition(":")[2])
                inside = f"<GetRecord>{self._record(base, entry)}</GetRecord>" if entry else ""
                return self._oai(base, given, inside or error("idDoesNotExist", "no such record"))
        return self._oai(base, given, error("badVerb", "Illegal OAI verb"))

    def _oai(self, base: str, given: dict[str, str], inside: str) -> bytes:
        arguments = "".join(f" {name}={quoteattr(value)}" for name, value in given.items())
        return page(inside, f"{self.now:%Y-%m-%dT%H:%M:%SZ}", f"<request{arguments}>{base}/oai/request</request>")

    def _identify(self, base: str) -> str:
        return (
            f"<Identify><repositoryName>Invented</repositoryName><baseURL>{base}/oai/request</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>a@example.org</adminEmail>"
            "<earliestDatestamp>2011-06-03T00:00:00Z</earliestDatestamp><deletedRecord>transient</deletedRecord>"
            f"<granularity>{self.granularity}</granularity></Identify>"
        )

    def _stamp(self, when: datetime) -> str:
        return f"{when:%Y-%m-%dT%H:%M:%SZ}" if "hh" in self.granularity else f"{when:%Y-%m-%d}"

    def _list(self, base: str, given: dict[str, str]) -> str:
        start = 0
        if token := given.get("resumptionToken"):
            if set(given) != {"verb", "resumptionToken"}:
                return error("badArgument", "resumptionToken is an exclusive argument")
            # As some repositories write them, with all that a URL has a meaning for.
            kind, set_, since, until, at = (token.split("&/+ =%é", 4) + [""] * 4)[:5]
            if kind != "oai_dc" or not at.isdigit() or self.expiring:
                self.expiring = max(self.expiring - 1, 0)
                return error("badResumptionToken", "The token has expired")
            start = int(at)
        else:
            if given.get("metadataPrefix") != "oai_dc":
                code = "cannotDisseminateFormat" if "metadataPrefix" in given else "badArgument"
                return error(code, "no such format")
            set_, since, until = (given.get(name, "") for name in ("set", "from", "until"))
            if any(value and len(value) != len(self._stamp(self.now)) for value in (since, until)):
                return error("badArgument", "granularity")
        found = [entry for entry in self.entries.values() if not set_ or entry.set == set_]
        found = [entry for entry in found if (since or "0") <= self._stamp(entry.datestamp) <= (until or "9")]
        if not found:
            return error("noRecordsMatch", "nothing is new")
        shown = found[start : start + self.page_size]
        records = "".join(self._record(base, entry) for entry in shown)
        after = start + len(shown)
        token = "&/+ =%é".join(("oai_dc", set_, since, until, str(after))) if after < len(found) else ""
        if start or token:
            records += (
                f'<resumptionToken completeListSize="{len(found)}" cursor="{start}">{escape(token)}</resumptionToken>'
            )
        return f"<ListRecords>{records}</ListRecords>"

    def _record(self, base: str, entry: Entry) -> str:
        status = ' status="deleted"' if entry.deleted else ""
        header = (
            f"<header{status}><identifier>oai:erudit.org:{entry.number}</identifier>"
            f"<datestamp>{self._stamp(entry.datestamp)}</datestamp><setSpec>{entry.set}</setSpec></header>"
        )
        if entry.deleted:
            return f"<record>{header}</record>"
        inside = dublin_core(entry, base, self.place(entry))
        if entry.broken:
            inside = inside.replace("</dc:title>", "", 1)
        return f"<record>{header}<metadata>{inside}</metadata></record>"

    # The site

    def place(self, entry: Entry) -> str:
        """Path of an article's page, without a slash at its end."""
        code = entry.set.rpartition(".")[2]
        return f"/fr/revues/{code}/2025-v1-n1-{code}01/{entry.number}"

    def _site(self, base: str, path: str, fields: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        bare = path.rstrip("/").rpartition("/")[2]
        number = bare.partition(".")[0]
        entry = self.entries.get(number)
        if entry is None or entry.deleted:
            return 404, {"content-type": "text/html"}, b"<html><body>Page introuvable</body></html>"
        if path.startswith("/iderudit/"):
            return 303, {"location": f"{base}{self.place(entry)}/"}, b""
        if not bare.endswith((".pdf", ".xml")):
            return 200, {"content-type": "text/html; charset=utf-8"}, html_page(entry, base + self.place(entry))
        etag = f'"{number}-{entry.datestamp:%s}"'
        if fields.get("if-none-match") == etag:
            return 304, {"etag": etag}, b""
        language = bare.split(".")[1] if bare.count(".") > 1 else entry.language
        if bare.endswith(".pdf"):
            return 200, {"content-type": "application/pdf", "etag": etag}, pdf(entry, language)
        return 200, {"content-type": "application/xml", "etag": etag}, article_xml(entry)


def page(inside: str, when: str = "2026-03-01T12:00:00Z", request: str = "<request/>") -> bytes:
    """An answer of the protocol around its verb's element."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH {OAI}>\n<responseDate>{when}</responseDate>\n{request}\n'
        f"{inside}\n</OAI-PMH>\n"
    ).encode()


def error(code: str, text: str) -> str:
    """An error of the protocol."""
    return f'<error code="{code}">{text}</error>'


def dublin_core(entry: Entry, base: str, place: str) -> str:
    """The record of an article, as Érudit writes it: two abstracts, and keywords in both languages."""
    topic = TOPICS[entry.topic]
    own, other = (
        (french(entry.topic), english(entry.topic))
        if entry.language == "fr"
        else (english(entry.topic), french(entry.topic))
    )
    second = "en" if entry.language == "fr" else "fr"
    titles = {"fr": f"Sur {topic}", "en": f"On {entry.topic}"}
    parts = [
        ("title", titles[entry.language], None), ("title", titles[second], second), ("creator", "Morvan, Odile", None),
        *(("date", date, None) for date in entry.dates),
        ("relation", f"{SETS[entry.set]} ; vol. 1 no. 1 (2025)", None),
        ("description", own[0], entry.language), ("description", other[0], second),
        ("subject", f"{topic}; archives", "fr"), ("subject", f"{entry.topic}; archives", "en"),
        ("identifier", f"{base}/iderudit/{entry.number}", None), ("identifier", f"doi:10.7202/{entry.number}", None),
        ("language", entry.language, None), ("type", "text", None),
        *(("rights", text, None) for text in entry.rights),
        *(("relation", f"{base}{place}{ending}", None) for ending in entry.named),
        *(("relation", f"{base}{place}.{code}.pdf", None) for code in ("fr", "en") if entry.both),
        ("relation", f"http://elsewhere.example.org/{quote(entry.number)}.pdf", None),
    ]  # fmt: skip
    inside = "".join(
        f"<dc:{name}{f' xml:lang={quoteattr(code)}' if code else ''}>{escape(text)}</dc:{name}>"
        for name, text, code in parts
    )
    return f"<oai_dc:dc {DC}>{inside}</oai_dc:dc>"


def html_page(entry: Entry, url: str) -> bytes:
    """The page of an article, which names its PDF."""
    name = f'<meta name="citation_pdf_url" content="{url}.pdf">' if entry.number == "1099001ar" else ""
    text = "".join(f"<p>{escape(part)}</p>" for part in french(entry.topic))
    return (
        f"<!DOCTYPE html><html lang='fr'><head><title>Article</title>{name}</head><body>{text}</body></html>".encode()
    )


def article_xml(entry: Entry) -> bytes:
    """EruditArticle with a body in the article's language, and titles, abstracts and keywords in both."""
    topic = TOPICS[entry.topic]
    own = french(entry.topic) if entry.language == "fr" else english(entry.topic)
    second = "en" if entry.language == "fr" else "fr"
    other = english(entry.topic) if second == "en" else french(entry.topic)
    titles = {"fr": f"Sur {topic}", "en": f"On {entry.topic}"}
    body = "".join(f"<para><alinea>{escape(part)}</alinea></para>" for part in own)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<article xmlns="http://www.erudit.org/xsd/article" xmlns:xlink="http://www.w3.org/1999/xlink"
 idproprio="{entry.number}" lang="{entry.language}" typeart="article"><admin><infoarticle>
<idpublic scheme="doi">10.7202/{entry.number}</idpublic></infoarticle>
<revue><titrerev>{SETS[entry.set]}</titrerev></revue>
<numero><volume>1</volume><pub><annee>2025</annee></pub></numero>
<droitsauteur>Odile Morvan, 2025 <liensimple xlink:href="{BY}">CC BY</liensimple></droitsauteur></admin>
<liminaire><grtitre><titre>{titles[entry.language]}</titre><titreparal lang="{second}">{titles[second]}</titreparal>
</grtitre><grauteur><auteur><nompers><prenom>Odile</prenom><nomfamille>Morvan</nomfamille></nompers></auteur></grauteur>
<resume lang="{entry.language}"><alinea>{escape(own[0])}</alinea></resume>
<resume lang="{second}"><alinea>{escape(other[0])}</alinea></resume>
<grmotcle lang="fr"><motcle>{topic}</motcle></grmotcle><grmotcle lang="en"><motcle>{entry.topic}</motcle></grmotcle>
</liminaire><corps><section1><titre>{titles[entry.language]}</titre>{body}</section1></corps></article>""".encode()


def pdf(entry: Entry, language: str) -> bytes:
    """The printed article; the same bytes each time."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    parts = french(entry.topic) if language == "fr" else english(entry.topic)
    flow = [Paragraph(escape(f"{entry.number} {entry.topic}"), styles["Title"])]
    flow += [Paragraph(escape(part), styles["BodyText"]) for part in parts]
    made = io.BytesIO()
    SimpleDocTemplate(made, invariant=1).build(flow)
    return made.getvalue()
