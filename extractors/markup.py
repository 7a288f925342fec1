"""Safe XML and HTML trees, the text of any XML vocabulary, and reference texts to measure fidelity against.

Trees are built without DTDs, entity expansion or network.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lxml import etree

from extractors.blocks import Element, Layout, block_text, name_of, names
from extractors.encoding import decode
from extractors.language_tag import primary_subtag as primary_subtag
from extractors.record import Extract

MAX_BYTES = 128 << 20
"""Larger documents are refused: a tree takes about ten times the memory of its bytes."""
EXTRACTOR = "lxml " + ".".join(map(str, etree.LXML_VERSION[:3]))

_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}(?![0-9a-fA-F])"
    rb"|0*(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3])(?!\d));?"
)
_LIMITS = {etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_ENTITY_LOOP}


class MarkupError(ValueError):
    """The bytes are no XML or HTML tree that can be read safely; the message says why and where."""


def is_wide(payload: bytes) -> bool:
    """Whether the bytes start like UTF-16, where NUL bytes belong to characters."""
    return payload.startswith(_UTF16_STARTS)


def parse_xml(payload: bytes) -> Element:
    """Root element of an XML document; malformed documents are read as far as they can be repaired.

    Entities stay unexpanded, no DTD is loaded, nothing is fetched. Raises MarkupError for what is no XML at
    all, for entity bombs, for more than 256 levels and for more than `MAX_BYTES`. `damage` tells of repairs.
    """
    if len(payload) > MAX_BYTES:
        raise MarkupError(f"XML of {len(payload)} bytes is over the limit of {MAX_BYTES}")
    if not is_wide(payload):
        payload = payload.replace(b"\0", b"")
    payload = payload.lstrip(b" \t\r\n")
    parser = _xml_parser()
    try:
        return etree.fromstring(payload, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = str(error)
        if any(entry.type in _LIMITS for entry in parser.error_log):
            raise MarkupError(f"XML is unsafe: {reason}") from error
    payload, encoding = _repairable(payload)
    lenient = _xml_parser(encoding, recover=True)
    try:
        root = etree.fromstring(payload, lenient)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MarkupError(f"not XML: {error}") from error
    if root is None:
        raise MarkupError(f"not XML: {reason}")
    if any(entry.type in _LIMITS for entry in lenient.error_log):
        raise MarkupError(f"XML is unsafe: {reason}")
    return root


def _xml_parser(encoding: str | None = None, *, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )


def _repairable(payload: bytes) -> tuple[bytes, str]:
    """Bytes to repair and their actual encoding: a wrong or unknown declaration is the commonest damage."""
    if is_wide(payload):
        wide = "utf-16-be" if payload.startswith((b"\xfe\xff", b"\0<")) else "utf-16-le"
        payload = payload.decode(wide, "replace").lstrip("\ufeff").encode()
    # Repair would keep these references, which no string can hold.
    payload = _SURROGATE.sub(b"&#xFFFD;", payload)
    return payload, "utf-8" if _is_utf8(payload) else "windows-1252"


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut inside a character is still UTF-8, if it was before the cut.
        return error.reason == "unexpected end of data" and not payload[: error.start].isascii()
    return True


def damage(root: Element) -> str | None:
    """What the parser had to repair in the document of `root`, or None."""
    for entry in root.getroottree().parser.error_log:
        if entry.level_name in ("ERROR", "FATAL"):
            return f"line {entry.line}: {entry.message}"
    return None


def parse_html(payload: bytes, charset: str | None = None) -> Element:
    """Root element of an HTML document (any age, any damage).

    Raises MarkupError for an empty document, for more than 2048 levels and for more than `MAX_BYTES`.
    """
    if len(payload) > MAX_BYTES:
        raise MarkupError(f"HTML of {len(payload)} bytes is over the limit of {MAX_BYTES}")
    text, _ = decode(payload, charset)
    # HTML defines no entities of its own, so that the larger limits open no bomb.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MarkupError(f"not HTML: {error}") from error
    if root is None:
        raise MarkupError("not HTML: no element")
    if any(entry.type in _LIMITS for entry in parser.error_log):
        raise MarkupError("HTML is unsafe: elements nested more than 2048 deep")
    return root


_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.S | re.I)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([^\W\d][\w.-]*)")


def root_name(payload: bytes) -> str | None:
    """Local name of the root element as written, or None where no element starts; reads 64 KiB at most."""
    head = payload[: 64 << 10]
    if head.startswith((b"\xff\xfe", b"<\0")):
        text = head.decode("utf-16-le", "replace")
    elif head.startswith((b"\xfe\xff", b"\0<")):
        text = head.decode("utf-16-be", "replace")
    else:
        text = head.decode("utf-8", "replace")
    text = text.lstrip("\ufeff")
    at = 0
    while prolog := _PROLOG.match(text, at):
        at = prolog.end()
    root = _ROOT.match(text, at)
    return root[1] if root else None


_INLINE = names(
    "a abbr acronym b big bold cite code del dfn em emph ext-link font hi ht i inline-formula ins italic kbd "
    "mark monospace named-content overline q quot.end quot.start roman s samp sans-serif sc small span "
    "strike strong styled-content sub sup tt u underline uri var xref"
)
_BLOCK = names(
    "abstract address alinea article aside blockquote body boxed-text br caption center content dd "
    "disp-formula disp-quote div dl dt fieldset fig figcaption figure fn footer form formula h1 h2 h3 h4 h5 "
    "h6 head header hr item l lb lg li line list list-item main np ol p para pre ref-list sec section table "
    "table-wrap tbl tbody tfoot thead ul verse-group"
)
_MATHS = names(
    "alternatives math menclose mfenced mfrac mi mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub "
    "msubsup msup mtext munder munderover semantics"
)
_SPACED = names(
    "article-title chapter-title city collab country day degrees edition email fpage given-names institution "
    "issue lpage month name person-group postal-code prefix pub-id publisher-loc publisher-name role source "
    "state string-name suffix surname volume year"
)
# What describes a document instead of being its text: JATS, Formex, Akoma Ntoso, TEI.
_NEVER_SHOWN = names(
    "bib.data bib.instance custom-meta-group history jolux journal-meta meta metadata object-id permissions "
    "rdf script self-uri style teiheader tex-math"
)
HTML_LAYOUT = Layout(
    inline=_INLINE,
    block=_BLOCK,
    drop=names("button head iframe nav noscript script select style svg template"),
)
XML_LAYOUT = Layout(
    inline=_INLINE | _MATHS,
    block=_BLOCK,
    spaced=_SPACED,
    lead=names("label no no.p no.parag num"),
    drop=_NEVER_SHOWN,
)

_TITLES = ("article-title", "doctitle", "longtitle", "title", "titre")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def extract_xml(payload: bytes) -> Extract:
    """Text, parts, title, language and other facts of XML of any vocabulary, without its metadata containers.

    EruditArticle, Formex, JATS and Dublin Core have extractors of their own; Akoma Ntoso and TEI are known by name,
    others are read element by element. Never raises.
    """
    from extractors import akn, erudit, formex, jats, oai_dc

    try:
        root = parse_xml(payload)
    except MarkupError as error:
        return Extract(extractor=EXTRACTOR, error=str(error))
    if erudit.recognises(root):
        return erudit.extract_tree(root)
    if formex.recognises(root):
        return formex.extract_tree(root)
    if jats.recognises(root):
        return jats.extract_tree(root)
    if akn.recognises(root):
        return akn.extract_tree(root)
    if oai_dc.recognises(root):
        return oai_dc.extract_tree(root)
    title = _title(root)
    repaired = damage(root)
    return Extract(
        text=block_text(root, XML_LAYOUT),
        title=title,
        language=_language(root),
        extractor=EXTRACTOR,
        meta={"root": name_of(root)} | ({"repaired": repaired} if repaired else {}),
    )


def remove(nodes: Iterable[Element]) -> None:
    """Take elements out of their tree; the text after them stays, and so does a root."""
    for node in list(nodes):
        parent = node.getparent()
        if parent is not None:
            blank = etree.Comment()
            blank.tail = node.tail
            parent.replace(node, blank)


def _title(root: Element) -> str | None:
    found: dict[str, Element] = {}
    for node in root.iter(etree.Element):
        if name_of(node) in _TITLES:
            found.setdefault(name_of(node), node)
    for name in _TITLES:
        if name in found:
            return block_text(found[name], XML_LAYOUT).replace("\n", " ") or None
    return None


def _language(root: Element) -> str | None:
    declared = root.get(_LANG) or root.get("lang")
    if not declared:
        for node in root.iter("{*}FRBRlanguage", "{*}LG.DOC", "{*}language", "{*}text", "{*}body"):
            declared = node.get("language") or node.get("ident") or node.get(_LANG)
            if name_of(node) == "lg.doc":
                declared = node.text
            if declared:
                break
    return primary_subtag(declared)


def reference_text(payload: bytes, name: str) -> str:
    """Text of a reference file, to measure an extraction of the same document against.

    Everything that a reader of the page sees, authors and abstracts in every language included, but not the
    menus of a portal page around an act. `name` is the file's: `.txt` is taken as it is.
    Raises MarkupError where the file is no markup.
    """
    if name.lower().endswith(".txt"):
        return unicodedata.normalize("NFC", decode(payload)[0])
    from extractors import akn, erudit, eurlex, formex, jats

    if (root_name(payload) or "html").lower() == "html":
        return block_text(eurlex.act(eurlex.parse(payload)), HTML_LAYOUT)
    root = parse_xml(payload)
    if erudit.recognises(root):
        return erudit.printed_text(root)
    if jats.recognises(root):
        return jats.printed_text(root)
    if formex.recognises(root):
        return formex.extract_tree(root).text
    if akn.recognises(root):
        return akn.extract_tree(root).text
    return block_text(root, XML_LAYOUT)
