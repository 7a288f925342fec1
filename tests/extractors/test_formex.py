from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import eurlex, markup
from extractors.record import Extract

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

BIB = """<BIB.INSTANCE><DOCUMENT.REF FILE="x.xml"><COLL>L</COLL><NO.OJ>12</NO.OJ><YEAR>2020</YEAR><LG.OJ>DE</LG.OJ>
<PAGE.FIRST>3</PAGE.FIRST></DOCUMENT.REF><DATE ISO="20200102">20200102</DATE><LG.DOC>DE</LG.DOC><NO.CELEX>32020R0007
</NO.CELEX><NO.DOC FORMAT="YN"><NO.CURRENT>7</NO.CURRENT><YEAR>2020</YEAR><COM>EU</COM></NO.DOC></BIB.INSTANCE>"""
ACT = f"""<?xml version="1.0" encoding="UTF-8"?>
<ACT xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{BIB}
<TITLE><TI><P><HT TYPE="UC">Verordnung</HT> (EU) 2020/7</P><P>vom <DATE ISO="20200102">2. Januar 2020</DATE></P></TI>
</TITLE><PREAMBLE><PREAMBLE.INIT>DER RAT —</PREAMBLE.INIT><GR.VISA><VISA>nach Stellungnahme des Ausschusses
  <NOTE NOTE.ID="E0001" NUMBERING="ARAB" TYPE="FOOTNOTE"><P><REF.DOC.OJ>ABl. C 1</REF.DOC.OJ>.</P></NOTE>,
  </VISA></GR.VISA><GR.CONSID><GR.CONSID.INIT>in Erwägung:</GR.CONSID.INIT><CONSID><NP><NO.P>(1)</NO.P><TXT>Ein
  <QUOT.START CODE="201E"/>
  Wort<QUOT.END CODE="201C"/>
  .</TXT></NP></CONSID><CONSID><NP><NO.P>(2)</NO.P><TXT>Siehe oben<NOTE NOTE.REF="E0001"/>.</TXT></NP></CONSID>
</GR.CONSID><PREAMBLE.FINAL>HAT ERLASSEN:</PREAMBLE.FINAL></PREAMBLE><ENACTING.TERMS><DIVISION><TITLE><TI><P>KAPITEL I
</P></TI><STI><P>Anfang</P></STI></TITLE><ARTICLE IDENTIFIER="001"><TI.ART>Artikel 1</TI.ART><STI.ART><P>Ziel</P>
</STI.ART><PARAG><NO.PARAG>(1)</NO.PARAG><ALINEA>Satz:<LIST><ITEM><NP><NO.P>a)</NO.P><TXT>eins,</TXT></NP></ITEM>
</LIST></ALINEA></PARAG><ALINEA>Neu:<QUOT.S><ARTICLE IDENTIFIER="009"><TI.ART><QUOT.START CODE="201E"/>Artikel
9</TI.ART>
<ALINEA>Alt.<QUOT.END CODE="201C"/></ALINEA></ARTICLE></QUOT.S></ALINEA></ARTICLE></DIVISION>
<ARTICLE IDENTIFIER="001A"><ALINEA>Ohne Titel<NOTE NOTE.ID="E0002" NUMBERING="STAR"><P>Stern.</P></NOTE></ALINEA>
</ARTICLE>
<ARTICLE IDENTIFIER="002"><TI.ART>Artikel 2</TI.ART><ALINEA>x <OP.MATH TYPE="MULT"/> y</ALINEA><TBL><TITLE><TI>
<P>Tafel</P>
</TI></TITLE><CORPUS><ROW><CELL>A<NOTE NOTE.ID="E0003" TYPE="TABLE"><P>Zur Tafel.</P></NOTE></CELL><CELL>B</CELL></ROW>
</CORPUS></TBL></ARTICLE></ENACTING.TERMS><FINAL><SIGNATURE><SIGNATORY><P>Der Präsident</P></SIGNATORY></SIGNATURE>
</FINAL>
</ACT>"""


def read(source: str) -> Extract:
    return markup.extract_xml(source.encode())


def test_an_act_reads_as_it_is_printed():
    result = read(ACT)
    assert result.error is None
    assert result.text.splitlines() == [
        "VERORDNUNG (EU) 2020/7",
        "vom 2. Januar 2020",
        "DER RAT —",
        "nach Stellungnahme des Ausschusses (1),",
        "in Erwägung:",
        "(1) Ein „Wort“.",
        "(2) Siehe oben (1).",
        "HAT ERLASSEN:",
        "KAPITEL I",
        "Anfang",
        "Artikel 1",
        "Ziel",
        "(1) Satz:",
        "a) eins,",
        "Neu:",
        "„Artikel 9",
        "Alt.“",
        "Ohne Titel (*)",
        "Artikel 2",
        "x × y",
        "Tafel",
        "A (2) B",
        "(2) Zur Tafel.",
        "Der Präsident",
        "(1) ABl. C 1.",
        "(*) Stern.",
    ]


def test_parts_of_an_act():
    result = read(ACT)
    assert [(kind, anchor, heading) for _, kind, anchor, heading in result.sections] == [
        ("title", "tit_1", "VERORDNUNG (EU) 2020/7 vom 2. Januar 2020"),
        ("recital", "rct_1", None),
        ("recital", "rct_2", None),
        ("section", "cpt_I", "KAPITEL I Anfang"),
        ("article", "art_1", "Artikel 1 Ziel"),
        ("article", "art_1a", None),
        ("article", "art_2", "Artikel 2"),
        ("note", "ntr_1", None),
        ("note", "ntr_*", None),
    ]
    starts = [result.text[start:].split("\n")[0] for start, *_ in result.sections]
    assert starts[1].startswith("(1) Ein") and starts[5].startswith("Ohne") and starts[7] == "(1) ABl. C 1."


def test_facts_of_an_act():
    result = read(ACT)
    assert (result.title, result.date, result.language) == (
        "VERORDNUNG (EU) 2020/7 vom 2. Januar 2020",
        "2020-01-02",
        "de",
    )
    assert result.meta == {
        "root": "act",
        "articles": 3,
        "celex": "32020R0007",
        "number": "2020/7",
        "oj_series": "L",
        "oj_number": "12",
        "oj_year": "2020",
        "oj_page": "3",
    }


@pytest.mark.parametrize("root", ["ANNEX", "CONS.ANNEX"])
def test_an_annex_is_one_part_with_its_notes(root):
    result = read(f"""<{root}>{BIB}<TITLE><TI><P>ANHANG II</P></TI><STI><P>Listen</P></STI></TITLE><CONTENTS><GR.SEQ>
    <TITLE><TI><P>Teil A</P></TI></TITLE><P>Text<NOTE NOTE.ID="E1"><P>Fuß.</P></NOTE></P></GR.SEQ></CONTENTS>
</{root}>""")
    assert result.text.splitlines() == ["ANHANG II", "Listen", "Teil A", "Text (1)", "(1) Fuß."]
    assert [section[1:] for section in result.sections] == [
        ("annex", "anx_II", "ANHANG II Listen"),
        ("section", None, "Teil A"),
        ("note", "anx_II.ntr_1", None),
    ]


def test_a_consolidation_leaves_its_family_and_marks():
    result = read("""<CONS.ACT><INFO.CONSLEG><X>1</X></INFO.CONSLEG><INFO.PROD><X>no</X></INFO.PROD><CONS.DOC><BIB.DATA>
    <LG.DOC>FR</LG.DOC></BIB.DATA><FAM.COMP><TITLE><TI><P>no</P></TI></TITLE></FAM.COMP><TITLE><TI><P>RÈGLEMENT</P></TI>
    </TITLE><ENACTING.TERMS><?CLG.MDFO ID="1"?><ARTICLE IDENTIFIER="005B"><TI.ART>Article 5 <HT TYPE="ITALIC">ter</HT>
    </TI.ART><ALINEA>Texte<?CLG.MDFC ID="1"?> fin.</ALINEA></ARTICLE></ENACTING.TERMS></CONS.DOC></CONS.ACT>""")
    assert result.text == "RÈGLEMENT\nArticle 5 ter\nTexte fin."
    assert [section[2] for section in result.sections] == ["tit_1", "art_5b"]
    assert (result.title, result.language) == ("RÈGLEMENT", "fr")


@pytest.mark.parametrize("root", ["GENERAL", "JOB", "AGR"])
def test_other_documents_have_title_and_text(root):
    result = read(f"<{root}>{BIB}<TITLE><TI><P>Mitteilung</P></TI></TITLE><CONTENTS><P>Eins.</P></CONTENTS></{root}>")
    assert (result.title, result.text) == ("Mitteilung", "Mitteilung\nEins.")


def test_a_notice_without_text_is_an_error():
    result = read("<DOC><BIB.DOC><X>1</X></BIB.DOC><FMX><REF.PHYS FILE='a.xml'/></FMX></DOC>")
    assert result.error and result.text == ""


def test_vocabularies_in_small_letters_are_no_formex():
    assert read("<act><title>one</title><p>two</p></act>").meta == {"root": "act"}


def test_reference_text_is_the_printed_one():
    assert markup.reference_text(ACT.encode(), "a.fmx.xml") == read(ACT).text


def test_hostile_documents_are_answered():
    notes = "<P>x<NOTE NOTE.ID='E'><P>y</P></NOTE></P>" * 20_000
    capitals = "<HT TYPE='UC'>" * 200 + "a" * 100_000 + "</HT>" * 200
    entity = '<!DOCTYPE ACT [<!ENTITY e SYSTEM "file:///etc/passwd">]><ACT><TITLE><TI>T&e;</TI></TITLE></ACT>'
    assert read(f"<ACT>{notes}</ACT>").error is None
    assert read(f"<ACT><P>{capitals}</P></ACT>").text == "A" * 100_000
    assert read(entity).text == "T"
    assert read("<ACT>" * 100_000).error
    assert read(ACT[:-900]).meta["repaired"]


TAGS = [
    "ACT",
    "TITLE",
    "TI",
    "P",
    "HT",
    "NOTE",
    "QUOT.START",
    "QUOT.S",
    "ARTICLE",
    "TI.ART",
    "CONSID",
    "NP",
    "NO.P",
    "TBL",
    "GR.NOTES",
    "DIVISION",
    "ANNEX",
]
TREES = st.recursive(
    st.sampled_from(["Artikel 5", "ANHANG", "(1) ", " \n", "e\u0301", ")"]),
    lambda inner: st.tuples(
        st.sampled_from(TAGS),
        st.sampled_from(["", ' TYPE="UC"', ' NOTE.ID="E1"', ' NOTE.REF="E1"', ' CODE="201E"', ' IDENTIFIER="005A"']),
        st.lists(inner, max_size=5),
    ),
    max_leaves=30,
)


def written(tree: str | tuple[str, str, list[object]]) -> str:
    return tree if isinstance(tree, str) else f"<{tree[0]}{tree[1]}>{''.join(map(written, tree[2]))}</{tree[0]}>"


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_any_tree_gives_text_and_parts_in_order(tree):
    result = read(f"<ACT>{written(tree)}</ACT>")
    assert result.error is None
    starts = [section[0] for section in result.sections]
    assert starts == sorted(starts) and all(start < len(result.text) for start in starts)
    for start, _, _, heading in result.sections:
        assert result.text[start:].replace("\n", " ").startswith(heading or "")


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="no real data beside the project")
def test_real_parts_are_those_of_the_same_act_in_another_language_and_format():
    formex = markup.extract_xml((DATA / "pdf/eurlex-formex/dsgvo.xml").read_bytes())
    html = eurlex.extract_html((DATA / "eurlex/32016R0679/EN.html").read_bytes())
    assert len(formex.sections) == 1 + 173 + 99 + 26 + 21
    assert [section[1:3] for section in formex.sections] == [section[1:3] for section in html.sections]
    assert formex.language == "de" and "( " not in formex.text and "„Charta“)" in formex.text
