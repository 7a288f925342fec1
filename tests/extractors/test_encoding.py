import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.encoding import _CODECS, _LABELS, decode

FRENCH = "Le règlement général sur la protection des données est entré en vigueur après deux années."
RUSSIAN = "Все люди рождаются свободными и равными в своём достоинстве и правах, они наделены разумом."
CHINESE = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"
JAPANESE = "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."


def page(text: str, charset: str | None = None) -> str:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">' if charset else ""
    return f"<html><head>{meta}<title>x</title></head><body><p>{text}</p></body></html>"


def test_every_name_has_a_codec() -> None:
    assert all(codecs.lookup(_CODECS.get(name, name)) for name in _LABELS)


@pytest.mark.parametrize(
    ("bom", "codec", "name"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be"),
    ],
)
def test_byte_order_mark_wins(bom: bytes, codec: str, name: str) -> None:
    assert decode(bom + FRENCH.encode(codec), "windows-1252") == (FRENCH, f"bom {name}")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(codec: str) -> None:
    text = page(FRENCH, "utf-8")
    assert decode(text.encode(codec), "utf-8") == (text, f"detector {codec}")


def test_valid_utf8_wins_over_declarations() -> None:
    text = page(FRENCH, "gb2312")
    assert decode(text.encode(), "iso-8859-1") == (text, "utf-8")


@pytest.mark.parametrize(
    ("label", "codec", "name", "text"),
    [
        ("latin1", "cp1252", "windows-1252", FRENCH + " – “fin” €"),
        ("ISO-8859-1", "cp1252", "windows-1252", FRENCH),
        (" 'windows-1251'", "cp1251", "windows-1251", RUSSIAN),
        ("gb2312", "gb18030", "gb18030", CHINESE + "㐀"),
        ("Shift_JIS", "cp932", "shift_jis", JAPANESE + "①"),
        ("euc-jp", "euc_jp", "euc-jp", JAPANESE),
        ("iso-8859-7", "iso8859_7", "iso-8859-7", GREEK),
        ("iso-2022-jp", "iso2022_jp", "iso-2022-jp", JAPANESE),
    ],
)
def test_labels_mean_what_the_web_means_by_them(label: str, codec: str, name: str, text: str) -> None:
    assert decode(text.encode(codec), label) == (text, f"header {name}")
    declared = page(text, label.strip(" '"))
    assert decode(declared.encode(codec)) == (declared, f"meta {name}")


def test_xml_declaration_counts() -> None:
    text = f'<?xml version="1.0" encoding="iso-8859-1"?><p>{FRENCH}</p>'
    assert decode(text.encode("latin-1")) == (text, "meta windows-1252")


@pytest.mark.parametrize(
    ("text", "codec", "header", "meta", "how"),
    [
        (FRENCH, "cp1252", "utf-8", None, "detector windows-1252"),
        (RUSSIAN, "cp1251", "utf-8", "windows-1251", "meta windows-1251"),
        (RUSSIAN, "cp1251", "iso-8859-1", "windows-1251", "meta windows-1251"),
        (RUSSIAN, "koi8_r", "iso-8859-1", None, "detector koi8-r"),
        (CHINESE, "gb18030", "iso-8859-1", "gb2312", "meta gb18030"),
        (CHINESE, "gb18030", "utf-8", "utf-8", "detector gb18030"),
        (FRENCH * 3, "cp1252", "windows-1251", "iso-8859-1", "meta windows-1252"),
        (FRENCH, "cp1252", "no-such-charset", "utf-7", "detector windows-1252"),
        (JAPANESE, "cp932", "utf-8", "iso-8859-1", "detector shift_jis"),
    ],
)
def test_wrong_declarations_are_found_out(text: str, codec: str, header: str, meta: str | None, how: str) -> None:
    whole = page(text, meta)
    assert decode(whole.encode(codec), header) == (whole, how)


@pytest.mark.parametrize("text", [CHINESE * 20, RUSSIAN * 20], ids=["zh", "ru"])
def test_damaged_utf8_stays_utf8(text: str) -> None:
    found, how = decode(text.encode()[:200] + b"\xff" + text.encode()[201:], "iso-8859-1")
    assert how == "utf-8"
    assert found[-300:] == text[-300:]
    assert found.count("\ufffd") <= 3


def test_cut_off_documents_keep_their_encoding() -> None:
    assert decode((FRENCH + "é").encode()[:-1])[1] == "utf-8"
    assert decode(CHINESE.encode("gb18030")[:-1], "gbk")[1] == "header gb18030"


def test_nuls_are_removed() -> None:
    assert decode(b"a\0b\0\0c and more ASCII") == ("abc and more ASCII", "utf-8")


def test_undefined_bytes_of_windows_1252() -> None:
    assert decode(b"caf\xe9 \x81 \x80", "latin1") == ("café \x81 €", "header windows-1252")


@given(st.binary(max_size=300), st.one_of(st.none(), st.sampled_from([*_LABELS, "utf-7", "\x00", "é"])))
def test_any_bytes_give_text_without_nul(payload: bytes, charset: str | None) -> None:
    text, how = decode(payload, charset)
    assert "\0" not in text
    assert how.partition(" ")[0] in ("bom", "utf-8", "header", "meta", "detector", "fallback")
    text.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=200))
def test_utf8_comes_back(text: str) -> None:
    assert decode(text.encode(), "utf-8") == (text, "utf-8")
