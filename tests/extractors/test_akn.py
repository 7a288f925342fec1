from __future__ import annotations

from pathlib import Path

import pytest

from extractors import markup
from extractors.record import Extract

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

LAW = """<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act><meta><identification><FRBRWork>
<FRBRdate
date="1996-11-07" name="document"/></FRBRWork><FRBRExpression><FRBRlanguage language="fra"/></FRBRExpression>
</identification><notes><note id="n1"><p>Changed in 2001.</p></note></notes></meta><preface><longTitle><p>Loi du
<docDate>jour</docDate></p></longTitle></preface><preamble><recitals><recital><num>(1)</num><p>Considérant.</p>
</recital>
</recitals></preamble><body><chapter><num>Chapitre 1<sup>er</sup>.</num><heading>Début</heading><article id="art_1er">
<num>Art.
1<sup>er</sup>.</num><content><p>Un <ref>texte</ref><authorialNote marker="a"><p>Voir là.</p></authorialNote>
suit<noteRef
href="#n1"/>.</p><p><del>Biffé.</del></p><quotedStructure><article><num>Art. 9.</num><content><p>Cité.</p></content>
</article>
</quotedStructure></content></article></chapter><article eId="art_2a"><content><p>Sans numéro.</p></content></article>
</body>
<attachments><attachment><doc><preface><p>ANNEXE II</p></preface><p>Liste.</p></doc></attachment></attachments></act>
</akomaNtoso>"""


def read(source: str) -> Extract:
    return markup.extract_xml(source.encode())


def test_an_act_as_it_stands():
    result = read(LAW)
    assert result.text.splitlines() == [
        "Loi du jour",
        "(1) Considérant.",
        "Chapitre 1er. Début",
        "Art. 1er. Un textea suit.",
        "Art. 9. Cité.",
        "Sans numéro.",
        "ANNEXE II",
        "Liste.",
        "a Voir là.",
    ]
    assert (result.title, result.date, result.language) == ("Loi du jour", "1996-11-07", "fr")
    assert result.meta == {"root": "akomantoso", "articles": 2}


def test_parts_of_an_act():
    result = read(LAW)
    assert [(anchor, heading) for _, _, anchor, heading in result.sections] == [
        ("tit_1", "Loi du jour"),
        ("rct_1", None),
        ("cpt_1", "Chapitre 1er. Début"),
        ("art_1", "Art. 1er."),
        ("art_2a", None),
        ("anx_II", None),
        ("anx_II.ntr_1", None),
    ]
    for start, _, _, heading in result.sections:
        assert result.text.startswith(heading or "", start)


def test_hostile_acts_are_answered():
    assert read("<akomaNtoso>" * 100_000).error
    attachments = "<attachment><p>ANNEX I</p>" * 60 + "</attachment>" * 60
    assert len(read(f"<akomaNtoso>{attachments}</akomaNtoso>").sections) == 60
    assert read(LAW[:-400]).meta["repaired"]


@pytest.mark.real
def test_real_acts_have_articles_in_order():
    files = sorted(DATA.glob("pdf/*akn*/*.xml"))
    if not files:
        pytest.skip("no real data beside the project")
    for path in files:
        result = markup.extract_xml(path.read_bytes())
        articles = [section[2] for section in result.sections if section[1] == "article"]
        assert len(articles) > 80 and articles[:2] == ["art_1", "art_2"], path.name
        assert result.title and result.date and result.language == "fr", path.name
