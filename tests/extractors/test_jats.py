from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import markup
from extractors.record import Extract

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"

FRONT = """<front><journal-meta><journal-title-group><journal-title>Revista</journal-title></journal-title-group>
</journal-meta><article-meta><article-id pub-id-type="doi">10.1/x</article-id><title-group><article-title>Um
<italic>título</italic><xref ref-type="fn">*</xref></article-title><subtitle>Um ensaio</subtitle><trans-title-group
xml:lang="en"><trans-title>A title</trans-title><trans-subtitle>An essay</trans-subtitle></trans-title-group>
</title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Silva</surname><given-names>Ana B.</given-names>
<suffix>Neto
</suffix></name><xref ref-type="aff">1</xref></contrib><contrib><collab>O Grupo</collab></contrib><contrib
contrib-type="editor"><name><surname>Não</surname></name></contrib><contrib contrib-type="author"><string-name>J. Sousa
</string-name></contrib></contrib-group><aff>Universidade</aff><pub-date pub-type="collection"><year>2020</year>
</pub-date>
<pub-date pub-type="epub"><day>3</day><month>04</month><year>2019</year></pub-date><volume>7</volume><issue>2</issue>
<permissions><copyright-statement>© Ana</copyright-statement><license xlink:href="https://example.org/by/4.0/"
xmlns:xlink="http://www.w3.org/1999/xlink"/></permissions><abstract><title>Resumo</title><p>Um resumo.</p></abstract>
<trans-abstract xml:lang="en"><title>Abstract</title><p>An abstract.</p></trans-abstract><kwd-group xml:lang="pt">
<title>
Palavras</title><kwd>uma</kwd><kwd>outra</kwd></kwd-group><kwd-group xml:lang="en"><kwd>one</kwd></kwd-group>
</article-meta></front>"""
BODY = """<body><sec><label>1</label><title>Começo</title><p>Corpo<fn><p>Nota.</p></fn> segue<xref>2</xref>.</p><sec>
<title>
Parte</title><p>Mais <alternatives><tex-math>x^2</tex-math><math>x2</math></alternatives> e
<tex-math>y</tex-math>.</p></sec>
</sec><sec><title>Fim</title><table-wrap><table><tr><td>a</td><td>b</td></tr></table><table-wrap-foot><fn><p>De
tabela.</p>
</fn></table-wrap-foot></table-wrap></sec></body>"""
BACK = """<back><ack><title>Obrigado</title><p>A todos.</p></ack><ref-list><title>Referências</title><ref>
<label>1</label>
<mixed-citation>Doe, A. Livro. 2001.</mixed-citation><element-citation><person-group><name><surname>Doe</surname></name>
</person-group><year>2001</year></element-citation></ref></ref-list><fn-group><fn><label>2</label><p>Outra nota.</p>
</fn>
</fn-group><app-group><app><title>Anexo</title><p>Dados.</p></app></app-group></back>"""
TRANSLATION = """<sub-article article-type="translation" xml:lang="en"><front-stub><title-group><article-title>A title,
again
</article-title></title-group><abstract><p>Again.</p></abstract></front-stub><body><p>English body.</p></body>
</sub-article>"""
REPLY = '<sub-article article-type="reply"><front-stub/><body><p>Uma resposta.</p></body></sub-article>'


def article(*parts: str, attributes: str = 'xml:lang="pt"') -> str:
    return f"<article {attributes}>{''.join(parts)}</article>"


def read(source: str) -> Extract:
    return markup.extract_xml(source.encode())


WHOLE = article(FRONT, BODY, BACK, TRANSLATION, REPLY)


def test_text_is_in_one_language_and_in_the_order_of_the_printed_article():
    result = read(WHOLE)
    assert result.error is None
    assert result.text.splitlines() == [
        "Um título*",
        "Um ensaio",
        "Resumo",
        "Um resumo.",
        "1 Começo",
        "Corpo1 segue2.",
        "Parte",
        "Mais x2 e y.",
        "Fim",
        "a b",
        "De tabela.",
        "1 Nota.",
        "Obrigado",
        "A todos.",
        "Referências",
        "1 Doe, A. Livro. 2001.",
        "2 Outra nota.",
        "Anexo",
        "Dados.",
        "Uma resposta.",
    ]


def test_parts_have_their_headings():
    result = read(WHOLE)
    assert [section[1:] for section in result.sections] == [
        ("title", "tit_1", "Um título* Um ensaio"),
        ("abstract", None, "Resumo"),
        ("section", "sec_1", "1 Começo"),
        ("section", "sec_1.1", "Parte"),
        ("section", "sec_2", "Fim"),
        ("note", "ntr_1", "1"),
        ("section", "sec_3", "Obrigado"),
        ("references", None, "Referências"),
        ("note", "ntr_2", "2"),
        ("annex", "anx_1", "Anexo"),
    ]
    for start, _, _, heading in result.sections:
        assert result.text[start:].replace("\n", " ").startswith(heading or "")


def test_facts_are_given_per_language():
    result = read(WHOLE)
    assert (result.title, result.language, result.date) == ("Um título Um ensaio", "pt", "2019-04-03")
    assert result.authors == ["Ana B. Silva Neto", "O Grupo", "J. Sousa"]
    assert result.meta == {
        "root": "article",
        "titles": {"pt": "Um título", "en": "A title"},
        "subtitles": {"pt": "Um ensaio", "en": "An essay"},
        "abstracts": {"pt": "Um resumo.", "en": "An abstract."},
        "keywords": {"pt": ["uma", "outra"], "en": ["one"]},
        "journal": "Revista",
        "volume": "7",
        "issue": "2",
        "year": "2019",
        "doi": "10.1/x",
        "rights": "© Ana",
        "licence": "https://example.org/by/4.0/",
        "translations": ["en"],
        "body": True,
    }


def test_a_translation_gives_what_the_article_does_not():
    front = "<front><article-meta><title-group><article-title>Um</article-title></title-group></article-meta></front>"
    meta = read(article(front, BODY, TRANSLATION)).meta
    assert meta["titles"] == {"pt": "Um", "en": "A title, again"} and meta["abstracts"] == {"en": "Again."}


def test_an_article_without_declared_language_counts_as_english():
    result = read(article(FRONT, BODY, attributes=""))
    assert result.language is None and result.meta["titles"]["en"] == "Um título"


@pytest.mark.parametrize(
    ("dates", "date"),
    [
        ('<pub-date iso-8601-date="2020-05-06"><year>2020</year></pub-date>', "2020-05-06"),
        ("<pub-date><year>2020</year></pub-date>", "2020"),
        ("<pub-date><month>13</month><day>1</day><year>2020</year></pub-date>", "2020"),
        ("<pub-date><year>next</year></pub-date>", None),
        ("", None),
    ],
)
def test_dates(dates, date):
    assert read(f"<article><front><article-meta>{dates}</article-meta></front></article>").date == date


def test_reference_text_holds_all_languages_and_each_reference_once():
    lines = markup.reference_text(WHOLE.encode(), "a.jats").splitlines()
    assert {"A title", "An abstract.", "English body."} <= set(lines)
    assert [line for line in lines if "Doe" in line] == ["1 Doe, A. Livro. 2001."]


def test_hostile_articles_are_answered():
    entity = '<!DOCTYPE article [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert read(entity + article(FRONT.replace("Um resumo", "Um&e; resumo"))).text.endswith("Um resumo.")
    assert read("<article><front>" + "<sec>" * 100_000).error
    many = "<sec><title>x</title><p>y<fn><p>z</p></fn></p></sec>" * 20_000
    assert len(read(article(f"<body>{many}</body>")).sections) == 40_000
    assert read(WHOLE[:-700]).meta["repaired"]
    assert read(article("<body/>")).text == ""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(WHOLE.encode())), st.booleans())
def test_any_bytes_give_text_or_an_error(noise, cut, truncate):
    payload = WHOLE.encode()
    result = markup.extract_xml(payload[:cut] + noise + (b"" if truncate else payload[cut:]))
    assert not (result.error and result.text)
    starts = [section[0] for section in result.sections]
    assert starts == sorted(starts) and all(start < len(result.text) for start in starts)


@pytest.mark.real
def test_real_articles_are_whole():
    files = sorted(DATA.glob("pdf/*jats*/*.truth.*"))
    if not files:
        pytest.skip("no real data beside the project")
    assert len(files) >= 12
    for path in files:
        result = markup.extract_xml(path.read_bytes())
        assert result.error is None and result.title and result.authors, path.name
        assert len(result.text) > 5000 and result.meta["journal"] and result.meta["doi"], path.name
        assert result.meta["licence"].startswith("https://creativecommons.org"), path.name
        kinds = [section[1] for section in result.sections]
        assert kinds[0] == "title" and kinds.count("section") >= 3 and "references" in kinds, path.name
        for start, _, _, heading in result.sections:
            assert result.text[start:].replace("\n", " ").startswith(heading or ""), path.name
