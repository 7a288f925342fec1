"""Sound pages of many kinds, and the same pages broken on purpose."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.pdf_health import BAD_BLOCKS, LIMITS, SCRIPTS, Health, base_letter, health

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pdf"

SOUND = {
    "bg": "Никой не може да бъде лишен от свобода освен в случаите и по реда, предвидени от закона. Съветът изслуша "
    "страните и прие решението с мнозинство от две трети от гласовете на присъстващите членове.",
    "cs": "Rada vyslechla strany a přijala rozhodnutí dvoutřetinovou většinou hlasů přítomných členů. Členské státy "
    "uvedou v účinnost právní předpisy nezbytné pro dosažení souladu s touto směrnicí.",
    "de": "Die Mitgliedstaaten erlassen die Rechtsvorschriften, die erforderlich sind, um dieser Richtlinie "
    "nachzukommen, und setzen die Kommission unverzüglich davon in Kenntnis.",
    "el": "Τα κράτη μέλη θεσπίζουν τις αναγκαίες νομοθετικές και διοικητικές διατάξεις για να συμμορφωθούν με την "
    "παρούσα οδηγία και ενημερώνουν αμέσως την Επιτροπή σχετικά με τα μέτρα αυτά.",
    "en": "Member States shall bring into force the laws and administrative provisions necessary to comply with this "
    "Directive and shall forthwith inform the Commission thereof.",
    "fi": "Jäsenvaltioiden on saatettava tämän direktiivin noudattamisen edellyttämät lait ja hallinnolliset "
    "määräykset voimaan ja ilmoitettava tästä komissiolle viipymättä.",
    "fr": "Les États membres mettent en vigueur les dispositions législatives et administratives nécessaires pour se "
    "conformer à la présente directive et en informent immédiatement la Commission.",
    "ga": "Tabharfaidh na Ballstáit i bhfeidhm na dlíthe agus na forálacha riaracháin is gá chun an Treoir seo a "
    "chomhlíonadh agus cuirfidh siad an Coimisiún ar an eolas láithreach faoi sin.",
    "hu": "A tagállamok hatályba léptetik azokat a törvényi és közigazgatási rendelkezéseket, amelyek szükségesek "
    "ahhoz, hogy ennek az irányelvnek megfeleljenek, és erről haladéktalanul tájékoztatják a Bizottságot.",
    "mt": "L-Istati Membri għandhom idaħħlu fis-seħħ il-liġijiet u d-dispożizzjonijiet amministrattivi meħtieġa biex "
    "jikkonformaw ma' din id-Direttiva u għandhom jgħarrfu b'dan lill-Kummissjoni minnufih.",
    "pl": "Państwa członkowskie wprowadzają w życie przepisy ustawowe i administracyjne niezbędne do wykonania "
    "niniejszej dyrektywy i niezwłocznie powiadamiają o tym Komisję.",
}
"""A sentence or two of some length, written for this test."""


def page(language: str) -> str:
    return "\n".join([SOUND[language]] * 4)


def exchanged(seed: int) -> Callable[[str], str]:
    """Each letter put in the place of another, as by a wrong character map."""

    def change(text: str) -> str:
        table: dict[int, str] = {}
        for alphabet in SCRIPTS.values():
            letters = random.Random(seed).sample(alphabet, len(alphabet))
            table |= dict(zip(map(ord, alphabet), letters, strict=True))
            table |= {ord(a.upper()): b.upper() for a, b in zip(alphabet, letters, strict=True)}
        return text.translate(table)

    return change


def moved(by: int) -> Callable[[str], str]:
    """Each letter moved in its alphabet."""

    def change(text: str) -> str:
        turned = {ord(a): s[(i + by) % len(s)] for s in SCRIPTS.values() for i, a in enumerate(s)}
        return text.lower().translate(turned)

    return change


def glyph_numbers(text: str) -> str:
    """What a font without a character map gives: glyph numbers, 29 below the codes in most TrueType fonts."""
    return "".join(chr(ord(sign) - 29) if " " <= sign <= "~" else sign for sign in text)


def letters_as(give: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(give(sign) if sign.isalpha() else sign for sign in text)


@pytest.mark.parametrize("language", SOUND)
def test_sound_text_of_many_languages(language: str) -> None:
    assert health(page(language)) == Health(0.0, None)
    assert health(page(language).upper()).reason is None


OTHER = {
    "numbers": "\n".join(f"{n} 1,{n:03} {n * 7 % 89}.{n % 10} % {n * n} €" for n in range(200)),
    "formulas": "x² + y² ≤ r², ∑ᵢ aᵢ xᵢ = λ(x), ∂f/∂x ∝ αβ/γ, ∀ε>0 ∃δ>0: |x − a| < δ ⇒ |f(x) − L| < ε. " * 5,
    "code": "def main(argv: list[str]) -> int:\n    parser = ArgumentParser(prog='x')\n    return run(parser)\n" * 8,
    "currencies": "EUR USD GBP CHF JPY SEK NOK DKK PLN CZK HUF BGN RON HRK",
    "contents": "\n".join(f"Chapter {n} ............................................ {n * 7}" for n in range(40)),
    "bibliography": "MÜLLER, H.-P., SZCZEPAŃSKI, K. & O'NEILL, F.G. (2011), J. Appl. Phys. 104, 1123-1131. " * 6,
    "chinese": "理事会听取了各方的意见并以三分之二多数通过了决定。" * 20,
    "arabic": "استمع المجلس إلى الأطراف واعتمد القرار بأغلبية الثلثين من أصوات الأعضاء الحاضرين. " * 8,
    "empty": "",
    "line end marks": "collec\x02tion of profes\ufffesional staff\xad " * 20,
}


@pytest.mark.parametrize("name", OTHER)
def test_pages_that_are_no_prose_are_sound_too(name: str) -> None:
    assert health(OTHER[name]).reason is None


BROKEN = {
    "exchanged letters": (exchanged(1), "implausible letters"),
    "exchanged letters again": (exchanged(7), "implausible letters"),
    "three letters on": (moved(3), "implausible letters"),
    "three letters back": (moved(-3), "implausible letters"),
    "replacement": (letters_as(lambda sign: "\ufffd"), "unreadable characters"),
    "private use": (letters_as(lambda sign: chr(0xF000 + ord(sign) % 256)), "unreadable characters"),
    "private plane": (letters_as(lambda sign: chr(0xF0000 + ord(sign))), "unreadable characters"),
    "cid": (letters_as(lambda sign: f"(cid:{ord(sign)})"), "unreadable characters"),
    "controls": (letters_as(lambda sign: chr(0x0E + ord(sign) % 16)), "unreadable characters"),
    "signs": (letters_as(lambda sign: "!#$%&*+/<=>?@^~"[ord(sign) % 15]), "mostly no letters"),
    "letter-spaced": (" ".join, "isolated letters"),
}


@pytest.mark.parametrize("language", ["en", "fr", "de", "pl", "fi", "mt", "el", "bg"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_is_found_in_every_script(name: str, language: str) -> None:
    damage, reason = BROKEN[name]
    found = health(damage(page(language)))
    assert found.reason == reason
    assert found.share > BAD_BLOCKS


def test_glyph_numbers_are_found() -> None:
    assert health(glyph_numbers(page("en"))).reason == "unreadable characters"
    spaced = re.sub("\x03", " ", glyph_numbers(page("en")))
    assert health(spaced).reason == "implausible letters"


@pytest.mark.parametrize(("language", "encoding"), [("el", "iso-8859-7"), ("bg", "cp1251")])
def test_one_byte_encodings_read_as_latin_1_are_found(language: str, encoding: str) -> None:
    broken = page(language).encode(encoding).decode("latin-1")
    assert health(broken).reason == "implausible letters"


@pytest.mark.parametrize("language", ["fr", "cs", "hu"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_mojibake_is_found(language: str, encoding: str) -> None:
    text = page(language) + " « l’été »"
    broken = text.encode("utf-8").decode(encoding, "replace")
    assert health(broken).reason in ("mojibake", "unreadable characters")
    assert health(page(language) + " Ã© Â«").reason is None, "two stray sequences are none"


def test_half_of_a_page_with_wrong_letters_is_found() -> None:
    lines = page("en").split("\n") * 2
    wrong = [exchanged(3)(line) for line in lines]
    assert health("\n".join([*lines, *wrong])).reason == "implausible letters"
    assert 0.3 < health("\n".join([*lines, *wrong])).share < 0.7


def test_a_few_unreadable_characters_are_no_reason() -> None:
    found = health(page("en") + "\ufffd\ue000")
    assert found.reason is None
    assert 0 < found.share < 0.02


def test_letters_of_a_name_say_nothing() -> None:
    assert health("Xqzwk Vbnmtr Zxcv Qwrtp").reason is None


def test_forms_of_letters_have_their_base() -> None:
    assert "".join(base_letter(sign) or "-" for sign in "éŁÿŐğςΆйЙі漢1") == "elyogσαйй---"
    assert LIMITS.keys() == SCRIPTS.keys()


@given(st.text(max_size=3_000))
def test_any_text_is_judged(text: str) -> None:
    share, reason = health(text)
    assert 0 <= share <= 1
    assert reason is None or share > 0


@pytest.mark.real
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
def test_no_real_page_is_suspected_but_for_the_mojibake_it_shows() -> None:
    found = set()
    for path in sorted(DATA.glob("*/*.pdf")):
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        with closing(document):
            for number in range(min(len(document), 20)):
                reason = health(document[number].get_textpage().get_text_bounded()).reason
                if reason:
                    found.add((path.stem, reason))
    shown = ("31968R1017_FR", "31976L0207_FR", "32000L0031_FR", "32003R0001_FR")
    assert found == {(stem, "mojibake") for stem in shown}
