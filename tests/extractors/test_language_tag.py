import pytest

from extractors.language_tag import primary_subtag


@pytest.mark.parametrize(
    ("tag", "subtag"),
    [
        ("FR-ca", "fr"),
        ("zh_TW", "zh"),
        ("en.UTF-8", "en"),
        (" pl, en", "pl"),
        ("eng", "en"),
        ("ger", "de"),
        ("deu-AT", "de"),
        ("nor", "no"),
        ("cmn-Hans", "zh"),
        ("fil", "fil"),
        ("http://example.org/language/DEU", "de"),
        ("en/US", "en"),
        ("und", None),
        ("zxx", None),
        ("mul", None),
        ("english", None),
        ("x-klingon", None),
        ("x", None),
        ("", None),
        (None, None),
    ],
)
def test_primary_subtag(tag: str | None, subtag: str | None) -> None:
    assert primary_subtag(tag) == subtag


def test_both_codes_of_iso_639_2_mean_the_same() -> None:
    codes = """alb sqi arm hye baq eus bur mya chi zho cze ces dut nld fre fra geo kat ger deu gre ell ice isl mac mkd
    mao mri may msa per fas rum ron slo slk tib bod wel cym"""
    pairs = iter(codes.split())
    for bibliographic, terminological in zip(pairs, pairs, strict=True):
        found = primary_subtag(bibliographic)
        assert found == primary_subtag(terminological)
        assert found is not None and len(found) == 2
