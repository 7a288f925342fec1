import string
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import pii
from filters.masking import mask

CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"  # test card of the issuers; SWIFT's registry


def found(text, language=None, least=0.5):
    return [(text[s["start"] : s["end"]], s["kind"]) for s in pii.spans(text, language) if s["score"] >= least]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ada.lovelace@uni-bonn.example.", [("ada.lovelace@uni-bonn.example", "email")]),
        ("<mailto:a+b@foo.co.uk>", [("a+b@foo.co.uk", "email")]),
        ("пишите на почта@пример.рф, да", [("почта@пример.рф", "email")]),
        ("請聯絡 abc@qq.com獲取", [("abc@qq.com", "email")]),
        ('"jo doe"@foo.org', [('"jo doe"@foo.org', "email")]),
        ("jo [at] uni-bonn (dot) de", [("jo [at] uni-bonn (dot) de", "email")]),
        ("jo at foo dot org", [("jo at foo dot org", "email")]),
        ("icon@2x.png, @handle, a@b, 4K@60, x@y.", []),
        ("mongodb://u:secret@host.example/db", []),
        ("Tel. (32-2) 295 12 34", [("(32-2) 295 12 34", "phone")]),
        ("Fax: +352 43 03-32600.", [("+352 43 03-32600", "phone")]),
        ("appelez le 01 23 45 67 89", [("01 23 45 67 89", "phone")]),
        ("01 23 45 67 89", [("01 23 45 67 89", "phone")]),
        ("☎ 030/1234567", [("030/1234567", "phone")]),
        ("τηλ. 210 123 4567", [("210 123 4567", "phone")]),
        ("Tel. 12 34 56 78 / 12 34 56 79", [("12 34 56 78", "phone"), ("12 34 56 79", "phone")]),
        ("call 212-555-1234 x12", [("212-555-1234 x12", "phone")]),
        ("Tél. : 514 987-3000, poste 1234", [("514 987-3000, poste 1234", "phone")]),
        ("电话：022-23501436；022-23508004", [("022-23501436", "phone"), ("022-23508004", "phone")]),
        ("+44 (0)20 7946 0000", [("+44 (0)20 7946 0000", "phone")]),
        ("logged in from 93.184.216.34", [("93.184.216.34", "ip")]),
        ("host 2a00:1450:4001::200e", [("2a00:1450:4001::200e", "ip")]),
        (f"IBAN {IBAN}.", [(IBAN, "iban")]),
        ("GB29NWBK60161331926819", [("GB29NWBK60161331926819", "iban")]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("GB29NWBK6016133192681", []),
        (f"card {CARD}", [(CARD, "card")]),
        ("visa 4111111111111112", []),
        ("https://orcid.org/0000-0002-1825-0097", []),
    ],
)
def test_kinds(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("SV-Nr. 1237 010180", "at"),
        ("numéro national 93.05.18-223.61", "be"),
        ("ЕГН 7523169263", "bg"),
        ("rodné číslo 710319/2745", "cz"),
        ("Steuer-ID 86 095 742 719", "de"),
        ("CPR-nr. 211062-5629", "dk"),
        ("isikukood 38001085718", "ee"),
        ("ΑΜΚΑ 01013099997", "el"),
        ("con DNI 12345678-Z", "es"),
        ("NIE X-1234567-L", "es"),
        ("henkilötunnus 131052-308T", "fi"),
        ("NIR 2 55 08 14 168 025 38", "fr"),
        ("OIB: 33392005961", "hr"),
        ("adóazonosító jel 8071592153", "hu"),
        ("PPSN 1234567FA", "ie"),
        ("codice fiscale RSSMRA85T10A562S", "it"),
        ("asmens kodas 33309240064", "lt"),
        ("matricule 1893120105732", "lu"),
        ("personas kods 161175-19997", "lv"),
        ("karta tal-identità 1234567M", "mt"),
        ("BSN 111222333", "nl"),
        ("PESEL: 44051401359", "pl"),
        ("NIF 123456789", "pt"),
        ("CNP 1630615123457", "ro"),
        ("personnummer 811218-9876", "se"),
        ("EMŠO 0101006500006", "si"),
        ("SSN 078-05-1120", "us"),
    ],
)
def test_national_numbers_beside_their_names(text, country):
    assert [kind for _, kind in found(text, least=0.95)] == [f"national_id:{country}"]


@pytest.mark.parametrize(
    "text",
    [
        "Regulation (EU) 2016/679 of 27 April 2016, OJ L 119, 4.5.2016, p. 1–88, CELEX 32016R0679, C(2016) 4407",
        "OJ C 12, 14.1.2003, pp. 1234-1240; 1999/468/EC; COM(2011) 0345 - C7-0161/2011 - 2011/0156(COD)",
        "doi:10.1016/0304-3975(79)90007-0 10.1111/0022-1082.00166, ISSN 1234-5679, ISBN 978-3-16-148410-0, 0306406152",
        "EUR 1 234 567,89 and 12.345.678,90 or 1,234,567,890; CN 0102 29 10 00 and ex 0304 29 10; CAS 7732-18-5",
        "| 2010 | 2011 | 123 456 789 | 111222333 | 1 234 567 | +12,5 | +10 1988-92 | 4 111 111 111 111 111 |",
        "see 1.2.3.4 and sections 4.1.2.1 to 4.1.2.3, version 10.0.19041.1, at 10:20:30, std::vector, Gen 1:2-3",
        "Cell 116 (2004) 281-297; arXiv:1706.03762; PMID 12345678; ECLI:EU:C:2014:317; Tel Aviv, 2003-2004",
        "call 12.05.2016, fax 2014-2020, Tel. 2016/679, telephone services (CPC 7521-7523), phone: 1.234",
    ],
)
def test_law_and_scholarship_have_none(text):
    assert found(text) == []


def test_weak_numbers_need_their_name_and_fair_ones_their_language():
    assert found("the number 111222333 again", "nl") == []
    assert found("numer 44051401359 w aktach", "en") == [] and found("numer 44051401359", "pl") != []
    assert found("identity number 44051401359") == [("44051401359", "national_id:pl")]
    assert found("710319/2745", "sk") == [("710319/2745", "national_id:sk")]


def test_scores_rise_with_the_proof():
    named, bare = pii.spans("visa " + CARD)[0]["score"], pii.spans(CARD)[0]["score"]
    assert named > bare > pii.spans("4111111111111111")[0]["score"] >= 0.5
    assert pii.spans("10.0.0.1")[0]["score"] < 0.5 < pii.spans("93.184.216.34")[0]["score"]


def test_of_two_that_overlap_the_better_stays():
    spans = [
        pii.Found(0, 9, "a", 0.5),
        pii.Found(5, 12, "b", 0.9),
        pii.Found(11, 20, "c", 0.6),
        pii.Found(20, 21, "d", 0.1),
    ]
    assert [span["kind"] for span in pii.disjoint(spans)] == ["b", "d"]


def test_spans_are_capped():
    assert len(pii.spans("a@b.org " * 10_500)) == pii.MOST


def test_signals():
    text = f"{CARD} 10.0.0.1 api_key = 'a8Fz0Qw9LmN3xK7u'"
    row = pii.signals(text)
    assert (row["pii_count"], len(row["pii"]), row["secret_count"], len(row["secrets"])) == (1, 2, 1, 1)
    assert pii.signals("") == {"pii": None, "pii_count": 0, "secrets": None, "secret_count": 0}


PIECES = st.sampled_from(
    "a@b.org|jo [at] b [dot] eu|Tel. |+32 2 295 12 34|01 23 45 67 89|PESEL 44051401359|BSN |111222333|93.184.216.34|"
    "2a00:1450:4001::200e|12345678Z|131052-308T|2 55 08 14 168 025 38| / | |\n|, |.|-|\u200b|\ud800|x|1|(|)|+|/|:|"
    f"811218-9876|visa |SSN 078-05-1120|{CARD}|{IBAN}".split("|")
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(PIECES, max_size=14).map(" ".join),
    st.text(alphabet=string.digits + " .-/()+@:abcdefABZ\u00a0", max_size=80),
    st.text(max_size=60),
)


@given(TEXTS, st.sampled_from([None, "fr", "pl", "sv", "und"]))
def test_spans_are_sorted_disjoint_and_pass_their_own_check(text, language):
    last = 0
    for span in pii.spans(text, language):
        assert last <= span["start"] < span["end"] <= len(text) and 0 < span["score"] <= 1
        assert pii.accepts(span["kind"], text[span["start"] : span["end"]]), (text, span)
        last = span["end"]


@given(st.lists(PIECES, max_size=10).map(" ; ".join))
def test_nothing_is_left_after_masking(text):
    masked = mask(text, pii.spans(text))
    assert [span for span in pii.spans(masked) if span["score"] >= 0.5] == [], masked


HOSTILE = ["1", "@", "a@", ".", "1.", "(1)", "+1 ", "12 ", "::", "1:", " dot ", "[at]", "\ud800", "DE89 ", "A1", "aaa"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_any_text_is_read(unit):
    text = unit * (200_000 // len(unit))
    assert pii.spans(text) == [] and pii.spans("") == []


def test_a_long_row_of_figures_holds_cards_only_without_spaces():
    assert found("12 34 56 78 " * 50) == []
    assert ("4111111111111111", "card") in found("1 2 3 4 5 6 7 8 9 10 11 12 card: 4111111111111111 " * 2)


PHONES = ["01 23 45 67 89", "01 23 45 67 90", "01 23 45 67 91"]
CARDS = [CARD, "4012 8888 8888 1881", "5555 5555 5555 4444", "2222 4000 7000 0005"]


@pytest.mark.parametrize("between", [" / ", "/", " - ", " – ", ", ", " ; "])
@pytest.mark.parametrize("times", [1, 8])
def test_lists_of_phone_numbers(between, times):
    assert found("Tél. " + between.join(PHONES * times), "fr") == [(number, "phone") for number in PHONES * times]


@pytest.mark.parametrize("between", [" - ", " – ", " / "])
def test_lists_need_no_word_where_the_form_does_not(between):
    assert found(between.join(PHONES), "fr") == [(number, "phone") for number in PHONES]
    assert found(between.join(CARDS)) == [(number, "card") for number in CARDS]


@pytest.mark.parametrize("between", [" ", " - ", " / ", ", "])
def test_lists_of_cards(between):
    assert found("Visa cards: " + between.join(CARDS)) == [(number, "card") for number in CARDS]


def test_figures_behind_an_account_number():
    assert found(f"{IBAN} 01 02 03 04 05 06 07 08 09") == [(IBAN, "iban")]
    assert found(f"{IBAN} " + "01 02 " * 50) == [(IBAN, "iban")]
    assert found("DNI 12345678Z " + "01 02 " * 50) == [("12345678Z", "national_id:es")]


@pytest.mark.parametrize("letter", "\u212a\u017f\u0131\u0130")
def test_letters_that_only_ignoring_case_makes_ascii(letter):
    code = "RSSMRA85T10A562"
    assert [f for at in range(17) for f in found(f"{code[:at]}{letter}{code[at:]} ") if f[1] != "phone"] == []
    assert found(f"{code}{letter} ") == [] == found(f"{letter}{code[1:]}S ")
    assert not pii.accepts("iban", f"{letter}E{IBAN[2:]}") and not pii.accepts("national_id:it", code + letter)


def test_a_span_that_overlaps_none_of_those_kept_stays():
    spans = [pii.Found(0, 10, "email", 0.7), pii.Found(5, 15, "phone", 0.8), pii.Found(12, 20, "iban", 0.99)]
    assert [span["kind"] for span in pii.disjoint(spans)] == ["email", "iban"]


RUNS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from([0.3, 0.7, 0.9])), max_size=12)


@given(RUNS)
def test_what_is_dropped_overlaps_something_better(places):
    spans = sorted(pii.Found(start, start + size, "a", score) for start, size, score in places)
    kept = [(s["start"], s["end"], s["score"]) for s in pii.disjoint(spans)]
    assert all(one[1] <= other[0] for one, other in pairwise(kept))
    for start, end, _, score in spans:
        assert any(a < end and start < b and (s, b - a) >= (score, end - start) for a, b, s in kept)


def test_nothing_before_the_last_of_the_first_spans_is_lost():
    text = "a@b.org " * 9_000 + f"{CARD} jo at foo dot org jo [at] b [dot] eu " + "c@d.org " * 3_000 + CARD
    spans = pii.spans(text)
    assert len(spans) == pii.MOST and [s["kind"] for s in spans].count("card") == 1
    assert [s["start"] for s in spans] == sorted(s["start"] for s in spans)
    assert sum(s["score"] in (0.5, 0.7) for s in spans) == 2


KINDS = ["email", "phone", "ip", "iban", "card", "x", *(f"national_id:{c}" for c in [*pii.CHECKS, "zz"])]


@given(st.sampled_from(KINDS), TEXTS)
def test_any_piece_can_be_asked_about(kind, piece):
    assert pii.accepts(kind, piece) in (True, False)


def test_what_has_not_the_shape_is_not_accepted():
    assert not any(pii.accepts(kind, piece) for kind in KINDS for piece in ("", "1", "A", "\u0663", "\u00b2" * 13))
    assert not pii.accepts("national_id:at", "12") and not pii.accepts("card", "0")


@pytest.mark.real
def test_acts_and_articles_hold_no_false_numbers():
    from benchmarks import pii as measured

    data = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    if not (data / "eurlex").is_dir():
        pytest.skip("no real data beside the project")
    texts = measured.acts(data, every=10)
    assert sum(len(text) for _, text in texts) > 500_000
    wrong = [
        s for language, text in texts for s in pii.spans(text, language) if s["score"] >= 0.5 and s["kind"] != "email"
    ]
    assert len(wrong) <= 1
