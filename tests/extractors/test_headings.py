from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.headings import annex_anchor, article_anchor, begins_recital, division_anchor, is_shouted

ARTICLES = {
    "bg": ("Член 5", "Член 5а"),
    "cs": ("Článek 5", "Článek 5a"),
    "da": ("Artikel 5", "Artikel 5a"),
    "de": ("Artikel 5", "Artikel 5a"),
    "el": ("Άρθρο 5", "Άρθρο 5α"),
    "en": ("Article 5", "Article 5a"),
    "es": ("Artículo 5", "Artículo 5 bis"),
    "et": ("Artikkel 5", "Artikkel 5a"),
    "fi": ("5 artikla", "5 a artikla"),
    "fr": ("Article 5", "Article 5 bis"),
    "ga": ("Airteagal 5", "Airteagal 5a"),
    "hr": ("Članak 5.", "Članak 5.a"),
    "hu": ("5. cikk", "5/A. cikk"),
    "it": ("Articolo 5", "Articolo 5 bis"),
    "lt": ("5 straipsnis", "5a straipsnis"),
    "lv": ("5. pants", "5.a pants"),
    "mt": ("Artikolu 5", "Artikolu 5a"),
    "nl": ("Artikel 5", "Artikel 5 bis"),
    "pl": ("Artykuł 5", "Artykuł 5a"),
    "pt": ("Artigo 5.o", "Artigo 5.º-A"),
    "ro": ("Articolul 5", "Articolul 5a"),
    "sk": ("Článok 5", "Článok 5a"),
    "sl": ("Člen 5", "5.a člen"),
    "sv": ("Artikel 5", "Artikel 5a"),
}
ANNEXES = {
    "bg": "ПРИЛОЖЕНИЕ II",
    "cs": "PŘÍLOHA II",
    "da": "BILAG II",
    "de": "ANHANG II",
    "el": "ΠΑΡΑΡΤΗΜΑ ΙΙ",
    "en": "ANNEX II",
    "es": "ANEXO II",
    "et": "II LISA",
    "fi": "LIITE II",
    "fr": "ANNEXE II",
    "ga": "IARSCRÍBHINN II",
    "hr": "PRILOG II.",
    "hu": "II. MELLÉKLET",
    "it": "ALLEGATO II",
    "lt": "II PRIEDAS",
    "lv": "II PIELIKUMS",
    "mt": "ANNESS II",
    "nl": "BIJLAGE II",
    "pl": "ZAŁĄCZNIK II",
    "pt": "ANEXO II",
    "ro": "ANEXA II",
    "sk": "PRÍLOHA II",
    "sl": "PRILOGA II",
    "sv": "BILAGA II",
}
CHAPTERS = [
    "ГЛАВА II", "KAPITOLA II", "KAPITEL II", "ΚΕΦΑΛΑΙΟ ΙΙ", "CHAPTER II", "CAPÍTULO II", "II PEATÜKK", "II LUKU",
    "CHAPITRE II", "CAIBIDIL II", "POGLAVLJE II.", "II. FEJEZET", "CAPO II", "II SKYRIUS", "II NODAĻA", "KAPITOLU II",
    "HOOFDSTUK II", "ROZDZIAŁ II", "CAPITOLUL II", "POGLAVJE II",
]  # fmt: skip


@pytest.mark.parametrize("language", ARTICLES)
def test_articles_have_one_anchor_in_every_language(language):
    plain, inserted = ARTICLES[language]
    assert article_anchor(plain) == ("art_5", True)
    assert article_anchor(plain.upper()) == ("art_5", True)
    assert article_anchor(inserted) == ("art_5a", True)


@pytest.mark.parametrize("language", ANNEXES)
def test_annexes_have_one_anchor_in_every_language(language):
    assert annex_anchor(ANNEXES[language]) == ("anx_II", True)
    word = next(word for word in ANNEXES[language].split() if len(word) > 3)
    assert annex_anchor(word) == ("anx_1", True)


@pytest.mark.parametrize("heading", CHAPTERS)
def test_chapters_have_one_anchor_in_every_language(heading):
    assert division_anchor(heading) == ("cpt_II", True)


@pytest.mark.parametrize(
    ("line", "anchor"),
    [
        ("Article premier", "art_1"),
        ("Article 1er.", "art_1"),
        ("Art. 1er.", "art_1"),
        ("Sole Article", "art_1"),
        ("Article unique", "art_1"),
        ("Artículo único", "art_1"),
        ("Ainoa artikla", "art_1"),
        ("L-Artikolu 5", "art_5"),
        ("΄Αρθρο 5", "art_5"),
        ("Άρθρο 5 στ", "art_5f"),
        ("Article 12 quinquies", "art_12d"),
        ("Article 12b", "art_12b"),
        ("Article 9-1", "art_9-1"),
        ("Article II", "art_II"),
        ("Article 5 (1)", "art_5"),
        ("ARTICLE 5:", "art_5"),
    ],
)
def test_numbers_of_articles(line, anchor):
    assert article_anchor(line) == (anchor, True)


@pytest.mark.parametrize(
    "line", ["Articles 5 to 7", "Article à", "The Article 5", "‘Article 5", "5", "article", "5 artikelen", ""]
)
def test_other_lines_are_no_articles(line):
    assert article_anchor(line) is None


def test_text_after_a_heading_is_noticed():
    assert article_anchor("Article 5 of that Regulation") == ("art_5", False)
    assert article_anchor("Article 5" + " " * 400) == ("art_5", False)
    assert annex_anchor("ANNEX I LIST OF GOODS") == ("anx_I", False)
    assert division_anchor("CHAPTER I SCOPE") == ("cpt_I", False)


def test_annexes_and_divisions_of_other_numbers():
    assert annex_anchor("ANNEX A") == annex_anchor("ПРИЛОЖЕНИЕ А") == annex_anchor("ΠΑΡΑΡΤΗΜΑ Α") == ("anx_A", True)
    assert annex_anchor("Annexe 3") == ("anx_3", True)
    assert annex_anchor("ANNEXES") is None and annex_anchor("To the Annex") is None
    assert division_anchor("CHAPITRE PREMIER") == division_anchor("CHAPITRE Ier") == ("cpt_I", True)
    assert division_anchor("TITRE IV bis") == division_anchor("TITLE IVa") == ("tis_IVA", True)
    assert division_anchor("Section 3") == division_anchor("Abschnitt 3") == ("sct_3", True)
    assert division_anchor("Part of it") is None and division_anchor("TITLE") is None


def test_recitals_begin_with_a_word_of_their_language():
    assert all(map(begins_recital, ["Whereas it", "Considérant que", "OVERWEGENDE dat", "in Erwägung nachstehender"]))
    assert not begins_recital("Having regard to")


def test_capitals_are_seen_in_the_first_long_word():
    assert is_shouted("I. MELLÉKLET szöveg") and not is_shouted("Annex I") and not is_shouted("I 2")


@given(st.text(max_size=400) | st.text(alphabet="Articlebs. -/5aVΆρθο()\u0301", max_size=400))
def test_any_line_is_answered(line):
    for anchor in (article_anchor, annex_anchor, division_anchor):
        found = anchor(line)
        assert found is None or (found[0][3] == "_" and not any(sign.isspace() for sign in found[0]))
