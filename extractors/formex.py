"""Formex 4, the XML in which the Publications Office of the Union produces the Official Journal.

The text is that of the printed page, as EUR-Lex shows it: quotation marks and capitals that the markup only names are
written out, and footnotes stand at the end of their act or annex, or below their table, with a number at their place.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lxml import etree

from extractors import act_parts
from extractors.act_parts import Section
from extractors.blocks import Element, block_text, marked_text, name_of, names
from extractors.footnotes import leave_number, put_number
from extractors.headings import annex_anchor, article_anchor, letter
from extractors.markup import EXTRACTOR, XML_LAYOUT, damage, primary_subtag
from extractors.record import Extract

_ROOTS = names(
    "act agr annex case cjt competition cons.act cons.annex cons.doc cons.list cons.oth.doc contents corr "
    "council.decision decision.echr general grseq job judgment judgment.init letter lseu opinion order ordinance "
    "prop proposal report.hearing se summary treaty"
)
_NOTICES = names("doc publication")
_INLINE = names(
    "date exponent expr ft ht ind link op.cmp op.math quot.end quot.start ref.cons ref.doc ref.doc.ecr ref.doc.oj "
    "ref.doc.se"
)
_LAYOUT = replace(
    XML_LAYOUT,
    inline=XML_LAYOUT.inline | _INLINE,
    rows=names("row blk"),
    drop=XML_LAYOUT.drop | names("bib.doc fam.comp fam.comp.cl info.consleg info.prod incl.element"),
)
_SIGNS = {
    "plus": "+", "minus": "−", "plusminus": "±", "minusplus": "∓", "mult": "×", "div": "÷", "period": "·",
    "eq": "=", "ne": "≠", "lt": "<", "gt": ">", "le": "≤", "ge": "≥",
}  # fmt: skip
_BEFORE_POINT = re.compile(r"\s*\n\s*(?=[)\].,;:])")
_AFTER_BRACKET = re.compile(r"[(\[]\s*\n\s*\Z")
_MARKS = {"star": "*"}


def recognises(root: Element) -> bool:
    """Whether a tree is Formex: its elements are written in capitals, unlike those of other vocabularies."""
    tag = str(root.tag).rpartition("}")[2]
    return tag.isupper() and (name_of(root) in _ROOTS | _NOTICES or root.find("{*}BIB.INSTANCE") is not None)


def extract_tree(root: Element) -> Extract:
    """Text, parts and facts of an act, an annex, a consolidation or another document of the Official Journal.

    `meta`: `celex`, `number` (of the act, as `2016/679`), `oj_series`, `oj_number`, `oj_year`, `oj_page` where
    present; `articles`, those of `sections`. `date` is the document's, not that of publication. The tree is changed.
    """
    if name_of(root) in _NOTICES:
        return Extract(extractor=EXTRACTOR, error="Formex notice of a publication, without the text of an act")
    facts = _facts(root)
    repaired = damage(root)
    language, date = primary_subtag(facts.pop("language", None)), facts.pop("date", None)
    _write_signs(root)
    _move_notes(root)
    heading = _own_title(root)
    text, sections = _text(root, heading)
    meta = {"root": name_of(root), "articles": sum(section[1] == "article" for section in sections), **facts}
    return Extract(
        text=text,
        title=(block_text(heading, _LAYOUT).replace("\n", " ") or None) if heading is not None else None,
        date=date,
        language=language,
        sections=sections,
        extractor=EXTRACTOR,
        meta=meta | ({"repaired": repaired} if repaired else {}),
    )


def _first(node: Element, *paths: str) -> str | None:
    for path in paths:
        for found in node.iterfind("/".join("{*}" + step for step in path.split("/"))):
            text = " ".join("".join(found.itertext()).split())
            if text:
                return text
    return None


def _facts(root: Element) -> dict[str, Any]:
    facts: dict[str, str | None] = {}
    for bib in root.iter("{*}BIB.INSTANCE", "{*}BIB.DATA", "{*}INFO.CONSLEG"):
        journal = "DOCUMENT.REF/" if bib.find("{*}DOCUMENT.REF") is not None else ""
        number, year = _first(bib, "NO.DOC/NO.CURRENT"), _first(bib, "NO.DOC/YEAR")
        found = {
            "language": _first(bib, "LG.DOC", "DOCUMENT.REF/LG.OJ", "LG.OJ"),
            "date": _day(next(bib.iterfind("{*}DATE"), None)),
            "celex": _first(bib, "NO.CELEX") or bib.get("NO.CELEX"),
            "number": f"{year}/{number}" if number and year else None,
            "oj_series": _first(bib, journal + "COLL"),
            "oj_number": _first(bib, journal + "NO.OJ"),
            "oj_year": _first(bib, journal + "YEAR"),
            "oj_page": _first(bib, journal + "PAGE.FIRST"),
        }
        facts = {key: value for key, value in found.items() if value} | facts
    if not facts.get("celex"):
        celex = next((node.text for node in root.iter("{*}NO.CELEX") if node.text), None)
        facts |= {"celex": celex.strip()} if celex else {}
    return facts


def _day(node: Element | None) -> str | None:
    iso = re.fullmatch(r"(\d{4})-?(\d\d)-?(\d\d)", (node.get("ISO") or "").strip()) if node is not None else None
    return "-".join(iso.groups()) if iso else None


def _write_signs(root: Element) -> None:
    """Write what stands for a sign or for capitals as text; line ends beside quotation marks are the file's."""
    for node in root.iter("{*}QUOT.START", "{*}QUOT.END", "{*}OP.MATH", "{*}OP.CMP", "{*}HT", "{*}REF.DOC.OJ"):
        name = name_of(node)
        before = node.getprevious()
        if _AFTER_BRACKET.search((before.tail if before is not None else node.getparent().text) or ""):
            _strip_before(node)
        if name == "ht" and node.get("TYPE") == "UC":
            _shout(node)
        elif name in ("ht", "ref.doc.oj"):
            continue
        elif name.startswith("op."):
            node.text = node.text or _SIGNS.get((node.get("TYPE") or "").lower())
        else:
            code = node.get("CODE") or ""
            node.text = chr(int(code, 16)) if re.fullmatch(r"[23]0[0-9A-Fa-f]{2}|00[AaBb][0-9A-Fa-f]", code) else '"'
            if name == "quot.start":
                node.tail = (node.tail or "").lstrip()
            else:
                _strip_before(node)
                node.tail = _BEFORE_POINT.sub("", node.tail or "", count=1) if node.tail else None


def _shout(node: Element) -> None:
    for inner in node.iter():
        if isinstance(inner.tag, str) and inner.text:
            inner.text = inner.text.upper()
        if inner is not node and inner.tail:
            inner.tail = inner.tail.upper()


def _strip_before(node: Element) -> None:
    """Take the white space from what stands before a node."""
    before = node.getprevious()
    if before is not None:
        before.tail = before.tail.rstrip() if before.tail else None
    elif node.getparent() is not None and node.getparent().text:
        node.getparent().text = node.getparent().text.rstrip()


def _move_notes(root: Element) -> None:
    """Take footnotes out of their sentences: a number stays, the note goes to the end of its act, annex or table."""
    numbers: dict[str, str] = {}
    counts: dict[str, int] = {}
    for node in list(root.iter("{*}NOTE")):
        kind = _MARKS.get((node.get("NUMBERING") or "").lower(), "")
        key = node.get("NOTE.ID") or node.get("NOTE.REF") or ""
        if not key or key not in numbers:
            counts[kind] = counts.get(kind, 0) + 1
            numbers[key] = kind * counts[kind] if kind else str(counts[kind])
        number = f"({numbers[key]})"
        if node.getparent() is not None and name_of(node.getparent()) == "gr.notes":
            put_number(node, number)
            continue
        if len(node) or (node.text or "").strip():
            home = _home(node)
            _call(node, number)
            put_number(node, number)
            home.append(node)
        else:
            _call(node, number)


def _home(node: Element) -> Element:
    """The element at whose end a note is printed."""
    last = node
    for last in node.iterancestors():
        name = name_of(last)
        if name in ("annex", "cons.annex") or (name == "tbl" and node.get("TYPE") == "TABLE"):
            break
    return last


def _call(node: Element, number: str) -> None:
    """Put the number of a note in its place, one space from the word before it."""
    if node.tail:
        node.tail = _BEFORE_POINT.sub("", node.tail) if _BEFORE_POINT.match(node.tail) else node.tail
    _strip_before(node)
    leave_number(node, f" {number}")


def _own_title(root: Element) -> Element | None:
    """The title of the document itself, which for a consolidation stands deeper."""
    for path in ("TITLE", "CONS.DOC/TITLE", "TI", "TI.CJT"):
        found = root.find("/".join("{*}" + step for step in path.split("/")))
        if found is not None:
            return found
    return None


_QUOTED = names("quot.s")
_DIVISIONS = names("division gr.seq")
_PARTS = {"consid": "recital", "article": "article", "annex": "annex", "cons.annex": "annex", "note": "note"}


def _text(root: Element, heading: Element | None) -> tuple[str, list[Section]]:
    marks: dict[Element, tuple[str, str | None]] = {}
    if heading is not None and name_of(root) not in ("annex", "cons.annex"):
        marks[heading] = ("title", "tit_1")
    recitals = notes = 0
    quoted: set[Element] = set()
    for node in root.iter(etree.Element):
        name, parent = name_of(node), node.getparent()
        if name in _QUOTED or parent in quoted:
            quoted.add(node)
            continue
        kind = _PARTS.get(name)
        if kind == "recital":
            recitals += 1
            marks[node] = (kind, f"rct_{_digits(node) or recitals}")
        elif kind == "article":
            marks[node] = (kind, _article(node))
        elif kind == "annex":
            title = _line(node.find("{*}TITLE"))
            found = annex_anchor(title)
            marks[node] = (kind, found[0] if found else "anx_1")
        elif kind == "note" and name_of(parent) not in ("tbl", "gr.notes"):
            notes += 1
            marks[node] = (kind, f"ntr_{_digits(node) or notes}")
        elif name in ("ti.art", "sti.art"):
            marks[node] = ("article" if name == "ti.art" else "more", "")
        elif name == "title":
            inside = name_of(parent) if parent is not None else ""
            if inside in _DIVISIONS:
                marks |= {part: ("section" if name_of(part) == "ti" else "more", "") for part in node}
            else:
                marks.setdefault(node, ("document", ""))
    text, spans = marked_text(root, _LAYOUT, marks)
    return text, act_parts.of_marks(text, [(start, end, *marks[node]) for start, end, node in spans])


def _line(node: Element | None) -> str:
    return block_text(node, _LAYOUT).replace("\n", " ") if node is not None else ""


def _digits(node: Element) -> str | None:
    """The number that a recital or a note begins with."""
    label = next(node.iter("{*}NO.P", "label"), None)
    match = re.search(r"\d+|\*+", label.text or "") if label is not None else None
    return match[0] if match else None


def _article(node: Element) -> str:
    """Anchor of an article by its heading, else by its identifier (`005A`)."""
    found = article_anchor(_line(node.find("{*}TI.ART")))
    if found:
        return found[0]
    number = re.fullmatch(r"0*(\d+)([A-Z]*)", node.get("IDENTIFIER") or "")
    return f"art_{number[1]}{letter(number[2].lower())}" if number else ""
