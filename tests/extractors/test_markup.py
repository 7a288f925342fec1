from __future__ import annotations

import csv
import socket
import time
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import markup
from extractors.blocks import block_text

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def laughs(levels: int) -> bytes:
    entities = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels + 1))
    return f"<!DOCTYPE a [{entities}]><a>&e{levels};</a>".encode()


def html_text(source: str) -> str:
    return block_text(markup.parse_html(source.encode()), markup.HTML_LAYOUT)


def xml_text(source: str) -> str:
    return block_text(markup.parse_xml(source.encode()), markup.XML_LAYOUT)


def test_blocks_stand_on_lines_and_inline_elements_run_on():
    text = html_text("<div><h1>A  title</h1><p>One <b>bold</b>er\n word</p><p>Two<br>lines</p>tail</div>")
    assert text == "A title\nOne bolder word\nTwo\nlines\ntail"


def test_number_in_a_layout_table_shares_its_paragraphs_line():
    rows = "<tr><td><p>(a)</p></td><td><p></p><p>first;</p><p>more</p></td></tr>"
    inner = "<table><tr><td>(i)</td><td><p>deep</p></td></tr></table>"
    text = html_text(f"<table>{rows}<tr><td></td><td>(b)</td><td>second: {inner}</td></tr></table><p>end</p>")
    assert text == "(a) first;\nmore\n(b) second:\n(i) deep\nend"


def test_row_whose_first_cells_are_empty_does_not_join_the_row_before():
    assert html_text("<table><tr><td>x<tr><td> <td>y</table>") == "x\ny"


def test_label_leads_only_what_follows_in_its_element():
    assert xml_text("<l><fn><label>1</label><p>one</p></fn><fn><label>2</label></fn><fn><p>x</p></fn></l>") == (
        "1 one\n2\nx"
    )


def test_names_without_text_between_are_parted_and_names_with_text_are_not():
    apart = "<ref><name><surname>Doe</surname><given-names>J</given-names></name><year>1999</year></ref>"
    written = "<ref>(<year>1999</year>), <surname>Doe</surname>.</ref>"
    assert xml_text(f"<ref-list>{apart}{written}</ref-list>") == "Doe J 1999\n(1999), Doe."


def test_text_is_composed_and_free_of_invisible_characters():
    assert html_text("<p>e\u0301co\u00adle\ufeff\u00a0x</p>") == "école x"


def test_invisible_characters_alone_part_no_word():
    assert html_text("<p>Donau<b>&shy;</b>dampf<i>\ufeff</i>schiff <b>\xad</b>fahrt</p>") == "Donaudampfschiff fahrt"
    assert xml_text("<p>Donau<b>&#xAD;</b>dampf</p>") == "Donaudampf"
    assert xml_text("<r>\ufeff<x>One</x>\ufeff<x>two</x></r>") == "One\ntwo"
    assert html_text("<pre>a<b>\xad</b>b\n\xad\nc</pre>") == "ab\nc"


def test_named_characters_are_read_without_a_dtd():
    source = '<!DOCTYPE a SYSTEM "x.dtd"><a>caf&eacute;&nbsp;noir</a>'
    assert xml_text(source) == "café noir"


def test_preformatted_lines_are_kept():
    assert html_text("<p>a</p><pre>x  y\nz</pre>b") == "a\nx y\nz\nb"


def test_entity_bomb_is_refused_at_once():
    started = time.perf_counter()
    with pytest.raises(markup.MarkupError, match="unsafe"):
        markup.parse_xml(laughs(12))
    assert time.perf_counter() - started < 2


def test_an_entity_used_many_times_is_not_expanded():
    few, many = (f'<!DOCTYPE a [<!ENTITY e "{"x" * n}">]><a>{"&e;" * n}y</a>' for n in (100, 100_000))
    assert markup.extract_xml(few.encode()).text == "y"
    assert "unsafe" in (markup.extract_xml(many.encode()).error or "")


@pytest.mark.parametrize("root", ["article", "ACT", "akomaNtoso", "a"])
def test_every_vocabulary_is_read_in_wrong_encodings_cut_and_too_deep(root):
    body = f"<{root}><body><sec><title>été</title><P>naïve</P></sec></body></{root}>"
    for encoding in ("utf-8", "utf-16", "windows-1252"):
        assert markup.extract_xml(body.encode(encoding)).text == "été\nnaïve"
    assert markup.extract_xml(body[:-25].encode()).meta["repaired"]
    assert "unsafe" in (markup.extract_xml(body.replace("<P>", "<P>" * 100_000).encode()).error or "")


def test_formulas_stay_in_their_sentence():
    maths = "<math><msub><mi>x</mi><mn>1</mn></msub><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
    assert xml_text(f"<p>Let <inline-formula>{maths}</inline-formula> be.</p>") == "Let x1=12 be."


def test_small_entity_is_not_expanded():
    assert markup.extract_xml(laughs(2)).text == ""


def test_external_entities_are_neither_read_nor_fetched(tmp_path, monkeypatch):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")

    def refuse(*_: object) -> None:
        raise AssertionError("the network was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for address in (secret.as_uri(), str(secret), "http://127.0.0.1:9/x"):
        source = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{address}">]><a>x &e; y</a>'.encode()
        assert markup.extract_xml(source).text == "x y"
        dtd = f'<!DOCTYPE a SYSTEM "{address}"><a>x y</a>'.encode()
        assert markup.extract_xml(dtd).text == "x y"
        include = f'<a xmlns:xi="http://www.w3.org/2001/XInclude">x <xi:include href="{address}"/>y</a>'
        assert markup.extract_xml(include.encode()).text == "x y"


@pytest.mark.parametrize("tag", ["div", "b", "table"])
def test_depth_bomb_is_an_error(tag):
    bomb = f"<{tag}>".encode() * 100_000
    with pytest.raises(markup.MarkupError, match="unsafe"):
        markup.parse_xml(bomb + b"x")
    with pytest.raises(markup.MarkupError, match="nested"):
        markup.parse_html(bomb + b"x")


def test_two_thousand_levels_of_html_are_read():
    assert html_text("<div>" * 2000 + "x" + "</div>" * 2000) == "x"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_encodings_are_recognised(encoding):
    declared = '<?xml version="1.0"?>' if encoding.startswith("utf-8") else ""
    payload = f"{declared}<!-- note --><racine>été Ω</racine>".encode(encoding)
    assert markup.root_name(payload) == "racine"
    if "-16-" not in encoding:
        assert markup.extract_xml(payload).text == "été Ω"


def test_wrong_and_unknown_encodings_are_repaired_and_reported():
    wrong = '<?xml version="1.0" encoding="utf-8"?><a>été</a>'.encode("latin-1")
    unknown = '<?xml version="1.0" encoding="UNICODE-1-1-UTF-8"?><a>été</a>'.encode()
    assert markup.extract_xml(wrong).text == "été"
    assert markup.extract_xml(unknown).text == "été"


def test_nul_bytes_and_truncation_keep_what_can_be_read():
    assert markup.extract_xml(b"<a><p>x\0y</p></a>").text == "xy"
    cut = markup.extract_xml(b"<a><p>first</p><p>second")
    assert cut.text == "first\nsecond"
    assert "line 1" in cut.meta["repaired"]


@pytest.mark.parametrize("payload", [b"", b"   ", b"plain words", b"%PDF-1.7", b"\0\0\0", b"{}"])
def test_what_is_no_xml_has_an_error(payload):
    result = markup.extract_xml(payload)
    assert result.text == "" and "not XML" in (result.error or "")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b '<c>'>]>\n<ns:root>", "root"),
        (b"<!DOCTYPE html><HTML>", "HTML"),
        (b"<!-- <no> --><yes/>", "yes"),
        (b"<!-- never closed <no>", None),
        (b"text <a>", None),
        (b"<!DOCTYPE " + b"[" * 60_000, None),
        (b"", None),
    ],
)
def test_root_name_skips_the_prolog(source, name):
    assert markup.root_name(source) == name


@pytest.mark.parametrize(
    ("tag", "subtag"),
    [
        ("fr-CA", "fr"),
        ("FRA", "fr"),
        ("http://example.org/language/DEU", "de"),
        ("EN", "en"),
        ("und", None),
        ("", None),
        (None, None),
        ("x", None),
    ],
)
def test_primary_subtag(tag, subtag):
    assert markup.primary_subtag(tag) == subtag


@pytest.mark.parametrize("reference", ["&#xD800;", "&#xdfff", "&#0055296;", "&#57343;"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_references_to_surrogates_are_replaced(reference, encoding):
    source = f'<a lang="{reference}">x{reference} y &#x1D800; &#xD7FF; &#57344;</a>'.encode(encoding)
    found = markup.extract_xml(source)
    assert found.text == "x\ufffd y \U0001d800 \ud7ff \ue000"


def test_jats_keeps_the_text_and_leaves_the_metadata():
    source = """<article xml:lang="pt"><front><journal-meta><issn>0000-0000</issn></journal-meta><article-meta>
    <article-id>10.1/x</article-id><title-group><article-title>Um <italic>título</italic></article-title>
    <trans-title-group><trans-title>A title</trans-title></trans-title-group></title-group>
    <contrib-group><contrib><name><surname>Silva</surname></name></contrib></contrib-group>
    <abstract><p>Resumo.</p></abstract><trans-abstract xml:lang="en"><p>Abstract.</p></trans-abstract>
    </article-meta></front><body><sec><label>1</label><title>Começo</title><p>Corpo<xref>1</xref>.</p></sec></body>
    <back><ref-list><ref><label>1</label><element-citation><person-group><name><surname>Doe</surname><given-names>A
    </given-names></name></person-group><year>2001</year></element-citation></ref></ref-list></back></article>"""
    result = markup.extract_xml(source.encode())
    assert result.text == "Um título\nResumo.\n1 Começo\nCorpo1.\n1 Doe A 2001"
    assert (result.title, result.language, result.error) == ("Um título", "pt", None)
    assert "Abstract." in markup.reference_text(source.encode(), "a.jats")


def test_formex_numbers_join_their_paragraphs():
    source = """<ACT><BIB.INSTANCE><COLL>L</COLL><LG.DOC>DE</LG.DOC></BIB.INSTANCE><TITLE><TI><P>Ein <HT>Titel</HT>
    </P></TI></TITLE><ARTICLE><TI.ART>Artikel 1</TI.ART><PARAG><NO.PARAG>(1)</NO.PARAG><ALINEA>Satz:<LIST><ITEM><NP>
    <NO.P>a)</NO.P><TXT>eins,</TXT></NP></ITEM></LIST></ALINEA></PARAG></ARTICLE></ACT>"""
    result = markup.extract_xml(source.encode())
    assert result.text == "Ein Titel\nArtikel 1\n(1) Satz:\na) eins,"
    assert (result.title, result.language) == ("Ein Titel", "de")


def test_akoma_ntoso_and_tei_leave_their_headers():
    akn = """<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act><meta><FRBRlanguage
    language="fra"/><x>no</x></meta><preface><longTitle><p>Loi du jour</p></longTitle></preface><body><article>
    <num>Art. 1.</num><content><p>Un <ref>texte</ref>.</p></content></article></body></act></akomaNtoso>"""
    tei = """<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:lang="la"><teiHeader><titleStmt><title>Liber</title>
    </titleStmt><p>no</p></teiHeader><text><body><head>Caput</head><l>versus <hi>unus</hi></l></body></text></TEI>"""
    law, book = markup.extract_xml(akn.encode()), markup.extract_xml(tei.encode())
    assert (law.text, law.title, law.language) == ("Loi du jour\nArt. 1. Un texte.", "Loi du jour", "fr")
    assert (book.text, book.title, book.language) == ("Caput\nversus unus", "Liber", "la")


def test_reference_text_of_plain_text_and_html():
    assert markup.reference_text("e\u0301".encode(), "UDHR.TXT") == "é"
    page = "<html><head><title>no</title></head><body><script>no</script><p>yes</p></body></html>"
    assert markup.reference_text(page.encode(), "x.truth.html") == "yes"
    with pytest.raises(markup.MarkupError):
        markup.reference_text(b"<a>" * 100_000, "x.xml")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="<>/ab &;!-[]?\"'=x\n\0", max_size=300).map(str.encode))
def test_any_bytes_give_text_or_an_error(payload):
    for source in (payload, b"<a>" + payload):
        result = markup.extract_xml(source)
        assert result.error is None or (result.error and not result.text)
        assert "\0" not in result.text and unicodedata.is_normalized("NFC", result.text)
        assert all(line == line.strip() and line for line in result.text.splitlines())


def real_references() -> list[Path]:
    if not DATA.exists():
        return []
    with (DATA / "pdf" / "index.tsv").open() as index:
        names = [row["truth"] for row in csv.DictReader(index, delimiter="\t") if row["truth"]]
    return [DATA / "pdf" / name for name in names]


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="no real data beside the project")
def test_real_references_hold_the_words_of_their_markup():
    for path in real_references():
        payload = path.read_bytes()
        text = markup.reference_text(payload, path.name)
        seen = Counter(text.split())
        body = [node for node in markup.parse_xml(payload).iter("{*}p", "{*}alinea") if len(node) == 0 and node.text]
        paragraphs = [" ".join(unicodedata.normalize("NFC", node.text).split()) for node in body]
        missing = [p for p in paragraphs if not set(p.replace("\u00ad", "").split()) <= seen.keys()]
        assert len(text) > 800, path.name
        assert len(missing) <= 0.02 * len(paragraphs) + 2, (path.name, missing[:3])
