from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import erudit, markup

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

FRONT = """<admin><infoarticle><idpublic scheme="doi">10.0000/abc</idpublic></infoarticle>
<revue lang="fr"><titrerev>Revue inventée</titrerev></revue>
<numero><volume>12</volume><nonumero>3</nonumero><pub><annee>2019</annee></pub></numero>
<droitsauteur>Tous droits réservés © <nomorg>Revue inventée</nomorg>, 2019</droitsauteur>
<droitsauteur><liensimple xlink:href="http://creativecommons.org/licenses/by/4.0/">CC BY</liensimple></droitsauteur>
</admin><liminaire><grtitre><surtitre>Articles</surtitre><titre>Le <marquage>titre</marquage><renvoi>*</renvoi></titre>
<sstitre>Un essai</sstitre><titreparal lang="en">The title</titreparal><sstitreparal lang="en">An essay</sstitreparal>
</grtitre><grauteur><auteur><nompers><prenom>Anne</prenom><nomfamille>Exemple</nomfamille></nompers><affiliation>
<alinea>Université</alinea></affiliation></auteur><auteur><nomorg>Le Comité</nomorg></auteur></grauteur>
<resume lang="fr"><titre>Résumé</titre><alinea>Résumé un.</alinea><alinea>Résumé deux.</alinea></resume>
<resume lang="en"><alinea>An abstract.</alinea></resume>
<grmotcle lang="fr"><motcle>mot</motcle><motcle>clé</motcle></grmotcle>
<grmotcle lang="en"><motcle>word</motcle></grmotcle></liminaire>"""

BODY = """<corps><section1><no>1.</no><titre>Début</titre><para><no>1</no><alinea>Une phrase<renvoi>1</renvoi>.</alinea>
<bloccitation><alinea>Une citation.</alinea><source>Source</source></bloccitation></para>
<section2><titre>Tableaux</titre><tableau><no>Tableau 1</no><legende><titre>Légende</titre></legende><tabtexte>
<tabgrligne><tabligne><tabcelluled><alinea>un</alinea></tabcelluled><tabcelluled><alinea>deux</alinea></tabcelluled>
</tabligne></tabgrligne></tabtexte><objetmedia><image/><texte>un deux derrière</texte></objetmedia></tableau>
<para><no>2</no><alinea>Fin.</alinea></para></section2></section1></corps>"""

BACK = """<partiesann lang="fr"><grbiblio><biblio><titre>Bibliographie</titre><refbiblio>Auteur (2001). <marquage>Livre
</marquage>.<idpublic scheme="doi">10.1/x</idpublic></refbiblio></biblio></grbiblio><grnote><note><no>1</no><alinea>La
note.</alinea></note></grnote><merci><alinea>Merci.</alinea></merci><grannexe><annexe><titre>Annexe</titre></annexe>
</grannexe></partiesann><partiesann lang="en"><grnotebio><notebio lang="en"><alinea>She writes.</alinea></notebio>
</grnotebio></partiesann>"""


def article(*parts: str, namespace: bool = True, attributes: str = 'lang="fr" idproprio="123ar"') -> bytes:
    xmlns = 'xmlns="http://www.erudit.org/xsd/article"' if namespace else ""
    xlink = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<?xml version="1.0"?><article {xmlns} {xlink} {attributes}>{"".join(parts)}</article>'.encode()


WHOLE = article(FRONT, BODY, BACK)


@pytest.mark.parametrize("namespace", [True, False])
def test_text_is_in_the_order_of_the_printed_article(namespace):
    result = erudit.extract(article(FRONT, BODY, BACK, namespace=namespace))
    assert result.error is None
    assert result.text.splitlines() == [
        "Le titre",
        "Un essai",
        "Résumé un.",
        "Résumé deux.",
        "1. Début",
        "Une phrase1.",
        "Une citation.",
        "Source",
        "Tableaux",
        "Tableau 1 Légende",
        "un deux",
        "Fin.",
        "Annexe",
        "Merci.",
        "1 La note.",
        "Bibliographie",
        "Auteur (2001). Livre .",
    ]


def test_parts_have_their_headings():
    result = erudit.extract(WHOLE)
    assert [section[1:] for section in result.sections] == [
        ("title", "tit_1", "Le titre Un essai"),
        ("abstract", None, None),
        ("section", "sec_1", "1. Début"),
        ("section", "sec_1.1", "Tableaux"),
        ("annex", "anx_1", "Annexe"),
        ("section", "sec_2", None),
        ("note", "ntr_1", "1"),
        ("references", None, "Bibliographie"),
    ]
    starts = [result.text[start:].split("\n")[0] for start, *_ in result.sections]
    assert starts[1] == "Résumé un." and starts[5] == "Merci." and starts[6] == "1 La note."


def test_facts_are_given_per_language():
    result = erudit.extract(WHOLE)
    assert (result.title, result.language, result.date) == ("Le titre Un essai", "fr", "2019")
    assert result.authors == ["Anne Exemple", "Le Comité"]
    assert result.meta == {
        "titles": {"fr": "Le titre", "en": "The title"},
        "subtitles": {"fr": "Un essai", "en": "An essay"},
        "abstracts": {"fr": "Résumé un.\nRésumé deux.", "en": "An abstract."},
        "keywords": {"fr": ["mot", "clé"], "en": ["word"]},
        "journal": "Revue inventée",
        "volume": "12",
        "issue": "3",
        "year": "2019",
        "doi": "10.0000/abc",
        "erudit_id": "123ar",
        "rights": "Tous droits réservés © Revue inventée, 2019 CC BY",
        "licence": "http://creativecommons.org/licenses/by/4.0/",
        "body": True,
    }


def test_article_without_body_gives_its_abstracts():
    for body in ("", "<corps/>", "<corps><section1><titre> </titre></section1></corps>"):
        result = erudit.extract(article(FRONT, body))
        assert result.meta["body"] is False
        assert result.text == "Le titre\nUn essai\nRésumé un.\nRésumé deux.\nAn abstract."


def test_title_of_a_review_is_the_work_reviewed():
    front = (
        "<liminaire><grtitre><surtitre>Comptes rendus</surtitre><trefbiblio>Un livre</trefbiblio></grtitre></liminaire>"
    )
    assert erudit.extract(article(front, BODY)).title == "Un livre"
    front = "<liminaire><grtitre><surtitre>Comptes rendus</surtitre><titre> </titre></grtitre></liminaire>"
    assert erudit.extract(article(front, BODY)).title == "Comptes rendus"


def test_recognised_text_keeps_its_lines_and_is_marked():
    result = erudit.extract(article(FRONT, '<corps><texte typetexte="roc">une ligne\nune autre</texte></corps>'))
    assert result.text.endswith("une ligne\nune autre")
    assert result.meta["ocr"] is True
    assert "ocr" not in erudit.extract(WHOLE).meta


def test_reference_text_holds_all_languages():
    text = markup.reference_text(WHOLE, "a.truth.xml")
    assert {"The title", "An essay", "An abstract.", "Anne Exemple", "word", "She writes."} <= set(text.splitlines())
    assert "derrière" not in text and "Revue inventée" not in text


def test_article_without_declared_language():
    result = erudit.extract(article(FRONT, BODY, attributes=""))
    assert result.language is None
    assert result.meta["titles"]["fr"] == "Le titre"
    assert "Résumé un." in result.text and "An abstract." not in result.text


@pytest.mark.parametrize(
    "payload",
    [b"", b"words", b"<html/>", b"<article><front/><body/></article>", b"<a>" * 100_000, b"\xff\xfe\0"],
)
def test_what_is_no_article_is_an_error(payload):
    result = erudit.extract(payload)
    assert result.error and result.text == ""


def test_external_entity_is_not_read():
    source = WHOLE.replace(b"<article", b'<!DOCTYPE article [<!ENTITY e SYSTEM "file:///etc/passwd">]><article', 1)
    result = erudit.extract(source.replace(b"Une phrase", b"Une phrase&e;"))
    assert result.text == erudit.extract(WHOLE).text


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=100), st.integers(0, len(WHOLE)), st.booleans())
def test_any_bytes_give_text_or_an_error(noise, cut, truncate):
    result = erudit.extract(WHOLE[:cut] + noise + (b"" if truncate else WHOLE[cut:]))
    assert not (result.error and result.text)
    assert "\0" not in result.text and isinstance(result.meta, dict)


@pytest.fixture(scope="module")
def articles() -> dict[str, erudit.Extract]:
    files = sorted([*DATA.glob("erudit/*.xml"), *DATA.glob("pdf/*erudit*/*.xml")])
    if not files:
        pytest.skip("no real data beside the project")
    return {path.name: erudit.extract(path.read_bytes()) for path in files}


@pytest.mark.real
def test_real_articles_are_whole(articles):
    assert len(articles) >= 54
    for name, result in articles.items():
        assert result.error is None and result.meta["body"], name
        assert len(result.text) > 900 and result.title and result.date, name
        assert result.language in ("fr", "en"), name
        assert result.authors or name == "1042058ar.xml"
        assert result.meta["journal"] and "repaired" not in result.meta, name


@pytest.mark.real
def test_real_articles_in_two_languages(articles):
    both: Counter[str] = Counter()
    for result in articles.values():
        both.update(
            key for key in ("titles", "abstracts", "keywords") if {"fr", "en"} <= result.meta.get(key, {}).keys()
        )
    assert both == {"titles": 10, "abstracts": 21, "keywords": 16}


@pytest.mark.real
def test_real_parts_start_with_their_headings(articles):
    kinds: Counter[str] = Counter()
    for name, result in articles.items():
        anchors = [section[2] for section in result.sections if section[2]]
        assert result.sections[0][:3] == (0, "title", "tit_1") and len(set(anchors)) == len(anchors), name
        for start, kind, _, heading in result.sections:
            kinds[kind] += 1
            assert result.text[start:].replace("\n", " ").startswith(heading or ""), name
    assert kinds["section"] > 400 and kinds["note"] > 700 and kinds["references"] >= 29
