from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.act_parts import Section, of_lines, of_marks

ENGLISH = """Council Directive 90/1/EEC
Having regard to the proposal from the Commission (1),
Whereas one thing is so;
Whereas another thing follows;
HAS ADOPTED THIS DIRECTIVE:
CHAPTER I GENERAL
Article 1
Directive 80/1/EEC is amended as follows:
'Article 7
The old text.'
Article 8
A second article, quoted too.
Article 2
See
Article 85
of the Treaty.
Article 3 Entry into force
This Directive shall enter into force.
Done at Brussels, 1 January 1990.
(1) OJ No C 1, 2. 3. 1989, p. 4. (2) OJ No C 5, 6. 7. 1989, p. 8.
(1) OJ No L 9, 10. 11. 1989, p. 12.
ANNEX I
Article 1
Of the annex.
ANNEX II LIST OF GOODS
Goods."""
FRENCH = """Directive 90/1/CEE du Conseil
vu la proposition de la Commission (1),
considérant une chose;
considérant une autre;
A ARRÊTÉ LA PRÉSENTE DIRECTIVE:
CHAPITRE PREMIER DISPOSITIONS GÉNÉRALES
Article premier
La directive 80/1/CEE est modifiée comme suit:
« Article 7
L'ancien texte. »
Article 8
Un second article.
Article 2
Voir
Article 85
du traité.
Article 3
Entrée en vigueur
La directive entre en vigueur.
Fait à Bruxelles, le 1er janvier 1990.
( 1 ) JO n° C 1 du 2 . 3 . 1989, p. 4.
( 2 ) JO n° C 5 du 6 . 7 . 1989, p. 8.
( 1 ) JO n° L 9 du 10 . 11 . 1989, p. 12.
ANNEXE I
Article premier
De l'annexe.
ANNEXE II LISTE DES BIENS
Biens."""


def anchors(sections: list[Section]) -> list[str | None]:
    return [anchor for _, _, anchor, _ in sections]


def test_parts_are_the_same_in_two_languages():
    english, french = of_lines(ENGLISH), of_lines(FRENCH)
    assert anchors(english) == anchors(french)
    assert " ".join(filter(None, anchors(english))) == (
        "tit_1 rct_1 rct_2 cpt_I art_1 art_2 art_3 ntr_1 ntr_2 ntr_3 anx_I anx_I.art_1 anx_II"
    )


def test_parts_start_with_their_heading_or_number():
    for text in (ENGLISH, FRENCH):
        for start, kind, _, heading in of_lines(text):
            if heading:
                assert text.startswith(heading, start)
            elif kind == "note":
                assert text[start] == "("
            elif kind == "recital":
                assert text[start:].lower().startswith(("whereas", "considérant"))


def test_numbered_recitals_need_no_words():
    text = (
        "Title\nsekä katsovat seuraavaa:\n(1) Yksi (2) ja.\nlisää\n(3) ei\n(2) Kaksi.\nOVAT ANTANEET\n1 artikla\nTeksti"
    )
    assert [(kind, anchor) for _, kind, anchor, _ in of_lines(text)][1:] == [
        ("recital", "rct_1"),
        ("recital", "rct_2"),
        ("article", "art_1"),
    ]


def test_recitals_below_one_word_for_all():
    text = "Titel\nin Erwägung nachstehender Gründe:\nEiner.\nZweiter.\nHAT ERLASSEN:\nArtikel 1\nText"
    found = of_lines(text)
    assert anchors(found) == ["tit_1", "rct_1", "rct_2", "art_1"] and text[found[1][0] :].startswith("Einer")


def test_articles_of_a_second_act_are_told_apart():
    text = "\n".join(f"Article {number}\ntext" for number in (1, 2, 3, 1, 2))
    assert anchors(of_lines(text)) == ["art_1", "art_2", "art_3", "art_1~2", "art_2~2"]


def test_an_article_alone_and_one_that_is_missing():
    assert anchors(of_lines("Artículo 44\ntexto")) == ["art_44"]
    assert anchors(of_lines("Article 1\na\nArticle 3\nb\nArticle 3a\nc\nArticle 4\nd")) == [
        "art_1",
        "art_3",
        "art_3a",
        "art_4",
    ]


def test_a_text_without_parts_is_a_title():
    assert of_lines("A line\nand another") == [(0, "title", "tit_1", "A line")]
    assert of_lines("") == []


def test_marks_with_anchors_are_named_by_the_headings_at_their_start():
    text = "CHAPTER I\nScope\nArticle 1\nSubject\nText\nANNEX III\nText"
    marks = [
        (0, 29, "section", "cpt_I"),
        (0, 9, "section", ""),
        (10, 15, "more", ""),
        (16, 38, "article", "art_1"),
        (16, 25, "article", ""),
        (26, 33, "more", ""),
        (39, 53, "annex", "anx_I"),
        (39, 48, "document", ""),
    ]
    assert of_marks(text, marks) == [
        (0, "section", "cpt_I", "CHAPTER I Scope"),
        (16, "article", "art_1", "Article 1 Subject"),
        (39, "annex", "anx_III", "ANNEX III"),
    ]


LINES = st.sampled_from([*ENGLISH.split("\n"), *FRENCH.split("\n"), "(1) (2) OJ", "Article 1", "ANNEX", "x"])


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES | st.text(alphabet="(1)Article 2\u00a0.OJ", max_size=30), max_size=40))
def test_any_lines_give_sections_in_order(lines):
    text = "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)
    found = of_lines(text)
    assert [section[0] for section in found] == sorted(section[0] for section in found)
    assert bool(found) == bool(text)
    assert all(text.startswith(heading, start) for start, _, _, heading in found if heading)
    assert len(set(anchors(found))) == len(found)


def test_a_hundred_thousand_headings_are_read():
    text = "\n".join(["Article 7", "(1) x 1. 1. 1990", "ANNEX", "CHAPTER I", "Whereas so"] * 20_000)
    assert len(of_lines(text)) > 20_000
