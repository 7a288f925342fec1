from __future__ import annotations

import pytest

from catalog import flores


@pytest.mark.parametrize(
    ("language", "script", "expected"),
    [("fr", None, "fra_Latn"), ("no", "Latn", "nob_Latn"), ("et", "Latn", "ekk_Latn"), ("sr", None, "srp_Cyrl"),
     ("sr", "Latn", "srp_Latn"), ("ru", "Latn", "rus_Cyrl"), ("ko", "Hang", "kor_Hang"), ("ceb", None, "ceb_Latn"),
     ("zh", "Hant", "cmn_Hant"), ("und", "Cyrl", "und_Latn"), ("fa", None, "pes_Arab"), ("mn", None, "khk_Cyrl")],
)  # fmt: skip
def test_labels(language: str, script: str | None, expected: str) -> None:
    assert flores.label(language, script) == expected


@pytest.mark.parametrize(
    ("language", "script", "text", "expected"),
    [("fr", "Latn", "", "fra_Latn"), ("ko", "Kore", "", "kor_Hang"), ("ja", "Jpan", "", "jpn_Jpan"),
     ("zh", "Hani", "这来们", "cmn_Hans"), ("zh", "Hani", "這來們", "cmn_Hant"), ("zh", "Hani", "", "cmn_Hans"),
     ("ru", "Zyyy", "1", "rus_Cyrl"), ("ru", "Latn", "", "rus_Latn"), ("de", None, "", "deu_Latn")],
)  # fmt: skip
def test_labels_of_documents(language: str, script: str | None, text: str, expected: str) -> None:
    assert flores.document_label(language, script, text) == expected


def test_language_codes_have_three_letters_and_differ() -> None:
    assert all(len(code) == 3 for code in flores.CODES.values())
    codes = list(flores.CODES.values())
    assert {code for code in codes if codes.count(code) > 1} == {"nob"}
